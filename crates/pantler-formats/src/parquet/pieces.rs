//! The bytes of a file that are at hand, as the Parquet library asks for them.
//!
//! [`Pieces`] fetches ranges from a source, in one request for several; [`Held`] is what it has fetched, and has no way to
//! more: a column that was not fetched is not read by accident.

use std::ops::Range;

use ::parquet::errors::{ParquetError, Result as ParquetResult};
use ::parquet::file::reader::{ChunkReader, Length};
use bytes::buf::Reader;
use bytes::{Buf, Bytes};
use pantler_core::{FormatError, Source};

use crate::whole::corrupt;

/// A source, and what was fetched of it.
pub(super) struct Pieces<'a> {
    source: &'a dyn Source,
    held: Held,
}

impl<'a> Pieces<'a> {
    /// Starts with nothing fetched.
    pub(super) fn new(source: &'a dyn Source) -> Result<Pieces<'a>, FormatError> {
        let size = source.bytes()?;
        let pieces = Vec::new();
        Ok(Pieces {
            source,
            held: Held { size, pieces },
        })
    }

    /// Returns the file's size.
    pub(super) fn size(&self) -> u64 {
        self.held.size
    }

    /// Fetches ranges that are not at hand, in one request.
    pub(super) fn fetch(&mut self, ranges: &[Range<u64>]) -> Result<(), FormatError> {
        let missing: Vec<Range<u64>> = joined(ranges)
            .into_iter()
            .filter(|range| self.held.find(range).is_none())
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let cut_off = || corrupt(self.source, None, "it is shorter than it says".to_owned());
        if missing.iter().any(|range| range.end > self.held.size) {
            return Err(cut_off());
        }
        let fetched = self.source.read_ranges(&missing)?;
        for (range, bytes) in missing.into_iter().zip(fetched) {
            if bytes.len() as u64 != range.end - range.start {
                return Err(cut_off());
            }
            self.held.pieces.push((range.start, bytes));
        }
        Ok(())
    }

    /// Returns the bytes of a range.
    pub(super) fn read(&mut self, range: Range<u64>) -> Result<Bytes, FormatError> {
        self.fetch(std::slice::from_ref(&range))?;
        let found = self.held.find(&range);
        found.ok_or_else(|| corrupt(self.source, None, "the store returned nothing".to_owned()))
    }

    /// Returns what was fetched.
    pub(super) fn held(&self) -> &Held {
        &self.held
    }

    /// Returns what was fetched, and nothing else.
    pub(super) fn into_held(self) -> Held {
        self.held
    }
}

/// Returns the ranges in order, with those that touch joined.
pub(super) fn joined(ranges: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut sorted: Vec<Range<u64>> = ranges
        .iter()
        .filter(|range| !range.is_empty())
        .cloned()
        .collect();
    sorted.sort_by_key(|range| (range.start, range.end));
    let mut joined: Vec<Range<u64>> = Vec::new();
    for range in sorted {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

/// Bytes that were fetched, by where they lie.
pub(super) struct Held {
    size: u64,
    pieces: Vec<(u64, Bytes)>,
}

impl Held {
    fn find(&self, range: &Range<u64>) -> Option<Bytes> {
        let bytes = self.from(range.start)?;
        let length = usize::try_from(range.end - range.start).ok()?;
        (length <= bytes.len()).then(|| bytes.slice(..length))
    }

    /// Returns what is at hand from a place on.
    fn from(&self, start: u64) -> Option<Bytes> {
        self.pieces
            .iter()
            .filter_map(|(at, bytes)| {
                let skip = usize::try_from(start.checked_sub(*at)?).ok()?;
                (skip < bytes.len()).then(|| bytes.slice(skip..))
            })
            .max_by_key(Bytes::len)
    }
}

impl Length for Held {
    fn len(&self) -> u64 {
        self.size
    }
}

impl ChunkReader for Held {
    type T = Reader<Bytes>;

    fn get_read(&self, start: u64) -> ParquetResult<Reader<Bytes>> {
        let bytes = self.from(start).ok_or_else(|| outside(start))?;
        Ok(bytes.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        let end = start
            .checked_add(length as u64)
            .ok_or_else(|| outside(start))?;
        self.find(&(start..end)).ok_or_else(|| outside(start))
    }
}

fn outside(start: u64) -> ParquetError {
    ParquetError::General(format!(
        "byte {start} belongs to none of the columns that are read"
    ))
}
