//! Definitions as YAML, for other policies (rule R7).

use proptest::prelude::*;

use super::*;
use crate::KeyValue;

/// Loads a definition's own YAML and returns it, with places and inheritance of `like`.
fn again(definition: &Definition) -> Definition {
    let indented: String = definition
        .yaml
        .lines()
        .map(|line| format!("  {line}\n"))
        .collect();
    let (policy, problems) = load(&format!("keys: {{}}\ndatasets:\n{indented}"));
    let wrong = problems.iter().filter(|one| one.code != "unknown-recipe");
    assert_eq!(
        wrong.count(),
        0,
        "{}\n{}",
        shown(&problems),
        definition.yaml
    );
    let mut found = find(&policy, definition.name.as_str()).clone();
    found.inherits.clone_from(&definition.inherits);
    without_places(found)
}

fn without_places(mut definition: Definition) -> Definition {
    let nowhere = Place {
        file: "".into(),
        line: 0,
        column: 0,
    };
    definition.place = nowhere.clone();
    definition.key_places.clear();
    if let Some(composite) = &mut definition.composite {
        composite.assembler_place = composite.assembler_place.as_ref().map(|_| nowhere.clone());
        for component in &mut composite.components {
            component.place = nowhere.clone();
        }
    }
    definition
}

const EVERYTHING: &str = r##"
keys: {visit: int, kind: str}
recipes: {mine: {}}
datasets:
  raw: {template: 'raw/%(exposure)d.fits[2]', storage: FitsStorage}
  calexp:sfm:
    description: "with: colon, \"quotes\", 'apostrophes', # sign, \n lines, é and \e"
    template: "calexp/%(visit)07d/%(filter)s-100%%.fits"
    python: lsst.afw.image.ExposureF
    persistable: ExposureF
    storage: FitsStorage
    recipe: mine
    level: "None"
    tables: [raw, "no", "1"]
    metadata: {exptime: EXPTIME, "on": HIERARCH A B}
    standardize: my.standardize
    columns: [a, 'b c', {d: e}]
    filter: true
    ingest:
      path: 'in-%(visit)d.fits'
      headers: {visit: EXPID, y: {card: FILTER, map: {HSC-I: i, '2': 3, f: 0.5, n: 'no', t: '1'}}}
  heir(calexp:sfm): {template: 'heir/%(visit)d'}
  computed: {storage: ignored, template: ignored}
  half: {storage: ignored, template: 'half/%(visit)d'}
  made: {virtual: my.make}
  incomplete: {python: my.Class}
  calexp.wcs:after: {template: 'wcs/%(visit)d', storage: FitsStorage}
  calexp:after:
    python: lsst.afw.image.ExposureF
    keys: [visit]
    join: {on: [id, 'true'], how: left, prefix: 'p_', missing: null}
    sharedMetadata: column
    composite:
      exposure: {datasetType: 'calexp:sfm', inputOnly: True, base: true}
      background: {datasetType: raw, setter: setX, getter: getX, apply: {op: andNot, to: mask.DETECTED}, optional: true}
      raws: {datasetType: 'raw:.metadata', subset: true, allowEmpty: true, dataId: {exposure: '%(visit)d', y: y, visit: '1', kind: 1}}
      recorded: {datasetType: raw, dataIds: recorded}
      listed: {datasetType: raw, dataIds: {metadata: INPUTS}}
    assembler: my.Assembler
    disassembler: my.Disassembler
"##;

#[test]
fn r7_a_definition_loads_back_from_its_own_yaml() {
    let (policy, problems) = load(EVERYTHING);
    assert_eq!(shown(&problems), "");
    for definition in policy.definitions() {
        let mut expected = without_places(definition.clone());
        // Without the keys' declaration a pinned value is of the type that it is written with, so that must be right.
        let mut found = again(definition);
        // Types of keys are the policy's, not the definition's.
        expected.template = expected
            .template
            .map(|one| crate::Template::parse(one.text()).unwrap());
        found.template = found
            .template
            .map(|one| crate::Template::parse(one.text()).unwrap());
        assert_eq!(found, expected, "{}", definition.yaml);
    }
}

#[test]
fn r7_what_is_written_is_easy_to_read() {
    let (policy, _) = load(EVERYTHING);
    insta::assert_snapshot!(find(&policy, "calexp:sfm").yaml, @r#"
    calexp:sfm:
      description: "with: colon, \"quotes\", 'apostrophes', # sign, \n lines, é and \U0000001b"
      template: "calexp/%(visit)07d/%(filter)s-100%%.fits"
      python: lsst.afw.image.ExposureF
      persistable: ExposureF
      storage: FitsStorage
      recipe: mine
      level: None
      tables: [raw, "no", "1"]
      standardize: my.standardize
      ingest:
        path: "in-%(visit)d.fits"
        headers:
          visit: EXPID
          "y":
            card: FILTER
            map:
              HSC-I: i
              "2": 3
              f: 0.5
              "n": "no"
              t: "1"
      metadata:
        exptime: EXPTIME
        "on": "HIERARCH A B"
      columns: [a, "b c", {d: e}]
      filter: true
    "#);
    insta::assert_snapshot!(find(&policy, "calexp:after").yaml, @r#"
    calexp:after:
      python: lsst.afw.image.ExposureF
      composite:
        exposure:
          datasetType: calexp:sfm
          inputOnly: true
          base: true
        background:
          datasetType: raw
          setter: setX
          getter: getX
          optional: true
          apply: {op: andNot, to: mask.DETECTED}
        raws:
          datasetType: raw:.metadata
          subset: true
          allowEmpty: true
          dataId:
            exposure: "%(visit)s"
            "y": "y"
            visit: 1
            kind: "1"
        recorded:
          datasetType: raw
          dataIds: recorded
        listed:
          datasetType: raw
          dataIds: {metadata: INPUTS}
        wcs:
          datasetType: calexp:after.wcs
      assembler: my.Assembler
      disassembler: my.Disassembler
      keys: [visit]
      join:
        on: [id, "true"]
        how: left
        prefix: "p_"
        missing: "null"
      sharedMetadata: column
    "#);
}

#[test]
fn numbers_of_yaml_are_those_of_its_core_schema() {
    use super::super::node::core_number;
    let int = |value| Some(KeyValue::Int(value));
    assert_eq!(core_number("12"), int(12));
    assert_eq!(core_number("-0012"), int(-12));
    assert_eq!(core_number("0o17"), int(15));
    assert_eq!(core_number("0x1F"), int(31));
    assert_eq!(core_number("1e3"), Some(KeyValue::Float(1000.0)));
    assert_eq!(core_number("-.5"), Some(KeyValue::Float(-0.5)));
    for text in [
        "", "1_000", "0x-1", "0o8", "1a", ".inf", ".nan", "-", "1.2.3", "12:30", "+-1", "9e999",
        "e3",
    ] {
        assert_eq!(core_number(text), None, "{text}");
    }
}

proptest! {
    /// Any text is written so that it is read back as the same text.
    #[test]
    fn texts_are_written_so_that_they_are_read_back(text in "\\PC{0,12}|[a-z:# '\"\\\\\n\t~0-9.-]{0,8}|.{0,4}") {
        let yaml = format!("datasets: {{a: {{description: {}}}}}", super::super::yaml::scalar(&text));
        let (policy, problems) = load(&yaml);
        prop_assert!(problems.is_empty(), "{}", shown(&problems));
        let read = find(&policy, "a").description.clone();
        prop_assert_eq!(read.as_deref(), Some(text.trim_end_matches('\n')));
    }
}
