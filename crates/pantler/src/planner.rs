//! From a resolved name to a plan: finds every part in the chain, in one pass, and binds it.
//!
//! It reads registries, never artifacts. Where a composition was recorded, its record decides; else search order does.

use std::sync::Arc;

use pantler_core::composite_graph::{GraphError, GraphKind, GraphNode};
use pantler_core::formatter::ReadRequest;
use pantler_core::plan::{Assemble, Found as HowFound, Missing, Plan, PlanKind, PlanNode, Read};
use pantler_core::policy::{Component, Definition};
use pantler_core::python_type::{PythonType, python_type};
use pantler_core::registry::Member;
use pantler_core::report::TrailStep;
use pantler_core::template::Template;
use pantler_core::{DataId, DatasetId, DatasetRecord, Location, TypeName, synonyms};
use pantler_formats::FormatterSet;

use crate::candidates::{Candidates, Found};
use crate::chain::Chain;
use crate::complete::complete;
use crate::error::{Asked, Error, Result};
use crate::resolve::{Resolved, check_keys};

/// Whether recorded compositions count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Composition {
    /// A recorded composition wins over lookup.
    #[default]
    Recorded,
    /// Records are ignored.
    Lookup,
}

/// Makes plans over one chain.
#[derive(Clone, Copy)]
pub struct Planner<'a> {
    /// Where is looked.
    pub chain: &'a Chain,
    /// What knows where parts lie in artifacts.
    pub formatters: &'a FormatterSet,
    /// Whether recorded compositions count.
    pub composition: Composition,
}

impl Planner<'_> {
    /// Plans a get. Parts that are not found are marked as such; whoever needs them calls [`check_found`].
    pub fn plan(&self, resolved: &Resolved) -> Result<Plan> {
        let graph = self.graph(resolved)?;
        check_keys(self.chain, &resolved.asked, &resolved.data_id, &graph.keys)?;
        let candidates = Candidates::find(self.chain, &graph, &resolved.data_id)?;
        let data_id = complete(
            self.chain,
            &candidates,
            &graph,
            &resolved.asked,
            &resolved.data_id,
        )?;
        self.bind_root(resolved, &graph, candidates, &data_id)
    }

    /// Builds the graph of a resolved name.
    pub fn graph(&self, resolved: &Resolved) -> Result<GraphNode> {
        GraphNode::build(self.chain, &resolved.dataset_type, &[]).map_err(|error| match error {
            GraphError::UnknownType { name, needed_by } => Error::UnknownType {
                asked: resolved.asked.clone(),
                similar: None,
                looked_in: self
                    .chain
                    .repositories()
                    .iter()
                    .map(|repository| {
                        (
                            repository.name().to_owned(),
                            repository.policy().definitions().count(),
                        )
                    })
                    .collect(),
                stages: Vec::new(),
                name: name.to_string(),
                needed_by,
            },
            error => Error::Graph {
                asked: resolved.asked.clone(),
                error,
            },
        })
    }

    fn bind_root(
        &self,
        resolved: &Resolved,
        graph: &GraphNode,
        candidates: Candidates,
        data_id: &DataId,
    ) -> Result<Plan> {
        let mut binder = Binder {
            planner: self,
            asked: &resolved.asked,
            candidates,
        };
        let mut root = binder.bind(graph, data_id)?;
        if let PlanKind::Read(read) = &mut root.kind {
            read.found = HowFound::Directly;
        }
        // The data ID as the caller ordered it.
        root.data_id = data_id.clone();
        for component in &resolved.part {
            root = self.select(root, component)?;
        }
        Ok(Plan {
            name: resolved.asked.name.clone(),
            repositories: self.chain.plan_repositories(),
            root,
        })
    }

    /// Binds a dataset that is one artifact: where it lies and as what it is to be read.
    pub(crate) fn read_node(
        &self,
        asked: &Asked,
        component: Option<&Component>,
        definition: Option<&Definition>,
        found: &Found,
        how: HowFound,
    ) -> Result<PlanNode> {
        let record = &found.record;
        let (location, hdu) = locate(record, asked)?;
        // The type that is asked for may read another type's artifact as a class of its own (rule R8).
        let dataset_type = definition.map_or(record.dataset_type(), |definition| &definition.name);
        let python = definition
            .and_then(|definition| definition.python.clone())
            .or_else(|| record.definition.python.clone());
        let mut node = PlanNode {
            component: component.cloned(),
            dataset_type: dataset_type.clone(),
            part: Vec::new(),
            overridden: Vec::new(),
            data_id: record.data_id.clone(),
            kind: PlanKind::Read(Box::new(Read {
                repository: found.repository,
                record: record.clone(),
                location,
                hdu,
                class: own_class(python.as_deref()),
                ranges: None,
                bytes: 0,
                found: how,
            })),
            python,
        };
        self.locate_part(&mut node);
        Ok(node)
    }

    /// Narrows a node to one of its parts: a declared component, else what its base has, else what the assembled whole has
    /// (rule R10).
    pub fn select(&self, mut node: PlanNode, part: &str) -> Result<PlanNode> {
        match &mut node.kind {
            PlanKind::Assemble(assemble) if node.part.is_empty() => {
                let wanted = synonyms::canonical(part);
                let declared = assemble.components.iter().position(|component| {
                    synonyms::canonical(component.component_name()) == wanted
                });
                match (declared, assemble.base) {
                    (Some(index), _) => Ok(assemble.components.swap_remove(index)),
                    (None, Some(base)) => {
                        let overridden: Vec<String> = assemble
                            .components
                            .iter()
                            .enumerate()
                            .filter(|(index, _)| *index != base)
                            .map(|(_, node)| synonyms::canonical(node.component_name()).to_owned())
                            .collect();
                        let mut selected =
                            self.select(assemble.components.swap_remove(base), part)?;
                        selected.overridden.extend(overridden);
                        Ok(selected)
                    }
                    (None, None) => {
                        node.part.push(part.to_owned());
                        Ok(node)
                    }
                }
            }
            PlanKind::Subset(nodes) => {
                let selected: Result<Vec<PlanNode>> = std::mem::take(nodes)
                    .into_iter()
                    .map(|node| self.select(node, part))
                    .collect();
                node.kind = PlanKind::Subset(selected?);
                Ok(node)
            }
            _ => {
                node.part.push(part.to_owned());
                self.locate_part(&mut node);
                Ok(node)
            }
        }
    }

    /// Fills in where the node's part lies, if the layout tells.
    fn locate_part(&self, node: &mut PlanNode) {
        let PlanKind::Read(read) = &mut node.kind else {
            return;
        };
        let (Some(artifact), Some(storage)) =
            (&read.record.artifact, &read.record.definition.storage)
        else {
            return;
        };
        read.bytes = artifact.bytes;
        read.ranges = None;
        let request = ReadRequest {
            part: node.part.clone(),
            class: read.class.clone(),
            hdu: read.hdu,
            ..ReadRequest::default()
        };
        if let (Some(layout), Some(formatter)) = (&artifact.layout, self.formatters.get(storage))
            && let Some(place) = formatter.locate(layout, &request)
        {
            read.bytes = place.bytes();
            read.ranges = Some(place.ranges);
        }
    }
}

/// Binds the nodes of one graph.
struct Binder<'a> {
    planner: &'a Planner<'a>,
    asked: &'a Asked,
    candidates: Candidates,
}

impl Binder<'_> {
    fn chain(&self) -> &Chain {
        self.planner.chain
    }

    fn bind(&mut self, graph: &GraphNode, root: &DataId) -> Result<PlanNode> {
        if graph.is_subset() {
            return self.bind_subset(graph, root);
        }
        let data_id = graph.data_id(root);
        let found = self
            .candidates
            .first(self.planner.chain, graph, &data_id)
            .cloned();
        let recorded = self.planner.composition == Composition::Recorded;
        let mut node = match (&graph.kind, found) {
            (_, Some(found)) if found.record.artifact.is_some() => self.planner.read_node(
                self.asked,
                graph.component.as_ref(),
                Some(&graph.definition),
                &found,
                HowFound::Lookup,
            )?,
            (_, Some(found)) if recorded && !found.record.members.is_empty() => self.recorded(
                Some(graph),
                graph.component.as_ref(),
                &found,
                HowFound::Lookup,
            )?,
            (GraphKind::Composite(components), _) => self.by_lookup(graph, components, root)?,
            (GraphKind::File, _) => {
                missing(graph, data_id.clone(), self.trail(graph, &data_id), None)
            }
        };
        node.data_id = data_id;
        node.component = graph.component.clone();
        self.narrow(node, &graph.part)
    }

    /// A component that is a part of another type (rule R12).
    fn narrow(&self, mut node: PlanNode, part: &[String]) -> Result<PlanNode> {
        let component = node.component.clone();
        for name in part {
            node = self.planner.select(node, name)?;
        }
        node.component = component;
        Ok(node)
    }

    fn by_lookup(
        &mut self,
        graph: &GraphNode,
        components: &[GraphNode],
        root: &DataId,
    ) -> Result<PlanNode> {
        let mut nodes = Vec::new();
        for component in components {
            nodes.push(self.bind(component, root)?);
        }
        let base = graph.base().and_then(|base| {
            components
                .iter()
                .position(|node| node.component_name() == base.component_name())
        });
        Ok(composite_node(
            graph,
            nodes,
            base,
            graph.policy,
            None,
            HowFound::Lookup,
        ))
    }

    fn bind_subset(&mut self, graph: &GraphNode, root: &DataId) -> Result<PlanNode> {
        let constraint = graph.data_id(root);
        let mut found: Vec<Found> = Vec::new();
        for candidate in self.candidates.of_type(&graph.dataset_type) {
            let fits = candidate.record.data_id.contains(&constraint);
            let known = found
                .iter()
                .any(|other| other.record.data_id == candidate.record.data_id);
            if fits && !known {
                found.push(candidate.clone());
            }
        }
        found.sort_by(|a, b| a.record.data_id.cmp(&b.record.data_id));
        if found.is_empty() {
            let component = graph.component.as_ref();
            if !component.is_some_and(|component| component.allow_empty) {
                return Ok(missing(
                    graph,
                    constraint.clone(),
                    self.trail(graph, &constraint),
                    None,
                ));
            }
        }
        let mut nodes = Vec::new();
        for each in &found {
            let node = self.bind_found(Some(graph), None, each, HowFound::Lookup)?;
            nodes.push(self.narrow(node, &graph.part)?);
        }
        Ok(PlanNode {
            component: graph.component.clone(),
            dataset_type: graph.dataset_type.clone(),
            part: graph.part.clone(),
            overridden: Vec::new(),
            data_id: constraint,
            python: graph.definition.python.clone(),
            kind: PlanKind::Subset(nodes),
        })
    }

    /// Binds a dataset that is known already, as what its row says it is, whatever the policy says today (rule R6).
    fn bind_found(
        &mut self,
        graph: Option<&GraphNode>,
        component: Option<&Component>,
        found: &Found,
        how: HowFound,
    ) -> Result<PlanNode> {
        if found.record.artifact.is_some() {
            self.planner.read_node(
                self.asked,
                component,
                graph.map(|graph| graph.definition.as_ref()),
                found,
                how,
            )
        } else {
            self.recorded(graph, component, found, how)
        }
    }

    fn recorded(
        &mut self,
        graph: Option<&GraphNode>,
        component: Option<&Component>,
        found: &Found,
        _how: HowFound,
    ) -> Result<PlanNode> {
        let record = found.record.clone();
        let ids: Vec<DatasetId> = record.members.iter().map(|member| member.dataset).collect();
        self.candidates.fetch(self.planner.chain, &ids)?;
        let mut nodes = Vec::new();
        for (name, members) in by_component(&record.members) {
            let child = graph.and_then(|graph| {
                graph
                    .components()
                    .iter()
                    .find(|node| node.component_name() == name)
            });
            let component = child
                .and_then(|child| child.component.clone())
                .unwrap_or_else(|| recorded_component(name, &members));
            nodes.push(self.recorded_component(child, component, &members)?);
        }
        let base = graph
            .and_then(GraphNode::base)
            .and_then(|base| {
                nodes
                    .iter()
                    .position(|node| node.component_name() == base.component_name())
            })
            .or_else(|| recorded_base(&record, &nodes));
        let definition = graph.map(|graph| graph.definition.as_ref());
        Ok(PlanNode {
            component: component.cloned(),
            dataset_type: record.dataset_type().clone(),
            part: Vec::new(),
            overridden: Vec::new(),
            data_id: record.data_id.clone(),
            python: definition
                .and_then(|definition| definition.python.clone())
                .or_else(|| record.definition.python.clone()),
            kind: PlanKind::Assemble(Box::new(Assemble {
                repository: found.repository,
                assembler: record.definition.assembler.clone().or_else(|| {
                    definition
                        .and_then(|definition| definition.composite.as_ref()?.assembler.clone())
                }),
                assembler_place: definition.and_then(assembler_place),
                record: Some(record),
                components: nodes,
                base,
                found: HowFound::Recorded { newer: None },
            })),
        })
    }

    fn recorded_component(
        &mut self,
        graph: Option<&GraphNode>,
        component: Component,
        members: &[&Member],
    ) -> Result<PlanNode> {
        let mut nodes = Vec::new();
        for member in members {
            let node = match self.candidates.by_id(member.dataset).cloned() {
                Some(found) => {
                    let how = HowFound::Recorded {
                        newer: self.newer(graph, member),
                    };
                    let mut node = self.bind_found(graph, Some(&component), &found, how)?;
                    node.data_id = member.data_id.clone();
                    for name in &member.part {
                        node = self.planner.select(node, name)?;
                    }
                    node
                }
                None => PlanNode {
                    component: None,
                    dataset_type: member.dataset_type.clone(),
                    part: member.part.clone(),
                    overridden: Vec::new(),
                    data_id: member.data_id.clone(),
                    python: graph.and_then(|graph| graph.definition.python.clone()),
                    kind: PlanKind::Missing(Box::new(Missing {
                        trail: gone_trail(self.chain(), member),
                        recorded: Some(member.dataset),
                    })),
                },
            };
            nodes.push(node);
        }
        let mut node = match (component.subset, nodes.len()) {
            (false, 1) => nodes.remove(0),
            _ => PlanNode {
                component: None,
                dataset_type: members[0].dataset_type.clone(),
                part: members[0].part.clone(),
                overridden: Vec::new(),
                data_id: DataId::default(),
                python: graph.and_then(|graph| graph.definition.python.clone()),
                kind: PlanKind::Subset(nodes),
            },
        };
        node.component = Some(component);
        Ok(node)
    }

    /// Names the candidate that lookup would find instead of a recorded member (rule R19).
    fn newer(&self, graph: Option<&GraphNode>, member: &Member) -> Option<String> {
        let graph = graph?;
        let found = self
            .candidates
            .first(self.planner.chain, graph, &member.data_id)?;
        if found.record.id == member.dataset {
            return None;
        }
        let repository = self.chain().repository(found.repository);
        let (location, _) = locate(&found.record, self.asked).ok()?;
        Some(repository.shown(&location))
    }

    fn trail(&self, graph: &GraphNode, data_id: &DataId) -> Vec<TrailStep> {
        let dataset = Asked::new(graph.dataset_name(), data_id).to_string();
        self.chain()
            .repositories()
            .iter()
            .map(|repository| TrailStep {
                repository: repository.name().to_owned(),
                dataset: dataset.clone(),
                outcome: if repository
                    .policy()
                    .definition(&graph.dataset_type)
                    .is_some()
                {
                    "not in its registry".to_owned()
                } else {
                    format!("its policy does not define {}", graph.dataset_type)
                },
            })
            .collect()
    }
}

/// Returns where a dataset's artifact lies: where the registry says, else where its template puts it.
pub fn locate(record: &DatasetRecord, asked: &Asked) -> Result<(Location, Option<u32>)> {
    let definition = &record.definition;
    let no_path = |why: String| Error::NoPath {
        asked: asked.clone(),
        template: definition.template.clone().unwrap_or_default(),
        why,
    };
    let template = definition
        .template
        .as_deref()
        .ok_or_else(|| no_path("it has no template".to_owned()))?;
    let template = Template::parse(template).map_err(|error| no_path(error.to_string()))?;
    let explicit = record
        .artifact
        .as_ref()
        .and_then(|artifact| artifact.location.clone());
    if let Some(location) = &explicit
        && !template.has_hdu()
    {
        return Ok((location.clone(), None));
    }
    let filled = template
        .fill(&record.data_id)
        .map_err(|error| no_path(error.to_string()))?;
    Ok((
        explicit.unwrap_or(Location::Inside(filled.path)),
        filled.hdu,
    ))
}

/// Returns the class of pantler's own that a policy's `python` names.
pub fn own_class(python: Option<&str>) -> Option<String> {
    match python_type(python?) {
        PythonType::Own(class) => Some(class.to_owned()),
        PythonType::Foreign(_) => None,
    }
}

/// Fails if something that the node needs was not found.
pub fn check_found(plan: &Plan, resolved: &Resolved, chain: &Chain) -> Result<()> {
    let asked = &resolved.asked;
    let Some((node, missing)) = plan.root.first_missing() else {
        return Ok(());
    };
    let dataset = Asked::new(node_name(node), &node.data_id);
    if let Some(id) = missing.recorded {
        return Err(Error::RecordedGone {
            asked: asked.clone(),
            component: node.component_name().to_owned(),
            dataset,
            id,
            looked_in: chain.names(),
        });
    }
    let component = node.component.as_ref().map(|component| {
        (
            component.name.clone(),
            dataset.name.clone(),
            node.data_id.clone(),
            component.place.clone(),
        )
    });
    let found = plan
        .root
        .children()
        .iter()
        .filter_map(|child| match &child.kind {
            PlanKind::Read(read) => Some((
                child.component_name().to_owned(),
                chain.repository(read.repository).name().to_owned(),
            )),
            _ => None,
        })
        .collect();
    let other_stage = match (&plan.root.kind, &node.component) {
        (PlanKind::Assemble(assemble), Some(component)) => assemble
            .base
            .map(|base| &assemble.components[base])
            .filter(|base| base.component_name() != component.name)
            .map(|base| format!("{} of {}", component.name, node_name(base))),
        _ => None,
    };
    Err(Error::NotFound {
        asked: asked.clone(),
        component,
        composite: node.component.is_some().then(|| {
            parent_of(&plan.root, node)
                .unwrap_or(&resolved.dataset_type)
                .clone()
        }),
        missing: missing.clone(),
        found,
        other_stage,
    })
}

/// Returns the type of the composite that a node of the plan is a component of; `None` for the root, which may be one as well.
fn parent_of<'a>(above: &'a PlanNode, node: &PlanNode) -> Option<&'a TypeName> {
    above.children().iter().find_map(|child| {
        if std::ptr::eq(child, node) {
            Some(&above.dataset_type)
        } else {
            parent_of(child, node)
        }
    })
}

/// Returns a node's dataset type and part as a name.
pub fn node_name(node: &PlanNode) -> String {
    pantler_core::composite_graph::name_of_part(&node.dataset_type, &node.part)
}

fn composite_node(
    graph: &GraphNode,
    components: Vec<PlanNode>,
    base: Option<usize>,
    repository: usize,
    record: Option<Arc<DatasetRecord>>,
    found: HowFound,
) -> PlanNode {
    PlanNode {
        component: graph.component.clone(),
        dataset_type: graph.dataset_type.clone(),
        part: Vec::new(),
        overridden: Vec::new(),
        data_id: DataId::default(),
        python: graph.definition.python.clone(),
        kind: PlanKind::Assemble(Box::new(Assemble {
            repository,
            record,
            assembler: graph
                .composite()
                .and_then(|composite| composite.assembler.clone()),
            assembler_place: assembler_place(&graph.definition),
            components,
            base,
            found,
        })),
    }
}

fn assembler_place(definition: &Definition) -> Option<String> {
    let place = definition.composite.as_ref()?.assembler_place.as_ref()?;
    Some(place.to_string())
}

fn missing(
    graph: &GraphNode,
    data_id: DataId,
    trail: Vec<TrailStep>,
    recorded: Option<DatasetId>,
) -> PlanNode {
    PlanNode {
        component: graph.component.clone(),
        dataset_type: graph.dataset_type.clone(),
        part: graph.part.clone(),
        overridden: Vec::new(),
        data_id,
        python: graph.definition.python.clone(),
        kind: PlanKind::Missing(Box::new(Missing { trail, recorded })),
    }
}

fn gone_trail(chain: &Chain, member: &Member) -> Vec<TrailStep> {
    chain
        .names()
        .into_iter()
        .map(|repository| TrailStep {
            repository,
            dataset: Asked::new(&member.dataset_type, &member.data_id).to_string(),
            outcome: format!("no dataset {}", member.dataset),
        })
        .collect()
}

/// Groups members by component, in the order in which the components first appear.
fn by_component(members: &[Member]) -> Vec<(&str, Vec<&Member>)> {
    let mut groups: Vec<(&str, Vec<&Member>)> = Vec::new();
    for member in members {
        match groups
            .iter_mut()
            .find(|(name, _)| *name == member.component)
        {
            Some((_, group)) => group.push(member),
            None => groups.push((&member.component, vec![member])),
        }
    }
    groups
}

/// A component as its record alone describes it, where the policy no longer does.
fn recorded_component(name: &str, members: &[&Member]) -> Component {
    Component {
        name: name.to_owned(),
        place: pantler_core::policy::Place {
            file: "the recorded composition".into(),
            line: 1,
            column: 1,
        },
        dataset_type: pantler_core::DatasetName {
            base: members[0].dataset_type.base().to_owned(),
            stage: match members[0].dataset_type.stage() {
                Some(stage) => pantler_core::Stage::Named(stage.to_owned()),
                None => pantler_core::Stage::Unqualified,
            },
            components: members[0].part.clone(),
        },
        setter: None,
        getter: None,
        subset: members.len() > 1,
        input_only: members[0].input_only,
        optional: false,
        base: false,
        allow_empty: false,
        data_id: Vec::new(),
        data_ids: None,
        apply: None,
    }
}

fn recorded_base(record: &DatasetRecord, nodes: &[PlanNode]) -> Option<usize> {
    let python = record.definition.python.as_deref()?;
    nodes
        .iter()
        .position(|node| node.part.is_empty() && node.python.as_deref() == Some(python))
}
