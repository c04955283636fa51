//! A registry in memory, which behaves as the one on disk does: for tests, and for results that need not be kept.
//!
//! Readers see the state of the last commit. A transaction works on a copy of that state, which replaces it at commit; the
//! copy shares the records, but its indexes are copied whole, so a transaction costs time in proportion to what is stored.

mod state;

use std::ops::ControlFlow;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use pantler_core::registry::{
    FindRequest, KeysOfType, PageRequest, Provenance, Transaction, TypeSummary,
};
use pantler_core::{
    DataId, DatasetId, DatasetRecord, Digest, Location, Registry, RegistryError, TypeName,
};

use crate::gate::{Gate, unpoisoned};
use state::State;

/// As long as the registry on disk waits by default.
const BUSY_TIMEOUT: Duration = Duration::from_secs(60);

/// A registry that is gone with the process.
#[derive(Debug, Default)]
pub struct MemoryRegistry {
    committed: RwLock<Arc<State>>,
    gate: Gate,
}

impl MemoryRegistry {
    /// Makes an empty registry.
    pub fn new() -> MemoryRegistry {
        MemoryRegistry::default()
    }

    fn state(&self) -> Arc<State> {
        let state = unpoisoned(self.committed.read());
        Arc::clone(&state)
    }
}

impl Registry for MemoryRegistry {
    fn find_many(
        &self,
        requests: &[FindRequest],
    ) -> Result<Vec<Vec<DatasetRecord>>, RegistryError> {
        Ok(self.state().find_many(requests))
    }

    fn find_ids(&self, ids: &[DatasetId]) -> Result<Vec<Option<DatasetRecord>>, RegistryError> {
        Ok(self.state().find_ids(ids))
    }

    fn find_users(&self, ids: &[DatasetId]) -> Result<Vec<Vec<DatasetRecord>>, RegistryError> {
        Ok(self.state().find_users(ids))
    }

    fn find_made_from(&self, ids: &[DatasetId]) -> Result<Vec<Vec<DatasetRecord>>, RegistryError> {
        Ok(self.state().find_made_from(ids))
    }

    fn key_sets(&self, dataset_type: Option<&TypeName>) -> Result<Vec<KeysOfType>, RegistryError> {
        Ok(self.state().key_sets(dataset_type))
    }

    fn page(&self, request: &PageRequest) -> Result<Vec<DatasetRecord>, RegistryError> {
        Ok(self.state().page(request))
    }

    fn visit(
        &self,
        dataset_type: Option<&TypeName>,
        data_id: &DataId,
        each: &mut dyn FnMut(DatasetRecord) -> ControlFlow<()>,
    ) -> Result<(), RegistryError> {
        // Whether the visitor went through or stopped early makes no difference to the caller.
        let _ = self.state().visit(dataset_type, data_id, each);
        Ok(())
    }

    fn visit_all(
        &self,
        each: &mut dyn FnMut(DatasetRecord) -> ControlFlow<()>,
    ) -> Result<(), RegistryError> {
        let _ = self.state().visit_all(each);
        Ok(())
    }

    fn summary(&self) -> Result<Vec<TypeSummary>, RegistryError> {
        Ok(self.state().summary())
    }

    fn provenance(&self, ids: &[DatasetId]) -> Result<Vec<Option<Provenance>>, RegistryError> {
        Ok(self.state().provenance(ids))
    }

    fn begin(&self) -> Result<Box<dyn Transaction + '_>, RegistryError> {
        if !self.gate.enter(Instant::now() + BUSY_TIMEOUT) {
            return Err(RegistryError::Busy {
                path: "in memory".to_owned(),
                seconds: BUSY_TIMEOUT.as_secs(),
            });
        }
        Ok(Box::new(MemoryTransaction {
            registry: self,
            state: State::clone(&self.state()),
        }))
    }
}

struct MemoryTransaction<'r> {
    registry: &'r MemoryRegistry,
    state: State,
}

impl Drop for MemoryTransaction<'_> {
    fn drop(&mut self) {
        self.registry.gate.leave();
    }
}

impl Transaction for MemoryTransaction<'_> {
    fn find_many(
        &self,
        requests: &[FindRequest],
    ) -> Result<Vec<Vec<DatasetRecord>>, RegistryError> {
        Ok(self.state.find_many(requests))
    }

    fn find_ids(&self, ids: &[DatasetId]) -> Result<Vec<Option<DatasetRecord>>, RegistryError> {
        Ok(self.state.find_ids(ids))
    }

    fn find_users(&self, ids: &[DatasetId]) -> Result<Vec<Vec<DatasetRecord>>, RegistryError> {
        Ok(self.state.find_users(ids))
    }

    fn insert(
        &mut self,
        datasets: &[DatasetRecord],
        provenance: &Provenance,
    ) -> Result<(), RegistryError> {
        let provenance = Arc::new(provenance.clone());
        for (index, record) in datasets.iter().enumerate() {
            if let Err(error) = self.state.insert(record, &provenance) {
                for inserted in &datasets[..index] {
                    self.state.remove(inserted.id);
                }
                return Err(error);
            }
        }
        Ok(())
    }

    fn supersede(&mut self, id: DatasetId, location: &Location) -> Result<(), RegistryError> {
        self.state.supersede(id, location)
    }

    fn relocate(
        &mut self,
        id: DatasetId,
        location: Option<&Location>,
    ) -> Result<(), RegistryError> {
        self.state.change(id, |record| {
            if let Some(artifact) = &mut record.artifact {
                artifact.location = location.cloned();
            }
        })
    }

    fn set_digest(&mut self, id: DatasetId, digest: Digest) -> Result<(), RegistryError> {
        self.state.change(id, |record| {
            if let Some(artifact) = &mut record.artifact {
                artifact.digest = Some(digest);
            }
        })
    }

    fn set_layout(&mut self, id: DatasetId, layout: &Arc<[u8]>) -> Result<(), RegistryError> {
        self.state.change(id, |record| {
            if let Some(artifact) = &mut record.artifact {
                artifact.layout = Some(Arc::clone(layout));
            }
        })
    }

    /// Nobody is killed inside a commit here.
    fn leave_mark(&mut self) -> Result<(), RegistryError> {
        Ok(())
    }

    fn remove(&mut self, ids: &[DatasetId]) -> Result<(), RegistryError> {
        for id in ids {
            self.state.check_exists(*id)?;
        }
        for id in ids {
            self.state.remove(*id);
        }
        Ok(())
    }

    fn commit(mut self: Box<Self>) -> Result<(), RegistryError> {
        let state = std::mem::take(&mut self.state);
        *unpoisoned(self.registry.committed.write()) = Arc::new(state);
        Ok(())
    }
}
