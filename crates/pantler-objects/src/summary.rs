//! Decoded objects as lists of names, values and units, for people and for documents.
//!
//! `show` prints the lines, and documents (`--out x.json`) are made of them, so both say the same. [`summary_of`] knows
//! which classes have a summary; a class of its own implements [`Described`] and gets a line there.

use std::fmt;

use pantler_core::Object;
use pantler_core::formatter::PixelBox;
use pantler_core::object::downcast;
use serde_json::{Map, Value, json};

use crate::ap_corr_map::ApCorrMap;
use crate::background::Background;
use crate::bbox::Bbox;
use crate::coadd_inputs::CoaddInputs;
use crate::component::Component;
use crate::decode::DecodeError;
use crate::detector::Detector;
use crate::filter_label::FilterLabel;
use crate::photo_calib::PhotoCalib;
use crate::polygon::Polygon;
use crate::psf::Psf;
use crate::summary_stats::SummaryStats;
use crate::visit_info::VisitInfo;
use crate::wcs::Wcs;

/// A value of a summary.
#[derive(Debug, Clone, PartialEq)]
pub enum SummaryValue {
    /// Not known: the file does not say it, or says that it is not a number.
    Unknown,
    /// A yes or no.
    Flag(bool),
    /// A whole number.
    Integer(i64),
    /// A number; always finite.
    Real(f64),
    /// Text.
    Text(String),
    /// Several values of one kind.
    List(Vec<SummaryValue>),
    /// Things of one kind, each with lines of its own.
    Rows(Vec<Vec<SummaryLine>>),
}

/// One line of a summary.
#[derive(Debug, Clone, PartialEq)]
pub struct SummaryLine {
    /// What it is, in lower case with underscores: `exposure_time`.
    pub name: String,
    /// The value.
    pub value: SummaryValue,
    /// The unit of the value, as astropy writes it (`s`, `deg`, `pix`); empty if it has none.
    pub unit: &'static str,
}

/// Objects whose values can be told in a list.
pub trait Described {
    /// Returns the values in a defined order; an error if the record cannot be decoded.
    fn summary(&self) -> Result<Vec<SummaryLine>, DecodeError>;
}

/// Returns the summary of an object; `None` if its class has none.
pub fn summary_of(object: &dyn Object) -> Option<Result<Vec<SummaryLine>, DecodeError>> {
    if let Some(bbox) = downcast::<Bbox>(object) {
        return Some(bbox.summary());
    }
    if let Some(wcs) = downcast::<Wcs>(object) {
        return Some(wcs.summary());
    }
    if let Some(calib) = downcast::<PhotoCalib>(object) {
        return Some(calib.summary());
    }
    if let Some(info) = downcast::<VisitInfo>(object) {
        return Some(info.summary());
    }
    if let Some(background) = downcast::<Background>(object) {
        return Some(background.summary());
    }
    summary_of_component(downcast::<Component>(object)?)
}

/// Returns the summary of a component that is kept as it was read, by its class; `None` if its class has none.
fn summary_of_component(component: &Component) -> Option<Result<Vec<SummaryLine>, DecodeError>> {
    Some(match component.class() {
        "Psf" => Psf::of(component).and_then(|psf| psf.summary()),
        "ApCorrMap" => ApCorrMap::of(component).and_then(|map| map.summary()),
        "CoaddInputs" => CoaddInputs::read(component).and_then(|inputs| inputs.summary()),
        "Detector" => Detector::read(component).and_then(|detector| detector.summary()),
        "ExposureSummaryStats" => SummaryStats::read(component).and_then(|stats| stats.summary()),
        "FilterLabel" => FilterLabel::read(component).and_then(|label| label.summary()),
        "Polygon" => Polygon::read(component).and_then(|polygon| polygon.summary()),
        _ => return None,
    })
}

impl SummaryLine {
    /// Makes a line of a value without a unit.
    pub fn new(name: impl Into<String>, value: impl Into<SummaryValue>) -> SummaryLine {
        SummaryLine::with_unit(name, value, "")
    }

    /// Makes a line of a value with a unit.
    pub fn with_unit(
        name: impl Into<String>,
        value: impl Into<SummaryValue>,
        unit: &'static str,
    ) -> SummaryLine {
        SummaryLine {
            name: name.into(),
            value: value.into(),
            unit,
        }
    }

    /// Returns its key in a document: the name with the unit behind it, `exposure_time_s`, `boresight_ra_deg`.
    pub fn key(&self) -> String {
        let unit: String = match self.unit {
            "%" => "percent".to_owned(),
            unit => {
                let unit = unit.replace('/', "_per_");
                unit.chars()
                    .filter(|letter| letter.is_ascii_alphanumeric() || *letter == '_')
                    .collect()
            }
        };
        match unit.is_empty() {
            true => self.name.clone(),
            false => format!("{}_{unit}", self.name),
        }
    }
}

/// Returns lines as a document: an object with one key for each line ([`SummaryLine::key`]), in their order; `null` for
/// what is not known.
pub fn summary_document(lines: &[SummaryLine]) -> Value {
    let mut document = Map::new();
    for line in lines {
        document.insert(line.key(), line.value.document());
    }
    Value::Object(document)
}

impl SummaryValue {
    /// Returns it as a document.
    pub fn document(&self) -> Value {
        match self {
            SummaryValue::Unknown => Value::Null,
            SummaryValue::Flag(flag) => json!(flag),
            SummaryValue::Integer(number) => json!(number),
            SummaryValue::Real(number) => json!(number),
            SummaryValue::Text(text) => json!(text),
            SummaryValue::List(values) => values.iter().map(SummaryValue::document).collect(),
            SummaryValue::Rows(rows) => rows.iter().map(|lines| summary_document(lines)).collect(),
        }
    }

    /// Says whether nothing is known.
    pub fn is_unknown(&self) -> bool {
        *self == SummaryValue::Unknown
    }
}

impl fmt::Display for SummaryValue {
    /// Writes it for people: numbers in full, a list in brackets, of rows only how many there are.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SummaryValue::Unknown => write!(formatter, "unknown"),
            SummaryValue::Flag(true) => write!(formatter, "yes"),
            SummaryValue::Flag(false) => write!(formatter, "no"),
            SummaryValue::Integer(number) => write!(formatter, "{number}"),
            // Very large and very small numbers are not spelled out.
            SummaryValue::Real(number) => match number.abs() {
                size if size != 0.0 && !(1e-5..1e16).contains(&size) => {
                    write!(formatter, "{number:e}")
                }
                _ => write!(formatter, "{number}"),
            },
            SummaryValue::Text(text) => write!(formatter, "{text}"),
            SummaryValue::List(values) => {
                let values: Vec<String> = values.iter().map(ToString::to_string).collect();
                write!(formatter, "[{}]", values.join(", "))
            }
            SummaryValue::Rows(rows) => write!(formatter, "{}", rows.len()),
        }
    }
}

impl From<bool> for SummaryValue {
    fn from(flag: bool) -> SummaryValue {
        SummaryValue::Flag(flag)
    }
}

impl From<i64> for SummaryValue {
    fn from(number: i64) -> SummaryValue {
        SummaryValue::Integer(number)
    }
}

impl From<u64> for SummaryValue {
    fn from(number: u64) -> SummaryValue {
        match i64::try_from(number) {
            Ok(number) => SummaryValue::Integer(number),
            Err(_) => SummaryValue::Real(number as f64),
        }
    }
}

impl From<f64> for SummaryValue {
    /// Keeps finite numbers; others are not known.
    fn from(number: f64) -> SummaryValue {
        match number.is_finite() {
            true => SummaryValue::Real(number),
            false => SummaryValue::Unknown,
        }
    }
}

impl From<&str> for SummaryValue {
    fn from(text: &str) -> SummaryValue {
        SummaryValue::Text(text.to_owned())
    }
}

impl From<String> for SummaryValue {
    fn from(text: String) -> SummaryValue {
        SummaryValue::Text(text)
    }
}

impl From<Vec<Vec<SummaryLine>>> for SummaryValue {
    fn from(rows: Vec<Vec<SummaryLine>>) -> SummaryValue {
        SummaryValue::Rows(rows)
    }
}

impl<T: Into<SummaryValue>> From<Option<T>> for SummaryValue {
    fn from(value: Option<T>) -> SummaryValue {
        value.map_or(SummaryValue::Unknown, Into::into)
    }
}

/// Returns the lines of a box: first column and row, width and height.
pub(crate) fn box_lines(pixels: &PixelBox) -> Vec<SummaryLine> {
    vec![
        SummaryLine::new("x0", pixels.x0),
        SummaryLine::new("y0", pixels.y0),
        SummaryLine::new("width", pixels.width),
        SummaryLine::new("height", pixels.height),
    ]
}

impl Described for Bbox {
    fn summary(&self) -> Result<Vec<SummaryLine>, DecodeError> {
        Ok(box_lines(&self.pixels()))
    }
}

impl Described for Wcs {
    fn summary(&self) -> Result<Vec<SummaryLine>, DecodeError> {
        let (x, y) = self.pixel_origin();
        let (x, y) = (x as f64, y as f64);
        let first = self.pixel_to_sky(&[(x, y)])?;
        let (ra, dec) = first.first().copied().unwrap_or((f64::NAN, f64::NAN));
        let tangent = self.tangent_point()?;
        let form = match self.carrier().persisted() {
            Some(record) => format!("{} record", record.class()),
            None => "header cards".to_owned(),
        };
        Ok(vec![
            SummaryLine::new("form", form),
            SummaryLine::new("reference_frame", self.reference_frame()?),
            SummaryLine::with_unit("tangent_ra", tangent.map(|(ra, _)| ra), "deg"),
            SummaryLine::with_unit("tangent_dec", tangent.map(|(_, dec)| dec), "deg"),
            SummaryLine::with_unit("first_pixel_ra", ra, "deg"),
            SummaryLine::with_unit("first_pixel_dec", dec, "deg"),
            SummaryLine::with_unit("first_pixel_scale", self.pixel_scale(x, y).ok(), "arcsec"),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_stand_in_the_keys_of_documents() {
        let lines = [
            SummaryLine::with_unit("exposure_time", 30.5, "s"),
            SummaryLine::with_unit("humidity", 40.0, "%"),
            SummaryLine::with_unit("temperature", f64::NAN, "deg_C"),
            SummaryLine::new("simulated", false),
            SummaryLine::with_unit("mean", 2.0, "nJy/count"),
            SummaryLine::new("amplifiers", vec![vec![SummaryLine::new("id", 3_i64)]]),
        ];
        assert_eq!(
            summary_document(&lines),
            json!({
                "exposure_time_s": 30.5, "humidity_percent": 40.0, "temperature_deg_C": null, "simulated": false,
                "mean_nJy_per_count": 2.0, "amplifiers": [{"id": 3}],
            })
        );
    }

    #[test]
    fn values_are_written_for_people() {
        let text = |value: SummaryValue| value.to_string();
        assert_eq!(
            text(SummaryValue::from(Some(0.1 + 0.2))),
            "0.30000000000000004"
        );
        assert_eq!(text(SummaryValue::from(2.5e-14)), "2.5e-14");
        assert_eq!(text(SummaryValue::from(0.0)), "0");
        assert_eq!(text(SummaryValue::from(f64::INFINITY)), "unknown");
        assert_eq!(text(SummaryValue::from(true)), "yes");
        let list = vec![SummaryValue::from(1_i64), SummaryValue::from("b")];
        assert_eq!(text(SummaryValue::List(list)), "[1, b]");
    }
}
