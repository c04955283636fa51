//! The values of a column as bytes to digest and compare, and as text for messages.
//!
//! For floating-point numbers "no value" and "not a number" are the same, as FITS has one word for both. Text is text and
//! bytes are bytes, however Arrow counts their lengths.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float16Type, Float32Type, Float64Type};
use arrow_array::{
    Array, ArrowPrimitiveType, OffsetSizeTrait, PrimitiveArray, downcast_primitive_array,
};
use arrow_buffer::ToByteSlice;
use arrow_schema::DataType;

/// So many rows are turned into bytes at a time.
pub(super) const ROWS_AT_ONCE: usize = 4096;

/// A longer list is cut off in messages.
const SHOWN_ITEMS: usize = 6;

/// Returns whether tables have columns of this type.
pub(super) fn is_known(kind: &DataType) -> bool {
    match kind {
        DataType::Boolean
        | DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Binary
        | DataType::LargeBinary => true,
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            is_known(item.data_type())
        }
        other => other.is_primitive(),
    }
}

/// Returns what the type is called; types that hold the same values have one name.
pub(super) fn type_name(kind: &DataType) -> String {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 => "text".to_owned(),
        DataType::Binary | DataType::LargeBinary => "bytes".to_owned(),
        DataType::List(item) | DataType::LargeList(item) => {
            format!("lists of {}", type_name(item.data_type()))
        }
        DataType::FixedSizeList(item, length) => {
            format!("{length} {}", type_name(item.data_type()))
        }
        other => other.to_string().to_lowercase(),
    }
}

/// Appends the values of some rows, so that equal values give equal bytes and different ones different bytes.
pub(super) fn put_values(out: &mut Vec<u8>, array: &dyn Array, rows: Range<usize>) {
    match array.data_type() {
        DataType::Float16 => floats::<Float16Type>(out, array.as_primitive(), rows, |x| x.is_nan()),
        DataType::Float32 => floats::<Float32Type>(out, array.as_primitive(), rows, |x| x.is_nan()),
        DataType::Float64 => floats::<Float64Type>(out, array.as_primitive(), rows, |x| x.is_nan()),
        DataType::Boolean => {
            let values = array.as_boolean();
            out.extend(rows.map(|row| match values.is_valid(row) {
                true => 1 + u8::from(values.value(row)),
                false => 0,
            }));
        }
        DataType::Utf8 => texts(out, array, rows, |row| {
            array.as_string::<i32>().value(row).as_bytes()
        }),
        DataType::LargeUtf8 => texts(out, array, rows, |row| {
            array.as_string::<i64>().value(row).as_bytes()
        }),
        DataType::Binary => texts(out, array, rows, |row| array.as_binary::<i32>().value(row)),
        DataType::LargeBinary => texts(out, array, rows, |row| array.as_binary::<i64>().value(row)),
        DataType::List(_) => lists::<i32>(out, array, rows),
        DataType::LargeList(_) => lists::<i64>(out, array, rows),
        DataType::FixedSizeList(_, length) => {
            let list = array.as_fixed_size_list();
            let length = usize::try_from(*length).unwrap_or(0);
            for row in rows {
                out.push(u8::from(list.is_valid(row)));
                if list.is_valid(row) {
                    let start = list.value_offset_at(row);
                    put_values(out, list.values(), start..start + length);
                }
            }
        }
        _ => downcast_primitive_array!(
            array => numbers(out, array, rows),
            // Tables have no columns of other types.
            _ => {}
        ),
    }
}

fn floats<T: ArrowPrimitiveType>(
    out: &mut Vec<u8>,
    array: &PrimitiveArray<T>,
    rows: Range<usize>,
    is_nan: impl Fn(T::Native) -> bool,
) {
    for row in rows {
        let value = array.value(row);
        if array.is_null(row) || is_nan(value) {
            out.push(0);
        } else {
            out.push(1);
            out.extend_from_slice(value.to_byte_slice());
        }
    }
}

fn numbers<T: ArrowPrimitiveType>(
    out: &mut Vec<u8>,
    array: &PrimitiveArray<T>,
    rows: Range<usize>,
) {
    for row in rows {
        out.push(u8::from(array.is_valid(row)));
        if array.is_valid(row) {
            out.extend_from_slice(array.value(row).to_byte_slice());
        }
    }
}

fn texts<'a>(
    out: &mut Vec<u8>,
    array: &dyn Array,
    rows: Range<usize>,
    value: impl Fn(usize) -> &'a [u8],
) {
    for row in rows {
        out.push(u8::from(array.is_valid(row)));
        if array.is_valid(row) {
            let value = value(row);
            out.extend_from_slice(&(value.len() as u64).to_le_bytes());
            out.extend_from_slice(value);
        }
    }
}

fn lists<O: OffsetSizeTrait>(out: &mut Vec<u8>, array: &dyn Array, rows: Range<usize>) {
    let list = array.as_list::<O>();
    let offsets = list.value_offsets();
    for row in rows {
        out.push(u8::from(list.is_valid(row)));
        if list.is_valid(row) {
            let items = offsets[row].as_usize()..offsets[row + 1].as_usize();
            out.extend_from_slice(&(items.len() as u64).to_le_bytes());
            put_values(out, list.values(), items);
        }
    }
}

/// Returns a value as text; there must be one.
pub(super) fn shown(array: &dyn Array, row: usize) -> String {
    match array.data_type() {
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
        DataType::LargeUtf8 => array.as_string::<i64>().value(row).to_owned(),
        DataType::Binary => format!("{} bytes", array.as_binary::<i32>().value(row).len()),
        DataType::LargeBinary => format!("{} bytes", array.as_binary::<i64>().value(row).len()),
        DataType::List(_) => shown_items(&array.as_list::<i32>().value(row)),
        DataType::LargeList(_) => shown_items(&array.as_list::<i64>().value(row)),
        DataType::FixedSizeList(..) => shown_items(&array.as_fixed_size_list().value(row)),
        _ => downcast_primitive_array!(
            array => format!("{:?}", array.value(row)),
            _ => String::new()
        ),
    }
}

fn shown_items(items: &dyn Array) -> String {
    let word = |row: usize| match items.is_valid(row) {
        true => shown(items, row),
        false => "no value".to_owned(),
    };
    let mut words: Vec<String> = (0..items.len().min(SHOWN_ITEMS)).map(word).collect();
    if items.len() > SHOWN_ITEMS {
        words.push(format!("… ({} in all)", items.len()));
    }
    format!("[{}]", words.join(", "))
}
