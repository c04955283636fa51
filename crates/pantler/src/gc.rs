//! Clears what nobody needs any more: what crashes left behind long ago, and replaced artifacts that no composition uses.
//!
//! What is young stays: a process of another machine looks dead from here, and may still be making it. What a dataset owns
//! stays however old it is; that is looked at once more while nobody else can write. It can be killed at any time, and done
//! again.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::time::Duration;

use pantler_core::registry::State;
use pantler_core::{DatasetId, Location};

use crate::error::{Asked, Error, Result};
use crate::interrupt::Interrupt;
use crate::leftovers::{self, Leftover};
use crate::planner::locate;
use crate::repository::Repository;
use crate::taken_part::ids_in_records;

/// How long leftovers stay where nobody says otherwise: two weeks.
pub const DEFAULT_GRACE: Duration = Duration::from_secs(14 * 24 * 3600);

/// How to collect garbage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GcOptions {
    /// Whether it is only said what would go.
    pub dry_run: bool,
    /// What is younger stays.
    pub grace: Duration,
}

impl Default for GcOptions {
    fn default() -> GcOptions {
        GcOptions {
            dry_run: false,
            grace: DEFAULT_GRACE,
        }
    }
}

/// What was cleared, or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GcReport {
    /// The files that went.
    pub removed: Vec<String>,
    /// How many bytes they have together. What has another name still takes its place.
    pub bytes: u64,
    /// Files that are left over and stay: too young, or of a process that lives.
    pub kept: Vec<String>,
}

/// Clears one repository.
pub(crate) fn collect(
    repository: &Repository,
    options: &GcOptions,
    interrupt: &Interrupt,
) -> Result<GcReport> {
    let mut report = GcReport::default();
    let (mut owned, mut unused) = look(repository, interrupt)?;
    if !unused.is_empty() {
        let ids: Vec<DatasetId> = unused.iter().flat_map(|(ids, ..)| ids.clone()).collect();
        let users = repository.registry().find_users(&ids)?;
        let mut users = users.iter();
        unused.retain(|(ids, ..)| {
            let of_this: Vec<bool> = users.by_ref().take(ids.len()).map(Vec::is_empty).collect();
            !of_this.contains(&false)
        });
    }
    for (_, location, bytes) in &unused {
        report.removed.push(location.to_string());
        report.bytes += bytes;
    }
    // What is finished lies elsewhere afterwards.
    if !options.dry_run && leftovers::finish_interrupted(repository)? {
        (owned, _) = look(repository, interrupt)?;
    }
    interrupt.check()?;
    let found = leftovers::find(repository, &owned)?;
    let now = i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX);
    let grace = i64::try_from(options.grace.as_nanos()).unwrap_or(i64::MAX);
    let is_old = |left: &Leftover| {
        let made = left.made.unwrap_or(now);
        now.saturating_sub(made) >= grace
    };
    let old: Vec<Leftover> = found.abandoned.into_iter().filter(is_old).collect();
    let sizes: Vec<_> = old
        .iter()
        .map(|left| (left.path.clone(), left.stat.bytes))
        .collect();
    let cleared = match options.dry_run {
        true => sizes.iter().map(|(path, _)| path.clone()).collect(),
        false => leftovers::clear(repository, old)?,
    };
    for (path, bytes) in sizes {
        if cleared.contains(&path) {
            report.removed.push(path.to_string());
            report.bytes += bytes;
        }
    }
    let gone: HashSet<&String> = report.removed.iter().collect();
    let kept = found.found.iter().map(ToString::to_string);
    report.kept = kept.filter(|path| !gone.contains(path)).collect();
    Ok(report)
}

/// By which identities compositions may name each, where it lies, and how large it is.
type Unused = Vec<(Vec<DatasetId>, Location, u64)>;

/// Returns what all datasets own, and the replaced ones with an artifact of the repository's.
fn look(repository: &Repository, interrupt: &Interrupt) -> Result<(HashSet<Location>, Unused)> {
    let mut owned = HashSet::new();
    let mut superseded = Vec::new();
    let mut failure: Option<Error> = None;
    repository.registry().visit_all(&mut |record| {
        if let Err(error) = interrupt.check() {
            failure = Some(error);
            return ControlFlow::Break(());
        }
        let Some(artifact) = &record.artifact else {
            return ControlFlow::Continue(());
        };
        let asked = Asked::new(record.dataset_type(), &record.data_id);
        match locate(&record, &asked) {
            Ok((location, _)) => {
                if record.state == State::Superseded && location.inside().is_some() {
                    let ids = ids_in_records(&record);
                    superseded.push((ids, location.clone(), artifact.bytes));
                }
                owned.insert(location);
                ControlFlow::Continue(())
            }
            Err(error) => {
                failure = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    match failure {
        Some(error) => Err(error),
        None => Ok((owned, superseded)),
    }
}
