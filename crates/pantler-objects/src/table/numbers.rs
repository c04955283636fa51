//! The values of a column as floating-point numbers, for statistics and pictures.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType};
use arrow_schema::DataType;

use super::Table;
use super::values::type_name;

impl Table {
    /// Returns the values of a column, one for each row, NaN where there is none; flags are 0 and 1, and whole numbers of
    /// more than 53 bits are rounded.
    ///
    /// `None` if there is no such column, or its values are no single numbers: texts, times, lists.
    pub fn numbers(&self, column: &str) -> Option<Vec<f64>> {
        let position = self.column_names().position(|known| known == column)?;
        numbers(self.batch().column(position))
    }

    /// Returns what the values of a column are called, counted from 0: `float64`, `text`, `3 float32`; `None` if there is
    /// no such column.
    pub fn column_type(&self, column: usize) -> Option<String> {
        let field = self
            .batch()
            .schema_ref()
            .fields()
            .get(column)
            .map(Arc::as_ref)?;
        Some(type_name(field.data_type()))
    }
}

fn numbers(array: &ArrayRef) -> Option<Vec<f64>> {
    Some(match array.data_type() {
        DataType::Boolean => {
            let flags = array.as_boolean().iter();
            flags
                .map(|flag| flag.map_or(f64::NAN, |flag| f64::from(u8::from(flag))))
                .collect()
        }
        DataType::Int8 => each::<Int8Type>(array, f64::from),
        DataType::Int16 => each::<Int16Type>(array, f64::from),
        DataType::Int32 => each::<Int32Type>(array, f64::from),
        DataType::Int64 => each::<Int64Type>(array, |number| number as f64),
        DataType::UInt8 => each::<UInt8Type>(array, f64::from),
        DataType::UInt16 => each::<UInt16Type>(array, f64::from),
        DataType::UInt32 => each::<UInt32Type>(array, f64::from),
        DataType::UInt64 => each::<UInt64Type>(array, |number| number as f64),
        DataType::Float16 => each::<Float16Type>(array, |number| number.to_f64()),
        DataType::Float32 => each::<Float32Type>(array, f64::from),
        DataType::Float64 => each::<Float64Type>(array, |number| number),
        _ => return None,
    })
}

fn each<T: ArrowPrimitiveType>(array: &dyn Array, number: impl Fn(T::Native) -> f64) -> Vec<f64> {
    let values = array.as_primitive::<T>().iter();
    values
        .map(|value| value.map_or(f64::NAN, &number))
        .collect()
}

#[cfg(test)]
mod tests {
    use arrow_array::{BooleanArray, Float32Array, Int64Array, RecordBatch, StringArray};

    use super::*;
    use crate::metadata::Metadata;

    #[test]
    fn columns_of_numbers_are_numbers() {
        let columns: [(&str, ArrayRef); 4] = [
            ("id", Arc::new(Int64Array::from(vec![Some(-3), None]))),
            ("flux", Arc::new(Float32Array::from(vec![0.5, 2.0]))),
            ("flag", Arc::new(BooleanArray::from(vec![true, false]))),
            ("name", Arc::new(StringArray::from(vec!["1", "2"]))),
        ];
        let batch = RecordBatch::try_from_iter(columns).expect("columns of equal length");
        let table = Table::new(batch, Metadata::default()).expect("a sound table");
        let id = table.numbers("id").expect("they are numbers");
        assert!(id[0] == -3.0 && id[1].is_nan());
        assert_eq!(table.numbers("flux"), Some(vec![0.5, 2.0]));
        assert_eq!(table.numbers("flag"), Some(vec![1.0, 0.0]));
        assert_eq!(table.numbers("name"), None);
        assert_eq!(table.numbers("nothing"), None);
        assert_eq!(table.column_type(3).as_deref(), Some("text"));
        assert_eq!(table.column_type(4), None);
    }
}
