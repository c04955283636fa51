//! Errors about what is not found, or found twice.

use super::{Case, Follow};
use crate::support::Place;
use crate::survey::survey;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case {
            title: "A dataset that is not there",
            about: "The repositories are listed in the order in which they were searched.",
            place: survey,
            line: "get jointcal calexp:sfm visit=1 ccd=16 --out a.fits",
            follow: &[Follow::Paste],
        },
        Case {
            title: "A component that is not there",
            about: "A composite's parts come from the dataset types that it names, and from no other stage.",
            place: survey,
            line: "get jointcal calexp:jointcal visit=903334 ccd=17 tract=0 --out a.fits",
            follow: &[Follow::Paste],
        },
        Case {
            title: "A part that a file does not have",
            about: "What a file has is listed.",
            place: survey,
            line: "get jointcal calexp:sfm.varianse visit=903334 ccd=16 --out a.fits",
            follow: &[Follow::Type(
                "get jointcal calexp:sfm.variance visit=903334 ccd=16 --out a.fits",
            )],
        },
        Case {
            title: "A file that is gone",
            about: "The registry knows the dataset, and its file was removed behind its back.",
            place: || {
                let place = survey();
                remove(&place, "jointcal/jointcal/0000/calib-0903334-016.fits");
                place
            },
            line: "get jointcal calexp:jointcal visit=903334 ccd=16 tract=0 --out a.fits",
            follow: &[Follow::Paste],
        },
        Case {
            title: "A file that was changed",
            about: "It was edited or overwritten since it was registered.",
            place: || {
                let place = survey();
                place.write("single_visit/calexp/0903334/016.fits", "SIMPLE");
                place
            },
            line: "get jointcal calexp:sfm visit=903334 ccd=16 --out a.fits",
            follow: &[Follow::Paste],
        },
        Case {
            title: "A recorded component that was removed",
            about: "A composition that was recorded is never completed with something else.",
            place: || {
                let place = survey();
                place.ok("link jointcal calexp:jointcal visit=903334 ccd=16 tract=0");
                place.ok("rm jointcal jointcal_wcs visit=903334 ccd=16 tract=0 --force");
                place
            },
            line: "get jointcal calexp:jointcal visit=903334 ccd=16 tract=0 --out a.fits",
            follow: &[Follow::Then(
                |place| {
                    place.ok("get jointcal jointcal_wcs visit=903334 ccd=16 tract=1 --out w.fits");
                    place.ok("put jointcal jointcal_wcs w.fits visit=903334 ccd=16 tract=0");
                },
                "get jointcal calexp:jointcal visit=903334 ccd=16 tract=0 --out a.fits --composition lookup",
            )],
        },
        Case {
            title: "Two inputs that differ",
            about: "Neither is built on the other, and they hold different datasets under one data ID.",
            place: siblings,
            line: "get jointcal calexp:jointcal --input nightly visit=903334 ccd=16 tract=0 --out a.fits",
            follow: &[Follow::Type(
                "get jointcal calexp:jointcal --input nightly visit=903334 ccd=16 tract=0 --out a.fits --inputs-in-order",
            )],
        },
        Case {
            title: "A tag that no repository has",
            about: "A tag narrows the search to the repositories that are tagged so.",
            place: survey,
            line: "get jointcal calexp:sfm tag=night visit=903334 ccd=16 --out a.fits",
            follow: &[],
        },
        Case {
            title: "An expression that cannot be read",
            about: "The place is shown.",
            place: survey,
            line: "query jointcal calexp:sfm --where 'visit > 1 adn ccd = 16'",
            follow: &[Follow::Type(
                "query jointcal calexp:sfm --where 'visit > 1 and ccd = 16'",
            )],
        },
        Case {
            title: "A folder without a policy",
            about: "Files are found by their names once a policy says how they are named.",
            place: || {
                let place = Place::new();
                place.write("night/calexp/0903334/016.fits", "");
                place.write("policy.yaml", POLICY);
                place
            },
            line: "query night",
            follow: &[
                Follow::Again(|place| place.write("night/policy.yaml", POLICY)),
                Follow::Type("init night --policy policy.yaml"),
            ],
        },
        Case {
            title: "A folder that is no repository",
            about: "A repository is a folder that `pantler init` made.",
            place: || {
                let place = survey();
                place.write("FILE", "datasets: {}\n");
                place
            },
            line: "query single_vist",
            follow: &[Follow::Paste],
        },
    ]
}

fn remove(place: &Place, path: &str) {
    std::fs::remove_file(place.path(path)).expect("it is there");
}

/// The survey and a second repository with the same type, another exposure under the same data ID.
fn siblings() -> Place {
    let place = survey();
    place.ok("init nightly --policy single_visit/policy.yaml");
    place.ok("get single_visit calexp:sfm visit=903334 ccd=17 --out other.fits");
    place.ok("put nightly calexp:sfm other.fits visit=903334 ccd=16");
    place
}

/// The survey and a second repository, in which `calexp` means something else.
pub(super) fn aliased_survey() -> Place {
    let place = siblings();
    place.write(
        "quick.yaml",
        "datasets:\n  calexp:quick:\n    template: 'quick/%(visit)d-%(ccd)d.fits'\n    python: lsst.afw.image.ExposureF\n    storage: FitsStorage\n",
    );
    remove(&place, "other.fits");
    std::fs::remove_dir_all(place.path("nightly")).expect("it is there");
    place.ok("init nightly --policy quick.yaml");
    place.ok("alias nightly calexp calexp:quick");
    place.ok("alias single_visit calexp calexp:sfm");
    place
}

const POLICY: &str = "\
datasets:
  calexp:
    template: 'calexp/%(visit)07d/%(ccd)03d.fits'
    python: lsst.afw.image.ExposureF
    storage: FitsStorage
";
