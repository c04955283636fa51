//! The `pantler` program, for those who need no Python.

use std::process::ExitCode;

use pantler::ButlerOptions;

fn main() -> ExitCode {
    pantler_cli::run(std::env::args_os().collect(), ButlerOptions::default).into()
}
