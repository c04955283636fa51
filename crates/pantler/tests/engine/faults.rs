//! A put that is stopped anywhere leaves the old state or the new one, and fsck agrees (rules R26, R29).
//!
//! Three sweeps: every store call fails in turn, every registry call fails in turn, and the power is cut after every store
//! call with all that was not synchronised forgotten.

use std::ops::ControlFlow;
use std::sync::Arc;

use pantler::DataId;
use pantler::core::registry::{
    FindRequest, KeysOfType, PageRequest, Provenance, Transaction, TypeSummary,
};
use pantler::core::{
    DatasetId, DatasetRecord, Digest, Location, Registry, RegistryError, Store, TypeName,
};
use pantler::registry::{Fault as RegistryFault, FaultyRegistry, MemoryRegistry};
use pantler::store::{AfterCrash, Fault, FaultyStore, ForgetfulStore, Operation, RecordingStore};
use pantler::{ObjectRef, OnConflict, PutOptions};

use super::support::*;

/// jointcal's parts and composite before and after a put, told apart by the WCS.
#[derive(Debug, PartialEq)]
enum Seen {
    Nothing,
    Old,
    New,
}

fn seen(joint: &Place, single: &Place) -> Seen {
    let butler = butler(&[joint, single], 1);
    match try_get(&butler, "calexp:jointcal", DATA_ID) {
        Err(error) => {
            let said = error.report().to_string();
            assert!(
                said.contains("needs the key") || said.contains("was not found"),
                "{said}"
            );
            // None of the parts may be there either.
            assert!(
                try_get(&butler, "jointcal_wcs", DATA_ID).is_err(),
                "the wcs is there without the rest"
            );
            assert!(
                try_get(&butler, "jointcal_calib", DATA_ID).is_err(),
                "the calib is there without the rest"
            );
            Seen::Nothing
        }
        Ok(object) if right_ascension(&object) == 151.0 => {
            assert!(
                object
                    .component("calib")
                    .unwrap()
                    .difference(calib(3e12).as_ref())
                    .is_none(),
                "old wcs, new calib"
            );
            Seen::Old
        }
        Ok(object) => {
            assert_eq!(right_ascension(&object), 161.0);
            assert!(
                object
                    .component("calib")
                    .unwrap()
                    .difference(calib(4e12).as_ref())
                    .is_none(),
                "new wcs, old calib"
            );
            Seen::New
        }
    }
}

fn check_and_repair(joint: &Place, single: &Place) {
    let butler = butler(&[joint, single], 1);
    let report = butler
        .fsck(pantler::fsck::FsckOptions {
            deep: true,
            repair: false,
        })
        .unwrap();
    assert!(report.is_clean(), "{report:?}");
    let mended = butler
        .fsck(pantler::fsck::FsckOptions {
            deep: true,
            repair: true,
        })
        .unwrap();
    assert!(mended.is_clean(), "{mended:?}");
}

fn exposure_with(single: &Place, right_ascension: f64, flux: f64) -> ObjectRef {
    get(&butler(&[single], 0), "calexp:sfm", "visit=903334 ccd=16")
        .with_component("wcs", &wcs(right_ascension))
        .unwrap()
        .with_component("calib", &calib(flux))
        .unwrap()
}

fn act(joint: &Place, single: &Place, replace: bool) -> pantler::Result<pantler::PutResult> {
    let object = exposure_with(single, 161.0, 4e12);
    let options = PutOptions {
        on_conflict: if replace {
            OnConflict::Replace
        } else {
            OnConflict::Refuse
        },
        ..Default::default()
    };
    butler(&[joint, single], 1).put(&object, "calexp:jointcal", &id(DATA_ID), &options)
}

/// jointcal as the sweep finds it: empty, or with an old composition to be replaced.
fn prepared(single: &Place, replace: bool) -> (Arc<ForgetfulStore>, Arc<dyn Registry>) {
    let store = Arc::new(ForgetfulStore::new("jointcal"));
    write_policy(store.as_ref(), JOINTCAL);
    let registry: Arc<dyn Registry> = Arc::new(MemoryRegistry::new());
    if replace {
        let joint = Place {
            name: "jointcal",
            store: store.clone(),
            registry: registry.clone(),
        };
        let old = exposure_with(single, 151.0, 3e12);
        put(
            &butler(&[&joint, single], 1),
            &old,
            "calexp:jointcal",
            DATA_ID,
        );
    }
    (store, registry)
}

fn before(replace: bool) -> Seen {
    if replace { Seen::Old } else { Seen::Nothing }
}

#[test]
fn every_store_call_may_fail() {
    for replace in [false, true] {
        for fault in [Fault::Once, Fault::OnceDone, Fault::FromThenOn] {
            for call in 1.. {
                let single = Pair::new().single;
                let (store, registry) = prepared(&single, replace);
                let faulty = Arc::new(FaultyStore::new(store.clone()));
                let joint = Place {
                    name: "jointcal",
                    store: faulty.clone(),
                    registry: registry.clone(),
                };
                // Opening reads the policy through the same store; only what comes after it is to fail.
                let object = exposure_with(&single, 161.0, 4e12);
                let open = butler(&[&joint, &single], 1);
                faulty.fail_at(call, fault);
                let on_conflict = if replace {
                    OnConflict::Replace
                } else {
                    OnConflict::Refuse
                };
                let outcome = open.put(
                    &object,
                    "calexp:jointcal",
                    &id(DATA_ID),
                    &PutOptions {
                        on_conflict,
                        ..Default::default()
                    },
                );
                let calls = faulty.calls();
                faulty.work();
                let seen = seen(&joint, &single);
                let context = format!(
                    "{fault:?} at {call}, replace {replace}: {:?}",
                    outcome.as_ref().map_err(|error| error.report().to_string())
                );
                if outcome.is_ok() {
                    assert_eq!(seen, Seen::New, "{context}");
                } else {
                    assert!(
                        seen == before(replace) || seen == Seen::New,
                        "{seen:?} after {context}"
                    );
                }
                check_and_repair(&joint, &single);
                // Doing it again completes it, whatever was left behind.
                act(&joint, &single, replace)
                    .unwrap_or_else(|error| panic!("again, after {context}: {}", error.report()));
                assert_eq!(
                    self::seen(&joint, &single),
                    Seen::New,
                    "again, after {context}"
                );
                check_and_repair(&joint, &single);
                if calls < call {
                    assert!(call > 5, "the sweep met {call} calls only");
                    break;
                }
            }
        }
    }
}

#[test]
fn every_registry_call_may_fail() {
    for replace in [false, true] {
        for call in 1.. {
            let mut reached = false;
            for fault in [
                RegistryFault::Once(call),
                RegistryFault::FromThenOn(call),
                RegistryFault::AcknowledgementLost(call),
            ] {
                let single = Pair::new().single;
                let (store, registry) = prepared(&single, replace);
                let store: Arc<dyn Store> = store;
                let faulty = Arc::new(FaultyRegistry::new(registry.clone(), fault));
                let joint = Place {
                    name: "jointcal",
                    store: store.clone(),
                    registry: faulty.clone(),
                };
                let outcome = act(&joint, &single, replace);
                reached |= faulty.calls() >= call;
                let joint = Place {
                    name: "jointcal",
                    store,
                    registry,
                };
                let seen = seen(&joint, &single);
                let context = format!(
                    "{fault:?}, replace {replace}: {:?}",
                    outcome.as_ref().map_err(|error| error.report().to_string())
                );
                if outcome.is_ok() {
                    assert_eq!(seen, Seen::New, "{context}");
                } else {
                    assert!(
                        seen == before(replace) || seen == Seen::New,
                        "{seen:?} after {context}"
                    );
                }
                check_and_repair(&joint, &single);
                act(&joint, &single, replace)
                    .unwrap_or_else(|error| panic!("again, after {context}: {}", error.report()));
                check_and_repair(&joint, &single);
            }
            if !reached {
                assert!(call > 3, "the sweep met {call} calls only");
                break;
            }
        }
    }
}

/// A power cut: from the n-th store call on nothing works, neither store nor registry; then all that was not
/// synchronised is forgotten in each of the ways in which a file system may forget it.
#[test]
fn r29_the_power_may_be_cut_after_every_store_call() {
    for replace in [false, true] {
        for call in 1.. {
            let mut calls = 0;
            for choice in AfterCrash::ALL {
                let single = Pair::new().single;
                let (store, registry) = prepared(&single, replace);
                let forgetful = store;
                let faulty = Arc::new(FaultyStore::new(forgetful.clone()));
                let power = faulty.clone();
                let dying = Arc::new(Hooked::new(registry.clone(), move |_| {
                    if power.calls() < call {
                        return Ok(());
                    }
                    Err(RegistryError::Io {
                        operation: "use",
                        path: "jointcal".into(),
                        why: "the power is cut".into(),
                    })
                }));
                let joint = Place {
                    name: "jointcal",
                    store: faulty.clone(),
                    registry: dying,
                };
                let object = exposure_with(&single, 161.0, 4e12);
                let open = butler(&[&joint, &single], 1);
                faulty.fail_at(call, Fault::FromThenOn);
                let on_conflict = if replace {
                    OnConflict::Replace
                } else {
                    OnConflict::Refuse
                };
                let outcome = open.put(
                    &object,
                    "calexp:jointcal",
                    &id(DATA_ID),
                    &PutOptions {
                        on_conflict,
                        ..Default::default()
                    },
                );
                calls = faulty.calls();
                let survived: Arc<dyn Store> = Arc::new(forgetful.crash(choice));
                let joint = Place {
                    name: "jointcal",
                    store: survived,
                    registry,
                };
                let seen = seen(&joint, &single);
                let context = format!(
                    "call {call}, {choice:?}, replace {replace}, acknowledged {}",
                    outcome.is_ok()
                );
                if outcome.is_ok() {
                    assert_eq!(seen, Seen::New, "{context}");
                } else {
                    assert!(
                        seen == before(replace) || seen == Seen::New,
                        "{seen:?} after {context}"
                    );
                }
                check_and_repair(&joint, &single);
                act(&joint, &single, replace)
                    .unwrap_or_else(|error| panic!("again, after {context}: {}", error.report()));
                assert_eq!(
                    self::seen(&joint, &single),
                    Seen::New,
                    "again, after {context}"
                );
                check_and_repair(&joint, &single);
            }
            if calls < call {
                assert!(call > 5, "the sweep met {call} calls only");
                break;
            }
        }
    }
}

/// The order that makes a put durable: content, then names, then the registry.
#[test]
fn r29_artifacts_are_durable_before_the_registry_says_so() {
    let single = Pair::new().single;
    let (store, registry) = prepared(&single, false);
    let recording = Arc::new(RecordingStore::new(store));
    let noted = recording.clone();
    let noting = Arc::new(Hooked::new(registry, move |call| {
        if call == "commit" {
            noted.note("registry commit");
        }
        Ok(())
    }));
    let joint = Place {
        name: "jointcal",
        store: recording.clone(),
        registry: noting,
    };
    act(&joint, &single, false).unwrap();
    let operations: Vec<String> = recording
        .operations()
        .iter()
        .map(Operation::to_string)
        .collect();
    let position = |what: &str| {
        operations
            .iter()
            .position(|operation| operation.contains(what))
            .unwrap_or_else(|| panic!("no {what} in {operations:#?}"))
    };
    let last = |what: &str| {
        operations
            .iter()
            .rposition(|operation| operation.contains(what))
            .unwrap_or_else(|| panic!("no {what} in {operations:#?}"))
    };
    let order = [
        position("stage"),
        position("sync"),
        position("link"),
        last("sync"),
        position("registry commit"),
        position("delete"),
    ];
    assert!(order.is_sorted(), "{order:?} in {operations:#?}");
    assert!(
        last("stage") < position("sync"),
        "all is staged before anything is synchronised: {operations:#?}"
    );
}

/// A registry that tells a hook of every call before it is made.
pub(super) struct Hooked {
    registry: Arc<dyn Registry>,
    hook: Box<Hook>,
}

pub(super) type Hook = dyn Fn(&str) -> Result<(), RegistryError> + Send + Sync;

impl Hooked {
    pub(super) fn new(
        registry: Arc<dyn Registry>,
        hook: impl Fn(&str) -> Result<(), RegistryError> + Send + Sync + 'static,
    ) -> Hooked {
        Hooked {
            registry,
            hook: Box::new(hook),
        }
    }
}

impl Registry for Hooked {
    fn find_many(
        &self,
        requests: &[FindRequest],
    ) -> Result<Vec<Vec<DatasetRecord>>, RegistryError> {
        (self.hook)("find_many")?;
        self.registry.find_many(requests)
    }

    fn find_ids(&self, ids: &[DatasetId]) -> Result<Vec<Option<DatasetRecord>>, RegistryError> {
        (self.hook)("find_ids")?;
        self.registry.find_ids(ids)
    }

    fn find_users(&self, ids: &[DatasetId]) -> Result<Vec<Vec<DatasetRecord>>, RegistryError> {
        (self.hook)("find_users")?;
        self.registry.find_users(ids)
    }

    fn find_made_from(&self, ids: &[DatasetId]) -> Result<Vec<Vec<DatasetRecord>>, RegistryError> {
        (self.hook)("find_made_from")?;
        self.registry.find_made_from(ids)
    }

    fn key_sets(&self, dataset_type: Option<&TypeName>) -> Result<Vec<KeysOfType>, RegistryError> {
        (self.hook)("key_sets")?;
        self.registry.key_sets(dataset_type)
    }

    fn page(&self, request: &PageRequest) -> Result<Vec<DatasetRecord>, RegistryError> {
        (self.hook)("page")?;
        self.registry.page(request)
    }

    fn visit(
        &self,
        dataset_type: Option<&TypeName>,
        data_id: &DataId,
        each: &mut dyn FnMut(DatasetRecord) -> ControlFlow<()>,
    ) -> Result<(), RegistryError> {
        (self.hook)("visit")?;
        self.registry.visit(dataset_type, data_id, each)
    }

    fn visit_all(
        &self,
        each: &mut dyn FnMut(DatasetRecord) -> ControlFlow<()>,
    ) -> Result<(), RegistryError> {
        (self.hook)("visit_all")?;
        self.registry.visit_all(each)
    }

    fn summary(&self) -> Result<Vec<TypeSummary>, RegistryError> {
        (self.hook)("summary")?;
        self.registry.summary()
    }

    fn provenance(&self, ids: &[DatasetId]) -> Result<Vec<Option<Provenance>>, RegistryError> {
        (self.hook)("provenance")?;
        self.registry.provenance(ids)
    }

    fn begin(&self) -> Result<Box<dyn Transaction + '_>, RegistryError> {
        (self.hook)("begin")?;
        let inner = self.registry.begin()?;
        Ok(Box::new(HookedTransaction {
            inner,
            hook: &self.hook,
        }))
    }
}

struct HookedTransaction<'a> {
    inner: Box<dyn Transaction + 'a>,
    hook: &'a Hook,
}

impl Transaction for HookedTransaction<'_> {
    fn find_many(
        &self,
        requests: &[FindRequest],
    ) -> Result<Vec<Vec<DatasetRecord>>, RegistryError> {
        (self.hook)("find_many")?;
        self.inner.find_many(requests)
    }

    fn find_ids(&self, ids: &[DatasetId]) -> Result<Vec<Option<DatasetRecord>>, RegistryError> {
        (self.hook)("find_ids")?;
        self.inner.find_ids(ids)
    }

    fn find_users(&self, ids: &[DatasetId]) -> Result<Vec<Vec<DatasetRecord>>, RegistryError> {
        (self.hook)("find_users")?;
        self.inner.find_users(ids)
    }

    fn insert(
        &mut self,
        datasets: &[DatasetRecord],
        provenance: &Provenance,
    ) -> Result<(), RegistryError> {
        (self.hook)("insert")?;
        self.inner.insert(datasets, provenance)
    }

    fn supersede(&mut self, id: DatasetId, location: &Location) -> Result<(), RegistryError> {
        (self.hook)("supersede")?;
        self.inner.supersede(id, location)
    }

    fn relocate(
        &mut self,
        id: DatasetId,
        location: Option<&Location>,
    ) -> Result<(), RegistryError> {
        (self.hook)("relocate")?;
        self.inner.relocate(id, location)
    }

    fn set_digest(&mut self, id: DatasetId, digest: Digest) -> Result<(), RegistryError> {
        (self.hook)("set_digest")?;
        self.inner.set_digest(id, digest)
    }

    fn set_layout(&mut self, id: DatasetId, layout: &Arc<[u8]>) -> Result<(), RegistryError> {
        (self.hook)("set_layout")?;
        self.inner.set_layout(id, layout)
    }

    fn remove(&mut self, ids: &[DatasetId]) -> Result<(), RegistryError> {
        (self.hook)("remove")?;
        self.inner.remove(ids)
    }

    fn leave_mark(&mut self) -> Result<(), RegistryError> {
        (self.hook)("leave_mark")?;
        self.inner.leave_mark()
    }

    fn commit(self: Box<Self>) -> Result<(), RegistryError> {
        (self.hook)("commit")?;
        self.inner.commit()
    }
}
