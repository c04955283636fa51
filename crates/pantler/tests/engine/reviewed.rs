//! Traps found by reading the rules against the engine: each test is named for the rule that it holds.

use std::sync::Arc;

use pantler::core::object::downcast;
use pantler::objects::{Document, Exposure, Image};
use pantler::{InputOnly, ObjectRef, OnConflict, PutOptions};

use super::support::*;

const SFM_ID: &str = "visit=903334 ccd=16";
const DATA_ID: &str = "visit=903334 ccd=16 tract=0";

fn replacing() -> PutOptions {
    PutOptions {
        on_conflict: OnConflict::Replace,
        ..PutOptions::default()
    }
}

fn note(value: serde_json::Value) -> ObjectRef {
    Arc::new(Document::new(value))
}

fn without(object: &ObjectRef, name: &str) -> ObjectRef {
    Arc::new(downcast::<Exposure>(object.as_ref()).unwrap().without(name))
}

/// A pair whose jointcal policy has further lines.
fn pair_with(more: &str) -> Pair {
    let pair = Pair::new();
    write_policy(pair.joint.store.as_ref(), &(JOINTCAL.to_owned() + more));
    pair
}

fn rewritten(pair: &Pair, policy: &str) {
    write_policy(pair.joint.store.as_ref(), policy);
}

const ASTRO: &str = r#"
  calexp:astro:
    python: lsst.afw.image.ExposureF
    composite:
      calexp: {datasetType: "calexp:sfm", inputOnly: true}
      astrometry: {datasetType: jointcal_wcs, setter: setWcs, getter: getWcs}
"#;

#[test]
fn r11_a_component_that_a_setter_lays_over_the_base_is_that_part_by_every_name() {
    let pair = pair_with(ASTRO);
    pair.put_parts(0);
    let butler = pair.butler();
    assert_eq!(
        right_ascension(&get(&butler, "calexp:astro", DATA_ID)),
        150.0
    );
    for name in [
        "calexp:astro.wcs",
        "calexp:astro.skyWcs",
        "calexp:astro.astrometry",
    ] {
        assert_eq!(
            right_ascension(&get(&butler, name, DATA_ID)),
            150.0,
            "{name}"
        );
    }
    let image = get(&butler, "calexp:astro.image", DATA_ID);
    assert!(
        downcast::<Image>(image.as_ref())
            .unwrap()
            .header()
            .get("CRVAL1")
            .is_none()
    );
    let changed = get(&butler, "calexp:sfm", SFM_ID)
        .with_component("wcs", &wcs(151.0))
        .unwrap();
    let result = put(
        &butler,
        &changed,
        "calexp:astro",
        "visit=903334 ccd=16 tract=4",
    );
    assert_eq!(result.written.len(), 1);
}

#[test]
fn r09_every_synonym_of_a_component_is_that_component() {
    let pair = Pair::new();
    pair.put_parts(0);
    let butler = pair.butler();
    let part = get(&butler, "calexp:jointcal.photocalib", DATA_ID);
    assert!(part.difference(calib(1e12).as_ref()).is_none());
    for component in pantler::objects::synonyms::components() {
        for name in pantler::objects::synonyms::all_names(component) {
            assert_eq!(pantler::core::synonyms::canonical(name), component);
        }
    }
}

#[test]
fn r10_an_absent_optional_component_is_none_and_never_that_of_the_base() {
    let pair = Pair::new();
    rewritten(
        &pair,
        &JOINTCAL.replace(
            "{datasetType: jointcal_wcs}",
            "{datasetType: jointcal_wcs, optional: true}",
        ),
    );
    let butler = pair.butler();
    put(&butler, &calib(1e12), "jointcal_calib", DATA_ID);
    let composite = get(&butler, "calexp:jointcal", DATA_ID);
    assert!(composite.component("wcs").is_none());
    let image = composite.component("image").unwrap();
    assert!(
        downcast::<Image>(image.as_ref())
            .unwrap()
            .header()
            .get("CRVAL1")
            .is_none()
    );
    assert!(try_get(&butler, "calexp:jointcal.wcs", DATA_ID).is_err());
    // What was put without it comes back without it.
    let bare = without(&composite, "wcs");
    let result = put(&butler, &bare, "calexp:jointcal", DATA_ID);
    assert!(result.recorded);
    assert!(
        get(&butler, "calexp:jointcal", DATA_ID)
            .component("wcs")
            .is_none()
    );
    assert!(try_get(&butler, "calexp:jointcal.wcs", DATA_ID).is_err());
    put(&butler, &wcs(150.0), "jointcal_wcs", DATA_ID);
    assert!(
        get(&butler, "calexp:jointcal", DATA_ID)
            .component("wcs")
            .is_none()
    );
}

#[test]
fn r19_a_recorded_optional_component_that_is_gone_is_an_error() {
    let pair = Pair::new();
    rewritten(
        &pair,
        &JOINTCAL.replace(
            "{datasetType: jointcal_wcs}",
            "{datasetType: jointcal_wcs, optional: true}",
        ),
    );
    pair.put_parts(0);
    let butler = pair.butler();
    put(
        &butler,
        &get(&butler, "calexp:jointcal", DATA_ID),
        "calexp:jointcal",
        DATA_ID,
    );
    let force = pantler::RemoveOptions {
        force: true,
        dry_run: false,
    };
    pair.butler()
        .remove("jointcal_wcs", &id(DATA_ID), &force)
        .unwrap();
    let said = said(try_get(&pair.butler(), "calexp:jointcal", DATA_ID));
    assert!(
        said.contains("the recorded component `wcs` of `calexp:jointcal` is gone"),
        "{said}"
    );
}

#[test]
fn r08_a_part_of_anothers_artifact_never_replaces_it() {
    let place = Place::new(
        "single_visit",
        &(SINGLE_VISIT.to_owned()
            + r#"
  calexp_wcs:
    template: "calexp/%(visit)07d/%(ccd)03d.fits"
    python: lsst.afw.image.Wcs
    storage: FitsStorage
"#),
    );
    let butler = butler(&[&place], 1);
    put(&butler, &exposure(1.0), "calexp:sfm", SFM_ID);
    let old = place.bytes_of("calexp/0903334/016.fits");
    assert_eq!(right_ascension(&get(&butler, "calexp_wcs", SFM_ID)), 149.0);
    let same = put(
        &butler,
        &get(&butler, "calexp_wcs", SFM_ID),
        "calexp_wcs",
        SFM_ID,
    );
    assert!(same.written.is_empty());
    let refused = butler.put(&wcs(3.0), "calexp_wcs", &id(SFM_ID), &replacing());
    let said = said(refused);
    assert!(
        said.contains("calexp:sfm") && said.contains("calexp_wcs"),
        "{said}"
    );
    assert_eq!(place.bytes_of("calexp/0903334/016.fits"), old);
    assert_eq!(get(&butler, "calexp:sfm", SFM_ID).class(), "Exposure");
}

#[test]
fn r27_a_missing_key_with_several_values_in_the_chain_is_refused_at_put() {
    let pair = Pair::new();
    let butler = pair.butler();
    put(&butler, &wcs(150.0), "jointcal_wcs", DATA_ID);
    put(
        &butler,
        &wcs(150.0),
        "jointcal_wcs",
        "visit=903334 ccd=16 tract=1",
    );
    put(&butler, &calib(1e12), "jointcal_calib", DATA_ID);
    let said = said(try_put(&butler, &calib(1e12), "jointcal_calib", SFM_ID));
    assert!(
        said.contains("tract=0") && said.contains("tract=1"),
        "{said}"
    );
}

const NOTES: &str = r#"
datasets:
  note: {template: "notes/%(visit)d/%(ccd)d.json", python: dict, storage: JsonStorage}
  notes: {composite: {all: {datasetType: note, subset: true}}}
  maybe: {composite: {all: {datasetType: note, subset: true, allowEmpty: true}, one: {datasetType: head}}}
  head: {template: "heads/%(visit)d.json", python: dict, storage: JsonStorage}
  renamed: {composite: {all: {datasetType: note, dataId: {visit: "%(exposure)d"}}}}
  pinned: {composite: {a: {datasetType: note, dataId: {ccd: 1}}, b: {datasetType: head}, c: {datasetType: wide}}}
  wide: {template: "wide/%(visit)d/%(tract)d.json", python: dict, storage: JsonStorage}
"#;

#[test]
fn r16_a_linked_subset_has_one_entry_per_data_id_in_order() {
    let near = Place::new("near", NOTES);
    let far = Place::new("far", NOTES);
    for ccd in [10, 2] {
        put(
            &butler(&[&far], 1),
            &note(serde_json::json!({"ccd": ccd})),
            "note",
            &format!("visit=1 ccd={ccd}"),
        );
    }
    let both = butler(&[&near, &far], 1);
    put(
        &both,
        &note(serde_json::json!({"ccd": "new"})),
        "note",
        "visit=1 ccd=10",
    );
    let lookup = both
        .explain("notes", &id("visit=1"), Default::default())
        .unwrap();
    both.link("notes", &id("visit=1"), &PutOptions::default())
        .unwrap();
    let recorded = both
        .explain("notes", &id("visit=1"), Default::default())
        .unwrap();
    let ids = |plan: &pantler::core::plan::Plan| -> Vec<_> {
        plan.root.children()[0]
            .children()
            .iter()
            .map(|node| (node.data_id.to_string(), node.id()))
            .collect()
    };
    assert_eq!(ids(&lookup), ids(&recorded));
    let document = pantler::explain_json(&recorded);
    assert_eq!(
        document["components"]["all"]["components"]
            .as_object()
            .unwrap()
            .len(),
        2
    );
    // None of that type: nothing to link.
    put(&both, &note(serde_json::json!(1)), "head", "visit=9");
    assert!(
        both.link("notes", &id("visit=9"), &PutOptions::default())
            .is_err()
    );
    both.link("maybe", &id("visit=9"), &PutOptions::default())
        .unwrap();
    let container = get(&both, "maybe", "visit=9");
    assert_eq!(container.component_names(), ["all", "one"]);
}

#[test]
fn r16_a_renamed_key_takes_the_type_of_the_key_that_it_stands_for() {
    let place = Place::new("notes", NOTES);
    let butler = butler(&[&place], 1);
    put(
        &butler,
        &note(serde_json::json!(1)),
        "note",
        "visit=1 ccd=2",
    );
    let words = pantler::DataId::new([("exposure", "1".into()), ("ccd", "2".into())]);
    butler
        .get("renamed", &words, &Default::default())
        .map_err(|e| e.report().to_string())
        .unwrap();
}

#[test]
fn r26_a_component_with_fewer_keys_is_shared_even_if_a_pinned_key_makes_up_the_number() {
    let place = Place::new("notes", NOTES);
    let butler = butler(&[&place], 1);
    let parts = |a: i64, b: i64| -> ObjectRef {
        use pantler::assemble::{Container, Entry};
        Arc::new(Container::new([("a", a), ("b", b), ("c", 5)].map(
            |(name, value)| (name.to_owned(), Entry::One(note(serde_json::json!(value)))),
        )))
    };
    put(&butler, &parts(1, 1), "pinned", "visit=1 tract=1");
    let outcome = butler.put(&parts(2, 1), "pinned", &id("visit=1 tract=1"), &replacing());
    assert!(said(outcome).contains("shared by several data IDs"));
}

const FINAL: &str = r#"
  calexp:final:
    python: lsst.afw.image.ExposureF
    composite:
      calexp: {datasetType: "calexp:jointcal", inputOnly: true}
      mask: {datasetType: final_mask}
  final_mask:
    template: "final/%(visit)07d-%(ccd)03d-%(tract)d.fits"
    python: lsst.afw.image.Mask
    storage: FitsStorage
"#;

#[test]
fn r24_changes_to_a_nested_input_only_composite_are_refused() {
    let pair = pair_with(FINAL);
    pair.put_parts(0);
    let butler = pair.butler();
    let base = get(&butler, "calexp:jointcal", DATA_ID);
    let mask = base.component("mask").unwrap();
    let fine = base.with_component("mask", &mask).unwrap();
    let result = put(&butler, &fine, "calexp:final", DATA_ID);
    assert_eq!(result.input_only, ["calexp"]);
    let back = get(&butler, "calexp:final", DATA_ID);
    assert_eq!(right_ascension(&back), 150.0);
    for (name, value) in [
        ("image", exposure(77.0).component("image").unwrap()),
        ("wcs", wcs(3.0)),
    ] {
        let changed = fine.with_component(name, &value).unwrap();
        let said = said(try_put(&butler, &changed, "calexp:final", DATA_ID));
        assert!(
            said.contains("is only read, and it is not as stored"),
            "{name}: {said}"
        );
    }
}

#[test]
fn r24_a_part_taken_away_from_an_input_only_component_is_refused() {
    let pair = Pair::new();
    let butler = pair.butler();
    for name in ["mask", "variance"] {
        let less = without(&get(&butler, "calexp:sfm", SFM_ID), name)
            .with_component("wcs", &wcs(151.0))
            .unwrap();
        let said = said(try_put(&butler, &less, "calexp:jointcal", DATA_ID));
        assert!(said.contains(&format!("it lacks {name}")), "{said}");
    }
}

#[test]
fn r24_an_origin_with_another_data_id_is_refused_even_where_changes_are_dropped() {
    let pair = Pair::new();
    put(
        &butler(&[&pair.single], 1),
        &exposure(1.0),
        "calexp:sfm",
        "visit=903334 ccd=17",
    );
    let other = get(&pair.butler(), "calexp:sfm", "visit=903334 ccd=17")
        .with_component("wcs", &wcs(1.0))
        .unwrap();
    let options = PutOptions {
        input_only: InputOnly::Drop,
        ..Default::default()
    };
    let said = said(
        pair.butler()
            .put(&other, "calexp:jointcal", &id(DATA_ID), &options),
    );
    assert!(
        said.contains("its origin is calexp:sfm visit=903334 ccd=17"),
        "{said}"
    );
}

const POINTING: &str = r#"
  pointing:
    composite:
      wcs:   {datasetType: "calexp:jointcal.wcs"}
      image: {datasetType: "calexp:jointcal.image"}
"#;

#[test]
fn r12_a_part_of_a_composite_can_be_recorded() {
    for recorded in [false, true] {
        let pair = pair_with(POINTING);
        pair.put_parts(0);
        let butler = pair.butler();
        if recorded {
            butler
                .link("calexp:jointcal", &id(DATA_ID), &PutOptions::default())
                .unwrap();
        }
        let container = get(&butler, "pointing", DATA_ID);
        assert_eq!(right_ascension(&container.component("wcs").unwrap()), 150.0);
        let result = put(&butler, &container, "pointing", DATA_ID);
        assert!(result.recorded && result.written.is_empty(), "{recorded}");
        let back = get(&butler, "pointing", DATA_ID);
        assert_eq!(right_ascension(&back.component("wcs").unwrap()), 150.0);
        let image = back.component("image").unwrap();
        assert!(
            downcast::<Image>(image.as_ref())
                .unwrap()
                .header()
                .get("CRVAL1")
                .is_none()
        );
        let changed = container.with_component("wcs", &wcs(1.0)).unwrap();
        assert!(try_put(&butler, &changed, "pointing", DATA_ID).is_err());
    }
}

#[test]
fn r13_a_type_of_its_own_that_is_a_part_is_the_same_object() {
    let more = r#"
  calexp_wcs:
    template: "calexp/%(visit)07d/%(ccd)03d.fits"
    python: lsst.afw.image.Wcs
    storage: FitsStorage
  src: {template: "src/%(visit)d-%(ccd)d.json", python: dict, storage: JsonStorage}
  icSrc: {composite: {catalog: {datasetType: src}, wcs: {datasetType: calexp_wcs}}}
"#;
    let place = Place::new("single_visit", &(SINGLE_VISIT.to_owned() + more));
    put(&butler(&[&place], 1), &exposure(1.0), "calexp:sfm", SFM_ID);
    put(
        &butler(&[&place], 1),
        &note(serde_json::json!(1)),
        "src",
        SFM_ID,
    );
    let first = butler(&[&place], 1);
    let whole = get(&first, "calexp:sfm", SFM_ID);
    let source = get(&first, "icSrc", SFM_ID);
    assert!(
        Arc::ptr_eq(
            &whole.component("wcs").unwrap(),
            &source.component("wcs").unwrap()
        ),
        "whole first"
    );
    let second = butler(&[&place], 1);
    let source = get(&second, "icSrc", SFM_ID);
    let whole = get(&second, "calexp:sfm", SFM_ID);
    assert!(
        Arc::ptr_eq(
            &whole.component("wcs").unwrap(),
            &source.component("wcs").unwrap()
        ),
        "part first"
    );
}

#[test]
fn r10_a_part_alone_is_the_part_of_the_whole() {
    let pair = pair_with(FINAL);
    pair.put_parts(0);
    let butler = pair.butler();
    put(
        &butler,
        &exposure(1.0).component("mask").unwrap(),
        "final_mask",
        DATA_ID,
    );
    for name in ["calexp:jointcal", "calexp:final"] {
        let whole = get(&butler, name, DATA_ID);
        for part in whole.component_names() {
            let alone = get(&butler, &format!("{name}.{part}"), DATA_ID);
            let inside = whole.component(&part).unwrap();
            assert_eq!(alone.difference(inside.as_ref()), None, "{name}.{part}");
        }
    }
}

#[test]
fn r06_a_recorded_composite_outlives_changes_of_its_policy() {
    let pair = Pair::new();
    pair.put_parts(0);
    let composite = get(&pair.butler(), "calexp:jointcal", DATA_ID);
    put(&pair.butler(), &composite, "calexp:jointcal", DATA_ID);
    let renamed = JOINTCAL
        .replace("      calexp: {data", "      exposure: {data")
        .replace("      wcs:  ", "      astrometry:  ");
    let marked = JOINTCAL.replace(
        "    python: lsst.afw.image.ExposureF\n    composite",
        "    composite",
    );
    let fewer = JOINTCAL.replace("      calib: {datasetType: jointcal_calib}\n", "");
    let more = JOINTCAL.to_owned() + "      mask: {datasetType: jointcal_wcs}\n";
    let whole = JOINTCAL[..JOINTCAL.find("  calexp:jointcal:\n").unwrap()].to_owned()
        + "  calexp:jointcal: {template: \"whole/%(visit)d-%(ccd)d-%(tract)d.fits\", python: lsst.afw.image.ExposureF, storage: FitsStorage}\n";
    for policy in [renamed, fewer, more, whole, marked] {
        rewritten(&pair, &policy);
        let butler = pair.butler();
        let back = get(&butler, "calexp:jointcal", DATA_ID);
        assert_eq!(back.class(), "Exposure", "{policy}");
        assert!(back.difference(composite.as_ref()).is_none(), "{policy}");
        assert_eq!(
            right_ascension(&get(&butler, "calexp:jointcal.wcs", DATA_ID)),
            150.0,
            "{policy}"
        );
        let image = get(&butler, "calexp:jointcal.image", DATA_ID);
        assert!(
            downcast::<Image>(image.as_ref())
                .unwrap()
                .header()
                .get("CRVAL1")
                .is_none(),
            "{policy}"
        );
    }
}

#[test]
fn r16_a_subset_has_no_largest_size() {
    let place = Place::new("notes", NOTES);
    let template = butler(&[&place], 1);
    put(
        &template,
        &note(serde_json::json!(1)),
        "note",
        "visit=1 ccd=0",
    );
    let one = template
        .explain("note", &id("visit=1 ccd=0"), Default::default())
        .unwrap();
    let pantler::core::plan::PlanKind::Read(read) = &one.root.kind else {
        panic!()
    };
    let rows: Vec<_> = (1..=10_010)
        .map(|ccd| {
            let mut row = read.record.as_ref().clone();
            row.id = pantler::core::DatasetId::new(uuid::Uuid::now_v7());
            row.data_id = id(&format!("visit=1 ccd={ccd}"));
            row
        })
        .collect();
    let mut transaction = place.registry.begin().unwrap();
    let provenance = place.registry.provenance(&[read.record.id]).unwrap()[0]
        .clone()
        .unwrap();
    transaction.insert(&rows, &provenance).unwrap();
    transaction.commit().unwrap();
    let plan = butler(&[&place], 1)
        .explain("notes", &id("visit=1"), Default::default())
        .unwrap();
    assert_eq!(plan.root.children()[0].children().len(), 10_011);
}

#[test]
fn r19_a_record_of_nothing_is_a_record() {
    let place = Place::new(
        "notes",
        "datasets:\n  head: {template: \"heads/%(visit)d.json\", python: dict, storage: JsonStorage}\n  maybe: {composite: {one: {datasetType: head, optional: true}}}\n",
    );
    let butler = butler(&[&place], 1);
    butler
        .link("maybe", &id("visit=1"), &PutOptions::default())
        .unwrap();
    put(&butler, &note(serde_json::json!(1)), "head", "visit=1");
    assert!(get(&butler, "maybe", "visit=1").component("one").is_none());
}

#[test]
fn r19_a_recorded_composition_within_another_says_that_a_newer_one_stands_in_front_of_it() {
    use pantler::core::plan::{Found, PlanKind};
    let policy = "datasets:\n  head: {template: \"heads/%(visit)d.json\", python: dict, storage: JsonStorage}\n  inner: {composite: {one: {datasetType: head}}}\n  outer: {composite: {inner: {datasetType: inner}}}\n";
    let (parent, child) = (Place::new("parent", policy), Place::new("child", policy));
    let alone = butler(&[&parent], 1);
    put(&alone, &note(serde_json::json!(1)), "head", "visit=1");
    for name in ["inner", "outer"] {
        alone
            .link(name, &id("visit=1"), &PutOptions::default())
            .unwrap();
    }
    let newer = || {
        let plan = butler(&[&child, &parent], 1)
            .explain("outer", &id("visit=1"), Default::default())
            .unwrap();
        let PlanKind::Assemble(inner) = &plan.root.children()[0].kind else {
            panic!()
        };
        match &inner.found {
            Found::Recorded { newer } => newer.clone(),
            _ => panic!(),
        }
    };
    assert_eq!(newer(), None);
    let both = butler(&[&child, &parent], 1);
    put(&both, &note(serde_json::json!(2)), "head", "visit=1");
    both.link("inner", &id("visit=1"), &PutOptions::default())
        .unwrap();
    assert_eq!(newer().as_deref(), Some("child"));
    let recorded = get(&both, "outer", "visit=1").component("inner").unwrap();
    let head = recorded.component("one").unwrap();
    assert_eq!(head.difference(note(serde_json::json!(1)).as_ref()), None);
}

#[test]
fn r22_two_components_of_one_dataset_are_written_once_and_must_agree() {
    let place = Place::new(
        "notes",
        "datasets:\n  head: {template: \"heads/%(visit)d.json\", python: dict, storage: JsonStorage}\n  twice: {composite: {one: {datasetType: head}, other: {datasetType: head}}}\n",
    );
    let butler = butler(&[&place], 1);
    let both = |one: i64, other: i64| -> ObjectRef {
        use pantler::assemble::{Container, Entry};
        Arc::new(Container::new([("one", one), ("other", other)].map(
            |(name, value)| (name.to_owned(), Entry::One(note(serde_json::json!(value)))),
        )))
    };
    let refused = said(try_put(&butler, &both(1, 2), "twice", "visit=1"));
    assert!(
        refused.contains("`other` is not what another component puts there"),
        "{refused}"
    );
    assert!(place.artifacts().is_empty());
    let result = put(&butler, &both(1, 1), "twice", "visit=1");
    assert_eq!(result.written, ["heads/1.json"]);
    assert!(
        get(&butler, "twice", "visit=1")
            .difference(both(1, 1).as_ref())
            .is_none()
    );
}

#[test]
fn r24_a_subset_that_is_only_read_is_compared_and_recorded_whole() {
    let place = Place::new(
        "notes",
        r#"
datasets:
  note: {template: "notes/%(visit)d/%(ccd)d.json", python: dict, storage: JsonStorage}
  head: {template: "heads/%(visit)d.json", python: dict, storage: JsonStorage}
  summary: {composite: {all: {datasetType: note, subset: true, inputOnly: true}, head: {datasetType: head}}}
"#,
    );
    let butler = butler(&[&place], 1);
    for ccd in [1, 2] {
        put(
            &butler,
            &note(serde_json::json!(ccd)),
            "note",
            &format!("visit=1 ccd={ccd}"),
        );
    }
    let summary = |second: i64| -> ObjectRef {
        use pantler::assemble::{Container, Entry};
        let one = |ccd: i64, value: i64| {
            (
                id(&format!("visit=1 ccd={ccd}")),
                note(serde_json::json!(value)),
            )
        };
        Arc::new(Container::new([
            (
                "all".to_owned(),
                Entry::Many(vec![one(1, 1), one(2, second)]),
            ),
            (
                "head".to_owned(),
                Entry::One(note(serde_json::json!("head"))),
            ),
        ]))
    };
    let refused = said(try_put(&butler, &summary(7), "summary", "visit=1"));
    assert!(
        refused.contains("component `all` of `summary` is only read"),
        "{refused}"
    );
    put(&butler, &summary(2), "summary", "visit=1");
    let plan = butler
        .explain("summary", &id("visit=1"), Default::default())
        .unwrap();
    assert_eq!(plan.root.children()[0].children().len(), 2);
}

#[test]
fn r19_an_optional_composite_that_is_incomplete_is_absent_as_a_whole() {
    let pair = pair_with(
        r#"
  both:
    composite:
      old: {datasetType: "calexp:sfm"}
      new: {datasetType: "calexp:jointcal", optional: true}
"#,
    );
    let butler = pair.butler();
    put(&butler, &calib(1e12), "jointcal_calib", DATA_ID);
    let container = get(&butler, "both", DATA_ID);
    assert_eq!(container.component_names(), ["old"]);
    let linked = butler
        .link("both", &id(DATA_ID), &PutOptions::default())
        .unwrap();
    assert!(linked.recorded);
}

#[test]
fn a_missing_component_is_named_with_its_composite_also_at_a_link() {
    let pair = Pair::new();
    let butler = pair.butler();
    put(&butler, &wcs(1.0), "jointcal_wcs", DATA_ID);
    let said = said(butler.link("calexp:jointcal", &id(DATA_ID), &PutOptions::default()));
    assert!(
        said.contains("component `calib` of `calexp:jointcal`"),
        "{said}"
    );
}

#[test]
fn a_query_orders_repositories_that_name_the_keys_in_different_orders() {
    let near = Place::new(
        "near",
        "datasets:\n  note: {template: \"%(visit)d/%(ccd)d.json\", python: dict, storage: JsonStorage}\n",
    );
    let far = Place::new(
        "far",
        "datasets:\n  note: {template: \"%(ccd)d/%(visit)d.json\", python: dict, storage: JsonStorage}\n",
    );
    for (place, first) in [(&near, 0), (&far, 1)] {
        let butler = butler(&[place], 1);
        for number in 0..40 {
            let (visit, ccd) = (number * 7 % 40, 2 * (number * 11 % 40) + first);
            put(
                &butler,
                &note(serde_json::json!(number)),
                "note",
                &format!("visit={visit} ccd={ccd}"),
            );
        }
    }
    let query = pantler::Query {
        name: Some("note".to_owned()),
        ..Default::default()
    };
    let found = butler(&[&near, &far], 1).query(&query).unwrap();
    let numbers: Vec<_> = found
        .iter()
        .map(|each| {
            (
                each.data_id.get("visit").cloned(),
                each.data_id.get("ccd").cloned(),
            )
        })
        .collect();
    assert_eq!(numbers.len(), 80);
    assert!(numbers.is_sorted());
}
