//! The polynomial that is fitted to the levels of all cells of a background.
//!
//! It is a sum of products Tᵢ(x′) Tⱼ(y′) of Chebyshev polynomials with i + j up to its order, where x′ and y′ run from -1
//! to 1 between the outer edges of the image. Its coefficients are those of weighted least squares, so which polynomials
//! span it makes no difference but to the digits that are lost.

use crate::least_squares::least_squares;

/// A polynomial over the pixels of an image.
pub(super) struct Polynomial {
    size: (f64, f64),
    /// By order in y, and there by order in x.
    coefficients: Vec<Vec<f64>>,
}

impl Polynomial {
    /// No background has a higher order; a header that says so is damaged.
    pub(super) const HIGHEST: u32 = 50;

    /// Fits a polynomial to levels at the places (x, y), rows of growing y; levels and weights that are not finite do not
    /// count. `None` if the levels do not determine it.
    pub(super) fn fit(
        order: u32,
        size: (f64, f64),
        (x, y): (&[f64], &[f64]),
        levels: &[f64],
        weights: &[f64],
    ) -> Option<Polynomial> {
        let order = order as usize;
        let along = |places: &[f64], size: f64| -> Vec<Vec<f64>> {
            let terms = places
                .iter()
                .map(|place| chebyshev(scaled(*place, size), order));
            terms.collect()
        };
        let (of_x, of_y) = (along(x, size.0), along(y, size.1));
        let usable = |index: &usize| levels[*index].is_finite() && weights[*index].is_finite();
        let cells: Vec<usize> = (0..levels.len()).filter(usable).collect();
        let roots: Vec<f64> = cells
            .iter()
            .map(|cell| weights[*cell].max(0.0).sqrt())
            .collect();
        let mut powers = Vec::new();
        for j in 0..=order {
            powers.extend((0..=order - j).map(|i| (i, j)));
        }
        let column = |(i, j): &(usize, usize)| -> Vec<f64> {
            let pairs = cells.iter().zip(&roots);
            let term = |(cell, root): (&usize, &f64)| {
                root * of_x[cell % x.len()][*i] * of_y[cell / x.len()][*j]
            };
            pairs.map(term).collect()
        };
        let matrix = powers.iter().map(column).collect();
        let right = cells
            .iter()
            .zip(&roots)
            .map(|(cell, root)| root * levels[*cell]);
        let [solution] = least_squares(matrix, [right.collect()])?;
        if solution.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let mut coefficients = vec![Vec::new(); order + 1];
        for ((_, j), value) in powers.iter().zip(solution) {
            coefficients[*j].push(value);
        }
        Some(Polynomial { size, coefficients })
    }

    /// Adds its values in the row `y`, from the pixel `start` on.
    pub(super) fn add_row(&self, y: f64, start: f64, line: &mut [f64]) {
        let order = self.coefficients.len() - 1;
        let of_y = chebyshev(scaled(y, self.size.1), order);
        // One polynomial of x for the whole row.
        let mut of_x = vec![0.0; order + 1];
        for (row, factor) in self.coefficients.iter().zip(of_y) {
            for (sum, coefficient) in of_x.iter_mut().zip(row) {
                *sum += factor * coefficient;
            }
        }
        for (offset, value) in line.iter_mut().enumerate() {
            let x = scaled(start + offset as f64, self.size.0);
            // Clenshaw's recurrence.
            let (mut next, mut after) = (0.0, 0.0);
            for coefficient in of_x[1..].iter().rev() {
                (next, after) = (coefficient + 2.0 * x * next - after, next);
            }
            *value += of_x[0] + x * next - after;
        }
    }
}

/// Returns where a pixel lies between the outer edges of `size` pixels, from -1 to 1.
fn scaled(pixel: f64, size: f64) -> f64 {
    (2.0 * pixel + 1.0) / size - 1.0
}

/// Returns the Chebyshev polynomials of the first kind up to an order.
fn chebyshev(x: f64, order: usize) -> Vec<f64> {
    crate::psf::chebyshev(x, order + 1)
}
