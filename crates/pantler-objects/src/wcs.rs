//! Where pixels lie on the sky.
//!
//! A coordinate system is kept as it was read, and evaluated on demand: [`Wcs::pixel_to_sky`], [`Wcs::sky_to_pixel`],
//! [`Wcs::footprint`], [`Wcs::pixel_scale`]. That works for the `SkyWcs` and `TanWcs` records of the LSST stack and for
//! headers with the projections of the FITS standard, distorted by SIP, TPV, TNX or ZPX or not. Others are kept, compared
//! and written, and asking them for positions is an error that says what is missing.
//!
//! ```text
//! SkyWcs record ─► ast ─► mapping ─┐              ┌─► positions ─► fit ─► tan_sip ─► header cards for any reader
//! TanWcs record ─► tan_sip ────────┼─► evaluated ─┤
//! header cards  ─► header ┬ tan_sip┤              └─► inverse ─► pixels
//!                         └ projected
//! ```
//!
//! The gnomonic projection, which nearly all images of the field have, is computed here, the others by a library.

mod ast;
mod evaluated;
mod fit;
mod header;
mod inverse;
mod mapping;
mod parameters;
mod projected;
mod sky;
mod tan_sip;

use pantler_core::formatter::PixelBox;
use pantler_core::{Hasher, Origin};

use crate::archive::Persisted;
use crate::carrier::Carrier;
use crate::metadata::Metadata;
use crate::values::Values;

use evaluated::Evaluated;
use inverse::slopes;

/// Coordinates that cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WcsError {
    /// This version of pantler cannot evaluate it.
    #[error("pantler cannot evaluate coordinates with {what}")]
    Unsupported {
        /// What it cannot do.
        what: String,
    },
    /// The record or header is not what it must be.
    #[error("the coordinates are damaged: {what}")]
    Damaged {
        /// What is wrong.
        what: String,
    },
    /// A part of it works in one direction only.
    #[error("the coordinates cannot be inverted")]
    NoInverse,
    /// The pixels have no position on the sky.
    #[error("some of the pixels have no position on the sky")]
    OffSky,
}

/// Header cards that say the same as a coordinate system, as well as cards can.
#[derive(Debug, Clone)]
pub struct HeaderWcs {
    /// The cards, for the array that they were asked for.
    pub cards: Metadata,
    /// The largest difference within the array, in arcseconds: 0 where the cards are exact.
    pub largest_residual: f64,
}

/// A world coordinate system, from header cards or an archive record.
///
/// An archive record speaks of pixels of the parent image, counted from 0. Header cards speak of the pixels of the array
/// that they stand with, counted from 1, so they come with the place of that array in its parent.
#[derive(Debug, Clone)]
pub struct Wcs {
    carrier: Carrier,
    x0: i64,
    y0: i64,
    origin: Option<Origin>,
}

impl Wcs {
    /// Makes a coordinate system of the cards of an array whose first pixel is (`x0`, `y0`) of its parent.
    pub fn from_header(cards: Metadata, x0: i64, y0: i64) -> Wcs {
        Wcs {
            carrier: Carrier::Header(cards),
            x0,
            y0,
            origin: None,
        }
    }

    /// Makes a coordinate system of an archive record: `SkyWcs`, `TanWcs`.
    pub fn from_archive(persisted: Persisted) -> Wcs {
        Wcs {
            carrier: Carrier::Archive(persisted),
            x0: 0,
            y0: 0,
            origin: None,
        }
    }

    /// Returns what carries it.
    pub fn carrier(&self) -> &Carrier {
        &self.carrier
    }

    /// Returns the place in its parent of the array that the cards are written for; (0, 0) for a record.
    pub fn pixel_origin(&self) -> (i64, i64) {
        (self.x0, self.y0)
    }

    /// Says whether both hold the same values.
    pub fn same(&self, other: &Wcs) -> bool {
        self.differs_from(other).is_none()
    }

    /// Returns its cards for an array whose first pixel is (`x0`, `y0`) of the parent; `None` for a record.
    pub fn header_at(&self, x0: i64, y0: i64) -> Option<Metadata> {
        let cards = self.carrier.header()?;
        let shifts = [
            ("1", self.x0 as f64 - x0 as f64),
            ("2", self.y0 as f64 - y0 as f64),
        ];
        if (self.x0, self.y0) == (x0, y0) {
            return Some(cards.clone());
        }
        let mut moved = cards.clone();
        for card in cards.iter() {
            let Some(axis) = card.keyword().strip_prefix("CRPIX") else {
                continue;
            };
            let shift = shifts.iter().find(|(number, _)| {
                let rest = axis.strip_prefix(number);
                rest.is_some_and(|rest| {
                    rest.len() <= 1 && !rest.starts_with(|c: char| c.is_ascii_digit())
                })
            });
            if let (Some((_, shift)), Some(value)) = (shift, card.value().as_f64()) {
                moved = moved.with(card.keyword(), value + shift, card.comment());
            }
        }
        Some(moved)
    }

    /// Returns right ascension and declination in degrees of pixels of the parent image, counted from 0; longitude and
    /// latitude where the system is another one.
    ///
    /// They are in the reference frame of the coordinate system ([`Wcs::reference_frame`]). A pixel that has no position
    /// gets NaN. Some projections of the whole sky (`CAR`, `ARC`) go on beyond its edge, where positions repeat.
    pub fn pixel_to_sky(&self, pixels: &[(f64, f64)]) -> Result<Vec<(f64, f64)>, WcsError> {
        let evaluated = self.evaluated()?;
        Ok(pixels
            .iter()
            .map(|pixel| evaluated.pixel_to_sky(*pixel))
            .collect())
    }

    /// Returns the pixels of the parent image, counted from 0, at some positions in degrees.
    ///
    /// They are the exact inverse of [`Wcs::pixel_to_sky`], within a millionth of a pixel. The inverse that is stored in
    /// a `SkyWcs` or `TanWcs` record or a SIP header is only a fit, so it says where to start, and iteration finds the
    /// pixel; the same is done for the other projections, whose inverse is a formula.
    ///
    /// A position that has no pixel gets NaN: it lies on the half of the sky that the projection does not show, or so far
    /// outside that the iteration finds nothing. Far outside the image a distortion, made for the image alone, may also
    /// bring a position to a pixel that means nothing: compare with the box of the pixels.
    pub fn sky_to_pixel(&self, positions: &[(f64, f64)]) -> Result<Vec<(f64, f64)>, WcsError> {
        self.evaluated()?.sky_to_pixel(positions)
    }

    /// Returns the positions in degrees of the four corners of some pixels of the parent image, at the outer edges.
    ///
    /// They start at the corner of the first pixel and go along the first row: seen with x to the right and y upwards, they
    /// go round counterclockwise. It is an error if a corner has no position.
    pub fn footprint(&self, pixels: PixelBox) -> Result<[(f64, f64); 4], WcsError> {
        let evaluated = self.evaluated()?;
        let (left, bottom) = (pixels.x0 as f64 - 0.5, pixels.y0 as f64 - 0.5);
        let (right, top) = (left + pixels.width as f64, bottom + pixels.height as f64);
        let corners = [(left, bottom), (right, bottom), (right, top), (left, top)];
        let corners = corners.map(|corner| evaluated.pixel_to_sky(corner));
        let seen = |(ra, dec): &(f64, f64)| ra.is_finite() && dec.is_finite();
        if !corners.iter().all(seen) {
            return Err(WcsError::OffSky);
        }
        Ok(corners)
    }

    /// Returns how large a pixel of the parent image, counted from 0, is on the sky, in arcseconds: the square root of its
    /// area.
    pub fn pixel_scale(&self, x: f64, y: f64) -> Result<f64, WcsError> {
        let evaluated = self.evaluated()?;
        let to_sky = |pixel| evaluated.pixel_to_sky(pixel);
        let [[a, b], [c, d]] = slopes(to_sky, to_sky((x, y)), (x, y)).ok_or(WcsError::OffSky)?;
        Ok((a * d - b * c).abs().sqrt() * 3600.0)
    }

    /// Returns the name of the reference frame: `ICRS`, `FK5`; `None` where it is not said.
    ///
    /// Positions that are not equatorial have the name of their system: `GALACTIC`, `ECLIPTIC`.
    pub fn reference_frame(&self) -> Result<Option<String>, WcsError> {
        Ok(self.evaluated()?.frame().0.map(str::to_owned))
    }

    /// Returns the position in degrees of the point where the plane of a gnomonic projection touches the sky; `None` for
    /// other projections.
    pub fn tangent_point(&self) -> Result<Option<(f64, f64)>, WcsError> {
        Ok(self.evaluated()?.tangent_point())
    }

    /// Fits the gnomonic projection with SIP distortion over some pixels, for a header of the array of these pixels.
    pub fn fit_tan_sip(&self, pixels: PixelBox) -> Result<HeaderWcs, WcsError> {
        let evaluated = self.evaluated()?;
        if let Some(system) = evaluated.frame().0.filter(|name| !is_equatorial(name)) {
            return Err(WcsError::Unsupported {
                what: format!("right ascension, but with the system {system}"),
            });
        }
        let to_sky = |pixels: &[(f64, f64)]| {
            let positions = pixels.iter().map(|pixel| evaluated.pixel_to_sky(*pixel));
            positions.collect()
        };
        let mut fitted = fit::fit(&pixels, &to_sky)?;
        let (system, equinox) = evaluated.frame();
        fitted.projection.system = system.map(str::to_owned);
        fitted.projection.equinox = equinox;
        Ok(HeaderWcs {
            cards: fitted.projection.to_header(pixels.x0, pixels.y0),
            largest_residual: fitted.largest_residual,
        })
    }

    /// Returns header cards for the array of some pixels: its own where it has cards, exact ones where cards can say the
    /// same, else fitted ones.
    pub fn header_for(&self, pixels: PixelBox) -> Result<HeaderWcs, WcsError> {
        let cards = match self.header_at(pixels.x0, pixels.y0) {
            Some(cards) => cards,
            None => match self.evaluated()? {
                Evaluated::TanSip(exact) => exact.to_header(pixels.x0, pixels.y0),
                Evaluated::Mapping(_) | Evaluated::Projected(_) => {
                    return self.fit_tan_sip(pixels);
                }
            },
        };
        Ok(HeaderWcs {
            cards,
            largest_residual: 0.0,
        })
    }

    fn evaluated(&self) -> Result<Evaluated, WcsError> {
        Evaluated::read(&self.carrier, self.x0, self.y0)
    }

    fn class_name(&self) -> &str {
        "Wcs"
    }
}

impl Values for Wcs {
    fn add_values(&self, hasher: &mut Hasher) {
        hasher.update(&self.x0.to_le_bytes());
        hasher.update(&self.y0.to_le_bytes());
        self.carrier.add_values(hasher);
    }

    fn differs_from(&self, other: &Wcs) -> Option<String> {
        if (self.x0, self.y0) != (other.x0, other.y0) {
            return Some(format!(
                "its pixels are counted from ({}, {}) and from ({}, {})",
                self.x0, self.y0, other.x0, other.y0
            ));
        }
        self.carrier.differs_from(&other.carrier)
    }

    fn memory_bytes(&self) -> u64 {
        self.carrier.memory_bytes()
    }
}

leaf_object!(Wcs);

/// Says whether positions of a system are right ascension and declination, which the cards of a fit claim.
fn is_equatorial(system: &str) -> bool {
    !["ECLIPTIC", "GALACTIC"]
        .iter()
        .any(|name| system.ends_with(name))
}

#[cfg(test)]
mod tests;
