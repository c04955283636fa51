//! What exists in a repository: the SQLite and in-memory registries.
