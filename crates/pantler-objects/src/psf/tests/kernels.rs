//! Kernels and functions by closed formulas.

use super::*;
use crate::psf::circle_overlap;
use crate::test_records::{Values, catalog, ints, reals};
use crate::{Moments, archive::Archive};

/// The value of a Gaussian away from the centre is exp(-r² / 2σ²) of the one in the centre.
#[test]
fn a_gaussian_is_one() {
    let psf = psf(&persisted(gaussian(41, 31, 2.5)));
    assert!(!psf.is_varying());
    let image = psf.image_at(10.0, 20.0).unwrap();
    let size = image.pixel_box();
    assert_eq!(
        (size.x0, size.y0, size.width, size.height),
        (-20, -15, 41, 31)
    );
    close(sum(&image), 1.0, 1e-14);
    for (x, y) in [(1, 0), (0, 1), (-3, 2), (20, -15)] {
        let expected = (-((x * x + y * y) as f64) / 12.5).exp();
        close(pixel(&image, x, y) / pixel(&image, 0, 0), expected, 1e-12);
    }
    // The sums over a grid of a Gaussian this wide are its integrals, but for what falls outside of the image.
    let moments = psf.moments_at(0.0, 0.0).unwrap();
    close(moments.determinant_radius(), 2.5, 1e-6);
    close(moments.trace_radius(), 2.5, 1e-6);
    close(moments.fwhm(), 2.5 * (8.0 * 2_f64.ln()).sqrt(), 1e-6);
    close(
        psf.effective_area(0.0, 0.0).unwrap(),
        4.0 * std::f64::consts::PI * 6.25,
        1e-6,
    );
}

#[test]
fn two_gaussians_have_the_heights_that_the_record_says() {
    let mut row = dimensions(61, 61);
    row.extend([real("sigma1", 1.5), real("sigma2", 4.0), real("b", 0.1)]);
    let psf = psf(&persisted(vec![object(1, "DoubleGaussianPsf", row)]));
    let image = psf.image_at(0.0, 0.0).unwrap();
    let expected = |square: f64| (-square / 4.5).exp() + 0.1 * (-square / 32.0).exp();
    for (x, y) in [(1, 0), (0, -5), (7, 7)] {
        let ratio = expected((x * x + y * y) as f64) / expected(0.0);
        close(pixel(&image, x, y) / pixel(&image, 0, 0), ratio, 1e-12);
    }
    // The mean square of the distance is that of both parts, weighted with their fluxes (σ² each, times the height).
    let (a, b) = (1.5_f64.powi(2), 0.1 * 16.0);
    let mean = (a * 2.25 + b * 16.0) / (a + b);
    close(Moments::plain(&image).unwrap().xx, mean, 1e-6);
}

fn kernel_psf(kernel: ArchiveObject, others: Vec<ArchiveObject>) -> Vec<ArchiveObject> {
    let row = vec![
        int("kernel", kernel.id()),
        real("averagePosition_x", 3.0),
        real("averagePosition_y", 4.0),
    ];
    let mut objects = vec![object(1, "PcaPsf", row), kernel];
    objects.extend(others);
    objects
}

fn kernel(id: i32, class: &str, size: (i32, i32), centre: (i32, i32), more: Row) -> ArchiveObject {
    let mut row = dimensions(size.0, size.1);
    row.extend([int("center_x", centre.0), int("center_y", centre.1)]);
    row.extend(more);
    object(id, class, row)
}

fn fixed(id: i32, values: [f64; 6]) -> ArchiveObject {
    kernel(
        id,
        "FixedKernel",
        (3, 2),
        (1, 0),
        vec![reals("image", &values)],
    )
}

fn polynomial(id: i32, coefficients: &[f64]) -> ArchiveObject {
    object(
        id,
        "PolynomialFunction2D",
        vec![reals("coefficients", coefficients)],
    )
}

/// Pixels of a fixed kernel lie row by row, and the star stands on its centre.
#[test]
fn a_fixed_kernel_is_its_image() {
    let record = persisted(kernel_psf(
        fixed(2, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        Vec::new(),
    ));
    let psf = psf(&record);
    assert_eq!(psf.average_position(), Some((3.0, 4.0)));
    let image = psf.image_at(0.0, 0.0).unwrap();
    assert_eq!((image.pixel_box().x0, image.pixel_box().y0), (-1, 0));
    close(pixel(&image, -1, 0), 1.0 / 21.0, 1e-15);
    close(pixel(&image, 1, 0), 3.0 / 21.0, 1e-15);
    close(pixel(&image, -1, 1), 4.0 / 21.0, 1e-15);
    let written_as_one_column = object(
        2,
        "FixedKernel",
        vec![
            ints("dimensions", &[3, 2]),
            ints("center", &[1, 0]),
            reals("image", &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        ],
    );
    let old = Psf::of_record(&persisted(kernel_psf(written_as_one_column, Vec::new()))).unwrap();
    assert_eq!(
        old.image_at(0.0, 0.0).unwrap().pixel_box(),
        image.pixel_box()
    );
}

fn combination(more: Row) -> ArchiveObject {
    let mut row = vec![ints("components", &[3, 4])];
    row.extend(more);
    kernel(2, "LinearCombinationKernel", (3, 2), (1, 0), row)
}

fn components() -> Vec<ArchiveObject> {
    vec![
        fixed(3, [0.0, 1.0, 0.0, 0.0, 0.0, 0.0]),
        fixed(4, [0.0, 0.0, 0.0, 0.0, 0.0, 1.0]),
    ]
}

#[test]
fn a_combination_adds_its_components() {
    let numbers = combination(vec![reals("amplitudes", &[3.0, 1.0])]);
    let psf = psf(&persisted(kernel_psf(numbers, components())));
    assert!(!psf.is_varying());
    let image = psf.image_at(0.0, 0.0).unwrap();
    close(pixel(&image, 0, 0), 0.75, 1e-15);
    close(pixel(&image, 1, 1), 0.25, 1e-15);
}

/// The order of the coefficients is (0,0), (1,0), (0,1), (2,0), (1,1), (0,2).
#[test]
fn weights_may_be_polynomials_of_the_position() {
    let functions = combination(vec![ints("spatialfunctions", &[5, 6])]);
    let mut others = components();
    others.push(polynomial(5, &[1.0]));
    others.push(polynomial(6, &[1.0, 2.0, 3.0, 0.5, 0.25, 0.125]));
    let psf = psf(&persisted(kernel_psf(functions, others)));
    assert!(psf.is_varying());
    let (x, y) = (3.0, 5.0);
    let image = psf.image_at(x, y).unwrap();
    let weight = 1.0 + 2.0 * x + 3.0 * y + 0.5 * x * x + 0.25 * x * y + 0.125 * y * y;
    close(pixel(&image, 1, 1) / pixel(&image, 0, 0), weight, 1e-14);
}

/// Tₙ(cos t) = cos n t, whatever the box.
#[test]
fn weights_may_be_chebyshev_polynomials_of_the_position() {
    let functions = combination(vec![ints("spatialfunctions", &[5, 6])]);
    let chebyshev = vec![
        reals("coefficients", &[2.0, 0.3, 0.4, 0.5, 0.6, 0.7]),
        real("min_x", 10.0),
        real("min_y", -5.0),
        real("max_x", 30.0),
        real("max_y", 5.0),
    ];
    let mut others = components();
    others.push(polynomial(5, &[1.0]));
    others.push(object(6, "Chebyshev1Function2D", chebyshev));
    let psf = psf(&persisted(kernel_psf(functions, others)));
    let (s, t) = (0.7_f64, 2.1_f64);
    let image = psf.image_at(20.0 + 10.0 * s.cos(), 5.0 * t.cos()).unwrap();
    let weight = 2.0
        + 0.3 * s.cos()
        + 0.4 * t.cos()
        + 0.5 * (2.0 * s).cos()
        + 0.6 * s.cos() * t.cos()
        + 0.7 * (2.0 * t).cos();
    close(pixel(&image, 1, 1) / pixel(&image, 0, 0), weight, 1e-12);
}

/// The axes of an elliptical Gaussian turn with its angle, which may be a function of the position.
#[test]
fn an_analytic_kernel_changes_with_its_parameters() {
    let row = vec![
        int("kernelfunction", 3),
        ints("spatialfunctions", &[4, 5, 6]),
    ];
    let analytic = kernel(2, "AnalyticKernel", (61, 61), (30, 30), row);
    let function = vec![real("sigma1", 1.0), real("sigma2", 1.0), real("angle", 0.0)];
    let others = vec![
        object(3, "GaussianFunction2D", function),
        polynomial(4, &[4.0]),
        polynomial(5, &[2.0]),
        polynomial(6, &[0.0, 0.1, 0.0]),
    ];
    let psf = psf(&persisted(kernel_psf(analytic, others)));
    let angle = 0.5_f64;
    let moments = psf.moments_at(angle / 0.1, 0.0).unwrap();
    let (sin, cos) = angle.sin_cos();
    close(moments.xx, 16.0 * cos * cos + 4.0 * sin * sin, 1e-5);
    close(moments.yy, 16.0 * sin * sin + 4.0 * cos * cos, 1e-5);
    close(moments.xy, 12.0 * sin * cos, 1e-5);
    close(moments.determinant_radius(), 8.0_f64.sqrt(), 1e-5);
}

/// References in arrays are references: they come along, and follow their objects to other ids.
#[test]
fn components_in_an_array_are_kept_and_renumbered() {
    let functions = combination(vec![ints("spatialfunctions", &[5, 6])]);
    let mut others = components();
    others.push(polynomial(5, &[1.0]));
    others.push(polynomial(6, &[1.0, 2.0, 3.0]));
    let record = persisted(kernel_psf(functions, others));
    assert_eq!(
        record.archive().len(),
        6,
        "the function and all that it is made of"
    );
    let taken = |id| object(id, "Polygon", vec![real("x", f64::from(id))]);
    let base = Archive::new((1..9).map(taken)).unwrap();
    let merged = Archive::merged(&base, std::slice::from_ref(&record)).unwrap();
    let moved = merged.archive.persisted(merged.roots[0]).unwrap();
    assert_eq!(record.difference(&moved), None);
    assert!(moved.archive().iter().all(|object| object.id() > 8));
    let (here, there) = (psf(&record), psf(&moved));
    let (a, b) = (
        here.image_at(7.0, 8.0).unwrap(),
        there.image_at(7.0, 8.0).unwrap(),
    );
    assert_eq!(pixel(&a, 1, 1), pixel(&b, 1, 1));
}

/// A model sampled more finely or more coarsely than the pixels is interpolated to them.
#[test]
fn psfex_interpolates_its_grid() {
    for (step, sigma) in [(0.4, 2.0), (0.75, 2.0), (1.3, 3.5)] {
        let record = psfex(41, step, |x, y| {
            (-(x * x + y * y) / (2.0 * sigma * sigma)).exp()
        });
        let image = psf(&record).image_at(0.0, 0.0).unwrap();
        let size = image.pixel_box();
        assert_eq!(size.width, 2 * (20.0 * step) as u64 + 1);
        assert_eq!(size.x0, -((20.0 * step) as i64));
        for (x, y) in [(1, 0), (0, 2), (-2, 3), (4, 4)] {
            let expected = (-((x * x + y * y) as f64) / (2.0 * sigma * sigma)).exp();
            let ratio = pixel(&image, x, y) / pixel(&image, 0, 0);
            assert!(
                (ratio - expected).abs() < 2e-3,
                "{ratio} {expected} with {step}"
            );
        }
    }
}

/// Makes a model with one component, a function of the distance in pixels.
pub(super) fn psfex(grid: i32, step: f64, shape: impl Fn(f64, f64) -> f64) -> Persisted {
    let half = f64::from(grid / 2);
    let at = |index: i32| (f64::from(index) - half) * step;
    let rows = (0..grid).flat_map(|j| (0..grid).map(move |i| (i, j)));
    let values = rows.map(|(i, j)| shape(at(i), at(j)) as f32).collect();
    let numbers = vec![
        ("_pixstep", Values::F32(vec![step as f32])),
        real("averagePosition_x", 0.0),
        real("averagePosition_y", 0.0),
    ];
    let arrays = vec![
        ints("group", &[0, 0]),
        ints("degree", &[0]),
        ints("_size", &[grid, grid, 1]),
        ("_comp", Values::F32(values)),
        reals("_context_first", &[0.0, 0.0]),
        reals("_context_second", &[1.0, 1.0]),
    ];
    let catalogs = vec![catalog(0, &[numbers]), catalog(1, &[arrays])];
    persisted(vec![ArchiveObject::new(1, "PsfexPsf", "", catalogs)])
}

/// The overlaps of a circle with all pixels add up to its area, and special places have closed formulas.
#[test]
fn circles_share_out_their_area() {
    use std::f64::consts::PI;
    for radius in [0.2, 0.5, 0.9, 1.7, 5.25] {
        let pixels = (-7..=7).flat_map(|y| (-7..=7).map(move |x| (f64::from(x), f64::from(y))));
        let area: f64 = pixels.map(|(x, y)| circle_overlap(x, y, radius)).sum();
        close(area, PI * radius * radius, 1e-12);
    }
    close(circle_overlap(0.5, 0.5, 0.8), PI * 0.64 / 4.0, 1e-12);
    close(circle_overlap(0.0, 0.5, 0.4), PI * 0.16 / 2.0, 1e-12);
    // A segment of a large circle: the line at x = 1 cuts a circle of radius 1.25 at y = ±0.75.
    let segment = 1.25_f64.powi(2) * (1.0 / 1.25_f64).acos() - 0.75;
    let column: f64 = (-2..=2)
        .map(|y| circle_overlap(1.5, f64::from(y), 1.25))
        .sum();
    close(column, segment, 1e-12);
    assert_eq!(circle_overlap(3.0, 0.0, 1.0), 0.0);
    assert_eq!(circle_overlap(1.0, 1.0, 5.0), 1.0);
    assert_eq!(circle_overlap(0.0, 0.0, f64::NAN), 0.0);
}

/// The flux of a Gaussian inside a circle is 1 - exp(-r² / 2σ²).
#[test]
fn apertures_hold_the_flux_of_a_gaussian() {
    let psf = psf(&persisted(gaussian(121, 121, 8.0)));
    for radius in [4.0, 9.5, 20.0] {
        let found = psf.aperture_flux(0.0, 0.0, radius).unwrap();
        let expected = 1.0 - (-radius * radius / 128.0_f64).exp();
        // Pixels hold the value in their middle, which is off by about 1 / (24 σ²) of the integral.
        close(found, expected, 5e-3);
    }
    close(psf.aperture_flux(0.0, 0.0, 100.0).unwrap(), 1.0, 1e-12);
}
