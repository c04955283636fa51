//! Remembers what this store has made durable already, so that a second `sync` of the same costs nothing.
//!
//! A put synchronises a file when it is staged and its folders when it is linked; without this memory each put would flush
//! the file a second time and every folder up to the root. Used by `durable/sync.rs` alone. It is no proof that a file
//! exists, and it is never shared between processes.
//!
//! A file system gives the number of a deleted file to the next one, so a number alone proves nothing: it counts together
//! with a stamp (size and time of change of a file, time of birth of a folder), and whatever this store makes is forgotten
//! first.

use std::collections::HashMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::UNIX_EPOCH;

/// The memory is dropped when it holds this many entries: losing it costs time, never safety.
const MOST: usize = 65_536;

/// What distinguishes a file or folder from a later one with the same number.
type Stamp = (u64, i128);

/// What was made durable.
#[derive(Debug, Default)]
pub(crate) struct Synced(Mutex<HashMap<(u64, u64), Stamp>>);

impl Synced {
    /// Returns true if the content of this file, or the name of this folder, is durable.
    pub(crate) fn knows(&self, metadata: &Metadata) -> bool {
        stamp(metadata).is_some_and(|stamp| self.lock().get(&number(metadata)) == Some(&stamp))
    }

    /// Remembers a file whose content, or a folder whose name, was made durable.
    pub(crate) fn remember(&self, metadata: &Metadata) {
        let Some(stamp) = stamp(metadata) else {
            return;
        };
        let mut entries = self.lock();
        if entries.len() >= MOST {
            entries.clear();
        }
        entries.insert(number(metadata), stamp);
    }

    /// Forgets what had the number of something that was just made.
    pub(crate) fn forget(&self, metadata: &Metadata) {
        self.lock().remove(&number(metadata));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(u64, u64), Stamp>> {
        // No call below can leave the map half changed, so a panic elsewhere does not spoil it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn number(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// Returns the stamp; `None` where the file system does not say when a folder was born, which is then never remembered.
fn stamp(metadata: &Metadata) -> Option<Stamp> {
    if metadata.is_dir() {
        let born = metadata.created().ok()?.duration_since(UNIX_EPOCH).ok()?;
        return Some((0, i128::try_from(born.as_nanos()).ok()?));
    }
    let changed = i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
    Some((metadata.len(), changed))
}
