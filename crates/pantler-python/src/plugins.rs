//! Code of the user's inside the engine: import paths followed, objects of any class, storages in Python.
//!
//! What is decided by looking at signatures is in `python/pantler/plugins.py`; this half turns objects and exceptions over. Every
//! call takes the interpreter for itself, and no lock of the engine is held meanwhile.

pub mod foreign;
pub mod imports;
pub mod storage;
