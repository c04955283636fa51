//! Folders without an index: which of their policy's types can be found by the names of files.
//!
//! [`open_local`](crate::repository::open_local) calls it. What is found, and how, is
//! [`ScannedRegistry`](pantler_registry::ScannedRegistry)'s business.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pantler_core::policy::{Definition, Policy};
use pantler_core::registry::DefinitionVersion;
use pantler_core::template::Template;
use pantler_core::{KeyType, Registry, Store, TypeName};
use pantler_registry::{ScannedRegistry, ScannedType};

use crate::error::{Asked, Result};
use crate::planner::locate;
use crate::repository::{Repository, load_policy};

/// Makes the registry of a folder from the policy that stands in it; what is wrong with that is for whoever opens it to say.
pub(crate) fn registry(store: Arc<dyn Store>) -> Result<ScannedRegistry> {
    let name = store.root().to_owned();
    let (policy, _) = load_policy(store.as_ref(), &name, None)?;
    Ok(ScannedRegistry::new(store, types(&policy)))
}

fn types(policy: &Policy) -> Vec<ScannedType> {
    policy.definitions().filter_map(scanned_type).collect()
}

/// Returns the files that lie where a type's template puts datasets, wrapped and compressed ones included, by their paths.
pub(crate) fn files(repository: &Repository, definition: &Definition) -> Result<Vec<PathBuf>> {
    let scanned = whole_files(definition).into_iter().collect();
    let registry = ScannedRegistry::new(repository.store_handle(), scanned);
    let mut files = Vec::new();
    let mut failure = None;
    registry.visit_all(&mut |record| {
        match locate(&record, &Asked::new(record.dataset_type(), &record.data_id)) {
            Ok((location, _)) => {
                files.push(Path::new(repository.name()).join(location.to_string()))
            }
            Err(error) => failure = Some(error),
        }
        ControlFlow::Continue(())
    })?;
    files.sort();
    failure.map_or(Ok(files), Err)
}

/// Returns the types that have files where their templates put them and nothing in the index, each with the number of files.
pub(crate) fn not_in_index(repository: &Repository) -> Result<Vec<(TypeName, u64)>> {
    let policy = repository.policy();
    let scanned = policy.definitions().filter_map(whole_files).collect();
    let registry = ScannedRegistry::new(repository.store_handle(), scanned);
    let known = repository.registry().summary()?;
    let mut types = Vec::new();
    for found in registry.summary()? {
        if !known
            .iter()
            .any(|known| known.dataset_type == found.dataset_type)
        {
            types.push((found.dataset_type, found.count));
        }
    }
    Ok(types)
}

/// A type as if it had no HDUs: its datasets are its files.
fn whole_files(definition: &Definition) -> Option<ScannedType> {
    let mut whole = scanned_type(definition)?;
    let text = whole.template.text().to_owned();
    if whole.template.has_hdu()
        && let Some((path, _)) = text.rsplit_once('[')
    {
        let types: HashMap<String, KeyType> = whole.template.keys().iter().cloned().collect();
        let template = Template::parse(path).ok()?;
        whole.template = template.with_key_types(&|key| types.get(key).copied());
        let mut definition = DefinitionVersion::clone(&whole.definition);
        definition.keys = whole.template.keys().to_vec();
        definition.template = Some(path.to_owned());
        whole.definition = Arc::new(definition);
    }
    Some(whole)
}

/// A type whose datasets are files of their own.
fn scanned_type(definition: &Definition) -> Option<ScannedType> {
    if definition.composite.is_some() {
        return None;
    }
    let template = definition.template.clone()?;
    Some(ScannedType {
        definition: Arc::new(DefinitionVersion {
            dataset_type: definition.name.clone(),
            keys: template.keys().to_vec(),
            template: Some(template.text().to_owned()),
            storage: definition.storage.clone(),
            python: definition.python.clone(),
            assembler: None,
            extra: None,
        }),
        template,
    })
}
