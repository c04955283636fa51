//! Files of the user's, outside of any repository: which one a name means, and how its bytes are had.
//!
//! Ingest asks for many files of few folders, so a folder's real path is found once.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use pantler_core::Location;
use pantler_store::LocalStore;

use crate::error::{Error, Result};

/// The files of this machine.
pub(super) struct Files {
    store: LocalStore,
    /// The real paths of folders, by how they are written.
    folders: RwLock<HashMap<PathBuf, PathBuf>>,
}

impl Files {
    /// Looks at this machine.
    pub fn new() -> Result<Files> {
        Ok(Files {
            // Files outside of a store's root are read by their whole path, whatever the root is.
            store: LocalStore::open(Path::new("/"))?,
            folders: RwLock::default(),
        })
    }

    /// Returns the store by which files are read.
    pub fn store(&self) -> &LocalStore {
        &self.store
    }

    /// Returns the real path of the file that a name means; an error if there is none, or if it is a folder.
    pub fn find(&self, file: &Path) -> Result<PathBuf> {
        let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else {
            return real_path(file);
        };
        let Some(folder) = self.real_folder(folder) else {
            return real_path(file);
        };
        let whole = folder.join(name);
        match std::fs::symlink_metadata(&whole) {
            Ok(metadata) if metadata.is_file() => Ok(whole),
            _ => real_path(file),
        }
    }

    fn real_folder(&self, folder: &Path) -> Option<PathBuf> {
        let known = self.folders.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(folder) {
            return Some(known.clone());
        }
        drop(known);
        let written = match folder.as_os_str().is_empty() {
            true => Path::new("."),
            false => folder,
        };
        let real = written.canonicalize().ok()?;
        let mut known = self.folders.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(folder.to_path_buf(), real.clone());
        Some(real)
    }
}

/// Returns a file's path as the location of an artifact outside of every repository.
pub(super) fn location_of(file: &Path) -> Location {
    Location::Outside(file.to_string_lossy().into_owned().into())
}

/// The file that a person means: the one of that name, else the same wrapped or compressed.
pub(crate) fn found(file: &Path) -> PathBuf {
    let with = |ending: &str| {
        let mut name = file.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    if file.exists() {
        return file.to_path_buf();
    }
    let mut others = [".gz", ".fz"].into_iter().map(with);
    others
        .find(|other| other.is_file())
        .unwrap_or_else(|| file.to_path_buf())
}

fn real_path(file: &Path) -> Result<PathBuf> {
    let real = found(file)
        .canonicalize()
        .map_err(|source| Error::io("read", file, source))?;
    if real.is_dir() {
        return Err(Error::io("read", file, ErrorKind::IsADirectory.into()));
    }
    Ok(real)
}

/// A file of the user's, seen through a store of its own folder.
///
/// Where there is no such file, `x.fits.gz` and `x.fits.fz` are what is meant by `x.fits`.
pub(crate) fn outside(file: &Path) -> Result<(LocalStore, Location)> {
    let real = real_path(file)?;
    let store = LocalStore::open(real.parent().unwrap_or(Path::new("/")))?;
    Ok((store, location_of(&real)))
}
