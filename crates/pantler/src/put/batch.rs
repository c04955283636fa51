//! Many puts and links that become durable and visible together.
//!
//! ```text
//! put, link ─► decided over what is there and what the batch has (batch/rows.rs) ─► staged, not yet durable
//! commit    ─► all files synchronised side by side ─► one transaction: judged again, linked, each folder synchronised once,
//!              all rows inserted, committed
//! ```
//!
//! A put of a batch is judged as it would be if those before it had happened: the same dataset once more is unchanged, and
//! a component that an earlier put wrote is not written again. Other content for a dataset of the same batch is refused, also
//! with [`OnConflict::Replace`](super::OnConflict): only what is committed can be replaced. A put that is refused leaves the
//! batch as it was. Serialised artifacts are not kept in memory: they lie in the staging folder. What is dropped without a
//! commit was never there.

mod rows;

use std::collections::HashMap;
use std::sync::Arc;

use pantler_core::registry::DefinitionVersion;
use pantler_core::{ArtifactPath, DataId, DatasetId, ObjectRef, TypeName};

use crate::butler::Butler;
use crate::error::{Asked, Error, Result};
use crate::parameters::Parameters;
use crate::repository::Repository;
use crate::resolve::Resolved;

use super::commit::{Brought, Prepared};
use super::outputs::{Share, commit_each, result_of};
use super::recording::{row_of_composition, row_while_staged};
use super::{Decision, PutOptions, PutResult, again_if_raced};
use rows::BatchRegistry;

/// Many puts and links that become durable and visible together; [`Butler::batch`] begins one.
///
/// When [`Batch::commit`] returns, all of them are durable: each file and each folder was synchronised once, and one
/// transaction of the registry was committed with full synchronisation. A crash before that leaves nothing of them. Into
/// several outputs it is committed all or nothing in each (rule R28).
pub struct Batch {
    /// Sees the repositories with what the batch has.
    seen: Butler,
    /// In the order of the chain's outputs.
    prepared: Vec<Prepared>,
    beside: Vec<Beside>,
    /// What was done, with which notes: each once.
    acts: Vec<(&'static str, Vec<(String, String)>)>,
    results: Vec<PutResult>,
}

/// What a batch knows of one output beside what is staged for it.
struct Beside {
    rows: Arc<BatchRegistry>,
    definitions: Vec<Brought>,
    /// One value for all rows of a definition.
    versions: HashMap<TypeName, Arc<DefinitionVersion>>,
    paths: HashMap<ArtifactPath, Asked>,
}

impl Batch {
    /// Begins a batch.
    pub(crate) fn begin(butler: &Butler) -> Batch {
        let chain = butler.chain();
        let mut prepared = Vec::new();
        let mut beside = Vec::new();
        let mut outputs = Vec::new();
        for output in chain.outputs() {
            let repository = chain.repository(*output);
            let rows = Arc::new(BatchRegistry::over(repository.registry_handle()));
            outputs.push(Arc::new(repository.with_registry(rows.clone())));
            prepared.push(Prepared::new(repository, butler.interrupt()));
            beside.push(Beside {
                rows,
                definitions: Vec::new(),
                versions: HashMap::new(),
                paths: HashMap::new(),
            });
        }
        Batch {
            seen: butler.over(chain.with_outputs(&outputs)),
            prepared,
            beside,
            acts: Vec::new(),
            results: Vec::new(),
        }
    }

    /// Adds a put, as [`Butler::put`] would do it; returns what it will have done.
    ///
    /// Other content than an earlier put of the batch gave the same dataset is [`Error::InBatch`].
    pub fn put(
        &mut self,
        object: &ObjectRef,
        name: &str,
        data_id: &DataId,
        options: &PutOptions,
    ) -> Result<PutResult> {
        let resolved = self.seen.resolve(name, data_id)?;
        let putter = self.seen.putter();
        let decided = again_if_raced(|| putter.decide_put_in_each(object, &resolved, options));
        let shares = decided.map_err(|error| self.explained(error))?;
        self.take("put", &options.notes, &resolved, shares)
    }

    /// Adds a link, as [`Butler::link`] would do it; its parts may be of the batch. Returns what it will have done.
    pub fn link(
        &mut self,
        name: &str,
        data_id: &DataId,
        options: &PutOptions,
    ) -> Result<PutResult> {
        let resolved = self.seen.resolve(name, data_id)?;
        let putter = self.seen.putter();
        let decided = again_if_raced(|| putter.decide_link_in_each(&resolved, options));
        let shares = decided.map_err(|error| self.explained(error))?;
        self.take("link", &options.notes, &resolved, shares)
    }

    /// Returns an object as a get after the commit would; nobody else sees it yet.
    pub fn get(&self, name: &str, data_id: &DataId, parameters: &Parameters) -> Result<ObjectRef> {
        self.seen.get(name, data_id, parameters)
    }

    /// Returns a butler that sees the repositories with what the batch has.
    pub fn butler(&self) -> &Butler {
        &self.seen
    }

    /// Returns how many puts and links it has.
    pub fn len(&self) -> usize {
        self.results.len()
    }

    /// Says whether it has no put and no link.
    pub fn is_empty(&self) -> bool {
        self.results.is_empty()
    }

    /// Makes all of it durable and visible, and returns what each put and link has done, in their order.
    ///
    /// If it fails, nothing of it is there, but for several outputs, of which [`Error::PartlyPut`] names those that have it.
    /// Where another process has put, replaced or removed what the batch was decided by, it is [`Error::Raced`]: the whole
    /// batch has to be put again.
    pub fn commit(mut self) -> Result<Vec<PutResult>> {
        let who = self.seen.who();
        let acts = self.acts.iter();
        let acts: Vec<_> = acts.map(|(action, notes)| who.did(action, notes)).collect();
        for (prepared, beside) in self.prepared.iter().zip(&self.beside) {
            if !prepared.is_empty() {
                prepared.repository().add_definitions(&beside.definitions)?;
                prepared.sync()?;
            }
        }
        commit_each(&self.asked(), &mut self.prepared, &acts)?;
        Ok(std::mem::take(&mut self.results))
    }

    /// What an error calls the batch.
    fn asked(&self) -> Asked {
        match self.results.as_slice() {
            [one] => Asked::new(&one.name, &one.data_id),
            several => Asked::new(format!("a batch of {}", several.len()), &DataId::default()),
        }
    }

    /// Says of a conflict that it is one with the batch itself.
    fn explained(&self, error: Error) -> Error {
        match error {
            Error::Conflict {
                asked, difference, ..
            } if self.holds(&asked) => Error::InBatch { asked, difference },
            error => error,
        }
    }

    fn holds(&self, asked: &Asked) -> bool {
        let mut all = self.beside.iter();
        all.any(|beside| beside.rows.holds(&asked.name, &asked.data_id))
    }

    /// Takes what was decided for each output, all or nothing.
    fn take(
        &mut self,
        action: &'static str,
        notes: &[(String, String)],
        resolved: &Resolved,
        shares: Vec<Share>,
    ) -> Result<PutResult> {
        for (share, beside) in shares.iter().zip(&self.beside) {
            beside.check(&share.repository, &share.decided.decision)?;
        }
        let result = result_of(resolved, &shares);
        let act = self.act(action, notes);
        let before: Vec<(usize, usize)> = self.prepared.iter().map(Prepared::counts).collect();
        for (index, share) in shares.into_iter().enumerate() {
            let (beside, prepared) = (&mut self.beside[index], &mut self.prepared[index]);
            beside.bring(share.definitions);
            let mut decision = share.decided.decision;
            beside.share_definitions(&mut decision);
            if let Err(error) = prepared.add(decision.writes, decision.compositions, act) {
                for (prepared, (staged, composed)) in self.prepared.iter_mut().zip(before) {
                    prepared.forget(staged, composed);
                }
                return Err(error);
            }
        }
        for ((prepared, beside), before) in self.prepared.iter().zip(&mut self.beside).zip(before) {
            beside.see(prepared, before);
        }
        self.results.push(result.clone());
        Ok(result)
    }

    /// The number of an act with these notes.
    fn act(&mut self, action: &'static str, notes: &[(String, String)]) -> usize {
        let mut known = self.acts.iter();
        let known = known.position(|(other, theirs)| *other == action && theirs == notes);
        known.unwrap_or_else(|| {
            self.acts.push((action, notes.to_vec()));
            self.acts.len() - 1
        })
    }
}

/// What was not committed is not there.
impl Drop for Batch {
    fn drop(&mut self) {
        self.prepared.iter_mut().for_each(Prepared::clear);
    }
}

impl Beside {
    /// Refuses what would replace a dataset of the batch, or lie where another of it lies.
    fn check(&self, repository: &Repository, decision: &Decision) -> Result<()> {
        let writes = decision.writes.iter().map(|write| &write.replaces);
        let compositions = decision.compositions.iter().map(|each| &each.replaces);
        for old in writes.chain(compositions).flatten() {
            if self.rows.holds_id(old.record.id) {
                return Err(Error::InBatch {
                    asked: Asked::new(old.record.dataset_type(), &old.record.data_id),
                    difference: "only what is committed can be replaced".to_owned(),
                });
            }
        }
        for write in &decision.writes {
            if let Some(owner) = self.paths.get(&write.path) {
                return Err(Error::PathTaken {
                    asked: Asked::new(&write.definition.dataset_type, &write.data_id),
                    repository: repository.name().to_owned(),
                    location: write.path.to_string(),
                    owner: Some(owner.to_string()),
                });
            }
        }
        Ok(())
    }

    fn bring(&mut self, definitions: Vec<Brought>) {
        for (definition, recipe) in definitions {
            let mut known = self.definitions.iter();
            if !known.any(|(known, _)| known.name == definition.name) {
                self.definitions.push((definition, recipe));
            }
        }
    }

    /// Lets rows of one definition have it in common, by which the registry knows it again.
    fn share_definitions(&mut self, decision: &mut Decision) {
        let writes = decision
            .writes
            .iter_mut()
            .map(|write| &mut write.definition);
        let compositions = decision.compositions.iter_mut();
        for definition in writes.chain(compositions.map(|each| &mut each.definition)) {
            let known = self.versions.entry(definition.dataset_type.clone());
            let known = known.or_insert_with(|| Arc::clone(definition));
            if known == definition {
                *definition = Arc::clone(known);
            }
        }
    }

    /// Lets later puts see what was prepared since.
    fn see(&mut self, prepared: &Prepared, before: (usize, usize)) {
        let (staged, composed) = prepared.since(before);
        let mut superseded: Vec<DatasetId> = Vec::new();
        let mut removed: Vec<DatasetId> = Vec::new();
        for old in staged
            .iter()
            .filter_map(|each| each.write.replaces.as_ref())
        {
            match old.record.artifact {
                Some(_) => superseded.push(old.record.id),
                None => removed.push(old.record.id),
            }
        }
        let compositions = composed.iter().map(|each| &each.composition);
        let old = compositions
            .clone()
            .filter_map(|each| each.replaces.as_ref());
        removed.extend(old.map(|old| old.record.id));
        for each in staged {
            let asked = Asked::new(&each.write.definition.dataset_type, &each.write.data_id);
            self.paths.insert(each.write.path.clone(), asked);
        }
        let rows = staged.iter().map(row_while_staged);
        let rows = rows.chain(compositions.map(row_of_composition));
        self.rows.add(rows, superseded, removed);
    }
}
