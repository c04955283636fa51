//! `pantler get`: writes a dataset, or a part of one, to a file of the user's; or one file for each dataset that fits.

use std::path::{Path, PathBuf};

use clap::Args;
use pantler::core::RowRanges;
use pantler::core::formatter::PixelBox;
use pantler::core::report::Kind;
use pantler::{Butler, DataId, Parameters, Plan, Query, Report};
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
/// With --where, several --bbox, or --components, --out is a folder: one file is written into it for each dataset that
/// fits, each box and each component, named from them, and the JSON document is a list. What several boxes or components
/// need of one file is read together.
#[derive(Debug, Args)]
pub struct Get {
    #[command(flatten)]
    repositories: Repositories,
    #[command(flatten)]
    dataset: Dataset,
    /// The file to write, its extension decides the format; with --where, several --bbox or --components, the folder
    #[arg(long, value_name = "FILE|DIR")]
    out: PathBuf,
    #[command(flatten)]
    condition: Condition,
    /// Only these pixels, in the parent's coordinates; repeat it for several cutouts
    #[arg(long, value_name = "X0,Y0,W,H", value_parser = words::pixel_box, allow_hyphen_values = true)]
    bbox: Vec<PixelBox>,
    /// These components, each in a file of its own
    #[arg(long, value_name = "A,B", value_delimiter = ',', conflicts_with_all = ["bbox", "columns", "rows"])]
    components: Vec<String>,
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
        if condition.is_none() && !self.is_several() {
            check_extension(butler.formatters(), &self.out)?;
            let written = self.one(&butler, &data_id, Target::File(&self.out))?;
            session.screen.report(
                || written.first().map_or(Value::Null, Written::document),
                |_| written.iter().map(Written::text).collect(),
            )?;
            return Ok(Outcome::Done);
        }
        self.make_folder()?;
        let written = match condition {
            None => self.one(&butler, &data_id, Target::Folder(&self.out))?,
            Some(condition) => {
                let query = Query {
                    name: Some(self.dataset.name.clone()),
                    data_id,
                    condition: Some(condition),
                    ..Query::default()
                };
                self.many(&butler, &query)?
            }
        };
        session.screen.report(
            || Value::Array(written.iter().map(Written::document).collect()),
            |_| written.iter().map(Written::text).collect(),
        )?;
        Ok(Outcome::Done)
    }

    /// Whether one dataset gives several files.
    fn is_several(&self) -> bool {
        self.bbox.len() > 1 || !self.components.is_empty()
    }

    fn one(
        &self,
        butler: &Butler,
        data_id: &DataId,
        target: Target<'_>,
    ) -> Result<Vec<Written>, Failure> {
        let plans = self.plans(butler, data_id)?;
        let parameters = self.parameters();
        let wanted: Vec<(&Plan, &Parameters)> = plans
            .iter()
            .flat_map(|plan| parameters.iter().map(move |each| (plan, each)))
            .collect();
        let objects = butler.execute_together(&wanted)?;
        let mut written = Vec::new();
        for ((plan, parameters), object) in wanted.into_iter().zip(&objects) {
            let data_id = &plan.root.data_id;
            let file = match target {
                Target::File(file) => file.to_path_buf(),
                Target::Folder(folder) => {
                    let name = match parameters.bbox {
                        Some(bbox) if self.is_several() => in_box(&plan.name, bbox),
                        _ => plan.name.clone(),
                    };
                    folder.join(file_name(&name, data_id, object.as_ref()))
                }
            };
            let file = OutFile {
                name: &plan.name,
                data_id,
                file: &file,
                command: &format!(
                    "pantler get {} {} {data_id}",
                    self.repositories.typed(),
                    plan.name
                ),
            };
            written.push(write(butler.formatters(), &file, object, &[])?);
        }
        Ok(written)
    }

    fn plans(&self, butler: &Butler, data_id: &DataId) -> Result<Vec<Plan>, Failure> {
        let (name, composition) = (&self.dataset.name, self.composition.get());
        if self.components.is_empty() {
            return Ok(vec![butler.explain(name, data_id, composition)?]);
        }
        let components: Vec<&str> = self.components.iter().map(|name| name.trim()).collect();
        Ok(butler.explain_components(name, data_id, &components, composition)?)
    }

    fn parameters(&self) -> Vec<Parameters> {
        let with = |bbox: Option<PixelBox>| Parameters {
            bbox,
            columns: self.columns.clone(),
            rows: self.rows.clone(),
        };
        match self.bbox.as_slice() {
            [] => vec![with(None)],
            boxes => boxes.iter().map(|bbox| with(Some(*bbox))).collect(),
        }
    }

    fn make_folder(&self) -> Result<(), Failure> {
        if self.out.exists() && !self.out.is_dir() {
            return Err(Report::new(
                Kind::Request,
                format!("{} is no folder", self.out.display()),
            )
            .hint("with --where, several --bbox or --components, --out names a folder; each result becomes a file in it")
            .into());
        }
        std::fs::create_dir_all(&self.out).map_err(|source| {
            Failure::from(pantler::Error::Io {
                operation: "make",
                path: self.out.display().to_string(),
                source,
            })
        })
    }

    fn many(&self, butler: &Butler, query: &Query) -> Result<Vec<Written>, Failure> {
        let found = butler.query(query)?;
        let mut written = Vec::new();
        for each in &found {
            written.extend(self.one(butler, &each.data_id, Target::Folder(&self.out))?);
        }
        Ok(written)
    }
}

/// Returns the name of a cutout among several.
fn in_box(name: &str, bbox: PixelBox) -> String {
    let PixelBox {
        x0,
        y0,
        width,
        height,
    } = bbox;
    format!("{name}_x{x0}_y{y0}_{width}x{height}")
}

#[derive(Clone, Copy)]
enum Target<'a> {
    File(&'a Path),
    Folder(&'a Path),
}
