//! `pantler get`: writes a dataset, or a part of one, to a file of the user's; or one file for each dataset that fits.

use std::path::{Path, PathBuf};

use clap::Args;
use pantler::core::RowRanges;
use pantler::core::formatter::{PixelBox, WriteOptions};
use pantler::core::report::Kind;
use pantler::{Butler, DataId, Parameters, Query, Report};
use serde_json::Value;

use crate::arguments::{Condition, Dataset, Repositories};
use crate::commands::explain::CompositionChoice;
use crate::failure::Failure;
use crate::out_file::{OutFile, Written, check_extension, file_name, write};
use crate::program::{CommandResult, Outcome};
use crate::session::Session;
use crate::words;

/// Write a dataset, or a part of one, to a file
///
/// With --where, one file for each dataset that fits is written into the folder --out, named from its data ID, and the
/// JSON document is a list.
#[derive(Debug, Args)]
pub struct Get {
    #[command(flatten)]
    repositories: Repositories,
    #[command(flatten)]
    dataset: Dataset,
    /// The file to write, its extension decides the format; with --where, the folder
    #[arg(long, value_name = "FILE|DIR")]
    out: PathBuf,
    #[command(flatten)]
    condition: Condition,
    /// Only these pixels, in the parent's coordinates
    #[arg(long, value_name = "X0,Y0,W,H", value_parser = words::pixel_box, allow_hyphen_values = true)]
    bbox: Option<PixelBox>,
    /// Only these columns
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    columns: Option<Vec<String>>,
    /// Only these rows, counted from 0 and without the END: 0:10 are the first ten
    #[arg(long, value_name = "FIRST:END,...")]
    rows: Option<RowRanges>,
    #[command(flatten)]
    composition: CompositionChoice,
}

impl Get {
    pub fn run(&self, session: &Session) -> CommandResult {
        let data_id = self.dataset.keys.data_id()?;
        let condition = self.condition.parse()?;
        let butler = session.reading(&self.repositories)?;
        let Some(condition) = condition else {
            check_extension(butler.formatters(), &self.out)?;
            let written = self.one(&butler, &data_id, Target::File(&self.out))?;
            session
                .screen
                .report(|| written.document(), |_| written.text())?;
            return Ok(Outcome::Done);
        };
        let query = Query {
            name: Some(self.dataset.name.clone()),
            data_id,
            condition: Some(condition),
            ..Query::default()
        };
        let written = self.many(&butler, &query)?;
        session.screen.report(
            || Value::Array(written.iter().map(Written::document).collect()),
            |_| written.iter().map(Written::text).collect(),
        )?;
        Ok(Outcome::Done)
    }

    fn one(
        &self,
        butler: &Butler,
        data_id: &DataId,
        target: Target<'_>,
    ) -> Result<Written, Failure> {
        let parameters = Parameters {
            bbox: self.bbox,
            columns: self.columns.clone(),
            rows: self.rows.clone(),
        };
        let plan = butler.explain(&self.dataset.name, data_id, self.composition.get())?;
        let object = butler.execute(&plan, &parameters)?;
        let data_id = &plan.root.data_id;
        let file = match target {
            Target::File(file) => file.to_path_buf(),
            Target::Folder(folder) => {
                folder.join(file_name(&self.dataset.name, data_id, object.as_ref()))
            }
        };
        let file = OutFile {
            name: &self.dataset.name,
            data_id,
            file: &file,
            command: &format!(
                "pantler get {} {} {data_id}",
                self.repositories.typed(),
                self.dataset.name
            ),
        };
        write(
            butler.formatters(),
            &file,
            &object,
            &WriteOptions::default(),
        )
    }

    fn many(&self, butler: &Butler, query: &Query) -> Result<Vec<Written>, Failure> {
        let found = butler.query(query)?;
        if self.out.exists() && !self.out.is_dir() {
            return Err(Report::new(
                Kind::Request,
                format!("{} is no folder", self.out.display()),
            )
            .hint("with --where, --out names a folder; each dataset becomes a file in it")
            .into());
        }
        std::fs::create_dir_all(&self.out).map_err(|source| {
            Failure::from(pantler::Error::Io {
                operation: "make",
                path: self.out.display().to_string(),
                source,
            })
        })?;
        found
            .iter()
            .map(|each| self.one(butler, &each.data_id, Target::Folder(&self.out)))
            .collect()
    }
}

enum Target<'a> {
    File(&'a Path),
    Folder(&'a Path),
}
