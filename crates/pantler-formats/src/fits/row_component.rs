//! Components that a catalogue of exposures holds row by row: columns whose values are ids of objects in the archive of the
//! same file.
//!
//! ```text
//! id  wcs  psf              ARCHIVE_INDEX
//!  1    2    1   ────────►  1: GaussianPsf, 2: SkyWcs      `rows=1:2` and `psf`: row 1 has id 0, which is none
//!  2    2    0
//! ```
//!
//! The reader of components asks here where a file is a table. One row gives its object; of several rows none is guessed.
//! Nothing is read here of tables that only happen to have numbers under the name of a component: the table must say that it
//! is one of exposures.

use pantler_core::{FormatError, ObjectRef};
use pantler_objects::Table;
use pantler_objects::record::{Column, ColumnKind};
use pantler_objects::synonyms::{all_names, canonical, components};

use super::asked::{Asked, Target};
use super::component::component_of_id;
use super::contents::Contents;
use super::heap::table_of;
use super::reading::holds_table;
use super::structure::Hdu;
use super::table_reading::{table_hdu, table_of_columns};
use super::table_rows::wanted_rows;

/// The columns that tell people which row is which.
const ROW_KEYS: [&str; 5] = ["id", "visit", "detector", "ccd", "ccdVisitId"];

/// So many rows are listed where one must be picked.
const MOST_LISTED: usize = 10;

/// Returns the component that the wanted row holds; `None` if the file is no catalogue with a column of such ids.
pub(crate) fn row_component(
    contents: &Contents<'_>,
    asked: &Asked,
    name: &str,
) -> Result<Option<ObjectRef>, FormatError> {
    let Some(hdu) = catalogue(contents, asked)? else {
        return Ok(None);
    };
    let columns = id_columns(&hdu)?;
    let names = all_names(name);
    let Some(column) = columns
        .iter()
        .find(|column| names.contains(&column.as_str()))
    else {
        return Ok(None);
    };
    let count = wanted_rows(asked.rows.as_ref(), hdu.table()?.rows, &hdu.place)?.count();
    if count != 1 {
        return Err(not_one_row(contents, asked, &hdu, name, count)?);
    }
    let ids = read_columns(contents, asked, std::slice::from_ref(column))?;
    let id = ids.text(0, 0).and_then(|id| id.parse().ok());
    match id {
        Some(id) if id != 0 => component_of_id(contents, name, id)?
            .map(Some)
            .ok_or_else(|| {
                let why = format!("`{column}` is object {id}, which its archive does not have");
                hdu.place.corrupt(why)
            }),
        _ => {
            let held = read_columns(contents, asked, &columns)?;
            let is_held =
                |(at, _): &(usize, &String)| held.text(*at, 0).is_some_and(|id| id != "0");
            let held = columns.iter().enumerate().filter(is_held);
            let known = held.map(|(_, name)| canonical(name).to_owned());
            Err(contents.place().no_part(name, known.collect()))
        }
    }
}

/// Returns the components that the rows of a file's table hold.
pub(crate) fn row_components(contents: &Contents<'_>) -> Result<Vec<String>, FormatError> {
    let asked = Asked {
        target: Target::Table,
        below: Vec::new(),
        hdu: None,
        bbox: None,
        columns: None,
        rows: None,
        guess: true,
    };
    let Some(hdu) = catalogue(contents, &asked)? else {
        return Ok(Vec::new());
    };
    let columns = id_columns(&hdu)?;
    Ok(columns
        .iter()
        .map(|name| canonical(name).to_owned())
        .collect())
}

/// Returns the table that is asked for, if it is one of exposures and the file has an archive.
fn catalogue(
    contents: &Contents<'_>,
    asked: &Asked,
) -> Result<Option<std::sync::Arc<Hdu>>, FormatError> {
    if !holds_table(contents.shapes(), asked.hdu) || contents.components()?.is_none() {
        return Ok(None);
    }
    let Some(index) = asked.hdu.or_else(|| table_hdu(contents.shapes())) else {
        return Ok(None);
    };
    let hdu = contents.hdu(index)?;
    let kind = hdu.cards.get("AFW_TYPE").and_then(|value| value.as_text());
    let of_exposures = kind.is_some_and(|kind| kind.trim() == "EXPOSURE");
    Ok((of_exposures && hdu.table().is_ok()).then_some(hdu))
}

/// Returns the columns that hold ids: those of one 32-bit number under the name of a component.
fn id_columns(hdu: &Hdu) -> Result<Vec<String>, FormatError> {
    let table = table_of(hdu)?;
    let is_id = |column: &&Column| {
        let number = matches!(
            column.kind,
            ColumnKind::Fixed {
                code: b'J',
                repeat: 1
            }
        );
        number && components().any(|name| name == canonical(&column.name))
    };
    let columns = table.columns().iter().filter(is_id);
    Ok(columns.map(|column| column.name.clone()).collect())
}

fn read_columns(
    contents: &Contents<'_>,
    asked: &Asked,
    columns: &[String],
) -> Result<Table, FormatError> {
    let asked = Asked {
        target: Target::Table,
        below: Vec::new(),
        columns: Some(columns.to_vec()),
        ..asked.clone()
    };
    table_of_columns(contents, &asked)
}

/// Returns the error that one row must be picked, with what tells the rows from each other.
fn not_one_row(
    contents: &Contents<'_>,
    asked: &Asked,
    hdu: &Hdu,
    name: &str,
    count: u64,
) -> Result<FormatError, FormatError> {
    let records = table_of(hdu)?;
    let there = |key: &&&str| records.columns().iter().any(|column| column.name == **key);
    let keys: Vec<String> = ROW_KEYS
        .iter()
        .filter(there)
        .map(|key| (*key).to_owned())
        .collect();
    let numbers = wanted_rows(asked.rows.as_ref(), hdu.table()?.rows, &hdu.place)?;
    let table = read_columns(contents, asked, &keys)?;
    let row = |at: usize| {
        let number = numbers.row_at(at as u64).unwrap_or_default();
        let said = keys
            .iter()
            .enumerate()
            .filter_map(|(column, key)| Some(format!("{key}={}", table.text(column, at)?)));
        let said: Vec<String> = said.collect();
        format!("row {number} ({})", said.join(" "))
    };
    let mut rows: Vec<String> = (0..table.rows().min(MOST_LISTED)).map(row).collect();
    if table.rows() > MOST_LISTED {
        rows.push(format!("and {} more", table.rows() - MOST_LISTED));
    }
    Ok(hdu.place.unsupported(match count {
        0 => format!("no row of it is asked for, and `{name}` is a component of a row"),
        _ => format!(
            "each of {count} rows has a `{name}` of its own: {}; pick one by its number, for instance the rows {}:{}",
            rows.join(", "),
            numbers.row_at(0).unwrap_or_default(),
            numbers.row_at(0).unwrap_or_default() + 1,
        ),
    }))
}
