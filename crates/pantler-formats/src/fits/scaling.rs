//! Pixels as a file stores them, and what `BSCALE`, `BZERO` and `BLANK` make of them.
//!
//! The rules are astropy's: `BZERO` of half the range means unsigned integers, and they stay integers; everything else is
//! computed in 32-bit floats for 8- and 16-bit integers and in 64-bit floats for wider ones. Masks are read without
//! `BLANK`, because a mask with holes is no mask.

use pantler_core::FormatError;
use pantler_objects::Pixels;

use super::card::integer_of;
use super::place::Place;
use super::structure::Hdu;

/// Reads big-endian pixels; bytes that make no whole pixel are left out.
pub(crate) fn from_bytes(bitpix: i64, bytes: &[u8], place: &Place) -> Result<Pixels, FormatError> {
    fn all<const N: usize, T>(bytes: &[u8], read: impl Fn([u8; N]) -> T) -> Vec<T> {
        let (pixels, _) = bytes.as_chunks::<N>();
        pixels.iter().map(|&pixel| read(pixel)).collect()
    }
    Ok(match bitpix {
        8 => bytes.to_vec().into(),
        16 => all(bytes, i16::from_be_bytes).into(),
        32 => all(bytes, i32::from_be_bytes).into(),
        64 => all(bytes, i64::from_be_bytes).into(),
        -32 => all(bytes, f32::from_be_bytes).into(),
        -64 => all(bytes, f64::from_be_bytes).into(),
        other => return Err(place.corrupt(format!("BITPIX is {other}, which is no pixel type"))),
    })
}

/// What a header says that the stored numbers mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scaling {
    scale: f64,
    zero: f64,
    blank: Option<i64>,
}

impl Scaling {
    /// Reads the scaling of an image.
    pub(crate) fn of(hdu: &Hdu) -> Scaling {
        let number = |keyword: &str, default: f64| {
            hdu.cards
                .get_f64(keyword)
                .filter(|number| number.is_finite())
                .unwrap_or(default)
        };
        let integers = hdu.shape.axes().is_some_and(|(bitpix, _)| bitpix > 0);
        let blank = integer_of(&hdu.cards, "BLANK").or_else(|| integer_of(&hdu.cards, "ZBLANK"));
        Scaling {
            scale: number("BSCALE", 1.0),
            zero: number("BZERO", 0.0),
            blank: blank.filter(|_| integers),
        }
    }

    /// Returns the same scaling without a value that means "no value": masks are integers throughout.
    pub(crate) fn without_blank(self) -> Scaling {
        Scaling {
            blank: None,
            ..self
        }
    }

    /// Returns what the stored numbers mean.
    pub(crate) fn apply(self, stored: Pixels) -> Pixels {
        if self.scale == 1.0 && self.blank.is_none() {
            match &stored {
                Pixels::U8(pixels) if self.zero == -128.0 => {
                    return map(pixels, |pixel| (pixel ^ 0x80) as i8).into();
                }
                Pixels::I16(pixels) if self.zero == 32768.0 => {
                    return map(pixels, |pixel| pixel as u16 ^ 0x8000).into();
                }
                Pixels::I32(pixels) if self.zero == 2_147_483_648.0 => {
                    return map(pixels, |pixel| pixel as u32 ^ 0x8000_0000).into();
                }
                Pixels::I64(pixels) if self.zero == 9_223_372_036_854_775_808.0 => {
                    return map(pixels, |pixel| pixel as u64 ^ (1 << 63)).into();
                }
                _ if self.zero == 0.0 => return stored,
                _ => {}
            }
        }
        self.compute(stored)
    }

    fn compute(self, stored: Pixels) -> Pixels {
        match &stored {
            Pixels::U8(pixels) => self.narrow(pixels),
            Pixels::I16(pixels) => self.narrow(pixels),
            Pixels::I32(pixels) => self.wide(pixels, f64::from),
            Pixels::I64(pixels) => self.wide(pixels, |pixel| pixel as f64),
            Pixels::F32(pixels) => {
                let (scale, zero) = (self.scale as f32, self.zero as f32);
                map(pixels, |pixel| pixel * scale + zero).into()
            }
            Pixels::F64(pixels) => map(pixels, |pixel| pixel * self.scale + self.zero).into(),
            _ => stored,
        }
    }

    fn narrow<T: Copy + Into<i64> + Into<f32>>(self, pixels: &[T]) -> Pixels {
        let (scale, zero) = (self.scale as f32, self.zero as f32);
        map(pixels, |pixel| match self.blank {
            Some(blank) if Into::<i64>::into(pixel) == blank => f32::NAN,
            _ => Into::<f32>::into(pixel) * scale + zero,
        })
        .into()
    }

    fn wide<T: Copy + Into<i64>>(self, pixels: &[T], float: impl Fn(T) -> f64) -> Pixels {
        map(pixels, |pixel| match self.blank {
            Some(blank) if Into::<i64>::into(pixel) == blank => f64::NAN,
            _ => float(pixel) * self.scale + self.zero,
        })
        .into()
    }
}

fn map<T: Copy, U>(pixels: &[T], change: impl Fn(T) -> U) -> Vec<U> {
    pixels.iter().map(|&pixel| change(pixel)).collect()
}

/// Returns the pixels as big-endian bytes, with `BITPIX` and the `BZERO` that makes integers unsigned.
pub(crate) fn to_bytes(pixels: &Pixels) -> (i64, Option<f64>, Vec<u8>) {
    fn all<T: Copy, const N: usize>(pixels: &[T], write: impl Fn(T) -> [u8; N]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(size_of_val(pixels));
        for &pixel in pixels {
            bytes.extend_from_slice(&write(pixel));
        }
        bytes
    }
    match pixels {
        Pixels::U8(pixels) => (8, None, pixels.to_vec()),
        Pixels::I8(pixels) => (8, Some(-128.0), all(pixels, |pixel| [pixel as u8 ^ 0x80])),
        Pixels::U16(pixels) => (
            16,
            Some(32768.0),
            all(pixels, |pixel| (pixel ^ 0x8000).to_be_bytes()),
        ),
        Pixels::I16(pixels) => (16, None, all(pixels, i16::to_be_bytes)),
        Pixels::U32(pixels) => {
            let zero = 2_147_483_648.0;
            (
                32,
                Some(zero),
                all(pixels, |pixel| (pixel ^ 0x8000_0000).to_be_bytes()),
            )
        }
        Pixels::I32(pixels) => (32, None, all(pixels, i32::to_be_bytes)),
        Pixels::U64(pixels) => {
            let zero = 9_223_372_036_854_775_808.0;
            (
                64,
                Some(zero),
                all(pixels, |pixel| (pixel ^ 1 << 63).to_be_bytes()),
            )
        }
        Pixels::I64(pixels) => (64, None, all(pixels, i64::to_be_bytes)),
        Pixels::F32(pixels) => (-32, None, all(pixels, f32::to_be_bytes)),
        Pixels::F64(pixels) => (-64, None, all(pixels, f64::to_be_bytes)),
    }
}
