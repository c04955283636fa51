//! The calls, each beside its floor.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use pantler::core::TypeName;
use pantler::core::registry::FindRequest;
use pantler::{
    Butler, ButlerOptions, Composition, IngestMode, IngestOptions, Parameters, PutOptions, Query,
};

use super::by_hand::{ByHand, Writer};
use super::pairs::compare;
use super::place::{Place, WITH_FILES, data_id, note};

/// Finding and getting among few datasets that have files.
pub fn small(place: &Place, count: i64) {
    let butler = place.butler();
    for number in 0..WITH_FILES {
        for dataset_type in ["note", "seeing", "clouds"] {
            butler
                .put(
                    &note(number),
                    dataset_type,
                    &data_id(number),
                    &PutOptions::default(),
                )
                .expect("it is new");
        }
    }
    finding(place, count);
    let by_hand = ByHand::open(&place.root());
    let get = |name: &str, number: usize| {
        butler
            .get(
                name,
                &data_id(scattered(number, count)),
                &Parameters::default(),
            )
            .expect("it is there")
    };
    compare(
        "get of a small JSON dataset",
        300,
        |number| drop(by_hand.get("note", scattered(number, count))),
        |number| drop(get("note", number)),
    );
    compare(
        "get of a composite of three",
        200,
        |number| {
            for dataset_type in ["note", "seeing", "clouds"] {
                by_hand.get(dataset_type, scattered(number, count));
            }
        },
        |number| drop(get("night", number)),
    );
}

/// Finding one among so many.
pub fn finding(place: &Place, count: i64) {
    let (butler, by_hand) = (place.butler(), ByHand::open(&place.root()));
    let registry = butler.repositories()[0].registry();
    compare(
        &format!("registry: find one among {count}"),
        2_000,
        |number| {
            by_hand.find(scattered(number, count));
        },
        |number| {
            let request = FindRequest {
                dataset_type: TypeName::new("note").expect("it is a name"),
                data_id: data_id(scattered(number, count)),
                limit: 1,
            };
            assert_eq!(
                registry.find_many(&[request]).expect("it can be asked")[0].len(),
                1
            );
        },
    );
    compare(
        &format!("plan a get of one among {count}"),
        2_000,
        |number| {
            by_hand.find(scattered(number, count));
        },
        |number| {
            let plan = butler.explain(
                "note",
                &data_id(scattered(number, count)),
                Composition::Recorded,
            );
            drop(plan.expect("it is there"));
        },
    );
}

/// Listing all.
pub fn listing(place: &Place, count: usize) {
    let (butler, by_hand) = (place.butler(), ByHand::open(&place.root()));
    let query = Query {
        name: Some("note".to_owned()),
        ..Query::default()
    };
    compare(
        &format!("query of {count} rows"),
        1,
        |_| assert_eq!(by_hand.list(), count),
        |_| assert_eq!(butler.query(&query).expect("it can be asked").len(), count),
    );
}

/// Writing durably, one by one and together.
pub fn writing(place: &Place) {
    let butler = place.butler();
    let writer = Writer::new(&place.beside("by_hand"));
    compare(
        "durable put of one",
        20,
        |number| writer.put(number as i64),
        |number| {
            let put = butler.put(
                &note(number as i64),
                "note",
                &data_id(number as i64),
                &PutOptions::default(),
            );
            drop(put.expect("it is new"));
        },
    );
    batch(place, 1_000);
    ingesting(100_000);
}

/// Putting so many in one batch; the floor writes as many files, and one commit.
pub fn batch(place: &Place, count: i64) {
    let butler = place.butler();
    let writer = Writer::new(&place.beside("batches_by_hand"));
    // Beyond what single puts have taken, and each turn its own.
    let numbers = |turn: usize| {
        let first = 1_000_000 + turn as i64 * count;
        first..first + count
    };
    compare(
        &format!("a batch of {count} puts"),
        1,
        |turn| writer.batch(numbers(turn)),
        |turn| {
            let mut batch = butler.batch();
            for number in numbers(turn) {
                let put = batch.put(
                    &note(number),
                    "note",
                    &data_id(number),
                    &PutOptions::default(),
                );
                drop(put.expect("it is new"));
            }
            let done = batch.commit().expect("it can be written");
            assert_eq!(done.len(), count as usize);
        },
    );
}

/// Taking files into the index where they lie; the floor is a folder listing and bare inserts.
fn ingesting(count: i64) {
    let place = Place::new();
    let files: Vec<PathBuf> = (0..count)
        .map(|number| place.root().join(super::place::path("note", number)))
        .collect();
    for file in &files {
        std::fs::create_dir_all(file.parent().expect("it is in a folder"))
            .expect("folders can be made");
        std::fs::write(file, b"{}").expect("a file can be written");
    }
    let options = IngestOptions {
        mode: IngestMode::InPlace,
        ..IngestOptions::default()
    };
    compare(
        &format!("ingest of {count} files in place"),
        1,
        |number| {
            let writer = Writer::new(&place.beside(&format!("rows-{number}")));
            writer.rows((0..count).map(|number| (number, Vec::new())));
        },
        |_| {
            let own = place.root().join(".pantler/registry.sqlite");
            for end in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(format!("{}{end}", own.display()));
            }
            pantler::registry::SqliteRegistry::create(&own).expect("an index can be made");
            let report = place
                .butler()
                .ingest("note", &files, &Default::default(), &options, &|_| {})
                .expect("it can be written");
            assert_eq!(report.ingested, count as usize);
        },
    );
}

/// Opening, and starting the program.
pub fn opening(place: &Place) {
    let root = place.root();
    compare(
        "open",
        50,
        |_| {
            let by_hand = ByHand::open(&root);
            let policy = std::fs::read(root.join("policy.yaml")).expect("it is there");
            drop((by_hand, policy));
        },
        |_| {
            let butler = Butler::open(std::slice::from_ref(&root), &[], ButlerOptions::default());
            drop(butler.expect("it can be opened"));
        },
    );
    let program = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/release/pantler");
    if program.exists() {
        compare(
            "program start, beside `true`",
            10,
            |_| run(Command::new("true")),
            |_| {
                let mut command = Command::new(&program);
                command.arg("--version");
                run(command);
            },
        );
    } else {
        println!(
            "| program start | | `cargo build --release -p pantler-cli` makes the program | | |"
        );
    }
}

fn run(mut command: Command) {
    let status = command
        .stdout(Stdio::null())
        .status()
        .expect("it can be started");
    assert!(status.success());
}

/// Spreads numbers, so that neighbours in time are no neighbours in the index.
fn scattered(number: usize, count: i64) -> i64 {
    (number as i64 * 7_919_993).rem_euclid(count)
}
