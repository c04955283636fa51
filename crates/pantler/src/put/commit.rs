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
use pantler_core::store::{Link, OnExisting, STAGING, Staged, Stat};
use pantler_core::{ArtifactPath, DataId, DatasetId, Location, Store};
use rayon::prelude::*;
use uuid::Uuid;

use crate::error::{Asked, Error, Result};
use crate::own_names::{is_meant_for, staging_path};
use crate::repository::Repository;
use crate::resolve::Resolved;

use super::replace::{finish_replacements, inherits_path, place_of, supersede};
use super::{Composition, Content, Decided, Decision, PutResult, Putter, Write};

impl Putter<'_> {
    /// Carries a decision out.
    pub(super) fn commit(
        &self,
        resolved: &Resolved,
        decided: Decided,
        provenance: &Provenance,
    ) -> Result<PutResult> {
        let (_, repository) = self.planner.chain.output("put")?;
        let decision = decided.decision;
        let is_empty = decision.is_empty();
        if !is_empty {
            self.bring_definitions(&decision)?;
        }
        let result = PutResult {
            name: resolved.asked.name.clone(),
            data_id: decided.data_id,
            written: decided.written,
            unchanged: decision.unchanged,
            input_only: decision.input_only,
            recorded: decided.recorded,
            id: decided.id,
            outputs: Vec::new(),
        };
        if !is_empty {
            let (writes, compositions) = (decision.writes, decision.compositions);
            write_all(repository, writes, compositions, provenance)?;
        }
        Ok(result)
    }

    /// Gives the output the definitions that a decision uses and that it cannot see (rule R7).
    pub(super) fn bring_definitions(&self, decision: &Decision) -> Result<()> {
        let chain = self.planner.chain;
        let (output, repository) = chain.output("put")?;
        if decision.is_empty() {
            return Ok(());
        }
        for (from, definition) in &decision.definitions {
            let visible = *from == output || chain.is_ancestor(*from, output);
            if !visible {
                let recipe = crate::export::recipe_of(chain, definition);
                repository.add_definition(definition, recipe)?;
            }
        }
        Ok(())
    }
}

/// An artifact with its staged name.
pub(super) struct StagedWrite {
    pub(super) write: Write,
    pub(super) staged: Option<ArtifactPath>,
}

/// What one repository is about to get: staged and durable, not yet visible.
pub(super) struct Prepared<'a> {
    repository: &'a Repository,
    staged: Vec<StagedWrite>,
    compositions: Vec<Composition>,
}

impl<'a> Prepared<'a> {
    /// Stages and synchronises the artifacts; what it staged is cleared again if that fails.
    pub(super) fn stage(
        repository: &'a Repository,
        writes: Vec<Write>,
        compositions: Vec<Composition>,
    ) -> Result<Prepared<'a>> {
        let mut prepared = Prepared {
            repository,
            staged: Vec::new(),
            compositions,
        };
        if let Err(error) = stage_all(repository.store(), writes, &mut prepared.staged) {
            prepared.clear();
            return Err(error);
        }
        crate::fail_point::reach("staged");
        Ok(prepared)
    }

    /// Judges what a commit would judge, and changes nothing.
    pub(super) fn check(&self) -> Result<()> {
        let transaction = self.repository.registry().begin()?;
        check_again(
            self.repository,
            transaction.as_ref(),
            &self.staged,
            &self.compositions,
        )?;
        links_to(self.repository, transaction.as_ref(), &self.staged)?;
        Ok(())
    }

    /// Makes it visible and records it, all or nothing.
    pub(super) fn commit(&mut self, provenance: &Provenance) -> Result<()> {
        record_all(
            self.repository,
            &mut self.staged,
            &self.compositions,
            provenance,
        )
    }

    /// Removes the staged names. What a failed put leaves in the staging folder is cleared here if the store still answers,
    /// else by fsck. If the put has happened, a staged name that stays is a leftover and no failure.
    pub(super) fn clear(self) {
        let names: Vec<ArtifactPath> = self
            .staged
            .into_iter()
            .filter_map(|each| each.staged)
            .collect();
        let _ = self.repository.store().delete(&names);
    }
}

/// Writes artifacts and records into one repository, all or nothing.
pub(crate) fn write_all(
    repository: &Repository,
    writes: Vec<Write>,
    compositions: Vec<Composition>,
    provenance: &Provenance,
) -> Result<()> {
    let mut prepared = Prepared::stage(repository, writes, compositions)?;
    let outcome = prepared.commit(provenance);
    prepared.clear();
    outcome
}

/// From this many on, artifacts are staged side by side.
const WORTH_THREADS: usize = 16;

fn stage_all(store: &dyn Store, writes: Vec<Write>, staged: &mut Vec<StagedWrite>) -> Result<()> {
    let mut outcome = Ok(());
    if writes.len() < WORTH_THREADS {
        for write in writes {
            staged.push(stage_one(store, write)?);
            crate::fail_point::reach("staging");
        }
    } else {
        let all: Vec<Result<StagedWrite>> = writes
            .into_par_iter()
            .map(|write| stage_one(store, write))
            .collect();
        for one in all {
            match one {
                Ok(one) => staged.push(one),
                Err(error) => outcome = outcome.and(Err(error)),
            }
        }
    }
    outcome?;
    for index in 0..staged.len() {
        let (before, rest) = staged.split_at_mut(index);
        if let [StagedWrite { write, .. }, ..] = rest
            && matches!(write.content, Content::Beside)
        {
            take_after_the_first(write, before);
        }
    }
    let names: Vec<ArtifactPath> = staged
        .iter()
        .filter_map(|each| each.staged.clone())
        .collect();
    store.sync(&names)?;
    Ok(())
}

fn stage_one(store: &dyn Store, mut write: Write) -> Result<StagedWrite> {
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
        Content::InPlace { .. } | Content::Beside => None,
    };
    Ok(StagedWrite { write, staged })
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

fn record_all(
    repository: &Repository,
    staged: &mut [StagedWrite],
    compositions: &[Composition],
    provenance: &Provenance,
) -> Result<()> {
    let store = repository.store();
    let mut transaction = repository.registry().begin()?;
    check_again(repository, transaction.as_ref(), staged, compositions)?;
    let mut links = links_to(repository, transaction.as_ref(), staged)?;
    if links
        .iter()
        .any(|link| link.existing == OnExisting::Replace)
    {
        drop(transaction);
        repository.bury_the_dead()?;
        transaction = repository.registry().begin()?;
        check_again(repository, transaction.as_ref(), staged, compositions)?;
        links = links_to(repository, transaction.as_ref(), staged)?;
    }
    if let Err(error) = link_all(store, &links) {
        undo_links(store, &links, staged);
        return Err(error);
    }
    crate::fail_point::reach("linked");
    let inserted = insert_all(
        store,
        transaction.as_mut(),
        staged,
        compositions,
        provenance,
    );
    if let Err(error) = inserted {
        // Before the transaction ends: afterwards the paths may be another process's.
        undo_links(store, &links, staged);
        return Err(error);
    }
    crate::fail_point::reach("inserted");
    if let Err(error) = transaction.commit() {
        undo_unless_recorded(repository, &links, staged);
        return Err(error.into());
    }
    crate::fail_point::reach("committed");
    finish_replacements(repository, staged);
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
    let raced = |request: &FindRequest| Error::Raced {
        asked: Asked::new(&request.dataset_type, &request.data_id),
        repository: repository.name().to_owned(),
    };
    let answers = transaction.find_many(&requests)?;
    let expected = staged
        .iter()
        .map(|each| &each.write.replaces)
        .chain(compositions.iter().map(|composition| &composition.replaces));
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
    check_members(repository, transaction, compositions)
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

/// A dataset that a composition was to be made of may have been removed, or replaced and dropped, in the meantime.
fn check_members(
    repository: &Repository,
    transaction: &dyn Transaction,
    compositions: &[Composition],
) -> Result<()> {
    for composition in compositions {
        if composition.here.is_empty() {
            continue;
        }
        let found = transaction.find_ids(&composition.here)?;
        if found.iter().any(Option::is_none) {
            return Err(Error::Raced {
                asked: Asked::new(&composition.definition.dataset_type, &composition.data_id),
                repository: repository.name().to_owned(),
            });
        }
    }
    Ok(())
}

/// Returns the names that are to be made, after a look at what lies there.
fn links_to(
    repository: &Repository,
    transaction: &dyn Transaction,
    staged: &[StagedWrite],
) -> Result<Vec<Link>> {
    let mut links = Vec::new();
    for StagedWrite { write, staged } in staged {
        let Some(from) = staged else {
            continue;
        };
        if let Some(old) = &write.replaces
            && inherits_path(repository, write, old)?
        {
            continue;
        }
        let existing = match what_is_there(repository, transaction, write, from)? {
            There::Nothing => OnExisting::Refuse,
            There::Leftover => OnExisting::Replace,
            There::Same => continue,
        };
        // What replaces is linked when its predecessor is out of the way.
        if write.replaces.is_none() {
            links.push(Link {
                from: from.clone(),
                to: write.path.clone(),
                existing,
            });
        }
    }
    Ok(links)
}

/// Makes the new artifacts visible at their final paths, and durable there.
fn link_all(store: &dyn Store, links: &[Link]) -> Result<()> {
    store.link(links)?;
    crate::fail_point::reach("named");
    let paths: Vec<ArtifactPath> = links.iter().map(|link| link.to.clone()).collect();
    store.sync(&paths)?;
    Ok(())
}

/// Removes the final paths of a put that failed, if they are its own. The caller holds the write transaction.
fn undo_links(store: &dyn Store, links: &[Link], staged: &mut [StagedWrite]) {
    let undone = paths_of_ours(store, links).and_then(|paths| Ok(store.delete(&paths)?));
    if undone.is_err() {
        keep_all(staged);
    }
}

/// Undoes a put whose commit failed. Whether such a commit took place is not known here; the registry is asked first.
fn undo_unless_recorded(repository: &Repository, links: &[Link], staged: &mut [StagedWrite]) {
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

/// What lies at the path of a new artifact.
enum There {
    Nothing,
    /// What a crashed put linked and did not record.
    Leftover,
    /// A file of somebody's that has the very same content: it becomes the artifact as it lies there.
    Same,
}

/// Decides about a file that lies at the final path: another dataset's is refused, a crashed put's is replaced, one that
/// nobody knows is left alone, and taken only if it is the very same (rule R8).
fn what_is_there(
    repository: &Repository,
    transaction: &dyn Transaction,
    write: &Write,
    staged: &ArtifactPath,
) -> Result<There> {
    let store = repository.store();
    let location = Location::Inside(write.path.clone());
    let places = [location.clone(), Location::Inside(staged.clone())];
    let stats = store.stat_many(&places)?;
    let [stat, own] = stats.as_slice() else {
        return Ok(There::Nothing);
    };
    let Some(stat) = stat else {
        return Ok(There::Nothing);
    };
    let taken = |owner: Option<String>| Error::PathTaken {
        asked: Asked::new(&write.definition.dataset_type, &write.data_id),
        repository: repository.name().to_owned(),
        location: write.path.to_string(),
        owner,
    };
    if let Some(owner) = owner_of(transaction, write, &location)? {
        return Err(taken(Some(owner.to_string())));
    }
    if is_leftover(store, stat, &write.path, staged)? {
        return Ok(There::Leftover);
    }
    let one_file = own
        .as_ref()
        .is_some_and(|own| own.same.is_some() && own.same == stat.same);
    let same = one_file
        || stat.bytes == write.bytes
            && Some(crate::fsck::digest_of(store, &location)?) == write.digest;
    if same && write.replaces.is_none() {
        store.sync(std::slice::from_ref(&write.path))?;
        Ok(There::Same)
    } else {
        Err(taken(None))
    }
}

/// The dataset of another type that owns a path.
fn owner_of(
    transaction: &dyn Transaction,
    write: &Write,
    location: &Location,
) -> Result<Option<Asked>> {
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
    Ok(transaction
        .find_many(&rivals)?
        .into_iter()
        .flatten()
        .find(|owner| place_of(owner).is_ok_and(|place| place == *location))
        .map(|owner| Asked::new(owner.dataset_type(), &owner.data_id)))
}

/// Whether a file is one that a crashed put linked to this path and did not record: its staged name is still there.
fn is_leftover(
    store: &dyn Store,
    stat: &Stat,
    path: &ArtifactPath,
    own: &ArtifactPath,
) -> Result<bool> {
    if stat.same.is_none() {
        return Ok(false);
    }
    let staging = ArtifactPath::new(STAGING)?;
    for entry in store.list(Some(&staging)) {
        let (staged, theirs) = entry?;
        if theirs.same == stat.same && staged != *own && is_meant_for(&staged, path) {
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
            precursors: composition.precursors.clone(),
            metadata: composition.facts.metadata.clone(),
            footprint: composition.facts.footprint.clone(),
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
        precursors: write.precursors.clone(),
        metadata: write.facts.metadata.clone(),
        footprint: write.facts.footprint.clone(),
        state: State::Current,
    }
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
