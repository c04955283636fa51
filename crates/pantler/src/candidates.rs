//! What the registries of a chain hold of everything that a composite could be made of: one batched question to each.
//!
//! The planner decides; this module only asks and remembers.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use pantler_core::composite_graph::GraphNode;
use pantler_core::registry::FindRequest;
use pantler_core::{DataId, DatasetId, DatasetRecord, KeyValue, TypeName};

use crate::chain::Chain;
use crate::error::Result;
use crate::identity::{self, Recorded};
use crate::interrupt::Interrupt;
use crate::taken_part::{self, types_of_node};

/// More rows than this for one incomplete data ID are not looked at one by one: the answer is an error that lists some.
pub const MOST_CANDIDATES: usize = 10_000;

/// A dataset and the number of the repository that holds it.
#[derive(Debug, Clone)]
pub struct Found {
    /// The number of the repository in the chain.
    pub repository: usize,
    /// The dataset.
    pub record: Arc<DatasetRecord>,
}

/// What the registries answered.
#[derive(Debug, Default)]
pub struct Candidates {
    by_type: HashMap<TypeName, OfType>,
    by_id: HashMap<DatasetId, Found>,
    known: HashSet<(usize, DatasetId)>,
    asked_ids: Vec<DatasetId>,
}

/// The datasets of one type.
#[derive(Debug, Default)]
struct OfType {
    /// In search order, then by data ID.
    all: Vec<Found>,
    /// Where each data ID is among them. A few are looked through faster than this is made, so it is empty for a few.
    places: HashMap<DataId, Vec<usize>>,
}

/// So many are looked through one by one.
const FEW: usize = 32;

impl OfType {
    fn push(&mut self, found: Found) {
        self.all.push(found);
        let unplaced = match self.all.len() {
            count if count <= FEW => return,
            count if self.places.is_empty() => 0..count,
            count => count - 1..count,
        };
        for place in unplaced {
            let data_id = self.all[place].record.data_id.clone();
            self.places.entry(data_id).or_default().push(place);
        }
    }

    /// Those with exactly this data ID, in search order.
    fn with<'a, 'b>(
        &'a self,
        data_id: &'b DataId,
    ) -> impl Iterator<Item = &'a Found> + use<'a, 'b> {
        let (few, places) = match self.places.is_empty() {
            true => (self.all.as_slice(), [].as_slice()),
            false => (
                [].as_slice(),
                self.places
                    .get(data_id)
                    .map_or([].as_slice(), Vec::as_slice),
            ),
        };
        few.iter()
            .filter(|found| found.record.data_id == *data_id)
            .chain(places.iter().map(|place| &self.all[*place]))
    }
}

impl Candidates {
    /// Asks every repository once for every type in the graph that fits the root's data ID so far.
    pub fn find(chain: &Chain, graph: &GraphNode, root: &DataId) -> Result<Candidates> {
        Candidates::find_in(chain, &chain.searched(None)?, graph, root)
    }

    /// As [`Candidates::find`], in some of the repositories alone.
    pub fn find_in(
        chain: &Chain,
        searched: &[bool],
        graph: &GraphNode,
        root: &DataId,
    ) -> Result<Candidates> {
        let mut requests = Vec::new();
        add_requests(chain, graph, root, MOST_CANDIDATES, &mut requests);
        let mut candidates = Candidates::default();
        for (repository, open) in chain.repositories().iter().enumerate() {
            if !searched.get(repository).copied().unwrap_or(true) {
                continue;
            }
            let answers = open.registry().find_many(&requests)?;
            for record in answers.into_iter().flatten() {
                candidates.remember(repository, record);
            }
        }
        Ok(candidates)
    }

    /// As [`Candidates::find`], of one type for several data IDs: one question to each repository.
    pub fn find_each(chain: &Chain, graph: &GraphNode, roots: &[DataId]) -> Result<Candidates> {
        let mut requests = Vec::new();
        for root in roots {
            add_requests(chain, graph, root, MOST_CANDIDATES, &mut requests);
        }
        let mut candidates = Candidates::default();
        for (repository, open) in chain.repositories().iter().enumerate() {
            let answers = open.registry().find_many(&requests)?;
            for record in answers.into_iter().flatten() {
                candidates.remember(repository, record);
            }
        }
        Ok(candidates)
    }

    fn remember(&mut self, repository: usize, record: DatasetRecord) {
        let found = Found {
            repository,
            record: Arc::new(record),
        };
        self.by_id
            .entry(found.record.id)
            .or_insert_with(|| found.clone());
        let known = self
            .by_type
            .entry(found.record.dataset_type().clone())
            .or_default();
        if self.known.insert((repository, found.record.id)) {
            known.push(found);
        }
    }

    /// Returns the datasets of a type, in search order, then by data ID.
    pub fn of_type(&self, dataset_type: &TypeName) -> &[Found] {
        self.by_type
            .get(dataset_type)
            .map_or(&[], |of_type| of_type.all.as_slice())
    }

    /// Returns the datasets of a subset component: all that fit, the first in search order per data ID, ordered by data ID
    /// (rule R16); those of the node's own type before those that have its artifact in common (rule R8).
    pub fn subset(&self, chain: &Chain, node: &GraphNode, root: &DataId) -> Vec<Found> {
        let constraint = node.data_id(root);
        // Repositories may name the keys in different orders, and only equal orders compare key by key.
        let keys: Vec<&str> = node.keys.iter().map(|(key, _)| key.as_str()).collect();
        let types = types_of_node(chain, node);
        let mut found: BTreeMap<Vec<Option<KeyValue>>, &Found> = BTreeMap::new();
        for candidate in types.iter().flat_map(|name| self.of_type(name)) {
            let data_id = &candidate.record.data_id;
            if data_id.contains(&constraint) {
                found.entry(data_id.sort_key(&keys)).or_insert(candidate);
            }
        }
        found.into_values().cloned().collect()
    }

    /// Returns all datasets of one type and data ID, in search order: of the node's own type, else of those that have its
    /// artifact in common; of a part also where that part alone is.
    pub fn all(&self, chain: &Chain, node: &GraphNode, data_id: &DataId) -> Vec<Found> {
        let of_type = self
            .first_whole(chain, node, data_id)
            .and_then(|first| self.by_type.get(first.record.dataset_type()));
        let whole = of_type
            .into_iter()
            .flat_map(|of_type| of_type.with(data_id));
        let mut all: Vec<Found> = whole
            .chain(self.parts(chain, node, data_id))
            .cloned()
            .collect();
        // Stable: a whole comes before its parts.
        all.sort_by_key(|found| found.repository);
        all
    }

    /// Returns the first dataset in search order with exactly this data ID: of the node's own type, else of one that has
    /// its artifact in common (rule R8); of a part also the part alone.
    pub fn first(&self, chain: &Chain, node: &GraphNode, data_id: &DataId) -> Option<&Found> {
        let whole = self.first_whole(chain, node, data_id).into_iter();
        whole
            .chain(self.parts(chain, node, data_id))
            .min_by_key(|found| found.repository)
    }

    fn first_whole(&self, chain: &Chain, node: &GraphNode, data_id: &DataId) -> Option<&Found> {
        let of = |dataset_type: &TypeName| self.by_type.get(dataset_type)?.with(data_id).next();
        of(&node.dataset_type).or_else(|| {
            chain
                .same_artifact(&node.definition)
                .iter()
                .filter_map(of)
                .min_by_key(|found| found.repository)
        })
    }

    /// The rows that are the part that a node is, without the rest of the dataset (rule R35).
    fn parts<'a>(
        &'a self,
        chain: &Chain,
        node: &GraphNode,
        data_id: &DataId,
    ) -> impl Iterator<Item = &'a Found> {
        // Nearly always there is none.
        let mut known = self.by_type.keys();
        let types = match known.any(|name| name.as_str().contains('.')) {
            true => taken_part::taken_types_of_node(chain, node),
            false => Vec::new(),
        };
        let rows = types
            .into_iter()
            .filter_map(|dataset_type| self.by_type.get(&dataset_type));
        let data_id = data_id.clone();
        rows.flat_map(move |of_type| of_type.with(&data_id).collect::<Vec<_>>())
    }

    /// Returns a dataset by identity, if it was fetched.
    pub fn by_id(&self, id: DatasetId) -> Option<&Found> {
        self.by_id.get(&id)
    }

    /// Asks for recorded identities that are not known yet; each is asked for once. One that was derived and that no registry
    /// knows is found by its content (rule R19), and is then known under that identity as well as under its own.
    pub(crate) fn fetch(&mut self, chain: &Chain, recorded: &[Recorded]) -> Result<()> {
        let mut wanted: Vec<DatasetId> = recorded
            .iter()
            .map(|recorded| recorded.id)
            .filter(|id| !self.by_id.contains_key(id) && !self.asked_ids.contains(id))
            .collect();
        wanted.sort();
        wanted.dedup();
        self.asked_ids.extend(&wanted);
        for (repository, open) in chain.repositories().iter().enumerate() {
            wanted.retain(|id| !self.by_id.contains_key(id));
            if wanted.is_empty() {
                return Ok(());
            }
            for record in open.registry().find_ids(&wanted)?.into_iter().flatten() {
                let found = Found {
                    repository,
                    record: Arc::new(record),
                };
                self.by_id.insert(found.record.id, found);
            }
        }
        let left: Vec<Recorded> = recorded
            .iter()
            .filter(|one| wanted.contains(&one.id) && !self.by_id.contains_key(&one.id))
            .cloned()
            .collect();
        for (recorded, found) in
            left.iter()
                .zip(identity::find(chain, &left, &Interrupt::default())?)
        {
            if let Some(found) = found {
                self.by_id.insert(recorded.id, found.clone());
                self.by_id.entry(found.record.id).or_insert(found);
            }
        }
        Ok(())
    }
}

/// Adds a question for every type in the graph; a subset component is all that fits, however many.
fn add_requests(
    chain: &Chain,
    node: &GraphNode,
    root: &DataId,
    limit: usize,
    requests: &mut Vec<FindRequest>,
) {
    // Its datasets stand in the record alone (rule R34).
    if node.is_recorded() {
        return;
    }
    let limit = if node.is_subset() { usize::MAX } else { limit };
    let data_id = node.data_id(root);
    for dataset_type in types_of_node(chain, node) {
        let request = FindRequest {
            dataset_type,
            data_id: data_id.clone(),
            limit,
        };
        if !requests.contains(&request) {
            requests.push(request);
        }
    }
    for component in node.components() {
        add_requests(chain, component, root, limit, requests);
    }
}
