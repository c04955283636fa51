//! One row of a record, read by the names of its columns, with errors that say which column is not as it must be.
//!
//! What decodes archive records into values ([`crate::psf`]) reads through this. It knows the two ways in which the LSST
//! stack has written points: as two columns `name_x` and `name_y`, and as one column of two numbers.

use crate::archive::ArchiveObject;
use crate::record::RecordRows;

/// A record whose column is not there, or holds something else than it must.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the record of class {class} has no usable column `{column}`: {wanted} is wanted")]
pub struct RowError {
    /// The class of the record.
    pub class: String,
    /// The column.
    pub column: String,
    /// What it must hold.
    pub wanted: &'static str,
}

/// One row of one catalog of an object.
#[derive(Clone, Copy)]
pub(crate) struct RecordRow<'a> {
    object: &'a ArchiveObject,
    rows: Option<&'a RecordRows>,
    row: usize,
}

impl<'a> RecordRow<'a> {
    /// Returns the first row of a catalog; that there is none comes out when a column is asked for.
    pub(crate) fn first(object: &'a ArchiveObject, catalog: i32) -> RecordRow<'a> {
        RecordRow::of(object, catalog, 0)
    }

    /// Returns a row of a catalog.
    pub(crate) fn of(object: &'a ArchiveObject, catalog: i32, row: usize) -> RecordRow<'a> {
        RecordRow {
            object,
            rows: object.catalog(catalog),
            row,
        }
    }

    /// Returns whether there is such a column.
    pub(crate) fn has(&self, column: &str) -> bool {
        self.rows
            .is_some_and(|rows| rows.table().column(column).is_some())
    }

    /// Returns one whole number.
    pub(crate) fn integer(&self, column: &str) -> Result<i64, RowError> {
        let found = self.rows.and_then(|rows| rows.get_i64(self.row, column));
        found.ok_or_else(|| self.unusable(column, "a whole number"))
    }

    /// Returns the 32-bit numbers of a column that holds any number of them: ids, sizes.
    pub(crate) fn integers(&self, column: &str) -> Result<Vec<i32>, RowError> {
        let read = || {
            let rows = self.rows.filter(|rows| self.row < rows.len())?;
            let found = rows.table().column(column).filter(|found| found.is_i32())?;
            Some(rows.i32_values(self.row, found).collect())
        };
        read().ok_or_else(|| self.unusable(column, "an array of 32-bit whole numbers"))
    }

    /// Returns one floating-point number, which is finite.
    pub(crate) fn float(&self, column: &str) -> Result<f64, RowError> {
        let found = self.rows.and_then(|rows| rows.get_f64(self.row, column));
        found
            .filter(|value| value.is_finite())
            .ok_or_else(|| self.unusable(column, "a finite number"))
    }

    /// Returns floating-point numbers, all of which are finite.
    pub(crate) fn floats(&self, column: &str) -> Result<Vec<f64>, RowError> {
        let found = self.rows.and_then(|rows| rows.get_floats(self.row, column));
        found
            .filter(|values| values.iter().all(|value| value.is_finite()))
            .ok_or_else(|| self.unusable(column, "an array of finite numbers"))
    }

    /// Returns a point of whole numbers.
    pub(crate) fn point(&self, name: &str) -> Result<(i64, i64), RowError> {
        if self.has(name) {
            return match self.integers(name)?[..] {
                [x, y] => Ok((x.into(), y.into())),
                _ => Err(self.unusable(name, "two whole numbers")),
            };
        }
        let (x, y) = (format!("{name}_x"), format!("{name}_y"));
        Ok((self.integer(&x)?, self.integer(&y)?))
    }

    /// Returns a point of floating-point numbers.
    pub(crate) fn float_point(&self, name: &str) -> Result<(f64, f64), RowError> {
        if self.has(name) {
            return match self.floats(name)?[..] {
                [x, y] => Ok((x, y)),
                _ => Err(self.unusable(name, "two finite numbers")),
            };
        }
        Ok((
            self.float(&format!("{name}_x"))?,
            self.float(&format!("{name}_y"))?,
        ))
    }

    /// Returns the error that a column is not as it must be.
    pub(crate) fn unusable(&self, column: &str, wanted: &'static str) -> RowError {
        RowError {
            class: self.object.class().to_owned(),
            column: column.to_owned(),
            wanted,
        }
    }
}
