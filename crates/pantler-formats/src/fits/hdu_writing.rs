//! HDUs as bytes: headers with their mandatory cards, images plain or in compressed tiles, tables.
//!
//! The same input gives the same bytes: no dates. Room is kept for checksums, which are filled in when the file is complete. What the cards of a plane or a table are is decided by the
//! callers.

use bytes::Bytes;
use fitsio_pure::compress::{
    Algorithm as Codec, Dither, DitherSeed, Quantize, TileCompression, compress_image_hdu,
};
use pantler_core::FormatError;
use pantler_core::write_recipe::{Algorithm, Compression};
use pantler_objects::{Card, CardValue, Pixels};

use super::card::{read_cards, write_card, write_end, write_new};
use super::checksum::{is_checksum, make_room};
use super::place::Place;
use super::scaling::to_bytes;

/// A header that is being written.
#[derive(Default)]
pub(crate) struct HeaderWriting {
    bytes: Vec<u8>,
    unfit: Option<String>,
}

impl HeaderWriting {
    /// Adds a keyword with value and comment.
    pub(crate) fn add(&mut self, keyword: &str, value: impl Into<CardValue>, comment: &str) {
        let value = value.into();
        if let Some(why) = misfit(keyword, &value) {
            self.unfit.get_or_insert(why);
        }
        write_new(&mut self.bytes, keyword, &value, comment);
    }

    /// Adds a card as it was read, if it was; sums of other bytes are left out.
    pub(crate) fn card(&mut self, card: &Card) {
        if is_checksum(card.keyword()) {
            return;
        }
        if card.raw().is_none()
            && let Some(why) = misfit(card.keyword(), card.value())
        {
            self.unfit.get_or_insert(why);
        }
        write_card(&mut self.bytes, card);
    }

    /// Appends the header to a file; fails if a card could not be written as it is.
    pub(crate) fn finish(mut self, out: &mut Vec<u8>, place: &Place) -> Result<(), FormatError> {
        if let Some(why) = self.unfit {
            return Err(place.unsupported(why));
        }
        make_room(&mut self);
        write_end(&mut self.bytes);
        out.extend_from_slice(&self.bytes);
        Ok(())
    }
}

/// No keyword may be longer, so that a number still stands on the card.
const LONGEST_KEYWORD: usize = 40;

/// Returns why a card cannot be written without loss.
fn misfit(keyword: &str, value: &CardValue) -> Option<String> {
    let printable = |text: &str| text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let known =
        keyword.len() <= LONGEST_KEYWORD && keyword.trim() == keyword && !keyword.contains('=');
    if !known || !printable(keyword) {
        return Some(format!(
            "no card can have the keyword `{}`",
            keyword.escape_default()
        ));
    }
    match value {
        CardValue::Text(text) if !printable(text) => Some(format!(
            "the value of {keyword} has characters that no card can hold"
        )),
        _ => None,
    }
}

/// Starts the header of a primary HDU without pixels.
pub(crate) fn empty_primary() -> HeaderWriting {
    let mut header = HeaderWriting::default();
    header.add("SIMPLE", true, "file conforms to the FITS standard");
    header.add("BITPIX", 8, "bits per pixel");
    header.add("NAXIS", 0, "number of axes");
    header.add("EXTEND", true, "there are extensions");
    header
}

/// Appends an image HDU: as the primary one if it is the first, else as an extension.
pub(crate) fn write_image(
    out: &mut Vec<u8>,
    pixels: &Pixels,
    (width, height): (u64, u64),
    compression: &Compression,
    cards: &[Card],
    place: &Place,
) -> Result<(), FormatError> {
    let tiles = match codec(compression, (width, height)) {
        Some(how) if !pixels.is_empty() && !out.is_empty() => {
            compressed(pixels, width, height, &how, place)?
        }
        _ => None,
    };
    if let Some(table) = tiles {
        return write_tiles(out, &table, cards, place);
    }
    let (bitpix, zero, data) = to_bytes(pixels);
    let mut header = HeaderWriting::default();
    if out.is_empty() {
        header.add("SIMPLE", true, "file conforms to the FITS standard");
    } else {
        header.add("XTENSION", "IMAGE", "image extension");
    }
    header.add("BITPIX", bitpix, "bits per pixel");
    header.add("NAXIS", 2, "number of axes");
    header.add("NAXIS1", integer(width), "columns");
    header.add("NAXIS2", integer(height), "rows");
    if out.is_empty() {
        header.add("EXTEND", true, "there may be extensions");
    } else {
        header.add("PCOUNT", 0, "");
        header.add("GCOUNT", 1, "");
    }
    if let Some(zero) = zero {
        header.add("BSCALE", 1.0, "");
        header.add("BZERO", zero, "the pixels are shifted by this");
    }
    for card in cards {
        header.card(card);
    }
    header.finish(out, place)?;
    write_data(out, &data, 0);
    Ok(())
}

/// Appends data and fills the last block.
pub(crate) fn write_data(out: &mut Vec<u8>, data: &[u8], filling: u8) {
    out.extend_from_slice(data);
    out.resize(out.len().next_multiple_of(2880), filling);
}

/// Returns the settings of the codec; `None` to leave the pixels as they are.
fn codec(compression: &Compression, (width, height): (u64, u64)) -> Option<TileCompression> {
    let codec = match compression.algorithm? {
        Algorithm::Rice => TileCompression::new(Codec::Rice),
        Algorithm::Gzip => TileCompression::new(Codec::Gzip),
        Algorithm::Gzip2 => TileCompression::gzip2(),
    };
    let codec = match compression.quantize {
        None => codec.lossless(),
        Some(rounding) => {
            let dither = if rounding.dither {
                Dither::Subtractive
            } else {
                Dither::None
            };
            let seed = rounding
                .seed
                .map_or(DitherSeed::Checksum, DitherSeed::Fixed);
            let quantize = Quantize::new().level(rounding.level);
            codec.quantize(quantize.dither(dither).seed(seed))
        }
    };
    let Some((columns, rows)) = compression.tile else {
        return Some(codec);
    };
    // A tile is no larger than the image, and 0 is all of it.
    let length = |wanted: u64, all: u64| match wanted {
        0 => all.max(1) as usize,
        some => some.min(all.max(1)) as usize,
    };
    Some(codec.tile_dims(&[length(columns, width), length(rows, height)]))
}

/// Returns an image as a table of tiles; `None` for pixel types that have no codec.
fn compressed(
    pixels: &Pixels,
    width: u64,
    height: u64,
    how: &TileCompression,
    place: &Place,
) -> Result<Option<Vec<u8>>, FormatError> {
    let axes = [width as usize, height as usize];
    let bytes = match pixels {
        Pixels::U8(pixels) => compress_image_hdu(&axes, pixels, how, &[]),
        Pixels::I8(pixels) => compress_image_hdu(&axes, pixels, how, &[]),
        Pixels::U16(pixels) => compress_image_hdu(&axes, pixels, how, &[]),
        Pixels::I16(pixels) => compress_image_hdu(&axes, pixels, how, &[]),
        Pixels::U32(pixels) => compress_image_hdu(&axes, pixels, how, &[]),
        Pixels::I32(pixels) => compress_image_hdu(&axes, pixels, how, &[]),
        Pixels::F32(pixels) => compress_image_hdu(&axes, pixels, how, &[]),
        Pixels::F64(pixels) => compress_image_hdu(&axes, pixels, how, &[]),
        Pixels::U64(_) | Pixels::I64(_) => return Ok(None),
    };
    match bytes {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) => Err(place.unsupported(format!("the pixels cannot be compressed: {error}"))),
    }
}

/// Appends the table of tiles with our cards behind those of the codec.
fn write_tiles(
    out: &mut Vec<u8>,
    table: &[u8],
    cards: &[Card],
    place: &Place,
) -> Result<(), FormatError> {
    let end = table
        .chunks_exact(80)
        .position(|card| card.starts_with(b"END     "));
    let length = end.map(|end| (end + 1).saturating_mul(80).next_multiple_of(2880));
    let Some((head, data)) = length.and_then(|length| table.split_at_checked(length)) else {
        return Err(place.unsupported("the pixels cannot be compressed"));
    };
    let mut header = HeaderWriting::default();
    for card in read_cards(&Bytes::copy_from_slice(head))
        .iter()
        .chain(cards)
    {
        header.card(card);
    }
    header.finish(out, place)?;
    write_data(out, data, 0);
    Ok(())
}

/// Returns a size as a card's whole number.
pub(crate) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
