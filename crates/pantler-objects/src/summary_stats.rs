//! The summary statistics of an exposure: seeing, background, zero point, corners.
//!
//! The record holds a text of names and values in a small part of YAML: `name: number`, or `name:` and then one `- number`
//! for each value. Names are kept as the LSST stack has them; new ones come with every version, so none is required.

use crate::component::Component;
use crate::decode::{DecodeError, record_of};
use crate::summary::{Described, SummaryLine, SummaryValue};

const CLASS: &str = "ExposureSummaryStats";

/// The units of the statistics that have one.
const UNITS: [(&str, &str); 18] = [
    ("psfSigma", "pix"),
    ("psfArea", "pix2"),
    ("psfIxx", "pix2"),
    ("psfIyy", "pix2"),
    ("psfIxy", "pix2"),
    ("ra", "deg"),
    ("dec", "deg"),
    ("decl", "deg"),
    ("raCorners", "deg"),
    ("decCorners", "deg"),
    ("zenithDistance", "deg"),
    ("zeroPoint", "mag"),
    ("magLim", "mag"),
    ("expTime", "s"),
    ("effTime", "s"),
    ("astromOffsetMean", "arcsec"),
    ("astromOffsetStd", "arcsec"),
    ("pixelScale", "arcsec"),
];

/// The summary statistics of an exposure.
#[derive(Debug, Clone, PartialEq)]
pub struct SummaryStats {
    /// In the order of the record; one number, or several.
    statistics: Vec<(String, Statistic)>,
}

/// The value of a statistic; a number that is not known is NaN.
#[derive(Debug, Clone, PartialEq)]
pub enum Statistic {
    /// One number.
    One(f64),
    /// Several numbers: the corners of the image.
    Many(Vec<f64>),
}

impl SummaryStats {
    /// Reads an `ExposureSummaryStats` record.
    pub fn read(component: &Component) -> Result<SummaryStats, DecodeError> {
        let record = record_of(component.carrier(), CLASS)?;
        let rows = record.object().catalog(0).filter(|rows| rows.len() == 1);
        let bytes = rows.and_then(|rows| rows.value(0, rows.table().column("bytes")?));
        let text = bytes.and_then(|bytes| std::str::from_utf8(bytes).ok());
        SummaryStats::parse(text.ok_or_else(|| DecodeError::damaged(CLASS, "it has no text"))?)
    }

    fn parse(text: &str) -> Result<SummaryStats, DecodeError> {
        let mut statistics: Vec<(String, Statistic)> = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let strange = || {
                let what = format!("line {} is no name with numbers: `{line}`", number + 1);
                DecodeError::unsupported(CLASS, what)
            };
            if let Some(item) = line.trim_start().strip_prefix("- ") {
                let Some((_, Statistic::Many(values))) = statistics.last_mut() else {
                    return Err(strange());
                };
                values.push(real(item).ok_or_else(strange)?);
            } else if let Some((name, value)) = line.split_once(':') {
                let value = match value.trim() {
                    "" => Statistic::Many(Vec::new()),
                    one => Statistic::One(real(one).ok_or_else(strange)?),
                };
                statistics.push((name.trim().to_owned(), value));
            } else if !line.trim().is_empty() {
                return Err(strange());
            }
        }
        Ok(SummaryStats { statistics })
    }

    /// Returns a statistic of one number; `None` if it is not there, or not known.
    pub fn get(&self, name: &str) -> Option<f64> {
        let (_, value) = self.statistics.iter().find(|(known, _)| known == name)?;
        match value {
            Statistic::One(value) => value.is_finite().then_some(*value),
            Statistic::Many(_) => None,
        }
    }

    /// Returns all statistics in the order of the record.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Statistic)> {
        self.statistics
            .iter()
            .map(|(name, value)| (name.as_str(), value))
    }
}

/// Reads a number as YAML writes it.
fn real(text: &str) -> Option<f64> {
    match text.trim() {
        ".nan" | ".NaN" | ".NAN" | "null" | "~" => Some(f64::NAN),
        ".inf" | "+.inf" => Some(f64::INFINITY),
        "-.inf" => Some(f64::NEG_INFINITY),
        number => number.parse().ok(),
    }
}

impl Described for SummaryStats {
    fn summary(&self) -> Result<Vec<SummaryLine>, DecodeError> {
        let line = |(name, value): (&str, &Statistic)| {
            let unit = UNITS.iter().find(|(known, _)| *known == name);
            let value = match value {
                // Counts are whole numbers.
                Statistic::One(value) if name.starts_with('n') && value.fract() == 0.0 => {
                    SummaryValue::Integer(*value as i64)
                }
                Statistic::One(value) => SummaryValue::from(*value),
                Statistic::Many(values) => {
                    SummaryValue::List(values.iter().map(|value| (*value).into()).collect())
                }
            };
            SummaryLine::with_unit(name, value, unit.map_or("", |(_, unit)| unit))
        };
        Ok(self.iter().map(line).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::real_files::{archive, first_of};

    #[test]
    fn numbers_and_lists_of_numbers_are_read() {
        let stats = SummaryStats::parse("psfSigma: 2.5\nraCorners:\n- 1.0\n- .nan\nnPsfStar: 7\n");
        let stats = stats.unwrap();
        assert_eq!(stats.get("psfSigma"), Some(2.5));
        assert_eq!(stats.get("raCorners"), None);
        let document = crate::summary::summary_document(&stats.summary().unwrap());
        assert_eq!(
            document,
            serde_json::json!({"psfSigma_pix": 2.5, "raCorners_deg": [1.0, null], "nPsfStar": 7})
        );
        for strange in [
            "- 1.0\n",
            "psfSigma: {a: 1}\n",
            "psfSigma: 1\n- 2\n",
            "words\n",
        ] {
            let refused = SummaryStats::parse(strange).unwrap_err();
            assert!(matches!(refused, DecodeError::Unsupported { .. }));
        }
    }

    /// Expected: the bytes of the record as astropy.io.fits reads them.
    #[test]
    fn real_statistics_are_decoded() {
        let Some(found) = archive("exposures/hsc_calexp_full.fits") else {
            return;
        };
        let record = first_of(&found, CLASS);
        let stats = SummaryStats::read(&Component::from_archive("summaryStats", record)).unwrap();
        assert_eq!(stats.get("psfSigma"), Some(1.0));
        assert_eq!(stats.get("nPsfStar"), Some(0.0));
        assert_eq!(stats.get("zeroPoint"), None);
        let corners = stats.iter().find(|(name, _)| *name == "raCorners");
        assert!(matches!(corners, Some((_, Statistic::Many(values))) if values.len() == 4));
    }
}
