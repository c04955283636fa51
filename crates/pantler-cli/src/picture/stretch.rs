//! From pixel values to grey: asinh between two limits that the pixels themselves give.
//!
//! Black is the 2nd percentile, white the 99.7th; the curve is linear up to about the noise above the median (half the
//! distance of the 16th to the 84th percentile) and logarithmic beyond, so that faint and bright things are seen at once
//! (Lupton, Gunn & Szalay 1999, AJ 118, 1406). Percentiles are taken from at most 200 000 pixels spread evenly.

use pantler::objects::Image;

/// A stretch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stretch {
    /// The value that is black.
    pub low: f64,
    /// The value that is white.
    pub high: f64,
    soft: f64,
}

impl Stretch {
    /// Finds the limits of an image; `None` if it has no finite pixel.
    pub fn of(image: &Image) -> Option<Stretch> {
        const SAMPLES: usize = 200_000;
        let pixels = image.pixels();
        // An odd step, so that the samples do not fall into few columns where the width is a power of two.
        let step = pixels.len().div_ceil(SAMPLES) | 1;
        let mut values: Vec<f64> = (0..pixels.len())
            .step_by(step)
            .filter_map(|index| pixels.get_f64(index).filter(|value| value.is_finite()))
            .collect();
        if values.is_empty() {
            // The few finite pixels may have been missed.
            values = (0..pixels.len())
                .filter_map(|index| pixels.get_f64(index).filter(|value| value.is_finite()))
                .collect();
        }
        values.sort_unstable_by(f64::total_cmp);
        let percentile = |percent: f64| {
            let last = values.len().checked_sub(1)?;
            values
                .get((last as f64 * percent / 100.0).round() as usize)
                .copied()
        };
        let (mut low, mut high) = (percentile(2.0)?, percentile(99.7)?);
        if low == high {
            // Nearly all pixels are the same; what differs is what there is to be seen.
            (low, high) = (percentile(0.0)?, percentile(100.0)?);
        }
        let noise = (percentile(84.0)? - percentile(16.0)?) / 2.0;
        let soft = (percentile(50.0)? - low + noise).max((high - low) * 1e-3);
        Some(Stretch { low, high, soft })
    }

    /// Finds the limits of an image of one star: white is its brightest pixel, black its darkest, and a thousandth of the way
    /// between them is seen; `None` if it has no finite pixel.
    pub fn to_the_peak(image: &Image) -> Option<Stretch> {
        let pixels = image.pixels();
        let finite = (0..pixels.len())
            .filter_map(|index| pixels.get_f64(index).filter(|value| value.is_finite()));
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        (low <= high).then_some(Stretch {
            low,
            high,
            soft: (high - low) * 1e-3,
        })
    }

    /// Returns the grey of a value, from 0 for black to 255 for white.
    pub fn grey(&self, value: f64) -> u8 {
        if self.high <= self.low {
            return 128;
        }
        let curve = |value: f64| (value / self.soft).asinh();
        let share = curve((value - self.low).clamp(0.0, self.high - self.low))
            / curve(self.high - self.low);
        // Between 0 and 255, as the share is between 0 and 1.
        (share * 255.0).round() as u8
    }

    /// Returns the value that has a share of the way from black to white.
    pub fn value(&self, share: f64) -> f64 {
        self.low + self.soft * (share * ((self.high - self.low) / self.soft).asinh()).sinh()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(width: u64, height: u64, value: impl Fn(u64, u64) -> f32) -> Image {
        let pixels: Vec<f32> = (0..width * height)
            .map(|index| value(index % width, index / width))
            .collect();
        Image::new(pixels, width, height, 0, 0).expect("as many pixels as the size says")
    }

    #[test]
    fn value_is_the_way_back_from_grey() {
        let ramp = image(100, 100, |x, y| (x * 100 + y) as f32);
        let stretch = Stretch::of(&ramp).expect("it has pixels");
        assert_eq!(stretch.grey(stretch.value(0.0)), 0);
        assert_eq!(stretch.grey(stretch.value(0.5)), 128);
        assert_eq!(stretch.grey(stretch.value(1.0)), 255);
    }

    #[test]
    fn one_bright_pixel_is_seen() {
        let lone = image(100, 100, |x, y| if (x, y) == (3, 4) { 7.0 } else { 0.0 });
        let stretch = Stretch::of(&lone).expect("it has pixels");
        assert_eq!((stretch.grey(0.0), stretch.grey(7.0)), (0, 255));
    }

    #[test]
    fn a_constant_image_is_grey() {
        let flat = image(3, 3, |_, _| 7.0);
        assert_eq!(Stretch::of(&flat).expect("it has pixels").grey(7.0), 128);
        assert_eq!(Stretch::of(&image(2, 2, |_, _| f32::NAN)), None);
    }
}
