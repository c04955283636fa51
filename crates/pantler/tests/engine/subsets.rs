//! Components that are lists, and keys that some components have and others not.

use std::sync::Arc;

use pantler::{ObjectRef, PutOptions};

use super::support::*;

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
