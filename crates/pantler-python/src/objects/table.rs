//! Tables: Arrow in memory, columns as views.

use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use arrow_array::types::{
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, PrimitiveArray, StructArray};
use arrow_schema::{DataType, Field, Schema};
use pantler::core::report::Kind;
use pantler::objects;
use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyCapsule, PyDict, PyList};

use crate::failure::{Failure, Raise};
use crate::objects::end_to_end::end_to_end;
use crate::objects::metadata::header;
use crate::view;
use crate::wrapped::{DataObject, wrap, wrap_part};

/// A table of named columns, with header cards.
///
/// `table["flux"]` is a column: an array that cannot be written, masked where values are missing. Arrow's PyCapsule interface hands
/// the table to whoever knows it, without a copy.
///
/// Parameters
/// ----------
/// columns : dict
///     Arrays by column name: numbers, True and False, or text, of one length; they are copied.
/// metadata : optional
///     The header: Metadata, a dictionary, or a header of astropy.
/// units : dict, optional
///     Units by column name.
///
/// Examples
/// --------
/// >>> from pantler import Table
/// >>> table = Table({"id": [1, 2], "flux": [1.5, 2.5]}, units={"flux": "nJy"})
/// >>> table["flux"], table.unit("flux"), len(table)
/// (array([1.5, 2.5]), 'nJy', 2)
/// >>> (table + table)["id"]
/// array([1, 2, 1, 2])
#[pyclass(frozen, extends = DataObject, module = "pantler")]
pub struct Table {}

fn table<'a>(slf: &'a Bound<'_, Table>) -> PyResult<&'a objects::Table> {
    slf.as_super().get().as_class()
}

#[pymethods]
impl Table {
    /// Makes a table of arrays by column name: numbers, True and False, or text, of one length; the values are copied.
    #[new]
    #[pyo3(signature = (columns, *, metadata=None, units=None))]
    fn new(
        py: Python<'_>,
        columns: &Bound<'_, PyDict>,
        metadata: Option<&Bound<'_, PyAny>>,
        units: Option<std::collections::HashMap<String, String>>,
    ) -> PyResult<PyClassInitializer<Table>> {
        let metadata = metadata.map(header).transpose()?.unwrap_or_default();
        let mut fields = Vec::new();
        let mut arrays = Vec::new();
        for (name, values) in columns.iter() {
            let name: String = name.extract()?;
            let array = column_of(&name, &values)?;
            let mut field = Field::new(&name, array.data_type().clone(), array.null_count() > 0);
            if let Some(unit) = units.as_ref().and_then(|units| units.get(&name)) {
                field = field.with_metadata(std::collections::HashMap::from([(
                    "unit".to_owned(),
                    unit.clone(),
                )]));
            }
            fields.push(field);
            arrays.push(array);
        }
        let rows = arrays.first().map_or(0, |array| array.len());
        let schema = Arc::new(Schema::new(fields));
        let table =
            objects::Table::of_columns(schema, arrays, rows, (*metadata).clone()).or_raise(py)?;
        Ok(DataObject::started(Table {}, table))
    }

    /// The columns' names in order.
    #[getter]
    fn columns(slf: &Bound<'_, Self>) -> PyResult<Vec<String>> {
        Ok(table(slf)?.column_names().map(str::to_owned).collect())
    }

    /// The header cards.
    #[getter]
    fn metadata<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        wrap_part(slf.py(), Some(table(slf)?.metadata()))
    }

    /// Returns the unit of a column, or None.
    ///
    /// Parameters
    /// ----------
    /// column : str
    ///     The column.
    ///
    /// Examples
    /// --------
    /// >>> butler.get("src", visit=903334, ccd=16).unit("flux")
    /// 'nJy'
    fn unit(slf: &Bound<'_, Self>, column: &str) -> PyResult<Option<String>> {
        Ok(table(slf)?.unit(column).map(str::to_owned))
    }

    /// Returns what a column is, in words, or None.
    ///
    /// Parameters
    /// ----------
    /// column : str
    ///     The column.
    ///
    /// Examples
    /// --------
    /// >>> from astropy.table import Column, Table as Theirs
    /// >>> from pantler import Table
    /// >>> theirs = Theirs([Column([1.5], name="flux", description="within 3 arcseconds")])
    /// >>> Table.from_astropy(theirs).description("flux")
    /// 'within 3 arcseconds'
    fn description(slf: &Bound<'_, Self>, column: &str) -> PyResult<Option<String>> {
        Ok(table(slf)?.description(column).map(str::to_owned))
    }

    /// Returns the table of some columns.
    ///
    /// Parameters
    /// ----------
    /// columns : list of str
    ///     The columns, in the order that they are to have.
    ///
    /// Examples
    /// --------
    /// >>> butler.get("src", visit=903334, ccd=16).select(["flux", "id"]).columns
    /// ['flux', 'id']
    fn select<'py>(slf: &Bound<'py, Self>, columns: Vec<String>) -> PyResult<Bound<'py, PyAny>> {
        let chosen = table(slf)?.select(&columns).or_raise(slf.py())?;
        wrap(slf.py(), Arc::new(chosen))
    }

    /// Returns a copy with other header cards.
    ///
    /// Parameters
    /// ----------
    /// metadata
    ///     Metadata, a dictionary, or a header of astropy.
    ///
    /// Examples
    /// --------
    /// >>> table = butler.get("src", visit=903334, ccd=16)
    /// >>> table.with_metadata({"OBSERVER": "Ada"}).metadata["OBSERVER"]
    /// 'Ada'
    fn with_metadata<'py>(
        slf: &Bound<'py, Self>,
        metadata: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        wrap(
            slf.py(),
            Arc::new(table(slf)?.with_metadata(header(metadata)?)),
        )
    }

    /// A column as an array: of numbers without gaps, a view on the engine's memory that cannot be written; a masked array
    /// where values are missing.
    fn __getitem__<'py>(slf: &Bound<'py, Self>, column: &str) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let table = table(slf)?;
        let Some(array) = table.batch().column_by_name(column) else {
            let names: Vec<&str> = table.column_names().collect();
            let near = pantler::core::similar::most_similar(column, names.iter().copied());
            let failure = Failure::of(
                Kind::NotFound,
                format!("the table has no column `{column}`"),
            );
            let failure = match near {
                Some(near) => failure.hint(format!("did you mean `{near}`?")),
                None => failure.hint("`.columns` lists them"),
            };
            return Err(failure.raise(py));
        };
        column_array(py, array)
    }

    fn __contains__(slf: &Bound<'_, Self>, column: &str) -> PyResult<bool> {
        Ok(table(slf)?.column_names().any(|name| name == column))
    }

    fn __iter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, pyo3::types::PyIterator>> {
        PyList::new(slf.py(), Table::columns(slf)?)?.try_iter()
    }

    fn __len__(slf: &Bound<'_, Self>) -> PyResult<usize> {
        Ok(table(slf)?.rows())
    }

    /// The rows of this table, then those of the other one, under the same columns.
    fn __add__<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyAny>) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        let Ok(other) = other.cast::<Table>() else {
            return Ok(py.NotImplemented());
        };
        let (first, second) = (table(slf)?, table(other)?);
        let both = py.detach(|| end_to_end(first, second)).or_raise(py)?;
        Ok(wrap(py, Arc::new(both))?.unbind())
    }

    fn __bool__(&self) -> bool {
        true
    }

    fn __arrow_c_schema__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyCapsule>> {
        let py = slf.py();
        let schema = table(slf)?.batch().schema();
        schema_capsule(py, &schema)
    }

    /// The table as Arrow's PyCapsule interface hands it over, without a copy: pyarrow, polars and pandas take it.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        slf: &Bound<'py, Self>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
        // The protocol allows the wish to be ignored, and asks for the schema as it is.
        drop(requested_schema);
        let py = slf.py();
        let batch = table(slf)?.batch().clone();
        let schema = schema_capsule(py, &batch.schema())?;
        let array = FFI_ArrowArray::new(&StructArray::from(batch).into_data());
        Ok((
            schema,
            PyCapsule::new_with_value(py, array, c"arrow_array")?,
        ))
    }

    /// Returns a pyarrow.Table on the same memory.
    ///
    /// Examples
    /// --------
    /// >>> butler.get("src", visit=903334, ccd=16).to_arrow().num_rows
    /// 4
    fn to_arrow<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let batch = slf
            .py()
            .import("pyarrow")?
            .call_method1("record_batch", (slf,))?;
        let tables = slf.py().import("pyarrow")?.getattr("Table")?;
        tables.call_method1("from_batches", (vec![batch],))
    }

    /// Returns an astropy.table.Table, with units and header cards.
    ///
    /// Examples
    /// --------
    /// >>> butler.get("src", visit=903334, ccd=16).to_astropy()["flux"].unit
    /// Unit("nJy")
    fn to_astropy<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py()
            .import("pantler.astropy")?
            .call_method1("table", (slf,))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let table = table(slf)?;
        let names: Vec<&str> = table.column_names().take(6).collect();
        let more = if table.batch().num_columns() > names.len() {
            ", …"
        } else {
            ""
        };
        Ok(format!(
            "Table({} rows: {}{more})",
            table.rows(),
            names.join(", ")
        ))
    }
}

fn schema_capsule<'py>(py: Python<'py>, schema: &Schema) -> PyResult<Bound<'py, PyCapsule>> {
    let schema = FFI_ArrowSchema::try_from(schema)
        .map_err(|error| Failure::of(Kind::Unsupported, error.to_string()).raise(py))?;
    PyCapsule::new_with_value(py, schema, c"arrow_schema")
}

/// Returns a column as a numpy array.
fn column_array<'py>(py: Python<'py>, array: &ArrayRef) -> PyResult<Bound<'py, PyAny>> {
    macro_rules! numbers {
        ($type:ty) => {
            view::array(py, array.as_primitive::<$type>().values(), &[array.len()])?
        };
    }
    let values = match array.data_type() {
        DataType::Int8 => numbers!(Int8Type),
        DataType::Int16 => numbers!(Int16Type),
        DataType::Int32 => numbers!(Int32Type),
        DataType::Int64 => numbers!(Int64Type),
        DataType::UInt8 => numbers!(UInt8Type),
        DataType::UInt16 => numbers!(UInt16Type),
        DataType::UInt32 => numbers!(UInt32Type),
        DataType::UInt64 => numbers!(UInt64Type),
        DataType::Float32 => numbers!(Float32Type),
        DataType::Float64 => numbers!(Float64Type),
        DataType::FixedSizeList(item, size)
            if array.null_count() == 0 && item.data_type().is_numeric() =>
        {
            let list = array.as_fixed_size_list();
            // Cut to the rows of this array: the values know nothing of its offset.
            let width = usize::try_from(*size).unwrap_or(0);
            let start = list.value_offset_at(0);
            let values = list.values().slice(start, list.len() * width);
            let flat = column_array(py, &values)?;
            return flat.call_method1("reshape", (list.len(), width));
        }
        DataType::Boolean => {
            let list = PyList::empty(py);
            for value in array.as_boolean() {
                list.append(value.unwrap_or(false))?;
            }
            owned(py, list.as_any(), "bool")?
        }
        DataType::Utf8 => texts(py, array.as_string::<i32>().iter())?,
        DataType::LargeUtf8 => texts(py, array.as_string::<i64>().iter())?,
        other => {
            return Err(Failure::of(
                Kind::Unsupported,
                format!("a column of {other} is no array of numpy"),
            )
            .hint("`.to_arrow()` hands it over as it is")
            .raise(py));
        }
    };
    if array.null_count() == 0 {
        return Ok(values);
    }
    let missing = PyList::empty(py);
    for row in 0..array.len() {
        missing.append(PyBool::new(py, array.is_null(row)))?;
    }
    let options = PyDict::new(py);
    options.set_item("mask", missing)?;
    py.import("numpy")?
        .getattr("ma")?
        .call_method("masked_array", (values,), Some(&options))
}

fn texts<'py, 'a>(
    py: Python<'py>,
    values: impl Iterator<Item = Option<&'a str>>,
) -> PyResult<Bound<'py, PyAny>> {
    let list = PyList::empty(py);
    for value in values {
        list.append(value.unwrap_or_default())?;
    }
    owned(py, list.as_any(), "str")
}

fn owned<'py>(
    py: Python<'py>,
    values: &Bound<'py, PyAny>,
    dtype: &str,
) -> PyResult<Bound<'py, PyAny>> {
    py.import("numpy")?.call_method1("array", (values, dtype))
}

/// Returns an array that was handed in as a column; values that are masked are missing.
fn column_of(name: &str, values: &Bound<'_, PyAny>) -> PyResult<ArrayRef> {
    let py = values.py();
    let numpy = py.import("numpy")?;
    let refuse = |what: String| {
        Failure::request(format!("the column `{name}` cannot be {what}"))
            .hint("columns hold numbers, True and False, or text, one value a row")
            .raise(py)
    };
    let masked = numpy
        .getattr("ma")?
        .call_method1("getmaskarray", (values,))?;
    let missing: Vec<bool> = masked
        .call_method0("tolist")?
        .extract()
        .map_err(|_| refuse("an array of arrays".to_owned()))?;
    let array = numpy.call_method1("ascontiguousarray", (values,))?;
    let native = array
        .getattr("dtype")?
        .call_method1("newbyteorder", ("=",))?;
    let array = array.call_method1("astype", (native,))?;
    if array.getattr("ndim")?.extract::<usize>()? != 1 {
        return Err(refuse("an array of arrays".to_owned()));
    }
    let dtype: String = array.getattr("dtype")?.getattr("name")?.extract()?;
    macro_rules! numbers {
        ($native:ty, $type:ty) => {{
            let values = PyBuffer::<$native>::get(&array)?.to_vec(py)?;
            let values = values.into_iter().zip(&missing);
            let values = values.map(|(value, missing)| (!missing).then_some(value));
            Arc::new(values.collect::<PrimitiveArray<$type>>())
        }};
    }
    Ok(match dtype.as_str() {
        "int8" => numbers!(i8, Int8Type),
        "int16" => numbers!(i16, Int16Type),
        "int32" => numbers!(i32, Int32Type),
        "int64" => numbers!(i64, Int64Type),
        "uint8" => numbers!(u8, UInt8Type),
        "uint16" => numbers!(u16, UInt16Type),
        "uint32" => numbers!(u32, UInt32Type),
        "uint64" => numbers!(u64, UInt64Type),
        "float32" => numbers!(f32, Float32Type),
        "float64" => numbers!(f64, Float64Type),
        "bool" => {
            let mut column = BooleanBuilder::new();
            for (value, missing) in array.try_iter()?.zip(&missing) {
                column.append_option(if *missing {
                    None
                } else {
                    Some(value?.is_truthy()?)
                });
            }
            Arc::new(column.finish())
        }
        text if text.starts_with("str") || text == "object" => {
            let mut column = StringBuilder::new();
            for (value, missing) in array.try_iter()?.zip(&missing) {
                let value = value?;
                if *missing || value.is_none() {
                    column.append_null();
                } else {
                    let text: String = value
                        .extract()
                        .map_err(|_| refuse("a mixture of objects".to_owned()))?;
                    column.append_value(text);
                }
            }
            Arc::new(column.finish())
        }
        other => return Err(refuse(format!("of type {other}"))),
    })
}
