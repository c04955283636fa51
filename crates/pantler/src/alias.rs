//! The aliases of one repository: what its unqualified names mean, and how a command changes that.
//!
//! What people wrote in their own policy stays as they wrote it: an alias that is given by command stands in a file of
//! pantler's own, which is read last, and so counts.

use pantler_core::policy::{Place, Policy, PolicyText};
use pantler_core::store::OnExisting;
use pantler_core::{DatasetName, Stage};

use crate::chain::Chain;
use crate::error::{Asked, Error, Result};
use crate::repository::{ALIASES, Repository, joined, read_text, write_text};
use crate::resolve::resolve;

/// One alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AliasInfo {
    /// The name.
    pub name: String,
    /// What it means.
    pub target: String,
    /// Where that is said.
    pub place: Place,
}

/// Returns the aliases of a repository, by name.
pub(crate) fn list(repository: &Repository) -> Vec<AliasInfo> {
    let aliases = repository.policy().aliases().iter();
    let mut aliases: Vec<AliasInfo> = aliases
        .map(|(name, alias)| AliasInfo {
            name: name.clone(),
            target: alias.target.to_string(),
            place: alias.place.clone(),
        })
        .collect();
    aliases.sort_by(|a, b| a.name.cmp(&b.name));
    aliases
}

/// Gives a name a meaning; the target must be one that the chain knows.
pub(crate) fn set(chain: &Chain, repository: &Repository, name: &str, target: &str) -> Result<()> {
    let wanted = DatasetName::parse(name)?;
    if wanted.stage != Stage::Unqualified || !wanted.components.is_empty() {
        return Err(Error::request(format!(
            "`{name}` has a stage or a component; an alias is given to a plain name such as `{}`",
            wanted.base
        )));
    }
    let meant = DatasetName::parse(target)?;
    if meant.base == wanted.base && meant.stage == Stage::Unqualified {
        return Err(Error::request(format!("`{target}` is `{name}` itself")));
    }
    resolve(chain, target, &pantler_core::DataId::default())?;
    set_unchecked(repository, name, target)
}

/// As [`set`], for a name and a target of which it is known that they can be.
pub(crate) fn set_unchecked(repository: &Repository, name: &str, target: &str) -> Result<()> {
    change(repository, |aliases| {
        aliases.retain(|(known, _)| known != name);
        aliases.push((name.to_owned(), target.to_owned()));
    })
}

/// Takes the meaning back that a command has given to a name.
pub(crate) fn remove(repository: &Repository, name: &str) -> Result<()> {
    let own = joined(repository.name(), ALIASES);
    match repository.policy().alias(name) {
        Some(alias) if *alias.place.file == *own => change(repository, |aliases| {
            aliases.retain(|(known, _)| known != name)
        }),
        Some(alias) => Err(Error::Unsupported {
            message: format!(
                "the alias `{name}` stands in a policy of yours, which pantler does not rewrite"
            ),
            hints: vec![format!("take it out of {}", alias.place)],
        }),
        None => Err(Error::UnknownType {
            asked: Asked::new(name, &pantler_core::DataId::default()),
            name: name.to_owned(),
            looked_in: vec![(
                repository.name().to_owned(),
                repository.policy().aliases().len(),
            )],
            similar: pantler_core::similar::most_similar(
                name,
                repository
                    .policy()
                    .aliases()
                    .iter()
                    .map(|(known, _)| known.as_str()),
            )
            .map(|similar| (similar.to_owned(), None)),
            stages: Vec::new(),
            needed_by: None,
        }),
    }
}

fn change(repository: &Repository, change: impl FnOnce(&mut Vec<(String, String)>)) -> Result<()> {
    if !repository.writable() {
        return Err(Error::NotWritable {
            repository: repository.name().to_owned(),
            why: "it was opened for reading".to_owned(),
        });
    }
    // One process at a time, and from what is there now.
    let _turn = repository.registry().begin()?;
    let text = read_text(repository.store(), ALIASES)?.unwrap_or_default();
    let known = PolicyText {
        file: joined(repository.name(), ALIASES).into(),
        text,
    };
    let (policy, _) = Policy::load(&[known], &mut |_, wanted| Err(wanted.to_owned()));
    let mut aliases: Vec<(String, String)> = policy
        .aliases()
        .iter()
        .map(|(name, alias)| (name.clone(), alias.target.to_string()))
        .collect();
    change(&mut aliases);
    aliases.sort();
    let mut text = String::from(
        "# Aliases that were given by command; they count before those of policy.yaml.\n",
    );
    text.push_str(if aliases.is_empty() {
        "aliases: {}\n"
    } else {
        "aliases:\n"
    });
    for (name, target) in &aliases {
        text.push_str(&format!("  {name}: \"{target}\"\n"));
    }
    write_text(repository.store(), ALIASES, &text, OnExisting::Replace)
}
