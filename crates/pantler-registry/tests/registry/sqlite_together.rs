//! Many writers at once.

use std::time::Duration;

use pantler_core::{Registry, RegistryError};
use pantler_registry::{Access, Journal, Options, SqliteRegistry};

use super::{count, dataset, insert, sqlite, typed, with_journal};

const WRITERS: i64 = 8;
const COMMITS: i64 = 25;

/// Each thread opens the registry for itself, as processes do, and adds a type of its own besides.
fn write_from_all_sides(journal: Journal) {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = folder.path().join("registry.sqlite");
    drop(with_journal(folder.path(), journal));
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let path = &path;
            scope.spawn(move || {
                let registry = SqliteRegistry::open(path, Access::ReadWrite).expect("it opens");
                let shared = typed("shared", &["writer", "n"]);
                let own = typed(&format!("own{writer}"), &["n"]);
                for n in 0..COMMITS {
                    let datasets = [dataset(&shared, &[writer, n]), dataset(&own, &[n])];
                    insert(&registry, &datasets);
                }
            });
        }
    });
    let registry = SqliteRegistry::open(&path, Access::ReadOnly).expect("it opens");
    assert_eq!(
        count(&registry),
        (2 * WRITERS * COMMITS) as u64,
        "none is lost"
    );
    let types = registry.summary().expect("it sums up").len();
    assert_eq!(types as i64, WRITERS + 1);
}

#[test]
fn eight_writers_lose_nothing() {
    write_from_all_sides(Journal::WriteAhead);
}

#[test]
fn eight_writers_lose_nothing_with_a_rollback_journal() {
    write_from_all_sides(Journal::Rollback);
}

#[test]
fn threads_that_share_one_registry_lose_nothing() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let registry = sqlite(folder.path());
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let registry = &registry;
            scope.spawn(move || {
                for n in 0..COMMITS {
                    insert(
                        registry,
                        &[dataset(&typed("t", &["writer", "n"]), &[writer, n])],
                    );
                    assert!(count(registry) > 0);
                }
            });
        }
    });
    assert_eq!(count(&registry), (WRITERS * COMMITS) as u64);
}

/// Who waits too long gets an error that says so, in this process or from another, and can try again.
#[test]
fn a_writer_that_waited_too_long_is_told_that_it_was_busy() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = folder.path().join("registry.sqlite");
    let holder = sqlite(folder.path());
    let impatient = Options {
        busy_timeout: Duration::from_millis(30),
        ..Options::default()
    };
    let other = SqliteRegistry::open_with(&path, Access::ReadWrite, impatient).expect("it opens");
    let held = holder.begin().expect("a transaction begins");
    let error = other.begin().map(|_| ()).expect_err("it is held");
    assert!(matches!(error, RegistryError::Busy { .. }), "{error:?}");
    assert!(!error.to_string().contains("locked"), "{error}");
    drop(held);
    let held = other.begin().expect("it is free again");
    let error = std::thread::scope(|scope| {
        let second = scope.spawn(|| other.begin().map(|_| ()));
        second.join().expect("no panic")
    });
    let error = error.expect_err("it is held by another thread");
    assert!(matches!(error, RegistryError::Busy { .. }), "{error:?}");
    drop(held);
    insert(&other, &[dataset(&typed("t", &["n"]), &[1])]);
}

/// With a write-ahead log, a reader in the middle of a visit sees the old state to its end, and holds up nobody.
#[test]
fn a_visit_sees_one_state_and_lets_writers_write() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let registry = with_journal(folder.path(), Journal::WriteAhead);
    let t = typed("t", &["n"]);
    let later = typed("u", &["n"]);
    let datasets: Vec<_> = (0..10).map(|n| dataset(&t, &[n])).collect();
    insert(&registry, &datasets);
    let mut seen = 0;
    let each = &mut |record: pantler_core::DatasetRecord| {
        assert_eq!(record.dataset_type().as_str(), "t");
        insert(
            &registry,
            &[dataset(&t, &[100 + seen]), dataset(&later, &[seen])],
        );
        seen += 1;
        std::ops::ControlFlow::Continue(())
    };
    registry
        .visit(None, &pantler_core::DataId::default(), each)
        .expect("it visits");
    assert_eq!(seen, 10);
    assert_eq!(count(&registry), 30);
}
