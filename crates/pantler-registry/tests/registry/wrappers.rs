//! The wrappers do what they are for.

use pantler_core::registry::FindRequest;
use pantler_core::{DataId, Registry, RegistryError, TypeName};
use pantler_registry::{CountingRegistry, Counts, Fault, FaultyRegistry, MemoryRegistry};

use super::{count, dataset, insert, provenance, warp};

fn request() -> FindRequest {
    FindRequest {
        dataset_type: TypeName::new("warp").expect("it is a name"),
        data_id: DataId::default(),
        limit: 10,
    }
}

#[test]
fn a_call_is_counted_once_however_much_it_asks_for() {
    let registry = CountingRegistry::new(MemoryRegistry::new());
    insert(
        &registry,
        &[
            dataset(&warp(), &[1, 2, 3, 4]),
            dataset(&warp(), &[1, 2, 3, 5]),
        ],
    );
    registry.find_many(&vec![request(); 50]).expect("it finds");
    registry.find_ids(&[]).expect("it finds");
    let transaction = registry.begin().expect("a transaction begins");
    transaction.find_users(&[]).expect("it finds");
    drop(transaction);
    let expected = Counts {
        reads: 3,
        changes: 1,
        begins: 2,
        commits: 1,
    };
    assert_eq!(registry.counts(), expected);
    assert_eq!(registry.counts().total(), 7);
}

fn put(registry: &dyn Registry) -> Result<(), RegistryError> {
    registry.find_many(&[request()])?;
    let mut transaction = registry.begin()?;
    transaction.insert(&[dataset(&warp(), &[1, 2, 3, 4])], &provenance())?;
    transaction.commit()
}

#[test]
fn every_call_fails_once_when_it_is_told_to_and_nothing_is_committed() {
    let mut at = 1;
    loop {
        let registry = FaultyRegistry::new(MemoryRegistry::new(), Fault::Once(at));
        let done = put(&registry);
        if done.is_ok() {
            assert!(registry.calls() < at, "the fault was not reached");
            break;
        }
        assert_eq!(registry.calls(), at, "nothing is called after the failure");
        assert_eq!(count(registry.inner()), 0);
        put(&registry).expect("it failed once and works again");
        assert_eq!(count(registry.inner()), 1);
        at += 1;
    }
    assert_eq!(at, 5, "find, begin, insert and commit can fail");
}

#[test]
fn a_registry_that_is_gone_stays_gone() {
    let registry = FaultyRegistry::new(MemoryRegistry::new(), Fault::FromThenOn(3));
    assert!(put(&registry).is_err());
    assert!(put(&registry).is_err());
    assert!(registry.summary().is_err());
    assert_eq!(count(registry.inner()), 0);
}

#[test]
fn a_commit_whose_acknowledgement_is_lost_is_a_commit() {
    let registry = FaultyRegistry::new(MemoryRegistry::new(), Fault::AcknowledgementLost(4));
    assert!(put(&registry).is_err());
    assert_eq!(count(registry.inner()), 1);
}
