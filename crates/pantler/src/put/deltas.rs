//! Looks after the components of a composite that are operations on its planes (rule R32).
//!
//! What was before an operation cannot be told from what is after it. So the base is only read, the operation is given by the
//! caller or exists already, and the put is refused if the two do not give the pixels of the object.

use pantler_core::assembler::{ComponentInfo, Slot};
use pantler_core::composite_graph::GraphNode;
use pantler_core::formatter::ReadRequest;
use pantler_core::registry::Member;
use pantler_core::{DataId, DatasetId, ObjectRef, synonyms};
use pantler_objects::Delta;
use pantler_objects::delta::with_plane;

use crate::artifact_source::MemorySource;
use crate::error::{Asked, Error, Result};
use crate::execute::format_error;
use crate::planner::own_class;

use super::artifact::formatter_of;
use super::decide::Decider;
use super::input_only::part_laid_over;
use super::{Content, InputOnly};

/// Returns the operation that a component stands for, if it stands for one.
pub(super) fn delta_of(node: &GraphNode) -> Option<Delta> {
    let apply = node.component.as_ref()?.apply.as_ref()?;
    // What has no meaning is refused when the policy is loaded.
    Delta::of(apply).ok()
}

/// Returns the planes that operations change, each once, in policy order.
pub(super) fn changed_planes(graph: &GraphNode) -> Vec<&'static str> {
    let mut planes = Vec::new();
    for delta in graph.components().iter().filter_map(delta_of) {
        if !planes.contains(&delta.plane()) {
            planes.push(delta.plane());
        }
    }
    planes
}

impl Decider<'_> {
    /// Gives the slots of operations what the caller gave for them, and lets what they change be only read: the object has
    /// neither.
    pub(super) fn fill_deltas(
        &self,
        graph: &GraphNode,
        components: &[&GraphNode],
        infos: &mut [ComponentInfo],
    ) -> Result<()> {
        let planes = changed_planes(graph);
        if self.is_whole() {
            self.check_given(graph)?;
        }
        for (node, info) in components.iter().zip(infos) {
            if delta_of(node).is_some() {
                info.slot = match self.given(&info.name) {
                    Some(object) if self.is_whole() => Slot::One(object),
                    _ => Slot::Empty,
                };
            } else if info.base && !planes.is_empty() {
                info.input_only = true;
            } else if planes.contains(&part_laid_over(node)) {
                info.input_only = true;
                info.slot = Slot::Empty;
            }
        }
        Ok(())
    }

    fn given(&self, name: &str) -> Option<ObjectRef> {
        let mut given = self.options.parts.iter();
        given
            .find(|(known, _)| known == name)
            .map(|(_, object)| object.clone())
    }

    /// Refuses objects for components that are no operations: those come out of the object that is put.
    pub(super) fn check_given(&self, graph: &GraphNode) -> Result<()> {
        for (name, _) in &self.options.parts {
            let is_delta = |node: &&GraphNode| node.component_name() == name;
            let found = graph.components().iter().find(is_delta);
            if found.and_then(delta_of).is_none() {
                let known: Vec<&str> = graph
                    .components()
                    .iter()
                    .filter(|node| delta_of(node).is_some())
                    .map(GraphNode::component_name)
                    .collect();
                return Err(Error::Request {
                    message: format!(
                        "`{name}` of `{}` is no operation that is given beside the object",
                        self.asked.name
                    ),
                    hints: vec![match known.as_slice() {
                        [] => "none of its components has `apply`".to_owned(),
                        known => format!("those are {}", known.join(", ")),
                    }],
                });
            }
        }
        Ok(())
    }

    /// Records an operation that exists already, as nobody gave one.
    pub(super) fn existing_delta(
        &mut self,
        component: &GraphNode,
        info: &ComponentInfo,
        root: &DataId,
    ) -> Result<Vec<(DatasetId, DataId)>> {
        let found = self
            .existing(component, root)
            .map_err(|error| match error {
                Error::NotFound { .. } => Error::NoDelta {
                    asked: self.asked.clone(),
                    component: info.name.clone(),
                    dataset: self.putter.asked(component, &component.data_id(root)),
                    place: component.component.as_ref().map(|own| own.place.clone()),
                },
                other => other,
            })?;
        if !found.is_empty() {
            self.uses(component);
            self.decision.unchanged.push(info.name.clone());
        }
        Ok(found)
    }

    /// Refuses an object whose planes are not what the base and the operations give.
    pub(super) fn check_deltas(
        &self,
        graph: &GraphNode,
        object: &ObjectRef,
        root: &DataId,
        members: &[Member],
    ) -> Result<()> {
        if self.options.input_only == InputOnly::Drop {
            return Ok(());
        }
        for plane in changed_planes(graph) {
            let (carrier, mut after) = self.before(graph, plane, root, members)?;
            let mut operations = Vec::new();
            for node in graph.components() {
                let Some(delta) = delta_of(node).filter(|delta| delta.plane() == plane) else {
                    continue;
                };
                let Some(operand) = self.operand(node, root, members)? else {
                    continue;
                };
                operations.push(node.component_name().to_owned());
                after = delta
                    .apply(&after, &operand)
                    .map_err(|source| Error::Assembly {
                        asked: self.asked.clone(),
                        composite: graph.dataset_type.to_string(),
                        source: pantler_core::assembler::AssemblyError {
                            component: Some(node.component_name().to_owned()),
                            message: source.to_string(),
                            raised: None,
                        },
                    })?;
            }
            let expected = match object.class() {
                "Image" | "Mask" => Ok(after),
                _ => with_plane(object, plane, &after),
            };
            let difference = match expected {
                Ok(expected) => object.difference(expected.as_ref()),
                Err(error) => Some(error.to_string()),
            };
            if let Some(difference) = difference {
                return Err(Error::DeltaDiffers {
                    asked: self.asked.clone(),
                    plane,
                    base: self.putter.asked(carrier, &carrier.data_id(root)),
                    operations,
                    difference,
                });
            }
        }
        Ok(())
    }

    /// A plane before the operations: that of the last component that is laid over it, else that of the base.
    fn before<'a>(
        &self,
        graph: &'a GraphNode,
        plane: &'static str,
        root: &DataId,
        members: &[Member],
    ) -> Result<(&'a GraphNode, ObjectRef)> {
        let base = graph.base().map(GraphNode::component_name);
        let laid_over = graph.components().iter().rev().find(|node| {
            let plain = delta_of(node).is_none() && base != Some(node.component_name());
            plain && part_laid_over(node) == plane
        });
        let Some(carrier) = laid_over.or_else(|| graph.base()) else {
            return Err(Error::request(format!(
                "nothing of `{}` has the {plane} that an operation is to change",
                graph.dataset_type
            )));
        };
        let mut path = carrier.part.clone();
        if laid_over.is_none() && !is_that_plane(carrier, plane) {
            path.push(plane.to_owned());
        }
        let object = self.stored(carrier, root, members, &path)?;
        Ok((carrier, object))
    }

    /// The object of an operation as a get will read it; `None` where it may be lacking, and is.
    fn operand(
        &self,
        node: &GraphNode,
        root: &DataId,
        members: &[Member],
    ) -> Result<Option<ObjectRef>> {
        let Some(member) = member_of(node, members) else {
            return Ok(None);
        };
        let mut writes = self.decision.writes.iter();
        let written = writes.find(|write| write.id == member.dataset);
        if let Some(write) = written
            && let Content::Memory(bytes) = &write.content
        {
            let formatter = formatter_of(self.putter, node)?;
            let asked = Asked::new(node.dataset_name(), &write.data_id);
            let request = ReadRequest {
                class: own_class(node.definition.python.as_deref()),
                ..ReadRequest::default()
            };
            let memory = MemorySource::new(&asked.to_string(), bytes.clone());
            let object = formatter
                .read(&memory, None, &request)
                .map_err(|source| format_error(&asked, source))?;
            return Ok(Some(object));
        }
        if let Some(given) = self.given(node.component_name())
            && node.part.is_empty()
            && self.is_whole()
        {
            return Ok(Some(given));
        }
        self.stored(node, root, members, &node.part).map(Some)
    }

    /// Reads a part of a component as it was decided that the component is.
    fn stored(
        &self,
        node: &GraphNode,
        root: &DataId,
        members: &[Member],
        path: &[String],
    ) -> Result<ObjectRef> {
        let found = member_of(node, members)
            .and_then(|member| self.candidates.by_id(member.dataset))
            .filter(|found| found.record.artifact.is_some());
        match found {
            Some(found) => {
                let path: Vec<&str> = path.iter().map(String::as_str).collect();
                self.load(node, found, &path)
            }
            None => self.execute(self.planned(node, &node.data_id(root), path)?),
        }
    }
}

fn member_of<'a>(node: &GraphNode, members: &'a [Member]) -> Option<&'a Member> {
    let mut members = members.iter();
    members.find(|member| member.component == node.component_name())
}

/// Whether a base is no exposure but the plane itself.
fn is_that_plane(base: &GraphNode, plane: &str) -> bool {
    match base.part.last() {
        Some(part) => synonyms::canonical(part) == plane,
        None => matches!(
            own_class(base.definition.python.as_deref()).as_deref(),
            Some("Image" | "Mask")
        ),
    }
}
