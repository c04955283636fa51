//! Backgrounds: what was subtracted from an image, as levels of cells and the way to make an image of them.
//!
//! ```text
//! Background ─► BackgroundLayer ─┬─ planes: levels, mask, variance of the cells; settings in the header
//!     sum of the layers          ├─ interpolation     between the middles of the cells
//!                                └─ approximation     a polynomial through all of them
//! ```
//!
//! The format is that of the LSST stack's `BackgroundList`: three image HDUs for each layer (levels, mask, variance), with
//! the same cards in each:
//!
//! | card | meaning |
//! | --- | --- |
//! | `BKGD_X0`, `BKGD_Y0`, `BKGD_WIDTH`, `BKGD_HEIGHT` | the pixels of the image that the layer is for |
//! | `INTERPSTYLE` | 0 constant, 1 linear, 2 natural spline, 3 cubic spline (the same), 4 periodic, 5 Akima spline, 6 periodic |
//! | `UNDERSAMPLESTYLE` | with too few cells: 0 is an error, 1 takes a simpler interpolation, 2 is an error |
//! | `APPROXSTYLE` | -1 none, so that levels are interpolated; 0 Chebyshev polynomial |
//! | `APPROXORDERX`, `APPROXORDERY`, `APPROXWEIGHTING` | its order, equal in x and y (-1 in y: as in x), and whether cells count by 1 / variance |
//!
//! Cells share out the pixels evenly: the i-th of n ends before pixel ⌊((i + 1) · width + ⌊n / 2⌋) / n⌋. Where a layer has
//! an approximation, the interpolation counts for nothing. Levels that are not finite are left out of either.
//!
//! Planes with their headers are kept as they were read, so that what is written is what was read. This module reads no
//! file and estimates no background.

mod approximation;
mod interpolation;
mod layer;

use std::sync::Arc;

use pantler_core::formatter::PixelBox;
use pantler_core::{Hasher, Origin};

use crate::bbox::describe;
use crate::decode::DecodeError;
use crate::image::{Image, ImageError};
use crate::summary::{Described, SummaryLine, SummaryValue, box_lines};
use crate::values::Values;

pub use interpolation::Interpolation;
pub use layer::{Approximation, BackgroundLayer, Undersampled};

const CLASS: &str = "Background";

/// No image of a background has more pixels, whatever a header says.
const MOST_PIXELS: u64 = 1 << 28;

/// A background of which there is no image.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BackgroundError {
    /// It has no layers.
    #[error("the background has no layers")]
    Empty,
    /// A layer is damaged, or made in a way that pantler does not know.
    #[error("layer {layer} of the background: {source}")]
    Layer {
        /// The layer, counted from 0.
        layer: usize,
        /// Why.
        source: DecodeError,
    },
    /// The box is not inside what the layers are for, or too large.
    #[error(
        "no background image of {wanted}: the layers cover {covered}, and {most} pixels are the most"
    )]
    Outside {
        /// The box asked for.
        wanted: String,
        /// What the layer covers.
        covered: String,
        /// The largest number of pixels.
        most: u64,
    },
    /// The pixels are no image.
    #[error(transparent)]
    Image(#[from] ImageError),
}

/// A background: layers that were subtracted one after the other.
#[derive(Debug, Clone)]
pub struct Background {
    layers: Arc<[BackgroundLayer]>,
    origin: Option<Origin>,
}

impl Background {
    /// Makes a background of layers.
    pub fn new(layers: impl IntoIterator<Item = BackgroundLayer>) -> Background {
        Background {
            layers: layers.into_iter().collect(),
            origin: None,
        }
    }

    /// Returns the layers, in the order in which they were subtracted.
    pub fn layers(&self) -> &[BackgroundLayer] {
        &self.layers
    }

    /// Returns the pixels of the image that it is for, which the first layer tells; `None` if there is none.
    pub fn bbox(&self) -> Option<PixelBox> {
        self.layers.first().map(BackgroundLayer::bbox)
    }

    /// Computes the sum of the layers over a box inside of the image that they are for.
    ///
    /// The pixels are 32-bit floats, computed and summed in 64 bits, rows of growing y, in the unit of the levels.
    pub fn image(&self, bbox: PixelBox) -> Result<Image, BackgroundError> {
        if self.layers.is_empty() {
            return Err(BackgroundError::Empty);
        }
        let pixels = bbox.width.checked_mul(bbox.height);
        let mut makers = Vec::with_capacity(self.layers.len());
        for (index, layer) in self.layers.iter().enumerate() {
            let fits = pixels.is_some_and(|pixels| pixels <= MOST_PIXELS);
            if !fits || !contains(&layer.bbox(), &bbox) {
                return Err(BackgroundError::Outside {
                    wanted: describe(&bbox),
                    covered: describe(&layer.bbox()),
                    most: MOST_PIXELS,
                });
            }
            let of_layer = |source| BackgroundError::Layer {
                layer: index,
                source,
            };
            makers.push((index, layer.rows().map_err(of_layer)?));
        }
        // Both are below the limit above.
        let (width, height) = (bbox.width as usize, bbox.height as usize);
        let mut values = Vec::with_capacity(width * height);
        let mut line = vec![0.0; width];
        for y in 0..bbox.height {
            line.fill(0.0);
            for (index, maker) in &makers {
                let layer = self.layers[*index].bbox();
                let row = bbox.y0.abs_diff(layer.y0) + y;
                let start = bbox.x0.abs_diff(layer.x0);
                maker
                    .add_row(row as f64, start as f64, &mut line)
                    .map_err(|source| BackgroundError::Layer {
                        layer: *index,
                        source,
                    })?;
            }
            values.extend(line.iter().map(|value| *value as f32));
        }
        Ok(Image::new(
            values,
            bbox.width,
            bbox.height,
            bbox.x0,
            bbox.y0,
        )?)
    }

    fn class_name(&self) -> &str {
        CLASS
    }
}

fn contains(outer: &PixelBox, inner: &PixelBox) -> bool {
    let inside = |from: i64, size: u64, first: i64, length: u64| {
        let skipped = first
            .checked_sub(from)
            .and_then(|gap| u64::try_from(gap).ok());
        let end = skipped.and_then(|skipped| skipped.checked_add(length));
        end.is_some_and(|end| end <= size)
    };
    inside(outer.x0, outer.width, inner.x0, inner.width)
        && inside(outer.y0, outer.height, inner.y0, inner.height)
}

impl Described for Background {
    /// Lists the box and the layers: cells, how an image is made of them, and the range of their levels.
    fn summary(&self) -> Result<Vec<SummaryLine>, DecodeError> {
        let mut lines = match self.bbox() {
            Some(bbox) => box_lines(&bbox),
            None => Vec::new(),
        };
        let layers = self.layers.iter().map(BackgroundLayer::summary);
        lines.push(SummaryLine::new(
            "layers",
            SummaryValue::Rows(layers.collect()),
        ));
        Ok(lines)
    }
}

impl Values for Background {
    fn add_values(&self, hasher: &mut Hasher) {
        hasher.update(&(self.layers.len() as u64).to_le_bytes());
        for layer in self.layers.iter() {
            layer.add_values(hasher);
        }
    }

    fn differs_from(&self, other: &Background) -> Option<String> {
        let (mine, others) = (self.layers.len(), other.layers.len());
        if mine != others {
            return Some(format!("has {mine} layers and {others}"));
        }
        let pairs = self.layers.iter().zip(other.layers.iter()).enumerate();
        let mut differences = pairs.filter_map(|(index, (a, b))| {
            let why = a.differs_from(b)?;
            Some(format!("layer {index} {why}"))
        });
        differences.next()
    }

    fn memory_bytes(&self) -> u64 {
        self.layers.iter().map(BackgroundLayer::memory).sum()
    }
}

leaf_object!(Background);

#[cfg(test)]
mod tests;
