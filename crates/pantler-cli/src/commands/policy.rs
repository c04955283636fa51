//! `pantler policy`: checks policies, and shows what a repository's policies say and where.

mod recipes;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use pantler::core::policy::{Definition, PolicyText};
use pantler::core::problem::{Problem, Severity};
use pantler::core::report::{Kind, Label};
use pantler::{Butler, Error, Report};
use serde_json::{Map, Value, json};

use crate::arguments::Repositories;
use crate::failure::{Failure, problem_counts, problem_text};
use crate::program::{CommandResult, Outcome};
use crate::screen::{Screen, Style};
use crate::session::Session;
use crate::table::{Align, table};
use crate::values::class_name;

/// Check policies, or show what they say
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    Check(Check),
    Show(Show),
    Schema(Schema),
}

/// Print the JSON Schema of the policy format, by which editors complete and check
#[derive(Debug, Args)]
pub struct Schema {}

/// Find all that is wrong in policy files, which are merged in this order
///
/// The exit status is 1 if anything is found, warnings included.
#[derive(Debug, Args)]
pub struct Check {
    /// Policy files
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// A repository that the policy's own builds on; repeatable
    #[arg(long = "parent", value_name = "REPO")]
    parents: Vec<PathBuf>,
}

/// Show the definitions that a repository and its parents have, each key with the line that gives it
#[derive(Debug, Args)]
pub struct Show {
    #[command(flatten)]
    repositories: Repositories,
    /// The dataset type; all of them in a table if left out
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

impl PolicyCommand {
    pub fn run(&self, session: &Session) -> CommandResult {
        match self {
            PolicyCommand::Check(command) => command.run(session),
            PolicyCommand::Show(command) => command.run(session),
            PolicyCommand::Schema(command) => command.run(session),
        }
    }
}

/// Reads policy files of the user's.
pub fn read_policies(files: &[PathBuf]) -> Result<Vec<PolicyText>, Failure> {
    files.iter().map(|file| read_policy(file)).collect()
}

fn read_policy(file: &Path) -> Result<PolicyText, Failure> {
    let shown = file.display().to_string();
    let bytes = std::fs::read(file).map_err(|source| Error::Io {
        operation: "read",
        path: shown.clone(),
        source,
    })?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(PolicyText {
            file: shown.into(),
            text,
        }),
        Err(_) => Err(Report::new(Kind::Policy, format!("{shown} is not UTF-8 text")).into()),
    }
}

impl Schema {
    fn run(&self, session: &Session) -> CommandResult {
        let schema = pantler::core::policy::schema();
        session.screen.show(
            || schema.clone(),
            |_| serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n",
        )?;
        Ok(Outcome::Done)
    }
}

impl Check {
    fn run(&self, session: &Session) -> CommandResult {
        let texts = read_policies(&self.files)?;
        let problems = pantler::check_policies(&texts, &self.parents)?;
        session.screen.show(
            || json!({ "problems": problems.iter().map(problem_json).collect::<Vec<_>>() }),
            |screen| problems_text(screen, &problems) + self.parent_hint(&problems),
        )?;
        Ok(if problems.is_empty() {
            Outcome::Done
        } else {
            Outcome::Status(1)
        })
    }
}

impl Check {
    /// A child's policy names types of its parents, and alone it cannot be told from one with a slip.
    fn parent_hint(&self, problems: &[Problem]) -> &'static str {
        let unknown = problems
            .iter()
            .any(|problem| problem.code == "unknown-type");
        if unknown && self.parents.is_empty() {
            "\nhint: where a parent's policy defines the type, name that repository with --parent\n"
        } else {
            ""
        }
    }
}

/// Returns the document of a problem in a policy.
pub fn problem_json(problem: &Problem) -> Value {
    json!({
        "severity": severity_name(problem.severity),
        "code": problem.code,
        "file": problem.place.file,
        "line": problem.place.line,
        "column": problem.place.column,
        "message": problem.message,
        "hints": problem.hints,
    })
}

fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn problems_text(screen: &Screen, problems: &[Problem]) -> String {
    let mut text = String::new();
    for problem in problems {
        text.push_str(&problem_text(problem, |style, text| {
            screen.out(style, text)
        }));
        text.push_str("\n\n");
    }
    match problems {
        [] => "nothing is wrong\n".to_owned(),
        _ => format!("{text}{}\n", problem_counts(problems)),
    }
}

impl Show {
    fn run(&self, session: &Session) -> CommandResult {
        let butler = session.reading(&self.repositories)?;
        match &self.name {
            None => session
                .screen
                .show(|| chain_json(&butler), |screen| chain_text(screen, &butler))?,
            Some(name) => {
                let definition = self.find(&butler, name)?;
                let recipe = pantler::export::recipe_of(butler.chain(), definition);
                session.screen.show(
                    || {
                        let mut document = definition_json(definition);
                        document["recipe"] = recipes::used_json(definition, recipe);
                        document
                    },
                    |screen| {
                        definition_text(screen, definition)
                            + &recipes::used_text(screen, definition, recipe)
                    },
                )?;
            }
        }
        Ok(Outcome::Done)
    }

    fn find<'a>(&self, butler: &'a Butler, name: &str) -> Result<&'a Definition, Failure> {
        // What a get would take for the name is what people want to see; a name that no get knows is looked up as it stands.
        let meant = butler.resolve(name, &pantler::DataId::default());
        let wanted = match &meant {
            Ok(resolved) => resolved.dataset_type.to_string(),
            Err(_) => name.to_owned(),
        };
        let mut definitions = butler.chain().definitions();
        let found = definitions.find(|(_, definition)| definition.name.as_str() == wanted);
        match (found, meant) {
            (Some((_, definition)), _) => Ok(definition),
            (None, Err(error)) => Err(error.into()),
            (None, Ok(_)) => Err(Report::new(
                Kind::NotFound,
                format!("no policy defines `{name}`"),
            )
            .fact(Label::LookedIn, butler.chain().names().join(", "))
            .into()),
        }
    }
}

fn kind(definition: &Definition) -> &'static str {
    match (&definition.composite, definition.computed) {
        (Some(_), _) => "composite",
        (None, true) => "computed",
        (None, false) => "file",
    }
}

fn definition_json(definition: &Definition) -> Value {
    let places: Map<String, Value> = definition
        .key_places
        .iter()
        .map(|(key, place)| (key.clone(), json!(place.to_string())))
        .collect();
    json!({
        "name": definition.name.as_str(),
        "kind": kind(definition),
        "python": definition.python,
        "storage": definition.storage,
        "template": definition.template.as_ref().map(|template| template.text()),
        "description": definition.description,
        "place": definition.place.to_string(),
        "places": places,
        "yaml": definition.yaml,
    })
}

/// The definition as YAML, each key with the place that it stands in as a comment behind it.
fn definition_text(screen: &Screen, definition: &Definition) -> String {
    let lines: Vec<&str> = definition.yaml.lines().collect();
    let place_of = |line: &str| {
        let key = line
            .strip_prefix("  ")
            .filter(|rest| !rest.starts_with([' ', '-', '#']))?;
        let key = key.split(':').next()?.trim_matches(['"', '\'']);
        let (_, place) = definition
            .key_places
            .iter()
            .find(|(known, _)| known == key)?;
        Some(place.to_string())
    };
    let width = lines
        .iter()
        .filter(|line| place_of(line).is_some())
        .map(|line| line.chars().count())
        .max()
        .unwrap_or(0)
        .min(80);
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        let place = match index {
            0 => Some(definition.place.to_string()),
            _ => place_of(line),
        };
        match place {
            Some(place) => {
                let blanks = " ".repeat(width.saturating_sub(line.chars().count()));
                text.push_str(&format!(
                    "{line}{blanks}  {}\n",
                    screen.out(Style::Dim, &format!("# {place}"))
                ));
            }
            None => text.push_str(&format!("{line}\n")),
        }
    }
    for complaint in &definition.complaints {
        text.push_str(&format!("# {complaint}\n"));
    }
    text
}

fn chain_json(butler: &Butler) -> Value {
    let definitions: Vec<Value> = each_definition(butler)
        .iter()
        .map(|each| definition_json(each))
        .collect();
    let mut stages: Vec<&String> = Vec::new();
    let mut aliases = Map::new();
    for repository in butler.repositories() {
        let policy = repository.policy();
        for stage in policy.stages() {
            if !stages.contains(&stage) {
                stages.push(stage);
            }
        }
        for (name, alias) in policy.aliases() {
            aliases
                .entry(name.clone())
                .or_insert_with(|| json!(alias.target.to_string()));
        }
    }
    json!({
        "stages": stages,
        "aliases": aliases,
        "definitions": definitions,
        "recipes": recipes::all(butler).map(recipes::recipe_json).collect::<Vec<_>>(),
    })
}

/// The definitions of the chain, each type once: the first repository that defines it decides.
fn each_definition(butler: &Butler) -> Vec<&Definition> {
    let mut definitions: Vec<&Definition> = Vec::new();
    for (_, definition) in butler.chain().definitions() {
        if !definitions
            .iter()
            .any(|known| known.name == definition.name)
        {
            definitions.push(definition);
        }
    }
    definitions
}

fn chain_text(screen: &Screen, butler: &Butler) -> String {
    let mut text = String::new();
    for repository in butler.repositories() {
        for (name, alias) in repository.policy().aliases() {
            text.push_str(&format!(
                "{name} means {} ({})\n",
                alias.target, alias.place
            ));
        }
    }
    if !text.is_empty() {
        text.push('\n');
    }
    let rows: Vec<Vec<String>> = each_definition(butler)
        .into_iter()
        .map(|definition| {
            let what = match (&definition.composite, &definition.template) {
                (Some(composite), _) => {
                    let names: Vec<&str> = composite
                        .components
                        .iter()
                        .map(|component| component.name.as_str())
                        .collect();
                    names.join(", ")
                }
                (None, Some(template)) => template.text().to_owned(),
                (None, None) => String::new(),
            };
            vec![
                definition.name.to_string(),
                kind(definition).to_owned(),
                definition
                    .python
                    .as_deref()
                    .map(class_name)
                    .unwrap_or_default()
                    .to_owned(),
                what,
                definition.place.to_string(),
            ]
        })
        .collect();
    if rows.is_empty() {
        return text + "no dataset types are defined\n";
    }
    let headings = ["type", "kind", "class", "template or components", "defined"]
        .map(|heading| (heading, Align::Left));
    text + &table(screen, &headings, &rows) + &recipes::all_text(screen, butler)
}
