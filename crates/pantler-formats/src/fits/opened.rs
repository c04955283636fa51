//! A file that is being read: what is known of its bytes, and the way to more of them.
//!
//! [`Opened`] stands between the readers and a [`Source`]. It undoes a gzip that wraps the whole file, keeps what was
//! fetched ahead (a part's ranges, a window of headers), and checks every range against the file's size before memory is
//! taken. It knows nothing of FITS.

use std::cell::RefCell;
use std::io::Read;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use pantler_core::store::Pieces;
use pantler_core::{FormatError, Source};

use super::place::Place;
use super::stored::Stored;

/// What is fetched first: enough for the primary header of most files.
const FIRST_REQUEST: u64 = 5 * 2880;

/// No file is inflated to more than this, whatever it claims.
const LARGEST_INFLATED: u64 = 8 << 30;

/// Ranges closer together than this are fetched as one.
const NEAR: u64 = 512;

/// A range that is read in pieces.
type OpenRange = (Range<u64>, Arc<dyn Pieces>);

/// Ranges from this size on are read in pieces where the source has pieces.
const LARGE: u64 = 1 << 20;

/// A file that is being read.
pub(crate) struct Opened<'a> {
    source: Option<&'a dyn Source>,
    place: Place,
    size: u64,
    held: RefCell<Vec<(u64, Bytes)>>,
    pieces: RefCell<Vec<OpenRange>>,
}

impl<'a> Opened<'a> {
    /// Opens a file and looks at its first bytes: what it is, they say, and not its name.
    pub(crate) fn sniff(source: &'a dyn Source) -> Result<Opened<'a>, FormatError> {
        let opened = Opened::plain(source)?;
        if opened.size == 0 {
            return Err(opened.place.corrupt("the file is empty"));
        }
        let first = opened.fetch(&[0..opened.size.min(FIRST_REQUEST)])?;
        if first
            .first()
            .is_some_and(|bytes| bytes.starts_with(&[0x1f, 0x8b]))
        {
            return opened.inflated();
        }
        opened.hold(0, first);
        Ok(opened)
    }

    /// Opens a file that is known not to be wrapped in gzip. Nothing is read.
    pub(crate) fn plain(source: &'a dyn Source) -> Result<Opened<'a>, FormatError> {
        Ok(Opened {
            source: Some(source),
            place: Place::file(source.name()),
            size: source.bytes()?,
            held: RefCell::default(),
            pieces: RefCell::default(),
        })
    }

    /// Returns whether the bytes read are the artifact's own, so that ranges of them mean something outside.
    pub(crate) fn has_ranges(&self) -> bool {
        self.source.is_some()
    }

    /// Returns the file's size, inflated if it was wrapped.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Returns the file, for messages.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Fetches ranges in one request and keeps them; what lies beyond the file's end is left out.
    pub(crate) fn prefetch(&self, ranges: &[Range<u64>]) -> Result<(), FormatError> {
        if self.source.is_none() {
            return Ok(());
        }
        let mut missing: Vec<_> = coalesce(ranges, NEAR)
            .into_iter()
            .map(|range| range.start..range.end.min(self.size))
            .filter(|range| range.start < range.end && self.lookup(range).is_none())
            .collect();
        let mut open = Ok(());
        missing.retain(|range| match self.open_pieces(range) {
            Ok(found) => found.is_none(),
            Err(error) => {
                open = Err(error);
                true
            }
        });
        open?;
        if missing.is_empty() {
            return Ok(());
        }
        let fetched = self.fetch(&missing)?;
        let mut held = self.held.borrow_mut();
        held.extend(missing.into_iter().map(|range| range.start).zip(fetched));
        Ok(())
    }

    /// Returns the bytes of a range, fetching them if they are not at hand.
    pub(crate) fn read(&self, range: Range<u64>) -> Result<Bytes, FormatError> {
        if range.start > range.end || range.end > self.size {
            return Err(self.place.corrupt(format!(
                "the file ends at byte {}, and bytes {} to {} were expected",
                self.size, range.start, range.end
            )));
        }
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        if let Some(bytes) = self.lookup(&range) {
            return Ok(bytes);
        }
        if let Some(pieces) = self.held_pieces(&range) {
            // The range lies in the file, whose size was checked above.
            let mut bytes = vec![0; (range.end - range.start) as usize];
            pieces.read_into(range.start, &mut bytes)?;
            return Ok(Bytes::from(bytes));
        }
        let bytes = self.fetch(std::slice::from_ref(&range))?.pop();
        bytes.ok_or_else(|| self.place.corrupt("the store returned nothing"))
    }

    /// Asks for a range that will be read by many threads, whole or in pieces, as the source prefers.
    pub(crate) fn stored(&self, range: Range<u64>) -> Result<Stored, FormatError> {
        if range.start < range.end
            && range.end <= self.size
            && self.lookup(&range).is_none()
            && let Some(pieces) = self.open_pieces(&range)?
        {
            return Ok(Stored::Pieces { range, pieces });
        }
        let start = range.start;
        let bytes = self.read(range)?;
        Ok(Stored::Bytes { start, bytes })
    }

    /// Opens a range for reading in pieces, if it is large and the source has pieces.
    fn open_pieces(&self, range: &Range<u64>) -> Result<Option<Arc<dyn Pieces>>, FormatError> {
        if let Some(pieces) = self.held_pieces(range) {
            return Ok(Some(pieces));
        }
        let Some(source) = self.source.filter(|_| range.end - range.start >= LARGE) else {
            return Ok(None);
        };
        let pieces = source.in_pieces(range)?;
        if let Some(pieces) = &pieces {
            let mut held = self.pieces.borrow_mut();
            held.push((range.clone(), Arc::clone(pieces)));
        }
        Ok(pieces)
    }

    fn held_pieces(&self, range: &Range<u64>) -> Option<Arc<dyn Pieces>> {
        let held = self.pieces.borrow();
        let found = held
            .iter()
            .find(|(held, _)| held.start <= range.start && range.end <= held.end)?;
        Some(Arc::clone(&found.1))
    }

    fn lookup(&self, range: &Range<u64>) -> Option<Bytes> {
        self.held.borrow().iter().find_map(|(start, bytes)| {
            let from = usize::try_from(range.start.checked_sub(*start)?).ok()?;
            let to = usize::try_from(range.end - start).ok()?;
            (to <= bytes.len()).then(|| bytes.slice(from..to))
        })
    }

    fn hold(&self, start: u64, fetched: Vec<Bytes>) {
        let mut held = self.held.borrow_mut();
        held.extend(fetched.into_iter().map(|bytes| (start, bytes)));
    }

    fn fetch(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, FormatError> {
        let Some(source) = self.source else {
            return Err(self
                .place
                .corrupt("the inflated file is shorter than it says"));
        };
        let fetched = source.read_ranges(ranges)?;
        let whole = fetched.len() == ranges.len()
            && fetched
                .iter()
                .zip(ranges)
                .all(|(bytes, range)| bytes.len() as u64 == range.end - range.start);
        if whole {
            Ok(fetched)
        } else {
            Err(self
                .place
                .corrupt("the store returned fewer bytes than the file has"))
        }
    }

    fn inflated(self) -> Result<Opened<'a>, FormatError> {
        let packed = self.read(0..self.size)?;
        let mut inflated = Vec::new();
        MultiGzDecoder::new(&packed[..])
            .take(LARGEST_INFLATED + 1)
            .read_to_end(&mut inflated)
            .map_err(|error| {
                self.place
                    .corrupt(format!("the gzip data are damaged: {error}"))
            })?;
        let size = inflated.len() as u64;
        if size > LARGEST_INFLATED {
            return Err(self
                .place
                .unsupported(format!("it inflates to more than {LARGEST_INFLATED} bytes")));
        }
        Ok(Opened {
            source: None,
            place: self.place,
            size,
            held: RefCell::new(vec![(0, Bytes::from(inflated))]),
            pieces: RefCell::default(),
        })
    }
}

/// Returns the ranges in order, with near and overlapping ones joined.
pub(crate) fn coalesce(ranges: &[Range<u64>], near: u64) -> Vec<Range<u64>> {
    let mut sorted: Vec<_> = ranges
        .iter()
        .filter(|range| !range.is_empty())
        .cloned()
        .collect();
    sorted.sort_by_key(|range| (range.start, range.end));
    let mut joined: Vec<Range<u64>> = Vec::new();
    for range in sorted {
        match joined.last_mut() {
            Some(last) if range.start <= last.end.saturating_add(near) => {
                last.end = last.end.max(range.end);
            }
            _ => joined.push(range),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_ranges_are_joined_and_far_ones_are_not() {
        let ranges = [900..1000, 0..10, 12..20, 5..8, 30..30];
        assert_eq!(coalesce(&ranges, 2), vec![0..20, 900..1000]);
        assert_eq!(coalesce(&ranges, 0), vec![0..10, 12..20, 900..1000]);
    }
}
