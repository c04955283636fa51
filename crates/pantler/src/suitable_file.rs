//! Refuses a file that cannot be what its dataset type says: a table where pixels are wanted, floating-point numbers for a mask.
//!
//! Ingest asks, of the layout that it has made anyway; nothing is read. Formats other than FITS are not judged.

use std::path::Path;

use pantler_core::policy::Definition;
use pantler_core::{DataId, FormatError, Formatter};
use pantler_formats::fits::unsuitable;

use crate::error::{Asked, Error, Result};
use crate::planner::own_class;

/// Refuses a file of which no get would make an object of the type's class.
pub(crate) fn suitable(
    definition: &Definition,
    formatter: &dyn Formatter,
    layout: Option<&[u8]>,
    data_id: &DataId,
    file: &Path,
) -> Result<()> {
    let (Some(layout), Some(class)) = (layout, own_class(definition.python.as_deref())) else {
        return Ok(());
    };
    if formatter.name() != "FITS" {
        return Ok(());
    }
    let filled = definition
        .template
        .as_ref()
        .and_then(|template| template.fill(data_id).ok());
    match unsuitable(layout, &class, filled.and_then(|filled| filled.hdu)) {
        None => Ok(()),
        Some(why) => Err(Error::Format {
            asked: Asked::new(&definition.name, data_id),
            in_repository: false,
            source: FormatError::Unsupported {
                file: file.display().to_string(),
                why,
            },
        }),
    }
}
