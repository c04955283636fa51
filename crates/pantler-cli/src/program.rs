//! Runs one command from its arguments to its exit status.

use clap::Parser;
use clap::error::ErrorKind;
use pantler::Report;
use pantler::core::report::{Kind, Label};
use serde_json::json;
use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};

use crate::arguments::{Arguments, Global};
use crate::failure::{Failure, report_json};
use crate::screen::Screen;
use crate::session::{Opening, Session};

/// How a command ended that did what it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All is well.
    Done,
    /// It is done, and what it found or could not do is worth this exit status.
    Status(u8),
}

/// What a command returns.
pub type CommandResult = Result<Outcome, Failure>;

/// Runs the program, and returns its exit status.
///
/// `words` start with the program's own name; `opening` says how butlers are opened, who acts and what counts aside.
/// A fault of ours ends as status 3, never as a panic; the process's panic hook is set for that.
pub fn run(words: Vec<OsString>, opening: Opening) -> u8 {
    let json = words
        .iter()
        .take_while(|word| *word != "--")
        .any(|word| word == "--json");
    std::panic::set_hook(Box::new(move |info| report_bug(info, json)));
    // The hook has said what there is to say; the status says that it is not the caller's fault.
    let status = catch_unwind(AssertUnwindSafe(|| parse_and_run(&words, json, opening)));
    status.unwrap_or(3)
}

fn parse_and_run(words: &[OsString], json: bool, opening: Opening) -> u8 {
    let arguments = match Arguments::try_parse_from(words) {
        Ok(arguments) => arguments,
        Err(error) => return not_parsed(&error, json),
    };
    let session = Session::new(&arguments.global, opening);
    let status = match arguments.command.run(&session) {
        Ok(Outcome::Done) => 0,
        Ok(Outcome::Status(status)) => status,
        Err(failure) => {
            failure.print(&session.screen, words);
            failure.exit_status()
        }
    };
    if arguments.global.stats {
        session
            .screen
            .error_line(&session.stats().document().to_string());
    }
    status
}

/// Shows help and version on standard output; anything else is a request that clap could not read.
fn not_parsed(error: &clap::Error, json: bool) -> u8 {
    let screen = Screen::new(&Global {
        json,
        ..Global::default()
    });
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    ) {
        return match error.print().map_err(Failure::of_output) {
            Ok(()) => 0,
            Err(failure) => failure.exit_status(),
        };
    }
    if json {
        screen.error_line(&json!({ "error": report_json(&usage_report(error)) }).to_string());
    } else if error.print().is_err() {
        // Standard error cannot be written: the status alone has to do.
        return 2;
    }
    2
}

/// Turns clap's message into a report: its first paragraph is the thought, its tips are the hints.
fn usage_report(error: &clap::Error) -> Report {
    let text = error.render().to_string();
    let mut lines = text.lines().map(str::trim);
    let message = lines
        .next()
        .unwrap_or_default()
        .trim_start_matches("error: ")
        .trim_end_matches(':')
        .to_owned();
    let mut report = Report::new(Kind::Request, message);
    for line in lines {
        if let Some(tip) = line.strip_prefix("tip: ") {
            report = report.hint(tip);
        } else if let Some(usage) = line.strip_prefix("Usage: ") {
            report = report.hint(format!("usage: {usage}"));
        } else if !line.is_empty()
            && !line.starts_with("For more information")
            && report.hints.is_empty()
        {
            report = report.fact(Label::Why, line);
        }
    }
    report
}

/// Says what a person can do about a fault of ours.
fn report_bug(info: &PanicHookInfo<'_>, json: bool) {
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    let why = info.payload_as_str().unwrap_or("no message").to_owned();
    let report = bug_report(&place, &why);
    let screen = Screen::new(&Global::default());
    if json {
        let mut document = report_json(&report);
        // None of the kinds of failure that the library knows.
        document["kind"] = "bug".into();
        screen.error_line(&json!({ "error": document }).to_string());
    } else {
        screen.error_line(&report.to_string());
    }
}

fn bug_report(place: &str, why: &str) -> Report {
    Report::new(Kind::Unsupported, "this is a bug in pantler")
        .fact(
            Label::Found,
            format!("pantler {} stopped at {place}", env!("CARGO_PKG_VERSION")),
        )
        .fact(Label::Why, why)
        .hint(format!(
            "please report it, with the command, at {}/issues",
            env!("CARGO_PKG_REPOSITORY")
        ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_fault_of_ours_says_so_and_where_to_report_it() {
        let report = bug_report("a.rs:1:2", "index out of bounds").to_string();
        assert!(
            report.starts_with("error: this is a bug in pantler"),
            "{report}"
        );
        assert!(report.contains("stopped at a.rs:1:2"), "{report}");
        assert!(report.contains("/issues"), "{report}");
    }

    #[test]
    fn usage_becomes_a_report() {
        let error = Arguments::try_parse_from(["pantler", "query", "out", "--limt", "3"])
            .expect_err("no such option");
        let report = usage_report(&error);
        assert_eq!(report.message, "unexpected argument '--limt' found");
        assert!(report.hints[0].contains("--limit"), "{:?}", report.hints);
    }
}
