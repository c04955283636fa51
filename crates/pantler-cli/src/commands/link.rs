//! `pantler link`: records parts that were put one by one as a composite.

use clap::Args;
use pantler::{DataId, PutOptions, Query};
use serde_json::Value;

use crate::arguments::{Condition, Dataset, Repositories, Writing};
use crate::commands::put::{put_json, put_text};
use crate::program::{CommandResult, Outcome};
use crate::session::Session;

/// Record parts that were put one by one as a composite; nothing is rewritten
///
/// With --where every composite that could be assembled and fits is recorded, and the JSON document is a list.
#[derive(Debug, Args)]
pub struct Link {
    #[command(flatten)]
    repositories: Repositories,
    #[command(flatten)]
    dataset: Dataset,
    #[command(flatten)]
    condition: Condition,
    #[command(flatten)]
    writing: Writing,
}

impl Link {
    pub fn run(&self, session: &Session) -> CommandResult {
        let given = self.dataset.keys.data_id()?;
        let condition = self.condition.parse()?;
        let butler = session.writing(&self.repositories, self.writing.add_parents)?;
        let name = &self.dataset.name;
        let options = PutOptions {
            notes: self.writing.notes.clone(),
            ..PutOptions::default()
        };
        let Some(condition) = condition else {
            let result = butler.link(name, &given, &options)?;
            session
                .screen
                .report(|| put_json(&result), |_| put_text(&result))?;
            return Ok(Outcome::Done);
        };
        let query = Query {
            name: Some(name.clone()),
            data_id: given,
            condition: Some(condition),
            ..Query::default()
        };
        let wanted: Vec<DataId> = butler
            .query(&query)?
            .into_iter()
            .map(|each| each.data_id)
            .collect();
        let mut results = Vec::new();
        for data_id in &wanted {
            results.push(butler.link(name, data_id, &options)?);
        }
        session.screen.report(
            || Value::Array(results.iter().map(put_json).collect()),
            |_| results.iter().map(put_text).collect(),
        )?;
        Ok(Outcome::Done)
    }
}
