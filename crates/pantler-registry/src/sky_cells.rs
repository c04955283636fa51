//! Which cells of the sky a footprint or a region touches: the coarse half of a search by position.
//!
//! The cells are those of HEALPix (Górski et al. 2005, ApJ 622, 759) in the nested numbering, at one depth, so that a cell is
//! a number and a region is a few ranges of numbers. Of the whole of HEALPix only the centres of cells are needed: from the
//! twelve base cells down, a cell is kept if its centre is no farther from the shape than a cell's corners are from its centre.
//! What is said here is never too little; whether two really touch is for [`Footprint::overlaps`] to say.

use std::ops::Range;

use pantler_core::expression::Region;
use pantler_core::sky::{Footprint, SkyPolygon, separation};

/// Cells of 0.46 degrees: a detector of the usual size touches a handful.
const DEPTH: u32 = 7;

/// No corner of a cell is farther from its centre, in radians, times the number of cells along the side of a base cell. The
/// paper's geometry gives 0.841 for the base cells and at most 0.92 below them.
const REACH: f64 = 1.0;

/// Returns the ranges of cells that a footprint touches, in ascending order.
pub(crate) fn cells_of(footprint: &Footprint) -> Vec<Range<u64>> {
    let polygon = SkyPolygon::new(footprint.corners());
    // Corners that are no polygon make no footprint, so there is always one.
    polygon.map_or_else(Vec::new, |polygon| {
        within_reach(&|ra, dec| polygon.distance_to(ra, dec))
    })
}

/// Returns the ranges of cells that a region touches; `None` where that cannot be told.
pub(crate) fn ranges_of(region: &Region) -> Option<Vec<Range<u64>>> {
    match region {
        Region::Circle { ra, dec, radius } => Some(within_reach(&|cell_ra, cell_dec| {
            separation((*ra, *dec), (cell_ra, cell_dec)) - radius.to_radians()
        })),
        // One that is not convex is for whoever evaluates it to refuse.
        Region::Polygon(corners) => {
            let polygon = SkyPolygon::new(corners)?;
            Some(within_reach(&|ra, dec| polygon.distance_to(ra, dec)))
        }
        Region::Tract(_) => None,
    }
}

/// The cells that a shape may touch, by the distance of positions (degrees) from it in radians.
fn within_reach(distance: &dyn Fn(f64, f64) -> f64) -> Vec<Range<u64>> {
    let mut ranges = Vec::new();
    for base in 0..12 {
        descend(0, base, distance, &mut ranges);
    }
    ranges
}

fn descend(
    depth: u32,
    cell: u64,
    distance: &dyn Fn(f64, f64) -> f64,
    ranges: &mut Vec<Range<u64>>,
) {
    let (ra, dec) = centre(depth, cell);
    if distance(ra, dec) > REACH / f64::from(1u32 << depth) {
        return;
    }
    if depth < DEPTH {
        for child in 0..4 {
            descend(depth + 1, 4 * cell + child, distance, ranges);
        }
        return;
    }
    match ranges.last_mut() {
        Some(last) if last.end == cell => last.end += 1,
        _ => ranges.push(cell..cell + 1),
    }
}

/// Returns the centre of a cell in degrees: the paper's equations 4 to 9, with the ring counted from the north and the place in
/// it from the column and the row inside the base cell.
fn centre(depth: u32, cell: u64) -> (f64, f64) {
    let side = 1i64 << depth;
    let (base, inside) = (cell >> (2 * depth), cell & ((1 << (2 * depth)) - 1));
    let (x, y) = (every_other_bit(inside), every_other_bit(inside >> 1));
    let (row, column) = ((base / 4) as i64, (base % 4) as i64);
    let ring = (row + 2) * side - x - y - 1;
    // Base cells of the middle row are centred on multiples of 90 degrees, the others half-way between.
    let eighth = if row == 1 { 2 * column } else { 2 * column + 1 };
    let third = 1.0 / (3.0 * (side * side) as f64);
    let (in_quarter, height, shift) = if ring < side {
        (ring, 1.0 - (ring * ring) as f64 * third, 0)
    } else if ring > 3 * side {
        let from_south = 4 * side - ring;
        (
            from_south,
            (from_south * from_south) as f64 * third - 1.0,
            0,
        )
    } else {
        let height = (2 * side - ring) as f64 * 2.0 / (3.0 * side as f64);
        (side, height, (ring - side) & 1)
    };
    let place = (eighth * in_quarter + x - y + 1 + shift).div_euclid(2);
    let turns = (place as f64 - 0.5 * (shift + 1) as f64) / (4.0 * in_quarter as f64);
    (
        (turns * 360.0).rem_euclid(360.0),
        height.asin().to_degrees(),
    )
}

fn every_other_bit(bits: u64) -> i64 {
    (0..=DEPTH).fold(0, |sum, bit| sum | (((bits >> (2 * bit)) & 1) << bit)) as i64
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
        assert!((1..=9).contains(&cells), "{cells}");
    }

    #[test]
    fn centres_are_where_other_software_has_them() {
        // astropy-healpix 2.0.1.
        const EXPECTED: [(u32, u64, f64, f64); 35] = [
            (0, 0, 45.000000000000, 41.810314895779),
            (0, 1, 135.000000000000, 41.810314895779),
            (0, 2, 225.000000000000, 41.810314895779),
            (0, 3, 315.000000000000, 41.810314895779),
            (0, 4, 0.000000000000, 0.000000000000),
            (0, 5, 90.000000000000, 0.000000000000),
            (0, 6, 180.000000000000, 0.000000000000),
            (0, 7, 270.000000000000, 0.000000000000),
            (0, 8, 45.000000000000, -41.810314895779),
            (0, 9, 135.000000000000, -41.810314895779),
            (0, 10, 225.000000000000, -41.810314895779),
            (0, 11, 315.000000000000, -41.810314895779),
            (1, 0, 45.000000000000, 19.471220634491),
            (1, 3, 45.000000000000, 66.443535690899),
            (1, 5, 157.500000000000, 41.810314895779),
            (1, 17, 22.500000000000, 0.000000000000),
            (1, 30, 247.500000000000, 0.000000000000),
            (1, 47, 315.000000000000, -19.471220634491),
            (3, 0, 45.000000000000, 4.780191847199),
            (3, 63, 45.000000000000, 84.149732936297),
            (3, 100, 123.750000000000, 35.685334712652),
            (3, 257, 5.625000000000, -30.000000000000),
            (3, 333, 95.625000000000, -9.594068226860),
            (3, 500, 281.250000000000, 14.477512185930),
            (3, 767, 315.000000000000, -4.780191847199),
            (7, 0, 45.000000000000, 0.298416867487),
            (7, 1, 45.351562500000, 0.596841830507),
            (7, 16383, 45.000000000000, 89.634516504772),
            (7, 16384, 135.000000000000, 0.298416867487),
            (7, 70000, 30.937500000000, -9.291553238770),
            (7, 81920, 90.000000000000, -41.411188638099),
            (7, 100001, 181.757812500000, -20.105509787916),
            (7, 131071, 270.000000000000, 41.411188638099),
            (7, 150000, 125.136986301370, -63.072619386982),
            (7, 196607, 315.000000000000, -0.298416867487),
        ];
        for (depth, cell, ra, dec) in EXPECTED {
            let found = centre(depth, cell);
            assert!(
                (found.0 - ra).abs() < 1e-9 && (found.1 - dec).abs() < 1e-9,
                "{depth} {cell}: {found:?}"
            );
        }
    }
}
