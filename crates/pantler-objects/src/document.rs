//! A tree of maps, lists and scalars: what a JSON or a YAML file holds.
//!
//! One class serves both, because the value is the same and only the formatter differs: `Document` is what a policy means
//! by `python: dict`. What JSON has no word for (numbers that are not finite, dates, binary) is text here: `NaN`, `Infinity`,
//! `-Infinity`, and the rest as it stands in the file. Written files have it as text, too.

use std::sync::Arc;

use pantler_core::{Hasher, Origin};
use serde_json::Value;

use crate::values::Values;

/// The content of a JSON or YAML file.
#[derive(Debug, Clone)]
pub struct Document {
    value: Arc<Value>,
    origin: Option<Origin>,
}

impl Document {
    /// Wraps a value.
    pub fn new(value: Value) -> Document {
        Document {
            value: Arc::new(value),
            origin: None,
        }
    }

    /// Returns the value.
    pub fn value(&self) -> &Value {
        &self.value
    }

    fn class_name(&self) -> &str {
        "Document"
    }
}

impl Values for Document {
    fn add_values(&self, hasher: &mut Hasher) {
        add_value(hasher, &self.value);
    }

    fn differs_from(&self, other: &Document) -> Option<String> {
        first_difference("", &self.value, &other.value)
    }

    fn memory_bytes(&self) -> u64 {
        value_memory(&self.value)
    }
}

leaf_object!(Document);

/// Adds a value; the order of a map's keys does not count, as JSON gives it no meaning.
fn add_value(hasher: &mut Hasher, value: &Value) {
    match value {
        Value::Null => hasher.update(b"n"),
        Value::Bool(value) => hasher.update(&[b'b', u8::from(*value)]),
        Value::Number(number) => {
            hasher.update(b"d");
            hasher.field(number.to_string().as_bytes());
        }
        Value::String(text) => {
            hasher.update(b"s");
            hasher.field(text.as_bytes());
        }
        Value::Array(items) => {
            hasher.update(b"a");
            hasher.update(&(items.len() as u64).to_le_bytes());
            items.iter().for_each(|item| add_value(hasher, item));
        }
        Value::Object(entries) => {
            hasher.update(b"o");
            hasher.update(&(entries.len() as u64).to_le_bytes());
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            for (key, item) in entries {
                hasher.field(key.as_bytes());
                add_value(hasher, item);
            }
        }
    }
}

fn first_difference(path: &str, mine: &Value, other: &Value) -> Option<String> {
    match (mine, other) {
        (Value::Array(mine), Value::Array(others)) if mine.len() == others.len() => mine
            .iter()
            .zip(others)
            .enumerate()
            .find_map(|(index, (a, b))| first_difference(&format!("{path}[{index}]"), a, b)),
        (Value::Object(mine), Value::Object(others)) => {
            let missing = mine.keys().find(|key| !others.contains_key(*key));
            let added = others.keys().find(|key| !mine.contains_key(*key));
            match (missing, added) {
                (Some(key), _) => Some(format!("`{path}.{key}` is only in the first")),
                (None, Some(key)) => Some(format!("`{path}.{key}` is only in the second")),
                (None, None) => mine.iter().find_map(|(key, value)| {
                    first_difference(&format!("{path}.{key}"), value, others.get(key)?)
                }),
            }
        }
        (a, b) if a == b => None,
        (a, b) => Some(format!("`{path}` is {} and {}", shown(a), shown(b))),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(entries) => format!("a map of {}", entries.len()),
        scalar => scalar.to_string(),
    }
}

fn value_memory(value: &Value) -> u64 {
    let own = size_of::<Value>() as u64;
    own + match value {
        Value::String(text) => text.len() as u64,
        Value::Array(items) => items.iter().map(value_memory).sum(),
        Value::Object(entries) => entries
            .iter()
            .map(|(key, item)| key.len() as u64 + value_memory(item))
            .sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use pantler_core::Object;
    use serde_json::json;

    use super::*;
    use crate::{Blob, Text};

    #[test]
    fn documents_compare_by_value() {
        let one = Document::new(json!({"a": [1, {"b": null}], "c": "x"}));
        let reordered = Document::new(json!({"c": "x", "a": [1, {"b": null}]}));
        assert_eq!(one.difference(&reordered), None);
        assert_eq!(one.digest_values(), reordered.digest_values());
        let other = Document::new(json!({"a": [1, {"b": 2}], "c": "x"}));
        assert_eq!(one.difference(&other).unwrap(), "`.a[1].b` is null and 2");
        assert_ne!(one.digest_values(), other.digest_values());
        let longer = Document::new(json!({"a": [1, {"b": null}], "c": "x", "d": 1}));
        assert_eq!(
            one.difference(&longer).unwrap(),
            "`.d` is only in the second"
        );
        let list = Document::new(json!([[1], 2]));
        let other = Document::new(json!([[1, 2]]));
        assert_eq!(
            list.difference(&other).unwrap(),
            "`` is a list of 2 and a list of 1"
        );
        assert_ne!(list.digest_values(), other.digest_values());
    }

    #[test]
    fn texts_and_bytes_compare_by_value() {
        let (a, b) = (Text::new("one\ntwo"), Text::new("one\nTwo"));
        assert_eq!(a.difference(&b).unwrap(), "the text differs from line 2 on");
        assert_eq!(a.difference(&a.clone()), None);
        let (c, d) = (Blob::new("one\ntwo".into()), Blob::new("one\n".into()));
        assert_eq!(
            c.difference(&d).unwrap(),
            "7 and 4 bytes, which differ from byte 4 on"
        );
        assert_eq!(a.difference(&c).unwrap(), "one is Text, the other Bytes");
        assert_ne!(
            a.digest_values(),
            c.digest_values(),
            "equal bytes of two classes"
        );
    }
}
