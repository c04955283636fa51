//! The columns of an ASCII table: fields of text at fixed places in lines of one length.
//!
//! A field of blanks in a column of numbers is 0, as the standard says; a field that reads as `TNULL` has no value.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array};
use pantler_core::{FormatError, RowRanges};

use super::card::integer_of;
use super::contents::Contents;
use super::structure::Hdu;
use super::table_columns::{Cards, Said, Scale, Selection, name_of};
use super::table_reading::Columns;
use super::table_rows::{read_rows, wanted_rows};
use super::table_values::texts;

/// Reads the columns of an ASCII table; returns the number of rows, and the columns that were wanted.
pub(crate) fn ascii_columns(
    contents: &Contents<'_>,
    hdu: &Hdu,
    selection: &Selection<'_>,
    asked: Option<&RowRanges>,
) -> Result<(usize, Columns), FormatError> {
    let number = |keyword: &str| {
        let number = integer_of(&hdu.cards, keyword).and_then(|n| usize::try_from(n).ok());
        number.ok_or_else(|| hdu.place.corrupt(format!("{keyword} is missing")))
    };
    let (width, rows, fields) = (number("NAXIS1")?, number("NAXIS2")?, number("TFIELDS")?);
    let size = (hdu.shape.data.end - hdu.shape.data.start) as usize;
    if width.checked_mul(rows).is_none_or(|body| body > size) || fields > 999 {
        return Err(hdu.place.corrupt("its lines take more room than it has"));
    }
    // Lines without letters would cost memory and no bytes of the file.
    if width == 0 && rows > 0 {
        return Err(hdu.place.corrupt("its lines have no letters"));
    }
    let cards = Cards::of(&hdu.cards);
    let names: Vec<String> = (1..=fields)
        .map(|n| name_of(cards.text("TTYPE", n).unwrap_or_default(), n))
        .collect();
    let wanted = wanted_rows(asked, rows as u64, &hdu.place)?;
    // No more than all rows, which are counted in a `usize`.
    let rows = wanted.count() as usize;
    let mut bytes = bytes::Bytes::new();
    if names.iter().any(|name| selection.wants(name)) {
        bytes = read_rows(contents, &wanted, hdu.shape.data.start, width as u64)?;
    }
    let mut columns = Columns::new();
    for (name, number) in names.iter().zip(1..) {
        if !selection.wants(name) {
            continue;
        }
        let column = AsciiColumn::of(&cards, number, width, hdu)?;
        let array = column.read(
            &Lines {
                bytes: &bytes,
                width,
                wanted: &wanted,
            },
            hdu,
            name,
        )?;
        let description = cards.text("TDOC", number).unwrap_or_default();
        let said = Said {
            name,
            number,
            description,
        };
        columns.push((cards.field(said, array.data_type().clone()), array));
    }
    let columns = selection.arrange(columns, || names.clone(), &hdu.place)?;
    Ok((rows, columns))
}

/// The lines that were read, and which rows they are.
struct Lines<'a> {
    bytes: &'a [u8],
    width: usize,
    wanted: &'a RowRanges,
}

/// Where a column stands in a line, and how its fields are written.
struct AsciiColumn<'a> {
    start: usize,
    end: usize,
    letter: u8,
    decimals: usize,
    scale: Scale,
    null: Option<&'a str>,
}

impl<'a> AsciiColumn<'a> {
    fn of(
        cards: &Cards<'a>,
        number: usize,
        width: usize,
        hdu: &Hdu,
    ) -> Result<AsciiColumn<'a>, FormatError> {
        let form = cards.text("TFORM", number).unwrap_or_default();
        let wrong = || {
            hdu.place
                .corrupt(format!("TFORM{number} is {form:?}, which is none"))
        };
        let letter = form.bytes().next().ok_or_else(wrong)?;
        if !matches!(letter, b'A' | b'I' | b'F' | b'E' | b'D') {
            return Err(wrong());
        }
        let (length, decimals) = form[1..].split_once('.').unwrap_or((&form[1..], "0"));
        let length: usize = match length {
            "" => 1,
            length => length.parse().map_err(|_| wrong())?,
        };
        let start = cards
            .integer("TBCOL", number)
            .and_then(|column| usize::try_from(column).ok()?.checked_sub(1))
            .ok_or_else(|| hdu.place.corrupt(format!("TBCOL{number} is missing")))?;
        let end = start.checked_add(length).filter(|&end| end <= width);
        let outside = || {
            hdu.place
                .corrupt(format!("column {number} does not fit into a line"))
        };
        Ok(AsciiColumn {
            start,
            end: end.ok_or_else(outside)?,
            letter,
            decimals: decimals.parse().map_err(|_| wrong())?,
            scale: cards.scale(number),
            null: cards.text("TNULL", number),
        })
    }

    fn read(&self, lines: &Lines<'_>, hdu: &Hdu, name: &str) -> Result<ArrayRef, FormatError> {
        let rows = lines.bytes.len() / lines.width.max(1);
        let fields = lines
            .bytes
            .chunks_exact(lines.width.max(1))
            .map(|line| &line[self.start..self.end]);
        if self.letter == b'A' {
            return Ok(texts(
                fields,
                rows,
                rows.saturating_mul(self.end - self.start),
            ));
        }
        let wrong = |line: usize| {
            let row = lines.wanted.row_at(line as u64).unwrap_or_default();
            hdu.place
                .corrupt(format!("column `{name}`, row {row}: it is no number"))
        };
        let numbered = fields.enumerate();
        if self.letter == b'I' && self.scale.is_none() {
            let values = numbered.map(|(row, field)| {
                self.number(field, |text| text.parse::<i64>().ok())
                    .ok_or_else(|| wrong(row))
            });
            return Ok(Arc::new(
                values.collect::<Result<Int64Array, FormatError>>()?,
            ));
        }
        let values = numbered.map(|(row, field)| {
            let value = self
                .number(field, |text| self.real(text))
                .ok_or_else(|| wrong(row))?;
            Ok(value.map(|value| self.scale.apply(value)))
        });
        Ok(Arc::new(
            values.collect::<Result<Float64Array, FormatError>>()?,
        ))
    }

    /// Reads a field: `None` if it is no number, `Some(None)` if it has no value.
    fn number<T: Default>(
        &self,
        field: &[u8],
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<Option<T>> {
        let text = std::str::from_utf8(field).ok()?.trim_matches(['\0', ' ']);
        if self.null == Some(text) {
            return Some(None);
        }
        if text.is_empty() {
            return Some(Some(T::default()));
        }
        parse(text.strip_prefix('+').unwrap_or(text)).map(Some)
    }

    /// Reads a floating-point number; one without a point has it before the last digits, as many as the format says.
    fn real(&self, text: &str) -> Option<f64> {
        let text = text.replace(['d', 'D'], "E");
        let number: f64 = text.parse().ok()?;
        if self.letter == b'I' || text.contains(['.', 'E', 'e']) || !number.is_finite() {
            return Some(number);
        }
        let decimals = i32::try_from(self.decimals).ok()?;
        Some(number / 10_f64.powi(decimals))
    }
}
