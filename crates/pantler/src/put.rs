//! Puts an object: takes it apart, writes what is new, records what it is made of, all or nothing.
//!
//! ```text
//! resolve ─► graph, candidates ─► decide (what is new, same, input only, refused) ─► commit (stage, sync, link, record)
//!                                  once for each put of a batch ◄─┘
//! ```
//!
//! Everything is decided, and refused where it must be, before the first byte is staged.

mod artifact;
pub(crate) mod batch;
pub(crate) mod commit;
mod decide;
mod deltas;
mod explain;
mod input_only;
mod inputs;
mod judging;
mod linking;
mod outputs;
mod paths;
mod recording;
pub(crate) mod replace;
mod staging;
mod undoing;

pub(crate) use artifact::{formatter_of, rivals_of};
pub use batch::Batch;
pub(crate) use commit::{Brought, Prepared, write_all};
pub use explain::{PutNode, PutPlan};

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use pantler_core::composite_graph::GraphNode;
use pantler_core::registry::{DefinitionVersion, FindRequest, Member, State};
use pantler_core::template::Template;
use pantler_core::{
    ArtifactPath, DataId, DatasetId, Digest, KeyValue, Location, ObjectRef, TypeName, synonyms,
};

use crate::candidates::{Candidates, Found};
use crate::complete::{ambiguous, complete};
use crate::error::{Asked, Error, Result};
use crate::execute::Executor;
use crate::planner::Planner;
use crate::recorded_definition::RecordedDefinition;
use crate::repository::Repository;
use crate::resolve::{Resolved, check_keys};
use crate::sky_facts::Facts;
use crate::who::Who;

/// What to do with an input-only component that was changed (rule R24).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InputOnly {
    /// Refuse the put.
    #[default]
    Refuse,
    /// Go on; the change is lost.
    Drop,
}

/// What to do with a different dataset under the same data ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnConflict {
    /// Refuse the put.
    #[default]
    Refuse,
    /// Replace it, with a new identity (rule R26).
    Replace,
}

/// How to put.
#[derive(Debug, Clone, Default)]
pub struct PutOptions {
    /// What to do with a different dataset under the same data ID.
    pub on_conflict: OnConflict,
    /// What to do with changed input-only components.
    pub input_only: InputOnly,
    /// Notes to keep with it.
    pub notes: Vec<(String, String)>,
    /// What it was made from (rule R34): the name of a component whose data IDs are recorded, or of a dataset, and a data ID.
    pub inputs: Vec<(String, DataId)>,
    /// Objects of components that the object itself does not carry: operations on its planes (rule R32), by component.
    pub parts: Vec<(String, ObjectRef)>,
}

/// What a put or a link did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutResult {
    /// The name that was put.
    pub name: String,
    /// The complete data ID.
    pub data_id: DataId,
    /// The locations that were written.
    pub written: Vec<String>,
    /// The components (or the dataset itself) that were there already.
    pub unchanged: Vec<String>,
    /// The components that were only recorded.
    pub input_only: Vec<String>,
    /// Whether a composition was recorded.
    pub recorded: bool,
    /// The dataset's identity.
    pub id: DatasetId,
    /// What happened in each repository, where it was put into several; empty for one (rule R28). The lists above are then
    /// those of all of them together, and unchanged is what was there already in each.
    pub outputs: Vec<PutOutput>,
}

/// What a put or a link did in one of several repositories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutOutput {
    /// The repository's root.
    pub repository: String,
    /// The repository, as it was named.
    pub repository_name: String,
    /// The locations that were written in it.
    pub written: Vec<String>,
    /// The components (or the dataset itself) that were there already.
    pub unchanged: Vec<String>,
    /// The components that were only recorded.
    pub input_only: Vec<String>,
    /// Whether a composition was recorded in it.
    pub recorded: bool,
    /// The dataset's identity there.
    pub id: DatasetId,
}

/// An artifact to be written.
pub(crate) struct Write {
    pub id: DatasetId,
    pub definition: Arc<DefinitionVersion>,
    pub data_id: DataId,
    pub path: ArtifactPath,
    pub content: Content,
    pub bytes: u64,
    /// When a file that stays the user's own was last changed.
    pub modified: Option<i64>,
    pub digest: Option<Digest>,
    pub layout: Option<Arc<[u8]>>,
    pub facts: Facts,
    pub precursors: Vec<Member>,
    pub replaces: Option<Found>,
    /// Other types whose artifacts could lie at the same path (rule R8).
    pub rivals: Vec<(TypeName, Template)>,
    /// Whether it is to be found by its data ID, or by its identity alone.
    pub state: State,
}

/// Where an artifact's bytes come from.
pub(crate) enum Content {
    /// From memory.
    Memory(Bytes),
    /// From a file of the user's, copied.
    Copy(std::path::PathBuf),
    /// From an artifact of another repository, copied.
    From(Arc<Repository>, Location),
    /// From a file of the user's, as a further name of it.
    Link(std::path::PathBuf),
    /// The file lies where it shall stay.
    InPlace { location: Option<Location> },
    /// It lies in the file of an earlier write of the same batch, as another HDU of it.
    Beside,
    /// It lies under its staged name.
    Staged,
}

/// A composition to be recorded.
pub(crate) struct Composition {
    pub id: DatasetId,
    pub definition: Arc<DefinitionVersion>,
    pub data_id: DataId,
    pub members: Vec<Member>,
    pub facts: Facts,
    pub precursors: Vec<Member>,
    /// Those members that lay in the repository itself when this was decided.
    pub here: Vec<DatasetId>,
    pub replaces: Option<Found>,
    /// Whether it is to be found by its data ID, or by its identity alone.
    pub state: State,
}

/// All that a put will do.
#[derive(Default)]
pub(crate) struct Decision {
    pub writes: Vec<Write>,
    pub compositions: Vec<Composition>,
    pub unchanged: Vec<String>,
    pub input_only: Vec<String>,
    /// The definitions that it uses, each with the number of the repository that it stands in.
    pub definitions: Vec<(usize, Arc<pantler_core::policy::Definition>)>,
    /// The identities that it gave or found.
    pub identities: outputs::Identities,
}

impl Decision {
    /// Whether nothing is left to be written.
    fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.compositions.is_empty()
    }
}

/// A decision with what it is about.
pub(crate) struct Decided {
    data_id: DataId,
    id: DatasetId,
    written: Vec<String>,
    recorded: bool,
    decision: Decision,
}

impl Decided {
    fn new(data_id: DataId, id: DatasetId, decision: Decision) -> Decided {
        let paths = decision.writes.iter().map(|write| write.path.to_string());
        Decided {
            data_id,
            id,
            written: paths.collect(),
            recorded: !decision.compositions.is_empty(),
            decision,
        }
    }
}

/// Puts objects into the first output of a chain.
#[derive(Clone, Copy)]
pub(crate) struct Putter<'a> {
    pub planner: Planner<'a>,
    pub executor: Executor<'a>,
    pub who: &'a Who,
}

impl Putter<'_> {
    /// Puts an object.
    pub fn put(
        &self,
        object: &ObjectRef,
        resolved: &Resolved,
        options: &PutOptions,
    ) -> Result<PutResult> {
        again_if_raced(|| self.put_once(object, resolved, options))
    }

    fn put_once(
        &self,
        object: &ObjectRef,
        resolved: &Resolved,
        options: &PutOptions,
    ) -> Result<PutResult> {
        let provenance = self.who.did("put", &options.notes);
        let shares = self.decide_put_in_each(object, resolved, options)?;
        outputs::write_shares(resolved, self.executor.interrupt, shares, &provenance)
    }

    /// Decides a put for every output.
    fn decide_put_in_each(
        &self,
        object: &ObjectRef,
        resolved: &Resolved,
        options: &PutOptions,
    ) -> Result<Vec<outputs::Share>> {
        // Where the outputs differ in what they have, a key is completed from all of them together.
        let mut resolved = resolved.clone();
        if resolved.part.is_empty() && self.planner.chain.outputs().len() > 1 {
            let graph = self.planner.graph(&resolved)?;
            let (_, data_id) = self.complete_data_id(&graph, &resolved)?;
            resolved.data_id = resolved.data_id.union(&data_id);
        }
        self.decide_for_each(&|putter, identities| {
            putter.decide_put(object, &resolved, options, identities)
        })
    }

    fn decide_put(
        &self,
        object: &ObjectRef,
        resolved: &Resolved,
        options: &PutOptions,
        identities: outputs::Identities,
    ) -> Result<Decided> {
        let (_, output) = self.planner.chain.output("put")?;
        if !output.writable() {
            return Err(Error::NotWritable {
                repository: output.name().to_owned(),
                why: "it was opened for reading".to_owned(),
            });
        }
        let (graph, resolved) = self.target(resolved)?;
        let (candidates, data_id) = self.complete_data_id(&graph, &resolved)?;
        self.planner
            .check_unused_keys(&resolved, &graph, &data_id)?;
        check_picked(&graph, &resolved)?;
        let mut decider = decide::Decider::new(self, &resolved.asked, candidates, options);
        decider.decision.identities = identities;
        decider.find_inputs(&graph)?;
        let id = decider.dataset(&graph, object, &data_id, &resolved.asked.name)?;
        let id = decider.identity(id)?;
        Ok(Decided::new(data_id, id, decider.finish()))
    }

    /// Records parts that were put one by one as a composite; nothing is written but the record.
    pub fn link(&self, resolved: &Resolved, options: &PutOptions) -> Result<PutResult> {
        again_if_raced(|| self.link_once(resolved, options))
    }

    fn link_once(&self, resolved: &Resolved, options: &PutOptions) -> Result<PutResult> {
        let provenance = self.who.did("link", &options.notes);
        let shares = self.decide_link_in_each(resolved, options)?;
        outputs::write_shares(resolved, self.executor.interrupt, shares, &provenance)
    }

    /// Decides a link for every output.
    fn decide_link_in_each(
        &self,
        resolved: &Resolved,
        options: &PutOptions,
    ) -> Result<Vec<outputs::Share>> {
        let mut resolved = resolved.clone();
        if self.planner.chain.outputs().len() > 1 {
            let graph = self.planner.graph(&resolved)?;
            let candidates = Candidates::find(self.planner.chain, &graph, &resolved.data_id)?;
            let (asked, given) = (&resolved.asked, &resolved.data_id);
            let data_id = complete(self.planner.chain, &candidates, &graph, asked, given)?;
            resolved.data_id = given.union(&data_id);
        }
        self.decide_for_each(&|putter, identities| {
            putter.decide_link(&resolved, options, identities)
        })
    }

    fn decide_link(
        &self,
        resolved: &Resolved,
        options: &PutOptions,
        identities: outputs::Identities,
    ) -> Result<Decided> {
        self.planner.chain.output("link")?;
        let graph = self.planner.graph(resolved)?;
        if !graph.is_composite() || !resolved.part.is_empty() {
            return Err(Error::request(format!(
                "`{}` is no composite, so there is nothing to link",
                resolved.asked.name
            )));
        }
        check_keys(
            self.planner.chain,
            &resolved.asked,
            &resolved.data_id,
            &graph.keys,
        )?;
        let candidates = Candidates::find(self.planner.chain, &graph, &resolved.data_id)?;
        let data_id = complete(
            self.planner.chain,
            &candidates,
            &graph,
            &resolved.asked,
            &resolved.data_id,
        )?;
        check_picked(&graph, resolved)?;
        let mut decider = decide::Decider::new(self, &resolved.asked, candidates, options);
        decider.decision.identities = identities;
        decider.find_inputs(&graph)?;
        let id = decider.link(&graph, &data_id)?;
        Ok(Decided::new(data_id, id, decider.finish()))
    }

    /// The graph to put: of the whole type, or of the component that a dotted name means, if it has an artifact of its own.
    pub(crate) fn target(&self, resolved: &Resolved) -> Result<(GraphNode, Resolved)> {
        let graph = self.planner.graph(resolved)?;
        let Some((first, rest)) = resolved.part.split_first() else {
            return Ok((graph, resolved.clone()));
        };
        let wanted = synonyms::canonical(first);
        let component = graph.components().iter().find(|node| {
            synonyms::canonical(node.component_name()) == wanted && node.part.is_empty()
        });
        let Some(component) = component else {
            return Err(Error::ReadOnly {
                name: resolved.asked.name.clone(),
                place: Some(graph.definition.place.clone()),
                components: Vec::new(),
                why: format!(
                    "`{first}` has no artifact of its own: it lies inside that of `{}`",
                    graph.dataset_type
                ),
                instead: Vec::new(),
            });
        };
        let inner = Resolved {
            asked: resolved.asked.clone(),
            dataset_type: component.dataset_type.clone(),
            part: rest.to_vec(),
            data_id: component.data_id(&resolved.data_id),
            tag: None,
        };
        self.target(&inner)
    }

    /// Completes a data ID for a put: from the type's own datasets, else from any type in the chain that has the given keys
    /// (rule R27).
    pub(crate) fn complete_data_id(
        &self,
        graph: &GraphNode,
        resolved: &Resolved,
    ) -> Result<(Candidates, DataId)> {
        let chain = self.planner.chain;
        check_keys(chain, &resolved.asked, &resolved.data_id, &graph.keys)?;
        let mut given = resolved.data_id.clone();
        for (key, _) in &graph.keys {
            if given.get(key).is_some() {
                continue;
            }
            let mut values = self.values_anywhere(&given, key)?;
            if values.len() > 1 {
                let candidates = Candidates::find(chain, graph, &given)?;
                let asked = &resolved.asked;
                return Err(ambiguous(
                    chain,
                    &candidates,
                    graph,
                    asked,
                    &given,
                    key,
                    values,
                ));
            }
            if let Some((value, _)) = values.pop_first() {
                given.insert(key.as_str(), value);
            }
        }
        let candidates = Candidates::find(chain, graph, &given)?;
        let data_id = complete(chain, &candidates, graph, &resolved.asked, &given)?;
        Ok((candidates, data_id))
    }

    /// Every value that a key has among the datasets that agree with what is given, and the first repository that has it.
    fn values_anywhere(&self, given: &DataId, key: &str) -> Result<BTreeMap<KeyValue, usize>> {
        let chain = self.planner.chain;
        let requests: Vec<FindRequest> = chain
            .definitions()
            .filter_map(|(_, definition)| {
                let keys = definition.template.as_ref()?.keys();
                let has = |wanted: &str| keys.iter().any(|(known, _)| known == wanted);
                (has(key) && given.keys().all(has)).then(|| FindRequest {
                    dataset_type: definition.name.clone(),
                    data_id: given.clone(),
                    limit: crate::candidates::MOST_CANDIDATES,
                })
            })
            .collect();
        let mut values = BTreeMap::new();
        if requests.is_empty() {
            return Ok(values);
        }
        for (index, repository) in chain.repositories().iter().enumerate() {
            for record in repository
                .registry()
                .find_many(&requests)?
                .into_iter()
                .flatten()
            {
                if let Some(value) = record.data_id.get(key) {
                    values.entry(value.clone()).or_insert(index);
                }
            }
        }
        Ok(values)
    }

    /// Says what a put of this dataset would meet, for `explain --put`.
    pub(crate) fn asked(&self, graph: &GraphNode, data_id: &DataId) -> Asked {
        Asked::new(graph.dataset_name(), data_id)
    }
}

/// Refuses a composite of lists that nothing picks: everything that was put under no key would be one dataset (rule R16).
fn check_picked(graph: &GraphNode, resolved: &Resolved) -> Result<()> {
    let lists = graph.components().iter().any(GraphNode::is_subset);
    if !graph.keys.is_empty() || !lists {
        return Ok(());
    }
    let mut known: Vec<&str> = Vec::new();
    for (key, _) in graph.components().iter().flat_map(|node| &node.keys) {
        if !known.contains(&key.as_str()) {
            known.push(key);
        }
    }
    Err(Error::Request {
        message: format!(
            "`{}` is made of lists, and needs a data ID that says of which",
            resolved.asked.name
        ),
        hints: vec![
            format!("give some of its keys: {}", known.join(", ")),
            format!(
                "or let the policy say which are its own: `keys: [{}]`",
                known.join(", ")
            ),
        ],
    })
}

/// The version of a definition that a dataset is written with today (rule R6).
pub(crate) fn definition_version(graph: &GraphNode) -> Arc<DefinitionVersion> {
    let definition = &graph.definition;
    let composite = graph.is_composite();
    Arc::new(DefinitionVersion {
        dataset_type: definition.name.clone(),
        keys: graph.keys.clone(),
        template: definition
            .template
            .as_ref()
            .filter(|_| !composite)
            .map(|template| template.text().to_owned()),
        storage: definition.storage.clone().filter(|_| !composite),
        python: definition.python.clone(),
        assembler: definition
            .composite
            .as_ref()
            .and_then(|composite| composite.assembler.clone()),
        extra: composite
            .then(|| RecordedDefinition::of(graph).to_text())
            .flatten(),
    })
}

/// Decides anew when another process was faster: then what it put is compared like anything else that is there.
///
/// An artifact that is not where the registry said a moment ago may have been replaced since.
pub(crate) fn again_if_raced<T>(mut act: impl FnMut() -> Result<T>) -> Result<T> {
    for _ in 0..4 {
        match act() {
            Err(error) if is_raced(&error) => {}
            outcome => return outcome,
        }
    }
    act()
}

fn is_raced(error: &Error) -> bool {
    matches!(
        error.innermost(),
        Error::Raced { .. } | Error::ArtifactGone { .. } | Error::ArtifactChanged { .. }
    )
}
