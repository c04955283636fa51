//! Binds recorded compositions: every member by identity, whatever stands under its data ID today (rule R19).

use pantler_core::composite_graph::GraphNode;
use pantler_core::plan::{Assemble, Found as HowFound, Missing, PlanKind, PlanNode};
use pantler_core::policy::Component;
use pantler_core::registry::Member;
use pantler_core::report::TrailStep;
use pantler_core::{DataId, DatasetRecord};

use crate::candidates::Found;
use crate::chain::Chain;
use crate::error::{Asked, Result};
use crate::identity::Recorded;
use crate::recorded_definition::{RecordedComponent, RecordedDefinition};
use crate::taken_part::ids_of_member;

use super::binding::{Binder, assembler_place};
use super::locate;

impl Binder<'_> {
    pub(super) fn recorded(
        &mut self,
        graph: Option<&GraphNode>,
        component: Option<&Component>,
        found: &Found,
        how: HowFound,
    ) -> Result<PlanNode> {
        let record = found.record.clone();
        self.fetch(&record.members)?;
        let written = RecordedDefinition::of_record(&record);
        let mut nodes = Vec::new();
        for (name, members) in by_component(&record.members) {
            let child = graph.and_then(|graph| child_of(graph, name));
            let component = component_as_written(child, written.as_ref(), name)
                .unwrap_or_else(|| recorded_component(name, &members));
            nodes.push(self.recorded_component(child, component, &members)?);
        }
        if let Some(written) = &written {
            let place = |name: &str| written.components.iter().position(|one| one.name == name);
            nodes.extend(absent(graph, written, &record));
            nodes.sort_by_key(|node| place(node.component_name()));
        }
        let base = match &written {
            Some(written) => written.base.clone(),
            None => graph
                .and_then(GraphNode::base)
                .map(|base| base.component_name().to_owned()),
        };
        let base = nodes
            .iter()
            .position(|node| Some(node.component_name()) == base.as_deref())
            .or_else(|| match &written {
                Some(_) => None,
                None => recorded_base(&record, &nodes),
            });
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
                    let today = definition.filter(|_| written.is_none());
                    today.and_then(|definition| definition.composite.as_ref()?.assembler.clone())
                }),
                assembler_place: definition.and_then(assembler_place),
                record: Some(record),
                components: nodes,
                base,
                found: match how {
                    HowFound::Recorded { .. } => how,
                    _ => HowFound::Recorded { newer: None },
                },
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
        // What was removed since is an error, unless the policy says that it may be lacking (rule R34).
        let may_lack = component.optional && component.data_ids.is_some();
        for member in members {
            let mut ids = ids_of_member(member);
            let found = ids.find_map(|id| self.candidates.by_id(id).cloned());
            let node = match found {
                Some(found) => {
                    let how = HowFound::Recorded {
                        newer: self.newer(graph, member),
                    };
                    let own = self.graph_of(graph, member);
                    let same = graph.filter(|graph| graph.dataset_type == member.dataset_type);
                    // One of many has no name of its own.
                    let filled = (!component.subset).then_some(&component);
                    let mut node = self.bind_found(own.as_ref().or(same), filled, &found, how)?;
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
                        may_lack,
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

    /// Asks for members: for each by its identity, then for the parts of those that are not there.
    fn fetch(&mut self, members: &[Member]) -> Result<()> {
        let chain = self.planner.chain;
        let wholes: Vec<Recorded> = members.iter().map(Recorded::of).collect();
        self.candidates.fetch(chain, &wholes)?;
        let lacking = |member: &&Member| self.candidates.by_id(member.dataset).is_none();
        let parts: Vec<Recorded> = members
            .iter()
            .filter(lacking)
            .flat_map(|member| {
                let whole = Recorded::of(member);
                let ids = ids_of_member(member).skip(1);
                ids.map(move |id| Recorded {
                    id,
                    ..whole.clone()
                })
            })
            .collect();
        if parts.is_empty() {
            return Ok(());
        }
        self.candidates.fetch(chain, &parts)
    }

    /// What a member is made of, where the policy has come to name another type in its place.
    fn graph_of(&self, graph: Option<&GraphNode>, member: &Member) -> Option<GraphNode> {
        if graph.is_some_and(|graph| graph.dataset_type == member.dataset_type) {
            return None;
        }
        GraphNode::build(self.chain(), &member.dataset_type, &[]).ok()
    }

    /// Names the candidate that lookup would find instead of a recorded member (rule R19).
    fn newer(&self, graph: Option<&GraphNode>, member: &Member) -> Option<String> {
        let graph = graph?;
        let found = self
            .candidates
            .first(self.planner.chain, graph, &member.data_id)?;
        // One whose identity was derived goes by another here.
        let recorded = ids_of_member(member).find_map(|id| self.candidates.by_id(id));
        if recorded.is_some_and(|recorded| recorded.record.id == found.record.id) {
            return None;
        }
        let repository = self.chain().repository(found.repository);
        match locate(&found.record, self.asked) {
            Ok((location, _)) if found.record.artifact.is_some() => {
                Some(repository.shown(&location))
            }
            // A composite lies nowhere by itself.
            _ => Some(repository.name().to_owned()),
        }
    }
}

fn child_of<'a>(graph: &'a GraphNode, name: &str) -> Option<&'a GraphNode> {
    let mut components = graph.components().iter();
    components.find(|node| node.component_name() == name)
}

/// A component as it was defined when the composite was put; where the policy has it still, it stands where that says.
fn component_as_written(
    child: Option<&GraphNode>,
    written: Option<&RecordedDefinition>,
    name: &str,
) -> Option<Component> {
    let today = child.and_then(|child| child.component.clone());
    let written = written
        .and_then(|written| written.components.iter().find(|one| one.name == name))
        .and_then(RecordedComponent::component);
    match (today, written) {
        (Some(today), Some(written)) => Some(Component {
            setter: written.setter,
            getter: written.getter,
            subset: written.subset,
            input_only: written.input_only,
            apply: written.apply,
            ..today
        }),
        (today, written) => written.or(today),
    }
}

/// The components that were absent when the composite was put: they are absent still, whatever has appeared since.
fn absent(
    graph: Option<&GraphNode>,
    written: &RecordedDefinition,
    record: &DatasetRecord,
) -> Vec<PlanNode> {
    let is_there = |name: &str| {
        let mut members = record.members.iter();
        members.any(|member| member.component == name)
    };
    let lacking = written.components.iter().filter(|one| !is_there(&one.name));
    lacking
        .filter_map(|one| {
            let child = graph.and_then(|graph| child_of(graph, &one.name));
            let component = component_as_written(child, Some(written), &one.name)?;
            let dataset_type = component.dataset_type.type_name();
            let kind = if one.subset {
                PlanKind::Subset(Vec::new())
            } else {
                PlanKind::Missing(Box::new(Missing {
                    trail: Vec::new(),
                    recorded: None,
                    may_lack: false,
                }))
            };
            Some(PlanNode {
                dataset_type,
                part: component.dataset_type.components.clone(),
                overridden: Vec::new(),
                data_id: DataId::default(),
                python: None,
                kind,
                component: Some(Component {
                    optional: true,
                    ..component
                }),
            })
        })
        .collect()
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
