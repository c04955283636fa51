//! `pantler ingest`: takes files that exist into a repository.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use pantler::core::DataId;
use pantler::core::report::{Kind, Label};
use pantler::{
    Butler, Error, IngestMode, IngestOptions, IngestReport, Report, Repository, ValueTable,
};
use serde_json::json;

use crate::arguments::{Repositories, Writing};
use crate::failure::{Failure, report_text};
use crate::program::{CommandResult, Outcome};
use crate::screen::{Screen, Style};
use crate::session::Session;
use crate::table::count;
use crate::words;

/// Take files that exist into a repository
#[derive(Debug, Args)]
#[command(
    override_usage = "pantler ingest [OPTIONS] <REPO> <TYPE> <FILE>... [key=value]... [-- <FILE>...]"
)]
pub struct Ingest {
    #[command(flatten)]
    repositories: Repositories,
    /// The dataset type that the files are
    #[arg(value_name = "TYPE")]
    name: String,
    /// The files, and keys that all of them have; the other keys are read from headers and paths
    ///
    /// With --mode in-place, no file at all means every file that lies where the template puts it.
    #[arg(value_name = "FILE|key=value")]
    words: Vec<OsString>,
    /// After --: files, whatever their names look like
    #[arg(value_name = "FILE", last = true)]
    files: Vec<PathBuf>,
    /// What happens to the files
    #[arg(long, value_enum, default_value_t = Mode::Copy)]
    mode: Mode,
    /// Compute digests now, where they would be computed later
    #[arg(long)]
    digest: bool,
    /// A table (CSV, FITS, Parquet) that says the data ID of each file: its column `file` names the files, relative to the
    /// table, and every other column is a key; without FILE, all of its files are ingested
    #[arg(long, value_name = "FILE")]
    table: Option<PathBuf>,
    #[command(flatten)]
    writing: Writing,
}

/// What happens to the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// They are copied to where the template puts them
    Copy,
    /// They are copied, and the originals removed once the copies are safe
    Move,
    /// They get a further name (a hard link) where the template puts them
    Link,
    /// They stay where they are
    InPlace,
}

impl Ingest {
    pub fn run(&self, session: &Session) -> CommandResult {
        let (data_id, mut files) = words::split(&self.words, &self.files)?;
        let table = match &self.table {
            None => None,
            Some(table) => Some(Arc::new(ValueTable::read(
                &session.options().formatters,
                table,
            )?)),
        };
        if let (true, Some(table)) = (files.is_empty(), &table) {
            files = table.files().to_vec();
        }
        if files.is_empty() && self.mode != Mode::InPlace {
            return Err(no_file());
        }
        let new_index = self.make_index()?;
        let outcome = self.take(session, files, table, &data_id);
        let is_nothing = |report: &IngestReport| report.ingested == 0 && report.same == 0;
        if new_index
            && outcome
                .as_ref()
                .map_or(true, |(report, _)| is_nothing(report))
        {
            // What was found by scanning is found still.
            Repository::remove_empty_index(&self.repositories.repository)?;
        }
        let (report, butler) = outcome?;
        let outcome = self.print(session, &report)?;
        if new_index && !is_nothing(&report) {
            remark_types_without_index(session, &butler, &self.repositories)?;
        }
        Ok(outcome)
    }

    /// Makes the index of a folder that was scanned so far; says whether it did.
    fn make_index(&self) -> Result<bool, Failure> {
        let folder = &self.repositories.repository;
        if self.mode != Mode::InPlace || !Repository::is_scanned(folder) {
            return Ok(false);
        }
        Butler::init(folder, &[], &self.repositories.more.inputs)?;
        Ok(true)
    }

    fn take(
        &self,
        session: &Session,
        mut files: Vec<PathBuf>,
        table: Option<Arc<ValueTable>>,
        data_id: &DataId,
    ) -> Result<(IngestReport, Butler), Failure> {
        let butler = session.writing(&self.repositories, self.writing.add_parents)?;
        if files.is_empty() {
            files = butler.files_in_place(&self.name)?;
        }
        if files.is_empty() {
            return Err(no_file());
        }
        let options = IngestOptions {
            mode: match self.mode {
                Mode::Copy => IngestMode::Copy,
                Mode::Move => IngestMode::Move,
                Mode::Link => IngestMode::Link,
                Mode::InPlace => IngestMode::InPlace,
            },
            digest: self.digest,
            table,
            notes: self.writing.notes.clone(),
        };
        let bar = session.screen.progress(Some(files.len() as u64), "reading");
        let report = butler.ingest(&self.name, &files, data_id, &options, &|steps| {
            bar.inc(steps as u64)
        });
        bar.finish_and_clear();
        Ok((report?, butler))
    }

    fn print(&self, session: &Session, report: &IngestReport) -> CommandResult {
        let document = || {
            let failed: Vec<_> = report
                .failed
                .iter()
                .map(|(file, error)| json!({ "file": file.display().to_string(), "error": whole_thought(&error.report()) }))
                .collect();
            json!({
                "ingested": report.ingested,
                "same": report.same,
                "failed": failed,
            })
        };
        let text = |_: &Screen| {
            let files = count(report.files as u64, "file", "files");
            let what = match report.ingested == report.files {
                true => files,
                false => {
                    let datasets = count(report.ingested as u64, "dataset", "datasets");
                    format!("{datasets} in {files}")
                }
            };
            let mut text = format!(
                "{what} ingested into {}",
                self.repositories.repository.display()
            );
            if report.same > 0 {
                text.push_str(&format!(", {} there already", report.same));
            }
            if !report.failed.is_empty() {
                text.push_str(&format!(", {} not taken", report.failed.len()));
            }
            text + "\n"
        };
        session.screen.report(document, text)?;
        if !session.screen.json() {
            print_failed(&session.screen, &report.failed);
        }
        let worst = report
            .failed
            .iter()
            .map(|(_, error)| error.report().kind.exit_status())
            .max();
        Ok(worst.map_or(Outcome::Done, Outcome::Status))
    }
}

fn no_file() -> Failure {
    Report::new(Kind::Request, "no file to ingest is named")
        .hint(
            "a word that looks like key=value is a key; write ./a=b.fits for a file of such a name",
        )
        .hint("--mode in-place without files takes in what lies where the template puts it")
        .into()
}

/// Says which files a scan would find and the index has not.
pub(super) fn remark_types_without_index(
    session: &Session,
    butler: &Butler,
    repositories: &Repositories,
) -> Result<(), Failure> {
    for (name, files) in butler.types_without_index()? {
        session.screen.remark(
            Style::Hint,
            "not in the index:",
            &format!(
                "{} of {name}; `pantler ingest {} {name} --mode in-place` takes them in",
                count(files, "file", "files"),
                repositories.typed(),
            ),
        );
    }
    Ok(())
}

/// An error in one line: what is wrong, and why.
fn whole_thought(report: &Report) -> String {
    let why = report.facts.iter().find(|(label, _)| *label == Label::Why);
    match why {
        Some((_, lines)) => format!("{}: {}", report.message, lines.join(" ")),
        None => report.message.clone(),
    }
}

/// Shows the first files that could not be taken, whole; the rest by number, as they mostly fail for the same reason.
fn print_failed(screen: &Screen, failed: &[(PathBuf, Error)]) {
    const SHOWN: usize = 10;
    for (file, error) in failed.iter().take(SHOWN) {
        let report = error.report();
        let named = naming(&report, file);
        screen.error_line(&report_text(&named, |style, text| {
            screen.error(style, text)
        }));
    }
    if failed.len() > SHOWN {
        let more = count((failed.len() - SHOWN) as u64, "more file", "more files");
        screen.error_line(&format!(
            "{more} could not be taken; --json lists all of them"
        ));
    }
}

/// Returns a report whose first line says which file it is about.
fn naming(report: &Report, file: &Path) -> Report {
    let file = file.display().to_string();
    let mut named = report.clone();
    if !named.message.contains(&file) {
        named.message = format!("{file}: {}", named.message);
    }
    named
}
