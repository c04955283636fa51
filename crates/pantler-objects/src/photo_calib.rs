//! What a count is worth: the photometric calibration of an image.
//!
//! What a file holds of it is kept whole; [`PhotoCalib::calibration`] makes something of it that turns counts into fluxes.
//!
//! | carried by | meaning |
//! | --- | --- |
//! | a `PhotoCalib` record of version 1 | nanojansky per count: mean, error, and a field that says how it varies |
//! | one of version 0, or without a version | the same in units of the flux of magnitude 0 (maggies) |
//! | a `Calib` record, `FLUXMAG0` cards | the counts of a source of magnitude 0 |
//!
//! A `FluxFitBoundedField` is in maggies whatever the version of the record that refers to it: in the files that have one,
//! the mean times its zero point is the flux of magnitude 0 in nanojansky, to the last digit.

mod calibration;

use pantler_core::{Hasher, Origin};

use crate::bounded_field::BoundedField;
use crate::carrier::Carrier;
use crate::decode::{DecodeError, Row, record_of, version_of};
use crate::summary::{Described, SummaryLine, box_lines};
use crate::values::Values;

pub use calibration::{Calibration, Counts, Measured};

/// The oldest and the newest version of records that are understood.
const KNOWN_VERSIONS: (i64, i64) = (0, 1);

/// The flux of a source of AB magnitude 0, in nanojansky.
///
/// AB magnitudes are defined by m = -2.5 log10(f) - 48.6 with f in erg/s/cm²/Hz (Oke & Gunn 1983, ApJ 266, 713), so
/// m = 0 is 10^(-48.6/2.5) of these units; one of them is 1e23 jansky. The LSST stack uses the same number.
pub fn ab_zero_flux() -> f64 {
    1e23 * 10_f64.powf(48.6 / -2.5) * 1e9
}

/// A photometric calibration, from header cards or an archive record.
#[derive(Debug, Clone)]
pub struct PhotoCalib {
    carrier: Carrier,
    origin: Option<Origin>,
}

impl PhotoCalib {
    /// Makes a calibration of what a file holds of it.
    pub fn new(carrier: Carrier) -> PhotoCalib {
        PhotoCalib {
            carrier,
            origin: None,
        }
    }

    /// Returns what carries it.
    pub fn carrier(&self) -> &Carrier {
        &self.carrier
    }

    /// Returns the mean number of nanojansky per count over the image; `None` where that is not known.
    ///
    /// [`PhotoCalib::calibration`] says why it is not.
    pub fn calibration_mean(&self) -> Option<f64> {
        Some(self.head().ok()?.mean).filter(|mean| mean.is_finite())
    }

    /// Returns the error of [`PhotoCalib::calibration_mean`].
    pub fn calibration_error(&self) -> Option<f64> {
        Some(self.head().ok()?.error).filter(|error| error.is_finite())
    }

    /// Says whether the calibration is the same all over the image; `None` where that is not known.
    pub fn is_constant(&self) -> Option<bool> {
        Some(self.head().ok()?.constant)
    }

    /// Returns the calibration in a form that can be evaluated at any pixel.
    ///
    /// It is an error if the record is of a version that is not known, if the field of its variation cannot be decoded, or
    /// if the file says that the image is not calibrated (`FLUXMAG0` of 0).
    pub fn calibration(&self) -> Result<Calibration, DecodeError> {
        let head = self.head()?;
        let field = match (&self.carrier, head.constant) {
            (Carrier::Archive(record), false) => {
                let row = Row::only(record.object(), 0)?;
                let id = row.reference("field").unwrap_or(0);
                let field = BoundedField::read_at(record.archive(), id)?;
                let factor = match field {
                    BoundedField::FluxFit(_) => ab_zero_flux(),
                    _ => head.unit,
                };
                Some((field, factor))
            }
            _ => None,
        };
        Ok(Calibration {
            mean: head.mean,
            error: head.error,
            field,
        })
    }

    /// Returns mean, error and whether they hold everywhere.
    fn head(&self) -> Result<Head, DecodeError> {
        let counts = match &self.carrier {
            Carrier::Header(cards) => (
                cards.get_f64("FLUXMAG0").unwrap_or(0.0),
                cards.get_f64("FLUXMAG0ERR"),
            ),
            Carrier::Archive(record) if record.class() == "Calib" => {
                let row = Row::only(record.object(), 0)?;
                let error = row.known("fluxmag0.err").or(row.known("fluxmag0_err"));
                (row.real("fluxmag0")?, error)
            }
            Carrier::Archive(_) => {
                let record = record_of(&self.carrier, "PhotoCalib")?;
                return Head::of(&Row::only(record.object(), 0)?);
            }
        };
        Head::of_zero_counts(counts.0, counts.1)
    }

    fn class_name(&self) -> &str {
        "PhotoCalib"
    }
}

impl Values for PhotoCalib {
    fn add_values(&self, hasher: &mut Hasher) {
        self.carrier.add_values(hasher);
    }

    fn differs_from(&self, other: &PhotoCalib) -> Option<String> {
        self.carrier.differs_from(&other.carrier)
    }

    fn memory_bytes(&self) -> u64 {
        self.carrier.memory_bytes()
    }
}

leaf_object!(PhotoCalib);

impl Described for PhotoCalib {
    fn summary(&self) -> Result<Vec<SummaryLine>, DecodeError> {
        let calibration = self.calibration()?;
        let (mean, error) = (calibration.mean(), calibration.error());
        let zero_point = 2.5 * (ab_zero_flux() / mean).log10();
        let mut lines = vec![
            SummaryLine::with_unit("mean", mean, "nJy/count"),
            SummaryLine::with_unit("error", error, "nJy/count"),
            SummaryLine::with_unit("zero_point", zero_point, "mag"),
            SummaryLine::new("constant", calibration.field().is_none()),
        ];
        if let Some(field) = calibration.field() {
            let bbox = field.bbox();
            let middle = (
                bbox.x0 as f64 + (bbox.width as f64 - 1.0) / 2.0,
                bbox.y0 as f64 + (bbox.height as f64 - 1.0) / 2.0,
            );
            let scale = calibration.scale(&[middle]).first().copied();
            lines.push(SummaryLine::new("varies_as", field.class()));
            lines.push(SummaryLine::with_unit("middle_scale", scale, "nJy/count"));
            lines.extend(box_lines(&bbox));
        }
        Ok(lines)
    }
}

/// What a record or header says of the whole image, in nanojansky per count.
struct Head {
    mean: f64,
    error: f64,
    constant: bool,
    /// The nanojansky in the unit of the record.
    unit: f64,
}

impl Head {
    /// Reads a `PhotoCalib` record.
    fn of(row: &Row<'_>) -> Result<Head, DecodeError> {
        let unit = match version_of(row, KNOWN_VERSIONS)? {
            0 => ab_zero_flux(),
            _ => 1.0,
        };
        Ok(Head {
            mean: row.real("calibrationMean")? * unit,
            error: row.real("calibrationErr")? * unit,
            constant: row.flag("isConstant")?,
            unit,
        })
    }

    /// Makes a calibration of the counts of a source of magnitude 0 and their error.
    ///
    /// The mean is [`ab_zero_flux`] / counts, and its error [`ab_zero_flux`] · error / counts², the first order of error
    /// propagation; the LSST stack turns old files into it in the same way.
    fn of_zero_counts(counts: f64, error: Option<f64>) -> Result<Head, DecodeError> {
        if counts.is_nan() || counts <= 0.0 {
            return Err(DecodeError::unsupported(
                "PhotoCalib",
                format!("the image is not calibrated: FLUXMAG0 is {counts}"),
            ));
        }
        let relative = error.map_or(f64::NAN, |error| error / counts);
        let mean = ab_zero_flux() / counts;
        Ok(Head {
            mean,
            error: mean * relative,
            constant: true,
            unit: 1.0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Metadata;
    use crate::real_files::{archive, first_of};

    fn close(found: Option<f64>, expected: f64) -> bool {
        found.is_some_and(|found| (found / expected - 1.0).abs() < 1e-12)
    }

    /// The AB zero point is 3631 jansky, as every textbook has it.
    #[test]
    fn the_zero_point_is_that_of_ab_magnitudes() {
        assert!((ab_zero_flux() / 1e9 - 3630.78).abs() < 0.01);
    }

    #[test]
    fn header_cards_give_the_calibration() {
        let header = Metadata::default()
            .with("FLUXMAG0", 10249140011766.5, None)
            .with("FLUXMAG0ERR", 512690393461.247, None);
        let calib = PhotoCalib::new(Carrier::Header(header.clone()));
        assert!(close(
            calib.calibration_mean(),
            ab_zero_flux() / 10249140011766.5
        ));
        // The relative error is the same on both sides.
        let relative = calib
            .calibration_error()
            .map(|e| e / calib.calibration_mean().unwrap());
        assert!(close(relative, 512690393461.247 / 10249140011766.5));
        let none = PhotoCalib::new(Carrier::Header(header.with("FLUXMAG0", 0.0, None)));
        assert_eq!(
            none.calibration_mean(),
            None,
            "0 is what uncalibrated files have"
        );
    }

    #[test]
    fn records_give_the_calibration() {
        let file = "exposures/components/photoCalib-version1.fits";
        let Some(found) = archive(file) else { return };
        let calib = PhotoCalib::new(Carrier::Archive(first_of(&found, "PhotoCalib")));
        assert_eq!(calib.calibration_mean(), Some(123.0));
        assert_eq!(calib.calibration_error(), Some(45.0));
        assert_eq!(calib.is_constant(), Some(true));
        // Old coadds have a record with the counts of magnitude 0.
        let found = archive("exposures/coadd_with_inputs_v1.fits").unwrap();
        let calib = PhotoCalib::new(Carrier::Archive(first_of(&found, "Calib")));
        assert!(close(calib.calibration_mean(), ab_zero_flux() / 1.1e12));
        assert!(close(
            calib.calibration_error(),
            ab_zero_flux() * 2.2e10 / 1.21e24
        ));
        // A record of another class is not misread.
        let other = PhotoCalib::new(Carrier::Archive(first_of(&found, "Polygon")));
        assert_eq!(
            (other.calibration_mean(), other.is_constant()),
            (None, None)
        );
    }

    /// Version 0 was in maggies: 123 of them per count are 123 times the flux of magnitude 0.
    #[test]
    fn records_without_a_unit_of_today_are_converted() {
        let file = "exposures/components/photoCalib-version0.fits";
        let Some(found) = archive(file) else { return };
        let calib = PhotoCalib::new(Carrier::Archive(first_of(&found, "PhotoCalib")));
        assert!(close(calib.calibration_mean(), 123.0 * ab_zero_flux()));
        assert!(close(calib.calibration_error(), 45.0 * ab_zero_flux()));
    }

    /// Fluxes and magnitudes by hand: 1000 counts of 2 nJy are 2 µJy, which is 31.4 - 2.5 log10(2000) within the
    /// rounding of 31.4 (2.5 log10 of 3.6308e12 is 31.400).
    #[test]
    fn counts_become_fluxes_and_magnitudes() {
        let header = Metadata::default()
            .with("FLUXMAG0", ab_zero_flux() / 2.0, None)
            .with("FLUXMAG0ERR", ab_zero_flux() / 2.0 * 0.03, None);
        let calib = PhotoCalib::new(Carrier::Header(header)).calibration();
        let calib = calib.unwrap();
        let source = |value, error| Counts {
            value,
            error,
            x: 5.0,
            y: 6.0,
        };
        let sources = [source(1000.0, 40.0), source(0.0, 40.0), source(-10.0, 1.0)];
        let fluxes = calib.nanojansky(&sources);
        assert!(close(Some(fluxes[0].value), 2000.0));
        // 4 % and 3 % add up to 5 %.
        assert!(close(Some(fluxes[0].error), 100.0));
        assert_eq!(fluxes[1].value, 0.0);
        assert!(close(Some(fluxes[1].error), 80.0));
        let magnitudes = calib.magnitudes(&sources);
        assert!((magnitudes[0].value - (31.4 - 2.5 * 2000_f64.log10())).abs() < 1e-4);
        // 2.5 / ln 10 times 5 %.
        assert!((magnitudes[0].error - 1.0857362 * 0.05).abs() < 1e-8);
        assert!(magnitudes[2].value.is_nan());
        assert!(close(Some(calib.counts_of(magnitudes[0].value)), 1000.0));
        assert_eq!(
            (calib.bbox(), calib.scale(&[(1.0, 2.0)])),
            (None, vec![2.0])
        );
    }

    /// Expected: the mean as astropy reads it, and the field as a program of its own evaluates it (see `bounded_field`).
    #[test]
    fn a_calibration_that_varies_is_in_nanojansky() {
        let file = "exposures/joint/8766/jointcal_photoCalib-0011506-050.fits";
        let Some(found) = archive(file) else { return };
        let calib = PhotoCalib::new(Carrier::Archive(first_of(&found, "PhotoCalib")));
        assert_eq!(calib.is_constant(), Some(false));
        let calibration = calib.calibration().unwrap();
        assert_eq!(calibration.mean(), 0.35457067716111634);
        assert_eq!(calibration.error(), 0.017736608122716185);
        let bbox = calibration.bbox().unwrap();
        assert_eq!((bbox.width, bbox.height), (2048, 4176));
        let scale = calibration.scale(&[(0.0, 0.0), (1023.5, 2087.5), (2047.0, 4175.0)]);
        for (scale, to_mean) in
            scale
                .iter()
                .zip([1.0006805893687412, 0.9993660674113707, 0.9962053323255475])
        {
            assert!((scale / calibration.mean() / to_mean - 1.0).abs() < 1e-8);
        }
        let lines = calib.summary().unwrap();
        assert!(lines.iter().any(|line| line.name == "varies_as"));
    }

    #[test]
    fn an_uncalibrated_image_is_said_to_be_one() {
        let header = Metadata::default().with("FLUXMAG0", 0.0, None);
        let refused = PhotoCalib::new(Carrier::Header(header)).calibration();
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("not calibrated"), "{refused}");
    }
}
