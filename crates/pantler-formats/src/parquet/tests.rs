//! Real Parquet files: what they hold, what some columns cost, and what damage does.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use ::parquet::arrow::ArrowWriter;
use ::parquet::file::metadata::{PageIndexPolicy, ParquetMetaDataReader};
use ::parquet::file::properties::{EnabledStatistics, WriterProperties};
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, Float64Array, Int64Array, ListArray, RecordBatch, StringArray};
use arrow_select::concat::concat_batches;
use bytes::Bytes;
use pantler_core::formatter::ReadRequest;
use pantler_core::object::downcast;
use pantler_core::{FormatError, Formatter, Object, ObjectRef, RowRanges, Source, StoreError};
use pantler_objects::{Metadata, Table};
use pantler_testkit::test_data;

use super::ParquetFormatter;
use crate::fits::FitsFormatter;

struct Counted {
    bytes: Bytes,
    taken: Mutex<(u64, u64)>,
}

impl Source for Counted {
    fn name(&self) -> &str {
        "some.parq"
    }

    fn bytes(&self) -> Result<u64, StoreError> {
        Ok(self.bytes.len() as u64)
    }

    fn read_ranges(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, StoreError> {
        let mut taken = self.taken.lock().unwrap();
        taken.1 += 1;
        let slices = ranges.iter().map(|range| {
            taken.0 += range.end - range.start;
            self.bytes.slice(range.start as usize..range.end as usize)
        });
        Ok(slices.collect())
    }
}

fn source(bytes: impl Into<Bytes>) -> Counted {
    Counted {
        bytes: bytes.into(),
        taken: Mutex::default(),
    }
}

fn real(name: &str) -> Option<Counted> {
    Some(source(std::fs::read(test_data(name)?).unwrap()))
}

fn columns(names: &[&str]) -> ReadRequest {
    ReadRequest {
        columns: Some(names.iter().map(|name| (*name).to_owned()).collect()),
        ..ReadRequest::default()
    }
}

fn table(object: &ObjectRef) -> &Table {
    downcast(object.as_ref()).unwrap()
}

fn whole(source: &Counted) -> ObjectRef {
    ParquetFormatter
        .read(source, None, &ReadRequest::default())
        .unwrap()
}

/// Name, rows and columns, as the description of the files states them.
const FILES: &[(&str, usize, usize, &str)] = &[
    ("catalogs/testSSObjects.parq", 126, 17, "# Num"),
    (
        "catalogs/injection/injection_catalog_g_231858.parq",
        1036,
        5,
        "injection_id",
    ),
    (
        "catalogs/injection/injection_catalog_r_231858.parq",
        1036,
        5,
        "injection_id",
    ),
    (
        "catalogs/injection/injection_catalog_g_231859.parq",
        444,
        5,
        "injection_id",
    ),
    (
        "catalogs/injection/injection_catalog_r_231859.parq",
        444,
        5,
        "injection_id",
    ),
    (
        "catalogs/injection/ci_hsc_injection_catalog_i_189584.parq",
        2,
        9,
        "injection_id",
    ),
    ("exposures/cfht/sourceTable-849375.parq", 2, 65, "coord_ra"),
    (
        "exposures/cfht/sourceTable-849375-12.parq",
        2,
        65,
        "coord_ra",
    ),
    ("exposures/cfht/SRC-849375-12.parq", 2, 298, "coord_ra"),
];

#[test]
fn every_file_is_read_and_reads_back_as_it_was_written() {
    for (name, rows, columns, first) in FILES {
        let Some(file) = real(name) else {
            continue;
        };
        let object = whole(&file);
        let before = table(&object);
        assert_eq!(before.rows(), *rows, "{name}");
        assert_eq!(before.column_names().count(), *columns, "{name}");
        assert_eq!(before.column_names().next(), Some(*first), "{name}");
        let header = Metadata::default()
            .with("OBJECT", "it's", Some("of ours"))
            .with("N", 3, None);
        let before: ObjectRef = Arc::new(before.with_metadata(Arc::new(header)));
        let bytes = ParquetFormatter
            .write(&before, &Default::default())
            .unwrap();
        assert!(
            bytes
                == ParquetFormatter
                    .write(&before, &Default::default())
                    .unwrap(),
            "{name}"
        );
        let after = whole(&source(bytes.clone()));
        assert_eq!(before.difference(after.as_ref()), None, "{name}");
        assert_eq!(before.digest_values(), after.digest_values(), "{name}");
        assert!(
            bytes == ParquetFormatter.write(&after, &Default::default()).unwrap(),
            "{name}"
        );
    }
}

/// The same two sources, written by the field's pipeline as FITS and as Parquet.
#[test]
fn the_values_are_those_of_the_same_catalogue_in_fits() {
    let (Some(parquet), Some(path)) = (
        real("exposures/cfht/SRC-849375-12.parq"),
        test_data("exposures/cfht/SRC-849375-12.fits"),
    ) else {
        return;
    };
    let fits = source(std::fs::read(path).unwrap());
    let fits = FitsFormatter
        .read(&fits, None, &ReadRequest::default())
        .unwrap();
    let parquet = whole(&parquet);
    let (fits, parquet) = (table(&fits), table(&parquet));
    let mut compared = 0;
    for (at, name) in parquet.column_names().enumerate() {
        let Some(there) = fits.column_names().position(|known| known == name) else {
            continue;
        };
        for row in 0..2 {
            let of_fits = fits.text(there, row).filter(|text| text != "NaN");
            let of_parquet = parquet.text(at, row).filter(|text| text != "NaN");
            assert_eq!(of_fits, of_parquet, "{name}, row {row}");
            compared += 1;
        }
    }
    assert!(compared > 250, "{compared} values");
}

#[test]
fn some_columns_cost_the_footer_and_their_own_bytes() {
    let Some(file) = real("catalogs/injection/injection_catalog_g_231858.parq") else {
        return;
    };
    let all = whole(&file);
    let (of_all, _) = std::mem::take(&mut *file.taken.lock().unwrap());
    let request = columns(&["mag", "injection_id"]);
    let bare = ParquetFormatter.read(&file, None, &request).unwrap();
    let (bytes, requests) = std::mem::take(&mut *file.taken.lock().unwrap());
    assert_eq!(requests, 3, "tail, footer, columns");
    let layout = ParquetFormatter.index(&file).unwrap().unwrap();
    *file.taken.lock().unwrap() = (0, 0);
    let planned = ParquetFormatter
        .read(&file, Some(&layout), &request)
        .unwrap();
    assert_eq!(
        *file.taken.lock().unwrap(),
        (bytes, 1),
        "one request, as many bytes"
    );
    let located = ParquetFormatter.locate(&layout, &request).unwrap();
    assert_eq!((located.bytes(), located.class.as_str()), (bytes, "Table"));
    assert!(bytes * 2 < of_all, "{bytes} of {of_all} bytes");
    let expected = table(&all)
        .select(&request.columns.clone().unwrap())
        .unwrap();
    for read in [bare, planned] {
        assert_eq!(expected.difference(read.as_ref()), None);
    }
    let error = ParquetFormatter
        .read(&file, Some(&layout), &columns(&["Mag"]))
        .unwrap_err();
    assert!(matches!(error, FormatError::NoSuchPart { part, .. } if part == "Mag"));
}

/// 1000 rows in groups of 400, and those in pages of 50.
fn paged(with_index: bool) -> Counted {
    let numbers: Int64Array = (0..1000).collect();
    let squares: Float64Array = (0..1000).map(|row| Some(f64::from(row * row))).collect();
    let words: StringArray = (0..1000)
        .map(|row| Some(["north", "south"][row % 2]))
        .collect();
    let lists = (0..1000).map(|row| Some((0..row % 4).map(Some).collect::<Vec<_>>()));
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>(lists);
    let batch = RecordBatch::try_from_iter([
        ("number", Arc::new(numbers) as ArrayRef),
        ("square", Arc::new(squares)),
        ("word", Arc::new(words)),
        ("list", Arc::new(lists)),
    ])
    .unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(400))
        .set_data_page_row_count_limit(50)
        .set_write_batch_size(50)
        .set_offset_index_disabled(!with_index)
        .set_statistics_enabled(EnabledStatistics::None)
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    source(writer.into_inner().unwrap())
}

fn rows_of(text: &str) -> ReadRequest {
    ReadRequest {
        rows: Some(text.parse().unwrap()),
        ..ReadRequest::default()
    }
}

#[test]
fn some_rows_are_those_of_the_whole() {
    for file in [paged(true), paged(false)] {
        let layout = ParquetFormatter.index(&file).unwrap();
        let all = whole(&file);
        for text in ["0:1000", "0:1", "399:401", "75:80,420:470,999:1000", "5:5"] {
            let request = rows_of(text);
            let pieces = request.rows.as_ref().unwrap().ranges().iter();
            let pieces = pieces.map(|range| {
                let length = (range.end - range.start) as usize;
                table(&all).batch().slice(range.start as usize, length)
            });
            let pieces: Vec<RecordBatch> = pieces.collect();
            let expected = concat_batches(table(&all).batch().schema_ref(), &pieces).unwrap();
            let expected = Table::new(expected, Metadata::default()).unwrap();
            for layout in [None, layout.as_deref()] {
                let some = ParquetFormatter.read(&file, layout, &request).unwrap();
                assert_eq!(expected.difference(some.as_ref()), None, "{text}");
            }
        }
        let error = ParquetFormatter.read(&file, None, &rows_of("0:1001"));
        assert!(matches!(
            error.unwrap_err(),
            FormatError::NoSuchRows { rows: 1000, .. }
        ));
    }
}

/// The library that wrote the file says where its pages lie.
#[test]
fn some_rows_cost_the_pages_that_hold_them() {
    let file = paged(true);
    let metadata = ParquetMetaDataReader::new()
        .with_offset_index_policy(PageIndexPolicy::Required)
        .parse_and_finish(&file.bytes)
        .unwrap();
    let index = metadata.page_index().unwrap();
    let pages = index.offset_index(1, 1).unwrap().page_locations();
    assert_eq!(pages.len(), 8);
    // Rows 460 to 470 of the file are rows 60 to 70 of the second group, in its second page.
    let page = pages[1].compressed_page_size as u64;
    let chunk = metadata.row_group(1).column(1);
    let dictionary = pages[0].offset as u64 - chunk.byte_range().0;
    let indexes: Vec<(i64, i32)> = metadata
        .row_groups()
        .iter()
        .flat_map(|group| group.columns())
        .map(|chunk| {
            let length = chunk.offset_index_length().unwrap();
            (chunk.offset_index_offset().unwrap(), length)
        })
        .collect();
    let first = indexes.first().unwrap().0 as u64;
    let layout = ParquetFormatter.index(&file).unwrap().unwrap();
    let request = ReadRequest {
        columns: Some(vec!["square".to_owned()]),
        ..rows_of("460:470")
    };
    *file.taken.lock().unwrap() = (0, 0);
    let some = ParquetFormatter
        .read(&file, Some(&layout), &request)
        .unwrap();
    assert_eq!(table(&some).rows(), 10);
    let footer = file.bytes.len() as u64 - first;
    assert_eq!(
        *file.taken.lock().unwrap(),
        (footer + dictionary + page, 2),
        "footer and indexes, then one page with its dictionary"
    );
    // Without an index, the chunk of the one row group that holds the rows.
    let file = paged(false);
    let layout = ParquetFormatter.index(&file).unwrap().unwrap();
    let located = ParquetFormatter.locate(&layout, &request).unwrap();
    *file.taken.lock().unwrap() = (0, 0);
    let again = ParquetFormatter
        .read(&file, Some(&layout), &request)
        .unwrap();
    assert_eq!(some.difference(again.as_ref()), None);
    let (bytes, _) = *file.taken.lock().unwrap();
    assert_eq!(bytes, located.bytes());
    assert!(bytes < file.bytes.len() as u64 / 2, "{bytes}");
}

#[test]
fn damaged_files_are_errors_and_never_panics() {
    let files = [
        "catalogs/injection/ci_hsc_injection_catalog_i_189584.parq",
        "catalogs/testSSObjects.parq",
    ];
    let files: Vec<Counted> = files.iter().filter_map(|name| real(name)).collect();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut dice = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize % below
    };
    let mut damaged = 0;
    for run in 0..if files.is_empty() { 0 } else { 600 } {
        let mut bytes = files[run % files.len()].bytes.to_vec();
        match dice(4) {
            0 => bytes.truncate(dice(bytes.len())),
            _ => {
                for _ in 0..=dice(6) {
                    let at = dice(bytes.len());
                    bytes[at] = dice(256) as u8;
                }
            }
        }
        let file = source(bytes);
        let layout = ParquetFormatter.index(&file).ok().flatten();
        let some = ParquetFormatter.read(&file, layout.as_deref(), &rows_of("0:1"));
        assert!(some.is_ok() || some.is_err_and(|error| !error.to_string().is_empty()));
        match ParquetFormatter.read(&file, layout.as_deref(), &ReadRequest::default()) {
            Ok(object) => drop(ParquetFormatter.write(&object, &Default::default())),
            Err(error) => {
                damaged += 1;
                assert!(error.to_string().contains("some.parq"), "{error}");
            }
        }
    }
    assert!(files.is_empty() || damaged > 50, "{damaged} refused");
}

/// Its footer says how many rows and which columns a table has.
#[test]
fn neither_rows_nor_columns_cost_values() {
    let file = paged(true);
    let layout = ParquetFormatter.index(&file).unwrap().unwrap();
    let all = whole(&file);
    let without_rows = ReadRequest {
        rows: Some(RowRanges::default()),
        ..ReadRequest::default()
    };
    for (request, rows) in [(columns(&[]), table(&all).rows()), (without_rows, 0)] {
        *file.taken.lock().unwrap() = (0, 0);
        let found = ParquetFormatter
            .read(&file, Some(&layout), &request)
            .unwrap();
        let footer = ParquetFormatter.locate(&layout, &request).unwrap().bytes();
        assert_eq!(*file.taken.lock().unwrap(), (footer, 1));
        assert_eq!(table(&found).rows(), rows);
        if rows == 0 {
            let (some, all) = (table(&found).batch(), table(&all).batch());
            assert_eq!(some.schema_ref().fields(), all.schema_ref().fields());
        } else {
            assert_eq!(table(&found).column_names().count(), 0);
        }
    }
}
