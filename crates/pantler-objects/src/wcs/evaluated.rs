//! A coordinate system in a form that can be evaluated, made of a record or a header each time it is needed.

use super::WcsError;
use super::ast::Dumped;
use super::header::check;
use super::inverse::pixel_at;
use super::mapping::Mapping;
use super::projected::Projected;
use super::sky::{in_degrees, radians};
use super::tan_sip::TanSip;
use crate::archive::Persisted;
use crate::carrier::Carrier;
use crate::metadata::Metadata;

/// A coordinate system that maps pixels of the parent image, counted from 0, to degrees.
pub(super) enum Evaluated {
    Mapping(Box<SkyMapping>),
    Projected(Box<Projected>),
    TanSip(Box<TanSip>),
}

/// The frame set of a `SkyWcs` record.
pub(super) struct SkyMapping {
    frames: Dumped,
    inverted: bool,
    mapping: Mapping,
    system: String,
    /// Whether the second coordinate is the longitude.
    swapped: bool,
}

/// Finds a pixel near the one at a position.
type Near<'a> = Box<dyn Fn((f64, f64)) -> (f64, f64) + 'a>;

impl Evaluated {
    /// Reads what carries a coordinate system; (`x0`, `y0`) is the place of the array that cards are written for.
    pub(super) fn read(carrier: &Carrier, x0: i64, y0: i64) -> Result<Evaluated, WcsError> {
        match carrier {
            Carrier::Header(cards) => Evaluated::from_header(cards, x0, y0),
            Carrier::Archive(persisted) => match persisted.class() {
                "TanWcs" => Ok(Evaluated::TanSip(Box::new(TanSip::from_record(persisted)?))),
                "SkyWcs" => Ok(Evaluated::Mapping(Box::new(read_sky_wcs(persisted)?))),
                other => Err(WcsError::Unsupported {
                    what: format!("a record of the class {other}"),
                }),
            },
        }
    }

    fn from_header(cards: &Metadata, x0: i64, y0: i64) -> Result<Evaluated, WcsError> {
        check(cards)?;
        Ok(match TanSip::covers(cards) {
            true => Evaluated::TanSip(Box::new(TanSip::from_header(cards, x0, y0)?)),
            false => Evaluated::Projected(Box::new(Projected::from_header(cards, x0, y0)?)),
        })
    }

    /// Returns the position of a pixel; NaN if it has none.
    pub(super) fn pixel_to_sky(&self, (x, y): (f64, f64)) -> (f64, f64) {
        match self {
            Evaluated::TanSip(projection) => projection.pixel_to_sky((x, y)),
            Evaluated::Projected(projected) => projected.pixel_to_sky((x, y)),
            Evaluated::Mapping(sky) => match sky.mapping.map(&[x, y])[..] {
                [a, b] if sky.swapped => in_degrees(b, a),
                [a, b] => in_degrees(a, b),
                _ => (f64::NAN, f64::NAN),
            },
        }
    }

    /// Returns the pixels at some positions; NaN for those that have none.
    pub(super) fn sky_to_pixel(
        &self,
        positions: &[(f64, f64)],
    ) -> Result<Vec<(f64, f64)>, WcsError> {
        let near = self.way_back()?;
        let to_sky = |pixel| self.pixel_to_sky(pixel);
        let pixels = positions.iter().map(|position| {
            let found = pixel_at(to_sky, *position, near(*position));
            found.unwrap_or((f64::NAN, f64::NAN))
        });
        Ok(pixels.collect())
    }

    /// Returns the stored or linear inverse, which comes near the pixel.
    pub(super) fn way_back(&self) -> Result<Near<'_>, WcsError> {
        Ok(match self {
            Evaluated::TanSip(projection) => {
                let matrix = projection.inverse_matrix()?;
                Box::new(move |position| projection.near(&matrix, position))
            }
            Evaluated::Projected(projected) => Box::new(|position| projected.near(position)),
            Evaluated::Mapping(sky) => {
                let back = Mapping::read(&sky.frames, !sky.inverted)?;
                Box::new(move |position| {
                    let (longitude, latitude) = radians(position);
                    let point = match sky.swapped {
                        true => [latitude, longitude],
                        false => [longitude, latitude],
                    };
                    match back.map(&point)[..] {
                        [x, y] => (x, y),
                        _ => (f64::NAN, f64::NAN),
                    }
                })
            }
        })
    }

    /// Returns the position where the plane of a gnomonic projection touches the sky.
    pub(super) fn tangent_point(&self) -> Option<(f64, f64)> {
        match self {
            Evaluated::TanSip(projection) => Some(projection.crval),
            Evaluated::Projected(_) => None,
            Evaluated::Mapping(sky) => match sky.mapping.tangent_point()?[..] {
                [a, b] if sky.swapped => Some(in_degrees(b, a)),
                [a, b] => Some(in_degrees(a, b)),
                _ => None,
            },
        }
    }

    /// Returns the reference frame and its equinox, where they are known.
    pub(super) fn frame(&self) -> (Option<&str>, Option<f64>) {
        match self {
            Evaluated::Mapping(sky) => (Some(&sky.system), None),
            Evaluated::Projected(projected) => (projected.system.as_deref(), projected.equinox),
            Evaluated::TanSip(exact) => (exact.system.as_deref(), exact.equinox),
        }
    }
}

/// Reads a `SkyWcs` record: one column of bytes, which are a version, the class, a flag, and the text of a frame set.
fn read_sky_wcs(persisted: &Persisted) -> Result<SkyMapping, WcsError> {
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
    let inverted = frames.flag("Invert")?;
    Ok(SkyMapping {
        mapping: Mapping::read(&frames, inverted)?,
        system: sky.text("System").unwrap_or("ICRS").to_owned(),
        swapped: sky.text("Axp1") == Some("2"),
        inverted,
        frames,
    })
}
