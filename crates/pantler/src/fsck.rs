//! Checks that a repository's registry and its artifacts agree, and clears what crashes left behind. What is read of artifacts
//! is in `contents`.

mod contents;

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use pantler_core::registry::Member;
use pantler_core::store::Stat;
use pantler_core::{DataId, DatasetId, DatasetRecord, Digest, Location, TypeName};
use pantler_formats::FormatterSet;

use crate::artifact_source::ArtifactSource;
use crate::error::{Asked, Result};
use crate::identity::Recorded;
use crate::interrupt::Interrupt;
use crate::leftovers;
use crate::planner::locate;
use crate::repository::Repository;
use crate::taken_part::ids_of_member;
use crate::transfer::what_stayed;

use contents::Contents;

/// Where the parts of a file lie, as its formatter writes it down.
type Layout = Arc<[u8]>;
pub(crate) use contents::digest_of;

/// How thorough a check is, and whether it mends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FsckOptions {
    /// Whether every artifact is read, its digest compared (and recorded where it was not known), and the sums that it
    /// holds of itself compared: `DATASUM` and `CHECKSUM` of FITS.
    pub deep: bool,
    /// Whether leftovers are removed, interrupted replacements finished, and, of a deep check, part indexes read anew from files
    /// that are what was recorded. Nothing else is changed: no row is removed, and no other content is accepted.
    pub repair: bool,
}

/// What a check found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct FsckReport {
    /// How many datasets were checked.
    pub checked: u64,
    /// What is wrong.
    pub problems: Vec<FsckProblem>,
    /// What was wrong and has been mended.
    pub mended: Vec<FsckProblem>,
    /// How many members of compositions stayed in another repository when these were transferred: the compositions cannot be had
    /// whole here, and say so (rule R35).
    pub left_behind: u64,
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
    /// Where the artifact's parts lie is recorded otherwise than the artifact says.
    PartIndex,
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
            ProblemKind::PartIndex => "part_index",
            ProblemKind::MemberGone => "member_gone",
        }
    }
}

/// Who watches a check: who may end it, and who is told how far it is.
pub(crate) struct Watch<'a> {
    interrupt: &'a Interrupt,
    progress: Option<&'a dyn Fn(u64, u64)>,
    done: u64,
    all: u64,
}

impl<'a> Watch<'a> {
    /// Counts what there is to be checked, if anybody wants to know.
    pub(crate) fn new(
        repository: &Repository,
        interrupt: &'a Interrupt,
        progress: Option<&'a dyn Fn(u64, u64)>,
    ) -> Result<Watch<'a>> {
        let all = match progress {
            Some(_) => {
                let types = repository.registry().summary()?;
                types.iter().map(|summary| summary.count).sum()
            }
            None => 0,
        };
        Ok(Watch {
            interrupt,
            progress,
            done: 0,
            all,
        })
    }

    fn step(&mut self) -> Result<()> {
        self.interrupt.check()?;
        self.done += 1;
        // A summary leaves replaced datasets out.
        self.all = self.all.max(self.done);
        if let Some(progress) = self.progress {
            progress(self.done, self.all);
        }
        Ok(())
    }
}

/// Checks one repository; `known` says whether a dataset exists anywhere in the chain.
pub(crate) fn check(
    repository: &Repository,
    formatters: &FormatterSet,
    options: FsckOptions,
    watch: Watch<'_>,
    known: &dyn Fn(&[Recorded]) -> Result<Vec<bool>>,
) -> Result<FsckReport> {
    if options.repair {
        leftovers::finish_interrupted(repository)?;
    }
    let mut check = Check {
        repository,
        options,
        watch,
        known,
        owned: HashSet::new(),
        digests: Vec::new(),
        layouts: Vec::new(),
        indexed: None,
        formatters,
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
    record_findings(repository, &check.digests, &check.layouts)?;
    let mut report = check.report;
    let leftovers = leftovers::find(repository, &check.owned)?;
    let cleared = match options.repair {
        true => leftovers::clear(repository, leftovers.abandoned)?,
        false => Vec::new(),
    };
    let left = leftovers.found.into_iter();
    let left = left.filter(|path| !cleared.contains(path));
    report.leftover = left.map(|path| path.to_string()).collect();
    report.leftover.sort();
    Ok(report)
}

/// A check that goes on.
struct Check<'a> {
    repository: &'a Repository,
    options: FsckOptions,
    watch: Watch<'a>,
    known: &'a dyn Fn(&[Recorded]) -> Result<Vec<bool>>,
    owned: HashSet<Location>,
    digests: Vec<(DatasetId, Digest)>,
    layouts: Vec<(DatasetId, Layout)>,
    /// What the last file says of its parts: several datasets may lie in it.
    indexed: Option<(Location, Option<Layout>)>,
    formatters: &'a FormatterSet,
    contents: Contents<'a>,
    report: FsckReport,
}

impl Check<'_> {
    fn batch(&mut self, records: &[DatasetRecord]) -> Result<()> {
        self.report.checked += records.len() as u64;
        let mut without_file = records.iter().filter(|record| record.artifact.is_none());
        without_file.try_for_each(|_| self.watch.step())?;
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
            self.watch.step()?;
        }
        self.members(records)
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
        let interrupt = self.watch.interrupt;
        let content = self.contents.of(location, storage, &|| interrupt.check())?;
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
        // What another content says of its parts is of no use.
        if !is_changed
            && !is_other
            && let Some(known) = &artifact.layout
            && let Some(layout) = self.layout_of(location, storage)
            && layout != *known
        {
            let found = problem(ProblemKind::PartIndex, None);
            if self.options.repair {
                self.layouts.push((record.id, layout));
                self.report.mended.push(found);
            } else {
                self.report.problems.push(found);
            }
        }
        Ok(())
    }

    /// Checks that what compositions were made of is somewhere in the chain, whole or as the part that they name.
    fn members(&mut self, records: &[DatasetRecord]) -> Result<()> {
        let pairs = records
            .iter()
            .flat_map(|record| record.members.iter().map(move |member| (record, member)));
        let mut gone: Vec<(&DatasetRecord, &Member)> = pairs.collect();
        let wholes = |gone: &[(&DatasetRecord, &Member)]| -> Vec<Vec<Recorded>> {
            gone.iter()
                .map(|(_, member)| vec![Recorded::of(member)])
                .collect()
        };
        gone = self.unknown(gone, wholes)?;
        let parts = |gone: &[(&DatasetRecord, &Member)]| -> Vec<Vec<Recorded>> {
            let of = |member: &Member| {
                let whole = Recorded::of(member);
                let ids = ids_of_member(member).skip(1);
                ids.map(|id| Recorded {
                    id,
                    ..whole.clone()
                })
                .collect()
            };
            gone.iter().map(|(_, member)| of(member)).collect()
        };
        gone = self.unknown(gone, parts)?;
        for (record, member) in gone {
            if self.stayed_elsewhere(record, member)? {
                self.report.left_behind += 1;
                continue;
            }
            self.report.problems.push(FsckProblem {
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
        Ok(())
    }

    /// Those of them that are known under none of the identities that each may have.
    fn unknown<'r>(
        &self,
        members: Vec<(&'r DatasetRecord, &'r Member)>,
        identities: impl Fn(&[(&'r DatasetRecord, &'r Member)]) -> Vec<Vec<Recorded>>,
    ) -> Result<Vec<(&'r DatasetRecord, &'r Member)>> {
        if members.is_empty() {
            return Ok(members);
        }
        let identities = identities(&members);
        let all: Vec<Recorded> = identities.iter().flatten().cloned().collect();
        let mut known = (self.known)(&all)?.into_iter();
        let found: Vec<bool> = identities
            .iter()
            .map(|of_one| {
                // All of them are taken, also behind the first that is known.
                let of_one: Vec<bool> = known.by_ref().take(of_one.len()).collect();
                of_one.contains(&true)
            })
            .collect();
        let pairs = members.into_iter().zip(found);
        Ok(pairs
            .filter_map(|(member, found)| (!found).then_some(member))
            .collect())
    }

    /// Whether a member was left behind when its composition was transferred.
    fn stayed_elsewhere(&self, record: &DatasetRecord, member: &Member) -> Result<bool> {
        let known = self.repository.registry().provenance(&[record.id])?;
        let stayed = known.into_iter().flatten().next();
        let stayed = stayed.and_then(|known| what_stayed(&known));
        Ok(stayed.is_some_and(|(ids, _)| ids.contains(&member.dataset)))
    }

    /// Where the parts of a file lie, as it says itself; `None` where it does not tell.
    fn layout_of(&mut self, location: &Location, storage: &str) -> Option<Layout> {
        if let Some((last, layout)) = &self.indexed
            && last == location
        {
            return layout.clone();
        }
        let name = self.repository.shown(location);
        let source = ArtifactSource::new(self.repository.store(), location, &name);
        let formatter = self.formatters.get(storage)?;
        let layout = formatter.index(&source).ok().flatten();
        self.indexed = Some((location.clone(), layout.clone()));
        layout
    }
}

fn record_findings(
    repository: &Repository,
    digests: &[(DatasetId, Digest)],
    layouts: &[(DatasetId, Layout)],
) -> Result<()> {
    if digests.is_empty() && layouts.is_empty() || !repository.writable() {
        return Ok(());
    }
    let mut transaction = repository.registry().begin()?;
    for (id, digest) in digests {
        transaction.set_digest(*id, *digest)?;
    }
    for (id, layout) in layouts {
        transaction.set_layout(*id, layout)?;
    }
    transaction.commit()?;
    Ok(())
}
