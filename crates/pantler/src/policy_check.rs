//! Finds all that is wrong in policies before they are made part of a repository: for `init` and `policy check`.

use std::path::{Path, PathBuf};

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
    let known = |name: &_| parents.is_some_and(|chain| chain.find_definition(name).is_some());
    problems.extend(policy.check_references(&known));
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
