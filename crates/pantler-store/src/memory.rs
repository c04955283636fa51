//! A store that keeps everything in memory, with the same promises as a folder.
//!
//! For tests, for examples, and for repositories that nobody wants to keep. Nothing survives the process: `sync` checks that
//! the artifacts are there and has nothing else to do. It has folders only as far as names imply them, and no symbolic
//! links. [`Location::Outside`] still means a file of this machine.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read};
use std::ops::Bound;
use std::path::Path;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::Bytes;
use pantler_core::store::{Link, OnExisting, RangeRequest, Staged, Stat};
use pantler_core::{ArtifactPath, Digest, Location, Store, StoreError};

use crate::{outside, ranges};

/// The folder that is listed only if it is named.
const HIDDEN: &str = ".pantler";

/// A store in memory.
#[derive(Debug)]
pub struct MemoryStore {
    root: String,
    names: RwLock<Names>,
}

/// What has a name, and the number of the next artifact.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    pub(crate) artifacts: BTreeMap<ArtifactPath, Artifact>,
    next: u64,
}

/// One artifact under one of its names; a clone shares the content.
#[derive(Debug, Clone)]
pub(crate) struct Artifact {
    /// Equal for two names of one artifact.
    pub(crate) number: u64,
    pub(crate) content: Bytes,
}

impl MemoryStore {
    /// Makes an empty store whose root is `memory:NAME`.
    pub fn new(name: &str) -> MemoryStore {
        MemoryStore::holding(format!("memory:{name}"), Names::default())
    }

    /// Makes a store that holds these artifacts.
    pub(crate) fn holding(root: String, names: Names) -> MemoryStore {
        MemoryStore {
            root,
            names: RwLock::new(names),
        }
    }

    /// Returns all names as they are now.
    pub(crate) fn snapshot(&self) -> Names {
        self.read_names().clone()
    }

    fn read_names(&self) -> RwLockReadGuard<'_, Names> {
        // A panic elsewhere cannot leave the map half changed.
        self.names.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_names(&self) -> RwLockWriteGuard<'_, Names> {
        self.names.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn not_found(&self, location: &str) -> StoreError {
        StoreError::NotFound {
            root: self.root.clone(),
            location: location.to_owned(),
        }
    }

    fn failed(&self, operation: &'static str, path: &ArtifactPath, kind: ErrorKind) -> StoreError {
        StoreError::Io {
            operation,
            path: format!("{}/{path}", self.root),
            source: kind.into(),
        }
    }

    fn get(&self, path: &ArtifactPath) -> Result<Bytes, StoreError> {
        let names = self.read_names();
        match names.artifacts.get(path) {
            Some(artifact) => Ok(artifact.content.clone()),
            None if names.is_folder(path) => {
                Err(self.failed("read", path, ErrorKind::IsADirectory))
            }
            None => Err(self.not_found(path.as_str())),
        }
    }

    /// Refuses a new name that is taken, or that lies under an artifact.
    fn check_new(&self, names: &Names, path: &ArtifactPath) -> Result<(), StoreError> {
        if names.artifacts.contains_key(path) || names.is_folder(path) {
            return Err(StoreError::AlreadyExists {
                root: self.root.clone(),
                location: path.to_string(),
            });
        }
        self.check_folders(names, path)
    }

    fn check_folders(&self, names: &Names, path: &ArtifactPath) -> Result<(), StoreError> {
        let mut above = path.folder();
        while let Some(folder) = above {
            if names.holds(folder) {
                return Err(self.failed("write", path, ErrorKind::NotADirectory));
            }
            above = folder.rsplit_once('/').map(|(above, _)| above);
        }
        Ok(())
    }

    fn link_one(&self, names: &mut Names, link: &Link) -> Result<(), StoreError> {
        let artifact = match names.artifacts.get(&link.from) {
            Some(artifact) => artifact.clone(),
            None if names.is_folder(&link.from) => {
                return Err(self.failed("link", &link.from, ErrorKind::IsADirectory));
            }
            None => return Err(self.not_found(link.from.as_str())),
        };
        match link.existing {
            OnExisting::Refuse => self.check_new(names, &link.to)?,
            OnExisting::Replace if names.is_folder(&link.to) => {
                return Err(self.failed("link to", &link.to, ErrorKind::IsADirectory));
            }
            OnExisting::Replace => self.check_folders(names, &link.to)?,
        }
        names.artifacts.insert(link.to.clone(), artifact);
        Ok(())
    }
}

impl Names {
    fn holds(&self, path: &str) -> bool {
        ArtifactPath::new(path).is_ok_and(|path| self.artifacts.contains_key(&path))
    }

    /// Returns true if there are artifacts under this path.
    fn is_folder(&self, path: &ArtifactPath) -> bool {
        self.first_under(Some(path), None).is_some()
    }

    /// Returns the first artifact under a folder, in order of names, after one that was returned before.
    fn first_under(
        &self,
        folder: Option<&ArtifactPath>,
        after: Option<&ArtifactPath>,
    ) -> Option<(&ArtifactPath, &Artifact)> {
        let prefix = folder.map(|folder| format!("{folder}/"));
        let start = match (after, folder) {
            (Some(after), _) => Bound::Excluded(after),
            (None, Some(folder)) => Bound::Excluded(folder),
            (None, None) => Bound::Unbounded,
        };
        // Names such as `a-b` sort between `a` and `a/b`, hence the search past them.
        self.artifacts
            .range::<ArtifactPath, _>((start, Bound::Unbounded))
            .take_while(|(path, _)| match folder {
                Some(folder) => path.as_str().starts_with(folder.as_str()),
                None => true,
            })
            .find(|(path, _)| match &prefix {
                Some(prefix) => path.as_str().starts_with(prefix),
                None => path.as_str().split('/').next() != Some(HIDDEN),
            })
    }
}

impl Artifact {
    fn stat(&self) -> Stat {
        Stat {
            bytes: self.content.len() as u64,
            modified: None,
            same: Some((0, self.number)),
        }
    }
}

impl Store for MemoryStore {
    fn root(&self) -> &str {
        &self.root
    }

    fn read_ranges(&self, requests: &[RangeRequest]) -> Result<Vec<Vec<Bytes>>, StoreError> {
        requests
            .iter()
            .map(|request| match &request.location {
                Location::Outside(path) => outside::read(path, &request.ranges),
                Location::Inside(path) => slice(path, &self.get(path)?, request),
            })
            .collect()
    }

    fn stat_many(&self, locations: &[Location]) -> Result<Vec<Option<Stat>>, StoreError> {
        locations
            .iter()
            .map(|location| match location {
                Location::Outside(path) => outside::stat(path),
                Location::Inside(path) => {
                    Ok(self.read_names().artifacts.get(path).map(Artifact::stat))
                }
            })
            .collect()
    }

    fn list<'a>(
        &'a self,
        folder: Option<&ArtifactPath>,
    ) -> Box<dyn Iterator<Item = Result<(ArtifactPath, Stat), StoreError>> + 'a> {
        let folder = folder.cloned();
        let mut last: Option<ArtifactPath> = None;
        // The lock is taken for each step, so that a listing under way keeps nobody from writing.
        Box::new(std::iter::from_fn(move || {
            let names = self.read_names();
            let (path, artifact) = names.first_under(folder.as_ref(), last.as_ref())?;
            last = Some(path.clone());
            Some(Ok((path.clone(), artifact.stat())))
        }))
    }

    fn stage(&self, path: &ArtifactPath, content: &mut dyn Read) -> Result<Staged, StoreError> {
        self.check_new(&self.read_names(), path)?;
        let mut bytes = Vec::new();
        content
            .read_to_end(&mut bytes)
            .map_err(|source: io::Error| StoreError::Io {
                operation: "read the content for",
                path: format!("{}/{path}", self.root),
                source,
            })?;
        let staged = Staged {
            bytes: bytes.len() as u64,
            digest: Digest::of(&bytes),
        };
        let mut names = self.write_names();
        // Somebody may have taken it while the content was read.
        self.check_new(&names, path)?;
        let number = names.next;
        names.next += 1;
        let content = Bytes::from(bytes);
        names
            .artifacts
            .insert(path.clone(), Artifact { number, content });
        Ok(staged)
    }

    fn adopt(&self, _file: &Path, _path: &ArtifactPath) -> Result<Stat, StoreError> {
        Err(StoreError::Unsupported {
            store: "a store in memory",
            operation: "link a file of this machine",
        })
    }

    fn link(&self, links: &[Link]) -> Result<(), StoreError> {
        links
            .iter()
            .try_for_each(|link| self.link_one(&mut self.write_names(), link))
    }

    fn sync(&self, paths: &[ArtifactPath]) -> Result<(), StoreError> {
        paths.iter().try_for_each(|path| self.get(path).map(drop))
    }

    fn delete(&self, paths: &[ArtifactPath]) -> Result<(), StoreError> {
        let mut names = self.write_names();
        for path in paths {
            if names.artifacts.remove(path).is_none() && names.is_folder(path) {
                return Err(self.failed("delete", path, ErrorKind::IsADirectory));
            }
        }
        Ok(())
    }
}

/// Cuts ranges out of content that is in memory; all are checked first.
fn slice(
    path: &ArtifactPath,
    content: &Bytes,
    request: &RangeRequest,
) -> Result<Vec<Bytes>, StoreError> {
    let cut = |range: &std::ops::Range<u64>| {
        let length = ranges::check(path.as_str(), content.len() as u64, range)?;
        // It ends within a buffer in memory, so it starts at a `usize` too.
        let start = usize::try_from(range.start).unwrap_or(usize::MAX);
        Ok(content.slice(start..start.saturating_add(length)))
    };
    request.ranges.iter().map(cut).collect()
}
