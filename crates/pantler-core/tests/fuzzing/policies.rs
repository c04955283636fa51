//! Policies: whatever a file says, it is loaded or refused, its problems stand in it, and what is loaded can be written.

use pantler_core::policy::{Policy, PolicyText};
use pantler_core::problem::{Problem, Severity};

use super::fuzz;

const SEEDS: [&str; 5] = [
    "stages: [sfm, jointcal]
keys: {visit: {type: int, header: EXPID}, tract: {type: int, spatial: skymap}}
aliases: {calexp: 'calexp:jointcal'}
recipes: {mine: {image: {compression: {algorithm: RICE_1}}}}
datasets:
  calexp:sfm: {template: 'calexp/%(visit)07d.fits', python: lsst.afw.image.ExposureF, storage: FitsStorage, recipe: mine}
  jointcal_wcs: {template: 'wcs/%(tract)d/%(visit)d.fits[0]', python: Wcs, storage: FitsStorage}
  calexp:jointcal:
    composite:
      calexp: {datasetType: 'calexp:sfm', inputOnly: true, base: true}
      wcs: {datasetType: jointcal_wcs, dataId: {tract: 1, visit: '%(exposure)d'}, optional: true}
    assembler: pantler.overlay
",
    "exposures: {
    raw: {
        template:      \"raw/%(visit)d.fits\"
        tables:        raw
        tables:        raw_skyTile
    }
    warp(raw): { storage: ignored }
}
levels: {skyTile: visit}
",
    "datasets:
  a: &a {template: a, storage: s, ingest: {path: 'x-%(visit)d', headers: {filter: {card: FILTER, map: {HSC-I: i}}}}}
  b: {<<: *a, metadata: {exptime: EXPTIME}, join: {on: [id], how: inner, prefix: false, missing: error}}
  c: {composite: {x: {datasetType: a, subset: true, allowEmpty: true}, y: {datasetType: b.wcs, dataIds: {metadata: INPUTS}}}, keys: [filter]}
",
    "datasets:
\tcoadd_postdetect {
        composite: { exposure: { datasettype: calexp, inputOnly = True } }
    }
",
    "include: [other.yaml, !include more.yaml]
description: |
  two
  lines
calexp: {template: 'calexp/%(visit)s', storage: FitsStorage, level: Ccd, columns: [a, {b: c}]}
",
];

const WORDS: [&str; 34] = [
    "datasets:",
    "composite:",
    "template:",
    "inherits:",
    "datasetType:",
    "include:",
    "aliases:",
    "keys:",
    "recipes:",
    "stages:",
    "storage:",
    "ingest:",
    "join:",
    "apply: {op: add, to: mask}",
    "dataIds: recorded",
    "\n  ",
    "\n",
    ": ",
    "{",
    "}",
    "[",
    "]",
    "*a",
    "&a ",
    "<<: *a",
    "!!str",
    "!include x",
    "|",
    ">",
    "---",
    "%(visit)d",
    "true",
    "null",
    "'",
];

fn load(text: &str) -> (Policy, Vec<Problem>) {
    let text = PolicyText {
        file: "policy.yaml".into(),
        text: text.to_owned(),
    };
    let mut fetched = 0;
    Policy::load(&[text], &mut |_, name| {
        fetched += 1;
        match fetched {
            1 | 2 => Ok(PolicyText {
                file: name.into(),
                text: "datasets: {included: {template: i, storage: s}}".into(),
            }),
            _ => Err("there are no more files".into()),
        }
    })
}

#[test]
fn policies_are_loaded_or_refused() {
    fuzz("policy", &SEEDS, &WORDS, |text, _| {
        let (policy, problems) = load(text);
        let lines = text.split(['\n', '\r']).count();
        for problem in &problems {
            assert!(problem.place.line >= 1 && problem.place.column >= 1 && problem.length >= 1);
            let here = &*problem.place.file == "policy.yaml";
            assert!(!here || problem.place.line as usize <= lines, "{problem}");
            let shown = problem.to_string();
            let message = shown.lines().next().unwrap_or_default();
            assert!(!message.chars().any(char::is_control), "{message:?}");
        }
        policy.check_references(&|_| false);
        policy.check_recipes(&|_| false);
        policy.check_built_names(&|_| None);
        policy.check_key_types(&[&policy]);
        if problems.iter().any(|one| one.severity == Severity::Error) {
            return;
        }
        // A definition that a put brings along must load where it comes to stand (rule R7).
        for definition in policy.definitions() {
            let body = definition.yaml.replace('\n', "\n  ");
            let (again, problems) = load(&format!("datasets:\n  {body}"));
            let wrong: Vec<String> = problems
                .iter()
                .filter(|one| one.severity == Severity::Error)
                .map(Problem::to_string)
                .collect();
            // Keys that are declared elsewhere in the policy do not travel with it.
            let only_types = problems
                .iter()
                .filter(|one| one.severity == Severity::Error)
                .all(|one| one.code == "key-types" || one.code == "wrong-type");
            assert!(only_types, "{}\n{}", definition.yaml, wrong.join("\n"));
            let again = again.definition(&definition.name);
            assert_eq!(again.map(|one| &one.yaml), Some(&definition.yaml));
        }
    });
}
