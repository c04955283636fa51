//! Errors about data IDs, in words.

use pantler_core::report::{Kind, Label, Report};

use pantler_core::{KeyType, TypeName};

use crate::error::{Asked, Candidate, Error, KeySide};

use super::{numbered, other_report};

pub(super) fn data_id_report(error: &Error) -> Report {
    match error {
        Error::TwoStages {
            asked,
            in_name,
            in_data_id,
        } => {
            let stage = match in_name.as_str() {
                "" => "the plain type".to_owned(),
                stage => format!("stage `{stage}`"),
            };
            Report::new(
                Kind::DataId,
                format!("the name asks for {stage} and the data ID for version `{in_data_id}`"),
            )
            .fact(Label::AskedFor, asked.to_string())
            .hint("give the stage once: in the name, or as version=…")
        }
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
        Error::KeyClash {
            asked,
            dataset_type,
            key,
            decided,
            other,
        } => key_clash_report(asked, dataset_type, key, decided, other),
        Error::KeyDisagrees {
            asked,
            key,
            value,
            known,
        } => {
            let mut report = Report::new(
                Kind::DataId,
                format!("`{key}` of this dataset is not {value}"),
            )
            .fact(Label::AskedFor, asked.to_string());
            for known in known.iter().take(3) {
                report = report.fact(
                    Label::Found,
                    format!(
                        "{key}={} ({}, in {})",
                        known.value, known.dataset, known.repository
                    ),
                );
            }
            report.hint(format!(
                "leave `{key}` out: `{}` is picked without it",
                asked.name
            ))
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

fn key_clash_report(
    asked: &Asked,
    dataset_type: &TypeName,
    key: &str,
    decided: &KeySide,
    other: &KeySide,
) -> Report {
    let found = |side: &KeySide| {
        let place = side.place.as_ref().map(|place| format!(" ({place})"));
        format!(
            "{key} is {} in {}{}",
            side.key_type,
            side.repository,
            place.unwrap_or_default()
        )
    };
    // A conversion for text prints numbers as well, so it is the side that can give way.
    let (text, number) = match decided.key_type {
        KeyType::Str => (decided, other),
        _ => (other, decided),
    };
    Report::new(
        Kind::Policy,
        format!("the key `{key}` of `{dataset_type}` has two types in two repositories"),
    )
    .fact(Label::AskedFor, asked.to_string())
    .fact(Label::Found, found(decided))
    .fact(Label::Found, found(other))
    .fact(
        Label::Why,
        "a data ID is of one type, so datasets of the other repository would not be found",
    )
    .hint(format!(
        "say in the policy of {} what {} says of it: `keys: {{{key}: {{type: {}}}}}`",
        text.repository, number.repository, number.key_type
    ))
}
