//! Whose code may run: a repository that is not the user's own runs none.
//!
//! A policy names code, and whoever can write a policy would have it run. So import paths of a repository are followed only if
//! its folder and its policies belong to the user of this process, as git decides which directories are safe
//! (`safe.directory` in git's manual), or if the caller says so. The plug-in set asks here before anything is imported, and a put
//! before it copies a definition into a repository of the user's.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use crate::repository::{OWN_FOLDER, Repository};

/// Says whether a file or folder belongs to the user of this process.
pub type Owner = dyn Fn(&Path) -> bool + Send + Sync;

/// Which repositories and modules may ask for code.
#[derive(Clone)]
pub struct Trust {
    roots: Vec<PathBuf>,
    modules: Vec<String>,
    owner: Arc<Owner>,
    /// What was found to be the user's own: the root, and the file that names code. A repository's policy is read when it is
    /// opened, so what becomes of its files later names nothing more.
    own: Arc<RwLock<HashSet<(String, String)>>>,
}

impl Default for Trust {
    /// Trusts the repositories of the user of this process.
    fn default() -> Trust {
        Trust::judged_by(Arc::new(is_own))
    }
}

impl Trust {
    /// Trusts the repositories whose files `owner` calls the user's own.
    pub fn judged_by(owner: Arc<Owner>) -> Trust {
        Trust {
            roots: Vec::new(),
            modules: Vec::new(),
            owner,
            own: Arc::default(),
        }
    }

    /// Trusts a repository as well, whosever it is.
    pub fn with_repository(mut self, root: &Path) -> Trust {
        let root = root.canonicalize().unwrap_or_else(|_| root.to_path_buf());
        self.roots.push(root);
        self
    }

    /// Trusts a module, a package or one name in it as well, whoever asks for it.
    pub fn with_module(mut self, module: &str) -> Trust {
        self.modules.push(module.to_owned());
        self
    }

    /// Says whether a module was named by the caller.
    pub(crate) fn names_module(&self, path: &str) -> bool {
        self.modules.iter().any(|module| {
            path.strip_prefix(module.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }

    /// Returns the file or folder for which a repository is not trusted; `None` if it is.
    pub(crate) fn stranger_in(&self, repository: &Repository, named_in: &str) -> Option<PathBuf> {
        let judged = (repository.root().to_owned(), named_in.to_owned());
        // What a thread that panicked left here is whole: entries are only ever added.
        let known = self.own.read().unwrap_or_else(PoisonError::into_inner);
        if known.contains(&judged) {
            return None;
        }
        drop(known);
        let stranger = self.look_for_stranger(repository, named_in);
        if stranger.is_none() {
            let mut known = self.own.write().unwrap_or_else(PoisonError::into_inner);
            known.insert(judged);
        }
        stranger
    }

    fn look_for_stranger(&self, repository: &Repository, named_in: &str) -> Option<PathBuf> {
        let root = PathBuf::from(repository.root());
        if self.roots.contains(&root) {
            return None;
        }
        let mut files = vec![root.clone(), root.join(OWN_FOLDER)];
        let known = [
            "policy.yaml",
            ".pantler/definitions.yaml",
            ".pantler/aliases.yaml",
        ];
        files.extend(known.map(|file| root.join(file)));
        let inside = named_in.strip_prefix(repository.name());
        if let Some(inside) = inside.map(|inside| inside.trim_start_matches('/')) {
            files.push(root.join(inside));
        }
        let exists = |path: &PathBuf| path.symlink_metadata().is_ok();
        files
            .into_iter()
            .filter(|file| *file == root || exists(file))
            .find(|file| !(self.owner)(file))
    }
}

/// Whether a file belongs to the user of this process; to root, files of whoever called `sudo` belong as well.
#[cfg(unix)]
fn is_own(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let Ok(found) = path.metadata() else {
        return false;
    };
    let user = rustix::process::geteuid().as_raw();
    let caller = (user == 0)
        .then(|| std::env::var("SUDO_UID").ok()?.parse::<u32>().ok())
        .flatten();
    found.uid() == user || caller == Some(found.uid())
}

/// Where files have no owner that could be compared, none is the user's own.
#[cfg(not(unix))]
fn is_own(_path: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository::open_local;
    use pantler_registry::Access;

    fn repository(folder: &tempfile::TempDir) -> Repository {
        let root = folder.path().join("repo");
        Repository::init(&root, &[], &[]).unwrap();
        std::fs::write(root.join("policy.yaml"), "datasets: {}\n").unwrap();
        Repository::open(&root, Access::ReadOnly, &open_local).unwrap()
    }

    #[test]
    fn what_this_process_made_is_its_own() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Trust::default().stranger_in(&repository(&folder), ""), None);
    }

    /// The folder, what pantler keeps in it, and every policy must be the user's: whoever can write one of them names code.
    #[test]
    fn every_place_that_can_name_code_is_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let repository = repository(&folder);
        let root = PathBuf::from(repository.root());
        std::fs::write(root.join("more.yaml"), "datasets: {}\n").unwrap();
        let included = format!("{}/more.yaml", repository.name());
        for strange in ["", ".pantler", "policy.yaml", "more.yaml"] {
            let strange = root.join(strange);
            let of_others = strange.clone();
            let trust = Trust::judged_by(Arc::new(move |path| path != of_others));
            let found = trust.stranger_in(&repository, &included);
            assert_eq!(found.as_deref(), Some(strange.as_path()));
            let trusting = trust.with_repository(Path::new(repository.name()));
            assert_eq!(trusting.stranger_in(&repository, &included), None);
        }
    }

    /// Files are looked at for the first import path, not for each get; a repository that is refused is looked at again.
    #[test]
    fn a_repository_is_judged_once() {
        use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
        let folder = tempfile::tempdir().unwrap();
        let repository = repository(&folder);
        let (looks, own) = (
            Arc::new(AtomicUsize::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let (counted, answer) = (looks.clone(), own.clone());
        let trust = Trust::judged_by(Arc::new(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            answer.load(Ordering::Relaxed)
        }));
        assert!(trust.stranger_in(&repository, "").is_some());
        own.store(true, Ordering::Relaxed);
        assert!(trust.stranger_in(&repository, "").is_none());
        let judged = looks.load(Ordering::Relaxed);
        assert!(trust.clone().stranger_in(&repository, "").is_none());
        assert_eq!(looks.load(Ordering::Relaxed), judged);
        assert!(trust.stranger_in(&repository, "repo/other.yaml").is_none());
        assert!(
            looks.load(Ordering::Relaxed) > judged,
            "another file names it"
        );
    }

    #[test]
    fn a_module_is_trusted_with_all_that_is_in_it() {
        let trust = Trust::default().with_module("survey.joint");
        assert!(trust.names_module("survey.joint"));
        assert!(trust.names_module("survey.joint.Assembler"));
        assert!(!trust.names_module("survey.jointcal.Assembler"));
        assert!(!trust.names_module("survey"));
    }
}
