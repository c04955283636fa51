//! Plans parts of datasets that are not there themselves (rule R35): [`crate::taken_part`] says what their rows look like.

use pantler_core::plan::{Found as HowFound, Missing, PlanKind, PlanNode, Read};
use pantler_core::registry::FindRequest;
use pantler_core::report::TrailStep;
use pantler_core::{DatasetId, synonyms};

use crate::candidates::Found;
use crate::error::{Asked, Result};
use crate::taken_part;

use super::{Planner, node_name};

impl Planner<'_> {
    /// Finds a part of a dataset that is not there, where that part alone is (rule R35).
    pub(super) fn taken_out(
        &self,
        node: PlanNode,
        recorded: Option<DatasetId>,
    ) -> Result<PlanNode> {
        let Some(dataset_type) = taken_part::type_of(&node.dataset_type, &node.part) else {
            return Ok(node);
        };
        let request = FindRequest {
            dataset_type,
            data_id: node.data_id.clone(),
            limit: 1,
        };
        let id = recorded.map(|id| DatasetId::of_part(id, &taken_part::canonical(&node.part)));
        for (repository, open) in self.chain.repositories().iter().enumerate() {
            let searched = self.searched.and_then(|searched| searched.get(repository));
            if searched == Some(&false) {
                continue;
            }
            let found = match id {
                Some(id) => open.registry().find_ids(&[id])?.pop().flatten(),
                None => open
                    .registry()
                    .find_many(std::slice::from_ref(&request))?
                    .into_iter()
                    .flatten()
                    .next(),
            };
            let Some(record) = found else { continue };
            let how = match recorded {
                Some(_) => HowFound::Recorded { newer: None },
                None => HowFound::Lookup,
            };
            let found = Found {
                repository,
                record: record.into(),
            };
            let asked = Asked::new(node_name(&node), &node.data_id);
            let whole = self.read_node(&asked, node.component.as_ref(), None, &found, how)?;
            let mut part = PlanNode {
                part: node.part,
                data_id: node.data_id,
                python: node.python,
                ..whole
            };
            self.locate_part(&mut part);
            return Ok(part);
        }
        Ok(node)
    }

    /// Says of a dataset, of which only a part is there, that the rest is not.
    pub(super) fn left_behind(&self, node: &PlanNode) -> Missing {
        let step = |repository: String| TrailStep {
            repository,
            dataset: Asked::new(&node.dataset_type, &node.data_id).to_string(),
            outcome: match &node.kind {
                PlanKind::Read(read) => format!("only {} is there", read.record.dataset_type()),
                _ => "not in its registry".to_owned(),
            },
        };
        Missing {
            trail: self.chain.names().into_iter().map(step).collect(),
            recorded: None,
            may_lack: false,
        }
    }
}

/// Whether an artifact is all of a type that is listed under another's name, as the part of that name (rules R8, R35).
pub(super) fn is_by_that_name(read: &Read, part: &str) -> bool {
    let is_class = read
        .taken
        .as_ref()
        .is_some_and(|taken| taken.part.is_empty());
    is_class && read.record.dataset_type().as_str().rsplit('.').next() == Some(part)
}

/// Whether an artifact has a part of the dataset that it is; it may be of a part of that dataset alone.
pub(super) fn has_part(read: &Read, of: &[String], part: &str) -> bool {
    let wanted = read
        .taken
        .as_ref()
        .and_then(|taken| taken.part.get(of.len()));
    wanted.is_none_or(|wanted| synonyms::canonical(part) == wanted)
}
