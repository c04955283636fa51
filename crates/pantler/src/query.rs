//! Lists what there is: datasets of one type or of all, by keys and by an expression.
//!
//! Composites take part as types of their own: those that were recorded, and those that lookup would assemble now.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use pantler_core::composite_graph::GraphNode;
use pantler_core::expression::Expression;
use pantler_core::{DataId, DatasetId, DatasetRecord, KeyValue, TypeName};

use crate::error::{Asked, Error, Result};
use crate::planner::{Planner, locate};
use crate::resolve::{Resolved, check_keys, resolve};

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// The type; all types if absent.
    pub name: Option<String>,
    /// Keys that must have these values.
    pub data_id: DataId,
    /// A further condition.
    pub condition: Option<Expression>,
    /// Keys to order by; `true` for descending. What they leave open is ordered by type and data ID.
    pub order_by: Vec<(String, bool)>,
    /// At most so many.
    pub limit: Option<usize>,
}

/// One dataset of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetRef {
    /// Its type.
    pub dataset_type: TypeName,
    /// Its data ID.
    pub data_id: DataId,
    /// The root of the repository that it is in.
    pub repository: String,
    /// That repository's name as the user wrote it.
    pub repository_name: String,
    /// Where its artifact lies; `None` for a composite.
    pub location: Option<String>,
    /// Its bytes; for a composite, those of its parts.
    pub bytes: u64,
    /// Its identity; `None` for a composite that was never recorded.
    pub id: Option<DatasetId>,
}

/// Runs a query.
pub(crate) fn run(planner: &Planner<'_>, query: &Query) -> Result<Vec<DatasetRef>> {
    let mut found = match &query.name {
        Some(name) => {
            let resolved = resolve(planner.chain, name, &query.data_id)?;
            let graph = planner.graph(&resolved)?;
            check_keys(
                planner.chain,
                &resolved.asked,
                &resolved.data_id,
                &graph.keys,
            )?;
            check_identifiers(planner, query, Some((&resolved, &graph)))?;
            of_type(planner, &resolved, &graph, query)?
        }
        None => {
            check_identifiers(planner, query, None)?;
            of_all_types(planner, query)?
        }
    };
    sort(&mut found, &query.order_by);
    found.truncate(query.limit.unwrap_or(usize::MAX));
    Ok(found)
}

const COLUMNS: [&str; 3] = ["repository", "bytes", "stage"];

/// Refuses names that are neither keys nor columns, wherever they are used.
fn check_identifiers(
    planner: &Planner<'_>,
    query: &Query,
    of: Option<(&Resolved, &GraphNode)>,
) -> Result<()> {
    let all_keys = planner.chain.keys();
    let names = query
        .condition
        .iter()
        .flat_map(|condition| condition.identifiers())
        .map(|identifier| identifier.name.clone())
        .chain(query.order_by.iter().map(|(key, _)| key.clone()));
    for name in names {
        if COLUMNS.contains(&name.as_str()) {
            continue;
        }
        let asked = of.map_or_else(
            || Asked::new("*", &query.data_id),
            |(resolved, _)| resolved.asked.clone(),
        );
        let keys = of.map_or(all_keys.as_slice(), |(_, graph)| graph.keys.as_slice());
        let data_id = DataId::new([(name, KeyValue::Int(0))]);
        check_keys(planner.chain, &asked, &data_id, keys)?;
    }
    Ok(())
}

fn of_type(
    planner: &Planner<'_>,
    resolved: &Resolved,
    graph: &GraphNode,
    query: &Query,
) -> Result<Vec<DatasetRef>> {
    let mut given = resolved.data_id.clone();
    if let Some(condition) = &query.condition {
        // Equalities narrow what the registries return; the whole condition is still checked on every row.
        for (key, value) in condition.equalities().iter() {
            let typed = graph.keys.iter().find(|(known, _)| known == key);
            if let Some(value) = typed.and_then(|(_, key_type)| value.cast(*key_type))
                && given.get(key).is_none()
            {
                given.insert(key, value);
            }
        }
    }
    let mut found = Found::default();
    if graph.is_composite() {
        for each in composites(planner, graph, &given)? {
            found.push(each);
        }
    } else {
        for (index, repository) in planner.chain.repositories().iter().enumerate() {
            let mut failure = None;
            repository
                .registry()
                .visit(Some(&graph.dataset_type), &given, &mut |record| {
                    keep(
                        failure_of(&mut failure, reference(planner, index, &record))
                            .map(|each| found.push(each)),
                    )
                })?;
            if let Some(error) = failure {
                return Err(error);
            }
        }
    }
    retain_matching(found.all, query)
}

fn of_all_types(planner: &Planner<'_>, query: &Query) -> Result<Vec<DatasetRef>> {
    let asked = Asked::new("*", &query.data_id);
    let given = crate::resolve::typed(planner.chain, &asked, &query.data_id)?;
    let mut found = Found::default();
    let mut members = Members::new();
    for (index, repository) in planner.chain.repositories().iter().enumerate() {
        let mut failure = None;
        repository.registry().visit(None, &given, &mut |record| {
            note_members(&mut members, &record);
            keep(
                failure_of(&mut failure, reference(planner, index, &record))
                    .map(|each| found.push(each)),
            )
        })?;
        if let Some(error) = failure {
            return Err(error);
        }
    }
    add_member_bytes(planner, &mut found.all, &members)?;
    retain_matching(found.all, query)
}

fn keep(outcome: Option<()>) -> ControlFlow<()> {
    match outcome {
        Some(()) => ControlFlow::Continue(()),
        None => ControlFlow::Break(()),
    }
}

fn failure_of<T>(failure: &mut Option<Error>, outcome: Result<T>) -> Option<T> {
    match outcome {
        Ok(value) => Some(value),
        Err(error) => {
            *failure = Some(error);
            None
        }
    }
}

/// The members of recorded composites, by identity.
type Members = HashMap<DatasetId, Vec<DatasetId>>;

fn note_members(members: &mut Members, record: &DatasetRecord) {
    if record.artifact.is_none() {
        let own = record.members.iter().map(|member| member.dataset).collect();
        members.insert(record.id, own);
    }
}

/// Datasets in the order found; what a nearer repository has hides what a farther one has under the same data ID.
#[derive(Default)]
struct Found {
    all: Vec<DatasetRef>,
    seen: HashMap<(TypeName, DataId), String>,
    /// The keys of each type, in the order of the nearest repository: data IDs compare key by key only in one order.
    orders: HashMap<TypeName, Vec<String>>,
}

impl Found {
    fn push(&mut self, mut each: DatasetRef) {
        let order = self
            .orders
            .entry(each.dataset_type.clone())
            .or_insert_with(|| each.data_id.keys().map(str::to_owned).collect());
        if order.len() == each.data_id.len() {
            let ordered = each.data_id.restricted_to(order);
            if ordered.len() == order.len() {
                each.data_id = ordered;
            }
        }
        let key = (each.dataset_type.clone(), each.data_id.clone());
        if let std::collections::hash_map::Entry::Vacant(entry) = self.seen.entry(key) {
            entry.insert(each.repository.clone());
            self.all.push(each);
        }
    }
}

fn reference(
    planner: &Planner<'_>,
    repository: usize,
    record: &DatasetRecord,
) -> Result<DatasetRef> {
    let open = planner.chain.repository(repository);
    let asked = Asked::new(record.dataset_type(), &record.data_id);
    let location = match &record.artifact {
        Some(_) => Some(locate(record, &asked)?.0.to_string()),
        None => None,
    };
    Ok(DatasetRef {
        dataset_type: record.dataset_type().clone(),
        data_id: record.data_id.clone(),
        repository: open.root().to_owned(),
        repository_name: open.name().to_owned(),
        location,
        bytes: record
            .artifact
            .as_ref()
            .map_or(0, |artifact| artifact.bytes),
        id: Some(record.id),
    })
}

/// The data IDs under which a composite was recorded, or could be assembled now: the natural join of its components.
fn composites(planner: &Planner<'_>, graph: &GraphNode, given: &DataId) -> Result<Vec<DatasetRef>> {
    let mut joined: Option<Vec<(DataId, u64)>> = None;
    for component in graph.components() {
        let optional = component
            .component
            .as_ref()
            .is_some_and(|component| component.optional || component.subset);
        if optional {
            continue;
        }
        let rows = component_rows(planner, component, given)?;
        joined = Some(match joined {
            None => rows,
            Some(left) => join(left, rows),
        });
    }
    let mut found: BTreeMap<DataId, DatasetRef> = BTreeMap::new();
    let repository = planner.chain.repository(graph.policy);
    let keys: Vec<&str> = graph.keys.iter().map(|(key, _)| key.as_str()).collect();
    for (data_id, bytes) in joined.unwrap_or_default() {
        let data_id = data_id.restricted_to(&keys);
        found.insert(
            data_id.clone(),
            DatasetRef {
                dataset_type: graph.dataset_type.clone(),
                data_id,
                repository: repository.root().to_owned(),
                repository_name: repository.name().to_owned(),
                location: None,
                bytes,
                id: None,
            },
        );
    }
    let mut members = Members::new();
    for (index, open) in planner.chain.repositories().iter().enumerate().rev() {
        let mut failure = None;
        open.registry()
            .visit(Some(&graph.dataset_type), given, &mut |record| {
                note_members(&mut members, &record);
                keep(
                    failure_of(&mut failure, reference(planner, index, &record)).map(|mut each| {
                        each.data_id = each.data_id.restricted_to(&keys);
                        found.insert(each.data_id.clone(), each);
                    }),
                )
            })?;
        if let Some(error) = failure {
            return Err(error);
        }
    }
    let mut found: Vec<DatasetRef> = found.into_values().collect();
    add_member_bytes(planner, &mut found, &members)?;
    Ok(found)
}

/// The data IDs of a component, in the root's keys, each once, with their bytes.
fn component_rows(
    planner: &Planner<'_>,
    component: &GraphNode,
    given: &DataId,
) -> Result<Vec<(DataId, u64)>> {
    let mut rows: Vec<(DataId, u64)> = Vec::new();
    if component.is_composite() {
        for each in composites(planner, component, &component.data_id(given))? {
            if let Some(root) = component.root_data_id(&each.data_id) {
                rows.push((root, each.bytes));
            }
        }
        return Ok(rows);
    }
    let own = component.data_id(given);
    let mut types = vec![component.dataset_type.clone()];
    types.extend(planner.chain.same_artifact(&component.definition));
    let mut seen: HashMap<DataId, ()> = HashMap::new();
    for repository in planner.chain.repositories() {
        for dataset_type in &types {
            repository
                .registry()
                .visit(Some(dataset_type), &own, &mut |record| {
                    let bytes = record
                        .artifact
                        .as_ref()
                        .map_or(0, |artifact| artifact.bytes);
                    if let Some(root) = component.root_data_id(&record.data_id)
                        && seen.insert(root.clone(), ()).is_none()
                    {
                        rows.push((root, bytes));
                    }
                    ControlFlow::Continue(())
                })?;
        }
    }
    Ok(rows)
}

/// Joins two lists of data IDs on the keys that they share.
fn join(left: Vec<(DataId, u64)>, right: Vec<(DataId, u64)>) -> Vec<(DataId, u64)> {
    let (Some((first, _)), Some((other, _))) = (left.first(), right.first()) else {
        return Vec::new();
    };
    let shared: Vec<String> = first
        .keys()
        .filter(|key| other.get(key).is_some())
        .map(str::to_owned)
        .collect();
    let mut by_shared: HashMap<DataId, Vec<&(DataId, u64)>> = HashMap::new();
    for row in &right {
        by_shared
            .entry(row.0.restricted_to(&shared))
            .or_default()
            .push(row);
    }
    let mut joined = Vec::new();
    for (data_id, bytes) in &left {
        for (other, more) in by_shared
            .get(&data_id.restricted_to(&shared))
            .into_iter()
            .flatten()
        {
            joined.push((data_id.union(other), bytes + more));
        }
    }
    joined
}

/// Gives recorded composites the bytes of the artifacts that they were recorded with, each counted once.
fn add_member_bytes(
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

fn retain_matching(found: Vec<DatasetRef>, query: &Query) -> Result<Vec<DatasetRef>> {
    let Some(condition) = &query.condition else {
        return Ok(found);
    };
    let mut matching = Vec::new();
    for each in found {
        let outcome = condition
            .evaluate(&|name| column(&each, name))
            .map_err(|error| Error::request(error.to_string()))?;
        if outcome == Some(true) {
            matching.push(each);
        }
    }
    Ok(matching)
}

fn column(each: &DatasetRef, name: &str) -> Option<KeyValue> {
    match each.data_id.get(name) {
        Some(value) => Some(value.clone()),
        None => match name {
            "repository" => Some(KeyValue::Str(each.repository_name.clone())),
            "bytes" => i64::try_from(each.bytes).ok().map(KeyValue::Int),
            "stage" => each.dataset_type.stage().map(KeyValue::from),
            _ => None,
        },
    }
}

fn sort(found: &mut [DatasetRef], order_by: &[(String, bool)]) {
    found.sort_by(|a, b| {
        let by_keys = order_by.iter().map(|(key, descending)| {
            let ordering = column(a, key).cmp(&column(b, key));
            if *descending {
                ordering.reverse()
            } else {
                ordering
            }
        });
        by_keys
            .fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
            .then_with(|| a.dataset_type.cmp(&b.dataset_type))
            .then_with(|| a.data_id.cmp(&b.data_id))
    });
}
