//! Promises about listing.

use std::path::Path;

use pantler_core::Store;
use pantler_core::store::STAGING;

use super::{names, path, set, staged, stat, write};

/// A listing of the root has every artifact once, with what a stat says of it.
pub fn a_listing_has_everything(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    let all = ["a", "f/a", "f/b", "f/g/h/c", "f-g/d", "z/a"];
    for (size, name) in all.iter().enumerate() {
        write(&*store, name, &vec![0; size]);
    }
    assert_eq!(names(&*store, None), set(&all));
    for item in store.list(None) {
        let (at, listed) = item.expect("listing works");
        assert_eq!(Some(listed), stat(&*store, at.as_str()), "{at}");
    }
}

/// A listing of a folder has what is under it, however deep, and not what merely begins like it.
pub fn a_listing_of_a_folder(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    for name in ["f", "fg/a", "f-/a", "h/a", "h/i/b", "h/i/j/c", "h-/d", "hi"] {
        write(&*store, name, b"");
    }
    assert_eq!(names(&*store, Some("h")), set(&["h/a", "h/i/b", "h/i/j/c"]));
    assert_eq!(names(&*store, Some("h/i")), set(&["h/i/b", "h/i/j/c"]));
    assert_eq!(
        names(&*store, Some("f")),
        set(&[]),
        "an artifact holds nothing"
    );
}

/// pantler's own folder is listed only when it, or a folder in it, is named; others of that name further down always.
pub fn pantlers_own_folder_is_listed_when_named(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    let left = staged("left-by-a-crash");
    write(&*store, left.as_str(), b"half");
    write(&*store, ".pantler/aside/1.fits", b"old");
    write(&*store, "a", b"");
    write(&*store, ".pantlers/b", b"");
    write(&*store, "f/.pantler/c", b"");
    assert_eq!(
        names(&*store, None),
        set(&["a", ".pantlers/b", "f/.pantler/c"])
    );
    assert_eq!(
        names(&*store, Some(".pantler")),
        set(&[left.as_str(), ".pantler/aside/1.fits"])
    );
    assert_eq!(names(&*store, Some(STAGING)), set(&[left.as_str()]));
}

/// A listing of an empty store, or of a folder that is not there, is empty and no error.
pub fn a_listing_of_nothing(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    assert!(names(&*store, None).is_empty());
    assert!(names(&*store, Some("no/such/folder")).is_empty());
    assert!(names(&*store, Some(STAGING)).is_empty());
}

/// A listing under way keeps nobody from writing, and what goes away meanwhile is no error.
pub fn a_listing_is_lazy(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    let all: Vec<String> = (0..300)
        .map(|number| format!("f{}/{number}", number % 7))
        .collect();
    for name in &all {
        write(&*store, name, b"");
    }
    let mut listing = store.list(None);
    let (first, _) = listing
        .next()
        .expect("there is one")
        .expect("listing works");
    for name in all.iter().filter(|name| **name != first.as_str()) {
        store.delete(&[path(name)]).expect("deleting works");
    }
    write(&*store, "f3/later", b"");
    for item in listing {
        let (at, _) = item.expect("listing goes on");
        assert_ne!(at, first, "nothing is listed twice");
    }
    assert_eq!(names(&*store, None), set(&[first.as_str(), "f3/later"]));
}
