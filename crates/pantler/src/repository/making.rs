//! How a repository comes to be, and how its index is brought up to date or taken away.

use std::ops::ControlFlow;
use std::path::Path;

use pantler_core::policy::PolicyText;
use pantler_core::store::OnExisting;
use pantler_core::{ArtifactPath, Registry, Store, StoreError};
use pantler_registry::{Access, Migration, SqliteRegistry};
use pantler_store::LocalStore;

use crate::error::{Error, Result};

use super::config::relative_path;
use super::policies::write_policies;
use super::texts::write_text;
use super::{CONFIG, OWN_FOLDER, REGISTRY, Repository, RepositoryConfig};

impl Repository {
    /// Makes a new repository in a folder, with its policy and its parents (absolute paths).
    pub fn init(root: &Path, policy: &[PolicyText], parents: &[std::path::PathBuf]) -> Result<()> {
        let shown = root.display().to_string();
        if root.join(CONFIG).exists() {
            return Err(Error::RepositoryExists { path: shown });
        }
        std::fs::create_dir_all(root.join(OWN_FOLDER))
            .map_err(|source| Error::io("make", root, source))?;
        let root = root
            .canonicalize()
            .map_err(|source| Error::io("open", root, source))?;
        let store = LocalStore::open(&root)?;
        let registry = root.join(OWN_FOLDER).join(REGISTRY);
        // The config is written last: a folder without it is no repository, so a crash before leaves none. A registry that is
        // there is the crashed one's, or that of another process which makes the same repository now: never removed.
        if let Err(error) = SqliteRegistry::create(&registry) {
            if !registry.exists() {
                return Err(error.into());
            }
            SqliteRegistry::open(&registry, Access::ReadWrite)?;
        }
        crate::fail_point::reach("registry-made");
        write_policies(&store, policy)?;
        let config = RepositoryConfig {
            parents: parents
                .iter()
                .map(|parent| relative_path(&root, parent))
                .collect(),
            ..RepositoryConfig::default()
        };
        match write_text(&store, CONFIG, &config.text()?, OnExisting::Refuse) {
            Err(Error::Store(StoreError::AlreadyExists { .. })) => {
                Err(Error::RepositoryExists { path: shown })
            }
            outcome => outcome,
        }
    }

    /// Brings the index of a repository that an older version of pantler made to today's schema, all or nothing.
    pub fn migrate(root: &Path) -> Result<Migration> {
        if !root.join(CONFIG).exists() {
            return Err(Error::NoRepository {
                path: root.display().to_string(),
                why: "there is no `.pantler/repository.json` in it".to_owned(),
                child: None,
            });
        }
        Ok(SqliteRegistry::migrate(
            &root.join(OWN_FOLDER).join(REGISTRY),
        )?)
    }

    /// Takes an index away that has no datasets, so that the folder is scanned again; one that has any stays.
    pub fn remove_empty_index(root: &Path) -> Result<()> {
        let store = LocalStore::open(root)?;
        let path = root.join(OWN_FOLDER).join(REGISTRY);
        let registry = SqliteRegistry::open(&path, Access::ReadWrite)?;
        // Nobody else can write from here on.
        let turn = registry.begin()?;
        let mut is_empty = true;
        registry.visit_all(&mut |_| {
            is_empty = false;
            ControlFlow::Break(())
        })?;
        if is_empty {
            // The config first: without it this is no repository with an index.
            store.delete(&[ArtifactPath::new(CONFIG)?])?;
        }
        drop(turn);
        drop(registry);
        if is_empty {
            for suffix in ["-wal", "-shm", "-journal", ""] {
                let file = format!("{OWN_FOLDER}/{REGISTRY}{suffix}");
                store.delete(&[ArtifactPath::new(&file)?])?;
            }
        }
        Ok(())
    }

    /// Says whether a folder is to become a repository and is none: it is not there, is empty, or its making was interrupted.
    pub fn is_yet_to_be_made(root: &Path) -> bool {
        if !root.exists() {
            return true;
        }
        root.read_dir().is_ok_and(|mut entries| {
            entries.all(|entry| entry.is_ok_and(|entry| entry.file_name() == OWN_FOLDER))
        }) && !root.join(CONFIG).exists()
    }
}
