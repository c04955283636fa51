//! Queries over chains: columns, places on the sky, keys of other types, siblings, tags, what was made from what.

use std::sync::Arc;

use pantler::core::Expression;
use pantler::{Butler, ButlerOptions, Chain, ObjectRef, PutOptions, Query};

use super::support::*;

const NOTES: &str = r#"
datasets:
  note: {template: "note/%(visit)d/%(ccd)d.json", python: dict, storage: JsonStorage}
  raw: {template: "raw/%(filter)s/%(visit)d-%(ccd)d.json", python: dict, storage: JsonStorage}
  flat: {template: "flat/%(filter)s/%(ccd)d.json", python: dict, storage: JsonStorage}
"#;

fn note(number: i64) -> ObjectRef {
    Arc::new(pantler::objects::Document::new(
        serde_json::json!({"number": number}),
    ))
}

fn listed(butler: &Butler, query: &Query) -> Vec<String> {
    let found = butler.query(query);
    let found = found.unwrap_or_else(|error| panic!("{}", error.report()));
    found.iter().map(|each| each.data_id.to_string()).collect()
}

fn of(name: &str, data_id: &str) -> Query {
    Query {
        name: Some(name.to_owned()),
        data_id: id(data_id),
        ..Query::default()
    }
}

fn with(query: Query, condition: &str) -> Query {
    Query {
        condition: Some(Expression::parse(condition).unwrap()),
        ..query
    }
}

/// Two inputs over which a composite takes its parts, none of them a parent of another.
fn siblings(same: bool, in_order: bool, tags: &[(&str, &str)]) -> Butler {
    let places = [
        Place::new("single_visit", SINGLE_VISIT),
        Place::new("first", JOINTCAL),
        Place::new("second", JOINTCAL),
    ];
    let data_id = "visit=903334 ccd=16 tract=0";
    put(
        &butler(&[&places[0]], 1),
        &exposure(1.0),
        "calexp:sfm",
        "visit=903334 ccd=16",
    );
    for (place, ra) in places[1..]
        .iter()
        .zip([150.0, if same { 150.0 } else { 151.0 }])
    {
        let butler = butler(&[place, &places[0]], 1);
        put(&butler, &wcs(ra), "jointcal_wcs", data_id);
        put(&butler, &calib(1e12), "jointcal_calib", data_id);
    }
    let repositories = places.iter().map(Place::open).collect();
    let mut chain = Chain::of_siblings(repositories).unwrap();
    for (repository, tag) in tags {
        chain.add_tag(repository.as_ref(), tag).unwrap();
    }
    Butler::of(
        chain,
        ButlerOptions {
            inputs_in_order: in_order,
            ..options()
        },
    )
}

const TRACT: &str = "visit=903334 ccd=16 tract=0";

#[test]
fn r17_different_content_in_two_siblings_is_an_error_that_names_both() {
    let butler = siblings(false, false, &[]);
    insta::assert_snapshot!(said(try_get(&butler, "calexp:jointcal", TRACT)), @"
    error: component `wcs` is not the same in two inputs, of which neither builds on the other
      asked for  calexp:jointcal visit=903334 ccd=16 tract=0
      needed by  component `wcs`, which is jointcal_wcs tract=0 visit=903334 ccd=16
      found      first  jointcal/0000/wcs-0903334-016.fits
                 second  jointcal/0000/wcs-0903334-016.fits

    hint: name one of the inputs alone, or say that their order decides (--inputs-in-order)
    ");
    // A plain dataset is for search order to decide.
    assert_eq!(right_ascension(&get(&butler, "jointcal_wcs", TRACT)), 150.0);
}

#[test]
fn r17_equal_content_in_two_siblings_is_one_dataset() {
    let butler = siblings(true, false, &[]);
    assert_eq!(
        right_ascension(&get(&butler, "calexp:jointcal", TRACT)),
        150.0
    );
}

#[test]
fn r17_the_order_of_inputs_or_a_tag_decides_between_siblings() {
    let butler = siblings(false, true, &[]);
    assert_eq!(
        right_ascension(&get(&butler, "calexp:jointcal", TRACT)),
        150.0
    );
    let tags = [("second", "weekly"), ("single_visit", "weekly")];
    let butler = siblings(false, false, &tags);
    let tagged = format!("{TRACT} tag=weekly");
    assert_eq!(
        right_ascension(&get(&butler, "calexp:jointcal", &tagged)),
        151.0
    );
    let said = said(try_get(
        &butler,
        "calexp:jointcal",
        &format!("{TRACT} tag=daily"),
    ));
    assert!(said.contains("no repository is tagged `daily`"), "{said}");
    assert!(said.contains("the tags weekly"), "{said}");
}

#[test]
fn r17_a_child_shadows_its_parents() {
    let pair = Pair::new();
    pair.put_parts(0);
    let child = Place::new("child", "");
    put(
        &butler(&[&child, &pair.joint, &pair.single], 1),
        &wcs(170.0),
        "jointcal_wcs",
        TRACT,
    );
    let butler = butler(&[&child, &pair.joint, &pair.single], 0);
    assert_eq!(
        right_ascension(&get(&butler, "calexp:jointcal", TRACT)),
        170.0
    );
}

fn with_filters() -> Place {
    let place = Place::new("repo", NOTES);
    let butler = butler(&[&place], 1);
    for (visit, filter) in [(1, "g"), (2, "r"), (3, "g")] {
        put(
            &butler,
            &note(visit),
            "note",
            &format!("visit={visit} ccd=5"),
        );
        if visit < 3 {
            let raw = format!("visit={visit} ccd=5 filter={filter}");
            put(&butler, &note(visit), "raw", &raw);
        }
    }
    put(&butler, &note(0), "flat", "ccd=5 filter=z");
    place
}

#[test]
fn r27_a_known_key_that_is_not_used_must_agree_with_the_registry() {
    let place = with_filters();
    let butler = butler(&[&place], 1);
    get(&butler, "note", "visit=1 ccd=5 filter=g");
    insta::assert_snapshot!(said(try_get(&butler, "note", "visit=1 ccd=5 filter=r")), @"
    error: `filter` of this dataset is not r
      asked for  note visit=1 ccd=5 filter=r
      found      filter=g (raw filter=g visit=1 ccd=5, in repo)

    hint: leave `filter` out: `note` is picked without it
    ");
    // Where nothing is known, there is nothing to disagree with; the flat of the detector says nothing about a visit.
    get(&butler, "note", "visit=3 ccd=5 filter=y");
    let refused = said(try_put(&butler, &note(9), "note", "visit=2 ccd=5 filter=g"));
    assert!(
        refused.contains("`filter` of this dataset is not g"),
        "{refused}"
    );
    let slip = said(try_get(&butler, "note", "visit=1 ccd=5 fliter=g"));
    assert!(slip.contains("unknown key `fliter`"), "{slip}");
}

#[test]
fn r27_a_query_takes_keys_of_other_types_from_what_is_known() {
    let place = with_filters();
    let butler = butler(&[&place], 1);
    assert_eq!(
        listed(&butler, &of("note", "filter=g")),
        ["visit=1 ccd=5", "visit=3 ccd=5"],
        "the filter of visit 3 is not known"
    );
    let by_condition = with(of("note", ""), "filter = 'g'");
    assert_eq!(listed(&butler, &by_condition), ["visit=1 ccd=5"]);
    let unknown = with(of("note", ""), "filter is null");
    assert_eq!(listed(&butler, &unknown), ["visit=3 ccd=5"]);
    let ordered = Query {
        order_by: vec![("filter".into(), true), ("visit".into(), true)],
        ..of("note", "")
    };
    assert_eq!(
        listed(&butler, &ordered),
        ["visit=2 ccd=5", "visit=1 ccd=5", "visit=3 ccd=5"]
    );
}

#[test]
fn metadata_columns_can_be_asked_for_and_ordered_by() {
    let place = Place::new(
        "repo",
        r#"
datasets:
  calexp:
    template: "calexp/%(visit)d.fits"
    python: lsst.afw.image.ExposureF
    storage: FitsStorage
    metadata: {observer: OBSERVER, exptime: EXPTIME}
  calexp_wcs: {template: "calexp/%(visit)d.fits", python: lsst.afw.image.Wcs, storage: FitsStorage}
"#,
    );
    let butler = butler(&[&place], 1);
    put(&butler, &exposure(1.0), "calexp", "visit=1");
    let bare = get(&butler, "calexp", "visit=1");
    let header = pantler::objects::Metadata::new([
        pantler::objects::Card::new("OBSERVER", "Maria", None),
        pantler::objects::Card::new("EXPTIME", 30.5, None),
    ]);
    let header: ObjectRef = Arc::new(header);
    put(
        &butler,
        &bare.with_component("metadata", &header).unwrap(),
        "calexp",
        "visit=2",
    );
    let maria = with(
        of("calexp", ""),
        "observer like 'M%' and exptime between 30 and 31",
    );
    assert_eq!(listed(&butler, &maria), ["visit=2"]);
    let ordered = |descending| Query {
        order_by: vec![("observer".into(), descending)],
        limit: Some(1),
        ..of("calexp", "")
    };
    assert_eq!(listed(&butler, &ordered(false)), ["visit=1"]);
    assert_eq!(listed(&butler, &ordered(true)), ["visit=2"]);
    let none = with(
        of("calexp", ""),
        "exptime is null and bytes > 100 and stage is null",
    );
    assert_eq!(listed(&butler, &none), ["visit=1"]);
    // A type that reads the same files has the same datasets.
    assert_eq!(
        listed(&butler, &of("calexp_wcs", "")),
        ["visit=1", "visit=2"]
    );
    assert_eq!(listed(&butler, &of("calexp_wcs", "visit=2")), ["visit=2"]);
    let slip = said(butler.query(&with(of("calexp", ""), "obsever = 'M'")));
    assert!(slip.contains("unknown key `obsever`"), "{slip}");
}

#[test]
fn a_nearer_dataset_hides_a_farther_one_whether_or_not_it_fits() {
    let policy =
        "datasets:\n  note: {template: \"%(visit)d.json\", python: dict, storage: JsonStorage}\n";
    let (near, far) = (Place::new("near", policy), Place::new("far", policy));
    put(&butler(&[&far], 1), &note(1), "note", "visit=1");
    put(&butler(&[&far], 1), &note(2), "note", "visit=2");
    put(&butler(&[&near], 1), &note(1), "note", "visit=1");
    let butler = butler(&[&near, &far], 1);
    let far_only = with(of("note", ""), "repository = 'far'");
    assert_eq!(listed(&butler, &far_only), ["visit=2"]);
    let two = Query {
        limit: Some(1),
        order_by: vec![("visit".into(), true)],
        ..of("note", "")
    };
    assert_eq!(listed(&butler, &two), ["visit=2"]);
}

#[test]
fn a_listing_goes_on_past_the_first_pages_in_order() {
    let policy =
        "datasets:\n  note: {template: \"%(visit)d.json\", python: dict, storage: JsonStorage}\n";
    let (near, far) = (Place::new("near", policy), Place::new("far", policy));
    for (place, step) in [(&near, 2), (&far, 3)] {
        let butler = butler(&[place], 1);
        for number in 0..700 {
            put(
                &butler,
                &note(number),
                "note",
                &format!("visit={}", number * step),
            );
        }
    }
    let butler = butler(&[&near, &far], 0);
    let listing = butler.listing(&of("note", "")).unwrap();
    let visits: Vec<i64> = listing
        .map(|each| match each.unwrap().data_id.get("visit") {
            Some(pantler::KeyValue::Int(visit)) => *visit,
            other => panic!("{other:?}"),
        })
        .collect();
    let mut expected: Vec<i64> = (0..700)
        .flat_map(|number| [number * 2, number * 3])
        .collect();
    expected.sort_unstable();
    expected.dedup();
    assert_eq!(visits, expected);
}

/// One detector of 8 by 6 pixels of 5e-5 degrees, of which the point (right ascension, 2.5) is the pixel (3, 2).
#[test]
fn overlaps_finds_what_touches_through_the_coordinates_that_a_composite_names() {
    let pair = Pair::new();
    pair.put_parts(0);
    let butler = pair.butler();
    let near = |name: &str, ra: f64| {
        let condition = format!("overlaps(circle({ra}, 2.5, 0.0001))");
        listed(&butler, &with(of(name, ""), &condition)).len()
    };
    // The exposure itself is centred on 149, the tract's own coordinates on 150.
    assert_eq!(near("calexp:sfm", 149.0), 1);
    assert_eq!(near("calexp:sfm", 150.0), 0);
    assert_eq!(near("calexp:jointcal", 150.0), 1, "by lookup");
    assert_eq!(near("calexp:jointcal", 149.0), 0, "by lookup");
    butler
        .link("calexp:jointcal", &id(TRACT), &PutOptions::default())
        .unwrap();
    assert_eq!(near("calexp:jointcal", 150.0), 1, "recorded");
    assert_eq!(near("calexp:jointcal", 149.0), 0, "recorded");
    let corner = "overlaps(polygon(150.0001, 2.4, 150.1, 2.4, 150.1, 2.6, 150.0001, 2.6))";
    assert_eq!(
        listed(&butler, &with(of("calexp:jointcal", ""), corner)).len(),
        1
    );
    let beside = "overlaps(polygon(150.0002, 2.4, 150.1, 2.4, 150.1, 2.6, 150.0002, 2.6))";
    assert_eq!(
        listed(&butler, &with(of("calexp:jointcal", ""), beside)).len(),
        0
    );
    let outside = with(of("calexp:sfm", ""), "not overlaps(circle(150, 2.5, 0.1))");
    assert_eq!(listed(&butler, &outside).len(), 1);
}

#[test]
fn regions_that_cannot_be_compared_are_refused_kindly() {
    let pair = Pair::new();
    let ask = |condition: &str| said(pair.butler().query(&with(of("calexp:sfm", ""), condition)));
    let tract = ask("overlaps(tract(9813))");
    assert!(tract.contains("needs a sky map"), "{tract}");
    let arrow = ask("overlaps(polygon(0, 0, 2, 2, 4, 0, 2, 5))");
    assert!(arrow.contains("no convex polygon"), "{arrow}");
}

const COADD: &str = r#"
datasets:
  coadd: {template: "coadd/%(tract)d.fits", python: lsst.afw.image.ExposureF, storage: FitsStorage}
  deepCoadd:
    python: lsst.afw.image.ExposureF
    composite:
      coadd: {datasetType: coadd, base: true}
      inputs: {datasetType: "calexp:sfm", subset: true, dataIds: recorded}
"#;

fn inputs(visits: &[i64]) -> PutOptions {
    PutOptions {
        inputs: visits
            .iter()
            .map(|visit| ("calexp:sfm".to_owned(), id(&format!("visit={visit} ccd=1"))))
            .collect(),
        ..PutOptions::default()
    }
}

/// A coadd of two visits, of three that there are.
fn coadd(policy: &str) -> Place {
    let place = Place::new(
        "repo",
        &format!(
            "{SINGLE_VISIT}{}",
            policy.trim_start().trim_start_matches("datasets:")
        ),
    );
    let butler = butler(&[&place], 1);
    for visit in 1..=3 {
        put(
            &butler,
            &exposure(visit as f32),
            "calexp:sfm",
            &format!("visit={visit} ccd=1"),
        );
    }
    let put = butler.put(
        &exposure(9.0),
        "deepCoadd",
        &id("tract=7"),
        &inputs(&[3, 1]),
    );
    put.unwrap_or_else(|error| panic!("{}", error.report()));
    place
}

#[test]
fn r34_recorded_precursors_are_had_without_their_keys_in_the_data_id() {
    let place = coadd(COADD);
    let counted = Counted::over(&place);
    let butler = butler(&[&counted.place], 1);
    let plan = butler.explain("deepCoadd.inputs.wcs", &id("tract=7"), Default::default());
    let plan = plan.unwrap_or_else(|error| panic!("{}", error.report()));
    let of: Vec<String> = plan
        .root
        .children()
        .iter()
        .map(|node| node.data_id.to_string())
        .collect();
    assert_eq!(of, ["visit=3 ccd=1", "visit=1 ccd=1"]);
    let all = get(&butler, "deepCoadd.inputs.wcs", "tract=7");
    assert_eq!(all.component_names().len(), 2);
    let made_from = |visit: i64| Query {
        made_from: Some(("calexp:sfm".into(), id(&format!("visit={visit} ccd=1")))),
        ..of_type("deepCoadd")
    };
    assert_eq!(listed(&butler, &made_from(1)), ["tract=7"]);
    assert_eq!(listed(&butler, &made_from(2)), [""; 0]);
    let used = Query {
        used_by: Some(("deepCoadd".into(), id("tract=7"))),
        ..of_type("calexp:sfm")
    };
    assert_eq!(listed(&butler, &used), ["visit=1 ccd=1", "visit=3 ccd=1"]);
}

fn of_type(name: &str) -> Query {
    of(name, "")
}

#[test]
fn r34_a_precursor_that_was_removed_is_an_error_that_names_it_unless_it_is_optional() {
    for (policy, is_optional) in [
        (COADD.to_owned(), false),
        (
            COADD.replace("dataIds: recorded", "dataIds: recorded, optional: true"),
            true,
        ),
    ] {
        let place = coadd(&policy);
        let butler = butler(&[&place], 1);
        let force = pantler::RemoveOptions {
            force: true,
            ..Default::default()
        };
        butler
            .remove("calexp:sfm", &id("visit=3 ccd=1"), &force)
            .unwrap();
        let got = try_get(&butler, "deepCoadd.inputs.wcs", "tract=7");
        if is_optional {
            assert_eq!(got.unwrap().component_names().len(), 1);
        } else {
            let said = said(got);
            assert!(said.contains("visit=3 ccd=1"), "{said}");
        }
    }
}

#[test]
fn r34_a_file_dataset_keeps_what_it_was_made_from() {
    let place = coadd(COADD);
    let butler = butler(&[&place], 1);
    butler
        .put(&exposure(5.0), "coadd", &id("tract=8"), &inputs(&[2]))
        .unwrap();
    let made = Query {
        made_from: Some(("calexp:sfm".into(), id("visit=2 ccd=1"))),
        ..Query::default()
    };
    assert_eq!(listed(&butler, &made), ["tract=8"]);
    let unknown = butler.put(&exposure(6.0), "coadd", &id("tract=9"), &inputs(&[44]));
    assert!(said(unknown).contains("visit=44"));
    let nothing = said(try_put(&butler, &exposure(6.0), "deepCoadd", "tract=9"));
    assert!(nothing.contains("--made-from calexp:sfm"), "{nothing}");
}

#[test]
fn r16_a_composite_that_declares_its_keys_is_listed_by_them() {
    let policy = r#"
datasets:
  note: {template: "notes/%(filter)s/%(visit)d.json", python: dict, storage: JsonStorage}
  notes: {keys: [filter], composite: {all: {datasetType: note, subset: true}}}
  all_notes: {composite: {all: {datasetType: note, subset: true}}}
"#;
    let place = Place::new("repo", policy);
    let butler = butler(&[&place], 1);
    for (visit, filter) in [(1, "r"), (2, "g"), (3, "r")] {
        put(
            &butler,
            &note(visit),
            "note",
            &format!("visit={visit} filter={filter}"),
        );
    }
    assert_eq!(listed(&butler, &of("notes", "")), ["filter=g", "filter=r"]);
    assert!(butler.exists("notes", &id("filter=r")).unwrap());
    assert!(!butler.exists("notes", &id("filter=y")).unwrap());
    let needs = said(butler.query(&of("all_notes", "")));
    assert!(needs.contains("keys: […]"), "{needs}");
    assert_eq!(listed(&butler, &of("all_notes", "filter=r")), ["filter=r"]);
    assert_eq!(listed(&butler, &of("all_notes", "filter=y")), [""; 0]);
}

#[test]
fn aliases_are_given_and_taken_back_without_touching_the_policy() {
    let pair = Pair::new();
    let policy = pair.joint.bytes_of("policy.yaml");
    pair.butler().set_alias("calexp", "calexp:sfm").unwrap();
    let meant = pair.butler().resolve("calexp", &id("visit=1")).unwrap();
    assert_eq!(meant.dataset_type.as_str(), "calexp:sfm");
    let unknown = said(pair.butler().set_alias("calexp", "calexp:nothing"));
    assert!(unknown.contains("calexp:nothing"), "{unknown}");
    pair.butler().remove_alias("calexp").unwrap();
    let meant = pair.butler().resolve("calexp", &id("visit=1")).unwrap();
    assert_eq!(
        meant.dataset_type.as_str(),
        "calexp:jointcal",
        "the policy's own counts again"
    );
    let own = said(pair.butler().remove_alias("calexp"));
    assert!(own.contains("does not rewrite"), "{own}");
    assert_eq!(pair.joint.bytes_of("policy.yaml"), policy);
}

#[test]
fn a_diff_tells_which_components_differ() {
    let pair = Pair::new();
    pair.put_parts(0);
    let entries = pair
        .butler()
        .diff("calexp:sfm", "calexp:jointcal", &id(TRACT));
    let entries = entries.unwrap_or_else(|error| panic!("{}", error.report()));
    let of = |name: &str| {
        let entry = entries.iter().find(|entry| entry.component == name);
        entry
            .unwrap_or_else(|| panic!("{name} in {entries:?}"))
            .comparison
            .clone()
    };
    assert_eq!(of("image"), pantler::Comparison::Same);
    assert_eq!(of("mask"), pantler::Comparison::Same);
    assert!(matches!(of("wcs"), pantler::Comparison::Different(_)));
}
