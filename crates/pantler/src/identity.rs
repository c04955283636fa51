//! Identities of datasets in folders without an index: derived from type, data ID and digest when somebody has to know them
//! (rule R19).
//!
//! Within a butler such a dataset goes by its stamp, which costs no reading. Its identity is computed where it leaves the butler:
//! where it is recorded in a composition or as a precursor, written into an export, or listed for programs. That reads the whole
//! file, once for as long as the repository is open.
//!
//! A recorded identity that was derived is looked for by the type and data ID that stand beside it, and counts as found where
//! the content gives that identity: in the folder as it was, and as well once the folder has an index, or where a copy lies in
//! another repository.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use pantler_core::composite_graph::Definitions;
use pantler_core::plan::{PlanKind, PlanNode};
use pantler_core::registry::{FindRequest, Member};
use pantler_core::{DataId, DatasetId, DatasetRecord, Digest, StoreError, TypeName};
use rayon::prelude::*;

use crate::candidates::Found;
use crate::chain::Chain;
use crate::error::{Asked, Error, Result};
use crate::interrupt::Interrupt;
use crate::planner::locate;
use crate::query::DatasetRef;
use crate::repository::Repository;

/// Digests that were computed and stand in no index, by stamp or identity.
#[derive(Debug, Default)]
pub(crate) struct KnownDigests(Mutex<HashMap<DatasetId, Digest>>);

impl KnownDigests {
    fn get(&self, id: DatasetId) -> Option<Digest> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&id).copied()
    }

    fn note(&self, id: DatasetId, digest: Digest) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(id, digest);
    }
}

/// A dataset that something was recorded with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recorded {
    pub id: DatasetId,
    pub dataset_type: TypeName,
    pub data_id: DataId,
}

impl Recorded {
    /// Returns what a member or a precursor was recorded as.
    pub fn of(member: &Member) -> Recorded {
        Recorded {
            id: member.dataset,
            dataset_type: member.dataset_type.clone(),
            data_id: member.data_id.clone(),
        }
    }
}

/// Returns the identity to record or to show for a dataset: its own, or the one that is derived.
pub(crate) fn of(repository: &Repository, record: &DatasetRecord) -> Result<DatasetId> {
    if !record.id.is_stamp() {
        return Ok(record.id);
    }
    let digest = digest(repository, record)?;
    Ok(DatasetId::derived(
        record.dataset_type(),
        &record.data_id,
        &digest,
    ))
}

/// Returns the identity of what a node of a plan stands for, if it has one.
pub(crate) fn of_node(chain: &Chain, node: &PlanNode) -> Result<Option<DatasetId>> {
    match &node.kind {
        PlanKind::Read(read) => of(chain.repository(read.repository), &read.record).map(Some),
        _ => Ok(node.id()),
    }
}

/// Returns the identities under which a dataset may have been recorded: its own, and the one that was derived before it had an
/// index, which may take reading it.
pub(crate) fn all_of(chain: &Chain, id: DatasetId) -> Result<Vec<DatasetId>> {
    let mut all = vec![id];
    for repository in chain.repositories() {
        for record in repository.registry().find_ids(&[id])?.iter().flatten() {
            if record.artifact.is_some() {
                let digest = digest(repository, record)?;
                let derived = DatasetId::derived(record.dataset_type(), &record.data_id, &digest);
                all.push(derived);
            }
        }
    }
    all.dedup();
    Ok(all)
}

/// Says whether a dataset is the one that was recorded under an identity: has it, or has the content that it was derived from.
pub(crate) fn is(
    repository: &Repository,
    record: &DatasetRecord,
    recorded: &Recorded,
) -> Result<bool> {
    if record.id == recorded.id {
        return Ok(true);
    }
    if !recorded.id.is_derived() || record.artifact.is_none() || record.data_id != recorded.data_id
    {
        return Ok(false);
    }
    let digest = digest(repository, record)?;
    // Recorded as what it was found as: its own type, or another of the same artifact (rule R8).
    let types = [record.dataset_type(), &recorded.dataset_type];
    Ok(types
        .into_iter()
        .any(|name| DatasetId::derived(name, &record.data_id, &digest) == recorded.id))
}

/// What is under the type and data ID of each recorded identity, in search order; identities that were given have nothing here.
pub(crate) fn candidates(chain: &Chain, recorded: &[Recorded]) -> Result<Vec<Vec<Found>>> {
    let mut requests = Vec::new();
    let mut of = Vec::new();
    for (at, one) in recorded.iter().enumerate() {
        if !one.id.is_derived() {
            continue;
        }
        let mut types = vec![one.dataset_type.clone()];
        if let Some((_, definition)) = chain.find_definition(&one.dataset_type) {
            types.extend(chain.same_artifact(&definition));
        }
        for dataset_type in types {
            of.push(at);
            requests.push(FindRequest {
                dataset_type,
                data_id: one.data_id.clone(),
                limit: 1,
            });
        }
    }
    let mut found: Vec<Vec<Found>> = vec![Vec::new(); recorded.len()];
    if requests.is_empty() {
        return Ok(found);
    }
    for (repository, open) in chain.repositories().iter().enumerate() {
        for (at, records) in of.iter().zip(open.registry().find_many(&requests)?) {
            found[*at].extend(records.into_iter().map(|record| Found {
                repository,
                record: record.into(),
            }));
        }
    }
    Ok(found)
}

/// Finds the datasets that were recorded under derived identities, by their content; files are read on all cores.
pub(crate) fn find(
    chain: &Chain,
    recorded: &[Recorded],
    interrupt: &Interrupt,
) -> Result<Vec<Option<Found>>> {
    let candidates = candidates(chain, recorded)?;
    let one = |(recorded, candidates): (&Recorded, Vec<Found>)| {
        for found in candidates {
            if is(chain.repository(found.repository), &found.record, recorded)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    };
    let pairs = recorded.par_iter().zip(candidates);
    interrupt.while_working(|stop| {
        let found = pairs.map(|pair| stop.check().and_then(|()| one(pair)));
        found.collect()
    })
}

/// Returns the identities of listed datasets; those of folders without an index take reading their files, which all cores do.
pub(crate) fn of_listed(
    chain: &Chain,
    rows: &[DatasetRef],
    interrupt: &Interrupt,
) -> Result<Vec<Option<DatasetId>>> {
    let one = |row: &DatasetRef| -> Result<Option<DatasetId>> {
        let Some(id) = row.id.filter(DatasetId::is_stamp) else {
            return Ok(row.id);
        };
        let mut repositories = chain.repositories().iter();
        let Some(open) = repositories.find(|open| *open.root() == *row.repository) else {
            return Ok(None);
        };
        let record = in_repository(open, row, id)?;
        record.map(|record| of(open, &record)).transpose()
    };
    interrupt.while_working(|stop| {
        let found = rows
            .par_iter()
            .map(|row| stop.check().and_then(|()| one(row)));
        found.collect()
    })
}

/// The dataset of a row as it is now: a type that shares another's artifact is listed under its own name.
fn in_repository(
    repository: &Repository,
    row: &DatasetRef,
    id: DatasetId,
) -> Result<Option<DatasetRecord>> {
    let own = std::iter::once(row.dataset_type.clone());
    let all = own.chain(
        repository
            .registry()
            .key_sets(None)?
            .into_iter()
            .map(|(name, _)| name),
    );
    for dataset_type in all {
        let request = FindRequest {
            dataset_type,
            data_id: row.data_id.clone(),
            limit: 1,
        };
        let found = repository.registry().find_many(&[request])?;
        if let Some(record) = found.into_iter().flatten().find(|found| found.id == id) {
            return Ok(Some(record));
        }
    }
    Ok(None)
}

/// Returns the digest of a dataset's artifact: the one that is known, else computed now.
fn digest(repository: &Repository, record: &DatasetRecord) -> Result<Digest> {
    let asked = Asked::new(record.dataset_type(), &record.data_id);
    let (location, _) = locate(record, &asked)?;
    let gone = || {
        Error::Store(StoreError::NotFound {
            root: repository.root().to_owned(),
            location: location.to_string(),
        })
    };
    let artifact = record.artifact.as_ref().ok_or_else(gone)?;
    if let Some(known) = artifact
        .digest
        .or_else(|| repository.digests().get(record.id))
    {
        return Ok(known);
    }
    let digest = crate::fsck::digest_of(repository.store(), &location, &|| Ok(()))?;
    // Looked at afterwards, so that a file that was being written meanwhile is noticed.
    let stat = repository
        .store()
        .stat_many(std::slice::from_ref(&location))?;
    let stat = stat.into_iter().flatten().next().ok_or_else(gone)?;
    if stat.bytes != artifact.bytes || stat.modified != artifact.modified {
        return Err(Error::ArtifactChanged {
            repository: repository.name().to_owned(),
            location: repository.shown(&location),
            why: "it was changed while it was being read".to_owned(),
        });
    }
    repository.digests().note(record.id, digest);
    Ok(digest)
}
