//! The keys that datasets of a type are told apart by, with their types, and how data IDs are fitted to them.
//!
//! Both registries file datasets under a key set, so that both answer alike. It is not a definition: definitions that
//! differ in template or storage share one key set, and so cannot hold the same data ID twice.

use pantler_core::registry::{DatasetRecord, DefinitionVersion};
use pantler_core::{DataId, KeyType, KeyValue, RegistryError};

/// Keys with their types, in the order in which datasets are sorted by them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeySet {
    keys: Vec<(String, KeyType)>,
}

impl KeySet {
    pub(crate) fn new(keys: Vec<(String, KeyType)>) -> KeySet {
        KeySet { keys }
    }

    pub(crate) fn keys(&self) -> &[(String, KeyType)] {
        &self.keys
    }

    /// Says whether these are the same keys with the same types, in whatever order.
    pub(crate) fn is_same_as(&self, keys: &[(String, KeyType)]) -> bool {
        self.keys.len() == keys.len() && keys.iter().all(|key| self.keys.contains(key))
    }

    /// Says whether these are its keys, each once, in whatever order.
    pub(crate) fn has_keys(&self, order: &[(String, bool)]) -> bool {
        self.keys.len() == order.len()
            && self
                .keys
                .iter()
                .all(|(key, _)| order.iter().any(|(name, _)| name == key))
    }

    /// Fits the given keys of a request: each with its position here and its value in the key's type.
    ///
    /// Returns `None` if a key is unknown here or a value cannot have the key's type, so that nothing can match.
    pub(crate) fn fit(&self, request: &DataId) -> Option<Vec<(usize, KeyValue)>> {
        let mut fitted = request
            .iter()
            .map(|(key, value)| {
                let position = self.keys.iter().position(|(name, _)| name == key)?;
                Some((position, fit_value(value, self.keys[position].1)?))
            })
            .collect::<Option<Vec<_>>>()?;
        fitted.sort_by_key(|(position, _)| *position);
        Some(fitted)
    }

    /// Returns the values of a whole data ID in the order of this set.
    pub(crate) fn sort_key<'a>(&self, data_id: &'a DataId) -> Vec<Option<&'a KeyValue>> {
        self.keys.iter().map(|(key, _)| data_id.get(key)).collect()
    }
}

/// Returns the record's data ID as it is kept: the definition's keys in their order, each value in its key's type.
pub(crate) fn kept_data_id(record: &DatasetRecord) -> Result<DataId, RegistryError> {
    let keys = &record.definition.keys;
    let fitted = || {
        let mut kept = DataId::default();
        for (key, wanted) in keys {
            kept.insert(key, fit_value(record.data_id.get(key)?, *wanted)?);
        }
        // A key named twice in the definition, or one of the data ID that the definition lacks, shows in the numbers.
        (kept.len() == keys.len() && kept.len() == record.data_id.len()).then_some(kept)
    };
    fitted().ok_or_else(|| keys_differ(&record.definition, &record.data_id))
}

/// Widens the range known of `key` so that `value` lies in it.
pub(crate) fn widen(ranges: &mut Vec<(String, KeyValue, KeyValue)>, key: &str, value: &KeyValue) {
    match ranges.iter_mut().find(|(name, _, _)| name == key) {
        None => ranges.push((key.to_owned(), value.clone(), value.clone())),
        Some((_, least, most)) => {
            if value < least {
                *least = value.clone();
            }
            if value > most {
                *most = value.clone();
            }
        }
    }
}

fn fit_value(value: &KeyValue, wanted: KeyType) -> Option<KeyValue> {
    match value.cast(wanted)? {
        // SQLite holds no negative zero; a dataset cannot be told from another by it. (The pattern takes both zeros.)
        KeyValue::Float(0.0) => Some(KeyValue::Float(0.0)),
        fitted => Some(fitted),
    }
}

fn keys_differ(definition: &DefinitionVersion, data_id: &DataId) -> RegistryError {
    RegistryError::KeysDiffer {
        dataset_type: definition.dataset_type.clone(),
        data_id: data_id.clone(),
        keys: definition
            .keys
            .iter()
            .map(|(key, key_type)| format!("{key}: {key_type}"))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit_and_filter() -> KeySet {
        KeySet::new(vec![
            ("visit".into(), KeyType::Int),
            ("filter".into(), KeyType::Str),
        ])
    }

    #[test]
    fn a_request_is_fitted_to_the_types_of_the_keys() {
        let request = DataId::new([("filter", 5.into()), ("visit", "0012".into())]);
        assert_eq!(
            visit_and_filter().fit(&request),
            Some(vec![(0, 12.into()), (1, "5".into())])
        );
    }

    #[test]
    fn a_request_that_cannot_match_is_not_fitted() {
        for request in [
            DataId::new([("tract", 1.into())]),
            DataId::new([("visit", "r".into())]),
        ] {
            assert_eq!(visit_and_filter().fit(&request), None, "{request}");
        }
    }

    #[test]
    fn the_order_of_keys_does_not_make_another_set() {
        let set = visit_and_filter();
        let turned: Vec<_> = set.keys().iter().rev().cloned().collect();
        assert!(set.is_same_as(&turned));
        assert!(!set.is_same_as(&turned[..1]));
        assert!(!set.is_same_as(&[
            ("visit".into(), KeyType::Str),
            ("filter".into(), KeyType::Str)
        ]));
    }
}
