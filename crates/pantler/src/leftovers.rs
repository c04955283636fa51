//! What crashes leave behind in a repository: found, told from what somebody is still making, and cleared.
//!
//! The check of a repository and the collection of its garbage call it. It removes nothing that a dataset owns, nothing that a
//! living process made, and no file of the user's, whatever its name.

use std::collections::HashSet;
use std::ops::ControlFlow;

use pantler_core::registry::State;
use pantler_core::store::Stat;
use pantler_core::template::Template;
use pantler_core::{ArtifactPath, Location};

use crate::error::{Asked, Result};
use crate::own_names::{
    is_abandoned, is_half_linked, is_meant_for, is_passing, is_staged, made_at,
};
use crate::planner::locate;
use crate::put::replace::{drop_unused, path_of_template, settle};
use crate::repository::{OWN_FOLDER, Repository};

/// A file that nobody goes on with.
#[derive(Debug, Clone)]
pub(crate) struct Leftover {
    pub path: ArtifactPath,
    pub stat: Stat,
    /// When it was made, in nanoseconds since 1970, as far as that is known.
    pub made: Option<i64>,
}

/// Files that no dataset owns.
#[derive(Debug, Default)]
pub(crate) struct Leftovers {
    /// All of them: pantler's own, and those that lie where a template would put a dataset.
    pub found: Vec<ArtifactPath>,
    /// Those that may be cleared, in the order in which that is safe to be interrupted.
    pub abandoned: Vec<Leftover>,
}

/// Finds files that no dataset owns: pantler's own, and those that lie where a template would put a dataset.
pub(crate) fn find(repository: &Repository, owned: &HashSet<Location>) -> Result<Leftovers> {
    let store = repository.store();
    let mut own = Vec::new();
    for entry in store.list(Some(&ArtifactPath::new(OWN_FOLDER)?)) {
        let (path, stat) = entry?;
        if is_passing(&path) && !owned.contains(&Location::Inside(path.clone())) {
            // Asked before the final paths are listed: one that lives now may still link what is then not seen there.
            let abandoned = is_abandoned(&path);
            own.push((path, stat, abandoned));
        }
    }
    let templates: Vec<&Template> = repository
        .policy()
        .definitions()
        .filter_map(|definition| definition.template.as_ref())
        .collect();
    let mut leftovers = Leftovers::default();
    // Final paths come before the staged names by which they are known again if this is interrupted.
    for entry in store.list(None) {
        let (path, stat) = entry?;
        if owned.contains(&Location::Inside(path.clone())) {
            continue;
        }
        let half_linked = is_half_linked(&path);
        // A crashed put's file is still the same file as its staged name, which says that it was to lie just here. Another
        // name of that file is a user's own, and is never removed.
        let linked = own.iter().filter(|(staged, theirs, _)| {
            theirs.same.is_some() && theirs.same == stat.same && is_meant_for(staged, &path)
        });
        let crashed: Vec<(&ArtifactPath, bool)> = linked
            .map(|(staged, _, abandoned)| (staged, *abandoned))
            .collect();
        let is_placed = || {
            let mut templates = templates.iter();
            templates.any(|template| template.read(path.as_str()).is_some())
        };
        if half_linked || !crashed.is_empty() || is_placed() {
            leftovers.found.push(path.clone());
        }
        let dead = crashed.iter().find(|(_, abandoned)| *abandoned);
        if half_linked && is_abandoned(&path) || dead.is_some() {
            // A link keeps the time of the file that it is made to, so the staged name knows better.
            let made = dead
                .and_then(|(staged, _)| made_at(staged))
                .or(stat.modified);
            leftovers.abandoned.push(Leftover { path, stat, made });
        }
    }
    for (path, stat, abandoned) in own {
        leftovers.found.push(path.clone());
        if abandoned {
            let made = made_at(&path).or(stat.modified);
            leftovers.abandoned.push(Leftover { path, stat, made });
        }
    }
    Ok(leftovers)
}

/// Removes leftovers, while nobody else can write, after another look at what has happened since they were found.
pub(crate) fn clear(
    repository: &Repository,
    leftovers: Vec<Leftover>,
) -> Result<Vec<ArtifactPath>> {
    if leftovers.is_empty() {
        return Ok(Vec::new());
    }
    let mut leftovers = leftovers;
    let store = repository.store();
    repository.bury_the_dead()?;
    crate::fail_point::reach("buried");
    let _turn = repository.registry().begin()?;
    let mut owned: HashSet<ArtifactPath> = HashSet::new();
    let wanted: HashSet<&ArtifactPath> = leftovers.iter().map(|left| &left.path).collect();
    let mut failure = None;
    repository.registry().visit_all(&mut |record| {
        if record.artifact.is_none() {
            return ControlFlow::Continue(());
        }
        let asked = Asked::new(record.dataset_type(), &record.data_id);
        match locate(&record, &asked) {
            Ok((Location::Inside(path), _)) if wanted.contains(&path) => {
                owned.insert(path);
            }
            Ok(_) => {}
            Err(error) => {
                failure = Some(error);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    })?;
    if let Some(error) = failure {
        return Err(error);
    }
    leftovers.retain(|left| !owned.contains(&left.path));
    let places: Vec<Location> = leftovers
        .iter()
        .map(|left| Location::Inside(left.path.clone()))
        .collect();
    let now = store.stat_many(&places)?;
    let cleared: Vec<ArtifactPath> = leftovers
        .into_iter()
        .zip(now)
        // One that has gone is cleared as well; another file under the name is another matter.
        .filter(|(left, now)| now.as_ref().is_none_or(|now| now.same == left.stat.same))
        .map(|(left, _)| left.path)
        .collect();
    crate::fail_point::reach("clearing");
    store.delete(&cleared)?;
    crate::fail_point::reach("cleared");
    Ok(cleared)
}

/// Finishes replacements that were committed while the new artifact was still at its staged name; says whether there were any.
pub(crate) fn finish_interrupted(repository: &Repository) -> Result<bool> {
    let mut unsettled = Vec::new();
    let mut superseded = Vec::new();
    repository.registry().visit_all(&mut |record| {
        if record.state == State::Superseded {
            superseded.push(record.id);
        }
        let location = record
            .artifact
            .as_ref()
            .and_then(|artifact| artifact.location.clone());
        if let Some(Location::Inside(path)) = location
            && is_staged(&path)
            && is_abandoned(&path)
        {
            unsettled.push((record, path));
        }
        ControlFlow::Continue(())
    })?;
    let any = !unsettled.is_empty();
    for (record, path) in unsettled {
        if let Some(target) = path_of_template(&record) {
            settle(repository, &[(record.id, path, target)])?;
        }
    }
    if !superseded.is_empty() {
        // One that a composition uses stays.
        let removed = drop_unused(repository, &superseded)?;
        crate::fail_point::reach("dropped");
        repository.store().delete(&removed)?;
    }
    Ok(any)
}
