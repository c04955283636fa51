//! Makes content and names durable: what this returned for survives a power cut.
//!
//! A name is an entry of its folder, and a folder's name an entry of the folder above: so the file is flushed, then its
//! folder, then each folder above it whose own name this store has not made durable before. Another process may have made
//! such a folder and not flushed it yet, so "it was there already" is no reason to leave it out.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicUsize, Ordering};

use pantler_core::{ArtifactPath, StoreError};
use rustix::fs::OFlags;

use crate::local::confined::{Refusal, Root};
use crate::outside::{OpenArtifact, READ};

const READ_FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);

/// How many flushes run side by side: a journal commits what comes together once, a disk takes it in one go. A thread is
/// started in a tenth of the time that a flush takes.
const THREADS: usize = 8;

/// What is flushed by one call.
enum Flush<'a> {
    /// The content of a file.
    File(&'a str),
    /// The names in a folder.
    Folder(&'a str),
}

/// Makes artifacts durable; each folder is flushed once, however many of them it holds.
pub(crate) fn sync(root: &Root, paths: &[ArtifactPath]) -> Result<(), StoreError> {
    let mut folders = BTreeMap::new();
    for path in paths {
        gather_folders(root, path.folder().unwrap_or(""), &mut folders)
            .map_err(|refusal| root.missing_or_failed("sync", path.as_str(), refusal))?;
    }
    // In any order: every name was there before the first was flushed, and nothing is promised before all are.
    let files = paths.iter().map(|path| Flush::File(path.as_str()));
    let names = folders.keys().map(|folder| Flush::Folder(folder));
    let all: Vec<Flush<'_>> = files.chain(names).collect();
    side_by_side(&all, |each| match each {
        Flush::File(path) => {
            flush_file(root, path).map_err(|refusal| root.missing_or_failed("sync", path, refusal))
        }
        Flush::Folder(folder) => root
            .open_below(folder, READ_FOLDER)
            .and_then(|opened| Ok(flush_folder(&File::from(opened))?))
            .map_err(|refusal| root.failed("sync", folder, refusal)),
    })?;
    // Only now is the name of each of these durable: that took the folder above it too.
    for metadata in folders.values() {
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

/// Adds a folder, and those above it up to the first whose own name is durable.
fn gather_folders(
    root: &Root,
    folder: &str,
    folders: &mut BTreeMap<String, Metadata>,
) -> Result<(), Refusal> {
    let mut folder = folder;
    while !folders.contains_key(folder) {
        let metadata = File::from(root.open_folder(folder)?).metadata()?;
        let known = root.synced.knows(&metadata);
        folders.insert(folder.to_owned(), metadata);
        if folder.is_empty() || known {
            break;
        }
        folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
    }
    Ok(())
}

/// Does the same with each item, several at once, and returns an error if any failed.
fn side_by_side<T: Sync>(
    items: &[T],
    work: impl Fn(&T) -> Result<(), StoreError> + Sync,
) -> Result<(), StoreError> {
    if items.len() < 2 {
        return items.iter().try_for_each(work);
    }
    let next = AtomicUsize::new(0);
    let take = || {
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            work(item).inspect_err(|_| next.store(items.len(), Ordering::Relaxed))?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        // Where the system gives no more threads, those that it gave, and this one, do all the work.
        let threads: Vec<_> = (1..THREADS.min(items.len()))
            .filter_map(|_| std::thread::Builder::new().spawn_scoped(scope, take).ok())
            .collect();
        let mine = take();
        threads.into_iter().fold(mine, |result, thread| {
            let theirs = thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            result.and(theirs)
        })
    })
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
