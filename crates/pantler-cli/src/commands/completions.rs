//! `pantler completions SHELL`: what a shell needs to complete commands and options.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::program::{CommandResult, Outcome};
use crate::session::Session;

/// Print what a shell needs to complete commands and options
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

impl Completions {
    pub fn run(&self, session: &Session) -> CommandResult {
        let mut script = Vec::new();
        clap_complete::generate(
            self.shell,
            &mut Arguments::command(),
            "pantler",
            &mut script,
        );
        session.screen.print(&String::from_utf8_lossy(&script))?;
        Ok(Outcome::Done)
    }
}
