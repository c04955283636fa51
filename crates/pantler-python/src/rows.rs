//! What a query found, kept by columns: a row becomes an object of Python when it is looked at, and a column one of Arrow when
//! the table is asked for.

use std::sync::Arc;

use arrow_array::builder::{Float64Builder, Int64Builder, StringBuilder};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{ArrayRef, RecordBatch, RecordBatchIterator, UInt64Array};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use pantler::core::{DatasetId, TypeName};
use pantler::{DatasetRef, Error};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict};

use crate::failure::Failure;
use crate::values::{Kind, Texts, Value, Values};

/// The datasets that a query found.
#[pyclass(frozen, module = "pantler._pantler")]
pub struct Rows {
    blocks: Vec<Block>,
    repositories: Vec<Arc<str>>,
    length: usize,
}

/// Datasets of one type, with the same keys, that follow one another.
struct Block {
    start: usize,
    dataset_type: TypeName,
    keys: Vec<Column>,
    /// The columns that any of the rows has.
    metadata: Vec<Column>,
    /// The number of each row's repository.
    repositories: Vec<u32>,
    /// Empty for a composite, which lies nowhere by itself.
    locations: Texts,
    bytes: Vec<u64>,
    ids: Vec<Option<DatasetId>>,
}

struct Column {
    name: String,
    values: Values,
}

impl Rows {
    /// Takes the rows of a listing as they come.
    pub fn of(listing: impl Iterator<Item = Result<DatasetRef, Error>>) -> Result<Rows, Error> {
        let mut rows = Rows {
            blocks: Vec::new(),
            repositories: Vec::new(),
            length: 0,
        };
        for row in listing {
            rows.push(row?);
        }
        Ok(rows)
    }

    fn push(&mut self, row: DatasetRef) {
        let repository = self.number_of(&row.repository);
        let has_room = self.blocks.last().is_some_and(|last| last.takes(&row));
        if !has_room {
            self.blocks.push(Block::starting_with(&row, self.length));
        }
        if let Some(block) = self.blocks.last_mut() {
            block.push(row, repository);
        }
        self.length += 1;
    }

    fn number_of(&mut self, repository: &Arc<str>) -> u32 {
        let known = self.repositories.iter().position(|one| one == repository);
        let number = known.unwrap_or_else(|| {
            self.repositories.push(repository.clone());
            self.repositories.len() - 1
        });
        // Each is a repository of one butler.
        number as u32
    }

    /// The table: every column of every type, in the order in which they first appear.
    fn batch(&self) -> Result<RecordBatch, ArrowError> {
        let mut fields = vec![Field::new("dataset_type", DataType::Utf8, false)];
        let types = self.blocks.iter().flat_map(|block| {
            std::iter::repeat_n(Some(block.dataset_type.as_str()), block.bytes.len())
        });
        let mut columns: Vec<ArrayRef> = vec![texts(types, self.length)];
        let mut names: Vec<&str> = Vec::new();
        let of_blocks = self.blocks.iter().flat_map(Block::columns);
        for column in of_blocks {
            if !names.contains(&column.name.as_str()) {
                names.push(&column.name);
            }
        }
        for name in names {
            let column = self.column(name);
            fields.push(Field::new(name, column.data_type().clone(), true));
            columns.push(column);
        }
        for (name, column) in self.common() {
            fields.push(Field::new(name, column.data_type().clone(), true));
            columns.push(column);
        }
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
    }

    /// The columns that every dataset has.
    fn common(&self) -> [(&'static str, ArrayRef); 4] {
        let each = || self.blocks.iter();
        let repositories = each().flat_map(|block| {
            let numbers = block.repositories.iter();
            numbers.map(|number| Some(&*self.repositories[*number as usize]))
        });
        let locations = each().flat_map(|block| {
            let all = (0..block.bytes.len()).map(|at| block.locations.get(at));
            all.map(|location| Some(location).filter(|location| !location.is_empty()))
        });
        let mut ids = StringBuilder::with_capacity(self.length, self.length * 36);
        for id in each().flat_map(|block| &block.ids) {
            match id {
                Some(id) => ids.append_value(id.to_string()),
                None => ids.append_null(),
            }
        }
        let bytes = each().flat_map(|block| block.bytes.iter().copied());
        [
            ("repository", texts(repositories, self.length)),
            ("location", texts(locations, self.length)),
            ("bytes", Arc::new(UInt64Array::from_iter_values(bytes))),
            ("id", Arc::new(ids.finish())),
        ]
    }

    /// A key or a column of the metadata: whole numbers where all are, else numbers, else text.
    fn column(&self, name: &str) -> ArrayRef {
        let parts: Vec<(usize, Option<&Values>)> = self
            .blocks
            .iter()
            .map(|block| (block.bytes.len(), block.values(name)))
            .collect();
        let kinds = parts.iter().filter_map(|(_, values)| values.as_ref());
        let kind = kinds.map(|values| values.kind()).max();
        let cells = parts.iter().flat_map(|(length, values)| {
            (0..*length).map(move |at| values.and_then(|values| values.get(at)))
        });
        match kind.unwrap_or(Kind::Int) {
            Kind::Int => {
                let mut builder = Int64Builder::with_capacity(self.length);
                cells.for_each(|cell| builder.append_option(cell.and_then(Value::as_int)));
                Arc::new(builder.finish())
            }
            Kind::Float => {
                let mut builder = Float64Builder::with_capacity(self.length);
                cells.for_each(|cell| builder.append_option(cell.and_then(Value::as_float)));
                Arc::new(builder.finish())
            }
            Kind::Str => {
                let mut builder = StringBuilder::new();
                cells.for_each(|cell| builder.append_option(cell.map(Value::plain)));
                Arc::new(builder.finish())
            }
        }
    }
}

impl Block {
    fn starting_with(row: &DatasetRef, start: usize) -> Block {
        let column = |name: &str| Column {
            name: name.to_owned(),
            values: Values::default(),
        };
        Block {
            start,
            dataset_type: row.dataset_type.clone(),
            keys: row.data_id.keys().map(column).collect(),
            metadata: Vec::new(),
            repositories: Vec::new(),
            locations: Texts::default(),
            bytes: Vec::new(),
            ids: Vec::new(),
        }
    }

    fn takes(&self, row: &DatasetRef) -> bool {
        let keys = self.keys.iter().map(|column| column.name.as_str());
        self.dataset_type == row.dataset_type && keys.eq(row.data_id.keys())
    }

    fn push(&mut self, row: DatasetRef, repository: u32) {
        for (column, (_, value)) in self.keys.iter_mut().zip(row.data_id.iter()) {
            column.values.push(Some(value));
        }
        for name in row.metadata.keys() {
            if !self.metadata.iter().any(|column| column.name == name) {
                let values = Values::absent(self.bytes.len());
                let name = name.to_owned();
                self.metadata.push(Column { name, values });
            }
        }
        for column in &mut self.metadata {
            column.values.push(row.metadata.get(&column.name));
        }
        self.repositories.push(repository);
        self.locations
            .push(row.location.as_deref().unwrap_or_default());
        self.bytes.push(row.bytes);
        // One in a folder without an index has none until a file is read.
        self.ids.push(row.id.filter(|id| !id.is_stamp()));
    }

    fn values(&self, name: &str) -> Option<&Values> {
        let found = self.columns().find(|column| column.name == name);
        found.map(|column| &column.values)
    }

    fn columns(&self) -> impl Iterator<Item = &Column> {
        self.keys.iter().chain(&self.metadata)
    }
}

fn texts<'a>(values: impl Iterator<Item = Option<&'a str>>, length: usize) -> ArrayRef {
    let mut builder = StringBuilder::with_capacity(length, 16 * length);
    values.for_each(|value| builder.append_option(value));
    Arc::new(builder.finish())
}

fn dictionary<'py>(py: Python<'py>, columns: &[Column], at: usize) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for column in columns {
        if let Some(value) = column.values.get(at) {
            dict.set_item(&column.name, value.to_python(py)?)?;
        }
    }
    Ok(dict)
}

#[pymethods]
impl Rows {
    fn __len__(&self) -> usize {
        self.length
    }

    /// Returns one dataset as a dictionary.
    fn row<'py>(&self, py: Python<'py>, index: usize) -> PyResult<Bound<'py, PyDict>> {
        let before = self.blocks.partition_point(|block| block.start <= index);
        let block = before.checked_sub(1).map(|number| &self.blocks[number]);
        let Some(block) = block.filter(|_| index < self.length) else {
            let why = "there are fewer datasets";
            return Err(pyo3::exceptions::PyIndexError::new_err(why));
        };
        let at = index - block.start;
        let repository = &*self.repositories[block.repositories[at] as usize];
        let location = Some(block.locations.get(at)).filter(|location| !location.is_empty());
        let dict = PyDict::new(py);
        dict.set_item("name", block.dataset_type.as_str())?;
        dict.set_item("data_id", dictionary(py, &block.keys, at)?)?;
        dict.set_item("repository", repository)?;
        dict.set_item("location", location)?;
        dict.set_item("bytes", block.bytes[at])?;
        dict.set_item("id", block.ids[at].map(|id| id.to_string()))?;
        dict.set_item("metadata", dictionary(py, &block.metadata, at)?)?;
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
