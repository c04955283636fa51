//! What every registry promises, as tests: call [`registry_conformance!`](crate::registry_conformance!) for each one, wrappers
//! included, and [`registry_reading_conformance!`](crate::registry_reading_conformance!) for those that can only be read as well.
//!
//! Each case is a public function that is handed a way to make a fresh registry in a folder of its own. It asserts what the
//! contract says, and nothing about how a registry keeps it.

mod changing;
mod finding;
mod paging;
mod reading;
mod records;
mod together;

use std::ops::{ControlFlow, Deref};
use std::path::Path;
use std::sync::Arc;

use pantler_core::registry::{
    ArtifactRecord, DefinitionVersion, FindRequest, Member, Provenance, Registry, State,
};
use pantler_core::{DataId, DatasetId, DatasetRecord, KeyType, RegistryError, TypeName};

pub use changing::*;
pub use finding::*;
pub use paging::*;
pub use reading::*;
pub use records::*;
pub use together::*;

/// Makes an empty registry, in the folder if it needs one.
pub type Make<'m> = &'m dyn Fn(&Path) -> Box<dyn Registry>;

/// A fresh registry with the folder that it may live in.
struct Fresh {
    // Dropped before the folder, in which it may have open files.
    registry: Box<dyn Registry>,
    _folder: tempfile::TempDir,
}

impl Fresh {
    fn new(make: Make<'_>) -> Fresh {
        let folder = tempfile::tempdir().expect("a folder for the test");
        Fresh {
            registry: make(folder.path()),
            _folder: folder,
        }
    }
}

impl Deref for Fresh {
    type Target = dyn Registry;

    fn deref(&self) -> &(dyn Registry + 'static) {
        &*self.registry
    }
}

/// Makes a module with one test for each promise of a registry.
///
/// ```
/// # mod example {
/// use pantler_core::Registry;
/// use pantler_registry::MemoryRegistry;
///
/// pantler_testkit::registry_conformance!(memory, |_folder: &std::path::Path| {
///     Box::new(MemoryRegistry::new()) as Box<dyn Registry>
/// });
/// # }
/// ```
#[macro_export]
macro_rules! registry_conformance {
    ($module:ident, $make:expr) => {
        mod $module {
            #[allow(unused_imports, reason = "the expression may need nothing of its surroundings")]
            use super::*;

            $crate::registry_conformance!(@cases $make;
                finds_by_complete_data_ids
                finds_by_partial_data_ids
                answers_in_the_order_of_data_ids
                answers_at_most_the_limit
                answers_nothing_for_unknown_types_and_keys
                answers_every_request_of_a_large_batch
                tells_keys_apart_by_their_capitals
                keeps_the_three_types_of_keys
                takes_equal_values_of_other_types
                keeps_awkward_texts
                finds_by_identity
                keeps_types_without_keys
                pages_in_any_order_of_keys
                pages_narrow_by_keys_and_condition
                tells_the_key_sets_of_types
                r34_keeps_precursors
                keeps_columns_and_footprints
                visits_in_order
                visits_only_what_has_the_values
                stops_visiting_when_told
                visits_everything_by_identity
                keeps_records_whole
                keeps_definitions_by_version
                finds_under_old_and_new_keys
                tells_equal_keys_in_another_order_from_other_keys
                keeps_layouts
                keeps_members_in_order
                keeps_provenance
                sums_up
                refuses_duplicates_and_goes_on
                refuses_data_ids_that_do_not_fit
                r26_supersedes
                r35_takes_superseded_datasets
                relocates
                r30_records_digests_later
                records_layouts_anew
                changes_nothing_of_what_is_not_there
                r26_removes_and_leaves_compositions
                r26_finds_users
                sees_its_own_changes
                rolls_back_when_dropped
                hides_what_is_not_committed
                keeps_types_of_rolled_back_transactions_apart
                serialises_transactions
                reads_while_visiting
            );
        }
    };
    (@cases $make:expr; $($case:ident)*) => {
        $(
            #[test]
            fn $case() {
                $crate::registry_conformance::$case(&$make);
            }
        )*
    };
}

/// The values of a key, for making data IDs shortly: `id([("visit", 1.into())])`.
fn id<const N: usize>(entries: [(&str, pantler_core::KeyValue); N]) -> DataId {
    DataId::new(entries)
}

fn visit_ccd(visit: i64, ccd: i64) -> DataId {
    id([("visit", visit.into()), ("ccd", ccd.into())])
}

fn type_name(name: &str) -> TypeName {
    TypeName::new(name).expect("it is a name")
}

fn definition(name: &str, keys: &[(&str, KeyType)]) -> Arc<DefinitionVersion> {
    Arc::new(DefinitionVersion {
        dataset_type: type_name(name),
        keys: keys
            .iter()
            .map(|(key, of)| ((*key).to_owned(), *of))
            .collect(),
        template: Some(format!("{name}/file.fits")),
        storage: Some("FitsStorage".to_owned()),
        python: None,
        assembler: None,
        extra: None,
    })
}

/// A type with the keys `visit` and `ccd`.
fn calexp() -> Arc<DefinitionVersion> {
    definition(
        "calexp:sfm",
        &[("visit", KeyType::Int), ("ccd", KeyType::Int)],
    )
}

/// A file dataset with an identity of its own.
fn dataset(definition: &Arc<DefinitionVersion>, data_id: DataId) -> DatasetRecord {
    DatasetRecord {
        id: DatasetId::new(uuid::Uuid::now_v7()),
        data_id,
        definition: Arc::clone(definition),
        artifact: Some(artifact(100)),
        members: Vec::new(),
        precursors: Vec::new(),
        metadata: DataId::default(),
        footprint: None,
        state: State::Current,
    }
}

fn artifact(bytes: u64) -> ArtifactRecord {
    ArtifactRecord {
        location: None,
        bytes,
        modified: None,
        digest: None,
        layout: None,
    }
}

fn member(component: &str, of: &DatasetRecord) -> Member {
    Member {
        component: component.to_owned(),
        dataset: of.id,
        dataset_type: of.dataset_type().clone(),
        data_id: of.data_id.clone(),
        part: Vec::new(),
        input_only: false,
    }
}

/// A composite kept in parts.
fn composite(
    definition: &Arc<DefinitionVersion>,
    data_id: DataId,
    members: Vec<Member>,
) -> DatasetRecord {
    DatasetRecord {
        artifact: None,
        members,
        ..dataset(definition, data_id)
    }
}

fn provenance() -> Provenance {
    Provenance {
        action: "put".to_owned(),
        time: "2026-11-22T12:00:00Z".to_owned(),
        user: "jane".to_owned(),
        host: "kepler".to_owned(),
        version: "0.1.0".to_owned(),
        notes: Vec::new(),
    }
}

fn request(dataset_type: &str, data_id: DataId) -> FindRequest {
    FindRequest {
        dataset_type: type_name(dataset_type),
        data_id,
        limit: 100,
    }
}

/// Inserts in a transaction of its own.
fn insert(registry: &dyn Registry, datasets: &[DatasetRecord]) {
    let mut transaction = registry.begin().expect("a transaction begins");
    transaction
        .insert(datasets, &provenance())
        .expect("these are new");
    transaction.commit().expect("it commits");
}

fn find(registry: &dyn Registry, dataset_type: &str, data_id: DataId) -> Vec<DatasetRecord> {
    let requests = [request(dataset_type, data_id)];
    let mut lists = registry.find_many(&requests).expect("it finds");
    assert_eq!(lists.len(), 1, "one list for one request");
    lists.remove(0)
}

fn find_one(registry: &dyn Registry, id: DatasetId) -> Option<DatasetRecord> {
    let mut found = registry.find_ids(&[id]).expect("it finds");
    assert_eq!(found.len(), 1, "one answer for one identity");
    found.remove(0)
}

fn visited(
    registry: &dyn Registry,
    dataset_type: Option<&TypeName>,
    data_id: &DataId,
) -> Vec<DatasetRecord> {
    let mut all = Vec::new();
    let each = &mut |record| {
        all.push(record);
        ControlFlow::Continue(())
    };
    registry
        .visit(dataset_type, data_id, each)
        .expect("it visits");
    all
}

fn data_ids(records: &[DatasetRecord]) -> Vec<String> {
    let texts = records.iter().map(|record| record.data_id.to_string());
    texts.collect()
}

fn ids(records: &[DatasetRecord]) -> Vec<DatasetId> {
    records.iter().map(|record| record.id).collect()
}

/// Asserts that something was refused because it is there already.
fn assert_taken(result: Result<(), RegistryError>) {
    match result {
        Err(RegistryError::AlreadyExists { .. }) => {}
        other => panic!("expected that it exists already, got {other:?}"),
    }
}
