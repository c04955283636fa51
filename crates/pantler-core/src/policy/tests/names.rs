use super::*;
use crate::Stage;

#[test]
fn r1_a_definition_named_like_a_component_is_that_component() {
    let policy = sound(
        "datasets:
  calexp: {template: 'calexp/%(visit)d', storage: FitsStorage}
  calexp.wcs:jointcal: {template: 'wcs/%(visit)d-%(tract)d', storage: FitsStorage}
  calexp:jointcal:
    composite:
      calexp: {datasetType: calexp, inputOnly: true}
",
    );
    assert!(find(&policy, "calexp:jointcal.wcs").template.is_some());
    let composite = find(&policy, "calexp:jointcal").composite.as_ref().unwrap();
    let wcs = &composite.components[1];
    assert_eq!(wcs.name, "wcs");
    assert_eq!(
        wcs.dataset_type.full_type_name(),
        type_name("calexp:jointcal.wcs")
    );
    assert_eq!(wcs.place.line, 3);
}

#[test]
fn r1_a_declared_component_must_be_the_same() {
    let text = |declared: &str| {
        format!(
            "datasets:
  calexp: {{template: calexp, storage: FitsStorage}}
  other: {{template: other, storage: FitsStorage}}
  calexp.wcs:jointcal: {{template: wcs, storage: FitsStorage}}
  calexp:jointcal:
    composite:
      calexp: {{datasetType: calexp}}
      wcs: {{datasetType: '{declared}'}}
"
        )
    };
    let policy = sound(&text("calexp.wcs:jointcal"));
    let composite = find(&policy, "calexp:jointcal").composite.as_ref().unwrap();
    assert_eq!(composite.components.len(), 2);
    insta::assert_snapshot!(complaints(&text("other")), @r"
    error[component-conflict]: `calexp:jointcal.wcs` is defined here, and `calexp:jointcal` takes its component `wcs` from `other`
      --> policy.yaml:4:3
    4 |   calexp.wcs:jointcal: {template: wcs, storage: FitsStorage}
      |   ^^^^^^^^^^^^^^^^^^^
    hint: give one of the two another name
    ");
}

#[test]
fn r1_a_part_of_a_file_dataset_may_have_a_definition_of_its_own() {
    let policy = sound(
        "datasets:
  calexp: {template: calexp, storage: FitsStorage}
  calexp.psf: {template: calexp, storage: FitsStorage, python: lsst.afw.detection.Psf}
",
    );
    assert!(policy.definition(&type_name("calexp.psf")).is_some());
    assert!(find(&policy, "calexp").composite.is_none());
}

#[test]
fn r3_aliases_do_not_apply_inside_definitions() {
    let policy = sound(
        "aliases: {calexp: 'calexp:jointcal', plain: 'src:'}
datasets:
  src: {template: src, storage: FitsStorage}
  calexp: {template: calexp, storage: FitsStorage}
  calexp:jointcal: {composite: {calexp: {datasetType: calexp}, src: {datasetType: 'src:'}}}
",
    );
    let alias = policy.alias("calexp").unwrap();
    assert_eq!(alias.target.to_string(), "calexp:jointcal");
    assert_eq!(alias.place.line, 1);
    assert_eq!(policy.alias("plain").unwrap().target.stage, Stage::Plain);
    assert!(policy.alias("src").is_none());
    // Would the alias apply, the composite would contain itself.
    let composite = find(&policy, "calexp:jointcal").composite.as_ref().unwrap();
    assert_eq!(
        composite.components[0].dataset_type.type_name(),
        type_name("calexp")
    );
}

#[test]
fn an_alias_of_an_alias_is_followed_to_its_end() {
    let policy = sound(
        "aliases: {a: b, b: c.wcs, c: 'd:s'}
datasets: {'d:s': {template: d, storage: s}}
",
    );
    assert_eq!(policy.alias("a").unwrap().target.to_string(), "d:s.wcs");
    assert_eq!(policy.alias("c").unwrap().target.to_string(), "d:s");
    insta::assert_snapshot!(complaints("aliases:\n  a: b\n  b: a\n  calexp: calexp\ndatasets: {calexp: {template: a, storage: s}}"), @r"
        error[alias-circle]: an alias means itself: `a` means `b` means `a`
          --> policy.yaml:2:6
        2 |   a: b
          |      ^
        hint: for the plain type write `a:`, with a colon at its end

        error[alias-circle]: an alias means itself: `b` means `a` means `b`
          --> policy.yaml:3:6
        3 |   b: a
          |      ^
        hint: for the plain type write `b:`, with a colon at its end

        error[alias-circle]: an alias means itself: `calexp` means `calexp`
          --> policy.yaml:4:11
        4 |   calexp: calexp
          |           ^^^^^^
        hint: for the plain type write `calexp:`, with a colon at its end
        ");
}

#[test]
fn references_may_be_known_elsewhere() {
    let text = "aliases: {calexp: 'calexp:jointcall', gone: never}
datasets:
  calexp:sfm: {template: a, storage: FitsStorage}
  srccat_blue(srccat): {template: b}
  calexp:jointcal:
    composite:
      a: {datasetType: calexp}
      b: {datasetType: jointcal_wcs.crval}
";
    let (policy, problems) = load(text);
    assert!(problems.is_empty());
    // What is inherited must be known above, and not only somewhere.
    let inherited = policy.check_references(&|_| true);
    assert_eq!(inherited.len(), 1, "{}", shown(&inherited));
    let some = policy.check_references(&|name| name.base().starts_with("jointcal"));
    assert!(some.iter().all(|one| !one.message.contains("jointcal_wcs")));
    insta::assert_snapshot!(shown(&policy.check_references(&|_| false)), @"
    error[alias-to-nothing]: the alias `calexp` names `calexp:jointcall`, which no policy here defines
      --> policy.yaml:1:19
    1 | aliases: {calexp: 'calexp:jointcall', gone: never}
      |                   ^^^^^^^^^^^^^^^^^^
    hint: did you mean `calexp:jointcal`?

    error[alias-to-nothing]: the alias `gone` names `never`, which no policy here defines
      --> policy.yaml:1:45
    1 | aliases: {calexp: 'calexp:jointcall', gone: never}
      |                                             ^^^^^

    error[unknown-type]: `srccat_blue` inherits `srccat`, which neither this policy nor a parent's defines
      --> policy.yaml:4:3
    4 |   srccat_blue(srccat): {template: b}
      |   ^^^^^^^^^^^^^^^^^^^

    error[unknown-type]: the component `a` of `calexp:jointcal` names `calexp`, which no policy here defines
      --> policy.yaml:7:24
    7 |       a: {datasetType: calexp}
      |                        ^^^^^^
    hint: name the stage: `calexp:sfm` or `calexp:jointcal`

    error[unknown-type]: the component `b` of `calexp:jointcal` names `jointcal_wcs`, which no policy here defines
      --> policy.yaml:8:24
    8 |       b: {datasetType: jointcal_wcs.crval}
      |                        ^^^^^^^^^^^^^^^^^^
    ");
}

#[test]
fn names_that_are_none_are_refused() {
    insta::assert_snapshot!(complaints("stages: [sfm, 'a.b', sfm]
keys: {a-b: int}
aliases: {'calexp:sfm': src, src: 'a b'}
datasets:
  'a b': {template: a}
  'calexp:': {template: b}
  src: {composite: {'x y': {datasetType: raw}, z: {datasetType: 'a/b'}}, keys: ['k k']}
  raw(s t): {template: r}
"), @r"
    error[bad-name]: `a.b` cannot be the name of a stage
      --> policy.yaml:1:15
    1 | stages: [sfm, 'a.b', sfm]
      |               ^^^^^

    error[repeated-key]: the stage `sfm` is given twice
      --> policy.yaml:1:22
    1 | stages: [sfm, 'a.b', sfm]
      |                      ^^^

    error[bad-name]: `a-b` cannot be a key
      --> policy.yaml:2:8
    2 | keys: {a-b: int}
      |        ^^^

    error[bad-name]: `calexp:sfm` cannot be an alias
      --> policy.yaml:3:11
    3 | aliases: {'calexp:sfm': src, src: 'a b'}
      |           ^^^^^^^^^^^^
    hint: an alias is a dataset type without stage and component

    error[bad-name]: `a b` is no name of a dataset type: the dataset type has the character ' '
      --> policy.yaml:3:35
    3 | aliases: {'calexp:sfm': src, src: 'a b'}
      |                                   ^^^^^

    error[bad-name]: `a b` is no name of a dataset type: the dataset type has the character ' '
      --> policy.yaml:5:3
    5 |   'a b': {template: a}
      |   ^^^^^

    error[bad-name]: `calexp:` is no name of a dataset type: a definition's stage cannot be empty
      --> policy.yaml:6:3
    6 |   'calexp:': {template: b}
      |   ^^^^^^^^^

    error[bad-name]: `x y` cannot be the name of a component
      --> policy.yaml:7:21
    7 |   src: {composite: {'x y': {datasetType: raw}, z: {datasetType: 'a/b'}}, keys: ['k k']}
      |                     ^^^^^

    error[bad-name]: `a/b` is no name of a dataset type: the dataset type has the character '/'
      --> policy.yaml:7:65
    7 |   src: {composite: {'x y': {datasetType: raw}, z: {datasetType: 'a/b'}}, keys: ['k k']}
      |                                                                 ^^^^^

    error[bad-name]: `k k` cannot be a key
      --> policy.yaml:7:80
    7 |   src: {composite: {'x y': {datasetType: raw}, z: {datasetType: 'a/b'}}, keys: ['k k']}
      |                                                                                ^

    error[bad-name]: `s t` is no name of a dataset type: the dataset type has the character ' '
      --> policy.yaml:8:3
    8 |   raw(s t): {template: r}
      |   ^^^^^^^^
    ");
}
