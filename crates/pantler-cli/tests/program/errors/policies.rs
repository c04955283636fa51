//! Errors in policies.

use super::{Case, Follow};
use crate::support::Place;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case {
            title: "A policy with mistakes",
            about: "All of them are shown at once, each in its place.",
            place: || policy(FAULTY),
            line: "init here --policy my.yaml",
            follow: &[Follow::Again(|place| {
                place.write("my.yaml", &FAULTY.replace("pyhton", "python"))
            })],
        },
        Case {
            title: "A composite that is made of itself",
            about: "A policy with such a circle does not load.",
            place: || policy(CYCLE),
            line: "init here --policy my.yaml",
            follow: &[],
        },
        Case {
            title: "A definition that lacks something",
            about: "Such a definition is kept, and complains only when it is used.",
            place: || {
                let place = policy(
                    "datasets:\n  src:\n    python: lsst.afw.table.SourceCatalog\n    storage: FitsStorage\n",
                );
                place.ok("init here --policy my.yaml");
                place
            },
            line: "get here src visit=1 --out a.fits",
            follow: &[],
        },
        Case {
            title: "A storage that nobody knows",
            about: "A storage names the format of a file.",
            place: || {
                let place = policy(
                    "datasets:\n  src:\n    template: 'src/%(visit)d.txt'\n    storage: TextSotrage\n",
                );
                place.ok("init here --policy my.yaml");
                place.write("a.txt", "clear");
                place
            },
            line: "put here src a.txt visit=1",
            follow: &[Follow::Again(|place| {
                place.write(
                    "here/policy.yaml",
                    "datasets:\n  src:\n    template: 'src/%(visit)d.txt'\n    storage: TextStorage\n",
                );
            })],
        },
        Case {
            title: "A type that needs Python",
            about: "Import paths are followed by the Python package.",
            place: || {
                let place = policy(PLUGIN);
                place.ok("init here --policy my.yaml");
                place.write("a.txt", "one");
                place.ok("put here part a.txt visit=1");
                place
            },
            line: "get here whole visit=1 --out a.json",
            follow: &[
                Follow::Not("this program follows no import paths"),
                Follow::Not("text is no exposure"),
            ],
        },
    ]
}

const FAULTY: &str = "\
datasets:
  src:
    template: 'src/%(visit)d.fits'
    pyhton: lsst.afw.table.SourceCatalog
    storage: FitsStorage
";

const CYCLE: &str = "\
datasets:
  inner:
    composite:
      outer: {datasetType: outer}
  outer:
    composite:
      inner: {datasetType: inner}
";

const PLUGIN: &str = "\
datasets:
  part:
    template: 'part/%(visit)d.txt'
    storage: TextStorage
  whole:
    composite:
      part: {datasetType: part}
      assembler: mypackage.assemble
";

fn policy(text: &str) -> Place {
    let place = Place::new();
    place.write("my.yaml", text);
    place
}
