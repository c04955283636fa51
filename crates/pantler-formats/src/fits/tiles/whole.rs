//! The checks of a compressed image, and the one place where `fitsio-pure` decodes, behind checks of all that it trusts.
//!
//! [`check`] stands in front of every decoder. [`decode`] is given one HDU that passed it, and its data. It hands the decoder a header that it made
//! itself out of checked values, and a buffer of just that HDU. The checks are there because the decoder takes memory and
//! loops as the header tells it; the catching of panics is a last net only.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use fitsio_pure::header::Card as TileCard;
use fitsio_pure::image::ImageData;
use fitsio_pure::value::Value as TileValue;
use pantler_core::FormatError;
use pantler_objects::{CardValue, Pixels};

use super::super::card::{integer_of, text_of};
use super::super::heap::{heap_range, table_of};
use super::super::place::Place;
use super::super::structure::{Hdu, HduKind, Table, product};

/// Deflate makes at most about this many bytes of one.
const DEFLATE_RATIO: u64 = 1040;

/// The other codecs can code long runs in next to nothing; nobody's images are this empty.
const RUN_RATIO: u64 = 16_384;

/// What every image may take, however small its tiles are.
const FREE_BYTES: u64 = 1 << 20;

/// Checks that the header of a compressed image asks for nothing that its data cannot give.
pub(super) fn check(
    hdu: &Hdu,
    bitpix: i64,
    axes: &[u64],
    table: Table,
    stored: u64,
) -> Result<(), FormatError> {
    if product(axes) == Some(0) || axes.is_empty() {
        return Ok(());
    }
    check_size(hdu, bitpix, axes, stored)?;
    check_tiles(hdu, axes, table)
}

/// Decodes the tiles of a compressed image that passed [`check`], before scaling.
pub(crate) fn decode(hdu: &Hdu, data: &Bytes) -> Result<Pixels, FormatError> {
    let HduKind::CompressedImage {
        bitpix,
        axes,
        table,
        ..
    } = &hdu.shape.kind
    else {
        return Err(hdu.place.corrupt("a compressed image was expected here"));
    };
    if product(axes) == Some(0) || axes.is_empty() {
        return empty(*bitpix, &hdu.place);
    }
    let data = check_heap(hdu, *table, data)?;
    let cards = trusted_cards(hdu, *table, data.len() as u64);
    let decoded = catch_unwind(AssertUnwindSafe(|| {
        let tiles = fitsio_pure::hdu::Hdu::from_cards(cards, 0, 0)?;
        fitsio_pure::tiled::read_tiled_image(&data, &tiles)
    }));
    let pixels = match decoded {
        Ok(Ok(pixels)) => pixels,
        Ok(Err(error)) => {
            return Err(hdu
                .place
                .corrupt(format!("its tiles cannot be decoded: {error}")));
        }
        Err(_) => return Err(hdu.place.corrupt("its tiles cannot be decoded")),
    };
    Ok(match pixels {
        ImageData::U8(pixels) => pixels.into(),
        ImageData::I16(pixels) => pixels.into(),
        ImageData::I32(pixels) => pixels.into(),
        ImageData::I64(pixels) => pixels.into(),
        ImageData::F32(pixels) => pixels.into(),
        ImageData::F64(pixels) => pixels.into(),
    })
}

fn empty(bitpix: i64, place: &Place) -> Result<Pixels, FormatError> {
    Ok(match bitpix {
        8 => Vec::<u8>::new().into(),
        16 => Vec::<i16>::new().into(),
        32 => Vec::<i32>::new().into(),
        64 => Vec::<i64>::new().into(),
        -32 => Vec::<f32>::new().into(),
        -64 => Vec::<f64>::new().into(),
        other => return Err(place.corrupt(format!("BITPIX is {other}, which is no pixel type"))),
    })
}

/// Checks that so many pixels can come out of so few bytes.
fn check_size(hdu: &Hdu, bitpix: i64, axes: &[u64], stored: u64) -> Result<(), FormatError> {
    let ratio = match text_of(&hdu.cards, "ZCMPTYPE").as_str() {
        "GZIP_1" | "GZIP_2" => DEFLATE_RATIO,
        "NOCOMPRESS" => 1,
        _ => RUN_RATIO,
    };
    let most = stored.saturating_mul(ratio).saturating_add(FREE_BYTES);
    product(axes)
        .and_then(|pixels| pixels.checked_mul(bitpix.unsigned_abs() / 8))
        .filter(|&bytes| bytes <= most)
        .map(|_| ())
        .ok_or_else(|| {
            hdu.place.corrupt(format!(
                "its {stored} bytes cannot hold an image of {axes:?} pixels"
            ))
        })
}

/// Checks that the tiles are as many as the table has rows, and that the decoder will come to an end.
fn check_tiles(hdu: &Hdu, axes: &[u64], table: Table) -> Result<(), FormatError> {
    let mut tiles = 1u64;
    let mut pixels = 1u64;
    for (n, &length) in (1..).zip(axes) {
        let default = if n == 1 { length } else { 1 };
        let tile = match integer_of(&hdu.cards, &format!("ZTILE{n}")) {
            None => default,
            Some(tile) => u64::try_from(tile)
                .ok()
                .filter(|&tile| tile >= 1)
                .ok_or_else(|| hdu.place.corrupt(format!("ZTILE{n} is {tile}")))?,
        };
        tiles = tiles.saturating_mul(length.div_ceil(tile));
        pixels = pixels.saturating_mul(tile.min(length));
    }
    if tiles != table.rows {
        return Err(hdu
            .place
            .corrupt(format!("it has {} tiles and needs {tiles}", table.rows)));
    }
    if pixels > i32::MAX as u64 {
        return Err(hdu.place.corrupt("its tiles are too large"));
    }
    if text_of(&hdu.cards, "ZCMPTYPE").starts_with("RICE") {
        check_rice(hdu)?;
    }
    Ok(())
}

fn check_rice(hdu: &Hdu) -> Result<(), FormatError> {
    for n in 1..=9 {
        let allowed: &[i64] = match text_of(&hdu.cards, &format!("ZNAME{n}")).as_str() {
            "BYTEPIX" => &[1, 2, 4, 8],
            "BLOCKSIZE" => &[8, 16, 32, 64, 128, 256],
            _ => continue,
        };
        let value = integer_of(&hdu.cards, &format!("ZVAL{n}"));
        if !value.is_some_and(|value| allowed.contains(&value)) {
            return Err(hdu.place.corrupt(format!("ZVAL{n} is no legal value")));
        }
    }
    // The decoder takes the first two by position, whatever their names are.
    let first = integer_of(&hdu.cards, "ZVAL1");
    if first.is_some_and(|first| !(1..=4096).contains(&first)) {
        return Err(hdu.place.corrupt("ZVAL1 is no legal value"));
    }
    Ok(())
}

/// Checks every descriptor, and returns the data with the heap directly behind the rows, where the decoder looks for it.
fn check_heap(hdu: &Hdu, table: Table, data: &Bytes) -> Result<Bytes, FormatError> {
    let columns = table_of(hdu)?;
    let variable: Vec<_> = columns.variable_columns().collect();
    let body = slice(hdu, data, 0, table.width.saturating_mul(table.rows))?;
    let heap = slice(hdu, data, table.heap, data.len() as u64)?;
    let width = usize::try_from(table.width).unwrap_or(usize::MAX).max(1);
    for row in body.chunks_exact(width) {
        for column in &variable {
            let range = heap_range(column, row);
            if range.is_none_or(|range| range.end > heap.len() as u64) {
                return Err(hdu
                    .place
                    .corrupt(format!("column `{}` points outside the heap", column.name)));
            }
        }
    }
    if table.heap == body.len() as u64 {
        return Ok(data.clone());
    }
    Ok(Bytes::from([&body[..], &heap[..]].concat()))
}

fn slice(hdu: &Hdu, data: &Bytes, from: u64, to: u64) -> Result<Bytes, FormatError> {
    let outside = || hdu.place.corrupt("its rows lie outside its data");
    let from = usize::try_from(from).map_err(|_| outside())?;
    let to = usize::try_from(to).map_err(|_| outside())?;
    if from > to || to > data.len() {
        return Err(outside());
    }
    Ok(data.slice(from..to))
}

/// Returns the header for the decoder: each keyword once, with the values that were checked.
fn trusted_cards(hdu: &Hdu, table: Table, bytes: u64) -> Vec<TileCard> {
    let mut cards = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for card in hdu.cards.iter() {
        let keyword = card.keyword();
        if keyword == "THEAP" || keyword == "PCOUNT" || !seen.insert(keyword) {
            continue;
        }
        let value = match card.value() {
            CardValue::Logical(flag) => TileValue::Logical(*flag),
            CardValue::Integer(number) => TileValue::Integer(*number),
            // `16.` was checked as a whole number, so the decoder must see one.
            CardValue::Real(number) => match integer_of(&hdu.cards, keyword) {
                Some(whole) if !matches!(keyword, "ZSCALE" | "ZZERO") => TileValue::Integer(whole),
                _ => TileValue::Float(*number),
            },
            CardValue::Text(text) => TileValue::String(text.trim().to_owned()),
            _ => continue,
        };
        cards.extend(TileCard::new(keyword, value));
    }
    let heap = bytes.saturating_sub(table.width.saturating_mul(table.rows));
    let heap = i64::try_from(heap).unwrap_or(i64::MAX);
    cards.extend(TileCard::new("PCOUNT", TileValue::Integer(heap)));
    cards
}
