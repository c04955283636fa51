//! What pantler's own tests share: conformance suites that every implementation of a contract passes, and real data.

pub mod data;
pub mod registry_conformance;
pub mod store_conformance;

pub use data::test_data;
