//! The `pantler` program: arguments in, text and documents out. What is done and decided, the library `pantler` does.
//!
//! ```text
//! arguments ─► session (opens a butler, counts) ─► commands/NAME ─► screen (text, or one JSON document)
//!                                                        └────────► failure (one report, one exit status)
//! ```

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
mod who;
mod words;

use std::process::ExitCode;

fn main() -> ExitCode {
    program::run(std::env::args_os().collect())
}
