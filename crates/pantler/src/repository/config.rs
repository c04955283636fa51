//! What a repository says of itself, in `.pantler/repository.json`: its parents and its tags.

use std::path::Path;

use pantler_core::Store;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

use super::CONFIG;
use super::texts::read_text;

/// What a repository says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepositoryConfig {
    /// The version of this layout.
    pub version: u32,
    /// Its parents, relative to its root where that is possible.
    #[serde(default)]
    pub parents: Vec<String>,
    /// Its tags, by which a search can be narrowed to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

impl RepositoryConfig {
    pub(super) fn text(&self) -> Result<String> {
        let text = serde_json::to_string_pretty(self).map_err(|error| {
            Error::request(format!("cannot write the repository's config: {error}"))
        })?;
        Ok(format!("{text}\n"))
    }
}

impl Default for RepositoryConfig {
    fn default() -> RepositoryConfig {
        RepositoryConfig {
            version: 1,
            parents: Vec::new(),
            tags: Vec::new(),
        }
    }
}

/// Reads what a repository says of itself.
pub(super) fn read_config(store: &dyn Store, name: &str) -> Result<RepositoryConfig> {
    match read_text(store, CONFIG)? {
        Some(text) => serde_json::from_str(&text).map_err(|error| Error::NoRepository {
            path: name.to_owned(),
            why: format!("{CONFIG} is damaged: {error}"),
            child: None,
        }),
        None => Ok(RepositoryConfig::default()),
    }
}

/// Returns `target` relative to the folder `from` where both are absolute and share more than the root.
pub(super) fn relative_path(from: &Path, target: &Path) -> String {
    let absolute = target
        .canonicalize()
        .unwrap_or_else(|_| target.to_path_buf());
    let shared = from
        .components()
        .zip(absolute.components())
        .take_while(|(a, b)| a == b)
        .count();
    if shared <= 1 {
        return absolute.display().to_string();
    }
    let mut relative = std::path::PathBuf::new();
    for _ in from.components().skip(shared) {
        relative.push("..");
    }
    for part in absolute.components().skip(shared) {
        relative.push(part);
    }
    relative.display().to_string()
}
