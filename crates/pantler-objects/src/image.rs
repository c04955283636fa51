//! A rectangle of pixels with its place in the parent image and the header that it came with.

use std::any::Any;
use std::sync::{Arc, OnceLock};

use pantler_core::formatter::PixelBox;
use pantler_core::object::ComponentError;
use pantler_core::{Digest, Hasher, Object, ObjectRef, Origin};

use crate::bbox::{Bbox, add_box, describe};
use crate::header_wcs::{has_wcs, is_pixel_origin_card, sky_wcs_cards, without_sky_wcs};
use crate::metadata::{Card, Metadata, carries_value};
use crate::pixels::{Pixels, Statistics};
use crate::synonyms::canonical;
use crate::values::{Values, downcast_arc, optional_difference};
use crate::wcs::Wcs;

/// Pixels that cannot be an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// The number of pixels is not width times height.
    #[error("{pixels} pixels are no image of {width}x{height}")]
    Size {
        /// The number of pixels given.
        pixels: usize,
        /// The width given.
        width: u64,
        /// The height given.
        height: u64,
    },
    /// The rectangle reaches outside the image.
    #[error("{wanted} is not inside {image}")]
    Outside {
        /// The rectangle asked for.
        wanted: String,
        /// What the image covers.
        image: String,
    },
    /// A mask plane has a bit that pixels do not have.
    #[error("the mask plane `{plane}` cannot have the bit {bit}")]
    Bit {
        /// The plane.
        plane: String,
        /// Its bit.
        bit: u8,
    },
}

/// A two-dimensional image.
///
/// Its components are `metadata` (its header), `bbox`, and `wcs` where the header describes coordinates.
#[derive(Debug, Clone)]
pub struct Image {
    bbox: Arc<Bbox>,
    pixels: Pixels,
    header: Arc<Metadata>,
    wcs: OnceLock<Option<Arc<Wcs>>>,
    origin: Option<Origin>,
}

impl Image {
    /// Makes an image of rows of pixels, whose first pixel is (`x0`, `y0`) of the parent.
    pub fn new(
        pixels: impl Into<Pixels>,
        width: u64,
        height: u64,
        x0: i64,
        y0: i64,
    ) -> Result<Image, ImageError> {
        let pixels = pixels.into();
        check_size(pixels.len(), width, height)?;
        Ok(Image {
            bbox: Arc::new(Bbox::new(PixelBox {
                x0,
                y0,
                width,
                height,
            })),
            pixels,
            header: Arc::default(),
            wcs: OnceLock::new(),
            origin: None,
        })
    }

    /// Returns a copy with this header; pixels are shared.
    pub fn with_header(&self, header: Arc<Metadata>) -> Image {
        Image {
            header,
            wcs: OnceLock::new(),
            origin: None,
            ..self.clone()
        }
    }

    /// Returns a copy with the header changed and the origin kept, for changes that take away what another component says.
    pub(crate) fn with_less_header(&self, header: Arc<Metadata>) -> Image {
        let mut copy = self.with_header(header);
        copy.origin.clone_from(&self.origin);
        copy
    }

    /// Returns the rectangle of parent pixels that it covers.
    pub fn pixel_box(&self) -> PixelBox {
        self.bbox.pixels()
    }

    /// Returns the number of columns.
    pub fn width(&self) -> u64 {
        self.pixel_box().width
    }

    /// Returns the number of rows.
    pub fn height(&self) -> u64 {
        self.pixel_box().height
    }

    /// Returns the pixels.
    pub fn pixels(&self) -> &Pixels {
        &self.pixels
    }

    /// Returns the header of its plane or file.
    pub fn header(&self) -> &Arc<Metadata> {
        &self.header
    }

    /// Returns the pixels of a rectangle in parent coordinates, as an image without header; the rows are copied.
    pub fn section(&self, wanted: PixelBox) -> Result<Image, ImageError> {
        let (x, y) = section_start(&self.pixel_box(), &wanted)?;
        // Both sizes fit, as the whole image is in memory and the section lies inside.
        let size = (wanted.width as usize, wanted.height as usize);
        let pixels = self.pixels.section(self.width() as usize, x, y, size);
        Image::new(pixels, wanted.width, wanted.height, wanted.x0, wanted.y0)
    }

    /// Returns what the finite pixels are like; `None` if there is none.
    pub fn statistics(&self) -> Option<Statistics> {
        self.pixels.statistics()
    }

    /// Returns the coordinate system that the header describes; the same one each time.
    pub fn wcs(&self) -> Option<&Arc<Wcs>> {
        let read = || {
            let PixelBox { x0, y0, .. } = self.pixel_box();
            let cards = has_wcs(&self.header).then(|| sky_wcs_cards(&self.header))?;
            let wcs = Wcs::from_header(cards, x0, y0);
            Some(Arc::new(match &self.origin {
                Some(origin) => wcs.at_origin(&origin.component("wcs")),
                None => wcs,
            }))
        };
        self.wcs.get_or_init(read).as_ref()
    }

    /// Returns the same image with a known origin.
    pub fn at_origin(&self, origin: &Origin) -> Image {
        let mut copy = self.with_header(header_at(&self.header, origin));
        copy.bbox = Arc::new(self.bbox.at_origin(&origin.component("bbox")));
        copy.origin = Some(origin.clone());
        copy
    }

    /// Adds geometry, pixels, and the values of the header's cards that `counts` picks.
    pub(crate) fn add_plane(&self, hasher: &mut Hasher, counts: impl Fn(&Card) -> bool) {
        add_box(hasher, &self.pixel_box());
        self.pixels.add_values(hasher);
        let own = |card: &Card| counts(card) && counts_in_plane(&self.header, card);
        self.header.add_values_among(hasher, own);
    }

    /// Returns the first difference, of the headers only among the cards that the filters pick, each in its own.
    pub(crate) fn plane_difference(
        &self,
        counts: impl Fn(&Card) -> bool,
        other: &Image,
        counts_there: impl Fn(&Card) -> bool,
    ) -> Option<String> {
        let (mine, others) = (self.pixel_box(), other.pixel_box());
        if mine != others {
            return Some(format!(
                "covers {} and {}",
                describe(&mine),
                describe(&others)
            ));
        }
        if self.pixels.pixel_type() != other.pixels.pixel_type() {
            let (a, b) = (self.pixels.pixel_type(), other.pixels.pixel_type());
            return Some(format!("has pixels of type {a} and {b}"));
        }
        if let Some((index, values)) = self.pixels.first_difference(&other.pixels) {
            return Some(format!(
                "differs at pixel {}: {values}",
                place(&mine, index)
            ));
        }
        self.header.difference_among(
            |card| counts(card) && counts_in_plane(&self.header, card),
            &other.header,
            |card| counts_there(card) && counts_in_plane(&other.header, card),
        )
    }

    fn unsuitable(component: &str, value: &ObjectRef, why: &str) -> ComponentError {
        ComponentError::Unsuitable {
            class: "Image".to_owned(),
            component: component.to_owned(),
            given: value.class().to_owned(),
            why: why.to_owned(),
        }
    }

    fn with_wcs(&self, value: &ObjectRef) -> Result<Image, ComponentError> {
        let wcs: Arc<Wcs> = downcast_arc(value)
            .ok_or_else(|| Image::unsuitable("wcs", value, "it must be a Wcs"))?;
        let PixelBox { x0, y0, .. } = self.pixel_box();
        let why =
            "an image holds its coordinates as header cards, and this one is an archive record";
        let cards = wcs.header_at(x0, y0);
        let cards = cards.ok_or_else(|| Image::unsuitable("wcs", value, why))?;
        let header = without_sky_wcs(&self.header).followed_by(&cards);
        let image = self.with_header(Arc::new(header));
        Ok(Image {
            wcs: OnceLock::from(Some(wcs)),
            ..image
        })
    }
}

/// Says whether a card of a plane's header says something that the plane itself does not: its origin and mask planes are
/// kept apart.
pub(crate) fn counts_in_plane(header: &Metadata, card: &Card) -> bool {
    carries_value(card)
        && !card.keyword().starts_with("MP_")
        && !is_pixel_origin_card(header, card.keyword())
}

pub(crate) fn check_size(pixels: usize, width: u64, height: u64) -> Result<(), ImageError> {
    if width.checked_mul(height) == Some(pixels as u64) {
        Ok(())
    } else {
        Err(ImageError::Size {
            pixels,
            width,
            height,
        })
    }
}

/// Returns where in the rows of `image` a section starts.
pub(crate) fn section_start(
    image: &PixelBox,
    wanted: &PixelBox,
) -> Result<(usize, usize), ImageError> {
    let inside = |from: i64, size: u64, wanted_from: i64, wanted_size: u64| {
        let start = wanted_from.checked_sub(from)?;
        let start = u64::try_from(start).ok()?;
        (start.checked_add(wanted_size)? <= size).then_some(start as usize)
    };
    let x = inside(image.x0, image.width, wanted.x0, wanted.width);
    let y = inside(image.y0, image.height, wanted.y0, wanted.height);
    x.zip(y).ok_or_else(|| ImageError::Outside {
        wanted: describe(wanted),
        image: describe(image),
    })
}

/// Returns the parent coordinates of a pixel in words: `(12, 3)`.
pub(crate) fn place(image: &PixelBox, index: usize) -> String {
    let width = image.width.max(1);
    let (x, y) = (index as u64 % width, index as u64 / width);
    format!(
        "({}, {})",
        image.x0.saturating_add_unsigned(x),
        image.y0.saturating_add_unsigned(y)
    )
}

/// Returns the header of something at `origin`, with an origin of its own unless it has one.
pub(crate) fn header_at(header: &Arc<Metadata>, origin: &Origin) -> Arc<Metadata> {
    match header.origin() {
        Some(_) => Arc::clone(header),
        None => Arc::new(header.at_origin(&origin.component("metadata"))),
    }
}

impl Values for Image {
    fn add_values(&self, hasher: &mut Hasher) {
        self.add_plane(hasher, |_| true);
    }

    fn differs_from(&self, other: &Image) -> Option<String> {
        self.plane_difference(|_| true, other, |_| true)
    }

    fn memory_bytes(&self) -> u64 {
        self.pixels.memory() + self.header.memory_bytes()
    }
}

impl Object for Image {
    fn class(&self) -> &str {
        "Image"
    }

    fn memory(&self) -> u64 {
        self.memory_bytes()
    }

    fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    fn with_origin(&self, origin: &Origin) -> ObjectRef {
        Arc::new(self.at_origin(origin))
    }

    fn component_names(&self) -> Vec<String> {
        let wcs = self.wcs().map(|_| "wcs".to_owned());
        ["metadata", "bbox"]
            .map(str::to_owned)
            .into_iter()
            .chain(wcs)
            .collect()
    }

    fn component(&self, name: &str) -> Option<ObjectRef> {
        match canonical(name) {
            "metadata" => Some(self.header.clone()),
            "bbox" => Some(self.bbox.clone()),
            "wcs" => self.wcs().map(|wcs| Arc::clone(wcs) as ObjectRef),
            _ => None,
        }
    }

    fn with_component(&self, name: &str, value: &ObjectRef) -> Result<ObjectRef, ComponentError> {
        match canonical(name) {
            "metadata" => match downcast_arc::<Metadata>(value) {
                Some(header) => Ok(Arc::new(self.with_header(header))),
                None => Err(Image::unsuitable(name, value, "it must be Metadata")),
            },
            "wcs" => Ok(Arc::new(self.with_wcs(value)?)),
            "bbox" => Err(Image::unsuitable(name, value, "it follows from the pixels")),
            _ => Err(ComponentError::Unknown {
                class: "Image".to_owned(),
                component: name.to_owned(),
                known: ["metadata", "bbox", "wcs"].map(str::to_owned).to_vec(),
            }),
        }
    }

    fn sharing(&self, share: &mut dyn FnMut(&str, ObjectRef) -> ObjectRef) -> ObjectRef {
        let mut copy = self.clone();
        copy.header = shared("metadata", &self.header, share);
        copy.bbox = shared("bbox", &self.bbox, share);
        if let Some(wcs) = self.wcs() {
            copy.wcs = OnceLock::from(Some(shared("wcs", wcs, share)));
        }
        Arc::new(copy)
    }

    fn digest_values(&self) -> Digest {
        crate::values::digest("Image", self)
    }

    fn difference(&self, other: &dyn Object) -> Option<String> {
        crate::values::difference(self, other)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Returns what `share` gives for a part, or the part itself where that is of another class.
pub(crate) fn shared<T: Object>(
    name: &str,
    mine: &Arc<T>,
    share: &mut dyn FnMut(&str, ObjectRef) -> ObjectRef,
) -> Arc<T> {
    let given = share(name, Arc::clone(mine) as ObjectRef);
    downcast_arc(&given).unwrap_or_else(|| Arc::clone(mine))
}

/// Returns the difference between two optional parts of one class.
pub(crate) fn part_difference<T: Object>(
    name: &str,
    mine: Option<&Arc<T>>,
    other: Option<&Arc<T>>,
) -> Option<String> {
    let as_object = |part: &Arc<T>| Arc::clone(part) as ObjectRef;
    optional_difference(
        name,
        mine.map(as_object).as_ref(),
        other.map(as_object).as_ref(),
    )
}

#[cfg(test)]
mod tests;
