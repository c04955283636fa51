//! How documents are read into memory where their format says more than a document in memory has words for.
//!
//! Called by the readers of JSON and YAML. A [`Value`] has the words of JSON as its standard (RFC 8259) knows them; what
//! people's tools write beyond these becomes text, so that no file is refused for it and nothing is lost silently:
//!
//! | in the file | in memory |
//! | --- | --- |
//! | `NaN`, `Infinity`, `-Infinity` in JSON, as Python's `json` writes them by default | the texts `NaN`, `Infinity`, `-Infinity` |
//! | `.nan`, `.inf`, `-.inf` in YAML | the same texts |
//! | `!!binary` in YAML | its text in base64, as it stands in the file |
//! | dates and times in YAML | the text |
//! | tags that only one program knows, in YAML (`!uuid`) | what they stand on, without the tag |
//! | whole numbers beyond 64 bits | the nearest floating-point number |
//!
//! `float("NaN")` is what Python makes of such a text again. A text that a file holds in quotes as `"NaN"` is the same
//! document. Written files keep to the standards: the texts are written as texts.
//!
//! It does not bound the input: the readers' limits of depth and of expanded aliases hold before a value comes here.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

const NAN: &str = "NaN";
const INFINITY: &str = "Infinity";
const MINUS_INFINITY: &str = "-Infinity";

/// A value of any format that serde reads, with numbers that are not finite as text.
#[derive(Debug)]
pub(crate) struct Tree(pub(crate) Value);

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Tree, D::Error> {
        deserializer.deserialize_any(TreeVisitor).map(Tree)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a map, a list or a scalar")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        let text = match Number::from_f64(number) {
            Some(number) => return Ok(Value::Number(number)),
            None if number.is_nan() => NAN,
            None if number > 0.0 => INFINITY,
            None => MINUS_INFINITY,
        };
        Ok(Value::String(text.to_owned()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Tree(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((key, Tree(item))) = entries.next_entry::<String, Tree>()? {
            map.insert(key, item);
        }
        Ok(Value::Object(map))
    }
}

/// Returns JSON as its standard knows it, with Python's words for numbers that are not finite in quotes; the text itself
/// if it has none. Lines stay where they are.
pub(crate) fn standard_json(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut made = String::new();
    let (mut copied, mut at) = (0, 0);
    while let Some(&byte) = bytes.get(at) {
        if byte == b'"' {
            at = after_string(bytes, at);
            continue;
        }
        match word_at(bytes, at) {
            Some(word) => {
                made.push_str(&text[copied..at]);
                made.push('"');
                made.push_str(word);
                made.push('"');
                at += word.len();
                copied = at;
            }
            None => at += 1,
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    made.push_str(&text[copied..]);
    Cow::Owned(made)
}

/// The place behind a string that begins with its quote at `start`.
fn after_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The word that begins here, if it stands where a value may: not inside another word, and not as a key.
fn word_at(bytes: &[u8], at: usize) -> Option<&'static str> {
    let rest = &bytes[at..];
    let word = [NAN, INFINITY, MINUS_INFINITY]
        .into_iter()
        .find(|word| rest.starts_with(word.as_bytes()))?;
    let in_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+');
    let before = at.checked_sub(1).and_then(|before| bytes.get(before));
    let behind = &rest[word.len()..];
    let is_key = behind.trim_ascii_start().first() == Some(&b':');
    let stands_alone = !before.is_some_and(in_word) && !behind.first().is_some_and(in_word);
    (stands_alone && !is_key).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_values_are_put_in_quotes() {
        let cases = [
            (
                "[NaN, -Infinity,Infinity]",
                "[\"NaN\", \"-Infinity\",\"Infinity\"]",
            ),
            ("NaN", "\"NaN\""),
            ("{\"NaN\": \"a \\\" NaN\"}", "{\"NaN\": \"a \\\" NaN\"}"),
            ("{NaN : 1}", "{NaN : 1}"),
            ("[NaNs, xNaN, --Infinity]", "[NaNs, xNaN, --Infinity]"),
            ("\"unfinished NaN \\", "\"unfinished NaN \\"),
            ("[\"é\", NaN]", "[\"é\", \"NaN\"]"),
        ];
        for (text, expected) in cases {
            assert_eq!(standard_json(text), expected);
        }
    }
}
