//! The `pantler` program, for those who need no Python.

use std::process::ExitCode;

use pantler::ButlerOptions;

fn main() -> ExitCode {
    // Without an interpreter no code of others can run, whatever is allowed.
    let opening = |_, _| ButlerOptions::default();
    pantler_cli::run(std::env::args_os().collect(), opening).into()
}
