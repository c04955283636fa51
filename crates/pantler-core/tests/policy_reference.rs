//! The users' reference of the policy format, the JSON Schema and the loader know the same words.

#![allow(
    clippy::unwrap_used,
    reason = "what the helpers of tests unwrap fails the test"
)]

use std::fmt::Write;
use std::path::PathBuf;

use pantler_core::policy::vocabulary::{self, Shape, Word};
use pantler_core::policy::{Definition, Policy, PolicyText, schema};
use pantler_core::problem::Problem;
use pantler_core::{TypeName, built_names, synonyms};

fn load(text: &str) -> (Policy, Vec<Problem>) {
    let text = PolicyText {
        file: "policy.yaml".into(),
        text: text.to_owned(),
    };
    Policy::load(&[text], &mut |_, name| {
        Ok(PolicyText {
            file: name.into(),
            text: String::new(),
        })
    })
}

/// A place in a policy that keys stand in: the text before and behind them, and their words.
struct Level {
    title: &'static str,
    words: &'static [Word],
    before: &'static str,
    indent: &'static str,
    behind: &'static str,
}

const LEVELS: [Level; 9] = [
    Level {
        title: "At the top",
        words: vocabulary::TOP_WORDS,
        before: "",
        indent: "",
        behind: "",
    },
    Level {
        title: "Of a dataset type",
        words: vocabulary::DATASET_WORDS,
        before: "datasets:\n  a:\n",
        indent: "    ",
        behind: "",
    },
    Level {
        title: "Of a component",
        words: vocabulary::COMPONENT_WORDS,
        before: "datasets:\n  a:\n    composite:\n      x:\n",
        indent: "        ",
        behind: "        datasetType: b\n",
    },
    Level {
        title: "Of a data-ID key (`keys.KEY`)",
        words: vocabulary::KEY_WORDS,
        before: "keys:\n  visit:\n",
        indent: "    ",
        behind: "",
    },
    Level {
        title: "Of `ingest`",
        words: vocabulary::INGEST_WORDS,
        before: "datasets:\n  a:\n    ingest:\n",
        indent: "      ",
        behind: "",
    },
    Level {
        title: "Of `ingest.headers.KEY`",
        words: vocabulary::HEADER_WORDS,
        before: "datasets:\n  a:\n    ingest:\n      headers:\n        visit:\n",
        indent: "          ",
        behind: "          card: FILTER\n",
    },
    Level {
        title: "Of `apply`",
        words: vocabulary::APPLY_WORDS,
        before: "datasets:\n  a:\n    composite:\n      x:\n        datasetType: b\n        apply:\n",
        indent: "          ",
        behind: "          op: replace\n          to: image\n",
    },
    Level {
        title: "Of `dataIds`",
        words: vocabulary::RECORDED_WORDS,
        before: "datasets:\n  a:\n    composite:\n      x:\n        datasetType: b\n        dataIds:\n",
        indent: "          ",
        behind: "",
    },
    Level {
        title: "Of `join`",
        words: vocabulary::JOIN_WORDS,
        before: "datasets:\n  a:\n    join:\n",
        indent: "      ",
        behind: "",
    },
];

impl Level {
    /// A policy with one key at this level, and what else is needed there.
    fn with(&self, example: &str, name: &str) -> String {
        let behind: String = self
            .behind
            .lines()
            .filter(|line| line.trim().split(':').next() != Some(name))
            .map(|line| format!("{line}\n"))
            .collect();
        // A plug-in says nothing without components.
        let composite = match name {
            "assembler" | "disassembler" => "    composite: {x: {datasetType: b}}\n",
            _ => "",
        };
        format!(
            "{}{}{example}\n{behind}{composite}",
            self.before, self.indent
        )
    }
}

/// A policy as values, without the places that its keys stand in.
fn understood(policy: &Policy) -> String {
    let definitions: Vec<(String, &[String])> = policy
        .definitions()
        .map(|one: &Definition| {
            (
                format!("{}{:?}{:?}", one.yaml, one.inherits, one.join),
                one.complaints.as_slice(),
            )
        })
        .collect();
    let keys: Vec<String> = policy
        .keys()
        .map(|key| {
            format!(
                "{}{:?}{:?}{:?}{:?}",
                key.name, key.key_type, key.header, key.map, key.spatial
            )
        })
        .collect();
    let aliases: Vec<String> = policy
        .aliases()
        .iter()
        .map(|(name, alias)| format!("{name} {}", alias.target))
        .collect();
    let recipes: Vec<String> = policy
        .recipes()
        .map(|one| format!("{}{:?}", one.name, one.settings))
        .collect();
    format!(
        "{definitions:?}{keys:?}{aliases:?}{recipes:?}{:?}",
        policy.stages()
    )
}

/// Each word of the vocabulary is understood: its example loads, and what is loaded is not what it is without.
#[test]
fn the_loader_understands_every_word() {
    for level in &LEVELS {
        for word in level.words {
            let text = level.with(word.example, word.name);
            let (policy, problems) = load(&text);
            let wrong: Vec<String> = problems.iter().map(Problem::to_string).collect();
            assert!(wrong.is_empty(), "{text}\n{}", wrong.join("\n"));
            // A policy's own description is for its readers, and an include is what its file says.
            if level.before.is_empty() && ["description", "include"].contains(&word.name) {
                continue;
            }
            let (without, _) = load(
                &level
                    .with("description: nothing else", word.name)
                    .replace("description: nothing else", ""),
            );
            // Nothing of an operation can be understood without the other half.
            assert_ne!(understood(&policy), understood(&without), "{text}");
        }
    }
}

/// The schema's words for types are those that the loader takes.
#[test]
fn types_of_keys_have_the_same_names() {
    for name in vocabulary::KEY_TYPES {
        assert!(pantler_core::KeyType::from_name(name).is_some(), "{name}");
    }
    for name in ["number", "bool", "Int", ""] {
        assert!(pantler_core::KeyType::from_name(name).is_none(), "{name}");
    }
}

/// No other word is: at each level a word of no level is refused.
#[test]
fn the_loader_refuses_any_other_word() {
    for level in &LEVELS {
        let (_, problems) = load(&level.with("zzzzzz: 1", "zzzzzz"));
        let codes: Vec<&str> = problems.iter().map(|one| one.code).collect();
        assert!(codes.contains(&"unknown-key"), "{}: {codes:?}", level.title);
    }
}

/// The schema has the words of the loader, at every level, and no others.
#[test]
fn the_schema_has_the_same_words() {
    let schema = schema();
    let names = |value: &serde_json::Value| -> Vec<String> {
        let mut names: Vec<String> = value["properties"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        names.sort();
        names
    };
    let expected = |lists: &[&[&str]]| {
        let mut names: Vec<String> = lists
            .concat()
            .iter()
            .map(|name| (*name).to_owned())
            .collect();
        names.sort();
        names
    };
    let passed: Vec<&str> = vocabulary::PASSED_OVER
        .iter()
        .map(|(name, _)| *name)
        .collect();
    let kept: Vec<&str> = vocabulary::KEPT.iter().map(|(name, _)| *name).collect();
    assert_eq!(names(&schema), expected(&[vocabulary::TOP, &passed]));
    let dataset = &schema["$defs"]["datasetType"];
    assert_eq!(names(dataset), expected(&[vocabulary::DATASET, &kept]));
    assert_eq!(
        names(&schema["$defs"]["component"]),
        expected(&[vocabulary::COMPONENT])
    );
    assert_eq!(
        names(&dataset["properties"]["ingest"]),
        expected(&[vocabulary::INGEST])
    );
    assert_eq!(
        names(&dataset["properties"]["join"]),
        expected(&[vocabulary::JOIN])
    );
}

fn shape(shape: &Shape) -> String {
    match shape {
        Shape::Text => "text".to_owned(),
        Shape::Boolean => "`true` or `false`".to_owned(),
        Shape::Texts => "a text or a list of texts".to_owned(),
        Shape::Value => "a number or a text".to_owned(),
        Shape::OneOf(words) => words
            .iter()
            .map(|word| format!("`{word}`"))
            .collect::<Vec<_>>()
            .join(", "),
        Shape::Keys(_) => "a mapping (below)".to_owned(),
        Shape::Map(inner) => format!("a mapping of names to {}", self::shape(inner)),
        Shape::Types => "dataset types by name".to_owned(),
        Shape::Components => "components by name".to_owned(),
        Shape::Either(one, other) => format!("{}, or {}", self::shape(one), self::shape(other)),
        Shape::Settings => "settings of the format".to_owned(),
    }
}

/// The part of the reference that is made from the tables.
fn reference() -> String {
    let mut text = String::new();
    for level in &LEVELS {
        let _ = writeln!(
            text,
            "### {}\n\n| key | takes | what it says | example |\n| --- | --- | --- | --- |",
            level.title
        );
        for word in level.words {
            let about = word.about.replace('|', "\\|");
            let _ = writeln!(
                text,
                "| `{}` | {} | {about} | `{}` |",
                word.name,
                shape(&word.shape),
                word.example
            );
        }
        text.push('\n');
    }
    text.push_str("### Older keys that are passed over\n\n| at the top | why |\n| --- | --- |\n");
    for (name, why) in vocabulary::PASSED_OVER {
        let _ = writeln!(text, "| `{name}` | {why} |");
    }
    text.push_str("\n### Older keys that are kept and shown, and not used\n\n| of a dataset type | what it said |\n| --- | --- |\n");
    for (name, why) in vocabulary::KEPT {
        let _ = writeln!(text, "| `{name}` | {why} |");
    }
    text.push_str("\n### Components of several names (rule R9)\n\n| component | also written |\n| --- | --- |\n");
    for (name, others) in synonyms::SYNONYMS {
        let others: Vec<String> = others.iter().map(|other| format!("`{other}`")).collect();
        let _ = writeln!(text, "| `{name}` | {} |", others.join(", "));
    }
    text.push_str("\n### Names built from a type\n\n| name | means |\n| --- | --- |\n");
    for word in built_names::words() {
        let name = format!("calexp_{word}");
        let (base, part) = built_names::split(&name).unwrap();
        let means = part.map_or(base.to_owned(), |part| format!("{base}.{part}"));
        let _ = writeln!(text, "| `{name}` | `{means}` |");
    }
    text
}

const START: &str = "<!-- made from the vocabulary: PANTLER_WRITE_DOCS=1 cargo test -p pantler-core --test policy_reference -->\n";
const END: &str = "<!-- end of what is made -->\n";

fn page() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/policy.md")
}

#[test]
fn the_reference_is_made_from_the_vocabulary() {
    let page_text = std::fs::read_to_string(page()).unwrap();
    let (before, rest) = page_text.split_once(START).unwrap();
    let (there, behind) = rest.split_once(END).unwrap();
    let made = format!("\n{}\n", reference());
    if std::env::var_os("PANTLER_WRITE_DOCS").is_some() {
        std::fs::write(page(), format!("{before}{START}{made}{END}{behind}")).unwrap();
        return;
    }
    assert_eq!(there, made, "write it anew as its first line says");
}

/// The examples of the page are policies, whole and sound.
#[test]
fn the_pages_examples_load() {
    let page = std::fs::read_to_string(page()).unwrap();
    let mut number = 0;
    for piece in page.split("```yaml\n").skip(1) {
        let (text, _) = piece.split_once("```").unwrap();
        let (policy, mut problems) = load(text);
        problems.extend(policy.check_references(&|name: &TypeName| name.base() == "raw"));
        let wrong: Vec<String> = problems.iter().map(Problem::to_string).collect();
        assert!(wrong.is_empty(), "{text}\n{}", wrong.join("\n"));
        number += 1;
    }
    assert!(number >= 5, "{number}");
}
