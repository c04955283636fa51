//! Opens names below a root, and never anything that lies outside of it.
//!
//! Everything that the local store does starts here: a file is opened for reading, or the *folder* of a name that is to be
//! made or removed. Writers then work relative to that open folder, so that a folder exchanged for a symbolic link at
//! the same moment cannot lead them away.
//!
//! On Linux the kernel keeps the walk below the root (`openat2` with `RESOLVE_BENEATH`). Where it cannot, or where a link
//! holds an absolute path that may still point inside, the path is resolved first and compared with the root. That second
//! way can be raced by someone who may write in the repository, which is why it is only the second.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use pantler_core::store::Stat;
use pantler_core::{ArtifactPath, StoreError};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::synced::Synced;
use crate::outside::is_missing;

/// How folders are opened that names are made or removed in: no right to read them is needed.
#[cfg(target_os = "linux")]
const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);

/// What Linux takes as a path, its final zero byte included; others take less and say so themselves.
const LONGEST: usize = 4096;

/// Why a name could not be opened.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// A symbolic link leads out of the root.
    Escapes,
    /// The operating system said no.
    Io(io::Error),
}

impl Refusal {
    /// Returns true if nothing is there.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Refusal::Io(error) if is_missing(error))
    }

    /// Returns true if symbolic links lead in a circle.
    pub(crate) fn is_circular(&self) -> bool {
        matches!(self, Refusal::Io(error) if Errno::from_io_error(error) == Some(Errno::LOOP))
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Refusal {
        Refusal::Io(error)
    }
}

impl From<Errno> for Refusal {
    fn from(errno: Errno) -> Refusal {
        Refusal::Io(errno.into())
    }
}

/// What this file system and kernel are known to do. Everything is believed until it fails.
#[derive(Debug)]
pub(crate) struct Ways {
    /// The kernel can keep a walk below a folder.
    pub(crate) beneath: AtomicBool,
    /// The file system has hard links.
    pub(crate) hard_links: AtomicBool,
}

impl Default for Ways {
    fn default() -> Ways {
        Ways {
            beneath: AtomicBool::new(true),
            hard_links: AtomicBool::new(true),
        }
    }
}

/// A repository's folder, held open.
#[derive(Debug)]
pub(crate) struct Root {
    text: String,
    path: PathBuf,
    folder: OwnedFd,
    temporaries: AtomicU64,
    pub(crate) ways: Ways,
    pub(crate) synced: Synced,
}

impl Root {
    /// Opens a folder that exists.
    pub(crate) fn open(path: &Path) -> Result<Root, StoreError> {
        let failed = |source| StoreError::Io {
            operation: "open",
            path: path.display().to_string(),
            source,
        };
        let path = path.canonicalize().map_err(failed)?;
        let text = path
            .to_str()
            .ok_or_else(|| {
                failed(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "the path is not UTF-8",
                ))
            })?
            .to_owned();
        let folder =
            rustix::fs::open(&path, FOLDER, Mode::empty()).map_err(|errno| failed(errno.into()))?;
        Ok(Root {
            text,
            path,
            folder,
            temporaries: AtomicU64::new(0),
            ways: Ways::default(),
            synced: Synced::default(),
        })
    }

    /// Returns the root as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the whole path of something below the root, for messages.
    pub(crate) fn whole(&self, path: &str) -> String {
        self.path.join(path).display().to_string()
    }

    /// Opens a file or folder below the root; `""` is the root itself.
    pub(crate) fn open_below(&self, path: &str, flags: OFlags) -> Result<OwnedFd, Refusal> {
        let path = if path.is_empty() { "." } else { path };
        match self.open_beneath(path, flags) {
            Some(result) => result,
            None => self.open_resolved(path, flags),
        }
    }

    /// Opens a folder below the root to make or remove names in it.
    pub(crate) fn open_folder(&self, path: &str) -> Result<OwnedFd, Refusal> {
        self.open_below(path, FOLDER)
    }

    /// Asks the kernel to stay below the root; `None` where it leaves the question open.
    #[cfg(target_os = "linux")]
    fn open_beneath(&self, path: &str, flags: OFlags) -> Option<Result<OwnedFd, Refusal>> {
        use rustix::fs::ResolveFlags;

        if !self.ways.beneath.load(Ordering::Relaxed) {
            return None;
        }
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let opened = rustix::io::retry_on_intr(|| {
            rustix::fs::openat2(&self.folder, path, flags, Mode::empty(), resolve)
        });
        match opened {
            Ok(opened) => Some(Ok(opened)),
            Err(Errno::NOSYS) => {
                self.ways.beneath.store(false, Ordering::Relaxed);
                None
            }
            // PERM: a sandbox that does not know the call. XDEV: a link leads out, or is absolute and may lead back in.
            // AGAIN: somebody renamed a folder on the way.
            Err(Errno::PERM | Errno::XDEV | Errno::AGAIN) => None,
            Err(errno) => Some(Err(errno.into())),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn open_beneath(&self, _path: &str, _flags: OFlags) -> Option<Result<OwnedFd, Refusal>> {
        None
    }

    fn open_resolved(&self, path: &str, flags: OFlags) -> Result<OwnedFd, Refusal> {
        let resolved = self.resolve(path)?;
        let flags = flags | OFlags::NOFOLLOW;
        Ok(rustix::io::retry_on_intr(|| {
            rustix::fs::open(&resolved, flags, Mode::empty())
        })?)
    }

    /// Follows all symbolic links and returns where they end, if that is below the root.
    pub(crate) fn resolve(&self, path: &str) -> Result<PathBuf, Refusal> {
        let resolved = self.path.join(path).canonicalize()?;
        if resolved.starts_with(&self.path) {
            Ok(resolved)
        } else {
            Err(Refusal::Escapes)
        }
    }

    /// Follows all symbolic links and returns folder and name below the root where they end.
    pub(crate) fn resolve_below(&self, path: &str) -> Result<(String, String), Refusal> {
        let resolved = self.resolve(path)?;
        let not_text = || io::Error::new(io::ErrorKind::InvalidInput, "its target is not UTF-8");
        let below = resolved
            .strip_prefix(&self.path)
            .map_err(|_| Refusal::Escapes)?;
        let folder = below.parent().and_then(Path::to_str).ok_or_else(not_text)?;
        let name = below
            .file_name()
            .and_then(OsStr::to_str)
            .ok_or_else(not_text)?;
        Ok((folder.to_owned(), name.to_owned()))
    }

    /// Takes back what a stat says of sameness where names are copies, because the file system has no hard links.
    pub(crate) fn believed(&self, stat: Stat) -> Stat {
        let same = stat
            .same
            .filter(|_| self.ways.hard_links.load(Ordering::Relaxed));
        Stat { same, ..stat }
    }

    /// Returns a name for something that is renamed at once, unlikely to be taken.
    pub(crate) fn temporary_name(&self) -> String {
        let number = self.temporaries.fetch_add(1, Ordering::Relaxed);
        format!(".pantler-{:x}-{number:x}", std::process::id())
    }

    /// Turns a refusal into the contract's error.
    pub(crate) fn failed(
        &self,
        operation: &'static str,
        location: &str,
        refusal: impl Into<Refusal>,
    ) -> StoreError {
        match refusal.into() {
            Refusal::Escapes => StoreError::Escapes {
                root: self.text.clone(),
                location: location.to_owned(),
            },
            Refusal::Io(source) => StoreError::Io {
                operation,
                path: self.whole(location),
                source,
            },
        }
    }

    /// Turns a refusal into the contract's error, for something that has to be there.
    pub(crate) fn missing_or_failed(
        &self,
        operation: &'static str,
        location: &str,
        refusal: impl Into<Refusal>,
    ) -> StoreError {
        let refusal = refusal.into();
        if refusal.is_missing() {
            return StoreError::NotFound {
                root: self.text.clone(),
                location: location.to_owned(),
            };
        }
        self.failed(operation, location, refusal)
    }
}

/// What to do about a folder that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MissingFolder {
    /// Say so.
    Refuse,
    /// Make it, and those above it.
    Make,
}

/// Opens the folders of names, one after the other, and keeps the last one: batches come folder by folder.
pub(crate) struct Folders<'a> {
    root: &'a Root,
    last: Option<(String, OwnedFd)>,
}

impl<'a> Folders<'a> {
    /// Starts with none open.
    pub(crate) fn new(root: &'a Root) -> Folders<'a> {
        Folders { root, last: None }
    }

    /// Returns the open folder of a path.
    pub(crate) fn of(
        &mut self,
        path: &ArtifactPath,
        missing: MissingFolder,
    ) -> Result<&OwnedFd, Refusal> {
        // Relative to an open folder a longer name could be made, and then no program could open it by its path.
        if self.root.text.len() + 1 + path.as_str().len() >= LONGEST {
            return Err(Errno::NAMETOOLONG.into());
        }
        self.named(path.folder().unwrap_or(""), missing)
    }

    /// Returns an open folder by its name below the root.
    pub(crate) fn named(
        &mut self,
        folder: &str,
        missing: MissingFolder,
    ) -> Result<&OwnedFd, Refusal> {
        let kept = self.last.take().filter(|(name, _)| name == folder);
        let entry = match kept {
            Some(entry) => entry,
            None => (folder.to_owned(), self.open(folder, missing)?),
        };
        Ok(&self.last.insert(entry).1)
    }

    fn open(&self, folder: &str, missing: MissingFolder) -> Result<OwnedFd, Refusal> {
        match self.root.open_folder(folder) {
            Err(Refusal::Io(error))
                if error.kind() == io::ErrorKind::NotFound && missing == MissingFolder::Make =>
            {
                super::durable::make_folders(self.root, folder)
            }
            result => result,
        }
    }
}
