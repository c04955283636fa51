//! Files that are read whole, because they are small and have no parts.
//!
//! Used by the formats of this crate that are not FITS.

use bytes::Bytes;
use pantler_core::formatter::ReadRequest;
use pantler_core::{FormatError, ObjectRef, Source};

/// No such file is larger than this; a larger one is a mistake, not a document.
const LARGEST: u64 = 4 << 30;

/// Reads all bytes of a file.
pub(crate) fn read_all(source: &dyn Source) -> Result<Bytes, FormatError> {
    source
        .read_whole(LARGEST)?
        .ok_or_else(|| FormatError::Unsupported {
            file: source.name().to_owned(),
            why: format!("it has more than {LARGEST} bytes, up to which such files are read"),
        })
}

/// Returns the error that the bytes are no text, or no document.
pub(crate) fn corrupt(source: &dyn Source, unit: Option<String>, why: String) -> FormatError {
    FormatError::Corrupt {
        file: source.name().to_owned(),
        unit,
        why,
    }
}

/// Reads all of a file as text in UTF-8.
pub(crate) fn read_text(source: &dyn Source) -> Result<String, FormatError> {
    String::from_utf8(read_all(source)?.to_vec()).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        corrupt(
            source,
            None,
            format!("it is no text in UTF-8: byte {at} is not part of a character"),
        )
    })
}

/// Goes down to the part that is asked for.
pub(crate) fn part(
    source: &dyn Source,
    object: ObjectRef,
    request: &ReadRequest,
) -> Result<ObjectRef, FormatError> {
    let mut object = object;
    for name in &request.part {
        object = object
            .component(name)
            .ok_or_else(|| FormatError::NoSuchPart {
                file: source.name().to_owned(),
                part: name.clone(),
                known: object.component_names(),
            })?;
    }
    Ok(object)
}

/// Returns the error that a format cannot hold an object.
pub(crate) fn unfit(format: &str, class: &str) -> FormatError {
    FormatError::Unsupported {
        file: format.to_owned(),
        why: format!("it cannot hold objects of class {class}"),
    }
}
