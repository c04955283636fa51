//! The language of `--where`: parsed here, never spliced into SQL.

mod syntax;

pub use syntax::{Comparison, Expression, Identifier, Operand, Region};

use crate::{DataId, KeyValue};

/// A text that is no expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct ExpressionError {
    /// The text as it was given.
    pub text: String,
    /// Where in it, in characters from 0.
    pub column: usize,
    /// How many characters are meant; at least 1.
    pub length: usize,
    /// What is wrong.
    pub why: String,
    /// What to do.
    pub hint: Option<String>,
}

/// An expression that cannot be evaluated on these values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvaluateError {
    /// A number stands against a text.
    #[error("cannot compare {left} with {right}")]
    Mismatch {
        /// What stands left, as it is typed, with its value.
        left: String,
        /// What stands right.
        right: String,
    },
    /// It is understood, but cannot be computed yet.
    #[error("{what} cannot be evaluated yet")]
    Unsupported {
        /// What it is.
        what: String,
    },
}

impl Expression {
    /// Parses an expression.
    pub fn parse(text: &str) -> Result<Expression, ExpressionError> {
        Err(ExpressionError {
            text: text.to_owned(),
            column: 0,
            length: 1,
            why: "not implemented".to_owned(),
            hint: None,
        })
    }

    /// Evaluates it with SQL's three values: `None` is "unknown".
    pub fn evaluate(
        &self,
        _lookup: &dyn Fn(&str) -> Option<KeyValue>,
    ) -> Result<Option<bool>, EvaluateError> {
        Ok(None)
    }

    /// Returns the names in it, with their positions.
    pub fn identifiers(&self) -> Vec<&Identifier> {
        Vec::new()
    }

    /// Returns the `key = literal` pairs that everything it selects must have.
    pub fn equalities(&self) -> DataId {
        DataId::default()
    }
}
