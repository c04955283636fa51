//! What a dataset was made from, as whoever puts it says (rule R34), and what a link knows of the place of its parts.

use pantler_core::composite_graph::GraphNode;
use pantler_core::object::downcast;
use pantler_core::policy::RecordedIds;
use pantler_core::registry::Member;
use pantler_core::{DataId, ObjectRef};
use pantler_objects::{Bbox, Wcs};

use crate::error::{Error, Result};
use crate::named_inputs::listed;
use crate::query::identity;
use crate::resolve::{Resolved, resolve, typed};
use crate::sky_facts::{Facts, footprint};

use super::decide::Decider;

impl Decider<'_> {
    /// Finds what the caller named: each must exist and have an identity, which is recorded beside its data ID.
    pub(super) fn find_inputs(&mut self, graph: &GraphNode) -> Result<()> {
        let planner = &self.putter.planner;
        for (name, data_id) in &self.options.inputs {
            let component = graph
                .components()
                .iter()
                .find(|node| node.is_recorded() && node.component_name() == name);
            let mut resolved = match component {
                Some(component) => Resolved {
                    asked: crate::error::Asked::new(component.dataset_name(), data_id),
                    dataset_type: component.dataset_type.clone(),
                    part: Vec::new(),
                    data_id: typed(planner.chain, self.asked, data_id)?,
                    tag: None,
                },
                None => resolve(planner.chain, name, data_id)?,
            };
            resolved.part.clear();
            let plan = planner.plan(&resolved)?;
            // A name of a type stands for the component that takes datasets of it.
            let component = component.or_else(|| {
                graph
                    .components()
                    .iter()
                    .find(|node| node.is_recorded() && node.dataset_type == resolved.dataset_type)
            });
            self.inputs.push(Member {
                component: component
                    .map_or(name.as_str(), GraphNode::component_name)
                    .to_owned(),
                dataset: identity(planner, &resolved)?,
                dataset_type: resolved.dataset_type,
                data_id: plan.root.data_id,
                part: component.map_or_else(Vec::new, |node| node.part.clone()),
                input_only: true,
            });
        }
        Ok(())
    }

    /// Adds the members of a component whose data IDs are recorded.
    pub(super) fn recorded_component(
        &mut self,
        node: &GraphNode,
        metadata: &dyn Fn() -> Option<ObjectRef>,
        members: &mut Vec<Member>,
    ) -> Result<()> {
        let name = node.component_name();
        let (mut own, others) = std::mem::take(&mut self.inputs)
            .into_iter()
            .partition::<Vec<Member>, _>(|member| member.component == name);
        self.inputs = others;
        if own.is_empty() {
            own = self.named_members(node, metadata)?;
        }
        let may_lack = node
            .component
            .as_ref()
            .is_some_and(|component| component.optional || component.allow_empty);
        if own.is_empty() && !may_lack {
            return Err(Error::Unsupported {
                message: format!(
                    "`{name}` of `{}` is what it was made from, and nothing was named",
                    self.asked.name
                ),
                hints: vec![format!(
                    "name each: --made-from {} key=value…",
                    node.dataset_type
                )]
                .into_iter()
                .chain(entry_of(node))
                .collect(),
            });
        }
        if !node.is_subset() && own.len() > 1 {
            return Err(Error::request(format!(
                "`{name}` is one dataset, and {} were named; `subset: true` makes it a list",
                own.len()
            )));
        }
        if !own.is_empty() {
            self.uses(node);
            self.decision.input_only.push(name.to_owned());
        }
        members.extend(own);
        Ok(())
    }

    /// The members that the object's own metadata list; each must exist and have an identity.
    fn named_members(
        &self,
        node: &GraphNode,
        metadata: &dyn Fn() -> Option<ObjectRef>,
    ) -> Result<Vec<Member>> {
        let component = node.component.as_ref();
        let Some(RecordedIds::Metadata(entry)) = component.and_then(|own| own.data_ids.as_ref())
        else {
            return Ok(Vec::new());
        };
        let planner = &self.putter.planner;
        let Some(metadata) = metadata() else {
            return Ok(Vec::new());
        };
        let may_lack = component.is_some_and(|own| own.optional);
        let mut members = Vec::new();
        for data_id in listed(planner.chain, self.asked, &metadata, entry)?.unwrap_or_default() {
            let resolved = Resolved {
                asked: crate::error::Asked::new(node.dataset_name(), &data_id),
                dataset_type: node.dataset_type.clone(),
                part: Vec::new(),
                data_id,
                tag: None,
            };
            let found = planner
                .plan(&resolved)
                .and_then(|plan| Ok((plan, identity(planner, &resolved)?)));
            let (plan, dataset) = match found {
                Err(Error::NotFound { .. }) if may_lack => continue,
                found => found?,
            };
            members.push(Member {
                component: node.component_name().to_owned(),
                dataset,
                dataset_type: resolved.dataset_type,
                data_id: plan.root.data_id,
                part: node.part.clone(),
                input_only: true,
            });
        }
        Ok(members)
    }

    /// Takes what was named and is no component of the composite.
    pub(super) fn take_precursors(&mut self) -> Vec<Member> {
        if self.within.is_some() {
            return Vec::new();
        }
        std::mem::take(&mut self.inputs)
    }

    /// Where a composite that is linked lies on the sky, from the coordinates and the extent that it is assembled with.
    pub(super) fn facts_of_parts(&self, graph: &GraphNode, root: &DataId) -> Facts {
        let read = |part: &str| -> Option<ObjectRef> {
            let planned = self.planned(graph, root, &[part.to_owned()]).ok()?;
            self.execute(planned).ok()
        };
        let is_image = graph.definition.python.as_deref().is_some_and(|python| {
            matches!(
                crate::planner::own_class(Some(python)).as_deref(),
                Some("Exposure" | "MaskedImage" | "Image")
            )
        });
        let place = || {
            let (wcs, bbox) = (read("wcs")?, read("bbox")?);
            footprint(
                downcast::<Wcs>(wcs.as_ref()),
                downcast::<Bbox>(bbox.as_ref()),
            )
        };
        Facts {
            metadata: DataId::default(),
            footprint: is_image.then(place).flatten(),
        }
    }
}

/// What else could have told what a dataset was made from.
fn entry_of(node: &GraphNode) -> Option<String> {
    match node.component.as_ref()?.data_ids.as_ref()? {
        RecordedIds::Metadata(entry) => Some(format!(
            "or list them in the object's own metadata, as {entry}"
        )),
        RecordedIds::AtPut => None,
    }
}
