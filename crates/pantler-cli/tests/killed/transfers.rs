//! Transfers, killed at each of their places: the target has all of it or nothing, and the source is as it was.

use super::dying::{Action, PUT_OLD, TWO_ARTIFACTS, kill_everywhere};
use super::seen::leftovers;
use super::support::Place;

const LOOKS: &[&str] = &[
    "get small calexp:jointcal visit=1 ccd=1 tract=0 --out looked.fits",
    "get small calexp:sfm.wcs visit=1 ccd=1 --out looked.fits",
    "get small calexp:sfm.calib visit=1 ccd=1 --out looked.fits",
    "query small --json",
    "query joint --json",
];

fn transfer(command: &'static str) -> Action {
    Action {
        prepare: &[PUT_OLD, "init small"],
        command,
        repository: "small",
        looks: LOOKS,
        places: TWO_ARTIFACTS,
        again: 0,
    }
}

fn the_source_is_whole(place: &Place) {
    for repository in ["joint", "single"] {
        assert_eq!(leftovers(place, repository, "--deep"), [""; 0]);
    }
}

#[test]
fn a_transfer_of_a_composite() {
    let action = transfer("transfer joint small calexp:jointcal --merge");
    kill_everywhere(&action, the_source_is_whole);
}

#[test]
fn a_transfer_of_parts() {
    let action = transfer("transfer single small calexp:sfm.wcs calexp:sfm.calib --merge");
    kill_everywhere(&action, the_source_is_whole);
}

#[test]
fn a_transfer_by_reference() {
    let action = Action {
        places: &["staged", "inserted", "committed"],
        ..transfer("transfer joint small calexp:jointcal --by reference --merge")
    };
    kill_everywhere(&action, the_source_is_whole);
}

/// A target that was being made when the process died is one that holds nothing.
#[test]
fn a_transfer_into_a_folder_that_is_not_there() {
    for at in ["staging", "staged", "linked", "inserted", "committed"] {
        let place = super::survey::survey();
        let command = "transfer single small calexp:sfm";
        super::dying::die(&place, command, at);
        let there = place.run("get small calexp:sfm visit=1 ccd=1 --out looked.fits");
        assert_eq!(
            there.status == 0,
            at == "committed",
            "{at}: {}",
            there.error
        );
        place.ok("transfer single small calexp:sfm --merge");
        place.ok("get small calexp:sfm visit=1 ccd=1 --out looked.fits");
        leftovers(&place, "small", "--deep --repair");
        assert_eq!(leftovers(&place, "small", "--deep"), [""; 0]);
    }
}
