//! Where the components of an exported file came from, as cards of its primary header (rule R25).
//!
//! ```text
//! HIERARCH PANTLER wcs ID = '0190…'
//! HIERARCH PANTLER wcs DATASET = 'jointcal_wcs visit=1 ccd=2 tract=0'
//! HIERARCH PANTLER wcs DIGEST = '4f2a…'
//! ```
//!
//! The cards are no part of the object's value.

use std::collections::BTreeMap;

use pantler_core::DatasetId;
use pantler_core::formatter::PartProvenance;
use pantler_objects::Metadata;

use super::hdu_writing::HeaderWriting;

const ROOT: &str = "PANTLER ";

/// Returns whether a card says where a component came from.
pub(crate) fn is_provenance_keyword(keyword: &str) -> bool {
    keyword.starts_with(ROOT)
}

/// Adds the cards of all components.
pub(crate) fn write_provenance(header: &mut HeaderWriting, parts: &[PartProvenance]) {
    for part in parts {
        let root = format!("{ROOT}{}", part.component);
        header.add(&format!("{root} ID"), part.id.to_string(), "");
        // A name that cards cannot hold is no reason to fail: the identity says which dataset it was.
        let dataset = part
            .dataset
            .replace(|letter| !(' '..='~').contains(&letter), "?");
        header.add(&format!("{root} DATASET"), dataset, "");
        header.add(&format!("{root} DIGEST"), part.digest.to_string(), "");
    }
}

/// Returns where the components of a file came from, ordered by component; what is not whole is left out.
pub fn provenance(primary: &Metadata) -> Vec<PartProvenance> {
    let mut found: BTreeMap<&str, [Option<&str>; 3]> = BTreeMap::new();
    for card in primary.iter() {
        let Some((component, field)) = card
            .keyword()
            .strip_prefix(ROOT)
            .and_then(|rest| rest.rsplit_once(' '))
        else {
            continue;
        };
        let slot = match field {
            "ID" => 0,
            "DATASET" => 1,
            "DIGEST" => 2,
            _ => continue,
        };
        found.entry(component).or_default()[slot] = card.value().as_text();
    }
    let whole = found
        .into_iter()
        .filter_map(|(component, [id, dataset, digest])| {
            Some(PartProvenance {
                component: component.to_owned(),
                dataset: dataset?.to_owned(),
                id: DatasetId::parse(id?)?,
                digest: digest?.to_owned().try_into().ok()?,
            })
        });
    whole.collect()
}
