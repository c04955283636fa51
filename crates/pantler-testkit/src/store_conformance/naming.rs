//! Promises about staging and about giving artifacts further names.

use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use pantler_core::store::OnExisting::{Refuse, Replace};
use pantler_core::store::STAGING;
use pantler_core::{Digest, Store, StoreError};

use super::{
    assert_already_exists, assert_not_found, link_to, names, path, read, set, staged, stat, write,
};

/// Staging returns size and digest of what went by, however small the pieces were.
pub fn staging_says_what_it_wrote(make: impl Fn(&Path) -> Box<dyn Store>) {
    struct Dripping<'a>(&'a [u8]);
    impl Read for Dripping<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.len() % 5 == 3 {
                self.0 = &self.0[1..];
                buffer[0] = b'!';
                return Ok(1);
            }
            let wanted = buffer.len().min(2);
            self.0.read(&mut buffer[..wanted])
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    let at = staged("1");
    let written = store
        .stage(&at, &mut Dripping(b"0123456789abcdef"))
        .expect("staging works");
    let seen = read(&*store, at.as_str());
    assert_eq!(written.bytes, seen.len() as u64);
    assert_eq!(written.digest, Digest::of(&seen));
    assert_eq!(seen.len(), 16);
}

/// A staging path must be new; what is there stays as it is.
pub fn staging_needs_a_new_path(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    let at = staged("1");
    write(&*store, at.as_str(), b"first");
    assert_already_exists(store.stage(&at, &mut &b"second"[..]), at.as_str());
    assert_eq!(read(&*store, at.as_str()), b"first");
    store
        .delete(std::slice::from_ref(&at))
        .expect("deleting works");
    write(&*store, at.as_str(), b"third");
    assert_eq!(read(&*store, at.as_str()), b"third");
}

/// Content that fails midway is an error that carries the cause, and leaves no name.
pub fn staging_that_fails_leaves_nothing(make: impl Fn(&Path) -> Box<dyn Store>) {
    struct Breaking(usize);
    impl Read for Breaking {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0 == 0 {
                return Err(io::Error::other("the tape broke"));
            }
            self.0 -= 1;
            buffer.fill(7);
            Ok(buffer.len())
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    for pieces in [0, 1, 20] {
        match store.stage(&staged("1"), &mut Breaking(pieces)) {
            Err(StoreError::Io { path, source, .. }) => {
                assert!(path.ends_with("/.pantler/staging/1"), "{path}");
                assert_eq!(source.to_string(), "the tape broke");
            }
            other => panic!("expected an error of the content, got {other:?}"),
        }
        assert!(names(&*store, Some(STAGING)).is_empty());
    }
}

/// A reader of content that panics leaves no name, and a store that goes on working.
pub fn staging_that_panics_leaves_nothing(make: impl Fn(&Path) -> Box<dyn Store>) {
    struct Panicking;
    impl Read for Panicking {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            // Unlike `panic!`, this prints nothing.
            std::panic::resume_unwind(Box::new("the reader gave up"))
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    let result = catch_unwind(AssertUnwindSafe(|| {
        store.stage(&staged("1"), &mut Panicking)
    }));
    assert!(result.is_err());
    assert!(names(&*store, Some(STAGING)).is_empty());
    write(&*store, staged("1").as_str(), b"works");
}

/// A link is a further name of the same artifact, in folders that are made as needed; another artifact is another one.
pub fn a_link_is_the_same_artifact(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    write(&*store, staged("1").as_str(), b"content");
    write(&*store, staged("2").as_str(), b"content");
    store
        .link(&[link_to(&staged("1"), "new/folder/a.fits", Refuse)])
        .expect("linking works");
    assert_eq!(read(&*store, "new/folder/a.fits"), b"content");
    let same = |at: &str| stat(&*store, at).expect("it is there").same;
    assert_eq!(same(staged("1").as_str()), same("new/folder/a.fits"));
    if let Some(one) = same(staged("1").as_str()) {
        assert_ne!(Some(one), same(staged("2").as_str()));
    }
}

/// With `Refuse`, a name that is taken is left as it is, even if it is the very artifact.
pub fn a_link_refuses_a_name_that_is_taken(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    write(&*store, staged("1").as_str(), b"new");
    write(&*store, "f/a", b"old");
    assert_already_exists(store.link(&[link_to(&staged("1"), "f/a", Refuse)]), "f/a");
    assert_eq!(read(&*store, "f/a"), b"old");
    store
        .link(&[link_to(&staged("1"), "f/b", Refuse)])
        .expect("linking works");
    assert_already_exists(store.link(&[link_to(&staged("1"), "f/b", Refuse)]), "f/b");
    assert_eq!(names(&*store, Some("f")), set(&["f/a", "f/b"]));
}

/// With `Replace`, the name means the new artifact, whether it was taken or not; other names of the old one keep it.
pub fn a_link_replaces(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    write(&*store, staged("1").as_str(), b"new");
    write(&*store, "f/a", b"old");
    store
        .link(&[
            link_to(&path("f/a"), "aside/a", Refuse),
            link_to(&staged("1"), "f/a", Replace),
            link_to(&staged("1"), "fresh/b", Replace),
        ])
        .expect("linking works");
    assert_eq!(read(&*store, "f/a"), b"new");
    assert_eq!(read(&*store, "fresh/b"), b"new");
    assert_eq!(read(&*store, "aside/a"), b"old");
    let same = |at: &str| stat(&*store, at).expect("it is there").same;
    assert_eq!(same("f/a"), same(staged("1").as_str()));
    assert_eq!(
        names(&*store, None),
        set(&["f/a", "fresh/b", "aside/a"]),
        "no other name is left"
    );
}

/// Replacing a name by the artifact that it means already changes nothing and leaves no other name.
pub fn a_link_replaces_by_itself(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    write(&*store, "f/a", b"content");
    store
        .link(&[
            link_to(&path("f/a"), "f/a", Replace),
            link_to(&path("f/a"), "f/b", Refuse),
            link_to(&path("f/b"), "f/a", Replace),
        ])
        .expect("linking works");
    assert_eq!(read(&*store, "f/a"), b"content");
    assert_eq!(names(&*store, None), set(&["f/a", "f/b"]));
}

/// A batch of links stops at the first that fails; those before it stay, those after it are not made.
pub fn links_stop_at_the_first_that_fails(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    write(&*store, staged("1").as_str(), b"new");
    write(&*store, "b", b"old");
    let links = ["a", "b", "c"].map(|name| link_to(&staged("1"), name, Refuse));
    assert_already_exists(store.link(&links), "b");
    assert_eq!(names(&*store, None), set(&["a", "b"]));
}

/// A link of something that is not there says which.
pub fn a_link_of_nothing(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    write(&*store, staged("1").as_str(), b"new");
    for existing in [Refuse, Replace] {
        assert_not_found(
            store.link(&[link_to(&staged("2"), "a", existing)]),
            staged("2").as_str(),
        );
        assert_not_found(
            store.link(&[link_to(&path("no/folder"), "a", existing)]),
            "no/folder",
        );
    }
    assert!(names(&*store, None).is_empty());
}

/// A folder is never replaced by an artifact, nor linked as one.
pub fn a_link_onto_a_folder(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    write(&*store, staged("1").as_str(), b"new");
    write(&*store, "f/a", b"old");
    assert_already_exists(store.link(&[link_to(&staged("1"), "f", Refuse)]), "f");
    let replaced = store.link(&[link_to(&staged("1"), "f", Replace)]);
    assert!(
        matches!(replaced, Err(StoreError::Io { .. })),
        "{replaced:?}"
    );
    let linked = store.link(&[link_to(&path("f"), "g", Refuse)]);
    assert!(matches!(linked, Err(StoreError::Io { .. })), "{linked:?}");
    assert_eq!(names(&*store, None), set(&["f/a"]));
}

/// Adopting a file makes it an artifact whole, or says that the store cannot and changes nothing.
pub fn adopting_is_whole_or_unsupported(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let elsewhere = tempfile::tempdir().expect("another folder");
    let store = make(folder.path());
    let file = elsewhere.path().join("raw.fits");
    std::fs::write(&file, b"raw").expect("a file");
    match store.adopt(&file, &staged("1")) {
        Ok(adopted) => {
            assert_eq!(adopted.bytes, 3);
            assert_eq!(stat(&*store, staged("1").as_str()), Some(adopted));
            assert_eq!(read(&*store, staged("1").as_str()), b"raw");
            assert_already_exists(store.adopt(&file, &staged("1")), staged("1").as_str());
            store.delete(&[staged("1")]).expect("deleting works");
            assert!(file.exists(), "the file itself stays where it was");
            let gone = elsewhere.path().join("gone");
            assert_not_found(
                store.adopt(&gone, &staged("2")),
                gone.to_str().expect("text"),
            );
            assert!(
                store.adopt(elsewhere.path(), &staged("2")).is_err(),
                "a folder"
            );
        }
        Err(StoreError::Unsupported { .. }) => {}
        Err(other) => panic!("{other:?}"),
    }
    assert!(names(&*store, Some(STAGING)).is_empty());
}
