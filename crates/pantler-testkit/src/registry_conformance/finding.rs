//! Finding by data ID and by identity, and visiting.

use std::ops::ControlFlow;

use pantler_core::registry::{FindRequest, Registry};
use pantler_core::{DataId, DatasetId, DatasetRecord, KeyType, KeyValue};

use super::{
    Fresh, Make, calexp, data_ids, dataset, definition, find, find_one, id, ids, insert, request,
    type_name, visit_ccd, visited,
};

/// Three visits of three detectors each, inserted in another order than that of the data IDs.
fn nine(registry: &dyn Registry) -> Vec<DatasetRecord> {
    let calexp = calexp();
    let mut datasets = Vec::new();
    for ccd in [7, 10, 0] {
        for visit in [100, 2, 30] {
            datasets.push(dataset(&calexp, visit_ccd(visit, ccd)));
        }
    }
    insert(registry, &datasets);
    datasets
}

/// A complete data ID finds exactly its dataset, in whatever order its keys are given.
pub fn finds_by_complete_data_ids(make: Make<'_>) {
    let registry = Fresh::new(make);
    for wanted in nine(&*registry) {
        let found = find(&*registry, "calexp:sfm", wanted.data_id.clone());
        assert_eq!(found, std::slice::from_ref(&wanted));
        let turned: Vec<_> = wanted.data_id.iter().collect();
        let turned = DataId::new(turned.into_iter().rev().map(|(k, v)| (k, v.clone())));
        let found = find(&*registry, "calexp:sfm", turned);
        assert_eq!(found, [wanted]);
    }
    assert_eq!(find(&*registry, "calexp:sfm", visit_ccd(2, 8)), []);
}

/// A data ID that lacks keys, the first or the last or all, finds every dataset that has the others.
pub fn finds_by_partial_data_ids(make: Make<'_>) {
    let registry = Fresh::new(make);
    nine(&*registry);
    let by_visit = find(&*registry, "calexp:sfm", id([("visit", 30.into())]));
    assert_eq!(
        data_ids(&by_visit),
        ["visit=30 ccd=0", "visit=30 ccd=7", "visit=30 ccd=10"]
    );
    let by_ccd = find(&*registry, "calexp:sfm", id([("ccd", 10.into())]));
    assert_eq!(
        data_ids(&by_ccd),
        ["visit=2 ccd=10", "visit=30 ccd=10", "visit=100 ccd=10"]
    );
    let all = find(&*registry, "calexp:sfm", DataId::default());
    assert_eq!(all.len(), 9);
}

/// Datasets come in the order of the keys, as the definition names them, by number and not by digits.
pub fn answers_in_the_order_of_data_ids(make: Make<'_>) {
    let registry = Fresh::new(make);
    let mut expected = ids(&{
        let mut datasets = nine(&*registry);
        datasets.sort_by_key(|one| one.data_id.sort_key(&["visit", "ccd"]));
        datasets
    });
    let found = find(&*registry, "calexp:sfm", DataId::default());
    assert_eq!(ids(&found), expected);
    assert_eq!(found[0].data_id.to_string(), "visit=2 ccd=0");

    let texts = definition("bias", &[("filter", KeyType::Str)]);
    let words = ["z", "", "Z", "ab", "é", "a"];
    let datasets = words.map(|word| dataset(&texts, id([("filter", word.into())])));
    insert(&*registry, &datasets);
    let found = find(&*registry, "bias", DataId::default());
    let mut sorted = datasets.to_vec();
    sorted.sort_by(|a, b| a.data_id.cmp(&b.data_id));
    expected = ids(&sorted);
    assert_eq!(ids(&found), expected);
}

/// Of several datasets that match, the first ones come; a limit of none gives none.
pub fn answers_at_most_the_limit(make: Make<'_>) {
    let registry = Fresh::new(make);
    nine(&*registry);
    let with_limit = |data_id: DataId, limit| {
        let wanted = FindRequest {
            limit,
            ..request("calexp:sfm", data_id)
        };
        let found = registry.find_many(&[wanted]).expect("it finds");
        data_ids(&found[0])
    };
    let by_ccd = || id([("ccd", 7.into())]);
    assert_eq!(with_limit(by_ccd(), 2), ["visit=2 ccd=7", "visit=30 ccd=7"]);
    assert_eq!(with_limit(DataId::default(), 1), ["visit=2 ccd=0"]);
    assert_eq!(with_limit(DataId::default(), usize::MAX).len(), 9);
    assert_eq!(with_limit(visit_ccd(2, 7), 1), ["visit=2 ccd=7"]);
    assert_eq!(with_limit(visit_ccd(2, 7), 0).len(), 0);
    assert_eq!(with_limit(by_ccd(), 0).len(), 0);
}

/// What is not there is an empty list: an unknown type, a key that the type lacks, a value that its key cannot have.
pub fn answers_nothing_for_unknown_types_and_keys(make: Make<'_>) {
    let registry = Fresh::new(make);
    assert_eq!(find(&*registry, "calexp:sfm", DataId::default()), []);
    nine(&*registry);
    for (name, data_id) in [
        ("calexp", visit_ccd(2, 7)),
        ("src", DataId::default()),
        ("calexp:sfm", visit_ccd(2, 7).with("tract", 0.into())),
        ("calexp:sfm", id([("Visit", 2.into())])),
        ("calexp:sfm", id([("visit", "two".into())])),
        ("calexp:sfm", id([("visit", KeyValue::Float(2.5))])),
    ] {
        assert_eq!(
            find(&*registry, name, data_id.clone()),
            [],
            "{name} {data_id}"
        );
    }
    assert_eq!(
        registry.find_many(&[]).expect("it finds"),
        Vec::<Vec<_>>::new()
    );
}

/// However many requests there are, of whatever types, each has its own answer, in the order of the requests.
pub fn answers_every_request_of_a_large_batch(make: Make<'_>) {
    let registry = Fresh::new(make);
    let calexp = calexp();
    let datasets: Vec<_> = (0..50)
        .map(|visit| dataset(&calexp, visit_ccd(visit, visit % 5)))
        .collect();
    insert(&*registry, &datasets);
    let mut requests = Vec::new();
    for round in 0..12_000i64 {
        requests.push(match round % 4 {
            0 => request("calexp:sfm", id([("visit", (round % 60).into())])),
            1 => request("src", visit_ccd(1, 1)),
            _ => request("calexp:sfm", visit_ccd(round % 60, round % 60 % 5)),
        });
    }
    let found = registry.find_many(&requests).expect("it finds");
    assert_eq!(found.len(), requests.len());
    for (round, list) in found.iter().enumerate() {
        let visit = round % 60;
        let is_there = round % 4 != 1 && visit < 50;
        let expected: Vec<DatasetId> = if is_there {
            vec![datasets[visit].id]
        } else {
            vec![]
        };
        assert_eq!(ids(list), expected, "request {round}");
    }
    let mut wanted: Vec<DatasetId> = (0..700).flat_map(|_| ids(&datasets)).collect();
    wanted[34_000] = DatasetId::from_bytes([7; 16]);
    let found = registry.find_ids(&wanted).expect("it finds");
    assert_eq!(found.len(), wanted.len());
    for (at, record) in found.iter().enumerate() {
        let expected = (at != 34_000).then(|| datasets[at % 50].id);
        assert_eq!(
            record.as_ref().map(|record| record.id),
            expected,
            "identity {at}"
        );
    }
}

/// Two keys whose names differ in capitals only are two keys.
pub fn tells_keys_apart_by_their_capitals(make: Make<'_>) {
    let registry = Fresh::new(make);
    let both = definition(
        "flat",
        &[("filter", KeyType::Str), ("Filter", KeyType::Str)],
    );
    let record = dataset(&both, id([("filter", "r".into()), ("Filter", "i".into())]));
    insert(&*registry, std::slice::from_ref(&record));
    let found = find(&*registry, "flat", id([("filter", "r".into())]));
    assert_eq!(found, [record]);
    assert_eq!(find(&*registry, "flat", id([("Filter", "r".into())])), []);
}

/// Integers, floating-point numbers and texts come back as they were, to the last bit.
pub fn keeps_the_three_types_of_keys(make: Make<'_>) {
    let registry = Fresh::new(make);
    let keys = [
        ("n", KeyType::Int),
        ("x", KeyType::Float),
        ("t", KeyType::Str),
    ];
    let all = definition("all", &keys);
    let integers = [i64::MIN, -1, 0, 9_007_199_254_740_993, i64::MAX];
    let floats = [-1.0e300, 0.0, f64::MIN_POSITIVE, 0.1 + 0.2, 1.0 / 3.0];
    let mut datasets = Vec::new();
    for (n, x) in integers.into_iter().zip(floats) {
        let data_id = id([
            ("n", n.into()),
            ("x", KeyValue::Float(x)),
            ("t", n.to_string().into()),
        ]);
        datasets.push(dataset(&all, data_id));
    }
    insert(&*registry, &datasets);
    for record in &datasets {
        let found = find(&*registry, "all", record.data_id.clone());
        assert_eq!(found, std::slice::from_ref(record));
        assert_eq!(find_one(&*registry, record.id).as_ref(), Some(record));
        let by_x = id([("x", record.data_id.get("x").expect("it has x").clone())]);
        assert_eq!(find(&*registry, "all", by_x), std::slice::from_ref(record));
    }
    // Negative zero is zero.
    let zero = id([("x", KeyValue::Float(-0.0))]);
    assert_eq!(find(&*registry, "all", zero).len(), 1);
}

/// A value of another type finds where nothing is lost: `visit=0012` finds visit 12, and 5 finds the text `5`.
pub fn takes_equal_values_of_other_types(make: Make<'_>) {
    let registry = Fresh::new(make);
    let keys = [
        ("visit", KeyType::Int),
        ("field", KeyType::Str),
        ("mjd", KeyType::Float),
    ];
    let raw = definition("raw", &keys);
    let given = id([
        ("visit", "0012".into()),
        ("field", 5.into()),
        ("mjd", 51195.into()),
    ]);
    insert(&*registry, &[dataset(&raw, given)]);
    let kept = id([
        ("visit", 12.into()),
        ("field", "5".into()),
        ("mjd", KeyValue::Float(51195.0)),
    ]);
    for wanted in [
        kept.clone(),
        id([("visit", "12".into())]),
        id([("visit", KeyValue::Float(12.0))]),
        id([("field", 5.into())]),
        id([("mjd", "51195".into())]),
    ] {
        let found = find(&*registry, "raw", wanted.clone());
        assert_eq!(found.len(), 1, "{wanted}");
        assert_eq!(found[0].data_id, kept, "kept in the types of the keys");
    }
    // The text is `5`, and `05` is another.
    assert_eq!(find(&*registry, "raw", id([("field", "05".into())])), []);
}

/// Quotes, signs of SQL, other scripts, line ends and the empty text are values like any other.
pub fn keeps_awkward_texts(make: Make<'_>) {
    let registry = Fresh::new(make);
    let notes = definition("note", &[("object", KeyType::Str)]);
    let texts = [
        "",
        " ",
        "NGC 1275",
        "Barnard's star",
        "\"quoted\"",
        "'; DROP TABLE dataset; --",
        "\\ % _ * ?1 :a $b @c",
        "a\nb\tc\u{0}d",
        "織姫星",
        "é",
        "e\u{301}",
        "null",
        "{\"float\":\"1\"}",
    ];
    let datasets = texts.map(|text| dataset(&notes, id([("object", text.into())])));
    insert(&*registry, &datasets);
    for record in &datasets {
        let found = find(&*registry, "note", record.data_id.clone());
        assert_eq!(found, std::slice::from_ref(record));
        assert_eq!(find_one(&*registry, record.id).as_ref(), Some(record));
    }
}

/// An identity finds its dataset, whatever its type; one that is not there finds nothing; one asked twice is found twice.
pub fn finds_by_identity(make: Make<'_>) {
    let registry = Fresh::new(make);
    let nine = nine(&*registry);
    let nobody = DatasetId::from_bytes([0; 16]);
    let wanted = [nine[4].id, nobody, nine[0].id, nine[4].id];
    let found = registry.find_ids(&wanted).expect("it finds");
    let expected = [Some(&nine[4]), None, Some(&nine[0]), Some(&nine[4])];
    assert_eq!(
        found.iter().map(Option::as_ref).collect::<Vec<_>>(),
        expected
    );
    assert_eq!(registry.find_ids(&[]).expect("it finds"), []);
}

/// A type without keys has one dataset at most, which an empty data ID finds.
pub fn keeps_types_without_keys(make: Make<'_>) {
    let registry = Fresh::new(make);
    let skymap = definition("skymap", &[]);
    assert_eq!(find(&*registry, "skymap", DataId::default()), []);
    let record = dataset(&skymap, DataId::default());
    insert(&*registry, std::slice::from_ref(&record));
    let found = find(&*registry, "skymap", DataId::default());
    assert_eq!(found, [record]);
    assert_eq!(find(&*registry, "skymap", visit_ccd(1, 1)), []);
    let mut transaction = registry.begin().expect("a transaction begins");
    let second = dataset(&skymap, DataId::default());
    super::assert_taken(transaction.insert(&[second], &super::provenance()));
}

/// A visit of all types goes by type, then by data ID.
pub fn visits_in_order(make: Make<'_>) {
    let registry = Fresh::new(make);
    let nine = nine(&*registry);
    let bias = definition("bias", &[("ccd", KeyType::Int)]);
    let src = definition("src", &[("visit", KeyType::Int)]);
    let later = [
        dataset(&src, id([("visit", 1.into())])),
        dataset(&bias, id([("ccd", 2.into())])),
        dataset(&bias, id([("ccd", 1.into())])),
    ];
    insert(&*registry, &later);
    let all = visited(&*registry, None, &DataId::default());
    assert_eq!(all.len(), nine.len() + later.len());
    assert_eq!(ids(&all[..2]), [later[2].id, later[1].id]);
    assert_eq!(all[11].id, later[0].id);
    let calexps = find(&*registry, "calexp:sfm", DataId::default());
    assert_eq!(all[2..11], calexps[..]);
    let calexp = type_name("calexp:sfm");
    let some = visited(&*registry, Some(&calexp), &DataId::default());
    assert_eq!(some, calexps);
}

/// A visit with values passes by datasets that have others, and types that lack the key.
pub fn visits_only_what_has_the_values(make: Make<'_>) {
    let registry = Fresh::new(make);
    nine(&*registry);
    let bias = definition("bias", &[("ccd", KeyType::Int)]);
    insert(&*registry, &[dataset(&bias, id([("ccd", 7.into())]))]);
    let by_ccd = visited(&*registry, None, &id([("ccd", "7".into())]));
    assert_eq!(
        data_ids(&by_ccd),
        [
            "ccd=7",
            "visit=2 ccd=7",
            "visit=30 ccd=7",
            "visit=100 ccd=7"
        ]
    );
    let by_both = visited(&*registry, None, &visit_ccd(30, 7));
    assert_eq!(data_ids(&by_both), ["visit=30 ccd=7"]);
    let unknown = type_name("src");
    assert_eq!(visited(&*registry, Some(&unknown), &DataId::default()), []);
}

/// A visitor that breaks off is not called again, and that is no error.
pub fn stops_visiting_when_told(make: Make<'_>) {
    let registry = Fresh::new(make);
    nine(&*registry);
    let bias = definition("bias", &[("ccd", KeyType::Int)]);
    insert(&*registry, &[dataset(&bias, id([("ccd", 7.into())]))]);
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
        registry
            .visit(None, &DataId::default(), each)
            .expect("it visits");
        assert_eq!(seen, stop_after);
        let mut seen = 0;
        let each = &mut |_| {
            seen += 1;
            ControlFlow::Break(())
        };
        registry.visit_all(each).expect("it visits");
        assert_eq!(seen, 1);
    }
}

/// A visit by identity comes to everything once, the superseded included.
pub fn visits_everything_by_identity(make: Make<'_>) {
    let registry = Fresh::new(make);
    let nine = nine(&*registry);
    let mut transaction = registry.begin().expect("a transaction begins");
    let aside = pantler_core::Location::parse(".pantler/superseded/1").expect("it is a path");
    transaction
        .supersede(nine[3].id, &aside)
        .expect("it is there");
    transaction.commit().expect("it commits");
    let mut seen = Vec::new();
    let each = &mut |record: DatasetRecord| {
        seen.push(record.id);
        ControlFlow::Continue(())
    };
    registry.visit_all(each).expect("it visits");
    seen.sort_unstable();
    let mut expected = ids(&nine);
    expected.sort_unstable();
    assert_eq!(seen, expected);
}
