//! What a dataset type is made of: a pure function of policies, the logical plan of a get.
//!
//! It knows no repository and no file. The planner binds its nodes to what exists.
//!
//! ```text
//! calexp:jointcal              Composite   keys visit, ccd, tract
//! ├─ calexp  calexp:sfm        File        keys visit, ccd           (base)
//! ├─ wcs     jointcal_wcs      File        keys visit, ccd, tract
//! └─ calib   jointcal_calib    File        keys visit, ccd, tract
//! ```

use std::sync::Arc;

use crate::policy::{Component, Composite, Definition, KeyBinding, Place};
use crate::{DataId, DatasetName, KeyType, KeyValue, TypeName};

/// Looks definitions up; the first repository in search order that defines a type decides (rule R5).
pub trait Definitions {
    /// Returns a type's definition and the number of the policy that it stands in.
    fn find_definition(&self, name: &TypeName) -> Option<(usize, Arc<Definition>)>;
}

/// A dataset type, or a part of one, with all that it is made of.
#[derive(Debug, Clone)]
pub struct GraphNode {
    /// The component's name in the composite above; `None` at the root.
    pub component: Option<Component>,
    /// The dataset type.
    pub dataset_type: TypeName,
    /// Which part of the dataset is meant; empty for the whole. What it is made of is that of the whole: which component the
    /// part comes from is for the plan to say, since a recorded composition may decide it.
    pub part: Vec<String>,
    /// Its definition.
    pub definition: Arc<Definition>,
    /// The number of the policy that defines it.
    pub policy: usize,
    /// What it is made of.
    pub kind: GraphKind,
    /// The keys that pick one dataset of the type, in the order in which they are shown.
    pub keys: Vec<(String, KeyType)>,
    /// For each of [`GraphNode::keys`], where its value comes from, seen from the root.
    pub sources: Vec<KeySource>,
    /// Keys that only lists of components have, of a composite that declares no keys: they are keys of a dataset where they
    /// are given (rule R16).
    pub optional_keys: Vec<(String, KeyType, KeySource)>,
}

/// What sort of type a node is.
#[derive(Debug, Clone)]
pub enum GraphKind {
    /// One artifact holds it.
    File,
    /// It is assembled from these, in policy order.
    Composite(Vec<GraphNode>),
}

/// Where the value of a node's key comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum KeySource {
    /// From this key of the root's data ID.
    Root(String),
    /// From the policy.
    Pinned(KeyValue),
}

/// Why a name has no graph.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GraphError {
    /// No policy defines the type.
    #[error("unknown dataset type `{name}`")]
    UnknownType {
        /// The type.
        name: TypeName,
        /// The component that names it, and where.
        needed_by: Option<(String, TypeName, Place)>,
    },
    /// A type is made of itself.
    #[error("`{name}` is made of itself")]
    Cycle {
        /// The type.
        name: TypeName,
        /// The way round.
        path: Vec<TypeName>,
    },
    /// The definition lacks what is needed to use it.
    #[error("the definition of `{name}` cannot be used: {why}")]
    Incomplete {
        /// The type.
        name: TypeName,
        /// Where it is defined.
        place: Place,
        /// What it lacks.
        why: String,
    },
}

impl GraphNode {
    /// Builds the graph of a type, or of a part of it; an empty `part` is the whole.
    pub fn build(
        definitions: &dyn Definitions,
        dataset_type: &TypeName,
        part: &[String],
    ) -> Result<GraphNode, GraphError> {
        Builder {
            definitions,
            path: Vec::new(),
        }
        .node(dataset_type, part, None)
    }

    /// Returns the components of a composite; nothing for a file.
    pub fn components(&self) -> &[GraphNode] {
        match &self.kind {
            GraphKind::File => &[],
            GraphKind::Composite(nodes) => nodes,
        }
    }

    /// Says whether it is assembled.
    pub fn is_composite(&self) -> bool {
        matches!(self.kind, GraphKind::Composite(_))
    }

    /// Returns the definition's composite section.
    pub fn composite(&self) -> Option<&Composite> {
        self.definition.composite.as_ref()
    }

    /// Returns the component's name; empty at the root.
    pub fn component_name(&self) -> &str {
        self.component
            .as_ref()
            .map_or("", |component| &component.name)
    }

    /// Says whether the component is a list of all datasets that match.
    pub fn is_subset(&self) -> bool {
        self.component
            .as_ref()
            .is_some_and(|component| component.subset)
    }

    /// Says whether the component's data IDs stand in the composition alone and follow from nothing else (rule R34).
    pub fn is_recorded(&self) -> bool {
        self.component
            .as_ref()
            .is_some_and(|component| component.data_ids.is_some())
    }

    /// Returns the component that the others are laid over (rule R10): the one marked, else the one of the composite's own
    /// Python type.
    pub fn base(&self) -> Option<&GraphNode> {
        let nodes = self.components();
        let marked = nodes.iter().find(|node| {
            node.component
                .as_ref()
                .is_some_and(|component| component.base)
        });
        marked.or_else(|| {
            let python = self.definition.python.as_deref()?;
            nodes.iter().find(|node| {
                node.part.is_empty()
                    && !node.is_subset()
                    && !node.is_recorded()
                    && node.definition.python.as_deref() == Some(python)
            })
        })
    }

    /// Returns the part of this node's data ID that the root's data ID gives; keys that it lacks are left out. Keys stand in
    /// the root's order, so that people read them as they typed them.
    pub fn data_id(&self, root: &DataId) -> DataId {
        let place = |from: &str| root.keys().position(|key| key == from);
        let mut entries: Vec<(Option<usize>, &str, KeyValue)> = Vec::new();
        for ((key, _), source) in self.keys.iter().zip(&self.sources) {
            match source {
                KeySource::Root(from) => {
                    if let Some(value) = root.get(from) {
                        entries.push((place(from), key, value.clone()));
                    }
                }
                KeySource::Pinned(value) => entries.push((None, key, value.clone())),
            }
        }
        // Pinned keys come last; the sort is stable, so they keep the template's order.
        entries.sort_by_key(|(place, _, _)| place.unwrap_or(usize::MAX));
        DataId::new(entries.into_iter().map(|(_, key, value)| (key, value)))
    }

    /// Returns what a dataset of this node's type says about the root's data ID; `None` if it contradicts a pinned key,
    /// or has two values for one key of the root.
    pub fn root_data_id(&self, own: &DataId) -> Option<DataId> {
        let mut root = DataId::default();
        for ((key, _), source) in self.keys.iter().zip(&self.sources) {
            let Some(value) = own.get(key) else { continue };
            match source {
                // A policy may take two keys from one: a dataset in which they differ is no part of this composite.
                KeySource::Root(from) => match root.get(from) {
                    Some(other) if other != value => return None,
                    _ => root.insert(from, value.clone()),
                },
                KeySource::Pinned(pinned) if pinned != value => return None,
                KeySource::Pinned(_) => {}
            }
        }
        Some(root)
    }

    /// Takes as keys those that the caller gave and that lists of components know: what is put under them is one dataset for
    /// each of their values (rule R16).
    pub fn take_keys(&mut self, given: &DataId) {
        let known: Vec<String> = given.keys().map(str::to_owned).collect();
        self.take_known_keys(&known);
    }

    fn take_known_keys(&mut self, known: &[String]) {
        for (key, key_type, source) in std::mem::take(&mut self.optional_keys) {
            let is_known = match &source {
                KeySource::Root(from) => known.contains(from),
                KeySource::Pinned(_) => true,
            };
            if is_known && !self.keys.iter().any(|(own, _)| *own == key) {
                self.keys.push((key, key_type));
                self.sources.push(source);
            }
        }
        let of_root: Vec<String> = match &self.component {
            None => self.keys.iter().map(|(key, _)| key.clone()).collect(),
            Some(_) => known.to_vec(),
        };
        if let GraphKind::Composite(nodes) = &mut self.kind {
            for node in nodes {
                node.take_known_keys(&of_root);
            }
        }
    }

    /// Visits this node and all below it, outermost first.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a GraphNode)) {
        visit(self);
        for node in self.components() {
            node.walk(visit);
        }
    }

    /// Prints the node as a dataset name: `calexp:sfm.wcs`.
    pub fn dataset_name(&self) -> String {
        name_of_part(&self.dataset_type, &self.part)
    }
}

/// Prints a type and a part of it as a dataset name.
pub fn name_of_part(dataset_type: &TypeName, part: &[String]) -> String {
    let mut name = dataset_type.to_string();
    for component in part {
        name.push('.');
        name.push_str(component);
    }
    name
}

struct Builder<'a> {
    definitions: &'a dyn Definitions,
    path: Vec<TypeName>,
}

impl Builder<'_> {
    fn node(
        &mut self,
        dataset_type: &TypeName,
        part: &[String],
        needed_by: Option<(String, TypeName, Place)>,
    ) -> Result<GraphNode, GraphError> {
        let Some((policy, definition)) = self.definitions.find_definition(dataset_type) else {
            return Err(GraphError::UnknownType {
                name: dataset_type.clone(),
                needed_by,
            });
        };
        if self.path.contains(dataset_type) {
            return Err(GraphError::Cycle {
                name: dataset_type.clone(),
                path: self.path.clone(),
            });
        }
        self.path.push(dataset_type.clone());
        let node = match &definition.composite {
            Some(composite) => self.composite(policy, &definition, composite, part),
            None => file_node(policy, &definition, part),
        };
        self.path.pop();
        node
    }

    fn composite(
        &mut self,
        policy: usize,
        definition: &Arc<Definition>,
        composite: &Composite,
        part: &[String],
    ) -> Result<GraphNode, GraphError> {
        let mut nodes = Vec::new();
        for component in &composite.components {
            nodes.push(self.component(definition, component)?);
        }
        Ok(GraphNode {
            component: None,
            dataset_type: definition.name.clone(),
            part: part.to_vec(),
            definition: definition.clone(),
            policy,
            keys: union_of_keys(definition, &nodes),
            optional_keys: keys_of_lists(definition, &nodes),
            sources: Vec::new(),
            kind: GraphKind::Composite(nodes),
        }
        .with_own_sources())
    }

    fn component(
        &mut self,
        definition: &Definition,
        component: &Component,
    ) -> Result<GraphNode, GraphError> {
        let DatasetName { components, .. } = &component.dataset_type;
        let full = component.dataset_type.full_type_name();
        let needed_by = Some((
            component.name.clone(),
            definition.name.clone(),
            component.place.clone(),
        ));
        // A dotted name may itself be defined (rule R1); else it is a part of the type before the dot (rule R12).
        let mut node =
            if !components.is_empty() && self.definitions.find_definition(&full).is_some() {
                self.node(&full, &[], needed_by)?
            } else {
                self.node(&component.dataset_type.type_name(), components, needed_by)?
            };
        node.bind(component);
        node.component = Some(component.clone());
        Ok(node)
    }
}

impl GraphNode {
    fn with_own_sources(mut self) -> GraphNode {
        self.sources = self
            .keys
            .iter()
            .map(|(key, _)| KeySource::Root(key.clone()))
            .collect();
        self
    }

    /// Re-expresses this node, and all below it, in the keys of the composite that it is a component of.
    fn bind(&mut self, component: &Component) {
        let rebind = |source: &KeySource| match source {
            KeySource::Root(key) => match component.data_id.iter().find(|(name, _)| name == key) {
                Some((_, KeyBinding::Pinned(value))) => KeySource::Pinned(value.clone()),
                Some((_, KeyBinding::Renamed(other))) => KeySource::Root(other.clone()),
                None => KeySource::Root(key.clone()),
            },
            other => other.clone(),
        };
        for source in &mut self.sources {
            *source = rebind(source);
        }
        for (_, _, source) in &mut self.optional_keys {
            *source = rebind(source);
        }
        if let GraphKind::Composite(nodes) = &mut self.kind {
            for node in nodes {
                node.bind(component);
            }
        }
    }
}

fn file_node(
    policy: usize,
    definition: &Arc<Definition>,
    part: &[String],
) -> Result<GraphNode, GraphError> {
    if definition.virtual_reader.is_some() {
        return Ok(virtual_node(policy, definition, part));
    }
    let Some(template) = &definition.template else {
        return Err(GraphError::Incomplete {
            name: definition.name.clone(),
            place: definition.place.clone(),
            why: definition
                .complaints
                .first()
                .cloned()
                .unwrap_or_else(|| "it has neither a template nor a composite".to_owned()),
        });
    };
    Ok(GraphNode {
        component: None,
        dataset_type: definition.name.clone(),
        part: part.to_vec(),
        definition: definition.clone(),
        policy,
        kind: GraphKind::File,
        keys: template.keys().to_vec(),
        optional_keys: Vec::new(),
        sources: Vec::new(),
    }
    .with_own_sources())
}

/// What a function makes from the data ID alone is a composite without components: it has no artifact, and exists where its keys
/// are given.
fn virtual_node(policy: usize, definition: &Arc<Definition>, part: &[String]) -> GraphNode {
    GraphNode {
        component: None,
        dataset_type: definition.name.clone(),
        part: part.to_vec(),
        definition: definition.clone(),
        policy,
        kind: GraphKind::Composite(Vec::new()),
        keys: match &definition.template {
            Some(template) => template.keys().to_vec(),
            None => union_of_keys(definition, &[]),
        },
        optional_keys: Vec::new(),
        sources: Vec::new(),
    }
    .with_own_sources()
}

/// A composite's required keys are the union of its components', those of subset components (rule R16) and of components whose
/// data IDs are recorded (rule R34) aside.
fn union_of_keys(definition: &Definition, nodes: &[GraphNode]) -> Vec<(String, KeyType)> {
    let mut keys: Vec<(String, KeyType)> = Vec::new();
    for node in nodes
        .iter()
        .filter(|node| !node.is_subset() && !node.is_recorded())
    {
        for ((_, key_type), source) in node.keys.iter().zip(&node.sources) {
            if let KeySource::Root(key) = source
                && !keys.iter().any(|(known, _)| known == key)
            {
                keys.push((key.clone(), *key_type));
            }
        }
    }
    let declared = definition.keys.as_deref().unwrap_or_default();
    for key in declared {
        if !keys.iter().any(|(known, _)| known == key) {
            let key_type = nodes
                .iter()
                .flat_map(|node| &node.keys)
                .find(|(known, _)| known == key)
                .map_or(KeyType::Str, |(_, key_type)| *key_type);
            keys.push((key.clone(), key_type));
        }
    }
    keys
}

/// The keys that only `subset` components need, of a composite that does not declare which of them are its own (rule R16).
fn keys_of_lists(
    definition: &Definition,
    nodes: &[GraphNode],
) -> Vec<(String, KeyType, KeySource)> {
    let mut optional: Vec<(String, KeyType, KeySource)> = Vec::new();
    if definition.keys.is_some() {
        return optional;
    }
    let required = union_of_keys(definition, nodes);
    for node in nodes.iter().filter(|node| !node.is_recorded()) {
        let own = node.keys.iter().zip(&node.sources);
        let own = own.map(|((_, key_type), source)| (*key_type, source));
        let of_lists = node.optional_keys.iter();
        let of_lists = of_lists.map(|(_, key_type, source)| (*key_type, source));
        let own = own.filter(|_| node.is_subset());
        for (key_type, source) in own.chain(of_lists) {
            if let KeySource::Root(key) = source
                && !required.iter().any(|(known, _)| known == key)
                && !optional.iter().any(|(known, ..)| known == key)
            {
                optional.push((key.clone(), key_type, KeySource::Root(key.clone())));
            }
        }
    }
    optional
}
