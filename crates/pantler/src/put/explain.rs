//! Says what a put would do, without an object: where each part would go, what is there, what would be refused.

use pantler_core::DataId;
use pantler_core::composite_graph::GraphNode;
use pantler_core::python_type::{PythonType, python_type};

use crate::candidates::Candidates;
use crate::error::Result;
use crate::planner::locate;
use crate::resolve::Resolved;

use super::Putter;
use super::artifact::new_write;

/// What a put would do.
#[derive(Debug, Clone)]
pub struct PutPlan {
    /// The name as it was asked for.
    pub name: String,
    /// The repository that would be written, as the user named it.
    pub repository_name: String,
    /// Its root.
    pub repository: String,
    /// The dataset and its parts.
    pub root: PutNode,
}

/// What a put would do with one dataset.
#[derive(Debug, Clone)]
pub struct PutNode {
    /// The component's name; empty at the root.
    pub component: String,
    /// The dataset type, with the part.
    pub dataset: String,
    /// Its data ID.
    pub data_id: DataId,
    /// What would happen, in words.
    pub action: String,
    /// Where it would be written, if it would be.
    pub location: Option<String>,
    /// Its parts.
    pub components: Vec<PutNode>,
}

impl Putter<'_> {
    /// Says what a put would do.
    pub fn explain(&self, resolved: &Resolved) -> Result<PutPlan> {
        let (_, output) = self.planner.chain.output("put")?;
        let (graph, resolved) = self.target(resolved)?;
        let (candidates, data_id) = self.complete_data_id(&graph, &resolved)?;
        Ok(PutPlan {
            name: resolved.asked.name.clone(),
            repository_name: output.name().to_owned(),
            repository: output.root().to_owned(),
            root: self.explain_node(&graph, &candidates, &data_id)?,
        })
    }

    fn explain_node(
        &self,
        graph: &GraphNode,
        candidates: &Candidates,
        root: &DataId,
    ) -> Result<PutNode> {
        let data_id = graph.data_id(root);
        let mut components = Vec::new();
        let input_only = graph
            .component
            .as_ref()
            .is_some_and(|component| component.input_only);
        if !input_only {
            for component in graph.components() {
                components.push(self.explain_node(component, candidates, root)?);
            }
        }
        let (action, location) = self.explain_action(graph, candidates, &data_id, input_only)?;
        Ok(PutNode {
            component: graph.component_name().to_owned(),
            dataset: graph.dataset_name(),
            data_id,
            action,
            location,
            components,
        })
    }

    fn explain_action(
        &self,
        graph: &GraphNode,
        candidates: &Candidates,
        data_id: &DataId,
        input_only: bool,
    ) -> Result<(String, Option<String>)> {
        let chain = self.planner.chain;
        let (output, repository) = chain.output("put")?;
        let found = candidates.first(chain, graph, data_id);
        let there = |repository: usize| chain.repository(repository).name().to_owned();
        if input_only {
            return Ok(match found {
                Some(found) => (
                    format!("input only, recorded from {}", there(found.repository)),
                    None,
                ),
                None => ("input only, refused: it does not exist".to_owned(), None),
            });
        }
        if graph.is_composite() {
            let composite = graph.composite();
            let read_only = composite.is_some_and(|composite| {
                composite.assembler.is_some() && composite.disassembler.is_none()
            });
            let action = if read_only {
                "refused: it has an assembler and no disassembler".to_owned()
            } else {
                match found {
                    Some(found) if found.repository == output => "recorded already: the same parts write nothing, others are refused without --replace".to_owned(),
                    Some(found) => format!("recorded here, in front of that of {}", there(found.repository)),
                    None => "taken apart, and recorded".to_owned(),
                }
            };
            return Ok((action, None));
        }
        if let Some(PythonType::Foreign(path)) = graph.definition.python.as_deref().map(python_type)
            && self.executor.plugins.imports().is_none()
        {
            return Ok((format!("refused: it needs {path}"), None));
        }
        if !graph.part.is_empty() {
            return Ok(("compared: it has no artifact of its own".to_owned(), None));
        }
        let write = new_write(
            self,
            graph,
            data_id,
            super::Content::Memory(Default::default()),
            0,
        )?;
        let location = Some(write.path.to_string());
        Ok(match found {
            Some(found) if found.repository == output => {
                let (place, _) = locate(&found.record, &self.asked(graph, data_id))?;
                (
                    "exists here: the same writes nothing, another is refused without --replace"
                        .to_owned(),
                    Some(place.to_string()),
                )
            }
            Some(found) => (
                format!(
                    "written, unless it is the same as that of {}; it then stands in front of it",
                    there(found.repository)
                ),
                location,
            ),
            None => (format!("written to {}", repository.name()), location),
        })
    }
}
