//! Backgrounds: three image HDUs for each layer, without names and with the same settings in each header.
//!
//! ```text
//! levels │ mask │ variance │ levels │ mask │ variance │ …        the first is the primary HDU
//! ```
//!
//! The LSST stack reads such a file only if the number of HDUs is a multiple of three and no image is compressed, so that
//! recipes count for nothing here, and there is no primary header of the whole. What the settings mean is known by
//! [`pantler_objects::background`].

use std::sync::Arc;

use bytes::Bytes;
use pantler_core::{FormatError, ObjectRef};
use pantler_objects::{Background, BackgroundLayer};

use super::asked::Asked;
use super::contents::Contents;
use super::hdu_writing::{Recipe, write_image};
use super::mask_planes::{mask_of, stored};
use super::place::Place;
use super::plane::{Fetched, Meaning};
use super::plane_cards::{Described, mask_cards, plane_cards};
use super::reading::image_of;
use super::structure::{HduKind, HduShape};
use super::writing::is_kept;

/// Returns whether the HDUs of a file could be the layers of a background, by their shapes alone.
pub(crate) fn is_shaped_like_background(shapes: &[HduShape]) -> bool {
    let image = |shape: &HduShape| match &shape.kind {
        HduKind::Image { axes, .. } => axes.len() == 2 && shape.name.is_empty(),
        _ => false,
    };
    let alike = |layer: &[HduShape]| {
        let axes = |shape: &HduShape| shape.axes().map(|(_, axes)| axes.to_vec());
        layer.iter().all(image) && layer.iter().all(|shape| axes(shape) == axes(&layer[0]))
    };
    !shapes.is_empty() && shapes.len().is_multiple_of(3) && shapes.chunks(3).all(alike)
}

/// Returns whether a file is a background: its shapes are, and its first header says for which pixels it is.
pub(crate) fn is_background(contents: &Contents<'_>) -> Result<bool, FormatError> {
    Ok(is_shaped_like_background(contents.shapes())
        && contents.hdu(0)?.cards.get_i64("BKGD_WIDTH").is_some())
}

/// Reads all layers from the HDU on that was picked, else from the first.
pub(crate) fn read_background(
    contents: &Contents<'_>,
    asked: &Asked,
) -> Result<ObjectRef, FormatError> {
    contents.check_whole()?;
    if asked.bbox.is_some() {
        let why = "a background is read whole, and its image is computed for a box";
        return Err(contents.place().unsupported(why));
    }
    let (first, end) = (asked.hdu.unwrap_or(0), contents.shapes().len());
    let count = end.saturating_sub(first);
    if count == 0 || !count.is_multiple_of(3) {
        let why = format!(
            "{count} HDUs are no background, which has three for each layer: levels, mask, variance"
        );
        return Err(contents.place().corrupt(why));
    }
    let mut layers = Vec::with_capacity(count / 3);
    for index in (first..end).step_by(3) {
        layers.push(read_layer(contents, index)?);
    }
    Ok(Arc::new(Background::new(layers)))
}

fn read_layer(contents: &Contents<'_>, index: usize) -> Result<BackgroundLayer, FormatError> {
    let image = |index: usize| {
        let plane = Fetched::fetch(contents, index, None)?.decode(Meaning::Values)?;
        image_of(plane).map(Arc::new)
    };
    let levels = image(index)?;
    let mask = Fetched::fetch(contents, index + 1, None)?.decode(Meaning::Bits)?;
    let mask = Arc::new(mask_of(mask)?);
    let variance = image(index + 2)?;
    BackgroundLayer::from_planes(levels, Some(mask), Some(variance)).map_err(|error| {
        let place = contents.hdu(index).map(|hdu| hdu.place.clone());
        match place {
            Ok(place) => place.corrupt(error.to_string()),
            Err(other) => other,
        }
    })
}

/// Writes a background; every layer must have all three planes.
pub(crate) fn write_background(
    background: &Background,
    place: &Place,
) -> Result<Bytes, FormatError> {
    if background.layers().is_empty() {
        return Err(place.unsupported("a background without layers is no file"));
    }
    let mut out = Vec::new();
    let described = Described::default();
    for layer in background.layers() {
        let (Some(mask), Some(variance)) = (layer.mask(), layer.variance()) else {
            let why = "a layer of the background lacks its mask or its variance";
            return Err(place.unsupported(why));
        };
        let levels = layer.levels();
        let size = (levels.width(), levels.height());
        let mut write = |pixels: &_, mut cards: Vec<pantler_objects::Card>| {
            cards.retain(|card| is_kept(card.keyword()));
            write_image(&mut out, pixels, size, Recipe::Plain, &cards, place)
        };
        let cards = |image: &pantler_objects::Image| {
            plane_cards(image.header(), image.pixel_box(), None, &described)
        };
        write(levels.pixels(), cards(levels))?;
        write(&stored(mask), mask_cards(mask, None, &described))?;
        write(variance.pixels(), cards(variance))?;
    }
    Ok(Bytes::from(out))
}
