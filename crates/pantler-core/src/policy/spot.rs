//! Where something stands in a policy file, and how a problem is reported there.

use std::sync::{Arc, OnceLock};

use super::Place;
use crate::problem::{Problem, Severity};

/// One policy file as it was given.
#[derive(Debug)]
pub(crate) struct SourceText {
    pub(crate) file: Arc<str>,
    pub(crate) text: String,
    /// Where each line starts; found when the first problem is shown.
    line_starts: OnceLock<Vec<usize>>,
}

impl SourceText {
    pub(crate) fn new(file: Arc<str>, text: String) -> SourceText {
        SourceText {
            file,
            text,
            line_starts: OnceLock::new(),
        }
    }

    /// Returns a line, counted from 1, without its end; empty if there is none.
    pub(crate) fn line(&self, number: usize) -> &str {
        let starts = self.line_starts.get_or_init(|| {
            // A carriage return alone ends a line of YAML, too (YAML 1.2, section 5.4).
            let bytes = self.text.as_bytes();
            let ends = (0..bytes.len()).filter(|&at| {
                bytes[at] == b'\n' || (bytes[at] == b'\r' && bytes.get(at + 1) != Some(&b'\n'))
            });
            std::iter::once(0).chain(ends.map(|at| at + 1)).collect()
        });
        let start = number.checked_sub(1).and_then(|index| starts.get(index));
        let rest = start.and_then(|start| self.text.get(*start..));
        rest.and_then(|rest| rest.split(['\n', '\r']).next())
            .unwrap_or("")
    }
}

/// A stretch of one line of a policy file.
#[derive(Debug, Clone)]
pub(crate) struct Spot {
    pub(crate) source: Arc<SourceText>,
    /// Counted from 1.
    pub(crate) line: u32,
    /// In characters, counted from 1.
    pub(crate) column: u32,
    /// In characters, at least 1.
    pub(crate) length: u32,
}

impl Spot {
    /// Returns the stretch from `column` on, both counted from 1.
    pub(crate) fn new(source: &Arc<SourceText>, line: usize, column: usize, length: usize) -> Spot {
        let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Spot {
            source: Arc::clone(source),
            line: small(line),
            column: small(column),
            length: small(length.max(1)),
        }
    }

    pub(crate) fn place(&self) -> Place {
        Place {
            file: Arc::clone(&self.source.file),
            line: self.line,
            column: self.column,
        }
    }

    /// Returns the stretch `offset` characters further right.
    pub(crate) fn shifted(&self, offset: usize, length: usize) -> Spot {
        Spot::new(
            &self.source,
            self.line as usize,
            self.column as usize + offset,
            length,
        )
    }

    pub(crate) fn error(&self, code: &'static str, message: impl Into<String>) -> Problem {
        self.problem(Severity::Error, code, message.into())
    }

    pub(crate) fn warning(&self, code: &'static str, message: impl Into<String>) -> Problem {
        self.problem(Severity::Warning, code, message.into())
    }

    fn problem(&self, severity: Severity, code: &'static str, message: String) -> Problem {
        let line = self.source.line(self.line as usize);
        // Lines of generated files can be megabytes; nobody reads them, and a caret under them helps nobody.
        let line_text = if line.len() > LONGEST_LINE { "" } else { line };
        let characters = line_text.chars().count();
        let room = characters.saturating_sub(self.column as usize - 1).max(1);
        Problem {
            severity,
            code,
            place: self.place(),
            message: crate::report::escaped(message),
            line_text: line_text.to_owned(),
            length: self.length.min(u32::try_from(room).unwrap_or(u32::MAX)),
            hints: Vec::new(),
        }
    }
}

const LONGEST_LINE: usize = 2000;

/// Adds what to do to a problem.
pub(crate) trait WithHint {
    /// Adds a hint.
    fn hint(self, hint: impl Into<String>) -> Self;

    /// Adds *did you mean*, if one of the candidates is like the word.
    fn did_you_mean<'a>(self, word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self;
}

impl WithHint for Problem {
    fn hint(mut self, hint: impl Into<String>) -> Problem {
        self.hints.push(hint.into());
        self
    }

    fn did_you_mean<'a>(
        self,
        word: &str,
        candidates: impl IntoIterator<Item = &'a str>,
    ) -> Problem {
        // Comparing costs the product of the lengths, and no name is that long.
        if word.len() > 100 {
            return self;
        }
        match crate::similar::most_similar(word, candidates) {
            Some(name) => self.hint(format!("did you mean `{name}`?")),
            None => self,
        }
    }
}

/// Returns a text of the user's as it is quoted in messages: in backticks, escaped, and cut where it is long.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut shown: String = text
        .chars()
        .take(LONGEST)
        .flat_map(|c| {
            let escaped: Vec<char> = if c.is_control() {
                c.escape_default().collect()
            } else {
                vec![c]
            };
            escaped
        })
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}
