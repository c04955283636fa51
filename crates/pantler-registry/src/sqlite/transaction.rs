//! The one write transaction that there can be at a time.
//!
//! A writer first waits for the other threads of its process, in order, then for other processes: it tries again and again
//! at random moments, the oftener the longer it has waited, so that nobody waits for ever behind luckier ones. SQLite's own
//! waiting does the opposite and lets late writers starve.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pantler_core::registry::{FindRequest, Provenance, Transaction};
use pantler_core::{DatasetId, DatasetRecord, Digest, Location, RegistryError};
use rusqlite::OptionalExtension;

use super::catalogue::Catalogue;
use super::find::{self, Answer};
use super::insertion::{self, Insertion};
use super::pool::Pool;
use super::row::encode_location;
use super::schema;
use super::session::{Bound, Session};
use super::{Access, SqliteRegistry};
use crate::gate::lock;

/// Statistics are renewed whenever the number of datasets passes a power of four above this.
const FIRST_STATISTICS: i64 = 1024;

/// Lets the next writer of this process through when it is dropped.
struct Turn(Arc<Pool>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.gate.leave();
    }
}

/// A write transaction on the file.
pub(super) struct SqliteTransaction<'r> {
    registry: &'r SqliteRegistry,
    /// Always there until the drop.
    session: Option<Session>,
    catalogue: Arc<Catalogue>,
    /// The first and the last number of the datasets inserted.
    inserted: Option<(i64, i64)>,
    turn: Turn,
}

impl<'r> SqliteTransaction<'r> {
    pub(super) fn begin(registry: &'r SqliteRegistry) -> Result<Self, RegistryError> {
        let path = || registry.path.display().to_string();
        if registry.access == Access::ReadOnly {
            return Err(RegistryError::ReadOnly {
                path: path(),
                why: "it was opened for reading".to_owned(),
            });
        }
        let wait = registry.options.busy_timeout;
        let deadline = Instant::now() + wait;
        let pool = registry.pool();
        if !pool.gate.enter(deadline) {
            return Err(RegistryError::Busy {
                path: path(),
                seconds: wait.as_secs(),
            });
        }
        let turn = Turn(pool);
        let idle = lock(&turn.0.writer).take();
        let session = match idle {
            Some(session) => session,
            None => registry.open_session()?,
        };
        let mut transaction = SqliteTransaction {
            registry,
            session: Some(session),
            catalogue: registry.catalogue(),
            inserted: None,
            turn,
        };
        transaction.lock_file(deadline, wait)?;
        Ok(transaction)
    }

    fn lock_file(&mut self, deadline: Instant, wait: Duration) -> Result<(), RegistryError> {
        let session = self.session.as_ref().ok_or_else(|| self.is_over())?;
        session.wait_for_locks(Duration::ZERO)?;
        let started = Instant::now();
        loop {
            match session.execute("BEGIN IMMEDIATE", []) {
                Ok(_) => break,
                Err(RegistryError::Busy { .. }) if Instant::now() < deadline => {
                    std::thread::sleep(pause(started.elapsed()));
                }
                Err(error) => return Err(error),
            }
        }
        session.wait_for_locks(wait)?;
        if !self.catalogue.is_newest(session)? {
            self.catalogue = Arc::new(self.catalogue.reload(session)?);
            self.registry.keep_catalogue(&self.catalogue);
        }
        Ok(())
    }

    /// Returns the session, if it is still inside the transaction.
    ///
    /// SQLite undoes a transaction by itself when the disk is full or fails. What is executed after that would be committed
    /// at once, piece by piece.
    fn session(&self) -> Result<&Session, RegistryError> {
        let here = self.turn.0.is_of_this_process();
        match &self.session {
            Some(session) if here && !session.connection().is_autocommit() => Ok(session),
            _ => Err(self.is_over()),
        }
    }

    fn is_over(&self) -> RegistryError {
        RegistryError::Io {
            operation: "write",
            path: self.registry.path.display().to_string(),
            why:
                "the transaction was undone after an earlier failure, or belongs to another process"
                    .to_owned(),
        }
    }

    fn ask<T>(
        &self,
        question: impl FnOnce(&Session, &Catalogue) -> Result<Answer<T>, RegistryError>,
    ) -> Result<T, RegistryError> {
        let session = self.session()?;
        match question(session, &self.catalogue)? {
            Answer::Found(answer) => Ok(answer),
            // Nobody else can write now, and what this transaction adds it knows.
            Answer::CatalogueIsOld => Err(session.corrupt("its catalogue changed by itself")),
        }
    }

    /// Does work that is undone as a whole if it fails, without the transaction.
    fn all_or_nothing<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, RegistryError>,
    ) -> Result<T, RegistryError> {
        self.session()?.execute("SAVEPOINT step", [])?;
        let catalogue = Arc::clone(&self.catalogue);
        let done = work(self);
        let ended = if done.is_ok() {
            self.session()?.execute("RELEASE step", [])
        } else {
            self.catalogue = catalogue;
            self.session().and_then(|session| {
                session.execute("ROLLBACK TO step", [])?;
                session.execute("RELEASE step", [])
            })
        };
        // Where the work failed, that is what the caller wants to know.
        done.and_then(|done| ended.map(|_| done))
    }

    /// Changes the row of one dataset.
    fn update(
        &self,
        id: DatasetId,
        sql: &str,
        value: impl rusqlite::ToSql,
    ) -> Result<(), RegistryError> {
        let changed = self.session()?.execute(sql, (id.as_bytes(), value))?;
        if changed == 0 {
            return Err(RegistryError::NoSuchDataset { id });
        }
        Ok(())
    }

    /// Takes a dataset out of its key table, so that its data ID is free.
    fn free_data_id(&self, id: DatasetId) -> Result<(), RegistryError> {
        let Some(record) = self.find_ids(&[id])?.pop().flatten() else {
            return Err(RegistryError::NoSuchDataset { id });
        };
        let session = self.session()?;
        let tables = self.catalogue.tables_of(record.dataset_type());
        let keys = &record.definition.keys;
        let Some(table) = tables.iter().find(|table| table.key_set.is_same_as(keys)) else {
            return Err(session.corrupt(format!("its dataset {id} has no key table")));
        };
        let mut conditions = String::new();
        for (key, _) in table.key_set.keys() {
            conditions.push_str(&format!(" AND {} = ?", schema::column(key)));
        }
        // Its successor may stand there already, under the same data ID.
        let sql = format!(
            "DELETE FROM {} WHERE dataset = (SELECT id FROM dataset WHERE uuid = ?){conditions}",
            table.sql_name()
        );
        let values = table.key_set.sort_key(&record.data_id);
        let values: Vec<Bound<'_>> = values.into_iter().flatten().map(Bound).collect();
        let uuid = id.as_bytes();
        let mut parameters: Vec<&dyn rusqlite::ToSql> = vec![uuid];
        parameters.extend(values.iter().map(|value| value as &dyn rusqlite::ToSql));
        session.execute(&sql, parameters.as_slice())?;
        Ok(())
    }

    /// Renews the statistics by which SQLite decides how to search with the first keys missing.
    fn renew_statistics(&self) -> Result<(), RegistryError> {
        let Some((first, last)) = self.inserted else {
            return Ok(());
        };
        let mut mark = FIRST_STATISTICS;
        while mark < first {
            mark = mark.saturating_mul(4);
        }
        if mark > last {
            return Ok(());
        }
        let session = self.session()?;
        // A sample is enough, and takes the same time however many datasets there are.
        let sampled = session
            .connection()
            .execute_batch("PRAGMA analysis_limit = 1000");
        sampled.map_err(|error| session.failed("write", &error))?;
        for table in self.catalogue.tables() {
            session.execute(&format!("ANALYZE {}", table.sql_name()), [])?;
        }
        Ok(())
    }
}

impl Drop for SqliteTransaction<'_> {
    fn drop(&mut self) {
        let Some(session) = self.session.take() else {
            return;
        };
        let pool = &self.turn.0;
        if !pool.is_of_this_process() {
            std::mem::forget(session);
            return;
        }
        session.undo();
        if session.connection().is_autocommit() {
            *lock(&pool.writer) = Some(session);
        }
    }
}

impl Transaction for SqliteTransaction<'_> {
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

    fn insert(
        &mut self,
        datasets: &[DatasetRecord],
        provenance: &Provenance,
    ) -> Result<(), RegistryError> {
        let numbers = self.all_or_nothing(|transaction| {
            let catalogue = &mut transaction.catalogue;
            let session = transaction.session.as_ref();
            let session = session.ok_or_else(|| RegistryError::Io {
                operation: "write",
                path: transaction.registry.path.display().to_string(),
                why: "the transaction is over".to_owned(),
            })?;
            Insertion::new(session, catalogue, provenance)?.insert_all(datasets)
        })?;
        if let Some((first, last)) = numbers {
            let before = self.inserted.map_or(first, |(before, _)| before);
            self.inserted = Some((before, last));
        }
        Ok(())
    }

    fn supersede(&mut self, id: DatasetId, location: &Location) -> Result<(), RegistryError> {
        self.all_or_nothing(|transaction| {
            transaction.free_data_id(id)?;
            let sql = "UPDATE dataset SET superseded = 1, \
                 location = CASE WHEN bytes IS NULL THEN NULL ELSE ?2 END WHERE uuid = ?1";
            transaction.update(id, sql, encode_location(location))
        })
    }

    fn relocate(
        &mut self,
        id: DatasetId,
        location: Option<&Location>,
    ) -> Result<(), RegistryError> {
        let sql = "UPDATE dataset SET location = CASE WHEN bytes IS NULL THEN NULL ELSE ?2 END \
             WHERE uuid = ?1";
        self.update(id, sql, location.map(encode_location))
    }

    fn set_digest(&mut self, id: DatasetId, digest: Digest) -> Result<(), RegistryError> {
        let sql = "UPDATE dataset SET digest = CASE WHEN bytes IS NULL THEN NULL ELSE ?2 END \
             WHERE uuid = ?1";
        self.update(id, sql, digest.as_bytes())
    }

    fn set_layout(&mut self, id: DatasetId, layout: &Arc<[u8]>) -> Result<(), RegistryError> {
        let session = self.session()?;
        let number = insertion::number_of_layout(session, layout, Digest::of(layout))?;
        let sql = "UPDATE dataset SET layout = CASE WHEN bytes IS NULL THEN NULL ELSE ?2 END \
             WHERE uuid = ?1";
        self.update(id, sql, number)
    }

    fn remove(&mut self, ids: &[DatasetId]) -> Result<(), RegistryError> {
        let mut once = ids.to_vec();
        once.sort_unstable();
        once.dedup();
        self.all_or_nothing(|transaction| {
            for id in once {
                transaction.free_data_id(id)?;
                let session = transaction.session()?;
                session.execute(
                    "DELETE FROM member WHERE composite = (SELECT id FROM dataset WHERE uuid = ?1)",
                    [id.as_bytes()],
                )?;
                leave_cells(session, id)?;
                session.execute("DELETE FROM dataset WHERE uuid = ?1", [id.as_bytes()])?;
            }
            Ok(())
        })
    }

    /// A writer that is killed between writing its last page to the write-ahead log and telling the others has committed for
    /// whoever recovers the log, and for nobody else. The next page that is written takes the place of its pages.
    fn leave_mark(&mut self) -> Result<(), RegistryError> {
        let session = self.session()?;
        // The same number as before: the page is written all the same.
        let sql = format!("PRAGMA user_version = {}", schema::VERSION);
        let marked = session.connection().execute_batch(&sql);
        marked.map_err(|error| session.failed("write", &error))
    }

    fn commit(self: Box<Self>) -> Result<(), RegistryError> {
        self.renew_statistics()?;
        let session = self.session()?;
        // With a rollback journal a commit waits for readers; SQLite tries for as long as `wait_for_locks` said.
        session.execute("COMMIT", [])?;
        self.registry.keep_catalogue(&self.catalogue);
        Ok(())
    }
}

/// Takes a dataset out of the cells of the sky that its footprint touches.
fn leave_cells(session: &Session, id: DatasetId) -> Result<(), RegistryError> {
    let mut statement = session.statement("SELECT id, corners FROM dataset WHERE uuid = ?1")?;
    let found = statement.query_row([id.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)));
    let found: Option<(i64, Option<Vec<u8>>)> = found
        .optional()
        .map_err(|error| session.failed("read", &error))?;
    let Some((number, Some(corners))) = found else {
        return Ok(());
    };
    // By the cells, which the table is ordered by, and not by a scan of it.
    for cell in insertion::recorded_cells(&corners) {
        session.execute(
            "DELETE FROM cell WHERE cell = ?1 AND dataset = ?2",
            (cell, number),
        )?;
    }
    Ok(())
}

/// Returns how long to wait before the next try: random, and the shorter the longer somebody has waited.
fn pause(waited: Duration) -> Duration {
    let longest = match waited.as_millis() {
        0..1000 => 8_000,
        1000..5000 => 2_000,
        _ => 500,
    };
    // The standard library's hasher is seeded at random, which is all the chance that is needed here.
    let chance = RandomState::new().hash_one(waited);
    Duration::from_micros(200 + chance % longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_have_waited_long_try_oftener() {
        for _ in 0..100 {
            assert!(pause(Duration::ZERO) <= Duration::from_micros(8_200));
            assert!(pause(Duration::from_secs(9)) <= Duration::from_micros(700));
        }
        let pauses: std::collections::BTreeSet<_> =
            (0..100).map(|_| pause(Duration::ZERO)).collect();
        assert!(pauses.len() > 10, "they differ");
    }
}
