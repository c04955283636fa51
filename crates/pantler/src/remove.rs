//! Removes datasets: the registry's rows first, then the artifacts, so that a crash leaves a leftover and never a gap.

use pantler_core::registry::{FindRequest, Transaction};
use pantler_core::store::{Link, OnExisting};
use pantler_core::{ArtifactPath, DataId, DatasetRecord, Location};

use crate::candidates::Candidates;
use crate::complete::complete;
use crate::error::{Asked, Error, Result};
use crate::own_names::staging_path;
use crate::planner::{Planner, locate};
use crate::put::replace::shares_its_file;
use crate::repository::Repository;
use crate::resolve::{check_keys, resolve};
use crate::taken_part::{self, ids_in_records};

/// How to remove.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RemoveOptions {
    /// Whether a dataset goes even if compositions use it; their gets then fail by name (rule R26).
    pub force: bool,
    /// Whether it is only said what would go.
    pub dry_run: bool,
}

/// What was removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoveResult {
    /// The dataset.
    pub removed: Asked,
    /// Its artifact, if pantler removed one; files that lie outside the repository stay.
    pub location: Option<String>,
    /// How many bytes that frees.
    pub bytes: u64,
    /// The composites that used it and cannot be assembled any more.
    pub users: Vec<Asked>,
}

pub(crate) fn remove(
    planner: &Planner<'_>,
    name: &str,
    data_id: &DataId,
    options: &RemoveOptions,
) -> Result<RemoveResult> {
    let chain = planner.chain;
    let resolved = resolve(chain, name, data_id)?;
    let (output, repository) = chain.output("rm")?;
    let graph = planner.graph_of_part(&resolved)?;
    // A part is a dataset of its own where it is without its whole (rule R35).
    let dataset_type = taken_part::type_of(&graph.dataset_type, &resolved.part);
    let dataset_type = dataset_type.unwrap_or_else(|| graph.dataset_type.clone());
    check_keys(chain, &resolved.asked, &resolved.data_id, &graph.keys)?;
    let candidates = Candidates::find(chain, &graph, &resolved.data_id)?;
    let data_id = complete(
        chain,
        &candidates,
        &graph,
        &resolved.asked,
        &resolved.data_id,
    )?;
    let asked = Asked::new(&dataset_type, &data_id);
    let found = candidates
        .of_type(&dataset_type)
        .iter()
        .find(|found| found.repository == output && found.record.data_id == data_id)
        .map(|found| found.record.clone());
    if found.is_none() && !resolved.part.is_empty() {
        return Err(Error::request(format!(
            "`{name}` is a part of `{}`, and only whole datasets can be removed",
            resolved.dataset_type
        )));
    }
    let Some(record) = found else {
        return Err(Error::NothingToRemove {
            elsewhere: candidates
                .of_type(&dataset_type)
                .iter()
                .find(|found| found.record.data_id == data_id)
                .map(|found| chain.repository(found.repository).name().to_owned()),
            asked,
            repository: repository.name().to_owned(),
            composite: graph.is_composite(),
        });
    };
    remove_record(repository, &record, asked, options)
}

fn remove_record(
    repository: &Repository,
    record: &DatasetRecord,
    asked: Asked,
    options: &RemoveOptions,
) -> Result<RemoveResult> {
    let users: Vec<Asked> = repository
        .registry()
        .find_users(&ids_in_records(record))?
        .into_iter()
        .flatten()
        .map(|user| Asked::new(user.dataset_type(), &user.data_id))
        .collect();
    if !users.is_empty() && !options.force {
        return Err(Error::InUse { asked, users });
    }
    let path: Option<ArtifactPath> = match &record.artifact {
        Some(_) => locate(record, &asked)?.0.inside().cloned(),
        None => None,
    };
    let result = RemoveResult {
        removed: asked,
        location: path.as_ref().map(ArtifactPath::to_string),
        bytes: record
            .artifact
            .as_ref()
            .map_or(0, |artifact| artifact.bytes),
        users,
    };
    if options.dry_run {
        return Ok(result);
    }
    take_away(repository, record, &result.removed, path, options)?;
    Ok(result)
}

/// Takes a dataset out of the registry, then its artifact away.
fn take_away(
    repository: &Repository,
    record: &DatasetRecord,
    asked: &Asked,
    path: Option<ArtifactPath>,
    options: &RemoveOptions,
) -> Result<()> {
    let store = repository.store();
    let mut transaction = repository.registry().begin()?;
    check_again(repository, transaction.as_ref(), record, asked, options)?;
    let path = match path {
        Some(path) if is_deletable(repository, record, &path)? => Some(path),
        _ => None,
    };
    // Named as pantler's own first, so that a crash after the commit leaves what fsck may clear.
    let mark = match &path {
        Some(path) => {
            let mark = staging_path(record.id, path)?;
            store.link(&[Link {
                from: path.clone(),
                to: mark.clone(),
                existing: OnExisting::Replace,
            }])?;
            store.sync(std::slice::from_ref(&mark))?;
            Some(mark)
        }
        None => None,
    };
    crate::fail_point::reach("marked");
    let removed = transaction.remove(&[record.id]);
    let outcome = removed.and_then(|()| transaction.commit());
    if outcome.is_ok() {
        crate::fail_point::reach("removed");
        if let (Some(path), Some(mark)) = (path, &mark) {
            delete_unless_taken(repository, record, path, mark)?;
        }
    }
    crate::fail_point::reach("deleted");
    store.delete(&mark.into_iter().collect::<Vec<_>>())?;
    outcome?;
    Ok(())
}

/// Judges again, now that nobody else can write: the dataset may have been replaced, or recorded in a composition.
fn check_again(
    repository: &Repository,
    transaction: &dyn Transaction,
    record: &DatasetRecord,
    asked: &Asked,
    options: &RemoveOptions,
) -> Result<()> {
    let now = transaction.find_ids(&[record.id])?.pop().flatten();
    let is_same = now.is_some_and(|now| {
        let place = |record: &DatasetRecord| {
            let artifact = record.artifact.as_ref();
            artifact.and_then(|artifact| artifact.location.clone())
        };
        now.state == record.state && place(&now) == place(record)
    });
    if !is_same {
        return Err(Error::Raced {
            asked: asked.clone(),
            repository: repository.name().to_owned(),
        });
    }
    let users: Vec<Asked> = transaction
        .find_users(&ids_in_records(record))?
        .into_iter()
        .flatten()
        .map(|user| Asked::new(user.dataset_type(), &user.data_id))
        .collect();
    if users.is_empty() || options.force {
        return Ok(());
    }
    Err(Error::InUse {
        asked: asked.clone(),
        users,
    })
}

/// Whether there is a file to delete, which is this dataset's alone.
fn is_deletable(
    repository: &Repository,
    record: &DatasetRecord,
    path: &ArtifactPath,
) -> Result<bool> {
    Ok(same(repository, path)?.is_some() && !shares_its_file(repository, record, path)?)
}

/// Deletes an artifact, unless another process has put a new one in its place since the removal was committed.
fn delete_unless_taken(
    repository: &Repository,
    record: &DatasetRecord,
    path: ArtifactPath,
    mark: &ArtifactPath,
) -> Result<()> {
    // Nobody puts anything there until this is over.
    let turn = repository.registry().begin()?;
    let request = FindRequest {
        dataset_type: record.dataset_type().clone(),
        data_id: record.data_id.clone(),
        limit: 1,
    };
    let is_free = turn.find_many(&[request])?.iter().all(Vec::is_empty);
    if is_free && same(repository, &path)? == same(repository, mark)? {
        repository.store().delete(&[path])?;
    }
    Ok(())
}

/// What tells files apart, if there is one; the inner value is `None` where the store does not know.
fn same(repository: &Repository, path: &ArtifactPath) -> Result<Option<Option<(u64, u64)>>> {
    let location = Location::Inside(path.clone());
    let stat = repository.store().stat_many(&[location])?.pop().flatten();
    Ok(stat.map(|stat| stat.same))
}
