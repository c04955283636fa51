//! Which rows of a table are wanted: ranges of row numbers, as a request and a cache key hold them.
//!
//! Used by requests, formatters and the program. A value is always in one form, so that equal selections are equal keys:
//! ascending, without overlaps, and ranges that touch are one.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// Ranges of row numbers, counted from 0, each without its end: ascending and apart from each other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct RowRanges(Vec<Range<u64>>);

/// Row ranges that mean nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowRangesError {
    /// A range ends before it starts.
    #[error("the rows {start}:{end} end before they start")]
    Reversed {
        /// The first row.
        start: u64,
        /// The row behind the last.
        end: u64,
    },
    /// A range starts before the one in front of it ends.
    #[error(
        "the rows {start}:{end} start before row {before}, where the range in front of them ends; ranges must ascend"
    )]
    Order {
        /// The first row.
        start: u64,
        /// The row behind the last.
        end: u64,
        /// Where the range in front of it ends.
        before: u64,
    },
    /// A text is no range.
    #[error("`{text}` is no range of rows; write FIRST:END, for instance 0:10 for the first ten")]
    Text {
        /// The text.
        text: String,
    },
}

impl RowRanges {
    /// Takes ranges that ascend; empty ones are left out, and those that touch are joined.
    pub fn new(ranges: impl IntoIterator<Item = Range<u64>>) -> Result<RowRanges, RowRangesError> {
        let mut kept: Vec<Range<u64>> = Vec::new();
        let mut before = 0;
        for Range { start, end } in ranges {
            if start > end {
                return Err(RowRangesError::Reversed { start, end });
            }
            if start < before {
                return Err(RowRangesError::Order { start, end, before });
            }
            before = end;
            match kept.last_mut() {
                _ if start == end => {}
                Some(last) if last.end == start => last.end = end,
                _ => kept.push(start..end),
            }
        }
        Ok(RowRanges(kept))
    }

    /// Returns the first `count` rows, which are all rows of a table of so many.
    pub fn first(count: u64) -> RowRanges {
        RowRanges(
            std::iter::once(0..count)
                .filter(|all| !all.is_empty())
                .collect(),
        )
    }

    /// Returns the ranges in order; none is empty, and no two touch.
    pub fn ranges(&self) -> &[Range<u64>] {
        &self.0
    }

    /// Returns the number of rows.
    pub fn count(&self) -> u64 {
        // Ranges of numbers of 64 bits that lie apart cannot add up to more than such a number.
        self.0.iter().map(|range| range.end - range.start).sum()
    }

    /// Returns the row behind the last; 0 if there are none.
    pub fn end(&self) -> u64 {
        self.0.last().map_or(0, |range| range.end)
    }

    /// Returns the number of the row that is `place` rows behind the first one, counted from 0.
    pub fn row_at(&self, place: u64) -> Option<u64> {
        let mut left = place;
        for range in &self.0 {
            let length = range.end - range.start;
            if left < length {
                return Some(range.start + left);
            }
            left -= length;
        }
        None
    }

    /// Returns the rows of `part` that are among these, counted from the start of `part`.
    pub fn within(&self, part: Range<u64>) -> RowRanges {
        let cut = |range: &Range<u64>| {
            let (start, end) = (range.start.max(part.start), range.end.min(part.end));
            (start < end).then(|| start - part.start..end - part.start)
        };
        RowRanges(self.0.iter().filter_map(cut).collect())
    }
}

impl fmt::Display for RowRanges {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, range) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(out, "{comma}{}:{}", range.start, range.end)?;
        }
        Ok(())
    }
}

impl FromStr for RowRanges {
    type Err = RowRangesError;

    /// Reads `FIRST:END,FIRST:END`; `:END` starts at 0.
    fn from_str(text: &str) -> Result<RowRanges, RowRangesError> {
        let one = |piece: &str| {
            let wrong = || RowRangesError::Text {
                text: piece.to_owned(),
            };
            let (first, end) = piece.split_once(':').ok_or_else(wrong)?;
            let number = |text: &str| text.trim().parse::<u64>().map_err(|_| wrong());
            let first = if first.trim().is_empty() {
                0
            } else {
                number(first)?
            };
            Ok(first..number(end)?)
        };
        let ranges: Result<Vec<Range<u64>>, RowRangesError> = text.split(',').map(one).collect();
        RowRanges::new(ranges?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_selections_are_equal_values() {
        let read = |text: &str| text.parse::<RowRanges>();
        assert_eq!(read("0:5,5:5,5:9,12:13"), read(" 0:9, 12:13"));
        assert_eq!(read(":3").unwrap().ranges(), [0..3]);
        assert_eq!(read("4:4").unwrap(), RowRanges::default());
        let rows = read("2:4,7:8").unwrap();
        assert_eq!((rows.count(), rows.end()), (3, 8));
        assert_eq!(rows.to_string(), "2:4,7:8");
        let numbers: Vec<u64> = (0..9).map_while(|place| rows.row_at(place)).collect();
        assert_eq!(numbers, [2, 3, 7]);
        assert_eq!(RowRanges::first(9), read("0:9").unwrap());
        assert_eq!(RowRanges::first(0), RowRanges::default());
        assert_eq!(rows.within(3..8).to_string(), "0:1,4:5");
        assert_eq!(rows.within(4..7), RowRanges::default());
    }

    #[test]
    fn what_means_nothing_is_refused() {
        for text in ["", "3", "a:b", "1:", "-1:2", "0:5,", "0:1.5"] {
            let error = text.parse::<RowRanges>().unwrap_err();
            assert!(matches!(error, RowRangesError::Text { .. }), "{text}");
        }
        let error = "5:3".parse::<RowRanges>().unwrap_err();
        assert_eq!(error, RowRangesError::Reversed { start: 5, end: 3 });
        let error = "0:5,4:8".parse::<RowRanges>().unwrap_err();
        let expected = RowRangesError::Order {
            start: 4,
            end: 8,
            before: 5,
        };
        assert_eq!(error, expected);
    }
}
