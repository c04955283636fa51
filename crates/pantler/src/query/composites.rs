//! Which composites there are: those that were recorded, and those that lookup would assemble now, the natural join of the
//! data IDs of their components.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::ControlFlow;

use pantler_core::composite_graph::GraphNode;
use pantler_core::{DataId, synonyms};

use crate::error::{Error, Result};
use crate::planner::Planner;
use crate::taken_part::{types_of, types_of_node};

use super::leaves::{Leaves, PartSizes, Recorded, bytes_of};
use super::{DatasetRef, reference};

/// One data ID that a component, or several joined, have.
#[derive(Debug, Clone)]
struct Row {
    data_id: DataId,
    leaves: Leaves,
    metadata: DataId,
}

/// Returns the composites of a type under the data IDs that agree with `given`, in any order.
pub(super) fn composites(
    planner: &Planner<'_>,
    graph: &GraphNode,
    given: &DataId,
) -> Result<Vec<DatasetRef>> {
    let found = composites_and_leaves(planner, graph, given, Some(&[]))?;
    Ok(found.into_iter().map(|(found, _)| found).collect())
}

/// As [`composites`], each with what a part of it is made of; `None` where nobody asks for that.
fn composites_and_leaves(
    planner: &Planner<'_>,
    graph: &GraphNode,
    given: &DataId,
    part: Option<&[String]>,
) -> Result<Vec<(DatasetRef, Leaves)>> {
    let keys: Vec<&str> = graph.keys.iter().map(|(key, _)| key.as_str()).collect();
    let mut found: BTreeMap<DataId, (DatasetRef, Leaves)> = BTreeMap::new();
    let repository = planner.chain.repository(graph.policy);
    for row in by_lookup(planner, graph, given, part)? {
        // What ranges over keys that are not the composite's own (rule R16) exists for what was given.
        let data_id = if keys.is_empty() {
            given.clone()
        } else {
            row.data_id.restricted_to(&keys)
        };
        let each = DatasetRef {
            dataset_type: graph.dataset_type.clone(),
            data_id: data_id.clone(),
            repository: repository.shared_root().clone(),
            repository_name: repository.shared_name().clone(),
            location: None,
            bytes: bytes_of(&row.leaves),
            id: None,
            metadata: row.metadata,
            footprint: None,
        };
        found.insert(data_id, (each, row.leaves));
    }
    let mut recorded = Recorded::new(planner);
    for (index, open) in planner.chain.repositories().iter().enumerate().rev() {
        let mut failure = None;
        open.registry().visit(
            Some(&graph.dataset_type),
            &given.restricted_to(&keys),
            &mut |record| {
                if let Some(part) = part {
                    recorded.note(&record, part);
                }
                let dataset_type = record.dataset_type().clone();
                match reference(planner, index, dataset_type, record) {
                    Ok(mut each) => {
                        each.data_id = each.data_id.restricted_to(&keys);
                        // The columns are those of the parts, which the record does not repeat.
                        if let Some((parts, _)) = found.get(&each.data_id) {
                            each.metadata = each.metadata.union(&parts.metadata);
                        }
                        found.insert(each.data_id.clone(), (each, Leaves::new()));
                        ControlFlow::Continue(())
                    }
                    Err(error) => {
                        failure = Some(error);
                        ControlFlow::Break(())
                    }
                }
            },
        )?;
        if let Some(error) = failure {
            return Err(error);
        }
    }
    recorded.find()?;
    let mut found: Vec<(DatasetRef, Leaves)> = found.into_values().collect();
    for (each, leaves) in &mut found {
        let own = each
            .id
            .and_then(|id| recorded.leaves(id, part.unwrap_or_default()));
        if let Some(own) = own {
            each.bytes = bytes_of(&own);
            *leaves = own;
        } else if let Some(id) = each.id {
            // A dataset of the type that is a file.
            *leaves = vec![((id, Vec::new()), each.bytes)];
        }
    }
    Ok(found)
}

/// The data IDs for which every required component exists.
fn by_lookup(
    planner: &Planner<'_>,
    graph: &GraphNode,
    given: &DataId,
    part: Option<&[String]>,
) -> Result<Vec<Row>> {
    let (required, others): (Vec<&GraphNode>, Vec<&GraphNode>) =
        graph.components().iter().partition(|node| {
            node.component.as_ref().is_none_or(|component| {
                !component.optional && !component.allow_empty && component.data_ids.is_none()
            })
        });
    let (subsets, single): (Vec<&GraphNode>, Vec<&GraphNode>) =
        required.into_iter().partition(|node| node.is_subset());
    // A component that stands in the record alone is not there before a put.
    let needs_a_record = graph.components().iter().any(|node| {
        node.component.as_ref().is_some_and(|component| {
            component.data_ids.is_some() && !component.optional && !component.allow_empty
        })
    });
    if needs_a_record {
        return Ok(Vec::new());
    }
    if single.is_empty() && graph.keys.is_empty() && given.is_empty() {
        return Err(Error::Unsupported {
            message: format!(
                "`{}` is made of all datasets that fit, whatever their data IDs, so it exists for whatever data ID is given",
                graph.dataset_type
            ),
            hints: vec![format!(
                "give a data ID, or say in {} by which keys it is listed: `keys: […]`",
                graph.definition.place
            )],
        });
    }
    let mut joined: Option<Vec<Row>> = None;
    let mut add = |rows: Vec<Row>| {
        joined = Some(match joined.take() {
            None => rows,
            Some(left) => join(left, rows),
        });
    };
    let rows_of = |component: &GraphNode| {
        let part = part_of_component(graph, component, part);
        component_rows(planner, component, given, part.as_deref())
    };
    for component in single {
        add(rows_of(component)?);
    }
    for component in subsets {
        add(grouped(rows_of(component)?, graph));
    }
    let mut joined = joined.unwrap_or_default();
    for component in others {
        let is_recorded = component.is_recorded();
        let counts = part_of_component(graph, component, part).is_some();
        if counts && !is_recorded && !joined.is_empty() {
            add_where_there(&mut joined, rows_of(component)?);
        }
    }
    Ok(joined)
}

/// Which part of a component is read for a part of its composite (rule R10); `None` if nothing of it is.
fn part_of_component(
    graph: &GraphNode,
    component: &GraphNode,
    part: Option<&[String]>,
) -> Option<Vec<String>> {
    let (first, rest) = match part?.split_first() {
        None => return Some(component.part.clone()),
        Some(split) => split,
    };
    let is_declared =
        |node: &GraphNode| synonyms::canonical(node.component_name()) == synonyms::canonical(first);
    let below = |rest: &[String]| component.part.iter().chain(rest).cloned().collect();
    if graph.components().iter().any(is_declared) {
        return is_declared(component).then(|| below(rest));
    }
    match graph.base() {
        Some(base) if base.component_name() == component.component_name() => {
            Some(below(part.unwrap_or_default()))
        }
        Some(_) => None,
        None => Some(component.part.clone()),
    }
}

/// Adds what a composite may lack to the rows that have it.
fn add_where_there(rows: &mut [Row], optional: Vec<Row>) {
    let Some(first) = optional.first() else {
        return;
    };
    let keys: BTreeSet<String> = first.data_id.keys().map(str::to_owned).collect();
    let keys: Vec<String> = keys.into_iter().collect();
    let mut by_data_id: HashMap<DataId, Vec<Row>> = HashMap::new();
    for row in optional {
        by_data_id
            .entry(row.data_id.restricted_to(&keys))
            .or_default()
            .push(row);
    }
    for row in rows {
        let there = by_data_id.get(&row.data_id.restricted_to(&keys));
        for other in there.into_iter().flatten() {
            row.leaves.extend(other.leaves.iter().cloned());
        }
    }
}

/// The datasets of a subset component as one row for each data ID of the composite.
fn grouped(rows: Vec<Row>, graph: &GraphNode) -> Vec<Row> {
    let keys: Vec<&str> = graph.keys.iter().map(|(key, _)| key.as_str()).collect();
    let mut groups: BTreeMap<DataId, Leaves> = BTreeMap::new();
    for row in rows {
        let leaves = groups.entry(row.data_id.restricted_to(&keys)).or_default();
        leaves.extend(row.leaves);
    }
    let row = |(data_id, leaves)| Row {
        data_id,
        leaves,
        metadata: DataId::default(),
    };
    groups.into_iter().map(row).collect()
}

/// The data IDs of a component, in the root's keys, each once.
fn component_rows(
    planner: &Planner<'_>,
    component: &GraphNode,
    given: &DataId,
    part: Option<&[String]>,
) -> Result<Vec<Row>> {
    let mut rows: Vec<Row> = Vec::new();
    let own = component.data_id(given);
    if component.is_composite() {
        for (each, leaves) in composites_and_leaves(planner, component, &own, part)? {
            if let Some(root) = component.root_data_id(&each.data_id) {
                rows.push(Row {
                    data_id: root,
                    leaves,
                    metadata: each.metadata,
                });
            }
        }
        return Ok(rows);
    }
    let mut types = types_of_node(planner.chain, component);
    if let Some(part) = part.filter(|part| *part != component.part) {
        types.extend(types_of(&component.dataset_type, part));
    }
    let mut seen: HashSet<DataId> = HashSet::new();
    let mut sizes = PartSizes::default();
    let mut failure = None;
    for (index, repository) in planner.chain.repositories().iter().enumerate() {
        for dataset_type in &types {
            repository
                .registry()
                .visit(Some(dataset_type), &own, &mut |record| {
                    let Some(root) = component.root_data_id(&record.data_id) else {
                        return ControlFlow::Continue(());
                    };
                    if !seen.insert(record.data_id.clone()) {
                        return ControlFlow::Continue(());
                    }
                    let metadata = record.metadata.clone();
                    let leaf = part.map(|part| {
                        let id = record.id;
                        let definition = Some(component.definition.as_ref());
                        let bytes = sizes.bytes(planner, definition, index, record, part)?;
                        Ok(((id, part.to_vec()), bytes))
                    });
                    match leaf.transpose() {
                        Ok(leaf) => {
                            rows.push(Row {
                                data_id: root,
                                leaves: leaf.into_iter().collect(),
                                metadata,
                            });
                            ControlFlow::Continue(())
                        }
                        Err(error) => {
                            failure = Some(error);
                            ControlFlow::Break(())
                        }
                    }
                })?;
        }
    }
    failure.map_or(Ok(rows), Err)
}

/// Joins two lists of data IDs on the keys that they share.
fn join(left: Vec<Row>, right: Vec<Row>) -> Vec<Row> {
    let (Some(first), Some(other)) = (left.first(), right.first()) else {
        return Vec::new();
    };
    let shared: Vec<String> = first
        .data_id
        .keys()
        .filter(|key| other.data_id.get(key).is_some())
        .map(str::to_owned)
        .collect();
    let mut by_shared: HashMap<DataId, Vec<&Row>> = HashMap::new();
    for row in &right {
        let key = row.data_id.restricted_to(&shared);
        by_shared.entry(key).or_default().push(row);
    }
    let mut joined = Vec::new();
    for row in &left {
        let matching = by_shared.get(&row.data_id.restricted_to(&shared));
        for other in matching.into_iter().flatten() {
            joined.push(Row {
                data_id: row.data_id.union(&other.data_id),
                leaves: row.leaves.iter().chain(&other.leaves).cloned().collect(),
                metadata: row.metadata.union(&other.metadata),
            });
        }
    }
    joined
}
