//! Walks through folders and reads data IDs off the paths in them.
//!
//! A path counts only if it is what the template prints for the data ID that it is read as: then what a listing shows is what a
//! complete data ID finds.

use std::collections::BTreeMap;

use pantler_core::store::Stat;
use pantler_core::template::Template;
use pantler_core::{ArtifactPath, DataId, KeyValue, Store, StoreError};

use crate::key_set::KeySet;

use super::VARIANTS;

/// What is looked for in a walk.
pub(super) struct Wanted<'a> {
    pub template: &'a Template,
    pub keys: &'a KeySet,
    /// Values that it must have.
    pub known: &'a DataId,
}

/// A file that lies where a template would put it.
pub(super) struct Row {
    /// The values in the order of the type's keys.
    pub values: Vec<KeyValue>,
    pub path: ArtifactPath,
    /// The place of its ending among [`VARIANTS`]: 0 for the template's own path.
    pub variant: usize,
    pub stat: Stat,
}

/// Returns what fits each of several wishes, ordered by data ID; every folder is walked through once.
pub(super) fn walk(store: &dyn Store, wanted: &[Wanted<'_>]) -> Result<Vec<Vec<Row>>, StoreError> {
    let mut folders: BTreeMap<Option<String>, Vec<usize>> = BTreeMap::new();
    for (at, one) in wanted.iter().enumerate() {
        let folder = one.template.folder_of(one.known);
        folders.entry(folder).or_default().push(at);
    }
    let mut rows: Vec<Vec<Row>> = wanted.iter().map(|_| Vec::new()).collect();
    for (folder, here) in folders {
        // No file lies in a folder that cannot be named.
        let folder = match folder.as_deref().map(ArtifactPath::new) {
            None => None,
            Some(Ok(folder)) => Some(folder),
            Some(Err(_)) => continue,
        };
        for entry in store.list(folder.as_ref()) {
            let (path, stat) = entry?;
            for at in &here {
                if let Some((values, variant)) = fit(&wanted[*at], &path) {
                    rows[*at].push(Row {
                        values,
                        path: path.clone(),
                        variant,
                        stat: stat.clone(),
                    });
                }
            }
        }
    }
    for rows in &mut rows {
        rows.sort_by(|a, b| (&a.values, a.variant).cmp(&(&b.values, b.variant)));
        rows.dedup_by(|later, first| later.values == first.values);
    }
    Ok(rows)
}

fn fit(wanted: &Wanted<'_>, path: &ArtifactPath) -> Option<(Vec<KeyValue>, usize)> {
    VARIANTS.iter().enumerate().find_map(|(variant, ending)| {
        let bare = path.as_str().strip_suffix(ending)?;
        let data_id = wanted.template.read(bare)?;
        let is_printed = || {
            let filled = wanted.template.fill_again(&data_id);
            filled.is_ok_and(|filled| filled.path.as_str() == bare)
        };
        if !data_id.contains(wanted.known) || !is_printed() {
            return None;
        }
        let values = wanted.keys.sort_key(&data_id).into_iter();
        Some((values.flatten().cloned().collect(), variant))
    })
}
