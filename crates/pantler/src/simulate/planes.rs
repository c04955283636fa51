//! The pixels of a simulated exposure: stars, noise, and what is wrong with which pixel.
//!
//! They are as single-visit processing leaves them: in counts, the background subtracted, defects interpolated over and
//! flagged. Stars are drawn only where they are and rows get their noise side by side, so that large exposures are quick.

use std::collections::BTreeMap;
use std::sync::Arc;

use pantler_objects::{Image, Mask};
use rayon::prelude::*;

use super::random::Random;
use super::{Purpose, Star};

/// The variance of a pixel without a star, in square counts: the background's photons and the readout.
pub(super) const EMPTY_VARIANCE: f32 = 120.0;
/// Where pixels are full, in counts.
pub(super) const SATURATION: f32 = 60_000.0;
/// How wide the border is that is flagged.
const EDGE: usize = 5;

const BAD: i32 = 1;
const SAT: i32 = 1 << 1;
const INTRP: i32 = 1 << 2;
const CR: i32 = 1 << 3;
const EDGE_FLAG: i32 = 1 << 4;
const DETECTED: i32 = 1 << 5;

/// The mask planes, with the bits that the field's cameras give them.
const PLANES: [(&str, u8); 9] = [
    ("BAD", 0),
    ("SAT", 1),
    ("INTRP", 2),
    ("CR", 3),
    ("EDGE", 4),
    ("DETECTED", 5),
    ("DETECTED_NEGATIVE", 6),
    ("SUSPECT", 7),
    ("NO_DATA", 8),
];

/// What the planes of one exposure depend on.
pub(super) struct Scene<'a> {
    pub seed: u64,
    pub visit: i64,
    pub ccd: i64,
    pub width: usize,
    pub height: usize,
    pub stars: &'a [Star],
    /// The width of the point spread function, in pixels.
    pub sigma: f64,
}

/// The three planes.
pub(super) struct Planes {
    pub image: Arc<Image>,
    pub mask: Arc<Mask>,
    pub variance: Arc<Image>,
}

impl Scene<'_> {
    /// Draws the planes.
    pub(super) fn planes(&self) -> Planes {
        let mut image = self.starlight();
        let mut mask = vec![0_i32; image.len()];
        let mut variance = vec![0_f32; image.len()];
        let row = self.width.max(1);
        image
            .par_chunks_mut(row)
            .zip(mask.par_chunks_mut(row))
            .zip(variance.par_chunks_mut(row))
            .enumerate()
            .for_each(|(y, ((image, mask), variance))| self.expose_row(y, image, mask, variance));
        self.flag_bad_columns(&mut image, &mut mask);
        self.flag_cosmic_rays(&mut mask);
        let (width, height) = (self.width as u64, self.height as u64);
        let names: BTreeMap<String, u8> = PLANES
            .iter()
            .map(|(name, bit)| ((*name).to_owned(), *bit))
            .collect();
        let plane = |pixels: Vec<f32>| {
            Image::new(pixels, width, height, 0, 0).expect("there are width times height pixels")
        };
        Planes {
            image: Arc::new(plane(image)),
            mask: Arc::new(
                Mask::new(mask, width, height, 0, 0, names)
                    .expect("there are width times height pixels, and nine planes fit 32 bits"),
            ),
            variance: Arc::new(plane(variance)),
        }
    }

    /// Returns the light of the stars, without noise.
    fn starlight(&self) -> Vec<f32> {
        let mut light = vec![0_f32; self.width * self.height];
        let reach = reach(self.sigma);
        for star in self.stars {
            let (columns, across) = profile(star.x, reach, self.width, self.sigma);
            let (rows, up) = profile(star.y, reach, self.height, self.sigma);
            let peak = star.counts / (std::f64::consts::TAU * self.sigma * self.sigma);
            for (y, up) in rows.zip(up) {
                let line = &mut light[y * self.width..][..self.width];
                for (pixel, across) in line[columns.clone()].iter_mut().zip(&across) {
                    *pixel += (peak * up * across) as f32;
                }
            }
        }
        light
    }

    fn expose_row(&self, y: usize, image: &mut [f32], mask: &mut [i32], variance: &mut [f32]) {
        let purpose = [Purpose::Noise as i64, self.visit, self.ccd, y as i64];
        let mut random = Random::of(self.seed, &purpose);
        let border = |at: usize, size: usize| at < EDGE || at + EDGE >= size;
        let detection = 3.0 * EMPTY_VARIANCE.sqrt();
        for (x, ((pixel, flags), variance)) in image.iter_mut().zip(mask).zip(variance).enumerate()
        {
            let light = *pixel;
            *variance = EMPTY_VARIANCE + light;
            *pixel = light + variance.sqrt() * random.noise();
            if light >= SATURATION {
                *pixel = SATURATION;
                *flags |= SAT | INTRP;
            }
            if light > detection {
                *flags |= DETECTED;
            }
            if border(x, self.width) || border(y, self.height) {
                *flags |= EDGE_FLAG;
            }
        }
    }

    /// Replaces some columns by the mean of their neighbours, as repairing does.
    fn flag_bad_columns(&self, image: &mut [f32], mask: &mut [i32]) {
        const EVERY: usize = 512;
        for block in 0..self.width.div_ceil(EVERY) {
            // The defects belong to the ccd, whatever the visit.
            let purpose = [Purpose::BadColumn as i64, self.ccd, block as i64];
            let x = block * EVERY + Random::of(self.seed, &purpose).below(EVERY as u64) as usize;
            if x == 0 || x + 1 >= self.width {
                continue;
            }
            for y in 0..self.height {
                let at = y * self.width + x;
                image[at] = (image[at - 1] + image[at + 1]) / 2.0;
                mask[at] |= BAD | INTRP;
            }
        }
    }

    /// Flags short tracks whose pixels have been repaired.
    fn flag_cosmic_rays(&self, mask: &mut [i32]) {
        const EVERY: usize = 256;
        for cell_y in 0..self.height.div_ceil(EVERY) {
            for cell_x in 0..self.width.div_ceil(EVERY) {
                let purpose = [
                    Purpose::CosmicRay as i64,
                    self.visit,
                    self.ccd,
                    cell_x as i64,
                    cell_y as i64,
                ];
                let mut random = Random::of(self.seed, &purpose);
                let x = (cell_x * EVERY) as f64 + random.between(0.0, EVERY as f64);
                let y = (cell_y * EVERY) as f64 + random.between(0.0, EVERY as f64);
                let (dx, dy) = (random.between(-1.0, 1.0), random.between(-1.0, 1.0));
                for step in 0..4 + random.below(16) {
                    let (x, y) = (x + dx * step as f64, y + dy * step as f64);
                    if x >= 0.0
                        && y >= 0.0
                        && (x as usize) < self.width
                        && (y as usize) < self.height
                    {
                        mask[y as usize * self.width + x as usize] |= CR | INTRP;
                    }
                }
            }
        }
    }
}

/// Returns how many pixels from its centre a star is drawn: beyond that the brightest ones are far below the noise.
pub(super) fn reach(sigma: f64) -> f64 {
    (6.0 * sigma).ceil()
}

/// Returns the pixels within reach of a star along one axis, with the star's profile there.
fn profile(centre: f64, reach: f64, size: usize, sigma: f64) -> (std::ops::Range<usize>, Vec<f64>) {
    let start = ((centre - reach).ceil().max(0.0) as usize).min(size);
    let end = ((centre + reach).floor() + 1.0).max(0.0) as usize;
    let pixels = start..end.clamp(start, size);
    let values = pixels.clone().map(|pixel| {
        let offset = (pixel as f64 - centre) / sigma;
        (-0.5 * offset * offset).exp()
    });
    let values = values.collect();
    (pixels, values)
}
