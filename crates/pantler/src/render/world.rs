//! Errors of formats, stores, registries and the operating system, in words.

use pantler_core::report::{Kind, Label, Report};
use pantler_core::{FormatError, KeyValue, RegistryError, StoreError};

use crate::error::Asked;

pub(super) fn format_report(asked: &Asked, in_repository: bool, error: &FormatError) -> Report {
    let asked_for = |report: Report| {
        if asked.name.is_empty() {
            report
        } else {
            report.fact(Label::AskedFor, asked.to_string())
        }
    };
    match error {
        FormatError::Corrupt { file, unit, why } => {
            let kind = if in_repository {
                Kind::Corrupt
            } else {
                Kind::Request
            };
            let report = Report::new(kind, format!("{file} is damaged"));
            let report = match unit {
                Some(unit) => report.fact(Label::LookedIn, unit),
                None => report,
            };
            asked_for(report.fact(Label::Why, why))
        }
        FormatError::NoSuchPart { file, part, known } => {
            let report = Report::new(Kind::NotFound, format!("{file} has no part `{part}`"))
                .fact(Label::Found, some_of(known));
            let report = asked_for(report);
            match pantler_core::similar::most_similar(part, known.iter().map(String::as_str)) {
                Some(similar) => report.hint(format!("did you mean `{similar}`?")),
                None => report,
            }
        }
        FormatError::NoSuchRows { file, rows, wanted } => {
            let report = Report::new(Kind::NotFound, format!("{file} has no rows {wanted}"))
                .fact(Label::Found, format!("{rows} rows, 0:{rows}"));
            asked_for(report)
        }
        FormatError::Unsupported { file, why } => {
            asked_for(Report::new(Kind::Unsupported, format!("{file}: {why}")))
        }
        FormatError::Plugin { file, source } => {
            let kind = match source.permit {
                Some(_) => Kind::Untrusted,
                None => Kind::Request,
            };
            let report = asked_for(Report::new(kind, format!("{file}: {}", source.message)));
            let permit = source.permit.iter().cloned();
            permit.fold(report, Report::permit)
        }
        FormatError::Store(error) => store_report(error),
    }
}

pub(super) fn store_report(error: &StoreError) -> Report {
    match error {
        StoreError::Io {
            operation,
            path,
            source,
        } => io_report(operation, path, source),
        StoreError::NotFound { .. } | StoreError::OutOfRange { .. } => {
            Report::new(Kind::Corrupt, error.to_string())
        }
        StoreError::Unsupported { operation, .. } => {
            let report = Report::new(Kind::Unsupported, error.to_string());
            if operation.contains("link") {
                report.hint("`--mode in-place` leaves the files where they are")
            } else {
                report
            }
        }
        StoreError::AlreadyExists { .. } => Report::new(Kind::Conflict, error.to_string()),
        StoreError::Escapes { .. } => Report::new(Kind::Request, error.to_string()),
    }
}

pub(super) fn registry_report(error: &RegistryError) -> Report {
    match error {
        RegistryError::AlreadyExists { .. } => Report::new(Kind::Conflict, error.to_string()),
        RegistryError::Version {
            path,
            found,
            wanted,
        } => version_report(error, path, *found, *wanted),
        RegistryError::Corrupt { .. } | RegistryError::NoSuchDataset { .. } => {
            Report::new(Kind::Corrupt, error.to_string())
        }
        _ => Report::new(Kind::Io, error.to_string()),
    }
}

fn version_report(error: &RegistryError, registry: &str, found: i64, wanted: i64) -> Report {
    let report = Report::new(Kind::Unsupported, error.to_string());
    let root = std::path::Path::new(registry)
        .parent()
        .and_then(std::path::Path::parent);
    match root {
        Some(root) if found < wanted => report
            .hint(format!(
                "`pantler registry migrate {}` brings it to version {wanted}",
                KeyValue::from(root.display().to_string().as_str())
            ))
            .hint("older versions of pantler cannot open it afterwards"),
        _ => report.hint("open it with the version of pantler that made it"),
    }
}

pub(super) fn io_report(operation: &str, path: &str, source: &std::io::Error) -> Report {
    use std::io::ErrorKind;
    // A path that the user named and that is not there is a wrong request, not a failing world.
    let kind = match source.kind() {
        ErrorKind::NotFound | ErrorKind::IsADirectory | ErrorKind::NotADirectory => Kind::NotFound,
        _ => Kind::Io,
    };
    let report = Report::new(kind, format!("cannot {operation} {path}"))
        .fact(Label::Why, source.to_string());
    match source.kind() {
        ErrorKind::StorageFull => {
            report.hint("free some space and run the command again: nothing is half done")
        }
        ErrorKind::PermissionDenied => {
            report.hint(format!("check who may {operation} it: `ls -ld {path}`"))
        }
        _ => report,
    }
}

/// The first of many names, so that a table of hundreds of columns does not fill the screen.
fn some_of(names: &[String]) -> String {
    const SHOWN: usize = 24;
    let first: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
    let shown = first.join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
