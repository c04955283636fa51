//! What is kept of a dataset comes back as it was.

use std::sync::Arc;

use pantler_core::registry::{ArtifactRecord, DefinitionVersion, Member, Provenance, TypeSummary};
use pantler_core::{DataId, DatasetRecord, Digest, KeyType, KeyValue, Location};

use super::{
    Fresh, Make, artifact, calexp, composite, data_ids, dataset, definition, find, find_one, id,
    insert, member, provenance, request, type_name, visit_ccd, visited,
};

/// Every field of an artifact's record comes back, present or absent, inside the repository or outside.
pub fn keeps_records_whole(make: Make<'_>) {
    let registry = Fresh::new(make);
    let calexp = calexp();
    let artifacts = [
        Some(artifact(0)),
        None,
        Some(ArtifactRecord {
            location: Some(Location::parse("calexp/odd name.fits").expect("it is a path")),
            bytes: 1 << 40,
            modified: Some(-5),
            digest: Some(Digest::of(b"content")),
            layout: Some(Arc::from(&b"parts"[..])),
        }),
        Some(ArtifactRecord {
            location: Some(Location::parse("/data/raw/1.fits").expect("it is a path")),
            modified: Some(i64::MAX),
            layout: Some(Arc::from(&b""[..])),
            ..artifact(7)
        }),
        Some(ArtifactRecord {
            location: Some(Location::Outside("s3://bucket/1.fits".into())),
            ..artifact(7)
        }),
    ];
    let datasets: Vec<DatasetRecord> = artifacts
        .into_iter()
        .zip(0..)
        .map(|(artifact, ccd)| DatasetRecord {
            artifact,
            ..dataset(&calexp, visit_ccd(1, ccd))
        })
        .collect();
    insert(&*registry, &datasets);
    for record in &datasets {
        let found = find(&*registry, "calexp:sfm", record.data_id.clone());
        assert_eq!(found, std::slice::from_ref(record));
        assert_eq!(find_one(&*registry, record.id).as_ref(), Some(record));
    }
    assert_eq!(visited(&*registry, None, &DataId::default()), datasets);
}

/// Rule R6: a dataset keeps the version of the definition that it was written with, when the type's template changes.
pub fn keeps_definitions_by_version(make: Make<'_>) {
    let registry = Fresh::new(make);
    let old = calexp();
    let new = Arc::new(DefinitionVersion {
        template: Some("v2/%(visit)d/%(ccd)d.fits".to_owned()),
        python: Some("lsst.afw.image.ExposureF".to_owned()),
        assembler: Some("pantler.overlay".to_owned()),
        extra: Some("{\"recipe\": \"lossless\"}".to_owned()),
        ..DefinitionVersion::clone(&old)
    });
    let first = dataset(&old, visit_ccd(1, 1));
    let second = dataset(&new, visit_ccd(1, 2));
    let again = dataset(&old, visit_ccd(1, 3));
    for record in [&first, &second, &again] {
        insert(&*registry, std::slice::from_ref(record));
    }
    let found = find(&*registry, "calexp:sfm", id([("visit", 1.into())]));
    assert_eq!(found, [first.clone(), second, again]);
    // Both versions share the data IDs.
    let mut transaction = registry.begin().expect("a transaction begins");
    let taken = dataset(&new, first.data_id);
    super::assert_taken(transaction.insert(&[taken], &provenance()));
}

/// A type whose keys changed is found by the keys that a request has: under the old ones, the new ones, or both.
pub fn finds_under_old_and_new_keys(make: Make<'_>) {
    let registry = Fresh::new(make);
    let tract = [
        ("tract", KeyType::Int),
        ("visit", KeyType::Int),
        ("ccd", KeyType::Int),
    ];
    let old = dataset(&calexp(), visit_ccd(1, 1));
    let new = dataset(
        &definition("calexp:sfm", &tract),
        id([("tract", 9.into()), ("visit", 1.into()), ("ccd", 1.into())]),
    );
    insert(&*registry, std::slice::from_ref(&old));
    insert(&*registry, std::slice::from_ref(&new));
    let both = [old.clone(), new.clone()];
    assert_eq!(find(&*registry, "calexp:sfm", visit_ccd(1, 1)), both);
    assert_eq!(visited(&*registry, None, &id([("ccd", 1.into())])), both);
    assert_eq!(
        find(&*registry, "calexp:sfm", id([("tract", 9.into())])),
        [new]
    );
    let requests = [pantler_core::registry::FindRequest {
        limit: 1,
        ..request("calexp:sfm", id([("visit", 1.into())]))
    }];
    let found = registry.find_many(&requests).expect("it finds");
    assert_eq!(found, [vec![old]], "the limit is one for both together");
}

/// Keys in another order are the same keys: the data IDs are shared, and each record keeps its own definition's order.
pub fn tells_equal_keys_in_another_order_from_other_keys(make: Make<'_>) {
    let registry = Fresh::new(make);
    let turned = definition(
        "calexp:sfm",
        &[("ccd", KeyType::Int), ("visit", KeyType::Int)],
    );
    insert(&*registry, &[dataset(&calexp(), visit_ccd(1, 1))]);
    insert(&*registry, &[dataset(&turned, visit_ccd(2, 3))]);
    let found = find(&*registry, "calexp:sfm", DataId::default());
    assert_eq!(data_ids(&found), ["visit=1 ccd=1", "ccd=3 visit=2"]);
    let mut transaction = registry.begin().expect("a transaction begins");
    let taken = dataset(&turned, visit_ccd(1, 1));
    super::assert_taken(transaction.insert(&[taken], &provenance()));
}

/// Equal layouts come back equal, different ones different, across transactions.
pub fn keeps_layouts(make: Make<'_>) {
    let registry = Fresh::new(make);
    let calexp = calexp();
    let with_layout = |ccd: i64, layout: &[u8]| DatasetRecord {
        artifact: Some(ArtifactRecord {
            layout: Some(layout.into()),
            ..artifact(1)
        }),
        ..dataset(&calexp, visit_ccd(1, ccd))
    };
    let large: Vec<u8> = (0..100_000u32).map(|at| (at % 251) as u8).collect();
    let datasets = [
        with_layout(0, &large),
        with_layout(1, b"small"),
        with_layout(2, &large),
        with_layout(3, &large[1..]),
    ];
    insert(&*registry, &datasets[..2]);
    insert(&*registry, &datasets[2..]);
    assert_eq!(visited(&*registry, None, &DataId::default()), datasets);
}

/// The members of a composition come in the order in which they were recorded, with data IDs, parts and input-only marks,
/// whether or not the datasets are in this registry.
pub fn keeps_members_in_order(make: Make<'_>) {
    let registry = Fresh::new(make);
    let awkward = definition("awkward", &[("x", KeyType::Float), ("name", KeyType::Str)]);
    let elsewhere = dataset(
        &awkward,
        id([
            ("x", KeyValue::Float(0.1 + 0.2)),
            ("name", "it's \"é\"".into()),
        ]),
    );
    let base = dataset(&calexp(), visit_ccd(1, 1));
    let members = vec![
        member("wcs", &elsewhere),
        Member {
            part: vec!["psf".to_owned(), "kernel".to_owned()],
            input_only: true,
            ..member("psf", &base)
        },
        Member {
            input_only: true,
            ..member("calexp", &base)
        },
        member("a \"component\"", &elsewhere),
    ];
    let jointcal = definition("calexp:jointcal", &[("visit", KeyType::Int)]);
    let whole = composite(&jointcal, id([("visit", 1.into())]), members.clone());
    let written_whole = DatasetRecord {
        artifact: Some(artifact(5)),
        ..composite(&jointcal, id([("visit", 2.into())]), members)
    };
    let both = [whole, written_whole];
    insert(&*registry, &both);
    assert_eq!(find(&*registry, "calexp:jointcal", DataId::default()), both);
    for record in &both {
        assert_eq!(find_one(&*registry, record.id).as_ref(), Some(record));
    }
    assert_eq!(visited(&*registry, None, &DataId::default()), both);
}

/// Rule R31: who made a dataset, when and with what notes, is kept for each.
pub fn keeps_provenance(make: Make<'_>) {
    let registry = Fresh::new(make);
    let calexp = calexp();
    let first = [
        dataset(&calexp, visit_ccd(1, 1)),
        dataset(&calexp, visit_ccd(1, 2)),
    ];
    let second = [dataset(&calexp, visit_ccd(1, 3))];
    let later = Provenance {
        action: "ingest".to_owned(),
        time: "2026-11-23T08:00:00Z".to_owned(),
        notes: vec![
            ("run".to_owned(), "it's 5".to_owned()),
            ("run".to_owned(), String::new()),
        ],
        ..provenance()
    };
    let mut transaction = registry.begin().expect("a transaction begins");
    transaction
        .insert(&first, &provenance())
        .expect("these are new");
    transaction.insert(&second, &later).expect("it is new");
    transaction.commit().expect("it commits");
    let nobody = pantler_core::DatasetId::from_bytes([9; 16]);
    let wanted = [second[0].id, nobody, first[1].id, first[0].id];
    let found = registry.provenance(&wanted).expect("it finds");
    let expected = [Some(later), None, Some(provenance()), Some(provenance())];
    assert_eq!(found, expected);
    assert_eq!(registry.provenance(&[]).expect("it finds"), []);
}

/// The summary counts the current datasets of each type and their bytes, and gives the range of each key.
pub fn sums_up(make: Make<'_>) {
    let registry = Fresh::new(make);
    assert_eq!(registry.summary().expect("it sums up"), []);
    let calexp = calexp();
    let flat = definition("flat", &[("filter", KeyType::Str), ("mjd", KeyType::Float)]);
    let skymap = definition("skymap", &[]);
    let calexps =
        [(9, 2), (10, 1), (100, 3)].map(|(visit, ccd)| dataset(&calexp, visit_ccd(visit, ccd)));
    let flats = [("r", 51.5), ("g", 52.25)].map(|(filter, mjd)| {
        let data_id = id([("filter", filter.into()), ("mjd", KeyValue::Float(mjd))]);
        dataset(&flat, data_id)
    });
    let parts = composite(
        &skymap,
        DataId::default(),
        vec![member("calexp", &calexps[0])],
    );
    insert(&*registry, &calexps);
    insert(&*registry, &flats);
    insert(&*registry, &[parts]);
    let mut transaction = registry.begin().expect("a transaction begins");
    let aside = Location::parse(".pantler/superseded/1").expect("it is a path");
    transaction
        .supersede(calexps[2].id, &aside)
        .expect("it is there");
    transaction.remove(&[flats[1].id]).expect("it is there");
    transaction.commit().expect("it commits");

    let summary = |name: &str, count, bytes, keys| TypeSummary {
        dataset_type: type_name(name),
        count,
        bytes,
        keys,
    };
    let range = |key: &str, least: KeyValue, most: KeyValue| (key.to_owned(), least, most);
    let mjd = KeyValue::Float(51.5);
    let expected = [
        summary(
            "calexp:sfm",
            2,
            200,
            vec![
                range("visit", 9.into(), 10.into()),
                range("ccd", 1.into(), 2.into()),
            ],
        ),
        summary(
            "flat",
            1,
            100,
            vec![
                range("filter", "r".into(), "r".into()),
                range("mjd", mjd.clone(), mjd),
            ],
        ),
        summary("skymap", 1, 0, vec![]),
    ];
    assert_eq!(registry.summary().expect("it sums up"), expected);
}
