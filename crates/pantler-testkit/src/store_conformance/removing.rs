//! Promises about removing names, about making things durable, and about a whole put.

use std::path::Path;

use pantler_core::store::OnExisting::Refuse;
use pantler_core::store::STAGING;
use pantler_core::{Store, StoreError};

use super::{assert_not_found, link_to, names, path, read, request, set, staged, stat, write};

/// Removing what is not there is no error, in a batch with what is.
pub fn deleting_is_idempotent(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    write(&*store, "f/a", b"1");
    write(&*store, "f/b", b"2");
    let paths = ["f/missing", "f/a", "no/such/folder", "f/a", "f/b/under"].map(path);
    store.delete(&paths).expect("deleting works");
    store.delete(&paths).expect("deleting again works");
    assert_eq!(stat(&*store, "f/a"), None);
    assert_eq!(names(&*store, None), set(&["f/b"]));
}

/// Removing one name of an artifact leaves its other names.
pub fn deleting_one_name_keeps_the_other(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    write(&*store, staged("1").as_str(), b"content");
    store
        .link(&[link_to(&staged("1"), "f/a", Refuse)])
        .expect("linking works");
    store.delete(&[staged("1")]).expect("deleting works");
    assert_eq!(read(&*store, "f/a"), b"content");
    assert!(names(&*store, Some(STAGING)).is_empty());
}

/// A folder is not removed, and least of all what is in it.
pub fn deleting_a_folder_is_refused(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    write(&*store, "f/a", b"1");
    let result = store.delete(&[path("f")]);
    assert!(matches!(result, Err(StoreError::Io { .. })), "{result:?}");
    assert_eq!(names(&*store, None), set(&["f/a"]));
}

/// Buffers that were read stay as they are when the artifact's name is gone or means another one.
pub fn what_was_read_outlives_its_name(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    write(&*store, "a", b"0123456789");
    let answers = store
        .read_ranges(&[request("a", std::slice::from_ref(&(2..5)))])
        .expect("reading works");
    store.delete(&[path("a")]).expect("deleting works");
    write(&*store, "a", b"----------");
    assert_eq!(&answers[0][0][..], b"234");
}

/// Any order, any repetition and any mixture of folders may be synchronised, as often as one likes; nothing changes by it.
pub fn syncing_what_is_there(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    for name in ["z", "a/b/c/d", "a/b/e", "q/r"] {
        write(&*store, name, name.as_bytes());
    }
    store
        .sync(&["q/r", "a/b/e", "z", "a/b/c/d", "q/r"].map(path))
        .expect("synchronising works");
    store
        .sync(&["a/b/c/d", "z"].map(path))
        .expect("synchronising again works");
    assert_eq!(names(&*store, None), set(&["z", "a/b/c/d", "a/b/e", "q/r"]));
    assert_eq!(read(&*store, "a/b/c/d"), b"a/b/c/d");
}

/// A large batch is synchronised whole, and what is missing in its middle is named.
pub fn syncing_a_large_batch(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    let all: Vec<_> = (0..60)
        .map(|number| path(&format!("{}/{number}/a", number % 11)))
        .collect();
    for at in &all {
        write(&*store, at.as_str(), at.as_str().as_bytes());
    }
    store.sync(&all).expect("synchronising works");
    store
        .delete(std::slice::from_ref(&all[31]))
        .expect("deleting works");
    assert_not_found(store.sync(&all), all[31].as_str());
}

/// What is not there cannot be made durable, and whoever asks for it must hear so: it was lost.
pub fn syncing_what_is_missing(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    write(&*store, "f/a", b"1");
    assert_not_found(store.sync(&["f/a", "f/b"].map(path)), "f/b");
    assert_not_found(store.sync(&[path("no/folder")]), "no/folder");
}

/// The steps of a put, in their order, leave the artifact under its final name alone.
pub fn a_whole_put(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    let finals = ["calexp/0903334/016.fits", "jointcal/0000/wcs.fits"].map(path);
    let stages = [staged("1-0"), staged("1-1")];
    for (stage, name) in stages.iter().zip(&finals) {
        write(&*store, stage.as_str(), name.as_str().as_bytes());
    }
    store.sync(&stages).expect("synchronising works");
    assert!(
        names(&*store, None).is_empty(),
        "nothing is visible before it is linked"
    );
    let links: Vec<_> = stages
        .iter()
        .zip(&finals)
        .map(|(stage, name)| link_to(stage, name.as_str(), Refuse))
        .collect();
    store.link(&links).expect("linking works");
    store.sync(&finals).expect("synchronising works");
    store.delete(&stages).expect("deleting works");
    assert_eq!(
        names(&*store, None),
        set(&finals.each_ref().map(|name| name.as_str()))
    );
    assert!(names(&*store, Some(".pantler")).is_empty());
    for name in &finals {
        assert_eq!(read(&*store, name.as_str()), name.as_str().as_bytes());
    }
}
