//! Pixels in compressed tiles: which tiles a rectangle touches, the bytes of these, and their decoding by all cores.
//!
//! ```text
//! Tiles::fetch    descriptors of the rows that are touched ─► heap ranges, joined where near   (all reads)
//! Tiles::decode   each tile: rice | deflate ─► quantised ─► its place in the rectangle          (no order)
//! ```
//!
//! The format is that of FITS standard 4.0, section 10. Everything that a header or a descriptor says is checked before it
//! is believed. Codecs that are rare (`HCOMPRESS_1`, `PLIO_1`) and images of more axes are decoded whole by another library
//! (`whole.rs`), behind checks of their own.

mod deflate;
mod quantised;
mod rice;
mod whole;

use std::ops::Range;

use bytes::Bytes;
use pantler_core::FormatError;
use pantler_core::formatter::PixelBox;
use pantler_objects::pixel_buffer::Number;
use pantler_objects::pixel_buffer::{filled, try_filled};
use pantler_objects::record::Column;
use pantler_objects::{PixelBuffer, Pixels, RecordTable};
use rayon::prelude::*;

use super::card::{integer_of, text_of};
use super::heap::{heap_range, table_of};
use super::opened::{Opened, coalesce};
use super::scaling::{Decoder, Scaling, StoredPixel};
use super::stored::Stored;
use super::structure::{Hdu, HduKind, HduShape, Table};
use deflate::Inflater;
use quantised::Quantised;
use rice::Rice;

/// Heap ranges closer together than this are fetched as one.
const NEAR: u64 = 4096;

/// So many pixels are worth a piece of work of their own.
const WORTHWHILE: u64 = 1 << 16;

/// How the tiles of an image lie, as rows of tiles of one size; those at the far edges are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grid {
    width: u64,
    height: u64,
    tile: (u64, u64),
}

impl Grid {
    /// Returns the grid of an image that can be seen as rows of pixels, tile by tile; `None` if it cannot.
    pub(crate) fn of(axes: &[u64], tile: &[u64]) -> Option<Grid> {
        let flat = axes
            .get(2..)
            .unwrap_or_default()
            .iter()
            .all(|&length| length == 1);
        let rows = tile
            .get(1..)
            .unwrap_or_default()
            .iter()
            .all(|&length| length == 1);
        let height = axes
            .get(1..)?
            .iter()
            .try_fold(1u64, |all, &n| all.checked_mul(n))?;
        let tall = if flat {
            tile.get(1).copied().unwrap_or(1)
        } else {
            1
        };
        let legal = tile.iter().all(|&length| length >= 1) && (flat || rows);
        legal.then_some(Grid {
            width: *axes.first()?,
            height,
            tile: (*tile.first()?, tall),
        })
    }

    fn across(self) -> u64 {
        self.width.div_ceil(self.tile.0)
    }

    /// Returns the columns and rows of tiles that a rectangle touches; it must lie in the image and not be empty.
    fn touched(self, area: &Area) -> (Range<u64>, Range<u64>) {
        let along = |start: u64, length: u64, tile: u64| {
            start / tile..start.saturating_add(length).div_ceil(tile)
        };
        (
            along(area.x, area.width, self.tile.0),
            along(area.y, area.height, self.tile.1),
        )
    }

    /// Returns the rows of the table from the first to the last that a rectangle touches.
    fn rows(self, area: &Area) -> Range<u64> {
        let (columns, rows) = self.touched(area);
        let at = |row: u64, column: u64| row.saturating_mul(self.across()).saturating_add(column);
        at(rows.start, columns.start)..at(rows.end.saturating_sub(1), columns.end)
    }
}

/// A rectangle of pixels of an image, counted from its first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Area {
    /// The first column.
    pub(crate) x: u64,
    /// The first row.
    pub(crate) y: u64,
    /// The number of columns.
    pub(crate) width: u64,
    /// The number of rows.
    pub(crate) height: u64,
}

impl Area {
    /// Returns where a box lies in the image that covers `whole`.
    pub(crate) fn of(whole: PixelBox, bbox: PixelBox) -> Area {
        Area {
            x: bbox.x0.abs_diff(whole.x0),
            y: bbox.y0.abs_diff(whole.y0),
            width: bbox.width,
            height: bbox.height,
        }
    }
}

/// Where the rows of a table lie that a rectangle touches, and about where the bytes are that these point at.
pub(crate) struct TileRanges {
    /// The rows of the table, from the first to the last.
    pub(crate) rows: Range<u64>,
    /// That part of the heap that tiles of equal size would take.
    pub(crate) heap: Range<u64>,
}

/// Returns which bytes a rectangle takes, as far as a layout tells; `None` if it takes the whole.
pub(crate) fn ranges(shape: &HduShape, area: &Area) -> Option<TileRanges> {
    let HduKind::CompressedImage {
        axes, tile, table, ..
    } = &shape.kind
    else {
        return None;
    };
    let grid = Grid::of(axes, tile)?;
    if (area.width, area.height) == (grid.width, grid.height) || area.width == 0 || area.height == 0
    {
        return None;
    }
    let rows = grid.rows(area);
    let at = |row: u64| {
        let offset = row.min(table.rows).saturating_mul(table.width);
        shape.data.start.saturating_add(offset).min(shape.data.end)
    };
    let (columns, down) = grid.touched(area);
    let touched = (columns.end - columns.start).saturating_mul(down.end - down.start);
    let heap = shape
        .data
        .start
        .saturating_add(table.heap)
        .min(shape.data.end);
    let share = |row: u64| {
        let bytes = u128::from(shape.data.end - heap) * u128::from(row.min(table.rows));
        (bytes / u128::from(table.rows.max(1))) as u64
    };
    let first = heap + share(rows.start);
    Some(TileRanges {
        heap: first..first.saturating_add(share(touched)).min(shape.data.end),
        rows: at(rows.start)..at(rows.end),
    })
}

/// How the bytes of a tile are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Codec {
    Rice(Rice),
    Deflate { shuffled: bool },
    None,
}

impl Codec {
    /// Returns the codec of an image; `None` if it is left to the other library.
    fn of(hdu: &Hdu) -> Option<Codec> {
        match text_of(&hdu.cards, "ZCMPTYPE").as_str() {
            "RICE_1" | "RICE_ONE" => {
                let parameter = |name: &str, default: i64| {
                    let named = |n: &i32| text_of(&hdu.cards, &format!("ZNAME{n}")) == name;
                    let found = (1..=9).find(named);
                    found.map_or(Some(default), |n| {
                        integer_of(&hdu.cards, &format!("ZVAL{n}"))
                    })
                };
                Rice::new(parameter("BYTEPIX", 4)?, parameter("BLOCKSIZE", 32)?).map(Codec::Rice)
            }
            "GZIP_1" => Some(Codec::Deflate { shuffled: false }),
            "GZIP_2" => Some(Codec::Deflate { shuffled: true }),
            "NOCOMPRESS" => Some(Codec::None),
            _ => None,
        }
    }
}

/// The bytes of the tiles that a rectangle touches, not decoded yet.
pub(crate) enum Tiles {
    /// Tiles that are decoded one by one.
    Each(Box<Fetched>),
    /// All data of an image that is decoded whole.
    Whole(Bytes),
}

/// The tiles that a rectangle touches.
pub(crate) struct Fetched {
    grid: Grid,
    area: Area,
    codec: Codec,
    quantised: Option<Quantised>,
    columns: Columns,
    /// The rows of the table from the first to the last that is touched.
    rows: Bytes,
    row_bytes: usize,
    first_row: u64,
    /// What was fetched of the heap, with where in the file it ends, in order.
    heap: Vec<(u64, Stored)>,
    heap_start: u64,
}

/// The columns of the table that hold tiles.
struct Columns {
    coded: Column,
    /// Tiles that could not be quantised, in deflate.
    deflated: Option<Column>,
    /// Tiles that could not be compressed at all.
    bare: Option<Column>,
}

impl Columns {
    fn of(table: &RecordTable) -> Option<Columns> {
        let variable = |name: &str| {
            let found = table.variable_columns().find(|column| column.name == name);
            found.cloned()
        };
        Some(Columns {
            coded: variable("COMPRESSED_DATA")?,
            deflated: variable("GZIP_COMPRESSED_DATA"),
            bare: variable("UNCOMPRESSED_DATA"),
        })
    }
}

impl Tiles {
    /// Reads the tiles that a rectangle of an image touches: the rows of the table first, then what they point at.
    pub(crate) fn fetch(file: &Opened<'_>, hdu: &Hdu, area: Area) -> Result<Tiles, FormatError> {
        let data = hdu.shape.data.clone();
        let HduKind::CompressedImage {
            bitpix,
            axes,
            tile,
            table,
        } = &hdu.shape.kind
        else {
            return Err(hdu.place.corrupt("a compressed image was expected here"));
        };
        whole::check(hdu, *bitpix, axes, *table, data.end - data.start)?;
        let columns = table_of(hdu)?;
        let own = Columns::of(&columns)
            .zip(Codec::of(hdu))
            .zip(Grid::of(axes, tile));
        let Some(((tile_columns, codec), grid)) = own else {
            return Ok(Tiles::Whole(file.stored(data)?.all()?));
        };
        let all = (area.width, area.height) == (grid.width, grid.height);
        let empty = area.width == 0 || area.height == 0;
        let touched = if empty { 0..0 } else { grid.rows(&area) };
        let at = |row: u64| data.start + row * table.width;
        let body = at(touched.start)..at(touched.end);
        let mut heap = Vec::new();
        let rows = if all && !empty {
            let stored = file.stored(data.clone())?;
            let rows = stored.piece(body, &mut Vec::new(), &hdu.place)?.to_vec();
            heap.push((data.end, stored));
            Bytes::from(rows)
        } else {
            file.read(body)?
        };
        let mut fetched = Fetched {
            grid,
            area,
            codec,
            quantised: (*bitpix < 0)
                .then(|| Quantised::of(hdu, &columns))
                .flatten(),
            columns: tile_columns,
            rows,
            // The rows lie in the file and are in memory.
            row_bytes: table.width as usize,
            first_row: touched.start,
            heap: Vec::new(),
            heap_start: data.start + table.heap,
        };
        let ranges = fetched.heap_ranges(hdu, &columns, *table)?;
        if heap.is_empty() {
            let ranges = coalesce(&ranges, NEAR);
            file.prefetch(&ranges)?;
            for range in ranges {
                heap.push((range.end, file.stored(range)?));
            }
        }
        fetched.heap = heap;
        Ok(Tiles::Each(Box::new(fetched)))
    }

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

impl Fetched {
    fn row(&self, number: u64) -> Option<&[u8]> {
        let at = usize::try_from(number.checked_sub(self.first_row)?).ok()?;
        let start = at.checked_mul(self.row_bytes)?;
        self.rows.get(start..start.checked_add(self.row_bytes)?)
    }

    /// Returns where in the file the arrays of the touched rows lie; none may point outside the heap.
    fn heap_ranges(
        &self,
        hdu: &Hdu,
        columns: &RecordTable,
        table: Table,
    ) -> Result<Vec<Range<u64>>, FormatError> {
        let variable: Vec<_> = columns.variable_columns().collect();
        let length = (hdu.shape.data.end - hdu.shape.data.start).saturating_sub(table.heap);
        let mut ranges = Vec::new();
        if self.rows.is_empty() {
            return Ok(ranges);
        }
        let (across, down) = self.grid.touched(&self.area);
        for number in down.flat_map(|y| across.clone().map(move |x| y * self.grid.across() + x)) {
            let row = self
                .row(number)
                .ok_or_else(|| hdu.place.corrupt("a tile has no row"))?;
            for column in &variable {
                let range = heap_range(column, row).filter(|range| range.end <= length);
                let range = range.ok_or_else(|| {
                    let name = &column.name;
                    hdu.place
                        .corrupt(format!("column `{name}` points outside the heap"))
                })?;
                if !range.is_empty() {
                    ranges.push(self.heap_start + range.start..self.heap_start + range.end);
                }
            }
        }
        Ok(ranges)
    }

    /// Returns the bytes of a row's array.
    fn array<'a>(
        &'a self,
        hdu: &Hdu,
        column: &Column,
        row: &[u8],
        scratch: &'a mut Vec<u8>,
    ) -> Result<&'a [u8], FormatError> {
        let range = heap_range(column, row).unwrap_or(0..0);
        if range.is_empty() {
            return Ok(&[]);
        }
        let wanted = self.heap_start + range.start..self.heap_start + range.end;
        let at = self.heap.partition_point(|(end, _)| *end < wanted.end);
        match self.heap.get(at) {
            Some((_, stored)) => stored.piece(wanted, scratch, &hdu.place),
            None => Err(hdu.place.corrupt("a tile was not fetched")),
        }
    }
}

/// Decodes an image whole by the other library, whatever its codec is; the tests compare it with what is done here.
#[cfg(test)]
pub(crate) fn decode_by_other(hdu: &Hdu, data: &Bytes) -> Result<Pixels, FormatError> {
    whole::decode(hdu, data)
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
