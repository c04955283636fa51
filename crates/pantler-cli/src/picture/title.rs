//! What stands above a picture: what it shows.

use super::canvas::{Canvas, FAINT, INK};
use super::letters::{Anchor, Font};

/// What is drawn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Title {
    /// The dataset with its data ID, or the file.
    pub name: String,
    /// The class of the object.
    pub class: String,
}

impl Title {
    /// Returns how much room it takes.
    pub fn height(&self) -> i64 {
        Font::Title.height() + Font::Small.height() + 4
    }

    /// Writes it, with a second line.
    pub fn draw(&self, canvas: &mut Canvas, margin: i64, second: &str) {
        let room = canvas.width() as i64 - 2 * margin;
        let name: String = self.name.replace(char::is_control, " ");
        let first = Font::Title.fitted(&name, room);
        canvas.write((margin, margin), &first, Font::Title, Anchor::Left, INK);
        let below = (margin, margin + Font::Title.height() + 2);
        let second = Font::Small.fitted(second, room);
        canvas.write(below, &second, Font::Small, Anchor::Left, FAINT);
    }
}
