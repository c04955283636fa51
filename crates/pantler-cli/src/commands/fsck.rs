//! `pantler fsck`: checks a repository against its artifacts.

use clap::Args;
use pantler::fsck::{FsckOptions, FsckProblem, FsckReport, ProblemKind};
use serde_json::{Value, json};

use crate::arguments::Repositories;
use crate::program::{CommandResult, Outcome};
use crate::screen::{Screen, Style};
use crate::session::Session;
use crate::table::{Align, count, table};
use pantler::data_id_json;

/// Check that a repository's index and its files agree
///
/// The exit status is 1 if something is wrong; files left behind by a crash alone do no harm and are 0.
#[derive(Debug, Args)]
pub struct Fsck {
    #[command(flatten)]
    repositories: Repositories,
    /// Read every file; compare its digest, and DATASUM and CHECKSUM of FITS
    #[arg(long)]
    deep: bool,
    /// Remove what crashes left behind, finish interrupted replacements, and with --deep mend what is known of files' parts
    #[arg(long)]
    repair: bool,
}

impl Fsck {
    pub fn run(&self, session: &Session) -> CommandResult {
        let butler = if self.repair {
            session.writing(&self.repositories, false)?
        } else {
            session.reading(&self.repositories)?
        };
        let options = FsckOptions {
            deep: self.deep,
            repair: self.repair,
        };
        let bar = session.screen.progress(Some(0), "checking");
        let watched = !bar.is_hidden();
        let tell: &dyn Fn(u64, u64) = &|done, all| {
            bar.set_length(all);
            bar.set_position(done);
        };
        let report = butler.fsck_with_progress(options, watched.then_some(tell));
        bar.finish_and_clear();
        let report = report?;
        session.screen.report(
            || report_json(&report),
            |screen| report_text(screen, &report),
        )?;
        if !session.screen.json() {
            for hint in hints(&report, &self.repositories.typed()) {
                session.screen.remark(Style::Hint, "hint:", &hint);
            }
        }
        Ok(if report.is_clean() {
            Outcome::Done
        } else {
            Outcome::Status(1)
        })
    }
}

/// What to do about each kind of problem, told of the first one of it.
fn hints(report: &FsckReport, repositories: &str) -> Vec<String> {
    let mut told: Vec<ProblemKind> = Vec::new();
    let mut hints = Vec::new();
    for problem in &report.problems {
        if !told.contains(&problem.kind) {
            told.push(problem.kind);
            hints.push(hint(problem, repositories));
        }
    }
    hints
}

fn hint(problem: &FsckProblem, repositories: &str) -> String {
    let name = &problem.dataset_type;
    let keys = match problem.data_id.is_empty() {
        true => String::new(),
        false => format!(" {}", problem.data_id),
    };
    let place = &problem.location;
    let forget = format!("`pantler rm {repositories} {name}{keys}`");
    // What a person ingested where it lies is never deleted.
    let deletes = match place.starts_with('/') {
        true => "and leaves the file alone",
        false => "and deletes the file",
    };
    match problem.kind {
        ProblemKind::Gone => format!(
            "put {place} back as it was, with its date (cp -p); or {forget} forgets the dataset, which can then be put or \
             ingested again"
        ),
        ProblemKind::Changed | ProblemKind::Corrupt => format!(
            "put {place} back as it was, with its date (cp -p); or {forget} forgets what was recorded {deletes}, and the \
             content that is wanted can be put or ingested as a new dataset"
        ),
        ProblemKind::Checksum => format!(
            "{place} contradicts itself; if its maker has a better one, {forget} forgets this one {deletes}, and that can be \
             ingested"
        ),
        ProblemKind::PartIndex => {
            format!(
                "`pantler fsck {repositories} --deep --repair` reads anew where the parts of {place} lie"
            )
        }
        ProblemKind::MemberGone => format!(
            "add the repository that has it with --input; or {forget} forgets the composition, which `pantler link` records \
             anew of what there is"
        ),
    }
}

fn report_json(report: &FsckReport) -> Value {
    let listed = |problems: &[FsckProblem]| -> Vec<Value> {
        let documents = problems.iter().map(|problem| {
            let mut document = json!({
                "kind": problem.kind.name(),
                "dataset_type": problem.dataset_type.as_str(),
                "data_id": data_id_json(&problem.data_id),
                "location": problem.location,
            });
            if let Some(detail) = &problem.detail {
                document["detail"] = detail.as_str().into();
            }
            document
        });
        documents.collect()
    };
    let mut document = json!({
        "clean": report.is_clean(),
        "problems": listed(&report.problems),
        "leftover": report.leftover,
    });
    if report.left_behind > 0 {
        document["left_behind"] = report.left_behind.into();
    }
    if !report.mended.is_empty() {
        document["mended"] = listed(&report.mended).into();
    }
    document
}

fn report_text(screen: &Screen, report: &FsckReport) -> String {
    let checked = count(report.checked, "dataset", "datasets");
    let mut text = if report.is_clean() {
        format!("clean: {checked} checked\n")
    } else {
        let rows: Vec<Vec<String>> = report
            .problems
            .iter()
            .map(|problem| {
                vec![
                    problem.kind.name().replace('_', " "),
                    problem.dataset_type.to_string(),
                    problem.data_id.to_string(),
                    match &problem.detail {
                        Some(detail) => format!("{}, {detail}", problem.location),
                        None => problem.location.clone(),
                    },
                ]
            })
            .collect();
        let headings =
            ["problem", "type", "data ID", "where"].map(|heading| (heading, Align::Left));
        let found = count(report.problems.len() as u64, "problem", "problems");
        format!("{}{found} in {checked}\n", table(screen, &headings, &rows))
    };
    for problem in &report.mended {
        text.push_str(&format!(
            "mended: {} of {} {}, {}\n",
            problem.kind.name().replace('_', " "),
            problem.dataset_type,
            problem.data_id,
            problem.location
        ));
    }
    if report.left_behind > 0 {
        let members = count(report.left_behind, "member", "members");
        text.push_str(&format!(
            "left behind by a transfer: {members} of recorded compositions\n"
        ));
    }
    for path in &report.leftover {
        text.push_str(&format!("left over: {path}\n"));
    }
    text
}
