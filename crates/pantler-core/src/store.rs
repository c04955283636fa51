//! The contract for where bytes live.
//!
//! A store knows nothing of data IDs, policies or formats. It is no file system: artifacts are written once, under names
//! that the engine chooses, and made visible whole. How a put uses it, in this order:
//!
//! ```text
//! stage  ─► sync ─► link (to its final path) ─► sync ─► [registry commit] ─► delete (the staged name)
//! ```
//!
//! Everything is batched, and nothing is asynchronous: a store that needs a runtime owns it.

use std::io::Read;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::{ArtifactPath, Digest, Location};

/// The folder, inside a repository, of artifacts that are being written. Names in it are no datasets.
pub const STAGING: &str = ".pantler/staging";

/// Byte ranges wanted of one artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeRequest {
    /// The artifact.
    pub location: Location,
    /// The ranges, in the order in which they are to be returned; they may overlap.
    pub ranges: Vec<Range<u64>>,
}

/// What a store says of an artifact without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat {
    /// The size in bytes.
    pub bytes: u64,
    /// When it was last changed, in nanoseconds since 1970; `None` where the store does not say.
    pub modified: Option<i64>,
    /// Equal for two paths that a [`Store::link`] made one artifact; `None` where the store does not know.
    pub same: Option<(u64, u64)>,
}

/// What [`Store::stage`] wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staged {
    /// The size in bytes.
    pub bytes: u64,
    /// The digest, computed while the bytes went by.
    pub digest: Digest,
}

/// What to do if a path is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnExisting {
    /// Fail with [`StoreError::AlreadyExists`] and leave it as it is.
    Refuse,
    /// Replace it in one step: a reader sees the old artifact or the new one, never a mixture, never neither.
    Replace,
}

/// One name to make for an artifact that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The artifact as it is named now.
    pub from: ArtifactPath,
    /// The further name; its folders are made as needed.
    pub to: ArtifactPath,
    /// What to do if that name is taken.
    pub existing: OnExisting,
}

/// One range of an artifact that was asked for and is read piece by piece, from many threads.
///
/// The artifact stays open as long as this is held, so that all pieces are of one artifact, whatever becomes of its name.
pub trait Pieces: Send + Sync {
    /// Fills `buffer` with the artifact's bytes from `offset` on (counted from the artifact's start).
    fn read_into(&self, offset: u64, buffer: &mut [u8]) -> Result<(), StoreError>;
}

/// Where bytes live.
///
/// **Promises.** No reader ever sees half an artifact under a path that was made by [`Store::link`]. What
/// [`Store::sync`] returned for survives a power cut, name and content; what it was not called for may be lost.
/// No method follows a path, or a symbolic link inside the repository, out of the root, except that reading a
/// [`Location::Outside`] reads exactly that path.
pub trait Store: Send + Sync {
    /// Returns the root as an absolute path or URL.
    fn root(&self) -> &str;

    /// Says whether a small read costs less than handing it to another thread, as on a disk of this machine.
    fn is_near(&self) -> bool {
        false
    }

    /// Reads ranges of several artifacts: one answer per request, one buffer per range, in their order.
    ///
    /// A range that ends beyond the artifact is [`StoreError::OutOfRange`]; nothing is padded or shortened. Memory for a
    /// range is taken only after the artifact's size has been checked.
    fn read_ranges(&self, requests: &[RangeRequest]) -> Result<Vec<Vec<Bytes>>, StoreError>;

    /// Reads a whole artifact, of which the size need not be known; `None` if it is larger than `at_most` bytes.
    ///
    /// It is one request where a store can do that: what is small and has no parts costs no question for its size.
    fn read_whole(&self, location: &Location, at_most: u64) -> Result<Option<Bytes>, StoreError> {
        let mut stats = self.stat_many(std::slice::from_ref(location))?;
        let Some(stat) = stats.pop().flatten() else {
            return Err(StoreError::NotFound {
                root: self.root().to_owned(),
                location: location.to_string(),
            });
        };
        if stat.bytes > at_most {
            return Ok(None);
        }
        let request = RangeRequest {
            location: location.clone(),
            ranges: vec![0..stat.bytes],
        };
        let mut answers = self.read_ranges(&[request])?.into_iter().flatten();
        Ok(Some(answers.next().unwrap_or_default()))
    }

    /// Asks for one range that is to be read piece by piece; `None` where each piece would be a request of its own.
    ///
    /// A store for which small reads at any position are cheap returns `Some`, and readers then decode a piece while it is
    /// in the processor's cache. To all who count it is one request for the whole range. A range that ends beyond the
    /// artifact is [`StoreError::OutOfRange`].
    fn in_pieces(
        &self,
        location: &Location,
        range: &Range<u64>,
    ) -> Result<Option<Arc<dyn Pieces>>, StoreError> {
        let _ = (location, range);
        Ok(None)
    }

    /// Says of each artifact how large it is; `None` if it does not exist.
    fn stat_many(&self, locations: &[Location]) -> Result<Vec<Option<Stat>>, StoreError>;

    /// Returns all artifacts under `folder` (`None` for the whole root), lazily, in any order. `.pantler` and what is in
    /// it are listed only when `folder` names it or a folder inside it. Symbolic links are listed as what they point at if
    /// that lies inside the root, else not at all.
    fn list<'a>(
        &'a self,
        folder: Option<&ArtifactPath>,
    ) -> Box<dyn Iterator<Item = Result<(ArtifactPath, Stat), StoreError>> + 'a>;

    /// Writes a new artifact under a staging path; not yet durable. The path must be new.
    fn stage(&self, path: &ArtifactPath, content: &mut dyn Read) -> Result<Staged, StoreError>;

    /// Makes a file of this machine an artifact under a staging path without copying it (a hard link).
    ///
    /// Fails with [`StoreError::Unsupported`] where the store cannot, for instance across devices.
    fn adopt(&self, file: &std::path::Path, path: &ArtifactPath) -> Result<Stat, StoreError>;

    /// Gives artifacts further names, each in one step; not yet durable. Stops at the first that fails; those before it
    /// stay.
    fn link(&self, links: &[Link]) -> Result<(), StoreError>;

    /// Makes content and names durable. Each folder is synchronised once, however many of the paths it holds.
    fn sync(&self, paths: &[ArtifactPath]) -> Result<(), StoreError>;

    /// Removes names; one that does not exist is no error.
    fn delete(&self, paths: &[ArtifactPath]) -> Result<(), StoreError>;
}

/// What can go wrong in a store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The artifact is not there.
    #[error("{location} does not exist in {root}")]
    NotFound {
        /// The store's root.
        root: String,
        /// The artifact.
        location: String,
    },
    /// The path is taken.
    #[error("{location} exists already in {root}")]
    AlreadyExists {
        /// The store's root.
        root: String,
        /// The path.
        location: String,
    },
    /// A range lies beyond the artifact.
    #[error("{location} has {bytes} bytes, and bytes {start}..{end} were asked for")]
    OutOfRange {
        /// The artifact.
        location: String,
        /// Its size.
        bytes: u64,
        /// Start of the range.
        start: u64,
        /// End of the range.
        end: u64,
    },
    /// A symbolic link leads out of the root.
    #[error("{location} leads out of {root} through a symbolic link")]
    Escapes {
        /// The store's root.
        root: String,
        /// The path.
        location: String,
    },
    /// The store cannot do this.
    #[error("{store} cannot {operation}")]
    Unsupported {
        /// The sort of store.
        store: &'static str,
        /// What was wanted of it.
        operation: &'static str,
    },
    /// The operating system or the server refused.
    #[error("cannot {operation} {path}: {source}")]
    Io {
        /// What was being done: `read`, `write`, `sync`.
        operation: &'static str,
        /// The whole path or URL.
        path: String,
        /// The cause.
        source: std::io::Error,
    },
}

/// Makes a pointer to a store a store, so that wrappers and the engine can share one.
macro_rules! store_behind_pointer {
    ($($pointer:ty),+) => {$(
        impl<S: Store + ?Sized> Store for $pointer {
            fn root(&self) -> &str {
                (**self).root()
            }

            fn is_near(&self) -> bool {
                (**self).is_near()
            }

            fn read_ranges(&self, requests: &[RangeRequest]) -> Result<Vec<Vec<Bytes>>, StoreError> {
                (**self).read_ranges(requests)
            }

            fn read_whole(&self, location: &Location, at_most: u64) -> Result<Option<Bytes>, StoreError> {
                (**self).read_whole(location, at_most)
            }

            fn in_pieces(
                &self,
                location: &Location,
                range: &Range<u64>,
            ) -> Result<Option<Arc<dyn Pieces>>, StoreError> {
                (**self).in_pieces(location, range)
            }

            fn stat_many(&self, locations: &[Location]) -> Result<Vec<Option<Stat>>, StoreError> {
                (**self).stat_many(locations)
            }

            fn list<'a>(
                &'a self,
                folder: Option<&ArtifactPath>,
            ) -> Box<dyn Iterator<Item = Result<(ArtifactPath, Stat), StoreError>> + 'a> {
                (**self).list(folder)
            }

            fn stage(&self, path: &ArtifactPath, content: &mut dyn Read) -> Result<Staged, StoreError> {
                (**self).stage(path, content)
            }

            fn adopt(&self, file: &std::path::Path, path: &ArtifactPath) -> Result<Stat, StoreError> {
                (**self).adopt(file, path)
            }

            fn link(&self, links: &[Link]) -> Result<(), StoreError> {
                (**self).link(links)
            }

            fn sync(&self, paths: &[ArtifactPath]) -> Result<(), StoreError> {
                (**self).sync(paths)
            }

            fn delete(&self, paths: &[ArtifactPath]) -> Result<(), StoreError> {
                (**self).delete(paths)
            }
        }
    )+};
}

store_behind_pointer!(&S, Box<S>, std::sync::Arc<S>);
