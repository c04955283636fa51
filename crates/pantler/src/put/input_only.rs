//! Looks after input-only components: what is only read must be what it claims to be, or it would be lost (rule R24).

use pantler_core::assembler::{ComponentInfo, Slot};
use pantler_core::composite_graph::GraphNode;
use pantler_core::plan::{Found as HowFound, PlanKind, PlanNode};
use pantler_core::{DataId, DatasetId, ObjectRef, Origin, synonyms};

use crate::assemble::{overlaid_part, without_overridden};
use crate::candidates::Found;
use crate::error::{Error, Result};
use crate::identity::Recorded;

use super::InputOnly;
use super::decide::{Decider, is_from};
use super::deltas::delta_of;

impl Decider<'_> {
    /// Returns the datasets that an input-only component is recorded as: one, or all of a subset; none for an optional one
    /// that is absent.
    pub(super) fn input_only(
        &mut self,
        graph: &GraphNode,
        component: &GraphNode,
        info: &ComponentInfo,
        object: &ObjectRef,
        root: &DataId,
    ) -> Result<Vec<(DatasetId, DataId)>> {
        let data_id = component.data_id(root);
        let overridden = overridden_parts(graph, info);
        // The engine looks at the base itself, whatever the disassembler left in the slot.
        let parts = match (&info.slot, info.base) {
            (_, true) => base_parts(&overridden, object),
            (Slot::One(part), false) => vec![(String::new(), part.clone())],
            (Slot::Many(_) | Slot::Empty, false) => Vec::new(),
        };
        if self.options.input_only == InputOnly::Drop {
            self.check_data_ids(component, info, &data_id, &parts)?;
            return self.existing(component, root);
        }
        if let (Slot::Many(given), true) = (&info.slot, component.is_subset()) {
            self.compare_subset(component, info, given, root)?;
        }
        if parts.is_empty() || component.is_subset() {
            return self.existing(component, root);
        }
        if component.is_composite() {
            self.check_data_ids(component, info, &data_id, &parts)?;
            self.compare_composite(component, info, &data_id, &parts, &overridden)?;
            return self.existing(component, root);
        }
        let found = self
            .candidates
            .first(self.putter.planner.chain, component, &data_id)
            .cloned();
        let claimed = self.claimed(component, info, &data_id, &parts)?;
        let known = match claimed {
            Some(id) if found.as_ref().is_none_or(|found| found.record.id != id) => {
                let claimed = Recorded {
                    id,
                    dataset_type: component.dataset_type.clone(),
                    data_id: data_id.clone(),
                };
                self.candidates
                    .fetch(self.putter.planner.chain, &[claimed])?;
                self.candidates.by_id(id).cloned()
            }
            _ => found,
        };
        let Some(found) = known else {
            return Err(self.component_missing(component, data_id));
        };
        self.compare(component, info, &data_id, &parts, &found, &overridden)?;
        Ok(vec![(found.record.id, data_id)])
    }

    /// Refuses parts that come from another data ID, which no caller can mean.
    fn check_data_ids(
        &self,
        component: &GraphNode,
        info: &ComponentInfo,
        data_id: &DataId,
        parts: &[(String, ObjectRef)],
    ) -> Result<()> {
        let origins = parts.iter().filter_map(|(_, part)| part.origin());
        for origin in origins {
            if !origin.data_id.agrees_with(data_id) {
                let why = origin_differs(origin);
                return Err(self.refused(component, info, data_id, why, false));
            }
        }
        Ok(())
    }

    /// Compares the parts of a composite that is only read with what a get of each would give.
    fn compare_composite(
        &self,
        component: &GraphNode,
        info: &ComponentInfo,
        data_id: &DataId,
        parts: &[(String, ObjectRef)],
        overridden: &[String],
    ) -> Result<()> {
        let refuse = |why: String| Err(self.refused(component, info, data_id, why, true));
        for (name, part) in parts {
            let mut path = component.part.clone();
            path.extend((!name.is_empty()).then(|| name.clone()));
            let planned = self.planned(component, data_id, &path)?;
            if is_from(part, &planned) {
                continue;
            }
            let bare = |part: &ObjectRef| without_overridden(part.clone(), overridden);
            let stored = self.execute(planned)?;
            if let Some(difference) = bare(part).difference(bare(&stored).as_ref()) {
                return refuse(match name.as_str() {
                    "" | "metadata" => difference,
                    name if difference.starts_with(name) => difference,
                    name => format!("{name} {difference}"),
                });
            }
        }
        let planned = self.planned(component, data_id, &component.part)?;
        match self.part_that_is_lacking(&planned, parts, overridden) {
            Some(name) if info.base => refuse(format!("it lacks {name}, which the stored one has")),
            _ => Ok(()),
        }
    }

    /// Compares the objects of a subset that is only read with what is stored: as many, and each the same.
    fn compare_subset(
        &self,
        component: &GraphNode,
        info: &ComponentInfo,
        given: &[(DataId, ObjectRef)],
        root: &DataId,
    ) -> Result<()> {
        let data_id = component.data_id(root);
        let refuse = |why: String| Err(self.refused(component, info, &data_id, why, true));
        let stored = self
            .candidates
            .subset(self.putter.planner.chain, component, root);
        let extra = given.iter().find(|(own, _)| {
            let mut stored = stored.iter();
            !stored.any(|found| found.record.data_id == *own)
        });
        if let Some((own, _)) = extra {
            return refuse(format!("{own} is not there"));
        }
        for found in &stored {
            let own = &found.record.data_id;
            let Some((_, object)) = given.iter().find(|(given, _)| given == own) else {
                return refuse(format!("it lacks {own}, which is stored"));
            };
            let planned = self.planned(component, own, &component.part)?;
            if is_from(object, &planned) {
                continue;
            }
            if let Some(difference) = object.difference(self.execute(planned)?.as_ref()) {
                return refuse(format!("{own}: {difference}"));
            }
        }
        Ok(())
    }

    /// A plane or component that the stored base has and the object has not; layouts tell, so nothing is read.
    fn part_that_is_lacking(
        &self,
        base: &PlanNode,
        parts: &[(String, ObjectRef)],
        overridden: &[String],
    ) -> Option<String> {
        let given = |name: &str| {
            parts
                .iter()
                .any(|(known, _)| synonyms::canonical(known) == name)
        };
        self.held_by(base)
            .into_iter()
            .find(|name| !given(name) && !is_overridden(overridden, name))
    }

    /// The planes and components that a stored exposure is known to have; those in its header are compared with the header.
    fn held_by(&self, node: &PlanNode) -> Vec<String> {
        let class = crate::planner::own_class(node.python.as_deref());
        let only_planes = match class.as_deref() {
            Some("Exposure") => false,
            Some("MaskedImage") => true,
            _ => return Vec::new(),
        };
        if !node.part.is_empty() {
            return Vec::new();
        }
        let mut held = match &node.kind {
            PlanKind::Read(read) => {
                let layout = read.record.artifact.as_ref();
                let layout = layout.and_then(|artifact| artifact.layout.as_deref());
                let storage = read.record.definition.storage.as_deref();
                let formatter = storage.and_then(|name| self.putter.planner.formatters.get(name));
                match (formatter, layout) {
                    (Some(formatter), Some(layout)) => formatter.held(layout).unwrap_or_default(),
                    _ => Vec::new(),
                }
            }
            PlanKind::Assemble(assemble) => assemble
                .base
                .map(|base| self.held_by(&assemble.components[base]))
                .unwrap_or_default(),
            PlanKind::Subset(_) | PlanKind::Missing(_) => Vec::new(),
        };
        held.retain(|name| !only_planes || matches!(name.as_str(), "image" | "mask" | "variance"));
        held
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
                let why = origin_differs(origin);
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
        let stored = self.putter.planner.read_node(
            self.asked,
            None,
            Some(&component.definition),
            found,
            HowFound::Directly,
        )?;
        if info.base
            && let Some(name) = self.part_that_is_lacking(&stored, parts, overridden)
        {
            let why = format!("it lacks {name}, which the stored one has");
            return Err(self.refused(component, info, data_id, why, true));
        }
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
        let mut path: Vec<&str> = component.part.iter().map(String::as_str).collect();
        // A new WCS alone makes a new header; reading the old header is cheap, reading the pixels is not.
        if let [(name, part)] = unknown.as_slice()
            && name == "metadata"
        {
            path.push("metadata");
            let stored = self.load(component, found, &path)?;
            let bare = |part: &ObjectRef| without_overridden(part.clone(), overridden);
            return match bare(part).difference(bare(&stored).as_ref()) {
                Some(difference) => refuse(difference),
                None => Ok(()),
            };
        }
        let stored = self.load(component, found, &path)?;
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
                    name if difference.starts_with(name) => difference,
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
        .filter(|node| node.component_name() != info.name)
        .map(|node| delta_of(node).map_or_else(|| part_laid_over(node), |delta| delta.plane()))
        .chain(["bbox"])
        .map(str::to_owned)
        .collect()
}

/// The part of the base that a component is laid over.
pub(super) fn part_laid_over(node: &GraphNode) -> &str {
    let component = node.component.as_ref();
    let setter = component.and_then(|component| component.setter.as_deref());
    let getter = component.and_then(|component| component.getter.as_deref());
    overlaid_part(node.component_name(), setter, getter)
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

fn origin_differs(origin: &Origin) -> String {
    format!("its origin is {} {}", origin.dataset_type, origin.data_id)
}

fn same_part(origin: &Origin, component: &GraphNode, name: &str) -> bool {
    if origin.standardized {
        return false;
    }
    let canonical = |part: &String| synonyms::canonical(part).to_owned();
    let own: Vec<String> = origin.part.iter().map(canonical).collect();
    let path: Vec<String> = component.part.iter().map(canonical).collect();
    match own.strip_prefix(path.as_slice()) {
        Some([]) => name.is_empty(),
        Some([only]) => only == synonyms::canonical(name),
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
