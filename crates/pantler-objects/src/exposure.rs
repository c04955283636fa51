//! An exposure: planes of pixels, a header, and the components that say what the pixels mean.
//!
//! The components and their synonyms are listed in [`crate::synonyms`]. A component that is replaced takes everything
//! with it that said the same in another form (rule R11): a new `wcs` all coordinate cards of all headers, a new
//! `photoCalib` the calibration cards. So whoever reads an exposure, and by whatever name, finds no trace of the old one.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use pantler_core::formatter::PixelBox;
use pantler_core::object::ComponentError;
use pantler_core::{Digest, Hasher, Object, ObjectRef, Origin};

use crate::bbox::Bbox;
use crate::component::Component;
use crate::header_calib::{is_archive_card, is_calib_card, is_detector_card, is_filter_card};
use crate::header_wcs::{sky_wcs_cards, without_sky_wcs};
use crate::image::{Image, header_at, part_difference, shared};
use crate::mask::Mask;
use crate::masked_image::MaskedImage;
use crate::metadata::{Metadata, carries_value};
use crate::photo_calib::PhotoCalib;
use crate::planes::{CardFilter, Planes, only_in_one, shortened};
use crate::synonyms::{canonical, class_of, components};
use crate::values::{Values, downcast_arc};
use crate::visit_info::{VisitInfo, is_visit_info_card};
use crate::wcs::Wcs;

const CLASS: &str = "Exposure";

/// Pixels with all that says what they mean.
#[derive(Debug, Clone)]
pub struct Exposure {
    planes: Planes,
    metadata: Arc<Metadata>,
    bbox: Option<Arc<Bbox>>,
    wcs: Option<Arc<Wcs>>,
    photo_calib: Option<Arc<PhotoCalib>>,
    visit_info: Option<Arc<VisitInfo>>,
    /// All other components, by canonical name.
    others: BTreeMap<String, Arc<Component>>,
    origin: Option<Origin>,
}

impl Exposure {
    /// Puts planes together, which must cover the same rectangle, with the primary header, and no further component.
    ///
    /// The header is to lack what only describes the file: the archive's place and the ids in it.
    pub fn new(
        image: Option<Arc<Image>>,
        mask: Option<Arc<Mask>>,
        variance: Option<Arc<Image>>,
        metadata: Arc<Metadata>,
    ) -> Result<Exposure, ComponentError> {
        let planes = Planes::new(CLASS, image, mask, variance)?;
        Ok(Exposure::of(planes, metadata))
    }

    fn of(planes: Planes, metadata: Arc<Metadata>) -> Exposure {
        Exposure {
            bbox: planes.pixel_box().map(|pixels| Arc::new(Bbox::new(pixels))),
            planes,
            metadata,
            wcs: None,
            photo_calib: None,
            visit_info: None,
            others: BTreeMap::new(),
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

    /// Returns the primary header.
    pub fn metadata(&self) -> &Arc<Metadata> {
        &self.metadata
    }

    /// Returns the rectangle that the planes cover; `None` if there is no plane.
    pub fn pixel_box(&self) -> Option<PixelBox> {
        self.planes.pixel_box()
    }

    /// Returns the coordinate system.
    pub fn wcs(&self) -> Option<&Arc<Wcs>> {
        self.wcs.as_ref()
    }

    /// Returns the photometric calibration.
    pub fn photo_calib(&self) -> Option<&Arc<PhotoCalib>> {
        self.photo_calib.as_ref()
    }

    /// Returns when, where and how it was taken.
    pub fn visit_info(&self) -> Option<&Arc<VisitInfo>> {
        self.visit_info.as_ref()
    }

    /// Returns the components that are kept as they were read, by name: `psf`, `detector`, …
    pub fn others(&self) -> &BTreeMap<String, Arc<Component>> {
        &self.others
    }

    /// Returns planes and header alone.
    pub fn masked_image(&self) -> MaskedImage {
        MaskedImage::of(self.planes.clone(), Arc::clone(&self.metadata))
    }

    /// Returns a copy that holds a component beside what the headers say, with nothing taken out of them.
    ///
    /// It is for formatters, whose headers and components agree, so that what was not changed can be written back as it
    /// was; everyone else wants [`Object::with_component`].
    pub fn holding(&self, name: &str, value: &ObjectRef) -> Result<Exposure, ComponentError> {
        let component = canonical(name);
        let mut copy = Exposure {
            origin: None,
            ..self.clone()
        };
        match component {
            "image" | "mask" | "variance" => {
                copy.planes = self.planes.with(CLASS, component, value)?;
                let pixels = copy.planes.pixel_box();
                if pixels != self.pixel_box() {
                    copy.bbox = pixels.map(|pixels| Arc::new(Bbox::new(pixels)));
                }
            }
            "metadata" => copy.metadata = expect_class(name, value)?,
            "bbox" => return Err(unsuitable(name, value, "it follows from the planes")),
            "wcs" => copy.wcs = Some(expect_class(name, value)?),
            "photoCalib" => copy.photo_calib = Some(expect_class(name, value)?),
            "visitInfo" => copy.visit_info = Some(expect_class(name, value)?),
            _ => {
                let other = expect_component(component, value)?;
                copy.others.insert(component.to_owned(), other);
            }
        }
        Ok(copy)
    }

    /// Returns a copy with a component replaced, and all that said the same gone (rule R11).
    pub fn with(&self, name: &str, value: &ObjectRef) -> Result<Exposure, ComponentError> {
        let component = canonical(name);
        let mut copy = self.holding(component, value)?;
        match component {
            // A new header or plane must not bring back what a component carries.
            "metadata" | "image" | "mask" | "variance" => {
                let carried: Vec<&str> = self.carried().collect();
                for name in carried {
                    copy = copy.without_cards_of(name);
                }
            }
            _ => copy = copy.without_cards_of(component),
        }
        Ok(copy)
    }

    /// Returns a copy without a component, and without all that said the same.
    ///
    /// The header cannot be taken away, only replaced by an empty one.
    pub fn without(&self, name: &str) -> Exposure {
        let component = canonical(name);
        let mut copy = self.without_cards_of(component);
        copy.origin = None;
        match component {
            "image" => copy.planes.image = None,
            "mask" => copy.planes.mask = None,
            "variance" => copy.planes.variance = None,
            "metadata" => copy.metadata = Arc::default(),
            "wcs" => copy.wcs = None,
            "photoCalib" => copy.photo_calib = None,
            "visitInfo" => copy.visit_info = None,
            other => {
                copy.others.remove(other);
            }
        }
        if copy.planes.pixel_box().is_none() {
            copy.bbox = None;
        }
        copy
    }

    fn without_cards_of(&self, component: &str) -> Exposure {
        let less = |header: &Metadata| without_cards_of(component, header);
        let mut copy = self.clone();
        copy.planes = self.planes.with_less_headers(&less);
        if let Some(metadata) = shortened(&self.metadata, &less) {
            copy.metadata = metadata;
        }
        copy
    }

    /// Returns the names of the components that are there and are no planes or headers.
    fn carried(&self) -> impl Iterator<Item = &str> {
        let typed = [
            self.wcs.as_ref().map(|_| "wcs"),
            self.photo_calib.as_ref().map(|_| "photoCalib"),
            self.visit_info.as_ref().map(|_| "visitInfo"),
        ];
        typed
            .into_iter()
            .flatten()
            .chain(self.others.keys().map(String::as_str))
    }

    /// Returns what says whether a card of one of its headers says something that no component says.
    fn counts(&self, header: &Metadata) -> CardFilter {
        let sky: Vec<String> = match self.wcs {
            Some(_) => sky_wcs_cards(header)
                .iter()
                .map(|c| c.keyword().to_owned())
                .collect(),
            None => Vec::new(),
        };
        let carried: Vec<String> = self.carried().map(str::to_owned).collect();
        Box::new(move |card| {
            let keyword = card.keyword();
            carries_value(card)
                && !is_archive_card(keyword)
                && !sky.iter().any(|taken| taken == keyword)
                && !carried
                    .iter()
                    .any(|component| is_card_of(component, keyword))
        })
    }
}

/// Says whether a card carries a component that is not the coordinate system.
fn is_card_of(component: &str, keyword: &str) -> bool {
    match component {
        "photoCalib" => is_calib_card(keyword),
        "visitInfo" => is_visit_info_card(keyword),
        "filter" => is_filter_card(keyword),
        "detector" => is_detector_card(keyword),
        _ => false,
    }
}

/// Returns a header without the cards that carry a component.
fn without_cards_of(component: &str, header: &Metadata) -> Metadata {
    match component {
        "wcs" => without_sky_wcs(header),
        _ => header.without(|card| is_card_of(component, card.keyword())),
    }
}

fn unsuitable(component: &str, value: &ObjectRef, why: &str) -> ComponentError {
    ComponentError::Unsuitable {
        class: CLASS.to_owned(),
        component: component.to_owned(),
        given: value.class().to_owned(),
        why: why.to_owned(),
    }
}

fn expect_class<T: Object>(name: &str, value: &ObjectRef) -> Result<Arc<T>, ComponentError> {
    let wanted = class_of(name).unwrap_or("another class");
    downcast_arc(value).ok_or_else(|| unsuitable(name, value, &format!("it must be {wanted}")))
}

fn expect_component(name: &str, value: &ObjectRef) -> Result<Arc<Component>, ComponentError> {
    let Some(component) = downcast_arc::<Component>(value) else {
        if class_of(name).is_some() {
            return expect_class(name, value);
        }
        return Err(ComponentError::Unknown {
            class: CLASS.to_owned(),
            component: name.to_owned(),
            known: components().map(str::to_owned).collect(),
        });
    };
    match class_of(name) {
        Some(wanted) if wanted != component.class() => {
            Err(unsuitable(name, value, &format!("it must be {wanted}")))
        }
        _ => Ok(component),
    }
}

impl Values for Exposure {
    fn add_values(&self, hasher: &mut Hasher) {
        self.planes
            .add_values(hasher, &|header| self.counts(header));
        self.metadata
            .add_values_among(hasher, self.counts(&self.metadata));
        for name in self.component_names() {
            if let Some(part) = self.component(&name).filter(|_| is_no_plane(&name)) {
                hasher.field(name.as_bytes());
                hasher.update(part.digest_values().as_bytes());
            }
        }
    }

    fn differs_from(&self, other: &Exposure) -> Option<String> {
        if let Some(name) = self.carried().find(|name| other.component(name).is_none()) {
            return only_in_one(name, true, false);
        }
        if let Some(name) = other.carried().find(|name| self.component(name).is_none()) {
            return only_in_one(name, false, true);
        }
        self.planes
            .difference(&|header| self.counts(header), &other.planes, &|header| {
                other.counts(header)
            })
            .or_else(|| {
                let (mine, others) = (self.counts(&self.metadata), other.counts(&other.metadata));
                self.metadata
                    .difference_among(mine, &other.metadata, others)
            })
            .or_else(|| part_difference("wcs", self.wcs.as_ref(), other.wcs.as_ref()))
            .or_else(|| {
                let (mine, others) = (self.photo_calib.as_ref(), other.photo_calib.as_ref());
                part_difference("photoCalib", mine, others)
            })
            .or_else(|| {
                let (mine, others) = (self.visit_info.as_ref(), other.visit_info.as_ref());
                part_difference("visitInfo", mine, others)
            })
            .or_else(|| {
                let mut parts = self.others.iter();
                parts.find_map(|(name, mine)| {
                    part_difference(name, Some(mine), other.others.get(name))
                })
            })
    }

    fn memory_bytes(&self) -> u64 {
        let parts = self.carried().filter_map(|name| self.component(name));
        let parts: u64 = parts.map(|part| part.memory()).sum();
        self.planes.memory() + self.metadata.memory_bytes() + parts
    }
}

fn is_no_plane(name: &str) -> bool {
    !matches!(name, "image" | "mask" | "variance" | "metadata" | "bbox")
}

impl Object for Exposure {
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
        fn part<T: Object + Clone>(
            part: &Arc<T>,
            origin: &Origin,
            name: &str,
            at_origin: impl Fn(&T, &Origin) -> T,
        ) -> Arc<T> {
            match part.origin() {
                Some(_) => Arc::clone(part),
                None => Arc::new(at_origin(part, &origin.component(name))),
            }
        }
        let others = self.others.iter().map(|(name, other)| {
            let placed = part(other, origin, name, Component::at_origin);
            (name.clone(), placed)
        });
        let photo_calib = self.photo_calib.as_ref();
        let visit_info = self.visit_info.as_ref();
        Arc::new(Exposure {
            planes: self.planes.at_origin(origin),
            metadata: header_at(&self.metadata, origin),
            bbox: self
                .bbox
                .as_ref()
                .map(|bbox| part(bbox, origin, "bbox", Bbox::at_origin)),
            wcs: self
                .wcs
                .as_ref()
                .map(|wcs| part(wcs, origin, "wcs", Wcs::at_origin)),
            photo_calib: photo_calib.map(|p| part(p, origin, "photoCalib", PhotoCalib::at_origin)),
            visit_info: visit_info.map(|v| part(v, origin, "visitInfo", VisitInfo::at_origin)),
            others: others.collect(),
            origin: Some(origin.clone()),
        })
    }

    fn component_names(&self) -> Vec<String> {
        let bbox = self.bbox.as_ref().map(|_| "bbox");
        let fixed = self
            .planes
            .names()
            .chain(["metadata"])
            .chain(bbox)
            .map(str::to_owned);
        fixed.chain(self.carried().map(str::to_owned)).collect()
    }

    fn component(&self, name: &str) -> Option<ObjectRef> {
        match canonical(name) {
            "metadata" => Some(self.metadata.clone()),
            "bbox" => self.bbox.clone().map(|part| part as ObjectRef),
            "wcs" => self.wcs.clone().map(|part| part as ObjectRef),
            "photoCalib" => self.photo_calib.clone().map(|part| part as ObjectRef),
            "visitInfo" => self.visit_info.clone().map(|part| part as ObjectRef),
            plane @ ("image" | "mask" | "variance") => self.planes.get(plane),
            other => self
                .others
                .get(other)
                .cloned()
                .map(|part| part as ObjectRef),
        }
    }

    fn with_component(&self, name: &str, value: &ObjectRef) -> Result<ObjectRef, ComponentError> {
        Ok(Arc::new(self.with(name, value)?))
    }

    fn sharing(&self, share: &mut dyn FnMut(&str, ObjectRef) -> ObjectRef) -> ObjectRef {
        let mut copy = self.clone();
        copy.planes = self.planes.sharing(share);
        copy.metadata = shared("metadata", &self.metadata, share);
        copy.bbox = self.bbox.as_ref().map(|part| shared("bbox", part, share));
        copy.wcs = self.wcs.as_ref().map(|part| shared("wcs", part, share));
        copy.photo_calib = self
            .photo_calib
            .as_ref()
            .map(|p| shared("photoCalib", p, share));
        copy.visit_info = self
            .visit_info
            .as_ref()
            .map(|v| shared("visitInfo", v, share));
        for (name, part) in &mut copy.others {
            *part = shared(name, part, share);
        }
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

#[cfg(test)]
mod tests;
