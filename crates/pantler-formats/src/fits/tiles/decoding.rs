//! Pixels of tiles: each is decoded by its codec, put back from quantised integers, and laid into its place in the rectangle.

use std::ops::Range;

use pantler_core::FormatError;
use pantler_objects::pixel_buffer::Number;
use pantler_objects::pixel_buffer::{filled, try_filled};
use pantler_objects::{PixelBuffer, Pixels};
use rayon::prelude::*;

use super::deflate::Inflater;
use super::fetching::{Codec, Fetched, Tiles};
use super::grid::Area;
use super::whole;
use crate::fits::scaling::{Decoder, Scaling, StoredPixel};
use crate::fits::structure::{Hdu, HduKind};

/// So many pixels are worth a piece of work of their own.
const WORTHWHILE: u64 = 1 << 16;

impl Tiles {
    /// Makes pixels of the rectangle.
    pub(crate) fn decode(
        &self,
        hdu: &Hdu,
        area: Area,
        scaling: Scaling,
    ) -> Result<Pixels, FormatError> {
        let HduKind::CompressedImage { bitpix, axes, .. } = &hdu.shape.kind else {
            return Err(hdu.place.corrupt("a compressed image was expected here"));
        };
        match self {
            Tiles::Each(fetched) => {
                let fetched = &**fetched;
                scaling.decode(*bitpix, &hdu.place, Each { fetched, hdu })
            }
            Tiles::Whole(data) => {
                let pixels = whole::decode(hdu, data)?;
                let row = axes.first().copied().unwrap_or(0);
                let whole = Whole {
                    pixels,
                    row,
                    area,
                    hdu,
                };
                scaling.decode(*bitpix, &hdu.place, whole)
            }
        }
    }
}

/// Decodes tiles one by one, rows of tiles side by side.
struct Each<'a> {
    fetched: &'a Fetched,
    hdu: &'a Hdu,
}

/// What a thread needs to decode tiles.
struct Scratch<T> {
    read: Vec<u8>,
    inflater: Inflater,
    integers: Vec<i32>,
    pixels: Vec<T>,
}

impl<T> Scratch<T> {
    fn new() -> Scratch<T> {
        Scratch {
            read: Vec::new(),
            inflater: Inflater::new(),
            integers: Vec::new(),
            pixels: Vec::new(),
        }
    }
}

impl Decoder for Each<'_> {
    fn decode<T: StoredPixel, U: Number>(
        self,
        change: impl Fn(T) -> U + Sync,
    ) -> Result<PixelBuffer<U>, FormatError> {
        let Fetched { grid, area, .. } = *self.fetched;
        if area.width == 0 || area.height == 0 {
            return Ok(PixelBuffer::default());
        }
        let (_, down) = grid.touched(&area);
        // The rectangle lies in an image whose size was checked against the file, so these are sizes of memory.
        let width = area.width as usize;
        try_filled(width * area.height as usize, |out: &mut [U]| {
            let mut bands = Vec::new();
            let mut rest = out;
            for y in down {
                let lines = self.lines(y);
                let (band, after) = rest.split_at_mut((lines.end - lines.start) as usize * width);
                bands.push((y, band));
                rest = after;
            }
            let pixels = grid.width.saturating_mul(grid.tile.1).max(1);
            let together = WORTHWHILE.div_ceil(pixels) as usize;
            bands
                .into_par_iter()
                .with_min_len(together)
                .try_for_each_init(Scratch::new, |scratch, (y, band)| {
                    self.band(y, band, scratch, &change)
                })
        })
    }
}

impl Each<'_> {
    /// Returns which lines of the image a row of tiles gives to the rectangle.
    fn lines(&self, y: u64) -> Range<u64> {
        let Fetched { grid, area, .. } = *self.fetched;
        let start = (y * grid.tile.1).max(area.y);
        let end = ((y + 1).saturating_mul(grid.tile.1)).min(area.y + area.height);
        start..end
    }

    /// Decodes a row of tiles into its lines of the rectangle.
    fn band<T: StoredPixel, U>(
        &self,
        y: u64,
        band: &mut [U],
        scratch: &mut Scratch<T>,
        change: &impl Fn(T) -> U,
    ) -> Result<(), FormatError> {
        let Fetched { grid, area, .. } = *self.fetched;
        let lines = self.lines(y);
        let (across, _) = grid.touched(&area);
        for x in across {
            let left = x * grid.tile.0;
            let tile_width = grid.tile.0.min(grid.width - left);
            let tile_height = grid.tile.1.min(grid.height - y * grid.tile.1);
            // A tile is no larger than the image, whose size was checked.
            let length = (tile_width * tile_height) as usize;
            let start = left.max(area.x);
            let end = (left + tile_width).min(area.x + area.width);
            let last_line = lines.end.saturating_sub(1).saturating_sub(y * grid.tile.1);
            // What lies behind the last pixel that is wanted need not be decoded where the codec can stop.
            let needed = ((last_line * tile_width + end - left) as usize).min(length);
            self.tile(y * grid.across() + x, length, needed, scratch)?;
            for line in lines.clone() {
                let from = (line - y * grid.tile.1) * tile_width + (start - left);
                let pixels = &scratch.pixels[from as usize..(from + end - start) as usize];
                let to = ((line - lines.start) * area.width + start - area.x) as usize;
                let out = &mut band[to..to + pixels.len()];
                for (out, &pixel) in out.iter_mut().zip(pixels) {
                    *out = change(pixel);
                }
            }
        }
        Ok(())
    }

    /// Decodes the tile of a row of the table, at least as far as is needed.
    fn tile<T: StoredPixel>(
        &self,
        number: u64,
        length: usize,
        needed: usize,
        scratch: &mut Scratch<T>,
    ) -> Result<(), FormatError> {
        let failed = |why: &str| {
            let place = &self.hdu.place;
            place.corrupt(format!(
                "its tiles cannot be decoded: tile {}: {why}",
                number + 1
            ))
        };
        let fetched = self.fetched;
        let row = fetched.row(number).ok_or_else(|| failed("it has no row"))?;
        let Scratch {
            read,
            inflater,
            integers,
            pixels,
        } = scratch;
        pixels.resize(length, T::default());
        let columns = &fetched.columns;
        let coded = fetched.array(self.hdu, &columns.coded, row, read)?;
        if !coded.is_empty() {
            let length = match fetched.codec {
                Codec::Rice(_) => needed,
                _ => length,
            };
            let pixels = &mut pixels[..length];
            let quantised = fetched.quantised.as_ref().filter(|_| T::FLOATS);
            let Some(quantised) = quantised else {
                return decode(fetched.codec, coded, inflater, integers, pixels).map_err(failed);
            };
            integers.resize(length, 0);
            decode_integers(fetched.codec, coded, inflater, integers).map_err(failed)?;
            return quantised
                .restore(number, row, integers, pixels)
                .map_err(failed);
        }
        if let Some(column) = &columns.bare {
            let bare = fetched.array(self.hdu, column, row, read)?;
            if !bare.is_empty() {
                return take(bare, pixels).map_err(failed);
            }
        }
        if let Some(column) = &columns.deflated {
            let deflated = fetched.array(self.hdu, column, row, read)?;
            if !deflated.is_empty() {
                let bare = inflater.inflate(deflated, size_of_val(&pixels[..]));
                return bare.and_then(|bare| take(bare, pixels)).map_err(failed);
            }
        }
        Err(failed("it is empty"))
    }
}

/// Decodes a tile of numbers as they are.
fn decode<T: StoredPixel>(
    codec: Codec,
    coded: &[u8],
    inflater: &mut Inflater,
    integers: &mut Vec<i32>,
    out: &mut [T],
) -> Result<(), &'static str> {
    // Narrow integers may have been coded as wide ones.
    let most = out.len() * size_of::<T>().max(4);
    let bytes = match codec {
        Codec::Rice(_) if T::FLOATS => return Err("it has no ZSCALE and ZZERO"),
        Codec::Rice(rice) => {
            integers.resize(out.len(), 0);
            rice.decode(coded, integers)?;
            return narrow(integers, out);
        }
        Codec::Deflate { .. } => inflater.inflate(coded, most)?,
        Codec::None => coded,
    };
    let shuffled = codec == Codec::Deflate { shuffled: true };
    if bytes.len() == size_of_val(out) {
        if shuffled {
            T::unshuffle(bytes, out);
            return Ok(());
        }
        return take(bytes, out);
    }
    if size_of::<T>() >= 4 || bytes.len() != most {
        return Err("it has not as many pixels as it should");
    }
    integers.resize(out.len(), 0);
    if shuffled {
        i32::unshuffle(bytes, integers);
    } else {
        take(bytes, integers)?;
    }
    narrow(integers, out)
}

fn narrow<T: StoredPixel>(integers: &[i32], out: &mut [T]) -> Result<(), &'static str> {
    for (out, &integer) in out.iter_mut().zip(integers) {
        *out = T::from_integer(integer);
    }
    Ok(())
}

/// Decodes the integers of a quantised tile, which have 32 bits, or 16.
fn decode_integers(
    codec: Codec,
    coded: &[u8],
    inflater: &mut Inflater,
    out: &mut [i32],
) -> Result<(), &'static str> {
    let bytes = match codec {
        Codec::Rice(rice) => return rice.decode(coded, out),
        Codec::Deflate { .. } => inflater.inflate(coded, size_of_val(out))?,
        Codec::None => coded,
    };
    let shuffled = codec == Codec::Deflate { shuffled: true };
    if bytes.len() * 2 == size_of_val(out) {
        let mut short = vec![0i16; out.len()];
        if shuffled {
            i16::unshuffle(bytes, &mut short);
        } else {
            take(bytes, &mut short)?;
        }
        for (out, short) in out.iter_mut().zip(short) {
            *out = short.into();
        }
        return Ok(());
    }
    if shuffled && bytes.len() == size_of_val(out) {
        i32::unshuffle(bytes, out);
        return Ok(());
    }
    take(bytes, out)
}

/// Takes big-endian numbers, exactly as many as there is room for.
fn take<T: StoredPixel>(bytes: &[u8], out: &mut [T]) -> Result<(), &'static str> {
    if bytes.len() != size_of_val(out) {
        return Err("it has not as many pixels as it should");
    }
    T::convert(bytes, out, |pixel| pixel);
    Ok(())
}

/// An image that was decoded whole, of which a rectangle is wanted.
struct Whole<'a> {
    pixels: Pixels,
    row: u64,
    area: Area,
    hdu: &'a Hdu,
}

impl Decoder for Whole<'_> {
    fn decode<T: StoredPixel, U: Number>(
        self,
        change: impl Fn(T) -> U + Sync,
    ) -> Result<PixelBuffer<U>, FormatError> {
        let wrong = || {
            self.hdu
                .place
                .corrupt("its tiles have not the pixels that it says")
        };
        let pixels = T::of(&self.pixels).ok_or_else(wrong)?;
        let Area {
            x,
            y,
            width,
            height,
        } = self.area;
        let last = (y.saturating_add(height)).saturating_mul(self.row);
        if last > pixels.len() as u64 || x.saturating_add(width) > self.row {
            return Err(wrong());
        }
        // The rectangle lies in memory, as was just checked.
        let length = (width * height) as usize;
        Ok(filled(length, |out: &mut [U]| {
            for (line, out) in (y..).zip(out.chunks_exact_mut((width as usize).max(1))) {
                let start = (line * self.row + x) as usize;
                for (out, &pixel) in out.iter_mut().zip(&pixels[start..]) {
                    *out = change(pixel);
                }
            }
        }))
    }
}
