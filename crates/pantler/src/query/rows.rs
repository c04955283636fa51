//! What rows have beside their data IDs, and whether they fit a condition.
//!
//! Names in a condition or an order are, in this order: keys of the type, columns of the policy's `metadata`, the columns that
//! every dataset has, keys of other types of the chain.

use pantler_core::composite_graph::GraphNode;
use pantler_core::expression::{EvaluateError, Expression, Region};
use pantler_core::object::downcast;
use pantler_core::sky::Footprint;
use pantler_core::{DataId, KeyValue};
use pantler_objects::{Bbox, Wcs};
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::execute::Executor;
use crate::parameters::Parameters;
use crate::planner::{Planner, check_found};
use crate::resolve::Resolved;
use crate::sky_facts::footprint;
use crate::unused_keys::UnusedKey;

use super::{COLUMNS, DatasetRef, Query, column};

/// The columns of one query.
pub(super) struct Columns<'b> {
    executor: Executor<'b>,
    planner: Planner<'b>,
    metadata: Vec<String>,
    /// Keys of other types that the condition or the order names.
    others: Vec<UnusedKey>,
    /// Keys of other types that are given, with the values that they must not contradict.
    given: Vec<(UnusedKey, KeyValue)>,
    /// The name to plan with, where a composite's place on the sky is found from its parts.
    composite: Option<String>,
}

impl<'b> Columns<'b> {
    pub fn none(executor: Executor<'b>, planner: Planner<'b>) -> Columns<'b> {
        Columns {
            executor,
            planner,
            metadata: Vec::new(),
            others: Vec::new(),
            given: Vec::new(),
            composite: None,
        }
    }

    /// Finds out what the names in a query mean.
    pub fn prepare(
        &mut self,
        query: &Query,
        of: Option<&(Resolved, GraphNode)>,
        given: &DataId,
    ) -> Result<()> {
        let chain = self.planner.chain;
        match of {
            Some((_, graph)) => graph.walk(&mut |node| {
                let columns = node.definition.metadata.iter();
                self.metadata.extend(columns.map(|(name, _)| name.clone()));
            }),
            None => {
                for (_, definition) in chain.definitions() {
                    let columns = definition.metadata.iter();
                    self.metadata.extend(columns.map(|(name, _)| name.clone()));
                }
            }
        }
        let Some((resolved, graph)) = of else {
            return Ok(());
        };
        if graph.is_composite() {
            self.composite = Some(resolved.dataset_type.to_string());
        }
        let own: Vec<&str> = graph.keys.iter().map(|(key, _)| key.as_str()).collect();
        let used = used_keys(graph);
        let identifiers = query.condition.iter().flat_map(Expression::identifiers);
        let names = identifiers
            .map(|identifier| identifier.name.as_str())
            .chain(query.order_by.iter().map(|(name, _)| name.as_str()));
        for name in names {
            let is_own = own.contains(&name)
                || COLUMNS.contains(&name)
                || self.metadata.iter().any(|known| known == name)
                || self.others.iter().any(|known| known.name() == name);
            if !is_own && chain.key_type(name).is_some() {
                self.others.push(UnusedKey::new(chain, name, &own));
            }
        }
        for (key, value) in given.iter() {
            if !used.iter().any(|used| used == key) {
                let unused = UnusedKey::new(chain, key, &own);
                self.given.push((unused, value.clone()));
            }
        }
        Ok(())
    }

    pub fn is_metadata(&self, name: &str) -> bool {
        self.metadata.iter().any(|known| known == name)
    }

    /// Whether a name is a column that no key table has.
    pub fn is_known(&self, name: &str) -> bool {
        self.is_metadata(name) || self.others.iter().any(|known| known.name() == name)
    }

    /// Returns the values of keys of other types, where the registries know one value.
    pub fn values(&self, rows: &[DatasetRef]) -> Result<Vec<Vec<(String, KeyValue)>>> {
        let mut values = vec![Vec::new(); rows.len()];
        if self.others.is_empty() {
            return Ok(values);
        }
        let data_ids: Vec<DataId> = rows.iter().map(|row| row.data_id.clone()).collect();
        for key in &self.others {
            let known = key.values(self.planner.chain, &data_ids)?;
            for (values, known) in values.iter_mut().zip(known) {
                if let [only] = known.as_slice() {
                    values.push((key.name().to_owned(), only.value.clone()));
                }
            }
        }
        Ok(values)
    }

    /// Returns the rows that fit.
    pub fn fitting(
        &self,
        mut rows: Vec<DatasetRef>,
        condition: Option<&Expression>,
    ) -> Result<Vec<DatasetRef>> {
        if !self.given.is_empty() {
            rows = self.agreeing(rows)?;
        }
        let Some(condition) = condition else {
            return Ok(rows);
        };
        if !condition.regions().is_empty() {
            // Each one reads two small parts of files, so it is worth doing many at a time.
            rows.par_iter_mut().for_each(|row| {
                if row.footprint.is_none() {
                    row.footprint = self.footprint_of_parts(row);
                }
            });
        }
        let others = self.values(&rows)?;
        let mut fitting = Vec::new();
        for (row, others) in rows.into_iter().zip(others) {
            let lookup = |name: &str| {
                let of_others = others.iter().find(|(key, _)| key == name);
                let of_others = of_others.map(|(_, value)| value.clone());
                column(&row, name).or(of_others)
            };
            let outcome = condition
                .evaluate_with(&lookup, &|region| touches(&row, region))
                .map_err(|error| Error::request(error.to_string()))?;
            if outcome == Some(true) {
                fitting.push(row);
            }
        }
        Ok(fitting)
    }

    fn agreeing(&self, rows: Vec<DatasetRef>) -> Result<Vec<DatasetRef>> {
        let data_ids: Vec<DataId> = rows.iter().map(|row| row.data_id.clone()).collect();
        let mut agrees = vec![true; rows.len()];
        for (key, value) in &self.given {
            let known = key.values(self.planner.chain, &data_ids)?;
            for (agrees, known) in agrees.iter_mut().zip(known) {
                *agrees &= known.is_empty() || known.iter().any(|known| known.value == *value);
            }
        }
        let rows = rows.into_iter().zip(agrees);
        Ok(rows
            .filter(|(_, agrees)| *agrees)
            .map(|(row, _)| row)
            .collect())
    }

    /// The footprint of a composite that was never recorded: that of the coordinates that it would be assembled with.
    fn footprint_of_parts(&self, row: &DatasetRef) -> Option<Footprint> {
        let name = self.composite.as_ref()?;
        let read = |part: &str| {
            let resolved = Resolved {
                asked: crate::error::Asked::new(name, &row.data_id),
                dataset_type: row.dataset_type.clone(),
                part: vec![part.to_owned()],
                data_id: row.data_id.clone(),
                tag: None,
            };
            let plan = self.planner.plan(&resolved).ok()?;
            check_found(&plan, &resolved, self.planner.chain).ok()?;
            self.executor.execute(&plan, &Parameters::default()).ok()
        };
        let (wcs, bbox) = (read("wcs")?, read("bbox")?);
        footprint(
            downcast::<Wcs>(wcs.as_ref()),
            downcast::<Bbox>(bbox.as_ref()),
        )
    }
}

/// The keys of the root's data ID that a type, or anything that it is made of, takes its values from.
pub(crate) fn used_keys(graph: &GraphNode) -> Vec<String> {
    use pantler_core::composite_graph::KeySource;
    let mut used: Vec<String> = graph.keys.iter().map(|(key, _)| key.clone()).collect();
    graph.walk(&mut |node| {
        for source in &node.sources {
            if let KeySource::Root(key) = source {
                used.push(key.clone());
            }
        }
    });
    used
}

fn touches(row: &DatasetRef, region: &Region) -> Result<Option<bool>, EvaluateError> {
    Ok(row
        .footprint
        .as_ref()
        .and_then(|footprint| footprint.overlaps(region)))
}
