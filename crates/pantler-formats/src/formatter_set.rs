//! The formatters that one butler knows, by the names of storages that policies use.
//!
//! A value owned by its butler, never a process-wide table: two butlers in one process do not see each other's plug-ins.

use std::collections::BTreeMap;
use std::sync::Arc;

use pantler_core::Formatter;

/// Formatters by storage name.
#[derive(Clone, Default)]
pub struct FormatterSet {
    by_storage: BTreeMap<String, Arc<dyn Formatter>>,
}

impl FormatterSet {
    /// Returns a set that knows no format.
    pub fn empty() -> FormatterSet {
        FormatterSet::default()
    }

    /// Returns the set of the built-in formats.
    pub fn standard() -> FormatterSet {
        FormatterSet::empty()
    }

    /// Returns the set with one more storage, or with another formatter for one that it has.
    pub fn with(mut self, storage: &str, formatter: Arc<dyn Formatter>) -> FormatterSet {
        self.by_storage.insert(storage.to_owned(), formatter);
        self
    }

    /// Returns the formatter of a storage.
    pub fn get(&self, storage: &str) -> Option<Arc<dyn Formatter>> {
        self.by_storage.get(storage).cloned()
    }

    /// Returns the names of all storages, sorted.
    pub fn names(&self) -> Vec<String> {
        self.by_storage.keys().cloned().collect()
    }

    /// Returns all extensions that a formatter of the set has, sorted.
    pub fn extensions(&self) -> Vec<String> {
        let mut extensions: Vec<String> = self
            .by_storage
            .values()
            .flat_map(|formatter| formatter.extensions().iter().map(|extension| (*extension).to_owned()))
            .collect();
        extensions.sort();
        extensions.dedup();
        extensions
    }

    /// Returns the formatter that files of this name usually need; the longest extension that fits decides.
    pub fn by_extension(&self, path: &str) -> Option<Arc<dyn Formatter>> {
        let lower = path.to_lowercase();
        self.by_storage
            .values()
            .flat_map(|formatter| formatter.extensions().iter().map(move |extension| (*extension, formatter)))
            .filter(|(extension, _)| lower.ends_with(extension))
            .max_by_key(|(extension, _)| extension.len())
            .map(|(_, formatter)| formatter.clone())
    }
}
