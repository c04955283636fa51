//! Where artifacts of a type lie, as a pattern that works both ways: data ID to path and path to data ID.
//!
//! The policy loader parses templates, the engine fills and reads them, ingest and the folder scan read them. The promise:
//! a path that [`Template::fill`] gives lies inside the repository, and [`Template::read`] returns the same data ID from
//! it. What would break the promise is refused. A template knows nothing of files that exist.
//!
//! ```text
//! text ──parse──► segments ──fill──► path   (each conversion prints its value, then the path is read back)
//!                          ◄──read──        (all ways of cutting the path up, in a bounded number of steps)
//! ```

mod conversion;
mod error;
mod meeting;
mod parsing;
mod reading;

#[cfg(test)]
mod tests;

pub use error::{FillError, TemplateError};
pub(crate) use meeting::Pattern;
pub use reading::Reading;

use conversion::{Conversion, Unprintable};

use crate::{ArtifactPath, DataId, KeyType, KeyValue};

/// A printf-style pattern: `calexp/%(visit)07d/%(ccd)03d.fits`.
///
/// It knows the conversions `d i u o x X e E f F g G s c r` with the flags `-+ #0`, a width and a precision, as Python
/// prints them, and `%%`. A trailing `[0]` or `[%(hdu)d]` picks an HDU and is no part of the path.
///
/// ```
/// use pantler_core::{DataId, Template};
/// let template = Template::parse("calexp/%(visit)07d/%(ccd)03d.fits")?;
/// let data_id = DataId::parse("visit=903334 ccd=16").unwrap();
/// let path = template.fill(&data_id)?.path;
/// assert_eq!(path.as_str(), "calexp/0903334/016.fits");
/// assert_eq!(template.read(path.as_str()), Some(data_id));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    text: String,
    segments: Vec<Segment>,
    hdu: Option<Hdu>,
    keys: Vec<(String, KeyType)>,
    /// How many of `keys`, which come first, stand in the path.
    path_keys: usize,
}

#[derive(Debug, Clone, PartialEq)]
enum Segment {
    Literal(String),
    Conversion(Conversion),
}

#[derive(Debug, Clone, PartialEq)]
enum Hdu {
    Constant(u32),
    Conversion(Conversion),
}

/// What a template gives for a data ID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled {
    /// The path below the repository's root.
    pub path: ArtifactPath,
    /// The HDU that a trailing `[n]` picks.
    pub hdu: Option<u32>,
}

impl Template {
    /// Parses a template.
    pub fn parse(text: &str) -> Result<Template, TemplateError> {
        parsing::parse(text)
    }

    /// Returns the text as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the keys, those of the path in order of first appearance and then the HDU's, with their types.
    pub fn keys(&self) -> &[(String, KeyType)] {
        &self.keys
    }

    /// Returns the keys that stand in the path, so that reading it gives their values.
    pub fn path_keys(&self) -> &[(String, KeyType)] {
        &self.keys[..self.path_keys]
    }

    /// Says whether it ends in `[n]`, which picks an HDU and is no part of the path.
    pub fn has_hdu(&self) -> bool {
        self.hdu.is_some()
    }

    /// Returns the HDU that a trailing `[n]` picks, where the data ID says enough; `None` for a template without one, too.
    pub fn hdu(&self, data_id: &DataId) -> Option<u32> {
        match self.hdu.as_ref()? {
            Hdu::Constant(number) => Some(*number),
            Hdu::Conversion(conversion) => {
                match data_id.get(&conversion.key)?.cast(KeyType::Int)? {
                    KeyValue::Int(number) => u32::try_from(number).ok(),
                    _ => None,
                }
            }
        }
    }

    /// Returns the template with the types of its keys as `declared`, where that says something.
    ///
    /// A key that is declared an integer is one though its conversion is `%s`: it prints the same, and reads back as an
    /// integer.
    pub fn with_key_types(mut self, declared: &dyn Fn(&str) -> Option<KeyType>) -> Template {
        for (name, key_type) in &mut self.keys {
            if let Some(wanted) = declared(name) {
                *key_type = wanted;
            }
        }
        self
    }

    /// Returns the types that the conversions of `key` ask for by themselves, whatever is declared.
    pub fn conversion_types(&self, key: &str) -> impl Iterator<Item = KeyType> {
        self.conversions()
            .filter(move |conversion| conversion.key == key)
            .map(Conversion::own_type)
    }

    /// Returns where in the text, in characters from 0, the first conversion of `key` stands, and its length.
    pub fn position_of(&self, key: &str) -> Option<(usize, usize)> {
        self.conversions()
            .find(|conversion| conversion.key == key)
            .map(|conversion| (conversion.column, conversion.length))
    }

    /// Returns the path for a data ID, which may have more keys than the template.
    pub fn fill(&self, data_id: &DataId) -> Result<Filled, FillError> {
        let filled = self.fill_again(data_id)?;
        let values = self.values(data_id)?;
        self.check_read_back(data_id, &values, filled.path.as_str())?;
        Ok(filled)
    }

    /// Returns the path for a data ID that was filled in before: it is not read back once more.
    pub fn fill_again(&self, data_id: &DataId) -> Result<Filled, FillError> {
        let values = self.values(data_id)?;
        let path = self.print(&values)?;
        let refuse = |why: &str| FillError::Path {
            data_id: data_id.clone(),
            path: path.clone(),
            why: why.to_owned(),
        };
        let checked = ArtifactPath::new(&path).map_err(|refused| refuse(refused.why))?;
        let hdu = match &self.hdu {
            None => None,
            Some(Hdu::Constant(number)) => Some(*number),
            Some(Hdu::Conversion(conversion)) => Some(self.hdu_number(conversion, &values)?),
        };
        Ok(Filled { path: checked, hdu })
    }

    /// Reads a whole path back; `None` if it does not fit, or fits in two ways.
    ///
    /// Padding may be missing or longer than the template prints it; where one reading is exactly what the template would
    /// print, that one counts.
    pub fn read(&self, path: &str) -> Option<DataId> {
        match self.readings(path) {
            Reading::One(data_id) => Some(data_id),
            Reading::None | Reading::Several(..) | Reading::TooMany => None,
        }
    }

    /// Reads a whole path back and says why it cannot be, where it fits in more than one way.
    pub fn readings(&self, path: &str) -> Reading {
        reading::read(self, path)
    }

    /// Reads the end of a path, from a folder boundary on.
    pub fn read_suffix(&self, path: &str) -> Option<DataId> {
        // Values have no slashes, so the template's slashes say how many folders it spans.
        let mut slashes = self
            .segments
            .iter()
            .map(|segment| match segment {
                Segment::Literal(text) => text.matches('/').count(),
                Segment::Conversion(_) => 0,
            })
            .sum::<usize>();
        let start = path.rmatch_indices('/').find_map(|(at, _)| {
            let is_boundary = slashes == 0;
            slashes = slashes.saturating_sub(1);
            is_boundary.then_some(at + 1)
        });
        match start {
            Some(start) => self.read(&path[start..]),
            None => self.read(path),
        }
    }

    /// Says whether two data IDs could give one path. It errs on the side of yes.
    pub fn can_meet(&self, other: &Template) -> bool {
        self.pattern().can_meet(&other.pattern())
    }

    /// Returns what is needed to compare it with many others.
    pub(crate) fn pattern(&self) -> Pattern {
        Pattern::new(&self.segments)
    }

    /// Returns whether both give the same path for every data ID, whatever HDU they pick.
    pub fn has_same_path(&self, other: &Template) -> bool {
        self.path_text() == other.path_text()
    }

    /// Returns the longest folder that all paths lie in; `None` if that is the root.
    pub fn wildcard_folder(&self) -> Option<String> {
        let Some(Segment::Literal(start)) = self.segments.first() else {
            return None;
        };
        start.rsplit_once('/').map(|(folder, _)| folder.to_owned())
    }

    /// Returns the longest folder that all paths for these values lie in; `None` if that is the root.
    ///
    /// A value that a conversion cannot print counts as unknown.
    pub fn folder_of(&self, known: &DataId) -> Option<String> {
        let mut start = String::new();
        for segment in &self.segments {
            match segment {
                Segment::Literal(text) => start.push_str(text),
                Segment::Conversion(conversion) => {
                    let (key, key_type) = &self.keys[conversion.key_index];
                    let value = known.get(key).and_then(|value| value.cast(*key_type));
                    match value.and_then(|value| conversion.print(&value).ok()) {
                        Some(text) => start.push_str(&text),
                        None => break,
                    }
                }
            }
        }
        start.rsplit_once('/').map(|(folder, _)| folder.to_owned())
    }

    fn conversions(&self) -> impl Iterator<Item = &Conversion> {
        let in_path = self.segments.iter().filter_map(|segment| match segment {
            Segment::Literal(_) => None,
            Segment::Conversion(conversion) => Some(conversion),
        });
        in_path.chain(match &self.hdu {
            Some(Hdu::Conversion(conversion)) => Some(conversion),
            _ => None,
        })
    }

    fn path_text(&self) -> &str {
        match &self.hdu {
            None => &self.text,
            Some(_) => self
                .text
                .rsplit_once('[')
                .map_or(&self.text, |(path, _)| path),
        }
    }

    /// Returns the values of the keys, each cast to its key's type.
    fn values(&self, data_id: &DataId) -> Result<Vec<KeyValue>, FillError> {
        let missing: Vec<String> = self
            .keys
            .iter()
            .filter(|(key, _)| data_id.get(key).is_none())
            .map(|(key, _)| key.clone())
            .collect();
        if !missing.is_empty() {
            return Err(FillError::MissingKeys {
                template: self.text.clone(),
                keys: missing,
            });
        }
        let given = self.keys.iter().filter_map(|(key, key_type)| {
            let value = data_id.get(key)?;
            Some(value.cast(*key_type).ok_or_else(|| FillError::WrongType {
                key: key.clone(),
                value: value.clone(),
                wanted: *key_type,
            }))
        });
        given.collect()
    }

    fn print(&self, values: &[KeyValue]) -> Result<String, FillError> {
        let mut path = String::with_capacity(self.text.len());
        for segment in &self.segments {
            match segment {
                Segment::Literal(text) => path.push_str(text),
                Segment::Conversion(conversion) => {
                    let value = &values[conversion.key_index];
                    let text = self.print_value(conversion, value)?;
                    // A folder such as `.pantler` is the repository's own; only a template itself may name one.
                    if text.starts_with('.') && (path.is_empty() || path.ends_with('/')) {
                        return Err(FillError::Refused {
                            key: conversion.key.clone(),
                            value: value.clone(),
                            why: "it would be the name of a hidden folder or file".to_owned(),
                        });
                    }
                    path.push_str(&text);
                }
            }
        }
        Ok(path)
    }

    fn print_value(&self, conversion: &Conversion, value: &KeyValue) -> Result<String, FillError> {
        conversion.print(value).map_err(|unprintable| {
            let key = conversion.key.clone();
            let value = value.clone();
            match unprintable {
                Unprintable::WrongType(wanted) => FillError::WrongType { key, value, wanted },
                Unprintable::Refused(why) => FillError::Refused {
                    key,
                    value,
                    why: why.to_owned(),
                },
            }
        })
    }

    fn hdu_number(&self, conversion: &Conversion, values: &[KeyValue]) -> Result<u32, FillError> {
        let value = &values[conversion.key_index];
        match value.cast(KeyType::Int) {
            Some(KeyValue::Int(number)) => u32::try_from(number).map_err(|_| FillError::Refused {
                key: conversion.key.clone(),
                value: value.clone(),
                why: "it is the number of an HDU, counted from 0".to_owned(),
            }),
            _ => Err(FillError::WrongType {
                key: conversion.key.clone(),
                value: value.clone(),
                wanted: KeyType::Int,
            }),
        }
    }

    fn check_read_back(
        &self,
        data_id: &DataId,
        values: &[KeyValue],
        path: &str,
    ) -> Result<(), FillError> {
        let names = self.path_keys().iter().map(|(key, _)| key.clone());
        let given = DataId::new(names.zip(values.iter().cloned()));
        let other = match reading::read_exactly(self, path) {
            Reading::One(read) if read == given => return Ok(()),
            Reading::One(read) => Some(read),
            Reading::Several(first, second) => Some(if first == given { second } else { first }),
            Reading::None | Reading::TooMany => None,
        };
        Err(FillError::Ambiguous {
            data_id: data_id.clone(),
            path: path.to_owned(),
            other,
        })
    }
}
