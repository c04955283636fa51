//! Pictures of what a dataset or a file holds: images with their masks, point spread functions, backgrounds, tables as
//! histograms or as positions on the sky.
//!
//! ```text
//! drawing ─┬─► framed    pixels ◄─ stretch, planes;  scale_bar;  computed (point spread functions, backgrounds)
//!          ├─► scatter   positions ◄─ columns
//!          └─► histogram
//! canvas, letters, axis, title: what all of them draw with
//! ```
//!
//! Used by `show` and by the demo. The same object gives the same picture, byte for byte; none is larger than about 1400
//! pixels. It decides only what can be seen, and reads nothing.

mod axis;
mod canvas;
mod computed;
mod framed;
mod histogram;
mod letters;
mod pixels;
mod planes;
mod scale_bar;
mod scatter;
mod stretch;
mod title;

use pantler::ObjectRef;
use pantler::core::object::downcast;
use pantler::objects::Table;

pub use canvas::Canvas;
pub use planes::plane_colours;
pub use title::Title;

use computed::Computed;
use histogram::Histogram;
use pixels::Drawn;
use scatter::Positions;

/// Why there is no picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoPicture {
    /// The reason.
    pub why: String,
    /// What to do.
    pub hints: Vec<String>,
}

/// Draws an object; of a table the named column, or else the positions that it lists.
pub fn drawing(
    object: &ObjectRef,
    column: Option<&str>,
    title: &Title,
) -> Result<Canvas, NoPicture> {
    if let Some(table) = downcast::<Table>(object.as_ref()) {
        return draw_table(table, column, title);
    }
    if column.is_some() {
        return Err(NoPicture {
            why: format!("it is of class {}, which has no columns", object.class()),
            hints: vec!["leave out --column".to_owned()],
        });
    }
    if let Some(computed) = Computed::of(object) {
        return draw_computed(&computed?, title);
    }
    match Drawn::of(object) {
        Some(drawn) => Ok(framed::framed(&drawn, title).0),
        None => Err(NoPicture {
            why: format!(
                "it is of class {}, which has no pixels and is no table",
                object.class()
            ),
            hints: Vec::new(),
        }),
    }
}

fn draw_computed(computed: &Computed, title: &Title) -> Result<Canvas, NoPicture> {
    let title = Title {
        name: title.name.clone(),
        class: computed.what.clone(),
    };
    let mut drawn = Drawn::new(Some(&computed.image), None, None).ok_or_else(|| NoPicture {
        why: "it has no pixels".to_owned(),
        hints: Vec::new(),
    })?;
    drawn.stretch = computed.stretch.or(drawn.stretch);
    Ok(framed::framed(&drawn, &title).0)
}

fn draw_table(table: &Table, column: Option<&str>, title: &Title) -> Result<Canvas, NoPicture> {
    let Some(column) = column else {
        return match Positions::of(table) {
            Some(positions) => Ok(scatter::scatter(&positions, title).0),
            None => Err(NoPicture {
                why: "the table lists no positions on the sky that are known by their names"
                    .to_owned(),
                hints: vec![numeric_columns(table)],
            }),
        };
    };
    let values = table.numbers(column).ok_or_else(|| {
        let known = table.column_names().any(|known| known == column);
        NoPicture {
            why: match known {
                true => format!("the values of the column `{column}` are no single numbers"),
                false => format!("there is no column `{column}`"),
            },
            hints: vec![numeric_columns(table)],
        }
    })?;
    let counted = Histogram::of(&values).ok_or_else(|| NoPicture {
        why: format!(
            "the column `{column}` has no finite number in {} rows",
            values.len()
        ),
        hints: vec![numeric_columns(table)],
    })?;
    let unit = table
        .unit(column)
        .map(str::trim)
        .filter(|unit| !unit.is_empty());
    let label = match unit {
        Some(unit) => format!("{column} [{unit}]"),
        None => column.to_owned(),
    };
    Ok(histogram::histogram(&counted, &label, values.len() as u64, title).0)
}

/// Returns a hint with the first columns of numbers that are no flags.
fn numeric_columns(table: &Table) -> String {
    const FIRST: usize = 8;
    let names: Vec<&str> = table
        .column_names()
        .enumerate()
        .filter(|(index, name)| {
            let flag = table.column_type(*index).as_deref() == Some("boolean");
            !flag && table.numbers(name).is_some()
        })
        .map(|(_, name)| name)
        .collect();
    match names.len() {
        0 => "it has no column of numbers".to_owned(),
        1..=FIRST => format!("--column NAME draws a column: {}", names.join(", ")),
        all => format!(
            "--column NAME draws a column: {}, … ({all} in all)",
            names[..FIRST].join(", ")
        ),
    }
}
