//! `pantler demo`: what composites are for, shown on a simulated survey.

use std::path::PathBuf;

use clap::Args;

use crate::demo;
use crate::program::{CommandResult, Outcome};
use crate::session::Session;

/// Show what composites are for, on a simulated survey in a folder of its own
#[derive(Debug, Args)]
pub struct Demo {
    /// The folder to make
    #[arg(value_name = "DIR", default_value = "pantler-demo")]
    folder: PathBuf,
}

impl Demo {
    pub fn run(&self, session: &Session) -> CommandResult {
        demo::run(session, &self.folder)?;
        Ok(Outcome::Done)
    }
}
