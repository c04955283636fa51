//! The picture of a table that lists positions on the sky: a dot for each row, east to the left.
//!
//! The columns are found by their names: `ra` with `dec`, `coord_ra` with `coord_dec`, and what else the field calls them.
//! Their unit is that of the table. Where it says none, `coord_…` columns are radians if all of them can be, as the LSST
//! stack's catalogues have them, everything else is degrees, and the axes say what was assumed.

use pantler::objects::Table;

use super::axis::Axis;
use super::canvas::{Canvas, FAINT, GRID, INK, PAPER};
use super::letters::{Anchor, Font};
use super::title::Title;

const LEFT: i64 = 96;
const RIGHT: i64 = 24;
const BELOW: i64 = 68;
const MARGIN: i64 = 16;
/// Neither side of the frame is longer.
const LARGEST: f64 = 640.0;
/// Neither side of the frame is shorter.
const SMALLEST: f64 = 240.0;
/// The colour of dots.
pub const DOT: [u8; 3] = [0, 114, 178];

/// Columns that are right ascension and declination, the surest first.
const NAMES: [(&str, &str); 10] = [
    ("ra", "dec"),
    ("coord_ra", "coord_dec"),
    ("RA", "DEC"),
    ("raj2000", "dej2000"),
    ("RAJ2000", "DEJ2000"),
    ("RA_ICRS", "DE_ICRS"),
    ("ALPHA_J2000", "DELTA_J2000"),
    ("ra", "decl"),
    ("coord.ra", "coord.dec"),
    ("RA", "Dec"),
];

/// Positions on the sky.
#[derive(Debug, Clone, PartialEq)]
pub struct Positions {
    /// Right ascension and declination in degrees.
    pub degrees: Vec<(f64, f64)>,
    /// The rows without a position.
    pub none: u64,
    /// What the axes are called.
    pub labels: (String, String),
}

impl Positions {
    /// Finds the positions of a table; `None` if it lists none.
    pub fn of(table: &Table) -> Option<Positions> {
        NAMES
            .iter()
            .find_map(|names| Positions::in_columns(table, *names))
    }

    fn in_columns(table: &Table, (ra, dec): (&str, &str)) -> Option<Positions> {
        let (x, y) = (table.numbers(ra)?, table.numbers(dec)?);
        let seen = |(ra, dec): &(f64, f64)| ra.is_finite() && dec.is_finite();
        let mut degrees: Vec<(f64, f64)> = x.into_iter().zip(y).filter(seen).collect();
        let (unit, note) = match table.unit(ra).map(str::trim) {
            Some("rad" | "radian" | "radians") => ("rad", ""),
            Some("deg" | "degree" | "degrees") => ("deg", ""),
            Some(other) if !other.is_empty() => return None,
            _ if ra.starts_with("coord") && can_be_radians(&degrees) => {
                ("rad", ", taken for radians")
            }
            _ => ("deg", ", taken for degrees"),
        };
        if unit == "rad" {
            for position in &mut degrees {
                *position = (position.0.to_degrees(), position.1.to_degrees());
            }
        }
        degrees.retain(|(_, dec)| dec.abs() <= 90.0);
        (!degrees.is_empty()).then(|| Positions {
            none: table.rows().saturating_sub(degrees.len()) as u64,
            degrees,
            labels: (format!("{ra} [deg]{note}"), format!("{dec} [deg]")),
        })
    }

    /// Returns a right ascension near which the others are, so that 0 and 360 degrees do not tear them apart.
    fn middle(&self) -> f64 {
        let (mut x, mut y) = (0.0, 0.0);
        for (ra, _) in &self.degrees {
            let (sin, cos) = ra.to_radians().sin_cos();
            (x, y) = (x + cos, y + sin);
        }
        y.atan2(x).to_degrees().rem_euclid(360.0)
    }
}

fn can_be_radians(positions: &[(f64, f64)]) -> bool {
    use std::f64::consts::{FRAC_PI_2, TAU};
    let fits = |(ra, dec): &(f64, f64)| (-TAU..=TAU).contains(ra) && dec.abs() <= FRAC_PI_2;
    positions.iter().all(fits)
}

/// Where things are in the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Places {
    /// From right ascension, which may be beyond 360 degrees or negative, to columns of the picture.
    pub across: Axis,
    /// From declination to rows of the picture.
    pub upwards: Axis,
}

/// Draws them.
pub fn scatter(positions: &Positions, title: &Title) -> (Canvas, Places) {
    let middle = positions.middle();
    let near = |ra: f64| middle + (ra - middle + 540.0).rem_euclid(360.0) - 180.0;
    let placed: Vec<(f64, f64)> = positions
        .degrees
        .iter()
        .map(|(ra, dec)| (near(*ra), *dec))
        .collect();
    let (ras, decs) = (
        range(placed.iter().map(|place| place.0)),
        range(placed.iter().map(|place| place.1)),
    );
    // A degree of right ascension is shorter than one of declination.
    let shrink = ((decs.0 + decs.1) / 2.0).to_radians().cos().max(0.02);
    let (width, height) = sides((ras.1 - ras.0) * shrink, decs.1 - decs.0);
    let top = MARGIN + title.height() + 28;
    let (right, bottom) = (LEFT + width, top + height);
    // Sides are positive, and at most some hundreds.
    let size = ((right + RIGHT) as usize, (bottom + BELOW) as usize);
    let mut canvas = Canvas::new(size.0, size.1, PAPER);
    title.draw(&mut canvas, MARGIN, &subtitle(positions));
    let places = Places {
        across: Axis::new(ras, (right as f64, LEFT as f64)),
        upwards: Axis::new(decs, (bottom as f64, top as f64)),
    };
    draw_axes(
        &mut canvas,
        &places,
        &positions.labels,
        (LEFT, top, width, height),
    );
    let (radius, share) = match placed.len() {
        ..=200 => (3.0, 0.8),
        201..=5_000 => (1.7, 0.6),
        _ => (0.8, 0.4),
    };
    for (ra, dec) in placed {
        let at = (places.across.place(ra), places.upwards.place(dec));
        canvas.dot(at, radius, DOT, share);
    }
    (canvas, places)
}

/// Returns the lowest and the highest number with some room around them.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let ends = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    // A single position gets a field of some arcseconds around it.
    let room = ((ends.1 - ends.0) * 0.04).max(5.0 / 3600.0);
    (ends.0 - room, ends.1 + room)
}

/// Returns width and height of the frame for a field of this shape.
fn sides(width: f64, height: f64) -> (i64, i64) {
    let scale = LARGEST / width.max(height);
    let side = |length: f64| (length * scale).clamp(SMALLEST, LARGEST).round() as i64;
    (side(width), side(height))
}

fn draw_axes(
    canvas: &mut Canvas,
    places: &Places,
    labels: &(String, String),
    (left, top, width, height): (i64, i64, i64, i64),
) {
    let (right, bottom) = (left + width, top + height);
    for (value, label) in places.upwards.ticks((height / 70) as usize) {
        let y = places.upwards.place(value).round() as i64;
        canvas.fill(left, y, width, 1, GRID);
        canvas.write((left - 8, y - 8), &label, Font::Small, Anchor::Right, INK);
    }
    for (value, label) in places.across.ticks((width / 90).max(3) as usize) {
        let x = places.across.place(value).round() as i64;
        canvas.fill(x, top, 1, height, GRID);
        canvas.fill(x, bottom + 1, 1, 5, INK);
        let label = on_circle(value, label);
        canvas.write((x, bottom + 8), &label, Font::Small, Anchor::Middle, INK);
    }
    canvas.border(left, top, width, height, INK);
    let middle = ((left + right) / 2, bottom + 32);
    canvas.write(middle, &labels.0, Font::Small, Anchor::Middle, FAINT);
    canvas.write(
        (MARGIN, top - 20),
        &labels.1,
        Font::Small,
        Anchor::Left,
        FAINT,
    );
}

/// Returns the label of a right ascension as one from 0 to 360 degrees.
fn on_circle(value: f64, label: String) -> String {
    if (0.0..360.0).contains(&value) {
        return label;
    }
    let decimals = label
        .split_once('.')
        .map_or(0, |(_, decimals)| decimals.len());
    format!("{:.decimals$}", value.rem_euclid(360.0))
}

fn subtitle(positions: &Positions) -> String {
    let rows = match positions.degrees.len() {
        1 => "1 position".to_owned(),
        number => format!("{number} positions"),
    };
    match positions.none {
        0 => rows,
        none => format!("{rows}, {none} rows without one"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn positions(degrees: &[(f64, f64)]) -> Positions {
        Positions {
            degrees: degrees.to_vec(),
            none: 0,
            labels: ("ra".to_owned(), "dec".to_owned()),
        }
    }

    #[test]
    fn east_is_left_and_north_is_up() {
        let (canvas, places) = scatter(&positions(&[(10.0, 0.0), (11.0, 1.0)]), &Title::default());
        let at = |ra: f64, dec: f64| {
            let (x, y) = (places.across.place(ra), places.upwards.place(dec));
            canvas.at(x as usize, y as usize)
        };
        assert_ne!(at(10.0, 0.0), PAPER);
        assert_ne!(at(11.0, 1.0), PAPER);
        assert_eq!(at(10.2, 0.9), PAPER);
        assert!(places.across.place(11.0) < places.across.place(10.0));
        assert!(places.upwards.place(1.0) < places.upwards.place(0.0));
    }

    #[test]
    fn the_circle_is_not_torn() {
        let (_, places) = scatter(&positions(&[(359.9, 5.0), (0.1, 5.2)]), &Title::default());
        let apart = places.across.place(-0.1) - places.across.place(0.1);
        assert!(apart.abs() > 100.0, "{apart}");
        assert_eq!(on_circle(-0.25, "-0.25".to_owned()), "359.75");
        assert_eq!(on_circle(12.5, "12.5".to_owned()), "12.5");
    }

    #[test]
    fn one_position_and_poles_are_no_harm() {
        for places in [vec![(10.0, 20.0)], vec![(0.0, 90.0), (180.0, 89.0)]] {
            let (canvas, _) = scatter(&positions(&places), &Title::default());
            assert!(canvas.width() < 1000 && canvas.height() < 1000);
        }
    }
}
