//! From what a caller typed to a dataset type, a part of it, and a typed data ID.
//!
//! Aliases and the key `version` are dealt with here and nowhere else; no registry is asked.

use pantler_core::composite_graph::Definitions;
use pantler_core::policy::KeyBinding;
use pantler_core::similar::most_similar;
use pantler_core::{DataId, DatasetName, KeyType, KeyValue, Stage, TypeName, built_names};

use crate::chain::Chain;
use crate::error::{Asked, Error, Result};

/// What a caller means.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// What was asked for, in the caller's words.
    pub asked: Asked,
    /// The dataset type.
    pub dataset_type: TypeName,
    /// Which part of it; empty for the whole.
    pub part: Vec<String>,
    /// The data ID, its values of the types that the policies give the keys.
    pub data_id: DataId,
    /// The tag of the repositories to look into, if one is asked for.
    pub tag: Option<String>,
}

/// Resolves a name and a data ID against the policies of a chain.
pub fn resolve(chain: &Chain, name: &str, data_id: &DataId) -> Result<Resolved> {
    let asked = Asked::new(name, data_id);
    let mut wanted = DatasetName::parse(name)?;
    let mut data_id = data_id.clone();
    take_version(chain, &asked, &mut wanted, &mut data_id)?;
    let tag = take_tag(chain, &mut data_id);
    let (dataset_type, part) = find_type(chain, &asked, &wanted)?;
    let data_id = typed(chain, &asked, &data_id)?;
    Ok(Resolved {
        asked,
        dataset_type,
        part,
        data_id,
        tag,
    })
}

/// Lets the key `tag` narrow the search, unless a policy has a key of that name (rule R17).
fn take_tag(chain: &Chain, data_id: &mut DataId) -> Option<String> {
    if chain.key_type("tag").is_some() {
        return None;
    }
    data_id.remove("tag").map(|tag| tag.plain())
}

/// Gives every value the type that the policies give its key.
pub fn typed(chain: &Chain, asked: &Asked, data_id: &DataId) -> Result<DataId> {
    let mut typed = DataId::default();
    for (key, value) in data_id.iter() {
        let value = match chain.key_type(key).or_else(|| renamed_type(chain, key)) {
            None => value.clone(),
            Some(wanted) => value.cast(wanted).ok_or_else(|| Error::KeyType {
                asked: asked.clone(),
                key: key.to_owned(),
                value: value.clone(),
                wanted,
            })?,
        };
        typed.insert(key, value);
    }
    Ok(typed)
}

/// The type of a key that no template has, only a component's `dataId`, where it stands for a key of another name.
fn renamed_type(chain: &Chain, key: &str) -> Option<KeyType> {
    let mut components = chain
        .definitions()
        .filter_map(|(_, definition)| definition.composite.as_ref())
        .flat_map(|composite| &composite.components)
        .flat_map(|component| &component.data_id);
    components.find_map(|(own, binding)| match binding {
        KeyBinding::Renamed(from) if from == key => chain.key_type(own),
        _ => None,
    })
}

/// Refuses keys that no policy of the chain knows.
pub fn check_keys(
    chain: &Chain,
    asked: &Asked,
    data_id: &DataId,
    keys: &[(String, pantler_core::KeyType)],
) -> Result<()> {
    for key in data_id.keys() {
        if keys.iter().any(|(known, _)| known == key) || chain.key_type(key).is_some() {
            continue;
        }
        let own: Vec<String> = keys.iter().map(|(known, _)| known.clone()).collect();
        return Err(Error::UnknownKey {
            asked: asked.clone(),
            key: key.to_owned(),
            similar: most_similar(key, own.iter().map(String::as_str)).map(str::to_owned),
            keys: own,
        });
    }
    Ok(())
}

/// Lets the key `version` select the stage (rule R2).
fn take_version(
    chain: &Chain,
    asked: &Asked,
    wanted: &mut DatasetName,
    data_id: &mut DataId,
) -> Result<()> {
    if chain.key_type("version").is_some() {
        return Ok(());
    }
    let Some(version) = data_id.remove("version") else {
        return Ok(());
    };
    let version = version.plain();
    let in_name = match &wanted.stage {
        Stage::Named(stage) if *stage != version => Some(stage.clone()),
        Stage::Plain => Some(String::new()),
        _ => None,
    };
    match in_name {
        Some(in_name) => Err(Error::TwoStages {
            asked: asked.clone(),
            in_name,
            in_data_id: version,
        }),
        None => {
            // Parsed again, so that a value that is no stage's name is refused as such.
            let name = format!("{}:{version}", wanted.base);
            wanted.stage = DatasetName::parse(&name)?.stage;
            Ok(())
        }
    }
}

fn find_type(
    chain: &Chain,
    asked: &Asked,
    wanted: &DatasetName,
) -> Result<(TypeName, Vec<String>)> {
    let meant = follow_aliases(chain, wanted)?;
    if let Some(found) = find_defined(chain, &meant) {
        return Ok(found);
    }
    if let Some(found) = find_built_name(chain, &meant)? {
        return Ok(found);
    }
    Err(unknown_type(chain, asked, &meant))
}

/// The longest leading piece of a name that is defined, and the components after it (rule R1).
fn find_defined(chain: &Chain, name: &DatasetName) -> Option<(TypeName, Vec<String>)> {
    (0..=name.components.len()).rev().find_map(|length| {
        let shorter = DatasetName {
            components: name.components[..length].to_vec(),
            ..name.clone()
        };
        let dataset_type = shorter.full_type_name();
        chain.find_definition(&dataset_type)?;
        Some((dataset_type, name.components[length..].to_vec()))
    })
}

/// `calexp_wcs`, where nobody defines it, is the part `wcs` of what `calexp` means (rule R3).
fn find_built_name(chain: &Chain, name: &DatasetName) -> Result<Option<(TypeName, Vec<String>)>> {
    let Some((base, part)) = built_names::split(&name.base) else {
        return Ok(None);
    };
    let mut components: Vec<String> = part.map(str::to_owned).into_iter().collect();
    components.extend(name.components.iter().cloned());
    let built = DatasetName {
        base: base.to_owned(),
        stage: name.stage.clone(),
        components,
    };
    Ok(find_defined(chain, &follow_aliases(chain, &built)?))
}

/// Applies the aliases of the chain: the first repository in search order that has one decides (rule R3).
fn follow_aliases(chain: &Chain, name: &DatasetName) -> Result<DatasetName> {
    let mut meant = name.clone();
    // The policy check refuses circles within one policy; two policies could still form one.
    for _ in 0..16 {
        if meant.stage != Stage::Unqualified {
            break;
        }
        let Some(target) = find_alias(chain, &meant.base)? else {
            break;
        };
        let mut components = target.components.clone();
        components.extend(meant.components);
        if target.base == meant.base && target.stage == Stage::Unqualified {
            meant.components = components;
            break;
        }
        meant = DatasetName {
            components,
            ..target
        };
    }
    Ok(meant)
}

fn find_alias(chain: &Chain, base: &str) -> Result<Option<DatasetName>> {
    let mut all = chain
        .repositories()
        .iter()
        .enumerate()
        .filter_map(|(index, repository)| Some((index, repository.policy().alias(base)?)));
    let Some((first, alias)) = all.next() else {
        return Ok(None);
    };
    let decided = chain.outputs().contains(&first);
    for (other, theirs) in all {
        if !decided && theirs.target != alias.target && !chain.is_ancestor(other, first) {
            let meaning = |index: usize, target: &DatasetName| {
                (
                    chain.repository(index).name().to_owned(),
                    target.to_string(),
                )
            };
            return Err(Error::AliasConflict {
                name: base.to_owned(),
                meanings: vec![
                    meaning(first, &alias.target),
                    meaning(other, &theirs.target),
                ],
            });
        }
    }
    Ok(Some(alias.target.clone()))
}

fn unknown_type(chain: &Chain, asked: &Asked, name: &DatasetName) -> Error {
    let names = chain.type_names();
    let stages = match name.stage {
        Stage::Named(_) => Vec::new(),
        _ => names
            .iter()
            .filter(|known| known.base() == name.base)
            .filter_map(|known| known.stage().map(str::to_owned))
            .collect(),
    };
    let wanted = name.type_name();
    let similar =
        most_similar(wanted.as_str(), names.iter().map(TypeName::as_str)).map(str::to_owned);
    let similar = similar.map(|similar| {
        let place = TypeName::new(&similar)
            .ok()
            .and_then(|known| chain.find_definition(&known))
            .map(|(_, definition)| definition.place.clone());
        (similar, place)
    });
    // `calexp_wsc` is a slip of a name that is built, not defined.
    let similar = similar.or_else(|| {
        let (base, suffix) = wanted.as_str().rsplit_once('_')?;
        let meant = follow_aliases(chain, &DatasetName::parse(base).ok()?).ok()?;
        find_defined(chain, &meant)?;
        let suffix = most_similar(suffix, built_names::words())?;
        Some((format!("{base}_{suffix}"), None))
    });
    // `calxp` is no slip of `calexp:jointcal` letter by letter.
    let similar = similar.or_else(|| {
        if names.iter().any(|known| known.base() == name.base) {
            return None;
        }
        let base = most_similar(&name.base, names.iter().map(TypeName::base))?;
        let mut of_base = names.iter().filter(|known| known.base() == base);
        let only = of_base.next().filter(|_| of_base.next().is_none());
        Some((only.map_or(base, TypeName::as_str).to_owned(), None))
    });
    Error::UnknownType {
        asked: asked.clone(),
        name: wanted.to_string(),
        looked_in: chain
            .repositories()
            .iter()
            .map(|repository| {
                (
                    repository.name().to_owned(),
                    repository.policy().definitions().count(),
                )
            })
            .collect(),
        similar,
        stages,
        needed_by: None,
    }
}

/// Reads `key=value` words into a data ID, their values still text.
pub fn parse_words(words: &[(String, String)]) -> DataId {
    DataId::new(
        words
            .iter()
            .map(|(key, value)| (key.as_str(), KeyValue::Str(value.clone()))),
    )
}
