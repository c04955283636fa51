//! Sums and differences of pixels, in the type of the pixels that an operation changes.

use crate::pixel_buffer::filled;
use crate::pixels::{PixelType, Pixels};

use super::Operation;

/// Returns the pixels in another type, if it holds all their values.
pub(super) fn converted(pixels: &Pixels, wanted: PixelType) -> Option<Pixels> {
    if pixels.pixel_type() == wanted {
        return Some(pixels.clone());
    }
    macro_rules! widened {
        ($values:expr, $to:ty) => {
            Some(Pixels::from(filled($values.len(), |wide: &mut [$to]| {
                for (wide, narrow) in wide.iter_mut().zip($values.iter()) {
                    *wide = <$to>::from(*narrow);
                }
            })))
        };
    }
    match (pixels, wanted) {
        (Pixels::F32(values), PixelType::F64) => widened!(values, f64),
        (Pixels::U8(values), PixelType::I16) => widened!(values, i16),
        (Pixels::U8(values), PixelType::U16) => widened!(values, u16),
        (Pixels::U8(values), PixelType::I32) => widened!(values, i32),
        (Pixels::U8(values), PixelType::F32) => widened!(values, f32),
        (Pixels::U8(values), PixelType::F64) => widened!(values, f64),
        (Pixels::I16(values), PixelType::I32) => widened!(values, i32),
        (Pixels::I16(values), PixelType::F32) => widened!(values, f32),
        (Pixels::I16(values), PixelType::F64) => widened!(values, f64),
        (Pixels::U16(values), PixelType::I32) => widened!(values, i32),
        (Pixels::U16(values), PixelType::F32) => widened!(values, f32),
        (Pixels::U16(values), PixelType::F64) => widened!(values, f64),
        (Pixels::I32(values), PixelType::I64) => widened!(values, i64),
        (Pixels::I32(values), PixelType::F64) => widened!(values, f64),
        (Pixels::U32(values), PixelType::F64) => widened!(values, f64),
        _ => None,
    }
}

/// Adds or subtracts pixels of one type; the error is the first pixel whose result does not fit.
pub(super) fn combined(
    operation: Operation,
    base: &Pixels,
    delta: &Pixels,
) -> Result<Pixels, usize> {
    let subtract = operation == Operation::Subtract;
    macro_rules! floats {
        ($a:expr, $b:expr) => {
            Ok(Pixels::from(filled($a.len(), |out| {
                for (out, (a, b)) in out.iter_mut().zip($a.iter().zip($b.iter())) {
                    *out = if subtract { a - b } else { a + b };
                }
            })))
        };
    }
    macro_rules! integers {
        ($a:expr, $b:expr) => {{
            let mut overflow = None;
            let pixels = filled($a.len(), |out| {
                for (index, (out, (a, b))) in
                    out.iter_mut().zip($a.iter().zip($b.iter())).enumerate()
                {
                    let result = if subtract {
                        a.checked_sub(*b)
                    } else {
                        a.checked_add(*b)
                    };
                    match result {
                        Some(result) => *out = result,
                        None => {
                            overflow.get_or_insert(index);
                        }
                    }
                }
            });
            match overflow {
                None => Ok(Pixels::from(pixels)),
                Some(index) => Err(index),
            }
        }};
    }
    match (base, delta) {
        (Pixels::F32(a), Pixels::F32(b)) => floats!(a, b),
        (Pixels::F64(a), Pixels::F64(b)) => floats!(a, b),
        (Pixels::U8(a), Pixels::U8(b)) => integers!(a, b),
        (Pixels::I8(a), Pixels::I8(b)) => integers!(a, b),
        (Pixels::U16(a), Pixels::U16(b)) => integers!(a, b),
        (Pixels::I16(a), Pixels::I16(b)) => integers!(a, b),
        (Pixels::U32(a), Pixels::U32(b)) => integers!(a, b),
        (Pixels::I32(a), Pixels::I32(b)) => integers!(a, b),
        (Pixels::U64(a), Pixels::U64(b)) => integers!(a, b),
        (Pixels::I64(a), Pixels::I64(b)) => integers!(a, b),
        // Both are of one type when this is called.
        _ => Err(0),
    }
}
