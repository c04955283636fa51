//! Objects in memory, shared by everything that one butler reads: bounded in bytes, safe from many threads.
//!
//! It holds values as they were read; drafts and assembled composites are never in it.

use std::collections::HashSet;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use moka::sync::Cache;
use pantler_core::formatter::ReadRequest;
use pantler_core::{DatasetId, ObjectRef};

use crate::error::Result;

/// Which object: a dataset, and what was read of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ObjectKey {
    /// The dataset.
    pub dataset: DatasetId,
    /// What was read of it.
    pub request: ReadRequest,
}

impl ObjectKey {
    /// Returns the key of a part of this object.
    pub fn part(&self, name: &str) -> ObjectKey {
        let mut key = self.clone();
        key.request
            .part
            .push(pantler_core::synonyms::canonical(name).to_owned());
        key
    }
}

/// A bounded cache of objects.
#[derive(Debug, Clone)]
pub struct ObjectCache {
    objects: Cache<ObjectKey, ObjectRef>,
    readers: Arc<Readers>,
}

/// What threads outside rayon's pool are reading now.
#[derive(Debug, Default)]
struct Readers {
    keys: Mutex<HashSet<ObjectKey>>,
    one_is_done: Condvar,
}

/// The right to read one object, given back when it is dropped.
struct Turn<'a> {
    readers: &'a Readers,
    key: &'a ObjectKey,
}

impl<'a> Turn<'a> {
    /// Waits until no other thread is reading the object.
    fn of(readers: &'a Readers, key: &'a ObjectKey) -> Turn<'a> {
        let keys = readers.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let mut keys = readers
            .one_is_done
            .wait_while(keys, |keys| keys.contains(key))
            .unwrap_or_else(PoisonError::into_inner);
        keys.insert(key.clone());
        Turn { readers, key }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let keys = self.readers.keys.lock();
        keys.unwrap_or_else(PoisonError::into_inner)
            .remove(self.key);
        self.readers.one_is_done.notify_all();
    }
}

/// How much memory a butler's cache may take unless its caller says otherwise: 256 MiB.
pub const DEFAULT_CACHE_BYTES: u64 = 256 << 20;

impl ObjectCache {
    /// Makes a cache that holds at most `bytes` bytes of objects; 0 holds none.
    pub fn new(bytes: u64) -> ObjectCache {
        ObjectCache {
            objects: Cache::builder()
                .max_capacity(bytes)
                .weigher(|_, object: &ObjectRef| {
                    u32::try_from(object.memory()).unwrap_or(u32::MAX).max(1)
                })
                .build(),
            readers: Arc::default(),
        }
    }

    /// Returns the object, reading it if nobody has; of several threads that want it, one reads.
    ///
    /// A thread of rayon's pool never waits for another reader, who may need that very thread for a piece of the work: it reads
    /// by itself, and what was known first is shared.
    pub fn get_or_read(
        &self,
        key: &ObjectKey,
        read: impl FnOnce() -> Result<ObjectRef>,
    ) -> Result<ObjectRef> {
        let _turn = match rayon::current_thread_index() {
            Some(_) => None,
            None => Some(Turn::of(&self.readers, key)),
        };
        match self.known(key) {
            Some(object) => Ok(object),
            None => Ok(self.share(key.clone(), read()?)),
        }
    }

    /// Returns the object that is known under this key, if there is one.
    pub fn known(&self, key: &ObjectKey) -> Option<ObjectRef> {
        self.objects.get(key)
    }

    /// Returns the object that is known under this key, else makes `object` known.
    pub fn share(&self, key: ObjectKey, object: ObjectRef) -> ObjectRef {
        self.objects.get_with(key, || object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pantler_core::DatasetId;
    use pantler_objects::Text;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    /// A reader that needs the pool must get it, though what runs there wants what is being read.
    #[test]
    fn a_reader_that_needs_the_pool_is_not_waited_for_in_the_pool() {
        let (done, is_done) = channel();
        std::thread::spawn(move || {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(1)
                .build()
                .unwrap();
            let cache = ObjectCache::new(1 << 20);
            let key = ObjectKey {
                dataset: DatasetId::from_bytes([1; 16]),
                request: ReadRequest::default(),
            };
            let text = || Ok(Arc::new(Text::new("text")) as ObjectRef);
            let (in_pool, of_pool) = channel();
            let first = cache
                .get_or_read(&key, || {
                    let (cache, key) = (cache.clone(), key.clone());
                    pool.spawn(move || {
                        let object = cache.get_or_read(&key, text).unwrap();
                        in_pool.send(object).unwrap();
                    });
                    pool.install(text)
                })
                .unwrap();
            let second = of_pool.recv().unwrap();
            // Whoever was first, both have the same object.
            done.send(Arc::ptr_eq(&first, &second)).unwrap();
        });
        let outcome = is_done.recv_timeout(Duration::from_secs(60));
        assert_eq!(outcome, Ok(true));
    }
}
