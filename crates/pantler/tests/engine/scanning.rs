//! Folders without an index (rule R19): found by the names of files, recorded by what is in them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pantler::core::registry::{DefinitionVersion, FindRequest};
use pantler::core::template::Template;
use pantler::core::{DatasetId, DatasetRecord, Digest, KeyType, Registry, Store, TypeName};
use pantler::fsck::FsckOptions;
use pantler::registry::{ScannedRegistry, ScannedType};
use pantler::store::{CountingStore, LocalStore, MemoryStore};
use pantler::{Butler, Composition, DataId, Error, IngestMode, IngestOptions, PutOptions, Query};

use crate::support::{
    JOINTCAL, SINGLE_VISIT, calib, exposure, get, id, options, put, said, wcs, write,
};

/// Makes a folder of files of these datasets, as if templates had named them, and scans it.
fn scanned(_: &Path, datasets: &[DatasetRecord]) -> Box<dyn Registry> {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new("scanned"));
    let mut types: Vec<ScannedType> = Vec::new();
    for record in datasets {
        let definition = &record.definition;
        let template = template(definition);
        let path = template.fill(&record.data_id).unwrap().path;
        write(store.as_ref(), path.as_str(), [0; 100].as_slice());
        if !types.iter().any(|known| known.definition == *definition) {
            types.push(ScannedType {
                definition: definition.clone(),
                template,
            });
        }
    }
    Box::new(ScannedRegistry::new(store, types))
}

fn template(definition: &DefinitionVersion) -> Template {
    let conversion = |(key, key_type): &(String, KeyType)| match key_type {
        KeyType::Int => format!("%({key})d"),
        _ => format!("%({key})s"),
    };
    let mut parts = vec![definition.dataset_type.as_str().replace(':', "_")];
    parts.extend(definition.keys.iter().map(conversion));
    Template::parse(&format!("{}.fits", parts.join("/"))).unwrap()
}

pantler_testkit::registry_reading_conformance!(r19_scanned_folder, scanned);

fn calexp_type() -> ScannedType {
    let template = Template::parse("calexp/%(visit)07d/%(ccd)03d.fits").unwrap();
    ScannedType {
        definition: Arc::new(DefinitionVersion {
            dataset_type: TypeName::new("calexp").unwrap(),
            keys: template.keys().to_vec(),
            template: Some(template.text().to_owned()),
            storage: Some("FitsStorage".to_owned()),
            python: None,
            assembler: None,
            extra: None,
        }),
        template,
    }
}

fn find(registry: &ScannedRegistry, data_id: &str) -> Vec<DatasetRecord> {
    let request = FindRequest {
        dataset_type: TypeName::new("calexp").unwrap(),
        data_id: DataId::parse(data_id).unwrap_or_default(),
        limit: 100,
    };
    registry.find_many(&[request]).unwrap().remove(0)
}

#[test]
fn a_complete_data_id_lists_no_folder_and_a_partial_one_only_its_own() {
    let store = Arc::new(CountingStore::new(MemoryStore::new("scanned")));
    for path in [
        "calexp/0000001/002.fits",
        "calexp/0000002/002.fits",
        "other/x.fits",
    ] {
        write(store.as_ref(), path, b"some bytes".as_slice());
    }
    let counted: Arc<dyn Store> = store.clone();
    let registry = ScannedRegistry::new(counted, vec![calexp_type()]);
    let before = store.counts().calls.list;
    assert_eq!(find(&registry, "visit=1 ccd=2").len(), 1);
    assert_eq!(store.counts().calls.list, before);
    assert_eq!(find(&registry, "visit=2").len(), 1);
    assert_eq!(find(&registry, "visit=3").len(), 0);
    assert_eq!(find(&registry, "").len(), 2);
}

#[test]
fn files_that_come_and_go_are_seen_and_other_names_are_none_of_its_business() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new("scanned"));
    let registry = ScannedRegistry::new(store.clone(), vec![calexp_type()]);
    assert_eq!(find(&registry, "").len(), 0);
    write(
        store.as_ref(),
        "calexp/0000001/002.fits.gz",
        b"wrapped".as_slice(),
    );
    // Not what the template prints, so that a get by data ID would not find it.
    write(
        store.as_ref(),
        "calexp/1/3.fits",
        b"other padding".as_slice(),
    );
    write(
        store.as_ref(),
        "calexp/0000001/notes.txt",
        b"notes".as_slice(),
    );
    let wrapped = find(&registry, "visit=1 ccd=2");
    assert_eq!(find(&registry, ""), wrapped);
    let place = |found: &[DatasetRecord]| {
        let artifact = found[0].artifact.clone().unwrap();
        artifact.location.map(|location| location.to_string())
    };
    assert_eq!(
        place(&wrapped).as_deref(),
        Some("calexp/0000001/002.fits.gz")
    );
    write(
        store.as_ref(),
        "calexp/0000001/002.fits",
        b"bare".as_slice(),
    );
    let bare = find(&registry, "visit=1 ccd=2");
    assert_eq!(place(&bare), None, "the template's own path comes first");
    assert_eq!(find(&registry, "visit=1"), bare);
    assert_ne!(bare[0].id, wrapped[0].id);
    assert!(bare[0].id.is_stamp());
}

#[test]
fn it_cannot_be_written() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new("scanned"));
    let registry = ScannedRegistry::new(store, vec![calexp_type()]);
    assert!(registry.begin().is_err());
}

/// Files of single-visit processing as somebody copied them, with the policy, and jointcal's repository on top of it.
struct Folders {
    folder: tempfile::TempDir,
}

impl Folders {
    fn new() -> Folders {
        let folders = Folders {
            folder: tempfile::tempdir().unwrap(),
        };
        let made = folders.path("made");
        policy(&made, SINGLE_VISIT);
        let butler = folders.open(&[], &["made"]);
        for ccd in [16, 17] {
            put(
                &butler,
                &exposure(ccd as f32),
                "calexp:sfm",
                &format!("visit=903334 ccd={ccd}"),
            );
        }
        drop(butler);
        std::fs::remove_dir_all(made.join(".pantler")).unwrap();
        std::fs::rename(made, folders.path("data")).unwrap();
        policy_file(&folders.path("jointcal.yaml"), JOINTCAL);
        Butler::init(
            &folders.path("jointcal"),
            &[text(JOINTCAL)],
            &[folders.path("data")],
        )
        .unwrap();
        folders
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn open(&self, inputs: &[&str], outputs: &[&str]) -> Butler {
        let paths = |names: &[&str]| names.iter().map(|name| self.path(name)).collect::<Vec<_>>();
        Butler::open(&paths(inputs), &paths(outputs), options())
            .unwrap_or_else(|error| panic!("{}", error.report()))
    }

    /// Puts the coordinates and the calibration, and links the composite.
    fn linked(&self) -> Butler {
        let butler = self.open(&[], &["jointcal"]);
        put(
            &butler,
            &wcs(150.0),
            "jointcal_wcs",
            "tract=0 visit=903334 ccd=16",
        );
        put(
            &butler,
            &calib(1e12),
            "jointcal_calib",
            "tract=0 visit=903334 ccd=16",
        );
        butler
            .link(
                "calexp:jointcal",
                &id("tract=0 visit=903334 ccd=16"),
                &PutOptions::default(),
            )
            .unwrap_or_else(|error| panic!("{}", error.report()));
        butler
    }

    fn calexp(&self, ccd: u32) -> PathBuf {
        self.path(&format!("data/calexp/0903334/{ccd:03}.fits"))
    }

    fn recorded(&self) -> Vec<DatasetId> {
        let butler = self.open(&["jointcal"], &[]);
        let record = butler.repositories()[0]
            .registry()
            .find_many(&[FindRequest {
                dataset_type: TypeName::new("calexp:jointcal").unwrap(),
                data_id: id("tract=0 visit=903334 ccd=16"),
                limit: 1,
            }]);
        let record = record.unwrap().remove(0).remove(0);
        record.members.iter().map(|member| member.dataset).collect()
    }
}

fn text(policy: &str) -> pantler::core::policy::PolicyText {
    pantler::core::policy::PolicyText {
        file: "policy.yaml".into(),
        text: policy.to_owned(),
    }
}

fn policy(folder: &Path, policy: &str) {
    Butler::init(folder, &[text(policy)], &[]).unwrap();
}

fn policy_file(file: &Path, policy: &str) {
    std::fs::write(file, policy).unwrap();
}

const ROOT: &str = "tract=0 visit=903334 ccd=16";

#[test]
fn r19_a_folder_with_a_policy_is_read_by_the_names_of_its_files() {
    let folders = Folders::new();
    let butler = folders.open(&["data"], &[]);
    let object = get(&butler, "calexp:sfm", "visit=903334 ccd=17");
    assert_eq!(object.difference(exposure(17.0).as_ref()), None);
    let query = Query {
        name: Some("calexp:sfm".to_owned()),
        ..Query::default()
    };
    let rows = butler.query(&query).unwrap();
    let seen: Vec<String> = rows.iter().map(|row| row.data_id.to_string()).collect();
    assert_eq!(seen, ["visit=903334 ccd=16", "visit=903334 ccd=17"]);
    let digest = Digest::of(&std::fs::read(folders.calexp(16)).unwrap());
    let expected = DatasetId::derived(&rows[0].dataset_type, &rows[0].data_id, &digest);
    assert_eq!(butler.identities(&rows).unwrap()[0], Some(expected));
    let report = butler
        .fsck(FsckOptions {
            deep: true,
            repair: false,
        })
        .unwrap();
    assert!(
        report.is_clean() && report.leftover.is_empty(),
        "{report:?}"
    );
    assert_eq!(report.checked, 2);
    assert!(
        !folders.path("data/.pantler").exists(),
        "nothing was written"
    );
}

#[test]
fn r19_the_identity_is_the_same_in_a_copy_and_another_after_a_change() {
    let folders = Folders::new();
    let identities = |folder: &str| {
        let butler = folders.open(&[folder], &[]);
        let rows = butler.query(&Query::default()).unwrap();
        butler.identities(&rows).unwrap()
    };
    let before = identities("data");
    assert_eq!(before.iter().flatten().collect::<BTreeSet<_>>().len(), 2);
    std::fs::rename(folders.path("data"), folders.path("elsewhere")).unwrap();
    assert_eq!(identities("elsewhere"), before);
    let changed = folders.path("elsewhere/calexp/0903334/017.fits");
    std::fs::copy(folders.path("elsewhere/calexp/0903334/016.fits"), changed).unwrap();
    let after = identities("elsewhere");
    assert_eq!(after[0], before[0]);
    assert_ne!(after[1], before[1]);
}

#[test]
fn r19_a_composition_is_recorded_by_what_the_files_hold() {
    let folders = Folders::new();
    let butler = folders.linked();
    let whole = get(&butler, "calexp:jointcal", ROOT);
    let direct = exposure(16.0);
    let planes = |object: &pantler::ObjectRef| object.component("image").unwrap();
    assert_eq!(planes(&whole).difference(planes(&direct).as_ref()), None);
    let digest = Digest::of(&std::fs::read(folders.calexp(16)).unwrap());
    let calexp = TypeName::new("calexp:sfm").unwrap();
    let derived = DatasetId::derived(&calexp, &id("visit=903334 ccd=16"), &digest);
    let recorded = folders.recorded();
    assert!(recorded.contains(&derived), "{recorded:?}");
    assert!(recorded.iter().all(|id| !id.is_stamp()));
    // Linked again it is the same, by this butler and by another.
    for butler in [butler, folders.open(&[], &["jointcal"])] {
        let again = butler.link("calexp:jointcal", &id(ROOT), &PutOptions::default());
        assert_eq!(again.unwrap().unchanged.len(), 1);
    }
    let plan = folders.open(&["jointcal"], &[]);
    let plan = plan
        .explain("calexp:jointcal", &id(ROOT), Composition::Recorded)
        .unwrap();
    assert_eq!(plan.root.children().len(), 3);
}

#[test]
fn r19_a_recorded_file_that_was_changed_is_gone() {
    let folders = Folders::new();
    drop(folders.linked());
    // The same size at the same place: only its content tells.
    std::fs::copy(folders.calexp(17), folders.calexp(16)).unwrap();
    let butler = folders.open(&["jointcal"], &[]);
    let error = crate::support::try_get(&butler, "calexp:jointcal", ROOT);
    assert!(
        matches!(error, Err(Error::RecordedGone { .. })),
        "{}",
        said(error)
    );
    let deep = FsckOptions {
        deep: true,
        repair: false,
    };
    assert!(!butler.fsck(deep).unwrap().is_clean());
    let ignored = butler.explain("calexp:jointcal", &id(ROOT), Composition::Lookup);
    assert!(ignored.is_ok());
}

#[test]
fn r19_what_was_recorded_is_found_after_the_folder_has_an_index() {
    let folders = Folders::new();
    drop(folders.linked());
    let before = folders.recorded();
    Butler::init(&folders.path("data"), &[], &[]).unwrap();
    let butler = folders.open(&[], &["data"]);
    let files = butler.files_in_place("calexp:sfm").unwrap();
    let options = IngestOptions {
        mode: IngestMode::InPlace,
        ..IngestOptions::default()
    };
    let report = butler.ingest("calexp:sfm", &files, &DataId::default(), &options, &|_| {});
    assert_eq!(report.unwrap().ingested, 2);
    let rows = butler.query(&Query::default()).unwrap();
    assert_eq!(rows[0].location.as_deref(), Some("calexp/0903334/016.fits"));
    drop(butler);
    let butler = folders.open(&[], &["jointcal"]);
    let whole = get(&butler, "calexp:jointcal", ROOT);
    assert_eq!(whole.class(), "Exposure");
    let again = butler.link("calexp:jointcal", &id(ROOT), &PutOptions::default());
    assert_eq!(again.unwrap().unchanged.len(), 1);
    assert_eq!(folders.recorded(), before);
    assert!(
        butler
            .fsck(FsckOptions {
                deep: true,
                repair: false
            })
            .unwrap()
            .is_clean()
    );
}

#[test]
fn an_object_of_a_scanned_folder_that_is_put_back_is_recorded_and_not_written() {
    let folders = Folders::new();
    let butler = folders.linked();
    let whole = get(&butler, "calexp:jointcal", ROOT);
    let other = id("tract=1 visit=903334 ccd=16");
    let result = butler.put(&whole, "calexp:jointcal", &other, &PutOptions::default());
    let result = result.unwrap_or_else(|error| panic!("{}", error.report()));
    assert_eq!(result.input_only, ["calexp"]);
    assert!(!folders.path("jointcal/calexp").exists());
}

#[test]
fn a_folder_without_an_index_refuses_changes_and_says_what_to_do() {
    let folders = Folders::new();
    let error = Butler::open(&[], &[folders.path("data")], options());
    let text = said(error.map(|_| ()));
    assert!(text.contains("has no index"), "{text}");
    assert!(text.contains("calexp:sfm --mode in-place"), "{text}");
    let plain = folders.path("plain");
    std::fs::create_dir(&plain).unwrap();
    let text = said(Butler::open(&[plain], &[], options()).map(|_| ()));
    assert!(text.contains("policy.yaml"), "{text}");
}

#[test]
fn real_exposures_are_read_where_they_lie() {
    let names = ["exposure-version-1.fits", "exposure-version-2.fits"];
    let found = names.map(|name| pantler_testkit::test_data(&format!("exposures/{name}")));
    let [Some(first), Some(_)] = found else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for name in names {
        let from = first.with_file_name(name);
        std::fs::copy(from, folder.path().join(name)).unwrap();
    }
    policy_file(
        &folder.path().join("policy.yaml"),
        "datasets:\n  exposure: {template: 'exposure-version-%(number)d.fits', python: lsst.afw.image.ExposureF, storage: FitsStorage}\nkeys: {number: {type: int}}\n",
    );
    let butler = Butler::open(&[folder.path().to_path_buf()], &[], options()).unwrap();
    assert_eq!(butler.query(&Query::default()).unwrap().len(), 2);
    let image = get(&butler, "exposure.image", "number=2");
    assert_eq!(image.class(), "Image");
    let store = LocalStore::open(folder.path()).unwrap();
    assert_eq!(store.list(None).count(), 3, "nothing was written");
}
