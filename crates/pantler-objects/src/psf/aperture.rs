//! The flux inside a circle, with the exact share of the pixels that the circle cuts.

use crate::image::Image;

/// A point of the plane.
type Point = (f64, f64);

/// Returns the sum of the pixels inside a circle around the middle of the image's pixel (0, 0).
pub(super) fn flux(image: &Image, radius: f64) -> f64 {
    let size = image.pixel_box();
    let width = size.width.max(1);
    let inside = |index: usize| {
        let (column, row) = (index as u64 % width, index as u64 / width);
        let x = size.x0.saturating_add_unsigned(column) as f64;
        let y = size.y0.saturating_add_unsigned(row) as f64;
        let value = image.pixels().get_f64(index).unwrap_or(0.0);
        value * circle_overlap(x, y, radius)
    };
    (0..image.pixels().len()).map(inside).sum()
}

/// Returns the area that a pixel, a square of side 1 around (`x`, `y`), has in common with a circle around (0, 0).
///
/// The circle's share of a polygon is the sum over its edges of the share of the triangle that the edge and the circle's
/// centre make, counted with its sign; a triangle's share is a sum of triangles and sectors. Exact but for rounding.
pub fn circle_overlap(x: f64, y: f64, radius: f64) -> f64 {
    if radius.is_nan() || radius <= 0.0 {
        return 0.0;
    }
    let corners = [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)];
    let corners = corners.map(|(dx, dy)| (x + dx, y + dy));
    if corners.iter().all(|(x, y)| x.hypot(*y) <= radius) {
        return 1.0;
    }
    let next = corners.iter().cycle().skip(1);
    let pairs = corners.iter().zip(next);
    let area: f64 = pairs.map(|(from, to)| triangle(*from, *to, radius)).sum();
    area.clamp(0.0, 1.0)
}

/// Returns the signed area of the triangle (centre, `from`, `to`) inside the circle.
fn triangle(from: Point, to: Point, radius: f64) -> f64 {
    let step = (to.0 - from.0, to.1 - from.1);
    let at = |t: f64| (from.0 + t * step.0, from.1 + t * step.1);
    // Where the edge meets the circle: a t² + 2 b t + c = 0.
    let a = dot(step, step);
    let b = dot(from, step);
    let c = dot(from, from) - radius * radius;
    let root = (b * b - a * c).max(0.0).sqrt();
    let cuts = [
        0.0,
        ((-b - root) / a).clamp(0.0, 1.0),
        ((-b + root) / a).clamp(0.0, 1.0),
        1.0,
    ];
    let pieces = cuts.windows(2).map(|pair| (at(pair[0]), at(pair[1])));
    pieces.map(|(p, q)| piece(p, q, radius)).sum()
}

/// Returns the area of a piece that lies all inside or all outside.
fn piece(from: Point, to: Point, radius: f64) -> f64 {
    let middle = ((from.0 + to.0) / 2.0, (from.1 + to.1) / 2.0);
    let cross = from.0 * to.1 - from.1 * to.0;
    match middle.0.hypot(middle.1) <= radius {
        true => cross / 2.0,
        false => radius * radius * cross.atan2(dot(from, to)) / 2.0,
    }
}

fn dot(a: Point, b: Point) -> f64 {
    a.0 * b.0 + a.1 * b.1
}
