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

mod decoding;
mod deflate;
mod fetching;
mod grid;
mod quantised;
mod rice;
mod whole;

pub(crate) use fetching::Tiles;
pub(crate) use grid::{Area, ranges};

/// Decodes an image whole by the other library, whatever its codec is; the tests compare it with what is done here.
#[cfg(test)]
pub(crate) use whole::decode as decode_by_other;
