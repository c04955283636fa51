//! Carries a plan out: reads every artifact it names, each once, in parallel, then assembles bottom-up.
//!
//! It decides nothing: what to read, from where and as what stands in the plan.
//!
//! ```text
//! plugins (may they run?) ─► wanted (which artifacts, under which key) ─► reading ─► converting ─► assembly, here
//! ```

mod converting;
mod plugins;
mod reading;
mod wanted;

use std::collections::HashSet;

use pantler_core::assembler::Slot;
use pantler_core::plan::{Assemble, Plan, PlanKind, PlanNode};
use pantler_core::{ObjectRef, Origin};
use pantler_formats::FormatterSet;

use crate::assemble::{PluginSet, without_overridden};
use crate::cache::ObjectCache;
use crate::chain::Chain;
use crate::derived_part::{file_names, is_of_file_names};
use crate::error::{Asked, Error, Result};
use crate::interrupt::Interrupt;
use crate::parameters::Parameters;
use crate::planner::node_name;

pub(crate) use plugins::check_supported;
pub(crate) use reading::format_error;
use reading::{Objects, Wanted};
use wanted::{gather, is_beside, is_of_a_row, own_parameters};

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

fn is_absent(plan: &Plan) -> Error {
    Error::request(format!(
        "`{}` is an optional part that does not exist",
        plan.name
    ))
}
