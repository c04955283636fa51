//! Gives artifacts further names, each in one step.
//!
//! Where the file system has no hard links, or the name lies on another device, the artifact is copied beside the name,
//! synchronised, and renamed into place; such a copy is another file, so `Stat::same` no longer tells that the two belong
//! together (a store that found its file system to have no hard links therefore stops claiming to know).

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::Ordering;

use pantler_core::store::{Link, OnExisting};
use pantler_core::{ArtifactPath, StoreError};
use rustix::fs::{AtFlags, FileType, RenameFlags};
use rustix::io::Errno;

use super::{Unfinished, create_new};
use crate::local::confined::{Folders, MissingFolder, Refusal, Root};
use crate::local::{LOCAL, already_exists};
use crate::outside::{OpenArtifact, READ, no_regular_file};

/// How often a temporary name may be taken before that is an error.
const ATTEMPTS: u32 = 1000;

/// Makes names in their order; stops at the first that fails.
pub(crate) fn link(root: &Root, links: &[Link]) -> Result<(), StoreError> {
    let mut sources = Folders::new(root);
    let mut targets = Folders::new(root);
    for wanted in links {
        let from = find_source(root, &mut sources, &wanted.from)
            .map_err(|refusal| root.missing_or_failed("link", wanted.from.as_str(), refusal))?;
        let folder = sources
            .named(&from.0, MissingFolder::Refuse)
            .map_err(|refusal| root.missing_or_failed("link", wanted.from.as_str(), refusal))?;
        let target = targets
            .of(&wanted.to, MissingFolder::Make)
            .map_err(|refusal| root.failed("make the folder of", wanted.to.as_str(), refusal))?;
        Naming {
            root,
            from: folder,
            from_name: &from.1,
            from_path: &wanted.from,
            to: target,
            to_path: &wanted.to,
        }
        .make(wanted.existing)?;
    }
    Ok(())
}

/// Returns folder and name of the file itself: a link made to a symbolic link would be another symbolic link.
fn find_source(
    root: &Root,
    folders: &mut Folders<'_>,
    path: &ArtifactPath,
) -> Result<(String, String), Refusal> {
    let folder = folders.of(path, MissingFolder::Refuse)?;
    let stat = rustix::fs::statat(folder, path.file_name(), AtFlags::SYMLINK_NOFOLLOW)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Ok((
            path.folder().unwrap_or("").to_owned(),
            path.file_name().to_owned(),
        )),
        FileType::Symlink => root.resolve_below(path.as_str()),
        other => Err(no_regular_file(other == FileType::Directory).into()),
    }
}

/// One name that is being made.
struct Naming<'a> {
    root: &'a Root,
    from: &'a OwnedFd,
    from_name: &'a str,
    from_path: &'a ArtifactPath,
    to: &'a OwnedFd,
    to_path: &'a ArtifactPath,
}

impl Naming<'_> {
    fn make(&self, existing: OnExisting) -> Result<(), StoreError> {
        let linked = match existing {
            OnExisting::Refuse => self.hard_link(self.to_path.file_name()),
            OnExisting::Replace => self.link_and_rename(),
        };
        match linked {
            Ok(()) => Ok(()),
            Err(errno) if self.must_copy(errno) => self.copy_and_rename(existing),
            Err(errno) => Err(self.failed(errno)),
        }
    }

    fn hard_link(&self, name: &str) -> Result<(), Errno> {
        if !self.root.ways.hard_links.load(Ordering::Relaxed) {
            return Err(Errno::OPNOTSUPP);
        }
        rustix::fs::linkat(self.from, self.from_name, self.to, name, AtFlags::empty())
    }

    fn link_and_rename(&self) -> Result<(), Errno> {
        let temporary = with_temporary_name(self.root, |name| self.hard_link(name))?.0;
        let unfinished = Unfinished::new(self.to, &temporary);
        rustix::fs::renameat(
            self.to,
            temporary.as_str(),
            self.to,
            self.to_path.file_name(),
        )?;
        // Renaming a file over another name of itself does nothing and succeeds, and the temporary name stays: so it is
        // removed in any case.
        drop(unfinished);
        Ok(())
    }

    /// Decides whether a failed hard link is one that a copy may stand in for.
    fn must_copy(&self, errno: Errno) -> bool {
        if matches!(errno, Errno::OPNOTSUPP | Errno::NOSYS) {
            self.root.ways.hard_links.store(false, Ordering::Relaxed);
            return true;
        }
        // PERM: a file system without hard links says so too, and a kernel that protects other users' files from them.
        matches!(errno, Errno::XDEV | Errno::PERM | Errno::MLINK)
    }

    fn copy_and_rename(&self, existing: OnExisting) -> Result<(), StoreError> {
        let failed = |error: io::Error| self.root.failed("copy to", self.to_path.as_str(), error);
        let source = rustix::fs::openat(self.from, self.from_name, READ, rustix::fs::Mode::empty())
            .map_err(|errno| self.failed(errno))?;
        let source = OpenArtifact::new(source).map_err(failed)?;
        let (temporary, copy) = with_temporary_name(self.root, |name| create_new(self.to, name))
            .map_err(|errno| failed(errno.into()))?;
        let unfinished = Unfinished::new(self.to, &temporary);
        copy_durably(source.file(), &copy).map_err(failed)?;
        let name = self.to_path.file_name();
        match existing {
            OnExisting::Replace => {
                rustix::fs::renameat(self.to, temporary.as_str(), self.to, name)
                    .map_err(|errno| self.failed(errno))?;
            }
            OnExisting::Refuse => rename_create_only(self.to, &temporary, name).map_err(
                |errno| match errno {
                    Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP => StoreError::Unsupported {
                        store: LOCAL,
                        operation: "make a name only if it is free (its file system has neither hard links nor exclusive renames)",
                    },
                    errno => self.failed(errno),
                },
            )?,
        }
        unfinished.keep();
        Ok(())
    }

    fn failed(&self, errno: Errno) -> StoreError {
        match errno {
            Errno::EXIST => already_exists(self.root, self.to_path),
            // The folder of the new name is open, so it is the artifact that went away.
            Errno::NOENT => self
                .root
                .missing_or_failed("link", self.from_path.as_str(), errno),
            errno => self.root.failed("link to", self.to_path.as_str(), errno),
        }
    }
}

/// Tries temporary names until one is free, and returns it with what was made.
fn with_temporary_name<T>(
    root: &Root,
    mut make: impl FnMut(&str) -> Result<T, Errno>,
) -> Result<(String, T), Errno> {
    for _ in 0..ATTEMPTS {
        let name = root.temporary_name();
        match make(&name) {
            Ok(made) => return Ok((name, made)),
            Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno),
        }
    }
    Err(Errno::EXIST)
}

fn copy_durably(mut source: &File, mut copy: &File) -> io::Result<()> {
    io::copy(&mut source, &mut copy)?;
    copy.sync_all()
}

fn rename_create_only(folder: impl AsFd, from: &str, to: &str) -> Result<(), Errno> {
    rustix::fs::renameat_with(&folder, from, &folder, to, RenameFlags::NOREPLACE)
}
