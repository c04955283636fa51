//! Counts what a command costs, for `--stats`: every repository that is opened is opened through here.
//!
//! What it takes to open a repository (its policy, its config) is not counted: it is no artifact, and it is the same for
//! every command.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pantler::Opener;
use pantler::core::{Registry, Store};
use pantler::registry::CountingRegistry;
use pantler::store::{CountingStore, StoreCounts};
use serde_json::{Value, json};

/// One repository, with what it was asked for until the command began.
struct Counted {
    store: Arc<CountingStore<Arc<dyn Store>>>,
    registry: Arc<CountingRegistry<Arc<dyn Registry>>>,
    opening: StoreCounts,
    opening_queries: u64,
}

/// What all repositories together were asked for.
#[derive(Clone, Default)]
pub struct Stats {
    opened: Arc<Mutex<Vec<Counted>>>,
}

impl Stats {
    /// Returns what opens repositories so that they are counted.
    pub fn opener(&self) -> Arc<Opener> {
        let stats = self.clone();
        Arc::new(move |root, access| {
            let (store, registry) = pantler::open_local(root, access)?;
            let store = Arc::new(CountingStore::new(store));
            let registry = Arc::new(CountingRegistry::new(registry));
            stats.opened().push(Counted {
                store: Arc::clone(&store),
                registry: Arc::clone(&registry),
                opening: StoreCounts::default(),
                opening_queries: 0,
            });
            Ok((store as Arc<dyn Store>, registry as Arc<dyn Registry>))
        })
    }

    /// Counts from now on: the repositories are open.
    pub fn begin(&self) {
        for counted in self.opened().iter_mut() {
            counted.opening = counted.store.counts();
            counted.opening_queries = counted.registry.counts().total();
        }
    }

    /// Returns the line that `--stats` prints.
    pub fn document(&self) -> Value {
        let mut bytes_read = 0;
        let mut bytes_written = 0;
        let mut read_requests = 0;
        let mut artifacts_opened = 0;
        let mut registry_queries = 0;
        for counted in self.opened().iter() {
            let counts = counted.store.counts() - counted.opening;
            bytes_read += counts.bytes_read;
            bytes_written += counts.bytes_written;
            read_requests += counts.read_requests;
            artifacts_opened += counts.artifacts_opened;
            registry_queries += counted.registry.counts().total() - counted.opening_queries;
        }
        json!({
            "bytes_read": bytes_read,
            "bytes_written": bytes_written,
            "read_requests": read_requests,
            "artifacts_opened": artifacts_opened,
            "registry_queries": registry_queries,
        })
    }

    fn opened(&self) -> MutexGuard<'_, Vec<Counted>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
