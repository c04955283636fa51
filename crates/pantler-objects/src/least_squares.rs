//! Linear least squares by Householder reflections: normal equations would lose half of the digits, which high orders
//! need (Golub & Van Loan, Matrix Computations, section 5.3.2).
//!
//! Used by the fits of coordinates ([`crate::wcs`]) and of backgrounds ([`crate::background`]).

/// Solves problems with the same `matrix`, given column by column, one for each of the right-hand sides.
///
/// `None` if the columns do not determine the solution, or if there are no more rows than columns.
pub(crate) fn least_squares<const N: usize>(
    mut matrix: Vec<Vec<f64>>,
    mut right: [Vec<f64>; N],
) -> Option<[Vec<f64>; N]> {
    let columns = matrix.len();
    let rows = matrix.first().map_or(0, Vec::len);
    let mut diagonal = vec![0.0; columns];
    for step in 0..columns {
        let norm = matrix[step][step.min(rows)..]
            .iter()
            .map(|x| x * x)
            .sum::<f64>()
            .sqrt();
        if norm == 0.0 || !norm.is_finite() || rows <= columns {
            return None;
        }
        let head = matrix[step][step];
        let turned = if head > 0.0 { -norm } else { norm };
        diagonal[step] = turned;
        let mut mirror = matrix[step][step..].to_vec();
        mirror[0] -= turned;
        let length = mirror.iter().map(|x| x * x).sum::<f64>();
        let reflect = |column: &mut [f64]| {
            let overlap: f64 = mirror.iter().zip(column.iter()).map(|(a, b)| a * b).sum();
            let factor = 2.0 * overlap / length;
            for (value, part) in column.iter_mut().zip(&mirror) {
                *value -= factor * part;
            }
        };
        for column in &mut matrix[step + 1..] {
            reflect(&mut column[step..]);
        }
        right
            .iter_mut()
            .for_each(|column| reflect(&mut column[step..]));
    }
    Some(right.map(|column| {
        let mut solution = vec![0.0; columns];
        for step in (0..columns).rev() {
            let known: f64 = (step + 1..columns)
                .map(|k| matrix[k][step] * solution[k])
                .sum();
            solution[step] = (column[step] - known) / diagonal[step];
        }
        solution
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line through noisy points, by the textbook's formulas: slope Sxy / Sxx, through the means.
    #[test]
    fn a_line_is_fitted() {
        let x = [0.0, 1.0, 2.0, 3.0];
        let y = vec![1.0, 2.5, 2.0, 4.5];
        let matrix = vec![vec![1.0; 4], x.to_vec()];
        let [solution] = least_squares(matrix, [y]).unwrap();
        // Means 1.5 and 2.5; Sxx = 5, Sxy = 5.
        assert!((solution[1] - 1.0).abs() < 1e-14);
        assert!((solution[0] - 1.0).abs() < 1e-14);
    }

    #[test]
    fn what_is_not_determined_is_refused() {
        assert!(least_squares(vec![vec![0.0; 3]], [vec![1.0; 3]]).is_none());
        assert!(least_squares(vec![vec![1.0]], [vec![1.0]]).is_none());
        assert!(least_squares(vec![Vec::new()], [Vec::new()]).is_none());
    }
}
