//! The model of PSFEx: images of the point spread function on a grid finer or coarser than the pixels, and a polynomial
//! of the position that says how much of each.
//!
//! Sources: E. Bertin, "Automated morphometry with SExtractor and PSFEx" (ADASS XX, 2011, ASP Conf. 442, 435) and the
//! manual of PSFEx, "The PSF modelling process". With the scaled position u = (x - offset) / scale, v alike,
//!
//! ```text
//! φ(grid point) = Σ_c  uᵖ⁽ᶜ⁾ vᑫ⁽ᶜ⁾ · component_c(grid point)          p + q ≤ degree; p grows first
//! pixel (i, j)  = Σ_m Σ_n  h(i / step - m) h(j / step - n) · φ(m, n)   counted from the middle of each
//! h(t) = sinc(t) sinc(t / 4) for |t| < 4                               Lanczos-4; the weights of a pixel sum to 1
//! ```
//!
//! so that a `step` of 0.5 makes every second grid point a pixel. The response of a pixel is part of the model: values are
//! taken, not integrated. A record has two catalogs: `_pixstep`, `averagePosition` and sizes; and `group`, `degree`,
//! `_size` (width, height, components), `_comp` (component by component, row by row), `_context_first` (offsets) and
//! `_context_second` (scales). Positions count from 0.

use std::f64::consts::PI;

use super::{Unnormalised, checked_size};
use crate::archive::ArchiveObject;
use crate::decode::{DecodeError, Row};

/// The reach of the interpolation, in grid points.
const REACH: f64 = 4.0;

/// No polynomial of a star field has a higher degree; PSFEx itself allows 10.
const HIGHEST_DEGREE: i32 = 10;

/// The model.
#[derive(Debug, Clone)]
pub(crate) struct Psfex {
    grid: (usize, usize),
    step: f64,
    size: (usize, usize),
    centre: (usize, usize),
    terms: Vec<(i32, i32)>,
    offset: [f64; 2],
    scale: [f64; 2],
    components: Vec<f32>,
}

impl Psfex {
    /// Decodes a record, with the mean position of the stars that the model was made of.
    pub(crate) fn read(object: &ArchiveObject) -> Result<(Psfex, (f64, f64)), DecodeError> {
        let class = object.class();
        let (numbers, arrays) = (Row::only(object, 0)?, Row::only(object, 1)?);
        let wrong = |why: String| DecodeError::damaged(class, why);
        let step = numbers.finite("_pixstep")?;
        if step <= 0.0 {
            return Err(wrong(format!("its _pixstep is {step}")));
        }
        let sizes = arrays.integers("_size")?;
        let (&[width, height], planes) = sizes
            .split_first_chunk::<2>()
            .ok_or_else(|| wrong("its _size is not two or three numbers".to_owned()))?;
        let grid = checked_size(class, (width.into(), height.into()))?;
        let planes = planes
            .first()
            .map_or(Ok(1), |count| usize::try_from(*count));
        let planes = planes.map_err(|_| wrong("its _size has numbers below 0".to_owned()))?;
        let components = arrays.finites("_comp")?;
        if planes.checked_mul(grid.0 * grid.1) != Some(components.len()) {
            let (width, height, values) = (grid.0, grid.1, components.len());
            return Err(wrong(format!(
                "{values} values are no {planes} components of {width}x{height}"
            )));
        }
        let terms = terms(&arrays)?;
        if terms.len() != planes {
            let count = terms.len();
            return Err(wrong(format!(
                "its polynomial has {count} terms for {planes} components"
            )));
        }
        let pair = |column: &str| {
            let values = arrays.finites(column)?;
            <[f64; 2]>::try_from(values)
                .map_err(|_| wrong(format!("its {column} is not two numbers")))
        };
        let (offset, scale) = (pair("_context_first")?, pair("_context_second")?);
        if scale.contains(&0.0) {
            return Err(wrong("a scale of its positions is 0".to_owned()));
        }
        let centre = (grid.0 / 2, grid.1 / 2);
        // As many pixels as fit on the grid, on both sides of the middle one.
        let pixels = |middle: usize| 2.0 * (middle as f64 * step * (1.0 + 1e-6)).floor() + 1.0;
        let size = checked_size(class, (pixels(centre.0) as i64, pixels(centre.1) as i64))?;
        let psfex = Psfex {
            grid,
            step,
            size,
            centre,
            terms,
            offset,
            scale,
            // Files have single precision; keeping it halves the memory and loses nothing.
            components: components.into_iter().map(|value| value as f32).collect(),
        };
        Ok((psfex, numbers.real_point("averagePosition")?))
    }

    /// Says whether it changes over the parent image.
    pub(crate) fn is_varying(&self) -> bool {
        self.terms.len() > 1
    }

    /// Returns the terms of the polynomial at a position, in the order of the components.
    pub(super) fn weights(&self, x: f64, y: f64) -> Vec<f64> {
        let (u, v) = (
            (x - self.offset[0]) / self.scale[0],
            (y - self.offset[1]) / self.scale[1],
        );
        let terms = self.terms.iter();
        terms.map(|(p, q)| u.powi(*p) * v.powi(*q)).collect()
    }

    /// Returns the model on its own grid at a position.
    fn on_grid(&self, x: f64, y: f64) -> Vec<f64> {
        let pixels = self.grid.0 * self.grid.1;
        let mut sum = vec![0.0; pixels];
        let planes = self.components.chunks_exact(pixels);
        for (weight, plane) in self.weights(x, y).into_iter().zip(planes) {
            for (total, value) in sum.iter_mut().zip(plane) {
                *total += weight * f64::from(*value);
            }
        }
        sum
    }

    /// Computes its image at a position of the parent image.
    pub(crate) fn pixels(&self, x: f64, y: f64) -> Unnormalised {
        let grid = self.on_grid(x, y);
        let columns = self.samples(self.size.0, self.centre.0, self.grid.0);
        let rows = self.samples(self.size.1, self.centre.1, self.grid.1);
        let mut values = Vec::with_capacity(self.size.0 * self.size.1);
        for row in &rows {
            // One row of the grid's columns, interpolated to this row of pixels.
            let mut line = vec![0.0; self.grid.0];
            for (index, weight) in row {
                let start = index * self.grid.0;
                for (total, value) in line.iter_mut().zip(&grid[start..start + self.grid.0]) {
                    *total += weight * value;
                }
            }
            for column in &columns {
                values.push(
                    column
                        .iter()
                        .map(|(index, weight)| weight * line[*index])
                        .sum(),
                );
            }
        }
        Unnormalised {
            values,
            size: self.size,
            centre: ((self.size.0 / 2) as i64, (self.size.1 / 2) as i64),
        }
    }

    /// Returns which grid points make up each pixel of a line, and how much of each.
    fn samples(&self, pixels: usize, middle: usize, points: usize) -> Vec<Vec<(usize, f64)>> {
        let sample = |pixel: usize| {
            let place = (pixel as f64 - (pixels / 2) as f64) / self.step + middle as f64;
            let first = (place - REACH).ceil().max(0.0) as usize;
            let end = ((place + REACH).floor() as usize + 1).min(points);
            let weighted = |point: usize| (point, lanczos(place - point as f64));
            let found: Vec<(usize, f64)> = (first..end).map(weighted).collect();
            let sum: f64 = found.iter().map(|(_, weight)| weight).sum();
            found
                .into_iter()
                .map(|(point, weight)| (point, weight / sum))
                .collect()
        };
        (0..pixels).map(sample).collect()
    }
}

/// The kernel of Lanczos-4 interpolation.
fn lanczos(t: f64) -> f64 {
    let sinc = |t: f64| match PI * t {
        0.0 => 1.0,
        angle => angle.sin() / angle,
    };
    match t.abs() < REACH {
        true => sinc(t) * sinc(t / REACH),
        false => 0.0,
    }
}

/// Returns the powers of x and y of each component: all that the degree of their group allows, x growing first.
fn terms(arrays: &Row<'_>) -> Result<Vec<(i32, i32)>, DecodeError> {
    let [x, y] = <[i32; 2]>::try_from(arrays.integers("group")?).map_err(|_| {
        DecodeError::unsupported(arrays.class(), "it depends on something else than x and y")
    })?;
    let degrees = arrays.integers("degree")?;
    let degree = |group: i32| {
        let found = usize::try_from(group)
            .ok()
            .and_then(|group| degrees.get(group));
        found
            .copied()
            .filter(|degree| (0..=HIGHEST_DEGREE).contains(degree))
            .ok_or_else(|| {
                DecodeError::damaged(arrays.class(), "a group has no degree from 0 to 10")
            })
    };
    let (of_x, of_y) = (degree(x)?, degree(y)?);
    let allowed = |p: i32, q: i32| x != y || p + q <= of_x;
    let powers = (0..=of_y).flat_map(|q| (0..=of_x).map(move |p| (p, q)));
    Ok(powers.filter(|(p, q)| allowed(*p, *q)).collect())
}
