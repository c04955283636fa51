//! Key-value pairs that pick one dataset of a type, such as `visit=1 ccd=2`.
//!
//! A data ID does not know which keys a dataset type needs; the policy does.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::KeyValue;

/// Data-ID keys with their values.
///
/// It prints its keys in the order in which they were given; two data IDs are equal if they have equal keys and
/// values, whatever their order.
///
/// ```
/// use pantler_core::DataId;
/// let data_id = DataId::new([("visit", 1.into()), ("ccd", 2.into())]);
/// assert_eq!(data_id.to_string(), "visit=1 ccd=2");
/// assert_eq!(data_id, DataId::parse("ccd=2 visit=1").unwrap());
/// ```
#[derive(Debug, Clone, Default)]
pub struct DataId {
    /// Keys are shared: listings have millions of data IDs with the same few.
    entries: Vec<(Arc<str>, KeyValue)>,
}

impl DataId {
    /// Makes a data ID; where a key is given twice, the last value stays.
    pub fn new<K: Into<String>>(entries: impl IntoIterator<Item = (K, KeyValue)>) -> DataId {
        let mut data_id = DataId::default();
        for (key, value) in entries {
            data_id.insert(key, value);
        }
        data_id
    }

    /// Makes one of many data IDs with the same keys, which it shares with them; no key may be there twice.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use pantler_core::DataId;
    /// let keys: [Arc<str>; 2] = ["visit".into(), "ccd".into()];
    /// let data_id = DataId::of_shared_keys(&keys, [1.into(), 2.into()]);
    /// assert_eq!(data_id.to_string(), "visit=1 ccd=2");
    /// ```
    pub fn of_shared_keys(keys: &[Arc<str>], values: impl IntoIterator<Item = KeyValue>) -> DataId {
        DataId {
            entries: keys.iter().cloned().zip(values).collect(),
        }
    }

    /// Reads `visit=1 ccd=2`, guessing the types of the values (whole numbers are integers).
    ///
    /// Returns `None` if a word has no `=` or its key is not a name.
    pub fn parse(text: &str) -> Option<DataId> {
        let mut data_id = DataId::default();
        for word in text.split_whitespace() {
            let (key, value) = word.split_once('=')?;
            if !is_key_name(key) {
                return None;
            }
            data_id.insert(key, KeyValue::guess(value));
        }
        Some(data_id)
    }

    /// Returns the value of `key`.
    pub fn get(&self, key: &str) -> Option<&KeyValue> {
        self.entries
            .iter()
            .find(|(name, _)| **name == *key)
            .map(|(_, value)| value)
    }

    /// Sets `key` to `value`, in its old place if it was there.
    pub fn insert(&mut self, key: impl Into<String>, value: KeyValue) {
        let key: String = key.into();
        match self.entries.iter_mut().find(|(name, _)| **name == *key) {
            Some(entry) => entry.1 = value,
            None => self.entries.push((key.into(), value)),
        }
    }

    /// Takes `key` out and returns its value.
    pub fn remove(&mut self, key: &str) -> Option<KeyValue> {
        let index = self.entries.iter().position(|(name, _)| **name == *key)?;
        Some(self.entries.remove(index).1)
    }

    /// Returns a copy with `key` set to `value`.
    pub fn with(&self, key: impl Into<String>, value: KeyValue) -> DataId {
        let mut copy = self.clone();
        copy.insert(key, value);
        copy
    }

    /// Returns the part of this data ID whose keys are in `keys`, in the order of `keys`.
    pub fn restricted_to<S: AsRef<str>>(&self, keys: &[S]) -> DataId {
        let mut entries = Vec::with_capacity(keys.len());
        for key in keys.iter().map(AsRef::as_ref) {
            let is_new = entries
                .iter()
                .all(|(known, _): &(Arc<str>, _)| **known != *key);
            let entry = self.entries.iter().find(|(name, _)| **name == *key);
            entries.extend(entry.filter(|_| is_new).cloned());
        }
        DataId { entries }
    }

    /// Returns the values of `keys`, in their order, for sorting data IDs by those keys; `None`, which sorts first, where there
    /// is none.
    ///
    /// ```
    /// use pantler_core::DataId;
    /// let mut data_ids = [DataId::parse("ccd=1 visit=2").unwrap(), DataId::parse("visit=1 ccd=2").unwrap()];
    /// data_ids.sort_by_key(|data_id| data_id.sort_key(&["visit", "ccd"]));
    /// assert_eq!(data_ids[0].to_string(), "visit=1 ccd=2");
    /// ```
    pub fn sort_key<S: AsRef<str>>(&self, keys: &[S]) -> Vec<Option<KeyValue>> {
        keys.iter()
            .map(|key| self.get(key.as_ref()).cloned())
            .collect()
    }

    /// Says whether every key of `other` is here with the same value.
    pub fn contains(&self, other: &DataId) -> bool {
        other
            .iter()
            .all(|(key, value)| self.get(key) == Some(value))
    }

    /// Says whether no key has two different values in the two data IDs.
    pub fn agrees_with(&self, other: &DataId) -> bool {
        other
            .iter()
            .all(|(key, value)| self.get(key).is_none_or(|mine| mine == value))
    }

    /// Returns this data ID with the keys of `other` that it lacks.
    pub fn union(&self, other: &DataId) -> DataId {
        let mut all = self.clone();
        for (key, value) in other.iter() {
            if all.get(key).is_none() {
                all.insert(key, value.clone());
            }
        }
        all
    }

    /// Returns the keys and values in the order in which they were given.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &KeyValue)> {
        self.entries.iter().map(|(key, value)| (&**key, value))
    }

    /// Returns the keys in the order in which they were given.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(key, _)| key)
    }

    /// Returns the number of keys.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Says whether there is no key at all.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn sorted(&self) -> Vec<(&str, &KeyValue)> {
        let mut entries: Vec<_> = self.iter().collect();
        entries.sort_by_key(|(key, _)| *key);
        entries
    }
}

/// Says whether `text` can be a key: a letter or `_`, then letters, digits and `_`.
pub fn is_key_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

impl fmt::Display for DataId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (key, value)) in self.iter().enumerate() {
            let space = if index > 0 { " " } else { "" };
            write!(out, "{space}{key}={value}")?;
        }
        Ok(())
    }
}

impl PartialEq for DataId {
    fn eq(&self, other: &DataId) -> bool {
        self.len() == other.len() && self.contains(other)
    }
}

impl Eq for DataId {}

impl PartialOrd for DataId {
    fn partial_cmp(&self, other: &DataId) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Compares key by key, the keys in the order of their names: the one order that does not depend on the order in which keys
/// were given. To sort as people read them, use [`DataId::sort_key`].
impl Ord for DataId {
    fn cmp(&self, other: &DataId) -> Ordering {
        self.sorted().cmp(&other.sorted())
    }
}

impl Hash for DataId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.sorted().hash(state);
    }
}

impl Serialize for DataId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (key, value) in self.iter() {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for DataId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<DataId, D::Error> {
        struct Entries;
        impl<'de> serde::de::Visitor<'de> for Entries {
            type Value = DataId;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a map of data-ID keys to values")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<DataId, A::Error> {
                let mut data_id = DataId::default();
                while let Some((key, value)) = map.next_entry::<String, KeyValue>()? {
                    data_id.insert(key, value);
                }
                Ok(data_id)
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every data ID of up to three keys with one of two values each, in every order of its keys.
    fn all() -> Vec<DataId> {
        let mut all = vec![DataId::default()];
        for _ in 0..3 {
            let longer: Vec<DataId> = all
                .iter()
                .flat_map(|data_id| {
                    let free = ["a", "b", "c"].into_iter();
                    let free = free.filter(|key| data_id.get(key).is_none());
                    free.flat_map(|key| {
                        [1.into(), "x".into()].map(|value| data_id.with(key, value))
                    })
                })
                .collect();
            all.extend(longer);
        }
        all
    }

    #[test]
    fn the_order_is_total_whatever_the_order_of_the_keys() {
        let all = all();
        for a in &all {
            for b in &all {
                assert_eq!(a.cmp(b), b.cmp(a).reverse(), "{a} / {b}");
                assert_eq!(a.cmp(b).is_eq(), a == b, "{a} / {b}");
            }
        }
        // Sorted, every pair is in order: so the order is transitive.
        let mut sorted = all;
        sorted.sort();
        for (index, a) in sorted.iter().enumerate() {
            for b in &sorted[index..] {
                assert!(a <= b, "{a} / {b}");
            }
        }
    }
}
