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
mod input_only;
mod interrupting;
mod looking;
mod looking_after;
mod names;
mod oracle;
mod parts;
mod policies;
mod precursors;
mod putting;
mod querying;
mod recorded;
mod replaced_planes;
mod scanning;
mod several_outputs;
mod subsets;
mod support;
mod tables;
mod together;
mod transferring;
mod use_cases;
