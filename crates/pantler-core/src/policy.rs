//! What repositories say about their dataset types: definitions, stages, aliases, keys, recipes.
//!
//! The engine hands over texts and gets one checked value back; nothing here reads files, and nothing here knows other
//! repositories. All problems are found in one go, each with its place.
//!
//! ```text
//! texts ──document──► nodes with places ──layers──► one set of entries ──resolving, reading──► definitions
//!                                                                                checking ──► problems
//! ```
//!
//! What only the chain of repositories can tell comes later: [`Policy::with_parents`] takes what definitions inherit from a
//! parent's policy, [`Policy::check_references`] finds names that nobody defines.

mod checking;
mod definition;
mod document;
mod fields;
mod inheriting;
mod layers;
mod loading;
mod node;
mod reading;
mod resolving;
mod schema;
mod slips;
mod spot;
pub mod vocabulary;
mod yaml;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub use definition::{
    Alias, Apply, Component, Composite, Definition, HeaderRule, IngestRule, Join, JoinHow,
    KeyBinding, KeyDefinition, LackingPlanes, MissingRows, Place, Recipe, RecordedIds,
    SharedMetadata,
};
pub use schema::schema;

use crate::problem::Problem;
use crate::{DatasetName, KeyType, TypeName};
use spot::{Spot, WithHint, quoted};

/// The text of one policy file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyText {
    /// The file as the user named it.
    pub file: Arc<str>,
    /// What it says.
    pub text: String,
}

/// Fetches the file that the first one includes by the second name.
pub(crate) type IncludeFile<'a> = dyn FnMut(&str, &str) -> Result<PolicyText, String> + 'a;

/// The checked definitions of one repository; a value, cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    definitions: Vec<Arc<Definition>>,
    by_name: HashMap<TypeName, usize>,
    stages: Vec<String>,
    aliases: Vec<(String, Alias)>,
    keys: Vec<KeyDefinition>,
    key_types: BTreeMap<String, KeyType>,
    recipes: Vec<Recipe>,
    references: Vec<Reference>,
    key_spots: HashMap<String, Spot>,
    alias_spots: Vec<Spot>,
    recipe_spots: Vec<Spot>,
    /// The recipes that definitions name, and where.
    recipe_uses: Vec<(String, Spot)>,
    /// Where each definition is named, in their order.
    spots: Vec<Spot>,
    /// What was read, for reading it once more when parents are known, and for heirs.
    layers: Arc<layers::Layers>,
    inherited: inheriting::Inherited,
}

/// A name that some policy of the chain must define.
#[derive(Debug)]
struct Reference {
    name: DatasetName,
    spot: Spot,
    code: &'static str,
    /// Who names it: "the component `wcs` of `calexp:jointcal`".
    by: String,
    /// Whether its definition is copied, so that only this policy and its repository's parents can have it.
    is_inheritance: bool,
}

impl Policy {
    /// Merges texts in order (the last one wins); `include` fetches a file that one of them includes, relative to it.
    ///
    /// All problems are returned. A policy with errors among them holds what could be understood, and is fit for being
    /// shown, not for being used.
    ///
    /// ```
    /// use pantler_core::{Policy, TypeName};
    /// use pantler_core::policy::PolicyText;
    /// let text = "datasets: {src: {template: 'src/%(visit)d.fits', storage: FitsCatalogStorage}}";
    /// let text = PolicyText { file: "policy.yaml".into(), text: text.into() };
    /// let (policy, problems) = Policy::load(&[text], &mut |_, _| Err("there are no other files".into()));
    /// assert!(problems.is_empty());
    /// assert!(policy.definition(&TypeName::new("src")?).is_some());
    /// # Ok::<(), pantler_core::dataset_name::NameError>(())
    /// ```
    pub fn load(
        texts: &[PolicyText],
        include: &mut dyn FnMut(&str, &str) -> Result<PolicyText, String>,
    ) -> (Policy, Vec<Problem>) {
        loading::load(texts, include)
    }

    /// Finds a definition by its name.
    pub fn definition(&self, name: &TypeName) -> Option<&Definition> {
        self.shared_definition(name).map(|shared| &**shared)
    }

    /// Finds a definition by its name, for keeping it.
    pub fn shared_definition(&self, name: &TypeName) -> Option<&Arc<Definition>> {
        let index = self.inner.by_name.get(name)?;
        self.inner.definitions.get(*index)
    }

    /// Returns the definitions in the order in which they were first named.
    pub fn definitions(&self) -> impl Iterator<Item = &Definition> {
        self.inner.definitions.iter().map(|shared| &**shared)
    }

    /// Returns the stages in their order.
    pub fn stages(&self) -> &[String] {
        &self.inner.stages
    }

    /// Returns what unqualified names mean; an alias of an alias is followed to its end.
    pub fn aliases(&self) -> &[(String, Alias)] {
        &self.inner.aliases
    }

    /// Finds what an unqualified name means.
    pub fn alias(&self, base: &str) -> Option<&Alias> {
        let (_, alias) = self.aliases().iter().find(|(name, _)| name == base)?;
        Some(alias)
    }

    /// Finds what the policy says of a key.
    pub fn key(&self, name: &str) -> Option<&KeyDefinition> {
        self.keys().find(|key| key.name == name)
    }

    /// Returns the keys that the policy declares.
    pub fn keys(&self) -> impl Iterator<Item = &KeyDefinition> {
        self.inner.keys.iter()
    }

    /// Returns a key's type: declared, else read off the templates' conversions.
    pub fn key_type(&self, name: &str) -> Option<KeyType> {
        self.inner.key_types.get(name).copied()
    }

    /// Returns the keys with their types: those declared, and those that the templates' conversions ask for.
    pub fn key_types(&self) -> impl Iterator<Item = (&str, KeyType)> {
        let types = self.inner.key_types.iter();
        types.map(|(key, key_type)| (key.as_str(), *key_type))
    }

    /// Finds a write recipe that the policy defines.
    pub fn recipe(&self, name: &str) -> Option<&Recipe> {
        self.recipes().find(|one| one.name == name)
    }

    /// Returns the write recipes that the policy defines.
    pub fn recipes(&self) -> impl Iterator<Item = &Recipe> {
        self.inner.recipes.iter()
    }

    /// Says whether it says nothing at all.
    pub fn is_empty(&self) -> bool {
        let Inner {
            definitions,
            stages,
            aliases,
            keys,
            recipes,
            ..
        } = &*self.inner;
        definitions.is_empty()
            && stages.is_empty()
            && aliases.is_empty()
            && keys.is_empty()
            && recipes.is_empty()
    }

    /// Finds components and aliases that are defined neither here nor, as `known_elsewhere` tells, in another policy of the
    /// chain; and what is inherited from a type that neither this policy nor one given to [`Policy::with_parents`] has.
    pub fn check_references(&self, known_elsewhere: &dyn Fn(&TypeName) -> bool) -> Vec<Problem> {
        let is_known = |name: &DatasetName| {
            let candidates = [name.full_type_name(), name.type_name()];
            candidates
                .iter()
                .any(|name| self.definition(name).is_some() || known_elsewhere(name))
        };
        let is_inherited = |name: &DatasetName| {
            let name = name.full_type_name();
            self.definition(&name).is_some() || self.inner.inherited.contains_key(&name)
        };
        let references = self.inner.references.iter();
        references
            .filter(|reference| match reference.is_inheritance {
                true => !is_inherited(&reference.name),
                false => !is_known(&reference.name),
            })
            .take(fields::ENOUGH)
            .map(|reference| self.unknown_reference(reference))
            .collect()
    }

    fn unknown_reference(&self, reference: &Reference) -> Problem {
        let name = reference.name.type_name();
        let message = match reference.is_inheritance {
            true => format!(
                "{} inherits {}, which neither this policy nor a parent's defines",
                reference.by,
                quoted(name.as_str())
            ),
            false => format!(
                "{} names {}, which no policy here defines",
                reference.by,
                quoted(name.as_str())
            ),
        };
        let problem = reference.spot.error(reference.code, message);
        let stages: Vec<String> = self
            .definitions()
            .filter(|one| one.name.base() == name.base() && one.name.stage().is_some())
            .map(|one| quoted(one.name.as_str()))
            .collect();
        if name.stage().is_none() && !stages.is_empty() {
            return problem.hint(format!("name the stage: {}", stages.join(" or ")));
        }
        // Comparing with all of a huge policy for each of a thousand problems would take minutes.
        let known = self.definitions().take(2000).map(|one| one.name.as_str());
        let known = known.filter(|known| quoted(known) != reference.by);
        problem.did_you_mean(name.as_str(), known)
    }
}
