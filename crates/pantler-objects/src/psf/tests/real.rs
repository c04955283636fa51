//! Real files. The expected numbers are what the LSST pipeline measured and wrote into other files of the same data.

use super::*;
use crate::Moments;
use crate::archive::Archive;
use crate::real_files::{archive, first_of, float_pixels, read, table_rows};

const CFHT: &str = "exposures/cfht/calexp-849375-12.fits.fz";

fn cfht() -> Option<Archive> {
    archive(CFHT)
}

/// The middle of the 2048 x 4612 pixels, where the pipeline measures its summary.
const MIDDLE: (f64, f64) = (1023.5, 2305.5);

/// The visit's summary holds effective area, size and moments of this very model, by the pipeline's own code.
#[test]
fn psfex_agrees_with_what_the_pipeline_measured() {
    let (Some(found), Some(summary)) = (cfht(), read("exposures/cfht/visitSummary-849375.fits"))
    else {
        return;
    };
    let psf = psf(&first_of(&found, "PsfexPsf"));
    let summary = table_rows(&summary[1]);
    let expected = |column: &str| summary.get_f64(0, column).unwrap();
    let area = psf.effective_area(MIDDLE.0, MIDDLE.1).unwrap();
    close(area, expected("psfArea"), 1e-6);
    // The pipeline stops its iteration early, at a relative change of 1e-4 and more.
    let moments = psf.moments_at(MIDDLE.0, MIDDLE.1).unwrap();
    close(moments.determinant_radius(), expected("psfSigma"), 5e-4);
    close(moments.xx, expected("psfIxx"), 1e-3);
    close(moments.yy, expected("psfIyy"), 1e-3);
    close(moments.xy, expected("psfIxy"), 1e-3);
    assert!(psf.is_varying());
    assert_eq!(psf.class(), "PsfexPsf");
}

/// The catalogue of the same exposure has the moments at its two sources, from an older processing of the same stars.
#[test]
fn psfex_agrees_roughly_with_the_catalogue() {
    let (Some(found), Some(sources)) = (cfht(), read("exposures/cfht/SRC-849375-12.fits")) else {
        return;
    };
    let psf = psf(&first_of(&found, "PsfexPsf"));
    let sources = table_rows(&sources[1]);
    assert_eq!(sources.len(), 2);
    for row in 0..2 {
        let value = |column: &str| sources.get_f64(row, column).unwrap();
        let (x, y) = (value("base_SdssCentroid_x"), value("base_SdssCentroid_y"));
        let moments = psf.moments_at(x, y).unwrap();
        close(moments.xx, value("base_SdssShape_psf_xx"), 0.04);
        close(moments.yy, value("base_SdssShape_psf_yy"), 0.04);
    }
}

/// The record keeps the terms of the polynomial as they were last computed, which was in the middle of the image.
#[test]
fn the_terms_of_the_polynomial_are_those_that_psfex_left() {
    let Some(found) = cfht() else { return };
    let record = first_of(&found, "PsfexPsf");
    let basis = record
        .object()
        .catalog(1)
        .unwrap()
        .get_floats(0, "basis")
        .unwrap();
    assert_eq!(basis.len(), 6);
    let (psfex, average) = crate::psf::psfex::Psfex::read(record.object()).unwrap();
    for (found, expected) in psfex.weights(MIDDLE.0, MIDDLE.1).into_iter().zip(basis) {
        close(found, expected, 1e-12);
    }
    assert_eq!(average, (946.981_749_888_610_8, 2_455.095_193_013_983_6));
}

#[test]
fn the_image_of_psfex_is_a_star() {
    let Some(found) = cfht() else { return };
    let psf = psf(&first_of(&found, "PsfexPsf"));
    for (x, y) in [(0.0, 0.0), MIDDLE, (2047.0, 4611.0)] {
        let image = psf.image_at(x, y).unwrap();
        assert_eq!((image.width(), image.height()), (41, 41));
        close(sum(&image), 1.0, 1e-12);
        let largest = image.statistics().unwrap().max;
        assert_eq!(pixel(&image, 0, 0), largest);
        let moments = psf.moments_at(x, y).unwrap();
        assert!(
            moments.x.abs() < 0.05 && moments.y.abs() < 0.05,
            "{moments:?}"
        );
        let within = psf.aperture_flux(x, y, 10.0).unwrap();
        assert!((0.9..1.0).contains(&within), "{within}");
    }
}

/// 4 pixels wide in a 3x3 image: the ratio of neighbours is exp(-1/32).
#[test]
fn gaussians_of_real_files() {
    for (file, width, sigma) in [
        ("exposures/small_gaussianpsf.fits", 3, 4.0_f64),
        ("exposures/hsc_calexp_full.fits", 3, 4.0),
        ("exposures/coadd_with_inputs_v1.fits", 5, 1.5),
    ] {
        let Some(found) = archive(file) else { return };
        let record = first_of(&found, "GaussianPsf");
        let told = record
            .object()
            .catalog(0)
            .unwrap()
            .get_f64(0, "sigma")
            .unwrap();
        if width == 3 {
            assert_eq!(told, sigma);
        }
        let image = psf(&record).image_at(1.0, 2.0).unwrap();
        assert_eq!(
            (image.width(), image.pixel_box().x0),
            (width, -(width as i64) / 2)
        );
        let ratio = pixel(&image, 1, 0) / pixel(&image, 0, 0);
        close(ratio, (-1.0 / (2.0 * told * told)).exp(), 1e-12);
    }
}

/// A class that is not known is refused by name; its record is another's business.
#[test]
fn unknown_classes_are_refused_by_name() {
    let Some(found) = archive("catalogs/exposure_catalog_v1.fits") else {
        return;
    };
    let error = Psf::of_record(&first_of(&found, "DummyPsf")).unwrap_err();
    assert!(matches!(&error, DecodeError::Unsupported { class, .. } if class == "DummyPsf"));
    assert!(error.to_string().contains("DummyPsf"), "{error}");
}

/// A simulated star, and its moments in the catalogue that the pipeline made with it as the point spread function.
///
/// The star stands between pixels, and the pipeline moved it onto one by interpolation, which is what the tolerance is for.
#[test]
fn adaptive_moments_are_those_of_the_catalogue() {
    let (Some(star), Some(sources)) = (
        read("catalogs/multiband/psf_image.fits"),
        read("catalogs/multiband/meas_g.fits"),
    ) else {
        return;
    };
    let image = Image::new(float_pixels(&star[0]), 42, 42, -21, -21).unwrap();
    let found = Moments::adaptive(&image).unwrap();
    close(found.x, -0.5, 1e-6);
    close(found.y, -0.5, 1e-6);
    let sources = table_rows(&sources[1]);
    let expected = |column: &str| sources.get_f64(0, column).unwrap();
    close(found.xx, expected("base_SdssShape_psf_xx"), 4e-3);
    close(found.yy, expected("base_SdssShape_psf_yy"), 4e-3);
    close(found.xy, expected("base_SdssShape_psf_xy"), 4e-3);
}
