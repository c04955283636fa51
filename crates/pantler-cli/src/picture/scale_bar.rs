//! The bar that says how long so many arcseconds are in a picture.

/// A bar of a round length on the sky.
#[derive(Debug, Clone, PartialEq)]
pub struct ScaleBar {
    /// How long it is in the picture.
    pub length: f64,
    /// How long it is on the sky.
    pub label: String,
}

impl ScaleBar {
    /// Returns the longest bar of a round length that fits; `scale` are the arcseconds of a pixel of the picture.
    pub fn of(scale: f64, room: f64) -> Option<ScaleBar> {
        const ROUND: [f64; 6] = [1.0, 2.0, 5.0, 10.0, 20.0, 30.0];
        let longest = scale * room;
        for (unit, arcseconds) in [("deg", 3600.0), ("arcmin", 60.0), ("arcsec", 1.0)] {
            let found = ROUND
                .iter()
                .rev()
                .find(|length| **length * arcseconds <= longest);
            if let Some(length) = found {
                return Some(ScaleBar {
                    length: length * arcseconds / scale,
                    label: format!("{length} {unit}"),
                });
            }
        }
        let decimals = (-longest.log10().floor()).clamp(0.0, 9.0) as usize;
        let power = 10_f64.powf(longest.log10().floor());
        let lengths = [5.0, 2.0, 1.0].map(|round| round * power);
        let length = lengths
            .into_iter()
            .find(|length| *length <= longest * (1.0 + 1e-9))?;
        Some(ScaleBar {
            length: length / scale,
            label: format!("{length:.decimals$} arcsec"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_round_and_fit() {
        let bar = |scale: f64| ScaleBar::of(scale, 100.0).expect("there is one");
        for (scale, length, label) in [
            (0.2, 100.0, "20 arcsec"),
            (0.4, 75.0, "30 arcsec"),
            (0.7, 60.0 / 0.7, "1 arcmin"),
            (100.0, 72.0, "2 deg"),
            (0.001, 100.0, "0.1 arcsec"),
        ] {
            let found = bar(scale);
            assert_eq!(found.label, label, "{scale}");
            assert!(
                (found.length - length).abs() < 1e-9,
                "{scale} {}",
                found.length
            );
        }
        assert_eq!(ScaleBar::of(f64::NAN, 100.0), None);
    }
}
