//! The `pantler` program: arguments in, text and documents out. What is done and decided, the library `pantler` does.
//!
//! ```text
//! arguments ─► session (opens a butler, counts) ─► commands/NAME ─► screen (text, or one JSON document)
//!                                                        └────────► failure (one report, one exit status)
//! ```
//!
//! It is a library so that the Python package can be the same program: [`run`] is that; [`documents`] and [`plain_tree`] are how some
//! results are told, so that Python tells them in the same words.

mod arguments;
mod commands;
mod demo;
mod description;
mod failure;
mod out_file;
mod picture;
mod program;
mod screen;
mod session;
mod stats;
mod table;
mod tree;
mod values;
mod words;

pub use program::run;
pub use session::Opening;
pub use tree::plain_tree;

/// Results as the documents that `--json` prints.
pub mod documents {
    pub use crate::commands::explain::put_plan_json;
    pub use crate::commands::policy::problem_json;
    pub use crate::commands::show::info_json;
}
