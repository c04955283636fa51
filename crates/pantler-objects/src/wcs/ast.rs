//! Reads the text form in which the LSST stack keeps a coordinate system: a dump of the Starlink AST library.
//!
//! ```text
//! Begin FrameSet              an object of a class
//!  IsA Frame                  what follows belongs to the parent class
//!     Currnt = 3              a value
//!     Map2 =                  an object as a value
//!        Begin CmpMap …
//! #   Epoch = 2000            a default, which says nothing
//! ```
//!
//! [`super::mapping`] makes something that can be evaluated of it. Only syntax is decided here; the text comes out of a
//! file, so its depth is bounded and nothing is trusted.

use std::collections::BTreeMap;

use super::WcsError;

/// How deep objects may lie in each other; real ones have about fifteen levels.
const DEEPEST: usize = 100;

/// An object of the dump.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Dumped {
    pub(crate) class: String,
    /// By name in lower case, as AST does not tell cases apart.
    values: BTreeMap<String, Value>,
}

#[derive(Debug, Clone, PartialEq)]
enum Value {
    Text(String),
    Object(Dumped),
}

impl Dumped {
    /// Reads the first object in `text`.
    pub(crate) fn read(text: &str) -> Result<Dumped, WcsError> {
        let mut lines = Lines {
            lines: text.lines(),
            number: 0,
        };
        let Some(Line::Begin(class)) = lines.next()? else {
            return Err(lines.wrong("it does not start with `Begin`"));
        };
        read_object(class, &mut lines, 0)
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(&name.to_ascii_lowercase())
    }

    fn insert(&mut self, name: &str, value: Value) {
        self.values.insert(name.to_ascii_lowercase(), value);
    }

    /// Returns a text value.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.value(name)? {
            Value::Text(text) => Some(text),
            Value::Object(_) => None,
        }
    }

    /// Returns an object value.
    pub(crate) fn object(&self, name: &str) -> Option<&Dumped> {
        match self.value(name)? {
            Value::Text(_) => None,
            Value::Object(object) => Some(object),
        }
    }

    /// Returns a number, or `default` where there is none of this name.
    pub(crate) fn number(&self, name: &str, default: f64) -> Result<f64, WcsError> {
        Ok(self.find_number(name)?.unwrap_or(default))
    }

    /// Returns a number, if there is one of this name.
    pub(crate) fn find_number(&self, name: &str) -> Result<Option<f64>, WcsError> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        // AST writes `<bad>` where a value is undefined.
        let number: Option<f64> = text.parse().ok().filter(|number: &f64| number.is_finite());
        let wrong = || WcsError::Damaged {
            what: format!("{} of {} is {text:?}", name, self.class),
        };
        number.map(Some).ok_or_else(wrong)
    }

    /// Returns a whole number between 0 and `most`, or `default` where there is none of this name.
    pub(crate) fn count(&self, name: &str, default: usize, most: usize) -> Result<usize, WcsError> {
        let number = self.number(name, default as f64)?;
        if number.fract() == 0.0 && (0.0..=most as f64).contains(&number) {
            Ok(number as usize)
        } else {
            Err(WcsError::Damaged {
                what: format!("{name} of {} is {number}", self.class),
            })
        }
    }

    /// Returns a flag, which is off where there is none of this name.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, WcsError> {
        Ok(self.number(name, 0.0)? != 0.0)
    }
}

enum Line {
    Begin(String),
    End,
    Text(String, String),
    /// A name whose value is the object that follows.
    Object(String),
}

struct Lines<'a> {
    lines: std::str::Lines<'a>,
    number: usize,
}

impl Lines<'_> {
    fn wrong(&self, why: &str) -> WcsError {
        WcsError::Damaged {
            what: format!("line {} of the AST text: {why}", self.number),
        }
    }

    /// Returns the next line that says something; `None` at the end of the text.
    fn next(&mut self) -> Result<Option<Line>, WcsError> {
        loop {
            let Some(line) = self.lines.next() else {
                return Ok(None);
            };
            self.number += 1;
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') || line.starts_with("IsA ") {
                continue;
            }
            if let Some(class) = line.strip_prefix("Begin ") {
                let class = class.split_whitespace().next().unwrap_or("");
                return Ok(Some(Line::Begin(class.to_owned())));
            }
            if line.starts_with("End ") {
                return Ok(Some(Line::End));
            }
            let Some((name, value)) = line.split_once('=') else {
                return Err(self.wrong("it has neither a keyword nor `=`"));
            };
            let (name, value) = (name.trim().to_owned(), value.trim());
            return Ok(Some(match self.value(value)? {
                None => Line::Object(name),
                Some(value) => Line::Text(name, value),
            }));
        }
    }

    /// Returns a value without quotes and without the comment behind it; `None` if there is none.
    fn value(&self, value: &str) -> Result<Option<String>, WcsError> {
        let Some(quoted) = value.strip_prefix('"') else {
            let bare = value.split('#').next().unwrap_or("").trim();
            return Ok((!bare.is_empty()).then(|| bare.to_owned()));
        };
        // A quote inside is written twice.
        let mut text = String::new();
        let mut characters = quoted.chars().peekable();
        while let Some(character) = characters.next() {
            if character == '"' && characters.next_if_eq(&'"').is_none() {
                return Ok(Some(text));
            }
            text.push(character);
        }
        Err(self.wrong("its text has no end"))
    }
}

fn read_object(class: String, lines: &mut Lines<'_>, depth: usize) -> Result<Dumped, WcsError> {
    if depth > DEEPEST {
        return Err(lines.wrong("objects lie too deep in each other"));
    }
    let mut object = Dumped {
        class,
        values: BTreeMap::new(),
    };
    loop {
        match lines.next()? {
            Some(Line::End) => return Ok(object),
            Some(Line::Text(name, value)) => object.insert(&name, Value::Text(value)),
            Some(Line::Object(name)) => match lines.next()? {
                Some(Line::Begin(class)) => {
                    let value = read_object(class, lines, depth + 1)?;
                    object.insert(&name, Value::Object(value));
                }
                _ => return Err(lines.wrong("an object is missing here")),
            },
            Some(Line::Begin(_)) => return Err(lines.wrong("an object without a name")),
            None => return Err(lines.wrong("the text ends inside an object")),
        }
    }
}
