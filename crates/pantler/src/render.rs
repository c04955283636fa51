//! The one place where errors become sentences: first line, facts, hints.

use pantler_core::composite_graph::GraphError;
use pantler_core::problem::{Problem, Severity};
use pantler_core::report::{Kind, Label, Report};
use pantler_core::{FormatError, RegistryError, StoreError};

use crate::error::{Asked, Candidate, Error};

impl Error {
    /// Returns the error ready to be shown.
    pub fn report(&self) -> Report {
        match self {
            Error::Shared(error) => error.report(),
            Error::Name(error) => Report::new(Kind::Request, format!("`{}` is not a dataset name", error.text))
                .fact(Label::Why, &error.why)
                .hint("a name is `type`, `type:stage` or `type:stage.component`, for instance calexp:jointcal.wcs"),
            Error::UnknownType { .. } | Error::Graph { .. } | Error::Policy { .. } | Error::AliasConflict { .. } => {
                definition_report(self)
            }
            Error::TwoStages { .. }
            | Error::UnknownKey { .. }
            | Error::KeyType { .. }
            | Error::AmbiguousKey { .. }
            | Error::MissingKey { .. }
            | Error::NoValue { .. }
            | Error::NoPath { .. } => data_id_report(self),
            Error::NotFound { .. }
            | Error::RecordedGone { .. }
            | Error::ArtifactGone { .. }
            | Error::ArtifactChanged { .. }
            | Error::NothingToRemove { .. } => absence_report(self),
            Error::Conflict { .. }
            | Error::Raced { .. }
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

fn definition_report(error: &Error) -> Report {
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

fn counted(count: usize, what: &str) -> String {
    if count == 1 {
        format!("1 {what}")
    } else {
        format!("{count} {what}s")
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

fn data_id_report(error: &Error) -> Report {
    match error {
        Error::TwoStages {
            asked,
            in_name,
            in_data_id,
        } => Report::new(
            Kind::DataId,
            format!(
                "the name asks for stage `{in_name}` and the data ID for version `{in_data_id}`"
            ),
        )
        .fact(Label::AskedFor, asked.to_string())
        .hint("give the stage once: in the name, or as version=…"),
        Error::UnknownKey {
            asked,
            key,
            keys,
            similar,
        } => {
            let report = Report::new(Kind::DataId, format!("unknown key `{key}`"))
                .fact(Label::AskedFor, asked.to_string())
                .fact(
                    Label::Found,
                    if keys.is_empty() {
                        "no keys".to_owned()
                    } else {
                        format!("the keys {}", keys.join(", "))
                    },
                );
            match similar {
                Some(similar) => report.hint(format!("did you mean `{similar}`?")),
                None => report,
            }
        }
        Error::KeyType {
            asked,
            key,
            value,
            wanted,
        } => {
            let kind = match wanted {
                pantler_core::KeyType::Int => "a whole number",
                pantler_core::KeyType::Float => "a number",
                pantler_core::KeyType::Str => "text",
            };
            Report::new(
                Kind::DataId,
                format!("the key `{key}` is {kind}, and {value} is not"),
            )
            .fact(Label::AskedFor, asked.to_string())
        }
        Error::AmbiguousKey {
            asked,
            key,
            needed_by,
            candidates,
            repository,
        } => ambiguous_report(asked, key, needed_by, candidates, repository),
        Error::MissingKey {
            asked,
            key,
            needed_by,
            looked_in,
        } => {
            let mut report = Report::new(
                Kind::NotFound,
                format!(
                    "`{}` needs the key `{key}`, and no value was found for it",
                    asked.name
                ),
            )
            .fact(Label::AskedFor, asked.to_string());
            if !needed_by.is_empty() {
                report = report.fact(Label::NeededBy, components(needed_by));
            }
            numbered(
                report,
                looked_in
                    .iter()
                    .map(|name| (name.clone(), "nothing that fits".to_owned())),
            )
            .hint(format!("give it: {key}=…"))
        }
        Error::NoValue {
            file,
            key,
            template,
            keys,
        } => Report::new(
            Kind::DataId,
            format!("no value for the key `{key}` of {file}"),
        )
        .fact(Label::NeededBy, format!("the template {template}"))
        .fact(
            Label::Why,
            format!(
                "neither its path nor its header gives all of {}",
                keys.join(", ")
            ),
        )
        .hint(format!("give it: {key}=…"))
        .hint("or say in the policy where to find it: `ingest: {path: …, headers: {…}}`"),
        Error::NoPath {
            asked,
            template,
            why,
        } => Report::new(
            Kind::DataId,
            format!("the data ID of `{}` gives no usable path", asked.name),
        )
        .fact(Label::AskedFor, asked.to_string())
        .fact(Label::Defined, format!("template {template}"))
        .fact(Label::Why, why),
        other => other_report(other),
    }
}

fn components(needed_by: &[(String, String)]) -> String {
    needed_by
        .iter()
        .map(|(name, dataset)| format!("component `{name}` ({dataset})"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn ambiguous_report(
    asked: &Asked,
    key: &str,
    needed_by: &[(String, String)],
    candidates: &[Candidate],
    repository: &str,
) -> Report {
    const SHOWN: usize = 12;
    let mut report = Report::new(
        Kind::Ambiguous,
        format!(
            "`{}` needs the key `{key}`, and {} values match",
            asked.name,
            candidates.len()
        ),
    )
    .fact(Label::AskedFor, asked.to_string());
    if !needed_by.is_empty() {
        report = report.fact(Label::NeededBy, components(needed_by));
    }
    let mut found: Vec<String> = candidates
        .iter()
        .take(SHOWN)
        .map(|candidate| {
            let lacks = if candidate.incomplete.is_empty() {
                String::new()
            } else {
                format!(", incomplete: no {}", candidate.incomplete.join(", no "))
            };
            format!(
                "{key}={} ({}{lacks})",
                candidate.value, candidate.repository
            )
        })
        .collect();
    if candidates.len() > SHOWN {
        found.push(format!("and {} more", candidates.len() - SHOWN));
    }
    report = report.fact(Label::Found, found.join(", "));
    let complete = candidates
        .iter()
        .find(|candidate| candidate.incomplete.is_empty());
    if let Some(candidate) = complete.or(candidates.first()) {
        report = report.hint(format!(
            "add one of them, for instance {key}={}",
            candidate.value
        ));
    }
    let complete = candidates
        .iter()
        .filter(|candidate| candidate.incomplete.is_empty())
        .count();
    let lists = match (complete, candidates.len()) {
        (0, _) => return report,
        (complete, all) if complete < all => "those that are complete",
        (_, 2) => "both",
        (_, 3) => "all three",
        _ => "all of them",
    };
    report.hint(format!(
        "`pantler query {repository} {asked}` lists {lists}"
    ))
}

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

fn absence_report(error: &Error) -> Report {
    match error {
        Error::NotFound { asked, component, composite, missing, found, other_stage } => {
            let mut report = match (component, composite) {
                (Some((name, ..)), Some(composite)) => Report::new(
                    Kind::NotFound,
                    format!("component `{name}` of `{composite}` was not found in any repository"),
                ),
                _ => Report::new(Kind::NotFound, format!("`{}` was not found in any repository", asked.name)),
            }
            .fact(Label::AskedFor, asked.to_string());
            if let Some((name, dataset, data_id, place)) = component {
                let dataset = Asked::new(dataset, data_id);
                report = report.fact(Label::NeededBy, format!("component `{name}`, which is {dataset} ({place})"));
            }
            report = numbered(report, missing.trail.iter().map(|step| (step.repository.clone(), step.outcome.clone())));
            if !found.is_empty() {
                let found: Vec<String> = found.iter().map(|(name, place)| format!("{name} in {place}")).collect();
                report = report.fact(Label::Found, found.join(", "));
            }
            if let Some(other) = other_stage {
                report = report.fact(Label::Why, format!("a component is never taken from another stage, so {other} was not used"));
            }
            report.trail = missing.trail.clone();
            match missing.trail.first() {
                Some(step) => report.hint(format!(
                    "`pantler query {} {}` lists what there is",
                    step.repository,
                    dataset_type_of(&step.dataset)
                )),
                None => report,
            }
        }
        Error::RecordedGone { asked, component, dataset, id, looked_in } => numbered(
            Report::new(Kind::Corrupt, format!("the recorded component `{component}` of `{}` is gone", asked.name))
                .fact(Label::AskedFor, asked.to_string())
                .fact(Label::NeededBy, format!("the recorded composition, which names {dataset}, dataset {id}")),
            looked_in.iter().map(|name| (name.clone(), "does not have it".to_owned())),
        )
        .fact(Label::Why, "a recorded composition never takes another dataset in its place")
        .hint("composition lookup (`get --composition lookup`) takes what stands under that data ID today"),
        Error::ArtifactGone { asked, dataset, repository, location } => {
            Report::new(Kind::Corrupt, format!("the file of `{}` is gone", asked.name))
                .fact(Label::AskedFor, dataset)
                .fact(Label::LookedIn, format!("1. {repository}  in its registry, but {location} is gone"))
                .hint(format!("`pantler fsck {repository}` lists every file that is gone"))
        }
        Error::ArtifactChanged { repository, location, why } => {
            Report::new(Kind::Corrupt, format!("{location} was changed since it was registered"))
                .fact(Label::LookedIn, repository)
                .fact(Label::Why, why)
                .hint(format!("`pantler fsck {repository} --deep` compares every file with what was recorded"))
        }
        Error::NothingToRemove { asked, repository, elsewhere, composite } => {
            let report = Report::new(Kind::NotFound, format!("`{}` is not in {repository}", asked.name))
                .fact(Label::AskedFor, asked.to_string());
            match (elsewhere, composite) {
                (Some(other), _) => report
                    .fact(Label::Found, format!("it is in {other}"))
                    .hint(format!("`pantler rm {other} {asked}` removes it there")),
                (None, true) => report.fact(
                    Label::Why,
                    "it is a composite that was never recorded: only its parts exist",
                ),
                (None, false) => report,
            }
        }
        other => other_report(other),
    }
}

fn dataset_type_of(dataset: &str) -> &str {
    dataset.split(' ').next().unwrap_or(dataset)
}

fn write_report(error: &Error) -> Report {
    let nothing = |report: Report| report.fact(Label::Written, "nothing");
    match error {
        Error::Conflict {
            asked,
            repository,
            location,
            difference,
        } => nothing(
            Report::new(
                Kind::Conflict,
                format!("`{}` exists already, with other content", asked.name),
            )
            .fact(Label::AskedFor, asked.to_string())
            .fact(Label::Found, format!("{location} in {repository}"))
            .fact(Label::Why, difference),
        )
        .hint(
            "`--replace` puts the new one in its place; compositions that used the old one keep it",
        ),
        Error::Raced { asked, repository } => nothing(
            Report::new(
                Kind::Conflict,
                format!(
                    "`{}` was put by another process in the meantime",
                    asked.name
                ),
            )
            .fact(Label::AskedFor, asked.to_string())
            .fact(Label::Found, format!("it in {repository}")),
        )
        .hint("run the command again: it compares with what is there now"),
        Error::PathTaken {
            asked,
            repository,
            location,
            owner,
        } => {
            let report = Report::new(
                Kind::Conflict,
                format!("the path of `{}` is taken", asked.name),
            )
            .fact(Label::AskedFor, asked.to_string())
            .fact(Label::LookedIn, format!("{location} in {repository}"));
            nothing(match owner {
                Some(owner) => report
                    .fact(Label::Found, format!("{owner} owns it"))
                    .hint("give one of the two types another template"),
                None => report
                    .fact(Label::Found, "a file that the registry does not know")
                    .hint(format!(
                        "`pantler ingest {repository} {} {repository}/{location}` takes it in",
                        asked.name
                    ))
                    .hint("or move it away"),
            })
        }
        Error::ReadOnly {
            name,
            place,
            components,
            why,
            instead,
        } => {
            let mut report = Report::new(
                Kind::ReadOnly,
                format!("cannot put `{name}`, it can only be read"),
            );
            if let Some(place) = place {
                let made_of = match components.as_slice() {
                    [] => String::new(),
                    [only] => format!(", a composite of `{only}`"),
                    [first @ .., last] => format!(
                        ", a composite of {} and `{last}`",
                        first
                            .iter()
                            .map(|name| format!("`{name}`"))
                            .collect::<Vec<_>>()
                            .join(", ")
                    ),
                };
                report = report.fact(Label::Defined, format!("{place}{made_of}"));
            }
            report = nothing(report.fact(Label::Why, why));
            for other in instead {
                report = report.hint(format!(
                    "put it whole as `{other}`, which has the same Python type"
                ));
            }
            if components.is_empty() {
                report
            } else {
                report.hint(format!("or give `{name}` a `disassembler`"))
            }
        }
        Error::NoComponent {
            asked,
            component,
            class,
            known,
        } => nothing(
            Report::new(
                Kind::Request,
                format!("the object to put as `{}` has no `{component}`", asked.name),
            )
            .fact(Label::AskedFor, asked.to_string())
            .fact(
                Label::Found,
                format!(
                    "{class} with {}",
                    if known.is_empty() {
                        "no components".to_owned()
                    } else {
                        known.join(", ")
                    }
                ),
            ),
        )
        .hint(format!(
            "mark `{component}` as `optional: true` if it may be absent"
        )),
        Error::InputOnly {
            asked,
            component,
            expected,
            why,
            can_drop,
        } => {
            let report = nothing(
                Report::new(
                    Kind::ReadOnly,
                    format!(
                        "component `{component}` of `{}` is only read, and it is not as stored",
                        asked.name
                    ),
                )
                .fact(Label::AskedFor, asked.to_string())
                .fact(
                    Label::NeededBy,
                    format!("component `{component}`, which is {expected}"),
                )
                .fact(Label::Why, why),
            );
            if *can_drop {
                report.hint("`--drop-input-only` puts the rest and lets this change go")
            } else {
                report
            }
        }
        Error::InUse { asked, users } => {
            const SHOWN: usize = 8;
            let mut report = Report::new(
                Kind::Conflict,
                format!(
                    "`{}` is part of {}",
                    asked.name,
                    counted(users.len(), "recorded composite")
                ),
            )
            .fact(Label::AskedFor, asked.to_string());
            for user in users.iter().take(SHOWN) {
                report = report.fact(Label::NeededBy, user.to_string());
            }
            if users.len() > SHOWN {
                report = report.fact(Label::NeededBy, format!("and {} more", users.len() - SHOWN));
            }
            nothing(report)
                .hint("remove those first")
                .hint("`--force` removes it all the same; a get of those then fails and names it")
        }
        other => other_report(other),
    }
}

fn other_report(error: &Error) -> Report {
    match error {
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
                .hint("import paths are followed by the Python package")
                .hint("`assembler: pantler.overlay` with `disassembler: pantler.overlay` lays components over a base without code")
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
                None => report.hint(format!("`pantler init {path} --policy FILE` makes one")),
            }
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
        .hint("open it with add_parents, if what is put there from now on may be made of them"),
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

fn format_report(asked: &Asked, in_repository: bool, error: &FormatError) -> Report {
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
                .fact(Label::Found, known.join(", "));
            let report = asked_for(report);
            match pantler_core::similar::most_similar(part, known.iter().map(String::as_str)) {
                Some(similar) => report.hint(format!("did you mean `{similar}`?")),
                None => report,
            }
        }
        FormatError::Unsupported { file, why } => {
            asked_for(Report::new(Kind::Unsupported, format!("{file}: {why}")))
        }
        FormatError::Store(error) => store_report(error),
    }
}

fn store_report(error: &StoreError) -> Report {
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

fn registry_report(error: &RegistryError) -> Report {
    match error {
        RegistryError::AlreadyExists { .. } => Report::new(Kind::Conflict, error.to_string()),
        RegistryError::Version { .. } => Report::new(Kind::Unsupported, error.to_string())
            .hint("open it with the version of pantler that made it"),
        RegistryError::Corrupt { .. } | RegistryError::NoSuchDataset { .. } => {
            Report::new(Kind::Corrupt, error.to_string())
        }
        _ => Report::new(Kind::Io, error.to_string()),
    }
}

fn io_report(operation: &str, path: &str, source: &std::io::Error) -> Report {
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
