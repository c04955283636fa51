//! Positions against what other software computed from the same files: AST itself, and wcslib through astropy.

mod backwards;
mod hostile;
mod projections;

use pantler_core::formatter::PixelBox;
use proptest::prelude::*;
use serde_json::Value;

use super::fit::fit;
use super::sky::{from_plane, separation, to_plane};
use super::tan_sip::{TanSip, evaluate};
use super::{Carrier, Wcs, WcsError};
use crate::header_wcs::sky_wcs_cards;
use crate::metadata::Metadata;
use crate::real_files;

fn oracle() -> Option<Value> {
    let path = pantler_testkit::test_data("WCS_ORACLE.json")?;
    Some(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
}

fn pairs(value: &Value) -> Vec<(f64, f64)> {
    let pair = |pair: &Value| (pair[0].as_f64().unwrap(), pair[1].as_f64().unwrap());
    value.as_array().unwrap().iter().map(pair).collect()
}

fn sky_wcs(record: &Value) -> Wcs {
    let archive = real_files::archive(record["file"].as_str().unwrap()).unwrap();
    let id = record["archive_ids"][0].as_i64().unwrap() as i32;
    Wcs::from_archive(archive.persisted(id).unwrap())
}

fn largest_separation(found: &[(f64, f64)], expected: &[(f64, f64)]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let pairs = found.iter().zip(expected);
    pairs.map(|(a, b)| separation(*a, *b)).fold(0.0, f64::max)
}

#[test]
fn sky_wcs_records_agree_with_ast() {
    let Some(oracle) = oracle() else { return };
    let records = oracle["skywcs"].as_array().unwrap();
    assert_eq!(records.len(), 13);
    for record in records {
        let wcs = sky_wcs(record);
        let found = wcs.pixel_to_sky(&pairs(&record["pixel_xy"])).unwrap();
        let worst = largest_separation(&found, &pairs(&record["sky_radec_deg"]));
        // The oracle has twelve digits, the last of which is about a microarcsecond.
        assert!(worst < 5e-6, "{}: {worst} arcsec", record["file"]);
        assert_eq!(wcs.reference_frame().unwrap().as_deref(), Some("ICRS"));
    }
}

#[test]
fn headers_agree_with_wcslib() {
    let Some(oracle) = oracle() else { return };
    let records = oracle["header_wcs"].as_array().unwrap();
    assert_eq!(records.len(), 48);
    for record in records {
        let wcs = header_wcs(record);
        let found = wcs.pixel_to_sky(&pairs(&record["pixel_xy"])).unwrap();
        let worst = largest_separation(&found, &pairs(&record["sky_radec_deg"]));
        let (file, hdu) = (&record["file"], &record["hdu"]);
        assert!(worst < 5e-6, "{file} {hdu}: {worst} arcsec");
    }
}

fn header_wcs(record: &Value) -> Wcs {
    let hdus = real_files::read(record["file"].as_str().unwrap()).unwrap();
    let header = &hdus[record["hdu"].as_u64().unwrap() as usize].header;
    Wcs::from_header(sky_wcs_cards(header), 0, 0)
}

/// A coordinate system that only an archive record has becomes cards that any reader evaluates.
#[test]
fn fitted_headers_say_the_same_as_their_records() {
    let Some(oracle) = oracle() else { return };
    for record in oracle["skywcs"].as_array().unwrap() {
        let wcs = sky_wcs(record);
        let (xy0, size) = (&record["bbox_xy0"], &record["bbox_size"]);
        let pixels = PixelBox {
            x0: xy0[0].as_i64().unwrap(),
            y0: xy0[1].as_i64().unwrap(),
            width: size[0].as_u64().unwrap(),
            height: size[1].as_u64().unwrap(),
        };
        let header = wcs.header_for(pixels).unwrap();
        assert!(
            header.largest_residual < 1e-4,
            "{}: {} arcsec",
            record["file"],
            header.largest_residual
        );
        let fitted = Wcs::from_header(header.cards.clone(), pixels.x0, pixels.y0);
        let found = fitted.pixel_to_sky(&pairs(&record["pixel_xy"])).unwrap();
        let worst = largest_separation(&found, &pairs(&record["sky_radec_deg"]));
        assert!(
            worst <= header.largest_residual + 5e-6,
            "{}: {worst}",
            record["file"]
        );
        assert_eq!(header.cards.get_text("RADESYS"), Some("ICRS"));
        // Readers that do not iterate go back by the polynomials AP and BP.
        let fitted = TanSip::from_header(&header.cards, pixels.x0, pixels.y0).unwrap();
        for (x, y) in pairs(&record["pixel_xy"]) {
            let (u, v) = (x - fitted.crpix.0, y - fitted.crpix.1);
            let moved = (u + evaluate(&fitted.a, u, v), v + evaluate(&fitted.b, u, v));
            let back = (
                moved.0 + evaluate(&fitted.ap, moved.0, moved.1),
                moved.1 + evaluate(&fitted.bp, moved.0, moved.1),
            );
            let error = (back.0 - u).hypot(back.1 - v);
            assert!(error < 1e-5, "{}: {error} pixels", record["file"]);
        }
    }
}

/// A record of the old form is exactly a header, at whatever place of the parent its array lies.
#[test]
fn old_records_are_exact_headers() {
    let file = "exposures/HSC-0908120-056-small.fits";
    let Some(hdus) = real_files::read(file) else {
        return;
    };
    let archive = real_files::archive_of(&hdus);
    let record = Wcs::from_archive(real_files::first_of(&archive, "TanWcs"));
    let pixels = PixelBox {
        x0: 100,
        y0: 100,
        width: 200,
        height: 200,
    };
    let made = record.header_for(pixels).unwrap();
    assert_eq!(made.largest_residual, 0.0);
    let written = sky_wcs_cards(&hdus[1].header);
    for card in written.iter() {
        let Some(value) = card.value().as_f64() else {
            continue;
        };
        if matches!(card.keyword(), "LONPOLE" | "LATPOLE") {
            continue;
        }
        let mine = made.cards.get_f64(card.keyword());
        let close = mine.is_some_and(|mine| (mine - value).abs() <= 1e-12 * value.abs());
        assert!(
            close || value == 0.0,
            "{}: {mine:?} and {value}",
            card.keyword()
        );
    }
    let written = Wcs::from_header(written, 100, 100);
    let places = [(100.0, 100.0), (299.0, 250.5)];
    let ours = record.pixel_to_sky(&places).unwrap();
    let worst = largest_separation(&ours, &written.pixel_to_sky(&places).unwrap());
    assert!(worst < 1e-6, "{worst}");
}

fn tan_header() -> Metadata {
    Metadata::default()
        .with("CTYPE1", "RA---TAN", None)
        .with("CTYPE2", "DEC--TAN", None)
        .with("CRPIX1", 11.0, None)
        .with("CRPIX2", 21.0, None)
        .with("CRVAL1", 359.9999, None)
        .with("CRVAL2", 89.5, None)
        .with("CDELT1", -0.0001, None)
        .with("CDELT2", 0.0001, None)
        .with("CROTA2", 30.0, None)
}

#[test]
fn header_cards_move_with_the_array() {
    let wcs = Wcs::from_header(tan_header(), 100, 200);
    let moved = Wcs::from_header(wcs.header_at(90, 250).unwrap(), 90, 250);
    let places = [(110.0, 220.0), (0.0, 0.0), (512.25, 77.75)];
    let ours = wcs.pixel_to_sky(&places).unwrap();
    let worst = largest_separation(&ours, &moved.pixel_to_sky(&places).unwrap());
    assert!(worst < 1e-9, "{worst}");
    assert!(
        separation(ours[0], (359.9999, 89.5)) < 1e-9,
        "the reference pixel moved"
    );
}

#[test]
fn rotation_cards_and_matrix_cards_agree() {
    let (sine, cosine) = 30.0_f64.to_radians().sin_cos();
    let matrix = tan_header()
        .without(|card| card.keyword() == "CROTA2")
        .with("PC1_1", cosine, None)
        .with("PC1_2", sine, None)
        .with("PC2_1", -sine, None)
        .with("PC2_2", cosine, None);
    let places = [(0.0, 0.0), (100.0, 50.0)];
    let rotated = Wcs::from_header(tan_header(), 0, 0)
        .pixel_to_sky(&places)
        .unwrap();
    let matrix = Wcs::from_header(matrix, 0, 0)
        .pixel_to_sky(&places)
        .unwrap();
    assert!(largest_separation(&rotated, &matrix) < 1e-9);
}

#[test]
fn what_is_not_understood_is_refused_by_name() {
    let refused = |header: Metadata| {
        Wcs::from_header(header, 0, 0)
            .pixel_to_sky(&[(0.0, 0.0)])
            .unwrap_err()
            .to_string()
    };
    let half = tan_header().with("CTYPE1", "RA---SIN", None);
    assert!(refused(half).contains("RA---SIN"));
    let linear = tan_header()
        .with("CTYPE1", "LINEAR", None)
        .with("CTYPE2", "LINEAR", None);
    assert!(refused(linear).contains("LINEAR"));
    let table = tan_header()
        .with("CTYPE1", "RA---TAB", None)
        .with("CTYPE2", "DEC--TAB", None);
    assert!(refused(table).contains("RA---TAB"));
    assert!(refused(tan_header().with("CPDIS1", "Lookup", None)).contains("CPDIS1"));
    assert!(refused(tan_header().with("CUNIT1", "m/s", None)).contains("m/s"));
    assert!(refused(tan_header().with("CD1_3", 0.1, None)).contains("CD1_3"));
    let without = tan_header().without(|card| card.keyword() == "CRVAL2");
    assert!(refused(without).contains("CRVAL2"));
}

/// A text out of a file is not trusted: each cut and each nesting gives an error or a value, never a panic.
#[test]
fn damaged_ast_text_is_an_error() {
    use super::ast::Dumped;
    use super::mapping::Mapping;
    let deep = "Begin CmpMap\nMapA =\n".repeat(500);
    assert!(matches!(Dumped::read(&deep), Err(WcsError::Damaged { .. })));
    for text in [
        "",
        "End X",
        "Begin A\n x 3\nEnd A",
        "Begin A\n Begin B\n End B\nEnd A",
        "Begin A\n t = \"x",
    ] {
        assert!(Dumped::read(text).is_err(), "{text:?}");
    }
    let file = "exposures/hsc_calexp_full.fits";
    let Some(archive) = real_files::archive(file) else {
        return;
    };
    let persisted = real_files::first_of(&archive, "SkyWcs");
    let rows = persisted.object().catalog(0).unwrap();
    let text = std::str::from_utf8(rows.value(0, &rows.table().columns()[0]).unwrap()).unwrap();
    let text = &text[text.find("Begin").unwrap()..];
    let whole = Mapping::read(&Dumped::read(text).unwrap(), false).unwrap();
    assert_eq!(whole.map(&[0.0, 0.0]).len(), 2);
    let lines: Vec<&str> = text.lines().collect();
    for cut in (0..lines.len() - 1).step_by(7) {
        // The last line closes the frame set, so every cut before it leaves something open.
        assert!(Dumped::read(&lines[..cut].join("\n")).is_err());
        let mut missing = lines.clone();
        missing.remove(cut);
        if let Ok(dumped) = Dumped::read(&missing.join("\n"))
            && let Ok(mapping) = Mapping::read(&dumped, false)
        {
            mapping.map(&[0.0, 0.0]);
        }
    }
}

#[test]
fn the_plane_and_back_is_the_same_place() {
    for centre in [(0.0, 0.0), (359.999, 89.9), (180.0, -90.0), (12.5, -45.0)] {
        for offset in [(0.0, 0.0), (0.5, -0.25), (-3.0, 7.0)] {
            let position = from_plane(centre, offset);
            let (east, north) = to_plane(centre, position).unwrap();
            assert!((east - offset.0).abs() < 1e-10 && (north - offset.1).abs() < 1e-10);
        }
    }
    assert_eq!(
        to_plane((0.0, 0.0), (180.0, 0.0)),
        None,
        "the half behind has no place"
    );
}

/// An image that reaches over the horizon of its projection has no fit, and says so.
#[test]
fn pixels_off_the_sky_have_no_fit() {
    let everywhere_nan = |pixels: &[(f64, f64)]| vec![(f64::NAN, f64::NAN); pixels.len()];
    let pixels = PixelBox {
        x0: 0,
        y0: 0,
        width: 10,
        height: 10,
    };
    assert_eq!(fit(&pixels, &everywhere_nan), Err(WcsError::OffSky));
}

#[test]
fn a_sky_wcs_is_the_same_as_itself_read_twice() {
    let file = "exposures/joint/8766/jointcal_wcs-0011506-049.fits";
    let (Some(a), Some(b)) = (real_files::archive(file), real_files::archive(file)) else {
        return;
    };
    let a = Wcs::from_archive(real_files::first_of(&a, "SkyWcs"));
    let b = Wcs::from_archive(real_files::first_of(&b, "SkyWcs"));
    assert!(a.same(&b));
    assert!(matches!(a.carrier(), Carrier::Archive(_)));
    let file = "exposures/joint/8766/jointcal_wcs-0011506-050.fits";
    let other = real_files::archive(file).unwrap();
    assert!(!a.same(&Wcs::from_archive(real_files::first_of(&other, "SkyWcs"))));
}

proptest! {
    /// No text makes reading panic: lines that mean something, in any order and any number.
    #[test]
    fn any_ast_text_is_answered(
        lines in proptest::collection::vec(
            "(Begin (CmpMap|PolyMap|MatrixMap|FrameSet|WinMap)|End|End X|MapA =|Map2 =|Nin = [0-9]{1,3}|Nframe = [0-9]|\
             Lnk2 = [0-9]|Currnt = [0-9]|NCF1 = [0-9]{1,4}|CF1 = -?[0-9]e[0-9]{1,3}|Form = \"Full\"|M0 = <bad>|é = \"é)",
            0..25,
        ),
    ) {
        use super::ast::Dumped;
        use super::mapping::Mapping;
        let text = format!("Begin FrameSet\n{}", lines.join("\n"));
        if let Ok(dumped) = Dumped::read(&text)
            && let Ok(mapping) = Mapping::read(&dumped, false)
        {
            mapping.map(&[1.0, 2.0]);
        }
    }
}
