//! Numbers and angles for people.

/// Returns a number with six digits that count.
pub fn short(number: f64) -> String {
    let size = number.abs();
    if number == 0.0 {
        "0".to_owned()
    } else if (1e-3..1e6).contains(&size) {
        let digits = (5 - size.log10().floor() as i32).clamp(0, 8) as usize;
        let text = format!("{number:.digits$}");
        match text.contains('.') {
            true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
            false => text,
        }
    } else {
        format!("{number:.5e}")
    }
}

/// Returns a right ascension in degrees as hours, minutes and seconds: `10:00:23.196`.
pub fn hours(degrees: f64) -> String {
    // In thousandths of a second, so that 59.9996 seconds become a minute.
    let all = (degrees.rem_euclid(360.0) * 240_000.0).round() as u64 % 86_400_000;
    let (minutes, thousandths) = (all / 60_000, all % 60_000);
    format!(
        "{:02}:{:02}:{:02}.{:03}",
        minutes / 60,
        minutes % 60,
        thousandths / 1000,
        thousandths % 1000
    )
}

/// Returns a declination in degrees as degrees, minutes and seconds: `+02:11:54.24`.
pub fn degrees(degrees: f64) -> String {
    let all = (degrees.abs() * 360_000.0).round() as u64;
    let sign = if degrees < 0.0 && all > 0 { '-' } else { '+' };
    let (minutes, hundredths) = (all / 6000, all % 6000);
    format!(
        "{sign}{:02}:{:02}:{:02}.{:02}",
        minutes / 60,
        minutes % 60,
        hundredths / 100,
        hundredths % 100
    )
}

/// Returns an angle in arcseconds in the unit that suits it.
pub fn angle(arcseconds: f64) -> String {
    match arcseconds {
        small if small < 60.0 => format!("{} arcsec", short(small)),
        middle if middle < 3600.0 => format!("{:.2} arcmin", middle / 60.0),
        large => format!("{:.2} deg", large / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_keep_their_size() {
        for (number, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (-2.5, "-2.5"),
            (1234.5678, "1234.57"),
            (123_456.7, "123457"),
            (0.001_234_567, "0.00123457"),
            (1e9, "1.00000e9"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(short(number), text);
        }
    }

    #[test]
    fn angles_carry_into_minutes() {
        assert_eq!(hours(150.096_651), "10:00:23.196");
        assert_eq!(hours(359.999_999_9), "00:00:00.000");
        assert_eq!(hours(-15.0), "23:00:00.000");
        assert_eq!(degrees(2.198_400_5), "+02:11:54.24");
        assert_eq!(degrees(-0.000_001), "+00:00:00.00");
        assert_eq!(degrees(-0.999_999_99), "-01:00:00.00");
        assert_eq!(angle(0.2), "0.2 arcsec");
        assert_eq!(angle(90.0), "1.50 arcmin");
        assert_eq!(angle(7200.0), "2.00 deg");
    }
}
