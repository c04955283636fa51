//! Where artifacts live: local folders and memory, and stores that count, fail and forget.
//!
//! Everything here is a [`pantler_core::Store`] and is used through that contract alone: the engine opens a [`LocalStore`]
//! for a repository, and wraps it as it needs.
//!
//! ```text
//! LocalStore      a folder of this machine                     (local.rs; only local/durable.rs writes)
//! MemoryStore     the same promises, nothing on disk           (memory.rs)
//! CountingStore   counts bytes, requests and opens             (wraps any store)
//! RecordingStore  keeps the order of what was done             (wraps any store)
//! FaultyStore     fails at the n-th call, once or for good     (wraps any store)
//! ForgetfulStore  loses at a crash what was not synchronised   (in memory)
//! ```
//!
//! Nothing here knows data IDs, policies or formats, and nothing caches content.

mod counting;
mod faulty;
mod forgetful;
mod local;
mod memory;
mod outside;
mod ranges;
mod recording;
#[cfg(test)]
mod tests;

pub use counting::{CallCounts, CountingStore, StoreCounts};
pub use faulty::{Fault, FaultyStore};
pub use forgetful::{AfterCrash, ForgetfulStore};
pub use local::LocalStore;
pub use memory::MemoryStore;
pub use recording::{Operation, RecordingStore};
