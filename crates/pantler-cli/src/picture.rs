//! Pictures of images: stretched to grey, mask planes laid over as translucent colours, `y` upwards as on the sky charts.
//!
//! The stretch is asinh between two limits that the pixels themselves give: black at the 2nd percentile, white at the
//! 99.7th, linear up to about the noise above the median (half the distance of the 16th to the 84th percentile) and
//! logarithmic beyond, so that faint and bright things are seen at once. Percentiles are taken from at most 200 000 pixels
//! spread evenly over the image. Pixels that are no numbers are violet.
//!
//! Large images shrink by a whole factor (means of blocks of finite pixels, all mask bits of a block), so that no side is
//! longer than 1024; small ones grow by a whole factor, up to 512.

use std::collections::BTreeMap;

use pantler::core::object::downcast;
use pantler::objects::{Exposure, Image, Mask, MaskedImage};
use pantler::{Object, ObjectRef};

/// No side of a picture is longer.
pub const LARGEST: usize = 1024;
/// Small images grow up to this.
const ENOUGH: usize = 512;
/// How much of a mask plane's colour is seen, in 256ths.
const OPACITY: u32 = 102;
const NO_NUMBER: [u8; 3] = [72, 0, 96];

/// A picture: rows of red, green and blue from the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// The number of columns.
    pub width: usize,
    /// The number of rows.
    pub height: usize,
    rgb: Vec<u8>,
}

/// What of an object can be drawn.
pub struct Drawn<'a> {
    image: Option<&'a Image>,
    mask: Option<&'a Mask>,
    width: usize,
    height: usize,
}

impl<'a> Drawn<'a> {
    /// Finds the planes of an object; `None` if it has neither pixels nor a mask.
    pub fn of(object: &'a ObjectRef) -> Option<Drawn<'a>> {
        let object: &dyn Object = object.as_ref();
        let (image, mask) = if let Some(exposure) = downcast::<Exposure>(object) {
            (
                exposure.image().map(AsRef::as_ref),
                exposure.mask().map(AsRef::as_ref),
            )
        } else if let Some(planes) = downcast::<MaskedImage>(object) {
            (
                planes.image().map(AsRef::as_ref),
                planes.mask().map(AsRef::as_ref),
            )
        } else if let Some(image) = downcast::<Image>(object) {
            (Some(image), None)
        } else {
            (None, downcast::<Mask>(object))
        };
        Drawn::new(image, mask)
    }

    fn new(image: Option<&'a Image>, mask: Option<&'a Mask>) -> Option<Drawn<'a>> {
        let pixels = image
            .map(Image::pixel_box)
            .or_else(|| mask.map(Mask::pixel_box))?;
        // Both fit, as the pixels are in memory.
        let (width, height) = (pixels.width as usize, pixels.height as usize);
        (width > 0 && height > 0).then_some(Drawn {
            image,
            mask: mask
                .filter(|mask| (mask.width(), mask.height()) == (pixels.width, pixels.height)),
            width,
            height,
        })
    }

    /// Draws it.
    pub fn picture(&self) -> Picture {
        let shrink = self.width.max(self.height).div_ceil(LARGEST);
        let (columns, rows) = (self.width.div_ceil(shrink), self.height.div_ceil(shrink));
        let grow = (ENOUGH / columns.max(rows)).max(1);
        let stretch = self.image.and_then(Stretch::of);
        let colours = self
            .mask
            .map(|mask| plane_colours(mask.planes()))
            .unwrap_or_default();
        let (width, height) = (columns * grow, rows * grow);
        let mut rgb = vec![0_u8; width * height * 3];
        for row in 0..rows {
            for column in 0..columns {
                let colour = self.colour(
                    column * shrink,
                    row * shrink,
                    shrink,
                    stretch.as_ref(),
                    &colours,
                );
                for y in 0..grow {
                    // The first row of an image is its lowest.
                    let from_top = height - 1 - (row * grow + y);
                    for x in 0..grow {
                        let at = (from_top * width + column * grow + x) * 3;
                        rgb[at..at + 3].copy_from_slice(&colour);
                    }
                }
            }
        }
        Picture { width, height, rgb }
    }

    /// The colour of a block of pixels.
    fn colour(
        &self,
        x0: usize,
        y0: usize,
        size: usize,
        stretch: Option<&Stretch>,
        colours: &[(u8, [u8; 3])],
    ) -> [u8; 3] {
        let (mut sum, mut count, mut bits) = (0.0, 0_u32, 0_i32);
        for y in y0..(y0 + size).min(self.height) {
            for x in x0..(x0 + size).min(self.width) {
                let index = y * self.width + x;
                let value = self.image.and_then(|image| image.pixels().get_f64(index));
                if let Some(value) = value.filter(|value| value.is_finite()) {
                    sum += value;
                    count += 1;
                }
                bits |= self
                    .mask
                    .and_then(|mask| mask.pixels().get(index))
                    .copied()
                    .unwrap_or(0);
            }
        }
        let mut colour = match (self.image, stretch) {
            (Some(_), Some(stretch)) if count > 0 => [stretch.grey(sum / f64::from(count)); 3],
            (Some(_), _) => NO_NUMBER,
            (None, _) => [0; 3],
        };
        for (bit, plane) in colours {
            if bits & (1 << bit) != 0 {
                colour = blend(colour, *plane);
            }
        }
        colour
    }
}

impl Picture {
    /// Returns the picture as a PNG file.
    pub fn png(&self) -> Result<Vec<u8>, String> {
        let side = |side: usize| u32::try_from(side).map_err(|error| error.to_string());
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, side(self.width)?, side(self.height)?);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().map_err(|error| error.to_string())?;
        writer
            .write_image_data(&self.rgb)
            .map_err(|error| error.to_string())?;
        writer.finish().map_err(|error| error.to_string())?;
        Ok(bytes)
    }
}

fn blend(under: [u8; 3], over: [u8; 3]) -> [u8; 3] {
    let mix = |under: u8, over: u8| {
        let sum = u32::from(under) * (256 - OPACITY) + u32::from(over) * OPACITY;
        // At most 255, as the weights add up to 256.
        (sum / 256) as u8
    };
    std::array::from_fn(|channel| mix(under[channel], over[channel]))
}

/// Returns the colour of each plane's bit; those of the field's display tools where they have one for the plane.
fn plane_colours(planes: &BTreeMap<String, u8>) -> Vec<(u8, [u8; 3])> {
    let mut colours: Vec<(u8, [u8; 3])> = planes
        .iter()
        .map(|(name, bit)| (*bit, plane_colour(name, *bit).1))
        .collect();
    colours.sort_unstable();
    colours
}

/// Returns the name and the value of the colour that a mask plane is drawn in.
pub fn plane_colour(plane: &str, bit: u8) -> (&'static str, [u8; 3]) {
    const RED: (&str, [u8; 3]) = ("red", [255, 40, 40]);
    const GREEN: (&str, [u8; 3]) = ("green", [40, 220, 40]);
    const BLUE: (&str, [u8; 3]) = ("blue", [70, 110, 255]);
    const YELLOW: (&str, [u8; 3]) = ("yellow", [240, 230, 40]);
    const MAGENTA: (&str, [u8; 3]) = ("magenta", [255, 40, 255]);
    const CYAN: (&str, [u8; 3]) = ("cyan", [40, 230, 230]);
    const ORANGE: (&str, [u8; 3]) = ("orange", [255, 150, 20]);
    const OTHERS: [(&str, [u8; 3]); 4] = [
        ("pink", [255, 160, 190]),
        ("brown", [170, 110, 60]),
        ("olive", [150, 150, 40]),
        ("teal", [30, 130, 130]),
    ];
    match plane {
        "BAD" => RED,
        "CR" | "UNMASKEDNAN" => MAGENTA,
        "EDGE" | "SUSPECT" => YELLOW,
        "INTRP" | "SAT" => GREEN,
        "DETECTED" => BLUE,
        "DETECTED_NEGATIVE" => CYAN,
        "NO_DATA" | "CROSSTALK" => ORANGE,
        _ => OTHERS[usize::from(bit) % OTHERS.len()],
    }
}

/// From values to grey.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Stretch {
    low: f64,
    high: f64,
    soft: f64,
}

impl Stretch {
    /// Finds the limits of an image; `None` if it has no finite pixel.
    fn of(image: &Image) -> Option<Stretch> {
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
        let (low, high) = (percentile(2.0)?, percentile(99.7)?);
        let noise = (percentile(84.0)? - percentile(16.0)?) / 2.0;
        let soft = (percentile(50.0)? - low + noise).max((high - low) * 1e-3);
        Some(Stretch { low, high, soft })
    }

    fn grey(&self, value: f64) -> u8 {
        if self.high <= self.low {
            return 128;
        }
        let curve = |value: f64| (value / self.soft).asinh();
        let share = curve((value - self.low).clamp(0.0, self.high - self.low))
            / curve(self.high - self.low);
        // Between 0 and 255, as the share is between 0 and 1.
        (share * 255.0).round() as u8
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

    fn at(picture: &Picture, x: usize, y_from_top: usize) -> [u8; 3] {
        let start = (y_from_top * picture.width + x) * 3;
        picture.rgb[start..start + 3]
            .try_into()
            .expect("three channels")
    }

    fn draw(image: Option<&Image>, mask: Option<&Mask>) -> Picture {
        Drawn::new(image, mask).expect("there are pixels").picture()
    }

    #[test]
    fn y_goes_up() {
        let picture = draw(Some(&image(10, 10, |_, y| y as f32)), None);
        assert_eq!(at(&picture, 0, 0), [255; 3], "the last row is on top");
        assert_eq!(at(&picture, 0, picture.height - 1), [0; 3]);
    }

    #[test]
    fn small_images_grow_by_whole_factors() {
        let picture = draw(Some(&image(100, 30, |x, _| x as f32)), None);
        assert_eq!((picture.width, picture.height), (500, 150));
        let mut steps: Vec<[u8; 3]> = (0..picture.width).map(|x| at(&picture, x, 0)).collect();
        let first = steps[0];
        assert!(steps[..5].iter().all(|colour| *colour == first));
        steps.dedup();
        assert!(steps.len() > 80, "{} greys", steps.len());
        assert!(steps.is_sorted(), "brighter pixels are no darker");
    }

    #[test]
    fn large_images_shrink_to_the_limit() {
        let picture = draw(Some(&image(4 * 1024 + 1, 7, |x, _| x as f32)), None);
        assert_eq!((picture.width, picture.height), (820, 2));
    }

    #[test]
    fn what_is_no_number_is_seen_as_such() {
        let one = image(4, 1, |x, _| [1.0, 2.0, f32::NAN, f32::INFINITY][x as usize]);
        let picture = draw(Some(&one), None);
        let size = picture.width / 4;
        assert_eq!(at(&picture, 2 * size, 0), NO_NUMBER);
        assert_eq!(at(&picture, 3 * size, 0), NO_NUMBER);
        assert_ne!(at(&picture, 0, 0), NO_NUMBER);
        assert_eq!(
            at(&draw(Some(&image(2, 2, |_, _| f32::NAN)), None), 0, 0),
            NO_NUMBER
        );
    }

    #[test]
    fn a_constant_image_is_grey() {
        assert_eq!(
            at(&draw(Some(&image(3, 3, |_, _| 7.0)), None), 0, 0),
            [128; 3]
        );
    }

    #[test]
    fn planes_are_translucent() {
        let flat = image(2, 1, |_, _| 7.0);
        let planes = BTreeMap::from([("DETECTED".to_owned(), 5), ("EDGE".to_owned(), 31)]);
        let mask =
            Mask::new(vec![0, (1 << 5) | i32::MIN], 2, 1, 0, 0, planes).expect("a sound mask");
        let picture = draw(Some(&flat), Some(&mask));
        let masked = at(&picture, picture.width - 1, 0);
        assert_eq!(at(&picture, 0, 0), [128; 3]);
        assert_eq!(
            masked,
            blend(blend([128; 3], [70, 110, 255]), [240, 230, 40])
        );
        let alone = draw(None, Some(&mask));
        assert_eq!(at(&alone, 0, 0), [0; 3]);
        assert_ne!(at(&alone, alone.width - 1, 0), [0; 3]);
    }

    #[test]
    fn faint_and_bright_are_both_seen() {
        // Noise of 1 around 0, one source of 10 and one of 10000.
        let noisy = image(100, 100, |x, y| match (x, y) {
            (20..25, 20..25) => 10.0,
            (70..75, 70..75) => 10_000.0,
            _ => ((x * 7 + y * 13) % 11) as f32 / 5.0 - 1.0,
        });
        let picture = draw(Some(&noisy), None);
        let grey =
            |x: usize, y: usize| at(&picture, x * 5 + 2, picture.height - 1 - (y * 5 + 2))[0];
        let (sky, faint, bright) = (grey(50, 50), grey(22, 22), grey(72, 72));
        assert!(
            sky < 120 && faint > sky + 40 && bright >= faint,
            "{sky} {faint} {bright}"
        );
    }

    #[test]
    fn the_file_can_be_read_back() {
        let picture = draw(Some(&image(3, 2, |x, y| (x + y) as f32)), None);
        let bytes = picture.png().expect("it is a picture");
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes))
            .read_info()
            .expect("it is a PNG");
        let mut rgb = vec![0; reader.output_buffer_size().expect("it fits")];
        let info = reader.next_frame(&mut rgb).expect("it has one frame");
        assert_eq!(
            (info.width as usize, info.height as usize),
            (picture.width, picture.height)
        );
        assert_eq!(rgb, picture.rgb);
    }
}
