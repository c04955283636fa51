//! What needs more than one policy: types of parents, and checks that only a chain can make.

use super::*;

/// Loads one text as the policy of a child, whose parent has the other.
fn child_of(parent: &str, child: &str) -> (Policy, Vec<Problem>) {
    let parent = sound(parent);
    let (child, problems) = load_all(&["{}", child]);
    match child.with_parents(&[&parent]) {
        Some(complete) => complete,
        None => (child, problems),
    }
}

const PARENT: &str = "exposures:
  calexp: {template: 'calexp/%(visit)d.fits', python: ExposureF, description: what it is}
datasets:
  srccat: {template: 'src/%(visit)d.fits', python: Table, storage: FitsCatalogStorage, tables: [raw]}
  srccat_blue(srccat): {template: 'blue/%(visit)d.fits'}
";

#[test]
fn a_definition_inherits_from_a_parents_policy_in_both_spellings() {
    let (policy, problems) = child_of(
        PARENT,
        "datasets:
  srccat_green(srccat): {template: 'green/%(visit)d.fits'}
  srccat_red: {inherits: srccat_blue, template: 'red/%(visit)d.fits'}
  warp(calexp): {template: 'warp/%(visit)d.fits'}
  warp_again: {inherits: warp, template: 'again/%(visit)d.fits'}
",
    );
    assert!(problems.is_empty(), "{}", shown(&problems));
    assert!(policy.check_references(&|_| false).is_empty());
    for name in ["srccat_green", "srccat_red"] {
        let heir = find(&policy, name);
        assert_eq!(
            heir.storage.as_deref(),
            Some("FitsCatalogStorage"),
            "{name}"
        );
        assert_eq!(heir.tables, ["raw"], "{name}");
        assert!(heir.complaints.is_empty(), "{name}");
    }
    // What the section says of the parent's type is inherited with it; what the type is for is not.
    for name in ["warp", "warp_again"] {
        let heir = find(&policy, name);
        assert_eq!(heir.storage.as_deref(), Some("FitsStorage"), "{name}");
        assert_eq!(heir.description, None, "{name}");
    }
    // Each key stands where it was given.
    let places: Vec<String> = find(&policy, "srccat_red")
        .key_places
        .iter()
        .map(|(key, place)| format!("{key} {place}"))
        .collect();
    assert_eq!(
        places,
        [
            "template policy2.yaml:3",
            "python policy.yaml:4",
            "storage policy.yaml:4",
            "tables policy.yaml:4",
            "inherits policy2.yaml:3"
        ]
    );
    // What is written for others to read needs no parent (rule R7).
    let text = format!(
        "datasets:\n  {}",
        find(&policy, "srccat_red").yaml.replace('\n', "\n  ")
    );
    assert_eq!(
        find(&sound(&text), "srccat_red").storage.as_deref(),
        Some("FitsCatalogStorage")
    );
}

#[test]
fn what_nobody_above_defines_is_named() {
    let (policy, problems) = child_of(PARENT, "datasets:\n  green(srcat): {template: g}\n");
    assert!(problems.is_empty());
    // That some other policy of a chain has the type is no help: this repository could not be opened alone.
    insta::assert_snapshot!(shown(&policy.check_references(&|_| true)), @r"
    error[unknown-type]: `green` inherits `srcat`, which neither this policy nor a parent's defines
      --> policy2.yaml:2:3
    2 |   green(srcat): {template: g}
      |   ^^^^^^^^^^^^
    ");
    assert_eq!(find(&policy, "green").complaints.len(), 2);
}

#[test]
fn a_childs_mistake_in_what_it_inherits_is_found() {
    let (_, problems) = child_of(
        PARENT,
        "datasets:\n  green(srccat): {template: '%(visit)q'}\n",
    );
    assert_eq!(problems.len(), 1, "{}", shown(&problems));
    assert_eq!(problems[0].code, "bad-template");
}

#[test]
fn a_type_that_inherits_from_itself_is_named_in_a_child_too() {
    insta::assert_snapshot!(
        shown(&child_of(PARENT, "datasets:\n  srccat(srccat): {template: s}\n").1),
        @r"
    error[inheritance-circle]: inheritance goes in a circle: `srccat` inherits `srccat`
      --> policy2.yaml:2:3
    2 |   srccat(srccat): {template: s}
      |   ^^^^^^^^^^^^^^
    "
    );
}

#[test]
fn recipes_are_used_and_known() {
    let policy = load(
        "recipes:
  mine: {}
  forgotten: {compression: none}
  lossless: {compression: GZIP_2}
datasets:
  a: {template: a, storage: s, recipe: mine}
  b: {template: b, storage: s, recipe: parents}
",
    )
    .0;
    insta::assert_snapshot!(shown(&policy.check_recipes(&|name| name == "parents")), @r"
    warning[unused-recipe]: no dataset type here uses the recipe `forgotten`
      --> policy.yaml:3:3
    3 |   forgotten: {compression: none}
      |   ^^^^^^^^^
    hint: a dataset type uses it by `recipe: forgotten`
    ");
    assert_eq!(policy.check_recipes(&|_| false).len(), 2);
}

#[test]
fn r3_definitions_that_do_not_follow_an_alias_are_a_warning() {
    let text = "aliases: {calexp: 'calexp:jointcal'}
datasets:
  calexp:sfm: {template: a, storage: FitsStorage}
  calexp:jointcal: {template: b, storage: FitsStorage}
  calexp_wcs: {template: a, storage: FitsStorage, python: Wcs}
  calexp_results: {template: c, storage: FitsStorage}
";
    insta::assert_snapshot!(complaints(text), @r"
    warning[alias-not-followed]: `calexp_wcs` is defined here, so it does not follow the alias `calexp`, which means `calexp:jointcal`
      --> policy.yaml:5:3
    5 |   calexp_wcs: {template: a, storage: FitsStorage, python: Wcs}
      |   ^^^^^^^^^^
    hint: `calexp.wcs` follows the alias
    ");
    // An alias of its own decides about the built name.
    let aliased = text.replace(
        "aliases: {",
        "aliases: {calexp_wcs: 'calexp:jointcal.wcs', ",
    );
    assert_eq!(complaints(&aliased), "");
    // The definition may be a parent's, and then the alias is what there is to show.
    let policy =
        load("aliases: {src: 'src:new'}\ndatasets: {'src:new': {template: a, storage: s}}\n").0;
    let parent = sound("datasets: {src_schema: {template: a, storage: s}}\n");
    let place = |name: &TypeName| Some(parent.definition(name)?.place.clone());
    let found = policy.check_built_names(&place);
    insta::assert_snapshot!(shown(&found), @"
    warning[alias-not-followed]: `src_schema` is defined in policy.yaml:1, so it does not follow the alias `src`, which means `src:new`
      --> policy.yaml:1:16
    1 | aliases: {src: 'src:new'}
      |                ^^^^^^^^^
    hint: `src.schema` follows the alias
    ");
}

#[test]
fn keys_of_another_type_than_a_parents_are_a_warning() {
    let parent = sound("datasets: {a: {template: 'a/%(visit)d', storage: s}}\n");
    let policy = load_all(&[
        "{}",
        "datasets: {b: {template: 'b/%(visit)s', storage: s}}\n",
    ])
    .0;
    insta::assert_snapshot!(shown(&policy.check_key_types(&[&parent])), @"
    warning[key-types]: the key `visit` is str here and int in policy.yaml:1
      --> policy2.yaml:1:29
    1 | datasets: {b: {template: 'b/%(visit)s', storage: s}}
      |                             ^^^^^^^^^
    hint: say here `keys: {visit: {type: int}}`
    ");
    let declared =
        load("keys: {visit: int}\ndatasets: {b: {template: 'b/%(visit)s', storage: s}}\n").0;
    assert!(declared.check_key_types(&[&parent]).is_empty());
    let above = load("datasets: {b: {template: 'b/%(visit)s', storage: s}}\n").0;
    assert!(
        shown(&parent.check_key_types(&[&above]))
            .contains("say there `keys: {visit: {type: int}}`")
    );
}
