//! The reading part of the suite: what every registry promises that is filled already, by whatever means, so that one that cannot
//! be written passes it as well. Identities are its own affair.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use pantler_core::registry::{DefinitionVersion, FindRequest, PageRequest, Registry};
use pantler_core::{DataId, DatasetId, DatasetRecord, KeyType};

use super::{
    calexp, data_ids, dataset, definition, find, id, insert, request, type_name, visit_ccd, visited,
};

/// Makes a registry of these datasets, whose artifacts have 100 bytes each, in the folder if it needs one.
pub type MakeFilled<'m> = &'m dyn Fn(&Path, &[DatasetRecord]) -> Box<dyn Registry>;

/// Fills a registry that can be written.
pub fn filled_by_insertion(
    registry: Box<dyn Registry>,
    datasets: &[DatasetRecord],
) -> Box<dyn Registry> {
    insert(&*registry, datasets);
    registry
}

/// Makes a module with one test for each promise of a registry to those who only read.
///
/// ```
/// # mod example {
/// use pantler_core::DatasetRecord;
/// use pantler_registry::MemoryRegistry;
/// use pantler_testkit::registry_conformance::filled_by_insertion;
///
/// pantler_testkit::registry_reading_conformance!(
///     memory,
///     |_folder: &std::path::Path, datasets: &[DatasetRecord]| {
///         filled_by_insertion(Box::new(MemoryRegistry::new()), datasets)
///     }
/// );
/// # }
/// ```
#[macro_export]
macro_rules! registry_reading_conformance {
    ($module:ident, $make:expr) => {
        mod $module {
            #[allow(unused_imports, reason = "the expression may need nothing of its surroundings")]
            use super::*;

            $crate::registry_reading_conformance!(@cases $make;
                reads_by_complete_data_ids
                reads_by_partial_data_ids_in_order
                reads_at_most_the_limit
                reads_nothing_of_what_is_not_there
                reads_a_large_batch
                reads_equal_values_of_other_types
                reads_types_without_keys
                reads_pages_in_any_order
                reads_key_sets
                visits_what_has_the_values_in_order
                visits_until_told
                finds_again_what_it_gave
                adds_up
            );
        }
    };
    (@cases $make:expr; $($case:ident)*) => {
        $(
            #[test]
            fn $case() {
                $crate::registry_conformance::$case(&$make);
            }
        )*
    };
}

struct Filled {
    registry: Box<dyn Registry>,
    _folder: tempfile::TempDir,
}

fn filled(make: MakeFilled<'_>, datasets: &[DatasetRecord]) -> Filled {
    let folder = tempfile::tempdir().expect("a folder for the test");
    Filled {
        registry: make(folder.path(), datasets),
        _folder: folder,
    }
}

fn bias() -> Arc<DefinitionVersion> {
    definition("bias", &[("ccd", KeyType::Int), ("filter", KeyType::Str)])
}

fn bias_id(ccd: i64, filter: &str) -> DataId {
    id([("ccd", ccd.into()), ("filter", filter.into())])
}

/// Three visits of three detectors each, and two datasets of another type.
fn eleven() -> Vec<DatasetRecord> {
    let calexp = calexp();
    let mut datasets = Vec::new();
    for ccd in [7, 10, 0] {
        for visit in [100, 2, 30] {
            datasets.push(dataset(&calexp, visit_ccd(visit, ccd)));
        }
    }
    datasets.push(dataset(&bias(), bias_id(7, "r")));
    datasets.push(dataset(&bias(), bias_id(7, "i")));
    datasets
}

/// A complete data ID finds exactly its dataset, in whatever order its keys are given, with its definition and its size.
pub fn reads_by_complete_data_ids(make: MakeFilled<'_>) {
    let filled = filled(make, &eleven());
    for wanted in eleven() {
        let turned: Vec<_> = wanted.data_id.iter().collect();
        let turned = DataId::new(turned.into_iter().rev().map(|(k, v)| (k, v.clone())));
        for data_id in [wanted.data_id.clone(), turned] {
            let name = wanted.dataset_type().as_str();
            let found = find(&*filled.registry, name, data_id);
            assert_eq!(data_ids(&found), [wanted.data_id.to_string()]);
            assert_eq!(found[0].dataset_type(), wanted.dataset_type());
            assert_eq!(found[0].artifact.as_ref().map(|of| of.bytes), Some(100));
        }
    }
}

/// A data ID that lacks keys finds every dataset that has the others, ordered by number and not by digits.
pub fn reads_by_partial_data_ids_in_order(make: MakeFilled<'_>) {
    let filled = filled(make, &eleven());
    let found = |data_id| data_ids(&find(&*filled.registry, "calexp:sfm", data_id));
    assert_eq!(
        found(id([("visit", 30.into())])),
        ["visit=30 ccd=0", "visit=30 ccd=7", "visit=30 ccd=10"]
    );
    assert_eq!(
        found(id([("ccd", 10.into())])),
        ["visit=2 ccd=10", "visit=30 ccd=10", "visit=100 ccd=10"]
    );
    let all = found(DataId::default());
    assert_eq!((all.len(), all[0].as_str()), (9, "visit=2 ccd=0"));
    let of_filter = find(&*filled.registry, "bias", id([("filter", "i".into())]));
    assert_eq!(data_ids(&of_filter), [bias_id(7, "i").to_string()]);
}

/// Of several that match, the first ones come; a limit of none gives none.
pub fn reads_at_most_the_limit(make: MakeFilled<'_>) {
    let filled = filled(make, &eleven());
    let with_limit = |data_id: DataId, limit| {
        let wanted = FindRequest {
            limit,
            ..request("calexp:sfm", data_id)
        };
        let found = filled.registry.find_many(&[wanted]).expect("it finds");
        data_ids(&found[0])
    };
    let of_ccd = || id([("ccd", 7.into())]);
    assert_eq!(with_limit(of_ccd(), 2), ["visit=2 ccd=7", "visit=30 ccd=7"]);
    assert_eq!(with_limit(of_ccd(), 0).len(), 0);
    assert_eq!(with_limit(visit_ccd(2, 7), 1), ["visit=2 ccd=7"]);
    assert_eq!(with_limit(visit_ccd(2, 7), 0).len(), 0);
}

/// An unknown type, a key that the type lacks, a value that its key cannot have, another value: nothing, and no error.
pub fn reads_nothing_of_what_is_not_there(make: MakeFilled<'_>) {
    let filled = filled(make, &eleven());
    for (name, data_id) in [
        ("calexp", visit_ccd(2, 7)),
        ("src", DataId::default()),
        ("calexp:sfm", visit_ccd(2, 8)),
        ("calexp:sfm", visit_ccd(2, 7).with("tract", 0.into())),
        ("calexp:sfm", id([("Visit", 2.into())])),
        ("calexp:sfm", id([("visit", "two".into())])),
        ("calexp:sfm", id([("visit", 31.into())])),
        ("bias", bias_id(7, "no/such")),
        ("bias", bias_id(7, "..")),
        ("bias", bias_id(7, "")),
    ] {
        let found = find(&*filled.registry, name, data_id.clone());
        assert_eq!(found, [], "{name} {data_id}");
    }
    let none = filled.registry.find_many(&[]).expect("it finds");
    assert_eq!(none, Vec::<Vec<_>>::new());
    let nobody = DatasetId::from_bytes([7; 16]);
    assert_eq!(
        filled.registry.find_ids(&[nobody]).expect("it finds"),
        [None]
    );
    let users = filled.registry.find_users(&[nobody]).expect("it finds");
    assert_eq!(users, [vec![]]);
    let made = filled.registry.find_made_from(&[nobody]).expect("it finds");
    assert_eq!(made, [vec![]]);
    let who = filled.registry.provenance(&[nobody]).expect("it finds");
    assert_eq!(who, [None]);
}

/// However many requests there are, of whatever sorts, each has its own answer, in the order of the requests.
pub fn reads_a_large_batch(make: MakeFilled<'_>) {
    let calexp = calexp();
    let datasets: Vec<_> = (0..50)
        .map(|visit| dataset(&calexp, visit_ccd(visit, visit % 5)))
        .collect();
    let filled = filled(make, &datasets);
    let requests: Vec<FindRequest> = (0..3000i64)
        .map(|round| match round % 4 {
            0 => request("calexp:sfm", id([("visit", (round % 60).into())])),
            1 => request("src", visit_ccd(1, 1)),
            _ => request("calexp:sfm", visit_ccd(round % 60, round % 60 % 5)),
        })
        .collect();
    let found = filled.registry.find_many(&requests).expect("it finds");
    assert_eq!(found.len(), requests.len());
    for (round, list) in found.iter().enumerate() {
        let visit = round % 60;
        let expected: Vec<String> = match round % 4 != 1 && visit < 50 {
            true => vec![datasets[visit].data_id.to_string()],
            false => vec![],
        };
        assert_eq!(data_ids(list), expected, "request {round}");
    }
}

/// A value of another type finds where nothing is lost: `visit=0012` finds visit 12, and 5 finds the text `5`.
pub fn reads_equal_values_of_other_types(make: MakeFilled<'_>) {
    let raw = definition("raw", &[("visit", KeyType::Int), ("field", KeyType::Str)]);
    let kept = id([("visit", 12.into()), ("field", "5".into())]);
    let filled = filled(make, &[dataset(&raw, kept.clone())]);
    for wanted in [
        kept.clone(),
        id([("visit", "0012".into()), ("field", 5.into())]),
        id([("visit", "12".into())]),
        id([("field", 5.into())]),
    ] {
        let found = find(&*filled.registry, "raw", wanted.clone());
        assert_eq!(found.len(), 1, "{wanted}");
        assert_eq!(found[0].data_id, kept, "in the types of the keys");
    }
    let other = find(&*filled.registry, "raw", id([("field", "05".into())]));
    assert_eq!(other, []);
}

/// A type without keys has one dataset at most, which an empty data ID finds.
pub fn reads_types_without_keys(make: MakeFilled<'_>) {
    let skymap = definition("skymap", &[]);
    let filled = filled(make, &[dataset(&skymap, DataId::default())]);
    let found = find(&*filled.registry, "skymap", DataId::default());
    assert_eq!(data_ids(&found), [DataId::default().to_string()]);
    assert_eq!(find(&*filled.registry, "skymap", visit_ccd(1, 1)), []);
}

/// Pages follow each other in any order of the keys, and come to each dataset once.
pub fn reads_pages_in_any_order(make: MakeFilled<'_>) {
    let filled = filled(make, &eleven());
    let order = |order: &[(&str, bool)]| -> Vec<(String, bool)> {
        let order = order.iter();
        order
            .map(|(key, down)| ((*key).to_owned(), *down))
            .collect()
    };
    for (by, first, last) in [
        (
            order(&[("visit", false), ("ccd", false)]),
            "visit=2 ccd=0",
            "visit=100 ccd=10",
        ),
        (
            order(&[("ccd", true), ("visit", false)]),
            "visit=2 ccd=10",
            "visit=100 ccd=0",
        ),
    ] {
        let mut all = Vec::new();
        loop {
            let request = PageRequest {
                dataset_type: type_name("calexp:sfm"),
                order: by.clone(),
                data_id: DataId::default(),
                condition: None,
                after: all.last().cloned(),
                limit: 4,
            };
            let page = filled.registry.page(&request).expect("it pages");
            all.extend(page.iter().map(|record| record.data_id.clone()));
            if page.len() < 4 {
                break;
            }
        }
        assert_eq!(all.len(), 9);
        assert_eq!(all[0], DataId::parse(first).expect("it is a data ID"));
        assert_eq!(all[8], DataId::parse(last).expect("it is a data ID"));
    }
    let other_keys = PageRequest {
        dataset_type: type_name("calexp:sfm"),
        order: order(&[("visit", false)]),
        data_id: DataId::default(),
        condition: None,
        after: None,
        limit: 4,
    };
    assert_eq!(filled.registry.page(&other_keys).expect("it pages"), []);
}

/// The keys of types are told, each with its type.
pub fn reads_key_sets(make: MakeFilled<'_>) {
    let filled = filled(make, &eleven());
    let all = filled.registry.key_sets(None).expect("it answers");
    let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["bias", "calexp:sfm"]);
    let calexp = type_name("calexp:sfm");
    let of_one = filled.registry.key_sets(Some(&calexp)).expect("it answers");
    let keys = vec![
        ("visit".to_owned(), KeyType::Int),
        ("ccd".to_owned(), KeyType::Int),
    ];
    assert_eq!(of_one, [(calexp, keys)]);
    let src = type_name("src");
    assert_eq!(
        filled.registry.key_sets(Some(&src)).expect("it answers"),
        []
    );
}

/// A visit goes by type, then by data ID, past datasets that have other values and types that lack the key.
pub fn visits_what_has_the_values_in_order(make: MakeFilled<'_>) {
    let filled = filled(make, &eleven());
    let of_ccd = visited(&*filled.registry, None, &id([("ccd", "7".into())]));
    assert_eq!(
        data_ids(&of_ccd),
        [
            bias_id(7, "i").to_string().as_str(),
            bias_id(7, "r").to_string().as_str(),
            "visit=2 ccd=7",
            "visit=30 ccd=7",
            "visit=100 ccd=7"
        ]
    );
    let calexp = type_name("calexp:sfm");
    let one = visited(&*filled.registry, Some(&calexp), &visit_ccd(30, 7));
    assert_eq!(data_ids(&one), ["visit=30 ccd=7"]);
}

/// A visitor that breaks off is not called again, and that is no error.
pub fn visits_until_told(make: MakeFilled<'_>) {
    let filled = filled(make, &eleven());
    for stop_after in [1, 2, 5] {
        let mut seen = 0;
        let each = &mut |_| {
            seen += 1;
            if seen < stop_after {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        };
        filled
            .registry
            .visit(None, &DataId::default(), each)
            .expect("it visits");
        assert_eq!(seen, stop_after);
    }
}

/// What it gave it finds again by the identity that it gave it; identities differ, and a visit of everything comes to each.
pub fn finds_again_what_it_gave(make: MakeFilled<'_>) {
    let filled = filled(make, &eleven());
    let mut all = Vec::new();
    let each = &mut |record| {
        all.push(record);
        ControlFlow::Continue(())
    };
    filled.registry.visit_all(each).expect("it visits");
    assert_eq!(all.len(), 11);
    let ids = super::ids(&all);
    let mut distinct = ids.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), 11);
    let found = filled.registry.find_ids(&ids).expect("it finds");
    let found: Vec<DatasetRecord> = found.into_iter().flatten().collect();
    assert_eq!(found, all);
}

/// What there is of each type is added up.
pub fn adds_up(make: MakeFilled<'_>) {
    let filled = filled(make, &eleven());
    let summary = filled.registry.summary().expect("it sums up");
    let seen: Vec<(&str, u64, u64)> = summary
        .iter()
        .map(|of| (of.dataset_type.as_str(), of.count, of.bytes))
        .collect();
    assert_eq!(seen, [("bias", 2, 200), ("calexp:sfm", 9, 900)]);
    let range = ("visit".to_owned(), 2.into(), 100.into());
    assert!(summary[1].keys.contains(&range), "{:?}", summary[1].keys);
}
