//! What people hand in: objects of pantler, and plain values of Python that stand for some.

use std::sync::Arc;

use pantler::ObjectRef;
use pantler::objects::{Blob, Document, Text};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyType};

use crate::failure::Failure;
use crate::objects::image;
use crate::plain;
use crate::plugins::foreign::Foreign;
use crate::wrapped::DataObject;

/// Returns the object that a draft stands for; `None` for all else.
fn of_draft<'py>(value: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    static DRAFT: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = DRAFT.import(value.py(), "pantler.drafts", "Draft")?;
    match value.is_instance(class)? {
        true => value.getattr("__pantler__").map(Some),
        false => Ok(None),
    }
}

/// Returns the engine's object of anything: what pantler has no class for is kept as it is.
pub fn anything(value: &Bound<'_, PyAny>) -> PyResult<ObjectRef> {
    match object(value) {
        Ok(object) => Ok(object),
        Err(_) if !is_plain(value) => Ok(Arc::new(Foreign::new(value)?)),
        Err(error) => Err(error),
    }
}

fn is_plain(value: &Bound<'_, PyAny>) -> bool {
    value.is_instance_of::<PyDict>()
        || value.is_instance_of::<PyList>()
        || value.hasattr("__array_interface__").unwrap_or(false)
}

/// Returns an object of pantler as it is, and keeps all else as the Python object that it is: what is attached to others.
pub fn kept(value: &Bound<'_, PyAny>) -> PyResult<ObjectRef> {
    if let Ok(object) = value.cast::<DataObject>() {
        return Ok(object.get().whole().clone());
    }
    match of_draft(value)? {
        Some(value) => kept(&value),
        None => Ok(Arc::new(Foreign::new(value)?)),
    }
}

/// Returns the engine's object of what a caller hands in.
pub fn object(value: &Bound<'_, PyAny>) -> PyResult<ObjectRef> {
    if let Ok(object) = value.cast::<DataObject>() {
        return Ok(object.get().whole().clone());
    }
    if let Some(value) = of_draft(value)? {
        return object(&value);
    }
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(Arc::new(Text::new(text.to_str()?)));
    }
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(Arc::new(Blob::new(bytes.as_bytes().to_vec().into())));
    }
    if value.is_instance_of::<PyDict>() || value.is_instance_of::<PyList>() {
        return Ok(Arc::new(Document::new(plain::to_tree(value)?)));
    }
    if value.hasattr("__array_interface__")? && value.getattr("ndim")?.extract::<usize>()? == 2 {
        return Ok(Arc::new(image::of_array(value, 0, 0)?));
    }
    let class = value.get_type().fully_qualified_name()?;
    Err(Failure::of(
        pantler::core::report::Kind::Unsupported,
        format!("pantler cannot write an object of class {class}"),
    )
    .hint("it writes its own classes, dictionaries, lists, text, bytes, and arrays of two dimensions as images")
    .raise(value.py()))
}
