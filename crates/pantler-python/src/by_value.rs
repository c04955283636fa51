//! Pickling: objects travel by value, as the bytes that a storage would write.
//!
//! What is put together of other objects (a container, an object with attachments) is pickled part by part, so that Python's
//! pickle keeps one object one, wherever it is used.

use std::sync::Arc;

use pantler::assemble::{Attached, Container, Entry};
use pantler::core::object::downcast;
use pantler::objects::Bbox;
use pantler::{ByValue, ObjectRef};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};

use crate::data_ids::{self, Given};
use crate::failure::Raise;
use crate::taken;
use crate::wrapped::{DataObject, wrap};

/// Returns how an object is made again: a function of this module, and what it is called with.
pub fn reduced<'py>(object: &Bound<'py, DataObject>) -> PyResult<Bound<'py, PyAny>> {
    let py = object.py();
    let module = py.import("pantler._pantler")?;
    let whole = object.get().whole();
    if let Some(attachments) = downcast::<Attached>(whole.as_ref()) {
        let parts = named(py, attachments.attachments())?;
        let bare = wrap(py, attachments.object().clone())?;
        return (module.getattr("attached")?, (bare, parts)).into_bound_py_any(py);
    }
    if let Some(container) = downcast::<Container>(whole.as_ref()) {
        let entries = container.entries().iter().map(|(name, entry)| match entry {
            Entry::One(object) => (name, wrap(py, object.clone())?).into_bound_py_any(py),
            Entry::Many(objects) => (name, listed(py, objects)?, true).into_bound_py_any(py),
        });
        let entries: Vec<Bound<'py, PyAny>> = entries.collect::<PyResult<_>>()?;
        return (module.getattr("container")?, (entries,)).into_bound_py_any(py);
    }
    if downcast::<Bbox>(whole.as_ref()).is_some() {
        // No storage has a class for it.
        let numbers: Vec<Bound<'py, PyAny>> = object.try_iter()?.collect::<PyResult<_>>()?;
        let class = object.get_type();
        return (class, PyTuple::new(py, numbers)?).into_bound_py_any(py);
    }
    let value = py.detach(|| ByValue::of(whole)).or_raise(py)?;
    let bytes = PyBytes::new(py, &value.bytes);
    let arguments = (value.class, value.storage, bytes);
    (module.getattr("sent")?, arguments).into_bound_py_any(py)
}

fn named<'py>(py: Python<'py>, parts: &[(String, ObjectRef)]) -> PyResult<Bound<'py, PyList>> {
    let parts: Vec<(&String, Bound<'py, PyAny>)> = parts
        .iter()
        .map(|(name, part)| Ok((name, wrap(py, part.clone())?)))
        .collect::<PyResult<_>>()?;
    PyList::new(py, parts)
}

fn listed<'py>(
    py: Python<'py>,
    objects: &[(pantler::DataId, ObjectRef)],
) -> PyResult<Bound<'py, PyList>> {
    let objects: Vec<Bound<'py, PyTuple>> = objects
        .iter()
        .map(|(data_id, object)| {
            let pair = [
                data_ids::to_python(py, data_id)?.into_any(),
                wrap(py, object.clone())?,
            ];
            PyTuple::new(py, pair)
        })
        .collect::<PyResult<_>>()?;
    PyList::new(py, objects)
}

/// Makes an object of what a storage wrote of it.
#[pyfunction]
pub fn sent<'py>(
    py: Python<'py>,
    class_name: String,
    storage: String,
    data: Vec<u8>,
) -> PyResult<Bound<'py, PyAny>> {
    let value = ByValue {
        class: class_name,
        storage,
        bytes: data.into(),
    };
    let object = py.detach(|| value.object()).or_raise(py)?;
    wrap(py, object)
}

/// Attaches objects to another one again.
#[pyfunction]
pub fn attached<'py>(
    bare: &Bound<'py, PyAny>,
    parts: Vec<(String, Bound<'py, PyAny>)>,
) -> PyResult<Bound<'py, PyAny>> {
    let mut object = taken::object(bare)?;
    for (name, part) in parts {
        object = Arc::new(Attached::to(&object, &name, taken::kept(&part)?));
    }
    wrap(bare.py(), object)
}

/// Makes a container of its entries again: pairs of name and object, or triples of name, pairs (data ID, object), and True.
#[pyfunction]
pub fn container<'py>(
    py: Python<'py>,
    entries: Vec<Bound<'py, PyTuple>>,
) -> PyResult<Bound<'py, PyAny>> {
    let mut made = Vec::new();
    for entry in entries {
        let name: String = entry.get_item(0)?.extract()?;
        let value = entry.get_item(1)?;
        let value = if entry.len() == 2 {
            Entry::One(taken::anything(&value)?)
        } else {
            let pairs: Vec<(Given, Bound<'py, PyAny>)> = value.extract()?;
            let pairs = pairs
                .into_iter()
                .map(|(data_id, object)| Ok((data_id.0, taken::anything(&object)?)));
            Entry::Many(pairs.collect::<PyResult<_>>()?)
        };
        made.push((name, value));
    }
    wrap(py, Arc::new(Container::new(made)))
}
