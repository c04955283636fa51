//! Brings datasets with all that they need into another repository, copied or by reference (rule R35).
//!
//! ```text
//! names, condition ─► listing ─► plans ─► gathering (each dataset, part and composition once, and why)
//!                                            └─► comparing (there already? another one?) ─► writing (stage, sync, commit)
//! ```
//!
//! What a plan reads whole travels whole. Where only a part is needed of a file, that part travels alone, as an artifact of its
//! own (`taken_part` says how such rows look): the file's other parts stay. Compositions travel as they are recorded, also where
//! they name datasets that nobody needs: those are left behind, and the record says so. Everything is decided, and refused where
//! it must be, before anything is written, and all of it is committed together.

mod comparing;
mod gathering;
mod parts;
mod writing;

pub(crate) use writing::what_stayed;

use std::path::Path;
use std::sync::Arc;

use pantler_core::registry::TypeSummary;
use pantler_core::{DataId, Expression, TypeName};

use crate::butler::{Butler, ButlerOptions};
use crate::error::{Asked, Error, Result};
use crate::repository::{Opener, Repository, open_local};

/// What becomes of the artifacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TransferBy {
    /// They are copied, so that the target stands alone.
    #[default]
    Copy,
    /// They stay where they are, and the target names those places.
    Reference,
}

impl TransferBy {
    /// Returns the word that people use for it.
    pub fn word(self) -> &'static str {
        match self {
            TransferBy::Copy => "copy",
            TransferBy::Reference => "reference",
        }
    }
}

/// How to transfer.
#[derive(Clone)]
pub struct TransferOptions {
    /// Keys that the datasets must have, as far as their type has them.
    pub data_id: DataId,
    /// A further condition on them.
    pub condition: Option<Expression>,
    /// What becomes of the artifacts.
    pub by: TransferBy,
    /// Whether a target that holds datasets already may get more.
    pub merge: bool,
    /// Whether it is only said what would be brought.
    pub dry_run: bool,
    /// Notes to keep with what is brought.
    pub notes: Vec<(String, String)>,
    /// Opens the target; statistics and tests wrap what it returns.
    pub opener: Arc<Opener>,
}

impl Default for TransferOptions {
    fn default() -> TransferOptions {
        TransferOptions {
            data_id: DataId::default(),
            condition: None,
            by: TransferBy::default(),
            merge: false,
            dry_run: false,
            notes: Vec::new(),
            opener: Arc::new(open_local),
        }
    }
}

/// What a transfer brought, or would bring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferReport {
    /// The target's root.
    pub target: String,
    /// What became of the artifacts.
    pub by: TransferBy,
    /// Whether nothing was written.
    pub dry_run: bool,
    /// What was brought, by type, in the order in which it was met.
    pub types: Vec<TransferredType>,
    /// How many members of compositions stayed, because nothing that was named needs them.
    pub left_behind: usize,
}

/// What a transfer brought of one type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferredType {
    /// The type; that of a part without its whole is named like the part.
    pub dataset_type: TypeName,
    /// What it is there.
    pub kind: TransferredKind,
    /// How many datasets were brought.
    pub count: usize,
    /// How many bytes were written for them, or would be.
    pub bytes: u64,
    /// How many were there already.
    pub same: usize,
}

/// What a dataset is in the repository that it was brought to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferredKind {
    /// A whole artifact.
    File,
    /// A part of a dataset, without the rest of it.
    Part,
    /// A recorded composition.
    Composite,
}

impl TransferredKind {
    /// Returns the kind's name in JSON and in tables.
    pub fn name(self) -> &'static str {
        match self {
            TransferredKind::File => "file",
            TransferredKind::Part => "part",
            TransferredKind::Composite => "composite",
        }
    }
}

impl TransferReport {
    /// Returns how many datasets were brought.
    pub fn count(&self) -> usize {
        self.types.iter().map(|each| each.count).sum()
    }

    /// Returns how many bytes were written, or would be.
    pub fn bytes(&self) -> u64 {
        self.types.iter().map(|each| each.bytes).sum()
    }

    /// Returns how many datasets were there already.
    pub fn same(&self) -> usize {
        self.types.iter().map(|each| each.same).sum()
    }
}

/// Told how many datasets are done, and of how many.
pub type TransferProgress<'a> = &'a dyn Fn(u64, u64);

/// So often a transfer is tried that another process gets in between.
const TRIES: usize = 4;

/// Transfers, all or nothing. A target that does not exist is made.
pub(crate) fn transfer(
    source: &Butler,
    target: Goal<'_>,
    names: &[&str],
    options: &TransferOptions,
    progress: TransferProgress<'_>,
) -> Result<TransferReport> {
    if names.is_empty() {
        return Err(Error::request("no dataset type to transfer was named"));
    }
    let once = || transfer_once(source, target, names, options, progress);
    let mut outcome = once();
    for _ in 1..TRIES {
        match &outcome {
            // What the other has put is compared like anything else that is there.
            Err(error) if matches!(error.innermost(), Error::Raced { .. }) => outcome = once(),
            _ => break,
        }
    }
    outcome
}

fn transfer_once(
    source: &Butler,
    target: Goal<'_>,
    names: &[&str],
    options: &TransferOptions,
    progress: TransferProgress<'_>,
) -> Result<TransferReport> {
    let mut there = Target::open(source, target, options)?;
    let needs = gathering::gather(source, names, options)?;
    let mut compared = comparing::compare(source, &there, needs)?;
    if !options.dry_run {
        there.make(source, options)?;
    }
    writing::write(source, &there, &mut compared, options, progress)
}

/// Where the caller wants datasets to be brought.
#[derive(Clone, Copy)]
pub(crate) enum Goal<'a> {
    /// A folder, which need not be a repository yet.
    Folder(&'a Path),
    /// The first output of a butler.
    Butler(&'a Butler),
}

/// Where datasets are brought to.
pub(crate) struct Target<'a> {
    goal: Goal<'a>,
    /// What is there in the folder; nothing, as long as it is yet to be made.
    opened: Option<Butler>,
}

impl<'a> Target<'a> {
    fn open(source: &Butler, goal: Goal<'a>, options: &TransferOptions) -> Result<Target<'a>> {
        let mut target = Target { goal, opened: None };
        if let Goal::Folder(path) = goal {
            if Repository::is_yet_to_be_made(path) {
                return Ok(target);
            }
            target.opened = Some(open(source, path, options)?);
        }
        target.check(source, options)?;
        Ok(target)
    }

    /// Refuses a repository that is read, and one that holds something already unless that is wanted.
    fn check(&self, source: &Butler, options: &TransferOptions) -> Result<()> {
        let repository = self.repository()?;
        let root = repository.root();
        if source.repositories().iter().any(|one| one.root() == root) {
            return Err(Error::Request {
                message: format!(
                    "{} is one of the repositories that are read",
                    repository.name()
                ),
                hints: vec!["name another target, or a folder that does not exist yet".to_owned()],
            });
        }
        let summary = repository.registry().summary()?;
        let held: u64 = summary
            .iter()
            .map(|summary: &TypeSummary| summary.count)
            .sum();
        if held > 0 && !options.merge {
            return Err(Error::Request {
                message: format!(
                    "{} holds {held} {} already",
                    repository.name(),
                    if held == 1 { "dataset" } else { "datasets" }
                ),
                hints: vec![
                    "say `--merge` (in Python `merge=True`) to add to them; what is there stays"
                        .to_owned(),
                ],
            });
        }
        Ok(())
    }

    /// Makes the repository if it is not there.
    fn make(&mut self, source: &Butler, options: &TransferOptions) -> Result<()> {
        let (Goal::Folder(path), None) = (self.goal, &self.opened) else {
            return Ok(());
        };
        match Butler::init(path, &[], &[]) {
            // Another process was faster: what it brings is compared like anything else that is there.
            Err(Error::RepositoryExists { path }) => {
                let asked = Asked::new("the transfer", &options.data_id);
                return Err(Error::Raced {
                    asked,
                    repository: path,
                });
            }
            outcome => outcome?,
        }
        self.opened = Some(open(source, path, options)?);
        Ok(())
    }

    /// Returns what is there, if anything is.
    pub(crate) fn butler(&self) -> Option<&Butler> {
        match self.goal {
            Goal::Folder(_) => self.opened.as_ref(),
            Goal::Butler(butler) => Some(butler),
        }
    }

    /// Returns the repository, which must have been made.
    pub(crate) fn repository(&self) -> Result<&Arc<Repository>> {
        let butler = match (self.goal, &self.opened) {
            (Goal::Butler(butler), _) | (_, Some(butler)) => butler,
            (Goal::Folder(path), None) => return Err(raced(path)),
        };
        Ok(butler.chain().output("transfer")?.1)
    }

    /// Returns the root as it is said, made or not.
    pub(crate) fn name(&self) -> String {
        if let Ok(repository) = self.repository() {
            return repository.root().to_owned();
        }
        match self.goal {
            Goal::Folder(path) => std::path::absolute(path)
                .unwrap_or_else(|_| path.to_path_buf())
                .display()
                .to_string(),
            Goal::Butler(_) => String::new(),
        }
    }
}

fn open(source: &Butler, path: &Path, options: &TransferOptions) -> Result<Butler> {
    let formatters = source.own_formatters().clone();
    Butler::open(
        &[],
        &[path.to_path_buf()],
        ButlerOptions {
            formatters,
            who: source.who().clone(),
            opener: options.opener.clone(),
            interrupt: source.interrupt().clone(),
            ..ButlerOptions::default()
        },
    )
}

fn raced(path: &Path) -> Error {
    Error::Request {
        message: format!("another process is making {} now", path.display()),
        hints: vec!["try again; what it has brought is then there already".to_owned()],
    }
}
