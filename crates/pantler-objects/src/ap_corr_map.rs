//! Aperture corrections: by how much each kind of flux of a source is to be multiplied, as a function of the position.
//!
//! An `ApCorrMap` record has a row for each kind of flux, with its name (`base_PsfFlux_instFlux`) and the id of a bounded
//! field in the same archive. The component is kept as it was read; [`ApCorrMap::of`] decodes it when somebody asks.

use std::collections::BTreeMap;

use crate::archive::Persisted;
use crate::bounded_field::BoundedField;
use crate::component::Component;
use crate::decode::{DecodeError, Row};
use crate::summary::{Described, SummaryLine, SummaryValue};

/// Aperture corrections by the name of the flux (`…_instFlux`), or of its error (`…_instFluxErr`).
#[derive(Debug, Clone, Default)]
pub struct ApCorrMap {
    fields: BTreeMap<String, BoundedField>,
}

impl ApCorrMap {
    /// Decodes the component `apCorrMap` of an exposure.
    pub fn of(component: &Component) -> Result<ApCorrMap, DecodeError> {
        match component.carrier().persisted() {
            Some(record) => ApCorrMap::of_record(record),
            None => Err(DecodeError::unsupported(
                "ApCorrMap",
                "header cards carry it, which hold no fields",
            )),
        }
    }

    /// Decodes an archive record; two rows of one name are an error.
    pub fn of_record(record: &Persisted) -> Result<ApCorrMap, DecodeError> {
        let class = record.class();
        if class != "ApCorrMap" {
            return Err(DecodeError::unsupported(class, "it is no ApCorrMap"));
        }
        let mut fields = BTreeMap::new();
        for row in Row::all(record.object(), 0)? {
            let name = row.text("name")?;
            let id = row
                .reference("field")
                .ok_or_else(|| DecodeError::damaged(class, format!("`{name}` has no field")))?;
            let field = BoundedField::read_at(record.archive(), id)?;
            if fields.insert(name.to_owned(), field).is_some() {
                let what = format!("it has `{name}` twice");
                return Err(DecodeError::damaged(class, what));
            }
        }
        Ok(ApCorrMap { fields })
    }

    /// Returns the names of the fluxes, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.keys().map(String::as_str)
    }

    /// Returns the field of a flux.
    pub fn field(&self, name: &str) -> Option<&BoundedField> {
        self.fields.get(name)
    }

    /// Returns the correction of a flux at a position of the parent image, counted from 0; `None` if it has none.
    pub fn value_at(&self, name: &str, x: f64, y: f64) -> Option<f64> {
        Some(self.fields.get(name)?.value_at(x, y))
    }
}

impl Described for ApCorrMap {
    /// Lists the fluxes, each with the class of its field and its value in the middle of the field's box.
    fn summary(&self) -> Result<Vec<SummaryLine>, DecodeError> {
        let row = |(name, field): (&String, &BoundedField)| {
            let bbox = field.bbox();
            let middle = |first: i64, length: u64| first as f64 + (length as f64 - 1.0) / 2.0;
            let value = field.value_at(middle(bbox.x0, bbox.width), middle(bbox.y0, bbox.height));
            vec![
                SummaryLine::new("name", name.as_str()),
                SummaryLine::new("field", field.class()),
                SummaryLine::new("value_in_the_middle", value),
            ]
        };
        let rows: Vec<Vec<SummaryLine>> = self.fields.iter().map(row).collect();
        Ok(vec![SummaryLine::new("fluxes", SummaryValue::Rows(rows))])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::real_files::{archive, first_of};
    use crate::test_records::{Values, catalog, int, object, persisted, reals};

    const CFHT: &str = "exposures/cfht/calexp-849375-12.fits.fz";

    /// The expected numbers are numpy's `chebval2d` of the columns that astropy reads, at x′ = (2 x - 2047) / 2048 and
    /// y′ = (2 y - 4611) / 4612.
    #[test]
    fn real_corrections_are_evaluated() {
        let Some(found) = archive(CFHT) else { return };
        let map = ApCorrMap::of_record(&first_of(&found, "ApCorrMap")).unwrap();
        let names: Vec<&str> = map.names().collect();
        assert_eq!(names, EXPECTED_NAMES);
        for (name, (x, y), expected) in EXPECTED_VALUES {
            let value = map.value_at(name, x, y).unwrap();
            assert!(
                (value / expected - 1.0).abs() < 1e-12,
                "{name} {value} {expected}"
            );
        }
        assert!(map.field("base_PsfFlux").is_none());
        let lines = map.summary().unwrap();
        assert_eq!(lines[0].value.to_string(), "4");
    }

    const EXPECTED_NAMES: [&str; 4] = [
        "base_GaussianFlux_instFlux",
        "base_GaussianFlux_instFluxErr",
        "base_PsfFlux_instFlux",
        "base_PsfFlux_instFluxErr",
    ];

    const EXPECTED_VALUES: [(&str, (f64, f64), f64); 8] = [
        ("base_GaussianFlux_instFlux", (0.0, 0.0), 1.1303487057643415),
        (
            "base_GaussianFlux_instFlux",
            (1500.0, 333.0),
            1.1270510667361529,
        ),
        (
            "base_GaussianFlux_instFluxErr",
            (0.0, 0.0),
            0.010409047148494803,
        ),
        (
            "base_GaussianFlux_instFluxErr",
            (1500.0, 333.0),
            0.010409047148494803,
        ),
        ("base_PsfFlux_instFlux", (0.0, 0.0), 0.9726541412835236),
        ("base_PsfFlux_instFlux", (1500.0, 333.0), 0.9704018121616115),
        ("base_PsfFlux_instFluxErr", (0.0, 0.0), 0.013899358398207197),
        (
            "base_PsfFlux_instFluxErr",
            (1500.0, 333.0),
            0.013899358398207197,
        ),
    ];

    fn record(rows: &[(&str, i32)]) -> Persisted {
        let rows: Vec<_> = rows
            .iter()
            .map(|(name, id)| {
                let text = format!("{name:<8}");
                vec![("name", Values::Text(text)), int("field", *id)]
            })
            .collect();
        let map = crate::archive::ArchiveObject::new(1, "ApCorrMap", "", vec![catalog(0, &rows)]);
        let field = vec![
            int("order_x", 0),
            int("bbox_min_x", 0),
            int("bbox_min_y", 0),
            int("bbox_max_x", -1),
            int("bbox_max_y", -1),
            reals("coefficients", &[1.25]),
        ];
        persisted(vec![map, object(2, "ChebyshevBoundedField", field)])
    }

    #[test]
    fn damaged_maps_are_refused() {
        let good = ApCorrMap::of_record(&record(&[("a", 2), ("b", 2)])).unwrap();
        assert_eq!(good.value_at("b", 5.0, 5.0), Some(1.25));
        assert_eq!(good.value_at("c", 5.0, 5.0), None);
        for rows in [
            &[("a", 2), ("a", 2)][..],
            &[("a", 0)],
            &[("a", 7)],
            &[("a", 1)],
        ] {
            assert!(ApCorrMap::of_record(&record(rows)).is_err());
        }
    }
}
