//! Errors about the repositories of a chain and how they stand to each other, in words.

use pantler_core::report::{Kind, Label, Report};

use crate::error::Error;

use super::other_report;

pub(super) fn chain_report(error: &Error) -> Report {
    match error {
        Error::Siblings {
            asked,
            component,
            dataset,
            places,
            tags,
        } => {
            let what = match component {
                Some(component) => format!("component `{component}`"),
                None => "it".to_owned(),
            };
            let mut report = Report::new(
                Kind::Ambiguous,
                format!(
                    "{what} is not the same in two inputs, of which neither builds on the other"
                ),
            )
            .fact(Label::AskedFor, asked.to_string())
            .fact(Label::NeededBy, format!("{what}, which is {dataset}"));
            for (repository, location) in places {
                let found = match location {
                    Some(location) => format!("{repository}  {location}"),
                    None => repository.clone(),
                };
                report = report.fact(Label::Found, found);
            }
            report = report.hint(
                "name one of the inputs alone, or say that their order decides (--inputs-in-order)",
            );
            match tags.first() {
                Some(tag) => {
                    report.hint(format!("or look into tagged repositories only: tag={tag}"))
                }
                None => report,
            }
        }
        Error::UnknownTag {
            tag,
            known,
            repositories,
        } => Report::new(Kind::NotFound, format!("no repository is tagged `{tag}`"))
            .fact(
                Label::Found,
                if known.is_empty() {
                    "no tags".to_owned()
                } else {
                    format!("the tags {}", known.join(", "))
                },
            )
            .fact(Label::LookedIn, repositories.join(", ")),
        other => other_report(other),
    }
}
