//! One state of a registry in memory, and the questions and changes to it.
//!
//! It knows nothing of transactions: whoever changes it has a copy of its own.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use pantler_core::registry::{
    FindRequest, KeysOfType, PageRequest, Provenance, State as Currency, TypeSummary,
};
use pantler_core::{DataId, DatasetId, DatasetRecord, KeyValue, Location, RegistryError, TypeName};

use crate::key_set::{KeySet, kept_data_id, widen};

/// Everything that a registry knows.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    datasets: HashMap<DatasetId, Arc<Stored>>,
    arrivals: BTreeMap<u64, DatasetId>,
    next_arrival: u64,
    /// The current datasets of each type, by key set in order of their first use.
    types: BTreeMap<TypeName, Vec<KeyIndex>>,
    /// For each member, when its composites arrived.
    users: HashMap<DatasetId, BTreeSet<u64>>,
    /// For each precursor, when what was made from it arrived.
    descendants: HashMap<DatasetId, BTreeSet<u64>>,
    layouts: HashSet<Arc<[u8]>>,
}

#[derive(Debug, Clone)]
struct Stored {
    arrival: u64,
    record: DatasetRecord,
    provenance: Arc<Provenance>,
}

#[derive(Debug, Clone)]
struct KeyIndex {
    key_set: KeySet,
    rows: BTreeMap<Vec<KeyValue>, DatasetId>,
}

impl State {
    pub(super) fn find_many(&self, requests: &[FindRequest]) -> Vec<Vec<DatasetRecord>> {
        requests
            .iter()
            .map(|request| {
                let mut found = Vec::new();
                // A limit of nothing must not let the first one through.
                if request.limit > 0 {
                    let _ = self.visit(Some(&request.dataset_type), &request.data_id, &mut |r| {
                        found.push(r);
                        if found.len() < request.limit {
                            ControlFlow::Continue(())
                        } else {
                            ControlFlow::Break(())
                        }
                    });
                }
                found
            })
            .collect()
    }

    pub(super) fn find_ids(&self, ids: &[DatasetId]) -> Vec<Option<DatasetRecord>> {
        ids.iter()
            .map(|id| self.datasets.get(id).map(|stored| stored.record.clone()))
            .collect()
    }

    pub(super) fn find_users(&self, ids: &[DatasetId]) -> Vec<Vec<DatasetRecord>> {
        ids.iter()
            .map(|id| {
                let arrivals = self.users.get(id).into_iter().flatten();
                arrivals.filter_map(|at| self.arrived(*at)).collect()
            })
            .collect()
    }

    pub(super) fn find_made_from(&self, ids: &[DatasetId]) -> Vec<Vec<DatasetRecord>> {
        ids.iter()
            .map(|id| {
                let arrivals = self.descendants.get(id).into_iter().flatten();
                arrivals.filter_map(|at| self.arrived(*at)).collect()
            })
            .collect()
    }

    pub(super) fn key_sets(&self, dataset_type: Option<&TypeName>) -> Vec<KeysOfType> {
        let wanted = |name: &TypeName| dataset_type.is_none_or(|wanted| wanted == name);
        let of_types = self.types.iter().filter(|(name, _)| wanted(name));
        of_types
            .flat_map(|(name, indexes)| {
                let keys = indexes.iter().map(|index| index.key_set.keys().to_vec());
                keys.map(|keys| (name.clone(), keys))
            })
            .collect()
    }

    pub(super) fn page(&self, request: &PageRequest) -> Vec<DatasetRecord> {
        let indexes = self.types.get(&request.dataset_type);
        let index = indexes
            .into_iter()
            .flatten()
            .find(|index| index.key_set.has_keys(&request.order));
        let Some(index) = index else {
            return Vec::new();
        };
        let Some(wanted) = index.key_set.fit(&request.data_id) else {
            return Vec::new();
        };
        let mut found: Vec<&DatasetRecord> = index
            .rows
            .iter()
            .filter(|(values, _)| {
                let fits = |(at, value): &(usize, KeyValue)| values.get(*at) == Some(value);
                wanted.iter().all(fits)
            })
            .filter_map(|(_, id)| self.datasets.get(id))
            .map(|stored| &stored.record)
            .filter(|record| {
                let after = request.after.as_ref();
                after.is_none_or(|after| request.compare(&record.data_id, after).is_gt())
            })
            .collect();
        found.sort_by(|a, b| request.compare(&a.data_id, &b.data_id));
        found.truncate(request.limit);
        found.into_iter().cloned().collect()
    }

    pub(super) fn visit(
        &self,
        dataset_type: Option<&TypeName>,
        data_id: &DataId,
        each: &mut dyn FnMut(DatasetRecord) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        for (name, indexes) in &self.types {
            if dataset_type.is_some_and(|wanted| wanted != name) {
                continue;
            }
            for index in indexes {
                let Some(wanted) = index.key_set.fit(data_id) else {
                    continue;
                };
                for (values, id) in &index.rows {
                    if wanted
                        .iter()
                        .all(|(at, value)| values.get(*at) == Some(value))
                        && let Some(stored) = self.datasets.get(id)
                    {
                        each(stored.record.clone())?;
                    }
                }
            }
        }
        ControlFlow::Continue(())
    }

    pub(super) fn visit_all(
        &self,
        each: &mut dyn FnMut(DatasetRecord) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        for record in self.arrivals.keys().filter_map(|at| self.arrived(*at)) {
            each(record)?;
        }
        ControlFlow::Continue(())
    }

    pub(super) fn summary(&self) -> Vec<TypeSummary> {
        let mut summaries = Vec::new();
        for (name, indexes) in &self.types {
            let mut summary = TypeSummary {
                dataset_type: name.clone(),
                count: 0,
                bytes: 0,
                keys: Vec::new(),
            };
            for index in indexes {
                for (values, id) in &index.rows {
                    let stored = self.datasets.get(id);
                    let artifact = stored.and_then(|stored| stored.record.artifact.as_ref());
                    summary.count += 1;
                    summary.bytes += artifact.map_or(0, |artifact| artifact.bytes);
                    for ((key, _), value) in index.key_set.keys().iter().zip(values) {
                        widen(&mut summary.keys, key, value);
                    }
                }
            }
            if summary.count > 0 {
                summaries.push(summary);
            }
        }
        summaries
    }

    pub(super) fn provenance(&self, ids: &[DatasetId]) -> Vec<Option<Provenance>> {
        let made = |id| {
            let stored: &Arc<Stored> = self.datasets.get(id)?;
            Some(Provenance::clone(&stored.provenance))
        };
        ids.iter().map(made).collect()
    }

    pub(super) fn insert(
        &mut self,
        record: &DatasetRecord,
        provenance: &Arc<Provenance>,
    ) -> Result<(), RegistryError> {
        let taken = || RegistryError::AlreadyExists {
            dataset_type: record.dataset_type().clone(),
            data_id: record.data_id.clone(),
        };
        let mut record = DatasetRecord {
            data_id: kept_data_id(record)?,
            ..record.clone()
        };
        if self.datasets.contains_key(&record.id) {
            return Err(taken());
        }
        let index = self.key_index(&record);
        let key = row_key(&index.key_set, &record.data_id);
        if record.state == Currency::Current {
            if index.rows.contains_key(&key) {
                return Err(taken());
            }
            index.rows.insert(key, record.id);
        }
        self.share_layout(&mut record);
        let arrival = self.next_arrival;
        self.next_arrival += 1;
        self.arrivals.insert(arrival, record.id);
        for member in &record.members {
            self.users
                .entry(member.dataset)
                .or_default()
                .insert(arrival);
        }
        for precursor in &record.precursors {
            self.descendants
                .entry(precursor.dataset)
                .or_default()
                .insert(arrival);
        }
        let stored = Stored {
            arrival,
            record,
            provenance: Arc::clone(provenance),
        };
        self.datasets.insert(stored.record.id, Arc::new(stored));
        Ok(())
    }

    pub(super) fn supersede(
        &mut self,
        id: DatasetId,
        location: &Location,
    ) -> Result<(), RegistryError> {
        self.change(id, |record| {
            record.state = Currency::Superseded;
            if let Some(artifact) = &mut record.artifact {
                artifact.location = Some(location.clone());
            }
        })?;
        self.forget_data_id(id);
        Ok(())
    }

    pub(super) fn change(
        &mut self,
        id: DatasetId,
        change: impl FnOnce(&mut DatasetRecord),
    ) -> Result<(), RegistryError> {
        let stored = self.datasets.get_mut(&id);
        let stored = stored.ok_or(RegistryError::NoSuchDataset { id })?;
        change(&mut Arc::make_mut(stored).record);
        Ok(())
    }

    pub(super) fn check_exists(&self, id: DatasetId) -> Result<(), RegistryError> {
        if self.datasets.contains_key(&id) {
            Ok(())
        } else {
            Err(RegistryError::NoSuchDataset { id })
        }
    }

    /// Removes a dataset and the composition recorded for it; one that is not there is none.
    pub(super) fn remove(&mut self, id: DatasetId) {
        self.forget_data_id(id);
        let Some(stored) = self.datasets.remove(&id) else {
            return;
        };
        self.arrivals.remove(&stored.arrival);
        for member in &stored.record.members {
            if let Some(users) = self.users.get_mut(&member.dataset) {
                users.remove(&stored.arrival);
            }
        }
        for precursor in &stored.record.precursors {
            if let Some(descendants) = self.descendants.get_mut(&precursor.dataset) {
                descendants.remove(&stored.arrival);
            }
        }
    }

    fn arrived(&self, arrival: u64) -> Option<DatasetRecord> {
        let stored = self.datasets.get(self.arrivals.get(&arrival)?)?;
        Some(stored.record.clone())
    }

    fn key_index(&mut self, record: &DatasetRecord) -> &mut KeyIndex {
        let keys = &record.definition.keys;
        let indexes = self.types.entry(record.dataset_type().clone()).or_default();
        let known = indexes
            .iter()
            .position(|index| index.key_set.is_same_as(keys));
        let at = known.unwrap_or_else(|| {
            indexes.push(KeyIndex {
                key_set: KeySet::new(keys.clone()),
                rows: BTreeMap::new(),
            });
            indexes.len() - 1
        });
        &mut indexes[at]
    }

    fn forget_data_id(&mut self, id: DatasetId) {
        let Some(stored) = self.datasets.get(&id).cloned() else {
            return;
        };
        let index = self.key_index(&stored.record);
        let key = row_key(&index.key_set, &stored.record.data_id);
        // A superseded dataset does not stand there any more; its successor does.
        if index.rows.get(&key) == Some(&id) {
            index.rows.remove(&key);
        }
    }

    fn share_layout(&mut self, record: &mut DatasetRecord) {
        let artifact = record.artifact.as_mut();
        if let Some(layout) = artifact.and_then(|artifact| artifact.layout.as_mut()) {
            match self.layouts.get(&**layout) {
                Some(known) => *layout = Arc::clone(known),
                None => {
                    self.layouts.insert(Arc::clone(layout));
                }
            }
        }
    }
}

fn row_key(key_set: &KeySet, data_id: &DataId) -> Vec<KeyValue> {
    let values = key_set.sort_key(data_id).into_iter();
    values.flatten().cloned().collect()
}
