//! Writes a definition as YAML that loads back to an equal one (rule R7).

use std::fmt::Write;

use super::definition::{
    Component, Composite, Definition, HeaderRule, Join, JoinHow, KeyBinding, LackingPlanes,
    MissingRows, RecordedIds, SharedMetadata,
};
use super::node::core_number;
use crate::KeyValue;

/// Returns the definition in block style, one mapping under its name. What it inherits is written out, and `inherits`
/// itself is not: the parent may be out of sight where this is read.
pub(crate) fn definition(definition: &Definition) -> String {
    let mut out = Block::default();
    out.open(&scalar(definition.name.as_str()));
    out.text("description", definition.description.as_deref());
    if let Some(template) = &definition.template {
        out.entry("template", &quoted(template.text()));
    } else if definition.computed {
        out.entry("template", "ignored");
    }
    out.text("python", definition.python.as_deref());
    out.text("persistable", definition.persistable.as_deref());
    match &definition.storage {
        None if definition.computed => out.entry("storage", "ignored"),
        storage => out.text("storage", storage.as_deref()),
    }
    out.text("recipe", definition.recipe.as_deref());
    if let Some(composite) = &definition.composite {
        write_composite(&mut out, composite);
    }
    out.text("level", definition.level.as_deref());
    if !definition.tables.is_empty() {
        out.entry("tables", &list(&definition.tables));
    }
    if let Some(keys) = &definition.keys {
        out.entry("keys", &list(keys));
    }
    out.text("standardize", definition.standardize.as_deref());
    out.text("virtual", definition.virtual_reader.as_deref());
    write_ingest(&mut out, definition);
    if !definition.metadata.is_empty() {
        out.open("metadata");
        for (column, card) in &definition.metadata {
            out.entry(&scalar(column), &scalar(card));
        }
        out.close();
    }
    if let Some(join) = &definition.join {
        write_join(&mut out, join);
    }
    if let Some(shared) = definition.shared_metadata {
        out.entry(
            "sharedMetadata",
            match shared {
                SharedMetadata::Error => "error",
                SharedMetadata::First => "first",
                SharedMetadata::Column => "column",
            },
        );
    }
    for (key, value) in &definition.kept {
        out.entry(key, value);
    }
    out.finish()
}

fn write_composite(out: &mut Block, composite: &Composite) {
    out.open("composite");
    for component in &composite.components {
        write_component(out, component);
    }
    out.close();
    out.text("assembler", composite.assembler.as_deref());
    out.text("disassembler", composite.disassembler.as_deref());
}

fn write_component(out: &mut Block, component: &Component) {
    out.open(&scalar(&component.name));
    out.entry("datasetType", &scalar(&component.dataset_type.to_string()));
    out.text("setter", component.setter.as_deref());
    out.text("getter", component.getter.as_deref());
    let flags = [
        ("subset", component.subset),
        ("inputOnly", component.input_only),
        ("optional", component.optional),
        ("base", component.base),
        ("allowEmpty", component.allow_empty),
    ];
    for (key, _) in flags.iter().filter(|(_, is_set)| *is_set) {
        out.entry(key, "true");
    }
    if !component.data_id.is_empty() {
        out.open("dataId");
        for (key, binding) in &component.data_id {
            let text = match binding {
                KeyBinding::Pinned(pinned) => value(pinned),
                KeyBinding::Renamed(from) => format!("\"%({from})s\""),
            };
            out.entry(&scalar(key), &text);
        }
        out.close();
    }
    match &component.data_ids {
        None => {}
        Some(RecordedIds::AtPut) => out.entry("dataIds", "recorded"),
        Some(RecordedIds::Metadata(card)) => {
            out.entry("dataIds", &format!("{{metadata: {}}}", scalar(card)));
        }
    }
    if let Some(apply) = &component.apply {
        let planes = match apply.planes {
            LackingPlanes::Error => String::new(),
            other => format!(", planes: {}", other.word()),
        };
        let to = scalar(&apply.to);
        let text = format!("{{op: {}, to: {to}{planes}}}", apply.operation);
        out.entry("apply", &text);
    }
    out.close();
}

fn write_ingest(out: &mut Block, definition: &Definition) {
    let rule = &definition.ingest;
    if rule.path.is_none() && rule.headers.is_empty() {
        return;
    }
    out.open("ingest");
    if let Some(path) = &rule.path {
        out.entry("path", &quoted(path.text()));
    }
    if !rule.headers.is_empty() {
        out.open("headers");
        for (key, HeaderRule { card, map }) in &rule.headers {
            if map.is_empty() {
                out.entry(&scalar(key), &scalar(card));
            } else {
                out.open(&scalar(key));
                out.entry("card", &scalar(card));
                out.open("map");
                for (from, to) in map {
                    out.entry(&scalar(from), &value(to));
                }
                out.close();
                out.close();
            }
        }
        out.close();
    }
    out.close();
}

fn write_join(out: &mut Block, join: &Join) {
    out.open("join");
    if !join.on.is_empty() {
        out.entry("on", &list(&join.on));
    }
    out.entry(
        "how",
        match join.how {
            JoinHow::Inner => "inner",
            JoinHow::Left => "left",
            JoinHow::Outer => "outer",
        },
    );
    if let Some(prefix) = &join.prefix {
        out.entry("prefix", &quoted(prefix));
    }
    out.entry(
        "missing",
        match join.missing {
            MissingRows::Null => "\"null\"",
            MissingRows::Error => "error",
        },
    );
    out.close();
}

/// Lines of block style; a mapping that stays empty is not written.
#[derive(Default)]
struct Block {
    text: String,
    depth: usize,
}

impl Block {
    fn entry(&mut self, key: &str, value: &str) {
        let indent = "  ".repeat(self.depth);
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{indent}{key}: {value}");
    }

    fn text(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.entry(key, &scalar(value));
        }
    }

    fn open(&mut self, key: &str) {
        let indent = "  ".repeat(self.depth);
        let _ = writeln!(self.text, "{indent}{key}:");
        self.depth += 1;
    }

    fn close(&mut self) {
        self.depth -= 1;
    }

    fn finish(self) -> String {
        self.text
    }
}

fn list<S: AsRef<str>>(texts: &[S]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| scalar(text.as_ref())).collect();
    format!("[{}]", texts.join(", "))
}

fn value(value: &KeyValue) -> String {
    match value {
        KeyValue::Int(number) => number.to_string(),
        KeyValue::Float(number) => format!("{number:?}"),
        KeyValue::Str(text) => scalar(text),
    }
}

/// Writes a text without quotes where that is read back as the same text.
pub(crate) fn scalar(text: &str) -> String {
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-.:/".contains(c))
        && !text.ends_with(':')
        && core_number(text).is_none()
        && !matches!(
            text.to_lowercase().as_str(),
            // Some of these are texts in YAML 1.2 and not in what other programs read.
            "null" | "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n"
        );
    if is_plain {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// Writes a text in double quotes.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            // Line separators and byte-order marks are no text to a YAML reader.
            c if c.is_control() || "\u{2028}\u{2029}\u{feff}".contains(c) || !is_printable(c) => {
                let _ = write!(out, "\\U{:08x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn is_printable(c: char) -> bool {
    !matches!(c as u32, 0xfffe..=0xffff)
}
