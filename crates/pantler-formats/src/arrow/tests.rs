//! Tables through Arrow files: the same as before, some rows by batch, and what damage does.

use std::ops::Range;
use std::sync::Mutex;

use arrow_array::{ArrayRef, Float64Array, Int64Array};
use pantler_core::StoreError;
use pantler_testkit::test_data;

use super::*;
use crate::fits::FitsFormatter;
use crate::parquet::ParquetFormatter;

struct Counted {
    bytes: Bytes,
    taken: Mutex<u64>,
}

impl Source for Counted {
    fn name(&self) -> &str {
        "some.arrow"
    }

    fn bytes(&self) -> Result<u64, StoreError> {
        Ok(self.bytes.len() as u64)
    }

    fn read_ranges(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, StoreError> {
        let slices = ranges.iter().map(|range| {
            *self.taken.lock().unwrap() += range.end - range.start;
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

fn written(object: &ObjectRef) -> Counted {
    let write = || {
        ArrowFormatter
            .write(object, &WriteOptions::default())
            .unwrap()
    };
    assert!(write() == write());
    source(write())
}

fn read(file: &Counted, request: &ReadRequest) -> Result<ObjectRef, FormatError> {
    ArrowFormatter.read(file, None, request)
}

#[test]
fn every_table_reads_back_as_it_was_written() {
    let fits = [
        "catalogs/refcat_sdss/903287.fits",
        "catalogs/multiband/meas_g.fits",
        "catalogs/ticket42210_zero_rows.fits",
        "misc/variable_length_table.fits",
        "misc/tdim.fits",
    ];
    let parquet = [
        "catalogs/testSSObjects.parq",
        "exposures/cfht/SRC-849375-12.parq",
    ];
    let mut objects = Vec::new();
    for (names, formatter) in [
        (&fits[..], &FitsFormatter as &dyn Formatter),
        (&parquet[..], &ParquetFormatter),
    ] {
        for name in names {
            let Some(path) = test_data(name) else {
                continue;
            };
            let file = source(std::fs::read(path).unwrap());
            let request = ReadRequest {
                class: Some("Table".to_owned()),
                ..ReadRequest::default()
            };
            objects.push((name, formatter.read(&file, None, &request).unwrap()));
        }
    }
    for (name, object) in objects {
        let file = written(&object);
        let again = read(&file, &ReadRequest::default()).unwrap();
        assert_eq!(object.difference(again.as_ref()), None, "{name}");
        assert_eq!(object.digest_values(), again.digest_values(), "{name}");
        let header = ReadRequest {
            part: vec!["metadata".to_owned()],
            ..ReadRequest::default()
        };
        let header = read(&file, &header).unwrap();
        let expected = object.component("metadata").unwrap();
        assert_eq!(expected.difference(header.as_ref()), None, "{name}");
    }
}

fn long() -> ObjectRef {
    let rows = 3 * ROWS_OF_A_BATCH as i64;
    let numbers: Int64Array = (0..rows).collect();
    let halves: Float64Array = (0..rows).map(|row| Some(row as f64 / 2.0)).collect();
    let batch = RecordBatch::try_from_iter([
        ("number", Arc::new(numbers) as ArrayRef),
        ("half", Arc::new(halves)),
    ]);
    Arc::new(Table::new(batch.unwrap(), Metadata::default()).unwrap())
}

/// Three batches of 16 bytes a row; the rows lie in the second and the third.
#[test]
fn some_rows_cost_the_batches_that_hold_them() {
    let file = written(&long());
    let at = ROWS_OF_A_BATCH as u64;
    let request = ReadRequest {
        rows: Some(RowRanges::new([at + 3..at + 5, 2 * at..2 * at + 1]).unwrap()),
        columns: Some(vec!["half".to_owned()]),
        ..ReadRequest::default()
    };
    let some = read(&file, &request).unwrap();
    let some = downcast::<Table>(some.as_ref()).unwrap();
    let shown: Vec<String> = (0..3).filter_map(|row| some.text(0, row)).collect();
    let halves = [at + 3, at + 4, 2 * at].map(|row| row as f64 / 2.0);
    assert_eq!((some.rows(), some.column_names().count()), (3, 1));
    for (shown, half) in shown.iter().zip(halves) {
        assert_eq!(shown.parse::<f64>().unwrap(), half);
    }
    let taken = *file.taken.lock().unwrap();
    assert!(
        (2 * 16 * at..2 * 16 * at + 4096).contains(&taken),
        "{taken}"
    );
    let beyond = ReadRequest {
        rows: Some(RowRanges::first(3 * at + 1)),
        ..ReadRequest::default()
    };
    assert!(matches!(
        read(&file, &beyond),
        Err(FormatError::NoSuchRows { rows, .. }) if rows == 3 * at
    ));
    let unknown = ReadRequest {
        columns: Some(vec!["Half".to_owned()]),
        ..ReadRequest::default()
    };
    assert!(matches!(
        read(&file, &unknown),
        Err(FormatError::NoSuchPart { part, .. }) if part == "Half"
    ));
}

#[test]
fn damaged_files_are_errors_and_never_panics() {
    let numbers: Int64Array = (0..40).collect();
    let texts: arrow_array::StringArray = (0..40).map(|row| Some(format!("row {row}"))).collect();
    let batch = RecordBatch::try_from_iter([
        ("number", Arc::new(numbers) as ArrayRef),
        ("text", Arc::new(texts)),
    ]);
    let table: ObjectRef = Arc::new(Table::new(batch.unwrap(), Metadata::default()).unwrap());
    let sound = written(&table).bytes;
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut dice = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize % below
    };
    let mut refused = 0;
    for _ in 0..1500 {
        let mut bytes = sound.to_vec();
        match dice(4) {
            0 => bytes.truncate(dice(bytes.len())),
            _ => {
                for _ in 0..=dice(6) {
                    let at = dice(bytes.len());
                    bytes[at] = dice(256) as u8;
                }
            }
        }
        if let Err(error) = read(&source(bytes), &ReadRequest::default()) {
            refused += 1;
            assert!(error.to_string().contains("some.arrow"), "{error}");
        }
    }
    assert!(refused > 300, "{refused}");
}

/// The messages in front of batches say how many rows they have.
#[test]
fn neither_rows_nor_columns_cost_values() {
    let numbers: Int64Array = (0..100_000).collect();
    let batch = RecordBatch::try_from_iter([("number", Arc::new(numbers) as ArrayRef)]);
    let all: ObjectRef = Arc::new(Table::new(batch.unwrap(), Metadata::default()).unwrap());
    let file = written(&all);
    let requests = [
        (Some(Vec::new()), None, 100_000, 0),
        (None, Some(RowRanges::default()), 0, 1),
    ];
    for (columns, rows, expected_rows, expected_columns) in requests {
        *file.taken.lock().unwrap() = 0;
        let request = ReadRequest {
            columns,
            rows,
            ..ReadRequest::default()
        };
        let found = read(&file, &request).unwrap();
        let found = downcast::<Table>(found.as_ref()).unwrap();
        assert_eq!(found.rows(), expected_rows);
        assert_eq!(found.column_names().count(), expected_columns);
        let taken = *file.taken.lock().unwrap();
        assert!(taken < 10_000, "{taken} of 800000 bytes");
    }
}
