//! One repository: a root with a policy, an index and artifacts.
//!
//! It knows itself only: which other repositories are searched with it is the chain's business.
//!
//! ```text
//! root/
//! ├─ policy.yaml                     what its people say about its dataset types
//! ├─ calexp/0903334/016.fits …       artifacts, where the templates put them
//! └─ .pantler/
//!    ├─ repository.json              its parents
//!    ├─ definitions.yaml             definitions that puts brought along (rule R7)
//!    ├─ aliases.yaml                 aliases that were given by command
//!    ├─ registry.sqlite              the index
//!    ├─ staging/                     artifacts that are being written
//!    └─ superseded/                  replaced artifacts that compositions still use
//! ```
//!
//! A folder with a `policy.yaml` and without `.pantler/repository.json` is a repository that can be read: it has no index, and is
//! scanned ([`scanned`]).

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use pantler_core::policy::{Definition, Policy, PolicyText, Recipe};
use pantler_core::problem::{Problem, Severity};
use pantler_core::store::{Link, OnExisting, RangeRequest};
use pantler_core::{ArtifactPath, DataId, Location, Registry, Store, StoreError, TypeName};
use pantler_registry::{Access, Journal, Migration, SqliteRegistry};
use pantler_store::LocalStore;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::identity::KnownDigests;
use crate::own_names::text_path;
use crate::scanned;

/// The folder of what is pantler's own inside a repository.
pub const OWN_FOLDER: &str = ".pantler";
pub(crate) const CONFIG: &str = ".pantler/repository.json";
const DEFINITIONS: &str = ".pantler/definitions.yaml";
pub(crate) const POLICY: &str = "policy.yaml";
/// The aliases that were given by command; they stand behind the people's own policy, so that they count.
pub(crate) const ALIASES: &str = ".pantler/aliases.yaml";
const REGISTRY: &str = "registry.sqlite";

/// What a repository says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepositoryConfig {
    /// The version of this layout.
    pub version: u32,
    /// Its parents, relative to its root where that is possible.
    #[serde(default)]
    pub parents: Vec<String>,
    /// Its tags, by which a search can be narrowed to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

impl RepositoryConfig {
    fn text(&self) -> Result<String> {
        let text = serde_json::to_string_pretty(self).map_err(|error| {
            Error::request(format!("cannot write the repository's config: {error}"))
        })?;
        Ok(format!("{text}\n"))
    }
}

impl Default for RepositoryConfig {
    fn default() -> RepositoryConfig {
        RepositoryConfig {
            version: 1,
            parents: Vec::new(),
            tags: Vec::new(),
        }
    }
}

/// One open repository.
pub struct Repository {
    name: Arc<str>,
    root: Arc<str>,
    store: Arc<dyn Store>,
    registry: Arc<dyn Registry>,
    policy: Policy,
    warnings: Vec<Problem>,
    config: RepositoryConfig,
    writable: bool,
    digests: Arc<KnownDigests>,
    has_index: bool,
}

impl std::fmt::Debug for Repository {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Repository({})", self.root)
    }
}

/// Opens the store and the registry of a local repository; tests and statistics wrap what it returns.
pub type Opener =
    dyn Fn(&Path, Access) -> Result<(Arc<dyn Store>, Arc<dyn Registry>)> + Send + Sync;

/// Opens a folder with its SQLite registry; one without an index is scanned for what its policy names.
pub fn open_local(root: &Path, access: Access) -> Result<(Arc<dyn Store>, Arc<dyn Registry>)> {
    let store = LocalStore::open(root)?;
    if !root.join(CONFIG).exists() {
        let store: Arc<dyn Store> = Arc::new(store);
        let registry = scanned::registry(Arc::clone(&store))?;
        return Ok((store, Arc::new(registry)));
    }
    let registry = SqliteRegistry::open(&root.join(OWN_FOLDER).join(REGISTRY), access)?;
    Ok((Arc::new(store), Arc::new(registry)))
}

impl Repository {
    /// Makes a new repository in a folder, with its policy and its parents (absolute paths).
    pub fn init(root: &Path, policy: &[PolicyText], parents: &[std::path::PathBuf]) -> Result<()> {
        let shown = root.display().to_string();
        if root.join(CONFIG).exists() {
            return Err(Error::RepositoryExists { path: shown });
        }
        std::fs::create_dir_all(root.join(OWN_FOLDER))
            .map_err(|source| Error::io("make", root, source))?;
        let root = root
            .canonicalize()
            .map_err(|source| Error::io("open", root, source))?;
        let store = LocalStore::open(&root)?;
        let registry = root.join(OWN_FOLDER).join(REGISTRY);
        // The config is written last: a folder without it is no repository, so a crash before leaves none. A registry that is
        // there is the crashed one's, or that of another process which makes the same repository now: never removed.
        if let Err(error) = SqliteRegistry::create(&registry) {
            if !registry.exists() {
                return Err(error.into());
            }
            SqliteRegistry::open(&registry, Access::ReadWrite)?;
        }
        crate::fail_point::reach("registry-made");
        write_policies(&store, policy)?;
        let config = RepositoryConfig {
            parents: parents
                .iter()
                .map(|parent| relative_path(&root, parent))
                .collect(),
            ..RepositoryConfig::default()
        };
        match write_text(&store, CONFIG, &config.text()?, OnExisting::Refuse) {
            Err(Error::Store(StoreError::AlreadyExists { .. })) => {
                Err(Error::RepositoryExists { path: shown })
            }
            outcome => outcome,
        }
    }

    /// Brings the index of a repository that an older version of pantler made to today's schema, all or nothing.
    pub fn migrate(root: &Path) -> Result<Migration> {
        if !root.join(CONFIG).exists() {
            return Err(Error::NoRepository {
                path: root.display().to_string(),
                why: "there is no `.pantler/repository.json` in it".to_owned(),
                child: None,
            });
        }
        Ok(SqliteRegistry::migrate(
            &root.join(OWN_FOLDER).join(REGISTRY),
        )?)
    }

    /// Takes an index away that has no datasets, so that the folder is scanned again; one that has any stays.
    pub fn remove_empty_index(root: &Path) -> Result<()> {
        let store = LocalStore::open(root)?;
        let path = root.join(OWN_FOLDER).join(REGISTRY);
        let registry = SqliteRegistry::open(&path, Access::ReadWrite)?;
        // Nobody else can write from here on.
        let turn = registry.begin()?;
        let mut is_empty = true;
        registry.visit_all(&mut |_| {
            is_empty = false;
            ControlFlow::Break(())
        })?;
        if is_empty {
            // The config first: without it this is no repository with an index.
            store.delete(&[ArtifactPath::new(CONFIG)?])?;
        }
        drop(turn);
        drop(registry);
        if is_empty {
            for suffix in ["-wal", "-shm", "-journal", ""] {
                let file = format!("{OWN_FOLDER}/{REGISTRY}{suffix}");
                store.delete(&[ArtifactPath::new(&file)?])?;
            }
        }
        Ok(())
    }

    /// Says whether a folder is a repository without an index, which is scanned.
    pub fn is_scanned(root: &Path) -> bool {
        root.join(POLICY).is_file() && !root.join(CONFIG).exists()
    }

    /// Says whether a folder is to become a repository and is none: it is not there, is empty, or its making was interrupted.
    pub fn is_yet_to_be_made(root: &Path) -> bool {
        if !root.exists() {
            return true;
        }
        root.read_dir().is_ok_and(|mut entries| {
            entries.all(|entry| entry.is_ok_and(|entry| entry.file_name() == OWN_FOLDER))
        }) && !root.join(CONFIG).exists()
    }

    /// Opens a repository in a folder.
    pub fn open(root: &Path, access: Access, opener: &Opener) -> Result<Repository> {
        let name = root.display().to_string();
        let missing = |why: &str| Error::NoRepository {
            path: name.clone(),
            why: why.to_owned(),
            child: None,
        };
        let Ok(absolute) = root.canonicalize() else {
            return Err(missing("there is no such folder"));
        };
        if !absolute.is_dir() {
            return Err(missing("it is a file"));
        }
        if !absolute.join(CONFIG).exists() {
            if !absolute.join(POLICY).is_file() {
                return Err(missing(
                    "it is a folder without `.pantler/repository.json` and without `policy.yaml`",
                ));
            }
            if access == Access::ReadWrite {
                return Err(no_index(&absolute, name));
            }
        }
        let (store, registry) = opener(&absolute, access)?;
        let writable = access == Access::ReadWrite;
        Ok(Repository {
            has_index: absolute.join(CONFIG).exists(),
            ..Repository::from_parts(&name, store, registry, writable)?
        })
    }

    /// Says why a search for a dataset found nothing here.
    pub(crate) fn why_absent(&self, dataset_type: &TypeName, data_id: &DataId) -> String {
        let Some(definition) = self.policy.definition(dataset_type) else {
            return format!("its policy does not define {dataset_type}");
        };
        if self.has_index {
            return "not in its registry".to_owned();
        }
        let template = definition.template.as_ref();
        match template.and_then(|template| template.fill(data_id).ok()) {
            Some(filled) => format!("it has no index, and no file {}", filled.path),
            None => "it has no index, and no such file".to_owned(),
        }
    }

    /// Makes a repository of a store and a registry; its policy and config are read from the store.
    pub fn from_parts(
        name: &str,
        store: Arc<dyn Store>,
        registry: Arc<dyn Registry>,
        writable: bool,
    ) -> Result<Repository> {
        let config = read_config(store.as_ref(), name)?;
        let (policy, problems) = sound(load_policy(store.as_ref(), name, None)?)?;
        Ok(Repository {
            name: name.into(),
            root: store.root().into(),
            store,
            registry,
            policy,
            warnings: problems,
            config,
            writable,
            digests: Arc::default(),
            has_index: true,
        })
    }

    /// Returns the repository with what a caller's policy says for one butler alone, over its own.
    pub(crate) fn with_local_policy(&self, text: &str) -> Result<Repository> {
        let local = PolicyText {
            file: crate::imported::LOCAL_POLICY.into(),
            text: text.to_owned(),
        };
        let loaded = load_policy(self.store.as_ref(), &self.name, Some(local))?;
        let (policy, problems) = sound(loaded)?;
        Ok(self.with_policy(policy, problems))
    }

    /// Returns the repository as if it had no datasets: what its policy says, and nothing else.
    pub(crate) fn words_alone(&self) -> Repository {
        Repository {
            registry: Arc::new(pantler_registry::MemoryRegistry::new()),
            writable: false,
            ..self.with_policy(self.policy.clone(), self.warnings.clone())
        }
    }

    /// Returns the repository with another index before its own.
    pub(crate) fn with_registry(&self, registry: Arc<dyn Registry>) -> Repository {
        Repository {
            registry,
            ..self.with_policy(self.policy.clone(), self.warnings.clone())
        }
    }

    /// Returns its index, to be kept.
    pub(crate) fn registry_handle(&self) -> Arc<dyn Registry> {
        self.registry.clone()
    }

    /// Returns the repository with another policy: its own, with what it inherits from its parents.
    pub(crate) fn with_policy(&self, policy: Policy, problems: Vec<Problem>) -> Repository {
        Repository {
            name: self.name.clone(),
            root: self.root.clone(),
            store: self.store.clone(),
            registry: self.registry.clone(),
            policy,
            warnings: problems,
            config: self.config.clone(),
            writable: self.writable,
            digests: Arc::clone(&self.digests),
            has_index: self.has_index,
        }
    }

    /// Returns how its index keeps commits whole, if that is in a file.
    pub fn journal(&self) -> Option<Journal> {
        let file = Path::new(&*self.root).join(OWN_FOLDER).join(REGISTRY);
        SqliteRegistry::journal_of(&file).ok()
    }

    /// Says whether it has an index; a folder without one is scanned.
    pub fn has_index(&self) -> bool {
        self.has_index
    }

    /// Returns the digests that were computed since it was opened, and stand in no index.
    pub(crate) fn digests(&self) -> &KnownDigests {
        &self.digests
    }

    /// Returns the name under which it was opened.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns its root as an absolute path or URL.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// Returns its name, to be kept by each of many.
    pub(crate) fn shared_name(&self) -> &Arc<str> {
        &self.name
    }

    /// Returns its root, to be kept by each of many.
    pub(crate) fn shared_root(&self) -> &Arc<str> {
        &self.root
    }

    /// Returns where its artifacts are.
    pub fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    /// Returns its store, to be kept.
    pub fn store_handle(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    /// Returns its index.
    pub fn registry(&self) -> &dyn Registry {
        self.registry.as_ref()
    }

    /// Returns what it says about its dataset types.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Returns what its policy says that is probably not meant.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// Says whether it was opened for writing.
    pub fn writable(&self) -> bool {
        self.writable
    }

    /// Returns its parents' paths: absolute, or relative to its root.
    pub fn parents(&self) -> &[String] {
        &self.config.parents
    }

    /// Returns its tags.
    pub fn tags(&self) -> &[String] {
        &self.config.tags
    }

    /// Returns a location as a person would type it.
    pub fn shown(&self, location: &Location) -> String {
        match location {
            Location::Inside(path) => joined(&self.name, path.as_str()),
            Location::Outside(path) => path.to_string(),
        }
    }

    /// Makes sure that no commit of a killed process can still come to light: before files are taken for leftovers.
    pub(crate) fn bury_the_dead(&self) -> Result<()> {
        let mut transaction = self.registry.begin()?;
        transaction.leave_mark()?;
        transaction.commit()?;
        Ok(())
    }

    /// Adds a definition to those that the repository keeps beside its people's policy, unless it is there (rule R7), and with
    /// it the recipe that it is written by, where that needs a definition.
    pub fn add_definition(&self, definition: &Definition, recipe: Option<&Recipe>) -> Result<()> {
        // One process at a time: each writes back what it has read, and a name that stands there twice is no policy.
        let _turn = self.registry.begin()?;
        let old = read_text(self.store.as_ref(), DEFINITIONS)?.unwrap_or_else(|| {
            "# Definitions that puts brought along, so that this repository can be opened alone.\ndatasets:\n"
                .to_owned()
        });
        let known = PolicyText {
            file: joined(&self.name, DEFINITIONS).into(),
            text: old.clone(),
        };
        let (known, _) = Policy::load(&[known], &mut |_, wanted| Err(wanted.to_owned()));
        if known
            .definitions()
            .any(|known| known.name == definition.name)
        {
            return Ok(());
        }
        let indented: String = definition
            .yaml
            .lines()
            .map(|line| format!("  {line}\n"))
            .collect();
        // The datasets stay last, so that the next definition can follow them.
        let recipe = recipe.filter(|recipe| known.recipe(&recipe.name).is_none());
        let old = match (recipe, old.split_once("datasets:\n")) {
            (Some(recipe), Some((head, datasets))) => {
                let title = match head.contains("\nrecipes:\n") {
                    true => "",
                    false => "recipes:\n",
                };
                format!("{head}{title}{}datasets:\n{datasets}", recipe_yaml(recipe))
            }
            _ => old,
        };
        write_text(
            self.store.as_ref(),
            DEFINITIONS,
            &format!("{old}{indented}"),
            OnExisting::Replace,
        )
    }

    /// Adds tags to the config.
    pub fn add_tags(&self, tags: &[String]) -> Result<()> {
        let _turn = self.registry.begin()?;
        let mut config = read_config(self.store.as_ref(), &self.name)?;
        for tag in tags {
            if !config.tags.contains(tag) {
                config.tags.push(tag.clone());
            }
        }
        let text = config.text()?;
        write_text(self.store.as_ref(), CONFIG, &text, OnExisting::Replace)
    }

    /// Adds parents to the config, relative to the root where that is possible.
    pub fn add_parents(&self, parents: &[String]) -> Result<()> {
        // One process at a time, and from what is there now.
        let _turn = self.registry.begin()?;
        let before = read_config(self.store.as_ref(), &self.name)?;
        let mut config = before.clone();
        for parent in parents {
            let relative = relative_path(Path::new(&*self.root), Path::new(parent));
            if !config.parents.contains(&relative) {
                config.parents.push(relative);
            }
        }
        if config == before {
            return Ok(());
        }
        write_text(
            self.store.as_ref(),
            CONFIG,
            &config.text()?,
            OnExisting::Replace,
        )
    }
}

/// The error for a folder without an index that was to be changed; it names a type of which there are files.
fn no_index(root: &Path, path: String) -> Error {
    let first = || {
        let store: Arc<dyn Store> = Arc::new(LocalStore::open(root).ok()?);
        let types = scanned::registry(store).ok()?.summary().ok()?;
        Some(types.into_iter().next()?.dataset_type)
    };
    Error::NoIndex {
        path,
        dataset_type: first(),
    }
}

/// Refuses a policy with errors in it.
fn sound((policy, problems): (Policy, Vec<Problem>)) -> Result<(Policy, Vec<Problem>)> {
    let is_error = |problem: &Problem| problem.severity == Severity::Error;
    match problems.iter().any(is_error) {
        true => Err(Error::Policy { problems }),
        false => Ok((policy, problems)),
    }
}

/// Loads the policy of the repository in a store, which people know under this name, with a text of the caller's over it.
pub(crate) fn load_policy(
    store: &dyn Store,
    name: &str,
    local: Option<PolicyText>,
) -> Result<(Policy, Vec<Problem>)> {
    let mut texts = Vec::new();
    for file in [DEFINITIONS, POLICY, ALIASES] {
        if let Some(text) = read_text(store, file)? {
            texts.push(PolicyText {
                file: joined(name, file).into(),
                text,
            });
        }
    }
    texts.extend(local);
    Ok(Policy::load(&texts, &mut |including, wanted| {
        include(store, name, including, wanted)
    }))
}

pub(crate) fn joined(folder: &str, file: &str) -> String {
    format!("{}/{file}", folder.trim_end_matches('/'))
}

fn include(
    store: &dyn Store,
    name: &str,
    including: &str,
    wanted: &str,
) -> Result<PolicyText, String> {
    let folder = including
        .strip_prefix(&joined(name, ""))
        .and_then(|inside| inside.rsplit_once('/'))
        .map_or("", |(folder, _)| folder);
    let path = if folder.is_empty() {
        wanted.to_owned()
    } else {
        joined(folder, wanted)
    };
    match read_text(store, &path) {
        Ok(Some(text)) => Ok(PolicyText {
            file: joined(name, &path).into(),
            text,
        }),
        Ok(None) => Err(format!("{} does not exist", joined(name, &path))),
        Err(error) => Err(error.to_string()),
    }
}

/// Reads a small text of the repository's own; `None` if it does not exist.
pub(crate) fn read_text(store: &dyn Store, path: &str) -> Result<Option<String>> {
    let location = Location::Inside(ArtifactPath::new(path)?);
    let Some(stat) = store
        .stat_many(std::slice::from_ref(&location))?
        .into_iter()
        .flatten()
        .next()
    else {
        return Ok(None);
    };
    let request = RangeRequest {
        location,
        ranges: vec![0..stat.bytes],
    };
    let bytes = store
        .read_ranges(&[request])?
        .into_iter()
        .flatten()
        .next()
        .unwrap_or_default();
    String::from_utf8(bytes.to_vec())
        .map(Some)
        .map_err(|_| Error::request(format!("{} is not UTF-8 text", joined(store.root(), path))))
}

/// Reads what a repository says of itself.
fn read_config(store: &dyn Store, name: &str) -> Result<RepositoryConfig> {
    match read_text(store, CONFIG)? {
        Some(text) => serde_json::from_str(&text).map_err(|error| Error::NoRepository {
            path: name.to_owned(),
            why: format!("{CONFIG} is damaged: {error}"),
            child: None,
        }),
        None => Ok(RepositoryConfig::default()),
    }
}

/// Writes a small text of the repository's own in one step, durably.
pub(crate) fn write_text(
    store: &dyn Store,
    path: &str,
    text: &str,
    existing: OnExisting,
) -> Result<()> {
    let target = ArtifactPath::new(path)?;
    let staged = text_path()?;
    let written = (|| {
        store.stage(&staged, &mut text.as_bytes())?;
        store.sync(std::slice::from_ref(&staged))?;
        crate::fail_point::reach("text-staged");
        store.link(&[Link {
            from: staged.clone(),
            to: target.clone(),
            existing,
        }])?;
        crate::fail_point::reach("text-linked");
        store.sync(&[target])
    })();
    // If it is written, a staged name that stays is a leftover and no failure.
    let _ = store.delete(&[staged]);
    Ok(written?)
}

/// Writes a text of the people's own, and refuses to take the place of another.
fn write_policy_text(store: &dyn Store, path: &str, text: &str) -> Result<()> {
    match read_text(store, path)? {
        Some(there) if there == text => Ok(()),
        Some(_) => Err(Error::request(format!(
            "{} exists already and says something else; without `--policy` it is used as it is",
            joined(store.root(), path)
        ))),
        None => write_text(store, path, text, OnExisting::Refuse),
    }
}

/// A recipe as YAML, one setting a line; JSON texts are YAML texts.
fn recipe_yaml(recipe: &Recipe) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let mut text = format!("  {}:", quoted(&recipe.name));
    if recipe.settings.is_empty() {
        text.push_str(" {}");
    }
    text.push('\n');
    for (key, value) in &recipe.settings {
        text.push_str(&format!("    {}: {}\n", quoted(key), quoted(value)));
    }
    text
}

/// Writes one policy as `policy.yaml`; several as files of their own that `policy.yaml` includes, in their order.
fn write_policies(store: &dyn Store, policies: &[PolicyText]) -> Result<()> {
    match policies {
        [] => Ok(()),
        [only] => write_policy_text(store, POLICY, &only.text),
        several => {
            let mut includes = String::from("include:\n");
            for (index, policy) in several.iter().enumerate() {
                let stem = Path::new(policy.file.as_ref()).file_stem().map_or_else(
                    || "policy".to_owned(),
                    |stem| stem.to_string_lossy().into_owned(),
                );
                let path = format!("policy/{:02}-{stem}.yaml", index + 1);
                write_policy_text(store, &path, &policy.text)?;
                includes.push_str(&format!("  - {path}\n"));
            }
            write_policy_text(store, POLICY, &includes)
        }
    }
}

/// Returns `target` relative to the folder `from` where both are absolute and share more than the root.
fn relative_path(from: &Path, target: &Path) -> String {
    let absolute = target
        .canonicalize()
        .unwrap_or_else(|_| target.to_path_buf());
    let shared = from
        .components()
        .zip(absolute.components())
        .take_while(|(a, b)| a == b)
        .count();
    if shared <= 1 {
        return absolute.display().to_string();
    }
    let mut relative = std::path::PathBuf::new();
    for _ in from.components().skip(shared) {
        relative.push("..");
    }
    for part in absolute.components().skip(shared) {
        relative.push(part);
    }
    relative.display().to_string()
}
