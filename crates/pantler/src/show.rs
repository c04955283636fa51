//! What can be said of repositories and of objects, for those who look at them.
//!
//! Here is what is in a repository: types, counts, sizes, key ranges, stages, parents. The modules below say what an object
//! is like: [`pixel_statistics`], [`sky`], [`archive_tree`]. The program renders it.

pub mod archive_tree;
pub mod pixel_statistics;
pub mod sky;

use std::ops::ControlFlow;

use pantler_core::DataId;
use pantler_core::registry::TypeSummary;
use pantler_registry::Journal;

use crate::butler::Butler;
use crate::error::{Error, Result};
use crate::planner::Composition;
use crate::query::Recorded;
use crate::repository::Repository;

/// A repository at a glance.
#[derive(Debug, Clone)]
pub struct RepositoryInfo {
    /// Its root.
    pub root: String,
    /// Its parents' roots, in search order.
    pub parents: Vec<String>,
    /// The stages that its policy lists, or that its types have.
    pub stages: Vec<String>,
    /// How its index keeps commits whole; `None` for one that is in no file.
    pub journal: Option<Journal>,
    /// Whether it has an index; without one it is scanned.
    pub has_index: bool,
    /// Its types with datasets, by name.
    pub types: Vec<TypeInfo>,
}

/// What a repository has of one type.
#[derive(Debug, Clone)]
pub struct TypeInfo {
    /// What the registry says; the bytes of composites are those of what they were recorded with, whatever several share once.
    pub summary: TypeSummary,
    /// How it is kept: `file`, `composite`.
    pub kind: &'static str,
    /// The policy's description.
    pub description: Option<String>,
}

/// Returns what is in the first repository of a butler's chain.
pub fn repository_info(butler: &Butler) -> Result<RepositoryInfo> {
    let repository = butler
        .repositories()
        .first()
        .ok_or_else(|| Error::request("no repository was named"))?;
    let policy = repository.policy();
    let mut stages = policy.stages().to_vec();
    for definition in policy.definitions() {
        if let Some(stage) = definition.name.stage()
            && !stages.iter().any(|known| known == stage)
        {
            stages.push(stage.to_owned());
        }
    }
    let types = repository.registry().summary()?.into_iter();
    let types: Result<Vec<TypeInfo>> = types
        .map(|mut summary| {
            let definition = butler
                .chain()
                .definitions()
                .find(|(_, definition)| definition.name == summary.dataset_type)
                .map(|(_, definition)| definition);
            if summary.bytes == 0 && summary.count > 0 {
                summary.bytes = bytes_of_composites(butler, repository, &summary)?;
            }
            Ok(TypeInfo {
                kind: match definition {
                    Some(definition) if definition.composite.is_some() => "composite",
                    _ => "file",
                },
                description: definition.and_then(|definition| definition.description.clone()),
                summary,
            })
        })
        .collect();
    Ok(RepositoryInfo {
        root: repository.root().to_owned(),
        parents: butler.repositories()[1..]
            .iter()
            .map(|parent| parent.root().to_owned())
            .collect(),
        stages,
        journal: repository.journal(),
        has_index: repository.has_index(),
        types: types?,
    })
}

/// How many bytes all that the composites of a type were recorded with takes, wherever in the chain it lies.
fn bytes_of_composites(
    butler: &Butler,
    repository: &Repository,
    summary: &TypeSummary,
) -> Result<u64> {
    let planner = butler.planner(Composition::Recorded);
    let mut recorded = Recorded::new(&planner);
    let name = Some(&summary.dataset_type);
    repository
        .registry()
        .visit(name, &DataId::default(), &mut |record| {
            recorded.note(&record, &[]);
            ControlFlow::Continue(())
        })?;
    recorded.find()?;
    Ok(recorded.all_bytes())
}
