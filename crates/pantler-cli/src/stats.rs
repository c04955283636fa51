//! Counts what a command costs, for `--stats`: every repository that is opened is opened through here.

use std::sync::{Arc, Mutex, PoisonError};

use pantler::Opener;
use pantler::core::{Registry, Store};
use pantler::registry::CountingRegistry;
use pantler::store::CountingStore;
use serde_json::{Value, json};

type Counted = (Arc<CountingStore<Arc<dyn Store>>>, Arc<CountingRegistry<Arc<dyn Registry>>>);

/// What all repositories together were asked for.
#[derive(Clone, Default)]
pub struct Stats {
    opened: Arc<Mutex<Vec<Counted>>>,
}

impl Stats {
    /// Returns what opens repositories so that they are counted.
    pub fn opener(&self) -> Arc<Opener> {
        let opened = Arc::clone(&self.opened);
        Arc::new(move |root, access| {
            let (store, registry) = pantler::open_local(root, access)?;
            let store = Arc::new(CountingStore::new(store));
            let registry = Arc::new(CountingRegistry::new(registry));
            opened
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((Arc::clone(&store), Arc::clone(&registry)));
            Ok((store as Arc<dyn Store>, registry as Arc<dyn Registry>))
        })
    }

    /// Returns the line that `--stats` prints.
    pub fn document(&self) -> Value {
        let mut bytes_read = 0;
        let mut bytes_written = 0;
        let mut read_requests = 0;
        let mut artifacts_opened = 0;
        let mut registry_queries = 0;
        for (store, registry) in self.opened.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let counts = store.counts();
            bytes_read += counts.bytes_read;
            bytes_written += counts.bytes_written;
            read_requests += counts.read_requests;
            artifacts_opened += counts.artifacts_opened;
            registry_queries += registry.counts().total();
        }
        json!({
            "bytes_read": bytes_read,
            "bytes_written": bytes_written,
            "read_requests": read_requests,
            "artifacts_opened": artifacts_opened,
            "registry_queries": registry_queries,
        })
    }
}
