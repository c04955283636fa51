//! What the header of a table says of its columns beside their place in a row.
//!
//! Used by the readers of binary and of ASCII tables. The cards are looked at once, through a map, because tables have up to
//! 999 columns and headers thousands of cards.

use std::collections::HashMap;

use arrow_schema::{DataType, Field};
use pantler_core::FormatError;
use pantler_objects::table::{Aliases, key};
use pantler_objects::{CardValue, Metadata};

use super::place::Place;

/// A column of more flags than this is an array of bits.
const MOST_FLAGS: u64 = 9_999;

/// The cards of a header by keyword; the first of each counts.
pub(crate) struct Cards<'a> {
    by_keyword: HashMap<&'a str, &'a CardValue>,
}

impl<'a> Cards<'a> {
    /// Arranges the cards of a header.
    pub(crate) fn of(header: &'a Metadata) -> Cards<'a> {
        let mut by_keyword = HashMap::new();
        for card in header.iter() {
            by_keyword.entry(card.keyword()).or_insert(card.value());
        }
        Cards { by_keyword }
    }

    /// Returns the text of a keyword, without blanks around it; `None` if there is none.
    pub(crate) fn text(&self, root: &str, number: usize) -> Option<&'a str> {
        let value = self.by_keyword.get(format!("{root}{number}").as_str())?;
        value
            .as_text()
            .map(str::trim)
            .filter(|text| !text.is_empty())
    }

    /// Returns the whole number of a keyword.
    pub(crate) fn integer(&self, root: &str, number: usize) -> Option<i64> {
        self.by_keyword
            .get(format!("{root}{number}").as_str())?
            .as_i64()
    }

    /// Returns what the stored numbers of a column mean.
    pub(crate) fn scale(&self, number: usize) -> Scale {
        let card = |root: &str, default: f64| {
            let value = self.by_keyword.get(format!("{root}{number}").as_str());
            value
                .and_then(|value| value.as_f64())
                .filter(|number| number.is_finite())
                .unwrap_or(default)
        };
        Scale {
            scale: card("TSCAL", 1.0),
            zero: card("TZERO", 0.0),
        }
    }

    /// Returns the lengths of the axes of a column's arrays, if they make up `elements`.
    pub(crate) fn dimensions(&self, number: usize, elements: u64) -> Option<Vec<u64>> {
        let text = self.text("TDIM", number)?;
        let inside = text.strip_prefix('(')?.strip_suffix(')')?;
        let lengths: Option<Vec<u64>> = inside
            .split(',')
            .map(|length| length.trim().parse().ok())
            .collect();
        lengths.filter(|lengths| super::structure::product(lengths) == Some(elements))
    }

    /// Returns the names of the flags that the bits of a column are; `None` if they have no names.
    pub(crate) fn flags(&self, column: &str, number: usize, bits: u64) -> Option<Vec<Flag>> {
        let named = self.text("TFLAG", 1).is_some();
        let of_flags = match self
            .by_keyword
            .get("FLAGCOL")
            .and_then(|card| card.as_i64())
        {
            Some(flags) => usize::try_from(flags) == Ok(number),
            None => number == 1,
        };
        if !named || !of_flags || bits == 0 || bits > MOST_FLAGS {
            return None;
        }
        let flag = |bit: usize| Flag {
            name: match self.text("TFLAG", bit + 1) {
                Some(name) => name.to_owned(),
                None => format!("{column}_{}", bit + 1),
            },
            description: self.text("TFDOC", bit + 1).map(str::to_owned),
        };
        Some((0..bits as usize).map(flag).collect())
    }

    /// Returns a field that says what the header says of a column.
    pub(crate) fn field(&self, said: Said<'_>, kind: DataType) -> Field {
        let number = said.number;
        let described = [
            said.description,
            self.text("TCOMM", number).unwrap_or_default(),
        ];
        // What some libraries write behind every name is no description.
        let description = described
            .into_iter()
            .find(|text| !text.is_empty() && !text.starts_with("label for field"));
        let pairs = [
            (key::UNIT, self.text("TUNIT", number)),
            (key::DESCRIPTION, description),
            (key::DISPLAY, self.text("TDISP", number)),
            (key::FIELD_CLASS, self.text("TCCLS", number)),
        ];
        let known = pairs
            .into_iter()
            .filter_map(|(key, text)| Some((key, text?)));
        Field::new(said.name, kind, true).with_metadata(known.collect::<arrow_schema::Metadata>())
    }
}

/// What is known of a column before its cards are looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Said<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// Its number, counted from 1.
    pub(crate) number: usize,
    /// What it is, in words; empty if nothing is said.
    pub(crate) description: &'a str,
}

/// One bit of a column of flags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flag {
    /// Its name.
    pub(crate) name: String,
    /// What it means, in words.
    pub(crate) description: Option<String>,
}

/// What stored numbers mean: `stored * scale + zero`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    /// The factor.
    pub(crate) scale: f64,
    /// What is added.
    pub(crate) zero: f64,
}

impl Scale {
    /// Returns whether the stored numbers are the values.
    pub(crate) fn is_none(self) -> bool {
        self.scale == 1.0 && self.zero == 0.0
    }

    /// Returns whether the only difference is that `zero` is added, which makes signed numbers unsigned.
    pub(crate) fn shifts_by(self, zero: f64) -> bool {
        self.scale == 1.0 && self.zero == zero
    }

    /// Returns what a stored number means.
    pub(crate) fn apply(self, stored: f64) -> f64 {
        stored * self.scale + self.zero
    }
}

/// Returns the name of a column; one without a name is called by its number.
pub(crate) fn name_of(name: &str, number: usize) -> String {
    match name.trim() {
        "" => format!("col{number}"),
        name => name.to_owned(),
    }
}

/// Says which columns are wanted: all, or some by name or alias.
pub(crate) struct Selection<'a> {
    names: Option<Vec<Wanted<'a>>>,
}

/// A column that is asked for.
struct Wanted<'a> {
    name: &'a str,
    /// What its aliases lead to, if the name has any.
    target: Option<String>,
}

impl Wanted<'_> {
    fn is(&self, name: &str) -> bool {
        self.name == name || self.target.as_deref() == Some(name)
    }
}

impl<'a> Selection<'a> {
    /// Makes a selection of the columns asked for.
    pub(crate) fn of(names: Option<&'a [String]>, aliases: &Aliases) -> Selection<'a> {
        let wanted = |name: &'a String| Wanted {
            name,
            target: aliases.resolve(name),
        };
        Selection {
            names: names.map(|names| names.iter().map(wanted).collect()),
        }
    }

    /// Returns whether a column of this name is wanted.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.names
            .as_ref()
            .is_none_or(|names| names.iter().any(|wanted| wanted.is(name)))
    }

    /// Returns the columns in the order in which they were asked for; a packed column stands for all its flags.
    pub(crate) fn arrange<T>(
        &self,
        columns: Vec<(Field, T)>,
        known: impl Fn() -> Vec<String>,
        place: &Place,
    ) -> Result<Vec<(Field, T)>, FormatError> {
        let Some(names) = &self.names else {
            return Ok(columns);
        };
        let is_of = |field: &Field, name: &str| {
            let packed = field.metadata().get(key::PACKED);
            field.name() == name || packed.is_some_and(|packed| packed == name)
        };
        let mut waiting: Vec<Option<(Field, T)>> = columns.into_iter().map(Some).collect();
        let mut arranged: Vec<(Field, T)> = Vec::new();
        for wanted in names {
            // A column's own name goes before an alias of that name.
            let mut meant = [Some(wanted.name), wanted.target.as_deref()]
                .into_iter()
                .flatten();
            let found = meant.find(|name| {
                let there = waiting.iter().flatten().chain(&arranged);
                there
                    .map(|(field, _)| field)
                    .any(|field| is_of(field, name))
            });
            let Some(name) = found else {
                return Err(place.no_part(wanted.name, known()));
            };
            for slot in &mut waiting {
                let is_wanted = slot.as_ref().is_some_and(|(field, _)| is_of(field, name));
                arranged.extend(slot.take_if(|_| is_wanted));
            }
        }
        Ok(arranged)
    }
}

/// Returns whether a card only describes a column, so that it goes where the column goes.
pub(crate) fn is_column_card(keyword: &str) -> bool {
    const ROOTS: [&str; 14] = [
        "TTYPE", "TFORM", "TUNIT", "TNULL", "TSCAL", "TZERO", "TDISP", "TDIM", "TBCOL", "TDOC",
        "TCCLS", "TFLAG", "TFDOC", "TCOMM",
    ];
    let numbered = |root: &&str| {
        let number = keyword.strip_prefix(*root);
        number.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
    };
    keyword == "FLAGCOL" || ROOTS.iter().any(numbered)
}
