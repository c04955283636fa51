//! Which definitions and key tables a registry has, kept in memory.
//!
//! Both only ever grow, and their numbers with them, so the highest numbers are a version: who reads rows reads these
//! two numbers in the same statement, and knows whether the catalogue still tells the whole.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use pantler_core::registry::DefinitionVersion;
use pantler_core::{Digest, KeyType, RegistryError, TypeName};

use super::schema;
use super::session::Session;
use crate::key_set::KeySet;

/// The highest numbers of a definition and of a key table.
pub(super) type Version = (i64, i64);

/// A scalar expression each for the two numbers of a [`Version`].
pub(super) const VERSION_COLUMNS: &str = "coalesce((SELECT max(id) FROM definition), 0), \
     coalesce((SELECT max(id) FROM key_table), 0)";

/// A table that finds the current datasets of one type with one set of keys.
#[derive(Debug, Clone)]
pub(super) struct KeyTable {
    pub(super) id: i64,
    pub(super) dataset_type: TypeName,
    pub(super) key_set: KeySet,
}

impl KeyTable {
    pub(super) fn sql_name(&self) -> String {
        format!("keys_{}", self.id)
    }
}

/// A definition with the key table that its datasets are in.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) id: i64,
    pub(super) definition: Arc<DefinitionVersion>,
    /// The names of the definition's keys, for all data IDs to share.
    pub(super) key_names: Arc<[Arc<str>]>,
    pub(super) key_table: Arc<KeyTable>,
}

/// All definitions and key tables of a registry at some moment.
#[derive(Debug, Clone, Default)]
pub(super) struct Catalogue {
    definitions: BTreeMap<i64, Known>,
    by_digest: HashMap<Digest, i64>,
    key_tables: BTreeMap<i64, Arc<KeyTable>>,
    types: BTreeMap<TypeName, Vec<Arc<KeyTable>>>,
}

impl Catalogue {
    pub(super) fn version(&self) -> Version {
        let highest = |last: Option<&i64>| last.copied().unwrap_or(0);
        (
            highest(self.definitions.keys().next_back()),
            highest(self.key_tables.keys().next_back()),
        )
    }

    pub(super) fn definition(&self, id: i64) -> Option<&Known> {
        self.definitions.get(&id)
    }

    pub(super) fn definitions(&self) -> impl Iterator<Item = &Known> {
        self.definitions.values()
    }

    /// Returns the key tables of a type, oldest first.
    pub(super) fn tables_of(&self, dataset_type: &TypeName) -> &[Arc<KeyTable>] {
        self.types.get(dataset_type).map_or(&[], Vec::as_slice)
    }

    /// Returns all key tables by type, oldest first within a type.
    pub(super) fn tables(&self) -> impl Iterator<Item = &Arc<KeyTable>> {
        self.types.values().flatten()
    }

    pub(super) fn is_newest(&self, session: &Session) -> Result<bool, RegistryError> {
        let mut statement = session.statement(&format!("SELECT {VERSION_COLUMNS}"))?;
        let stored: rusqlite::Result<Version> =
            statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?)));
        stored
            .map(|stored| stored <= self.version())
            .map_err(|error| session.failed("read", &error))
    }

    /// Returns this catalogue with what was added since.
    pub(super) fn reload(&self, session: &Session) -> Result<Catalogue, RegistryError> {
        let mut newer = self.clone();
        session.in_snapshot(|session| {
            newer.load_key_tables(session)?;
            newer.load_definitions(session)
        })?;
        Ok(newer)
    }

    fn load_key_tables(&mut self, session: &Session) -> Result<(), RegistryError> {
        let failed = |error: rusqlite::Error| session.failed("read", &error);
        let mut statement = session
            .statement("SELECT id, dataset_type, keys FROM key_table WHERE id > ?1 ORDER BY id")?;
        let mut rows = statement.query([self.version().1]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let id: i64 = row.get(0).map_err(failed)?;
            let name: String = row.get(1).map_err(failed)?;
            let keys: String = row.get(2).map_err(failed)?;
            let dataset_type = TypeName::new(&name).ok();
            let keys: Option<Vec<(String, KeyType)>> = serde_json::from_str(&keys).ok();
            let (Some(dataset_type), Some(keys)) = (dataset_type, keys) else {
                return Err(session.corrupt(format!("its key table {id} is not readable")));
            };
            self.add_key_table(KeyTable {
                id,
                dataset_type,
                key_set: KeySet::new(keys),
            });
        }
        Ok(())
    }

    fn load_definitions(&mut self, session: &Session) -> Result<(), RegistryError> {
        let failed = |error: rusqlite::Error| session.failed("read", &error);
        let mut statement = session
            .statement("SELECT id, key_table, body FROM definition WHERE id > ?1 ORDER BY id")?;
        let mut rows = statement.query([self.version().0]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let id: i64 = row.get(0).map_err(failed)?;
            let key_table: i64 = row.get(1).map_err(failed)?;
            let body: String = row.get(2).map_err(failed)?;
            let definition: Option<DefinitionVersion> = serde_json::from_str(&body).ok();
            let key_table = self.key_tables.get(&key_table).cloned();
            let (Some(definition), Some(key_table)) = (definition, key_table) else {
                return Err(session.corrupt(format!("its definition {id} is not readable")));
            };
            let digest = Digest::of(body.as_bytes());
            self.add_definition(id, digest, Arc::new(definition), key_table);
        }
        Ok(())
    }

    /// Returns the definition as the registry knows it, adding it and its key table if they are new.
    ///
    /// The session is inside a write transaction; if that is undone, this catalogue is to be thrown away with it.
    pub(super) fn learn(
        this: &mut Arc<Catalogue>,
        session: &Session,
        definition: &Arc<DefinitionVersion>,
    ) -> Result<Known, RegistryError> {
        let body = to_json(session, definition)?;
        let digest = Digest::of(body.as_bytes());
        let known = this.by_digest.get(&digest).copied();
        if let Some(known) = known.and_then(|id| this.definitions.get(&id)) {
            return Ok(known.clone());
        }
        Arc::make_mut(this).add(session, definition, &body, digest)
    }

    fn add(
        &mut self,
        session: &Session,
        definition: &Arc<DefinitionVersion>,
        body: &str,
        digest: Digest,
    ) -> Result<Known, RegistryError> {
        let key_table = self.learn_key_table(session, definition)?;
        session.execute(
            "INSERT INTO definition(key_table, digest, body) VALUES(?1, ?2, ?3)",
            (key_table.id, digest.as_bytes(), body),
        )?;
        let id = session.connection().last_insert_rowid();
        Ok(self.add_definition(id, digest, Arc::clone(definition), key_table))
    }

    fn learn_key_table(
        &mut self,
        session: &Session,
        definition: &DefinitionVersion,
    ) -> Result<Arc<KeyTable>, RegistryError> {
        let tables = self.tables_of(&definition.dataset_type);
        let known = tables
            .iter()
            .find(|table| table.key_set.is_same_as(&definition.keys));
        if let Some(known) = known {
            return Ok(Arc::clone(known));
        }
        session.execute(
            "INSERT INTO key_table(dataset_type, keys) VALUES(?1, ?2)",
            (
                definition.dataset_type.as_str(),
                to_json(session, &definition.keys)?,
            ),
        )?;
        let table = KeyTable {
            id: session.connection().last_insert_rowid(),
            dataset_type: definition.dataset_type.clone(),
            key_set: KeySet::new(definition.keys.clone()),
        };
        session.execute(&schema::create_key_table(&table), [])?;
        Ok(self.add_key_table(table))
    }

    fn add_key_table(&mut self, table: KeyTable) -> Arc<KeyTable> {
        let table = Arc::new(table);
        self.key_tables.insert(table.id, Arc::clone(&table));
        let of_type = self.types.entry(table.dataset_type.clone()).or_default();
        of_type.push(Arc::clone(&table));
        table
    }

    fn add_definition(
        &mut self,
        id: i64,
        digest: Digest,
        definition: Arc<DefinitionVersion>,
        key_table: Arc<KeyTable>,
    ) -> Known {
        let key_names = definition.keys.iter().map(|(key, _)| key.as_str().into());
        let known = Known {
            id,
            key_names: key_names.collect(),
            definition,
            key_table,
        };
        self.by_digest.insert(digest, id);
        self.definitions.insert(id, known.clone());
        known
    }
}

fn to_json(session: &Session, value: &impl serde::Serialize) -> Result<String, RegistryError> {
    serde_json::to_string(value).map_err(|error| session.corrupt(error.to_string()))
}
