//! One plane of an image: its pixels, where they lie in the parent image, and its header.
//!
//! [`Fetched::fetch`] reads the bytes, of a plain plane only the rows that a cutout needs; [`Fetched::decode`] makes pixels
//! of them and reads nothing, so that planes can be decoded side by side. Which HDU is which plane is no matter of this
//! file.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use pantler_core::FormatError;
use pantler_core::formatter::PixelBox;
use pantler_objects::header_wcs::{sky_wcs_cards, without_sky_wcs};
use pantler_objects::metadata::is_structural_keyword;
use pantler_objects::{Metadata, Pixels, Wcs};

use super::checksum::is_checksum;
use super::contents::Contents;
use super::place::Place;
use super::scaling::{Scaling, from_bytes};
use super::structure::{Hdu, HduKind, HduShape};
use super::tiles;

/// A plane as it was read.
#[derive(Debug, Clone)]
pub(crate) struct Plane {
    /// The cards that speak of the pixels, not of how they are stored.
    pub(crate) header: Metadata,
    /// Which pixels of the parent image it covers.
    pub(crate) bbox: PixelBox,
    /// The pixels of the box, row by row.
    pub(crate) pixels: Pixels,
    /// Where it was read, for messages.
    pub(crate) place: Place,
}

/// What the numbers of a plane are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Measurements: a value may stand for "no value".
    Values,
    /// Bits: every value counts.
    Bits,
}

/// The bytes of a plane, not decoded yet.
pub(crate) struct Fetched {
    hdu: Arc<Hdu>,
    bytes: Bytes,
    whole: PixelBox,
    bbox: PixelBox,
}

impl Fetched {
    /// Reads the bytes of a plane, or of the part of it inside `cut`.
    pub(crate) fn fetch(
        contents: &Contents<'_>,
        index: usize,
        cut: Option<PixelBox>,
    ) -> Result<Fetched, FormatError> {
        let hdu = contents.hdu(index)?;
        hdu.check_data()?;
        let whole = bbox(&hdu.shape, &hdu.place)?;
        let bbox = match cut {
            Some(cut) => inside(&hdu.place, whole, cut)?,
            None => whole,
        };
        let bytes = contents.file().read(data_range(&hdu.shape, whole, bbox))?;
        Ok(Fetched {
            hdu,
            bytes,
            whole,
            bbox,
        })
    }

    /// Makes pixels of the bytes.
    pub(crate) fn decode(&self, meaning: Meaning) -> Result<Plane, FormatError> {
        let (hdu, whole, bbox) = (&self.hdu, self.whole, self.bbox);
        let (rows, skipped) = match &hdu.shape.kind {
            HduKind::Image { bitpix, .. } => {
                let rows = from_bytes(*bitpix, &self.bytes, &hdu.place)?;
                (rows, bbox.y0.abs_diff(whole.y0))
            }
            _ => (tiles::decode(hdu, &self.bytes)?, 0),
        };
        let scaling = match meaning {
            Meaning::Values => Scaling::of(hdu),
            Meaning::Bits => Scaling::of(hdu).without_blank(),
        };
        Ok(Plane {
            header: header_of(hdu, whole, bbox),
            bbox,
            pixels: scaling.apply(crop(rows, whole, bbox, skipped)),
            place: hdu.place.clone(),
        })
    }
}

/// Returns the cards of a plane; those of a cutout count pixels from the cutout's first one.
fn header_of(hdu: &Hdu, whole: PixelBox, bbox: PixelBox) -> Metadata {
    let header = hdu
        .cards
        .without(|card| is_structural_keyword(card.keyword()) || is_checksum(card.keyword()));
    if (whole.x0, whole.y0) == (bbox.x0, bbox.y0) {
        return header;
    }
    let wcs = Wcs::from_header(sky_wcs_cards(&header), whole.x0, whole.y0);
    match wcs.header_at(bbox.x0, bbox.y0) {
        Some(moved) => without_sky_wcs(&header).followed_by(&moved),
        None => header,
    }
}

/// Returns which pixels of the parent image an HDU covers.
pub(crate) fn bbox(shape: &HduShape, place: &Place) -> Result<PixelBox, FormatError> {
    let (_, axes) = shape
        .axes()
        .ok_or_else(|| place.corrupt("it has no pixels"))?;
    let (plane, others) = axes.split_at(axes.len().min(2));
    if others.iter().any(|&length| length != 1) {
        return Err(place.unsupported(format!("an image of {} axes", axes.len())));
    }
    Ok(PixelBox {
        x0: shape.origin.0,
        y0: shape.origin.1,
        width: plane.first().copied().unwrap_or(0),
        height: plane.get(1).copied().unwrap_or(1),
    })
}

/// Returns the box that was asked for, if it lies inside.
fn inside(place: &Place, whole: PixelBox, cut: PixelBox) -> Result<PixelBox, FormatError> {
    let fits = |start: i64, length: u64, first: i64, most: u64| {
        let before = i128::from(start) - i128::from(first);
        before >= 0 && before + i128::from(length) <= i128::from(most)
    };
    if fits(cut.x0, cut.width, whole.x0, whole.width)
        && fits(cut.y0, cut.height, whole.y0, whole.height)
    {
        return Ok(cut);
    }
    Err(place.unsupported(format!(
        "the box {}x{} at ({}, {}) does not lie in the image, which is {}x{} at ({}, {})",
        cut.width, cut.height, cut.x0, cut.y0, whole.width, whole.height, whole.x0, whole.y0
    )))
}

/// Returns the bytes to read for a box: the rows of a plain image, all of a compressed one.
pub(crate) fn data_range(shape: &HduShape, whole: PixelBox, bbox: PixelBox) -> Range<u64> {
    let HduKind::Image { bitpix, .. } = shape.kind else {
        return shape.data.clone();
    };
    let row = whole.width.saturating_mul(bitpix.unsigned_abs() / 8);
    let at = |rows: u64| {
        shape
            .data
            .start
            .saturating_add(row.saturating_mul(rows))
            .min(shape.data.end)
    };
    let first = bbox.y0.abs_diff(whole.y0);
    at(first)..at(first.saturating_add(bbox.height))
}

/// Cuts a box out of rows of which the first is the `skipped`-th of the whole.
fn crop(rows: Pixels, whole: PixelBox, bbox: PixelBox, skipped: u64) -> Pixels {
    fn cut<T: Copy>(rows: &[T], row: usize, x: usize, y: usize, size: (usize, usize)) -> Vec<T> {
        let lines = rows.chunks_exact(row.max(1)).skip(y).take(size.1);
        lines
            .flat_map(|line| line.iter().skip(x).take(size.0))
            .copied()
            .collect()
    }
    if bbox.width == whole.width && rows.len() as u64 == bbox.width.saturating_mul(bbox.height) {
        return rows;
    }
    // The box lies inside the image, which is in memory, so its measures are sizes of memory.
    let row = whole.width as usize;
    let x = bbox.x0.abs_diff(whole.x0) as usize;
    let y = (bbox.y0.abs_diff(whole.y0) - skipped) as usize;
    let size = (bbox.width as usize, bbox.height as usize);
    match &rows {
        Pixels::U8(rows) => cut(rows, row, x, y, size).into(),
        Pixels::I8(rows) => cut(rows, row, x, y, size).into(),
        Pixels::U16(rows) => cut(rows, row, x, y, size).into(),
        Pixels::I16(rows) => cut(rows, row, x, y, size).into(),
        Pixels::U32(rows) => cut(rows, row, x, y, size).into(),
        Pixels::I32(rows) => cut(rows, row, x, y, size).into(),
        Pixels::U64(rows) => cut(rows, row, x, y, size).into(),
        Pixels::I64(rows) => cut(rows, row, x, y, size).into(),
        Pixels::F32(rows) => cut(rows, row, x, y, size).into(),
        Pixels::F64(rows) => cut(rows, row, x, y, size).into(),
    }
}

/// Reads all pixels of an HDU, whatever its number of axes; the tests compare them with other readers'.
#[cfg(test)]
pub(crate) fn read_all_pixels(
    contents: &Contents<'_>,
    index: usize,
    bits: bool,
) -> Result<Pixels, FormatError> {
    let hdu = contents.hdu(index)?;
    hdu.check_data()?;
    let bytes = contents.file().read(hdu.shape.data.clone())?;
    let stored = match &hdu.shape.kind {
        HduKind::Image { bitpix, .. } => from_bytes(*bitpix, &bytes, &hdu.place)?,
        _ => tiles::decode(&hdu, &bytes)?,
    };
    let scaling = Scaling::of(&hdu);
    Ok(if bits {
        scaling.without_blank()
    } else {
        scaling
    }
    .apply(stored))
}
