//! Rows of a binary table as they are on disk: lossless, whatever the class of the object that they hold.
//!
//! Formatters make them from a table HDU and write them back; [`crate::archive`] arranges them into objects. Values are
//! decoded only when asked for, so a column that nobody understands survives untouched. It is no general table: for
//! catalogues there are Arrow tables.

use std::sync::Arc;

use bytes::Bytes;

use crate::metadata::{CardValue, Metadata};

/// How the values of a column lie in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// `repeat` elements of the type that `code` names, in the row itself.
    Fixed {
        /// The letter of the element type: `J`, `D`, `A`, …
        code: u8,
        /// The number of elements.
        repeat: u64,
    },
    /// Elements in the heap; the row has a descriptor of two numbers (count, offset).
    Variable {
        /// The letter of the element type.
        code: u8,
        /// Whether the descriptor's numbers have 64 bits (`Q`) instead of 32 (`P`).
        wide: bool,
    },
}

impl ColumnKind {
    /// Reads a `TFORM` value: `1J`, `4D`, `1QB(6409)`; `None` if it is not one.
    pub fn parse(form: &str) -> Option<ColumnKind> {
        let form = form.trim();
        let digits = form.bytes().take_while(u8::is_ascii_digit).count();
        let (count, rest) = form.split_at(digits);
        let repeat: u64 = if count.is_empty() {
            1
        } else {
            count.parse().ok()?
        };
        let mut letters = rest.bytes();
        let code = letters.next()?;
        match code {
            b'P' | b'Q' => {
                let element = letters.next()?;
                element_bytes(element)?;
                // A repeat of 0 means that the column takes no room at all, which makes it an empty fixed one.
                Some(match repeat {
                    0 => ColumnKind::Fixed {
                        code: element,
                        repeat: 0,
                    },
                    1 => ColumnKind::Variable {
                        code: element,
                        wide: code == b'Q',
                    },
                    _ => return None,
                })
            }
            _ => {
                element_bytes(code)?;
                Some(ColumnKind::Fixed { code, repeat })
            }
        }
    }

    /// Returns the number of bytes that the column takes in a row; `None` if that overflows.
    pub fn width(self) -> Option<u64> {
        match self {
            ColumnKind::Fixed { code: b'X', repeat } => Some(repeat.div_ceil(8)),
            ColumnKind::Fixed { code, repeat } => repeat.checked_mul(element_bytes(code)?),
            ColumnKind::Variable { wide, .. } => Some(if wide { 16 } else { 8 }),
        }
    }
}

/// Returns the size of one element of a column; bits (`X`) count as one byte here, and are packed by their column.
pub fn element_bytes(code: u8) -> Option<u64> {
    match code {
        b'L' | b'B' | b'A' | b'X' => Some(1),
        b'I' => Some(2),
        b'J' | b'E' => Some(4),
        b'K' | b'D' | b'C' => Some(8),
        b'M' => Some(16),
        _ => None,
    }
}

/// One column of a record table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its `TFORM` as written.
    pub form: String,
    /// How its values lie in a row.
    pub kind: ColumnKind,
    /// Its first byte in a row.
    pub offset: usize,
    /// The number of bytes it takes in a row.
    pub width: usize,
    /// The unit of its values (`TUNIT`); empty if it has none.
    pub unit: String,
    /// What it is, in the words of the file (`TDOC`, else the comment of `TTYPE`).
    pub doc: String,
}

impl Column {
    /// Says whether it holds 32-bit integers, one or many.
    pub fn is_i32(&self) -> bool {
        let (ColumnKind::Fixed { code, .. } | ColumnKind::Variable { code, .. }) = self.kind;
        code == b'J'
    }

    /// Says whether it is one 32-bit integer.
    pub fn is_scalar_i32(&self) -> bool {
        self.kind
            == ColumnKind::Fixed {
                code: b'J',
                repeat: 1,
            }
    }
}

/// A record that is not as its table says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// A header card is missing or has another type than it must have.
    #[error("the table's header has no usable {keyword}")]
    Card {
        /// The keyword.
        keyword: String,
    },
    /// A column's format is not one.
    #[error("column `{column}` has the format {form:?}, which is none")]
    Form {
        /// The column.
        column: String,
        /// Its format as written.
        form: String,
    },
    /// The columns do not fill a row.
    #[error("the columns take {columns} bytes and a row has {row}")]
    RowBytes {
        /// The sum of the columns' widths.
        columns: u64,
        /// What the header says.
        row: u64,
    },
    /// There are more or fewer bytes than rows.
    #[error("{bytes} bytes are no whole number of rows of {row} bytes")]
    Rows {
        /// The bytes given.
        bytes: usize,
        /// The size of a row.
        row: usize,
    },
    /// A variable-length column lacks its values.
    #[error("{given} heap entries were given where {wanted} are needed")]
    Heap {
        /// The number of entries given.
        given: usize,
        /// One for each row and variable-length column.
        wanted: usize,
    },
    /// A heap entry does not have the length that its descriptor says.
    #[error("column `{column}` has {given} bytes in row {row} and its descriptor says {wanted}")]
    Descriptor {
        /// The column.
        column: String,
        /// The row, counted from 0.
        row: usize,
        /// The length of the entry.
        given: usize,
        /// The length that the descriptor says.
        wanted: u64,
    },
}

/// The columns of a binary table, and the whole header that it came with.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordTable {
    header: Metadata,
    row_bytes: usize,
    columns: Vec<Column>,
}

impl RecordTable {
    /// Reads the columns out of the header of a binary table (`NAXIS1`, `TFIELDS`, `TTYPEn`, `TFORMn`, `TDOCn`).
    pub fn from_header(header: Metadata) -> Result<RecordTable, RecordError> {
        let number = |keyword: &str| {
            let found = header.get_i64(keyword).and_then(|n| u64::try_from(n).ok());
            found.ok_or_else(|| RecordError::Card {
                keyword: keyword.to_owned(),
            })
        };
        let row = number("NAXIS1")?;
        let fields = number("TFIELDS")?;
        if fields > 999 {
            return Err(RecordError::Card {
                keyword: "TFIELDS".to_owned(),
            });
        }
        let mut columns = Vec::new();
        let mut offset = 0_u64;
        for index in 1..=fields {
            let column = read_column(&header, index, offset)?;
            offset = offset.saturating_add(column.width as u64);
            columns.push(column);
        }
        let row_bytes = usize::try_from(row).ok().filter(|_| offset == row);
        Ok(RecordTable {
            row_bytes: row_bytes.ok_or(RecordError::RowBytes {
                columns: offset,
                row,
            })?,
            columns,
            header,
        })
    }

    /// Returns all cards of the HDU that the table came from.
    pub fn header(&self) -> &Metadata {
        &self.header
    }

    /// Returns the size of a row.
    pub fn row_bytes(&self) -> usize {
        self.row_bytes
    }

    /// Returns the columns in order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Returns the column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Returns the variable-length columns in order.
    pub fn variable_columns(&self) -> impl Iterator<Item = &Column> {
        let variable = |column: &&Column| matches!(column.kind, ColumnKind::Variable { .. });
        self.columns.iter().filter(variable)
    }
}

fn read_column(header: &Metadata, index: u64, offset: u64) -> Result<Column, RecordError> {
    let form_keyword = format!("TFORM{index}");
    let form = header.get_text(&form_keyword).ok_or(RecordError::Card {
        keyword: form_keyword.clone(),
    })?;
    let type_keyword = format!("TTYPE{index}");
    let card = header.get_all(&type_keyword).next();
    let name = card.and_then(|card| card.value().as_text()).unwrap_or("");
    let doc = match header.get(&format!("TDOC{index}")) {
        Some(CardValue::Text(doc)) => doc.as_str(),
        _ => card.and_then(|card| card.comment()).unwrap_or(""),
    };
    let wrong = || RecordError::Form {
        column: name.to_owned(),
        form: form.to_owned(),
    };
    let kind = ColumnKind::parse(form).ok_or_else(wrong)?;
    let width = kind.width().and_then(|width| usize::try_from(width).ok());
    Ok(Column {
        name: name.to_owned(),
        form: form.to_owned(),
        kind,
        offset: usize::try_from(offset).map_err(|_| wrong())?,
        width: width.ok_or_else(wrong)?,
        unit: header
            .get_text(&format!("TUNIT{index}"))
            .unwrap_or("")
            .to_owned(),
        doc: doc.to_owned(),
    })
}

/// Some rows of a record table, with what their variable-length columns hold.
#[derive(Debug, Clone)]
pub struct RecordRows {
    table: Arc<RecordTable>,
    rows: Bytes,
    heap: Arc<[Bytes]>,
}

impl RecordRows {
    /// Makes rows of `rows` as they are on disk (big-endian), and of one heap entry for each row and variable-length
    /// column, row by row.
    ///
    /// The offsets in the descriptors are those of the file that the rows came from; a writer gives new ones.
    pub fn new(
        table: Arc<RecordTable>,
        rows: Bytes,
        heap: Vec<Bytes>,
    ) -> Result<RecordRows, RecordError> {
        let row = table.row_bytes;
        let count = rows.len().checked_div(row).unwrap_or(0);
        if count.checked_mul(row) != Some(rows.len()) {
            return Err(RecordError::Rows {
                bytes: rows.len(),
                row,
            });
        }
        let variable: Vec<&Column> = table.variable_columns().collect();
        let wanted = count.saturating_mul(variable.len());
        if heap.len() != wanted {
            return Err(RecordError::Heap {
                given: heap.len(),
                wanted,
            });
        }
        for (index, entry) in heap.iter().enumerate() {
            let (row_index, column) = (index / variable.len(), variable[index % variable.len()]);
            let start = row_index * row + column.offset;
            let wanted = descriptor_bytes(column, &rows[start..start + column.width]);
            if wanted != Some(entry.len() as u64) {
                return Err(RecordError::Descriptor {
                    column: column.name.clone(),
                    row: row_index,
                    given: entry.len(),
                    wanted: wanted.unwrap_or(u64::MAX),
                });
            }
        }
        Ok(RecordRows {
            table,
            rows,
            heap: heap.into(),
        })
    }

    /// Returns the table that the rows belong to.
    pub fn table(&self) -> &Arc<RecordTable> {
        &self.table
    }

    /// Returns the rows as they are on disk.
    pub fn bytes(&self) -> &Bytes {
        &self.rows
    }

    /// Returns the heap entries: one for each row and variable-length column, row by row.
    pub fn heap(&self) -> &[Bytes] {
        &self.heap
    }

    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        self.rows
            .len()
            .checked_div(self.table.row_bytes)
            .unwrap_or(0)
    }

    /// Says whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns the bytes of a value: those in the row, or those in the heap for a variable-length column.
    pub fn value(&self, row: usize, column: &Column) -> Option<&[u8]> {
        if row >= self.len() {
            return None;
        }
        if matches!(column.kind, ColumnKind::Variable { .. }) {
            let mut variable = self.table.variable_columns();
            let position = variable.position(|other| other.offset == column.offset)?;
            let width = self.table.variable_columns().count();
            return self.heap.get(row * width + position).map(Bytes::as_ref);
        }
        let start = row * self.table.row_bytes + column.offset;
        self.rows.get(start..start + column.width)
    }

    /// Returns a 32-bit integer.
    pub fn get_i32(&self, row: usize, column: &str) -> Option<i32> {
        let column = self.table.column(column)?;
        if !column.is_scalar_i32() {
            return None;
        }
        let bytes = self.value(row, column)?;
        Some(i32::from_be_bytes(bytes.try_into().ok()?))
    }

    /// Returns the 32-bit integers of a value, one or many; none if the column holds something else.
    pub(crate) fn i32_values<'a>(
        &'a self,
        row: usize,
        column: &Column,
    ) -> impl Iterator<Item = i32> + use<'a> {
        let bytes = self.value(row, column).filter(|_| column.is_i32());
        let values = bytes.unwrap_or(&[]).as_chunks().0.iter();
        values.map(|value| i32::from_be_bytes(*value))
    }

    /// Returns a whole number of any width.
    pub fn get_i64(&self, row: usize, column: &str) -> Option<i64> {
        let column = self.table.column(column)?;
        let ColumnKind::Fixed { code, repeat: 1 } = column.kind else {
            return None;
        };
        let bytes = self.value(row, column)?;
        match code {
            b'B' => bytes.first().map(|byte| i64::from(*byte)),
            b'I' => Some(i64::from(i16::from_be_bytes(bytes.try_into().ok()?))),
            b'J' => Some(i64::from(i32::from_be_bytes(bytes.try_into().ok()?))),
            b'K' => Some(i64::from_be_bytes(bytes.try_into().ok()?)),
            _ => None,
        }
    }

    /// Returns the floating-point numbers of a value, of either width, fixed or variable-length.
    pub fn get_floats(&self, row: usize, column: &str) -> Option<Vec<f64>> {
        let column = self.table.column(column)?;
        let (ColumnKind::Fixed { code, .. } | ColumnKind::Variable { code, .. }) = column.kind;
        let bytes = self.value(row, column)?;
        match code {
            b'D' => Some(
                bytes
                    .as_chunks()
                    .0
                    .iter()
                    .map(|b| f64::from_be_bytes(*b))
                    .collect(),
            ),
            b'E' => {
                let values = bytes.as_chunks().0.iter();
                Some(values.map(|b| f64::from(f32::from_be_bytes(*b))).collect())
            }
            _ => None,
        }
    }

    /// Returns one floating-point number.
    pub fn get_f64(&self, row: usize, column: &str) -> Option<f64> {
        let values = self.get_floats(row, column)?;
        (values.len() == 1).then(|| values[0])
    }

    /// Returns text, without the padding behind it; `None` if it is not text.
    pub fn get_text(&self, row: usize, column: &str) -> Option<&str> {
        let column = self.table.column(column)?;
        let (ColumnKind::Fixed { code, .. } | ColumnKind::Variable { code, .. }) = column.kind;
        if code != b'A' {
            return None;
        }
        let text = std::str::from_utf8(self.value(row, column)?).ok()?;
        Some(text.split('\0').next().unwrap_or("").trim_end_matches(' '))
    }

    /// Returns a copy in which `changed` may have changed each value of these 32-bit columns, which must lie in the rows.
    pub(crate) fn with_i32(
        &self,
        columns: &[&Column],
        mut changed: impl FnMut(i32) -> i32,
    ) -> RecordRows {
        let mut rows = self.rows.to_vec();
        for row in rows.chunks_exact_mut(self.table.row_bytes.max(1)) {
            for column in columns {
                let place = row.get_mut(column.offset..column.offset + column.width);
                for value in place.unwrap_or(&mut []).as_chunks_mut().0 {
                    *value = changed(i32::from_be_bytes(*value)).to_be_bytes();
                }
            }
        }
        RecordRows {
            table: Arc::clone(&self.table),
            rows: rows.into(),
            heap: Arc::clone(&self.heap),
        }
    }

    /// Returns about how many bytes of memory the rows take, without the table that they share.
    pub fn memory(&self) -> u64 {
        let heap: usize = self
            .heap
            .iter()
            .map(|entry| entry.len() + size_of::<Bytes>())
            .sum();
        (self.rows.len() + heap) as u64
    }
}

/// Returns how many bytes the heap entry of a descriptor has.
fn descriptor_bytes(column: &Column, descriptor: &[u8]) -> Option<u64> {
    let ColumnKind::Variable { code, wide } = column.kind else {
        return None;
    };
    let count = if wide {
        u64::from_be_bytes(descriptor.get(..8)?.try_into().ok()?)
    } else {
        u64::from(u32::from_be_bytes(descriptor.get(..4)?.try_into().ok()?))
    };
    match code {
        b'X' => Some(count.div_ceil(8)),
        _ => count.checked_mul(element_bytes(code)?),
    }
}
