//! Works that their caller ends: nothing of them stays, and everything goes on.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pantler::core::policy::PolicyText;
use pantler::fsck::FsckOptions;
use pantler::gc::GcOptions;
use pantler::{
    Butler, ButlerOptions, DataId, Error, IngestMode, IngestOptions, Interrupt, ObjectRef,
    Parameters, PutOptions, Query,
};

use super::support::*;

const POLICY: &str = r#"
datasets:
  note:
    template: "notes/%(visit)04d.json"
    python: dict
    storage: JsonStorage
"#;

/// Something that a butler is asked for.
type Work<'a> = &'a dyn Fn(&Butler) -> pantler::Result<()>;

/// So many files are staged side by side.
const COUNT: usize = 40;

struct Scene {
    folder: tempfile::TempDir,
    files: Vec<PathBuf>,
}

impl Scene {
    fn new() -> Scene {
        let folder = tempfile::tempdir().unwrap();
        let policy = PolicyText {
            file: "policy.yaml".into(),
            text: POLICY.into(),
        };
        Butler::init(&folder.path().join("repo"), &[policy], &[]).unwrap();
        std::fs::create_dir(folder.path().join("notes")).unwrap();
        let files = (0..COUNT).map(|number| {
            let file = folder.path().join(format!("notes/{number:04}.json"));
            std::fs::write(&file, format!("{{\"number\": {number}}}")).unwrap();
            file
        });
        Scene {
            files: files.collect(),
            folder,
        }
    }

    fn butler(&self, interrupt: Interrupt) -> Butler {
        let options = ButlerOptions {
            interrupt,
            ..options()
        };
        Butler::open(&[], &[self.folder.path().join("repo")], options)
            .unwrap_or_else(|error| panic!("{}", error.report()))
    }

    /// A butler whose caller wants it to stop when it has been asked so many times, and how often it was asked.
    fn stopping_after(&self, times: usize) -> (Butler, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        let interrupt = Interrupt::when(move || counter.fetch_add(1, Ordering::Relaxed) >= times);
        (self.butler(interrupt), asked)
    }

    fn ingest(&self, butler: &Butler, mode: IngestMode) -> pantler::Result<usize> {
        let options = IngestOptions {
            mode,
            ..IngestOptions::default()
        };
        let nothing = DataId::default();
        let report = butler.ingest("note", &self.files, &nothing, &options, &|_| ())?;
        assert!(report.failed.is_empty(), "{:?}", report.failed);
        Ok(report.ingested)
    }

    /// How many datasets there are, in a repository that is as it should be.
    fn count(&self) -> usize {
        let butler = self.butler(Interrupt::default());
        let deep = FsckOptions {
            deep: true,
            repair: false,
        };
        let report = butler.fsck(deep).unwrap();
        assert!(report.is_clean(), "{report:?}");
        assert!(report.leftover.is_empty(), "{report:?}");
        butler.query(&Query::default()).unwrap().len()
    }
}

fn is_interrupted<T>(outcome: &pantler::Result<T>) -> bool {
    matches!(outcome, Err(Error::Interrupted))
}

/// Wherever it is ended, all or nothing of it is there, and no file is left over.
#[test]
fn r28_an_ingest_that_is_ended_was_never_there() {
    for mode in [IngestMode::Copy, IngestMode::Link, IngestMode::InPlace] {
        let scene = Scene::new();
        let (butler, asked) = scene.stopping_after(usize::MAX);
        // Another repository tells how often a whole ingest asks.
        assert_eq!(scene.ingest(&butler, mode).unwrap(), COUNT);
        let all = asked.load(Ordering::Relaxed);
        assert!(all >= 2 * COUNT, "asked {all} times");
        for times in (0..all).step_by(7) {
            let scene = Scene::new();
            let (butler, _) = scene.stopping_after(times);
            let outcome = scene.ingest(&butler, mode);
            // The threads of the pool ask as often as they come to it, so that the end may be there before.
            match is_interrupted(&outcome) {
                true => assert_eq!(scene.count(), 0, "{mode:?} after {times}"),
                false => assert_eq!(outcome.unwrap(), COUNT),
            }
            let butler = scene.butler(Interrupt::default());
            scene.ingest(&butler, mode).unwrap();
            assert_eq!(scene.count(), COUNT);
        }
    }
}

#[test]
fn originals_stay_until_an_ingest_that_moves_is_done() {
    let scene = Scene::new();
    let (butler, asked) = scene.stopping_after(usize::MAX);
    scene.ingest(&butler, IngestMode::Move).unwrap();
    let all = asked.load(Ordering::Relaxed);
    for times in [0, all / 3, all / 2, all - 2] {
        let scene = Scene::new();
        let (butler, _) = scene.stopping_after(times);
        let _ = scene.ingest(&butler, IngestMode::Move);
        let there = scene.count();
        let originals = scene.files.iter().filter(|file| file.exists()).count();
        // Recorded, or still where it was.
        assert!(there == COUNT || originals == COUNT, "after {times}");
        let butler = scene.butler(Interrupt::default());
        // What is gone already is named as such; nothing of it is lost.
        let left: Vec<PathBuf> = scene
            .files
            .iter()
            .filter(|file| file.exists())
            .cloned()
            .collect();
        let options = IngestOptions {
            mode: IngestMode::Move,
            ..IngestOptions::default()
        };
        let nothing = DataId::default();
        butler
            .ingest("note", &left, &nothing, &options, &|_| ())
            .unwrap();
        assert_eq!(scene.count(), COUNT);
        assert!(!scene.files.iter().any(|file| file.exists()));
    }
}

#[test]
fn r28_a_put_and_a_batch_that_are_ended_were_never_there() {
    let note = || -> ObjectRef {
        let tree = serde_json::json!({"a": 1});
        Arc::new(pantler::objects::Document::new(tree))
    };
    let work: [Work<'_>; 2] = [
        &|butler| {
            butler
                .put(&note(), "note", &id("visit=1"), &PutOptions::default())
                .map(drop)
        },
        &|butler| {
            let mut batch = butler.batch();
            for visit in 1..=20 {
                let data_id = id(&format!("visit={visit}"));
                batch.put(&note(), "note", &data_id, &PutOptions::default())?;
            }
            batch.commit().map(drop)
        },
    ];
    for work in work {
        let scene = Scene::new();
        let (butler, asked) = scene.stopping_after(usize::MAX);
        work(&butler).unwrap();
        let all = asked.load(Ordering::Relaxed);
        assert!(all >= 3, "asked {all} times");
        for times in 0..all {
            let scene = Scene::new();
            let (butler, _) = scene.stopping_after(times);
            let outcome = work(&butler);
            assert!(is_interrupted(&outcome), "after {times}: {outcome:?}");
            assert_eq!(scene.count(), 0, "after {times}");
        }
    }
}

#[test]
fn whatever_looks_around_can_be_ended() {
    let scene = Scene::new();
    let butler = scene.butler(Interrupt::default());
    scene.ingest(&butler, IngestMode::Copy).unwrap();
    let work: [(&str, Work<'_>); 4] = [
        ("query", &|butler| butler.query(&Query::default()).map(drop)),
        ("fsck", &|butler| {
            butler
                .fsck(FsckOptions {
                    deep: true,
                    repair: false,
                })
                .map(drop)
        }),
        ("gc", &|butler| butler.gc(&GcOptions::default()).map(drop)),
        ("get", &|butler| {
            butler
                .get("note", &id("visit=3"), &Parameters::default())
                .map(drop)
        }),
    ];
    for (name, work) in work {
        let (butler, asked) = scene.stopping_after(0);
        let outcome = work(&butler);
        assert!(is_interrupted(&outcome), "{name}: {outcome:?}");
        assert_eq!(asked.load(Ordering::Relaxed), 1, "{name} ends at once");
    }
    assert_eq!(scene.count(), COUNT);
}

#[test]
fn what_was_ended_says_so() {
    let report = Error::Interrupted.report();
    assert_eq!(report.kind.name(), "interrupted");
    // What a shell says of a program that Ctrl-C has ended.
    assert_eq!(report.kind.exit_status(), 130);
}
