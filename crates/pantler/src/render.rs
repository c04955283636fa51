//! The one place where errors become sentences: first line, facts, hints.

mod absence;
mod chains;
mod data_ids;
mod definitions;
mod world;
mod writing;

use pantler_core::TypeName;
use pantler_core::report::{Kind, Label, Report};

use crate::error::Error;

use absence::absence_report;
use chains::chain_report;
use data_ids::data_id_report;
use definitions::{definition_report, untrusted};
use world::{format_report, io_report, registry_report, store_report};
use writing::write_report;

impl Error {
    /// Returns the error ready to be shown.
    pub fn report(&self) -> Report {
        match self {
            Error::Name(error) => Report::new(Kind::Request, format!("`{}` is not a dataset name", error.text))
                .fact(Label::Why, &error.why)
                .hint("a name is `type`, `type:stage` or `type:stage.component`, for instance calexp:jointcal.wcs"),
            Error::UnknownType { .. } | Error::Graph { .. } | Error::Policy { .. } | Error::AliasConflict { .. } => {
                definition_report(self)
            }
            Error::TwoStages { .. }
            | Error::UnknownKey { .. }
            | Error::KeyType { .. }
            | Error::KeyClash { .. }
            | Error::AmbiguousKey { .. }
            | Error::MissingKey { .. }
            | Error::NoValue { .. }
            | Error::KeyDisagrees { .. }
            | Error::NoPath { .. } => data_id_report(self),
            Error::Siblings { .. } | Error::UnknownTag { .. } => chain_report(self),
            Error::NotFound { .. }
            | Error::RecordedGone { .. }
            | Error::ArtifactGone { .. }
            | Error::ArtifactChanged { .. }
            | Error::NothingToRemove { .. } => absence_report(self),
            Error::Conflict { .. }
            | Error::InBatch { .. }
            | Error::Raced { .. }
            | Error::PartlyPut { .. }
            | Error::NoDelta { .. }
            | Error::DeltaDiffers { .. }
            | Error::PathTaken { .. }
            | Error::ReadOnly { .. }
            | Error::NoComponent { .. }
            | Error::InputOnly { .. }
            | Error::InUse { .. } => write_report(self),
            _ => other_report(self),
        }
    }

    /// Returns the sort of failure.
    pub fn kind(&self) -> Kind {
        self.report().kind
    }
}

fn other_report(error: &Error) -> Report {
    match error {
        Error::Interrupted => Report::new(Kind::Interrupted, "interrupted")
            .fact(Label::Why, "whoever asked for it wanted it to stop; what was not committed is undone"),
        Error::Format {
            asked,
            in_repository,
            source,
        } => format_report(asked, *in_repository, source),
        Error::UnknownStorage {
            dataset_type,
            storage,
            known,
            place,
        } => {
            let report = Report::new(
                Kind::Unsupported,
                format!("no format is known for the storage `{storage}`"),
            )
            .fact(Label::AskedFor, dataset_type.to_string())
            .fact(Label::Found, known.join(", "));
            let report = match place {
                Some(place) => report.fact(Label::Defined, place.to_string()),
                None => report,
            };
            if storage == "PickleStorage" {
                return report.hint("pickles are read and written by the Python package and by the command that it brings: pip install pantler");
            }
            match pantler_core::similar::most_similar(storage, known.iter().map(String::as_str)) {
                Some(similar) => report.hint(format!("did you mean `{similar}`?")),
                None => report,
            }
        }
        Error::NeedsPlugin {
            dataset_type,
            role,
            import_path,
            place,
            known,
        } => {
            let what = if *role == "python" {
                "the class"
            } else {
                "the plug-in"
            };
            Report::new(Kind::Unsupported, format!("`{dataset_type}` needs {what} `{import_path}`, which this program cannot run"))
                .fact(Label::Defined, format!("{place}, as its `{role}`"))
                .fact(Label::Found, format!("the plug-ins {}", known.join(", ")))
                .hint("import paths are followed by the Python package and by the command that it brings: pip install pantler")
                .hint("`assembler: pantler.overlay` with `disassembler: pantler.overlay` lays components over a base without code")
        }
        Error::Untrusted {
            import,
            repository,
            stranger,
        } => untrusted(import, repository, stranger),
        Error::Plugin { import, source } => {
            let message = format!("`{}` of `{}` failed", import.path, import.dataset_type);
            Report::new(Kind::Request, message)
                .fact(Label::Defined, format!("{}, as its `{}`", import.place, import.role.key()))
                .fact(Label::Why, &source.message)
        }
        Error::Assembly {
            asked,
            composite,
            source,
        } => {
            let report = Report::new(
                Kind::Request,
                format!("`{composite}` could not be assembled or taken apart"),
            )
            .fact(Label::AskedFor, asked.to_string())
            .fact(Label::Why, &source.message);
            match &source.component {
                Some(component) => report.fact(Label::NeededBy, format!("component `{component}`")),
                None => report,
            }
        }
        Error::Component(error) => Report::new(Kind::Request, error.to_string()),
        Error::NoRepository { path, why, child } => {
            let report = Report::new(Kind::NotFound, format!("{path} is not a repository"))
                .fact(Label::Why, why);
            match child {
                Some(child) => report
                    .fact(Label::NeededBy, format!("{child}, whose parent it is"))
                    .hint(format!(
                        "correct the parents in {child}/.pantler/repository.json"
                    )),
                None if why.contains("is a file") => report,
                None if why.contains("no such folder") => {
                    report.hint(format!("`pantler init {path} --policy FILE` makes one"))
                }
                None => report
                    .hint(format!(
                        "a policy in {path}/policy.yaml says how its files are named; then they can be read as they lie"
                    ))
                    .hint(format!("`pantler init {path} --policy FILE` makes a repository with an index")),
            }
        }
        Error::NoIndex { path, dataset_type } => {
            let name = dataset_type.as_ref().map_or("TYPE", TypeName::as_str);
            Report::new(Kind::ReadOnly, error.to_string())
                .fact(
                    Label::Why,
                    "it is a folder with a policy, which is scanned for the files that the policy names",
                )
                .fact(Label::Written, "nothing")
                .hint(format!(
                    "`pantler ingest {path} {name} --mode in-place` makes an index of the {name} files that lie there",
                ))
                .hint(format!(
                    "keep {path} as it is, and put into a repository of its own that builds on it: `pantler init NEW --parent {path}`"
                ))
        }
        Error::RepositoryExists { path } => {
            Report::new(Kind::Conflict, format!("{path} is a repository already"))
                .fact(Label::Written, "nothing")
                .hint(format!("`pantler show {path}` says what is in it"))
        }
        Error::NoOutput { operation } => Report::new(
            Kind::Request,
            format!("there is no repository to {operation} into"),
        ),
        Error::NotWritable { repository, why } => {
            Report::new(Kind::Io, format!("{repository} cannot be written")).fact(Label::Why, why)
        }
        Error::NotParents { output, strangers } => Report::new(
            Kind::Request,
            format!("{output} exists, and does not have these inputs as its parents"),
        )
        .fact(Label::Found, strangers.join(", "))
        .hint("let it have them as further parents (--add-parents), if what is put there may be made of them"),
        Error::Request { message, hints } => hints
            .iter()
            .fold(Report::new(Kind::Request, message), |report, hint| {
                report.hint(hint)
            }),
        Error::Unsupported { message, hints } => hints
            .iter()
            .fold(Report::new(Kind::Unsupported, message), |report, hint| {
                report.hint(hint)
            }),
        Error::Store(error) => store_report(error),
        Error::Registry(error) => registry_report(error),
        Error::Path(error) => Report::new(Kind::Request, error.to_string()),
        Error::Io {
            operation,
            path,
            source,
        } => io_report(operation, path, source),
        other => Report::new(Kind::Request, other.to_string()),
    }
}

/// Adds the places that were searched, in order, each with its outcome.
fn numbered(report: Report, places: impl Iterator<Item = (String, String)>) -> Report {
    let places: Vec<(String, String)> = places.collect();
    let width = places
        .iter()
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or(0);
    places
        .iter()
        .enumerate()
        .fold(report, |report, (index, (name, outcome))| {
            report.fact(
                Label::LookedIn,
                format!("{}. {name:<width$}  {outcome}", index + 1),
            )
        })
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 {
        format!("1 {what}")
    } else {
        format!("{count} {what}s")
    }
}
