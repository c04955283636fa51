//! One conversion of a template, `%(visit)07d`: how it prints a value, and which value a text is.
//!
//! It prints as Python's `%` does, since that is what wrote people's files.

use crate::{KeyType, KeyValue};

/// The largest width and precision; more is a slip, and would fill a path with padding.
pub(super) const LARGEST_WIDTH: usize = 64;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Conversion {
    pub(super) key: String,
    /// The key's place in the template's list of keys.
    pub(super) key_index: usize,
    /// Where it stands in the text, in characters from 0.
    pub(super) column: usize,
    pub(super) length: usize,
    pub(super) kind: Kind,
    pub(super) flags: Flags,
    pub(super) width: usize,
    pub(super) precision: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Decimal,
    Octal,
    Hexadecimal { upper: bool },
    Exponent { upper: bool },
    Fixed,
    General { upper: bool },
    Text,
    Quoted,
    Character,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Flags {
    pub(super) left: bool,
    pub(super) plus: bool,
    pub(super) space: bool,
    pub(super) alternate: bool,
    pub(super) zero: bool,
}

/// Why a value cannot be printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unprintable {
    WrongType(KeyType),
    Refused(&'static str),
}

impl Kind {
    pub(super) fn from_letter(letter: char) -> Option<Kind> {
        Some(match letter {
            'd' | 'i' | 'u' => Kind::Decimal,
            'o' => Kind::Octal,
            'x' | 'X' => Kind::Hexadecimal {
                upper: letter == 'X',
            },
            'e' | 'E' => Kind::Exponent {
                upper: letter == 'E',
            },
            'f' | 'F' => Kind::Fixed,
            'g' | 'G' => Kind::General {
                upper: letter == 'G',
            },
            's' => Kind::Text,
            'r' => Kind::Quoted,
            'c' => Kind::Character,
            _ => return None,
        })
    }

    fn radix(self) -> u32 {
        match self {
            Kind::Octal => 8,
            Kind::Hexadecimal { .. } => 16,
            _ => 10,
        }
    }
}

impl Conversion {
    /// Returns the type that it asks for by itself.
    pub(super) fn own_type(&self) -> KeyType {
        match self.kind {
            Kind::Decimal | Kind::Octal | Kind::Hexadecimal { .. } => KeyType::Int,
            Kind::Exponent { .. } | Kind::Fixed | Kind::General { .. } => KeyType::Float,
            Kind::Text | Kind::Quoted | Kind::Character => KeyType::Str,
        }
    }

    /// Says whether a printed value can have this character.
    pub(super) fn allows(&self, c: char) -> bool {
        match self.own_type() {
            KeyType::Str => c != '/' && !c.is_control(),
            KeyType::Int => {
                "+- ".contains(c)
                    || c.is_digit(self.kind.radix())
                    || (self.flags.alternate && "oOxX".contains(c))
            }
            KeyType::Float => "+- .eE".contains(c) || c.is_ascii_digit(),
        }
    }

    /// Prints a value.
    pub(super) fn print(&self, value: &KeyValue) -> Result<String, Unprintable> {
        let wanted = self.own_type();
        match value.cast(wanted) {
            Some(KeyValue::Int(value)) => Ok(self.print_int(value)),
            Some(KeyValue::Float(value)) => Ok(self.print_float(value)),
            Some(KeyValue::Str(text)) => self.print_text(&text),
            None => Err(Unprintable::WrongType(wanted)),
        }
    }

    /// Reads a text as a value of the key's type; `None` if it is not one. Zeros and spaces of padding do not matter.
    pub(super) fn read(&self, text: &str, key_type: KeyType) -> Option<KeyValue> {
        let value = match self.own_type() {
            KeyType::Int => self.read_int(text)?,
            KeyType::Float => KeyValue::float(self.unpadded(text).trim().parse().ok()?)?,
            KeyType::Str => KeyValue::Str(self.read_text(text)?.to_owned()),
        };
        value.cast(key_type)
    }

    fn print_int(&self, value: i64) -> String {
        let size = value.unsigned_abs();
        let digits = match self.kind {
            Kind::Octal => format!("{size:o}"),
            Kind::Hexadecimal { upper: false } => format!("{size:x}"),
            Kind::Hexadecimal { upper: true } => format!("{size:X}"),
            _ => size.to_string(),
        };
        let zeros = self.precision.unwrap_or(0).saturating_sub(digits.len());
        let body = "0".repeat(zeros) + &digits;
        let base = match self.kind {
            Kind::Octal if self.flags.alternate => "0o",
            Kind::Hexadecimal { upper: false } if self.flags.alternate => "0x",
            Kind::Hexadecimal { upper: true } if self.flags.alternate => "0X",
            _ => "",
        };
        self.padded_number(&format!("{}{base}", self.sign(value < 0)), &body)
    }

    fn print_float(&self, value: f64) -> String {
        let size = value.abs();
        let precision = self.precision.unwrap_or(6);
        let point = if self.flags.alternate { "." } else { "" };
        let body = match self.kind {
            Kind::Exponent { .. } if precision == 0 => {
                let (digits, exponent) = scientific(size, 0);
                format!("{digits}{point}e{exponent}")
            }
            Kind::Exponent { .. } => {
                let (digits, exponent) = scientific(size, precision);
                format!("{digits}e{exponent}")
            }
            Kind::General { .. } => general(size, precision.max(1), self.flags.alternate),
            _ if precision == 0 => format!("{size:.0}{point}"),
            _ => format!("{size:.precision$}"),
        };
        let body = match self.kind {
            Kind::Exponent { upper: true } | Kind::General { upper: true } => body.to_uppercase(),
            _ => body,
        };
        self.padded_number(self.sign(value.is_sign_negative()), &body)
    }

    fn print_text(&self, text: &str) -> Result<String, Unprintable> {
        let refuse = |why| Err(Unprintable::Refused(why));
        if text.is_empty() {
            return refuse("it is empty");
        }
        if matches!(text, "." | "..") {
            return refuse("it climbs out of its folder");
        }
        if text.contains(['/', '\\']) {
            return refuse("it has a slash, which would make another folder");
        }
        if text.chars().any(char::is_control) {
            return refuse("it has a control character");
        }
        if self.kind == Kind::Character && text.chars().count() != 1 {
            return refuse("the template has room for one character");
        }
        let text = if self.kind == Kind::Quoted {
            match (text.contains('\''), text.contains('"')) {
                (true, true) => return refuse("it has both kinds of quotes"),
                (true, false) => format!("\"{text}\""),
                (false, _) => format!("'{text}'"),
            }
        } else {
            text.to_owned()
        };
        let kept: String = match self.precision {
            Some(precision) if self.kind != Kind::Character => {
                text.chars().take(precision).collect()
            }
            _ => text,
        };
        if kept.is_empty() {
            return refuse("the template leaves no room for it");
        }
        let padding = " ".repeat(self.width.saturating_sub(kept.chars().count()));
        Ok(if self.flags.left {
            kept + &padding
        } else {
            padding + &kept
        })
    }

    fn sign(&self, negative: bool) -> &'static str {
        match (negative, self.flags.plus, self.flags.space) {
            (true, _, _) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            (false, false, false) => "",
        }
    }

    fn padded_number(&self, sign: &str, body: &str) -> String {
        let missing = self.width.saturating_sub(sign.len() + body.len());
        if self.flags.left {
            format!("{sign}{body}{}", " ".repeat(missing))
        } else if self.flags.zero {
            format!("{sign}{}{body}", "0".repeat(missing))
        } else {
            format!("{}{sign}{body}", " ".repeat(missing))
        }
    }

    fn unpadded<'a>(&self, text: &'a str) -> &'a str {
        if self.flags.left {
            text.trim_end_matches(' ')
        } else {
            text.trim_start_matches(' ')
        }
    }

    fn read_int(&self, text: &str) -> Option<KeyValue> {
        // The space flag puts a space where the sign would be.
        let text = self.unpadded(text).trim_start_matches(' ');
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let radix = self.kind.radix();
        let based = match radix {
            _ if !self.flags.alternate => None,
            8 => unsigned.strip_prefix("0o"),
            16 => unsigned
                .strip_prefix("0x")
                .or_else(|| unsigned.strip_prefix("0X")),
            _ => None,
        };
        let digits = based.unwrap_or(unsigned);
        // `from_str_radix` would take a second sign.
        if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
            return None;
        }
        let size = i128::from(u64::from_str_radix(digits, radix).ok()?);
        let value = if negative { -size } else { size };
        i64::try_from(value).ok().map(KeyValue::Int)
    }

    fn read_text<'a>(&self, text: &'a str) -> Option<&'a str> {
        // A text longer than the width was not padded, so its spaces are its own.
        let text = if text.chars().count() == self.width {
            self.unpadded(text)
        } else {
            text
        };
        let text = match self.kind {
            Kind::Quoted => {
                let quote = text.chars().next().filter(|c| "'\"".contains(*c))?;
                text.strip_prefix(quote)?.strip_suffix(quote)?
            }
            Kind::Character if text.chars().count() != 1 => return None,
            _ => text,
        };
        (!text.is_empty()).then_some(text)
    }
}

/// Returns the digits and the exponent as C prints them: at least two digits, with its sign.
fn scientific(size: f64, precision: usize) -> (String, String) {
    let printed = format!("{size:.precision$e}");
    let (digits, exponent) = printed.split_once('e').unwrap_or((&printed, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    (
        digits.to_owned(),
        format!("{sign}{:02}", exponent.unsigned_abs()),
    )
}

/// Prints as `%g` does: `precision` significant digits, in the shorter of the two ways.
fn general(size: f64, precision: usize, keep_zeros: bool) -> String {
    let (digits, exponent) = scientific(size, precision - 1);
    let power: i64 = exponent.parse().unwrap_or(0);
    let strip = |text: String| {
        if keep_zeros || !text.contains('.') {
            text
        } else {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
    };
    if power < -4 || power >= precision as i64 {
        format!("{}e{exponent}", strip(digits))
    } else {
        // Between -4 and the precision, so that the number of decimals is not negative.
        let decimals = (precision as i64 - 1 - power).max(0) as usize;
        strip(format!("{size:.decimals$}"))
    }
}
