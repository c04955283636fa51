//! What was made from a dataset, and what a dataset was made from (rule R34).

use std::collections::HashSet;

use pantler_core::DatasetId;
use pantler_core::composite_graph::GraphNode;

use crate::error::{Error, Result};
use crate::identity::{self, Recorded};
use crate::interrupt::Interrupt;
use crate::planner::{Planner, check_found};
use crate::resolve::{Resolved, resolve};

use super::{DatasetRef, Query, reference};

/// Returns the datasets that a query's `made_from` and `used_by` leave, of the type that it names.
pub(super) fn related(
    planner: &Planner<'_>,
    query: &Query,
    of: Option<&(Resolved, GraphNode)>,
) -> Result<Vec<DatasetRef>> {
    let mut left: Option<Vec<DatasetRef>> = None;
    if let Some((name, data_id)) = &query.made_from {
        let id = identity(planner, &resolve(planner.chain, name, data_id)?)?;
        left = Some(made_from(planner, id)?);
    }
    if let Some((name, data_id)) = &query.used_by {
        let id = identity(planner, &resolve(planner.chain, name, data_id)?)?;
        let used = used_by(planner, id)?;
        left = Some(match left {
            None => used,
            Some(left) => left
                .into_iter()
                .filter(|one| used.iter().any(|other| other.id == one.id))
                .collect(),
        });
    }
    let mut left = left.unwrap_or_default();
    if let Some((_, graph)) = of {
        left.retain(|each| each.dataset_type == graph.dataset_type);
    }
    Ok(left)
}

/// Returns the identity of what a name means now; what was never put or linked has none.
pub(crate) fn identity(planner: &Planner<'_>, resolved: &Resolved) -> Result<DatasetId> {
    let whole = Resolved {
        part: Vec::new(),
        ..resolved.clone()
    };
    let plan = planner.plan(&whole)?;
    check_found(&plan, &whole, planner.chain)?;
    let id = identity::of_node(planner.chain, &plan.root)?;
    id.ok_or_else(|| Error::Unsupported {
        message: format!(
            "{} was never recorded, so it has no identity that another dataset could be made from",
            resolved.asked
        ),
        hints: vec!["`pantler link` records it".to_owned()],
    })
}

fn made_from(planner: &Planner<'_>, id: DatasetId) -> Result<Vec<DatasetRef>> {
    let ids = identity::all_of(planner.chain, id)?;
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for (index, repository) in planner.chain.repositories().iter().enumerate() {
        let registry = repository.registry();
        let descendants = registry.find_made_from(&ids)?.into_iter().flatten();
        for record in descendants.chain(registry.find_users(&ids)?.into_iter().flatten()) {
            if seen.insert(record.id) {
                let dataset_type = record.dataset_type().clone();
                found.push(reference(planner, index, dataset_type, record)?);
            }
        }
    }
    Ok(found)
}

/// What a dataset was made from, then what it is made of; what has been removed since is not listed, and `explain` names it.
fn used_by(planner: &Planner<'_>, id: DatasetId) -> Result<Vec<DatasetRef>> {
    let mut wanted: Vec<Recorded> = Vec::new();
    for repository in planner.chain.repositories() {
        for record in repository.registry().find_ids(&[id])?.into_iter().flatten() {
            let all = record.precursors.iter().chain(&record.members);
            wanted.extend(all.map(Recorded::of));
        }
    }
    let mut seen = HashSet::new();
    wanted.retain(|one| seen.insert(one.id));
    let ids: Vec<DatasetId> = wanted.iter().map(|one| one.id).collect();
    let mut found = Vec::new();
    let mut known = HashSet::new();
    for (index, repository) in planner.chain.repositories().iter().enumerate() {
        for record in repository.registry().find_ids(&ids)?.into_iter().flatten() {
            if known.insert(record.id) {
                let dataset_type = record.dataset_type().clone();
                found.push(reference(planner, index, dataset_type, record)?);
            }
        }
    }
    wanted.retain(|one| !known.contains(&one.id));
    for other in identity::find(planner.chain, &wanted, &Interrupt::default())?
        .iter()
        .flatten()
    {
        let dataset_type = other.record.dataset_type().clone();
        let record = (*other.record).clone();
        found.push(reference(planner, other.repository, dataset_type, record)?);
    }
    Ok(found)
}
