//! The rows of a put: what the registry is told of each artifact and each composition, inside its transaction.

use pantler_core::registry::{ArtifactRecord, DatasetRecord, Provenance, State, Transaction};
use pantler_core::{ArtifactPath, DatasetId, Location, Store};

use crate::candidates::Found;
use crate::error::Result;

use super::commit::Composed;
use super::replace::supersede;
use super::staging::StagedWrite;
use super::{Composition, Content, Write};

/// Inserts the rows of all acts, each act's with its own provenance.
pub(super) fn insert_all(
    store: &dyn Store,
    transaction: &mut dyn Transaction,
    staged: &[StagedWrite],
    composed: &[Composed],
    acts: &[Provenance],
) -> Result<()> {
    let replaced = staged
        .iter()
        .filter_map(|each| each.write.replaces.as_ref());
    supersede(store, transaction, &replaced.collect::<Vec<&Found>>())?;
    let replaced = composed.iter();
    let replaced: Vec<DatasetId> = replaced
        .filter_map(|each| Some(each.composition.replaces.as_ref()?.record.id))
        .collect();
    if !replaced.is_empty() {
        transaction.remove(&replaced)?;
    }
    let mut rows: Vec<Vec<DatasetRecord>> = vec![Vec::new(); acts.len()];
    let artifacts = staged.iter();
    let artifacts = artifacts.map(|each| (each.act, row_of(&each.write, each.staged.as_ref())));
    let compositions = composed.iter();
    let compositions = compositions.map(|each| (each.act, row_of_composition(&each.composition)));
    for (act, row) in artifacts.chain(compositions) {
        if let Some(rows) = rows.get_mut(act) {
            rows.push(row);
        }
    }
    for (rows, provenance) in rows.iter().zip(acts) {
        if !rows.is_empty() {
            transaction.insert(rows, provenance)?;
        }
    }
    Ok(())
}

/// The row of a composition.
pub(super) fn row_of_composition(composition: &Composition) -> DatasetRecord {
    DatasetRecord {
        id: composition.id,
        data_id: composition.data_id.clone(),
        definition: composition.definition.clone(),
        artifact: None,
        members: composition.members.clone(),
        precursors: composition.precursors.clone(),
        metadata: composition.facts.metadata.clone(),
        footprint: composition.facts.footprint.clone(),
        state: composition.state,
    }
}

/// The row of an artifact as long as it lies under its staged name.
pub(super) fn row_while_staged(each: &StagedWrite) -> DatasetRecord {
    let mut row = row_of(&each.write, each.staged.as_ref());
    if let (Some(artifact), Some(staged)) = (&mut row.artifact, &each.staged) {
        artifact.location = Some(Location::Inside(staged.clone()));
    }
    row
}

fn row_of(write: &Write, staged: Option<&ArtifactPath>) -> DatasetRecord {
    let location = match (&write.content, &write.replaces, staged) {
        (Content::InPlace { location }, _, _) => location.clone(),
        // Where it is staged, until the template's path is free.
        (_, Some(_), Some(staged)) => Some(Location::Inside(staged.clone())),
        // The template's path is that of what its data ID means.
        _ if write.state == State::Superseded => Some(Location::Inside(write.path.clone())),
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
        precursors: write.precursors.clone(),
        metadata: write.facts.metadata.clone(),
        footprint: write.facts.footprint.clone(),
        state: write.state,
    }
}
