//! Fields that are sums of products of Chebyshev polynomials.

use pantler_core::formatter::PixelBox;

use crate::archive::ArchiveObject;
use crate::decode::{DecodeError, Row};

/// A sum of products of Chebyshev polynomials of the first kind: Σ c\[j\]\[i\] T_i(x') T_j(y').
///
/// x' and y' run from -1 to 1 between the outer edges of the box: x' = (2 x - x0 - x1) / width for the first and the last
/// column x0 and x1, so that x' is -1 half a pixel before the centre of the first.
#[derive(Debug, Clone, PartialEq)]
pub struct ChebyshevField {
    bbox: PixelBox,
    /// Ordered by y, then x.
    coefficients: Vec<f64>,
    columns: usize,
}

impl ChebyshevField {
    /// Makes a field of its coefficients, ordered by y and then x, of which each `columns` belong to one order in y.
    ///
    /// It is an error if they do not fill whole rows, or if they vary over a box that has no pixels.
    pub fn new(
        bbox: PixelBox,
        coefficients: Vec<f64>,
        columns: usize,
    ) -> Result<ChebyshevField, DecodeError> {
        let damaged = |what: String| DecodeError::damaged("ChebyshevBoundedField", what);
        if columns == 0 || coefficients.is_empty() || !coefficients.len().is_multiple_of(columns) {
            return Err(damaged(format!(
                "{} coefficients do not fill rows of {columns}",
                coefficients.len()
            )));
        }
        if coefficients.len() > 1 && (bbox.width == 0 || bbox.height == 0) {
            return Err(damaged("it varies over a box without pixels".to_owned()));
        }
        Ok(ChebyshevField {
            bbox,
            coefficients,
            columns,
        })
    }

    /// Reads a `ChebyshevBoundedField` record: its box, the highest order in x, the coefficients by y, then x.
    pub(super) fn read(object: &ArchiveObject) -> Result<ChebyshevField, DecodeError> {
        let row = Row::only(object, 0)?;
        let order = row.integer("order_x")?;
        let columns = usize::try_from(order).ok().and_then(|n| n.checked_add(1));
        let columns = columns.ok_or_else(|| {
            DecodeError::damaged(object.class(), format!("its order in x is {order}"))
        })?;
        ChebyshevField::new(row.bounds("bbox")?, row.reals("coefficients")?, columns)
    }

    /// Returns the box over which it is defined.
    pub fn bbox(&self) -> PixelBox {
        self.bbox
    }

    /// Returns the coefficients: one slice for each order in y from 0 on, with one for each order in x from 0 on.
    pub fn coefficients(&self) -> impl Iterator<Item = &[f64]> {
        self.coefficients.chunks_exact(self.columns)
    }

    /// Returns the highest orders in x and y.
    pub fn orders(&self) -> (usize, usize) {
        let rows = self.coefficients.len() / self.columns;
        (self.columns - 1, rows - 1)
    }

    /// Returns the value that it has everywhere; `None` if it varies.
    pub fn constant(&self) -> Option<f64> {
        let (first, others) = self.coefficients.split_first()?;
        others.iter().all(|other| *other == 0.0).then_some(*first)
    }

    /// Returns its values at some pixels (x, y), one for each.
    pub fn evaluate(&self, pixels: &[(f64, f64)]) -> Vec<f64> {
        let x_range = Range::new(self.bbox.x0, self.bbox.width);
        let y_range = Range::new(self.bbox.y0, self.bbox.height);
        let rows = self.coefficients.len() / self.columns;
        let mut along_x = vec![0.0; rows];
        let mut values = Vec::with_capacity(pixels.len());
        for (x, y) in pixels {
            let (x, y) = (x_range.scaled(*x), y_range.scaled(*y));
            for (sum, row) in along_x.iter_mut().zip(self.coefficients()) {
                *sum = clenshaw(row, x);
            }
            values.push(clenshaw(&along_x, y));
        }
        values
    }
}

/// The pixels of one axis of a box.
struct Range {
    middle: f64,
    half: f64,
}

impl Range {
    fn new(first: i64, length: u64) -> Range {
        let half = length as f64 / 2.0;
        Range {
            middle: first as f64 - 0.5 + half,
            half,
        }
    }

    /// Returns where a pixel lies between -1 and 1; 0 on an axis without pixels, where nothing varies.
    fn scaled(&self, pixel: f64) -> f64 {
        match self.half > 0.0 {
            true => (pixel - self.middle) / self.half,
            false => 0.0,
        }
    }
}

/// Returns Σ c\[n\] T_n(x) by the recurrence of Clenshaw (1955, Math. Tables Aids Comput. 9, 118).
pub(super) fn clenshaw(coefficients: &[f64], x: f64) -> f64 {
    let Some((first, higher)) = coefficients.split_first() else {
        return 0.0;
    };
    let (mut next, mut after) = (0.0, 0.0);
    for coefficient in higher.iter().rev() {
        (next, after) = (coefficient + 2.0 * x * next - after, next);
    }
    first + x * next - after
}
