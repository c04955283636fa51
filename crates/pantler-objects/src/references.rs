//! Which columns of an archive's records are references to other objects of the archive.
//!
//! Such a column is a 32-bit integer, or an array of them, that holds other objects' ids, 0 for none, and nothing in the file says so except
//! its documentation. Ids may be changed only where every reference is understood; [`crate::archive`] asks here.
//!
//! | class | reference columns |
//! | --- | --- |
//! | `PhotoCalib` | `field` |
//! | `FluxFitBoundedField`, `PixelAreaBoundedField` | `wcs` |
//! | `ProductBoundedField` | `id` |
//! | `Detector` | `transformMap` |
//! | `TransformMap` | `transform` (not `from` and `to`, which number the frames of the map) |
//! | `ApCorrMap` | `field` |
//! | `CoaddInputs`, `CoaddPsf` | `wcs`, `psf`, `calib`, `photoCalib`, `apCorrMap`, `validPolygon`, `visitInfo`, `transmissionCurve`, `detector` |
//! | `ProductTransmissionCurve` | `a`, `b` |
//! | `TransformedTransmissionCurve` | `nested`, `transform` |
//! | `Footprint`, `HeavyFootprint…` | `id` (of the `SpanSet`; not the 64-bit `id` of a peak) |
//! | `KernelPsf`, `PcaPsf` | `kernel` |
//! | `AnalyticKernel` | `kernelfunction`, `spatialfunctions` (an array) |
//! | `LinearCombinationKernel` | `components`, `spatialfunctions` (arrays) |
//!
//! A class that is in neither table is guessed: its 32-bit columns whose documentation mentions an archive id, else all of
//! them, *may* refer. So is a known class with a column that says it holds an archive id and is not listed.

use std::collections::BTreeSet;

use crate::archive::ArchiveObject;
use crate::record::{Column, ColumnKind, RecordTable};

/// The ids that an object refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum References {
    /// Its class is understood: exactly these.
    Known(BTreeSet<i32>),
    /// Its class is not: perhaps these.
    Guessed(BTreeSet<i32>),
}

impl References {
    /// Returns the ids, certain or not.
    pub fn ids(&self) -> &BTreeSet<i32> {
        match self {
            References::Known(ids) | References::Guessed(ids) => ids,
        }
    }
}

const EXPOSURE_COLUMNS: &[&str] = &[
    "wcs",
    "psf",
    "calib",
    "photoCalib",
    "apCorrMap",
    "validPolygon",
    "visitInfo",
    "transmissionCurve",
    "detector",
];

const LEAF_CLASSES: &[&str] = &[
    "Calib",
    "ChebyshevBoundedField",
    "DoubleGaussianPsf",
    "ExposureSummaryStats",
    "FilterLabel",
    "FixedKernel",
    "GaussianPsf",
    "Polygon",
    "PsfexPsf",
    "RadialTransmissionCurve",
    "SingleGaussianPsf",
    "SkyWcs",
    "SpanSet",
    "SpatiallyConstantTransmissionCurve",
    "TanWcs",
    "TransformBoundedField",
    "TransformPoint2ToPoint2",
    "VisitInfo",
    "Wcs",
];

/// Returns the reference columns of a class; `None` if the class is not known.
fn known_columns(class: &str) -> Option<&'static [&'static str]> {
    Some(match class {
        "PhotoCalib" | "ApCorrMap" => &["field"],
        "FluxFitBoundedField" | "PixelAreaBoundedField" => &["wcs"],
        "ProductBoundedField" => &["id"],
        "Detector" => &["transformMap"],
        "TransformMap" => &["transform"],
        "CoaddInputs" | "CoaddPsf" => EXPOSURE_COLUMNS,
        "ProductTransmissionCurve" => &["a", "b"],
        "TransformedTransmissionCurve" => &["nested", "transform"],
        "KernelPsf" | "PcaPsf" => &["kernel"],
        "AnalyticKernel" => &["kernelfunction", "spatialfunctions"],
        "LinearCombinationKernel" => &["components", "spatialfunctions"],
        "Footprint" => &["id"],
        _ if class.starts_with("HeavyFootprint") => &["id"],
        _ if LEAF_CLASSES.contains(&class) => &[],
        _ => return None,
    })
}

fn mentions_archive_id(column: &Column) -> bool {
    let doc = column.doc.to_ascii_lowercase();
    doc.contains("archive id") || doc.contains("id of the spanset")
}

/// Returns the columns of a table of `class` that refer to other objects; `None` if that is not certain.
pub fn reference_columns<'a>(class: &str, table: &'a RecordTable) -> Option<Vec<&'a Column>> {
    let integers = || table.columns().iter().filter(|column| column.is_i32());
    let Some(known) = known_columns(class) else {
        // Ids are 32-bit integers; a table without any cannot hold one.
        return integers().next().is_none().then(Vec::new);
    };
    let listed = |column: &&Column| known.contains(&column.name.as_str());
    let misfit = |column: &Column| match listed(&column) {
        true => matches!(column.kind, ColumnKind::Variable { .. }),
        false => mentions_archive_id(column),
    };
    if integers().any(misfit) {
        return None;
    }
    Some(integers().filter(listed).collect())
}

fn guessed_columns(table: &RecordTable) -> Vec<&Column> {
    let (told, others): (Vec<&Column>, Vec<&Column>) = table
        .columns()
        .iter()
        .filter(|column| column.is_i32())
        .partition(|column| mentions_archive_id(column));
    match told.is_empty() {
        true => others,
        false => told,
    }
}

/// Returns which objects of its archive an object refers to; `is_id` says which numbers are ids of the archive.
pub fn references(object: &ArchiveObject, is_id: impl Fn(i32) -> bool) -> References {
    let mut ids = BTreeSet::new();
    let mut certain = true;
    for catalog in object.catalogs() {
        let table = catalog.rows.table();
        let known = reference_columns(object.class(), table);
        certain &= known.is_some();
        for column in known.unwrap_or_else(|| guessed_columns(table)) {
            for row in 0..catalog.rows.len() {
                let values = catalog.rows.i32_values(row, column);
                ids.extend(values.filter(|id| *id != 0 && is_id(*id)));
            }
        }
    }
    if certain {
        References::Known(ids)
    } else {
        References::Guessed(ids)
    }
}
