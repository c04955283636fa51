//! Looks after input-only components: what is only read must be what it claims to be, or it would be lost (rule R24).

use pantler_core::assembler::{ComponentInfo, Slot};
use pantler_core::composite_graph::GraphNode;
use pantler_core::{DataId, DatasetId, ObjectRef, Origin, synonyms};

use crate::assemble::without_overridden;
use crate::candidates::Found;
use crate::error::{Error, Result};

use super::InputOnly;
use super::decide::Decider;

impl Decider<'_> {
    /// Returns the dataset that an input-only component is recorded as; `None` for an optional one that is absent.
    pub(super) fn input_only(
        &mut self,
        graph: &GraphNode,
        component: &GraphNode,
        info: &ComponentInfo,
        object: &ObjectRef,
        root: &DataId,
    ) -> Result<Option<DatasetId>> {
        let data_id = component.data_id(root);
        let found = self
            .candidates
            .first(self.putter.planner.chain, component, &data_id)
            .cloned();
        if self.options.input_only == InputOnly::Drop
            || component.is_subset()
            || component.is_composite()
        {
            return self.by_lookup(component, root);
        }
        let overridden = overridden_parts(graph, info);
        // The engine looks at the base itself, whatever the disassembler left in the slot.
        let parts = match (&info.slot, info.base) {
            (_, true) => base_parts(&overridden, object),
            (Slot::One(part), false) => vec![(String::new(), part.clone())],
            _ => return self.by_lookup(component, root),
        };
        let claimed = self.claimed(component, info, &data_id, &parts)?;
        let known = match claimed {
            Some(id) if found.as_ref().is_none_or(|found| found.record.id != id) => {
                self.candidates.fetch(self.putter.planner.chain, &[id])?;
                self.candidates.by_id(id).cloned()
            }
            _ => found,
        };
        let Some(found) = known else {
            return Err(self.component_missing(component, data_id));
        };
        self.compare(component, info, &data_id, &parts, &found, &overridden)?;
        Ok(Some(found.record.id))
    }

    fn by_lookup(&mut self, component: &GraphNode, root: &DataId) -> Result<Option<DatasetId>> {
        Ok(self
            .existing(component, root)?
            .into_iter()
            .next()
            .map(|(id, _)| id))
    }

    /// The dataset that the parts say they come from; an error if it is not the one that they should come from.
    fn claimed(
        &self,
        component: &GraphNode,
        info: &ComponentInfo,
        data_id: &DataId,
        parts: &[(String, ObjectRef)],
    ) -> Result<Option<DatasetId>> {
        let mut claimed: Option<&Origin> = None;
        for origin in parts.iter().filter_map(|(_, part)| part.origin()) {
            if origin.dataset_type != component.dataset_type || origin.data_id != *data_id {
                let why = format!("its origin is {} {}", origin.dataset_type, origin.data_id);
                return Err(self.refused(component, info, data_id, why, false));
            }
            if !origin.whole {
                let why = "only a piece of it was read, and the rest would be lost".to_owned();
                return Err(self.refused(component, info, data_id, why, true));
            }
            if claimed.is_some_and(|other| other.dataset != origin.dataset) {
                let why = "its parts come from two different versions of it".to_owned();
                return Err(self.refused(component, info, data_id, why, true));
            }
            claimed = Some(origin);
        }
        Ok(claimed.map(|origin| origin.dataset))
    }

    /// Compares the parts that do not say where they come from with what is stored.
    fn compare(
        &self,
        component: &GraphNode,
        info: &ComponentInfo,
        data_id: &DataId,
        parts: &[(String, ObjectRef)],
        found: &Found,
        overridden: &[String],
    ) -> Result<()> {
        let unknown: Vec<&(String, ObjectRef)> = parts
            .iter()
            .filter(|(name, part)| {
                !part
                    .origin()
                    .is_some_and(|origin| same_part(origin, component, name))
            })
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let refuse = |why: String| Err(self.refused(component, info, data_id, why, true));
        // A new WCS alone makes a new header; reading the old header is cheap, reading the pixels is not.
        if let [(name, part)] = unknown.as_slice()
            && name == "metadata"
        {
            let stored = self.load(component, found, &["metadata"])?;
            let bare = |part: &ObjectRef| without_overridden(part.clone(), overridden);
            return match bare(part).difference(bare(&stored).as_ref()) {
                Some(difference) => refuse(difference),
                None => Ok(()),
            };
        }
        let stored = self.load(component, found, &[])?;
        for (name, part) in &unknown {
            let stored_part = if name.is_empty() {
                Some(stored.clone())
            } else {
                stored.component(name)
            };
            // Apart from what the other components put into the headers.
            let bare = |part: &ObjectRef| without_overridden(part.clone(), overridden);
            let difference = match stored_part {
                None if is_header_carried(part) => None,
                None => Some(format!("it has {name}, which the stored one lacks")),
                Some(other) => bare(part).difference(bare(&other).as_ref()),
            };
            if let Some(difference) = difference {
                return refuse(match name.as_str() {
                    "" | "metadata" => difference,
                    name => format!("{name} {difference}"),
                });
            }
        }
        let lost = stored.component_names().into_iter().find(|name| {
            info.base
                && !is_overridden(overridden, name)
                && !parts.iter().any(|(known, _)| known == name)
                && !stored
                    .component(name)
                    .is_some_and(|part| is_header_carried(&part))
        });
        match lost {
            Some(name) => refuse(format!("it lacks {name}, which the stored one has")),
            None => Ok(()),
        }
    }

    fn refused(
        &self,
        component: &GraphNode,
        info: &ComponentInfo,
        data_id: &DataId,
        why: String,
        can_drop: bool,
    ) -> Error {
        Error::InputOnly {
            asked: self.asked.clone(),
            component: info.name.clone(),
            expected: self.putter.asked(component, data_id),
            why,
            can_drop,
        }
    }
}

/// The parts that other components of the composite provide, and those that merely follow from others.
fn overridden_parts(graph: &GraphNode, info: &ComponentInfo) -> Vec<String> {
    graph
        .components()
        .iter()
        .map(GraphNode::component_name)
        .filter(|name| *name != info.name)
        .chain(["bbox"])
        .map(|name| synonyms::canonical(name).to_owned())
        .collect()
}

fn is_overridden(overridden: &[String], name: &str) -> bool {
    overridden
        .iter()
        .any(|other| other == synonyms::canonical(name))
}

/// The parts of an object that come from its base: all that no other component overrides.
fn base_parts(overridden: &[String], object: &ObjectRef) -> Vec<(String, ObjectRef)> {
    object
        .component_names()
        .into_iter()
        .filter(|name| !is_overridden(overridden, name))
        .filter_map(|name| object.component(&name).map(|part| (name, part)))
        .collect()
}

fn same_part(origin: &Origin, component: &GraphNode, name: &str) -> bool {
    let inside = origin.part.strip_prefix(component.part.as_slice());
    match inside {
        Some([]) => name.is_empty(),
        Some([only]) => synonyms::canonical(only) == synonyms::canonical(name),
        _ => false,
    }
}

/// Whether a component is only another view of header cards, which are compared as the header that they are.
fn is_header_carried(part: &ObjectRef) -> bool {
    use pantler_core::object::downcast;
    use pantler_objects::{Component, VisitInfo};
    let part = part.as_ref();
    downcast::<VisitInfo>(part)
        .map(VisitInfo::carrier)
        .or_else(|| downcast::<Component>(part).map(Component::carrier))
        .is_some_and(|carrier| carrier.header().is_some())
}
