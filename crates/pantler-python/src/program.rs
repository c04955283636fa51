//! The program `pantler` as a function of Python, so that the package brings the command with it.

use std::ffi::OsString;
use std::io::Write;
use std::sync::Arc;

use pantler::{ButlerOptions, Trust};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::plugins::imports::PythonImports;
use crate::process;

/// What every command opens its repositories with: inside the package, import paths of policies are followed.
fn opening(trust: Trust, allow_pickle: bool) -> ButlerOptions {
    let plugins = Python::attach(|py| {
        let class = py.import("pantler.plugins")?.getattr("Plugins")?;
        let options = PyDict::new(py);
        options.set_item("allow_pickle", allow_pickle)?;
        PyResult::Ok(class.call((), Some(&options))?.unbind())
    });
    let standard = ButlerOptions::default();
    match plugins {
        Ok(plugins) => {
            let imports = PythonImports(Arc::new(plugins));
            let plugins = standard.plugins.with_imports(Arc::new(imports), trust);
            ButlerOptions {
                plugins,
                ..standard
            }
        }
        Err(_) => standard,
    }
}

/// Runs the program with the words of a command line, its own name first, and returns its exit status.
#[pyfunction]
pub fn run_program(py: Python<'_>, words: Vec<OsString>) -> u8 {
    py.detach(|| {
        process::prepare();
        let status = pantler_cli::run(words, opening);
        // Python ends the process without the last words of Rust's own standard output.
        match std::io::stdout().flush() {
            Err(_) if status == 0 => 3,
            _ => status,
        }
    })
}
