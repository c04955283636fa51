//! The picture of an image or a mask: the pixels in a frame with their coordinates, and beside it what the colours mean,
//! where north and east are, and how long so many arcseconds are. Nothing is drawn over the pixels but their mask.

use pantler::show::sky::Orientation;

use super::axis::Axis;
use super::canvas::{Canvas, FAINT, INK, PAPER};
use super::letters::{Anchor, Font};
use super::pixels::{Drawn, NO_NUMBER, Plane};
use super::scale_bar::ScaleBar;
use super::title::Title;

/// Around everything.
const MARGIN: i64 = 16;
/// Left of the frame, for the numbers of rows.
const LEFT: i64 = 64;
/// Below the frame, for the numbers of columns.
const BELOW: i64 = 44;
/// Between the frame and what stands beside it.
const GAP: i64 = 24;
/// The width of what stands beside it.
const PANEL: i64 = 232;
/// The length of an arrow.
const ARROW: f64 = 38.0;
const LINE: i64 = 20;

/// Where things are in the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Places {
    /// The upper left pixel of the frame's content.
    pub frame: (i64, i64),
    /// The place from which the arrows start, if there are any.
    pub compass: Option<(i64, i64)>,
    /// The left end of the scale bar, if there is one.
    pub bar: Option<(i64, i64)>,
    /// The upper left pixel of the first mask plane's patch of colour.
    pub planes: (i64, i64),
}

/// Draws it.
pub fn framed(drawn: &Drawn<'_>, title: &Title) -> (Canvas, Places) {
    let planes = drawn.planes();
    let inside = drawn.draw(&planes);
    let (width, height) = (inside.width() as i64, inside.height() as i64);
    let subtitle = subtitle(drawn, title);
    let top = MARGIN + title.height() + 8;
    let frame = (MARGIN + LEFT, top);
    let orientation = drawn
        .wcs
        .and_then(|wcs| Orientation::of(wcs, drawn.pixels).ok());
    let panel = Panel {
        drawn,
        planes: &planes,
        orientation,
        left: frame.0 + width + GAP,
        top,
    };
    let size = (
        panel.left + PANEL + MARGIN,
        (top + height + BELOW).max(panel.bottom()) + MARGIN,
    );
    // Sides are positive, and at most some thousands.
    let mut canvas = Canvas::new(size.0 as usize, size.1 as usize, PAPER);
    title.draw(&mut canvas, MARGIN, &subtitle);
    for y in 0..height {
        for x in 0..width {
            canvas.set(frame.0 + x, frame.1 + y, inside.at(x as usize, y as usize));
        }
    }
    canvas.border(frame.0, frame.1, width, height, INK);
    draw_axes(&mut canvas, drawn, frame, (width, height));
    let places = panel.draw(&mut canvas, frame);
    (canvas, places)
}

fn subtitle(drawn: &Drawn<'_>, title: &Title) -> String {
    let size = format!("{} x {} pixels", drawn.pixels.width, drawn.pixels.height);
    let zoom = drawn.zoom();
    let how = match (zoom.shrink, zoom.grow) {
        (1, 1) => String::new(),
        (1, grow) => format!(", {grow} times enlarged"),
        (shrink, _) => format!(", means of {shrink} x {shrink}"),
    };
    let words = [title.class.as_str(), &size];
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    format!("{}{how}", words.join(", "))
}

/// Labels columns and rows with their numbers in the parent image.
fn draw_axes(
    canvas: &mut Canvas,
    drawn: &Drawn<'_>,
    (left, top): (i64, i64),
    (width, height): (i64, i64),
) {
    let pixels = drawn.pixels;
    let factor = drawn.zoom().factor();
    let (right, bottom) = (left + width, top + height);
    // The middle of the first pixel is its number.
    let ends = |first: i64, size: i64| {
        let start = first as f64 - 0.5;
        (start, start + size as f64 / factor)
    };
    let across = Axis::new(ends(pixels.x0, width), (left as f64, right as f64));
    let upwards = Axis::new(ends(pixels.y0, height), (bottom as f64, top as f64));
    for (value, label) in across.ticks((width / 90).max(1) as usize) {
        if value.fract() == 0.0 {
            let x = across.place(value) as i64;
            canvas.fill(x, bottom + 1, 1, 5, INK);
            canvas.write((x, bottom + 7), &label, Font::Small, Anchor::Middle, INK);
        }
    }
    for (value, label) in upwards.ticks((height / 60).max(1) as usize) {
        if value.fract() == 0.0 {
            let y = upwards.place(value) as i64;
            canvas.fill(left - 6, y, 5, 1, INK);
            canvas.write((left - 9, y - 8), &label, Font::Small, Anchor::Right, INK);
        }
    }
    let middle = (left + width / 2, bottom + 25);
    canvas.write(middle, "x [pixel]", Font::Small, Anchor::Middle, FAINT);
    canvas.write((MARGIN, top - 2), "y", Font::Small, Anchor::Left, FAINT);
}

/// What stands beside the frame.
struct Panel<'a> {
    drawn: &'a Drawn<'a>,
    planes: &'a [Plane],
    orientation: Option<Orientation>,
    left: i64,
    top: i64,
}

impl Panel<'_> {
    fn sky_height(&self) -> i64 {
        if self.orientation.is_some() { 176 } else { 0 }
    }

    fn grey_height(&self) -> i64 {
        if self.drawn.stretch.is_some() { 84 } else { 0 }
    }

    fn entries(&self) -> i64 {
        self.planes.len() as i64 + i64::from(self.drawn.no_numbers() > 0)
    }

    fn bottom(&self) -> i64 {
        self.top + self.sky_height() + self.grey_height() + (self.entries() + 2) * LINE
    }

    fn draw(&self, canvas: &mut Canvas, frame: (i64, i64)) -> Places {
        let mut places = Places {
            frame,
            compass: None,
            bar: None,
            planes: (0, 0),
        };
        let mut y = self.top;
        if let Some(orientation) = &self.orientation {
            let centre = (self.left + PANEL / 2, y + 62);
            draw_compass(canvas, orientation, centre);
            places.compass = Some(centre);
            places.bar = self.draw_bar(canvas, orientation, y + 138);
        }
        y += self.sky_height();
        self.draw_greys(canvas, y);
        y += self.grey_height();
        places.planes = self.draw_planes(canvas, y);
        places
    }

    fn draw_bar(
        &self,
        canvas: &mut Canvas,
        orientation: &Orientation,
        y: i64,
    ) -> Option<(i64, i64)> {
        let bar = ScaleBar::of(
            orientation.scale / self.drawn.zoom().factor(),
            (PANEL - 40) as f64,
        )?;
        let length = bar.length.round() as i64;
        let x = self.left + (PANEL - length) / 2;
        canvas.fill(x, y, length, 3, INK);
        canvas.fill(x, y - 4, 2, 11, INK);
        canvas.fill(x + length - 2, y - 4, 2, 11, INK);
        let middle = (self.left + PANEL / 2, y + 8);
        canvas.write(middle, &bar.label, Font::Small, Anchor::Middle, INK);
        Some((x, y))
    }

    fn draw_greys(&self, canvas: &mut Canvas, y: i64) {
        let Some(stretch) = self.drawn.stretch else {
            return;
        };
        let header = self
            .drawn
            .image
            .and_then(|image| image.header().get_text("BUNIT"));
        let unit = header.map(str::trim).filter(|unit| !unit.is_empty());
        let unit = unit.map(|unit| format!(" [{unit}]")).unwrap_or_default();
        let heading = Font::Small.fitted(&format!("pixel values{unit}"), PANEL);
        canvas.write((self.left, y), &heading, Font::Small, Anchor::Left, FAINT);
        for x in 0..PANEL {
            let share = x as f64 / (PANEL - 1) as f64;
            let grey = match stretch.high > stretch.low {
                true => [(share * 255.0).round() as u8; 3],
                false => [128; 3],
            };
            canvas.fill(self.left + x, y + 22, 1, 14, grey);
        }
        canvas.border(self.left, y + 22, PANEL, 14, FAINT);
        let labels = [
            (0, 0.0, Anchor::Left),
            (PANEL / 2, 0.5, Anchor::Middle),
            (PANEL, 1.0, Anchor::Right),
        ];
        for (x, share, anchor) in labels {
            let same = stretch.high <= stretch.low;
            if same && share != 0.5 {
                continue;
            }
            let label = short(stretch.value(share), stretch.high - stretch.low);
            canvas.write((self.left + x, y + 38), &label, Font::Small, anchor, INK);
        }
    }

    fn draw_planes(&self, canvas: &mut Canvas, y: i64) -> (i64, i64) {
        if self.entries() == 0 {
            return (self.left, y);
        }
        let first = (self.left, y + LINE + 2);
        canvas.write(
            (self.left, y),
            "mask planes",
            Font::Small,
            Anchor::Left,
            FAINT,
        );
        // At most 2^53 pixels can be in memory.
        let all = (self.drawn.pixels.width * self.drawn.pixels.height).max(1) as f64;
        let planes = self.planes.iter();
        let mut entries: Vec<(&str, _, u64)> = planes
            .map(|plane| (plane.name.as_str(), plane.colour, plane.count))
            .collect();
        let no_numbers = self.drawn.no_numbers();
        entries.extend((no_numbers > 0).then_some(("(no number)", NO_NUMBER, no_numbers)));
        for (index, (name, colour, count)) in entries.into_iter().enumerate() {
            let y = first.1 + index as i64 * LINE;
            canvas.fill(self.left, y, 14, 14, colour);
            canvas.border(self.left, y, 14, 14, FAINT);
            let percent = percent(count as f64 / all);
            let room = PANEL - 22 - Font::Small.width(&percent) - 8;
            let name = Font::Small.fitted(name, room);
            canvas.write(
                (self.left + 22, y - 1),
                &name,
                Font::Small,
                Anchor::Left,
                INK,
            );
            let right = (self.left + PANEL, y - 1);
            canvas.write(right, &percent, Font::Small, Anchor::Right, FAINT);
        }
        first
    }
}

fn draw_compass(canvas: &mut Canvas, orientation: &Orientation, centre: (i64, i64)) {
    let start = (centre.0 as f64, centre.1 as f64);
    for (direction, letter) in [(orientation.north, "N"), (orientation.east, "E")] {
        // Rows are counted downwards here.
        let at = |length: f64| {
            (
                start.0 + direction.0 * length,
                start.1 - direction.1 * length,
            )
        };
        canvas.arrow(start, at(ARROW), INK);
        let label = at(ARROW + 14.0);
        let place = (label.0.round() as i64, label.1.round() as i64 - 8);
        canvas.write(place, letter, Font::Small, Anchor::Middle, INK);
    }
}

/// Returns a number with the digits that tell it from others this far away.
fn short(number: f64, range: f64) -> String {
    let size = number.abs().max(range.abs());
    if size == 0.0 {
        return "0".to_owned();
    }
    if !(1e-3..1e6).contains(&size) {
        return format!("{number:.2e}");
    }
    let scale = if range > 0.0 { range } else { size };
    let decimals = (2.0 - scale.log10().floor()).clamp(0.0, 6.0) as usize;
    super::axis::unsigned_zero(format!("{number:.decimals$}"))
}

fn percent(share: f64) -> String {
    match share * 100.0 {
        percent if percent >= 99.95 => "100 %".to_owned(),
        percent if percent >= 0.095 => format!("{percent:.1} %"),
        _ => "< 0.1 %".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use pantler::objects::{Image, Mask, Metadata};

    use super::super::canvas::{Colour, mixed};
    use super::super::pixels::OPACITY;
    use super::*;

    const SKY_BLUE: Colour = [86, 180, 233];

    fn titled() -> Title {
        Title {
            name: "calexp   visit=1".to_owned(),
            class: "Image".to_owned(),
        }
    }

    /// 100 x 60 pixels of 0.3 arcseconds, x towards north and y towards east.
    fn image() -> Image {
        let pixel = 0.3 / 3600.0;
        let cards = Metadata::default()
            .with("CTYPE1", "RA---TAN", None)
            .with("CTYPE2", "DEC--TAN", None)
            .with("CRVAL1", 10.0, None)
            .with("CRVAL2", -20.0, None)
            .with("CRPIX1", 50.5, None)
            .with("CRPIX2", 30.5, None)
            .with("CD1_1", 0.0, None)
            .with("CD1_2", pixel, None)
            .with("CD2_1", pixel, None)
            .with("CD2_2", 0.0, None);
        let pixels: Vec<f32> = vec![1.0; 6000];
        let image = Image::new(pixels, 100, 60, 0, 0).expect("as many as the size says");
        image.with_header(Arc::new(cards))
    }

    /// Counts the pixels of ink in a rectangle.
    fn ink(canvas: &Canvas, x: std::ops::Range<i64>, y: std::ops::Range<i64>) -> usize {
        let places = y.flat_map(|y| x.clone().map(move |x| (x as usize, y as usize)));
        places.filter(|(x, y)| canvas.at(*x, *y) == INK).count()
    }

    #[test]
    fn the_bar_is_as_long_as_it_says() {
        let image = image();
        let drawn = Drawn::new(Some(&image), None, None).expect("there are pixels");
        let (canvas, places) = framed(&drawn, &titled());
        let (x, y) = places.bar.expect("there is a WCS");
        let row = (y + 1) as usize;
        let dark = (0..canvas.width()).filter(|x| canvas.at(*x, row) == INK);
        let length = dark.skip_while(|column| *column < x as usize).count();
        // Five pixels of the picture are 0.3 arcseconds: 10 arcseconds are 166.7 of them, 20 do not fit.
        assert_eq!(drawn.zoom().factor(), 5.0);
        assert_eq!(length, 167);
    }

    #[test]
    fn arrows_point_to_north_and_east() {
        let image = image();
        let drawn = Drawn::new(Some(&image), None, None).expect("there are pixels");
        let (canvas, places) = framed(&drawn, &titled());
        let (x, y) = places.compass.expect("there is a WCS");
        let towards_north = ink(&canvas, x + 5..x + 30, y - 1..y + 1);
        let towards_east = ink(&canvas, x - 1..x + 1, y - 30..y - 5);
        assert!(towards_north >= 25 && towards_east >= 25);
        assert_eq!(ink(&canvas, x - 30..x - 5, y - 3..y + 3), 0);
        assert_eq!(ink(&canvas, x - 3..x + 3, y + 5..y + 30), 0);
    }

    #[test]
    fn masks_are_seen_in_the_frame_and_explained_beside_it() {
        let image = image();
        let planes = BTreeMap::from([("DETECTED".to_owned(), 5), ("EMPTY".to_owned(), 6)]);
        let mut bits = vec![0; 6000];
        // The pixel (7, 0): the eighth of the lowest row.
        bits[7] = 1 << 5;
        let mask = Mask::new(bits, 100, 60, 0, 0, planes).expect("a sound mask");
        let drawn = Drawn::new(Some(&image), Some(&mask), None).expect("there are pixels");
        let (canvas, places) = framed(&drawn, &titled());
        let at = |x: i64, row: i64| {
            let place = (
                places.frame.0 + x * 5 + 2,
                places.frame.1 + 300 - 3 - row * 5,
            );
            canvas.at(place.0 as usize, place.1 as usize)
        };
        assert_eq!(at(7, 0), mixed([128; 3], SKY_BLUE, OPACITY));
        assert_eq!((at(6, 0), at(7, 1)), ([128; 3], [128; 3]));
        let (x, y) = places.planes;
        assert_eq!(canvas.at(x as usize + 3, y as usize + 3), SKY_BLUE);
        let below = canvas.at(x as usize + 3, y as usize + 3 + LINE as usize);
        assert_eq!(below, PAPER, "a plane without pixels is not listed");
    }

    #[test]
    fn without_coordinates_there_is_no_compass() {
        let plain = Image::new(vec![1.0_f32; 4], 2, 2, 0, 0).expect("as many as the size says");
        let drawn = Drawn::new(Some(&plain), None, None).expect("there are pixels");
        let (_, places) = framed(&drawn, &titled());
        assert_eq!((places.compass, places.bar), (None, None));
    }

    #[test]
    fn shares_are_told_shortly() {
        let told = [1.0, 0.5, 0.001, 0.000_1].map(percent);
        assert_eq!(told, ["100 %", "50.0 %", "0.1 %", "< 0.1 %"]);
    }
}
