//! Changes: insert, supersede, relocate, remove, and what is refused.

use pantler_core::registry::{ArtifactRecord, State};
use pantler_core::{DataId, DatasetId, DatasetRecord, Digest, KeyType, Location, RegistryError};

use super::{
    Fresh, Make, artifact, assert_taken, calexp, composite, dataset, definition, find, find_one,
    id, ids, insert, member, provenance, visit_ccd, visited,
};

fn location(text: &str) -> Location {
    Location::parse(text).expect("it is a path")
}

/// A taken data ID or identity is refused by name; nothing of that call is inserted, and the transaction goes on.
pub fn refuses_duplicates_and_goes_on(make: Make<'_>) {
    let registry = Fresh::new(make);
    let calexp = calexp();
    let first = dataset(&calexp, visit_ccd(1, 1));
    insert(&*registry, std::slice::from_ref(&first));

    let mut transaction = registry.begin().expect("a transaction begins");
    let same_data_id = dataset(&calexp, visit_ccd(1, 1));
    let same_identity = DatasetRecord {
        id: first.id,
        ..dataset(&calexp, visit_ccd(1, 5))
    };
    let as_text = dataset(&calexp, id([("visit", "01".into()), ("ccd", 1.into())]));
    for taken in [same_data_id, same_identity, as_text] {
        let new = dataset(&calexp, visit_ccd(1, 2));
        let wanted = taken.data_id.clone();
        match transaction.insert(&[new, taken], &provenance()) {
            Err(RegistryError::AlreadyExists {
                dataset_type,
                data_id,
            }) => {
                assert_eq!(dataset_type.as_str(), "calexp:sfm");
                assert_eq!(data_id, wanted);
            }
            other => panic!("expected that it exists already, got {other:?}"),
        }
    }
    let new = dataset(&calexp, visit_ccd(1, 3));
    assert_taken(transaction.insert(&[new.clone(), new.clone()], &provenance()));
    transaction
        .insert(std::slice::from_ref(&new), &provenance())
        .expect("the transaction goes on");
    transaction.commit().expect("it commits");
    assert_eq!(visited(&*registry, None, &DataId::default()), [first, new]);
}

/// A data ID must have exactly the keys of its definition, each with a value of the key's type.
pub fn refuses_data_ids_that_do_not_fit(make: Make<'_>) {
    let registry = Fresh::new(make);
    let twice = definition("twice", &[("visit", KeyType::Int), ("visit", KeyType::Int)]);
    let mut transaction = registry.begin().expect("a transaction begins");
    for unfit in [
        dataset(&calexp(), id([("visit", 1.into())])),
        dataset(&calexp(), visit_ccd(1, 1).with("tract", 1.into())),
        dataset(&calexp(), id([("visit", 1.into()), ("tract", 1.into())])),
        dataset(&calexp(), id([("visit", "one".into()), ("ccd", 1.into())])),
        dataset(&twice, id([("visit", 1.into())])),
    ] {
        let data_id = unfit.data_id.clone();
        match transaction.insert(&[unfit], &provenance()) {
            Err(RegistryError::KeysDiffer { .. }) => {}
            other => panic!("expected that {data_id} does not fit, got {other:?}"),
        }
    }
    transaction.commit().expect("it commits");
    assert_eq!(visited(&*registry, None, &DataId::default()), []);
}

/// Rule R26: a superseded dataset is found by identity where it lies now, and no more by data ID, which is free again.
pub fn r26_supersedes(make: Make<'_>) {
    let registry = Fresh::new(make);
    let calexp = calexp();
    let old = dataset(&calexp, visit_ccd(1, 1));
    let newer = dataset(&calexp, visit_ccd(1, 1));
    let newest = dataset(&calexp, visit_ccd(1, 1));
    insert(&*registry, std::slice::from_ref(&old));
    for (was, becomes) in [(&old, &newer), (&newer, &newest)] {
        let mut transaction = registry.begin().expect("a transaction begins");
        let aside = location(&format!(".pantler/superseded/{}", was.id));
        transaction.supersede(was.id, &aside).expect("it is there");
        transaction
            .insert(std::slice::from_ref(becomes), &provenance())
            .expect("the data ID is free");
        transaction.commit().expect("it commits");
        let found = find(&*registry, "calexp:sfm", visit_ccd(1, 1));
        assert_eq!(found, std::slice::from_ref(becomes));
        let superseded = find_one(&*registry, was.id).expect("it is kept");
        assert_eq!(superseded.state, State::Superseded);
        assert_eq!(superseded.data_id, was.data_id);
        let artifact = superseded.artifact.expect("it has one");
        assert_eq!(artifact.location, Some(aside));
    }
    let current = visited(&*registry, None, &DataId::default());
    assert_eq!(ids(&current), [newest.id]);
    // To remove the superseded one does not free the data ID of its successor.
    let mut transaction = registry.begin().expect("a transaction begins");
    transaction.remove(&[old.id]).expect("it is there");
    transaction.commit().expect("it commits");
    assert_eq!(find(&*registry, "calexp:sfm", visit_ccd(1, 1)), [newest]);
    assert_eq!(find_one(&*registry, old.id), None);

    // A composite kept in parts has no artifact that could lie anywhere.
    let jointcal = definition("calexp:jointcal", &[("visit", KeyType::Int)]);
    let whole = composite(
        &jointcal,
        id([("visit", 1.into())]),
        vec![member("wcs", &newer)],
    );
    insert(&*registry, std::slice::from_ref(&whole));
    let mut transaction = registry.begin().expect("a transaction begins");
    transaction
        .supersede(whole.id, &location("x"))
        .expect("it is there");
    transaction.commit().expect("it commits");
    let superseded = find_one(&*registry, whole.id).expect("it is kept");
    let expected = DatasetRecord {
        state: State::Superseded,
        ..whole
    };
    assert_eq!(superseded, expected);
}

/// Rule R35: a dataset can come as a superseded one, beside the one that its data ID means, before or after it.
pub fn r35_takes_superseded_datasets(make: Make<'_>) {
    let registry = Fresh::new(make);
    let calexp = calexp();
    let current = dataset(&calexp, visit_ccd(1, 1));
    let superseded = |number: u8| {
        let mut record = dataset(&calexp, visit_ccd(1, 1));
        record.state = State::Superseded;
        if let Some(artifact) = &mut record.artifact {
            artifact.location = Some(location(&format!("aside/{number}")));
        }
        record
    };
    let (before, after) = (superseded(1), superseded(2));
    insert(
        &*registry,
        &[before.clone(), current.clone(), after.clone()],
    );
    assert_eq!(
        find(&*registry, "calexp:sfm", visit_ccd(1, 1)),
        std::slice::from_ref(&current)
    );
    for old in [before, after] {
        assert_eq!(find_one(&*registry, old.id), Some(old.clone()));
        // The identity is taken by it.
        let mut transaction = registry.begin().expect("a transaction begins");
        let again = transaction.insert(std::slice::from_ref(&old), &provenance());
        assert!(matches!(again, Err(RegistryError::AlreadyExists { .. })));
        transaction.remove(&[old.id]).expect("it is there");
        transaction.commit().expect("it commits");
        assert_eq!(find_one(&*registry, old.id), None);
    }
    let left = visited(&*registry, None, &DataId::default());
    assert_eq!(ids(&left), [current.id]);
}

/// An artifact's place can change, to an explicit one and back to where the template says.
pub fn relocates(make: Make<'_>) {
    let registry = Fresh::new(make);
    let record = dataset(&calexp(), visit_ccd(1, 1));
    insert(&*registry, std::slice::from_ref(&record));
    for place in [
        Some(location("b/1.fits")),
        Some(location("/a/1.fits")),
        None,
    ] {
        let mut transaction = registry.begin().expect("a transaction begins");
        transaction
            .relocate(record.id, place.as_ref())
            .expect("it is there");
        transaction.commit().expect("it commits");
        let expected = DatasetRecord {
            artifact: Some(ArtifactRecord {
                location: place,
                ..artifact(100)
            }),
            ..record.clone()
        };
        assert_eq!(find(&*registry, "calexp:sfm", visit_ccd(1, 1)), [expected]);
    }
}

/// Rule R30: a digest that is learnt later is kept, and nothing else of the record changes.
pub fn r30_records_digests_later(make: Make<'_>) {
    let registry = Fresh::new(make);
    let mut record = dataset(&calexp(), visit_ccd(1, 1));
    record.artifact = Some(ArtifactRecord {
        modified: Some(1_700_000_000_000_000_000),
        ..artifact(100)
    });
    insert(&*registry, std::slice::from_ref(&record));
    let digest = Digest::of(b"what it holds");
    let mut transaction = registry.begin().expect("a transaction begins");
    transaction
        .set_digest(record.id, digest)
        .expect("it is there");
    transaction.commit().expect("it commits");
    if let Some(artifact) = &mut record.artifact {
        artifact.digest = Some(digest);
    }
    assert_eq!(find_one(&*registry, record.id), Some(record));
}

/// Where an artifact's parts lie can be recorded anew; others with the same layout keep theirs.
pub fn records_layouts_anew(make: Make<'_>) {
    let registry = Fresh::new(make);
    let layout = |text: &str| -> std::sync::Arc<[u8]> { text.as_bytes().into() };
    let mut both = [1, 2].map(|ccd| {
        let mut record = dataset(&calexp(), visit_ccd(1, ccd));
        record.artifact = Some(ArtifactRecord {
            layout: Some(layout("as it was")),
            ..artifact(100)
        });
        record
    });
    insert(&*registry, &both);
    let mut transaction = registry.begin().expect("a transaction begins");
    let anew = layout("as it is");
    transaction
        .set_layout(both[0].id, &anew)
        .expect("it is there");
    assert!(matches!(
        transaction.set_layout(DatasetId::from_bytes([3; 16]), &anew),
        Err(pantler_core::RegistryError::NoSuchDataset { .. })
    ));
    transaction.commit().expect("it commits");
    if let Some(artifact) = &mut both[0].artifact {
        artifact.layout = Some(anew);
    }
    for record in both {
        assert_eq!(find_one(&*registry, record.id), Some(record));
    }
}

/// To change what is not there is an error that names it, and changes nothing.
pub fn changes_nothing_of_what_is_not_there(make: Make<'_>) {
    let registry = Fresh::new(make);
    let record = dataset(&calexp(), visit_ccd(1, 1));
    insert(&*registry, std::slice::from_ref(&record));
    let nobody = DatasetId::from_bytes([3; 16]);
    let mut transaction = registry.begin().expect("a transaction begins");
    let place = location("a");
    let results = [
        transaction.supersede(nobody, &place),
        transaction.relocate(nobody, Some(&place)),
        transaction.set_digest(nobody, Digest::of(b"")),
        transaction.remove(&[record.id, nobody]),
    ];
    for result in results {
        match result {
            Err(RegistryError::NoSuchDataset { id }) => assert_eq!(id, nobody),
            other => panic!("expected that it is not there, got {other:?}"),
        }
    }
    transaction.commit().expect("it commits");
    assert_eq!(find_one(&*registry, record.id), Some(record));
}

/// Rule R26: what is removed is found no more, with the composition recorded for it; compositions that it was a member of
/// stay as they were.
pub fn r26_removes_and_leaves_compositions(make: Make<'_>) {
    let registry = Fresh::new(make);
    let calexp = calexp();
    let jointcal = definition("calexp:jointcal", &[("visit", KeyType::Int)]);
    let parts = [
        dataset(&calexp, visit_ccd(1, 1)),
        dataset(&calexp, visit_ccd(1, 2)),
    ];
    let members = vec![member("a", &parts[0]), member("b", &parts[1])];
    let gone = composite(&jointcal, id([("visit", 1.into())]), members.clone());
    let kept = composite(&jointcal, id([("visit", 2.into())]), members);
    insert(&*registry, &parts);
    insert(&*registry, &[gone.clone(), kept.clone()]);
    let mut transaction = registry.begin().expect("a transaction begins");
    transaction
        .remove(&[parts[0].id, gone.id, parts[0].id])
        .expect("they are there");
    transaction.commit().expect("it commits");
    assert_eq!(find_one(&*registry, parts[0].id), None);
    assert_eq!(find_one(&*registry, gone.id), None);
    assert_eq!(find(&*registry, "calexp:sfm", visit_ccd(1, 1)), []);
    assert_eq!(find_one(&*registry, kept.id), Some(kept.clone()));
    let users = registry
        .find_users(&[parts[0].id, parts[1].id])
        .expect("it finds");
    assert_eq!(users, [vec![kept.clone()], vec![kept]]);
    // The data ID is free, and a new composition does not inherit the old one's members.
    let again = composite(
        &jointcal,
        id([("visit", 1.into())]),
        vec![member("b", &parts[1])],
    );
    insert(&*registry, std::slice::from_ref(&again));
    assert_eq!(find_one(&*registry, again.id), Some(again));
}

/// Rule R26: the users of a dataset are the composites recorded with it, each once however often it uses it, superseded
/// ones included.
pub fn r26_finds_users(make: Make<'_>) {
    let registry = Fresh::new(make);
    let calexp = calexp();
    let jointcal = definition("calexp:jointcal", &[("visit", KeyType::Int)]);
    let part = dataset(&calexp, visit_ccd(1, 1));
    let unused = dataset(&calexp, visit_ccd(1, 2));
    let first = composite(
        &jointcal,
        id([("visit", 2.into())]),
        vec![member("wcs", &part), member("psf", &part)],
    );
    let second = composite(
        &jointcal,
        id([("visit", 1.into())]),
        vec![member("wcs", &part)],
    );
    insert(&*registry, &[part.clone(), unused.clone()]);
    insert(&*registry, &[first.clone(), second.clone()]);
    let nobody = DatasetId::from_bytes([3; 16]);
    let wanted = [unused.id, part.id, nobody, part.id];
    let users = registry.find_users(&wanted).expect("it finds");
    let both = vec![first.clone(), second.clone()];
    assert_eq!(users, [vec![], both.clone(), vec![], both]);

    let mut transaction = registry.begin().expect("a transaction begins");
    transaction
        .supersede(first.id, &location("x"))
        .expect("it is there");
    transaction.commit().expect("it commits");
    let users = registry.find_users(&[part.id]).expect("it finds");
    assert_eq!(ids(&users[0]), [first.id, second.id]);
    assert_eq!(users[0][0].state, State::Superseded);
}
