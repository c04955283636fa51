//! A YAML document as a tree that knows where each of its nodes stands and keeps repeated keys.

use std::sync::Arc;

use super::spot::Spot;
use crate::KeyValue;

/// A value with its place.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) spot: Spot,
    pub(crate) content: Content,
    /// The name of a local tag: `include` of `!include other.yaml`.
    pub(crate) tag: Option<String>,
    /// How many nodes it is made of, itself and what its aliases stand for included.
    pub(crate) size: usize,
    /// How deep it goes.
    pub(crate) height: usize,
}

#[derive(Debug, Clone)]
pub(crate) enum Content {
    Scalar(Scalar),
    Sequence(Arc<Vec<Node>>),
    Mapping(Arc<Vec<Entry>>),
}

#[derive(Debug, Clone)]
pub(crate) struct Scalar {
    pub(crate) text: Arc<str>,
    /// Whether it was written without quotes, so that it may be a number or a boolean.
    pub(crate) is_plain: bool,
    /// How many characters after the node's place the text starts, if it stands there word for word.
    pub(crate) offset: Option<usize>,
}

/// A key of a mapping with its value.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: Arc<str>,
    pub(crate) spot: Spot,
    pub(crate) value: Node,
}

impl Node {
    /// Returns what it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.content {
            Content::Sequence(_) => "a list",
            Content::Mapping(_) => "a mapping",
            Content::Scalar(_) if self.is_null() => "nothing",
            Content::Scalar(_) if self.as_bool().is_some() => "a boolean",
            Content::Scalar(_) => "text",
        }
    }

    fn plain(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar(scalar) if scalar.is_plain => Some(&scalar.text),
            _ => None,
        }
    }

    /// Says whether it is YAML's null: `~`, `null`, or nothing at all.
    pub(crate) fn is_null(&self) -> bool {
        matches!(self.plain(), Some("" | "~" | "null" | "Null" | "NULL"))
    }

    /// Returns any scalar as text; `None` for null.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar(scalar) if !self.is_null() => Some(&scalar.text),
            _ => None,
        }
    }

    /// Returns a boolean of YAML 1.2: `yes`, `on` and `y` are texts.
    pub(crate) fn as_bool(&self) -> Option<bool> {
        match self.plain()? {
            "true" | "True" | "TRUE" => Some(true),
            "false" | "False" | "FALSE" => Some(false),
            _ => None,
        }
    }

    pub(crate) fn as_mapping(&self) -> Option<&[Entry]> {
        match &self.content {
            Content::Mapping(entries) => Some(entries),
            _ => None,
        }
    }

    /// Returns the nodes of a list, or a scalar as a list of one.
    pub(crate) fn as_list(&self) -> Option<&[Node]> {
        match &self.content {
            Content::Sequence(nodes) => Some(nodes),
            Content::Scalar(_) if !self.is_null() => Some(std::slice::from_ref(self)),
            _ => None,
        }
    }

    /// Returns a scalar as the value of a data-ID key, its type by YAML 1.2's core schema; booleans and null are none.
    pub(crate) fn as_key_value(&self) -> Option<KeyValue> {
        let text = self.as_text()?;
        if self.as_bool().is_some() {
            return None;
        }
        match self.plain() {
            Some(plain) => core_number(plain).or_else(|| Some(text.into())),
            None => Some(text.into()),
        }
    }

    /// Returns the place of a stretch of its text, or of all of it where the text does not stand there word for word.
    pub(crate) fn spot_within(&self, column: usize, length: usize) -> Spot {
        match &self.content {
            Content::Scalar(Scalar {
                offset: Some(offset),
                ..
            }) => self.spot.shifted(offset + column, length),
            _ => self.spot.clone(),
        }
    }
}

/// Reads a plain scalar as a number, as YAML 1.2's core schema says.
pub(crate) fn core_number(text: &str) -> Option<KeyValue> {
    let based = |prefix: &str, radix| {
        let digits = text.strip_prefix(prefix)?;
        // `from_str_radix` would take a sign.
        let is_digits = digits.chars().all(|c| c.is_digit(radix));
        is_digits.then(|| i64::from_str_radix(digits, radix).ok().map(KeyValue::Int))?
    };
    if let Some(value) = based("0o", 8).or_else(|| based("0x", 16)) {
        return Some(value);
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    if unsigned.chars().all(|c| c.is_ascii_digit()) {
        return text.parse().ok().map(KeyValue::Int);
    }
    let is_number = unsigned
        .chars()
        .all(|c| c.is_ascii_digit() || ".eE+-".contains(c));
    is_number
        .then(|| text.parse().ok().and_then(KeyValue::float))
        .flatten()
}
