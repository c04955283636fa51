//! Objects in memory, shared by everything that one butler reads: bounded in bytes, safe from many threads.
//!
//! It holds values as they were read; drafts and assembled composites are never in it.

use std::sync::Arc;

use moka::sync::Cache;
use pantler_core::formatter::ReadRequest;
use pantler_core::{DatasetId, ObjectRef};

use crate::error::{Error, Result};

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
        }
    }

    /// Returns the object, reading it if nobody has; of several threads that want it, one reads.
    pub fn get_or_read(
        &self,
        key: &ObjectKey,
        read: impl FnOnce() -> Result<ObjectRef>,
    ) -> Result<ObjectRef> {
        self.objects
            .try_get_with_by_ref(key, read)
            .map_err(|error| Arc::try_unwrap(error).unwrap_or_else(Error::Shared))
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
