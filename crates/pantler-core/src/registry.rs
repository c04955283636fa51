//! The contract for what exists in one repository.
//!
//! A registry knows types, data IDs, identities and who is made of whom. It does not know formats, and it does not
//! know where files lie beyond a text that the engine gave it. Reading is batched: one call, one round trip, however
//! many datasets are looked for.

use std::ops::ControlFlow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::sky::Footprint;
use crate::{DataId, DatasetId, Digest, Expression, KeyType, KeyValue, Location, TypeName};

/// How datasets of a type were written at the time: enough to read them whatever the policy says today (rule R6).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DefinitionVersion {
    /// The dataset type.
    pub dataset_type: TypeName,
    /// Its keys with their types, in the order in which they are shown.
    pub keys: Vec<(String, KeyType)>,
    /// The template; `None` for a composite kept in parts.
    pub template: Option<String>,
    /// The storage; `None` for a composite kept in parts.
    pub storage: Option<String>,
    /// The policy's `python`.
    pub python: Option<String>,
    /// The assembler of a composite, as the policy names it.
    pub assembler: Option<String>,
    /// What else the engine wants to know later, as text of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<String>,
}

/// One artifact, as the registry knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactRecord {
    /// Where it lies, if not where the template of its definition says.
    pub location: Option<Location>,
    /// Its size.
    pub bytes: u64,
    /// When it was last changed, for artifacts whose digest is not known yet.
    pub modified: Option<i64>,
    /// The digest of its bytes; `None` until somebody reads an artifact that was ingested in place (rule R30).
    pub digest: Option<Digest>,
    /// Where its parts lie; opaque to the registry, which keeps equal ones once.
    pub layout: Option<Arc<[u8]>>,
}

/// One member of a recorded composition, or one dataset that another was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The component's name in the composite; of a precursor, the name that it was recorded under.
    pub component: String,
    /// Which dataset it was.
    pub dataset: DatasetId,
    /// Its type.
    pub dataset_type: TypeName,
    /// Its data ID.
    pub data_id: DataId,
    /// Which part of that dataset; empty for the whole.
    pub part: Vec<String>,
    /// Whether it is only read.
    pub input_only: bool,
}

/// Whether a dataset is the one that its type and data ID mean today.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// A find by data ID returns it.
    Current,
    /// Replaced; kept because a composition was made of it, and found by identity only (rule R26).
    Superseded,
}

/// One dataset, as the registry knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetRecord {
    /// Its identity.
    pub id: DatasetId,
    /// Its data ID, in the order of the definition's keys.
    pub data_id: DataId,
    /// How it was written.
    pub definition: Arc<DefinitionVersion>,
    /// Its artifact; `None` for a composite kept in parts.
    pub artifact: Option<ArtifactRecord>,
    /// What it was made of, in policy order; empty for a file dataset.
    pub members: Vec<Member>,
    /// What it was made from, as whoever put it said, in that order (rule R34). No user of them: they may be removed.
    pub precursors: Vec<Member>,
    /// The values of the columns that the policy's `metadata` names, as far as the dataset has them.
    pub metadata: DataId,
    /// Where it lies on the sky, if that is known.
    pub footprint: Option<Footprint>,
    /// Whether it is current.
    pub state: State,
}

impl DatasetRecord {
    /// Returns the dataset's type.
    pub fn dataset_type(&self) -> &TypeName {
        &self.definition.dataset_type
    }
}

/// Who did what, when: kept with every put, link and ingest (rule R31).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// `put`, `link` or `ingest`.
    pub action: String,
    /// When, as RFC 3339 in UTC.
    pub time: String,
    /// The user's name.
    pub user: String,
    /// The machine's name.
    pub host: String,
    /// The version of pantler.
    pub version: String,
    /// The caller's notes.
    pub notes: Vec<(String, String)>,
}

/// A search by type and some or all keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindRequest {
    /// The dataset type.
    pub dataset_type: TypeName,
    /// Keys that must have these values; keys that the type lacks make the answer empty.
    pub data_id: DataId,
    /// At most so many answers.
    pub limit: usize,
}

/// A question for the next few current datasets of one type and one set of keys, in an order of keys.
#[derive(Debug, Clone, PartialEq)]
pub struct PageRequest {
    /// The dataset type.
    pub dataset_type: TypeName,
    /// All keys of the datasets that are meant, each once, in the order to sort by, with `true` for descending.
    pub order: Vec<(String, bool)>,
    /// Keys that must have these values.
    pub data_id: DataId,
    /// What else must hold. A registry may answer with more than fits, and evaluates only what an index makes cheaper: whoever
    /// asks evaluates all of it.
    pub condition: Option<Expression>,
    /// The last data ID of the page before.
    pub after: Option<DataId>,
    /// At most so many; fewer only if there are no more.
    pub limit: usize,
}

impl PageRequest {
    /// Compares two data IDs in the order of this request.
    pub fn compare(&self, a: &DataId, b: &DataId) -> std::cmp::Ordering {
        compare_values(&self.order, |key| a.get(key), |key| b.get(key))
    }
}

/// Compares by columns, each with `true` for descending; where there is no value comes first.
pub fn compare_by(
    order: &[(String, bool)],
    a: &dyn Fn(&str) -> Option<KeyValue>,
    b: &dyn Fn(&str) -> Option<KeyValue>,
) -> std::cmp::Ordering {
    compare_values(order, a, b)
}

fn compare_values<V: Ord>(
    order: &[(String, bool)],
    a: impl Fn(&str) -> Option<V>,
    b: impl Fn(&str) -> Option<V>,
) -> std::cmp::Ordering {
    let one = |(key, descending): &(String, bool)| {
        let ordering = a(key).cmp(&b(key));
        if *descending {
            ordering.reverse()
        } else {
            ordering
        }
    };
    order
        .iter()
        .map(one)
        .find(|ordering| ordering.is_ne())
        .unwrap_or(std::cmp::Ordering::Equal)
}

/// What a repository holds of one type.
#[derive(Debug, Clone, PartialEq)]
pub struct TypeSummary {
    /// The dataset type.
    pub dataset_type: TypeName,
    /// How many current datasets.
    pub count: u64,
    /// How many bytes their artifacts take.
    pub bytes: u64,
    /// The smallest and the largest value of each key.
    pub keys: Vec<(String, crate::KeyValue, crate::KeyValue)>,
}

/// A type with a set of keys that its datasets have.
pub type KeysOfType = (TypeName, Vec<(String, KeyType)>);

/// What exists in one repository.
///
/// **Promises.** A find by type and complete data ID is an index lookup, whatever else is stored. A transaction is seen
/// whole or not at all, and survives a power cut once committed. Readers never wait for a writer for long, and never see its
/// unfinished work. A registry opened without permission to write can be read.
pub trait Registry: Send + Sync {
    /// Finds current datasets: one list per request, each ordered by data ID.
    fn find_many(&self, requests: &[FindRequest])
    -> Result<Vec<Vec<DatasetRecord>>, RegistryError>;

    /// Finds datasets by identity, current or superseded.
    fn find_ids(&self, ids: &[DatasetId]) -> Result<Vec<Option<DatasetRecord>>, RegistryError>;

    /// Finds, for each dataset, the composites of this repository that were recorded with it.
    fn find_users(&self, ids: &[DatasetId]) -> Result<Vec<Vec<DatasetRecord>>, RegistryError>;

    /// Finds, for each dataset, the datasets of this repository, current or superseded, that were recorded as made from it, in
    /// the order in which they were recorded.
    fn find_made_from(&self, ids: &[DatasetId]) -> Result<Vec<Vec<DatasetRecord>>, RegistryError>;

    /// Returns under which sets of keys there are or have been datasets: each type (or the one that is named) with one of
    /// its sets, ordered by type, older sets first.
    fn key_sets(&self, dataset_type: Option<&TypeName>) -> Result<Vec<KeysOfType>, RegistryError>;

    /// Returns the next datasets in an order of keys, without holding more than these in memory. Pages are independent of
    /// each other: what is changed between two of them may show in the second.
    fn page(&self, request: &PageRequest) -> Result<Vec<DatasetRecord>, RegistryError>;

    /// Visits all current datasets of a type (of every type for `None`) whose keys have these values, ordered by type and
    /// data ID, without holding them in memory.
    fn visit(
        &self,
        dataset_type: Option<&TypeName>,
        data_id: &DataId,
        each: &mut dyn FnMut(DatasetRecord) -> ControlFlow<()>,
    ) -> Result<(), RegistryError>;

    /// Visits all datasets by identity, current and superseded, in any order: for checks of the whole repository.
    fn visit_all(
        &self,
        each: &mut dyn FnMut(DatasetRecord) -> ControlFlow<()>,
    ) -> Result<(), RegistryError>;

    /// Says what there is of each type.
    fn summary(&self) -> Result<Vec<TypeSummary>, RegistryError>;

    /// Returns who made these datasets, and when.
    fn provenance(&self, ids: &[DatasetId]) -> Result<Vec<Option<Provenance>>, RegistryError>;

    /// Starts the one write transaction that there can be at a time, waiting for another's end.
    ///
    /// Dropping it without a commit undoes all of it.
    fn begin(&self) -> Result<Box<dyn Transaction + '_>, RegistryError>;
}

/// Passes every call on to the registry that is pointed at.
macro_rules! registry_behind {
    ($pointer:ident) => {
        impl<R: Registry + ?Sized> Registry for $pointer<R> {
            fn find_many(
                &self,
                requests: &[FindRequest],
            ) -> Result<Vec<Vec<DatasetRecord>>, RegistryError> {
                (**self).find_many(requests)
            }

            fn find_ids(
                &self,
                ids: &[DatasetId],
            ) -> Result<Vec<Option<DatasetRecord>>, RegistryError> {
                (**self).find_ids(ids)
            }

            fn find_users(
                &self,
                ids: &[DatasetId],
            ) -> Result<Vec<Vec<DatasetRecord>>, RegistryError> {
                (**self).find_users(ids)
            }

            fn find_made_from(
                &self,
                ids: &[DatasetId],
            ) -> Result<Vec<Vec<DatasetRecord>>, RegistryError> {
                (**self).find_made_from(ids)
            }

            fn key_sets(
                &self,
                dataset_type: Option<&TypeName>,
            ) -> Result<Vec<KeysOfType>, RegistryError> {
                (**self).key_sets(dataset_type)
            }

            fn page(&self, request: &PageRequest) -> Result<Vec<DatasetRecord>, RegistryError> {
                (**self).page(request)
            }

            fn visit(
                &self,
                dataset_type: Option<&TypeName>,
                data_id: &DataId,
                each: &mut dyn FnMut(DatasetRecord) -> ControlFlow<()>,
            ) -> Result<(), RegistryError> {
                (**self).visit(dataset_type, data_id, each)
            }

            fn visit_all(
                &self,
                each: &mut dyn FnMut(DatasetRecord) -> ControlFlow<()>,
            ) -> Result<(), RegistryError> {
                (**self).visit_all(each)
            }

            fn summary(&self) -> Result<Vec<TypeSummary>, RegistryError> {
                (**self).summary()
            }

            fn provenance(
                &self,
                ids: &[DatasetId],
            ) -> Result<Vec<Option<Provenance>>, RegistryError> {
                (**self).provenance(ids)
            }

            fn begin(&self) -> Result<Box<dyn Transaction + '_>, RegistryError> {
                (**self).begin()
            }
        }
    };
}

registry_behind!(Arc);
registry_behind!(Box);

/// A write transaction. It sees its own changes.
///
/// A call that fails with [`RegistryError::AlreadyExists`], [`RegistryError::KeysDiffer`] or
/// [`RegistryError::NoSuchDataset`] changes nothing, and the transaction can go on; after any other error it can only be
/// dropped. A dataset that has no artifact has no place and no digest: recording one for it does nothing.
pub trait Transaction {
    /// As [`Registry::find_many`], inside the transaction.
    fn find_many(&self, requests: &[FindRequest])
    -> Result<Vec<Vec<DatasetRecord>>, RegistryError>;

    /// As [`Registry::find_ids`], inside the transaction.
    fn find_ids(&self, ids: &[DatasetId]) -> Result<Vec<Option<DatasetRecord>>, RegistryError>;

    /// As [`Registry::find_users`], inside the transaction.
    fn find_users(&self, ids: &[DatasetId]) -> Result<Vec<Vec<DatasetRecord>>, RegistryError>;

    /// Adds datasets, with who made them: each current or superseded, as its state says. One whose identity exists already, or
    /// that is current and whose type and data ID another current one has, is [`RegistryError::AlreadyExists`].
    fn insert(
        &mut self,
        datasets: &[DatasetRecord],
        provenance: &Provenance,
    ) -> Result<(), RegistryError>;

    /// Makes a dataset superseded, its artifact now at `location`; finds by data ID no longer return it.
    fn supersede(&mut self, id: DatasetId, location: &Location) -> Result<(), RegistryError>;

    /// Changes where a dataset's artifact lies; `None` for where its template says.
    fn relocate(&mut self, id: DatasetId, location: Option<&Location>)
    -> Result<(), RegistryError>;

    /// Records a digest that was not known before.
    fn set_digest(&mut self, id: DatasetId, digest: Digest) -> Result<(), RegistryError>;

    /// Records anew where an artifact's parts lie.
    fn set_layout(&mut self, id: DatasetId, layout: &Arc<[u8]>) -> Result<(), RegistryError>;

    /// Removes datasets, with the compositions recorded for them. Compositions that they are members of stay.
    fn remove(&mut self, ids: &[DatasetId]) -> Result<(), RegistryError>;

    /// Makes the commit a change even if nothing else is changed.
    ///
    /// A writer that was killed inside its commit may leave behind what nobody sees, and what is seen after all once the
    /// registry has been recovered. A change that is committed puts an end to that: from then on what is not seen has not
    /// happened. Whoever removes files because no dataset owns them makes sure of it first.
    fn leave_mark(&mut self) -> Result<(), RegistryError>;

    /// Makes it durable and visible.
    fn commit(self: Box<Self>) -> Result<(), RegistryError>;
}

/// What can go wrong in a registry.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The type and data ID, or the identity, is taken.
    #[error("{dataset_type} {data_id} is in the registry already")]
    AlreadyExists {
        /// The dataset type.
        dataset_type: TypeName,
        /// The data ID.
        data_id: DataId,
    },
    /// A dataset's data ID does not have the keys, or the types of them, that its own definition names.
    #[error("{dataset_type} {data_id} does not fit the keys of its definition, {}", .keys.join(", "))]
    KeysDiffer {
        /// The dataset type.
        dataset_type: TypeName,
        /// The data ID.
        data_id: DataId,
        /// The keys of the definition, each with its type: `visit: int`.
        keys: Vec<String>,
    },
    /// There is no such dataset to change.
    #[error("the registry has no dataset {id}")]
    NoSuchDataset {
        /// The identity.
        id: DatasetId,
    },
    /// The registry was made by another version of pantler.
    #[error(
        "the registry {path} has schema version {found}, and this pantler reads version {wanted}"
    )]
    Version {
        /// The registry.
        path: String,
        /// Its version.
        found: i64,
        /// Ours.
        wanted: i64,
    },
    /// It can only be read.
    #[error("the registry {path} cannot be written: {why}")]
    ReadOnly {
        /// The registry.
        path: String,
        /// Why not.
        why: String,
    },
    /// It is no registry, or damaged.
    #[error("the registry {path} is damaged: {why}")]
    Corrupt {
        /// The registry.
        path: String,
        /// What was seen.
        why: String,
    },
    /// Somebody else held it for too long.
    #[error("the registry {path} was busy for {seconds} seconds")]
    Busy {
        /// The registry.
        path: String,
        /// How long was waited.
        seconds: u64,
    },
    /// The disk, the permissions.
    #[error("cannot {operation} the registry {path}: {why}")]
    Io {
        /// What was being done.
        operation: &'static str,
        /// The registry.
        path: String,
        /// The cause.
        why: String,
    },
}
