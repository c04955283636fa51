//! Tables compared with what astropy makes of the same files, written and read back, and read column by column.

use std::sync::Arc;

use arrow_array::builder::{Float64Builder, ListBuilder};
use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BooleanArray, FixedSizeListArray, Float32Array, Float64Array, Int8Array, Int16Array,
    Int32Array, Int64Array, ListArray, RecordBatch, StringArray, TimestampSecondArray, UInt8Array,
    UInt16Array, UInt32Array, UInt64Array,
};
use pantler_core::formatter::ReadRequest;
use pantler_core::object::downcast;
use pantler_core::{FormatError, Formatter, ObjectRef};
use pantler_objects::{Metadata, Table};
use pantler_testkit::test_data;
use serde_json::Value;

use super::support::{Counted, class, part, real};
use crate::fits::FitsFormatter;
use crate::fits::contents::Contents;

fn at_hdu(hdu: u64) -> ReadRequest {
    ReadRequest {
        hdu: Some(hdu as u32),
        ..class("Table")
    }
}

fn columns(names: &[&str]) -> ReadRequest {
    ReadRequest {
        columns: Some(names.iter().map(|name| (*name).to_owned()).collect()),
        ..class("Table")
    }
}

fn read(source: &Counted, request: &ReadRequest) -> ObjectRef {
    FitsFormatter.read(source, None, request).unwrap()
}

fn table(object: &ObjectRef) -> &Table {
    downcast(object.as_ref()).unwrap()
}

fn written(table: &Table) -> Result<Counted, FormatError> {
    let object: ObjectRef = Arc::new(table.clone());
    let bytes = FitsFormatter.write(&object, &Default::default())?;
    assert!(bytes == FitsFormatter.write(&object, &Default::default())?);
    Ok(Counted::new("written.fits", bytes))
}

/// Returns whether a value, as we show it, is the one that astropy has.
fn agrees(expected: &Value, shown: Option<&str>) -> bool {
    match (expected, shown) {
        (Value::Null, None) => true,
        (Value::Array(items), Some(shown)) => match shown.strip_prefix('[') {
            Some(shown) => {
                let shown = shown.trim_end_matches(']');
                let shown: Vec<&str> = shown.split(", ").filter(|item| !item.is_empty()).collect();
                let pairs = items.iter().zip(&shown);
                let cut_off = shown.last().is_some_and(|item| item.starts_with('…'));
                (cut_off || shown.len() == items.len())
                    && pairs
                        .filter(|(_, shown)| !shown.starts_with('…'))
                        .all(|(item, shown)| agrees(item, Some(*shown)))
            }
            None => items.len() == 1 && agrees(&items[0], Some(shown)),
        },
        (Value::String(text), Some(shown)) => {
            // Numbers that JSON has no word for are recorded as text.
            text == shown || text.eq_ignore_ascii_case(shown)
        }
        (Value::Bool(flag), Some(shown)) => shown == flag.to_string(),
        (Value::Number(number), Some(shown)) => match number.as_i64() {
            Some(whole) if !number.is_f64() => {
                shown.parse() == Ok(whole) || shown.parse() == Ok(whole as f64)
            }
            _ => {
                let (a, b) = (number.as_f64().unwrap(), shown.parse::<f64>().unwrap());
                // Some are recorded as 32-bit numbers widened to 64 bits, which we show shortest.
                // The reader of JSON misses the last bit now and then.
                let near = |b: f64| a == b || (a - b).abs() <= a.abs() * f64::EPSILON;
                near(b) || near(f64::from(b as f32)) || (a.is_nan() && b.is_nan())
            }
        },
        (Value::Null, Some(shown)) => shown == "NaN",
        _ => false,
    }
}

#[test]
fn every_table_has_the_rows_columns_and_values_that_astropy_reads() {
    let Some(path) = test_data("ORACLE.json") else {
        return;
    };
    let oracle: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let (mut tables, mut values) = (0, 0);
    for (name, hdus) in oracle.as_object().unwrap() {
        for expected in hdus.as_array().unwrap() {
            let Some(names) = expected["columns"].as_array() else {
                continue;
            };
            let source = real(name).unwrap();
            let hdu = expected["hdu"].as_u64().unwrap();
            let object = read(&source, &at_hdu(hdu));
            let table = table(&object);
            let what = format!("{name} {hdu}");
            assert_eq!(
                table.rows() as u64,
                expected["rows"].as_u64().unwrap(),
                "{what}"
            );
            let fields = table.batch().schema_ref().fields();
            let mut ours: Vec<&str> = Vec::new();
            for field in fields {
                let name = field
                    .metadata()
                    .get("packed")
                    .map_or(field.name(), |packed| packed);
                if ours.last() != Some(&name.as_str()) {
                    ours.push(name);
                }
            }
            let names: Vec<&str> = names.iter().map(|name| name.as_str().unwrap()).collect();
            assert_eq!(ours, names, "{what}");
            for (column, value) in expected["first_row"].as_object().into_iter().flatten() {
                let at = table.column_names().position(|name| name == column);
                let at = at.unwrap_or_else(|| panic!("{what} has no column {column}"));
                let shown = table.text(at, 0);
                assert!(
                    agrees(value, shown.as_deref()),
                    "{what} {column}: {value} and {shown:?}"
                );
                values += 1;
            }
            tables += 1;
        }
    }
    assert_eq!(tables, 177, "tables compared");
    // As many as the first rows of the oracle have: nothing is left out.
    assert_eq!(values, 986, "values compared");
}

/// Every type of column there is, with missing values where FITS can say so.
fn of_all_types() -> Table {
    let list = |items: ArrayRef, length| {
        let item = Arc::new(arrow_schema::Field::new(
            "item",
            items.data_type().clone(),
            true,
        ));
        Arc::new(FixedSizeListArray::try_new(item, length, items, None).unwrap()) as ArrayRef
    };
    let mut lists = ListBuilder::new(Float64Builder::new());
    lists.append_value([Some(1.5), Some(-2.0)]);
    lists.append_value([None::<f64>; 0]);
    lists.append_value([Some(f64::MAX)]);
    let near = [
        Some(vec![Some(1), None]),
        Some(vec![]),
        Some(vec![Some(i32::MIN)]),
    ];
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "flag",
            Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
        ),
        (
            "i8",
            Arc::new(Int8Array::from(vec![Some(i8::MIN), None, Some(i8::MAX)])),
        ),
        (
            "u8",
            Arc::new(UInt8Array::from(vec![Some(0), None, Some(255)])),
        ),
        (
            "i16",
            Arc::new(Int16Array::from(vec![Some(i16::MIN), None, Some(i16::MAX)])),
        ),
        ("u16", Arc::new(UInt16Array::from(vec![0, 1, u16::MAX]))),
        (
            "i32",
            Arc::new(Int32Array::from(vec![Some(i32::MIN), Some(0), None])),
        ),
        (
            "u32",
            Arc::new(UInt32Array::from(vec![Some(0), None, Some(u32::MAX)])),
        ),
        (
            "i64",
            Arc::new(Int64Array::from(vec![i64::MIN, 0, i64::MAX])),
        ),
        ("u64", Arc::new(UInt64Array::from(vec![0, 1, u64::MAX]))),
        (
            "f32",
            Arc::new(Float32Array::from(vec![
                Some(0.1),
                None,
                Some(f32::INFINITY),
            ])),
        ),
        (
            "f64",
            Arc::new(Float64Array::from(vec![0.1, -0.0, f64::NAN])),
        ),
        (
            "text",
            Arc::new(StringArray::from(vec!["", "it's", " led"])),
        ),
        ("pair", list(Arc::new(Int32Array::from_iter(0..6)), 2)),
        (
            "names",
            list(
                Arc::new(StringArray::from(vec!["a", "", "ccc", "d", "e", "f"])),
                2,
            ),
        ),
        (
            "none",
            Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(vec![
                Some(
                    vec![]
                );
                3
            ])),
        ),
        (
            "near",
            Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(near)),
        ),
        ("lists", Arc::new(lists.finish())),
    ];
    let with_nulls = columns.into_iter().map(|(name, array)| (name, array, true));
    let batch = RecordBatch::try_from_iter_with_nullable(with_nulls).unwrap();
    let header = Metadata::default()
        .with("OBJECT", "M13", None)
        .with("EXPTIME", 1.5, None);
    Table::new(batch, header).unwrap()
}

#[test]
fn every_type_of_column_reads_back_as_it_was() {
    let before = of_all_types();
    let file = written(&before).unwrap();
    let after = read(&file, &ReadRequest::default());
    assert_eq!(
        pantler_core::Object::difference(&before, after.as_ref()),
        None
    );
    assert_eq!(
        pantler_core::Object::digest_values(&before),
        after.digest_values()
    );
    assert_eq!(written(table(&after)).unwrap().all(), file.all());
    if let Ok(folder) = std::env::var("PANTLER_KEEP_TABLES") {
        std::fs::write(format!("{folder}/types.fits"), file.all()).unwrap();
    }
}

#[test]
fn what_fits_cannot_hold_is_refused_and_named() {
    let refused = |array: ArrayRef| {
        let batch = RecordBatch::try_from_iter_with_nullable([("x", array, true)]).unwrap();
        let table = Table::new(batch, Metadata::default()).unwrap();
        written(&table).err().unwrap().to_string()
    };
    let cases: [(ArrayRef, &str); 5] = [
        (
            Arc::new(StringArray::from(vec![Some("a"), None])),
            "no value in row 1",
        ),
        (
            Arc::new(StringArray::from(vec!["a", "é"])),
            "letters in row 1",
        ),
        (
            Arc::new(StringArray::from(vec!["a "])),
            "ends in a blank in row 0",
        ),
        (Arc::new(TimestampSecondArray::from(vec![1])), "Timestamp"),
        (
            Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([None::<
                Vec<Option<i32>>,
            >])),
            "no value in row 0",
        ),
    ];
    for (array, expected) in cases {
        let said = refused(array);
        assert!(
            said.contains("column `x`") && said.contains(expected),
            "{said}"
        );
    }
    let all: Vec<Option<u8>> = (0..=255).map(Some).chain([None]).collect();
    assert!(refused(Arc::new(UInt8Array::from(all))).contains("none is left"));
}

#[test]
fn units_descriptions_and_flags_survive() {
    let Some(source) = real("catalogs/sourceTable-v2.fits") else {
        return;
    };
    let object = read(&source, &ReadRequest::default());
    let again = read(&written(table(&object)).unwrap(), &ReadRequest::default());
    assert_eq!(object.difference(again.as_ref()), None);
    for table in [table(&object), table(&again)] {
        assert_eq!(table.unit("coord_ra"), Some("rad"));
        assert_eq!(table.description("id"), Some("unique ID"));
        let names: Vec<&str> = table.column_names().take(4).collect();
        assert_eq!(names, ["a_flag", "b_flag", "c_flag", "id"]);
        assert_eq!(table.metadata().get_text("AFW_TYPE"), Some("SOURCE"));
        assert!(table.metadata().get("TTYPE1").is_none());
    }
    if let Ok(folder) = std::env::var("PANTLER_KEEP_TABLES") {
        std::fs::write(
            format!("{folder}/source.fits"),
            written(table(&object)).unwrap().all(),
        )
        .unwrap();
    }
}

/// Rows lie together in the file: some columns cost the rows, and nothing of the archive behind them.
#[test]
fn some_columns_are_read_in_the_order_asked_for() {
    let Some(source) = real("catalogs/multiband/meas_g.fits") else {
        return;
    };
    let layout = FitsFormatter.index(&source).unwrap().unwrap();
    let all = FitsFormatter
        .read(&source, Some(&layout), &class("Table"))
        .unwrap();
    source.taken();
    let request = columns(&["parent", "base_PixelFlags_flag_edge", "id"]);
    let some = FitsFormatter
        .read(&source, Some(&layout), &request)
        .unwrap();
    let (bytes, requests) = source.taken();
    let planned = FitsFormatter.locate(&layout, &request).unwrap();
    assert_eq!((planned.class.as_str(), planned.bytes()), ("Table", bytes));
    assert!(
        requests == 1 && bytes < source.size() / 2,
        "{requests} requests, {bytes} bytes"
    );
    let names = request.columns.clone().unwrap();
    let expected = table(&all).select(&names).unwrap();
    assert_eq!(
        pantler_core::Object::difference(&expected, some.as_ref()),
        None
    );
    // The packed column stands for all its flags.
    let flags = read(&source, &columns(&["flags"]));
    let packed = |field: &&arrow_schema::FieldRef| field.metadata().get("packed").is_some();
    let schema = table(&all).batch().schema_ref().clone();
    assert_eq!(
        table(&flags).column_names().count(),
        schema.fields().iter().filter(packed).count()
    );
    let error = FitsFormatter
        .read(&source, None, &columns(&["id", "Id"]))
        .unwrap_err();
    match error {
        FormatError::NoSuchPart { part, known, .. } => {
            assert_eq!(part, "Id");
            assert!(known.contains(&"parent".to_owned()));
        }
        other => panic!("{other}"),
    }
}

#[test]
fn the_header_of_a_table_costs_headers_alone() {
    let Some(source) = real("misc/chandra_time.fits") else {
        return;
    };
    let layout = FitsFormatter.index(&source).unwrap().unwrap();
    source.taken();
    let request = ReadRequest {
        class: Some("Table".to_owned()),
        ..part("metadata")
    };
    let header = FitsFormatter
        .read(&source, Some(&layout), &request)
        .unwrap();
    let (bytes, _) = source.taken();
    let contents = Contents::walk(&source).unwrap();
    let headers = contents
        .shapes()
        .iter()
        .take(2)
        .map(|shape| shape.header.end - shape.header.start);
    assert_eq!(bytes, headers.sum::<u64>());
    let whole = read(&source, &class("Table"));
    let component = whole.component("metadata").unwrap();
    assert_eq!(component.difference(header.as_ref()), None);
}

/// `TNULL`, scaling and points that are left out, in an ASCII table; the example of the standard's rules.
#[test]
fn ascii_fields_follow_the_standard() {
    let Some(source) = real("misc/ascii.fits") else {
        return;
    };
    let object = read(&source, &ReadRequest::default());
    let shown = |row| [0, 1].map(|column| table(&object).text(column, row).unwrap());
    assert_eq!(shown(0), ["10.123", "37"]);
    let again = read(&written(table(&object)).unwrap(), &ReadRequest::default());
    assert_eq!(object.difference(again.as_ref()), None);
    let mut bytes = source.all().to_vec();
    let at = bytes
        .windows(10)
        .position(|window| window == b".10123E+02")
        .unwrap();
    bytes[at..at + 10].copy_from_slice(b"    10123 ");
    let object = read(&Counted::new("points.fits", bytes), &ReadRequest::default());
    assert_eq!(table(&object).text(0, 0).as_deref(), Some("1.0123"));
}
