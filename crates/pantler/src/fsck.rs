//! Checks that a repository's registry and its artifacts agree, and clears what crashes left behind. What is read of artifacts
//! is in [`contents`].

mod contents;

use std::collections::HashSet;
use std::ops::ControlFlow;

use pantler_core::registry::State;
use pantler_core::store::Stat;
use pantler_core::template::Template;
use pantler_core::{ArtifactPath, DataId, DatasetId, DatasetRecord, Digest, Location, TypeName};
use pantler_formats::FormatterSet;

use crate::error::{Asked, Result};
use crate::own_names::{is_abandoned, is_half_linked, is_meant_for, is_passing, is_staged};
use crate::planner::locate;
use crate::put::replace::{drop_unused, path_of_template, settle};
use crate::repository::{OWN_FOLDER, Repository};

use contents::Contents;
pub(crate) use contents::digest_of;

/// How thorough a check is, and whether it mends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FsckOptions {
    /// Whether every artifact is read, its digest compared (and recorded where it was not known), and the sums that it
    /// holds of itself compared: `DATASUM` and `CHECKSUM` of FITS.
    pub deep: bool,
    /// Whether leftovers are removed and interrupted replacements finished.
    pub repair: bool,
}

/// What a check found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct FsckReport {
    /// How many datasets were checked.
    pub checked: u64,
    /// What is wrong.
    pub problems: Vec<FsckProblem>,
    /// Files that crashed puts left behind, or that no dataset owns though a template would put one there.
    pub leftover: Vec<String>,
}

impl FsckReport {
    /// Says whether nothing is wrong; leftovers alone do no harm.
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FsckProblem {
    /// What sort of problem.
    pub kind: ProblemKind,
    /// The dataset's type.
    pub dataset_type: TypeName,
    /// Its data ID.
    pub data_id: DataId,
    /// Its artifact, or the identity of the member that is gone.
    pub location: String,
    /// Where in the artifact, and what was expected there, as far as the artifact says it.
    pub detail: Option<String>,
}

/// What can be wrong with a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// The artifact is not there.
    Gone,
    /// The artifact has another size or date than was recorded.
    Changed,
    /// The artifact's bytes are not those that were recorded.
    Corrupt,
    /// The artifact's bytes are not those that sums in the artifact itself speak of.
    Checksum,
    /// A dataset that a composition was made of is in no repository of the chain.
    MemberGone,
}

impl ProblemKind {
    /// Returns the kind's name in JSON and in tables.
    pub fn name(self) -> &'static str {
        match self {
            ProblemKind::Gone => "gone",
            ProblemKind::Changed => "changed",
            ProblemKind::Corrupt => "corrupt",
            ProblemKind::Checksum => "checksum",
            ProblemKind::MemberGone => "member_gone",
        }
    }
}

/// Checks one repository; `known` says whether a dataset exists anywhere in the chain.
pub(crate) fn check(
    repository: &Repository,
    formatters: &FormatterSet,
    options: FsckOptions,
    known: &dyn Fn(&[DatasetId]) -> Result<Vec<bool>>,
) -> Result<FsckReport> {
    if options.repair {
        finish_interrupted(repository)?;
    }
    let mut check = Check {
        repository,
        options,
        known,
        owned: HashSet::new(),
        digests: Vec::new(),
        contents: Contents::new(repository.store(), formatters),
        report: FsckReport::default(),
    };
    let mut records: Vec<DatasetRecord> = Vec::new();
    let mut failure = None;
    repository.registry().visit_all(&mut |record| {
        records.push(record);
        if records.len() < 1000 {
            return ControlFlow::Continue(());
        }
        match check.batch(&std::mem::take(&mut records)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failure = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    if let Some(error) = failure {
        return Err(error);
    }
    check.batch(&records)?;
    record_digests(repository, &check.digests)?;
    let mut report = check.report;
    find_leftovers(repository, options, &check.owned, &mut report)?;
    report.leftover.sort();
    Ok(report)
}

/// A check that goes on.
struct Check<'a> {
    repository: &'a Repository,
    options: FsckOptions,
    known: &'a dyn Fn(&[DatasetId]) -> Result<Vec<bool>>,
    owned: HashSet<Location>,
    digests: Vec<(DatasetId, Digest)>,
    contents: Contents<'a>,
    report: FsckReport,
}

impl Check<'_> {
    fn batch(&mut self, records: &[DatasetRecord]) -> Result<()> {
        self.report.checked += records.len() as u64;
        let mut places = Vec::new();
        for record in records.iter().filter(|record| record.artifact.is_some()) {
            let asked = Asked::new(record.dataset_type(), &record.data_id);
            let (location, _) = locate(record, &asked)?;
            self.owned.insert(location.clone());
            places.push((record, location));
        }
        let locations: Vec<Location> = places
            .iter()
            .map(|(_, location)| location.clone())
            .collect();
        let stats = self.repository.store().stat_many(&locations)?;
        for ((record, location), stat) in places.into_iter().zip(stats) {
            self.artifact(record, &location, stat.as_ref())?;
        }
        check_members(records, self.known, &mut self.report)
    }

    fn artifact(
        &mut self,
        record: &DatasetRecord,
        location: &Location,
        stat: Option<&Stat>,
    ) -> Result<()> {
        let problem = |kind, detail| FsckProblem {
            kind,
            dataset_type: record.dataset_type().clone(),
            data_id: record.data_id.clone(),
            location: location.to_string(),
            detail,
        };
        let (Some(stat), Some(artifact)) = (stat, &record.artifact) else {
            self.report.problems.push(problem(ProblemKind::Gone, None));
            return Ok(());
        };
        let is_changed = stat.bytes != artifact.bytes
            || artifact.digest.is_none() && stat.modified != artifact.modified;
        if is_changed {
            self.report
                .problems
                .push(problem(ProblemKind::Changed, None));
        }
        if !self.options.deep {
            return Ok(());
        }
        let storage = record.definition.storage.as_deref().unwrap_or_default();
        let content = self.contents.of(location, storage)?;
        let is_other = artifact
            .digest
            .is_some_and(|recorded| recorded != content.digest);
        if is_other && !is_changed {
            self.report
                .problems
                .push(problem(ProblemKind::Corrupt, None));
        }
        let sums = content.mismatches.iter();
        let sums = sums.map(|mismatch| problem(ProblemKind::Checksum, Some(mismatch.clone())));
        self.report.problems.extend(sums);
        // The digest of what is damaged would say from now on that the damage is as it should be.
        if artifact.digest.is_none() && !is_changed && content.mismatches.is_empty() {
            self.digests.push((record.id, content.digest));
        }
        Ok(())
    }
}

fn check_members(
    records: &[DatasetRecord],
    known: &dyn Fn(&[DatasetId]) -> Result<Vec<bool>>,
    report: &mut FsckReport,
) -> Result<()> {
    let members: Vec<_> = records
        .iter()
        .flat_map(|record| record.members.iter().map(move |member| (record, member)))
        .collect();
    let ids: Vec<DatasetId> = members.iter().map(|(_, member)| member.dataset).collect();
    for ((record, member), known) in members.into_iter().zip(known(&ids)?) {
        if !known {
            report.problems.push(FsckProblem {
                kind: ProblemKind::MemberGone,
                dataset_type: record.dataset_type().clone(),
                data_id: record.data_id.clone(),
                location: format!(
                    "{} {} {}",
                    member.dataset_type, member.data_id, member.dataset
                ),
                detail: None,
            });
        }
    }
    Ok(())
}

fn record_digests(repository: &Repository, digests: &[(DatasetId, Digest)]) -> Result<()> {
    if digests.is_empty() || !repository.writable() {
        return Ok(());
    }
    let mut transaction = repository.registry().begin()?;
    for (id, digest) in digests {
        transaction.set_digest(*id, *digest)?;
    }
    transaction.commit()?;
    Ok(())
}

/// Finds files that no dataset owns: pantler's own, and those that lie where a template would put a dataset.
fn find_leftovers(
    repository: &Repository,
    options: FsckOptions,
    owned: &HashSet<Location>,
    report: &mut FsckReport,
) -> Result<()> {
    let store = repository.store();
    let mut own = Vec::new();
    for entry in store.list(Some(&ArtifactPath::new(OWN_FOLDER)?)) {
        let (path, stat) = entry?;
        if is_passing(&path) && !owned.contains(&Location::Inside(path.clone())) {
            // Asked before the final paths are listed: one that lives now may still link what is then not seen there.
            let abandoned = is_abandoned(&path);
            own.push((path, stat, abandoned));
        }
    }
    let templates: Vec<&Template> = repository
        .policy()
        .definitions()
        .filter_map(|definition| definition.template.as_ref())
        .collect();
    // Final paths come before the staged names by which they are known again if this is interrupted.
    let mut clear = Vec::new();
    for entry in store.list(None) {
        let (path, stat) = entry?;
        if owned.contains(&Location::Inside(path.clone())) {
            continue;
        }
        let half_linked = is_half_linked(&path);
        // A crashed put's file is still the same file as its staged name, which says that it was to lie just here. Another
        // name of that file is a user's own, and is never removed.
        let linked = own.iter().filter(|(staged, theirs, _)| {
            theirs.same.is_some() && theirs.same == stat.same && is_meant_for(staged, &path)
        });
        let crashed: Vec<bool> = linked.map(|(_, _, abandoned)| *abandoned).collect();
        let is_placed = || {
            templates
                .iter()
                .any(|template| template.read(path.as_str()).is_some())
        };
        if half_linked || !crashed.is_empty() || is_placed() {
            report.leftover.push(path.to_string());
        }
        if half_linked && is_abandoned(&path) || crashed.contains(&true) {
            clear.push((path, stat));
        }
    }
    report
        .leftover
        .extend(own.iter().map(|(path, ..)| path.to_string()));
    let abandoned = own.into_iter().filter(|(_, _, abandoned)| *abandoned);
    clear.extend(abandoned.map(|(path, stat, _)| (path, stat)));
    if options.repair && !clear.is_empty() {
        let cleared = remove_unowned(repository, clear)?;
        report
            .leftover
            .retain(|left| !cleared.iter().any(|path| path.as_str() == left));
    }
    Ok(())
}

/// Removes leftovers, while nobody else can write, after another look at what has happened since they were found.
fn remove_unowned(
    repository: &Repository,
    mut leftovers: Vec<(ArtifactPath, Stat)>,
) -> Result<Vec<ArtifactPath>> {
    let store = repository.store();
    repository.bury_the_dead()?;
    let _turn = repository.registry().begin()?;
    let mut owned: HashSet<ArtifactPath> = HashSet::new();
    let wanted: HashSet<&ArtifactPath> = leftovers.iter().map(|(path, _)| path).collect();
    let mut failure = None;
    repository.registry().visit_all(&mut |record| {
        if record.artifact.is_none() {
            return ControlFlow::Continue(());
        }
        let asked = Asked::new(record.dataset_type(), &record.data_id);
        match locate(&record, &asked) {
            Ok((Location::Inside(path), _)) if wanted.contains(&path) => {
                owned.insert(path);
            }
            Ok(_) => {}
            Err(error) => {
                failure = Some(error);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    })?;
    if let Some(error) = failure {
        return Err(error);
    }
    leftovers.retain(|(path, _)| !owned.contains(path));
    let places: Vec<Location> = leftovers
        .iter()
        .map(|(path, _)| Location::Inside(path.clone()))
        .collect();
    let now = store.stat_many(&places)?;
    let cleared: Vec<ArtifactPath> = leftovers
        .into_iter()
        .zip(now)
        // One that has gone is cleared as well; another file under the name is another matter.
        .filter(|((_, seen), now)| now.as_ref().is_none_or(|now| now.same == seen.same))
        .map(|((path, _), _)| path)
        .collect();
    store.delete(&cleared)?;
    Ok(cleared)
}

/// Finishes replacements that were committed while the new artifact was still at its staged name.
fn finish_interrupted(repository: &Repository) -> Result<()> {
    let mut unsettled = Vec::new();
    let mut superseded = Vec::new();
    repository.registry().visit_all(&mut |record| {
        if record.state == State::Superseded {
            superseded.push(record.id);
        }
        let location = record
            .artifact
            .as_ref()
            .and_then(|artifact| artifact.location.clone());
        if let Some(Location::Inside(path)) = location
            && is_staged(&path)
            && is_abandoned(&path)
        {
            unsettled.push((record, path));
        }
        ControlFlow::Continue(())
    })?;
    for (record, path) in unsettled {
        if let Some(target) = path_of_template(&record) {
            settle(repository, record.id, &path, &target)?;
        }
    }
    if !superseded.is_empty() {
        let removed = drop_unused(repository, &superseded)?;
        repository.store().delete(&removed)?;
    }
    Ok(())
}
