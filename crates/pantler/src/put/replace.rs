//! The second act of a put that replaces: the old artifact goes aside, the new one takes its path.
//!
//! A path cannot change in the same instant as a registry, so each record points, at every instant, at a file that
//! holds what the record says: the new one first where it is staged, the old one aside. All that moves a path holds the
//! registry's one write transaction, so that two that replace the same dataset, or a repairing check, cannot undo each other.

use std::ops::ControlFlow;

use pantler_core::registry::{State, Transaction};
use pantler_core::store::{Link, OnExisting};
use pantler_core::template::Template;
use pantler_core::{ArtifactPath, DataId, DatasetId, DatasetRecord, Location, Store};

use crate::candidates::Found;
use crate::error::{Asked, Result};
use crate::own_names::{is_staged, superseded_path};
use crate::planner::locate;
use crate::repository::Repository;
use crate::taken_part::ids_in_records;

use super::Write;
use super::staging::StagedWrite;
use super::undoing::keep_replacements;

/// Gives replaced artifacts names aside, and tells the registry.
pub(super) fn supersede(
    store: &dyn Store,
    transaction: &mut dyn Transaction,
    replaced: &[&Found],
) -> Result<()> {
    let mut links = Vec::new();
    let mut moved = Vec::new();
    for old in replaced {
        let record = &old.record;
        if record.artifact.is_none() {
            transaction.remove(&[record.id])?;
            continue;
        }
        let asked = Asked::new(record.dataset_type(), &record.data_id);
        let (location, _) = locate(record, &asked)?;
        let aside = match location {
            Location::Outside(_) => location,
            Location::Inside(path) => {
                let aside = superseded_path(record.id, &path)?;
                links.push(Link {
                    from: path,
                    to: aside.clone(),
                    existing: OnExisting::Replace,
                });
                Location::Inside(aside)
            }
        };
        moved.push((record.id, aside));
    }
    if !links.is_empty() {
        store.link(&links)?;
        let asides: Vec<ArtifactPath> = links.into_iter().map(|link| link.to).collect();
        store.sync(&asides)?;
        crate::fail_point::reach("aside");
    }
    for (id, aside) in &moved {
        transaction.supersede(*id, aside)?;
    }
    Ok(())
}

/// Whether a replacing artifact may take its path without asking what lies there: it is where the old one lies, alone.
pub(super) fn inherits_path(repository: &Repository, write: &Write, old: &Found) -> Result<bool> {
    let place = Location::Inside(write.path.clone());
    Ok(place_of(&old.record)? == place && !shares_its_file(repository, &old.record, &write.path)?)
}

/// Where a dataset's artifact lies, or will lie once an interrupted replacement is finished.
pub(super) fn place_of(record: &DatasetRecord) -> Result<Location> {
    let asked = Asked::new(record.dataset_type(), &record.data_id);
    let (location, _) = locate(record, &asked)?;
    match location.inside() {
        Some(path) if is_staged(path) => {
            Ok(path_of_template(record).map_or(location, Location::Inside))
        }
        _ => Ok(location),
    }
}

/// The path that a dataset's own template gives.
pub(crate) fn path_of_template(record: &DatasetRecord) -> Option<ArtifactPath> {
    let template = Template::parse(record.definition.template.as_deref()?).ok()?;
    Some(template.fill(&record.data_id).ok()?.path)
}

/// Whether other datasets lie in the same file, as a template with an HDU allows.
pub(crate) fn shares_its_file(
    repository: &Repository,
    record: &DatasetRecord,
    path: &ArtifactPath,
) -> Result<bool> {
    let template = record.definition.template.as_deref().map(Template::parse);
    if !matches!(template, Some(Ok(template)) if template.has_hdu()) {
        return Ok(false);
    }
    let mut shared = false;
    let of_type = Some(record.dataset_type());
    let mut look = |other: DatasetRecord| {
        let asked = Asked::new(other.dataset_type(), &other.data_id);
        shared = other.id != record.id
            && locate(&other, &asked).is_ok_and(|(place, _)| place.inside() == Some(path));
        match shared {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    };
    let registry = repository.registry();
    registry.visit(of_type, &DataId::default(), &mut look)?;
    Ok(shared)
}

/// Moves replaced datasets from where they were staged to where their templates put them, and drops old ones that nobody
/// uses.
pub(super) fn finish_replacements(repository: &Repository, staged: &mut [StagedWrite]) {
    let mut old = Vec::new();
    let mut waiting = Vec::new();
    for each in staged.iter() {
        if let (Some(from), Some(replaced)) = (&each.staged, &each.write.replaces) {
            old.push(replaced.record.id);
            waiting.push((each.write.id, from.clone(), each.write.path.clone()));
        }
    }
    if old.is_empty() {
        return;
    }
    let settled = settle(repository, &waiting);
    if settled.is_err() {
        // It is complete where it is staged, and the registry says so; fsck moves it later.
        keep_replacements(staged);
        return;
    }
    let removed = drop_unused(repository, &old).unwrap_or_default();
    crate::fail_point::reach("dropped");
    let _ = repository.store().delete(&removed);
}

/// Moves datasets that are committed at staged names to their final paths: each its identity, from where, to where. One that
/// is there no longer is left alone.
pub(crate) fn settle(
    repository: &Repository,
    waiting: &[(DatasetId, ArtifactPath, ArtifactPath)],
) -> Result<()> {
    let store = repository.store();
    // The paths are moved while nobody else can write: another process may have replaced a dataset once more, and then its
    // path is that one's.
    let mut transaction = repository.registry().begin()?;
    let ids: Vec<DatasetId> = waiting.iter().map(|(id, ..)| *id).collect();
    let found = transaction.find_ids(&ids)?;
    let is_here = |record: &DatasetRecord, from: &ArtifactPath| {
        let place = record.artifact.as_ref();
        let place = place.and_then(|artifact| artifact.location.as_ref());
        record.state == State::Current && place.and_then(Location::inside) == Some(from)
    };
    let here: Vec<&(DatasetId, ArtifactPath, ArtifactPath)> = waiting
        .iter()
        .zip(&found)
        .filter(|((_, from, _), found)| found.as_ref().is_some_and(|record| is_here(record, from)))
        .map(|(each, _)| each)
        .collect();
    if here.is_empty() {
        return Ok(());
    }
    let links = here.iter().map(|(_, from, to)| Link {
        from: from.clone(),
        to: to.clone(),
        existing: OnExisting::Replace,
    });
    store.link(&links.collect::<Vec<Link>>())?;
    let paths: Vec<ArtifactPath> = here.iter().map(|(_, _, to)| to.clone()).collect();
    store.sync(&paths)?;
    crate::fail_point::reach("settling");
    for (id, ..) in here {
        transaction.relocate(*id, None)?;
    }
    transaction.commit()?;
    Ok(())
}

/// Removes superseded datasets that no composition uses; returns their artifacts.
pub(crate) fn drop_unused(repository: &Repository, ids: &[DatasetId]) -> Result<Vec<ArtifactPath>> {
    let mut transaction = repository.registry().begin()?;
    let mut unused = Vec::new();
    for record in transaction.find_ids(ids)?.into_iter().flatten() {
        let users = transaction.find_users(&ids_in_records(&record))?;
        if record.state == State::Superseded && users.iter().all(Vec::is_empty) {
            unused.push(record);
        }
    }
    let ids: Vec<DatasetId> = unused.iter().map(|record| record.id).collect();
    transaction.remove(&ids)?;
    transaction.commit()?;
    Ok(unused
        .into_iter()
        .filter_map(|record| record.artifact?.location?.inside().cloned())
        .collect())
}
