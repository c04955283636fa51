//! Writes artifacts under staged names, where nobody sees them, and makes them durable there.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use pantler_core::store::Staged;
use pantler_core::{ArtifactPath, DatasetId, Store};
use rayon::prelude::*;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
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

/// How the artifacts of one act are staged.
pub(super) struct Staging<'a> {
    pub(super) store: &'a dyn Store,
    /// The number of the act.
    pub(super) act: usize,
    pub(super) interrupt: &'a Interrupt,
}

impl Staging<'_> {
    /// Stages artifacts, not yet durably. Those that were staged before one failed stand in `staged`.
    pub(super) fn stage_all(
        &self,
        writes: Vec<Write>,
        staged: &mut Vec<StagedWrite>,
    ) -> Result<()> {
        let first = staged.len();
        if writes.len() < WORTH_THREADS {
            for write in writes {
                staged.push(self.stage_one(write, &|| self.interrupt.check())?);
                crate::fail_point::reach("staging");
            }
        } else {
            self.stage_side_by_side(writes, staged)?;
        }
        share_what_is_known(staged, first);
        Ok(())
    }

    fn stage_side_by_side(&self, writes: Vec<Write>, staged: &mut Vec<StagedWrite>) -> Result<()> {
        let mut all: Vec<Result<StagedWrite>> = Vec::new();
        let outcome = self.interrupt.while_working(|stop| {
            writes
                .into_par_iter()
                .map(|write| self.stage_one(write, &|| stop.check()))
                .collect_into_vec(&mut all);
            Ok(())
        });
        // What was staged before it was interrupted, or before one failed, has to be taken back.
        all.into_iter().fold(outcome, |outcome, one| match one {
            Ok(one) => {
                staged.push(one);
                outcome
            }
            Err(error) => outcome.and(Err(error)),
        })
    }

    /// Stages one artifact; `wanted` is asked before it and while a file is copied.
    fn stage_one(&self, mut write: Write, wanted: &dyn Fn() -> Result<()>) -> Result<StagedWrite> {
        wanted()?;
        // Not under its identity: a put that is repeated gives the same one, and may find the name of the first attempt.
        let path = staging_path(DatasetId::new(Uuid::now_v7()), &write.path)?;
        let mut note = |done: Staged| {
            write.bytes = done.bytes;
            write.digest = Some(done.digest);
        };
        let staged = match &write.content {
            Content::Memory(bytes) => {
                note(self.store.stage(&path, &mut bytes.as_ref())?);
                Some(path)
            }
            Content::Copy(file) => {
                note(self.copy(file, &path, wanted)?);
                Some(path)
            }
            Content::Link(file) => {
                let stat = self.store.adopt(file, &path)?;
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
        Ok(StagedWrite {
            write,
            staged,
            act: self.act,
        })
    }

    fn copy(
        &self,
        file: &Path,
        path: &ArtifactPath,
        wanted: &dyn Fn() -> Result<()>,
    ) -> Result<Staged> {
        let open = File::open(file).map_err(|source| Error::io("read", file, source))?;
        let mut content = WhileWanted {
            file: open,
            wanted,
            ended: false,
        };
        let staged = self.store.stage(path, &mut content);
        match content.ended {
            true => Err(Error::Interrupted),
            false => Ok(staged?),
        }
    }
}

/// A file that ends with an error once nobody wants it any more.
struct WhileWanted<'a> {
    file: File,
    wanted: &'a dyn Fn() -> Result<()>,
    ended: bool,
}

impl Read for WhileWanted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if (self.wanted)().is_err() {
            self.ended = true;
            return Err(io::Error::other("interrupted"));
        }
        self.file.read(buffer)
    }
}

/// Several datasets may lie in one file, which is staged once: what is known of it is known of all.
fn share_what_is_known(staged: &mut [StagedWrite], first: usize) {
    for index in first..staged.len() {
        let (before, rest) = staged.split_at_mut(index);
        if let [StagedWrite { write, .. }, ..] = rest
            && matches!(write.content, Content::Beside)
        {
            take_after_the_first(write, before);
        }
    }
}

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
