//! Finds all that is wrong in policies before they are made part of a repository: for `init` and `policy check`.

use std::path::{Path, PathBuf};

use pantler_core::TypeName;
use pantler_core::composite_graph::Definitions;
use pantler_core::policy::{Policy, PolicyText};
use pantler_core::problem::Problem;

use crate::chain::Chain;
use crate::error::Result;
use crate::repository::{RepositoryConfig, open_local};

/// Returns all that is wrong in policy files, which are merged in the order given.
///
/// Types that they name and do not define may be defined by `parents`, and by the parents of a repository whose own
/// policy one of the files is.
pub fn check_policies(policies: &[PolicyText], parents: &[PathBuf]) -> Result<Vec<Problem>> {
    let mut parents = parents.to_vec();
    for policy in policies {
        parents.extend(parents_of(Path::new(policy.file.as_ref())));
    }
    let chain = match parents.as_slice() {
        [] => None,
        parents => Some(Chain::open(&[], parents, &open_local)?),
    };
    Ok(find_problems(policies, chain.as_ref()))
}

/// Returns all that is wrong in policies that build on those of a chain.
pub(crate) fn find_problems(policies: &[PolicyText], parents: Option<&Chain>) -> Vec<Problem> {
    // An include is resolved when the repository is opened; here it must only be known to exist beside the policy.
    let (policy, mut problems) = Policy::load(policies, &mut |including, wanted| {
        let beside = folder_of(Path::new(including)).join(wanted);
        match std::fs::read_to_string(&beside) {
            Ok(text) => Ok(PolicyText {
                file: beside.display().to_string().into(),
                text,
            }),
            Err(error) => Err(format!("{}: {error}", beside.display())),
        }
    });
    let above: Vec<&Policy> = parents
        .into_iter()
        .flat_map(|chain| chain.repositories())
        .map(|repository| repository.policy())
        .collect();
    let policy = match policy.with_parents(&above) {
        Some((complete, all)) => {
            problems = all;
            complete
        }
        None => policy,
    };
    let elsewhere = |name: &TypeName| Some(parents?.find_definition(name)?.1);
    problems.extend(policy.check_references(&|name| elsewhere(name).is_some()));
    problems.extend(
        policy.check_recipes(&|name| above.iter().any(|policy| policy.recipe(name).is_some())),
    );
    problems.extend(policy.check_built_names(&|name| Some(elsewhere(name)?.place.clone())));
    problems.extend(policy.check_key_types(&above));
    in_order(problems)
}

/// Puts problems of one file together, in the order of its lines; files stay in the order in which they were first named.
fn in_order(mut problems: Vec<Problem>) -> Vec<Problem> {
    let mut files: Vec<std::sync::Arc<str>> = Vec::new();
    for problem in &problems {
        if !files.contains(&problem.place.file) {
            files.push(problem.place.file.clone());
        }
    }
    let number = |problem: &Problem| files.iter().position(|file| *file == problem.place.file);
    problems.sort_by_key(|problem| (number(problem), problem.place.line, problem.place.column));
    problems
}

fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// The parents of the repository that a policy file stands in; none where it stands in none.
fn parents_of(file: &Path) -> Vec<PathBuf> {
    let folder = folder_of(file);
    let config = std::fs::read_to_string(folder.join(crate::repository::CONFIG)).ok();
    let config = config.and_then(|text| serde_json::from_str::<RepositoryConfig>(&text).ok());
    let parents = config.map(|config| config.parents).unwrap_or_default();
    parents.iter().map(|parent| folder.join(parent)).collect()
}
