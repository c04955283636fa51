//! Pixels with mask and variance, and nothing else: what a difference image or a calibration frame often is.

use std::any::Any;
use std::sync::Arc;

use pantler_core::formatter::PixelBox;
use pantler_core::object::ComponentError;
use pantler_core::{Digest, Hasher, Object, ObjectRef, Origin};

use crate::bbox::Bbox;
use crate::header_calib::is_archive_card;
use crate::image::{Image, header_at, shared};
use crate::mask::Mask;
use crate::metadata::{Card, Metadata, carries_value};
use crate::planes::Planes;
use crate::synonyms::canonical;
use crate::values::{Values, downcast_arc};

const CLASS: &str = "MaskedImage";

/// An image with its mask and its variance, each of which a file may lack.
#[derive(Debug, Clone)]
pub struct MaskedImage {
    planes: Planes,
    metadata: Arc<Metadata>,
    bbox: Option<Arc<Bbox>>,
    origin: Option<Origin>,
}

impl MaskedImage {
    /// Puts planes together, which must cover the same rectangle, with the header of the whole.
    pub fn new(
        image: Option<Arc<Image>>,
        mask: Option<Arc<Mask>>,
        variance: Option<Arc<Image>>,
        metadata: Arc<Metadata>,
    ) -> Result<MaskedImage, ComponentError> {
        let planes = Planes::new(CLASS, image, mask, variance)?;
        Ok(MaskedImage::of(planes, metadata))
    }

    pub(crate) fn of(planes: Planes, metadata: Arc<Metadata>) -> MaskedImage {
        MaskedImage {
            bbox: planes.pixel_box().map(|pixels| Arc::new(Bbox::new(pixels))),
            planes,
            metadata,
            origin: None,
        }
    }

    /// Returns the pixels.
    pub fn image(&self) -> Option<&Arc<Image>> {
        self.planes.image.as_ref()
    }

    /// Returns the mask.
    pub fn mask(&self) -> Option<&Arc<Mask>> {
        self.planes.mask.as_ref()
    }

    /// Returns the variance.
    pub fn variance(&self) -> Option<&Arc<Image>> {
        self.planes.variance.as_ref()
    }

    /// Returns the header of the whole.
    pub fn metadata(&self) -> &Arc<Metadata> {
        &self.metadata
    }

    /// Returns the rectangle that the planes cover; `None` if there is no plane.
    pub fn pixel_box(&self) -> Option<PixelBox> {
        self.planes.pixel_box()
    }

    fn unsuitable(component: &str, value: &ObjectRef, why: &str) -> ComponentError {
        ComponentError::Unsuitable {
            class: CLASS.to_owned(),
            component: component.to_owned(),
            given: value.class().to_owned(),
            why: why.to_owned(),
        }
    }
}

fn counts(card: &Card) -> bool {
    carries_value(card) && !is_archive_card(card.keyword())
}

impl Values for MaskedImage {
    fn add_values(&self, hasher: &mut Hasher) {
        self.planes.add_values(hasher, &|_| Box::new(|_| true));
        self.metadata.add_values_among(hasher, counts);
    }

    fn differs_from(&self, other: &MaskedImage) -> Option<String> {
        self.planes
            .difference(&|_| Box::new(|_| true), &other.planes, &|_| {
                Box::new(|_| true)
            })
            .or_else(|| {
                self.metadata
                    .difference_among(counts, &other.metadata, counts)
            })
    }

    fn memory_bytes(&self) -> u64 {
        self.planes.memory() + self.metadata.memory_bytes()
    }
}

impl Object for MaskedImage {
    fn class(&self) -> &str {
        CLASS
    }

    fn memory(&self) -> u64 {
        self.memory_bytes()
    }

    fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    fn with_origin(&self, origin: &Origin) -> ObjectRef {
        let mut copy = self.clone();
        copy.planes = self.planes.at_origin(origin);
        copy.metadata = header_at(&self.metadata, origin);
        let bbox = |bbox: &Arc<Bbox>| Arc::new(bbox.at_origin(&origin.component("bbox")));
        copy.bbox = self.bbox.as_ref().map(bbox);
        copy.origin = Some(origin.clone());
        Arc::new(copy)
    }

    fn component_names(&self) -> Vec<String> {
        let bbox = self.bbox.as_ref().map(|_| "bbox");
        let names = self.planes.names().chain(["metadata"]).chain(bbox);
        names.map(str::to_owned).collect()
    }

    fn component(&self, name: &str) -> Option<ObjectRef> {
        match canonical(name) {
            "metadata" => Some(self.metadata.clone()),
            "bbox" => self.bbox.clone().map(|bbox| bbox as ObjectRef),
            plane => self.planes.get(plane),
        }
    }

    fn with_component(&self, name: &str, value: &ObjectRef) -> Result<ObjectRef, ComponentError> {
        let (planes, metadata) = match canonical(name) {
            "metadata" => match downcast_arc(value) {
                Some(metadata) => (self.planes.clone(), metadata),
                None => return Err(MaskedImage::unsuitable(name, value, "it must be Metadata")),
            },
            "bbox" => {
                let why = "it follows from the planes";
                return Err(MaskedImage::unsuitable(name, value, why));
            }
            plane @ ("image" | "mask" | "variance") => {
                let planes = self.planes.with(CLASS, plane, value)?;
                (planes, Arc::clone(&self.metadata))
            }
            _ => {
                let known = ["image", "mask", "variance", "metadata", "bbox"];
                return Err(ComponentError::Unknown {
                    class: CLASS.to_owned(),
                    component: name.to_owned(),
                    known: known.map(str::to_owned).to_vec(),
                });
            }
        };
        Ok(Arc::new(MaskedImage::of(planes, metadata)))
    }

    fn sharing(&self, share: &mut dyn FnMut(&str, ObjectRef) -> ObjectRef) -> ObjectRef {
        let mut copy = self.clone();
        copy.planes = self.planes.sharing(share);
        copy.metadata = shared("metadata", &self.metadata, share);
        copy.bbox = self.bbox.as_ref().map(|bbox| shared("bbox", bbox, share));
        Arc::new(copy)
    }

    fn digest_values(&self) -> Digest {
        crate::values::digest(CLASS, self)
    }

    fn difference(&self, other: &dyn Object) -> Option<String> {
        crate::values::difference(self, other)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
