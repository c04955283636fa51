use super::*;
use crate::KeyValue;
use crate::template::Template;

#[test]
fn an_empty_file_is_an_empty_policy() {
    for text in [
        "",
        "# nothing\n",
        "---\n",
        "datasets:\n",
        "description: of nothing",
    ] {
        let (policy, problems) = load(text);
        assert!(policy.is_empty() && problems.is_empty(), "{text:?}");
    }
    assert!(!sound("stages: [sfm]").is_empty());
}

#[test]
fn a_file_dataset_has_all_that_its_policy_says() {
    let policy = sound(
        "datasets:
  calexp:sfm:
    description: >
      A calibrated
      exposure.
    template: 'calexp/%(visit)07d/%(ccd)03d.fits'
    python: lsst.afw.image.ExposureF
    persistable: ExposureF
    storage: FitsStorage
    recipe: lossless
    level: Ccd
    tables: [raw, raw_skyTile]
    metadata: {exptime: EXPTIME}
    standardize: my.package.standardize
    ingest:
      path: 'in-%(visit)07d-%(ccd)03d.fits'
      headers:
        visit: EXPID
        filter: {card: FILTER, map: {HSC-I: i, '2': 3}}
",
    );
    let calexp = find(&policy, "calexp:sfm");
    assert_eq!(
        calexp.description.as_deref(),
        Some("A calibrated exposure.")
    );
    assert_eq!(
        calexp.template.as_ref().map(Template::text),
        Some("calexp/%(visit)07d/%(ccd)03d.fits")
    );
    assert_eq!(calexp.python.as_deref(), Some("lsst.afw.image.ExposureF"));
    assert_eq!(calexp.persistable.as_deref(), Some("ExposureF"));
    assert_eq!(calexp.storage.as_deref(), Some("FitsStorage"));
    assert_eq!(calexp.recipe.as_deref(), Some("lossless"));
    assert_eq!(calexp.level.as_deref(), Some("Ccd"));
    assert_eq!(calexp.tables, ["raw", "raw_skyTile"]);
    assert_eq!(
        calexp.metadata,
        [("exptime".to_owned(), "EXPTIME".to_owned())]
    );
    assert_eq!(
        calexp.standardize.as_deref(),
        Some("my.package.standardize")
    );
    assert!(calexp.ingest.path.is_some());
    let (key, filter) = &calexp.ingest.headers[1];
    assert_eq!((key.as_str(), filter.card.as_str()), ("filter", "FILTER"));
    assert_eq!(
        filter.map,
        [
            ("HSC-I".to_owned(), KeyValue::from("i")),
            ("2".to_owned(), KeyValue::Int(3))
        ]
    );
    assert_eq!((calexp.place.line, calexp.place.column), (2, 3));
    let place = |key: &str| {
        let found = calexp.key_places.iter().find(|(name, _)| name == key);
        found.map(|(_, place)| place.line)
    };
    assert_eq!((place("python"), place("ingest")), (Some(7), Some(15)));
    assert!(calexp.complaints.is_empty());
}

#[test]
fn a_composite_has_its_components_in_order() {
    let policy = sound(
        "datasets:
  calexp:sfm: {template: 'c/%(visit)d', storage: FitsStorage}
  background: {template: 'b/%(visit)d', storage: FitsStorage}
  raw: {template: 'r/%(exposure)d', storage: FitsStorage}
  calexp:after:
    python: lsst.afw.image.ExposureF
    composite:
      exposure: {datasetType: 'calexp:sfm', inputOnly: True, base: true}
      background:
        datasetType: background
        setter: setBackground
        getter: getBackground
        apply: {op: subtract, to: image}
        optional: true
      raws:
        datasetType: raw.metadata
        subset: true
        allowEmpty: true
        dataId: {exposure: '%(visit)d', filter: y, kind: '1'}
      others: {datasetType: raw, dataIds: recorded}
      more: {datasetType: raw, dataIds: {metadata: INPUTS}}
    assembler: my.Assembler
    disassembler: my.Disassembler
    keys: [visit]
    join: {on: id, how: inner, prefix: false, missing: error}
    sharedMetadata: first
",
    );
    let after = find(&policy, "calexp:after");
    let composite = after.composite.as_ref().unwrap();
    let names: Vec<&str> = composite
        .components
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(names, ["exposure", "background", "raws", "others", "more"]);
    let [exposure, background, raws, others, more] = &composite.components[..] else {
        unreachable!()
    };
    assert!(exposure.input_only && exposure.base && !exposure.optional);
    assert_eq!(exposure.dataset_type.to_string(), "calexp:sfm");
    assert_eq!(background.setter.as_deref(), Some("setBackground"));
    assert_eq!(background.getter.as_deref(), Some("getBackground"));
    assert!(background.optional);
    let apply = background.apply.as_ref().unwrap();
    assert_eq!(
        (apply.operation.as_str(), apply.to.as_str()),
        ("subtract", "image")
    );
    assert!(raws.subset && raws.allow_empty);
    assert_eq!(raws.dataset_type.components, ["metadata"]);
    assert_eq!(
        raws.data_id,
        [
            (
                "exposure".to_owned(),
                KeyBinding::Renamed("visit".to_owned())
            ),
            ("filter".to_owned(), KeyBinding::Pinned("y".into())),
            ("kind".to_owned(), KeyBinding::Pinned("1".into())),
        ]
    );
    assert_eq!(others.data_ids, Some(RecordedIds::AtPut));
    assert_eq!(
        more.data_ids,
        Some(RecordedIds::Metadata("INPUTS".to_owned()))
    );
    assert_eq!(composite.assembler.as_deref(), Some("my.Assembler"));
    assert_eq!(
        composite.assembler_place.as_ref().map(|place| place.line),
        Some(22)
    );
    assert_eq!(composite.disassembler.as_deref(), Some("my.Disassembler"));
    assert_eq!(after.keys.as_deref(), Some(&["visit".to_owned()][..]));
    assert_eq!(
        after.join,
        Some(Join {
            on: vec!["id".to_owned()],
            how: JoinHow::Inner,
            prefix: Some(String::new()),
            missing: MissingRows::Error,
        })
    );
    assert_eq!(after.shared_metadata, Some(SharedMetadata::First));
    assert!(after.complaints.is_empty());
}

#[test]
fn plug_ins_stand_beside_the_composite_or_inside_it() {
    let text = |inside: &str, beside: &str| {
        format!(
            "datasets: {{a: {{template: a, storage: s}}, c: {{composite: {{x: {{datasetType: a}}{inside}}}{beside}}}}}"
        )
    };
    let assembler = |policy: &Policy| {
        let composite = find(policy, "c").composite.clone().unwrap();
        (composite.assembler, composite.components.len())
    };
    let expected = (Some("my.A".to_owned()), 1);
    assert_eq!(assembler(&sound(&text(", assembler: my.A", ""))), expected);
    assert_eq!(assembler(&sound(&text("", ", assembler: my.A"))), expected);
    assert_eq!(
        assembler(&sound(&text(", assembler: my.A", ", assembler: my.A"))),
        expected
    );
    insta::assert_snapshot!(complaints(&text(",\n assembler: my.A", ",\n assembler: my.B")), @r"
    error[two-plug-ins]: `assembler` is named beside `composite` in line 3 and otherwise inside it
      --> policy.yaml:2:2
    2 |  assembler: my.A},
      |  ^^^^^^^^^
    ");
}

#[test]
fn sections_are_read_alike() {
    let policy = sound(
        "exposures: {raw: {template: raw, storage: FitsStorage}}
images: {flat: {template: flat}}
calibrations: {bias: {template: bias, columns: [a, b], filter: true, reference: raw}}
datasets: {src: {template: src}}
bare: {template: bare, storage: FitsStorage}
needCalibRegistry: false
levels: {skyTile: visit}
",
    );
    let names: Vec<&str> = policy.definitions().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["raw", "flat", "bias", "src", "bare"]);
    // Those of the field's three sections for files of pixels are FITS files unless they say otherwise.
    assert_eq!(
        find(&policy, "flat").storage.as_deref(),
        Some("FitsStorage")
    );
    assert_eq!(find(&policy, "src").storage, None);
    assert_eq!(
        find(&policy, "bias").kept,
        [
            ("columns", "[a, b]"),
            ("filter", "true"),
            ("reference", "raw")
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
    );
}

#[test]
fn what_lacks_something_is_kept_and_complains_only_when_used() {
    let policy = sound(
        "datasets:
  a: {python: my.A}
  b: {template: '', storage: FitsStorage}
  c: {template: 'c/%(visit)d'}
  d: {template: 'plots/', storage: TextStorage}
  e: {virtual: my.make, python: my.E}
",
    );
    let complaints = |name: &str| find(&policy, name).complaints.join("; ");
    insta::assert_snapshot!(complaints("a"), @"it has no template, so nothing says where its datasets lie; it has no storage, so nothing says what format it has");
    insta::assert_snapshot!(complaints("b"), @"it has no template, so nothing says where its datasets lie");
    insta::assert_snapshot!(complaints("c"), @"it has no storage, so nothing says what format it has");
    insta::assert_snapshot!(complaints("d"), @"its template names a folder, and a dataset is a file");
    assert_eq!(complaints("e"), "");
}

#[test]
fn ignored_means_computed_with_no_file() {
    let policy = sound(
        "datasets:
  a: {template: ignored, storage: ignored}
  b: {storage: 'ignored:ccdExposureId'}
  c: {template: 'c/%(visit)d', storage: ignored, persistable: ignored}
",
    );
    for name in ["a", "b", "c"] {
        let definition = find(&policy, name);
        assert!(
            definition.computed && definition.storage.is_none(),
            "{name}"
        );
        assert!(definition.complaints.is_empty(), "{name}");
    }
    assert!(find(&policy, "a").template.is_none());
    assert!(find(&policy, "c").template.is_some());
    assert_eq!(find(&policy, "c").persistable.as_deref(), Some("ignored"));
}

#[test]
fn a_repeated_table_is_a_list_and_another_repeated_key_a_mistake() {
    let text = "datasets:
  src:
    template: src.fits
    storage: FitsCatalogStorage
    tables: raw
    tables: raw_skyTile
";
    let (policy, problems) = load(text);
    assert_eq!(find(&policy, "src").tables, ["raw", "raw_skyTile"]);
    insta::assert_snapshot!(shown(&problems), @r"
    warning[repeated-key]: `tables` is given twice, in the lines 5 and 6, and read as a list
      --> policy.yaml:6:5
    6 |     tables: raw_skyTile
      |     ^^^^^^
    hint: write the values as a list: `[raw, raw_skyTile]`
    ");
    insta::assert_snapshot!(complaints("datasets:
  src:
    storage: FitsStorage
    template: a
    storage: FitsCatalogStorage
"), @r"
    error[repeated-key]: `storage` is given twice, in the lines 3 and 5
      --> policy.yaml:5:5
    5 |     storage: FitsCatalogStorage
      |     ^^^^^^^
    ");
    assert_eq!(codes("stages: [a]\nstages: [b]\n"), [("repeated-key", 2)]);
    assert_eq!(
        codes("datasets:\n  a: {template: a}\n  a: {storage: b}\n"),
        [("repeated-key", 3)]
    );
    assert_eq!(
        codes("datasets:\n  a.w:s: {template: a}\n  a:s.w: {storage: b}\n"),
        [("repeated-key", 3)]
    );
}

#[test]
fn only_yaml_1_2_booleans_are_booleans() {
    let with = |value: &str| {
        format!(
            "datasets: {{a: {{template: a, storage: s}}, c: {{composite: {{x: {{datasetType: a, inputOnly: {value}}}}}}}}}"
        )
    };
    for value in ["true", "True", "TRUE"] {
        let policy = sound(&with(value));
        assert!(find(&policy, "c").composite.as_ref().unwrap().components[0].input_only);
    }
    insta::assert_snapshot!(complaints(&with("yes")), @r"
    error[wrong-type]: `inputOnly` is `true` or `false`, and here it is `yes`
      --> policy.yaml:1:89
    1 | datasets: {a: {template: a, storage: s}, c: {composite: {x: {datasetType: a, inputOnly: yes}}}}
      |                                                                                         ^^^
    hint: write `inputOnly: true`
    ");
    insta::assert_snapshot!(complaints(&with("'False'")), @r"
    error[wrong-type]: `inputOnly` is `true` or `false`, and here it is `False`
      --> policy.yaml:1:89
    1 | datasets: {a: {template: a, storage: s}, c: {composite: {x: {datasetType: a, inputOnly: 'False'}}}}
      |                                                                                         ^^^^^^^
    hint: write `inputOnly: false`
    ");
    let pinned = sound(
        "datasets: {a: {template: 'a/%(filter)s', storage: s}, c: {composite: {x: {datasetType: a, dataId: {filter: n}}}}}",
    );
    let composite = find(&pinned, "c").composite.as_ref().unwrap();
    assert_eq!(
        composite.components[0].data_id,
        [("filter".to_owned(), KeyBinding::Pinned("n".into()))]
    );
}

#[test]
fn keys_are_declared_or_read_off_templates() {
    let policy = sound(
        "keys:
  visit: {type: int, header: EXPID, map: {a: 1}}
  tract: {type: int, spatial: skymap}
  patch: str
  note:
datasets:
  a: {template: '%(visit)s/%(ccd)d/%(seeing).2f/%(filter)s/%(patch)s', storage: s}
",
    );
    let visit = policy.key("visit").unwrap();
    assert_eq!(visit.header.as_deref(), Some("EXPID"));
    assert_eq!(visit.map, [("a".to_owned(), KeyValue::Int(1))]);
    assert_eq!(visit.place.line, 2);
    assert_eq!(
        policy.key("tract").unwrap().spatial.as_deref(),
        Some("skymap")
    );
    let types = [
        "visit", "tract", "patch", "ccd", "seeing", "filter", "note", "x",
    ]
    .map(|key| policy.key_type(key));
    use KeyType::{Float, Int, Str};
    assert_eq!(
        types,
        [
            Some(Int),
            Some(Int),
            Some(Str),
            Some(Int),
            Some(Float),
            Some(Str),
            None,
            None
        ]
    );
    // A key that is declared an integer is one where its conversion is `%s`, too.
    let template = find(&policy, "a").template.as_ref().unwrap();
    assert_eq!(template.keys()[0], ("visit".to_owned(), Int));
}

#[test]
fn pinned_values_have_the_types_of_their_keys() {
    let text = "datasets:
  a: {template: '%(visit)d/%(patch)s', storage: s}
  c:
    composite:
      x: {datasetType: a, dataId: {visit: '12', patch: 3}}
";
    let policy = sound(text);
    let composite = find(&policy, "c").composite.as_ref().unwrap();
    assert_eq!(
        composite.components[0].data_id,
        [
            ("visit".to_owned(), KeyBinding::Pinned(12.into())),
            ("patch".to_owned(), KeyBinding::Pinned("3".into()))
        ]
    );
    insta::assert_snapshot!(complaints(&text.replace("'12'", "r")), @r"
error[wrong-type]: the component `x` has visit=r, and `visit` is int
  --> policy.yaml:5:7
5 |       x: {datasetType: a, dataId: {visit: r, patch: 3}}
  |       ^
");
}

#[test]
fn a_setting_that_recipes_do_not_have_is_named() {
    let (_, problems) = load(
        "recipes:
  mine:
    image: {compression: {algoritm: RICE_1}}
    mask: {compression: {algorithm: RISE_1}}
",
    );
    insta::assert_snapshot!(shown(&problems), @"
    warning[unknown-setting]: there is no setting `image.compression.algoritm` of a write recipe
      --> policy.yaml:3:27
    3 |     image: {compression: {algoritm: RICE_1}}
      |                           ^^^^^^^^
    hint: did you mean `image.compression.algorithm`?

    warning[unknown-setting]: `mask.compression.algorithm` is one of NONE, GZIP, GZIP_1, GZIP_2, GZIP_SHUFFLE, RICE, RICE_1, and here it is `RISE_1`
      --> policy.yaml:4:26
    4 |     mask: {compression: {algorithm: RISE_1}}
      |                          ^^^^^^^^^
    hint: did you mean `RICE_1`?
    ");
}

#[test]
fn recipes_are_kept_as_flat_settings() {
    let policy = sound(
        "recipes:
  mine:
    image: &i {compression: {algorithm: RICE, rows: 1}, scaling: {maskPlanes: [NO_DATA, SAT]}}
    variance: *i
datasets: {a: {template: a, storage: s, recipe: mine}}
",
    );
    let settings: Vec<String> = policy
        .recipe("mine")
        .unwrap()
        .settings
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    assert_eq!(
        settings,
        [
            "image.compression.algorithm=RICE",
            "image.compression.rows=1",
            "image.scaling.maskPlanes=[NO_DATA, SAT]",
            "variance.compression.algorithm=RICE",
            "variance.compression.rows=1",
            "variance.scaling.maskPlanes=[NO_DATA, SAT]",
        ]
    );
}
