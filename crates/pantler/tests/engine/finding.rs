//! Finding: completion, records, never another stage (rules R18, R19).

use super::support::*;

#[test]
fn r18_a_missing_key_is_completed_when_one_value_exists() {
    let pair = Pair::new();
    pair.put_parts(8766);
    let plan = pair
        .butler()
        .explain(
            "calexp:jointcal",
            &id("visit=903334 ccd=16"),
            Default::default(),
        )
        .unwrap();
    assert_eq!(
        plan.root.data_id.to_string(),
        "visit=903334 ccd=16 tract=8766"
    );
}

#[test]
fn r18_several_values_are_an_error_that_lists_them_and_marks_the_incomplete() {
    let pair = Pair::new();
    pair.put_parts(0);
    pair.put_parts(1);
    put(
        &pair.butler(),
        &wcs(1.0),
        "jointcal_wcs",
        "visit=903334 ccd=16 tract=9813",
    );
    insta::assert_snapshot!(said(try_get(&pair.butler(), "calexp:jointcal", "visit=903334 ccd=16")), @"
    error: `calexp:jointcal` needs the key `tract`, and 3 values match
      asked for  calexp:jointcal visit=903334 ccd=16
      needed by  component `wcs` (jointcal_wcs), component `calib` (jointcal_calib)
      found      tract=0 (jointcal), tract=1 (jointcal), tract=9813 (jointcal, incomplete: no calib)

    hint: add one of them, for instance tract=0
    hint: `pantler query jointcal calexp:jointcal visit=903334 ccd=16` lists those that are complete
    ");
    // The hint is followed.
    get(
        &pair.butler(),
        "calexp:jointcal",
        "visit=903334 ccd=16 tract=0",
    );
}

#[test]
fn r18_a_half_written_tract_never_turns_a_call_that_worked_into_another_answer() {
    let pair = Pair::new();
    pair.put_parts(0);
    put(
        &pair.butler(),
        &wcs(1.0),
        "jointcal_wcs",
        "visit=903334 ccd=16 tract=5",
    );
    // With tract 5 half written, the call is ambiguous; it neither answers with tract 0 silently nor with tract 5.
    let said = said(try_get(
        &pair.butler(),
        "calexp:jointcal",
        "visit=903334 ccd=16",
    ));
    assert!(said.contains("2 values match"), "{said}");
}

#[test]
fn a_key_without_any_value_says_where_was_looked() {
    let pair = Pair::new();
    insta::assert_snapshot!(said(try_get(&pair.butler(), "calexp:jointcal", "visit=903334 ccd=16")), @"
    error: `calexp:jointcal` needs the key `tract`, and no value was found for it
      asked for  calexp:jointcal visit=903334 ccd=16
      needed by  component `wcs` (jointcal_wcs), component `calib` (jointcal_calib)
      looked in  1. jointcal      nothing that fits
                 2. single_visit  nothing that fits

    hint: give it: tract=…
    ");
}

#[test]
fn a_missing_component_is_never_taken_from_another_stage() {
    let pair = Pair::new();
    put(
        &pair.butler(),
        &wcs(150.0),
        "jointcal_wcs",
        "visit=903334 ccd=16 tract=0",
    );
    let data_id = "visit=903334 ccd=16 tract=0";
    insta::assert_snapshot!(said(try_get(&pair.butler(), "calexp:jointcal", data_id)), @"
    error: component `calib` of `calexp:jointcal` was not found in any repository
      asked for  calexp:jointcal visit=903334 ccd=16 tract=0
      needed by  component `calib`, which is jointcal_calib visit=903334 ccd=16 tract=0 (jointcal/policy.yaml:18)
      looked in  1. jointcal      not in its registry
                 2. single_visit  its policy does not define jointcal_calib
      found      calexp in single_visit, wcs in jointcal
      why        a component is never taken from another stage, so calib of calexp:sfm was not used

    hint: `pantler query jointcal jointcal_calib` lists what there is
    ");
    insta::assert_snapshot!(said(try_get(&pair.butler(), "calexp:jointcal.calib", data_id)), @"
    error: component `calib` of `calexp:jointcal` was not found in any repository
      asked for  calexp:jointcal.calib visit=903334 ccd=16 tract=0
      needed by  component `calib`, which is jointcal_calib visit=903334 ccd=16 tract=0 (jointcal/policy.yaml:18)
      looked in  1. jointcal      not in its registry
                 2. single_visit  its policy does not define jointcal_calib

    hint: `pantler query jointcal jointcal_calib` lists what there is
    ");
    assert!(
        !pair
            .butler()
            .exists("calexp:jointcal", &id(data_id))
            .unwrap()
    );
    // What is there can be had alone.
    assert_eq!(
        right_ascension(&get(&pair.butler(), "calexp:jointcal.wcs", data_id)),
        150.0
    );
}

#[test]
fn a_misspelt_key_is_named() {
    let pair = Pair::new();
    pair.put_parts(0);
    insta::assert_snapshot!(said(try_get(&pair.butler(), "calexp:jointcal", "visti=903334 ccd=16")), @"
    error: unknown key `visti`
      asked for  calexp:jointcal visti=903334 ccd=16
      found      the keys visit, ccd, tract

    hint: did you mean `visit`?
    ");
    insta::assert_snapshot!(said(try_get(&pair.butler(), "calexp:jointcal", "visit=x ccd=16")), @"
    error: the key `visit` is a whole number, and x is not
      asked for  calexp:jointcal visit=x ccd=16
    ");
}

#[test]
fn r19_a_record_wins_over_lookup_and_says_what_is_newer() {
    let pair = Pair::new();
    pair.put_parts(0);
    let data_id = "visit=903334 ccd=16 tract=0";
    let linked = pair
        .butler()
        .link("calexp:jointcal", &id(data_id), &Default::default())
        .unwrap();
    assert!(linked.recorded && linked.written.is_empty());
    // A nearer repository gets another WCS under the same data ID.
    let near = Place::new("near", "");
    let butler = butler(&[&near, &pair.joint, &pair.single], 1);
    put(&butler, &wcs(200.0), "jointcal_wcs", data_id);
    assert_eq!(
        right_ascension(&get(&butler, "calexp:jointcal", data_id)),
        150.0
    );
    assert_eq!(
        right_ascension(&get(&butler, "jointcal_wcs", data_id)),
        200.0
    );
    let plan = butler
        .explain("calexp:jointcal", &id(data_id), Default::default())
        .unwrap();
    let document = pantler::explain_json(&plan);
    assert_eq!(document["origin"], "recorded");
    assert_eq!(
        document["components"]["wcs"]["newer"],
        "near/jointcal/0000/wcs-0903334-016.fits"
    );
    assert_eq!(
        document["components"]["calib"]["newer"],
        serde_json::Value::Null
    );
    let lookup = butler
        .get_composed(
            "calexp:jointcal",
            &id(data_id),
            &Default::default(),
            pantler::Composition::Lookup,
        )
        .unwrap();
    assert_eq!(right_ascension(&lookup), 200.0);
}

#[test]
fn r19_where_a_recorded_part_is_gone_lookup_never_steps_in() {
    let pair = Pair::new();
    pair.put_parts(0);
    let data_id = "visit=903334 ccd=16 tract=0";
    pair.butler()
        .link("calexp:jointcal", &id(data_id), &Default::default())
        .unwrap();
    let options = pantler::RemoveOptions {
        force: true,
        dry_run: false,
    };
    pair.butler()
        .remove("jointcal_wcs", &id(data_id), &options)
        .unwrap();
    put(&pair.butler(), &wcs(300.0), "jointcal_wcs", data_id);
    let said = said(try_get(&pair.butler(), "calexp:jointcal", data_id));
    assert!(
        said.starts_with("error: the recorded component `wcs` of `calexp:jointcal` is gone"),
        "{said}"
    );
    assert!(
        said.contains("which names jointcal_wcs visit=903334 ccd=16 tract=0, dataset "),
        "{said}"
    );
}

#[test]
fn a_composite_is_listed_as_a_type_of_its_own() {
    let pair = Pair::new();
    pair.put_parts(0);
    pair.put_parts(1);
    put(
        &pair.butler(),
        &wcs(1.0),
        "jointcal_wcs",
        "visit=903334 ccd=16 tract=9813",
    );
    pair.butler()
        .link(
            "calexp:jointcal",
            &id("visit=903334 ccd=16 tract=1"),
            &Default::default(),
        )
        .unwrap();
    let query = pantler::Query {
        name: Some("calexp:jointcal".into()),
        ..Default::default()
    };
    let found = pair.butler().query(&query).unwrap();
    let listed: Vec<(String, bool)> = found
        .iter()
        .map(|each| (each.data_id.to_string(), each.id.is_some()))
        .collect();
    assert_eq!(
        listed,
        [
            ("visit=903334 ccd=16 tract=0".to_owned(), false),
            ("visit=903334 ccd=16 tract=1".to_owned(), true)
        ]
    );
}
