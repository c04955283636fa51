//! The names of files that pantler makes for a while: they say which process made them, and what for.
//!
//! Puts and removals give such names, checks read them. A name tells a live process's file from a dead one's, and
//! the path that it was made for from any other path of the same file: a hard link to a file of the user's is the same
//! file as the user's own, which must never be taken for a leftover.
//!
//! ```text
//! .pantler/staging/PROCESS-NUMBER-PATH        an artifact; PATH is a digest of the path that it is for
//! .pantler/staging/PROCESS-text-NUMBER        a small text of the repository's own
//! .pantler/superseded/DATASET/NAME            a replaced artifact
//! .pantler/registry.sqlite-new-PROCESS        a registry that is being made (by the registry itself)
//! .pantler-PROCESS-NUMBER                     beside a path that is being replaced (by the store itself; hexadecimal)
//! ```
//!
//! A process of another machine, or of another container, looks dead from here. Clearing what such a process has staged
//! makes its put fail; it cannot lose what has been committed, since a committed file is never cleared.

use pantler_core::store::STAGING;
use pantler_core::{ArtifactPath, DatasetId, Digest};
use rustix::process::Pid;
use uuid::Uuid;

use crate::error::Result;
use crate::repository::OWN_FOLDER;

/// The folder of replaced artifacts that compositions still use.
pub(crate) const SUPERSEDED: &str = ".pantler/superseded";

/// How the name starts of a registry that is being made.
const NEW_REGISTRY: &str = "registry.sqlite-new-";

/// A name in the staging folder for an artifact that is to lie, or lay, at a path; `id` tells it from all others.
pub(crate) fn staging_path(id: DatasetId, target: &ArtifactPath) -> Result<ArtifactPath> {
    let process = std::process::id();
    let purpose = fingerprint(target);
    Ok(ArtifactPath::new(&format!(
        "{STAGING}/{process}-{id}-{purpose}"
    ))?)
}

/// A name in the staging folder for a small text.
pub(crate) fn text_path() -> Result<ArtifactPath> {
    let process = std::process::id();
    let number = Uuid::now_v7().simple();
    Ok(ArtifactPath::new(&format!(
        "{STAGING}/{process}-text-{number}"
    ))?)
}

/// Where a replaced artifact lies that is still used.
pub(crate) fn superseded_path(id: DatasetId, from: &ArtifactPath) -> Result<ArtifactPath> {
    Ok(ArtifactPath::new(&format!(
        "{SUPERSEDED}/{id}/{}",
        from.file_name()
    ))?)
}

/// Whether a name in the staging folder was given for an artifact at this path.
pub(crate) fn is_meant_for(staged: &ArtifactPath, target: &ArtifactPath) -> bool {
    is_staged(staged)
        && staged
            .file_name()
            .rsplit_once('-')
            .is_some_and(|(_, purpose)| purpose == fingerprint(target))
}

/// Whether a path lies in the staging folder.
pub(crate) fn is_staged(path: &ArtifactPath) -> bool {
    path.folder() == Some(STAGING)
}

/// Whether a path is one that only pantler makes, for a while.
pub(crate) fn is_passing(path: &ArtifactPath) -> bool {
    is_staged(path) || is_superseded(path) || is_half_linked(path) || is_new_registry(path)
}

/// Whether a path is one that only pantler makes, and nobody is going on with it.
pub(crate) fn is_abandoned(path: &ArtifactPath) -> bool {
    if is_superseded(path) {
        // It belongs to a record or to nobody.
        return true;
    }
    process(path).is_some_and(has_ended)
}

/// When a staged name was given, in nanoseconds since 1970; `None` for a name that does not say it.
pub(crate) fn made_at(path: &ArtifactPath) -> Option<i64> {
    if !is_staged(path) {
        return None;
    }
    let (_, rest) = path.file_name().split_once('-')?;
    let number = match rest.strip_prefix("text-") {
        Some(number) => number,
        None => rest.rsplit_once('-')?.0,
    };
    let (seconds, nanoseconds) = Uuid::parse_str(number).ok()?.get_timestamp()?.to_unix();
    let seconds = i64::try_from(seconds).ok()?.checked_mul(1_000_000_000)?;
    seconds.checked_add(i64::from(nanoseconds))
}

/// Whether a file is a name that was to be moved onto a path in one step.
pub(crate) fn is_half_linked(path: &ArtifactPath) -> bool {
    half_linked_process(path).is_some()
}

fn is_superseded(path: &ArtifactPath) -> bool {
    path.as_str()
        .strip_prefix(SUPERSEDED)
        .is_some_and(|rest| rest.starts_with('/'))
        && !is_half_linked(path)
}

fn is_new_registry(path: &ArtifactPath) -> bool {
    path.folder() == Some(OWN_FOLDER) && path.file_name().starts_with(NEW_REGISTRY)
}

/// The process that made a file.
fn process(path: &ArtifactPath) -> Option<Pid> {
    if let Some(process) = half_linked_process(path) {
        return Some(process);
    }
    let name = path.file_name();
    let digits = if is_staged(path) {
        name.split_once('-')?.0
    } else if is_new_registry(path) {
        // SQLite's own files beside it end with a dash and a word.
        name.strip_prefix(NEW_REGISTRY)?.split('-').next()?
    } else {
        return None;
    };
    Pid::from_raw(digits.parse().ok()?)
}

fn half_linked_process(path: &ArtifactPath) -> Option<Pid> {
    let (process, number) = path
        .file_name()
        .strip_prefix(".pantler-")?
        .split_once('-')?;
    u64::from_str_radix(number, 16).ok()?;
    Pid::from_raw(i32::from_str_radix(process, 16).ok()?)
}

fn has_ended(process: Pid) -> bool {
    let own = process.as_raw_nonzero().get().unsigned_abs() == std::process::id();
    !own && rustix::process::test_kill_process(process) == Err(rustix::io::Errno::SRCH)
}

/// Short enough for a name, and not met by chance.
fn fingerprint(path: &ArtifactPath) -> String {
    let mut digest = Digest::of(path.as_str().as_bytes()).to_string();
    digest.truncate(16);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No process has so high a number.
    const NOBODY: i32 = i32::MAX;

    fn path(text: &str) -> ArtifactPath {
        ArtifactPath::new(text).unwrap()
    }

    #[test]
    fn a_staged_name_is_meant_for_one_path() {
        let target = path("calexp/1.fits");
        let staged = staging_path(DatasetId::new(Uuid::now_v7()), &target).unwrap();
        assert!(is_meant_for(&staged, &target));
        assert!(!is_meant_for(&staged, &path("calexp/2.fits")));
        assert!(!is_meant_for(&text_path().unwrap(), &target));
    }

    #[test]
    fn a_staged_name_says_when_it_was_given() {
        let now = jiff::Timestamp::now().as_nanosecond() as i64;
        let staged = staging_path(DatasetId::new(Uuid::now_v7()), &path("a")).unwrap();
        for name in [staged, text_path().unwrap()] {
            let made = made_at(&name).unwrap();
            assert!((made - now).abs() < 60_000_000_000, "{name} {made} {now}");
        }
        assert_eq!(made_at(&path(".pantler/staging/1-a-b")), None);
        assert_eq!(made_at(&path("calexp/1.fits")), None);
    }

    #[test]
    fn what_this_process_makes_is_not_abandoned() {
        let staged = staging_path(DatasetId::new(Uuid::now_v7()), &path("a")).unwrap();
        assert!(is_passing(&staged) && !is_abandoned(&staged));
        let text = text_path().unwrap();
        assert!(is_passing(&text) && !is_abandoned(&text));
        let own = format!("calexp/.pantler-{:x}-0", std::process::id());
        assert!(is_passing(&path(&own)) && !is_abandoned(&path(&own)));
    }

    #[test]
    fn what_a_dead_process_made_is_abandoned() {
        for name in [
            format!(".pantler/staging/{NOBODY}-text-1"),
            format!(".pantler/registry.sqlite-new-{NOBODY}"),
            format!(".pantler/registry.sqlite-new-{NOBODY}-journal"),
            format!("calexp/.pantler-{NOBODY:x}-1f"),
            format!(".pantler/superseded/1/.pantler-{NOBODY:x}-1f"),
        ] {
            assert!(is_passing(&path(&name)), "{name}");
            assert!(is_abandoned(&path(&name)), "{name}");
        }
    }

    #[test]
    fn files_of_other_people_are_not_abandoned() {
        for name in [
            ".pantler-notes.txt",
            "calexp/.pantler-1-notes",
            ".pantler/staging/somebody's",
            ".pantler/registry.sqlite",
            ".pantler/supersededer/1",
        ] {
            assert!(!is_abandoned(&path(name)), "{name}");
        }
    }
}
