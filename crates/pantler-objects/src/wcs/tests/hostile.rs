//! Headers that would keep a reader busy for ever, take all memory, or give positions that mean nothing.

use pantler_core::formatter::PixelBox;
use proptest::prelude::*;

use super::tan_header;
use crate::metadata::{CardValue, Metadata};
use crate::wcs::{Wcs, WcsError};

/// Asks everything of a coordinate system; returns what the first question brought.
fn asked(header: Metadata) -> Result<Vec<(f64, f64)>, WcsError> {
    let wcs = Wcs::from_header(header, 3, 4);
    let pixels = PixelBox {
        x0: i64::MAX,
        y0: i64::MIN,
        width: u64::MAX,
        height: u64::MAX,
    };
    let _ = (wcs.footprint(pixels), wcs.pixel_scale(0.0, f64::NAN));
    let far = [(0.0, 0.0), (10.0, 91.0), (1e300, -1e300), (f64::NAN, 0.0)];
    let _ = wcs.sky_to_pixel(&far);
    let _ = wcs.reference_frame();
    wcs.pixel_to_sky(&[(0.0, 0.0), (1e300, f64::INFINITY)])
}

fn of_kind(kind: &str) -> Metadata {
    tan_header()
        .with("CTYPE1", format!("RA---{kind}"), None)
        .with("CTYPE2", format!("DEC--{kind}"), None)
        .with("A_ORDER", 2_i64, None)
        .with("B_ORDER", 2_i64, None)
        .with("PV1_1", if kind == "TPV" { 1.0 } else { 0.0 }, None)
        .with("PV2_1", 1.0, None)
}

#[test]
fn hostile_numbers_are_errors_whatever_the_projection() {
    for kind in ["TAN", "TAN-SIP", "SIN-SIP", "TPV", "CAR"] {
        assert!(asked(of_kind(kind)).is_ok(), "{kind}");
        for (keyword, value) in [
            ("B_ORDER", CardValue::Integer(99_999_999)),
            ("A_ORDER", CardValue::Integer(-1)),
            ("AP_ORDER", CardValue::Real(1e300)),
            ("WCSAXES", CardValue::Integer(2_147_483_647)),
            ("WCSDIM", CardValue::Integer(10)),
            ("CRVAL1", CardValue::Real(f64::NAN)),
            ("CRPIX2", CardValue::Real(f64::INFINITY)),
            ("CDELT1", CardValue::Integer(0)),
            ("CDELT2", CardValue::Real(f64::NAN)),
            ("CD1_1", CardValue::Integer(0)),
            ("PV2_1", CardValue::Real(f64::NEG_INFINITY)),
        ] {
            let found = asked(of_kind(kind).with(keyword, value.clone(), None));
            assert!(
                matches!(found, Err(WcsError::Damaged { .. })),
                "{kind} {keyword} {value:?}: {found:?}"
            );
        }
    }
}

#[test]
fn hostile_texts_are_errors() {
    for (keyword, text) in [
        ("CTYPE1", ""),
        ("CTYPE1", "é---TAN"),
        ("CTYPE2", "DEC--ééé"),
        ("CTYPE2", "DEC"),
        ("CUNIT1", "é"),
    ] {
        let found = asked(of_kind("SIN").with(keyword, text, None));
        assert!(
            matches!(found, Err(WcsError::Unsupported { .. })),
            "{keyword} {text:?}: {found:?}"
        );
    }
    let surface = |text: &str| {
        of_kind("TNX").with("WAT1_001", format!("wtype=tnx lngcor = \"{text}\""), None)
    };
    assert!(asked(surface("3. 1. 1. 2. -1. 1. -1. 1. 0.001")).is_ok());
    for text in [
        "3. 1e9 1e9 1. -1. 1. -1. 1.",
        "3. 2147483647 1. 2. -1. 1. -1. 1. 0.1",
        "3. 1. 1. 2. 1. 1. 1. 1. 0.1",
        "3. x",
        "é",
    ] {
        assert!(asked(surface(text)).is_err(), "{text}");
    }
}

proptest! {
    /// No header makes it panic or wait: any numbers, in the cards that some projection looks at.
    #[test]
    fn any_header_is_answered(
        kind in "(TAN|TAN-SIP|SIN|SIN-SIP|TPV|TNX|ZPX|ZPN|AZP|SZP|STG|ARC|ZEA|AIR|CYP|CEA|CAR|MER|SFL|PAR|MOL|AIT|COP|COE|COD|COO|BON|PCO|TSC|CSC|QSC|HPX|XPH|TAB|XYZ)",
        numbers in proptest::collection::vec(
            (
                "(CRVAL[12]|CRPIX[12]|CDELT[12]|CROTA[12]|CD[12]_[123]|PC[12]_[12]|PV[12]_[0-9]{1,2}|LONPOLE|LATPOLE|\
                 [AB]P?_ORDER|[AB]_[0-9]_[0-9]|WCSAXES)",
                prop_oneof![
                    Just(0.0), Just(1.0), Just(-1.0), Just(90.0), Just(-90.0), Just(180.0), Just(3.0), Just(1e-300), Just(1e300),
                    Just(f64::NAN), -1.0..1.0_f64, -400.0..400.0_f64,
                ],
            ),
            0..8,
        ),
    ) {
        let header = numbers.into_iter().fold(of_kind(&kind), |header, (keyword, number)| {
            header.with(&keyword, number, None)
        });
        let _ = asked(header);
    }
}
