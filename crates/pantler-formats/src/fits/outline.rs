//! What a FITS file is made of, HDU by HDU, for people who look at it: kinds, shapes, types, compression, sizes, and what
//! each HDU is taken for.
//!
//! Reads headers and the archive's index, no pixels and no rows. A file that is damaged behind some sound HDUs has these
//! in its outline, and the damage in words.

use std::collections::{BTreeMap, BTreeSet};

use pantler_core::{FormatError, Source};
use pantler_objects::Metadata;

use super::archive::Directory;
use super::card::{integer_of, text_of};
use super::contents::Contents;
use super::structure::{Hdu, HduKind};

/// The HDUs of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    /// The HDUs in order.
    pub hdus: Vec<HduOutline>,
    /// Whether the whole file is wrapped in gzip.
    pub gzip: bool,
    /// What is wrong behind the last of them.
    pub damage: Option<String>,
}

/// One HDU.
#[derive(Debug, Clone, PartialEq)]
pub struct HduOutline {
    /// Its number; the primary one is 0.
    pub number: usize,
    /// `EXTNAME`, else `EXTTYPE`; empty if it has none.
    pub name: String,
    /// `EXTVER`, where it has one.
    pub version: Option<i64>,
    /// `header`, `image`, `compressed image`, `binary table`, `ASCII table`, `other`.
    pub kind: &'static str,
    /// The lengths of an image's axes, the fastest first; rows and columns of a table.
    pub shape: Vec<u64>,
    /// The type of the pixels: `float32`.
    pub pixel_type: Option<String>,
    /// How its tiles are compressed: `GZIP_2`.
    pub compression: Option<String>,
    /// The bytes that the decoded pixels take.
    pub decoded_bytes: Option<u64>,
    /// The number of its header's cards.
    pub cards: usize,
    /// The bytes of the header.
    pub header_bytes: u64,
    /// The bytes of the data, without the padding.
    pub data_bytes: u64,
    /// What it is taken for: `image`, `mask`, `variance`, `archive index`, `archive table`, `table`; empty if nothing.
    pub taken_for: &'static str,
    /// The classes of the archive's objects that lie in it, in order.
    pub classes: Vec<String>,
}

/// Returns the outline of a file.
pub fn outline(source: &dyn Source) -> Result<Outline, FormatError> {
    let contents = Contents::walk(source)?;
    let damage = contents.check_whole().err().map(|error| error.to_string());
    // An archive whose index is damaged is no reason not to say what else there is.
    let (directory, damage) = match contents.components() {
        Ok(found) => (found.map(|found| &found.directory), damage),
        Err(error) => (None, damage.or(Some(error.to_string()))),
    };
    let classes = directory.map(classes_by_hdu).unwrap_or_default();
    let index = directory.and_then(|_| archive_index(&contents));
    let mut hdus = Vec::new();
    for number in 0..contents.shapes().len() {
        let hdu = contents.hdu(number)?;
        let mut outlined = outlined(&hdu);
        if let Some(classes) = classes.get(&number) {
            outlined.classes = classes.iter().cloned().collect();
        }
        outlined.taken_for = taken_for(&contents, &outlined, index);
        hdus.push(outlined);
    }
    Ok(Outline {
        hdus,
        gzip: contents.file().packed().is_some(),
        damage,
    })
}

fn classes_by_hdu(directory: &Directory) -> BTreeMap<usize, BTreeSet<String>> {
    let mut classes: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for object in directory.objects.values() {
        for entry in &object.entries {
            let held = classes.entry(entry.hdu).or_default();
            held.insert(object.class.clone());
        }
    }
    classes
}

fn archive_index(contents: &Contents<'_>) -> Option<usize> {
    let primary = contents.hdu(0).ok()?;
    match integer_of(&primary.cards, "AR_HDU") {
        // The card counts from 1.
        Some(number) => usize::try_from(number).ok()?.checked_sub(1),
        None => contents.find("ARCHIVE_INDEX"),
    }
}

fn taken_for(contents: &Contents<'_>, hdu: &HduOutline, index: Option<usize>) -> &'static str {
    let planes = contents.planes();
    let here = Some(hdu.number);
    if planes.image == here {
        "image"
    } else if planes.mask == here {
        "mask"
    } else if planes.variance == here {
        "variance"
    } else if index == here {
        "archive index"
    } else if !hdu.classes.is_empty() {
        "archive table"
    } else if hdu.kind.ends_with("table") {
        "table"
    } else {
        ""
    }
}

fn outlined(hdu: &Hdu) -> HduOutline {
    let (mut pixel_type, mut decoded_bytes) = (None, None);
    let (kind, shape) = match &hdu.shape.kind {
        HduKind::Image { axes, .. } if axes.is_empty() => ("header", Vec::new()),
        HduKind::Image { bitpix, axes } => {
            pixel_type = Some(pixel_type_of(&hdu.cards, *bitpix));
            ("image", axes.clone())
        }
        HduKind::CompressedImage { bitpix, axes, .. } => {
            pixel_type = Some(pixel_type_of(&hdu.cards, *bitpix));
            let pixels = axes
                .iter()
                .try_fold(1_u64, |all, axis| all.checked_mul(*axis));
            decoded_bytes = pixels.and_then(|all| all.checked_mul(bitpix.unsigned_abs() / 8));
            ("compressed image", axes.clone())
        }
        HduKind::BinaryTable(table) => ("binary table", vec![table.rows, columns(&hdu.cards)]),
        HduKind::AsciiTable => {
            let rows = integer_of(&hdu.cards, "NAXIS2").and_then(|rows| u64::try_from(rows).ok());
            ("ASCII table", vec![rows.unwrap_or(0), columns(&hdu.cards)])
        }
        HduKind::Other => ("other", Vec::new()),
    };
    let compression = text_of(&hdu.cards, "ZCMPTYPE");
    HduOutline {
        number: hdu.index,
        name: match text_of(&hdu.cards, "EXTNAME") {
            name if name.is_empty() => hdu.shape.name.clone(),
            name => name,
        },
        version: integer_of(&hdu.cards, "EXTVER"),
        kind,
        shape,
        pixel_type,
        compression: (!compression.is_empty()).then_some(compression),
        decoded_bytes,
        cards: hdu.cards.len(),
        header_bytes: hdu.shape.header.end - hdu.shape.header.start,
        data_bytes: hdu.shape.data.end - hdu.shape.data.start,
        taken_for: "",
        classes: Vec::new(),
    }
}

fn columns(cards: &Metadata) -> u64 {
    let fields = integer_of(cards, "TFIELDS").and_then(|fields| u64::try_from(fields).ok());
    fields.unwrap_or(0)
}

/// Returns the type of pixels; a shift by half the range makes whole numbers unsigned, or bytes signed (FITS standard 4.0,
/// table 11).
fn pixel_type_of(cards: &Metadata, bitpix: i64) -> String {
    let zero = cards.get_f64("BZERO").unwrap_or(0.0);
    let scale = cards.get_f64("BSCALE").unwrap_or(1.0);
    let shifted = |half: f64| scale == 1.0 && zero == half;
    let (name, exact) = match bitpix {
        8 if shifted(-128.0) => ("int8", true),
        16 if shifted(32_768.0) => ("uint16", true),
        32 if shifted(2_147_483_648.0) => ("uint32", true),
        64 if shifted(9_223_372_036_854_775_808.0) => ("uint64", true),
        8 => ("uint8", shifted(0.0)),
        16 => ("int16", shifted(0.0)),
        32 => ("int32", shifted(0.0)),
        64 => ("int64", shifted(0.0)),
        -32 => ("float32", true),
        _ => ("float64", true),
    };
    match exact {
        true => name.to_owned(),
        false => format!("{name}, scaled"),
    }
}
