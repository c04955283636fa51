//! Without space and without permission the program fails kindly, and leaves all as it was.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::dying::{PUT_OLD, die};
use super::seen::{leftovers, look};
use super::support;
use super::support::Place;
use super::survey::survey;

/// Runs a command that may write no file beyond a number of blocks of 512 bytes, as a full disk would refuse it.
fn with_file_limit(place: &Place, blocks: u64, line: &str) -> support::Ran {
    let program = place.command(line);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "trap '' XFSZ; ulimit -f \"$0\" && exec \"$@\""])
        .arg(blocks.to_string())
        .arg(program.get_program())
        .args(program.get_args())
        .current_dir(place.path(""))
        .stdin(Stdio::null());
    let output = shell.output().unwrap();
    support::Ran {
        status: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        error: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn without_space_a_put_fails_kindly_and_leaves_all_as_it_was() {
    let looks = &[
        "get single calexp:sfm visit=9 ccd=9 --out looked.fits",
        "get single calexp:sfm visit=1 ccd=1 --out looked.fits",
        "query single --json",
    ];
    let mut failed = 0;
    let mut of_the_file = 0;
    for blocks in [0, 8, 40, 64, 80, 100, 140, 200, 300, 100_000] {
        let place = survey();
        let before = look(&place, looks);
        let files = place.artifacts("single");
        let ran = with_file_limit(
            &place,
            blocks,
            "put single calexp:sfm large.fits visit=9 ccd=9",
        );
        if ran.status == 0 {
            assert_eq!(look(&place, &looks[..1])[0].0, 0);
            continue;
        }
        failed += 1;
        assert_eq!(ran.status, 3, "{blocks}: {}", ran.error);
        assert!(
            ran.error.starts_with("error: cannot "),
            "{blocks}: {}",
            ran.error
        );
        of_the_file += usize::from(ran.error.contains("too large"));
        assert_eq!(look(&place, looks), before, "{blocks}");
        assert_eq!(place.artifacts("single"), files, "{blocks}");
        assert_eq!(leftovers(&place, "single", "--deep"), [""; 0], "{blocks}");
        place.ok("put single calexp:sfm large.fits visit=9 ccd=9");
        assert_eq!(leftovers(&place, "single", "--deep"), [""; 0], "{blocks}");
    }
    assert!(failed >= 5 && of_the_file >= 1, "{failed} {of_the_file}");
    let place = survey();
    let ran = with_file_limit(
        &place,
        100_000,
        "put single calexp:sfm large.fits visit=9 ccd=9",
    );
    assert_eq!(ran.status, 0, "{}", ran.error);
}

/// Runs a command as somebody who may not write what another owns; `None` where this test cannot be such a person.
fn as_somebody(place: &Place, line: &str) -> Option<support::Ran> {
    let mut command = place.command(line);
    if std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0) {
        command.uid(65534);
    }
    match command.output() {
        Ok(output) => Some(support::Ran {
            status: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            error: String::from_utf8(output.stderr).unwrap(),
        }),
        Err(error) => {
            println!("skipped: the program cannot be run as somebody else: {error}");
            None
        }
    }
}

fn allow(path: &Path, files: u32, folders: u32) {
    let mode = if path.is_dir() { folders } else { files };
    if path.is_dir() {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
        for entry in std::fs::read_dir(path).unwrap() {
            allow(&entry.unwrap().path(), files, folders);
        }
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn without_permission_a_put_fails_kindly_and_what_is_there_is_read() {
    let place = survey();
    place.ok(PUT_OLD);
    // A writer that was killed leaves the registry's log behind, which readers have to get along with.
    die(
        &place,
        "put single calexp:sfm large.fits visit=9 ccd=9",
        "linked",
    );
    allow(&place.path(""), 0o444, 0o555);
    let outcome = as_somebody(
        &place,
        "get joint calexp:jointcal visit=1 ccd=1 tract=0 --out /dev/null",
    );
    let read = outcome.is_some();
    if let Some(ran) = outcome {
        assert!(!ran.error.contains("panicked"), "{}", ran.error);
    }
    if read {
        for put in [
            "put single calexp:sfm large.fits visit=9 ccd=9",
            "put joint calexp:jointcal new.fits visit=1 ccd=1 tract=0 --replace",
            "rm joint calexp:jointcal visit=1 ccd=1 tract=0",
            "fsck joint --repair",
        ] {
            let ran = as_somebody(&place, put).unwrap();
            assert_eq!(ran.status, 3, "{put}\n{}", ran.error);
            assert!(ran.error.starts_with("error: "), "{}", ran.error);
        }
    }
    allow(&place.path(""), 0o644, 0o755);
    place.ok("get joint calexp:jointcal visit=1 ccd=1 tract=0 --out looked.fits");
    assert_eq!(leftovers(&place, "single", "--deep --repair"), [""; 0]);
    assert_eq!(leftovers(&place, "joint", "--deep"), [""; 0]);
}

/// The folder of the artifacts may be closed while pantler's own is open.
#[test]
fn a_closed_folder_of_artifacts_leaves_all_as_it_was() {
    let place = survey();
    let closed: PathBuf = place.path("joint/wcs");
    std::fs::create_dir_all(&closed).unwrap();
    allow(&place.path(""), 0o666, 0o777);
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o555)).unwrap();
    let Some(ran) = as_somebody(
        &place,
        "put joint calexp:jointcal new.fits visit=1 ccd=1 tract=0",
    ) else {
        return;
    };
    assert_eq!(ran.status, 3, "{}", ran.error);
    assert_eq!(place.artifacts("joint"), [], "neither part is there");
    assert_eq!(leftovers(&place, "joint", "--deep"), [""; 0]);
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o777)).unwrap();
    place.ok("put joint calexp:jointcal new.fits visit=1 ccd=1 tract=0");
}
