//! An action that is killed at each of its places, seen, repaired, repeated.

use std::os::unix::process::ExitStatusExt;

use super::seen::{leftovers, look, without_locations};
use super::support::Place;
use super::survey::survey;

/// Something to be done, and how its outcome is seen.
pub struct Action {
    pub prepare: &'static [&'static str],
    pub command: &'static str,
    pub repository: &'static str,
    pub looks: &'static [&'static str],
    /// The places on its way, in their order.
    pub places: &'static [&'static str],
    /// What the command ends with when it has been done already.
    pub again: i32,
}

/// What people do to one composite, seen from everywhere.
pub const COMPOSITE: &[&str] = &[
    "get joint calexp:jointcal visit=1 ccd=1 tract=0 --out looked.fits",
    "get joint calexp:jointcal.wcs visit=1 ccd=1 tract=0 --out looked.fits",
    "get joint jointcal_wcs visit=1 ccd=1 tract=0 --out looked.fits",
    "get joint jointcal_calib visit=1 ccd=1 tract=0 --out looked.fits",
    "explain joint calexp:jointcal visit=1 ccd=1 tract=0 --json",
    "query joint --json",
];

pub const INGESTED: &[&str] = &[
    "get single calexp:sfm visit=7 ccd=1 --out looked.fits",
    "get single calexp:sfm visit=7 ccd=2 --out looked.fits",
    "query single --json",
];

pub const PUT_OLD: &str = "put joint calexp:jointcal old.fits visit=1 ccd=1 tract=0";

/// The places that every writing of two artifacts passes.
pub const TWO_ARTIFACTS: &[&str] = &[
    "staging",
    "staging:2",
    "staged",
    "named",
    "linked",
    "inserted",
    "committed",
    "replaced",
];

pub fn place_of(action: &Action) -> Place {
    let place = survey();
    for command in action.prepare {
        place.ok(command);
    }
    place
}

/// Runs a command that kills itself at a place.
pub fn die(place: &Place, command: &str, at: &str) {
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
pub fn kill_everywhere(action: &Action, whole: impl Fn(&Place)) {
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

pub fn nothing_else(_: &Place) {}
