//! Some rows of a table: which they are, and that no others are read.

use arrow_array::RecordBatch;
use arrow_select::concat::concat_batches;
use pantler_core::formatter::ReadRequest;
use pantler_core::object::downcast;
use pantler_core::{FormatError, Formatter, Object, RowRanges};
use pantler_objects::Table;

use super::support::{Counted, class, real, real_names};
use crate::fits::FitsFormatter;
use crate::fits::contents::Contents;

fn rows(text: &str) -> ReadRequest {
    ReadRequest {
        rows: Some(text.parse().unwrap()),
        ..class("Table")
    }
}

fn table(source: &Counted, request: &ReadRequest) -> Table {
    let layout = FitsFormatter.index(source).unwrap();
    let planned = FitsFormatter.read(source, layout.as_deref(), request);
    let found = FitsFormatter.read(source, None, request).unwrap();
    assert_eq!(found.difference(planned.unwrap().as_ref()), None);
    downcast::<Table>(found.as_ref()).unwrap().clone()
}

/// Returns rows of a table that is in memory, cut out by Arrow.
fn cut(all: &Table, rows: &RowRanges) -> Table {
    let piece = |range: &std::ops::Range<u64>| {
        let length = (range.end - range.start) as usize;
        all.batch().slice(range.start as usize, length)
    };
    let pieces: Vec<RecordBatch> = rows.ranges().iter().map(piece).collect();
    let batch = concat_batches(all.batch().schema_ref(), &pieces).unwrap();
    Table::new(batch, all.metadata().as_ref().clone()).unwrap()
}

/// Every table of the real files, flags, strings, arrays and lists in the heap included.
#[test]
fn some_rows_are_those_of_the_whole() {
    let names = real_names(&["catalogs", "misc", "exposures"]);
    let mut compared = 0;
    for name in &names {
        let Some(source) = real(name) else {
            continue;
        };
        let Ok(contents) = Contents::walk(&source) else {
            continue;
        };
        for hdu in 0..contents.shapes().len() as u32 {
            let at = |request: ReadRequest| ReadRequest {
                hdu: Some(hdu),
                ..request
            };
            let Ok(all) = FitsFormatter.read(&source, None, &at(class("Table"))) else {
                continue;
            };
            let all = downcast::<Table>(all.as_ref()).unwrap();
            let count = all.rows() as u64;
            let (third, most) = (count / 3, count.saturating_sub(1));
            for text in [
                format!("0:{count}"),
                format!("{third}:{most}"),
                format!("0:{third},{most}:{count}"),
                "0:0".to_owned(),
            ] {
                let request = at(rows(&text));
                let some = table(&source, &request);
                let expected = cut(all, request.rows.as_ref().unwrap());
                let difference = expected.difference(&some);
                assert_eq!(difference, None, "{name}, HDU {hdu}, {text}");
                compared += 1;
            }
        }
    }
    assert!(names.is_empty() || compared > 400, "{compared}");
}

/// The catalogue has 255 rows of 113 bytes behind two headers.
#[test]
fn some_rows_cost_their_own_bytes() {
    let Some(source) = real("catalogs/refcat_sdss/903287.fits") else {
        return;
    };
    let contents = Contents::walk(&source).unwrap();
    let headers = contents.shapes().iter().take(2);
    let headers: u64 = headers
        .map(|shape| shape.header.end - shape.header.start)
        .sum();
    let layout = FitsFormatter.index(&source).unwrap().unwrap();
    source.taken();
    let request = ReadRequest {
        columns: Some(vec!["coord_dec".to_owned(), "id".to_owned()]),
        ..rows("10:20,100:150")
    };
    let some = FitsFormatter
        .read(&source, Some(&layout), &request)
        .unwrap();
    assert_eq!(source.taken(), (headers + 60 * 113, 1));
    let planned = FitsFormatter.locate(&layout, &request).unwrap();
    assert_eq!(planned.bytes(), headers + 60 * 113);
    let all = table(&source, &class("Table"));
    let expected = cut(&all, request.rows.as_ref().unwrap());
    let expected = expected.select(request.columns.as_ref().unwrap()).unwrap();
    assert_eq!(expected.difference(some.as_ref()), None);
    let error = FitsFormatter.read(&source, None, &rows("250:256"));
    match error.unwrap_err() {
        FormatError::NoSuchRows { rows, wanted, .. } => {
            assert_eq!((rows, wanted.to_string().as_str()), (255, "250:256"));
        }
        other => panic!("{other}"),
    }
}

/// The lines of an ASCII table that are not wanted may hold anything.
#[test]
fn lines_that_are_not_wanted_are_not_looked_at() {
    let Some(source) = real("misc/ascii.fits") else {
        return;
    };
    let all = table(&source, &class("Table"));
    let start = Contents::walk(&source).unwrap().shapes()[1].data.start as usize;
    let mut bytes = source.all().to_vec();
    bytes[start..start + 16].fill(b'?');
    let broken = Counted::new("broken.fits", bytes);
    let error = FitsFormatter.read(&broken, None, &class("Table"));
    assert!(error.unwrap_err().to_string().contains("row 0"));
    let some = table(&broken, &rows("1:3,4:5"));
    let expected = cut(&all, &"1:3,4:5".parse().unwrap());
    assert_eq!(expected.difference(&some), None);
    assert_eq!(some.rows(), 3);
    let mut bytes = broken.all().to_vec();
    bytes[start + 64..start + 80].fill(b'?');
    let error = FitsFormatter.read(&Counted::new("broken.fits", bytes), None, &rows("1:2,4:5"));
    assert!(error.unwrap_err().to_string().contains("row 4"));
}
