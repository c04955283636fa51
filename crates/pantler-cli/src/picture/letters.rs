//! Letters on a sheet: the bitmaps of one font of equal widths, in two weights and two sizes.

use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

use super::canvas::{Canvas, Colour};

/// How letters look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Font {
    /// Labels.
    Small,
    /// Titles.
    Title,
}

/// Which point of a text stands at the given place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The left end.
    Left,
    /// The middle.
    Middle,
    /// The right end.
    Right,
}

impl Font {
    fn raster(self) -> (FontWeight, RasterHeight) {
        match self {
            Font::Small => (FontWeight::Regular, RasterHeight::Size16),
            Font::Title => (FontWeight::Bold, RasterHeight::Size20),
        }
    }

    /// Returns the height of a line.
    pub fn height(self) -> i64 {
        self.raster().1.val() as i64
    }

    /// Returns the width of a text.
    pub fn width(self, text: &str) -> i64 {
        let (weight, height) = self.raster();
        (text.chars().count() * get_raster_width(weight, height)) as i64
    }

    /// Returns a text that is no wider than this: what is too long loses its middle, as its ends tell most.
    pub fn fitted(self, text: &str, width: i64) -> String {
        let letter = self.width("x").max(1);
        let room = usize::try_from(width / letter).unwrap_or(0);
        let letters: Vec<char> = text.chars().collect();
        if letters.len() <= room {
            return text.to_owned();
        }
        let kept = room.saturating_sub(3);
        let (head, tail) = (kept.div_ceil(2), kept / 2);
        let head: String = letters[..head].iter().collect();
        let tail: String = letters[letters.len() - tail..].iter().collect();
        format!("{head}...{tail}")
    }
}

impl Canvas {
    /// Writes a text whose upper edge is at `y`.
    pub fn write(
        &mut self,
        (x, y): (i64, i64),
        text: &str,
        font: Font,
        anchor: Anchor,
        colour: Colour,
    ) {
        let (weight, height) = font.raster();
        let step = get_raster_width(weight, height) as i64;
        let start = match anchor {
            Anchor::Left => x,
            Anchor::Middle => x - font.width(text) / 2,
            Anchor::Right => x - font.width(text),
        };
        for (index, letter) in text.chars().enumerate() {
            let drawn = get_raster(letter, weight, height)
                .or_else(|| get_raster('?', weight, height))
                .map(|raster| (index as i64 * step + start, raster));
            let Some((left, raster)) = drawn else {
                continue;
            };
            for (row, line) in raster.rows().enumerate() {
                for (column, ink) in line.iter().enumerate().filter(|(_, ink)| **ink > 0) {
                    let share = f64::from(*ink) / 255.0;
                    self.lay(left + column as i64, y + row as i64, colour, share);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::canvas::{INK, PAPER};
    use super::*;

    #[test]
    fn a_long_text_loses_its_middle() {
        let width = Font::Small.width("0123456789");
        assert_eq!(Font::Small.fitted("0123456789", width), "0123456789");
        assert_eq!(Font::Small.fitted("0123456789a", width), "0123...89a");
        assert_eq!(Font::Small.fitted("abc", 0), "...");
    }

    #[test]
    fn letters_leave_ink_where_they_are_anchored() {
        let inked = |anchor: Anchor| {
            let mut canvas = Canvas::new(60, 20, PAPER);
            canvas.write((30, 2), "HH", Font::Small, anchor, INK);
            let columns = (0..60).filter(|x| (0..20).any(|y| canvas.at(*x, y) != PAPER));
            let columns: Vec<usize> = columns.collect();
            (columns[0], columns[columns.len() - 1])
        };
        assert!(inked(Anchor::Left).0 >= 30);
        assert!(inked(Anchor::Right).1 < 30);
        let (left, right) = inked(Anchor::Middle);
        assert!(left < 30 && right > 30);
    }
}
