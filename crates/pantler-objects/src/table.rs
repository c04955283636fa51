//! A table: columns of equal length with names, units and descriptions, and the header cards that came with them.
//!
//! Formatters make it from FITS tables and Parquet files, and write it back. The columns are Arrow arrays, which formatters
//! alone need to know; the engine sees [`pantler_core::Object`]. It is no data frame: nothing is computed here, and rows are
//! never changed.
//!
//! What a format must remember of a column beside its values stands in the column's Arrow metadata, under the keys of
//! [`key`]. Flags that a FITS file packs into one column are columns of their own here.

mod aliases;
mod numbers;
mod values;

use std::any::Any;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use pantler_core::built_names::{COLUMNS, LENGTH, SCHEMA};
use pantler_core::object::ComponentError;
use pantler_core::{Digest, Hasher, Object, ObjectRef, Origin};

use crate::document::Document;
use crate::metadata::Metadata;
use crate::synonyms::canonical;
use crate::values::{Values, downcast_arc};

pub use aliases::Aliases;

use values::{ROWS_AT_ONCE, is_known, put_values, shown};

const CLASS: &str = "Table";

/// The keys under which a column keeps what is not in its values.
pub mod key {
    /// The unit of the values.
    pub const UNIT: &str = "unit";
    /// What the column is, in words.
    pub const DESCRIPTION: &str = "description";
    /// The lengths of the axes of a column of arrays, as FITS writes them: `(3,2)`.
    pub const DIMENSIONS: &str = "dimensions";
    /// `C` or `M` where pairs of numbers are complex numbers.
    pub const COMPLEX: &str = "complex";
    /// The packed FITS column that a flag is a bit of.
    pub const PACKED: &str = "packed";
    /// The number that means "no value" in the FITS file that the column came from.
    pub const NULL: &str = "null";
    /// How FITS says that the column is to be displayed.
    pub const DISPLAY: &str = "display";
    /// The kind of field that the LSST stack takes the column for.
    pub const FIELD_CLASS: &str = "field_class";
}

/// Columns that cannot make a table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// A column holds values of a type that tables do not have.
    #[error("column `{column}` has values of the type {kind}, which tables do not have")]
    Type {
        /// The column.
        column: String,
        /// The type in Arrow's words.
        kind: String,
    },
    /// The columns do not fit together.
    #[error("the columns make no table: {why}")]
    Columns {
        /// What does not fit.
        why: String,
    },
    /// There is no such column.
    #[error("there is no column `{column}`")]
    NoColumn {
        /// The column asked for.
        column: String,
        /// The columns that there are.
        known: Vec<String>,
    },
}

/// Columns of equal length, with a header.
#[derive(Debug, Clone)]
pub struct Table {
    batch: RecordBatch,
    metadata: Arc<Metadata>,
    origin: Option<Origin>,
}

impl Table {
    /// Makes a table of columns; those that refer to a dictionary of values get the values.
    pub fn new(batch: RecordBatch, metadata: Metadata) -> Result<Table, TableError> {
        let batch = without_dictionaries(batch)?;
        for field in batch.schema_ref().fields() {
            if !is_known(field.data_type()) {
                return Err(TableError::Type {
                    column: field.name().clone(),
                    kind: field.data_type().to_string(),
                });
            }
        }
        Ok(Table {
            batch,
            metadata: Arc::new(metadata),
            origin: None,
        })
    }

    /// Makes a table of `rows` rows from columns and their descriptions.
    pub fn of_columns(
        schema: SchemaRef,
        columns: Vec<ArrayRef>,
        rows: usize,
        metadata: Metadata,
    ) -> Result<Table, TableError> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(schema, columns, &options);
        Table::new(batch.map_err(|error| misfit(&error))?, metadata)
    }

    /// Returns the columns.
    pub fn batch(&self) -> &RecordBatch {
        &self.batch
    }

    /// Returns the number of rows.
    pub fn rows(&self) -> usize {
        self.batch.num_rows()
    }

    /// Returns the names of the columns in order.
    pub fn column_names(&self) -> impl Iterator<Item = &str> {
        let fields = self.batch.schema_ref().fields().iter();
        fields.map(|field| field.name().as_str())
    }

    /// Returns the unit of a column; `None` if it has none or does not exist.
    pub fn unit(&self, column: &str) -> Option<&str> {
        self.said(column, key::UNIT)
    }

    /// Returns what a column is, in words; `None` if nothing is said or it does not exist.
    pub fn description(&self, column: &str) -> Option<&str> {
        self.said(column, key::DESCRIPTION)
    }

    fn said(&self, column: &str, key: &str) -> Option<&str> {
        let field = self.field(column)?;
        field.metadata().get(key).map(String::as_str)
    }

    fn field(&self, column: &str) -> Option<&Field> {
        let fields = self.batch.schema_ref().fields();
        let mut found = fields.iter().filter(|field| field.name() == column);
        found.next().map(Arc::as_ref)
    }

    /// Returns the value in a column, counted from 0, and a row as text; `None` where there is no value.
    pub fn text(&self, column: usize, row: usize) -> Option<String> {
        let array = self.batch.columns().get(column)?;
        (row < array.len() && array.is_valid(row)).then(|| shown(array, row))
    }

    /// Returns the header cards.
    pub fn metadata(&self) -> &Arc<Metadata> {
        &self.metadata
    }

    /// Returns the same columns with other header cards.
    #[must_use]
    pub fn with_metadata(&self, metadata: Arc<Metadata>) -> Table {
        Table {
            batch: self.batch.clone(),
            metadata,
            origin: None,
        }
    }

    /// Returns the table of these columns alone, in this order.
    pub fn select(&self, columns: &[String]) -> Result<Table, TableError> {
        let positions: Result<Vec<usize>, TableError> = columns
            .iter()
            .map(|name| {
                let found = self.column_names().position(|known| known == name);
                found.ok_or_else(|| TableError::NoColumn {
                    column: name.clone(),
                    known: self.column_names().map(str::to_owned).collect(),
                })
            })
            .collect();
        let batch = self.batch.project(&positions?);
        Ok(Table {
            batch: batch.map_err(|error| misfit(&error))?,
            metadata: Arc::clone(&self.metadata),
            origin: None,
        })
    }

    fn unsuitable(name: &str, value: &ObjectRef) -> ComponentError {
        ComponentError::Unsuitable {
            class: CLASS.to_owned(),
            component: name.to_owned(),
            given: value.class().to_owned(),
            why: "it must be Metadata".to_owned(),
        }
    }

    /// Returns the first difference in what a column is; its values are not looked at.
    fn field_difference(&self, other: &Table) -> Option<String> {
        let (mine, others) = (self.batch.schema_ref(), other.batch.schema_ref());
        for (number, (a, b)) in mine.fields().iter().zip(others.fields()).enumerate() {
            let name = a.name();
            if name != b.name() {
                let number = number + 1;
                return Some(format!("column {number} is `{name}` and `{}`", b.name()));
            }
            if values::type_name(a.data_type()) != values::type_name(b.data_type()) {
                let (a, b) = (
                    values::type_name(a.data_type()),
                    values::type_name(b.data_type()),
                );
                return Some(format!("column `{name}` has values of {a} and {b}"));
            }
            for key in [key::UNIT, key::DIMENSIONS, key::COMPLEX] {
                let (a, b) = (a.metadata().get(key), b.metadata().get(key));
                if a != b {
                    let word = |said: Option<&String>| said.map_or("none", |said| said).to_owned();
                    let (a, b) = (word(a), word(b));
                    return Some(format!("column `{name}`: the {key} is {a} and {b}"));
                }
            }
        }
        let (mine, others) = (mine.fields().len(), others.fields().len());
        (mine != others).then(|| format!("{mine} and {others} columns"))
    }

    fn value_difference(&self, other: &Table) -> Option<String> {
        for (column, (a, b)) in self
            .batch
            .columns()
            .iter()
            .zip(other.batch.columns())
            .enumerate()
        {
            if let Some(row) = first_different_row(a, b) {
                let name = self.batch.schema_ref().field(column).name();
                let word = |array: &ArrayRef| match array.is_valid(row) {
                    true => shown(array, row),
                    false => "no value".to_owned(),
                };
                let (a, b) = (word(a), word(b));
                return Some(format!("column `{name}`, row {row}: {a} and {b}"));
            }
        }
        None
    }
}

fn misfit(error: &arrow_schema::ArrowError) -> TableError {
    TableError::Columns {
        why: error.to_string(),
    }
}

fn without_dictionaries(batch: RecordBatch) -> Result<RecordBatch, TableError> {
    let dictionary = |kind: &DataType| matches!(kind, DataType::Dictionary(..));
    let schema = Arc::clone(batch.schema_ref());
    let mut fields = schema.fields().iter();
    if !fields.any(|field| dictionary(field.data_type())) {
        return Ok(batch);
    }
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        let column = match column.as_any_dictionary_opt() {
            Some(coded) => arrow_select::take::take(coded.values(), coded.keys(), None)
                .map_err(|error| misfit(&error))?,
            None => Arc::clone(column),
        };
        let kind = column.data_type().clone();
        fields.push(field.as_ref().clone().with_data_type(kind));
        columns.push(column);
    }
    let schema = Schema::new_with_metadata(fields, schema.metadata.clone());
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(schema), columns, &options)
        .map_err(|error| misfit(&error))
}

fn first_different_row(a: &ArrayRef, b: &ArrayRef) -> Option<usize> {
    let differ = |start: usize, end: usize| {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        put_values(&mut left, a, start..end);
        put_values(&mut right, b, start..end);
        left != right
    };
    let rows = a.len();
    let mut starts = (0..rows).step_by(ROWS_AT_ONCE);
    let start = starts.find(|&start| differ(start, rows.min(start + ROWS_AT_ONCE)))?;
    (start..rows).find(|&row| differ(row, row + 1))
}

impl Values for Table {
    fn add_values(&self, hasher: &mut Hasher) {
        self.metadata.add_values(hasher);
        hasher.update(&(self.rows() as u64).to_le_bytes());
        let schema = self.batch.schema_ref();
        hasher.update(&(schema.fields().len() as u64).to_le_bytes());
        let mut bytes = Vec::new();
        for (field, column) in schema.fields().iter().zip(self.batch.columns()) {
            hasher.field(field.name().as_bytes());
            hasher.field(values::type_name(field.data_type()).as_bytes());
            for key in [key::UNIT, key::DIMENSIONS, key::COMPLEX] {
                let said = field.metadata().get(key);
                hasher.update(&[u8::from(said.is_some())]);
                hasher.field(said.map_or(&[], |said| said.as_bytes()));
            }
            for start in (0..column.len()).step_by(ROWS_AT_ONCE) {
                bytes.clear();
                let end = column.len().min(start + ROWS_AT_ONCE);
                put_values(&mut bytes, column, start..end);
                hasher.update(&bytes);
            }
        }
    }

    fn differs_from(&self, other: &Table) -> Option<String> {
        if self.rows() != other.rows() {
            return Some(format!("{} and {} rows", self.rows(), other.rows()));
        }
        self.field_difference(other)
            .or_else(|| self.value_difference(other))
            .or_else(|| self.metadata.differs_from(&other.metadata))
    }

    fn memory_bytes(&self) -> u64 {
        self.batch.get_array_memory_size() as u64 + self.metadata.memory_bytes()
    }
}

impl Object for Table {
    fn class(&self) -> &str {
        CLASS
    }

    fn memory(&self) -> u64 {
        self.memory_bytes()
    }

    fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    fn with_origin(&self, origin: &Origin) -> ObjectRef {
        let mut copy = self.clone();
        if copy.metadata.origin().is_none() {
            copy.metadata = Arc::new(self.metadata.at_origin(&origin.component("metadata")));
        }
        copy.origin = Some(origin.clone());
        Arc::new(copy)
    }

    fn component_names(&self) -> Vec<String> {
        vec!["metadata".to_owned()]
    }

    fn component(&self, name: &str) -> Option<ObjectRef> {
        match canonical(name) {
            "metadata" => Some(self.metadata.clone()),
            // What people's programs ask for as `src_len` and `src_schema`.
            LENGTH => Some(Arc::new(Document::new(self.rows().into()))),
            COLUMNS => {
                let names: Vec<String> = self.column_names().map(str::to_owned).collect();
                Some(Arc::new(Document::new(names.into())))
            }
            SCHEMA => Some(Arc::new(Table {
                batch: self.batch.slice(0, 0),
                metadata: self.metadata.clone(),
                origin: None,
            })),
            _ => None,
        }
    }

    fn with_component(&self, name: &str, value: &ObjectRef) -> Result<ObjectRef, ComponentError> {
        if canonical(name) != "metadata" {
            return Err(ComponentError::Unknown {
                class: CLASS.to_owned(),
                component: name.to_owned(),
                known: self.component_names(),
            });
        }
        match downcast_arc::<Metadata>(value) {
            Some(metadata) => Ok(Arc::new(self.with_metadata(metadata))),
            None => Err(Table::unsuitable(name, value)),
        }
    }

    fn sharing(&self, share: &mut dyn FnMut(&str, ObjectRef) -> ObjectRef) -> ObjectRef {
        let mut copy = self.clone();
        let given = share("metadata", self.metadata.clone());
        if let Some(metadata) = downcast_arc(&given) {
            copy.metadata = metadata;
        }
        Arc::new(copy)
    }

    fn digest_values(&self) -> Digest {
        crate::values::digest(CLASS, self)
    }

    fn difference(&self, other: &dyn Object) -> Option<String> {
        crate::values::difference(self, other)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[cfg(test)]
mod tests;
