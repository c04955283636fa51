//! What the registries promise: the conformance suite for each of them and each wrapper, and what SQLite alone must keep.

mod migrating;
mod sqlite_cost;
mod sqlite_file;
mod sqlite_together;
mod wrappers;

use std::path::Path;
use std::sync::Arc;

use pantler_testkit::registry_conformance::filled_by_insertion;

use pantler_core::registry::{ArtifactRecord, DefinitionVersion, Provenance, State};
use pantler_core::{DataId, DatasetId, DatasetRecord, Digest, KeyType, Registry, TypeName};
use pantler_registry::{
    CountingRegistry, Fault, FaultyRegistry, Journal, MemoryRegistry, Options, SqliteRegistry,
};

fn sqlite(folder: &Path) -> SqliteRegistry {
    SqliteRegistry::create(&folder.join("registry.sqlite")).expect("a registry can be made here")
}

fn with_journal(folder: &Path, journal: Journal) -> SqliteRegistry {
    let options = Options {
        journal: Some(journal),
        ..Options::default()
    };
    let path = folder.join("registry.sqlite");
    SqliteRegistry::create_with(&path, options).expect("a registry can be made here")
}

pantler_testkit::registry_conformance!(memory, |_: &Path| -> Box<dyn Registry> {
    Box::new(MemoryRegistry::new())
});

pantler_testkit::registry_conformance!(sqlite_write_ahead, |folder: &Path| -> Box<dyn Registry> {
    Box::new(with_journal(folder, Journal::WriteAhead))
});

pantler_testkit::registry_conformance!(sqlite_rollback, |folder: &Path| -> Box<dyn Registry> {
    Box::new(with_journal(folder, Journal::Rollback))
});

pantler_testkit::registry_conformance!(counting, |_: &Path| -> Box<dyn Registry> {
    Box::new(CountingRegistry::new(MemoryRegistry::new()))
});

pantler_testkit::registry_conformance!(faulty, |_: &Path| -> Box<dyn Registry> {
    Box::new(FaultyRegistry::new(MemoryRegistry::new(), Fault::Never))
});

pantler_testkit::registry_conformance!(behind_pointers, |_: &Path| -> Box<dyn Registry> {
    let inner: Arc<dyn Registry> = Arc::new(MemoryRegistry::new());
    Box::new(Box::new(inner))
});

pantler_testkit::registry_reading_conformance!(
    memory_read,
    |_: &Path, datasets: &[DatasetRecord]| {
        filled_by_insertion(Box::new(MemoryRegistry::new()), datasets)
    }
);

pantler_testkit::registry_reading_conformance!(
    sqlite_read,
    |folder: &Path, datasets: &[DatasetRecord]| {
        filled_by_insertion(Box::new(sqlite(folder)), datasets)
    }
);

/// A type with four integer keys.
fn warp() -> Arc<DefinitionVersion> {
    typed("warp", &["tract", "patch", "visit", "ccd"])
}

fn typed(name: &str, keys: &[&str]) -> Arc<DefinitionVersion> {
    Arc::new(DefinitionVersion {
        dataset_type: TypeName::new(name).expect("it is a name"),
        keys: keys
            .iter()
            .map(|key| ((*key).to_owned(), KeyType::Int))
            .collect(),
        template: None,
        storage: Some("FitsStorage".to_owned()),
        python: None,
        assembler: None,
        extra: None,
    })
}

fn dataset(definition: &Arc<DefinitionVersion>, values: &[i64]) -> DatasetRecord {
    let keys = definition.keys.iter().map(|(key, _)| key.clone());
    DatasetRecord {
        id: DatasetId::new(uuid::Uuid::now_v7()),
        data_id: DataId::new(keys.zip(values.iter().map(|value| (*value).into()))),
        definition: Arc::clone(definition),
        artifact: Some(ArtifactRecord {
            location: None,
            bytes: 12_345_678,
            modified: None,
            digest: Some(Digest::of(format!("{values:?}").as_bytes())),
            layout: Some(Arc::from(&b"where the parts lie"[..])),
        }),
        members: Vec::new(),
        precursors: Vec::new(),
        metadata: DataId::default(),
        footprint: None,
        state: State::Current,
    }
}

fn provenance() -> Provenance {
    Provenance {
        action: "ingest".to_owned(),
        time: "2026-11-22T12:00:00Z".to_owned(),
        user: "jane".to_owned(),
        host: "kepler".to_owned(),
        version: "0.1.0".to_owned(),
        notes: Vec::new(),
    }
}

fn insert(registry: &dyn Registry, datasets: &[DatasetRecord]) {
    let mut transaction = registry.begin().expect("a transaction begins");
    transaction
        .insert(datasets, &provenance())
        .expect("these are new");
    transaction.commit().expect("it commits");
}

fn count(registry: &dyn Registry) -> u64 {
    let summary = registry.summary().expect("it sums up");
    summary.iter().map(|of| of.count).sum()
}
