//! The values of persisted objects, apart from the ids and offsets that differ between two files with the same content.
//!
//! A reference counts as the value of what it refers to, so it makes no difference under which id that stands, nor whether
//! two equal objects are one or two. Where references can only be guessed the ids count as they stand as well, so that
//! two objects are never taken for the same that are not.

use std::collections::{BTreeMap, BTreeSet};

use pantler_core::{Digest, Hasher};

use super::{ArchiveObject, Catalog, Persisted};
use crate::record::{Column, ColumnKind};
use crate::references::{References, reference_columns};

/// Whether the documentation of columns counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Docs {
    /// It does: objects are the same only if either can stand for the other in a file.
    Count,
    /// It does not: objects are the same if their values are.
    Ignored,
}

/// Returns the column's format without the largest length, which differs between files with the same values.
fn form(column: &Column) -> &str {
    match column.kind {
        ColumnKind::Variable { .. } => column.form.split('(').next().unwrap_or("").trim(),
        ColumnKind::Fixed { .. } => column.form.trim(),
    }
}

/// Returns the columns of a catalog that are known to be references, by their place in a row.
fn known_references(class: &str, catalog: &Catalog) -> BTreeSet<usize> {
    let columns = reference_columns(class, catalog.rows.table()).unwrap_or_default();
    columns.into_iter().map(|column| column.offset).collect()
}

/// Adds the values of one object; a known reference counts as what `digest_of` says, or as it stands if that is nothing.
pub(super) fn add_records(
    object: &ArchiveObject,
    docs: Docs,
    hasher: &mut Hasher,
    digest_of: impl Fn(i32) -> Option<Digest>,
) {
    hasher.field(object.class.as_bytes());
    hasher.field(object.module.as_bytes());
    hasher.update(&(object.catalogs.len() as u64).to_le_bytes());
    for catalog in &object.catalogs {
        let references = known_references(&object.class, catalog);
        let table = catalog.rows.table();
        hasher.update(&catalog.number.to_le_bytes());
        hasher.update(&(catalog.rows.len() as u64).to_le_bytes());
        hasher.update(&(table.columns().len() as u64).to_le_bytes());
        for column in table.columns() {
            hasher.field(column.name.as_bytes());
            hasher.field(form(column).as_bytes());
            hasher.field(column.unit.as_bytes());
            if docs == Docs::Count {
                hasher.field(column.doc.as_bytes());
            }
            let refers = references.contains(&column.offset);
            for row in 0..catalog.rows.len() {
                let value = catalog.rows.value(row, column).unwrap_or(&[]);
                if !refers {
                    hasher.field(value);
                    continue;
                }
                for id in catalog.rows.i32_values(row, column) {
                    match digest_of(id) {
                        Some(digest) => hasher.field(digest.as_bytes()),
                        None => hasher.field(&id.to_be_bytes()),
                    }
                }
            }
        }
    }
}

/// Adds the values of the root and of all it refers to.
pub(super) fn add_values(persisted: &Persisted, hasher: &mut Hasher) {
    let archive = &persisted.archive;
    let mut digests: BTreeMap<i32, Digest> = BTreeMap::new();
    for id in archive.referred_first([persisted.root]) {
        let Some(object) = archive.get(id) else {
            continue;
        };
        let mut own = Hasher::default();
        add_records(object, Docs::Ignored, &mut own, |id| {
            digests.get(&id).copied()
        });
        if let References::Guessed(ids) = archive.references(object) {
            for digest in ids.iter().filter_map(|id| digests.get(id)) {
                own.field(digest.as_bytes());
            }
        }
        digests.insert(id, own.finish());
    }
    if let Some(digest) = digests.get(&persisted.root) {
        hasher.update(digest.as_bytes());
    }
}

/// Returns the first difference, in words.
pub(super) fn difference(mine: &Persisted, other: &Persisted) -> Option<String> {
    let mut compared = BTreeSet::new();
    let mut waiting = vec![(mine.root, other.root)];
    while let Some((ours, theirs)) = waiting.pop() {
        let (Some(a), Some(b)) = (mine.archive.get(ours), other.archive.get(theirs)) else {
            continue;
        };
        if !compared.insert((ours, theirs)) {
            continue;
        }
        if let Some(why) = object_difference(a, b) {
            return Some(why);
        }
        for (ours, theirs) in a.catalogs.iter().zip(&b.catalogs) {
            match reference_pairs(&a.class, (ours, mine), (theirs, other)) {
                Ok(pairs) => waiting.extend(pairs),
                Err(why) => return Some(why),
            }
        }
        if let References::Guessed(ids) = mine.archive.references(a) {
            waiting.extend(ids.iter().map(|id| (*id, *id)));
        }
    }
    None
}

/// Returns the first difference between two objects, references left aside.
fn object_difference(a: &ArchiveObject, b: &ArchiveObject) -> Option<String> {
    let class = &a.class;
    if *class != b.class {
        return Some(format!("{class} and {}", b.class));
    }
    if a.module != b.module {
        return Some(format!(
            "{class} of module `{}` and of module `{}`",
            a.module, b.module
        ));
    }
    let (ours, theirs) = (a.catalogs.len(), b.catalogs.len());
    if ours != theirs {
        return Some(format!("{class} has {ours} catalogs and {theirs}"));
    }
    let mut catalogs = a.catalogs.iter().zip(&b.catalogs);
    catalogs.find_map(|(ours, theirs)| catalog_difference(class, ours, theirs))
}

fn catalog_difference(class: &str, mine: &Catalog, other: &Catalog) -> Option<String> {
    let (ours, theirs) = (mine.rows.table(), other.rows.table());
    if mine.number != other.number {
        return Some(format!(
            "{class} has catalog {} and {}",
            mine.number, other.number
        ));
    }
    let (a, b) = (mine.rows.len(), other.rows.len());
    if a != b {
        return Some(format!("{class} has {a} rows and {b}"));
    }
    let (a, b) = (ours.columns().len(), theirs.columns().len());
    if a != b {
        return Some(format!("{class} has {a} columns and {b}"));
    }
    let references = known_references(class, mine);
    for (a, b) in ours.columns().iter().zip(theirs.columns()) {
        if a.name != b.name || form(a) != form(b) || a.unit != b.unit {
            return Some(format!(
                "{class} has the column `{}` ({} {}) and `{}` ({} {})",
                a.name, a.form, a.unit, b.name, b.form, b.unit
            ));
        }
        if references.contains(&a.offset) {
            continue;
        }
        let mut rows = 0..mine.rows.len();
        let row = rows.find(|row| mine.rows.value(*row, a) != other.rows.value(*row, b));
        if let Some(row) = row {
            return Some(format!(
                "{class} differs in column `{}` of row {row}",
                a.name
            ));
        }
    }
    None
}

/// Returns which objects the known references of two equal catalogs lead to, or how they differ: one leads nowhere.
fn reference_pairs(
    class: &str,
    (mine, here): (&Catalog, &Persisted),
    (other, there): (&Catalog, &Persisted),
) -> Result<Vec<(i32, i32)>, String> {
    let references = known_references(class, mine);
    let columns = mine
        .rows
        .table()
        .columns()
        .iter()
        .zip(other.rows.table().columns());
    let mut pairs = Vec::new();
    for (ours, theirs) in columns.filter(|(column, _)| references.contains(&column.offset)) {
        for row in 0..mine.rows.len() {
            // Equal catalogs have equal columns, so that there are as many ids in both.
            let (a, b) = (
                mine.rows.i32_values(row, ours),
                other.rows.i32_values(row, theirs),
            );
            for (a, b) in a.zip(b) {
                match (here.archive.get(a), there.archive.get(b)) {
                    (Some(_), Some(_)) => pairs.push((a, b)),
                    (None, None) if a == b => {}
                    _ => {
                        return Err(format!(
                            "{class} differs in column `{}` of row {row}",
                            ours.name
                        ));
                    }
                }
            }
        }
    }
    Ok(pairs)
}
