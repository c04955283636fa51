//! Writes artifacts under staged names, where nobody sees them, and makes them durable there.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use bytes::Bytes;
use pantler_core::store::{RangeRequest, Staged};
use pantler_core::{ArtifactPath, DatasetId, Location, Store, StoreError};
use rayon::prelude::*;
use uuid::Uuid;

use crate::error::{Asked, Error, Result};
use crate::interrupt::Interrupt;
use crate::own_names::staging_path;
use crate::repository::Repository;

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

/// How artifacts are staged.
pub(super) struct Staging<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) interrupt: &'a Interrupt,
}

impl Staging<'_> {
    /// Stages artifacts, each of the act of that number, not yet durably. Those that were staged before one failed stand in `staged`.
    pub(super) fn stage_all(
        &self,
        writes: Vec<(Write, usize)>,
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

    fn stage_side_by_side(
        &self,
        writes: Vec<(Write, usize)>,
        staged: &mut Vec<StagedWrite>,
    ) -> Result<()> {
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
    fn stage_one(
        &self,
        (mut write, act): (Write, usize),
        wanted: &dyn Fn() -> Result<()>,
    ) -> Result<StagedWrite> {
        wanted()?;
        // Not under its identity: a put that is repeated gives the same one, and may find the name of the first attempt.
        let path = staging_path(DatasetId::new(Uuid::now_v7()), &write.path)?;
        let written = match &write.content {
            Content::Memory(bytes) => Some(self.store.stage(&path, &mut bytes.as_ref())?),
            Content::Copy(file) => Some(self.copy(file, &path, wanted)?),
            Content::From(repository, location) => {
                Some(self.copy_from(repository, location, &write, &path, wanted)?)
            }
            Content::Link(_) | Content::InPlace { .. } | Content::Beside | Content::Staged => None,
        };
        let mut is_staged = written.is_some();
        if let Some(written) = written {
            write.bytes = written.bytes;
            write.digest = Some(written.digest);
        }
        if let Content::Link(file) = &write.content {
            let stat = self.store.adopt(file, &path)?;
            write.bytes = stat.bytes;
            write.modified = stat.modified;
            is_staged = true;
        }
        if is_staged {
            // What is written need not be kept in memory until a large batch is committed.
            write.content = Content::Staged;
        }
        Ok(StagedWrite {
            write,
            staged: is_staged.then_some(path),
            act,
        })
    }

    fn copy(
        &self,
        file: &Path,
        path: &ArtifactPath,
        wanted: &dyn Fn() -> Result<()>,
    ) -> Result<Staged> {
        let open = File::open(file).map_err(|source| Error::io("read", file, source))?;
        self.stage_while_wanted(open, path, wanted)
    }

    fn stage_while_wanted(
        &self,
        file: impl Read,
        path: &ArtifactPath,
        wanted: &dyn Fn() -> Result<()>,
    ) -> Result<Staged> {
        let mut content = WhileWanted {
            file,
            wanted,
            ended: false,
        };
        let staged = self.store.stage(path, &mut content);
        match content.ended {
            true => Err(Error::Interrupted),
            false => Ok(staged?),
        }
    }

    /// Copies an artifact of another repository; what is copied must be what its registry says.
    fn copy_from(
        &self,
        repository: &Repository,
        location: &Location,
        write: &Write,
        path: &ArtifactPath,
        wanted: &dyn Fn() -> Result<()>,
    ) -> Result<Staged> {
        let artifact = ArtifactReader {
            store: repository.store(),
            location,
            place: 0,
            bytes: write.bytes,
            piece: Bytes::new(),
            failure: None,
        };
        let mut artifact = artifact.checked(repository, write)?;
        let staged = self.stage_while_wanted(&mut artifact, path, wanted);
        // What the other repository's store said says more than that reading failed.
        if let Some(failure) = artifact.failure {
            return Err(failure.into());
        }
        let staged = staged?;
        if write.digest.is_some_and(|digest| digest != staged.digest) {
            return Err(Error::ArtifactChanged {
                repository: repository.name().to_owned(),
                location: repository.shown(location),
                why: "its bytes are not those that were recorded".to_owned(),
            });
        }
        Ok(staged)
    }
}

/// So much of an artifact is read at a time.
const PIECE: u64 = 8 << 20;

/// An artifact of a store, read from its beginning to its end.
struct ArtifactReader<'a> {
    store: &'a dyn Store,
    location: &'a Location,
    place: u64,
    bytes: u64,
    piece: Bytes,
    failure: Option<StoreError>,
}

impl<'a> ArtifactReader<'a> {
    /// Makes sure that the artifact is there, as large and as old as its registry says.
    fn checked(self, repository: &Repository, write: &Write) -> Result<ArtifactReader<'a>> {
        let stats = self.store.stat_many(std::slice::from_ref(self.location))?;
        let Some(stat) = stats.into_iter().flatten().next() else {
            let dataset = Asked::new(&write.definition.dataset_type, &write.data_id);
            return Err(Error::ArtifactGone {
                asked: dataset.clone(),
                dataset,
                component: None,
                before: Vec::new(),
                repository: repository.name().to_owned(),
                location: self.location.to_string(),
            });
        };
        let why = if stat.bytes != self.bytes {
            format!("it had {} bytes, and has {} now", self.bytes, stat.bytes)
        } else if write.digest.is_none() && stat.modified != write.modified {
            "its modification time is not that of the ingest".to_owned()
        } else {
            return Ok(self);
        };
        Err(Error::ArtifactChanged {
            repository: repository.name().to_owned(),
            location: repository.shown(self.location),
            why,
        })
    }

    fn next_piece(&mut self) -> std::result::Result<(), StoreError> {
        let end = self.bytes.min(self.place + PIECE);
        let request = RangeRequest {
            location: self.location.clone(),
            ranges: vec![self.place..end],
        };
        let pieces = self.store.read_ranges(&[request])?;
        self.piece = pieces.into_iter().flatten().next().unwrap_or_default();
        self.place = end;
        Ok(())
    }
}

impl Read for ArtifactReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.piece.is_empty() && self.place < self.bytes {
            self.next_piece().map_err(|failure| {
                let told = io::Error::other(failure.to_string());
                self.failure = Some(failure);
                told
            })?;
        }
        let count = self.piece.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.piece.split_to(count));
        Ok(count)
    }
}

/// A file that ends with an error once nobody wants it any more.
struct WhileWanted<'a, F> {
    file: F,
    wanted: &'a dyn Fn() -> Result<()>,
    ended: bool,
}

impl<F: Read> Read for WhileWanted<'_, F> {
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
