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

mod config;
mod making;
mod policies;
mod texts;

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use pantler_core::policy::{Definition, Policy, PolicyText, Recipe};
use pantler_core::problem::Problem;
use pantler_core::store::OnExisting;
use pantler_core::{DataId, Location, Registry, Store, TypeName};
use pantler_registry::{Access, Journal, SqliteRegistry};
use pantler_store::LocalStore;

use crate::error::{Error, Result};
use crate::identity::KnownDigests;
use crate::scanned;

pub use config::RepositoryConfig;
pub(crate) use policies::load_policy;
pub(crate) use texts::{joined, read_text, write_text};

use config::{read_config, relative_path};
use policies::{recipe_yaml, sound};

/// The folder of what is pantler's own inside a repository.
pub const OWN_FOLDER: &str = ".pantler";
pub(crate) const CONFIG: &str = ".pantler/repository.json";
const DEFINITIONS: &str = ".pantler/definitions.yaml";
pub(crate) const POLICY: &str = "policy.yaml";
/// The aliases that were given by command; they stand behind the people's own policy, so that they count.
pub(crate) const ALIASES: &str = ".pantler/aliases.yaml";
const REGISTRY: &str = "registry.sqlite";

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
    /// Says whether a folder is a repository without an index, which is scanned.
    pub fn is_scanned(root: &Path) -> bool {
        root.join(POLICY).is_file() && !root.join(CONFIG).exists()
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

    /// Adds definitions to those that the repository keeps beside its people's policy, unless they are there (rule R7), and with
    /// each the recipe that it is written by, where that needs a definition. They come in one step: a composite without its
    /// components would be no policy.
    pub fn add_definitions(&self, definitions: &[(Arc<Definition>, Option<Recipe>)]) -> Result<()> {
        if definitions.is_empty() {
            return Ok(());
        }
        // One process at a time: each writes back what it has read, and a name that stands there twice is no policy.
        let _turn = self.registry.begin()?;
        let mut text = read_text(self.store.as_ref(), DEFINITIONS)?.unwrap_or_else(|| {
            "# Definitions that puts and transfers brought along, so that this repository can be opened alone.\ndatasets:\n"
                .to_owned()
        });
        let known = PolicyText {
            file: joined(&self.name, DEFINITIONS).into(),
            text: text.clone(),
        };
        let (known, _) = Policy::load(&[known], &mut |_, wanted| Err(wanted.to_owned()));
        let mut names: HashSet<TypeName> = known
            .definitions()
            .map(|known| known.name.clone())
            .collect();
        let mut recipes: HashSet<&str> = HashSet::new();
        let before = names.len();
        for (definition, recipe) in definitions {
            if !names.insert(definition.name.clone()) {
                continue;
            }
            let recipe = recipe.as_ref().filter(|recipe| {
                known.recipe(&recipe.name).is_none() && recipes.insert(&recipe.name)
            });
            text = with_definition(text, definition, recipe);
        }
        if names.len() == before {
            return Ok(());
        }
        write_text(self.store.as_ref(), DEFINITIONS, &text, OnExisting::Replace)
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

/// Adds a definition, and the recipe that it needs, to the text of a policy whose datasets come last.
fn with_definition(policy: String, definition: &Definition, recipe: Option<&Recipe>) -> String {
    let indented: String = definition
        .yaml
        .lines()
        .map(|line| format!("  {line}\n"))
        .collect();
    // The datasets stay last, so that the next definition can follow them.
    let policy = match (recipe, policy.split_once("datasets:\n")) {
        (Some(recipe), Some((head, datasets))) => {
            let title = match head.contains("\nrecipes:\n") {
                true => "",
                false => "recipes:\n",
            };
            format!("{head}{title}{}datasets:\n{datasets}", recipe_yaml(recipe))
        }
        _ => policy,
    };
    format!("{policy}{indented}")
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
