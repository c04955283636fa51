//! The datasets of many registries in one order, a page of each in memory at a time.
//!
//! Every registry gives its datasets in the same order, so the smallest of what stands first everywhere comes next, and what
//! a farther repository has under the same data ID comes directly behind it and is dropped.

use std::cmp::Ordering;
use std::collections::VecDeque;

use pantler_core::expression::Expression;
use pantler_core::registry::{PageRequest, compare_by};
use pantler_core::{DataId, DatasetRecord, TypeName};

use crate::chain::Chain;
use crate::error::Result;

/// How many datasets of one repository are fetched first, and at most at a time.
const FIRST_PAGE: usize = 256;
const LARGEST_PAGE: usize = 4096;

/// Datasets of one type and one set of keys.
#[derive(Debug, Clone)]
pub(super) struct Group {
    /// The type under which they are listed.
    pub dataset_type: TypeName,
    /// Their keys, in the order by which they are sorted.
    pub keys: Vec<String>,
    /// Where they are: the number of the repository, and the type under which it knows them.
    pub sources: Vec<(usize, TypeName)>,
}

/// What is asked of the registries.
pub(super) struct Wanted<'q> {
    pub data_id: &'q DataId,
    pub condition: Option<&'q Expression>,
    /// Columns to order by, with `true` for descending; none but keys.
    pub order_by: &'q [(String, bool)],
}

/// Datasets in order, each with the number of its group and of its repository.
pub(super) struct Merged<'c> {
    chain: &'c Chain,
    streams: Vec<Stream>,
    order_by: Vec<(String, bool)>,
    last: Option<(usize, DataId)>,
}

struct Stream {
    group: usize,
    repository: usize,
    /// Whether other streams have datasets of this group, which one of this stream may hide.
    has_others: bool,
    request: PageRequest,
    page: VecDeque<DatasetRecord>,
    has_ended: bool,
}

impl Merged<'_> {
    /// Starts at the first datasets of these groups. Nothing is asked yet.
    pub fn new<'c>(chain: &'c Chain, groups: &[Group], wanted: &Wanted<'_>) -> Merged<'c> {
        let mut streams = Vec::new();
        for (number, group) in groups.iter().enumerate() {
            let condition = match group.sources.as_slice() {
                [_] => wanted.condition.cloned(),
                // Where a dataset lies must not decide whether it hides another one.
                _ => wanted.condition.and_then(without_regions),
            };
            for (repository, dataset_type) in &group.sources {
                streams.push(Stream {
                    group: number,
                    repository: *repository,
                    has_others: group.sources.len() > 1,
                    request: PageRequest {
                        dataset_type: dataset_type.clone(),
                        order: order_of(&group.keys, wanted.order_by),
                        data_id: wanted.data_id.clone(),
                        condition: condition.clone(),
                        after: None,
                        limit: FIRST_PAGE,
                    },
                    page: VecDeque::new(),
                    has_ended: false,
                });
            }
        }
        Merged {
            chain,
            streams,
            order_by: wanted.order_by.to_vec(),
            last: None,
        }
    }

    /// Returns the next dataset, with the numbers of its group and its repository.
    pub fn next(&mut self) -> Result<Option<(usize, usize, DatasetRecord)>> {
        loop {
            let Some(at) = self.first_stream()? else {
                return Ok(None);
            };
            let stream = &mut self.streams[at];
            let Some(record) = stream.page.pop_front() else {
                return Ok(None);
            };
            // The same in a farther repository: the search order of the streams put the nearest first.
            if stream.has_others {
                let place = (stream.group, record.data_id.clone());
                if self.last.as_ref() == Some(&place) {
                    continue;
                }
                self.last = Some(place);
            }
            return Ok(Some((stream.group, stream.repository, record)));
        }
    }

    /// The stream of which the first dataset comes next.
    fn first_stream(&mut self) -> Result<Option<usize>> {
        let mut first: Option<usize> = None;
        for at in 0..self.streams.len() {
            // Without an order that goes across groups, a group is not touched before those in front of it have ended.
            if self.order_by.is_empty()
                && first.is_some_and(|first| self.streams[first].group < self.streams[at].group)
            {
                break;
            }
            self.streams[at].fill(self.chain)?;
            if self.streams[at].page.is_empty() {
                continue;
            }
            first = match first {
                Some(best) if self.compare(best, at).is_le() => Some(best),
                _ => Some(at),
            };
        }
        Ok(first)
    }

    fn compare(&self, a: usize, b: usize) -> Ordering {
        let (a, b) = (&self.streams[a], &self.streams[b]);
        let (Some(of_a), Some(of_b)) = (a.page.front(), b.page.front()) else {
            return Ordering::Equal;
        };
        let by_columns = compare_by(
            &self.order_by,
            &|key| of_a.data_id.get(key).cloned(),
            &|key| of_b.data_id.get(key).cloned(),
        );
        by_columns
            .then(a.group.cmp(&b.group))
            .then_with(|| a.request.compare(&of_a.data_id, &of_b.data_id))
            .then(a.repository.cmp(&b.repository))
    }
}

impl Stream {
    fn fill(&mut self, chain: &Chain) -> Result<()> {
        if self.has_ended || !self.page.is_empty() {
            return Ok(());
        }
        let registry = chain.repository(self.repository).registry();
        self.page = registry.page(&self.request)?.into();
        self.has_ended = self.page.len() < self.request.limit;
        self.request.limit = (self.request.limit * 4).min(LARGEST_PAGE);
        self.request.after = self.page.back().map(|record| record.data_id.clone());
        Ok(())
    }
}

/// The columns to order by that are keys here, then the other keys.
fn order_of(keys: &[String], order_by: &[(String, bool)]) -> Vec<(String, bool)> {
    let mut order: Vec<(String, bool)> = Vec::new();
    let rest = keys.iter().map(|key| (key.clone(), false));
    for (key, descending) in order_by.iter().cloned().chain(rest) {
        if keys.contains(&key) && !order.iter().any(|(known, _)| *known == key) {
            order.push((key, descending));
        }
    }
    order
}

/// What an expression demands beside places on the sky.
fn without_regions(condition: &Expression) -> Option<Expression> {
    match condition {
        Expression::And(all) => {
            let rest: Vec<Expression> = all.iter().filter_map(without_regions).collect();
            (!rest.is_empty()).then_some(Expression::And(rest))
        }
        other => other.regions().is_empty().then(|| other.clone()),
    }
}
