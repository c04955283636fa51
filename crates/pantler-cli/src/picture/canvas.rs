//! A sheet of coloured pixels with the few things that are drawn on it: rectangles, smooth lines, dots.
//!
//! Places are counted from the left and from the top, in pixels; the middle of the first pixel is at (0.5, 0.5). What would
//! fall outside the sheet is cut off, so whoever draws need not check. Letters are in [`super::letters`].

/// Red, green and blue.
pub type Colour = [u8; 3];

/// The colour of the sheet.
pub const PAPER: Colour = [255, 255, 255];
/// The colour of letters and axes.
pub const INK: Colour = [34, 34, 34];
/// The colour of what is less important.
pub const FAINT: Colour = [110, 110, 110];
/// The colour of grid lines.
pub const GRID: Colour = [225, 225, 225];

/// A sheet of pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canvas {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

impl Canvas {
    /// Makes a sheet of one colour.
    pub fn new(width: usize, height: usize, colour: Colour) -> Canvas {
        Canvas {
            width,
            height,
            rgb: colour.repeat(width * height),
        }
    }

    /// Returns the number of columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Returns the number of rows.
    pub fn height(&self) -> usize {
        self.height
    }

    fn place(&self, x: i64, y: i64) -> Option<usize> {
        let (x, y) = (usize::try_from(x).ok()?, usize::try_from(y).ok()?);
        (x < self.width && y < self.height).then(|| (y * self.width + x) * 3)
    }

    /// Returns the colour of a pixel, which must be on the sheet.
    pub fn at(&self, x: usize, y: usize) -> Colour {
        let at = (y * self.width + x) * 3;
        [self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]]
    }

    /// Colours a pixel.
    pub fn set(&mut self, x: i64, y: i64, colour: Colour) {
        if let Some(at) = self.place(x, y) {
            self.rgb[at..at + 3].copy_from_slice(&colour);
        }
    }

    /// Lays a colour over a pixel; `share` from 0 (nothing of it is seen) to 1 (nothing else is).
    pub fn lay(&mut self, x: i64, y: i64, colour: Colour, share: f64) {
        if let Some(at) = self.place(x, y) {
            let under = [self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]];
            self.rgb[at..at + 3].copy_from_slice(&mixed(under, colour, share));
        }
    }

    /// Fills a rectangle.
    pub fn fill(&mut self, x: i64, y: i64, width: i64, height: i64, colour: Colour) {
        for row in y.max(0)..(y + height).min(self.height as i64) {
            for column in x.max(0)..(x + width).min(self.width as i64) {
                self.set(column, row, colour);
            }
        }
    }

    /// Draws the border of a rectangle, one pixel wide, around these pixels.
    pub fn border(&mut self, x: i64, y: i64, width: i64, height: i64, colour: Colour) {
        self.fill(x - 1, y - 1, width + 2, 1, colour);
        self.fill(x - 1, y + height, width + 2, 1, colour);
        self.fill(x - 1, y, 1, height, colour);
        self.fill(x + width, y, 1, height, colour);
    }

    /// Draws a smooth line.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), thickness: f64, colour: Colour) {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = dx.hypot(dy).max(1e-9);
        let reach = thickness / 2.0 + 1.0;
        let (left, right) = (from.0.min(to.0) - reach, from.0.max(to.0) + reach);
        let (top, bottom) = (from.1.min(to.1) - reach, from.1.max(to.1) + reach);
        for y in top.floor() as i64..=bottom.ceil() as i64 {
            for x in left.floor() as i64..=right.ceil() as i64 {
                let (px, py) = (x as f64 + 0.5 - from.0, y as f64 + 0.5 - from.1);
                let along = ((px * dx + py * dy) / (length * length)).clamp(0.0, 1.0);
                let away = (px - along * dx).hypot(py - along * dy);
                self.lay(x, y, colour, thickness / 2.0 + 0.5 - away);
            }
        }
    }

    /// Draws an arrow that ends in a point at `to`.
    pub fn arrow(&mut self, from: (f64, f64), to: (f64, f64), colour: Colour) {
        self.line(from, to, 2.0, colour);
        let back = (from.1 - to.1).atan2(from.0 - to.0);
        for side in [-0.45, 0.45] {
            let end = (
                to.0 + 9.0 * (back + side).cos(),
                to.1 + 9.0 * (back + side).sin(),
            );
            self.line(to, end, 2.0, colour);
        }
    }

    /// Draws a round dot.
    pub fn dot(&mut self, at: (f64, f64), radius: f64, colour: Colour, share: f64) {
        let reach = radius + 1.0;
        for y in (at.1 - reach).floor() as i64..=(at.1 + reach).ceil() as i64 {
            for x in (at.0 - reach).floor() as i64..=(at.0 + reach).ceil() as i64 {
                let away = (x as f64 + 0.5 - at.0).hypot(y as f64 + 0.5 - at.1);
                self.lay(x, y, colour, share * (radius + 0.5 - away).clamp(0.0, 1.0));
            }
        }
    }

    /// Returns the sheet as a PNG file.
    pub fn png(&self) -> Result<Vec<u8>, String> {
        let side = |side: usize| u32::try_from(side).map_err(|error| error.to_string());
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, side(self.width)?, side(self.height)?);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().map_err(|error| error.to_string())?;
        writer
            .write_image_data(&self.rgb)
            .map_err(|error| error.to_string())?;
        writer.finish().map_err(|error| error.to_string())?;
        Ok(bytes)
    }
}

/// Returns a colour with so much of another over it.
pub fn mixed(under: Colour, over: Colour, share: f64) -> Colour {
    let share = share.clamp(0.0, 1.0);
    let mix = |under: u8, over: u8| {
        // Between the two, so it fits.
        (f64::from(under) + (f64::from(over) - f64::from(under)) * share).round() as u8
    };
    std::array::from_fn(|channel| mix(under[channel], over[channel]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_falls_outside_is_cut_off() {
        let mut canvas = Canvas::new(4, 3, PAPER);
        canvas.fill(-5, -5, 100, 100, INK);
        canvas.line((-10.0, 1.0), (50.0, 1.0), 2.0, FAINT);
        canvas.dot((400.0, -3.0), 5.0, FAINT, 1.0);
        assert_eq!(canvas.at(0, 2), INK);
        assert_eq!(canvas.at(3, 0), FAINT);
    }

    #[test]
    fn a_border_is_outside_its_rectangle() {
        let mut canvas = Canvas::new(6, 6, PAPER);
        canvas.border(2, 2, 2, 2, INK);
        assert_eq!((canvas.at(1, 1), canvas.at(4, 4)), (INK, INK));
        assert_eq!((canvas.at(2, 2), canvas.at(3, 3)), (PAPER, PAPER));
    }

    #[test]
    fn colours_mix_by_their_share() {
        assert_eq!(mixed([0, 100, 200], [100, 0, 200], 0.25), [25, 75, 200]);
        assert_eq!(mixed([1, 2, 3], [9, 9, 9], 7.0), [9, 9, 9]);
    }

    #[test]
    fn the_file_can_be_read_back() {
        let mut canvas = Canvas::new(5, 3, PAPER);
        canvas.set(4, 2, [1, 2, 3]);
        let bytes = canvas.png().expect("it is a picture");
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes))
            .read_info()
            .expect("it is a PNG");
        let mut rgb = vec![0; reader.output_buffer_size().expect("it fits")];
        let info = reader.next_frame(&mut rgb).expect("it has one frame");
        assert_eq!((info.width, info.height), (5, 3));
        assert_eq!(rgb, canvas.rgb);
    }
}
