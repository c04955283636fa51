//! The picture of a column of numbers: how many rows have which values.
//!
//! Bars are as wide as Freedman and Diaconis (1981) say, between 10 and 100 of them; whole numbers have bars of whole
//! widths. Where a few far values would squeeze all others into one bar, the axis covers the others, and says how many
//! are outside.

use super::axis::Axis;
use super::canvas::{Canvas, FAINT, GRID, INK, PAPER};
use super::letters::{Anchor, Font};
use super::title::Title;

const WIDTH: i64 = 760;
const HEIGHT: i64 = 520;
const LEFT: i64 = 84;
const RIGHT: i64 = 24;
const BELOW: i64 = 68;
const MARGIN: i64 = 16;
/// The colour of bars.
pub const BAR: [u8; 3] = [0, 114, 178];

/// How many values are in each bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// Where the first bar begins.
    pub low: f64,
    /// Where the last bar ends.
    pub high: f64,
    /// The number of values in each bar.
    pub counts: Vec<u64>,
    /// How many values are lower than the first bar.
    pub below: u64,
    /// How many values are higher than the last bar.
    pub above: u64,
    /// How many rows have no finite number.
    pub none: u64,
}

impl Histogram {
    /// Counts values; `None` if none is finite.
    pub fn of(values: &[f64]) -> Option<Histogram> {
        let mut sorted: Vec<f64> = values
            .iter()
            .copied()
            .filter(|value| value.is_finite())
            .collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let quantile = |share: f64| {
            let last = sorted.len().checked_sub(1)?;
            sorted.get((last as f64 * share).round() as usize).copied()
        };
        let (mut low, mut high) = (quantile(0.0)?, quantile(1.0)?);
        let (near_low, near_high) = (quantile(0.02)?, quantile(0.98)?);
        let near = near_high - near_low;
        if near > 0.0 && high - low > 10.0 * near {
            (low, high) = (
                low.max(near_low - 0.1 * near),
                high.min(near_high + 0.1 * near),
            );
        }
        let spread = quantile(0.75)? - quantile(0.25)?;
        let wanted = 2.0 * spread / (sorted.len() as f64).cbrt();
        let whole = sorted.iter().all(|value| value.fract() == 0.0);
        let (low, width, bars) = bars(low, high, wanted, whole);
        let mut histogram = Histogram {
            low,
            high: low + width * bars as f64,
            counts: vec![0; bars],
            below: 0,
            above: 0,
            none: (values.len() - sorted.len()) as u64,
        };
        for value in sorted {
            // The upper end belongs to the last bar.
            let bar = ((value - low) / width).floor();
            if bar < 0.0 {
                histogram.below += 1;
            } else if value <= histogram.high {
                histogram.counts[(bar as usize).min(bars - 1)] += 1;
            } else {
                histogram.above += 1;
            }
        }
        Some(histogram)
    }

    fn most(&self) -> u64 {
        self.counts.iter().copied().max().unwrap_or(0).max(1)
    }
}

/// Returns where the bars begin, how wide they are, and how many there are: at least one.
fn bars(low: f64, high: f64, wanted: f64, whole: bool) -> (f64, f64, usize) {
    let range = high - low;
    if whole && range < 1e15 {
        let width = wanted.max(range / 100.0).ceil().max(1.0);
        let number = (range / width).floor() as usize + 1;
        return (low - 0.5, width, number);
    }
    if !(range > 0.0 && range.is_finite()) {
        if range > 0.0 {
            // Further apart than numbers can say: what lies outside is counted as such.
            return (-f64::MAX / 4.0, f64::MAX / 2.0, 1);
        }
        // All are the same.
        let half = (low.abs() * 1e-3).max(0.5);
        return (low - half, 2.0 * half, 1);
    }
    let number = if wanted > 0.0 { range / wanted } else { 10.0 };
    let number = number.ceil().clamp(10.0, 100.0);
    (low, range / number, number as usize)
}

/// Where things are in the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Places {
    /// From values to columns of the picture.
    pub across: Axis,
    /// From counts to rows of the picture.
    pub upwards: Axis,
}

/// Draws it; `label` says what the values are.
pub fn histogram(counted: &Histogram, label: &str, rows: u64, title: &Title) -> (Canvas, Places) {
    let mut canvas = Canvas::new(WIDTH as usize, HEIGHT as usize, PAPER);
    title.draw(&mut canvas, MARGIN, &subtitle(counted, rows));
    let (left, right) = (LEFT, WIDTH - RIGHT);
    let (top, bottom) = (MARGIN + title.height() + 14, HEIGHT - BELOW);
    let places = Places {
        across: Axis::new((counted.low, counted.high), (left as f64, right as f64)),
        // Some room above the highest bar.
        upwards: Axis::new(
            (0.0, counted.most() as f64 * 1.05),
            (bottom as f64, top as f64),
        ),
    };
    for (value, text) in places.upwards.ticks(6) {
        if value.fract() == 0.0 {
            let y = places.upwards.place(value).round() as i64;
            canvas.fill(left, y, right - left, 1, GRID);
            canvas.write((left - 8, y - 8), &text, Font::Small, Anchor::Right, INK);
        }
    }
    let width = (counted.high - counted.low) / counted.counts.len() as f64;
    for (index, count) in counted
        .counts
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0)
    {
        let from = places
            .across
            .place(counted.low + width * index as f64)
            .round() as i64;
        let to = places
            .across
            .place(counted.low + width * (index + 1) as f64)
            .round() as i64;
        let y = places.upwards.place(*count as f64).round() as i64;
        // A bar is never so low that it cannot be seen.
        let y = y.min(bottom - 1);
        canvas.fill(from, y, (to - from - 1).max(1), bottom - y, BAR);
    }
    for (value, text) in places.across.ticks(7) {
        let x = places.across.place(value).round() as i64;
        canvas.fill(x, bottom + 1, 1, 5, INK);
        canvas.write((x, bottom + 8), &text, Font::Small, Anchor::Middle, INK);
    }
    canvas.fill(left, bottom, right - left, 1, INK);
    canvas.fill(left - 1, top, 1, bottom - top + 1, INK);
    let label = Font::Small.fitted(label, right - left);
    let middle = (left + right) / 2;
    canvas.write(
        (middle, bottom + 32),
        &label,
        Font::Small,
        Anchor::Middle,
        FAINT,
    );
    canvas.write((MARGIN, top - 12), "rows", Font::Small, Anchor::Left, FAINT);
    (canvas, places)
}

fn subtitle(counted: &Histogram, rows: u64) -> String {
    let mut words = vec![match rows {
        1 => "1 row".to_owned(),
        rows => format!("{rows} rows"),
    }];
    for (number, what) in [
        (counted.none, "without a number"),
        (counted.below, "below"),
        (counted.above, "above"),
    ] {
        if number > 0 {
            words.push(format!("{number} {what}"));
        }
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_high_as_their_counts() {
        let mut values = vec![1.0; 30];
        values.extend([2.0; 10]);
        values.push(f64::NAN);
        let counted = Histogram::of(&values).expect("there are numbers");
        assert_eq!((counted.counts.clone(), counted.none), (vec![30, 10], 1));
        let (canvas, places) = histogram(&counted, "n", 41, &Title::default());
        let heights = [1.0, 2.0].map(|value| {
            let x = places.across.place(value) as usize;
            (0..canvas.height())
                .filter(|y| canvas.at(x, *y) == BAR)
                .count()
        });
        let unit = places.upwards.place(0.0) - places.upwards.place(1.0);
        for (height, count) in heights.into_iter().zip([30.0, 10.0]) {
            assert!(
                (height as f64 - count * unit).abs() <= 1.0,
                "{height} {count}"
            );
        }
    }

    #[test]
    fn a_far_value_does_not_squeeze_the_others() {
        let mut values: Vec<f64> = (0..1000).map(|index| f64::from(index) / 1000.0).collect();
        values.push(1e30);
        let counted = Histogram::of(&values).expect("there are numbers");
        assert_eq!((counted.below, counted.above), (0, 1));
        assert!(counted.high < 2.0);
        assert_eq!(counted.counts.iter().sum::<u64>(), 1000);
    }

    #[test]
    fn any_numbers_have_a_histogram() {
        for values in [
            vec![0.25],
            vec![3.5; 7],
            vec![-f64::MAX, f64::MAX],
            vec![1e300, 2e300],
            vec![f64::MIN_POSITIVE, 0.0],
            vec![1e18, 2e18],
        ] {
            let counted = Histogram::of(&values).expect("there are numbers");
            assert_eq!(
                counted.counts.iter().sum::<u64>() + counted.below + counted.above,
                values.len() as u64,
                "{values:?}"
            );
            histogram(&counted, "n", 1, &Title::default());
        }
        assert_eq!(Histogram::of(&[f64::NAN]), None);
    }
}
