//! Which composites there are: those that were recorded, and those that lookup would assemble now, the natural join of the
//! data IDs of their components.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::ControlFlow;

use pantler_core::composite_graph::GraphNode;
use pantler_core::{DataId, DatasetId, DatasetRecord};

use crate::error::{Error, Result};
use crate::planner::Planner;

use super::{DatasetRef, reference};

/// The members of recorded composites, by identity.
pub(super) type Members = HashMap<DatasetId, Vec<DatasetId>>;

pub(super) fn note_members(members: &mut Members, record: &DatasetRecord) {
    if record.artifact.is_none() {
        let own = record.members.iter().map(|member| member.dataset).collect();
        members.insert(record.id, own);
    }
}

/// One data ID that a component, or several joined, have.
#[derive(Debug, Clone)]
struct Row {
    data_id: DataId,
    bytes: u64,
    metadata: DataId,
}

/// Returns the composites of a type under the data IDs that agree with `given`, in any order.
pub(super) fn composites(
    planner: &Planner<'_>,
    graph: &GraphNode,
    given: &DataId,
) -> Result<Vec<DatasetRef>> {
    let keys: Vec<&str> = graph.keys.iter().map(|(key, _)| key.as_str()).collect();
    let mut found: BTreeMap<DataId, DatasetRef> = BTreeMap::new();
    let repository = planner.chain.repository(graph.policy);
    for row in by_lookup(planner, graph, given)? {
        // What ranges over keys that are not the composite's own (rule R16) exists for what was given.
        let data_id = if keys.is_empty() {
            given.clone()
        } else {
            row.data_id.restricted_to(&keys)
        };
        found.insert(
            data_id.clone(),
            DatasetRef {
                dataset_type: graph.dataset_type.clone(),
                data_id,
                repository: repository.root().to_owned(),
                repository_name: repository.name().to_owned(),
                location: None,
                bytes: row.bytes,
                id: None,
                metadata: row.metadata,
                footprint: None,
            },
        );
    }
    let mut members = Members::new();
    for (index, open) in planner.chain.repositories().iter().enumerate().rev() {
        let mut failure = None;
        open.registry().visit(
            Some(&graph.dataset_type),
            &given.restricted_to(&keys),
            &mut |record| {
                note_members(&mut members, &record);
                match reference(planner, index, &record) {
                    Ok(mut each) => {
                        each.data_id = each.data_id.restricted_to(&keys);
                        // The columns are those of the parts, which the record does not repeat.
                        if let Some(parts) = found.get(&each.data_id) {
                            each.metadata = each.metadata.union(&parts.metadata);
                        }
                        found.insert(each.data_id.clone(), each);
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
    let mut found: Vec<DatasetRef> = found.into_values().collect();
    add_member_bytes(planner, &mut found, &members)?;
    Ok(found)
}

/// The data IDs for which every required component exists.
fn by_lookup(planner: &Planner<'_>, graph: &GraphNode, given: &DataId) -> Result<Vec<Row>> {
    let required = graph.components().iter().filter(|node| {
        node.component.as_ref().is_none_or(|component| {
            !component.optional && !component.allow_empty && component.data_ids.is_none()
        })
    });
    let (subsets, single): (Vec<&GraphNode>, Vec<&GraphNode>) =
        required.partition(|node| node.is_subset());
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
    for component in single {
        add(component_rows(planner, component, given)?);
    }
    for component in subsets {
        add(grouped(component_rows(planner, component, given)?, graph));
    }
    Ok(joined.unwrap_or_default())
}

/// The datasets of a subset component as one row for each data ID of the composite.
fn grouped(rows: Vec<Row>, graph: &GraphNode) -> Vec<Row> {
    let keys: Vec<&str> = graph.keys.iter().map(|(key, _)| key.as_str()).collect();
    let mut groups: BTreeMap<DataId, u64> = BTreeMap::new();
    for row in rows {
        let bytes = groups.entry(row.data_id.restricted_to(&keys)).or_default();
        *bytes = bytes.saturating_add(row.bytes);
    }
    let row = |(data_id, bytes)| Row {
        data_id,
        bytes,
        metadata: DataId::default(),
    };
    groups.into_iter().map(row).collect()
}

/// The data IDs of a component, in the root's keys, each once.
fn component_rows(
    planner: &Planner<'_>,
    component: &GraphNode,
    given: &DataId,
) -> Result<Vec<Row>> {
    let mut rows: Vec<Row> = Vec::new();
    let own = component.data_id(given);
    if component.is_composite() {
        for each in composites(planner, component, &own)? {
            if let Some(root) = component.root_data_id(&each.data_id) {
                rows.push(Row {
                    data_id: root,
                    bytes: each.bytes,
                    metadata: each.metadata,
                });
            }
        }
        return Ok(rows);
    }
    let mut types = vec![component.dataset_type.clone()];
    types.extend(planner.chain.same_artifact(&component.definition));
    let mut seen: HashSet<DataId> = HashSet::new();
    for repository in planner.chain.repositories() {
        for dataset_type in &types {
            repository
                .registry()
                .visit(Some(dataset_type), &own, &mut |record| {
                    if let Some(root) = component.root_data_id(&record.data_id)
                        && seen.insert(record.data_id.clone())
                    {
                        rows.push(Row {
                            data_id: root,
                            bytes: record.artifact.map_or(0, |artifact| artifact.bytes),
                            metadata: record.metadata,
                        });
                    }
                    ControlFlow::Continue(())
                })?;
        }
    }
    Ok(rows)
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
                bytes: row.bytes.saturating_add(other.bytes),
                metadata: row.metadata.union(&other.metadata),
            });
        }
    }
    joined
}

/// Gives recorded composites the bytes of the artifacts that they were recorded with, each counted once.
pub(super) fn add_member_bytes(
    planner: &Planner<'_>,
    found: &mut [DatasetRef],
    members: &Members,
) -> Result<()> {
    let mut wanted: Vec<DatasetId> = members.values().flatten().copied().collect();
    wanted.sort();
    wanted.dedup();
    let mut bytes: HashMap<DatasetId, u64> = HashMap::new();
    for repository in planner.chain.repositories() {
        wanted.retain(|id| !bytes.contains_key(id));
        for batch in wanted.chunks(1000) {
            for record in repository.registry().find_ids(batch)?.into_iter().flatten() {
                bytes.insert(
                    record.id,
                    record.artifact.map_or(0, |artifact| artifact.bytes),
                );
            }
        }
    }
    for each in found {
        let own = each.id.and_then(|id| members.get(&id));
        if let Some(own) = own {
            let mut own = own.clone();
            own.sort();
            own.dedup();
            each.bytes = own.iter().filter_map(|id| bytes.get(id)).sum();
        }
    }
    Ok(())
}
