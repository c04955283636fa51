//! Puts, replacements, links and removals, and the making of a repository: killed at each of their places.

use super::dying::{Action, COMPOSITE, PUT_OLD, TWO_ARTIFACTS, kill_everywhere, nothing_else};

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
