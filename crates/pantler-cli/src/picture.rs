//! Pictures of what a dataset or a file holds: images with their masks, tables as histograms or as positions on the sky.
//!
//! ```text
//! drawing ─┬─► framed    pixels ◄─ stretch, planes;  marks (north, east, scale)
//!          ├─► scatter   positions ◄─ columns
//!          └─► histogram
//! canvas, letters, axis, title: what all of them draw with
//! ```
//!
//! Used by `show` and by the demo. The same object gives the same picture, byte for byte; none is larger than about 1400
//! pixels. It decides only what can be seen, and reads nothing.

mod axis;
mod canvas;
mod framed;
mod letters;
mod marks;
mod pixels;
mod planes;
mod stretch;
mod title;

use pantler::ObjectRef;

pub use canvas::Canvas;
pub use planes::plane_colours;
pub use title::Title;

use pixels::Drawn;

/// Why there is no picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoPicture {
    /// The reason.
    pub why: String,
    /// What to do.
    pub hints: Vec<String>,
}

/// Draws an object; of a table the named column, or else the positions that it lists.
pub fn drawing(object: &ObjectRef, title: &Title) -> Result<Canvas, NoPicture> {
    if let Some(drawn) = Drawn::of(object) {
        return Ok(framed::framed(&drawn, title).0);
    }
    Err(NoPicture {
        why: format!("it is of class {}, which has no pixels", object.class()),
        hints: Vec::new(),
    })
}
