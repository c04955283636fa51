//! Whatever parses meets texts that nobody meant: policies, templates, data IDs, names, conditions of queries.
//!
//! Each target changes texts of its seeds and cases in random ways and checks a promise that no text may break. In a normal
//! run it does so for a moment, from a fixed start, so that it fails the same way twice; `PANTLER_FUZZ_SECONDS=300` makes it
//! go on for that long, from a start of its own. What it finds is kept under `cases/`, and docs/fuzzing.md lists it.

#![allow(
    clippy::unwrap_used,
    reason = "what the helpers of tests unwrap fails the test"
)]

mod mutating;
mod policies;

use std::time::{Duration, Instant};

use pantler_core::template::Reading;
use pantler_core::{DataId, DatasetName, Expression, KeyType, KeyValue, Template, TypeName};

use mutating::{Random, mutated};

/// How long a text may take; a hang is a finding too. Machines under load are slow, so this is generous.
const LONGEST: Duration = Duration::from_secs(20);

/// Runs a target over its seeds, then over changed ones, for as long as asked for.
fn fuzz(target: &str, seeds: &[&str], words: &[&str], check: impl Fn(&str, &mut Random)) {
    let cases = cases(target);
    let mut texts: Vec<String> = seeds.iter().map(|seed| (*seed).to_owned()).collect();
    texts.extend(cases);
    let asked: Option<u64> = std::env::var("PANTLER_FUZZ_SECONDS")
        .ok()
        .and_then(|seconds| seconds.parse().ok());
    let mut random = match asked {
        None => Random::new(1),
        Some(_) => Random::new(std::process::id().into()),
    };
    for text in &texts {
        run(target, text, &mut random, &check);
    }
    let started = Instant::now();
    let mut runs = 0u64;
    let goes_on = |runs: u64| match asked {
        None => runs < 400,
        Some(seconds) => started.elapsed() < Duration::from_secs(seconds),
    };
    while goes_on(runs) {
        let text = mutated(&texts, words, &mut random);
        run(target, &text, &mut random, &check);
        runs += 1;
    }
    if asked.is_some() {
        // For docs/fuzzing.md; a normal run says nothing.
        let line = format!("{target}: {runs} texts\n");
        std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).unwrap();
    }
}

/// Runs one text; one that panics or hangs is printed, ready to be kept as a case.
fn run(target: &str, text: &str, random: &mut Random, check: &impl Fn(&str, &mut Random)) {
    let started = Instant::now();
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(text, random)));
    assert!(outcome.is_ok(), "{target} fails for {text:?}");
    let took = started.elapsed();
    assert!(took < LONGEST, "{target} takes {took:?} for {text:?}");
}

/// The findings that are kept.
fn cases(target: &str) -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzzing/cases");
    let mut files: Vec<_> = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(&format!("{target}-"))
        })
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned())
        .collect()
}

#[test]
fn templates_print_what_they_read() {
    let seeds = [
        "calexp/%(visit)07d/%(ccd)03d.fits",
        "sci-results/%(run)d/%(camcol)d/%(filter)s/calexp/calexp-%(run)06d-%(filter)s%(camcol)d-%(field)04d.fits",
        "dcrCoadd/%(filter)s%(subfilter)dof%(numSubfilters)d/%(tract)d/%(patch)s.fits",
        "raw/%(visit)d.fits[%(hdu)d]",
        "%(a)5.2f%(b)-8s%(c)+d%(d)#x%%%(e)r[0]",
        "x/%(a)c%(b)i%(c)u%(d)o%(e)X%(f)e%(g)G",
    ];
    let words = [
        "%(", ")s", ")d", ")07d", "%%", "/", ".", "..", "[0]", "%(a)s", "%(a)*d", "-", "_",
        ".pantler",
    ];
    fuzz("template", &seeds, &words, |text, random| {
        let template = match Template::parse(text) {
            Ok(template) => template,
            Err(error) => {
                assert!(error.length >= 1 && error.column <= text.chars().count());
                return;
            }
        };
        assert_eq!(template.text(), text);
        assert!(template.can_meet(&template));
        let values = template.keys().iter().map(|(key, key_type)| {
            let value = match key_type {
                KeyType::Int => KeyValue::Int(random.number()),
                KeyType::Float => KeyValue::float(random.number() as f64 / 8.0).unwrap(),
                KeyType::Str => random.word().as_str().into(),
            };
            (key.clone(), value)
        });
        let data_id = DataId::new(values.collect::<Vec<_>>());
        let Ok(filled) = template.fill(&data_id) else {
            return;
        };
        let path = filled.path.as_str();
        assert!(
            !path.starts_with('/') && !path.split('/').any(|part| part == ".." || part.is_empty())
        );
        let keys: Vec<&str> = template
            .path_keys()
            .iter()
            .map(|(key, _)| key.as_str())
            .collect();
        let read = template.read(path);
        assert_eq!(read, Some(data_id.restricted_to(&keys)), "{path}");
        assert!(matches!(template.readings(path), Reading::One(_)));
        assert!(
            template
                .read_suffix(&format!("some/where/{path}"))
                .is_some()
        );
    });
}

#[test]
fn data_ids_are_printed_as_they_are_read() {
    let seeds = [
        "visit=903334 ccd=16",
        "filter=r filter_2=\"a b\" x=1.5e-3",
        "name='it''s' empty=\"\" tab=\"\\t\"",
        "tract=0 patch=1,2 f=-0.0 i=-9223372036854775808",
    ];
    let words = [
        "=", " ", "\"", "'", "\\", "visit=", "1e400", "nan", "0x10", "\u{a0}",
    ];
    fuzz("data-id", &seeds, &words, |text, _| {
        // Control characters are shown escaped: no terminal shall obey a data ID.
        if text.chars().any(|c| c.is_control() && !c.is_whitespace()) {
            return;
        }
        if let Some(data_id) = DataId::parse(text) {
            let printed = data_id.to_string();
            assert_eq!(typed(&printed), data_id, "printed as {printed:?}");
        }
    });
}

/// Reads words as a POSIX shell gives them to a program: quotes and backslashes are the shell's.
fn typed(text: &str) -> DataId {
    let mut words = vec![String::new()];
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        let word = words.last_mut().unwrap();
        match c {
            ' ' => words.push(String::new()),
            '\\' => word.push(characters.next().unwrap()),
            '\'' => word.extend(characters.by_ref().take_while(|c| *c != '\'')),
            c => word.push(c),
        }
    }
    let words = words.iter().filter(|word| !word.is_empty());
    DataId::new(words.map(|word| {
        let (key, value) = word.split_once('=').unwrap();
        (key.to_owned(), KeyValue::guess(value))
    }))
}

#[test]
fn names_are_printed_as_they_are_read() {
    let seeds = [
        "calexp",
        "calexp:jointcal",
        "calexp:jointcal.wcs",
        "calexp.wcs:jointcal",
        "calexp:",
        "calexp:.wcs",
        "a.b.c",
    ];
    let words = [":", ".", "_", "wcs", "é", " ", "/", "\n"];
    fuzz("name", &seeds, &words, |text, _| {
        if let Ok(name) = DatasetName::parse(text) {
            let printed = name.to_string();
            assert_eq!(
                DatasetName::parse(&printed).as_ref(),
                Ok(&name),
                "printed as {printed:?}"
            );
        }
        if let Ok(name) = TypeName::new(text) {
            assert_eq!(TypeName::new(name.as_str()).as_ref(), Ok(&name));
        }
        if let Some((base, _)) = pantler_core::built_names::split(text) {
            assert!(text.starts_with(base) && base.len() < text.len());
        }
    });
}

#[test]
fn conditions_are_printed_as_they_are_read() {
    let seeds = [
        "visit > 100 and filter in ('g', 'r')",
        "not (a = 1 or b <> 'x') and c is not null",
        "x between -1.5 and 2e3 or name like 'a%_b'",
        "overlaps(circle(150.0, 2.5, 0.1))",
        "overlaps(polygon(1,2, 3,4, 5,6)) and repository != \"out\"",
        "((((a = 1))))",
    ];
    let words = [
        "and",
        "or",
        "not",
        "(",
        ")",
        "in",
        "between",
        "like",
        "is null",
        "'",
        "\"",
        ",",
        "1e999",
        "<=",
        "overlaps(",
        "circle(",
    ];
    fuzz("where", &seeds, &words, |text, _| {
        match Expression::parse(text) {
            Ok(expression) => {
                let printed = expression.to_string();
                let again = Expression::parse(&printed);
                let again = again.unwrap_or_else(|error| panic!("{printed:?}: {error}"));
                assert_eq!(again.to_string(), printed);
                expression.equalities();
                expression.identifiers();
            }
            Err(error) => {
                error.in_place();
            }
        }
    });
}
