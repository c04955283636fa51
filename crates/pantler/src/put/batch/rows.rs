//! What a batch has decided so far, laid over the registry of the repository that it will be written into.
//!
//! Each put of a batch is decided over it, as if those before it had happened: what they put is found, what they replace is
//! not. An artifact lies under its staged name there. Only the questions that decisions and gets ask see the batch; lists
//! and counts, and whoever writes, see the registry itself.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use pantler_core::registry::{
    FindRequest, KeysOfType, PageRequest, Provenance, State, Transaction, TypeSummary,
};
use pantler_core::{DataId, DatasetId, DatasetRecord, Registry, RegistryError, TypeName};

/// A registry with the rows of a batch over it.
pub(super) struct BatchRegistry {
    below: Arc<dyn Registry>,
    rows: RwLock<Rows>,
}

/// The rows of a batch.
#[derive(Default)]
struct Rows {
    by_id: HashMap<DatasetId, Arc<DatasetRecord>>,
    by_type: HashMap<TypeName, OfType>,
    /// Below, but replaced by the batch: artifacts, which stay, and compositions, which go.
    superseded: HashSet<DatasetId>,
    removed: HashSet<DatasetId>,
}

/// The rows of one type.
#[derive(Default)]
struct OfType {
    by_data_id: HashMap<DataId, Arc<DatasetRecord>>,
    /// The number of keys that they have, if they all have as many.
    keys: Option<usize>,
}

impl BatchRegistry {
    /// Lays nothing over a registry.
    pub(super) fn over(below: Arc<dyn Registry>) -> BatchRegistry {
        BatchRegistry {
            below,
            rows: RwLock::default(),
        }
    }

    /// Adds rows, and hides what they replace.
    pub(super) fn add(
        &self,
        records: impl IntoIterator<Item = DatasetRecord>,
        superseded: impl IntoIterator<Item = DatasetId>,
        removed: impl IntoIterator<Item = DatasetId>,
    ) {
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        for record in records {
            rows.insert(record);
        }
        rows.superseded.extend(superseded);
        rows.removed.extend(removed);
    }

    /// Whether the batch has this dataset.
    pub(super) fn holds(&self, dataset_type: &str, data_id: &DataId) -> bool {
        let rows = self.rows();
        let mut types = rows.by_type.iter();
        types.any(|(name, rows)| {
            name.as_str() == dataset_type && rows.by_data_id.contains_key(data_id)
        })
    }

    /// Whether the batch has a dataset of this identity.
    pub(super) fn holds_id(&self, id: DatasetId) -> bool {
        self.rows().by_id.contains_key(&id)
    }

    fn rows(&self) -> RwLockReadGuard<'_, Rows> {
        // No change below is half done where a panic could come from.
        self.rows.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rows {
    fn insert(&mut self, record: DatasetRecord) {
        let record = Arc::new(record);
        let of_type = self
            .by_type
            .entry(record.dataset_type().clone())
            .or_default();
        let keys = record.data_id.len();
        of_type.keys = match of_type.by_data_id.is_empty() {
            true => Some(keys),
            false => of_type.keys.filter(|known| *known == keys),
        };
        let data_id = record.data_id.clone();
        of_type.by_data_id.insert(data_id, Arc::clone(&record));
        self.by_id.insert(record.id, record);
    }

    fn is_hidden(&self, id: &DatasetId) -> bool {
        self.superseded.contains(id) || self.removed.contains(id)
    }

    /// The rows that fit, in any order.
    fn find(&self, request: &FindRequest) -> Vec<&Arc<DatasetRecord>> {
        let Some(of_type) = self.by_type.get(&request.dataset_type) else {
            return Vec::new();
        };
        if of_type.keys == Some(request.data_id.len()) {
            let found = of_type.by_data_id.get(&request.data_id);
            return found.into_iter().collect();
        }
        let rows = of_type.by_data_id.values();
        rows.filter(|record| record.data_id.contains(&request.data_id))
            .collect()
    }

    /// Adds to an answer from below what the batch has, and takes from it what the batch replaces.
    fn complete(&self, request: &FindRequest, answer: &mut Vec<DatasetRecord>) {
        answer.retain(|record| !self.is_hidden(&record.id));
        let own = self.find(request);
        if !own.is_empty() {
            answer.extend(own.into_iter().map(|record| DatasetRecord::clone(record)));
            answer.sort_by(|one, other| {
                let keys: Vec<&str> = one
                    .definition
                    .keys
                    .iter()
                    .map(|(key, _)| key.as_str())
                    .collect();
                one.data_id
                    .sort_key(&keys)
                    .cmp(&other.data_id.sort_key(&keys))
            });
        }
        answer.truncate(request.limit);
    }
}

impl Registry for BatchRegistry {
    fn find_many(
        &self,
        requests: &[FindRequest],
    ) -> Result<Vec<Vec<DatasetRecord>>, RegistryError> {
        let hidden = {
            let rows = self.rows();
            rows.superseded.len() + rows.removed.len()
        };
        let mut answers = if hidden == 0 {
            self.below.find_many(requests)?
        } else {
            // What is hidden must not use up the limit.
            let widened: Vec<FindRequest> = requests
                .iter()
                .map(|request| FindRequest {
                    limit: request.limit.saturating_add(hidden),
                    ..request.clone()
                })
                .collect();
            self.below.find_many(&widened)?
        };
        let rows = self.rows();
        for (request, answer) in requests.iter().zip(&mut answers) {
            rows.complete(request, answer);
        }
        Ok(answers)
    }

    fn find_ids(&self, ids: &[DatasetId]) -> Result<Vec<Option<DatasetRecord>>, RegistryError> {
        let mut answers = self.below.find_ids(ids)?;
        let rows = self.rows();
        for (id, answer) in ids.iter().zip(&mut answers) {
            if let Some(own) = rows.by_id.get(id) {
                *answer = Some(DatasetRecord::clone(own));
            } else if rows.removed.contains(id) {
                *answer = None;
            } else if rows.superseded.contains(id)
                && let Some(record) = answer
            {
                record.state = State::Superseded;
            }
        }
        Ok(answers)
    }

    fn find_users(&self, ids: &[DatasetId]) -> Result<Vec<Vec<DatasetRecord>>, RegistryError> {
        self.below.find_users(ids)
    }

    fn find_made_from(&self, ids: &[DatasetId]) -> Result<Vec<Vec<DatasetRecord>>, RegistryError> {
        self.below.find_made_from(ids)
    }

    fn key_sets(&self, dataset_type: Option<&TypeName>) -> Result<Vec<KeysOfType>, RegistryError> {
        self.below.key_sets(dataset_type)
    }

    fn page(&self, request: &PageRequest) -> Result<Vec<DatasetRecord>, RegistryError> {
        self.below.page(request)
    }

    fn visit(
        &self,
        dataset_type: Option<&TypeName>,
        data_id: &DataId,
        each: &mut dyn FnMut(DatasetRecord) -> ControlFlow<()>,
    ) -> Result<(), RegistryError> {
        self.below.visit(dataset_type, data_id, each)
    }

    fn visit_all(
        &self,
        each: &mut dyn FnMut(DatasetRecord) -> ControlFlow<()>,
    ) -> Result<(), RegistryError> {
        self.below.visit_all(each)
    }

    fn summary(&self) -> Result<Vec<TypeSummary>, RegistryError> {
        self.below.summary()
    }

    fn provenance(&self, ids: &[DatasetId]) -> Result<Vec<Option<Provenance>>, RegistryError> {
        self.below.provenance(ids)
    }

    fn begin(&self) -> Result<Box<dyn Transaction + '_>, RegistryError> {
        self.below.begin()
    }
}
