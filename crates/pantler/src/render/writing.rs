//! Errors about what cannot be put or removed, in words. Each says what was written: nothing.

use pantler_core::report::{Kind, Label, Report};

use crate::error::Error;

use super::{counted, other_report};

pub(super) fn write_report(error: &Error) -> Report {
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
        Error::InBatch { asked, difference } => nothing(
            Report::new(
                Kind::Conflict,
                format!(
                    "`{}` was put earlier in this batch, with other content",
                    asked.name
                ),
            )
            .fact(Label::AskedFor, asked.to_string())
            .fact(Label::Why, difference),
        )
        .hint("a batch puts a dataset once: commit it, then put the new one with replace"),
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
        Error::NoDelta {
            asked,
            component,
            dataset,
            place,
        } => {
            let mut report = Report::new(
                Kind::Request,
                format!(
                    "`{component}` of `{}` is an operation, which the object does not tell",
                    asked.name
                ),
            )
            .fact(Label::AskedFor, asked.to_string());
            if let Some(place) = place {
                report = report.fact(Label::Defined, place.to_string());
            }
            nothing(report.fact(
                Label::Why,
                format!("{dataset} does not exist, and none was given"),
            ))
            .hint(format!("give it along: --with {component}=FILE"))
            .hint(format!("or put it first, as `{}`", dataset.name))
        }
        Error::DeltaDiffers {
            asked,
            plane,
            base,
            operations,
            difference,
        } => nothing(
            Report::new(
                Kind::ReadOnly,
                format!(
                    "the {plane} of `{}` is not what its base and its operations give",
                    asked.name
                ),
            )
            .fact(Label::AskedFor, asked.to_string())
            .fact(
                Label::NeededBy,
                format!("{base}, changed by {}", operations.join(", ")),
            )
            .fact(Label::Why, difference),
        )
        .hint(format!(
            "put the operation that leads from the one to the other: --with {}=FILE",
            operations.join("=FILE --with ")
        ))
        .hint("`--drop-input-only` puts the rest and lets this change go"),
        Error::PartlyPut {
            asked,
            done,
            failed,
            waiting,
            source,
        } => {
            let why = source.report();
            let mut report = Report::new(
                why.kind,
                format!(
                    "`{}` was put into {} and not into {failed}",
                    asked.name,
                    done.join(", ")
                ),
            )
            .fact(Label::AskedFor, asked.to_string())
            .fact(Label::Why, format!("{failed}: {}", why.message));
            for (label, lines) in why.facts.iter().filter(|(label, _)| *label == Label::Why) {
                report = lines
                    .iter()
                    .fold(report, |report, line| report.fact(*label, line));
            }
            report = report.fact(Label::Written, format!("all of it in {}", done.join(", ")));
            if !waiting.is_empty() {
                report = report.fact(Label::Written, format!("nothing in {}", waiting.join(", ")));
            }
            report.hint("put it again, into the same repositories: those that have it are left as they are, the others get it")
        }
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
                report.hint("put the whole dataset that it is a part of")
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
