//! Parses the words and signs of an expression, `or` binding least and `not` most.

use super::ExpressionError;
use super::lexing::{Kind, Token, tokens};
use super::syntax::{Comparison, Expression, Identifier, Operand, Region};
use crate::KeyValue;
use crate::similar::most_similar;

/// Deeper than anybody nests, and far from the end of the call stack.
const DEEPEST: usize = 64;

/// The words of the language, which are no names.
const WORDS: &[&str] = &[
    "and", "or", "not", "in", "between", "is", "null", "like", "overlaps",
];

pub(super) fn parse(text: &str) -> Result<Expression, ExpressionError> {
    let mut parser = Parser {
        text,
        tokens: tokens(text)?,
        at: 0,
        depth: 0,
    };
    let expression = parser.either()?;
    match &parser.token().kind {
        Kind::End => Ok(expression),
        Kind::Sign(")") => Err(parser.unexpected("this parenthesis was never opened")),
        Kind::Word(word) if !WORDS.contains(&word.to_lowercase().as_str()) => {
            let error = parser.unexpected("`and` or `or` is missing before it");
            let similar = most_similar(word, WORDS.iter().copied());
            Err(match similar {
                Some(meant) => error.hint(format!("did you mean `{meant}`?")),
                None => error,
            })
        }
        _ => Err(parser.unexpected("the expression ends before it")),
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn token(&self) -> &Token {
        // The last token is the end, and nothing goes past it.
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn error(&self, token: &Token, why: impl Into<String>) -> ExpressionError {
        ExpressionError::new(self.text, token.column, token.length, why)
    }

    fn unexpected(&self, why: &str) -> ExpressionError {
        let token = self.token();
        self.error(
            token,
            format!("{} is not expected here: {why}", token.shown()),
        )
    }

    fn wanted(&self, what: &str) -> ExpressionError {
        let token = self.token();
        self.error(
            token,
            format!("{what} is wanted here, and there is {}", token.shown()),
        )
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(&self.token().kind, Kind::Word(found) if found.eq_ignore_ascii_case(word))
    }

    fn is_sign(&self, sign: &str) -> bool {
        matches!(&self.token().kind, Kind::Sign(found) if *found == sign)
    }

    fn take_word(&mut self, word: &str) -> bool {
        let is_there = self.is_word(word);
        self.at += usize::from(is_there);
        is_there
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let is_there = self.is_sign(sign);
        self.at += usize::from(is_there);
        is_there
    }

    fn expect_sign(&mut self, sign: &str) -> Result<(), ExpressionError> {
        if self.take_sign(sign) {
            Ok(())
        } else {
            Err(self.wanted(&format!("`{sign}`")))
        }
    }

    fn expect_word(&mut self, word: &str) -> Result<(), ExpressionError> {
        if self.take_word(word) {
            Ok(())
        } else {
            Err(self.wanted(&format!("`{word}`")))
        }
    }

    fn nested<T>(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<T, ExpressionError>,
    ) -> Result<T, ExpressionError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            let why = format!("the expression is nested more than {DEEPEST} levels deep");
            return Err(self.error(self.token(), why));
        }
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn either(&mut self) -> Result<Expression, ExpressionError> {
        let mut all = vec![self.both()?];
        while self.take_word("or") {
            all.push(self.both()?);
        }
        Ok(one_or(all, Expression::Or))
    }

    fn both(&mut self) -> Result<Expression, ExpressionError> {
        let mut all = vec![self.negated()?];
        while self.take_word("and") {
            all.push(self.negated()?);
        }
        Ok(one_or(all, Expression::And))
    }

    fn negated(&mut self) -> Result<Expression, ExpressionError> {
        if self.take_word("not") {
            let inner = self.nested(Self::negated)?;
            Ok(Expression::Not(Box::new(inner)))
        } else if self.take_sign("(") {
            let inner = self.nested(Self::either)?;
            self.expect_sign(")")?;
            Ok(inner)
        } else if self.is_word("overlaps") {
            self.at += 1;
            self.overlaps()
        } else {
            self.condition()
        }
    }

    fn condition(&mut self) -> Result<Expression, ExpressionError> {
        let operand = self.operand("a key or a value")?;
        let comparison = match self.token().kind {
            Kind::Sign("=") => Some(Comparison::Equal),
            Kind::Sign("!=") => Some(Comparison::NotEqual),
            Kind::Sign("<") => Some(Comparison::Less),
            Kind::Sign("<=") => Some(Comparison::LessOrEqual),
            Kind::Sign(">") => Some(Comparison::Greater),
            Kind::Sign(">=") => Some(Comparison::GreaterOrEqual),
            _ => None,
        };
        if let Some(comparison) = comparison {
            self.at += 1;
            self.refuse_null(comparison)?;
            return Ok(Expression::Compare {
                left: operand,
                comparison,
                right: self.operand("a value")?,
            });
        }
        if self.take_word("is") {
            let is_negated = self.take_word("not");
            self.expect_word("null")?;
            return Ok(negate_if(is_negated, Expression::IsNull(operand)));
        }
        let is_negated = self.take_word("not");
        let condition = if self.take_word("in") {
            self.list(operand)?
        } else if self.take_word("between") {
            let low = self.operand("a value")?;
            self.expect_word("and")?;
            let high = self.operand("a value")?;
            Expression::Between { operand, low, high }
        } else if self.take_word("like") {
            self.like(operand)?
        } else if is_negated {
            return Err(self.wanted("`in`, `between` or `like`"));
        } else {
            return Err(self.no_condition());
        };
        Ok(negate_if(is_negated, condition))
    }

    /// `key = null` is unknown for every row, which nobody means.
    fn refuse_null(&self, comparison: Comparison) -> Result<(), ExpressionError> {
        if !self.is_word("null") {
            return Ok(());
        }
        let error = self.error(self.token(), "nothing is equal to `null`");
        Err(error.hint(match comparison {
            Comparison::NotEqual => "write `is not null`",
            _ => "write `is null`",
        }))
    }

    fn no_condition(&self) -> ExpressionError {
        let error = self.wanted("a comparison such as `=`, `<` or `in`");
        if let Kind::Word(word) = &self.token().kind
            && let Some(meant) = most_similar(word, WORDS.iter().copied())
        {
            return error.hint(format!("did you mean `{meant}`?"));
        }
        error
    }

    fn operand(&mut self, what: &str) -> Result<Operand, ExpressionError> {
        let token = self.token();
        let operand = match &token.kind {
            Kind::Literal(value) => Operand::Literal(value.clone()),
            Kind::Word(word) if !WORDS.contains(&word.to_lowercase().as_str()) => {
                Operand::Identifier(Identifier {
                    name: word.clone(),
                    column: token.column,
                })
            }
            _ => return Err(self.wanted(what)),
        };
        self.at += 1;
        Ok(operand)
    }

    fn literal(&mut self, what: &str) -> Result<KeyValue, ExpressionError> {
        let token = self.token();
        match &token.kind {
            Kind::Literal(value) => {
                let value = value.clone();
                self.at += 1;
                Ok(value)
            }
            Kind::Word(word) => {
                let hint = format!("if it is a text, put it in quotes: '{word}'");
                Err(self.wanted(what).hint(hint))
            }
            _ => Err(self.wanted(what)),
        }
    }

    fn list(&mut self, operand: Operand) -> Result<Expression, ExpressionError> {
        let values = self.literals("a value")?;
        Ok(Expression::In { operand, values })
    }

    /// Takes `(literal, literal, …)`, at least one.
    fn literals(&mut self, what: &str) -> Result<Vec<KeyValue>, ExpressionError> {
        self.expect_sign("(")?;
        let mut values = vec![self.literal(what)?];
        while self.take_sign(",") {
            values.push(self.literal(what)?);
        }
        if !self.is_sign(")") {
            return Err(self.wanted("`,` or `)`"));
        }
        self.at += 1;
        Ok(values)
    }

    fn like(&mut self, operand: Operand) -> Result<Expression, ExpressionError> {
        let token = self.token().clone();
        match self.literal("a pattern such as 'HSC-%'")? {
            KeyValue::Str(pattern) => Ok(Expression::Like { operand, pattern }),
            _ => Err(self.error(&token, "a pattern is a text, such as 'HSC-%'")),
        }
    }

    fn overlaps(&mut self) -> Result<Expression, ExpressionError> {
        self.expect_sign("(")?;
        let shape = self.token().clone();
        let Kind::Word(word) = &shape.kind else {
            return Err(self.wanted("`circle`, `polygon` or `tract`"));
        };
        self.at += 1;
        let word = word.to_lowercase();
        let region = match word.as_str() {
            "circle" => self.circle(&shape)?,
            "polygon" => self.polygon(&shape)?,
            "tract" => Region::Tract(self.literals("a tract")?),
            _ => {
                let why = format!("{} is no region", shape.shown());
                let error = self.error(&shape, why);
                let known = ["circle", "polygon", "tract"];
                return Err(match most_similar(&word, known) {
                    Some(meant) => error.hint(format!("did you mean `{meant}`?")),
                    None => error.hint("regions are `circle(…)`, `polygon(…)` and `tract(…)`"),
                });
            }
        };
        self.expect_sign(")")?;
        Ok(Expression::Overlaps(region))
    }

    fn degrees(&mut self, shape: &Token) -> Result<Vec<f64>, ExpressionError> {
        let values = self.literals("a number of degrees")?;
        let numbers: Option<Vec<f64>> = values.iter().map(number).collect();
        numbers.ok_or_else(|| self.error(shape, format!("{} takes numbers", shape.shown())))
    }

    fn circle(&mut self, shape: &Token) -> Result<Region, ExpressionError> {
        let numbers = self.degrees(shape)?;
        let &[ra, dec, radius] = numbers.as_slice() else {
            let why = "a circle has a right ascension, a declination and a radius";
            return Err(self.error(shape, why));
        };
        self.check_declination(shape, dec)?;
        if !(0.0..=180.0).contains(&radius) {
            return Err(self.error(shape, "a circle has a radius of 0 to 180 degrees"));
        }
        Ok(Region::Circle { ra, dec, radius })
    }

    fn polygon(&mut self, shape: &Token) -> Result<Region, ExpressionError> {
        let numbers = self.degrees(shape)?;
        if numbers.len() < 6 || numbers.len() % 2 == 1 {
            let why =
                "a polygon has three corners or more, each a right ascension and a declination";
            return Err(self.error(shape, why));
        }
        let corners: Vec<(f64, f64)> = numbers
            .chunks_exact(2)
            .map(|pair| (pair[0], pair[1]))
            .collect();
        for (_, dec) in &corners {
            self.check_declination(shape, *dec)?;
        }
        Ok(Region::Polygon(corners))
    }

    fn check_declination(&self, shape: &Token, dec: f64) -> Result<(), ExpressionError> {
        if (-90.0..=90.0).contains(&dec) {
            Ok(())
        } else {
            Err(self.error(
                shape,
                format!("a declination is between -90 and 90, and not {dec}"),
            ))
        }
    }
}

fn number(value: &KeyValue) -> Option<f64> {
    match value {
        KeyValue::Int(value) => Some(*value as f64),
        KeyValue::Float(value) => Some(*value),
        KeyValue::Str(_) => None,
    }
}

fn one_or(mut all: Vec<Expression>, many: fn(Vec<Expression>) -> Expression) -> Expression {
    match all.len() {
        1 => all.remove(0),
        _ => many(all),
    }
}

fn negate_if(is_negated: bool, expression: Expression) -> Expression {
    if is_negated {
        Expression::Not(Box::new(expression))
    } else {
        expression
    }
}
