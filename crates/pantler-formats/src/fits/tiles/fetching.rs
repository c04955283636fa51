//! The bytes of the tiles that a rectangle touches: rows of the table first, then the heap ranges that these name.

use std::ops::Range;

use bytes::Bytes;
use pantler_core::FormatError;
use pantler_objects::RecordTable;
use pantler_objects::record::Column;

use super::grid::{Area, Grid};
use super::quantised::Quantised;
use super::rice::Rice;
use super::whole;
use crate::fits::card::{integer_of, text_of};
use crate::fits::heap::{heap_range, table_of};
use crate::fits::opened::{Opened, coalesce};
use crate::fits::stored::Stored;
use crate::fits::structure::{Hdu, HduKind, Table};

/// Heap ranges closer together than this are fetched as one.
const NEAR: u64 = 4096;

/// How the bytes of a tile are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
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
    pub(super) grid: Grid,
    pub(super) area: Area,
    pub(super) codec: Codec,
    pub(super) quantised: Option<Quantised>,
    pub(super) columns: Columns,
    /// The rows of the table from the first to the last that is touched.
    rows: Bytes,
    row_bytes: usize,
    first_row: u64,
    /// What was fetched of the heap, with where in the file it ends, in order.
    heap: Vec<(u64, Stored)>,
    heap_start: u64,
}

/// The columns of the table that hold tiles.
pub(super) struct Columns {
    pub(super) coded: Column,
    /// Tiles that could not be quantised, in deflate.
    pub(super) deflated: Option<Column>,
    /// Tiles that could not be compressed at all.
    pub(super) bare: Option<Column>,
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
}

impl Fetched {
    pub(super) fn row(&self, number: u64) -> Option<&[u8]> {
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
    pub(super) fn array<'a>(
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
