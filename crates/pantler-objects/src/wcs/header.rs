//! What a header must say before its coordinates are evaluated, and what its cards mean whatever the projection.
//!
//! [`check`] refuses headers that would give wrong positions, or none, or keep a reader busy for ever. It changes nothing:
//! a header that is refused here can still be kept, compared and written.

use super::WcsError;
use super::tan_sip::{header_matrix, inverse};
use crate::header_wcs::wcs_keyword;
use crate::metadata::{Card, Metadata};

/// The highest order of a SIP polynomial, and the largest number of axes: keywords have one digit for them.
const HIGHEST: f64 = 9.0;

/// Returns the type of an axis, without blanks around it; empty if the header has none.
pub(crate) fn kind(cards: &Metadata, axis: u8) -> &str {
    cards.get_text(&format!("CTYPE{axis}")).unwrap_or("").trim()
}

/// Returns how many degrees the unit of an axis is; `None` for a unit that is not known as an angle.
pub(crate) fn unit_in_degrees(cards: &Metadata, axis: u8) -> Option<f64> {
    let unit = cards.get_text(&format!("CUNIT{axis}")).unwrap_or("").trim();
    match unit {
        "" | "deg" | "degree" | "degrees" => Some(1.0),
        "arcmin" => Some(1.0 / 60.0),
        "arcsec" => Some(1.0 / 3600.0),
        "mas" => Some(1.0 / 3_600_000.0),
        "rad" => Some(1.0_f64.to_degrees()),
        _ => None,
    }
}

/// Returns the reference frame of the positions: `RADESYS` of equatorial ones, the name of the system of others.
pub(crate) fn reference_frame(cards: &Metadata) -> Option<String> {
    let systems = [
        ("GLON", "GALACTIC"),
        ("ELON", "ECLIPTIC"),
        ("SLON", "SUPERGALACTIC"),
        ("HLON", "HELIOECLIPTIC"),
    ];
    for (prefix, system) in systems {
        if [1, 2]
            .iter()
            .any(|axis| kind(cards, *axis).starts_with(prefix))
        {
            return Some(system.to_owned());
        }
    }
    let text = cards.get_text("RADESYS").or(cards.get_text("RADECSYS"));
    text.map(str::to_owned)
}

/// Returns the equinox of the positions, if the header says it.
pub(crate) fn equinox(cards: &Metadata) -> Option<f64> {
    cards.get_f64("EQUINOX").or(cards.get_f64("EPOCH"))
}

/// Says whether a gnomonic header has the distortion TPV without saying so, as SCAMP wrote it for years.
///
/// The gnomonic projection has no parameter from the fifth on, so these can be nothing else; wcslib decides the same.
pub(crate) fn is_disguised_tpv(cards: &Metadata) -> bool {
    let gnomonic = [1, 2]
        .iter()
        .all(|axis| kind(cards, *axis).ends_with("-TAN"));
    gnomonic
        && cards
            .iter()
            .any(|card| parameter(card).is_some_and(|number| number >= 5))
}

/// Returns the number of a parameter of the first two axes: 5 for `PV1_5`.
pub(crate) fn parameter(card: &Card) -> Option<u32> {
    let keyword = card.keyword();
    let number = keyword
        .strip_prefix("PV1_")
        .or(keyword.strip_prefix("PV2_"))?;
    number.parse().ok()
}

/// Checks what every header must fulfil.
pub(crate) fn check(cards: &Metadata) -> Result<(), WcsError> {
    let damaged = |what: String| Err(WcsError::Damaged { what });
    let unsupported = |what: String| Err(WcsError::Unsupported { what });
    for card in cards.iter() {
        let keyword = card.keyword();
        if wcs_keyword(keyword).is_none_or(|known| known.alternate.is_some()) {
            continue;
        }
        if ["CPDIS", "CQDIS", "D2IM"]
            .iter()
            .any(|root| keyword.starts_with(root))
        {
            return unsupported(format!("the distortion card {keyword}"));
        }
        let Some(number) = card.value().as_f64() else {
            continue;
        };
        let bounded = keyword.ends_with("_ORDER") || matches!(keyword, "WCSAXES" | "WCSDIM");
        if !number.is_finite() || bounded && !(0.0..=HIGHEST).contains(&number) {
            return damaged(format!("{keyword} is {number}"));
        }
        if number != 0.0 && joins_other_axis(keyword) {
            return unsupported(format!(
                "{keyword}, which joins a further axis to the image"
            ));
        }
    }
    for keyword in ["CRPIX1", "CRPIX2", "CRVAL1", "CRVAL2"] {
        if cards.get_f64(keyword).is_none() {
            return damaged(format!("the header has no {keyword}"));
        }
    }
    for axis in [1, 2] {
        if unit_in_degrees(cards, axis).is_none() {
            let unit = cards.get_text(&format!("CUNIT{axis}")).unwrap_or("");
            return unsupported(format!("the axis unit {unit:?}"));
        }
    }
    match inverse(&header_matrix(cards)) {
        Ok(_) => Ok(()),
        Err(_) => damaged("the matrix of the header cannot be inverted".to_owned()),
    }
}

/// Says whether an element of a matrix ties an axis of the image to one that the image does not have.
fn joins_other_axis(keyword: &str) -> bool {
    let axes = keyword.strip_prefix("CD").or(keyword.strip_prefix("PC"));
    let axes = axes.and_then(|axes| axes.split_once('_'));
    let of_image = |axis: &str| matches!(axis, "1" | "2");
    axes.is_some_and(|(i, j)| of_image(i) != of_image(j))
}
