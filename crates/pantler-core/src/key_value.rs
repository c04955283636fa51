//! One value of a data-ID key, and the three types it can have.
//!
//! It is not a general scalar: no nulls, no booleans, no NaN.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

/// The type of a data-ID key, as a policy writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyType {
    /// `int`: a signed 64-bit integer.
    Int,
    /// `float`: a finite 64-bit floating-point number.
    Float,
    /// `str`: text.
    Str,
}

impl KeyType {
    /// Returns the type that a policy calls `name`; the spellings are those of the field's policies.
    pub fn from_name(name: &str) -> Option<KeyType> {
        match name {
            "int" | "integer" | "long" => Some(KeyType::Int),
            "float" | "double" => Some(KeyType::Float),
            "str" | "string" | "text" => Some(KeyType::Str),
            _ => None,
        }
    }

    /// Reads `text` as a value of this type; `None` if it is not one.
    ///
    /// ```
    /// use pantler_core::{KeyType, KeyValue};
    /// assert_eq!(KeyType::Int.parse("0903334"), Some(KeyValue::Int(903334)));
    /// assert_eq!(KeyType::Int.parse("r"), None);
    /// ```
    pub fn parse(self, text: &str) -> Option<KeyValue> {
        match self {
            KeyType::Int => text.parse().ok().map(KeyValue::Int),
            KeyType::Float => text.parse().ok().and_then(KeyValue::float),
            KeyType::Str => Some(KeyValue::Str(text.to_owned())),
        }
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            KeyType::Int => "int",
            KeyType::Float => "float",
            KeyType::Str => "str",
        })
    }
}

/// The value of one data-ID key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum KeyValue {
    /// An integer.
    Int(i64),
    /// A finite number; make it with [`KeyValue::float`], which refuses the others.
    Float(f64),
    /// Text.
    Str(String),
}

impl KeyValue {
    /// Returns a floating-point value, or `None` for NaN and infinities, which name no dataset.
    pub fn float(value: f64) -> Option<KeyValue> {
        value.is_finite().then_some(KeyValue::Float(value))
    }

    /// Guesses the type of a value as a person typed it: an integer if it looks like one, else text.
    pub fn guess(text: &str) -> KeyValue {
        KeyType::Int
            .parse(text)
            .unwrap_or_else(|| KeyValue::Str(text.to_owned()))
    }

    /// Returns this value's type.
    pub fn key_type(&self) -> KeyType {
        match self {
            KeyValue::Int(_) => KeyType::Int,
            KeyValue::Float(_) => KeyType::Float,
            KeyValue::Str(_) => KeyType::Str,
        }
    }

    /// Converts to `wanted` where nothing is lost: a whole float to an integer, digits to a number, anything to text.
    pub fn cast(&self, wanted: KeyType) -> Option<KeyValue> {
        match (self, wanted) {
            (KeyValue::Int(value), KeyType::Float) => {
                let float = *value as f64;
                (float as i64 == *value).then_some(KeyValue::Float(float))
            }
            (KeyValue::Float(value), KeyType::Int) => {
                let int = *value as i64;
                (int as f64 == *value).then_some(KeyValue::Int(int))
            }
            (KeyValue::Str(text), _) => wanted.parse(text),
            (value, KeyType::Str) => Some(KeyValue::Str(value.plain())),
            (value, _) => Some(value.clone()),
        }
    }

    /// Returns the value as bare text, unquoted.
    pub fn plain(&self) -> String {
        match self {
            KeyValue::Int(value) => value.to_string(),
            KeyValue::Float(value) => value.to_string(),
            KeyValue::Str(text) => text.clone(),
        }
    }

    fn rank(&self) -> u8 {
        self.key_type() as u8
    }
}

impl PartialEq for KeyValue {
    fn eq(&self, other: &KeyValue) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for KeyValue {}

impl PartialOrd for KeyValue {
    fn partial_cmp(&self, other: &KeyValue) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for KeyValue {
    fn cmp(&self, other: &KeyValue) -> Ordering {
        match (self, other) {
            (KeyValue::Int(a), KeyValue::Int(b)) => a.cmp(b),
            (KeyValue::Float(a), KeyValue::Float(b)) => a.total_cmp(b),
            (KeyValue::Str(a), KeyValue::Str(b)) => a.cmp(b),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }
}

impl Hash for KeyValue {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.rank().hash(state);
        match self {
            KeyValue::Int(value) => value.hash(state),
            KeyValue::Float(value) => value.to_bits().hash(state),
            KeyValue::Str(text) => text.hash(state),
        }
    }
}

/// Prints the value as it is typed on a command line, quoted for a shell where that is needed.
impl fmt::Display for KeyValue {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.plain();
        let safe = |c: char| c.is_alphanumeric() || "_-+.,:/@%^".contains(c);
        if !text.is_empty() && text.chars().all(safe) {
            out.write_str(&text)
        } else {
            let escaped: String = text
                .chars()
                .flat_map(|c| {
                    if c.is_control() {
                        c.escape_default().collect::<Vec<char>>()
                    } else if c == '\'' {
                        "'\\''".chars().collect()
                    } else {
                        vec![c]
                    }
                })
                .collect();
            write!(out, "'{escaped}'")
        }
    }
}

impl From<i64> for KeyValue {
    fn from(value: i64) -> KeyValue {
        KeyValue::Int(value)
    }
}

impl From<&str> for KeyValue {
    fn from(value: &str) -> KeyValue {
        KeyValue::Str(value.to_owned())
    }
}

impl From<String> for KeyValue {
    fn from(value: String) -> KeyValue {
        KeyValue::Str(value)
    }
}
