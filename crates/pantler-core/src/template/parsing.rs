//! Reads the text of a template.

use super::conversion::{Conversion, Flags, Kind, LARGEST_WIDTH};
use super::{Hdu, Segment, Template, TemplateError};
use crate::data_id::is_key_name;
use crate::{ArtifactPath, KeyType};

/// More would be no path: file systems end at 4096 bytes.
const LONGEST_TEMPLATE: usize = 4096;
/// Enough for any data ID, and a bound on how deep reading goes.
const MOST_CONVERSIONS: usize = 64;

pub(super) fn parse(text: &str) -> Result<Template, TemplateError> {
    let chars: Vec<char> = text.chars().collect();
    let parser = Parser { text, chars };
    if text.is_empty() {
        return Err(parser.error(0, 1, "it is empty"));
    }
    if parser.chars.len() > LONGEST_TEMPLATE {
        return Err(parser.error(
            LONGEST_TEMPLATE,
            1,
            format!("it is longer than {LONGEST_TEMPLATE} characters"),
        ));
    }
    let (end, hdu) = parser.hdu()?;
    let segments = parser.segments(0, end)?;
    parser.check_path(&segments, end)?;
    parser.finish(segments, hdu)
}

struct Parser<'a> {
    text: &'a str,
    chars: Vec<char>,
}

impl Parser<'_> {
    fn error(&self, column: usize, length: usize, why: impl Into<String>) -> TemplateError {
        TemplateError {
            text: self.text.to_owned(),
            column,
            length: length.max(1),
            why: why.into(),
        }
    }

    /// Returns where the path ends, and the HDU after it.
    fn hdu(&self) -> Result<(usize, Option<Hdu>), TemplateError> {
        let end = self.chars.len();
        if self.chars.last() != Some(&']') {
            return Ok((end, None));
        }
        let Some(open) = self.chars.iter().rposition(|c| *c == '[') else {
            return Ok((end, None));
        };
        let inside: String = self.chars[open + 1..end - 1].iter().collect();
        let is_number = !inside.is_empty() && inside.chars().all(|c| c.is_ascii_digit());
        if is_number {
            let number = inside.parse().map_err(|_| {
                self.error(open, end - open, "the number of the HDU is out of range")
            })?;
            return Ok((open, Some(Hdu::Constant(number))));
        }
        if !inside.starts_with('%') {
            return Ok((end, None));
        }
        let mut segments = self.segments(open + 1, end - 1)?;
        match (segments.pop(), segments.is_empty()) {
            (Some(Segment::Conversion(conversion)), true)
                if conversion.own_type() == KeyType::Int =>
            {
                Ok((open, Some(Hdu::Conversion(conversion))))
            }
            _ => Err(self.error(
                open,
                end - open,
                "the brackets at the end pick an HDU, by a number or one integer conversion",
            )),
        }
    }

    fn segments(&self, start: usize, end: usize) -> Result<Vec<Segment>, TemplateError> {
        let mut segments = Vec::new();
        let mut literal = String::new();
        let mut at = start;
        while at < end {
            if self.chars[at] != '%' {
                literal.push(self.chars[at]);
                at += 1;
            } else if self.peek(at + 1, end) == Some('%') {
                literal.push('%');
                at += 2;
            } else {
                let conversion = self.conversion(at, end)?;
                at += conversion.length;
                if !literal.is_empty() {
                    segments.push(Segment::Literal(std::mem::take(&mut literal)));
                }
                segments.push(Segment::Conversion(conversion));
            }
        }
        if !literal.is_empty() {
            segments.push(Segment::Literal(literal));
        }
        Ok(segments)
    }

    fn peek(&self, at: usize, end: usize) -> Option<char> {
        (at < end).then(|| self.chars[at])
    }

    fn conversion(&self, start: usize, end: usize) -> Result<Conversion, TemplateError> {
        if self.peek(start + 1, end) != Some('(') {
            return Err(self.error(
                start,
                2.min(end - start),
                "a `%` is followed by a key, as in `%(visit)d`; a percent sign of its own is `%%`",
            ));
        }
        let Some(close) = (start + 2..end).find(|at| self.chars[*at] == ')') else {
            return Err(self.error(start, end - start, "the parenthesis is not closed"));
        };
        let key: String = self.chars[start + 2..close].iter().collect();
        if !is_key_name(&key) {
            return Err(self.error(
                start + 2,
                close - start - 2,
                format!("`{}` cannot be a key", key.escape_debug()),
            ));
        }
        let (flags, at) = self.flags(close + 1, end);
        let (width, at) = self.number(at, end, "width")?;
        let (precision, at) = if self.peek(at, end) == Some('.') {
            let (number, at) = self.number(at + 1, end, "precision")?;
            (Some(number.unwrap_or(0)), at)
        } else {
            (None, at)
        };
        // C's sizes (`%(visit)ld`), which Python allows and ignores.
        let at = (at..end)
            .find(|at| !"hlL".contains(self.chars[*at]))
            .unwrap_or(end);
        let Some(letter) = self.peek(at, end) else {
            return Err(self.error(
                start,
                end - start,
                format!("the conversion has no letter, as the `d` in `%({key})d`"),
            ));
        };
        let kind = Kind::from_letter(letter).ok_or_else(|| {
            self.error(
                start,
                at + 1 - start,
                format!(
                    "`{}` is no conversion; `d` is for integers, `s` for text, `f` for numbers",
                    letter.escape_debug()
                ),
            )
        })?;
        Ok(Conversion {
            key,
            key_index: 0,
            column: start,
            length: at + 1 - start,
            kind,
            flags,
            width: width.unwrap_or(0),
            precision,
        })
    }

    fn flags(&self, start: usize, end: usize) -> (Flags, usize) {
        let mut flags = Flags::default();
        let mut at = start;
        while let Some(c) = self.peek(at, end) {
            match c {
                '-' => flags.left = true,
                '+' => flags.plus = true,
                ' ' => flags.space = true,
                '#' => flags.alternate = true,
                '0' => flags.zero = true,
                _ => break,
            }
            at += 1;
        }
        (flags, at)
    }

    fn number(
        &self,
        start: usize,
        end: usize,
        what: &str,
    ) -> Result<(Option<usize>, usize), TemplateError> {
        if self.peek(start, end) == Some('*') {
            return Err(self.error(start, 1, format!("a {what} of `*` has no value here")));
        }
        let stop = (start..end)
            .find(|at| !self.chars[*at].is_ascii_digit())
            .unwrap_or(end);
        if stop == start {
            return Ok((None, start));
        }
        let digits: String = self.chars[start..stop].iter().collect();
        match digits.parse::<usize>() {
            Ok(number) if number <= LARGEST_WIDTH => Ok((Some(number), stop)),
            _ => Err(self.error(
                start,
                stop - start,
                format!("a {what} is at most {LARGEST_WIDTH}"),
            )),
        }
    }

    /// Refuses what would climb out of the repository, or be no path, whatever the values.
    fn check_path(&self, segments: &[Segment], end: usize) -> Result<(), TemplateError> {
        let sample: String = segments
            .iter()
            .map(|segment| match segment {
                Segment::Literal(text) => text.as_str(),
                Segment::Conversion(_) => "x",
            })
            .collect();
        match ArtifactPath::new(&sample) {
            Ok(_) => Ok(()),
            Err(refused) if refused.why.contains("climbs") => {
                let column = self.chars.windows(2).position(|pair| pair == ['.', '.']);
                Err(self.error(column.unwrap_or(0), 2, refused.why))
            }
            Err(refused) => Err(self.error(0, end, refused.why)),
        }
    }

    fn finish(
        &self,
        mut segments: Vec<Segment>,
        mut hdu: Option<Hdu>,
    ) -> Result<Template, TemplateError> {
        let mut keys: Vec<(String, KeyType)> = Vec::new();
        let mut count = 0;
        let in_path = segments.iter_mut().filter_map(|segment| match segment {
            Segment::Literal(_) => None,
            Segment::Conversion(conversion) => Some(conversion),
        });
        for conversion in in_path {
            count += 1;
            if count > MOST_CONVERSIONS {
                return Err(self.error(
                    conversion.column,
                    conversion.length,
                    format!("it has more than {MOST_CONVERSIONS} conversions"),
                ));
            }
            self.enter_key(&mut keys, conversion)?;
        }
        let path_keys = keys.len();
        if let Some(Hdu::Conversion(conversion)) = &mut hdu {
            self.enter_key(&mut keys, conversion)?;
        }
        Ok(Template {
            text: self.text.to_owned(),
            segments,
            hdu,
            keys,
            path_keys,
        })
    }

    /// Notes a conversion's key. `%s` prints numbers too, so a number conversion of the same key decides its type.
    fn enter_key(
        &self,
        keys: &mut Vec<(String, KeyType)>,
        conversion: &mut Conversion,
    ) -> Result<(), TemplateError> {
        let own_type = conversion.own_type();
        match keys.iter().position(|(key, _)| *key == conversion.key) {
            None => {
                conversion.key_index = keys.len();
                keys.push((conversion.key.clone(), own_type));
            }
            Some(index) => {
                conversion.key_index = index;
                let known = &mut keys[index].1;
                match (*known, own_type) {
                    (a, b) if a == b => {}
                    (KeyType::Str, number) => *known = number,
                    (_, KeyType::Str) => {}
                    (a, b) => {
                        return Err(self.error(
                            conversion.column,
                            conversion.length,
                            format!("the key `{}` is {a} and {b} here", conversion.key),
                        ));
                    }
                }
            }
        }
        Ok(())
    }
}
