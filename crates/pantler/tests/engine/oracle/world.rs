//! Worlds for the oracle: repositories with policies, parents, tags and rows, as plain lists; and the same as real ones.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use pantler::core::registry::{
    ArtifactRecord, DatasetRecord, DefinitionVersion, Member, Provenance, State,
};
use pantler::core::{DataId, DatasetId, Digest, KeyType, KeyValue, Registry, Store, TypeName};
use pantler::registry::MemoryRegistry;
use pantler::store::MemoryStore;
use pantler::{Butler, ButlerOptions, Chain};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::support::{write, write_policy};

/// A data ID as a list of keys with values.
pub type Keys = BTreeMap<&'static str, i64>;

/// The file types and their keys.
pub const FILES: [(&str, &[&str]); 5] = [
    ("a", &["visit", "ccd"]),
    ("b", &["visit", "ccd", "tract"]),
    ("c", &["tract", "patch"]),
    ("d", &["visit"]),
    ("a_wcs", &["visit", "ccd"]),
];
/// The type that has no artifacts of its own: it reads those of another (rule R8).
pub const SHARED: (usize, usize) = (4, 0);
/// The composites; each may contain those before it.
pub const COMPOSITES: [&str; 3] = ["x:one", "x:two", "nest"];
pub const TAGS: [&str; 2] = ["good", "bad"];
pub const REPOSITORIES: usize = 5;

/// What a component is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    File(usize),
    Composite(usize),
}

#[derive(Debug, Clone)]
pub struct Component {
    pub target: Target,
    pub subset: bool,
    pub optional: bool,
    pub allow_empty: bool,
    /// A key of the component that is not simply the composite's key of that name.
    pub bind: Option<(&'static str, Source)>,
}

/// Where the value of a key comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// From this key of the composite.
    Key(&'static str),
    /// From the policy.
    Pinned(i64),
}

#[derive(Debug, Clone)]
pub struct Row {
    pub file: usize,
    pub data_id: Keys,
    pub content: u8,
    pub id: DatasetId,
}

#[derive(Debug, Clone)]
pub struct Record {
    pub composite: usize,
    pub data_id: Keys,
    /// Component, identity, type, data ID, and whether it was a list.
    pub members: Vec<(String, DatasetId, Target, Keys, bool)>,
    pub id: DatasetId,
}

#[derive(Debug, Clone, Default)]
pub struct Repo {
    pub parents: Vec<usize>,
    pub tag: Option<usize>,
    /// Which stage `x` means here.
    pub alias: Option<usize>,
    /// Which variant of each composite its policy has.
    pub variants: [Option<usize>; 3],
    pub rows: Vec<Row>,
    pub records: Vec<Record>,
}

#[derive(Debug, Clone)]
pub struct World {
    pub repos: Vec<Repo>,
    /// Two variants of each composite.
    pub composites: [[Vec<Component>; 2]; 3],
    /// The repositories that are opened by name; the first is an output if there is one.
    pub named: Vec<usize>,
    pub has_output: bool,
    pub in_order: bool,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Question {
    pub name: String,
    pub given: Keys,
    pub tag: Option<usize>,
    pub version: Option<usize>,
    pub lookup: bool,
}

fn component(index: usize) -> impl Strategy<Value = Component> {
    let target = prop_oneof![
        3 => (0..FILES.len()).prop_map(Target::File),
        1 => (0..index.max(1)).prop_map(move |lower| match index {
            0 => Target::File(0),
            _ => Target::Composite(lower),
        }),
    ];
    let key = prop::sample::select(vec!["visit", "ccd", "tract", "patch"]);
    let source = prop_oneof![
        (0i64..2).prop_map(Source::Pinned),
        prop::sample::select(vec!["visit", "ccd", "tract", "patch"]).prop_map(Source::Key),
    ];
    let bind = prop::option::weighted(0.3, (key, source));
    let flags = (
        prop::bool::weighted(0.25),
        prop::bool::weighted(0.25),
        any::<bool>(),
    );
    (target, flags, bind).prop_map(
        |(target, (subset, optional, allow_empty), bind)| Component {
            bind: bind.filter(|(key, source)| match target {
                Target::File(file) => FILES[file].1.contains(key) && *source != Source::Key(key),
                Target::Composite(_) => *source != Source::Key(key),
            }),
            target,
            // A list of composites is one of records alone.
            subset: subset && matches!(target, Target::File(_)),
            optional,
            allow_empty,
        },
    )
}

fn composite(index: usize) -> impl Strategy<Value = [Vec<Component>; 2]> {
    let one = move || prop::collection::vec(component(index), 1..4);
    (one(), one()).prop_map(|(first, second)| [first, second])
}

/// A row before its identity is known: type, values, content, whether others share its identity.
type Seed = (usize, [i64; 4], u8, bool);
/// A record before its members are known: composite, values, and for each component a pick, or that it is gone.
type RecordSeed = (usize, [i64; 4], Vec<Option<Index>>);

/// Values of the four keys; one set of them is frequent, so that repositories and questions meet in it.
fn values() -> impl Strategy<Value = [i64; 4]> {
    let any = (1i64..3, 1i64..3, 0i64..2, 0i64..2);
    prop_oneof![
        Just([1, 1, 0, 0]),
        any.prop_map(|(visit, ccd, tract, patch)| [visit, ccd, tract, patch]),
    ]
}

fn repo(number: usize) -> impl Strategy<Value = (Repo, Vec<Seed>, Vec<RecordSeed>)> {
    let parents = prop::collection::vec(number + 1..REPOSITORIES.max(number + 2), 0..3);
    let tag = prop::option::weighted(0.3, 0..TAGS.len());
    let alias = prop::option::weighted(0.5, 0usize..2);
    let variant = || prop::option::weighted(0.85, 0usize..2);
    let seed = (0..FILES.len(), values(), 0u8..2, prop::bool::weighted(0.2));
    let pick = prop::option::weighted(0.85, any::<Index>());
    let record = (
        0..COMPOSITES.len(),
        values(),
        prop::collection::vec(pick, 3),
    );
    (
        (parents, tag, alias, (variant(), variant(), variant())),
        prop::collection::vec(seed, 0..8),
        prop::collection::vec(record, 0..4),
    )
        .prop_map(move |((parents, tag, alias, variants), seeds, records)| {
            let mut parents: Vec<usize> = parents
                .into_iter()
                .filter(|parent| *parent < REPOSITORIES)
                .collect();
            parents.dedup();
            let repo = Repo {
                parents,
                tag,
                alias,
                variants: [variants.0, variants.1, variants.2],
                ..Repo::default()
            };
            (repo, seeds, records)
        })
}

/// The type whose artifacts a type reads.
pub fn artifacts_of(file: usize) -> usize {
    if file == SHARED.0 { SHARED.1 } else { file }
}

fn keys_in(values: [i64; 4], wanted: &[&'static str]) -> Keys {
    let all = ["visit", "ccd", "tract", "patch"];
    let pairs = all.into_iter().zip(values);
    pairs.filter(|(key, _)| wanted.contains(key)).collect()
}

pub fn identity(number: u128) -> DatasetId {
    DatasetId::new(uuid_of(number))
}

fn uuid_of(number: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(number)
}

fn finished(
    parts: Vec<(Repo, Vec<Seed>, Vec<RecordSeed>)>,
    composites: [[Vec<Component>; 2]; 3],
    named: Vec<usize>,
    (has_output, in_order): (bool, bool),
) -> World {
    let mut repos: Vec<Repo> = Vec::new();
    let mut next = 1u128;
    for (repo, seeds, _) in &parts {
        let mut repo = repo.clone();
        for (file, values, content, shared) in seeds {
            let file = &artifacts_of(*file);
            let data_id = keys_in(*values, FILES[*file].1);
            if repo
                .rows
                .iter()
                .any(|row| row.file == *file && row.data_id == data_id)
            {
                continue;
            }
            next += 1;
            let number = match shared {
                // The same everywhere where type, data ID and content are the same.
                true => {
                    let digits = values.iter().fold(0, |sum, value| sum * 4 + *value as u128);
                    1 << 64 | (*file as u128) << 40 | digits << 8 | u128::from(*content)
                }
                false => next,
            };
            repo.rows.push(Row {
                file: *file,
                data_id,
                content: *content,
                id: identity(number),
            });
        }
        repos.push(repo);
    }
    let mut world = World {
        repos,
        composites,
        named,
        has_output,
        in_order,
    };
    for (number, (_, _, records)) in parts.iter().enumerate() {
        for (composite, values, picks) in records {
            next += 1;
            add_record(&mut world, number, *composite, *values, picks, next << 80);
        }
    }
    world
}

fn add_record(
    world: &mut World,
    repo: usize,
    composite: usize,
    values: [i64; 4],
    picks: &[Option<Index>],
    number: u128,
) {
    let variant = world.repos[repo].variants[composite].unwrap_or(0);
    let components = world.composites[composite][variant].clone();
    let keys = super::resolver::required_keys(
        world,
        &|of| Some(usize::from(of == composite && variant == 1)),
        composite,
    );
    let data_id = keys_in(values, &keys);
    let known = world.repos[repo].records.iter();
    if known
        .into_iter()
        .any(|old| old.composite == composite && old.data_id == data_id)
    {
        return;
    }
    let mut members = Vec::new();
    for (index, component) in components.iter().enumerate() {
        let pool: Vec<(DatasetId, Keys)> = match component.target {
            Target::File(file) => world
                .repos
                .iter()
                .flat_map(|repo| &repo.rows)
                .filter(|row| row.file == artifacts_of(file))
                .map(|row| (row.id, row.data_id.clone()))
                .collect(),
            Target::Composite(lower) => world
                .repos
                .iter()
                .flat_map(|repo| &repo.records)
                .filter(|record| record.composite == lower)
                .map(|record| (record.id, record.data_id.clone()))
                .collect(),
        };
        let chosen = match picks.get(index).copied().flatten() {
            Some(pick) if !pool.is_empty() => pool[pick.index(pool.len())].clone(),
            // Something that is gone.
            _ => (identity(number + 1 + index as u128), Keys::new()),
        };
        members.push((
            format!("c{index}"),
            chosen.0,
            match component.target {
                Target::File(file) => Target::File(artifacts_of(file)),
                composite => composite,
            },
            chosen.1,
            component.subset,
        ));
    }
    world.repos[repo].records.push(Record {
        composite,
        data_id,
        members,
        id: identity(number),
    });
}

pub fn worlds() -> impl Strategy<Value = World> {
    let repos = (repo(0), repo(1), repo(2), repo(3), repo(4));
    let composites = (composite(0), composite(1), composite(2));
    let named = prop::collection::vec(0..REPOSITORIES, 1..5);
    let flags = (any::<bool>(), prop::bool::weighted(0.2));
    (repos, composites, named, flags).prop_map(|(repos, composites, mut named, flags)| {
        let mut seen = Vec::new();
        // A child is named before what it builds on: the other order is the caller's own doing.
        named.sort_unstable();
        named.retain(|number| {
            !seen.contains(number) && {
                seen.push(*number);
                true
            }
        });
        let parts = vec![repos.0, repos.1, repos.2, repos.3, repos.4];
        finished(
            parts,
            [composites.0, composites.1, composites.2],
            named,
            flags,
        )
    })
}

pub fn questions() -> impl Strategy<Value = Question> {
    let names: Vec<String> = FILES
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .chain(COMPOSITES.iter().map(|name| (*name).to_owned()))
        .chain(COMPOSITES.iter().map(|name| (*name).to_owned()))
        .chain(["x".to_owned(), "x".to_owned()])
        .collect();
    let given = (
        values(),
        prop::collection::vec(prop::bool::weighted(0.6), 4),
    );
    (
        prop::sample::select(names),
        given,
        prop::option::weighted(0.1, 0..TAGS.len()),
        prop::option::weighted(0.07, 0usize..2),
        prop::bool::weighted(0.3),
    )
        .prop_map(|(name, (values, kept), tag, version, lookup)| {
            let all = ["visit", "ccd", "tract", "patch"];
            let wanted = all.into_iter().zip(kept).filter(|(_, kept)| *kept);
            let wanted: Vec<&'static str> = wanted.map(|(key, _)| key).collect();
            Question {
                given: keys_in(values, &wanted),
                name,
                tag,
                version,
                lookup,
            }
        })
}

/// The folders that stand for the repositories: what is in them is in memory, made anew for each world.
fn folders() -> &'static Path {
    static FOLDERS: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folders = FOLDERS.get_or_init(|| {
        let folders = tempfile::tempdir().unwrap();
        for number in 0..REPOSITORIES {
            let own = folders.path().join(format!("r{number}/.pantler"));
            std::fs::create_dir_all(&own).unwrap();
            std::fs::write(own.join("repository.json"), "{}").unwrap();
        }
        folders
    });
    folders.path()
}

pub fn type_name(target: Target) -> TypeName {
    TypeName::new(match target {
        Target::File(file) => FILES[file].0,
        Target::Composite(composite) => COMPOSITES[composite],
    })
    .unwrap()
}

pub fn data_id(keys: &Keys) -> DataId {
    DataId::new(
        keys.iter()
            .map(|(key, value)| (*key, KeyValue::Int(*value))),
    )
}

/// A repository's policy in the words of a policy.
fn policy(world: &World, repo: &Repo) -> String {
    let mut text = String::new();
    if let Some(stage) = repo.alias {
        text.push_str(&format!("aliases:\n  x: \"{}\"\n", COMPOSITES[stage]));
    }
    text.push_str("datasets:\n");
    for (number, (name, keys)) in FILES.into_iter().enumerate() {
        let keys: Vec<String> = keys.iter().map(|key| format!("{key}%({key})d")).collect();
        text.push_str(&format!(
            "  {name}: {{template: \"{}/{}.fits\", storage: FitsStorage, python: {}}}\n",
            FILES[artifacts_of(number)].0,
            keys.join("/"),
            ["ExposureF", "Wcs"][usize::from(number == SHARED.0)],
        ));
    }
    for (index, variant) in repo.variants.iter().enumerate() {
        let Some(variant) = variant else { continue };
        text.push_str(&format!("  {}:\n    composite:\n", COMPOSITES[index]));
        for (number, component) in world.composites[index][*variant].iter().enumerate() {
            let mut line = format!(
                "      c{number}: {{datasetType: \"{}\"",
                type_name(component.target)
            );
            for (flag, word) in [
                (component.subset, "subset"),
                (component.optional, "optional"),
                (component.subset && component.allow_empty, "allowEmpty"),
            ] {
                if flag {
                    line.push_str(&format!(", {word}: true"));
                }
            }
            match component.bind {
                Some((key, Source::Pinned(value))) => {
                    line.push_str(&format!(", dataId: {{{key}: {value}}}"));
                }
                Some((key, Source::Key(other))) => {
                    line.push_str(&format!(", dataId: {{{key}: \"%({other})d\"}}"));
                }
                None => {}
            }
            text.push_str(&line);
            text.push_str("}\n");
        }
    }
    text
}

fn definition(dataset_type: TypeName, keys: &Keys, file: bool) -> Arc<DefinitionVersion> {
    Arc::new(DefinitionVersion {
        keys: keys
            .keys()
            .map(|key| ((*key).to_owned(), KeyType::Int))
            .collect(),
        template: file.then(|| {
            let keys: Vec<String> = keys.keys().map(|key| format!("{key}%({key})d")).collect();
            format!("{dataset_type}/{}.fits", keys.join("/"))
        }),
        storage: file.then(|| "FitsStorage".to_owned()),
        python: None,
        assembler: None,
        extra: None,
        dataset_type,
    })
}

/// The version of a composite's definition that a record was written with: which components there were, and which were lists.
fn as_written(record: &Record) -> Arc<DefinitionVersion> {
    let components: Vec<serde_json::Value> = record
        .members
        .iter()
        .map(|(name, _, target, _, subset)| {
            serde_json::json!({
                "name": name,
                "dataset_type": type_name(*target).to_string(),
                "subset": subset,
            })
        })
        .collect();
    let name = type_name(Target::Composite(record.composite));
    let plain = definition(name, &record.data_id, false);
    Arc::new(DefinitionVersion {
        extra: Some(serde_json::json!({"components": components}).to_string()),
        ..DefinitionVersion::clone(&plain)
    })
}

fn records(repo: &Repo) -> Vec<DatasetRecord> {
    let bare = |id, data_id, definition| DatasetRecord {
        id,
        data_id,
        definition,
        artifact: None,
        members: Vec::new(),
        precursors: Vec::new(),
        metadata: DataId::default(),
        footprint: None,
        state: State::Current,
    };
    let rows = repo.rows.iter().map(|row| DatasetRecord {
        artifact: Some(ArtifactRecord {
            location: None,
            bytes: 1,
            modified: None,
            digest: Some(Digest::of(&[row.content])),
            layout: None,
        }),
        ..bare(
            row.id,
            data_id(&row.data_id),
            definition(type_name(Target::File(row.file)), &row.data_id, true),
        )
    });
    let compositions = repo.records.iter().map(|record| DatasetRecord {
        members: record
            .members
            .iter()
            .map(|(component, dataset, target, keys, _)| Member {
                component: component.clone(),
                dataset: *dataset,
                dataset_type: type_name(*target),
                data_id: data_id(keys),
                part: Vec::new(),
                input_only: false,
            })
            .collect(),
        ..bare(record.id, data_id(&record.data_id), as_written(record))
    });
    rows.chain(compositions).collect()
}

/// Opens the world as a person would: by the folders that are named, parents by what the repositories say themselves.
pub fn open(world: &World) -> pantler::Result<Butler> {
    let inside: Vec<(Arc<dyn Store>, Arc<dyn Registry>)> = world
        .repos
        .iter()
        .enumerate()
        .map(|(number, repo)| {
            let store: Arc<dyn Store> = Arc::new(MemoryStore::new(&format!("r{number}")));
            write_policy(store.as_ref(), &policy(world, repo));
            let parents: Vec<String> = repo
                .parents
                .iter()
                .map(|parent| folders().join(format!("r{parent}")).display().to_string())
                .collect();
            let tags: Vec<&str> = repo.tag.iter().map(|tag| TAGS[*tag]).collect();
            let config = serde_json::json!({"version": 1, "parents": parents, "tags": tags});
            let config = config.to_string();
            write(
                store.as_ref(),
                ".pantler/repository.json",
                config.as_bytes(),
            );
            let registry: Arc<dyn Registry> = Arc::new(MemoryRegistry::new());
            let rows = records(repo);
            if !rows.is_empty() {
                let mut transaction = registry.begin().unwrap();
                transaction.insert(&rows, &nobody()).unwrap();
                transaction.commit().unwrap();
            }
            (store, registry)
        })
        .collect();
    let opener = move |root: &Path, _| {
        let name = root.file_name().unwrap().to_str().unwrap();
        let number: usize = name[1..].parse().unwrap();
        Ok(inside[number].clone())
    };
    let roots: Vec<PathBuf> = world
        .named
        .iter()
        .map(|number| folders().join(format!("r{number}")))
        .collect();
    let (outputs, inputs) = roots.split_at(usize::from(world.has_output));
    let chain = Chain::open(outputs, inputs, &opener)?;
    let options = ButlerOptions {
        inputs_in_order: world.in_order,
        ..ButlerOptions::default()
    };
    Ok(Butler::of(chain, options))
}

fn nobody() -> Provenance {
    Provenance {
        action: "put".into(),
        time: "2026-01-01T00:00:00Z".into(),
        user: String::new(),
        host: String::new(),
        version: String::new(),
        notes: Vec::new(),
    }
}
