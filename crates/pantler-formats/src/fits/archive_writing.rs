//! Writes an archive: the index table, and one table for each layout of records, as the LSST stack has them.
//!
//! Rows are written byte for byte, apart from the heap offsets in their descriptors. The objects come ordered by id, and
//! the tables in the order in which the objects first need them, so that an archive always gives the same bytes.

use std::collections::HashMap;
use std::sync::Arc;

use pantler_core::FormatError;
use pantler_objects::record::{Column, ColumnKind, element_bytes};
use pantler_objects::{Archive, ArchiveObject, Card, CardValue, RecordRows, RecordTable};

use super::hdu_writing::{HeaderWriting, integer, write_data};
use super::place::Place;

/// Appends the HDUs of an archive.
pub(crate) fn write_archive(
    out: &mut Vec<u8>,
    archive: &Archive,
    place: &Place,
) -> Result<(), FormatError> {
    let mut tables = Tables::default();
    let mut index = Index::default();
    for object in archive.iter() {
        for catalog in object.catalogs() {
            let (table, row) = tables.add(object, &catalog.rows, place)?;
            index.add(
                object,
                table + 1,
                catalog.number,
                row,
                catalog.rows.len(),
                place,
            )?;
        }
    }
    index.write(out, tables.all.len(), place)?;
    for (number, table) in (1..).zip(&tables.all) {
        table.write(out, number, place)?;
    }
    Ok(())
}

#[derive(Default)]
struct Index {
    rows: Vec<u8>,
    count: u64,
}

/// The names of classes and modules take this many bytes in a row of the index.
const NAME: usize = 64;

impl Index {
    fn add(
        &mut self,
        object: &ArchiveObject,
        catalog: usize,
        number: i32,
        row: usize,
        rows: usize,
        place: &Place,
    ) -> Result<(), FormatError> {
        let narrow = |value: usize| {
            i32::try_from(value)
                .map_err(|_| place.unsupported("an archive with more than 2^31 rows"))
        };
        for value in [
            object.id(),
            narrow(catalog)?,
            number,
            narrow(row)?,
            narrow(rows)?,
        ] {
            self.rows.extend_from_slice(&value.to_be_bytes());
        }
        for text in [object.class(), object.module()] {
            if text.len() > NAME {
                return Err(
                    place.unsupported(format!("a class named `{text}`, longer than {NAME} bytes"))
                );
            }
            self.rows.extend_from_slice(text.as_bytes());
            self.rows.resize(self.rows.len() + (NAME - text.len()), 0);
        }
        self.count += 1;
        Ok(())
    }

    fn write(&self, out: &mut Vec<u8>, tables: usize, place: &Place) -> Result<(), FormatError> {
        const COLUMNS: [(&str, &str, &str, &str); 7] = [
            ("id", "1J", "Scalar", "id of the object"),
            (
                "cat.archive",
                "1J",
                "Scalar",
                "number of the table in the archive",
            ),
            (
                "cat.persistable",
                "1J",
                "Scalar",
                "number of the table in the object",
            ),
            ("row0", "1J", "Scalar", "first row of the object"),
            ("nrows", "1J", "Scalar", "number of rows of the object"),
            ("name", "64A", "String", "name of the object's class"),
            ("module", "64A", "String", "module that defines the class"),
        ];
        let width = 5 * 4 + 2 * NAME;
        let mut header = table_header(width, self.count, 0, COLUMNS.len());
        for (n, (name, form, class, doc)) in (1..).zip(COLUMNS) {
            header.add(&format!("TTYPE{n}"), name, doc);
            header.add(&format!("TFORM{n}"), form, "");
            header.add(&format!("TDOC{n}"), doc, "");
            header.add(&format!("TCCLS{n}"), class, "");
        }
        header.add("EXTTYPE", "ARCHIVE_INDEX", "");
        header.add("EXTNAME", "ARCHIVE_INDEX", "");
        header.add("AR_CATN", 0, "number of this table in the archive");
        header.add(
            "AR_NCAT",
            integer(tables as u64 + 1),
            "number of tables, this one included",
        );
        header.add("AFW_TABLE_VERSION", 3, "");
        header.finish(out, place)?;
        write_data(out, &self.rows, 0);
        Ok(())
    }
}

#[derive(Default)]
struct Tables {
    all: Vec<TableWriting>,
    by_schema: HashMap<Vec<u8>, usize>,
    by_table: HashMap<*const RecordTable, usize>,
    names: HashMap<String, i64>,
}

impl Tables {
    /// Adds rows to the table of their layout, and returns its number (from 0) and their first row.
    fn add(
        &mut self,
        object: &ArchiveObject,
        rows: &RecordRows,
        place: &Place,
    ) -> Result<(usize, usize), FormatError> {
        let pointer = Arc::as_ptr(rows.table());
        let number = match self.by_table.get(&pointer) {
            Some(number) => *number,
            None => {
                let next = self.all.len();
                let number = *self.by_schema.entry(schema(rows.table())).or_insert(next);
                if number == next {
                    let version = self.names.entry(object.class().to_owned()).or_default();
                    *version += 1;
                    self.all.push(TableWriting {
                        table: Arc::clone(rows.table()),
                        name: object.class().to_owned(),
                        version: *version,
                        rows: Vec::new(),
                        heap: Vec::new(),
                        longest: Vec::new(),
                        count: 0,
                    });
                }
                self.by_table.insert(pointer, number);
                number
            }
        };
        let first = self.all[number].add(rows, place)?;
        Ok((number, first))
    }
}

/// Returns what tables must have in common so that their rows can stand in one: all cards but those that count or name.
fn schema(table: &RecordTable) -> Vec<u8> {
    let mut schema = Vec::new();
    for card in table
        .header()
        .iter()
        .filter(|card| !is_rewritten(card.keyword()))
    {
        let value = match (card.value(), card.keyword().strip_prefix("TFORM")) {
            // The longest array stands in parentheses, and differs from file to file.
            (CardValue::Text(form), Some(_)) => form.split('(').next().unwrap_or("").to_owned(),
            (value, _) => value.to_string(),
        };
        for part in [card.keyword(), &value] {
            schema.extend_from_slice(&(part.len() as u64).to_le_bytes());
            schema.extend_from_slice(part.as_bytes());
        }
    }
    schema
}

/// Returns whether the writer makes the card itself.
fn is_rewritten(keyword: &str) -> bool {
    matches!(
        keyword,
        "XTENSION"
            | "BITPIX"
            | "NAXIS"
            | "NAXIS1"
            | "NAXIS2"
            | "PCOUNT"
            | "GCOUNT"
            | "TFIELDS"
            | "THEAP"
            | "EXTNAME"
            | "EXTVER"
            | "EXTTYPE"
            | "AR_CATN"
            | "AR_NCAT"
            | "AR_NAME"
            | "DATE"
            | "CHECKSUM"
            | "DATASUM"
    )
}

struct TableWriting {
    table: Arc<RecordTable>,
    name: String,
    version: i64,
    rows: Vec<u8>,
    heap: Vec<u8>,
    longest: Vec<u64>,
    count: usize,
}

impl TableWriting {
    fn add(&mut self, rows: &RecordRows, place: &Place) -> Result<usize, FormatError> {
        let first = self.count;
        let start = self.rows.len();
        self.rows.extend_from_slice(rows.bytes());
        let width = self.table.row_bytes();
        let columns: Vec<Column> = self.table.variable_columns().cloned().collect();
        self.longest.resize(columns.len(), 0);
        for (n, array) in rows.heap().iter().enumerate() {
            let (row, which) = (n / columns.len(), n % columns.len());
            let column = &columns[which];
            let at = start + row * width + column.offset;
            self.point(at, column, which, array.len(), place)?;
            self.heap.extend_from_slice(array);
        }
        self.count += rows.len();
        Ok(first)
    }

    /// Writes the place of an array, which is the end of the heap so far, into its descriptor; the count stays.
    fn point(
        &mut self,
        at: usize,
        column: &Column,
        which: usize,
        bytes: usize,
        place: &Place,
    ) -> Result<(), FormatError> {
        let ColumnKind::Variable { code, wide } = column.kind else {
            return Ok(());
        };
        let elements = bytes as u64 / element_bytes(code).unwrap_or(1);
        self.longest[which] = self.longest[which].max(elements);
        let offset = self.heap.len() as u64;
        if wide {
            self.rows[at + 8..at + 16].copy_from_slice(&offset.to_be_bytes());
            return Ok(());
        }
        let offset = i32::try_from(offset)
            .map_err(|_| place.unsupported("a table whose arrays take more than 2^31 bytes"))?;
        self.rows[at + 4..at + 8].copy_from_slice(&offset.to_be_bytes());
        Ok(())
    }

    fn write(&self, out: &mut Vec<u8>, number: i64, place: &Place) -> Result<(), FormatError> {
        let columns = self.table.columns();
        let heap = self.heap.len() as u64;
        let mut header = table_header(
            self.table.row_bytes(),
            self.count as u64,
            heap,
            columns.len(),
        );
        let variable: Vec<&Column> = self.table.variable_columns().collect();
        for card in self
            .table
            .header()
            .iter()
            .filter(|card| !is_rewritten(card.keyword()))
        {
            let column = card
                .keyword()
                .strip_prefix("TFORM")
                .and_then(|n| n.parse::<usize>().ok());
            let column = column.and_then(|n| columns.get(n.checked_sub(1)?));
            let which = column.and_then(|column| {
                variable
                    .iter()
                    .position(|known| known.offset == column.offset && known.kind == column.kind)
            });
            match (which, column) {
                (Some(which), Some(column)) => {
                    let form = column.form.split('(').next().unwrap_or_default();
                    let longest = self.longest.get(which).copied().unwrap_or(0);
                    let form = format!("{}({longest})", form.trim());
                    header.card(&Card::new(
                        card.keyword(),
                        form,
                        card.comment().map(str::to_owned),
                    ));
                }
                _ => header.card(card),
            }
        }
        if self.name.is_empty() {
            return Err(place.unsupported("an archive object of a class without a name"));
        }
        header.add("EXTTYPE", "ARCHIVE_DATA", "");
        header.add("AR_CATN", number, "number of this table in the archive");
        header.add(
            "AR_NAME",
            self.name.as_str(),
            "class of the objects in this table",
        );
        header.add("EXTNAME", self.name.as_str(), "");
        if self.version > 1 {
            header.add("EXTVER", self.version, "");
        }
        header.finish(out, place)?;
        let mut data = self.rows.clone();
        data.extend_from_slice(&self.heap);
        write_data(out, &data, 0);
        Ok(())
    }
}

fn table_header(width: usize, rows: u64, heap: u64, columns: usize) -> HeaderWriting {
    let mut header = HeaderWriting::default();
    header.add("XTENSION", "BINTABLE", "binary table");
    header.add("BITPIX", 8, "bytes");
    header.add("NAXIS", 2, "");
    header.add("NAXIS1", integer(width as u64), "bytes of a row");
    header.add("NAXIS2", integer(rows), "number of rows");
    header.add("PCOUNT", integer(heap), "bytes of the heap");
    header.add("GCOUNT", 1, "");
    header.add("TFIELDS", integer(columns as u64), "number of columns");
    header
}
