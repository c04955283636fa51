//! The identity of one dataset: a UUID given when it is put or ingested, and kept for ever.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Which dataset it is, wherever copies of it lie (rule R19).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DatasetId(Uuid);

impl DatasetId {
    /// Wraps a UUID. New ones are time-ordered (version 7), so that an index grows at its end.
    pub fn new(uuid: Uuid) -> DatasetId {
        DatasetId(uuid)
    }

    /// Reads an identity as it is printed.
    pub fn parse(text: &str) -> Option<DatasetId> {
        Uuid::parse_str(text).ok().map(DatasetId)
    }

    /// Returns the identity with these 16 bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> DatasetId {
        DatasetId(Uuid::from_bytes(bytes))
    }

    /// Returns the 16 bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl fmt::Display for DatasetId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}
