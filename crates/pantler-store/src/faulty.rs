//! A store that fails at a chosen call, for sweeps: fail at call 1, 2, 3, … until the operation succeeds, and after each
//! look whether the repository is in its old state or its new one.
//!
//! Every call of a method that reads or changes something counts. A batch of links or deletions is passed on one by one,
//! each a call of its own, so that a sweep also stops in the middle of a batch, as a real disk does.

use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use bytes::Bytes;
use pantler_core::store::{Link, RangeRequest, Staged, Stat};
use pantler_core::{ArtifactPath, Location, Store, StoreError};

/// What happens from the chosen call on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// That call fails without having done anything; later ones work.
    Once,
    /// That call does its work and fails all the same, as when an answer gets lost; later ones work.
    OnceDone,
    /// That call and all later ones fail without having done anything: the power is gone.
    FromThenOn,
}

impl Fault {
    const ALL: [Fault; 3] = [Fault::Once, Fault::OnceDone, Fault::FromThenOn];
}

/// A store that fails when it is told to.
#[derive(Debug)]
pub struct FaultyStore<S> {
    inner: S,
    calls: AtomicU64,
    fail_at: AtomicU64,
    fault: AtomicU8,
}

impl<S: Store> FaultyStore<S> {
    /// Wraps a store that does not fail yet.
    pub fn new(inner: S) -> FaultyStore<S> {
        FaultyStore {
            inner,
            calls: AtomicU64::new(0),
            fail_at: AtomicU64::new(0),
            fault: AtomicU8::new(0),
        }
    }

    /// Returns the store behind it.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// Starts counting anew and fails at the `call`-th call from now, counted from 1.
    pub fn fail_at(&self, call: u64, fault: Fault) {
        self.fail_at.store(0, Ordering::SeqCst);
        self.calls.store(0, Ordering::SeqCst);
        self.fault.store(fault as u8, Ordering::SeqCst);
        self.fail_at.store(call, Ordering::SeqCst);
    }

    /// Never fails any more, and starts counting anew.
    pub fn work(&self) {
        self.fail_at(0, Fault::Once);
    }

    /// Returns how many calls were made since counting started, the failed ones included.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    fn call<T>(
        &self,
        operation: &'static str,
        path: &str,
        work: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let chosen = self.fail_at.load(Ordering::SeqCst);
        if chosen == 0 || call < chosen {
            return work();
        }
        let fault = Fault::ALL
            .get(usize::from(self.fault.load(Ordering::SeqCst)))
            .copied()
            .unwrap_or(Fault::Once);
        match fault {
            Fault::Once | Fault::OnceDone if call > chosen => return work(),
            Fault::OnceDone => drop(work()?),
            Fault::Once | Fault::FromThenOn => {}
        }
        Err(StoreError::Io {
            operation,
            path: format!("{}/{path}", self.inner.root()),
            source: io::Error::other(format!("an injected fault at call {call}")),
        })
    }
}

/// Returns what to call a batch in a message: its first member.
fn first<'a, T>(batch: &'a [T], text: impl Fn(&'a T) -> &'a str) -> &'a str {
    batch.first().map_or("", text)
}

impl<S: Store> Store for FaultyStore<S> {
    fn root(&self) -> &str {
        self.inner.root()
    }

    fn read_ranges(&self, requests: &[RangeRequest]) -> Result<Vec<Vec<Bytes>>, StoreError> {
        let path = first(requests, |request| request.location.as_str());
        self.call("read", path, || self.inner.read_ranges(requests))
    }

    fn stat_many(&self, locations: &[Location]) -> Result<Vec<Option<Stat>>, StoreError> {
        let path = first(locations, Location::as_str);
        self.call("look at", path, || self.inner.stat_many(locations))
    }

    fn list<'a>(
        &'a self,
        folder: Option<&ArtifactPath>,
    ) -> Box<dyn Iterator<Item = Result<(ArtifactPath, Stat), StoreError>> + 'a> {
        let path = folder.map_or("", ArtifactPath::as_str);
        match self.call("list", path, || Ok(self.inner.list(folder))) {
            Ok(listing) => listing,
            Err(error) => Box::new(std::iter::once(Err(error))),
        }
    }

    fn stage(&self, path: &ArtifactPath, content: &mut dyn Read) -> Result<Staged, StoreError> {
        self.call("write", path.as_str(), || self.inner.stage(path, content))
    }

    fn adopt(&self, file: &Path, path: &ArtifactPath) -> Result<Stat, StoreError> {
        self.call("link", path.as_str(), || self.inner.adopt(file, path))
    }

    fn link(&self, links: &[Link]) -> Result<(), StoreError> {
        links.iter().try_for_each(|link| {
            self.call("link to", link.to.as_str(), || {
                self.inner.link(std::slice::from_ref(link))
            })
        })
    }

    fn sync(&self, paths: &[ArtifactPath]) -> Result<(), StoreError> {
        let path = first(paths, ArtifactPath::as_str);
        self.call("sync", path, || self.inner.sync(paths))
    }

    fn delete(&self, paths: &[ArtifactPath]) -> Result<(), StoreError> {
        paths.iter().try_for_each(|path| {
            self.call("delete", path.as_str(), || {
                self.inner.delete(std::slice::from_ref(path))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use pantler_core::store::OnExisting::Refuse;

    use super::*;
    use crate::MemoryStore;

    fn path(text: &str) -> ArtifactPath {
        ArtifactPath::new(text).expect("a path")
    }

    fn store() -> FaultyStore<MemoryStore> {
        let store = FaultyStore::new(MemoryStore::new("test"));
        store
            .stage(&path("a"), &mut &b"a"[..])
            .expect("staging works");
        store
    }

    fn link(store: &impl Store, to: &[&str]) -> Result<(), StoreError> {
        let links: Vec<Link> = to
            .iter()
            .map(|to| Link {
                from: path("a"),
                to: path(to),
                existing: Refuse,
            })
            .collect();
        store.link(&links)
    }

    fn names(store: &FaultyStore<MemoryStore>) -> Vec<String> {
        let listed = store.inner().list(None);
        listed
            .map(|item| item.expect("listing works").0.to_string())
            .collect()
    }

    #[track_caller]
    fn injected<T: std::fmt::Debug>(result: Result<T, StoreError>, at: u64) {
        let message = result.expect_err("it fails").to_string();
        assert!(
            message.contains(&format!("an injected fault at call {at}")),
            "{message}"
        );
    }

    /// A batch stops in its middle, and the call after it works again.
    #[test]
    fn once_fails_once() {
        let store = store();
        store.fail_at(2, Fault::Once);
        injected(link(&store, &["b", "c", "d"]), 2);
        assert_eq!(names(&store), ["a", "b"]);
        assert_eq!(store.calls(), 2);
        link(&store, &["c"]).expect("later calls work");
    }

    /// What was done and reported as failed has been done.
    #[test]
    fn once_done_fails_after_the_work() {
        let store = store();
        store.fail_at(1, Fault::OnceDone);
        injected(link(&store, &["b", "c"]), 1);
        assert_eq!(names(&store), ["a", "b"]);
    }

    /// After a power cut nothing works, reading included, until the store is told to.
    #[test]
    fn from_then_on_fails_for_good() {
        let store = store();
        store.fail_at(2, Fault::FromThenOn);
        store.stat_many(&[]).expect("the first call works");
        injected(store.stat_many(&[]), 2);
        injected(store.read_ranges(&[]), 3);
        injected(store.stage(&path("b"), &mut &b""[..]), 4);
        injected(store.adopt(Path::new("/b"), &path("b")), 5);
        injected(link(&store, &["b"]), 6);
        injected(store.sync(&[]), 7);
        injected(store.delete(&[path("a")]), 8);
        injected(store.list(None).next().expect("one item"), 9);
        assert_eq!((store.calls(), names(&store)), (9, vec!["a".to_owned()]));
        store.work();
        link(&store, &["b"]).expect("it works again");
        assert_eq!(store.calls(), 1);
    }
}
