//! Keeps components side by side, by name: the composite that needs no class of its own.

use std::any::Any;

use pantler_core::assembler::{Assembler, AssemblyError, ComponentInfo, Disassembler, Slot};
use pantler_core::object::ComponentError;
use pantler_core::{DataId, Digest, Hasher, Object, ObjectRef, Origin, synonyms};
use std::sync::Arc;

/// Objects by name, in a defined order.
#[derive(Debug, Clone, Default)]
pub struct Container {
    entries: Vec<(String, Entry)>,
    /// Of the objects of a `subset` component, which are named by them.
    data_ids: Option<Vec<DataId>>,
    origin: Option<Origin>,
}

/// What stands under one name.
#[derive(Debug, Clone)]
pub enum Entry {
    /// One object.
    One(ObjectRef),
    /// The objects of a `subset` component, ordered by data ID.
    Many(Vec<(DataId, ObjectRef)>),
}

impl Container {
    /// Makes a container.
    pub fn new(entries: impl IntoIterator<Item = (String, Entry)>) -> Container {
        Container {
            entries: entries.into_iter().collect(),
            data_ids: None,
            origin: None,
        }
    }

    /// Makes a container of the objects of a `subset` component, named by their data IDs.
    pub fn of_subset(objects: impl IntoIterator<Item = (DataId, ObjectRef)>) -> Container {
        let (data_ids, objects): (Vec<DataId>, Vec<ObjectRef>) = objects.into_iter().unzip();
        let entries = data_ids.iter().zip(objects);
        Container {
            entries: entries
                .map(|(data_id, object)| (data_id.to_string(), Entry::One(object)))
                .collect(),
            data_ids: Some(data_ids),
            origin: None,
        }
    }

    /// Returns the objects of a `subset` component with their data IDs; `None` for other containers.
    pub fn subset(&self) -> Option<Vec<(&DataId, &ObjectRef)>> {
        let data_ids = self.data_ids.as_ref()?;
        let objects = self.entries.iter().flat_map(|(_, entry)| entry.objects());
        Some(data_ids.iter().zip(objects).collect())
    }

    /// Returns what stands under `name`.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        let wanted = synonyms::canonical(name);
        self.entries
            .iter()
            .find(|(known, _)| known == name)
            .or_else(|| {
                self.entries
                    .iter()
                    .find(|(known, _)| synonyms::canonical(known) == wanted)
            })
            .map(|(_, entry)| entry)
    }

    /// Returns all entries, in order.
    pub fn entries(&self) -> &[(String, Entry)] {
        &self.entries
    }
}

impl Entry {
    fn objects(&self) -> Vec<&ObjectRef> {
        match self {
            Entry::One(object) => vec![object],
            Entry::Many(objects) => objects.iter().map(|(_, object)| object).collect(),
        }
    }
}

impl Object for Container {
    fn class(&self) -> &str {
        "Container"
    }

    fn memory(&self) -> u64 {
        self.entries
            .iter()
            .flat_map(|(_, entry)| entry.objects())
            .map(|object| object.memory())
            .sum()
    }

    fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    fn with_origin(&self, origin: &Origin) -> ObjectRef {
        Arc::new(Container {
            origin: Some(origin.clone()),
            ..self.clone()
        })
    }

    fn component_names(&self) -> Vec<String> {
        self.entries.iter().map(|(name, _)| name.clone()).collect()
    }

    fn component(&self, name: &str) -> Option<ObjectRef> {
        match self.get(name)? {
            Entry::One(object) => Some(object.clone()),
            Entry::Many(objects) => Some(Arc::new(Container::of_subset(objects.iter().cloned()))),
        }
    }

    fn with_component(&self, name: &str, value: &ObjectRef) -> Result<ObjectRef, ComponentError> {
        let mut copy = Container {
            origin: None,
            data_ids: None,
            ..self.clone()
        };
        match copy.entries.iter_mut().find(|(known, _)| known == name) {
            Some(entry) => entry.1 = Entry::One(value.clone()),
            None => copy
                .entries
                .push((name.to_owned(), Entry::One(value.clone()))),
        }
        Ok(Arc::new(copy))
    }

    fn sharing(&self, share: &mut dyn FnMut(&str, ObjectRef) -> ObjectRef) -> ObjectRef {
        let mut copy = self.clone();
        for (name, entry) in &mut copy.entries {
            if let Entry::One(object) = entry {
                *object = share(name, object.clone());
            }
        }
        Arc::new(copy)
    }

    fn digest_values(&self) -> Digest {
        let mut hasher = Hasher::default();
        for (name, entry) in &self.entries {
            hasher.field(name.as_bytes());
            for object in entry.objects() {
                hasher.field(object.digest_values().as_bytes());
            }
        }
        hasher.finish()
    }

    fn difference(&self, other: &dyn Object) -> Option<String> {
        let Some(other) = pantler_core::object::downcast::<Container>(other) else {
            return Some(format!("one is a Container, the other a {}", other.class()));
        };
        if self.component_names() != other.component_names() {
            return Some(format!(
                "their components are {} and {}",
                self.component_names().join(", "),
                other.component_names().join(", ")
            ));
        }
        self.entries
            .iter()
            .zip(&other.entries)
            .find_map(|((name, mine), (_, theirs))| {
                let (mine, theirs) = (mine.objects(), theirs.objects());
                if mine.len() != theirs.len() {
                    return Some(format!(
                        "{name} has {} and {} objects",
                        mine.len(),
                        theirs.len()
                    ));
                }
                mine.iter()
                    .zip(theirs)
                    .find_map(|(mine, theirs)| mine.difference(theirs.as_ref()))
                    .map(|difference| format!("{name}: {difference}"))
            })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// The assembler and disassembler `pantler.container`.
#[derive(Debug, Clone, Copy)]
pub struct ContainerAssembler;

impl Assembler for ContainerAssembler {
    fn assemble(
        &self,
        _data_id: &DataId,
        components: &[ComponentInfo],
        _class: &str,
    ) -> Result<ObjectRef, AssemblyError> {
        if let Some(info) = components.iter().find(|info| info.apply.is_some()) {
            return Err(AssemblyError {
                component: Some(info.name.clone()),
                message: "it is an operation on a plane, and a container has no planes: mark the component that has them with `base: true`".to_owned(),
                raised: None,
            });
        }
        let entries = components.iter().filter_map(|info| {
            let entry = match &info.slot {
                Slot::Empty => return None,
                Slot::One(object) => Entry::One(object.clone()),
                Slot::Many(objects) => Entry::Many(objects.clone()),
            };
            Some((info.name.clone(), entry))
        });
        Ok(Arc::new(Container::new(entries)))
    }
}

impl Disassembler for ContainerAssembler {
    fn disassemble(
        &self,
        object: &ObjectRef,
        _data_id: &DataId,
        components: &mut [ComponentInfo],
    ) -> Result<(), AssemblyError> {
        let container = pantler_core::object::downcast::<Container>(object.as_ref());
        for info in components {
            info.slot = match container.and_then(|container| container.get(&info.name)) {
                Some(Entry::One(object)) => Slot::One(object.clone()),
                Some(Entry::Many(objects)) => Slot::Many(objects.clone()),
                None => object.component(&info.name).map_or(Slot::Empty, Slot::One),
            };
        }
        Ok(())
    }
}
