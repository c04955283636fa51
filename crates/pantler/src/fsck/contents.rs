//! Reads artifacts from end to end, once, and says what their bytes are: their digest, and whether the sums that a file holds of
//! itself agree with them.
//!
//! `fsck --deep` asks, and whoever needs a digest. It decides nothing.

use pantler_core::formatter::SumMismatch;
use pantler_core::store::RangeRequest;
use pantler_core::{Digest, Hasher, Location, Store, StoreError};
use pantler_formats::FormatterSet;

use crate::error::{Error, Result};

/// So many bytes are read at a time.
const PIECE: u64 = 4 << 20;

/// What the bytes of an artifact are.
#[derive(Debug, Clone)]
pub(super) struct Content {
    /// Their digest.
    pub(super) digest: Digest,
    /// The sums that do not agree: where, and what was expected.
    pub(super) mismatches: Vec<String>,
}

/// The contents of the artifacts of one store.
pub(super) struct Contents<'a> {
    store: &'a dyn Store,
    formatters: &'a FormatterSet,
    /// Datasets that lie in one file follow each other.
    last: Option<(Location, Content)>,
}

impl<'a> Contents<'a> {
    pub(super) fn new(store: &'a dyn Store, formatters: &'a FormatterSet) -> Contents<'a> {
        Contents {
            store,
            formatters,
            last: None,
        }
    }

    /// Returns what an artifact's bytes are; sums that do not agree are told once for the datasets of one file.
    pub(super) fn of(
        &mut self,
        location: &Location,
        storage: &str,
        wanted: &dyn Fn() -> Result<()>,
    ) -> Result<Content> {
        if let Some((last, content)) = &mut self.last
            && last == location
        {
            content.mismatches.clear();
            return Ok(content.clone());
        }
        let formatter = self.formatters.get(storage);
        let mut sums = formatter.and_then(|formatter| formatter.sum_check());
        let mut hasher = Hasher::default();
        each_piece(self.store, location, wanted, &mut |piece| {
            hasher.update(piece);
            if let Some(sums) = &mut sums {
                sums.take(piece);
            }
        })?;
        let mismatches = sums.map(|sums| sums.finish()).unwrap_or_default();
        let content = Content {
            digest: hasher.finish(),
            mismatches: mismatches.iter().map(told).collect(),
        };
        self.last = Some((location.clone(), content.clone()));
        Ok(content)
    }
}

fn told(mismatch: &SumMismatch) -> String {
    match &mismatch.unit {
        Some(unit) => format!("{unit}: {}", mismatch.why),
        None => mismatch.why.clone(),
    }
}

/// Computes the digest of an artifact, a piece at a time.
///
/// Before each piece `wanted` says whether it is still wanted.
pub(crate) fn digest_of(
    store: &dyn Store,
    location: &Location,
    wanted: &dyn Fn() -> Result<()>,
) -> Result<Digest> {
    let mut hasher = Hasher::default();
    each_piece(store, location, wanted, &mut |piece| {
        hasher.update(piece);
    })?;
    Ok(hasher.finish())
}

fn each_piece(
    store: &dyn Store,
    location: &Location,
    wanted: &dyn Fn() -> Result<()>,
    visit: &mut dyn FnMut(&[u8]),
) -> Result<()> {
    let stat = store
        .stat_many(std::slice::from_ref(location))?
        .pop()
        .flatten();
    let bytes = stat.map(|stat| stat.bytes).ok_or_else(|| {
        Error::Store(StoreError::NotFound {
            root: store.root().to_owned(),
            location: location.to_string(),
        })
    })?;
    let mut start = 0;
    while start < bytes {
        wanted()?;
        let end = bytes.min(start + PIECE);
        let request = RangeRequest {
            location: location.clone(),
            ranges: std::iter::once(start..end).collect(),
        };
        for piece in store.read_ranges(&[request])?.into_iter().flatten() {
            visit(&piece);
        }
        start = end;
    }
    Ok(())
}
