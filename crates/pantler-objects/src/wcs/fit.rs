//! Fits a gnomonic projection with polynomial distortion to any coordinate system, over the pixels of one image.
//!
//! Exported files carry the result, so that astropy and ds9 can evaluate coordinates which only an archive record has.
//! The fit is linear: positions are projected to the plane that touches the sky at the middle of the image, and there a
//! polynomial of the pixels is found by least squares. The order grows until the fit is exact for every purpose, or as far
//! as the convention reaches.

use pantler_core::formatter::PixelBox;

use super::WcsError;
use super::sky::{separation, to_plane};
use super::tan_sip::{Polynomial, TanSip, evaluate, inverse};
use crate::least_squares::least_squares;

/// A fit this good is not improved further: a millionth of an arcsecond.
const GOOD_ENOUGH: f64 = 1e-6;

/// The highest order that the convention allows.
const HIGHEST: u32 = 9;

/// Points along each axis: three for each order, so that the polynomial cannot swing between them.
const POINTS: u32 = 3 * HIGHEST + 1;

/// A fit with its largest error.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fit {
    pub(crate) projection: TanSip,
    /// In arcseconds, at points that the fit did not see.
    pub(crate) largest_residual: f64,
}

/// Positions of many pixels, in degrees.
pub(crate) type PixelsToSky<'a> = &'a dyn Fn(&[(f64, f64)]) -> Vec<(f64, f64)>;

/// The pixels of an image as numbers between -1 and 1, which keeps high powers small.
struct Frame {
    middle: (f64, f64),
    half: (f64, f64),
}

impl Frame {
    fn of(pixels: &PixelBox) -> Frame {
        let half = |size: u64| size.saturating_sub(1) as f64 / 2.0;
        let (x, y) = (half(pixels.width), half(pixels.height));
        Frame {
            middle: (pixels.x0 as f64 + x, pixels.y0 as f64 + y),
            // The outer edges of the pixels count too, and an image of one pixel still has a scale.
            half: ((x + 0.5).max(8.0), (y + 0.5).max(8.0)),
        }
    }

    /// Returns a grid of `count` by `count` points, those at the rim included.
    fn grid(&self, count: u32) -> Vec<(f64, f64)> {
        let place = |index: u32| 2.0 * f64::from(index) / f64::from(count - 1) - 1.0;
        let rows = (0..count).flat_map(|j| (0..count).map(move |i| (place(i), place(j))));
        rows.map(|(s, t)| {
            (
                self.middle.0 + s * self.half.0,
                self.middle.1 + t * self.half.1,
            )
        })
        .collect()
    }

    /// Returns a polynomial of scaled pixels as one of pixels.
    fn unscaled(&self, polynomial: Polynomial) -> Polynomial {
        let scale = |p: u32, q: u32| self.half.0.powi(p as i32) * self.half.1.powi(q as i32);
        let terms = polynomial.into_iter();
        terms
            .map(|(p, q, value)| (p, q, value / scale(p, q)))
            .collect()
    }

    fn scaled(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (
            (x - self.middle.0) / self.half.0,
            (y - self.middle.1) / self.half.1,
        )
    }
}

/// Fits over the pixels of an image.
pub(crate) fn fit(pixels: &PixelBox, to_sky: PixelsToSky<'_>) -> Result<Fit, WcsError> {
    let frame = Frame::of(pixels);
    let crval = to_sky(&[frame.middle]).first().copied();
    let crval = crval.filter(|(ra, dec)| ra.is_finite() && dec.is_finite());
    let crval = crval.ok_or(WcsError::OffSky)?;
    let points = frame.grid(POINTS);
    let projected = to_sky(&points)
        .into_iter()
        .map(|position| to_plane(crval, position));
    let plane: Option<Vec<(f64, f64)>> = projected.collect();
    let plane = plane.ok_or(WcsError::OffSky)?;
    // Points that the fit does not use: another grid, which shares only rim and corners.
    let checks = frame.grid(POINTS + 6);
    let truth = to_sky(&checks);
    let mut best: Option<Fit> = None;
    for order in 1..=HIGHEST {
        let projection = fit_order(&frame, order, &points, &plane, crval)?;
        let residuals = checks.iter().zip(&truth);
        let largest_residual = residuals
            .map(|(pixel, position)| separation(projection.pixel_to_sky(*pixel), *position))
            .fold(0.0, f64::max);
        let better = best
            .as_ref()
            .is_none_or(|known| largest_residual < known.largest_residual);
        if better {
            best = Some(Fit {
                projection,
                largest_residual,
            });
        }
        if best
            .as_ref()
            .is_some_and(|known| known.largest_residual < GOOD_ENOUGH)
        {
            break;
        }
    }
    let mut best = best.ok_or(WcsError::OffSky)?;
    add_way_back(&frame, &points, &mut best.projection)?;
    Ok(best)
}

/// Returns the powers of all terms from `lowest` to `order`.
fn powers(lowest: u32, order: u32) -> Vec<(u32, u32)> {
    let all = (lowest..=order).flat_map(|sum| (0..=sum).map(move |q| (sum - q, q)));
    all.collect()
}

fn fit_order(
    frame: &Frame,
    order: u32,
    points: &[(f64, f64)],
    plane: &[(f64, f64)],
    crval: (f64, f64),
) -> Result<TanSip, WcsError> {
    // The middle is at (0, 0) on the plane by construction, so there is no constant term.
    let powers = powers(1, order);
    let scaled: Vec<(f64, f64)> = points.iter().map(|point| frame.scaled(*point)).collect();
    let (east, north): (Vec<f64>, Vec<f64>) = plane.iter().copied().unzip();
    let [east, north] = fit_terms(&powers, &scaled, [&east, &north])?;
    let terms = |values: Vec<f64>| -> Polynomial {
        let terms = powers.iter().zip(values);
        terms.map(|((p, q), value)| (*p, *q, value)).collect()
    };
    let (east, north) = (frame.unscaled(terms(east)), frame.unscaled(terms(north)));
    let cd = [[east[0].2, east[1].2], [north[0].2, north[1].2]];
    let back = inverse(&cd)?;
    // What is left is CD·(f, g), so the distortion itself is the inverse of CD times it.
    let distortion = |row: [f64; 2]| {
        let pairs = east.iter().zip(&north).skip(2);
        pairs
            .map(|((p, q, x), (_, _, y))| (*p, *q, row[0] * x + row[1] * y))
            .collect()
    };
    Ok(TanSip {
        crpix: frame.middle,
        crval,
        cd,
        a: distortion(back[0]),
        b: distortion(back[1]),
        ap: Vec::new(),
        bp: Vec::new(),
        system: None,
        equinox: None,
    })
}

/// A way back this good is not improved further: a millionth of a pixel.
const GOOD_ENOUGH_BACK: f64 = 1e-6;

/// Adds the polynomials for the way from the sky to pixels, of a higher order where that is needed, as most readers do not
/// iterate.
fn add_way_back(
    frame: &Frame,
    points: &[(f64, f64)],
    projection: &mut TanSip,
) -> Result<(), WcsError> {
    let order = projection
        .a
        .iter()
        .map(|(p, q, _)| p + q)
        .max()
        .unwrap_or(0);
    if order == 0 {
        return Ok(());
    }
    let (mut moved, mut du, mut dv) = (Vec::new(), Vec::new(), Vec::new());
    for (x, y) in points {
        let (u, v) = (x - projection.crpix.0, y - projection.crpix.1);
        let (f, g) = (evaluate(&projection.a, u, v), evaluate(&projection.b, u, v));
        moved.push(((u + f) / frame.half.0, (v + g) / frame.half.1));
        du.push(-f);
        dv.push(-g);
    }
    let mut smallest = f64::INFINITY;
    for order in (order + 1).min(HIGHEST)..=HIGHEST {
        let powers = powers(0, order);
        let [ap, bp] = fit_terms(&powers, &moved, [&du, &dv])?;
        let terms = |values: &[f64]| -> Polynomial {
            let terms = powers.iter().zip(values);
            terms.map(|((p, q), value)| (*p, *q, *value)).collect()
        };
        let (ap, bp) = (terms(&ap), terms(&bp));
        let errors = moved
            .iter()
            .zip(du.iter().zip(&dv))
            .map(|((s, t), (du, dv))| {
                let (x, y) = (evaluate(&ap, *s, *t) - du, evaluate(&bp, *s, *t) - dv);
                x.hypot(y)
            });
        let largest = errors.fold(0.0, f64::max);
        if largest < smallest {
            smallest = largest;
            (projection.ap, projection.bp) = (frame.unscaled(ap), frame.unscaled(bp));
        }
        if smallest < GOOD_ENOUGH_BACK {
            break;
        }
    }
    Ok(())
}

/// Solves two least-squares problems with the same terms.
fn fit_terms(
    powers: &[(u32, u32)],
    points: &[(f64, f64)],
    values: [&[f64]; 2],
) -> Result<[Vec<f64>; 2], WcsError> {
    let terms = powers.iter().map(|(p, q)| {
        let term = |(s, t): &(f64, f64)| s.powi(*p as i32) * t.powi(*q as i32);
        points.iter().map(term).collect()
    });
    least_squares(terms.collect(), values.map(<[f64]>::to_vec)).ok_or(WcsError::NoInverse)
}
