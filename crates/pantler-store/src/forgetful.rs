//! A store that loses at a crash what a power cut may lose (R29).
//!
//! Killing a process proves nothing about durability: the kernel keeps everything. This store keeps two states, what a reader
//! sees and what is durable, and [`ForgetfulStore::crash`] returns a store with only what survived. The model is that of a
//! journalling file system in its worst mood:
//!
//! ```text
//! sync(path)   content of path durable; every name in its folder durable as it is now, made or removed
//! crash        a name that survives and whose content was not synchronised is an empty artifact
//! ```
//!
//! A folder's own name is not modelled: `sync` makes those above durable too, by contract. It knows nothing of registries: a
//! test keeps the registry where it commits durably, and puts the two together again after the crash.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::Read;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use pantler_core::store::{Link, RangeRequest, Staged, Stat};
use pantler_core::{ArtifactPath, Location, Store, StoreError};

use crate::memory::{Artifact, MemoryStore, Names};

/// Which of the names that nobody synchronised a crash leaves. Content that nobody synchronised is lost in all but the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterCrash {
    /// None: names made since are gone, names removed since are back.
    ForgetAll,
    /// Removals survive, new names do not: the worst for whoever removes the old name before the new one is durable.
    KeepRemovals,
    /// All names are as they were last seen, but what they name may be empty.
    KeepNames,
    /// Everything survives, as when only the process was killed.
    KeepAll,
}

impl AfterCrash {
    /// All choices, for sweeps.
    pub const ALL: [AfterCrash; 4] = [
        AfterCrash::ForgetAll,
        AfterCrash::KeepRemovals,
        AfterCrash::KeepNames,
        AfterCrash::KeepAll,
    ];
}

/// A store in memory that forgets.
#[derive(Debug)]
pub struct ForgetfulStore {
    now: MemoryStore,
    durable: Mutex<Durable>,
}

#[derive(Debug, Default)]
struct Durable {
    names: BTreeMap<ArtifactPath, Artifact>,
    /// Numbers of the artifacts whose content is durable.
    content: HashSet<u64>,
}

impl ForgetfulStore {
    /// Makes an empty store whose root is `memory:NAME`.
    pub fn new(name: &str) -> ForgetfulStore {
        ForgetfulStore::over(MemoryStore::new(name))
    }

    /// Goes on from a store, all of which is durable: the machine after a crash has been started again.
    pub fn over(now: MemoryStore) -> ForgetfulStore {
        let names = now.snapshot().artifacts;
        let content = names.values().map(|artifact| artifact.number).collect();
        ForgetfulStore {
            now,
            durable: Mutex::new(Durable { names, content }),
        }
    }

    /// Returns what a crash at this moment leaves; the store itself goes on, so that a sweep can try every choice.
    pub fn crash(&self, choice: AfterCrash) -> MemoryStore {
        let durable = self.lock();
        let mut left = self.now.snapshot();
        match choice {
            AfterCrash::ForgetAll => left.artifacts = durable.names.clone(),
            AfterCrash::KeepRemovals => {
                let seen = left.artifacts;
                left.artifacts = durable.names.clone();
                left.artifacts.retain(|path, _| seen.contains_key(path));
            }
            AfterCrash::KeepNames | AfterCrash::KeepAll => {}
        }
        if choice != AfterCrash::KeepAll {
            lose_content(&mut left, &durable.content);
        }
        MemoryStore::holding(self.now.root().to_owned(), left)
    }

    fn lock(&self) -> MutexGuard<'_, Durable> {
        self.durable.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lose_content(names: &mut Names, durable: &HashSet<u64>) {
    for artifact in names.artifacts.values_mut() {
        if !durable.contains(&artifact.number) {
            artifact.content = Bytes::new();
        }
    }
}

impl Store for ForgetfulStore {
    fn root(&self) -> &str {
        self.now.root()
    }

    fn read_ranges(&self, requests: &[RangeRequest]) -> Result<Vec<Vec<Bytes>>, StoreError> {
        self.now.read_ranges(requests)
    }

    fn stat_many(&self, locations: &[Location]) -> Result<Vec<Option<Stat>>, StoreError> {
        self.now.stat_many(locations)
    }

    fn list<'a>(
        &'a self,
        folder: Option<&ArtifactPath>,
    ) -> Box<dyn Iterator<Item = Result<(ArtifactPath, Stat), StoreError>> + 'a> {
        self.now.list(folder)
    }

    fn stage(&self, path: &ArtifactPath, content: &mut dyn Read) -> Result<Staged, StoreError> {
        self.now.stage(path, content)
    }

    fn adopt(&self, file: &Path, path: &ArtifactPath) -> Result<Stat, StoreError> {
        self.now.adopt(file, path)
    }

    fn link(&self, links: &[Link]) -> Result<(), StoreError> {
        self.now.link(links)
    }

    fn sync(&self, paths: &[ArtifactPath]) -> Result<(), StoreError> {
        let mut durable = self.lock();
        self.now.sync(paths)?;
        let seen = self.now.snapshot().artifacts;
        let synced = paths.iter().filter_map(|path| seen.get(path));
        durable
            .content
            .extend(synced.map(|artifact| artifact.number));
        let folders: BTreeSet<Option<&str>> = paths.iter().map(ArtifactPath::folder).collect();
        durable
            .names
            .retain(|path, _| !folders.contains(&path.folder()));
        let kept = seen
            .into_iter()
            .filter(|(path, _)| folders.contains(&path.folder()));
        durable.names.extend(kept.collect::<Vec<_>>());
        Ok(())
    }

    fn delete(&self, paths: &[ArtifactPath]) -> Result<(), StoreError> {
        self.now.delete(paths)
    }
}
