//! What people hand in: objects of pantler, and plain values of Python that stand for some.

use std::sync::Arc;

use pantler::ObjectRef;
use pantler::objects::{Blob, Document, Text};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};

use crate::failure::Failure;
use crate::objects::image;
use crate::plain;
use crate::wrapped::DataObject;

/// Returns the engine's object of what a caller hands in.
pub fn object(value: &Bound<'_, PyAny>) -> PyResult<ObjectRef> {
    if let Ok(object) = value.cast::<DataObject>() {
        return Ok(object.get().object().clone());
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
