//! Sums over the bytes of every HDU, by which readers find damage (FITS standard 4.0, section 4.4.2.7 and appendix J).
//!
//! A header that is written keeps room for both cards; [`stamp`] fills them in when the file is complete. The cards say
//! nothing of when they were made, so that the same object gives the same bytes.

use bytes::Bytes;
use fitsio_pure::checksum::{checksum_blocks, encode_checksum};
use pantler_core::FormatError;

use super::card::CARD;
use super::hdu_writing::HeaderWriting;
use super::place::Place;
use super::structure::{BLOCK, Hdu};

/// The keyword of the sum of a whole HDU.
pub(crate) const CHECKSUM: &str = "CHECKSUM";

/// The keyword of the sum of an HDU's data.
pub(crate) const DATASUM: &str = "DATASUM";

/// What stands on a card of a sum that is yet to be counted: as many characters as the sum takes.
pub(crate) const NO_CHECKSUM: &str = "0000000000000000";
const NO_DATASUM: &str = "0000000000";

/// The place of a text's first character on a card.
const VALUE: usize = 11;

/// Returns whether a card says a sum of the bytes of the file that it was read from, or of an image before its compression.
pub(crate) fn is_checksum(keyword: &str) -> bool {
    matches!(keyword, CHECKSUM | DATASUM | "ZHECKSUM" | "ZDATASUM")
}

/// Adds the cards to a header that is otherwise complete.
pub(crate) fn make_room(header: &mut HeaderWriting) {
    header.add(CHECKSUM, NO_CHECKSUM, "makes the sum of the HDU all ones");
    header.add(DATASUM, NO_DATASUM, "sum of the data");
}

/// Fills in the sums of every HDU of a file that was written here.
pub(crate) fn stamp(file: Bytes, place: &Place) -> Result<Bytes, FormatError> {
    let mut bytes = Vec::from(file);
    let size = bytes.len() as u64;
    let (mut start, mut index) = (0, 0);
    while start < bytes.len() {
        let damaged = || place.corrupt("a file that was written here has no sound header");
        let length = header_length(&bytes[start..]).ok_or_else(damaged)?;
        let header = Bytes::copy_from_slice(&bytes[start..start + length]);
        let hdu = Hdu::parse(&header, start as u64, index, size, place)?;
        hdu.check_data()?;
        // The data end inside of the file, so this is no more than its size, which is a `usize`.
        let end = hdu.shape.data.end.next_multiple_of(BLOCK) as usize;
        let (from, until) = (start + length, end.min(bytes.len()));
        let whole = (until - from).is_multiple_of(BLOCK as usize);
        let data = if whole {
            checksum_blocks(&bytes[from..until])
        } else {
            return Err(damaged());
        };
        let header = &mut bytes[start..from];
        fill(header, DATASUM, format!("{data:<10}").as_bytes());
        let sum = added(checksum_blocks(header), data);
        fill(header, CHECKSUM, &encode_checksum(sum, true));
        (start, index) = (end, index + 1);
    }
    Ok(Bytes::from(bytes))
}

fn header_length(bytes: &[u8]) -> Option<usize> {
    let end = bytes
        .chunks_exact(CARD)
        .position(|card| card.starts_with(b"END     "))?;
    let length = (end + 1)
        .checked_mul(CARD)?
        .next_multiple_of(BLOCK as usize);
    (length <= bytes.len()).then_some(length)
}

/// Writes a text over the value of a keyword's last card, if it has one that is a text.
pub(crate) fn fill(header: &mut [u8], keyword: &str, value: &[u8]) {
    let start = format!("{keyword:<8}= '");
    let card = header
        .chunks_exact_mut(CARD)
        .rev()
        .find(|card| card.starts_with(start.as_bytes()));
    if let Some(field) = card.and_then(|card| card.get_mut(VALUE..VALUE + value.len())) {
        field.copy_from_slice(value);
    }
}

/// Adds two sums of words with the carry brought round.
pub(crate) fn added(one: u32, other: u32) -> u32 {
    let (sum, carry) = one.overflowing_add(other);
    sum.wrapping_add(u32::from(carry))
}
