//! Removes datasets: the registry's rows first, then the artifacts, so that a crash leaves a leftover and never a gap.

use pantler_core::store::{Link, OnExisting};
use pantler_core::{ArtifactPath, DataId, DatasetRecord, Location};

use crate::candidates::Candidates;
use crate::complete::complete;
use crate::error::{Asked, Error, Result};
use crate::planner::{Planner, locate};
use crate::put::commit::staging_path;
use crate::repository::Repository;
use crate::resolve::{check_keys, resolve};

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
    if !resolved.part.is_empty() {
        return Err(Error::request(format!(
            "`{name}` is a part of `{}`, and only whole datasets can be removed",
            resolved.dataset_type
        )));
    }
    let graph = planner.graph(&resolved)?;
    check_keys(chain, &resolved.asked, &resolved.data_id, &graph.keys)?;
    let candidates = Candidates::find(chain, &graph, &resolved.data_id)?;
    let data_id = complete(
        chain,
        &candidates,
        &graph,
        &resolved.asked,
        &resolved.data_id,
    )?;
    let asked = Asked::new(&graph.dataset_type, &data_id);
    let found = candidates
        .of_type(&graph.dataset_type)
        .iter()
        .find(|found| found.repository == output && found.record.data_id == data_id)
        .map(|found| found.record.clone());
    let Some(record) = found else {
        return Err(Error::NothingToRemove {
            elsewhere: candidates
                .of_type(&graph.dataset_type)
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
    let store = repository.store();
    let users: Vec<Asked> = repository
        .registry()
        .find_users(&[record.id])?
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
    // Named as pantler's own first, so that a crash after the commit leaves what fsck may clear.
    let mark = match &path {
        Some(path) if exists(repository, path)? => {
            let mark = staging_path(record.id)?;
            store.link(&[Link {
                from: path.clone(),
                to: mark.clone(),
                existing: OnExisting::Replace,
            }])?;
            store.sync(std::slice::from_ref(&mark))?;
            Some(mark)
        }
        _ => None,
    };
    let mut transaction = repository.registry().begin()?;
    let outcome = transaction
        .remove(&[record.id])
        .and_then(|()| transaction.commit());
    if outcome.is_ok() {
        crate::fail_point::reach("removed");
        let gone: Vec<ArtifactPath> = path.into_iter().collect();
        store.delete(&gone)?;
    }
    store.delete(&mark.into_iter().collect::<Vec<_>>())?;
    outcome?;
    Ok(result)
}

fn exists(repository: &Repository, path: &ArtifactPath) -> Result<bool> {
    let location = Location::Inside(path.clone());
    Ok(repository
        .store()
        .stat_many(&[location])?
        .into_iter()
        .flatten()
        .next()
        .is_some())
}
