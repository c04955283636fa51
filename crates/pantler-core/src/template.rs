//! Where artifacts of a type lie, as a pattern that works both ways: data ID to path and path to data ID.

use crate::{ArtifactPath, DataId, KeyType, KeyValue};

/// A printf-style pattern: `calexp/%(visit)07d/%(ccd)03d.fits`.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    text: String,
    keys: Vec<(String, KeyType)>,
}

/// What a template gives for a data ID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled {
    /// The path below the repository's root.
    pub path: ArtifactPath,
    /// The HDU that a trailing `[n]` picks.
    pub hdu: Option<u32>,
}

/// A text that is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the template `{text}` cannot be used: {why}")]
pub struct TemplateError {
    /// The text as it was given.
    pub text: String,
    /// Where in it, in characters from 0.
    pub column: usize,
    /// How many characters are meant; at least 1.
    pub length: usize,
    /// What is wrong.
    pub why: String,
}

/// Why a data ID gives no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FillError {
    /// The data ID lacks keys.
    #[error("the template `{template}` needs the key{} `{}`", if keys.len() == 1 { "" } else { "s" }, keys.join("`, `"))]
    MissingKeys {
        /// The template.
        template: String,
        /// The keys, in template order.
        keys: Vec<String>,
    },
    /// A value is of another type than its conversion.
    #[error("the key `{key}` is of type {wanted}, and {value} is not")]
    WrongType {
        /// The key.
        key: String,
        /// The value given.
        value: KeyValue,
        /// The type that the conversion asks for.
        wanted: KeyType,
    },
    /// A value cannot stand in a path.
    #[error("{key}={value} cannot stand in a path: {why}")]
    Refused {
        /// The key.
        key: String,
        /// The value given.
        value: KeyValue,
        /// Why not.
        why: String,
    },
    /// The path cannot lie inside a repository.
    #[error("{data_id} gives the path {path:?}, which cannot be used: {why}")]
    Path {
        /// The data ID.
        data_id: DataId,
        /// The path.
        path: String,
        /// Why not.
        why: String,
    },
    /// The path would be read back as another data ID.
    #[error("{data_id} gives the path {path}, which reads back as {}", match other { Some(other) => other.to_string(), None => "something else".into() })]
    Ambiguous {
        /// The data ID.
        data_id: DataId,
        /// The path.
        path: String,
        /// What else the path means; `None` if there are too many ways of reading it.
        other: Option<DataId>,
    },
}

impl Template {
    /// Parses a template.
    pub fn parse(text: &str) -> Result<Template, TemplateError> {
        Ok(Template {
            text: text.to_owned(),
            keys: Vec::new(),
        })
    }

    /// Returns the text as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the keys, in order of first appearance, with the types that their conversions ask for.
    pub fn keys(&self) -> &[(String, KeyType)] {
        &self.keys
    }

    /// Says whether it ends in `[n]`, which picks an HDU and is no part of the path.
    pub fn has_hdu(&self) -> bool {
        self.text.ends_with(']')
    }

    /// Returns the path for a data ID, which may have more keys than the template.
    pub fn fill(&self, data_id: &DataId) -> Result<Filled, FillError> {
        Err(FillError::Ambiguous {
            data_id: data_id.clone(),
            path: self.text.clone(),
            other: None,
        })
    }

    /// Reads a whole path back; `None` if it does not fit, or fits in two ways.
    pub fn read(&self, _path: &str) -> Option<DataId> {
        None
    }

    /// Reads the end of a path, from a folder boundary on.
    pub fn read_suffix(&self, _path: &str) -> Option<DataId> {
        None
    }

    /// Says whether two data IDs could give one path. It errs on the side of yes.
    pub fn can_meet(&self, other: &Template) -> bool {
        self.text == other.text
    }

    /// Returns the longest folder that all paths lie in; `None` if that is the root.
    pub fn wildcard_folder(&self) -> Option<String> {
        None
    }
}
