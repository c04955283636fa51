//! `pantler put`: puts what a file holds.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use pantler::core::report::Kind;
use pantler::{InputOnly, OnConflict, PutOptions, PutResult, Report};
use serde_json::{Value, json};

use crate::arguments::{Repositories, Writing};
use crate::program::{CommandResult, Outcome};
use crate::session::Session;
use crate::words;
use pantler::data_id_json;

/// Put what a file holds, all or nothing
#[derive(Debug, Args)]
#[command(override_usage = "pantler put [OPTIONS] <REPO> <NAME> <FILE> <key=value>...")]
pub struct Put {
    #[command(flatten)]
    repositories: Repositories,
    /// The dataset: type[:stage][.component]
    #[arg(value_name = "NAME")]
    name: String,
    /// The file, and the data ID
    #[arg(value_name = "FILE|key=value", required_unless_present = "files")]
    words: Vec<OsString>,
    /// After --: files, whatever their names look like
    #[arg(value_name = "FILE", last = true)]
    files: Vec<PathBuf>,
    /// Replace another dataset under the same data ID; the new one has an identity of its own
    #[arg(long)]
    replace: bool,
    /// Go on where an input-only component was changed, and lose that change
    #[arg(long)]
    drop_input_only: bool,
    /// A dataset that it was made from, its name and data ID; repeatable
    #[arg(long, value_name = "NAME key=value", num_args = 1..)]
    made_from: Vec<OsString>,
    /// The file of a component that is an operation on the object, such as a background; repeatable
    #[arg(long, value_name = "COMPONENT=FILE", value_parser = words::note)]
    with: Vec<(String, String)>,
    #[command(flatten)]
    writing: Writing,
}

impl Put {
    pub fn run(&self, session: &Session) -> CommandResult {
        let (data_id, files) = words::split(&self.words, &self.files)?;
        let [file] = files.as_slice() else {
            return Err(one_file(&files).into());
        };
        let butler = session.writing(&self.repositories, self.writing.add_parents)?;
        let object = butler.read_file(&self.name, &data_id, file)?;
        let mut parts = Vec::new();
        for (component, file) in &self.with {
            let name = format!("{}.{component}", self.name);
            let object = butler.read_file(&name, &data_id, file.as_ref())?;
            parts.push((component.clone(), object));
        }
        let options = PutOptions {
            parts,
            on_conflict: if self.replace {
                OnConflict::Replace
            } else {
                OnConflict::Refuse
            },
            input_only: if self.drop_input_only {
                InputOnly::Drop
            } else {
                InputOnly::Refuse
            },
            notes: self.writing.notes.clone(),
            inputs: words::datasets(&self.made_from)?,
        };
        let result = butler.put(&object, &self.name, &data_id, &options)?;
        session
            .screen
            .report(|| put_json(&result), |_| put_text(&result))?;
        Ok(Outcome::Done)
    }
}

fn one_file(files: &[PathBuf]) -> Report {
    match files {
        [] => Report::new(Kind::Request, "no file to put is named").hint(
            "a word that looks like key=value is a key; write ./a=b.fits for a file of such a name",
        ),
        _ => Report::new(
            Kind::Request,
            format!("one file is put at a time, and {} are named", files.len()),
        )
        .hint("`pantler ingest` takes many files at once"),
    }
}

/// Returns the document of a put or a link.
pub fn put_json(result: &PutResult) -> Value {
    let mut document = json!({
        "name": result.name,
        "data_id": data_id_json(&result.data_id),
        "written": result.written,
        "unchanged": result.unchanged,
        "input_only": result.input_only,
        "recorded": result.recorded,
        "id": result.id.to_string(),
    });
    if !result.outputs.is_empty() {
        let outputs = result.outputs.iter().map(|output| {
            json!({
                "repository": output.repository,
                "repository_name": output.repository_name,
                "written": output.written,
                "unchanged": output.unchanged,
                "input_only": output.input_only,
                "recorded": output.recorded,
                "id": output.id.to_string(),
            })
        });
        document["outputs"] = outputs.collect();
    }
    document
}

/// Returns what a put or a link did, for people.
pub fn put_text(result: &PutResult) -> String {
    let mut text = format!("{} {}\n", result.name, result.data_id);
    if result.outputs.is_empty() {
        let lists = [&result.written, &result.unchanged, &result.input_only];
        add_lists(&mut text, "  ", lists, result.recorded, &result.name);
    }
    for output in &result.outputs {
        text.push_str(&format!("  {}\n", output.repository_name));
        let lists = [&output.written, &output.unchanged, &output.input_only];
        add_lists(&mut text, "    ", lists, output.recorded, &result.name);
    }
    text
}

/// Adds what was written, what was there, and what was only recorded.
fn add_lists(
    text: &mut String,
    indent: &str,
    [written, unchanged, input_only]: [&Vec<String>; 3],
    recorded: bool,
    name: &String,
) {
    let mut add = |label: &str, items: &[String]| {
        for (index, item) in items.iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            text.push_str(&format!("{indent}{label:<10}  {item}\n"));
        }
    };
    add("written", written);
    add("unchanged", unchanged);
    add("input only", input_only);
    if recorded {
        add("recorded", std::slice::from_ref(name));
    }
    if written.is_empty() && !recorded {
        text.push_str(indent);
        text.push_str("nothing new: it was there already\n");
    }
}
