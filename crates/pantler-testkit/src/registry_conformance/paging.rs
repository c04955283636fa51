//! Pages, what datasets were made from, and what is known of them beside their data IDs.

use std::sync::Arc;

use pantler_core::registry::{PageRequest, Registry};
use pantler_core::sky::Footprint;
use pantler_core::{DataId, DatasetRecord, Expression, KeyType, KeyValue};

use super::{
    Fresh, Make, calexp, data_ids, dataset, definition, find_one, id, ids, insert, member,
    type_name, visit_ccd,
};

fn by(order: &[(&str, bool)]) -> PageRequest {
    PageRequest {
        dataset_type: type_name("calexp:sfm"),
        order: order
            .iter()
            .map(|(key, descending)| ((*key).to_owned(), *descending))
            .collect(),
        data_id: DataId::default(),
        condition: None,
        after: None,
        limit: 2,
    }
}

/// All pages, each starting behind the one before.
fn all_pages(registry: &dyn Registry, mut request: PageRequest) -> Vec<DatasetRecord> {
    let mut all = Vec::new();
    loop {
        let page = registry.page(&request).expect("it answers");
        assert!(page.len() <= request.limit);
        let is_last = page.len() < request.limit;
        all.extend(page);
        request.after = all
            .last()
            .map(|record: &DatasetRecord| record.data_id.clone());
        if is_last {
            return all;
        }
    }
}

/// Three visits of two detectors.
fn six(registry: &dyn Registry) {
    let definition = calexp();
    let datasets: Vec<DatasetRecord> = [(2, 1), (1, 2), (3, 1), (1, 1), (2, 2), (3, 2)]
        .map(|(visit, ccd)| dataset(&definition, visit_ccd(visit, ccd)))
        .to_vec();
    insert(registry, &datasets);
}

/// Pages give every dataset once, in the order asked for, each key in its own direction.
pub fn pages_in_any_order_of_keys(make: Make<'_>) {
    let registry = Fresh::new(make);
    six(&*registry);
    type Order = [(&'static str, bool)];
    let cases: [(&Order, [(i64, i64); 6]); 4] = [
        (
            &[("visit", false), ("ccd", false)],
            [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2)],
        ),
        (
            &[("visit", true), ("ccd", false)],
            [(3, 1), (3, 2), (2, 1), (2, 2), (1, 1), (1, 2)],
        ),
        (
            &[("ccd", false), ("visit", true)],
            [(3, 1), (2, 1), (1, 1), (3, 2), (2, 2), (1, 2)],
        ),
        (
            &[("ccd", true), ("visit", true)],
            [(3, 2), (2, 2), (1, 2), (3, 1), (2, 1), (1, 1)],
        ),
    ];
    for (order, expected) in cases {
        for limit in [1, 2, 4, 6, 7] {
            let request = PageRequest { limit, ..by(order) };
            let found = all_pages(&*registry, request);
            let expected = expected.map(|(visit, ccd)| visit_ccd(visit, ccd).to_string());
            assert_eq!(data_ids(&found), expected, "{order:?} by {limit}");
        }
    }
}

/// Pages hold at least what fits the given keys and the condition, and nothing of other keys or types.
pub fn pages_narrow_by_keys_and_condition(make: Make<'_>) {
    let registry = Fresh::new(make);
    six(&*registry);
    let order = [("visit", false), ("ccd", false)];
    let given = PageRequest {
        data_id: id([("ccd", "2".into())]),
        ..by(&order)
    };
    assert_eq!(
        data_ids(&all_pages(&*registry, given)),
        ["visit=1 ccd=2", "visit=2 ccd=2", "visit=3 ccd=2"]
    );
    for (text, at_least) in [
        (
            "visit > 1 and ccd = 2",
            vec!["visit=2 ccd=2", "visit=3 ccd=2"],
        ),
        (
            "visit in (1, 3) and ccd != 1.5 and ccd < 2",
            vec!["visit=1 ccd=1", "visit=3 ccd=1"],
        ),
        (
            "visit between 3 and 9 or visit <= 0",
            vec!["visit=3 ccd=1", "visit=3 ccd=2"],
        ),
        (
            "not (visit = 1) and exptime is null and ccd >= 2",
            vec!["visit=2 ccd=2", "visit=3 ccd=2"],
        ),
        ("overlaps(circle(10, 10, 1))", vec![]),
    ] {
        let condition = Expression::parse(text).expect("it is an expression");
        let request = PageRequest {
            condition: Some(condition.clone()),
            ..by(&order)
        };
        let found: Vec<DatasetRecord> = all_pages(&*registry, request)
            .into_iter()
            .filter(|record| {
                let lookup = |name: &str| record.data_id.get(name).cloned();
                condition.evaluate_with(&lookup, &|_| Ok(None)) == Ok(Some(true))
            })
            .collect();
        assert_eq!(data_ids(&found), at_least, "{text}");
    }
    let other_keys = by(&[("visit", false)]);
    assert_eq!(registry.page(&other_keys).expect("it answers"), []);
    let unknown = PageRequest {
        data_id: id([("tract", 1.into())]),
        ..by(&order)
    };
    assert_eq!(registry.page(&unknown).expect("it answers"), []);
}

/// Each set of keys of a type is told, the older first, and pages know them apart.
pub fn tells_the_key_sets_of_types(make: Make<'_>) {
    let registry = Fresh::new(make);
    six(&*registry);
    let newer = definition(
        "calexp:sfm",
        &[("visit", KeyType::Int), ("raft", KeyType::Str)],
    );
    let other = definition("bias", &[]);
    let of_raft = id([("visit", 1.into()), ("raft", "R22".into())]);
    insert(
        &*registry,
        &[dataset(&newer, of_raft), dataset(&other, DataId::default())],
    );
    let names = |sets: Vec<pantler_core::registry::KeysOfType>| -> Vec<String> {
        let keys = |keys: &[(String, KeyType)]| {
            let names: Vec<&str> = keys.iter().map(|(key, _)| key.as_str()).collect();
            names.join(" ")
        };
        sets.iter()
            .map(|(name, of)| format!("{name} {}", keys(of)))
            .collect()
    };
    let all = registry.key_sets(None).expect("it answers");
    assert_eq!(
        names(all),
        ["bias ", "calexp:sfm visit ccd", "calexp:sfm visit raft"]
    );
    let one = registry
        .key_sets(Some(&type_name("bias")))
        .expect("it answers");
    assert_eq!(names(one), ["bias "]);
    let found = all_pages(&*registry, by(&[("raft", false), ("visit", false)]));
    assert_eq!(data_ids(&found), ["visit=1 raft=R22"]);
    let only = PageRequest {
        dataset_type: type_name("bias"),
        limit: 1,
        ..by(&[])
    };
    assert_eq!(all_pages(&*registry, only).len(), 1);
}

/// What a dataset was made from comes back whole, is found from both ends, and is no part of it.
pub fn r34_keeps_precursors(make: Make<'_>) {
    let registry = Fresh::new(make);
    let definition = calexp();
    let sources: Vec<DatasetRecord> = (1..=2)
        .map(|ccd| dataset(&definition, visit_ccd(1, ccd)))
        .collect();
    insert(&*registry, &sources);
    let coadd = DatasetRecord {
        precursors: vec![member("inputs", &sources[1]), member("inputs", &sources[0])],
        ..dataset(
            &super::definition("coadd", &[("tract", KeyType::Int)]),
            id([("tract", 9.into())]),
        )
    };
    insert(&*registry, std::slice::from_ref(&coadd));
    assert_eq!(find_one(&*registry, coadd.id), Some(coadd.clone()));
    let wanted = [sources[0].id, coadd.id];
    let found = registry.find_made_from(&wanted).expect("it finds");
    assert_eq!(ids(&found[0]), [coadd.id]);
    assert_eq!(found[1], []);
    let users = registry.find_users(&wanted).expect("it finds");
    assert_eq!(users, [vec![], vec![]], "a precursor has no user");
    let mut transaction = registry.begin().expect("a transaction begins");
    transaction
        .remove(&[sources[0].id])
        .expect("nobody uses it");
    transaction.remove(&[coadd.id]).expect("it is there");
    transaction.commit().expect("it commits");
    let found = registry.find_made_from(&[sources[0].id, sources[1].id]);
    assert_eq!(found.expect("it finds"), [vec![], vec![]]);
}

/// Columns and footprints come back as they were, and a search by position finds what touches.
pub fn keeps_columns_and_footprints(make: Make<'_>) {
    let registry = Fresh::new(make);
    let definition = calexp();
    let square = |ra: f64| {
        let corners = [(ra, -0.1), (ra + 0.2, -0.1), (ra + 0.2, 0.1), (ra, 0.1)];
        Footprint::new(&corners)
    };
    let columns = id([
        ("exptime", KeyValue::Float(30.5)),
        ("object", "M 51".into()),
        ("night", 7.into()),
    ]);
    let datasets: Vec<DatasetRecord> = [
        (1, Some(359.9)),
        (2, Some(40.0)),
        (3, None),
        (4, Some(40.0)),
    ]
    .into_iter()
    .map(|(visit, ra)| DatasetRecord {
        metadata: if visit == 1 {
            columns.clone()
        } else {
            DataId::default()
        },
        footprint: ra.and_then(square),
        ..dataset(&Arc::clone(&definition), visit_ccd(visit, 1))
    })
    .collect();
    insert(&*registry, &datasets);
    for expected in &datasets {
        assert_eq!(find_one(&*registry, expected.id).as_ref(), Some(expected));
    }
    let near = |ra: f64| {
        let text = format!("overlaps(circle({ra}, 0, 0.05))");
        let condition = Expression::parse(&text).expect("it is an expression");
        let region = condition.regions()[0].clone();
        let request = PageRequest {
            condition: Some(condition),
            ..by(&[("visit", false), ("ccd", false)])
        };
        let mut found = all_pages(&*registry, request);
        found.retain(|record| {
            let footprint = record.footprint.as_ref();
            footprint.and_then(|footprint| footprint.overlaps(&region)) == Some(true)
        });
        data_ids(&found)
    };
    assert_eq!(near(0.0), ["visit=1 ccd=1"]);
    assert_eq!(near(40.1), ["visit=2 ccd=1", "visit=4 ccd=1"]);
    assert_eq!(near(90.0), [""; 0]);
    let mut transaction = registry.begin().expect("a transaction begins");
    transaction.remove(&[datasets[1].id]).expect("it is there");
    transaction.commit().expect("it commits");
    assert_eq!(
        near(40.1),
        ["visit=4 ccd=1"],
        "one of two with one footprint"
    );
    let mut transaction = registry.begin().expect("a transaction begins");
    transaction.remove(&[datasets[3].id]).expect("it is there");
    transaction.commit().expect("it commits");
    assert_eq!(near(40.1), [""; 0]);
}
