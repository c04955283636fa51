//! The program `pantler` as a function of Python, so that the package brings the command with it.

use std::ffi::OsString;
use std::io::Write;

use pantler::ButlerOptions;
use pyo3::prelude::*;

use crate::process;

/// Runs the program with the words of a command line, its own name first, and returns its exit status.
#[pyfunction]
pub fn run_program(py: Python<'_>, words: Vec<OsString>) -> u8 {
    py.detach(|| {
        process::prepare();
        let status = pantler_cli::run(words, ButlerOptions::default);
        // Python ends the process without the last words of Rust's own standard output.
        match std::io::stdout().flush() {
            Err(_) if status == 0 => 3,
            _ => status,
        }
    })
}
