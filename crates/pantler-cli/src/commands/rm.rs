//! `pantler rm`: removes a dataset.

use clap::Args;
use pantler::RemoveOptions;
use serde_json::json;

use crate::arguments::{Dataset, Repositories};
use crate::program::{CommandResult, Outcome};
use crate::session::Session;
use pantler::{data_id_json, human_bytes};

/// Remove a dataset
#[derive(Debug, Args)]
pub struct Rm {
    #[command(flatten)]
    repositories: Repositories,
    #[command(flatten)]
    dataset: Dataset,
    /// Remove it even if recorded composites use it; getting these fails from then on
    #[arg(long)]
    force: bool,
    /// Only say what would be removed
    #[arg(long)]
    dry_run: bool,
}

impl Rm {
    pub fn run(&self, session: &Session) -> CommandResult {
        let data_id = self.dataset.keys.data_id()?;
        let butler = session.writing(&self.repositories, false)?;
        let options = RemoveOptions {
            force: self.force,
            dry_run: self.dry_run,
        };
        let result = butler.remove(&self.dataset.name, &data_id, &options)?;
        let dataset_json = |each: &pantler::Asked| json!({ "name": each.name, "data_id": data_id_json(&each.data_id) });
        let document = || {
            json!({
                "removed": dataset_json(&result.removed),
                "location": result.location,
                "bytes": result.bytes,
                "users": result.users.iter().map(dataset_json).collect::<Vec<_>>(),
                "dry_run": self.dry_run,
            })
        };
        let text = |_: &crate::screen::Screen| {
            let verb = if self.dry_run {
                "would remove"
            } else {
                "removed"
            };
            let mut text = format!("{verb} {}\n", result.removed);
            if let Some(location) = &result.location {
                text.push_str(&format!(
                    "  file      {location} ({})\n",
                    human_bytes(result.bytes)
                ));
            }
            for user in &result.users {
                text.push_str(&format!("  used by   {user}\n"));
            }
            text
        };
        session.screen.report(document, text)?;
        Ok(Outcome::Done)
    }
}
