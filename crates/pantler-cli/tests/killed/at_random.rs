//! Processes that put, replace and repair beside each other, killed at random moments.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::dying::PUT_OLD;
use super::seen::{leftovers, own_files};
use super::support::Place;
use super::survey::{butler, get, survey};

/// Small numbers that look random and are the same in each run.
pub struct Chance(pub u64);

impl Chance {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

pub fn quietly(command: &mut Command) -> Child {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Runs a command and kills it after a while if it is still running; says whether it ended by itself, and well.
pub fn done_unless_killed(place: &Place, command: &str, after: Option<Duration>) -> bool {
    let mut started = place.command(command);
    let mut child = started
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    if let Some(after) = after {
        std::thread::sleep(after);
        let _ = child.kill();
    }
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.code().is_none_or(|code| code == 0),
        "{command}: {} {said}",
        output.status
    );
    output.status.success()
}

#[test]
fn r29_what_was_acknowledged_is_there_whoever_was_killed_beside_it() {
    const WRITERS: u64 = 3;
    const PUTS: u64 = 40;
    let place = survey();
    let start = Instant::now();
    place.ok(PUT_OLD);
    let a_while = start.elapsed();
    let deadline = start + Duration::from_secs(25);
    let writing = std::sync::atomic::AtomicBool::new(true);
    let mut acknowledged: Vec<u64> = Vec::new();
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let place = &place;
                scope.spawn(move || {
                    let mut chance = Chance(0x9e37_79b9_7f4a_7c15 ^ (writer + 1));
                    let mut done = Vec::new();
                    for number in 0..PUTS {
                        if Instant::now() > deadline {
                            break;
                        }
                        let tract = 1 + writer * PUTS + number;
                        let longest = u64::try_from(a_while.as_micros()).unwrap() * 3;
                        let kill = (chance.below(2) == 0)
                            .then(|| Duration::from_micros(chance.below(longest)));
                        let put = format!(
                            "put joint calexp:jointcal new.fits visit=1 ccd=1 tract={tract}"
                        );
                        if done_unless_killed(place, &put, kill) {
                            done.push(tract);
                        }
                    }
                    done
                })
            })
            .collect();
        // Somebody else replaces one dataset all the time, and a third person cleans up behind the dead.
        let (place, writing) = (&place, &writing);
        scope.spawn(move || {
            let mut chance = Chance(7);
            for number in 0.. {
                if !writing.load(std::sync::atomic::Ordering::Relaxed) {
                    break;
                }
                let file = ["new", "old"][number % 2];
                let kill = (chance.below(2) == 0)
                    .then(|| a_while.mul_f64(chance.below(100) as f64 / 33.0));
                let put = format!(
                    "put joint calexp:jointcal {file}.fits visit=1 ccd=1 tract=0 --replace"
                );
                done_unless_killed(place, &put, kill);
            }
        });
        scope.spawn(move || {
            while writing.load(std::sync::atomic::Ordering::Relaxed) {
                let mut repair = place.command("fsck joint --repair");
                quietly(&mut repair).wait().unwrap();
            }
        });
        for writer in writers {
            acknowledged.extend(writer.join().unwrap());
        }
        writing.store(false, std::sync::atomic::Ordering::Relaxed);
    });
    assert!(
        acknowledged.len() > 20,
        "{} puts were done",
        acknowledged.len()
    );

    leftovers(&place, "joint", "--deep");
    assert_eq!(leftovers(&place, "joint", "--deep --repair"), [""; 0]);
    assert_eq!(
        own_files(&place, "joint"),
        [""; 0],
        "nothing is left over in pantler's own folder"
    );
    let tracts = |name: &str| -> Vec<u64> {
        let found = place.json(&format!("query joint {name} visit=1 ccd=1"));
        let found = found.as_array().unwrap().iter();
        found
            .map(|each| each["data_id"]["tract"].as_u64().unwrap())
            .collect()
    };
    let there = tracts("jointcal_wcs");
    assert_eq!(there, tracts("jointcal_calib"), "none is half there");
    assert_eq!(there, tracts("calexp:jointcal"), "none is half there");
    for tract in &acknowledged {
        assert!(
            there.contains(tract),
            "tract {tract} was acknowledged and is not there"
        );
    }
    assert_eq!(
        place.artifacts("joint").len(),
        2 * there.len(),
        "no file is there that no dataset owns"
    );
    let reader = butler(&place, "joint");
    let whole = [
        std::fs::read(place.path("old-wcs.fits")).unwrap(),
        std::fs::read(place.path("new-wcs.fits")).unwrap(),
    ];
    for tract in &there {
        get(
            &reader,
            "calexp:jointcal",
            &format!("visit=1 ccd=1 tract={tract}"),
        );
        let bytes =
            std::fs::read(place.path(&format!("joint/wcs/0000001-001-{tract}.fits"))).unwrap();
        assert!(whole.contains(&bytes), "tract {tract} is one or the other");
    }
}
