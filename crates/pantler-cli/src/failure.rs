//! How a command ends other than well, and how that is shown: one report, one exit status.

use std::ffi::OsString;
use std::io;

use pantler::core::problem::{Problem, Severity};
use pantler::core::report::{Kind, Label, Permit};
use pantler::{Error, Report};
use serde_json::{Map, Value, json};

use crate::screen::{Screen, Style};
use crate::table::count;

/// Why a command did not do what it was asked for.
#[derive(Debug)]
pub enum Failure {
    /// The library's error.
    Engine(Box<Error>),
    /// The arguments make no sense, though each of them is well formed.
    Request(Box<Report>),
    /// Whoever read standard output has gone; nobody is left to be told.
    ReaderGone,
    /// Standard output cannot be written.
    Output(io::Error),
}

impl Failure {
    /// Sorts the errors of standard output.
    pub fn of_output(error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::ReaderGone,
            _ => Failure::Output(error),
        }
    }

    /// Returns the exit status.
    pub fn exit_status(&self) -> u8 {
        match self {
            Failure::ReaderGone => 0,
            _ => self.report().kind.exit_status(),
        }
    }

    /// Prints it on standard error; `words` are those of the command, its own name first.
    pub fn print(&self, screen: &Screen, words: &[OsString]) {
        if matches!(self, Failure::ReaderGone) {
            return;
        }
        let report = self.report();
        let report = report.allowed_by(|permit| format!("`{}`", again_with(words, permit)));
        if screen.json() {
            screen.error_line(&json!({ "error": report_json(&report) }).to_string());
            return;
        }
        let problems = self.problems();
        for problem in problems {
            screen.error_line(&format!(
                "{}\n",
                problem_text(problem, |style, text| screen.error(style, text))
            ));
        }
        // Each problem has been shown in its place, with its hints: the report would only repeat the first.
        if !problems.is_empty() {
            let error = screen.error(Style::Error, "error:");
            screen.error_line(&format!("{error} {}", problem_counts(problems)));
            return;
        }
        screen.error_line(&report_text(&report, |style, text| {
            screen.error(style, text)
        }));
    }

    /// Returns what is to be shown of it.
    pub fn report(&self) -> Report {
        match self {
            Failure::Engine(error) => error.report(),
            Failure::Request(report) => (**report).clone(),
            Failure::ReaderGone => Report::new(Kind::Io, "nobody reads standard output"),
            Failure::Output(error) => Report::new(Kind::Io, "cannot write to standard output")
                .fact(Label::Why, error.to_string()),
        }
    }

    /// What is wrong in a policy, each in its place.
    fn problems(&self) -> &[Problem] {
        match self {
            Failure::Engine(error) => match &**error {
                Error::Policy { problems } => problems,
                _ => &[],
            },
            _ => &[],
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Engine(Box::new(error))
    }
}

impl From<Report> for Failure {
    fn from(report: Report) -> Failure {
        Failure::Request(Box::new(report))
    }
}

/// Returns the command once more, with what allows what it was refused.
fn again_with(words: &[OsString], permit: &Permit) -> String {
    let option = match permit {
        // A word that could be a module is taken for one.
        Permit::Module(name) | Permit::Repository(name) => format!("--trust {}", shell_word(name)),
        Permit::Pickle => "--allow-pickle".to_owned(),
    };
    let mut words = words.iter().map(|word| word.to_string_lossy());
    let program = words.next().unwrap_or_default();
    let program = program.rsplit('/').next().unwrap_or_default().to_owned();
    let (mut before, mut behind) = (vec![program], Vec::new());
    for word in words {
        let is_behind = word == "--" || !behind.is_empty();
        let words = if is_behind { &mut behind } else { &mut before };
        words.push(shell_word(&word));
    }
    before.push(option);
    before.extend(behind);
    before.join(" ")
}

/// Returns a word as a shell takes it for one.
fn shell_word(word: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || "-_./=:,@%+".contains(letter);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// Returns a report as people read it; `styled` colours its labels.
pub fn report_text(report: &Report, styled: impl Fn(Style, &str) -> String) -> String {
    let text = report.to_string();
    let lines = text.lines().enumerate().map(|(index, line)| {
        let label = match (index, line) {
            (0, _) => Some(("error:", Style::Error)),
            (_, line) if line.starts_with("hint:") => Some(("hint:", Style::Hint)),
            _ => None,
        };
        match label.and_then(|(label, style)| Some((label, style, line.strip_prefix(label)?))) {
            Some((label, style, rest)) => format!("{}{rest}", styled(style, label)),
            None => line.to_owned(),
        }
    });
    lines.collect::<Vec<String>>().join("\n")
}

/// Returns a problem of a policy as people read it.
pub fn problem_text(problem: &Problem, styled: impl Fn(Style, &str) -> String) -> String {
    let text = problem.to_string();
    for (label, style) in [("error", Style::Error), ("warning", Style::Warning)] {
        if let Some(rest) = text.strip_prefix(label) {
            return format!("{}{rest}", styled(style, label));
        }
    }
    text
}

/// Returns how many errors and warnings there are in a policy.
pub fn problem_counts(problems: &[Problem]) -> String {
    let number = |severity: Severity| {
        let found = problems
            .iter()
            .filter(|problem| problem.severity == severity);
        found.count() as u64
    };
    let parts = [
        (number(Severity::Error), "error", "errors"),
        (number(Severity::Warning), "warning", "warnings"),
    ];
    let found: Vec<String> = parts
        .into_iter()
        .filter(|(number, _, _)| *number > 0)
        .map(|(number, one, many)| count(number, one, many))
        .collect();
    format!("the policy has {}", found.join(" and "))
}

/// Returns a report as a document.
pub fn report_json(report: &Report) -> Value {
    let facts: Map<String, Value> = report
        .facts
        .iter()
        .map(|(label, lines)| (label.to_string(), json!(lines)))
        .collect();
    let trail: Vec<Value> = report
        .trail
        .iter()
        .map(|step| {
            json!({
                "repository": step.repository,
                "dataset": step.dataset,
                "outcome": step.outcome,
            })
        })
        .collect();
    json!({
        "kind": report.kind.name(),
        "message": report.message,
        "facts": facts,
        "hints": report.hints,
        "trail": trail,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        Report::new(Kind::NotFound, "`calexp` was not found")
            .fact(Label::AskedFor, "calexp visit=1")
            .fact(Label::LookedIn, "1. out")
            .fact(Label::LookedIn, "2. in")
            .hint("look elsewhere")
    }

    #[test]
    fn colour_changes_no_word() {
        let plain = report_text(&report(), |_, text| text.to_owned());
        assert_eq!(plain, report().to_string());
        let marked = report_text(&report(), |_, text| format!("<{text}>"));
        assert!(marked.starts_with("<error:> `calexp`"), "{marked}");
        assert!(marked.ends_with("<hint:> look elsewhere"), "{marked}");
    }

    #[test]
    fn a_document_has_every_part() {
        let document = report_json(&report());
        assert_eq!(document["kind"], "not_found");
        assert_eq!(document["facts"]["looked in"], json!(["1. out", "2. in"]));
        assert_eq!(document["hints"], json!(["look elsewhere"]));
        assert_eq!(document["trail"], json!([]));
    }

    #[test]
    fn what_is_refused_is_allowed_by_a_line_that_can_be_pasted() {
        let words = |text: &str| text.split('|').map(OsString::from).collect::<Vec<_>>();
        let module = Permit::Module("survey.joint".to_owned());
        let typed = words("/usr/bin/pantler|get|my repo|calexp|visit=1|--out|x.fits");
        assert_eq!(
            again_with(&typed, &module),
            "pantler get 'my repo' calexp visit=1 --out x.fits --trust survey.joint"
        );
        let typed = words("pantler|ingest|repo|note|--|a=b.json");
        assert_eq!(
            again_with(&typed, &Permit::Pickle),
            "pantler ingest repo note --allow-pickle -- a=b.json"
        );
        let typed = words("pantler|query|repo|--where|filter = 'a'");
        assert_eq!(
            again_with(&typed, &Permit::Pickle),
            r"pantler query repo --where 'filter = '\''a'\''' --allow-pickle"
        );
        let typed = words("pantler|show|repo");
        let root = Permit::Repository("/data/of others".to_owned());
        assert_eq!(
            again_with(&typed, &root),
            "pantler show repo --trust '/data/of others'"
        );
    }

    #[test]
    fn a_reader_that_has_gone_is_no_failure() {
        assert_eq!(
            Failure::of_output(io::ErrorKind::BrokenPipe.into()).exit_status(),
            0
        );
        assert_eq!(
            Failure::of_output(io::ErrorKind::StorageFull.into()).exit_status(),
            3
        );
    }
}
