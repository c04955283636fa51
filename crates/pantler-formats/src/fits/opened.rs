//! A file that is being read: what is known of its bytes, and the way to more of them.
//!
//! [`Opened`] stands between the readers and a [`Source`]. It undoes a gzip that wraps the whole file (from the start, and no
//! further than is needed where the layout tells), keeps what was
//! fetched ahead (a part's ranges, a window of headers), and checks every range against the file's size before memory is
//! taken. It knows nothing of FITS.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use pantler_core::store::Pieces;
use pantler_core::{FormatError, Source};

use super::inflating::{Inflating, LARGEST_INFLATED, inflate};
use super::place::Place;
use super::stored::Stored;

/// What is fetched first: enough for the primary header of most files.
const FIRST_REQUEST: u64 = 5 * 2880;

/// At least so much is inflated at a time.
const LEAST_INFLATED: u64 = 32 << 10;

/// Ranges closer together than this are fetched as one.
const NEAR: u64 = 512;

/// A range that is read in pieces.
type OpenRange = (Range<u64>, Arc<dyn Pieces>);

/// Ranges from this size on, which are pixels, are read in pieces where the source has pieces; below it, one request is
/// worth more than many threads.
const LARGE: u64 = 4 << 20;

/// A file that is being read.
pub(crate) struct Opened<'a> {
    way: Way<'a>,
    place: Place,
    size: u64,
    held: RefCell<Vec<(u64, Bytes)>>,
    pieces: RefCell<Vec<OpenRange>>,
}

/// How more bytes are had.
enum Way<'a> {
    /// The artifact's bytes are the file's.
    Direct(&'a dyn Source),
    /// The artifact wraps the file in gzip: bytes come in order, and what came is held.
    Wrapped {
        source: &'a dyn Source,
        inflating: Box<RefCell<Inflating>>,
        packed: u64,
    },
    /// All of the inflated file is held.
    Inflated { packed: u64 },
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
            return opened.inflated(source);
        }
        opened.hold(0, first);
        Ok(opened)
    }

    /// Opens a file that is known not to be wrapped in gzip. Nothing is read.
    pub(crate) fn plain(source: &'a dyn Source) -> Result<Opened<'a>, FormatError> {
        Ok(Opened {
            way: Way::Direct(source),
            place: Place::file(source.name()),
            size: source.bytes()?,
            held: RefCell::default(),
            pieces: RefCell::default(),
        })
    }

    /// Opens a file that is known to be wrapped in gzip, and to be so long when it is inflated. Nothing is read.
    pub(crate) fn wrapped(source: &'a dyn Source, size: u64) -> Result<Opened<'a>, FormatError> {
        Ok(Opened {
            way: Way::Wrapped {
                source,
                inflating: Box::new(RefCell::new(Inflating::new(source.bytes()?))),
                packed: source.bytes()?,
            },
            place: Place::file(source.name()),
            size,
            held: RefCell::default(),
            pieces: RefCell::default(),
        })
    }

    /// Returns the size of the gzip that wraps the file, if one does: then its bytes are not where the artifact's are.
    pub(crate) fn packed(&self) -> Option<u64> {
        match self.way {
            Way::Direct(_) => None,
            Way::Wrapped { packed, .. } | Way::Inflated { packed } => Some(packed),
        }
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
        if self.packed().is_some() {
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
        if let Way::Wrapped {
            source, inflating, ..
        } = &self.way
        {
            return self.read_inflating(*source, &mut inflating.borrow_mut(), range);
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
        let Way::Direct(source) = self.way else {
            return Ok(None);
        };
        if range.end - range.start < LARGE {
            return Ok(None);
        }
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
        let Way::Direct(source) = self.way else {
            return Err(self.shorter());
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

    fn shorter(&self) -> FormatError {
        self.place
            .corrupt("the inflated file is shorter than it says")
    }

    /// Inflates up to the end of a range: what comes before it is kept as one piece, and the range as another.
    fn read_inflating(
        &self,
        source: &dyn Source,
        inflating: &mut Inflating,
        range: Range<u64>,
    ) -> Result<Bytes, FormatError> {
        for end in [range.start, range.end] {
            let start = inflating.position();
            if start < end {
                // The range itself starts a piece of its own, which may be a little longer.
                let least = if end == range.end { LEAST_INFLATED } else { 0 };
                let wanted = (end - start).max(least).min(self.size - start);
                let piece = inflating.take(source, wanted)?;
                self.held.borrow_mut().push((start, piece));
            }
        }
        if let Some(bytes) = self.lookup(&range) {
            return Ok(bytes);
        }
        // It lies in several pieces, which follow each other without a gap.
        let mut joined = Vec::new();
        for (start, piece) in self.held.borrow().iter() {
            let end = start + piece.len() as u64;
            let (from, to) = (range.start.max(*start), range.end.min(end));
            if from < to {
                joined.extend_from_slice(&piece[(from - start) as usize..(to - start) as usize]);
            }
        }
        if joined.len() as u64 == range.end - range.start {
            Ok(joined.into())
        } else {
            Err(self.shorter())
        }
    }

    /// Inflates all of a file of which it is not known where its parts lie.
    fn inflated(self, source: &dyn Source) -> Result<Opened<'a>, FormatError> {
        let inflated = inflate(source, LARGEST_INFLATED)?;
        Ok(Opened {
            size: inflated.len() as u64,
            way: Way::Inflated { packed: self.size },
            place: self.place,
            held: RefCell::new(vec![(0, inflated)]),
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
