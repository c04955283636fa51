//! Pixels with their mask as colours, `y` upwards.
//!
//! Large images shrink by a whole factor (means of blocks of finite pixels, all mask bits of a block), so that no side is
//! longer than 1024; small ones grow by a whole factor, up to 512. Mask planes lie over the image as translucent colours,
//! those that cover less over those that cover more. Blocks without any number are violet.

use pantler::core::formatter::PixelBox;
use pantler::core::object::downcast;
use pantler::objects::{Exposure, Image, Mask, MaskedImage, Wcs};
use pantler::{Object, ObjectRef};

use super::canvas::{Canvas, Colour, mixed};
use super::planes::plane_colours;
use super::stretch::Stretch;

/// No side is longer.
pub const LARGEST: usize = 1024;
/// Small images grow up to this.
const ENOUGH: usize = 512;
/// How much of a mask plane's colour is seen.
pub const OPACITY: f64 = 0.4;
/// The colour of pixels that are no numbers.
pub const NO_NUMBER: Colour = [72, 0, 96];
/// What a mask without image is drawn on.
pub const DARK: Colour = [40, 40, 40];

/// What of an object can be drawn as pixels.
pub struct Drawn<'a> {
    /// The image.
    pub image: Option<&'a Image>,
    /// The mask.
    pub mask: Option<&'a Mask>,
    /// Where the pixels lie on the sky.
    pub wcs: Option<&'a Wcs>,
    /// Which pixels of the parent they are.
    pub pixels: PixelBox,
    /// How they are stretched; `None` without a finite pixel.
    pub stretch: Option<Stretch>,
    width: usize,
    height: usize,
}

/// A mask plane in a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    /// Its name.
    pub name: String,
    /// Its bit.
    pub bit: u8,
    /// Its colour.
    pub colour: Colour,
    /// The number of its pixels.
    pub count: u64,
}

/// How many pixels make a block, and how large a block is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zoom {
    /// The side of a block in pixels of the image.
    pub shrink: usize,
    /// The side of a block in the picture.
    pub grow: usize,
}

impl Zoom {
    /// Returns how many pixels of the picture a pixel of the image is wide.
    pub fn factor(self) -> f64 {
        self.grow as f64 / self.shrink as f64
    }
}

impl<'a> Drawn<'a> {
    /// Finds the planes of an object; `None` if it has neither pixels nor a mask.
    pub fn of(object: &'a ObjectRef) -> Option<Drawn<'a>> {
        let object: &dyn Object = object.as_ref();
        if let Some(exposure) = downcast::<Exposure>(object) {
            let image = exposure.image().map(AsRef::as_ref);
            let wcs = exposure.wcs().map(AsRef::as_ref);
            Drawn::new(image, exposure.mask().map(AsRef::as_ref), wcs)
        } else if let Some(planes) = downcast::<MaskedImage>(object) {
            let image = planes.image().map(AsRef::as_ref);
            Drawn::new(image, planes.mask().map(AsRef::as_ref), None)
        } else if let Some(image) = downcast::<Image>(object) {
            Drawn::new(Some(image), None, None)
        } else {
            Drawn::new(None, downcast::<Mask>(object), None)
        }
    }

    /// Takes an image, a mask and a coordinate system; that of the image's header where none is given.
    pub fn new(
        image: Option<&'a Image>,
        mask: Option<&'a Mask>,
        wcs: Option<&'a Wcs>,
    ) -> Option<Drawn<'a>> {
        let pixels = image
            .map(Image::pixel_box)
            .or_else(|| mask.map(Mask::pixel_box))?;
        // Both fit, as the pixels are in memory.
        let (width, height) = (pixels.width as usize, pixels.height as usize);
        let own_wcs = || image.and_then(Image::wcs).map(AsRef::as_ref);
        let same_size =
            |mask: &&Mask| (mask.width(), mask.height()) == (pixels.width, pixels.height);
        (width > 0 && height > 0).then(|| Drawn {
            image,
            mask: mask.filter(same_size),
            wcs: wcs.or_else(own_wcs),
            pixels,
            stretch: image.and_then(Stretch::of),
            width,
            height,
        })
    }

    /// Returns how large it is drawn.
    pub fn zoom(&self) -> Zoom {
        let shrink = self.width.max(self.height).div_ceil(LARGEST);
        let largest = self.width.max(self.height).div_ceil(shrink);
        Zoom {
            shrink,
            grow: (ENOUGH / largest).max(1),
        }
    }

    /// Returns the mask planes that have pixels, those that cover more first.
    pub fn planes(&self) -> Vec<Plane> {
        let Some(mask) = self.mask else {
            return Vec::new();
        };
        let colours = plane_colours(mask.planes());
        let mut planes: Vec<Plane> = mask
            .planes()
            .iter()
            .filter_map(|(name, bit)| {
                let count = mask.count(name).filter(|count| *count > 0)?;
                Some(Plane {
                    name: name.clone(),
                    bit: *bit,
                    colour: colours.get(name)?.1,
                    count,
                })
            })
            .collect();
        planes.sort_by_key(|plane| (std::cmp::Reverse(plane.count), plane.bit));
        planes
    }

    /// Returns how many pixels are no numbers; infinite ones count.
    pub fn no_numbers(&self) -> u64 {
        let Some(image) = self.image else {
            return 0;
        };
        let finite = image.statistics().map_or(0, |finite| finite.count);
        (image.pixels().len() as u64).saturating_sub(finite)
    }

    /// Draws the pixels alone.
    pub fn draw(&self, planes: &[Plane]) -> Canvas {
        let Zoom { shrink, grow } = self.zoom();
        let (columns, rows) = (self.width.div_ceil(shrink), self.height.div_ceil(shrink));
        let mut canvas = Canvas::new(columns * grow, rows * grow, DARK);
        let side = grow as i64;
        for row in 0..rows {
            for column in 0..columns {
                let colour = self.colour(column * shrink, row * shrink, shrink, planes);
                // The first row of an image is its lowest.
                let from_top = (rows - 1 - row) as i64 * side;
                canvas.fill(column as i64 * side, from_top, side, side, colour);
            }
        }
        canvas
    }

    /// The colour of a block of pixels.
    fn colour(&self, x0: usize, y0: usize, size: usize, planes: &[Plane]) -> Colour {
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
        let (mut colour, opacity) = match (self.image, self.stretch) {
            (Some(_), Some(stretch)) if count > 0 => {
                ([stretch.grey(sum / f64::from(count)); 3], OPACITY)
            }
            (Some(_), _) => (NO_NUMBER, OPACITY),
            (None, _) => (DARK, 2.0 * OPACITY),
        };
        for plane in planes {
            if bits & (1 << plane.bit) != 0 {
                colour = mixed(colour, plane.colour, opacity);
            }
        }
        colour
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn image(width: u64, height: u64, value: impl Fn(u64, u64) -> f32) -> Image {
        let pixels: Vec<f32> = (0..width * height)
            .map(|index| value(index % width, index / width))
            .collect();
        Image::new(pixels, width, height, 0, 0).expect("as many pixels as the size says")
    }

    fn draw(image: Option<&Image>, mask: Option<&Mask>) -> Canvas {
        let drawn = Drawn::new(image, mask, None).expect("there are pixels");
        drawn.draw(&drawn.planes())
    }

    #[test]
    fn y_goes_up() {
        let picture = draw(Some(&image(10, 10, |_, y| y as f32)), None);
        assert_eq!(picture.at(0, 0), [255; 3], "the last row is on top");
        assert_eq!(picture.at(0, picture.height() - 1), [0; 3]);
    }

    #[test]
    fn small_images_grow_by_whole_factors() {
        let picture = draw(Some(&image(100, 30, |x, _| x as f32)), None);
        assert_eq!((picture.width(), picture.height()), (500, 150));
        let mut steps: Vec<Colour> = (0..picture.width()).map(|x| picture.at(x, 0)).collect();
        let first = steps[0];
        assert!(steps[..5].iter().all(|colour| *colour == first));
        steps.dedup();
        assert!(steps.len() > 80, "{} greys", steps.len());
        assert!(steps.is_sorted(), "brighter pixels are no darker");
    }

    #[test]
    fn large_images_shrink_to_the_limit() {
        let picture = draw(Some(&image(4 * 1024 + 1, 7, |x, _| x as f32)), None);
        assert_eq!((picture.width(), picture.height()), (820, 2));
    }

    #[test]
    fn what_is_no_number_is_seen_as_such() {
        let one = image(4, 1, |x, _| [1.0, 2.0, f32::NAN, f32::INFINITY][x as usize]);
        let picture = draw(Some(&one), None);
        let size = picture.width() / 4;
        assert_eq!(picture.at(2 * size, 0), NO_NUMBER);
        assert_eq!(picture.at(3 * size, 0), NO_NUMBER);
        assert_ne!(picture.at(0, 0), NO_NUMBER);
        let none = draw(Some(&image(2, 2, |_, _| f32::NAN)), None);
        assert_eq!(none.at(0, 0), NO_NUMBER);
        let drawn = Drawn::new(Some(&one), None, None).expect("there are pixels");
        assert_eq!(drawn.no_numbers(), 2);
    }

    #[test]
    fn planes_are_translucent() {
        let flat = image(3, 1, |_, _| 7.0);
        let planes = BTreeMap::from([("DETECTED".to_owned(), 5), ("EDGE".to_owned(), 31)]);
        let pixels = vec![0, (1 << 5) | i32::MIN, 1 << 5];
        let mask = Mask::new(pixels, 3, 1, 0, 0, planes).expect("a sound mask");
        let picture = draw(Some(&flat), Some(&mask));
        let middle = picture.width() / 2;
        assert_eq!(picture.at(0, 0), [128; 3]);
        let detected = mixed([128; 3], [86, 180, 233], OPACITY);
        assert_eq!(picture.at(picture.width() - 1, 0), detected);
        // What covers less lies above.
        assert_eq!(
            picture.at(middle, 0),
            mixed(detected, [240, 228, 66], OPACITY)
        );
        let alone = draw(None, Some(&mask));
        assert_eq!(alone.at(0, 0), DARK);
        assert_ne!(alone.at(alone.width() - 1, 0), DARK);
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
            |x: usize, y: usize| picture.at(x * 5 + 2, picture.height() - 1 - (y * 5 + 2))[0];
        let (sky, faint, bright) = (grey(50, 50), grey(22, 22), grey(72, 72));
        assert!(
            sky < 120 && faint > sky + 40 && bright >= faint,
            "{sky} {faint} {bright}"
        );
    }
}
