//! The field that says how much of the sky each pixel covers.

use pantler_core::formatter::PixelBox;

use crate::archive::{Archive, ArchiveObject};
use crate::decode::{DecodeError, Row, referred};
use crate::wcs::Wcs;

/// The area of a pixel on the sky times a factor.
#[derive(Debug, Clone)]
pub struct PixelAreaField {
    bbox: PixelBox,
    wcs: Wcs,
    /// The factor for an area in square radians.
    scaling: f64,
}

impl PixelAreaField {
    /// Reads a `PixelAreaBoundedField` record: its box, its coordinate system, the factor for square radians.
    pub(super) fn read(
        archive: &Archive,
        object: &ArchiveObject,
    ) -> Result<PixelAreaField, DecodeError> {
        let row = Row::only(object, 0)?;
        Ok(PixelAreaField {
            bbox: row.bounds("bbox")?,
            wcs: wcs_of(archive, &row)?,
            scaling: row.real("scaling")?,
        })
    }

    /// Returns the box over which it is defined.
    pub fn bbox(&self) -> PixelBox {
        self.bbox
    }

    /// Returns its values at some pixels (x, y), one for each; NaN for pixels without a position.
    pub fn evaluate(&self, pixels: &[(f64, f64)]) -> Vec<f64> {
        let mut areas = pixel_areas(&self.wcs, pixels);
        for area in &mut areas {
            *area *= self.scaling;
        }
        areas
    }
}

/// Returns the coordinate system that the column `wcs` refers to, once it is sure that it can be evaluated.
pub(super) fn wcs_of(archive: &Archive, row: &Row<'_>) -> Result<Wcs, DecodeError> {
    let id = i32::try_from(row.integer("wcs")?).unwrap_or(0);
    let object = referred(archive, row.class(), id)?;
    let persisted = archive
        .persisted(object.id())
        .ok_or_else(|| DecodeError::damaged(row.class(), "its coordinate system is not there"))?;
    let wcs = Wcs::from_archive(persisted);
    wcs.pixel_to_sky(&[])?;
    Ok(wcs)
}

/// Returns the areas of some pixels on the sky in square radians: of the parallelogram that its steps of half a pixel to
/// either side span. NaN where a pixel or a neighbour has no position.
pub(super) fn pixel_areas(wcs: &Wcs, pixels: &[(f64, f64)]) -> Vec<f64> {
    let around: Vec<(f64, f64)> = pixels
        .iter()
        .flat_map(|(x, y)| [(x - 0.5, *y), (x + 0.5, *y), (*x, y - 0.5), (*x, y + 0.5)])
        .collect();
    let Ok(positions) = wcs.pixel_to_sky(&around) else {
        return vec![f64::NAN; pixels.len()];
    };
    let (around, _) = positions.as_chunks::<4>();
    let areas = around.iter().map(|positions| {
        let [left, right, below, above] = positions.map(direction);
        let (a, b) = (difference(right, left), difference(above, below));
        let cross = [
            a[1] * b[2] - a[2] * b[1],
            a[2] * b[0] - a[0] * b[2],
            a[0] * b[1] - a[1] * b[0],
        ];
        cross.iter().map(|c| c * c).sum::<f64>().sqrt()
    });
    areas.collect()
}

/// Returns the unit vector of a position in degrees.
fn direction((ra, dec): (f64, f64)) -> [f64; 3] {
    let (ra, dec) = (ra.to_radians(), dec.to_radians());
    [dec.cos() * ra.cos(), dec.cos() * ra.sin(), dec.sin()]
}

fn difference(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}
