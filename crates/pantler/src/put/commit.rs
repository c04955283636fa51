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

use std::sync::Arc;

use pantler_core::ArtifactPath;
use pantler_core::policy::{Definition, Recipe};
use pantler_core::registry::Provenance;
use pantler_core::store::OnExisting;

use crate::error::Result;
use crate::interrupt::Interrupt;
use crate::repository::Repository;

use super::judging::check_again;
use super::paths::{link_all, links_to};
use super::recording::insert_all;
use super::replace::finish_replacements;
use super::staging::{StagedWrite, Staging};
use super::undoing::{undo_links, undo_unless_recorded};
use super::{Composition, Decision, Putter, Write};

impl Putter<'_> {
    /// The definitions that a decision uses and that the output cannot see, each with the recipe that it is written by
    /// (rule R7).
    pub(super) fn definitions_to_bring(&self, decision: &Decision) -> Result<Vec<Brought>> {
        let chain = self.planner.chain;
        let (output, _) = chain.output("put")?;
        if decision.is_empty() {
            return Ok(Vec::new());
        }
        let hidden = decision
            .definitions
            .iter()
            .filter(|(from, _)| *from != output && !chain.is_ancestor(*from, output));
        hidden
            .map(|(from, definition)| {
                // Code that a stranger names must not come to stand in a repository of the user's.
                let plugins = self.executor.plugins;
                for import in crate::imported::imports_of(definition) {
                    plugins.check_trusted(chain, *from, definition, &import)?;
                }
                let recipe = crate::export::recipe_of(chain, definition);
                Ok((Arc::clone(definition), recipe.cloned()))
            })
            .collect()
    }
}

/// A definition that comes into a repository with a put, and the recipe that it is written by.
pub(crate) type Brought = (Arc<Definition>, Option<Recipe>);

/// A composition that is about to be recorded.
pub(super) struct Composed {
    pub(super) composition: Composition,
    /// The number of the act that it is of.
    pub(super) act: usize,
}

/// How many artifacts are made durable together.
const SYNCED_TOGETHER: usize = 1000;

/// What one repository is about to get: staged and durable, not yet visible.
pub(crate) struct Prepared {
    repository: Arc<Repository>,
    staged: Vec<StagedWrite>,
    composed: Vec<Composed>,
    interrupt: Interrupt,
}

impl Prepared {
    /// Prepares nothing yet.
    pub(crate) fn new(repository: &Arc<Repository>, interrupt: &Interrupt) -> Prepared {
        Prepared {
            repository: Arc::clone(repository),
            staged: Vec::new(),
            composed: Vec::new(),
            interrupt: interrupt.clone(),
        }
    }

    /// Returns the repository.
    pub(super) fn repository(&self) -> &Arc<Repository> {
        &self.repository
    }

    /// Whether there is nothing to be written.
    pub(crate) fn is_empty(&self) -> bool {
        self.staged.is_empty() && self.composed.is_empty()
    }

    /// Stages artifacts of an act, not yet durably; if that fails, nothing of them stays.
    pub(super) fn add(
        &mut self,
        writes: Vec<Write>,
        compositions: Vec<Composition>,
        act: usize,
    ) -> Result<()> {
        self.add_each(
            writes.into_iter().map(|write| (write, act)).collect(),
            compositions.into_iter().map(|each| (each, act)).collect(),
        )
    }

    /// As [`Prepared::add`], each of the act of that number.
    pub(crate) fn add_each(
        &mut self,
        writes: Vec<(Write, usize)>,
        compositions: Vec<(Composition, usize)>,
    ) -> Result<()> {
        let before = self.staged.len();
        let staging = Staging {
            store: self.repository.store(),
            interrupt: &self.interrupt,
        };
        if let Err(error) = staging.stage_all(writes, &mut self.staged) {
            self.forget(before, self.composed.len());
            return Err(error);
        }
        let compositions = compositions.into_iter();
        let composed = compositions.map(|(composition, act)| Composed { composition, act });
        self.composed.extend(composed);
        Ok(())
    }

    /// How many artifacts and compositions there are.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.staged.len(), self.composed.len())
    }

    /// What was added after so many artifacts and compositions.
    pub(super) fn since(
        &self,
        (staged, composed): (usize, usize),
    ) -> (&[StagedWrite], &[Composed]) {
        (
            self.staged.get(staged..).unwrap_or_default(),
            self.composed.get(composed..).unwrap_or_default(),
        )
    }

    /// Takes back all but the first so many artifacts and compositions.
    pub(super) fn forget(&mut self, staged: usize, composed: usize) {
        let gone = self.staged.drain(staged.min(self.staged.len())..);
        let names: Vec<ArtifactPath> = gone.filter_map(|each| each.staged).collect();
        self.composed.truncate(composed);
        if !names.is_empty() {
            let _ = self.repository.store().delete(&names);
        }
    }

    /// Makes what is staged durable.
    pub(crate) fn sync(&self) -> Result<()> {
        let staged = self.staged.iter();
        let names: Vec<ArtifactPath> = staged.filter_map(|each| each.staged.clone()).collect();
        // Some at a time, so that it can be ended meanwhile; it is not worth asking before each.
        for some in names.chunks(SYNCED_TOGETHER) {
            self.interrupt.check()?;
            self.repository.store().sync(some)?;
        }
        crate::fail_point::reach("staged");
        Ok(())
    }

    /// Judges what a commit would judge, and changes nothing.
    pub(super) fn check(&self) -> Result<()> {
        let transaction = self.repository.registry().begin()?;
        check_again(
            &self.repository,
            transaction.as_ref(),
            &self.staged,
            &self.composed,
        )?;
        links_to(&self.repository, transaction.as_ref(), &self.staged)?;
        Ok(())
    }

    /// Makes it visible and records it, all or nothing; each act with its own provenance.
    pub(crate) fn commit(&mut self, acts: &[Provenance]) -> Result<()> {
        // The last time: a transaction is not left open while somebody else's code runs, and what is done is done.
        self.interrupt.check()?;
        record_all(&self.repository, &mut self.staged, &self.composed, acts)
    }

    /// Removes the staged names. What a failed put leaves in the staging folder is cleared here if the store still answers,
    /// else by fsck. If the put has happened, a staged name that stays is a leftover and no failure.
    pub(crate) fn clear(&mut self) {
        self.forget(0, 0);
    }
}

/// Writes artifacts and records into one repository, all or nothing.
pub(crate) fn write_all(
    repository: &Arc<Repository>,
    writes: Vec<Write>,
    compositions: Vec<Composition>,
    provenance: &Provenance,
    interrupt: &Interrupt,
) -> Result<()> {
    let mut prepared = Prepared::new(repository, interrupt);
    let added = prepared.add(writes, compositions, 0);
    let durable = added.and_then(|()| prepared.sync());
    let outcome = durable.and_then(|()| prepared.commit(std::slice::from_ref(provenance)));
    prepared.clear();
    outcome
}

fn record_all(
    repository: &Repository,
    staged: &mut [StagedWrite],
    composed: &[Composed],
    acts: &[Provenance],
) -> Result<()> {
    let store = repository.store();
    let mut transaction = repository.registry().begin()?;
    check_again(repository, transaction.as_ref(), staged, composed)?;
    let mut links = links_to(repository, transaction.as_ref(), staged)?;
    if links
        .iter()
        .any(|link| link.existing == OnExisting::Replace)
    {
        drop(transaction);
        repository.bury_the_dead()?;
        transaction = repository.registry().begin()?;
        check_again(repository, transaction.as_ref(), staged, composed)?;
        links = links_to(repository, transaction.as_ref(), staged)?;
    }
    if let Err(error) = link_all(store, &links) {
        undo_links(store, &links, staged);
        return Err(error);
    }
    crate::fail_point::reach("linked");
    let inserted = insert_all(store, transaction.as_mut(), staged, composed, acts);
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
