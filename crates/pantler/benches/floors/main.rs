//! What pantler's calls cost beside their floors: the same work done by hand, with the same SQLite and the same files.
//!
//! ```text
//! cargo bench -p pantler --bench floors                  everything, with an index of a million
//! cargo bench -p pantler --bench floors -- --large 100000
//! cargo bench -p pantler --bench floors -- --sizes      the sizes of indexes alone
//! cargo bench -p pantler --bench floors -- --batch      a batch of puts alone
//! ```
//!
//! Both sides of a pair take turns within one run; of each turn the ratio is taken, and the median of the ratios is printed.

#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

mod by_hand;
mod calls;
mod pairs;
mod place;
mod sizes;

use place::Place;

fn main() {
    let large = large();
    if std::env::args().any(|word| word == "--sizes") {
        sizes::report(large);
        return;
    }
    println!("| call | floor | pantler | ratio | spread |");
    println!("| --- | --- | --- | --- | --- |");
    if std::env::args().any(|word| word == "--listing") {
        calls::listing(&Place::filled(large), large as usize);
        return;
    }
    if std::env::args().any(|word| word == "--batch") {
        calls::batch(&Place::new(), 1_000);
        return;
    }
    calls::small(&Place::new(), 1_000);
    calls::writing(&Place::new());
    calls::listing(&Place::filled(100_000), 100_000);
    let place = Place::filled(large);
    calls::finding(&place, large);
    calls::opening(&place);
    println!();
    sizes::report(large);
}

/// Reads `--large N` from the command line; what cargo adds is left alone.
fn large() -> i64 {
    let words: Vec<String> = std::env::args().collect();
    let at = words.iter().position(|word| word == "--large");
    at.and_then(|at| words.get(at + 1))
        .map_or(1_000_000, |number| {
            number.parse().expect("--large takes a number")
        })
}
