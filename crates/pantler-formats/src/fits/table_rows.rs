//! The bytes of the wanted rows of a table, binary or ASCII: those and no others are read.

use std::ops::Range;

use bytes::Bytes;
use pantler_core::{FormatError, RowRanges};

use super::contents::Contents;
use super::place::Place;

/// Returns the rows to read of a table of `rows` rows: all, or those asked for.
pub(crate) fn wanted_rows(
    asked: Option<&RowRanges>,
    rows: u64,
    place: &Place,
) -> Result<RowRanges, FormatError> {
    match asked {
        None => Ok(RowRanges::first(rows)),
        Some(wanted) if wanted.end() <= rows => Ok(wanted.clone()),
        Some(wanted) => Err(place.no_rows(rows, wanted)),
    }
}

/// Returns where rows of `width` bytes lie, when the first row of the table is at `start`.
pub(crate) fn row_bytes(rows: &RowRanges, start: u64, width: u64) -> Vec<Range<u64>> {
    let at = |row: u64| start.saturating_add(row.saturating_mul(width));
    let ranges = rows.ranges().iter();
    ranges.map(|range| at(range.start)..at(range.end)).collect()
}

/// Reads rows, in one request for all ranges, and returns them one after the other.
pub(crate) fn read_rows(
    contents: &Contents<'_>,
    rows: &RowRanges,
    start: u64,
    width: u64,
) -> Result<Bytes, FormatError> {
    let ranges = row_bytes(rows, start, width);
    let file = contents.file();
    if let [only] = ranges.as_slice() {
        return file.read(only.clone());
    }
    file.prefetch(&ranges)?;
    let mut bytes = Vec::new();
    for range in ranges {
        bytes.extend_from_slice(&file.read(range)?);
    }
    Ok(Bytes::from(bytes))
}
