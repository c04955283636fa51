//! Data IDs between Python and the engine.

use pantler::core::report::Kind;
use pantler::{DataId, KeyValue};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyInt, PyString};

use crate::failure::Failure;

/// A data ID as it comes in: a dictionary of numbers and text.
pub struct Given(pub DataId);

impl<'py> FromPyObject<'_, 'py> for Given {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, 'py, PyAny>) -> PyResult<Given> {
        let mut data_id = DataId::default();
        for (key, value) in given.cast::<PyDict>()?.iter() {
            let Ok(key) = key.cast::<PyString>() else {
                let message = format!("the key {} of a data ID is no text", key.repr()?);
                return Err(Failure::of(Kind::DataId, message).raise(given.py()));
            };
            let key = key.to_str()?;
            data_id.insert(key, key_value(key, &value)?);
        }
        Ok(Given(data_id))
    }
}

/// Returns a value of a key: text, a whole number or a finite number, of Python or of numpy.
fn key_value(key: &str, value: &Bound<'_, PyAny>) -> PyResult<KeyValue> {
    let py = value.py();
    let unsuitable = |what: String| {
        Failure::of(Kind::DataId, format!("`{key}` cannot be {what}"))
            .hint("the values of a data ID are text, whole numbers and finite numbers")
            .raise(py)
    };
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(KeyValue::Str(text.to_str()?.to_owned()));
    }
    // Nearly all of them; the rest of this asks more than a small read takes.
    if let Ok(whole) = value.cast_exact::<PyInt>()
        && let Ok(whole) = whole.extract::<i64>()
    {
        return Ok(KeyValue::Int(whole));
    }
    let class = value.get_type().name()?;
    if value.is_instance_of::<PyBool>() || class == "bool" {
        return Err(unsuitable(value.str()?.to_string()));
    }
    if value.hasattr("__index__")? {
        let whole = value.call_method0("__index__")?;
        return match whole.extract::<i64>() {
            Ok(whole) => Ok(KeyValue::Int(whole)),
            Err(_) => Err(unsuitable(format!(
                "{whole}, which takes more than 64 bits"
            ))),
        };
    }
    if value.hasattr("__float__")?
        && let Ok(float) = value.extract::<f64>()
    {
        return KeyValue::float(float).ok_or_else(|| unsuitable(float.to_string()));
    }
    Err(unsuitable(format!("a {class}")))
}

/// Returns a data ID as a dictionary, in the order of its keys.
pub fn to_python<'py>(py: Python<'py>, data_id: &DataId) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (key, value) in data_id.iter() {
        let value = match value {
            KeyValue::Int(value) => value.into_bound_py_any(py)?,
            KeyValue::Float(value) => value.into_bound_py_any(py)?,
            KeyValue::Str(text) => text.into_bound_py_any(py)?,
        };
        dict.set_item(key, value)?;
    }
    Ok(dict)
}
