//! Errors about names and data IDs.

use super::{Case, Follow};
use crate::errors::finding::aliased_survey;
use crate::support::Place;
use crate::survey::survey;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case {
            title: "A name that is none",
            about: "A name is a dataset type, perhaps a stage behind a colon, perhaps components behind dots.",
            place: survey,
            line: "get jointcal calexp..wcs visit=903334 ccd=16 tract=0 --out a.fits",
            follow: &[Follow::Type(
                "get jointcal calexp:jointcal.wcs visit=903334 ccd=16 tract=0 --out a.fits",
            )],
        },
        Case {
            title: "A dataset type that no policy defines",
            about: "The policies of the repository and of its parents are looked at.",
            place: survey,
            line: "get jointcal calexp_wsc visit=903334 ccd=16 --out a.fits",
            follow: &[Follow::Type(
                "get jointcal calexp_wcs visit=903334 ccd=16 --out a.fits",
            )],
        },
        Case {
            title: "A name that needs its stage",
            about: "Nothing is taken from whatever stage has it: an alias says what a plain name means.",
            place: survey,
            line: "get jointcal calexp visit=903334 ccd=16 --out a.fits",
            follow: &[Follow::Type(
                "get jointcal calexp:jointcal visit=903334 ccd=16 tract=0 --out a.fits",
            )],
        },
        Case {
            title: "Two stages at once",
            about: "The data-ID key `version` means the stage too.",
            place: survey,
            line: "get jointcal calexp:sfm version=jointcal visit=903334 ccd=16 --out a.fits",
            follow: &[Follow::Type(
                "get jointcal calexp:sfm visit=903334 ccd=16 --out a.fits",
            )],
        },
        Case {
            title: "A name with two meanings",
            about: "Two inputs have different aliases for one name, and there is no output whose policy would decide.",
            place: aliased_survey,
            line: "get single_visit calexp --input nightly visit=903334 ccd=16 --out a.fits",
            follow: &[Follow::Type(
                "get single_visit calexp:sfm --input nightly visit=903334 ccd=16 --out a.fits",
            )],
        },
        Case {
            title: "A key that nobody has",
            about: "A known key that the type does not use is accepted, an unknown one is not.",
            place: survey,
            line: "get jointcal calexp:sfm viist=903334 ccd=16 --out a.fits",
            follow: &[Follow::Type(
                "get jointcal calexp:sfm visit=903334 ccd=16 --out a.fits",
            )],
        },
        Case {
            title: "A value of the wrong type",
            about: "The policy's `keys` or the template's conversions say what a key is.",
            place: survey,
            line: "get jointcal calexp:sfm visit=g ccd=16 --out a.fits",
            follow: &[],
        },
        Case {
            title: "A key of two types",
            about: "What is a number in one repository and text in another would not be found.",
            place: || {
                let place = survey();
                place.write(
                    "words.yaml",
                    "datasets:\n  log: {template: 'log/%(visit)s.txt', python: str, storage: TextStorage}\n",
                );
                place.ok("init words --policy words.yaml --parent single_visit");
                place
            },
            line: "get words calexp:sfm visit=903334 ccd=16 --out a.fits",
            follow: &[Follow::Again(|place| {
                let path = place.path("words/policy.yaml");
                let policy = std::fs::read_to_string(path).expect("it is there");
                place.write(
                    "words/policy.yaml",
                    &format!("keys: {{visit: {{type: int}}}}\n{policy}"),
                );
            })],
        },
        Case {
            title: "A key that could be several",
            about: "A missing key is completed only where one value fits; those that are incomplete are marked.",
            place: survey,
            line: "get jointcal calexp:jointcal visit=903334 ccd=16 --out a.fits",
            follow: &[
                Follow::Type(
                    "get jointcal calexp:jointcal visit=903334 ccd=16 tract=0 --out a.fits",
                ),
                Follow::Paste,
            ],
        },
        Case {
            title: "A key that nothing tells",
            about: "Nothing in the repositories has the keys that were given.",
            place: survey,
            line: "get jointcal calexp:jointcal visit=903334 ccd=17 --out a.fits",
            follow: &[Follow::Not("there is no tract that has all parts")],
        },
        Case {
            title: "A key that contradicts what is known",
            about: "A key that the type does not need is compared with what the registries know.",
            place: survey,
            line: "get jointcal post_calexp visit=903334 ccd=16 tract=7 --out a.fits",
            follow: &[Follow::Then(
                |place| {
                    place.ok("get single_visit calexp:sfm visit=903334 ccd=16 --out a.fits");
                    place.ok("put jointcal post_calexp a.fits visit=903334 ccd=16");
                },
                "get jointcal post_calexp visit=903334 ccd=16 --out b.fits",
            )],
        },
        Case {
            title: "A value that gives no path",
            about: "A value must not lead out of the repository, and the path must be readable back.",
            place: named_notes,
            line: "put notes note a.txt name=../secret",
            follow: &[],
        },
        Case {
            title: "A file whose data ID is not known",
            about: "Values come from the command, the header, the policy's `ingest` and the file's path.",
            place: named_notes,
            line: "ingest notes note a.txt",
            follow: &[
                Follow::Type("ingest notes note a.txt name=a"),
                Follow::Again(|place| {
                    place.write(
                        "notes/policy.yaml",
                        &NOTES.replace(
                            "    storage",
                            "    ingest: {path: '%(name)s.txt'}\n    storage",
                        ),
                    );
                }),
            ],
        },
    ]
}

const NOTES: &str = "\
datasets:
  note:
    template: 'notes/%(name)s.txt'
    storage: TextStorage
";

fn named_notes() -> Place {
    let place = Place::new();
    place.write("a.txt", "clear until midnight\n");
    place.write("notes.yaml", NOTES);
    place.ok("init notes --policy notes.yaml");
    place
}
