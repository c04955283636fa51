//! A registry that fails where a test wants it to, so that every step of a put can be tried with the next one failing.
//!
//! Calls are counted from 1, those of transactions included; dropping a transaction is no call.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pantler_core::registry::{
    FindRequest, KeysOfType, PageRequest, Provenance, Transaction, TypeSummary,
};
use pantler_core::{
    DataId, DatasetId, DatasetRecord, Digest, Location, Registry, RegistryError, TypeName,
};

/// When and how a [`FaultyRegistry`] fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Never.
    Never,
    /// The call of this number does nothing and fails; those after it work.
    Once(u64),
    /// The call of this number, and every one after it, does nothing and fails.
    FromThenOn(u64),
    /// The call of this number does its work, and reports a failure all the same: its acknowledgement was lost. A commit
    /// that fails so has been committed.
    AcknowledgementLost(u64),
}

#[derive(Debug)]
struct Trigger {
    fault: Fault,
    calls: AtomicU64,
}

impl Trigger {
    fn call<T>(&self, work: impl FnOnce() -> Result<T, RegistryError>) -> Result<T, RegistryError> {
        let number = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let failure = |why: &str| RegistryError::Io {
            operation: "use",
            path: "under test".to_owned(),
            why: format!("call {number} was made to fail{why}"),
        };
        match self.fault {
            Fault::Once(at) if number == at => Err(failure("")),
            Fault::FromThenOn(at) if number >= at => Err(failure("")),
            Fault::AcknowledgementLost(at) if number == at => {
                work()?;
                Err(failure(" after its work was done"))
            }
            _ => work(),
        }
    }
}

/// A registry that passes calls on to the one that it wraps, and fails at a chosen one.
#[derive(Debug)]
pub struct FaultyRegistry<R> {
    inner: R,
    trigger: Arc<Trigger>,
}

impl<R: Registry> FaultyRegistry<R> {
    /// Wraps a registry.
    pub fn new(inner: R, fault: Fault) -> FaultyRegistry<R> {
        let calls = AtomicU64::new(0);
        FaultyRegistry {
            inner,
            trigger: Arc::new(Trigger { fault, calls }),
        }
    }

    /// Returns how many calls there were; a sweep over all faults ends when a run made fewer than the fault's number.
    pub fn calls(&self) -> u64 {
        self.trigger.calls.load(Ordering::SeqCst)
    }

    /// Returns the registry that is wrapped.
    pub fn inner(&self) -> &R {
        &self.inner
    }
}

impl<R: Registry> Registry for FaultyRegistry<R> {
    fn find_many(
        &self,
        requests: &[FindRequest],
    ) -> Result<Vec<Vec<DatasetRecord>>, RegistryError> {
        self.trigger.call(|| self.inner.find_many(requests))
    }

    fn find_ids(&self, ids: &[DatasetId]) -> Result<Vec<Option<DatasetRecord>>, RegistryError> {
        self.trigger.call(|| self.inner.find_ids(ids))
    }

    fn find_users(&self, ids: &[DatasetId]) -> Result<Vec<Vec<DatasetRecord>>, RegistryError> {
        self.trigger.call(|| self.inner.find_users(ids))
    }

    fn find_made_from(&self, ids: &[DatasetId]) -> Result<Vec<Vec<DatasetRecord>>, RegistryError> {
        self.trigger.call(|| self.inner.find_made_from(ids))
    }

    fn key_sets(&self, dataset_type: Option<&TypeName>) -> Result<Vec<KeysOfType>, RegistryError> {
        self.trigger.call(|| self.inner.key_sets(dataset_type))
    }

    fn page(&self, request: &PageRequest) -> Result<Vec<DatasetRecord>, RegistryError> {
        self.trigger.call(|| self.inner.page(request))
    }

    fn visit(
        &self,
        dataset_type: Option<&TypeName>,
        data_id: &DataId,
        each: &mut dyn FnMut(DatasetRecord) -> ControlFlow<()>,
    ) -> Result<(), RegistryError> {
        self.trigger
            .call(|| self.inner.visit(dataset_type, data_id, each))
    }

    fn visit_all(
        &self,
        each: &mut dyn FnMut(DatasetRecord) -> ControlFlow<()>,
    ) -> Result<(), RegistryError> {
        self.trigger.call(|| self.inner.visit_all(each))
    }

    fn summary(&self) -> Result<Vec<TypeSummary>, RegistryError> {
        self.trigger.call(|| self.inner.summary())
    }

    fn provenance(&self, ids: &[DatasetId]) -> Result<Vec<Option<Provenance>>, RegistryError> {
        self.trigger.call(|| self.inner.provenance(ids))
    }

    fn begin(&self) -> Result<Box<dyn Transaction + '_>, RegistryError> {
        let inner = self.trigger.call(|| self.inner.begin())?;
        Ok(Box::new(FaultyTransaction {
            inner,
            trigger: Arc::clone(&self.trigger),
        }))
    }
}

struct FaultyTransaction<'r> {
    inner: Box<dyn Transaction + 'r>,
    trigger: Arc<Trigger>,
}

impl Transaction for FaultyTransaction<'_> {
    fn find_many(
        &self,
        requests: &[FindRequest],
    ) -> Result<Vec<Vec<DatasetRecord>>, RegistryError> {
        self.trigger.call(|| self.inner.find_many(requests))
    }

    fn find_ids(&self, ids: &[DatasetId]) -> Result<Vec<Option<DatasetRecord>>, RegistryError> {
        self.trigger.call(|| self.inner.find_ids(ids))
    }

    fn find_users(&self, ids: &[DatasetId]) -> Result<Vec<Vec<DatasetRecord>>, RegistryError> {
        self.trigger.call(|| self.inner.find_users(ids))
    }

    fn insert(
        &mut self,
        datasets: &[DatasetRecord],
        provenance: &Provenance,
    ) -> Result<(), RegistryError> {
        self.trigger
            .call(|| self.inner.insert(datasets, provenance))
    }

    fn supersede(&mut self, id: DatasetId, location: &Location) -> Result<(), RegistryError> {
        self.trigger.call(|| self.inner.supersede(id, location))
    }

    fn relocate(
        &mut self,
        id: DatasetId,
        location: Option<&Location>,
    ) -> Result<(), RegistryError> {
        self.trigger.call(|| self.inner.relocate(id, location))
    }

    fn set_digest(&mut self, id: DatasetId, digest: Digest) -> Result<(), RegistryError> {
        self.trigger.call(|| self.inner.set_digest(id, digest))
    }

    fn set_layout(&mut self, id: DatasetId, layout: &Arc<[u8]>) -> Result<(), RegistryError> {
        self.trigger.call(|| self.inner.set_layout(id, layout))
    }

    fn remove(&mut self, ids: &[DatasetId]) -> Result<(), RegistryError> {
        self.trigger.call(|| self.inner.remove(ids))
    }

    fn leave_mark(&mut self) -> Result<(), RegistryError> {
        self.trigger.call(|| self.inner.leave_mark())
    }

    fn commit(self: Box<Self>) -> Result<(), RegistryError> {
        let FaultyTransaction { inner, trigger } = *self;
        // Where the work is not done, `inner` is dropped with it, which undoes the transaction.
        trigger.call(|| inner.commit())
    }
}
