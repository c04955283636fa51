//! Pixels as a file stores them, and what `BSCALE`, `BZERO` and `BLANK` make of them.
//!
//! The rules are astropy's: `BZERO` of half the range means unsigned integers, and they stay integers; everything else is
//! computed in 32-bit floats for 8- and 16-bit integers and in 64-bit floats for wider ones. Masks are read without
//! `BLANK`, because a mask with holes is no mask.

use pantler_core::FormatError;
use pantler_objects::pixel_buffer::Number;
use pantler_objects::{PixelBuffer, Pixels};

use super::card::integer_of;
use super::place::Place;
use super::structure::Hdu;

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

    /// Has stored numbers decoded into what they mean.
    ///
    /// The decoder is told the type of the stored numbers and what to make of each, so that it does both in one pass.
    pub(crate) fn decode(
        self,
        bitpix: i64,
        place: &Place,
        decoder: impl Decoder,
    ) -> Result<Pixels, FormatError> {
        let as_is = self.scale == 1.0 && self.blank.is_none();
        let shifted = |zero: f64| as_is && self.zero == zero;
        let (scale, zero) = (self.scale as f32, self.zero as f32);
        Ok(match bitpix {
            8 if shifted(0.0) => decoder.decode(|pixel: u8| pixel)?.into(),
            8 if shifted(-128.0) => decoder.decode(|pixel: u8| (pixel ^ 0x80) as i8)?.into(),
            8 => decoder.decode(self.narrow::<u8>())?.into(),
            16 if shifted(0.0) => decoder.decode(|pixel: i16| pixel)?.into(),
            16 if shifted(32768.0) => decoder.decode(|pixel: i16| pixel as u16 ^ 0x8000)?.into(),
            16 => decoder.decode(self.narrow::<i16>())?.into(),
            32 if shifted(0.0) => decoder.decode(|pixel: i32| pixel)?.into(),
            32 if shifted(2_147_483_648.0) => {
                let unsigned = |pixel: i32| pixel as u32 ^ 0x8000_0000;
                decoder.decode(unsigned)?.into()
            }
            32 => decoder
                .decode(self.wide(|pixel: i32| f64::from(pixel)))?
                .into(),
            64 if shifted(0.0) => decoder.decode(|pixel: i64| pixel)?.into(),
            64 if shifted(9_223_372_036_854_775_808.0) => decoder
                .decode(|pixel: i64| pixel as u64 ^ (1 << 63))?
                .into(),
            64 => decoder.decode(self.wide(|pixel: i64| pixel as f64))?.into(),
            -32 if shifted(0.0) => decoder.decode(|pixel: f32| pixel)?.into(),
            -32 => decoder.decode(|pixel: f32| pixel * scale + zero)?.into(),
            -64 if shifted(0.0) => decoder.decode(|pixel: f64| pixel)?.into(),
            -64 => decoder
                .decode(|pixel: f64| pixel * self.scale + self.zero)?
                .into(),
            other => {
                return Err(place.corrupt(format!("BITPIX is {other}, which is no pixel type")));
            }
        })
    }

    fn narrow<T: Copy + Into<i64> + Into<f32>>(self) -> impl Fn(T) -> f32 + Sync {
        let (scale, zero) = (self.scale as f32, self.zero as f32);
        move |pixel| match self.blank {
            Some(blank) if Into::<i64>::into(pixel) == blank => f32::NAN,
            _ => Into::<f32>::into(pixel) * scale + zero,
        }
    }

    fn wide<T: Copy + Into<i64>>(
        self,
        float: impl Fn(T) -> f64 + Sync,
    ) -> impl Fn(T) -> f64 + Sync {
        move |pixel| match self.blank {
            Some(blank) if pixel.into() == blank => f64::NAN,
            _ => float(pixel) * self.scale + self.zero,
        }
    }
}

/// A way to decode stored numbers of one type, told what to make of each.
pub(crate) trait Decoder {
    /// Decodes numbers of type `T` and makes a buffer of what `change` makes of them.
    fn decode<T: StoredPixel, U: Number>(
        self,
        change: impl Fn(T) -> U + Sync,
    ) -> Result<PixelBuffer<U>, FormatError>;
}

/// A type of number that files store pixels in.
pub(crate) trait StoredPixel: Number {
    /// Whether it is a floating-point number.
    const FLOATS: bool;

    /// Reads big-endian numbers, and writes what `change` makes of each; the shorter of both sides ends it.
    fn convert<U>(bytes: &[u8], out: &mut [U], change: impl Fn(Self) -> U);

    /// Reads numbers of which all first bytes come first, then all second bytes, and so on (`GZIP_2`).
    ///
    /// `bytes` has to be as long as `out` numbers are.
    fn unshuffle(bytes: &[u8], out: &mut [Self]);

    /// Makes one of an integer; what does not fit is cut off.
    fn from_integer(number: i32) -> Self;

    /// Makes one of a computed number.
    fn from_float(number: f64) -> Self;

    /// Returns the pixels if they are of this type.
    fn of(pixels: &Pixels) -> Option<&[Self]>;
}

macro_rules! stored_pixel {
    ($($type:ty, $variant:ident, $floats:literal, [$($byte:literal),*];)*) => {$(
        impl StoredPixel for $type {
            const FLOATS: bool = $floats;

            #[inline]
            fn convert<U>(bytes: &[u8], out: &mut [U], change: impl Fn(Self) -> U) {
                let (cells, _) = bytes.as_chunks();
                for (value, &cell) in out.iter_mut().zip(cells) {
                    *value = change(<$type>::from_be_bytes(cell));
                }
            }

            #[inline]
            fn unshuffle(bytes: &[u8], out: &mut [Self]) {
                let length = out.len();
                // Slices of one length, so that one check serves the whole loop.
                let planes = [$(bytes.get($byte * length..($byte + 1) * length).unwrap_or_default()),*];
                if planes.iter().any(|plane| plane.len() < length) {
                    return;
                }
                for (n, value) in out.iter_mut().enumerate() {
                    *value = <$type>::from_be_bytes([$(planes[$byte][n]),*]);
                }
            }

            #[inline]
            fn from_integer(number: i32) -> Self {
                number as $type
            }

            #[inline]
            fn from_float(number: f64) -> Self {
                number as $type
            }

            fn of(pixels: &Pixels) -> Option<&[Self]> {
                match pixels {
                    Pixels::$variant(pixels) => Some(pixels),
                    _ => None,
                }
            }
        }
    )*};
}

stored_pixel! {
    u8, U8, false, [0];
    i16, I16, false, [0, 1];
    i32, I32, false, [0, 1, 2, 3];
    i64, I64, false, [0, 1, 2, 3, 4, 5, 6, 7];
    f32, F32, true, [0, 1, 2, 3];
    f64, F64, true, [0, 1, 2, 3, 4, 5, 6, 7];
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
