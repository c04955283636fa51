//! Costs, asserted by counters: round trips to registries, bytes and requests of stores.

use std::ops::ControlFlow;

use super::support::*;

struct Costs {
    joint: Counted,
    single: Counted,
}

impl Costs {
    fn over(pair: &Pair) -> Costs {
        Costs {
            joint: Counted::over(&pair.joint),
            single: Counted::over(&pair.single),
        }
    }

    fn butler(&self) -> pantler::Butler {
        butler(&[&self.joint.place, &self.single.place], 1)
    }

    fn registry_queries(&self) -> [u64; 2] {
        [
            self.joint.registry.counts().total(),
            self.single.registry.counts().total(),
        ]
    }
}

#[test]
fn explain_reads_nothing() {
    let pair = Pair::new();
    pair.put_parts(0);
    let costs = Costs::over(&pair);
    let butler = costs.butler();
    let before = (costs.joint.store.counts(), costs.single.store.counts());
    butler
        .explain("calexp:jointcal", &id(DATA_ID), Default::default())
        .unwrap();
    let read = (
        costs.joint.store.counts() - before.0,
        costs.single.store.counts() - before.1,
    );
    assert_eq!(
        (
            read.0.bytes_read,
            read.0.artifacts_opened,
            read.0.read_requests
        ),
        (0, 0, 0)
    );
    assert_eq!(
        (
            read.1.bytes_read,
            read.1.artifacts_opened,
            read.1.read_requests
        ),
        (0, 0, 0)
    );
}

#[test]
fn a_get_asks_each_registry_once_however_many_components() {
    let pair = Pair::new();
    pair.put_parts(0);
    let costs = Costs::over(&pair);
    let butler = costs.butler();
    assert_eq!(costs.registry_queries(), [0, 0], "opening asks nothing");
    get(&butler, "calexp:jointcal", DATA_ID);
    assert_eq!(costs.registry_queries(), [1, 1]);
    // Completing a key costs nothing more.
    get(&butler, "calexp:jointcal", "visit=903334 ccd=16");
    assert_eq!(costs.registry_queries(), [2, 2]);
}

#[test]
fn a_recorded_composition_costs_no_further_question() {
    let pair = Pair::new();
    pair.put_parts(0);
    pair.butler()
        .link("calexp:jointcal", &id(DATA_ID), &Default::default())
        .unwrap();
    let costs = Costs::over(&pair);
    get(&costs.butler(), "calexp:jointcal", DATA_ID);
    assert_eq!(costs.registry_queries(), [1, 1]);
}

#[test]
fn a_component_costs_its_own_artifact_and_no_other() {
    let pair = Pair::new();
    pair.put_parts(0);
    let costs = Costs::over(&pair);
    let butler = costs.butler();
    let before = costs.single.store.counts();
    get(&butler, "calexp:jointcal.wcs", DATA_ID);
    let read = costs.single.store.counts() - before;
    assert_eq!(
        (read.bytes_read, read.artifacts_opened),
        (0, 0),
        "the exposure is never opened"
    );
    let size = pair
        .joint
        .bytes_of("jointcal/0000/wcs-0903334-016.fits")
        .len() as u64;
    let joint = costs.joint.store.counts();
    assert!(
        joint.bytes_read <= size + 4096,
        "{} of {size}",
        joint.bytes_read
    );
}

#[test]
fn what_is_in_memory_is_not_read_again() {
    let pair = Pair::new();
    pair.put_parts(0);
    let costs = Costs::over(&pair);
    let butler = costs.butler();
    get(&butler, "calexp:jointcal", DATA_ID);
    let before = (
        costs.joint.store.counts().bytes_read,
        costs.single.store.counts().bytes_read,
    );
    get(&butler, "calexp:jointcal", DATA_ID);
    get(&butler, "calexp:jointcal.wcs", DATA_ID);
    get(&butler, "calexp:sfm", "visit=903334 ccd=16");
    assert_eq!(
        before,
        (
            costs.joint.store.counts().bytes_read,
            costs.single.store.counts().bytes_read
        )
    );
}

#[test]
fn an_updated_exposure_is_put_without_reading_a_pixel_of_the_old_one() {
    let pair = Pair::new();
    let costs = Costs::over(&pair);
    let butler = costs.butler();
    let sfm = get(&butler, "calexp:sfm", "visit=903334 ccd=16");
    let changed = sfm
        .with_component("wcs", &wcs(151.0))
        .unwrap()
        .with_component("calib", &calib(3e12))
        .unwrap();
    let whole = pair.single.bytes_of("calexp/0903334/016.fits").len() as u64;
    let before = (costs.joint.store.counts(), costs.single.store.counts());
    put(&butler, &changed, "calexp:jointcal", DATA_ID);
    let joint = costs.joint.store.counts() - before.0;
    let single = costs.single.store.counts() - before.1;
    let parts: u64 = ["wcs", "calib"]
        .iter()
        .map(|part| {
            pair.joint
                .bytes_of(&format!("jointcal/0000/{part}-0903334-016.fits"))
                .len() as u64
        })
        .sum();
    assert_eq!(joint.bytes_written, parts);
    assert_eq!(single.bytes_written, 0);
    assert!(
        single.bytes_read < whole,
        "the header at most: {} of {whole}",
        single.bytes_read
    );
}

#[test]
fn finding_does_not_depend_on_how_many_there_are() {
    let place = Place::new(
        "repo",
        "datasets:\n  note: {template: \"%(visit)d.json\", python: dict, storage: JsonStorage}\n",
    );
    let butler = butler(&[&place], 1);
    for visit in 0..20 {
        let note: pantler::ObjectRef =
            std::sync::Arc::new(pantler::objects::Document::new(serde_json::json!(visit)));
        put(&butler, &note, "note", &format!("visit={visit}"));
    }
    let counted = Counted::over(&place);
    let counting = super::support::butler(&[&counted.place], 0);
    get(&counting, "note", "visit=13");
    assert_eq!(counted.registry.counts().total(), 1);
    let mut rows = 0;
    place
        .registry
        .visit_all(&mut |_| {
            rows += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(rows, 20);
}

/// What is small and has no parts is one request: nobody asks first how large it is.
#[test]
fn a_small_file_is_one_request() {
    let place = Place::new(
        "repo",
        "datasets:\n  note: {template: \"%(visit)d.json\", python: dict, storage: JsonStorage}\n",
    );
    let note: pantler::ObjectRef =
        std::sync::Arc::new(pantler::objects::Document::new(serde_json::json!({"n": 1})));
    put(&butler(&[&place], 1), &note, "note", "visit=1");
    let counted = Counted::over(&place);
    let reading = butler(&[&counted.place], 0);
    counted.store.reset();
    get(&reading, "note", "visit=1");
    let counts = counted.store.counts();
    assert_eq!((counts.read_requests, counts.artifacts_opened), (1, 1));
    assert_eq!((counts.calls.read_ranges, counts.calls.stat_many), (1, 0));
}

/// The mission's own figure: an update of a full-size exposure writes under one percent of its bytes.
#[test]
fn updating_a_4k_exposure_writes_under_one_percent_of_its_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let (single, joint) = (
        folder.path().join("single_visit"),
        folder.path().join("jointcal"),
    );
    let text = |text: &str| pantler::core::policy::PolicyText {
        file: "policy.yaml".into(),
        text: text.into(),
    };
    pantler::Butler::init(&single, &[text(SINGLE_VISIT)], &[]).unwrap();
    pantler::Butler::init(&joint, &[text(JOINTCAL)], std::slice::from_ref(&single)).unwrap();
    let sky = pantler::simulate::Sky::new(1);
    let exposure: pantler::ObjectRef =
        std::sync::Arc::new(sky.single_visit(903334, 16, (4096, 4096)));
    let writing = pantler::Butler::open(&[], std::slice::from_ref(&single), options()).unwrap();
    put(&writing, &exposure, "calexp:sfm", "visit=903334 ccd=16");
    drop((writing, exposure));
    let butler = pantler::Butler::open(&[], std::slice::from_ref(&joint), options()).unwrap();
    let old = get(&butler, "calexp:sfm", "visit=903334 ccd=16");
    let wcs: pantler::ObjectRef = std::sync::Arc::new(sky.jointcal_wcs(903334, 16, 0));
    let calib: pantler::ObjectRef = std::sync::Arc::new(sky.jointcal_calib(903334, 16, 0));
    let new = old
        .with_component("wcs", &wcs)
        .unwrap()
        .with_component("calib", &calib)
        .unwrap();
    let result = put(&butler, &new, "calexp:jointcal", DATA_ID);
    assert_eq!(result.written.len(), 2);
    let size = |path: std::path::PathBuf| std::fs::metadata(path).unwrap().len();
    let whole = size(single.join("calexp/0903334/016.fits"));
    let written: u64 = result
        .written
        .iter()
        .map(|path| size(joint.join(path)))
        .sum();
    assert!(whole > 200_000_000, "{whole}");
    assert!(written * 100 < whole, "{written} of {whole}");
    let back = get(&butler, "calexp:jointcal", DATA_ID);
    assert!(back.difference(new.as_ref()).is_none());
}
