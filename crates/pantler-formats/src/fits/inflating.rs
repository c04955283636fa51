//! A file that is wrapped whole in gzip, inflated from its start and only as far as somebody asks.
//!
//! [`Opened`](super::opened::Opened) reads through it, and the engine undoes a gzip with [`inflate`]. The packed bytes are
//! fetched in pieces that grow, so a header at the front of a large file costs one small piece. There is no way back:
//! whoever needs bytes again keeps them. It knows nothing of FITS. The format is RFC 1952; several members one after the
//! other are one file.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use pantler_core::{FormatError, Source};

/// The first piece of packed bytes; later ones are four times as long each, up to [`LARGEST_PIECE`].
const FIRST_PIECE: u64 = 32 << 10;

/// The largest piece of packed bytes.
const LARGEST_PIECE: u64 = 4 << 20;

/// No file is inflated to more than this, whatever it claims.
pub(crate) const LARGEST_INFLATED: u64 = 8 << 30;

/// So much is inflated between looks at how much came of it: deflate makes at most about 1000 times as much of it.
const FED: usize = 4 << 10;

/// A gzip that is being undone.
pub(crate) struct Inflating {
    decoder: MultiGzDecoder<Vec<u8>>,
    /// Packed bytes that are fetched, and not inflated yet.
    held: Bytes,
    next: u64,
    end: u64,
    piece: u64,
    position: u64,
    finished: bool,
}

impl Inflating {
    /// Starts at the first byte of a gzip of `packed` bytes.
    pub(crate) fn new(packed: u64) -> Inflating {
        Inflating {
            decoder: MultiGzDecoder::new(Vec::new()),
            held: Bytes::new(),
            next: 0,
            end: packed,
            piece: FIRST_PIECE,
            position: 0,
            finished: false,
        }
    }

    /// Returns how many bytes were taken so far.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Returns the next bytes, as many as were asked for unless the file ends before. Memory grows with what comes, not
    /// with what is asked for.
    pub(crate) fn take(&mut self, source: &dyn Source, bytes: u64) -> Result<Bytes, FormatError> {
        while (self.decoder.get_ref().len() as u64) < bytes && !self.finished {
            self.go_on(source)?;
        }
        let mut taken = std::mem::take(self.decoder.get_mut());
        let rest = match usize::try_from(bytes) {
            Ok(bytes) if bytes < taken.len() => taken.split_off(bytes),
            _ => Vec::new(),
        };
        *self.decoder.get_mut() = rest;
        self.position += taken.len() as u64;
        Ok(taken.into())
    }

    fn go_on(&mut self, source: &dyn Source) -> Result<(), FormatError> {
        let damaged = |error: io::Error| FormatError::Corrupt {
            file: source.name().to_owned(),
            unit: None,
            why: format!("the gzip data are damaged: {error}"),
        };
        if self.held.is_empty() && self.next == self.end {
            self.finished = true;
            return self.decoder.try_finish().map_err(damaged);
        }
        if self.held.is_empty() {
            let range = self.next..self.end.min(self.next.saturating_add(self.piece));
            let fetched = source.read_ranges(std::slice::from_ref(&range))?.pop();
            self.held = fetched.unwrap_or_default();
            self.next = range.end;
            self.piece = (self.piece * 4).min(LARGEST_PIECE);
        }
        let fed = self.held.split_to(self.held.len().min(FED));
        let written = self.decoder.write_all(&fed);
        // After an error the decoder must not be asked again.
        self.finished |= written.is_err();
        written.map_err(damaged)
    }
}

/// Undoes a gzip that wraps a whole file; fails where it is damaged or inflates to more than `most` bytes.
pub fn inflate(source: &dyn Source, most: u64) -> Result<Bytes, FormatError> {
    let mut inflating = Inflating::new(source.bytes()?);
    let inflated = inflating.take(source, most.saturating_add(1))?;
    if inflated.len() as u64 > most {
        return Err(FormatError::Unsupported {
            file: source.name().to_owned(),
            why: format!("it inflates to more than {most} bytes"),
        });
    }
    Ok(inflated)
}
