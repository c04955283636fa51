//! Evaluates expressions on values, with SQL's three truth values: what is compared with nothing is unknown.

use std::cmp::Ordering;

use super::EvaluateError;
use super::lexing::quoted;
use super::syntax::{Comparison, Expression, Operand, Region};
use crate::KeyValue;

/// What is known of the dataset that an expression is evaluated for.
pub(super) struct Facts<'a> {
    /// A name's value.
    pub(super) lookup: &'a dyn Fn(&str) -> Option<KeyValue>,
    /// Whether it touches a region.
    pub(super) overlaps: &'a dyn Fn(&Region) -> Result<Option<bool>, EvaluateError>,
}

pub(super) fn evaluate(
    expression: &Expression,
    facts: &Facts<'_>,
) -> Result<Option<bool>, EvaluateError> {
    match expression {
        // Every member is evaluated, so that whether an error shows does not depend on the other members' values.
        Expression::And(all) => {
            let truths = truths(all, facts)?;
            Ok(if truths.contains(&Some(false)) {
                Some(false)
            } else if truths.contains(&None) {
                None
            } else {
                Some(true)
            })
        }
        Expression::Or(all) => {
            let truths = truths(all, facts)?;
            Ok(if truths.contains(&Some(true)) {
                Some(true)
            } else if truths.contains(&None) {
                None
            } else {
                Some(false)
            })
        }
        Expression::Not(inner) => Ok(evaluate(inner, facts)?.map(|truth| !truth)),
        Expression::Compare {
            left,
            comparison,
            right,
        } => {
            let order = compare(left, right, facts)?;
            Ok(order.map(|order| holds(*comparison, order)))
        }
        Expression::In { operand, values } => {
            let mut found = Some(false);
            for value in values {
                let order = compare(operand, &Operand::Literal(value.clone()), facts)?;
                match order {
                    None => found = None,
                    Some(Ordering::Equal) => found = Some(true),
                    Some(_) => {}
                }
            }
            Ok(found)
        }
        Expression::Between { operand, low, high } => {
            let above = compare(operand, low, facts)?.map(Ordering::is_ge);
            let below = compare(operand, high, facts)?.map(Ordering::is_le);
            Ok(match (above, below) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            })
        }
        Expression::IsNull(operand) => Ok(Some(value_of(operand, facts).is_none())),
        Expression::Like { operand, pattern } => match value_of(operand, facts) {
            None => Ok(None),
            Some(KeyValue::Str(text)) => Ok(Some(is_like(&text, pattern))),
            Some(value) => Err(EvaluateError::Mismatch {
                left: shown(operand, &value),
                right: quoted(pattern),
            }),
        },
        Expression::Overlaps(region) => (facts.overlaps)(region),
    }
}

fn truths(all: &[Expression], facts: &Facts<'_>) -> Result<Vec<Option<bool>>, EvaluateError> {
    all.iter().map(|one| evaluate(one, facts)).collect()
}

fn value_of(operand: &Operand, facts: &Facts<'_>) -> Option<KeyValue> {
    match operand {
        Operand::Literal(value) => Some(value.clone()),
        Operand::Identifier(identifier) => (facts.lookup)(&identifier.name),
    }
}

fn compare(
    left: &Operand,
    right: &Operand,
    facts: &Facts<'_>,
) -> Result<Option<Ordering>, EvaluateError> {
    let (Some(a), Some(b)) = (value_of(left, facts), value_of(right, facts)) else {
        return Ok(None);
    };
    let order = match (&a, &b) {
        (KeyValue::Int(a), KeyValue::Int(b)) => Some(a.cmp(b)),
        (KeyValue::Str(a), KeyValue::Str(b)) => Some(a.cmp(b)),
        (KeyValue::Float(a), KeyValue::Float(b)) => a.partial_cmp(b),
        (KeyValue::Int(a), KeyValue::Float(b)) => Some(int_with_float(*a, *b)),
        (KeyValue::Float(a), KeyValue::Int(b)) => Some(int_with_float(*b, *a).reverse()),
        (KeyValue::Str(_), _) | (_, KeyValue::Str(_)) => {
            return Err(EvaluateError::Mismatch {
                left: shown(left, &a),
                right: shown(right, &b),
            });
        }
    };
    Ok(order)
}

/// Compares exactly: a large integer is not rounded to a float first.
fn int_with_float(int: i64, float: f64) -> Ordering {
    // 2^63 is the first float beyond the integers; -2^63 is one of them.
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if float >= BEYOND {
        return Ordering::Less;
    }
    if float < -BEYOND {
        return Ordering::Greater;
    }
    let whole = float.trunc();
    int.cmp(&(whole as i64)).then_with(|| {
        // Equal so far: what the float has behind the point decides.
        0.0_f64
            .partial_cmp(&(float - whole))
            .unwrap_or(Ordering::Equal)
    })
}

fn holds(comparison: Comparison, order: Ordering) -> bool {
    match comparison {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
    }
}

fn shown(operand: &Operand, value: &KeyValue) -> String {
    let value = match value {
        KeyValue::Str(text) => quoted(text),
        other => other.plain(),
    };
    match operand {
        Operand::Literal(_) => value,
        Operand::Identifier(identifier) => format!("{} ({value})", identifier.name),
    }
}

/// Matches `%` and `_`; upper and lower case differ, as in data IDs. It goes back to the last `%` only, so its time is bounded by the
/// product of the lengths.
pub(super) fn is_like(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let pattern: Vec<char> = pattern.chars().collect();
    let (mut at, mut in_pattern) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while at < text.len() {
        match pattern.get(in_pattern) {
            Some('%') => {
                in_pattern += 1;
                retry = Some((at, in_pattern));
            }
            Some(c) if *c == '_' || *c == text[at] => {
                at += 1;
                in_pattern += 1;
            }
            _ => match &mut retry {
                Some((from, after_percent)) => {
                    *from += 1;
                    at = *from;
                    in_pattern = *after_percent;
                }
                None => return false,
            },
        }
    }
    pattern[in_pattern..].iter().all(|c| *c == '%')
}
