//! The HDUs of a file: where each lies and what sort of thing it is, from the headers alone.
//!
//! [`Structure::walk`] is the only code that turns an unknown file into HDUs. What it lets through is safe for the readers
//! behind it: sizes are legal, products do not overflow, and a data unit lies inside the file unless
//! [`Hdu::check_data`] says otherwise. A damaged header stops the walk; what came before it stays readable, and the damage
//! is kept. Data are never read here.

use std::ops::Range;

use bytes::Bytes;
use pantler_core::FormatError;
use pantler_objects::Metadata;

use super::card::{CARD, flag_of, integer_of, read_cards, text_of};
use super::opened::Opened;
use super::place::Place;

/// The unit of every FITS file.
pub(crate) const BLOCK: u64 = 2880;

/// Headers are fetched in pieces of this size, growing while a header goes on.
const HEADER_REQUEST: u64 = 3 * BLOCK;

/// A header longer than this is no header.
pub(crate) const LONGEST_HEADER: u64 = 16 << 20;

/// More HDUs than this are damage.
const MOST_HDUS: usize = 10_000;

/// What sort of data an HDU holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HduKind {
    /// Pixels as they are; no axes mean no pixels.
    Image {
        /// The type of the pixels as the standard codes it.
        bitpix: i64,
        /// The lengths of the axes, the fastest first.
        axes: Vec<u64>,
    },
    /// Pixels in compressed tiles, in a binary table.
    CompressedImage {
        /// The type of the pixels when they are decoded.
        bitpix: i64,
        /// The lengths of the axes, the fastest first.
        axes: Vec<u64>,
        /// The lengths of a tile's axes as the header has them; 0 where it has no legal one.
        tile: Vec<u64>,
        /// The table that holds the tiles.
        table: Table,
    },
    /// A binary table.
    BinaryTable(Table),
    /// A table of text.
    AsciiTable,
    /// Something else that follows the rules of extensions.
    Other,
}

/// The measures of a binary table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Table {
    /// The bytes of a row.
    pub(crate) width: u64,
    /// The number of rows.
    pub(crate) rows: u64,
    /// Where the heap starts, counted from the start of the data.
    pub(crate) heap: u64,
}

/// Where an HDU lies and what it is, without its cards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HduShape {
    /// Its name: `EXTNAME`, else `EXTTYPE`; that of the primary HDU is left out, because it names a detector.
    pub(crate) name: String,
    /// What tells HDUs of one name apart.
    pub(crate) extver: i64,
    /// `EXTTYPE`, by which older files tell their HDUs apart.
    pub(crate) exttype: String,
    /// What it holds.
    pub(crate) kind: HduKind,
    /// The place of its first pixel in the parent image, which decides where a cutout lies.
    pub(crate) origin: (i64, i64),
    /// Where its header lies.
    pub(crate) header: Range<u64>,
    /// Where its data lie, without the padding.
    pub(crate) data: Range<u64>,
}

impl HduShape {
    /// Returns whether its name or its `EXTTYPE` is this.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name) || self.exttype.eq_ignore_ascii_case(name)
    }

    /// Returns the pixel type and the axes, if it can hold pixels and has any axes.
    pub(crate) fn axes(&self) -> Option<(i64, &[u64])> {
        match &self.kind {
            HduKind::Image { bitpix, axes } | HduKind::CompressedImage { bitpix, axes, .. } => {
                (!axes.is_empty()).then_some((*bitpix, axes))
            }
            _ => None,
        }
    }
}

/// One HDU.
#[derive(Debug, Clone)]
pub(crate) struct Hdu {
    /// Its number, the primary is 0.
    pub(crate) index: usize,
    /// Where it lies and what it is.
    pub(crate) shape: HduShape,
    /// Its cards.
    pub(crate) cards: Metadata,
    /// Where it is, for messages.
    pub(crate) place: Place,
    /// The file's size, which a damaged data unit exceeds.
    file_size: u64,
}

impl Hdu {
    /// Understands a header that ends in `END` and was found at `start`.
    pub(crate) fn parse(
        header: &Bytes,
        start: u64,
        index: usize,
        file_size: u64,
        file: &Place,
    ) -> Result<Hdu, FormatError> {
        let cards = Metadata::new(read_cards(header));
        let exttype = text_of(&cards, "EXTTYPE");
        let name = match text_of(&cards, "EXTNAME") {
            name if name.is_empty() => exttype.clone(),
            name => name,
        };
        let place = file.hdu(index, &name);
        let extver = integer_of(&cards, "EXTVER").unwrap_or(1);
        let measure = measure(&cards, index, &place)?;
        let data_start = start + header.len() as u64;
        let data_end = data_start
            .checked_add(measure.bytes)
            .ok_or_else(|| place.corrupt("the size of its data overflows"))?;
        let shape = HduShape {
            name: if index == 0 { String::new() } else { name },
            extver: if index == 0 { 1 } else { extver },
            exttype,
            kind: measure.kind,
            origin: (origin(&cards, 1), origin(&cards, 2)),
            header: start..data_start,
            data: data_start..data_end,
        };
        Ok(Hdu {
            index,
            shape,
            cards,
            place,
            file_size,
        })
    }

    /// Returns the table's measures, if it is a plain binary table.
    pub(crate) fn table(&self) -> Result<Table, FormatError> {
        match self.shape.kind {
            HduKind::BinaryTable(table) => Ok(table),
            _ => Err(self.place.corrupt("a binary table was expected here")),
        }
    }

    /// Checks that the file is long enough to hold the data.
    pub(crate) fn check_data(&self) -> Result<(), FormatError> {
        if self.shape.data.end <= self.file_size {
            return Ok(());
        }
        Err(self.place.corrupt(format!(
            "its data end at byte {}, and the file is cut off at byte {}",
            self.shape.data.end, self.file_size
        )))
    }

    fn next(&self) -> Option<u64> {
        let bytes = self.shape.data.end - self.shape.data.start;
        self.shape
            .data
            .start
            .checked_add(bytes.checked_next_multiple_of(BLOCK)?)
    }
}

/// The HDUs of a file, as far as it is sound.
#[derive(Debug)]
pub(crate) struct Structure {
    /// The HDUs in order; the first is the primary one.
    pub(crate) hdus: Vec<Hdu>,
    /// What stopped the walk.
    pub(crate) damage: Option<FormatError>,
}

impl Structure {
    /// Reads all headers.
    pub(crate) fn walk(file: &Opened<'_>) -> Result<Structure, FormatError> {
        let mut structure = Structure {
            hdus: Vec::new(),
            damage: None,
        };
        let mut start = 0;
        while start < file.size() {
            match structure.step(file, start) {
                Ok(Some(next)) => start = next,
                Ok(None) => break,
                Err(FormatError::Store(error)) => return Err(FormatError::Store(error)),
                Err(error) if structure.hdus.is_empty() => return Err(error),
                Err(error) => {
                    structure.damage = Some(error);
                    break;
                }
            }
        }
        if structure.hdus.is_empty() {
            return Err(file.place().corrupt("there is no header in it"));
        }
        Ok(structure)
    }

    /// Takes the HDU at `start` in, and returns where the next one would be.
    fn step(&mut self, file: &Opened<'_>, start: u64) -> Result<Option<u64>, FormatError> {
        let index = self.hdus.len();
        let place = file.place().hdu(index, "");
        if index >= MOST_HDUS {
            return Err(place.corrupt("there are too many HDUs"));
        }
        if index > 0 && is_leftover(file, start)? {
            return Ok(None);
        }
        let header = read_header(file, start, &place)?;
        let hdu = Hdu::parse(&header, start, index, file.size(), file.place())?;
        let next = hdu.next();
        let damage = hdu.check_data();
        self.hdus.push(hdu);
        damage.map(|()| next)
    }
}

/// Returns whether what follows the last HDU is nothing but filling.
fn is_leftover(file: &Opened<'_>, start: u64) -> Result<bool, FormatError> {
    let look = file.read(start..file.size().min(start + BLOCK))?;
    Ok(look.iter().all(|&byte| byte == 0 || byte == b' '))
}

/// Reads blocks until one holds `END`.
fn read_header(file: &Opened<'_>, start: u64, place: &Place) -> Result<Bytes, FormatError> {
    let mut header: Vec<u8> = Vec::new();
    let mut request = HEADER_REQUEST;
    loop {
        let from = start + header.len() as u64;
        let end = file.size().min(from.saturating_add(request));
        let piece = from..end;
        file.prefetch(std::slice::from_ref(&piece))?;
        let bytes = file.read(piece)?;
        if header.is_empty() && !(bytes.starts_with(b"SIMPLE  ") || bytes.starts_with(b"XTENSION"))
        {
            return Err(place.corrupt("no FITS header starts here"));
        }
        if let Some(at) = bytes.chunks_exact(CARD).position(is_end) {
            let length = (at + 1)
                .saturating_mul(CARD)
                .next_multiple_of(BLOCK as usize);
            if length > bytes.len() {
                return Err(place.corrupt("its header is cut off at the end of the file"));
            }
            if header.is_empty() {
                return Ok(bytes.slice(..length));
            }
            header.extend_from_slice(&bytes[..length]);
            return Ok(Bytes::from(header));
        }
        if end == file.size() {
            return Err(place.corrupt("its header has no END before the end of the file"));
        }
        header.extend_from_slice(&bytes);
        if header.len() as u64 > LONGEST_HEADER {
            return Err(place.corrupt("its header has no END"));
        }
        request = request.saturating_mul(2);
    }
}

/// Returns whether this is the card that ends a header.
pub(crate) fn is_end(card: &[u8]) -> bool {
    card.starts_with(b"END") && card[3..].iter().all(|&byte| byte == b' ')
}

/// Returns where in its parent an image was cut out, along one axis: `LTVn` says it.
fn origin(cards: &Metadata, n: u8) -> i64 {
    let binned = cards
        .get_f64(&format!("LTM{n}_{n}"))
        .is_some_and(|step| step != 1.0);
    let shift = cards.get_f64(&format!("LTV{n}")).filter(|_| !binned);
    // Half a pixel, or more than a computer can count, is no place in a parent image.
    let shift = shift.filter(|shift| shift.fract() == 0.0 && shift.abs() < 1e15);
    shift.map_or(0, |shift| -(shift as i64))
}

struct Measure {
    kind: HduKind,
    bytes: u64,
}

/// Works out what an HDU is and how long its data are, believing nothing.
fn measure(cards: &Metadata, index: usize, place: &Place) -> Result<Measure, FormatError> {
    let bitpix = bitpix(cards, "BITPIX", place)?;
    let axes = axes(cards, "NAXIS", place)?;
    let pcount = count(cards, "PCOUNT", 0, place)?;
    let gcount = count(cards, "GCOUNT", 1, place)?;
    let xtension = text_of(cards, "XTENSION");
    let groups = index == 0 && axes.first() == Some(&0) && flag_of(cards, "GROUPS");
    if index > 0 && gcount != 1 && matches!(xtension.as_str(), "IMAGE" | "BINTABLE" | "TABLE") {
        return Err(place.corrupt(format!("GCOUNT is {gcount} and must be 1")));
    }
    let counted = if groups { &axes[1..] } else { &axes[..] };
    let elements = if axes.is_empty() {
        Some(0)
    } else {
        product(counted)
    };
    let bytes = elements
        .and_then(|elements| elements.checked_add(if index > 0 || groups { pcount } else { 0 }))
        .and_then(|elements| elements.checked_mul(if index > 0 || groups { gcount } else { 1 }))
        .and_then(|elements| elements.checked_mul(bitpix.unsigned_abs() / 8))
        .filter(|&bytes| bytes < i64::MAX as u64)
        .ok_or_else(|| place.corrupt("the size of its data overflows"))?;
    let kind = match xtension.as_str() {
        _ if groups => HduKind::Other,
        "" if index == 0 => HduKind::Image { bitpix, axes },
        "IMAGE" | "IUEIMAGE" if index > 0 => HduKind::Image { bitpix, axes },
        "BINTABLE" | "A3DTABLE" if index > 0 => binary_table(cards, &axes, pcount, place)?,
        "TABLE" if index > 0 => HduKind::AsciiTable,
        _ => HduKind::Other,
    };
    Ok(Measure { kind, bytes })
}

fn binary_table(
    cards: &Metadata,
    axes: &[u64],
    pcount: u64,
    place: &Place,
) -> Result<HduKind, FormatError> {
    let &[width, rows] = axes else {
        return Err(place.corrupt("a table must have two axes"));
    };
    let tfields = count(cards, "TFIELDS", 0, place)?;
    if tfields > 999 {
        return Err(place.corrupt(format!("TFIELDS is {tfields} and must be at most 999")));
    }
    let body = width
        .checked_mul(rows)
        .ok_or_else(|| place.corrupt("the size of its rows overflows"))?;
    let heap = count(cards, "THEAP", body, place)?;
    let data = body
        .checked_add(pcount)
        .ok_or_else(|| place.corrupt("the size of its data overflows"))?;
    if heap < body || heap > data {
        return Err(place.corrupt(format!(
            "THEAP is {heap}, and its data have {data} bytes of which {body} are rows"
        )));
    }
    let table = Table { width, rows, heap };
    if !flag_of(cards, "ZIMAGE") {
        return Ok(HduKind::BinaryTable(table));
    }
    let axes = self::axes(cards, "ZNAXIS", place)?;
    Ok(HduKind::CompressedImage {
        bitpix: bitpix(cards, "ZBITPIX", place)?,
        tile: tile(cards, &axes),
        axes,
        table,
    })
}

/// Returns the lengths of a tile's axes; by default a tile is a row (FITS standard 4.0, section 10.1.2).
fn tile(cards: &Metadata, axes: &[u64]) -> Vec<u64> {
    let length = |(n, &axis): (usize, &u64)| {
        let keyword = format!("ZTILE{n}");
        match integer_of(cards, &keyword) {
            Some(length) => u64::try_from(length).unwrap_or(0),
            None if cards.get(&keyword).is_some() => 0,
            None if n == 1 => axis.max(1),
            None => 1,
        }
    };
    (1..).zip(axes).map(length).collect()
}

fn bitpix(cards: &Metadata, keyword: &str, place: &Place) -> Result<i64, FormatError> {
    match integer_of(cards, keyword) {
        Some(bitpix @ (8 | 16 | 32 | 64 | -32 | -64)) => Ok(bitpix),
        Some(other) => Err(place.corrupt(format!("{keyword} is {other}, which is no pixel type"))),
        None => Err(place.corrupt(format!("{keyword} is missing"))),
    }
}

fn axes(cards: &Metadata, keyword: &str, place: &Place) -> Result<Vec<u64>, FormatError> {
    let number = match integer_of(cards, keyword) {
        Some(number @ 0..=999) => number,
        Some(other) => return Err(place.corrupt(format!("{keyword} is {other}"))),
        None => return Err(place.corrupt(format!("{keyword} is missing"))),
    };
    (1..=number)
        .map(|n| {
            let keyword = format!("{keyword}{n}");
            let length = integer_of(cards, &keyword)
                .ok_or_else(|| place.corrupt(format!("{keyword} is missing")))?;
            u64::try_from(length).map_err(|_| place.corrupt(format!("{keyword} is {length}")))
        })
        .collect()
}

fn count(cards: &Metadata, keyword: &str, default: u64, place: &Place) -> Result<u64, FormatError> {
    match integer_of(cards, keyword) {
        None => Ok(default),
        Some(count) => {
            u64::try_from(count).map_err(|_| place.corrupt(format!("{keyword} is {count}")))
        }
    }
}

/// Returns the product of the lengths, or `None` if it overflows.
pub(crate) fn product(axes: &[u64]) -> Option<u64> {
    axes.iter()
        .try_fold(1u64, |all, &length| all.checked_mul(length))
}
