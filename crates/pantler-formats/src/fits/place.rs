//! Where in a file something is wrong: the file, and the HDU if it is known.
//!
//! Every reader of this folder carries one, so that no error leaves without saying which file and which HDU it means.
//! HDUs are counted from 0, as astropy and the policies' `[n]` count them.

use pantler_core::{FormatError, RowRanges};

/// A file, or one HDU of it, for messages.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    file: String,
    unit: Option<String>,
}

impl Place {
    /// Means the whole file.
    pub(crate) fn file(name: &str) -> Place {
        Place {
            file: name.to_owned(),
            unit: None,
        }
    }

    /// Means one HDU of the file.
    pub(crate) fn hdu(&self, index: usize, name: &str) -> Place {
        let unit = if name.is_empty() {
            format!("HDU {index}")
        } else {
            format!("HDU {index} ({name})")
        };
        Place {
            file: self.file.clone(),
            unit: Some(unit),
        }
    }

    /// Returns the error that the bytes here are damaged.
    pub(crate) fn corrupt(&self, why: impl Into<String>) -> FormatError {
        FormatError::Corrupt {
            file: self.file.clone(),
            unit: self.unit.clone(),
            why: why.into(),
        }
    }

    /// Returns the error that this cannot be done here.
    pub(crate) fn unsupported(&self, why: impl Into<String>) -> FormatError {
        let why = why.into();
        FormatError::Unsupported {
            file: self.file.clone(),
            why: match &self.unit {
                Some(unit) => format!("{unit}: {why}"),
                None => why,
            },
        }
    }

    /// Returns the error that a table has only so many rows.
    pub(crate) fn no_rows(&self, rows: u64, wanted: &RowRanges) -> FormatError {
        FormatError::NoSuchRows {
            file: self.file.clone(),
            rows,
            wanted: wanted.clone(),
        }
    }

    /// Returns the error that the file has no such part.
    pub(crate) fn no_part(&self, part: &str, known: Vec<String>) -> FormatError {
        FormatError::NoSuchPart {
            file: self.file.clone(),
            part: part.to_owned(),
            known,
        }
    }
}
