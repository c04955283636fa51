//! The registry of a repository on one machine: one SQLite file, used by many processes at once.
//!
//! ```text
//! SqliteRegistry ──► Pool ──► Session (one connection)         who may write when: Gate, then BEGIN IMMEDIATE
//!       │                        ▲
//!       ├──► Catalogue           │     which definitions and key tables there are, kept in memory
//!       └──► find, visit ────────┘     SQL from requests, records from rows
//! ```
//!
//! How data IDs are stored, and why, is told in `docs/decisions/002-how-the-registry-stores-data-ids.md`. The schema and its
//! versions stand in the module `schema`. Nothing in memory grows with the number of datasets.

mod catalogue;
mod file_system;
mod find;
mod insertion;
mod migration;
mod open;
mod page;
mod pool;
mod row;
mod schema;
mod session;
mod transaction;
mod visit;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use pantler_core::registry::{
    FindRequest, KeysOfType, PageRequest, Provenance, Transaction, TypeSummary,
};
use pantler_core::{DataId, DatasetId, DatasetRecord, Registry, RegistryError, TypeName};

use crate::gate::{lock, unpoisoned};
use catalogue::Catalogue;
use find::Answer;
pub use migration::Migration;
use pool::{Pool, Reader};
use session::Session;
use transaction::SqliteTransaction;

/// What a registry is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reading and writing.
    ReadWrite,
    /// Reading only; needs no permission to write, neither on the file nor on its folder.
    ReadOnly,
}

/// How SQLite makes a commit all or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Journal {
    /// A write-ahead log: readers and the writer do not wait for each other. Needs memory shared between the processes, so
    /// all of them must be on one machine.
    WriteAhead,
    /// A rollback journal, for network file systems: a commit waits until readers are done, a long visit included.
    Rollback,
}

/// What can be chosen when a registry is made or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How long a writer waits for others before it gives up with [`RegistryError::Busy`].
    pub busy_timeout: Duration,
    /// The journal; `None` for the one that fits the file system: write-ahead on local disks, rollback on network file
    /// systems and on those that are not known to be local.
    pub journal: Option<Journal>,
    /// Whether other machines may use the folder too; `None` for what its file system says.
    pub shared: Option<bool>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            busy_timeout: Duration::from_secs(60),
            journal: None,
            shared: None,
        }
    }
}

/// A registry in an SQLite file.
///
/// It can be used by any number of threads and processes. After a fork the child opens the file anew when it first uses
/// the registry; a transaction that was open at the fork belongs to the parent and fails in the child. (A fork at the very
/// moment at which another thread takes a connection can leave the child waiting, as with any lock.)
///
/// **Reading without permission to write.** Whoever opens it for reading makes nothing beside it. SQLite reads a
/// write-ahead log through a file of shared memory, which is there while somebody writes. Where it is not, the registry is
/// read as if it could not change, and compared with its size and time of change before and after each use: what was read
/// while a writer came is read again, and a visit during which that happened ends with an error. If a log with content is
/// there without shared memory (a writer was killed), and none can be made, opening is an error that says so, because the
/// last commits cannot be seen: whoever may write opens the registry once.
///
/// **Folders that other machines use too.** A registry with a write-ahead log that was moved to a network file system gets a
/// rollback journal when somebody opens it for writing. Until then it is read as if it could not change.
///
/// **Order.** Datasets of a type are ordered by the values of its keys, in the order in which the first definition of the
/// type with these keys named them. Where a type was written with different sets of keys, the older set comes first.
#[derive(Debug)]
pub struct SqliteRegistry {
    path: PathBuf,
    access: Access,
    options: Options,
    pool: Mutex<Arc<Pool>>,
    catalogue: RwLock<Arc<Catalogue>>,
    statements: Arc<AtomicU64>,
}

impl SqliteRegistry {
    /// Makes an empty registry in a new file and opens it.
    pub fn create(path: &Path) -> Result<SqliteRegistry, RegistryError> {
        SqliteRegistry::create_with(path, Options::default())
    }

    /// Makes an empty registry in a new file and opens it, with options.
    pub fn create_with(path: &Path, options: Options) -> Result<SqliteRegistry, RegistryError> {
        open::create(path, options)?;
        SqliteRegistry::open_with(path, Access::ReadWrite, options)
    }

    /// Opens a registry that exists.
    pub fn open(path: &Path, access: Access) -> Result<SqliteRegistry, RegistryError> {
        SqliteRegistry::open_with(path, access, Options::default())
    }

    /// Opens a registry that exists, with options.
    pub fn open_with(
        path: &Path,
        access: Access,
        options: Options,
    ) -> Result<SqliteRegistry, RegistryError> {
        let registry = SqliteRegistry {
            path: path.to_owned(),
            access,
            options,
            pool: Mutex::new(Pool::new()),
            catalogue: RwLock::default(),
            statements: Arc::default(),
        };
        // A file that is no registry is found out now, not at the first question.
        registry.reader()?;
        Ok(registry)
    }

    /// Brings a registry of an older schema to the one of this version, all or nothing.
    pub fn migrate(path: &Path) -> Result<Migration, RegistryError> {
        migration::migrate(path, Options::default())
    }

    /// Returns which journal a new registry in this folder gets: the one that fits its file system.
    pub fn journal_for(folder: &Path) -> Journal {
        open::fitting_journal(folder, Options::default())
    }

    /// Returns which journal a registry keeps now, as its file says.
    pub fn journal_of(path: &Path) -> Result<Journal, RegistryError> {
        Ok(match open::has_log(path)? {
            true => Journal::WriteAhead,
            false => Journal::Rollback,
        })
    }

    /// Returns how many SQL statements were executed through this value so far.
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// Returns the steps in which SQLite would answer these requests, for finding out why something is slow.
    pub fn explain_find(&self, requests: &[FindRequest]) -> Result<Vec<String>, RegistryError> {
        find::explain(&*self.reader()?, &self.catalogue(), requests)
    }

    fn open_session(&self) -> Result<Session, RegistryError> {
        open::session(&self.path, self.access, self.options, &self.statements)
    }

    fn pool(&self) -> Arc<Pool> {
        let mut pool = lock(&self.pool);
        if !pool.is_of_this_process() {
            let inherited = std::mem::replace(&mut *pool, Pool::new());
            // Closing the parent's connections here could remove files that it still uses.
            std::mem::forget(inherited);
        }
        Arc::clone(&pool)
    }

    fn reader(&self) -> Result<Reader, RegistryError> {
        Pool::reader(self.pool(), || self.open_session())
    }

    fn catalogue(&self) -> Arc<Catalogue> {
        let catalogue = unpoisoned(self.catalogue.read());
        Arc::clone(&catalogue)
    }

    /// Keeps a catalogue of what is committed, unless a newer one is known.
    fn keep_catalogue(&self, newer: &Arc<Catalogue>) {
        let mut known = unpoisoned(self.catalogue.write());
        if known.version() < newer.version() {
            *known = Arc::clone(newer);
        }
    }

    /// Asks a question that may turn out to need definitions or key tables that another process has added.
    fn ask<T>(
        &self,
        question: impl Fn(&Session, &Catalogue) -> Result<Answer<T>, RegistryError>,
    ) -> Result<T, RegistryError> {
        loop {
            let reader = self.reader()?;
            let catalogue = self.catalogue();
            let answer = question(&reader, &catalogue);
            if open::is_outdated(&reader) {
                continue;
            }
            match answer? {
                Answer::Found(answer) => return Ok(answer),
                Answer::CatalogueIsOld => {
                    self.keep_catalogue(&Arc::new(catalogue.reload(&reader)?));
                }
            }
        }
    }

    /// Visits inside one snapshot, so that what is visited was all there at one moment.
    fn in_snapshot(
        &self,
        visit: impl FnOnce(&Session, &Catalogue) -> Result<(), RegistryError>,
    ) -> Result<(), RegistryError> {
        let reader = self.reader()?;
        let mut catalogue = self.catalogue();
        let visited = reader.in_snapshot(|session| {
            if !catalogue.is_newest(session)? {
                catalogue = Arc::new(catalogue.reload(session)?);
                self.keep_catalogue(&catalogue);
            }
            visit(session, &catalogue)
        });
        if open::is_outdated(&reader) {
            return Err(RegistryError::Io {
                operation: "read",
                path: self.path.display().to_string(),
                why: "it was written while it was visited; try again".to_owned(),
            });
        }
        visited
    }
}

impl Registry for SqliteRegistry {
    fn find_many(
        &self,
        requests: &[FindRequest],
    ) -> Result<Vec<Vec<DatasetRecord>>, RegistryError> {
        self.ask(|session, catalogue| find::find_many(session, catalogue, requests))
    }

    fn find_ids(&self, ids: &[DatasetId]) -> Result<Vec<Option<DatasetRecord>>, RegistryError> {
        self.ask(|session, catalogue| find::find_ids(session, catalogue, ids))
    }

    fn find_users(&self, ids: &[DatasetId]) -> Result<Vec<Vec<DatasetRecord>>, RegistryError> {
        self.ask(|session, catalogue| find::find_users(session, catalogue, ids))
    }

    fn find_made_from(&self, ids: &[DatasetId]) -> Result<Vec<Vec<DatasetRecord>>, RegistryError> {
        self.ask(|session, catalogue| find::find_made_from(session, catalogue, ids))
    }

    fn key_sets(&self, dataset_type: Option<&TypeName>) -> Result<Vec<KeysOfType>, RegistryError> {
        let mut key_sets = Vec::new();
        self.in_snapshot(|_, catalogue| {
            key_sets = page::key_sets(catalogue, dataset_type);
            Ok(())
        })?;
        Ok(key_sets)
    }

    fn page(&self, request: &PageRequest) -> Result<Vec<DatasetRecord>, RegistryError> {
        self.ask(|session, catalogue| page::page(session, catalogue, request))
    }

    fn visit(
        &self,
        dataset_type: Option<&TypeName>,
        data_id: &DataId,
        each: &mut dyn FnMut(DatasetRecord) -> ControlFlow<()>,
    ) -> Result<(), RegistryError> {
        self.in_snapshot(|session, catalogue| {
            visit::visit(session, catalogue, dataset_type, data_id, each)
        })
    }

    fn visit_all(
        &self,
        each: &mut dyn FnMut(DatasetRecord) -> ControlFlow<()>,
    ) -> Result<(), RegistryError> {
        self.in_snapshot(|session, catalogue| visit::visit_all(session, catalogue, each))
    }

    fn summary(&self) -> Result<Vec<TypeSummary>, RegistryError> {
        let mut summary = Vec::new();
        self.in_snapshot(|session, catalogue| {
            summary = visit::summary(session, catalogue)?;
            Ok(())
        })?;
        Ok(summary)
    }

    fn provenance(&self, ids: &[DatasetId]) -> Result<Vec<Option<Provenance>>, RegistryError> {
        self.ask(|session, _| find::provenance(session, ids).map(Answer::Found))
    }

    fn begin(&self) -> Result<Box<dyn Transaction + '_>, RegistryError> {
        Ok(Box::new(SqliteTransaction::begin(self)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A fork cannot be had in a test without unsafe code; what the child finds can: a pool that another process made.
    #[test]
    fn connections_that_were_inherited_through_a_fork_are_not_used() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("registry.sqlite");
        let registry = SqliteRegistry::create(&path).expect("it is made");
        *lock(&registry.pool) = Pool::of_process(0);
        let inherited = Arc::downgrade(&lock(&registry.pool));
        assert_eq!(registry.summary().expect("it sums up"), []);
        assert!(registry.pool().is_of_this_process());
        assert_eq!(inherited.strong_count(), 1, "left alone, not closed");
        let transaction = registry.begin().expect("a transaction begins");
        transaction.commit().expect("it commits");
    }
}
