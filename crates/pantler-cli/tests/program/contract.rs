//! What scripts rely on: the grammar of words, the JSON documents, the exit status, the line of `--stats`.

use pantler::{Butler, ButlerOptions, DataId, Query};
use serde_json::json;

use crate::support::{Place, keys};
use crate::survey::survey;

const NOTES: &str = "\
keys:
  night: {type: int}
  name: {type: str}
datasets:
  note:
    template: 'notes/%(night)04d-%(name)s.json'
    python: dict
    storage: JsonStorage
";

/// A repository `notes` of JSON documents, with one in it, and the file `n.json`.
fn notes() -> Place {
    let place = Place::new();
    place.write("notes.yaml", NOTES);
    place.write("n.json", "{\"seeing\": 0.7}\n");
    place.ok("init notes --policy notes.yaml");
    place.ok("put notes note n.json night=1 name=a");
    place
}

#[test]
fn a_put_says_what_it_wrote() {
    let place = notes();
    let document = place.json("put notes note n.json night=2 name=a");
    assert_eq!(
        keys(&document),
        [
            "data_id",
            "id",
            "input_only",
            "name",
            "recorded",
            "unchanged",
            "written"
        ]
    );
    assert_eq!(document["name"], "note");
    assert_eq!(document["data_id"], json!({ "night": 2, "name": "a" }));
    assert_eq!(document["written"], json!(["notes/0002-a.json"]));
    assert_eq!(document["recorded"], false);
    // The same again is not an error, and writes nothing.
    let again = place.json("put notes note n.json night=2 name=a");
    assert_eq!(again["written"], json!([]));
    assert_eq!(again["id"], document["id"]);
}

#[test]
fn words_are_keys_by_their_form() {
    let place = notes();
    place.write("night=3.json", "{}");
    // A word that looks like a key is one; with a folder before it, or behind --, it is a file.
    let error = place.refused("put notes note night=3.json name=a", 2);
    assert!(
        error.starts_with("error: no file to put is named"),
        "{error}"
    );
    place.ok("put notes note ./night=3.json night=3 name=a");
    place.ok("put notes note night=4 name=a -- night=3.json");
    let error = place.refused("put notes note n.json ./night=3.json night=5 name=a", 2);
    assert!(
        error.starts_with("error: one file is put at a time, and 2 are named"),
        "{error}"
    );
    let error = place.refused("explain notes note night=1 name", 2);
    assert!(
        error.starts_with("error: `name` is not key=value"),
        "{error}"
    );
    let error = place.refused("explain notes note night=1 night=2", 2);
    assert!(
        error.starts_with("error: the key `night` is given twice"),
        "{error}"
    );
}

#[test]
fn an_explained_get_has_every_field_at_every_level() {
    let place = survey();
    let document = place.json("explain jointcal calexp:jointcal visit=903334 ccd=16 tract=0");
    let fields = [
        "assembler",
        "bytes",
        "components",
        "data_id",
        "dataset_type",
        "input_only",
        "kind",
        "location",
        "name",
        "newer",
        "origin",
        "python",
        "repository",
        "repository_name",
    ];
    assert_eq!(keys(&document), fields);
    let components = document["components"].as_object().expect("it is an object");
    let names: Vec<&String> = components.keys().collect();
    assert_eq!(names, ["calexp", "wcs", "calib"], "in policy order");
    for component in components.values() {
        assert_eq!(keys(component), fields);
    }
    assert_eq!(document["origin"], "lookup");
    assert_eq!(components["calexp"]["repository_name"], "single_visit");
    assert_eq!(components["calexp"]["repository"], "[folder]/single_visit");
    assert_eq!(components["calexp"]["location"], "calexp/0903334/016.fits");
    assert_eq!(components["calexp"]["input_only"], true);
    let sum: u64 = components
        .values()
        .filter_map(|component| component["bytes"].as_u64())
        .sum();
    assert_eq!(document["bytes"], sum);
}

#[test]
fn a_query_lists_datasets() {
    let place = notes();
    place.ok("put notes note n.json night=2 name=b");
    let all = place.json("query notes --order-by -night");
    let nights: Vec<_> = all
        .as_array()
        .expect("a list")
        .iter()
        .map(|each| each["data_id"]["night"].clone())
        .collect();
    assert_eq!(nights, [json!(2), json!(1)]);
    assert_eq!(
        keys(&all[0]),
        [
            "bytes",
            "data_id",
            "dataset_type",
            "id",
            "location",
            "repository"
        ]
    );
    assert_eq!(all[0]["location"], "notes/0002-b.json");
    assert_eq!(all[0]["bytes"], 20);
    assert_eq!(
        place
            .json("query notes note name=a")
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    assert_eq!(
        place
            .json("query notes note --limit 1")
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    assert_eq!(
        place
            .json("query notes note --where \"night > 1 and name != 'c'\"")
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    assert_eq!(place.json("query notes note night=7"), json!([]));
}

#[test]
fn a_get_writes_one_file() {
    let place = notes();
    let document = place.json("get notes note night=1 --out out.json");
    assert_eq!(
        keys(&document),
        ["bytes", "data_id", "format", "name", "out"]
    );
    assert_eq!(
        document["data_id"],
        json!({ "night": 1, "name": "a" }),
        "completed"
    );
    assert_eq!(document["out"], "out.json");
    assert_eq!(document["format"], "JSON");
    let written = std::fs::read_to_string(place.path("out.json")).expect("it is there");
    assert_eq!(document["bytes"], written.len());
    let written: serde_json::Value = serde_json::from_str(&written).expect("it is JSON");
    assert_eq!(written, json!({ "seeing": 0.7 }));
}

#[test]
fn a_get_of_many_names_files_by_data_id() {
    let place = notes();
    place.ok("put notes note n.json night=2 name='x y'");
    let documents = place.json("get notes note --where 'night >= 1' --out all");
    let files: Vec<_> = documents
        .as_array()
        .expect("a list")
        .iter()
        .map(|each| each["out"].clone())
        .collect();
    assert_eq!(
        files,
        [
            "all/note_night-1_name-a.json",
            "all/note_night-2_name-x%20y.json"
        ]
    );
    for file in files {
        assert!(
            place.path(file.as_str().expect("a path")).is_file(),
            "{file}"
        );
    }
    let error = place.refused("get notes note --where 'night >= 1' --out n.json", 2);
    assert!(error.starts_with("error: n.json is no folder"), "{error}");
}

/// Pixels and what belongs to them are FITS; headers, boxes and visits are JSON; anything else is refused, and nothing
/// is written.
#[test]
fn the_extension_must_fit_the_object() {
    let place = survey();
    let dataset = "visit=903334 ccd=16";
    for part in ["image", "mask", "variance", "wcs", "photoCalib"] {
        let out = format!("{part}.fits");
        place.ok(&format!(
            "get single_visit calexp:sfm.{part} {dataset} --out {out}"
        ));
        let bytes = std::fs::read(place.path(&out)).expect("it is there");
        assert!(bytes.starts_with(b"SIMPLE  ="), "{part}");
        let error = place.refused(
            &format!("get single_visit calexp:sfm.{part} {dataset} --out no.json"),
            2,
        );
        assert!(
            error.contains(&format!(
                "hint: `pantler get single_visit calexp:sfm.{part} {dataset} --out no.fits`"
            )),
            "{error}"
        );
        // The hint can be pasted.
        place.ok(&format!(
            "get single_visit calexp:sfm.{part} {dataset} --out no.fits"
        ));
        std::fs::remove_file(place.path("no.fits")).expect("the hint wrote it");
    }
    for part in ["metadata", "bbox", "visitInfo"] {
        let out = format!("{part}.json");
        place.ok(&format!(
            "get single_visit calexp:sfm.{part} {dataset} --out {out}"
        ));
        let text = std::fs::read_to_string(place.path(&out)).expect("it is there");
        let document: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
        assert!(document.is_object(), "{part}");
        place.refused(
            &format!("get single_visit calexp:sfm.{part} {dataset} --out no.fits"),
            2,
        );
    }
    let error = place.refused(
        &format!("get single_visit calexp:sfm {dataset} --out no.png"),
        2,
    );
    assert!(
        error.starts_with("error: cannot tell the format of no.png"),
        "{error}"
    );
    assert!(
        !place.path("no.json").exists()
            && !place.path("no.fits").exists()
            && !place.path("no.png").exists()
    );
    let error = place.refused(
        &format!("get single_visit calexp:sfm {dataset} --out nowhere/a.fits"),
        2,
    );
    assert!(
        error.starts_with("error: cannot write nowhere/a.fits"),
        "{error}"
    );
    assert!(!error.contains(".tmp"), "{error}");
}

#[test]
fn a_cutout_is_cut_out() {
    let place = survey();
    place.ok("get single_visit calexp:sfm visit=903334 ccd=16 --bbox 10,20,8,4 --out cut.fits");
    let document = place.json("show --file cut.fits");
    assert_eq!(document["statistics"]["image"]["width"], 8);
    assert_eq!(document["statistics"]["image"]["height"], 4);
    assert_eq!(document["file"]["hdus"][1]["taken_for"], "image");
    assert_eq!(document["file"]["hdus"][1]["shape"], json!([8, 4]));
    place.refused(
        "get single_visit calexp:sfm visit=903334 ccd=16 --bbox 0,0,0,4 --out cut.fits",
        2,
    );
}

#[test]
fn an_ingest_counts() {
    let place = notes();
    place.write("in/0005-x.json", "{}");
    place.write("in/0006-y.json", "{}");
    place.write("in/unknown.json", "{}");
    let ran = place.run("ingest notes note in/0005-x.json in/0006-y.json in/unknown.json --json");
    let document = ran.document();
    assert_eq!(keys(&document), ["failed", "ingested", "same"]);
    // The template ends the path: what lies under another folder is not found by it.
    assert_eq!(
        document["ingested"].as_u64().zip(document["same"].as_u64()),
        Some((0, 0)),
        "{document}"
    );
    let place = notes();
    place.write("in/notes/0005-x.json", "{}");
    place.write("in/unknown.json", "{}");
    let ran = place.run("ingest notes note in/notes/0005-x.json in/unknown.json --json");
    assert_eq!(ran.status, 2, "one of them could not be taken");
    let document = ran.document();
    assert_eq!(document["ingested"], 1);
    assert_eq!(document["failed"][0]["file"], "in/unknown.json");
    assert_eq!(keys(&document["failed"][0]), ["error", "file"]);
    let again = place.json("ingest notes note in/notes/0005-x.json");
    assert_eq!(
        (again["ingested"].clone(), again["same"].clone()),
        (json!(0), json!(1))
    );
}

#[test]
fn what_is_in_a_repository() {
    let place = notes();
    place.ok("put notes note n.json night=12 name=b");
    let document = place.json("show notes");
    assert_eq!(
        keys(&document),
        ["parents", "repository", "stages", "types"]
    );
    let note = &document["types"][0];
    assert_eq!(note["name"], "note");
    assert_eq!(note["count"], 2);
    assert_eq!(note["bytes"], 40);
    assert_eq!(
        note["keys"],
        json!({ "night": [1, 12], "name": ["a", "b"] })
    );
}

#[test]
fn what_a_dataset_is() {
    let place = survey();
    let document =
        place.json("show jointcal calexp:jointcal visit=903334 ccd=16 tract=1 --png a.png");
    for field in ["name", "python", "components", "header", "statistics"] {
        assert!(!document[field].is_null(), "{field}");
    }
    assert_eq!(document["python"], "lsst.afw.image.ExposureF");
    assert_eq!(document["components"]["wcs"]["class"], "Wcs");
    let explained = place.json("explain jointcal calexp:jointcal.wcs visit=903334 ccd=16 tract=1");
    assert_eq!(document["components"]["wcs"]["bytes"], explained["bytes"]);
    assert_eq!(document["statistics"]["image"]["nan"], 0);
    // The simulated pixels are 0.2 arcseconds, and x grows towards the west.
    let scale = document["sky"]["pixel_scale_arcsec"].as_f64();
    assert!(
        scale.is_some_and(|scale| (scale - 0.2).abs() < 1e-3),
        "{scale:?}"
    );
    assert_eq!(document["sky"]["mirrored"], false);
    let png = std::fs::read(place.path("a.png")).expect("it is there");
    assert!(png.starts_with(b"\x89PNG"));
    let error = place.refused(
        "show jointcal calexp:jointcal.wcs visit=903334 ccd=16 tract=1 --png b.png",
        2,
    );
    assert!(error.contains("which has no pixels"), "{error}");
    assert!(!place.path("b.png").exists());
}

#[test]
fn fsck_tells_what_is_wrong_by_its_status() {
    let place = notes();
    let document = place.json("fsck notes --deep");
    assert_eq!(
        document,
        json!({ "clean": true, "problems": [], "leftover": [] })
    );
    // A file that nobody owns where a template would put a dataset: a leftover, and no harm.
    place.write("notes/notes/0009-z.json", "{}");
    let document = place.json("fsck notes");
    assert_eq!(document["leftover"], json!(["notes/0009-z.json"]));
    std::fs::remove_file(place.path("notes/notes/0001-a.json")).expect("it is there");
    let ran = place.run("fsck notes --json");
    assert_eq!(ran.status, 1);
    let document = ran.document();
    assert_eq!(document["clean"], false);
    assert_eq!(
        document["problems"],
        json!([{
            "kind": "gone",
            "dataset_type": "note",
            "data_id": { "night": 1, "name": "a" },
            "location": "notes/0001-a.json",
        }])
    );
    // The world failed, not the request.
    let error = place.refused("get notes note night=1 name=a --out o.json", 3);
    assert!(error.contains("pantler fsck notes"), "{error}");
}

#[test]
fn a_policy_check_lists_every_problem() {
    let place = Place::new();
    place.write("good.yaml", NOTES);
    assert_eq!(
        place.json("policy check good.yaml"),
        json!({ "problems": [] })
    );
    place.write(
        "bad.yaml",
        &NOTES
            .replace("storage:", "storge:")
            .replace("type: int", "type: integr"),
    );
    let ran = place.run("policy check bad.yaml --json");
    assert_eq!(ran.status, 1);
    let problems = ran.document()["problems"]
        .as_array()
        .cloned()
        .expect("a list");
    assert!(problems.len() >= 2, "{problems:?}");
    for problem in &problems {
        assert_eq!(
            keys(problem),
            [
                "code", "column", "file", "hints", "line", "message", "severity"
            ]
        );
        assert_eq!(problem["file"], "bad.yaml");
    }
    let ran = place.run("policy check bad.yaml");
    assert!(ran.out.contains("--> bad.yaml:"), "{}", ran.out);
    place.refused("policy check absent.yaml", 2);
}

#[test]
fn errors_are_one_object() {
    let place = notes();
    let ran = place.run("get notes nite night=1 --out a.json --json");
    assert_eq!((ran.status, ran.out.as_str()), (2, ""));
    assert_eq!(ran.error.lines().count(), 1);
    let error = ran.failure();
    assert_eq!(keys(&error), ["facts", "hints", "kind", "message", "trail"]);
    assert_eq!(error["kind"], "not_found");
    assert_eq!(error["facts"]["asked for"], json!(["nite night=1"]));
    assert!(
        error["hints"][0]
            .as_str()
            .is_some_and(|hint| hint.contains("`note`")),
        "{error}"
    );
    // What clap cannot read is one as well.
    let ran = place.run("get notes --json --limt 3");
    assert_eq!((ran.status, ran.out.as_str()), (2, ""));
    assert_eq!(ran.failure()["kind"], "request");
    let ran = place.run("gett notes --json");
    assert!(
        ran.failure()["hints"][0]
            .as_str()
            .is_some_and(|hint| hint.contains("'get'")),
        "{}",
        ran.error
    );
}

#[test]
fn statistics_are_the_last_line() {
    let place = notes();
    let ran = place.run("get notes note night=1 name=a --out a.json --stats");
    assert_eq!(ran.status, 0);
    let stats = ran.stats();
    let fields: Vec<&String> = stats.as_object().expect("an object").keys().collect();
    assert_eq!(
        fields,
        [
            "bytes_read",
            "bytes_written",
            "read_requests",
            "artifacts_opened",
            "registry_queries"
        ]
    );
    assert_eq!(ran.stat("bytes_read"), 20);
    assert_eq!(ran.stat("artifacts_opened"), 1);
    assert_eq!(ran.stat("bytes_written"), 0);
    assert_eq!(
        place
            .run("put notes note n.json night=8 name=a --stats")
            .stat("bytes_written"),
        20
    );
    // Also behind an error, in either form.
    for line in [
        "get notes note night=7 name=a --out a.json --stats",
        "get notes note night=7 --out a.json --stats --json",
    ] {
        let ran = place.run(line);
        assert_eq!(ran.status, 2);
        assert_eq!(ran.stat("artifacts_opened"), 0);
    }
}

#[test]
fn a_repository_is_not_made_by_a_slip() {
    let place = notes();
    let error = place.refused("put nots note n.json night=1 name=a", 2);
    assert!(error.contains("nots"), "{error}");
    assert!(!place.path("nots").exists());
    place.refused("query nots", 2);
    place.refused("explain nots note --put night=1 name=a --input notes", 2);
    assert!(!place.path("nots").exists());
    // With an input that says what it builds on, an output is made.
    place.ok("put child note n.json night=2 name=a --input notes");
    assert_eq!(
        place.json("query child note").as_array().map(Vec::len),
        Some(2)
    );
    let error = place.refused("init notes", 2);
    assert!(error.contains("is a repository already"), "{error}");
}

#[test]
fn further_repositories_are_searched_in_order() {
    let place = notes();
    place.write("m.json", "{\"seeing\": 1.5}\n");
    place.ok("init other --policy notes.yaml");
    place.ok("put other note m.json night=1 name=a");
    place.ok("put other note m.json night=9 name=a");
    let of = |line: &str| place.json(line)["repository_name"].clone();
    assert_eq!(
        of("explain notes note night=1 name=a --input other"),
        "notes"
    );
    assert_eq!(
        of("explain notes note night=9 name=a --input other"),
        "other"
    );
    assert_eq!(
        of("explain notes note night=1 name=a --output other"),
        "other",
        "outputs first"
    );
}

/// A reader that goes away, as `head` does, ends the program quietly.
#[test]
fn a_closed_pipe_is_no_error() {
    let place = notes();
    for night in 2..40 {
        place.ok(&format!("put notes note n.json night={night} name=a"));
    }
    let (reader, writer) = std::io::pipe().expect("a pipe can be made");
    drop(reader);
    let mut command = place.command("query notes");
    let output = command
        .stdout(writer)
        .stderr(std::process::Stdio::piped())
        .output()
        .expect("it can be started");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn a_removal_can_be_tried() {
    let place = notes();
    let tried = place.json("rm notes note night=1 name=a --dry-run");
    assert_eq!(tried["location"], "notes/0001-a.json");
    assert_eq!(tried["dry_run"], true);
    assert!(place.path("notes/notes/0001-a.json").exists());
    place.ok("rm notes note night=1 name=a");
    assert!(!place.path("notes/notes/0001-a.json").exists());
    assert_eq!(place.json("query notes"), json!([]));
    place.refused("rm notes note night=1 name=a", 2);
}

/// Rule R31: user, host and notes are kept.
#[test]
fn r31_who_puts_is_kept() {
    let place = notes();
    place.ok("put notes note n.json night=3 name=a --notes run=7 --notes 'why=a second try'");
    let butler = Butler::open(&[place.path("notes")], &[], ButlerOptions::default())
        .expect("it can be opened");
    let data_id = DataId::parse("night=3").expect("a data ID");
    let found = butler
        .query(&Query {
            data_id,
            ..Query::default()
        })
        .expect("it can be asked");
    let id = found[0].id.expect("it has an identity");
    let kept = butler.repositories()[0]
        .registry()
        .provenance(&[id])
        .expect("it can be asked");
    let kept = kept[0].as_ref().expect("it is kept");
    assert_eq!((kept.user.as_str(), kept.action.as_str()), ("ada", "put"));
    assert!(!kept.host.is_empty());
    let notes = [("run", "7"), ("why", "a second try")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(kept.notes, notes);
}

#[test]
fn completions_name_the_commands() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        assert!(
            place.ok(&format!("completions {shell}")).contains("ingest"),
            "{shell}"
        );
    }
}

#[test]
fn quiet_is_quiet() {
    let place = notes();
    let ran = place.run("put notes note n.json night=2 name=a --quiet");
    assert_eq!(
        (ran.status, ran.out.as_str(), ran.error.as_str()),
        (0, "", "")
    );
    // What was asked for is printed all the same.
    assert!(!place.ok("query notes --quiet").is_empty());
}
