//! Brings a registry of an older schema to today's, in one transaction: afterwards it is of the new version, or as it was.
//!
//! There is a step from each version that was ever released to the next. A step is never changed again: files of its version
//! lie about for ever. Whoever opens a registry does not migrate it; that is a person's decision, since older programs cannot
//! open it afterwards.

use std::path::Path;
use std::sync::Arc;

use pantler_core::RegistryError;
use pantler_core::sky::Footprint;
use rusqlite::{Connection, OpenFlags};

use super::Options;
use super::insertion;
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

/// What makes version N + 2 of version N + 1.
struct Step {
    sql: &'static str,
    /// Executed between `sql` and `end`, where SQL cannot say it.
    convert: fn(&Session) -> Result<(), RegistryError>,
    end: &'static str,
}

/// The steps, for N from 0.
const STEPS: [Step; 2] = [
    // Columns from headers, places on the sky, and members that a dataset was made from. What was recorded before has
    // neither columns nor places.
    Step {
        sql: "ALTER TABLE dataset ADD COLUMN metadata TEXT;
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
        convert: |_| Ok(()),
        end: "",
    },
    // Corners, as fractions of a circle, stand with their dataset; layouts are found by a part of their digest.
    Step {
        sql: "ALTER TABLE dataset ADD COLUMN corners BLOB;
     ALTER TABLE cell RENAME TO cell_2;
     CREATE TABLE cell(
         cell INTEGER NOT NULL,
         dataset INTEGER NOT NULL,
         PRIMARY KEY(cell, dataset)
     ) STRICT, WITHOUT ROWID;",
        convert: give_datasets_their_corners,
        end: "DROP TABLE cell_2;
     DROP INDEX dataset_footprint;
     ALTER TABLE dataset DROP COLUMN footprint;
     DROP TABLE footprint;
     ALTER TABLE layout RENAME TO layout_2;
     CREATE TABLE layout(
         id INTEGER PRIMARY KEY,
         hash BLOB NOT NULL,
         body BLOB NOT NULL
     ) STRICT;
     INSERT INTO layout SELECT id, substr(digest, 1, 8), body FROM layout_2;
     DROP TABLE layout_2;
     CREATE INDEX layout_hash ON layout(hash);",
    },
];

/// So many datasets are converted at a time.
const AT_ONCE: usize = 1_000;

/// Gives the datasets of version 2 the corners of the footprints that they name, and the cells of these.
fn give_datasets_their_corners(session: &Session) -> Result<(), RegistryError> {
    let failed = |error| session.failed("migrate", &error);
    let mut last = i64::MIN;
    loop {
        let some: Vec<(i64, Vec<u8>)> = {
            let mut statement = session.statement(
                "SELECT d.id, f.corners FROM dataset AS d JOIN footprint AS f ON f.id = d.footprint \
                 WHERE d.footprint IS NOT NULL AND d.id > ?1 ORDER BY d.id LIMIT ?2",
            )?;
            let rows =
                statement.query_map((last, AT_ONCE as i64), |row| Ok((row.get(0)?, row.get(1)?)));
            let rows = rows.and_then(Iterator::collect::<Result<_, _>>);
            rows.map_err(failed)?
        };
        for (number, floats) in &some {
            last = *number;
            let Some(footprint) = Footprint::from_floats(floats) else {
                let why = format!("the footprint of its dataset {number} is not readable");
                return Err(session.corrupt(why));
            };
            let corners = footprint.to_bytes();
            session.execute(
                "UPDATE dataset SET corners = ?2 WHERE id = ?1",
                (number, &corners),
            )?;
            insertion::insert_cells(session, &corners, *number)?;
        }
        if some.len() < AT_ONCE {
            return Ok(());
        }
    }
}

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
            execute(step.sql)?;
            (step.convert)(&session)?;
            execute(step.end)?;
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
