//! Immutable values that pipelines pass around: images, exposures, coordinate systems, calibrations.
//!
//! Every value is shared behind an `Arc` and never changed in place: a `with_…` method returns a copy that shares all it
//! does not change. Each implements [`pantler_core::Object`], so that the engine can take composites apart, put them
//! together, compare them and recognise what is unchanged. Nothing here reads a file: formatters make these values.
//!
//! Records and header cards are kept as they are on disk and decoded on demand: [`VisitInfo::values`],
//! [`PhotoCalib::calibration`], [`FilterLabel::read`], [`Polygon::read`], [`CoaddInputs::read`], [`Detector::read`],
//! [`SummaryStats::read`], [`BoundedField::read`]; [`summary_of`] lists what they say.
//!
//! ```text
//! Exposure ─┬─ Image, Mask, Image        pixels, each with the header of its plane
//!           ├─ Metadata                  the primary header
//!           ├─ Wcs, PhotoCalib, …        carried by header cards, or by an archive record
//!           └─ Component                 any other archive record, kept as it is on disk
//!                ├─ Persisted ─► Archive ─► ArchiveObject ─► RecordRows ─► RecordTable
//!                └─ decoded on demand: Psf, ApCorrMap, BoundedField, …
//! Background ─── BackgroundLayer         levels of cells, and how an image is made of them
//! ```

#[macro_use]
mod values;

#[cfg(test)]
mod real_files;
#[cfg(test)]
mod test_records;

pub mod ap_corr_map;
pub mod archive;
pub mod background;
pub mod bbox;
pub mod blob;
pub mod bounded_field;
pub mod carrier;
pub mod coadd_inputs;
pub mod component;
pub mod decode;
pub mod delta;
pub mod detector;
pub mod document;
pub mod exposure;
pub mod filter_label;
pub mod header_calib;
pub mod header_wcs;
pub mod image;
mod least_squares;
pub mod mask;
pub mod masked_image;
pub mod metadata;
pub mod photo_calib;
pub mod pixel_buffer;
pub mod pixels;
mod planes;
pub mod polygon;
pub mod psf;
pub mod record;
pub mod references;
pub mod summary;
pub mod summary_stats;
pub mod synonyms;
pub mod table;
pub mod text;
pub mod time;
pub mod visit_info;
pub mod wcs;

pub use ap_corr_map::ApCorrMap;
pub use archive::{Archive, ArchiveError, ArchiveObject, Catalog, Persisted};
pub use background::{Background, BackgroundError, BackgroundLayer};
pub use bbox::Bbox;
pub use blob::Blob;
pub use bounded_field::BoundedField;
pub use carrier::Carrier;
pub use coadd_inputs::CoaddInputs;
pub use component::Component;
pub use decode::DecodeError;
pub use delta::{Delta, DeltaError};
pub use detector::Detector;
pub use document::Document;
pub use exposure::Exposure;
pub use filter_label::FilterLabel;
pub use image::{Image, ImageError};
pub use mask::{Mask, MaskPixels, MaskStorage};
pub use masked_image::MaskedImage;
pub use metadata::{Card, CardValue, Metadata};
pub use photo_calib::PhotoCalib;
pub use pixel_buffer::PixelBuffer;
pub use pixels::{PixelType, Pixels, Statistics};
pub use polygon::Polygon;
pub use psf::{Moments, Psf};
pub use record::{Column, RecordError, RecordRows, RecordTable};
pub use summary::{Described, SummaryLine, SummaryValue, summary_of};
pub use summary_stats::SummaryStats;
pub use table::{Table, TableError};
pub use text::Text;
pub use time::TaiTime;
pub use visit_info::{VisitInfo, VisitValues};
pub use wcs::{HeaderWcs, Wcs, WcsError};
