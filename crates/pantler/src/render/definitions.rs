//! Errors about dataset types and policies, in words.

use pantler_core::Import;
use pantler_core::composite_graph::GraphError;
use pantler_core::problem::{Problem, Severity};
use pantler_core::report::{Kind, Label, Permit, Report};

use crate::error::Error;

use super::{counted, other_report};

pub(super) fn definition_report(error: &Error) -> Report {
    match error {
        Error::UnknownType {
            asked,
            name,
            looked_in,
            similar,
            stages,
            needed_by,
        } => {
            let mut report = if stages.is_empty() {
                Report::new(Kind::NotFound, format!("unknown dataset type `{name}`"))
            } else {
                Report::new(
                    Kind::NotFound,
                    format!(
                        "`{name}` needs a stage: there is no plain `{name}` and no alias for it"
                    ),
                )
                .fact(
                    Label::Found,
                    stages
                        .iter()
                        .map(|stage| format!("{name}:{stage}"))
                        .collect::<Vec<_>>()
                        .join(", "),
                )
            }
            .fact(Label::AskedFor, asked.to_string());
            if let Some((component, composite, place)) = needed_by {
                report = report.fact(
                    Label::NeededBy,
                    format!("component `{component}` of `{composite}` ({place})"),
                );
            }
            report = report.fact(Label::LookedIn, policies(looked_in));
            if let Some(stage) = stages.first() {
                report = report.hint(format!("ask for {name}:{stage}"));
            }
            match similar {
                Some((similar, Some(place))) => {
                    report.hint(format!("did you mean `{similar}`? ({place})"))
                }
                Some((similar, None)) => report.hint(format!("did you mean `{similar}`?")),
                None => report,
            }
        }
        Error::Graph { asked, error } => match error {
            GraphError::Cycle { name, path } => {
                let names: Vec<String> = path
                    .iter()
                    .chain([name])
                    .map(|name| format!("`{name}`"))
                    .collect();
                Report::new(Kind::Policy, format!("`{name}` is made of itself"))
                    .fact(Label::AskedFor, asked.to_string())
                    .fact(Label::Why, names.join(" needs "))
            }
            GraphError::Incomplete { name, place, why } => Report::new(
                Kind::Policy,
                format!("the definition of `{name}` is not complete"),
            )
            .fact(Label::AskedFor, asked.to_string())
            .fact(Label::Defined, place.to_string())
            .fact(Label::Why, why),
            GraphError::UnknownType { name, .. } => {
                Report::new(Kind::NotFound, format!("unknown dataset type `{name}`"))
                    .fact(Label::AskedFor, asked.to_string())
            }
        },
        Error::Policy { problems } => policy_report(problems),
        Error::AliasConflict { name, meanings } => meanings
            .iter()
            .fold(
                Report::new(
                    Kind::Ambiguous,
                    format!("`{name}` means different things in two inputs"),
                ),
                |report, (repository, meaning)| {
                    report.fact(Label::Found, format!("{meaning} in {repository}"))
                },
            )
            .hint(format!(
                "name the stage, for instance {}",
                meanings
                    .first()
                    .map_or(name.as_str(), |(_, meaning)| meaning)
            )),
        other => other_report(other),
    }
}

fn policies(looked_in: &[(String, usize)]) -> String {
    let names: Vec<String> = looked_in
        .iter()
        .map(|(name, count)| format!("{name} ({})", counted(*count, "type")))
        .collect();
    match names.as_slice() {
        [] => "no policy".to_owned(),
        [only] => format!("the policy of {only}"),
        [first @ .., last] => format!("the policies of {} and {last}", first.join(", ")),
    }
}

/// The first problem makes the first line; all are shown below by whoever can show them in place.
fn policy_report(problems: &[Problem]) -> Report {
    let errors: Vec<&Problem> = problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
        .collect();
    let Some(first) = errors.first() else {
        return Report::new(Kind::Policy, "the policy has errors");
    };
    let mut report = Report::new(Kind::Policy, first.message.clone());
    report = report.fact(
        Label::Defined,
        format!(
            "{}:{}:{}",
            first.place.file, first.place.line, first.place.column
        ),
    );
    let before = " ".repeat((first.place.column as usize).saturating_sub(1));
    let shown: String = first
        .line_text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    report = report.fact(Label::Defined, shown).fact(
        Label::Defined,
        format!("{before}{}", "^".repeat(first.length.max(1) as usize)),
    );
    for hint in &first.hints {
        report = report.hint(hint);
    }
    if errors.len() > 1 {
        report = report.hint(format!(
            "`pantler policy check {}` lists all {} errors",
            first.place.file,
            errors.len()
        ));
    }
    report
}

/// A repository's name as nobody could take it for a module's.
fn as_path(repository: &str) -> String {
    match repository.contains(['/', '\\']) {
        true => repository.to_owned(),
        false => format!("./{repository}"),
    }
}

/// Says which line asks for which module, why it is not followed, and how to allow it.
pub(super) fn untrusted(import: &Import, repository: &str, stranger: &str) -> Report {
    let module = import
        .path
        .rsplit_once('.')
        .map_or(import.path.as_str(), |(module, _)| module);
    let report = Report::new(
        Kind::Untrusted,
        format!(
            "`{}` asks for the code `{}`, and its repository is not yours",
            import.dataset_type, import.path
        ),
    );
    let report = match import.place.is_empty() {
        true => report.fact(Label::Defined, format!("in the registry of {repository}")),
        false => report.fact(
            Label::Defined,
            format!("{}, as its `{}`", import.place, import.role.key()),
        ),
    };
    report
        .fact(Label::Why, format!("{stranger} belongs to another user"))
        .permit(Permit::Module(module.to_owned()))
        .permit(Permit::Repository(as_path(repository)))
}
