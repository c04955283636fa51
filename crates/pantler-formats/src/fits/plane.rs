//! One plane of an image: its pixels, where they lie in the parent image, and its header.
//!
//! [`Fetched::fetch`] asks for the bytes: of a plain plane the rows that a cutout needs, of a compressed one the tiles.
//! [`Fetched::decode`] makes pixels of them and asks for nothing more, so that planes can be decoded side by side. Which HDU
//! is which plane is no matter of this file.

use std::ops::Range;
use std::sync::Arc;

use pantler_core::FormatError;
use pantler_core::formatter::PixelBox;
use pantler_objects::header_wcs::{sky_wcs_cards, without_sky_wcs};
use pantler_objects::metadata::is_structural_keyword;
use pantler_objects::{Metadata, Pixels, Wcs};

use super::checksum::is_checksum;
use super::contents::Contents;
use super::place::Place;
use super::plain::Plain;
use super::scaling::Scaling;
use super::stored::Stored;
use super::structure::{Hdu, HduKind, HduShape};
use super::tiles::{Area, Tiles};

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

/// The bytes of a plane, or the way to them, not decoded yet.
pub(crate) struct Fetched {
    hdu: Arc<Hdu>,
    bytes: PlaneBytes,
    whole: PixelBox,
    bbox: PixelBox,
}

enum PlaneBytes {
    Plain(i64, Stored),
    Tiles(Tiles),
}

impl Fetched {
    /// Reads the bytes of a plane, or of the part of it inside `cut`; large plain ones are read when they are decoded.
    pub(crate) fn fetch(
        contents: &Contents<'_>,
        index: usize,
        cut: Option<PixelBox>,
    ) -> Result<Fetched, FormatError> {
        let hdu = contents.hdu(index)?;
        let whole = bbox(&hdu.shape, &hdu.place)?;
        let bbox = match cut {
            Some(cut) => inside(&hdu.place, whole, cut)?,
            None => whole,
        };
        Fetched::fetch_box(contents, hdu, whole, bbox)
    }

    fn fetch_box(
        contents: &Contents<'_>,
        hdu: Arc<Hdu>,
        whole: PixelBox,
        bbox: PixelBox,
    ) -> Result<Fetched, FormatError> {
        hdu.check_data()?;
        let bytes = match hdu.shape.kind {
            HduKind::Image { bitpix, .. } => {
                let range = data_range(&hdu.shape, whole, bbox);
                PlaneBytes::Plain(bitpix, contents.file().stored(range)?)
            }
            _ => {
                let area = Area::of(whole, bbox);
                PlaneBytes::Tiles(Tiles::fetch(contents.file(), &hdu, area)?)
            }
        };
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
        let scaling = match meaning {
            Meaning::Values => Scaling::of(hdu),
            Meaning::Bits => Scaling::of(hdu).without_blank(),
        };
        let area = Area::of(whole, bbox);
        let pixels = match &self.bytes {
            PlaneBytes::Plain(bitpix, stored) => {
                let plain = Plain {
                    stored,
                    start: hdu.shape.data.start,
                    row: whole.width,
                    first: (area.x, area.y),
                    // The rows lie in the file, against whose size they were checked.
                    size: (bbox.width as usize, bbox.height as usize),
                    place: &hdu.place,
                };
                scaling.decode(*bitpix, &hdu.place, plain)?
            }
            PlaneBytes::Tiles(tiles) => tiles.decode(hdu, area, scaling)?,
        };
        Ok(Plane {
            header: header_of(hdu, whole, bbox),
            bbox,
            pixels,
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

/// Returns the bytes to read for a box of a plain image: its rows. For others it is all data.
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

/// Reads all pixels of an HDU, whatever its number of axes; the tests compare them with other readers'.
#[cfg(test)]
pub(crate) fn read_all_pixels(
    contents: &Contents<'_>,
    index: usize,
    bits: bool,
) -> Result<Pixels, FormatError> {
    let hdu = contents.hdu(index)?;
    let (_, axes) = hdu.shape.axes().unwrap_or_default();
    let whole = PixelBox {
        x0: 0,
        y0: 0,
        width: axes.first().copied().unwrap_or(0),
        height: super::structure::product(axes.get(1..).unwrap_or_default()).unwrap_or(0),
    };
    let fetched = Fetched::fetch_box(contents, hdu, whole, whole)?;
    let meaning = if bits { Meaning::Bits } else { Meaning::Values };
    Ok(fetched.decode(meaning)?.pixels)
}
