//! A table that says the data IDs of files: a row for each file, a column for each key.
//!
//! The column `file` names the files, relative to the folder of the table; without a column of that name it is the first one.
//! Every other column is the key of its name, and may leave values out. CSV, FITS and Parquet are read; values of CSV are
//! text, and get the types of their keys like what a person types.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use pantler_core::object::downcast;
use pantler_core::{DataId, KeyValue};
use pantler_formats::FormatterSet;
use pantler_objects::Table;

use crate::error::{Error, Result};
use crate::read_file::OutsideFile;

/// The column that names the files.
const FILE: &str = "file";

/// The data IDs of files, as a table says them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ValueTable {
    /// The files in the order of the rows, as absolute paths.
    files: Vec<PathBuf>,
    rows: HashMap<PathBuf, DataId>,
}

impl ValueTable {
    /// Reads a table. A row without a file, and a file that stands in two rows, are errors.
    pub fn read(formatters: &FormatterSet, file: &Path) -> Result<ValueTable> {
        let is_csv = file
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        let (columns, rows) = match is_csv {
            true => read_csv(file)?,
            false => read_table(formatters, file)?,
        };
        let at = columns.iter().position(|column| column == FILE);
        ValueTable::of_rows(file, &columns, at.unwrap_or(0), rows)
    }

    /// Makes a table of files, relative to the current folder, each with values of keys as a person would type them.
    ///
    /// A file that stands there twice is an error.
    pub fn of(
        rows: impl IntoIterator<Item = (PathBuf, Vec<(String, String)>)>,
    ) -> Result<ValueTable> {
        let mut read = ValueTable::default();
        for (named, values) in rows {
            let file =
                std::path::absolute(&named).map_err(|source| Error::io("read", &named, source))?;
            let values = values
                .into_iter()
                .map(|(key, value)| (key, KeyValue::Str(value)));
            let before = read.rows.insert(file.clone(), DataId::new(values));
            if before.is_some() {
                return Err(Error::request(format!(
                    "{} stands in two rows of the table",
                    named.display()
                )));
            }
            read.files.push(file);
        }
        Ok(read)
    }

    /// Returns the files in the order of the rows, as absolute paths.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Returns what the table says of a file.
    pub(super) fn row(&self, file: &Path) -> Option<&DataId> {
        self.rows.get(file)
    }

    fn of_rows(
        table: &Path,
        columns: &[String],
        files: usize,
        rows: Vec<Vec<Option<String>>>,
    ) -> Result<ValueTable> {
        let wrong = |row: usize, why: &str| {
            Error::request(format!("{}, row {}: {why}", table.display(), row + 1))
        };
        let absolute =
            std::path::absolute(table).map_err(|source| Error::io("read", table, source))?;
        let folder = absolute.parent().unwrap_or(Path::new("/"));
        let mut read = ValueTable::default();
        for (number, mut row) in rows.into_iter().enumerate() {
            let name = row.get_mut(files).and_then(Option::take);
            let Some(name) = name.filter(|name| !name.trim().is_empty()) else {
                return Err(wrong(number, "it names no file"));
            };
            let file = folder.join(name.trim());
            let values = columns.iter().zip(row).filter_map(|(key, value)| {
                let value = value?.trim().to_owned();
                (!value.is_empty()).then_some((key.as_str(), KeyValue::Str(value)))
            });
            if read
                .rows
                .insert(file.clone(), DataId::new(values))
                .is_some()
            {
                return Err(wrong(number, &format!("{name} stands in an earlier row")));
            }
            read.files.push(file);
        }
        Ok(read)
    }
}

type Rows = (Vec<String>, Vec<Vec<Option<String>>>);

fn read_csv(file: &Path) -> Result<Rows> {
    let failed = |error: csv::Error| {
        let why = error.to_string();
        match error.into_kind() {
            csv::ErrorKind::Io(source) => Error::io("read", file, source),
            _ => Error::request(format!("{} is no CSV table: {why}", file.display())),
        }
    };
    let mut reader = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .from_path(file)
        .map_err(failed)?;
    let columns = reader.headers().map_err(failed)?;
    let columns = columns.iter().map(|name| name.trim().to_owned()).collect();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(failed)?;
        rows.push(record.iter().map(|field| Some(field.to_owned())).collect());
    }
    Ok((columns, rows))
}

fn read_table(formatters: &FormatterSet, file: &Path) -> Result<Rows> {
    let object = OutsideFile::open(formatters, file)?.read(Some("Table"))?;
    let Some(table) = downcast::<Table>(object.as_ref()) else {
        return Err(Error::Request {
            message: format!("{} holds no table of data IDs", file.display()),
            hints: vec![
                "a table has a column `file` and a column for each key: CSV, FITS or Parquet"
                    .to_owned(),
            ],
        });
    };
    let columns: Vec<String> = table.column_names().map(str::to_owned).collect();
    let row = |row: usize| {
        let columns = 0..columns.len();
        columns.map(|column| table.text(column, row)).collect()
    };
    let rows = (0..table.rows()).map(row).collect();
    Ok((columns, rows))
}
