//! The repositories that are searched together, in search order.
//!
//! Readable outputs come before inputs, each followed by its parents, depth first. A repository that is reached twice stands
//! after all that build on it, so that what a child replaced is never found in its stead; those that were named stand in the
//! order given.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pantler_core::composite_graph::Definitions;
use pantler_core::plan::PlanRepository;
use pantler_core::policy::Definition;
use pantler_core::problem::Severity;
use pantler_core::{KeyType, TypeName};
use pantler_registry::Access;

use crate::error::{Error, Result};
use crate::repository::{Opener, Repository};

/// Repositories in search order.
#[derive(Debug)]
pub struct Chain {
    repositories: Vec<Arc<Repository>>,
    /// For each repository, the numbers of its parents.
    parents: Vec<Vec<usize>>,
    outputs: Vec<usize>,
    /// The numbers of the repositories that were named to be read from.
    inputs: Vec<usize>,
    /// Keys that are of one type here and of another there; almost always none.
    clashes: Vec<KeyClash>,
    /// The tags that were given to repositories when they were opened, beside those that they keep themselves.
    tags: Vec<(usize, String)>,
    inputs_in_order: bool,
}

/// A key whose type in one policy is not that of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyClash {
    /// The key.
    pub key: String,
    /// The repository whose policy decides, and the type there.
    pub decided: (usize, KeyType),
    /// The repository whose policy says otherwise, and the type there.
    pub other: (usize, KeyType),
}

impl Chain {
    /// Opens outputs and inputs, with all their parents.
    pub fn open(outputs: &[PathBuf], inputs: &[PathBuf], opener: &Opener) -> Result<Chain> {
        Chain::open_with(outputs, inputs, opener, &[])
    }

    /// As [`Chain::open`], with policies of the caller's over those of some repositories: each with the repository's path.
    pub fn open_with(
        outputs: &[PathBuf],
        inputs: &[PathBuf],
        opener: &Opener,
        policies: &[(PathBuf, String)],
    ) -> Result<Chain> {
        let mut chain = Chain {
            repositories: Vec::new(),
            parents: Vec::new(),
            outputs: Vec::new(),
            inputs: Vec::new(),
            clashes: Vec::new(),
            tags: Vec::new(),
            inputs_in_order: false,
        };
        for output in outputs {
            let index = chain.add(output, Access::ReadWrite, opener)?;
            chain.outputs.push(index);
        }
        for input in inputs {
            let index = chain.add(input, Access::ReadOnly, opener)?;
            chain.inputs.push(index);
        }
        for (root, text) in policies {
            let root = root.canonicalize().unwrap_or_else(|_| root.clone());
            let mut repositories = chain.repositories.iter_mut();
            let found = repositories.find(|repository| Path::new(repository.root()) == root);
            if let Some(repository) = found {
                *repository = Arc::new(repository.with_local_policy(text)?);
            }
        }
        chain.in_search_order().complete()
    }

    /// Renumbers the repositories from the order in which they were reached to that in which they are searched.
    fn in_search_order(self) -> Chain {
        let mut order = Vec::with_capacity(self.repositories.len());
        for named in self.outputs.iter().chain(&self.inputs) {
            if !order.contains(named) {
                order.push(*named);
                self.place_parents(*named, &mut order);
            }
        }
        // Those that name each other as parents wait for each other.
        for index in 0..self.repositories.len() {
            if !order.contains(&index) {
                order.push(index);
            }
        }
        let now = |old: &usize| order.iter().position(|one| one == old).unwrap_or(*old);
        let all = |old: &[usize]| -> Vec<usize> { old.iter().map(now).collect() };
        Chain {
            repositories: order
                .iter()
                .map(|index| self.repositories[*index].clone())
                .collect(),
            parents: order
                .iter()
                .map(|index| all(&self.parents[*index]))
                .collect(),
            outputs: all(&self.outputs),
            inputs: all(&self.inputs),
            ..self
        }
    }

    /// Appends a repository's parents and theirs, each once all that build on it stand there.
    fn place_parents(&self, child: usize, order: &mut Vec<usize>) {
        for parent in &self.parents[child] {
            let builds_on_it = |(index, parents): (usize, &Vec<usize>)| {
                parents.contains(parent) && !order.contains(&index)
            };
            let waits = self.parents.iter().enumerate().any(builds_on_it);
            if !waits && !order.contains(parent) {
                order.push(*parent);
                self.place_parents(*parent, order);
            }
        }
    }

    /// Does what only the whole chain allows: inheritance from parents' types, and checks across policies.
    fn complete(mut self) -> Result<Chain> {
        self.inherit()?;
        self.check_references()?;
        self.clashes = self.find_clashes();
        Ok(self)
    }

    /// Makes a chain of repositories that are open already; the first `outputs` of them are written to.
    pub fn of(repositories: Vec<Arc<Repository>>, outputs: usize) -> Result<Chain> {
        let chain = Chain {
            // Each one the parent of the one before it: the order given is the search order. Outputs all build on the first input.
            parents: (0..repositories.len())
                .map(|index| {
                    let parent = (index + 1).max(outputs);
                    (parent..repositories.len()).take(1).collect()
                })
                .collect(),
            inputs: (outputs.min(repositories.len())..repositories.len()).collect(),
            repositories,
            outputs: (0..outputs).collect(),
            clashes: Vec::new(),
            tags: Vec::new(),
            inputs_in_order: false,
        };
        chain.complete()
    }

    /// Makes a chain of repositories that are open already, of which none is another's parent.
    pub fn of_siblings(repositories: Vec<Arc<Repository>>) -> Result<Chain> {
        let chain = Chain {
            parents: vec![Vec::new(); repositories.len()],
            inputs: (0..repositories.len()).collect(),
            repositories,
            outputs: Vec::new(),
            clashes: Vec::new(),
            tags: Vec::new(),
            inputs_in_order: false,
        };
        chain.complete()
    }

    /// Returns the chain as a put into one of its outputs sees it: that output, what it builds on, and the inputs. What other
    /// outputs have is not part of it, as whoever opens this one alone will not see that (rule R28); what they define is, and
    /// comes into this one with the put (rule R7).
    pub(crate) fn seen_from(&self, output: usize) -> Chain {
        let mut kept = vec![output];
        let above = |index: usize| std::iter::once(index).chain(self.ancestors(index));
        let named = self.ancestors(output).into_iter().chain(
            self.inputs
                .iter()
                .flat_map(|input| above(*input))
                .collect::<Vec<_>>(),
        );
        for index in named {
            if !kept.contains(&index) {
                kept.push(index);
            }
        }
        let others = self.outputs.iter().filter(|other| !kept.contains(other));
        let words: Vec<Arc<Repository>> = others
            .copied()
            .map(|other| Arc::new(self.repositories[other].words_alone()))
            .collect();
        let now = |old: &usize| kept.iter().position(|kept| kept == old);
        let own = kept.iter().map(|index| self.repositories[*index].clone());
        let parents = kept
            .iter()
            .map(|index| self.parents[*index].iter().filter_map(now).collect());
        let mut view = Chain {
            parents: parents.chain(words.iter().map(|_| Vec::new())).collect(),
            repositories: own.chain(words.iter().cloned()).collect(),
            outputs: vec![0],
            inputs: self.inputs.iter().filter_map(now).collect(),
            clashes: Vec::new(),
            tags: self
                .tags
                .iter()
                .filter_map(|(at, tag)| Some((now(at)?, tag.clone())))
                .collect(),
            inputs_in_order: self.inputs_in_order,
        };
        view.clashes = view.find_clashes();
        view
    }

    /// Returns the chain with other repositories in the place of its outputs, in their order.
    pub(crate) fn with_outputs(&self, outputs: &[Arc<Repository>]) -> Chain {
        let mut repositories = self.repositories.clone();
        for (at, output) in self.outputs.iter().zip(outputs) {
            repositories[*at] = Arc::clone(output);
        }
        Chain {
            repositories,
            parents: self.parents.clone(),
            outputs: self.outputs.clone(),
            inputs: self.inputs.clone(),
            clashes: self.clashes.clone(),
            tags: self.tags.clone(),
            inputs_in_order: self.inputs_in_order,
        }
    }

    /// Lets the order of the inputs decide between siblings (rule R17).
    pub fn set_inputs_in_order(&mut self, inputs_in_order: bool) {
        self.inputs_in_order = inputs_in_order;
    }

    /// Says whether the order of the inputs decides between siblings.
    pub fn inputs_in_order(&self) -> bool {
        self.inputs_in_order
    }

    /// Tags the repository that was opened under this name, or has this root, for as long as this chain lives.
    pub fn add_tag(&mut self, repository: &Path, tag: &str) -> Result<()> {
        let root = repository.canonicalize().ok();
        let is_meant = |known: &Arc<Repository>| {
            Path::new(known.name()) == repository
                || root
                    .as_deref()
                    .is_some_and(|root| Path::new(known.root()) == root)
        };
        let Some(index) = self.repositories.iter().position(is_meant) else {
            return Err(Error::request(format!(
                "{} is not among the repositories that were opened, so it cannot be tagged",
                repository.display()
            )));
        };
        self.tags.push((index, tag.to_owned()));
        Ok(())
    }

    /// Returns all tags, each once, in order.
    pub fn tags(&self) -> Vec<String> {
        let kept = self
            .repositories
            .iter()
            .flat_map(|repository| repository.tags());
        let mut tags: Vec<String> = kept
            .chain(self.tags.iter().map(|(_, tag)| tag))
            .cloned()
            .collect();
        tags.sort();
        tags.dedup();
        tags
    }

    /// Says for each repository whether a search with this tag looks into it: those tagged so, and what they build on.
    pub fn searched(&self, tag: Option<&str>) -> Result<Vec<bool>> {
        let Some(tag) = tag else {
            return Ok(vec![true; self.repositories.len()]);
        };
        let tagged: Vec<usize> = (0..self.repositories.len())
            .filter(|index| {
                let kept = self.repositories[*index].tags().iter();
                kept.map(String::as_str).any(|known| known == tag)
                    || self
                        .tags
                        .iter()
                        .any(|(at, known)| at == index && known == tag)
            })
            .collect();
        if tagged.is_empty() {
            return Err(Error::UnknownTag {
                tag: tag.to_owned(),
                known: self.tags(),
                repositories: self.names(),
            });
        }
        let searched = |index: usize| {
            let mut tagged = tagged.iter();
            tagged.any(|tagged| *tagged == index || self.is_ancestor(index, *tagged))
        };
        Ok((0..self.repositories.len()).map(searched).collect())
    }

    fn add(&mut self, root: &Path, access: Access, opener: &Opener) -> Result<usize> {
        let repository = Repository::open(root, access, opener)?;
        if let Some(known) = self
            .repositories
            .iter()
            .position(|other| other.root() == repository.root())
        {
            return Ok(known);
        }
        let index = self.repositories.len();
        let own = PathBuf::from(repository.root());
        let shown = root.to_path_buf();
        let parents: Vec<String> = repository.parents().to_vec();
        self.repositories.push(Arc::new(repository));
        self.parents.push(Vec::new());
        for parent in parents {
            // Opened by the path that a person can follow from the one that they typed.
            let path = if Path::new(&parent).is_absolute() {
                PathBuf::from(&parent)
            } else {
                // Unless there are links on the way, behind which the same words lead elsewhere.
                let meant = own.join(&parent).canonicalize().ok();
                tidy(&shown.join(&parent))
                    .filter(|path| {
                        path.canonicalize()
                            .ok()
                            .is_some_and(|path| Some(path) == meant)
                    })
                    .unwrap_or_else(|| own.join(&parent))
            };
            let number =
                self.add(&path, Access::ReadOnly, opener)
                    .map_err(|error| match error {
                        Error::NoRepository {
                            path,
                            why,
                            child: None,
                        } => Error::NoRepository {
                            path,
                            why,
                            child: Some(self.repositories[index].name().to_owned()),
                        },
                        other => other,
                    })?;
            self.parents[index].push(number);
        }
        Ok(index)
    }

    fn check_references(&self) -> Result<()> {
        let known = |name: &TypeName| self.find_definition(name).is_some();
        let mut problems = Vec::new();
        for repository in &self.repositories {
            problems.extend(repository.policy().check_references(&known));
        }
        if problems
            .iter()
            .any(|problem| problem.severity == Severity::Error)
        {
            return Err(Error::Policy { problems });
        }
        Ok(())
    }

    /// Gives every policy what its types inherit from the types of its repository's parents, parents first.
    fn inherit(&mut self) -> Result<()> {
        let mut order = Vec::with_capacity(self.repositories.len());
        for index in 0..self.repositories.len() {
            // Ancestors last; so reversed, each comes before those that build on it.
            for one in self.ancestors(index).into_iter().rev().chain([index]) {
                if !order.contains(&one) {
                    order.push(one);
                }
            }
        }
        for index in order {
            let above: Vec<&pantler_core::Policy> = self
                .ancestors(index)
                .into_iter()
                .map(|ancestor| self.repositories[ancestor].policy())
                .collect();
            let repository = &self.repositories[index];
            let Some((policy, problems)) = repository.policy().with_parents(&above) else {
                continue;
            };
            if problems
                .iter()
                .any(|problem| problem.severity == Severity::Error)
            {
                return Err(Error::Policy { problems });
            }
            self.repositories[index] = Arc::new(repository.with_policy(policy, problems));
        }
        Ok(())
    }

    /// Returns a repository's parents and theirs, depth first, each once.
    fn ancestors(&self, index: usize) -> Vec<usize> {
        let mut ancestors = Vec::new();
        let mut waiting: Vec<usize> = self.parents[index].iter().rev().copied().collect();
        while let Some(next) = waiting.pop() {
            if next != index && !ancestors.contains(&next) {
                ancestors.push(next);
                waiting.extend(self.parents[next].iter().rev());
            }
        }
        ancestors
    }

    /// Finds keys that two policies give two types: a data ID is of one type, and would not be found where it is the other.
    fn find_clashes(&self) -> Vec<KeyClash> {
        let mut decided: std::collections::BTreeMap<&str, (usize, KeyType)> = Default::default();
        let mut clashes = Vec::new();
        for (index, repository) in self.repositories.iter().enumerate() {
            for (key, key_type) in repository.policy().key_types() {
                let first = decided.entry(key).or_insert((index, key_type));
                if first.1 != key_type {
                    clashes.push(KeyClash {
                        key: key.to_owned(),
                        decided: *first,
                        other: (index, key_type),
                    });
                }
            }
        }
        clashes
    }

    /// Returns the keys that policies of the chain give different types.
    pub fn clashes(&self) -> &[KeyClash] {
        &self.clashes
    }

    /// Returns the repositories in search order.
    pub fn repositories(&self) -> &[Arc<Repository>] {
        &self.repositories
    }

    /// Returns one repository.
    pub fn repository(&self, index: usize) -> &Arc<Repository> {
        &self.repositories[index]
    }

    /// Returns the numbers of the repositories that are written to.
    pub fn outputs(&self) -> &[usize] {
        &self.outputs
    }

    /// Returns the repository that is written to.
    pub fn output(&self, operation: &'static str) -> Result<(usize, &Arc<Repository>)> {
        let index = *self.outputs.first().ok_or(Error::NoOutput { operation })?;
        Ok((index, &self.repositories[index]))
    }

    /// Says whether `ancestor` is a parent of `child`, or a parent's parent.
    pub fn is_ancestor(&self, ancestor: usize, child: usize) -> bool {
        // Two repositories may name each other as parents, so the way up is walked with care.
        self.ancestors(child).contains(&ancestor)
    }

    /// Returns the type of a key: the first policy that knows it decides.
    pub fn key_type(&self, key: &str) -> Option<KeyType> {
        self.repositories
            .iter()
            .find_map(|repository| repository.policy().key_type(key))
    }

    /// Returns the keys of all templates, each once, in the order in which policies name them.
    pub fn keys(&self) -> Vec<(String, KeyType)> {
        let mut keys: Vec<(String, KeyType)> = Vec::new();
        for (_, definition) in self.definitions() {
            for (key, key_type) in definition
                .template
                .iter()
                .flat_map(|template| template.keys())
            {
                if !keys.iter().any(|(known, _)| known == key) {
                    keys.push((key.clone(), *key_type));
                }
            }
        }
        keys
    }

    /// Returns all definitions with the repositories that they stand in, in search order.
    pub fn definitions(&self) -> impl Iterator<Item = (usize, &Definition)> {
        self.repositories
            .iter()
            .enumerate()
            .flat_map(|(index, repository)| {
                repository
                    .policy()
                    .definitions()
                    .map(move |definition| (index, definition))
            })
    }

    /// Returns the names of all dataset types, each once.
    pub fn type_names(&self) -> Vec<TypeName> {
        let mut names: Vec<TypeName> = self
            .definitions()
            .map(|(_, definition)| definition.name.clone())
            .collect();
        names.sort();
        names.dedup();
        names
    }

    /// Returns the types whose artifacts are this type's as well: those with an equal template (rule R8).
    pub fn same_artifact(&self, definition: &Definition) -> Vec<TypeName> {
        let Some(template) = &definition.template else {
            return Vec::new();
        };
        let mut names: Vec<TypeName> = self
            .definitions()
            .filter(|(_, other)| {
                other.name != definition.name
                    && other
                        .template
                        .as_ref()
                        .is_some_and(|theirs| theirs.text() == template.text())
            })
            .map(|(_, other)| other.name.clone())
            .collect();
        names.sort();
        names.dedup();
        names
    }

    /// Returns the repositories as a plan names them.
    pub fn plan_repositories(&self) -> Vec<PlanRepository> {
        self.repositories
            .iter()
            .map(|repository| PlanRepository {
                root: repository.root().to_owned(),
                name: repository.name().to_owned(),
            })
            .collect()
    }

    /// Returns the repositories' names in search order.
    pub fn names(&self) -> Vec<String> {
        self.repositories
            .iter()
            .map(|repository| repository.name().to_owned())
            .collect()
    }
}

impl Definitions for Chain {
    fn find_definition(&self, name: &TypeName) -> Option<(usize, Arc<Definition>)> {
        self.repositories
            .iter()
            .enumerate()
            .find_map(|(index, repository)| {
                let definition = repository.policy().shared_definition(name)?;
                Some((index, definition.clone()))
            })
    }
}

/// Resolves `a/b/../c` to `a/c` by text alone; `None` where it climbs above its start.
fn tidy(path: &Path) -> Option<PathBuf> {
    let mut tidy = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => {
                if !tidy.pop() || path.has_root() && tidy.as_os_str().is_empty() {
                    return None;
                }
            }
            other => tidy.push(other),
        }
    }
    if tidy.as_os_str().is_empty() {
        tidy.push(".");
    }
    Some(tidy)
}
