//! When, where and how an exposure was taken.

use pantler_core::{Hasher, Origin};

use crate::carrier::Carrier;
use crate::decode::DecodeError;
use crate::summary::{Described, SummaryLine};
use crate::values::Values;

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
        let seconds = self.exposure_time();
        Ok(vec![SummaryLine::with_unit("exposure_time", seconds, "s")])
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
}
