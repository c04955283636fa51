//! Takes files away whose copies are recorded: the last act of an ingest that moves.

use std::path::{Path, PathBuf};

use pantler_core::Location;
use pantler_core::registry::FindRequest;

use crate::chain::Chain;
use crate::error::{Asked, Error, Result};
use crate::interrupt::Interrupt;
use crate::repository::Repository;

use super::files::outside;

/// A file, and where its copy lies or will lie.
pub(super) type Copied = (PathBuf, Location);

/// Removes the files whose copies are recorded.
pub(super) fn remove_originals(
    repository: &Repository,
    copied: &[Copied],
    interrupt: &Interrupt,
) -> Result<()> {
    crate::fail_point::reach("recorded");
    for (file, location) in copied {
        remove_original(repository, file, location, &|| interrupt.check())?;
        crate::fail_point::reach("moved");
    }
    Ok(())
}

/// Moving the artifact of a dataset would take it away from that dataset.
pub(super) fn refuse_to_move_an_artifact(
    chain: &Chain,
    repository: &Repository,
    inside: &str,
) -> Result<()> {
    let requests: Vec<FindRequest> = chain
        .definitions()
        .filter_map(|(_, definition)| {
            Some(FindRequest {
                dataset_type: definition.name.clone(),
                data_id: definition.template.as_ref()?.read(inside)?,
                limit: 1,
            })
        })
        .collect();
    let owners = repository.registry().find_many(&requests)?;
    for owner in owners.into_iter().flatten() {
        let asked = Asked::new(owner.dataset_type(), &owner.data_id);
        let (location, _) = crate::planner::locate(&owner, &asked)?;
        if location.as_str() == inside {
            return Err(Error::request(format!(
                "{inside} is the file of {asked}, and would be taken away from it; copy it instead"
            )));
        }
    }
    Ok(())
}

/// Removes a file whose copy is recorded, after a look at the copy: the file may be the artifact itself under another name,
/// or the only one of the two that is whole.
fn remove_original(
    repository: &Repository,
    file: &Path,
    copy: &Location,
    wanted: &dyn Fn() -> Result<()>,
) -> Result<()> {
    let (store, original) = outside(file)?;
    let stat = |store: &dyn pantler_core::Store, location: &Location| {
        let stats = store.stat_many(std::slice::from_ref(location))?;
        Ok::<_, Error>(stats.into_iter().flatten().next())
    };
    let (Some(here), Some(there)) = (stat(&store, &original)?, stat(repository.store(), copy)?)
    else {
        return Ok(());
    };
    let one_file = here.same.is_some() && here.same == there.same;
    if one_file || here.bytes != there.bytes {
        return Ok(());
    }
    if crate::fsck::digest_of(&store, &original, wanted)?
        != crate::fsck::digest_of(repository.store(), copy, wanted)?
    {
        return Ok(());
    }
    let file = Path::new(original.as_str());
    std::fs::remove_file(file).map_err(|source| Error::io("remove", file, source))
}
