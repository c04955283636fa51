//! What a dataset was made from, as its own metadata list it; and composites of lists, which their data IDs tell apart
//! (rules R16, R34).

use std::sync::Arc;

use pantler::core::object::downcast;
use pantler::core::plan::PlanKind;
use pantler::objects::{Card, Document, Exposure, Metadata};
use pantler::{ObjectRef, OnConflict, PutOptions, Query, RemoveOptions};

use super::support::*;

const COADD: &str = r#"
datasets:
  calexp:sfm: {template: "calexp/%(visit)07d/%(ccd)03d.fits", python: lsst.afw.image.ExposureF, storage: FitsStorage}
  coadd: {template: "coadd/%(tract)d.fits", python: lsst.afw.image.ExposureF, storage: FitsStorage}
  deepCoadd:
    python: lsst.afw.image.ExposureF
    composite:
      coadd: {datasetType: coadd, base: true}
      inputs: {datasetType: "calexp:sfm", subset: true, dataIds: {metadata: INPUTS}}
"#;

/// An exposure whose header lists what it was made of.
fn made_of(cards: &[&str]) -> ObjectRef {
    let bare = exposure(9.0);
    let old: &Exposure = downcast(bare.as_ref()).unwrap();
    let cards = cards.iter().map(|text| Card::new("INPUTS", *text, None));
    let cards = Metadata::new(cards);
    let metadata = old.metadata().followed_by(&cards);
    bare.with_component("metadata", &(Arc::new(metadata) as ObjectRef))
        .unwrap()
}

fn visits(policy: &str) -> Place {
    let place = Place::new("repo", policy);
    let butler = butler(&[&place], 1);
    for visit in 1..=3 {
        let data_id = format!("visit={visit} ccd=1");
        put(&butler, &exposure(visit as f32), "calexp:sfm", &data_id);
    }
    place
}

fn members(butler: &pantler::Butler, name: &str, data_id: &str) -> Vec<String> {
    let plan = butler.explain(name, &id(data_id), Default::default());
    let plan = plan.unwrap_or_else(|error| panic!("{}", error.report()));
    let all = plan.root.children().iter();
    all.map(|node| node.data_id.to_string()).collect()
}

const LIST: &str = "visit=3 ccd=1; visit=1 ccd=1";

#[test]
fn r34_a_coadd_that_was_ingested_finds_what_its_header_lists() {
    let place = visits(COADD);
    put(&butler(&[&place], 1), &made_of(&[LIST]), "coadd", "tract=7");
    let counted = Counted::over(&place);
    let butler = butler(&[&counted.place], 1);
    let before = counted.store.counts();
    assert_eq!(
        members(&butler, "deepCoadd.inputs.wcs", "tract=7"),
        ["visit=3 ccd=1", "visit=1 ccd=1"]
    );
    let read = counted.store.counts() - before;
    assert_eq!(
        read.artifacts_opened, 1,
        "the header of the coadd, and nothing else"
    );
    let all = get(&butler, "deepCoadd.inputs.wcs", "tract=7");
    assert_eq!(all.component_names().len(), 2);
    // The coadd itself needs none of them.
    let before = counted.store.counts();
    let whole = get(&butler, "deepCoadd", "tract=7");
    assert_eq!(whole.class(), "Exposure");
    let opened = (counted.store.counts() - before).artifacts_opened;
    assert!(
        opened <= 2,
        "{opened} artifacts were opened for the coadd alone"
    );
}

#[test]
fn r34_a_put_records_what_the_objects_metadata_list() {
    let place = visits(COADD);
    let butler = butler(&[&place], 1);
    // Several entries are one list.
    let object = made_of(&["visit=3 ccd=1", "visit=1 ccd=1;"]);
    let result = put(&butler, &object, "deepCoadd", "tract=7");
    assert_eq!(result.written, ["coadd/7.fits"]);
    assert_eq!(result.input_only, ["inputs"]);
    let used = Query {
        name: Some("calexp:sfm".into()),
        used_by: Some(("deepCoadd".into(), id("tract=7"))),
        ..Query::default()
    };
    assert_eq!(butler.query(&used).unwrap().len(), 2);
    // It is the identity that was recorded: a newer exposure under the same data ID is another.
    let options = PutOptions {
        on_conflict: OnConflict::Replace,
        ..PutOptions::default()
    };
    butler
        .put(
            &exposure(77.0),
            "calexp:sfm",
            &id("visit=3 ccd=1"),
            &options,
        )
        .unwrap();
    let plan = butler
        .explain("deepCoadd", &id("tract=7"), Default::default())
        .unwrap();
    let inputs = plan.root.children()[1].children();
    let now = butler.explain("calexp:sfm", &id("visit=3 ccd=1"), Default::default());
    let ids = [inputs[0].id(), inputs[1].id()];
    assert!(!ids.contains(&None) && !ids.contains(&now.unwrap().root.id()));
    // Putting what was read records the same again.
    let again = put(
        &butler,
        &get(&butler, "coadd", "tract=7"),
        "coadd",
        "tract=7",
    );
    assert!(again.written.is_empty());
}

#[test]
fn r34_metadata_that_name_nothing_or_nonsense_are_refused() {
    let place = visits(COADD);
    let butler = butler(&[&place], 1);
    let unknown = said(try_put(
        &butler,
        &made_of(&["visit=44 ccd=1"]),
        "deepCoadd",
        "tract=7",
    ));
    assert!(unknown.contains("visit=44"), "{unknown}");
    let nonsense = said(try_put(
        &butler,
        &made_of(&["the best ones"]),
        "deepCoadd",
        "tract=7",
    ));
    assert!(
        nonsense.contains("INPUTS of `deepCoadd` is no list of data IDs"),
        "{nonsense}"
    );
    let nothing = said(try_put(&butler, &exposure(9.0), "deepCoadd", "tract=7"));
    assert!(nothing.contains("--made-from calexp:sfm"), "{nothing}");
    assert!(nothing.contains("INPUTS"), "{nothing}");
    assert!(
        place
            .artifacts()
            .iter()
            .all(|name| name.starts_with("calexp/"))
    );
    // Of what was never put, too.
    put(&butler, &exposure(9.0), "coadd", "tract=8");
    let nothing = said(try_get(&butler, "deepCoadd.inputs", "tract=8"));
    assert!(nothing.contains("INPUTS"), "{nothing}");
    put(&butler, &made_of(&["visit=44 ccd=1"]), "coadd", "tract=9");
    let gone = said(try_get(&butler, "deepCoadd.inputs", "tract=9"));
    assert!(gone.contains("visit=44"), "{gone}");
}

#[test]
fn r34_explain_shows_the_members_that_are_there_and_those_that_are_gone() {
    for ids in ["dataIds: {metadata: INPUTS}", "dataIds: recorded"] {
        let policy = COADD.replace(
            "dataIds: {metadata: INPUTS}",
            &format!("{ids}, optional: true"),
        );
        let place = visits(&policy);
        let butler = butler(&[&place], 1);
        let options = PutOptions {
            inputs: [3, 1]
                .map(|visit| ("calexp:sfm".to_owned(), id(&format!("visit={visit} ccd=1"))))
                .to_vec(),
            ..PutOptions::default()
        };
        butler
            .put(&made_of(&[LIST]), "deepCoadd", &id("tract=7"), &options)
            .unwrap_or_else(|error| panic!("{}", error.report()));
        let force = RemoveOptions {
            force: true,
            ..Default::default()
        };
        butler
            .remove("calexp:sfm", &id("visit=3 ccd=1"), &force)
            .unwrap();
        let plan = butler
            .explain("deepCoadd", &id("tract=7"), Default::default())
            .unwrap_or_else(|error| panic!("{}", error.report()));
        let lines = pantler::explain_tree(&plan);
        let of = |data_id: &str| {
            let line = lines.iter().find(|line| line.data_id.contains(data_id));
            line.unwrap_or_else(|| panic!("no {data_id} in {lines:#?}"))
        };
        assert!(of("visit=3").place.starts_with("gone: "), "{lines:#?}");
        assert!(of("visit=1").place.contains("calexp/0000001"), "{lines:#?}");
        let all = get(&butler, "deepCoadd.inputs.wcs", "tract=7");
        assert_eq!(all.component_names().len(), 1);
        assert!(matches!(plan.root.children()[1].kind, PlanKind::Subset(_)));
    }
}

const LISTS: &str = r#"
datasets:
  note: {template: "notes/%(tract)d/%(patch)d.json", python: dict, storage: JsonStorage}
  flag: {template: "flags/%(visit)d.json", python: dict, storage: JsonStorage}
  notes: {composite: {all: {datasetType: note, subset: true}}}
  both: {composite: {flag: {datasetType: flag}, all: {datasetType: note, subset: true}}}
  outer: {composite: {flag: {datasetType: flag}, notes: {datasetType: notes}}}
"#;

fn lists() -> Place {
    let place = Place::new("repo", LISTS);
    let butler = butler(&[&place], 1);
    let note = |number: i64| -> ObjectRef {
        Arc::new(Document::new(serde_json::json!({ "number": number })))
    };
    for (tract, patch) in [(0, 0), (0, 1), (1, 0)] {
        let data_id = format!("tract={tract} patch={patch}");
        put(&butler, &note(10 * tract + patch), "note", &data_id);
    }
    put(&butler, &note(5), "flag", "visit=5");
    place
}

fn link(
    butler: &pantler::Butler,
    name: &str,
    data_id: &str,
) -> pantler::Result<pantler::PutResult> {
    butler.link(name, &id(data_id), &PutOptions::default())
}

fn count(butler: &pantler::Butler, name: &str, data_id: &str) -> usize {
    let plan = butler.explain(name, &id(data_id), Default::default());
    let plan = plan.unwrap_or_else(|error| panic!("{}", error.report()));
    let mut leaves = 0;
    plan.root.each_read(&mut |_, _| leaves += 1);
    leaves
}

#[test]
fn r16_composites_of_lists_are_told_apart_by_the_keys_that_are_given() {
    let place = lists();
    let butler = butler(&[&place], 1);
    let first = link(&butler, "notes", "tract=0").unwrap();
    let second = link(&butler, "notes", "tract=1").unwrap();
    assert_ne!(first.id, second.id);
    assert_eq!(first.data_id.to_string(), "tract=0");
    assert_eq!(count(&butler, "notes", "tract=0"), 2);
    assert_eq!(count(&butler, "notes", "tract=1"), 1);
    // A record is of what was there when it was made; whoever asks without it gets all.
    let note: ObjectRef = Arc::new(Document::new(serde_json::json!({"number": 2})));
    put(&butler, &note, "note", "tract=0 patch=2");
    assert_eq!(count(&butler, "notes", "tract=0"), 2);
    assert_eq!(count(&butler, "notes", ""), 4);
    assert_eq!(count(&butler, "notes", "patch=0"), 2);
    // What is put back is the same, and another tract is no conflict.
    let again = link(&butler, "notes", "tract=1").unwrap();
    assert_eq!(again.id, second.id);
}

#[test]
fn r16_a_composite_of_lists_needs_a_data_id_to_be_put() {
    let place = lists();
    let said = said(link(&butler(&[&place], 1), "notes", ""));
    assert!(said.contains("needs a data ID"), "{said}");
    assert!(said.contains("tract, patch"), "{said}");
}

#[test]
fn r16_given_keys_of_lists_beside_other_parts_count_as_well() {
    let place = lists();
    let butler = butler(&[&place], 1);
    for name in ["both", "outer"] {
        let first = link(&butler, name, "visit=5 tract=0").unwrap();
        let second = link(&butler, name, "visit=5 tract=1").unwrap();
        assert_ne!(first.id, second.id, "{name}");
        assert_eq!(count(&butler, name, "visit=5 tract=0"), 3, "{name}");
        assert_eq!(count(&butler, name, "visit=5 tract=1"), 2, "{name}");
        assert_eq!(count(&butler, name, "visit=5"), 4, "{name}");
    }
}
