//! Cuts the text of an expression into words and signs.

use super::ExpressionError;
use crate::KeyValue;

/// Nobody types more; a program that needs more passes data IDs.
const LONGEST_TEXT: usize = 65_536;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// In characters from 0.
    pub(super) column: usize,
    pub(super) length: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// A name or a word of the language.
    Word(String),
    Literal(KeyValue),
    /// `(`, `)`, `,`, `=`, `!=`, `<`, `<=`, `>`, `>=`.
    Sign(&'static str),
    End,
}

impl Token {
    /// Returns the token as it is quoted in messages.
    pub(super) fn shown(&self) -> String {
        match &self.kind {
            Kind::Word(word) => format!("`{word}`"),
            Kind::Literal(KeyValue::Str(text)) => format!("`{}`", quoted(text)),
            Kind::Literal(value) => format!("`{}`", value.plain()),
            Kind::Sign(sign) => format!("`{sign}`"),
            Kind::End => "the end".to_owned(),
        }
    }
}

/// Writes a text as the language has it.
pub(super) fn quoted(text: &str) -> String {
    let escaped: String = text
        .chars()
        .map(|c| if c.is_control() { '�' } else { c })
        .collect();
    format!("'{}'", escaped.replace('\'', "''"))
}

fn shown_character(c: char) -> String {
    if c.is_control() {
        format!("the character {}", c.escape_default())
    } else {
        format!("`{c}`")
    }
}

/// Two spellings of two signs are read as one.
const SIGNS: &[(&str, &str)] = &[
    ("<=", "<="),
    (">=", ">="),
    ("!=", "!="),
    ("<>", "!="),
    ("==", "="),
    ("=", "="),
    ("<", "<"),
    (">", ">"),
    ("(", "("),
    (")", ")"),
    (",", ","),
];

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, ExpressionError> {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() > LONGEST_TEXT {
        let why = format!("the expression is longer than {LONGEST_TEXT} characters");
        return Err(ExpressionError::new(text, LONGEST_TEXT, 1, why));
    }
    let lexer = Lexer { text, chars };
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = lexer.chars.get(at).copied() {
        if c.is_whitespace() {
            at += 1;
            continue;
        }
        let (kind, end) = lexer.token(at, c)?;
        tokens.push(Token {
            kind,
            column: at,
            length: end - at,
        });
        at = end;
    }
    tokens.push(Token {
        kind: Kind::End,
        column: lexer.chars.len(),
        length: 1,
    });
    Ok(tokens)
}

struct Lexer<'a> {
    text: &'a str,
    chars: Vec<char>,
}

impl Lexer<'_> {
    fn error(&self, column: usize, length: usize, why: impl Into<String>) -> ExpressionError {
        ExpressionError::new(self.text, column, length, why)
    }

    fn token(&self, at: usize, c: char) -> Result<(Kind, usize), ExpressionError> {
        let next = self.chars.get(at + 1);
        let starts_number = |c: &char| c.is_ascii_digit() || *c == '.';
        if c == '\'' {
            return self.text_literal(at);
        }
        if starts_number(&c) || ("+-".contains(c) && next.is_some_and(starts_number)) {
            return self.number(at);
        }
        if c.is_alphabetic() || c == '_' {
            let end = self.end_of(at, |c| c.is_alphanumeric() || c == '_');
            let word: String = self.chars[at..end].iter().collect();
            return Ok((Kind::Word(word), end));
        }
        for (spelling, sign) in SIGNS {
            if spelling
                .chars()
                .enumerate()
                .all(|(i, c)| self.chars.get(at + i) == Some(&c))
            {
                return Ok((Kind::Sign(sign), at + spelling.len()));
            }
        }
        let error = self.error(
            at,
            1,
            format!("{} means nothing in an expression", shown_character(c)),
        );
        Err(match c {
            '"' => error.hint("texts stand in single quotes: 'HSC-R'"),
            '&' => error.hint("write `and`"),
            '|' => error.hint("write `or`"),
            '!' => error.hint("write `not`, or `!=`"),
            _ => error,
        })
    }

    fn end_of(&self, start: usize, belongs: impl Fn(char) -> bool) -> usize {
        let rest = self.chars[start..].iter();
        start + rest.take_while(|c| belongs(**c)).count()
    }

    fn text_literal(&self, start: usize) -> Result<(Kind, usize), ExpressionError> {
        let mut text = String::new();
        let mut at = start + 1;
        loop {
            match (self.chars.get(at), self.chars.get(at + 1)) {
                (Some('\''), Some('\'')) => {
                    text.push('\'');
                    at += 2;
                }
                (Some('\''), _) => return Ok((Kind::Literal(KeyValue::Str(text)), at + 1)),
                (Some(c), _) => {
                    text.push(*c);
                    at += 1;
                }
                (None, _) => {
                    let length = self.chars.len() - start;
                    return Err(self
                        .error(start, length, "the text is not closed")
                        .hint("a quote inside a text is written twice: 'don''t'"));
                }
            }
        }
    }

    fn number(&self, start: usize) -> Result<(Kind, usize), ExpressionError> {
        let mut at = start + usize::from("+-".contains(self.chars[start]));
        let mut before = ' ';
        // A sign belongs to the number after an exponent's letter only.
        while let Some(c) = self.chars.get(at).copied() {
            let belongs = c.is_alphanumeric()
                || "._".contains(c)
                || ("+-".contains(c) && "eE".contains(before));
            if !belongs {
                break;
            }
            before = c;
            at += 1;
        }
        let word: String = self.chars[start..at].iter().collect();
        let unsigned = word.trim_start_matches(['+', '-']);
        if unsigned.chars().all(|c| c.is_ascii_digit()) {
            return match word.parse() {
                Ok(value) => Ok((Kind::Literal(KeyValue::Int(value)), at)),
                Err(_) => {
                    let why = format!("`{word}` is beyond the integers that a key can have");
                    Err(self.error(start, at - start, why))
                }
            };
        }
        let is_number = unsigned
            .chars()
            .all(|c| c.is_ascii_digit() || ".eE+-".contains(c));
        let value = word
            .parse()
            .ok()
            .filter(|_| is_number)
            .and_then(KeyValue::float);
        match value {
            Some(value) => Ok((Kind::Literal(value), at)),
            None => Err(self
                .error(start, at - start, format!("`{word}` is no number"))
                .hint(format!("if it is a text, put it in quotes: '{word}'"))),
        }
    }
}
