//! One layer of a background: the planes of its cells, and the settings that their headers hold.

use std::sync::Arc;

use pantler_core::Hasher;
use pantler_core::formatter::PixelBox;

use super::approximation::Polynomial;
use super::interpolation::{Interpolation, Interpolator};
use crate::decode::DecodeError;
use crate::image::Image;
use crate::mask::Mask;
use crate::metadata::{CardValue, Metadata};
use crate::planes::Planes;
use crate::summary::SummaryLine;

const CLASS: &str = "background layer";

/// What to do where there are too few cells for an interpolation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undersampled {
    /// It is an error.
    Refuse,
    /// A simpler interpolation is taken.
    Simplify,
}

/// A polynomial that is fitted to the levels of all cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Approximation {
    /// The highest total order of its terms in x and y.
    pub order: u32,
    /// Whether cells count by the inverse of their variance.
    pub weighted: bool,
}

/// Levels of cells, and how an image is made of them.
#[derive(Debug, Clone)]
pub struct BackgroundLayer {
    planes: Planes,
    bbox: PixelBox,
    interpolation: Interpolation,
    undersampled: Undersampled,
    approximation: Option<Approximation>,
}

impl BackgroundLayer {
    /// Makes a layer of the planes of its cells, whose settings stand in the header of the levels.
    ///
    /// Planes of different shapes, settings that are missing or unknown, and more cells than pixels are errors.
    pub fn from_planes(
        levels: Arc<Image>,
        mask: Option<Arc<Mask>>,
        variance: Option<Arc<Image>>,
    ) -> Result<BackgroundLayer, DecodeError> {
        let header = Arc::clone(levels.header());
        let planes = Planes::new(CLASS, Some(levels), mask, variance)
            .map_err(|error| DecodeError::damaged(CLASS, error.to_string()))?;
        let layer = BackgroundLayer {
            bbox: bbox_of(&header)?,
            interpolation: interpolation_of(&header)?,
            undersampled: match whole(&header, "UNDERSAMPLESTYLE")? {
                0 | 2 => Undersampled::Refuse,
                1 => Undersampled::Simplify,
                other => return Err(unknown("UNDERSAMPLESTYLE", other)),
            },
            approximation: approximation_of(&header)?,
            planes,
        };
        let (columns, rows) = layer.cells();
        if columns == 0 || rows == 0 || columns > layer.bbox.width || rows > layer.bbox.height {
            let what = format!("{columns}x{rows} cells are none, or more than it has pixels");
            return Err(DecodeError::damaged(CLASS, what));
        }
        Ok(layer)
    }

    /// Makes a layer of levels and settings, which it writes into the headers of the planes.
    pub fn new(
        levels: &Image,
        mask: Option<&Mask>,
        variance: Option<&Image>,
        bbox: PixelBox,
        interpolation: Interpolation,
        approximation: Option<Approximation>,
    ) -> Result<BackgroundLayer, DecodeError> {
        let order = i64::from(approximation.map_or(1, |approximation| approximation.order));
        let style = if approximation.is_some() { 0_i64 } else { -1 };
        let size = |size: u64| i64::try_from(size).unwrap_or(i64::MAX);
        let with_settings = |header: &Metadata| {
            Arc::new(
                header
                    .with("INTERPSTYLE", interpolation.code(), None)
                    .with("UNDERSAMPLESTYLE", 1_i64, None)
                    .with("APPROXSTYLE", style, None)
                    .with("APPROXORDERX", order, None)
                    .with("APPROXORDERY", order, None)
                    .with(
                        "APPROXWEIGHTING",
                        approximation.is_none_or(|approximation| approximation.weighted),
                        None,
                    )
                    .with("BKGD_X0", bbox.x0, None)
                    .with("BKGD_Y0", bbox.y0, None)
                    .with("BKGD_WIDTH", size(bbox.width), None)
                    .with("BKGD_HEIGHT", size(bbox.height), None),
            )
        };
        let image = |image: &Image| Arc::new(image.with_header(with_settings(image.header())));
        let mask = mask.map(|mask| Arc::new(mask.with_header(with_settings(mask.header()))));
        BackgroundLayer::from_planes(image(levels), mask, variance.map(image))
    }

    /// Returns the levels of the cells, rows of growing y, with the header that holds the settings.
    pub fn levels(&self) -> &Arc<Image> {
        // Every constructor puts them there, and nothing takes them away.
        self.planes.image.as_ref().expect("a layer has levels")
    }

    /// Returns the mask of the cells.
    pub fn mask(&self) -> Option<&Arc<Mask>> {
        self.planes.mask.as_ref()
    }

    /// Returns the variance of the levels.
    pub fn variance(&self) -> Option<&Arc<Image>> {
        self.planes.variance.as_ref()
    }

    /// Returns the pixels of the image that it is for.
    pub fn bbox(&self) -> PixelBox {
        self.bbox
    }

    /// Returns the number of cells in x and y.
    pub fn cells(&self) -> (u64, u64) {
        (self.levels().width(), self.levels().height())
    }

    /// Returns how it is interpolated, where there is no approximation.
    pub fn interpolation(&self) -> Interpolation {
        self.interpolation
    }

    /// Returns what is done where there are too few cells.
    pub fn undersampled(&self) -> Undersampled {
        self.undersampled
    }

    /// Returns the polynomial that is fitted to it; `None` if it is interpolated.
    pub fn approximation(&self) -> Option<Approximation> {
        self.approximation
    }

    /// Returns the middles of the cells in x and y, as pixels counted from the first one of its box.
    pub fn centres(&self) -> (Vec<f64>, Vec<f64>) {
        let (columns, rows) = self.cells();
        (
            centres(columns, self.bbox.width),
            centres(rows, self.bbox.height),
        )
    }

    /// Prepares the computation of rows of pixels.
    pub(super) fn rows(&self) -> Result<LayerRows, DecodeError> {
        let (x, y) = self.centres();
        let levels = numbers(self.levels());
        let Some(approximation) = self.approximation else {
            return LayerRows::interpolated(self, x, y, &levels);
        };
        let weights = match (approximation.weighted, self.variance()) {
            (false, _) => vec![1.0; levels.len()],
            (true, Some(variance)) => numbers(variance).into_iter().map(f64::recip).collect(),
            (true, None) => {
                let what = "its cells count by their variance, which it does not have";
                return Err(DecodeError::damaged(CLASS, what));
            }
        };
        let size = (self.bbox.width as f64, self.bbox.height as f64);
        let fitted = Polynomial::fit(approximation.order, size, (&x, &y), &levels, &weights);
        let what = format!(
            "its cells do not determine a polynomial of order {}",
            approximation.order
        );
        Ok(LayerRows::Polynomial(
            fitted.ok_or_else(|| DecodeError::damaged(CLASS, what))?,
        ))
    }

    pub(super) fn summary(&self) -> Vec<SummaryLine> {
        let (columns, rows) = self.cells();
        let how = match self.approximation {
            Some(Approximation { order, .. }) => {
                format!("Chebyshev polynomial of order {order}")
            }
            None => format!("{}", self.interpolation),
        };
        let levels = self.levels().statistics();
        vec![
            SummaryLine::new("columns", columns),
            SummaryLine::new("rows", rows),
            SummaryLine::new("image", how),
            SummaryLine::new("lowest_level", levels.map(|levels| levels.min)),
            SummaryLine::new("highest_level", levels.map(|levels| levels.max)),
            SummaryLine::new("mean_level", levels.map(|levels| levels.mean)),
        ]
    }

    pub(super) fn add_values(&self, hasher: &mut Hasher) {
        self.planes.add_values(hasher, &|_| Box::new(|_| true));
    }

    pub(super) fn differs_from(&self, other: &BackgroundLayer) -> Option<String> {
        let all = |_: &Metadata| -> crate::planes::CardFilter { Box::new(|_| true) };
        self.planes.difference(&all, &other.planes, &all)
    }

    pub(super) fn memory(&self) -> u64 {
        self.planes.memory()
    }
}

/// What computes rows of pixels of a layer.
pub(super) enum LayerRows {
    Polynomial(Polynomial),
    Interpolated {
        /// One for each column of cells that has a level.
        columns: Vec<(f64, Interpolator)>,
        style: Interpolation,
        undersampled: Undersampled,
    },
}

impl LayerRows {
    fn interpolated(
        layer: &BackgroundLayer,
        x: Vec<f64>,
        y: Vec<f64>,
        levels: &[f64],
    ) -> Result<LayerRows, DecodeError> {
        let undersampled = layer.undersampled;
        let (few, many) = (x.len().min(y.len()), layer.interpolation);
        let style = many.with_points(few, undersampled)?;
        let mut columns = Vec::with_capacity(x.len());
        for (column, place) in x.iter().enumerate() {
            let level = |row: usize| levels[row * x.len() + column];
            let points = y.iter().enumerate().map(|(row, y)| (*y, level(row)));
            let points: Vec<(f64, f64)> = points.filter(|(_, level)| level.is_finite()).collect();
            // A column without a level says nothing, and its neighbours are interpolated over it.
            if !points.is_empty() {
                let here = style.with_points(points.len(), undersampled)?;
                columns.push((*place, Interpolator::new(here, &points)?));
            }
        }
        Ok(LayerRows::Interpolated {
            columns,
            style,
            undersampled,
        })
    }

    /// Adds the pixels of the row `y` from the pixel `start` on; both count from the first pixel of the layer's box.
    pub(super) fn add_row(&self, y: f64, start: f64, line: &mut [f64]) -> Result<(), DecodeError> {
        match self {
            LayerRows::Polynomial(polynomial) => polynomial.add_row(y, start, line),
            LayerRows::Interpolated {
                columns,
                style,
                undersampled,
            } => {
                let points = columns.iter().map(|(x, column)| (*x, column.value(y)));
                let points: Vec<(f64, f64)> = points.collect();
                if points.is_empty() {
                    line.fill(f64::NAN);
                    return Ok(());
                }
                let here = style.with_points(points.len(), *undersampled)?;
                Interpolator::new(here, &points)?.add_values(start, line);
            }
        }
        Ok(())
    }
}

/// Returns the middles of cells that share out some pixels evenly.
fn centres(cells: u64, pixels: u64) -> Vec<f64> {
    let end = |index: u64| {
        let scaled = u128::from(index) * u128::from(pixels) + u128::from(cells / 2);
        (scaled / u128::from(cells)) as f64
    };
    let start = |index: u64| if index == 0 { 0.0 } else { end(index) };
    let middle = |index: u64| (start(index) + end(index + 1)) / 2.0 - 0.5;
    (0..cells).map(middle).collect()
}

fn numbers(image: &Image) -> Vec<f64> {
    let pixels = image.pixels();
    (0..pixels.len())
        .map(|index| pixels.get_f64(index).unwrap_or(f64::NAN))
        .collect()
}

fn whole(header: &Metadata, keyword: &str) -> Result<i64, DecodeError> {
    let found = header.get_i64(keyword);
    found.ok_or_else(|| DecodeError::damaged(CLASS, format!("its header has no {keyword}")))
}

fn unknown(keyword: &str, value: i64) -> DecodeError {
    DecodeError::unsupported(CLASS, format!("its {keyword} is {value}"))
}

fn bbox_of(header: &Metadata) -> Result<PixelBox, DecodeError> {
    let size = |keyword: &str| {
        let size = whole(header, keyword)?;
        u64::try_from(size)
            .map_err(|_| DecodeError::damaged(CLASS, format!("its {keyword} is {size}")))
    };
    Ok(PixelBox {
        x0: whole(header, "BKGD_X0")?,
        y0: whole(header, "BKGD_Y0")?,
        width: size("BKGD_WIDTH")?,
        height: size("BKGD_HEIGHT")?,
    })
}

fn interpolation_of(header: &Metadata) -> Result<Interpolation, DecodeError> {
    let code = whole(header, "INTERPSTYLE")?;
    Interpolation::of_code(code).ok_or_else(|| unknown("INTERPSTYLE", code))
}

fn approximation_of(header: &Metadata) -> Result<Option<Approximation>, DecodeError> {
    // Old files have no such cards, and no approximation.
    match header.get_i64("APPROXSTYLE").unwrap_or(-1) {
        -1 => return Ok(None),
        0 => {}
        other => return Err(unknown("APPROXSTYLE", other)),
    }
    let x = whole(header, "APPROXORDERX")?;
    let y = header.get_i64("APPROXORDERY").unwrap_or(-1);
    if y >= 0 && y != x {
        let what = format!("its approximation has the orders {x} in x and {y} in y");
        return Err(DecodeError::unsupported(CLASS, what));
    }
    let weighted = !matches!(
        header.get("APPROXWEIGHTING"),
        Some(CardValue::Logical(false))
    );
    let order = u32::try_from(x)
        .ok()
        .filter(|order| *order <= Polynomial::HIGHEST);
    let order = order.ok_or_else(|| unknown("APPROXORDERX", x))?;
    Ok(Some(Approximation { order, weighted }))
}
