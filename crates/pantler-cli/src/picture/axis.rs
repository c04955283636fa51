//! Axes: from values to places on the sheet, and round numbers to label them with.

/// An axis from a value at one place to a value at another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    low: f64,
    high: f64,
    start: f64,
    end: f64,
}

impl Axis {
    /// Makes an axis on which `low` stands at `start` and `high` at `end`.
    pub fn new((low, high): (f64, f64), (start, end): (f64, f64)) -> Axis {
        Axis {
            low,
            high,
            start,
            end,
        }
    }

    /// Returns where a value stands.
    pub fn place(&self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low);
        self.start + share * (self.end - self.start)
    }

    /// Returns round numbers on the axis with their labels: about `most`, never many more.
    pub fn ticks(&self, most: usize) -> Vec<(f64, String)> {
        let (low, high) = (self.low.min(self.high), self.low.max(self.high));
        let Some(step) = round_step((high - low) / most.max(1) as f64) else {
            return Vec::new();
        };
        let first = (low / step - 1e-6).ceil();
        let last = (high / step + 1e-6).floor();
        let number = (last - first).clamp(0.0, 100.0) as usize;
        (0..=number)
            .map(|index| (first + index as f64) * step)
            .filter(|value| (low - step * 1e-3..=high + step * 1e-3).contains(value))
            .map(|value| (value, label(value, step, low.abs().max(high.abs()))))
            .collect()
    }
}

/// Returns the next 1, 2 or 5 times a power of ten; `None` if there is none.
pub fn round_step(least: f64) -> Option<f64> {
    if !(least.is_finite() && least > 0.0) {
        return None;
    }
    let power = 10_f64.powf(least.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|round| round * power)
        .find(|step| *step >= least * (1.0 - 1e-9))?;
    (step.is_finite() && step > 0.0).then_some(step)
}

/// Returns a number with as many decimals as steps of this size need.
fn label(value: f64, step: f64, largest: f64) -> String {
    let value = if value.abs() < step * 1e-6 {
        0.0
    } else {
        value
    };
    if largest >= 1e7 || step < 1e-6 {
        let text = format!("{value:.3e}");
        // 1.500e8 is 1.5e8.
        return match text.split_once('e') {
            Some((digits, power)) => {
                let digits = digits.trim_end_matches('0').trim_end_matches('.');
                format!("{digits}e{power}")
            }
            None => text,
        };
    }
    let decimals = (-step.log10().floor()).clamp(0.0, 9.0) as usize;
    unsigned_zero(format!("{value:.decimals$}"))
}

/// Takes the sign off a number that was rounded to zero.
pub fn unsigned_zero(text: String) -> String {
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|digit| matches!(digit, '0' | '.')) => rest.to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_has_no_sign() {
        let told = ["-0.0000", "-0", "-0.0010", "0.0"].map(|text| unsigned_zero(text.to_owned()));
        assert_eq!(told, ["0.0000", "0", "-0.0010", "0.0"]);
    }

    fn labels(low: f64, high: f64, most: usize) -> Vec<String> {
        let axis = Axis::new((low, high), (0.0, 100.0));
        axis.ticks(most).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(
            labels(0.0, 1.0, 5),
            ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
        );
        assert_eq!(labels(-3.0, 17.0, 4), ["0", "5", "10", "15"]);
        assert_eq!(labels(1e7, 3e7, 2), ["1e7", "2e7", "3e7"]);
        assert_eq!(labels(10.0, 0.0, 2), ["0", "5", "10"]);
        assert_eq!(labels(3.0, 3.0, 5), Vec::<String>::new());
        assert_eq!(labels(f64::NAN, 1.0, 5), Vec::<String>::new());
        assert!(labels(0.0, f64::MAX, 5).len() < 12);
    }

    #[test]
    fn values_stand_where_they_belong() {
        let axis = Axis::new((10.0, 20.0), (100.0, 50.0));
        assert_eq!(axis.place(10.0), 100.0);
        assert_eq!(axis.place(20.0), 50.0);
        assert_eq!(axis.place(15.0), 75.0);
    }
}
