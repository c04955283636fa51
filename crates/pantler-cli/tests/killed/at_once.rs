//! Commands that start at the same moment: of those that want the same, one wins whole.

use std::process::{Child, Stdio};

use pantler::DataId;
use serde_json::Value;

use super::seen::leftovers;
use super::support::Place;
use super::survey::{butler, survey};

/// Starts commands at the same moment; returns how each ended, and what it said.
fn at_once(place: &Place, commands: &[String]) -> Vec<(i32, Value)> {
    let children: Vec<Child> = commands
        .iter()
        .map(|line| {
            let mut command = place.command(&format!("{line} --json"));
            command
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    children
        .into_iter()
        .map(|child| {
            let output = child.wait_with_output().unwrap();
            let said = if output.status.success() {
                output.stdout
            } else {
                output.stderr
            };
            let document = serde_json::from_slice(&said);
            let document = document
                .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&said)));
            (output.status.code().unwrap(), document)
        })
        .collect()
}

#[test]
fn of_two_that_put_the_same_one_writes_and_the_other_finds_it_unchanged() {
    let place = survey();
    for tract in 1..=8 {
        let put = format!("put joint calexp:jointcal new.fits visit=1 ccd=1 tract={tract}");
        let ends = at_once(&place, &[put.clone(), put]);
        let written: Vec<usize> = ends
            .iter()
            .map(|(_, said)| said["written"].as_array().unwrap().len())
            .collect();
        assert!(written == [2, 0] || written == [0, 2], "{ends:?}");
        assert!(ends.iter().all(|(status, _)| *status == 0), "{ends:?}");
        assert_eq!(ends[0].1["id"], ends[1].1["id"], "it is one dataset");
    }
    assert_eq!(leftovers(&place, "joint", "--deep"), [""; 0]);
}

#[test]
fn of_two_that_put_different_content_one_wins_whole() {
    let place = survey();
    for tract in 1..=8 {
        let put = |file: &str| {
            format!("put joint calexp:jointcal {file}.fits visit=1 ccd=1 tract={tract}")
        };
        let ends = at_once(&place, &[put("old"), put("new")]);
        let statuses: Vec<i32> = ends.iter().map(|(status, _)| *status).collect();
        let winner = match statuses[..] {
            [0, 2] => "old",
            [2, 0] => "new",
            _ => panic!("{ends:?}"),
        };
        let loser = ends.iter().find(|(status, _)| *status == 2).unwrap();
        assert_eq!(loser.1["error"]["kind"], "conflict", "{ends:?}");
        place.ok(&format!(
            "get joint calexp:jointcal visit=1 ccd=1 tract={tract} --out looked.fits"
        ));
        let expected = std::fs::read(place.path(&format!("{winner}.fits"))).unwrap();
        let is_whole = same_dataset(&place, "looked.fits", &expected);
        assert!(is_whole, "tract {tract}: the winner's parts are all there");
    }
    assert_eq!(leftovers(&place, "joint", "--deep"), [""; 0]);
}

/// Compares WCS and calibration of two files; what else is said of them differs with the data ID.
fn same_dataset(place: &Place, file: &str, expected: &[u8]) -> bool {
    std::fs::write(place.path("expected.fits"), expected).unwrap();
    let reader = butler(place, "joint");
    let read = |file: &str| {
        let data_id = DataId::parse("visit=1 ccd=1 tract=0").unwrap();
        reader
            .read_file("calexp:jointcal", &data_id, &place.path(file))
            .unwrap()
    };
    read(file)
        .difference(read("expected.fits").as_ref())
        .is_none()
}

#[test]
fn those_who_put_different_data_do_not_disturb_each_other() {
    let place = survey();
    let put = |visit: u64| format!("put single calexp:sfm old.fits visit={visit} ccd=1");
    let puts: Vec<String> = (10..16).map(put).collect();
    for (status, said) in at_once(&place, &puts) {
        assert_eq!(status, 0, "{said}");
    }
    assert_eq!(
        place
            .json("query single calexp:sfm")
            .as_array()
            .unwrap()
            .len(),
        7
    );
    assert_eq!(leftovers(&place, "single", "--deep"), [""; 0]);
}

#[test]
fn r7_those_who_bring_the_same_definition_or_make_the_same_repository_agree() {
    for _ in 0..4 {
        let place = survey();
        let put = |visit: u64| format!("put joint note note.json visit={visit} --output notes");
        for (status, said) in at_once(&place, &[put(1), put(2), put(3)]) {
            assert_eq!(status, 0, "{said}");
        }
        assert_eq!(place.json("query joint note").as_array().unwrap().len(), 3);
        let put =
            |visit: u64| format!("put made calexp:sfm old.fits visit={visit} ccd=1 --input single");
        for (status, said) in at_once(&place, &[put(1), put(2), put(3)]) {
            // Visit 1 is there in `single`, with other content, which the new one shadows.
            assert_eq!(status, 0, "{said}");
        }
        assert_eq!(leftovers(&place, "made", "--deep"), [""; 0]);
        let visits = place.json("query made calexp:sfm");
        assert!(visits.as_array().unwrap().len() >= 3, "{visits}");
    }
}

/// A removal and a put of the same at once: the dataset is there whole, or not at all.
#[test]
fn a_removal_does_not_take_along_what_is_put_anew() {
    let place = survey();
    for _ in 0..8 {
        place.run("put joint jointcal_wcs old-wcs.fits visit=1 ccd=1 tract=0");
        let ends = at_once(
            &place,
            &[
                "rm joint jointcal_wcs visit=1 ccd=1 tract=0".to_owned(),
                "put joint jointcal_wcs old-wcs.fits visit=1 ccd=1 tract=0".to_owned(),
            ],
        );
        assert_eq!((ends[0].0, ends[1].0), (0, 0), "{ends:?}");
        assert_eq!(leftovers(&place, "joint", "--deep"), [""; 0]);
    }
}
