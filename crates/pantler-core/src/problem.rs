//! Something wrong in a policy, shown in its place: file, line, column, the offending text, what to do.

use std::fmt;

use serde::Serialize;

use crate::policy::Place;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The policy cannot be used.
    Error,
    /// It can be used, and probably does not mean what it says.
    Warning,
}

/// A finding of the policy check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// A short fixed name of the kind of problem: `unknown-key`.
    pub code: &'static str,
    /// Where.
    pub place: Place,
    /// What is wrong: a whole thought, no full stop.
    pub message: String,
    /// The line of the file, for showing it.
    pub line_text: String,
    /// How many characters from the column on are meant; at least 1.
    pub length: u32,
    /// What to do.
    pub hints: Vec<String>,
}

/// Prints the problem with its line and a caret under the offending text.
impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let Place { file, line, column } = &self.place;
        let line_text = &self.line_text;
        writeln!(out, "{severity}[{}]: {}", self.code, self.message)?;
        write!(out, "  --> {file}:{line}:{column}")?;
        // Lines too long to be read are left out.
        if line_text.is_empty() {
            return self
                .hints
                .iter()
                .try_for_each(|hint| write!(out, "\nhint: {hint}"));
        }
        let number = line.to_string();
        let gutter = " ".repeat(number.len());
        // A tab would put the caret in the wrong column; one space is what the column counts.
        let shown: String = line_text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let before = " ".repeat((*column as usize).saturating_sub(1));
        let carets = "^".repeat(self.length.max(1) as usize);
        writeln!(out, "\n{number} | {shown}")?;
        write!(out, "{gutter} | {before}{carets}")?;
        for hint in &self.hints {
            write!(out, "\nhint: {hint}")?;
        }
        Ok(())
    }
}
