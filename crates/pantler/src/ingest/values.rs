//! Where the values of a file's data ID come from: the caller, a table, header cards, the policy's `ingest.path`, the template.
//!
//! Each is asked only for what those before it did not say. The paths are matched at their end.

use std::path::Path;
use std::sync::Arc;

use pantler_core::composite_graph::GraphNode;
use pantler_core::policy::HeaderRule;
use pantler_core::{DataId, KeyValue};
use pantler_objects::{CardValue, Metadata};

use crate::chain::Chain;
use crate::error::{Asked, Error, Result};
use crate::resolve::typed;

use super::table::ValueTable;

/// What finds the data IDs of one type's files.
pub(super) struct Values<'a> {
    chain: &'a Chain,
    graph: &'a GraphNode,
    /// The cards that the type names, then those that the policies' `keys` sections do.
    rules: Vec<(String, HeaderRule)>,
    table: Option<&'a Arc<ValueTable>>,
}

impl<'a> Values<'a> {
    /// Gathers what the policies say about a type.
    pub fn new(
        chain: &'a Chain,
        graph: &'a GraphNode,
        table: Option<&'a Arc<ValueTable>>,
    ) -> Values<'a> {
        let of_type = graph.definition.ingest.headers.iter().cloned();
        Values {
            chain,
            graph,
            rules: of_type.chain(rules_of_keys(chain, graph)).collect(),
            table,
        }
    }

    /// Says whether values may stand in headers, and are not all given.
    pub fn need_headers(&self, given: &DataId) -> bool {
        self.rules.iter().any(|(key, _)| given.get(key).is_none())
    }

    /// Returns the data ID of a file, or of one HDU of it; `path` is its absolute path.
    pub fn data_id(
        &self,
        given: DataId,
        file: &Path,
        path: &Path,
        headers: &[Metadata],
    ) -> Result<DataId> {
        let mut data_id = given;
        if let Some(row) = self.table.and_then(|table| table.row(path)) {
            data_id = data_id.union(row);
        }
        for header in headers {
            for (key, HeaderRule { card, map }) in &self.rules {
                if data_id.get(key).is_none()
                    && let Some(text) = card_text(header, card)
                {
                    let mapped = map.iter().find(|(from, _)| *from == text);
                    let mapped = mapped.map(|(_, to)| to.clone());
                    data_id.insert(key.clone(), mapped.unwrap_or(KeyValue::Str(text)));
                }
            }
        }
        let template = self.graph.definition.template.as_ref();
        let path = path.to_string_lossy();
        // `x.fits.gz` and `x.fits.fz` are what is meant by `x.fits`.
        let bare = path.strip_suffix(".gz").or(path.strip_suffix(".fz"));
        for pattern in self.graph.definition.ingest.path.iter().chain(template) {
            let missing = |(key, _): &(String, _)| data_id.get(key).is_none();
            if !pattern.path_keys().iter().any(missing) {
                continue;
            }
            let read = pattern.read_suffix(&path);
            if let Some(read) = read.or_else(|| pattern.read_suffix(bare?)) {
                data_id = data_id.union(&read);
            }
        }
        let asked = Asked::new(&self.graph.dataset_type, &data_id);
        let data_id = typed(self.chain, &asked, &data_id)?;
        let keys = || self.graph.keys.iter().map(|(key, _)| key.as_str());
        match keys().find(|key| data_id.get(key).is_none()) {
            Some(key) => Err(Error::NoValue {
                file: file.display().to_string(),
                key: key.to_owned(),
                template: template
                    .map(|template| template.text().to_owned())
                    .unwrap_or_default(),
                keys: keys().map(str::to_owned).collect(),
            }),
            None => Ok(data_id.restricted_to(&keys().collect::<Vec<_>>())),
        }
    }
}

/// The keys of a type whose values stand in header cards, as the policies' `keys` sections say.
fn rules_of_keys(chain: &Chain, graph: &GraphNode) -> Vec<(String, HeaderRule)> {
    let rule = |(key, _): &(String, _)| {
        let mut policies = chain.repositories().iter().map(|known| known.policy());
        let definition = policies.find_map(|policy| policy.key(key))?;
        let rule = HeaderRule {
            card: definition.header.clone()?,
            map: definition.map.clone(),
        };
        Some((key.clone(), rule))
    };
    graph.keys.iter().filter_map(rule).collect()
}

/// A card's value as a person would type it as a data-ID value.
fn card_text(header: &Metadata, keyword: &str) -> Option<String> {
    match header.get(keyword)? {
        CardValue::Text(text) => Some(text.trim_end().to_owned()),
        CardValue::Integer(value) => Some(value.to_string()),
        CardValue::Real(value) => Some(value.to_string()),
        CardValue::Logical(value) => Some(value.to_string()),
        _ => None,
    }
}
