//! Text, as an object.

use std::sync::Arc;

use pantler_core::{Hasher, Origin};

use crate::values::Values;

/// Some text.
#[derive(Debug, Clone)]
pub struct Text {
    text: Arc<str>,
    origin: Option<Origin>,
}

impl Text {
    /// Wraps text.
    pub fn new(text: impl Into<Arc<str>>) -> Text {
        Text {
            text: text.into(),
            origin: None,
        }
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn class_name(&self) -> &str {
        "Text"
    }
}

impl Values for Text {
    fn add_values(&self, hasher: &mut Hasher) {
        hasher.field(self.text.as_bytes());
    }

    fn differs_from(&self, other: &Text) -> Option<String> {
        if self.text == other.text {
            return None;
        }
        let same = self
            .text
            .split('\n')
            .zip(other.text.split('\n'))
            .take_while(|(a, b)| a == b);
        Some(format!(
            "the text differs from line {} on",
            same.count() + 1
        ))
    }

    fn memory_bytes(&self) -> u64 {
        self.text.len() as u64
    }
}

leaf_object!(Text);
