//! Promises about reading ranges and looking at artifacts.

use std::path::Path;

use pantler_core::store::RangeRequest;
use pantler_core::{Location, Store, StoreError};

use super::{assert_not_found, inside, names, read, request, stat, write};

/// Returns content in which no two places look alike.
fn content(bytes: u32) -> Vec<u8> {
    (0..bytes.div_ceil(4))
        .flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes())
        .take(bytes as usize)
        .collect()
}

/// One buffer per range, in the order asked for, each exactly its bytes; ranges may overlap and need not be sorted.
pub fn ranges_come_in_their_order(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    let all = content(10_000);
    write(&*store, "a", &all);
    let ranges = [
        5000..9000,
        0..1,
        0..10_000,
        4999..5001,
        9999..10_000,
        5000..9000,
    ];
    let answers = store
        .read_ranges(&[request("a", &ranges)])
        .expect("reading works");
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].len(), ranges.len());
    for (range, buffer) in ranges.iter().zip(&answers[0]) {
        assert!(
            buffer[..] == all[range.start as usize..range.end as usize],
            "{range:?}"
        );
    }
}

/// A whole artifact comes without its size being known; one that is larger than is wanted does not come.
pub fn a_whole_artifact(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    let all = content(10_000);
    write(&*store, "a", &all);
    write(&*store, "empty", b"");
    let whole = |at: &str, at_most| store.read_whole(&inside(at), at_most);
    for at_most in [10_000, u64::MAX] {
        assert_eq!(
            whole("a", at_most).expect("it is there").as_deref(),
            Some(&all[..])
        );
    }
    assert_eq!(whole("a", 9_999).expect("it is there"), None);
    assert_eq!(
        whole("empty", 0).expect("it is there").as_deref(),
        Some(&b""[..])
    );
    assert_not_found(whole("gone", u64::MAX), "gone");
}

/// One answer per request, in the order asked for.
pub fn ranges_of_several_artifacts(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    for name in ["z/1", "a/2", "m/3"] {
        write(&*store, name, name.as_bytes());
    }
    let requests = ["z/1", "a/2", "m/3"].map(|name| request(name, &[0..3, 2..3]));
    let answers = store.read_ranges(&requests).expect("reading works");
    let answers: Vec<Vec<&[u8]>> = answers
        .iter()
        .map(|buffers| buffers.iter().map(|buffer| &buffer[..]).collect())
        .collect();
    assert_eq!(
        answers,
        [[&b"z/1"[..], b"1"], [b"a/2", b"2"], [b"m/3", b"3"]]
    );
}

/// An artifact may be asked for by several requests of one call; a request without ranges has an answer without buffers.
pub fn an_artifact_asked_for_twice(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    write(&*store, "a", b"0123456789");
    write(&*store, "b", b"bbb");
    let requests = [
        request("a", std::slice::from_ref(&(0..2))),
        request("b", &[]),
        request("a", std::slice::from_ref(&(8..10))),
    ];
    let answers = store.read_ranges(&requests).expect("reading works");
    assert_eq!(&answers[0][0][..], b"01");
    assert!(answers[1].is_empty());
    assert_eq!(&answers[2][0][..], b"89");
    assert_not_found(store.read_ranges(&[request("gone", &[])]), "gone");
}

/// An empty range is an empty buffer, at the artifact's end too.
pub fn an_empty_range(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    write(&*store, "a", b"0123456789");
    let answers = store
        .read_ranges(&[request("a", &[0..0, 5..5, 10..10, 9..10])])
        .expect("reading works");
    let lengths: Vec<usize> = answers[0].iter().map(|buffer| buffer.len()).collect();
    assert_eq!(lengths, [0, 0, 0, 1]);
}

/// A range that ends beyond the artifact is an error that says how large it is; nothing is padded, shortened or wrapped.
pub fn a_range_beyond_the_end(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    write(&*store, "a", b"0123456789");
    for range in [
        0..11,
        10..11,
        11..11,
        11..12,
        0..u64::MAX,
        u64::MAX - 1..u64::MAX,
    ] {
        let result = store.read_ranges(&[request("a", &[0..1, range.clone()])]);
        match result {
            Err(StoreError::OutOfRange {
                location,
                bytes,
                start,
                end,
            }) => {
                assert_eq!((location.as_str(), bytes), ("a", 10));
                assert_eq!(start..end, range);
            }
            other => panic!("{range:?} gave {other:?}"),
        }
    }
}

/// A range whose end lies before its start is out of range, not a panic.
pub fn a_range_that_runs_backwards(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    write(&*store, "a", b"0123456789");
    #[expect(clippy::reversed_empty_ranges, reason = "that is the hostile case")]
    let result = store.read_ranges(&[request("a", &[7..3, 0..1])]);
    assert!(
        matches!(
            result,
            Err(StoreError::OutOfRange {
                start: 7,
                end: 3,
                ..
            })
        ),
        "{result:?}"
    );
}

/// A missing artifact among several fails the call, by name.
pub fn a_missing_artifact_among_several(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    write(&*store, "a", b"a");
    write(&*store, "c", b"c");
    let requests = ["a", "b/missing", "c"].map(|name| request(name, std::slice::from_ref(&(0..1))));
    assert_not_found(store.read_ranges(&requests), "b/missing");
}

/// An artifact of no bytes is an artifact.
pub fn an_empty_artifact(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    write(&*store, "nothing/in/it", b"");
    assert_eq!(
        stat(&*store, "nothing/in/it").map(|stat| stat.bytes),
        Some(0)
    );
    assert_eq!(read(&*store, "nothing/in/it"), b"");
    assert_eq!(names(&*store, None), super::set(&["nothing/in/it"]));
    let result = store.read_ranges(&[request("nothing/in/it", std::slice::from_ref(&(0..1)))]);
    assert!(
        matches!(result, Err(StoreError::OutOfRange { bytes: 0, .. })),
        "{result:?}"
    );
}

/// What is larger than any buffer on the way comes back as it went in.
pub fn a_large_artifact(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    let all = content(3_000_001);
    write(&*store, "large", &all);
    assert!(read(&*store, "large") == all, "it came back changed");
    let answers = store
        .read_ranges(&[request(
            "large",
            &[1_048_575..1_048_577, 3_000_000..3_000_001],
        )])
        .expect("reading works");
    assert_eq!(answers[0][0][..], all[1_048_575..1_048_577]);
    assert_eq!(answers[0][1][..], all[3_000_000..]);
}

/// Asking for nothing gives nothing, in every method that takes a batch.
pub fn no_requests_at_all(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    assert!(store.read_ranges(&[]).expect("reading works").is_empty());
    assert!(store.stat_many(&[]).expect("looking works").is_empty());
    store.link(&[]).expect("linking works");
    store.sync(&[]).expect("synchronising works");
    store.delete(&[]).expect("deleting works");
    assert!(names(&*store, None).is_empty());
}

/// One answer per location, in their order; what is missing is `None` and no error.
pub fn stat_of_several(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    write(&*store, "a", b"1");
    write(&*store, "f/b", b"22");
    let stats = store
        .stat_many(&["f/b", "f/missing", "missing/b", "a", "f/b"].map(inside))
        .expect("looking works");
    let bytes: Vec<Option<u64>> = stats
        .iter()
        .map(|stat| stat.as_ref().map(|stat| stat.bytes))
        .collect();
    assert_eq!(bytes, [Some(2), None, None, Some(1), Some(2)]);
}

/// A folder is no artifact: it has no stat, and reading it is an error, not an empty answer.
pub fn a_folder_is_no_artifact(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    write(&*store, "f/g/a", b"1");
    assert_eq!(stat(&*store, "f"), None);
    assert_eq!(stat(&*store, "f/g"), None);
    let result = store.read_ranges(&[request("f", std::slice::from_ref(&(0..0)))]);
    assert!(
        matches!(
            result,
            Err(StoreError::Io { .. } | StoreError::NotFound { .. })
        ),
        "{result:?}"
    );
}

/// An artifact is no folder: nothing is found under it and nothing can be written under it.
pub fn an_artifact_is_no_folder(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    write(&*store, "x.fits", b"1");
    assert_eq!(stat(&*store, "x.fits/part"), None);
    assert_not_found(
        store.read_ranges(&[request("x.fits/part", std::slice::from_ref(&(0..1)))]),
        "x.fits/part",
    );
    for below in ["x.fits/part", "x.fits/deep/part"] {
        let result = store.stage(&super::path(below), &mut &b"2"[..]);
        assert!(matches!(result, Err(StoreError::Io { .. })), "{result:?}");
    }
    assert_eq!(names(&*store, None), super::set(&["x.fits"]));
}

/// An outside location is exactly that file, whatever the store; a relative one is refused.
pub fn outside_is_exactly_that_path(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let elsewhere = tempfile::tempdir().expect("another folder");
    let store = make(folder.path());
    let file = elsewhere.path().join("raw 1.fits");
    std::fs::write(&file, b"0123456789").expect("a file");
    let location =
        |name: &str| Location::Outside(elsewhere.path().join(name).to_str().expect("text").into());
    let wanted = |location| RangeRequest {
        location,
        ranges: vec![8..10, 0..2],
    };
    write(&*store, "a", b"aaaaaaaaaa");
    let answers = store
        .read_ranges(&[
            request("a", std::slice::from_ref(&(0..1))),
            wanted(location("raw 1.fits")),
        ])
        .expect("reading works");
    assert_eq!(
        (&answers[1][0][..], &answers[1][1][..]),
        (&b"89"[..], &b"01"[..])
    );

    let stats = store
        .stat_many(&[location("raw 1.fits"), location("raw 2.fits"), location("")])
        .expect("looking works");
    assert_eq!(stats[0].as_ref().map(|stat| stat.bytes), Some(10));
    assert_eq!(
        stats[1..],
        [None, None],
        "neither a missing file nor a folder is an artifact"
    );

    let gone = location("raw 2.fits");
    assert_not_found(store.read_ranges(&[wanted(gone.clone())]), gone.as_str());
    let relative = Location::Outside("raw 1.fits".into());
    let result = store.read_ranges(&[wanted(relative)]);
    assert!(matches!(result, Err(StoreError::Io { .. })), "{result:?}");
}

/// Every path that the contract allows works, and no two of them are one.
pub fn strange_names(make: impl Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = make(folder.path());
    let long = "n".repeat(255);
    let all = [
        "with space/a b.fits",
        "HSC-I+2/plus+plus",
        "hash#1/%41?x=1&y=2",
        "ünï/çødé-ω.fits",
        "u\u{308}ni/decomposed",
        "-rf",
        "~/home",
        "...",
        "a:b;c",
        "'quoted\"",
        "[0]",
        "x*",
        long.as_str(),
        "deep/a/b/c/d/e/f/g/h",
    ];
    for name in all {
        write(&*store, name, name.as_bytes());
    }
    for name in all {
        assert_eq!(read(&*store, name), name.as_bytes());
    }
    assert_eq!(names(&*store, None), super::set(&all));
}
