//! Bytes to objects and back: FITS, Parquet, Arrow, arrays of NumPy, JSON, YAML, text.
//!
//! Each format is a [`pantler_core::Formatter`] of its own; [`FormatterSet`] finds them by the storage names that policies
//! use. Where bytes come from and which dataset they are is no matter of this crate.

pub mod arrow;
pub mod bytes_format;
pub mod csv;
pub mod fits;
pub mod formatters;
pub mod json;
pub mod npy;
pub mod parquet;
pub mod text;
pub mod yaml;

mod tree;
mod whole;

pub use formatters::FormatterSet;
