//! The flux correction that meas_mosaic fitted to visits of Hyper Suprime-Cam.
//!
//! ```text
//! f(x, y) = 10^(-0.4 m(u, v)) · area(x, y) / area(reference pixel) / zeroPoint
//! ```
//!
//! m is a polynomial of u = (x' + x0) / uMax and v = (y' + y0) / vMax, where (x', y') is the pixel turned by nQuarter
//! quarters with its detector. `zeroPoint` is the counts of a source of magnitude 0, so the field is the flux of a count
//! in units of that of magnitude 0 (maggies). The reference pixel is the one at the tangent point of the coordinates.

use pantler_core::formatter::PixelBox;

use super::chebyshev::clenshaw;
use super::pixel_area::{pixel_areas, wcs_of};
use crate::archive::{Archive, ArchiveObject};
use crate::decode::{DecodeError, Row};
use crate::wcs::Wcs;

/// A higher order is damage: it would need more coefficients than a column has room for.
const HIGHEST: usize = 1000;

/// A flux correction: the flux of one count in maggies.
#[derive(Debug, Clone)]
pub struct FluxFitField {
    bbox: PixelBox,
    /// The coefficients with their orders in u and v.
    terms: Vec<(usize, usize, f64)>,
    order: usize,
    chebyshev: bool,
    offset: (f64, f64),
    largest: (f64, f64),
    quarters: i64,
    zero_point: f64,
    jacobian: Option<Jacobian>,
}

/// The area of a pixel by that of the reference pixel.
#[derive(Debug, Clone)]
struct Jacobian {
    wcs: Wcs,
    reference_area: f64,
}

impl FluxFitField {
    /// Reads a `FluxFitBoundedField` record.
    pub(super) fn read(
        archive: &Archive,
        object: &ArchiveObject,
    ) -> Result<FluxFitField, DecodeError> {
        let row = Row::only(object, 0)?;
        let damaged = |what: &str| DecodeError::damaged(object.class(), what);
        let bbox = row.bounds("bbox")?;
        if (bbox.x0, bbox.y0) != (0, 0) || bbox.width == 0 || bbox.height == 0 {
            return Err(damaged(
                "its box does not start at (0, 0), or has no pixels",
            ));
        }
        let coefficients = row.reals("coefficients")?;
        let order = (0..=HIGHEST)
            .find(|order| (order + 1) * (order + 2) / 2 == coefficients.len())
            .ok_or_else(|| damaged("its coefficients fill no triangle"))?;
        let orders = (0..=order).flat_map(|sum| (0..=sum).map(move |v| (sum - v, v)));
        let jacobian = match row.reference("wcs") {
            Some(_) => Some(Jacobian::read(archive, &row)?),
            None => None,
        };
        Ok(FluxFitField {
            bbox,
            terms: orders
                .zip(coefficients)
                .map(|((u, v), value)| (u, v, value))
                .collect(),
            order,
            chebyshev: row.flag("chebyshev")?,
            offset: (row.real("x0")?, row.real("y0")?),
            largest: (row.real("uMax")?, row.real("vMax")?),
            quarters: row.integer("nQuarter")?.rem_euclid(4),
            zero_point: row.real("zeroPoint")?,
            jacobian,
        })
    }

    /// Returns the box over which it is defined.
    pub fn bbox(&self) -> PixelBox {
        self.bbox
    }

    /// Returns the counts of a source of magnitude 0 at the reference pixel.
    pub fn zero_point(&self) -> f64 {
        self.zero_point
    }

    /// Returns the flux of a count in maggies at some pixels (x, y), one for each; NaN for pixels without a position.
    pub fn evaluate(&self, pixels: &[(f64, f64)]) -> Vec<f64> {
        let mut values: Vec<f64> = pixels
            .iter()
            .map(|pixel| 10_f64.powf(-0.4 * self.magnitudes(*pixel)) / self.zero_point)
            .collect();
        if let Some(jacobian) = &self.jacobian {
            let areas = pixel_areas(&jacobian.wcs, pixels);
            for (value, area) in values.iter_mut().zip(areas) {
                *value *= area / jacobian.reference_area;
            }
        }
        values
    }

    /// Returns the correction in magnitudes.
    fn magnitudes(&self, pixel: (f64, f64)) -> f64 {
        let (x, y) = self.turned(pixel);
        let u = (x + self.offset.0) / self.largest.0;
        let v = (y + self.offset.1) / self.largest.1;
        let (u, v) = (self.powers(u), self.powers(v));
        let term = |(p, q, value): &(usize, usize, f64)| value * u[*p] * v[*q];
        self.terms.iter().map(term).sum()
    }

    /// Returns a pixel of the detector as one of the focal plane's orientation.
    fn turned(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let (right, top) = (self.bbox.width as f64 - 1.0, self.bbox.height as f64 - 1.0);
        match self.quarters {
            1 => (top - y, x),
            2 => (right - x, top - y),
            3 => (y, right - x),
            _ => (x, y),
        }
    }

    /// Returns the basis at a place: powers, or Chebyshev polynomials, of each order.
    fn powers(&self, at: f64) -> Vec<f64> {
        let basis = |order: usize| match self.chebyshev {
            true => {
                let mut only = vec![0.0; order + 1];
                only[order] = 1.0;
                clenshaw(&only, at)
            }
            false => at.powi(i32::try_from(order).unwrap_or(i32::MAX)),
        };
        (0..=self.order).map(basis).collect()
    }
}

impl Jacobian {
    fn read(archive: &Archive, row: &Row<'_>) -> Result<Jacobian, DecodeError> {
        let wcs = wcs_of(archive, row)?;
        let unsupported = |what: &str| DecodeError::unsupported(row.class(), what);
        let tangent = wcs.tangent_point()?;
        let tangent =
            tangent.ok_or_else(|| unsupported("its coordinates have no tangent point"))?;
        let reference = wcs.sky_to_pixel(&[tangent])?;
        let area = pixel_areas(&wcs, &reference).first().copied();
        let area = area.filter(|area| area.is_finite() && *area > 0.0);
        Ok(Jacobian {
            reference_area: area
                .ok_or_else(|| unsupported("its tangent point lies on no pixel"))?,
            wcs,
        })
    }
}
