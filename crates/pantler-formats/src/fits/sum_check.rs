//! Compares `DATASUM` and `CHECKSUM` of every HDU with its bytes, while these pass by (FITS standard 4.0, section 4.4.2.7 and
//! appendix J).
//!
//! `fsck --deep` feeds it what it digests anyway, so that a file is read once. It takes pieces of any size, keeps a block and a
//! header of them, and undoes a gzip that wraps the file. An HDU without the cards, or whose cards are blank, claims nothing
//! and is not judged. It decodes no data, and finds no damage that the sums do not see.

use std::io::{self, Write};

use bytes::Bytes;
use fitsio_pure::checksum::{checksum_blocks, encode_checksum};
use flate2::write::MultiGzDecoder;
use pantler_core::FormatError;
use pantler_core::formatter::{SumCheck, SumMismatch};
use pantler_objects::CardValue;

use super::card::{CARD, text_of};
use super::checksum::{CHECKSUM, DATASUM, NO_CHECKSUM, added, fill};
use super::inflating::LARGEST_INFLATED;
use super::place::Place;
use super::structure::{BLOCK, Hdu, LONGEST_HEADER, is_end};

/// The first bytes of a gzip (RFC 1952).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The sums of a FITS file.
#[derive(Default)]
pub(crate) struct FitsSums {
    way: Way,
}

enum Way {
    /// Too few bytes came to tell.
    Unknown(Vec<u8>),
    Plain(Box<Walk>),
    Wrapped(Box<MultiGzDecoder<Walk>>),
    /// The gzip is damaged.
    Failed(Vec<SumMismatch>),
}

impl Default for Way {
    fn default() -> Way {
        Way::Unknown(Vec::new())
    }
}

impl SumCheck for FitsSums {
    fn take(&mut self, bytes: &[u8]) {
        match &mut self.way {
            Way::Unknown(first) => {
                first.extend_from_slice(bytes);
                if first.len() < GZIP.len() {
                    return;
                }
                let first = std::mem::take(first);
                self.way = if first.starts_with(&GZIP) {
                    Way::Wrapped(Box::new(MultiGzDecoder::new(Walk::default())))
                } else {
                    Way::Plain(Box::default())
                };
                self.take(&first);
            }
            Way::Plain(walk) => walk.take(bytes),
            Way::Wrapped(decoder) => {
                if let Err(error) = decoder.write_all(bytes) {
                    let mut found = std::mem::take(&mut decoder.get_mut().found);
                    found.push(damaged_gzip(&error));
                    self.way = Way::Failed(found);
                }
            }
            Way::Failed(_) => {}
        }
    }

    fn finish(self: Box<Self>) -> Vec<SumMismatch> {
        match self.way {
            Way::Unknown(_) => Vec::new(),
            Way::Plain(walk) => walk.finish(),
            Way::Wrapped(mut decoder) => {
                let end = decoder.try_finish();
                let walk = std::mem::take(decoder.get_mut());
                match end {
                    Ok(()) => walk.finish(),
                    Err(error) => {
                        let mut found = walk.found;
                        found.push(damaged_gzip(&error));
                        found
                    }
                }
            }
            Way::Failed(found) => found,
        }
    }
}

fn damaged_gzip(error: &io::Error) -> SumMismatch {
    SumMismatch {
        unit: None,
        why: format!("the gzip that wraps it is damaged: {error}"),
    }
}

/// The HDUs of a file, one after the other.
#[derive(Default)]
struct Walk {
    /// The beginning of a block.
    pending: Vec<u8>,
    taken: u64,
    index: usize,
    header: Vec<u8>,
    current: Option<Current>,
    /// Nothing that follows can be told.
    ended: bool,
    found: Vec<SumMismatch>,
}

/// The HDU whose data pass by.
struct Current {
    unit: String,
    datasum: Option<String>,
    checksum: Option<String>,
    header: Vec<u8>,
    blocks_left: u64,
    sum: u32,
}

impl Write for Walk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.take(bytes);
        if self.taken > LARGEST_INFLATED {
            return Err(io::Error::other("it inflates to more than is read"));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Walk {
    fn take(&mut self, mut bytes: &[u8]) {
        const LENGTH: usize = BLOCK as usize;
        self.taken = self.taken.saturating_add(bytes.len() as u64);
        if !self.pending.is_empty() {
            let missing = LENGTH - self.pending.len();
            let (first, rest) = bytes.split_at(missing.min(bytes.len()));
            self.pending.extend_from_slice(first);
            bytes = rest;
            if self.pending.len() < LENGTH {
                return;
            }
            let block = std::mem::take(&mut self.pending);
            self.blocks(&block);
        }
        let whole = bytes.len() - bytes.len() % LENGTH;
        let (blocks, rest) = bytes.split_at(whole);
        self.blocks(blocks);
        self.pending.extend_from_slice(rest);
    }

    fn blocks(&mut self, mut blocks: &[u8]) {
        const LENGTH: usize = BLOCK as usize;
        while !blocks.is_empty() && !self.ended {
            let Some(current) = &mut self.current else {
                let (block, rest) = blocks.split_at(LENGTH);
                self.header_block(block);
                blocks = rest;
                continue;
            };
            let here = (blocks.len() / LENGTH) as u64;
            // No more than there are here, so it is a `usize`.
            let count = current.blocks_left.min(here) as usize;
            let (data, rest) = blocks.split_at(count * LENGTH);
            current.sum = added(current.sum, checksum_blocks(data));
            current.blocks_left -= count as u64;
            blocks = rest;
            self.end_hdu();
        }
    }

    fn header_block(&mut self, block: &[u8]) {
        let starts = block.starts_with(b"SIMPLE  ") || block.starts_with(b"XTENSION");
        if self.header.is_empty() && !starts {
            // Filling after the last HDU is no damage.
            if block.iter().any(|&byte| byte != 0 && byte != b' ') {
                self.stop("no FITS header starts where this HDU would be");
            }
            self.ended = true;
            return;
        }
        self.header.extend_from_slice(block);
        if block.chunks_exact(CARD).any(is_end) {
            self.begin_hdu();
        } else if self.header.len() as u64 > LONGEST_HEADER {
            self.stop("its header has no END");
        }
    }

    fn begin_hdu(&mut self) {
        let header = std::mem::take(&mut self.header);
        let place = Place::file("");
        let hdu = match Hdu::parse(
            &Bytes::copy_from_slice(&header),
            0,
            self.index,
            u64::MAX,
            &place,
        ) {
            Ok(hdu) => hdu,
            Err(error) => return self.stop(&reason(error)),
        };
        let data = hdu.shape.data.end - hdu.shape.data.start;
        let unit = match hdu.shape.name.as_str() {
            "" => format!("HDU {}", self.index),
            name => format!("HDU {} ({name})", self.index),
        };
        // A number stands where some programs do not write a text.
        let datasum = match hdu.cards.get(DATASUM) {
            Some(CardValue::Integer(number)) => number.to_string(),
            _ => text_of(&hdu.cards, DATASUM),
        };
        self.current = Some(Current {
            unit,
            datasum: Some(datasum).filter(|text| !text.is_empty()),
            checksum: Some(text_of(&hdu.cards, CHECKSUM))
                .filter(|text| !text.is_empty() && text != NO_CHECKSUM),
            header,
            blocks_left: data.div_ceil(BLOCK),
            sum: 0,
        });
        self.end_hdu();
    }

    /// Judges the HDU if all of it has passed.
    fn end_hdu(&mut self) {
        if let Some(current) = self.current.take_if(|current| current.blocks_left == 0) {
            self.found.extend(current.mismatch());
            self.index += 1;
        }
    }

    fn stop(&mut self, why: &str) {
        self.ended = true;
        self.found.push(SumMismatch {
            unit: Some(format!("HDU {}", self.index)),
            why: why.to_owned(),
        });
    }

    fn finish(mut self) -> Vec<SumMismatch> {
        let rest = std::mem::take(&mut self.pending);
        // Some programs leave the filling of the last block out.
        if !rest.is_empty() && self.current.is_some() && !self.ended {
            let mut block = rest;
            block.resize(BLOCK as usize, 0);
            self.blocks(&block);
        }
        if self.ended {
            return self.found;
        }
        if !self.header.is_empty() {
            self.stop("its header has no END before the end of the file");
        } else if let Some(current) = self.current.take() {
            self.found.push(SumMismatch {
                unit: Some(current.unit),
                why: format!(
                    "the file ends {} blocks of {BLOCK} bytes before the end of its data",
                    current.blocks_left
                ),
            });
        }
        self.found
    }
}

impl Current {
    /// What does not agree. Where the data do not, the sum of the whole HDU cannot, and is not told as well.
    fn mismatch(&self) -> Option<SumMismatch> {
        let why = match &self.datasum {
            Some(said) if said.parse() != Ok(self.sum) => {
                format!(
                    "its data sum to {}, and {said} was expected ({DATASUM})",
                    self.sum
                )
            }
            of_data => {
                let total = added(checksum_blocks(&self.header), self.sum);
                // All ones, or all zeros: both are zero in this arithmetic.
                let said = self
                    .checksum
                    .as_ref()
                    .filter(|_| !matches!(total, 0 | u32::MAX))?;
                let own = self.own_checksum();
                let header = match of_data {
                    Some(_) => "; its data agree, so its header was changed",
                    None => "",
                };
                format!(
                    "the sum of its header and data is {own}, and {said} was expected ({CHECKSUM}){header}"
                )
            }
        };
        Some(SumMismatch {
            unit: Some(self.unit.clone()),
            why,
        })
    }

    /// The value that the card would have to have.
    fn own_checksum(&self) -> String {
        let mut header = self.header.clone();
        fill(&mut header, CHECKSUM, NO_CHECKSUM.as_bytes());
        let sum = added(checksum_blocks(&header), self.sum);
        String::from_utf8_lossy(&encode_checksum(sum, true)).into_owned()
    }
}

fn reason(error: FormatError) -> String {
    match error {
        FormatError::Corrupt { why, .. } | FormatError::Unsupported { why, .. } => why,
        other => other.to_string(),
    }
}
