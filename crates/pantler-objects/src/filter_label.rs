//! The names of the filter that an image was taken through.

use crate::carrier::Carrier;
use crate::component::Component;
use crate::decode::{DecodeError, Row, record_of};
use crate::summary::{Described, SummaryLine};

/// What old files have where the filter is not known.
const UNKNOWN: &str = "_unknown_";

/// The names of a filter: the band, which is the same for similar filters everywhere, and that of the piece of glass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FilterLabel {
    /// The band: `r`.
    pub band: Option<String>,
    /// The physical filter: `HSC-R`.
    pub physical: Option<String>,
}

impl FilterLabel {
    /// Reads a `FilterLabel` record, or the card `FILTER` (or `FILTERLABEL`), which names the physical filter.
    pub fn read(component: &Component) -> Result<FilterLabel, DecodeError> {
        if let Carrier::Header(cards) = component.carrier() {
            let name = cards.get_text("FILTER").or(cards.get_text("FILTERLABEL"));
            let name = name.map(str::trim).filter(|name| !name.is_empty());
            return Ok(FilterLabel {
                band: None,
                physical: name.filter(|name| *name != UNKNOWN).map(str::to_owned),
            });
        }
        let record = record_of(component.carrier(), "FilterLabel")?;
        let row = Row::only(record.object(), 0)?;
        let name = |flag: &str, column: &str| match row.flag(flag)? {
            true => row.text(column).map(|name| Some(name.to_owned())),
            false => Ok(None),
        };
        Ok(FilterLabel {
            band: name("band_exists", "band")?,
            physical: name("physical_exists", "physical")?,
        })
    }
}

impl Described for FilterLabel {
    fn summary(&self) -> Result<Vec<SummaryLine>, DecodeError> {
        Ok(vec![
            SummaryLine::new("band", self.band.clone()),
            SummaryLine::new("physical", self.physical.clone()),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Metadata;
    use crate::real_files::{archive, first_of};

    fn label(band: Option<&str>, physical: Option<&str>) -> FilterLabel {
        FilterLabel {
            band: band.map(str::to_owned),
            physical: physical.map(str::to_owned),
        }
    }

    /// Expected: the columns and flags as astropy.io.fits reads them.
    #[test]
    fn real_records_are_decoded() {
        for (file, band, physical) in [
            ("exposures/exposure-version-2.fits", "N656", "ha"),
            ("exposures/hsc_calexp_full.fits", "300", "HSC-I"),
        ] {
            let Some(found) = archive(file) else { return };
            let record = first_of(&found, "FilterLabel");
            let component = Component::from_archive("filter", record);
            let expected = label(Some(band), Some(physical));
            assert_eq!(FilterLabel::read(&component), Ok(expected));
            let other = Component::new(
                "FilterLabel",
                Carrier::Archive(first_of(&found, "PhotoCalib")),
            );
            assert!(matches!(
                FilterLabel::read(&other),
                Err(DecodeError::Unsupported { class, .. }) if class == "PhotoCalib"
            ));
        }
    }

    #[test]
    fn cards_name_the_physical_filter() {
        for (name, expected) in [
            ("HSC-I", label(None, Some("HSC-I"))),
            ("_unknown_", label(None, None)),
        ] {
            let cards = Metadata::default().with("FILTER", name, None);
            let component = Component::from_header("filter", cards);
            assert_eq!(FilterLabel::read(&component), Ok(expected));
        }
    }
}
