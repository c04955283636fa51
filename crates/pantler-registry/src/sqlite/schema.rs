//! The tables of a registry, and the numbers by which a file is known to be one.
//!
//! ```text
//! definition ──┐        layout ──┐        agent ◄── action ──┐
//!              ▼                 ▼                           ▼
//! keys_N ──► dataset (identity, data ID, artifact) ◄──────────      member (composite, position) ──► dataset by identity
//!              ▲
//!              └── cell (number of the cell on the sky, dataset)
//! ```
//!
//! A key table holds the current datasets of one type with one set of keys, ordered by data ID; which ones there are, the
//! table `key_table` says. A superseded dataset stands in `dataset` alone. Corners of
//! footprints are the bytes of `Footprint::to_bytes`: most images have a footprint of their own, so that a table of those
//! that are shared, with its two indexes, would take more than it saves. Layouts are shared, and found again by the first
//! eight bytes of their digest. Changing anything here needs a
//! new version, and a step in the module `migration`.

use pantler_core::RegistryError;

use super::catalogue::KeyTable;
use super::session::Session;
use crate::key_set::KeySet;
use pantler_core::KeyType;

/// Marks the file as a registry of pantler: "pntl".
pub(super) const APPLICATION_ID: i64 = 0x706e_746c;

/// The version of the tables below.
pub(super) const VERSION: i64 = 3;

/// Makes the tables of an empty registry.
pub(super) const TABLES: &str = "
    CREATE TABLE definition(
        id INTEGER PRIMARY KEY,
        key_table INTEGER NOT NULL,
        digest BLOB NOT NULL UNIQUE,
        body TEXT NOT NULL
    ) STRICT;
    CREATE TABLE key_table(
        id INTEGER PRIMARY KEY,
        dataset_type TEXT NOT NULL,
        keys TEXT NOT NULL
    ) STRICT;
    CREATE TABLE layout(
        id INTEGER PRIMARY KEY,
        hash BLOB NOT NULL,
        body BLOB NOT NULL
    ) STRICT;
    CREATE INDEX layout_hash ON layout(hash);
    CREATE TABLE agent(
        id INTEGER PRIMARY KEY,
        body TEXT NOT NULL UNIQUE
    ) STRICT;
    CREATE TABLE action(
        id INTEGER PRIMARY KEY,
        agent INTEGER NOT NULL,
        time TEXT NOT NULL
    ) STRICT;
    CREATE TABLE dataset(
        id INTEGER PRIMARY KEY,
        uuid BLOB NOT NULL UNIQUE,
        definition INTEGER NOT NULL,
        data_id TEXT NOT NULL,
        location TEXT,
        bytes INTEGER,
        modified INTEGER,
        digest BLOB,
        layout INTEGER,
        action INTEGER NOT NULL,
        superseded INTEGER NOT NULL,
        composite INTEGER NOT NULL,
        metadata TEXT,
        corners BLOB
    ) STRICT;
    CREATE TABLE cell(
        cell INTEGER NOT NULL,
        dataset INTEGER NOT NULL,
        PRIMARY KEY(cell, dataset)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE member(
        composite INTEGER NOT NULL,
        position INTEGER NOT NULL,
        component TEXT NOT NULL,
        uuid BLOB NOT NULL,
        dataset_type TEXT NOT NULL,
        data_id TEXT NOT NULL,
        part TEXT NOT NULL,
        role INTEGER NOT NULL,
        PRIMARY KEY(composite, position)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX member_uuid ON member(uuid);
";

/// A member that is written with its composite.
pub(super) const PART: i64 = 0;

/// A member that is only read.
pub(super) const INPUT_ONLY: i64 = 1;

/// What a dataset was made from; no part of it.
pub(super) const PRECURSOR: i64 = 2;

/// The column of the key tables of types without keys, which can have one dataset at most.
pub(super) const NO_KEYS: &str = "only";

/// Returns the SQL that makes a key table.
pub(super) fn create_key_table(table: &KeyTable) -> String {
    let columns: String = table
        .key_set
        .keys()
        .iter()
        .map(|(key, key_type)| {
            let sql_type = match key_type {
                KeyType::Int => "INTEGER",
                KeyType::Float => "REAL",
                KeyType::Str => "TEXT",
            };
            format!("{} {sql_type} NOT NULL, ", column(key))
        })
        .collect();
    let constant = if table.key_set.keys().is_empty() {
        format!("{NO_KEYS} INTEGER NOT NULL DEFAULT 0 CHECK({NO_KEYS} = 0), ")
    } else {
        String::new()
    };
    format!(
        "CREATE TABLE {}({constant}{columns}dataset INTEGER NOT NULL, PRIMARY KEY({})) STRICT, WITHOUT ROWID",
        table.sql_name(),
        key_columns(&table.key_set),
    )
}

/// Returns the columns that a key table is ordered by, separated by commas.
pub(super) fn key_columns(key_set: &KeySet) -> String {
    if key_set.keys().is_empty() {
        return NO_KEYS.to_owned();
    }
    let columns = key_set.keys().iter().map(|(key, _)| column(key));
    columns.collect::<Vec<_>>().join(", ")
}

/// Returns the column of a key, quoted.
///
/// SQLite takes `filter` and `Filter` for one name, and keys are two: so a capital is written as `^` and the small letter.
/// What can be no part of a key (a hostile file may hold it) is written by its number.
pub(super) fn column(key: &str) -> String {
    let mut name = String::from("\"k_");
    for c in key.chars() {
        match c {
            'a'..='z' | '0'..='9' | '_' => name.push(c),
            'A'..='Z' => {
                name.push('^');
                name.push(c.to_ascii_lowercase());
            }
            _ => name.push_str(&format!("~{:x}~", u32::from(c))),
        }
    }
    name.push('"');
    name
}

/// Checks that the file is a registry of this version.
pub(super) fn check(session: &Session) -> Result<(), RegistryError> {
    match version(session)? {
        VERSION => Ok(()),
        found => Err(other_version(session, found)),
    }
}

/// Returns the version of the schema; an error if the file is no registry.
pub(super) fn version(session: &Session) -> Result<i64, RegistryError> {
    let read = |pragma: &str| -> Result<i64, RegistryError> {
        let value = session.connection().query_row(pragma, [], |row| row.get(0));
        value.map_err(|error| session.failed("open", &error))
    };
    if read("PRAGMA application_id")? != APPLICATION_ID {
        return Err(session.corrupt("it is an SQLite file, but no registry of pantler"));
    }
    read("PRAGMA user_version")
}

/// Returns the error for a registry of another version.
pub(super) fn other_version(session: &Session, found: i64) -> RegistryError {
    RegistryError::Version {
        path: session.path().display().to_string(),
        found,
        wanted: VERSION,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_different_keys_differ_even_where_capitals_do_not_count() {
        let keys = [
            "filter", "Filter", "FILTER", "k", "a\"b", "a~22~b", "^f", "é",
        ];
        let columns: std::collections::BTreeSet<String> =
            keys.iter().map(|key| column(key).to_lowercase()).collect();
        assert_eq!(columns.len(), keys.len(), "{columns:?}");
    }

    #[test]
    fn a_column_cannot_end_its_own_quotes() {
        assert_eq!(
            column("a\" INTEGER, b"),
            "\"k_a~22~~20~^i^n^t^e^g^e^r~2c~~20~b\""
        );
    }
}
