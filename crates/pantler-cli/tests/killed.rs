//! The program itself, stopped at its worst: killed at named places and at random, raced by others of its kind, without space
//! and without permission. Whatever happens the repository is in its old state or in its new one, whole (rule R29).
//!
//! The kernel finishes what a killed process began, so this says nothing about a power cut: the engine's own tests simulate
//! those. It shows that the program that people run gives the promise with a real file system, a real registry, and other
//! processes beside it.

#![cfg(feature = "fail-points")]
// A panic is how a test fails, in what prepares it as well.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod support;

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use pantler::core::Digest;
use pantler::objects::{Card, Carrier, Exposure, Image, Mask, Metadata, PhotoCalib, Wcs};
use pantler::{Butler, ButlerOptions, DataId, ObjectRef, Parameters, PutOptions};
use serde_json::Value;

use support::Place;

const SINGLE_VISIT: &str = r#"
datasets:
  calexp:sfm:
    template: "calexp/%(visit)07d/%(ccd)03d.fits"
    python: lsst.afw.image.ExposureF
    storage: FitsStorage
"#;

const JOINTCAL: &str = r#"
datasets:
  jointcal_wcs:
    template: "wcs/%(visit)07d-%(ccd)03d-%(tract)d.fits"
    python: lsst.afw.image.Wcs
    storage: FitsStorage
  jointcal_calib:
    template: "calib/%(visit)07d-%(ccd)03d-%(tract)d.fits"
    python: lsst.afw.image.Calib
    storage: FitsStorage
  calexp:jointcal:
    python: lsst.afw.image.ExposureF
    composite:
      calexp: {datasetType: "calexp:sfm", inputOnly: true}
      wcs:    {datasetType: jointcal_wcs}
      calib:  {datasetType: jointcal_calib}
"#;

/// A type that only this repository defines: whoever puts it elsewhere brings the definition along.
const NOTES: &str = r#"
datasets:
  note: {template: "notes/%(visit)d.json", python: dict, storage: JsonStorage}
"#;

// What actions are done to.

/// `single` and `joint` as two processing steps leave them, files to put and to ingest: made once, copied for each test.
static SURVEY: LazyLock<Place> = LazyLock::new(|| {
    let place = Place::new();
    place.write("single.yaml", SINGLE_VISIT);
    place.write("jointcal.yaml", JOINTCAL);
    place.write("notes.yaml", NOTES);
    place.write("note.json", r#"{"seeing": 0.7}"#);
    place.ok("init single --policy single.yaml");
    place.ok("init notes --policy notes.yaml");
    let single = butler(&place, "single");
    put(&single, &exposure(8), "calexp:sfm", "visit=1 ccd=1");
    // The files to put are what the program itself hands out.
    for (name, right_ascension, flux) in [("old", 151.0, 3e12), ("new", 161.0, 4e12)] {
        place.ok("init scratch --policy jointcal.yaml --parent single");
        let object = butler(&place, "single");
        let object = get(&object, "calexp:sfm", "visit=1 ccd=1");
        let object = object.with_component("wcs", &wcs(right_ascension)).unwrap();
        let object = object.with_component("calib", &calib(flux)).unwrap();
        put(
            &butler(&place, "scratch"),
            &object,
            "calexp:jointcal",
            "visit=1 ccd=1 tract=0",
        );
        place.ok(&format!(
            "get scratch calexp:jointcal visit=1 ccd=1 tract=0 --out {name}.fits"
        ));
        place.ok(&format!(
            "get scratch jointcal_wcs visit=1 ccd=1 tract=0 --out {name}-wcs.fits"
        ));
        std::fs::remove_dir_all(place.path("scratch")).unwrap();
    }
    place.ok("init scratch --policy single.yaml");
    let scratch = butler(&place, "scratch");
    put(&scratch, &exposure(160), "calexp:sfm", "visit=9 ccd=9");
    place.ok("get scratch calexp:sfm visit=9 ccd=9 --out large.fits");
    std::fs::create_dir_all(place.path("incoming/calexp/0000007")).unwrap();
    for ccd in ["001", "002"] {
        std::fs::copy(
            place.path("old.fits"),
            place.path(&format!("incoming/calexp/0000007/{ccd}.fits")),
        )
        .unwrap();
    }
    std::fs::remove_dir_all(place.path("scratch")).unwrap();
    place.ok("init joint --policy jointcal.yaml --parent single");
    place
});

/// Returns a copy of the survey.
fn survey() -> Place {
    let place = Place::new();
    copy(&SURVEY.path(""), &place.path(""));
    place
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn cards(entries: &[(&str, pantler::objects::CardValue)]) -> Metadata {
    Metadata::new(
        entries
            .iter()
            .map(|(keyword, value)| Card::new(*keyword, value.clone(), None)),
    )
}

fn wcs(right_ascension: f64) -> ObjectRef {
    let cards = cards(&[
        ("WCSAXES", 2i64.into()),
        ("CTYPE1", "RA---TAN".into()),
        ("CTYPE2", "DEC--TAN".into()),
        ("CRPIX1", 4.0.into()),
        ("CRPIX2", 3.0.into()),
        ("CRVAL1", right_ascension.into()),
        ("CRVAL2", 2.5.into()),
        ("CUNIT1", "deg".into()),
        ("CUNIT2", "deg".into()),
        ("CD1_1", (-5e-5).into()),
        ("CD1_2", 0.0.into()),
        ("CD2_1", 0.0.into()),
        ("CD2_2", 5e-5.into()),
        ("RADESYS", "ICRS".into()),
    ]);
    Arc::new(Wcs::from_header(cards, 0, 0))
}

fn calib(flux_of_magnitude_zero: f64) -> ObjectRef {
    let header = cards(&[("FLUXMAG0", flux_of_magnitude_zero.into())]);
    Arc::new(PhotoCalib::new(Carrier::Header(header)))
}

/// An exposure of `size` by `size` pixels.
fn exposure(size: usize) -> ObjectRef {
    let width = u64::try_from(size).unwrap();
    let pixels: Vec<f32> = (0..size * size).map(|index| index as f32).collect();
    let image = Image::new(pixels, width, width, 0, 0).unwrap();
    let planes = BTreeMap::from([("BAD".into(), 0)]);
    let mask = Mask::new(vec![0; size * size], width, width, 0, 0, planes).unwrap();
    let variance = Image::new(vec![2.0f32; size * size], width, width, 0, 0).unwrap();
    let metadata = cards(&[("OBSERVER", "Caroline".into())]);
    let bare = Exposure::new(
        Some(image.into()),
        Some(mask.into()),
        Some(variance.into()),
        metadata.into(),
    );
    let bare: ObjectRef = Arc::new(bare.unwrap());
    let exposure = bare.with_component("wcs", &wcs(149.0)).unwrap();
    exposure.with_component("calib", &calib(5e11)).unwrap()
}

fn butler(place: &Place, repository: &str) -> Butler {
    Butler::open(&[], &[place.path(repository)], ButlerOptions::default())
        .unwrap_or_else(|error| panic!("{}", error.report()))
}

fn put(butler: &Butler, object: &ObjectRef, name: &str, data_id: &str) {
    let data_id = DataId::parse(data_id).unwrap();
    let put = butler.put(object, name, &data_id, &PutOptions::default());
    put.unwrap_or_else(|error| panic!("{}", error.report()));
}

fn get(butler: &Butler, name: &str, data_id: &str) -> ObjectRef {
    let got = butler.get(
        name,
        &DataId::parse(data_id).unwrap(),
        &Parameters::default(),
    );
    got.unwrap_or_else(|error| panic!("{}", error.report()))
}

// What is seen of a state.

/// What commands that only look answer: status, what is printed, the digest of the file that is written.
type Seen = Vec<(i32, String, Digest)>;

fn look(place: &Place, commands: &[&str]) -> Seen {
    let mut seen = Vec::new();
    for command in commands {
        let out = place.path("looked.fits");
        let _ = std::fs::remove_file(&out);
        let ran = place.run(command);
        assert!(
            ran.status == 0 || ran.status == 2,
            "{command}\n{}",
            ran.error
        );
        let file = Digest::of(&std::fs::read(&out).unwrap_or_default());
        seen.push((ran.status, without_identities(&ran.out), file));
    }
    seen
}

/// Identities differ from run to run; and a replaced dataset may still lie where it was staged.
fn without_identities(printed: &str) -> String {
    let Ok(mut document) = serde_json::from_str::<Value>(printed) else {
        return printed.to_owned();
    };
    forget_identities(&mut document);
    document.to_string()
}

fn forget_identities(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(forget_identities),
        Value::Object(entries) => {
            for (key, value) in entries {
                let is_own = value
                    .as_str()
                    .is_some_and(|text| text.contains(".pantler/"));
                match key == "id" || is_own {
                    true => *value = "pantler's own".into(),
                    false => forget_identities(value),
                }
            }
        }
        _ => {}
    }
}

/// As [`look`] sees it, but for the locations, which a crash may have left behind.
fn without_locations(seen: &Seen) -> Seen {
    let strip = |printed: &str| match serde_json::from_str::<Value>(printed) {
        Ok(mut document) => {
            forget_locations(&mut document);
            document.to_string()
        }
        Err(_) => printed.to_owned(),
    };
    seen.iter()
        .map(|(status, printed, file)| (*status, strip(printed), *file))
        .collect()
}

fn forget_locations(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(forget_locations),
        Value::Object(entries) => {
            for (key, value) in entries {
                match (key.as_str(), &value) {
                    ("location" | "newer", Value::String(_)) => *value = "somewhere".into(),
                    _ => forget_locations(value),
                }
            }
        }
        _ => {}
    }
}

/// Returns what `fsck` says is left over; nothing else may be wrong.
fn leftovers(place: &Place, repository: &str, options: &str) -> Vec<String> {
    let document = place.json(&format!("fsck {repository} {options}"));
    assert_eq!(document["clean"], true, "{document}");
    let left = document["leftover"].as_array().unwrap();
    left.iter()
        .map(|path| path.as_str().unwrap().to_owned())
        .collect()
}

/// Returns what lies in pantler's own folder, but for the registry and the texts of the repository.
fn own_files(place: &Place, repository: &str) -> Vec<String> {
    let root = place.path(repository).join(".pantler");
    let mut waiting = vec![root.clone()];
    let mut files = Vec::new();
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
                continue;
            }
            let name = path.strip_prefix(&root).unwrap().display().to_string();
            let known = [
                "registry.sqlite",
                "registry.sqlite-wal",
                "registry.sqlite-shm",
                "repository.json",
                "definitions.yaml",
            ];
            if !known.contains(&name.as_str()) {
                files.push(name);
            }
        }
    }
    files
}

// Killed at a named place.

/// Something to be done, and how its outcome is seen.
struct Action {
    prepare: &'static [&'static str],
    command: &'static str,
    repository: &'static str,
    looks: &'static [&'static str],
    /// The places on its way, in their order.
    places: &'static [&'static str],
    /// What the command ends with when it has been done already.
    again: i32,
}

/// What people do to one composite, seen from everywhere.
const COMPOSITE: &[&str] = &[
    "get joint calexp:jointcal visit=1 ccd=1 tract=0 --out looked.fits",
    "get joint calexp:jointcal.wcs visit=1 ccd=1 tract=0 --out looked.fits",
    "get joint jointcal_wcs visit=1 ccd=1 tract=0 --out looked.fits",
    "get joint jointcal_calib visit=1 ccd=1 tract=0 --out looked.fits",
    "explain joint calexp:jointcal visit=1 ccd=1 tract=0 --json",
    "query joint --json",
];

const INGESTED: &[&str] = &[
    "get single calexp:sfm visit=7 ccd=1 --out looked.fits",
    "get single calexp:sfm visit=7 ccd=2 --out looked.fits",
    "query single --json",
];

const PUT_OLD: &str = "put joint calexp:jointcal old.fits visit=1 ccd=1 tract=0";

/// The places that every writing of two artifacts passes.
const TWO_ARTIFACTS: &[&str] = &[
    "staging",
    "staging:2",
    "staged",
    "named",
    "linked",
    "inserted",
    "committed",
    "replaced",
];

fn place_of(action: &Action) -> Place {
    let place = survey();
    for command in action.prepare {
        place.ok(command);
    }
    place
}

/// Runs a command that kills itself at a place.
fn die(place: &Place, command: &str, at: &str) {
    let mut command = place.command(command);
    command.env("PANTLER_FAIL_POINT", at);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        output.status.signal(),
        Some(6),
        "`{at}` was not reached: {} {said}",
        output.status
    );
}

/// Kills the action at each of its places: what is seen then is the old state or the new one, a repair leaves nothing behind
/// and changes nothing, and repeating the command completes it, repaired or not.
fn kill_everywhere(action: &Action, whole: impl Fn(&Place)) {
    let place = place_of(action);
    let before = look(&place, action.looks);
    place.ok(action.command);
    let after = look(&place, action.looks);
    assert_ne!(before, after, "the action can be seen");
    let files = place.artifacts(action.repository);
    assert_eq!(leftovers(&place, action.repository, "--deep"), [""; 0]);

    for at in action.places {
        for repaired in [true, false] {
            let place = place_of(action);
            die(&place, action.command, at);
            whole(&place);
            let seen = without_locations(&look(&place, action.looks));
            let (old, new) = (without_locations(&before), without_locations(&after));
            let done = seen == new;
            assert!(
                done || seen == old,
                "`{at}`: neither old nor new:\n{seen:#?}\n{old:#?}\n{new:#?}"
            );
            let there = place
                .path(action.repository)
                .join(".pantler/repository.json")
                .exists();
            if repaired && there {
                leftovers(&place, action.repository, "");
                assert_eq!(
                    leftovers(&place, action.repository, "--deep --repair"),
                    [""; 0],
                    "`{at}`"
                );
                whole(&place);
                let expected = if done { &after } else { &before };
                assert_eq!(
                    &look(&place, action.looks),
                    expected,
                    "`{at}`: the repair changed something"
                );
            }
            let again = place.run(action.command);
            let expected = if done { action.again } else { 0 };
            assert_eq!(again.status, expected, "`{at}`: {}", again.error);
            whole(&place);
            leftovers(&place, action.repository, "--deep --repair");
            assert_eq!(
                look(&place, action.looks),
                after,
                "`{at}`: repeating does not complete it"
            );
            assert_eq!(place.artifacts(action.repository), files, "`{at}`");
            assert_eq!(
                leftovers(&place, action.repository, "--deep"),
                [""; 0],
                "`{at}`"
            );
        }
    }
}

fn nothing_else(_: &Place) {}

#[test]
fn a_put_of_a_composite() {
    kill_everywhere(
        &Action {
            prepare: &[],
            command: "put joint calexp:jointcal new.fits visit=1 ccd=1 tract=0",
            repository: "joint",
            looks: COMPOSITE,
            places: TWO_ARTIFACTS,
            again: 0,
        },
        nothing_else,
    );
}

#[test]
fn r26_a_replacement_of_a_composite() {
    kill_everywhere(
        &Action {
            prepare: &[PUT_OLD],
            command: "put joint calexp:jointcal new.fits visit=1 ccd=1 tract=0 --replace",
            repository: "joint",
            looks: COMPOSITE,
            places: &[
                "staging",
                "staging:2",
                "staged",
                "linked",
                "aside",
                "aside:2",
                "inserted",
                "committed",
                "settling",
                "settling:2",
                "dropped",
                "replaced",
            ],
            again: 0,
        },
        nothing_else,
    );
}

#[test]
fn r26_a_replacement_of_a_part_that_a_composition_keeps_using() {
    kill_everywhere(
        &Action {
            prepare: &[PUT_OLD],
            command: "put joint jointcal_wcs new-wcs.fits visit=1 ccd=1 tract=0 --replace",
            repository: "joint",
            looks: COMPOSITE,
            places: &[
                "staging",
                "staged",
                "linked",
                "aside",
                "inserted",
                "committed",
                "settling",
                "dropped",
                "replaced",
            ],
            again: 0,
        },
        nothing_else,
    );
}

/// Whatever happens, the bytes of each file are still there: in the file, or in the artifact.
fn no_file_is_lost(place: &Place) {
    for ccd in ["001", "002"] {
        let whole = std::fs::read(SURVEY.path("old.fits")).unwrap();
        let paths = [
            format!("incoming/calexp/0000007/{ccd}.fits"),
            format!("single/calexp/0000007/{ccd}.fits"),
        ];
        let is_whole =
            |path: &String| std::fs::read(place.path(path)).is_ok_and(|bytes| bytes == whole);
        assert!(paths.iter().any(is_whole), "{ccd} is lost");
    }
}

fn ingest(command: &'static str, places: &'static [&'static str]) -> Action {
    Action {
        prepare: &[],
        command,
        repository: "single",
        looks: INGESTED,
        places,
        again: 0,
    }
}

const FILES: &str = "incoming/calexp/0000007/001.fits";

#[test]
fn an_ingest_by_copy() {
    let command = "ingest single calexp:sfm incoming/calexp/0000007/001.fits incoming/calexp/0000007/002.fits";
    kill_everywhere(&ingest(command, TWO_ARTIFACTS), |place| {
        no_file_is_lost(place);
        assert!(place.path(FILES).exists(), "the original stays");
    });
}

#[test]
fn an_ingest_by_move() {
    let command = "ingest single calexp:sfm incoming/calexp/0000007/001.fits incoming/calexp/0000007/002.fits --mode move";
    kill_everywhere(&ingest(command, TWO_ARTIFACTS), no_file_is_lost);
    // Some of the originals have gone when it is repeated: those that are named must be there.
    for at in ["recorded", "moved", "moved:2"] {
        let place = survey();
        die(&place, command, at);
        no_file_is_lost(&place);
        assert_eq!(leftovers(&place, "single", "--deep --repair"), [""; 0]);
        for ccd in ["001", "002"] {
            let file = format!("incoming/calexp/0000007/{ccd}.fits");
            if place.path(&file).exists() {
                place.ok(&format!("ingest single calexp:sfm {file} --mode move"));
            }
            assert!(
                !place.path(&file).exists(),
                "`{at}`: repeating completes it"
            );
        }
        no_file_is_lost(&place);
        assert_eq!(leftovers(&place, "single", "--deep"), [""; 0]);
    }
}

#[test]
fn an_ingest_by_link() {
    let command = "ingest single calexp:sfm incoming/calexp/0000007/001.fits incoming/calexp/0000007/002.fits --mode link";
    kill_everywhere(&ingest(command, TWO_ARTIFACTS), |place| {
        no_file_is_lost(place);
        assert!(place.path(FILES).exists(), "the original stays");
    });
}

/// A user's file inside the root that was linked is the same file as the staged one, and no leftover.
#[test]
fn a_linked_file_inside_the_root_is_not_taken_for_a_leftover() {
    for at in TWO_ARTIFACTS.iter().filter(|at| !at.contains(':')) {
        let place = survey();
        std::fs::create_dir_all(place.path("single/calexp/0000008")).unwrap();
        // It even lies where a template would put another dataset.
        let own = "single/calexp/0000008/001.fits";
        std::fs::copy(place.path("old.fits"), place.path(own)).unwrap();
        let command = format!("ingest single calexp:sfm {own} visit=7 ccd=1 --mode link");
        die(&place, &command, at);
        leftovers(&place, "single", "--repair");
        assert!(
            place.path(own).exists(),
            "`{at}`: fsck removed a user's own file"
        );
        place.ok(&command);
        place.ok("rm single calexp:sfm visit=7 ccd=1");
        leftovers(&place, "single", "--repair");
        let whole = std::fs::read(place.path("old.fits")).unwrap();
        assert_eq!(std::fs::read(place.path(own)).unwrap(), whole, "`{at}`");
    }
}

/// A user's file that is what a put would write is taken as it lies, and a put that dies does not take it along.
#[test]
fn a_users_own_file_at_the_path_survives_a_put_that_dies() {
    for at in ["staged", "linked", "inserted"] {
        let place = survey();
        let own = "single/calexp/0000007/001.fits";
        std::fs::create_dir_all(place.path("single/calexp/0000007")).unwrap();
        std::fs::copy(place.path("old.fits"), place.path(own)).unwrap();
        die(
            &place,
            "ingest single calexp:sfm incoming/calexp/0000007/001.fits",
            at,
        );
        leftovers(&place, "single", "--repair");
        assert!(place.path(own).exists(), "`{at}`");
    }
}

#[test]
fn a_move_does_not_take_an_artifact_from_its_dataset() {
    let place = survey();
    place.ok("ingest single calexp:sfm incoming/calexp/0000007/001.fits");
    let said = place
        .run("ingest single calexp:sfm single/calexp/0000007/001.fits visit=8 ccd=1 --mode move");
    assert_eq!(said.status, 2, "{}", said.error);
    // Nor when a folder of the repository is a symbolic link, and the file and its copy are one.
    std::fs::rename(place.path("single/calexp"), place.path("single/kept")).unwrap();
    std::os::unix::fs::symlink("kept", place.path("single/calexp")).unwrap();
    place.ok("ingest single calexp:sfm single/kept/0000007/001.fits visit=7 ccd=1 --mode move");
    assert!(place.path("single/kept/0000007/001.fits").exists());
    assert_eq!(
        leftovers(&place, "single", "--deep"),
        ["kept/0000001/001.fits"; 0]
    );
}

#[test]
fn a_removal() {
    kill_everywhere(
        &Action {
            prepare: &["put joint jointcal_wcs new-wcs.fits visit=1 ccd=1 tract=0"],
            command: "rm joint jointcal_wcs visit=1 ccd=1 tract=0",
            repository: "joint",
            looks: COMPOSITE,
            places: &["marked", "removed", "deleted"],
            again: 2,
        },
        nothing_else,
    );
}

#[test]
fn a_link() {
    kill_everywhere(
        &Action {
            prepare: &[PUT_OLD, "rm joint calexp:jointcal visit=1 ccd=1 tract=0"],
            command: "link joint calexp:jointcal visit=1 ccd=1 tract=0",
            repository: "joint",
            looks: COMPOSITE,
            places: &["staged", "linked", "inserted", "committed", "replaced"],
            again: 0,
        },
        nothing_else,
    );
}

#[test]
fn the_making_of_a_repository() {
    kill_everywhere(
        &Action {
            prepare: &[],
            command: "init made --policy jointcal.yaml --parent single",
            repository: "made",
            looks: &[
                "show made --json",
                "query made --json",
                "get made calexp:sfm visit=1 ccd=1 --out looked.fits",
            ],
            places: &[
                "registry-made",
                "text-staged",
                "text-linked",
                "text-staged:2",
                "text-linked:2",
            ],
            again: 2,
        },
        nothing_else,
    );
}

#[test]
fn r7_a_put_that_makes_its_repository() {
    kill_everywhere(
        &Action {
            prepare: &[],
            command: "put made calexp:sfm old.fits visit=5 ccd=5 --input single",
            repository: "made",
            looks: &["get made calexp:sfm visit=5 ccd=5 --out looked.fits"],
            places: &[
                "registry-made",
                "text-staged",
                "text-linked",
                "staging",
                "staged",
                "linked",
                "inserted",
                "committed",
            ],
            again: 0,
        },
        nothing_else,
    );
}

#[test]
fn r7_a_put_that_brings_its_definition_along() {
    kill_everywhere(
        &Action {
            prepare: &[],
            command: "put joint note note.json visit=1 --output notes",
            repository: "joint",
            looks: &["explain joint note visit=1 --json"],
            places: &[
                "text-staged",
                "text-linked",
                "staging",
                "staged",
                "linked",
                "inserted",
                "committed",
            ],
            again: 0,
        },
        nothing_else,
    );
}

// Killed at random.

/// Small numbers that look random and are the same in each run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

fn quietly(command: &mut Command) -> Child {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Runs a command and kills it after a while if it is still running; says whether it ended by itself, and well.
fn done_unless_killed(place: &Place, command: &str, after: Option<Duration>) -> bool {
    let mut started = place.command(command);
    let mut child = started
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    if let Some(after) = after {
        std::thread::sleep(after);
        let _ = child.kill();
    }
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.code().is_none_or(|code| code == 0),
        "{command}: {} {said}",
        output.status
    );
    output.status.success()
}

#[test]
fn r29_what_was_acknowledged_is_there_whoever_was_killed_beside_it() {
    const WRITERS: u64 = 3;
    const PUTS: u64 = 40;
    let place = survey();
    let start = Instant::now();
    place.ok(PUT_OLD);
    let a_while = start.elapsed();
    let deadline = start + Duration::from_secs(25);
    let writing = std::sync::atomic::AtomicBool::new(true);
    let mut acknowledged: Vec<u64> = Vec::new();
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let place = &place;
                scope.spawn(move || {
                    let mut chance = Chance(0x9e37_79b9_7f4a_7c15 ^ (writer + 1));
                    let mut done = Vec::new();
                    for number in 0..PUTS {
                        if Instant::now() > deadline {
                            break;
                        }
                        let tract = 1 + writer * PUTS + number;
                        let longest = u64::try_from(a_while.as_micros()).unwrap() * 3;
                        let kill = (chance.below(2) == 0)
                            .then(|| Duration::from_micros(chance.below(longest)));
                        let put = format!(
                            "put joint calexp:jointcal new.fits visit=1 ccd=1 tract={tract}"
                        );
                        if done_unless_killed(place, &put, kill) {
                            done.push(tract);
                        }
                    }
                    done
                })
            })
            .collect();
        // Somebody else replaces one dataset all the time, and a third person cleans up behind the dead.
        let (place, writing) = (&place, &writing);
        scope.spawn(move || {
            let mut chance = Chance(7);
            for number in 0.. {
                if !writing.load(std::sync::atomic::Ordering::Relaxed) {
                    break;
                }
                let file = ["new", "old"][number % 2];
                let kill = (chance.below(2) == 0)
                    .then(|| a_while.mul_f64(chance.below(100) as f64 / 33.0));
                let put = format!(
                    "put joint calexp:jointcal {file}.fits visit=1 ccd=1 tract=0 --replace"
                );
                done_unless_killed(place, &put, kill);
            }
        });
        scope.spawn(move || {
            while writing.load(std::sync::atomic::Ordering::Relaxed) {
                let mut repair = place.command("fsck joint --repair");
                quietly(&mut repair).wait().unwrap();
            }
        });
        for writer in writers {
            acknowledged.extend(writer.join().unwrap());
        }
        writing.store(false, std::sync::atomic::Ordering::Relaxed);
    });
    assert!(
        acknowledged.len() > 20,
        "{} puts were done",
        acknowledged.len()
    );

    leftovers(&place, "joint", "--deep");
    assert_eq!(leftovers(&place, "joint", "--deep --repair"), [""; 0]);
    assert_eq!(
        own_files(&place, "joint"),
        [""; 0],
        "nothing is left over in pantler's own folder"
    );
    let tracts = |name: &str| -> Vec<u64> {
        let found = place.json(&format!("query joint {name} visit=1 ccd=1"));
        let found = found.as_array().unwrap().iter();
        found
            .map(|each| each["data_id"]["tract"].as_u64().unwrap())
            .collect()
    };
    let there = tracts("jointcal_wcs");
    assert_eq!(there, tracts("jointcal_calib"), "none is half there");
    assert_eq!(there, tracts("calexp:jointcal"), "none is half there");
    for tract in &acknowledged {
        assert!(
            there.contains(tract),
            "tract {tract} was acknowledged and is not there"
        );
    }
    assert_eq!(
        place.artifacts("joint").len(),
        2 * there.len(),
        "no file is there that no dataset owns"
    );
    let reader = butler(&place, "joint");
    let whole = [
        std::fs::read(place.path("old-wcs.fits")).unwrap(),
        std::fs::read(place.path("new-wcs.fits")).unwrap(),
    ];
    for tract in &there {
        get(
            &reader,
            "calexp:jointcal",
            &format!("visit=1 ccd=1 tract={tract}"),
        );
        let bytes =
            std::fs::read(place.path(&format!("joint/wcs/0000001-001-{tract}.fits"))).unwrap();
        assert!(whole.contains(&bytes), "tract {tract} is one or the other");
    }
}

// Two at once.

/// Starts commands at the same moment; returns how each ended, and what it said.
fn at_once(place: &Place, commands: &[String]) -> Vec<(i32, Value)> {
    let children: Vec<Child> = commands
        .iter()
        .map(|line| {
            let mut command = place.command(&format!("{line} --json"));
            command
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    children
        .into_iter()
        .map(|child| {
            let output = child.wait_with_output().unwrap();
            let said = if output.status.success() {
                output.stdout
            } else {
                output.stderr
            };
            let document = serde_json::from_slice(&said);
            let document = document
                .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&said)));
            (output.status.code().unwrap(), document)
        })
        .collect()
}

#[test]
fn of_two_that_put_the_same_one_writes_and_the_other_finds_it_unchanged() {
    let place = survey();
    for tract in 1..=8 {
        let put = format!("put joint calexp:jointcal new.fits visit=1 ccd=1 tract={tract}");
        let ends = at_once(&place, &[put.clone(), put]);
        let written: Vec<usize> = ends
            .iter()
            .map(|(_, said)| said["written"].as_array().unwrap().len())
            .collect();
        assert!(written == [2, 0] || written == [0, 2], "{ends:?}");
        assert!(ends.iter().all(|(status, _)| *status == 0), "{ends:?}");
        assert_eq!(ends[0].1["id"], ends[1].1["id"], "it is one dataset");
    }
    assert_eq!(leftovers(&place, "joint", "--deep"), [""; 0]);
}

#[test]
fn of_two_that_put_different_content_one_wins_whole() {
    let place = survey();
    for tract in 1..=8 {
        let put = |file: &str| {
            format!("put joint calexp:jointcal {file}.fits visit=1 ccd=1 tract={tract}")
        };
        let ends = at_once(&place, &[put("old"), put("new")]);
        let statuses: Vec<i32> = ends.iter().map(|(status, _)| *status).collect();
        let winner = match statuses[..] {
            [0, 2] => "old",
            [2, 0] => "new",
            _ => panic!("{ends:?}"),
        };
        let loser = ends.iter().find(|(status, _)| *status == 2).unwrap();
        assert_eq!(loser.1["error"]["kind"], "conflict", "{ends:?}");
        place.ok(&format!(
            "get joint calexp:jointcal visit=1 ccd=1 tract={tract} --out looked.fits"
        ));
        let expected = std::fs::read(place.path(&format!("{winner}.fits"))).unwrap();
        let is_whole = same_dataset(&place, "looked.fits", &expected);
        assert!(is_whole, "tract {tract}: the winner's parts are all there");
    }
    assert_eq!(leftovers(&place, "joint", "--deep"), [""; 0]);
}

/// Compares WCS and calibration of two files; what else is said of them differs with the data ID.
fn same_dataset(place: &Place, file: &str, expected: &[u8]) -> bool {
    std::fs::write(place.path("expected.fits"), expected).unwrap();
    let reader = butler(place, "joint");
    let read = |file: &str| {
        let data_id = DataId::parse("visit=1 ccd=1 tract=0").unwrap();
        reader
            .read_file("calexp:jointcal", &data_id, &place.path(file))
            .unwrap()
    };
    read(file)
        .difference(read("expected.fits").as_ref())
        .is_none()
}

#[test]
fn those_who_put_different_data_do_not_disturb_each_other() {
    let place = survey();
    let put = |visit: u64| format!("put single calexp:sfm old.fits visit={visit} ccd=1");
    let puts: Vec<String> = (10..16).map(put).collect();
    for (status, said) in at_once(&place, &puts) {
        assert_eq!(status, 0, "{said}");
    }
    assert_eq!(
        place
            .json("query single calexp:sfm")
            .as_array()
            .unwrap()
            .len(),
        7
    );
    assert_eq!(leftovers(&place, "single", "--deep"), [""; 0]);
}

#[test]
fn r7_those_who_bring_the_same_definition_or_make_the_same_repository_agree() {
    for _ in 0..4 {
        let place = survey();
        let put = |visit: u64| format!("put joint note note.json visit={visit} --output notes");
        for (status, said) in at_once(&place, &[put(1), put(2), put(3)]) {
            assert_eq!(status, 0, "{said}");
        }
        assert_eq!(place.json("query joint note").as_array().unwrap().len(), 3);
        let put =
            |visit: u64| format!("put made calexp:sfm old.fits visit={visit} ccd=1 --input single");
        for (status, said) in at_once(&place, &[put(1), put(2), put(3)]) {
            // Visit 1 is there in `single`, with other content, which the new one shadows.
            assert_eq!(status, 0, "{said}");
        }
        assert_eq!(leftovers(&place, "made", "--deep"), [""; 0]);
        let visits = place.json("query made calexp:sfm");
        assert!(visits.as_array().unwrap().len() >= 3, "{visits}");
    }
}

/// A removal and a put of the same at once: the dataset is there whole, or not at all.
#[test]
fn a_removal_does_not_take_along_what_is_put_anew() {
    let place = survey();
    for _ in 0..8 {
        place.run("put joint jointcal_wcs old-wcs.fits visit=1 ccd=1 tract=0");
        let ends = at_once(
            &place,
            &[
                "rm joint jointcal_wcs visit=1 ccd=1 tract=0".to_owned(),
                "put joint jointcal_wcs old-wcs.fits visit=1 ccd=1 tract=0".to_owned(),
            ],
        );
        assert_eq!((ends[0].0, ends[1].0), (0, 0), "{ends:?}");
        assert_eq!(leftovers(&place, "joint", "--deep"), [""; 0]);
    }
}

// No space, no permission.

/// Runs a command that may write no file beyond a number of blocks of 512 bytes, as a full disk would refuse it.
fn with_file_limit(place: &Place, blocks: u64, line: &str) -> support::Ran {
    let program = place.command(line);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "trap '' XFSZ; ulimit -f \"$0\" && exec \"$@\""])
        .arg(blocks.to_string())
        .arg(program.get_program())
        .args(program.get_args())
        .current_dir(place.path(""))
        .stdin(Stdio::null());
    let output = shell.output().unwrap();
    support::Ran {
        status: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        error: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn without_space_a_put_fails_kindly_and_leaves_all_as_it_was() {
    let looks = &[
        "get single calexp:sfm visit=9 ccd=9 --out looked.fits",
        "get single calexp:sfm visit=1 ccd=1 --out looked.fits",
        "query single --json",
    ];
    let mut failed = 0;
    let mut of_the_file = 0;
    for blocks in [0, 8, 40, 64, 80, 100, 140, 200, 300, 100_000] {
        let place = survey();
        let before = look(&place, looks);
        let files = place.artifacts("single");
        let ran = with_file_limit(
            &place,
            blocks,
            "put single calexp:sfm large.fits visit=9 ccd=9",
        );
        if ran.status == 0 {
            assert_eq!(look(&place, &looks[..1])[0].0, 0);
            continue;
        }
        failed += 1;
        assert_eq!(ran.status, 3, "{blocks}: {}", ran.error);
        assert!(
            ran.error.starts_with("error: cannot "),
            "{blocks}: {}",
            ran.error
        );
        of_the_file += usize::from(ran.error.contains("too large"));
        assert_eq!(look(&place, looks), before, "{blocks}");
        assert_eq!(place.artifacts("single"), files, "{blocks}");
        assert_eq!(leftovers(&place, "single", "--deep"), [""; 0], "{blocks}");
        place.ok("put single calexp:sfm large.fits visit=9 ccd=9");
        assert_eq!(leftovers(&place, "single", "--deep"), [""; 0], "{blocks}");
    }
    assert!(failed >= 5 && of_the_file >= 1, "{failed} {of_the_file}");
    let place = survey();
    let ran = with_file_limit(
        &place,
        100_000,
        "put single calexp:sfm large.fits visit=9 ccd=9",
    );
    assert_eq!(ran.status, 0, "{}", ran.error);
}

/// Runs a command as somebody who may not write what another owns; `None` where this test cannot be such a person.
fn as_somebody(place: &Place, line: &str) -> Option<support::Ran> {
    let mut command = place.command(line);
    if std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0) {
        command.uid(65534);
    }
    match command.output() {
        Ok(output) => Some(support::Ran {
            status: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            error: String::from_utf8(output.stderr).unwrap(),
        }),
        Err(error) => {
            println!("skipped: the program cannot be run as somebody else: {error}");
            None
        }
    }
}

fn allow(path: &Path, files: u32, folders: u32) {
    let mode = if path.is_dir() { folders } else { files };
    if path.is_dir() {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
        for entry in std::fs::read_dir(path).unwrap() {
            allow(&entry.unwrap().path(), files, folders);
        }
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn without_permission_a_put_fails_kindly_and_what_is_there_is_read() {
    let place = survey();
    place.ok(PUT_OLD);
    // A writer that was killed leaves the registry's log behind, which readers have to get along with.
    die(
        &place,
        "put single calexp:sfm large.fits visit=9 ccd=9",
        "linked",
    );
    allow(&place.path(""), 0o444, 0o555);
    let outcome = as_somebody(
        &place,
        "get joint calexp:jointcal visit=1 ccd=1 tract=0 --out /dev/null",
    );
    let read = outcome.is_some();
    if let Some(ran) = outcome {
        assert!(!ran.error.contains("panicked"), "{}", ran.error);
    }
    if read {
        for put in [
            "put single calexp:sfm large.fits visit=9 ccd=9",
            "put joint calexp:jointcal new.fits visit=1 ccd=1 tract=0 --replace",
            "rm joint calexp:jointcal visit=1 ccd=1 tract=0",
            "fsck joint --repair",
        ] {
            let ran = as_somebody(&place, put).unwrap();
            assert_eq!(ran.status, 3, "{put}\n{}", ran.error);
            assert!(ran.error.starts_with("error: "), "{}", ran.error);
        }
    }
    allow(&place.path(""), 0o644, 0o755);
    place.ok("get joint calexp:jointcal visit=1 ccd=1 tract=0 --out looked.fits");
    assert_eq!(leftovers(&place, "single", "--deep --repair"), [""; 0]);
    assert_eq!(leftovers(&place, "joint", "--deep"), [""; 0]);
}

/// The folder of the artifacts may be closed while pantler's own is open.
#[test]
fn a_closed_folder_of_artifacts_leaves_all_as_it_was() {
    let place = survey();
    let closed: PathBuf = place.path("joint/wcs");
    std::fs::create_dir_all(&closed).unwrap();
    allow(&place.path(""), 0o666, 0o777);
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o555)).unwrap();
    let Some(ran) = as_somebody(
        &place,
        "put joint calexp:jointcal new.fits visit=1 ccd=1 tract=0",
    ) else {
        return;
    };
    assert_eq!(ran.status, 3, "{}", ran.error);
    assert_eq!(place.artifacts("joint"), [], "neither part is there");
    assert_eq!(leftovers(&place, "joint", "--deep"), [""; 0]);
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o777)).unwrap();
    place.ok("put joint calexp:jointcal new.fits visit=1 ccd=1 tract=0");
}
