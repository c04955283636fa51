//! Backgrounds against numpy and scipy, and against what the pipeline itself did with them.

use std::collections::BTreeMap;

use pantler_core::Object;

use super::interpolation::Interpolator;
use super::*;
use crate::mask::Mask;
use crate::metadata::Metadata;
use crate::real_files::{float_pixels, read};

const CFHT: &str = "exposures/cfht/bkgd-849375-12.fits";

fn boxed(x0: i64, y0: i64, width: u64, height: u64) -> PixelBox {
    PixelBox {
        x0,
        y0,
        width,
        height,
    }
}

/// Reads the real background; settings may be changed in the headers.
fn cfht(change: impl Fn(&Metadata) -> Metadata) -> Option<Background> {
    let hdus = read(CFHT)?;
    let image = |index: usize| {
        let image = Image::new(float_pixels(&hdus[index]), 17, 37, 0, 0).unwrap();
        Arc::new(image.with_header(Arc::new(change(&hdus[index].header))))
    };
    let layers = (0..hdus.len() / 3).map(|layer| {
        let mask = Mask::new(vec![0; 17 * 37], 17, 37, 0, 0, BTreeMap::new()).unwrap();
        let (levels, variance) = (image(3 * layer), image(3 * layer + 2));
        BackgroundLayer::from_planes(levels, Some(Arc::new(mask)), Some(variance)).unwrap()
    });
    Some(Background::new(layers))
}

fn value(image: &Image, x: i64, y: i64) -> f64 {
    let size = image.pixel_box();
    let index = (y - size.y0) as u64 * size.width + (x - size.x0) as u64;
    image.pixels().get_f64(index as usize).unwrap()
}

const POINTS: [(i64, i64); 5] = [(0, 0), (1023, 2305), (2047, 4611), (100, 4000), (1999, 17)];

/// Compares single pixels, each computed as an image of one pixel.
fn assert_values(background: &Background, expected: [f64; 5]) {
    for ((x, y), expected) in POINTS.into_iter().zip(expected) {
        let image = background.image(boxed(x, y, 1, 1)).unwrap();
        let found = value(&image, x, y);
        // Pixels have single precision.
        assert!(
            (found / expected - 1.0).abs() < 1e-7,
            "({x}, {y}): {found} {expected}"
        );
    }
}

/// Expected: numpy.linalg.lstsq of numpy's Chebyshev polynomials (chebval2d) with weights 1 / σ.
#[test]
fn a_weighted_approximation_is_that_of_numpy() {
    let Some(background) = cfht(Metadata::clone) else {
        return;
    };
    assert_eq!(background.layers().len(), 4);
    assert_eq!(background.bbox(), Some(boxed(0, 0, 2048, 4612)));
    let layer = &background.layers()[0];
    assert_eq!(
        layer.approximation(),
        Some(Approximation {
            order: 6,
            weighted: true
        })
    );
    assert_eq!(layer.interpolation(), Interpolation::NaturalSpline);
    let (x, y) = layer.centres();
    assert_eq!((x[0], x[1], x[16]), (59.5, 180.0, 1987.5));
    assert_eq!((y[0], y[1], y[36]), (62.0, 186.5, 4549.0));
    let expected = [
        1216.00287229,
        1222.54535867,
        1244.72402945,
        1235.49700774,
        1212.99853155,
    ];
    assert_values(&background, expected);
    // An image of many pixels has the same numbers.
    let image = background.image(boxed(1990, 10, 58, 9)).unwrap();
    assert!((value(&image, 1999, 17) / expected[4] - 1.0).abs() < 1e-7);
}

#[test]
fn an_unweighted_approximation_is_that_of_numpy() {
    let unweighted = |header: &Metadata| header.with("APPROXWEIGHTING", false, None);
    let Some(background) = cfht(unweighted) else {
        return;
    };
    let expected = [
        1215.86321453,
        1222.51586665,
        1244.97389422,
        1235.6654115,
        1211.45172684,
    ];
    assert_values(&background, expected);
}

/// The pipeline measured each layer after it had subtracted those before: what is left of a layer is the next one's level.
/// With any interpolation nothing would be left, so it is the approximation that was subtracted.
#[test]
fn each_layer_is_what_the_ones_before_left() {
    let Some(background) = cfht(Metadata::clone) else {
        return;
    };
    for index in [2, 3] {
        let (before, now) = (&background.layers()[index - 1], &background.layers()[index]);
        let alone = Background::new([before.clone()]);
        let (x, y) = before.centres();
        let (mut product, mut left_square, mut now_square) = (0.0, 0.0, 0.0);
        for (row, y) in y.iter().enumerate() {
            for (column, x) in x.iter().enumerate() {
                let image = alone.image(boxed(*x as i64, *y as i64, 1, 1)).unwrap();
                let level = |layer: &BackgroundLayer| {
                    layer.levels().pixels().get_f64(row * 17 + column).unwrap()
                };
                let left = level(before) - image.pixels().get_f64(0).unwrap();
                product += left * level(now);
                left_square += left * left;
                now_square += level(now) * level(now);
            }
        }
        let correlation = product / (left_square * now_square).sqrt();
        assert!(correlation > 0.9, "layer {index}: {correlation}");
    }
}

/// Expected: scipy's CubicSpline (natural), Akima1DInterpolator and straight lines along the columns of cells, then along
/// the row; outside of the middles of the cells the parabola of scipy's derivatives in the last one.
#[test]
fn interpolations_are_those_of_scipy() {
    for (style, expected) in [
        (
            2,
            [
                1229.34853104,
                1218.74364955,
                1178.36058809,
                1234.00738155,
                1231.96450548,
            ],
        ),
        (
            5,
            [
                1230.10220983,
                1218.77460399,
                1175.07706702,
                1232.96189719,
                1233.8817217,
            ],
        ),
        (
            1,
            [
                1228.83336153,
                1218.77854183,
                1181.73153578,
                1233.56186263,
                1230.66625709,
            ],
        ),
    ] {
        let interpolated = |header: &Metadata| {
            let header = header.with("INTERPSTYLE", style, None);
            header.with("APPROXSTYLE", -1_i64, None)
        };
        let Some(background) = cfht(interpolated) else {
            return;
        };
        assert_values(&background, expected);
    }
}

/// Expected: scipy, as above.
#[test]
fn lines_are_interpolated_as_scipy_does() {
    let points = [
        (0.0, 1.0),
        (1.0, 3.0),
        (2.5, 2.0),
        (4.0, 2.5),
        (5.0, 7.0),
        (7.5, 6.0),
    ];
    let at = [-1.0, 0.0, 0.3, 1.0, 2.0, 3.3, 4.9, 6.0, 7.5, 9.0];
    for (style, expected) in [
        (
            Interpolation::NaturalSpline,
            [
                -1.55085285,
                1.0,
                1.75038283,
                3.0,
                2.65190325,
                1.37383768,
                6.59632723,
                8.61734605,
                6.0,
                2.24789679,
            ],
        ),
        (
            Interpolation::Akima,
            [
                -3.06060606,
                1.0,
                1.91818182,
                3.0,
                2.32742055,
                2.01981841,
                6.70125483,
                8.14133824,
                6.0,
                -0.30165441,
            ],
        ),
        (
            Interpolation::Linear,
            [
                -1.0, 1.0, 1.6, 3.0, 2.33333333, 2.26666667, 6.55, 6.6, 6.0, 5.4,
            ],
        ),
    ] {
        let line = Interpolator::new(style, &points).unwrap();
        for (x, expected) in at.into_iter().zip(expected) {
            let mut one = [0.0];
            line.add_values(x, &mut one);
            assert_eq!(one[0], line.value(x));
            assert!(
                (line.value(x) - expected).abs() < 2e-8,
                "{style} at {x}: {}",
                one[0]
            );
        }
    }
}

fn layer(
    (columns, rows): (u64, u64),
    levels: Vec<f32>,
    bbox: PixelBox,
    style: Interpolation,
) -> Result<BackgroundLayer, DecodeError> {
    let levels = Image::new(levels, columns, rows, 0, 0).unwrap();
    BackgroundLayer::new(&levels, None, None, bbox, style, None)
}

/// A plane is a plane, whatever is drawn through it, with cells left out and boxes anywhere.
#[test]
fn planes_survive_every_interpolation() {
    let bbox = boxed(-7, 100, 60, 84);
    let plane = |x: f64, y: f64| 3.0 + 0.5 * x - 0.25 * y;
    let flat = layer((6, 7), vec![0.0; 42], bbox, Interpolation::Linear).unwrap();
    let (x, y) = flat.centres();
    let mut levels: Vec<f32> = y
        .iter()
        .flat_map(|y| x.iter().map(|x| plane(*x, *y) as f32))
        .collect();
    // A cell, and a whole column of cells, without a level.
    levels[8] = f32::NAN;
    (0..7).for_each(|row| levels[row * 6 + 4] = f32::NAN);
    for style in [
        Interpolation::Linear,
        Interpolation::NaturalSpline,
        Interpolation::Akima,
    ] {
        let layer = layer((6, 7), levels.clone(), bbox, style).unwrap();
        let image = Background::new([layer.clone(), layer]).image(bbox).unwrap();
        for (x, y) in [(-7, 100), (0, 150), (52, 183), (20, 101)] {
            let expected = 2.0 * plane((x + 7) as f64, (y - 100) as f64);
            assert!(
                (value(&image, x, y) - expected).abs() < 1e-4,
                "{style} {x} {y}"
            );
        }
    }
    let nothing = vec![f32::NAN; 42];
    let nothing = layer((6, 7), nothing, bbox, Interpolation::Akima).unwrap();
    let image = Background::new([nothing])
        .image(boxed(0, 120, 2, 2))
        .unwrap();
    assert!(image.statistics().is_none(), "no level, no background");
}

/// Few cells give simpler interpolations, where the settings allow it.
#[test]
fn few_cells_are_interpolated_simply_or_refused() {
    let bbox = boxed(0, 0, 8, 8);
    for (cells, levels) in [
        ((1, 1), vec![5.0]),
        ((2, 2), vec![5.0; 4]),
        ((4, 4), vec![5.0; 16]),
    ] {
        let simple = layer(cells, levels, bbox, Interpolation::Akima).unwrap();
        let image = Background::new([simple.clone()]).image(bbox).unwrap();
        assert_eq!((value(&image, 0, 0), value(&image, 7, 7)), (5.0, 5.0));
        let strict = simple
            .levels()
            .header()
            .with("UNDERSAMPLESTYLE", 0_i64, None);
        let strict = Arc::new(simple.levels().with_header(Arc::new(strict)));
        let strict = BackgroundLayer::from_planes(strict, None, None).unwrap();
        let error = Background::new([strict]).image(bbox).unwrap_err();
        assert!(
            matches!(error, BackgroundError::Layer { layer: 0, .. }),
            "{error}"
        );
    }
}

#[test]
fn what_cannot_be_computed_is_refused() {
    let bbox = boxed(0, 0, 40, 40);
    let good = layer((6, 6), vec![1.0; 36], bbox, Interpolation::Akima).unwrap();
    let background = Background::new([good.clone()]);
    for outside in [
        boxed(-1, 0, 5, 5),
        boxed(36, 0, 5, 5),
        boxed(0, 0, 1 << 40, 1 << 40),
        boxed(i64::MAX, 0, 5, 5),
    ] {
        let error = background.image(outside).unwrap_err();
        assert!(matches!(error, BackgroundError::Outside { .. }), "{error}");
    }
    assert_eq!(
        Background::new([]).image(bbox).unwrap_err(),
        BackgroundError::Empty
    );
    let changed = |keyword: &str, value: i64| {
        let header = good.levels().header().with(keyword, value, None);
        let levels = Arc::new(good.levels().with_header(Arc::new(header)));
        BackgroundLayer::from_planes(levels, None, None)
    };
    for (keyword, value) in [
        ("INTERPSTYLE", -1),
        ("INTERPSTYLE", 7),
        ("UNDERSAMPLESTYLE", 9),
        ("APPROXSTYLE", 3),
        ("BKGD_WIDTH", -5),
        ("BKGD_WIDTH", 5),
        ("BKGD_HEIGHT", 0),
    ] {
        assert!(changed(keyword, value).is_err(), "{keyword} {value}");
    }
    let periodic = Background::new([changed("INTERPSTYLE", 4).unwrap()]);
    assert!(periodic.image(bbox).is_err());
    // A polynomial of order 6 has 28 coefficients, and needs as many cells at least.
    let few = layer((2, 2), vec![1.0; 4], bbox, Interpolation::Linear).unwrap();
    let order = Approximation {
        order: 6,
        weighted: false,
    };
    let style = Interpolation::Linear;
    let few = BackgroundLayer::new(few.levels(), None, None, bbox, style, Some(order)).unwrap();
    assert!(Background::new([few]).image(bbox).is_err());
    let huge = changed("BKGD_WIDTH", i64::MAX).unwrap();
    assert!(
        Background::new([huge])
            .image(boxed(0, 0, i64::MAX as u64, 40))
            .is_err()
    );
}

/// R22: equal values are the same background, and a difference is told with its place.
#[test]
fn r22_backgrounds_are_compared_by_their_values() {
    let bbox = boxed(0, 0, 40, 40);
    let make = |level: f32| {
        let mut levels = vec![1.0; 36];
        levels[8] = level;
        Background::new([layer((6, 6), levels, bbox, Interpolation::Akima).unwrap()])
    };
    let (one, same, other) = (make(1.0), make(1.0), make(2.0));
    assert_eq!(one.digest_values(), same.digest_values());
    assert_eq!(one.difference(&same), None);
    assert_ne!(one.digest_values(), other.digest_values());
    let why = one.difference(&other).unwrap();
    assert!(why.contains("layer 0") && why.contains("(2, 1)"), "{why}");
    let two = Background::new([one.layers()[0].clone(), one.layers()[0].clone()]);
    assert!(one.difference(&two).unwrap().contains("1 layers and 2"));
    let lines = two.summary().unwrap();
    assert_eq!(lines.last().unwrap().name, "layers");
}
