//! Which formatter implements which storage.
//!
//! A [`FormatterSet`] is a value that its butler owns: plug-ins are added to it, and two butlers in one process do not see
//! each other's. The storage names are those of the field's policies.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use pantler_core::Formatter;

use crate::arrow::ArrowFormatter;
use crate::bytes_format::BytesFormatter;
use crate::csv::CsvFormatter;
use crate::fits::FitsFormatter;
use crate::json::JsonFormatter;
use crate::npy::NpyFormatter;
use crate::parquet::ParquetFormatter;
use crate::text::TextFormatter;
use crate::yaml::YamlFormatter;

/// The formatters by storage name.
#[derive(Clone, Default)]
pub struct FormatterSet {
    by_storage: BTreeMap<String, Arc<dyn Formatter>>,
    others: Option<Arc<OtherStorages>>,
}

/// Finds the formatter of a storage that the set itself does not have.
pub type OtherStorages = dyn Fn(&str) -> Option<Arc<dyn Formatter>> + Send + Sync;

impl FormatterSet {
    /// Returns the formatters that come with pantler.
    pub fn standard() -> FormatterSet {
        let fits: Arc<dyn Formatter> = Arc::new(FitsFormatter);
        let text: Arc<dyn Formatter> = Arc::new(TextFormatter);
        let bytes: Arc<dyn Formatter> = Arc::new(BytesFormatter);
        FormatterSet::default()
            .with("FitsStorage", Arc::clone(&fits))
            .with("FitsCatalogStorage", Arc::clone(&fits))
            .with("ExposureStorage", fits)
            .with("ParquetStorage", Arc::new(ParquetFormatter))
            .with("ArrowStorage", Arc::new(ArrowFormatter))
            .with("NpyStorage", Arc::new(NpyFormatter))
            .with("CsvStorage", Arc::new(CsvFormatter))
            .with("JsonStorage", Arc::new(JsonFormatter))
            .with("YamlStorage", Arc::new(YamlFormatter))
            .with("TextStorage", text)
            .with("BytesStorage", bytes)
    }

    /// Returns the set with one more formatter; it takes the place of one under the same name.
    #[must_use]
    pub fn with(mut self, storage: &str, formatter: Arc<dyn Formatter>) -> FormatterSet {
        self.by_storage.insert(storage.to_owned(), formatter);
        self
    }

    /// Returns the set with somebody who knows further storages; those of the set itself come first.
    #[must_use]
    pub fn with_others(mut self, others: Arc<OtherStorages>) -> FormatterSet {
        self.others = Some(others);
        self
    }

    /// Returns the formatter of a storage.
    pub fn get(&self, storage: &str) -> Option<Arc<dyn Formatter>> {
        let others = || self.others.as_ref().and_then(|others| others(storage));
        self.by_storage.get(storage).cloned().or_else(others)
    }

    /// Returns the storage names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_storage.keys().map(String::as_str)
    }

    /// Returns the formatter whose files end as `path` does; the longest ending wins, in any case of letters.
    pub fn by_extension(&self, path: &str) -> Option<Arc<dyn Formatter>> {
        let path = path.to_ascii_lowercase();
        let mut found: Option<(usize, &Arc<dyn Formatter>)> = None;
        for formatter in self.by_storage.values() {
            let fits = |extension: &&&str| path.ends_with(**extension);
            let longest = formatter
                .extensions()
                .iter()
                .filter(fits)
                .map(|known| known.len())
                .max();
            if let Some(length) = longest
                && found.is_none_or(|(known, _)| length > known)
            {
                found = Some((length, formatter));
            }
        }
        found.map(|(_, formatter)| Arc::clone(formatter))
    }
}

impl fmt::Debug for FormatterSet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_set().entries(self.names()).finish()
    }
}
