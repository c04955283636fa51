//! Decides a link, and what of a put is only recorded: parts that exist already.

use pantler_core::composite_graph::GraphNode;
use pantler_core::registry::Member;
use pantler_core::{DataId, DatasetId, ObjectRef};

use crate::candidates::Found;
use crate::error::{Asked, Error, Result};

use super::decide::Decider;

impl Decider<'_> {
    /// Decides a link: every component must exist, and is only recorded.
    pub(super) fn link(&mut self, graph: &GraphNode, root: &DataId) -> Result<DatasetId> {
        self.uses(graph);
        let above = self.within.replace(graph.dataset_type.clone());
        let mut members = Vec::new();
        for component in graph.components() {
            self.uses(component);
            if component.is_recorded() {
                let metadata = self.header_of_base(graph, root);
                self.recorded_component(component, &|| metadata.clone(), &mut members)?;
                continue;
            }
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
        let facts = self.facts_of_parts(graph, root);
        self.record(graph, root, members, &self.asked.name.clone(), facts)
    }

    /// The metadata of a composite that is linked, if it has any.
    fn header_of_base(&self, graph: &GraphNode, root: &DataId) -> Option<ObjectRef> {
        let base = graph.base()?;
        let planned = self.planned(base, &base.data_id(root), &base.part).ok()?;
        self.putter.planner.header_of(&planned).ok().flatten()
    }

    /// The dataset that a component is now, or the datasets of a subset; a composite that was never recorded is recorded with
    /// it, since only what has an identity can be recorded.
    pub(super) fn existing(
        &mut self,
        component: &GraphNode,
        root: &DataId,
    ) -> Result<Vec<(DatasetId, DataId)>> {
        let data_id = component.data_id(root);
        if component.is_subset() {
            let mut found = self
                .candidates
                .subset(self.putter.planner.chain, component, root);
            for one in &mut found {
                let data_id = one.record.data_id.clone();
                if let Some(chosen) = self.chosen(component, &data_id)? {
                    *one = chosen;
                }
            }
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
        if let Some(found) = self.chosen(component, &data_id)? {
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

    /// What a get would find for a component: siblings that differ are an error here as well (rule R17).
    fn chosen(&self, component: &GraphNode, data_id: &DataId) -> Result<Option<Found>> {
        let planner = &self.putter.planner;
        let all = self.candidates.all(planner.chain, component, data_id);
        crate::siblings::choose(planner, self.asked, Some(component.component_name()), &all)
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
                may_lack: false,
            },
            found: Vec::new(),
            other_stage: None,
        }
    }
}
