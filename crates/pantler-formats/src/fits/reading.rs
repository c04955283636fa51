//! Reads objects and parts of them out of FITS files.
//!
//! ```text
//! request ─► Asked ─► Contents (a walk, or a layout and the ranges it names) ─► object
//! ```
//!
//! The same code reads with and without a layout; a layout only saves the requests that would find the part.

use std::sync::Arc;

use pantler_core::formatter::ReadRequest;
use pantler_core::object::ComponentError;
use pantler_core::{FormatError, ObjectRef, Source};
use pantler_objects::header_calib::is_archive_card;
use pantler_objects::header_wcs::{has_wcs, sky_wcs_cards, without_sky_wcs};
use pantler_objects::metadata::is_structural_keyword;
use pantler_objects::{Bbox, Exposure, Image, Mask, MaskedImage, Metadata};

use super::asked::{Asked, Target};
use super::background::{is_background, read_background};
use super::card::flag_of;
use super::checksum::is_checksum;
use super::component::{
    HEADER_COMPONENTS, archive_component, archive_components, header_component,
};
use super::contents::{Contents, Planes, planes};
use super::layout::Layout;
use super::locating::{Tiled, ranges};
use super::mask_planes::mask_of;
use super::place::Place;
use super::plane::{Fetched, Meaning, Plane, bbox};
use super::row_component::{row_component, row_components};
use super::structure::{HduKind, HduShape};
use super::table_reading::{read_table, read_table_header, table_hdu};

/// Reads what is asked for, all of it in one request where the layout tells where it lies.
pub(crate) fn read_many(
    source: &dyn Source,
    layout: Option<&[u8]>,
    requests: &[ReadRequest],
) -> Result<Vec<ObjectRef>, FormatError> {
    let asked: Vec<Asked> = requests.iter().map(Asked::of).collect();
    let contents = open(source, layout, &asked)?;
    let read = |asked: &Asked| {
        let object = read_target(&contents, asked)?;
        descend(&contents, object, &asked.below)
    };
    asked.iter().map(read).collect()
}

/// Returns the HDUs that an object of this class can be read from: tables for a table, else all with a plane of pixels.
pub(crate) fn hdus(
    source: &dyn Source,
    layout: Option<&[u8]>,
    class: Option<&str>,
) -> Result<Vec<u32>, FormatError> {
    fitting_hdus(&open(source, layout, &[])?, class)
}

/// As [`hdus`], of a file that is open.
pub(crate) fn fitting_hdus(
    contents: &Contents<'_>,
    class: Option<&str>,
) -> Result<Vec<u32>, FormatError> {
    contents.check_whole()?;
    let of_table = class == Some("Table");
    let fits = |index: usize, shape: &HduShape| match of_table {
        true => {
            holds_table(contents.shapes(), Some(index)) && !shape.exttype.starts_with("ARCHIVE_")
        }
        false => shape
            .axes()
            .is_some_and(|(_, axes)| axes.len() == 2 && !axes.contains(&0)),
    };
    let found = contents.shapes().iter().enumerate();
    let found = found.filter(|(index, shape)| fits(*index, shape));
    Ok(found
        .filter_map(|(index, _)| u32::try_from(index).ok())
        .collect())
}

fn open<'a>(
    source: &'a dyn Source,
    layout: Option<&[u8]>,
    asked: &[Asked],
) -> Result<Contents<'a>, FormatError> {
    if let Some(layout) = layout.and_then(Layout::parse) {
        let wanted: Vec<_> = asked
            .iter()
            .filter_map(|asked| ranges(&layout, asked, Tiled::Descriptors))
            .flatten()
            .collect();
        if let Some(contents) = Contents::laid_out(source, layout)? {
            contents.file().prefetch(&wanted)?;
            return Ok(contents);
        }
    }
    Contents::walk(source)
}

fn descend(
    contents: &Contents<'_>,
    object: ObjectRef,
    below: &[String],
) -> Result<ObjectRef, FormatError> {
    let mut object = object;
    for name in below {
        object = object
            .component(name)
            .ok_or_else(|| contents.place().no_part(name, object.component_names()))?;
    }
    Ok(object)
}

/// Reads one thing out of a file that is open.
pub(crate) fn read_target(
    contents: &Contents<'_>,
    asked: &Asked,
) -> Result<ObjectRef, FormatError> {
    match &asked.target {
        Target::Exposure => read_exposure(contents, asked),
        Target::MaskedImage => read_masked_image(contents, asked),
        Target::LoneImage | Target::Image | Target::Variance | Target::Mask => {
            read_plane(contents, asked)
        }
        Target::Metadata if !asked.is_of_image(contents.planes()) => Ok(Arc::new(file_header(
            contents,
            asked.planes(contents.planes()),
        )?)),
        Target::Metadata | Target::MergedMetadata | Target::ImageMetadata => {
            Ok(Arc::new(merged_header(contents, asked)?))
        }
        Target::Bbox => {
            let planes = asked.planes(contents.planes());
            let index = planes.image.or(planes.mask).or(planes.variance);
            let index = index.ok_or_else(|| missing(contents, "bbox"))?;
            let hdu = contents.hdu(index)?;
            Ok(Arc::new(Bbox::new(bbox(&hdu.shape, &hdu.place)?)))
        }
        Target::Component(name) => read_component(contents, asked, name),
        Target::Table => read_table(contents, asked),
        Target::TableMetadata => read_table_header(contents, asked),
        Target::Gathered(class) if class == "Background" => read_background(contents, asked),
        Target::Gathered(class) => Err(contents
            .place()
            .unsupported(format!("objects of class {class} are not read yet"))),
        Target::Anything => read_anything(contents, asked),
    }
}

/// Reads what the file seems to be: a background, an exposure, an image, a table, or the one object of an archive.
fn read_anything(contents: &Contents<'_>, asked: &Asked) -> Result<ObjectRef, FormatError> {
    let as_if = |target: Target| Asked {
        target,
        ..asked.clone()
    };
    if asked.hdu.is_none() && is_background(contents)? {
        return read_background(contents, asked);
    }
    let planes = contents.planes();
    if asked.hdu.is_none() && (planes.mask.is_some() || planes.variance.is_some()) {
        return read_exposure(contents, &as_if(Target::Exposure));
    }
    if holds_table(contents.shapes(), asked.hdu) {
        return read_target(contents, &as_if(Target::Table));
    }
    if asked.hdu.is_some() || planes.image.is_some() {
        return read_plane(contents, &as_if(Target::LoneImage));
    }
    match archive_component(contents, "")? {
        Some(object) => Ok(object),
        None => read_target(contents, &as_if(Target::MergedMetadata)),
    }
}

/// Returns whether the HDU that was picked, or the first extension of a file without pixels, is a table of no archive.
pub(crate) fn holds_table(shapes: &[HduShape], picked: Option<usize>) -> bool {
    match picked {
        Some(index) => shapes.get(index).is_some_and(|shape| {
            matches!(shape.kind, HduKind::BinaryTable(_) | HduKind::AsciiTable)
        }),
        None => table_hdu(shapes) == Some(1) && planes(shapes).image.is_none(),
    }
}

fn read_plane(contents: &Contents<'_>, asked: &Asked) -> Result<ObjectRef, FormatError> {
    let name = match asked.target {
        Target::Mask => "mask",
        Target::Variance => "variance",
        _ => "image",
    };
    let index = asked
        .plane(contents.planes())
        .ok_or_else(|| missing(contents, name))?;
    let fetched = Fetched::fetch(contents, index, asked.bbox)?;
    if asked.target == Target::Mask {
        return Ok(Arc::new(mask_of(fetched.decode(Meaning::Bits)?)?));
    }
    let mut plane = fetched.decode(Meaning::Values)?;
    if asked.target == Target::LoneImage && index > 0 && inherits(contents, index)? {
        let primary = contents.hdu(0)?;
        plane.header = merge(&primary.cards, &plane.header);
    }
    Ok(Arc::new(image_of(plane)?))
}

pub(crate) fn image_of(plane: Plane) -> Result<Image, FormatError> {
    let size = plane.bbox;
    Image::new(plane.pixels, size.width, size.height, size.x0, size.y0)
        .map(|image| image.with_header(Arc::new(plane.header)))
        .map_err(|error| plane.place.corrupt(error.to_string()))
}

struct Read {
    image: Option<Arc<Image>>,
    mask: Option<Arc<Mask>>,
    variance: Option<Arc<Image>>,
    metadata: Arc<Metadata>,
}

/// Reads the planes one after the other, and decodes them side by side.
fn read_planes(contents: &Contents<'_>, asked: &Asked) -> Result<Read, FormatError> {
    contents.check_whole()?;
    let planes = asked.planes(contents.planes());
    if planes == Planes::default() {
        return Err(contents.place().unsupported("there is no image in it"));
    }
    let fetch = |index: Option<usize>| {
        index
            .map(|index| Fetched::fetch(contents, index, asked.bbox))
            .transpose()
    };
    let (image, mask, variance) = (
        fetch(planes.image)?,
        fetch(planes.mask)?,
        fetch(planes.variance)?,
    );
    let values = |fetched: &Option<Fetched>| match fetched {
        Some(fetched) => {
            image_of(fetched.decode(Meaning::Values)?).map(|image| Some(Arc::new(image)))
        }
        None => Ok(None),
    };
    let bits = || match &mask {
        Some(fetched) => mask_of(fetched.decode(Meaning::Bits)?).map(|mask| Some(Arc::new(mask))),
        None => Ok(None),
    };
    let (image, (mask, variance)) = rayon::join(
        || values(&image),
        || rayon::join(bits, || values(&variance)),
    );
    Ok(Read {
        image: image?,
        mask: mask?,
        variance: variance?,
        metadata: Arc::new(file_header(contents, planes)?),
    })
}

fn read_masked_image(contents: &Contents<'_>, asked: &Asked) -> Result<ObjectRef, FormatError> {
    let read = read_planes(contents, asked)?;
    let masked = MaskedImage::new(read.image, read.mask, read.variance, read.metadata);
    Ok(Arc::new(
        masked.map_err(|error| unfit(contents.place(), &error))?,
    ))
}

fn read_exposure(contents: &Contents<'_>, asked: &Asked) -> Result<ObjectRef, FormatError> {
    let read = read_planes(contents, asked)?;
    let planes = asked.planes(contents.planes());
    let exposure = Exposure::new(read.image, read.mask, read.variance, read.metadata);
    let mut exposure = exposure.map_err(|error| unfit(contents.place(), &error))?;
    let mut held = archive_components(contents)?;
    for name in HEADER_COMPONENTS {
        if !held.iter().any(|(known, _)| known == name)
            && let Some(component) = header_component(contents, planes, name)?
        {
            held.push(((*name).to_owned(), component));
        }
    }
    for (name, component) in &held {
        exposure = exposure
            .holding(name, component)
            .map_err(|error| unfit(contents.place(), &error))?;
    }
    Ok(Arc::new(exposure))
}

fn unfit(place: &Place, error: &ComponentError) -> FormatError {
    place.corrupt(error.to_string())
}

fn read_component(
    contents: &Contents<'_>,
    asked: &Asked,
    name: &str,
) -> Result<ObjectRef, FormatError> {
    if let Some(component) = row_component(contents, asked, name)? {
        return Ok(component);
    }
    if let Some(component) = archive_component(contents, name)? {
        return Ok(component);
    }
    let planes = asked.planes(contents.planes());
    match header_component(contents, planes, name)? {
        Some(component) => Ok(component),
        None => {
            // What lies behind the damage may be what was asked for.
            contents.check_whole()?;
            Err(missing(contents, name))
        }
    }
}

/// Returns the error that the file has no such part, with those that it has.
fn missing(contents: &Contents<'_>, name: &str) -> FormatError {
    match known_parts(contents) {
        Ok(known) => contents.place().no_part(name, known),
        Err(error) => error,
    }
}

fn known_parts(contents: &Contents<'_>) -> Result<Vec<String>, FormatError> {
    let planes = contents.planes();
    let mut known = Vec::new();
    for (name, plane) in [
        ("image", planes.image),
        ("mask", planes.mask),
        ("variance", planes.variance),
    ] {
        known.extend(plane.map(|_| name.to_owned()));
    }
    known.push("metadata".to_owned());
    known.extend(
        planes
            .image
            .or(planes.mask)
            .or(planes.variance)
            .map(|_| "bbox".to_owned()),
    );
    if let Some(components) = contents.components()? {
        known.extend(components.ids.keys().cloned());
    }
    known.extend(row_components(contents)?);
    for name in HEADER_COMPONENTS {
        if !known.iter().any(|part| part == name)
            && header_component(contents, planes, name)?.is_some()
        {
            known.push((*name).to_owned());
        }
    }
    Ok(known)
}

/// Returns the header of the whole: the primary one, without what only describes this file.
///
/// Where the primary HDU is the image itself, its header is both; the coordinates stay with the pixels.
fn file_header(contents: &Contents<'_>, planes: Planes) -> Result<Metadata, FormatError> {
    let primary = contents.hdu(0)?;
    let header = primary.cards.without(|card| is_of_file(card.keyword()));
    if planes.image == Some(0) && has_wcs(&header) {
        return Ok(without_sky_wcs(&header));
    }
    Ok(header)
}

/// Returns whether a card of a primary header only says how this very file is laid out.
pub(crate) fn is_of_file(keyword: &str) -> bool {
    let naming = matches!(keyword, "EXTNAME" | "EXTVER");
    (is_structural_keyword(keyword) && !naming) || is_archive_card(keyword) || is_checksum(keyword)
}

/// Returns the header of an HDU with what it inherits from the primary one.
fn merged_header(contents: &Contents<'_>, asked: &Asked) -> Result<Metadata, FormatError> {
    let file = contents.planes();
    let index = asked.planes(file).image.unwrap_or(0);
    let primary = contents.hdu(0)?;
    let own = contents
        .hdu(index)?
        .cards
        .without(|card| is_structural_keyword(card.keyword()) || is_checksum(card.keyword()));
    Ok(if index > 0 && inherits(contents, index)? {
        merge(&primary.cards, &own)
    } else if index > 0 && asked.is_of_image(file) {
        own
    } else {
        primary.cards.without(|card| is_of_header(card.keyword()))
    })
}

fn inherits(contents: &Contents<'_>, index: usize) -> Result<bool, FormatError> {
    Ok(flag_of(&contents.hdu(index)?.cards, "INHERIT"))
}

fn is_of_header(keyword: &str) -> bool {
    is_structural_keyword(keyword) || is_archive_card(keyword) || is_checksum(keyword)
}

/// Returns the primary header's cards, apart from those that the other header has, and then the other's.
pub(crate) fn merge(primary: &Metadata, own: &Metadata) -> Metadata {
    let inherited = primary.without(|card| {
        let commentary = matches!(card.value(), pantler_objects::CardValue::Commentary(_));
        is_of_header(card.keyword()) || (!commentary && own.get(card.keyword()).is_some())
    });
    inherited.followed_by(own)
}

/// Returns the coordinate cards of a header, if it has any.
pub(crate) fn coordinates(header: &Metadata) -> Option<Metadata> {
    has_wcs(header).then(|| sky_wcs_cards(header))
}
