//! One connection to the file: every SQL statement of the registry is executed here, counted, and its errors named.
//!
//! It knows no tables.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pantler_core::{KeyValue, RegistryError};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ErrorCode, Params, ToSql};

/// How many prepared statements a connection keeps.
const KEPT_STATEMENTS: usize = 64;

/// A connection that knows whose it is.
#[derive(Debug)]
pub(super) struct Session {
    connection: Connection,
    path: Arc<Path>,
    busy_timeout: Duration,
    statements: Arc<AtomicU64>,
    /// What the file looked like, if it is read as if it could not change.
    pub(super) frozen_at: Option<super::open::FileStamp>,
}

impl Session {
    pub(super) fn new(
        connection: Connection,
        path: &Path,
        busy_timeout: Duration,
        statements: &Arc<AtomicU64>,
    ) -> Session {
        connection.set_prepared_statement_cache_capacity(KEPT_STATEMENTS);
        Session {
            connection,
            path: path.into(),
            busy_timeout,
            statements: Arc::clone(statements),
            frozen_at: None,
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Sets how long SQLite itself waits for a lock.
    pub(super) fn wait_for_locks(&self, wait: Duration) -> Result<(), RegistryError> {
        let set = self.connection.busy_timeout(wait);
        set.map_err(|error| self.failed("open", &error))
    }

    /// Prepares a statement, or takes it from those prepared before, and counts it: it is to be executed once.
    pub(super) fn statement(&self, sql: &str) -> Result<CachedStatement<'_>, RegistryError> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        let prepared = self.connection.prepare_cached(sql);
        prepared.map_err(|error| self.failed("read", &error))
    }

    /// Executes one statement that returns no rows.
    pub(super) fn execute(&self, sql: &str, params: impl Params) -> Result<usize, RegistryError> {
        let changed = self.statement(sql)?.execute(params);
        changed.map_err(|error| self.failed("write", &error))
    }

    /// Executes statements that end the work on a connection, whatever comes of them.
    pub(super) fn undo(&self) {
        if !self.connection.is_autocommit() {
            self.statements.fetch_add(1, Ordering::Relaxed);
            // If even this fails, SQLite undoes the transaction when the file is opened next.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }

    /// Reads inside one snapshot of the file.
    pub(super) fn in_snapshot<T>(
        &self,
        read: impl FnOnce(&Session) -> Result<T, RegistryError>,
    ) -> Result<T, RegistryError> {
        struct Undo<'s>(&'s Session);
        impl Drop for Undo<'_> {
            fn drop(&mut self) {
                self.0.undo();
            }
        }
        if !self.connection.is_autocommit() {
            return read(self);
        }
        self.execute("BEGIN", [])?;
        // A visitor that panics must not leave the snapshot behind in the pool.
        let _undo = Undo(self);
        read(self)
    }

    /// Says what SQLite's error means for a registry.
    pub(super) fn failed(&self, operation: &'static str, error: &rusqlite::Error) -> RegistryError {
        name_error(&self.path, operation, self.busy_timeout, error)
    }

    /// Returns the error for content that no version of pantler wrote.
    pub(super) fn corrupt(&self, why: impl Into<String>) -> RegistryError {
        RegistryError::Corrupt {
            path: self.path.display().to_string(),
            why: why.into(),
        }
    }
}

/// Says what SQLite's error means for a registry.
pub(super) fn name_error(
    path: &Path,
    operation: &'static str,
    waited: Duration,
    error: &rusqlite::Error,
) -> RegistryError {
    let path = path.display().to_string();
    let why = error.to_string();
    match error {
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::QueryReturnedNoRows
        | rusqlite::Error::Utf8Error(..) => return RegistryError::Corrupt { path, why },
        _ => {}
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => RegistryError::Busy {
            path,
            seconds: waited.as_secs(),
        },
        // `Unknown` is SQLite's general error. The statements are ours and fit the schema, so where one fails, a table is
        // missing or a text in it is not the JSON that was written.
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt | ErrorCode::Unknown) => {
            RegistryError::Corrupt { path, why }
        }
        Some(ErrorCode::ReadOnly) => RegistryError::ReadOnly { path, why },
        _ => RegistryError::Io {
            operation,
            path,
            why,
        },
    }
}

/// A key's value as SQLite takes it.
pub(super) struct Bound<'v>(pub(super) &'v KeyValue);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            KeyValue::Int(int) => ValueRef::Integer(*int),
            KeyValue::Float(float) => ValueRef::Real(*float),
            KeyValue::Str(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}
