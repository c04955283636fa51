//! Columns of the values of keys, as small as their kind allows: listings have millions.

use std::borrow::Cow;

use pantler::KeyValue;
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;

/// The values of one key, row by row.
pub enum Values {
    /// Whole numbers, in every row.
    Ints(Vec<i64>),
    /// Texts, in every row.
    Texts(Texts),
    /// Anything, or nothing.
    Any(Vec<Option<KeyValue>>),
}

/// Texts one after the other.
#[derive(Default)]
pub struct Texts {
    all: String,
    ends: Vec<usize>,
}

/// One value.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// Text.
    Str(&'a str),
}

/// What a column holds: a later kind can say what an earlier one says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Whole numbers.
    Int,
    /// Numbers.
    Float,
    /// Text.
    Str,
}

impl Texts {
    /// Appends a text.
    pub fn push(&mut self, text: &str) {
        self.all.push_str(text);
        self.ends.push(self.all.len());
    }

    /// Returns a text by its number; nothing for one that is not there.
    pub fn get(&self, at: usize) -> &str {
        let start = at
            .checked_sub(1)
            .map_or(Some(&0), |before| self.ends.get(before));
        match (start, self.ends.get(at)) {
            (Some(start), Some(end)) => &self.all[*start..*end],
            _ => "",
        }
    }
}

impl Default for Values {
    fn default() -> Values {
        Values::Ints(Vec::new())
    }
}

impl Values {
    /// A column that has nothing in so many rows.
    pub fn absent(rows: usize) -> Values {
        Values::Any(vec![None; rows])
    }

    /// Appends a row.
    pub fn push(&mut self, value: Option<&KeyValue>) {
        if let (Values::Ints(ints), Some(KeyValue::Str(_))) = (&*self, value)
            && ints.is_empty()
        {
            *self = Values::Texts(Texts::default());
        }
        match (&mut *self, value) {
            (Values::Ints(ints), Some(KeyValue::Int(int))) => ints.push(*int),
            (Values::Texts(texts), Some(KeyValue::Str(text))) => texts.push(text),
            (Values::Any(any), value) => any.push(value.cloned()),
            _ => {
                let mut any: Vec<Option<KeyValue>> = (0..self.len())
                    .map(|at| self.get(at).map(Value::owned))
                    .collect();
                any.push(value.cloned());
                *self = Values::Any(any);
            }
        }
    }

    fn len(&self) -> usize {
        match self {
            Values::Ints(ints) => ints.len(),
            Values::Texts(texts) => texts.ends.len(),
            Values::Any(any) => any.len(),
        }
    }

    /// Returns the value of a row.
    pub fn get(&self, at: usize) -> Option<Value<'_>> {
        match self {
            Values::Ints(ints) => ints.get(at).copied().map(Value::Int),
            Values::Texts(texts) => Some(Value::Str(texts.get(at))),
            Values::Any(any) => any.get(at)?.as_ref().map(|value| match value {
                KeyValue::Int(int) => Value::Int(*int),
                KeyValue::Float(float) => Value::Float(*float),
                KeyValue::Str(text) => Value::Str(text),
            }),
        }
    }

    /// Returns the first kind that can say all values.
    pub fn kind(&self) -> Kind {
        match self {
            Values::Ints(_) => Kind::Int,
            Values::Texts(_) => Kind::Str,
            Values::Any(any) => {
                let kinds = any.iter().flatten().map(|value| match value {
                    KeyValue::Int(_) => Kind::Int,
                    KeyValue::Float(_) => Kind::Float,
                    KeyValue::Str(_) => Kind::Str,
                });
                kinds.max().unwrap_or(Kind::Int)
            }
        }
    }
}

impl<'a> Value<'a> {
    fn owned(self) -> KeyValue {
        match self {
            Value::Int(int) => KeyValue::Int(int),
            // It came out of one, which is finite.
            Value::Float(float) => KeyValue::Float(float),
            Value::Str(text) => KeyValue::Str(text.to_owned()),
        }
    }

    /// The whole number that it is.
    pub fn as_int(self) -> Option<i64> {
        match self {
            Value::Int(int) => Some(int),
            Value::Float(_) | Value::Str(_) => None,
        }
    }

    /// The number that it is.
    pub fn as_float(self) -> Option<f64> {
        match self {
            Value::Int(int) => Some(int as f64),
            Value::Float(float) => Some(float),
            Value::Str(_) => None,
        }
    }

    /// The value as people write it.
    pub fn plain(self) -> Cow<'a, str> {
        match self {
            Value::Str(text) => Cow::Borrowed(text),
            other => Cow::Owned(other.owned().plain()),
        }
    }

    /// The value as Python's own.
    pub fn to_python(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        match self {
            Value::Int(int) => int.into_bound_py_any(py),
            Value::Float(float) => float.into_bound_py_any(py),
            Value::Str(text) => text.into_bound_py_any(py),
        }
    }
}
