//! Many processes that put composites into one repository and get them back, killed at random and started again, with and
//! without somebody who collects garbage all the time (rule R29).
//!
//! A process here is this test program itself, started once more as a worker: it puts through the library, and says of each
//! put that it is done. The full count is `PANTLER_PUTS=500 cargo test -p pantler-cli --features fail-points --test killed
//! eight -- --nocapture`; the slowest put is printed, and judged by nobody.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use pantler::{Butler, ButlerOptions, DataId, ObjectRef, Parameters, PutOptions};

use super::at_random::Chance;
use super::seen::{leftovers, own_files};
use super::support::Place;
use super::survey::{butler, calib, get, survey, wcs};

/// Tells a worker where it puts, and which tracts: `ROOT FIRST END`.
const WORK: &str = "PANTLER_TEST_WORK";

/// How many puts each process does where nobody says otherwise.
const FEW: u64 = 12;

fn count() -> u64 {
    let asked = std::env::var("PANTLER_PUTS").ok();
    asked.map_or(FEW, |count| {
        count.parse().expect("PANTLER_PUTS is a number of puts")
    })
}

fn right_ascension(tract: u64) -> f64 {
    100.0 + tract as f64 / 128.0
}

fn flux(tract: u64) -> f64 {
    1e12 + tract as f64
}

fn data_id(tract: u64) -> String {
    format!("visit=1 ccd=1 tract={tract}")
}

/// The composite of a tract, with coordinates and a calibration that no other has.
fn composite(base: &ObjectRef, tract: u64) -> ObjectRef {
    base.with_component("wcs", &wcs(right_ascension(tract)))
        .unwrap()
        .with_component("calib", &calib(flux(tract)))
        .unwrap()
}

/// That a composite is whole: its own coordinates with its own calibration.
fn check(object: &ObjectRef, tract: u64) {
    let same = |component: &str, expected: ObjectRef| {
        let own = object.component(component).unwrap();
        assert_eq!(
            own.difference(expected.as_ref()),
            None,
            "{component} of tract {tract}"
        );
    };
    same("wcs", wcs(right_ascension(tract)));
    same("calib", calib(flux(tract)));
}

#[test]
#[ignore = "it is what the other tests start as processes of their own"]
fn worker() {
    let work = std::env::var(WORK).expect("a worker is told what to do");
    let words: Vec<&str> = work.split(' ').collect();
    let [root, first, end] = words[..] else {
        panic!("{work}")
    };
    let (first, end): (u64, u64) = (first.parse().unwrap(), end.parse().unwrap());
    let open = Butler::open(&[], &[root.into()], ButlerOptions::default());
    let butler = open.unwrap_or_else(|error| panic!("{}", error.report()));
    let base = get(&butler, "calexp:sfm", "visit=1 ccd=1");
    let mut out = std::io::stdout();
    for tract in first..end {
        let object = composite(&base, tract);
        let wanted = DataId::parse(&data_id(tract)).unwrap();
        let start = Instant::now();
        butler
            .put(&object, "calexp:jointcal", &wanted, &PutOptions::default())
            .unwrap_or_else(|error| panic!("tract {tract}: {}", error.report()));
        let micros = start.elapsed().as_micros();
        writeln!(out, "\nput {tract} {micros}").unwrap();
        out.flush().unwrap();
        let got = butler.get("calexp:jointcal", &wanted, &Parameters::default());
        check(
            &got.unwrap_or_else(|error| panic!("tract {tract}: {}", error.report())),
            tract,
        );
    }
}

fn start_worker(root: &Path, first: u64, end: u64) -> Child {
    let program = std::env::current_exe().unwrap();
    Command::new(program)
        .args([
            "--ignored",
            "--exact",
            "--nocapture",
            "many_processes::worker",
        ])
        .env(WORK, format!("{} {first} {end}", root.display()))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// What one process after the other did.
#[derive(Default)]
struct Done {
    acknowledged: Vec<u64>,
    slowest: Duration,
    killed: u64,
}

/// Lets processes put the tracts from `first` to `end`; some are killed, and others go on where they were.
fn put_all(root: &Path, first: u64, end: u64, chance: &mut Chance) -> Done {
    let mut done = Done::default();
    let mut next = first;
    // So many are killed at most, so that it comes to an end.
    let mut killers = 2 + (end - first) / 20;
    while next < end {
        let mut child = start_worker(root, next, end);
        let mut kill_at = None;
        if killers > 0 {
            killers -= 1;
            kill_at = Some(next + chance.below(10));
        }
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        while let Some(Ok(line)) = lines.next() {
            let words: Vec<&str> = line.split(' ').collect();
            let ["put", tract, micros] = words[..] else {
                continue;
            };
            let tract: u64 = tract.parse().unwrap();
            assert_eq!(tract, next, "each is said once, in order");
            next = tract + 1;
            done.acknowledged.push(tract);
            done.slowest = done
                .slowest
                .max(Duration::from_micros(micros.parse().unwrap()));
            if kill_at.is_some_and(|at| tract >= at) {
                // Somewhere in what it does next.
                std::thread::sleep(Duration::from_micros(chance.below(30_000)));
                child.kill().unwrap();
                kill_at = None;
                done.killed += 1;
            }
        }
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        // Nothing but a signal may end it early: whoever waits for others must get its turn.
        assert!(
            output.status.code().is_none_or(|code| code == 0),
            "{}: {said}",
            output.status
        );
    }
    done
}

/// Starts so many rows of processes at once, and something else beside them for as long.
fn all_at_once(place: &Place, rows: u64, each: u64, beside: impl Fn() + Sync) -> Done {
    let root = place.path("joint");
    let working = AtomicBool::new(true);
    let mut all = Done::default();
    std::thread::scope(|scope| {
        let (root, working, beside) = (&root, &working, &beside);
        let threads: Vec<_> = (0..rows)
            .map(|row| {
                let mut chance = Chance(0x9e37_79b9_7f4a_7c15 ^ (row + 1));
                let first = 1 + row * each;
                scope.spawn(move || put_all(root, first, first + each, &mut chance))
            })
            .collect();
        let company = scope.spawn(move || {
            while working.load(Ordering::Relaxed) {
                beside();
            }
        });
        let ended: Vec<_> = threads.into_iter().map(|thread| thread.join()).collect();
        working.store(false, Ordering::Relaxed);
        company.join().unwrap();
        for done in ended {
            let done = done.unwrap();
            all.acknowledged.extend(done.acknowledged);
            all.slowest = all.slowest.max(done.slowest);
            all.killed += done.killed;
        }
    });
    all
}

/// Every acknowledged put is there, none is half there, and a check of every byte finds nothing.
fn all_is_there(place: &Place, done: &Done, expected: u64) {
    assert_eq!(done.acknowledged.len() as u64, expected);
    assert!(done.killed > 0, "nobody was killed");
    leftovers(place, "joint", "--deep");
    assert_eq!(leftovers(place, "joint", "--deep --repair"), [""; 0]);
    assert_eq!(own_files(place, "joint"), [""; 0]);
    let reader = butler(place, "joint");
    for tract in &done.acknowledged {
        check(&get(&reader, "calexp:jointcal", &data_id(*tract)), *tract);
    }
    for name in ["calexp:jointcal", "jointcal_wcs", "jointcal_calib"] {
        let found = place.json(&format!("query joint {name}"));
        assert_eq!(found.as_array().unwrap().len() as u64, expected, "{name}");
    }
    let files = place.artifacts("joint").len() as u64;
    assert_eq!(files, 2 * expected, "no file is there that no dataset owns");
}

#[test]
fn r29_eight_processes_that_are_killed_and_go_on_lose_nothing() {
    let place = survey();
    let each = count();
    let start = Instant::now();
    // The others wait for the company's end at most this long.
    let done = all_at_once(&place, 8, each, || {
        std::thread::sleep(Duration::from_millis(10));
    });
    println!(
        "8 processes of {each} composite puts and gets each, {} killed: {:.1} s, the slowest put {:.0} ms",
        done.killed,
        start.elapsed().as_secs_f64(),
        done.slowest.as_secs_f64() * 1e3,
    );
    all_is_there(&place, &done, 8 * each);
}

#[test]
fn r29_a_collection_of_garbage_takes_nothing_from_those_who_put() {
    let place = survey();
    let each = count().min(50);
    let collected = std::sync::atomic::AtomicU64::new(0);
    let done = all_at_once(&place, 3, each, || {
        place.ok("gc joint --grace 0");
        collected.fetch_add(1, Ordering::Relaxed);
    });
    assert!(collected.into_inner() > 1, "it was collected beside them");
    all_is_there(&place, &done, 3 * each);
}
