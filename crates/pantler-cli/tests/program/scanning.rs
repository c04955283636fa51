//! A folder of files with a policy and without an index, as a person uses it (rule R19).

use serde_json::Value;

use crate::support::Place;
use crate::survey::survey;

const CCD_16: &str = "visit=903334 ccd=16";

/// The survey, whose first repository has lost its index: a folder with `policy.yaml` and files.
fn scanned() -> Place {
    let place = survey();
    std::fs::remove_dir_all(place.path("single_visit/.pantler")).expect("it can be removed");
    // Its compositions were recorded with identities that nobody keeps any more.
    std::fs::remove_dir_all(place.path("jointcal")).expect("it can be removed");
    place.write("jointcal.yaml", crate::survey::JOINTCAL);
    place.ok("init jointcal --policy jointcal.yaml --parent single_visit");
    place
}

/// The folder, with a composition that was recorded over it.
fn linked() -> Place {
    let place = scanned();
    for (part, name) in [("wcs", "jointcal_wcs"), ("photoCalib", "jointcal_calib")] {
        place.ok(&format!(
            "get single_visit calexp:sfm.{part} visit=903334 ccd=17 --out part.fits"
        ));
        place.ok(&format!("put jointcal {name} part.fits {CCD_16} tract=0"));
    }
    place.ok(&format!("link jointcal calexp:jointcal {CCD_16} tract=0"));
    place
}

fn listed(place: &Place) -> Vec<Value> {
    let rows = place.json("query single_visit calexp:sfm");
    let rows = rows.as_array().expect("it is a list");
    let without_identity = |row: &Value| {
        let mut row = row.clone();
        row.as_object_mut().expect("it is an object").remove("id");
        row
    };
    rows.iter().map(without_identity).collect()
}

#[test]
fn r19_the_commands_that_read_work_without_an_index() {
    let place = scanned();
    assert_eq!(listed(&place).len(), 2);
    place.ok(&format!(
        "get single_visit calexp:sfm {CCD_16} --out a.fits"
    ));
    let got = std::fs::read(place.path("a.fits")).expect("it was written");
    let there = place.path("single_visit/calexp/0903334/016.fits");
    let image = |name: &str| place.json(&format!("show --file {name}"))["components"].clone();
    assert!(!got.is_empty());
    assert_eq!(image("a.fits"), image(&there.display().to_string()));
    let explained = place.json(&format!("explain single_visit calexp:sfm {CCD_16}"));
    assert_eq!(explained["location"], "calexp/0903334/016.fits");
    let summary = place.json("show single_visit");
    assert_eq!(summary["types"][0]["count"], 2);
    assert_eq!(place.json("fsck single_visit --deep")["clean"], true);
    let missing = place.refused("get single_visit calexp:sfm visit=1 ccd=2 --out x.fits", 2);
    assert!(
        missing.contains("no file calexp/0000001/002.fits"),
        "{missing}"
    );
    let completed = place.refused("explain single_visit calexp:sfm visit=903334", 2);
    assert!(
        completed.contains("ccd=16") && completed.contains("ccd=17"),
        "{completed}"
    );
    assert!(
        !place.path("single_visit/.pantler").exists(),
        "nothing was written"
    );
}

#[test]
fn r19_a_find_by_complete_data_id_reads_no_file() {
    let place = scanned();
    let ran = place.run(&format!("explain single_visit calexp:sfm {CCD_16} --stats"));
    assert_eq!(
        (ran.status, ran.stat("bytes_read")),
        (0, 0),
        "{}",
        ran.error
    );
    let ran = place.run("query single_visit calexp:sfm --stats");
    assert_eq!(
        (ran.status, ran.stat("bytes_read")),
        (0, 0),
        "{}",
        ran.error
    );
}

#[test]
fn r19_compositions_over_the_folder_outlive_the_making_of_its_index() {
    let place = linked();
    let get = |file: &str| {
        place.ok(&format!(
            "get jointcal calexp:jointcal {CCD_16} tract=0 --out {file}"
        ));
        place.json(&format!("show --file {file}"))["statistics"].clone()
    };
    let before = get("before.fits");
    let rows = listed(&place);
    place.ok("ingest single_visit calexp:sfm --mode in-place");
    assert!(place.path("single_visit/.pantler/registry.sqlite").exists());
    assert_eq!(listed(&place), rows);
    assert_eq!(get("after.fits"), before);
    let again = place.json(&format!("link jointcal calexp:jointcal {CCD_16} tract=0"));
    assert_eq!(again["unchanged"][0], "calexp:jointcal");
    assert_eq!(place.json("fsck jointcal --deep")["clean"], true);
    for line in [
        format!("query jointcal --made-from calexp:sfm {CCD_16}"),
        format!("query jointcal --used-by calexp:jointcal {CCD_16} tract=0"),
    ] {
        assert_ne!(place.json(&line), Value::Array(Vec::new()), "{line}");
    }
}

#[test]
fn r19_a_changed_file_is_not_what_was_recorded() {
    let place = linked();
    let file = |ccd: &str| place.path(&format!("single_visit/calexp/0903334/{ccd}.fits"));
    std::fs::copy(file("017"), file("016")).expect("it can be written");
    let line = format!("get jointcal calexp:jointcal {CCD_16} tract=0 --out x.fits");
    let error = place.refused(&line, 3);
    assert!(error.contains("recorded"), "{error}");
    place.ok(&format!("{line} --composition lookup"));
}

#[test]
fn an_ingest_that_takes_nothing_leaves_the_folder_as_it_was() {
    let place = scanned();
    place.write("single_visit/calexp/bad.fits", "no exposure");
    let ran =
        place.run("ingest single_visit calexp:sfm single_visit/calexp/bad.fits --mode in-place");
    assert_ne!(ran.status, 0);
    place.refused("ingest single_visit calexp:smf --mode in-place", 2);
    place.refused(
        "ingest single_visit calexp:sfm single_visit/calexp/0903334/016.fits",
        2,
    );
    assert_eq!(listed(&place).len(), 2);
    assert!(!place.path("single_visit/.pantler/repository.json").exists());
}

#[test]
fn what_the_new_index_lacks_is_said_with_the_command_that_takes_it_in() {
    let place = scanned();
    let policy = std::fs::read_to_string(place.path("single_visit/policy.yaml"));
    let policy = policy.expect("it is there");
    place.write(
        "single_visit/policy.yaml",
        &format!("{policy}  notes:\n    template: 'notes/%(visit)07d.txt'\n    python: str\n    storage: TextStorage\n"),
    );
    place.write("single_visit/notes/0903334.txt", "clear until midnight");
    let ran = place.run("ingest single_visit calexp:sfm --mode in-place");
    assert_eq!(ran.status, 0, "{}", ran.error);
    let (_, rest) = ran
        .error
        .split_once("`pantler ")
        .expect("a command is named");
    let (line, _) = rest.split_once('`').expect("the quote ends");
    place.ok(line);
    let rows = place.json("query single_visit notes");
    assert_eq!(rows.as_array().map(Vec::len), Some(1));
}
