//! One call of insert: the rows of many datasets, with what they share found or made once.
//!
//! It is executed inside a write transaction, which undoes all of it if any part fails.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use pantler_core::registry::{DefinitionVersion, Provenance, State};
use pantler_core::sky::Footprint;
use pantler_core::{DataId, DatasetRecord, Digest, RegistryError};
use rusqlite::{ErrorCode, OptionalExtension};

use super::catalogue::{Catalogue, Known};
use super::row::encode_location;
use super::schema;
use super::session::{Bound, Session};
use crate::data_id_json;
use crate::key_set::kept_data_id;
use crate::sky_cells;

/// One call of insert: what its rows share.
pub(super) struct Insertion<'t> {
    session: &'t Session,
    catalogue: &'t mut Arc<Catalogue>,
    action: i64,
    /// By address, which stays the definition's own for as long as the call borrows the records.
    targets: HashMap<*const DefinitionVersion, Target>,
    layouts: HashMap<Digest, i64>,
}

/// Where the datasets of one definition go.
struct Target {
    known: Known,
    insert_keys: String,
}

impl<'t> Insertion<'t> {
    pub(super) fn new(
        session: &'t Session,
        catalogue: &'t mut Arc<Catalogue>,
        provenance: &Provenance,
    ) -> Result<Insertion<'t>, RegistryError> {
        // The time differs from call to call, the rest seldom: it is kept once.
        let agent = Provenance {
            time: String::new(),
            ..provenance.clone()
        };
        let body = serde_json::to_string(&agent);
        let body = body.map_err(|error| session.corrupt(error.to_string()))?;
        session.execute("INSERT OR IGNORE INTO agent(body) VALUES(?1)", [&body])?;
        session.execute(
            "INSERT INTO action(agent, time) SELECT id, ?2 FROM agent WHERE body = ?1",
            [&body, &provenance.time],
        )?;
        Ok(Insertion {
            session,
            catalogue,
            action: session.connection().last_insert_rowid(),
            targets: HashMap::new(),
            layouts: HashMap::new(),
        })
    }

    /// Returns the first and the last number given.
    pub(super) fn insert_all(
        mut self,
        datasets: &[DatasetRecord],
    ) -> Result<Option<(i64, i64)>, RegistryError> {
        let mut numbers = None;
        for record in datasets {
            let data_id = kept_data_id(record)?;
            let number = self.insert_dataset(record, &data_id)?;
            if record.state == State::Current {
                self.insert_keys(record, &data_id, number)?;
            }
            self.insert_members(record, number)?;
            numbers = Some((numbers.map_or(number, |(first, _)| first), number));
        }
        Ok(numbers)
    }

    fn insert_dataset(
        &mut self,
        record: &DatasetRecord,
        data_id: &DataId,
    ) -> Result<i64, RegistryError> {
        let definition = self.target(record)?.known.id;
        let artifact = record.artifact.as_ref();
        let layout = match artifact.and_then(|artifact| artifact.layout.as_deref()) {
            Some(layout) => Some(self.layout(layout)?),
            None => None,
        };
        let bytes = match artifact {
            Some(artifact) => Some(self.bytes(artifact.bytes)?),
            None => None,
        };
        let location = artifact.and_then(|artifact| artifact.location.as_ref());
        let metadata =
            (!record.metadata.is_empty()).then(|| data_id_json::encode(&record.metadata));
        let corners = record.footprint.as_ref().map(Footprint::to_bytes);
        self.execute_unique(
            record,
            "INSERT INTO dataset(uuid, definition, data_id, location, bytes, modified, digest, \
             layout, action, superseded, composite, metadata, corners) \
             VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)",
            rusqlite::params![
                record.id.as_bytes(),
                definition,
                data_id_json::encode_values(data_id),
                location.map(encode_location),
                bytes,
                artifact.and_then(|artifact| artifact.modified),
                artifact
                    .and_then(|artifact| artifact.digest.as_ref())
                    .map(Digest::as_bytes),
                layout,
                self.action,
                record.state == State::Superseded,
                !(record.members.is_empty() && record.precursors.is_empty()),
                metadata,
                corners,
            ],
        )?;
        let number = self.session.connection().last_insert_rowid();
        if let Some(corners) = corners {
            insert_cells(self.session, &corners, number)?;
        }
        Ok(number)
    }

    /// Returns a size as SQLite keeps it.
    fn bytes(&self, bytes: u64) -> Result<i64, RegistryError> {
        i64::try_from(bytes).map_err(|_| RegistryError::Io {
            operation: "write",
            path: self.session.path().display().to_string(),
            why: format!("an artifact of {bytes} bytes is larger than it can record"),
        })
    }

    fn insert_keys(
        &mut self,
        record: &DatasetRecord,
        data_id: &DataId,
        number: i64,
    ) -> Result<(), RegistryError> {
        let Target { known, insert_keys } = self.target(record)?;
        let values = known.key_table.key_set.sort_key(data_id);
        let values: Vec<Bound<'_>> = values.into_iter().flatten().map(Bound).collect();
        let mut parameters: Vec<&dyn rusqlite::ToSql> = vec![&number];
        parameters.extend(values.iter().map(|value| value as &dyn rusqlite::ToSql));
        let sql = insert_keys.clone();
        self.execute_unique(record, &sql, parameters.as_slice())
    }

    fn insert_members(&self, record: &DatasetRecord, number: i64) -> Result<(), RegistryError> {
        let parts = record.members.iter().map(|member| match member.input_only {
            true => (member, schema::INPUT_ONLY),
            false => (member, schema::PART),
        });
        let precursors = record
            .precursors
            .iter()
            .map(|member| (member, schema::PRECURSOR));
        for (position, (member, role)) in parts.chain(precursors).enumerate() {
            let part = serde_json::Value::from(member.part.clone()).to_string();
            self.session.execute(
                "INSERT INTO member(composite, position, component, uuid, dataset_type, data_id, \
                 part, role) VALUES(?1,?2,?3,?4,?5,?6,?7,?8)",
                rusqlite::params![
                    number,
                    position as i64,
                    member.component,
                    member.dataset.as_bytes(),
                    member.dataset_type.as_str(),
                    data_id_json::encode(&member.data_id),
                    part,
                    role,
                ],
            )?;
        }
        Ok(())
    }

    fn target(&mut self, record: &DatasetRecord) -> Result<&Target, RegistryError> {
        match self.targets.entry(Arc::as_ptr(&record.definition)) {
            Entry::Occupied(target) => Ok(target.into_mut()),
            Entry::Vacant(place) => {
                let known = Catalogue::learn(self.catalogue, self.session, &record.definition)?;
                let table = &known.key_table;
                let keys = table.key_set.keys();
                let columns = keys
                    .iter()
                    .map(|(key, _)| format!(", {}", schema::column(key)));
                let insert_keys = format!(
                    "INSERT INTO {}(dataset{}) VALUES(?{})",
                    table.sql_name(),
                    columns.collect::<String>(),
                    ", ?".repeat(keys.len()),
                );
                Ok(place.insert(Target { known, insert_keys }))
            }
        }
    }

    fn layout(&mut self, body: &[u8]) -> Result<i64, RegistryError> {
        let digest = Digest::of(body);
        if let Some(known) = self.layouts.get(&digest) {
            return Ok(*known);
        }
        let id = number_of_layout(self.session, body, digest)?;
        self.layouts.insert(digest, id);
        Ok(id)
    }

    /// Executes an insertion that fails if the data ID or the identity is taken.
    fn execute_unique(
        &self,
        record: &DatasetRecord,
        sql: &str,
        parameters: impl rusqlite::Params,
    ) -> Result<(), RegistryError> {
        match self.session.statement(sql)?.execute(parameters) {
            Ok(_) => Ok(()),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                Err(RegistryError::AlreadyExists {
                    dataset_type: record.dataset_type().clone(),
                    data_id: record.data_id.clone(),
                })
            }
            Err(error) => Err(self.session.failed("write", &error)),
        }
    }
}

/// Returns the number of a layout, which is kept once however many datasets have it.
pub(super) fn number_of_layout(
    session: &Session,
    body: &[u8],
    digest: Digest,
) -> Result<i64, RegistryError> {
    // Those that have these eight bytes in common are told apart by all they are.
    let (hash, _) = digest.as_bytes().split_at(8);
    let known = {
        let mut statement =
            session.statement("SELECT id FROM layout WHERE hash = ?1 AND body = ?2")?;
        let known = statement.query_row((hash, body), |row| row.get(0));
        known.optional()
    };
    match known.map_err(|error| session.failed("write", &error))? {
        Some(known) => Ok(known),
        None => {
            let sql = "INSERT INTO layout(hash, body) VALUES(?1, ?2)";
            session.execute(sql, (hash, body))?;
            Ok(session.connection().last_insert_rowid())
        }
    }
}

/// Enters a dataset under the cells of the sky that its footprint touches: the footprint as it is recorded, so that whoever
/// removes the dataset finds the same cells.
pub(super) fn insert_cells(
    session: &Session,
    corners: &[u8],
    number: i64,
) -> Result<(), RegistryError> {
    for cell in recorded_cells(corners) {
        session.execute(
            "INSERT INTO cell(cell, dataset) VALUES(?1, ?2)",
            (cell, number),
        )?;
    }
    Ok(())
}

/// Returns the cells that a recorded footprint touches.
pub(super) fn recorded_cells(corners: &[u8]) -> impl Iterator<Item = i64> {
    let footprint = Footprint::from_bytes(corners);
    let ranges = footprint.map(|known| sky_cells::cells_of(&known));
    ranges
        .into_iter()
        .flatten()
        .flatten()
        .map(|cell| cell as i64)
}
