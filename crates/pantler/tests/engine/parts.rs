//! Parts of composites: by every name, from the base or not, alone or within the whole.

use std::sync::Arc;

use pantler::PutOptions;
use pantler::core::object::downcast;
use pantler::objects::Image;

use super::input_only::FINAL;
use super::support::*;

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
