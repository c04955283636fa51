//! What needs more than one policy: inheritance from a parent repository's types, and checks that only a chain can make.
//!
//! The chain calls it when all repositories are open, `policy check` when the parents are. A policy sees what is above its
//! repository and nothing else, so inheritance across repositories cannot go in a circle; inside one policy it can, and the
//! loader names the circle.

use std::collections::HashMap;
use std::sync::Arc;

use super::node::Entry;
use super::resolving::Heirs;
use super::spot::{WithHint, quoted};
use super::{Place, Policy, loading, vocabulary};
use crate::problem::Problem;
use crate::{KeyType, TypeName, built_names};

/// What the policies above say of types that definitions here inherit.
pub(crate) type Inherited = HashMap<TypeName, Said>;

/// All that is said of one type, what it inherits included.
#[derive(Debug, Clone, Default)]
pub(crate) struct Said {
    pub(crate) entries: Vec<Entry>,
    /// Whether it is a FITS file where nothing else is said.
    pub(crate) is_fits: bool,
}

impl Policy {
    /// Returns the policy with what its definitions inherit from policies above its repository, in search order, each
    /// complete itself; and all problems of it. `None` where nothing is inherited from there.
    ///
    /// A definition is taken as the policy above has it: keys that the heir does not give stand in the parent's file.
    pub fn with_parents(&self, above: &[&Policy]) -> Option<(Policy, Vec<Problem>)> {
        let inner = &*self.inner;
        let mut inherited = Inherited::new();
        for reference in inner.references.iter().filter(|one| one.is_inheritance) {
            let name = reference.name.full_type_name();
            if self.definition(&name).is_some() || inherited.contains_key(&name) {
                continue;
            }
            if let Some(said) = above.iter().find_map(|policy| policy.said(&name)) {
                inherited.insert(name, said);
            }
        }
        if inherited.is_empty() {
            return None;
        }
        Some(loading::understand(Arc::clone(&inner.layers), inherited))
    }

    fn said(&self, name: &TypeName) -> Option<Said> {
        self.definition(name)?;
        Heirs::new(&self.inner.layers, &self.inner.inherited).resolve_name(name)
    }

    /// Finds recipes that definitions name and nobody defines, and recipes that no definition here names.
    ///
    /// Both are warnings: a recipe may be a child's to use, and a parent that is not named here may define it.
    pub fn check_recipes(&self, known_elsewhere: &dyn Fn(&str) -> bool) -> Vec<Problem> {
        let inner = &*self.inner;
        let own = || self.recipes().map(|recipe| recipe.name.as_str());
        let known = || own().chain(vocabulary::RECIPES.iter().copied());
        let mut problems = Vec::new();
        for (name, spot) in &inner.recipe_uses {
            if !known().any(|known| known == name) && !known_elsewhere(name) {
                let message = format!("there is no recipe {} here", quoted(name));
                problems.push(
                    spot.warning("unknown-recipe", message)
                        .did_you_mean(name, known()),
                );
            }
        }
        for (recipe, spot) in self.recipes().zip(&inner.recipe_spots) {
            let is_used = inner
                .recipe_uses
                .iter()
                .any(|(name, _)| *name == recipe.name);
            // One that a built-in name is given anew is used wherever nothing else is said.
            if !is_used && !vocabulary::RECIPES.contains(&recipe.name.as_str()) {
                let message = format!(
                    "no dataset type here uses the recipe {}",
                    quoted(&recipe.name)
                );
                problems.push(spot.warning("unused-recipe", message).hint(format!(
                    "a dataset type uses it by `recipe: {}`",
                    recipe.name
                )));
            }
        }
        problems
    }

    /// Finds keys that have another type in a policy above: data IDs are of one type, so datasets of the other would not be
    /// found.
    pub fn check_key_types(&self, above: &[&Policy]) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (key, key_type) in self.key_types() {
            let other = above
                .iter()
                .find_map(|policy| Some((policy, policy.key_type(key)?)));
            let Some((policy, theirs)) = other.filter(|(_, theirs)| *theirs != key_type) else {
                continue;
            };
            let (Some(spot), Some(place)) = (self.key_spot(key), policy.key_place(key)) else {
                continue;
            };
            let message = format!("the key `{key}` is {key_type} here and {theirs} in {place}");
            // A conversion for text prints numbers as well, so it is the side that can give way.
            let hint = match key_type {
                KeyType::Str => format!("say here `keys: {{{key}: {{type: {theirs}}}}}`"),
                _ => format!("say there `keys: {{{key}: {{type: {key_type}}}}}`"),
            };
            problems.push(spot.warning("key-types", message).hint(hint));
        }
        problems
    }

    fn key_spot(&self, key: &str) -> Option<&super::Spot> {
        self.inner.key_spots.get(key)
    }

    /// Returns where a key gets its type: where it is declared, else the first template that has it.
    pub fn key_place(&self, key: &str) -> Option<Place> {
        self.key_spot(key).map(super::Spot::place)
    }

    /// Finds definitions of names that are built from a type, where an alias has moved that type (rule R3): they do not
    /// follow it. `defined_elsewhere` tells where another policy of the chain defines a name.
    pub fn check_built_names(
        &self,
        defined_elsewhere: &dyn Fn(&TypeName) -> Option<Place>,
    ) -> Vec<Problem> {
        let mut problems = Vec::new();
        for ((name, alias), alias_spot) in self.aliases().iter().zip(&self.inner.alias_spots) {
            for word in built_names::words() {
                let built = format!("{name}_{word}");
                if self.alias(&built).is_some() {
                    continue;
                }
                let Ok(type_name) = TypeName::new(&built) else {
                    continue;
                };
                let own = self.inner.by_name.get(&type_name);
                let spot = own.and_then(|index| self.inner.spots.get(*index));
                let (spot, place) = match (spot, defined_elsewhere(&type_name)) {
                    (Some(spot), _) => (spot, "here".to_owned()),
                    (None, Some(place)) => (alias_spot, format!("in {place}")),
                    (None, None) => continue,
                };
                let message = format!(
                    "{} is defined {place}, so it does not follow the alias `{name}`, which means {}",
                    quoted(&built),
                    quoted(&alias.target.to_string()),
                );
                let followed = match built_names::split(&built) {
                    Some((_, Some(part))) => format!("`{name}.{part}` follows the alias"),
                    _ => format!("`{name}` follows the alias"),
                };
                problems.push(spot.warning("alias-not-followed", message).hint(followed));
            }
        }
        problems
    }
}
