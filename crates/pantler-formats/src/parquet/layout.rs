//! Where footer, columns and page indexes of a Parquet file lie: what a registry keeps, so that a plan knows what some
//! columns or rows cost, and a read needs fewer requests.

use std::ops::Range;

use pantler_core::RowRanges;
use pantler_core::formatter::ReadRequest;
use serde_json::Value;

use super::pieces;

/// Where footer and columns of a file lie.
pub(super) struct Layout {
    pub(super) size: u64,
    footer: u64,
    columns: Vec<(String, Vec<Range<u64>>)>,
    /// The number of rows of each row group.
    rows: Vec<u64>,
    /// Where the indexes of pages lie.
    pages: Option<Range<u64>>,
}

impl Layout {
    /// Reads a layout; `None` if it is damaged, and so of no use.
    pub(super) fn parse(bytes: &[u8]) -> Option<Layout> {
        let document: Value = serde_json::from_slice(bytes).ok()?;
        let size = document.get("size")?.as_u64()?;
        let footer = document.get("footer")?.as_u64()?;
        let column = |column: &Value| {
            let name = column.get(0)?.as_str()?.to_owned();
            let numbers: Option<Vec<u64>> = column
                .get(1)?
                .as_array()?
                .iter()
                .map(Value::as_u64)
                .collect();
            let numbers = numbers?;
            let (pairs, rest) = numbers.as_chunks::<2>();
            let ranges: Vec<Range<u64>> = pairs.iter().map(|[start, end]| *start..*end).collect();
            let sound = |range: &Range<u64>| range.start <= range.end && range.end <= footer;
            (rest.is_empty() && ranges.iter().all(sound)).then_some((name, ranges))
        };
        let columns: Option<Vec<_>> = document
            .get("columns")?
            .as_array()?
            .iter()
            .map(column)
            .collect();
        // Layouts of older versions do not say how many rows there are.
        let rows = document.get("rows").and_then(Value::as_array);
        let rows: Option<Vec<u64>> = rows.into_iter().flatten().map(Value::as_u64).collect();
        let pages = document.get("pages").and_then(|pages| {
            let range = pages.get(0)?.as_u64()?..pages.get(1)?.as_u64()?;
            (range.start <= range.end && range.end <= footer).then_some(range)
        });
        (footer <= size).then_some(Layout {
            size,
            footer,
            columns: columns?,
            rows: rows?,
            pages,
        })
    }

    /// Returns the ranges that are read first: where the pages of some rows lie is not known before.
    pub(super) fn first_ranges(&self, request: &ReadRequest) -> Option<Vec<Range<u64>>> {
        if request.rows.as_ref().is_some_and(|rows| rows.count() > 0) && request.part.is_empty() {
            let ranges = self.pages.iter().cloned().chain([self.footer..self.size]);
            return Some(ranges.collect());
        }
        self.ranges(request)
    }

    /// Returns the chunks of a column that hold any of the rows.
    fn chunks(&self, chunks: &[Range<u64>], rows: Option<&RowRanges>) -> Vec<Range<u64>> {
        let (Some(rows), false) = (rows, self.rows.is_empty()) else {
            return chunks.to_vec();
        };
        // A column of structures has several chunks in each row group.
        let leaves = chunks.len() / self.rows.len();
        let (mut wanted, mut start) = (Vec::new(), 0_u64);
        for &count in &self.rows {
            let end = start.saturating_add(count);
            let inside = rows.within(start..end).count() > 0;
            wanted.extend(std::iter::repeat_n(inside, leaves));
            start = end;
        }
        let pairs = chunks.iter().cloned().zip(wanted);
        pairs
            .filter_map(|(range, wanted)| wanted.then_some(range))
            .collect()
    }

    /// Returns the ranges that a request needs; `None` if there is nothing such.
    pub(super) fn ranges(&self, request: &ReadRequest) -> Option<Vec<Range<u64>>> {
        let mut ranges = vec![self.footer..self.size];
        let rows = request.rows.as_ref();
        match (request.part.as_slice(), &request.columns) {
            ([], None) => {
                for (_, chunks) in &self.columns {
                    ranges.extend(self.chunks(chunks, rows));
                }
            }
            ([], Some(names)) => {
                for name in names {
                    let (_, found) = self.columns.iter().find(|(known, _)| known == name)?;
                    ranges.extend(self.chunks(found, rows));
                }
            }
            ([name], _) if name == "metadata" => {}
            _ => return None,
        }
        Some(pieces::joined(&ranges))
    }
}
