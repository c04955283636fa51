//! What the pixels of a plane are like: all finite ones, and those that no bad mask plane covers.
//!
//! The standard deviation is that of the pixels themselves (divided by their number). The robust one is 1.4826 times the
//! median of the distances from the median, which for a normal distribution is the standard deviation and hardly notices
//! stars. Of more than 16 million pixels, medians are taken from some that are spread evenly.

use pantler_objects::{Image, Mask};

/// Planes that mark pixels whose values mean nothing, under the names that the field gives them.
pub const BAD_PLANES: [&str; 7] = [
    "BAD",
    "SAT",
    "NO_DATA",
    "EDGE",
    "CR",
    "SUSPECT",
    "UNMASKEDNAN",
];

/// Medians are taken from no more pixels.
const LARGEST_SAMPLE: usize = 1 << 24;

/// The third quartile of the normal distribution is at 1 / 1.4826 standard deviations.
const SIGMA_OF_MAD: f64 = 1.482_602_218_505_602;

/// What some finite pixels are like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PixelStatistics {
    /// How many there are.
    pub count: u64,
    /// The lowest.
    pub min: f64,
    /// The highest.
    pub max: f64,
    /// The mean.
    pub mean: f64,
    /// The median.
    pub median: f64,
    /// The standard deviation.
    pub std: f64,
    /// The standard deviation as the median distance from the median tells it.
    pub robust_std: f64,
}

/// What a plane is like.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaneStatistics {
    /// How many pixels are NaN.
    pub nan: u64,
    /// How many are infinite.
    pub infinite: u64,
    /// All finite pixels; `None` if there is none.
    pub finite: Option<PixelStatistics>,
    /// The finite pixels that are not masked; `None` if there is none, or if no plane is ignored.
    pub unmasked: Option<PixelStatistics>,
}

/// Returns the bits of the planes of a mask that are among some names, and these names.
pub fn ignored<'a>(mask: &'a Mask, planes: &[String]) -> (i32, Vec<&'a str>) {
    let mut bits = 0;
    let mut names = Vec::new();
    for (name, bit) in mask.planes() {
        if planes.contains(name) {
            bits |= 1 << bit;
            names.push(name.as_str());
        }
    }
    (bits, names)
}

/// Returns what a plane is like, with and without the pixels that have one of these bits in a mask of the same size.
pub fn plane_statistics(image: &Image, masked: Option<(&Mask, i32)>) -> PlaneStatistics {
    let pixels = image.pixels();
    let (mut nan, mut infinite) = (0, 0);
    let mut finite = Vec::with_capacity(pixels.len());
    for index in 0..pixels.len() {
        match pixels.get_f64(index) {
            Some(value) if value.is_finite() => finite.push(value),
            Some(value) if value.is_nan() => nan += 1,
            Some(_) => infinite += 1,
            None => {}
        }
    }
    let all = of_values(&mut finite);
    finite.clear();
    let same = |(mask, bits): &(&Mask, i32)| mask.pixels().len() == pixels.len() && *bits != 0;
    let unmasked = masked.filter(same).and_then(|(mask, bits)| {
        let set = mask.pixels().iter().map(|pixel| pixel & bits != 0);
        for (index, _) in set.enumerate().filter(|(_, set)| !set) {
            finite.extend(pixels.get_f64(index).filter(|value| value.is_finite()));
        }
        of_values(&mut finite)
    });
    PlaneStatistics {
        nan,
        infinite,
        finite: all,
        unmasked,
    }
}

/// Returns what finite numbers are like; they are in another order afterwards.
fn of_values(values: &mut Vec<f64>) -> Option<PixelStatistics> {
    let count = values.len();
    let first = *values.first()?;
    let (min, max) = values.iter().fold((first, first), |(min, max), value| {
        (min.min(*value), max.max(*value))
    });
    let mean = values.iter().sum::<f64>() / count as f64;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    if count > LARGEST_SAMPLE {
        // An odd step, so that not all are from few columns.
        let step = count.div_ceil(LARGEST_SAMPLE) | 1;
        let mut index = 0;
        values.retain(|_| {
            index += 1;
            index % step == 0
        });
    }
    let middle = median(values);
    for value in values.iter_mut() {
        *value = (*value - middle).abs();
    }
    Some(PixelStatistics {
        count: count as u64,
        min,
        max,
        mean,
        median: middle,
        std: (squares / count as f64).sqrt(),
        robust_std: SIGMA_OF_MAD * median(values),
    })
}

/// Returns the middle one of some finite numbers, or the mean of the two in the middle; 0 of none.
fn median(values: &mut [f64]) -> f64 {
    let half = values.len() / 2;
    if values.is_empty() {
        return 0.0;
    }
    let even = values.len().is_multiple_of(2);
    let (lower, upper, _) = values.select_nth_unstable_by(half, f64::total_cmp);
    let upper = *upper;
    match even {
        false => upper,
        true => {
            let below = lower.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            below / 2.0 + upper / 2.0
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn closed_formulas_hold() {
        // 1 … 100, shuffled: mean 50.5, variance (100² - 1) / 12, distances from the median 0.5 … 49.5, each twice.
        let values: Vec<f64> = (0..100)
            .map(|index| f64::from((index * 37) % 100 + 1))
            .collect();
        let image = Image::new(values, 10, 10, 0, 0).expect("as many as the size says");
        let found = plane_statistics(&image, None);
        let all = found.finite.expect("there are pixels");
        assert_eq!(
            (all.count, all.min, all.max, all.mean),
            (100, 1.0, 100.0, 50.5)
        );
        assert_eq!((all.median, found.unmasked), (50.5, None));
        assert!((all.std - (9999.0_f64 / 12.0).sqrt()).abs() < 1e-12);
        assert!((all.robust_std - 25.0 * SIGMA_OF_MAD).abs() < 1e-12);
    }

    #[test]
    fn masked_pixels_and_no_numbers_do_not_count() {
        let values = vec![1.0_f32, 2.0, 6.0, 1e30, f32::NAN, f32::INFINITY];
        let image = Image::new(values, 6, 1, 0, 0).expect("as many as the size says");
        let planes = BTreeMap::from([("SAT".to_owned(), 1), ("DETECTED".to_owned(), 5)]);
        let pixels = vec![0, 32, 32, 34, 2, 0];
        let mask = Mask::new(pixels, 6, 1, 0, 0, planes).expect("a sound mask");
        let (bits, names) = ignored(&mask, &BAD_PLANES.map(str::to_owned));
        assert_eq!((bits, names), (2, vec!["SAT"]));
        let found = plane_statistics(&image, Some((&mask, bits)));
        assert_eq!((found.nan, found.infinite), (1, 1));
        assert_eq!(found.finite.map(|all| all.count), Some(4));
        let good = found.unmasked.expect("some are not masked");
        assert_eq!(
            (good.count, good.max, good.mean, good.median),
            (3, 6.0, 3.0, 2.0)
        );
    }

    #[test]
    fn nothing_is_nothing() {
        let image = Image::new(vec![f32::NAN], 1, 1, 0, 0).expect("as many as the size says");
        let found = plane_statistics(&image, None);
        assert_eq!((found.nan, found.finite), (1, None));
    }
}
