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
use crate::image::Image;
pub use crate::record_row::RowError;

pub use aperture::circle_overlap;
pub use moments::Moments;

use kernel::Kernel;
use psfex::Psfex;

/// No image of a point spread function has more pixels than 2048 x 2048, whatever a record says.
pub(crate) const MOST_PIXELS: u64 = 1 << 22;

/// A point spread function of which there is no image.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PsfError {
    /// Header cards carry it, so that there is no model.
    #[error("the point spread function is carried by header cards, which hold no model of it")]
    NoRecord,
    /// The class is not understood.
    #[error(
        "point spread functions of class {class} are kept as they are, and images of them are not computed; \
         those of GaussianPsf, SingleGaussianPsf, DoubleGaussianPsf, KernelPsf, PcaPsf and PsfexPsf are"
    )]
    Class {
        /// The class of the record.
        class: String,
    },
    /// A part of it is of a class that is not understood.
    #[error("the {what} is of class {class}, which is not understood")]
    Part {
        /// What the part is: `kernel`, `function`.
        what: &'static str,
        /// Its class.
        class: String,
    },
    /// A column of a record is not as it must be.
    #[error(transparent)]
    Row(#[from] RowError),
    /// The record contradicts itself.
    #[error("the record of class {class} cannot be used: {why}")]
    Record {
        /// The class of the record.
        class: String,
        /// What is wrong with it.
        why: String,
    },
    /// There is nothing to normalise.
    #[error("the point spread function of class {class} has no flux at ({x}, {y})")]
    NoFlux {
        /// The class of the record.
        class: String,
        /// The position.
        x: f64,
        /// The position.
        y: f64,
    },
    /// The moments do not settle.
    #[error("the point spread function of class {class} has no stable moments at ({x}, {y})")]
    NoMoments {
        /// The class of the record.
        class: String,
        /// The position.
        x: f64,
        /// The position.
        y: f64,
    },
}

impl PsfError {
    pub(crate) fn record(class: &str, why: impl Into<String>) -> PsfError {
        PsfError::Record {
            class: class.to_owned(),
            why: why.into(),
        }
    }
}

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
    pub fn of(component: &Component) -> Result<Psf, PsfError> {
        match component.carrier().persisted() {
            Some(record) => Psf::of_record(record),
            None => Err(PsfError::NoRecord),
        }
    }

    /// Decodes an archive record.
    pub fn of_record(record: &Persisted) -> Result<Psf, PsfError> {
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
                return Err(PsfError::Class {
                    class: class.to_owned(),
                });
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
    pub fn image_at(&self, x: f64, y: f64) -> Result<Image, PsfError> {
        let mut found = match &self.model {
            Model::Kernel(kernel) => kernel.pixels(x, y)?,
            Model::Psfex(psfex) => psfex.pixels(x, y),
        };
        let sum: f64 = found.values.iter().sum();
        let usable = sum.is_finite() && sum != 0.0;
        found.values.iter_mut().for_each(|value| *value /= sum);
        if !usable || !found.values.iter().all(|value| value.is_finite()) {
            return Err(PsfError::NoFlux {
                class: self.class.clone(),
                x,
                y,
            });
        }
        let (width, height) = (found.size.0 as u64, found.size.1 as u64);
        let (x0, y0) = (-found.centre.0, -found.centre.1);
        Image::new(found.values, width, height, x0, y0)
            .map_err(|error| PsfError::record(&self.class, error.to_string()))
    }

    /// Measures size and shape at a position with a Gaussian weight that fits the star: [`Moments::adaptive`].
    pub fn moments_at(&self, x: f64, y: f64) -> Result<Moments, PsfError> {
        let image = self.image_at(x, y)?;
        Moments::adaptive(&image).ok_or_else(|| PsfError::NoMoments {
            class: self.class.clone(),
            x,
            y,
        })
    }

    /// Returns the part of the flux of a star at a position that falls into a circle around it, of `radius` pixels.
    ///
    /// Pixels that the circle cuts count with the share of their area that is inside ([`circle_overlap`]). What lies
    /// outside the image of the point spread function is not there, so that a circle around all of it gives 1.
    pub fn aperture_flux(&self, x: f64, y: f64, radius: f64) -> Result<f64, PsfError> {
        Ok(aperture::flux(&self.image_at(x, y)?, radius))
    }

    /// Returns the number of pixels over which the background counts in a fit of the flux at a position: 1 / Σ p².
    pub fn effective_area(&self, x: f64, y: f64) -> Result<f64, PsfError> {
        let image = self.image_at(x, y)?;
        let values = (0..image.pixels().len()).filter_map(|index| image.pixels().get_f64(index));
        Ok(1.0 / values.map(|value| value * value).sum::<f64>())
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

/// Checks the size of an image of a point spread function.
pub(crate) fn checked_size(
    class: &str,
    (width, height): (i64, i64),
) -> Result<(usize, usize), PsfError> {
    let size = u64::try_from(width).ok().zip(u64::try_from(height).ok());
    let size = size.filter(|(width, height)| {
        let pixels = width.checked_mul(*height);
        pixels.is_some_and(|pixels| (1..=MOST_PIXELS).contains(&pixels))
    });
    match size {
        Some((width, height)) => Ok((width as usize, height as usize)),
        None => Err(PsfError::record(
            class,
            format!("an image of {width}x{height} pixels is none, or too large"),
        )),
    }
}

#[cfg(test)]
mod tests;
