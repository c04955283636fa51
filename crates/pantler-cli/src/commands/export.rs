//! `pantler export`: one self-contained file.

use std::path::PathBuf;

use clap::Args;

use crate::arguments::{Dataset, Repositories};
use crate::out_file::{OutFile, check_extension, write};
use crate::program::{CommandResult, Outcome};
use crate::session::Session;
use pantler::Composition;

/// Write a dataset as one self-contained file that says what each of its components was
#[derive(Debug, Args)]
pub struct Export {
    #[command(flatten)]
    repositories: Repositories,
    #[command(flatten)]
    dataset: Dataset,
    /// The file to write; its extension decides the format
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Export {
    pub fn run(&self, session: &Session) -> CommandResult {
        let data_id = self.dataset.keys.data_id()?;
        let butler = session.reading(&self.repositories)?;
        check_extension(butler.formatters(), &self.out)?;
        let plan = butler.explain(&self.dataset.name, &data_id, Composition::Recorded)?;
        let export = butler.export(&self.dataset.name, &data_id)?;
        let file = OutFile {
            name: &self.dataset.name,
            data_id: &plan.root.data_id,
            file: &self.out,
            command: &format!(
                "pantler export {} {} {}",
                self.repositories.typed(),
                self.dataset.name,
                plan.root.data_id
            ),
        };
        let written = write(butler.formatters(), &file, &export.object, &export.options)?;
        session
            .screen
            .report(|| written.document(), |_| written.text())?;
        Ok(Outcome::Done)
    }
}
