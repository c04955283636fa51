//! Errors about what is not there, or not as it was, in words.

use pantler_core::report::{Kind, Label, Report};

use crate::error::{Asked, Error};

use super::{numbered, other_report};

pub(super) fn absence_report(error: &Error) -> Report {
    match error {
        Error::NotFound {
            asked,
            component,
            composite,
            missing,
            found,
            other_stage,
        } => {
            let mut report = match (component, composite) {
                (Some((name, ..)), Some(composite)) => Report::new(
                    Kind::NotFound,
                    format!("component `{name}` of `{composite}` was not found in any repository"),
                ),
                _ => Report::new(
                    Kind::NotFound,
                    format!("`{}` was not found in any repository", asked.name),
                ),
            }
            .fact(Label::AskedFor, asked.to_string());
            if let Some((name, dataset, data_id, place)) = component {
                let dataset = Asked::new(dataset, data_id);
                report = report.fact(
                    Label::NeededBy,
                    format!("component `{name}`, which is {dataset} ({place})"),
                );
            }
            report = numbered(
                report,
                missing
                    .trail
                    .iter()
                    .map(|step| (step.repository.clone(), step.outcome.clone())),
            );
            if !found.is_empty() {
                let found: Vec<String> = found
                    .iter()
                    .map(|(name, place)| format!("{name} in {place}"))
                    .collect();
                report = report.fact(Label::Found, found.join(", "));
            }
            if let Some(other) = other_stage {
                report = report.fact(
                    Label::Why,
                    format!(
                        "a component is never taken from another stage, so {other} was not used"
                    ),
                );
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
        Error::RecordedGone {
            asked,
            component,
            dataset,
            id,
            looked_in,
            stayed_in,
        } => {
            let report = numbered(
                Report::new(
                    Kind::Corrupt,
                    match component.as_str() {
                        // What was asked for is a list of them: `deepCoadd.inputs`.
                        "" => format!("a recorded part of `{}` is gone", asked.name),
                        component => format!(
                            "the recorded component `{component}` of `{}` is gone",
                            asked.name
                        ),
                    },
                )
                .fact(Label::AskedFor, asked.to_string())
                .fact(
                    Label::NeededBy,
                    format!("the recorded composition, which names {dataset}, dataset {id}"),
                ),
                looked_in
                    .iter()
                    .map(|name| (name.clone(), "does not have it".to_owned())),
            )
            .fact(
                Label::Why,
                match stayed_in {
                    Some(root) => {
                        format!("it was left behind in {root} when the composition was transferred")
                    }
                    None => {
                        "a recorded composition never takes another dataset in its place".to_owned()
                    }
                },
            );
            match stayed_in {
                Some(root) => report.hint(format!(
                    "read that repository as well (`--input {root}`), or transfer `{}` itself",
                    dataset.name
                )),
                None => report.hint("composition lookup (`get --composition lookup`) takes what stands under that data ID today"),
            }
        }
        Error::ArtifactGone {
            asked,
            dataset,
            component,
            before,
            repository,
            location,
        } => {
            let mut report = match component {
                Some((name, composite, _)) => Report::new(
                    Kind::Corrupt,
                    format!("component `{name}` of `{composite}` was not found in any repository"),
                ),
                None => Report::new(
                    Kind::Corrupt,
                    format!("the file of `{}` is gone", asked.name),
                ),
            }
            .fact(Label::AskedFor, asked.to_string());
            if let Some((name, _, place)) = component {
                report = report.fact(
                    Label::NeededBy,
                    format!("component `{name}`, which is {dataset} ({place})"),
                );
            }
            let here = (
                repository.clone(),
                format!("in its registry, but {location} is gone"),
            );
            numbered(report, before.iter().cloned().chain([here])).hint(format!(
                "`pantler fsck {repository}` lists every file that is gone"
            ))
        }
        Error::ArtifactChanged {
            repository,
            location,
            why,
        } => Report::new(
            Kind::Corrupt,
            format!("{location} was changed since it was registered"),
        )
        .fact(Label::LookedIn, repository)
        .fact(Label::Why, why)
        .hint(format!(
            "`pantler fsck {repository} --deep` compares every file with what was recorded"
        )),
        Error::NothingToRemove {
            asked,
            repository,
            elsewhere,
            composite,
        } => {
            let report = Report::new(
                Kind::NotFound,
                format!("`{}` is not in {repository}", asked.name),
            )
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
