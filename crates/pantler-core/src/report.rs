//! An error ready to be shown: one first line, facts under fixed labels, hints.
//!
//! Errors are typed where they arise and hold data; each kind is turned into a report in one place. A report knows
//! nothing of terminals, colours or JSON; the program renders it.

use std::fmt;

use serde::Serialize;

/// What sort of failure it is; decides the exit status and the Python exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Nothing there by that name or data ID.
    NotFound,
    /// More than one thing fits.
    Ambiguous,
    /// Something else stands there already.
    Conflict,
    /// A policy is wrong.
    Policy,
    /// A data ID is wrong.
    DataId,
    /// It can only be read.
    ReadOnly,
    /// An artifact or a registry is damaged or gone.
    Corrupt,
    /// Code that is not trusted would have to run.
    Untrusted,
    /// This build or this storage cannot do it.
    Unsupported,
    /// The request makes no sense for another reason.
    Request,
    /// The disk, the network, the permissions.
    Io,
    /// Whoever asked for it wanted it to stop.
    Interrupted,
}

impl Kind {
    /// Returns the exit status of a program that ends with such an error: 2 the request was wrong, 3 the world failed.
    pub fn exit_status(self) -> u8 {
        match self {
            Kind::Corrupt | Kind::Io => 3,
            // What a shell says of a program that Ctrl-C has ended.
            Kind::Interrupted => 130,
            _ => 2,
        }
    }

    /// Returns the kind's name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Kind::NotFound => "not_found",
            Kind::Ambiguous => "ambiguous",
            Kind::Conflict => "conflict",
            Kind::Policy => "policy",
            Kind::DataId => "data_id",
            Kind::ReadOnly => "read_only",
            Kind::Corrupt => "corrupt",
            Kind::Untrusted => "untrusted",
            Kind::Unsupported => "unsupported",
            Kind::Request => "request",
            Kind::Io => "io",
            Kind::Interrupted => "interrupted",
        }
    }
}

/// The labels that facts stand under, in the order in which they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Label {
    /// What the caller wanted.
    #[serde(rename = "asked for")]
    AskedFor,
    /// Where the definition stands.
    #[serde(rename = "defined")]
    Defined,
    /// Which part needs it.
    #[serde(rename = "needed by")]
    NeededBy,
    /// The places searched, in order.
    #[serde(rename = "looked in")]
    LookedIn,
    /// What is there.
    #[serde(rename = "found")]
    Found,
    /// The reason.
    #[serde(rename = "why")]
    Why,
    /// What was written before it failed.
    #[serde(rename = "written")]
    Written,
}

impl fmt::Display for Label {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Label::AskedFor => "asked for",
            Label::Defined => "defined",
            Label::NeededBy => "needed by",
            Label::LookedIn => "looked in",
            Label::Found => "found",
            Label::Why => "why",
            Label::Written => "written",
        })
    }
}

/// One place that was searched, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrailStep {
    /// The repository as the user named it.
    pub repository: String,
    /// The dataset looked for, as it is printed.
    pub dataset: String,
    /// What was found or why nothing was.
    pub outcome: String,
}

/// What a caller could allow, so that it works; each face of pantler says in its own words how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Permit {
    /// Code in a module, whoever asks for it.
    Module(String),
    /// Code that a repository asks for, by its root.
    Repository(String),
    /// Pickles.
    Pickle,
}

impl Permit {
    /// Returns what one should be sure of before one allows it.
    pub fn condition(&self) -> &'static str {
        match self {
            Permit::Module(_) => "if you trust what that code does",
            Permit::Repository(_) => "if you trust whoever can write there",
            Permit::Pickle => "if you trust whoever wrote it",
        }
    }
}

/// An error ready to be shown to a person or a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The sort of failure.
    pub kind: Kind,
    /// The first line: a whole thought, no full stop.
    pub message: String,
    /// Facts, each under its label; several lines under one label are shown below each other.
    pub facts: Vec<(Label, Vec<String>)>,
    /// What to do; at most three are shown.
    pub hints: Vec<String>,
    /// What could be allowed; shown as hints by whoever knows how.
    pub permits: Vec<Permit>,
    /// Where was looked.
    pub trail: Vec<TrailStep>,
}

impl Report {
    /// Starts a report with its first line.
    pub fn new(kind: Kind, message: impl Into<String>) -> Report {
        Report {
            kind,
            message: escaped(message.into()),
            facts: Vec::new(),
            hints: Vec::new(),
            permits: Vec::new(),
            trail: Vec::new(),
        }
    }

    /// Adds a line under `label`.
    pub fn fact(mut self, label: Label, line: impl Into<String>) -> Report {
        let line = escaped(line.into());
        match self.facts.iter_mut().find(|(known, _)| *known == label) {
            Some((_, lines)) => lines.push(line),
            None => {
                self.facts.push((label, vec![line]));
                self.facts.sort_by_key(|(label, _)| *label);
            }
        }
        self
    }

    /// Adds something that could be allowed.
    pub fn permit(mut self, permit: Permit) -> Report {
        self.permits.push(permit);
        self
    }

    /// Turns what could be allowed into hints, each with the words that allow it.
    pub fn allowed_by(mut self, words: impl Fn(&Permit) -> String) -> Report {
        let permits = std::mem::take(&mut self.permits);
        permits.iter().fold(self, |report, permit| {
            report.hint(format!("{}: {}", permit.condition(), words(permit)))
        })
    }

    /// Adds a hint, once.
    pub fn hint(mut self, hint: impl Into<String>) -> Report {
        let hint = escaped(hint.into());
        if !self.hints.contains(&hint) {
            self.hints.push(hint);
        }
        self
    }
}

/// Shows control characters, which would let a value of a user's break or colour the lines of a message, as escapes.
pub(crate) fn escaped(text: String) -> String {
    if !text.chars().any(char::is_control) {
        return text;
    }
    text.chars()
        .flat_map(|c| {
            if c.is_control() {
                c.escape_default().collect::<Vec<char>>()
            } else {
                vec![c]
            }
        })
        .collect()
}

/// Prints the report as the command line does, without colour.
impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "error: {}", self.message)?;
        for (label, lines) in &self.facts {
            for (index, line) in lines.iter().enumerate() {
                let shown = if index == 0 {
                    label.to_string()
                } else {
                    String::new()
                };
                write!(out, "\n  {shown:<9}  {line}")?;
            }
        }
        for (index, hint) in self.hints.iter().take(3).enumerate() {
            let gap = if index == 0 { "\n\n" } else { "\n" };
            write!(out, "{gap}hint: {hint}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Label, Report};

    #[test]
    fn control_characters_of_users_are_escaped() {
        let report = Report::new(Kind::Request, "unknown type `a\nb`")
            .fact(Label::AskedFor, "a\u{1b}[31mb")
            .hint("c\td");
        assert_eq!(
            report.to_string(),
            "error: unknown type `a\\nb`\n  asked for  a\\u{1b}[31mb\n\nhint: c\\td"
        );
    }
}
