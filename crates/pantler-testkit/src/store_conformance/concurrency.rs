//! Promises that hold while many threads use one store.

use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use pantler_core::store::OnExisting::{Refuse, Replace};
use pantler_core::store::STAGING;
use pantler_core::{Store, StoreError};

use super::{link_to, names, path, read, request, set, staged, write};

/// Of many that link to one free name at once, with `Refuse`, exactly one wins; all others hear that it exists.
pub fn one_of_many_links_wins(make: impl Fn(&Path) -> Box<dyn Store>) {
    const WRITERS: usize = 8;
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    for number in 0..WRITERS {
        write(
            &*store,
            staged(&number.to_string()).as_str(),
            &[b'a' + number as u8; 100],
        );
    }
    for round in 0..20 {
        let target = format!("round/{round}/a.fits");
        let start = Barrier::new(WRITERS);
        let results: Vec<Result<(), StoreError>> = thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITERS)
                .map(|number| {
                    let (store, target, start) = (&store, &target, &start);
                    scope.spawn(move || {
                        start.wait();
                        store.link(&[link_to(&staged(&number.to_string()), target, Refuse)])
                    })
                })
                .collect();
            writers
                .into_iter()
                .map(|writer| writer.join().expect("no panic"))
                .collect()
        });
        let winners: Vec<usize> = (0..WRITERS)
            .filter(|&number| results[number].is_ok())
            .collect();
        assert_eq!(winners.len(), 1, "{results:?}");
        for result in results.iter().filter(|result| result.is_err()) {
            assert!(
                matches!(result, Err(StoreError::AlreadyExists { .. })),
                "{result:?}"
            );
        }
        assert_eq!(read(&*store, &target), [b'a' + winners[0] as u8; 100]);
        assert_eq!(
            names(&*store, Some(&format!("round/{round}"))),
            set(&[&target])
        );
    }
}

/// While a name is replaced again and again, a reader sees one of the artifacts whole: no mixture, never none.
pub fn readers_see_old_or_new(make: impl Fn(&Path) -> Box<dyn Store>) {
    const BYTES: usize = 60_000;
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    for letter in [b'a', b'b', b'c'] {
        write(
            &*store,
            staged(&char::from(letter).to_string()).as_str(),
            &[letter; BYTES],
        );
    }
    store
        .link(&[link_to(&staged("a"), "f/x", Refuse)])
        .expect("linking works");
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut reads = 0;
                    while !done.load(Ordering::Relaxed) || reads == 0 {
                        let ends = [0..BYTES as u64 / 2, BYTES as u64 / 2..BYTES as u64];
                        let answers = store
                            .read_ranges(&[request("f/x", &ends)])
                            .expect("the name always means an artifact");
                        let first = answers[0][0][0];
                        let mut all = answers[0].iter().flatten();
                        assert!(all.all(|byte| *byte == first), "a mixture");
                        reads += 1;
                    }
                })
            })
            .collect();
        for round in 0..150 {
            let from = staged(["b", "c", "a"][round % 3]);
            let replaced = store.link(&[link_to(&from, "f/x", Replace)]);
            if replaced.is_err() {
                done.store(true, Ordering::Relaxed);
            }
            replaced.expect("replacing works");
        }
        done.store(true, Ordering::Relaxed);
        for reader in readers {
            reader.join().expect("no reader saw anything else");
        }
    });
    assert_eq!(names(&*store, None), set(&["f/x"]), "no other name is left");
}

/// Writers of different artifacts in the same new folders all succeed, each with its own content.
pub fn many_writers_do_not_disturb_each_other(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    let start = Barrier::new(6);
    thread::scope(|scope| {
        for writer in 0..6 {
            let (store, start) = (&store, &start);
            scope.spawn(move || {
                start.wait();
                for number in 0..10 {
                    let name = format!("{writer}-{number}");
                    let target = path(&format!("new/{number}/deep/{writer}.fits"));
                    write(&**store, staged(&name).as_str(), name.as_bytes());
                    store
                        .link(&[link_to(&staged(&name), target.as_str(), Refuse)])
                        .expect("linking works");
                    store
                        .sync(std::slice::from_ref(&target))
                        .expect("synchronising works");
                    store.delete(&[staged(&name)]).expect("deleting works");
                }
            });
        }
    });
    for writer in 0..6 {
        for number in 0..10 {
            let name = format!("new/{number}/deep/{writer}.fits");
            assert_eq!(
                read(&*store, &name),
                format!("{writer}-{number}").as_bytes()
            );
        }
    }
    assert_eq!(names(&*store, None).len(), 60);
    assert!(names(&*store, Some(STAGING)).is_empty());
}
