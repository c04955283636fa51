//! Arrow files (Arrow IPC file format, also called Feather version 2): tables as they lie in memory.
//!
//! ```text
//! footer ─► batches ─► how many rows each has ─► one request for those that hold wanted rows ─► table
//! ```
//!
//! Rows are read by batch: a batch without a wanted row is left alone. Columns are taken out of the batches that were read.
//! Header cards travel as text in the schema's metadata, under the key that Parquet files have as well. Files with compressed
//! buffers are refused by name. (Arrow columnar format, "IPC File Format".)

use std::ops::Range;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::reader::{FileDecoder, read_footer_length};
use arrow_ipc::writer::FileWriter;
use arrow_ipc::{Block, root_as_footer, root_as_message};
use arrow_schema::{ArrowError, Schema, SchemaRef};
use arrow_select::concat::concat_batches;
use bytes::Bytes;
use pantler_core::formatter::{PartLocation, ReadRequest, WriteOptions};
use pantler_core::object::downcast;
use pantler_core::{FormatError, Formatter, ObjectRef, RowRanges, Source};
use pantler_objects::{Metadata, Table};

use crate::fits::{cards_of_text, text_of_cards};
use crate::parquet::{HEADER, guarded, with_notes_of_pandas};
use crate::whole::{corrupt, unfit};

/// The bytes with which a file starts and ends.
const MAGIC: &[u8] = b"ARROW1";

/// The size of what follows the footer: its length, and the magic bytes.
const TAIL: u64 = 10;

/// So many rows make a batch of a file that is written.
const ROWS_OF_A_BATCH: usize = 65_536;

/// Reads and writes Arrow files.
#[derive(Debug, Clone, Copy, Default)]
pub struct ArrowFormatter;

impl Formatter for ArrowFormatter {
    fn name(&self) -> &str {
        "Arrow"
    }

    fn extensions(&self) -> &[&str] {
        &[".arrow", ".feather"]
    }

    fn parts(&self, class: &str) -> Vec<String> {
        match class {
            "Table" => vec!["metadata".to_owned()],
            _ => Vec::new(),
        }
    }

    fn index(&self, _source: &dyn Source) -> Result<Option<Arc<[u8]>>, FormatError> {
        Ok(None)
    }

    fn locate(&self, _layout: &[u8], _request: &ReadRequest) -> Option<PartLocation> {
        None
    }

    fn read(
        &self,
        source: &dyn Source,
        _layout: Option<&[u8]>,
        request: &ReadRequest,
    ) -> Result<ObjectRef, FormatError> {
        guarded(source, || {
            let file = ArrowFile::open(source)?;
            match request.part.as_slice() {
                [] => file.table(request),
                [name] if name == "metadata" => Ok(Arc::new(file.header()) as ObjectRef),
                [name, ..] => Err(FormatError::NoSuchPart {
                    file: source.name().to_owned(),
                    part: name.clone(),
                    known: vec!["metadata".to_owned()],
                }),
            }
        })
    }

    fn write(&self, object: &ObjectRef, _options: &WriteOptions) -> Result<Bytes, FormatError> {
        let table = downcast::<Table>(object.as_ref());
        let table = table.ok_or_else(|| unfit(self.name(), object.class()))?;
        write(table).map_err(|error| FormatError::Unsupported {
            file: self.name().to_owned(),
            why: error.to_string(),
        })
    }
}

/// A file of which the footer was read.
struct ArrowFile<'a> {
    source: &'a dyn Source,
    schema: SchemaRef,
    decoder: FileDecoder,
    batches: Vec<Placed>,
}

/// A block of a file, and where it lies.
struct Placed {
    block: Block,
    metadata: Range<u64>,
    all: Range<u64>,
}

impl<'a> ArrowFile<'a> {
    fn open(source: &'a dyn Source) -> Result<ArrowFile<'a>, FormatError> {
        let wrong = |why: &str| corrupt(source, None, why.to_owned());
        let damaged =
            |error: ArrowError| corrupt(source, None, format!("its footer is damaged: {error}"));
        let size = source.bytes()?;
        if size < TAIL + MAGIC.len() as u64 {
            return Err(wrong("it is too short for an Arrow file"));
        }
        let tail = one(source, size - TAIL..size)?;
        let tail: [u8; TAIL as usize] = tail
            .as_ref()
            .try_into()
            .map_err(|_| wrong("the store returned too few bytes"))?;
        if &tail[4..] != MAGIC {
            return Err(wrong("it does not end as an Arrow file does"));
        }
        let length = read_footer_length(tail).map_err(damaged)? as u64;
        let end = size - TAIL;
        let start = end.checked_sub(length);
        let start = start.ok_or_else(|| wrong("its footer is longer than the file"))?;
        let bytes = one(source, start..end)?;
        let footer = root_as_footer(&bytes)
            .map_err(|error| corrupt(source, None, format!("its footer is damaged: {error}")))?;
        let schema = footer.schema().ok_or_else(|| wrong("it has no schema"))?;
        if !schema.endianness().equals_to_target_endianness() {
            return Err(FormatError::Unsupported {
                file: source.name().to_owned(),
                why: "its numbers are in another byte order than this machine's".to_owned(),
            });
        }
        let schema = Arc::new(try_fb_to_schema(schema).map_err(damaged)?);
        let placed = |block: &Block| {
            Placed::of(block, start).ok_or_else(|| wrong("its footer points outside of it"))
        };
        let batches: Result<Vec<Placed>, FormatError> = footer
            .recordBatches()
            .into_iter()
            .flatten()
            .map(placed)
            .collect();
        let dictionaries: Result<Vec<Placed>, FormatError> = footer
            .dictionaries()
            .into_iter()
            .flatten()
            .map(placed)
            .collect();
        let mut decoder = FileDecoder::new(Arc::clone(&schema), footer.version());
        let dictionaries = dictionaries?;
        let ranges: Vec<Range<u64>> = dictionaries.iter().map(|one| one.all.clone()).collect();
        for (placed, bytes) in dictionaries.iter().zip(several(source, &ranges)?) {
            decoder
                .read_dictionary(&placed.block, &Buffer::from(bytes))
                .map_err(|error| broken(source, &error))?;
        }
        Ok(ArrowFile {
            source,
            schema,
            decoder,
            batches: batches?,
        })
    }

    fn header(&self) -> Metadata {
        let text = self.schema.metadata.get(HEADER);
        text.map_or_else(Metadata::default, |text| cards_of_text(text))
    }

    fn table(self, request: &ReadRequest) -> Result<ObjectRef, FormatError> {
        let header = self.header();
        let chosen = self.columns(request)?;
        let rows = self.rows(request.rows.as_ref())?;
        if chosen.as_ref().is_some_and(Vec::is_empty) {
            return self.without_columns(&rows, header);
        }
        let wanted: Vec<(&Placed, RowRanges)> = self
            .batches
            .iter()
            .zip(rows)
            .filter_map(|(placed, rows)| Some((placed, rows?)))
            .collect();
        let ranges: Vec<Range<u64>> = wanted.iter().map(|(one, _)| one.all.clone()).collect();
        let mut pieces = Vec::new();
        for ((placed, rows), bytes) in wanted.iter().zip(several(self.source, &ranges)?) {
            let batch = self
                .decoder
                .read_record_batch(&placed.block, &Buffer::from(bytes))
                .map_err(|error| broken(self.source, &error))?;
            for range in batch.iter().flat_map(|_| rows.ranges()) {
                let length = range.end - range.start;
                // Both are at most the number of rows of a batch, which is in memory.
                pieces.extend(
                    batch
                        .iter()
                        .map(|batch| batch.slice(range.start as usize, length as usize)),
                );
            }
        }
        let damaged = |error: ArrowError| broken(self.source, &error);
        let batch = concat_batches(&self.schema, &pieces).map_err(damaged)?;
        let whole = !request.is_partial();
        let batch = match &chosen {
            Some(chosen) => batch.project(chosen).map_err(damaged)?,
            None => batch,
        };
        let batch = with_notes_of_pandas(batch, whole);
        let table = Table::new(batch, header).map_err(|error| FormatError::Unsupported {
            file: self.source.name().to_owned(),
            why: error.to_string(),
        })?;
        Ok(Arc::new(table))
    }

    /// Returns a table of no columns, which still has its rows; no batch is read for it.
    fn without_columns(
        &self,
        rows: &[Option<RowRanges>],
        header: Metadata,
    ) -> Result<ObjectRef, FormatError> {
        let count = rows.iter().flatten().map(RowRanges::count).sum::<u64>();
        let table = usize::try_from(count).ok().and_then(|count| {
            Table::of_columns(Arc::new(Schema::empty()), Vec::new(), count, header).ok()
        });
        let why = || corrupt(self.source, None, "it has too many rows".to_owned());
        Ok(Arc::new(table.ok_or_else(why)?))
    }

    /// Returns the positions of the wanted columns; `None` for all.
    fn columns(&self, request: &ReadRequest) -> Result<Option<Vec<usize>>, FormatError> {
        let Some(names) = &request.columns else {
            return Ok(None);
        };
        let fields = self.schema.fields();
        let position = |name: &String| {
            let found = fields.iter().position(|field| field.name() == name);
            found.ok_or_else(|| FormatError::NoSuchPart {
                file: self.source.name().to_owned(),
                part: name.clone(),
                known: fields.iter().map(|field| field.name().clone()).collect(),
            })
        };
        let positions: Result<Vec<usize>, FormatError> = names.iter().map(position).collect();
        positions.map(Some)
    }

    /// Returns which rows of each batch are wanted; `None` for a batch that need not be read.
    fn rows(&self, wanted: Option<&RowRanges>) -> Result<Vec<Option<RowRanges>>, FormatError> {
        let ranges: Vec<Range<u64>> = self
            .batches
            .iter()
            .map(|placed| placed.metadata.clone())
            .collect();
        let (mut rows, mut start) = (Vec::new(), 0_u64);
        for bytes in several(self.source, &ranges)? {
            let count = row_count(&bytes)
                .ok_or_else(|| corrupt(self.source, None, "a batch is damaged".to_owned()))?;
            let end = start.saturating_add(count);
            let inside = match wanted {
                Some(wanted) => wanted.within(start..end),
                None => RowRanges::first(count),
            };
            rows.push((inside.count() > 0).then_some(inside));
            start = end;
        }
        match wanted {
            Some(wanted) if wanted.end() > start => Err(FormatError::NoSuchRows {
                file: self.source.name().to_owned(),
                rows: start,
                wanted: wanted.clone(),
            }),
            _ => Ok(rows),
        }
    }
}

impl Placed {
    /// Returns a block that lies in front of `end`; `None` if it does not.
    fn of(block: &Block, end: u64) -> Option<Placed> {
        let start = u64::try_from(block.offset()).ok()?;
        let metadata = start.checked_add(u64::try_from(block.metaDataLength()).ok()?)?;
        let all = metadata.checked_add(u64::try_from(block.bodyLength()).ok()?)?;
        (all <= end).then_some(Placed {
            block: *block,
            metadata: start..metadata,
            all: start..all,
        })
    }
}

/// Returns the number of rows that the message in front of a batch says; `None` if it is no such message.
fn row_count(message: &[u8]) -> Option<u64> {
    const CONTINUATION: &[u8] = &[0xff; 4];
    let prefix = if message.starts_with(CONTINUATION) {
        8
    } else {
        4
    };
    let message = root_as_message(message.get(prefix..)?).ok()?;
    u64::try_from(message.header_as_record_batch()?.length()).ok()
}

fn broken(source: &dyn Source, error: &ArrowError) -> FormatError {
    let text = error.to_string();
    if text.contains("compress") {
        return FormatError::Unsupported {
            file: source.name().to_owned(),
            why: format!("its columns are compressed, which is not read: {text}"),
        };
    }
    corrupt(source, None, format!("a batch is damaged: {text}"))
}

fn one(source: &dyn Source, range: Range<u64>) -> Result<Bytes, FormatError> {
    Ok(several(source, &[range])?.pop().unwrap_or_default())
}

fn several(source: &dyn Source, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, FormatError> {
    if ranges.is_empty() {
        return Ok(Vec::new());
    }
    let read = source.read_ranges(ranges)?;
    let whole = read.len() == ranges.len()
        && read
            .iter()
            .zip(ranges)
            .all(|(bytes, range)| bytes.len() as u64 == range.end - range.start);
    if whole {
        return Ok(read);
    }
    Err(corrupt(
        source,
        None,
        "it is shorter than it says".to_owned(),
    ))
}

fn write(table: &Table) -> Result<Bytes, ArrowError> {
    let mut schema: Schema = table.batch().schema().as_ref().clone();
    if !table.metadata().is_empty() {
        let text = text_of_cards(table.metadata());
        schema.metadata.insert(HEADER.to_owned(), text);
    }
    let schema = Arc::new(schema);
    let batch: RecordBatch = table.batch().clone().with_schema(Arc::clone(&schema))?;
    let mut writer = FileWriter::try_new(Vec::new(), &schema)?;
    for start in (0..batch.num_rows()).step_by(ROWS_OF_A_BATCH) {
        let length = ROWS_OF_A_BATCH.min(batch.num_rows() - start);
        writer.write(&batch.slice(start, length))?;
    }
    writer.finish()?;
    Ok(Bytes::from(writer.into_inner()?))
}

#[cfg(test)]
mod tests;
