//! The texts of a repository's policy: what its people wrote, what puts brought along, aliases.

use std::path::Path;

use pantler_core::Store;
use pantler_core::policy::{Policy, PolicyText, Recipe};
use pantler_core::problem::{Problem, Severity};
use pantler_core::store::OnExisting;

use crate::error::{Error, Result};

use super::texts::{joined, read_text, write_text};
use super::{ALIASES, DEFINITIONS, POLICY};

/// Refuses a policy with errors in it.
pub(super) fn sound((policy, problems): (Policy, Vec<Problem>)) -> Result<(Policy, Vec<Problem>)> {
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
pub(super) fn recipe_yaml(recipe: &Recipe) -> String {
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
pub(super) fn write_policies(store: &dyn Store, policies: &[PolicyText]) -> Result<()> {
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
