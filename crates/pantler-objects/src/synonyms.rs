//! The names of an exposure's components, and their synonyms (rule R9): whichever is used, it is one component.
//!
//! | component | class | synonyms | record in an archive |
//! | --- | --- | --- | --- |
//! | `image` | `Image` | | |
//! | `mask` | `Mask` | | |
//! | `variance` | `Image` | `var` | |
//! | `metadata` | `Metadata` | `md`, `header` | |
//! | `bbox` | `Bbox` | `boundingBox` | |
//! | `wcs` | `Wcs` | `skyWcs` | `SKYWCS` (`WCS_ID` in old files) |
//! | `photoCalib` | `PhotoCalib` | `calib`, `photocalib` | `PHOTOCALIB` (`CALIB_ID` in old files) |
//! | `visitInfo` | `VisitInfo` | `info`, `visitinfo` | `VISITINFO` |
//! | `psf` | `Psf` | | `PSF` |
//! | `detector` | `Detector` | | `DETECTOR` |
//! | `filter` | `FilterLabel` | `filterLabel` | `FILTER` |
//! | `apCorrMap` | `ApCorrMap` | `apCorr` | `AP_CORR_MAP` |
//! | `validPolygon` | `Polygon` | `polygon` | `VALID_POLYGON` |
//! | `transmissionCurve` | `TransmissionCurve` | `transmission` | `TRANSMISSION_CURVE` |
//! | `summaryStats` | `ExposureSummaryStats` | | `SUMMARY_STATS` |
//! | `coaddInputs` | `CoaddInputs` | | `COADD_INPUTS` |
//!
//! In a primary header the card `ARCHIVE_ID_x` or `x_ID` holds the id of the record `x`. A record under another name is a
//! component of that very name.

/// One line of the table above.
struct Name {
    component: &'static str,
    class: &'static str,
    synonyms: &'static [&'static str],
    record: Option<&'static str>,
}

const fn plane(
    component: &'static str,
    class: &'static str,
    synonyms: &'static [&'static str],
) -> Name {
    Name {
        component,
        class,
        synonyms,
        record: None,
    }
}

const fn record(
    component: &'static str,
    class: &'static str,
    synonyms: &'static [&'static str],
    record: &'static str,
) -> Name {
    Name {
        component,
        class,
        synonyms,
        record: Some(record),
    }
}

const NAMES: [Name; 16] = [
    plane("image", "Image", &[]),
    plane("mask", "Mask", &[]),
    plane("variance", "Image", &["var"]),
    plane("metadata", "Metadata", &["md", "header"]),
    plane("bbox", "Bbox", &["boundingBox"]),
    record("wcs", "Wcs", &["skyWcs"], "SKYWCS"),
    record(
        "photoCalib",
        "PhotoCalib",
        &["calib", "photocalib"],
        "PHOTOCALIB",
    ),
    record(
        "visitInfo",
        "VisitInfo",
        &["info", "visitinfo"],
        "VISITINFO",
    ),
    record("psf", "Psf", &[], "PSF"),
    record("detector", "Detector", &[], "DETECTOR"),
    record("filter", "FilterLabel", &["filterLabel"], "FILTER"),
    record("apCorrMap", "ApCorrMap", &["apCorr"], "AP_CORR_MAP"),
    record("validPolygon", "Polygon", &["polygon"], "VALID_POLYGON"),
    record(
        "transmissionCurve",
        "TransmissionCurve",
        &["transmission"],
        "TRANSMISSION_CURVE",
    ),
    record("summaryStats", "ExposureSummaryStats", &[], "SUMMARY_STATS"),
    record("coaddInputs", "CoaddInputs", &[], "COADD_INPUTS"),
];

/// Returns the one name of a component; a name that is not in the table is returned as it is.
///
/// ```
/// assert_eq!(pantler_objects::synonyms::canonical("calib"), "photoCalib");
/// ```
pub fn canonical(name: &str) -> &str {
    let found = NAMES.iter().find(|known| known.synonyms.contains(&name));
    found.map_or(name, |known| known.component)
}

/// Returns all names of a component, the one it is listed under first; a name that is not in the table stands alone.
pub fn all_names(name: &str) -> Vec<&str> {
    let component = canonical(name);
    match NAMES.iter().find(|known| known.component == component) {
        Some(known) => [&[known.component], known.synonyms].concat(),
        None => vec![name],
    }
}

/// Returns the class of a component.
pub fn class_of(name: &str) -> Option<&'static str> {
    let component = canonical(name);
    let found = NAMES.iter().find(|known| known.component == component);
    found.map(|known| known.class)
}

/// Returns the components that an exposure can have, in the order in which they are listed.
pub fn components() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|known| known.component)
}

/// Returns the name under which an archive keeps a component: `SKYWCS` for `wcs`.
pub fn record_of(name: &str) -> Option<&'static str> {
    let component = canonical(name);
    NAMES
        .iter()
        .find(|known| known.component == component)?
        .record
}

/// Returns the component that an archive keeps under a name; a name that is not in the table is returned as it is.
pub fn component_of_record(name: &str) -> &str {
    match name {
        "WCS" => return "wcs",
        "CALIB" => return "photoCalib",
        _ => {}
    }
    let found = NAMES.iter().find(|known| known.record == Some(name));
    found.map_or(name, |known| known.component)
}

/// Returns the component whose archive id a card of the primary header holds: `wcs` for `SKYWCS_ID`.
///
/// `ARCHIVE_ID_x` is such a card whatever `x` is; `x_ID` only for the names of the table, as other people's headers have
/// cards that end so.
pub fn component_of_id_card(keyword: &str) -> Option<&str> {
    if let Some(name) = keyword.strip_prefix("ARCHIVE_ID_") {
        return Some(component_of_record(name)).filter(|name| !name.is_empty());
    }
    let name = keyword.strip_suffix("_ID")?;
    let known =
        matches!(name, "WCS" | "CALIB") || NAMES.iter().any(|known| known.record == Some(name));
    known.then(|| component_of_record(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R9: no name means two components, and every synonym leads to its component.
    #[test]
    fn r9_every_name_means_one_component() {
        let mut seen = std::collections::BTreeSet::new();
        for component in components() {
            assert_eq!(canonical(component), component);
            for name in all_names(component) {
                assert!(seen.insert(name.to_owned()), "{name} stands twice");
                assert_eq!(canonical(name), component);
                assert_eq!(class_of(name), class_of(component));
                assert_eq!(all_names(name), all_names(component));
            }
        }
        assert_eq!(canonical("info"), "visitInfo");
        assert_eq!(canonical("flavour"), "flavour");
        assert_eq!(class_of("flavour"), None);
    }

    /// The table of the documentation is the table of the code.
    #[test]
    fn r9_the_documented_table_is_true() {
        let source = include_str!("synonyms.rs");
        for known in &NAMES {
            let line = source
                .lines()
                .find(|line| line.starts_with(&format!("//! | `{}` |", known.component)))
                .unwrap_or_else(|| panic!("{} is not in the table", known.component));
            assert!(line.contains(&format!("| `{}` |", known.class)), "{line}");
            for name in known.synonyms.iter().chain(&known.record) {
                assert!(line.contains(&format!("`{name}`")), "{line} lacks {name}");
            }
        }
    }

    #[test]
    fn records_and_components_name_each_other() {
        for component in components() {
            if let Some(record) = record_of(component) {
                assert_eq!(component_of_record(record), component);
                assert_eq!(
                    component_of_id_card(&format!("{record}_ID")),
                    Some(component)
                );
                assert_eq!(
                    component_of_id_card(&format!("ARCHIVE_ID_{record}")),
                    Some(component)
                );
            }
        }
        assert_eq!(component_of_id_card("WCS_ID"), Some("wcs"));
        assert_eq!(component_of_id_card("ARCHIVE_ID_FLAVOUR"), Some("FLAVOUR"));
        assert_eq!(component_of_id_card("OBJECT_ID"), None);
    }
}
