//! Where pixels lie on the sky.
//!
//! A coordinate system is kept as it was read, and evaluated on demand ([`Wcs::pixel_to_sky`]): the `SkyWcs` and `TanWcs`
//! records of the LSST stack, and headers with the gnomonic projection, with or without SIP distortion. Others are kept,
//! compared and written, and asking them for positions is an error that says what is missing.
//!
//! ```text
//! SkyWcs record ─► ast ─► mapping ─┐
//! TanWcs record ─► tan_sip ────────┼─► positions ─► fit ─► tan_sip ─► header cards for any reader
//! header cards  ─► tan_sip ────────┘
//! ```

mod ast;
mod fit;
mod mapping;
mod sky;
mod tan_sip;

use pantler_core::formatter::PixelBox;
use pantler_core::{Hasher, Origin};

use crate::archive::Persisted;
use crate::carrier::Carrier;
use crate::metadata::Metadata;
use crate::values::Values;

use ast::Dumped;
use mapping::Mapping;
use sky::in_degrees;
use tan_sip::TanSip;

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

    /// Returns right ascension and declination in degrees of pixels of the parent image, counted from 0.
    ///
    /// They are in the reference frame of the coordinate system ([`Wcs::reference_frame`]). A pixel that has no position
    /// gets NaN.
    pub fn pixel_to_sky(&self, pixels: &[(f64, f64)]) -> Result<Vec<(f64, f64)>, WcsError> {
        let evaluated = self.evaluated()?;
        Ok(pixels
            .iter()
            .map(|pixel| evaluated.pixel_to_sky(*pixel))
            .collect())
    }

    /// Returns the name of the reference frame: `ICRS`, `FK5`; `None` where it is not said.
    pub fn reference_frame(&self) -> Result<Option<String>, WcsError> {
        Ok(match self.evaluated()? {
            Evaluated::Mapping { system, .. } => Some(system),
            Evaluated::TanSip(projection) => projection.system,
        })
    }

    /// Fits the gnomonic projection with SIP distortion over some pixels, for a header of the array of these pixels.
    pub fn fit_tan_sip(&self, pixels: PixelBox) -> Result<HeaderWcs, WcsError> {
        let evaluated = self.evaluated()?;
        let to_sky = |pixels: &[(f64, f64)]| {
            let positions = pixels.iter().map(|pixel| evaluated.pixel_to_sky(*pixel));
            positions.collect()
        };
        let mut fitted = fit::fit(&pixels, &to_sky)?;
        (fitted.projection.system, fitted.projection.equinox) = match &evaluated {
            Evaluated::Mapping { system, .. } => (Some(system.clone()), None),
            Evaluated::TanSip(exact) => (exact.system.clone(), exact.equinox),
        };
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
                Evaluated::Mapping { .. } => return self.fit_tan_sip(pixels),
            },
        };
        Ok(HeaderWcs {
            cards,
            largest_residual: 0.0,
        })
    }

    fn evaluated(&self) -> Result<Evaluated, WcsError> {
        match &self.carrier {
            Carrier::Header(cards) => {
                let projection = TanSip::from_header(cards, self.x0, self.y0)?;
                Ok(Evaluated::TanSip(Box::new(projection)))
            }
            Carrier::Archive(persisted) => match persisted.class() {
                "TanWcs" => Ok(Evaluated::TanSip(Box::new(TanSip::from_record(persisted)?))),
                "SkyWcs" => read_sky_wcs(persisted),
                other => Err(WcsError::Unsupported {
                    what: format!("a record of the class {other}"),
                }),
            },
        }
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

/// A coordinate system in a form that can be evaluated.
enum Evaluated {
    Mapping {
        mapping: Mapping,
        system: String,
        /// Whether the second coordinate is the longitude.
        swapped: bool,
    },
    TanSip(Box<TanSip>),
}

impl Evaluated {
    fn pixel_to_sky(&self, (x, y): (f64, f64)) -> (f64, f64) {
        match self {
            Evaluated::TanSip(projection) => projection.pixel_to_sky((x, y)),
            Evaluated::Mapping {
                mapping, swapped, ..
            } => match mapping.map(&[x, y])[..] {
                [a, b] if *swapped => in_degrees(b, a),
                [a, b] => in_degrees(a, b),
                _ => (f64::NAN, f64::NAN),
            },
        }
    }
}

/// Reads a `SkyWcs` record: one column of bytes, which are a version, the class, a flag, and the text of a frame set.
fn read_sky_wcs(persisted: &Persisted) -> Result<Evaluated, WcsError> {
    let damaged = |what: &str| WcsError::Damaged {
        what: what.to_owned(),
    };
    let rows = persisted.object().catalog(0).filter(|rows| rows.len() == 1);
    let rows = rows.ok_or_else(|| damaged("a SkyWcs record must have one row"))?;
    let column = rows.table().column("wcs");
    let bytes = column.and_then(|column| rows.value(0, column));
    let text = bytes.and_then(|bytes| std::str::from_utf8(bytes).ok());
    let text = text.ok_or_else(|| damaged("the SkyWcs record has no text"))?;
    let mut words = text.splitn(4, ' ');
    let (version, class) = (words.next(), words.next());
    if (version, class) != (Some("1"), Some("SkyWcs")) {
        return Err(WcsError::Unsupported {
            what: format!("a SkyWcs record that starts with {version:?} {class:?}"),
        });
    }
    let start = text
        .find("Begin ")
        .ok_or_else(|| damaged("the SkyWcs record has no AST text"))?;
    let frames = Dumped::read(&text[start..])?;
    if frames.class != "FrameSet" {
        return Err(damaged("the AST text of a SkyWcs must be a FrameSet"));
    }
    let current = frames
        .text("Currnt")
        .or(frames.text("Nframe"))
        .unwrap_or("1");
    let sky = frames.object(&format!("Frm{current}"));
    let sky = sky.filter(|frame| frame.class == "SkyFrame");
    let sky = sky.ok_or_else(|| damaged("the current frame is not one of the sky"))?;
    Ok(Evaluated::Mapping {
        mapping: Mapping::read(&frames, frames.flag("Invert")?)?,
        system: sky.text("System").unwrap_or("ICRS").to_owned(),
        swapped: sky.text("Axp1") == Some("2"),
    })
}

#[cfg(test)]
mod tests;
