//! Tables end to end: `first + second` in Python, and `+=` of drafts.

use arrow_schema::{Field, Schema};
use arrow_select::concat::concat;
use pantler::core::report::Kind;
use pantler::objects::Table;
use std::sync::Arc;

use crate::failure::Failure;

/// Returns the rows of the first table, then those of the second, under the columns and with the header of the first; a table
/// without columns adds nothing. Both must have the same columns, in any order, of the same types.
pub fn end_to_end(first: &Table, second: &Table) -> Result<Table, Failure> {
    let (top, bottom) = (first.batch(), second.batch());
    if top.num_columns() == 0 {
        return Ok(second.clone());
    }
    if bottom.num_columns() == 0 {
        return Ok(first.clone());
    }
    let names = |table: &Table| {
        let mut names: Vec<String> = table.column_names().map(str::to_owned).collect();
        names.sort();
        names
    };
    if let Some(name) = odd_one(&names(first), &names(second)) {
        let message = format!("only one of the two tables has the column `{name}`");
        return Err(Failure::of(Kind::Request, message)
            .hint("`.select(columns)` takes the columns that both have"));
    }
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    let schema = top.schema();
    for (field, above) in schema.fields().iter().zip(top.columns()) {
        let Some(below) = bottom.column_by_name(field.name()) else {
            continue;
        };
        let column = concat(&[above.as_ref(), below.as_ref()]).map_err(|error| {
            Failure::request(format!(
                "the column `{}` is {} in one table and {} in the other",
                field.name(),
                above.data_type(),
                below.data_type()
            ))
            .because(error.to_string())
        })?;
        let nullable = field.is_nullable() || column.null_count() > 0;
        fields.push(Field::clone(field).with_nullable(nullable));
        columns.push(column);
    }
    let rows = top.num_rows() + bottom.num_rows();
    let schema = Schema::new_with_metadata(fields, schema.metadata().clone());
    let table = Table::of_columns(
        Arc::new(schema),
        columns,
        rows,
        first.metadata().as_ref().clone(),
    );
    Ok(table?)
}

/// A name that stands in one of two sorted lists only.
fn odd_one<'a>(first: &'a [String], second: &'a [String]) -> Option<&'a String> {
    let lacks = |list: &[String], name: &String| list.binary_search(name).is_err();
    let of_first = first.iter().find(|name| lacks(second, name));
    of_first.or_else(|| second.iter().find(|name| lacks(first, name)))
}
