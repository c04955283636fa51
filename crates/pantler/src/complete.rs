//! Completes a data ID from what exists, or says why it cannot (rule R18).

use std::collections::BTreeMap;

use pantler_core::composite_graph::{GraphNode, KeySource};
use pantler_core::{DataId, KeyValue};

use crate::candidates::{Candidates, Found};
use crate::chain::Chain;
use crate::error::{Asked, Candidate, Error, Result};
use crate::taken_part::types_of_node;

/// Returns the data ID with every key that the graph needs.
///
/// A key counts every value for which a composition record, or any component that needs the key, exists in the chain;
/// so a half-written tract never turns a call that worked into another answer.
pub fn complete(
    chain: &Chain,
    candidates: &Candidates,
    graph: &GraphNode,
    asked: &Asked,
    given: &DataId,
) -> Result<DataId> {
    let keys: Vec<&str> = graph.keys.iter().map(|(key, _)| key.as_str()).collect();
    let mut complete = given.restricted_to(&keys);
    for key in &keys {
        if complete.get(key).is_some() {
            continue;
        }
        let values = values_of(chain, candidates, graph, &complete, key);
        match values.len() {
            0 => return Err(missing_key(chain, graph, asked, key)),
            1 => {
                for (value, _) in values {
                    complete.insert(*key, value);
                }
            }
            _ => {
                return Err(ambiguous(
                    chain, candidates, graph, asked, &complete, key, values,
                ));
            }
        }
    }
    // In the caller's order, what was completed after it.
    let mut ordered = given.restricted_to(
        &given
            .keys()
            .filter(|key| keys.contains(key))
            .collect::<Vec<_>>(),
    );
    for (key, value) in complete.iter() {
        if ordered.get(key).is_none() {
            ordered.insert(key, value.clone());
        }
    }
    Ok(ordered)
}

/// Every value of `key` among the datasets that fit what is known so far, and the first repository that has it.
fn values_of(
    chain: &Chain,
    candidates: &Candidates,
    graph: &GraphNode,
    known: &DataId,
    key: &str,
) -> BTreeMap<KeyValue, usize> {
    let mut values = BTreeMap::new();
    // A list needs no key: it ranges over all values. It tells of those that nothing but lists has.
    let mut needed = false;
    each_needing(graph, false, &mut |node| {
        let mut sources = node.sources.iter();
        needed |= !node.is_composite()
            && sources.any(|source| matches!(source, KeySource::Root(from) if from == key));
    });
    each_fitting(
        chain,
        candidates,
        graph,
        known,
        !needed,
        &mut |_, found, root| {
            if let Some(value) = root.get(key) {
                let first = values.entry(value.clone()).or_insert(found.repository);
                *first = (*first).min(found.repository);
            }
        },
    );
    values
}

/// Visits the nodes that need keys; with `lists` also those that are lists of all that fits.
fn each_needing<'a>(graph: &'a GraphNode, lists: bool, visit: &mut dyn FnMut(&'a GraphNode)) {
    if graph.is_recorded() || graph.is_subset() && !lists {
        return;
    }
    visit(graph);
    for node in graph.components() {
        each_needing(node, lists, visit);
    }
}

fn each_fitting(
    chain: &Chain,
    candidates: &Candidates,
    graph: &GraphNode,
    known: &DataId,
    lists: bool,
    visit: &mut dyn FnMut(&GraphNode, &Found, &DataId),
) {
    each_needing(graph, lists, &mut |node| {
        for found in types_of_node(chain, node)
            .iter()
            .flat_map(|dataset_type| candidates.of_type(dataset_type))
        {
            if let Some(root) = node.root_data_id(&found.record.data_id)
                && root.agrees_with(known)
            {
                visit(node, found, &root);
            }
        }
    });
}

fn needed_by(graph: &GraphNode, key: &str) -> Vec<(String, String)> {
    let mut needed_by = Vec::new();
    graph.walk(&mut |node| {
        let needs = node
            .sources
            .iter()
            .any(|source| matches!(source, KeySource::Root(from) if from == key));
        if needs && !node.is_composite() && !node.component_name().is_empty() {
            needed_by.push((node.component_name().to_owned(), node.dataset_name()));
        }
    });
    needed_by
}

fn missing_key(chain: &Chain, graph: &GraphNode, asked: &Asked, key: &str) -> Error {
    Error::MissingKey {
        asked: asked.clone(),
        key: key.to_owned(),
        needed_by: needed_by(graph, key),
        looked_in: chain.names(),
    }
}

/// Says which values a key could have, and which of them are incomplete.
pub(crate) fn ambiguous(
    chain: &Chain,
    candidates: &Candidates,
    graph: &GraphNode,
    asked: &Asked,
    known: &DataId,
    key: &str,
    values: BTreeMap<KeyValue, usize>,
) -> Error {
    let candidates = values
        .into_iter()
        .map(|(value, repository)| Candidate {
            incomplete: incomplete(chain, candidates, graph, &known.with(key, value.clone())),
            value,
            repository: chain.repository(repository).name().to_owned(),
        })
        .collect();
    Error::AmbiguousKey {
        asked: asked.clone(),
        key: key.to_owned(),
        needed_by: needed_by(graph, key),
        candidates,
        repository: chain.names().into_iter().next().unwrap_or_default(),
    }
}

/// The required components of which nothing fits.
fn incomplete(
    chain: &Chain,
    candidates: &Candidates,
    graph: &GraphNode,
    known: &DataId,
) -> Vec<String> {
    graph
        .components()
        .iter()
        .filter(|node| {
            !node
                .component
                .as_ref()
                .is_some_and(|component| component.optional || component.subset)
        })
        .filter(|node| {
            let mut any = false;
            each_fitting(chain, candidates, node, known, true, &mut |_, _, _| {
                any = true
            });
            !any
        })
        .map(|node| node.component_name().to_owned())
        .collect()
}
