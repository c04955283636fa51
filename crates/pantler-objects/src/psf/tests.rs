//! Point spread functions against closed formulas, and against what the LSST pipeline measured on real ones.

mod hostile;
mod kernels;
mod real;

use super::Psf;
use crate::archive::{ArchiveObject, Persisted};
use crate::decode::DecodeError;
use crate::image::Image;
use crate::test_records::{Row, int, object, persisted, real};

fn psf(record: &Persisted) -> Psf {
    Psf::of_record(record).unwrap()
}

fn refusal(objects: Vec<ArchiveObject>) -> DecodeError {
    Psf::of_record(&persisted(objects)).unwrap_err()
}

/// Returns the pixel at a distance from the star.
fn pixel(image: &Image, x: i64, y: i64) -> f64 {
    let size = image.pixel_box();
    let index = (y - size.y0) as usize * size.width as usize + (x - size.x0) as usize;
    image.pixels().get_f64(index).unwrap()
}

fn sum(image: &Image) -> f64 {
    (0..image.pixels().len())
        .map(|index| image.pixels().get_f64(index).unwrap())
        .sum()
}

#[track_caller]
fn close(found: f64, expected: f64, tolerance: f64) {
    let size = expected.abs().max(1e-300);
    assert!(
        (found - expected).abs() <= tolerance * size,
        "{found} is not {expected}"
    );
}

fn dimensions(width: i32, height: i32) -> Row {
    vec![int("dimensions_x", width), int("dimensions_y", height)]
}

fn gaussian(width: i32, height: i32, sigma: f64) -> Vec<ArchiveObject> {
    let mut row = dimensions(width, height);
    row.push(real("sigma", sigma));
    vec![object(1, "SingleGaussianPsf", row)]
}
