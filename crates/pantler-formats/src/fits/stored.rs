//! Bytes of a file that decoders take piece by piece, from many threads.
//!
//! [`super::opened::Opened`] makes one for a range it was asked for: either the bytes are in memory, or they are read when
//! they are wanted, so that a piece is decoded while it is still in the processor's cache. Offsets are the file's.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use pantler_core::FormatError;
use pantler_core::store::Pieces;
use pantler_objects::pixel_buffer::ALIGNMENT;

use super::place::Place;

/// A range of a file.
#[derive(Clone)]
pub(crate) enum Stored {
    /// It is in memory.
    Bytes {
        /// Where in the file it starts.
        start: u64,
        /// The bytes.
        bytes: Bytes,
    },
    /// It is read when it is wanted.
    Pieces {
        /// Where it lies in the file.
        range: Range<u64>,
        /// How it is read.
        pieces: Arc<dyn Pieces>,
    },
}

impl Stored {
    /// Returns the bytes of a part of it, read into `scratch` if they are not in memory.
    pub(crate) fn piece<'a>(
        &'a self,
        wanted: Range<u64>,
        scratch: &'a mut Vec<u8>,
        place: &Place,
    ) -> Result<&'a [u8], FormatError> {
        let outside = || place.corrupt("it points outside its data");
        match self {
            Stored::Bytes { start, bytes } => {
                let at = |offset: u64| usize::try_from(offset.checked_sub(*start)?).ok();
                let (from, to) = (at(wanted.start), at(wanted.end));
                let range = from.zip(to).map(|(from, to)| from..to);
                range.and_then(|range| bytes.get(range)).ok_or_else(outside)
            }
            Stored::Pieces { range, pieces } => {
                let inside = range.start <= wanted.start
                    && wanted.start <= wanted.end
                    && wanted.end <= range.end;
                let length = usize::try_from(wanted.end.wrapping_sub(wanted.start));
                let length = length.ok().filter(|_| inside).ok_or_else(outside)?;
                // Aligned, as copies out of the page cache are several times as fast then.
                if scratch.len() < length.saturating_add(ALIGNMENT) {
                    scratch.resize(length.saturating_add(ALIGNMENT), 0);
                }
                let padding = scratch.as_ptr().addr().wrapping_neg() % ALIGNMENT;
                let buffer = &mut scratch[padding..padding + length];
                pieces.read_into(wanted.start, buffer)?;
                Ok(buffer)
            }
        }
    }

    /// Returns all of it.
    pub(crate) fn all(&self) -> Result<Bytes, FormatError> {
        match self {
            Stored::Bytes { bytes, .. } => Ok(bytes.clone()),
            Stored::Pieces { range, pieces } => {
                // The range lies in the file, against whose size it was checked.
                let mut bytes = vec![0; (range.end - range.start) as usize];
                pieces.read_into(range.start, &mut bytes)?;
                Ok(Bytes::from(bytes))
            }
        }
    }
}
