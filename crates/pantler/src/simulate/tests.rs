//! What the demo and other tests build on: the same seed, the same sky; coordinates off by what is promised, and no more.

use std::sync::Arc;

use pantler_core::formatter::{ReadRequest, WriteOptions};
use pantler_core::{Object, ObjectRef};
use pantler_objects::Pixels;

use super::{COUNTS_OF_MAGNITUDE_0, Sky};

const VISIT: i64 = 903334;
const CCD: i64 = 16;

/// Returns the angle between two positions, in arcseconds; they are close to each other.
fn separation(a: (f64, f64), b: (f64, f64)) -> f64 {
    let across = (a.0 - b.0) * a.1.to_radians().cos();
    across.hypot(a.1 - b.1) * 3600.0
}

fn floats(pixels: &Pixels) -> &[f32] {
    match pixels {
        Pixels::F32(values) => values,
        other => panic!("the pixels are {}", other.pixel_type()),
    }
}

#[test]
fn the_same_seed_gives_the_same_exposure_and_another_another() {
    let exposure = |seed, visit, ccd| {
        Sky::new(seed)
            .single_visit(visit, ccd, (96, 64))
            .digest_values()
    };
    assert_eq!(exposure(1, VISIT, CCD), exposure(1, VISIT, CCD));
    assert_ne!(exposure(1, VISIT, CCD), exposure(2, VISIT, CCD));
    assert_ne!(exposure(1, VISIT, CCD), exposure(1, VISIT + 2, CCD));
    assert_ne!(exposure(1, VISIT, CCD), exposure(1, VISIT, CCD + 3));
}

#[test]
fn single_visit_coordinates_are_off_by_what_is_promised() {
    let sky = Sky::new(1);
    for ccd in [0, 15, 16, 17, 32] {
        let pixels = [(0.0, 0.0), (1000.0, 20.0), (500.0, 900.0)];
        let single = sky
            .single_visit_wcs(VISIT, ccd)
            .pixel_to_sky(&pixels)
            .unwrap();
        let joint = sky
            .jointcal_wcs(VISIT, ccd, 0)
            .pixel_to_sky(&pixels)
            .unwrap();
        let (x, y) = sky.wcs_error(VISIT, ccd);
        let error = x.hypot(y);
        assert!((0.2..=0.4).contains(&error), "{error}");
        for (single, joint) in single.into_iter().zip(joint) {
            let found = separation(single, joint);
            // The distortion stretches the plane by a third of a percent at most, and the joint fit is good to two milliarcseconds.
            assert!((found - error).abs() < 0.005, "{found} and not {error}");
        }
    }
}

#[test]
fn the_fits_of_two_tracts_differ_and_agree_to_milliarcseconds() {
    let sky = Sky::new(1);
    let position = |tract| {
        sky.jointcal_wcs(VISIT, CCD, tract)
            .pixel_to_sky(&[(50.0, 50.0)])
            .unwrap()[0]
    };
    let found = separation(position(0), position(1));
    assert!(found > 0.0 && found < 0.004, "{found}");
    assert!(
        sky.jointcal_calib(VISIT, CCD, 0).calibration_mean()
            != sky.jointcal_calib(VISIT, CCD, 1).calibration_mean()
    );
}

#[test]
fn stars_are_where_the_joint_coordinates_say_and_bright() {
    let sky = Sky::new(1);
    let size = (800, 600);
    let exposure = sky.single_visit(VISIT, CCD, size);
    let image = exposure.image().unwrap();
    let wcs = sky.jointcal_wcs(VISIT, CCD, 0);
    let mut checked = 0;
    for star in sky.stars(VISIT, CCD, size) {
        let position = wcs.pixel_to_sky(&[(star.x, star.y)]).unwrap()[0];
        assert!(
            separation(position, (star.ra, star.dec)) < 0.003,
            "{star:?} is at {position:?}"
        );
        let inside = |at: f64, size: u32| at >= 8.0 && at < f64::from(size) - 8.0;
        if star.magnitude < 20.0 && inside(star.x, size.0) && inside(star.y, size.1) {
            let at = star.y.round() as usize * size.0 as usize + star.x.round() as usize;
            let value = floats(image.pixels())[at];
            assert!(value > 100.0, "{star:?} gives {value}");
            checked += 1;
        }
    }
    assert!(checked >= 3, "only {checked} bright stars");
}

#[test]
fn counts_follow_from_magnitude_and_calibration() {
    let sky = Sky::new(3);
    let calib = sky
        .jointcal_calib(VISIT, CCD, 0)
        .calibration_mean()
        .unwrap();
    let clear = pantler_objects::photo_calib::ab_zero_flux() / COUNTS_OF_MAGNITUDE_0;
    // Some of the light is lost in the air, so a count is worth more than on the clearest night, and not much more.
    assert!(
        calib > clear * 0.99 && calib < clear * 1.3,
        "{calib} against {clear}"
    );
    let single = sky
        .single_visit_calib(VISIT, CCD)
        .calibration_mean()
        .unwrap();
    assert!((single / calib - 1.0).abs() < 0.04, "{single} and {calib}");
    for star in sky.stars(VISIT, CCD, (300, 300)) {
        let flux = star.counts * calib;
        let wanted =
            pantler_objects::photo_calib::ab_zero_flux() * 10_f64.powf(-0.4 * star.magnitude);
        assert!(
            (flux / wanted - 1.0).abs() < 0.01,
            "{star:?}: {flux} nJy and not {wanted}"
        );
    }
}

#[test]
fn planes_have_noise_variance_and_flags() {
    let exposure = Sky::new(1).single_visit(VISIT, CCD, (512, 512));
    let mask = exposure.mask().unwrap();
    for plane in ["BAD", "INTRP", "CR", "EDGE", "DETECTED"] {
        let count = mask.count(plane).unwrap();
        assert!(count > 0 && count < 512 * 100, "{plane} has {count} pixels");
    }
    let variance = floats(exposure.variance().unwrap().pixels());
    assert!(
        variance
            .iter()
            .all(|value| *value >= super::planes::EMPTY_VARIANCE)
    );
    let image = floats(exposure.image().unwrap().pixels());
    let empty = image
        .iter()
        .zip(mask.pixels().iter())
        .filter(|(_, flags)| **flags == 0);
    let (count, sum) = empty.fold((0.0, 0.0), |(count, sum), (pixel, _)| {
        (count + 1.0, sum + f64::from(*pixel))
    });
    assert!(
        (sum / count).abs() < 3.0,
        "the background is {}",
        sum / count
    );
}

#[test]
fn exposures_of_no_pixels_and_of_one_column_can_be_made() {
    for size in [(0, 0), (1, 7), (7, 1), (0, 5)] {
        let exposure = Sky::new(1).single_visit(VISIT, CCD, size);
        let pixels = exposure.pixel_box().unwrap();
        assert_eq!(
            (pixels.width, pixels.height),
            (u64::from(size.0), u64::from(size.1))
        );
    }
}

#[test]
fn middle_ccds_lie_in_two_tracts() {
    let sky = Sky::new(1);
    assert_eq!(
        [15, 16, 17].map(|ccd| sky.tracts(ccd)),
        [vec![0], vec![0, 1], vec![1]]
    );
}

#[test]
fn what_is_written_is_read_back_the_same() {
    let formatters = pantler_formats::FormatterSet::standard();
    let formatter = formatters.get("FitsStorage").unwrap();
    let exposure: ObjectRef = Arc::new(Sky::new(1).single_visit(VISIT, CCD, (64, 48)));
    let bytes = formatter
        .write(&exposure, &WriteOptions::default())
        .unwrap();
    let source = crate::artifact_source::MemorySource::new("simulated.fits", bytes);
    let read = formatter
        .read(&source, None, &ReadRequest::default())
        .unwrap();
    assert_eq!(exposure.difference(read.as_ref()), None);
}
