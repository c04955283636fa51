//! What a query found, kept in the engine's form: a row becomes an object of Python when it is looked at.

use std::sync::Arc;

use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{
    ArrayRef, Float64Array, Int64Array, RecordBatch, RecordBatchIterator, StringArray, UInt64Array,
};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use pantler::core::DatasetId;
use pantler::{DatasetRef, KeyValue};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict};

use crate::data_ids;
use crate::failure::Failure;

/// The datasets that a query found.
#[pyclass(frozen, module = "pantler._pantler")]
pub struct Rows(pub Vec<DatasetRef>);

#[pymethods]
impl Rows {
    fn __len__(&self) -> usize {
        self.0.len()
    }

    /// Returns one dataset as a dictionary.
    fn row<'py>(&self, py: Python<'py>, index: usize) -> PyResult<Bound<'py, PyDict>> {
        let row = self
            .0
            .get(index)
            .ok_or_else(|| pyo3::exceptions::PyIndexError::new_err("there are fewer datasets"))?;
        let dict = PyDict::new(py);
        dict.set_item("name", row.dataset_type.as_str())?;
        dict.set_item("data_id", data_ids::to_python(py, &row.data_id)?)?;
        dict.set_item("repository", &row.repository)?;
        dict.set_item("location", &row.location)?;
        dict.set_item("bytes", row.bytes)?;
        dict.set_item("id", identity(row).map(|id| id.to_string()))?;
        dict.set_item("metadata", data_ids::to_python(py, &row.metadata)?)?;
        Ok(dict)
    }

    /// The datasets as a stream of Arrow: a column for each key and each metadata column, and type, repository, location,
    /// bytes, id.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // The protocol allows the wish to be ignored, and asks for the schema as it is.
        drop(requested_schema);
        let batch = py.detach(|| self.batch());
        let batch = batch.map_err(|error| Failure::request(error.to_string()).raise(py))?;
        let schema = batch.schema();
        let stream =
            FFI_ArrowArrayStream::new(Box::new(RecordBatchIterator::new([Ok(batch)], schema)));
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }
}

impl Rows {
    fn batch(&self) -> Result<RecordBatch, ArrowError> {
        let mut fields = vec![Field::new("dataset_type", DataType::Utf8, false)];
        let types = self.0.iter().map(|row| Some(row.dataset_type.as_str()));
        let mut columns: Vec<ArrayRef> = vec![Arc::new(types.collect::<StringArray>())];
        let mut names: Vec<&str> = Vec::new();
        for row in &self.0 {
            for name in row.data_id.keys().chain(row.metadata.keys()) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        for name in names {
            let values = self
                .0
                .iter()
                .map(|row| row.data_id.get(name).or_else(|| row.metadata.get(name)));
            let column = column(values.collect());
            fields.push(Field::new(name, column.data_type().clone(), true));
            columns.push(column);
        }
        let repositories = self.0.iter().map(|row| Some(row.repository.as_str()));
        let locations = self.0.iter().map(|row| row.location.as_deref());
        let ids = self.0.iter();
        let ids = ids.map(|row| identity(row).map(|id| id.to_string()));
        let bytes = self.0.iter().map(|row| row.bytes);
        let others: [(&str, ArrayRef); 4] = [
            (
                "repository",
                Arc::new(repositories.collect::<StringArray>()),
            ),
            ("location", Arc::new(locations.collect::<StringArray>())),
            ("bytes", Arc::new(bytes.collect::<UInt64Array>())),
            ("id", Arc::new(ids.collect::<StringArray>())),
        ];
        for (name, column) in others {
            fields.push(Field::new(name, column.data_type().clone(), true));
            columns.push(column);
        }
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
    }
}

/// Whole numbers where all are, else numbers, else text.
fn column(values: Vec<Option<&KeyValue>>) -> ArrayRef {
    let is_text = |value: &&KeyValue| matches!(value, KeyValue::Str(_));
    let is_float = |value: &&KeyValue| matches!(value, KeyValue::Float(_));
    if values.iter().flatten().any(is_text) {
        let texts = values.iter().map(|value| value.map(KeyValue::plain));
        return Arc::new(texts.collect::<StringArray>());
    }
    if values.iter().flatten().any(is_float) {
        let numbers = values.iter().map(|value| match value {
            Some(KeyValue::Float(value)) => Some(*value),
            Some(KeyValue::Int(value)) => Some(*value as f64),
            _ => None,
        });
        return Arc::new(numbers.collect::<Float64Array>());
    }
    let numbers = values.iter().map(|value| match value {
        Some(KeyValue::Int(value)) => Some(*value),
        _ => None,
    });
    Arc::new(numbers.collect::<Int64Array>())
}

/// The identity of a dataset as far as it is known without reading a file: one in a folder without an index has none yet.
fn identity(row: &DatasetRef) -> Option<DatasetId> {
    row.id.filter(|id| !id.is_stamp())
}
