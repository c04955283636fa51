//! What composites are made of in the end, and how many bytes that takes: artifacts and parts of them, each counted once.
//!
//! Listings ask for many composites together, so that members are found in batches, however deep they lie. The bytes of a leaf
//! are those that a plan says; [`crate::planner`] says how they are found.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use pantler_core::plan::Found as HowFound;
use pantler_core::policy::Definition;
use pantler_core::{DatasetId, DatasetRecord, TypeName, synonyms};

use crate::candidates::Found;
use crate::error::{Asked, Result};
use crate::identity;
use crate::planner::Planner;
use crate::recorded_definition::RecordedDefinition;
use crate::taken_part;

/// A dataset, and which part of it; empty for the whole.
pub(crate) type Part = (DatasetId, Vec<String>);

/// Artifacts, or parts of them, with their bytes. One may stand here twice, and counts once.
pub(super) type Leaves = Vec<(Part, u64)>;

/// Returns how many bytes leaves take together.
pub(super) fn bytes_of(leaves: &Leaves) -> u64 {
    let mut seen = HashSet::new();
    let once = leaves.iter().filter(|(part, _)| seen.insert(part));
    once.fold(0, |sum, (_, bytes)| sum.saturating_add(*bytes))
}

/// How many bytes parts of artifacts take. Files of one layout have their parts in the same places, and are looked at once.
#[derive(Default)]
pub(super) struct PartSizes {
    known: HashMap<PartOfLayout, u64>,
}

/// A layout, the type that a file of it is read as, and a part.
type PartOfLayout = (Arc<[u8]>, TypeName, Vec<String>);

impl PartSizes {
    /// Returns the bytes of a part of a dataset that is an artifact, read as what `definition` says.
    pub(super) fn bytes(
        &mut self,
        planner: &Planner<'_>,
        definition: Option<&Definition>,
        repository: usize,
        record: DatasetRecord,
        part: &[String],
    ) -> Result<u64> {
        let Some(artifact) = &record.artifact else {
            return Ok(0);
        };
        let name = definition.map_or(record.dataset_type(), |definition| &definition.name);
        // An HDU that a template picks is another one in each file.
        let template = record.definition.template.as_deref();
        let is_whole_file = template.is_some_and(|template| !template.trim_end().ends_with(']'));
        let key = artifact
            .layout
            .clone()
            .filter(|_| is_whole_file)
            .map(|layout| (layout, name.clone(), part.to_vec()));
        // The whole of a file is as long as the file.
        let is_read_as_written = name == record.dataset_type();
        if part.is_empty() && is_whole_file && (is_read_as_written || key.is_none()) {
            return Ok(artifact.bytes);
        }
        if let Some(bytes) = key.as_ref().and_then(|key| self.known.get(key)) {
            return Ok(*bytes);
        }
        let asked = Asked::new(name, &record.data_id);
        let found = Found {
            repository,
            record: Arc::new(record),
        };
        let node = planner.read_node(&asked, None, definition, &found, HowFound::Directly)?;
        let node = part
            .iter()
            .try_fold(node, |node, part| planner.select(node, part))?;
        let bytes = node.bytes();
        if let Some(key) = key {
            self.known.insert(key, bytes);
        }
        Ok(bytes)
    }
}

/// What recorded composites were made of.
pub(crate) struct Recorded<'p, 'a> {
    planner: &'p Planner<'a>,
    composites: HashMap<DatasetId, Composed>,
    sizes: PartSizes,
    bytes: HashMap<Part, u64>,
    wanted: HashSet<Part>,
    /// What members whose identities were derived were recorded as.
    derived: HashMap<DatasetId, identity::Recorded>,
}

/// The members of one composite.
struct Composed {
    members: Vec<(String, Part)>,
    base: Option<String>,
}

impl<'p, 'a> Recorded<'p, 'a> {
    /// Knows of no composite yet.
    pub(crate) fn new(planner: &'p Planner<'a>) -> Recorded<'p, 'a> {
        Recorded {
            planner,
            composites: HashMap::new(),
            sizes: PartSizes::default(),
            bytes: HashMap::new(),
            wanted: HashSet::new(),
            derived: HashMap::new(),
        }
    }

    /// Takes a dataset in, of which a part will be asked for, if it is a recorded composite.
    pub(crate) fn note(&mut self, record: &DatasetRecord, part: &[String]) {
        if record.artifact.is_none() {
            self.add(record);
            self.wanted.insert((record.id, part.to_vec()));
        }
    }

    fn add(&mut self, record: &DatasetRecord) {
        let derived = record.members.iter();
        let derived = derived.filter(|member| member.dataset.is_derived());
        self.derived
            .extend(derived.map(|member| (member.dataset, identity::Recorded::of(member))));
        let members = record.members.iter();
        let composed = Composed {
            members: members
                .map(|member| {
                    let part = (member.dataset, member.part.clone());
                    (member.component.clone(), part)
                })
                .collect(),
            base: RecordedDefinition::of_record(record).and_then(|written| written.base),
        };
        self.composites.insert(record.id, composed);
    }

    /// Finds what all composites that were noted are made of: one round of questions for each level of composites in composites.
    pub(crate) fn find(&mut self) -> Result<()> {
        let mut seen: HashSet<Part> = HashSet::new();
        let mut level: Vec<Part> = std::mem::take(&mut self.wanted).into_iter().collect();
        while !level.is_empty() {
            level.retain(|part| seen.insert(part.clone()));
            self.fetch(&level)?;
            level = level
                .iter()
                .flat_map(|(id, part)| self.below(*id, part))
                .collect();
        }
        Ok(())
    }

    fn fetch(&mut self, parts: &[Part]) -> Result<()> {
        let mut unknown: HashMap<DatasetId, Vec<&[String]>> = HashMap::new();
        for part in parts {
            if !self.composites.contains_key(&part.0) && !self.bytes.contains_key(part) {
                unknown.entry(part.0).or_default().push(&part.1);
            }
        }
        let chain = self.planner.chain;
        for (index, repository) in chain.repositories().iter().enumerate() {
            let mut ids: Vec<DatasetId> = unknown.keys().copied().collect();
            ids.sort();
            for batch in ids.chunks(1000) {
                for record in repository.registry().find_ids(batch)?.into_iter().flatten() {
                    let wanted = unknown.remove(&record.id).unwrap_or_default();
                    if record.artifact.is_none() {
                        self.add(&record);
                        continue;
                    }
                    for part in wanted {
                        let bytes =
                            self.sizes
                                .bytes(self.planner, None, index, record.clone(), part)?;
                        self.bytes.insert((record.id, part.to_vec()), bytes);
                    }
                }
            }
        }
        self.fetch_taken_parts(&mut unknown)?;
        // For its size a file need not be read: what lies there now is counted, whether or not it is the same.
        let (ids, left): (Vec<_>, Vec<_>) = unknown
            .into_iter()
            .filter_map(|(id, parts)| Some(((id, parts), self.derived.get(&id)?.clone())))
            .unzip();
        for ((id, parts), found) in ids.into_iter().zip(identity::candidates(chain, &left)?) {
            let Some(found) = found.into_iter().next() else {
                continue;
            };
            for part in parts {
                let record = DatasetRecord::clone(&found.record);
                let bytes = self
                    .sizes
                    .bytes(self.planner, None, found.repository, record, part)?;
                self.bytes.insert((id, part.to_vec()), bytes);
            }
        }
        Ok(())
    }

    /// Finds parts of datasets that are not there, where those parts alone are (rule R35).
    fn fetch_taken_parts(
        &mut self,
        unknown: &mut HashMap<DatasetId, Vec<&[String]>>,
    ) -> Result<()> {
        let mut taken: HashMap<DatasetId, (DatasetId, &[String])> = HashMap::new();
        for (id, parts) in unknown.iter() {
            for part in parts {
                let ids = taken_part::ids_of(*id, part);
                taken.extend(ids.map(|of_part| (of_part, (*id, *part))));
            }
        }
        let ids: Vec<DatasetId> = taken.keys().copied().collect();
        for (index, repository) in self.planner.chain.repositories().iter().enumerate() {
            for batch in ids.chunks(1000) {
                for record in repository.registry().find_ids(batch)?.into_iter().flatten() {
                    let Some((whole, part)) = taken.remove(&record.id) else {
                        continue;
                    };
                    let sizes = &mut self.sizes;
                    let bytes = sizes.bytes(self.planner, None, index, record, part)?;
                    self.bytes.insert((whole, part.to_vec()), bytes);
                    if let Some(parts) = unknown.get_mut(&whole) {
                        parts.retain(|other| *other != part);
                    }
                }
            }
        }
        Ok(())
    }

    /// What a part of a composite is made of: of the component of that name, else of the base, else of all of it (rule R10).
    fn below(&self, id: DatasetId, part: &[String]) -> Vec<Part> {
        let Some(composed) = self.composites.get(&id) else {
            return Vec::new();
        };
        let of = |component: &str, rest: &[String]| -> Vec<Part> {
            let members = composed.members.iter();
            members
                .filter(|(name, _)| synonyms::canonical(name) == synonyms::canonical(component))
                .map(|(_, (id, part))| (*id, part.iter().chain(rest).cloned().collect()))
                .collect()
        };
        let found = part.split_first().map(|(first, rest)| {
            let declared = of(first, rest);
            match &composed.base {
                Some(base) if declared.is_empty() => of(base, part),
                _ => declared,
            }
        });
        match found {
            Some(found) if !found.is_empty() => found,
            _ => {
                let all = composed.members.iter();
                all.map(|(_, member)| member.clone()).collect()
            }
        }
    }

    /// Returns what a part of a composite is made of; `None` if the composite was not noted.
    pub(super) fn leaves(&self, id: DatasetId, part: &[String]) -> Option<Leaves> {
        if !self.composites.contains_key(&id) {
            return None;
        }
        let mut leaves = Leaves::new();
        let mut seen = HashSet::new();
        let mut left = vec![(id, part.to_vec())];
        while let Some(part) = left.pop() {
            if !seen.insert(part.clone()) {
                continue;
            }
            left.extend(self.below(part.0, &part.1));
            if let Some(bytes) = self.bytes.get(&part) {
                leaves.push((part, *bytes));
            }
        }
        Some(leaves)
    }

    /// Returns how many bytes all that was found takes.
    pub(crate) fn all_bytes(&self) -> u64 {
        let bytes = self.bytes.values();
        bytes.fold(0, |sum, bytes| sum.saturating_add(*bytes))
    }
}
