//! Components that are only read: what was changed, taken away or comes from elsewhere is not lost silently.

use std::sync::Arc;

use pantler::{InputOnly, ObjectRef, PutOptions};

use super::support::*;

pub const FINAL: &str = r#"
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
