//! Garbage: what goes, and what stays whatever its age.

use std::path::{Path, PathBuf};
use std::time::Duration;

use pantler::core::policy::PolicyText;
use pantler::gc::{GcOptions, GcReport};
use pantler::{Butler, OnConflict, PutOptions, RemoveOptions};
use uuid::{NoContext, Timestamp, Uuid};

use super::support::*;

/// No process has so high a number.
const NOBODY: i32 = i32::MAX;

const DAY: u64 = 24 * 3600;

fn on_disk() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("repo");
    let text = |file: &str, text: &str| PolicyText {
        file: file.to_owned().into(),
        text: text.into(),
    };
    let policies = [text("a.yaml", SINGLE_VISIT), text("b.yaml", JOINTCAL)];
    Butler::init(&root, &policies, &[]).unwrap();
    (folder, root)
}

fn open(root: &Path) -> Butler {
    Butler::open(&[], &[root.to_path_buf()], options())
        .unwrap_or_else(|error| panic!("{}", error.report()))
}

/// Leaves a file in the staging folder as a process would have, so many days ago.
fn stage(root: &Path, process: i64, days_ago: u64) -> String {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let made = Timestamp::from_unix(NoContext, now - days_ago * DAY, 0);
    let name = format!(
        ".pantler/staging/{process}-{}-0123456789abcdef",
        Uuid::new_v7(made)
    );
    std::fs::create_dir_all(root.join(".pantler/staging")).unwrap();
    std::fs::write(root.join(&name), "half of it").unwrap();
    name
}

fn collect(root: &Path, days: u64, dry_run: bool) -> GcReport {
    let grace = Duration::from_secs(days * DAY);
    open(root).gc(&GcOptions { dry_run, grace }).unwrap()
}

#[test]
fn what_a_crash_left_long_ago_goes_and_what_is_young_or_alive_stays() {
    let (_folder, root) = on_disk();
    put(&open(&root), &exposure(1.0), "calexp:sfm", "visit=1 ccd=1");
    let old = stage(&root, i64::from(NOBODY), 20);
    let young = stage(&root, i64::from(NOBODY), 3);
    let alive = stage(&root, i64::from(std::process::id()), 30);
    let own = "calexp/0000009/009.fits".to_owned();
    std::fs::create_dir_all(root.join("calexp/0000009")).unwrap();
    std::fs::write(root.join(&own), "my own").unwrap();
    let dry = collect(&root, 14, true);
    assert_eq!((&dry.removed, dry.bytes), (&vec![old.clone()], 10));
    assert!(root.join(&old).exists(), "it was only said");
    let report = collect(&root, 14, false);
    assert_eq!(report.removed, dry.removed);
    assert!(!root.join(&old).exists());
    for kept in [&young, &alive, &own] {
        assert!(
            report.kept.contains(kept) && root.join(kept).exists(),
            "{kept}"
        );
    }
    assert_eq!(collect(&root, 0, false).removed, [young]);
    assert!(root.join(&alive).exists() && root.join(&own).exists());
    get(&open(&root), "calexp:sfm", "visit=1 ccd=1");
}

#[test]
fn r26_a_replaced_artifact_stays_as_long_as_a_composition_uses_it() {
    let (_folder, root) = on_disk();
    let butler = open(&root);
    put(&butler, &exposure(1.0), "calexp:sfm", "visit=1 ccd=1");
    let changed = get(&butler, "calexp:sfm", "visit=1 ccd=1")
        .with_component("wcs", &wcs(151.0))
        .unwrap();
    put(
        &butler,
        &changed,
        "calexp:jointcal",
        "visit=1 ccd=1 tract=0",
    );
    let replace = PutOptions {
        on_conflict: OnConflict::Replace,
        ..Default::default()
    };
    let data_id = id("visit=1 ccd=1 tract=0");
    butler
        .put(&wcs(170.0), "jointcal_wcs", &data_id, &replace)
        .unwrap();
    assert_eq!(collect(&root, 0, false).removed, Vec::<String>::new());
    let kept = get(&open(&root), "calexp:jointcal", "visit=1 ccd=1 tract=0");
    assert_eq!(right_ascension(&kept), 151.0);
    let remove = RemoveOptions::default();
    open(&root)
        .remove("calexp:jointcal", &data_id, &remove)
        .unwrap();
    let report = collect(&root, 0, false);
    assert_eq!(report.removed.len(), 1, "{report:?}");
    assert!(report.removed[0].starts_with(".pantler/superseded/"));
    assert!(!root.join(&report.removed[0]).exists());
    assert_eq!(collect(&root, 0, false), GcReport::default());
    let found = open(&root).fsck(Default::default()).unwrap();
    assert!(found.is_clean() && found.leftover.is_empty(), "{found:?}");
}

#[test]
fn garbage_is_collected_in_what_may_be_written_only() {
    let (_folder, root) = on_disk();
    let butler = Butler::open(&[root], &[], options()).unwrap();
    assert!(butler.gc(&GcOptions::default()).is_err());
}
