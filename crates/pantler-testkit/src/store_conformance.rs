//! What every store promises, as tests: called for each implementation of [`Store`], and for each wrapper around one.
//!
//! A case is a public function whose doc states the promise. It gets a function that makes a fresh, empty store; that
//! function is handed an empty folder, which lives as long as the case and which a store in memory leaves alone. A fault
//! found in one store becomes a case for all.
//!
//! ```ignore
//! pantler_testkit::store_conformance!(local, |folder| Box::new(LocalStore::open(folder).unwrap()));
//! ```

pub mod concurrency;
pub mod listing;
pub mod naming;
pub mod reading;
pub mod removing;

use std::collections::BTreeSet;
use std::ops::Range;

use pantler_core::store::{Link, OnExisting, RangeRequest, STAGING, Stat};
use pantler_core::{ArtifactPath, Location, Store, StoreError};

/// Makes a module of tests, one for each promise, out of an expression that makes a store.
#[macro_export]
macro_rules! store_conformance {
    ($module:ident, $make:expr) => {
        mod $module {
            #[allow(unused_imports, reason = "a store in memory needs nothing of its surroundings")]
            use super::*;

            $crate::store_conformance!(@cases $make;
                reading: ranges_come_in_their_order, ranges_of_several_artifacts, an_artifact_asked_for_twice,
                    an_empty_range, a_range_beyond_the_end, a_range_that_runs_backwards, a_missing_artifact_among_several,
                    an_empty_artifact, a_large_artifact, a_whole_artifact, no_requests_at_all, stat_of_several, a_folder_is_no_artifact,
                    an_artifact_is_no_folder, outside_is_exactly_that_path, strange_names;
                naming: staging_says_what_it_wrote, staging_needs_a_new_path, staging_that_fails_leaves_nothing,
                    staging_that_panics_leaves_nothing, a_link_is_the_same_artifact, a_link_refuses_a_name_that_is_taken, a_link_replaces,
                    a_link_replaces_by_itself, links_stop_at_the_first_that_fails, a_link_of_nothing, a_link_onto_a_folder,
                    adopting_is_whole_or_unsupported;
                removing: deleting_is_idempotent, deleting_one_name_keeps_the_other, deleting_a_folder_is_refused,
                    what_was_read_outlives_its_name, syncing_what_is_there, syncing_a_large_batch, syncing_what_is_missing, a_whole_put;
                listing: a_listing_has_everything, a_listing_of_a_folder, pantlers_own_folder_is_listed_when_named,
                    a_listing_of_nothing, a_listing_is_lazy;
                concurrency: one_of_many_links_wins, readers_see_old_or_new, many_writers_do_not_disturb_each_other;
            );
        }
    };
    (@cases $make:expr; $($group:ident: $($case:ident),+;)+) => {
        $($(
            #[test]
            fn $case() {
                $crate::store_conformance::$group::$case($make);
            }
        )+)+
    };
}

/// Returns a path that is known to be one.
fn path(text: &str) -> ArtifactPath {
    ArtifactPath::new(text).expect("the test's own path")
}

/// Returns a location inside the repository.
fn inside(text: &str) -> Location {
    Location::Inside(path(text))
}

/// Returns a staging path.
fn staged(name: &str) -> ArtifactPath {
    path(&format!("{STAGING}/{name}"))
}

fn link_to(from: &ArtifactPath, to: &str, existing: OnExisting) -> Link {
    Link {
        from: from.clone(),
        to: path(to),
        existing,
    }
}

/// Stages content under the artifact's own path, for cases that are about something else.
fn write(store: &dyn Store, at: &str, content: &[u8]) {
    let mut reader = content;
    store.stage(&path(at), &mut reader).expect("staging works");
}

fn request(at: &str, ranges: &[Range<u64>]) -> RangeRequest {
    RangeRequest {
        location: inside(at),
        ranges: ranges.to_vec(),
    }
}

fn stat(store: &dyn Store, at: &str) -> Option<Stat> {
    let mut stats = store.stat_many(&[inside(at)]).expect("looking works");
    assert_eq!(stats.len(), 1, "one answer per location");
    stats.remove(0)
}

/// Reads an artifact whole; it must be there.
fn read(store: &dyn Store, at: &str) -> Vec<u8> {
    let bytes = stat(store, at).expect("the artifact is there").bytes;
    let mut answers = store
        .read_ranges(&[request(at, std::slice::from_ref(&(0..bytes)))])
        .expect("reading works");
    answers.remove(0).remove(0).to_vec()
}

fn names(store: &dyn Store, folder: Option<&str>) -> BTreeSet<String> {
    let folder = folder.map(path);
    let listed: Vec<String> = store
        .list(folder.as_ref())
        .map(|item| item.expect("listing works").0.to_string())
        .collect();
    let names: BTreeSet<String> = listed.iter().cloned().collect();
    assert_eq!(names.len(), listed.len(), "each name is listed once");
    names
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[track_caller]
fn assert_not_found<T: std::fmt::Debug>(result: Result<T, StoreError>, at: &str) {
    match result {
        Err(StoreError::NotFound { location, .. }) => assert_eq!(location, at),
        other => panic!("expected that {at} is not found, got {other:?}"),
    }
}

#[track_caller]
fn assert_already_exists<T: std::fmt::Debug>(result: Result<T, StoreError>, at: &str) {
    match result {
        Err(StoreError::AlreadyExists { location, .. }) => assert_eq!(location, at),
        other => panic!("expected that {at} exists already, got {other:?}"),
    }
}

#[cfg(test)]
mod tests {
    /// A case that the macro does not name would never run.
    #[test]
    fn the_macro_names_every_case() {
        let sources = [
            include_str!("store_conformance/concurrency.rs"),
            include_str!("store_conformance/listing.rs"),
            include_str!("store_conformance/naming.rs"),
            include_str!("store_conformance/reading.rs"),
            include_str!("store_conformance/removing.rs"),
        ];
        let this = include_str!("store_conformance.rs");
        let (list, _) = this
            .split_once("(@cases $make:expr;")
            .expect("the macro's second rule");
        let listed: Vec<&str> = list.split([' ', ',', ';', '\n']).collect();
        let mut cases = 0;
        for case in sources
            .iter()
            .flat_map(|source| source.split("pub fn ").skip(1))
        {
            let name = case.split('(').next().expect("a name");
            assert!(listed.contains(&name), "the macro does not name {name}");
            cases += 1;
        }
        assert_eq!(cases, 44, "cases were added or lost: correct this number");
    }
}
