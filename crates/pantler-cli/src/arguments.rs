//! The command line as clap reads it: options that every command has, and the groups that commands share.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser};
use pantler::core::{DataId, Expression};

use crate::commands::Command;
use crate::failure::Failure;
use crate::words;

/// Data access for science pipelines: ask for what, not for where it lies.
///
/// A word that looks like key=value is a data-ID key; write ./a=b.fits for a file of such a name. After -- all are files.
#[derive(Debug, Parser)]
#[command(
    name = "pantler",
    version,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub struct Arguments {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// Options that every command has.
#[derive(Debug, Clone, Default, Args)]
pub struct Global {
    /// Print one JSON document instead of text; errors are one JSON object on standard error
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub json: bool,
    /// Print what it cost as the last line on standard error
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub stats: bool,
    /// Print no remarks, no warnings, no progress
    #[arg(long, short, global = true, help_heading = "Everywhere")]
    pub quiet: bool,
    /// Print without colours
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub no_color: bool,
}

/// The repositories that a command works on.
#[derive(Debug, Args)]
pub struct Repositories {
    /// The repository: a folder made by `pantler init`
    #[arg(value_name = "REPO")]
    pub repository: PathBuf,
    #[command(flatten)]
    pub more: More,
}

/// Repositories beside the first.
#[derive(Debug, Clone, Default, Args)]
pub struct More {
    /// A further repository to read from; repeatable, searched in this order
    #[arg(long = "input", value_name = "REPO")]
    pub inputs: Vec<PathBuf>,
    /// A further repository to write to, and to be searched before the inputs; repeatable
    #[arg(long = "output", value_name = "REPO")]
    pub outputs: Vec<PathBuf>,
    /// Let the order of the inputs decide where two of them hold different content
    #[arg(long)]
    pub inputs_in_order: bool,
}

impl Repositories {
    /// Returns them as they are typed behind a command's name, for hints.
    pub fn typed(&self) -> String {
        let quoted = |path: &PathBuf| crate::out_file::quoted(&path.display().to_string());
        let inputs = self
            .more
            .inputs
            .iter()
            .map(|input| format!(" --input {}", quoted(input)));
        let outputs = self
            .more
            .outputs
            .iter()
            .map(|output| format!(" --output {}", quoted(output)));
        let more: String = inputs.chain(outputs).collect();
        let in_order = if self.more.inputs_in_order {
            " --inputs-in-order"
        } else {
            ""
        };
        format!("{}{more}{in_order}", quoted(&self.repository))
    }
}

/// One dataset: its name and data ID.
#[derive(Debug, Args)]
pub struct Dataset {
    /// The dataset: type[:stage][.component]
    #[arg(value_name = "NAME")]
    pub name: String,
    #[command(flatten)]
    pub keys: Keys,
}

/// A data ID, whole or in part.
#[derive(Debug, Args)]
pub struct Keys {
    /// The data ID
    #[arg(value_name = "key=value")]
    pub words: Vec<OsString>,
}

impl Keys {
    /// Reads the data ID.
    pub fn data_id(&self) -> Result<DataId, Failure> {
        Ok(words::data_id(&self.words)?)
    }
}

/// A condition on datasets.
#[derive(Debug, Args)]
pub struct Condition {
    /// Only datasets for which this holds, for instance "visit > 100 and filter in ('g', 'r')"
    #[arg(long = "where", value_name = "EXPR")]
    pub expression: Option<String>,
}

impl Condition {
    /// Reads the expression.
    pub fn parse(&self) -> Result<Option<Expression>, Failure> {
        Ok(words::expression(self.expression.as_deref())?)
    }
}

/// Writing that are kept with what is written.
#[derive(Debug, Args)]
pub struct Writing {
    /// A note to keep with it; repeatable
    #[arg(long = "notes", value_name = "key=value", value_parser = words::note)]
    pub notes: Vec<(String, String)>,
    /// Let the repository have the inputs as further parents
    #[arg(long)]
    pub add_parents: bool,
}
