//! Ingests of every mode, killed at each of their places: whatever happens, no file of the user's is lost.

use super::dying::{Action, INGESTED, TWO_ARTIFACTS, die, kill_everywhere};
use super::seen::leftovers;
use super::support::Place;
use super::survey::{SURVEY, survey};

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
