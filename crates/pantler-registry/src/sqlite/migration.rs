//! Brings a registry of an older schema to today's, in one transaction: afterwards it is of the new version, or as it was.
//!
//! There is a step from each version that was ever released to the next. A step is never changed again: files of its version
//! lie about for ever. Whoever opens a registry does not migrate it; that is a person's decision, since older programs cannot
//! open it afterwards.

use std::path::Path;
use std::sync::Arc;

use pantler_core::RegistryError;
use rusqlite::{Connection, OpenFlags};

use super::Options;
use super::open;
use super::schema;
use super::session::Session;

/// From which version to which a registry was brought; they are equal if there was nothing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// The version that it had.
    pub from: i64,
    /// The version that it has.
    pub to: i64,
}

/// The SQL that makes version N + 2 of version N + 1, for N from 0.
const STEPS: [&str; 1] = [
    // Columns from headers, places on the sky, and members that a dataset was made from. What was recorded before has
    // neither columns nor places.
    "ALTER TABLE dataset ADD COLUMN metadata TEXT;
     ALTER TABLE dataset ADD COLUMN footprint INTEGER;
     CREATE TABLE footprint(
         id INTEGER PRIMARY KEY,
         corners BLOB NOT NULL UNIQUE
     ) STRICT;
     CREATE INDEX dataset_footprint ON dataset(footprint) WHERE footprint IS NOT NULL;
     CREATE TABLE cell(
         cell INTEGER NOT NULL,
         footprint INTEGER NOT NULL,
         PRIMARY KEY(cell, footprint)
     ) STRICT, WITHOUT ROWID;
     ALTER TABLE member RENAME COLUMN input_only TO role;",
];

/// Brings the registry in a file to today's schema; a newer one is refused.
pub(super) fn migrate(path: &Path, options: Options) -> Result<Migration, RegistryError> {
    if let Err(error) = std::fs::metadata(path) {
        return Err(open::io_error("open", path, error.to_string()));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let wait = options.busy_timeout;
    let named = |error: &rusqlite::Error| super::session::name_error(path, "migrate", wait, error);
    let connection = Connection::open_with_flags(path, flags).map_err(|error| named(&error))?;
    let session = Session::new(connection, path, wait, &Arc::default());
    session.wait_for_locks(wait)?;
    let execute = |sql: &str| {
        let done = session.connection().execute_batch(sql);
        done.map_err(|error| named(&error))
    };
    let migrated = (|| {
        execute("PRAGMA trusted_schema = OFF; PRAGMA synchronous = FULL; BEGIN IMMEDIATE;")?;
        let from = schema::version(&session)?;
        let steps = usize::try_from(from - 1)
            .ok()
            .and_then(|done| STEPS.get(done..))
            .ok_or_else(|| schema::other_version(&session, from))?;
        for step in steps {
            execute(step)?;
        }
        execute(&format!(
            "PRAGMA user_version = {}; COMMIT;",
            schema::VERSION
        ))?;
        Ok(Migration {
            from,
            to: schema::VERSION,
        })
    })();
    session.undo();
    migrated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_step_from_each_version_to_the_next() {
        assert_eq!(STEPS.len() as i64, schema::VERSION - 1);
    }
}
