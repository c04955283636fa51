//! FITS: exposures, images, masks and their components, with the archives of the LSST stack.
//!
//! ```text
//! Opened ─► Structure ─► Contents ◄─ Layout          what the file contains, from its headers or from a layout
//!                            │
//!          Asked ────────────┼─► plane, plain, tiles, scaling   pixels
//!                            ├─► archive, heap             records of persisted objects
//!                            ├─► component                 either of records or of header cards
//!                            ├─► row_component             of the row of a catalogue
//!                            ├─► table_…                   columns of binary and ASCII tables
//!                            └─► background                layers of images without names
//! sum_check ◄─ bytes of a whole file as they pass by      DATASUM and CHECKSUM of every HDU
//! write ─► plane_cards, hdu_writing, archive_writing, provenance
//! ```
//!
//! Nothing in a file is believed: sizes are checked against the file before memory is taken, and every error names file,
//! HDU and reason. HDUs are counted from 0 in requests and messages.

mod archive;
mod archive_writing;
mod asked;
mod background;
mod card;
mod checksum;
mod component;
mod contents;
mod hdu_writing;
mod heap;
mod inflating;
mod layout;
mod locating;
mod mask_planes;
mod opened;
mod outline;
mod place;
mod plain;
mod plane;
mod plane_cards;
mod provenance;
mod reading;
mod row_component;
mod scaling;
mod stored;
mod structure;
mod suitability;
mod sum_check;
mod surveying;
mod table_ascii;
mod table_columns;
mod table_reading;
mod table_rows;
mod table_stored;
mod table_values;
mod table_writing;
mod tiles;
mod writing;

use std::sync::Arc;

use bytes::Bytes;
use pantler_core::formatter::{PartLocation, ReadRequest, SumCheck, WriteOptions};
use pantler_core::survey::{Survey, SurveyRequest};
use pantler_core::{FormatError, Formatter, ObjectRef, Source};
use pantler_objects::synonyms::components;

pub(crate) use card::{cards_of_text, text_of_cards};
pub use inflating::inflate;
pub use outline::{HduOutline, Outline, outline};
pub use provenance::provenance;
pub use suitability::unsuitable;

use contents::Contents;
use layout::Layout;

/// Reads and writes FITS files.
#[derive(Debug, Clone, Copy, Default)]
pub struct FitsFormatter;

impl Formatter for FitsFormatter {
    fn name(&self) -> &str {
        "FITS"
    }

    fn extensions(&self) -> &[&str] {
        &[".fits", ".fits.fz", ".fits.gz", ".fit", ".fts", ".fz"]
    }

    fn parts(&self, class: &str) -> Vec<String> {
        let names: Vec<&str> = match class {
            "Exposure" => components().collect(),
            "MaskedImage" => vec!["image", "mask", "variance", "metadata", "bbox"],
            "Image" => vec!["metadata", "bbox", "wcs"],
            "Mask" => vec!["metadata", "bbox"],
            "Table" => vec!["metadata"],
            _ => Vec::new(),
        };
        names.into_iter().map(str::to_owned).collect()
    }

    fn index(&self, source: &dyn Source) -> Result<Option<Arc<[u8]>>, FormatError> {
        let contents = Contents::walk(source)?;
        Ok(Some(Layout::of(&contents)?.to_bytes().into()))
    }

    fn locate(&self, layout: &[u8], request: &ReadRequest) -> Option<PartLocation> {
        locating::locate(layout, request)
    }

    fn read(
        &self,
        source: &dyn Source,
        layout: Option<&[u8]>,
        request: &ReadRequest,
    ) -> Result<ObjectRef, FormatError> {
        let mut read = reading::read_many(source, layout, std::slice::from_ref(request))?;
        read.pop().ok_or_else(|| FormatError::Unsupported {
            file: source.name().to_owned(),
            why: "nothing was read of it".to_owned(),
        })
    }

    fn read_many(
        &self,
        source: &dyn Source,
        layout: Option<&[u8]>,
        requests: &[ReadRequest],
    ) -> Result<Vec<ObjectRef>, FormatError> {
        reading::read_many(source, layout, requests)
    }

    fn held(&self, layout: &[u8]) -> Option<Vec<String>> {
        locating::held(layout)
    }

    fn hdus(
        &self,
        source: &dyn Source,
        layout: Option<&[u8]>,
        class: Option<&str>,
    ) -> Result<Vec<u32>, FormatError> {
        reading::hdus(source, layout, class)
    }

    fn sum_check(&self) -> Option<Box<dyn SumCheck>> {
        Some(Box::new(sum_check::FitsSums::default()))
    }

    fn survey(&self, source: &dyn Source, request: &SurveyRequest) -> Result<Survey, FormatError> {
        surveying::survey(source, request)
    }

    fn write(&self, object: &ObjectRef, options: &WriteOptions) -> Result<Bytes, FormatError> {
        writing::write(object, options)
    }
}

#[cfg(test)]
mod tests;
