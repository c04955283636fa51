//! Parquet files: tables column by column, of which only the wanted columns and the pages of the wanted rows are read.
//!
//! ```text
//! footer ─► where each column's chunks lie ─► one request for those of the wanted columns ─► table
//! ```
//!
//! Header cards travel as text under the key `fits_header`; what pandas notes about a whole table is kept as it is. The
//! layout says where footer and columns lie, so that a plan knows what some columns cost.

mod layout;
mod pieces;
mod rows;

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelectionPolicy,
};
use ::parquet::arrow::{ArrowWriter, ProjectionMask};
use ::parquet::basic::Compression;
use ::parquet::file::metadata::{KeyValue, ParquetMetaData, ParquetMetaDataReader};
use ::parquet::file::properties::WriterProperties;
use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_select::concat::concat_batches;
use bytes::Bytes;
use pantler_core::formatter::{PartLocation, ReadRequest, WriteOptions};
use pantler_core::object::downcast;
use pantler_core::{FormatError, Formatter, ObjectRef, Source};
use pantler_objects::{Metadata, Table};
use serde_json::{Value, json};

use crate::fits::{cards_of_text, text_of_cards};
use crate::whole::{corrupt, unfit};

use layout::Layout;
use pieces::Pieces;
use rows::{WantedRows, offset_indexes};

/// The bytes with which a file starts and ends.
const MAGIC: &[u8] = b"PAR1";

/// The size of what follows the footer: its length, and the magic bytes.
const TAIL: u64 = 8;

/// The key of the header cards.
pub(crate) const HEADER: &str = "fits_header";

/// The key under which pandas describes a table.
const PANDAS: &str = "pandas";

/// So many rows are decoded at a time.
const ROWS_AT_ONCE: usize = 65_536;

/// A table may always take so much memory, and a larger one so many times the size of its file.
const FREE_MEMORY: u64 = 1 << 30;
const MOST_INFLATION: u64 = 1000;

/// Reads and writes Parquet files.
#[derive(Debug, Clone, Copy, Default)]
pub struct ParquetFormatter;

impl Formatter for ParquetFormatter {
    fn name(&self) -> &str {
        "Parquet"
    }

    fn extensions(&self) -> &[&str] {
        &[".parq", ".parquet"]
    }

    fn parts(&self, class: &str) -> Vec<String> {
        match class {
            "Table" => vec!["metadata".to_owned()],
            _ => Vec::new(),
        }
    }

    fn index(&self, source: &dyn Source) -> Result<Option<Arc<[u8]>>, FormatError> {
        let mut pieces = Pieces::new(source)?;
        let footer = guarded(source, || Footer::read(source, &mut pieces))?;
        Ok(Some(footer.layout(pieces.size()).into_bytes().into()))
    }

    fn locate(&self, layout: &[u8], request: &ReadRequest) -> Option<PartLocation> {
        let layout = Layout::parse(layout)?;
        let class = if request.part.is_empty() {
            "Table"
        } else {
            "Metadata"
        };
        Some(PartLocation {
            ranges: layout.ranges(request)?,
            class: class.to_owned(),
        })
    }

    fn read(
        &self,
        source: &dyn Source,
        layout: Option<&[u8]>,
        request: &ReadRequest,
    ) -> Result<ObjectRef, FormatError> {
        let mut pieces = Pieces::new(source)?;
        let layout = layout
            .and_then(Layout::parse)
            .filter(|layout| layout.size == pieces.size());
        if let Some(ranges) = layout.and_then(|layout| layout.first_ranges(request)) {
            pieces.fetch(&ranges)?;
        }
        guarded(source, || {
            let footer = Footer::read(source, &mut pieces)?;
            match request.part.as_slice() {
                [] => footer.table(source, pieces, request),
                [name] if name == "metadata" => Ok(Arc::new(footer.header()) as ObjectRef),
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

/// Runs the library on bytes that nobody has checked: where it panics, the file is damaged.
pub(crate) fn guarded<T>(
    source: &dyn Source,
    run: impl FnOnce() -> Result<T, FormatError>,
) -> Result<T, FormatError> {
    let damaged = |_| {
        corrupt(
            source,
            None,
            "its columns are not as its footer says".to_owned(),
        )
    };
    catch_unwind(AssertUnwindSafe(run)).map_err(damaged)?
}

/// What a file says of itself, and where its columns lie.
struct Footer {
    metadata: Arc<ParquetMetaData>,
    range: Range<u64>,
    columns: Vec<(String, Vec<Range<u64>>)>,
}

impl Footer {
    fn read(source: &dyn Source, pieces: &mut Pieces<'_>) -> Result<Footer, FormatError> {
        let wrong = |why: &str| corrupt(source, None, why.to_owned());
        let size = pieces.size();
        if size < TAIL + MAGIC.len() as u64 {
            return Err(wrong("it is too short for a Parquet file"));
        }
        let tail = pieces.read(size - TAIL..size)?;
        if tail.get(4..) != Some(MAGIC) {
            return Err(wrong("it does not end as a Parquet file does"));
        }
        let length = tail
            .iter()
            .take(4)
            .rev()
            .fold(0, |all, &byte| all << 8 | u64::from(byte));
        let start = (size - TAIL)
            .checked_sub(length)
            .filter(|&start| start >= MAGIC.len() as u64);
        let start = start.ok_or_else(|| wrong("its footer is longer than the file"))?;
        let bytes = pieces.read(start..size - TAIL)?;
        let metadata = ParquetMetaDataReader::decode_metadata(&bytes)
            .map_err(|error| wrong(&format!("its footer is damaged: {error}")))?;
        let columns =
            columns(&metadata, start).ok_or_else(|| wrong("its footer points outside of it"))?;
        Ok(Footer {
            metadata: Arc::new(metadata),
            range: start..size,
            columns,
        })
    }

    fn layout(&self, size: u64) -> String {
        let columns: Vec<Value> = self
            .columns
            .iter()
            .map(|(name, ranges)| {
                let numbers = ranges.iter().flat_map(|range| [range.start, range.end]);
                json!([name, numbers.collect::<Vec<u64>>()])
            })
            .collect();
        let groups = self.metadata.row_groups();
        let rows: Vec<i64> = groups.iter().map(|group| group.num_rows()).collect();
        let numbers: Vec<usize> = (0..groups.len()).collect();
        let leaves: Vec<usize> = (0..self.leaves()).collect();
        let pages = offset_indexes(&self.metadata, &numbers, &leaves);
        let pages = pages.filter(|range| range.end <= self.range.start);
        json!({
            "size": size,
            "footer": self.range.start,
            "columns": columns,
            "rows": rows,
            "pages": pages.map(|range| [range.start, range.end]),
        })
        .to_string()
    }

    /// Returns the number of columns of values; a column of structures has several.
    fn leaves(&self) -> usize {
        self.metadata.file_metadata().schema_descr().num_columns()
    }

    fn header(&self) -> Metadata {
        let pairs = self.metadata.file_metadata().key_value_metadata();
        let mut pairs = pairs.into_iter().flatten();
        let text = pairs
            .find(|pair| pair.key == HEADER)
            .and_then(|pair| pair.value.as_deref());
        text.map_or_else(Metadata::default, cards_of_text)
    }

    /// Returns the positions of the wanted columns; `None` for all.
    fn wanted(
        &self,
        source: &dyn Source,
        request: &ReadRequest,
    ) -> Result<Option<Vec<usize>>, FormatError> {
        let Some(names) = &request.columns else {
            return Ok(None);
        };
        let position = |name: &String| {
            let found = self.columns.iter().position(|(known, _)| known == name);
            found.ok_or_else(|| FormatError::NoSuchPart {
                file: source.name().to_owned(),
                part: name.clone(),
                known: self.columns.iter().map(|(name, _)| name.clone()).collect(),
            })
        };
        names
            .iter()
            .map(position)
            .collect::<Result<_, _>>()
            .map(Some)
    }

    fn table(
        &self,
        source: &dyn Source,
        mut pieces: Pieces<'_>,
        request: &ReadRequest,
    ) -> Result<ObjectRef, FormatError> {
        let wrong = |why: String| corrupt(source, None, why);
        let wanted = self.wanted(source, request)?;
        let all = || (0..self.columns.len()).collect();
        let chosen: Vec<usize> = wanted.clone().unwrap_or_else(all);
        let schema = self.metadata.file_metadata().schema_descr();
        let mask = ProjectionMask::roots(schema, chosen.iter().copied());
        let mut metadata = Arc::clone(&self.metadata);
        let mut wanted_rows = None;
        match &request.rows {
            None => {
                let ranges = chosen
                    .iter()
                    .flat_map(|&at| self.columns[at].1.iter().cloned());
                pieces.fetch(&ranges.collect::<Vec<_>>())?;
            }
            Some(rows) => {
                let rows = WantedRows::of(&metadata, rows, source)?;
                let leaves: Vec<usize> = (0..self.leaves())
                    .filter(|&leaf| mask.leaf_included(leaf))
                    .collect();
                metadata = rows.fetch(&metadata, &leaves, &mut pieces, source)?;
                wanted_rows = Some(rows);
            }
        }
        let most = FREE_MEMORY.max(pieces.size().saturating_mul(MOST_INFLATION));
        let options = ArrowReaderOptions::new();
        let loaded = ArrowReaderMetadata::try_new(metadata, options)
            .map_err(|error| wrong(error.to_string()))?;
        let held = pieces.into_held();
        let mut reader = ParquetRecordBatchReaderBuilder::new_with_metadata(held, loaded)
            .with_projection(mask)
            .with_batch_size(ROWS_AT_ONCE);
        if let Some(rows) = &wanted_rows {
            // Pages without a wanted row were not fetched, and this way they are not looked at.
            reader = reader
                .with_row_groups(rows.groups())
                .with_row_selection(rows.selection())
                .with_row_selection_policy(RowSelectionPolicy::Selectors);
        }
        let reader = reader.build().map_err(|error| wrong(error.to_string()))?;
        let schema = reader.schema();
        let (mut batches, mut memory) = (Vec::new(), 0_u64);
        for batch in reader {
            let batch = batch.map_err(|error| wrong(error.to_string()))?;
            memory = memory.saturating_add(batch.get_array_memory_size() as u64);
            if memory > most {
                return Err(wrong(format!(
                    "its columns inflate to more than {most} bytes"
                )));
            }
            batches.push(batch);
        }
        let batch = match batches.len() {
            1 => batches.swap_remove(0),
            _ => concat_batches(&schema, &batches).map_err(|error| wrong(error.to_string()))?,
        };
        let batch = with_notes_of_pandas(batch, wanted.is_none() && request.rows.is_none());
        let table = Table::new(batch, self.header()).map_err(|error| FormatError::Unsupported {
            file: source.name().to_owned(),
            why: error.to_string(),
        })?;
        match &request.columns {
            Some(names) => Ok(Arc::new(
                table
                    .select(names)
                    .map_err(|error| wrong(error.to_string()))?,
            )),
            None => Ok(Arc::new(table)),
        }
    }
}

/// Drops what the file says of itself, apart from the notes of pandas where the table is whole.
pub(crate) fn with_notes_of_pandas(batch: RecordBatch, whole: bool) -> RecordBatch {
    let mut schema = batch.schema().as_ref().clone();
    schema.metadata.retain(|key, _| whole && key == PANDAS);
    let schema = Arc::new(schema);
    // Only the notes differ, so the columns fit as they did.
    batch.clone().with_schema(schema).unwrap_or(batch)
}

/// Returns where each column's chunks lie; `None` if that is not in front of the footer.
fn columns(metadata: &ParquetMetaData, end: u64) -> Option<Vec<(String, Vec<Range<u64>>)>> {
    let schema = metadata.file_metadata().schema_descr();
    let roots = schema.root_schema().get_fields();
    let named = roots
        .iter()
        .map(|field| (field.name().to_owned(), Vec::new()));
    let mut columns: Vec<(String, Vec<Range<u64>>)> = named.collect();
    for group in metadata.row_groups() {
        if group.columns().len() != schema.num_columns() || group.num_rows() < 0 {
            return None;
        }
        for (leaf, chunk) in group.columns().iter().enumerate() {
            let pages = chunk.data_page_offset();
            let start = match chunk.dictionary_page_offset() {
                Some(dictionary) if dictionary > 0 => dictionary.min(pages),
                _ => pages,
            };
            let start = u64::try_from(start).ok()?;
            let stop = start.checked_add(u64::try_from(chunk.compressed_size()).ok()?)?;
            if stop > end {
                return None;
            }
            let (_, ranges) = columns.get_mut(schema.get_column_root_idx(leaf))?;
            ranges.push(start..stop);
        }
    }
    Some(columns)
}

fn write(table: &Table) -> Result<Bytes, ::parquet::errors::ParquetError> {
    let mut schema = table.batch().schema().as_ref().clone();
    let notes = std::mem::take(&mut schema.metadata);
    let mut pairs: Vec<KeyValue> = notes
        .iter()
        .map(|(key, value)| KeyValue::new(key.clone(), value.clone()))
        .collect();
    if !table.metadata().is_empty() {
        pairs.push(KeyValue::new(
            HEADER.to_owned(),
            text_of_cards(table.metadata()),
        ));
    }
    let properties = WriterProperties::builder()
        .set_created_by("pantler".to_owned())
        .set_compression(Compression::SNAPPY)
        .set_key_value_metadata(Some(pairs))
        .build();
    let schema = Arc::new(schema);
    let batch = table.batch().clone().with_schema(Arc::clone(&schema))?;
    let mut writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties))?;
    writer.write(&batch)?;
    Ok(Bytes::from(writer.into_inner()?))
}

#[cfg(test)]
mod tests;
