//! Where the bytes of a target lie, from the layout alone.
//!
//! The reader fetches these ranges before it starts, and the planner adds them up, so a plan says what a read costs.

use std::ops::Range;

use pantler_core::formatter::{PartLocation, ReadRequest};
use pantler_objects::synonyms::class_of;

use super::asked::{Asked, Target, class_of_component};
use super::background::is_shaped_like_background;
use super::component::HEADER_COMPONENTS;
use super::contents::{Planes, planes};
use super::layout::Layout;
use super::opened::coalesce;
use super::place::Place;
use super::plane::{bbox, data_range};
use super::reading::holds_table;
use super::structure::HduKind;
use super::table_reading::table_hdu;
use super::table_rows::row_bytes;
use super::tiles::{self, Area};

/// Returns where a part lies; `None` if the layout does not tell.
pub(crate) fn locate(layout: &[u8], request: &ReadRequest) -> Option<PartLocation> {
    // In a file that is wrapped in gzip there is nothing to point at.
    let layout = Layout::parse(layout).filter(|layout| layout.packed.is_none())?;
    let asked = Asked::of(request);
    let ranges = ranges(&layout, &asked, Tiled::Estimated)?;
    let class = match asked.below.last() {
        Some(name) => class_of(name).unwrap_or("Object").to_owned(),
        None => class(&layout, &asked),
    };
    Some(PartLocation {
        ranges: coalesce(&ranges, 0),
        class,
    })
}

/// Returns the planes, and the components in the archive, that the file holds; not those that headers carry.
pub(crate) fn held(layout: &[u8]) -> Option<Vec<String>> {
    let layout = Layout::parse(layout)?;
    let planes = planes(&layout.shapes);
    let of_planes = [
        ("image", planes.image),
        ("mask", planes.mask),
        ("variance", planes.variance),
    ];
    let of_planes = of_planes
        .into_iter()
        .filter_map(|(name, plane)| plane.map(|_| name.to_owned()));
    let components = layout.components.iter();
    Some(
        of_planes
            .chain(components.flat_map(|found| found.ids.keys().cloned()))
            .collect(),
    )
}

fn class(layout: &Layout, asked: &Asked) -> String {
    match &asked.target {
        Target::Exposure => "Exposure",
        Target::MaskedImage => "MaskedImage",
        Target::LoneImage | Target::Image | Target::Variance => "Image",
        Target::Mask => "Mask",
        Target::Metadata
        | Target::MergedMetadata
        | Target::ImageMetadata
        | Target::TableMetadata => "Metadata",
        Target::Bbox => "Bbox",
        Target::Component(name) => class_of_component(name),
        Target::Table => "Table",
        Target::Gathered(class) => class,
        Target::Anything if holds_table(&layout.shapes, asked.hdu) => "Table",
        // Only a header tells a background from other images.
        Target::Anything if is_maybe_background(layout, asked) => "Object",
        Target::Anything => {
            let planes = planes(&layout.shapes);
            match (planes.mask.or(planes.variance), planes.image) {
                (Some(_), _) if asked.hdu.is_none() => "Exposure",
                (_, Some(_)) => "Image",
                _ => "Object",
            }
        }
    }
    .to_owned()
}

/// What is said of the tiles of a cutout, whose place only their descriptors tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tiled {
    /// Only where the descriptors lie: what can be read at once.
    Descriptors,
    /// Also as many bytes as tiles of equal size would take: what a read will cost.
    Estimated,
}

/// Returns the ranges that reading a target needs; `None` if the layout does not tell.
pub(crate) fn ranges(layout: &Layout, asked: &Asked, tiled: Tiled) -> Option<Vec<Range<u64>>> {
    let file = planes(&layout.shapes);
    let planes = asked.planes(file);
    let header = |index: usize| layout.shapes.get(index).map(|shape| shape.header.clone());
    let first = planes.image.or(planes.mask).or(planes.variance);
    match &asked.target {
        Target::Exposure | Target::MaskedImage | Target::Anything if asked.bbox.is_some() => {
            cutout(layout, asked, planes, tiled)
        }
        Target::Anything if holds_table(&layout.shapes, asked.hdu) => table(layout, asked),
        Target::Table => table(layout, asked),
        Target::TableMetadata => {
            let own = asked.hdu.or_else(|| table_hdu(&layout.shapes))?;
            Some([header(0)?, header(own)?].to_vec())
        }
        Target::Exposure | Target::MaskedImage | Target::Anything | Target::Gathered(_) => {
            Some(std::iter::once(0..layout.size).collect())
        }
        Target::LoneImage | Target::Image | Target::Variance | Target::Mask => {
            let index = asked.plane(file)?;
            let mut ranges = plane_ranges(layout, asked, index, tiled)?;
            if asked.target == Target::LoneImage && index > 0 {
                ranges.extend(header(0));
            }
            Some(ranges)
        }
        Target::Metadata if !asked.is_of_image(file) => Some(header(0).into_iter().collect()),
        Target::Metadata | Target::MergedMetadata | Target::ImageMetadata => {
            let own = planes.image.unwrap_or(0);
            Some([header(0)?, header(own)?].to_vec())
        }
        Target::Bbox => Some(vec![header(first?)?]),
        // Only the rows tell which objects of the archive are theirs.
        Target::Component(_) if holds_table(&layout.shapes, asked.hdu) => None,
        Target::Component(name) => component(layout, name, first),
    }
}

fn is_maybe_background(layout: &Layout, asked: &Asked) -> bool {
    asked.hdu.is_none() && is_shaped_like_background(&layout.shapes)
}

/// Returns the ranges of a table: rows lie one after the other, so that some columns cost as much as all.
///
/// Of some rows' arrays in the heap only the rows themselves tell where they lie, and of the lines of an ASCII table only its
/// header does; they are left out here.
fn table(layout: &Layout, asked: &Asked) -> Option<Vec<Range<u64>>> {
    let index = asked.hdu.or_else(|| table_hdu(&layout.shapes))?;
    let shape = layout.shapes.get(index)?;
    let primary = layout.shapes.first()?.header.clone();
    let data = match (&asked.rows, &shape.kind) {
        // The number of rows stands in the header.
        _ if asked.columns.as_ref().is_some_and(Vec::is_empty) => Vec::new(),
        (None, _) => vec![shape.data.clone()],
        (Some(rows), HduKind::BinaryTable(table)) if rows.end() <= table.rows => {
            row_bytes(rows, shape.data.start, table.width)
        }
        (Some(_), _) => Vec::new(),
    };
    Some([vec![primary, shape.header.clone()], data].concat())
}

fn component(layout: &Layout, name: &str, plane: Option<usize>) -> Option<Vec<Range<u64>>> {
    let Some(components) = layout.components.as_ref().filter(|_| !name.is_empty()) else {
        return match plane {
            Some(_) if HEADER_COMPONENTS.contains(&name) => header_ranges(layout, name, plane),
            Some(_) => None,
            // A file of a single object is that object.
            None => Some(std::iter::once(0..layout.size).collect()),
        };
    };
    match components.ids.get(name) {
        Some(id) => Some(layout.object_ranges(*id)),
        None if HEADER_COMPONENTS.contains(&name) => header_ranges(layout, name, plane),
        None => None,
    }
}

fn header_ranges(layout: &Layout, name: &str, plane: Option<usize>) -> Option<Vec<Range<u64>>> {
    let mut ranges = vec![layout.shapes.first()?.header.clone()];
    if name == "wcs" {
        ranges.extend(
            plane
                .and_then(|index| layout.shapes.get(index))
                .map(|shape| shape.header.clone()),
        );
    }
    Some(ranges)
}

fn plane_ranges(
    layout: &Layout,
    asked: &Asked,
    index: usize,
    tiled: Tiled,
) -> Option<Vec<Range<u64>>> {
    let shape = layout.shapes.get(index)?;
    let whole = bbox(shape, &Place::file("")).ok()?;
    let wanted = asked.bbox.unwrap_or(whole);
    let mut ranges = vec![shape.header.clone()];
    match tiles::ranges(shape, &Area::of(whole, wanted)) {
        Some(found) => {
            ranges.push(found.rows);
            ranges.extend((tiled == Tiled::Estimated).then_some(found.heap));
        }
        None => ranges.push(data_range(shape, whole, wanted)),
    }
    Some(ranges)
}

/// Returns the ranges of a cutout: the rows or tiles of each plane, and all that is no plane.
fn cutout(layout: &Layout, asked: &Asked, planes: Planes, tiled: Tiled) -> Option<Vec<Range<u64>>> {
    let mut ranges = Vec::new();
    for index in [planes.image, planes.mask, planes.variance]
        .into_iter()
        .flatten()
    {
        ranges.extend(plane_ranges(layout, asked, index, tiled)?);
    }
    ranges.extend(layout.shapes.first().map(|shape| shape.header.clone()));
    if let Some(components) = &layout.components {
        ranges.extend(
            components
                .ids
                .values()
                .flat_map(|id| layout.object_ranges(*id)),
        );
    }
    Some(ranges)
}
