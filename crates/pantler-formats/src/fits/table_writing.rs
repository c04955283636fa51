//! Writes a table as a binary table in the first extension, which astropy and the LSST stack open.
//!
//! The same table gives the same bytes. FITS has no word for some things that tables can hold (text without a value, dates,
//! lists of text); a table with such a column is refused, rather than written as something else. Numbers that have no value
//! get a `TNULL` that no other value has, and floating-point numbers become NaN.

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::{Array, BooleanArray};
use arrow_schema::{DataType, Field};
use bytes::Bytes;
use pantler_core::FormatError;
use pantler_core::formatter::PartProvenance;
use pantler_objects::table::key;
use pantler_objects::{Card, Table};

use super::hdu_writing::{HeaderWriting, empty_primary, integer, write_data};
use super::place::Place;
use super::provenance::{is_provenance_keyword, write_provenance};
use super::table_reading::is_table_card;
use super::table_stored::{Stored, stored, stored_texts};

/// The most columns that a FITS table can have.
const MOST_COLUMNS: usize = 999;

/// Writes a table.
pub(crate) fn write_table(
    table: &Table,
    provenance: &[PartProvenance],
    place: &Place,
) -> Result<Bytes, FormatError> {
    let columns = columns_of(table.batch(), place)?;
    if columns.len() > MOST_COLUMNS {
        let number = columns.len();
        let why = format!("a table has at most {MOST_COLUMNS} columns, and this one has {number}");
        return Err(place.unsupported(why));
    }
    let mut out = Vec::new();
    let mut primary = empty_primary();
    write_provenance(&mut primary, provenance);
    primary.finish(&mut out, place)?;
    let (data, heap) = lay_out(&columns, table.rows());
    let wide = heap > i32::MAX as usize;
    let mut header = HeaderWriting::default();
    header.add("XTENSION", "BINTABLE", "binary table extension");
    header.add("BITPIX", 8, "bits per byte");
    header.add("NAXIS", 2, "number of axes");
    let width: usize = columns.iter().map(|column| column.width(wide)).sum();
    header.add("NAXIS1", integer(width as u64), "bytes of a row");
    header.add("NAXIS2", integer(table.rows() as u64), "rows");
    header.add("PCOUNT", integer(heap as u64), "bytes of the heap");
    header.add("GCOUNT", 1, "");
    header.add("TFIELDS", columns.len() as i64, "columns");
    for (column, number) in columns.iter().zip(1..) {
        column.describe(&mut header, number, wide);
    }
    let kept = |keyword: &str| is_table_card(keyword) && !is_provenance_keyword(keyword);
    for card in table.metadata().iter().filter(|card| kept(card.keyword())) {
        header.card(card);
    }
    header.finish(&mut out, place)?;
    write_data(&mut out, &data, 0);
    Ok(Bytes::from(out))
}

/// A column as it is written.
struct Column<'a> {
    name: &'a str,
    said: Option<&'a Field>,
    flags: Vec<&'a Field>,
    /// The letter of the format, for lists that of their elements.
    code: u8,
    /// The elements in a row, or the most that a list has.
    repeat: usize,
    /// The bytes in a row; `None` for lists.
    fixed: Option<usize>,
    /// For lists, the number of elements and of bytes in each row.
    lists: Vec<(u64, usize)>,
    bytes: Vec<u8>,
    zero: Option<f64>,
    null: Option<i64>,
    axes: Option<String>,
}

impl Column<'_> {
    fn width(&self, wide: bool) -> usize {
        self.fixed.unwrap_or(if wide { 16 } else { 8 })
    }

    fn describe(&self, header: &mut HeaderWriting, number: usize, wide: bool) {
        let code = char::from(self.code);
        let form = match (self.fixed, wide) {
            (Some(_), _) => format!("{}{code}", self.repeat),
            (None, false) => format!("1P{code}({})", self.repeat),
            (None, true) => format!("1Q{code}({})", self.repeat),
        };
        header.add(&format!("TTYPE{number}"), self.name, "");
        header.add(&format!("TFORM{number}"), form, "");
        if let Some(zero) = self.zero {
            header.card(&whole_number(&format!("TZERO{number}"), zero));
        }
        if let Some(null) = self.null {
            header.add(&format!("TNULL{number}"), null, "no value");
        }
        if let Some(axes) = &self.axes {
            header.add(&format!("TDIM{number}"), axes.as_str(), "");
        }
        let said = |key: &str| self.said.and_then(|field| field.metadata().get(key));
        for (root, key) in [
            ("TUNIT", key::UNIT),
            ("TDISP", key::DISPLAY),
            ("TCCLS", key::FIELD_CLASS),
        ] {
            if let Some(text) = said(key) {
                header.add(&format!("{root}{number}"), text.as_str(), "");
            }
        }
        if let Some(text) = said(key::DESCRIPTION) {
            header.add(&format!("TDOC{number}"), printable(text), "");
        }
        if !self.flags.is_empty() {
            header.add("FLAGCOL", number as i64, "the column of the flags");
            for (flag, number) in self.flags.iter().zip(1..) {
                header.add(&format!("TFLAG{number}"), flag.name().as_str(), "");
                if let Some(text) = flag.metadata().get(key::DESCRIPTION) {
                    header.add(&format!("TFDOC{number}"), printable(text), "");
                }
            }
        }
    }
}

/// Returns a card with a whole number that may be larger than an `i64`; astropy takes one with a point for a scaling.
fn whole_number(keyword: &str, number: f64) -> Card {
    let image = format!("{:<80}", format!("{keyword:<8}= {number:>20.0}"));
    Card::new(keyword, number, None).read_from(Bytes::from(image))
}

/// A description is no value: what cards cannot hold of it is no reason to fail.
fn printable(text: &str) -> String {
    text.replace(|letter| !(' '..='~').contains(&letter), "?")
}

fn columns_of<'a>(batch: &'a RecordBatch, place: &Place) -> Result<Vec<Column<'a>>, FormatError> {
    let fields = batch.schema_ref().fields();
    let packed = packed_run(batch);
    let mut columns = Vec::new();
    for (at, (field, array)) in fields.iter().zip(batch.columns()).enumerate() {
        match &packed {
            Some((run, name)) if run.contains(&at) => {
                if at == run.start {
                    let flags: Vec<&Field> =
                        fields[run.clone()].iter().map(AsRef::as_ref).collect();
                    let arrays = batch.columns()[run.clone()].iter();
                    columns.push(flags_column(
                        name,
                        flags,
                        arrays.map(|array| array.as_boolean()),
                    ));
                }
            }
            _ => columns.push(column(field, array).map_err(|why| {
                place.unsupported(format!("column `{}` {why}", field.name().escape_default()))
            })?),
        }
    }
    Ok(columns)
}

/// Returns the columns that were the bits of one, and the name that it had.
///
/// They are packed again only if they stand together: a table keeps the order of its columns. Only one column of a file can
/// have bits with names.
fn packed_run(batch: &RecordBatch) -> Option<(std::ops::Range<usize>, &str)> {
    let fields = batch.schema_ref().fields();
    let name = |at: usize| {
        fields
            .get(at)
            .and_then(|field| field.metadata().get(key::PACKED))
    };
    let start = (0..fields.len()).find(|&at| name(at).is_some())?;
    let packed = name(start)?;
    let is_bit = |at: &usize| {
        name(*at) == Some(packed)
            && batch.column(*at).data_type() == &DataType::Boolean
            && batch.column(*at).null_count() == 0
    };
    let end = start + (start..fields.len()).take_while(is_bit).count();
    (end > start).then_some((start..end, packed))
}

fn flags_column<'a>(
    name: &'a str,
    flags: Vec<&'a Field>,
    arrays: impl Iterator<Item = &'a BooleanArray>,
) -> Column<'a> {
    let width = flags.len().div_ceil(8);
    let mut bytes = Vec::new();
    for (number, array) in arrays.enumerate() {
        bytes.resize(array.len() * width, 0_u8);
        for (row, flag) in bytes.chunks_exact_mut(width).zip(array.values()) {
            row[number / 8] |= u8::from(flag) << (7 - number % 8);
        }
    }
    Column {
        name,
        said: None,
        code: b'X',
        repeat: flags.len(),
        fixed: Some(width),
        flags,
        lists: Vec::new(),
        bytes,
        zero: None,
        null: None,
        axes: None,
    }
}

/// Returns a column as it is written, or why it cannot be.
fn column<'a>(field: &'a Field, array: &dyn Array) -> Result<Column<'a>, String> {
    let bare = Column {
        name: field.name(),
        said: Some(field),
        flags: Vec::new(),
        code: b'A',
        repeat: 1,
        fixed: None,
        lists: Vec::new(),
        bytes: Vec::new(),
        zero: None,
        null: None,
        axes: None,
    };
    let said = |key: &str| field.metadata().get(key);
    let null = said(key::NULL).and_then(|text| text.parse().ok());
    let complex = said(key::COMPLEX).is_some();
    match array.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => {
            let (width, bytes) = stored_texts(array)?;
            Ok(Column {
                repeat: width,
                fixed: Some(width),
                bytes,
                ..bare
            })
        }
        DataType::FixedSizeList(_, length) => {
            check_all_there(array)?;
            let list = array.as_fixed_size_list();
            let length = usize::try_from(*length).unwrap_or(0);
            let values = list
                .values()
                .slice(list.value_offset_at(0), list.len() * length);
            let axes = said(key::DIMENSIONS).cloned();
            if matches!(values.data_type(), DataType::Utf8 | DataType::LargeUtf8) {
                let (width, bytes) = stored_texts(&values)?;
                let inner = axes.as_deref().and_then(|axes| axes.strip_prefix('('));
                let axes = match inner {
                    Some(inner) => format!("({width},{inner}"),
                    None => format!("({width},{length})"),
                };
                let repeat = width * length;
                return Ok(Column {
                    repeat,
                    fixed: Some(repeat),
                    bytes,
                    axes: Some(axes),
                    ..bare
                });
            }
            let values = complex_or(stored(&values, null)?, complex && length.is_multiple_of(2));
            let repeat = if values.is_complex() {
                length / 2
            } else {
                length
            };
            let width = values.width * repeat;
            Ok(Column {
                axes,
                ..filled(bare, values, repeat, Some(width))
            })
        }
        DataType::List(_) => {
            check_all_there(array)?;
            let offsets = array.as_list::<i32>().value_offsets();
            let offsets: Vec<usize> = offsets.iter().map(|&offset| offset as usize).collect();
            lists(
                bare,
                &offsets,
                array.as_list::<i32>().values(),
                null,
                complex,
            )
        }
        DataType::LargeList(_) => {
            check_all_there(array)?;
            let offsets = array.as_list::<i64>().value_offsets();
            let offsets: Vec<usize> = offsets.iter().map(|&offset| offset as usize).collect();
            lists(
                bare,
                &offsets,
                array.as_list::<i64>().values(),
                null,
                complex,
            )
        }
        _ => {
            let values = stored(array, null)?;
            let width = values.width;
            Ok(filled(bare, values, 1, Some(width)))
        }
    }
}

fn check_all_there(array: &dyn Array) -> Result<(), String> {
    match (0..array.len()).find(|&row| array.is_null(row)) {
        Some(row) => Err(format!(
            "has no value in row {row}, and FITS has no array without a value"
        )),
        None => Ok(()),
    }
}

/// Takes pairs of numbers for complex numbers.
fn complex_or(values: Stored, complex: bool) -> Stored {
    let code = match values.code {
        b'E' if complex => b'C',
        b'D' if complex => b'M',
        _ => return values,
    };
    Stored {
        code,
        width: values.width * 2,
        ..values
    }
}

fn filled(bare: Column<'_>, values: Stored, repeat: usize, fixed: Option<usize>) -> Column<'_> {
    Column {
        code: values.code,
        repeat,
        fixed,
        bytes: values.bytes,
        zero: values.zero,
        null: values.null,
        ..bare
    }
}

fn lists<'a>(
    bare: Column<'a>,
    offsets: &[usize],
    values: &dyn Array,
    null: Option<i64>,
    complex: bool,
) -> Result<Column<'a>, String> {
    let (first, last) = (
        offsets.first().copied().unwrap_or(0),
        offsets.last().copied().unwrap_or(0),
    );
    let lengths: Vec<usize> = offsets.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let paired = lengths.iter().all(|length| length.is_multiple_of(2));
    let values = complex_or(
        stored(&values.slice(first, last - first), null)?,
        complex && paired,
    );
    let numbers = if values.is_complex() { 2 } else { 1 };
    let width = values.width;
    let rows = lengths
        .iter()
        .map(|length| (length / numbers, length / numbers * width));
    let rows: Vec<(u64, usize)> = rows.map(|(count, bytes)| (count as u64, bytes)).collect();
    let longest = rows
        .iter()
        .map(|(count, _)| *count as usize)
        .max()
        .unwrap_or(0);
    Ok(Column {
        lists: rows,
        ..filled(bare, values, longest, None)
    })
}

/// Returns the rows with the heap behind them, and the size of the heap.
fn lay_out(columns: &[Column<'_>], rows: usize) -> (Vec<u8>, usize) {
    let heap: usize = columns
        .iter()
        .filter(|column| column.fixed.is_none())
        .map(|column| column.bytes.len())
        .sum();
    let wide = heap > i32::MAX as usize;
    let width: usize = columns.iter().map(|column| column.width(wide)).sum();
    let mut data = Vec::with_capacity(rows.saturating_mul(width).saturating_add(heap));
    let mut ends = Vec::new();
    let mut end = 0;
    for column in columns {
        ends.push(end);
        if column.fixed.is_none() {
            end += column.bytes.len();
        }
    }
    for row in 0..rows {
        for (column, end) in columns.iter().zip(&mut ends) {
            match column.fixed {
                Some(width) => {
                    data.extend_from_slice(&column.bytes[row * width..(row + 1) * width])
                }
                None => {
                    let (count, bytes) = column.lists[row];
                    let start = if bytes == 0 { 0 } else { *end as u64 };
                    *end += bytes;
                    for number in [count, start] {
                        let number = number.to_be_bytes();
                        data.extend_from_slice(if wide { &number } else { &number[4..] });
                    }
                }
            }
        }
    }
    for column in columns.iter().filter(|column| column.fixed.is_none()) {
        data.extend_from_slice(&column.bytes);
    }
    (data, heap)
}
