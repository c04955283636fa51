//! Stored values of table columns as Arrow arrays: numbers, flags and text, one after the other.
//!
//! Used by the reader of binary tables for columns of scalars, of fixed arrays and of lists alike. `TNULL` means no value;
//! `TZERO` of half the range means unsigned integers, and they stay integers; any other scaling is computed in 64-bit floats,
//! as astropy does.

use std::sync::Arc;

use arrow_array::builder::GenericStringBuilder;
use arrow_array::types::{
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{ArrayRef, ArrowPrimitiveType, BooleanArray, OffsetSizeTrait, PrimitiveArray};
use arrow_buffer::NullBuffer;
use pantler_core::FormatError;

use super::place::Place;
use super::table_columns::Scale;

/// What a column's stored elements are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Elements {
    /// The letter of their type.
    pub(crate) code: u8,
    /// What the numbers mean.
    pub(crate) scale: Scale,
    /// The number that means "no value".
    pub(crate) null: Option<i64>,
}

impl Elements {
    /// Returns how many numbers one element is: two for a complex number.
    pub(crate) fn numbers(self) -> u64 {
        if self.is_complex() { 2 } else { 1 }
    }

    /// Returns whether each element is a complex number.
    pub(crate) fn is_complex(self) -> bool {
        matches!(self.code, b'C' | b'M')
    }

    /// Returns the elements in big-endian bytes as an array; bytes that make no whole element are left out.
    pub(crate) fn decode(self, bytes: &[u8], place: &Place) -> Result<ArrayRef, FormatError> {
        if self.is_complex() && !self.scale.is_none() {
            return Err(
                place.unsupported("columns of complex numbers with TSCAL or TZERO are not read")
            );
        }
        Ok(match self.code {
            b'L' => Arc::new(
                bytes
                    .iter()
                    .map(|&byte| logical(byte))
                    .collect::<BooleanArray>(),
            ),
            b'B' if self.scale.shifts_by(-128.0) => {
                self.whole::<Int8Type, 1>(bytes, |[b]| (b ^ 0x80) as i8, |[b]| i64::from(b))
            }
            b'B' => self.numeric::<UInt8Type, 1>(bytes, |[b]| b, |[b]| i64::from(b)),
            b'I' if self.scale.shifts_by(32_768.0) => self.whole::<UInt16Type, 2>(
                bytes,
                |b| u16::from_be_bytes(b) ^ 0x8000,
                |b| i64::from(i16::from_be_bytes(b)),
            ),
            b'I' => self.numeric::<Int16Type, 2>(bytes, i16::from_be_bytes, |b| {
                i64::from(i16::from_be_bytes(b))
            }),
            b'J' if self.scale.shifts_by(2_147_483_648.0) => self.whole::<UInt32Type, 4>(
                bytes,
                |b| u32::from_be_bytes(b) ^ 0x8000_0000,
                |b| i64::from(i32::from_be_bytes(b)),
            ),
            b'J' => self.numeric::<Int32Type, 4>(bytes, i32::from_be_bytes, |b| {
                i64::from(i32::from_be_bytes(b))
            }),
            b'K' if self.scale.shifts_by(9_223_372_036_854_775_808.0) => self
                .whole::<UInt64Type, 8>(
                    bytes,
                    |b| u64::from_be_bytes(b) ^ 1 << 63,
                    i64::from_be_bytes,
                ),
            b'K' => self.numeric::<Int64Type, 8>(bytes, i64::from_be_bytes, i64::from_be_bytes),
            b'E' | b'C' => self.real::<Float32Type, 4>(bytes, f32::from_be_bytes, |b| {
                f64::from(f32::from_be_bytes(b))
            }),
            b'D' | b'M' => {
                self.real::<Float64Type, 8>(bytes, f64::from_be_bytes, f64::from_be_bytes)
            }
            other => {
                let letter = char::from(other);
                return Err(place.corrupt(format!("a column has the type {letter}, which is none")));
            }
        })
    }

    /// Decodes integers that are the values, or are scaled.
    fn numeric<T: ArrowPrimitiveType, const N: usize>(
        self,
        bytes: &[u8],
        value: impl Fn([u8; N]) -> T::Native,
        stored: impl Fn([u8; N]) -> i64,
    ) -> ArrayRef {
        if self.scale.is_none() {
            return self.whole::<T, N>(bytes, value, stored);
        }
        self.whole::<Float64Type, N>(bytes, |b| self.scale.apply(stored(b) as f64), &stored)
    }

    fn whole<T: ArrowPrimitiveType, const N: usize>(
        self,
        bytes: &[u8],
        value: impl Fn([u8; N]) -> T::Native,
        stored: impl Fn([u8; N]) -> i64,
    ) -> ArrayRef {
        let (elements, _) = bytes.as_chunks::<N>();
        let values: Vec<T::Native> = elements.iter().map(|&bytes| value(bytes)).collect();
        let nulls = self.null.map(|null| {
            let valid = elements.iter().map(|&bytes| stored(bytes) != null);
            valid.collect::<NullBuffer>()
        });
        let nulls = nulls.filter(|nulls| nulls.null_count() > 0);
        Arc::new(PrimitiveArray::<T>::new(values.into(), nulls))
    }

    fn real<T: ArrowPrimitiveType, const N: usize>(
        self,
        bytes: &[u8],
        value: impl Fn([u8; N]) -> T::Native,
        wide: impl Fn([u8; N]) -> f64,
    ) -> ArrayRef {
        let (elements, _) = bytes.as_chunks::<N>();
        if self.scale.is_none() {
            let values: Vec<T::Native> = elements.iter().map(|&bytes| value(bytes)).collect();
            return Arc::new(PrimitiveArray::<T>::new(values.into(), None));
        }
        let values: Vec<f64> = elements
            .iter()
            .map(|&bytes| self.scale.apply(wide(bytes)))
            .collect();
        Arc::new(PrimitiveArray::<Float64Type>::new(values.into(), None))
    }
}

fn logical(byte: u8) -> Option<bool> {
    (byte != 0).then_some(byte == b'T')
}

/// Returns the bit of a packed column; the first one is the highest of the first byte.
pub(crate) fn bit(bytes: &[u8], number: usize) -> bool {
    bytes
        .get(number / 8)
        .is_some_and(|byte| byte & (0x80 >> (number % 8)) != 0)
}

/// Returns fields of text as an array, without what fills them up.
pub(crate) fn texts<'a>(
    fields: impl Iterator<Item = &'a [u8]>,
    rows: usize,
    bytes: usize,
) -> ArrayRef {
    // A byte that is not ASCII takes two in UTF-8.
    if bytes.saturating_mul(2) < i32::MAX as usize {
        all_texts::<i32>(fields, rows, bytes)
    } else {
        all_texts::<i64>(fields, rows, bytes)
    }
}

fn all_texts<'a, O: OffsetSizeTrait>(
    fields: impl Iterator<Item = &'a [u8]>,
    rows: usize,
    bytes: usize,
) -> ArrayRef {
    let mut builder = GenericStringBuilder::<O>::with_capacity(rows, bytes);
    for field in fields {
        let end = field.iter().position(|&byte| byte == 0);
        let field = field[..end.unwrap_or(field.len())].trim_ascii_end();
        match std::str::from_utf8(field) {
            Ok(text) => builder.append_value(text),
            // FITS knows ASCII only; what is neither that nor UTF-8 is taken for Latin-1.
            Err(_) => builder.append_value(latin(field)),
        }
    }
    Arc::new(builder.finish())
}

fn latin(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}
