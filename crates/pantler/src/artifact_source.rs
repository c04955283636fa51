//! The bytes of one artifact, as formatters see them.

use std::ops::Range;

use bytes::Bytes;
use pantler_core::formatter::Source;
use pantler_core::store::RangeRequest;
use pantler_core::{Location, Store, StoreError};

/// An artifact in a store, of which some ranges are in memory already.
pub struct ArtifactSource<'a> {
    store: &'a dyn Store,
    location: Location,
    name: String,
    held: Vec<(u64, Bytes)>,
}

impl<'a> ArtifactSource<'a> {
    /// Looks at an artifact; `name` is for messages.
    pub fn new(store: &'a dyn Store, location: &Location, name: &str) -> ArtifactSource<'a> {
        ArtifactSource {
            store,
            location: location.clone(),
            name: name.to_owned(),
            held: Vec::new(),
        }
    }

    /// Reads ranges now, in one request, so that the formatter need not ask for each.
    pub fn prefetch(&mut self, ranges: &[Range<u64>]) -> Result<(), StoreError> {
        let bytes = self.fetch(ranges)?;
        self.held = ranges.iter().map(|range| range.start).zip(bytes).collect();
        Ok(())
    }

    fn fetch(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, StoreError> {
        let request = RangeRequest {
            location: self.location.clone(),
            ranges: ranges.to_vec(),
        };
        let mut answers = self.store.read_ranges(&[request])?;
        Ok(answers.pop().unwrap_or_default())
    }

    fn find_held(&self, range: &Range<u64>) -> Option<Bytes> {
        self.held.iter().find_map(|(start, bytes)| {
            let from = usize::try_from(range.start.checked_sub(*start)?).ok()?;
            let to = usize::try_from(range.end.checked_sub(*start)?).ok()?;
            (from <= to && to <= bytes.len()).then(|| bytes.slice(from..to))
        })
    }
}

impl Source for ArtifactSource<'_> {
    fn name(&self) -> &str {
        &self.name
    }

    fn bytes(&self) -> Result<u64, StoreError> {
        let mut stats = self.store.stat_many(std::slice::from_ref(&self.location))?;
        match stats.pop().flatten() {
            Some(stat) => Ok(stat.bytes),
            None => Err(StoreError::NotFound {
                root: self.store.root().to_owned(),
                location: self.location.to_string(),
            }),
        }
    }

    fn read_ranges(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, StoreError> {
        let mut answers: Vec<Option<Bytes>> =
            ranges.iter().map(|range| self.find_held(range)).collect();
        let wanted: Vec<Range<u64>> = ranges
            .iter()
            .zip(&answers)
            .filter(|(_, held)| held.is_none())
            .map(|(range, _)| range.clone())
            .collect();
        let mut fetched = if wanted.is_empty() {
            Vec::new()
        } else {
            self.fetch(&wanted)?
        }
        .into_iter();
        for answer in answers.iter_mut().filter(|answer| answer.is_none()) {
            *answer = fetched.next();
        }
        Ok(answers.into_iter().flatten().collect())
    }
}

/// Bytes in memory, as formatters see them.
pub struct MemorySource {
    name: String,
    bytes: Bytes,
}

impl MemorySource {
    /// Wraps bytes; `name` is for messages.
    pub fn new(name: &str, bytes: Bytes) -> MemorySource {
        MemorySource {
            name: name.to_owned(),
            bytes,
        }
    }
}

impl Source for MemorySource {
    fn name(&self) -> &str {
        &self.name
    }

    fn bytes(&self) -> Result<u64, StoreError> {
        Ok(self.bytes.len() as u64)
    }

    fn read_ranges(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, StoreError> {
        let whole = self.bytes.len() as u64;
        ranges
            .iter()
            .map(|range| {
                if range.start > range.end || range.end > whole {
                    return Err(StoreError::OutOfRange {
                        location: self.name.clone(),
                        bytes: whole,
                        start: range.start,
                        end: range.end,
                    });
                }
                // Both ends are at most the buffer's length, which is a `usize`.
                Ok(self.bytes.slice(range.start as usize..range.end as usize))
            })
            .collect()
    }
}
