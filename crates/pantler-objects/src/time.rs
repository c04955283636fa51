//! Moments in International Atomic Time, as records and headers have them.
//!
//! [`crate::visit_info`] reads them. Nothing here knows time zones; UTC is turned into TAI with the leap seconds up to 2017,
//! after which there was none.

use std::fmt;

/// Nanoseconds of a day.
const DAY: i64 = 86_400_000_000_000;

/// The day 1970-01-01 as a modified Julian date.
const EPOCH_MJD: i64 = 40_587;

/// The months from whose first day on TAI - UTC is that many seconds (IERS Bulletin C; the first ten are of 1972).
const LEAP_SECONDS: [(i64, i64, i64); 28] = [
    (1972, 1, 10),
    (1972, 7, 11),
    (1973, 1, 12),
    (1974, 1, 13),
    (1975, 1, 14),
    (1976, 1, 15),
    (1977, 1, 16),
    (1978, 1, 17),
    (1979, 1, 18),
    (1980, 1, 19),
    (1981, 7, 20),
    (1982, 7, 21),
    (1983, 7, 22),
    (1985, 7, 23),
    (1988, 1, 24),
    (1990, 1, 25),
    (1991, 1, 26),
    (1992, 7, 27),
    (1993, 7, 28),
    (1994, 7, 29),
    (1996, 1, 30),
    (1997, 7, 31),
    (1999, 1, 32),
    (2006, 1, 33),
    (2009, 1, 34),
    (2012, 7, 35),
    (2015, 7, 36),
    (2017, 1, 37),
];

/// How the moments of a header are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeScale {
    /// International Atomic Time.
    Tai,
    /// Coordinated Universal Time.
    Utc,
    /// Terrestrial Time, which is TAI + 32.184 s.
    Tt,
}

impl TimeScale {
    /// Returns the scale of this name, as `TIMESYS` has it; `None` for those that need more than a table.
    pub fn named(name: &str) -> Option<TimeScale> {
        match name.trim().to_ascii_uppercase().as_str() {
            "TAI" | "IAT" => Some(TimeScale::Tai),
            "UTC" => Some(TimeScale::Utc),
            "TT" | "TDT" | "ET" => Some(TimeScale::Tt),
            _ => None,
        }
    }
}

/// A moment in International Atomic Time, to the nanosecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TaiTime {
    /// Since 1970-01-01T00:00:00 TAI.
    nanoseconds: i64,
}

impl TaiTime {
    /// Makes a moment of the nanoseconds since 1970-01-01T00:00:00 TAI.
    pub fn from_nanoseconds(nanoseconds: i64) -> TaiTime {
        TaiTime { nanoseconds }
    }

    /// Reads a moment as FITS writes it: `2020-01-20T12:34:56.5`, with or without a time, a fraction and a final `Z`.
    ///
    /// It is `None` for anything else, for years outside 1678 to 2261, and for UTC before 1972, whose seconds were not
    /// those of TAI.
    pub fn parse(text: &str, scale: TimeScale) -> Option<TaiTime> {
        let text = text.trim();
        let text = text.strip_suffix('Z').unwrap_or(text);
        let (date, time) = text.split_once('T').unwrap_or((text, "00:00:00"));
        let mut parts = date.splitn(3, '-');
        let mut next = || number(parts.next()?);
        let (year, month, day) = (next()?, next()?, next()?);
        if !(1678..=2261).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day)
        {
            return None;
        }
        let mut parts = time.splitn(3, ':');
        let mut next = || parts.next();
        let (hour, minute, second) = (number(next()?)?, number(next()?)?, next()?);
        let (second, fraction) = second.split_once('.').unwrap_or((second, ""));
        let second = number(second)?;
        // 60 is a leap second.
        if hour > 24 || minute > 59 || second > 60 {
            return None;
        }
        let days = days_from_date(year, month, day);
        let later = match scale {
            TimeScale::Tai => 0,
            TimeScale::Utc => leap_seconds(days)?.checked_mul(1_000_000_000)?,
            TimeScale::Tt => -32_184_000_000,
        };
        let seconds = (hour * 60 + minute) * 60 + second;
        let nanoseconds = days
            .checked_mul(DAY)?
            .checked_add(seconds * 1_000_000_000 + fraction_of_second(fraction)?)?
            .checked_add(later)?;
        Some(TaiTime { nanoseconds })
    }

    /// Returns the nanoseconds since 1970-01-01T00:00:00 TAI.
    pub fn nanoseconds(self) -> i64 {
        self.nanoseconds
    }

    /// Returns the modified Julian date in TAI, in days.
    pub fn mjd(self) -> f64 {
        let (days, rest) = self.parts();
        (days + EPOCH_MJD) as f64 + rest as f64 / DAY as f64
    }

    /// Returns the whole days since 1970-01-01 and the nanoseconds after them.
    fn parts(self) -> (i64, i64) {
        (
            self.nanoseconds.div_euclid(DAY),
            self.nanoseconds.rem_euclid(DAY),
        )
    }
}

impl fmt::Display for TaiTime {
    /// Writes it as FITS and ISO 8601 do, to the nanosecond: `2020-01-20T12:34:56.000000000`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, rest) = self.parts();
        let (year, month, day) = date_from_days(days);
        let (seconds, fraction) = (rest / 1_000_000_000, rest % 1_000_000_000);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(
            formatter,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:09}"
        )
    }
}

/// Returns a number of nothing but a few digits.
fn number(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.len() <= 9 && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

/// Returns the nanoseconds of the digits behind the point of a second; further digits do not count.
fn fraction_of_second(digits: &str) -> Option<i64> {
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let nine = digits.bytes().chain(std::iter::repeat(b'0')).take(9);
    Some(nine.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
}

/// Returns TAI - UTC on a day, in seconds.
fn leap_seconds(days: i64) -> Option<i64> {
    let since = LEAP_SECONDS
        .iter()
        .rev()
        .find(|(year, month, _)| days_from_date(*year, *month, 1) <= days);
    since.map(|(_, _, seconds)| *seconds)
}

/// Returns the days from 1970-01-01 to a date of the Gregorian calendar (H. Hinnant, chrono-compatible low-level date
/// algorithms): years begin in March, so that the leap day is the last.
fn days_from_date(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let month = (month + 9) % 12;
    let of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Returns the date of a day, counted from 1970-01-01 (the same source).
fn date_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let of_era = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * of_era + of_era / 4 - of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let date = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = of_era + era * 400 + i64::from(month <= 2);
    (year, month, date)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected with astropy 8: `Time('…', scale=…).tai`, its `isot` and `mjd`.
    #[test]
    fn moments_are_those_of_astropy() {
        for (text, scale, iso, mjd) in [
            (
                "2013-11-02T06:01:31.7885",
                TimeScale::Tai,
                "2013-11-02T06:01:31.788500000",
                56598.25106236689,
            ),
            (
                "2016-12-31T23:59:60.5Z",
                TimeScale::Utc,
                "2017-01-01T00:00:36.500000000",
                57754.00042245371,
            ),
            (
                "1972-01-01",
                TimeScale::Utc,
                "1972-01-01T00:00:10.000000000",
                41317.00011574074,
            ),
            (
                "2000-02-29T12:00:00",
                TimeScale::Tt,
                "2000-02-29T11:59:27.816000000",
                51603.49962750001,
            ),
        ] {
            let found = TaiTime::parse(text, scale).unwrap();
            assert_eq!(found.to_string(), iso);
            assert!((found.mjd() - mjd).abs() < 1e-10, "{text}: {}", found.mjd());
        }
    }

    #[test]
    fn days_and_dates_agree_over_centuries() {
        for days in (-106_000..106_000).step_by(7) {
            let (year, month, day) = date_from_days(days);
            assert_eq!(days_from_date(year, month, day), days);
        }
        for nanoseconds in [i64::MIN, -1, 0, 1, i64::MAX] {
            let time = TaiTime::from_nanoseconds(nanoseconds);
            assert_eq!(time.nanoseconds(), nanoseconds);
            let again = TaiTime::parse(&time.to_string(), TimeScale::Tai);
            assert!(again.is_none_or(|again| again == time));
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            "T",
            "2020-13-01",
            "2020-01-01T25:00:00",
            "2020-01-01T00:00:61",
            "2020-01-01T00:00:00.x",
            "20/01/99",
            "9999-01-01",
            "2020-+1-01",
        ] {
            assert_eq!(TaiTime::parse(text, TimeScale::Tai), None, "{text}");
        }
        assert_eq!(TaiTime::parse("1969-12-31T23:59:51Z", TimeScale::Utc), None);
        assert_eq!(TimeScale::named("TDB"), None);
    }
}
