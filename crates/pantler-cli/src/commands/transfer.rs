//! `pantler transfer`: brings datasets, with all that they need, into another repository.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use pantler::core::DataId;
use pantler::core::report::Kind;
use pantler::{Report, TransferBy, TransferOptions, TransferReport, human_bytes};
use serde_json::{Value, json};

use crate::arguments::{Condition, More};
use crate::program::{CommandResult, Outcome};
use crate::screen::Screen;
use crate::session::Session;
use crate::table::{Align, count, table};
use crate::words;

/// Bring datasets, with all that they need and nothing else, into another repository
///
/// Where only a part is needed of a file, as the calibration of an exposure by its catalog, that part alone is brought: the
/// exposure itself does not exist in the target. All of it is brought, or nothing.
#[derive(Debug, Args)]
#[command(override_usage = "pantler transfer [OPTIONS] <SOURCE> <TARGET> <NAME>... [key=value]...")]
pub struct Transfer {
    /// The repository that has them; its parents are searched as well
    #[arg(value_name = "SOURCE")]
    source: PathBuf,
    /// The repository to bring them to; a folder that does not exist, or is empty, becomes one
    #[arg(value_name = "TARGET")]
    target: PathBuf,
    /// The dataset types, with stage or component; and keys that their datasets must have
    #[arg(value_name = "NAME|key=value", required = true)]
    words: Vec<OsString>,
    #[command(flatten)]
    condition: Condition,
    /// What becomes of the artifacts
    #[arg(long, value_enum, default_value_t = By::Copy)]
    by: By,
    /// Add to a target that holds datasets already; the same are left out, others under the same data ID are an error
    #[arg(long)]
    merge: bool,
    /// Only say what would be brought, and how many bytes that takes
    #[arg(long)]
    dry_run: bool,
    /// A note to keep with it; repeatable
    #[arg(long = "notes", value_name = "key=value", value_parser = words::note)]
    notes: Vec<(String, String)>,
    #[command(flatten)]
    more: More,
}

/// What becomes of the artifacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    /// They are copied, so that the target stands alone
    Copy,
    /// They stay where they are, and the target names those places
    Reference,
}

impl Transfer {
    pub fn run(&self, session: &Session) -> CommandResult {
        let (names, data_id) = self.names()?;
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let options = TransferOptions {
            data_id,
            condition: self.condition.parse()?,
            by: match self.by {
                By::Copy => TransferBy::Copy,
                By::Reference => TransferBy::Reference,
            },
            merge: self.merge,
            dry_run: self.dry_run,
            notes: self.notes.clone(),
            opener: session.options().opener,
        };
        let butler = session.reading_from(&self.source, &self.more)?;
        let bar = session.screen.progress(Some(0), "transferring");
        let report = butler.transfer_to(&self.target, &names, &options, &|done, all| {
            bar.set_length(all);
            bar.set_position(done);
        });
        bar.finish_and_clear();
        let report = report?;
        session.screen.report(
            || report_json(&report),
            |screen| report_text(screen, &report),
        )?;
        Ok(Outcome::Done)
    }

    /// The names, and what looks like a key.
    fn names(&self) -> Result<(Vec<String>, DataId), Report> {
        let is_key = |word: &&OsString| words::key_value(word).is_some();
        let (keys, names): (Vec<&OsString>, Vec<&OsString>) = self.words.iter().partition(is_key);
        if names.is_empty() {
            let message = "no dataset type to transfer was named";
            return Err(Report::new(Kind::Request, message)
                .hint("`pantler show REPO` lists the types that there are"));
        }
        let keys: Vec<OsString> = keys.into_iter().cloned().collect();
        let names = names.iter().map(|name| name.to_string_lossy().into_owned());
        Ok((names.collect(), words::data_id(&keys)?))
    }
}

fn report_json(report: &TransferReport) -> Value {
    let types = report.types.iter().map(|each| {
        json!({
            "dataset_type": each.dataset_type.as_str(),
            "kind": each.kind.name(),
            "count": each.count,
            "bytes": each.bytes,
            "same": each.same,
        })
    });
    json!({
        "target": report.target,
        "by": report.by.word(),
        "dry_run": report.dry_run,
        "types": types.collect::<Vec<_>>(),
        "count": report.count(),
        "bytes": report.bytes(),
        "same": report.same(),
        "left_behind": report.left_behind,
    })
}

fn report_text(screen: &Screen, report: &TransferReport) -> String {
    let headings = [
        ("type", Align::Left),
        ("kind", Align::Left),
        ("datasets", Align::Right),
        ("size", Align::Right),
        ("there already", Align::Right),
    ];
    let rows: Vec<Vec<String>> = report
        .types
        .iter()
        .map(|each| {
            vec![
                each.dataset_type.to_string(),
                each.kind.name().to_owned(),
                each.count.to_string(),
                human_bytes(each.bytes),
                each.same.to_string(),
            ]
        })
        .collect();
    let what = match (report.dry_run, report.by) {
        (false, TransferBy::Copy) => "copied to",
        (false, TransferBy::Reference) => "brought by reference to",
        (true, TransferBy::Copy) => "would be copied to",
        (true, TransferBy::Reference) => "would be brought by reference to",
    };
    let datasets = count(report.count() as u64, "dataset", "datasets");
    let mut text = format!(
        "{}{datasets} {what} {}, {}\n",
        table(screen, &headings, &rows),
        report.target,
        human_bytes(report.bytes())
    );
    if report.left_behind > 0 {
        let members = count(
            report.left_behind as u64,
            "recorded member stays behind",
            "recorded members stay behind",
        );
        text.push_str(&format!(
            "{members}: nothing that was named needs them, and the compositions still say what they were\n"
        ));
    }
    text
}
