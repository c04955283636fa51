//! Judges again what was decided, while nobody else can write: another process may have put, replaced or removed something
//! since.
//!
//! The commit of a put calls it inside the registry's transaction. It changes nothing.

use std::collections::HashSet;

use pantler_core::registry::{FindRequest, State, Transaction};
use pantler_core::{DataId, DatasetId, DatasetRecord};

use crate::error::{Asked, Error, Result};
use crate::repository::Repository;

use super::commit::Composed;
use super::staging::StagedWrite;

/// Judges conflicts again, now that nobody else can write: another process may have put the same in the meantime.
pub(super) fn check_again(
    repository: &Repository,
    transaction: &dyn Transaction,
    staged: &[StagedWrite],
    composed: &[Composed],
) -> Result<()> {
    // What is found by its identity alone is in nobody's way.
    let writes = || {
        let all = staged.iter().map(|each| &each.write);
        all.filter(|write| write.state == State::Current)
    };
    let compositions = || {
        let all = composed.iter().map(|each| &each.composition);
        all.filter(|composition| composition.state == State::Current)
    };
    let mut requests = Vec::new();
    let mut request = |dataset_type: &pantler_core::TypeName, data_id: &DataId| {
        requests.push(FindRequest {
            dataset_type: dataset_type.clone(),
            data_id: data_id.clone(),
            limit: 1,
        });
    };
    for write in writes() {
        request(&write.definition.dataset_type, &write.data_id);
    }
    for composition in compositions() {
        request(&composition.definition.dataset_type, &composition.data_id);
    }
    let raced = |request: &FindRequest| Error::Raced {
        asked: Asked::new(&request.dataset_type, &request.data_id),
        repository: repository.name().to_owned(),
    };
    let answers = transaction.find_many(&requests)?;
    let expected = writes()
        .map(|write| &write.replaces)
        .chain(compositions().map(|composition| &composition.replaces));
    for ((request, answer), expected) in requests.iter().zip(answers).zip(expected) {
        let expected = expected.as_ref().map(|expected| expected.record.as_ref());
        match (answer.first(), expected) {
            (None, None) => {}
            (Some(found), Some(expected)) if is_where_it_was(found, expected) => {}
            // What was to be replaced is of another type, or has gone.
            (None, Some(old)) if is_current(transaction, old)? => {}
            _ => return Err(raced(request)),
        }
    }
    let own: HashSet<DatasetId> = staged
        .iter()
        .map(|each| each.write.id)
        .chain(composed.iter().map(|each| each.composition.id))
        .collect();
    check_members(repository, transaction, composed, &own)
}

fn is_current(transaction: &dyn Transaction, old: &DatasetRecord) -> Result<bool> {
    let found = transaction
        .find_ids(&[old.id])?
        .into_iter()
        .flatten()
        .next();
    Ok(found.is_some_and(|now| now.state == State::Current && is_where_it_was(&now, old)))
}

/// Whether a dataset is still the one that was seen, and its artifact has not been moved.
fn is_where_it_was(now: &DatasetRecord, seen: &DatasetRecord) -> bool {
    let place = |record: &DatasetRecord| {
        let artifact = record.artifact.as_ref();
        artifact.map(|artifact| artifact.location.clone())
    };
    now.id == seen.id && place(now) == place(seen)
}

/// A dataset that a composition was to be made of may have been removed, or replaced and dropped, in the meantime. `own` are
/// those that come with it.
fn check_members(
    repository: &Repository,
    transaction: &dyn Transaction,
    composed: &[Composed],
    own: &HashSet<DatasetId>,
) -> Result<()> {
    let needed = |each: &Composed| -> Vec<DatasetId> {
        let here = each.composition.here.iter();
        here.filter(|id| !own.contains(id)).copied().collect()
    };
    let wanted: Vec<DatasetId> = composed.iter().flat_map(needed).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let found = transaction.find_ids(&wanted)?;
    let gone: HashSet<&DatasetId> = wanted
        .iter()
        .zip(&found)
        .filter_map(|(id, found)| found.is_none().then_some(id))
        .collect();
    let lacking = composed
        .iter()
        .map(|each| &each.composition)
        .find(|composition| composition.here.iter().any(|id| gone.contains(id)));
    match lacking {
        Some(composition) => Err(Error::Raced {
            asked: Asked::new(&composition.definition.dataset_type, &composition.data_id),
            repository: repository.name().to_owned(),
        }),
        None => Ok(()),
    }
}
