//! The file: what is opened, what is refused, and what is needed for reading.

use std::fs;
use std::path::Path;

use pantler_core::registry::FindRequest;
use pantler_core::{Registry, RegistryError};
use pantler_registry::{Access, Journal, SqliteRegistry};
use rusqlite::Connection;

use super::{count, dataset, insert, provenance, sqlite, typed, warp, with_journal};

fn open(path: &Path, access: Access) -> Result<SqliteRegistry, RegistryError> {
    SqliteRegistry::open(path, access)
}

fn open_error(path: &Path, access: Access) -> RegistryError {
    match open(path, access) {
        Err(error) => error,
        Ok(_) => panic!("expected that {} is refused", path.display()),
    }
}

#[test]
fn what_was_committed_is_there_when_it_is_opened_again() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = folder.path().join("a 100% odd #name?.sqlite");
    let record = dataset(&warp(), &[1, 2, 3, 4]);
    let registry = SqliteRegistry::create(&path).expect("it is made");
    insert(&registry, std::slice::from_ref(&record));
    drop(registry);
    for access in [Access::ReadWrite, Access::ReadOnly] {
        let registry = open(&path, access).expect("it opens");
        let found = registry.find_ids(&[record.id]).expect("it finds");
        assert_eq!(found, [Some(record.clone())]);
        let made = registry.provenance(&[record.id]).expect("it finds");
        assert_eq!(made, [Some(provenance())]);
    }
    let names: Vec<_> = fs::read_dir(folder.path())
        .expect("it lists")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(
        names,
        ["a 100% odd #name?.sqlite"],
        "nothing is left beside it"
    );
}

#[test]
fn a_registry_that_exists_is_not_made_again() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let registry = sqlite(folder.path());
    insert(&registry, &[dataset(&warp(), &[1, 2, 3, 4])]);
    let path = folder.path().join("registry.sqlite");
    match SqliteRegistry::create(&path) {
        Err(RegistryError::Io { operation, .. }) => assert_eq!(operation, "create"),
        other => panic!("expected that it is refused, got {other:?}"),
    }
    assert_eq!(count(&registry), 1);
}

#[test]
fn what_is_no_registry_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = folder.path().join("registry.sqlite");
    assert!(matches!(
        open_error(&path, Access::ReadWrite),
        RegistryError::Io {
            operation: "open",
            ..
        }
    ));
    assert!(!path.exists(), "opening makes nothing");
    for content in [&b""[..], b"SIMPLE  =                    T", &[0; 5000]] {
        fs::write(&path, content).expect("it is written");
        for access in [Access::ReadWrite, Access::ReadOnly] {
            let error = open_error(&path, access);
            assert!(matches!(error, RegistryError::Corrupt { .. }), "{error:?}");
            assert_eq!(
                fs::read(&path).expect("it is there"),
                content,
                "it is left alone"
            );
        }
    }
    fs::remove_file(&path).expect("it is there");
    let foreign = Connection::open(&path).expect("it opens");
    foreign
        .execute_batch("CREATE TABLE raw(visit)")
        .expect("it is SQL");
    drop(foreign);
    let error = open_error(&path, Access::ReadOnly);
    assert!(matches!(error, RegistryError::Corrupt { .. }), "{error:?}");
}

#[test]
fn a_registry_of_a_newer_version_is_refused_by_its_version() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    drop(sqlite(folder.path()));
    let path = folder.path().join("registry.sqlite");
    let connection = Connection::open(&path).expect("it opens");
    connection
        .pragma_update(None, "user_version", 77)
        .expect("it is set");
    drop(connection);
    for access in [Access::ReadWrite, Access::ReadOnly] {
        match open_error(&path, access) {
            RegistryError::Version { found, wanted, .. } => assert_eq!((found, wanted), (77, 3)),
            other => panic!("expected a version, got {other:?}"),
        }
    }
}

/// A file cut off or overwritten gives an error or what is still right, and never a panic.
#[test]
fn a_damaged_registry_is_an_error_not_a_panic() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = folder.path().join("registry.sqlite");
    let registry = sqlite(folder.path());
    let warp = warp();
    let datasets: Vec<_> = (0..300)
        .map(|ccd| dataset(&warp, &[1, 2, 3, ccd]))
        .collect();
    insert(&registry, &datasets);
    drop(registry);
    let whole = fs::read(&path).expect("it is there");
    let mut refused = 0;
    for at in (0..whole.len()).step_by(1024) {
        let mut cut = whole.clone();
        if at % 2048 == 0 {
            cut.truncate(at);
        } else {
            let end = (at + 700).min(cut.len());
            cut[at..end].fill(0xA5);
        }
        fs::write(&path, &cut).expect("it is written");
        let read = open(&path, Access::ReadOnly).and_then(|registry| {
            let mut seen = 0;
            registry.visit(None, &pantler_core::DataId::default(), &mut |_| {
                seen += 1;
                std::ops::ControlFlow::Continue(())
            })?;
            registry.summary()?;
            let ids: Vec<_> = datasets.iter().map(|record| record.id).collect();
            registry.find_ids(&ids)
        });
        if let Err(error) = read {
            assert!(
                matches!(
                    error,
                    RegistryError::Corrupt { .. } | RegistryError::Version { .. }
                ),
                "{error:?}"
            );
            refused += 1;
        }
    }
    assert!(refused > 0, "some of it must matter");
}

/// Nonsense in rows that are well-formed for SQLite.
#[test]
fn rows_that_make_no_sense_are_named_damage() {
    for nonsense in [
        "UPDATE dataset SET uuid = x'00'",
        "UPDATE dataset SET data_id = '[1]'",
        "UPDATE dataset SET data_id = 'x'",
        "UPDATE dataset SET location = '../secret'",
        "UPDATE dataset SET bytes = -1",
        "UPDATE dataset SET digest = x'0102'",
        "UPDATE dataset SET definition = 99",
        "UPDATE dataset SET layout = 99",
        "UPDATE dataset SET composite = 1; INSERT INTO member VALUES(1,0,'a',x'01','t','{}','[]',0)",
        "UPDATE dataset SET composite = 1; INSERT INTO member VALUES(1,0,'a',x'01','t','{','[]',0)",
        "UPDATE definition SET body = '{}'",
        "UPDATE key_table SET keys = '7'",
        "UPDATE key_table SET dataset_type = ''",
    ] {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("registry.sqlite");
        let registry = sqlite(folder.path());
        insert(&registry, &[dataset(&warp(), &[1, 2, 3, 4])]);
        drop(registry);
        let connection = Connection::open(&path).expect("it opens");
        connection.execute_batch(nonsense).expect("SQLite takes it");
        drop(connection);
        let registry = open(&path, Access::ReadOnly).expect("it opens");
        let each = &mut |_| std::ops::ControlFlow::Continue(());
        let error = registry.visit_all(each).expect_err(nonsense);
        assert!(
            matches!(error, RegistryError::Corrupt { .. }),
            "{nonsense}: {error:?}"
        );
    }
}

#[test]
fn a_registry_opened_for_reading_refuses_to_write() {
    for journal in [Journal::WriteAhead, Journal::Rollback] {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let writer = with_journal(folder.path(), journal);
        insert(&writer, &[dataset(&warp(), &[1, 2, 3, 4])]);
        let path = folder.path().join("registry.sqlite");
        let reader = open(&path, Access::ReadOnly).expect("it opens");
        match reader.begin().map(|_| ()) {
            Err(RegistryError::ReadOnly { .. }) => {}
            other => panic!("expected that it is refused, got {other:?}"),
        }
        insert(&writer, &[dataset(&warp(), &[1, 2, 3, 5])]);
        assert_eq!(count(&reader), 2, "it sees what others write");
    }
}

/// A link that leads nowhere stands where the shared memory should, so that cannot be made: as without permission, which a
/// superuser who runs the tests always has.
#[test]
#[cfg(unix)]
fn a_registry_is_read_where_nothing_can_be_made_beside_it() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = folder.path().join("registry.sqlite");
    let registry = with_journal(folder.path(), Journal::WriteAhead);
    insert(&registry, &[dataset(&warp(), &[1, 2, 3, 4])]);
    drop(registry);
    let in_the_way = folder.path().join("registry.sqlite-shm");
    std::os::unix::fs::symlink("nowhere", &in_the_way).expect("a link can be made");
    let reader = open(&path, Access::ReadOnly).expect("it opens");
    assert_eq!(count(&reader), 1);
    match open_error(&path, Access::ReadWrite) {
        RegistryError::ReadOnly { .. } => {}
        other => panic!("expected that it cannot be written, got {other:?}"),
    }

    // Somebody who may writes: the reader notices, though nothing tells it.
    fs::remove_file(&in_the_way).expect("it is there");
    let writer = open(&path, Access::ReadWrite).expect("it opens");
    let more: Vec<_> = (0..200)
        .map(|ccd| dataset(&warp(), &[2, 2, 3, ccd]))
        .collect();
    insert(&writer, &more);
    drop(writer);
    std::os::unix::fs::symlink("nowhere", &in_the_way).expect("a link can be made");
    assert_eq!(count(&reader), 201);

    // An empty log holds nothing back.
    fs::write(folder.path().join("registry.sqlite-wal"), []).expect("it is written");
    let another = open(&path, Access::ReadOnly).expect("it opens");
    assert_eq!((count(&another), count(&reader)), (201, 201));

    // The last commits are in a log that cannot be read here: said, not passed over.
    fs::write(folder.path().join("registry.sqlite-wal"), [7; 64]).expect("it is written");
    let error = open_error(&path, Access::ReadOnly);
    assert!(error.to_string().contains("registry.sqlite-wal"), "{error}");
}

/// A writer who comes in the middle of a visit by somebody who could not have known: said, because what was visited may be
/// partly old and partly new.
#[test]
fn a_visit_that_a_writer_came_into_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = folder.path().join("registry.sqlite");
    let registry = with_journal(folder.path(), Journal::WriteAhead);
    insert(&registry, &[dataset(&warp(), &[1, 2, 3, 4])]);
    drop(registry);
    let reader = open(&path, Access::ReadOnly).expect("it opens");
    let each = &mut |_| {
        let writer = open(&path, Access::ReadWrite).expect("it opens");
        let more: Vec<_> = (0..200)
            .map(|ccd| dataset(&warp(), &[2, 2, 3, ccd]))
            .collect();
        insert(&writer, &more);
        std::ops::ControlFlow::Continue(())
    };
    let error = reader.visit_all(each).expect_err("it cannot be trusted");
    assert!(error.to_string().contains("try again"), "{error}");
    assert_eq!(count(&reader), 201, "the next one is right");
}

#[test]
#[cfg(unix)]
fn a_folder_without_permission_to_write_can_be_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder for the test");
    let inner = folder.path().join("theirs");
    fs::create_dir(&inner).expect("a folder can be made");
    let registry = sqlite(&inner);
    insert(&registry, &[dataset(&warp(), &[1, 2, 3, 4])]);
    drop(registry);
    let path = inner.join("registry.sqlite");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).expect("it is ours");
    fs::set_permissions(&inner, fs::Permissions::from_mode(0o555)).expect("it is ours");
    let opened = open(&path, Access::ReadOnly).map(|registry| count(&registry));
    fs::set_permissions(&inner, fs::Permissions::from_mode(0o755)).expect("it is ours");
    assert_eq!(opened.expect("it opens"), 1);
}

/// A registry that is open keeps up with types that were unknown when it was opened.
#[test]
fn a_type_that_another_connection_adds_is_noticed() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let here = sqlite(folder.path());
    let there = open(&folder.path().join("registry.sqlite"), Access::ReadWrite).expect("it opens");
    let src = typed("src", &["visit", "ccd"]);
    let first = dataset(&src, &[1, 2]);
    let request = || {
        [FindRequest {
            dataset_type: first.dataset_type().clone(),
            data_id: first.data_id.clone(),
            limit: 10,
        }]
    };
    assert_eq!(here.find_many(&request()).expect("it finds"), [vec![]]);
    insert(&there, std::slice::from_ref(&first));
    assert_eq!(
        here.find_many(&request()).expect("it finds"),
        [vec![first.clone()]]
    );
    let before = here.statements();
    here.find_many(&request()).expect("it finds");
    assert_eq!(here.statements() - before, 1, "once noticed, it is known");

    // Another version of the definition, and other keys, seen first by identity and by a visit.
    let changed = dataset(&typed("src", &["visit", "ccd", "tract"]), &[1, 2, 3]);
    insert(&there, std::slice::from_ref(&changed));
    let found = here.find_ids(&[changed.id]).expect("it finds");
    assert_eq!(found, [Some(changed.clone())]);
    let third = dataset(&typed("dia", &["visit"]), &[1]);
    insert(&there, &[third]);
    assert_eq!(count(&here), 3);
    // And by a transaction, which must not number its own types as the other did.
    let fourth = dataset(&typed("diff", &["ccd"]), &[1]);
    let fifth = dataset(&typed("coadd", &["tract"]), &[1]);
    insert(&there, &[fourth]);
    insert(&here, &[fifth]);
    assert_eq!((count(&here), count(&there)), (5, 5));
}

#[test]
fn a_registry_that_was_moved_to_a_network_gets_a_rollback_journal_when_it_is_opened() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("registry.sqlite");
    let shared = |shared| pantler_registry::Options {
        shared: Some(shared),
        ..Default::default()
    };
    let journal = || SqliteRegistry::journal_of(&path).expect("it is a registry");
    drop(SqliteRegistry::create_with(&path, shared(false)).expect("it can be made"));
    assert_eq!(journal(), Journal::WriteAhead);
    // Readers change nothing, and open no log of another machine's.
    let reader = SqliteRegistry::open_with(&path, Access::ReadOnly, shared(true));
    let summary = reader.expect("it can be read").summary();
    assert_eq!(summary.expect("it answers"), []);
    assert_eq!(journal(), Journal::WriteAhead);
    let log = folder.path().join("registry.sqlite-wal");
    assert!(!log.exists(), "a reader made a log");
    drop(SqliteRegistry::open_with(&path, Access::ReadWrite, shared(true)).expect("it opens"));
    assert_eq!(journal(), Journal::Rollback);
    let other = folder.path().join("other.sqlite");
    drop(SqliteRegistry::create_with(&other, shared(true)).expect("it can be made"));
    assert_eq!(
        SqliteRegistry::journal_of(&other).expect("it is a registry"),
        Journal::Rollback
    );
}
