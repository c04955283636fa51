//! Which row groups and pages of a Parquet file some rows lie in.
//!
//! A row group that holds none of the wanted rows is left alone. Inside the others, the offset index of a column tells where
//! each page starts and with which row; a column without one is read as a whole chunk.
//! (Parquet format, `PageIndex.md`.)

use std::ops::Range;
use std::sync::Arc;

use ::parquet::arrow::arrow_reader::{RowSelection, RowSelector};
use ::parquet::errors::Result as ParquetResult;
use ::parquet::file::metadata::{
    ColumnChunkMask, PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader,
};
use pantler_core::{FormatError, RowRanges, Source};

use crate::whole::corrupt;

use super::pieces::{Pieces, joined};

/// The wanted rows of the row groups that hold any.
pub(super) struct WantedRows {
    groups: Vec<(usize, RowSelection)>,
}

impl WantedRows {
    /// Finds the row groups; an error if the file has fewer rows.
    pub(super) fn of(
        metadata: &ParquetMetaData,
        wanted: &RowRanges,
        source: &dyn Source,
    ) -> Result<WantedRows, FormatError> {
        let counts = metadata.row_groups().iter();
        let counts = counts.map(|group| u64::try_from(group.num_rows()).unwrap_or(0));
        let (mut groups, mut start) = (Vec::new(), 0_u64);
        for (number, count) in counts.enumerate() {
            let end = start.saturating_add(count);
            let inside = wanted.within(start..end);
            if inside.count() > 0 {
                groups.push((number, selection(&inside, count)));
            }
            start = end;
        }
        if wanted.end() > start {
            return Err(FormatError::NoSuchRows {
                file: source.name().to_owned(),
                rows: start,
                wanted: wanted.clone(),
            });
        }
        Ok(WantedRows { groups })
    }

    /// Returns the numbers of the row groups.
    pub(super) fn groups(&self) -> Vec<usize> {
        self.groups.iter().map(|(number, _)| *number).collect()
    }

    /// Returns which rows of these row groups are wanted.
    pub(super) fn selection(&self) -> RowSelection {
        let selectors = self.groups.iter().flat_map(|(_, selection)| {
            let selectors: Vec<RowSelector> = selection.iter().copied().collect();
            selectors
        });
        selectors.collect::<Vec<_>>().into()
    }

    /// Reads the offset indexes of the columns `leaves`, and fetches the pages that hold the rows. Returns the metadata with
    /// these indexes.
    pub(super) fn fetch(
        &self,
        metadata: &Arc<ParquetMetaData>,
        leaves: &[usize],
        pieces: &mut Pieces<'_>,
        source: &dyn Source,
    ) -> Result<Arc<ParquetMetaData>, FormatError> {
        let wrong =
            |error: String| corrupt(source, None, format!("its page index is damaged: {error}"));
        let indexed = self
            .indexed(metadata, leaves, pieces)?
            .map_err(|error| wrong(error.to_string()))?;
        let mut ranges = Vec::new();
        for (number, selection) in &self.groups {
            for &leaf in leaves {
                let chunk = metadata.row_group(*number).column(leaf);
                let (start, length) = chunk.byte_range();
                let whole = start..start.saturating_add(length);
                let index = indexed.page_index();
                let index = index.and_then(|index| index.offset_index(*number, leaf));
                match index.map(|index| index.page_locations().as_slice()) {
                    Some([first, ..]) => {
                        let first = u64::try_from(first.offset).unwrap_or(0);
                        // The dictionary lies in front of the pages.
                        ranges.push(start..first.max(start).min(whole.end));
                        let pages =
                            index.map(|index| selection.scan_ranges(index.page_locations()));
                        ranges.extend(pages.into_iter().flatten());
                    }
                    _ => ranges.push(whole),
                }
            }
        }
        pieces.fetch(&ranges)?;
        Ok(indexed)
    }

    fn indexed(
        &self,
        metadata: &Arc<ParquetMetaData>,
        leaves: &[usize],
        pieces: &mut Pieces<'_>,
    ) -> Result<ParquetResult<Arc<ParquetMetaData>>, FormatError> {
        let groups = self.groups();
        let indexes = offset_indexes(metadata, &groups, leaves);
        let Some(range) = indexes else {
            return Ok(Ok(Arc::clone(metadata)));
        };
        pieces.fetch(&[range])?;
        let reader = ParquetMetaDataReader::new_with_metadata(metadata.as_ref().clone())
            .with_column_index_policy(PageIndexPolicy::Skip)
            .with_offset_index_policy(PageIndexPolicy::Optional)
            .with_offset_index_mask(ColumnChunkMask::row_groups_and_columns(
                groups,
                leaves.iter().copied(),
            ));
        let mut reader = reader;
        let read = reader.read_page_indexes(pieces.held());
        Ok(read.and_then(|()| reader.finish()).map(Arc::new))
    }
}

fn selection(wanted: &RowRanges, rows: u64) -> RowSelection {
    let ranges = wanted.ranges().iter();
    // Rows of a group, of which there are no more than the file has bytes to count them with.
    let ranges = ranges.map(|range| range.start as usize..range.end as usize);
    RowSelection::from_consecutive_ranges(ranges, rows as usize)
}

/// Returns the bytes from the first to the last offset index of these columns; `None` if there is none.
pub(super) fn offset_indexes(
    metadata: &ParquetMetaData,
    groups: &[usize],
    leaves: &[usize],
) -> Option<Range<u64>> {
    let chunks = groups
        .iter()
        .filter_map(|&number| metadata.row_groups().get(number))
        .flat_map(|group| leaves.iter().filter_map(|&leaf| group.columns().get(leaf)));
    let ranges: Vec<Range<u64>> = chunks
        .filter_map(|chunk| chunk.offset_index_range())
        .collect();
    let ranges = joined(&ranges);
    Some(ranges.first()?.start..ranges.last()?.end)
}
