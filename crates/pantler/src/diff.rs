//! Compares two datasets component by component: two stages of one exposure, or two types.
//!
//! Both are had as a get returns them, so that what is compared is what a user would see.

use std::sync::Arc;

use pantler_core::object::downcast;
use pantler_core::{DataId, ObjectRef};
use pantler_objects::header_calib::is_calib_card;
use pantler_objects::header_wcs::without_sky_wcs;
use pantler_objects::{Image, Mask, Metadata};

use crate::butler::Butler;
use crate::error::Result;
use crate::parameters::Parameters;

/// What came of comparing one component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    /// They are equal.
    Same,
    /// They differ, in what.
    Different(String),
    /// The first lacks it.
    OnlySecond,
    /// The second lacks it.
    OnlyFirst,
}

/// One component of two datasets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffEntry {
    /// The component's name; empty where the datasets have none and are compared whole.
    pub component: String,
    /// What came of it.
    pub comparison: Comparison,
}

/// Compares what two names mean under one data ID; each takes the keys that it uses.
pub(crate) fn diff(
    butler: &Butler,
    first: &str,
    second: &str,
    data_id: &DataId,
) -> Result<Vec<DiffEntry>> {
    let whole = Parameters::default();
    let first = butler.get(first, data_id, &whole)?;
    let second = butler.get(second, data_id, &whole)?;
    let mut names = first.component_names();
    for name in second.component_names() {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() || first.class() != second.class() {
        return Ok(vec![DiffEntry {
            component: String::new(),
            comparison: compare(&first, &second),
        }]);
    }
    let entries = names.into_iter().filter_map(|name| {
        let comparison = match (first.component(&name), second.component(&name)) {
            (Some(first), Some(second)) => compare(&first, &second),
            (Some(_), None) => Comparison::OnlyFirst,
            (None, Some(_)) => Comparison::OnlySecond,
            (None, None) => return None,
        };
        Some(DiffEntry {
            component: name,
            comparison,
        })
    });
    Ok(entries.collect())
}

fn compare(first: &ObjectRef, second: &ObjectRef) -> Comparison {
    let (first, second) = (without_coordinates(first), without_coordinates(second));
    match first.difference(second.as_ref()) {
        None => Comparison::Same,
        Some(difference) => Comparison::Different(difference),
    }
}

/// Returns a plane without the coordinates and the calibration in its header: they are components, and are compared as such.
fn without_coordinates(object: &ObjectRef) -> ObjectRef {
    let kept = |header: &Metadata| {
        Arc::new(without_sky_wcs(header).without(|card| is_calib_card(card.keyword())))
    };
    if let Some(image) = downcast::<Image>(object.as_ref()) {
        return Arc::new(image.clone().with_header(kept(image.header())));
    }
    if let Some(mask) = downcast::<Mask>(object.as_ref()) {
        return Arc::new(mask.clone().with_header(kept(mask.header())));
    }
    Arc::clone(object)
}
