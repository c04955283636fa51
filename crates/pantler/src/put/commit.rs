//! Makes a decided put real: staged, durable, visible, recorded, in this order, so that every instant is the old state or
//! the new one.
//!
//! ```text
//! stage and sync each artifact           nothing is visible; a crash leaves staged files, which fsck clears
//! begin the registry's transaction       nobody else writes now; conflicts are judged again
//! link to the final paths, sync          visible as files, unknown to the registry; still the same file as the staged one
//! insert rows and records, commit        the put has happened
//! delete the staged names
//! ```
//!
//! Replacing is a second act, since a path cannot change in the same instant as a registry: the new dataset is first
//! committed where it is staged, with the old artifact moved aside; then the template's path is replaced; then the
//! registry is told.

use std::fs::File;

use pantler_core::registry::{
    ArtifactRecord, DatasetRecord, FindRequest, Provenance, State, Transaction,
};
use pantler_core::store::{Link, OnExisting, STAGING, Staged};
use pantler_core::{ArtifactPath, DataId, DatasetId, Location, Store};

use crate::candidates::Found;
use crate::error::{Asked, Error, Result};
use crate::planner::locate;
use crate::repository::Repository;
use crate::resolve::Resolved;

use super::{Composition, Content, Decision, PutResult, Putter, Write};

/// The folder of replaced artifacts that compositions still use.
pub(crate) const SUPERSEDED: &str = ".pantler/superseded";

impl Putter<'_> {
    /// Carries a decision out.
    pub(super) fn commit(
        &self,
        resolved: &Resolved,
        data_id: DataId,
        id: DatasetId,
        decision: Decision,
        provenance: &Provenance,
    ) -> Result<PutResult> {
        let chain = self.planner.chain;
        let (output, repository) = chain.output("put")?;
        let result = PutResult {
            name: resolved.asked.name.clone(),
            data_id,
            written: decision
                .writes
                .iter()
                .map(|write| write.path.to_string())
                .collect(),
            unchanged: decision.unchanged,
            input_only: decision.input_only,
            recorded: !decision.compositions.is_empty(),
            id,
        };
        if decision.writes.is_empty() && decision.compositions.is_empty() {
            return Ok(result);
        }
        for (from, definition) in &decision.definitions {
            let visible = *from == output || chain.is_ancestor(*from, output);
            if !visible {
                repository.add_definitions(&definition.yaml)?;
            }
        }
        write_all(
            repository,
            decision.writes,
            decision.compositions,
            provenance,
        )?;
        Ok(result)
    }
}

/// An artifact with its staged name.
struct StagedWrite {
    write: Write,
    staged: Option<ArtifactPath>,
}

/// Writes artifacts and records into one repository, all or nothing.
pub(crate) fn write_all(
    repository: &Repository,
    writes: Vec<Write>,
    compositions: Vec<Composition>,
    provenance: &Provenance,
) -> Result<()> {
    let store = repository.store();
    let mut staged = Vec::new();
    let outcome = stage_all(store, writes, &mut staged).and_then(|()| {
        crate::fail_point::reach("staged");
        record_all(repository, &mut staged, &compositions, provenance)
    });
    let names: Vec<ArtifactPath> = staged
        .iter()
        .filter_map(|each| each.staged.clone())
        .collect();
    // What a failed put leaves in the staging folder is cleared here if the store still answers, else by fsck.
    // If the put has happened, a staged name that stays is a leftover and no failure.
    let _ = store.delete(&names);
    outcome
}

/// A name in the staging folder that says which process made it, so that fsck can tell a dead one's from a live one's.
pub(crate) fn staging_path(id: DatasetId) -> Result<ArtifactPath> {
    let process = std::process::id();
    Ok(ArtifactPath::new(&format!("{STAGING}/{process}-{id}"))?)
}

fn stage_all(store: &dyn Store, writes: Vec<Write>, staged: &mut Vec<StagedWrite>) -> Result<()> {
    for mut write in writes {
        let path = staging_path(write.id)?;
        let mut note = |done: Staged| {
            write.bytes = done.bytes;
            write.digest = Some(done.digest);
        };
        let path = match &write.content {
            Content::Memory(bytes) => {
                note(store.stage(&path, &mut bytes.as_ref())?);
                Some(path)
            }
            Content::Copy(file) => {
                let mut open =
                    File::open(file).map_err(|source| Error::io("read", file, source))?;
                note(store.stage(&path, &mut open)?);
                Some(path)
            }
            Content::Link(file) => {
                let stat = store.adopt(file, &path)?;
                write.bytes = stat.bytes;
                write.modified = stat.modified;
                Some(path)
            }
            Content::InPlace { .. } => None,
        };
        staged.push(StagedWrite {
            write,
            staged: path,
        });
    }
    let names: Vec<ArtifactPath> = staged
        .iter()
        .filter_map(|each| each.staged.clone())
        .collect();
    store.sync(&names)?;
    Ok(())
}

fn record_all(
    repository: &Repository,
    staged: &mut [StagedWrite],
    compositions: &[Composition],
    provenance: &Provenance,
) -> Result<()> {
    let store = repository.store();
    let mut transaction = repository.registry().begin()?;
    check_again(repository, transaction.as_ref(), staged, compositions)?;
    let linked = link_all(repository, transaction.as_ref(), staged)?;
    crate::fail_point::reach("linked");
    let outcome = match insert_all(
        store,
        transaction.as_mut(),
        staged,
        compositions,
        provenance,
    ) {
        Ok(()) => transaction.commit().map_err(Error::from),
        Err(error) => {
            drop(transaction);
            Err(error)
        }
    };
    if let Err(error) = outcome {
        // Whether a failed commit took place is not known here; the registry itself is asked before anything is undone.
        if is_recorded(repository, staged) {
            forget_staged(staged);
        } else {
            let _ = store.delete(&linked);
        }
        return Err(error);
    }
    crate::fail_point::reach("committed");
    finish_replacements(repository, staged)?;
    crate::fail_point::reach("replaced");
    Ok(())
}

/// Judges conflicts again, now that nobody else can write: another process may have put the same in the meantime.
fn check_again(
    repository: &Repository,
    transaction: &dyn Transaction,
    staged: &[StagedWrite],
    compositions: &[Composition],
) -> Result<()> {
    let mut requests = Vec::new();
    let mut request = |dataset_type: &pantler_core::TypeName, data_id: &DataId| {
        requests.push(FindRequest {
            dataset_type: dataset_type.clone(),
            data_id: data_id.clone(),
            limit: 1,
        });
    };
    for StagedWrite { write, .. } in staged {
        request(&write.definition.dataset_type, &write.data_id);
    }
    for composition in compositions {
        request(&composition.definition.dataset_type, &composition.data_id);
    }
    let answers = transaction.find_many(&requests)?;
    let expected = staged
        .iter()
        .map(|each| &each.write.replaces)
        .chain(compositions.iter().map(|composition| &composition.replaces));
    for ((request, answer), expected) in requests.iter().zip(answers).zip(expected) {
        let Some(found) = answer.into_iter().next() else {
            continue;
        };
        if expected
            .as_ref()
            .is_some_and(|expected| expected.record.id == found.id)
        {
            continue;
        }
        return Err(Error::Raced {
            asked: Asked::new(&request.dataset_type, &request.data_id),
            repository: repository.name().to_owned(),
        });
    }
    Ok(())
}

/// Makes the new artifacts visible at their final paths, and durable there; returns the paths that are new.
fn link_all(
    repository: &Repository,
    transaction: &dyn Transaction,
    staged: &[StagedWrite],
) -> Result<Vec<ArtifactPath>> {
    let store = repository.store();
    let mut links = Vec::new();
    for StagedWrite { write, staged } in staged {
        let (Some(from), None) = (staged, &write.replaces) else {
            continue;
        };
        links.push(Link {
            from: from.clone(),
            to: write.path.clone(),
            existing: what_is_there(repository, transaction, write)?,
        });
    }
    let paths: Vec<ArtifactPath> = links.iter().map(|link| link.to.clone()).collect();
    let linked = store.link(&links).and_then(|()| store.sync(&paths));
    if let Err(error) = linked {
        // Those that were there before, as leftovers of a crash, had the same right to go.
        let _ = store.delete(&paths_of_ours(store, &links));
        return Err(error.into());
    }
    Ok(paths)
}

/// The final paths that already are the staged artifacts.
fn paths_of_ours(store: &dyn Store, links: &[Link]) -> Vec<ArtifactPath> {
    links
        .iter()
        .filter(|link| {
            let both = [
                Location::Inside(link.from.clone()),
                Location::Inside(link.to.clone()),
            ];
            matches!(
                store.stat_many(&both).as_deref(),
                Ok([Some(from), Some(to)]) if from.same.is_some() && from.same == to.same
            )
        })
        .map(|link| link.to.clone())
        .collect()
}

/// Decides about a file that lies at the final path: another dataset's is refused, a crashed put's is replaced, one that
/// nobody knows is left alone unless it is the very same (rule R8).
fn what_is_there(
    repository: &Repository,
    transaction: &dyn Transaction,
    write: &Write,
) -> Result<OnExisting> {
    let store = repository.store();
    let location = Location::Inside(write.path.clone());
    let Some(stat) = store
        .stat_many(std::slice::from_ref(&location))?
        .pop()
        .flatten()
    else {
        return Ok(OnExisting::Refuse);
    };
    let taken = |owner: Option<String>| Error::PathTaken {
        asked: Asked::new(&write.definition.dataset_type, &write.data_id),
        repository: repository.name().to_owned(),
        location: write.path.to_string(),
        owner,
    };
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
    for owner in transaction.find_many(&rivals)?.into_iter().flatten() {
        let asked = Asked::new(owner.dataset_type(), &owner.data_id);
        if locate(&owner, &asked).is_ok_and(|(place, _)| place == location) {
            return Err(taken(Some(asked.to_string())));
        }
    }
    let ours = stat.bytes == write.bytes
        && Some(crate::fsck::digest_of(store, &location)?) == write.digest;
    if ours || is_leftover(store, &stat)? {
        Ok(OnExisting::Replace)
    } else {
        Err(taken(None))
    }
}

/// Whether a file is one that a crashed put linked and did not record: its staged name is still there.
fn is_leftover(store: &dyn Store, stat: &pantler_core::store::Stat) -> Result<bool> {
    if stat.same.is_none() {
        return Ok(false);
    }
    let staging = ArtifactPath::new(STAGING)?;
    for entry in store.list(Some(&staging)) {
        if entry?.1.same == stat.same {
            return Ok(true);
        }
    }
    Ok(false)
}

fn insert_all(
    store: &dyn Store,
    transaction: &mut dyn Transaction,
    staged: &[StagedWrite],
    compositions: &[Composition],
    provenance: &Provenance,
) -> Result<()> {
    let mut rows = Vec::new();
    for StagedWrite { write, staged } in staged {
        if let Some(old) = &write.replaces {
            supersede(store, transaction, old)?;
        }
        rows.push(row_of(write, staged.as_ref()));
    }
    for composition in compositions {
        if let Some(old) = &composition.replaces {
            transaction.remove(&[old.record.id])?;
        }
        rows.push(DatasetRecord {
            id: composition.id,
            data_id: composition.data_id.clone(),
            definition: composition.definition.clone(),
            artifact: None,
            members: composition.members.clone(),
            state: State::Current,
        });
    }
    transaction.insert(&rows, provenance)?;
    Ok(())
}

fn row_of(write: &Write, staged: Option<&ArtifactPath>) -> DatasetRecord {
    let location = match (&write.content, &write.replaces, staged) {
        (Content::InPlace { location }, _, _) => location.clone(),
        // Where it is staged, until the template's path is free.
        (_, Some(_), Some(staged)) => Some(Location::Inside(staged.clone())),
        _ => None,
    };
    DatasetRecord {
        id: write.id,
        data_id: write.data_id.clone(),
        definition: write.definition.clone(),
        artifact: Some(ArtifactRecord {
            location,
            bytes: write.bytes,
            modified: write.modified,
            digest: write.digest,
            layout: write.layout.clone(),
        }),
        members: Vec::new(),
        state: State::Current,
    }
}

/// Gives a replaced artifact a name aside, and tells the registry.
fn supersede(store: &dyn Store, transaction: &mut dyn Transaction, old: &Found) -> Result<()> {
    let record = &old.record;
    if record.artifact.is_none() {
        transaction.remove(&[record.id])?;
        return Ok(());
    }
    let asked = Asked::new(record.dataset_type(), &record.data_id);
    let (location, _) = locate(record, &asked)?;
    let aside = match &location {
        Location::Outside(_) => location,
        Location::Inside(path) => {
            let aside =
                ArtifactPath::new(&format!("{SUPERSEDED}/{}/{}", record.id, path.file_name()))?;
            store.link(&[Link {
                from: path.clone(),
                to: aside.clone(),
                existing: OnExisting::Replace,
            }])?;
            store.sync(std::slice::from_ref(&aside))?;
            Location::Inside(aside)
        }
    };
    transaction.supersede(record.id, &aside)?;
    Ok(())
}

/// Moves replaced datasets from where they were staged to where their templates put them, and drops old ones that nobody
/// uses.
fn finish_replacements(repository: &Repository, staged: &mut [StagedWrite]) -> Result<()> {
    let store = repository.store();
    let replaced: Vec<(&Write, &ArtifactPath, &Found)> = staged
        .iter()
        .filter_map(|each| {
            Some((
                &each.write,
                each.staged.as_ref()?,
                each.write.replaces.as_ref()?,
            ))
        })
        .collect();
    if replaced.is_empty() {
        return Ok(());
    }
    for (write, from, _) in &replaced {
        let outcome = settle(repository, write.id, from, &write.path);
        if outcome.is_err() {
            // It is complete where it is staged, and the registry says so; fsck moves it later.
            forget_staged(staged);
            return Ok(());
        }
    }
    let ids: Vec<DatasetId> = replaced.iter().map(|(_, _, old)| old.record.id).collect();
    let removed = drop_unused(repository, &ids).unwrap_or_default();
    let _ = store.delete(&removed);
    Ok(())
}

/// A staged name that the registry points at must stay.
fn forget_staged(staged: &mut [StagedWrite]) {
    for each in staged
        .iter_mut()
        .filter(|each| each.write.replaces.is_some())
    {
        each.staged = None;
    }
}

/// Moves one dataset that is committed at a staged name to its final path.
pub(crate) fn settle(
    repository: &Repository,
    id: DatasetId,
    from: &ArtifactPath,
    to: &ArtifactPath,
) -> Result<()> {
    let store = repository.store();
    store.link(&[Link {
        from: from.clone(),
        to: to.clone(),
        existing: OnExisting::Replace,
    }])?;
    store.sync(std::slice::from_ref(to))?;
    crate::fail_point::reach("settling");
    let mut transaction = repository.registry().begin()?;
    transaction.relocate(id, None)?;
    transaction.commit()?;
    Ok(())
}

/// Removes superseded datasets that no composition uses; returns their artifacts.
pub(crate) fn drop_unused(repository: &Repository, ids: &[DatasetId]) -> Result<Vec<ArtifactPath>> {
    let mut transaction = repository.registry().begin()?;
    let users = transaction.find_users(ids)?;
    let unused: Vec<DatasetId> = ids
        .iter()
        .zip(users)
        .filter(|(_, users)| users.is_empty())
        .map(|(id, _)| *id)
        .collect();
    let artifacts = transaction
        .find_ids(&unused)?
        .into_iter()
        .flatten()
        .filter(|record| record.state == State::Superseded)
        .filter_map(|record| record.artifact?.location?.inside().cloned())
        .collect();
    transaction.remove(&unused)?;
    transaction.commit()?;
    Ok(artifacts)
}

/// Whether the registry has the first of these datasets after all.
fn is_recorded(repository: &Repository, staged: &[StagedWrite]) -> bool {
    let ids: Vec<DatasetId> = staged.iter().map(|each| each.write.id).take(1).collect();
    match repository.registry().find_ids(&ids) {
        Ok(found) => found.into_iter().flatten().next().is_some(),
        // Not known: then nothing is undone, and fsck will tell.
        Err(_) => true,
    }
}
