//! What a count is worth: the photometric calibration of an image.

use pantler_core::{Hasher, Origin};

use crate::carrier::Carrier;
use crate::decode::DecodeError;
use crate::summary::{Described, SummaryLine};
use crate::values::Values;

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
    /// It is the `calibrationMean` of a `PhotoCalib` record. Older files have the counts of a source of magnitude 0
    /// (`FLUXMAG0` in the header, `fluxmag0` in a `Calib` record), which is turned into it as the LSST stack does:
    /// [`ab_zero_flux`] / fluxMag0.
    pub fn calibration_mean(&self) -> Option<f64> {
        let mean = match self.zero_counts() {
            Some((counts, _)) => ab_zero_flux() / counts,
            None => self.record("PhotoCalib", "calibrationMean")?,
        };
        mean.is_finite().then_some(mean)
    }

    /// Returns the error of [`PhotoCalib::calibration_mean`].
    ///
    /// Out of the error of fluxMag0 it is [`ab_zero_flux`] · error / fluxMag0², the first order of error propagation.
    pub fn calibration_error(&self) -> Option<f64> {
        let error = match self.zero_counts() {
            Some((counts, error)) => ab_zero_flux() * error? / (counts * counts),
            None => self.record("PhotoCalib", "calibrationErr")?,
        };
        error.is_finite().then_some(error)
    }

    /// Says whether the calibration is the same all over the image; `None` where that is not known.
    pub fn is_constant(&self) -> Option<bool> {
        if self.zero_counts().is_some() {
            return Some(true);
        }
        let object = self.carrier.persisted()?.object();
        let rows = object
            .catalog(0)
            .filter(|_| object.class() == "PhotoCalib")?;
        // The flags are a column of bits, the first of which is the highest of its byte.
        let flags = rows.table().column("flags")?;
        rows.value(0, flags)?.first().map(|byte| byte & 0x80 != 0)
    }

    /// Returns the counts of a source of magnitude 0 and their error, where the file has those.
    fn zero_counts(&self) -> Option<(f64, Option<f64>)> {
        let (counts, error) = match &self.carrier {
            Carrier::Header(cards) => (cards.get_f64("FLUXMAG0")?, cards.get_f64("FLUXMAG0ERR")),
            Carrier::Archive(_) => (
                self.record("Calib", "fluxmag0")?,
                self.record("Calib", "fluxmag0.err")
                    .or(self.record("Calib", "fluxmag0_err")),
            ),
        };
        // 0 is what uncalibrated files have.
        (counts > 0.0).then_some((counts, error))
    }

    fn record(&self, class: &str, column: &str) -> Option<f64> {
        let object = self.carrier.persisted()?.object();
        let rows = object.catalog(0).filter(|_| object.class() == class)?;
        rows.get_f64(0, column)
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
        let (mean, error) = (self.calibration_mean(), self.calibration_error());
        Ok(vec![
            SummaryLine::with_unit("mean", mean, "nJy/count"),
            SummaryLine::with_unit("error", error, "nJy/count"),
            SummaryLine::new("constant", self.is_constant()),
        ])
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
}
