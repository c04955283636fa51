//! `pantler init`: makes a repository.

use std::path::PathBuf;

use clap::Args;
use pantler::Butler;
use pantler::registry::{Journal, SqliteRegistry};
use serde_json::json;

use crate::arguments::More;
use crate::commands::policy::read_policies;
use crate::program::{CommandResult, Outcome};
use crate::screen::Style;
use crate::session::Session;
use crate::table::count;

/// Make a repository
#[derive(Debug, Args)]
pub struct Init {
    /// The folder that becomes a repository
    #[arg(value_name = "REPO")]
    repository: PathBuf,
    /// A policy file to copy into it; repeatable, the last one wins
    #[arg(long = "policy", value_name = "FILE")]
    policies: Vec<PathBuf>,
    /// A repository that it builds on; repeatable, searched in this order
    #[arg(long = "parent", value_name = "REPO")]
    parents: Vec<PathBuf>,
    /// A tag for it, by which a search can be narrowed to it with tag=TAG; repeatable
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
}

impl Init {
    pub fn run(&self, session: &Session) -> CommandResult {
        let texts = read_policies(&self.policies)?;
        Butler::init(&self.repository, &texts, &self.parents)?;
        if !self.tags.is_empty() {
            Butler::open(
                &[],
                std::slice::from_ref(&self.repository),
                session.options(),
            )?
            .add_tags(&self.tags)?;
        }
        let butler = session.reading_from(&self.repository, &More::default())?;
        let info = pantler::repository_info(&butler)?;
        let types = butler.chain().type_names().len() as u64;
        let document = || {
            json!({
                "repository": info.root,
                "parents": info.parents,
                "types": types,
            })
        };
        let text = |_: &crate::screen::Screen| {
            let mut text = format!(
                "made {}, which knows {}\n",
                self.repository.display(),
                count(types, "dataset type", "dataset types")
            );
            for parent in &info.parents {
                text.push_str(&format!("parent  {parent}\n"));
            }
            text
        };
        session.screen.report(document, text)?;
        if SqliteRegistry::journal_for(&self.repository) == Journal::Rollback {
            session.screen.remark(
                Style::Hint,
                "shared file system:",
                "other machines may use this folder too, so SQLite's write-ahead log would not be safe in it; the index \
                 keeps a rollback journal instead, and a put waits until those who read are done",
            );
        }
        Ok(Outcome::Done)
    }
}
