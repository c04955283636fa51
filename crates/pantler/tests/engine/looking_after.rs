//! Checks, leftovers, opening: a repository that stands alone (rules R7, R8).

use std::path::PathBuf;

use pantler::core::policy::PolicyText;
use pantler::fsck::{FsckOptions, ProblemKind};
use pantler::{Butler, ButlerOptions};

use super::support::*;

fn on_disk() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let (single, joint) = (
        folder.path().join("single_visit"),
        folder.path().join("jointcal"),
    );
    let text = |text: &str| PolicyText {
        file: "policy.yaml".into(),
        text: text.into(),
    };
    Butler::init(&single, &[text(SINGLE_VISIT)], &[]).unwrap();
    Butler::init(&joint, &[text(JOINTCAL)], std::slice::from_ref(&single)).unwrap();
    let butler = Butler::open(&[], std::slice::from_ref(&single), options()).unwrap();
    put(&butler, &exposure(1.0), "calexp:sfm", "visit=903334 ccd=16");
    (folder, single, joint)
}

#[test]
fn a_child_opened_alone_finds_its_parents_and_their_definitions() {
    let (folder, _, joint) = on_disk();
    let butler = Butler::open(&[], std::slice::from_ref(&joint), options()).unwrap();
    let data_id = "visit=903334 ccd=16 tract=0";
    let sfm = get(&butler, "calexp:sfm", "visit=903334 ccd=16");
    let changed = sfm
        .with_component("wcs", &wcs(151.0))
        .unwrap()
        .with_component("calib", &calib(3e12))
        .unwrap();
    put(&butler, &changed, "calexp:jointcal", data_id);
    assert_eq!(right_ascension(&get(&butler, "calexp", data_id)), 151.0);
    // Both moved together, the child still finds its parent.
    let moved = folder.path().join("moved");
    std::fs::create_dir(&moved).unwrap();
    for name in ["single_visit", "jointcal"] {
        std::fs::rename(folder.path().join(name), moved.join(name)).unwrap();
    }
    drop(butler);
    let butler = Butler::open(&[moved.join("jointcal")], &[], options()).unwrap();
    assert_eq!(right_ascension(&get(&butler, "calexp", data_id)), 151.0);
}

#[test]
fn r7_a_new_output_records_its_inputs_and_the_definitions_it_uses() {
    let (folder, _, joint) = on_disk();
    let output = folder.path().join("mine");
    let butler = Butler::open(
        std::slice::from_ref(&joint),
        std::slice::from_ref(&output),
        options(),
    )
    .unwrap();
    put(
        &butler,
        &wcs(170.0),
        "jointcal_wcs",
        "visit=903334 ccd=16 tract=5",
    );
    drop(butler);
    let alone = Butler::open(&[output], &[], options()).unwrap();
    assert_eq!(
        right_ascension(&get(&alone, "jointcal_wcs", "visit=903334 ccd=16 tract=5")),
        170.0
    );
    assert_eq!(alone.repositories().len(), 3);
}

#[test]
fn r7_an_existing_output_takes_strangers_as_parents_only_when_told() {
    let (folder, single, _) = on_disk();
    let output = folder.path().join("mine");
    Butler::init(&output, &[], &[]).unwrap();
    let refused = Butler::open(
        std::slice::from_ref(&single),
        std::slice::from_ref(&output),
        options(),
    );
    let said = said(refused.map(|_| ()));
    assert!(
        said.contains("does not have these inputs as its parents"),
        "{said}"
    );
    let told = ButlerOptions {
        add_parents: true,
        ..options()
    };
    Butler::open(
        std::slice::from_ref(&single),
        std::slice::from_ref(&output),
        told,
    )
    .unwrap();
    let alone = Butler::open(&[output], &[], options()).unwrap();
    assert_eq!(
        get(&alone, "calexp:sfm", "visit=903334 ccd=16").class(),
        "Exposure"
    );
}

#[test]
fn r8_one_type_owns_an_artifact_and_another_python_is_a_part_of_it() {
    let place = Place::new(
        "repo",
        r#"
datasets:
  calexp: {template: "calexp/%(visit)d.fits", python: ExposureF, storage: FitsStorage}
  calexp_wcs: {template: "calexp/%(visit)d.fits", python: lsst.afw.image.Wcs, storage: FitsStorage}
  other: {template: "calexp/%(number)d.fits", python: ExposureF, storage: FitsStorage}
"#,
    );
    let butler = butler(&[&place], 1);
    put(&butler, &exposure(1.0), "calexp", "visit=1");
    assert_eq!(
        right_ascension(&get(&butler, "calexp_wcs", "visit=1")),
        149.0
    );
    let said = said(try_put(&butler, &exposure(5.0), "other", "number=1"));
    assert!(said.contains("calexp visit=1 owns it"), "{said}");
    assert!(
        get(&butler, "calexp", "visit=1")
            .difference(exposure(1.0).as_ref())
            .is_none()
    );
}

#[test]
fn fsck_names_what_is_gone_and_what_was_changed() {
    let pair = Pair::new();
    pair.put_parts(0);
    let path = "jointcal/0000/wcs-0903334-016.fits";
    let artifact = pantler::core::ArtifactPath::new(path).unwrap();
    pair.joint.store.delete(&[artifact]).unwrap();
    let mut broken = pair.joint.bytes_of("jointcal/0000/calib-0903334-016.fits");
    let last = broken.len() - 1;
    broken[last] ^= 1;
    write(
        pair.joint.store.as_ref(),
        "jointcal/0000/calib-0903334-016.fits",
        &broken,
    );
    let butler = pair.butler();
    let shallow = butler.fsck(Default::default()).unwrap();
    assert_eq!(shallow.problems.len(), 1);
    assert_eq!(
        (
            shallow.problems[0].kind,
            shallow.problems[0].location.as_str()
        ),
        (ProblemKind::Gone, path)
    );
    let deep = butler
        .fsck(FsckOptions {
            deep: true,
            repair: false,
        })
        .unwrap();
    let kinds: Vec<ProblemKind> = deep.problems.iter().map(|problem| problem.kind).collect();
    assert!(
        kinds.contains(&ProblemKind::Gone) && kinds.contains(&ProblemKind::Corrupt),
        "{kinds:?}"
    );
    insta::assert_snapshot!(said(try_get(&pair.butler(), "jointcal_wcs", "visit=903334 ccd=16 tract=0")), @"
    error: the file of `jointcal_wcs` is gone
      asked for  jointcal_wcs visit=903334 ccd=16 tract=0
      looked in  1. jointcal  in its registry, but jointcal/0000/wcs-0903334-016.fits is gone

    hint: `pantler fsck jointcal` lists every file that is gone
    ");
}

#[test]
fn a_users_own_file_is_never_overwritten_nor_removed() {
    let pair = Pair::new();
    let path = "jointcal/0000/wcs-0903334-016.fits";
    write(pair.joint.store.as_ref(), path, b"mine");
    let said = said(try_put(
        &pair.butler(),
        &wcs(1.0),
        "jointcal_wcs",
        "visit=903334 ccd=16 tract=0",
    ));
    assert!(
        said.contains("a file that the registry does not know"),
        "{said}"
    );
    let report = pair
        .butler()
        .fsck(FsckOptions {
            deep: false,
            repair: true,
        })
        .unwrap();
    assert_eq!(report.leftover, [path]);
    assert_eq!(pair.joint.bytes_of(path), b"mine");
}

#[test]
fn r3_two_inputs_with_different_aliases_are_an_error_that_names_both() {
    let (folder, single, joint) = on_disk();
    let other = folder.path().join("other");
    let policy = PolicyText {
        file: "policy.yaml".into(),
        text: "aliases: {calexp: \"calexp:sfm\"}\n".into(),
    };
    Butler::init(&other, &[policy], std::slice::from_ref(&single)).unwrap();
    let butler = Butler::open(&[joint, other], &[], options()).unwrap();
    let said = said(try_get(&butler, "calexp", "visit=903334 ccd=16"));
    assert!(
        said.contains("means different things in two inputs"),
        "{said}"
    );
    assert!(
        said.contains("calexp:jointcal in ") && said.contains("calexp:sfm in "),
        "{said}"
    );
}

#[test]
fn opening_what_is_no_repository_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("nowhere");
    let said_missing = said(Butler::open(&[missing], &[], options()).map(|_| ()));
    assert!(
        said_missing.contains("there is no such folder"),
        "{said_missing}"
    );
    let said_empty = said(Butler::open(&[folder.path().to_path_buf()], &[], options()).map(|_| ()));
    assert!(
        said_empty.contains("without `.pantler/repository.json`"),
        "{said_empty}"
    );
}

#[test]
fn a_part_index_that_is_not_that_of_the_file_is_read_anew() {
    let folder = tempfile::tempdir().unwrap();
    let policy = pantler::core::policy::PolicyText {
        file: "policy.yaml".into(),
        text: SINGLE_VISIT.to_owned(),
    };
    let root = folder.path().join("repository");
    Butler::init(&root, &[policy], &[]).unwrap();
    let open = || Butler::open(&[], std::slice::from_ref(&root), options()).unwrap();
    for ccd in [16, 17] {
        put(
            &open(),
            &exposure(1.0),
            "calexp:sfm",
            &format!("visit=903334 ccd={ccd}"),
        );
    }
    let deep = |repair| {
        let options = FsckOptions { deep: true, repair };
        open().fsck(options).unwrap()
    };
    assert!(deep(false).is_clean(), "{:?}", deep(false));
    let index = rusqlite::Connection::open(root.join(".pantler/registry.sqlite")).unwrap();
    let changed = index.execute("UPDATE layout SET body = X'00'", []).unwrap();
    assert_eq!(changed, 1, "equal layouts are kept once");
    drop(index);
    let kinds = |problems: &[pantler::fsck::FsckProblem]| -> Vec<ProblemKind> {
        problems.iter().map(|problem| problem.kind).collect()
    };
    let both = [ProblemKind::PartIndex, ProblemKind::PartIndex];
    assert_eq!(kinds(&deep(false).problems), both);
    let mended = deep(true);
    assert!(mended.is_clean());
    assert_eq!(kinds(&mended.mended), both);
    let after = deep(false);
    assert!(after.is_clean() && after.mended.is_empty(), "{after:?}");
    let read = get(&open(), "calexp:sfm", "visit=903334 ccd=16");
    assert_eq!(read.difference(exposure(1.0).as_ref()), None);
}
