//! Size and shape of the image of a star, from second moments.

use crate::image::Image;

/// The full width at half maximum of a Gaussian whose standard deviation is 1: 2 √(2 ln 2).
const GAUSSIAN_FWHM: f64 = 2.354_820_045_030_949_4;

/// Where the iteration of adaptive moments starts: a round star of about the size of real ones.
const FIRST_GUESS: f64 = 4.0;

/// The iteration halves its error with each step for a Gaussian, so that this is far more than it needs.
const MOST_STEPS: usize = 500;

/// Centre and second moments, in pixels and pixels².
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// The centre, counted from the middle of the image's pixel (0, 0).
    pub x: f64,
    /// The centre, likewise.
    pub y: f64,
    /// The mean of (x - centre)².
    pub xx: f64,
    /// The mean of (y - centre)².
    pub yy: f64,
    /// The mean of (x - centre) · (y - centre).
    pub xy: f64,
}

impl Moments {
    /// Measures the moments of the pixels as they are; `None` if their sum is 0 or not finite.
    ///
    /// Noise and faint wings far from the centre count for much here; [`Moments::adaptive`] does without.
    pub fn plain(image: &Image) -> Option<Moments> {
        weighted(image, (0.0, 0.0), |_, _| 1.0)
    }

    /// Measures the moments of the Gaussian that fits the star: each pixel counts with the weight of that very Gaussian,
    /// found by iteration (Bernstein & Jarvis 2002, AJ 123, 583, section 3.1). `None` if it does not settle.
    ///
    /// A Gaussian star weighted with itself has half its moments, so that each step takes twice what it measured.
    pub fn adaptive(image: &Image) -> Option<Moments> {
        let mut now = Moments {
            x: 0.0,
            y: 0.0,
            xx: FIRST_GUESS,
            yy: FIRST_GUESS,
            xy: 0.0,
        };
        for _ in 0..MOST_STEPS {
            let determinant = now.determinant();
            if !(determinant > 0.0 && now.xx > 0.0) {
                return None;
            }
            let weight = |dx: f64, dy: f64| {
                let distance = now.yy * dx * dx - 2.0 * now.xy * dx * dy + now.xx * dy * dy;
                (-distance / (2.0 * determinant)).exp()
            };
            let found = weighted(image, (now.x, now.y), weight)?;
            let next = Moments {
                // The weight pulls the centre halfway back as well.
                x: now.x + 2.0 * (found.x - now.x),
                y: now.y + 2.0 * (found.y - now.y),
                xx: 2.0 * found.xx,
                yy: 2.0 * found.yy,
                xy: 2.0 * found.xy,
            };
            let change = (next.xx - now.xx).abs() + (next.yy - now.yy).abs();
            let change = change + (next.xy - now.xy).abs();
            let moved = (next.x - now.x).abs() + (next.y - now.y).abs();
            now = next;
            if change < 1e-12 * (now.xx + now.yy) && moved < 1e-12 {
                return Some(now);
            }
        }
        None
    }

    fn determinant(&self) -> f64 {
        self.xx * self.yy - self.xy * self.xy
    }

    /// Returns the radius of the circle with the area of the moments' ellipse: (xx · yy - xy²)^¼, in pixels.
    ///
    /// For a round Gaussian it is the standard deviation.
    pub fn determinant_radius(&self) -> f64 {
        self.determinant().powf(0.25)
    }

    /// Returns √((xx + yy) / 2), in pixels.
    pub fn trace_radius(&self) -> f64 {
        ((self.xx + self.yy) / 2.0).sqrt()
    }

    /// Returns the full width at half maximum of the Gaussian with this determinant radius, in pixels.
    pub fn fwhm(&self) -> f64 {
        GAUSSIAN_FWHM * self.determinant_radius()
    }
}

/// Measures with a weight that depends on the distance from `centre`; second moments are about what it finds as centre in
/// the plain case, and about `centre` where that is close.
fn weighted(
    image: &Image,
    centre: (f64, f64),
    weight: impl Fn(f64, f64) -> f64,
) -> Option<Moments> {
    let size = image.pixel_box();
    let width = size.width.max(1);
    let mut sums = [0.0; 6];
    for index in 0..image.pixels().len() {
        let (column, row) = (index as u64 % width, index as u64 / width);
        let dx = size.x0.saturating_add_unsigned(column) as f64 - centre.0;
        let dy = size.y0.saturating_add_unsigned(row) as f64 - centre.1;
        let value = image.pixels().get_f64(index)? * weight(dx, dy);
        let terms = [1.0, dx, dy, dx * dx, dy * dy, dx * dy];
        for (sum, term) in sums.iter_mut().zip(terms) {
            *sum += value * term;
        }
    }
    let [flux, x, y, xx, yy, xy] = sums;
    if flux == 0.0 || sums.iter().any(|sum| !sum.is_finite()) {
        return None;
    }
    let (x, y) = (x / flux, y / flux);
    Some(Moments {
        x: centre.0 + x,
        y: centre.1 + y,
        xx: xx / flux - x * x,
        yy: yy / flux - y * y,
        xy: xy / flux - x * y,
    })
}
