//! Binds recorded compositions: every member by identity, whatever stands under its data ID today (rule R19).

use pantler_core::composite_graph::GraphNode;
use pantler_core::plan::{Assemble, Found as HowFound, Missing, PlanKind, PlanNode};
use pantler_core::policy::Component;
use pantler_core::registry::Member;
use pantler_core::report::TrailStep;
use pantler_core::{DataId, DatasetId, DatasetRecord};

use crate::candidates::Found;
use crate::chain::Chain;
use crate::error::{Asked, Result};

use super::binding::{Binder, assembler_place};
use super::locate;

impl Binder<'_> {
    pub(super) fn recorded(
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
