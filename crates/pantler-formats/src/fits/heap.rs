//! The descriptors of variable-length columns: where in the heap a row's array lies.
//!
//! Used by the readers of archives and of compressed tiles. The columns come from [`RecordTable`], which lets only layouts
//! through that fill a row exactly.

use std::ops::Range;

use pantler_core::FormatError;
use pantler_objects::RecordTable;
use pantler_objects::record::{Column, ColumnKind, element_bytes};

use super::structure::Hdu;

/// Returns the columns of a binary table.
pub(crate) fn table_of(hdu: &Hdu) -> Result<RecordTable, FormatError> {
    RecordTable::from_header(hdu.cards.clone())
        .map_err(|error| hdu.place.corrupt(error.to_string()))
}

/// Returns the heap bytes that a row's array takes, counted from the heap's start; `None` if that overflows.
pub(crate) fn heap_range(column: &Column, row: &[u8]) -> Option<Range<u64>> {
    let ColumnKind::Variable { code, wide } = column.kind else {
        return None;
    };
    let field = row.get(column.offset..column.offset.checked_add(column.width)?)?;
    let half = if wide { 8 } else { 4 };
    let (count, start) = (
        number(field.get(..half)?),
        number(field.get(half..2 * half)?),
    );
    let bytes = match code {
        b'X' => count.div_ceil(8),
        _ => count.checked_mul(element_bytes(code)?)?,
    };
    // An empty array may point anywhere: it points nowhere.
    if bytes == 0 {
        return Some(0..0);
    }
    Some(start..start.checked_add(bytes)?)
}

fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |number, &byte| number << 8 | u64::from(byte))
}
