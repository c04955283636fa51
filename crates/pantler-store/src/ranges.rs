//! Arithmetic on byte ranges that others chose: every store checks its requests here before it takes memory.

use std::ops::Range;

use pantler_core::StoreError;

/// Returns the length of a range if it lies within an artifact of `bytes` bytes.
pub(crate) fn check(location: &str, bytes: u64, range: &Range<u64>) -> Result<usize, StoreError> {
    let out_of_range = || StoreError::OutOfRange {
        location: location.to_owned(),
        bytes,
        start: range.start,
        end: range.end,
    };
    if range.end > bytes {
        return Err(out_of_range());
    }
    let length = range
        .end
        .checked_sub(range.start)
        .ok_or_else(out_of_range)?;
    usize::try_from(length).map_err(|_| out_of_range())
}

/// Returns how many requests are left of `ranges` once those that touch or overlap are read together.
///
/// Empty ranges need no request.
pub(crate) fn count_contiguous(ranges: &[Range<u64>]) -> u64 {
    let mut sorted: Vec<&Range<u64>> = ranges.iter().filter(|range| !range.is_empty()).collect();
    sorted.sort_by_key(|range| range.start);
    let mut count = 0;
    let mut reached = None;
    for range in sorted {
        match reached {
            Some(end) if range.start <= end => reached = Some(range.end.max(end)),
            _ => {
                count += 1;
                reached = Some(range.end);
            }
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contiguous_ranges_count_once() {
        assert_eq!(count_contiguous(&[]), 0);
        assert_eq!(count_contiguous(&[3..3, 7..7]), 0);
        assert_eq!(count_contiguous(&[0..10, 10..20]), 1);
        assert_eq!(count_contiguous(&[10..20, 0..11, 15..17]), 1);
        assert_eq!(count_contiguous(&[0..10, 11..20, 19..30]), 2);
    }

    #[test]
    fn a_range_that_runs_backwards_or_overflows_is_refused() {
        #[expect(clippy::reversed_empty_ranges, reason = "that is the hostile case")]
        let backwards = 7..3;
        assert!(matches!(
            check("x", 10, &backwards),
            Err(StoreError::OutOfRange {
                start: 7,
                end: 3,
                ..
            })
        ));
        assert!(check("x", 10, &(0..u64::MAX)).is_err());
        assert!(check("x", 10, &(11..11)).is_err());
        assert_eq!(check("x", 10, &(10..10)).ok(), Some(0));
    }
}
