//! The components of an exposure, out of the archive or out of header cards.
//!
//! The archive is asked first. What it lacks, old files and other observatories carry as header cards: coordinates, a zero
//! point, when and where the exposure was taken, the names of filter and detector.

use std::sync::Arc;

use pantler_core::{FormatError, ObjectRef};
use pantler_objects::header_calib::{
    is_archive_card, is_calib_card, is_detector_card, is_filter_card,
};
use pantler_objects::visit_info::{is_shared_card, is_visit_info_card};
use pantler_objects::{
    Archive, Card, Carrier, Component, Metadata, Persisted, PhotoCalib, VisitInfo, Wcs,
};

use super::archive::ArchiveReader;
use super::asked::class_of_component;
use super::contents::{Components, Contents, Planes};
use super::reading::{coordinates, holds_table};

/// The components that headers can carry.
pub(crate) const HEADER_COMPONENTS: &[&str] =
    &["wcs", "photoCalib", "visitInfo", "filter", "detector"];

/// Reads all components that the primary header names.
pub(crate) fn archive_components(
    contents: &Contents<'_>,
) -> Result<Vec<(String, ObjectRef)>, FormatError> {
    let Some(components) = contents.components()? else {
        return Ok(Vec::new());
    };
    let roots: Vec<i32> = components.ids.values().copied().collect();
    let archive = read_archive(contents, components, &roots)?;
    let mut held = Vec::new();
    for (name, id) in &components.ids {
        let persisted = archive.persisted(*id);
        held.extend(persisted.map(|persisted| (name.clone(), wrap(name, persisted))));
    }
    Ok(held)
}

/// Reads one component; an empty name means whatever object a file with a single one holds.
pub(crate) fn archive_component(
    contents: &Contents<'_>,
    name: &str,
) -> Result<Option<ObjectRef>, FormatError> {
    let Some(components) = contents.components()? else {
        return Ok(None);
    };
    let found = match components.ids.get(name) {
        Some(id) => Some(*id),
        None if name.is_empty() => components
            .ids
            .values()
            .copied()
            .next()
            .or_else(|| single(components, name)),
        // A file with named components has no other ones.
        None if components.ids.is_empty()
            && contents.planes() == Planes::default()
            && !holds_table(contents.shapes(), None) =>
        {
            single(components, name)
        }
        None => None,
    };
    match found {
        Some(id) => component_of_id(contents, name, id),
        None => Ok(None),
    }
}

/// Reads the object of an id as a component; an empty name means whatever component it is.
pub(crate) fn component_of_id(
    contents: &Contents<'_>,
    name: &str,
    id: i32,
) -> Result<Option<ObjectRef>, FormatError> {
    let Some(components) = contents.components()? else {
        return Ok(None);
    };
    let archive = read_archive(contents, components, &[id])?;
    Ok(archive.persisted(id).map(|persisted| {
        let class = persisted.class().to_owned();
        let name = match name {
            "" => name_of(&class),
            name => name,
        };
        wrap(name, persisted)
    }))
}

fn read_archive(
    contents: &Contents<'_>,
    components: &Components,
    roots: &[i32],
) -> Result<Archive, FormatError> {
    ArchiveReader::new(contents, &components.directory).read(roots)
}

/// Returns the object that a file with a single one is about: the first that was written, if its class fits.
fn single(components: &Components, name: &str) -> Option<i32> {
    let objects = &components.directory.objects;
    let fits = |class: &str| name.is_empty() || is_record_of(name, class);
    let first = objects
        .get(&1)
        .filter(|object| fits(&object.class))
        .map(|_| 1);
    first.or_else(|| components.directory.first_of(fits))
}

/// Returns whether a record of this class is the component of this name.
fn is_record_of(name: &str, class: &str) -> bool {
    match name {
        "wcs" => matches!(class, "SkyWcs" | "TanWcs" | "Wcs"),
        "photoCalib" => matches!(class, "PhotoCalib" | "Calib"),
        "psf" => class.ends_with("Psf"),
        "transmissionCurve" => class.ends_with("TransmissionCurve"),
        _ => class == class_of_component(name) || class == name,
    }
}

/// Returns the component that a record of this class is, or the class itself.
fn name_of(class: &str) -> &str {
    pantler_objects::synonyms::components()
        .find(|name| is_record_of(name, class))
        .unwrap_or(class)
}

fn wrap(name: &str, persisted: Persisted) -> ObjectRef {
    match name {
        "wcs" => Arc::new(Wcs::from_archive(persisted)),
        "photoCalib" => Arc::new(PhotoCalib::new(Carrier::Archive(persisted))),
        "visitInfo" => Arc::new(VisitInfo::new(Carrier::Archive(persisted))),
        _ => Arc::new(Component::from_archive(name, persisted)),
    }
}

/// Makes a component of header cards; `None` if there are none for it.
pub(crate) fn header_component(
    contents: &Contents<'_>,
    planes: Planes,
    name: &str,
) -> Result<Option<ObjectRef>, FormatError> {
    if !HEADER_COMPONENTS.contains(&name) {
        return Ok(None);
    }
    if name == "wcs" {
        return header_wcs(contents, planes);
    }
    let primary = contents.hdu(0)?;
    let cards = |wanted: &dyn Fn(&str) -> bool| {
        primary
            .cards
            .without(|card| !wanted(card.keyword()) || is_archive_card(card.keyword()))
    };
    let some = |cards: Metadata| (!cards.is_empty()).then_some(cards);
    Ok(match name {
        "photoCalib" => some(cards(&is_calib_card))
            .filter(|cards| cards.get("FLUXMAG0").is_some())
            .map(|cards| Arc::new(PhotoCalib::new(Carrier::Header(cards))) as ObjectRef),
        "visitInfo" => some(cards(&|keyword| {
            is_visit_info_card(keyword) || is_shared_card(keyword)
        }))
        .filter(|cards| {
            cards
                .iter()
                .any(|card: &Card| is_visit_info_card(card.keyword()))
        })
        .map(|cards| Arc::new(VisitInfo::new(Carrier::Header(cards))) as ObjectRef),
        _ => {
            let wanted = if name == "filter" {
                is_filter_card
            } else {
                is_detector_card
            };
            some(cards(&wanted))
                .map(|cards| Arc::new(Component::from_header(name, cards)) as ObjectRef)
        }
    })
}

/// Returns the coordinates that stand with the pixels, else those of the primary header.
fn header_wcs(contents: &Contents<'_>, planes: Planes) -> Result<Option<ObjectRef>, FormatError> {
    let plane = planes.image.or(planes.mask).or(planes.variance);
    for index in plane.into_iter().chain([0]) {
        let hdu = contents.hdu(index)?;
        if let Some(cards) = coordinates(&hdu.cards) {
            // The cards of a header count from the array that they stand with, wherever in the file that is.
            let (x0, y0) = contents.hdu(plane.unwrap_or(index))?.shape.origin;
            return Ok(Some(Arc::new(Wcs::from_header(cards, x0, y0))));
        }
    }
    Ok(None)
}
