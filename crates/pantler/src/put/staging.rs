//! Writes artifacts under staged names, where nobody sees them, and makes them durable there.

use std::fs::File;

use pantler_core::store::Staged;
use pantler_core::{ArtifactPath, DatasetId, Store};
use rayon::prelude::*;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::own_names::staging_path;

use super::{Content, Write};

/// An artifact with its staged name.
pub(super) struct StagedWrite {
    pub(super) write: Write,
    pub(super) staged: Option<ArtifactPath>,
    /// The number of the act that it is of.
    pub(super) act: usize,
}

/// From this many on, artifacts are staged side by side.
const WORTH_THREADS: usize = 16;

/// Stages artifacts of one act, not yet durably. Those that were staged before one failed stand in `staged`.
pub(super) fn stage_all(
    store: &dyn Store,
    writes: Vec<Write>,
    act: usize,
    staged: &mut Vec<StagedWrite>,
) -> Result<()> {
    let first = staged.len();
    let mut outcome = Ok(());
    if writes.len() < WORTH_THREADS {
        for write in writes {
            staged.push(stage_one(store, write, act)?);
            crate::fail_point::reach("staging");
        }
    } else {
        let all: Vec<Result<StagedWrite>> = writes
            .into_par_iter()
            .map(|write| stage_one(store, write, act))
            .collect();
        for one in all {
            match one {
                Ok(one) => staged.push(one),
                Err(error) => outcome = outcome.and(Err(error)),
            }
        }
    }
    outcome?;
    for index in first..staged.len() {
        let (before, rest) = staged.split_at_mut(index);
        if let [StagedWrite { write, .. }, ..] = rest
            && matches!(write.content, Content::Beside)
        {
            take_after_the_first(write, before);
        }
    }
    Ok(())
}

fn stage_one(store: &dyn Store, mut write: Write, act: usize) -> Result<StagedWrite> {
    // Not under its identity: a put that is repeated gives the same one, and may find the name of the first attempt.
    let path = staging_path(DatasetId::new(Uuid::now_v7()), &write.path)?;
    let mut note = |done: Staged| {
        write.bytes = done.bytes;
        write.digest = Some(done.digest);
    };
    let staged = match &write.content {
        Content::Memory(bytes) => {
            note(store.stage(&path, &mut bytes.as_ref())?);
            Some(path)
        }
        Content::Copy(file) => {
            let mut open = File::open(file).map_err(|source| Error::io("read", file, source))?;
            note(store.stage(&path, &mut open)?);
            Some(path)
        }
        Content::Link(file) => {
            let stat = store.adopt(file, &path)?;
            write.bytes = stat.bytes;
            write.modified = stat.modified;
            Some(path)
        }
        Content::InPlace { .. } | Content::Beside | Content::Staged => None,
    };
    if staged.is_some() {
        // What is written need not be kept in memory until a large batch is committed.
        write.content = Content::Staged;
    }
    Ok(StagedWrite { write, staged, act })
}

/// Several datasets may lie in one file, which is staged once: what is known of it is known of all.
fn take_after_the_first(write: &mut Write, staged: &[StagedWrite]) {
    // It stands a little before them.
    let mut before = staged.iter().rev();
    let first = before.find(|other| other.write.path == write.path);
    if let Some(StagedWrite { write: first, .. }) = first {
        write.bytes = first.bytes;
        write.digest = first.digest;
        write.modified = first.modified;
    }
}
