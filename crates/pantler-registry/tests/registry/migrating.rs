//! Registries of older schemas: refused by their version, brought to today's by one call, all or nothing.

use std::path::{Path, PathBuf};

use pantler_core::registry::{FindRequest, State};
use pantler_core::{DataId, Location, Registry, RegistryError, TypeName};
use pantler_registry::{Access, Migration, SqliteRegistry};
use rusqlite::Connection;

/// What the first version left, kept as SQL.
const VERSION_1: &str = include_str!("schemas/version_1.sql");

/// What the second version left.
const VERSION_2: &str = include_str!("schemas/version_2.sql");

fn of_version_1(folder: &Path) -> PathBuf {
    of_version(folder, VERSION_1)
}

fn of_version(folder: &Path, sql: &str) -> PathBuf {
    let path = folder.join("registry.sqlite");
    let connection = Connection::open(&path).expect("it opens");
    connection.execute_batch(sql).expect("it is SQL");
    path
}

/// The bytes or numbers of one column of all rows.
fn column<T: rusqlite::types::FromSql>(path: &Path, sql: &str) -> Vec<T> {
    let connection = Connection::open(path).expect("it opens");
    let mut statement = connection.prepare(sql).expect("it is SQL");
    let rows = statement
        .query_map([], |row| row.get(0))
        .expect("it is read");
    rows.map(|row| row.expect("a row")).collect()
}

fn version(path: &Path) -> i64 {
    let connection = Connection::open(path).expect("it opens");
    let version = connection.query_row("PRAGMA user_version", [], |row| row.get(0));
    version.expect("it has a version")
}

/// The tables and indexes, as SQLite describes them: their columns, whatever the text was that made them.
fn described(path: &Path) -> Vec<String> {
    let connection = Connection::open(path).expect("it opens");
    let mut statement = connection
        .prepare(
            "SELECT m.type, m.name, c.cid, c.name, c.type, c.\"notnull\", c.pk \
             FROM sqlite_schema AS m LEFT JOIN pragma_table_info(m.name) AS c \
             WHERE m.name NOT LIKE 'keys_%' AND m.name NOT LIKE 'sqlite_%' ORDER BY 1, 2, 3",
        )
        .expect("it is SQL");
    let row = |row: &rusqlite::Row<'_>| {
        let columns = (0..7).map(|index| row.get::<_, rusqlite::types::Value>(index));
        Ok(format!("{:?}", columns.collect::<Result<Vec<_>, _>>()?))
    };
    let rows = statement.query_map([], row).expect("it is read");
    rows.map(|row| row.expect("a row")).collect()
}

#[test]
fn a_registry_of_the_first_version_is_refused_until_it_is_migrated() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = of_version_1(folder.path());
    for access in [Access::ReadWrite, Access::ReadOnly] {
        match SqliteRegistry::open(&path, access) {
            Err(RegistryError::Version { found, wanted, .. }) => {
                assert_eq!((found, wanted), (1, 3))
            }
            other => panic!("expected a version, got {other:?}"),
        }
    }
    let migrated = SqliteRegistry::migrate(&path).expect("it is migrated");
    assert_eq!(migrated, Migration { from: 1, to: 3 });
    let again = SqliteRegistry::migrate(&path).expect("there is nothing to do");
    assert_eq!(again, Migration { from: 3, to: 3 });
}

#[test]
fn what_the_first_version_recorded_is_found_after_the_migration() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = of_version_1(folder.path());
    SqliteRegistry::migrate(&path).expect("it is migrated");
    let registry = SqliteRegistry::open(&path, Access::ReadWrite).expect("it opens");
    let request = |name: &str| FindRequest {
        dataset_type: TypeName::new(name).expect("a name"),
        data_id: DataId::parse("visit=1").expect("a data ID"),
        limit: 9,
    };
    let wanted = [request("note"), request("weather"), request("night")];
    let found = registry.find_many(&wanted).expect("it finds");
    let [note, weather, night] = found.as_slice() else {
        panic!("three answers")
    };
    let artifact = note[0].artifact.as_ref().expect("it is a file");
    assert_eq!((artifact.bytes, &artifact.location), (16, &None));
    let artifact = weather[0].artifact.as_ref().expect("it is a file");
    assert_eq!(
        artifact.location,
        Some(Location::Outside("/data/w.json".into()))
    );
    assert_eq!((artifact.digest, artifact.bytes), (None, 12));
    let members: Vec<_> = night[0]
        .members
        .iter()
        .map(|member| (member.component.as_str(), member.dataset, member.input_only))
        .collect();
    assert_eq!(
        members,
        [
            ("note", note[0].id, false),
            ("weather", weather[0].id, true)
        ]
    );
    assert_eq!(night[0].state, State::Current);
    let made = registry.provenance(&[night[0].id]).expect("it finds");
    assert_eq!(
        made[0].as_ref().map(|made| made.action.as_str()),
        Some("link")
    );
    let users = registry.find_users(&[weather[0].id]).expect("it finds");
    assert_eq!(users[0].len(), 1);
}

#[test]
fn a_migrated_registry_has_the_tables_of_a_new_one() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let new = folder.path().join("new.sqlite");
    drop(SqliteRegistry::create(&new).expect("it is made"));
    for sql in [VERSION_1, VERSION_2] {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = of_version(folder.path(), sql);
        SqliteRegistry::migrate(&path).expect("it is migrated");
        assert_eq!(described(&path), described(&new));
    }
}

#[test]
fn footprints_of_the_second_version_stay_where_they_were() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = of_version(folder.path(), VERSION_2);
    let [floats] = &column::<Vec<u8>>(&path, "SELECT corners FROM footprint")[..] else {
        panic!("one footprint")
    };
    let floats: Vec<f64> = floats
        .as_chunks::<8>()
        .0
        .iter()
        .map(|float| f64::from_le_bytes(*float))
        .collect();
    let layouts: Vec<Vec<u8>> = column(&path, "SELECT body FROM layout ORDER BY id");
    let migrated = SqliteRegistry::migrate(&path).expect("it is migrated");
    assert_eq!(migrated, Migration { from: 2, to: 3 });
    let registry = SqliteRegistry::open(&path, Access::ReadWrite).expect("it opens");
    let found: Vec<_> = (1..=4)
        .map(|visit| {
            let request = FindRequest {
                dataset_type: TypeName::new("calexp").expect("a name"),
                data_id: DataId::parse(&format!("visit={visit}")).expect("a data ID"),
                limit: 9,
            };
            let mut found = registry.find_many(&[request]).expect("it finds");
            found.remove(0).remove(0)
        })
        .collect();
    for (record, layout) in found.iter().zip([0, 1, 1, 0]) {
        let artifact = record.artifact.as_ref().expect("it is a file");
        assert_eq!(artifact.layout.as_deref(), Some(&layouts[layout][..]));
    }
    for record in [&found[0], &found[3]] {
        let footprint = record.footprint.as_ref().expect("it has a place");
        let corners: Vec<f64> = footprint
            .corners()
            .iter()
            .flat_map(|c| [c.0, c.1])
            .collect();
        assert_eq!(corners.len(), floats.len());
        for (one, other) in corners.iter().zip(&floats) {
            // Half of 2^-32 of a circle.
            assert!(
                (one - other).abs() <= 180.0 / 2f64.powi(32) + 1e-12,
                "{one} {other}"
            );
        }
    }
    assert_eq!((&found[1].footprint, &found[2].footprint), (&None, &None));
    let cells = "SELECT dataset FROM cell ORDER BY dataset";
    assert_eq!(column::<i64>(&path, cells), [1, 1, 4, 4]);
    let mut transaction = registry.begin().expect("it can be written");
    transaction.remove(&[found[0].id]).expect("it is there");
    transaction.commit().expect("it can be written");
    assert_eq!(column::<i64>(&path, cells), [4, 4]);
}

#[test]
fn a_footprint_that_cannot_be_read_stops_a_migration_and_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = of_version(folder.path(), VERSION_2);
    let connection = Connection::open(&path).expect("it opens");
    connection
        .execute_batch("UPDATE footprint SET corners = X'00'")
        .expect("it is SQL");
    drop(connection);
    let before = described(&path);
    let error = SqliteRegistry::migrate(&path).expect_err("it cannot be read");
    assert!(matches!(error, RegistryError::Corrupt { .. }), "{error:?}");
    assert_eq!((version(&path), described(&path)), (2, before));
}

#[test]
fn a_migration_that_fails_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = of_version_1(folder.path());
    let connection = Connection::open(&path).expect("it opens");
    // The step's second table cannot be made.
    connection
        .execute_batch("CREATE TABLE cell(somebody)")
        .expect("it is SQL");
    drop(connection);
    let before = described(&path);
    assert!(SqliteRegistry::migrate(&path).is_err());
    assert_eq!((version(&path), described(&path)), (1, before));
}

#[test]
fn a_newer_registry_and_another_file_are_not_migrated() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = of_version_1(folder.path());
    for other in [0, 4, -1, i64::from(i32::MIN)] {
        let connection = Connection::open(&path).expect("it opens");
        connection
            .pragma_update(None, "user_version", other)
            .expect("it is set");
        drop(connection);
        match SqliteRegistry::migrate(&path) {
            Err(RegistryError::Version { found, .. }) => assert_eq!(found, other),
            answer => panic!("expected a version, got {answer:?}"),
        }
    }
    let foreign = folder.path().join("foreign.sqlite");
    let connection = Connection::open(&foreign).expect("it opens");
    connection
        .execute_batch("CREATE TABLE raw(visit)")
        .expect("it is SQL");
    drop(connection);
    let error = SqliteRegistry::migrate(&foreign).expect_err("it is no registry");
    assert!(matches!(error, RegistryError::Corrupt { .. }), "{error:?}");
}
