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

#[cfg(test)]
mod tests {
    use pantler_core::store::OnExisting;
    use pantler_core::store::OnExisting::{Refuse, Replace};

    use super::AfterCrash::*;
    use super::*;

    fn path(text: &str) -> ArtifactPath {
        ArtifactPath::new(text).expect("a path")
    }

    fn stage(store: &dyn Store, at: &str, content: &str) {
        let mut content = content.as_bytes();
        store.stage(&path(at), &mut content).expect("staging works");
    }

    fn link(store: &dyn Store, from: &str, to: &str, existing: OnExisting) {
        let link = Link {
            from: path(from),
            to: path(to),
            existing,
        };
        store.link(&[link]).expect("linking works");
    }

    /// Returns what a store holds, as `name=content`, pantler's own folder included.
    fn left(store: &MemoryStore) -> Vec<String> {
        let names = store.snapshot().artifacts;
        names
            .iter()
            .map(|(path, artifact)| {
                format!("{path}={}", String::from_utf8_lossy(&artifact.content))
            })
            .collect()
    }

    #[track_caller]
    fn assert_left(store: &ForgetfulStore, expected: [(AfterCrash, &[&str]); 4]) {
        for (choice, expected) in expected {
            assert_eq!(left(&store.crash(choice)), expected, "{choice:?}");
        }
    }

    /// Nothing that was not synchronised is promised: neither the name nor, where the name stays, its content.
    #[test]
    fn r29_what_was_only_staged_may_be_lost() {
        let store = ForgetfulStore::new("test");
        stage(&store, "s/a", "content");
        assert_left(
            &store,
            [
                (ForgetAll, &[]),
                (KeepRemovals, &[]),
                (KeepNames, &["s/a="]),
                (KeepAll, &["s/a=content"]),
            ],
        );
        store.sync(&[path("s/a")]).expect("synchronising works");
        for choice in AfterCrash::ALL {
            assert_eq!(left(&store.crash(choice)), ["s/a=content"], "{choice:?}");
        }
    }

    /// A folder is synchronised with all its names, but only the content asked for: the neighbour's name stays, empty.
    #[test]
    fn r29_a_neighbour_is_durable_in_name_only() {
        let store = ForgetfulStore::new("test");
        stage(&store, "s/a", "1");
        stage(&store, "s/b", "2");
        stage(&store, "t/c", "3");
        store.sync(&[path("s/a")]).expect("synchronising works");
        assert_eq!(left(&store.crash(ForgetAll)), ["s/a=1", "s/b="]);
    }

    /// A name that was linked and not synchronised may be gone although its content is durable; so may a removal.
    #[test]
    fn r29_names_need_their_own_sync() {
        let store = ForgetfulStore::new("test");
        stage(&store, "s/a", "1");
        store.sync(&[path("s/a")]).expect("synchronising works");
        link(&store, "s/a", "f/a", Refuse);
        store.delete(&[path("s/a")]).expect("deleting works");
        assert_left(
            &store,
            [
                (ForgetAll, &["s/a=1"]),
                (KeepRemovals, &[]),
                (KeepNames, &["f/a=1"]),
                (KeepAll, &["f/a=1"]),
            ],
        );
        store.sync(&[path("f/a")]).expect("synchronising works");
        assert_eq!(left(&store.crash(ForgetAll)), ["f/a=1", "s/a=1"]);
        assert_eq!(left(&store.crash(KeepRemovals)), ["f/a=1"]);
    }

    /// A replaced name means the old artifact or the new one after any crash.
    #[test]
    fn r29_a_replacement_is_old_or_new() {
        let store = ForgetfulStore::new("test");
        stage(&store, "f/a", "old");
        stage(&store, "s/a", "new");
        store
            .sync(&[path("f/a"), path("s/a")])
            .expect("synchronising works");
        link(&store, "s/a", "f/a", Replace);
        assert_left(
            &store,
            [
                (ForgetAll, &["f/a=old", "s/a=new"]),
                (KeepRemovals, &["f/a=old", "s/a=new"]),
                (KeepNames, &["f/a=new", "s/a=new"]),
                (KeepAll, &["f/a=new", "s/a=new"]),
            ],
        );
    }

    /// The steps of a put, cut off after each: what the registry may know of (from the commit on) is whole in every case,
    /// and what is left besides is known by its staged name, or is the same artifact as one.
    #[test]
    fn r29_a_put_cut_off_anywhere_is_old_or_new() {
        let [staged, last] = [".pantler/staging/1", "f/a"];
        let steps: [&dyn Fn(&ForgetfulStore); 5] = [
            &|store| stage(store, staged, "content"),
            &|store| store.sync(&[path(staged)]).expect("synchronising works"),
            &|store| link(store, staged, last, Refuse),
            &|store| store.sync(&[path(last)]).expect("synchronising works"),
            &|store| store.delete(&[path(staged)]).expect("deleting works"),
        ];
        for done in 0..=steps.len() {
            for choice in AfterCrash::ALL {
                let store = ForgetfulStore::new("test");
                steps[..done].iter().for_each(|step| step(&store));
                let after = store.crash(choice).snapshot().artifacts;
                let final_name = after.get(&path(last));
                let committed = done >= 4;
                assert!(
                    !committed || final_name.is_some(),
                    "{done} {choice:?}: lost"
                );
                if let Some(artifact) = final_name {
                    assert_eq!(
                        artifact.content, "content",
                        "{done} {choice:?}: half an artifact"
                    );
                    let known = after
                        .get(&path(staged))
                        .is_some_and(|staged| staged.number == artifact.number);
                    assert!(
                        committed || known,
                        "{done} {choice:?}: a leftover that nobody knows"
                    );
                }
            }
        }
    }
}
