//! Takes files that exist into a repository: reads their headers, finds their data IDs, records them.
//!
//! ```text
//! files ─► looking (headers, in parallel) ─► sorting (new, same, refused) ─► put/commit (one transaction) ─► moving
//!             └─ values: caller, table, headers, ingest.path, template
//! ```
//!
//! Many files are taken in batches, each all or nothing. What is killed between two of them has done the first ones; done
//! again it finds those there already, by size and time of change, and goes on.

mod files;
mod looking;
mod moving;
mod sorting;
mod table;
mod values;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use pantler_core::DataId;
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::put::{Putter, again_if_raced, formatter_of, write_all};
use crate::resolve::Resolved;

pub(crate) use files::outside;
use looking::{Looked, Looker};
use moving::remove_originals;
use sorting::{Sorted, Sorter};
pub use table::ValueTable;

/// So many files are recorded in one transaction: enough that its own cost does not count, few enough that an interruption
/// costs little.
const BATCH: usize = 10_000;

/// What happens to the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IngestMode {
    /// They are copied to where the template puts them.
    #[default]
    Copy,
    /// They are copied, and the originals removed once the ingest is durable, also those whose copies are there already.
    Move,
    /// They get a further name (a hard link) where the template puts them.
    Link,
    /// They stay where they are.
    InPlace,
}

/// How to ingest.
#[derive(Debug, Clone, Default)]
pub struct IngestOptions {
    /// What happens to the files.
    pub mode: IngestMode,
    /// Whether digests are computed now, where the mode does not compute them anyway (rule R30), and whether a file that is
    /// there already is compared by its digest though its size and time of change are what they were.
    pub digest: bool,
    /// What a table says of the files; it counts after what the caller says, and before headers and paths.
    pub table: Option<Arc<ValueTable>>,
    /// Notes to keep.
    pub notes: Vec<(String, String)>,
}

/// What an ingest did.
#[derive(Debug, Default)]
pub struct IngestReport {
    /// How many datasets are new in the repository: one for each file, or one for each HDU where the template picks one.
    pub ingested: usize,
    /// How many files they lie in.
    pub files: usize,
    /// How many datasets were there already, with the same content.
    pub same: usize,
    /// Files that could not be taken, each with the reason.
    pub failed: Vec<(PathBuf, Error)>,
}

impl IngestReport {
    fn add(&mut self, other: IngestReport) {
        self.ingested += other.ingested;
        self.files += other.files;
        self.same += other.same;
        self.failed.extend(other.failed);
    }
}

impl Putter<'_> {
    /// Ingests files as datasets of one type. A file that cannot be taken does not keep the others out.
    pub fn ingest(
        &self,
        resolved: &Resolved,
        files: &[PathBuf],
        options: &IngestOptions,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<IngestReport> {
        let chain = self.planner.chain;
        let interrupt = self.executor.interrupt;
        let (_, repository) = chain.output("ingest")?;
        let graph = self.planner.graph(resolved)?;
        if graph.is_composite() || !resolved.part.is_empty() {
            return Err(Error::request(format!(
                "`{}` is not kept in one file: ingest its components, then link them",
                resolved.asked.name
            )));
        }
        let formatter = formatter_of(self, &graph)?;
        let looker = Looker::new(chain, &graph, formatter, resolved, options)?;
        let sorter = Sorter::new(chain, repository, &graph, &looker, options, interrupt)?;
        let mut report = IngestReport::default();
        let mut seen: HashMap<DataId, PathBuf> = HashMap::new();
        for batch in files.chunks(BATCH) {
            let done = again_if_raced(|| {
                let (looked, failed) = look_at_all(&looker, batch, interrupt, progress)?;
                let mut sorted = sorter.sort(looked, &seen)?;
                sorted.report.failed.splice(0..0, failed);
                if !sorted.writes.is_empty() {
                    let writes = std::mem::take(&mut sorted.writes);
                    let did = self.who.did("ingest", &options.notes);
                    write_all(repository, writes, Vec::new(), &did, interrupt)?;
                }
                Ok(sorted)
            })?;
            let Sorted {
                copied,
                report: of_batch,
                seen: of_files,
                ..
            } = done;
            if options.mode == IngestMode::Move {
                remove_originals(repository, &copied, interrupt)?;
            }
            report.add(of_batch);
            seen.extend(of_files);
        }
        Ok(report)
    }
}

type Failed = Vec<(PathBuf, Error)>;

/// Looks at files, on all cores.
fn look_at_all(
    looker: &Looker<'_>,
    files: &[PathBuf],
    interrupt: &Interrupt,
    progress: &(dyn Fn(usize) + Sync),
) -> Result<(Vec<Looked>, Failed)> {
    let outcomes: Vec<_> = interrupt.while_working(|stop| {
        let look = |file: &PathBuf| {
            stop.check()?;
            let outcome = looker.look(file, stop);
            progress(1);
            Ok(outcome)
        };
        files.par_iter().map(look).collect::<Result<_>>()
    })?;
    let mut looked = Vec::with_capacity(files.len());
    let mut failed = Vec::new();
    for (file, outcome) in files.iter().zip(outcomes) {
        match outcome {
            Ok(found) => looked.extend(found),
            Err(error) => failed.push((file.clone(), error)),
        }
    }
    Ok((looked, failed))
}
