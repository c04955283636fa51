//! The final paths of a put: what lies there, which names are to be made, and how they are made durable.
//!
//! A file at a final path is another dataset's, what a crashed put left, or somebody's own; only the second is ever replaced
//! (rule R8). All of it is done while the caller holds the registry's write transaction.

use std::cell::OnceCell;

use pantler_core::registry::{FindRequest, Transaction};
use pantler_core::store::{Link, OnExisting, STAGING, Stat};
use pantler_core::{ArtifactPath, Location, Store};

use crate::error::{Asked, Error, Result};
use crate::own_names::is_meant_for;
use crate::repository::Repository;

use super::Write;
use super::replace::{inherits_path, place_of};
use super::staging::StagedWrite;

/// What lies in the staging folder, listed once and only where it must be known.
type StagingFolder = OnceCell<Vec<(ArtifactPath, Stat)>>;

/// Returns the names that are to be made, after a look at what lies there.
pub(super) fn links_to(
    repository: &Repository,
    transaction: &dyn Transaction,
    staged: &[StagedWrite],
) -> Result<Vec<Link>> {
    let mut waiting = Vec::new();
    for StagedWrite { write, staged, .. } in staged {
        let Some(from) = staged else {
            continue;
        };
        let inherits = match &write.replaces {
            Some(old) => inherits_path(repository, write, old)?,
            None => false,
        };
        if !inherits {
            waiting.push((write, from));
        }
    }
    let places: Vec<Location> = waiting
        .iter()
        .map(|(write, _)| Location::Inside(write.path.clone()))
        .collect();
    let stats = repository.store().stat_many(&places)?;
    let listed = StagingFolder::new();
    let mut links = Vec::new();
    for ((write, from), stat) in waiting.into_iter().zip(stats) {
        let there = match stat {
            Some(stat) => what_is_there(repository, transaction, (write, from), &stat, &listed)?,
            None => There::Nothing,
        };
        let existing = match there {
            There::Nothing => OnExisting::Refuse,
            There::Leftover => OnExisting::Replace,
            There::Same => continue,
        };
        // What replaces is linked when its predecessor is out of the way.
        if write.replaces.is_none() {
            links.push(Link {
                from: from.clone(),
                to: write.path.clone(),
                existing,
            });
        }
    }
    Ok(links)
}

/// Makes the new artifacts visible at their final paths, and durable there.
pub(super) fn link_all(store: &dyn Store, links: &[Link]) -> Result<()> {
    store.link(links)?;
    crate::fail_point::reach("named");
    let paths: Vec<ArtifactPath> = links.iter().map(|link| link.to.clone()).collect();
    store.sync(&paths)?;
    Ok(())
}

/// What lies at the path of a new artifact.
enum There {
    Nothing,
    /// What a crashed put linked and did not record.
    Leftover,
    /// A file of somebody's that has the very same content: it becomes the artifact as it lies there.
    Same,
}

/// Decides about a file that lies at the final path: another dataset's is refused, a crashed put's is replaced, one that
/// nobody knows is left alone, and taken only if it is the very same (rule R8).
fn what_is_there(
    repository: &Repository,
    transaction: &dyn Transaction,
    (write, staged): (&Write, &ArtifactPath),
    stat: &Stat,
    listed: &StagingFolder,
) -> Result<There> {
    let store = repository.store();
    let location = Location::Inside(write.path.clone());
    let taken = |owner: Option<String>| Error::PathTaken {
        asked: Asked::new(&write.definition.dataset_type, &write.data_id),
        repository: repository.name().to_owned(),
        location: write.path.to_string(),
        owner,
    };
    if let Some(owner) = owner_of(transaction, write, &location)? {
        return Err(taken(Some(owner.to_string())));
    }
    if is_leftover(store, stat, (&write.path, staged), listed)? {
        return Ok(There::Leftover);
    }
    let own = store.stat_many(&[Location::Inside(staged.clone())])?;
    let one_file = own
        .into_iter()
        .flatten()
        .any(|own| own.same.is_some() && own.same == stat.same);
    let same = one_file
        || stat.bytes == write.bytes
            && Some(crate::fsck::digest_of(store, &location, &|| Ok(()))?) == write.digest;
    if same && write.replaces.is_none() {
        store.sync(std::slice::from_ref(&write.path))?;
        Ok(There::Same)
    } else {
        Err(taken(None))
    }
}

/// The dataset of another type that owns a path.
fn owner_of(
    transaction: &dyn Transaction,
    write: &Write,
    location: &Location,
) -> Result<Option<Asked>> {
    let rivals: Vec<FindRequest> = write
        .rivals
        .iter()
        .filter_map(|(dataset_type, template)| {
            Some(FindRequest {
                dataset_type: dataset_type.clone(),
                data_id: template.read(write.path.as_str())?,
                limit: 1,
            })
        })
        .collect();
    Ok(transaction
        .find_many(&rivals)?
        .into_iter()
        .flatten()
        .find(|owner| place_of(owner).is_ok_and(|place| place == *location))
        .map(|owner| Asked::new(owner.dataset_type(), &owner.data_id)))
}

/// Whether a file is one that a crashed put linked to this path and did not record: its staged name is still there.
fn is_leftover(
    store: &dyn Store,
    stat: &Stat,
    (path, own): (&ArtifactPath, &ArtifactPath),
    listed: &StagingFolder,
) -> Result<bool> {
    if stat.same.is_none() {
        return Ok(false);
    }
    if listed.get().is_none() {
        let staging = ArtifactPath::new(STAGING)?;
        let entries = store.list(Some(&staging));
        let _ = listed.set(entries.collect::<Result<_, _>>()?);
    }
    let mut entries = listed.get().into_iter().flatten();
    Ok(entries.any(|(staged, theirs)| {
        theirs.same == stat.same && staged != own && is_meant_for(staged, path)
    }))
}
