//! The one module that writes to a disk: stages files, makes folders, removes names; `link` and `sync` are below it.
//!
//! Called by the local store only. Nobody else in pantler creates, renames or removes an artifact's file, so that the order
//! of these steps has to be right in one place:
//!
//! ```text
//! stage    create-new ─► write, hashing          a failure removes the name again
//! sync     the file ─► its folder ─► folders above it, up to the first whose own name is known to be durable
//! link     hard link, create-only                Refuse
//!          temporary hard link ─► rename         Replace: a reader sees the old artifact or the new one
//! delete   unlink
//! ```
//!
//! Why hard links and not renames: `docs/decisions/003-how-a-put-becomes-durable.md`.

pub(crate) mod link;
pub(crate) mod sync;

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::Ordering;

use pantler_core::store::{Staged, Stat};
use pantler_core::{ArtifactPath, Hasher, StoreError};
use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use rustix::io::Errno;

use super::confined::{Folders, MissingFolder, Refusal, Root};
use super::{LOCAL, already_exists};
use crate::outside::{no_regular_file, stat_of};

const NEW_FILE: OFlags = OFlags::WRONLY
    .union(OFlags::CREATE)
    .union(OFlags::EXCL)
    .union(OFlags::CLOEXEC);

/// Large enough that hashing and system calls do not count, small enough to stay in a processor's cache.
const PIECE: usize = 256 * 1024;

/// Writes a new file; not yet durable. On failure its name is gone again.
pub(crate) fn stage(
    root: &Root,
    path: &ArtifactPath,
    content: &mut dyn Read,
) -> Result<Staged, StoreError> {
    let failed = |refusal| root.failed("write", path.as_str(), refusal);
    let mut folders = Folders::new(root);
    let folder = folders.of(path, MissingFolder::Make).map_err(failed)?;
    let file = create_new(folder, path.file_name()).map_err(|errno| match errno {
        Errno::EXIST => already_exists(root, path),
        errno => failed(errno.into()),
    })?;
    let unfinished = Unfinished::new(folder, path.file_name());
    let created = file.metadata().map_err(|error| failed(error.into()))?;
    root.synced.forget(&created);
    let staged = write_hashing(&file, content).map_err(|error| match error {
        Interrupted::Reading(source) => StoreError::Io {
            operation: "read the content for",
            path: root.whole(path.as_str()),
            source,
        },
        Interrupted::Writing(source) => failed(source.into()),
    })?;
    unfinished.keep();
    Ok(staged)
}

/// Gives a file of this machine a name below the root, without copying it.
pub(crate) fn adopt(root: &Root, file: &Path, path: &ArtifactPath) -> Result<Stat, StoreError> {
    let shown = || file.display().to_string();
    let source = std::fs::metadata(file).map_err(|source| match source.kind() {
        ErrorKind::NotFound => StoreError::NotFound {
            root: "/".to_owned(),
            location: shown(),
        },
        _ => StoreError::Io {
            operation: "look at",
            path: shown(),
            source,
        },
    })?;
    if !source.is_file() {
        return Err(StoreError::Io {
            operation: "link",
            path: shown(),
            source: no_regular_file(source.is_dir()),
        });
    }
    let unsupported = |operation| StoreError::Unsupported {
        store: LOCAL,
        operation,
    };
    if !root.ways.hard_links.load(Ordering::Relaxed) {
        return Err(unsupported("make hard links"));
    }
    let mut folders = Folders::new(root);
    let folder = folders
        .of(path, MissingFolder::Make)
        .map_err(|refusal| root.failed("link", path.as_str(), refusal))?;
    rustix::fs::linkat(CWD, file, folder, path.file_name(), AtFlags::SYMLINK_FOLLOW).map_err(
        |errno| match errno {
            Errno::EXIST => already_exists(root, path),
            Errno::XDEV => unsupported("link a file of another device"),
            Errno::OPNOTSUPP | Errno::NOSYS => unsupported("make hard links"),
            // Said of a file system without hard links, and of other users' files where the kernel protects them.
            Errno::PERM => unsupported("make a hard link to this file"),
            errno => root.failed("link", path.as_str(), errno),
        },
    )?;
    root.synced.forget(&source);
    Ok(stat_of(&source))
}

/// Removes names; one that does not exist is no error, a folder is.
pub(crate) fn delete(root: &Root, paths: &[ArtifactPath]) -> Result<(), StoreError> {
    let mut folders = Folders::new(root);
    for path in paths {
        let folder = match folders.of(path, MissingFolder::Refuse) {
            Ok(folder) => folder,
            Err(refusal) if refusal.is_missing() => continue,
            Err(refusal) => return Err(root.failed("delete", path.as_str(), refusal)),
        };
        match rustix::fs::unlinkat(folder, path.file_name(), AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(root.failed("delete", path.as_str(), errno)),
        }
    }
    Ok(())
}

/// Makes the folder of a repository, and those above it, durably.
pub(crate) fn make_root(path: &Path) -> Result<(), StoreError> {
    let failed = |path: &Path, source| StoreError::Io {
        operation: "make the folder",
        path: path.display().to_string(),
        source,
    };
    let absolute = std::path::absolute(path).map_err(|source| failed(path, source))?;
    let mut missing: Vec<&Path> = absolute
        .ancestors()
        .take_while(|folder| !folder.exists())
        .collect();
    missing.reverse();
    for folder in missing {
        match std::fs::create_dir(folder) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(failed(folder, error));
            }
            _ => {}
        }
        if let Some(parent) = folder.parent() {
            File::open(parent)
                .and_then(|parent| sync::flush_folder(&parent))
                .map_err(|source| failed(folder, source))?;
        }
    }
    Ok(())
}

/// Makes a folder below the root and those above it, and opens it.
pub(crate) fn make_folders(root: &Root, folder: &str) -> Result<OwnedFd, Refusal> {
    let mut opened = root.open_folder("")?;
    let ends = folder
        .match_indices('/')
        .map(|(at, _)| at)
        .chain([folder.len()]);
    for end in ends {
        let upto = &folder[..end];
        let name = upto.rsplit('/').next().unwrap_or(upto);
        opened = match root.open_folder(upto) {
            Err(Refusal::Io(error)) if error.kind() == ErrorKind::NotFound => {
                match rustix::fs::mkdirat(&opened, name, Mode::from_raw_mode(0o777)) {
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(errno) => return Err(errno.into()),
                }
                let made = File::from(root.open_folder(upto)?);
                root.synced.forget(&made.metadata()?);
                made.into()
            }
            result => result?,
        };
    }
    Ok(opened)
}

/// Creates a file that does not exist yet; a symbolic link of that name counts as existing.
fn create_new(folder: impl AsFd, name: &str) -> Result<File, Errno> {
    let mode = Mode::from_raw_mode(0o666);
    rustix::io::retry_on_intr(|| rustix::fs::openat(&folder, name, NEW_FILE, mode)).map(File::from)
}

/// Which side of a copy failed.
enum Interrupted {
    Reading(io::Error),
    Writing(io::Error),
}

fn write_hashing(mut file: &File, content: &mut dyn Read) -> Result<Staged, Interrupted> {
    let mut hasher = Hasher::default();
    let mut bytes = 0u64;
    let mut piece = vec![0; PIECE];
    loop {
        let read = match content.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(Interrupted::Reading(error)),
        };
        let Some(piece) = piece.get(..read) else {
            let error = io::Error::other("the reader says that it read more than fits");
            return Err(Interrupted::Reading(error));
        };
        hasher.update(piece);
        file.write_all(piece).map_err(Interrupted::Writing)?;
        bytes += read as u64;
    }
    Ok(Staged {
        bytes,
        digest: hasher.finish(),
    })
}

/// A name that goes away again unless what it is for succeeds, also when a reader of content panics.
struct Unfinished<'a> {
    folder: BorrowedFd<'a>,
    name: &'a str,
    remove: bool,
}

impl<'a> Unfinished<'a> {
    fn new(folder: &'a impl AsFd, name: &'a str) -> Unfinished<'a> {
        Unfinished {
            folder: folder.as_fd(),
            name,
            remove: true,
        }
    }

    fn keep(mut self) {
        self.remove = false;
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if self.remove {
            // The first failure is the one to report; if this fails too, the name is a leftover that `fsck` finds.
            let _ = rustix::fs::unlinkat(self.folder, self.name, AtFlags::empty());
        }
    }
}
