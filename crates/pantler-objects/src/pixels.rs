//! The numbers of an image, in one of the types that files have, row by row in one shared buffer.

use std::fmt;

use crate::pixel_buffer::Number;
use pantler_core::Hasher;

use crate::pixel_buffer::{PixelBuffer, aligned, filled};

/// The type of a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PixelType {
    /// Unsigned, 8 bits.
    U8,
    /// Signed, 8 bits.
    I8,
    /// Unsigned, 16 bits.
    U16,
    /// Signed, 16 bits.
    I16,
    /// Unsigned, 32 bits.
    U32,
    /// Signed, 32 bits.
    I32,
    /// Unsigned, 64 bits.
    U64,
    /// Signed, 64 bits.
    I64,
    /// Floating-point, 32 bits.
    F32,
    /// Floating-point, 64 bits.
    F64,
}

impl fmt::Display for PixelType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            PixelType::U8 => "uint8",
            PixelType::I8 => "int8",
            PixelType::U16 => "uint16",
            PixelType::I16 => "int16",
            PixelType::U32 => "uint32",
            PixelType::I32 => "int32",
            PixelType::U64 => "uint64",
            PixelType::I64 => "int64",
            PixelType::F32 => "float32",
            PixelType::F64 => "float64",
        })
    }
}

/// Pixels in row-major order, the first at a multiple of [`crate::pixel_buffer::ALIGNMENT`] bytes.
///
/// A buffer is shared by all copies and never changed.
#[derive(Debug, Clone)]
pub enum Pixels {
    /// Unsigned, 8 bits.
    U8(PixelBuffer<u8>),
    /// Signed, 8 bits.
    I8(PixelBuffer<i8>),
    /// Unsigned, 16 bits.
    U16(PixelBuffer<u16>),
    /// Signed, 16 bits.
    I16(PixelBuffer<i16>),
    /// Unsigned, 32 bits.
    U32(PixelBuffer<u32>),
    /// Signed, 32 bits.
    I32(PixelBuffer<i32>),
    /// Unsigned, 64 bits.
    U64(PixelBuffer<u64>),
    /// Signed, 64 bits.
    I64(PixelBuffer<i64>),
    /// Floating-point, 32 bits.
    F32(PixelBuffer<f32>),
    /// Floating-point, 64 bits.
    F64(PixelBuffer<f64>),
}

/// Runs `$body` with `$values` bound to the buffer, whatever its type.
macro_rules! each_type {
    ($pixels:expr, $values:ident => $body:expr) => {
        match $pixels {
            Pixels::U8($values) => $body,
            Pixels::I8($values) => $body,
            Pixels::U16($values) => $body,
            Pixels::I16($values) => $body,
            Pixels::U32($values) => $body,
            Pixels::I32($values) => $body,
            Pixels::U64($values) => $body,
            Pixels::I64($values) => $body,
            Pixels::F32($values) => $body,
            Pixels::F64($values) => $body,
        }
    };
}

/// A number that pixels are made of.
pub(crate) trait Pixel: Number + PartialEq + fmt::Debug {
    /// The same number of bytes, little-endian.
    type Bytes: AsRef<[u8]> + PartialEq;

    fn little_endian(self) -> Self::Bytes;

    fn to_f64(self) -> f64;

    fn wrap(values: PixelBuffer<Self>) -> Pixels;
}

macro_rules! pixel {
    ($type:ty, $variant:ident) => {
        impl Pixel for $type {
            type Bytes = [u8; size_of::<$type>()];

            fn little_endian(self) -> Self::Bytes {
                self.to_le_bytes()
            }

            fn to_f64(self) -> f64 {
                self as f64
            }

            fn wrap(values: PixelBuffer<Self>) -> Pixels {
                Pixels::$variant(values)
            }
        }

        impl From<Vec<$type>> for Pixels {
            fn from(values: Vec<$type>) -> Pixels {
                Pixels::$variant(aligned(values))
            }
        }

        impl From<PixelBuffer<$type>> for Pixels {
            fn from(values: PixelBuffer<$type>) -> Pixels {
                Pixels::$variant(values)
            }
        }
    };
}

pixel!(u8, U8);
pixel!(i8, I8);
pixel!(u16, U16);
pixel!(i16, I16);
pixel!(u32, U32);
pixel!(i32, I32);
pixel!(u64, U64);
pixel!(i64, I64);
pixel!(f32, F32);
pixel!(f64, F64);

/// What the finite pixels of an image are like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Statistics {
    /// The number of finite pixels.
    pub count: u64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// The mean.
    pub mean: f64,
}

impl Pixels {
    /// Returns the number of pixels.
    pub fn len(&self) -> usize {
        each_type!(self, values => values.len())
    }

    /// Says whether there is no pixel.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the type of the pixels.
    pub fn pixel_type(&self) -> PixelType {
        match self {
            Pixels::U8(_) => PixelType::U8,
            Pixels::I8(_) => PixelType::I8,
            Pixels::U16(_) => PixelType::U16,
            Pixels::I16(_) => PixelType::I16,
            Pixels::U32(_) => PixelType::U32,
            Pixels::I32(_) => PixelType::I32,
            Pixels::U64(_) => PixelType::U64,
            Pixels::I64(_) => PixelType::I64,
            Pixels::F32(_) => PixelType::F32,
            Pixels::F64(_) => PixelType::F64,
        }
    }

    /// Returns one pixel as a floating-point number, rounded where it has more than 53 bits.
    pub fn get_f64(&self, index: usize) -> Option<f64> {
        each_type!(self, values => values.get(index).map(|value| value.to_f64()))
    }

    /// Returns the number of bytes that the pixels take.
    pub fn memory(&self) -> u64 {
        each_type!(self, values => size_of_val(&**values) as u64)
    }

    /// Says whether both are the same buffer.
    pub fn shares_buffer(&self, other: &Pixels) -> bool {
        match (self, other) {
            (Pixels::U8(a), Pixels::U8(b)) => a.ptr_eq(b),
            (Pixels::I8(a), Pixels::I8(b)) => a.ptr_eq(b),
            (Pixels::U16(a), Pixels::U16(b)) => a.ptr_eq(b),
            (Pixels::I16(a), Pixels::I16(b)) => a.ptr_eq(b),
            (Pixels::U32(a), Pixels::U32(b)) => a.ptr_eq(b),
            (Pixels::I32(a), Pixels::I32(b)) => a.ptr_eq(b),
            (Pixels::U64(a), Pixels::U64(b)) => a.ptr_eq(b),
            (Pixels::I64(a), Pixels::I64(b)) => a.ptr_eq(b),
            (Pixels::F32(a), Pixels::F32(b)) => a.ptr_eq(b),
            (Pixels::F64(a), Pixels::F64(b)) => a.ptr_eq(b),
            _ => false,
        }
    }

    /// Returns what the finite pixels are like; `None` if there is none.
    pub fn statistics(&self) -> Option<Statistics> {
        each_type!(self, values => statistics(values))
    }

    /// Returns the first pixel whose bits differ, with both values in words; pixels of two types differ from the first on.
    pub(crate) fn first_difference(&self, other: &Pixels) -> Option<(usize, String)> {
        if self.shares_buffer(other) {
            return None;
        }
        match (self, other) {
            (Pixels::U8(a), Pixels::U8(b)) => first_difference(a, b),
            (Pixels::I8(a), Pixels::I8(b)) => first_difference(a, b),
            (Pixels::U16(a), Pixels::U16(b)) => first_difference(a, b),
            (Pixels::I16(a), Pixels::I16(b)) => first_difference(a, b),
            (Pixels::U32(a), Pixels::U32(b)) => first_difference(a, b),
            (Pixels::I32(a), Pixels::I32(b)) => first_difference(a, b),
            (Pixels::U64(a), Pixels::U64(b)) => first_difference(a, b),
            (Pixels::I64(a), Pixels::I64(b)) => first_difference(a, b),
            (Pixels::F32(a), Pixels::F32(b)) => first_difference(a, b),
            (Pixels::F64(a), Pixels::F64(b)) => first_difference(a, b),
            _ => Some((
                0,
                format!("{} and {}", self.pixel_type(), other.pixel_type()),
            )),
        }
    }

    /// Adds type and values.
    pub(crate) fn add_values(&self, hasher: &mut Hasher) {
        hasher.field(self.pixel_type().to_string().as_bytes());
        each_type!(self, values => add_pixels(hasher, values));
    }

    /// Returns the pixels of a rectangle, which must lie inside.
    pub(crate) fn section(&self, row: usize, x: usize, y: usize, size: (usize, usize)) -> Pixels {
        each_type!(self, values => Pixel::wrap(section(values, row, x, y, size)))
    }
}

/// Returns the rectangle of `size` (width, height) at (`x`, `y`) out of rows of `row` values.
pub(crate) fn section<T: Number>(
    values: &[T],
    row: usize,
    x: usize,
    y: usize,
    (width, height): (usize, usize),
) -> PixelBuffer<T> {
    filled(width * height, |cut| {
        for (line, copy) in (y..).zip(cut.chunks_exact_mut(width.max(1))) {
            let start = line * row + x;
            copy.copy_from_slice(&values[start..start + width]);
        }
    })
}

/// Adds the bytes of pixels, little-endian, in pieces that fit the processor's cache.
pub(crate) fn add_pixels<T: Pixel>(hasher: &mut Hasher, values: &[T]) {
    hasher.update(&(values.len() as u64).to_le_bytes());
    let mut buffer = Vec::with_capacity(8192 * size_of::<T>());
    for chunk in values.chunks(8192) {
        buffer.clear();
        for value in chunk {
            buffer.extend_from_slice(value.little_endian().as_ref());
        }
        hasher.update(&buffer);
    }
}

/// Returns the first index at which the bits differ, with both values in words.
pub(crate) fn first_difference<T: Pixel>(mine: &[T], other: &[T]) -> Option<(usize, String)> {
    let pairs = mine.iter().zip(other);
    let index = pairs
        .into_iter()
        .position(|(a, b)| a.little_endian() != b.little_endian())?;
    Some((index, format!("{:?} and {:?}", mine[index], other[index])))
}

fn statistics<T: Pixel>(values: &[T]) -> Option<Statistics> {
    let mut found: Option<Statistics> = None;
    let mut sum = 0.0;
    for value in values
        .iter()
        .map(|value| value.to_f64())
        .filter(|value| value.is_finite())
    {
        let so_far = found.get_or_insert(Statistics {
            count: 0,
            min: value,
            max: value,
            mean: 0.0,
        });
        so_far.count += 1;
        so_far.min = so_far.min.min(value);
        so_far.max = so_far.max.max(value);
        sum += value;
    }
    found.map(|all| Statistics {
        mean: sum / all.count as f64,
        ..all
    })
}
