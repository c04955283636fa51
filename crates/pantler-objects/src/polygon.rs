//! Polygons of pixels: the part of an image that is valid.

use crate::component::Component;
use crate::decode::{DecodeError, Row, record_of};
use crate::summary::{Described, SummaryLine};
use crate::wcs::{Wcs, WcsError};

/// A polygon in pixels of the parent image, counted from 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Polygon {
    /// The corners in order; the last one is followed by the first.
    vertices: Vec<(f64, f64)>,
}

impl Polygon {
    /// Makes a polygon of its corners (x, y) in order; the first may stand at the end again.
    ///
    /// It is an error if there are fewer than three, or one that is not a number.
    pub fn new(mut vertices: Vec<(f64, f64)>) -> Result<Polygon, DecodeError> {
        if vertices.len() > 1 && vertices.first() == vertices.last() {
            vertices.pop();
        }
        let finite = |(x, y): &(f64, f64)| x.is_finite() && y.is_finite();
        if vertices.len() < 3 || !vertices.iter().all(finite) {
            return Err(DecodeError::damaged(
                "Polygon",
                "it has fewer than three corners, or one that is not a number",
            ));
        }
        Ok(Polygon { vertices })
    }

    /// Reads a `Polygon` record: one row for each corner, the first again at the end.
    pub fn read(component: &Component) -> Result<Polygon, DecodeError> {
        let record = record_of(component.carrier(), "Polygon")?;
        let rows = Row::all(record.object(), 0)?;
        let corners = rows.map(|row| Ok((row.real("vertices_x")?, row.real("vertices_y")?)));
        Polygon::new(corners.collect::<Result<_, DecodeError>>()?)
    }

    /// Returns the corners (x, y) in order, each once.
    pub fn vertices(&self) -> &[(f64, f64)] {
        &self.vertices
    }

    /// Returns the area in square pixels, by the shoelace formula.
    pub fn area(&self) -> f64 {
        // Counted from the first corner, so that far from the origin nothing is lost in rounding.
        let (x0, y0) = self.vertices[0];
        let cross = |((x1, y1), (x2, y2)): ((f64, f64), (f64, f64))| {
            (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        };
        self.edges().map(cross).sum::<f64>().abs() / 2.0
    }

    /// Says of some points (x, y) whether each lies inside; a point on an edge may count either way.
    pub fn contains(&self, points: &[(f64, f64)]) -> Vec<bool> {
        points
            .iter()
            .map(|point| self.contains_one(*point))
            .collect()
    }

    /// Returns the smallest and the largest x and y: ((x, y), (x, y)).
    pub fn bounds(&self) -> ((f64, f64), (f64, f64)) {
        let first = self.vertices[0];
        self.vertices
            .iter()
            .fold((first, first), |(low, high), (x, y)| {
                (
                    (low.0.min(*x), low.1.min(*y)),
                    (high.0.max(*x), high.1.max(*y)),
                )
            })
    }

    /// Returns the positions of the corners on the sky, in degrees.
    pub fn on_sky(&self, wcs: &Wcs) -> Result<Vec<(f64, f64)>, WcsError> {
        wcs.pixel_to_sky(&self.vertices)
    }

    /// Counts the edges that a ray to the right crosses (the even-odd rule).
    fn contains_one(&self, (x, y): (f64, f64)) -> bool {
        let crossed = |((x1, y1), (x2, y2)): ((f64, f64), (f64, f64))| {
            (y1 > y) != (y2 > y) && x < x1 + (x2 - x1) * (y - y1) / (y2 - y1)
        };
        self.edges().filter(|edge| crossed(*edge)).count() % 2 == 1
    }

    fn edges(&self) -> impl Iterator<Item = ((f64, f64), (f64, f64))> {
        let next = self.vertices.iter().cycle().skip(1);
        self.vertices.iter().copied().zip(next.copied())
    }
}

impl Described for Polygon {
    fn summary(&self) -> Result<Vec<SummaryLine>, DecodeError> {
        let corner = |(x, y): &(f64, f64)| {
            vec![
                SummaryLine::with_unit("x", *x, "pix"),
                SummaryLine::with_unit("y", *y, "pix"),
            ]
        };
        let corners: Vec<Vec<SummaryLine>> = self.vertices.iter().map(corner).collect();
        let ((left, bottom), (right, top)) = self.bounds();
        Ok(vec![
            SummaryLine::with_unit("area", self.area(), "pix2"),
            SummaryLine::with_unit("min_x", left, "pix"),
            SummaryLine::with_unit("min_y", bottom, "pix"),
            SummaryLine::with_unit("max_x", right, "pix"),
            SummaryLine::with_unit("max_y", top, "pix"),
            SummaryLine::new("vertices", corners),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::real_files::{archive, first_of};

    #[test]
    fn a_triangle_is_measured_by_hand() {
        let triangle = Polygon::new(vec![(1.0, 1.0), (5.0, 1.0), (1.0, 4.0), (1.0, 1.0)]).unwrap();
        assert_eq!(triangle.vertices().len(), 3);
        assert_eq!(triangle.area(), 6.0);
        assert_eq!(
            triangle.contains(&[(2.0, 2.0), (4.0, 3.0), (0.0, 2.0), (2.0, 0.5)]),
            [true, false, false, false]
        );
        assert_eq!(triangle.bounds(), ((1.0, 1.0), (5.0, 4.0)));
    }

    /// A notch: the even-odd rule finds what is cut out.
    #[test]
    fn a_polygon_need_not_be_convex() {
        let notched = Polygon::new(vec![
            (0.0, 0.0),
            (4.0, 0.0),
            (4.0, 4.0),
            (2.0, 1.0),
            (0.0, 4.0),
        ])
        .unwrap();
        assert_eq!(notched.area(), 10.0);
        assert_eq!(
            notched.contains(&[(2.0, 3.0), (0.5, 2.0), (3.5, 2.0), (2.0, 0.5)]),
            [false, true, true, true]
        );
    }

    #[test]
    fn what_is_no_polygon_is_refused() {
        for corners in [
            Vec::new(),
            vec![(1.0, 2.0), (3.0, 4.0), (1.0, 2.0)],
            vec![(1.0, 2.0), (f64::NAN, 4.0), (1.0, 5.0)],
        ] {
            assert!(Polygon::new(corners).is_err());
        }
    }

    /// Expected: the vertices as astropy.io.fits reads them; the area with numpy's `dot` and `roll`.
    #[test]
    fn real_polygons_are_decoded() {
        let Some(found) = archive("exposures/hsc_calexp_full.fits") else {
            return;
        };
        let component = Component::from_archive("validPolygon", first_of(&found, "Polygon"));
        let polygon = Polygon::read(&component).unwrap();
        assert_eq!(polygon.vertices().len(), 7);
        assert_eq!(
            polygon.vertices()[0],
            (-0.5009755066603316, 1552.9564734855712)
        );
        assert!((polygon.area() / 5606680.638960225 - 1.0).abs() < 1e-12);
        assert_eq!(
            polygon.contains(&[(1000.0, 1000.0), (100.0, 3000.0), (2040.0, 10.0)]),
            [true, false, true]
        );
        let wcs = Wcs::from_archive(first_of(&found, "SkyWcs"));
        let corners = polygon.on_sky(&wcs).unwrap();
        assert_eq!(corners, wcs.pixel_to_sky(polygon.vertices()).unwrap());
        let coadd = archive("exposures/coadd_with_inputs_v1.fits").unwrap();
        let component = Component::from_archive("validPolygon", first_of(&coadd, "Polygon"));
        assert_eq!(Polygon::read(&component).unwrap().area(), 100.0);
    }
}
