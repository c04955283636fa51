//! What repositories say about their dataset types: definitions, stages, aliases, keys, recipes.

mod definition;

use std::sync::Arc;

pub use definition::{
    Alias, Apply, Component, Composite, Definition, HeaderRule, IngestRule, Join, JoinHow,
    KeyBinding, KeyDefinition, MissingRows, Place, Recipe, RecordedIds, SharedMetadata,
};

use crate::problem::Problem;
use crate::{KeyType, TypeName};

/// The text of one policy file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyText {
    /// The file as the user named it.
    pub file: Arc<str>,
    /// What it says.
    pub text: String,
}

/// The checked definitions of one repository; a value, cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    definitions: Vec<Definition>,
    stages: Vec<String>,
    aliases: Vec<(String, Alias)>,
    keys: Vec<KeyDefinition>,
    recipes: Vec<Recipe>,
}

impl Policy {
    /// Merges texts in order (the last one wins); `include` fetches a file that one of them includes.
    pub fn load(
        _texts: &[PolicyText],
        _include: &mut dyn FnMut(&str, &str) -> Result<PolicyText, String>,
    ) -> (Policy, Vec<Problem>) {
        (Policy::default(), Vec::new())
    }

    /// Finds a definition by its name.
    pub fn definition(&self, name: &TypeName) -> Option<&Definition> {
        self.definitions().find(|one| one.name == *name)
    }

    /// Returns the definitions in the order in which they were first named.
    pub fn definitions(&self) -> impl Iterator<Item = &Definition> {
        self.inner.definitions.iter()
    }

    /// Returns the stages in their order.
    pub fn stages(&self) -> &[String] {
        &self.inner.stages
    }

    /// Returns what unqualified names mean.
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
        self.key(name)?.key_type
    }

    /// Finds a write recipe that the policy defines.
    pub fn recipe(&self, name: &str) -> Option<&Recipe> {
        self.inner.recipes.iter().find(|one| one.name == name)
    }

    /// Says whether it says nothing at all.
    pub fn is_empty(&self) -> bool {
        self.inner.definitions.is_empty()
    }

    /// Finds components, aliases and parents of inheritance that are defined neither here nor, as `known_elsewhere`
    /// tells, in another policy of the chain.
    pub fn check_references(&self, _known_elsewhere: &dyn Fn(&TypeName) -> bool) -> Vec<Problem> {
        Vec::new()
    }
}
