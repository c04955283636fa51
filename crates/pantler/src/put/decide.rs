//! Decides what a put will do: per component new, unchanged, input only, or refused. It writes nothing.

use std::sync::Arc;

use pantler_core::assembler::{ComponentInfo, Disassembler, Slot};
use pantler_core::composite_graph::{GraphKind, GraphNode};
use pantler_core::plan::{Found as HowFound, Plan, PlanNode};
use pantler_core::python_type::{PythonType, python_type};
use pantler_core::registry::{Member, State};
use pantler_core::{DataId, DatasetId, Import, ImportRole, Imports, ObjectRef, TypeName, synonyms};
use rayon::prelude::*;
use uuid::Uuid;

use crate::assemble::{Attached, generic};
use crate::candidates::{Candidates, Found};
use crate::error::{Asked, Error, Result};
use crate::execute::{Conversions, Executor, check_supported};
use crate::identity::{self, Recorded};
use crate::imported::{failed, is_import_path};
use crate::parameters::Parameters;
use crate::planner::check_found;
use crate::resolve::Resolved;
use crate::sky_facts::Facts;

use super::{Composition, Decision, PutOptions, Putter, definition_version};

/// Decides one put.
pub(super) struct Decider<'a> {
    pub(super) putter: &'a Putter<'a>,
    pub(super) asked: &'a Asked,
    pub(super) candidates: Candidates,
    pub(super) options: &'a PutOptions,
    pub(super) decision: Decision,
    depth: usize,
    /// What the dataset was made from, by the name that it was given under (rule R34).
    pub(super) inputs: Vec<Member>,
    /// The composite whose components are being looked at.
    pub(super) within: Option<TypeName>,
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
            inputs: Vec::new(),
            within: None,
        }
    }

    /// Whether what is being taken apart is what was put, and not a composite in it.
    pub(super) fn is_whole(&self) -> bool {
        self.depth == 0
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
        check_supported(&graph.definition)?;
        self.check_possible(graph)?;
        self.check_class(graph, object)?;
        match &graph.kind {
            GraphKind::File => self.file(graph, object, root, label),
            GraphKind::Composite(components) => {
                self.composite(graph, components, object, root, label)
            }
        }
    }

    pub(super) fn uses(&mut self, graph: &GraphNode) {
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
            Some(PythonType::Foreign(path)) if self.is_judged_by_class(graph) => {
                let (imports, import) = self.follow(graph, ImportRole::Class, path)?;
                imports
                    .check_class(&import, object)
                    .map_err(|source| failed(&import, source))
            }
            Some(PythonType::Own(class)) if class != object.class() => {
                Err(Error::request(format!(
                    "objects of `{}` are of class {class}, and what is put is of class {}",
                    graph.dataset_type,
                    object.class()
                )))
            }
            _ => Ok(()),
        }
    }

    /// Whether what is put must be of the class that the policy names: unless plug-ins are named, which judge for themselves.
    fn is_judged_by_class(&self, graph: &GraphNode) -> bool {
        graph.composite().is_none_or(|composite| {
            composite.assembler.is_none() && composite.disassembler.is_none()
        })
    }

    /// Refuses what nobody could read again, what is made and never stored, and code that may not run.
    fn check_possible(&self, graph: &GraphNode) -> Result<()> {
        let definition = &graph.definition;
        let plugins = self.putter.executor.plugins;
        plugins.check_lasting(definition)?;
        if let Some(path) = &definition.virtual_reader {
            return Err(Error::ReadOnly {
                name: definition.name.to_string(),
                place: Some(definition.place.clone()),
                components: Vec::new(),
                why: format!("`{path}` makes it from the data ID alone"),
                instead: Vec::new(),
            });
        }
        if plugins.imports().is_some()
            && let Some(storage) = &definition.storage
            && is_import_path(storage)
        {
            self.follow(graph, ImportRole::Storage, storage)?;
        }
        Ok(())
    }

    pub(super) fn follow(
        &self,
        graph: &GraphNode,
        role: ImportRole,
        path: &str,
    ) -> Result<(&'a Arc<dyn Imports>, Import)> {
        let chain = self.putter.planner.chain;
        let plugins = self.putter.executor.plugins;
        plugins.follow(chain, &graph.dataset_type, role, path, None)
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

    /// Reads a dataset as it is stored: before a standardizer runs on it.
    pub(super) fn load_stored(&self, graph: &GraphNode, found: &Found) -> Result<ObjectRef> {
        let node = self.putter.planner.read_node(
            self.asked,
            None,
            Some(&graph.definition),
            found,
            HowFound::Directly,
        )?;
        let executor = Executor {
            conversions: Conversions::ClassAlone,
            ..self.putter.executor
        };
        executor.execute(&self.plan_of(node), &Parameters::default())
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
            tag: None,
        };
        let plan = planner.plan(&wanted)?;
        check_found(&plan, &wanted, planner.chain)?;
        Ok(plan.root)
    }

    pub(super) fn execute(&self, root: PlanNode) -> Result<ObjectRef> {
        let plan = self.plan_of(root);
        self.putter.executor.execute(&plan, &Parameters::default())
    }

    fn plan_of(&self, root: PlanNode) -> Plan {
        Plan {
            name: self.asked.name.clone(),
            repositories: self.putter.planner.chain.plan_repositories(),
            root,
        }
    }

    fn composite(
        &mut self,
        graph: &GraphNode,
        components: &[GraphNode],
        object: &ObjectRef,
        root: &DataId,
        label: &str,
    ) -> Result<DatasetId> {
        // What was recorded is no piece of the object.
        let (recorded, components): (Vec<&GraphNode>, Vec<&GraphNode>) =
            components.iter().partition(|node| node.is_recorded());
        let mut infos = self.taken_apart(graph, &components, object, root)?;
        self.fill_deltas(graph, &components, &mut infos)?;
        let mut members = Vec::new();
        let above = self.within.replace(graph.dataset_type.clone());
        self.depth += 1;
        for (component, info) in components.iter().zip(&mut infos) {
            self.component(graph, component, info, object, root, &mut members)?;
        }
        self.depth -= 1;
        self.within = above;
        self.check_deltas(graph, object, root, &members)?;
        let metadata = || object.component("metadata");
        for component in recorded {
            self.recorded_component(component, &metadata, &mut members)?;
        }
        let facts = Facts::of_object(&graph.definition, object);
        self.record(graph, root, members, label, facts)
    }

    /// Fills a slot per component, by the composite's disassembler.
    fn taken_apart(
        &self,
        graph: &GraphNode,
        components: &[&GraphNode],
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
        let python = graph.definition.python.as_deref();
        let named = |name: &str| -> Result<Arc<dyn Disassembler>> {
            match plugins.disassembler(name) {
                Some(disassembler) => Ok(disassembler.clone()),
                None => {
                    let (imports, import) = self.follow(graph, ImportRole::Disassembler, name)?;
                    Ok(imports.disassembler(&import))
                }
            }
        };
        let disassembler = match (assembler, disassembler) {
            (_, Some(name)) => named(name)?,
            (Some(assembler), None) => return Err(self.read_only(graph, assembler)),
            (None, None) => match python.map(python_type) {
                Some(PythonType::Foreign(path)) => {
                    let (imports, import) = self.follow(graph, ImportRole::Class, path)?;
                    imports.disassembler(&import)
                }
                _ => named(generic(base.is_some(), python))?,
            },
        };
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
                    apply: component.and_then(|component| component.apply.clone()),
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
        for info in &mut infos {
            if let Slot::One(object) = &mut info.slot {
                // What is attached to it are other components.
                *object = Attached::bare(object);
            }
        }
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
        if info.apply.is_some() && matches!(info.slot, Slot::Empty) {
            for (id, data_id) in self.existing_delta(component, info, root)? {
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
            origin.whole
                && !origin.standardized
                && origin.dataset == found.record.id
                && origin.part == component.part
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
    pub(super) fn record(
        &mut self,
        graph: &GraphNode,
        root: &DataId,
        members: Vec<Member>,
        label: &str,
        facts: Facts,
    ) -> Result<DatasetId> {
        let data_id = graph.data_id(root);
        let chain = self.putter.planner.chain;
        let existing = self.candidates.first(chain, graph, &data_id).cloned();
        let before = existing
            .as_ref()
            .map_or(&[][..], |existing| &existing.record.members);
        let members = self.with_identities(members, before)?;
        let decided = self.decision.compositions.iter().find(|other| {
            other.definition.dataset_type == graph.dataset_type && other.data_id == data_id
        });
        if let Some(decided) = decided
            && decided.members == members
        {
            return Ok(decided.id);
        }
        let mut replaces = None;
        if let Some(existing) = existing {
            if existing.record.members == members {
                if self.depth > 0 || self.decision.writes.is_empty() {
                    self.decision.unchanged.push(label.to_owned());
                }
                let id = existing.record.id;
                let known = &mut self.decision.identities;
                known.note_composition(&graph.dataset_type, &data_id, &members, id);
                return Ok(id);
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
        let identities = &self.decision.identities;
        let known = identities.of_composition(&graph.dataset_type, &data_id, &members);
        let id = self
            .usable(known)?
            .unwrap_or_else(|| DatasetId::new(Uuid::now_v7()));
        let identities = &mut self.decision.identities;
        identities.note_composition(&graph.dataset_type, &data_id, &members, id);
        let precursors = if self.depth == 0 {
            self.take_precursors()
        } else {
            Vec::new()
        };
        self.decision.compositions.push(Composition {
            facts,
            precursors,
            id,
            definition: definition_version(graph),
            data_id,
            members,
            here,
            replaces,
            state: State::Current,
        });
        Ok(id)
    }
}

impl Decider<'_> {
    /// Gives members the identities to record, which those of folders without an index get only now (rule R19). One that was
    /// recorded before under an identity that it still has, keeps that.
    fn with_identities(&self, members: Vec<Member>, before: &[Member]) -> Result<Vec<Member>> {
        let chain = self.putter.planner.chain;
        let settle = |mut member: Member| {
            let Some(found) = self.candidates.by_id(member.dataset) else {
                return Ok(member);
            };
            let open = chain.repository(found.repository);
            let earlier = before.iter().find(|earlier| {
                earlier.component == member.component
                    && earlier.data_id == member.data_id
                    && earlier.dataset_type == member.dataset_type
            });
            match earlier {
                Some(earlier) if identity::is(open, &found.record, &Recorded::of(earlier))? => {
                    member.dataset = earlier.dataset;
                }
                _ => member.dataset = identity::of(open, &found.record)?,
            }
            Ok(member)
        };
        members.into_par_iter().map(settle).collect()
    }

    /// Returns the identity by which others know a dataset that this put found or will write.
    pub(super) fn identity(&self, id: DatasetId) -> Result<DatasetId> {
        match self.candidates.by_id(id) {
            Some(found) => {
                let chain = self.putter.planner.chain;
                identity::of(chain.repository(found.repository), &found.record)
            }
            None => Ok(id),
        }
    }
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
        origin.whole
            && !origin.standardized
            && node.id() == Some(origin.dataset)
            && same_part(&origin.part)
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
