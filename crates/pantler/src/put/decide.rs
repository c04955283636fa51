//! Decides what a put will do: per component new, unchanged, input only, or refused. It writes nothing.

use std::sync::Arc;

use pantler_core::assembler::{ComponentInfo, Slot};
use pantler_core::composite_graph::{GraphKind, GraphNode, KeySource};
use pantler_core::formatter::{Formatter, ReadRequest, WriteOptions};
use pantler_core::plan::{Found as HowFound, Plan, PlanNode};
use pantler_core::python_type::{PythonType, python_type};
use pantler_core::registry::Member;
use pantler_core::{DataId, DatasetId, Digest, ObjectRef, TypeName, synonyms};
use uuid::Uuid;

use crate::artifact_source::MemorySource;
use crate::assemble::generic;
use crate::candidates::{Candidates, Found};
use crate::error::{Asked, Error, Result};
use crate::execute::{Parameters, check_supported, format_error};
use crate::planner::{check_found, locate, own_class};
use crate::resolve::Resolved;

use super::{
    Composition, Content, Decision, OnConflict, PutOptions, Putter, Write, definition_version,
};

/// Decides one put.
pub(super) struct Decider<'a> {
    pub(super) putter: &'a Putter<'a>,
    pub(super) asked: &'a Asked,
    pub(super) candidates: Candidates,
    pub(super) options: &'a PutOptions,
    decision: Decision,
    depth: usize,
    /// The composite whose components are being looked at.
    within: Option<TypeName>,
}

impl<'a> Decider<'a> {
    pub(super) fn new(
        putter: &'a Putter<'a>,
        asked: &'a Asked,
        candidates: Candidates,
        options: &'a PutOptions,
    ) -> Decider<'a> {
        Decider {
            putter,
            asked,
            candidates,
            options,
            decision: Decision::default(),
            depth: 0,
            within: None,
        }
    }

    pub(super) fn finish(self) -> Decision {
        self.decision
    }

    /// Decides about one dataset and all that it is made of; returns the identity that it has or will have.
    pub(super) fn dataset(
        &mut self,
        graph: &GraphNode,
        object: &ObjectRef,
        root: &DataId,
        label: &str,
    ) -> Result<DatasetId> {
        self.uses(graph);
        check_supported(&graph.definition, graph.component.as_ref())?;
        self.check_class(graph, object)?;
        match &graph.kind {
            GraphKind::File => self.file(graph, object, root, label),
            GraphKind::Composite(components) => {
                self.composite(graph, components, object, root, label)
            }
        }
    }

    fn uses(&mut self, graph: &GraphNode) {
        let known = |(_, other): &(usize, Arc<pantler_core::policy::Definition>)| {
            other.name == graph.definition.name
        };
        if !self.decision.definitions.iter().any(known) {
            self.decision
                .definitions
                .push((graph.policy, graph.definition.clone()));
        }
    }

    fn check_class(&self, graph: &GraphNode, object: &ObjectRef) -> Result<()> {
        match graph.definition.python.as_deref().map(python_type) {
            Some(PythonType::Foreign(path))
                if graph
                    .composite()
                    .is_none_or(|composite| composite.assembler.is_none()) =>
            {
                Err(Error::NeedsPlugin {
                    dataset_type: graph.dataset_type.clone(),
                    role: "python",
                    import_path: path.to_owned(),
                    place: graph.definition.place.to_string(),
                    known: self.putter.executor.plugins.names(),
                })
            }
            Some(PythonType::Own(class)) if class != object.class() => {
                Err(Error::request(format!(
                    "`{}` is a {class}, and what is put is a {}",
                    graph.dataset_type,
                    object.class()
                )))
            }
            _ => Ok(()),
        }
    }

    fn file(
        &mut self,
        graph: &GraphNode,
        object: &ObjectRef,
        root: &DataId,
        label: &str,
    ) -> Result<DatasetId> {
        let data_id = graph.data_id(root);
        let existing = self
            .candidates
            .first(self.putter.planner.chain, graph, &data_id)
            .cloned();
        if let Some(existing) = &existing
            && unchanged_since_read(object, graph, &data_id, existing.record.id)
        {
            self.decision.unchanged.push(label.to_owned());
            return Ok(existing.record.id);
        }
        let formatter = self.formatter(graph)?;
        let asked = self.putter.asked(graph, &data_id);
        let options = WriteOptions {
            recipe: graph.definition.recipe.clone(),
            ..WriteOptions::default()
        };
        let bytes = formatter
            .write(object, &options)
            .map_err(|source| format_error(&asked, source))?;
        let digest = Digest::of(&bytes);
        let memory = MemorySource::new(&asked.to_string(), bytes.clone());
        if let Some(id) = self.written_already(graph, &data_id, digest, label)? {
            return Ok(id);
        }
        let mut replaces = None;
        if let Some(existing) = existing {
            match self.difference(graph, &formatter, &memory, digest, &existing)? {
                None => {
                    self.decision.unchanged.push(label.to_owned());
                    return Ok(existing.record.id);
                }
                Some(_) if self.is_anothers(graph, &existing)? => {
                    return Err(self.path_taken(graph, &data_id, &existing));
                }
                Some(difference) => {
                    replaces = self.conflict(graph, root, existing, difference, label)?
                }
            }
        }
        let layout = formatter
            .index(&memory)
            .map_err(|source| format_error(&asked, source))?;
        let write = self.write(
            graph,
            &data_id,
            Content::Memory(bytes.clone()),
            bytes.len() as u64,
        )?;
        let id = write.id;
        self.decision.writes.push(Write {
            digest: Some(digest),
            layout,
            replaces,
            ..write
        });
        Ok(id)
    }

    /// The identity that another component of the same put has given to the same dataset; an error if that has other content.
    fn written_already(
        &self,
        graph: &GraphNode,
        data_id: &DataId,
        digest: Digest,
        label: &str,
    ) -> Result<Option<DatasetId>> {
        let mut writes = self.decision.writes.iter();
        let other = writes.find(|write| {
            write.definition.dataset_type == graph.dataset_type && write.data_id == *data_id
        });
        let Some(other) = other else {
            return Ok(None);
        };
        if other.digest == Some(digest) {
            return Ok(Some(other.id));
        }
        let (_, output) = self.putter.planner.chain.output("put")?;
        Err(Error::Conflict {
            asked: self.putter.asked(graph, data_id),
            repository: output.name().to_owned(),
            location: other.path.to_string(),
            difference: format!("`{label}` is not what another component puts there"),
        })
    }

    /// Whether what is there is an artifact of another type, of which this type is only a part (rule R8).
    fn is_anothers(&self, graph: &GraphNode, existing: &Found) -> Result<bool> {
        let (output, _) = self.putter.planner.chain.output("put")?;
        Ok(existing.repository == output && *existing.record.dataset_type() != graph.dataset_type)
    }

    fn path_taken(&self, graph: &GraphNode, data_id: &DataId, existing: &Found) -> Error {
        let chain = self.putter.planner.chain;
        let owner = Asked::new(existing.record.dataset_type(), &existing.record.data_id);
        Error::PathTaken {
            asked: self.putter.asked(graph, data_id),
            repository: chain.repository(existing.repository).name().to_owned(),
            location: locate(&existing.record, self.asked)
                .map_or_else(|_| String::new(), |(location, _)| location.to_string()),
            owner: Some(owner.to_string()),
        }
    }

    fn write(
        &self,
        graph: &GraphNode,
        data_id: &DataId,
        content: Content,
        bytes: u64,
    ) -> Result<Write> {
        new_write(self.putter, graph, data_id, content, bytes)
    }

    fn formatter(&self, graph: &GraphNode) -> Result<Arc<dyn Formatter>> {
        formatter_of(self.putter, graph)
    }

    /// How what is put differs from what a get would find now; `None` if they are the same (rule R22).
    fn difference(
        &self,
        graph: &GraphNode,
        formatter: &Arc<dyn Formatter>,
        new: &MemorySource,
        digest: Digest,
        existing: &Found,
    ) -> Result<Option<String>> {
        let Some(artifact) = &existing.record.artifact else {
            return Ok(Some("what is there is kept in parts".to_owned()));
        };
        if artifact.digest == Some(digest) {
            return Ok(None);
        }
        let request = ReadRequest {
            class: own_class(graph.definition.python.as_deref()),
            ..ReadRequest::default()
        };
        let asked = self.putter.asked(graph, &existing.record.data_id);
        let new = formatter
            .read(new, None, &request)
            .map_err(|source| format_error(&asked, source))?;
        let old = self.load(graph, existing, &[])?;
        Ok(new.difference(old.as_ref()))
    }

    /// Reads a dataset of the chain, or a part of it.
    pub(super) fn load(
        &self,
        graph: &GraphNode,
        found: &Found,
        part: &[&str],
    ) -> Result<ObjectRef> {
        let planner = &self.putter.planner;
        let mut node = planner.read_node(
            self.asked,
            None,
            Some(&graph.definition),
            found,
            HowFound::Directly,
        )?;
        for name in part {
            node = planner.select(node, name)?;
        }
        self.execute(node)
    }

    /// Says what a get of a component's type, or of a part of it, would read.
    pub(super) fn planned(
        &self,
        component: &GraphNode,
        data_id: &DataId,
        part: &[String],
    ) -> Result<PlanNode> {
        let planner = &self.putter.planner;
        let wanted = Resolved {
            asked: self.asked.clone(),
            dataset_type: component.dataset_type.clone(),
            part: part.to_vec(),
            data_id: data_id.clone(),
        };
        let plan = planner.plan(&wanted)?;
        check_found(&plan, &wanted, planner.chain)?;
        Ok(plan.root)
    }

    pub(super) fn execute(&self, root: PlanNode) -> Result<ObjectRef> {
        let plan = Plan {
            name: self.asked.name.clone(),
            repositories: self.putter.planner.chain.plan_repositories(),
            root,
        };
        self.putter.executor.execute(&plan, &Parameters::default())
    }

    /// A different dataset stands under the data ID: in an input it is shadowed, in the output it is replaced or refused
    /// (rules R20, R26).
    fn conflict(
        &self,
        graph: &GraphNode,
        root: &DataId,
        existing: Found,
        difference: String,
        label: &str,
    ) -> Result<Option<Found>> {
        let chain = self.putter.planner.chain;
        let (output, _) = chain.output("put")?;
        if existing.repository != output {
            return Ok(None);
        }
        let picks = |key: &str| {
            let mut sources = graph.sources.iter();
            sources.any(|source| matches!(source, KeySource::Root(from) if from == key))
        };
        let shared = root.keys().any(|key| !picks(key));
        if self.options.on_conflict == OnConflict::Replace && !shared {
            return Ok(Some(existing));
        }
        let location = locate(&existing.record, self.asked)
            .map_or_else(|_| String::new(), |(location, _)| location.to_string());
        let difference = if self.options.on_conflict == OnConflict::Replace {
            format!(
                "{difference}; `{label}` is shared by several data IDs, so it is replaced only by a put of its own"
            )
        } else {
            difference
        };
        Err(Error::Conflict {
            asked: self.putter.asked(graph, &existing.record.data_id),
            repository: chain.repository(existing.repository).name().to_owned(),
            location,
            difference,
        })
    }

    fn composite(
        &mut self,
        graph: &GraphNode,
        components: &[GraphNode],
        object: &ObjectRef,
        root: &DataId,
        label: &str,
    ) -> Result<DatasetId> {
        let mut infos = self.taken_apart(graph, components, object, root)?;
        let mut members = Vec::new();
        let above = self.within.replace(graph.dataset_type.clone());
        self.depth += 1;
        for (component, info) in components.iter().zip(&mut infos) {
            self.component(graph, component, info, object, root, &mut members)?;
        }
        self.depth -= 1;
        self.within = above;
        self.record(graph, root, members, label)
    }

    /// Fills a slot per component, by the composite's disassembler.
    fn taken_apart(
        &self,
        graph: &GraphNode,
        components: &[GraphNode],
        object: &ObjectRef,
        root: &DataId,
    ) -> Result<Vec<ComponentInfo>> {
        let plugins = self.putter.executor.plugins;
        let base = graph.base().map(GraphNode::component_name);
        let composite = graph.composite();
        let (assembler, disassembler) = composite.map_or((None, None), |composite| {
            (
                composite.assembler.as_deref(),
                composite.disassembler.as_deref(),
            )
        });
        let name = match (assembler, disassembler) {
            (_, Some(name)) => name,
            (Some(assembler), None) => return Err(self.read_only(graph, assembler)),
            (None, None) => generic(base.is_some(), graph.definition.python.as_deref()),
        };
        let disassembler = plugins
            .disassembler(name)
            .ok_or_else(|| Error::NeedsPlugin {
                dataset_type: graph.dataset_type.clone(),
                role: "disassembler",
                import_path: name.to_owned(),
                place: graph.definition.place.to_string(),
                known: plugins.names(),
            })?;
        let mut infos: Vec<ComponentInfo> = components
            .iter()
            .map(|node| {
                let component = node.component.as_ref();
                ComponentInfo {
                    name: node.component_name().to_owned(),
                    dataset_type: node.dataset_type.clone(),
                    slot: Slot::Empty,
                    setter: component.and_then(|component| component.setter.clone()),
                    getter: component.and_then(|component| component.getter.clone()),
                    subset: node.is_subset(),
                    input_only: component.is_some_and(|component| component.input_only),
                    base: base == Some(node.component_name()),
                    data_id: node.data_id(root),
                }
            })
            .collect();
        disassembler
            .disassemble(object, root, &mut infos)
            .map_err(|source| Error::Assembly {
                asked: self.asked.clone(),
                composite: graph.dataset_type.to_string(),
                source,
            })?;
        Ok(infos)
    }

    fn read_only(&self, graph: &GraphNode, assembler: &str) -> Error {
        let chain = self.putter.planner.chain;
        let instead = chain
            .definitions()
            .filter(|(_, other)| {
                // Not one of its own components, which it would then be put in the place of.
                let own = graph
                    .components()
                    .iter()
                    .any(|node| node.dataset_type == other.name);
                !own && other.template.is_some()
                    && other.python.is_some()
                    && other.python == graph.definition.python
            })
            .map(|(_, other)| other.name.to_string())
            .take(2)
            .collect();
        Error::ReadOnly {
            name: graph.dataset_type.to_string(),
            place: Some(graph.definition.place.clone()),
            components: graph
                .components()
                .iter()
                .map(|node| node.component_name().to_owned())
                .collect(),
            why: format!(
                "it has the assembler `{assembler}` and no disassembler, so pantler cannot tell which piece of it belongs to which part"
            ),
            instead,
        }
    }

    fn component(
        &mut self,
        graph: &GraphNode,
        component: &GraphNode,
        info: &mut ComponentInfo,
        object: &ObjectRef,
        root: &DataId,
        members: &mut Vec<Member>,
    ) -> Result<()> {
        let mut add = |id: DatasetId, data_id: DataId| {
            members.push(Member {
                component: info.name.clone(),
                dataset: id,
                dataset_type: component.dataset_type.clone(),
                data_id,
                part: component.part.clone(),
                input_only: info.input_only,
            });
        };
        if info.input_only {
            let found = self.input_only(graph, component, info, object, root)?;
            if !found.is_empty() {
                self.uses(component);
                self.decision.input_only.push(info.name.clone());
            }
            for (id, data_id) in found {
                add(id, data_id);
            }
            return Ok(());
        }
        let optional = component
            .component
            .as_ref()
            .is_some_and(|component| component.optional);
        match std::mem::take(&mut info.slot) {
            Slot::Empty if optional => Ok(()),
            Slot::Empty => Err(Error::NoComponent {
                asked: self.asked.clone(),
                component: info.name.clone(),
                class: object.class().to_owned(),
                known: object.component_names(),
            }),
            Slot::One(part) => {
                let id = if component.part.is_empty() {
                    self.dataset(component, &part, root, &info.name)?
                } else {
                    self.part_of_another(component, &part, root, &info.name)?
                };
                add(id, component.data_id(root));
                Ok(())
            }
            Slot::Many(parts) => {
                for (data_id, part) in parts {
                    let data_id = root.union(&data_id);
                    let id = self.dataset(component, &part, &data_id, &info.name)?;
                    add(id, component.data_id(&data_id));
                }
                Ok(())
            }
        }
    }

    /// A part of another type (rule R12) has no artifact of its own: it is recorded if it is what is there, else refused.
    fn part_of_another(
        &mut self,
        component: &GraphNode,
        part: &ObjectRef,
        root: &DataId,
        label: &str,
    ) -> Result<DatasetId> {
        let data_id = component.data_id(root);
        let expected = self.putter.asked(component, &data_id);
        let refuse = |why: String| Error::InputOnly {
            asked: self.asked.clone(),
            component: label.to_owned(),
            expected: expected.clone(),
            why,
            can_drop: false,
        };
        if component.is_composite() {
            let planned = self.planned(component, &data_id, &component.part)?;
            if !is_from(part, &planned) {
                let stored = self.execute(planned)?;
                if let Some(difference) = part.difference(stored.as_ref()) {
                    return Err(refuse(format!(
                        "it is a part of `{}`, which a put of this type does not rewrite, and it was changed: {difference}",
                        component.dataset_type
                    )));
                }
            }
            let found = self.existing(component, root)?.into_iter().next();
            self.uses(component);
            self.decision.unchanged.push(label.to_owned());
            return found
                .map(|(id, _)| id)
                .ok_or_else(|| self.component_missing(component, data_id));
        }
        let found = self
            .candidates
            .first(self.putter.planner.chain, component, &data_id)
            .cloned();
        let Some(found) = found else {
            return Err(refuse("it does not exist".to_owned()));
        };
        let same_origin = part.origin().is_some_and(|origin| {
            origin.whole && origin.dataset == found.record.id && origin.part == component.part
        });
        if !same_origin {
            let names: Vec<&str> = component.part.iter().map(String::as_str).collect();
            let stored = self.load(component, &found, &names)?;
            if let Some(difference) = part.difference(stored.as_ref()) {
                return Err(refuse(format!(
                    "it lies inside the artifact of `{}`, which a put of this type does not rewrite, and it was changed: {difference}",
                    component.dataset_type
                )));
            }
        }
        self.uses(component);
        self.decision.unchanged.push(label.to_owned());
        Ok(found.record.id)
    }

    /// Records a composition, unless an equal one is what a get would find (rule R21).
    fn record(
        &mut self,
        graph: &GraphNode,
        root: &DataId,
        members: Vec<Member>,
        label: &str,
    ) -> Result<DatasetId> {
        let data_id = graph.data_id(root);
        let chain = self.putter.planner.chain;
        let decided = self.decision.compositions.iter().find(|other| {
            other.definition.dataset_type == graph.dataset_type && other.data_id == data_id
        });
        if let Some(decided) = decided
            && decided.members == members
        {
            return Ok(decided.id);
        }
        let existing = self.candidates.first(chain, graph, &data_id).cloned();
        let mut replaces = None;
        if let Some(existing) = existing {
            if existing.record.members == members {
                if self.depth > 0 || self.decision.writes.is_empty() {
                    self.decision.unchanged.push(label.to_owned());
                }
                return Ok(existing.record.id);
            }
            let difference = members_difference(&existing.record.members, &members);
            replaces = self.conflict(graph, root, existing, difference, label)?;
        }
        let (output, _) = chain.output("put")?;
        let here = members
            .iter()
            .filter(|member| {
                let found = self.candidates.by_id(member.dataset);
                found.is_some_and(|found| found.repository == output)
            })
            .map(|member| member.dataset)
            .collect();
        let id = DatasetId::new(Uuid::now_v7());
        self.decision.compositions.push(Composition {
            id,
            definition: definition_version(graph),
            data_id,
            members,
            here,
            replaces,
        });
        Ok(id)
    }

    /// Decides a link: every component must exist, and is only recorded.
    pub(super) fn link(&mut self, graph: &GraphNode, root: &DataId) -> Result<DatasetId> {
        self.uses(graph);
        let above = self.within.replace(graph.dataset_type.clone());
        let mut members = Vec::new();
        for component in graph.components() {
            self.uses(component);
            for (id, data_id) in self.existing(component, root)? {
                members.push(Member {
                    component: component.component_name().to_owned(),
                    dataset: id,
                    dataset_type: component.dataset_type.clone(),
                    data_id,
                    part: component.part.clone(),
                    input_only: component
                        .component
                        .as_ref()
                        .is_some_and(|component| component.input_only),
                });
            }
        }
        self.within = above;
        self.record(graph, root, members, &self.asked.name.clone())
    }

    /// The dataset that a component is now, or the datasets of a subset; a composite that was never recorded is recorded with
    /// it, since only what has an identity can be recorded.
    pub(super) fn existing(
        &mut self,
        component: &GraphNode,
        root: &DataId,
    ) -> Result<Vec<(DatasetId, DataId)>> {
        let chain = self.putter.planner.chain;
        let data_id = component.data_id(root);
        if component.is_subset() {
            let found = self.candidates.subset(component, root);
            let may_be_empty = component
                .component
                .as_ref()
                .is_some_and(|component| component.optional || component.allow_empty);
            if found.is_empty() && !may_be_empty {
                return Err(self.component_missing(component, data_id));
            }
            return Ok(found
                .iter()
                .map(|found| (found.record.id, found.record.data_id.clone()))
                .collect());
        }
        if let Some(found) = self.candidates.first(chain, component, &data_id) {
            return Ok(vec![(found.record.id, data_id)]);
        }
        let optional = component
            .component
            .as_ref()
            .is_some_and(|component| component.optional);
        if component.is_composite() {
            let before = self.decision.compositions.len();
            let within = self.within.clone();
            return match self.link(component, root) {
                Err(Error::NotFound { .. }) if optional => {
                    self.decision.compositions.truncate(before);
                    self.within = within;
                    Ok(Vec::new())
                }
                outcome => Ok(vec![(outcome?, data_id)]),
            };
        }
        if optional {
            return Ok(Vec::new());
        }
        Err(self.component_missing(component, data_id))
    }

    pub(super) fn component_missing(&self, component: &GraphNode, data_id: DataId) -> Error {
        let chain = self.putter.planner.chain;
        let place = component.component.as_ref().map_or_else(
            || component.definition.place.clone(),
            |component| component.place.clone(),
        );
        Error::NotFound {
            asked: self.asked.clone(),
            component: Some((
                component.component_name().to_owned(),
                component.dataset_name(),
                data_id.clone(),
                place,
            )),
            composite: self.within.clone(),
            missing: pantler_core::plan::Missing {
                trail: chain
                    .names()
                    .into_iter()
                    .map(|repository| pantler_core::report::TrailStep {
                        repository,
                        dataset: Asked::new(component.dataset_name(), &data_id).to_string(),
                        outcome: "not in its registry".to_owned(),
                    })
                    .collect(),
                recorded: None,
            },
            found: Vec::new(),
            other_stage: None,
        }
    }
}

/// Whether an object is a dataset as it was read, whole and unchanged (rule R23).
fn unchanged_since_read(
    object: &ObjectRef,
    graph: &GraphNode,
    data_id: &DataId,
    found: DatasetId,
) -> bool {
    object.origin().is_some_and(|origin| {
        origin.whole
            && origin.part.is_empty()
            && origin.dataset == found
            && origin.dataset_type == graph.dataset_type
            && origin.data_id == *data_id
    })
}

/// Whether an object is what a node of a plan would read, whole and unchanged since.
pub(super) fn is_from(object: &ObjectRef, node: &PlanNode) -> bool {
    let same_part = |part: &[String]| {
        let canonical = |part: &[String]| -> Vec<String> {
            part.iter()
                .map(|name| synonyms::canonical(name).to_owned())
                .collect()
        };
        canonical(part) == canonical(&node.part)
    };
    object.origin().is_some_and(|origin| {
        origin.whole && node.id() == Some(origin.dataset) && same_part(&origin.part)
    })
}

fn members_difference(old: &[Member], new: &[Member]) -> String {
    let changed: Vec<&str> = new
        .iter()
        .filter(|member| !old.contains(member))
        .map(|member| member.component.as_str())
        .collect();
    if changed.is_empty() {
        "it was recorded with further components".to_owned()
    } else {
        format!("it was recorded with another {}", changed.join(", "))
    }
}

/// Returns the formatter that a type's storage names.
pub(crate) fn formatter_of(putter: &Putter<'_>, graph: &GraphNode) -> Result<Arc<dyn Formatter>> {
    let formatters = putter.planner.formatters;
    let storage = graph
        .definition
        .storage
        .as_deref()
        .ok_or_else(|| Error::Graph {
            asked: Asked::new(&graph.dataset_type, &DataId::default()),
            error: pantler_core::composite_graph::GraphError::Incomplete {
                name: graph.dataset_type.clone(),
                place: graph.definition.place.clone(),
                why: "it has no storage".to_owned(),
            },
        })?;
    formatters
        .get(storage)
        .ok_or_else(|| Error::UnknownStorage {
            dataset_type: graph.dataset_type.clone(),
            storage: storage.to_owned(),
            known: formatters.names().map(str::to_owned).collect(),
            place: Some(graph.definition.place.clone()),
        })
}

/// Prepares the writing of a new artifact: its identity, its path, and who else could own that path.
pub(crate) fn new_write(
    putter: &Putter<'_>,
    graph: &GraphNode,
    data_id: &DataId,
    content: Content,
    bytes: u64,
) -> Result<Write> {
    let chain = putter.planner.chain;
    let template = graph
        .definition
        .template
        .as_ref()
        .ok_or_else(|| Error::request("a type without a template cannot be written"))?;
    let filled = template.fill(data_id).map_err(|error| Error::NoPath {
        asked: putter.asked(graph, data_id),
        template: template.text().to_owned(),
        why: error.to_string(),
    })?;
    let rivals = chain
        .definitions()
        .filter(|(_, other)| other.name != graph.definition.name)
        .filter_map(|(_, other)| Some((other.name.clone(), other.template.clone()?)))
        .filter(|(_, other)| other.can_meet(template))
        .collect();
    Ok(Write {
        id: DatasetId::new(Uuid::now_v7()),
        definition: definition_version(graph),
        data_id: data_id.clone(),
        path: filled.path,
        content,
        bytes,
        modified: None,
        digest: None,
        layout: None,
        replaces: None,
        rivals,
    })
}
