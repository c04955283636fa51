//! Bytes that nobody interprets, as an object.

use bytes::Bytes;
use pantler_core::{Hasher, Origin};

use crate::values::Values;

/// Some bytes; its class is `Bytes`.
#[derive(Debug, Clone)]
pub struct Blob {
    bytes: Bytes,
    origin: Option<Origin>,
}

impl Blob {
    /// Wraps bytes.
    pub fn new(bytes: Bytes) -> Blob {
        Blob {
            bytes,
            origin: None,
        }
    }

    /// Returns the bytes.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    fn class_name(&self) -> &str {
        "Bytes"
    }
}

impl Values for Blob {
    fn add_values(&self, hasher: &mut Hasher) {
        hasher.field(&self.bytes);
    }

    fn differs_from(&self, other: &Blob) -> Option<String> {
        if self.bytes == other.bytes {
            return None;
        }
        let same = self
            .bytes
            .iter()
            .zip(&other.bytes)
            .take_while(|(a, b)| a == b);
        Some(format!(
            "{} and {} bytes, which differ from byte {} on",
            self.bytes.len(),
            other.bytes.len(),
            same.count()
        ))
    }

    fn memory_bytes(&self) -> u64 {
        self.bytes.len() as u64
    }
}

leaf_object!(Blob);
