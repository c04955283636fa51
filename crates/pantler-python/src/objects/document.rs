//! Documents: what a JSON or a YAML file holds.

use pantler::objects;
use pyo3::prelude::*;

use crate::plain;
use crate::wrapped::DataObject;

/// A tree of dictionaries, lists and scalars, which cannot be changed; `value` is one that can.
///
/// Parameters
/// ----------
/// value
///     Dictionaries, lists, text, numbers, True, False and None.
///
/// Examples
/// --------
/// >>> note = butler.get("note", visit=903334)
/// >>> note["seeing"], list(note)
/// (0.7, ['seeing', 'observers'])
/// >>> mine = note.value
/// >>> mine["seeing"] = 0.8
/// >>> note["seeing"]
/// 0.7
#[pyclass(frozen, extends = DataObject, module = "pantler")]
pub struct Document {}

#[pymethods]
impl Document {
    /// Makes a document of dictionaries, lists, text, numbers, True, False and None.
    #[new]
    fn new(value: &Bound<'_, PyAny>) -> PyResult<PyClassInitializer<Document>> {
        let tree = plain::to_tree(value)?;
        Ok(DataObject::started(
            Document {},
            objects::Document::new(tree),
        ))
    }

    /// The tree; a new one for each call, which belongs to the caller.
    #[getter]
    fn value<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let base = slf.as_super().get();
        plain::to_python(slf.py(), base.as_class::<objects::Document>()?.value())
    }

    fn __getitem__<'py>(
        slf: &Bound<'py, Self>,
        key: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        Document::value(slf)?.get_item(key)
    }

    fn __contains__(slf: &Bound<'_, Self>, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        Document::value(slf)?.contains(key)
    }

    fn __iter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, pyo3::types::PyIterator>> {
        Document::value(slf)?.try_iter()
    }

    fn __len__(slf: &Bound<'_, Self>) -> PyResult<usize> {
        Document::value(slf)?.len()
    }

    fn __eq__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<bool> {
        let mine = Document::value(slf)?;
        match other.cast::<Document>() {
            Ok(other) => mine.eq(Document::value(other)?),
            Err(_) => mine.eq(other),
        }
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let text = Document::value(slf)?.repr()?.to_string();
        let short: String = text.chars().take(60).collect();
        let more = if short.len() < text.len() { "…" } else { "" };
        Ok(format!("Document({short}{more})"))
    }
}
