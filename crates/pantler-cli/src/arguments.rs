//! The command line as clap reads it: options that every command has, and the groups that commands share.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args, Parser};
use pantler::Trust;
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
    #[command(flatten)]
    pub allowed: Allowed,
}

/// Code of others that may run. Only the command that the Python package brings runs any.
#[derive(Debug, Clone, Default, Args)]
pub struct Allowed {
    /// Run code that a policy of others names: all that this repository asks for, or that of this module; repeatable
    #[arg(long, value_name = "REPO|MODULE", help_heading = "Code of others")]
    pub trust: Vec<String>,
    /// Read pickles, which run whatever code stands in them
    #[arg(long, help_heading = "Code of others")]
    pub allow_pickle: bool,
}

impl Allowed {
    /// Returns whose code may run: the user's own, and what is named. A word that could be a module is one; write ./NAME for a
    /// repository.
    pub fn trust(&self) -> Trust {
        self.trust
            .iter()
            .fold(Trust::default(), |trust, word| match is_module(word) {
                true => trust.with_module(word),
                false => trust.with_repository(Path::new(word)),
            })
    }
}

fn is_module(word: &str) -> bool {
    let is_name = |name: &str| {
        let mut letters = name.chars();
        letters
            .next()
            .is_some_and(|first| first.is_alphabetic() || first == '_')
            && letters.all(|letter| letter.is_alphanumeric() || letter == '_')
    };
    word.split('.').all(is_name)
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
        let allowed = &self.more.allowed;
        let trust = allowed.trust.iter();
        let trust = trust.map(|word| format!(" --trust {}", crate::out_file::quoted(word)));
        let trust: String = trust.collect();
        let pickle = if allowed.allow_pickle {
            " --allow-pickle"
        } else {
            ""
        };
        format!(
            "{}{more}{in_order}{trust}{pickle}",
            quoted(&self.repository)
        )
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
