//! Reads files of the user's that are in no repository: for a put of what a file holds, and for looking at a file.
//!
//! What a file is, its bytes say; only where these say nothing, its name does.

use std::path::Path;
use std::sync::Arc;

use pantler_core::formatter::{ReadRequest, Source};
use pantler_core::{DataId, FormatError, Formatter, Location, ObjectRef};
use pantler_formats::FormatterSet;
use pantler_formats::fits::{Outline, outline};
use pantler_objects::synonyms::class_of;
use pantler_store::LocalStore;

use crate::artifact_source::ArtifactSource;
use crate::butler::Butler;
use crate::error::{Asked, Error, Result};
use crate::header_agreement::disagreement;
use crate::ingest::outside;
use crate::planner::own_class;

/// A file of the user's.
pub struct OutsideFile {
    store: LocalStore,
    location: Location,
    name: String,
    formatter: Arc<dyn Formatter>,
    layout: Option<Arc<[u8]>>,
}

impl OutsideFile {
    /// Finds out what a file is, and where its parts lie. Reads headers only.
    ///
    /// What has no format that is read, and begins with text in UTF-8, is text: CSV, `README.md`.
    pub fn open(formatters: &FormatterSet, file: &Path) -> Result<OutsideFile> {
        OutsideFile::of(formatters, file, true)
    }

    fn of(formatters: &FormatterSet, file: &Path, any_text: bool) -> Result<OutsideFile> {
        let name = file.display().to_string();
        let (store, location) = outside(file)?;
        let source = ArtifactSource::new(&store, &location, &name);
        let formatter = formatter_of(formatters, &source, any_text)?;
        let layout = formatter
            .index(&source)
            .map_err(|source| unreadable(&name, source))?;
        Ok(OutsideFile {
            store,
            location,
            name,
            formatter,
            layout,
        })
    }

    /// Returns the name of its format: `FITS`.
    pub fn format(&self) -> &str {
        self.formatter.name()
    }

    /// Returns what it holds, as an object of `class` where one is named.
    pub fn read(&self, class: Option<&str>) -> Result<ObjectRef> {
        self.read_hdu(class, None)
    }

    /// Returns what it holds, or what one of its HDUs holds, counted from 0.
    pub fn read_hdu(&self, class: Option<&str>, hdu: Option<u32>) -> Result<ObjectRef> {
        let request = ReadRequest {
            class: class.map(str::to_owned),
            hdu,
            ..ReadRequest::default()
        };
        let source = ArtifactSource::new(&self.store, &self.location, &self.name);
        self.formatter
            .read(&source, self.layout.as_deref(), &request)
            .map_err(|source| unreadable(&self.name, source))
    }

    /// Returns a component of what it holds, or of what one of its HDUs holds; a path goes on inside of the component. An
    /// empty path is all of it.
    pub fn read_part(&self, part: &[String], hdu: Option<u32>) -> Result<ObjectRef> {
        let request = ReadRequest {
            part: part.to_vec(),
            hdu,
            ..ReadRequest::default()
        };
        let source = ArtifactSource::new(&self.store, &self.location, &self.name);
        let read = self
            .formatter
            .read(&source, self.layout.as_deref(), &request);
        match read {
            // What no part index knows may still be a part of the whole: a column, a key of a document.
            Err(FormatError::NoSuchPart { .. }) if !part.is_empty() => {
                let whole = self.read_hdu(None, hdu)?;
                part.iter().try_fold(whole, |object, name| {
                    object.component(name).ok_or_else(|| {
                        let known = object.component_names();
                        unreadable(
                            &self.name,
                            FormatError::NoSuchPart {
                                file: self.name.clone(),
                                part: part.join("."),
                                known,
                            },
                        )
                    })
                })
            }
            read => read.map_err(|source| unreadable(&self.name, source)),
        }
    }

    /// Returns the HDUs of the file; `None` if it is no FITS file.
    pub fn outline(&self) -> Result<Option<Outline>> {
        if self.formatter.name() != "FITS" {
            return Ok(None);
        }
        let source = ArtifactSource::new(&self.store, &self.location, &self.name);
        let found = outline(&source).map_err(|source| unreadable(&self.name, source))?;
        Ok(Some(found))
    }

    /// Returns how many bytes of the file a part takes; `None` if that is not known.
    pub fn part_bytes(&self, part: &str) -> Option<u64> {
        let request = ReadRequest {
            part: vec![part.to_owned()],
            ..ReadRequest::default()
        };
        let found = self.formatter.locate(self.layout.as_deref()?, &request)?;
        Some(found.bytes())
    }
}

impl Butler {
    /// Reads a file of the user's as an object that can be put under this name.
    pub fn read_file(&self, name: &str, data_id: &DataId, file: &Path) -> Result<ObjectRef> {
        let (graph, _) = self.putter().target(&self.resolve(name, data_id)?)?;
        let class = match graph.part.last() {
            None => own_class(graph.definition.python.as_deref()),
            Some(part) => class_of(part).map(str::to_owned),
        };
        let object = OutsideFile::of(self.formatters(), file, false)?.read(class.as_deref())?;
        match disagreement(&object) {
            None => Ok(object),
            Some(arcseconds) => Err(Error::Request {
                message: format!(
                    "{} says two WCS: its header and its archive record are {arcseconds:.3} arcseconds apart",
                    file.display()
                ),
                hints: vec![
                    "the record is what would be put: to put the header's, remove the cards SKYWCS_ID and ARCHIVE_ID_SKYWCS from the primary header"
                        .to_owned(),
                    "to put the record's, take the header's WCS cards out".to_owned(),
                ],
            }),
        }
    }
}

fn unreadable(name: &str, source: FormatError) -> Error {
    Error::Format {
        asked: Asked::new(name, &DataId::default()),
        in_repository: false,
        source,
    }
}

/// The formatter that a file's first bytes ask for, else the one that its name does, else that of text if any text will do.
fn formatter_of(
    formatters: &FormatterSet,
    source: &dyn Source,
    any_text: bool,
) -> Result<Arc<dyn Formatter>> {
    const FITS: &[u8] = b"SIMPLE  =";
    const GZIP: &[u8] = &[0x1f, 0x8b];
    const SQLITE: &[u8] = b"SQLite format 3\0";
    let name = source.name();
    let length = source.bytes()?.min(START);
    let start = source
        .read_ranges(std::slice::from_ref(&(0..length)))?
        .pop()
        .unwrap_or_default();
    if (start.starts_with(FITS) || start.starts_with(GZIP))
        && let Some(fits) = formatters.get("FitsStorage")
    {
        return Ok(fits);
    }
    if start.starts_with(SQLITE) {
        return Err(unknown(
            format!("{name} is an SQLite database, which is no dataset"),
            "if it is the registry of a repository, name the repository's folder instead",
        ));
    }
    let by_name = formatters.by_extension(name);
    // CSV is only written.
    let readable = by_name.filter(|format| !any_text || format.name() != "CSV");
    readable
        .or_else(|| {
            let text = any_text && is_text(&start);
            text.then(|| formatters.get("TextStorage")).flatten()
        })
        .ok_or_else(|| {
            unknown(
                format!("cannot tell the format of {name}"),
                "give it the extension of its format, for instance .fits, .json, .yaml or .txt",
            )
        })
}

/// So much of a file is looked at to tell what it is, in bytes.
const START: u64 = 1024;

/// Whether a file that begins so is text in UTF-8: characters, and no control characters but white space.
fn is_text(start: &[u8]) -> bool {
    let text = match std::str::from_utf8(start) {
        Ok(text) => text,
        // The last character may go on behind the start.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&start[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !text.is_empty() && !text.chars().any(|c| c.is_control() && !c.is_whitespace())
}

fn unknown(message: String, hint: &str) -> Error {
    Error::Request {
        message,
        hints: vec![hint.to_owned()],
    }
}
