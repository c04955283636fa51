//! What only a local folder can get wrong: symbolic links, hard links, pipes, permissions, and systems that lack the calls
//! it prefers.

use std::collections::BTreeSet;
use std::ffi::CString;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use pantler_core::store::OnExisting::{Refuse, Replace};
use pantler_core::store::STAGING;
use pantler_testkit::store_conformance;
use tempfile::TempDir;

use super::*;
use pantler_core::store::OnExisting;

/// A repository beside a folder that is none of its business.
struct Scene {
    _folder: TempDir,
    root: PathBuf,
    elsewhere: PathBuf,
    store: LocalStore,
}

fn scene() -> Scene {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("repository");
    let elsewhere = folder.path().join("elsewhere");
    fs::create_dir(&elsewhere).expect("a folder");
    fs::write(elsewhere.join("secret"), b"secret").expect("a file");
    let store = LocalStore::create(&root).expect("a repository");
    Scene {
        _folder: folder,
        root,
        elsewhere,
        store,
    }
}

/// Makes a store that has to do without calls that a system may lack.
fn without(beneath: bool, hard_links: bool, folder: &Path) -> LocalStore {
    let store = LocalStore::open(folder).expect("a folder");
    if beneath {
        store.root.ways.beneath.store(false, Ordering::Relaxed);
    }
    if hard_links {
        store.root.ways.hard_links.store(false, Ordering::Relaxed);
    }
    store
}

store_conformance!(without_openat2, |folder| Box::new(without(
    true, false, folder
)));
store_conformance!(without_hard_links, |folder| Box::new(without(
    false, true, folder
)));
store_conformance!(without_either, |folder| Box::new(without(
    true, true, folder
)));

fn path(text: &str) -> ArtifactPath {
    ArtifactPath::new(text).expect("a path")
}

fn read(store: &dyn Store, at: &str) -> Result<Bytes, StoreError> {
    let request = RangeRequest {
        location: Location::Inside(path(at)),
        ranges: std::iter::once(0..1).collect(),
    };
    Ok(store.read_ranges(&[request])?.remove(0).remove(0))
}

fn stat(store: &dyn Store, at: &str) -> Result<Option<Stat>, StoreError> {
    Ok(store.stat_many(&[Location::Inside(path(at))])?.remove(0))
}

fn link(from: &str, to: &str, existing: OnExisting) -> Link {
    Link {
        from: path(from),
        to: path(to),
        existing,
    }
}

fn names(store: &dyn Store, folder: Option<&str>) -> BTreeSet<String> {
    store
        .list(folder.map(path).as_ref())
        .map(|item| item.expect("listing works").0.to_string())
        .collect()
}

fn escapes<T: std::fmt::Debug>(result: Result<T, StoreError>, at: &str) {
    match result {
        Err(StoreError::Escapes { location, .. }) => assert_eq!(location, at),
        other => panic!("{at} leads out, and gave {other:?}"),
    }
}

/// Every method refuses a symbolic link that leads out, in both ways of finding out, and nothing outside is changed.
#[test]
fn a_symbolic_link_out_of_the_root_is_refused() {
    for beneath in [true, false] {
        let scene = scene();
        let store = &scene.store;
        store.root.ways.beneath.store(beneath, Ordering::Relaxed);
        symlink(scene.elsewhere.join("secret"), scene.root.join("file")).expect("a link");
        symlink(&scene.elsewhere, scene.root.join("absolute")).expect("a link");
        symlink("../elsewhere", scene.root.join("relative")).expect("a link");
        symlink("absolute", scene.root.join("twice")).expect("a link");
        store
            .stage(&path("own"), &mut &b"own"[..])
            .expect("staging works");

        escapes(read(store, "file"), "file");
        escapes(stat(store, "file"), "file");
        for folder in ["absolute", "relative", "twice"] {
            let secret = &format!("{folder}/secret");
            let new = &format!("{folder}/new");
            let deep = &format!("{folder}/deep/new");
            escapes(read(store, secret), secret);
            escapes(stat(store, secret), secret);
            escapes(store.stage(&path(new), &mut &b"x"[..]), new);
            escapes(store.stage(&path(deep), &mut &b"x"[..]), deep);
            escapes(store.adopt(&scene.root.join("own"), &path(new)), new);
            escapes(store.link(&[link("own", new, Refuse)]), new);
            escapes(store.link(&[link("own", secret, Replace)]), secret);
            escapes(store.link(&[link(secret, "stolen", Refuse)]), secret);
            escapes(store.sync(&[path(secret)]), secret);
            escapes(store.delete(&[path(secret)]), secret);
            let listed: Vec<_> = store.list(Some(&path(folder))).collect();
            assert_eq!(listed.len(), 1);
            escapes(listed.into_iter().next().expect("one"), folder);
        }
        escapes(store.link(&[link("file", "stolen", Refuse)]), "file");
        assert_eq!(names(store, None), BTreeSet::from(["own".to_owned()]));
        let outside: Vec<_> = fs::read_dir(&scene.elsewhere)
            .expect("it is there")
            .collect();
        assert_eq!(outside.len(), 1, "nothing was made outside");
        assert_eq!(
            fs::read(scene.elsewhere.join("secret")).expect("it is there"),
            b"secret"
        );
    }
}

/// A symbolic link that stays inside works, absolute or relative, and is listed as what it points at.
#[test]
fn a_symbolic_link_inside_the_root_works() {
    for beneath in [true, false] {
        let scene = scene();
        let store = &scene.store;
        store.root.ways.beneath.store(beneath, Ordering::Relaxed);
        store
            .stage(&path("runs/1/a"), &mut &b"a"[..])
            .expect("staging works");
        symlink("runs/1", scene.root.join("latest")).expect("a link");
        symlink(scene.root.join("runs/1/a"), scene.root.join("best")).expect("a link");
        symlink("..", scene.root.join("runs/1/up")).expect("a link");
        symlink("self", scene.root.join("self")).expect("a link");
        symlink("nowhere", scene.root.join("dead")).expect("a link");

        assert_eq!(read(store, "latest/a").expect("it works"), "a");
        assert_eq!(read(store, "best").expect("it works"), "a");
        let listed = names(store, None);
        for name in ["runs/1/a", "latest/a", "best"] {
            assert!(listed.contains(name), "{name} is missing in {listed:?}");
        }
        assert!(listed.len() < 10, "links that lead back up end: {listed:?}");
        assert_eq!(stat(store, "dead").expect("no error"), None);
        assert!(matches!(
            read(store, "dead"),
            Err(StoreError::NotFound { .. })
        ));
        assert!(matches!(read(store, "self"), Err(StoreError::Io { .. })));

        store
            .link(&[
                link("best", "copy", Refuse),
                link("runs/1/a", "latest/b", Refuse),
            ])
            .expect("linking works");
        store
            .sync(&[path("latest/b")])
            .expect("synchronising works");
        assert!(
            fs::symlink_metadata(scene.root.join("copy"))
                .expect("it is there")
                .is_file()
        );
        assert!(scene.root.join("runs/1/b").exists());
    }
}

/// A symbolic link in the place of a name is not followed by writers: it is taken, replaced, or removed itself.
#[test]
fn writers_treat_a_symbolic_link_as_a_name() {
    let scene = scene();
    let secret = scene.elsewhere.join("secret");
    symlink(&secret, scene.root.join("a")).expect("a link");
    let store = &scene.store;
    store
        .stage(&path("own"), &mut &b"own"[..])
        .expect("staging works");
    let staged = store.stage(&path("a"), &mut &b"x"[..]);
    assert!(
        matches!(staged, Err(StoreError::AlreadyExists { .. })),
        "{staged:?}"
    );
    let linked = store.link(&[link("own", "a", Refuse)]);
    assert!(
        matches!(linked, Err(StoreError::AlreadyExists { .. })),
        "{linked:?}"
    );
    store
        .link(&[link("own", "a", Replace)])
        .expect("replacing works");
    assert!(
        fs::symlink_metadata(scene.root.join("a"))
            .expect("it is there")
            .is_file()
    );
    symlink(&secret, scene.root.join("b")).expect("a link");
    store.delete(&[path("b")]).expect("deleting works");
    assert!(fs::symlink_metadata(scene.root.join("b")).is_err());
    assert_eq!(fs::read(&secret).expect("it is there"), b"secret");
}

/// A link is a hard link: one file, which the stat's `same` names.
#[test]
fn a_link_is_a_hard_link() {
    let scene = scene();
    let store = &scene.store;
    store
        .stage(&path("a"), &mut &b"content"[..])
        .expect("staging works");
    store
        .link(&[link("a", "f/b", Refuse), link("a", "f/c", Replace)])
        .expect("linking works");
    let a = fs::metadata(scene.root.join("a")).expect("it is there");
    assert_eq!(a.nlink(), 3);
    for name in ["a", "f/b", "f/c"] {
        let stat = stat(store, name)
            .expect("looking works")
            .expect("it is there");
        assert_eq!(stat.same, Some((a.dev(), a.ino())));
        assert_eq!(
            stat.modified,
            Some(a.mtime() * 1_000_000_000 + a.mtime_nsec())
        );
    }
}

/// A store whose file system has no hard links copies, and does not claim to know what belongs together.
#[test]
fn without_hard_links_nothing_is_claimed_to_be_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = without(false, true, folder.path());
    store
        .stage(&path("a"), &mut &b"content"[..])
        .expect("staging works");
    store
        .link(&[link("a", "f/b", Refuse)])
        .expect("linking works");
    for name in ["a", "f/b"] {
        let stat = stat(&store, name)
            .expect("looking works")
            .expect("it is there");
        assert_eq!((stat.bytes, stat.same), (7, None));
    }
}

/// A link to a name on another device copies, both ways; adopting a file of another device is left to the caller.
#[test]
fn across_devices_a_link_copies_and_adopting_does_not() {
    let scene = scene();
    let device = |path: &Path| fs::metadata(path).map(|metadata| metadata.dev());
    let Ok(other) = tempfile::tempdir_in("/dev/shm") else {
        println!("skipped: there is no second device (/dev/shm) here");
        return;
    };
    if device(other.path()).ok() == device(&scene.root).ok() {
        println!("skipped: /dev/shm is on the device of the temporary folder");
        return;
    }
    let file = other.path().join("raw");
    fs::write(&file, b"raw").expect("a file");
    let adopted = scene.store.adopt(&file, &path("a"));
    assert!(
        matches!(
            adopted,
            Err(StoreError::Unsupported {
                operation: "link a file of another device",
                ..
            })
        ),
        "{adopted:?}"
    );

    // Opened from above both devices, the second one is a folder of the repository like any other.
    let store = LocalStore::open(Path::new("/")).expect("the root folder opens");
    let below = |path: &Path| path.to_str().expect("text")[1..].to_owned();
    let from = below(&scene.root.join("from"));
    store
        .stage(&path(&from), &mut &b"content"[..])
        .expect("staging works");
    for (name, existing) in [("x", Refuse), ("x", Replace), ("y", Replace)] {
        let to = below(&other.path().join(name));
        store
            .link(&[link(&from, &to, existing)])
            .expect("linking works");
        assert_eq!(read(&store, &to).expect("it is there"), "c");
    }
    let taken = store.link(&[link(&from, &below(&other.path().join("x")), Refuse)]);
    assert!(
        matches!(taken, Err(StoreError::AlreadyExists { .. })),
        "{taken:?}"
    );
    let left = names(&store, Some(&below(other.path())));
    assert_eq!(
        left.len(),
        3,
        "raw, x and y, and nothing temporary: {left:?}"
    );
}

/// What a crash left is found where staging happens: names there are listed like any others.
#[test]
fn leftovers_of_a_crash_are_listed() {
    let scene = scene();
    let staging = scene.root.join(STAGING);
    fs::create_dir_all(staging.join("batch")).expect("a folder");
    fs::write(staging.join("batch/7"), b"half").expect("a file");
    fs::write(staging.join("8"), b"").expect("a file");
    let expected = ["batch/7", "8"].map(|name| format!("{STAGING}/{name}"));
    assert_eq!(names(&scene.store, Some(STAGING)), BTreeSet::from(expected));
    assert!(names(&scene.store, None).is_empty());
}

/// A pipe or a device is no artifact, and is never waited for.
#[test]
fn a_pipe_is_no_artifact() {
    let scene = scene();
    let pipe = scene.root.join("pipe");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0)
        .expect("a pipe");
    let store = &scene.store;
    assert!(matches!(read(store, "pipe"), Err(StoreError::Io { .. })));
    assert_eq!(stat(store, "pipe").expect("no error"), None);
    assert!(names(store, None).is_empty());
    let outside = Location::Outside(pipe.to_str().expect("text").into());
    let request = RangeRequest {
        location: outside,
        ranges: vec![],
    };
    assert!(matches!(
        store.read_ranges(&[request]),
        Err(StoreError::Io { .. })
    ));
    assert!(store.link(&[link("pipe", "a", Refuse)]).is_err());
    assert!(store.adopt(&pipe, &path("b")).is_err());
}

/// Names that nothing in a repository can refer to are passed over, and the rest is listed.
#[test]
fn names_that_cannot_be_artifacts_are_passed_over() {
    use std::os::unix::ffi::OsStrExt;

    let scene = scene();
    let strange = CString::new(b"latin-\xe9".to_vec()).expect("no zero byte");
    let strange = std::ffi::OsStr::from_bytes(strange.as_bytes());
    fs::write(scene.root.join(strange), b"").expect("a file");
    fs::create_dir(scene.root.join("back\\slash")).expect("a folder");
    fs::write(scene.root.join("back\\slash/a"), b"").expect("a file");
    fs::write(scene.root.join("b"), b"").expect("a file");
    assert_eq!(names(&scene.store, None), BTreeSet::from(["b".to_owned()]));
}

/// A folder that may not be written or read gives an error with the whole path, not a panic.
#[test]
fn a_read_only_folder_is_a_typed_error() {
    if rustix::process::geteuid().is_root() {
        println!("skipped: permissions mean nothing to the superuser");
        return;
    }
    let scene = scene();
    fs::create_dir(scene.root.join("f")).expect("a folder");
    fs::write(scene.root.join("f/a"), b"a").expect("a file");
    let mode = |mode| {
        fs::set_permissions(scene.root.join("f"), fs::Permissions::from_mode(mode))
            .expect("it is ours");
    };
    mode(0o500);
    let store = &scene.store;
    let denied = |result: Result<(), StoreError>, at: &str| match result {
        Err(StoreError::Io { path, source, .. }) => {
            assert_eq!(source.kind(), std::io::ErrorKind::PermissionDenied);
            assert!(path.ends_with(at), "{path}");
        }
        other => panic!("expected a refusal, got {other:?}"),
    };
    denied(
        store.stage(&path("f/b"), &mut &b"b"[..]).map(drop),
        "repository/f/b",
    );
    denied(store.delete(&[path("f/a")]), "repository/f/a");
    denied(store.link(&[link("f/a", "f/b", Replace)]), "repository/f/b");
    mode(0o000);
    denied(read(store, "f/a").map(drop), "repository/f/a");
    denied(stat(store, "f/a").map(drop), "repository/f/a");
    assert_eq!(store.list(None).filter(Result::is_err).count(), 1);
    mode(0o700);
}

/// A path too long for the system is an error with the whole path, before anything is made.
#[test]
fn a_path_too_long_is_a_typed_error() {
    let scene = scene();
    let folders = ["n".repeat(200).as_str(); 20].join("/");
    let room = 4095 - scene.store.root().len() - 1 - folders.len() - 1;
    for (length, fits) in [(room + 1, false), (room, true)] {
        let at = path(&format!("{folders}/{}", "n".repeat(length)));
        let staged = scene.store.stage(&at, &mut &b"x"[..]);
        if fits {
            staged.expect("the longest path works");
            let whole = format!("{}/{at}", scene.store.root());
            assert_eq!(fs::read(whole).expect("others can open it"), b"x");
            assert_eq!(read(&scene.store, at.as_str()).expect("it is there"), "x");
            continue;
        }
        match staged {
            Err(StoreError::Io { path, .. }) => assert!(path.ends_with(at.as_str())),
            other => panic!("expected an error, got {other:?}"),
        }
        assert!(names(&scene.store, None).is_empty());
    }
}

/// Opening what is not there, or a file, is an error with the path; creating makes folders above it too.
#[test]
fn opening_and_creating() {
    let scene = scene();
    for missing in ["missing", "own"] {
        fs::write(scene.root.join("own"), b"").expect("a file");
        match LocalStore::open(&scene.root.join(missing)) {
            Err(StoreError::Io { path, .. }) => assert!(path.ends_with(missing), "{path}"),
            other => panic!("expected an error, got {other:?}"),
        }
    }
    let made = scene.root.join("a/b/c");
    let store = LocalStore::create(&made).expect("creating works");
    assert_eq!(
        store.root(),
        made.canonicalize()
            .expect("it is there")
            .to_str()
            .expect("text")
    );
    LocalStore::create(&made).expect("creating again works");
    symlink(&made, scene.root.join("link")).expect("a link");
    let again = LocalStore::open(&scene.root.join("link")).expect("opening works");
    assert_eq!(
        again.root(),
        store.root(),
        "the root is where it really lies"
    );
    assert!(LocalStore::create(&scene.root.join("own/below")).is_err());
}

/// What is read lies in memory where copying and decoding are fast.
#[test]
fn buffers_are_aligned() {
    let scene = scene();
    let content = vec![1; 300_000];
    scene
        .store
        .stage(&path("a"), &mut &content[..])
        .expect("staging works");
    let ranges = vec![0..1, 1..3000, 7..300_000, 2880..200_000];
    let request = RangeRequest {
        location: Location::Inside(path("a")),
        ranges,
    };
    for buffer in scene
        .store
        .read_ranges(&[request])
        .expect("reading works")
        .remove(0)
    {
        assert_eq!(buffer.as_ptr().addr() % outside::ALIGNMENT, 0);
    }
}

/// A file whose size was believed and that is shorter by then is out of range, not padded.
#[test]
fn a_file_that_shrinks_while_it_is_read_is_out_of_range() {
    let scene = scene();
    fs::write(scene.root.join("a"), vec![1; 1000]).expect("a file");
    let artifact = scene
        .store
        .open_for_reading(&path("a"))
        .expect("opening works");
    fs::write(scene.root.join("a"), vec![1; 10]).expect("a file");
    let result = artifact.read("a", "a", std::slice::from_ref(&(5..900)));
    assert!(
        matches!(result, Err(StoreError::OutOfRange { bytes: 10, .. })),
        "{result:?}"
    );
}

/// A size that no memory holds is an error: a sparse file says it is large and takes no space.
#[test]
fn a_file_larger_than_memory_is_an_error() {
    let scene = scene();
    let file = fs::File::create(scene.root.join("a")).expect("a file");
    let bytes = 1 << 43;
    if file.set_len(bytes).is_err() {
        println!("skipped: this file system has no files of 8 TB");
        return;
    }
    let request = RangeRequest {
        location: Location::Inside(path("a")),
        ranges: std::iter::once(0..bytes).collect(),
    };
    // Some systems hand out memory that they do not have; then the read would begin, so only the reservation is tried.
    if Vec::<u8>::new().try_reserve_exact(1 << 43).is_ok() {
        println!("skipped: this system promises 8 TB of memory");
        return;
    }
    let result = scene.store.read_ranges(&[request]);
    assert!(
        matches!(
            result,
            Err(StoreError::Io {
                operation: "read",
                ..
            })
        ),
        "{result:?}"
    );
}

/// What this store made durable is remembered, and a new file under the number of an old one is not taken for it.
#[test]
fn r29_only_what_was_synchronised_is_remembered() {
    let scene = scene();
    let store = &scene.store;
    let known = |at: &str| {
        store
            .root
            .synced
            .knows(&fs::metadata(scene.root.join(at)).expect("it is there"))
    };
    let knows_folders = fs::metadata(&scene.root)
        .expect("it is there")
        .created()
        .is_ok();
    for _ in 0..50 {
        store
            .stage(&path("f/g/a"), &mut &b"12345678"[..])
            .expect("staging works");
        assert!(!known("f/g/a"), "a new file is not durable");
        store.sync(&[path("f/g/a")]).expect("synchronising works");
        assert!(known("f/g/a"));
        assert_eq!(known("f/g"), knows_folders);
        assert_eq!(known("f"), knows_folders);
        store.delete(&[path("f/g/a")]).expect("deleting works");
    }
    fs::remove_dir_all(scene.root.join("f")).expect("it is ours");
    store
        .stage(&path("f/g/a"), &mut &b"12345678"[..])
        .expect("staging works");
    assert!(!known("f") && !known("f/g"), "a new folder is not durable");
}

/// In a batch large enough for threads, every file and every folder up to the root is made durable all the same.
#[test]
fn r29_a_large_batch_is_durable_whole() {
    let scene = scene();
    let store = &scene.store;
    let paths: Vec<_> = (0..40)
        .map(|number| path(&format!("f/{}/{number}/a", number % 3)))
        .collect();
    for at in &paths {
        store
            .stage(at, &mut at.as_str().as_bytes())
            .expect("staging works");
    }
    store.sync(&paths).expect("synchronising works");
    let known = |at: &Path| {
        store
            .root
            .synced
            .knows(&fs::metadata(at).expect("it is there"))
    };
    let knows_folders = fs::metadata(&scene.root)
        .expect("it is there")
        .created()
        .is_ok();
    for at in &paths {
        let file = scene.root.join(at.as_str());
        assert!(known(&file), "{at}");
        let above = file
            .ancestors()
            .skip(1)
            .take_while(|folder| *folder != scene.root);
        assert!(above.clone().count() == 3);
        assert!(
            !knows_folders || above.into_iter().all(known),
            "the folders of {at}"
        );
    }
}
