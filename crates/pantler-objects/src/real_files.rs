//! Reads archives and headers out of real FITS files, for the tests of this crate alone.
//!
//! It is not the FITS formatter, which lives elsewhere and depends on this crate: it knows gzip and no tiles, trusts its
//! files, and is short enough to be right.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use flate2::read::GzDecoder;

use crate::archive::{Archive, ArchiveObject, Catalog, Persisted};
use crate::metadata::{Card, CardValue, Metadata};
use crate::record::{ColumnKind, RecordRows, RecordTable};

/// One header with the bytes behind it.
pub(crate) struct Hdu {
    pub(crate) header: Metadata,
    data: Bytes,
}

/// Reads a file of the test data; `None` if it is not there.
pub(crate) fn read(relative: &str) -> Option<Vec<Hdu>> {
    let path = pantler_testkit::test_data(relative)?;
    Some(read_hdus(&path))
}

fn read_hdus(path: &Path) -> Vec<Hdu> {
    let mut file = std::fs::read(path).unwrap();
    if file.starts_with(&[0x1f, 0x8b]) {
        let mut plain = Vec::new();
        GzDecoder::new(&file[..]).read_to_end(&mut plain).unwrap();
        file = plain;
    }
    let file = Bytes::from(file);
    let (mut hdus, mut at) = (Vec::new(), 0);
    while at + 2880 <= file.len() {
        let (mut cards, mut ended) = (Vec::new(), false);
        while !ended {
            let card = file.slice(at..at + 80);
            at += 80;
            ended = &card[..] == format!("{:<80}", "END").as_bytes();
            cards.extend(read_card(card).filter(|_| !ended));
        }
        at = at.next_multiple_of(2880);
        let header = Metadata::new(cards);
        let number = |keyword: &str| header.get_i64(keyword).unwrap_or(0) as usize;
        let axes = number("NAXIS");
        let elements: usize = (1..=axes)
            .map(|axis| number(&format!("NAXIS{axis}")))
            .product();
        let elements = if axes == 0 { 0 } else { elements };
        let width = header.get_i64("BITPIX").unwrap().unsigned_abs() as usize / 8;
        let size = (elements + number("PCOUNT")) * width;
        hdus.push(Hdu {
            data: file.slice(at..at + size),
            header,
        });
        at = (at + size).next_multiple_of(2880);
    }
    hdus
}

fn read_card(raw: Bytes) -> Option<Card> {
    let text = std::str::from_utf8(&raw).ok()?.to_owned();
    let (keyword, rest) = match text.strip_prefix("HIERARCH ") {
        Some(long) => long.split_once('=')?,
        None if text.get(8..10) == Some("= ") => (&text[..8], &text[10..]),
        None => {
            let value = CardValue::Commentary(text[8..].trim_end().to_owned());
            return Some(Card::new(text[..8].trim(), value, None).read_from(raw));
        }
    };
    let rest = rest.trim();
    let (value, comment) = match rest.strip_prefix('\'') {
        Some(quoted) => {
            let doubled = quoted.replace("''", "\0");
            let (inside, after) = doubled.split_once('\'')?;
            let inside = inside.replace('\0', "'");
            (
                CardValue::Text(inside.trim_end().to_owned()),
                after.to_owned(),
            )
        }
        None => {
            let (value, comment) = rest.split_once('/').unwrap_or((rest, ""));
            let value = value.trim();
            let parsed = match value {
                "" => CardValue::Undefined,
                "T" => CardValue::Logical(true),
                "F" => CardValue::Logical(false),
                number => match number.parse() {
                    Ok(integer) => CardValue::Integer(integer),
                    Err(_) => CardValue::Real(number.replace('D', "E").parse().ok()?),
                },
            };
            (parsed, comment.to_owned())
        }
    };
    let comment = comment.trim().trim_start_matches('/').trim().to_owned();
    Some(Card::new(keyword.trim(), value, Some(comment)).read_from(raw))
}

fn table(hdu: &Hdu) -> (Arc<RecordTable>, usize) {
    let table = RecordTable::from_header(hdu.header.clone()).unwrap();
    (
        Arc::new(table),
        hdu.header.get_i64("NAXIS2").unwrap() as usize,
    )
}

/// Returns some rows of a table HDU, with what they have in the heap.
fn rows(
    hdu: &Hdu,
    table: &Arc<RecordTable>,
    total: usize,
    first: usize,
    count: usize,
) -> RecordRows {
    let width = table.row_bytes();
    let heap_start = hdu
        .header
        .get_i64("THEAP")
        .map_or(total * width, |at| at as usize);
    let bytes = hdu.data.slice(first * width..(first + count) * width);
    let mut heap = Vec::new();
    for row in bytes.chunks_exact(width.max(1)) {
        for column in table.variable_columns() {
            let ColumnKind::Variable { code, wide } = column.kind else {
                unreachable!("only variable columns were asked for");
            };
            let part = &row[column.offset..column.offset + column.width];
            let number = |at: usize| match wide {
                true => u64::from_be_bytes(part[at * 8..at * 8 + 8].try_into().unwrap()) as usize,
                false => u32::from_be_bytes(part[at * 4..at * 4 + 4].try_into().unwrap()) as usize,
            };
            let size = number(0) * crate::record::element_bytes(code).unwrap() as usize;
            let start = heap_start + number(1);
            heap.push(hdu.data.slice(start..start + size));
        }
    }
    RecordRows::new(Arc::clone(table), bytes, heap).unwrap()
}

/// Returns the pixels of an image HDU of 32-bit floats.
pub(crate) fn float_pixels(hdu: &Hdu) -> Vec<f32> {
    assert_eq!(hdu.header.get_i64("BITPIX"), Some(-32));
    let values = hdu.data.as_chunks().0.iter();
    values.map(|value| f32::from_be_bytes(*value)).collect()
}

/// Returns all rows of a table HDU.
pub(crate) fn table_rows(hdu: &Hdu) -> RecordRows {
    let (columns, total) = table(hdu);
    rows(hdu, &columns, total, 0, total)
}

/// Reads the archive of a file; `None` if the file is not there.
pub(crate) fn archive(relative: &str) -> Option<Archive> {
    Some(archive_of(&read(relative)?))
}

/// Reads the archive out of a file's HDUs; empty if they have none.
pub(crate) fn archive_of(hdus: &[Hdu]) -> Archive {
    let name = |hdu: &Hdu| {
        let header = &hdu.header;
        let name = header.get_text("EXTTYPE").or(header.get_text("EXTNAME"));
        name.unwrap_or("").to_owned()
    };
    let Some(index) = hdus.iter().position(|hdu| name(hdu) == "ARCHIVE_INDEX") else {
        return Archive::default();
    };
    let (columns, total) = table(&hdus[index]);
    let entries = rows(&hdus[index], &columns, total, 0, total);
    let tables: Vec<(Arc<RecordTable>, usize)> = hdus[index + 1..].iter().map(table).collect();
    let mut objects: BTreeMap<i32, (String, String, Vec<Catalog>)> = BTreeMap::new();
    for row in 0..entries.len() {
        let number = |name: &str| {
            let underscored = name.replace('.', "_");
            entries
                .get_i32(row, name)
                .or(entries.get_i32(row, &underscored))
                .unwrap()
        };
        let catalog = number("cat.archive") as usize;
        let (table, total) = &tables[catalog - 1];
        let (first, count) = (number("row0") as usize, number("nrows") as usize);
        let rows = rows(&hdus[index + catalog], table, *total, first, count);
        let text = |name: &str| entries.get_text(row, name).unwrap().to_owned();
        let object = objects.entry(number("id"));
        let object = object.or_insert_with(|| (text("name"), text("module"), Vec::new()));
        object.2.push(Catalog {
            number: number("cat.persistable"),
            rows,
        });
    }
    let objects = objects.into_iter();
    Archive::new(
        objects
            .map(|(id, (class, module, catalogs))| ArchiveObject::new(id, class, module, catalogs)),
    )
    .unwrap()
}

/// Returns the first object of a class in an archive.
pub(crate) fn first_of(archive: &Archive, class: &str) -> Persisted {
    let object = archive.iter().find(|object| object.class() == class);
    archive.persisted(object.unwrap().id()).unwrap()
}
