//! The demo and the README: what they print is what the program prints, and what they tell people to type works.

mod support;

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use pantler::{Butler, ButlerOptions, DataId, ObjectRef, Parameters};
use serde_json::Value;

use support::Place;

/// One telling, which all tests look at; those that change something have a place of their own.
static TOLD: LazyLock<(Place, String)> = LazyLock::new(|| {
    let place = Place::new();
    let story = place.ok("demo demo");
    (place, story)
});

/// The bytes of each simulated exposure are more than this.
const EXPOSURE: u64 = 3_000_000;

/// Returns what a command of the story printed: all up to the next empty line.
fn printed<'a>(story: &'a str, command: &str) -> &'a str {
    let start = format!("$ pantler {command}\n");
    let (_, after) = story
        .split_once(&start)
        .unwrap_or_else(|| panic!("{start:?} is not in\n{story}"));
    after.split("\n\n").next().unwrap_or_default()
}

/// Returns the statistics that a command of the story ended with.
fn stat(story: &str, command: &str, name: &str) -> u64 {
    let line = printed(story, command).lines().last().unwrap_or_default();
    let stats: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    stats[name]
        .as_u64()
        .unwrap_or_else(|| panic!("no {name} in {line}"))
}

#[test]
fn the_plan_names_every_part_and_its_repository() {
    let tree = printed(
        &TOLD.1,
        "explain demo/jointcal calexp:jointcal visit=903334 ccd=16 tract=0",
    );
    let lines: Vec<&str> = tree.lines().collect();
    assert_eq!(lines.len(), 4, "{tree}");
    assert!(
        lines[0].contains("Exposure") && lines[0].ends_with("by lookup"),
        "{tree}"
    );
    for (line, parts) in lines[1..].iter().zip([
        ["calexp:sfm", "demo/single_visit", "input only"],
        ["jointcal_wcs", "tract=0", "demo/jointcal"],
        ["jointcal_calib", "tract=0", "demo/jointcal"],
    ]) {
        assert!(
            parts.iter().all(|part| line.contains(part)),
            "{line} lacks one of {parts:?}"
        );
    }
}

#[test]
fn pixels_are_shared_and_the_wcs_is_the_new_one() {
    assert!(TOLD.1.contains("the same, bit for bit"), "{}", TOLD.1);
    let (_, after) = TOLD
        .1
        .split_once("moved by ")
        .expect("the story says how far");
    let moved: f64 = after
        .split(' ')
        .next()
        .unwrap_or_default()
        .parse()
        .expect("it is a number");
    assert!((0.19..0.41).contains(&moved), "{moved}");
    let large: Vec<(String, usize)> = TOLD
        .0
        .artifacts("demo/jointcal")
        .into_iter()
        .map(|(name, bytes)| (name, bytes.len()))
        .filter(|(_, bytes)| *bytes > 10_000)
        .collect();
    assert!(large.is_empty(), "{large:?}");
    assert_eq!(TOLD.0.artifacts("demo/jointcal").len(), 7 + 8);
}

#[test]
fn a_put_writes_the_two_parts_and_nothing_else() {
    let put =
        "put demo/jointcal calexp:jointcal demo/fitted.fits visit=903342 ccd=17 tract=1 --stats";
    let text = printed(&TOLD.1, put);
    let written: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split_whitespace().find(|word| word.ends_with(".fits")))
        .collect();
    assert_eq!(
        written,
        ["wcs/0903342/017-1.fits", "calib/0903342/017-1.fits"],
        "{text}"
    );
    let bytes = stat(&TOLD.1, put, "bytes_written");
    assert!(bytes > 0 && bytes < EXPOSURE / 100, "{bytes} bytes written");
    let explained = printed(
        &TOLD.1,
        "explain demo/jointcal calexp:jointcal visit=903342 ccd=17 tract=1",
    );
    assert!(
        explained
            .lines()
            .next()
            .unwrap_or_default()
            .ends_with("recorded"),
        "{explained}"
    );
}

#[test]
fn a_key_that_is_left_out_is_completed_or_asked_for() {
    let one = printed(&TOLD.1, "explain demo/jointcal calexp visit=903334 ccd=15");
    assert!(
        one.lines().next().unwrap_or_default().contains("tract=0"),
        "{one}"
    );
    let two = printed(&TOLD.1, "explain demo/jointcal calexp visit=903334 ccd=16");
    assert!(
        two.starts_with("error: `calexp` needs the key `tract`, and 2 values match"),
        "{two}"
    );
}

#[test]
fn another_stage_never_stands_in() {
    let text = printed(
        &TOLD.1,
        "get demo/jointcal calexp:jointcal visit=903342 ccd=15 tract=0 --out demo/unfitted.fits",
    );
    assert!(
        text.starts_with("error: component `wcs` of `calexp:jointcal` was not found"),
        "{text}"
    );
    assert!(text.contains("wcs of calexp:sfm was not used"), "{text}");
    assert!(!TOLD.0.path("demo/unfitted.fits").exists());
}

#[test]
fn one_part_costs_its_own_bytes() {
    let get = "get demo/jointcal calexp:jointcal.psf visit=903334 ccd=16 tract=0 --out demo/psf.fits --stats";
    let bytes = stat(&TOLD.1, get, "bytes_read");
    assert!(bytes > 0 && bytes < EXPOSURE / 100, "{bytes} bytes read");
}

#[test]
fn what_is_left_behind_is_clean_and_has_a_picture() {
    for repository in ["demo/single_visit", "demo/jointcal"] {
        let report = TOLD.0.json(&format!("fsck {repository} --deep"));
        assert_eq!(report["clean"], true, "{report}");
        assert_eq!(report["leftover"], serde_json::json!([]), "{report}");
    }
    let picture = std::fs::read(TOLD.0.path("demo/picture.png")).expect("there is a picture");
    assert!(picture.starts_with(b"\x89PNG"));
}

#[test]
fn what_the_story_says_to_try_can_be_pasted() {
    let (_, after) = TOLD
        .1
        .split_once("What to try next")
        .expect("the story ends with it");
    let commands: Vec<&str> = after
        .lines()
        .filter_map(|line| line.strip_prefix("    pantler "))
        .collect();
    assert!(commands.len() >= 5, "{after}");
    for command in commands {
        TOLD.0.ok(command);
    }
}

#[test]
fn two_tellings_are_the_same_down_to_the_files() {
    let again = Place::new();
    assert_eq!(again.ok("demo demo"), TOLD.1);
    for repository in ["demo/single_visit", "demo/jointcal"] {
        assert!(again.artifacts(repository) == TOLD.0.artifacts(repository));
    }
}

#[test]
fn a_folder_with_something_in_it_is_left_alone() {
    let place = Place::new();
    place.write("mine/notes.txt", "do not lose this");
    let refused = place.run("demo mine");
    assert_eq!(refused.status, 2);
    assert!(
        refused.error.starts_with("error: mine is there already"),
        "{}",
        refused.error
    );
    assert_eq!(
        refused.out, "",
        "nothing is told that is not going to happen"
    );
    assert_eq!(place.artifacts("mine").len(), 1);
    place.refused("demo other --json", 2);
    assert!(!place.path("other").exists());
}

/// Returns a page at the root of the repository.
fn page(name: &str) -> String {
    let path = Path::new(ROOT).join(name);
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Returns the README's fenced blocks of a language, in order.
fn blocks(language: &str) -> Vec<String> {
    let readme = page("README.md");
    let fence = format!("```{language}\n");
    readme
        .split(&fence)
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn the_readme_shows_what_the_program_prints() {
    let mut shown = 0;
    for block in blocks("console") {
        assert!(block.starts_with("$ pantler "), "{block}");
        let told = format!("\n{block}\n");
        assert!(TOLD.1.contains(&told), "the story has no\n{told}");
        shown += 1;
    }
    assert!(shown >= 2, "the README shows {shown} commands with output");
}

#[test]
fn the_readmes_first_repository_works() {
    let place = Place::new();
    std::fs::create_dir(place.path("data")).expect("a folder can be made");
    let files = TOLD.0.artifacts("demo/single_visit");
    for (name, bytes) in &files {
        let file = place.path("data").join(name.replace('/', "-"));
        std::fs::write(file, bytes).expect("a file can be written");
    }
    let policies = blocks("yaml");
    place.write("policy.yaml", policies.first().expect("it shows a policy"));
    let script = blocks("sh").concat();
    assert!(script.lines().count() >= 5, "{script}");
    let program = Path::new(env!("CARGO_BIN_EXE_pantler"));
    let folder = program.parent().expect("a program lies in a folder");
    let ran = Command::new("sh")
        .args(["-e", "-c", &script])
        .current_dir(place.path(""))
        .env("PATH", format!("{}:/usr/bin:/bin", folder.display()))
        .output()
        .expect("there is a shell");
    assert!(
        ran.status.success(),
        "{script}\n{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    for made in ["wcs.fits", "cutout.fits", "picture.png"] {
        assert!(place.path(made).exists(), "{made} was not made");
    }
    assert_eq!(place.artifacts("night").len(), files.len());
}

#[test]
fn the_readmes_library_example_works() {
    let example = || -> Result<ObjectRef, pantler::Error> {
        let root = TOLD.0.path("demo/jointcal");
        let butler = Butler::open(&[root], &[], ButlerOptions::default())?;
        let data_id =
            DataId::parse("visit=903334 ccd=16 tract=0").expect("it is written as it is printed");
        let exposure = butler.get("calexp:jointcal", &data_id, &Parameters::default())?;
        let psf = butler.get("calexp:jointcal.psf", &data_id, &Parameters::default())?;
        assert_eq!(exposure.class(), "Exposure");
        Ok(psf)
    };
    assert_eq!(example().expect("it works").class(), "Psf");
    let here: String = include_str!("demo.rs").split_whitespace().collect();
    let blocks = blocks("rust");
    let lines: Vec<&str> = blocks
        .iter()
        .flat_map(|block| block.lines())
        .filter(|line| {
            !line.is_empty() && !line.starts_with("use ") && !line.contains("Butler::open")
        })
        .collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    for line in lines {
        let line: String = line.split_whitespace().collect();
        assert!(here.contains(&line), "this test does not try {line}");
    }
}

#[test]
fn the_pages_name_files_that_exist() {
    let mut checked = 0;
    for name in ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"] {
        let text = page(name);
        let links = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
            .filter(|link| !link.starts_with("https://"));
        let spans = text
            .split('`')
            .filter(|span| span.starts_with("crates/") || span.starts_with("docs/"));
        for path in links.chain(spans) {
            assert!(
                Path::new(ROOT).join(path).exists(),
                "{name} names {path}, which is not there"
            );
            checked += 1;
        }
    }
    assert!(checked > 20, "only {checked} names were found");
}
