//! The bytes of one artifact, as formatters see them.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use pantler_core::formatter::Source;
use pantler_core::store::{Pieces, RangeRequest};
use pantler_core::{Location, Store, StoreError};

/// An artifact in a store, of which some ranges are in memory already.
pub struct ArtifactSource<'a> {
    store: &'a dyn Store,
    location: Location,
    name: String,
    held: Vec<(Range<u64>, Held)>,
}

/// Bytes that were asked for already.
enum Held {
    Bytes(Bytes),
    Pieces(Arc<dyn Pieces>),
}

/// Ranges from this size on are worth decoding while they are being read.
const LARGE: u64 = 1 << 20;

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
        let mut small = Vec::new();
        for range in ranges {
            let large = range.end.saturating_sub(range.start) >= LARGE;
            let pieces = if large {
                self.store.in_pieces(&self.location, range)?
            } else {
                None
            };
            match pieces {
                Some(pieces) => self.held.push((range.clone(), Held::Pieces(pieces))),
                None => small.push(range.clone()),
            }
        }
        if !small.is_empty() {
            let bytes = self.fetch(&small)?.into_iter().map(Held::Bytes);
            self.held.extend(small.into_iter().zip(bytes));
        }
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

    fn find_held(&self, range: &Range<u64>) -> Option<(u64, &Held)> {
        let holds = |held: &Range<u64>| held.start <= range.start && range.end <= held.end;
        let found = self.held.iter().find(|(held, _)| holds(held))?;
        (range.start <= range.end).then_some((found.0.start, &found.1))
    }

    fn read_held(&self, range: &Range<u64>) -> Result<Option<Bytes>, StoreError> {
        // What is held is in memory or in a file that was looked at, so its measures are sizes of memory.
        let length = range.end.saturating_sub(range.start) as usize;
        Ok(match self.find_held(range) {
            Some((start, Held::Bytes(bytes))) => {
                let from = (range.start - start) as usize;
                Some(bytes.slice(from..from + length))
            }
            Some((_, Held::Pieces(pieces))) => {
                let mut buffer = vec![0; length];
                pieces.read_into(range.start, &mut buffer)?;
                Some(Bytes::from(buffer))
            }
            None => None,
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
        let mut answers = ranges
            .iter()
            .map(|range| self.read_held(range))
            .collect::<Result<Vec<Option<Bytes>>, StoreError>>()?;
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

    fn read_whole(&self, at_most: u64) -> Result<Option<Bytes>, StoreError> {
        if self.held.is_empty() {
            return self.store.read_whole(&self.location, at_most);
        }
        let size = self.bytes()?;
        if size > at_most {
            return Ok(None);
        }
        Ok(self.read_ranges(std::slice::from_ref(&(0..size)))?.pop())
    }

    fn in_pieces(&self, range: &Range<u64>) -> Result<Option<Arc<dyn Pieces>>, StoreError> {
        match self.find_held(range) {
            Some((_, Held::Pieces(pieces))) => Ok(Some(Arc::clone(pieces))),
            Some((_, Held::Bytes(_))) => Ok(None),
            None => self.store.in_pieces(&self.location, range),
        }
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
