//! The commands, one file each: what it takes, and how what the library returns is printed.

mod alias;
mod completions;
mod demo;
mod diff;
pub mod explain;
mod export;
mod fsck;
mod gc;
mod get;
mod ingest;
mod init;
mod link;
pub mod policy;
mod put;
mod query;
mod registry;
mod rm;
pub mod show;
mod transfer;

use clap::Subcommand;

use crate::program::CommandResult;
use crate::session::Session;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    Init(init::Init),
    Ingest(ingest::Ingest),
    Put(put::Put),
    Link(link::Link),
    Get(get::Get),
    Explain(explain::Explain),
    Query(query::Query),
    Show(show::Show),
    Diff(diff::Diff),
    Export(export::Export),
    Transfer(transfer::Transfer),
    Alias(alias::Alias),
    Rm(rm::Rm),
    Gc(gc::Gc),
    Fsck(fsck::Fsck),
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    #[command(subcommand)]
    Registry(registry::RegistryCommand),
    Demo(demo::Demo),
    Completions(completions::Completions),
}

impl Command {
    /// Runs the command.
    pub fn run(&self, session: &Session) -> CommandResult {
        match self {
            Command::Init(command) => command.run(session),
            Command::Alias(command) => command.run(session),
            Command::Ingest(command) => command.run(session),
            Command::Put(command) => command.run(session),
            Command::Link(command) => command.run(session),
            Command::Get(command) => command.run(session),
            Command::Explain(command) => command.run(session),
            Command::Query(command) => command.run(session),
            Command::Show(command) => command.run(session),
            Command::Diff(command) => command.run(session),
            Command::Export(command) => command.run(session),
            Command::Transfer(command) => command.run(session),
            Command::Rm(command) => command.run(session),
            Command::Gc(command) => command.run(session),
            Command::Fsck(command) => command.run(session),
            Command::Policy(command) => command.run(session),
            Command::Registry(command) => command.run(session),
            Command::Demo(command) => command.run(session),
            Command::Completions(command) => command.run(session),
        }
    }
}
