//! A registry that counts the round trips to another one.
//!
//! Tests assert costs with it, and `--stats` reports them. It counts calls of the traits, so a call that asks for a
//! thousand datasets is one; how many SQL statements that takes, [`crate::SqliteRegistry::statements`] says.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pantler_core::registry::{
    FindRequest, KeysOfType, PageRequest, Provenance, Transaction, TypeSummary,
};
use pantler_core::{
    DataId, DatasetId, DatasetRecord, Digest, Location, Registry, RegistryError, TypeName,
};

/// How often a registry was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Searches and visits, inside transactions and outside.
    pub reads: u64,
    /// Changes within transactions.
    pub changes: u64,
    /// Transactions begun.
    pub begins: u64,
    /// Transactions committed, or tried to.
    pub commits: u64,
}

impl Counts {
    /// Returns the number of all calls.
    pub fn total(&self) -> u64 {
        self.reads + self.changes + self.begins + self.commits
    }
}

#[derive(Debug, Default)]
struct Counters {
    reads: AtomicU64,
    changes: AtomicU64,
    begins: AtomicU64,
    commits: AtomicU64,
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// A registry that counts what is asked of the one that it wraps.
#[derive(Debug)]
pub struct CountingRegistry<R> {
    inner: R,
    counters: Arc<Counters>,
}

impl<R: Registry> CountingRegistry<R> {
    /// Wraps a registry; all counts are zero.
    pub fn new(inner: R) -> CountingRegistry<R> {
        CountingRegistry {
            inner,
            counters: Arc::default(),
        }
    }

    /// Returns how often the registry was called so far.
    pub fn counts(&self) -> Counts {
        Counts {
            reads: self.counters.reads.load(Ordering::Relaxed),
            changes: self.counters.changes.load(Ordering::Relaxed),
            begins: self.counters.begins.load(Ordering::Relaxed),
            commits: self.counters.commits.load(Ordering::Relaxed),
        }
    }

    /// Returns the registry that is wrapped.
    pub fn inner(&self) -> &R {
        &self.inner
    }
}

impl<R: Registry> Registry for CountingRegistry<R> {
    fn find_many(
        &self,
        requests: &[FindRequest],
    ) -> Result<Vec<Vec<DatasetRecord>>, RegistryError> {
        count(&self.counters.reads);
        self.inner.find_many(requests)
    }

    fn find_ids(&self, ids: &[DatasetId]) -> Result<Vec<Option<DatasetRecord>>, RegistryError> {
        count(&self.counters.reads);
        self.inner.find_ids(ids)
    }

    fn find_users(&self, ids: &[DatasetId]) -> Result<Vec<Vec<DatasetRecord>>, RegistryError> {
        count(&self.counters.reads);
        self.inner.find_users(ids)
    }

    fn find_made_from(&self, ids: &[DatasetId]) -> Result<Vec<Vec<DatasetRecord>>, RegistryError> {
        count(&self.counters.reads);
        self.inner.find_made_from(ids)
    }

    fn key_sets(&self, dataset_type: Option<&TypeName>) -> Result<Vec<KeysOfType>, RegistryError> {
        count(&self.counters.reads);
        self.inner.key_sets(dataset_type)
    }

    fn page(&self, request: &PageRequest) -> Result<Vec<DatasetRecord>, RegistryError> {
        count(&self.counters.reads);
        self.inner.page(request)
    }

    fn visit(
        &self,
        dataset_type: Option<&TypeName>,
        data_id: &DataId,
        each: &mut dyn FnMut(DatasetRecord) -> ControlFlow<()>,
    ) -> Result<(), RegistryError> {
        count(&self.counters.reads);
        self.inner.visit(dataset_type, data_id, each)
    }

    fn visit_all(
        &self,
        each: &mut dyn FnMut(DatasetRecord) -> ControlFlow<()>,
    ) -> Result<(), RegistryError> {
        count(&self.counters.reads);
        self.inner.visit_all(each)
    }

    fn summary(&self) -> Result<Vec<TypeSummary>, RegistryError> {
        count(&self.counters.reads);
        self.inner.summary()
    }

    fn provenance(&self, ids: &[DatasetId]) -> Result<Vec<Option<Provenance>>, RegistryError> {
        count(&self.counters.reads);
        self.inner.provenance(ids)
    }

    fn begin(&self) -> Result<Box<dyn Transaction + '_>, RegistryError> {
        count(&self.counters.begins);
        Ok(Box::new(CountingTransaction {
            inner: self.inner.begin()?,
            counters: Arc::clone(&self.counters),
        }))
    }
}

struct CountingTransaction<'r> {
    inner: Box<dyn Transaction + 'r>,
    counters: Arc<Counters>,
}

impl Transaction for CountingTransaction<'_> {
    fn find_many(
        &self,
        requests: &[FindRequest],
    ) -> Result<Vec<Vec<DatasetRecord>>, RegistryError> {
        count(&self.counters.reads);
        self.inner.find_many(requests)
    }

    fn find_ids(&self, ids: &[DatasetId]) -> Result<Vec<Option<DatasetRecord>>, RegistryError> {
        count(&self.counters.reads);
        self.inner.find_ids(ids)
    }

    fn find_users(&self, ids: &[DatasetId]) -> Result<Vec<Vec<DatasetRecord>>, RegistryError> {
        count(&self.counters.reads);
        self.inner.find_users(ids)
    }

    fn insert(
        &mut self,
        datasets: &[DatasetRecord],
        provenance: &Provenance,
    ) -> Result<(), RegistryError> {
        count(&self.counters.changes);
        self.inner.insert(datasets, provenance)
    }

    fn supersede(&mut self, id: DatasetId, location: &Location) -> Result<(), RegistryError> {
        count(&self.counters.changes);
        self.inner.supersede(id, location)
    }

    fn relocate(
        &mut self,
        id: DatasetId,
        location: Option<&Location>,
    ) -> Result<(), RegistryError> {
        count(&self.counters.changes);
        self.inner.relocate(id, location)
    }

    fn set_digest(&mut self, id: DatasetId, digest: Digest) -> Result<(), RegistryError> {
        count(&self.counters.changes);
        self.inner.set_digest(id, digest)
    }

    fn set_layout(&mut self, id: DatasetId, layout: &Arc<[u8]>) -> Result<(), RegistryError> {
        count(&self.counters.changes);
        self.inner.set_layout(id, layout)
    }

    fn remove(&mut self, ids: &[DatasetId]) -> Result<(), RegistryError> {
        count(&self.counters.changes);
        self.inner.remove(ids)
    }

    fn leave_mark(&mut self) -> Result<(), RegistryError> {
        count(&self.counters.changes);
        self.inner.leave_mark()
    }

    fn commit(self: Box<Self>) -> Result<(), RegistryError> {
        count(&self.counters.commits);
        self.inner.commit()
    }
}
