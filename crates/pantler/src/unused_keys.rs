//! Keys that a dataset type does not have and other types of the chain do: `filter` beside `visit` and `ccd`.
//!
//! What a registry knows of such a key stands in the data IDs of other types, such as the raw files of the same exposure. A
//! type tells of it if it has all keys that pick the dataset, and the key in question: what has only some of them (a flat of
//! the same detector) tells nothing.

use std::collections::BTreeSet;

use pantler_core::registry::FindRequest;
use pantler_core::{DataId, KeyValue, TypeName};

use crate::chain::Chain;
use crate::error::{Asked, Error, Result};

/// So many values of one key are looked at; more than one is no knowledge anyway.
const MOST_VALUES: usize = 32;

/// A key of other types.
#[derive(Debug, Clone)]
pub(crate) struct UnusedKey {
    name: String,
    types: Vec<TypeName>,
}

impl UnusedKey {
    /// Says which types tell of `name` for datasets that are picked by `own` keys.
    pub fn new<S: AsRef<str>>(chain: &Chain, name: &str, own: &[S]) -> UnusedKey {
        let mut types: Vec<TypeName> = chain
            .definitions()
            .filter(|(_, definition)| {
                let keys = definition
                    .template
                    .iter()
                    .flat_map(|template| template.keys());
                let keys: BTreeSet<&str> = keys.map(|(key, _)| key.as_str()).collect();
                !own.is_empty()
                    && keys.contains(name)
                    && own.iter().all(|key| keys.contains(key.as_ref()))
            })
            .map(|(_, definition)| definition.name.clone())
            .collect();
        types.sort();
        types.dedup();
        UnusedKey {
            name: name.to_owned(),
            types,
        }
    }

    /// Returns the key.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns, for each data ID, the values that the registries know, each with where the first was seen: one batched question
    /// to each registry.
    pub fn values(&self, chain: &Chain, data_ids: &[DataId]) -> Result<Vec<Vec<Known>>> {
        let mut known: Vec<Vec<Known>> = vec![Vec::new(); data_ids.len()];
        if self.types.is_empty() || data_ids.is_empty() {
            return Ok(known);
        }
        let requests: Vec<FindRequest> = data_ids
            .iter()
            .flat_map(|data_id| {
                self.types.iter().map(move |dataset_type| FindRequest {
                    dataset_type: dataset_type.clone(),
                    data_id: data_id.clone(),
                    limit: MOST_VALUES,
                })
            })
            .collect();
        for repository in chain.repositories() {
            let answers = repository.registry().find_many(&requests)?;
            for (index, record) in answers
                .into_iter()
                .enumerate()
                .flat_map(|(index, list)| list.into_iter().map(move |record| (index, record)))
            {
                let known = &mut known[index / self.types.len()];
                if let Some(value) = record.data_id.get(&self.name)
                    && !known.iter().any(|other| other.value == *value)
                {
                    known.push(Known {
                        value: value.clone(),
                        dataset: Asked::new(record.dataset_type(), &record.data_id),
                        repository: repository.name().to_owned(),
                    });
                }
            }
        }
        Ok(known)
    }
}

/// One value of a key, and where it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The value.
    pub value: KeyValue,
    /// The dataset that has it.
    pub dataset: Asked,
    /// The repository that holds that dataset.
    pub repository: String,
}

/// Refuses a known key that the type does not use and that contradicts what the registries know (rule R27).
///
/// `used` are the keys that the type, or anything that it is made of, takes from the data ID.
pub(crate) fn check(
    chain: &Chain,
    asked: &Asked,
    given: &DataId,
    used: &[&str],
    complete: &DataId,
) -> Result<()> {
    for (key, value) in given.iter() {
        if used.contains(&key) || complete.get(key).is_some() {
            continue;
        }
        let own: Vec<&str> = complete.keys().collect();
        let unused = UnusedKey::new(chain, key, &own);
        let known = unused
            .values(chain, std::slice::from_ref(complete))?
            .pop()
            .unwrap_or_default();
        if !known.is_empty() && !known.iter().any(|known| known.value == *value) {
            return Err(Error::KeyDisagrees {
                asked: asked.clone(),
                key: key.to_owned(),
                value: value.clone(),
                known,
            });
        }
    }
    Ok(())
}
