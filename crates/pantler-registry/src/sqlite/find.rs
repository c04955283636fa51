//! Searches that are one SQL statement, however much is looked for.
//!
//! Requests of one shape (the same key table, the same keys given) are rows of a `VALUES` list that is joined to the key
//! table, and the shapes are arms of one `UNION ALL`:
//!
//! ```text
//! SELECT -1, newest definition, newest key table          is the catalogue still whole?
//! UNION ALL SELECT r.number, dataset…  FROM (VALUES (0, 903334, 16), (1, 903334, 17)) r  JOIN keys_3  JOIN dataset
//! UNION ALL SELECT r.number, dataset…  FROM (VALUES (2, 0))                           r  JOIN keys_7  JOIN dataset
//! ```
//!
//! Values are always bound. Only where SQLite's limits on one statement are exceeded there are several, in one snapshot.

use std::collections::HashMap;

use pantler_core::registry::{FindRequest, Provenance};
use pantler_core::{DatasetId, DatasetRecord, KeyValue, RegistryError};
use rusqlite::types::Value;

use super::catalogue::{Catalogue, KeyTable, VERSION_COLUMNS};
use super::row::{COLUMNS, FoundRow, PADDING, RowReader};
use super::schema;
use super::session::Session;

/// Below SQLite's limit of 500 arms.
const MOST_ARMS: usize = 400;

/// Below SQLite's limit of 32766 variables.
const MOST_VARIABLES: usize = 32_000;

/// What came of a question.
pub(super) enum Answer<T> {
    /// The answer.
    Found(T),
    /// Another process has added definitions or key tables: reload the catalogue and ask again.
    CatalogueIsOld,
}

/// Requests of one shape.
struct Arm {
    select: String,
    /// Bound after the rows.
    limit: Option<i64>,
    columns: usize,
    rows: Vec<Vec<Value>>,
}

impl Arm {
    fn sql(&self) -> String {
        let row = format!("({})", vec!["?"; self.columns].join(","));
        let rows = vec![row; self.rows.len()].join(",");
        format!(
            "SELECT r.column1, {COLUMNS} FROM (VALUES {rows}) AS r {}",
            self.select
        )
    }
}

/// As [`pantler_core::Registry::find_many`].
pub(super) fn find_many(
    session: &Session,
    catalogue: &Catalogue,
    requests: &[FindRequest],
) -> Result<Answer<Vec<Vec<DatasetRecord>>>, RegistryError> {
    let arms = arms_for_requests(catalogue, requests);
    let Answer::Found(mut lists) = run(session, catalogue, arms, requests.len())? else {
        return Ok(Answer::CatalogueIsOld);
    };
    for (list, request) in lists.iter_mut().zip(requests) {
        sort_by_data_id(catalogue, list);
        list.truncate(request.limit);
    }
    let records = |list: Vec<FoundRow>| list.into_iter().map(|row| row.record).collect();
    Ok(Answer::Found(lists.into_iter().map(records).collect()))
}

/// As [`pantler_core::Registry::find_ids`].
pub(super) fn find_ids(
    session: &Session,
    catalogue: &Catalogue,
    ids: &[DatasetId],
) -> Result<Answer<Vec<Option<DatasetRecord>>>, RegistryError> {
    let arm = arm_for_ids(ids, "CROSS JOIN dataset AS d ON d.uuid = r.column2");
    let Answer::Found(lists) = run(session, catalogue, vec![arm], ids.len())? else {
        return Ok(Answer::CatalogueIsOld);
    };
    let first = |list: Vec<FoundRow>| list.into_iter().next().map(|row| row.record);
    Ok(Answer::Found(lists.into_iter().map(first).collect()))
}

/// As [`pantler_core::Registry::find_users`]: in the order in which they were recorded.
pub(super) fn find_users(
    session: &Session,
    catalogue: &Catalogue,
    ids: &[DatasetId],
) -> Result<Answer<Vec<Vec<DatasetRecord>>>, RegistryError> {
    find_by_member(session, catalogue, ids, "<")
}

/// As [`pantler_core::Registry::find_made_from`]: in the order in which they were recorded.
pub(super) fn find_made_from(
    session: &Session,
    catalogue: &Catalogue,
    ids: &[DatasetId],
) -> Result<Answer<Vec<Vec<DatasetRecord>>>, RegistryError> {
    find_by_member(session, catalogue, ids, "=")
}

/// Finds datasets by what they are made of (`<` the role of a precursor) or were made from (`=`).
fn find_by_member(
    session: &Session,
    catalogue: &Catalogue,
    ids: &[DatasetId],
    comparison: &str,
) -> Result<Answer<Vec<Vec<DatasetRecord>>>, RegistryError> {
    let select = format!(
        "CROSS JOIN dataset AS d ON d.id IN (SELECT m.composite FROM member AS m \
         WHERE m.uuid = r.column2 AND m.role {comparison} {})",
        schema::PRECURSOR
    );
    let arm = arm_for_ids(ids, &select);
    let Answer::Found(mut lists) = run(session, catalogue, vec![arm], ids.len())? else {
        return Ok(Answer::CatalogueIsOld);
    };
    for list in &mut lists {
        list.sort_by_key(|row| row.number);
    }
    let records = |list: Vec<FoundRow>| list.into_iter().map(|row| row.record).collect();
    Ok(Answer::Found(lists.into_iter().map(records).collect()))
}

/// As [`pantler_core::Registry::provenance`].
pub(super) fn provenance(
    session: &Session,
    ids: &[DatasetId],
) -> Result<Vec<Option<Provenance>>, RegistryError> {
    let failed = |error: rusqlite::Error| session.failed("read", &error);
    let mut found: Vec<Option<Provenance>> = vec![None; ids.len()];
    for (chunk, chunk_ids) in ids.chunks(MOST_VARIABLES).enumerate() {
        let rows = vec!["(?)"; chunk_ids.len()].join(",");
        let mut statement = session.statement(&format!(
            "SELECT d.uuid, g.body, a.time FROM (VALUES {rows}) AS r \
             CROSS JOIN dataset AS d ON d.uuid = r.column1 \
             JOIN action AS a ON a.id = d.action JOIN agent AS g ON g.id = a.agent"
        ))?;
        let parameters = rusqlite::params_from_iter(chunk_ids.iter().map(|id| id.as_bytes()));
        let mut rows = statement.query(parameters).map_err(failed)?;
        let mut by_id = HashMap::new();
        while let Some(row) = rows.next().map_err(failed)? {
            let uuid: [u8; 16] = row.get(0).map_err(failed)?;
            let body: String = row.get(1).map_err(failed)?;
            let agent: Provenance = serde_json::from_str(&body)
                .map_err(|_| session.corrupt("a provenance is not readable"))?;
            let time = row.get(2).map_err(failed)?;
            by_id.insert(DatasetId::from_bytes(uuid), Provenance { time, ..agent });
        }
        let answers = &mut found[chunk * MOST_VARIABLES..];
        for (answer, id) in answers.iter_mut().zip(chunk_ids) {
            *answer = by_id.get(id).cloned();
        }
    }
    Ok(found)
}

fn arm_for_ids(ids: &[DatasetId], select: &str) -> Arm {
    let row = |(number, id): (usize, &DatasetId)| {
        vec![
            Value::Integer(number as i64),
            Value::Blob(id.as_bytes().to_vec()),
        ]
    };
    Arm {
        select: select.to_owned(),
        limit: None,
        columns: 2,
        rows: ids.iter().enumerate().map(row).collect(),
    }
}

fn arms_for_requests(catalogue: &Catalogue, requests: &[FindRequest]) -> Vec<Arm> {
    let mut arms: Vec<Arm> = Vec::new();
    let mut shapes: HashMap<(i64, Vec<usize>, Option<i64>), usize> = HashMap::new();
    for (number, request) in requests.iter().enumerate() {
        if request.limit == 0 {
            continue;
        }
        for table in catalogue.tables_of(&request.dataset_type) {
            let Some(fitted) = table.key_set.fit(&request.data_id) else {
                continue;
            };
            let (positions, values): (Vec<usize>, Vec<KeyValue>) = fitted.into_iter().unzip();
            let is_complete = positions.len() == table.key_set.keys().len();
            let most = i64::try_from(request.limit).unwrap_or(i64::MAX);
            let limit = (!is_complete).then_some(most);
            let shape = (table.id, positions, limit);
            let arm = *shapes
                .entry(shape)
                .or_insert_with_key(|(_, positions, limit)| {
                    arms.push(Arm {
                        select: select_by_keys(table, positions, is_complete),
                        limit: *limit,
                        columns: 1 + positions.len(),
                        rows: Vec::new(),
                    });
                    arms.len() - 1
                });
            let mut row = vec![Value::Integer(number as i64)];
            row.extend(values.into_iter().map(bound));
            arms[arm].rows.push(row);
        }
    }
    arms
}

/// Writes how the rows of an arm find their datasets. A complete data ID finds one at most; of an incomplete one, the first
/// few are found in the key table before anything is read of the datasets.
fn select_by_keys(table: &KeyTable, given: &[usize], is_complete: bool) -> String {
    let name = table.sql_name();
    let mut conditions: Vec<String> = Vec::new();
    for (index, at) in given.iter().enumerate() {
        let (key, _) = &table.key_set.keys()[*at];
        conditions.push(format!("k.{} = r.column{}", schema::column(key), index + 2));
    }
    if table.key_set.keys().is_empty() {
        conditions.push(format!("k.{} = 0", schema::NO_KEYS));
    }
    let condition = if conditions.is_empty() {
        "TRUE".to_owned()
    } else {
        conditions.join(" AND ")
    };
    if is_complete {
        format!("CROSS JOIN {name} AS k ON {condition} CROSS JOIN dataset AS d ON d.id = k.dataset")
    } else {
        let order = schema::key_columns(&table.key_set);
        format!(
            "CROSS JOIN dataset AS d ON d.id IN \
             (SELECT k.dataset FROM {name} AS k WHERE {condition} ORDER BY {order} LIMIT ?)"
        )
    }
}

pub(super) fn bound(value: KeyValue) -> Value {
    match value {
        KeyValue::Int(int) => Value::Integer(int),
        KeyValue::Float(float) => Value::Real(float),
        KeyValue::Str(text) => Value::Text(text),
    }
}

/// Executes arms and sorts the rows by the number of their request.
fn run(
    session: &Session,
    catalogue: &Catalogue,
    arms: Vec<Arm>,
    requests: usize,
) -> Result<Answer<Vec<Vec<FoundRow>>>, RegistryError> {
    let mut lists: Vec<Vec<FoundRow>> = Vec::new();
    lists.resize_with(requests, Vec::new);
    if requests == 0 {
        return Ok(Answer::Found(lists));
    }
    let mut statements = split(arms);
    if let [only] = statements.as_slice() {
        return Ok(match run_one(session, catalogue, only, &mut lists)? {
            Answer::Found(()) => Answer::Found(lists),
            Answer::CatalogueIsOld => Answer::CatalogueIsOld,
        });
    }
    session.in_snapshot(|session| {
        for statement in statements.drain(..) {
            if let Answer::CatalogueIsOld = run_one(session, catalogue, &statement, &mut lists)? {
                return Ok(Answer::CatalogueIsOld);
            }
        }
        Ok(Answer::Found(lists))
    })
}

/// Deals arms out to as few statements as SQLite's limits allow, at least one.
fn split(arms: Vec<Arm>) -> Vec<Vec<Arm>> {
    let mut statements: Vec<Vec<Arm>> = vec![Vec::new()];
    let mut variables = 0;
    for arm in arms {
        let Arm {
            select,
            limit,
            columns,
            mut rows,
        } = arm;
        while !rows.is_empty() {
            let full = statements.last().is_none_or(|last| last.len() >= MOST_ARMS);
            if full || variables + columns + 1 > MOST_VARIABLES {
                statements.push(Vec::new());
                variables = 0;
            }
            let fitting = ((MOST_VARIABLES - variables - 1) / columns).max(1);
            let rest = rows.split_off(fitting.min(rows.len()));
            variables += rows.len() * columns + 1;
            if let Some(last) = statements.last_mut() {
                last.push(Arm {
                    select: select.clone(),
                    limit,
                    columns,
                    rows,
                });
            }
            rows = rest;
        }
    }
    statements
}

fn run_one(
    session: &Session,
    catalogue: &Catalogue,
    arms: &[Arm],
    lists: &mut [Vec<FoundRow>],
) -> Result<Answer<()>, RegistryError> {
    let failed = |error: rusqlite::Error| session.failed("read", &error);
    let (sql, parameters) = statement_of(arms);
    let mut statement = session.statement(&sql)?;
    let mut rows = statement
        .query(rusqlite::params_from_iter(parameters))
        .map_err(failed)?;
    let mut reader = RowReader::new(session, catalogue);
    while let Some(row) = rows.next().map_err(failed)? {
        let number: i64 = row.get(0).map_err(failed)?;
        let Ok(number) = usize::try_from(number) else {
            let stored = (row.get(1).map_err(failed)?, row.get(2).map_err(failed)?);
            if stored > catalogue.version() {
                return Ok(Answer::CatalogueIsOld);
            }
            continue;
        };
        let Some(found) = reader.read(row)? else {
            return Err(session.corrupt("a dataset points at a definition that is not there"));
        };
        if let Some(list) = lists.get_mut(number) {
            list.push(found);
        }
    }
    Ok(Answer::Found(()))
}

/// Returns the steps in which SQLite would find these, one text for each.
pub(super) fn explain(
    session: &Session,
    catalogue: &Catalogue,
    requests: &[FindRequest],
) -> Result<Vec<String>, RegistryError> {
    let failed = |error: rusqlite::Error| session.failed("read", &error);
    let mut steps = Vec::new();
    for arms in split(arms_for_requests(catalogue, requests)) {
        let (sql, parameters) = statement_of(&arms);
        let mut statement = session.statement(&format!("EXPLAIN QUERY PLAN {sql}"))?;
        let parameters = rusqlite::params_from_iter(parameters);
        let mut rows = statement.query(parameters).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            steps.push(row.get(3).map_err(failed)?);
        }
    }
    Ok(steps)
}

/// Writes the statement that executes these arms, with what is bound to it.
fn statement_of(arms: &[Arm]) -> (String, impl Iterator<Item = Value>) {
    let mut sql = format!("SELECT -1, {VERSION_COLUMNS}, {PADDING}");
    for arm in arms {
        sql.push_str(" UNION ALL ");
        sql.push_str(&arm.sql());
    }
    let parameters = arms.iter().flat_map(|arm| {
        let limit = arm.limit.map(Value::Integer);
        arm.rows.iter().flatten().cloned().chain(limit)
    });
    (sql, parameters)
}

/// Sorts as the key tables are sorted, the older key table first.
fn sort_by_data_id(catalogue: &Catalogue, list: &mut [FoundRow]) {
    list.sort_by(|a, b| {
        a.key_table.cmp(&b.key_table).then_with(|| {
            let tables = catalogue.tables_of(a.record.dataset_type());
            match tables.iter().find(|table| table.id == a.key_table) {
                Some(table) => {
                    let key = |row: &'_ FoundRow| {
                        let values = table.key_set.sort_key(&row.record.data_id).into_iter();
                        values.flatten().cloned().collect::<Vec<KeyValue>>()
                    };
                    key(a).cmp(&key(b))
                }
                None => std::cmp::Ordering::Equal,
            }
        })
    });
}
