//! Where artifacts of a type lie, as a pattern that works both ways: data ID to path and path to data ID.

use crate::{ArtifactPath, DataId, KeyType};

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

impl Template {
    /// Returns the text as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the keys, in order of first appearance, with the types that their conversions ask for.
    pub fn keys(&self) -> &[(String, KeyType)] {
        &self.keys
    }
}

#[allow(unused)]
fn later(_: DataId) {}
