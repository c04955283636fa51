//! Tables for people: columns under headings, no lines.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};

use crate::screen::{Screen, Style};

/// How a column is aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers and sizes.
    Right,
}

/// Returns rows under headings; the columns that hold nothing are left out.
pub fn table(screen: &Screen, headings: &[(&str, Align)], rows: &[Vec<String>]) -> String {
    let used: Vec<usize> = (0..headings.len())
        .filter(|column| {
            rows.iter()
                .any(|row| row.get(*column).is_some_and(|cell| !cell.is_empty()))
        })
        .collect();
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(used.iter().map(|column| headings[*column].0));
    for row in rows {
        table.add_row(
            used.iter()
                .map(|column| row.get(*column).map_or("", String::as_str)),
        );
    }
    for (index, column) in used.iter().enumerate() {
        if let Some(shown) = table.column_mut(index) {
            shown.set_padding((0, 3));
            if headings[*column].1 == Align::Right {
                shown.set_cell_alignment(CellAlignment::Right);
            }
        }
    }
    let mut text = String::new();
    for (index, line) in table.lines().enumerate() {
        let line = line.trim_end();
        let line = if index == 0 {
            screen.out(Style::Dim, line)
        } else {
            line.to_owned()
        };
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// Returns a number in words: `1 file`, `3 files`.
pub fn count(number: u64, one: &str, many: &str) -> String {
    if number == 1 {
        format!("1 {one}")
    } else {
        format!("{number} {many}")
    }
}
