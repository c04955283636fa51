//! Makes registry files and opens connections to them, with what each file system and each permission needs.
//!
//! See [`SqliteRegistry`](super::SqliteRegistry) for what is promised to readers without permission to write.

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, SystemTime};

use pantler_core::RegistryError;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::session::{Session, name_error};
use super::{Access, Journal, Options, file_system, schema};

/// What an unchanged file looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileStamp {
    bytes: u64,
    modified: Option<SystemTime>,
}

/// Makes an empty registry in a new file, all or nothing.
pub(super) fn create(path: &Path, options: Options) -> Result<(), RegistryError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let journal = options.journal;
    let journal = journal.unwrap_or_else(|| fitting_journal(folder, options));
    let staged = beside(path, &format!("-new-{}", std::process::id()));
    // Left by a killed process of the same number, which containers give again and again.
    for suffix in ["", "-journal", "-wal", "-shm"] {
        let _ = fs::remove_file(beside(&staged, suffix));
    }
    let made = fill(&staged, journal).and_then(|()| publish(&staged, path, folder));
    // After a success this is only the second name of the registry.
    let _ = fs::remove_file(&staged);
    made
}

/// Returns the journal that fits the file system of a folder.
pub(super) fn fitting_journal(folder: &Path, options: Options) -> Journal {
    if is_shared(folder, options) {
        Journal::Rollback
    } else {
        Journal::WriteAhead
    }
}

fn is_shared(folder: &Path, options: Options) -> bool {
    let known = options.shared;
    known.unwrap_or_else(|| file_system::is_shared_between_machines(folder))
}

fn fill(staged: &Path, journal: Journal) -> Result<(), RegistryError> {
    let fill = || {
        let connection = Connection::open_with_flags(
            staged,
            OpenFlags::SQLITE_OPEN_READ_WRITE
                | OpenFlags::SQLITE_OPEN_CREATE
                | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        connection.execute_batch(&format!(
            "BEGIN; PRAGMA application_id = {}; PRAGMA user_version = {}; {} COMMIT;",
            schema::APPLICATION_ID,
            schema::VERSION,
            schema::TABLES,
        ))?;
        set_journal(&connection, journal)?;
        connection.close().map_err(|(_, error)| error)
    };
    fill().map_err(|error| name_error(staged, "create", Duration::ZERO, &error))
}

fn publish(staged: &Path, path: &Path, folder: &Path) -> Result<(), RegistryError> {
    let publish = || {
        fs::File::open(staged)?.sync_all()?;
        match fs::hard_link(staged, path) {
            // Some network file systems have no hard links; there, two that create at one moment are told apart less well.
            Err(error) if error.kind() != ErrorKind::AlreadyExists && !path.exists() => {
                fs::rename(staged, path)?;
            }
            linked => linked?,
        }
        fs::File::open(folder)?.sync_all()
    };
    publish().map_err(|error: std::io::Error| io_error("create", path, error.to_string()))
}

/// Opens a connection for this access and checks that the file is a registry.
pub(super) fn session(
    path: &Path,
    access: Access,
    options: Options,
    statements: &Arc<AtomicU64>,
) -> Result<Session, RegistryError> {
    if let Err(error) = fs::metadata(path) {
        return Err(io_error("open", path, error.to_string()));
    }
    let connect = |uri: &str, flags: OpenFlags| {
        let flags = flags | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags(uri, flags);
        let connection =
            opened.map_err(|error| name_error(path, "open", options.busy_timeout, &error))?;
        let session = Session::new(connection, path, options.busy_timeout, statements);
        session.wait_for_locks(options.busy_timeout)?;
        Ok(session)
    };
    match access {
        Access::ReadWrite => {
            let session = connect(&uri(path, "rw")?, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            prepare_writing(&session, options)?;
            Ok(session)
        }
        Access::ReadOnly => {
            if !would_make_a_log(path)? && !would_share_a_log(path, options)? {
                let session = connect(&uri(path, "ro")?, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
                if !needs_shared_memory_that_cannot_be_made(&session) {
                    prepare_reading(&session)?;
                    return Ok(session);
                }
            }
            // Taken before the file is opened, so that a change in between is noticed.
            let stamp = freeze(path)?;
            let uri = uri(path, "ro")? + "&immutable=1";
            let mut session = connect(&uri, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            session.frozen_at = Some(stamp);
            prepare_reading(&session)?;
            Ok(session)
        }
    }
}

/// Says whether SQLite would make a log beside the file to read it: a write-ahead log is wanted, and nobody has one open.
///
/// A log made by a reader belongs to that reader, and then the owner of the registry may be the one who cannot write.
fn would_make_a_log(path: &Path) -> Result<bool, RegistryError> {
    Ok(has_log(path)? && !beside(path, "-wal").exists())
}

/// Says whether SQLite would read a write-ahead log that another machine may be writing, of which it would see nothing true.
fn would_share_a_log(path: &Path, options: Options) -> Result<bool, RegistryError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    Ok(options.journal.is_none() && has_log(path)? && is_shared(folder, options))
}

/// Says whether a registry keeps a write-ahead log.
pub(super) fn has_log(path: &Path) -> Result<bool, RegistryError> {
    let mut header = [0; 19];
    let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut header));
    match read {
        // Of the file format: the byte 18 is 2 if the file was written with a write-ahead log.
        Ok(()) => Ok(header[18] == 2),
        // What is wrong with so short a file, the check of the schema says.
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(io_error("open", path, error.to_string())),
    }
}

/// Says whether a connection that reads the file as if it could not change would read something old.
pub(super) fn is_outdated(session: &Session) -> bool {
    let Some(stamp) = &session.frozen_at else {
        return false;
    };
    freeze(session.path()).map_or(true, |now| now != *stamp)
}

fn prepare_writing(session: &Session, options: Options) -> Result<(), RegistryError> {
    let failed = |error: rusqlite::Error| session.failed("open", &error);
    let refused = |what: &str| RegistryError::ReadOnly {
        path: session.path().display().to_string(),
        why: format!("there is no permission to write {what}"),
    };
    // SQLite opens a file that may not be written for reading, and says nothing.
    if session.connection().is_readonly("main").map_err(failed)? {
        return Err(refused("the file"));
    }
    if needs_shared_memory_that_cannot_be_made(session) {
        return Err(refused("its folder"));
    }
    prepare_reading(session)?;
    if options.journal.is_none() && is_moved_to_network(session, options).map_err(failed)? {
        set_journal(session.connection(), Journal::Rollback).map_err(failed)?;
    }
    session
        .connection()
        .execute_batch("PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864;")
        .map_err(failed)
}

fn prepare_reading(session: &Session) -> Result<(), RegistryError> {
    schema::check(session)?;
    // A file made by somebody hostile may hold views and triggers; what they may call is next to nothing.
    let safe = "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;";
    let set = session.connection().execute_batch(safe);
    set.map_err(|error| session.failed("open", &error))
}

/// Says whether a file with a write-ahead log lies where other machines may be using it.
fn is_moved_to_network(session: &Session, options: Options) -> rusqlite::Result<bool> {
    let journal: String = session
        .connection()
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
    let folder = session.path().parent();
    Ok(journal == "wal" && folder.is_some_and(|folder| is_shared(folder, options)))
}

fn set_journal(connection: &Connection, journal: Journal) -> rusqlite::Result<()> {
    let mode = match journal {
        Journal::WriteAhead => "WAL",
        Journal::Rollback => "DELETE",
    };
    connection.pragma_update_and_check(None, "journal_mode", mode, |_| Ok(()))
}

fn needs_shared_memory_that_cannot_be_made(session: &Session) -> bool {
    let probe =
        session
            .connection()
            .query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()));
    match probe.map_err(|error| error.sqlite_error_code()) {
        Ok(()) => false,
        Err(code) => matches!(
            code,
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied)
        ),
    }
}

/// Returns what the file looks like, if nothing waits in a log beside it.
fn freeze(path: &Path) -> Result<FileStamp, RegistryError> {
    let log = beside(path, "-wal");
    if fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        let why = format!(
            "its last commits are in {}, which can be read only with permission to write the folder",
            log.display()
        );
        return Err(io_error("read", path, why));
    }
    let metadata = fs::metadata(path).map_err(|error| io_error("open", path, error.to_string()))?;
    Ok(FileStamp {
        bytes: metadata.len(),
        modified: metadata.modified().ok(),
    })
}

/// Returns the path as SQLite's URI, in which some signs have a meaning of their own.
fn uri(path: &Path, mode: &str) -> Result<String, RegistryError> {
    let absolute =
        std::path::absolute(path).map_err(|error| io_error("open", path, error.to_string()))?;
    let Some(text) = absolute.to_str() else {
        return Err(io_error("open", path, "the path is not UTF-8".to_owned()));
    };
    let escaped = text
        .replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23");
    Ok(format!("file:{escaped}?mode={mode}"))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

pub(super) fn io_error(operation: &'static str, path: &Path, why: String) -> RegistryError {
    RegistryError::Io {
        operation,
        path: path.display().to_string(),
        why,
    }
}
