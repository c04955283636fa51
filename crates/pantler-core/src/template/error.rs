//! What can be wrong with a template, and why a data ID gives no path.

use crate::{DataId, KeyType, KeyValue};

/// A text that is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the template {text:?} cannot be used: {why}")]
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
    #[error(
        "the template `{template}` needs the key{} `{}`",
        if keys.len() == 1 { "" } else { "s" },
        keys.join("`, `")
    )]
    MissingKeys {
        /// The template.
        template: String,
        /// The keys, in template order.
        keys: Vec<String>,
    },
    /// A value is of another type than its key.
    #[error("the key `{key}` is of type {wanted}, and {value} is not")]
    WrongType {
        /// The key.
        key: String,
        /// The value given.
        value: KeyValue,
        /// The type of the key.
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
    #[error(
        "{data_id} gives the path {path:?}, which {}",
        match other {
            Some(other) => format!("can be read as {other}"),
            None => "cannot be read back".to_owned(),
        }
    )]
    Ambiguous {
        /// The data ID.
        data_id: DataId,
        /// The path.
        path: String,
        /// What else the path means; `None` if it cannot be read, or in too many ways to try them all.
        other: Option<DataId>,
    },
}
