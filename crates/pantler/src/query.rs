//! Lists what there is: datasets of one type or of all, by keys and by an expression.
//!
//! Composites take part as types of their own: those that were recorded, and those that lookup would assemble now. So do types
//! whose artifacts are another type's as well.
//!
//! ```text
//! registries ─► pages ─► merging (one order, nearest first) ─► rows (columns, keys of other types) ─► condition ─► order, limit
//! composites ─► join of their components' data IDs ───────────┘
//! ```

mod composites;
mod leaves;
mod lineage;
mod merging;
mod rows;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use pantler_core::composite_graph::GraphNode;
use pantler_core::expression::Expression;
use pantler_core::registry::compare_by;
use pantler_core::sky::Footprint;
use pantler_core::{DataId, DatasetId, DatasetRecord, KeyValue, TypeName};

use crate::error::{Asked, Error, Result};
use crate::execute::Executor;
use crate::interrupt::Interrupt;
use crate::planner::{Planner, locate_of_row};
use crate::resolve::{Resolved, check_keys, resolve, typed};
use crate::taken_part::{types_of, types_of_node};

pub(crate) use leaves::Recorded;
pub(crate) use lineage::identity;
use merging::{Group, Merged, Wanted};
use rows::Columns;
pub(crate) use rows::used_keys;

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// The type; all types if absent.
    pub name: Option<String>,
    /// Keys that must have these values. A key that the type does not use must agree where the registries know its value.
    pub data_id: DataId,
    /// A further condition.
    pub condition: Option<Expression>,
    /// Columns to order by; `true` for descending. What they leave open is ordered by type and data ID.
    pub order_by: Vec<(String, bool)>,
    /// At most so many.
    pub limit: Option<usize>,
    /// Only what was made from this dataset: its name and data ID (rule R34).
    pub made_from: Option<(String, DataId)>,
    /// Only what this dataset was made from, or is made of.
    pub used_by: Option<(String, DataId)>,
}

/// One dataset of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetRef {
    /// Its type.
    pub dataset_type: TypeName,
    /// Its data ID.
    pub data_id: DataId,
    /// The root of the repository that it is in.
    pub repository: Arc<str>,
    /// That repository's name as the user wrote it.
    pub repository_name: Arc<str>,
    /// Where its artifact lies; `None` for a composite.
    pub location: Option<String>,
    /// Its bytes; for a composite, those of its parts.
    pub bytes: u64,
    /// Its identity; `None` for a composite that was never recorded.
    pub id: Option<DatasetId>,
    /// The values of the columns that the policy's `metadata` names; of a composite, those of its components.
    pub metadata: DataId,
    /// Where it lies on the sky, if a registry knows.
    pub footprint: Option<Footprint>,
}

/// The columns that are no keys, and mean something for every dataset.
const COLUMNS: [&str; 3] = ["repository", "bytes", "stage"];

/// The datasets that a query finds, one after the other. Nothing of what was returned is kept: memory is taken for a page of
/// each registry, unless the order asked for is one that no registry has.
pub struct Listing<'b> {
    planner: Planner<'b>,
    interrupt: &'b Interrupt,
    columns: Columns<'b>,
    query: Query,
    source: Source<'b>,
    /// Rows that fit, and are to be returned.
    ready: VecDeque<DatasetRef>,
    left: usize,
    has_failed: bool,
}

enum Source<'b> {
    /// From registries, in the order asked for.
    Merged(Box<Merged<'b>>, Vec<Group>),
    /// All that is left, in any order.
    Rest(Vec<DatasetRef>),
}

/// How many rows are looked at together.
const BATCH: usize = 256;

impl<'b> Listing<'b> {
    /// Checks a query and starts it.
    pub(crate) fn start(
        executor: Executor<'b>,
        planner: Planner<'b>,
        query: Query,
    ) -> Result<Listing<'b>> {
        let left = query.limit.unwrap_or(usize::MAX);
        let mut listing = Listing {
            planner,
            interrupt: executor.interrupt,
            columns: Columns::none(executor, planner),
            source: Source::Rest(Vec::new()),
            ready: VecDeque::new(),
            left,
            has_failed: false,
            query,
        };
        listing.prepare()?;
        Ok(listing)
    }

    fn prepare(&mut self) -> Result<()> {
        let planner = self.planner;
        let of = match &self.query.name {
            Some(name) => {
                let resolved = resolve(planner.chain, name, &self.query.data_id)?;
                let graph = planner.graph_of_part(&resolved)?;
                check_keys(
                    planner.chain,
                    &resolved.asked,
                    &resolved.data_id,
                    &graph.keys,
                )?;
                Some((resolved, graph))
            }
            None => None,
        };
        let asked = Asked::new(
            self.query.name.as_deref().unwrap_or("*"),
            &self.query.data_id,
        );
        let given = match &of {
            Some((resolved, _)) => resolved.data_id.clone(),
            None => typed(planner.chain, &asked, &self.query.data_id)?,
        };
        self.columns.prepare(&self.query, of.as_ref(), &given)?;
        self.check_names(of.as_ref())?;
        self.check_regions(&asked)?;
        if self.query.made_from.is_some() || self.query.used_by.is_some() {
            let mut related = lineage::related(&planner, &self.query, of.as_ref())?;
            related.retain(|each| agrees(&each.data_id, &given));
            self.source = Source::Rest(related);
        } else {
            self.source = self.source_of(of.as_ref(), &given)?;
        }
        if !self.is_in_order() {
            self.sort_all()?;
        }
        Ok(())
    }

    fn source_of(&self, of: Option<&(Resolved, GraphNode)>, given: &DataId) -> Result<Source<'b>> {
        let planner = self.planner;
        let (groups, data_id) = match of {
            Some((_, graph)) => {
                let given = self.narrowed(graph, given);
                if graph.is_composite() {
                    let rows = composites::composites(&planner, graph, &given)?;
                    return Ok(Source::Rest(rows));
                }
                let keys: Vec<&str> = graph.keys.iter().map(|(key, _)| key.as_str()).collect();
                (self.groups_of_type(graph)?, given.restricted_to(&keys))
            }
            None => (self.groups_of_all_types()?, given.clone()),
        };
        let wanted = Wanted {
            data_id: &data_id,
            condition: self.query.condition.as_ref(),
            order_by: if self.orders_by_keys() {
                &self.query.order_by
            } else {
                &[]
            },
        };
        let merged = Merged::new(planner.chain, &groups, &wanted);
        Ok(Source::Merged(Box::new(merged), groups))
    }

    /// What is given, with what the condition says of keys by equality. The whole condition is still checked on every row.
    fn narrowed(&self, graph: &GraphNode, given: &DataId) -> DataId {
        let mut given = given.clone();
        for (key, value) in self.query.condition.iter().flat_map(|condition| {
            let equalities: Vec<(String, KeyValue)> = condition
                .equalities()
                .iter()
                .map(|(key, value)| (key.to_owned(), value.clone()))
                .collect();
            equalities
        }) {
            let typed = graph.keys.iter().find(|(known, _)| *known == key);
            if let Some(value) = typed.and_then(|(_, key_type)| value.cast(*key_type))
                && given.get(&key).is_none()
            {
                given.insert(key, value);
            }
        }
        given
    }

    /// The type's datasets, and those of types that have its artifacts in common (rule R8).
    fn groups_of_type(&self, graph: &GraphNode) -> Result<Vec<Group>> {
        let chain = self.planner.chain;
        let names = types_of_node(chain, graph);
        let parts: Vec<TypeName> = types_of(&graph.dataset_type, &graph.part).collect();
        let mut groups = Groups::default();
        for (index, repository) in chain.repositories().iter().enumerate() {
            for name in &names {
                for (_, keys) in repository.registry().key_sets(Some(name))? {
                    let keys = keys.into_iter().map(|(key, _)| key).collect();
                    // What is there without its whole goes by its own name.
                    let shown = match parts.contains(name) {
                        true => name,
                        false => &graph.dataset_type,
                    };
                    groups.add(shown, keys, index, name);
                }
            }
        }
        Ok(groups.all)
    }

    fn groups_of_all_types(&self) -> Result<Vec<Group>> {
        let mut groups = Groups::default();
        for (index, repository) in self.planner.chain.repositories().iter().enumerate() {
            for (name, keys) in repository.registry().key_sets(None)? {
                let keys = keys.into_iter().map(|(key, _)| key).collect();
                groups.add(&name, keys, index, &name);
            }
        }
        // Stable: the sets of keys of one type stay in the order in which they were met.
        groups
            .all
            .sort_by(|a, b| a.dataset_type.cmp(&b.dataset_type));
        Ok(groups.all)
    }

    /// Whether everything that is ordered by is a key or the same for all datasets of a type.
    fn orders_by_keys(&self) -> bool {
        let mut order_by = self.query.order_by.iter();
        order_by.all(|(name, _)| !COLUMNS.contains(&name.as_str()) && !self.columns.is_known(name))
    }

    fn is_in_order(&self) -> bool {
        matches!(self.source, Source::Merged(..)) && self.orders_by_keys()
    }

    /// Reads all rows and sorts them; of more than are wanted, only the first are kept meanwhile.
    fn sort_all(&mut self) -> Result<()> {
        let most = self.left.saturating_mul(2).max(BATCH);
        let mut all: Vec<DatasetRef> = Vec::new();
        loop {
            let rows = self.next_rows()?;
            if rows.is_empty() {
                break;
            }
            all.extend(rows);
            if all.len() > most {
                self.sort(&mut all)?;
                all.truncate(self.left);
            }
        }
        self.sort(&mut all)?;
        all.truncate(self.left);
        self.ready = all.into();
        self.source = Source::Rest(Vec::new());
        Ok(())
    }

    fn sort(&self, rows: &mut [DatasetRef]) -> Result<()> {
        let values = self.columns.values(rows)?;
        let order = &self.query.order_by;
        // As people read them: by the keys in the order in which the first of each type has them.
        let mut key_orders: BTreeMap<TypeName, Vec<String>> = BTreeMap::new();
        for row in rows.iter() {
            key_orders
                .entry(row.dataset_type.clone())
                .or_insert_with(|| row.data_id.keys().map(str::to_owned).collect());
        }
        let own_keys = |row: &DatasetRef| match key_orders.get(&row.dataset_type) {
            Some(keys) => row.data_id.sort_key(keys),
            None => Vec::new(),
        };
        let mut keyed: Vec<(Vec<(String, KeyValue)>, DatasetRef)> =
            values.into_iter().zip(rows.iter().cloned()).collect();
        let get = |row: &(Vec<(String, KeyValue)>, DatasetRef), name: &str| {
            let of_others = row.0.iter().find(|(key, _)| key == name);
            let of_others = of_others.map(|(_, value)| value.clone());
            of_others.or_else(|| column(&row.1, name))
        };
        keyed.sort_by(|a, b| {
            compare_by(order, &|name| get(a, name), &|name| get(b, name))
                .then_with(|| a.1.dataset_type.cmp(&b.1.dataset_type))
                .then_with(|| own_keys(&a.1).cmp(&own_keys(&b.1)))
                .then_with(|| a.1.data_id.cmp(&b.1.data_id))
        });
        for (row, (_, sorted)) in rows.iter_mut().zip(keyed) {
            *row = sorted;
        }
        Ok(())
    }

    /// Refuses names that are neither keys nor columns, wherever they are used.
    fn check_names(&self, of: Option<&(Resolved, GraphNode)>) -> Result<()> {
        let chain = self.planner.chain;
        let all_keys = chain.keys();
        let identifiers = self.query.condition.iter().flat_map(|condition| {
            let names = condition.identifiers().into_iter();
            names
                .map(|identifier| identifier.name.clone())
                .collect::<Vec<_>>()
        });
        let names = identifiers.chain(self.query.order_by.iter().map(|(key, _)| key.clone()));
        for name in names {
            if COLUMNS.contains(&name.as_str()) || self.columns.is_metadata(&name) {
                continue;
            }
            let asked = of.map_or_else(
                || Asked::new("*", &self.query.data_id),
                |(resolved, _)| resolved.asked.clone(),
            );
            let keys = of.map_or(all_keys.as_slice(), |(_, graph)| graph.keys.as_slice());
            let data_id = DataId::new([(name, KeyValue::Int(0))]);
            check_keys(chain, &asked, &data_id, keys)?;
        }
        Ok(())
    }

    /// Refuses regions that nothing can be compared with, before anything is looked for.
    fn check_regions(&self, asked: &Asked) -> Result<()> {
        use pantler_core::expression::Region;
        use pantler_core::sky::SkyPolygon;
        for region in self.query.condition.iter().flat_map(Expression::regions) {
            match region {
                Region::Tract(_) => {
                    return Err(Error::Unsupported {
                        message: format!(
                            "{region} needs a sky map, which says where tracts lie, and this version of pantler reads none"
                        ),
                        hints: vec![
                            format!(
                                "give the region itself: overlaps(circle(ra, dec, radius)) or overlaps(polygon(…)), in degrees (asked for {asked})"
                            ),
                            "if the datasets have the key `tract`, compare that: tract = 9813"
                                .to_owned(),
                        ],
                    });
                }
                Region::Polygon(corners) if SkyPolygon::new(corners).is_none() => {
                    return Err(Error::request(format!(
                        "{region} is no convex polygon; a region that is not convex is written as several, joined by `or`"
                    )));
                }
                Region::Polygon(_) | Region::Circle { .. } => {}
            }
        }
        Ok(())
    }

    /// Returns the next rows that fit; none only at the end.
    fn next_rows(&mut self) -> Result<Vec<DatasetRef>> {
        loop {
            let rows = self.next_batch()?;
            if rows.is_empty() {
                return Ok(rows);
            }
            let fitting = self.columns.fitting(rows, self.query.condition.as_ref())?;
            if !fitting.is_empty() {
                return Ok(fitting);
            }
        }
    }

    fn next_batch(&mut self) -> Result<Vec<DatasetRef>> {
        self.interrupt.check()?;
        let planner = self.planner;
        let (merged, groups) = match &mut self.source {
            Source::Rest(rest) => {
                let rest_of = rest.split_off(rest.len().min(BATCH));
                return Ok(std::mem::replace(rest, rest_of));
            }
            Source::Merged(merged, groups) => (merged, groups),
        };
        let mut rows = Vec::new();
        let mut recorded = Recorded::new(&planner);
        while rows.len() < BATCH {
            let Some((group, repository, record)) = merged.next()? else {
                break;
            };
            recorded.note(&record, &[]);
            let shown = groups[group].dataset_type.clone();
            let mut row = reference(&planner, repository, shown, record)?;
            if !row.data_id.keys().eq(groups[group].keys.iter()) {
                let ordered = row.data_id.restricted_to(&groups[group].keys);
                if ordered.len() == row.data_id.len() {
                    row.data_id = ordered;
                }
            }
            rows.push(row);
        }
        recorded.find()?;
        for row in &mut rows {
            let leaves = row.id.and_then(|id| recorded.leaves(id, &[]));
            if let Some(leaves) = leaves {
                row.bytes = leaves::bytes_of(&leaves);
            }
        }
        Ok(rows)
    }
}

impl Iterator for Listing<'_> {
    type Item = Result<DatasetRef>;

    fn next(&mut self) -> Option<Result<DatasetRef>> {
        if self.left == 0 || self.has_failed {
            return None;
        }
        if self.ready.is_empty() {
            match self.next_rows() {
                Ok(rows) => self.ready = rows.into(),
                Err(error) => {
                    self.has_failed = true;
                    return Some(Err(error));
                }
            }
        }
        let next = self.ready.pop_front()?;
        self.left -= 1;
        Some(Ok(next))
    }
}

/// Groups of datasets, in the order in which they are met.
#[derive(Default)]
struct Groups {
    all: Vec<Group>,
}

impl Groups {
    fn add(&mut self, shown: &TypeName, keys: Vec<String>, repository: usize, name: &TypeName) {
        let same = |group: &&mut Group| {
            group.dataset_type == *shown
                && group.keys.len() == keys.len()
                && keys.iter().all(|key| group.keys.contains(key))
        };
        let source = (repository, name.clone());
        match self.all.iter_mut().find(same) {
            Some(group) => group.sources.push(source),
            None => self.all.push(Group {
                dataset_type: shown.clone(),
                keys,
                sources: vec![source],
            }),
        }
    }
}

fn agrees(data_id: &DataId, given: &DataId) -> bool {
    given.agrees_with(data_id)
}

/// Makes a row, listed under the type `shown`, of what a registry has; values are moved, for there may be millions.
fn reference(
    planner: &Planner<'_>,
    repository: usize,
    shown: TypeName,
    record: DatasetRecord,
) -> Result<DatasetRef> {
    let open = planner.chain.repository(repository);
    let location = match &record.artifact {
        Some(_) => Some(locate_of_row(&record)?.0.as_str().to_owned()),
        None => None,
    };
    Ok(DatasetRef {
        dataset_type: shown,
        repository: open.shared_root().clone(),
        repository_name: open.shared_name().clone(),
        location,
        bytes: record
            .artifact
            .as_ref()
            .map_or(0, |artifact| artifact.bytes),
        id: Some(record.id),
        data_id: record.data_id,
        metadata: record.metadata,
        footprint: record.footprint,
    })
}

/// A column of a row, as far as the row itself has it.
fn column(each: &DatasetRef, name: &str) -> Option<KeyValue> {
    if let Some(value) = each.data_id.get(name).or_else(|| each.metadata.get(name)) {
        return Some(value.clone());
    }
    match name {
        "repository" => Some(KeyValue::from(&*each.repository_name)),
        "bytes" => i64::try_from(each.bytes).ok().map(KeyValue::Int),
        "stage" => each.dataset_type.stage().map(KeyValue::from),
        _ => None,
    }
}
