//! The conformance suite for every store of this crate, and for every wrapper around one.

use std::path::Path;

use pantler_core::Store;
use pantler_testkit::store_conformance;

use crate::{
    AfterCrash, CountingStore, Fault, FaultyStore, ForgetfulStore, LocalStore, MemoryStore,
    RecordingStore,
};

fn local(folder: &Path) -> LocalStore {
    LocalStore::create(&folder.join("new/repository")).expect("a folder")
}

store_conformance!(local_store, |folder| Box::new(local(folder)));
store_conformance!(memory_store, |_| Box::new(MemoryStore::new("test")));
store_conformance!(forgetful_store, |_| Box::new(ForgetfulStore::new("test")));
store_conformance!(forgetful_store_after_a_crash, |_| {
    let store = ForgetfulStore::new("test");
    let left = store.crash(AfterCrash::ForgetAll);
    Box::new(ForgetfulStore::over(left))
});
store_conformance!(counting_local, |folder| Box::new(CountingStore::new(
    local(folder)
)));
store_conformance!(counting_memory, |_| Box::new(CountingStore::new(
    MemoryStore::new("test")
)));
store_conformance!(recording_local, |folder| Box::new(RecordingStore::new(
    local(folder)
)));
store_conformance!(recording_memory, |_| Box::new(RecordingStore::new(
    MemoryStore::new("test")
)));
store_conformance!(faulty_local_that_works, |folder| Box::new(
    FaultyStore::new(local(folder))
));
store_conformance!(faulty_memory_after_its_fault, |_| {
    let store = FaultyStore::new(MemoryStore::new("test"));
    store.fail_at(1, Fault::Once);
    assert!(store.sync(&[]).is_err());
    Box::new(store)
});
store_conformance!(all_wrappers_behind_pointers, |folder| {
    let store: Box<dyn Store> = Box::new(local(folder));
    let store = std::sync::Arc::new(FaultyStore::new(store));
    Box::new(CountingStore::new(RecordingStore::new(store)))
});
