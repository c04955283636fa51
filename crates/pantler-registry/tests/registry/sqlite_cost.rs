//! What finding and keeping costs, by counters and sizes, never by the clock.

use std::path::Path;

use pantler_core::registry::FindRequest;
use pantler_core::{DataId, DatasetRecord, KeyValue, Registry, TypeName};
use pantler_registry::{Access, SqliteRegistry};
use rusqlite::Connection;

use super::{dataset, insert, sqlite, typed, warp};

/// Datasets in an order that is not that of their data IDs.
fn warps(count: i64) -> Vec<DatasetRecord> {
    let warp = warp();
    (0..count)
        .map(|at| (at * 7_919) % count)
        .map(|at| {
            dataset(
                &warp,
                &[
                    9_000 + at % 20,
                    at / 20 % 81,
                    900_000 + at / 300,
                    at % 104 + at,
                ],
            )
        })
        .collect()
}

fn request(name: &str, data_id: DataId) -> FindRequest {
    FindRequest {
        dataset_type: TypeName::new(name).expect("it is a name"),
        data_id,
        limit: 10,
    }
}

fn filled(folder: &Path, count: i64) -> (SqliteRegistry, Vec<DatasetRecord>) {
    let registry = sqlite(folder);
    let datasets = warps(count);
    insert(&registry, &datasets);
    (registry, datasets)
}

#[test]
fn a_find_is_one_statement_however_many_requests() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let (registry, datasets) = filled(folder.path(), 2_000);
    for name in ["src", "calexp"] {
        insert(
            &registry,
            &[dataset(&typed(name, &["visit", "ccd"]), &[1, 2])],
        );
    }
    let partial = |visit: i64| DataId::new([("visit", KeyValue::from(visit))]);
    let mut requests: Vec<_> = datasets
        .iter()
        .map(|record| request("warp", record.data_id.clone()))
        .collect();
    for name in ["src", "calexp", "nothing", "warp"] {
        requests.push(request(name, DataId::default()));
        requests.push(request(name, partial(1)));
        requests.push(request(name, DataId::new([("tract", "9000".into())])));
    }
    let before = registry.statements();
    let found = registry.find_many(&requests).expect("it finds");
    assert_eq!(registry.statements() - before, 1);
    assert!(found[..2_000].iter().all(|list| list.len() == 1));

    let ids: Vec<_> = datasets.iter().map(|record| record.id).collect();
    let before = registry.statements();
    registry.find_ids(&ids).expect("it finds");
    registry.find_users(&ids).expect("it finds");
    registry.provenance(&ids).expect("it finds");
    assert_eq!(registry.statements() - before, 3, "one each");
}

fn plan(registry: &SqliteRegistry, requests: &[FindRequest]) -> String {
    let steps = registry.explain_find(requests).expect("it explains");
    steps.join("\n")
}

#[test]
fn a_find_by_complete_data_id_searches_the_primary_key() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let (registry, datasets) = filled(folder.path(), 5_000);
    let requests: Vec<_> = datasets[..3]
        .iter()
        .map(|record| request("warp", record.data_id.clone()))
        .collect();
    let plan = plan(&registry, &requests);
    let search = "SEARCH k USING PRIMARY KEY (k_tract=? AND k_patch=? AND k_visit=? AND k_ccd=?)";
    assert!(plan.contains(search), "{plan}");
    assert!(
        plan.contains("SEARCH d USING INTEGER PRIMARY KEY (rowid=?)"),
        "{plan}"
    );
    for table in ["SCAN k", "SCAN d", "SCAN m", "SCAN l"] {
        assert!(!plan.contains(table), "{plan}");
    }
}

#[test]
fn a_find_by_some_keys_searches_too() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let (registry, _) = filled(folder.path(), 5_000);
    // Statistics are read when a file is opened.
    let path = folder.path().join("registry.sqlite");
    drop(registry);
    let registry = SqliteRegistry::open(&path, Access::ReadOnly).expect("it opens");
    registry.summary().expect("it sums up");
    for (data_id, search) in [
        (
            "tract=9001 patch=3",
            "SEARCH k USING PRIMARY KEY (k_tract=? AND k_patch=?)",
        ),
        // The first key is missing: its few values are gone through, not all datasets.
        (
            "patch=3 visit=900000",
            "SEARCH k USING PRIMARY KEY (ANY(k_tract) AND k_patch=? AND k_visit=?)",
        ),
    ] {
        let data_id = DataId::parse(data_id).expect("it is a data ID");
        let plan = plan(&registry, &[request("warp", data_id)]);
        assert!(plan.contains(search), "{plan}");
        assert!(
            plan.contains("SEARCH d USING INTEGER PRIMARY KEY (rowid=?)"),
            "{plan}"
        );
    }
}

#[test]
fn a_dataset_with_four_keys_takes_less_than_150_bytes() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let count = 50_000;
    let (registry, _) = filled(folder.path(), count);
    drop(registry);
    let path = folder.path().join("registry.sqlite");
    let connection = Connection::open(&path).expect("it opens");
    connection
        .pragma_update_and_check(None, "wal_checkpoint", "TRUNCATE", |_| Ok(()))
        .expect("it writes the log back");
    drop(connection);
    let bytes = std::fs::metadata(&path).expect("it is there").len();
    let each = bytes as f64 / count as f64;
    println!("{each:.1} bytes per dataset");
    assert!(each < 150.0, "{each} bytes per dataset");
}
