//! `pantler diff`: compares two datasets component by component.

use clap::Args;
use pantler::{Comparison, DiffEntry};
use serde_json::{Value, json};

use crate::arguments::{Keys, Repositories};
use crate::program::{CommandResult, Outcome};
use crate::session::Session;
use crate::table::{Align, table};

/// Compare two stages or types, component by component
#[derive(Debug, Args)]
pub struct Diff {
    #[command(flatten)]
    repositories: Repositories,
    /// The first dataset: type[:stage][.component]
    #[arg(value_name = "NAME")]
    first: String,
    /// The second dataset
    #[arg(value_name = "NAME")]
    second: String,
    #[command(flatten)]
    keys: Keys,
}

impl Diff {
    pub fn run(&self, session: &Session) -> CommandResult {
        let data_id = self.keys.data_id()?;
        let butler = session.reading(&self.repositories)?;
        let entries = butler.diff(&self.first, &self.second, &data_id)?;
        session.screen.show(
            || Value::Array(entries.iter().map(entry_json).collect()),
            |screen| {
                let headings = [("component", Align::Left), ("", Align::Left)];
                let rows: Vec<Vec<String>> = entries
                    .iter()
                    .map(|entry| vec![shown_name(entry), self.outcome(entry)])
                    .collect();
                table(screen, &headings, &rows)
            },
        )?;
        Ok(Outcome::Done)
    }

    fn outcome(&self, entry: &DiffEntry) -> String {
        match &entry.comparison {
            Comparison::Same => "same".to_owned(),
            Comparison::Different(difference) => format!("differs: {difference}"),
            Comparison::OnlyFirst => format!("only in {}", self.first),
            Comparison::OnlySecond => format!("only in {}", self.second),
        }
    }
}

fn shown_name(entry: &DiffEntry) -> String {
    if entry.component.is_empty() {
        "(whole)".to_owned()
    } else {
        entry.component.clone()
    }
}

fn entry_json(entry: &DiffEntry) -> Value {
    let (outcome, difference) = match &entry.comparison {
        Comparison::Same => ("same", None),
        Comparison::Different(difference) => ("different", Some(difference)),
        Comparison::OnlyFirst => ("only first", None),
        Comparison::OnlySecond => ("only second", None),
    };
    json!({"component": entry.component, "outcome": outcome, "difference": difference})
}
