//! Parts of datasets that are in a repository without the rest of them, as a transfer leaves them there (rule R35).
//!
//! Such a part is a row of its own. Its type is named as people ask for it (`calexp.wcs`, the part in its canonical name), so
//! that the dataset itself does not exist there. Its identity follows from that of the dataset and from the way to the part, so
//! that compositions find it, whose records speak of the dataset as ever. What the row is a part of stands in its definition.
//!
//! This module knows how such rows are named and read; `transfer` makes them, the planner finds them.

use pantler_core::composite_graph::{GraphNode, name_of_part};
use pantler_core::plan::TakenPart;
use pantler_core::registry::{FindRequest, Member};
use pantler_core::{DataId, DatasetId, DatasetRecord, TypeName, synonyms};
use serde::{Deserialize, Serialize};

use crate::chain::Chain;
use crate::repository::Repository;

/// What the definition of such a row says beside how to read its artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartDefinition {
    /// The type that it is a part of; or that it is, if that reads another type's artifact as a class of its own (rule R8).
    pub part_of: TypeName,
    /// The way to it; empty if it is all of that type.
    pub part: Vec<String>,
    /// Whether the artifact holds nothing else.
    pub alone: bool,
}

impl PartDefinition {
    /// Returns what a row is a part of; `None` for a whole dataset.
    pub fn of_record(record: &DatasetRecord) -> Option<PartDefinition> {
        // Only a part has an artifact and something more to say of it, or a dot in its name.
        if record.artifact.is_none() || !record.dataset_type().as_str().contains('.') {
            return None;
        }
        serde_json::from_str(record.definition.extra.as_deref()?).ok()
    }

    /// Returns it as the text that a registry keeps.
    pub fn to_text(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }
}

impl From<PartDefinition> for TakenPart {
    fn from(definition: PartDefinition) -> TakenPart {
        TakenPart {
            part: definition.part,
            alone: definition.alone,
        }
    }
}

/// Returns the one way of writing the way to a part.
pub(crate) fn canonical(part: &[String]) -> Vec<String> {
    let names = part.iter().map(|name| synonyms::canonical(name).to_owned());
    names.collect()
}

/// Returns the type of the rows that are this part; `None` for the whole.
pub(crate) fn type_of(dataset_type: &TypeName, part: &[String]) -> Option<TypeName> {
    if part.is_empty() {
        return None;
    }
    TypeName::new(&name_of_part(dataset_type, &canonical(part))).ok()
}

/// Returns the types of the rows that have this part, or something that it is a part of.
pub(crate) fn types_of(
    dataset_type: &TypeName,
    part: &[String],
) -> impl Iterator<Item = TypeName> + use<> {
    let ways = (1..=part.len()).filter_map(|length| type_of(dataset_type, part.get(..length)?));
    let types: Vec<TypeName> = ways.collect();
    types.into_iter()
}

/// Returns the way to what a type is that reads another's artifact as a class of its own, in rows of that other type.
pub(crate) fn way_of_class(dataset_type: &TypeName) -> Vec<String> {
    vec![dataset_type.as_str().replace([':', '.'], "_")]
}

/// Returns the types of the rows that are a node of a graph without the rest of its dataset.
pub(crate) fn taken_types_of_node(chain: &Chain, node: &GraphNode) -> Vec<TypeName> {
    let others = chain.same_artifact(&node.definition);
    taken_types(node, &others).collect()
}

fn taken_types(node: &GraphNode, others: &[TypeName]) -> impl Iterator<Item = TypeName> {
    let own = types_of(&node.dataset_type, &node.part);
    let way = match others.is_empty() {
        true => Vec::new(),
        false => way_of_class(&node.dataset_type),
    };
    let classes = others.iter().filter_map(move |other| type_of(other, &way));
    own.chain(classes)
}

/// Returns the identities that a part of a dataset can have where the dataset is not.
pub(crate) fn ids_of(whole: DatasetId, part: &[String]) -> impl Iterator<Item = DatasetId> + use<> {
    let part = canonical(part);
    (1..=part.len()).filter_map(move |length| Some(DatasetId::of_part(whole, part.get(..length)?)))
}

/// Returns the identities under which a member of a composition can be found: its own, those of the parts that it is or is in,
/// and that of a type that reads another's artifact as a class of its own (rule R8).
pub(crate) fn ids_of_member(member: &Member) -> impl Iterator<Item = DatasetId> + use<> {
    let class = DatasetId::of_part(member.dataset, &way_of_class(&member.dataset_type));
    std::iter::once(member.dataset)
        .chain(ids_of(member.dataset, &member.part))
        .chain([class])
}

/// The name under which a part says which dataset it was taken out of.
const WHOLE: &str = "whole";

/// Returns what a part that is taken out of a dataset was made from: that dataset.
pub(crate) fn made_from(whole: &DatasetRecord, way: &[String]) -> Member {
    Member {
        component: WHOLE.to_owned(),
        dataset: whole.id,
        dataset_type: whole.dataset_type().clone(),
        data_id: whole.data_id.clone(),
        part: way.to_vec(),
        input_only: true,
    }
}

/// Returns the identities by which compositions may name a dataset: its own, and of a part that of the whole.
pub(crate) fn ids_in_records(record: &DatasetRecord) -> Vec<DatasetId> {
    let is_part = PartDefinition::of_record(record).is_some();
    let wholes = record
        .precursors
        .iter()
        .filter(|each| is_part && each.component == WHOLE);
    std::iter::once(record.id)
        .chain(wholes.map(|each| each.dataset))
        .collect()
}

/// Returns the types whose datasets can be a node of a graph: its own, those that have its artifact in common (rule R8), and
/// the parts that it is or is in.
pub(crate) fn types_of_node(chain: &Chain, node: &GraphNode) -> Vec<TypeName> {
    let others = chain.same_artifact(&node.definition);
    let taken: Vec<TypeName> = taken_types(node, &others).collect();
    let own = std::iter::once(node.dataset_type.clone());
    own.chain(others).chain(taken).collect()
}

/// Returns the parts of a dataset that a repository has without the rest of it, for messages; none where that cannot be known.
pub(crate) fn names_of_parts(
    repository: &Repository,
    dataset_type: &TypeName,
    data_id: &DataId,
) -> Vec<String> {
    let prefix = format!("{dataset_type}.");
    let known = repository.registry().key_sets(None).unwrap_or_default();
    let mut types: Vec<TypeName> = known.into_iter().map(|(name, _)| name).collect();
    types.retain(|name| name.as_str().starts_with(&prefix));
    types.dedup();
    let requests: Vec<FindRequest> = types
        .iter()
        .map(|dataset_type| FindRequest {
            dataset_type: dataset_type.clone(),
            data_id: data_id.clone(),
            limit: 1,
        })
        .collect();
    let found = repository.registry().find_many(&requests);
    let found = found.unwrap_or_default().into_iter();
    let is_part = |rows: Vec<DatasetRecord>| rows.iter().any(|row| row.artifact.is_some());
    let pairs = types.iter().zip(found);
    pairs
        .filter_map(|(name, rows)| is_part(rows).then(|| name.to_string()))
        .collect()
}

/// Whether one of two rows is a part of the dataset that the other is.
pub(crate) fn is_part_of(a: &DatasetRecord, b: &DatasetRecord) -> bool {
    let is = |part: &DatasetRecord, whole: &DatasetRecord| {
        let name = part.dataset_type().as_str();
        let way = name.strip_prefix(whole.dataset_type().as_str());
        let way = way.and_then(|way| way.strip_prefix('.'));
        way.is_some_and(|way| {
            let way: Vec<&str> = way.split('.').collect();
            DatasetId::of_part(whole.id, &way) == part.id
        })
    };
    is(a, b) || is(b, a)
}
