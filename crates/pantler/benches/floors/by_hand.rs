//! The floors: what a program that knows every path and every table would do itself.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};

use super::place::{path, values};

/// The registry's file, opened as any program could.
pub struct ByHand {
    root: PathBuf,
    connection: Connection,
    table: String,
}

impl ByHand {
    /// Opens the registry of a repository.
    pub fn open(root: &Path) -> ByHand {
        let connection =
            Connection::open(root.join(".pantler/registry.sqlite")).expect("it is there");
        connection
            .execute_batch("PRAGMA synchronous = FULL; PRAGMA busy_timeout = 10000")
            .expect("it is SQLite");
        let table = connection
            .query_row(
                "SELECT id FROM key_table WHERE dataset_type = 'note'",
                [],
                |row| row.get::<_, i64>(0),
            )
            .map(|id| format!("keys_{id}"))
            .expect("there are notes");
        ByHand {
            root: root.to_path_buf(),
            connection,
            table,
        }
    }

    /// Finds one row by its four keys.
    pub fn find(&self, number: i64) -> i64 {
        let [tract, patch, visit, ccd] = values(number);
        let sql = format!(
            "SELECT d.uuid, d.data_id, d.bytes, d.digest FROM {} AS k JOIN dataset AS d ON d.id = k.dataset \
             WHERE k.k_tract = ?1 AND k.k_patch = ?2 AND k.k_visit = ?3 AND k.k_ccd = ?4",
            self.table
        );
        let mut statement = self
            .connection
            .prepare_cached(&sql)
            .expect("the tables are there");
        statement
            .query_row(params![tract, patch, visit, ccd], |row| {
                let _: [u8; 16] = row.get(0)?;
                let _: String = row.get(1)?;
                let _: Option<[u8; 32]> = row.get(3)?;
                row.get(2)
            })
            .expect("it is there")
    }

    /// Finds, opens, reads and parses one.
    pub fn get(&self, dataset_type: &str, number: i64) -> serde_json::Value {
        self.find(number);
        let bytes = fs::read(self.root.join(path(dataset_type, number))).expect("it is there");
        serde_json::from_slice(&bytes).expect("it is JSON")
    }

    /// Steps through all rows, with what a listing shows of each.
    pub fn list(&self) -> usize {
        let sql = format!(
            "SELECT k.k_tract, k.k_patch, k.k_visit, k.k_ccd, d.uuid, d.bytes FROM {} AS k \
             JOIN dataset AS d ON d.id = k.dataset ORDER BY k.k_tract, k.k_patch, k.k_visit, k.k_ccd",
            self.table
        );
        let mut statement = self
            .connection
            .prepare_cached(&sql)
            .expect("the tables are there");
        let rows = statement
            .query_map([], |row| {
                let keys: [i64; 4] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?];
                let uuid: [u8; 16] = row.get(4)?;
                let bytes: i64 = row.get(5)?;
                Ok((keys, uuid, bytes))
            })
            .expect("the tables are there");
        rows.map(|row| row.expect("the row is whole"))
            .collect::<Vec<_>>()
            .len()
    }
}

/// A folder and an index of one's own, to write to.
pub struct Writer {
    root: PathBuf,
    connection: Connection,
}

impl Writer {
    /// Makes both.
    pub fn new(root: &Path) -> Writer {
        fs::create_dir_all(root.join("note")).expect("a folder can be made");
        let connection = Connection::open(root.join("index.sqlite")).expect("an index can be made");
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
                 CREATE TABLE dataset(id INTEGER PRIMARY KEY, uuid BLOB NOT NULL UNIQUE, data_id TEXT, bytes INTEGER, digest BLOB) STRICT;
                 CREATE TABLE keys(tract INTEGER, patch INTEGER, visit INTEGER, ccd INTEGER, dataset INTEGER,
                     PRIMARY KEY(tract, patch, visit, ccd)) STRICT, WITHOUT ROWID;",
            )
            .expect("tables can be made");
        Writer {
            root: root.to_path_buf(),
            connection,
        }
    }

    /// Writes a file durably, then its row durably.
    pub fn put(&self, number: i64) {
        let bytes = self.file(number);
        self.row(number, &bytes);
    }

    /// Writes rows in one commit.
    pub fn rows(&self, rows: impl Iterator<Item = (i64, Vec<u8>)>) {
        self.connection
            .execute_batch("BEGIN IMMEDIATE")
            .expect("it can be written");
        for (number, bytes) in rows {
            self.row(number, &bytes);
        }
        self.connection
            .execute_batch("COMMIT")
            .expect("it can be written");
    }

    /// Writes files, each synchronised, eight at a time; names them, synchronises their folder once, and writes their rows in one
    /// commit.
    pub fn batch(&self, numbers: std::ops::Range<i64>) {
        let numbers: Vec<i64> = numbers.collect();
        // A connection stays with its thread; the folder is all that the others need.
        let root = self.root.as_path();
        let share = numbers.len().div_ceil(8).max(1);
        let written: Vec<Vec<u8>> = std::thread::scope(|scope| {
            let threads: Vec<_> = numbers
                .chunks(share)
                .map(|numbers| {
                    let write = |number: &i64| staged(root, *number, &format!("staged-{number}"));
                    scope.spawn(move || numbers.iter().map(write).collect::<Vec<Vec<u8>>>())
                })
                .collect();
            let joined = threads.into_iter().map(|thread| thread.join());
            joined
                .flat_map(|files| files.expect("it does not panic"))
                .collect()
        });
        for number in &numbers {
            self.named(*number, &format!("staged-{number}"));
        }
        self.synced();
        self.rows(numbers.into_iter().zip(written));
    }

    fn file(&self, number: i64) -> Vec<u8> {
        let bytes = staged(&self.root, number, "staged");
        self.named(number, "staged");
        self.synced();
        bytes
    }

    fn named(&self, number: i64, staged: &str) {
        let path = self.root.join(format!("note/{number}.json"));
        fs::rename(self.root.join(staged), path).expect("it can be named");
    }

    fn synced(&self) {
        File::open(self.root.join("note"))
            .and_then(|folder| folder.sync_all())
            .expect("it can be synced");
    }

    fn row(&self, number: i64, bytes: &[u8]) {
        let [tract, patch, visit, ccd] = values(number);
        let digest = pantler::core::Digest::of(bytes);
        let mut dataset = self
            .connection
            .prepare_cached(
                "INSERT INTO dataset(uuid, data_id, bytes, digest) VALUES(?1, ?2, ?3, ?4)",
            )
            .expect("the table is there");
        let mut keys = self
            .connection
            .prepare_cached("INSERT INTO keys VALUES(?1, ?2, ?3, ?4, ?5)")
            .expect("the table is there");
        let many = self.connection.is_autocommit();
        if many {
            self.connection
                .execute_batch("BEGIN IMMEDIATE")
                .expect("it can be written");
        }
        let uuid = uuid::Uuid::now_v7();
        let data_id = format!("[{ccd},{patch},{tract},{visit}]");
        dataset
            .execute(params![
                uuid.as_bytes(),
                data_id,
                bytes.len() as i64,
                digest.as_bytes()
            ])
            .expect("it is new");
        let dataset = self.connection.last_insert_rowid();
        keys.execute(params![tract, patch, visit, ccd, dataset])
            .expect("it is new");
        if many {
            self.connection
                .execute_batch("COMMIT")
                .expect("it can be written");
        }
    }
}

/// Writes a file that nobody sees yet, durably.
fn staged(root: &Path, number: i64, name: &str) -> Vec<u8> {
    let bytes = serde_json::to_vec(&serde_json::json!({
        "number": number, "seeing": 0.7, "comment": "clear until midnight", "guides": [1, 2, 3],
    }))
    .expect("it is JSON");
    let mut file = File::create(root.join(name)).expect("a file can be made");
    file.write_all(&bytes).expect("it can be written");
    file.sync_all().expect("it can be synced");
    bytes
}
