//! Reads tables: which HDU is meant, its header, and the columns of a binary table.
//!
//! Rows lie one after the other in a file, so the wanted ones are read whole, and only the bytes of the wanted columns are
//! taken out of them. Of the heap, one piece is read for each wanted column of lists: from its first array to its last. ASCII tables are
//! next door.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BooleanArray, FixedSizeListArray, GenericListArray, OffsetSizeTrait,
};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::{Field, Schema};
use bytes::Bytes;
use pantler_core::{FormatError, ObjectRef, RowRanges};
use pantler_objects::header_calib::is_archive_card;
use pantler_objects::metadata::is_structural_keyword;
use pantler_objects::record::{Column, ColumnKind, element_bytes};
use pantler_objects::table::{Aliases, key};
use pantler_objects::{Metadata, Table};

use super::asked::Asked;
use super::contents::Contents;
use super::heap::{heap_range, table_of};
use super::reading::{is_of_file, merge};
use super::structure::{Hdu, HduKind, HduShape};
use super::table_ascii::ascii_columns;
use super::table_columns::{Cards, Said, Selection, is_column_card, name_of};
use super::table_rows::{read_rows, wanted_rows};
use super::table_values::{Elements, bit, texts};

/// Columns that take no room in a file take some in memory; more values than this are refused.
const MOST_EMPTY: u64 = 1 << 24;

/// Arrays may share bytes of the heap; so many times its size is still no attack.
const MOST_SHARING: u64 = 8;

/// Returns the HDU of a file's table: the first one that belongs to no archive.
pub(crate) fn table_hdu(shapes: &[HduShape]) -> Option<usize> {
    let of_table = |shape: &HduShape| {
        matches!(shape.kind, HduKind::BinaryTable(_) | HduKind::AsciiTable)
            && !shape.exttype.starts_with("ARCHIVE_")
            && shape.name != "ARCHIVE_INDEX"
    };
    shapes.iter().position(of_table)
}

/// Reads a table.
pub(crate) fn read_table(contents: &Contents<'_>, asked: &Asked) -> Result<ObjectRef, FormatError> {
    Ok(Arc::new(table_of_columns(contents, asked)?))
}

/// Reads the wanted rows and columns of a table. A name that is no column may be an alias of one.
pub(crate) fn table_of_columns(
    contents: &Contents<'_>,
    asked: &Asked,
) -> Result<Table, FormatError> {
    let hdu = hdu_of(contents, asked)?;
    hdu.check_data()?;
    let aliases = Aliases::of(&hdu.cards);
    let selection = Selection::of(asked.columns.as_deref(), &aliases);
    let (rows, columns) = match hdu.shape.kind {
        HduKind::BinaryTable(_) => binary_columns(contents, &hdu, &selection, asked.rows.as_ref())?,
        HduKind::AsciiTable => ascii_columns(contents, &hdu, &selection, asked.rows.as_ref())?,
        _ => return Err(hdu.place.unsupported("it holds no table")),
    };
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns.into_iter().unzip();
    let metadata = table_header(contents, &hdu)?;
    let table = Table::of_columns(Arc::new(Schema::new(fields)), arrays, rows, metadata);
    table.map_err(|error| hdu.place.corrupt(error.to_string()))
}

/// Reads the header of a table: its own cards, and those of the primary header that it does not have.
pub(crate) fn read_table_header(
    contents: &Contents<'_>,
    asked: &Asked,
) -> Result<ObjectRef, FormatError> {
    let hdu = hdu_of(contents, asked)?;
    Ok(Arc::new(table_header(contents, &hdu)?))
}

fn hdu_of(contents: &Contents<'_>, asked: &Asked) -> Result<Arc<Hdu>, FormatError> {
    match asked.hdu.or_else(|| table_hdu(contents.shapes())) {
        Some(index) => contents.hdu(index),
        None => {
            contents.check_whole()?;
            Err(contents.place().unsupported("there is no table in it"))
        }
    }
}

fn table_header(contents: &Contents<'_>, hdu: &Hdu) -> Result<Metadata, FormatError> {
    let own = hdu.cards.without(|card| !is_table_card(card.keyword()));
    let primary = contents.hdu(0)?;
    Ok(merge(
        &primary.cards.without(|card| is_of_file(card.keyword())),
        &own,
    ))
}

/// Returns whether a card of a table's header says something of the table, and not of one column or of the file.
pub(crate) fn is_table_card(keyword: &str) -> bool {
    let naming = matches!(keyword, "EXTNAME" | "EXTVER");
    naming
        || !(is_structural_keyword(keyword)
            || is_column_card(keyword)
            || is_archive_card(keyword)
            || matches!(keyword, "CHECKSUM" | "DATASUM"))
}

/// The columns of a table: what each is, and its values.
pub(crate) type Columns = Vec<(Field, ArrayRef)>;

fn binary_columns(
    contents: &Contents<'_>,
    hdu: &Hdu,
    selection: &Selection<'_>,
    asked: Option<&RowRanges>,
) -> Result<(usize, Columns), FormatError> {
    let table = hdu.table()?;
    let records = table_of(hdu)?;
    let wanted_rows = wanted_rows(asked, table.rows, &hdu.place)?;
    let count = wanted_rows.count();
    let rows = usize::try_from(count).map_err(|_| hdu.place.corrupt("it has too many rows"))?;
    let start = hdu.shape.data.start;
    let mut reading = Rows {
        contents,
        hdu,
        cards: Cards::of(&hdu.cards),
        bytes: Bytes::new(),
        width: records.row_bytes(),
        rows,
        wanted_rows,
        heap: start.saturating_add(table.heap)..hdu.shape.data.end,
    };
    let numbered = || records.columns().iter().zip(1..);
    let is_wanted = |(column, number): &(&Column, usize)| reading.wants(column, *number, selection);
    let wanted: Vec<(&Column, usize)> = numbered().filter(is_wanted).collect();
    let empty = wanted
        .iter()
        .filter(|(column, _)| column.width == 0)
        .count();
    if (empty as u64).saturating_mul(count) > MOST_EMPTY {
        let why = format!("it has {rows} rows of columns that hold nothing");
        return Err(hdu.place.unsupported(why));
    }
    if !wanted.is_empty() {
        reading.bytes = read_rows(contents, &reading.wanted_rows, start, table.width)?;
    }
    let mut columns = Columns::new();
    for (column, number) in wanted {
        columns.extend(reading.column(column, number, selection)?);
    }
    let known = || {
        let names = numbered().flat_map(|(column, number)| reading.names(column, number));
        names.collect()
    };
    let columns = selection.arrange(columns, known, &hdu.place)?;
    Ok((rows, columns))
}

/// The rows of a binary table, and what is needed to understand them.
struct Rows<'a> {
    contents: &'a Contents<'a>,
    hdu: &'a Hdu,
    cards: Cards<'a>,
    bytes: Bytes,
    width: usize,
    rows: usize,
    wanted_rows: RowRanges,
    heap: Range<u64>,
}

impl Rows<'_> {
    fn flags(&self, column: &Column, number: usize) -> Option<Vec<super::table_columns::Flag>> {
        match column.kind {
            ColumnKind::Fixed { code: b'X', repeat } => {
                self.cards
                    .flags(&name_of(&column.name, number), number, repeat)
            }
            _ => None,
        }
    }

    /// Returns the names of the columns that a stored column becomes.
    fn names(&self, column: &Column, number: usize) -> Vec<String> {
        match self.flags(column, number) {
            Some(flags) => flags.into_iter().map(|flag| flag.name).collect(),
            None => vec![name_of(&column.name, number)],
        }
    }

    fn wants(&self, column: &Column, number: usize, selection: &Selection<'_>) -> bool {
        selection.wants(&name_of(&column.name, number))
            || self
                .flags(column, number)
                .is_some_and(|flags| flags.iter().any(|flag| selection.wants(&flag.name)))
    }

    fn column(
        &self,
        column: &Column,
        number: usize,
        selection: &Selection<'_>,
    ) -> Result<Columns, FormatError> {
        if let Some(flags) = self.flags(column, number) {
            let all = selection.wants(&name_of(&column.name, number));
            let wanted = |name: &str| all || selection.wants(name);
            return Ok(self.flag_columns(column, number, &flags, wanted));
        }
        let name = name_of(&column.name, number);
        let said = Said {
            name: &name,
            number,
            description: &column.doc,
        };
        let (array, more) = match column.kind {
            ColumnKind::Fixed { code: b'A', repeat } => self.text(column, number, repeat)?,
            ColumnKind::Fixed { code: b'X', repeat } => (self.bits(column, repeat)?, Vec::new()),
            ColumnKind::Fixed { code, repeat } => self.fixed(column, number, code, repeat)?,
            ColumnKind::Variable { code, .. } => self.lists(column, number, code)?,
        };
        let mut field = self.cards.field(said, array.data_type().clone());
        for (key, value) in more {
            field.metadata_mut().insert(key, value);
        }
        Ok(vec![(field, array)])
    }

    /// Returns the bytes of a column, row after row.
    fn fields<'b>(&'b self, column: &Column) -> impl ExactSizeIterator<Item = &'b [u8]> {
        let (start, end) = (column.offset, column.offset.saturating_add(column.width));
        let field = move |row: usize| {
            let from = row * self.width;
            // The rows were read whole, and columns lie inside of them; nothing was read where nothing is stored.
            self.bytes.get(from + start..from + end).unwrap_or_default()
        };
        (0..self.rows).map(field)
    }

    fn gather(&self, column: &Column) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.rows.saturating_mul(column.width));
        for field in self.fields(column) {
            bytes.extend_from_slice(field);
        }
        bytes
    }

    fn flag_columns(
        &self,
        column: &Column,
        number: usize,
        flags: &[super::table_columns::Flag],
        wanted: impl Fn(&str) -> bool,
    ) -> Columns {
        let packed = name_of(&column.name, number);
        let mut columns = Columns::new();
        for (at, flag) in flags
            .iter()
            .enumerate()
            .filter(|(_, flag)| wanted(&flag.name))
        {
            let values: Vec<bool> = self.fields(column).map(|field| bit(field, at)).collect();
            let mut field = Field::new(&flag.name, arrow_schema::DataType::Boolean, true);
            field.metadata_mut().insert(key::PACKED, packed.clone());
            if let Some(text) = &flag.description {
                field.metadata_mut().insert(key::DESCRIPTION, text.clone());
            }
            columns.push((field, Arc::new(BooleanArray::from(values)) as ArrayRef));
        }
        columns
    }

    fn elements(&self, code: u8, number: usize) -> Elements {
        let integers = matches!(code, b'B' | b'I' | b'J' | b'K');
        Elements {
            code,
            scale: self.cards.scale(number),
            null: self.cards.integer("TNULL", number).filter(|_| integers),
        }
    }

    fn text(&self, column: &Column, number: usize, repeat: u64) -> Result<Decoded, FormatError> {
        let bytes = self.rows.saturating_mul(column.width);
        let axes = self.cards.dimensions(number, repeat);
        let Some((&width, lengths)) = axes
            .as_deref()
            .and_then(<[u64]>::split_first)
            .filter(|(width, lengths)| **width > 0 && !lengths.is_empty())
        else {
            let all = texts(self.fields(column), self.rows, bytes);
            return Ok((all, Vec::new()));
        };
        let items = repeat / width;
        let (width, count) = (width as usize, self.rows.saturating_mul(items as usize));
        let pieces = self
            .fields(column)
            .flat_map(|field| field.chunks_exact(width));
        let list = self.arrays(texts(pieces, count, bytes), items)?;
        Ok((list, dimensions(lengths)))
    }

    fn bits(&self, column: &Column, repeat: u64) -> Result<ArrayRef, FormatError> {
        let count = repeat as usize;
        let bits = self
            .fields(column)
            .flat_map(|field| (0..count).map(|at| bit(field, at)));
        let values: ArrayRef = Arc::new(BooleanArray::from(bits.collect::<Vec<bool>>()));
        if repeat == 1 {
            Ok(values)
        } else {
            self.arrays(values, repeat)
        }
    }

    fn fixed(
        &self,
        column: &Column,
        number: usize,
        code: u8,
        repeat: u64,
    ) -> Result<Decoded, FormatError> {
        let elements = self.elements(code, number);
        let values = elements.decode(&self.gather(column), &self.hdu.place)?;
        let mut more = said_of(elements);
        let numbers = repeat.saturating_mul(elements.numbers());
        if numbers == 1 {
            return Ok((values, more));
        }
        if let Some(axes) = self.cards.dimensions(number, repeat) {
            more.extend(dimensions(&axes));
        }
        Ok((self.arrays(values, numbers)?, more))
    }

    /// Returns values as arrays of equal length; arrays without elements are lists that happen to be empty.
    fn arrays(&self, values: ArrayRef, length: u64) -> Result<ArrayRef, FormatError> {
        if length == 0 {
            return list_of::<i32>(values, &vec![0; self.rows], self.hdu);
        }
        let too_long = |_| {
            self.hdu
                .place
                .unsupported("a column has arrays that are too long")
        };
        let length = i32::try_from(length).map_err(too_long)?;
        let item = Arc::new(Field::new("item", values.data_type().clone(), true));
        let list = FixedSizeListArray::try_new(item, length, values, None);
        Ok(Arc::new(list.map_err(|error| {
            self.hdu.place.corrupt(error.to_string())
        })?))
    }

    /// Reads the arrays of a column out of the heap.
    fn lists(&self, column: &Column, number: usize, code: u8) -> Result<Decoded, FormatError> {
        let (ranges, counts) = self.descriptors(column, code)?;
        let used = || ranges.iter().filter(|range| !range.is_empty());
        let first = used().map(|range| range.start).min().unwrap_or(0);
        let last = used().map(|range| range.end).max().unwrap_or(0);
        let piece = self
            .contents
            .file()
            .read(self.heap.start + first..self.heap.start + last)?;
        // All ranges lie in the heap, and so between the first and the last of them.
        let array = |range: &Range<u64>| {
            let from = range.start.saturating_sub(first) as usize;
            let until = range.end.saturating_sub(first) as usize;
            piece.get(from..until).unwrap_or_default()
        };
        let total = ranges
            .iter()
            .map(|range| (range.end - range.start) as usize)
            .sum();
        if code == b'A' {
            let all = texts(ranges.iter().map(array), self.rows, total);
            return Ok((all, Vec::new()));
        }
        let elements = self.elements(code, number);
        let values: ArrayRef = if code == b'X' {
            let pairs = ranges.iter().zip(&counts);
            let bits = pairs.flat_map(|(range, &count)| {
                (0..count as usize).map(move |at| bit(array(range), at))
            });
            Arc::new(BooleanArray::from(bits.collect::<Vec<bool>>()))
        } else {
            let mut bytes = Vec::with_capacity(total);
            for range in &ranges {
                bytes.extend_from_slice(array(range));
            }
            elements.decode(&bytes, &self.hdu.place)?
        };
        let lengths: Vec<u64> = counts
            .iter()
            .map(|count| count * elements.numbers())
            .collect();
        let list = if values.len() <= i32::MAX as usize {
            list_of::<i32>(values, &lengths, self.hdu)
        } else {
            list_of::<i64>(values, &lengths, self.hdu)
        };
        Ok((list?, said_of(elements)))
    }

    /// Returns where each row's array lies in the heap, and how many elements it has.
    fn descriptors(
        &self,
        column: &Column,
        code: u8,
    ) -> Result<(Vec<Range<u64>>, Vec<u64>), FormatError> {
        let size = self.heap.end.saturating_sub(self.heap.start);
        let most = size.saturating_mul(MOST_SHARING);
        let (mut ranges, mut counts) = (Vec::new(), Vec::new());
        let mut total = 0_u64;
        let row_of = |row: usize| {
            let from = row * self.width;
            self.bytes.get(from..from + self.width).unwrap_or_default()
        };
        for row in 0..self.rows {
            let bytes = row_of(row);
            let range = heap_range(column, bytes).filter(|range| range.end <= size);
            let outside = || {
                let name = &column.name;
                let row = self.wanted_rows.row_at(row as u64).unwrap_or_default();
                let why = format!("column `{name}`, row {row}: its array lies outside of the heap");
                self.hdu.place.corrupt(why)
            };
            let range = range.ok_or_else(outside)?;
            let length = range.end - range.start;
            total = total.saturating_add(length);
            if total > most {
                let name = &column.name;
                let why = format!("column `{name}`: its arrays are larger than the heap allows");
                return Err(self.hdu.place.corrupt(why));
            }
            counts.push(match code {
                b'X' => bit_count(column, bytes),
                _ => length / element_bytes(code).unwrap_or(1),
            });
            ranges.push(range);
        }
        Ok((ranges, counts))
    }
}

/// An array, and what a field must say of it.
type Decoded = (ArrayRef, Vec<(&'static str, String)>);

fn said_of(elements: Elements) -> Vec<(&'static str, String)> {
    let mut said = Vec::new();
    if elements.is_complex() {
        said.push((key::COMPLEX, char::from(elements.code).to_string()));
    }
    said.extend(elements.null.map(|null| (key::NULL, null.to_string())));
    said
}

/// Returns what a field must say of arrays with several axes.
fn dimensions(axes: &[u64]) -> Vec<(&'static str, String)> {
    if axes.len() < 2 {
        return Vec::new();
    }
    let lengths: Vec<String> = axes.iter().map(u64::to_string).collect();
    vec![(key::DIMENSIONS, format!("({})", lengths.join(",")))]
}

/// Returns the number of bits in a row's array; [`heap_range`] has found the descriptor to be sound.
fn bit_count(column: &Column, row: &[u8]) -> u64 {
    let half = column.width / 2;
    let field = row
        .get(column.offset..column.offset + half)
        .unwrap_or_default();
    field
        .iter()
        .fold(0, |number, &byte| number << 8 | u64::from(byte))
}

fn list_of<O: OffsetSizeTrait>(
    values: ArrayRef,
    lengths: &[u64],
    hdu: &Hdu,
) -> Result<ArrayRef, FormatError> {
    let mut end = 0_usize;
    let mut offsets = vec![O::usize_as(0)];
    for &length in lengths {
        end = end.saturating_add(length as usize);
        offsets.push(O::usize_as(end));
    }
    if end != values.len() {
        return Err(hdu
            .place
            .corrupt("the arrays of a column do not have the length that they say"));
    }
    let item = Arc::new(Field::new("item", values.data_type().clone(), true));
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    let list = GenericListArray::<O>::try_new(item, offsets, values, None);
    Ok(Arc::new(
        list.map_err(|error| hdu.place.corrupt(error.to_string()))?,
    ))
}
