//! Errors about files and folders that the user names.

use super::{Case, Follow};
use crate::support::Place;
use crate::survey::survey;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case {
            title: "A file that is damaged",
            about: "The HDU and the reason are said.",
            place: || with("broken.fits", "SIMPLE  =                    T"),
            line: "show --file broken.fits",
            follow: &[],
        },
        Case {
            title: "A file of an unknown format",
            about: "What a file is, its bytes say first, and its name where they do not.",
            place: || with("what.xyz", "\u{0}\u{1}"),
            line: "show --file what.xyz",
            follow: &[Follow::Then(
                |place| place.write("what.txt", "clear until midnight"),
                "show --file what.txt",
            )],
        },
        Case {
            title: "A format that does not fit",
            about: "The extension of `--out` chooses the format.",
            place: survey,
            line: "get jointcal calexp:sfm visit=903334 ccd=16 --out a.parquet",
            follow: &[Follow::Type(
                "get jointcal calexp:sfm visit=903334 ccd=16 --out a.fits",
            )],
        },
        Case {
            title: "A folder that is not there",
            about: "Files are written into folders that exist.",
            place: survey,
            line: "get jointcal calexp:sfm visit=903334 ccd=16 --out nowhere/a.fits",
            follow: &[],
        },
        Case {
            title: "A file that the system does not give",
            about: "What the operating system says is passed on.",
            place: || {
                let place = survey();
                std::os::unix::fs::symlink("loop.fits", place.path("loop.fits"))
                    .expect("a link can be made");
                place
            },
            line: "show --file loop.fits",
            follow: &[],
        },
        Case {
            title: "A piece that the object does not have",
            about: "Images have boxes, tables have columns and rows.",
            place: survey,
            line: "get jointcal calexp:sfm visit=903334 ccd=16 --columns ra --out a.fits",
            follow: &[Follow::Type(
                "get jointcal calexp:sfm visit=903334 ccd=16 --bbox 0,0,8,8 --out a.fits",
            )],
        },
    ]
}

fn with(name: &str, content: &str) -> Place {
    let place = survey();
    place.write(name, content);
    place
}
