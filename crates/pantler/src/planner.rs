//! From a resolved name to a plan: finds every part in the chain, in one pass, and binds it.
//!
//! It reads registries, never artifacts. Where a composition was recorded, its record decides; else search order does.

mod binding;
mod missing;
mod recorded;
mod taken_out;

use pantler_core::built_names::FILE_NAME;
use pantler_core::composite_graph::{GraphError, GraphKind, GraphNode};
use pantler_core::formatter::ReadRequest;
use pantler_core::plan::{Assemble, Found as HowFound, Plan, PlanKind, PlanNode, Read, TakenPart};
use pantler_core::policy::{Component, Definition};
use pantler_core::python_type::{PythonType, python_type};
use pantler_core::{DataId, DatasetRecord, KeyType, Location, ObjectRef, synonyms};
use pantler_formats::FormatterSet;
use pantler_objects::Delta;

use crate::artifact_source::ArtifactSource;
use crate::assemble::{OVERLAY, generic, overlaid_part};
use crate::candidates::{Candidates, Found};
use crate::chain::Chain;
use crate::complete::complete;
use crate::derived_part::as_file_names;
use crate::derived_part::of_table;
use crate::error::{Asked, Error, KeySide, Result};
use crate::resolve::{Resolved, check_keys};
use crate::taken_part::PartDefinition;

use binding::Binder;
pub use missing::{check_found, parent_of};
use taken_out::{has_part, is_by_that_name};

/// Whether recorded compositions count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Composition {
    /// A recorded composition wins over lookup.
    #[default]
    Recorded,
    /// Records are ignored.
    Lookup,
}

/// Makes plans over one chain.
#[derive(Clone, Copy)]
pub struct Planner<'a> {
    /// Where is looked.
    pub chain: &'a Chain,
    /// What knows where parts lie in artifacts.
    pub formatters: &'a FormatterSet,
    /// Whether recorded compositions count.
    pub composition: Composition,
    /// Which repositories are searched; all of them for `None`.
    pub searched: Option<&'a [bool]>,
}

impl Planner<'_> {
    /// Plans a get. Parts that are not found are marked as such; whoever needs them calls [`check_found`].
    pub fn plan(&self, resolved: &Resolved) -> Result<Plan> {
        let graph = self.graph_of_part(resolved)?;
        check_keys(self.chain, &resolved.asked, &resolved.data_id, &graph.keys)?;
        let searched = self.chain.searched(resolved.tag.as_deref())?;
        let candidates = Candidates::find_in(self.chain, &searched, &graph, &resolved.data_id)?;
        let data_id = complete(
            self.chain,
            &candidates,
            &graph,
            &resolved.asked,
            &resolved.data_id,
        )?;
        self.check_unused_keys(resolved, &graph, &data_id)?;
        let planner = Planner {
            searched: Some(&searched),
            ..*self
        };
        planner.bind_root(resolved, &graph, candidates, &data_id)
    }

    /// Refuses a key that the type does not use and that contradicts what is known (rule R27).
    pub(crate) fn check_unused_keys(
        &self,
        resolved: &Resolved,
        graph: &GraphNode,
        complete: &DataId,
    ) -> Result<()> {
        let used = crate::query::used_keys(graph);
        let used: Vec<&str> = used.iter().map(String::as_str).collect();
        let given = &resolved.data_id;
        crate::unused_keys::check(self.chain, &resolved.asked, given, &used, complete)
    }

    /// Builds the graph of a resolved name; of a part of a file, with the way to that part.
    pub(crate) fn graph_of_part(&self, resolved: &Resolved) -> Result<GraphNode> {
        let mut graph = self.graph(resolved)?;
        let is_name = resolved.part.first().is_some_and(|name| name == FILE_NAME);
        if !graph.is_composite() && !is_name {
            graph.part.clone_from(&resolved.part);
        }
        Ok(graph)
    }

    /// Builds the graph of a resolved name.
    pub fn graph(&self, resolved: &Resolved) -> Result<GraphNode> {
        let mut graph = self.graph_of(resolved)?;
        self.give_keys_to_virtual(&mut graph);
        graph.take_keys(&resolved.data_id);
        self.check_key_types(resolved, &graph)?;
        Ok(graph)
    }

    /// A type that a function makes from the data ID alone has no template that says its keys and their types: it has those that
    /// it declares, else those of the chain that the caller gives.
    fn give_keys_to_virtual(&self, graph: &mut GraphNode) {
        let is_virtual = graph.definition.virtual_reader.is_some();
        if is_virtual && graph.definition.template.is_none() {
            if graph.definition.keys.is_none() {
                let known = self.chain.keys().into_iter();
                let optional = known.map(|(key, kind)| {
                    let source = pantler_core::composite_graph::KeySource::Root(key.clone());
                    (key, kind, source)
                });
                graph.optional_keys = optional.collect();
            }
            for (key, kind) in &mut graph.keys {
                *kind = self.chain.key_type(key).unwrap_or(*kind);
            }
        }
        if let GraphKind::Composite(nodes) = &mut graph.kind {
            for node in nodes.iter_mut() {
                self.give_keys_to_virtual(node);
            }
            let typed = |key: &str| {
                let mut keys = nodes.iter().flat_map(|node| &node.keys);
                keys.find(|(known, _)| known == key).map(|(_, kind)| *kind)
            };
            for (key, kind) in &mut graph.keys {
                *kind = typed(key)
                    .filter(|_| *kind == KeyType::Str)
                    .unwrap_or(*kind);
            }
        }
    }

    /// Refuses types whose keys two policies give two types: the registry of the one would not find what the other means.
    fn check_key_types(&self, resolved: &Resolved, graph: &GraphNode) -> Result<()> {
        let mut found = None;
        graph.walk(&mut |node| {
            let clash = self.chain.clashes().iter().find(|clash| {
                let policy = self.chain.repository(clash.other.0).policy();
                let defined = policy.definition(&node.dataset_type);
                defined
                    .and_then(|defined| defined.template.as_ref())
                    .is_some_and(|template| {
                        template.keys().iter().any(|(key, _)| *key == clash.key)
                    })
            });
            if let (None, Some(clash)) = (&found, clash) {
                found = Some((node.dataset_type.clone(), clash.clone()));
            }
        });
        let Some((dataset_type, clash)) = found else {
            return Ok(());
        };
        let side = |(index, key_type): (usize, KeyType)| {
            let repository = self.chain.repository(index);
            KeySide {
                repository: repository.name().to_owned(),
                place: repository.policy().key_place(&clash.key),
                key_type,
            }
        };
        Err(Error::KeyClash {
            asked: resolved.asked.clone(),
            dataset_type,
            decided: side(clash.decided),
            other: side(clash.other),
            key: clash.key.clone(),
        })
    }

    fn graph_of(&self, resolved: &Resolved) -> Result<GraphNode> {
        GraphNode::build(self.chain, &resolved.dataset_type, &[]).map_err(|error| match error {
            GraphError::UnknownType { name, needed_by } => Error::UnknownType {
                asked: resolved.asked.clone(),
                similar: None,
                looked_in: self
                    .chain
                    .repositories()
                    .iter()
                    .map(|repository| {
                        (
                            repository.name().to_owned(),
                            repository.policy().definitions().count(),
                        )
                    })
                    .collect(),
                stages: Vec::new(),
                name: name.to_string(),
                needed_by,
            },
            error => Error::Graph {
                asked: resolved.asked.clone(),
                error,
            },
        })
    }

    fn bind_root(
        &self,
        resolved: &Resolved,
        graph: &GraphNode,
        candidates: Candidates,
        data_id: &DataId,
    ) -> Result<Plan> {
        let mut binder = Binder {
            planner: self,
            asked: &resolved.asked,
            candidates,
        };
        let mut root = binder.bind(graph, data_id)?;
        if let PlanKind::Read(read) = &mut root.kind {
            read.found = HowFound::Directly;
        }
        // The data ID as the caller ordered it.
        root.data_id = data_id.clone();
        // A part of a file is bound as such.
        let left = resolved.part.get(graph.part.len()..).unwrap_or_default();
        for component in left {
            root = match component.as_str() {
                FILE_NAME if !has_component(graph, FILE_NAME) => as_file_names(root),
                component => self.select(root, component)?,
            };
        }
        Ok(Plan {
            name: resolved.asked.name.clone(),
            repositories: self.chain.plan_repositories(),
            root,
        })
    }

    /// Binds a dataset that is one artifact: where it lies and as what it is to be read.
    pub(crate) fn read_node(
        &self,
        asked: &Asked,
        component: Option<&Component>,
        definition: Option<&Definition>,
        found: &Found,
        how: HowFound,
    ) -> Result<PlanNode> {
        let record = &found.record;
        let (location, hdu) = locate(record, asked)?;
        // The type that is asked for may read another type's artifact as a class of its own (rule R8).
        let dataset_type = definition.map_or(record.dataset_type(), |definition| &definition.name);
        let taken = PartDefinition::of_record(record);
        let dataset_type = taken.as_ref().map_or(dataset_type, |taken| &taken.part_of);
        let is_alone = taken.as_ref().is_some_and(|taken| taken.alone);
        let python = definition
            .and_then(|definition| definition.python.clone())
            .or_else(|| record.definition.python.clone());
        let class = match is_alone {
            true => own_class(record.definition.python.as_deref()),
            false => own_class(python.as_deref()),
        };
        let mut node = PlanNode {
            component: component.cloned(),
            dataset_type: dataset_type.clone(),
            part: Vec::new(),
            overridden: Vec::new(),
            data_id: record.data_id.clone(),
            kind: PlanKind::Read(Box::new(Read {
                repository: found.repository,
                record: record.clone(),
                location,
                hdu,
                class,
                taken: taken.map(TakenPart::from),
                ranges: None,
                bytes: 0,
                found: how,
            })),
            python,
        };
        self.locate_part(&mut node);
        Ok(node)
    }

    /// Narrows a node to one of its parts: a declared component, else what its base has, else what the assembled whole has
    /// (rule R10).
    pub fn select(&self, mut node: PlanNode, part: &str) -> Result<PlanNode> {
        match &mut node.kind {
            PlanKind::Assemble(assemble) if node.part.is_empty() && is_changed(assemble, part) => {
                self.select_changed(node, part)
            }
            PlanKind::Assemble(assemble) if node.part.is_empty() => {
                let base = assemble.base;
                match (declared(assemble, part), base) {
                    (Some(index), _) => Ok(assemble.components.swap_remove(index)),
                    (None, Some(base)) => {
                        let overridden: Vec<String> = assemble
                            .components
                            .iter()
                            .enumerate()
                            .filter(|(index, node)| *index != base && operation(node).is_none())
                            .map(|(_, node)| laid_over(node).to_owned())
                            .collect();
                        let mut selected =
                            self.select(assemble.components.swap_remove(base), part)?;
                        selected.overridden.extend(overridden);
                        Ok(selected)
                    }
                    (None, None) => match plane_of_box(assemble, node.python.as_deref(), part) {
                        Some(plane) => self.select(assemble.components.swap_remove(plane), part),
                        None => {
                            node.part.push(part.to_owned());
                            Ok(node)
                        }
                    },
                }
            }
            PlanKind::Subset(nodes) => {
                let selected: Result<Vec<PlanNode>> = std::mem::take(nodes)
                    .into_iter()
                    .map(|node| self.select(node, part))
                    .collect();
                node.kind = PlanKind::Subset(selected?);
                Ok(node)
            }
            PlanKind::Read(read) if node.part.is_empty() && is_by_that_name(read, part) => Ok(node),
            PlanKind::Read(read) if !has_part(read, &node.part, part) => {
                node.kind = PlanKind::Missing(Box::new(self.left_behind(&node)));
                node.part.push(part.to_owned());
                Ok(node)
            }
            PlanKind::Missing(missing) => {
                let recorded = missing.recorded;
                node.part.push(part.to_owned());
                self.taken_out(node, recorded)
            }
            _ => {
                node.part.push(part.to_owned());
                self.locate_part(&mut node);
                Ok(node)
            }
        }
    }

    /// Narrows a composite to a plane that operations change: the plane before them, and the operations (rule R32).
    fn select_changed(&self, mut node: PlanNode, part: &str) -> Result<PlanNode> {
        let plane = synonyms::canonical(part).to_owned();
        let PlanKind::Assemble(assemble) = &mut node.kind else {
            return Ok(node);
        };
        let others = assemble
            .assembler
            .as_deref()
            .is_some_and(|name| name != OVERLAY);
        let plain = |index: &usize| {
            let component = &assemble.components[*index];
            Some(*index) != assemble.base
                && operation(component).is_none()
                && laid_over(component) == plane
        };
        let laid = (0..assemble.components.len()).rev().find(plain);
        let Some(carrier) = laid.or(assemble.base).filter(|_| !others) else {
            node.part.push(part.to_owned());
            return Ok(node);
        };
        let overridden: Vec<String> = assemble
            .components
            .iter()
            .enumerate()
            .filter(|(index, node)| Some(*index) != assemble.base && operation(node).is_none())
            .map(|(_, node)| laid_over(node).to_owned())
            .collect();
        let mut before = None;
        let mut components = Vec::new();
        for (index, component) in std::mem::take(&mut assemble.components)
            .into_iter()
            .enumerate()
        {
            if index == carrier {
                before = Some(component);
            } else if operation(&component).is_some_and(|delta| delta.plane() == plane) {
                components.push(component);
            }
        }
        if let Some(before) = before {
            let before = if laid.is_some() || is_plane_alone(&before) {
                before
            } else {
                let mut plane_of_base = self.select(before, &plane)?;
                plane_of_base.overridden.extend(overridden);
                plane_of_base
            };
            components.insert(0, before);
        }
        assemble.components = components;
        assemble.base = Some(0);
        assemble.assembler = Some(OVERLAY.to_owned());
        assemble.record = None;
        node.python = Some(if plane == "mask" { "Mask" } else { "Image" }.to_owned());
        Ok(node)
    }

    /// Reads the header of what a plan would read, and nothing else; `None` if it has none.
    pub(crate) fn header_of(&self, node: &PlanNode) -> Result<Option<ObjectRef>> {
        let node = self.select(node.clone(), "metadata")?;
        let PlanKind::Read(read) = &node.kind else {
            return Ok(None);
        };
        let record = &read.record;
        let storage = record.definition.storage.as_deref().unwrap_or_default();
        let Some(formatter) = self.formatters.get(storage) else {
            return Ok(None);
        };
        let repository = self.chain.repository(read.repository);
        let name = repository.shown(&read.location);
        let source = ArtifactSource::new(repository.store(), &read.location, &name);
        let request = ReadRequest {
            part: node.part_of_artifact().to_vec(),
            class: read.class.clone(),
            hdu: read.hdu,
            ..ReadRequest::default()
        };
        let layout = record.artifact.as_ref();
        let layout = layout.and_then(|artifact| artifact.layout.as_deref());
        let asked = Asked::new(node_name(&node), &node.data_id);
        formatter
            .read(&source, layout, &request)
            .map(Some)
            .map_err(|source| crate::execute::format_error(&asked, source))
    }

    /// Fills in where the node's part lies, if the layout tells.
    fn locate_part(&self, node: &mut PlanNode) {
        let part = node.part_of_artifact().to_vec();
        let PlanKind::Read(read) = &mut node.kind else {
            return;
        };
        let (Some(artifact), Some(storage)) =
            (&read.record.artifact, &read.record.definition.storage)
        else {
            return;
        };
        read.bytes = artifact.bytes;
        read.ranges = None;
        let request = ReadRequest {
            part,
            class: read.class.clone(),
            hdu: read.hdu,
            ..ReadRequest::default()
        };
        let request = of_table(&request).map_or(request, |(table, _)| table);
        if let (Some(layout), Some(formatter)) = (&artifact.layout, self.formatters.get(storage))
            && let Some(place) = formatter.locate(layout, &request)
        {
            read.bytes = place.bytes();
            read.ranges = Some(place.ranges);
        }
    }
}

fn has_component(graph: &GraphNode, name: &str) -> bool {
    let mut components = graph.components().iter();
    components.any(|node| node.component_name() == name)
}

/// Whether a part of a composite is a plane that one of its components changes.
fn is_changed(assemble: &Assemble, part: &str) -> bool {
    let wanted = synonyms::canonical(part);
    let mut operations = assemble.components.iter().filter_map(operation);
    operations.any(|delta| delta.plane() == wanted)
}

/// The operation that a component stands for.
pub(crate) fn operation(node: &PlanNode) -> Option<Delta> {
    let apply = node.component.as_ref()?.apply.as_ref()?;
    // What has no meaning is refused when the policy is loaded.
    Delta::of(apply).ok()
}

/// Whether a node is an image or a mask, of which there is no plane to be selected.
fn is_plane_alone(node: &PlanNode) -> bool {
    match node.part.last() {
        Some(part) => matches!(synonyms::canonical(part), "image" | "mask" | "variance"),
        None => matches!(
            own_class(node.python.as_deref()).as_deref(),
            Some("Image" | "Mask")
        ),
    }
}

/// The component that a part of a composite is: by its name, else by the part of the base that it is laid over.
fn declared(assemble: &Assemble, part: &str) -> Option<usize> {
    let wanted = synonyms::canonical(part);
    let mut components = assemble.components.iter().enumerate();
    let by_name = components
        .clone()
        .find(|(_, node)| synonyms::canonical(node.component_name()) == wanted);
    let found = by_name.or_else(|| {
        let base = assemble.base?;
        components.find(|(index, node)| *index != base && laid_over(node) == wanted)
    });
    found.map(|(index, _)| index)
}

/// The component whose header tells the box of a composite that is put together of planes: planes of one exposure have one
/// box. An assembler that the policy names may make another box of them.
fn plane_of_box(assemble: &Assemble, python: Option<&str>, part: &str) -> Option<usize> {
    let is_of_planes = assemble.assembler.is_none() && generic(false, python) == OVERLAY;
    if !is_of_planes || synonyms::canonical(part) != "bbox" {
        return None;
    }
    ["maskedImage", "image", "mask", "variance"]
        .iter()
        .find_map(|plane| {
            assemble.components.iter().position(|node| {
                synonyms::canonical(node.component_name()) == *plane
                    && matches!(node.kind, PlanKind::Read(_) | PlanKind::Assemble(_))
            })
        })
}

/// The part of the base that a component is laid over.
pub(crate) fn laid_over(node: &PlanNode) -> &str {
    let component = node.component.as_ref();
    overlaid_part(
        node.component_name(),
        component.and_then(|component| component.setter.as_deref()),
        component.and_then(|component| component.getter.as_deref()),
    )
}

/// Returns where a dataset's artifact lies: where the registry says, else where its template puts it.
pub fn locate(record: &DatasetRecord, asked: &Asked) -> Result<(Location, Option<u32>)> {
    locate_asked_by(record, &|| asked.clone())
}

/// As [`locate`], for listings: what was asked for is only written down where it is needed, in an error.
pub fn locate_of_row(record: &DatasetRecord) -> Result<(Location, Option<u32>)> {
    locate_asked_by(record, &|| {
        Asked::new(record.dataset_type(), &record.data_id)
    })
}

fn locate_asked_by(
    record: &DatasetRecord,
    asked: &dyn Fn() -> Asked,
) -> Result<(Location, Option<u32>)> {
    let definition = &record.definition;
    let no_path = |why: String| Error::NoPath {
        asked: asked(),
        template: definition.template.clone().unwrap_or_default(),
        why,
    };
    let template = definition
        .template
        .as_deref()
        .ok_or_else(|| no_path("it has no template".to_owned()))?;
    let template =
        crate::parsed_template::parsed(template).map_err(|error| no_path(error.to_string()))?;
    let explicit = record
        .artifact
        .as_ref()
        .and_then(|artifact| artifact.location.clone());
    if let Some(location) = &explicit
        && !template.has_hdu()
    {
        return Ok((location.clone(), None));
    }
    // It was read back when the dataset was written.
    let filled = template
        .fill_again(&record.data_id)
        .map_err(|error| no_path(error.to_string()))?;
    Ok((
        explicit.unwrap_or(Location::Inside(filled.path)),
        filled.hdu,
    ))
}

/// Returns the class of pantler's own that a policy's `python` names.
pub fn own_class(python: Option<&str>) -> Option<String> {
    match python_type(python?) {
        PythonType::Own(class) => Some(class.to_owned()),
        PythonType::Foreign(_) => None,
    }
}

/// Returns a node's dataset type and part as a name.
pub fn node_name(node: &PlanNode) -> String {
    pantler_core::composite_graph::name_of_part(&node.dataset_type, &node.part)
}
