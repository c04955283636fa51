//! The open connections of one process to one registry: one for writing, a few for reading.
//!
//! It hands them out and takes them back. It does not open them; who asks says how.

use std::ops::Deref;
use std::sync::{Arc, Mutex};

use pantler_core::RegistryError;

use super::open;
use super::session::Session;
use crate::gate::{Gate, lock};

/// How many connections for reading are kept open when nobody uses them.
const KEPT_READERS: usize = 8;

/// Connections that nobody uses just now.
#[derive(Debug)]
pub(super) struct Pool {
    /// SQLite's connections must not be used, nor closed, in another process than the one that opened them.
    process: u32,
    readers: Mutex<Vec<Session>>,
    pub(super) writer: Mutex<Option<Session>>,
    pub(super) gate: Gate,
}

impl Pool {
    pub(super) fn new() -> Arc<Pool> {
        Pool::of_process(std::process::id())
    }

    /// Makes a pool as the process of this number would; only tests make it for another than this.
    pub(super) fn of_process(process: u32) -> Arc<Pool> {
        Arc::new(Pool {
            process,
            readers: Mutex::default(),
            writer: Mutex::default(),
            gate: Gate::default(),
        })
    }

    /// Says whether the pool was made here, not inherited through a fork.
    pub(super) fn is_of_this_process(&self) -> bool {
        self.process == std::process::id()
    }

    /// Lends a connection for reading.
    pub(super) fn reader(
        pool: Arc<Pool>,
        open: impl FnOnce() -> Result<Session, RegistryError>,
    ) -> Result<Reader, RegistryError> {
        let idle = {
            let mut readers = lock(&pool.readers);
            if readers.last().is_some_and(open::is_outdated) {
                readers.clear();
            }
            readers.pop()
        };
        let session = match idle {
            Some(session) => session,
            None => open()?,
        };
        Ok(Reader {
            pool,
            session: Some(session),
        })
    }
}

/// A connection on loan, which goes back when it is dropped.
#[derive(Debug)]
pub(super) struct Reader {
    pool: Arc<Pool>,
    /// Always there until the drop.
    session: Option<Session>,
}

impl Deref for Reader {
    type Target = Session;

    fn deref(&self) -> &Session {
        // It cannot fail: only `drop` takes the session out.
        self.session
            .as_ref()
            .expect("a reader has a session until it is dropped")
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let Some(session) = self.session.take() else {
            return;
        };
        if !self.pool.is_of_this_process() {
            std::mem::forget(session);
            return;
        }
        let mut readers = lock(&self.pool.readers);
        if readers.len() < KEPT_READERS {
            readers.push(session);
        }
    }
}
