//! A simulated sky, and what a survey's processing steps would make of exposures of it.
//!
//! The demo and the tests use it, so that both run on any machine without a download. It promises that the same seed gives
//! the same sky, visit by visit and ccd by ccd, and that stars lie where the final coordinates say. It asks no clock and
//! no file. It is no instrument model: it has what data access cares about, and a sky that looks like one.
//!
//! ```text
//! Sky (seed) ─┬─ single_visit(visit, ccd)            pixels, mask, variance, psf; coordinates off by parts of an arcsecond
//!             ├─ jointcal_wcs(visit, ccd, tract)     the coordinates that a joint fit of many visits finds
//!             └─ jointcal_calib(visit, ccd, tract)   the calibration, likewise
//! ```
//!
//! The camera has three columns of ccds (`ccd % 3`) and eleven rows. Tract 0 covers the first two columns, tract 1
//! the last two, so the ccds of the middle column lie in both.

mod components;
mod planes;
mod projection;
mod random;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use pantler_core::ObjectRef;
use pantler_objects::{Component, Exposure, PhotoCalib, Wcs};

use planes::Scene;
use projection::{Projection, from_plane, to_plane};
use random::Random;

/// The centre of the survey, in degrees.
const CENTRE: (f64, f64) = (150.1, 2.2);
/// The size of a pixel, in arcseconds.
const PIXEL_ARCSECONDS: f64 = 0.2;
/// The distance from one ccd to the next, in pixels.
const PITCH: f64 = 4200.0;
/// At 6000 pixels from the axis stars are displaced by half a pixel.
const DISTORTION: f64 = 0.5 / (6000.0 * 6000.0 * 6000.0);
/// The counts of a source of magnitude 0 on the clearest night: magnitude 30 gives one.
const COUNTS_OF_MAGNITUDE_0: f64 = 1e12;
/// The faintest stars.
const FAINTEST: f64 = 24.0;
/// Stars are strewn over the sky by cells of this many degrees.
const CELL: f64 = 0.01;

/// What random numbers are for; each purpose has its own.
#[derive(Debug, Clone, Copy)]
enum Purpose {
    Star = 1,
    Pointing,
    Seeing,
    Transparency,
    WcsError,
    CalibError,
    JointWcsError,
    JointCalibError,
    Noise,
    BadColumn,
    CosmicRay,
}

/// A star as one exposure sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Star {
    /// Right ascension in degrees.
    pub ra: f64,
    /// Declination in degrees.
    pub dec: f64,
    /// Its magnitude.
    pub magnitude: f64,
    /// The column of its centre; whole numbers are centres of pixels, counted from 0.
    pub x: f64,
    /// The row of its centre.
    pub y: f64,
    /// How many counts the exposure has of it.
    pub counts: f64,
}

/// A sky full of stars, and a telescope that looks at it.
///
/// ```
/// let sky = pantler::simulate::Sky::new(1);
/// let exposure = sky.single_visit(903334, 16, (256, 256));
/// assert!(exposure.wcs().is_some());
/// assert_eq!(sky.tracts(16), [0, 1]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sky {
    seed: u64,
}

impl Sky {
    /// Makes a sky; the same seed makes the same one.
    pub fn new(seed: u64) -> Sky {
        Sky { seed }
    }

    /// Returns what processing one visit by itself leaves of one ccd: `calexp:sfm`.
    ///
    /// `size` is width and height in pixels. Coordinates and calibration are as good as one exposure allows: off by
    /// [`Sky::wcs_error`], and by some percent.
    pub fn single_visit(&self, visit: i64, ccd: i64, size: (u32, u32)) -> Exposure {
        let sigma = self.sigma(visit);
        let scene = Scene {
            seed: self.seed,
            visit,
            ccd,
            width: size.0 as usize,
            height: size.1 as usize,
            stars: &self.stars(visit, ccd, size),
            sigma,
        };
        let planes = scene.planes();
        let axis = self.true_projection(visit, ccd).axis;
        let calib = self.single_visit_calib(visit, ccd);
        let header = components::header(visit, ccd, self.filter(visit), axis, &calib);
        let mut parts: Vec<(&str, ObjectRef)> = components::of_header(&header).into();
        parts.push(("wcs", Arc::new(self.single_visit_wcs(visit, ccd))));
        parts.push(("psf", Arc::new(components::gaussian_psf(sigma))));
        let exposure = Exposure::new(
            Some(planes.image),
            Some(planes.mask),
            Some(planes.variance),
            Arc::new(header),
        )
        .expect("the planes are of one size");
        parts.iter().fold(exposure, |exposure, (name, part)| {
            exposure
                .holding(name, part)
                .expect("each part is of the class that its name has")
        })
    }

    /// Returns the coordinates that processing one visit by itself finds.
    pub fn single_visit_wcs(&self, visit: i64, ccd: i64) -> Wcs {
        let (x, y) = self.wcs_error(visit, ccd);
        let pixels = (x / PIXEL_ARCSECONDS, y / PIXEL_ARCSECONDS);
        self.true_projection(visit, ccd).shifted(pixels).wcs()
    }

    /// Returns the calibration that processing one visit by itself finds: off by up to three percent.
    pub fn single_visit_calib(&self, visit: i64, ccd: i64) -> PhotoCalib {
        let error = self
            .random(Purpose::CalibError, &[visit, ccd])
            .between(-0.03, 0.03);
        let counts = self.true_counts_of_magnitude_0(visit) * (1.0 + error);
        components::calib(counts, 0.03 * counts)
    }

    /// Returns the coordinates that a joint fit of all visits to a tract finds: good to two milliarcseconds.
    pub fn jointcal_wcs(&self, visit: i64, ccd: i64, tract: i64) -> Wcs {
        let mut random = self.random(Purpose::JointWcsError, &[visit, ccd, tract]);
        let mut error = || random.between(-0.001, 0.001) / PIXEL_ARCSECONDS;
        self.true_projection(visit, ccd)
            .shifted((error(), error()))
            .wcs()
    }

    /// Returns the calibration that a joint fit of all visits to a tract finds: off by up to three in a thousand.
    pub fn jointcal_calib(&self, visit: i64, ccd: i64, tract: i64) -> PhotoCalib {
        let mut random = self.random(Purpose::JointCalibError, &[visit, ccd, tract]);
        let counts = self.true_counts_of_magnitude_0(visit) * (1.0 + random.between(-0.003, 0.003));
        components::calib(counts, 0.003 * counts)
    }

    /// Returns the tracts that a ccd lies in.
    pub fn tracts(&self, ccd: i64) -> Vec<i64> {
        match ccd.rem_euclid(3) {
            0 => vec![0],
            1 => vec![0, 1],
            _ => vec![1],
        }
    }

    /// Returns the name of the filter of a visit.
    pub fn filter(&self, visit: i64) -> &'static str {
        if visit % 2 == 0 { "r" } else { "i" }
    }

    /// Returns by how many arcseconds the coordinates of a single visit are off, along the columns and the rows of the
    /// ccd: 0.2 to 0.4 in all.
    pub fn wcs_error(&self, visit: i64, ccd: i64) -> (f64, f64) {
        let mut random = self.random(Purpose::WcsError, &[visit, ccd]);
        let (size, angle) = (
            random.between(0.2, 0.4),
            random.between(0.0, std::f64::consts::TAU),
        );
        (size * angle.cos(), size * angle.sin())
    }

    /// Returns the point spread function of a visit: a Gaussian.
    pub fn psf(&self, visit: i64) -> Component {
        components::gaussian_psf(self.sigma(visit))
    }

    /// Returns the stars whose light falls onto an exposure, and where.
    pub fn stars(&self, visit: i64, ccd: i64, size: (u32, u32)) -> Vec<Star> {
        let projection = self.true_projection(visit, ccd);
        let counts_of_magnitude_0 = self.true_counts_of_magnitude_0(visit);
        let margin = planes::reach(self.sigma(visit));
        let (width, height) = (f64::from(size.0), f64::from(size.1));
        let seen = |at: f64, size: f64| at > -margin && at < size - 1.0 + margin;
        let mut stars = Vec::new();
        for cell in cells(&projection, (width, height), margin) {
            for (ra, dec, magnitude) in self.stars_of_cell(cell) {
                let Some((x, y)) = projection.sky_to_pixel((ra, dec)) else {
                    continue;
                };
                if seen(x, width) && seen(y, height) {
                    // Whole counts, so that the last bit of a machine's logarithm decides nothing.
                    let counts = (counts_of_magnitude_0 * 10_f64.powf(-0.4 * magnitude)).round();
                    stars.push(Star {
                        ra,
                        dec,
                        magnitude,
                        x,
                        y,
                        counts,
                    });
                }
            }
        }
        stars
    }

    /// Returns right ascension, declination and magnitude of the stars in a cell of the sky.
    fn stars_of_cell(&self, (column, row): (i64, i64)) -> Vec<(f64, f64, f64)> {
        let mut random = self.random(Purpose::Star, &[column, row]);
        let star = |_| {
            let across = (column as f64 + random.fraction()) * CELL;
            let up = (row as f64 + random.fraction()) * CELL;
            let (ra, dec) = from_plane(CENTRE, (across, up));
            // Ten times as many stars for every five magnitudes; a fraction of 0 would be an infinitely bright one.
            let magnitude = FAINTEST + (1.0 - random.fraction()).log10() / 0.2;
            (ra, dec, magnitude.max(13.0))
        };
        let count = 8 + self.random(Purpose::Star, &[column, row, 0]).below(15);
        (0..count).map(star).collect()
    }

    /// Returns how this exposure really lies on the sky.
    fn true_projection(&self, visit: i64, ccd: i64) -> Projection {
        let mut random = self.random(Purpose::Pointing, &[visit]);
        let dither = (random.between(-0.005, 0.005), random.between(-0.005, 0.005));
        let (sine, cosine) = random.between(-0.5, 0.5).to_radians().sin_cos();
        let scale = PIXEL_ARCSECONDS / 3600.0;
        let column = ccd.rem_euclid(3) as f64;
        let row = ccd.div_euclid(3).rem_euclid(11) as f64;
        Projection {
            axis: from_plane(CENTRE, dither),
            // The axis meets the middle of ccd 16, the sixth row of the middle column.
            pixel: (PITCH * (1.5 - column) - 100.0, PITCH * (5.5 - row) - 100.0),
            // Right ascension grows to the left.
            matrix: [
                [-scale * cosine, scale * sine],
                [scale * sine, scale * cosine],
            ],
            distortion: DISTORTION,
        }
    }

    /// Returns the width of the point spread function of a visit, in pixels.
    fn sigma(&self, visit: i64) -> f64 {
        self.random(Purpose::Seeing, &[visit]).between(1.6, 2.2)
    }

    fn true_counts_of_magnitude_0(&self, visit: i64) -> f64 {
        COUNTS_OF_MAGNITUDE_0
            * self
                .random(Purpose::Transparency, &[visit])
                .between(0.8, 1.0)
    }

    fn random(&self, purpose: Purpose, of: &[i64]) -> Random {
        let mut parts = vec![purpose as i64];
        parts.extend_from_slice(of);
        Random::of(self.seed, &parts)
    }
}

/// Returns the cells of the sky that an exposure may see, in a defined order.
fn cells(projection: &Projection, (width, height): (f64, f64), margin: f64) -> Vec<(i64, i64)> {
    let wcs = projection.wcs();
    let (right, top) = (width + margin, height + margin);
    let corners = [
        (-margin, -margin),
        (right, -margin),
        (-margin, top),
        (right, top),
    ];
    let sky = wcs
        .pixel_to_sky(&corners)
        .expect("pantler evaluates the gnomonic projection with distortion");
    let offsets: Vec<(f64, f64)> = sky
        .into_iter()
        .filter_map(|sky| to_plane(CENTRE, sky))
        .collect();
    // One more cell on each side: between its corners the edge of a distorted exposure may bulge.
    let range = |of: fn(&(f64, f64)) -> f64| {
        let low = offsets.iter().map(of).fold(f64::INFINITY, f64::min);
        let high = offsets.iter().map(of).fold(f64::NEG_INFINITY, f64::max);
        (low / CELL).floor() as i64 - 1..=(high / CELL).floor() as i64 + 1
    };
    let (columns, rows) = (range(|offset| offset.0), range(|offset| offset.1));
    rows.flat_map(|row| columns.clone().map(move |column| (column, row)))
        .collect()
}
