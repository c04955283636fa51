//! The examples run, each in a folder of its own, and say what their twins in Python say.
//!
//! `examples/NAME.txt` in the root of the checkout is what the twin prints; each line that an example in Rust prints is one of
//! these, in their order. Python's tests judge the file itself.

#![allow(
    clippy::unwrap_used,
    reason = "what the helpers of tests unwrap fails the test"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

/// Cargo builds the examples with the tests, into a folder beside theirs.
fn program(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let target = own.parent().and_then(Path::parent).unwrap();
    let program = target.join("examples").join(name);
    assert!(
        program.exists(),
        "{} is not built: `cargo build --workspace --examples`",
        program.display()
    );
    program
}

/// What an example prints where it is to make the folder `new`.
fn said(name: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let done = Command::new(program(name))
        .arg("new")
        .current_dir(folder.path())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{name}: {errors}");
    String::from_utf8(done.stdout).unwrap()
}

fn is_said_by_its_twin(name: &str) {
    let shown = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../examples/{name}.txt"));
    let shown = std::fs::read_to_string(shown)
        .unwrap()
        .replace("True", "true")
        .replace("False", "false")
        .replace(" nan", " NaN")
        .replace("nan ", "NaN ");
    let mut lines = shown.lines();
    let said = said(name);
    assert!(said.lines().count() > 2, "{said}");
    for line in said.lines() {
        assert!(
            lines.any(|other| other.trim_end() == line.trim_end()),
            "the twin of {name} does not say (or not in this order): {line}\nit says\n{shown}"
        );
    }
}

macro_rules! cases {
    ($($name:ident),*) => {
        $(#[test]
        fn $name() {
            is_said_by_its_twin(stringify!($name));
        })*
    };
}

cases!(
    case_1_updated_wcs,
    case_2_one_component,
    case_3_shared_parts,
    case_4_before_and_after_detection,
    case_5_object_table,
    case_6_aggregate,
    case_7_precursors,
    case_8_only_catalogs,
    case_9_replaced_planes
);

#[test]
fn plug_in() {
    assert_eq!(
        said("plug_in"),
        "the wcs is the better one: true\nput: written 0 | unchanged wcs\n"
    );
}
