//! Gathers what the named datasets need: each artifact, each part and each composition once.
//!
//! It walks the plans that gets would carry out, and reads registries only.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use pantler_core::composite_graph::{Definitions, GraphNode};
use pantler_core::plan::{Found as HowFound, PlanKind, PlanNode, Read};
use pantler_core::policy::Definition;
use pantler_core::registry::{FindRequest, State};
use pantler_core::{DataId, DatasetId, DatasetRecord, TypeName};

use crate::butler::Butler;
use crate::candidates::Found;
use crate::error::{Asked, Error, Result};
use crate::identity;
use crate::planner::Composition;
use crate::query::Query;
use crate::resolve::Resolved;
use crate::taken_part;

use super::TransferOptions;

/// What travels.
#[derive(Default)]
pub(super) struct Needs {
    /// Whole artifacts and parts, in the order in which they were met.
    pub(super) artifacts: Vec<Artifact>,
    /// Compositions, each after those that it is made of.
    pub(super) compositions: Vec<Recorded>,
    /// The definitions that they are found by, each with the number of the repository that it stands in.
    pub(super) definitions: Vec<(usize, Arc<Definition>)>,
    /// What names mean that are aliases in the source.
    pub(super) aliases: Vec<(String, TypeName)>,
    /// By which identities datasets travel that were recorded under one derived from their content, before they had an index.
    pub(super) by_content: HashMap<DatasetId, DatasetId>,
}

/// One artifact, or one part of one, that travels.
pub(super) struct Artifact {
    /// The dataset that it is, or is a part of; its identity is never a stand-in.
    pub(super) found: Found,
    /// Which part of it travels alone; `None` for the whole.
    pub(super) part: Option<Part>,
    /// Whether its data ID means it in the target.
    pub(super) state: State,
}

/// A part that travels without its whole.
pub(super) struct Part {
    /// The type of its rows in the target.
    pub(super) dataset_type: TypeName,
    /// The way to it, of which its identity is made.
    pub(super) way: Vec<String>,
    /// How it is read.
    pub(super) node: PlanNode,
}

/// What a composition is needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needed {
    /// To be put together.
    Whole,
    /// To find a part of it, which may be a part of a composition that it names.
    OnTheWay,
}

/// One composition that travels.
pub(super) struct Recorded {
    pub(super) found: Found,
    pub(super) state: State,
}

impl Artifact {
    /// Returns its identity in the target.
    pub(super) fn id(&self) -> DatasetId {
        let whole = self.found.record.id;
        match &self.part {
            Some(part) => DatasetId::of_part(whole, &part.way),
            None => whole,
        }
    }

    /// Returns its type in the target.
    pub(super) fn dataset_type(&self) -> &TypeName {
        match &self.part {
            Some(part) => &part.dataset_type,
            None => self.found.record.dataset_type(),
        }
    }

    /// Returns it as a person would ask for it.
    pub(super) fn asked(&self) -> Asked {
        Asked::new(self.dataset_type(), &self.found.record.data_id)
    }
}

/// Gathers what the named datasets need.
pub(super) fn gather(source: &Butler, names: &[&str], options: &TransferOptions) -> Result<Needs> {
    let mut gatherer = Gatherer {
        source,
        needs: Needs::default(),
        wholes: HashMap::new(),
        parts: HashMap::new(),
        compositions: HashMap::new(),
        defined: HashSet::new(),
        identities: HashMap::new(),
    };
    for name in names {
        gatherer.name(name, options)?;
    }
    gatherer.finish()
}

struct Gatherer<'a> {
    source: &'a Butler,
    needs: Needs,
    wholes: HashMap<DatasetId, usize>,
    parts: HashMap<(DatasetId, Vec<String>), usize>,
    compositions: HashMap<DatasetId, usize>,
    defined: HashSet<TypeName>,
    /// The identities of what goes by a stand-in, which take reading.
    identities: HashMap<DatasetId, DatasetId>,
}

impl Gatherer<'_> {
    fn name(&mut self, name: &str, options: &TransferOptions) -> Result<()> {
        let source = self.source;
        let resolved = source.resolve(name, &options.data_id)?;
        self.definitions_of(&resolved)?;
        self.alias_of(name, &resolved);
        let query = Query {
            name: Some(name.to_owned()),
            data_id: options.data_id.clone(),
            condition: options.condition.clone(),
            ..Query::default()
        };
        let mut is_empty = true;
        for row in source.listing(&query)? {
            is_empty = false;
            source.interrupt().check()?;
            self.dataset(name, &row?.data_id, &resolved)?;
        }
        match is_empty {
            true => Err(nothing(source, name, options)),
            false => Ok(()),
        }
    }

    fn dataset(&mut self, name: &str, data_id: &DataId, resolved: &Resolved) -> Result<()> {
        let plan = self.source.explain(name, data_id, Composition::Recorded)?;
        self.node(&plan.root)?;
        // A part of a composite is found by way of its record.
        if !resolved.part.is_empty() {
            self.passed_through(&resolved.dataset_type, data_id)?;
        }
        Ok(())
    }

    /// Everything that a definition of the graph says how to find.
    fn definitions_of(&mut self, resolved: &Resolved) -> Result<()> {
        let planner = self.source.planner(Composition::Recorded);
        let graph = planner.graph(resolved)?;
        let mut used = Vec::new();
        graph.walk(&mut |node| used.push((node.policy, node.definition.clone())));
        for (repository, definition) in used {
            self.define(repository, definition);
        }
        Ok(())
    }

    fn define(&mut self, repository: usize, definition: Arc<Definition>) {
        if self.defined.insert(definition.name.clone()) {
            self.needs.definitions.push((repository, definition));
        }
    }

    /// The definition of a type that a row names, which the policy's graph need not name any more.
    fn define_type(&mut self, dataset_type: &TypeName) {
        if !self.defined.contains(dataset_type)
            && let Some((repository, definition)) =
                self.source.chain().find_definition(dataset_type)
        {
            self.define(repository, definition);
        }
    }

    fn alias_of(&mut self, name: &str, resolved: &Resolved) {
        let Ok(asked) = pantler_core::DatasetName::parse(name) else {
            return;
        };
        let is_plain = asked.stage == pantler_core::Stage::Unqualified;
        if is_plain && asked.type_name() != resolved.dataset_type {
            let alias = (asked.base, resolved.dataset_type.clone());
            if !self.needs.aliases.contains(&alias) {
                self.needs.aliases.push(alias);
            }
        }
    }

    fn node(&mut self, node: &PlanNode) -> Result<()> {
        match &node.kind {
            PlanKind::Read(read) => self.artifact(node, read),
            PlanKind::Missing(_) => Ok(()),
            PlanKind::Subset(nodes) => nodes.iter().try_for_each(|node| self.node(node)),
            PlanKind::Assemble(assemble) => {
                // A list of what it was made from as well: where that is gone, the whole is refused (rule R34).
                for component in &assemble.components {
                    self.node(component)?;
                }
                match &assemble.record {
                    Some(record) => self.composition(
                        Found {
                            repository: assemble.repository,
                            record: record.clone(),
                        },
                        &assemble.found,
                        Needed::Whole,
                    ),
                    None => self.of_lookup(node),
                }
            }
        }
    }

    /// A composite of which a part is looked up is found by its record, if it has one.
    fn of_lookup(&mut self, node: &PlanNode) -> Result<()> {
        let chain = self.source.chain();
        let graph = GraphNode::build(chain, &node.dataset_type, &[]);
        let graph = graph.map_err(|error| Error::Graph {
            asked: Asked::new(&node.dataset_type, &node.data_id),
            error,
        })?;
        let components = graph.components().iter();
        for component in components.filter(|one| !one.part.is_empty() && one.is_composite()) {
            self.passed_through(&component.dataset_type, &component.data_id(&node.data_id))?;
        }
        Ok(())
    }

    fn passed_through(&mut self, dataset_type: &TypeName, data_id: &DataId) -> Result<()> {
        let request = FindRequest {
            dataset_type: dataset_type.clone(),
            data_id: data_id.clone(),
            limit: 1,
        };
        let source = self.source;
        for (repository, open) in source.repositories().iter().enumerate() {
            let found = open.registry().find_many(std::slice::from_ref(&request))?;
            if let Some(record) = found.into_iter().flatten().next() {
                if record.artifact.is_none() {
                    let record = record.into();
                    let found = Found { repository, record };
                    self.composition(found, &HowFound::Lookup, Needed::OnTheWay)?;
                }
                break;
            }
        }
        Ok(())
    }

    fn artifact(&mut self, node: &PlanNode, read: &Read) -> Result<()> {
        let found = self.with_identity(&Found {
            repository: read.repository,
            record: read.record.clone(),
        })?;
        let state = state_of(&found.record, &read.found);
        let own = node.dataset_type == *read.record.dataset_type();
        let part = match (own, node.part.is_empty()) {
            // Here it is without its whole already.
            _ if read.taken.is_some() => None,
            (true, true) => None,
            (true, false) => {
                let way = taken_part::canonical(&node.part);
                taken_part::type_of(&node.dataset_type, &node.part).map(|name| (name, way))
            }
            // Another type reads the same artifact as a class of its own (rule R8).
            (false, true) => {
                let way = taken_part::way_of_class(&node.dataset_type);
                taken_part::type_of(read.record.dataset_type(), &way).map(|name| (name, way))
            }
            (false, false) => None,
        };
        match part {
            None => self.whole(found, state),
            Some((dataset_type, way)) => self.part(
                found,
                state,
                Part {
                    dataset_type,
                    way,
                    node: node.clone(),
                },
            ),
        }
        Ok(())
    }

    fn whole(&mut self, found: Found, state: State) {
        self.define_type(found.record.dataset_type());
        let id = found.record.id;
        match self.wholes.get(&id) {
            Some(known) => self.becomes_current(*known, state),
            None => {
                self.wholes.insert(id, self.needs.artifacts.len());
                self.needs.artifacts.push(Artifact {
                    found,
                    part: None,
                    state,
                });
            }
        }
    }

    fn part(&mut self, found: Found, state: State, part: Part) {
        self.define_type(found.record.dataset_type());
        let key = (found.record.id, part.way.clone());
        match self.parts.get(&key) {
            Some(known) => self.becomes_current(*known, state),
            None => {
                self.parts.insert(key, self.needs.artifacts.len());
                self.needs.artifacts.push(Artifact {
                    found,
                    part: Some(part),
                    state,
                });
            }
        }
    }

    /// What one plan finds by its data ID is current, whatever another plan knows of it.
    fn becomes_current(&mut self, known: usize, state: State) {
        if let (Some(artifact), State::Current) = (self.needs.artifacts.get_mut(known), state) {
            artifact.state = State::Current;
        }
    }

    /// A composition travels as it was recorded, and with it the compositions on the way to what is needed of it.
    fn composition(&mut self, found: Found, how: &HowFound, needed: Needed) -> Result<()> {
        let id = found.record.id;
        let state = state_of(&found.record, how);
        if let Some(known) = self.compositions.get(&id) {
            if let (Some(known), State::Current) = (self.needs.compositions.get_mut(*known), state)
            {
                known.state = state;
            }
            return Ok(());
        }
        self.define_type(found.record.dataset_type());
        for member in &found.record.members {
            self.define_type(&member.dataset_type);
        }
        self.find_by_content(&found.record)?;
        let inner: Vec<DatasetId> = found
            .record
            .members
            .iter()
            // What is needed whole was met on its own.
            .filter(|member| needed == Needed::OnTheWay || !member.part.is_empty())
            .map(|member| member.dataset)
            .filter(|id| !self.wholes.contains_key(id) && !self.compositions.contains_key(id))
            .collect();
        if !inner.is_empty() {
            for (repository, open) in self.source.repositories().iter().enumerate() {
                for record in open.registry().find_ids(&inner)?.into_iter().flatten() {
                    if record.artifact.is_none() {
                        let how = HowFound::Recorded { newer: None };
                        let record = record.into();
                        let found = Found { repository, record };
                        self.composition(found, &how, Needed::OnTheWay)?;
                    }
                }
            }
        }
        self.compositions.insert(id, self.needs.compositions.len());
        self.needs.compositions.push(Recorded { found, state });
        Ok(())
    }

    /// Finds what a composition names by a derived identity and has been given another since (rule R19).
    fn find_by_content(&mut self, record: &DatasetRecord) -> Result<()> {
        let source = self.source;
        let members = record.members.iter().map(identity::Recorded::of);
        let derived: Vec<identity::Recorded> =
            members.filter(|member| member.id.is_derived()).collect();
        let found = identity::find(source.chain(), &derived, source.interrupt())?;
        for (recorded, found) in derived.iter().zip(found) {
            let id = found.map(|found| found.record.id);
            if let Some(id) = id.filter(|id| *id != recorded.id && !id.is_stamp()) {
                self.needs.by_content.insert(recorded.id, id);
            }
        }
        Ok(())
    }

    /// A dataset of a folder without an index, under the identity that it has wherever it goes (rule R19).
    fn with_identity(&mut self, found: &Found) -> Result<Found> {
        if !found.record.id.is_stamp() {
            return Ok(found.clone());
        }
        let id = match self.identities.get(&found.record.id) {
            Some(known) => *known,
            None => {
                let repository = self.source.chain().repository(found.repository);
                let id = identity::of(repository, &found.record)?;
                self.identities.insert(found.record.id, id);
                id
            }
        };
        Ok(Found {
            repository: found.repository,
            record: Arc::new(DatasetRecord {
                id,
                ..found.record.as_ref().clone()
            }),
        })
    }

    fn finish(mut self) -> Result<Needs> {
        // A part needs no artifact of its own where the whole travels.
        let wholes = self.wholes;
        self.needs.artifacts.retain(|artifact| {
            artifact.part.is_none() || !wholes.contains_key(&artifact.found.record.id)
        });
        one_current_each(self.needs.artifacts.iter_mut().map(|each| {
            (
                each.dataset_type().clone(),
                each.found.record.clone(),
                &mut each.state,
            )
        }));
        one_current_each(self.needs.compositions.iter_mut().map(|each| {
            let record = each.found.record.clone();
            (record.dataset_type().clone(), record, &mut each.state)
        }));
        Ok(self.needs)
    }
}

/// Of several datasets of one type and data ID the first that lookup finds is the one that the data ID means; a record finds
/// the others.
fn one_current_each<'a>(all: impl Iterator<Item = (TypeName, Arc<DatasetRecord>, &'a mut State)>) {
    let mut known = HashSet::new();
    for (dataset_type, record, state) in all {
        if *state == State::Current && !known.insert((dataset_type, record.data_id.clone())) {
            *state = State::Superseded;
        }
    }
}

/// What a data ID means in the source it means in the target, and nothing else: what only a record finds is found by records.
fn state_of(record: &DatasetRecord, how: &HowFound) -> State {
    match how {
        HowFound::Recorded { newer: Some(_) } => State::Superseded,
        _ => record.state,
    }
}

fn nothing(source: &Butler, name: &str, options: &TransferOptions) -> Error {
    let asked = Asked::new(name, &options.data_id);
    let fitting = match &options.condition {
        Some(condition) => format!(" that fits {condition}"),
        None => String::new(),
    };
    Error::Request {
        message: format!(
            "there is no {asked}{fitting} in {}, so nothing was transferred",
            source.chain().names().join(", ")
        ),
        hints: vec!["`pantler query` lists what there is".to_owned()],
    }
}
