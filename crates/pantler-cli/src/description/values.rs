//! The decoded values of an object and of its components.

use pantler::ObjectRef;
use pantler::objects::summary::{SummaryLine, SummaryValue, summary_document};
use pantler::objects::{DecodeError, summary_of};
use serde_json::{Value, json};

use crate::screen::Screen;
use crate::table::{Align, table};

/// So many lines of one component are shown unless all are asked for.
const FIRST: usize = 12;

/// Returns the document of an object's values; `None` if its class has none.
pub fn values_json(object: &ObjectRef) -> Option<Value> {
    Some(match summary_of(object.as_ref())? {
        Ok(lines) => summary_document(&lines),
        Err(error) => json!({ "error": error.to_string() }),
    })
}

/// Returns the lines of the values of an object, and of those of its components that are not told elsewhere.
pub fn values_text(screen: &Screen, object: &ObjectRef, all: bool) -> String {
    let mut rows = Vec::new();
    if let Some(found) = summary_of(object.as_ref()) {
        add("", found, true, &mut rows);
    }
    for name in object.component_names() {
        // Where the pixels lie is told of the whole.
        if name == "wcs" || name == "bbox" {
            continue;
        }
        if let Some(component) = object.component(&name)
            && let Some(found) = summary_of(component.as_ref())
        {
            add(&name, found, all, &mut rows);
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    let headings = [
        ("values", Align::Left),
        ("", Align::Left),
        ("", Align::Left),
    ];
    match object.component_names().is_empty() {
        true => {
            let rows: Vec<Vec<String>> = rows.into_iter().map(|row| row[1..].to_vec()).collect();
            table(screen, &headings[..2], &rows)
        }
        false => table(screen, &headings, &rows),
    }
}

fn add(
    component: &str,
    found: Result<Vec<SummaryLine>, DecodeError>,
    all: bool,
    rows: &mut Vec<Vec<String>>,
) {
    let lines = match found {
        Ok(lines) => lines,
        Err(error) => {
            let why = error.to_string().replace(char::is_control, " ");
            rows.push(vec![component.to_owned(), "not decoded".to_owned(), why]);
            return;
        }
    };
    let known: Vec<&SummaryLine> = lines
        .iter()
        .filter(|line| all || !line.value.is_unknown())
        .collect();
    let shown = if all {
        known.len()
    } else {
        known.len().min(FIRST)
    };
    for (index, line) in known[..shown].iter().enumerate() {
        let name = if index == 0 { component } else { "" };
        let value = cut(&line.value);
        rows.push(vec![
            name.to_owned(),
            line.name.replace('_', " "),
            format!("{value} {}", line.unit).trim_end().to_owned(),
        ]);
    }
    if shown < known.len() {
        let more = format!("… {} more (--all)", known.len() - shown);
        rows.push(vec![String::new(), more, String::new()]);
    }
}

fn cut(value: &SummaryValue) -> String {
    const LONGEST: usize = 72;
    let text = value.to_string().replace(char::is_control, " ");
    match text.chars().count() <= LONGEST {
        true => text,
        false => {
            let head: String = text.chars().take(LONGEST).collect();
            format!("{head}…")
        }
    }
}
