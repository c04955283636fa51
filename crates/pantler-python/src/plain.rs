//! Plain values between Rust and Python: trees of JSON, values of header cards.

use pantler::objects::CardValue;
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyComplex, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use serde_json::{Map, Number, Value};

use crate::failure::Failure;

/// How deep a tree may be.
const DEEPEST: usize = 200;

/// Returns a tree as dictionaries, lists and scalars.
pub fn to_python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    match value {
        Value::Null => Ok(py.None().into_bound(py)),
        Value::Bool(value) => value.into_bound_py_any(py),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(value), _) => value.into_bound_py_any(py),
            (None, Some(value)) => value.into_bound_py_any(py),
            (None, None) => number.as_f64().into_bound_py_any(py),
        },
        Value::String(text) => text.into_bound_py_any(py),
        Value::Array(values) => {
            let list = PyList::empty(py);
            for value in values {
                list.append(to_python(py, value)?)?;
            }
            Ok(list.into_any())
        }
        Value::Object(map) => {
            let dict = PyDict::new(py);
            for (key, value) in map {
                dict.set_item(key, to_python(py, value)?)?;
            }
            Ok(dict.into_any())
        }
    }
}

/// Returns what dictionaries, lists and scalars hold as a tree.
pub fn to_tree(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    tree_at(value, 0)
}

fn tree_at(value: &Bound<'_, PyAny>, depth: usize) -> PyResult<Value> {
    let py = value.py();
    if depth > DEEPEST {
        return Err(Failure::request("the document is too deep, or holds itself").raise(py));
    }
    if value.is_none() {
        return Ok(Value::Null);
    }
    if let Ok(flag) = value.cast::<PyBool>() {
        return Ok(Value::Bool(flag.is_true()));
    }
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(Value::String(text.to_str()?.to_owned()));
    }
    if let Ok(dict) = value.cast::<PyDict>() {
        let mut map = Map::new();
        for (key, value) in dict.iter() {
            let Ok(key) = key.cast::<PyString>() else {
                let class = key.get_type().name()?;
                let message = format!("a key of a document is text, and this one is {class}");
                return Err(Failure::request(message).raise(py));
            };
            map.insert(key.to_str()?.to_owned(), tree_at(&value, depth + 1)?);
        }
        return Ok(Value::Object(map));
    }
    if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
        let mut list = Vec::new();
        for entry in value.try_iter()? {
            list.push(tree_at(&entry?, depth + 1)?);
        }
        return Ok(Value::Array(list));
    }
    number(value)
}

/// Returns a number, of Python or of numpy; what JSON has no word for is text, as in documents that are read.
fn number(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    let py = value.py();
    if value.is_instance_of::<PyInt>() || value.hasattr("__index__")? {
        if let Ok(whole) = value.extract::<i64>() {
            return Ok(whole.into());
        }
        if let Ok(whole) = value.extract::<u64>() {
            return Ok(whole.into());
        }
    } else if value.is_instance_of::<PyFloat>() || value.hasattr("__float__")? {
        let float: f64 = value.extract()?;
        let text = match float {
            _ if float.is_nan() => "NaN",
            f64::INFINITY => "Infinity",
            _ => "-Infinity",
        };
        return Ok(Number::from_f64(float).map_or_else(|| text.into(), Value::Number));
    }
    let message = format!("a document cannot hold a {}", value.get_type().name()?);
    Err(Failure::request(message)
        .hint("documents are dictionaries, lists, text, numbers, True, False and None")
        .raise(py))
}

/// Returns the value of a card.
pub fn card_value<'py>(py: Python<'py>, value: &CardValue) -> PyResult<Bound<'py, PyAny>> {
    match value {
        CardValue::Undefined => Ok(py.None().into_bound(py)),
        CardValue::Logical(value) => value.into_bound_py_any(py),
        CardValue::Integer(value) => value.into_bound_py_any(py),
        CardValue::Real(value) => value.into_bound_py_any(py),
        CardValue::Complex(re, im) => Ok(PyComplex::from_doubles(py, *re, *im).into_any()),
        CardValue::Text(text) | CardValue::Commentary(text) => text.into_bound_py_any(py),
    }
}

/// Returns a Python value as the value of a card with this keyword.
pub fn to_card_value(keyword: &str, value: &Bound<'_, PyAny>) -> PyResult<CardValue> {
    let py = value.py();
    let unsuitable = || -> PyResult<CardValue> {
        let class = value.get_type().name()?;
        let message = format!("the card {keyword} cannot hold a {class}");
        Err(Failure::request(message)
            .hint("cards hold text, numbers, True, False and None")
            .raise(py))
    };
    if value.is_none() {
        return Ok(CardValue::Undefined);
    }
    if let Ok(flag) = value.cast::<PyBool>() {
        return Ok(CardValue::Logical(flag.is_true()));
    }
    if let Ok(text) = value.cast::<PyString>() {
        let text = text.to_str()?.to_owned();
        let is_commentary = matches!(keyword, "COMMENT" | "HISTORY" | "");
        return Ok(if is_commentary {
            CardValue::Commentary(text)
        } else {
            CardValue::Text(text)
        });
    }
    if value.hasattr("__index__")? {
        return value
            .extract::<i64>()
            .map(CardValue::Integer)
            .or_else(|_| unsuitable());
    }
    if let Ok(complex) = value.cast::<PyComplex>() {
        return Ok(CardValue::Complex(
            complex.getattr("real")?.extract()?,
            complex.getattr("imag")?.extract()?,
        ));
    }
    if value.hasattr("__float__")? {
        return match value.extract::<f64>() {
            Ok(float) if float.is_finite() => Ok(CardValue::Real(float)),
            _ => unsuitable(),
        };
    }
    unsuitable()
}
