//! The values of persisted objects, apart from the ids and offsets that differ between two files with the same content.
//!
//! Objects are numbered in the order in which they are reached from the root, and references are compared as these
//! numbers. Where references can only be guessed they are compared as they stand, so that two objects are never taken for
//! the same that are not.

use std::collections::BTreeMap;

use pantler_core::Hasher;

use super::{ArchiveObject, Catalog, Persisted};
use crate::record::{Column, ColumnKind};
use crate::references::reference_columns;

/// The objects of a [`Persisted`] in the order in which they are reached from its root.
struct Reached<'a> {
    objects: Vec<&'a ArchiveObject>,
    numbers: BTreeMap<i32, i32>,
}

impl<'a> Reached<'a> {
    fn from(persisted: &'a Persisted) -> Reached<'a> {
        let mut reached = Reached {
            objects: Vec::new(),
            numbers: BTreeMap::new(),
        };
        reached.add(persisted, persisted.root);
        let mut next = 0;
        while let Some(object) = reached.objects.get(next).copied() {
            for id in ids_in_row_order(persisted, object) {
                reached.add(persisted, id);
            }
            next += 1;
        }
        reached
    }

    fn add(&mut self, persisted: &'a Persisted, id: i32) {
        if let Some(object) = persisted.archive.get(id)
            && !self.numbers.contains_key(&id)
        {
            self.objects.push(object);
            // Numbers start at 1, as 0 is the reference to nothing.
            self.numbers.insert(id, self.objects.len() as i32);
        }
    }

    /// Returns the value with a reference as its number; a reference to an object that is not there as minus its id.
    fn value<'b>(&self, value: &'b [u8], is_reference: bool) -> std::borrow::Cow<'b, [u8]> {
        let id = <[u8; 4]>::try_from(value).map(i32::from_be_bytes);
        match id {
            Ok(id) if is_reference && id != 0 => {
                let number = self.numbers.get(&id).copied();
                let number = number.unwrap_or(id.wrapping_abs().wrapping_neg());
                number.to_be_bytes().to_vec().into()
            }
            _ => value.into(),
        }
    }
}

/// Returns the ids that an object refers to: row by row where they are known, so that renumbering does not change the
/// order; else ordered by id.
fn ids_in_row_order(persisted: &Persisted, object: &ArchiveObject) -> Vec<i32> {
    let mut ids = Vec::new();
    for catalog in &object.catalogs {
        match reference_columns(&object.class, catalog.rows.table()) {
            Some(columns) => {
                for row in 0..catalog.rows.len() {
                    let values = columns.iter().map(|c| catalog.rows.get_i32(row, &c.name));
                    ids.extend(values.flatten());
                }
            }
            None => ids.extend(persisted.archive.references(object).ids()),
        }
    }
    ids
}

/// Returns the column's format without the largest length, which differs between files with the same values.
fn form(column: &Column) -> &str {
    match column.kind {
        ColumnKind::Variable { .. } => column.form.split('(').next().unwrap_or("").trim(),
        ColumnKind::Fixed { .. } => column.form.trim(),
    }
}

fn is_reference(class: &str, catalog: &Catalog, column: &Column) -> bool {
    reference_columns(class, catalog.rows.table())
        .is_some_and(|columns| columns.iter().any(|known| known.offset == column.offset))
}

/// Adds the values of the root and of all it refers to.
pub(super) fn add_values(persisted: &Persisted, hasher: &mut Hasher) {
    let reached = Reached::from(persisted);
    hasher.update(&(reached.objects.len() as u64).to_le_bytes());
    for object in &reached.objects {
        hasher.field(object.class.as_bytes());
        hasher.field(object.module.as_bytes());
        hasher.update(&(object.catalogs.len() as u64).to_le_bytes());
        for catalog in &object.catalogs {
            let table = catalog.rows.table();
            hasher.update(&catalog.number.to_le_bytes());
            hasher.update(&(catalog.rows.len() as u64).to_le_bytes());
            hasher.update(&(table.columns().len() as u64).to_le_bytes());
            for column in table.columns() {
                hasher.field(column.name.as_bytes());
                hasher.field(form(column).as_bytes());
                let refers = is_reference(&object.class, catalog, column);
                for row in 0..catalog.rows.len() {
                    let value = catalog.rows.value(row, column).unwrap_or(&[]);
                    hasher.field(&reached.value(value, refers));
                }
            }
        }
    }
}

/// Returns the first difference, in words.
pub(super) fn difference(mine: &Persisted, other: &Persisted) -> Option<String> {
    let (left, right) = (Reached::from(mine), Reached::from(other));
    for (a, b) in left.objects.iter().zip(&right.objects) {
        if std::ptr::eq(*a, *b) && left.numbers == right.numbers {
            continue;
        }
        if a.class != b.class {
            return Some(format!("{} and {}", a.class, b.class));
        }
        if a.module != b.module {
            return Some(format!(
                "{} of module `{}` and of module `{}`",
                a.class, a.module, b.module
            ));
        }
        if a.catalogs.len() != b.catalogs.len() {
            return Some(format!(
                "{} has {} catalogs and {}",
                a.class,
                a.catalogs.len(),
                b.catalogs.len()
            ));
        }
        for (ours, theirs) in a.catalogs.iter().zip(&b.catalogs) {
            let found = catalog_difference(&a.class, (ours, &left), (theirs, &right));
            if found.is_some() {
                return found;
            }
        }
    }
    let (ours, theirs) = (left.objects.len(), right.objects.len());
    (ours != theirs).then(|| format!("{ours} archive records and {theirs}"))
}

fn catalog_difference(
    class: &str,
    (mine, left): (&Catalog, &Reached<'_>),
    (other, right): (&Catalog, &Reached<'_>),
) -> Option<String> {
    let (ours, theirs) = (mine.rows.table(), other.rows.table());
    if mine.number != other.number {
        return Some(format!(
            "{class} has catalog {} and {}",
            mine.number, other.number
        ));
    }
    if mine.rows.len() != other.rows.len() {
        let (a, b) = (mine.rows.len(), other.rows.len());
        return Some(format!("{class} has {a} rows and {b}"));
    }
    if ours.columns().len() != theirs.columns().len() {
        let (a, b) = (ours.columns().len(), theirs.columns().len());
        return Some(format!("{class} has {a} columns and {b}"));
    }
    for (a, b) in ours.columns().iter().zip(theirs.columns()) {
        if a.name != b.name || form(a) != form(b) {
            return Some(format!(
                "{class} has the column `{}` ({}) and `{}` ({})",
                a.name, a.form, b.name, b.form
            ));
        }
        let refers = is_reference(class, mine, a);
        let row = (0..mine.rows.len()).find(|row| {
            let ours = mine.rows.value(*row, a).unwrap_or(&[]);
            let theirs = other.rows.value(*row, b).unwrap_or(&[]);
            left.value(ours, refers) != right.value(theirs, refers)
        });
        if let Some(row) = row {
            return Some(format!(
                "{class} differs in column `{}` of row {row}",
                a.name
            ));
        }
    }
    None
}
