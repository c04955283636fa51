//! The three planes of a masked image: pixels, what is wrong with them, and how uncertain they are.
//!
//! [`crate::MaskedImage`] and [`crate::Exposure`] hold them. All planes that are there cover the same rectangle; a file
//! that has only some of them gives `None` for the others, never an empty plane.

use std::sync::Arc;

use pantler_core::formatter::PixelBox;
use pantler_core::object::ComponentError;
use pantler_core::{Hasher, Object, ObjectRef, Origin};

use crate::bbox::describe;
use crate::image::{Image, shared};
use crate::mask::Mask;
use crate::metadata::{Card, Metadata};
use crate::values::{Values, downcast_arc};

/// Says which cards of a header count; which they are depends on the other cards of the header.
pub(crate) type CardFilter = Box<dyn Fn(&Card) -> bool>;

/// Pixels, mask and variance.
#[derive(Debug, Clone, Default)]
pub(crate) struct Planes {
    pub(crate) image: Option<Arc<Image>>,
    pub(crate) mask: Option<Arc<Mask>>,
    pub(crate) variance: Option<Arc<Image>>,
}

impl Planes {
    /// Puts planes together; they must cover the same rectangle.
    pub(crate) fn new(
        class: &str,
        image: Option<Arc<Image>>,
        mask: Option<Arc<Mask>>,
        variance: Option<Arc<Image>>,
    ) -> Result<Planes, ComponentError> {
        let mut planes = Planes::default();
        if let Some(image) = image {
            planes = planes.with(class, "image", &(image as ObjectRef))?;
        }
        if let Some(mask) = mask {
            planes = planes.with(class, "mask", &(mask as ObjectRef))?;
        }
        if let Some(variance) = variance {
            planes = planes.with(class, "variance", &(variance as ObjectRef))?;
        }
        Ok(planes)
    }

    /// Returns the rectangle that the planes cover; `None` if there is no plane.
    pub(crate) fn pixel_box(&self) -> Option<PixelBox> {
        self.boxes_without("").next()
    }

    fn boxes_without<'a>(&'a self, plane: &'a str) -> impl Iterator<Item = PixelBox> + 'a {
        let boxes = [
            ("image", self.image.as_ref().map(|image| image.pixel_box())),
            ("mask", self.mask.as_ref().map(|mask| mask.pixel_box())),
            (
                "variance",
                self.variance.as_ref().map(|image| image.pixel_box()),
            ),
        ];
        let others = boxes.into_iter().filter(move |(name, _)| *name != plane);
        others.filter_map(|(_, pixels)| pixels)
    }

    /// Returns the names of the planes that are there.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        ["image", "mask", "variance"]
            .into_iter()
            .filter(|name| self.get(name).is_some())
    }

    /// Returns a plane.
    pub(crate) fn get(&self, name: &str) -> Option<ObjectRef> {
        match name {
            "image" => self.image.clone().map(|plane| plane as ObjectRef),
            "mask" => self.mask.clone().map(|plane| plane as ObjectRef),
            "variance" => self.variance.clone().map(|plane| plane as ObjectRef),
            _ => None,
        }
    }

    /// Returns a copy with one plane replaced; it must have the shape of the others, and the type of the one it replaces.
    pub(crate) fn with(
        &self,
        class: &str,
        name: &str,
        value: &ObjectRef,
    ) -> Result<Planes, ComponentError> {
        let unsuitable = |why: String| ComponentError::Unsuitable {
            class: class.to_owned(),
            component: name.to_owned(),
            given: value.class().to_owned(),
            why,
        };
        let fits = |pixels: PixelBox| {
            let all = self.boxes_without(name);
            let old = self.get(name).and(self.pixel_box());
            match all.chain(old).find(|other| *other != pixels) {
                Some(other) => Err(unsuitable(format!(
                    "it covers {} and must cover {}",
                    describe(&pixels),
                    describe(&other)
                ))),
                None => Ok(()),
            }
        };
        let mut planes = self.clone();
        if name == "mask" {
            let mask: Arc<Mask> =
                downcast_arc(value).ok_or_else(|| unsuitable("it must be a Mask".to_owned()))?;
            fits(mask.pixel_box())?;
            planes.mask = Some(mask);
            return Ok(planes);
        }
        let image: Arc<Image> =
            downcast_arc(value).ok_or_else(|| unsuitable("it must be an Image".to_owned()))?;
        fits(image.pixel_box())?;
        let slot = match name {
            "variance" => &mut planes.variance,
            _ => &mut planes.image,
        };
        if let Some(old) = slot {
            let (old, new) = (old.pixels().pixel_type(), image.pixels().pixel_type());
            if old != new {
                return Err(unsuitable(format!(
                    "its pixels are {new} and must be {old}"
                )));
            }
        }
        *slot = Some(image);
        Ok(planes)
    }

    /// Returns a copy whose headers lack the cards that `unwanted` takes out; a plane that has none of them stays shared.
    pub(crate) fn with_less_headers(&self, less: &dyn Fn(&Metadata) -> Metadata) -> Planes {
        let lessened = |header: &Arc<Metadata>| shortened(header, less);
        let image = |image: &Arc<Image>| match lessened(image.header()) {
            Some(header) => Arc::new(image.with_less_header(header)),
            None => Arc::clone(image),
        };
        Planes {
            image: self.image.as_ref().map(image),
            variance: self.variance.as_ref().map(image),
            mask: self
                .mask
                .as_ref()
                .map(|mask| match lessened(mask.header()) {
                    Some(header) => Arc::new(mask.with_less_header(header)),
                    None => Arc::clone(mask),
                }),
        }
    }

    /// Returns the planes with origins below `origin`, unless they have one.
    pub(crate) fn at_origin(&self, origin: &Origin) -> Planes {
        let image = |plane: &Arc<Image>, name: &str| match plane.origin() {
            Some(_) => Arc::clone(plane),
            None => Arc::new(plane.at_origin(&origin.component(name))),
        };
        let mask = |plane: &Arc<Mask>| match plane.origin() {
            Some(_) => Arc::clone(plane),
            None => Arc::new(plane.at_origin(&origin.component("mask"))),
        };
        Planes {
            image: self.image.as_ref().map(|plane| image(plane, "image")),
            mask: self.mask.as_ref().map(mask),
            variance: self.variance.as_ref().map(|plane| image(plane, "variance")),
        }
    }

    /// Returns the planes that `share` gives for these.
    pub(crate) fn sharing(&self, share: &mut dyn FnMut(&str, ObjectRef) -> ObjectRef) -> Planes {
        Planes {
            image: self
                .image
                .as_ref()
                .map(|plane| shared("image", plane, share)),
            mask: self.mask.as_ref().map(|plane| shared("mask", plane, share)),
            variance: self
                .variance
                .as_ref()
                .map(|plane| shared("variance", plane, share)),
        }
    }

    /// Adds the planes, and of their headers the cards that `counts` picks.
    pub(crate) fn add_values(&self, hasher: &mut Hasher, counts: &dyn Fn(&Metadata) -> CardFilter) {
        for image in [&self.image, &self.variance] {
            hasher.update(&[u8::from(image.is_some())]);
            if let Some(image) = image {
                image.add_plane(hasher, counts(image.header()));
            }
        }
        hasher.update(&[u8::from(self.mask.is_some())]);
        if let Some(mask) = &self.mask {
            mask.add_plane(hasher, counts(mask.header()));
        }
    }

    /// Returns the first difference, of the headers only among the cards that the filters pick, each in its own.
    pub(crate) fn difference(
        &self,
        counts: &dyn Fn(&Metadata) -> CardFilter,
        other: &Planes,
        counts_there: &dyn Fn(&Metadata) -> CardFilter,
    ) -> Option<String> {
        for (name, mine, others) in [
            ("image", &self.image, &other.image),
            ("variance", &self.variance, &other.variance),
        ] {
            let found = match (mine, others) {
                (Some(a), Some(b)) => a
                    .plane_difference(counts(a.header()), b, counts_there(b.header()))
                    .map(|why| format!("{name} {why}")),
                (a, b) => only_in_one(name, a.is_some(), b.is_some()),
            };
            if found.is_some() {
                return found;
            }
        }
        match (&self.mask, &other.mask) {
            (Some(a), Some(b)) => a
                .plane_difference(counts(a.header()), b, counts_there(b.header()))
                .map(|why| match why.starts_with("mask ") {
                    true => why,
                    false => format!("mask {why}"),
                }),
            (a, b) => only_in_one("mask", a.is_some(), b.is_some()),
        }
    }

    /// Returns about how many bytes of memory the planes take.
    pub(crate) fn memory(&self) -> u64 {
        let images = [&self.image, &self.variance].into_iter().flatten();
        let mask = self.mask.as_ref().map_or(0, |mask| mask.memory_bytes());
        images.map(|image| image.memory_bytes()).sum::<u64>() + mask
    }
}

/// Returns the shortened header, with its origin; `None` if nothing was taken out.
pub(crate) fn shortened(
    header: &Arc<Metadata>,
    less: &dyn Fn(&Metadata) -> Metadata,
) -> Option<Arc<Metadata>> {
    let short = less(header);
    if short.len() == header.len() {
        return None;
    }
    Some(Arc::new(match header.origin() {
        Some(origin) => short.at_origin(origin),
        None => short,
    }))
}

pub(crate) fn only_in_one(name: &str, mine: bool, other: bool) -> Option<String> {
    match (mine, other) {
        (true, false) => Some(format!("{name} is only in the first")),
        (false, true) => Some(format!("{name} is only in the second")),
        _ => None,
    }
}
