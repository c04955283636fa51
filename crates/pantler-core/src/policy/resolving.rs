//! Turns the texts of a policy, put together, into definitions: inheritance, rule R1, types of keys.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::checking::chained;
use super::definition::{Component, Definition, KeyBinding, KeyDefinition};
use super::inheriting::{Inherited, Said};
use super::layers::{Layers, RawDefinition, merge_definition};
use super::node::Node;
use super::reading::{self, ReadDefinition};
use super::spot::{WithHint, quoted};
use crate::problem::Problem;
use crate::template::Template;
use crate::{DatasetName, KeyType, TypeName};

/// Every heir has a copy of what it inherits, so a large parent of many heirs could fill the memory.
const MOST_INHERITED: usize = 2_000_000;

/// Reads all definitions, in the order in which they were first named.
pub(crate) fn definitions(
    layers: &Layers,
    inherited: &Inherited,
    problems: &mut Vec<Problem>,
) -> Vec<ReadDefinition> {
    let mut heirs = Heirs::new(layers, inherited);
    let mut read: Vec<ReadDefinition> = (0..layers.definitions.len())
        .map(|number| {
            let said = heirs.resolve(number, problems);
            let raw = &layers.definitions[number];
            let unknown_parent = raw
                .inherits
                .as_ref()
                .map(|(parent, _)| parent)
                .filter(|parent| !heirs.index.contains_key(parent))
                .filter(|parent| !inherited.contains_key(*parent));
            reading::read(raw, &said, unknown_parent, problems)
        })
        .collect();
    adopt_components(&mut read, problems);
    read
}

/// Works out what definitions inherit.
pub(crate) struct Heirs<'a> {
    raw: &'a [RawDefinition],
    inherited: &'a Inherited,
    index: HashMap<&'a TypeName, usize>,
    resolved: Vec<Option<Said>>,
    size: usize,
    is_full: bool,
}

impl<'a> Heirs<'a> {
    pub(crate) fn new(layers: &'a Layers, inherited: &'a Inherited) -> Heirs<'a> {
        let raw = &layers.definitions;
        Heirs {
            raw,
            inherited,
            index: raw
                .iter()
                .enumerate()
                .map(|(index, raw)| (&raw.name, index))
                .collect(),
            resolved: vec![None; raw.len()],
            size: 0,
            is_full: false,
        }
    }

    /// Returns all that is said of a type, what it inherits included; `None` if the policy does not define it.
    pub(crate) fn resolve_name(&mut self, name: &TypeName) -> Option<Said> {
        let number = *self.index.get(name)?;
        // What is wrong with it has been said when its own policy was loaded.
        Some(self.resolve(number, &mut Vec::new()))
    }

    fn resolve(&mut self, number: usize, problems: &mut Vec<Problem>) -> Said {
        if let Some(said) = &self.resolved[number] {
            return said.clone();
        }
        // A chain of ten thousand heirs must not fill the call stack, so the ancestors are walked first.
        let mut chain = vec![number];
        let mut in_chain = HashSet::from([number]);
        let mut below = Said::default();
        while let Some((parent, spot)) = &self.raw[chain[chain.len() - 1]].inherits {
            let Some(&next) = self.index.get(parent) else {
                if let Some(said) = self.inherited.get(parent) {
                    below.clone_from(said);
                }
                break;
            };
            if let Some(said) = &self.resolved[next] {
                below.clone_from(said);
                break;
            }
            if !in_chain.insert(next) {
                let start = chain.iter().position(|known| *known == next).unwrap_or(0);
                let names: Vec<String> = chain[start..]
                    .iter()
                    .chain([&next])
                    .map(|number| quoted(self.raw[*number].name.as_str()))
                    .collect();
                let message = format!(
                    "inheritance goes in a circle: {}",
                    chained(&names, " inherits ")
                );
                problems.push(spot.error("inheritance-circle", message));
                break;
            }
            chain.push(next);
        }
        for number in chain.into_iter().rev() {
            let Said {
                mut entries,
                mut is_fits,
            } = below;
            is_fits |= self.raw[number].is_fits;
            // What a type is for is said of itself alone.
            entries.retain(|entry| !matches!(&*entry.key, "inherits" | "description"));
            merge_definition(&mut entries, &self.raw[number].entries);
            self.size += entries
                .iter()
                .map(|entry| entry.value.size + 1)
                .sum::<usize>();
            if self.size > MOST_INHERITED {
                if !std::mem::replace(&mut self.is_full, true) {
                    let message = "more is inherited here than a policy can hold";
                    problems.push(self.raw[number].spot.error("too-large", message));
                }
                entries.clear();
            }
            below = Said { entries, is_fits };
            self.resolved[number] = Some(below.clone());
        }
        below
    }
}

/// Makes a definition named like a component that component (rule R1).
fn adopt_components(read: &mut [ReadDefinition], problems: &mut Vec<Problem>) {
    let index: HashMap<TypeName, usize> = read
        .iter()
        .enumerate()
        .map(|(index, one)| (one.definition.name.clone(), index))
        .collect();
    let mut declared: HashMap<(usize, String), TypeName> = HashMap::new();
    for (number, one) in read.iter().enumerate() {
        for component in one.definition.composite.iter().flat_map(|c| &c.components) {
            let name = component.dataset_type.full_type_name();
            declared.insert((number, component.name.clone()), name);
        }
    }
    for number in 0..read.len() {
        let name = read[number].definition.name.clone();
        let Some((owner, component)) = name.as_str().rsplit_once('.') else {
            continue;
        };
        let Some(owner_number) = TypeName::new(owner)
            .ok()
            .and_then(|owner| index.get(&owner).copied())
        else {
            continue;
        };
        let Ok(dataset_type) = DatasetName::parse(name.as_str()) else {
            continue;
        };
        let spot = read[number].spot.clone();
        let owner = &mut read[owner_number];
        let Some(composite) = &mut owner.definition.composite else {
            continue;
        };
        match declared.get(&(owner_number, component.to_owned())) {
            Some(declared) if *declared == name => {}
            Some(declared) => {
                let message = format!(
                    "{} is defined here, and {} takes its component `{component}` from {}",
                    quoted(name.as_str()),
                    quoted(owner.definition.name.as_str()),
                    quoted(declared.as_str()),
                );
                problems.push(
                    spot.error("component-conflict", message)
                        .hint("give one of the two another name"),
                );
            }
            None => {
                composite.components.push(Component {
                    name: component.to_owned(),
                    place: spot.place(),
                    dataset_type,
                    setter: None,
                    getter: None,
                    subset: false,
                    input_only: false,
                    optional: false,
                    base: false,
                    allow_empty: false,
                    data_id: Vec::new(),
                    data_ids: None,
                    apply: None,
                });
                owner.components.push((spot.clone(), spot));
            }
        }
    }
}

/// The types of all keys of a policy, declared ones and those that conversions ask for.
#[derive(Default)]
pub(crate) struct KeyTypes {
    types: BTreeMap<String, (KeyType, Option<String>)>,
    case: HashMap<String, String>,
}

impl KeyTypes {
    pub(crate) fn get(&self, key: &str) -> Option<KeyType> {
        self.types.get(key).map(|(key_type, _)| *key_type)
    }

    pub(crate) fn into_types(self) -> BTreeMap<String, KeyType> {
        let types = self.types.into_iter();
        types.map(|(key, (key_type, _))| (key, key_type)).collect()
    }

    /// Collects the types and reports keys of two types, and keys that differ by case only.
    pub(crate) fn collect(
        keys: &[KeyDefinition],
        read: &[ReadDefinition],
        is_older: bool,
        problems: &mut Vec<Problem>,
    ) -> KeyTypes {
        let mut all = KeyTypes::default();
        for key in keys {
            all.case.insert(key.name.to_lowercase(), key.name.clone());
            if let Some(key_type) = key.key_type {
                let place = format!("`keys` ({})", key.place);
                all.types.insert(key.name.clone(), (key_type, Some(place)));
            }
        }
        for one in read {
            let definition = &one.definition;
            let templates = [
                (&definition.template, &one.template),
                (&definition.ingest.path, &one.ingest_path),
            ];
            for (template, node) in templates {
                if let (Some(template), Some(node)) = (template, node) {
                    all.add(definition, template, node, is_older, problems);
                }
            }
        }
        all
    }

    fn add(
        &mut self,
        definition: &Definition,
        template: &Template,
        node: &Node,
        is_older: bool,
        problems: &mut Vec<Problem>,
    ) {
        for (key, own_type) in template.keys() {
            let (column, length) = template.position_of(key).unwrap_or((0, 1));
            let spot = node.spot_within(column, length);
            let same_case = self
                .case
                .entry(key.to_lowercase())
                .or_insert_with(|| key.clone())
                .clone();
            if same_case != *key {
                let message = format!(
                    "the keys `{same_case}` and `{key}` differ by upper and lower case only"
                );
                // In one data ID they would be two columns that a database takes for one.
                let is_together = template.keys().iter().any(|(other, _)| *other == same_case);
                problems.push(if is_together {
                    spot.error("key-case", message)
                } else {
                    spot.warning("key-case", message)
                });
            }
            let Some((known, said_by)) = self.types.get_mut(key) else {
                let said_by = format!("`{}` ({})", definition.name, definition.place);
                self.types.insert(key.clone(), (*own_type, Some(said_by)));
                continue;
            };
            let is_declared = said_by.as_ref().is_some_and(|by| by.starts_with("`keys`"));
            if known == own_type || (is_declared && *own_type == KeyType::Str) {
                continue;
            }
            let Some(by) = said_by.take() else {
                // Said once; every further template would say the same.
                *known = stronger(*known, *own_type);
                continue;
            };
            let message = format!("the key `{key}` is {known} in {by}, and {own_type} here");
            let is_text = *known == KeyType::Str || *own_type == KeyType::Str;
            let problem = if is_older && is_text {
                spot.warning("key-types", message)
            } else {
                spot.error("key-types", message)
            };
            problems.push(if is_declared {
                *said_by = Some(by);
                problem
            } else {
                *known = stronger(*known, *own_type);
                problem.hint(if is_text {
                    format!("say which it is: `keys: {{{key}: {{type: {known}}}}}`")
                } else {
                    "print a key by one kind of conversion".to_owned()
                })
            });
        }
    }

    /// Gives templates and pinned values the types of their keys.
    pub(crate) fn apply(&self, read: &mut [ReadDefinition], problems: &mut Vec<Problem>) {
        let declared = |key: &str| self.get(key);
        for one in read {
            let definition = &mut one.definition;
            let retyped = |template: Option<Template>| {
                template.map(|template| template.with_key_types(&declared))
            };
            definition.template = retyped(definition.template.take());
            definition.ingest.path = retyped(definition.ingest.path.take());
            let components = definition
                .composite
                .iter_mut()
                .flat_map(|c| &mut c.components);
            for (component, (spot, _)) in components.zip(&one.components) {
                for (key, binding) in &mut component.data_id {
                    let KeyBinding::Pinned(value) = binding else {
                        continue;
                    };
                    let Some(key_type) = self.get(key) else {
                        continue;
                    };
                    match value.cast(key_type) {
                        Some(cast) => *value = cast,
                        None => problems.push(spot.error(
                            "wrong-type",
                            format!(
                                "the component `{}` has {key}={value}, and `{key}` is {key_type}",
                                component.name
                            ),
                        )),
                    }
                }
            }
        }
    }
}

/// `%s` prints numbers too, so a number says more.
fn stronger(a: KeyType, b: KeyType) -> KeyType {
    if a == KeyType::Str { b } else { a }
}
