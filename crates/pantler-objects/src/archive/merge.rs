//! Putting archives together without changing what is not understood.
//!
//! Two archives number their objects independently, so merging them means new ids for the incoming ones and new
//! references in them. An incoming object that the archive has already (equal in itself and in all it refers to) is not
//! added again, so that what two components of one file share stays shared.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pantler_core::{Digest, Hasher};

use super::compare::{Docs, add_records};
use super::{Archive, ArchiveError, ArchiveObject, Catalog, Persisted};
use crate::references::{References, reference_columns};

/// An archive that others were merged into.
#[derive(Debug, Clone)]
pub struct Merged {
    /// The archive.
    pub archive: Archive,
    /// The id of each incoming root in it, in the order given.
    pub roots: Vec<i32>,
}

impl Archive {
    /// Returns `base` with the incoming objects added.
    ///
    /// The ids of `base` never change. An incoming object keeps its id if that is free, else it gets a new one; where
    /// references are not understood it must keep it, and the merge is refused if it cannot.
    pub fn merged(base: &Archive, incoming: &[Persisted]) -> Result<Merged, ArchiveError> {
        let mut merge = Merge::into(base);
        let mut ids: Vec<BTreeMap<i32, i32>> = Vec::with_capacity(incoming.len());
        // Those that must keep their ids choose first.
        for persisted in incoming {
            ids.push(merge.place_fixed(&persisted.archive)?);
        }
        for (persisted, ids) in incoming.iter().zip(&mut ids) {
            merge.place_others(&persisted.archive, ids)?;
        }
        let roots = incoming.iter().zip(&ids);
        Ok(Merged {
            roots: roots.map(|(persisted, ids)| ids[&persisted.root]).collect(),
            archive: merge.archive,
        })
    }
}

/// A merge under way.
struct Merge {
    archive: Archive,
    /// The id of each value in the archive: the first one, where several objects are equal.
    by_value: BTreeMap<Digest, i32>,
    values: BTreeMap<i32, Digest>,
    /// An id that is larger than all that occur anywhere; they are given in ascending order.
    next: i32,
}

impl Merge {
    fn into(base: &Archive) -> Merge {
        let values = value_digests(base);
        let mut by_value = BTreeMap::new();
        for (id, digest) in &values {
            by_value.entry(*digest).or_insert(*id);
        }
        Merge {
            archive: base.clone(),
            by_value,
            values,
            next: 1,
        }
    }

    /// Adds the objects that must keep their ids, and returns the new id of each: the old one.
    fn place_fixed(&mut self, incoming: &Archive) -> Result<BTreeMap<i32, i32>, ArchiveError> {
        let mut ids = BTreeMap::new();
        for (id, why) in fixed_ids(incoming) {
            let Some(object) = incoming.get(id) else {
                continue;
            };
            match self.archive.get(id) {
                None => {
                    self.archive.objects.insert(id, Arc::clone(object));
                }
                Some(known) if same_records(known, object) => {}
                Some(taken) => {
                    return Err(ArchiveError::IdTaken {
                        id,
                        class: object.class.clone(),
                        why,
                        taken_by: taken.class.clone(),
                    });
                }
            }
            ids.insert(id, id);
        }
        Ok(ids)
    }

    /// Adds the objects that may be given new ids, those that are referred to first.
    fn place_others(
        &mut self,
        incoming: &Archive,
        ids: &mut BTreeMap<i32, i32>,
    ) -> Result<(), ArchiveError> {
        let values = value_digests(incoming);
        for id in incoming.referred_first(incoming.objects.keys().copied()) {
            if ids.contains_key(&id) {
                continue;
            }
            let Some(object) = incoming.get(id) else {
                continue;
            };
            let value = values.get(&id).copied();
            let new = match value.and_then(|value| self.find(id, value)) {
                Some(known) => known,
                None => {
                    let new = self.free_id(id)?;
                    let moved = renumbered(object, new, ids)?;
                    self.archive.objects.insert(new, Arc::new(moved));
                    if let Some(value) = value {
                        self.by_value.entry(value).or_insert(new);
                        self.values.insert(new, value);
                    }
                    new
                }
            };
            ids.insert(id, new);
        }
        Ok(())
    }

    /// Returns the id of an object of this value: the same id, if that one has the value.
    fn find(&self, id: i32, value: Digest) -> Option<i32> {
        if self.values.get(&id) == Some(&value) {
            return Some(id);
        }
        self.by_value.get(&value).copied()
    }

    fn free_id(&mut self, wanted: i32) -> Result<i32, ArchiveError> {
        if wanted > 0 && self.archive.get(wanted).is_none() {
            return Ok(wanted);
        }
        let last = self
            .archive
            .objects
            .keys()
            .next_back()
            .copied()
            .unwrap_or(0);
        self.next = self
            .next
            .max(last.checked_add(1).ok_or(ArchiveError::Full)?);
        Ok(self.next)
    }
}

/// Returns the ids that must not change, each with the class that is the reason: objects whose references are guessed,
/// and all that they may refer to.
fn fixed_ids(archive: &Archive) -> BTreeMap<i32, String> {
    let mut fixed = BTreeMap::new();
    for object in archive.iter() {
        if let References::Guessed(ids) = archive.references(object) {
            fixed.insert(object.id, object.class.clone());
            for id in ids {
                fixed.entry(id).or_insert_with(|| object.class.clone());
            }
        }
    }
    // An object that keeps its id keeps its bytes, so what it refers to must stay where it is as well.
    let mut waiting: Vec<(i32, String)> = fixed.clone().into_iter().collect();
    while let Some((id, why)) = waiting.pop() {
        let Some(object) = archive.get(id) else {
            continue;
        };
        for next in archive.references(object).ids() {
            if !fixed.contains_key(next) {
                fixed.insert(*next, why.clone());
                waiting.push((*next, why.clone()));
            }
        }
    }
    // So must the members of a ring, which have no order in which each could be placed after what it refers to.
    for ring in rings(archive) {
        fixed
            .entry(ring)
            .or_insert_with(|| "a ring of objects".to_owned());
    }
    fixed
}

/// Returns the objects that refer to themselves, directly or not, and those that refer to such objects.
fn rings(archive: &Archive) -> BTreeSet<i32> {
    let mut placed = BTreeSet::new();
    for id in archive.referred_first(archive.objects.keys().copied()) {
        let Some(object) = archive.get(id) else {
            continue;
        };
        if archive.references(object).ids().is_subset(&placed) {
            placed.insert(id);
        }
    }
    let all: BTreeSet<i32> = archive.objects.keys().copied().collect();
    all.difference(&placed).copied().collect()
}

/// Returns the digest of each object that has no guessed reference in all it refers to.
///
/// A reference counts as the digest of what it refers to, so equal digests mean equal objects whatever the ids.
fn value_digests(archive: &Archive) -> BTreeMap<i32, Digest> {
    let mut digests: BTreeMap<i32, Digest> = BTreeMap::new();
    for id in archive.referred_first(archive.objects.keys().copied()) {
        let Some(object) = archive.get(id) else {
            continue;
        };
        let References::Known(ids) = archive.references(object) else {
            continue;
        };
        if !ids.iter().all(|id| digests.contains_key(id)) {
            continue;
        }
        let mut hasher = Hasher::default();
        add_records(object, Docs::Count, &mut hasher, |id| {
            digests.get(&id).copied()
        });
        digests.insert(id, hasher.finish());
    }
    digests
}

/// Says whether two objects of one id are the same, references as they stand.
fn same_records(mine: &Arc<ArchiveObject>, other: &Arc<ArchiveObject>) -> bool {
    let digest = |object| {
        let mut hasher = Hasher::default();
        add_records(object, Docs::Count, &mut hasher, |_| None);
        hasher.finish()
    };
    Arc::ptr_eq(mine, other) || digest(mine) == digest(other)
}

/// Returns a copy of the object with another id, and with its references changed as `ids` says.
fn renumbered(
    object: &ArchiveObject,
    id: i32,
    ids: &BTreeMap<i32, i32>,
) -> Result<ArchiveObject, ArchiveError> {
    let mut catalogs = Vec::with_capacity(object.catalogs.len());
    for catalog in &object.catalogs {
        let columns = reference_columns(&object.class, catalog.rows.table()).unwrap_or_default();
        for column in &columns {
            for row in 0..catalog.rows.len() {
                let mut values = catalog.rows.i32_values(row, column);
                let missing = values.find(|value| *value > 0 && !ids.contains_key(value));
                if let Some(missing) = missing {
                    return Err(ArchiveError::Dangling {
                        id: object.id,
                        class: object.class.clone(),
                        column: column.name.clone(),
                        missing,
                    });
                }
            }
        }
        let unchanged = columns.is_empty() || ids.iter().all(|(old, new)| old == new);
        let rows = if unchanged {
            catalog.rows.clone()
        } else {
            catalog
                .rows
                .with_i32(&columns, |old| ids.get(&old).copied().unwrap_or(old))
        };
        catalogs.push(Catalog {
            number: catalog.number,
            rows,
        });
    }
    Ok(ArchiveObject {
        id,
        class: object.class.clone(),
        module: object.module.clone(),
        catalogs,
    })
}
