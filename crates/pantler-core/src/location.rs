//! Where an artifact lies: inside a repository, relative to its root, or somewhere else.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A path inside a repository: relative, with `/`, never climbing out.
///
/// ```
/// use pantler_core::ArtifactPath;
/// assert!(ArtifactPath::new("calexp/0903334/016.fits").is_ok());
/// assert!(ArtifactPath::new("../secret").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ArtifactPath(Arc<str>);

impl ArtifactPath {
    /// Checks and wraps a path.
    pub fn new(text: &str) -> Result<ArtifactPath, PathRefused> {
        let refuse = |why| {
            Err(PathRefused {
                path: text.to_owned(),
                why,
            })
        };
        if text.is_empty() {
            return refuse("it is empty");
        }
        if text.starts_with('/') {
            return refuse("it is absolute");
        }
        if text.contains('\\') {
            return refuse("it has a backslash");
        }
        if text.chars().any(char::is_control) {
            return refuse("it has a control character");
        }
        if text.len() > 4096 || text.split('/').any(|part| part.len() > 255) {
            return refuse("it is too long for a file system");
        }
        match text
            .split('/')
            .find(|part| matches!(*part, "" | "." | ".."))
        {
            Some("..") => refuse("it climbs out of the repository"),
            Some(_) => refuse("it has an empty or `.` folder"),
            None => Ok(ArtifactPath(text.into())),
        }
    }

    /// Returns the path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the file's name, without folders.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// Returns the folder that holds it; `None` at the root.
    pub fn folder(&self) -> Option<&str> {
        self.0.rsplit_once('/').map(|(folder, _)| folder)
    }
}

impl fmt::Display for ArtifactPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl TryFrom<String> for ArtifactPath {
    type Error = PathRefused;

    fn try_from(text: String) -> Result<ArtifactPath, PathRefused> {
        ArtifactPath::new(&text)
    }
}

impl From<ArtifactPath> for String {
    fn from(path: ArtifactPath) -> String {
        path.0.to_string()
    }
}

/// A path that cannot lie inside a repository.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the path {path:?} cannot be used: {why}")]
pub struct PathRefused {
    /// The path as it was given.
    pub path: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// Where an artifact is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Location {
    /// Inside the repository, relative to its root.
    Inside(ArtifactPath),
    /// Outside it (ingested in place): an absolute path, which is read and never written.
    Outside(Arc<str>),
}

impl Location {
    /// Reads a location as it is printed: absolute paths are outside.
    pub fn parse(text: &str) -> Result<Location, PathRefused> {
        if text.starts_with('/') {
            Ok(Location::Outside(text.into()))
        } else {
            ArtifactPath::new(text).map(Location::Inside)
        }
    }

    /// Returns the path if it is inside the repository.
    pub fn inside(&self) -> Option<&ArtifactPath> {
        match self {
            Location::Inside(path) => Some(path),
            Location::Outside(_) => None,
        }
    }

    /// Returns the location as text: relative inside, absolute outside.
    pub fn as_str(&self) -> &str {
        match self {
            Location::Inside(path) => path.as_str(),
            Location::Outside(path) => path,
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl From<ArtifactPath> for Location {
    fn from(path: ArtifactPath) -> Location {
        Location::Inside(path)
    }
}
