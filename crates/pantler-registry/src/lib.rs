//! What exists in a repository: the registries, each behind [`pantler_core::Registry`].
//!
//! ```text
//! SqliteRegistry   one file in the repository; many processes may use it at once
//! MemoryRegistry   the same behaviour without a file, for tests and for what need not be kept
//! ScannedRegistry  a folder whose files are found by their names; it can only be read
//! CountingRegistry counts the round trips to the registry that it wraps
//! FaultyRegistry   fails where a test wants it to
//! ```
//!
//! The engine opens them; nobody else calls them. They know types, data IDs and identities. They know no formats, no
//! policies, and no places beyond the texts that the engine gave them.

mod counting;
mod data_id_json;
mod faulty;
mod gate;
mod key_set;
mod memory;
mod scanned;
mod sky_cells;
mod sqlite;

pub use counting::{CountingRegistry, Counts};
pub use faulty::{Fault, FaultyRegistry};
pub use memory::MemoryRegistry;
pub use scanned::{ScannedRegistry, ScannedType};
pub use sqlite::{Access, Journal, Migration, Options, SqliteRegistry};
