//! Chains of real folders: moved, linked, written with a slash, built on one another in every way; and repositories that are
//! only read stay as they are to the last byte.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use pantler::core::policy::PolicyText;
use pantler::core::{Registry, Store};
use pantler::fsck::FsckOptions;
use pantler::registry::Access;
use pantler::store::CountingStore;
use pantler::{Butler, ButlerOptions, OnConflict, Parameters, PutOptions, Query};

use super::support::*;

fn init(root: &Path, policy: &str, parents: &[&Path]) {
    let policy = PolicyText {
        file: "policy.yaml".into(),
        text: policy.into(),
    };
    let parents: Vec<PathBuf> = parents.iter().map(|parent| parent.to_path_buf()).collect();
    Butler::init(root, &[policy], &parents).unwrap_or_else(|error| panic!("{}", error.report()));
}

fn opened(inputs: &[&Path], outputs: &[&Path]) -> Butler {
    let paths =
        |roots: &[&Path]| -> Vec<PathBuf> { roots.iter().map(|root| root.to_path_buf()).collect() };
    Butler::open(&paths(inputs), &paths(outputs), options())
        .unwrap_or_else(|error| panic!("{}", error.report()))
}

/// `single` with one exposure and `joint` over it, in a folder.
fn pair(folder: &Path) -> (PathBuf, PathBuf) {
    let (single, joint) = (folder.join("single"), folder.join("joint"));
    init(&single, SINGLE_VISIT, &[]);
    init(&joint, JOINTCAL, &[&single]);
    let butler = opened(&[], &[&single]);
    put(&butler, &exposure(1.0), "calexp:sfm", "visit=903334 ccd=16");
    let butler = opened(&[], &[&joint]);
    put(&butler, &wcs(151.0), "jointcal_wcs", DATA_ID);
    put(&butler, &calib(1e12), "jointcal_calib", DATA_ID);
    (single, joint)
}

fn works(butler: &Butler) {
    let object = get(butler, "calexp:jointcal", DATA_ID);
    assert_eq!(right_ascension(&object), 151.0);
}

#[test]
fn r7_a_child_and_its_parent_are_moved_together() {
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("old");
    std::fs::create_dir(&old).unwrap();
    pair(&old);
    let new = folder.path().join("archive/2026");
    std::fs::create_dir_all(new.parent().unwrap()).unwrap();
    std::fs::rename(&old, &new).unwrap();
    let butler = opened(&[&new.join("joint")], &[]);
    works(&butler);
    let roots: Vec<&str> = butler
        .repositories()
        .iter()
        .map(|repository| repository.root())
        .collect();
    assert!(
        roots.iter().all(|root| root.contains("archive/2026")),
        "{roots:?}"
    );
}

#[test]
fn r7_a_parent_that_is_not_there_any_more_is_named_with_its_child() {
    let folder = tempfile::tempdir().unwrap();
    let (single, joint) = pair(folder.path());
    std::fs::rename(&single, folder.path().join("elsewhere")).unwrap();
    let said = said(Butler::open(std::slice::from_ref(&joint), &[], options()));
    assert!(said.contains("single"), "{said}");
    assert!(said.contains("joint"), "{said}");
}

/// A link leads to the repository, and from there to its parents: not to what has the same name beside the link.
#[test]
fn r7_a_root_behind_a_symbolic_link_finds_its_own_parents() {
    let folder = tempfile::tempdir().unwrap();
    let real = folder.path().join("real");
    let links = folder.path().join("links");
    std::fs::create_dir(&real).unwrap();
    std::fs::create_dir(&links).unwrap();
    let (single, joint) = pair(&real);
    std::os::unix::fs::symlink(&joint, links.join("joint")).unwrap();
    works(&opened(&[&links.join("joint")], &[]));
    // A stranger of the parent's name lies beside the link.
    init(&links.join("single"), SINGLE_VISIT, &[]);
    let butler = opened(&[&links.join("joint")], &[]);
    works(&butler);
    assert_eq!(
        Path::new(butler.repositories()[1].root()),
        single.canonicalize().unwrap()
    );
}

#[test]
fn one_repository_by_several_names_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let (single, joint) = pair(folder.path());
    let slash = PathBuf::from(format!("{}/", single.display()));
    let dots = joint.join("../single/.");
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&single, &link).unwrap();
    let butler = opened(&[&slash, &single, &dots, &link, &joint], &[]);
    assert_eq!(butler.repositories().len(), 2);
    works(&butler);
    // As an output as well: it is no stranger to its own child.
    let butler = opened(
        &[&slash],
        &[&PathBuf::from(format!("{}/", joint.display()))],
    );
    assert_eq!(butler.repositories().len(), 2);
    works(&butler);
}

/// Left and right build on the ground, top on both; what right replaced is not found in its old form behind left.
#[test]
fn r17_in_a_diamond_the_ground_stands_behind_all_that_build_on_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (ground, left, right, top) = (at("ground"), at("left"), at("right"), at("top"));
    init(&ground, JOINTCAL_PARTS, &[]);
    init(&left, "datasets: {}\n", &[&ground]);
    init(&right, "datasets: {}\n", &[&ground]);
    init(&top, "datasets: {}\n", &[&left, &right]);
    for (root, tract, place) in [(&ground, 0, 150.0), (&ground, 1, 151.0), (&right, 1, 161.0)] {
        let data_id = format!("visit=1 ccd=1 tract={tract}");
        put(&opened(&[], &[root]), &wcs(place), "jointcal_wcs", &data_id);
    }
    let butler = opened(&[&top], &[]);
    let names: Vec<String> = butler
        .repositories()
        .iter()
        .map(|one| one.root().to_owned())
        .collect();
    let last: Vec<&str> = names
        .iter()
        .map(|name| name.rsplit('/').next().unwrap())
        .collect();
    assert_eq!(last, ["top", "left", "right", "ground"]);
    let found = |tract: i64| {
        let data_id = format!("visit=1 ccd=1 tract={tract}");
        right_ascension(&get(&butler, "jointcal_wcs", &data_id))
    };
    assert_eq!((found(0), found(1)), (150.0, 161.0));
    // The same with both named instead of a top.
    let both = opened(&[&left, &right], &[]);
    assert_eq!(
        right_ascension(&get(&both, "jointcal_wcs", "visit=1 ccd=1 tract=1")),
        161.0
    );
}

const JOINTCAL_PARTS: &str = r#"
datasets:
  jointcal_wcs:
    template: "jointcal/%(tract)04d/wcs-%(visit)07d-%(ccd)03d.fits"
    python: lsst.afw.image.Wcs
    storage: FitsStorage
"#;

#[test]
fn repositories_that_name_each_other_as_parents_are_each_searched_once() {
    let folder = tempfile::tempdir().unwrap();
    let (single, joint) = pair(folder.path());
    let config = single.join(".pantler/repository.json");
    let text = std::fs::read_to_string(&config).unwrap();
    let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
    value["parents"] = serde_json::json!(["../joint"]);
    std::fs::write(&config, value.to_string()).unwrap();
    for root in [&single, &joint] {
        let butler = opened(&[root], &[]);
        assert_eq!(butler.repositories().len(), 2);
        works(&butler);
    }
}

/// Every file below a folder with its bytes and the time of its last change.
fn state(root: &Path) -> BTreeMap<PathBuf, (Vec<u8>, std::time::SystemTime)> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let modified = path.metadata().unwrap().modified().unwrap();
                files.insert(path.clone(), (std::fs::read(&path).unwrap(), modified));
            }
        }
    }
    files
}

type Counting = Arc<CountingStore<Arc<dyn Store>>>;

/// Permission bits mean nothing to root, who may run the tests: so it is counted that no call that writes is made, no
/// transaction is begun, and the folder is compared byte by byte.
#[test]
fn a_published_parent_is_only_read_whatever_is_done_with_its_child() {
    let folder = tempfile::tempdir().unwrap();
    let (single, joint) = pair(folder.path());
    let before = state(&single);
    let counting: Arc<Mutex<Vec<Counting>>> = Arc::default();
    let (kept, root) = (counting.clone(), single.canonicalize().unwrap());
    let opener = move |path: &Path, access: Access| {
        let (store, registry) = pantler::open_local(path, access)?;
        if path != root {
            return Ok((store, registry));
        }
        assert_eq!(access, Access::ReadOnly, "a parent is opened for reading");
        let store = Arc::new(CountingStore::new(store));
        kept.lock().unwrap().push(store.clone());
        let registry: Arc<dyn Registry> = registry;
        Ok((store as Arc<dyn Store>, registry))
    };
    let butler = Butler::open(
        &[],
        std::slice::from_ref(&joint),
        ButlerOptions {
            opener: Arc::new(opener),
            ..options()
        },
    )
    .unwrap_or_else(|error| panic!("{}", error.report()));
    works(&butler);
    let object = get(&butler, "calexp:jointcal", DATA_ID);
    put(&butler, &object, "calexp:jointcal", DATA_ID);
    let replacing = PutOptions {
        on_conflict: OnConflict::Replace,
        ..PutOptions::default()
    };
    let moved = object.with_component("wcs", &wcs(170.0)).unwrap();
    butler
        .put(&moved, "calexp:jointcal", &id(DATA_ID), &replacing)
        .unwrap();
    // The same type as the parent's, in front of it.
    put(&butler, &exposure(5.0), "calexp:sfm", "visit=903334 ccd=16");
    butler
        .query(&Query {
            name: Some("calexp:sfm".into()),
            ..Query::default()
        })
        .unwrap();
    let bytes = butler.export("calexp:jointcal", &id(DATA_ID)).unwrap();
    assert!(!bytes.provenance.is_empty());
    butler
        .get(
            "calexp:sfm.image",
            &id("visit=903334 ccd=16"),
            &Parameters::default(),
        )
        .unwrap();
    let report = butler
        .fsck(FsckOptions {
            deep: true,
            repair: true,
        })
        .unwrap();
    assert!(report.is_clean(), "{report:?}");
    let stores = counting.lock().unwrap();
    assert!(!stores.is_empty());
    for store in stores.iter() {
        let calls = store.counts().calls;
        assert!(
            calls.stat_many + calls.read_ranges > 0,
            "it was not read at all"
        );
        let writes = calls.stage + calls.adopt + calls.link + calls.sync + calls.delete;
        assert_eq!(writes, 0, "{calls:?}");
    }
    drop(butler);
    assert_eq!(state(&single), before);
}
