//! Many puts and links that become durable and visible together (rules R28, R29), and how each is judged over those before it.

use std::sync::Arc;

use pantler::core::{Registry, RegistryError, Store};
use pantler::registry::{Fault as RegistryFault, FaultyRegistry, MemoryRegistry};
use pantler::store::{AfterCrash, Fault, FaultyStore, ForgetfulStore, Operation, RecordingStore};
use pantler::{
    Batch, Butler, DataId, Error, ObjectRef, OnConflict, Parameters, PutOptions, PutResult,
};

use super::faults::Hooked;
use super::support::*;

/// A second composite, which takes its coordinates from the same artifacts as the first.
const OTHER: &str = r#"
  other_calib:
    template: "other/%(tract)04d/calib-%(visit)07d-%(ccd)03d.fits"
    python: lsst.afw.image.Calib
    storage: FitsStorage
  calexp:other:
    python: lsst.afw.image.ExposureF
    composite:
      calexp: {datasetType: "calexp:sfm", inputOnly: true}
      wcs:    {datasetType: jointcal_wcs}
      calib:  {datasetType: other_calib}
  wcs_again:
    template: "jointcal/%(tract)04d/wcs-%(visit)d-%(ccd)03d.fits"
    python: lsst.afw.image.Wcs
    storage: FitsStorage
"#;

fn pair() -> Pair {
    Pair {
        joint: Place::new("jointcal", &format!("{JOINTCAL}{}", &OTHER[1..])),
        ..Pair::new()
    }
}

fn tract(number: i64) -> String {
    format!("visit=903334 ccd=16 tract={number}")
}

/// The exposure of single_visit with the coordinates of a tract, and a calibration.
fn composite(single: &Place, right_ascension: f64, flux: f64) -> ObjectRef {
    get(&butler(&[single], 0), "calexp:sfm", "visit=903334 ccd=16")
        .with_component("wcs", &wcs(right_ascension))
        .unwrap()
        .with_component("calib", &calib(flux))
        .unwrap()
}

fn add(batch: &mut Batch, object: &ObjectRef, name: &str, data_id: &str) -> PutResult {
    batch
        .put(object, name, &id(data_id), &PutOptions::default())
        .unwrap_or_else(|error| panic!("{}", error.report()))
}

fn commit(batch: Batch) -> Vec<PutResult> {
    let committed = batch.commit();
    committed.unwrap_or_else(|error| panic!("{}", error.report()))
}

fn is_clean(butler: &Butler) {
    let options = pantler::fsck::FsckOptions {
        deep: true,
        repair: false,
    };
    let report = butler.fsck(options).unwrap();
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.leftover, [""; 0].map(str::to_owned).to_vec());
}

#[test]
fn r29_a_batch_is_seen_when_it_is_committed_and_not_before() {
    let pair = pair();
    let butler = pair.butler();
    let mut batch = butler.batch();
    assert!(batch.is_empty());
    for number in 0..3 {
        let object = composite(&pair.single, 150.0 + number as f64, 1e12);
        let result = add(&mut batch, &object, "calexp:jointcal", &tract(number));
        assert_eq!(result.written.len(), 2);
        assert!(result.recorded);
        assert_eq!(result.input_only, ["calexp"]);
    }
    assert_eq!(batch.len(), 3);
    // The batch sees it, nobody else.
    let seen = batch.get("calexp:jointcal", &id(&tract(2)), &Parameters::default());
    assert_eq!(right_ascension(&seen.unwrap()), 152.0);
    for name in ["calexp:jointcal", "jointcal_wcs", "jointcal_calib"] {
        assert!(try_get(&butler, name, &tract(2)).is_err(), "{name}");
        assert!(try_get(&pair.butler(), name, &tract(2)).is_err(), "{name}");
    }
    assert_eq!(pair.joint.artifacts(), [""; 0]);
    assert_eq!(pair.joint.own_files(".pantler/staging").len(), 6);
    let results = commit(batch);
    assert_eq!(results.len(), 3);
    for (number, result) in results.iter().enumerate() {
        let object = get(&butler, "calexp:jointcal", &tract(number as i64));
        assert_eq!(right_ascension(&object), 150.0 + number as f64);
        assert_eq!(
            object.origin().map(|origin| origin.dataset),
            Some(result.id)
        );
    }
    assert_eq!(pair.joint.artifacts().len(), 6);
    assert_eq!(pair.joint.own_files(".pantler/staging"), [""; 0]);
    is_clean(&butler);
}

#[test]
fn a_batch_that_is_dropped_was_never_there() {
    let pair = pair();
    let place = Place::new("empty", "datasets: {}\n");
    // Neither is the other's parent, so that a definition has to come along.
    let onto = butler(&[&place, &pair.joint, &pair.single], 2);
    let mut batch = onto.batch();
    add(&mut batch, &wcs(151.0), "jointcal_wcs", &tract(0));
    assert_eq!(place.own_files(".pantler/staging").len(), 1);
    drop(batch);
    assert_eq!(place.artifacts(), [""; 0]);
    assert_eq!(place.own_files(".pantler"), [""; 0], "no definition either");
    // The definition comes with a batch that is committed (rule R7).
    let mut batch = onto.batch();
    add(&mut batch, &wcs(151.0), "jointcal_wcs", &tract(0));
    add(&mut batch, &wcs(152.0), "jointcal_wcs", &tract(1));
    commit(batch);
    let alone = butler(&[&place], 0);
    assert_eq!(
        right_ascension(&get(&alone, "jointcal_wcs", &tract(1))),
        152.0
    );
}

#[test]
fn the_same_dataset_twice_is_there_once_and_another_content_is_refused() {
    let pair = pair();
    let butler = pair.butler();
    let mut batch = butler.batch();
    let first = add(&mut batch, &wcs(151.0), "jointcal_wcs", &tract(0));
    assert_eq!(first.written, ["jointcal/0000/wcs-0903334-016.fits"]);
    let again = add(&mut batch, &wcs(151.0), "jointcal_wcs", &tract(0));
    assert_eq!((again.written.len(), again.unchanged.len()), (0, 1));
    assert_eq!(again.id, first.id);
    for on_conflict in [OnConflict::Refuse, OnConflict::Replace] {
        let options = PutOptions {
            on_conflict,
            ..Default::default()
        };
        let refused = batch.put(&wcs(161.0), "jointcal_wcs", &id(&tract(0)), &options);
        let Err(error) = refused else {
            panic!("{on_conflict:?} was not refused")
        };
        assert!(matches!(error, Error::InBatch { .. }), "{error:?}");
        let said = error.report().to_string();
        assert!(said.contains("earlier in this batch"), "{said}");
        assert!(said.contains("commit it"), "{said}");
    }
    // What was refused changes nothing, and the batch goes on.
    add(&mut batch, &calib(1e12), "jointcal_calib", &tract(0));
    assert_eq!(commit(batch).len(), 3);
    assert_eq!(
        right_ascension(&get(&butler, "jointcal_wcs", &tract(0))),
        151.0
    );
    is_clean(&butler);
}

#[test]
fn two_composites_of_a_batch_share_a_component() {
    let pair = pair();
    let butler = pair.butler();
    let mut batch = butler.batch();
    let one = composite(&pair.single, 151.0, 1e12);
    let other = composite(&pair.single, 151.0, 2e12);
    let first = add(&mut batch, &one, "calexp:jointcal", &tract(0));
    let second = add(&mut batch, &other, "calexp:other", &tract(0));
    assert_eq!(first.written.len(), 2);
    assert_eq!(second.written, ["other/0000/calib-0903334-016.fits"]);
    assert_eq!(second.unchanged, ["wcs"]);
    // With other coordinates it would change what the first one is made of.
    let moved = composite(&pair.single, 161.0, 2e12);
    let refused = batch.put(
        &moved,
        "calexp:other",
        &id(&tract(0)),
        &PutOptions::default(),
    );
    assert!(matches!(refused, Err(Error::InBatch { .. })), "{refused:?}");
    commit(batch);
    for name in ["calexp:jointcal", "calexp:other"] {
        assert_eq!(right_ascension(&get(&butler, name, &tract(0))), 151.0);
    }
    is_clean(&butler);
}

#[test]
fn a_link_of_a_batch_takes_parts_of_the_batch() {
    let pair = pair();
    let butler = pair.butler();
    let mut batch = butler.batch();
    for number in 0..2 {
        add(&mut batch, &wcs(150.0), "jointcal_wcs", &tract(number));
        add(&mut batch, &calib(1e12), "jointcal_calib", &tract(number));
        let linked = batch.link("calexp:jointcal", &id(&tract(number)), &Default::default());
        assert!(linked.unwrap().recorded);
    }
    // A part may have been there before; the tract is completed from what the batch has.
    let lacking = batch.link("calexp:other", &id(&tract(0)), &Default::default());
    assert!(
        matches!(lacking, Err(Error::NotFound { .. })),
        "{lacking:?}"
    );
    let several = batch.link(
        "calexp:jointcal",
        &id("visit=903334 ccd=16"),
        &Default::default(),
    );
    assert!(
        matches!(several, Err(Error::AmbiguousKey { .. })),
        "{several:?}"
    );
    let results = commit(batch);
    let plan = butler
        .explain("calexp:jointcal", &id(&tract(1)), Default::default())
        .unwrap();
    assert_eq!(plan.root.id(), Some(results[5].id));
    assert_eq!(
        right_ascension(&get(&butler, "calexp:jointcal", &tract(1))),
        150.0
    );
    is_clean(&butler);
}

#[test]
fn r26_a_batch_replaces_what_was_there_before_it() {
    let pair = pair();
    let butler = pair.butler();
    for number in 0..3 {
        let old = composite(&pair.single, 151.0, 1e12);
        put(&butler, &old, "calexp:jointcal", &tract(number));
    }
    let options = PutOptions {
        on_conflict: OnConflict::Replace,
        ..Default::default()
    };
    let counted = Counted::over(&pair.joint);
    let replacing = super::support::butler(&[&counted.place, &pair.single], 1);
    let before = counted.registry.counts();
    let mut batch = replacing.batch();
    for number in 0..3 {
        // A composite with what it is made of, then coordinates alone, which another record keeps.
        if number == 2 {
            let put = batch.put(&wcs(171.0), "jointcal_wcs", &id(&tract(2)), &options);
            assert_eq!(put.unwrap().written.len(), 1);
            continue;
        }
        let new = composite(&pair.single, 161.0, 2e12);
        let put = batch.put(&new, "calexp:jointcal", &id(&tract(number)), &options);
        assert_eq!(put.unwrap().written.len(), 2);
    }
    // The old ones are seen until the commit, by everybody else.
    assert_eq!(
        right_ascension(&get(&butler, "jointcal_wcs", &tract(0))),
        151.0
    );
    let own = batch.get("jointcal_wcs", &id(&tract(0)), &Parameters::default());
    assert_eq!(right_ascension(&own.unwrap()), 161.0);
    commit(batch);
    let transactions = counted.registry.counts().commits - before.commits;
    assert_eq!(transactions, 3, "the batch, the moving, the dropping");
    for (number, wanted, recorded) in [(0, 161.0, 161.0), (1, 161.0, 161.0), (2, 171.0, 151.0)] {
        assert_eq!(
            right_ascension(&get(&butler, "jointcal_wcs", &tract(number))),
            wanted
        );
        let whole = get(&butler, "calexp:jointcal", &tract(number));
        assert_eq!(right_ascension(&whole), recorded);
    }
    assert_eq!(pair.joint.artifacts().len(), 6);
    assert_eq!(pair.joint.own_files(".pantler/staging"), [""; 0]);
    assert_eq!(pair.joint.own_files(".pantler/superseded").len(), 1);
    is_clean(&butler);
}

#[test]
fn r8_two_types_of_a_batch_do_not_take_one_path() {
    let pair = pair();
    let mut batch = pair.butler().batch();
    let data_id = "visit=1903334 ccd=16 tract=0";
    add(&mut batch, &wcs(151.0), "jointcal_wcs", data_id);
    let refused = batch.put(
        &wcs(161.0),
        "wcs_again",
        &id(data_id),
        &PutOptions::default(),
    );
    let said = said(refused);
    assert!(
        said.contains("wcs-1903334-016.fits") && said.contains("jointcal_wcs"),
        "{said}"
    );
    commit(batch);
    assert_eq!(pair.joint.artifacts().len(), 1);
}

#[test]
fn r31_each_put_keeps_its_own_notes() {
    let pair = pair();
    let butler = pair.butler();
    let mut batch = butler.batch();
    let noted = |number: i64| PutOptions {
        notes: vec![("night".to_owned(), number.to_string())],
        ..Default::default()
    };
    for number in [0, 1, 0] {
        let name = ["jointcal_wcs", "jointcal_calib"][usize::from(batch.len() == 2)];
        let object = if name == "jointcal_wcs" {
            wcs(151.0)
        } else {
            calib(1e12)
        };
        let put = batch.put(&object, name, &id(&tract(number)), &noted(number));
        put.unwrap();
    }
    batch
        .link("calexp:jointcal", &id(&tract(0)), &noted(7))
        .unwrap();
    let ids: Vec<_> = commit(batch).iter().map(|result| result.id).collect();
    let made = pair.joint.registry.provenance(&ids).unwrap();
    let made: Vec<(String, String)> = made
        .into_iter()
        .map(|made| {
            let made = made.unwrap();
            assert_eq!(
                (made.user.as_str(), made.host.as_str()),
                ("ada", "observatory")
            );
            (made.action, made.notes[0].1.clone())
        })
        .collect();
    let expected = [("put", "0"), ("put", "1"), ("put", "0"), ("link", "7")];
    let expected = expected.map(|(action, note)| (action.to_owned(), note.to_owned()));
    assert_eq!(made, expected);
}

#[test]
fn what_others_do_meanwhile_is_judged_again() {
    let pair = pair();
    let butler = pair.butler();
    let mut batch = butler.batch();
    add(&mut batch, &wcs(151.0), "jointcal_wcs", &tract(0));
    add(&mut batch, &wcs(152.0), "jointcal_wcs", &tract(1));
    put(&pair.butler(), &wcs(161.0), "jointcal_wcs", &tract(1));
    let failed = batch.commit();
    assert!(matches!(failed, Err(Error::Raced { .. })), "{failed:?}");
    assert!(try_get(&butler, "jointcal_wcs", &tract(0)).is_err());
    assert_eq!(
        right_ascension(&get(&butler, "jointcal_wcs", &tract(1))),
        161.0
    );
    is_clean(&butler);
}

/// One transaction, one synchronisation of each file and one of each final path, however many puts.
#[test]
fn r29_a_batch_costs_one_transaction_and_each_file_once() {
    let pair = pair();
    let counted = Counted::over(&pair.joint);
    let recording = Arc::new(RecordingStore::new(counted.place.store.clone()));
    let place = Place {
        store: recording.clone(),
        ..counted.place.clone()
    };
    let butler = butler(&[&place, &pair.single], 1);
    let mut batch = butler.batch();
    for number in 0..50 {
        let object = composite(&pair.single, 150.0, 1e12 + number as f64);
        add(&mut batch, &object, "calexp:jointcal", &tract(number));
    }
    let staging = counted.registry.counts();
    assert_eq!(
        (staging.begins, staging.commits, staging.changes),
        (0, 0, 0)
    );
    assert_eq!(counted.store.counts().calls.sync, 0);
    recording.take();
    commit(batch);
    let counts = counted.registry.counts();
    assert_eq!((counts.begins, counts.commits, counts.changes), (1, 1, 1));
    assert_eq!(
        counts.reads - staging.reads,
        1,
        "judged again by one question"
    );
    let calls = counted.store.counts().calls;
    assert_eq!(
        (calls.stage, calls.sync, calls.link, calls.delete),
        (100, 2, 1, 1)
    );
    let synced = recording
        .operations()
        .into_iter()
        .filter_map(|operation| match operation {
            Operation::Sync(paths) => Some(paths),
            _ => None,
        });
    for paths in synced {
        let mut once = paths.clone();
        once.sort();
        once.dedup();
        assert_eq!((paths.len(), once.len()), (100, 100));
    }
}

/// The order that makes a batch durable: all content, then all names, then the registry once.
#[test]
fn r29_all_of_a_batch_is_durable_before_the_registry_says_so() {
    let single = Pair::new().single;
    let (store, registry) = prepared();
    let recording = Arc::new(RecordingStore::new(store));
    let noted = recording.clone();
    let noting = Arc::new(Hooked::new(registry, move |call| {
        if call == "begin" || call == "commit" {
            noted.note(&format!("registry {call}"));
        }
        Ok(())
    }));
    let joint = Place {
        name: "jointcal",
        store: recording.clone(),
        registry: noting,
    };
    act(&joint, &single).unwrap();
    let operations = recording.operations();
    let shown: Vec<String> = operations.iter().map(Operation::to_string).collect();
    let all = |what: &str| -> Vec<usize> {
        let found = shown
            .iter()
            .enumerate()
            .filter(|(_, line)| line.starts_with(what));
        let found: Vec<usize> = found.map(|(at, _)| at).collect();
        assert!(!found.is_empty(), "no {what} in {shown:#?}");
        found
    };
    let (staged, synced, linked) = (all("stage"), all("sync"), all("link"));
    let (begun, committed, deleted) =
        (all("registry begin"), all("registry commit"), all("delete"));
    assert_eq!((staged.len(), synced.len(), linked.len()), (5, 2, 5));
    assert_eq!((begun.len(), committed.len()), (1, 1));
    let order = [
        *staged.last().unwrap(),
        synced[0],
        begun[0],
        linked[0],
        *linked.last().unwrap(),
        synced[1],
        committed[0],
        deleted[0],
    ];
    assert!(order.is_sorted(), "{order:?} in {shown:#?}");
    // Everything that was staged is in the first synchronisation, every final path in the second.
    let paths = |at: usize| match &operations[at] {
        Operation::Sync(paths) => paths.clone(),
        other => panic!("{other}"),
    };
    for at in staged {
        let Operation::Stage(path) = &operations[at] else {
            panic!("{}", operations[at])
        };
        assert!(paths(synced[0]).contains(path), "{path}");
    }
    for at in linked {
        let Operation::Link { to, .. } = &operations[at] else {
            panic!("{}", operations[at])
        };
        assert!(paths(synced[1]).contains(to), "{to}");
    }
}

fn prepared() -> (Arc<ForgetfulStore>, Arc<dyn Registry>) {
    let store = Arc::new(ForgetfulStore::new("jointcal"));
    write_policy(store.as_ref(), JOINTCAL);
    (store, Arc::new(MemoryRegistry::new()))
}

/// What the sweeps do: two composites, parts of a third, and a link of them.
fn fill(batch: &mut Batch, single: &Place) -> pantler::Result<()> {
    let options = PutOptions::default();
    let object = composite(single, 151.0, 1e12);
    batch.put(&object, "calexp:jointcal", &id(&tract(0)), &options)?;
    batch.put(&wcs(152.0), "jointcal_wcs", &id(&tract(1)), &options)?;
    batch.put(&calib(1e12), "jointcal_calib", &id(&tract(1)), &options)?;
    batch.link("calexp:jointcal", &id(&tract(1)), &options)?;
    batch.put(&wcs(153.0), "jointcal_wcs", &id(&tract(2)), &options)?;
    Ok(())
}

fn act(joint: &Place, single: &Place) -> pantler::Result<usize> {
    let butler = butler(&[joint, single], 1);
    let mut batch = butler.batch();
    fill(&mut batch, single)?;
    Ok(batch.commit()?.len())
}

/// Whether the whole batch is there; a panic if only some of it is.
fn is_there(joint: &Place, single: &Place) -> bool {
    let butler = butler(&[joint, single], 1);
    let wanted = [
        ("calexp:jointcal", 0, 151.0),
        ("jointcal_wcs", 0, 151.0),
        ("jointcal_wcs", 1, 152.0),
        ("calexp:jointcal", 1, 152.0),
        ("jointcal_wcs", 2, 153.0),
    ];
    let there = wanted.map(|(name, number, expected)| {
        let got = try_get(&butler, name, &tract(number)).ok();
        if let Some(object) = &got {
            assert_eq!(right_ascension(object), expected);
        }
        got.is_some()
    });
    assert!(
        there.iter().all(|one| *one == there[0]),
        "some of it only: {there:?}"
    );
    there[0]
}

fn check_and_repair(joint: &Place, single: &Place, context: &str) {
    let butler = butler(&[joint, single], 1);
    for repair in [false, true] {
        let options = pantler::fsck::FsckOptions { deep: true, repair };
        let report = butler.fsck(options).unwrap();
        assert!(report.is_clean(), "{context}: {report:?}");
    }
}

/// Doing it again completes it, whatever was left behind.
fn again(joint: &Place, single: &Place, context: &str) {
    act(joint, single).unwrap_or_else(|error| panic!("again, {context}: {}", error.report()));
    assert!(is_there(joint, single), "again, {context}");
    check_and_repair(joint, single, context);
}

#[test]
fn every_store_call_of_a_batch_may_fail() {
    for fault in [Fault::Once, Fault::OnceDone, Fault::FromThenOn] {
        for call in 1.. {
            let single = Pair::new().single;
            let (store, registry) = prepared();
            let faulty = Arc::new(FaultyStore::new(store));
            let joint = Place {
                name: "jointcal",
                store: faulty.clone(),
                registry,
            };
            let open = butler(&[&joint, &single], 1);
            let mut batch = open.batch();
            faulty.fail_at(call, fault);
            let filled = fill(&mut batch, &single);
            let outcome = match filled {
                Ok(()) => batch.commit().map(|results| results.len()),
                Err(error) => {
                    drop(batch);
                    Err(error)
                }
            };
            let calls = faulty.calls();
            faulty.work();
            let context = format!("{fault:?} at {call}, acknowledged {}", outcome.is_ok());
            let there = is_there(&joint, &single);
            assert!(there || outcome.is_err(), "{context}");
            check_and_repair(&joint, &single, &context);
            again(&joint, &single, &context);
            if calls < call {
                assert!(call > 8, "the sweep met {call} calls only");
                break;
            }
        }
    }
}

#[test]
fn every_registry_call_of_a_batch_may_fail() {
    for call in 1.. {
        let mut reached = false;
        for fault in [
            RegistryFault::Once(call),
            RegistryFault::FromThenOn(call),
            RegistryFault::AcknowledgementLost(call),
        ] {
            let single = Pair::new().single;
            let (store, registry) = prepared();
            let store: Arc<dyn Store> = store;
            let faulty = Arc::new(FaultyRegistry::new(registry.clone(), fault));
            let joint = Place {
                name: "jointcal",
                store: store.clone(),
                registry: faulty.clone(),
            };
            let outcome = act(&joint, &single);
            reached |= faulty.calls() >= call;
            let joint = Place {
                name: "jointcal",
                store,
                registry,
            };
            let context = format!("{fault:?}, acknowledged {}", outcome.is_ok());
            let there = is_there(&joint, &single);
            assert!(there || outcome.is_err(), "{context}");
            check_and_repair(&joint, &single, &context);
            again(&joint, &single, &context);
        }
        if !reached {
            assert!(call > 5, "the sweep met {call} calls only");
            break;
        }
    }
}

/// From the n-th store call on nothing works; then all that was not synchronised is forgotten, in each of the ways in which a
/// file system may forget it.
#[test]
fn r29_the_power_may_be_cut_anywhere_in_a_batch() {
    for call in 1.. {
        let mut calls = 0;
        for choice in AfterCrash::ALL {
            let single = Pair::new().single;
            let (forgetful, registry) = prepared();
            let faulty = Arc::new(FaultyStore::new(forgetful.clone()));
            let power = faulty.clone();
            let dying = Arc::new(Hooked::new(registry.clone(), move |_| {
                if power.calls() < call {
                    return Ok(());
                }
                Err(RegistryError::Io {
                    operation: "use",
                    path: "jointcal".into(),
                    why: "the power is cut".into(),
                })
            }));
            let joint = Place {
                name: "jointcal",
                store: faulty.clone(),
                registry: dying,
            };
            let open = butler(&[&joint, &single], 1);
            let mut batch = open.batch();
            faulty.fail_at(call, Fault::FromThenOn);
            let outcome = match fill(&mut batch, &single) {
                Ok(()) => batch.commit().map(|results| results.len()),
                Err(error) => Err(error),
            };
            calls = faulty.calls();
            let joint = Place {
                name: "jointcal",
                store: Arc::new(forgetful.crash(choice)),
                registry,
            };
            let context = format!("call {call}, {choice:?}, acknowledged {}", outcome.is_ok());
            let there = is_there(&joint, &single);
            assert!(there || outcome.is_err(), "{context}");
            check_and_repair(&joint, &single, &context);
            again(&joint, &single, &context);
        }
        if calls < call {
            assert!(call > 8, "the sweep met {call} calls only");
            break;
        }
    }
}

#[test]
fn r28_a_batch_into_two_repositories_is_whole_in_each() {
    let pair = pair();
    let second = Place::new("second", JOINTCAL);
    // The second repository has one part already.
    put(
        &butler(&[&second, &pair.single], 1),
        &wcs(151.0),
        "jointcal_wcs",
        &tract(0),
    );
    let both = butler(&[&pair.joint, &second, &pair.single], 2);
    let mut batch = both.batch();
    fill(&mut batch, &pair.single).unwrap();
    let results = commit(batch);
    assert_eq!(results[0].outputs.len(), 2);
    assert_eq!(results[0].outputs[1].unchanged, ["wcs"]);
    assert_eq!(results[3].outputs[0].id, results[3].outputs[1].id);
    for place in [&pair.joint, &second] {
        assert!(is_there(place, &pair.single), "{}", place.name);
        is_clean(&butler(&[place, &pair.single], 1));
    }
}

#[test]
fn r28_a_batch_that_one_repository_refuses_names_who_has_it() {
    let pair = pair();
    let second = Place::new("second", JOINTCAL);
    let registry: Arc<dyn Registry> = second.registry.clone();
    let failing = Hooked::new(registry, |call| match call {
        "insert" => Err(RegistryError::Io {
            operation: "write",
            path: "second".into(),
            why: "the disk is full".into(),
        }),
        _ => Ok(()),
    });
    let broken = Place {
        registry: Arc::new(failing),
        ..second.clone()
    };
    let both = butler(&[&pair.joint, &broken, &pair.single], 2);
    let mut batch = both.batch();
    fill(&mut batch, &pair.single).unwrap();
    let Err(error) = batch.commit() else {
        panic!("the second one was to fail")
    };
    assert!(matches!(error, Error::PartlyPut { .. }), "{error:?}");
    let said = error.report().to_string();
    assert!(said.contains("a batch of 5"), "{said}");
    assert!(is_there(&pair.joint, &pair.single));
    assert!(!is_there(&second, &pair.single));
    is_clean(&butler(&[&second, &pair.single], 1));
    // Again, it completes the rest.
    let both = butler(&[&pair.joint, &second, &pair.single], 2);
    let mut batch = both.batch();
    fill(&mut batch, &pair.single).unwrap();
    commit(batch);
    assert!(is_there(&second, &pair.single));
}

#[test]
fn a_large_batch_in_a_folder_is_all_there() {
    let here = super::together::Here::with(
        "datasets:\n  note: {template: 'note/%(night)d/%(visit)d.json', python: dict, storage: JsonStorage}\n",
    );
    let note = |number: i64| -> ObjectRef {
        Arc::new(pantler::objects::Document::new(
            serde_json::json!({ "number": number }),
        ))
    };
    let data_id = |number: i64| -> DataId { id(&format!("night={} visit={number}", number % 7)) };
    let butler = here.butler();
    let mut batch = butler.batch();
    for number in 0..300 {
        let put = batch.put(&note(number), "note", &data_id(number), &Default::default());
        put.unwrap();
    }
    commit(batch);
    for number in [0, 1, 299] {
        let got = butler.get("note", &data_id(number), &Parameters::default());
        assert_eq!(got.unwrap().difference(note(number).as_ref()), None);
    }
    is_clean(&here.butler());
}
