//! Recorded compositions: what was put is what is got, whatever became of policies and parts.

use std::sync::Arc;

use pantler::core::object::downcast;
use pantler::objects::Image;
use pantler::{ObjectRef, PutOptions};

use super::support::*;

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
