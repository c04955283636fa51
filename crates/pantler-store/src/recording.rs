//! A store that keeps the order of what was done, so that a test can prove it: synchronised before it was linked, linked
//! and synchronised before the registry committed, staged names removed only after that.
//!
//! What has to be *finished* before something else may begin (staging, synchronising, reading) is recorded when it is done;
//! what must not *begin* too early (names made or removed) is recorded before it is tried. So the record never shows an
//! order better than the real one, with many threads either.

use std::fmt;
use std::io::Read;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use pantler_core::store::{Link, RangeRequest, Staged, Stat};
use pantler_core::{ArtifactPath, Location, Store, StoreError};

/// One thing that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// An artifact was written.
    Stage(ArtifactPath),
    /// A file of this machine was linked.
    Adopt(ArtifactPath),
    /// Content and names were made durable.
    Sync(Vec<ArtifactPath>),
    /// A further name is made.
    Link {
        /// The artifact as it is named now.
        from: ArtifactPath,
        /// The further name.
        to: ArtifactPath,
    },
    /// Names are removed.
    Delete(Vec<ArtifactPath>),
    /// Artifacts were read.
    Read(Vec<Location>),
    /// Artifacts were looked at.
    Stat(Vec<Location>),
    /// A listing was begun.
    List(Option<ArtifactPath>),
    /// Something else that a test wants to see in its place, for instance `registry commit`.
    Note(String),
}

impl fmt::Display for Operation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operation::Stage(path) => write!(out, "stage {path}"),
            Operation::Adopt(path) => write!(out, "adopt {path}"),
            Operation::Sync(paths) => write!(out, "sync {}", joined(paths)),
            Operation::Link { from, to } => write!(out, "link {from} to {to}"),
            Operation::Delete(paths) => write!(out, "delete {}", joined(paths)),
            Operation::Read(locations) => write!(out, "read {}", joined(locations)),
            Operation::Stat(locations) => write!(out, "stat {}", joined(locations)),
            Operation::List(None) => write!(out, "list"),
            Operation::List(Some(folder)) => write!(out, "list {folder}"),
            Operation::Note(text) => out.write_str(text),
        }
    }
}

fn joined(names: &[impl ToString]) -> String {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    names.join(", ")
}

/// A store that records.
#[derive(Debug)]
pub struct RecordingStore<S> {
    inner: S,
    operations: Mutex<Vec<Operation>>,
}

impl<S: Store> RecordingStore<S> {
    /// Wraps a store; nothing is recorded yet.
    pub fn new(inner: S) -> RecordingStore<S> {
        RecordingStore {
            inner,
            operations: Mutex::default(),
        }
    }

    /// Returns the store behind it.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// Records something that happens elsewhere at this moment.
    pub fn note(&self, text: &str) {
        self.record(Operation::Note(text.to_owned()));
    }

    /// Returns what was recorded so far.
    pub fn operations(&self) -> Vec<Operation> {
        self.lock().clone()
    }

    /// Returns what was recorded so far, and begins anew.
    pub fn take(&self) -> Vec<Operation> {
        std::mem::take(&mut self.lock())
    }

    fn record(&self, operation: Operation) {
        self.lock().push(operation);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Operation>> {
        self.operations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Store> Store for RecordingStore<S> {
    fn root(&self) -> &str {
        self.inner.root()
    }

    fn read_ranges(&self, requests: &[RangeRequest]) -> Result<Vec<Vec<Bytes>>, StoreError> {
        let answers = self.inner.read_ranges(requests)?;
        let locations = requests.iter().map(|request| request.location.clone());
        self.record(Operation::Read(locations.collect()));
        Ok(answers)
    }

    fn stat_many(&self, locations: &[Location]) -> Result<Vec<Option<Stat>>, StoreError> {
        let stats = self.inner.stat_many(locations)?;
        self.record(Operation::Stat(locations.to_vec()));
        Ok(stats)
    }

    fn list<'a>(
        &'a self,
        folder: Option<&ArtifactPath>,
    ) -> Box<dyn Iterator<Item = Result<(ArtifactPath, Stat), StoreError>> + 'a> {
        self.record(Operation::List(folder.cloned()));
        self.inner.list(folder)
    }

    fn stage(&self, path: &ArtifactPath, content: &mut dyn Read) -> Result<Staged, StoreError> {
        let staged = self.inner.stage(path, content)?;
        self.record(Operation::Stage(path.clone()));
        Ok(staged)
    }

    fn adopt(&self, file: &Path, path: &ArtifactPath) -> Result<Stat, StoreError> {
        let stat = self.inner.adopt(file, path)?;
        self.record(Operation::Adopt(path.clone()));
        Ok(stat)
    }

    fn link(&self, links: &[Link]) -> Result<(), StoreError> {
        for link in links {
            self.record(Operation::Link {
                from: link.from.clone(),
                to: link.to.clone(),
            });
        }
        self.inner.link(links)
    }

    fn sync(&self, paths: &[ArtifactPath]) -> Result<(), StoreError> {
        self.inner.sync(paths)?;
        self.record(Operation::Sync(paths.to_vec()));
        Ok(())
    }

    fn delete(&self, paths: &[ArtifactPath]) -> Result<(), StoreError> {
        self.record(Operation::Delete(paths.to_vec()));
        self.inner.delete(paths)
    }
}

#[cfg(test)]
mod tests {
    use pantler_core::store::OnExisting::Refuse;

    use super::*;
    use crate::MemoryStore;

    /// The record of a put reads like the contract's own picture of it, a note of the test's in its place.
    #[test]
    fn r29_the_order_of_a_put_is_recorded() {
        let store = RecordingStore::new(MemoryStore::new("test"));
        let [staged, last] =
            [".pantler/staging/1", "f/a"].map(|name| ArtifactPath::new(name).expect("a path"));
        let link = Link {
            from: staged.clone(),
            to: last.clone(),
            existing: Refuse,
        };
        store.stage(&staged, &mut &b"a"[..]).expect("staging works");
        store
            .sync(std::slice::from_ref(&staged))
            .expect("synchronising works");
        store
            .link(std::slice::from_ref(&link))
            .expect("linking works");
        store
            .sync(std::slice::from_ref(&last))
            .expect("synchronising works");
        store.note("registry commit");
        store
            .delete(std::slice::from_ref(&staged))
            .expect("deleting works");
        let lines: Vec<String> = store.take().iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "stage .pantler/staging/1",
                "sync .pantler/staging/1",
                "link .pantler/staging/1 to f/a",
                "sync f/a",
                "registry commit",
                "delete .pantler/staging/1",
            ]
        );
        assert!(store.operations().is_empty());
    }

    /// What failed to become durable is not recorded as durable; a name that may have been made is recorded.
    #[test]
    fn failures_never_look_better_than_they_were() {
        let store = RecordingStore::new(MemoryStore::new("test"));
        let [a, b] = ["a", "b"].map(|name| ArtifactPath::new(name).expect("a path"));
        assert!(store.sync(std::slice::from_ref(&a)).is_err());
        assert!(store.operations().is_empty());
        let link = Link {
            from: a.clone(),
            to: b.clone(),
            existing: Refuse,
        };
        assert!(store.link(&[link]).is_err());
        assert_eq!(store.operations(), [Operation::Link { from: a, to: b }]);
    }
}
