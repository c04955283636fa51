//! Pixels that lie in a file as they are: read in pieces by all cores, and put in order while they are in the cache.

use pantler_core::FormatError;
use pantler_objects::PixelBuffer;
use pantler_objects::pixel_buffer::Number;
use pantler_objects::pixel_buffer::try_filled;
use rayon::prelude::*;

use super::place::Place;
use super::scaling::{Decoder, StoredPixel};
use super::stored::Stored;

/// The bytes of a piece: it fits the second-level cache of one core, together with what is made of it.
const PIECE: usize = 256 << 10;

/// A rectangle of an image that is stored row by row.
pub(crate) struct Plain<'a> {
    /// The bytes, or the way to them.
    pub(crate) stored: &'a Stored,
    /// Where in the file the first pixel of the image lies.
    pub(crate) start: u64,
    /// The pixels of a row of the image.
    pub(crate) row: u64,
    /// The first column and row.
    pub(crate) first: (u64, u64),
    /// The number of columns and rows.
    pub(crate) size: (usize, usize),
    /// Where the image is, for messages.
    pub(crate) place: &'a Place,
}

impl Plain<'_> {
    fn piece<T: StoredPixel, U>(
        &self,
        first: u64,
        out: &mut [U],
        scratch: &mut Vec<u8>,
        change: impl Fn(T) -> U,
    ) -> Result<(), FormatError> {
        let bytes = |pixels: u64| pixels.checked_mul(size_of::<T>() as u64);
        let from = bytes(first).and_then(|skipped| self.start.checked_add(skipped));
        let to = bytes(out.len() as u64).and_then(|length| from?.checked_add(length));
        let range = from.zip(to).map(|(from, to)| from..to);
        let range = range.ok_or_else(|| self.place.corrupt("the size of its data overflows"))?;
        let stored = self.stored.piece(range, scratch, self.place)?;
        T::convert(stored, out, change);
        Ok(())
    }
}

impl Decoder for Plain<'_> {
    fn decode<T: StoredPixel, U: Number>(
        self,
        change: impl Fn(T) -> U + Sync,
    ) -> Result<PixelBuffer<U>, FormatError> {
        let (width, height) = self.size;
        if width == 0 || height == 0 {
            return Ok(PixelBuffer::default());
        }
        let first = self
            .first
            .1
            .saturating_mul(self.row)
            .saturating_add(self.first.0);
        // The caller checked that the data lie in the file, so the product is a size of memory.
        try_filled(width * height, |out: &mut [U]| {
            if width as u64 == self.row {
                let length = PIECE / size_of::<T>();
                let pieces = out.par_chunks_mut(length).enumerate();
                return pieces.try_for_each_init(Vec::new, |scratch, (n, out)| {
                    let first = first + (n * length) as u64;
                    self.piece(first, out, scratch, &change)
                });
            }
            let rows = out.par_chunks_mut(width).enumerate();
            let together = (PIECE / width / size_of::<T>()).clamp(1, 64);
            rows.with_min_len(together)
                .try_for_each_init(Vec::new, |scratch, (n, out)| {
                    let first = first.saturating_add(self.row.saturating_mul(n as u64));
                    self.piece(first, out, scratch, &change)
                })
        })
    }
}
