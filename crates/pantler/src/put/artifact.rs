//! Decides about one artifact of a put: new, the same as what a get would find, or in conflict with it (rules R20 to R23, R26).

use std::sync::Arc;

use pantler_core::composite_graph::{GraphNode, KeySource};
use pantler_core::formatter::{Formatter, ReadRequest};
use pantler_core::object::downcast;
use pantler_core::python_type::{PythonType, python_type};
use pantler_core::registry::State;
use pantler_core::template::Template;
use pantler_core::{DataId, DatasetId, Digest, ImportRole, ObjectRef, TypeName};
use uuid::Uuid;

use crate::artifact_source::MemorySource;
use crate::assemble::Attached;
use crate::candidates::Found;
use crate::chain::Chain;
use crate::error::{Asked, Error, Result};
use crate::execute::format_error;
use crate::export::write_options;
use crate::imported::failed;
use crate::planner::own_class;
use crate::sky_facts::Facts;

use super::replace::place_of;
use super::{Content, OnConflict, Putter, Write, definition_version};

use super::decide::Decider;

impl Decider<'_> {
    pub(super) fn file(
        &mut self,
        graph: &GraphNode,
        object: &ObjectRef,
        root: &DataId,
        label: &str,
    ) -> Result<DatasetId> {
        let data_id = graph.data_id(root);
        let existing = self
            .candidates
            .first(self.putter.planner.chain, graph, &data_id)
            .cloned();
        if let Some(existing) = &existing
            && unchanged_since_read(object, graph, &data_id, existing.record.id)
        {
            return Ok(self.is_there(graph, &data_id, existing.record.id, label));
        }
        let formatter = self.formatter(graph)?;
        let asked = self.putter.asked(graph, &data_id);
        let object = &self.to_be_written(graph, object)?;
        let options = write_options(self.putter.planner.chain, &graph.definition);
        self.putter.executor.interrupt.check()?;
        let bytes = formatter
            .write(object, &options)
            .map_err(|source| format_error(&asked, source))?;
        let digest = Digest::of(&bytes);
        let memory = MemorySource::new(&asked.to_string(), bytes.clone());
        if let Some(id) = self.written_already(graph, &data_id, digest, label)? {
            return Ok(id);
        }
        let mut replaces = None;
        if let Some(existing) = existing {
            match self.difference(graph, &formatter, &memory, digest, &existing)? {
                None => return Ok(self.is_there(graph, &data_id, existing.record.id, label)),
                Some(_) if self.is_anothers(graph, &existing)? => {
                    return Err(self.path_taken(graph, &data_id, &existing));
                }
                Some(difference) => {
                    replaces = self.conflict(graph, root, existing, difference, label)?
                }
            }
        }
        let layout = formatter
            .index(&memory)
            .map_err(|source| format_error(&asked, source))?;
        let write = self.write(
            graph,
            &data_id,
            Content::Memory(bytes.clone()),
            bytes.len() as u64,
        )?;
        let known = self.decision.identities.of(&graph.dataset_type, &data_id);
        let id = self.usable(known)?.unwrap_or(write.id);
        self.decision
            .identities
            .note(&graph.dataset_type, &data_id, id);
        let precursors = self.take_precursors();
        self.decision.writes.push(Write {
            id,
            digest: Some(digest),
            layout,
            facts: Facts::of_object(&graph.definition, object),
            precursors,
            replaces,
            ..write
        });
        Ok(id)
    }

    /// What the format is given: what the user's class says for itself, and nothing that no file would hold.
    fn to_be_written(&self, graph: &GraphNode, object: &ObjectRef) -> Result<ObjectRef> {
        if downcast::<Attached>(object.as_ref()).is_some() {
            return Err(Error::Request {
                message: format!(
                    "`{}` is kept in one file, and the {} that is put has further objects attached",
                    graph.dataset_type,
                    object.class()
                ),
                hints: vec![
                    "put it as the composite that the attached objects are components of"
                        .to_owned(),
                    "put its `.bare`, which is the object without them".to_owned(),
                ],
            });
        }
        match graph.definition.python.as_deref().map(python_type) {
            Some(PythonType::Foreign(path)) if self.is_own_storage(graph) => {
                let (imports, import) = self.follow(graph, ImportRole::Class, path)?;
                imports
                    .written_as(&import, object)
                    .map_err(|source| failed(&import, source))
            }
            _ => Ok(object.clone()),
        }
    }

    /// Whether the storage is one of pantler's own, which knows no class of the user's.
    fn is_own_storage(&self, graph: &GraphNode) -> bool {
        let storage = graph.definition.storage.as_deref();
        let mut known = self.putter.planner.formatters.names();
        storage.is_some_and(|storage| known.any(|known| known == storage))
    }

    /// Notes that a dataset is there already.
    fn is_there(
        &mut self,
        graph: &GraphNode,
        data_id: &DataId,
        id: DatasetId,
        label: &str,
    ) -> DatasetId {
        self.decision.unchanged.push(label.to_owned());
        self.decision
            .identities
            .note(&graph.dataset_type, data_id, id);
        id
    }

    /// An identity that another output gives, unless the output knows it already, of a dataset that was replaced since.
    pub(super) fn usable(&self, known: Option<DatasetId>) -> Result<Option<DatasetId>> {
        // A file of a folder without an index is another dataset where it is written anew.
        let Some(id) = known.filter(|id| !id.is_stamp()) else {
            return Ok(None);
        };
        let (_, output) = self.putter.planner.chain.output("put")?;
        let found = output.registry().find_ids(&[id])?;
        Ok(found.iter().all(Option::is_none).then_some(id))
    }

    /// The identity that another component of the same put has given to the same dataset; an error if that has other content.
    fn written_already(
        &self,
        graph: &GraphNode,
        data_id: &DataId,
        digest: Digest,
        label: &str,
    ) -> Result<Option<DatasetId>> {
        let mut writes = self.decision.writes.iter();
        let other = writes.find(|write| {
            write.definition.dataset_type == graph.dataset_type && write.data_id == *data_id
        });
        let Some(other) = other else {
            return Ok(None);
        };
        if other.digest == Some(digest) {
            return Ok(Some(other.id));
        }
        let (_, output) = self.putter.planner.chain.output("put")?;
        Err(Error::Conflict {
            asked: self.putter.asked(graph, data_id),
            repository: output.name().to_owned(),
            location: other.path.to_string(),
            difference: format!("`{label}` is not what another component puts there"),
        })
    }

    /// Whether what is there is an artifact of another type, of which this type is only a part (rule R8).
    fn is_anothers(&self, graph: &GraphNode, existing: &Found) -> Result<bool> {
        let (output, _) = self.putter.planner.chain.output("put")?;
        Ok(existing.repository == output && *existing.record.dataset_type() != graph.dataset_type)
    }

    fn path_taken(&self, graph: &GraphNode, data_id: &DataId, existing: &Found) -> Error {
        let chain = self.putter.planner.chain;
        let owner = Asked::new(existing.record.dataset_type(), &existing.record.data_id);
        Error::PathTaken {
            asked: self.putter.asked(graph, data_id),
            repository: chain.repository(existing.repository).name().to_owned(),
            location: place_of(&existing.record)
                .map_or_else(|_| String::new(), |location| location.to_string()),
            owner: Some(owner.to_string()),
        }
    }

    fn write(
        &self,
        graph: &GraphNode,
        data_id: &DataId,
        content: Content,
        bytes: u64,
    ) -> Result<Write> {
        new_write(self.putter, graph, data_id, content, bytes)
    }

    fn formatter(&self, graph: &GraphNode) -> Result<Arc<dyn Formatter>> {
        formatter_of(self.putter, graph)
    }

    /// How what is put differs from what a get would find now; `None` if they are the same (rule R22).
    fn difference(
        &self,
        graph: &GraphNode,
        formatter: &Arc<dyn Formatter>,
        new: &MemorySource,
        digest: Digest,
        existing: &Found,
    ) -> Result<Option<String>> {
        let Some(artifact) = &existing.record.artifact else {
            return Ok(Some("what is there is kept in parts".to_owned()));
        };
        if artifact.digest == Some(digest) {
            return Ok(None);
        }
        let request = ReadRequest {
            class: own_class(graph.definition.python.as_deref()),
            ..ReadRequest::default()
        };
        let asked = self.putter.asked(graph, &existing.record.data_id);
        let new = formatter
            .read(new, None, &request)
            .map_err(|source| format_error(&asked, source))?;
        let new = match graph.definition.python.as_deref().map(python_type) {
            Some(PythonType::Foreign(path)) => {
                let (imports, import) = self.follow(graph, ImportRole::Class, path)?;
                imports
                    .read_as(&import, &new)
                    .map_err(|source| failed(&import, source))?
            }
            _ => new,
        };
        let old = self.load_stored(graph, existing)?;
        Ok(new.difference(old.as_ref()))
    }

    /// A different dataset stands under the data ID: in an input it is shadowed, in the output it is replaced or refused
    /// (rules R20, R26).
    pub(super) fn conflict(
        &self,
        graph: &GraphNode,
        root: &DataId,
        existing: Found,
        difference: String,
        label: &str,
    ) -> Result<Option<Found>> {
        let chain = self.putter.planner.chain;
        let (output, _) = chain.output("put")?;
        if existing.repository != output {
            return Ok(None);
        }
        let picks = |key: &str| {
            let mut sources = graph.sources.iter();
            sources.any(|source| matches!(source, KeySource::Root(from) if from == key))
        };
        let shared = root.keys().any(|key| !picks(key));
        if self.options.on_conflict == OnConflict::Replace && !shared {
            return Ok(Some(existing));
        }
        let location = place_of(&existing.record)
            .map_or_else(|_| String::new(), |location| location.to_string());
        let difference = if self.options.on_conflict == OnConflict::Replace {
            format!(
                "{difference}; `{label}` is shared by several data IDs, so it is replaced only by a put of its own"
            )
        } else {
            difference
        };
        Err(Error::Conflict {
            asked: self.putter.asked(graph, &existing.record.data_id),
            repository: chain.repository(existing.repository).name().to_owned(),
            location,
            difference,
        })
    }
}

/// Whether an object is a dataset as it was read, whole and unchanged (rule R23).
fn unchanged_since_read(
    object: &ObjectRef,
    graph: &GraphNode,
    data_id: &DataId,
    found: DatasetId,
) -> bool {
    object.origin().is_some_and(|origin| {
        origin.whole
            && !origin.standardized
            && origin.part.is_empty()
            && origin.dataset == found
            && origin.dataset_type == graph.dataset_type
            && origin.data_id == *data_id
    })
}

/// Returns the formatter that a type's storage names.
pub(crate) fn formatter_of(putter: &Putter<'_>, graph: &GraphNode) -> Result<Arc<dyn Formatter>> {
    let formatters = putter.executor.formatters;
    let storage = graph
        .definition
        .storage
        .as_deref()
        .ok_or_else(|| Error::Graph {
            asked: Asked::new(&graph.dataset_type, &DataId::default()),
            error: pantler_core::composite_graph::GraphError::Incomplete {
                name: graph.dataset_type.clone(),
                place: graph.definition.place.clone(),
                why: "it has no storage".to_owned(),
            },
        })?;
    formatters
        .get(storage)
        .ok_or_else(|| Error::UnknownStorage {
            dataset_type: graph.dataset_type.clone(),
            storage: storage.to_owned(),
            known: formatters.names().map(str::to_owned).collect(),
            place: Some(graph.definition.place.clone()),
        })
}

/// Prepares the writing of a new artifact: its identity, its path, and who else could own that path.
pub(super) fn new_write(
    putter: &Putter<'_>,
    graph: &GraphNode,
    data_id: &DataId,
    content: Content,
    bytes: u64,
) -> Result<Write> {
    let chain = putter.planner.chain;
    let template = graph
        .definition
        .template
        .as_ref()
        .ok_or_else(|| Error::request("a type without a template cannot be written"))?;
    let filled = template.fill(data_id).map_err(|error| Error::NoPath {
        asked: putter.asked(graph, data_id),
        template: template.text().to_owned(),
        why: error.to_string(),
    })?;
    Ok(Write {
        id: DatasetId::new(Uuid::now_v7()),
        definition: definition_version(graph),
        data_id: data_id.clone(),
        path: filled.path,
        content,
        bytes,
        modified: None,
        digest: None,
        layout: None,
        facts: Facts::default(),
        precursors: Vec::new(),
        replaces: None,
        rivals: rivals_of(chain, graph),
        state: State::Current,
    })
}

/// Returns the other types whose artifacts could lie where this type's do (rule R8).
pub(crate) fn rivals_of(chain: &Chain, graph: &GraphNode) -> Vec<(TypeName, Template)> {
    let Some(template) = &graph.definition.template else {
        return Vec::new();
    };
    chain
        .definitions()
        .filter(|(_, other)| other.name != graph.definition.name)
        .filter_map(|(_, other)| Some((other.name.clone(), other.template.clone()?)))
        .filter(|(_, other)| other.can_meet(template))
        .collect()
}
