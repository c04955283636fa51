//! Putting: objects, links, batches.

use std::path::PathBuf;

use pantler::core::composite_graph::Definitions;
use pantler::core::python_type::{PythonType, python_type};
use pantler::{
    Butler, DataId, InputOnly, ObjectRef, OnConflict, PutOptions, PutResult, data_id_json,
};
use pyo3::prelude::*;
use serde_json::{Value, json};

use super::Engine;
use crate::batch::Batch;
use crate::data_ids::Given;
use crate::wrapped::wrap;
use crate::{plain, taken};

/// What code of the user's a put of a type could need.
pub enum Uses {
    /// The storage is in Python.
    Storage,
    /// It has a class or an assembler of the user's, or is made of parts.
    Plugins,
    /// Only pantler's own.
    Neither,
}

impl Uses {
    /// Returns the engine's object of what is put.
    pub fn taken(self, object: &Bound<'_, PyAny>) -> PyResult<ObjectRef> {
        match self {
            Uses::Storage => taken::kept(object),
            Uses::Plugins => taken::anything(object),
            Uses::Neither => taken::object(object),
        }
    }

    /// Says what a put under a name needs.
    pub fn of(butler: &Butler, name: &str, data_id: &DataId) -> Uses {
        let found = butler.resolve(name, data_id).ok().and_then(|resolved| {
            let (_, definition) = butler.chain().find_definition(&resolved.dataset_type)?;
            Some((definition, resolved.part.is_empty()))
        });
        let Some((definition, is_whole)) = found else {
            return Uses::Neither;
        };
        let storage = definition.storage.as_deref();
        let known = |storage| butler.formatters().names().any(|known| known == storage);
        let class = definition.python.as_deref().map(python_type);
        if is_whole && storage.is_some_and(|storage| !known(storage)) {
            Uses::Storage
        } else if definition.composite.is_some() || matches!(class, Some(PythonType::Foreign(_))) {
            Uses::Plugins
        } else {
            Uses::Neither
        }
    }
}

impl Engine {
    /// Returns the engine's object of what is put. Where no code of the user's takes part in the put, it must be one that pantler
    /// can write; a storage in Python gets what was put as it is.
    fn taken(&self, object: &Bound<'_, PyAny>, name: &str, data_id: &Given) -> PyResult<ObjectRef> {
        let uses = self.run(object.py(), |butler| Ok(Uses::of(butler, name, &data_id.0)))?;
        uses.taken(object)
    }
}

#[pymethods]
impl Engine {
    #[expect(
        clippy::too_many_arguments,
        reason = "Python hands over what a put can be told"
    )]
    fn put<'py>(
        &self,
        py: Python<'py>,
        object: &Bound<'py, PyAny>,
        name: &str,
        data_id: Given,
        replace: bool,
        drop_input_only: bool,
        inputs: Vec<(String, Given)>,
        notes: Vec<(String, String)>,
        parts: Vec<(String, Bound<'py, PyAny>)>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let object = self.taken(object, name, &data_id)?;
        let mut options = put_options(replace, drop_input_only, inputs, notes);
        options.parts = taken_parts(&parts)?;
        let result = self.run(py, |butler| {
            Ok(butler.put(&object, name, &data_id.0, &options)?)
        })?;
        plain::to_python(py, &put_document(&result))
    }

    /// Reads a file of the user's as an object that can be put under a name.
    fn read_file<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        data_id: Given,
        file: PathBuf,
    ) -> PyResult<Bound<'py, PyAny>> {
        let object = self.run(py, |butler| Ok(butler.read_file(name, &data_id.0, &file)?))?;
        wrap(py, object)
    }

    fn link<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        data_id: Given,
        notes: Vec<(String, String)>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let options = put_options(false, false, Vec::new(), notes);
        let result = self.run(py, |butler| Ok(butler.link(name, &data_id.0, &options)?))?;
        plain::to_python(py, &put_document(&result))
    }

    /// Begins a batch of puts and links.
    fn batch(&self, py: Python<'_>) -> PyResult<Batch> {
        self.run(py, |butler| Ok(Batch::new(butler.batch())))
    }
}

/// The components that are operations on what is put.
pub(crate) fn taken_parts(
    parts: &[(String, Bound<'_, PyAny>)],
) -> PyResult<Vec<(String, ObjectRef)>> {
    let parts = parts.iter();
    parts
        .map(|(name, part)| Ok((name.clone(), taken::object(part)?)))
        .collect()
}

/// What a put can be told, as Python's half hands it over.
pub(crate) fn put_options(
    replace: bool,
    drop_input_only: bool,
    inputs: Vec<(String, Given)>,
    notes: Vec<(String, String)>,
) -> PutOptions {
    let inputs = inputs.into_iter();
    PutOptions {
        on_conflict: if replace {
            OnConflict::Replace
        } else {
            OnConflict::Refuse
        },
        input_only: if drop_input_only {
            InputOnly::Drop
        } else {
            InputOnly::Refuse
        },
        notes,
        inputs: inputs.map(|(name, data_id)| (name, data_id.0)).collect(),
        ..PutOptions::default()
    }
}

pub(crate) fn put_document(result: &PutResult) -> Value {
    json!({
        "name": result.name,
        "data_id": data_id_json(&result.data_id),
        "written": result.written,
        "unchanged": result.unchanged,
        "input_only": result.input_only,
        "recorded": result.recorded,
        "id": result.id.to_string(),
    })
}
