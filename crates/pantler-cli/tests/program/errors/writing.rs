//! Errors about what cannot be put or removed.

use super::{Case, Follow};
use crate::support::Place;
use crate::survey::survey;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case {
            title: "Something else is there already",
            about: "Putting the same again is no error and writes nothing.",
            place: || with("get single_visit calexp:sfm visit=903334 ccd=17 --out b.fits"),
            line: "put single_visit calexp:sfm b.fits visit=903334 ccd=16",
            follow: &[Follow::Type(
                "put single_visit calexp:sfm b.fits visit=903334 ccd=16 --replace",
            )],
        },
        Case {
            title: "A composite that can only be read",
            about: "It names an assembler and nothing that takes it apart.",
            place: || with("get jointcal calexp:shown visit=903334 ccd=16 tract=0 --out a.fits"),
            line: "put jointcal calexp:shown a.fits visit=903334 ccd=16 tract=0",
            follow: &[
                Follow::Type("put jointcal post_calexp a.fits visit=903334 ccd=16"),
                Follow::Again(|place| {
                    edit(
                        place,
                        "      assembler: pantler.overlay",
                        "      assembler: pantler.overlay\n      disassembler: pantler.overlay",
                    );
                }),
            ],
        },
        Case {
            title: "An input-only component that was changed",
            about: "The pixels belong to another step; only what this step makes is put.",
            place: || with("get single_visit calexp:sfm visit=903334 ccd=17 --out b.fits"),
            line: "put jointcal calexp:jointcal b.fits visit=903334 ccd=16 tract=2",
            follow: &[Follow::Type(
                "put jointcal calexp:jointcal b.fits visit=903334 ccd=16 tract=2 --drop-input-only",
            )],
        },
        Case {
            title: "An object without one of the components",
            about: "What is not marked as optional must be there.",
            place: || {
                let place =
                    with("get single_visit calexp:sfm.image visit=903334 ccd=16 --out image.fits");
                place.write("solution.yaml", SOLUTION);
                place.ok("init solved --policy solution.yaml --parent jointcal");
                place
            },
            line: "put solved solution image.fits visit=903334 ccd=16 tract=2",
            follow: &[Follow::Not("an image has no solution")],
        },
        Case {
            title: "An operation that the object does not tell",
            about: "Pixels after an operation do not say which one it was; what is there already is taken.",
            place: coadds,
            line: "put coadds calexp:detected after.fits visit=903334 ccd=16",
            follow: &[
                Follow::Type(
                    "put coadds calexp:detected after.fits visit=903334 ccd=16 --with background=level.fits",
                ),
                Follow::Again(|place| {
                    place.ok("put coadds background level.fits visit=903334 ccd=16");
                }),
            ],
        },
        Case {
            title: "Pixels that the operations do not give",
            about: "They would be lost: only the operations are put, not the pixels after them.",
            place: coadds,
            line: "put coadds calexp:detected before.fits visit=903334 ccd=16 --with background=level.fits",
            follow: &[
                Follow::Type(
                    "put coadds calexp:detected before.fits visit=903334 ccd=16 --with background=nothing.fits",
                ),
                Follow::Type(
                    "put coadds calexp:detected before.fits visit=903334 ccd=16 --with background=level.fits --drop-input-only",
                ),
            ],
        },
        Case {
            title: "A folder without an index",
            about: "It is scanned, and can be read; pantler writes nothing into it unasked.",
            place: || {
                let place = with("get single_visit calexp:sfm visit=903334 ccd=17 --out b.fits");
                forget_index(&place, "single_visit");
                place
            },
            line: "put single_visit calexp:sfm b.fits visit=903334 ccd=18",
            follow: &[Follow::Paste, Follow::Paste],
        },
        Case {
            title: "A path that another type owns",
            about: "Two types may read one file; the first to write it owns it.",
            place: || {
                let place = with("get single_visit calexp:sfm visit=903334 ccd=17 --out b.fits");
                edit(
                    &place,
                    "template: 'post/%(visit)07d/%(ccd)03d.fits'",
                    "template: 'post/%(visit)07d.fits'",
                );
                place.ok("put jointcal post_calexp b.fits visit=903334");
                edit(&place, "  calexp:shown:", OTHER);
                place
            },
            line: "put jointcal other_calexp b.fits visit=903334",
            follow: &[Follow::Again(|place| {
                edit(
                    place,
                    "template: 'post/0903334.fits'",
                    "template: 'other/the.fits'",
                );
            })],
        },
        Case {
            title: "A dataset that recorded composites use",
            about: "Removing it would leave them without a part.",
            place: || with("link jointcal calexp:jointcal visit=903334 ccd=16 tract=0"),
            line: "rm jointcal jointcal_wcs visit=903334 ccd=16 tract=0",
            follow: &[
                Follow::Again(|place| {
                    place.ok("rm jointcal calexp:jointcal visit=903334 ccd=16 tract=0");
                }),
                Follow::Type("rm jointcal jointcal_wcs visit=903334 ccd=16 tract=0 --force"),
            ],
        },
        Case {
            title: "Something to remove that lies in a parent",
            about: "A command writes to the repository that it names, never to its parents.",
            place: survey,
            line: "rm jointcal calexp:sfm visit=903334 ccd=16",
            follow: &[Follow::Paste],
        },
        Case {
            title: "A repository that is there already",
            about: "`init` never changes one.",
            place: survey,
            line: "init single_visit",
            follow: &[Follow::Paste],
        },
        Case {
            title: "An output with other parents",
            about: "What is put into it would be made of repositories that it does not know.",
            place: || with("init nightly --policy single_visit/policy.yaml"),
            line: "link jointcal calexp:jointcal visit=903334 ccd=16 tract=0 --input nightly",
            follow: &[Follow::Type(
                "link jointcal calexp:jointcal visit=903334 ccd=16 tract=0 --input nightly --add-parents",
            )],
        },
    ]
}

const SOLUTION: &str = "\
datasets:
  solution:
    python: lsst.afw.image.ExposureF
    composite:
      wcs: {datasetType: jointcal_wcs}
      calib: {datasetType: jointcal_calib}
";

const DETECTED: &str = "\
datasets:
  background:
    template: 'background/%(visit)07d/%(ccd)03d.fits'
    python: lsst.afw.image.ImageF
    storage: FitsStorage
  calexp:detected:
    python: lsst.afw.image.ExposureF
    composite:
      calexp: {datasetType: 'calexp:sfm', inputOnly: true}
      background: {datasetType: background, apply: {op: subtract, to: image}}
";

/// Exposures before and after a background is subtracted, which is the image itself, so that nothing is left of it.
fn coadds() -> Place {
    let place = with("get single_visit calexp:sfm visit=903334 ccd=16 --out before.fits");
    place.write("detected.yaml", DETECTED);
    for name in ["trial", "coadds"] {
        place.ok(&format!(
            "init {name} --policy detected.yaml --parent single_visit"
        ));
    }
    place.ok("get single_visit calexp:sfm.image visit=903334 ccd=16 --out level.fits");
    place.ok("put trial background level.fits visit=903334 ccd=16");
    place.ok("get trial calexp:detected visit=903334 ccd=16 --out after.fits");
    place.ok("get trial calexp:detected.image visit=903334 ccd=16 --out nothing.fits");
    place
}

const OTHER: &str = "  \
  other_calexp:
    template: 'post/0903334.fits'
    python: lsst.afw.image.ExposureF
    storage: FitsStorage
  calexp:shown:";

fn with(line: &str) -> Place {
    let place = survey();
    place.ok(line);
    place
}

/// Replaces one line of the policy of `jointcal`.
fn edit(place: &Place, old: &str, new: &str) {
    let path = place.path("jointcal/policy.yaml");
    let policy = std::fs::read_to_string(path).expect("it is there");
    assert!(policy.contains(old));
    place.write("jointcal/policy.yaml", &policy.replace(old, new));
}

/// Leaves a repository as a folder of files with a policy.
fn forget_index(place: &Place, repository: &str) {
    std::fs::remove_dir_all(place.path(repository).join(".pantler")).expect("it can be removed");
}
