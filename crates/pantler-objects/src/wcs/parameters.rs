//! The parameters of projections, `PVi_m`: which are meant where none is given, and which readers disagree on.
//!
//! [`super::projected`] asks for both, since the library behind it takes a missing parameter for 0, moves the plane
//! whenever the place of the reference point is named, and misplaces it in two cases.

use super::WcsError;
use super::header::{is_disguised_tpv, kind, unit_in_degrees};
use crate::metadata::Metadata;

/// Projections whose parameters on the axis of the latitude are not 0 where they are not given.
const DEFAULTS: [(&str, u8, f64); 5] = [
    ("SZP", 3, 90.0),
    ("AIR", 1, 90.0),
    ("CYP", 1, 1.0),
    ("CYP", 2, 1.0),
    ("CEA", 1, 1.0),
];

/// Projections whose reference point is a pole of their own coordinates.
const ZENITHAL: [&str; 12] = [
    "AZP", "SZP", "TAN", "TPV", "TNX", "STG", "SIN", "ARC", "ZPN", "ZPX", "ZEA", "AIR",
];

/// Returns the code of the projection: `TAN` of `RA---TAN-SIP`; empty if there is none.
fn code(cards: &Metadata) -> &str {
    kind(cards, 1).get(5..8).unwrap_or("")
}

/// Returns the number of the axis with the longitude; `None` if there is none.
fn longitude_axis(cards: &Metadata) -> Option<u8> {
    [1, 2].into_iter().find(|axis| {
        let kind = kind(cards, *axis);
        kind.starts_with("RA") || kind.get(1..4) == Some("LON") || kind.get(2..4) == Some("LN")
    })
}

/// Returns the parameters that are meant though the header does not give them, by keyword.
pub(crate) fn defaults(cards: &Metadata) -> Vec<(String, f64)> {
    let Some(longitude) = longitude_axis(cards) else {
        return Vec::new();
    };
    let latitude = 3 - longitude;
    let meant = DEFAULTS
        .iter()
        .filter(|(projection, ..)| *projection == code(cards));
    let meant = meant.map(|(_, number, value)| (format!("PV{latitude}_{number}"), *value));
    meant
        .filter(|(keyword, _)| cards.get_f64(keyword).is_none())
        .collect()
}

/// Refuses parameters that readers understand in different ways, and those that the library behind [`super::projected`]
/// gets wrong.
pub(crate) fn check_parameters(cards: &Metadata) -> Result<(), WcsError> {
    let unsupported = |what: String| Err(WcsError::Unsupported { what });
    // Axes that are none of the sky are refused by their types.
    let Some(axis) = longitude_axis(cards) else {
        return Ok(());
    };
    let zenithal = ZENITHAL.contains(&code(cards));
    let latitude_card = format!("CRVAL{}", 3 - axis);
    let unit = unit_in_degrees(cards, 3 - axis).unwrap_or(1.0);
    let latitude = cards.get_f64(&latitude_card).unwrap_or(0.0) * unit;
    if latitude.abs() > 90.0 {
        return Err(WcsError::Damaged {
            what: format!("{latitude_card} is {latitude} degrees"),
        });
    }
    if latitude == -90.0 && !zenithal && code(cards) != "XPH" {
        return unsupported(format!(
            "the projection {:?} around the south pole",
            code(cards)
        ));
    }
    if is_disguised_tpv(cards) || code(cards) == "TPV" {
        // Some readers take 1 for them, wcslib takes 0.
        let scales = ["PV1_1", "PV2_1"].into_iter();
        let missing = scales
            .clone()
            .find(|keyword| cards.get_f64(keyword).is_none());
        return match missing {
            Some(keyword) => unsupported(format!("the distortion TPV without {keyword}")),
            None => Ok(()),
        };
    }
    if matches!(code(cards), "TNX" | "ZPX") {
        return Ok(());
    }
    let parameter = |number: u8| cards.get_f64(&format!("PV{axis}_{number}"));
    let usual = if zenithal { 90.0 } else { 0.0 };
    let across = parameter(1).is_some_and(|longitude| longitude != 0.0);
    let along = parameter(2).is_some_and(|latitude| latitude != usual);
    // Whether the plane moves with the reference point is what the parameter 0 says.
    if (across || along) && parameter(0).unwrap_or(0.0) == 0.0 {
        return unsupported(format!(
            "a reference point that is moved without PV{axis}_0"
        ));
    }
    if zenithal && along {
        return unsupported(format!("PV{axis}_2, a reference point beside the pole"));
    }
    Ok(())
}
