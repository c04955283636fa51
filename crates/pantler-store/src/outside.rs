//! Reads regular files of this machine: the artifacts of a local folder, and what any store ingested in place.
//!
//! Called by the local store (which has opened the file below its root) and by every store for
//! [`pantler_core::Location::Outside`]. It never writes, and it never maps a file into memory: another process may shorten
//! the file at any time, and that must be an error here, not a signal.

use std::fs::{File, Metadata};
use std::io;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;

use bytes::Bytes;
use pantler_core::StoreError;
use pantler_core::store::{Pieces, Stat};
use rustix::buffer::spare_capacity;
use rustix::fs::{Mode, OFlags};

use crate::ranges;

/// How files are opened for reading. Without `NONBLOCK` a pipe that lies where a file is meant would wait for a writer.
pub(crate) const READ: OFlags = OFlags::RDONLY
    .union(OFlags::CLOEXEC)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY);

/// Buffers start at a multiple of this: copying out of the page cache is three times as fast as with the
/// allocator's own 16 bytes past a page, and decoders may work on whole words.
pub(crate) const ALIGNMENT: usize = 64;

/// A regular file, open for reading, and what is known of it.
pub(crate) struct OpenArtifact {
    file: File,
    metadata: Metadata,
}

impl OpenArtifact {
    /// Wraps what was opened, if it is a regular file.
    pub(crate) fn new(opened: OwnedFd) -> io::Result<OpenArtifact> {
        let file = File::from(opened);
        let metadata = file.metadata()?;
        if metadata.is_file() {
            Ok(OpenArtifact { file, metadata })
        } else {
            Err(no_regular_file(metadata.is_dir()))
        }
    }

    /// Returns the file.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Returns the metadata as of the opening.
    pub(crate) fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Reads ranges; all are checked before the first is read. `path` is the whole path, for errors.
    pub(crate) fn read(
        &self,
        location: &str,
        path: &str,
        wanted: &[Range<u64>],
    ) -> Result<Vec<Bytes>, StoreError> {
        let bytes = self.metadata.len();
        let lengths = wanted
            .iter()
            .map(|range| ranges::check(location, bytes, range))
            .collect::<Result<Vec<usize>, StoreError>>()?;
        wanted
            .iter()
            .zip(lengths)
            .map(|(range, length)| self.read_one(location, path, range, length))
            .collect()
    }

    /// Opens one range for reading in pieces. `path` is the whole path, for errors.
    pub(crate) fn in_pieces(
        self,
        location: &str,
        path: &str,
        range: &Range<u64>,
    ) -> Result<LocalPieces, StoreError> {
        ranges::check(location, self.metadata.len(), range)?;
        Ok(LocalPieces {
            artifact: self,
            location: location.to_owned(),
            path: path.to_owned(),
        })
    }

    fn read_one(
        &self,
        location: &str,
        path: &str,
        range: &Range<u64>,
        length: usize,
    ) -> Result<Bytes, StoreError> {
        if length == 0 {
            return Ok(Bytes::new());
        }
        let failed = |source| StoreError::Io {
            operation: "read",
            path: path.to_owned(),
            source,
        };
        let mut buffer = aligned_buffer(length).map_err(failed)?;
        let padding = buffer.len();
        while buffer.len() - padding < length {
            let done = (buffer.len() - padding) as u64;
            let read = rustix::io::retry_on_intr(|| {
                rustix::io::pread(&self.file, spare_capacity(&mut buffer), range.start + done)
            })
            .map_err(|errno| failed(errno.into()))?;
            if read == 0 {
                return Err(StoreError::OutOfRange {
                    location: location.to_owned(),
                    bytes: range.start + done,
                    start: range.start,
                    end: range.end,
                });
            }
        }
        Ok(Bytes::from(buffer).slice(padding..padding + length))
    }
}

/// A range of a regular file that is read piece by piece.
pub(crate) struct LocalPieces {
    artifact: OpenArtifact,
    location: String,
    path: String,
}

impl Pieces for LocalPieces {
    fn read_into(&self, offset: u64, buffer: &mut [u8]) -> Result<(), StoreError> {
        let end = offset.saturating_add(buffer.len() as u64);
        let mut at = offset;
        let mut rest = buffer;
        while !rest.is_empty() {
            let read = rustix::io::retry_on_intr(|| {
                rustix::io::pread(&self.artifact.file, &mut *rest, at)
            })
            .map_err(|errno| StoreError::Io {
                operation: "read",
                path: self.path.clone(),
                source: errno.into(),
            })?;
            if read == 0 {
                return Err(StoreError::OutOfRange {
                    location: self.location.clone(),
                    bytes: at,
                    start: offset,
                    end,
                });
            }
            at += read as u64;
            rest = &mut rest[read..];
        }
        Ok(())
    }
}

/// Returns an empty buffer with room for `length` bytes, filled up to the first aligned position.
fn aligned_buffer(length: usize) -> io::Result<Vec<u8>> {
    let mut buffer: Vec<u8> = Vec::new();
    let room = length
        .checked_add(ALIGNMENT)
        .ok_or(io::ErrorKind::OutOfMemory)?;
    buffer
        .try_reserve_exact(room)
        .map_err(|_| io::ErrorKind::OutOfMemory)?;
    let padding = buffer.as_ptr().addr().wrapping_neg() % ALIGNMENT;
    buffer.resize(padding, 0);
    Ok(buffer)
}

/// Opens a file outside any repository, by exactly its path.
pub(crate) fn open(path: &str) -> Result<OpenArtifact, StoreError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => StoreError::NotFound {
            root: "/".to_owned(),
            location: path.to_owned(),
        },
        _ => StoreError::Io {
            operation: "read",
            path: path.to_owned(),
            source,
        },
    };
    check_absolute(path)?;
    let opened = rustix::io::retry_on_intr(|| rustix::fs::open(path, READ, Mode::empty()))
        .map_err(|errno| failed(errno.into()))?;
    OpenArtifact::new(opened).map_err(failed)
}

/// Reads ranges of a file outside any repository.
pub(crate) fn read(path: &str, wanted: &[Range<u64>]) -> Result<Vec<Bytes>, StoreError> {
    open(path)?.read(path, path, wanted)
}

/// Says of a file outside any repository how large it is; `None` if no regular file is there.
pub(crate) fn stat(path: &str) -> Result<Option<Stat>, StoreError> {
    check_absolute(path)?;
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(metadata.is_file().then(|| stat_of(&metadata))),
        Err(error) if is_missing(&error) => Ok(None),
        Err(source) => Err(StoreError::Io {
            operation: "look at",
            path: path.to_owned(),
            source,
        }),
    }
}

/// Returns a file's metadata in the contract's words.
pub(crate) fn stat_of(metadata: &Metadata) -> Stat {
    Stat {
        bytes: metadata.len(),
        modified: metadata
            .mtime()
            .checked_mul(1_000_000_000)
            .and_then(|seconds| seconds.checked_add(metadata.mtime_nsec())),
        same: Some((metadata.dev(), metadata.ino())),
    }
}

/// Returns true for the errors that mean "nothing is there": the name, or a folder above it, does not exist.
pub(crate) fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Returns the error for a folder, a pipe or a device where a file is meant.
pub(crate) fn no_regular_file(folder: bool) -> io::Error {
    if folder {
        io::ErrorKind::IsADirectory.into()
    } else {
        io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")
    }
}

/// Refuses a relative path: it would mean another file in another working folder.
fn check_absolute(path: &str) -> Result<(), StoreError> {
    if path.starts_with('/') {
        return Ok(());
    }
    Err(StoreError::Io {
        operation: "read",
        path: path.to_owned(),
        source: io::Error::new(
            io::ErrorKind::InvalidInput,
            "a path outside the repository must be absolute",
        ),
    })
}
