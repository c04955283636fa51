//! The contract between bytes and objects.
//!
//! A formatter does not know where bytes come from or which dataset they are. It is asked in two steps, so that a
//! plan can say what a read will cost before anything is read:
//!
//! ```text
//! once, at put or ingest    index(source)            ─► layout   (kept in the registry, opaque to all others)
//! at plan time, no I/O      locate(layout, part)     ─► byte ranges
//! at read time              read(source, request)    ─► object
//! ```

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::imports::PluginError;
use crate::store::Pieces;
use crate::survey::{Survey, SurveyRequest, SurveyedUnit, SurveyedUnits};
use crate::{ObjectRef, RowRanges, StoreError};

/// Random access to the bytes of one artifact.
pub trait Source: Send + Sync {
    /// Returns a name for messages: the path as a person would type it.
    fn name(&self) -> &str;

    /// Returns the size in bytes.
    fn bytes(&self) -> Result<u64, StoreError>;

    /// Reads ranges, in one request where the store can.
    fn read_ranges(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, StoreError>;

    /// Reads all bytes; `None` if there are more than `at_most`. It is [`crate::Store::read_whole`] for the artifact.
    fn read_whole(&self, at_most: u64) -> Result<Option<Bytes>, StoreError> {
        let size = self.bytes()?;
        if size > at_most {
            return Ok(None);
        }
        let mut pieces = self.read_ranges(std::slice::from_ref(&(0..size)))?;
        Ok(Some(pieces.pop().unwrap_or_default()))
    }

    /// Asks for one range that is to be read piece by piece; `None` where each piece would be a request of its own, as it
    /// is by default. It is [`crate::Store::in_pieces`] for the artifact.
    fn in_pieces(&self, range: &Range<u64>) -> Result<Option<Arc<dyn Pieces>>, StoreError> {
        let _ = range;
        Ok(None)
    }
}

/// A rectangle of pixels in the parent's coordinates: 0-based, `x` along rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PixelBox {
    /// The first column.
    pub x0: i64,
    /// The first row.
    pub y0: i64,
    /// The number of columns.
    pub width: u64,
    /// The number of rows.
    pub height: u64,
}

/// What part of an artifact is wanted, and as what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ReadRequest {
    /// The path of components inside the dataset; empty for the whole.
    pub part: Vec<String>,
    /// The class that the policy's `python` names (`Exposure`, `Wcs`, …); `None` where it does not say.
    pub class: Option<String>,
    /// The HDU that the template's `[n]` picks, counted from 0.
    pub hdu: Option<u32>,
    /// Only these pixels.
    pub bbox: Option<PixelBox>,
    /// Only these columns.
    pub columns: Option<Vec<String>>,
    /// Only these rows.
    pub rows: Option<RowRanges>,
}

impl ReadRequest {
    /// Returns whether only a piece of what `part` names is wanted: some pixels, some columns or some rows.
    pub fn is_partial(&self) -> bool {
        self.bbox.is_some() || self.columns.is_some() || self.rows.is_some()
    }
}

/// Where a part lies in its artifact, as far as the layout tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartLocation {
    /// The bytes to read, in order.
    pub ranges: Vec<Range<u64>>,
    /// The class of the part: `Wcs`.
    pub class: String,
}

impl PartLocation {
    /// Returns how many bytes the part takes.
    pub fn bytes(&self) -> u64 {
        self.ranges
            .iter()
            .map(|range| range.end - range.start)
            .sum()
    }
}

/// How an object is to be written: the policy's recipe, and what the file shall say of its origin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// The name of the recipe: `lossless`, `none`, …; `None` for the formatter's own default.
    pub recipe: Option<String>,
    /// What the policy says of the recipe, nested keys joined by dots; empty for one that needs no definition.
    pub settings: Vec<(String, String)>,
    /// Where each component came from, to be kept in the file where the format can (rule R25).
    pub provenance: Vec<PartProvenance>,
}

/// Where one component of an exported file came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartProvenance {
    /// The component's name in the composite.
    pub component: String,
    /// The dataset's name and data ID, as they are printed.
    pub dataset: String,
    /// The identity of the dataset.
    pub id: crate::DatasetId,
    /// The digest of its decoded values.
    pub digest: crate::Digest,
}

/// Sums that a file holds of its own bytes, compared while the bytes pass by.
pub trait SumCheck: Send {
    /// Takes the next bytes of the file; pieces may be of any size.
    fn take(&mut self, bytes: &[u8]);

    /// Says what does not agree, once the whole file was taken.
    fn finish(self: Box<Self>) -> Vec<SumMismatch>;
}

/// A sum in a file that is not that of its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SumMismatch {
    /// Where in the file: `HDU 3 (IMAGE)`; `None` for the whole file.
    pub unit: Option<String>,
    /// What the file says, and what its bytes say.
    pub why: String,
}

/// Reads and writes one format.
pub trait Formatter: Send + Sync {
    /// Returns the name of the format, for messages: `FITS`.
    fn name(&self) -> &str;

    /// Returns the extensions of its files, with the dot, the usual one first.
    fn extensions(&self) -> &[&str];

    /// Returns the parts that it can read alone out of an object of this class.
    fn parts(&self, class: &str) -> Vec<String>;

    /// Reads headers only and returns where the parts lie; `None` if the format or this file has no parts.
    ///
    /// A file that is wrapped in gzip may have a layout too: it then says where the parts lie in the inflated file, and
    /// [`Formatter::locate`] gives no ranges. The layout is compact, is the same for files of the same shape, and is meant for this formatter alone.
    fn index(&self, source: &dyn Source) -> Result<Option<Arc<[u8]>>, FormatError>;

    /// Returns where the part lies, from the layout alone; `None` if the layout does not tell.
    fn locate(&self, layout: &[u8], request: &ReadRequest) -> Option<PartLocation>;

    /// Reads the object or the part that `request` names. A layout saves the reads that would find it.
    fn read(
        &self,
        source: &dyn Source,
        layout: Option<&[u8]>,
        request: &ReadRequest,
    ) -> Result<ObjectRef, FormatError>;

    /// Reads several objects or parts of one file, in the order of the requests; a format that knows where they lie reads
    /// their bytes in one request.
    fn read_many(
        &self,
        source: &dyn Source,
        layout: Option<&[u8]>,
        requests: &[ReadRequest],
    ) -> Result<Vec<ObjectRef>, FormatError> {
        requests
            .iter()
            .map(|request| self.read(source, layout, request))
            .collect()
    }

    /// Returns the components that the file has, by canonical name, apart from those that lie in its headers; `None` if
    /// the layout does not tell.
    fn held(&self, layout: &[u8]) -> Option<Vec<String>> {
        let _ = layout;
        None
    }

    /// Returns the HDUs, counted from 0, that an object of this class can be read from; none if the format has no HDUs.
    fn hdus(
        &self,
        source: &dyn Source,
        layout: Option<&[u8]>,
        class: Option<&str>,
    ) -> Result<Vec<u32>, FormatError> {
        let _ = (source, layout, class);
        Ok(Vec::new())
    }

    /// Begins to check the sums that a file holds of its own bytes; `None` if files of the format hold none.
    fn sum_check(&self) -> Option<Box<dyn SumCheck>> {
        None
    }

    /// Reads what a file tells of itself to whoever takes it into a repository: headers only, each once, however many datasets
    /// lie in it. Headers and places that the format does not have are left out.
    fn survey(&self, source: &dyn Source, request: &SurveyRequest) -> Result<Survey, FormatError> {
        let layout = self.index(source)?;
        let hdus = match request.units {
            SurveyedUnits::Whole => vec![None],
            SurveyedUnits::One(hdu) => vec![Some(hdu)],
            SurveyedUnits::Every => {
                let hdus = self.hdus(source, layout.as_deref(), request.class.as_deref())?;
                hdus.into_iter().map(Some).collect()
            }
        };
        let units = hdus.into_iter().map(|hdu| {
            let read = |part: &str| {
                let request = ReadRequest {
                    part: vec![part.to_owned()],
                    class: request.class.clone(),
                    hdu,
                    ..ReadRequest::default()
                };
                self.read(source, layout.as_deref(), &request).ok()
            };
            let placed = |part: &str| request.place.then(|| read(part)).flatten();
            SurveyedUnit {
                hdu,
                headers: request
                    .headers
                    .then(|| read("metadata"))
                    .flatten()
                    .into_iter()
                    .collect(),
                wcs: placed("wcs"),
                bbox: placed("bbox"),
            }
        });
        Ok(Survey {
            units: units.collect(),
            layout: layout.clone(),
        })
    }

    /// Returns the object as bytes. The same object gives the same bytes.
    fn write(&self, object: &ObjectRef, options: &WriteOptions) -> Result<Bytes, FormatError>;
}

/// What can go wrong between bytes and objects.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// The bytes are not what the format demands.
    #[error("{file}{}: {why}", unit.as_ref().map(|unit| format!(", {unit}")).unwrap_or_default())]
    Corrupt {
        /// The file.
        file: String,
        /// Where in it: `HDU 3 (IMAGE)`, `line 2`.
        unit: Option<String>,
        /// What is wrong.
        why: String,
    },
    /// The file is sound, but has no such part.
    #[error("{file} has no part `{part}`")]
    NoSuchPart {
        /// The file.
        file: String,
        /// The part asked for.
        part: String,
        /// The parts it has.
        known: Vec<String>,
    },
    /// The table has fewer rows than were asked for.
    #[error("{file} has {rows} rows, and {wanted} were asked for")]
    NoSuchRows {
        /// The file.
        file: String,
        /// How many rows it has.
        rows: u64,
        /// The rows asked for.
        wanted: RowRanges,
    },
    /// The format, or this version of pantler, cannot do it.
    #[error("{file}: {why}")]
    Unsupported {
        /// The file, or the format where there is no file yet.
        file: String,
        /// What cannot be done.
        why: String,
    },
    /// A storage of the user's failed.
    #[error("{file}: {source}")]
    Plugin {
        /// The file, or the storage where there is no file yet.
        file: String,
        /// What it raised.
        source: PluginError,
    },
    /// The bytes could not be had.
    #[error(transparent)]
    Store(#[from] StoreError),
}
