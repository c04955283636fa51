//! Carries a plan out: reads every artifact it names, each once, in parallel, then assembles bottom-up.
//!
//! It decides nothing: what to read, from where and as what stands in the plan. How an artifact is read is in
//! [`reading`].

mod reading;

use std::collections::HashSet;
use std::sync::Arc;

use pantler_core::assembler::{Assembler, Slot};
use pantler_core::formatter::ReadRequest;
use pantler_core::plan::{Assemble, Plan, PlanKind, PlanNode, Read};
use pantler_core::policy::Definition;
use pantler_core::python_type::{PythonType, python_type};
use pantler_core::{Import, ImportRole, Imports, ObjectRef, Origin};
use pantler_formats::FormatterSet;

use crate::assemble::{PluginSet, generic, without_overridden};
use crate::cache::{ObjectCache, ObjectKey};
use crate::chain::Chain;
use crate::derived_part::{file_names, is_of_file_names};
use crate::error::{Asked, Error, Result};
use crate::imported::{failed, is_import_path};
use crate::interrupt::Interrupt;
use crate::parameters::Parameters;
use crate::planner::node_name;

pub(crate) use reading::format_error;
use reading::{Objects, Wanted};

/// Executes plans.
#[derive(Clone, Copy)]
pub struct Executor<'a> {
    /// The repositories that the plan's numbers mean.
    pub chain: &'a Chain,
    /// What turns bytes into objects.
    pub formatters: &'a FormatterSet,
    /// What turns components into composites.
    pub plugins: &'a PluginSet,
    /// What is in memory already.
    pub cache: &'a ObjectCache,
    /// Says whether the work is still wanted.
    pub interrupt: &'a Interrupt,
    /// What is done to what a format read.
    pub conversions: Conversions,
}

/// What is done to what a format read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conversions {
    /// It becomes of the class that the policy names, and goes through the type's standardizer.
    All,
    /// It becomes of the class that the policy names: what a put compares with what it would write.
    ClassAlone,
}

impl Executor<'_> {
    /// Returns the object that the plan is for.
    pub fn execute(&self, plan: &Plan, parameters: &Parameters) -> Result<ObjectRef> {
        let mut objects = self.execute_together(&[(plan, parameters)])?;
        // One plan gives one object.
        objects.pop().ok_or_else(|| is_absent(plan))
    }

    /// Returns the objects of several plans, in their order: what they need of one artifact is read together.
    pub fn execute_together(&self, plans: &[(&Plan, &Parameters)]) -> Result<Vec<ObjectRef>> {
        let mut wanted: Vec<Wanted<'_>> = Vec::new();
        let mut known = HashSet::new();
        for &(plan, parameters) in plans {
            if is_of_file_names(plan) {
                continue;
            }
            self.check_possible(&plan.root)?;
            parameters.check_plan(plan)?;
            gather(&plan.root, parameters, &mut |node, read, parameters| {
                let key = self.object_key(node, read, parameters);
                if known.insert(key.clone()) {
                    wanted.push(Wanted {
                        key,
                        plan,
                        node,
                        read,
                    });
                }
            });
        }
        let objects = self.read_each_artifact_once(&wanted)?;
        plans
            .iter()
            .map(|(plan, parameters)| {
                self.interrupt.check()?;
                if let Some(names) = file_names(plan, self.chain) {
                    return Ok(names);
                }
                let object = self.assembled(&plan.root, parameters, &objects)?;
                let object = object.ok_or_else(|| is_absent(plan))?;
                if !is_of_a_row(&plan.root, parameters) {
                    parameters.check_object(&plan.name, object.as_ref())?;
                }
                Ok(object)
            })
            .collect()
    }

    /// Refuses, before anything is read, what only a plug-in could do that nobody registered, and what a policy asks for that
    /// this version does not do: leaving it out would give a wrong object without a word.
    pub fn check_possible(&self, node: &PlanNode) -> Result<()> {
        use pantler_core::composite_graph::Definitions;
        if let Some((_, definition)) = self.chain.find_definition(&node.dataset_type) {
            check_supported(&definition)?;
            self.check_hooks(node, &definition)?;
        }
        self.check_plugins(node)?;
        node.children()
            .iter()
            .try_for_each(|child| self.check_possible(child))
    }

    /// Refuses functions of the user's that nobody can run here, or that may not run.
    fn check_hooks(&self, node: &PlanNode, definition: &Definition) -> Result<()> {
        let hooks = [
            (ImportRole::Standardize, &definition.standardize),
            (ImportRole::Virtual, &definition.virtual_reader),
        ];
        for (role, path) in hooks {
            if let Some(path) = path {
                self.follow(node, role, path)?;
            }
        }
        Ok(())
    }

    fn check_plugins(&self, node: &PlanNode) -> Result<()> {
        let class = match node.python.as_deref().map(python_type) {
            Some(PythonType::Foreign(path)) => Some(path),
            _ => None,
        };
        match &node.kind {
            PlanKind::Assemble(assemble) => match (&assemble.assembler, class) {
                (Some(name), _) if self.plugins.assembler(name).is_some() => Ok(()),
                (Some(name), class) => {
                    self.follow(node, ImportRole::Assembler, name)?;
                    class.map_or(Ok(()), |path| {
                        self.follow(node, ImportRole::Class, path).map(drop)
                    })
                }
                (None, Some(path)) => self.follow(node, ImportRole::Class, path).map(drop),
                (None, None) => Ok(()),
            },
            PlanKind::Read(read) => {
                if let Some(path) = class {
                    self.follow(node, ImportRole::Class, path)?;
                }
                let storage = read.record.definition.storage.as_deref();
                if let Some(path) = storage.filter(|storage| self.is_foreign_storage(storage)) {
                    self.follow(node, ImportRole::Storage, path)?;
                }
                Ok(())
            }
            PlanKind::Subset(_) | PlanKind::Missing(_) => Ok(()),
        }
    }

    fn is_foreign_storage(&self, storage: &str) -> bool {
        is_import_path(storage) && self.plugins.imports().is_some()
    }

    /// Returns who follows an import path that a node's type names, if it may be followed.
    fn follow(
        &self,
        node: &PlanNode,
        role: ImportRole,
        path: &str,
    ) -> Result<(&Arc<dyn Imports>, Import)> {
        let (dataset_type, recorded_in) = match &node.kind {
            // A storage is that of whoever owns the artifact (rule R8).
            PlanKind::Read(read) if role == ImportRole::Storage => {
                (read.record.dataset_type(), Some(read.repository))
            }
            PlanKind::Read(read) => (&node.dataset_type, Some(read.repository)),
            PlanKind::Assemble(assemble) => (&node.dataset_type, Some(assemble.repository)),
            PlanKind::Subset(_) | PlanKind::Missing(_) => (&node.dataset_type, None),
        };
        self.plugins
            .follow(self.chain, dataset_type, role, path, recorded_in)
    }

    /// Returns what puts a composite together: what its policy names, else what its class asks for.
    fn assembler(&self, node: &PlanNode, assemble: &Assemble) -> Result<Arc<dyn Assembler>> {
        let python = node.python.as_deref();
        match (&assemble.assembler, python.map(python_type)) {
            (Some(name), _) => match self.plugins.assembler(name) {
                Some(assembler) => Ok(assembler.clone()),
                None => {
                    let (imports, import) = self.follow(node, ImportRole::Assembler, name)?;
                    Ok(imports.assembler(&import))
                }
            },
            (None, Some(PythonType::Foreign(path))) => {
                let (imports, import) = self.follow(node, ImportRole::Class, path)?;
                Ok(imports.assembler(&import))
            }
            (None, _) => {
                let name = generic(assemble.base.is_some(), python);
                let known = self.plugins.assembler(name);
                known.cloned().ok_or_else(|| {
                    Error::request(format!("the plug-in `{name}` is not registered"))
                })
            }
        }
    }

    fn unknown_storage(&self, node: &PlanNode, storage: &str) -> Error {
        use pantler_core::composite_graph::Definitions;
        Error::UnknownStorage {
            dataset_type: node.dataset_type.clone(),
            storage: storage.to_owned(),
            known: self.formatters.names().map(str::to_owned).collect(),
            place: self
                .chain
                .find_definition(&node.dataset_type)
                .map(|(_, definition)| definition.place.clone()),
        }
    }

    /// Returns a node's object; `None` for an optional one that does not exist.
    fn assembled(
        &self,
        node: &PlanNode,
        parameters: &Parameters,
        objects: &Objects,
    ) -> Result<Option<ObjectRef>> {
        match &node.kind {
            PlanKind::Read(read) => {
                let key = self.object_key(node, read, parameters);
                let Some(object) = objects.get(&key) else {
                    return Ok(None);
                };
                let object = self.as_the_policy_says(node, key, object.clone())?;
                let object = if self.is_standardized(node) {
                    part_of_object(object, &node.part)?
                } else {
                    object
                };
                Ok(Some(without_overridden(object, &node.overridden)))
            }
            PlanKind::Missing(_) => Ok(None),
            PlanKind::Subset(_) => {
                let info = self.filled(node, false, parameters, objects)?;
                let name = info.name.clone();
                let entry = match info.slot {
                    Slot::Many(many) => crate::assemble::Entry::Many(many),
                    _ => crate::assemble::Entry::Many(Vec::new()),
                };
                let container = crate::assemble::Container::new([(name.clone(), entry)]);
                Ok(pantler_core::Object::component(&container, &name))
            }
            PlanKind::Assemble(assemble) => {
                let composite = self.composite(node, assemble, parameters, objects)?;
                let part = part_of_object(composite, &node.part)?;
                Ok(Some(without_overridden(part, &node.overridden)))
            }
        }
    }

    /// Says whether what is read of a type goes through a function of the user's.
    fn is_standardized(&self, node: &PlanNode) -> bool {
        use pantler_core::composite_graph::Definitions;
        let found = self.chain.find_definition(&node.dataset_type);
        self.conversions == Conversions::All
            && found.is_some_and(|(_, definition)| definition.standardize.is_some())
    }

    /// A part of what goes through a standardizer is a part of the whole after it.
    fn object_key(&self, node: &PlanNode, read: &Read, parameters: &Parameters) -> ObjectKey {
        if node.part.is_empty() || !self.is_standardized(node) {
            return object_key(node, read, parameters);
        }
        let whole = PlanNode {
            part: Vec::new(),
            ..node.clone()
        };
        object_key(&whole, read, parameters)
    }

    /// Makes of what a format read what the policy calls for: an object of the user's class, through the type's standardizer.
    ///
    /// The outcome is shared like what is read (rule R13). No lock is held while code of the user's runs.
    fn as_the_policy_says(
        &self,
        node: &PlanNode,
        key: ObjectKey,
        object: ObjectRef,
    ) -> Result<ObjectRef> {
        use pantler_core::composite_graph::Definitions;
        let mut object = object;
        let mut key = key;
        if let Some(PythonType::Foreign(path)) = node.python.as_deref().map(python_type)
            && key.request.part.is_empty()
        {
            let (imports, import) = self.follow(node, ImportRole::Class, path)?;
            key.request.class = Some(format!("as {path}"));
            object = self.converted(&key, object, |object| {
                imports
                    .read_as(&import, object)
                    .map_err(|source| failed(&import, source))
            })?;
        }
        let found = self.chain.find_definition(&node.dataset_type);
        if let Some(path) = found.and_then(|(_, definition)| definition.standardize.clone())
            && self.conversions == Conversions::All
        {
            let (imports, import) = self.follow(node, ImportRole::Standardize, &path)?;
            key.request.class = Some(format!(
                "{} through {path}",
                key.request.class.unwrap_or_default()
            ));
            object = self.converted(&key, object, |object| {
                let made = imports
                    .standardized(&import, object, &node.data_id)
                    .map_err(|source| failed(&import, source))?;
                Ok(match object.origin() {
                    Some(origin) => made.with_origin(&Origin {
                        standardized: true,
                        ..origin.clone()
                    }),
                    None => made,
                })
            })?;
        }
        Ok(object)
    }

    fn converted(
        &self,
        key: &ObjectKey,
        object: ObjectRef,
        convert: impl FnOnce(&ObjectRef) -> Result<ObjectRef>,
    ) -> Result<ObjectRef> {
        if let Some(known) = self.cache.known(key) {
            return Ok(known);
        }
        let converted = convert(&object)?;
        let converted = match object.origin() {
            Some(origin) if converted.origin().is_none() => converted.with_origin(origin),
            _ => converted,
        };
        Ok(self.cache.share(key.clone(), converted))
    }

    /// Makes an object from its data ID alone.
    fn made_of_data_id(&self, node: &PlanNode, path: &str) -> Result<ObjectRef> {
        let (imports, import) = self.follow(node, ImportRole::Virtual, path)?;
        imports
            .made(&import, &node.data_id)
            .map_err(|source| failed(&import, source))
    }

    fn composite(
        &self,
        node: &PlanNode,
        assemble: &Assemble,
        parameters: &Parameters,
        objects: &Objects,
    ) -> Result<ObjectRef> {
        use pantler_core::composite_graph::Definitions;
        let found = self.chain.find_definition(&node.dataset_type);
        if let Some(path) = found.and_then(|(_, definition)| definition.virtual_reader.clone()) {
            return self.made_of_data_id(node, &path);
        }
        let mut infos = Vec::new();
        for (index, component) in assemble.components.iter().enumerate() {
            if is_beside(node, assemble, component) {
                continue;
            }
            let base = assemble.base == Some(index);
            let own = own_parameters(assemble, index, parameters);
            let mut info = self.filled(component, base, &own, objects)?;
            cut(&mut info, &own)?;
            infos.push(info);
        }
        let assembler = self.assembler(node, assemble)?;
        let class = node.python.clone().unwrap_or_default();
        let object = assembler
            .assemble(&node.data_id, &infos, &class)
            .map_err(|source| Error::Assembly {
                asked: Asked::new(node_name(node), &node.data_id),
                composite: node.dataset_type.to_string(),
                source,
            })?;
        match (&assemble.record, parameters.is_whole()) {
            (Some(record), true) => Ok(object.with_origin(&Origin {
                dataset: record.id,
                dataset_type: record.dataset_type().clone(),
                data_id: record.data_id.clone(),
                part: Vec::new(),
                whole: true,
                standardized: false,
            })),
            _ => Ok(object),
        }
    }

    fn filled(
        &self,
        node: &PlanNode,
        base: bool,
        parameters: &Parameters,
        objects: &Objects,
    ) -> Result<pantler_core::assembler::ComponentInfo> {
        let mut info = node.component_info(base);
        info.slot = match &node.kind {
            PlanKind::Subset(nodes) => {
                let mut many = Vec::new();
                for each in nodes {
                    if let Some(object) = self.assembled(each, parameters, objects)? {
                        many.push((each.data_id.clone(), object));
                    }
                }
                Slot::Many(many)
            }
            _ => self
                .assembled(node, parameters, objects)?
                .map_or(Slot::Empty, Slot::One),
        };
        Ok(info)
    }
}

/// Returns a part of an object, by its path.
fn part_of_object(object: ObjectRef, part: &[String]) -> Result<ObjectRef> {
    part.iter().try_fold(object, |object, name| {
        object.component(name).ok_or_else(|| {
            Error::Component(pantler_core::object::ComponentError::Unknown {
                class: object.class().to_owned(),
                component: name.clone(),
                known: object.component_names(),
            })
        })
    })
}

/// Refuses what a definition asks for and this version does not do.
pub(crate) fn check_supported(definition: &Definition) -> Result<()> {
    if definition.join.is_none() {
        return Ok(());
    }
    Err(Error::Unsupported {
        message: format!(
            "`{}` uses `join`, which this version of pantler does not carry out",
            definition.name
        ),
        hints: vec![format!("it stands in {}", definition.place)],
    })
}

/// Whether a component is a list of what the composite was made from, which is not laid over it: it is had by its own name,
/// and the whole needs none of it.
fn is_beside(node: &PlanNode, assemble: &Assemble, component: &PlanNode) -> bool {
    let own = component.component.as_ref();
    let listed = own.is_some_and(|own| own.subset && own.data_ids.is_some());
    let assembler = assemble.assembler.as_deref();
    let assembler =
        assembler.unwrap_or_else(|| generic(assemble.base.is_some(), node.python.as_deref()));
    listed && assembler == crate::assemble::OVERLAY
}

/// The parameters of one component: those of the whole are the base's, and a cutout is one of all planes and of what changes
/// them.
fn own_parameters(assemble: &Assemble, index: usize, parameters: &Parameters) -> Parameters {
    if assemble.base == Some(index) {
        return parameters.clone();
    }
    let node = &assemble.components[index];
    let is_of_plane = crate::planner::operation(node).is_some()
        || matches!(
            crate::planner::laid_over(node),
            "image" | "mask" | "variance"
        );
    let has_pixels = match node.part.last() {
        Some(part) => matches!(
            pantler_core::synonyms::canonical(part),
            "image" | "mask" | "variance"
        ),
        None => matches!(
            crate::planner::own_class(node.python.as_deref()).as_deref(),
            Some("Image" | "Mask" | "MaskedImage" | "Exposure")
        ),
    };
    Parameters {
        bbox: parameters
            .bbox
            .filter(|_| assemble.base.is_some() && is_of_plane && has_pixels),
        ..Parameters::default()
    }
}

/// Cuts planes that came whole, as those that are computed do.
fn cut(info: &mut pantler_core::assembler::ComponentInfo, parameters: &Parameters) -> Result<()> {
    use pantler_core::object::downcast;
    use pantler_objects::{Image, Mask};
    let (Some(wanted), Slot::One(object)) = (parameters.bbox, &info.slot) else {
        return Ok(());
    };
    let cut: Option<ObjectRef> = if let Some(image) = downcast::<Image>(object.as_ref()) {
        let differs = image.pixel_box() != wanted;
        let section = differs
            .then(|| image.section(wanted))
            .and_then(|cut| cut.ok());
        section.map(|image| std::sync::Arc::new(image) as ObjectRef)
    } else if let Some(mask) = downcast::<Mask>(object.as_ref()) {
        let differs = mask.pixel_box() != wanted;
        let section = differs
            .then(|| mask.section(wanted))
            .and_then(|cut| cut.ok());
        section.map(|mask| std::sync::Arc::new(mask) as ObjectRef)
    } else {
        None
    };
    if let Some(cut) = cut {
        info.slot = Slot::One(cut);
    }
    Ok(())
}

/// Visits every artifact to be read, with the parameters that apply to it.
fn gather<'a>(
    node: &'a PlanNode,
    parameters: &Parameters,
    visit: &mut dyn FnMut(&'a PlanNode, &'a Read, &Parameters),
) {
    match &node.kind {
        PlanKind::Read(read) => visit(node, read, parameters),
        PlanKind::Missing(_) => {}
        PlanKind::Subset(nodes) => nodes
            .iter()
            .for_each(|node| gather(node, parameters, visit)),
        PlanKind::Assemble(assemble) => {
            for (index, component) in assemble.components.iter().enumerate() {
                if is_beside(node, assemble, component) {
                    continue;
                }
                gather(
                    component,
                    &own_parameters(assemble, index, parameters),
                    visit,
                );
            }
        }
    }
}

fn is_absent(plan: &Plan) -> Error {
    Error::request(format!(
        "`{}` is an optional part that does not exist",
        plan.name
    ))
}

/// Says whether a plan is for a component of a table's row, as `visitSummary.wcs` is: there, rows pick the object.
fn is_of_a_row(node: &PlanNode, parameters: &Parameters) -> bool {
    let PlanKind::Read(read) = &node.kind else {
        return false;
    };
    let only_rows = parameters.columns.is_none() && parameters.bbox.is_none();
    let of_table = read.class.as_deref() == Some("Table");
    let component = node.part.first().is_some_and(|part| {
        pantler_objects::synonyms::record_of(pantler_core::synonyms::canonical(part)).is_some()
    });
    only_rows && of_table && component
}

fn whole_request(read: &Read) -> ReadRequest {
    ReadRequest {
        class: read.class.clone(),
        hdu: read.hdu,
        ..ReadRequest::default()
    }
}

fn object_key(node: &PlanNode, read: &Read, parameters: &Parameters) -> ObjectKey {
    let mut request = ReadRequest {
        part: node
            .part
            .iter()
            .map(|name| pantler_core::synonyms::canonical(name).to_owned())
            .collect(),
        bbox: parameters.bbox,
        columns: parameters.columns.clone(),
        rows: parameters.rows.clone(),
        ..whole_request(read)
    };
    if let Some((part, class)) = part_of_the_whole(node, read) {
        request.part.insert(0, part.to_owned());
        request.class = Some(class);
    }
    ObjectKey {
        dataset: read.record.id,
        request,
    }
}

/// A type that reads only the WCS out of the artifact of an exposure is the part `wcs` of that exposure, and the same object
/// (rules R8 and R13).
fn part_of_the_whole(node: &PlanNode, read: &Read) -> Option<(&'static str, String)> {
    use pantler_objects::synonyms::{class_of, components};
    let whole = crate::planner::own_class(read.record.definition.python.as_deref())?;
    let class = read.class.as_deref()?;
    // The image and the variance are of one class, and the name alone tells which is meant: `calexp_variance`.
    if whole == "Exposure" && class == "Image" && node.dataset_type.base().ends_with("_variance") {
        return Some(("variance", whole));
    }
    // A plane or a header read as an object of its own holds more cards than as a part.
    let differs = matches!(class, "Image" | "Mask" | "Metadata");
    if whole != "Exposure" || class == whole || differs {
        return None;
    }
    let part = components().find(|name| class_of(name) == Some(class))?;
    Some((part, whole))
}
