//! Which visits and detectors went into a coadd.

use pantler_core::formatter::PixelBox;

use crate::archive::{Archive, ArchiveObject, Persisted};
use crate::component::Component;
use crate::decode::{DecodeError, Row, record_of};
use crate::summary::{Described, SummaryLine, SummaryValue, box_lines};

/// The columns that refer to a component of an input, and the component.
const NESTED: [(&str, &str); 9] = [
    ("wcs", "wcs"),
    ("psf", "psf"),
    ("calib", "photoCalib"),
    ("photoCalib", "photoCalib"),
    ("apCorrMap", "apCorrMap"),
    ("validPolygon", "validPolygon"),
    ("visitInfo", "visitInfo"),
    ("transmissionCurve", "transmissionCurve"),
    ("detector", "detector"),
];

/// One visit, or one detector of a visit, that went into a coadd; `None` is what the catalogue has no column for.
#[derive(Debug, Clone, PartialEq)]
pub struct CoaddInput {
    /// Its number: of the visit, or of the exposure of one detector.
    pub id: i64,
    /// Its pixels, in its own parent coordinates.
    pub bbox: PixelBox,
    /// The visit, for one detector of it.
    pub visit: Option<i64>,
    /// The detector (`ccd`).
    pub detector: Option<i64>,
    /// The filter.
    pub filter: Option<String>,
    /// The weight that it has in the coadd.
    pub weight: Option<f64>,
    /// The number of its pixels that went into the coadd.
    pub good_pixels: Option<i64>,
    /// Its components by name (`wcs`, `psf`, `photoCalib`, …), with their ids in the archive.
    nested: Vec<(&'static str, i32)>,
}

/// The inputs of a coadd, with the records of their components.
#[derive(Debug, Clone)]
pub struct CoaddInputs {
    visits: Vec<CoaddInput>,
    detectors: Vec<CoaddInput>,
    archive: Archive,
}

impl CoaddInputs {
    /// Reads a `CoaddInputs` record, which has two catalogues: of the visits, then of their detectors.
    pub fn read(component: &Component) -> Result<CoaddInputs, DecodeError> {
        let record = record_of(component.carrier(), "CoaddInputs")?;
        Ok(CoaddInputs {
            visits: inputs(record.object(), 0)?,
            detectors: inputs(record.object(), 1)?,
            archive: record.archive().clone(),
        })
    }

    /// Returns the visits.
    pub fn visits(&self) -> &[CoaddInput] {
        &self.visits
    }

    /// Returns the detectors of the visits.
    pub fn detectors(&self) -> &[CoaddInput] {
        &self.detectors
    }

    /// Returns the record of a component of one of the inputs; `None` if it has no such component.
    pub fn nested(&self, input: &CoaddInput, component: &str) -> Option<Persisted> {
        let component = crate::synonyms::canonical(component);
        let (_, id) = input.nested.iter().find(|(name, _)| *name == component)?;
        self.archive.persisted(*id)
    }
}

impl CoaddInput {
    /// Returns the names of its components, with their ids in the archive of the coadd.
    pub fn components(&self) -> &[(&'static str, i32)] {
        &self.nested
    }

    fn read(row: &Row<'_>) -> Result<CoaddInput, DecodeError> {
        let integer = |column: &str| row.has(column).then(|| row.integer(column)).transpose();
        let nested = NESTED.iter().filter_map(|(column, component)| {
            let id = row.reference(column)?;
            Some((*component, id))
        });
        Ok(CoaddInput {
            id: row.integer("id")?,
            bbox: row.bounds("bbox")?,
            visit: integer("visit")?,
            detector: integer("ccd")?,
            filter: match row.has("filter") {
                true => Some(row.text("filter")?.to_owned()).filter(|name| !name.is_empty()),
                false => None,
            },
            weight: row.known("weight"),
            good_pixels: integer("goodpix")?,
            nested: nested.collect(),
        })
    }

    fn lines(&self) -> Vec<SummaryLine> {
        let mut lines = vec![
            SummaryLine::new("id", self.id),
            SummaryLine::new("visit", self.visit),
            SummaryLine::new("detector", self.detector),
            SummaryLine::new("filter", self.filter.clone()),
            SummaryLine::new("weight", self.weight),
            SummaryLine::new("good_pixels", self.good_pixels),
        ];
        lines.extend(box_lines(&self.bbox));
        let components = self
            .nested
            .iter()
            .map(|(name, _)| SummaryValue::from(*name));
        let components = SummaryValue::List(components.collect());
        lines.push(SummaryLine::new("components", components));
        lines
    }
}

fn inputs(object: &ArchiveObject, catalog: i32) -> Result<Vec<CoaddInput>, DecodeError> {
    Row::all(object, catalog)?
        .map(|row| CoaddInput::read(&row))
        .collect()
}

impl Described for CoaddInputs {
    fn summary(&self) -> Result<Vec<SummaryLine>, DecodeError> {
        let lines = |inputs: &[CoaddInput]| -> Vec<Vec<SummaryLine>> {
            inputs.iter().map(CoaddInput::lines).collect()
        };
        Ok(vec![
            SummaryLine::new("visits", lines(&self.visits)),
            SummaryLine::new("detectors", lines(&self.detectors)),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::real_files::{archive, first_of};

    /// Expected: both catalogues as astropy.io.fits reads them.
    #[test]
    fn real_inputs_are_decoded() {
        let Some(found) = archive("exposures/coadd_with_inputs_v1.fits") else {
            return;
        };
        let record = first_of(&found, "CoaddInputs");
        let inputs = CoaddInputs::read(&Component::from_archive("coaddInputs", record)).unwrap();
        assert_eq!((inputs.visits().len(), inputs.detectors().len()), (3, 3));
        for (number, (visit, detector)) in
            inputs.visits().iter().zip(inputs.detectors()).enumerate()
        {
            let number = number as i64;
            assert_eq!(
                (visit.id, visit.visit, visit.detector),
                (number, None, None)
            );
            assert_eq!(
                (detector.visit, detector.detector),
                (Some(number), Some(number))
            );
            assert_eq!(detector.weight, Some(0.3333333333333333));
            assert_eq!(detector.good_pixels, Some(100));
            let expected = PixelBox {
                x0: 100,
                y0: 100,
                width: 10,
                height: 10,
            };
            assert_eq!((visit.bbox, detector.bbox), (expected, expected));
            assert_eq!(inputs.nested(detector, "wcs").unwrap().class(), "TanWcs");
            assert_eq!(inputs.nested(detector, "calib").unwrap().class(), "Calib");
            let polygon = inputs.nested(visit, "validPolygon").unwrap();
            assert_eq!(polygon.class(), "Polygon");
            assert!(inputs.nested(visit, "detector").is_none());
        }
        assert_eq!(inputs.visits()[1].components()[0], ("wcs", 11));
    }

    #[test]
    fn no_inputs_are_no_error() {
        let Some(found) = archive("exposures/hsc_calexp_full.fits") else {
            return;
        };
        let record = first_of(&found, "CoaddInputs");
        let inputs = CoaddInputs::read(&Component::from_archive("coaddInputs", record)).unwrap();
        assert!(inputs.visits().is_empty() && inputs.detectors().is_empty());
        let lines = inputs.summary().unwrap();
        assert_eq!(lines[0].value.document(), serde_json::json!([]));
    }
}
