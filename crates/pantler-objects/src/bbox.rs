//! The rectangle of parent pixels that an image covers, as an object of its own.

use pantler_core::formatter::PixelBox;
use pantler_core::{Hasher, Origin};

use crate::values::Values;

/// A rectangle of pixels in parent coordinates.
#[derive(Debug, Clone)]
pub struct Bbox {
    pixels: PixelBox,
    origin: Option<Origin>,
}

impl Bbox {
    /// Makes an object of a rectangle.
    pub fn new(pixels: PixelBox) -> Bbox {
        Bbox {
            pixels,
            origin: None,
        }
    }

    /// Returns the rectangle.
    pub fn pixels(&self) -> PixelBox {
        self.pixels
    }

    fn class_name(&self) -> &str {
        "Bbox"
    }
}

impl Values for Bbox {
    fn add_values(&self, hasher: &mut Hasher) {
        add_box(hasher, &self.pixels);
    }

    fn differs_from(&self, other: &Bbox) -> Option<String> {
        (self.pixels != other.pixels)
            .then(|| format!("{} and {}", describe(&self.pixels), describe(&other.pixels)))
    }

    fn memory_bytes(&self) -> u64 {
        size_of::<Bbox>() as u64
    }
}

leaf_object!(Bbox);

/// Adds a rectangle to a digest.
pub(crate) fn add_box(hasher: &mut Hasher, pixels: &PixelBox) {
    hasher.update(&pixels.x0.to_le_bytes());
    hasher.update(&pixels.y0.to_le_bytes());
    hasher.update(&pixels.width.to_le_bytes());
    hasher.update(&pixels.height.to_le_bytes());
}

/// Returns a rectangle in words: `200x100 at (5, 7)`.
pub(crate) fn describe(pixels: &PixelBox) -> String {
    let PixelBox {
        x0,
        y0,
        width,
        height,
    } = pixels;
    format!("{width}x{height} at ({x0}, {y0})")
}
