//! How an image lies on the sky: where its middle and its corners are, how large it is, how it is turned.

use pantler_core::formatter::PixelBox;
use pantler_objects::{Wcs, WcsError};

/// Directions and scale in the middle of an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Orientation {
    /// Towards north: a direction of length 1, x to the right and y upwards.
    pub north: (f64, f64),
    /// Towards east.
    pub east: (f64, f64),
    /// The side of a square as large as a pixel, in arcseconds.
    pub scale: f64,
    /// The angle from north to the columns' direction (upwards), through east, in degrees from 0 to 360.
    pub position_angle: f64,
}

/// Where an image lies on the sky; positions are in degrees, in the coordinate system's own frame.
#[derive(Debug, Clone, PartialEq)]
pub struct OnSky {
    /// What the coordinates are: the classes of a record, or the header's projection.
    pub form: String,
    /// The reference frame; `None` where it is not said.
    pub frame: Option<String>,
    /// The position of the middle.
    pub centre: (f64, f64),
    /// Directions and scale in the middle.
    pub orientation: Orientation,
    /// Width and height in arcseconds, through the middle; NaN if an edge has no position.
    pub size: (f64, f64),
    /// The corners, from that of the first pixel on along the first row; `None` if one has no position.
    pub corners: Option<[(f64, f64); 4]>,
}

impl Orientation {
    /// Looks at the middle of some pixels of the parent image.
    pub fn of(wcs: &Wcs, pixels: PixelBox) -> Result<Orientation, WcsError> {
        let (x, y) = middle(pixels);
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
            position_angle: b.atan2(d).to_degrees().rem_euclid(360.0),
        })
    }

    /// Says whether east is to the right of north, as on a map and not as on the sky.
    pub fn is_mirrored(&self) -> bool {
        self.north.0 * self.east.1 - self.north.1 * self.east.0 < 0.0
    }
}

/// Returns where some pixels of the parent image lie on the sky.
pub fn on_sky(wcs: &Wcs, pixels: PixelBox) -> Result<OnSky, WcsError> {
    let orientation = Orientation::of(wcs, pixels)?;
    let (x, y) = middle(pixels);
    let (half_width, half_height) = (pixels.width as f64 / 2.0, pixels.height as f64 / 2.0);
    let ends = [
        (x - half_width, y),
        (x + half_width, y),
        (x, y - half_height),
        (x, y + half_height),
        (x, y),
    ];
    let sky = wcs.pixel_to_sky(&ends)?;
    Ok(OnSky {
        form: form(wcs),
        frame: wcs.reference_frame()?,
        centre: sky[4],
        orientation,
        size: (separation(sky[0], sky[1]), separation(sky[2], sky[3])),
        corners: wcs.footprint(pixels).ok(),
    })
}

/// Returns the middle of some pixels; that of the first pixel is its number.
fn middle(pixels: PixelBox) -> (f64, f64) {
    (
        pixels.x0 as f64 + (pixels.width as f64 - 1.0) / 2.0,
        pixels.y0 as f64 + (pixels.height as f64 - 1.0) / 2.0,
    )
}

fn form(wcs: &Wcs) -> String {
    if let Some(record) = wcs.carrier().persisted() {
        return format!("{} record", record.class());
    }
    let cards = wcs.carrier().header();
    let types = ["CTYPE1", "CTYPE2"].map(|keyword| {
        let text = cards.and_then(|cards| cards.get_text(keyword));
        text.unwrap_or("?").trim().to_owned()
    });
    format!("header, {}", types.join(" "))
}

/// Returns how far two positions in degrees are from each other, in arcseconds (the haversine formula).
fn separation(one: (f64, f64), other: (f64, f64)) -> f64 {
    let half = |a: f64, b: f64| ((b - a).to_radians() / 2.0).sin().powi(2);
    let cosines = one.1.to_radians().cos() * other.1.to_radians().cos();
    let chord = half(one.1, other.1) + cosines * half(one.0, other.0);
    2.0 * chord.sqrt().min(1.0).asin().to_degrees() * 3600.0
}

#[cfg(test)]
mod tests {
    use pantler_objects::Metadata;

    use super::*;

    const PIXELS: PixelBox = PixelBox {
        x0: 0,
        y0: 0,
        width: 100,
        height: 200,
    };

    /// A gnomonic projection with pixels of 0.2 arcseconds, whose y axis is turned from north, mirrored or not.
    fn wcs(degrees: f64, mirrored: bool) -> Wcs {
        let (sin, cos) = degrees.to_radians().sin_cos();
        let (pixel, flip) = (0.2 / 3600.0, if mirrored { 1.0 } else { -1.0 });
        let cards = Metadata::default()
            .with("CTYPE1", "RA---TAN", None)
            .with("CTYPE2", "DEC--TAN", None)
            .with("CRVAL1", 359.9999, None)
            .with("CRVAL2", 60.0, None)
            .with("CRPIX1", 50.5, None)
            .with("CRPIX2", 100.5, None)
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
    fn directions_are_those_of_the_matrix() {
        let plain = Orientation::of(&wcs(0.0, false), PIXELS).expect("it has a position");
        assert!(close(plain.north, (0.0, 1.0)) && close(plain.east, (-1.0, 0.0)));
        assert!((plain.scale - 0.2).abs() < 1e-6 && !plain.is_mirrored());
        let mirrored = Orientation::of(&wcs(0.0, true), PIXELS).expect("it has a position");
        assert!(close(mirrored.north, (0.0, 1.0)) && close(mirrored.east, (1.0, 0.0)));
        assert!(mirrored.is_mirrored());
        // Declination grows along (sin 30°, cos 30°), and upwards is 30° from north through east.
        let turned = Orientation::of(&wcs(30.0, false), PIXELS).expect("it has a position");
        assert!(close(turned.north, (0.5, 0.75_f64.sqrt())), "{turned:?}");
        assert!(close(turned.east, (-(0.75_f64.sqrt()), 0.5)), "{turned:?}");
        assert!((turned.position_angle - 30.0).abs() < 1e-4, "{turned:?}");
    }

    #[test]
    fn an_image_is_as_large_as_its_pixels() {
        let found = on_sky(&wcs(0.0, false), PIXELS).expect("it has a position");
        assert!(close(found.centre, (359.9999, 60.0)), "{found:?}");
        assert!((found.size.0 - 20.0).abs() < 1e-5 && (found.size.1 - 40.0).abs() < 1e-5);
        assert_eq!(found.form, "header, RA---TAN DEC--TAN");
        let corners = found.corners.expect("all have positions");
        // East is to the left, so the first corner is the most eastern and the lowest.
        assert!(
            (corners[0].1 - (60.0 - 20.0 / 3600.0)).abs() < 1e-6,
            "{corners:?}"
        );
        assert!((separation(corners[0], corners[1]) - 20.0).abs() < 1e-4);
    }
}
