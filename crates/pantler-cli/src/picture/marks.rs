//! What says how a picture lies on the sky: where north and east are, and how long so many arcseconds are.

use pantler::core::formatter::PixelBox;
use pantler::objects::{Wcs, WcsError};

/// Directions and scale in the middle of an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Orientation {
    /// Towards north: a direction of length 1, x to the right and y upwards.
    pub north: (f64, f64),
    /// Towards east.
    pub east: (f64, f64),
    /// The size of a pixel in arcseconds.
    pub scale: f64,
}

impl Orientation {
    /// Looks at the middle of some pixels of the parent image.
    pub fn of(wcs: &Wcs, pixels: PixelBox) -> Result<Orientation, WcsError> {
        let x = pixels.x0 as f64 + (pixels.width as f64 - 1.0) / 2.0;
        let y = pixels.y0 as f64 + (pixels.height as f64 - 1.0) / 2.0;
        // Half a pixel to each side, so that the slopes are those of the middle.
        let around = [
            (x - 0.5, y),
            (x + 0.5, y),
            (x, y - 0.5),
            (x, y + 0.5),
            (x, y),
        ];
        let sky = wcs.pixel_to_sky(&around)?;
        let steps = |from: (f64, f64), to: (f64, f64)| {
            let ra = (to.0 - from.0 + 540.0).rem_euclid(360.0) - 180.0;
            (ra * sky[4].1.to_radians().cos(), to.1 - from.1)
        };
        let ((a, c), (b, d)) = (steps(sky[0], sky[1]), steps(sky[2], sky[3]));
        let area = a * d - b * c;
        // The columns of the inverse of the matrix of slopes are the directions in pixels.
        let unit = |x: f64, y: f64| (x / x.hypot(y), y / x.hypot(y));
        let (north, east) = (
            unit(-b * area.signum(), a * area.signum()),
            unit(d * area.signum(), -c * area.signum()),
        );
        let all = [north.0, north.1, east.0, east.1, area];
        if area == 0.0 || !all.iter().all(|number| number.is_finite()) {
            return Err(WcsError::OffSky);
        }
        Ok(Orientation {
            north,
            east,
            scale: area.abs().sqrt() * 3600.0,
        })
    }
}

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
    use pantler::objects::Metadata;

    use super::*;

    const PIXELS: PixelBox = PixelBox {
        x0: 0,
        y0: 0,
        width: 100,
        height: 100,
    };

    /// A gnomonic projection with pixels of 0.2 arcseconds, turned by an angle from y to x, mirrored or not.
    fn wcs(degrees: f64, mirrored: bool) -> Wcs {
        let (sin, cos) = degrees.to_radians().sin_cos();
        let (pixel, flip) = (0.2 / 3600.0, if mirrored { 1.0 } else { -1.0 });
        let cards = Metadata::default()
            .with("CTYPE1", "RA---TAN", None)
            .with("CTYPE2", "DEC--TAN", None)
            .with("CRVAL1", 359.9999, None)
            .with("CRVAL2", 60.0, None)
            .with("CRPIX1", 50.5, None)
            .with("CRPIX2", 50.5, None)
            .with("CD1_1", flip * pixel * cos, None)
            .with("CD1_2", -flip * pixel * sin, None)
            .with("CD2_1", pixel * sin, None)
            .with("CD2_2", pixel * cos, None);
        Wcs::from_header(cards, 0, 0)
    }

    fn close(a: (f64, f64), b: (f64, f64)) -> bool {
        (a.0 - b.0).hypot(a.1 - b.1) < 1e-4
    }

    #[test]
    fn arrows_point_where_the_coordinates_say() {
        let plain = Orientation::of(&wcs(0.0, false), PIXELS).expect("it has a position");
        assert!(close(plain.north, (0.0, 1.0)) && close(plain.east, (-1.0, 0.0)));
        assert!((plain.scale - 0.2).abs() < 1e-6, "{}", plain.scale);
        let mirrored = Orientation::of(&wcs(0.0, true), PIXELS).expect("it has a position");
        assert!(close(mirrored.north, (0.0, 1.0)) && close(mirrored.east, (1.0, 0.0)));
        // Turned by 30 degrees: declination grows along (sin, cos) of it.
        let turned = Orientation::of(&wcs(30.0, false), PIXELS).expect("it has a position");
        assert!(close(turned.north, (0.5, 0.75_f64.sqrt())), "{turned:?}");
        assert!(close(turned.east, (-(0.75_f64.sqrt()), 0.5)), "{turned:?}");
    }

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
