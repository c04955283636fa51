//! Two ways to do one thing, timed in turns.

use std::time::{Duration, Instant};

const TURNS: usize = 15;

/// Times both sides in turns, `times` calls each, and prints a row of the table.
pub fn compare(
    call: &str,
    times: usize,
    mut floor: impl FnMut(usize),
    mut ours: impl FnMut(usize),
) {
    let mut rounds = Vec::new();
    let mut number = 0;
    for _ in 0..TURNS {
        let by_hand = timed(times, number, &mut floor);
        let called = timed(times, number, &mut ours);
        number += times;
        rounds.push((by_hand, called));
    }
    // The first turn warms caches on both sides.
    rounds.remove(0);
    let each = |duration: Duration| duration.as_secs_f64() * 1e6 / times as f64;
    let ratios = sorted(
        rounds
            .iter()
            .map(|(floor, ours)| ours.as_secs_f64() / floor.as_secs_f64()),
    );
    let (low, high) = (ratios[1], ratios[ratios.len() - 2]);
    println!(
        "| {call} | {:.1} µs | {:.1} µs | {:.1} | {low:.1} to {high:.1} |",
        median(rounds.iter().map(|(floor, _)| each(*floor))),
        median(rounds.iter().map(|(_, ours)| each(*ours))),
        ratios[ratios.len() / 2],
    );
}

fn timed(times: usize, first: usize, call: &mut impl FnMut(usize)) -> Duration {
    let start = Instant::now();
    for number in first..first + times {
        call(number);
    }
    start.elapsed()
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let values = sorted(values);
    values[values.len() / 2]
}
