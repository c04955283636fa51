//! Values out of the rows of an archive record, with errors that say which class and column could not be read.
//!
//! The modules that decode a class ([`crate::bounded_field`], [`crate::visit_info`], …) read their rows through `Row`.
//! Decoding never changes the record, which survives even where its values are refused: an unknown version of a class is
//! an error of whoever asks for values, and of nobody else.

use pantler_core::formatter::PixelBox;

use crate::archive::{Archive, ArchiveObject, Persisted};
use crate::carrier::Carrier;
use crate::record::{ColumnKind, RecordRows};
use crate::wcs::WcsError;

/// Values that cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The record is of a version that this pantler does not know.
    #[error(
        "the {class} is of version {found}, and pantler reads the versions {} to {} of it; the record itself can be kept \
         and written, but its values need a newer pantler",
        .known.0, .known.1
    )]
    Version {
        /// The class of the record.
        class: String,
        /// Its version.
        found: i64,
        /// The oldest and the newest version that are known.
        known: (i64, i64),
    },
    /// The record lacks a column, or the column has another type than the class has.
    #[error("the {class} has no {wanted} in a column `{column}` of row {row}")]
    Column {
        /// The class of the record.
        class: String,
        /// The column.
        column: String,
        /// The row, counted from 0.
        row: usize,
        /// What it must hold: `number`, `text`.
        wanted: &'static str,
    },
    /// The values of a record do not fit together.
    #[error("the {class} is damaged: {what}")]
    Damaged {
        /// The class of the record.
        class: String,
        /// What is wrong.
        what: String,
    },
    /// The values are there, and this pantler cannot decode them.
    #[error("pantler cannot decode the {class}: {what}")]
    Unsupported {
        /// The class of the record.
        class: String,
        /// What it cannot do.
        what: String,
    },
    /// A record needs coordinates that cannot be computed.
    #[error(transparent)]
    Wcs(#[from] WcsError),
}

impl DecodeError {
    /// Makes an error of values that do not fit together.
    pub(crate) fn damaged(class: &str, what: impl Into<String>) -> DecodeError {
        DecodeError::Damaged {
            class: class.to_owned(),
            what: what.into(),
        }
    }

    /// Makes an error of values that are not decoded.
    pub(crate) fn unsupported(class: &str, what: impl Into<String>) -> DecodeError {
        DecodeError::Unsupported {
            class: class.to_owned(),
            what: what.into(),
        }
    }
}

/// One row of a record, with the class that it belongs to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    class: &'a str,
    rows: &'a RecordRows,
    index: usize,
}

impl<'a> Row<'a> {
    /// Returns the only row of a catalog of an object.
    pub(crate) fn only(object: &'a ArchiveObject, catalog: i32) -> Result<Row<'a>, DecodeError> {
        let rows = rows_of(object, catalog)?;
        if rows.len() != 1 {
            let what = format!("it has {} rows where one is expected", rows.len());
            return Err(DecodeError::damaged(object.class(), what));
        }
        Ok(Row {
            class: object.class(),
            rows,
            index: 0,
        })
    }

    /// Returns all rows of a catalog of an object.
    pub(crate) fn all(
        object: &'a ArchiveObject,
        catalog: i32,
    ) -> Result<impl Iterator<Item = Row<'a>>, DecodeError> {
        let rows = rows_of(object, catalog)?;
        let class = object.class();
        Ok((0..rows.len()).map(move |index| Row { class, rows, index }))
    }

    /// Returns the class of the record.
    pub(crate) fn class(&self) -> &'a str {
        self.class
    }

    /// Returns a floating-point number, NaN included.
    pub(crate) fn real(&self, column: &str) -> Result<f64, DecodeError> {
        let value = self.rows.get_f64(self.index, column);
        value.ok_or_else(|| self.lacks(column, "number"))
    }

    /// Returns a floating-point number; `None` if there is no such column, or NaN or an infinity in it.
    pub(crate) fn known(&self, column: &str) -> Option<f64> {
        let value = self.rows.get_f64(self.index, column)?;
        value.is_finite().then_some(value)
    }

    /// Returns several floating-point numbers.
    pub(crate) fn reals(&self, column: &str) -> Result<Vec<f64>, DecodeError> {
        let values = self.rows.get_floats(self.index, column);
        values.ok_or_else(|| self.lacks(column, "numbers"))
    }

    /// Returns a whole number of any width.
    pub(crate) fn integer(&self, column: &str) -> Result<i64, DecodeError> {
        let value = self.rows.get_i64(self.index, column);
        value.ok_or_else(|| self.lacks(column, "whole number"))
    }

    /// Returns whether there is a column of this name.
    pub(crate) fn has(&self, column: &str) -> bool {
        self.rows.table().column(column).is_some()
    }

    /// Returns a floating-point number that is finite.
    pub(crate) fn finite(&self, column: &str) -> Result<f64, DecodeError> {
        let value = self.rows.get_f64(self.index, column);
        let value = value.filter(|value| value.is_finite());
        value.ok_or_else(|| self.lacks(column, "finite number"))
    }

    /// Returns several floating-point numbers, all of which are finite.
    pub(crate) fn finites(&self, column: &str) -> Result<Vec<f64>, DecodeError> {
        let values = self.rows.get_floats(self.index, column);
        let values = values.filter(|values| values.iter().all(|value| value.is_finite()));
        values.ok_or_else(|| self.lacks(column, "finite numbers"))
    }

    /// Returns several 32-bit whole numbers: ids, sizes.
    pub(crate) fn integers(&self, column: &str) -> Result<Vec<i32>, DecodeError> {
        let found = self.rows.table().column(column);
        let found = found.filter(|found| found.is_i32());
        let found = found.ok_or_else(|| self.lacks(column, "32-bit whole numbers"))?;
        Ok(self.rows.i32_values(self.index, found).collect())
    }

    /// Returns a point of whole numbers: two columns `name_x` and `name_y`, or one of two numbers in old files.
    pub(crate) fn point(&self, name: &str) -> Result<(i64, i64), DecodeError> {
        if self.has(name) {
            return match self.integers(name)?[..] {
                [x, y] => Ok((x.into(), y.into())),
                _ => Err(self.lacks(name, "point")),
            };
        }
        let (x, y) = (format!("{name}_x"), format!("{name}_y"));
        Ok((self.integer(&x)?, self.integer(&y)?))
    }

    /// Returns a point of finite floating-point numbers, in the same ways.
    pub(crate) fn real_point(&self, name: &str) -> Result<(f64, f64), DecodeError> {
        if self.has(name) {
            return match self.finites(name)?[..] {
                [x, y] => Ok((x, y)),
                _ => Err(self.lacks(name, "point")),
            };
        }
        let (x, y) = (format!("{name}_x"), format!("{name}_y"));
        Ok((self.finite(&x)?, self.finite(&y)?))
    }

    /// Returns text without the padding behind it.
    pub(crate) fn text(&self, column: &str) -> Result<&'a str, DecodeError> {
        let value = self.rows.get_text(self.index, column);
        value.ok_or_else(|| self.lacks(column, "text"))
    }

    /// Returns a flag: the bit of the column `flags` that the header names so, in `TFLAGn` for the n-th bit from 1 on.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, DecodeError> {
        self.bit(name).ok_or_else(|| self.lacks(name, "flag"))
    }

    fn bit(&self, name: &str) -> Option<bool> {
        let table = self.rows.table();
        let column = table.column("flags")?;
        let ColumnKind::Fixed { code: b'X', repeat } = column.kind else {
            return None;
        };
        let named = |bit: &u64| table.header().get_text(&format!("TFLAG{}", bit + 1)) == Some(name);
        let bit = usize::try_from((0..repeat.min(999)).find(named)?).ok()?;
        // The first bit is the highest of the first byte (FITS standard 4.0, section 7.3.3.1).
        let byte = *self.rows.value(self.index, column)?.get(bit / 8)?;
        Some(byte & (0x80 >> (bit % 8)) != 0)
    }

    /// Returns a box that `PREFIX_min_x`, `PREFIX_min_y`, `PREFIX_max_x` and `PREFIX_max_y` enclose, both ends included;
    /// of no width and height where the last is before the first, as an empty box is written.
    pub(crate) fn bounds(&self, prefix: &str) -> Result<PixelBox, DecodeError> {
        let at = |end: &str| self.integer(&format!("{prefix}_{end}"));
        let (x0, y0) = (at("min_x")?, at("min_y")?);
        let length = |first: i64, last: i64| {
            let length = last.checked_sub(first).and_then(|gap| gap.checked_add(1));
            length.and_then(|length| u64::try_from(length).ok())
        };
        let width = length(x0, at("max_x")?).unwrap_or(0);
        let height = length(y0, at("max_y")?).unwrap_or(0);
        let empty = width == 0 || height == 0;
        Ok(PixelBox {
            x0,
            y0,
            width: if empty { 0 } else { width },
            height: if empty { 0 } else { height },
        })
    }

    /// Returns a box that begins at `PREFIX_min_x`, `PREFIX_min_y` and is `PREFIX_extent_x` by `PREFIX_extent_y` large.
    pub(crate) fn extent(&self, prefix: &str) -> Result<PixelBox, DecodeError> {
        let at = |end: &str| self.integer(&format!("{prefix}_{end}"));
        let size = |end: &str| {
            let column = format!("{prefix}_{end}");
            let size = u64::try_from(self.integer(&column)?);
            size.map_err(|_| DecodeError::damaged(self.class, format!("{column} is negative")))
        };
        Ok(PixelBox {
            x0: at("min_x")?,
            y0: at("min_y")?,
            width: size("extent_x")?,
            height: size("extent_y")?,
        })
    }

    /// Returns the id of another object; `None` where there is none, which is written as 0.
    pub(crate) fn reference(&self, column: &str) -> Option<i32> {
        let id = self.rows.get_i32(self.index, column)?;
        (id != 0).then_some(id)
    }

    fn lacks(&self, column: &str, wanted: &'static str) -> DecodeError {
        DecodeError::Column {
            class: self.class.to_owned(),
            column: column.to_owned(),
            row: self.index,
            wanted,
        }
    }
}

fn rows_of(object: &ArchiveObject, catalog: i32) -> Result<&RecordRows, DecodeError> {
    let rows = object.catalog(catalog);
    rows.ok_or_else(|| {
        DecodeError::damaged(object.class(), format!("it has no rows in table {catalog}"))
    })
}

/// Returns the object that `class` refers to.
pub(crate) fn referred<'a>(
    archive: &'a Archive,
    class: &str,
    id: i32,
) -> Result<&'a ArchiveObject, DecodeError> {
    let object = archive.get(id).map(AsRef::as_ref);
    object.ok_or_else(|| {
        DecodeError::damaged(
            class,
            format!("it refers to object {id}, which is not there"),
        )
    })
}

/// Returns the record of this class that carries something; header cards and other classes are refused by name.
pub(crate) fn record_of<'a>(
    carrier: &'a Carrier,
    class: &str,
) -> Result<&'a Persisted, DecodeError> {
    match carrier {
        Carrier::Header(_) => Err(DecodeError::unsupported(
            class,
            "only header cards carry it",
        )),
        Carrier::Archive(record) if record.class() == class => Ok(record),
        Carrier::Archive(record) => Err(DecodeError::unsupported(
            record.class(),
            format!("it is no {class}"),
        )),
    }
}

/// Returns the version of a record: the number in its column `version`, 0 where it has none, as the oldest records lack
/// one; an error if it is not among those that are `known`, the oldest and the newest.
pub(crate) fn version_of(row: &Row<'_>, known: (i64, i64)) -> Result<i64, DecodeError> {
    let found = match row.has("version") {
        true => row.integer("version")?,
        false => 0,
    };
    if found < known.0 || found > known.1 {
        return Err(DecodeError::Version {
            class: row.class().to_owned(),
            found,
            known,
        });
    }
    Ok(found)
}
