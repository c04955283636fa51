//! A collection of garbage, killed at each of its places behind processes that were killed themselves.

use super::dying::{COMPOSITE, PUT_OLD, die};
use super::seen::{leftovers, look, own_files, without_locations};
use super::support::Place;
use super::survey::survey;

const COLLECT: &str = "gc joint --grace 0";

/// Everything that a collection clears: a replacement that was committed and not moved, one that was moved and whose old
/// artifact nobody uses, artifacts that were linked and not recorded, and some that were only staged.
fn littered() -> Place {
    let place = survey();
    place.ok(PUT_OLD);
    for (tract, at) in [(1, "committed"), (2, "settling")] {
        let put = format!("put joint calexp:jointcal old.fits visit=1 ccd=1 tract={tract}");
        place.ok(&put);
        let replace =
            format!("put joint calexp:jointcal new.fits visit=1 ccd=1 tract={tract} --replace");
        die(&place, &replace, at);
    }
    for (tract, at) in [(3, "linked"), (4, "staged")] {
        let put = format!("put joint calexp:jointcal new.fits visit=1 ccd=1 tract={tract}");
        die(&place, &put, at);
    }
    place
}

/// What people see of what there is and of what there is not.
fn looks() -> Vec<String> {
    let others = (1..5).flat_map(|tract| {
        let of =
            |name: &str| format!("get joint {name} visit=1 ccd=1 tract={tract} --out looked.fits");
        [of("calexp:jointcal"), of("jointcal_wcs")]
    });
    COMPOSITE
        .iter()
        .map(|&line| line.to_owned())
        .chain(others)
        .collect()
}

#[test]
fn a_collection_that_is_killed_anywhere_loses_nothing_and_is_done_again() {
    let looks = looks();
    let looks: Vec<&str> = looks.iter().map(String::as_str).collect();
    let place = littered();
    let before = without_locations(&look(&place, &looks));
    assert!(!own_files(&place, "joint").is_empty(), "there is litter");
    place.ok(COLLECT);
    assert_eq!(without_locations(&look(&place, &looks)), before);
    assert_eq!(own_files(&place, "joint"), [""; 0]);
    let files = place.artifacts("joint");
    assert_eq!(files.len(), 6);

    let places = [
        "settling",
        "settling:2",
        "dropped",
        "buried",
        "clearing",
        "cleared",
    ];
    for at in places {
        let place = littered();
        die(&place, COLLECT, at);
        let seen = without_locations(&look(&place, &looks));
        assert_eq!(seen, before, "`{at}`");
        leftovers(&place, "joint", "--deep");
        place.ok(COLLECT);
        assert_eq!(own_files(&place, "joint"), [""; 0], "`{at}`");
        assert_eq!(place.artifacts("joint"), files, "`{at}`");
        assert_eq!(leftovers(&place, "joint", "--deep"), [""; 0], "`{at}`");
        assert_eq!(without_locations(&look(&place, &looks)), before, "`{at}`");
    }
}
