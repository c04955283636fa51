//! The language of `--where`: conditions on data IDs and metadata, parsed here and never spliced into SQL.
//!
//! The engine parses what a caller typed, checks the names in it, gives the registry what an index can answer
//! ([`Expression::equalities`]) and evaluates the rest on what it finds. An expression does not know which keys there are.
//!
//! ```text
//! visit > 100 and filter in ('g', 'r') and not (ccd between 3 and 5 or tract is null)
//! ```

mod evaluating;
mod lexing;
mod parsing;
mod syntax;

#[cfg(test)]
mod tests;

use std::fmt;

pub use syntax::{Comparison, Expression, Identifier, Operand, Region};

use crate::{DataId, KeyValue};

/// The names that are no keys: they mean something for every dataset.
pub const DATASET_WORDS: &[&str] = &["repository", "bytes", "stage"];

/// A text that is no expression.
///
/// It prints as one line; [`ExpressionError::in_place`] adds the text with a caret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct ExpressionError {
    /// The text as it was given.
    pub text: String,
    /// Where in it, in characters from 0.
    pub column: usize,
    /// How many characters are meant; at least 1.
    pub length: usize,
    /// What is wrong: a whole thought, no full stop.
    pub why: String,
    /// What to do.
    pub hint: Option<String>,
}

impl ExpressionError {
    fn new(text: &str, column: usize, length: usize, why: impl Into<String>) -> ExpressionError {
        ExpressionError {
            text: text.to_owned(),
            column,
            length: length.max(1),
            why: why.into(),
            hint: None,
        }
    }

    fn hint(mut self, hint: impl Into<String>) -> ExpressionError {
        self.hint = Some(hint.into());
        self
    }

    /// Returns the two lines that show where it is: the text, and a caret under the place.
    pub fn in_place(&self) -> [String; 2] {
        let shown = self
            .text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let caret = format!("{}{}", " ".repeat(self.column), "^".repeat(self.length));
        [shown, caret]
    }
}

/// An expression that cannot be evaluated on these values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvaluateError {
    /// A number stands against a text.
    #[error("a number and a text cannot be compared: {left} and {right}")]
    Mismatch {
        /// What stands left, as it is typed; a name with its value.
        left: String,
        /// What stands right.
        right: String,
    },
    /// It is understood, but cannot be computed yet.
    #[error("this version of pantler cannot evaluate {what}")]
    Unsupported {
        /// What it is.
        what: String,
    },
    /// Something that is asked for failed.
    #[error("{why}")]
    Failed {
        /// What failed.
        why: String,
    },
}

impl Expression {
    /// Parses an expression.
    ///
    /// ```
    /// use pantler_core::{Expression, KeyValue};
    /// let expression = Expression::parse("visit > 100 and filter in ('g', 'r')")?;
    /// let lookup = |name: &str| match name {
    ///     "visit" => Some(KeyValue::Int(101)),
    ///     "filter" => Some(KeyValue::Str("g".into())),
    ///     _ => None,
    /// };
    /// assert_eq!(expression.evaluate(&lookup)?, Some(true));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn parse(text: &str) -> Result<Expression, ExpressionError> {
        parsing::parse(text)
    }

    /// Evaluates it with SQL's three values: `None` is "unknown", which selects nothing.
    ///
    /// `lookup` returns a name's value, or `None` where the dataset has none.
    pub fn evaluate(
        &self,
        lookup: &dyn Fn(&str) -> Option<KeyValue>,
    ) -> Result<Option<bool>, EvaluateError> {
        let overlaps = |region: &Region| {
            Err(EvaluateError::Unsupported {
                what: format!("overlaps({region})"),
            })
        };
        evaluating::evaluate(
            self,
            &evaluating::Facts {
                lookup,
                overlaps: &overlaps,
            },
        )
    }

    /// As [`Expression::evaluate`], with `overlaps` to say whether the dataset touches a region; `None` where its place on the
    /// sky is not known.
    pub fn evaluate_with(
        &self,
        lookup: &dyn Fn(&str) -> Option<KeyValue>,
        overlaps: &dyn Fn(&Region) -> Result<Option<bool>, EvaluateError>,
    ) -> Result<Option<bool>, EvaluateError> {
        evaluating::evaluate(self, &evaluating::Facts { lookup, overlaps })
    }

    /// Returns the regions in it, in the order of the text.
    pub fn regions(&self) -> Vec<&Region> {
        let mut found = Vec::new();
        self.visit_regions(&mut |region| found.push(region));
        found
    }

    fn visit_regions<'a>(&'a self, each: &mut dyn FnMut(&'a Region)) {
        match self {
            Expression::And(all) | Expression::Or(all) => {
                for one in all {
                    one.visit_regions(each);
                }
            }
            Expression::Not(inner) => inner.visit_regions(each),
            Expression::Overlaps(region) => each(region),
            _ => {}
        }
    }

    /// Returns the names in it, with their positions, in the order of the text.
    pub fn identifiers(&self) -> Vec<&Identifier> {
        let mut found = Vec::new();
        self.visit_operands(&mut |operand| {
            if let Operand::Identifier(identifier) = operand {
                found.push(identifier);
            }
        });
        found
    }

    /// Returns the `key = literal` pairs that everything it selects must have, for an index to look up.
    ///
    /// The literals have the types that they were typed with, which need not be those of the keys. Where a key is compared
    /// twice, the first comparison counts; evaluating the whole on what is found is needed in any case.
    pub fn equalities(&self) -> DataId {
        let mut pairs = DataId::default();
        self.collect_equalities(&mut pairs);
        pairs
    }

    fn collect_equalities(&self, pairs: &mut DataId) {
        let pair = match self {
            Expression::And(all) => {
                for one in all {
                    one.collect_equalities(pairs);
                }
                return;
            }
            Expression::Compare {
                left: Operand::Identifier(name),
                comparison: Comparison::Equal,
                right: Operand::Literal(value),
            }
            | Expression::Compare {
                left: Operand::Literal(value),
                comparison: Comparison::Equal,
                right: Operand::Identifier(name),
            } => (name, value),
            Expression::In {
                operand: Operand::Identifier(name),
                values,
            } => match values.as_slice() {
                [only] => (name, only),
                _ => return,
            },
            _ => return,
        };
        let (Identifier { name, .. }, value) = pair;
        if !DATASET_WORDS.contains(&name.as_str()) && pairs.get(name).is_none() {
            pairs.insert(name.clone(), value.clone());
        }
    }

    fn visit_operands<'a>(&'a self, each: &mut dyn FnMut(&'a Operand)) {
        match self {
            Expression::And(all) | Expression::Or(all) => {
                for one in all {
                    one.visit_operands(each);
                }
            }
            Expression::Not(inner) => inner.visit_operands(each),
            Expression::Compare { left, right, .. } => {
                each(left);
                each(right);
            }
            Expression::In { operand, .. }
            | Expression::IsNull(operand)
            | Expression::Like { operand, .. } => each(operand),
            Expression::Between { operand, low, high } => {
                each(operand);
                each(low);
                each(high);
            }
            Expression::Overlaps(_) => {}
        }
    }
}

/// Prints the expression so that it parses to an equal one, all groups in parentheses.
impl fmt::Display for Expression {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = |out: &mut fmt::Formatter<'_>, all: &[Expression], word: &str| {
            for (index, one) in all.iter().enumerate() {
                let before = if index > 0 { word } else { "" };
                write!(out, "{before}({one})")?;
            }
            Ok(())
        };
        match self {
            Expression::And(all) => group(out, all, " and "),
            Expression::Or(all) => group(out, all, " or "),
            Expression::Not(inner) => write!(out, "not ({inner})"),
            Expression::Compare {
                left,
                comparison,
                right,
            } => write!(out, "{left} {comparison} {right}"),
            Expression::In { operand, values } => {
                write!(out, "{operand} in ({})", syntax::literals(values))
            }
            Expression::Between { operand, low, high } => {
                write!(out, "{operand} between {low} and {high}")
            }
            Expression::IsNull(operand) => write!(out, "{operand} is null"),
            Expression::Like { operand, pattern } => {
                write!(out, "{operand} like {}", syntax::text(pattern))
            }
            Expression::Overlaps(region) => write!(out, "overlaps({region})"),
        }
    }
}
