//! Binds the nodes of a graph to what exists: by type and data ID, in search order, unless a composition was recorded.

use std::sync::Arc;

use pantler_core::composite_graph::{GraphKind, GraphNode};
use pantler_core::plan::{Assemble, Found as HowFound, Missing, PlanKind, PlanNode};
use pantler_core::policy::{Component, Definition, RecordedIds};
use pantler_core::report::TrailStep;
use pantler_core::{DataId, DatasetId, DatasetRecord};

use crate::candidates::{Candidates, Found};
use crate::chain::Chain;
use crate::complete::complete;
use crate::error::{Asked, Result};
use crate::named_inputs::listed;

use super::{Composition, Planner};

/// Binds the nodes of one graph.
pub(super) struct Binder<'a> {
    pub(super) planner: &'a Planner<'a>,
    pub(super) asked: &'a Asked,
    pub(super) candidates: Candidates,
}

impl Binder<'_> {
    pub(super) fn chain(&self) -> &Chain {
        self.planner.chain
    }

    pub(super) fn bind(&mut self, graph: &GraphNode, root: &DataId) -> Result<PlanNode> {
        if graph.is_recorded() {
            return Ok(self.never_recorded(graph));
        }
        if graph.is_subset() {
            return self.bind_subset(graph, root);
        }
        let data_id = graph.data_id(root);
        let found = self.find(graph, &data_id)?;
        let recorded = self.planner.composition == Composition::Recorded;
        let mut node = match (&graph.kind, found) {
            (_, Some(found)) if found.record.artifact.is_some() => self.planner.read_node(
                self.asked,
                graph.component.as_ref(),
                Some(&graph.definition),
                &found,
                HowFound::Lookup,
            )?,
            (_, Some(found)) if recorded && found.record.artifact.is_none() => self.recorded(
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
        node.data_id = data_id.clone();
        node.component = graph.component.clone();
        // An optional composite of which a part is lacking is absent as a whole, not put together from the rest.
        let optional = node.component.as_ref().is_some_and(|own| own.optional);
        if optional
            && let Some((_, lacking)) = node.first_missing()
            && lacking.recorded.is_none()
        {
            let trail = lacking.trail.clone();
            return Ok(missing(graph, data_id, trail, None));
        }
        self.narrow(node, &graph.part)
    }

    /// The dataset that search order decides for; of a component, unless siblings differ (rule R17).
    fn find(&self, graph: &GraphNode, data_id: &DataId) -> Result<Option<Found>> {
        let chain = self.planner.chain;
        if graph.component.is_none() {
            return Ok(self.candidates.first(chain, graph, data_id).cloned());
        }
        let mut all = self.candidates.all(chain, graph, data_id);
        if self.planner.composition == Composition::Lookup && graph.is_composite() {
            // Records are ignored, so they cannot contradict each other either (rule R19).
            all.retain(|found| found.record.artifact.is_some());
        }
        crate::siblings::choose(self.planner, self.asked, Some(graph.component_name()), &all)
    }

    /// A component whose data IDs are recorded (rule R34), of a composite that was not.
    fn never_recorded(&self, graph: &GraphNode) -> PlanNode {
        let component = graph.component.as_ref();
        let may_lack = component.is_some_and(|own| own.allow_empty || own.optional);
        let trail = TrailStep {
            repository: self.chain().repository(graph.policy).name().to_owned(),
            dataset: graph.dataset_name(),
            outcome: "its data IDs are recorded when the composite is put, and it was not"
                .to_owned(),
        };
        let mut node = missing(graph, DataId::default(), vec![trail], None);
        if may_lack {
            node.kind = PlanKind::Subset(Vec::new());
        }
        node
    }

    /// A component whose data IDs stand in the metadata of the base (rule R34).
    fn bind_named(
        &mut self,
        graph: &GraphNode,
        component: &GraphNode,
        entry: &str,
        nodes: &[PlanNode],
    ) -> Result<PlanNode> {
        let base = graph.base().map(GraphNode::component_name);
        let base = nodes
            .iter()
            .find(|node| Some(node.component_name()) == base);
        let metadata = match base {
            Some(base) => self.planner.header_of(base)?,
            None => None,
        };
        let listed = match &metadata {
            Some(metadata) => listed(self.chain(), self.asked, metadata, entry)?,
            None => None,
        };
        let Some(data_ids) = listed else {
            let mut node = self.never_recorded(component);
            if let PlanKind::Missing(missing) = &mut node.kind {
                for step in &mut missing.trail {
                    step.outcome =
                        format!("its data IDs stand in {entry}, which the metadata lack");
                }
            }
            return Ok(node);
        };
        self.found_by(component, &data_ids)
    }

    /// The datasets of a component under data IDs that are known from elsewhere; what is not there is said to be missing.
    fn found_by(&mut self, component: &GraphNode, data_ids: &[DataId]) -> Result<PlanNode> {
        let chain = self.chain();
        let graph = GraphNode::build(chain, &component.dataset_type, &[]);
        let graph = graph.map_err(|error| crate::error::Error::Graph {
            asked: self.asked.clone(),
            error,
        })?;
        let own = component.component.as_ref();
        let may_lack = own.is_some_and(|own| own.optional);
        let mut binder = Binder {
            planner: self.planner,
            asked: self.asked,
            candidates: Candidates::find_each(chain, &graph, data_ids)?,
        };
        let mut found = Vec::new();
        for data_id in data_ids {
            let complete = complete(chain, &binder.candidates, &graph, self.asked, data_id);
            let data_id = complete.unwrap_or_else(|_| data_id.clone());
            let mut node = binder.bind(&graph, &data_id)?;
            node.data_id = data_id;
            if let PlanKind::Missing(missing) = &mut node.kind {
                missing.may_lack = may_lack;
            }
            found.push(self.narrow(node, &component.part)?);
        }
        if !component.is_subset() && found.len() == 1 {
            let mut only = found.remove(0);
            only.component = own.cloned();
            return Ok(only);
        }
        if !component.is_subset() && !found.is_empty() {
            return Err(crate::error::Error::request(format!(
                "`{}` is one dataset, and {} are listed; `subset: true` makes it a list",
                component.component_name(),
                found.len()
            )));
        }
        let mut node = missing(component, DataId::default(), Vec::new(), None);
        node.kind = PlanKind::Subset(found);
        Ok(node)
    }

    /// A component that is a part of another type (rule R12).
    fn narrow(&self, mut node: PlanNode, part: &[String]) -> Result<PlanNode> {
        // What was looked for as a part is missing as that part.
        if let PlanKind::Missing(missing) = &node.kind
            && missing.recorded.is_none()
            && node.part == part
        {
            return Ok(node);
        }
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
        for (index, component) in components.iter().enumerate() {
            if let Some(entry) = named_in(component) {
                nodes[index] = self.bind_named(graph, component, entry, &nodes)?;
            }
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
        let mut found = self.candidates.subset(self.chain(), graph, root);
        for one in &mut found {
            if let Some(chosen) = self.find(graph, &one.record.data_id)? {
                *one = chosen;
            }
        }
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
    pub(super) fn bind_found(
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

    fn trail(&self, graph: &GraphNode, data_id: &DataId) -> Vec<TrailStep> {
        let dataset = Asked::new(graph.dataset_name(), data_id).to_string();
        self.chain()
            .repositories()
            .iter()
            .map(|repository| TrailStep {
                repository: repository.name().to_owned(),
                dataset: dataset.clone(),
                outcome: repository.why_absent(&graph.dataset_type, data_id),
            })
            .collect()
    }
}

/// The metadata entry that lists a component's data IDs.
fn named_in(node: &GraphNode) -> Option<&str> {
    match node.component.as_ref()?.data_ids.as_ref()? {
        RecordedIds::Metadata(entry) => Some(entry),
        RecordedIds::AtPut => None,
    }
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

pub(super) fn assembler_place(definition: &Definition) -> Option<String> {
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
        kind: PlanKind::Missing(Box::new(Missing {
            trail,
            recorded,
            may_lack: false,
        })),
    }
}
