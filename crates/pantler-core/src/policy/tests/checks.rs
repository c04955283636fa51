use super::*;
use crate::problem::Severity;

#[test]
fn a_policy_of_another_shape_is_refused() {
    for (text, code) in [
        ("[a, b]", "not-a-mapping"),
        ("text", "not-a-mapping"),
        ("datasets: [a]", "wrong-type"),
        ("datasets: {a: text}", "wrong-type"),
        ("keys: text", "wrong-type"),
        ("aliases: {a: [b]}", "wrong-type"),
        ("stages: {a: b}", "wrong-type"),
        ("recipes: {a: [b]}", "wrong-type"),
        ("? [a]\n: b\n", "wrong-type"),
        ("include: {a: b}", "wrong-type"),
    ] {
        let codes: Vec<&str> = load(text).1.iter().map(|one| one.code).collect();
        assert_eq!(codes, [code], "{text}");
    }
}

#[test]
fn unknown_keys_are_reported_at_each_level() {
    insta::assert_snapshot!(complaints("dataset: {a: {}}
calexp_psf: {}
keys: {visit: {typ: int}}
datasets:
  raw:
    tempalte: raw.fits
    ingest: {pth: x, headers: {visit: {crd: EXPID, card: EXPID}}}
    join: {onn: id}
  c:
    composite:
      x: {datasetType: raw, inputonly: true, dataIds: {meta: A}, apply: {operation: add, op: add, to: image}}
"), @r"
    error[unknown-key]: a policy has no section `dataset`
      --> policy.yaml:1:1
    1 | dataset: {a: {}}
      | ^^^^^^^
    hint: did you mean `datasets`?

    error[unknown-key]: a policy has no section `calexp_psf`
      --> policy.yaml:2:1
    2 | calexp_psf: {}
      | ^^^^^^^^^^
    hint: definitions of dataset types stand under `datasets`

    error[unknown-key]: `keys.visit` has no key `typ`
      --> policy.yaml:3:16
    3 | keys: {visit: {typ: int}}
      |                ^^^
    hint: did you mean `type`?

    error[unknown-key]: a dataset type has no key `tempalte`
      --> policy.yaml:6:5
    6 |     tempalte: raw.fits
      |     ^^^^^^^^
    hint: did you mean `template`?

    error[unknown-key]: `ingest` has no key `pth`
      --> policy.yaml:7:14
    7 |     ingest: {pth: x, headers: {visit: {crd: EXPID, card: EXPID}}}
      |              ^^^
    hint: did you mean `path`?

    error[unknown-key]: a header rule has no key `crd`
      --> policy.yaml:7:40
    7 |     ingest: {pth: x, headers: {visit: {crd: EXPID, card: EXPID}}}
      |                                        ^^^
    hint: did you mean `card`?

    error[unknown-key]: `join` has no key `onn`
      --> policy.yaml:8:12
    8 |     join: {onn: id}
      |            ^^^
    hint: did you mean `on`?

    error[unknown-key]: a component has no key `inputonly`
      --> policy.yaml:11:29
    11 |       x: {datasetType: raw, inputonly: true, dataIds: {meta: A}, apply: {operation: add, op: add, to: image}}
       |                             ^^^^^^^^^
    hint: did you mean `inputOnly`?

    error[unknown-key]: `dataIds` has no key `meta`
      --> policy.yaml:11:56
    11 |       x: {datasetType: raw, inputonly: true, dataIds: {meta: A}, apply: {operation: add, op: add, to: image}}
       |                                                        ^^^^

    error[unknown-key]: `apply` has no key `operation`
      --> policy.yaml:11:74
    11 |       x: {datasetType: raw, inputonly: true, dataIds: {meta: A}, apply: {operation: add, op: add, to: image}}
       |                                                                          ^^^^^^^^^
    ");
}

#[test]
fn wrong_values_are_reported() {
    insta::assert_snapshot!(complaints("keys: {visit: {type: integre}, ccd: {type: [int]}}
datasets:
  raw:
    template: [a]
    python: {a: b}
    sharedMetadata: frist
    join: {how: outter, missing: 3}
    metadata: {a b: C, d: [e]}
    ingest: {headers: {visit: [a], ccd: {map: {x: true}}}}
    keys: {a: b}
  c:
    composite:
      x: jointcal_wcs
      y: {}
      z: {datasetType: raw, dataId: {a: true, b: 'x%(c)d'}, dataIds: recorde, apply: subtract}
      w: {datasetType: raw, apply: {op: minus, to: pixels}}
  d:
    composite: {}
"), @r"
    error[wrong-value]: the type of a key is `int`, `float` or `str`, and here it is `integre`
      --> policy.yaml:1:22
    1 | keys: {visit: {type: integre}, ccd: {type: [int]}}
      |                      ^^^^^^^

    error[wrong-value]: the type of a key is `int`, `float` or `str`, and here it is a list
      --> policy.yaml:1:44
    1 | keys: {visit: {type: integre}, ccd: {type: [int]}}
      |                                            ^

    error[wrong-type]: `template` is text, and here it is a list
      --> policy.yaml:4:15
    4 |     template: [a]
      |               ^

    error[wrong-type]: `python` is text, and here it is a mapping
      --> policy.yaml:5:13
    5 |     python: {a: b}
      |             ^

    error[wrong-value]: `sharedMetadata` is one of `error`, `first` or `column`, and here it is `frist`
      --> policy.yaml:6:21
    6 |     sharedMetadata: frist
      |                     ^^^^^
    hint: did you mean `first`?

    error[wrong-value]: `how` is one of `inner`, `left` or `outer`, and here it is `outter`
      --> policy.yaml:7:17
    7 |     join: {how: outter, missing: 3}
      |                 ^^^^^^
    hint: did you mean `outer`?

    error[wrong-value]: `missing` is one of `null` or `error`, and here it is `3`
      --> policy.yaml:7:34
    7 |     join: {how: outter, missing: 3}
      |                                  ^

    error[bad-name]: `a b` cannot be the name of a column
      --> policy.yaml:8:16
    8 |     metadata: {a b: C, d: [e]}
      |                ^^^

    error[wrong-type]: `d` is the name of a header card, and here it is a list
      --> policy.yaml:8:27
    8 |     metadata: {a b: C, d: [e]}
      |                           ^

    error[wrong-type]: `visit` is a header card, or a mapping with `card`, and here it is a list
      --> policy.yaml:9:31
    9 |     ingest: {headers: {visit: [a], ccd: {map: {x: true}}}}
      |                               ^

    error[wrong-value]: the header rule of `ccd` has no `card`
      --> policy.yaml:9:36
    9 |     ingest: {headers: {visit: [a], ccd: {map: {x: true}}}}
      |                                    ^^^

    error[wrong-type]: `x` is a value of a key, and here it is `true`
      --> policy.yaml:9:51
    9 |     ingest: {headers: {visit: [a], ccd: {map: {x: true}}}}
      |                                                   ^^^^

    error[wrong-type]: `keys` is a list of texts, and here it is a mapping
      --> policy.yaml:10:11
    10 |     keys: {a: b}
       |           ^

    error[wrong-type]: the component `x` is a mapping, and here it is `jointcal_wcs`
      --> policy.yaml:13:10
    13 |       x: jointcal_wcs
       |          ^^^^^^^^^^^^
    hint: write `x: {datasetType: jointcal_wcs}`

    error[component-without-type]: the component `y` has no `datasetType`
      --> policy.yaml:14:7
    14 |       y: {}
       |       ^
    hint: name the dataset type that it comes from: `datasetType: …`

    error[wrong-type]: the key `a` is bound to a value or to another key, and here to `true`
      --> policy.yaml:15:41
    15 |       z: {datasetType: raw, dataId: {a: true, b: 'x%(c)d'}, dataIds: recorde, apply: subtract}
       |                                         ^^^^
    hint: put it in quotes if it is meant as text

    error[bad-binding]: `x%(c)d` binds a key to something that is no other key
      --> policy.yaml:15:50
    15 |       z: {datasetType: raw, dataId: {a: true, b: 'x%(c)d'}, dataIds: recorde, apply: subtract}
       |                                                  ^^^^^^^^
    hint: write `%(exposure)d` alone, or a value

    error[wrong-value]: `dataIds` is one of `recorded`, and here it is `recorde`
      --> policy.yaml:15:70
    15 |       z: {datasetType: raw, dataId: {a: true, b: 'x%(c)d'}, dataIds: recorde, apply: subtract}
       |                                                                      ^^^^^^^
    hint: did you mean `recorded`?

    error[wrong-type]: `apply` is a mapping, and here it is `subtract`
      --> policy.yaml:15:86
    15 |       z: {datasetType: raw, dataId: {a: true, b: 'x%(c)d'}, dataIds: recorde, apply: subtract}
       |                                                                                      ^^^^^^^^
    hint: write `apply: {op: subtract, to: image}`

    error[wrong-value]: `op` is one of `add`, `subtract`, `and`, `or`, `andNot` or `replace`, and here it is `minus`
      --> policy.yaml:16:41
    16 |       w: {datasetType: raw, apply: {op: minus, to: pixels}}
       |                                         ^^^^^

    error[wrong-value]: `to` is `image`, `variance`, `mask` or `mask.PLANE`, and here it is `pixels`
      --> policy.yaml:16:52
    16 |       w: {datasetType: raw, apply: {op: minus, to: pixels}}
       |                                                    ^^^^^^

    error[empty-composite]: a composite has at least one component
      --> policy.yaml:18:5
    18 |     composite: {}
       |     ^^^^^^^^^
    ");
}

#[test]
fn bad_conversions_are_shown_inside_the_template() {
    insta::assert_snapshot!(complaints(r#"datasets:
  a: {storage: s, template: 'calexp/%(visit)7y.fits'}
  b: {storage: s, template: "é/%(visit"}
  c:
    storage: s
    template: calexp/%d.fits
  d: {storage: s, template: "a\x41/../%(visit)d"}
  e: {storage: s, template: e, ingest: {path: '%(visit)'}}
"#), @r#"
    error[bad-template]: the template of `a` cannot be used: `y` is no conversion; `d` is for integers, `s` for text, `f` for numbers
      --> policy.yaml:2:37
    2 |   a: {storage: s, template: 'calexp/%(visit)7y.fits'}
      |                                     ^^^^^^^^^^

    error[bad-template]: the template of `b` cannot be used: the parenthesis is not closed
      --> policy.yaml:3:32
    3 |   b: {storage: s, template: "é/%(visit"}
      |                                ^^^^^^^

    error[bad-template]: the template of `c` cannot be used: a `%` is followed by a key, as in `%(visit)d`; a percent sign of its own is `%%`
      --> policy.yaml:6:22
    6 |     template: calexp/%d.fits
      |                      ^^

    error[bad-template]: the template of `d` cannot be used: it climbs out of the repository
      --> policy.yaml:7:29
    7 |   d: {storage: s, template: "a\x41/../%(visit)d"}
      |                             ^^^^^^^^^^^^^^^^^^^^

    error[bad-template]: `ingest.path` cannot be used: the conversion has no letter, as the `d` in `%(visit)d`
      --> policy.yaml:8:48
    8 |   e: {storage: s, template: e, ingest: {path: '%(visit)'}}
      |                                                ^^^^^^^^
    "#);
}

#[test]
fn keys_of_two_types_are_reported_once() {
    insta::assert_snapshot!(complaints("datasets:
  a: {storage: s, template: 'a/%(visit)d-%(ccd)d'}
  b: {storage: s, template: 'b/%(visit)s-%(ccd)d'}
  c: {storage: s, template: 'c/%(visit)s-%(ccd).1f'}
"), @r"
    error[key-types]: the key `visit` is int in `a` (policy.yaml:2), and str here
      --> policy.yaml:3:32
    3 |   b: {storage: s, template: 'b/%(visit)s-%(ccd)d'}
      |                                ^^^^^^^^^
    hint: say which it is: `keys: {visit: {type: int}}`

    error[key-types]: the key `ccd` is int in `a` (policy.yaml:2), and float here
      --> policy.yaml:4:42
    4 |   c: {storage: s, template: 'c/%(visit)s-%(ccd).1f'}
      |                                          ^^^^^^^^^
    hint: print a key by one kind of conversion
    ");
    // A declaration decides: text prints whatever the type, and a number does not.
    insta::assert_snapshot!(complaints("keys: {visit: int, name: str}
datasets:
  a: {storage: s, template: 'a/%(visit)s'}
  b: {storage: s, template: 'b/%(visit).1f'}
  c: {storage: s, template: 'c/%(name)d'}
"), @r"
    error[key-types]: the key `visit` is int in `keys` (policy.yaml:1), and float here
      --> policy.yaml:4:32
    4 |   b: {storage: s, template: 'b/%(visit).1f'}
      |                                ^^^^^^^^^^^

    error[key-types]: the key `name` is str in `keys` (policy.yaml:1), and int here
      --> policy.yaml:5:32
    5 |   c: {storage: s, template: 'c/%(name)d'}
      |                                ^^^^^^^^
    ");
}

#[test]
fn policies_of_the_older_kind_may_mix_numbers_and_texts() {
    let (policy, problems) = load(
        "exposures:
  a: {template: 'a/%(visit)s'}
  b: {template: 'b/%(visit)d'}
",
    );
    let found: Vec<_> = problems
        .iter()
        .map(|one| (one.code, one.severity))
        .collect();
    assert_eq!(found, [("key-types", Severity::Warning)]);
    assert_eq!(policy.key_type("visit"), Some(KeyType::Int));
    let template = find(&policy, "a").template.as_ref().unwrap();
    assert_eq!(template.keys(), [("visit".to_owned(), KeyType::Int)]);
}

#[test]
fn keys_that_differ_by_case_are_reported() {
    insta::assert_snapshot!(complaints("datasets:
  a: {storage: s, template: 'a/%(visit)d'}
  b: {storage: s, template: 'b/%(Visit)d'}
  c: {storage: s, template: 'c/%(ccd)d-%(CCD)d'}
"), @r"
    warning[key-case]: the keys `visit` and `Visit` differ by upper and lower case only
      --> policy.yaml:3:32
    3 |   b: {storage: s, template: 'b/%(Visit)d'}
      |                                ^^^^^^^^^

    error[key-case]: the keys `ccd` and `CCD` differ by upper and lower case only
      --> policy.yaml:4:40
    4 |   c: {storage: s, template: 'c/%(ccd)d-%(CCD)d'}
      |                                        ^^^^^^^
    ");
    assert_eq!(
        codes("keys:\n  visit: int\n  VISIT: int\n"),
        [("key-case", 3)]
    );
}

#[test]
fn r8_templates_that_can_meet_are_a_warning() {
    let text = "datasets:
  calexp: {storage: s, template: 'calexp/%(visit)d.fits'}
  calexp_wcs: {storage: s, python: my.Wcs, template: 'calexp/%(visit)d.fits'}
  calexp_md: {storage: s, template: 'calexp/%(visit)d.fits[0]'}
  other: {storage: s, template: 'calexp/%(name)s.fits'}
  apart: {storage: s, template: 'src/%(name)s.fits'}
  anywhere: {storage: s, template: '%(name)s/src.txt'}
";
    let (_, problems) = load(text);
    assert!(problems.iter().all(|one| one.severity == Severity::Warning));
    insta::assert_snapshot!(shown(&problems), @r"
    warning[templates-meet]: datasets of `calexp` (policy.yaml:2) and of `other` could have one path
      --> policy.yaml:5:33
    5 |   other: {storage: s, template: 'calexp/%(name)s.fits'}
      |                                 ^^^^^^^^^^^^^^^^^^^^^^
    hint: keep them apart by a folder or an ending of their own
    ");
    assert_eq!(
        codes(
            "datasets:\n  a: {storage: s, template: 'x/%(n)s'}\n  b: {storage: s, template: '%(n)s/%(m)s'}\n"
        ),
        [("templates-meet", 3)]
    );
}

#[test]
fn r8_types_of_one_template_are_parts_and_no_warning() {
    sound(
        "datasets:
  calexp: {storage: FitsStorage, template: 'calexp/%(visit)d.fits'}
  calexp_wcs: {storage: FitsStorage, python: my.Wcs, template: 'calexp/%(visit)d.fits'}
",
    );
}

#[test]
fn composites_that_contain_themselves_are_reported() {
    insta::assert_snapshot!(complaints("datasets:
  a: {composite: {x: {datasetType: b}}}
  b: {composite: {x: {datasetType: c.y}, z: {datasetType: leaf}}}
  c: {composite: {y: {datasetType: a}}}
  self: {composite: {x: {datasetType: self}}}
  leaf: {template: leaf, storage: s}
"), @r"
    error[composition-circle]: a composite contains itself: `a` contains `b` contains `a`
      --> policy.yaml:3:36
    3 |   b: {composite: {x: {datasetType: c.y}, z: {datasetType: leaf}}}
      |                                    ^^^

    error[composition-circle]: a composite contains itself: `self` contains `self`
      --> policy.yaml:5:39
    5 |   self: {composite: {x: {datasetType: self}}}
      |                                       ^^^^
    ");
    // A part of a composite that leads elsewhere is no circle.
    sound(
        "datasets:
  a: {composite: {x: {datasetType: leaf}, y: {datasetType: b.z}}}
  b: {composite: {z: {datasetType: leaf}, w: {datasetType: a.x}}}
  leaf: {template: leaf, storage: s}
",
    );
}

#[test]
fn one_component_is_the_base() {
    insta::assert_snapshot!(complaints("datasets:
  leaf: {template: leaf, storage: s}
  a:
    composite:
      x: {datasetType: leaf, base: true}
      y: {datasetType: leaf, base: true}
"), @r"
    error[two-bases]: `a` has two bases, `x` and `y`
      --> policy.yaml:6:7
    6 |       y: {datasetType: leaf, base: true}
      |       ^
    ");
}

#[test]
fn a_recipe_that_is_not_here_may_be_a_parents() {
    insta::assert_snapshot!(complaints("recipes: {mine: {}}
datasets:
  a: {template: a, storage: s, recipe: mnie}
  b: {template: b, storage: s, recipe: lossless}
  c: {template: c, storage: s, recipe: mine}
"), @r"
    warning[unknown-recipe]: there is no recipe `mnie` here
      --> policy.yaml:3:40
    3 |   a: {template: a, storage: s, recipe: mnie}
      |                                        ^^^^
    hint: did you mean `mine`?
    ");
}

#[test]
fn a_plug_in_without_components_is_a_warning() {
    insta::assert_snapshot!(complaints("datasets:
  a: {template: a, storage: s, assembler: my.assemble}
"), @r"
    warning[plug-in-without-composite]: `assembler` is for composites, and there is no `composite` here
      --> policy.yaml:2:32
    2 |   a: {template: a, storage: s, assembler: my.assemble}
      |                                ^^^^^^^^^
    hint: use `standardize` for a function that changes what is read
    ");
}

#[test]
fn a_template_beside_a_composite_is_not_used() {
    let text = "datasets:
  leaf: {template: leaf, storage: s}
  a: {template: a, storage: FitsStorage, composite: {x: {datasetType: leaf}}}
";
    let (policy, problems) = load(text);
    assert!(find(&policy, "a").template.is_none());
    insta::assert_snapshot!(shown(&problems), @r"
    warning[template-of-composite]: `a` is a composite, so its template is not used
      --> policy.yaml:3:7
    3 |   a: {template: a, storage: FitsStorage, composite: {x: {datasetType: leaf}}}
      |       ^^^^^^^^
    hint: leave out `template`, or `composite`
    ");
}

#[test]
fn problems_come_in_the_order_of_the_files() {
    let (_, problems) = load_all(&[
        "datasets:\n  a: {x: 1}\n  b: {template: '%d'}\n",
        "z: 1\ndatasets:\n  c: {y: 1, w: 1}\n",
    ]);
    let places: Vec<String> = problems.iter().map(|one| one.place.to_string()).collect();
    assert_eq!(
        places,
        [
            "policy.yaml:2",
            "policy.yaml:3",
            "policy2.yaml:1",
            "policy2.yaml:3",
            "policy2.yaml:3"
        ]
    );
}
