//! Which cells of the sky a footprint or a region touches: the coarse half of a search by position.
//!
//! The cells are those of HEALPix (Górski et al. 2005, ApJ 622, 759) in the nested numbering, at one depth, so that a cell is
//! a number and a region is a few ranges of numbers. What is said here is never too little; whether two really touch is for
//! [`Footprint::overlaps`] to say.

use std::ops::Range;

use cdshealpix::nested;
use pantler_core::expression::Region;
use pantler_core::sky::Footprint;

/// Cells of 0.46 degrees: a detector of the usual size touches one to four.
const DEPTH: u8 = 7;

/// Added to radii, in radians: as much as the arithmetic here and in the exact test may differ.
const MARGIN: f64 = 1e-9;

/// Returns the ranges of cells that a footprint touches, in ascending order.
pub(crate) fn cells_of(footprint: &Footprint) -> Vec<Range<u64>> {
    polygon(footprint.corners())
}

/// Returns the ranges of cells that a region touches; `None` where that cannot be told.
pub(crate) fn ranges_of(region: &Region) -> Option<Vec<Range<u64>>> {
    match region {
        Region::Circle { ra, dec, radius } => {
            let (longitude, latitude) = radians(&(*ra, *dec));
            let radius = radius.to_radians() + MARGIN;
            let covered = nested::cone_coverage_approx(DEPTH, longitude, latitude, radius);
            Some(covered.to_ranges().into_vec())
        }
        // One that is not convex is for whoever evaluates it to refuse.
        Region::Polygon(corners) => Footprint::new(corners).map(|region| cells_of(&region)),
        Region::Tract(_) => None,
    }
}

fn polygon(corners: &[(f64, f64)]) -> Vec<Range<u64>> {
    let corners: Vec<(f64, f64)> = corners.iter().map(radians).collect();
    let covered = nested::polygon_coverage(DEPTH, &corners, true);
    covered.to_ranges().into_vec()
}

/// Longitude in `0..2π` and latitude.
fn radians((ra, dec): &(f64, f64)) -> (f64, f64) {
    (ra.rem_euclid(360.0).to_radians(), dec.to_radians())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meet(a: &[Range<u64>], b: &[Range<u64>]) -> bool {
        a.iter()
            .any(|a| b.iter().any(|b| a.start < b.end && b.start < a.end))
    }

    #[test]
    fn what_touches_shares_a_cell_everywhere_on_the_sky() {
        // A pattern without a period of its own, so that all sorts of places are met.
        let part = |number: u32, step: f64| (f64::from(number) * step).fract();
        let mut touching = 0;
        for number in 0..3000 {
            let (ra, dec) = (
                part(number, 0.754_877_666) * 360.0,
                (part(number, 0.569_840_291) * 2.0 - 1.0)
                    .asin()
                    .to_degrees()
                    * 0.999,
            );
            let size = 0.01 + part(number, 0.618_033_989) * 2.0;
            let wide = size / dec.to_radians().cos();
            let top = (dec + size).min(90.0);
            let corners = [(ra, dec), (ra + wide, dec), (ra + wide, top), (ra, top)];
            let Some(footprint) = Footprint::new(&corners) else {
                continue;
            };
            let cells = cells_of(&footprint);
            assert!(!cells.is_empty());
            let region = Region::Circle {
                ra: ra + (part(number, 0.414_213_562) * 3.0 - 1.0) * wide,
                dec: (dec + (part(number, 0.732_050_808) * 3.0 - 1.0) * size).clamp(-90.0, 90.0),
                radius: part(number, 0.236_067_977) * size,
            };
            if footprint.overlaps(&region) == Some(true) {
                touching += 1;
                let ranges = ranges_of(&region).expect("it is a circle");
                assert!(meet(&cells, &ranges), "{corners:?} {region}");
            }
        }
        assert!(touching > 500, "{touching}");
    }

    #[test]
    fn a_detector_touches_few_cells() {
        let corners = [(150.0, 2.0), (150.2, 2.0), (150.2, 2.1), (150.0, 2.1)];
        let footprint = Footprint::new(&corners).expect("it is convex");
        let cells: u64 = cells_of(&footprint)
            .iter()
            .map(|range| range.end - range.start)
            .sum();
        assert!((1..=4).contains(&cells), "{cells}");
    }
}
