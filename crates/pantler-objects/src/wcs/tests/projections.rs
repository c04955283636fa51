//! Every projection against wcslib, with the headers and positions of `projections.json`.

use pantler_core::formatter::PixelBox;
use serde_json::Value;

use crate::metadata::{Card, CardValue, Metadata};
use crate::wcs::sky::separation;
use crate::wcs::{Wcs, WcsError};

use super::{pairs, tan_header};

fn cases() -> Vec<Value> {
    let file: Value = serde_json::from_str(include_str!("projections.json")).unwrap();
    file["cases"].as_array().unwrap().clone()
}

fn header(case: &Value) -> Metadata {
    let cards = case["header"].as_object().unwrap().iter();
    Metadata::new(cards.map(|(keyword, value)| {
        let value: CardValue = match value {
            Value::String(text) => text.as_str().into(),
            number if number.is_i64() => number.as_i64().unwrap().into(),
            number => number.as_f64().unwrap().into(),
        };
        Card::new(keyword.as_str(), value, None)
    }))
}

#[test]
fn all_projections_agree_with_wcslib() {
    let cases = cases();
    assert!(cases.len() >= 64, "{}", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let wcs = Wcs::from_header(header(case), 0, 0);
        let (pixels, expected) = (pairs(&case["pixels"]), pairs(&case["sky"]));
        let found = match wcs.pixel_to_sky(&pixels) {
            Ok(found) => found,
            Err(error) => {
                wrong.push(format!("{}: {error}", case["name"]));
                continue;
            }
        };
        // Wcslib computes the cube of COBE in single precision. A comparison with NaN is false, so a position that is
        // missing counts as wrong.
        let single = case["name"] == "CSC galactic";
        let (arcseconds, distance) = if single { (0.01, 1e-5) } else { (1e-6, 1e-6) };
        let near = |(a, b): (&(f64, f64), &(f64, f64))| separation(*a, *b) < arcseconds;
        if !found.iter().zip(&expected).all(near) {
            wrong.push(format!("{}: {found:?}, not {expected:?}", case["name"]));
            continue;
        }
        let back = wcs.sky_to_pixel(&expected).unwrap();
        let near = |(a, b): (&(f64, f64), &(f64, f64))| (a.0 - b.0).hypot(a.1 - b.1) < distance;
        if !back.iter().zip(&pixels).all(near) {
            wrong.push(format!("{}: {back:?}, not {pixels:?}", case["name"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Cards that say where an array lies in its parent do not move its pixels a second time.
#[test]
fn the_place_in_the_parent_counts_once() {
    let case = &cases()[0];
    let plain = Wcs::from_header(header(case), 100, 200);
    let placed = header(case)
        .with("LTV1", -100.0, None)
        .with("LTV2", -200.0, None)
        .with("LTM1_1", 2.0, None);
    let placed = Wcs::from_header(placed, 100, 200);
    let moved: Vec<(f64, f64)> = pairs(&case["pixels"])
        .iter()
        .map(|(x, y)| (x + 100.0, y + 200.0))
        .collect();
    let expected = pairs(&case["sky"]);
    for wcs in [plain, placed] {
        let found = wcs.pixel_to_sky(&moved).unwrap();
        let pairs = found.iter().zip(&expected);
        assert_eq!(pairs.clone().count(), 5);
        for (a, b) in pairs {
            assert!(separation(*a, *b) < 1e-6);
        }
        let back = wcs.sky_to_pixel(&expected).unwrap();
        for (a, b) in back.iter().zip(&moved) {
            assert!((a.0 - b.0).hypot(a.1 - b.1) < 1e-6);
        }
    }
}

/// What lies behind the centre has no pixel, and what lies beyond the whole sky has no position.
#[test]
fn what_the_projection_does_not_show_is_not_a_number() {
    let wcs = Wcs::from_header(tan_header(), 0, 0);
    let behind = wcs.sky_to_pixel(&[(180.0, -80.0), (10.0, 89.0)]).unwrap();
    assert!(behind[0].0.is_nan() && behind[0].1.is_nan());
    assert!(behind[1].0.is_finite());
    let all_sky = cases();
    let all_sky = all_sky.iter().find(|case| case["name"] == "AIT galactic");
    let all_sky = Wcs::from_header(header(all_sky.unwrap()), 0, 0);
    let outside = all_sky.pixel_to_sky(&[(-5000.0, 0.0)]).unwrap();
    assert!(outside[0].0.is_nan() && outside[0].1.is_nan());
    assert_eq!(all_sky.pixel_scale(-5000.0, 0.0), Err(WcsError::OffSky));
    let pixels = PixelBox {
        x0: -5000,
        y0: 0,
        width: 5000,
        height: 10,
    };
    assert_eq!(all_sky.footprint(pixels), Err(WcsError::OffSky));
}

/// Cards of a fit claim right ascension and declination, so positions of another system are not fitted.
#[test]
fn systems_are_named_and_only_equatorial_ones_are_fitted() {
    let pixels = PixelBox {
        x0: 500,
        y0: 290,
        width: 20,
        height: 20,
    };
    let of = |name: &str| {
        let cases = cases();
        let case = cases.iter().find(|case| case["name"] == name);
        Wcs::from_header(header(case.unwrap()), 0, 0)
    };
    let galactic = of("CAR galactic");
    assert_eq!(
        galactic.reference_frame().unwrap().as_deref(),
        Some("GALACTIC")
    );
    assert!(matches!(
        galactic.fit_tan_sip(pixels),
        Err(WcsError::Unsupported { .. })
    ));
    let sine = of("SIN");
    assert_eq!(sine.reference_frame().unwrap().as_deref(), Some("FK5"));
    let fitted = sine.fit_tan_sip(pixels).unwrap();
    assert!(fitted.largest_residual < 1e-6);
    assert_eq!(fitted.cards.get_text("RADESYS"), Some("FK5"));
    assert_eq!(fitted.cards.get_f64("EQUINOX"), Some(2000.0));
}

/// What one reader takes for something else than another does is refused by name.
#[test]
fn parameters_that_readers_disagree_on_are_refused() {
    let of = |kind: &str| {
        tan_header()
            .with("CTYPE1", format!("RA---{kind}"), None)
            .with("CTYPE2", format!("DEC--{kind}"), None)
    };
    let refused = |header: Metadata| {
        let found = Wcs::from_header(header, 0, 0).pixel_to_sky(&[(0.0, 0.0)]);
        found.unwrap_err().to_string()
    };
    assert!(refused(of("TPV").with("PV1_1", 1.0, None)).contains("PV2_1"));
    assert!(refused(of("TAN").with("PV2_7", 0.1, None)).contains("PV1_1"));
    assert!(refused(of("CAR").with("PV1_1", 5.0, None)).contains("PV1_0"));
    assert!(refused(of("STG").with("PV1_2", 80.0, None)).contains("PV1_0"));
    let beside = of("STG").with("PV1_0", 1.0, None).with("PV1_2", 80.0, None);
    assert!(refused(beside).contains("PV1_2"));
    let south = of("MOL").with("CRVAL2", -90.0, None);
    assert!(refused(south).contains("MOL"));
    for kind in ["TAN", "CAR"] {
        assert!(refused(of(kind).with("CRVAL2", 90.5, None)).contains("CRVAL2"));
    }
    let usual = of("STG").with("PV1_1", 0.0, None).with("PV1_2", 90.0, None);
    assert!(Wcs::from_header(usual, 0, 0).pixel_to_sky(&[]).is_ok());
}
