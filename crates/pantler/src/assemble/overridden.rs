//! Takes out of a part what another component overrides: a plane of `calexp:jointcal` must not carry the old WCS in its
//! header (rule R11).
//!
//! The whole composite is the business of its object's own class; this is for parts that are read alone.

use std::sync::Arc;

use pantler_core::ObjectRef;
use pantler_core::object::downcast;
use pantler_objects::header_calib::is_calib_card;
use pantler_objects::header_wcs::without_sky_wcs;
use pantler_objects::{Image, Mask, Metadata};

/// Returns the part without the cards that the overridden components (by canonical name) put into headers; the part itself
/// if there are none.
pub fn without_overridden(part: ObjectRef, overridden: &[String]) -> ObjectRef {
    let strip = |header: &Metadata| stripped(header, overridden);
    if let Some(metadata) = downcast::<Metadata>(part.as_ref()) {
        return match strip(metadata) {
            Some(metadata) => Arc::new(metadata),
            None => part,
        };
    }
    if let Some(image) = downcast::<Image>(part.as_ref()) {
        return match strip(image.header()) {
            Some(header) => {
                let bare = image.with_header(Arc::new(header));
                part.origin().map_or_else(
                    || Arc::new(bare.clone()) as ObjectRef,
                    |origin| Arc::new(bare.at_origin(origin)),
                )
            }
            None => part,
        };
    }
    if let Some(mask) = downcast::<Mask>(part.as_ref()) {
        return match strip(mask.header()) {
            Some(header) => {
                let bare = mask.with_header(Arc::new(header));
                part.origin().map_or_else(
                    || Arc::new(bare.clone()) as ObjectRef,
                    |origin| Arc::new(bare.at_origin(origin)),
                )
            }
            None => part,
        };
    }
    part
}

/// The header without overridden cards; `None` if it has none of them.
fn stripped(header: &Metadata, overridden: &[String]) -> Option<Metadata> {
    let is_overridden = |name: &str| overridden.iter().any(|other| other == name);
    let mut bare = header.clone();
    if is_overridden("wcs") {
        bare = without_sky_wcs(&bare);
    }
    if is_overridden("photoCalib") {
        bare = bare.without(|card| is_calib_card(card.keyword()));
    }
    (bare.len() != header.len()).then_some(bare)
}
