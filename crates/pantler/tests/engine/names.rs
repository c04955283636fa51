//! Names, stages, aliases, definitions (rules R1 to R6).

use super::support::*;

#[test]
fn r1_components_may_stand_before_the_stage() {
    let pair = Pair::new();
    pair.put_parts(0);
    let butler = pair.butler();
    let one = get(
        &butler,
        "calexp:jointcal.wcs",
        "visit=903334 ccd=16 tract=0",
    );
    let other = get(
        &butler,
        "calexp.wcs:jointcal",
        "visit=903334 ccd=16 tract=0",
    );
    assert_eq!(right_ascension(&one), 150.0);
    assert!(one.difference(other.as_ref()).is_none());
}

#[test]
fn r1_a_definition_of_a_dotted_name_is_that_component() {
    let pair = Pair::new();
    let place = Place::new(
        "jointcal",
        r#"
datasets:
  calexp.wcs:jointcal:
    template: "wcs/%(tract)04d/%(visit)07d-%(ccd)03d.fits"
    python: lsst.afw.image.Wcs
    storage: FitsStorage
  calexp:jointcal:
    python: lsst.afw.image.ExposureF
    composite:
      calexp: {datasetType: "calexp:sfm", inputOnly: true}
"#,
    );
    let butler = butler(&[&place, &pair.single], 1);
    let data_id = "visit=903334 ccd=16 tract=3";
    put(&butler, &wcs(153.0), "calexp:jointcal.wcs", data_id);
    assert_eq!(place.artifacts(), ["wcs/0003/0903334-016.fits"]);
    assert_eq!(
        right_ascension(&get(&butler, "calexp:jointcal", data_id)),
        153.0
    );
}

#[test]
fn r2_version_selects_the_stage() {
    let pair = Pair::new();
    pair.put_parts(0);
    let butler = pair.butler();
    let by_name = get(&butler, "calexp:jointcal", "visit=903334 ccd=16 tract=0");
    let by_key = get(
        &butler,
        "calexp",
        "visit=903334 ccd=16 tract=0 version=jointcal",
    );
    assert!(by_name.difference(by_key.as_ref()).is_none());
    let sfm = get(&butler, "calexp", "visit=903334 ccd=16 version=sfm");
    assert_eq!(right_ascension(&sfm), 149.0);
}

#[test]
fn r2_version_and_another_stage_is_an_error() {
    let pair = Pair::new();
    let said = said(try_get(
        &pair.butler(),
        "calexp:jointcal",
        "visit=903334 ccd=16 version=sfm",
    ));
    insta::assert_snapshot!(said, @r"
    error: the name asks for stage `jointcal` and the data ID for version `sfm`
      asked for  calexp:jointcal visit=903334 ccd=16 version=sfm

    hint: give the stage once: in the name, or as version=…
    ");
}

#[test]
fn r2_version_and_the_plain_type_is_an_error_too() {
    let pair = Pair::new();
    let said = said(try_get(
        &pair.butler(),
        "calexp:",
        "visit=903334 ccd=16 version=sfm",
    ));
    assert!(
        said.starts_with(
            "error: the name asks for the plain type and the data ID for version `sfm`"
        ),
        "{said}"
    );
}

#[test]
fn r3_an_alias_applies_to_callers_and_never_to_definitions() {
    let pair = Pair::new();
    pair.put_parts(0);
    let butler = pair.butler();
    assert_eq!(
        right_ascension(&get(&butler, "calexp", "visit=903334 ccd=16 tract=0")),
        150.0
    );
    // The parent alone has no such alias.
    let parent = super::support::butler(&[&pair.single], 0);
    let said = said(try_get(&parent, "calexp", "visit=903334 ccd=16"));
    assert!(said.starts_with("error: `calexp` needs a stage"), "{said}");
}

#[test]
fn r3_the_plain_type_is_reached_past_its_alias() {
    let place = Place::new(
        "repo",
        r#"
aliases: {calexp: "calexp:new"}
datasets:
  calexp: {template: "old/%(visit)d.fits", python: ExposureF, storage: FitsStorage}
  calexp:new: {template: "new/%(visit)d.fits", python: ExposureF, storage: FitsStorage}
  made: {python: ExposureF, composite: {base: {datasetType: calexp}}}
"#,
    );
    let butler = butler(&[&place], 1);
    put(&butler, &exposure(1.0), "calexp:", "visit=1");
    put(&butler, &exposure(2.0), "calexp", "visit=1");
    assert_eq!(place.artifacts(), ["new/1.fits", "old/1.fits"]);
    let plain = get(&butler, "calexp:", "visit=1");
    let aliased = get(&butler, "calexp", "visit=1");
    assert!(plain.difference(aliased.as_ref()).is_some());
    // `made` says `datasetType: calexp`, and means what it meant when it was written.
    let made = get(&butler, "made", "visit=1");
    assert_eq!(
        made.component("image").unwrap().digest_values(),
        plain.component("image").unwrap().digest_values()
    );
}

#[test]
fn r3_names_built_from_a_type_follow_the_alias() {
    let pair = Pair::new();
    pair.put_parts(0);
    let built = get(&pair.butler(), "calexp_wcs", "visit=903334 ccd=16 tract=0");
    assert_eq!(right_ascension(&built), 150.0);
}

#[test]
fn r4_an_unqualified_name_lists_its_stages() {
    let pair = Pair::new();
    let parent = butler(&[&pair.single], 0);
    insta::assert_snapshot!(said(try_get(&parent, "calexp", "visit=903334 ccd=16")), @r"
    error: `calexp` needs a stage: there is no plain `calexp` and no alias for it
      asked for  calexp visit=903334 ccd=16
      looked in  the policy of single_visit (1 type)
      found      calexp:sfm

    hint: ask for calexp:sfm
    ");
}

#[test]
fn an_unknown_type_is_named_with_what_was_meant() {
    let pair = Pair::new();
    insta::assert_snapshot!(said(try_get(&pair.butler(), "jointcal_wsc", "visit=903334 ccd=16")), @r"
    error: unknown dataset type `jointcal_wsc`
      asked for  jointcal_wsc visit=903334 ccd=16
      looked in  the policies of jointcal (3 types) and single_visit (1 type)

    hint: did you mean `jointcal_wcs`? (jointcal/policy.yaml:5)
    ");
}

/// The stage is left out by whoever types, so a slip is one of the name in front of it.
#[test]
fn a_slip_in_a_name_without_its_stage_is_understood() {
    let pair = Pair::new();
    let hint = |name: &str| {
        let said = said(try_get(&pair.butler(), name, "visit=903334 ccd=16"));
        let hint = said.lines().find(|line| line.starts_with("hint: "));
        hint.map(str::to_owned)
    };
    assert_eq!(
        hint("calxp").as_deref(),
        Some("hint: did you mean `calexp`?")
    );
    assert_eq!(
        hint("calxp:jointcal.wcs").as_deref(),
        Some("hint: did you mean `calexp:jointcal`? (jointcal/policy.yaml:13)")
    );
    assert_eq!(hint("flat"), None);
}

#[test]
fn r5_a_child_that_redefines_a_template_does_not_move_its_parents_artifacts() {
    let pair = Pair::new();
    let child = Place::new(
        "child",
        r#"
datasets:
  calexp:sfm: {template: "elsewhere/%(visit)d-%(ccd)d.fits", python: lsst.afw.image.ExposureF, storage: FitsStorage}
"#,
    );
    let butler = butler(&[&child, &pair.single], 1);
    let from_parent = get(&butler, "calexp:sfm", "visit=903334 ccd=16");
    assert_eq!(from_parent.class(), "Exposure");
    put(&butler, &exposure(7.0), "calexp:sfm", "visit=5 ccd=1");
    assert_eq!(child.artifacts(), ["elsewhere/5-1.fits"]);
}

#[test]
fn r6_editing_a_template_loses_nothing_that_was_written_before() {
    let place = Place::new("repo", SINGLE_VISIT);
    put(
        &butler(&[&place], 1),
        &exposure(1.0),
        "calexp:sfm",
        "visit=1 ccd=2",
    );
    write_policy(
        place.store.as_ref(),
        &SINGLE_VISIT.replace("calexp/", "processed/"),
    );
    let butler = butler(&[&place], 1);
    put(&butler, &exposure(2.0), "calexp:sfm", "visit=2 ccd=2");
    assert_eq!(
        place.artifacts(),
        ["calexp/0000001/002.fits", "processed/0000002/002.fits"]
    );
    assert_eq!(
        get(&butler, "calexp:sfm", "visit=1 ccd=2").class(),
        "Exposure"
    );
}

#[test]
fn r6_what_was_written_whole_is_read_whole_after_the_policy_says_parts() {
    let pair = Pair::new();
    let whole = JOINTCAL
        .split("  calexp:jointcal:")
        .next()
        .unwrap()
        .to_owned()
        + "  calexp:jointcal:\n    template: \"whole/%(tract)d/%(visit)d-%(ccd)d.fits\"\n    python: lsst.afw.image.ExposureF\n    storage: FitsStorage\n";
    write_policy(pair.joint.store.as_ref(), &whole);
    put(
        &pair.butler(),
        &exposure(9.0),
        "calexp:jointcal",
        "visit=903334 ccd=16 tract=1",
    );
    write_policy(pair.joint.store.as_ref(), JOINTCAL);
    pair.put_parts(2);
    let butler = pair.butler();
    let old = get(&butler, "calexp:jointcal", "visit=903334 ccd=16 tract=1");
    assert!(old.difference(exposure(9.0).as_ref()).is_none());
    assert_eq!(
        right_ascension(&get(
            &butler,
            "calexp:jointcal",
            "visit=903334 ccd=16 tract=2"
        )),
        152.0
    );
}
