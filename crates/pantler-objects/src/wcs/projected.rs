//! The other projections of FITS headers: `SIN`, `ARC`, `ZPN`, `CAR`, `AIT`, …, with the distortions SIP, TPV, TNX and ZPX.
//!
//! The library `fitsy` computes them. It is given a header of its own, made of the cards that describe the first two axes
//! and of nothing else, because it would also follow cards that the field ignores: `LTVn` and `LTMi_j`, which would move
//! the pixels a second time, and plate solutions. Angles are turned into degrees before, `CRVALn` included, as the FITS
//! standard has it. [`super::header`] has refused by then what would keep the library busy for ever.
//!
//! The gnomonic projection goes through here only where [`super::tan_sip`] does not say the same.

use fitsy::{Header, Value};

use super::WcsError;
use super::header::{equinox, is_disguised_tpv, kind, reference_frame, unit_in_degrees};
use super::parameters::{check_parameters, defaults};
use super::sky::in_degrees;
use super::tan_sip::has_matrix;
use crate::metadata::{CardValue, Metadata};

/// Text that one card of the TNX and ZPX conventions holds.
const FRAGMENT: usize = 68;

/// A coordinate system of a header that the library computes; pixels are those of the parent image, counted from 0.
#[derive(Debug)]
pub(crate) struct Projected {
    wcs: fitsy::Wcs,
    x0: f64,
    y0: f64,
    /// Whether the second coordinate is the longitude.
    swapped: bool,
    pub(crate) system: Option<String>,
    pub(crate) equinox: Option<f64>,
}

impl Projected {
    /// Reads the cards of an array whose first pixel is (`x0`, `y0`) of its parent; they are checked already.
    pub(crate) fn from_header(cards: &Metadata, x0: i64, y0: i64) -> Result<Projected, WcsError> {
        let refused = |why: String| WcsError::Unsupported {
            what: format!(
                "the axis types {:?} and {:?}{why}",
                kind(cards, 1),
                kind(cards, 2)
            ),
        };
        check_parameters(cards)?;
        let header = header_of(cards).map_err(|error| refused(format!(": {error}")))?;
        let wcs = fitsy::Wcs::from_header(&header, ' ')
            .map_err(|error| refused(format!(": {error}")))?
            .ok_or_else(|| refused(String::new()))?;
        let swapped = match wcs.celestial_axes() {
            Some((0, 1)) => false,
            Some((1, 0)) => true,
            _ => return Err(refused(String::new())),
        };
        if wcs.is_tabular(0) || wcs.is_tabular(1) {
            return Err(refused(", whose table is elsewhere".to_owned()));
        }
        Ok(Projected {
            wcs,
            x0: x0 as f64,
            y0: y0 as f64,
            swapped,
            system: reference_frame(cards),
            equinox: equinox(cards),
        })
    }

    /// Returns the position of a pixel, in degrees.
    pub(crate) fn pixel_to_sky(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let world = self.wcs.pixel_to_world(&[x - self.x0, y - self.y0]);
        let (longitude, latitude) = self.in_order(world.unwrap_or_default());
        in_degrees(longitude.to_radians(), latitude.to_radians())
    }

    /// Returns a pixel to start from where the one at a position is looked for.
    pub(crate) fn near(&self, (longitude, latitude): (f64, f64)) -> (f64, f64) {
        let world = match self.swapped {
            false => [longitude, latitude],
            true => [latitude, longitude],
        };
        match self.wcs.world_to_pixel(&world).unwrap_or_default()[..] {
            [x, y] => (x + self.x0, y + self.y0),
            _ => (f64::NAN, f64::NAN),
        }
    }

    fn in_order(&self, world: Vec<f64>) -> (f64, f64) {
        match world[..] {
            [a, b] if self.swapped => (b, a),
            [a, b] => (a, b),
            _ => (f64::NAN, f64::NAN),
        }
    }
}

/// Makes the header that the library reads.
fn header_of(cards: &Metadata) -> Result<Header, fitsy::FitsError> {
    let mut header = Header::empty();
    header.push("NAXIS", 2_i64, None)?;
    let tpv = is_disguised_tpv(cards);
    for axis in 1..=2_u8 {
        let kind = kind(cards, axis);
        let kind = if tpv {
            kind.replace("TAN", "TPV")
        } else {
            kind.to_owned()
        };
        header.push(format!("CTYPE{axis}"), kind.as_str(), None)?;
        push_axis(&mut header, cards, axis)?;
        for number in 0..=99 {
            copy(&mut header, cards, &format!("PV{axis}_{number}"), 1.0)?;
        }
        if kind.ends_with("TNX") || kind.ends_with("ZPX") {
            push_fragments(&mut header, cards, axis)?;
        }
    }
    for (keyword, value) in defaults(cards) {
        header.push(keyword, value, None)?;
    }
    for keyword in ["LONPOLE", "LATPOLE"] {
        copy(&mut header, cards, keyword, 1.0)?;
    }
    if kind(cards, 2).ends_with("-SIP") {
        push_sip(&mut header, cards)?;
    }
    Ok(header)
}

/// Adds reference pixel, reference value and scale of an axis.
fn push_axis(header: &mut Header, cards: &Metadata, axis: u8) -> Result<(), fitsy::FitsError> {
    let unit = unit_in_degrees(cards, axis).unwrap_or(1.0);
    copy(header, cards, &format!("CRPIX{axis}"), 1.0)?;
    copy(header, cards, &format!("CRVAL{axis}"), unit)?;
    let (of_cd, of_pc) = (
        [1, 2].map(|j| format!("CD{axis}_{j}")),
        [1, 2].map(|j| format!("PC{axis}_{j}")),
    );
    // Where there are both forms of the matrix the newer one counts.
    if has_matrix(cards, "CD") {
        return of_cd
            .iter()
            .try_for_each(|keyword| copy(header, cards, keyword, unit));
    }
    let step = cards.get_f64(&format!("CDELT{axis}")).unwrap_or(1.0);
    header.push(format!("CDELT{axis}"), step * unit, None)?;
    copy(header, cards, &format!("CROTA{axis}"), 1.0)?;
    of_pc
        .iter()
        .try_for_each(|keyword| copy(header, cards, keyword, 1.0))
}

/// Copies a card with a number, if there is one.
fn copy(
    header: &mut Header,
    cards: &Metadata,
    keyword: &str,
    factor: f64,
) -> Result<(), fitsy::FitsError> {
    if let Some(number) = cards.get_f64(keyword) {
        header.push(keyword, Value::Real(number * factor), None)?;
    }
    Ok(())
}

/// Adds the distortion of the SIP convention; its polynomials for the way back are not needed.
fn push_sip(header: &mut Header, cards: &Metadata) -> Result<(), fitsy::FitsError> {
    for root in ["A", "B"] {
        let order = cards
            .get_i64(&format!("{root}_ORDER"))
            .unwrap_or(0)
            .clamp(0, 9);
        header.push(format!("{root}_ORDER"), order, None)?;
        for p in 0..=order {
            for q in 0..=order - p {
                copy(header, cards, &format!("{root}_{p}_{q}"), 1.0)?;
            }
        }
    }
    Ok(())
}

/// Adds the text of an axis in the TNX and ZPX conventions.
///
/// Writers break it after 68 characters, be that inside a number, and readers of FITS drop blanks at the end of a card. The
/// library joins fragments with a blank, so it gets fragments that end where a word ends.
fn push_fragments(header: &mut Header, cards: &Metadata, axis: u8) -> Result<(), fitsy::FitsError> {
    let mut text = String::new();
    for number in 1..=999 {
        let Some(CardValue::Text(fragment)) = cards.get(&format!("WAT{axis}_{number:03}")) else {
            break;
        };
        // A fragment that is not the last fills its card.
        let missing = text.len().next_multiple_of(FRAGMENT) - text.len();
        text.extend(std::iter::repeat_n(' ', missing));
        text.push_str(fragment);
    }
    let mut fragment = String::new();
    let mut number = 1;
    for word in text.split_whitespace() {
        if !fragment.is_empty() && fragment.len() + 1 + word.len() > FRAGMENT {
            header.push(format!("WAT{axis}_{number:03}"), fragment.as_str(), None)?;
            fragment.clear();
            number += 1;
        }
        if !fragment.is_empty() {
            fragment.push(' ');
        }
        fragment.push_str(word);
    }
    if fragment.is_empty() {
        return Ok(());
    }
    header.push(format!("WAT{axis}_{number:03}"), fragment.as_str(), None)?;
    Ok(())
}
