//! `pantler alias`: lists, gives and takes back aliases.

use clap::Args;
use serde_json::{Value, json};

use crate::arguments::Repositories;
use crate::program::{CommandResult, Outcome};
use crate::session::Session;
use crate::table::{Align, table};

/// List the aliases of a repository, or say what an unqualified name means in it
///
/// What you wrote in policy.yaml stays as it is: an alias given here stands in a file of pantler's own and counts before it.
#[derive(Debug, Args)]
pub struct Alias {
    #[command(flatten)]
    repositories: Repositories,
    /// The name, without a stage
    #[arg(value_name = "NAME", requires = "target")]
    name: Option<String>,
    /// What it shall mean, for instance calexp:jointcal
    #[arg(value_name = "TARGET")]
    target: Option<String>,
    /// Take back what this name was given to mean
    #[arg(long, value_name = "NAME", conflicts_with = "name")]
    remove: Option<String>,
}

impl Alias {
    pub fn run(&self, session: &Session) -> CommandResult {
        if let (Some(name), Some(target)) = (&self.name, &self.target) {
            session
                .writing_as_it_is(&self.repositories)?
                .set_alias(name, target)?;
        } else if let Some(name) = &self.remove {
            session
                .writing_as_it_is(&self.repositories)?
                .remove_alias(name)?;
        }
        let aliases = session.reading(&self.repositories)?.aliases()?;
        let document = || {
            let all = aliases.iter().map(|alias| {
                let place = alias.place.to_string();
                json!({"name": alias.name, "target": alias.target, "place": place})
            });
            Value::Array(all.collect())
        };
        session.screen.show(document, |screen| {
            if aliases.is_empty() {
                return String::new();
            }
            let headings = [
                ("name", Align::Left),
                ("means", Align::Left),
                ("said in", Align::Left),
            ];
            let rows: Vec<Vec<String>> = aliases
                .iter()
                .map(|alias| {
                    let place = alias.place.to_string();
                    vec![alias.name.clone(), alias.target.clone(), place]
                })
                .collect();
            table(screen, &headings, &rows)
        })?;
        if aliases.is_empty() {
            let style = crate::screen::Style::Hint;
            session
                .screen
                .remark(style, "no aliases:", "every name means itself");
        }
        Ok(Outcome::Done)
    }
}
