//! What a get will do: each part bound to a repository, an artifact and byte ranges. `explain` prints it, `get` executes it.
//!
//! A plan is plain data. Making one reads no artifact; executing one decides nothing.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use crate::assembler::ComponentInfo;
use crate::policy::Component;
use crate::report::TrailStep;
use crate::{DataId, DatasetId, DatasetRecord, Location, TypeName};

/// What a get will do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The name as it was asked for.
    pub name: String,
    /// The repositories of the chain, in search order.
    pub repositories: Vec<PlanRepository>,
    /// The dataset, with all that it is made of.
    pub root: PlanNode,
}

/// A repository of the chain, as a plan names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanRepository {
    /// Its root as an absolute path or URL.
    pub root: String,
    /// Its name as the user wrote it.
    pub name: String,
}

/// One dataset, or a part of one, in a plan.
#[derive(Debug, Clone)]
pub struct PlanNode {
    /// The component of the composite above that it fills; `None` at the root and inside a subset.
    pub component: Option<Component>,
    /// The dataset type.
    pub dataset_type: TypeName,
    /// Which part of it; empty for the whole.
    pub part: Vec<String>,
    /// What other components of the composite that it is a part of override in it: canonical names (rule R11).
    pub overridden: Vec<String>,
    /// Its data ID.
    pub data_id: DataId,
    /// The class that the policy's `python` names, as written.
    pub python: Option<String>,
    /// How it is made.
    pub kind: PlanKind,
}

/// How a node's object is made.
#[derive(Debug, Clone)]
pub enum PlanKind {
    /// It is read from an artifact.
    Read(Box<Read>),
    /// It is assembled.
    Assemble(Box<Assemble>),
    /// All datasets that match, ordered by data ID (rule R16).
    Subset(Vec<PlanNode>),
    /// It was not found; an error only if it is needed.
    Missing(Box<Missing>),
}

/// An artifact, or a part of one, to be read.
#[derive(Debug, Clone)]
pub struct Read {
    /// The number of the repository.
    pub repository: usize,
    /// The dataset, as its registry knows it.
    pub record: Arc<DatasetRecord>,
    /// Where the artifact lies.
    pub location: Location,
    /// The HDU that the template picks.
    pub hdu: Option<u32>,
    /// The class to read it as.
    pub class: Option<String>,
    /// The part that alone there is of the dataset here; `None` for the whole (rule R35).
    pub taken: Option<TakenPart>,
    /// The part's bytes, as far as they are known.
    pub ranges: Option<Vec<Range<u64>>>,
    /// How many bytes that is: the part's, else the artifact's.
    pub bytes: u64,
    /// How it was found, if it is part of a composite.
    pub found: Found,
}

/// A part of a dataset that is in a repository without the rest of it (rule R35).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenPart {
    /// The way to the part, in canonical names.
    pub part: Vec<String>,
    /// Whether the artifact holds that part and nothing else; it is the whole dataset's otherwise.
    pub alone: bool,
}

/// A composite to be assembled.
#[derive(Debug, Clone)]
pub struct Assemble {
    /// The number of the repository that defines it, or holds the recorded composition.
    pub repository: usize,
    /// The recorded composition, if it was put or linked.
    pub record: Option<Arc<DatasetRecord>>,
    /// The assembler, as the policy names it.
    pub assembler: Option<String>,
    /// Where the policy names it: `file:line`.
    pub assembler_place: Option<String>,
    /// Its components, in policy order.
    pub components: Vec<PlanNode>,
    /// Which of them is the base.
    pub base: Option<usize>,
    /// How it was found, if it is itself part of a composite; else how its parts were.
    pub found: Found,
}

/// How a dataset was found (rule R19).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It was asked for by itself.
    Directly,
    /// By type and data ID, now.
    Lookup,
    /// By identity, from a recorded composition.
    Recorded {
        /// A newer candidate that stands in front of it: repository and place.
        newer: Option<String>,
    },
}

/// Something that was looked for and not found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The places searched, in order.
    pub trail: Vec<TrailStep>,
    /// The identity, if a recorded composition names it.
    pub recorded: Option<DatasetId>,
    /// Whether the policy lets it be lacking, though it was recorded or listed (rule R34).
    pub may_lack: bool,
}

impl PlanNode {
    /// Returns the component's name; empty at the root.
    pub fn component_name(&self) -> &str {
        self.component
            .as_ref()
            .map_or("", |component| &component.name)
    }

    /// Returns the identity of the dataset that the node stands for, if it has one.
    pub fn id(&self) -> Option<DatasetId> {
        match &self.kind {
            PlanKind::Read(read) => Some(read.record.id),
            PlanKind::Assemble(assemble) => assemble.record.as_ref().map(|record| record.id),
            PlanKind::Subset(_) | PlanKind::Missing(_) => None,
        }
    }

    /// Returns which part of its artifact the node is; empty for all of it.
    pub fn part_of_artifact(&self) -> &[String] {
        match &self.kind {
            PlanKind::Read(read) => match &read.taken {
                Some(taken) if taken.alone => self.part.get(taken.part.len()..).unwrap_or(&[]),
                _ => &self.part,
            },
            _ => &self.part,
        }
    }

    /// Returns the nodes below this one.
    pub fn children(&self) -> &[PlanNode] {
        match &self.kind {
            PlanKind::Assemble(assemble) => &assemble.components,
            PlanKind::Subset(nodes) => nodes,
            PlanKind::Read(_) | PlanKind::Missing(_) => &[],
        }
    }

    /// Says how the node was found.
    pub fn found(&self) -> &Found {
        match &self.kind {
            PlanKind::Read(read) => &read.found,
            PlanKind::Assemble(assemble) => &assemble.found,
            PlanKind::Subset(_) | PlanKind::Missing(_) => &Found::Lookup,
        }
    }

    /// Visits every artifact that will be read, in order.
    pub fn each_read<'a>(&'a self, visit: &mut dyn FnMut(&'a PlanNode, &'a Read)) {
        if let PlanKind::Read(read) = &self.kind {
            visit(self, read);
        }
        for child in self.children() {
            child.each_read(visit);
        }
    }

    /// Returns how many bytes the node's artifacts take; one that is used twice counts once.
    pub fn bytes(&self) -> u64 {
        let mut seen = HashSet::new();
        let mut bytes = 0;
        self.each_read(&mut |node, read| {
            let key = (read.repository, &read.location, read.hdu, &node.part);
            if seen.insert(key) {
                bytes += read.bytes;
            }
        });
        bytes
    }

    /// Returns the first node at or below this one that is needed and was not found: what a composition records is needed
    /// even where the policy calls it optional (rule R19).
    pub fn first_missing(&self) -> Option<(&PlanNode, &Missing)> {
        match &self.kind {
            PlanKind::Missing(missing) if missing.may_lack => None,
            PlanKind::Missing(missing) => Some((self, missing)),
            _ => self.children().iter().find_map(|child| {
                let optional = child
                    .component
                    .as_ref()
                    .is_some_and(|component| component.optional);
                child
                    .first_missing()
                    .filter(|(_, missing)| !optional || missing.recorded.is_some())
            }),
        }
    }

    /// Returns what a plug-in is told of this component.
    pub fn component_info(&self, base: bool) -> ComponentInfo {
        let component = self.component.as_ref();
        ComponentInfo {
            name: self.component_name().to_owned(),
            dataset_type: self.dataset_type.clone(),
            slot: Default::default(),
            setter: component.and_then(|component| component.setter.clone()),
            getter: component.and_then(|component| component.getter.clone()),
            subset: component.is_some_and(|component| component.subset),
            input_only: component.is_some_and(|component| component.input_only),
            base,
            apply: component.and_then(|component| component.apply.clone()),
            data_id: self.data_id.clone(),
        }
    }
}
