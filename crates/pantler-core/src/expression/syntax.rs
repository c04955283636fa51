//! What an expression is made of.

use std::fmt;

use crate::KeyValue;

/// A condition on datasets.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// All of them hold.
    And(Vec<Expression>),
    /// One of them holds.
    Or(Vec<Expression>),
    /// It does not hold.
    Not(Box<Expression>),
    /// `visit > 100`.
    Compare {
        /// What stands left.
        left: Operand,
        /// The sign.
        comparison: Comparison,
        /// What stands right.
        right: Operand,
    },
    /// `filter in ('g', 'r')`; `not in` is the `Not` of it.
    In {
        /// What is looked for.
        operand: Operand,
        /// Where.
        values: Vec<KeyValue>,
    },
    /// `visit between 1 and 9`, ends included.
    Between {
        /// What is compared.
        operand: Operand,
        /// The smallest value that fits.
        low: Operand,
        /// The largest value that fits.
        high: Operand,
    },
    /// `tract is null`; `is not null` is the `Not` of it.
    IsNull(Operand),
    /// `filter like 'HSC-%'`: `%` is any text, `_` any one character.
    Like {
        /// What is compared.
        operand: Operand,
        /// The pattern.
        pattern: String,
    },
    /// The dataset's footprint touches a region of the sky.
    Overlaps(Region),
}

/// A sign that compares two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `=` or `==`.
    Equal,
    /// `!=` or `<>`.
    NotEqual,
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterOrEqual,
}

/// A name or a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// A key, a metadata column, `repository`, `bytes` or `stage`.
    Identifier(Identifier),
    /// A value.
    Literal(KeyValue),
}

/// A name in an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identifier {
    /// The name.
    pub name: String,
    /// Where it stands in the text, in characters from 0.
    pub column: usize,
}

/// A region of the sky; angles in degrees.
#[derive(Debug, Clone, PartialEq)]
pub enum Region {
    /// `circle(ra, dec, r)`.
    Circle {
        /// The right ascension of the centre.
        ra: f64,
        /// The declination of the centre.
        dec: f64,
        /// The radius.
        radius: f64,
    },
    /// `polygon(ra, dec, ra, dec, …)`: the corners, in order.
    Polygon(Vec<(f64, f64)>),
    /// `tract(…)`: what stands between the parentheses.
    Tract(Vec<KeyValue>),
}

impl fmt::Display for Comparison {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Comparison::Equal => "=",
            Comparison::NotEqual => "!=",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
        })
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operand::Identifier(identifier) => out.write_str(&identifier.name),
            Operand::Literal(value) => out.write_str(&literal(value)),
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Region::Circle { ra, dec, radius } => {
                let [ra, dec, radius] = [ra, dec, radius].map(|number| angle(*number));
                write!(out, "circle({ra}, {dec}, {radius})")
            }
            Region::Polygon(corners) => {
                let corners: Vec<String> = corners
                    .iter()
                    .map(|(ra, dec)| format!("{}, {}", angle(*ra), angle(*dec)))
                    .collect();
                write!(out, "polygon({})", corners.join(", "))
            }
            Region::Tract(values) => write!(out, "tract({})", literals(values)),
        }
    }
}

/// Writes a number of a region: as people write degrees, or with an exponent where the digits alone would be read as a whole
/// number that is too large.
fn angle(number: f64) -> String {
    if number.abs() < 1e15 {
        number.to_string()
    } else {
        format!("{number:e}")
    }
}

pub(super) fn literals(values: &[KeyValue]) -> String {
    let values: Vec<String> = values.iter().map(literal).collect();
    values.join(", ")
}

fn literal(value: &KeyValue) -> String {
    match value {
        KeyValue::Int(value) => value.to_string(),
        // With a point or an exponent, so that it stays a float.
        KeyValue::Float(value) => format!("{value:?}"),
        KeyValue::Str(value) => text(value),
    }
}

/// Writes a text as the language has it.
pub(super) fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}
