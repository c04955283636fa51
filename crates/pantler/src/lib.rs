//! Data access for science pipelines: ask for *what*, not for where it lies, in which format, in how many files.
//!
//! pantler's heart is **composite datasets**: named objects assembled from parts that live in other files, other
//! repositories, other processing stages; taken apart again when they are put; parts loadable alone, shared in memory,
//! recorded with their origin, never mixed up silently.
//!
//! ```text
//! Butler::get ─► resolve ─► plan (one pass over the chain) ─► execute ─► Store ─► Formatter ─► Assembler
//! Butler::put ─► resolve ─► decide ─► commit (stage, sync, link, sync, record)
//! Butler::batch ─► many puts decided and staged ─► one commit
//! ```
//!
//! The four types to know are [`Butler`], which is opened on repositories; [`DataId`], which picks a dataset;
//! [`Plan`], which says what a get will do; and [`Error`], whose [`Error::report`] says what was wanted, where it was
//! looked for, and what to do next.

mod alias;
mod artifact_source;
pub mod assemble;
mod butler;
mod by_value;
mod cache;
mod candidates;
mod chain;
mod complete;
mod derived_part;
mod diff;
mod error;
mod execute;
mod explain;
pub mod export;
mod fail_point;
pub mod fsck;
pub mod gc;
mod header_agreement;
mod identity;
mod imported;
mod ingest;
mod interrupt;
mod leftovers;
mod named_inputs;
mod own_names;
mod parameters;
mod parsed_template;
mod planner;
mod policy_check;
mod put;
mod query;
mod read_file;
mod recorded_definition;
mod remove;
mod render;
mod repository;
mod resolve;
mod scanned;
pub mod show;
mod siblings;
pub mod simulate;
mod sky_facts;
mod suitable_file;
mod taken_part;
mod transfer;
pub mod trust;
mod unused_keys;
mod who;

pub use alias::AliasInfo;
pub use butler::{Butler, ButlerOptions};
pub use by_value::ByValue;
pub use cache::DEFAULT_CACHE_BYTES;
pub use chain::Chain;
pub use diff::{Comparison, DiffEntry};
pub use error::{Asked, Candidate, Error, Result};

pub use explain::{TreeLine, data_id_json, explain_json, explain_tree, human_bytes};
pub use imported::LOCAL_POLICY;
pub use ingest::{IngestMode, IngestOptions, IngestReport, ValueTable};
pub use interrupt::Interrupt;
pub use parameters::Parameters;
pub use planner::Composition;
pub use policy_check::check_policies;
pub use put::{Batch, InputOnly, OnConflict, PutNode, PutOptions, PutOutput, PutPlan, PutResult};
pub use query::{DatasetRef, Listing, Query};
pub use read_file::OutsideFile;
pub use remove::{RemoveOptions, RemoveResult};
pub use repository::{Opener, Repository, open_local};
pub use resolve::parse_words;
pub use show::{RepositoryInfo, TypeInfo, repository_info};
pub use transfer::{
    TransferBy, TransferOptions, TransferProgress, TransferReport, TransferredKind, TransferredType,
};
pub use trust::Trust;
pub use unused_keys::Known;
pub use who::Who;

pub use pantler_core as core;
pub use pantler_core::plan::Plan;
pub use pantler_core::{DataId, KeyValue, Object, ObjectRef, Report};
pub use pantler_formats as formats;
pub use pantler_objects as objects;
pub use pantler_registry as registry;
pub use pantler_store as store;
