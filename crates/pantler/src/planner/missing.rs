//! Says what a plan lacks, and where was looked for it.

use pantler_core::plan::{Plan, PlanKind, PlanNode};
use pantler_core::policy::Component;
use pantler_core::{DatasetId, TypeName};

use crate::chain::Chain;
use crate::error::{Asked, Error, Result};
use crate::resolve::Resolved;
use crate::taken_part;

use super::node_name;

/// Fails if something that the node needs was not found.
pub fn check_found(plan: &Plan, resolved: &Resolved, chain: &Chain) -> Result<()> {
    let asked = &resolved.asked;
    let Some((node, missing)) = plan.root.first_missing() else {
        return Ok(());
    };
    let dataset = Asked::new(node_name(node), &node.data_id);
    let own = node
        .component
        .as_ref()
        .or_else(|| list_of(&plan.root, node));
    if let Some(id) = missing.recorded {
        return Err(Error::RecordedGone {
            asked: asked.clone(),
            component: own.map_or_else(String::new, |component| component.name.clone()),
            dataset,
            id,
            looked_in: chain.names(),
            stayed_in: stayed_in(&plan.root, id, chain),
        });
    }
    let component = own.map(|component| {
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
    let mut missing = missing.clone();
    for (step, repository) in missing.trail.iter_mut().zip(chain.repositories()) {
        let parts = taken_part::names_of_parts(repository, &node.dataset_type, &node.data_id);
        if !parts.is_empty() && *step.repository == *repository.name() {
            step.outcome = format!("only {} of it is there", parts.join(", "));
        }
    }
    Err(Error::NotFound {
        asked: asked.clone(),
        component,
        composite: own.is_some().then(|| {
            parent_of(&plan.root, node)
                .unwrap_or(&resolved.dataset_type)
                .clone()
        }),
        missing,
        found,
        other_stage,
    })
}

/// The repository in which a member of a recorded composition was left behind when that was transferred (rule R35).
fn stayed_in(node: &PlanNode, member: DatasetId, chain: &Chain) -> Option<String> {
    let of_this = || {
        let PlanKind::Assemble(assemble) = &node.kind else {
            return None;
        };
        let record = assemble.record.as_ref()?;
        let registry = chain.repository(assemble.repository).registry();
        let known = registry.provenance(&[record.id]).ok()?.pop().flatten()?;
        let (ids, root) = crate::transfer::what_stayed(&known)?;
        ids.contains(&member).then_some(root)
    };
    let mut below = node.children().iter();
    of_this().or_else(|| below.find_map(|child| stayed_in(child, member, chain)))
}

/// The component that a node of a plan is one entry of; `None` if it is in no list.
fn list_of<'a>(above: &'a PlanNode, node: &PlanNode) -> Option<&'a Component> {
    above.children().iter().find_map(|child| {
        if std::ptr::eq(child, node) {
            above.component.as_ref()
        } else {
            list_of(child, node)
        }
    })
}

/// Returns the type of the composite that a node of the plan is a component of; `None` for the root, which may be one as well.
pub fn parent_of<'a>(above: &'a PlanNode, node: &PlanNode) -> Option<&'a TypeName> {
    above.children().iter().find_map(|child| {
        if std::ptr::eq(child, node) {
            Some(&above.dataset_type)
        } else {
            parent_of(child, node)
        }
    })
}
