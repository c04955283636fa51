//! The columns of a table, its flags, and its first rows.

use pantler::objects::Table;
use pantler::objects::table::Aliases;
use serde_json::{Value, json};

use super::numbers::short;
use crate::screen::{Screen, Style};
use crate::table::{Align, table};

/// Lowest and highest values are looked for in tables of no more values.
const MOST_VALUES: usize = 20_000_000;
/// So many columns are shown unless all are asked for.
const FIRST: usize = 20;
/// So many rows are shown.
const HEAD_ROWS: usize = 5;
/// So many columns of them.
const HEAD_COLUMNS: usize = 7;
/// A longer value or description is cut off.
const LONGEST: usize = 44;

/// What is known of a column.
struct Column {
    name: String,
    kind: String,
    unit: String,
    description: String,
    /// How many rows have no value, or no finite number.
    none: Option<u64>,
    /// The lowest and the highest number.
    range: Option<(f64, f64)>,
    /// How many rows have the flag.
    set: Option<u64>,
}

fn columns(of: &Table) -> Vec<Column> {
    let names: Vec<&str> = of.column_names().collect();
    let looked_at = names.len().saturating_mul(of.rows()) <= MOST_VALUES;
    let column = |(index, name): (usize, &&str)| {
        let kind = of.column_type(index).unwrap_or_default();
        let numbers = if looked_at { of.numbers(name) } else { None };
        let finite = |numbers: &Vec<f64>| {
            let finite = numbers.iter().copied().filter(|number| number.is_finite());
            finite.fold(None, |range: Option<(f64, f64)>, value| {
                let (low, high) = range.unwrap_or((value, value));
                Some((low.min(value), high.max(value)))
            })
        };
        let flag = kind == "boolean";
        let missing = (0..of.rows()).filter(|row| of.text(index, *row).is_none());
        Column {
            name: (*name).to_owned(),
            unit: of.unit(name).unwrap_or_default().to_owned(),
            description: of.description(name).unwrap_or_default().to_owned(),
            none: match &numbers {
                Some(numbers) => {
                    let none = numbers.iter().filter(|number| !number.is_finite());
                    Some(none.count() as u64)
                }
                None => looked_at.then(|| missing.count() as u64),
            },
            range: numbers.as_ref().filter(|_| !flag).and_then(finite),
            set: numbers
                .filter(|_| flag)
                .map(|flags| flags.iter().filter(|set| **set == 1.0).count() as u64),
            kind,
        }
    };
    names.iter().enumerate().map(column).collect()
}

/// Returns the document of a table.
pub fn table_json(of: &Table) -> Value {
    let columns: Vec<Value> = columns(of)
        .into_iter()
        .map(|column| {
            json!({
                "name": column.name,
                "type": column.kind,
                "unit": text_or_null(&column.unit),
                "description": text_or_null(&column.description),
                "no_value": column.none,
                "min": column.range.map(|range| range.0),
                "max": column.range.map(|range| range.1),
                "set": column.set,
            })
        })
        .collect();
    let aliases = Aliases::of(of.metadata());
    let aliases = aliases.pairs().iter();
    let aliases: Vec<Value> = aliases
        .map(|(alias, target)| json!({ "alias": alias, "target": target }))
        .collect();
    json!({ "rows": of.rows(), "columns": columns, "aliases": aliases })
}

fn text_or_null(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// Returns the lines of a table.
pub fn table_text(screen: &Screen, of: &Table, all: bool) -> String {
    let columns = columns(of);
    let (flags, others): (Vec<&Column>, Vec<&Column>) =
        columns.iter().partition(|column| column.kind == "boolean");
    let sections = [
        column_section(screen, of, &others, all),
        flag_section(screen, &flags, all),
        alias_section(screen, of, all),
        head_section(screen, of, &others),
    ];
    let sections: Vec<String> = sections
        .into_iter()
        .filter(|section| !section.is_empty())
        .collect();
    sections.join("\n")
}

fn column_section(screen: &Screen, of: &Table, columns: &[&Column], all: bool) -> String {
    let rows = match of.rows() {
        1 => "1 row".to_owned(),
        rows => format!("{rows} rows"),
    };
    let shown = if all {
        columns.len()
    } else {
        columns.len().min(FIRST)
    };
    let what = match shown == columns.len() {
        true => format!("{rows}, {shown} columns"),
        false => format!(
            "{rows}, {shown} of {} columns (--all shows the rest)",
            columns.len()
        ),
    };
    let lines: Vec<Vec<String>> = columns[..shown]
        .iter()
        .map(|column| {
            let ends = column.range.map(|(low, high)| (short(low), short(high)));
            let (low, high) = ends.unwrap_or_default();
            vec![
                clean(&column.name, usize::MAX),
                column.kind.clone(),
                clean(&column.unit, LONGEST),
                low,
                high,
                match column.none {
                    Some(0) | None => String::new(),
                    Some(none) => none.to_string(),
                },
                clean(&column.description, if all { usize::MAX } else { LONGEST }),
            ]
        })
        .collect();
    let headings = [
        ("column", Align::Left),
        ("type", Align::Left),
        ("unit", Align::Left),
        ("min", Align::Right),
        ("max", Align::Right),
        ("no value", Align::Right),
        ("description", Align::Left),
    ];
    let title = screen.out(Style::Dim, &what);
    match lines.is_empty() {
        true => format!("{title}\n"),
        false => format!("{title}\n{}", table(screen, &headings, &lines)),
    }
}

/// Flags are many, and most are set nowhere: those that are set somewhere are shown.
fn flag_section(screen: &Screen, flags: &[&Column], all: bool) -> String {
    if flags.is_empty() {
        return String::new();
    }
    let set: Vec<&&Column> = flags
        .iter()
        .filter(|flag| all || flag.set.is_none_or(|set| set > 0))
        .collect();
    let shown = if all { set.len() } else { set.len().min(FIRST) };
    let what = match all {
        true => format!("{} flags", flags.len()),
        false => format!(
            "{} flags, {} of them set in some row{}",
            flags.len(),
            set.len(),
            if shown < set.len() {
                " (--all shows the rest)"
            } else {
                ""
            }
        ),
    };
    let title = screen.out(Style::Dim, &what);
    if shown == 0 {
        return format!("{title}\n");
    }
    let rows: Vec<Vec<String>> = set[..shown]
        .iter()
        .map(|flag| {
            vec![
                clean(&flag.name, usize::MAX),
                flag.set.map(|set| set.to_string()).unwrap_or_default(),
                clean(&flag.description, LONGEST),
            ]
        })
        .collect();
    let headings = [
        ("flag", Align::Left),
        ("rows", Align::Right),
        ("description", Align::Left),
    ];
    format!("{title}\n{}", table(screen, &headings, &rows))
}

/// The other names of columns; those of flags are many, and are left out unless all are asked for.
fn alias_section(screen: &Screen, of: &Table, all: bool) -> String {
    let aliases = Aliases::of(of.metadata());
    let flags = |target: &str| {
        let found = of.column_names().position(|name| name == target);
        found.and_then(|at| of.column_type(at)).as_deref() == Some("boolean")
    };
    let pairs = aliases.pairs().iter();
    let shown: Vec<Vec<String>> = pairs
        .filter(|(_, target)| all || !flags(target))
        .map(|(alias, target)| vec![clean(alias, usize::MAX), clean(target, usize::MAX)])
        .collect();
    let known = aliases.pairs().len();
    let what = match known - shown.len() {
        _ if known == 0 => return String::new(),
        0 => format!("{known} aliases"),
        _ => format!("{} of {known} aliases (--all shows the rest)", shown.len()),
    };
    let title = screen.out(Style::Dim, &what);
    let headings = [("alias", Align::Left), ("begins the name of", Align::Left)];
    match shown.is_empty() {
        true => format!("{title}\n"),
        false => format!("{title}\n{}", table(screen, &headings, &shown)),
    }
}

fn head_section(screen: &Screen, of: &Table, columns: &[&Column]) -> String {
    let shown = &columns[..columns.len().min(HEAD_COLUMNS)];
    let number = of.rows().min(HEAD_ROWS);
    if shown.is_empty() || number == 0 {
        return String::new();
    }
    let names: Vec<&str> = of.column_names().collect();
    let positions: Vec<Option<usize>> = shown
        .iter()
        .map(|column| names.iter().position(|name| *name == column.name))
        .collect();
    let mut rows: Vec<Vec<String>> = (0..number)
        .map(|row| {
            let cell = |position: &Option<usize>| {
                let text = position.and_then(|column| of.text(column, row));
                clean(&text.unwrap_or_else(|| "-".to_owned()), 24)
            };
            positions.iter().map(cell).collect()
        })
        .collect();
    if shown.len() < columns.len() {
        rows.iter_mut().for_each(|row| row.push("…".to_owned()));
    }
    let names: Vec<String> = shown.iter().map(|column| clean(&column.name, 24)).collect();
    let mut headings: Vec<(&str, Align)> = names
        .iter()
        .map(|name| (name.as_str(), Align::Right))
        .collect();
    headings.push(("", Align::Left));
    let what = match of.rows() {
        rows if rows > number => "first rows",
        1 => "the row",
        _ => "all rows",
    };
    let title = screen.out(Style::Dim, what);
    format!("{title}\n{}", table(screen, &headings, &rows))
}

/// Returns text that a terminal can be given, cut off where it is too long.
fn clean(text: &str, longest: usize) -> String {
    let text = text.replace(char::is_control, " ");
    let text = text.trim();
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let head: String = text.chars().take(longest.saturating_sub(1)).collect();
    format!("{}…", head.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_and_cleaned() {
        assert_eq!(clean(" a\tb\u{1b} ", 10), "a b");
        assert_eq!(clean("0123456789", 5), "0123…");
    }
}
