//! Makes archive records by hand, for the tests of this crate alone: classes that no real file at hand has.

use std::sync::Arc;

use crate::archive::{Archive, ArchiveObject, Catalog, Persisted};
use crate::metadata::Metadata;
use crate::record::{RecordRows, RecordTable};

/// What a column of one row holds.
pub(crate) enum Values {
    /// 32-bit whole numbers.
    I32(Vec<i32>),
    /// 32-bit floating-point numbers.
    F32(Vec<f32>),
    /// 64-bit floating-point numbers.
    F64(Vec<f64>),
    /// Text.
    Text(String),
}

impl Values {
    fn form(&self) -> (usize, char, usize) {
        match self {
            Values::I32(values) => (values.len(), 'J', 4),
            Values::F32(values) => (values.len(), 'E', 4),
            Values::F64(values) => (values.len(), 'D', 8),
            Values::Text(text) => (text.len(), 'A', 1),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        match self {
            Values::I32(values) => values
                .iter()
                .flat_map(|value| value.to_be_bytes())
                .collect(),
            Values::F32(values) => values
                .iter()
                .flat_map(|value| value.to_be_bytes())
                .collect(),
            Values::F64(values) => values
                .iter()
                .flat_map(|value| value.to_be_bytes())
                .collect(),
            Values::Text(text) => text.clone().into_bytes(),
        }
    }
}

/// Columns of one row.
pub(crate) type Row = Vec<(&'static str, Values)>;

/// Returns a column of one whole number.
pub(crate) fn int(name: &'static str, value: i32) -> (&'static str, Values) {
    (name, Values::I32(vec![value]))
}

/// Returns a column of whole numbers.
pub(crate) fn ints(name: &'static str, values: &[i32]) -> (&'static str, Values) {
    (name, Values::I32(values.to_vec()))
}

/// Returns a column of one number.
pub(crate) fn real(name: &'static str, value: f64) -> (&'static str, Values) {
    (name, Values::F64(vec![value]))
}

/// Returns a column of numbers.
pub(crate) fn reals(name: &'static str, values: &[f64]) -> (&'static str, Values) {
    (name, Values::F64(values.to_vec()))
}

/// Returns a catalog of rows, which must have the same columns.
pub(crate) fn catalog(number: i32, rows: &[Row]) -> Catalog {
    let columns = &rows[0];
    let mut header = Metadata::default().with("TFIELDS", columns.len() as i64, None);
    let mut width = 0;
    for (index, (name, values)) in columns.iter().enumerate() {
        let (count, code, size) = values.form();
        width += count * size;
        header = header
            .with(&format!("TTYPE{}", index + 1), *name, None)
            .with(
                &format!("TFORM{}", index + 1),
                format!("{count}{code}"),
                None,
            );
    }
    let header = header.with("NAXIS1", width as i64, None);
    let table = Arc::new(RecordTable::from_header(header).unwrap());
    let bytes: Vec<u8> = rows
        .iter()
        .flatten()
        .flat_map(|(_, values)| values.bytes())
        .collect();
    let rows = RecordRows::new(table, bytes.into(), Vec::new()).unwrap();
    Catalog { number, rows }
}

/// Returns an object of one row.
pub(crate) fn object(id: i32, class: &str, row: Row) -> ArchiveObject {
    ArchiveObject::new(id, class, "", vec![catalog(0, &[row])])
}

/// Returns the first object with all it refers to among the others.
pub(crate) fn persisted(objects: Vec<ArchiveObject>) -> Persisted {
    let root = objects[0].id();
    Archive::new(objects).unwrap().persisted(root).unwrap()
}
