//! `pantler gc`: clears what nobody needs any more.

use std::time::Duration;

use clap::Args;
use pantler::Report;
use pantler::core::report::Kind;
use pantler::gc::GcOptions;
use serde_json::json;

use crate::arguments::Repositories;
use crate::program::{CommandResult, Outcome};
use crate::session::Session;
use crate::table::count;

/// Clear what crashes left behind, and replaced files that no composition uses
///
/// Nothing that a dataset or a recorded composition uses is removed, and no file of your own.
#[derive(Debug, Args)]
pub struct Gc {
    #[command(flatten)]
    repositories: Repositories,
    /// Only say what would go
    #[arg(long)]
    dry_run: bool,
    /// Keep what was made in the last so many days: a process on another machine may still be at it
    #[arg(long, value_name = "DAYS", default_value_t = 14.0)]
    grace: f64,
}

impl Gc {
    pub fn run(&self, session: &Session) -> CommandResult {
        let grace = Duration::try_from_secs_f64(self.grace * 24.0 * 3600.0);
        let grace = grace.map_err(|_| {
            let message = format!("--grace {} is no number of days", self.grace);
            Report::new(Kind::Request, message).hint("it is 0 or more, for instance --grace 2")
        })?;
        let butler = session.writing_as_it_is(&self.repositories)?;
        let report = butler.gc(&GcOptions {
            dry_run: self.dry_run,
            grace,
        })?;
        let document = || {
            json!({
                "removed": report.removed,
                "bytes": report.bytes,
                "kept": report.kept,
                "dry_run": self.dry_run,
            })
        };
        session.screen.report(document, |_| {
            let what = match self.dry_run {
                true => "would be removed",
                false => "removed",
            };
            let mut text: String = report
                .removed
                .iter()
                .map(|path| format!("{what}: {path}\n"))
                .collect();
            let files = count(report.removed.len() as u64, "file", "files");
            let bytes = pantler::human_bytes(report.bytes);
            text.push_str(&format!("{files} {what}, {bytes}\n"));
            for path in &report.kept {
                text.push_str(&format!("left alone: {path}\n"));
            }
            text
        })?;
        Ok(Outcome::Done)
    }
}
