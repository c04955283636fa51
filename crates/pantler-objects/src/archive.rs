//! The LSST stack's persisted objects, kept as the records that they are on disk.
//!
//! ```text
//! Persisted (root id) ─► Archive: id ─► ArchiveObject (class, module) ─► Catalog (number, rows)
//!                                            └── rows refer to other ids (see `references`)
//! ```
//!
//! Formatters read a file's archive into one [`Archive`] and give each component the part that it needs
//! ([`Archive::persisted`]); to write, they merge the parts again ([`Archive::merged`]). What is not understood is never
//! changed: an object whose references can only be guessed keeps its id, or the merge is refused.

mod compare;
mod merge;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pantler_core::Hasher;

use crate::record::RecordRows;
use crate::references::{References, references};

pub use merge::Merged;

/// The rows of one object in one of its catalogs.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// The catalog's number from the object's point of view (`cat.persistable`).
    pub number: i32,
    /// The rows.
    pub rows: RecordRows,
}

/// One persisted object.
#[derive(Debug, Clone)]
pub struct ArchiveObject {
    id: i32,
    class: String,
    module: String,
    catalogs: Vec<Catalog>,
}

impl ArchiveObject {
    /// Makes an object of its entries in the archive's index.
    pub fn new(
        id: i32,
        class: impl Into<String>,
        module: impl Into<String>,
        catalogs: Vec<Catalog>,
    ) -> ArchiveObject {
        ArchiveObject {
            id,
            class: class.into(),
            module: module.into(),
            catalogs,
        }
    }

    /// Returns its id in its archive.
    pub fn id(&self) -> i32 {
        self.id
    }

    /// Returns the name of its class: `SkyWcs`.
    pub fn class(&self) -> &str {
        &self.class
    }

    /// Returns the Python module that its class is loaded from: `lsst.afw.geom`; may be empty.
    pub fn module(&self) -> &str {
        &self.module
    }

    /// Returns its rows, in the order of the index.
    pub fn catalogs(&self) -> &[Catalog] {
        &self.catalogs
    }

    /// Returns its rows in the catalog of this number.
    pub fn catalog(&self, number: i32) -> Option<&RecordRows> {
        let found = self
            .catalogs
            .iter()
            .find(|catalog| catalog.number == number);
        found.map(|catalog| &catalog.rows)
    }

    fn memory(&self) -> u64 {
        let rows: u64 = self
            .catalogs
            .iter()
            .map(|catalog| catalog.rows.memory())
            .sum();
        rows + (size_of::<ArchiveObject>() + self.class.len() + self.module.len()) as u64
    }
}

/// Persisted objects by id.
#[derive(Debug, Clone, Default)]
pub struct Archive {
    objects: BTreeMap<i32, Arc<ArchiveObject>>,
}

impl Archive {
    /// Makes an archive; two objects with one id are refused.
    pub fn new(objects: impl IntoIterator<Item = ArchiveObject>) -> Result<Archive, ArchiveError> {
        let mut archive = Archive::default();
        for object in objects {
            let id = object.id;
            if archive.objects.insert(id, Arc::new(object)).is_some() {
                return Err(ArchiveError::Repeated { id });
            }
        }
        Ok(archive)
    }

    /// Returns the object with this id.
    pub fn get(&self, id: i32) -> Option<&Arc<ArchiveObject>> {
        self.objects.get(&id)
    }

    /// Returns the objects, ordered by id.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<ArchiveObject>> {
        self.objects.values()
    }

    /// Returns the number of objects.
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Says whether there is no object.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// Returns what an object of this archive refers to.
    pub fn references(&self, object: &ArchiveObject) -> References {
        references(object, |id| self.objects.contains_key(&id))
    }

    /// Returns the ids of the given objects and of all they refer to, directly or not.
    pub fn closure(&self, roots: &[i32]) -> BTreeSet<i32> {
        let mut reached = BTreeSet::new();
        let mut waiting: Vec<i32> = roots.to_vec();
        while let Some(id) = waiting.pop() {
            let Some(object) = self.objects.get(&id) else {
                continue;
            };
            if reached.insert(id) {
                waiting.extend(self.references(object).ids());
            }
        }
        reached
    }

    /// Returns an object with all it refers to; `None` if there is none with this id.
    pub fn persisted(&self, root: i32) -> Option<Persisted> {
        self.objects.get(&root)?;
        let objects = self.restricted_to(&self.closure(&[root]));
        Some(Persisted {
            root,
            archive: objects,
        })
    }

    /// Returns the archive without the objects that only `removed` needs: not the roots in `kept`, nor what they refer to.
    ///
    /// Objects that no root refers to stay.
    pub fn without(&self, removed: &[i32], kept: &[i32]) -> Archive {
        let gone = self.closure(removed);
        let needed = self.closure(kept);
        let stays = |id: &&i32| !gone.contains(id) || needed.contains(id);
        self.restricted_to(&self.objects.keys().filter(stays).copied().collect())
    }

    /// Returns the given objects and all they refer to, so that each comes after those that it refers to; a ring is cut
    /// somewhere.
    fn referred_first(&self, roots: impl IntoIterator<Item = i32>) -> Vec<i32> {
        let mut order = Vec::new();
        let mut seen = BTreeSet::new();
        for root in roots {
            let mut stack = vec![(root, false)];
            while let Some((id, done)) = stack.pop() {
                if done {
                    order.push(id);
                } else if let Some(object) = self.get(id)
                    && seen.insert(id)
                {
                    stack.push((id, true));
                    let next = self.references(object);
                    stack.extend(next.ids().iter().rev().map(|id| (*id, false)));
                }
            }
        }
        order
    }

    fn restricted_to(&self, ids: &BTreeSet<i32>) -> Archive {
        let objects = self.objects.iter().filter(|(id, _)| ids.contains(id));
        Archive {
            objects: objects
                .map(|(id, object)| (*id, Arc::clone(object)))
                .collect(),
        }
    }
}

/// One persisted object with all it refers to.
#[derive(Debug, Clone)]
pub struct Persisted {
    root: i32,
    archive: Archive,
}

impl Persisted {
    /// Returns the id of the object itself.
    pub fn root(&self) -> i32 {
        self.root
    }

    /// Returns the object and all it refers to.
    pub fn archive(&self) -> &Archive {
        &self.archive
    }

    /// Returns the object itself.
    pub fn object(&self) -> &ArchiveObject {
        // The only constructor, `Archive::persisted`, has found it there, and the archive never changes.
        &self.archive.objects[&self.root]
    }

    /// Returns the name of the object's class.
    pub fn class(&self) -> &str {
        self.object().class()
    }

    /// Returns about how many bytes of memory the records take, without the tables that they share.
    pub fn memory(&self) -> u64 {
        self.archive.iter().map(|object| object.memory()).sum()
    }

    /// Says whether both hold the same values, whatever their ids.
    pub fn same(&self, other: &Persisted) -> bool {
        self.difference(other).is_none()
    }

    /// Returns the first difference in values, in words.
    pub fn difference(&self, other: &Persisted) -> Option<String> {
        compare::difference(self, other)
    }

    /// Adds the values: independent of ids, heap offsets and the order in which objects were written.
    pub fn add_values(&self, hasher: &mut Hasher) {
        compare::add_values(self, hasher);
    }
}

/// Archives that cannot be put together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// Two objects have one id.
    #[error("the archive has two objects with the id {id}")]
    Repeated {
        /// The id.
        id: i32,
    },
    /// An object refers to one that is not there, so its references cannot be given new ids.
    #[error(
        "object {id} ({class}) refers to the object {missing} in `{column}`, which the archive does not have"
    )]
    Dangling {
        /// The object.
        id: i32,
        /// Its class.
        class: String,
        /// The column with the reference.
        column: String,
        /// The id that is not there.
        missing: i32,
    },
    /// An object must keep its id, because what refers to what is not understood there, and the id is taken.
    #[error(
        "object {id} ({class}) cannot be given another id, because the references of {why} are not understood, \
         and the id is taken by another object ({taken_by})"
    )]
    IdTaken {
        /// The object.
        id: i32,
        /// Its class.
        class: String,
        /// The class whose references are not understood.
        why: String,
        /// The class of the object that has the id.
        taken_by: String,
    },
    /// There is no id left.
    #[error("the archive has no id left for another object")]
    Full,
}

#[cfg(test)]
mod tests;
