//! Functions of the pixel, defined over a box: the spatial variation of calibrations and aperture corrections.
//!
//! A field is read out of an archive record ([`BoundedField::read`]) and evaluated for many pixels at once. Pixels are
//! those of the parent image, counted from 0, the centre of a pixel being a whole number. Outside of its box a field is
//! extrapolated, as the LSST stack does; polynomials of high order mean nothing there.
//!
//! | class of the record | what it is |
//! | --- | --- |
//! | `ChebyshevBoundedField` | a sum of products of Chebyshev polynomials of the first kind |
//! | `ProductBoundedField` | the product of other fields |
//! | `PixelAreaBoundedField` | the area of a pixel on the sky |
//! | `FluxFitBoundedField` | the flux correction of meas_mosaic: a polynomial of magnitudes, times a pixel area |
//!
//! A `TransformBoundedField` is refused by name.

mod chebyshev;
mod flux_fit;
mod pixel_area;

#[cfg(test)]
mod tests;

use pantler_core::formatter::PixelBox;

use crate::archive::{Archive, Persisted};
use crate::decode::{DecodeError, Row, referred};

pub use chebyshev::ChebyshevField;
pub use flux_fit::FluxFitField;
pub use pixel_area::PixelAreaField;

/// How many fields one may consist of; more are damage, or a ring of references.
const MOST_FIELDS: usize = 1000;

/// A function of the pixel.
#[derive(Debug, Clone)]
pub enum BoundedField {
    /// A sum of Chebyshev polynomials.
    Chebyshev(ChebyshevField),
    /// The product of other fields.
    Product(Vec<BoundedField>),
    /// The area of a pixel on the sky.
    PixelArea(PixelAreaField),
    /// The flux correction of meas_mosaic.
    FluxFit(FluxFitField),
}

impl BoundedField {
    /// Reads the field that a record is; an error says what is damaged or not supported.
    pub fn read(persisted: &Persisted) -> Result<BoundedField, DecodeError> {
        BoundedField::read_at(persisted.archive(), persisted.root())
    }

    /// Reads the field that an object of an archive is, by its id.
    pub fn read_at(archive: &Archive, id: i32) -> Result<BoundedField, DecodeError> {
        let mut left = MOST_FIELDS;
        read_field(archive, id, "BoundedField", &mut left)
    }

    /// Returns the box over which it is defined; one of no width and height where it is the same everywhere, or where the
    /// factors of a product have nothing in common.
    pub fn bbox(&self) -> PixelBox {
        match self {
            BoundedField::Chebyshev(field) => field.bbox(),
            BoundedField::PixelArea(field) => field.bbox(),
            BoundedField::FluxFit(field) => field.bbox(),
            BoundedField::Product(factors) => {
                let boxes = factors.iter().map(BoundedField::bbox);
                // All factors are made for the same box; the first one's is that of the product.
                boxes.into_iter().next().unwrap_or(PixelBox {
                    x0: 0,
                    y0: 0,
                    width: 0,
                    height: 0,
                })
            }
        }
    }

    /// Returns its values at some pixels (x, y), one for each; NaN where it has none.
    pub fn evaluate(&self, pixels: &[(f64, f64)]) -> Vec<f64> {
        match self {
            BoundedField::Chebyshev(field) => field.evaluate(pixels),
            BoundedField::PixelArea(field) => field.evaluate(pixels),
            BoundedField::FluxFit(field) => field.evaluate(pixels),
            BoundedField::Product(factors) => {
                let mut product = vec![1.0; pixels.len()];
                for factor in factors {
                    for (value, by) in product.iter_mut().zip(factor.evaluate(pixels)) {
                        *value *= by;
                    }
                }
                product
            }
        }
    }

    /// Returns its value at one pixel.
    pub fn value_at(&self, x: f64, y: f64) -> f64 {
        self.evaluate(&[(x, y)])
            .first()
            .copied()
            .unwrap_or(f64::NAN)
    }

    /// Returns the class of the record that it was read from.
    pub fn class(&self) -> &'static str {
        match self {
            BoundedField::Chebyshev(_) => "ChebyshevBoundedField",
            BoundedField::Product(_) => "ProductBoundedField",
            BoundedField::PixelArea(_) => "PixelAreaBoundedField",
            BoundedField::FluxFit(_) => "FluxFitBoundedField",
        }
    }
}

fn read_field(
    archive: &Archive,
    id: i32,
    class: &str,
    left: &mut usize,
) -> Result<BoundedField, DecodeError> {
    let object = referred(archive, class, id)?;
    *left = left.checked_sub(1).ok_or_else(|| {
        DecodeError::damaged(
            class,
            format!("it consists of more than {MOST_FIELDS} fields"),
        )
    })?;
    Ok(match object.class() {
        "ChebyshevBoundedField" => BoundedField::Chebyshev(ChebyshevField::read(object)?),
        "PixelAreaBoundedField" => BoundedField::PixelArea(PixelAreaField::read(archive, object)?),
        "FluxFitBoundedField" => BoundedField::FluxFit(FluxFitField::read(archive, object)?),
        "ProductBoundedField" => {
            let mut factors = Vec::new();
            for row in Row::all(object, 0)? {
                let factor = i32::try_from(row.integer("id")?).unwrap_or(0);
                factors.push(read_field(archive, factor, object.class(), left)?);
            }
            BoundedField::Product(factors)
        }
        other => {
            return Err(DecodeError::unsupported(
                other,
                "it knows no bounded field of this class",
            ));
        }
    })
}
