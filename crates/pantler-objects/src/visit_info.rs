//! When, where and how an exposure was taken.
//!
//! What a file holds of it is kept whole; [`VisitInfo::values`] decodes it on demand, whatever the version of the record.

mod values;

use pantler_core::{Hasher, Origin};

use crate::carrier::Carrier;
use crate::decode::DecodeError;
use crate::summary::{Described, SummaryLine};
use crate::values::Values;

pub use values::{RotationType, VisitValues};

/// When, where and how an exposure was taken: from header cards or an archive record.
#[derive(Debug, Clone)]
pub struct VisitInfo {
    carrier: Carrier,
    origin: Option<Origin>,
}

impl VisitInfo {
    /// Makes it of what a file holds of it.
    pub fn new(carrier: Carrier) -> VisitInfo {
        VisitInfo {
            carrier,
            origin: None,
        }
    }

    /// Returns what carries it.
    pub fn carrier(&self) -> &Carrier {
        &self.carrier
    }

    /// Returns how long the shutter was open, in seconds; `None` where that is not known.
    pub fn exposure_time(&self) -> Option<f64> {
        let seconds = match &self.carrier {
            Carrier::Header(cards) => cards.get_f64("EXPTIME"),
            Carrier::Archive(persisted) => {
                persisted.object().catalog(0)?.get_f64(0, "exposuretime")
            }
        };
        seconds.filter(|seconds| seconds.is_finite())
    }

    /// Returns all values, in defined units.
    ///
    /// It is an error if the record is of a version that is not known, or lacks what its version must have.
    pub fn values(&self) -> Result<VisitValues, DecodeError> {
        VisitValues::read(&self.carrier)
    }

    fn class_name(&self) -> &str {
        "VisitInfo"
    }
}

impl Values for VisitInfo {
    fn add_values(&self, hasher: &mut Hasher) {
        self.carrier.add_values(hasher);
    }

    fn differs_from(&self, other: &VisitInfo) -> Option<String> {
        self.carrier.differs_from(&other.carrier)
    }

    fn memory_bytes(&self) -> u64 {
        self.carrier.memory_bytes()
    }
}

leaf_object!(VisitInfo);

impl Described for VisitInfo {
    fn summary(&self) -> Result<Vec<SummaryLine>, DecodeError> {
        Ok(self.values()?.lines())
    }
}

/// Says whether a card carries a part of the visit's description, as the LSST stack writes them into primary headers.
///
/// `TIMESYS` also tells how the other dates of a header are meant, `INSTRUMENT` and `OBJECT` are everyone's; they are
/// listed in [`is_shared_card`] and are not taken away when the visit's description is replaced.
pub fn is_visit_info_card(keyword: &str) -> bool {
    matches!(
        keyword,
        "EXPID"
            | "EXPTIME"
            | "DARKTIME"
            | "DATE-AVG"
            | "TIME-MID"
            | "MJD-AVG-UT1"
            | "AVG-ERA"
            | "BORE-RA"
            | "BORE-DEC"
            | "BORE-AZ"
            | "BORE-ALT"
            | "BORE-AIRMASS"
            | "BORE-ROTANG"
            | "ROTTYPE"
            | "OBS-LONG"
            | "OBS-LAT"
            | "OBS-ELEV"
            | "AIRTEMP"
            | "AIRPRESS"
            | "HUMIDITY"
            | "IDNUM"
            | "FOCUSZ"
            | "HAS-SIMULATED-CONTENT"
    )
}

/// Says whether a card tells a part of the visit's description and has a meaning of its own besides.
pub fn is_shared_card(keyword: &str) -> bool {
    matches!(
        keyword,
        "TIMESYS" | "INSTRUMENT" | "OBJECT" | "OBSTYPE" | "PROGRAM" | "REASON"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Metadata;
    use crate::real_files::{archive, first_of};
    use crate::summary::SummaryValue;

    #[test]
    fn both_carriers_give_the_exposure_time() {
        let header = Metadata::default().with("EXPTIME", 30.0, None);
        assert_eq!(
            VisitInfo::new(Carrier::Header(header)).exposure_time(),
            Some(30.0)
        );
        let Some(found) = archive("exposures/components/visitInfo-version-5.fits") else {
            return;
        };
        let info = VisitInfo::new(Carrier::Archive(first_of(&found, "VisitInfo")));
        let rows = info
            .carrier()
            .persisted()
            .unwrap()
            .object()
            .catalog(0)
            .unwrap();
        assert!(info.exposure_time().is_some());
        assert_eq!(info.exposure_time(), rows.get_f64(0, "exposuretime"));
        assert_eq!(rows.get_text(0, "instrumentlabel").map(str::len), Some(13));
    }

    #[test]
    fn cards_of_the_visit_are_told_from_shared_ones() {
        assert!(is_visit_info_card("BORE-RA") && !is_shared_card("BORE-RA"));
        assert!(is_shared_card("OBJECT") && !is_visit_info_card("OBJECT"));
    }

    fn close(found: Option<f64>, expected: f64) -> bool {
        found.is_some_and(|found| (found / expected - 1.0).abs() < 1e-13)
    }

    fn read(file: &str) -> Option<VisitInfo> {
        let found = archive(file)?;
        Some(VisitInfo::new(Carrier::Archive(first_of(
            &found,
            "VisitInfo",
        ))))
    }

    /// Expected: the columns as astropy.io.fits reads them, angles turned with `math.degrees`, dates with astropy's `Time`.
    #[test]
    fn records_of_all_versions_are_decoded() {
        for (file, version) in [
            ("exposures/components/visitInfo-version-3.fits", 3),
            ("exposures/components/visitInfo-version-5.fits", 5),
        ] {
            let Some(info) = read(file) else { return };
            let values = info.values().unwrap();
            assert_eq!(values.id, Some(987654));
            assert_eq!(values.exposure_id, (version == 3).then_some(10313423));
            assert_eq!(values.instrument.as_deref(), Some("TestCameraOne"));
            assert_eq!(values.exposure_time, Some(10.01));
            assert_eq!(values.dark_time, Some(11.02));
            let date = values.date_avg.unwrap();
            assert_eq!(date.to_string(), "2037-09-20T02:24:00.000000000");
            assert_eq!(date.mjd(), 65321.1);
            assert_eq!(values.ut1, Some(12345.1));
            assert!(close(values.earth_rotation_angle, 45.1));
            let (ra, dec) = values.boresight_radec.unwrap();
            assert!(close(Some(ra), 23.1) && close(Some(dec), 73.2));
            let (azimuth, altitude) = values.boresight_azalt.unwrap();
            assert!(close(Some(azimuth), 134.5) && close(Some(altitude), 33.3));
            assert_eq!(values.boresight_airmass, Some(1.73));
            assert!(close(values.boresight_rotation_angle, 73.2));
            assert_eq!(values.rotation_type, RotationType::Sky);
            assert!(close(values.longitude, 11.1) && close(values.latitude, 22.2));
            assert_eq!(values.elevation, Some(0.333));
            assert_eq!(values.air_temperature, Some(1.1));
            assert_eq!(values.air_pressure, Some(2.2));
            assert_eq!(values.humidity, Some(34.5));
            assert_eq!(values.focus_z, Some(1.5));
            let since_4 = |text: &'static str| (version >= 4).then_some(text);
            assert_eq!(values.observation_type.as_deref(), since_4("flat"));
            assert_eq!(values.science_program.as_deref(), since_4("test program"));
            assert_eq!(values.observation_reason.as_deref(), since_4("test reason"));
            assert_eq!(values.object.as_deref(), since_4("test object"));
            assert_eq!(
                values.has_simulated_content,
                (version >= 4).then_some(false)
            );
        }
    }

    /// The record of version 2 and the header of the same visit say the same, as far as both say it.
    #[test]
    fn a_record_and_a_header_of_one_visit_agree() {
        let Some(info) = read("exposures/cfht/visitSummary-849375.fits") else {
            return;
        };
        let record = info.values().unwrap();
        // The cards of the calibrated exposure 849375, as astropy.io.fits reads them.
        let mut header = Metadata::default()
            .with("EXPID", 30577512_i64, None)
            .with("IDNUM", 849375_i64, None);
        for (keyword, value) in [
            ("EXPTIME", 300.202),
            ("DARKTIME", 300.0),
            ("AVG-ERA", 59.8458808052295),
            ("BORE-RA", 214.870376476163),
            ("BORE-DEC", 52.6536099135581),
            ("BORE-AZ", 323.27),
            ("BORE-ALT", 40.23),
            ("BORE-AIRMASS", 1.548),
            ("BORE-ROTANG", 0.0),
            ("OBS-LONG", -155.468876),
            ("OBS-LAT", 19.825252),
            ("OBS-ELEV", 4214.99999999929),
            ("AIRTEMP", 1.75),
            ("AIRPRESS", 61579.0),
            ("HUMIDITY", 15.76),
        ] {
            header = header.with(keyword, value, None);
        }
        for (keyword, text) in [
            ("DATE-AVG", "2006-05-20T12:08:13.050000000"),
            ("TIMESYS", "TAI"),
            ("ROTTYPE", "SKY"),
            ("INSTRUMENT", "MegaPrime"),
        ] {
            header = header.with(keyword, text, None);
        }
        let cards = VisitInfo::new(Carrier::Header(header)).values().unwrap();
        for (record, card) in record.lines().iter().zip(cards.lines()) {
            let equal = match (&record.value, &card.value) {
                (SummaryValue::Real(a), SummaryValue::Real(b)) => (a - b).abs() <= 1e-12 * a.abs(),
                (a, b) => a == b,
            };
            assert!(equal, "{record:?} {card:?}");
        }
        assert_eq!(record.date_avg.unwrap().nanoseconds(), 1148126893050000000);
        assert_eq!(record.ut1, None, "it is not a number in the record");
    }

    #[test]
    fn old_headers_have_what_they_have() {
        let header = Metadata::default()
            .with("EXPTIME", "30.5", None)
            .with("TIME-MID", "2013-11-02T06:01:31.5Z", None)
            .with("HAS-SIMULATED-CONTENT", true, None);
        let values = VisitInfo::new(Carrier::Header(header.clone())).values();
        let values = values.unwrap();
        assert_eq!(values.exposure_time, Some(30.5));
        // UTC, 35 seconds behind TAI in that year.
        assert_eq!(
            values.date_avg.unwrap().to_string(),
            "2013-11-02T06:02:06.500000000"
        );
        assert_eq!(values.has_simulated_content, Some(true));
        assert_eq!((values.id, values.boresight_radec), (None, None));
        let odd = VisitInfo::new(Carrier::Header(header.with("ROTTYPE", "SIDEWAYS", None)));
        assert!(matches!(odd.values(), Err(DecodeError::Damaged { .. })));
    }

    /// What a newer pantler must decode is refused by name, and the record stays as it is.
    #[test]
    fn a_future_version_is_refused_by_name() {
        let file = "exposures/components/visitInfo-version-5.fits";
        let Some(found) = archive(file) else { return };
        let old = first_of(&found, "VisitInfo");
        let rows = old.object().catalog(0).unwrap();
        let version = rows.table().column("version").unwrap();
        let rows = rows.with_i32(&[version], |_| 6);
        let object = old.object();
        let catalog = crate::archive::Catalog {
            number: 0,
            rows: rows.clone(),
        };
        let newer = crate::archive::ArchiveObject::new(
            object.id(),
            object.class(),
            object.module(),
            vec![catalog],
        );
        let newer = crate::archive::Archive::new([newer]).unwrap();
        let info = VisitInfo::new(Carrier::Archive(newer.persisted(object.id()).unwrap()));
        let refused = info.values().unwrap_err();
        assert_eq!(
            refused,
            DecodeError::Version {
                class: "VisitInfo".to_owned(),
                found: 6,
                known: (0, 5)
            }
        );
        assert!(refused.to_string().contains("version 6"), "{refused}");
        let kept = info.carrier().persisted().unwrap().object();
        assert_eq!(kept.catalog(0).unwrap().bytes(), rows.bytes());
        assert!(info.summary().is_err());
    }
}
