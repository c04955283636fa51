//! Images that have to be computed before they can be drawn: of a star, from a point spread function, and of a background.
//!
//! Called by `drawing` for objects without pixels of their own. The pixels are those that [`Psf::image_at`] and
//! [`Background::image`] give; nothing is fitted or smoothed here.

use pantler::ObjectRef;
use pantler::core::object::downcast;
use pantler::objects::{Background, Component, Image, Moments, Psf};

use super::NoPicture;
use super::stretch::Stretch;

/// A larger background is not computed for a picture, in pixels: 8192 x 8192.
const MOST_PIXELS: u64 = 1 << 26;

/// An image that stands for an object.
#[derive(Debug)]
pub struct Computed {
    /// Its pixels.
    pub image: Image,
    /// How they are stretched; `None` for the percentiles that all images have.
    pub stretch: Option<Stretch>,
    /// What it is, for the second line of the title.
    pub what: String,
}

impl Computed {
    /// Computes the image of an object; `None` if its class has none.
    ///
    /// A point spread function is that of the mean position of the stars that it was made of. Models that do not tell it
    /// are the same everywhere.
    pub fn of(object: &ObjectRef) -> Option<Result<Computed, NoPicture>> {
        if let Some(background) = downcast::<Background>(object.as_ref()) {
            return Some(of_background(background));
        }
        let component = downcast::<Component>(object.as_ref())?;
        (object.class() == "Psf").then(|| of_psf(component))
    }
}

fn of_psf(component: &Component) -> Result<Computed, NoPicture> {
    let psf = Psf::of(component).map_err(refused)?;
    let position = psf.average_position();
    let (x, y) = position.unwrap_or((0.0, 0.0));
    let image = psf.image_at(x, y).map_err(refused)?;
    let place = match position {
        Some(_) => format!(" at ({x:.1}, {y:.1})"),
        None => String::new(),
    };
    let width = match Moments::adaptive(&image) {
        Some(moments) => format!(", FWHM {:.2} pixels", moments.fwhm()),
        None => String::new(),
    };
    Ok(Computed {
        stretch: Stretch::to_the_peak(&image),
        what: format!("{}{place}{width}", psf.class()),
        image,
    })
}

fn of_background(background: &Background) -> Result<Computed, NoPicture> {
    let bbox = background
        .bbox()
        .ok_or_else(|| refused("the background has no layers"))?;
    let pixels = bbox.width.checked_mul(bbox.height);
    if pixels.is_none_or(|pixels| pixels > MOST_PIXELS) {
        return Err(refused(format!(
            "a background of {} x {} pixels is too large for a picture, which has at most {MOST_PIXELS}",
            bbox.width, bbox.height
        )));
    }
    let layers = match background.layers().len() {
        1 => "1 layer".to_owned(),
        several => format!("sum of {several} layers"),
    };
    Ok(Computed {
        image: background.image(bbox).map_err(refused)?,
        stretch: None,
        what: format!("Background, {layers}"),
    })
}

fn refused(why: impl ToString) -> NoPicture {
    NoPicture {
        why: why.to_string(),
        hints: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pantler::OutsideFile;
    use pantler::formats::FormatterSet;

    use super::super::pixels::Drawn;
    use super::super::{Title, drawing};
    use super::*;

    fn read(file: &str) -> Option<ObjectRef> {
        let file = pantler_testkit::test_data(file)?;
        let formatters = FormatterSet::standard();
        let outside = OutsideFile::open(&formatters, &file).expect("it is a file");
        Some(outside.read_hdu(None, None).expect("it is sound"))
    }

    fn computed(object: &ObjectRef) -> Computed {
        let found = Computed::of(object).expect("its class has an image");
        found.expect("it can be computed")
    }

    #[test]
    fn a_star_is_brightest_where_it_stands_and_the_one_white_pixel() {
        let Some(exposure) = read("exposures/cfht/calexp-849375-12.fits.fz") else {
            return;
        };
        let psf = exposure.component("psf").expect("it has one");
        let star = computed(&psf);
        // The columns averagePosition_x and averagePosition_y of the record.
        assert!(
            star.what.starts_with("PsfexPsf at (947.0, 2455.1), FWHM "),
            "{}",
            star.what
        );
        let mut drawn = Drawn::new(Some(&star.image), None, None).expect("there are pixels");
        drawn.stretch = star.stretch;
        let side = drawn.zoom().grow;
        let picture = drawn.draw(&[]);
        let size = star.image.pixel_box();
        let mut white = Vec::new();
        for row in 0..size.height as usize {
            for column in 0..size.width as usize {
                let y = picture.height() - 1 - row * side;
                if picture.at(column * side, y) == [255; 3] {
                    white.push((column as i64 + size.x0, row as i64 + size.y0));
                }
            }
        }
        assert_eq!(white, [(0, 0)]);
    }

    #[test]
    fn a_background_is_drawn_over_all_of_its_image() {
        let Some(background) = read("exposures/cfht/bkgd-849375-12.fits") else {
            return;
        };
        let image = computed(&background).image;
        // The cards BKGD_WIDTH and BKGD_HEIGHT of the file.
        assert_eq!((image.width(), image.height()), (2048, 4612));
        let canvas = drawing(&background, None, &Title::default()).expect("there is a picture");
        // Means of 5 x 5 pixels, as 1024 are the most.
        assert!(canvas.height() > 4612_usize.div_ceil(5) && canvas.height() < 1400);
    }

    #[test]
    fn a_background_without_layers_has_no_picture() {
        let empty: ObjectRef = Arc::new(Background::new([]));
        let refused = Computed::of(&empty).expect("its class has an image");
        assert_eq!(
            refused.expect_err("there is nothing").why,
            "the background has no layers"
        );
    }

    #[test]
    fn other_components_have_no_image() {
        let Some(exposure) = read("exposures/cfht/calexp-849375-12.fits.fz") else {
            return;
        };
        let detector = exposure.component("detector").expect("it has one");
        assert!(Computed::of(&detector).is_none());
    }
}
