use std::collections::HashMap;

use super::*;

#[test]
fn the_last_text_wins_key_by_key() {
    let (policy, problems) = load_all(&[
        "stages: [a]
keys: {visit: {type: int, header: VISIT}}
aliases: {x: 'x:a', y: 'y:a'}
recipes: {r: {seed: 1}}
exposures:
  calexp: {template: '', python: my.E, storage: FitsStorage, recipe: r}
  coadd: {composite: {a: {datasetType: calexp, inputOnly: true}, b: {datasetType: calexp}}, assembler: my.A}
  whole: {composite: {a: {datasetType: calexp}}, assembler: my.A}
  parts: {template: parts, storage: FitsStorage}
",
        "stages: [a, b]
keys: {visit: {header: EXPID}}
aliases: {x: 'x:b'}
recipes: {r: {quantizeLevel: 2}}
datasets:
  calexp: {template: 'c/%(visit)d', recipe: }
  coadd: {composite: {b: {optional: true}, c: {datasetType: calexp}, assembler: my.B}}
  whole: {template: w, storage: FitsStorage}
  parts: {composite: {a: {datasetType: calexp}}}
",
    ]);
    assert_eq!(shown(&problems), "");
    assert_eq!(policy.stages(), ["a", "b"]);
    let visit = policy.key("visit").unwrap();
    assert_eq!(visit.key_type, Some(KeyType::Int));
    assert_eq!(visit.header.as_deref(), Some("EXPID"));
    assert_eq!(policy.alias("x").unwrap().target.to_string(), "x:b");
    assert_eq!(policy.alias("y").unwrap().target.to_string(), "y:a");
    assert_eq!(
        policy.recipe("r").unwrap().settings,
        [("quantizeLevel".to_owned(), "2".to_owned())]
    );

    let calexp = find(&policy, "calexp");
    assert_eq!(
        calexp.template.as_ref().map(|one| one.text()),
        Some("c/%(visit)d")
    );
    assert_eq!(calexp.python.as_deref(), Some("my.E"));
    assert_eq!(calexp.recipe, None);
    assert_eq!(
        (&*calexp.place.file, calexp.place.line),
        ("policy2.yaml", 6)
    );
    let python = calexp.key_places.iter().find(|(key, _)| key == "python");
    assert_eq!(
        python.map(|(_, place)| (&*place.file, place.line)),
        Some(("policy.yaml", 6))
    );

    let coadd = find(&policy, "coadd").composite.as_ref().unwrap();
    let components: Vec<(&str, bool, bool)> = coadd
        .components
        .iter()
        .map(|one| (one.name.as_str(), one.input_only, one.optional))
        .collect();
    assert_eq!(
        components,
        [("a", true, false), ("b", false, true), ("c", false, false)]
    );
    assert_eq!(coadd.assembler.as_deref(), Some("my.B"));

    // Whether a type is kept whole or in parts is one decision.
    assert!(find(&policy, "whole").composite.is_none());
    assert!(find(&policy, "parts").template.is_none());
    assert!(find(&policy, "parts").storage.is_none());
}

#[test]
fn heirs_have_what_their_parents_have() {
    let policy = sound(
        "datasets:
  srccat_green(srccat_blue): {template: 'g/%(visit)d'}
  srccat_blue(srccat):
    template: 'b/%(visit)d'
    recipe:
  srccat:
    description: The parent.
    template: 'all/%(visit)d'
    python: my.Catalog
    storage: FitsCatalogStorage
    recipe: lossy
  explicit: {inherits: srccat, template: 'x/%(visit)d'}
",
    );
    let green = find(&policy, "srccat_green");
    assert_eq!(green.inherits, Some(type_name("srccat_blue")));
    assert_eq!(
        green.template.as_ref().map(|one| one.text()),
        Some("g/%(visit)d")
    );
    assert_eq!(green.python.as_deref(), Some("my.Catalog"));
    assert_eq!(green.storage.as_deref(), Some("FitsCatalogStorage"));
    assert_eq!(green.recipe, None);
    assert_eq!(green.description, None);
    assert_eq!(find(&policy, "explicit").recipe.as_deref(), Some("lossy"));
}

#[test]
fn inheritance_that_cannot_be_is_reported() {
    insta::assert_snapshot!(complaints("datasets:
  a(b): {template: a, storage: s}
  b(a): {template: b, storage: s}
  c(a): {inherits: b}
  d(d): {template: d}
"), @r"
  error[inheritance-circle]: inheritance goes in a circle: `a` inherits `b` inherits `a`
    --> policy.yaml:3:3
  3 |   b(a): {template: b, storage: s}
    |   ^^^^

  error[two-parents]: the name says that it inherits `a`, and `inherits` says `b`
    --> policy.yaml:4:20
  4 |   c(a): {inherits: b}
    |                    ^

  error[inheritance-circle]: inheritance goes in a circle: `d` inherits `d`
    --> policy.yaml:5:3
  5 |   d(d): {template: d}
    |   ^^^^
  ");
    let (policy, problems) = load("datasets: {heir(elsewhere): {template: h, storage: s}}");
    assert!(problems.is_empty());
    insta::assert_snapshot!(find(&policy, "heir").complaints.join("; "), @"it inherits `elsewhere`, which neither its policy nor a parent's defines");
}

#[test]
fn a_parents_mistake_is_said_once() {
    assert_eq!(
        codes("datasets:\n  a: {tempalte: a}\n  b(a): {storage: s}\n  c(b): {storage: s}\n"),
        [("unknown-key", 2)]
    );
}

/// Loads the first of some files, which may include the others.
fn load_files(files: &[(&str, &str)]) -> (Policy, Vec<Problem>) {
    let known: HashMap<&str, &str> = files.iter().copied().collect();
    let text = |file: &str| {
        known.get(file).map(|text| PolicyText {
            file: file.into(),
            text: (*text).to_owned(),
        })
    };
    let first = text(files[0].0).unwrap();
    Policy::load(&[first], &mut |_, name| {
        text(name).ok_or_else(|| "no such file".to_owned())
    })
}

#[test]
fn included_files_come_below_the_file_that_includes_them() {
    let (policy, problems) = load_files(&[
        (
            "main.yaml",
            "include: [base.yaml, more.yaml]
datasets:
  a: {storage: main}
exposures: !include bare.yaml
",
        ),
        (
            "base.yaml",
            "datasets: {a: {template: a, storage: base}, b: {storage: base}}",
        ),
        (
            "more.yaml",
            "include: deep.yaml\ndatasets: {b: {template: b, storage: more}}",
        ),
        ("deep.yaml", "datasets: {b: {recipe: lossy, storage: deep}}"),
        ("bare.yaml", "raw: {template: raw}"),
    ]);
    assert_eq!(shown(&problems), "");
    let storage = |name: &str| find(&policy, name).storage.clone();
    assert_eq!(storage("a").as_deref(), Some("main"));
    assert_eq!(storage("b").as_deref(), Some("more"));
    assert_eq!(storage("raw").as_deref(), Some("FitsStorage"));
    assert_eq!(find(&policy, "b").recipe.as_deref(), Some("lossy"));
    assert_eq!(&*find(&policy, "raw").place.file, "bare.yaml");
}

#[test]
fn includes_that_fail_or_go_in_circles_are_reported() {
    let (_, problems) = load_files(&[
        ("a.yaml", "include: [b.yaml, gone.yaml]\n"),
        ("b.yaml", "include: a.yaml\ndatasets: !include [x]\n"),
    ]);
    insta::assert_snapshot!(shown(&problems), @r"
            error[include-failed]: the file `gone.yaml` cannot be included: no such file
              --> a.yaml:1:19
            1 | include: [b.yaml, gone.yaml]
              |                   ^^^^^^^^^

            error[include-circle]: the file `a.yaml` includes itself, by way of a.yaml, b.yaml
              --> b.yaml:1:10
            1 | include: a.yaml
              |          ^^^^^^

            error[wrong-type]: `include` takes names of files, not a list
              --> b.yaml:2:20
            2 | datasets: !include [x]
              |                    ^
            ");
    let (_, problems) = load_files(&[("a.yaml", "include: a.yaml\ndatasets: !include a.yaml\n")]);
    let codes: Vec<&str> = problems.iter().map(|one| one.code).collect();
    assert_eq!(codes.first(), Some(&"include-circle"));
}
