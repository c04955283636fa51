//! The next few datasets of one type and one set of keys, in an order of keys: one statement over one key table.
//!
//! A page starts behind the last data ID of the page before (not at a number of rows), so that the thousandth page costs what
//! the first costs, and what is inserted in between neither repeats nor hides anything.

use pantler_core::expression::{Comparison, Expression, Operand, Region};
use pantler_core::registry::{KeysOfType, PageRequest};
use pantler_core::{DataId, DatasetRecord, KeyType, KeyValue, RegistryError, TypeName};
use rusqlite::types::Value;

use super::catalogue::{Catalogue, KeyTable, VERSION_COLUMNS};
use super::find::{Answer, bound};
use super::row::{COLUMNS, PADDING, RowReader};
use super::schema;
use super::session::Session;
use crate::sky_cells;

/// A region of more pieces than this is not looked up by them: the exact test decides alone.
const MOST_RANGES: usize = 4000;

/// A longer list is not given to SQLite, which takes so many variables and no more.
const MOST_VALUES: usize = 1000;

/// As [`pantler_core::Registry::key_sets`].
pub(super) fn key_sets(catalogue: &Catalogue, dataset_type: Option<&TypeName>) -> Vec<KeysOfType> {
    let wanted = |name: &TypeName| dataset_type.is_none_or(|wanted| wanted == name);
    catalogue
        .tables()
        .filter(|table| wanted(&table.dataset_type))
        .map(|table| (table.dataset_type.clone(), table.key_set.keys().to_vec()))
        .collect()
}

/// As [`pantler_core::Registry::page`].
pub(super) fn page(
    session: &Session,
    catalogue: &Catalogue,
    request: &PageRequest,
) -> Result<Answer<Vec<DatasetRecord>>, RegistryError> {
    let mut tables = catalogue.tables_of(&request.dataset_type).iter();
    let table = tables.find(|table| table.key_set.has_keys(&request.order));
    let select = table.and_then(|table| Select::new(table, request));
    let (rest, values) = match &select {
        Some(select) => (select.sql(), select.values.as_slice()),
        None => (String::new(), [].as_slice()),
    };
    // The order of the arms of a UNION ALL that are subqueries is theirs.
    let sql = format!("SELECT -1, {VERSION_COLUMNS}, {PADDING}{rest}");
    let failed = |error: rusqlite::Error| session.failed("read", &error);
    let mut statement = session.statement(&sql)?;
    let mut rows = statement
        .query(rusqlite::params_from_iter(values))
        .map_err(failed)?;
    let mut reader = RowReader::new(session, catalogue);
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        if row.get::<_, i64>(0).map_err(failed)? < 0 {
            let stored = (row.get(1).map_err(failed)?, row.get(2).map_err(failed)?);
            if stored > catalogue.version() {
                return Ok(Answer::CatalogueIsOld);
            }
            continue;
        }
        let Some(row) = reader.read(row)? else {
            return Err(session.corrupt("a dataset points at a definition that is not there"));
        };
        found.push(row.record);
    }
    // Not left to the database: it may answer a union in the order that it likes.
    found.sort_by(|a, b| request.compare(&a.data_id, &b.data_id));
    Ok(Answer::Found(found))
}

/// One page as SQL.
struct Select<'t> {
    table: &'t KeyTable,
    conditions: Vec<String>,
    values: Vec<Value>,
    order: String,
}

impl<'t> Select<'t> {
    /// Returns `None` where nothing can fit.
    fn new(table: &'t KeyTable, request: &PageRequest) -> Option<Select<'t>> {
        let mut select = Select {
            table,
            conditions: vec!["TRUE".to_owned()],
            values: Vec::new(),
            order: order_of(table, request),
        };
        for (at, value) in table.key_set.fit(&request.data_id)? {
            let column = schema::column(&table.key_set.keys()[at].0);
            select.conditions.push(format!("k.{column} = ?"));
            select.values.push(bound(value));
        }
        if let Some(after) = &request.after {
            select.start_behind(after, request)?;
        }
        if let Some(condition) = &request.condition {
            select.narrow(condition);
        }
        let limit = i64::try_from(request.limit).unwrap_or(i64::MAX);
        select.values.push(Value::Integer(limit));
        Some(select)
    }

    fn sql(&self) -> String {
        format!(
            " UNION ALL SELECT * FROM (SELECT 0, {COLUMNS} FROM {} AS k CROSS JOIN dataset AS d \
             ON d.id = k.dataset WHERE {} ORDER BY {} LIMIT ?)",
            self.table.sql_name(),
            self.conditions.join(" AND "),
            self.order,
        )
    }

    /// What stands behind a data ID in the order asked for.
    fn start_behind(&mut self, after: &DataId, request: &PageRequest) -> Option<()> {
        let order = request.order.as_slice();
        let [(_, descending), others @ ..] = order else {
            // A type without keys has one dataset, and nothing behind it.
            self.conditions.push("FALSE".to_owned());
            return Some(());
        };
        if others.iter().any(|(_, other)| other != descending) {
            return self.start_behind_mixed(after, request);
        }
        // Compared as one row, so that the index leads to the place however few values the first keys have.
        let columns = order
            .iter()
            .map(|(key, _)| format!("k.{}", schema::column(key)));
        let columns: Vec<String> = columns.collect();
        let sign = if *descending { "<" } else { ">" };
        for (key, _) in order {
            self.values.push(bound(after.get(key)?.clone()));
        }
        self.conditions.push(format!(
            "({}) {sign} ({})",
            columns.join(", "),
            vec!["?"; columns.len()].join(", ")
        ));
        Some(())
    }

    /// `a > x OR (a = x AND b < y)` for a data ID `x, y` and an order by `a` and, descending, by `b`.
    fn start_behind_mixed(&mut self, after: &DataId, request: &PageRequest) -> Option<()> {
        let mut ways = Vec::new();
        for (index, (key, descending)) in request.order.iter().enumerate() {
            let sign = if *descending { "<" } else { ">" };
            let mut all = Vec::new();
            for (before, _) in &request.order[..index] {
                all.push(format!("k.{} = ?", schema::column(before)));
                self.values.push(bound(after.get(before)?.clone()));
            }
            all.push(format!("k.{} {sign} ?", schema::column(key)));
            self.values.push(bound(after.get(key)?.clone()));
            ways.push(format!("({})", all.join(" AND ")));
        }
        self.conditions.push(format!("({})", ways.join(" OR ")));
        // What the first key alone says is what an index can use.
        let (first, descending) = request.order.first()?;
        let sign = if *descending { "<=" } else { ">=" };
        self.conditions
            .push(format!("k.{} {sign} ?", schema::column(first)));
        self.values.push(bound(after.get(first)?.clone()));
        Some(())
    }

    /// Adds what an expression demands of the keys and the sky, as far as SQLite answers it exactly as pantler does.
    fn narrow(&mut self, condition: &Expression) {
        match condition {
            Expression::And(all) => {
                for one in all {
                    self.narrow(one);
                }
            }
            Expression::Overlaps(region) => self.narrow_to(region),
            other => {
                let mut values = Vec::new();
                if let Some(sql) = exact_sql(self.table, other, &mut values) {
                    self.conditions.push(sql);
                    self.values.extend(values);
                }
            }
        }
    }

    fn narrow_to(&mut self, region: &Region) {
        let Some(ranges) = sky_cells::ranges_of(region) else {
            return;
        };
        if ranges.len() > MOST_RANGES {
            return;
        }
        // The numbers are pantler's own, so they stand in the text: SQLite takes fewer variables than a large region has.
        let rows: Vec<String> = ranges
            .iter()
            .map(|range| format!("({},{})", range.start, range.end))
            .collect();
        if rows.is_empty() {
            self.conditions.push("FALSE".to_owned());
            return;
        }
        self.conditions.push(format!(
            "k.dataset IN (SELECT c.dataset FROM (VALUES {}) AS r \
             CROSS JOIN cell AS c ON c.cell >= r.column1 AND c.cell < r.column2)",
            rows.join(",")
        ));
    }
}

fn order_of(table: &KeyTable, request: &PageRequest) -> String {
    let columns = request.order.iter().map(|(key, descending)| {
        let direction = if *descending { " DESC" } else { "" };
        format!("k.{}{direction}", schema::column(key))
    });
    let columns: Vec<String> = columns.collect();
    if columns.is_empty() {
        schema::key_columns(&table.key_set)
    } else {
        columns.join(", ")
    }
}

/// Writes an expression as SQL that is true for exactly the same rows; `None` where that is not certain.
fn exact_sql(table: &KeyTable, expression: &Expression, values: &mut Vec<Value>) -> Option<String> {
    let column = |operand: &Operand| match operand {
        Operand::Identifier(name) => {
            let mut keys = table.key_set.keys().iter();
            let (key, key_type) = keys.find(|(key, _)| *key == name.name)?;
            Some((format!("k.{}", schema::column(key)), *key_type))
        }
        Operand::Literal(_) => None,
    };
    match expression {
        Expression::Compare {
            left,
            comparison,
            right: Operand::Literal(value),
        } => {
            let (column, key_type) = column(left)?;
            let sign = sign_of(*comparison);
            literal(key_type, value, values)?;
            Some(format!("{column} {sign} ?"))
        }
        Expression::In {
            operand,
            values: list,
        } => {
            let (column, key_type) = column(operand)?;
            if list.len() > MOST_VALUES {
                return None;
            }
            for value in list {
                literal(key_type, value, values)?;
            }
            Some(format!("{column} IN ({})", vec!["?"; list.len()].join(",")))
        }
        Expression::Between {
            operand,
            low: Operand::Literal(low),
            high: Operand::Literal(high),
        } => {
            let (column, key_type) = column(operand)?;
            literal(key_type, low, values)?;
            literal(key_type, high, values)?;
            Some(format!("{column} BETWEEN ? AND ?"))
        }
        Expression::Or(all) => {
            let mut ways = Vec::new();
            for one in all {
                ways.push(exact_sql(table, one, values)?);
            }
            Some(format!("({})", ways.join(" OR ")))
        }
        _ => None,
    }
}

/// Binds a value that is compared with a key; `None` for a number against a text, which is an error that only the full
/// evaluation can tell.
fn literal(key_type: KeyType, value: &KeyValue, values: &mut Vec<Value>) -> Option<()> {
    let is_text = matches!(value, KeyValue::Str(_));
    (is_text == (key_type == KeyType::Str)).then(|| values.push(bound(value.clone())))
}

fn sign_of(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "=",
        Comparison::NotEqual => "<>",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}
