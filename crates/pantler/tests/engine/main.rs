//! The engine through its facade: every settled rule that it keeps, its costs, and what survives faults.
//!
//! One program, so that it links once; a file per subject.

#![allow(
    clippy::unwrap_used,
    reason = "what the helpers of tests unwrap fails the test"
)]

mod batches;
mod chains;
mod collecting;
mod composites;
mod costs;
mod deltas;
mod every_file;
mod faults;
mod finding;
mod ingesting;
mod looking;
mod looking_after;
mod names;
mod oracle;
mod policies;
mod precursors;
mod putting;
mod querying;
mod replaced_planes;
mod reviewed;
mod scanning;
mod several_outputs;
mod support;
mod tables;
mod together;
mod use_cases;
