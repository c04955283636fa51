//! A photometric calibration in a form that can be evaluated: counts to nanojansky and magnitudes, with errors.

use pantler_core::formatter::PixelBox;

use super::ab_zero_flux;
use crate::bounded_field::BoundedField;

/// Counts of a source, with their error, at a pixel of the parent image, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Counts {
    /// The counts.
    pub value: f64,
    /// The standard deviation of the counts.
    pub error: f64,
    /// The column.
    pub x: f64,
    /// The row.
    pub y: f64,
}

/// A flux or magnitude with its standard deviation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// The value.
    pub value: f64,
    /// Its standard deviation.
    pub error: f64,
}

/// What counts are worth, all over an image.
#[derive(Debug, Clone)]
pub struct Calibration {
    pub(super) mean: f64,
    pub(super) error: f64,
    /// How the scale varies, and the factor that makes nanojansky per count of its values.
    pub(super) field: Option<(BoundedField, f64)>,
}

impl Calibration {
    /// Returns the mean scale over the image, in nanojansky per count.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// Returns the standard deviation of the mean scale, in nanojansky per count; NaN where it is not known.
    pub fn error(&self) -> f64 {
        self.error
    }

    /// Returns the field of the record that varies, in the record's own units; `None` if the scale is the same everywhere.
    pub fn field(&self) -> Option<&BoundedField> {
        self.field.as_ref().map(|(field, _)| field)
    }

    /// Returns the pixels that it is made for; `None` if the scale is the same everywhere.
    pub fn bbox(&self) -> Option<PixelBox> {
        self.field().map(BoundedField::bbox)
    }

    /// Returns the scale at some pixels (x, y) of the parent image, counted from 0, in nanojansky per count.
    pub fn scale(&self, pixels: &[(f64, f64)]) -> Vec<f64> {
        match &self.field {
            None => vec![self.mean; pixels.len()],
            Some((field, factor)) => {
                let mut scale = field.evaluate(pixels);
                for value in &mut scale {
                    *value *= factor;
                }
                scale
            }
        }
    }

    /// Returns the fluxes of some sources in nanojansky, one for each.
    ///
    /// The error is that of a product: the relative errors of counts and scale add in squares; the error of the scale is
    /// that of its mean.
    pub fn nanojansky(&self, sources: &[Counts]) -> Vec<Measured> {
        let scaled = sources.iter().zip(self.scale(&places(sources)));
        let flux = |(counts, scale): (&Counts, f64)| Measured {
            value: counts.value * scale,
            // Written without a division, it holds for no counts too.
            error: (counts.error * scale).hypot(counts.value * self.error),
        };
        scaled.map(flux).collect()
    }

    /// Returns the AB magnitudes of some sources, one for each; NaN where the counts are not positive.
    pub fn magnitudes(&self, sources: &[Counts]) -> Vec<Measured> {
        let fluxes = self.nanojansky(sources).into_iter();
        let magnitude = |flux: Measured| Measured {
            value: -2.5 * (flux.value / ab_zero_flux()).log10(),
            error: 2.5 / std::f64::consts::LN_10 * (flux.error / flux.value).abs(),
        };
        fluxes.map(magnitude).collect()
    }

    /// Returns the counts of a source of an AB magnitude, where the scale is the mean one.
    pub fn counts_of(&self, magnitude: f64) -> f64 {
        ab_zero_flux() * 10_f64.powf(-0.4 * magnitude) / self.mean
    }
}

fn places(sources: &[Counts]) -> Vec<(f64, f64)> {
    sources.iter().map(|counts| (counts.x, counts.y)).collect()
}
