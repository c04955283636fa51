//! Puts into several repositories: everything is staged and checked in each of them before the first commit (rule R28).
//!
//! Each output is judged, and written, as if it were the only one: what another output has does not count for it, unless it
//! builds on that one. What is put keeps one identity in all of them. Two commits cannot be one, so a failure between them is
//! an error that names who has it; repeating the put finds that those have it and completes the rest.

use std::sync::Arc;

use pantler_core::registry::{Member, Provenance};
use pantler_core::{DataId, DatasetId, TypeName};

use crate::chain::Chain;
use crate::error::{Asked, Error, Result};
use crate::interrupt::Interrupt;
use crate::repository::Repository;
use crate::resolve::Resolved;

use super::commit::{Brought, Prepared};
use super::{Decided, PutOutput, PutResult, Putter};

/// The identities that one output's decision gave or found, so that the next output's decision gives the same.
#[derive(Debug, Default)]
pub(crate) struct Identities {
    artifacts: Vec<(TypeName, DataId, DatasetId)>,
    compositions: Vec<(TypeName, DataId, Vec<Member>, DatasetId)>,
}

impl Identities {
    /// Remembers an artifact's.
    pub(super) fn note(&mut self, dataset_type: &TypeName, data_id: &DataId, id: DatasetId) {
        self.artifacts
            .push((dataset_type.clone(), data_id.clone(), id));
    }

    /// Remembers a composition's.
    pub(super) fn note_composition(
        &mut self,
        dataset_type: &TypeName,
        data_id: &DataId,
        members: &[Member],
        id: DatasetId,
    ) {
        self.compositions
            .push((dataset_type.clone(), data_id.clone(), members.to_vec(), id));
    }

    /// Returns an artifact's identity. Within one put a type and a data ID stand for one object.
    pub(super) fn of(&self, dataset_type: &TypeName, data_id: &DataId) -> Option<DatasetId> {
        let mut known = self.artifacts.iter();
        known
            .find(|(of, at, _)| of == dataset_type && at == data_id)
            .map(|(.., id)| *id)
    }

    /// Returns the identity of a composition of the very same parts.
    pub(super) fn of_composition(
        &self,
        dataset_type: &TypeName,
        data_id: &DataId,
        members: &[Member],
    ) -> Option<DatasetId> {
        let mut known = self.compositions.iter();
        known
            .find(|(of, at, made_of, _)| of == dataset_type && at == data_id && made_of == members)
            .map(|(.., id)| *id)
    }
}

/// One output, with what was decided for it.
pub(super) struct Share {
    pub(super) repository: Arc<Repository>,
    pub(super) decided: Decided,
    /// The definitions that come into it (rule R7).
    pub(super) definitions: Vec<Brought>,
}

impl Putter<'_> {
    /// Decides for each output what `decide` decides for one; the only one sees the chain as it is.
    pub(super) fn decide_for_each(
        &self,
        decide: &dyn Fn(&Putter<'_>, Identities) -> Result<Decided>,
    ) -> Result<Vec<Share>> {
        let outputs = self.planner.chain.outputs();
        if outputs.len() < 2 {
            return Ok(vec![self.share(decide(self, Identities::default())?)?]);
        }
        let mut shares = Vec::new();
        let mut identities = Identities::default();
        for output in outputs {
            let view = self.planner.chain.seen_from(*output);
            let putter = self.over(&view);
            let mut decided = decide(&putter, std::mem::take(&mut identities))?;
            identities = std::mem::take(&mut decided.decision.identities);
            shares.push(putter.share(decided)?);
        }
        Ok(shares)
    }

    fn share(&self, decided: Decided) -> Result<Share> {
        let (_, repository) = self.planner.chain.output("put")?;
        Ok(Share {
            repository: Arc::clone(repository),
            definitions: self.definitions_to_bring(&decided.decision)?,
            decided,
        })
    }

    fn over<'b>(&'b self, chain: &'b Chain) -> Putter<'b> {
        let mut putter: Putter<'b> = *self;
        putter.planner.chain = chain;
        putter.executor.chain = chain;
        putter
    }
}

/// Carries out what was decided for each output.
pub(super) fn write_shares(
    resolved: &Resolved,
    interrupt: &Interrupt,
    shares: Vec<Share>,
    provenance: &Provenance,
) -> Result<PutResult> {
    let result = result_of(resolved, &shares);
    for share in &shares {
        share.repository.add_definitions(&share.definitions)?;
    }
    let mut prepared: Vec<Prepared> = shares
        .iter()
        .map(|share| Prepared::new(&share.repository, interrupt))
        .collect();
    let acts = std::slice::from_ref(provenance);
    let outcome = stage_shares(shares, &mut prepared)
        .and_then(|()| commit_each(&resolved.asked, &mut prepared, acts));
    prepared.iter_mut().for_each(Prepared::clear);
    outcome.map(|()| result)
}

fn stage_shares(shares: Vec<Share>, prepared: &mut [Prepared]) -> Result<()> {
    for (share, prepared) in shares.into_iter().zip(prepared) {
        let decision = share.decided.decision;
        if !decision.is_empty() {
            prepared.add(decision.writes, decision.compositions, 0)?;
            prepared.sync()?;
        }
    }
    Ok(())
}

/// Checks in each output, then commits in each; one that gets nothing has it already. All is staged and durable.
pub(super) fn commit_each(
    asked: &Asked,
    prepared: &mut [Prepared],
    acts: &[Provenance],
) -> Result<()> {
    if prepared.len() > 1 {
        for prepared in prepared.iter().filter(|prepared| !prepared.is_empty()) {
            prepared.check()?;
        }
        crate::fail_point::reach("checked");
    }
    let names: Vec<String> = prepared
        .iter()
        .map(|prepared| prepared.repository().name().to_owned())
        .collect();
    // Those that had it before have it now.
    let mut done: Vec<bool> = prepared.iter().map(Prepared::is_empty).collect();
    for index in 0..prepared.len() {
        if done[index] {
            continue;
        }
        if let Err(source) = prepared[index].commit(acts) {
            let those = |wanted: bool| -> Vec<String> {
                let pairs = names.iter().zip(&done).enumerate();
                pairs
                    .filter(|(at, (_, done))| **done == wanted && *at != index)
                    .map(|(_, (name, _))| name.clone())
                    .collect()
            };
            if !done.contains(&true) {
                return Err(source);
            }
            return Err(Error::PartlyPut {
                asked: asked.clone(),
                done: those(true),
                failed: names[index].clone(),
                waiting: those(false),
                source: Box::new(source),
            });
        }
        done[index] = true;
        if prepared.len() > 1 {
            crate::fail_point::reach("one-output");
        }
    }
    Ok(())
}

/// What a put will have done, in one output or in all together and in each.
pub(super) fn result_of(resolved: &Resolved, shares: &[Share]) -> PutResult {
    let [share] = shares else {
        return result_of_all(resolved, shares);
    };
    let Decided {
        data_id,
        id,
        written,
        recorded,
        decision,
    } = &share.decided;
    PutResult {
        name: resolved.asked.name.clone(),
        data_id: data_id.clone(),
        written: written.clone(),
        unchanged: decision.unchanged.clone(),
        input_only: decision.input_only.clone(),
        recorded: *recorded,
        id: *id,
        outputs: Vec::new(),
    }
}

/// What happened in all outputs together, and in each.
fn result_of_all(resolved: &Resolved, shares: &[Share]) -> PutResult {
    let outputs: Vec<PutOutput> = shares
        .iter()
        .map(|share| PutOutput {
            repository: share.repository.root().to_owned(),
            repository_name: share.repository.name().to_owned(),
            written: share.decided.written.clone(),
            unchanged: share.decided.decision.unchanged.clone(),
            input_only: share.decided.decision.input_only.clone(),
            recorded: share.decided.recorded,
            id: share.decided.id,
        })
        .collect();
    let mut result = PutResult {
        name: resolved.asked.name.clone(),
        data_id: shares
            .first()
            .map(|share| share.decided.data_id.clone())
            .unwrap_or_default(),
        written: Vec::new(),
        unchanged: Vec::new(),
        input_only: Vec::new(),
        recorded: outputs.iter().any(|output| output.recorded),
        id: outputs
            .first()
            .map_or(DatasetId::new(uuid::Uuid::nil()), |output| output.id),
        outputs: Vec::new(),
    };
    let add = |known: &mut Vec<String>, more: &[String]| {
        for one in more {
            if !known.contains(one) {
                known.push(one.clone());
            }
        }
    };
    for output in &outputs {
        add(&mut result.written, &output.written);
        add(&mut result.input_only, &output.input_only);
        let everywhere = |name: &&String| {
            let mut all = outputs.iter();
            all.all(|other| other.unchanged.contains(name))
        };
        let unchanged: Vec<String> = output
            .unchanged
            .iter()
            .filter(everywhere)
            .cloned()
            .collect();
        add(&mut result.unchanged, &unchanged);
    }
    result.outputs = outputs;
    result
}
