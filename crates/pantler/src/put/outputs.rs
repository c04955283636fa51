//! Puts into several repositories: everything is staged and checked in each of them before the first commit (rule R28).
//!
//! Each output is judged, and written, as if it were the only one: what another output has does not count for it, unless it
//! builds on that one. What is put keeps one identity in all of them. Two commits cannot be one, so a failure between them is
//! an error that names who has it; repeating the put finds that those have it and completes the rest.

use pantler_core::registry::{Member, Provenance};
use pantler_core::{DataId, DatasetId, TypeName};

use crate::chain::Chain;
use crate::error::{Error, Result};
use crate::repository::Repository;
use crate::resolve::Resolved;

use super::commit::Prepared;
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

/// One output, with what it will get.
struct Share<'a> {
    repository: &'a Repository,
    decided: Decided,
    prepared: Option<Prepared<'a>>,
}

impl Putter<'_> {
    /// Decides for each output what `decide` decides for one, then writes into all of them.
    pub(super) fn for_each_output(
        &self,
        resolved: &Resolved,
        provenance: &Provenance,
        decide: &dyn Fn(&Putter<'_>, Identities) -> Result<Decided>,
    ) -> Result<PutResult> {
        let views: Vec<Chain> = self
            .planner
            .chain
            .outputs()
            .iter()
            .map(|output| self.planner.chain.seen_from(*output))
            .collect();
        let mut shares = Vec::new();
        let mut identities = Identities::default();
        for view in &views {
            let putter = self.over(view);
            let mut decided = decide(&putter, std::mem::take(&mut identities))?;
            identities = std::mem::take(&mut decided.decision.identities);
            let (_, repository) = view.output("put")?;
            shares.push(Share {
                repository: repository.as_ref(),
                decided,
                prepared: None,
            });
        }
        for (view, share) in views.iter().zip(&shares) {
            self.over(view).bring_definitions(&share.decided.decision)?;
        }
        let outcome = write_each(resolved, &mut shares, provenance);
        for prepared in shares.iter_mut().filter_map(|share| share.prepared.take()) {
            prepared.clear();
        }
        outcome?;
        Ok(result_of_all(resolved, &shares))
    }

    fn over<'b>(&'b self, chain: &'b Chain) -> Putter<'b> {
        let mut putter: Putter<'b> = *self;
        putter.planner.chain = chain;
        putter.executor.chain = chain;
        putter
    }
}

/// Stages in each output, checks in each, commits in each, in this order.
fn write_each(
    resolved: &Resolved,
    shares: &mut [Share<'_>],
    provenance: &Provenance,
) -> Result<()> {
    for share in shares.iter_mut() {
        let decision = &mut share.decided.decision;
        if !decision.is_empty() {
            share.prepared = Some(Prepared::stage(
                share.repository,
                std::mem::take(&mut decision.writes),
                std::mem::take(&mut decision.compositions),
            )?);
        }
    }
    for prepared in shares.iter().filter_map(|share| share.prepared.as_ref()) {
        prepared.check()?;
    }
    crate::fail_point::reach("checked");
    let names: Vec<String> = shares
        .iter()
        .map(|share| share.repository.name().to_owned())
        .collect();
    // Those that had it before have it now.
    let mut done: Vec<bool> = shares
        .iter()
        .map(|share| share.prepared.is_none())
        .collect();
    for (index, share) in shares.iter_mut().enumerate() {
        let Some(prepared) = &mut share.prepared else {
            continue;
        };
        if let Err(source) = prepared.commit(provenance) {
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
                asked: resolved.asked.clone(),
                done: those(true),
                failed: names[index].clone(),
                waiting: those(false),
                source: Box::new(source),
            });
        }
        done[index] = true;
        crate::fail_point::reach("one-output");
    }
    Ok(())
}

/// What happened in all outputs together, and in each.
fn result_of_all(resolved: &Resolved, shares: &[Share<'_>]) -> PutResult {
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
