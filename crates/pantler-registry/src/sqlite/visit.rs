//! Going through many datasets, one row in memory at a time.
//!
//! Whoever calls is inside a snapshot and has the catalogue of that moment.

use std::ops::ControlFlow;

use pantler_core::registry::TypeSummary;
use pantler_core::{DataId, DatasetRecord, KeyType, KeyValue, RegistryError, TypeName};
use rusqlite::types::ValueRef;

use super::catalogue::{Catalogue, KeyTable};
use super::row::{COLUMNS, RowReader};
use super::schema;
use super::session::{Bound, Session};
use crate::key_set::widen;

/// As [`pantler_core::Registry::visit`].
pub(super) fn visit(
    session: &Session,
    catalogue: &Catalogue,
    dataset_type: Option<&TypeName>,
    data_id: &DataId,
    each: &mut dyn FnMut(DatasetRecord) -> ControlFlow<()>,
) -> Result<(), RegistryError> {
    for table in catalogue.tables() {
        if dataset_type.is_some_and(|wanted| *wanted != table.dataset_type) {
            continue;
        }
        let Some(fitted) = table.key_set.fit(data_id) else {
            continue;
        };
        let conditions: String = fitted
            .iter()
            .map(|(at, _)| {
                format!(
                    " AND k.{} = ?",
                    schema::column(&table.key_set.keys()[*at].0)
                )
            })
            .collect();
        let sql = format!(
            "SELECT 0, {COLUMNS} FROM {} AS k CROSS JOIN dataset AS d ON d.id = k.dataset \
             WHERE TRUE{conditions} ORDER BY {}",
            table.sql_name(),
            schema::key_columns(&table.key_set),
        );
        let values: Vec<Bound<'_>> = fitted.iter().map(|(_, value)| Bound(value)).collect();
        if visit_rows(session, catalogue, &sql, &values, each)?.is_break() {
            break;
        }
    }
    Ok(())
}

/// As [`pantler_core::Registry::visit_all`].
pub(super) fn visit_all(
    session: &Session,
    catalogue: &Catalogue,
    each: &mut dyn FnMut(DatasetRecord) -> ControlFlow<()>,
) -> Result<(), RegistryError> {
    let sql = format!("SELECT 0, {COLUMNS} FROM dataset AS d ORDER BY d.id");
    // Whether the visitor went through or stopped early makes no difference to the caller.
    visit_rows(session, catalogue, &sql, &[], each).map(|_| ())
}

fn visit_rows(
    session: &Session,
    catalogue: &Catalogue,
    sql: &str,
    values: &[Bound<'_>],
    each: &mut dyn FnMut(DatasetRecord) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, RegistryError> {
    let failed = |error: rusqlite::Error| session.failed("read", &error);
    let mut statement = session.statement(sql)?;
    let parameters = rusqlite::params_from_iter(values);
    let mut rows = statement.query(parameters).map_err(failed)?;
    let mut reader = RowReader::new(session, catalogue);
    while let Some(row) = rows.next().map_err(failed)? {
        let Some(found) = reader.read(row)? else {
            return Err(session.corrupt("a dataset points at a definition that is not there"));
        };
        if each(found.record).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// As [`pantler_core::Registry::summary`]: one pass over the datasets, and one over each key table.
pub(super) fn summary(
    session: &Session,
    catalogue: &Catalogue,
) -> Result<Vec<TypeSummary>, RegistryError> {
    let counts = counts_by_definition(session)?;
    let mut summaries: Vec<TypeSummary> = Vec::new();
    for table in catalogue.tables() {
        let mut count = 0;
        let mut bytes = 0u64;
        for known in catalogue.definitions() {
            if known.key_table.id == table.id
                && let Some((_, of, size)) = counts.iter().find(|(id, _, _)| *id == known.id)
            {
                count += of;
                bytes = bytes.saturating_add(*size);
            }
        }
        if count == 0 {
            continue;
        }
        let at = summaries
            .iter()
            .position(|summary| summary.dataset_type == table.dataset_type)
            .unwrap_or_else(|| {
                summaries.push(TypeSummary {
                    dataset_type: table.dataset_type.clone(),
                    count: 0,
                    bytes: 0,
                    keys: Vec::new(),
                });
                summaries.len() - 1
            });
        let summary = &mut summaries[at];
        summary.count += count;
        summary.bytes = summary.bytes.saturating_add(bytes);
        widen_by_table(session, table, &mut summary.keys)?;
    }
    Ok(summaries)
}

/// Returns definition, number of current datasets and their bytes.
fn counts_by_definition(session: &Session) -> Result<Vec<(i64, u64, u64)>, RegistryError> {
    let failed = |error: rusqlite::Error| session.failed("read", &error);
    let mut statement = session.statement(
        "SELECT definition, count(*), coalesce(sum(bytes), 0) FROM dataset \
         WHERE superseded = 0 GROUP BY definition",
    )?;
    let rows = statement.query_map([], |row| {
        Ok((row.get(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
    });
    let counts = rows.map_err(failed)?.map(|row| {
        let (definition, count, bytes) = row.map_err(failed)?;
        match (u64::try_from(count), u64::try_from(bytes)) {
            (Ok(count), Ok(bytes)) => Ok((definition, count, bytes)),
            _ => Err(session.corrupt("the size of a dataset is negative")),
        }
    });
    counts.collect()
}

fn widen_by_table(
    session: &Session,
    table: &KeyTable,
    ranges: &mut Vec<(String, KeyValue, KeyValue)>,
) -> Result<(), RegistryError> {
    let failed = |error: rusqlite::Error| session.failed("read", &error);
    let keys = table.key_set.keys();
    if keys.is_empty() {
        return Ok(());
    }
    let columns = keys.iter().map(|(key, _)| {
        let column = schema::column(key);
        format!("min({column}), max({column})")
    });
    let columns = columns.collect::<Vec<_>>().join(", ");
    let sql = format!("SELECT {columns} FROM {}", table.sql_name());
    let mut statement = session.statement(&sql)?;
    let mut rows = statement.query([]).map_err(failed)?;
    if let Some(row) = rows.next().map_err(failed)? {
        for (index, (key, key_type)) in keys.iter().enumerate() {
            for column in [2 * index, 2 * index + 1] {
                let value = key_value(*key_type, row.get_ref(column).map_err(failed)?);
                let value =
                    value.ok_or_else(|| session.corrupt("a key's value is not readable"))?;
                widen(ranges, key, &value);
            }
        }
    }
    Ok(())
}

fn key_value(key_type: KeyType, value: ValueRef<'_>) -> Option<KeyValue> {
    match (key_type, value) {
        (KeyType::Int, ValueRef::Integer(int)) => Some(KeyValue::Int(int)),
        (KeyType::Float, ValueRef::Real(float)) => KeyValue::float(float),
        (KeyType::Str, ValueRef::Text(text)) => {
            Some(KeyValue::Str(std::str::from_utf8(text).ok()?.to_owned()))
        }
        _ => None,
    }
}
