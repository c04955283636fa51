//! The way from the sky back to a pixel.
//!
//! Polynomials for the way back, in headers (`AP_i_j`) as in records (the inverse of a `PolyMap`), are fits: on real files
//! they miss by up to a fortieth of a pixel. So they only say where to start, and Newton's method finds the pixel whose
//! position is the one that was asked for. What does not arrive there has no pixel.

use super::sky::to_plane;

/// How often the pixel is corrected; two or three times are enough near the image.
const MOST_STEPS: u32 = 30;

/// A correction that is not worth another one, in pixels: rounding is all that is left.
const SMALL_STEP: f64 = 1e-7;

/// A distance at which rounding is all that is left, in degrees: about four billionths of an arcsecond.
const SMALL_DISTANCE: f64 = 1e-12;

/// Returns the pixel at a position in degrees, looked for from `start` on.
pub(crate) fn pixel_at(
    to_sky: impl Fn((f64, f64)) -> (f64, f64),
    position: (f64, f64),
    start: (f64, f64),
) -> Option<(f64, f64)> {
    let (mut x, mut y) = start;
    for _ in 0..MOST_STEPS {
        let (east, north) = to_plane(position, to_sky((x, y)))?;
        if east.hypot(north) < SMALL_DISTANCE {
            return Some((x, y));
        }
        let [[a, b], [c, d]] = slopes(&to_sky, position, (x, y))?;
        let determinant = a * d - b * c;
        let (dx, dy) = (
            (d * east - b * north) / determinant,
            (a * north - c * east) / determinant,
        );
        (x, y) = (x - dx, y - dy);
        if !x.is_finite() || !y.is_finite() {
            return None;
        }
        if dx.hypot(dy) < SMALL_STEP {
            return Some((x, y));
        }
    }
    None
}

/// Returns how far the position moves on the plane that touches the sky at `centre`, in degrees for each pixel: east along
/// x and y, then north along x and y.
pub(crate) fn slopes(
    to_sky: impl Fn((f64, f64)) -> (f64, f64),
    centre: (f64, f64),
    (x, y): (f64, f64),
) -> Option<[[f64; 2]; 2]> {
    let at = |x: f64, y: f64| to_plane(centre, to_sky((x, y)));
    let (left, right) = (at(x - 0.5, y)?, at(x + 0.5, y)?);
    let (below, above) = (at(x, y - 0.5)?, at(x, y + 0.5)?);
    Some([
        [right.0 - left.0, above.0 - below.0],
        [right.1 - left.1, above.1 - below.1],
    ])
}
