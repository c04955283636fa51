//! Walks the folders of a repository lazily.
//!
//! Called by the local store's `list`, for scans and for `fsck`. One folder is open at a time; what is kept besides are the
//! names of folders still to be seen. It changes nothing, and what appears or disappears meanwhile may or may not be
//! listed. Names that no [`ArtifactPath`] can have (a backslash, a control character, no UTF-8) are passed over: nothing in
//! a repository can refer to them.

use std::ffi::CStr;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use pantler_core::store::Stat;
use pantler_core::{ArtifactPath, StoreError};
use rustix::fs::{AtFlags, Dir, FileType, OFlags};

use super::LOOK;
use super::confined::{Refusal, Root};
use crate::outside::stat_of;

/// The folder that is listed only if it is named.
const HIDDEN: &str = ".pantler";

/// How many symbolic links to folders may follow each other on one path; more is taken for a maze.
const MOST_LINKS: usize = 4;

const READ_FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);

type Listed = Result<(ArtifactPath, Stat), StoreError>;

/// A listing under way.
pub(super) struct Listing<'a> {
    root: &'a Root,
    pending: Vec<Pending>,
    current: Option<Open>,
}

/// A folder that has not been opened yet.
struct Pending {
    /// Its path below the root; empty for the root.
    path: String,
    /// The folders above it.
    above: Option<Rc<Above>>,
    /// How many symbolic links to folders led here.
    links: usize,
}

/// A folder above the one being read, to recognise a symbolic link that leads back up.
struct Above {
    number: (u64, u64),
    next: Option<Rc<Above>>,
}

impl Above {
    fn holds(chain: &Option<Rc<Above>>, number: (u64, u64)) -> bool {
        std::iter::successors(chain.as_ref(), |above| above.next.as_ref())
            .any(|above| above.number == number)
    }
}

/// A folder that is being read.
struct Open {
    path: String,
    entries: Dir,
    chain: Option<Rc<Above>>,
    links: usize,
}

impl<'a> Listing<'a> {
    /// Starts at a folder, or at the root.
    pub(super) fn new(root: &'a Root, folder: Option<&ArtifactPath>) -> Listing<'a> {
        let pending = vec![Pending {
            path: folder.map_or_else(String::new, ArtifactPath::to_string),
            above: None,
            links: 0,
        }];
        Listing {
            root,
            pending,
            current: None,
        }
    }

    /// Opens a folder; `None` if it is gone, is no folder, or leads up to one that is being listed.
    fn open(&self, folder: Pending) -> Option<Result<Open, StoreError>> {
        let failed = |refusal| Some(Err(self.root.failed("list", &folder.path, refusal)));
        let opened = match self.root.open_below(&folder.path, READ_FOLDER) {
            Ok(opened) => opened,
            Err(refusal) if refusal.is_missing() => return None,
            Err(refusal) => return failed(refusal),
        };
        match Self::read(opened, &folder) {
            Ok(open) => open.map(Ok),
            Err(refusal) => failed(refusal),
        }
    }

    fn read(opened: OwnedFd, folder: &Pending) -> Result<Option<Open>, Refusal> {
        let stat = rustix::fs::fstat(&opened)?;
        let number = (stat.st_dev, stat.st_ino);
        if folder.links > 0 && Above::holds(&folder.above, number) {
            return Ok(None);
        }
        Ok(Some(Open {
            path: folder.path.clone(),
            entries: Dir::new(opened)?,
            chain: Some(Rc::new(Above {
                number,
                next: folder.above.clone(),
            })),
            links: folder.links,
        }))
    }

    /// Returns what an entry is: an artifact, or nothing to list (a folder is kept for later).
    fn look_at(&mut self, folder: &Open, name: &CStr, kind: FileType) -> Option<Listed> {
        let name = name.to_str().ok()?;
        if matches!(name, "." | "..") || (folder.path.is_empty() && name == HIDDEN) {
            return None;
        }
        let path = if folder.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}/{name}", folder.path)
        };
        let artifact = ArtifactPath::new(&path).ok()?;
        let failed = |refusal| Some(Err(self.root.failed("look at", &path, refusal)));
        let (stat, link) = match self.metadata(folder, name, &path, kind) {
            Ok(found) => found,
            Err(Refusal::Escapes) => return None,
            Err(refusal) if refusal.is_missing() || refusal.is_circular() => return None,
            Err(refusal) => return failed(refusal),
        };
        match stat {
            Seen::Artifact(stat) => Some(Ok((artifact, self.root.believed(stat)))),
            Seen::Folder => {
                let links = folder.links + usize::from(link);
                if links <= MOST_LINKS {
                    self.pending.push(Pending {
                        path,
                        above: folder.chain.clone(),
                        links,
                    });
                }
                None
            }
            Seen::Other => None,
        }
    }

    /// Looks at an entry, through a symbolic link if it is one; also says whether it is one.
    fn metadata(
        &self,
        folder: &Open,
        name: &str,
        path: &str,
        kind: FileType,
    ) -> Result<(Seen, bool), Refusal> {
        let mut kind = kind;
        if kind == FileType::Directory {
            return Ok((Seen::Folder, false));
        }
        if kind != FileType::Symlink {
            let stat = rustix::fs::statat(folder.entries.fd()?, name, AtFlags::SYMLINK_NOFOLLOW)?;
            kind = FileType::from_raw_mode(stat.st_mode);
            match kind {
                FileType::RegularFile => return Ok((Seen::Artifact(stat_of_raw(&stat)), false)),
                FileType::Directory => return Ok((Seen::Folder, false)),
                FileType::Symlink => {}
                _ => return Ok((Seen::Other, false)),
            }
        }
        let metadata = File::from(self.root.open_below(path, LOOK)?).metadata()?;
        let seen = if metadata.is_file() {
            Seen::Artifact(stat_of(&metadata))
        } else if metadata.is_dir() {
            Seen::Folder
        } else {
            Seen::Other
        };
        Ok((seen, true))
    }
}

/// What an entry of a folder is.
enum Seen {
    Artifact(Stat),
    Folder,
    Other,
}

/// Returns a raw stat in the contract's words.
#[allow(
    clippy::unnecessary_cast,
    clippy::useless_conversion,
    reason = "the types of these fields differ from system to system"
)]
fn stat_of_raw(stat: &rustix::fs::Stat) -> Stat {
    Stat {
        bytes: u64::try_from(stat.st_size).unwrap_or(0),
        modified: (stat.st_mtime as i64)
            .checked_mul(1_000_000_000)
            .and_then(|seconds| seconds.checked_add(stat.st_mtime_nsec as i64)),
        same: Some((stat.st_dev as u64, stat.st_ino as u64)),
    }
}

impl Iterator for Listing<'_> {
    type Item = Listed;

    fn next(&mut self) -> Option<Listed> {
        loop {
            let mut folder = match self.current.take() {
                Some(open) => open,
                None => {
                    let pending = self.pending.pop()?;
                    match self.open(pending) {
                        Some(Ok(open)) => open,
                        Some(Err(error)) => return Some(Err(error)),
                        None => continue,
                    }
                }
            };
            let listed = match folder.entries.read() {
                None => continue,
                Some(Ok(entry)) => self.look_at(&folder, entry.file_name(), entry.file_type()),
                Some(Err(errno)) => {
                    // Reading on would give the same error for ever, so this folder ends here.
                    return Some(Err(self.root.failed("list", &folder.path, errno)));
                }
            };
            self.current = Some(folder);
            if listed.is_some() {
                return listed;
            }
        }
    }
}
