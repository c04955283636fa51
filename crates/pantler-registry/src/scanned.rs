//! A registry without an index: a folder whose files lie where templates put them, found by their names.
//!
//! The engine makes one for a folder that has a policy and no index. It can only be read. It asks the store anew at every
//! question, so files that come and go are seen; only the pages of one listing are cut from one look.
//!
//! * A complete data ID costs no listing: the template is filled, and the store asked for that path, and for the same wrapped or
//!   compressed (`.gz`, `.fz`).
//! * Part of a data ID lists the folder that the template's known beginning names, and what is below it. Everything that one
//!   question needs of a folder is seen in one walk.
//! * Identities take digests, which take reading files, so what it returns carries stamps ([`DatasetId::stamp`]); the engine
//!   derives identities where it needs them (rule R19).
//!
//! It is not told what stands in files: datasets that differ by their HDU only are found if the HDU is given, and there are no
//! columns, footprints, compositions and no provenance.

mod walk;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use pantler_core::registry::{
    ArtifactRecord, DefinitionVersion, FindRequest, KeysOfType, PageRequest, Provenance, State,
    Transaction, TypeSummary,
};
use pantler_core::store::Stat;
use pantler_core::template::Template;
use pantler_core::{
    ArtifactPath, DataId, DatasetId, DatasetRecord, Location, Registry, RegistryError, Store,
    StoreError, TypeName,
};

use crate::key_set::{KeySet, widen};
use walk::{Row, Wanted, walk};

/// What `x.fits` may be called where it is wrapped or compressed; the first that is there counts.
pub(crate) const VARIANTS: [&str; 3] = ["", ".gz", ".fz"];

/// So many listings are kept for their next pages.
const MOST_LISTINGS: usize = 8;

/// A dataset type whose files are found by their names.
#[derive(Debug, Clone)]
pub struct ScannedType {
    /// How its datasets are read.
    pub definition: Arc<DefinitionVersion>,
    /// Where its files lie, with the types of its keys.
    pub template: Template,
}

/// A folder that is its own index.
pub struct ScannedRegistry {
    store: Arc<dyn Store>,
    types: BTreeMap<TypeName, Scanned>,
    listings: Mutex<Vec<Listing>>,
}

struct Scanned {
    definition: Arc<DefinitionVersion>,
    template: Template,
    keys: KeySet,
    /// Whether paths say all of a data ID; else its HDU must be given.
    by_path: bool,
}

/// What one listing saw, in its order, from which further pages are cut.
struct Listing {
    of: PageRequest,
    rows: Arc<Vec<DatasetRecord>>,
}

impl ScannedRegistry {
    /// Makes the registry of what lies in a store. Of types that have one template, the first owns the files (rule R8).
    pub fn new(store: Arc<dyn Store>, types: Vec<ScannedType>) -> ScannedRegistry {
        let mut owners: Vec<String> = Vec::new();
        let mut known = BTreeMap::new();
        for ScannedType {
            definition,
            template,
        } in types
        {
            if owners.iter().any(|owner| owner == template.text()) {
                continue;
            }
            owners.push(template.text().to_owned());
            let scanned = Scanned {
                keys: KeySet::new(template.keys().to_vec()),
                by_path: template.keys().len() == template.path_keys().len(),
                template,
                definition: Arc::clone(&definition),
            };
            known.insert(definition.dataset_type.clone(), scanned);
        }
        ScannedRegistry {
            store,
            types: known,
            listings: Mutex::default(),
        }
    }

    fn record(&self, scanned: &Scanned, row: Row) -> DatasetRecord {
        let definition = &scanned.definition;
        let keys = scanned.keys.keys().iter().map(|(key, _)| key.as_str());
        let data_id = DataId::new(keys.zip(row.values));
        let Stat {
            bytes, modified, ..
        } = row.stat;
        DatasetRecord {
            id: DatasetId::stamp(
                self.store.root(),
                &definition.dataset_type,
                &data_id,
                bytes,
                modified,
            ),
            data_id,
            definition: Arc::clone(definition),
            artifact: Some(ArtifactRecord {
                location: (row.variant > 0).then_some(Location::Inside(row.path)),
                bytes,
                modified,
                digest: None,
                layout: None,
            }),
            members: Vec::new(),
            precursors: Vec::new(),
            metadata: DataId::default(),
            footprint: None,
            state: State::Current,
        }
    }

    /// Answers requests for complete data IDs: one question to the store for all of them.
    fn look_up(&self, requests: &[(usize, &Scanned, DataId)]) -> Result<Found, RegistryError> {
        let mut places = Vec::new();
        for (_, scanned, data_id) in requests {
            // What a template cannot print is nowhere.
            let filled = scanned.template.fill(data_id).ok();
            for variant in VARIANTS {
                let path = filled.as_ref().and_then(|filled| {
                    ArtifactPath::new(&format!("{}{variant}", filled.path.as_str())).ok()
                });
                places.push(path);
            }
        }
        let asked: Vec<Location> = places
            .iter()
            .flatten()
            .map(|path| Location::Inside(path.clone()))
            .collect();
        let mut stats = self
            .store
            .stat_many(&asked)
            .map_err(|error| self.failed(error))?
            .into_iter();
        let mut found = Found::new();
        for ((at, scanned, data_id), paths) in requests.iter().zip(places.chunks(VARIANTS.len())) {
            let mut first = None;
            for (variant, path) in paths.iter().enumerate() {
                let Some(path) = path else {
                    continue;
                };
                if let Some(stat) = stats.next().flatten()
                    && first.is_none()
                {
                    first = Some((variant, path.clone(), stat));
                }
            }
            let Some((variant, path, stat)) = first else {
                continue;
            };
            let values = scanned.keys.sort_key(data_id).into_iter().flatten();
            let row = Row {
                values: values.cloned().collect(),
                path,
                variant,
                stat,
            };
            found.insert(*at, vec![self.record(scanned, row)]);
        }
        Ok(found)
    }

    /// Answers requests for what has some values: one walk through each folder.
    fn list(&self, requests: &[(usize, &Scanned, DataId)]) -> Result<Found, RegistryError> {
        let wanted: Vec<Wanted<'_>> = requests
            .iter()
            .map(|(_, scanned, known)| Wanted {
                template: &scanned.template,
                keys: &scanned.keys,
                known,
            })
            .collect();
        let rows = walk(self.store.as_ref(), &wanted).map_err(|error| self.failed(error))?;
        let records = requests.iter().zip(rows).map(|((at, scanned, _), rows)| {
            let rows = rows.into_iter();
            (*at, rows.map(|row| self.record(scanned, row)).collect())
        });
        Ok(records.collect())
    }

    /// All datasets of a type that have these values, in the order of its keys.
    fn all(
        &self,
        scanned: &Scanned,
        data_id: &DataId,
    ) -> Result<Vec<DatasetRecord>, RegistryError> {
        let request = FindRequest {
            dataset_type: scanned.definition.dataset_type.clone(),
            data_id: data_id.clone(),
            limit: usize::MAX,
        };
        Ok(self.find_many(&[request])?.pop().unwrap_or_default())
    }

    /// What one listing saw: seen now for its first page, remembered for the others.
    fn listing(&self, request: &PageRequest) -> Result<Arc<Vec<DatasetRecord>>, RegistryError> {
        let of = PageRequest {
            after: None,
            limit: 0,
            ..request.clone()
        };
        let known = || self.listings.lock().unwrap_or_else(PoisonError::into_inner);
        if request.after.is_some()
            && let Some(listing) = known().iter().find(|listing| listing.of == of)
        {
            return Ok(Arc::clone(&listing.rows));
        }
        let mut rows = match self.types.get(&request.dataset_type) {
            Some(scanned) if scanned.keys.has_keys(&request.order) => {
                self.all(scanned, &request.data_id)?
            }
            _ => Vec::new(),
        };
        rows.sort_by(|a, b| request.compare(&a.data_id, &b.data_id));
        let rows = Arc::new(rows);
        if rows.len() > request.limit {
            let mut known = known();
            known.retain(|listing| listing.of != of);
            if known.len() >= MOST_LISTINGS {
                known.remove(0);
            }
            let rows = Arc::clone(&rows);
            known.push(Listing { of, rows });
        }
        Ok(rows)
    }

    fn failed(&self, error: StoreError) -> RegistryError {
        RegistryError::Io {
            operation: "look for files in",
            path: self.store.root().to_owned(),
            why: error.to_string(),
        }
    }
}

/// Answers by the number of the request.
type Found = BTreeMap<usize, Vec<DatasetRecord>>;

impl Registry for ScannedRegistry {
    fn find_many(
        &self,
        requests: &[FindRequest],
    ) -> Result<Vec<Vec<DatasetRecord>>, RegistryError> {
        let (mut complete, mut partial) = (Vec::new(), Vec::new());
        for (at, request) in requests.iter().enumerate() {
            let Some(scanned) = self.types.get(&request.dataset_type) else {
                continue;
            };
            let Some(fitted) = scanned.keys.fit(&request.data_id) else {
                continue;
            };
            let keys = scanned.keys.keys();
            let is_complete = fitted.len() == keys.len();
            let fitted = fitted
                .into_iter()
                .map(|(at, value)| (keys[at].0.as_str(), value));
            let known = DataId::new(fitted);
            if is_complete {
                complete.push((at, scanned, known));
            } else if scanned.by_path && request.limit > 0 {
                partial.push((at, scanned, known));
            }
        }
        let mut found = self.look_up(&complete)?;
        found.extend(self.list(&partial)?);
        let answers = requests.iter().enumerate().map(|(at, request)| {
            let mut records = found.remove(&at).unwrap_or_default();
            records.truncate(request.limit);
            records
        });
        Ok(answers.collect())
    }

    /// Only stamps are found, and by looking at everything: identities are the engine's to derive.
    fn find_ids(&self, ids: &[DatasetId]) -> Result<Vec<Option<DatasetRecord>>, RegistryError> {
        let mut found = vec![None; ids.len()];
        if !ids.iter().any(DatasetId::is_stamp) {
            return Ok(found);
        }
        self.visit_all(&mut |record| {
            for (found, id) in found.iter_mut().zip(ids) {
                if *id == record.id {
                    *found = Some(record.clone());
                }
            }
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    fn find_users(&self, ids: &[DatasetId]) -> Result<Vec<Vec<DatasetRecord>>, RegistryError> {
        Ok(vec![Vec::new(); ids.len()])
    }

    fn find_made_from(&self, ids: &[DatasetId]) -> Result<Vec<Vec<DatasetRecord>>, RegistryError> {
        Ok(vec![Vec::new(); ids.len()])
    }

    fn key_sets(&self, dataset_type: Option<&TypeName>) -> Result<Vec<KeysOfType>, RegistryError> {
        let types = self.types.iter();
        let types = types.filter(|(name, _)| dataset_type.is_none_or(|wanted| wanted == *name));
        Ok(types
            .map(|(name, scanned)| (name.clone(), scanned.keys.keys().to_vec()))
            .collect())
    }

    fn page(&self, request: &PageRequest) -> Result<Vec<DatasetRecord>, RegistryError> {
        let rows = self.listing(request)?;
        let start = request.after.as_ref().map_or(0, |after| {
            rows.partition_point(|row| request.compare(&row.data_id, after).is_le())
        });
        let rows = rows.iter().skip(start);
        Ok(rows.take(request.limit).cloned().collect())
    }

    fn visit(
        &self,
        dataset_type: Option<&TypeName>,
        data_id: &DataId,
        each: &mut dyn FnMut(DatasetRecord) -> ControlFlow<()>,
    ) -> Result<(), RegistryError> {
        for (name, scanned) in &self.types {
            if dataset_type.is_some_and(|wanted| wanted != name) {
                continue;
            }
            for record in self.all(scanned, data_id)? {
                if each(record).is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn visit_all(
        &self,
        each: &mut dyn FnMut(DatasetRecord) -> ControlFlow<()>,
    ) -> Result<(), RegistryError> {
        self.visit(None, &DataId::default(), each)
    }

    fn summary(&self) -> Result<Vec<TypeSummary>, RegistryError> {
        let scanned: Vec<(&TypeName, &Scanned)> = self.types.iter().collect();
        let requests: Vec<FindRequest> = scanned
            .iter()
            .map(|(name, _)| FindRequest {
                dataset_type: (*name).clone(),
                data_id: DataId::default(),
                limit: usize::MAX,
            })
            .collect();
        let mut summaries = Vec::new();
        for ((name, scanned), records) in scanned.into_iter().zip(self.find_many(&requests)?) {
            let mut summary = TypeSummary {
                dataset_type: name.clone(),
                count: records.len() as u64,
                bytes: 0,
                keys: Vec::new(),
            };
            for record in &records {
                summary.bytes += record.artifact.as_ref().map_or(0, |of| of.bytes);
                for (key, _) in scanned.keys.keys() {
                    if let Some(value) = record.data_id.get(key) {
                        widen(&mut summary.keys, key, value);
                    }
                }
            }
            if !records.is_empty() {
                summaries.push(summary);
            }
        }
        Ok(summaries)
    }

    fn provenance(&self, ids: &[DatasetId]) -> Result<Vec<Option<Provenance>>, RegistryError> {
        Ok(vec![None; ids.len()])
    }

    fn begin(&self) -> Result<Box<dyn Transaction + '_>, RegistryError> {
        Err(RegistryError::ReadOnly {
            path: self.store.root().to_owned(),
            why: "it is a folder without an index, which is scanned".to_owned(),
        })
    }
}
