//! Damage made with ordinary means: `fsck` names it, `--repair` does what `docs/fsck.md` says, and hints work when followed.

use std::path::PathBuf;

use crate::support::{Place, Ran};
use crate::survey::survey;

const LOST: &str = "single_visit/calexp/0903334/017.fits";

/// What the check said of the kinds of problems, with its status.
fn checked(place: &Place, line: &str) -> (i32, Vec<String>) {
    let ran = place.run(&format!("{line} --json"));
    let document = ran.document();
    let problems = document["problems"].as_array().expect("it is a list");
    let kind = |problem: &serde_json::Value| problem["kind"].as_str().map(str::to_owned);
    assert_eq!(document["clean"], problems.is_empty());
    (ran.status, problems.iter().filter_map(kind).collect())
}

/// Follows the command that a hint of the check names.
fn follow_hint(place: &Place, line: &str) -> Ran {
    let error = place.run(line).error;
    let (_, rest) = error.split_once("`pantler ").expect("a command is named");
    let (command, _) = rest.split_once('`').expect("the quote ends");
    let ran = place.run(command);
    assert_eq!(ran.status, 0, "{command}\n{}", ran.error);
    ran
}

fn clean() -> (i32, Vec<String>) {
    (0, Vec::new())
}

fn found(kind: &str) -> (i32, Vec<String>) {
    (1, vec![kind.to_owned()])
}

/// Turns a byte in the middle of a file around, and leaves size and date as they were.
fn damage(path: &PathBuf) {
    let metadata = std::fs::metadata(path).expect("it is there");
    let mut bytes = std::fs::read(path).expect("it can be read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    restore(path, &bytes);
    let file = std::fs::File::options().append(true).open(path);
    let modified = metadata.modified().expect("it has a date");
    file.expect("it can be opened")
        .set_modified(modified)
        .expect("the date can be set");
}

/// Writes a file anew, whatever its permissions.
fn restore(path: &PathBuf, bytes: &[u8]) {
    let _ = std::fs::remove_file(path);
    std::fs::write(path, bytes).expect("it can be written");
}

/// The survey with a file of a user's, ingested where it lies.
fn with_own_file() -> Place {
    let place = survey();
    place.ok("get single_visit calexp:sfm visit=903334 ccd=17 --out own.fits");
    place.ok("ingest single_visit calexp:sfm own.fits visit=1 ccd=1 --mode in-place");
    place
}

#[test]
fn a_file_that_is_gone_keeps_its_row_until_it_is_forgotten_or_put_back() {
    let place = survey();
    let (file, aside) = (place.path(LOST), place.path("aside.fits"));
    std::fs::rename(&file, &aside).expect("it can be moved");
    assert_eq!(checked(&place, "fsck single_visit"), found("gone"));
    assert_eq!(
        checked(&place, "fsck single_visit --deep --repair"),
        found("gone")
    );
    std::fs::rename(&aside, &file).expect("it can be moved");
    assert_eq!(checked(&place, "fsck single_visit --deep"), clean());
    std::fs::rename(&file, &aside).expect("it can be moved");
    follow_hint(&place, "fsck single_visit");
    assert_eq!(checked(&place, "fsck single_visit --deep"), clean());
    place.ok("ingest single_visit calexp:sfm aside.fits visit=903334 ccd=17");
    assert_eq!(checked(&place, "fsck single_visit --deep"), clean());
}

#[test]
fn a_file_that_was_changed_is_not_accepted_and_not_deleted() {
    let place = with_own_file();
    let own = place.path("own.fits");
    let before = std::fs::read(&own).expect("it can be read");
    restore(
        &own,
        &std::fs::read(place.path("single_visit/calexp/0903334/016.fits")).expect("it is there"),
    );
    assert_eq!(checked(&place, "fsck single_visit"), found("changed"));
    assert_eq!(
        checked(&place, "fsck single_visit --deep --repair"),
        found("changed")
    );
    let changed = std::fs::read(&own).expect("it can be read");
    assert_ne!(changed, before);
    follow_hint(&place, "fsck single_visit");
    assert_eq!(checked(&place, "fsck single_visit"), clean());
    assert_eq!(std::fs::read(&own).expect("it is there still"), changed);
    place.ok("ingest single_visit calexp:sfm own.fits visit=1 ccd=1 --mode in-place");
    assert_eq!(checked(&place, "fsck single_visit --deep"), clean());
}

#[test]
fn damaged_content_is_never_taken_for_what_was_recorded() {
    let place = survey();
    let file = place.path(LOST);
    let before = std::fs::read(&file).expect("it can be read");
    damage(&file);
    assert_eq!(checked(&place, "fsck single_visit"), clean());
    let (status, kinds) = checked(&place, "fsck single_visit --deep");
    assert!(
        status == 1 && kinds.contains(&"corrupt".to_owned()),
        "{kinds:?}"
    );
    let (status, kinds) = checked(&place, "fsck single_visit --deep --repair");
    assert!(
        status == 1 && kinds.contains(&"corrupt".to_owned()),
        "{kinds:?}"
    );
    let (status, _) = checked(&place, "fsck single_visit --deep");
    assert_eq!(status, 1, "it is said again");
    restore(&file, &before);
    assert_eq!(checked(&place, "fsck single_visit --deep"), clean());
    damage(&file);
    follow_hint(&place, "fsck single_visit --deep");
    assert_eq!(checked(&place, "fsck single_visit --deep"), clean());
}

#[test]
fn a_file_that_contradicts_its_own_sums_is_named_and_left_alone() {
    let place = with_own_file();
    place.ok("rm single_visit calexp:sfm visit=1 ccd=1");
    let own = place.path("own.fits");
    damage(&own);
    let damaged = std::fs::read(&own).expect("it can be read");
    place.ok("ingest single_visit calexp:sfm own.fits visit=1 ccd=1 --mode in-place");
    assert_eq!(checked(&place, "fsck single_visit"), clean());
    for line in [
        "fsck single_visit --deep --repair",
        "fsck single_visit --deep",
    ] {
        let (status, kinds) = checked(&place, line);
        assert_eq!(status, 1);
        assert!(kinds.iter().all(|kind| kind == "checksum"), "{kinds:?}");
    }
    follow_hint(&place, "fsck single_visit --deep");
    assert_eq!(checked(&place, "fsck single_visit --deep"), clean());
    assert_eq!(std::fs::read(&own).expect("it is there still"), damaged);
}

#[test]
fn a_composition_whose_member_is_gone_stays_until_it_is_forgotten() {
    let place = survey();
    place.ok("link jointcal calexp:jointcal visit=903334 ccd=16 tract=0");
    assert_eq!(checked(&place, "fsck jointcal"), clean());
    place.ok("get single_visit calexp:sfm visit=903334 ccd=16 --out a.fits");
    place.ok("rm single_visit calexp:sfm visit=903334 ccd=16 --force");
    let (status, kinds) = checked(&place, "fsck jointcal --repair");
    assert_eq!(status, 1);
    assert!(kinds.iter().all(|kind| kind == "member_gone"), "{kinds:?}");
    for _ in &kinds {
        follow_hint(&place, "fsck jointcal");
    }
    assert_eq!(checked(&place, "fsck jointcal --deep"), clean());
    place.ok("ingest single_visit calexp:sfm a.fits visit=903334 ccd=16");
    place.ok("link jointcal calexp:jointcal visit=903334 ccd=16 tract=0");
    assert_eq!(checked(&place, "fsck jointcal --deep"), clean());
}

#[test]
fn a_file_that_nobody_owns_is_named_and_never_removed() {
    let place = survey();
    place.write(
        "single_visit/calexp/0903334/099.fits",
        "a file of somebody's",
    );
    for line in [
        "fsck single_visit",
        "fsck single_visit --repair",
        "fsck single_visit",
    ] {
        let document = place.json(line);
        assert_eq!(document["leftover"][0], "calexp/0903334/099.fits", "{line}");
    }
}
