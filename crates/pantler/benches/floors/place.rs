//! A repository to measure in: notes with four whole numbers as their data ID, and a composite of three of them.

use std::path::PathBuf;
use std::sync::Arc;

use pantler::core::policy::PolicyText;
use pantler::core::registry::{FindRequest, Provenance};
use pantler::core::{DatasetId, DatasetRecord, TypeName};
use pantler::objects::Document;
use pantler::{Butler, ButlerOptions, DataId, KeyValue, ObjectRef, PutOptions};

const POLICY: &str = "\
keys: {visit: {type: int}, ccd: {type: int}, tract: {type: int}, patch: {type: int}}
datasets:
  note: {template: 'note/%(tract)d/%(patch)d/%(visit)d/%(ccd)d.json', python: dict, storage: JsonStorage}
  seeing: {template: 'seeing/%(tract)d/%(patch)d/%(visit)d/%(ccd)d.json', python: dict, storage: JsonStorage}
  clouds: {template: 'clouds/%(tract)d/%(patch)d/%(visit)d/%(ccd)d.json', python: dict, storage: JsonStorage}
  night:
    composite:
      note: {datasetType: note}
      seeing: {datasetType: seeing}
      clouds: {datasetType: clouds}
      assembler: pantler.container
      disassembler: pantler.container
";

/// The datasets that have files; the others stand in the index alone.
pub const WITH_FILES: i64 = 1_000;

/// A repository in a folder of its own.
pub struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    /// Makes an empty one.
    pub fn new() -> Place {
        let place = Place {
            folder: tempfile::tempdir().expect("a folder can be made"),
        };
        let policy = PolicyText {
            file: "policy.yaml".into(),
            text: POLICY.to_owned(),
        };
        Butler::init(&place.root(), &[policy], &[]).expect("a repository can be made");
        place
    }

    /// Makes one with so many notes in its index, none of which has a file.
    pub fn filled(count: i64) -> Place {
        let place = Place::new();
        let pattern = place.pattern("note");
        place.insert((0..count).map(|number| DatasetRecord {
            id: identity(),
            data_id: data_id(number),
            ..pattern.clone()
        }));
        place
    }

    /// Returns its root.
    pub fn root(&self) -> PathBuf {
        self.folder.path().join("repository")
    }

    /// Returns a folder beside it.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns the bytes of its index, with nothing left in the journal.
    pub fn index_bytes(&self) -> u64 {
        let file = self.root().join(".pantler/registry.sqlite");
        let connection = rusqlite::Connection::open(&file).expect("it is there");
        connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .expect("nobody else has it open");
        std::fs::metadata(file).expect("it is there").len()
    }

    /// Opens it, with no memory for objects.
    pub fn butler(&self) -> Butler {
        let options = ButlerOptions {
            cache_bytes: 0,
            ..ButlerOptions::default()
        };
        Butler::open(&[], &[self.root()], options).expect("it can be opened")
    }

    /// Puts one dataset and takes it away again; returns how it was recorded.
    pub fn pattern(&self, dataset_type: &str) -> DatasetRecord {
        let butler = self.butler();
        let away = data_id(-1);
        butler
            .put(&note(0), dataset_type, &away, &PutOptions::default())
            .expect("it can be put");
        let registry = butler.repositories()[0].registry();
        let request = FindRequest {
            dataset_type: TypeName::new(dataset_type).expect("it is a name"),
            data_id: away,
            limit: 1,
        };
        let found = registry.find_many(&[request]).expect("it can be asked");
        let record = found[0][0].clone();
        let mut transaction = registry.begin().expect("it can be written");
        transaction.remove(&[record.id]).expect("it is there");
        transaction.commit().expect("it can be written");
        record
    }

    /// Adds rows to the index.
    pub fn insert(&self, records: impl Iterator<Item = DatasetRecord>) {
        let butler = self.butler();
        let registry = butler.repositories()[0].registry();
        let mut transaction = registry.begin().expect("it can be written");
        let mut records = records.peekable();
        while records.peek().is_some() {
            let some: Vec<DatasetRecord> = records.by_ref().take(10_000).collect();
            transaction
                .insert(&some, &provenance())
                .expect("they are new");
        }
        transaction.commit().expect("it can be written");
    }
}

/// Returns who fills an index.
pub fn provenance() -> Provenance {
    Provenance {
        action: "ingest".into(),
        time: "2026-01-01T00:00:00Z".into(),
        user: "ada".into(),
        host: "here".into(),
        version: "0.1.0".into(),
        notes: Vec::new(),
    }
}

/// Returns a new identity.
pub fn identity() -> DatasetId {
    DatasetId::new(uuid::Uuid::now_v7())
}

/// Returns the data ID of a number: 100 detectors a visit, 25 visits a patch, 81 patches a tract.
pub fn data_id(number: i64) -> DataId {
    let [tract, patch, visit, ccd] = values(number);
    DataId::new([
        ("tract", KeyValue::Int(tract)),
        ("patch", KeyValue::Int(patch)),
        ("visit", KeyValue::Int(visit)),
        ("ccd", KeyValue::Int(ccd)),
    ])
}

/// Returns tract, patch, visit and detector of a number.
pub fn values(number: i64) -> [i64; 4] {
    let visit = number.div_euclid(100);
    let patch = visit.div_euclid(25);
    [
        9_000 + patch.div_euclid(81),
        patch.rem_euclid(81),
        900_000 + visit,
        number.rem_euclid(100),
    ]
}

/// Returns where the file of a number lies.
pub fn path(dataset_type: &str, number: i64) -> String {
    let [tract, patch, visit, ccd] = values(number);
    format!("{dataset_type}/{tract}/{patch}/{visit}/{ccd}.json")
}

/// Returns a small document.
pub fn note(number: i64) -> ObjectRef {
    Arc::new(Document::new(serde_json::json!({
        "number": number,
        "seeing": 0.7,
        "comment": "clear until midnight",
        "guides": [1, 2, 3],
    })))
}
