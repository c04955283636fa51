//! `pantler show`: what is in a repository, what a dataset is, what a file is; and pictures of images.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::Args;
use pantler::core::report::{Kind, Label};
use pantler::formats::FormatterSet;
use pantler::registry::Journal;
use pantler::{
    Butler, Composition, ObjectRef, OutsideFile, Parameters, Report, RepositoryInfo, export,
    human_bytes,
};
use serde_json::{Map, Value, json};

use crate::arguments::More;
use crate::description::{ComponentLine, Description};
use crate::failure::Failure;
use crate::picture::drawing;
use crate::program::{CommandResult, Outcome};
use crate::screen::{Screen, Style};
use crate::session::Session;
use crate::table::{Align, table};
use crate::words;

/// Show what is in a repository, what a dataset is, or what a file is
///
/// With --png a picture is written. Of an image: asinh stretch between the 2nd and the 99.7th percentile, mask planes as
/// translucent colours, y upwards, at most 1024 pixels wide and high, with a compass and a bar for the scale where there is
/// a WCS. Of a point spread function: the image of a star at the mean position of those that it was made of. Of a
/// background: the image that was subtracted. Of a table: its positions on the sky, or a histogram of one column.
#[derive(Debug, Args)]
#[command(override_usage = "pantler show [OPTIONS] <REPO>
       pantler show [OPTIONS] <REPO> <NAME> <key=value>... [--png <FILE>]
       pantler show [OPTIONS] --file <FILE> [--component <NAME>] [--png <FILE>]")]
pub struct Show {
    /// The repository: a folder made by `pantler init`
    #[arg(value_name = "REPO", required_unless_present = "file")]
    repository: Option<PathBuf>,
    /// The dataset: type[:stage][.component]
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// The data ID
    #[arg(value_name = "key=value")]
    words: Vec<OsString>,
    #[command(flatten)]
    more: More,
    /// Show this file, which need not be in a repository
    #[arg(long, value_name = "FILE", conflicts_with = "repository")]
    file: Option<PathBuf>,
    /// Show this HDU of the file alone, counted from 0
    #[arg(long, value_name = "N", requires = "file")]
    hdu: Option<u32>,
    /// Show this component of the file alone: `psf`, `wcs`, `detector.bbox`
    #[arg(long, value_name = "NAME", requires = "file")]
    component: Option<String>,
    /// Write a picture
    #[arg(long, value_name = "FILE")]
    png: Option<PathBuf>,
    /// Draw a histogram of this column of a table
    #[arg(long, value_name = "NAME", requires = "png")]
    column: Option<String>,
    /// Mask planes whose pixels do not count in statistics, or `none`; else those that mark bad pixels
    #[arg(long, value_name = "PLANES", value_delimiter = ',')]
    ignore_mask: Option<Vec<String>>,
    /// Print everything: all header cards, columns, flags, archive objects
    #[arg(long)]
    all: bool,
}

impl Show {
    pub fn run(&self, session: &Session) -> CommandResult {
        match (&self.file, &self.repository, &self.name) {
            (Some(file), _, _) => self.file(session, file),
            (None, Some(repository), Some(name)) => self.dataset(session, repository, name),
            (None, Some(repository), None) => self.repository(session, repository),
            // clap asks for one of them.
            (None, None, _) => {
                Err(Report::new(Kind::Request, "neither a repository nor a file is named").into())
            }
        }
    }

    fn repository(&self, session: &Session, repository: &Path) -> CommandResult {
        if self.png.is_some() {
            return Err(
                Report::new(Kind::Request, "a picture of a repository cannot be made")
                    .hint("name a dataset with its data ID, or a file with --file")
                    .into(),
            );
        }
        let butler = session.reading_from(repository, &self.more)?;
        let info = pantler::repository_info(&butler)?;
        session
            .screen
            .show(|| info_json(&info), |screen| info_text(screen, &info))?;
        Ok(Outcome::Done)
    }

    fn dataset(&self, session: &Session, repository: &Path, name: &str) -> CommandResult {
        let data_id = words::data_id(&self.words)?;
        let butler = session.reading_from(repository, &self.more)?;
        let plan = butler.explain(name, &data_id, Composition::Recorded)?;
        let object = butler.execute(&plan, &Parameters::default())?;
        let bytes =
            |part: &str| bytes_of_part(&butler, &format!("{name}.{part}"), &plan.root.data_id);
        let description = Description {
            name: name.to_owned(),
            data_id: plan.root.data_id.clone(),
            python: plan.root.python.clone(),
            components: component_lines(&object, bytes),
            object,
            outline: None,
            ignore_mask: self.ignored(),
        };
        self.print(session, butler.formatters(), &description)
    }

    fn file(&self, session: &Session, file: &Path) -> CommandResult {
        let formatters = FormatterSet::standard();
        let outside = OutsideFile::open(&formatters, file)?;
        let outline = match (self.hdu, &self.component) {
            (None, None) => outside.outline()?,
            _ => None,
        };
        let part: Vec<String> = match &self.component {
            Some(component) => component.split('.').map(str::to_owned).collect(),
            None => Vec::new(),
        };
        let object = outside.read_part(&part, self.hdu)?;
        let name = match &self.component {
            Some(component) => format!("{component} of {}", file.display()),
            None => file.display().to_string(),
        };
        let components = match part.as_slice() {
            [] => component_lines(&object, |part| outside.part_bytes(part)),
            _ => component_lines(&object, |_| None),
        };
        let description = Description {
            name,
            data_id: pantler::DataId::default(),
            python: None,
            components,
            object,
            outline,
            ignore_mask: self.ignored(),
        };
        self.print(session, &formatters, &description)
    }

    /// The mask planes that are named; `none` is none.
    fn ignored(&self) -> Option<Vec<String>> {
        let named = self.ignore_mask.as_ref()?.iter();
        Some(named.filter(|name| *name != "none").cloned().collect())
    }

    fn print(
        &self,
        session: &Session,
        formatters: &FormatterSet,
        description: &Description,
    ) -> CommandResult {
        if let Some(png) = &self.png {
            write_picture(description, self.column.as_deref(), png)?;
        }
        session.screen.show(
            || {
                let mut document = description.document(formatters);
                if let Some(png) = &self.png {
                    document["png"] = png.display().to_string().into();
                }
                document
            },
            |screen| description.text(screen, self.all),
        )?;
        if let Some(png) = &self.png {
            session
                .screen
                .remark(Style::Dim, "picture", &png.display().to_string());
        }
        Ok(Outcome::Done)
    }
}

fn write_picture(
    description: &Description,
    column: Option<&str>,
    file: &Path,
) -> Result<(), Failure> {
    let failed = |kind: Kind, why: String| {
        Report::new(
            kind,
            format!("a picture of `{}` cannot be made", description.name),
        )
        .fact(Label::Why, why)
    };
    let title = description.title();
    let canvas = drawing(&description.object, column, &title).map_err(|none| {
        let report = failed(Kind::Request, none.why);
        none.hints
            .into_iter()
            .fold(report, |report, hint| report.hint(hint))
    })?;
    let bytes = canvas.png().map_err(|why| failed(Kind::Unsupported, why))?;
    Ok(export::write_file(file, &bytes)?)
}

fn component_lines(object: &ObjectRef, bytes: impl Fn(&str) -> Option<u64>) -> Vec<ComponentLine> {
    object
        .component_names()
        .into_iter()
        .filter_map(|name| {
            Some(ComponentLine {
                class: object.component(&name)?.class().to_owned(),
                bytes: bytes(&name),
                name,
            })
        })
        .collect()
}

/// What a get of the part would read; `None` where the plan does not tell.
fn bytes_of_part(butler: &Butler, name: &str, data_id: &pantler::DataId) -> Option<u64> {
    let plan = butler.explain(name, data_id, Composition::Recorded).ok()?;
    Some(plan.root.bytes())
}

/// Returns the document of what is in a repository.
pub fn info_json(info: &RepositoryInfo) -> Value {
    let types: Vec<Value> = info
        .types
        .iter()
        .map(|each| {
            let keys: Map<String, Value> = each
                .summary
                .keys
                .iter()
                .map(|(key, low, high)| (key.clone(), json!([low, high])))
                .collect();
            json!({
                "name": each.summary.dataset_type.as_str(),
                "count": each.summary.count,
                "bytes": each.summary.bytes,
                "keys": keys,
                "kind": each.kind,
                "description": each.description,
            })
        })
        .collect();
    let mut document = json!({
        "repository": info.root,
        "parents": info.parents,
        "stages": info.stages,
        "types": types,
    });
    // Only where it is not as usual.
    match (info.has_index, info.journal) {
        (false, _) => document["index"] = "none".into(),
        (true, Some(Journal::Rollback)) => document["index"] = "rollback journal".into(),
        (true, _) => {}
    }
    document
}

fn info_text(screen: &Screen, info: &RepositoryInfo) -> String {
    let mut text = format!("{}\n", screen.out(Style::Bold, &info.root));
    for (index, parent) in info.parents.iter().enumerate() {
        let label = if index == 0 { "parents" } else { "" };
        text.push_str(&format!("{label:<7}  {parent}\n"));
    }
    if !info.stages.is_empty() {
        text.push_str(&format!("stages   {}\n", info.stages.join(", ")));
    }
    match (info.has_index, info.journal) {
        (false, _) => text.push_str("index    none: files are found by their names\n"),
        (true, Some(Journal::Rollback)) => text.push_str(
            "index    with a rollback journal, as other machines may use the folder: a put waits until those who read are done\n",
        ),
        _ => {}
    }
    text.push('\n');
    if info.types.is_empty() {
        return text + "no datasets\n";
    }
    let rows: Vec<Vec<String>> = info
        .types
        .iter()
        .map(|each| {
            let keys: Vec<String> = each
                .summary
                .keys
                .iter()
                .map(|(key, low, high)| match low == high {
                    true => format!("{key}={low}"),
                    false => format!("{key}={low}…{high}"),
                })
                .collect();
            vec![
                each.summary.dataset_type.to_string(),
                each.kind.to_owned(),
                each.summary.count.to_string(),
                human_bytes(each.summary.bytes),
                keys.join("  "),
                each.description.clone().unwrap_or_default(),
            ]
        })
        .collect();
    let headings = [
        ("type", Align::Left),
        ("kind", Align::Left),
        ("datasets", Align::Right),
        ("size", Align::Right),
        ("keys", Align::Left),
        ("", Align::Left),
    ];
    text + &table(screen, &headings, &rows)
}
