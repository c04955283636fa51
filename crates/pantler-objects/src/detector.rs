//! The detector that an image was taken with, and its amplifiers.
//!
//! Its maps between pixels and the focal plane stay in the record.

use pantler_core::formatter::PixelBox;

use crate::carrier::Carrier;
use crate::component::Component;
use crate::decode::{DecodeError, Row, record_of, version_of};
use crate::metadata::Metadata;
use crate::summary::{Described, SummaryLine, SummaryValue, box_lines};

/// The oldest and the newest version of records that are understood.
const KNOWN_VERSIONS: (i64, i64) = (0, 2);

/// What detectors are for, by the number in their records.
const TYPES: [&str; 4] = ["SCIENCE", "FOCUS", "GUIDER", "WAVEFRONT"];

/// The corners that are read out first, by the number in the records: lower or upper, left or right.
const CORNERS: [&str; 4] = ["LL", "LR", "UR", "UL"];

/// A detector; `None` is what the file does not say.
#[derive(Debug, Clone, PartialEq)]
pub struct Detector {
    /// Its name in the camera.
    pub name: Option<String>,
    /// Its number in the camera.
    pub id: Option<i64>,
    /// The name that its maker gave it.
    pub serial: Option<String>,
    /// What it is for: `SCIENCE`, `FOCUS`, `GUIDER`, `WAVEFRONT`.
    pub kind: Option<&'static str>,
    /// What it is made as: `CCD`.
    pub physical_type: Option<String>,
    /// Its pixels in the assembled image.
    pub bbox: Option<PixelBox>,
    /// Where it sits in the focal plane.
    pub orientation: Option<Orientation>,
    /// The part of each amplifier's signal that shows in each other one: a row for each amplifier. Empty if none is known.
    pub crosstalk: Vec<Vec<f64>>,
    /// Its amplifiers.
    pub amplifiers: Vec<Amplifier>,
}

/// Where a detector sits in the focal plane, and how it is turned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Orientation {
    /// The size of a pixel (x, y), in millimetres.
    pub pixel_size: (f64, f64),
    /// The pixel that the position is of, counted from 0.
    pub reference_pixel: (f64, f64),
    /// The position of that pixel in the focal plane (x, y, z), in millimetres; z is 0 in old files.
    pub position: (f64, f64, f64),
    /// The turn about z, in degrees, x towards y; the first of three.
    pub yaw: f64,
    /// The turn about the new y, in degrees.
    pub pitch: f64,
    /// The turn about the new x, in degrees.
    pub roll: f64,
}

/// One amplifier of a detector.
#[derive(Debug, Clone, PartialEq)]
pub struct Amplifier {
    /// Its name.
    pub name: String,
    /// Its pixels in the assembled image.
    pub bbox: PixelBox,
    /// Electrons for each count.
    pub gain: Option<f64>,
    /// The noise of the readout, in electrons.
    pub read_noise: Option<f64>,
    /// The counts above which it is saturated.
    pub saturation: Option<f64>,
    /// The counts above which it is suspicious.
    pub suspect_level: Option<f64>,
    /// The corner that is read out first: `LL`, `LR`, `UR`, `UL`.
    pub readout_corner: Option<&'static str>,
    /// Its place in a raw image; all boxes are empty where there is none.
    pub raw: RawBoxes,
}

/// Where an amplifier's pixels lie in a raw image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawBoxes {
    /// All that was read out.
    pub all: PixelBox,
    /// The pixels that saw light.
    pub data: PixelBox,
    /// The overscan beside them.
    pub horizontal_overscan: PixelBox,
    /// The overscan above them.
    pub vertical_overscan: PixelBox,
    /// The prescan.
    pub prescan: PixelBox,
    /// Whether columns are in reverse order.
    pub flip_x: bool,
    /// Whether rows are in reverse order.
    pub flip_y: bool,
}

impl Detector {
    /// Reads a `Detector` record, of any known version, or the cards that name a detector.
    pub fn read(component: &Component) -> Result<Detector, DecodeError> {
        if let Carrier::Header(cards) = component.carrier() {
            return Ok(Detector::from_cards(cards));
        }
        let record = record_of(component.carrier(), "Detector")?;
        let row = Row::only(record.object(), 0)?;
        version_of(&row, KNOWN_VERSIONS)?;
        let amplifiers: Vec<Amplifier> = Row::all(record.object(), 1)?
            .map(|row| Amplifier::read(&row))
            .collect::<Result<_, DecodeError>>()?;
        let kind = usize::try_from(row.integer("type")?).ok();
        Ok(Detector {
            name: Some(row.text("name")?.to_owned()),
            id: Some(row.integer("id")?),
            serial: Some(row.text("serial")?.to_owned()),
            kind: kind.and_then(|kind| TYPES.get(kind).copied()),
            physical_type: match row.has("physicalType") {
                true => Some(row.text("physicalType")?.to_owned()),
                false => None,
            },
            bbox: Some(row.bounds("bbox")?),
            orientation: Some(Orientation::read(&row)?),
            crosstalk: crosstalk(&row, amplifiers.len())?,
            amplifiers,
        })
    }

    fn from_cards(cards: &Metadata) -> Detector {
        let text = |keyword: &str| cards.get_text(keyword).map(str::to_owned);
        Detector {
            name: text("DETNAME"),
            id: None,
            serial: text("DETSER"),
            kind: None,
            physical_type: None,
            bbox: None,
            orientation: None,
            crosstalk: Vec::new(),
            amplifiers: Vec::new(),
        }
    }
}

impl Orientation {
    fn read(row: &Row<'_>) -> Result<Orientation, DecodeError> {
        let pair = |name: &str| {
            let at = |axis: &str| row.real(&format!("{name}_{axis}"));
            Ok::<_, DecodeError>((at("x")?, at("y")?))
        };
        let (x, y) = pair("fpPosition")?;
        let z = match row.has("fpPosition_z") {
            true => row.real("fpPosition_z")?,
            false => 0.0,
        };
        Ok(Orientation {
            pixel_size: pair("pixelSize")?,
            reference_pixel: pair("refPoint")?,
            position: (x, y, z),
            yaw: row.real("yaw")?.to_degrees(),
            pitch: row.real("pitch")?.to_degrees(),
            roll: row.real("roll")?.to_degrees(),
        })
    }
}

impl Amplifier {
    fn read(row: &Row<'_>) -> Result<Amplifier, DecodeError> {
        let corner = usize::try_from(row.integer("readoutcorner")?).ok();
        Ok(Amplifier {
            name: row.text("name")?.to_owned(),
            bbox: row.extent("bbox")?,
            gain: row.known("gain"),
            read_noise: row.known("readnoise"),
            saturation: row.known("saturation"),
            suspect_level: row.known("suspectlevel"),
            readout_corner: corner.and_then(|corner| CORNERS.get(corner).copied()),
            raw: RawBoxes {
                all: row.extent("raw_bbox")?,
                data: row.extent("raw_databbox")?,
                horizontal_overscan: row.extent("raw_horizontaloverscanbbox")?,
                vertical_overscan: row.extent("raw_verticaloverscanbbox")?,
                prescan: row.extent("raw_prescanbbox")?,
                flip_x: row.flag("raw_flip_x")?,
                flip_y: row.flag("raw_flip_y")?,
            },
        })
    }

    fn lines(&self) -> Vec<SummaryLine> {
        let mut lines = vec![
            SummaryLine::new("name", self.name.as_str()),
            SummaryLine::with_unit("gain", self.gain, "electron/adu"),
            SummaryLine::with_unit("read_noise", self.read_noise, "electron"),
            SummaryLine::with_unit("saturation", self.saturation, "adu"),
            SummaryLine::with_unit("suspect_level", self.suspect_level, "adu"),
            SummaryLine::new("readout_corner", self.readout_corner),
        ];
        lines.extend(box_lines(&self.bbox));
        lines
    }
}

/// Returns the crosstalk as a row of coefficients for each amplifier.
fn crosstalk(row: &Row<'_>, amplifiers: usize) -> Result<Vec<Vec<f64>>, DecodeError> {
    let flat = row.reals("crosstalk")?;
    if flat.is_empty() {
        return Ok(Vec::new());
    }
    if amplifiers.checked_mul(amplifiers) != Some(flat.len()) {
        let what = format!(
            "its crosstalk has {} coefficients for {amplifiers} amplifiers",
            flat.len()
        );
        return Err(DecodeError::damaged(row.class(), what));
    }
    Ok(flat.chunks_exact(amplifiers).map(<[f64]>::to_vec).collect())
}

impl Described for Detector {
    fn summary(&self) -> Result<Vec<SummaryLine>, DecodeError> {
        let mut lines = vec![
            SummaryLine::new("name", self.name.clone()),
            SummaryLine::new("id", self.id),
            SummaryLine::new("serial", self.serial.clone()),
            SummaryLine::new("type", self.kind),
            SummaryLine::new("physical_type", self.physical_type.clone()),
        ];
        lines.extend(self.bbox.iter().flat_map(box_lines));
        if let Some(place) = &self.orientation {
            let line = |name: &str, value: f64, unit| SummaryLine::with_unit(name, value, unit);
            lines.extend([
                line("pixel_size_x", place.pixel_size.0, "mm"),
                line("pixel_size_y", place.pixel_size.1, "mm"),
                line("reference_pixel_x", place.reference_pixel.0, "pix"),
                line("reference_pixel_y", place.reference_pixel.1, "pix"),
                line("focal_plane_x", place.position.0, "mm"),
                line("focal_plane_y", place.position.1, "mm"),
                line("focal_plane_z", place.position.2, "mm"),
                line("yaw", place.yaw, "deg"),
                line("pitch", place.pitch, "deg"),
                line("roll", place.roll, "deg"),
            ]);
        }
        let numbers = |row: &Vec<f64>| row.iter().map(|value| SummaryValue::from(*value)).collect();
        let crosstalk = self
            .crosstalk
            .iter()
            .map(|row| SummaryValue::List(numbers(row)));
        let crosstalk = SummaryValue::List(crosstalk.collect());
        lines.push(SummaryLine::new("crosstalk", crosstalk));
        let amplifiers: Vec<Vec<SummaryLine>> =
            self.amplifiers.iter().map(Amplifier::lines).collect();
        lines.push(SummaryLine::new("amplifiers", amplifiers));
        Ok(lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::real_files::{archive, first_of};

    fn read(file: &str) -> Option<Detector> {
        let found = archive(file)?;
        let component = Component::from_archive("detector", first_of(&found, "Detector"));
        Some(Detector::read(&component).unwrap())
    }

    fn boxed(x0: i64, y0: i64, width: u64, height: u64) -> PixelBox {
        PixelBox {
            x0,
            y0,
            width,
            height,
        }
    }

    /// Expected: the columns as astropy.io.fits reads them, the angle with `math.degrees`.
    #[test]
    fn a_real_detector_is_decoded() {
        let Some(detector) = read("exposures/hsc_calexp_full.fits") else {
            return;
        };
        assert_eq!(detector.name.as_deref(), Some("1_42"));
        assert_eq!(detector.id, Some(4));
        assert_eq!(detector.serial.as_deref(), Some("4"));
        assert_eq!(detector.kind, Some("SCIENCE"));
        assert_eq!(detector.physical_type.as_deref(), Some("CCD"));
        assert_eq!(detector.bbox, Some(boxed(0, 0, 2048, 4176)));
        let place = detector.orientation.unwrap();
        assert_eq!(place.position, (191.0478, -166.56314999999998, 0.0));
        assert_eq!(place.pixel_size, (0.015, 0.015));
        assert_eq!(place.reference_pixel, (1023.5, 2087.5));
        assert!((place.yaw - 180.005956).abs() < 1e-6);
        assert!(detector.crosstalk.is_empty());
        assert_eq!(detector.amplifiers.len(), 4);
        let second = &detector.amplifiers[1];
        assert_eq!(second.name, "1");
        assert_eq!(second.bbox, boxed(512, 0, 512, 4176));
        assert_eq!((second.gain, second.read_noise), (Some(3.9913), Some(1.36)));
        assert_eq!(second.saturation, Some(45000.0));
        assert_eq!(second.readout_corner, Some("LR"));
        assert_eq!(second.raw.all, boxed(536, 0, 536, 4241));
        assert_eq!(second.raw.data, boxed(552, 49, 512, 4176));
        assert_eq!(second.raw.horizontal_overscan, boxed(536, 49, 16, 4176));
        assert_eq!(second.raw.vertical_overscan, boxed(552, 4225, 512, 16));
        assert_eq!(second.raw.prescan, boxed(552, 0, 512, 49));
    }

    /// Records without a version, one with text of a fixed width.
    #[test]
    fn old_detectors_are_decoded() {
        for (file, physical) in [
            ("exposures/exposure-version-1.fits", None),
            ("exposures/exposure-version-2.fits", Some("CCD")),
        ] {
            let Some(detector) = read(file) else { return };
            assert_eq!(detector.name.as_deref(), Some("detector 1"));
            assert_eq!(detector.serial.as_deref(), Some("xkcd722"));
            assert_eq!(detector.physical_type.as_deref(), physical);
            assert_eq!(detector.crosstalk, vec![vec![0.0; 3]; 3]);
            let names: Vec<&str> = detector
                .amplifiers
                .iter()
                .map(|a| a.name.as_str())
                .collect();
            assert_eq!(names, ["amp 1", "amp 2", "amp 3"]);
            assert_eq!(detector.amplifiers[0].gain, Some(1712.34));
        }
    }

    #[test]
    fn cards_name_a_detector() {
        let cards = Metadata::default()
            .with("DETNAME", "1_42", None)
            .with("DETSER", "4", None);
        let detector = Detector::read(&Component::from_header("detector", cards)).unwrap();
        assert_eq!(detector.name.as_deref(), Some("1_42"));
        assert_eq!((detector.id, detector.amplifiers.len()), (None, 0));
    }
}
