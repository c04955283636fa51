//! `pantler query`: lists datasets.

use std::ffi::OsString;

use clap::Args;
use pantler::core::DatasetId;
use pantler::{DatasetRef, KeyValue};
use serde_json::{Value, json};

use crate::arguments::{Condition, Repositories};
use crate::program::{CommandResult, Outcome};
use crate::screen::Screen;
use crate::session::Session;
use crate::table::{Align, table};
use crate::words;
use pantler::{data_id_json, human_bytes};

/// List datasets
#[derive(Debug, Args)]
#[command(override_usage = "pantler query [OPTIONS] <REPO> [NAME] [key=value]...")]
pub struct Query {
    #[command(flatten)]
    repositories: Repositories,
    /// The dataset type, all types if left out; and keys that must have these values
    #[arg(value_name = "NAME|key=value")]
    words: Vec<OsString>,
    #[command(flatten)]
    condition: Condition,
    /// Keys to order by, descending with a - before them
    #[arg(
        long,
        value_name = "K,-K",
        value_delimiter = ',',
        allow_hyphen_values = true
    )]
    order_by: Vec<String>,
    /// At most so many
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Only what was made from this dataset: its name and data ID
    #[arg(long, value_name = "NAME key=value", num_args = 1..)]
    made_from: Vec<OsString>,
    /// Only what this dataset was made from: its name and data ID
    #[arg(long, value_name = "NAME key=value", num_args = 1..)]
    used_by: Vec<OsString>,
}

impl Query {
    pub fn run(&self, session: &Session) -> CommandResult {
        // NAME may be left out, so the first word is one only if it does not look like a key.
        let (name, words) = match self.words.split_first() {
            Some((first, rest)) if words::key_value(first).is_none() => {
                (Some(first.to_string_lossy().into_owned()), rest)
            }
            _ => (None, self.words.as_slice()),
        };
        let query = pantler::Query {
            data_id: words::data_id(words)?,
            condition: self.condition.parse()?,
            order_by: words::order_by(&self.order_by),
            limit: self.limit,
            name,
            made_from: words::dataset(&self.made_from)?,
            used_by: words::dataset(&self.used_by)?,
        };
        let butler = session.reading(&self.repositories)?;
        let found = butler.query(&query)?;
        // Of files in a folder without an index they take reading each one, so only programs get them.
        let identities = match session.screen.json() {
            true => butler.identities(&found)?,
            false => Vec::new(),
        };
        let document = || {
            let rows = found.iter().zip(&identities);
            Value::Array(rows.map(|(each, id)| dataset_json(each, *id)).collect())
        };
        session
            .screen
            .show(document, |screen| dataset_table(screen, &found))?;
        if found.is_empty() {
            session
                .screen
                .remark(crate::screen::Style::Hint, "nothing", "fits");
        }
        Ok(Outcome::Done)
    }
}

fn dataset_json(each: &DatasetRef, id: Option<DatasetId>) -> Value {
    json!({
        "dataset_type": each.dataset_type.as_str(),
        "data_id": data_id_json(&each.data_id),
        "repository": *each.repository,
        "location": each.location,
        "bytes": each.bytes,
        "id": id.map(|id| id.to_string()),
    })
}

/// One column per key that any of the datasets has, in the order in which they come.
fn dataset_table(screen: &Screen, found: &[DatasetRef]) -> String {
    if found.is_empty() {
        return String::new();
    }
    let mut keys: Vec<&str> = Vec::new();
    for key in found.iter().flat_map(|each| each.data_id.keys()) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let numeric = |key: &str| {
        let mut values = found.iter().filter_map(|each| each.data_id.get(key));
        values.all(|value| !matches!(value, KeyValue::Str(_)))
    };
    let mut headings = vec![("type", Align::Left)];
    headings.extend(keys.iter().map(|key| {
        (
            *key,
            if numeric(key) {
                Align::Right
            } else {
                Align::Left
            },
        )
    }));
    headings.extend([
        ("size", Align::Right),
        ("repository", Align::Left),
        ("location", Align::Left),
    ]);
    let rows: Vec<Vec<String>> = found
        .iter()
        .map(|each| {
            let mut row = vec![each.dataset_type.to_string()];
            row.extend(keys.iter().map(|key| {
                each.data_id
                    .get(key)
                    .map(ToString::to_string)
                    .unwrap_or_default()
            }));
            row.extend([
                human_bytes(each.bytes),
                each.repository_name.to_string(),
                each.location.clone().unwrap_or_default(),
            ]);
            row
        })
        .collect();
    table(screen, &headings, &rows)
}
