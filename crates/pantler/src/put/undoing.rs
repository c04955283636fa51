//! Takes back the final paths of a put that failed, as far as it is certain that they are its own and that nobody was told of
//! them.
//!
//! Where that is not certain, the staged names stay: by them a check of the repository knows the artifacts again.

use pantler_core::store::Link;
use pantler_core::{ArtifactPath, Location, Store};

use crate::error::Result;
use crate::repository::Repository;

use super::staging::StagedWrite;

/// Removes the final paths of a put that failed, if they are its own. The caller holds the write transaction.
pub(super) fn undo_links(store: &dyn Store, links: &[Link], staged: &mut [StagedWrite]) {
    let undone = paths_of_ours(store, links).and_then(|paths| Ok(store.delete(&paths)?));
    if undone.is_err() {
        keep_all(staged);
    }
}

/// Undoes a put whose commit failed. Whether such a commit took place is not known here; the registry is asked first.
pub(super) fn undo_unless_recorded(
    repository: &Repository,
    links: &[Link],
    staged: &mut [StagedWrite],
) {
    let Some(first) = staged.first().map(|each| each.write.id) else {
        return;
    };
    // Until the end of this function nobody else can take the paths.
    let turn = repository.registry().begin();
    let recorded = turn.as_ref().map(|turn| turn.find_ids(&[first]));
    match recorded {
        Ok(Ok(found)) if found.iter().all(Option::is_none) => {
            undo_links(repository.store(), links, staged);
        }
        Ok(Ok(_)) => keep_replacements(staged),
        _ => keep_all(staged),
    }
}

/// The final paths that are the staged artifacts.
fn paths_of_ours(store: &dyn Store, links: &[Link]) -> Result<Vec<ArtifactPath>> {
    let mut paths = Vec::new();
    for link in links {
        let both = [
            Location::Inside(link.from.clone()),
            Location::Inside(link.to.clone()),
        ];
        if let [Some(from), Some(to)] = store.stat_many(&both)?.as_slice()
            && from.same.is_some()
            && from.same == to.same
        {
            paths.push(link.to.clone());
        }
    }
    Ok(paths)
}

/// A staged name that the registry points at must stay.
pub(super) fn keep_replacements(staged: &mut [StagedWrite]) {
    for each in staged
        .iter_mut()
        .filter(|each| each.write.replaces.is_some())
    {
        each.staged = None;
    }
}

/// Where it is not known what has happened all staged names must stay: by them fsck knows the artifacts again.
fn keep_all(staged: &mut [StagedWrite]) {
    for each in staged {
        each.staged = None;
    }
}
