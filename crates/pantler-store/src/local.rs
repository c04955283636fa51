//! A repository in a folder of this machine.
//!
//! Opened by the engine for every repository whose root is a path. Names are opened below the root and never outside of it
//! (`confined.rs`), read with plain reads into buffers of exactly their size (`outside.rs`), listed lazily (`listing.rs`),
//! and written by one module alone (`durable.rs`). It keeps the root's folder open and nothing else, and is safe to use
//! from many threads and many processes.

mod confined;
mod durable;
mod listing;
mod synced;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use pantler_core::store::{Link, Pieces, RangeRequest, Staged, Stat};
use pantler_core::{ArtifactPath, Location, Store, StoreError};

use crate::outside::{self, OpenArtifact, READ, stat_of};
use confined::{Refusal, Root};

/// What errors call this sort of store.
const LOCAL: &str = "a local folder";

/// How a name is opened that is only looked at: no right to read it is needed.
#[cfg(target_os = "linux")]
const LOOK: rustix::fs::OFlags = rustix::fs::OFlags::PATH.union(rustix::fs::OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
const LOOK: rustix::fs::OFlags = READ;

/// A store in a folder of this machine.
///
/// ```
/// use pantler_core::{ArtifactPath, Location, Store};
/// use pantler_store::LocalStore;
///
/// let folder = tempfile::tempdir()?;
/// let store = LocalStore::create(&folder.path().join("repository"))?;
/// let path = ArtifactPath::new(".pantler/staging/1")?;
/// store.stage(&path, &mut &b"photons"[..])?;
/// store.sync(std::slice::from_ref(&path))?;
/// let stat = store.stat_many(&[Location::Inside(path)])?;
/// assert_eq!(stat[0].as_ref().map(|stat| stat.bytes), Some(7));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct LocalStore {
    root: Root,
}

impl LocalStore {
    /// Opens a folder that exists.
    pub fn open(root: &Path) -> Result<LocalStore, StoreError> {
        Root::open(root).map(|root| LocalStore { root })
    }

    /// Makes a folder, and those above it, where they do not exist yet, durably, and opens it.
    pub fn create(root: &Path) -> Result<LocalStore, StoreError> {
        durable::make_root(root)?;
        LocalStore::open(root)
    }

    fn open_for_reading(&self, path: &ArtifactPath) -> Result<OpenArtifact, StoreError> {
        let opened = self.root.open_below(path.as_str(), READ);
        opened
            .and_then(|opened| OpenArtifact::new(opened).map_err(Refusal::from))
            .map_err(|refusal| self.root.missing_or_failed("read", path.as_str(), refusal))
    }

    /// Opens an artifact for reading; with its whole path, for messages.
    fn opened(&self, location: &Location) -> Result<(OpenArtifact, String), StoreError> {
        Ok(match location {
            Location::Inside(path) => {
                (self.open_for_reading(path)?, self.root.whole(path.as_str()))
            }
            Location::Outside(path) => (outside::open(path)?, path.to_string()),
        })
    }

    fn stat(&self, path: &ArtifactPath) -> Result<Option<Stat>, StoreError> {
        let metadata = match self.root.open_below(path.as_str(), LOOK) {
            Ok(opened) => File::from(opened).metadata().map_err(Refusal::from),
            Err(refusal) if refusal.is_missing() => return Ok(None),
            Err(refusal) => Err(refusal),
        };
        let metadata =
            metadata.map_err(|refusal| self.root.failed("look at", path.as_str(), refusal))?;
        Ok(metadata
            .is_file()
            .then(|| self.root.believed(stat_of(&metadata))))
    }
}

impl Store for LocalStore {
    fn root(&self) -> &str {
        self.root.as_str()
    }

    fn is_near(&self) -> bool {
        true
    }

    fn read_ranges(&self, requests: &[RangeRequest]) -> Result<Vec<Vec<Bytes>>, StoreError> {
        let mut answers: Vec<Vec<Bytes>> = vec![Vec::new(); requests.len()];
        // Sorted, so that each artifact is opened once and only one is open at a time.
        let mut order: Vec<usize> = (0..requests.len()).collect();
        order.sort_by_key(|&at| &requests[at].location);
        for group in order.chunk_by(|&a, &b| requests[a].location == requests[b].location) {
            let location = &requests[group[0]].location;
            let (artifact, whole) = self.opened(location)?;
            for &at in group {
                answers[at] = artifact.read(location.as_str(), &whole, &requests[at].ranges)?;
            }
        }
        Ok(answers)
    }

    fn read_whole(&self, location: &Location, at_most: u64) -> Result<Option<Bytes>, StoreError> {
        let (artifact, whole) = self.opened(location)?;
        let bytes = artifact.metadata().len();
        if bytes > at_most {
            return Ok(None);
        }
        let mut all =
            artifact.read(location.as_str(), &whole, std::slice::from_ref(&(0..bytes)))?;
        Ok(all.pop())
    }

    fn in_pieces(
        &self,
        location: &Location,
        range: &Range<u64>,
    ) -> Result<Option<Arc<dyn Pieces>>, StoreError> {
        let (artifact, whole) = self.opened(location)?;
        let pieces = artifact.in_pieces(location.as_str(), &whole, range)?;
        Ok(Some(Arc::new(pieces)))
    }

    fn stat_many(&self, locations: &[Location]) -> Result<Vec<Option<Stat>>, StoreError> {
        locations
            .iter()
            .map(|location| match location {
                Location::Inside(path) => self.stat(path),
                Location::Outside(path) => outside::stat(path),
            })
            .collect()
    }

    fn list<'a>(
        &'a self,
        folder: Option<&ArtifactPath>,
    ) -> Box<dyn Iterator<Item = Result<(ArtifactPath, Stat), StoreError>> + 'a> {
        Box::new(listing::Listing::new(&self.root, folder))
    }

    fn stage(&self, path: &ArtifactPath, content: &mut dyn Read) -> Result<Staged, StoreError> {
        durable::stage(&self.root, path, content)
    }

    fn adopt(&self, file: &Path, path: &ArtifactPath) -> Result<Stat, StoreError> {
        durable::adopt(&self.root, file, path)
    }

    fn link(&self, links: &[Link]) -> Result<(), StoreError> {
        durable::link::link(&self.root, links)
    }

    fn sync(&self, paths: &[ArtifactPath]) -> Result<(), StoreError> {
        durable::sync::sync(&self.root, paths)
    }

    fn delete(&self, paths: &[ArtifactPath]) -> Result<(), StoreError> {
        durable::delete(&self.root, paths)
    }
}

/// Returns the error for a name that is taken.
fn already_exists(root: &Root, path: &ArtifactPath) -> StoreError {
    StoreError::AlreadyExists {
        root: root.as_str().to_owned(),
        location: path.to_string(),
    }
}
