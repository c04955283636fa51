//! Point spread functions as values: what the image of a star at a position of the parent image looks like.
//!
//! ```text
//! Component (the record, kept as it is) ─► Psf ─┬─ kernel ─► function     Gaussians, images, combinations of them
//!                                               └─ psfex                 pixel basis, polynomial of the position
//!                                          Psf::image_at ─► Image ─► moments, aperture
//! ```
//!
//! [`Psf::of`] decodes a record when somebody asks; nothing else in pantler needs to, so a file with a class that is not
//! known here is read, kept and written as before, and only an image of it is refused, by name.
//!
//! | class of the record | what it is |
//! | --- | --- |
//! | `GaussianPsf`, `SingleGaussianPsf` | a round Gaussian |
//! | `DoubleGaussianPsf` | two round Gaussians, one around the other |
//! | `KernelPsf`, `PcaPsf` | a kernel: `FixedKernel`, `AnalyticKernel` or `LinearCombinationKernel` |
//! | `PsfexPsf` | the model of PSFEx |
//!
//! The layouts of the records are those of the LSST stack's archives, version 2 (the columns stand in the modules).

mod aperture;
mod function;
mod kernel;
mod moments;
mod psfex;

use crate::archive::Persisted;
use crate::component::Component;
use crate::decode::DecodeError;
use crate::image::Image;
use crate::summary::{Described, SummaryLine};

pub use aperture::circle_overlap;
pub(crate) use function::chebyshev;
pub use moments::Moments;

use kernel::Kernel;
use psfex::Psfex;

/// No image of a point spread function has more pixels than 2048 x 2048, whatever a record says.
pub(crate) const MOST_PIXELS: u64 = 1 << 22;

/// A point spread function, decoded from its record.
///
/// Positions are pixels of the parent image: the middle of its first pixel is (0, 0) unless the image is a cutout.
#[derive(Debug, Clone)]
pub struct Psf {
    class: String,
    average_position: Option<(f64, f64)>,
    model: Model,
}

#[derive(Debug, Clone)]
enum Model {
    Kernel(Kernel),
    Psfex(Psfex),
}

impl Psf {
    /// Decodes the component `psf` of an exposure.
    ///
    /// Fails for classes that are not understood, and for records that are not as their class has them.
    pub fn of(component: &Component) -> Result<Psf, DecodeError> {
        match component.carrier().persisted() {
            Some(record) => Psf::of_record(record),
            None => Err(DecodeError::unsupported(
                "Psf",
                "header cards carry it, which hold no model of it",
            )),
        }
    }

    /// Decodes an archive record.
    pub fn of_record(record: &Persisted) -> Result<Psf, DecodeError> {
        let (model, average_position) = match record.class() {
            "GaussianPsf" | "SingleGaussianPsf" => {
                (Model::Kernel(Kernel::gaussian(record.object())?), None)
            }
            "DoubleGaussianPsf" => (
                Model::Kernel(Kernel::double_gaussian(record.object())?),
                None,
            ),
            "KernelPsf" | "PcaPsf" => {
                let (kernel, average) = Kernel::of_psf(record)?;
                (Model::Kernel(kernel), Some(average))
            }
            "PsfexPsf" => {
                let (psfex, average) = Psfex::read(record.object())?;
                (Model::Psfex(psfex), Some(average))
            }
            class => {
                let known = "it knows GaussianPsf, SingleGaussianPsf, DoubleGaussianPsf, KernelPsf, PcaPsf and \
                             PsfexPsf; the record itself can be kept and written";
                return Err(DecodeError::unsupported(class, known));
            }
        };
        Ok(Psf {
            class: record.class().to_owned(),
            average_position,
            model,
        })
    }

    /// Returns the class of its record: `PsfexPsf`.
    pub fn class(&self) -> &str {
        &self.class
    }

    /// Returns the mean position of the stars that it was made of, where the record tells.
    pub fn average_position(&self) -> Option<(f64, f64)> {
        self.average_position
    }

    /// Says whether it differs between the positions of an image.
    pub fn is_varying(&self) -> bool {
        match &self.model {
            Model::Kernel(kernel) => kernel.is_varying(),
            Model::Psfex(psfex) => psfex.is_varying(),
        }
    }

    /// Computes the image of a star of flux 1 at a position of the parent image.
    ///
    /// The pixels are 64-bit floats, rows of growing y, and their sum is 1. The star stands in the middle of the pixel
    /// (0, 0) of the image's own coordinates, so that its box starts at negative numbers: it is the point spread function
    /// *of* that position, not moved *to* it. Its size is that of the record.
    pub fn image_at(&self, x: f64, y: f64) -> Result<Image, DecodeError> {
        let mut found = match &self.model {
            Model::Kernel(kernel) => kernel.pixels(x, y)?,
            Model::Psfex(psfex) => psfex.pixels(x, y),
        };
        let sum: f64 = found.values.iter().sum();
        let usable = sum.is_finite() && sum != 0.0;
        found.values.iter_mut().for_each(|value| *value /= sum);
        if !usable || !found.values.iter().all(|value| value.is_finite()) {
            let what = format!("it has no flux at ({x}, {y})");
            return Err(DecodeError::damaged(&self.class, what));
        }
        let (width, height) = (found.size.0 as u64, found.size.1 as u64);
        let (x0, y0) = (-found.centre.0, -found.centre.1);
        Image::new(found.values, width, height, x0, y0)
            .map_err(|error| DecodeError::damaged(&self.class, error.to_string()))
    }

    /// Measures size and shape at a position with a Gaussian weight that fits the star: [`Moments::adaptive`].
    pub fn moments_at(&self, x: f64, y: f64) -> Result<Moments, DecodeError> {
        let image = self.image_at(x, y)?;
        Moments::adaptive(&image).ok_or_else(|| {
            DecodeError::damaged(
                &self.class,
                format!("it has no stable moments at ({x}, {y})"),
            )
        })
    }

    /// Returns the part of the flux of a star at a position that falls into a circle around it, of `radius` pixels.
    ///
    /// Pixels that the circle cuts count with the share of their area that is inside ([`circle_overlap`]). What lies
    /// outside the image of the point spread function is not there, so that a circle around all of it gives 1.
    pub fn aperture_flux(&self, x: f64, y: f64, radius: f64) -> Result<f64, DecodeError> {
        Ok(aperture::flux(&self.image_at(x, y)?, radius))
    }

    /// Returns the number of pixels over which the background counts in a fit of the flux at a position: 1 / Σ p².
    pub fn effective_area(&self, x: f64, y: f64) -> Result<f64, DecodeError> {
        Ok(effective_area(&self.image_at(x, y)?))
    }
}

impl Described for Psf {
    /// Lists its class, where it is measured, and size and shape there: at the mean position of its stars, else at (0, 0).
    fn summary(&self) -> Result<Vec<SummaryLine>, DecodeError> {
        let (x, y) = self.average_position.unwrap_or((0.0, 0.0));
        let image = self.image_at(x, y)?;
        let moments = Moments::adaptive(&image);
        let of = |value: fn(&Moments) -> f64| moments.as_ref().map(value);
        Ok(vec![
            SummaryLine::new("model", self.class.as_str()),
            SummaryLine::new("varies", self.is_varying()),
            SummaryLine::with_unit("x", x, "pix"),
            SummaryLine::with_unit("y", y, "pix"),
            SummaryLine::new("width", image.width()),
            SummaryLine::new("height", image.height()),
            SummaryLine::with_unit("fwhm", of(Moments::fwhm), "pix"),
            SummaryLine::with_unit("determinant_radius", of(Moments::determinant_radius), "pix"),
            SummaryLine::with_unit("ixx", of(|moments| moments.xx), "pix2"),
            SummaryLine::with_unit("iyy", of(|moments| moments.yy), "pix2"),
            SummaryLine::with_unit("ixy", of(|moments| moments.xy), "pix2"),
            SummaryLine::with_unit("effective_area", effective_area(&image), "pix2"),
        ])
    }
}

/// Pixels before they are normalised.
pub(crate) struct Unnormalised {
    /// Row by row, y growing.
    pub(crate) values: Vec<f64>,
    /// Width and height.
    pub(crate) size: (usize, usize),
    /// The pixel on which the star stands.
    pub(crate) centre: (i64, i64),
}

fn effective_area(image: &Image) -> f64 {
    let values = (0..image.pixels().len()).filter_map(|index| image.pixels().get_f64(index));
    1.0 / values.map(|value| value * value).sum::<f64>()
}

/// Checks the size of an image of a point spread function.
pub(crate) fn checked_size(
    class: &str,
    (width, height): (i64, i64),
) -> Result<(usize, usize), DecodeError> {
    let size = u64::try_from(width).ok().zip(u64::try_from(height).ok());
    let size = size.filter(|(width, height)| {
        let pixels = width.checked_mul(*height);
        pixels.is_some_and(|pixels| (1..=MOST_PIXELS).contains(&pixels))
    });
    match size {
        Some((width, height)) => Ok((width as usize, height as usize)),
        None => Err(DecodeError::damaged(
            class,
            format!("an image of {width}x{height} pixels is none, or too large"),
        )),
    }
}

#[cfg(test)]
mod tests;
