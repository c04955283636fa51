//! Arrow arrays as the bytes that a FITS table stores, the inverse of the reading next door.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrowPrimitiveType};
use arrow_schema::DataType;

/// Values as they are stored.
pub(crate) struct Stored {
    /// The letter of their type.
    pub(crate) code: u8,
    /// The bytes of one.
    pub(crate) width: usize,
    /// The values, big-endian.
    pub(crate) bytes: Vec<u8>,
    /// The `TZERO` that makes integers unsigned.
    pub(crate) zero: Option<f64>,
    /// The `TNULL` that means no value, if any value is missing.
    pub(crate) null: Option<i64>,
}

impl Stored {
    /// Returns whether each value is a complex number.
    pub(crate) fn is_complex(&self) -> bool {
        matches!(self.code, b'C' | b'M')
    }
}

/// Integers on their way into a file.
struct Integers {
    code: u8,
    width: usize,
    zero: Option<f64>,
    values: Vec<Option<i64>>,
}

/// Returns values as they are stored, or why they cannot be; `null` is the number that meant "no value" where they came from.
pub(crate) fn stored(array: &dyn Array, null: Option<i64>) -> Result<Stored, String> {
    let of = |code, width, bytes| Stored {
        code,
        width,
        bytes,
        zero: None,
        null: None,
    };
    Ok(match array.data_type() {
        DataType::Boolean => {
            let letters = array.as_boolean().iter().map(|flag| match flag {
                Some(true) => b'T',
                Some(false) => b'F',
                None => 0,
            });
            of(b'L', 1, letters.collect())
        }
        DataType::Float32 => {
            let values = array.as_primitive::<Float32Type>().iter();
            let bytes = values.flat_map(|value| value.unwrap_or(f32::NAN).to_be_bytes());
            of(b'E', 4, bytes.collect())
        }
        DataType::Float64 => {
            let values = array.as_primitive::<Float64Type>().iter();
            let bytes = values.flat_map(|value| value.unwrap_or(f64::NAN).to_be_bytes());
            of(b'D', 8, bytes.collect())
        }
        _ => match integers(array) {
            Some(integers) => integers.stored(null)?,
            None => {
                let kind = array.data_type();
                return Err(format!(
                    "has values of the type {kind}, which FITS tables cannot hold"
                ));
            }
        },
    })
}

fn integers(array: &dyn Array) -> Option<Integers> {
    fn all<T: ArrowPrimitiveType>(
        array: &dyn Array,
        (code, width): (u8, usize),
        zero: Option<f64>,
        change: impl Fn(T::Native) -> i64,
    ) -> Integers {
        let values = array.as_primitive::<T>().iter();
        Integers {
            code,
            width,
            zero,
            values: values.map(|value| value.map(&change)).collect(),
        }
    }
    let (byte, short, int, long) = ((b'B', 1), (b'I', 2), (b'J', 4), (b'K', 8));
    Some(match array.data_type() {
        DataType::UInt8 => all::<UInt8Type>(array, byte, None, i64::from),
        DataType::Int8 => all::<Int8Type>(array, byte, Some(-128.0), |value| {
            i64::from(value as u8 ^ 0x80)
        }),
        DataType::Int16 => all::<Int16Type>(array, short, None, i64::from),
        DataType::UInt16 => all::<UInt16Type>(array, short, Some(32_768.0), |value| {
            i64::from((value ^ 0x8000) as i16)
        }),
        DataType::Int32 => all::<Int32Type>(array, int, None, i64::from),
        DataType::UInt32 => all::<UInt32Type>(array, int, Some(2_147_483_648.0), |value| {
            i64::from((value ^ 0x8000_0000) as i32)
        }),
        DataType::Int64 => all::<Int64Type>(array, long, None, |value| value),
        DataType::UInt64 => {
            let zero = Some(9_223_372_036_854_775_808.0);
            all::<UInt64Type>(array, long, zero, |value| (value ^ 1 << 63) as i64)
        }
        _ => return None,
    })
}

impl Integers {
    fn stored(self, null: Option<i64>) -> Result<Stored, String> {
        let missing = self.values.iter().any(Option::is_none);
        let null = if missing {
            Some(self.free_number(null)?)
        } else {
            None
        };
        let mut bytes = Vec::with_capacity(self.values.len() * self.width);
        for value in &self.values {
            let number = value.or(null).unwrap_or_default().to_be_bytes();
            bytes.extend_from_slice(&number[8 - self.width..]);
        }
        Ok(Stored {
            code: self.code,
            width: self.width,
            bytes,
            zero: self.zero,
            null,
        })
    }

    /// Returns a number that no value has: the one given, else one from the ends of the range.
    fn free_number(&self, given: Option<i64>) -> Result<i64, String> {
        let (least, most) = match self.width {
            1 => (0, 255),
            2 => (i64::from(i16::MIN), i64::from(i16::MAX)),
            4 => (i64::from(i32::MIN), i64::from(i32::MAX)),
            _ => (i64::MIN, i64::MAX),
        };
        let taken: std::collections::HashSet<i64> = self.values.iter().flatten().copied().collect();
        let given = given.filter(|number| (least..=most).contains(number));
        let mut candidates = given.into_iter().chain([least, most]).chain(least..=most);
        candidates
            .find(|number| !taken.contains(number))
            .ok_or_else(|| {
                "uses all numbers of its type, so that none is left to mean no value".to_owned()
            })
    }
}

/// Returns texts in fields of one width, filled up with zero bytes as astropy does, or why they cannot be stored.
pub(crate) fn stored_texts(array: &dyn Array) -> Result<(usize, Vec<u8>), String> {
    let text = |row: usize| -> &str {
        match array.data_type() {
            DataType::LargeUtf8 => array.as_string::<i64>().value(row),
            _ => array.as_string::<i32>().value(row),
        }
    };
    let mut width = 1;
    for row in 0..array.len() {
        if array.is_null(row) {
            return Err(format!(
                "has no value in row {row}, and FITS has no text without a value"
            ));
        }
        let text = text(row);
        if !text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Err(format!("has letters in row {row} that FITS cannot hold"));
        }
        if text.ends_with(' ') {
            return Err(format!(
                "ends in a blank in row {row}, which FITS does not keep"
            ));
        }
        width = width.max(text.len());
    }
    let mut bytes = Vec::with_capacity(array.len().saturating_mul(width));
    for row in 0..array.len() {
        bytes.extend_from_slice(text(row).as_bytes());
        bytes.resize((row + 1) * width, 0);
    }
    Ok((width, bytes))
}
