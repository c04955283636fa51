//! `pantler registry`: looks after a repository's index itself.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use pantler::Repository;
use serde_json::json;

use crate::program::{CommandResult, Outcome};
use crate::session::Session;

/// Look after a repository's index
#[derive(Debug, Subcommand)]
pub enum RegistryCommand {
    Migrate(Migrate),
}

/// Bring the index of an older pantler to the schema of this one, all or nothing
///
/// Older versions of pantler cannot open it afterwards. The files of the repository are not touched.
#[derive(Debug, Args)]
pub struct Migrate {
    /// The repository
    #[arg(value_name = "REPO")]
    repository: PathBuf,
}

impl RegistryCommand {
    pub fn run(&self, session: &Session) -> CommandResult {
        match self {
            RegistryCommand::Migrate(command) => command.run(session),
        }
    }
}

impl Migrate {
    fn run(&self, session: &Session) -> CommandResult {
        let migration = Repository::migrate(&self.repository)?;
        let (from, to) = (migration.from, migration.to);
        let document = || json!({"from": from, "to": to});
        session.screen.report(document, |_| match from == to {
            true => format!(
                "{} has schema version {to} already\n",
                self.repository.display()
            ),
            false => format!(
                "{} had schema version {from}, and has version {to} now\n",
                self.repository.display()
            ),
        })?;
        Ok(Outcome::Done)
    }
}
