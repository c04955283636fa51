//! Interpolation between points of a line, as the cells of a background are interpolated: along each column of cells
//! first, and then along each row of pixels.
//!
//! All are piecewise cubic polynomials through the points:
//!
//! * linear: no more than straight lines;
//! * natural spline: two continuous derivatives, and no curvature at the ends (e.g. Press et al., Numerical Recipes, 3.3);
//! * Akima spline: one continuous derivative, whose value in a point is a mean of the slopes beside it (Akima 1970,
//!   J. ACM 17, 589); with no slope to prefer, the plain mean.
//!
//! Outside of the points the parabola that has the value, the slope and the curvature of the last point continues: half a
//! cell at every edge of an image lies there.

use std::fmt;

use super::layer::Undersampled;
use crate::decode::DecodeError;

/// How levels between the middles of cells are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interpolation {
    /// One level.
    Constant,
    /// Straight lines.
    Linear,
    /// A cubic spline without curvature at its ends.
    NaturalSpline,
    /// The same in the LSST stack's files.
    CubicSpline,
    /// A spline over a circle, which no image is.
    PeriodicSpline,
    /// A spline after Akima.
    Akima,
    /// A spline after Akima over a circle, which no image is.
    PeriodicAkima,
}

impl fmt::Display for Interpolation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Interpolation::Constant => "constant",
            Interpolation::Linear => "linear interpolation",
            Interpolation::NaturalSpline => "natural spline",
            Interpolation::CubicSpline => "cubic spline",
            Interpolation::PeriodicSpline => "periodic spline",
            Interpolation::Akima => "Akima spline",
            Interpolation::PeriodicAkima => "periodic Akima spline",
        })
    }
}

impl Interpolation {
    const ALL: [Interpolation; 7] = [
        Interpolation::Constant,
        Interpolation::Linear,
        Interpolation::NaturalSpline,
        Interpolation::CubicSpline,
        Interpolation::PeriodicSpline,
        Interpolation::Akima,
        Interpolation::PeriodicAkima,
    ];

    /// Returns the interpolation that has this number in files.
    pub fn of_code(code: i64) -> Option<Interpolation> {
        let index = usize::try_from(code).ok()?;
        Interpolation::ALL.get(index).copied()
    }

    /// Returns its number in files.
    pub fn code(self) -> i64 {
        // There are seven, counted from 0 in this order.
        self as i64
    }

    /// Returns how many points it needs.
    fn least_points(self) -> usize {
        match self {
            Interpolation::Constant => 1,
            Interpolation::Linear => 2,
            Interpolation::NaturalSpline
            | Interpolation::CubicSpline
            | Interpolation::PeriodicSpline => 3,
            Interpolation::Akima | Interpolation::PeriodicAkima => 5,
        }
    }

    /// Returns what is to be done with so many points: the same, or something simpler where that is allowed.
    pub(super) fn with_points(
        self,
        points: usize,
        undersampled: Undersampled,
    ) -> Result<Interpolation, DecodeError> {
        if points >= self.least_points() {
            return Ok(self);
        }
        match (undersampled, points) {
            (Undersampled::Simplify, 3..) => Ok(Interpolation::CubicSpline),
            (Undersampled::Simplify, 2) => Ok(Interpolation::Linear),
            (Undersampled::Simplify, _) => Ok(Interpolation::Constant),
            (Undersampled::Refuse, _) => Err(DecodeError::damaged(
                "background layer",
                format!("{points} cells are too few for its {self}"),
            )),
        }
    }
}

/// A piece between two points: value + t (slope + t (half of the curvature + t · a sixth of the third derivative)).
#[derive(Debug, Clone, Copy)]
struct Piece {
    start: f64,
    value: f64,
    slope: f64,
    square: f64,
    cube: f64,
}

impl Piece {
    fn at(&self, x: f64) -> f64 {
        let t = x - self.start;
        self.value + t * (self.slope + t * (self.square + t * self.cube))
    }
}

/// A function through points of a line.
pub(super) struct Interpolator {
    /// The parabola before the first point, the pieces, and the parabola after the last point; each from its start on.
    pieces: Vec<Piece>,
}

impl Interpolator {
    /// Makes a function through points of growing x, of which there must be one at least.
    pub(super) fn new(
        style: Interpolation,
        points: &[(f64, f64)],
    ) -> Result<Interpolator, DecodeError> {
        let pieces = match (style, points) {
            (Interpolation::Constant, [(_, value)]) => vec![Piece {
                start: 0.0,
                value: *value,
                slope: 0.0,
                square: 0.0,
                cube: 0.0,
            }],
            (Interpolation::Linear, [_, _, ..]) => with_ends(linear(points), points),
            (Interpolation::NaturalSpline | Interpolation::CubicSpline, [_, _, _, ..]) => {
                with_ends(natural(points), points)
            }
            (Interpolation::Akima, [_, _, _, _, _, ..]) => with_ends(akima(points), points),
            _ => {
                let what = format!("a {style} through {} points is not computed", points.len());
                return Err(DecodeError::unsupported("background layer", what));
            }
        };
        Ok(Interpolator { pieces })
    }

    /// Returns its value at a place.
    pub(super) fn value(&self, x: f64) -> f64 {
        let after = self.pieces.partition_point(|piece| piece.start <= x);
        match self.pieces.get(after.saturating_sub(1)) {
            Some(piece) => piece.at(x),
            None => f64::NAN,
        }
    }

    /// Adds its values at places one apart.
    pub(super) fn add_values(&self, start: f64, line: &mut [f64]) {
        let mut index = 0;
        for (offset, value) in line.iter_mut().enumerate() {
            let x = start + offset as f64;
            while self
                .pieces
                .get(index + 1)
                .is_some_and(|next| next.start <= x)
            {
                index += 1;
            }
            *value += self.pieces[index].at(x);
        }
    }
}

/// Returns the width and the slope of each gap between points.
fn gaps(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let pairs = points.windows(2);
    pairs
        .map(|pair| {
            let width = pair[1].0 - pair[0].0;
            (width, (pair[1].1 - pair[0].1) / width)
        })
        .collect()
}

fn linear(points: &[(f64, f64)]) -> Vec<Piece> {
    let pairs = points.iter().zip(gaps(points));
    pairs
        .map(|((start, value), (_, slope))| Piece {
            start: *start,
            value: *value,
            slope,
            square: 0.0,
            cube: 0.0,
        })
        .collect()
}

/// The second derivatives M of a natural spline solve
/// h₋ M₋ + 2 (h₋ + h₊) M + h₊ M₊ = 6 (slope₊ - slope₋) in each inner point, with M = 0 at both ends.
fn natural(points: &[(f64, f64)]) -> Vec<Piece> {
    let gaps = gaps(points);
    let last = points.len() - 1;
    // Elimination from the left leaves M = right - left · M₊ in each point.
    let (mut left, mut right) = (vec![0.0; points.len()], vec![0.0; points.len()]);
    for index in 1..last {
        let ((before, falls), (after, rises)) = (gaps[index - 1], gaps[index]);
        let pivot = 2.0 * (before + after) - before * left[index - 1];
        left[index] = after / pivot;
        right[index] = (6.0 * (rises - falls) - before * right[index - 1]) / pivot;
    }
    let mut curvature = vec![0.0; points.len()];
    for index in (1..last).rev() {
        curvature[index] = right[index] - left[index] * curvature[index + 1];
    }
    let pieces = gaps.iter().enumerate().map(|(index, (width, slope))| {
        let (here, next) = (curvature[index], curvature[index + 1]);
        Piece {
            start: points[index].0,
            value: points[index].1,
            slope: slope - width * (2.0 * here + next) / 6.0,
            square: here / 2.0,
            cube: (next - here) / (6.0 * width),
        }
    });
    pieces.collect()
}

fn akima(points: &[(f64, f64)]) -> Vec<Piece> {
    let gaps = gaps(points);
    // Two more slopes on each side continue the parabola through the last three points.
    let mut slopes: Vec<f64> = gaps.iter().map(|(_, slope)| *slope).collect();
    let (first, second) = (slopes[0], slopes[1]);
    let (last, before) = (slopes[slopes.len() - 1], slopes[slopes.len() - 2]);
    slopes.splice(0..0, [3.0 * first - 2.0 * second, 2.0 * first - second]);
    slopes.extend([2.0 * last - before, 3.0 * last - 2.0 * before]);
    let in_point = |around: &[f64]| {
        let (left, right) = ((around[1] - around[0]).abs(), (around[3] - around[2]).abs());
        match left + right == 0.0 {
            true => (around[1] + around[2]) / 2.0,
            false => (right * around[1] + left * around[2]) / (left + right),
        }
    };
    let tangents: Vec<f64> = slopes.windows(4).map(in_point).collect();
    let pieces = gaps.iter().enumerate().map(|(index, (width, slope))| {
        let (here, next) = (tangents[index], tangents[index + 1]);
        Piece {
            start: points[index].0,
            value: points[index].1,
            slope: here,
            square: (3.0 * slope - 2.0 * here - next) / width,
            cube: (here + next - 2.0 * slope) / (width * width),
        }
    });
    pieces.collect()
}

/// Adds the parabolas that continue the first and the last piece. The first starts where its piece does: what lies before
/// all starts belongs to it.
fn with_ends(mut pieces: Vec<Piece>, points: &[(f64, f64)]) -> Vec<Piece> {
    if let (Some(first), Some(last)) = (pieces.first().copied(), pieces.last().copied())
        && let Some((end, value)) = points.last()
    {
        let t = end - last.start;
        pieces.insert(0, Piece { cube: 0.0, ..first });
        pieces.push(Piece {
            start: *end,
            value: *value,
            slope: last.slope + t * (2.0 * last.square + 3.0 * t * last.cube),
            square: last.square + 3.0 * t * last.cube,
            cube: 0.0,
        });
    }
    pieces
}
