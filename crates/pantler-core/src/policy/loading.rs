//! The road from texts to a policy: what each step finds is put together here.

use std::collections::hash_map::Entry as Slot;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::checking;
use super::definition::{Alias, KeyDefinition, Recipe};
use super::fields::{Fields, describe, flow};
use super::inheriting::Inherited;
use super::layers::Layers;
use super::node::{Entry, Node};
use super::reading::ReadDefinition;
use super::resolving::{self, KeyTypes};
use super::spot::{Spot, WithHint, quoted};
use super::{IncludeFile, Inner, Policy, PolicyText, Reference, vocabulary, yaml};
use crate::data_id::is_key_name;
use crate::problem::Problem;
use crate::{DatasetName, KeyType, Stage};

pub(crate) fn load(texts: &[PolicyText], include: &mut IncludeFile<'_>) -> (Policy, Vec<Problem>) {
    let mut layers = Layers::default();
    for text in texts {
        layers.add(text, include);
    }
    understand(Arc::new(layers), Inherited::default())
}

/// Understands what was read; `inherited` is what parents' policies say of types that definitions inherit.
pub(crate) fn understand(layers: Arc<Layers>, inherited: Inherited) -> (Policy, Vec<Problem>) {
    let mut problems = layers.problems.clone();
    let stages = read_stages(layers.stages.as_ref(), &mut problems);
    let keys = read_keys(&layers.keys, &mut problems);
    let (recipes, recipe_spots) = read_recipes(&layers.recipes, &mut problems);
    let (mut aliases, alias_spots) = read_aliases(&layers.aliases, &mut problems);
    let mut read = resolving::definitions(&layers, &inherited, &mut problems);
    let key_types = KeyTypes::collect(&keys, &read, layers.is_older, &mut problems);
    key_types.apply(&mut read, &mut problems);
    for one in &mut read {
        one.definition.yaml = yaml::definition(&one.definition);
    }

    checking::check_bases(&read, &mut problems);
    checking::check_templates_meet(&read, &mut problems);
    checking::check_circles(&read, &mut problems);
    let mut references = alias_references(&aliases, &alias_spots);
    checking::resolve_aliases(&mut aliases, &alias_spots, &mut problems);
    references.extend(type_references(&layers, &read));

    let by_name = read
        .iter()
        .enumerate()
        .map(|(index, one)| (one.definition.name.clone(), index))
        .collect();
    let key_spots = key_spots(&layers.keys, &read);
    let recipe_uses = read
        .iter()
        .filter_map(|one| Some((one.definition.recipe.clone()?, one.recipe.clone()?)));
    let recipe_uses = recipe_uses.collect();
    let spots = read.iter().map(|one| one.spot.clone()).collect();
    let definitions = read.into_iter().map(|one| Arc::new(one.definition));
    let problems = in_order(problems, &layers.files);
    let policy = Policy {
        inner: Arc::new(Inner {
            definitions: definitions.collect(),
            by_name,
            stages,
            aliases,
            keys,
            key_types: key_types.into_types(),
            recipes,
            references,
            key_spots,
            alias_spots,
            recipe_spots,
            recipe_uses,
            spots,
            layers,
            inherited,
        }),
    };
    (policy, problems)
}

/// Sorts problems by place, files in the order in which they were read, and drops those that heirs repeat.
fn in_order(problems: Vec<Problem>, files: &[Arc<str>]) -> Vec<Problem> {
    let mut seen = HashSet::new();
    let mut numbered: Vec<(usize, Problem)> = Vec::with_capacity(problems.len());
    for problem in problems {
        let file = &problem.place.file;
        let number = files.iter().position(|known| known == file).unwrap_or(0);
        if seen.insert((problem.place.clone(), problem.code)) {
            numbered.push((number, problem));
        }
    }
    numbered.sort_by_key(|(number, problem)| (*number, problem.place.line, problem.place.column));
    numbered.into_iter().map(|(_, problem)| problem).collect()
}

fn read_stages(node: Option<&Node>, problems: &mut Vec<Problem>) -> Vec<String> {
    let Some(node) = node.filter(|node| !node.is_null()) else {
        return Vec::new();
    };
    let Some(nodes) = node.as_list() else {
        let message = format!(
            "`stages` is a list of names, and here it is {}",
            node.kind()
        );
        problems.push(node.spot.error("wrong-type", message));
        return Vec::new();
    };
    let mut stages: Vec<String> = Vec::with_capacity(nodes.len());
    let mut seen = HashSet::new();
    for node in nodes {
        let text = node.as_text().unwrap_or_default();
        let is_stage = matches!(
            DatasetName::parse(&format!("x:{text}")),
            Ok(DatasetName { stage: Stage::Named(stage), components, .. })
                if stage == text && components.is_empty()
        );
        if !is_stage {
            let message = format!("{} cannot be the name of a stage", describe(node));
            problems.push(node.spot.error("bad-name", message));
        } else if !seen.insert(text) {
            let message = format!("the stage {} is given twice", quoted(text));
            problems.push(node.spot.error("repeated-key", message));
        } else {
            stages.push(text.to_owned());
        }
    }
    stages
}

fn read_keys(entries: &[Entry], problems: &mut Vec<Problem>) -> Vec<KeyDefinition> {
    let mut keys = Vec::with_capacity(entries.len());
    let mut by_case: HashMap<String, &str> = HashMap::new();
    for entry in entries {
        if !is_key_name(&entry.key) {
            let message = format!("{} cannot be a key", quoted(&entry.key));
            problems.push(entry.spot.error("bad-name", message));
            continue;
        }
        match by_case.entry(entry.key.to_lowercase()) {
            Slot::Vacant(slot) => {
                slot.insert(&entry.key);
            }
            Slot::Occupied(known) => {
                let message = format!(
                    "the keys `{}` and `{}` differ by upper and lower case only",
                    known.get(),
                    entry.key
                );
                problems.push(entry.spot.error("key-case", message));
            }
        }
        keys.push(read_key(entry, problems));
    }
    keys
}

fn read_key(entry: &Entry, problems: &mut Vec<Problem>) -> KeyDefinition {
    let mut key = KeyDefinition {
        name: entry.key.to_string(),
        key_type: None,
        header: None,
        map: Vec::new(),
        spatial: None,
        place: entry.spot.place(),
    };
    if entry.value.is_null() {
        return key;
    }
    // `visit: int` is short for `visit: {type: int}`.
    if entry.value.as_text().is_some() {
        key.key_type = read_key_type(&entry.value, problems);
        return key;
    }
    let Some(entries) = entry.value.as_mapping() else {
        let message = format!(
            "the key `{}` is a mapping, and here it is {}",
            entry.key,
            entry.value.kind()
        );
        problems.push(entry.value.spot.error("wrong-type", message));
        return key;
    };
    let mut fields = Fields::new(entries, problems);
    fields.check_known(&format!("`keys.{}`", entry.key), vocabulary::KEY, &[]);
    key.header = fields.text("header");
    key.spatial = fields.text("spatial");
    key.map = fields.value_map("map");
    let type_entry = fields.find("type");
    if let Some(entry) = type_entry {
        key.key_type = read_key_type(&entry.value, problems);
    }
    key
}

fn read_key_type(node: &Node, problems: &mut Vec<Problem>) -> Option<KeyType> {
    let found = node.as_text().and_then(KeyType::from_name);
    if found.is_none() {
        let message = format!(
            "the type of a key is `int`, `float` or `str`, and here it is {}",
            describe(node)
        );
        let word = node.as_text().unwrap_or_default();
        problems.push(
            node.spot
                .error("wrong-value", message)
                .did_you_mean(word, ["int", "float", "str"]),
        );
    }
    found
}

fn read_recipes(entries: &[Entry], problems: &mut Vec<Problem>) -> (Vec<Recipe>, Vec<Spot>) {
    let mut recipes = Vec::with_capacity(entries.len());
    let spots = entries.iter().map(|entry| entry.spot.clone()).collect();
    for entry in entries {
        let mut settings = Vec::new();
        let mut spots = Vec::new();
        if let Some(inner) = entry.value.as_mapping() {
            collect_settings(inner, "", &mut settings, &mut spots);
        } else if let Some(codec) = entry.value.as_text() {
            // `small: RICE_1`
            settings.push(("compression".to_owned(), codec.to_owned()));
            spots.push(entry.value.spot.clone());
        } else if !entry.value.is_null() {
            let message = format!(
                "the recipe {} is a mapping or the name of a codec, and here it is {}",
                quoted(&entry.key),
                describe(&entry.value)
            );
            problems.push(entry.value.spot.error("wrong-type", message));
        }
        let wrong = crate::WriteRecipe::of_settings(&settings).err();
        for error in wrong.into_iter().flatten() {
            if let Some(spot) = spots.get(error.number) {
                let problem = spot.warning("unknown-setting", error.message);
                problems.push(match error.meant {
                    Some(meant) => problem.hint(format!("did you mean `{meant}`?")),
                    None => problem,
                });
            }
        }
        recipes.push(Recipe {
            name: entry.key.to_string(),
            settings,
            setting_places: spots.iter().map(Spot::place).collect(),
            place: entry.spot.place(),
        });
    }
    (recipes, spots)
}

/// Documents are nested within limits, so this is too.
fn collect_settings(
    entries: &[Entry],
    above: &str,
    settings: &mut Vec<(String, String)>,
    spots: &mut Vec<Spot>,
) {
    for entry in entries {
        let name = if above.is_empty() {
            entry.key.to_string()
        } else {
            format!("{above}.{}", entry.key)
        };
        match entry.value.as_mapping() {
            Some(inner) => collect_settings(inner, &name, settings, spots),
            None => {
                let value = entry
                    .value
                    .as_text()
                    .map_or_else(|| flow(&entry.value), str::to_owned);
                settings.push((name, value));
                spots.push(entry.spot.clone());
            }
        }
    }
}

fn read_aliases(
    entries: &[Entry],
    problems: &mut Vec<Problem>,
) -> (Vec<(String, Alias)>, Vec<Spot>) {
    let mut aliases = Vec::with_capacity(entries.len());
    let mut spots = Vec::with_capacity(entries.len());
    for entry in entries {
        let is_plain = DatasetName::parse(&entry.key)
            .is_ok_and(|name| name.stage == Stage::Unqualified && name.components.is_empty());
        if !is_plain {
            let problem = entry.spot.error(
                "bad-name",
                format!("{} cannot be an alias", quoted(&entry.key)),
            );
            problems.push(problem.hint("an alias is a dataset type without stage and component"));
            continue;
        }
        let Some(text) = entry.value.as_text() else {
            let message = format!(
                "the alias `{}` stands for a name, and here for {}",
                entry.key,
                entry.value.kind()
            );
            problems.push(entry.value.spot.error("wrong-type", message));
            continue;
        };
        match DatasetName::parse(text) {
            Ok(target) => {
                let place = entry.spot.place();
                aliases.push((entry.key.to_string(), Alias { target, place }));
                spots.push(entry.value.spot.clone());
            }
            Err(error) => {
                let message = format!(
                    "{} is no name of a dataset type: {}",
                    quoted(text),
                    error.why
                );
                problems.push(entry.value.spot.error("bad-name", message));
            }
        }
    }
    (aliases, spots)
}

/// An alias of another alias needs no type of that name.
fn alias_references(aliases: &[(String, Alias)], spots: &[Spot]) -> Vec<Reference> {
    let names: HashSet<&str> = aliases.iter().map(|(name, _)| name.as_str()).collect();
    let is_alias = |target: &DatasetName| {
        target.stage == Stage::Unqualified && names.contains(target.base.as_str())
    };
    let pairs = aliases.iter().zip(spots);
    pairs
        .filter(|((_, alias), _)| !is_alias(&alias.target))
        .map(|((name, alias), spot)| Reference {
            name: alias.target.clone(),
            spot: spot.clone(),
            code: "alias-to-nothing",
            by: format!("the alias `{name}`"),
            is_inheritance: false,
        })
        .collect()
}

/// Where each key gets its type: where it is declared, else in the first template that has it.
fn key_spots(declared: &[Entry], read: &[ReadDefinition]) -> HashMap<String, Spot> {
    let mut spots: HashMap<String, Spot> = HashMap::new();
    for entry in declared {
        let says_type = entry.value.as_text().is_some()
            || entry
                .value
                .as_mapping()
                .is_some_and(|inner| inner.iter().any(|entry| &*entry.key == "type"));
        if says_type {
            spots.insert(entry.key.to_string(), entry.spot.clone());
        }
    }
    for one in read {
        let ingest = &one.definition.ingest.path;
        let templates = [
            (&one.definition.template, &one.template),
            (ingest, &one.ingest_path),
        ];
        for (template, node) in templates {
            let (Some(template), Some(node)) = (template, node) else {
                continue;
            };
            for (key, _) in template.keys() {
                let (column, length) = template.position_of(key).unwrap_or((0, 1));
                spots
                    .entry(key.clone())
                    .or_insert_with(|| node.spot_within(column, length));
            }
        }
    }
    spots
}

fn type_references(layers: &Layers, read: &[ReadDefinition]) -> Vec<Reference> {
    let mut references = Vec::new();
    for raw in &layers.definitions {
        if let Some((parent, spot)) = &raw.inherits
            && let Ok(name) = DatasetName::parse(parent.as_str())
        {
            references.push(Reference {
                name,
                spot: spot.clone(),
                code: "unknown-type",
                by: quoted(raw.name.as_str()),
                is_inheritance: true,
            });
        }
    }
    for one in read {
        let components = one.definition.composite.iter().flat_map(|c| &c.components);
        for (component, (_, spot)) in components.zip(&one.components) {
            references.push(Reference {
                name: component.dataset_type.clone(),
                spot: spot.clone(),
                code: "unknown-type",
                by: format!(
                    "the component `{}` of `{}`",
                    component.name, one.definition.name
                ),
                is_inheritance: false,
            });
        }
    }
    references
}
