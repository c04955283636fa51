//! Makes content and names durable: what this returned for survives a power cut.
//!
//! A name is an entry of its folder, and a folder's name an entry of the folder above: so the file is flushed, then its
//! folder, then each folder above it whose own name this store has not made durable before. Another process may have made
//! such a folder and not flushed it yet, so "it was there already" is no reason to leave it out.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io::{self, ErrorKind};

use pantler_core::{ArtifactPath, StoreError};
use rustix::fs::OFlags;

use crate::local::confined::{Refusal, Root};
use crate::outside::{OpenArtifact, READ};

const READ_FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);

/// Makes artifacts durable; each folder is flushed once, however many of them it holds.
pub(crate) fn sync(root: &Root, paths: &[ArtifactPath]) -> Result<(), StoreError> {
    for path in paths {
        flush_file(root, path.as_str())
            .map_err(|refusal| root.missing_or_failed("sync", path.as_str(), refusal))?;
    }
    let mut flushed = BTreeMap::new();
    for path in paths {
        flush_folders(root, path.folder().unwrap_or(""), &mut flushed)?;
    }
    // Only now is each of these names durable: that took the folder above it too.
    for metadata in flushed.values() {
        root.synced.remember(metadata);
    }
    Ok(())
}

fn flush_file(root: &Root, path: &str) -> Result<(), Refusal> {
    let artifact = OpenArtifact::new(root.open_below(path, READ)?)?;
    if !root.synced.knows(artifact.metadata()) {
        artifact.file().sync_all()?;
        root.synced.remember(artifact.metadata());
    }
    Ok(())
}

/// Flushes a folder, and those above it up to the first whose own name is durable; each once.
fn flush_folders(
    root: &Root,
    folder: &str,
    flushed: &mut BTreeMap<String, Metadata>,
) -> Result<(), StoreError> {
    let mut folder = folder;
    while !flushed.contains_key(folder) {
        let failed = |refusal: Refusal| root.failed("sync", folder, refusal);
        let opened = File::from(root.open_below(folder, READ_FOLDER).map_err(failed)?);
        let metadata = opened.metadata().map_err(|error| failed(error.into()))?;
        flush_folder(&opened).map_err(|error| failed(error.into()))?;
        let known = root.synced.knows(&metadata);
        flushed.insert(folder.to_owned(), metadata);
        if folder.is_empty() || known {
            break;
        }
        folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
    }
    Ok(())
}

/// Flushes a folder's entries. Some network and user-space file systems have no such call and say so: there the names are
/// as durable as their server makes them.
pub(crate) fn flush_folder(folder: &File) -> io::Result<()> {
    match folder.sync_all() {
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::InvalidInput | ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        result => result,
    }
}
