//! Regions of the sky, and whether they touch: the exact test behind `overlaps(…)`.
//!
//! Polygons are convex and have great circles as sides, so that a side is a plane through the centre of the sphere and a
//! point is inside if it is on the inner side of all of them. Registries look up what may touch by an index of their own;
//! what is said here decides.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::expression::Region;

/// Below this, two planes or points are one: a ten-thousandth of a milliarcsecond.
const SAME: f64 = 5e-13;

/// Where a dataset lies on the sky: the corners of its image, in order; right ascension and declination in degrees.
#[derive(Debug, Clone)]
pub struct Footprint {
    corners: Arc<[(f64, f64)]>,
}

impl Footprint {
    /// Makes a footprint of its corners; `None` if they are no convex polygon on the sky.
    pub fn new(corners: &[(f64, f64)]) -> Option<Footprint> {
        SkyPolygon::new(corners)?;
        Some(Footprint {
            corners: corners.into(),
        })
    }

    /// Returns the corners: right ascension and declination in degrees.
    pub fn corners(&self) -> &[(f64, f64)] {
        &self.corners
    }

    /// Says whether it touches a region; `None` for a region that is no circle and no convex polygon.
    pub fn overlaps(&self, region: &Region) -> Option<bool> {
        let own = SkyPolygon::new(&self.corners)?;
        match region {
            Region::Circle { ra, dec, radius } => {
                Some(own.distance(unit(*ra, *dec)) <= radius.to_radians() + SAME)
            }
            Region::Polygon(corners) => Some(own.touches(&SkyPolygon::new(corners)?)),
            Region::Tract(_) => None,
        }
    }

    /// Returns the corners as bytes: right ascension (unsigned) and declination (signed) as little-endian 32-bit fractions of a
    /// circle, to the nearest 2^-32 of it (0.3 milliarcseconds). Corners that are no convex polygon any more when they are
    /// rounded, as those of an image smaller than that, stand after a zero byte as two little-endian 64-bit floats each.
    pub fn to_bytes(&self) -> Vec<u8> {
        let fractions: Vec<(u32, i32)> = self.corners.iter().map(fractions_of).collect();
        let rounded: Vec<(f64, f64)> = fractions.iter().map(corner_of).collect();
        if SkyPolygon::new(&rounded).is_some() {
            let bytes = fractions
                .iter()
                .flat_map(|(ra, dec)| [ra.to_le_bytes(), dec.to_le_bytes()]);
            return bytes.flatten().collect();
        }
        let floats = self
            .corners
            .iter()
            .flat_map(|(ra, dec)| [ra.to_le_bytes(), dec.to_le_bytes()]);
        std::iter::once(0).chain(floats.flatten()).collect()
    }

    /// Reads what [`Footprint::to_bytes`] wrote; `None` if it is something else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Footprint> {
        if let (pairs, []) = bytes.as_chunks::<8>() {
            let fractions = pairs.iter().map(|[a, b, c, d, e, f, g, h]| {
                (
                    u32::from_le_bytes([*a, *b, *c, *d]),
                    i32::from_le_bytes([*e, *f, *g, *h]),
                )
            });
            let corners: Vec<(f64, f64)> = fractions.map(|pair| corner_of(&pair)).collect();
            return Footprint::new(&corners);
        }
        Footprint::from_floats(bytes.strip_prefix(&[0])?)
    }

    /// Reads corners that are two little-endian 64-bit floats each, in degrees; `None` if the bytes are something else.
    pub fn from_floats(bytes: &[u8]) -> Option<Footprint> {
        let (floats, []) = bytes.as_chunks::<8>() else {
            return None;
        };
        let (pairs, []) = floats.as_chunks::<2>() else {
            return None;
        };
        let corners: Vec<(f64, f64)> = pairs
            .iter()
            .map(|[ra, dec]| (f64::from_le_bytes(*ra), f64::from_le_bytes(*dec)))
            .collect();
        Footprint::new(&corners)
    }
}

/// A circle in the unit of [`Footprint::to_bytes`].
const CIRCLE: f64 = 4_294_967_296.0;

fn fractions_of((ra, dec): &(f64, f64)) -> (u32, i32) {
    let turns = (ra / 360.0).rem_euclid(1.0);
    // What rounds up to a whole circle is its beginning.
    let ra = (turns * CIRCLE).round() as u64 as u32;
    (ra, (dec / 360.0 * CIRCLE).round() as i32)
}

fn corner_of((ra, dec): &(u32, i32)) -> (f64, f64) {
    (
        f64::from(*ra) / CIRCLE * 360.0,
        f64::from(*dec) / CIRCLE * 360.0,
    )
}

/// Footprints are equal if they are to 0.3 milliarcseconds, as far as they are recorded.
impl PartialEq for Footprint {
    fn eq(&self, other: &Footprint) -> bool {
        self.to_bytes() == other.to_bytes()
    }
}

impl Eq for Footprint {}

impl Hash for Footprint {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.to_bytes().hash(state);
    }
}

type Vector = [f64; 3];

/// A convex polygon on the sphere, smaller than a hemisphere.
#[derive(Debug, Clone)]
pub struct SkyPolygon {
    /// Counter-clockwise as seen from outside.
    corners: Vec<Vector>,
}

impl SkyPolygon {
    /// Makes a polygon of its corners (degrees), in either direction; `None` if it is not convex or has no area.
    pub fn new(corners: &[(f64, f64)]) -> Option<SkyPolygon> {
        let finite = |(ra, dec): &(f64, f64)| ra.is_finite() && (-90.0..=90.0).contains(dec);
        if corners.len() < 3 || !corners.iter().all(finite) {
            return None;
        }
        let mut corners: Vec<Vector> = corners.iter().map(|(ra, dec)| unit(*ra, *dec)).collect();
        for attempt in 0..2 {
            if attempt == 1 {
                corners.reverse();
            }
            if is_convex(&corners) {
                return Some(SkyPolygon { corners });
            }
        }
        None
    }

    fn sides(&self) -> impl Iterator<Item = (Vector, Vector)> + '_ {
        let ends = self.corners.iter().cycle().skip(1);
        self.corners.iter().copied().zip(ends.copied())
    }

    fn contains(&self, point: Vector) -> bool {
        self.sides()
            .all(|(a, b)| height(point, cross(a, b), a) >= -SAME * length(cross(a, b)))
    }

    /// Returns the angle from a position (degrees) to the polygon in radians; 0 inside.
    pub fn distance_to(&self, ra: f64, dec: f64) -> f64 {
        self.distance(unit(ra, dec))
    }

    /// The angle from a point to the polygon in radians; 0 inside.
    fn distance(&self, point: Vector) -> f64 {
        if self.contains(point) {
            return 0.0;
        }
        self.sides()
            .map(|(a, b)| distance_to_side(point, a, b))
            .fold(f64::INFINITY, f64::min)
    }

    fn touches(&self, other: &SkyPolygon) -> bool {
        let corner_inside = |outer: &SkyPolygon, inner: &SkyPolygon| {
            let mut corners = inner.corners.iter();
            corners.any(|corner| outer.contains(*corner))
        };
        corner_inside(self, other)
            || corner_inside(other, self)
            || self
                .sides()
                .any(|(a, b)| other.sides().any(|(c, d)| sides_cross(a, b, c, d)))
    }
}

/// Whether every corner is on the inner side of every side, and the polygon turns round once.
fn is_convex(corners: &[Vector]) -> bool {
    let count = corners.len();
    let mut turned = 0.0;
    for (index, a) in corners.iter().enumerate() {
        let (b, c) = (corners[(index + 1) % count], corners[(index + 2) % count]);
        let plane = cross(*a, b);
        let size = length(plane);
        if size < SAME || dot(*a, b) < 0.0 {
            return false;
        }
        let heights = || {
            corners
                .iter()
                .map(|corner| height(*corner, plane, *a) / size)
        };
        // Nothing may lie outside, and something must lie inside: else it is a line.
        if heights().any(|height| height < -SAME) || !heights().any(|height| height > SAME) {
            return false;
        }
        let next = cross(b, c);
        turned += dot(cross(plane, next), b).atan2(dot(plane, next));
    }
    // A star goes round twice.
    turned > 1e-9 && turned < 1.5 * std::f64::consts::TAU
}

/// The angle in radians from a point to the nearest point of an arc.
fn distance_to_side(point: Vector, a: Vector, b: Vector) -> f64 {
    let plane = cross(a, b);
    if dot(cross(plane, a), point) >= 0.0 && dot(cross(b, plane), point) >= 0.0 {
        let above = height(point, plane, a);
        let along = length(cross(plane, point));
        return above.abs().atan2(along);
    }
    angle(point, a).min(angle(point, b))
}

fn sides_cross(a: Vector, b: Vector, c: Vector, d: Vector) -> bool {
    let (first, second) = (cross(a, b), cross(c, d));
    let meeting = cross(first, second);
    // Parallel sides meet in their ends, if at all, and those were looked at.
    if length(meeting) < SAME * length(first) * length(second) {
        return false;
    }
    let on = |point: Vector, plane: Vector, a: Vector, b: Vector| {
        dot(cross(plane, a), point) >= 0.0 && dot(cross(b, plane), point) >= 0.0
    };
    [meeting, meeting.map(|x| -x)]
        .into_iter()
        .any(|point| on(point, first, a, b) && on(point, second, c, d))
}

/// Returns the angle in radians between two positions: right ascension and declination in degrees.
pub fn separation(a: (f64, f64), b: (f64, f64)) -> f64 {
    angle(unit(a.0, a.1), unit(b.0, b.1))
}

fn unit(ra: f64, dec: f64) -> Vector {
    let (sin_ra, cos_ra) = ra.to_radians().sin_cos();
    let (sin_dec, cos_dec) = dec.to_radians().sin_cos();
    [cos_dec * cos_ra, cos_dec * sin_ra, sin_dec]
}

fn difference(a: Vector, b: Vector) -> Vector {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

/// How far a point lies above a plane through `on` and the centre of the sphere, in lengths of `plane`.
fn height(point: Vector, plane: Vector, on: Vector) -> f64 {
    dot(plane, difference(point, on))
}

fn dot(a: Vector, b: Vector) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// Of neighbours the difference is taken first: so the plane through two corners of a small image is as exact as they are.
fn cross(a: Vector, b: Vector) -> Vector {
    let b = difference(b, a);
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

fn length(a: Vector) -> f64 {
    dot(a, a).sqrt()
}

/// The angle between two directions: accurate where it is small, as the arc cosine is not.
fn angle(a: Vector, b: Vector) -> f64 {
    length(cross(a, b)).atan2(dot(a, b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn footprint(corners: &[(f64, f64)]) -> Footprint {
        Footprint::new(corners).expect("it is convex")
    }

    fn circle(ra: f64, dec: f64, radius: f64) -> Region {
        Region::Circle { ra, dec, radius }
    }

    const SQUARE: [(f64, f64); 4] = [(10.0, -1.0), (12.0, -1.0), (12.0, 1.0), (10.0, 1.0)];

    #[test]
    fn circles_touch_where_their_radius_reaches() {
        let square = footprint(&SQUARE);
        // The side at 12 degrees is a meridian, so the distance on the equator is the difference.
        assert_eq!(square.overlaps(&circle(13.0, 0.0, 0.999)), Some(false));
        assert_eq!(square.overlaps(&circle(13.0, 0.0, 1.001)), Some(true));
        // Inside, however small.
        assert_eq!(square.overlaps(&circle(11.0, 0.5, 0.0)), Some(true));
        // From the other side of the sky, with a radius beyond a quarter.
        assert_eq!(square.overlaps(&circle(191.0, 0.0, 170.0)), Some(false));
        assert_eq!(square.overlaps(&circle(191.0, 0.0, 179.5)), Some(true));
    }

    #[test]
    fn a_footprint_of_a_second_of_arc_is_one() {
        // Ten pixels of 0.2 arcseconds, turned by 45 degrees.
        let half = 1.4 / 3600.0;
        let square = footprint(&[
            (30.0, 40.0 - half),
            (30.0 - half / 40f64.to_radians().cos(), 40.0),
            (30.0, 40.0 + half),
            (30.0 + half / 40f64.to_radians().cos(), 40.0),
        ]);
        assert_eq!(square.overlaps(&circle(30.0, 40.0, 0.0)), Some(true));
        assert_eq!(
            square.overlaps(&circle(30.0, 40.0 + half + 2e-6, 1e-6)),
            Some(false)
        );
        assert_eq!(
            square.overlaps(&circle(30.0, 40.0 + half + 2e-6, 3e-6)),
            Some(true)
        );
    }

    #[test]
    fn a_footprint_over_right_ascension_zero_is_one_piece() {
        let square = footprint(&[(359.0, -1.0), (1.0, -1.0), (1.0, 1.0), (359.0, 1.0)]);
        assert_eq!(square.overlaps(&circle(0.0, 0.0, 0.01)), Some(true));
        assert_eq!(square.overlaps(&circle(720.5, 0.0, 0.01)), Some(true));
        assert_eq!(square.overlaps(&circle(180.0, 0.0, 10.0)), Some(false));
    }

    #[test]
    fn a_footprint_can_hold_a_pole() {
        let cap = footprint(&[(0.0, 80.0), (90.0, 80.0), (180.0, 80.0), (270.0, 80.0)]);
        assert_eq!(cap.overlaps(&circle(33.0, 90.0, 0.0)), Some(true));
        assert_eq!(cap.overlaps(&circle(33.0, -90.0, 5.0)), Some(false));
    }

    #[test]
    fn polygons_touch_in_corners_sides_and_wholes() {
        let square = footprint(&SQUARE);
        let polygon = |corners: &[(f64, f64)]| square.overlaps(&Region::Polygon(corners.to_vec()));
        let inside = [(10.9, -0.1), (11.1, -0.1), (11.0, 0.1)];
        let around = [(5.0, -5.0), (15.0, -5.0), (15.0, 5.0), (5.0, 5.0)];
        // A bar across it, with no corner of either inside the other.
        let across = [(9.0, -0.2), (13.0, -0.2), (13.0, 0.2), (9.0, 0.2)];
        let beside = [(12.5, -0.2), (13.0, -0.2), (13.0, 0.2), (12.5, 0.2)];
        assert_eq!(polygon(&inside), Some(true));
        assert_eq!(polygon(&around), Some(true));
        assert_eq!(polygon(&across), Some(true));
        assert_eq!(polygon(&beside), Some(false));
    }

    #[test]
    fn what_is_not_convex_is_none() {
        let arrow = [(0.0, 0.0), (2.0, 2.0), (4.0, 0.0), (2.0, 5.0)];
        let bow_tie = [(0.0, 0.0), (2.0, 2.0), (2.0, 0.0), (0.0, 2.0)];
        let line = [(0.0, 0.0), (1.0, 0.0), (2.0, 0.0)];
        let star: Vec<(f64, f64)> = (0..5)
            .map(|corner| (f64::from(corner) * 144.0).to_radians())
            .map(|angle| (10.0 + angle.cos(), angle.sin()))
            .collect();
        for corners in [&arrow[..], &bow_tie, &line, &star, &[(f64::NAN, 0.0); 4]] {
            assert!(Footprint::new(corners).is_none(), "{corners:?}");
        }
        let mut clockwise = SQUARE;
        clockwise.reverse();
        assert!(Footprint::new(&clockwise).is_some());
    }

    #[test]
    fn footprints_come_back_from_bytes_to_a_third_of_a_milliarcsecond() {
        // Across the zero of right ascension and at the pole; not multiples of the unit.
        for corners in [
            [(359.9, 2.0), (0.1, 2.0), (0.1, 2.2), (359.9, 2.2)],
            [(-0.1, -2.0), (0.1, -2.0), (0.1, -1.8), (-0.1, -1.8)],
            [(0.0, 89.0), (90.0, 89.0), (180.0, 89.0), (270.0, 89.0)],
        ] {
            let known = footprint(&corners);
            let bytes = known.to_bytes();
            assert_eq!(bytes.len(), 32);
            let back = Footprint::from_bytes(&bytes).expect("it is a footprint");
            assert_eq!((back.to_bytes(), &back), (bytes.clone(), &known));
            for (one, other) in corners.iter().zip(back.corners()) {
                let off = separation(*one, *other).to_degrees() * 3.6e6;
                assert!(off < 0.3, "{one:?} {other:?}: {off} mas");
            }
            assert_eq!(Footprint::from_bytes(&bytes[1..]), None);
        }
        assert_eq!(Footprint::from_bytes(&[]), None);
        assert_eq!(Footprint::from_bytes(&[0]), None);
    }

    #[test]
    fn a_footprint_too_small_for_fractions_comes_back_as_it_was() {
        let small = 2e-8;
        let corners = [(10.0, 0.0), (10.0 + small, 0.0), (10.0, small)];
        let known = footprint(&corners);
        let back = Footprint::from_bytes(&known.to_bytes()).expect("it is a footprint");
        assert_eq!((back.corners(), &back), (&corners[..], &known));
    }

    /// A small generator of numbers between 0 and 1 (Knuth's MMIX), so that every run looks at the same.
    fn numbers() -> impl Iterator<Item = f64> {
        std::iter::successors(Some(7u64), |state| {
            let next = state.wrapping_mul(6364136223846793005);
            Some(next.wrapping_add(1442695040888963407))
        })
        .skip(1)
        .map(|state| (state >> 11) as f64 / (1u64 << 53) as f64)
    }

    /// Points spread over a convex polygon: sums of its corners, brought back to the sphere.
    fn spread(corners: &[(f64, f64)]) -> Vec<Vector> {
        let corners: Vec<Vector> = corners.iter().map(|(ra, dec)| unit(*ra, *dec)).collect();
        let mut points = Vec::new();
        let steps = 24;
        for i in 0..=steps {
            for j in 0..=steps {
                let (u, v) = (
                    f64::from(i) / f64::from(steps),
                    f64::from(j) / f64::from(steps),
                );
                let weights = [(1.0 - u) * (1.0 - v), u * (1.0 - v), u * v, (1.0 - u) * v];
                let sum = |axis: usize| -> f64 {
                    weights.iter().zip(&corners).map(|(w, c)| w * c[axis]).sum()
                };
                let point = [sum(0), sum(1), sum(2)];
                let size = length(point);
                points.push(point.map(|x| x / size));
            }
        }
        points
    }

    #[test]
    fn the_exact_test_agrees_with_looking_at_many_points() {
        let mut numbers = numbers();
        let mut next = move || numbers.next().expect("it has no end");
        let (mut hits, mut misses) = (0, 0);
        for _ in 0..400 {
            let (ra, dec, size) = (next() * 360.0, next() * 160.0 - 80.0, 0.2 + next() * 3.0);
            let stretch = size / dec.to_radians().cos();
            let corners = [
                (ra, dec),
                (ra + stretch, dec),
                (ra + stretch, dec + size),
                (ra, dec + size),
            ];
            let Some(square) = Footprint::new(&corners) else {
                continue;
            };
            let (ra, dec) = (
                ra + (next() - 0.3) * 4.0 * stretch,
                (dec + (next() - 0.3) * 4.0 * size).clamp(-89.0, 89.0),
            );
            let radius = next() * 3.0;
            let centre = unit(ra, dec);
            let nearest = spread(&corners)
                .into_iter()
                .map(|point| angle(point, centre).to_degrees())
                .fold(f64::INFINITY, f64::min);
            // As far as the points may be from the nearest one of the polygon.
            let between = size * 0.1;
            let found = square.overlaps(&circle(ra, dec, radius));
            if nearest <= radius {
                assert_eq!(found, Some(true), "{corners:?} {ra} {dec} {radius}");
                hits += 1;
            } else if nearest > radius + between {
                assert_eq!(found, Some(false), "{corners:?} {ra} {dec} {radius}");
                misses += 1;
            }
        }
        assert!(hits > 50 && misses > 50, "{hits} {misses}");
    }
}
