//! Transactions, and several users of one registry at a time.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use pantler_core::{DataId, KeyType, Location};

use super::{
    Fresh, Make, calexp, composite, dataset, definition, find, find_one, id, ids, insert, member,
    provenance, request, visit_ccd, visited,
};

/// A transaction finds what it has inserted, superseded and removed so far.
pub fn sees_its_own_changes(make: Make<'_>) {
    let registry = Fresh::new(make);
    let calexp = calexp();
    let jointcal = definition("calexp:jointcal", &[("visit", KeyType::Int)]);
    let before = dataset(&calexp, visit_ccd(1, 0));
    insert(&*registry, std::slice::from_ref(&before));
    let added = dataset(&calexp, visit_ccd(1, 1));
    let user = composite(
        &jointcal,
        id([("visit", 1.into())]),
        vec![member("wcs", &added)],
    );

    let mut transaction = registry.begin().expect("a transaction begins");
    let new = [added.clone(), user.clone()];
    transaction
        .insert(&new, &provenance())
        .expect("these are new");
    let requests = [
        request("calexp:sfm", DataId::default()),
        request("calexp:jointcal", DataId::default()),
    ];
    let found = transaction.find_many(&requests).expect("it finds");
    assert_eq!(
        found,
        [vec![before.clone(), added.clone()], vec![user.clone()]]
    );
    let found = transaction.find_ids(&[added.id]).expect("it finds");
    assert_eq!(found, [Some(added.clone())]);
    let users = transaction.find_users(&[added.id]).expect("it finds");
    assert_eq!(users, [vec![user.clone()]]);

    let aside = Location::parse("aside").expect("it is a path");
    transaction
        .supersede(before.id, &aside)
        .expect("it is there");
    transaction.remove(&[user.id]).expect("it is there");
    let found = transaction.find_many(&requests).expect("it finds");
    assert_eq!(found, [vec![added.clone()], vec![]]);
    let users = transaction.find_users(&[added.id]).expect("it finds");
    assert_eq!(users, [vec![]]);
    transaction.commit().expect("it commits");
    assert_eq!(find(&*registry, "calexp:sfm", DataId::default()), [added]);
}

/// A transaction that is dropped leaves nothing behind, and does not stand in the next one's way.
pub fn rolls_back_when_dropped(make: Make<'_>) {
    let registry = Fresh::new(make);
    let calexp = calexp();
    let kept = dataset(&calexp, visit_ccd(1, 0));
    insert(&*registry, std::slice::from_ref(&kept));
    let mut transaction = registry.begin().expect("a transaction begins");
    let new = dataset(&calexp, visit_ccd(1, 1));
    transaction
        .insert(std::slice::from_ref(&new), &provenance())
        .expect("it is new");
    transaction.remove(&[kept.id]).expect("it is there");
    drop(transaction);
    assert_eq!(visited(&*registry, None, &DataId::default()), [kept]);
    assert_eq!(find_one(&*registry, new.id), None);
    insert(&*registry, &[new]);
}

/// Until the commit everybody else sees the state before; after it, all of the new one.
pub fn hides_what_is_not_committed(make: Make<'_>) {
    let registry = Fresh::new(make);
    let calexp = calexp();
    let old = dataset(&calexp, visit_ccd(1, 0));
    insert(&*registry, std::slice::from_ref(&old));
    let new = dataset(&calexp, visit_ccd(1, 0));
    let src = dataset(
        &definition("src", &[("visit", KeyType::Int)]),
        id([("visit", 1.into())]),
    );
    let mut transaction = registry.begin().expect("a transaction begins");
    let aside = Location::parse("aside").expect("it is a path");
    transaction.supersede(old.id, &aside).expect("it is there");
    let both = [new.clone(), src.clone()];
    transaction
        .insert(&both, &provenance())
        .expect("these are new");
    // In another thread, because a reader need not be the one who writes.
    std::thread::scope(|scope| {
        scope.spawn(|| {
            assert_eq!(
                find(&*registry, "calexp:sfm", visit_ccd(1, 0)),
                std::slice::from_ref(&old)
            );
            assert_eq!(find(&*registry, "src", DataId::default()), []);
            assert_eq!(find_one(&*registry, new.id), None);
            assert_eq!(
                visited(&*registry, None, &DataId::default()),
                std::slice::from_ref(&old)
            );
            assert_eq!(registry.summary().expect("it sums up").len(), 1);
        });
    });
    transaction.commit().expect("it commits");
    let now = visited(&*registry, None, &DataId::default());
    assert_eq!(now, [new, src]);
}

/// Types that were first used in a transaction that was undone leave nothing that could be mistaken for the types that
/// come after them.
pub fn keeps_types_of_rolled_back_transactions_apart(make: Make<'_>) {
    let registry = Fresh::new(make);
    let undone = definition("undone", &[("filter", KeyType::Str)]);
    let mut transaction = registry.begin().expect("a transaction begins");
    let lost = dataset(&undone, id([("filter", "r".into())]));
    transaction
        .insert(&[lost], &provenance())
        .expect("it is new");
    drop(transaction);
    let mut transaction = registry.begin().expect("a transaction begins");
    let unfit = [
        dataset(&undone, id([("filter", "r".into())])),
        dataset(&undone, id([("filter", "r".into())])),
    ];
    super::assert_taken(transaction.insert(&unfit, &provenance()));
    let done = dataset(&calexp(), visit_ccd(1, 1));
    transaction
        .insert(std::slice::from_ref(&done), &provenance())
        .expect("it is new");
    transaction.commit().expect("it commits");
    assert_eq!(visited(&*registry, None, &DataId::default()), [done]);
    assert_eq!(find(&*registry, "undone", DataId::default()), []);
    let late = dataset(&undone, id([("filter", "r".into())]));
    insert(&*registry, std::slice::from_ref(&late));
    assert_eq!(find(&*registry, "undone", DataId::default()), [late]);
}

/// A second transaction begins when the first has ended, and sees what it did.
pub fn serialises_transactions(make: Make<'_>) {
    let registry = Fresh::new(make);
    let calexp = calexp();
    let first_is_over = AtomicBool::new(false);
    let (begun, has_begun) = mpsc::channel();
    let first = registry.begin().expect("a transaction begins");
    std::thread::scope(|scope| {
        let second = scope.spawn(|| {
            begun.send(()).expect("the other thread waits for it");
            let mut transaction = registry.begin().expect("a transaction begins");
            assert!(first_is_over.load(Ordering::SeqCst), "it began too early");
            let requests = [request("calexp:sfm", DataId::default())];
            let found = transaction.find_many(&requests).expect("it finds");
            assert_eq!(found[0].len(), 1, "it sees what the first has committed");
            let next = dataset(&calexp, visit_ccd(1, 1));
            transaction
                .insert(&[next], &provenance())
                .expect("it is new");
            transaction.commit().expect("it commits");
        });
        has_begun.recv().expect("the other thread is there");
        let mut first = first;
        let record = dataset(&calexp, visit_ccd(1, 0));
        first.insert(&[record], &provenance()).expect("it is new");
        first_is_over.store(true, Ordering::SeqCst);
        first.commit().expect("it commits");
        second.join().expect("the second transaction is done too");
    });
    assert_eq!(visited(&*registry, None, &DataId::default()).len(), 2);
}

/// A visitor can search in the registry that it visits, and so can other threads.
pub fn reads_while_visiting(make: Make<'_>) {
    let registry = Fresh::new(make);
    let calexp = calexp();
    let datasets: Vec<_> = (0..20)
        .map(|ccd| dataset(&calexp, visit_ccd(1, ccd)))
        .collect();
    insert(&*registry, &datasets);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut seen = Vec::new();
                let each = &mut |record: pantler_core::DatasetRecord| {
                    let again = find(&*registry, "calexp:sfm", record.data_id.clone());
                    assert_eq!(again, std::slice::from_ref(&record));
                    seen.push(record);
                    ControlFlow::Continue(())
                };
                registry
                    .visit(None, &DataId::default(), each)
                    .expect("it visits");
                assert_eq!(ids(&seen), ids(&datasets));
            });
        }
    });
}
