//! From the sky to pixels, the corners of an image, and the size of a pixel.

use pantler_core::formatter::PixelBox;
use serde_json::Value;

use super::{header_wcs, largest_separation, oracle, pairs, sky_wcs, tan_header};
use crate::real_files;
use crate::wcs::Wcs;
use crate::wcs::evaluated::Evaluated;

fn largest_distance(found: &[(f64, f64)], expected: &[(f64, f64)]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let pairs = found.iter().zip(expected);
    let distances = pairs.map(|(a, b)| (a.0 - b.0).hypot(a.1 - b.1));
    // What is not a number must not get lost in the maximum.
    distances.fold(0.0, |a, b| if a >= b { a } else { b })
}

/// The twelve digits of the oracle leave about a hundred-thousandth of a pixel; our own positions leave much less.
fn check_way_back(wcs: &Wcs, record: &Value) {
    let pixels = pairs(&record["pixel_xy"]);
    let found = wcs.sky_to_pixel(&pairs(&record["sky_radec_deg"])).unwrap();
    let worst = largest_distance(&found, &pixels);
    let (file, hdu) = (&record["file"], &record["hdu"]);
    assert!(worst < 3e-5, "{file} {hdu}: {worst} pixels from the oracle");
    let ours = wcs.pixel_to_sky(&pixels).unwrap();
    let worst = largest_distance(&wcs.sky_to_pixel(&ours).unwrap(), &pixels);
    assert!(worst < 1e-6, "{file} {hdu}: {worst} pixels there and back");
}

#[test]
fn sky_wcs_records_lead_back_to_their_pixels() {
    let Some(oracle) = oracle() else { return };
    for record in oracle["skywcs"].as_array().unwrap() {
        check_way_back(&sky_wcs(record), record);
    }
}

#[test]
fn headers_lead_back_to_their_pixels() {
    let Some(oracle) = oracle() else { return };
    for record in oracle["header_wcs"].as_array().unwrap() {
        check_way_back(&header_wcs(record), record);
    }
}

/// The stored inverse, from which the iteration starts, is the one that AST evaluates, with its errors.
#[test]
fn stored_inverses_agree_with_ast() {
    let Some(oracle) = oracle() else { return };
    let mut missed = 0.0_f64;
    for record in oracle["skywcs"].as_array().unwrap() {
        let wcs = sky_wcs(record);
        let evaluated = Evaluated::read(wcs.carrier(), 0, 0).unwrap();
        let stored = evaluated.way_back().unwrap();
        let positions = pairs(&record["sky_radec_deg"]);
        let found: Vec<(f64, f64)> = positions.into_iter().map(stored).collect();
        let worst = largest_distance(&found, &pairs(&record["inverse_pixel_xy"]));
        assert!(worst < 3e-5, "{}: {worst} pixels", record["file"]);
        missed = missed.max(largest_distance(&found, &pairs(&record["pixel_xy"])));
    }
    assert!(missed > 0.01, "no stored inverse is only a fit: {missed}");
}

/// The corners that the LSST pipeline computed and wrote into its table of the visit.
#[test]
fn footprints_agree_with_the_table_of_a_visit() {
    let Some(hdus) = real_files::read("exposures/cfht/visitSummary-849375.fits") else {
        return;
    };
    let archive = real_files::archive_of(&hdus);
    let wcs = Wcs::from_archive(real_files::first_of(&archive, "SkyWcs"));
    let pixels = PixelBox {
        x0: 0,
        y0: 0,
        width: 2048,
        height: 4612,
    };
    let rows = real_files::table_rows(&hdus[1]);
    let column = |name: &str| rows.get_floats(0, name).unwrap();
    let written = column("raCorners").into_iter().zip(column("decCorners"));
    let written: Vec<(f64, f64)> = written.collect();
    let worst = largest_separation(&wcs.footprint(pixels).unwrap(), &written);
    assert!(worst < 1e-6, "{worst} arcsec between the corners");
}

#[test]
fn a_pixel_is_as_large_as_its_matrix_says() {
    let header = tan_header()
        .with("CDELT1", -0.0002, None)
        .with("CDELT2", 0.0001, None);
    let wcs = Wcs::from_header(header, 0, 0);
    let expected = 3600.0 * 0.0002_f64.sqrt() * 0.0001_f64.sqrt();
    let scale = wcs.pixel_scale(10.0, 20.0).unwrap();
    assert!((scale / expected - 1.0).abs() < 1e-9, "{scale}");
    // Away from where the plane touches the sky, the same piece of the plane is a smaller piece of the sky.
    assert!(wcs.pixel_scale(10_000.0, 20.0).unwrap() < 0.9999 * scale);
}

/// Corners lie at the outer edges of pixels, wherever the array lies in its parent.
#[test]
fn corners_are_outer_edges_in_parent_pixels() {
    let wcs = Wcs::from_header(tan_header(), 100, 200);
    let pixels = PixelBox {
        x0: 100,
        y0: 200,
        width: 4,
        height: 2,
    };
    let edges = [(99.5, 199.5), (103.5, 199.5), (103.5, 201.5), (99.5, 201.5)];
    let expected = wcs.pixel_to_sky(&edges).unwrap();
    assert_eq!(wcs.footprint(pixels).unwrap()[..], expected);
    let back = wcs.sky_to_pixel(&expected).unwrap();
    assert!(largest_distance(&back, &edges) < 1e-6);
}
