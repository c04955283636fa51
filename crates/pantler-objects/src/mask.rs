//! Bits that say what is wrong with pixels, by named planes.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use pantler_core::formatter::PixelBox;
use pantler_core::object::ComponentError;
use pantler_core::{Digest, Hasher, Object, ObjectRef, Origin};

use crate::bbox::{Bbox, add_box, describe};
use crate::image::{ImageError, check_size, counts_in_plane, header_at, section_start, shared};
use crate::metadata::{Card, Metadata};
use crate::pixel_buffer::{PixelBuffer, aligned};
use crate::pixels::{add_pixels, section};
use crate::synonyms::canonical;
use crate::values::{Values, downcast_arc};

/// The type in which a file stores a mask; the values are the same in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MaskStorage {
    /// Unsigned, 8 bits.
    U8,
    /// Signed, 16 bits.
    I16,
    /// Unsigned, 16 bits (`BZERO` of 32768).
    U16,
    /// Signed, 32 bits.
    #[default]
    I32,
    /// Unsigned, 32 bits.
    U32,
}

/// The pixels of a mask: a buffer as it is, or numbers that are put into one.
#[derive(Debug)]
pub struct MaskPixels(PixelBuffer<i32>);

impl From<Vec<i32>> for MaskPixels {
    fn from(pixels: Vec<i32>) -> MaskPixels {
        MaskPixels(aligned(pixels))
    }
}

impl From<PixelBuffer<i32>> for MaskPixels {
    fn from(pixels: PixelBuffer<i32>) -> MaskPixels {
        MaskPixels(pixels)
    }
}

/// A mask: 32 bits for each pixel, and the planes' names.
#[derive(Debug, Clone)]
pub struct Mask {
    bbox: Arc<Bbox>,
    pixels: PixelBuffer<i32>,
    planes: Arc<BTreeMap<String, u8>>,
    storage: MaskStorage,
    header: Arc<Metadata>,
    origin: Option<Origin>,
}

impl Mask {
    /// Makes a mask of rows of pixels, whose first pixel is (`x0`, `y0`) of the parent, and of plane names with their bits.
    pub fn new(
        pixels: impl Into<MaskPixels>,
        width: u64,
        height: u64,
        x0: i64,
        y0: i64,
        planes: BTreeMap<String, u8>,
    ) -> Result<Mask, ImageError> {
        let MaskPixels(pixels) = pixels.into();
        check_size(pixels.len(), width, height)?;
        if let Some((plane, bit)) = planes.iter().find(|(_, bit)| **bit > 31) {
            return Err(ImageError::Bit {
                plane: plane.clone(),
                bit: *bit,
            });
        }
        Ok(Mask {
            bbox: Arc::new(Bbox::new(PixelBox {
                x0,
                y0,
                width,
                height,
            })),
            pixels,
            planes: Arc::new(planes),
            storage: MaskStorage::default(),
            header: Arc::default(),
            origin: None,
        })
    }

    /// Returns a copy with this header; pixels are shared.
    pub fn with_header(&self, header: Arc<Metadata>) -> Mask {
        Mask {
            header,
            origin: None,
            ..self.clone()
        }
    }

    /// Returns a copy with the header changed and the origin kept, for changes that take away what another component says.
    pub(crate) fn with_less_header(&self, header: Arc<Metadata>) -> Mask {
        let mut copy = self.with_header(header);
        copy.origin.clone_from(&self.origin);
        copy
    }

    /// Returns a copy that is to be stored in another type; it is the same value, so the origin stays.
    pub fn with_storage(&self, storage: MaskStorage) -> Mask {
        Mask {
            storage,
            ..self.clone()
        }
    }

    /// Returns a copy with other pixels (of the same number) and planes.
    pub fn with_pixels(
        &self,
        pixels: impl Into<MaskPixels>,
        planes: BTreeMap<String, u8>,
    ) -> Result<Mask, ImageError> {
        let PixelBox {
            x0,
            y0,
            width,
            height,
        } = self.pixel_box();
        let mask = Mask::new(pixels, width, height, x0, y0, planes)?;
        Ok(mask
            .with_header(Arc::clone(&self.header))
            .with_storage(self.storage))
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

    /// Returns the pixels, in row-major order.
    pub fn pixels(&self) -> &PixelBuffer<i32> {
        &self.pixels
    }

    /// Returns the planes' names with their bits.
    pub fn planes(&self) -> &BTreeMap<String, u8> {
        &self.planes
    }

    /// Returns the type that it came in.
    pub fn storage(&self) -> MaskStorage {
        self.storage
    }

    /// Returns the header of its plane.
    pub fn header(&self) -> &Arc<Metadata> {
        &self.header
    }

    /// Returns how many pixels have the bit of a plane; `None` if there is no such plane.
    pub fn count(&self, plane: &str) -> Option<u64> {
        let bit = 1_i32 << self.planes.get(plane)?;
        Some(
            self.pixels
                .iter()
                .filter(|pixel| **pixel & bit != 0)
                .count() as u64,
        )
    }

    /// Returns the pixels of a rectangle in parent coordinates, as a mask without header; the rows are copied.
    pub fn section(&self, wanted: PixelBox) -> Result<Mask, ImageError> {
        let (x, y) = section_start(&self.pixel_box(), &wanted)?;
        // Both sizes fit, as the whole mask is in memory and the section lies inside.
        let size = (wanted.width as usize, wanted.height as usize);
        let cut = section(&self.pixels, self.width() as usize, x, y, size);
        let planes = BTreeMap::clone(&self.planes);
        let mask = Mask::new(
            cut,
            wanted.width,
            wanted.height,
            wanted.x0,
            wanted.y0,
            planes,
        )?;
        Ok(mask.with_storage(self.storage))
    }

    /// Returns the same mask with a known origin.
    pub fn at_origin(&self, origin: &Origin) -> Mask {
        let mut copy = self.with_header(header_at(&self.header, origin));
        copy.bbox = Arc::new(self.bbox.at_origin(&origin.component("bbox")));
        copy.origin = Some(origin.clone());
        copy
    }

    /// Adds geometry, planes, pixels, and the values of the header's cards that `counts` picks.
    pub(crate) fn add_plane(&self, hasher: &mut Hasher, counts: impl Fn(&Card) -> bool) {
        add_box(hasher, &self.pixel_box());
        hasher.update(&(self.planes.len() as u64).to_le_bytes());
        for (plane, bit) in self.planes.iter() {
            hasher.field(plane.as_bytes());
            hasher.update(&[*bit]);
        }
        add_pixels(hasher, &self.pixels);
        let own = |card: &Card| counts(card) && counts_in_plane(&self.header, card);
        self.header.add_values_among(hasher, own);
    }

    /// Returns the first difference, of the headers only among the cards that the filters pick, each in its own.
    pub(crate) fn plane_difference(
        &self,
        counts: impl Fn(&Card) -> bool,
        other: &Mask,
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
        let all = self.planes.keys().chain(other.planes.keys());
        let mut differing: Vec<&str> = all
            .filter(|plane| self.planes.get(*plane) != other.planes.get(*plane))
            .map(String::as_str)
            .collect();
        differing.sort_unstable();
        differing.dedup();
        if !differing.is_empty() {
            return Some(format!("mask planes differ: {}", differing.join(", ")));
        }
        if !self.pixels.ptr_eq(&other.pixels)
            && let Some(index) = self
                .pixels
                .iter()
                .zip(other.pixels.iter())
                .position(|(a, b)| a != b)
        {
            let (a, b) = (self.pixels[index], other.pixels[index]);
            return Some(format!(
                "differs at pixel {}: {} and {}",
                crate::image::place(&mine, index),
                self.in_words(a),
                other.in_words(b)
            ));
        }
        self.header.difference_among(
            |card| counts(card) && counts_in_plane(&self.header, card),
            &other.header,
            |card| counts_there(card) && counts_in_plane(&other.header, card),
        )
    }

    /// Returns the names of the planes that a value has, or the bare number where a bit has no name.
    fn in_words(&self, value: i32) -> String {
        let named = self
            .planes
            .iter()
            .filter(|(_, bit)| value & (1 << **bit) != 0);
        let (mut names, mut known) = (Vec::new(), 0);
        for (plane, bit) in named {
            names.push(plane.as_str());
            known |= 1 << bit;
        }
        if names.is_empty() || known != value {
            return value.to_string();
        }
        names.join("+")
    }
}

impl Values for Mask {
    fn add_values(&self, hasher: &mut Hasher) {
        self.add_plane(hasher, |_| true);
    }

    fn differs_from(&self, other: &Mask) -> Option<String> {
        self.plane_difference(|_| true, other, |_| true)
    }

    fn memory_bytes(&self) -> u64 {
        size_of_val(&*self.pixels) as u64 + self.header.memory_bytes()
    }
}

impl Object for Mask {
    fn class(&self) -> &str {
        "Mask"
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
        ["metadata", "bbox"].map(str::to_owned).to_vec()
    }

    fn component(&self, name: &str) -> Option<ObjectRef> {
        match canonical(name) {
            "metadata" => Some(self.header.clone()),
            "bbox" => Some(self.bbox.clone()),
            _ => None,
        }
    }

    fn with_component(&self, name: &str, value: &ObjectRef) -> Result<ObjectRef, ComponentError> {
        let unsuitable = |why: &str| ComponentError::Unsuitable {
            class: "Mask".to_owned(),
            component: name.to_owned(),
            given: value.class().to_owned(),
            why: why.to_owned(),
        };
        match canonical(name) {
            "metadata" => match downcast_arc::<Metadata>(value) {
                Some(header) => Ok(Arc::new(self.with_header(header))),
                None => Err(unsuitable("it must be Metadata")),
            },
            "bbox" => Err(unsuitable("it follows from the pixels")),
            _ => Err(ComponentError::Unknown {
                class: "Mask".to_owned(),
                component: name.to_owned(),
                known: self.component_names(),
            }),
        }
    }

    fn sharing(&self, share: &mut dyn FnMut(&str, ObjectRef) -> ObjectRef) -> ObjectRef {
        let mut copy = self.clone();
        copy.header = shared("metadata", &self.header, share);
        copy.bbox = shared("bbox", &self.bbox, share);
        Arc::new(copy)
    }

    fn digest_values(&self) -> Digest {
        crate::values::digest("Mask", self)
    }

    fn difference(&self, other: &dyn Object) -> Option<String> {
        crate::values::difference(self, other)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
