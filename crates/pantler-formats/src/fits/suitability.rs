//! Says whether a file can be what a dataset type says that it is, from its layout alone.
//!
//! Ingest asks before it takes a file in, so that a mask of floating-point numbers, or a table in the place of an image, is
//! refused then and not at the first get. It looks for what the readers look for, and refuses nothing that they read.

use super::asked::Asked;
use super::contents::{Planes, planes};
use super::layout::Layout;
use super::structure::{HduKind, HduShape};
use super::table_reading::table_hdu;
use pantler_core::formatter::ReadRequest;

/// Returns why no object of `class` can be read from a file of this layout, or from the HDU that is picked; `None` if nothing
/// speaks against it.
pub fn unsuitable(layout: &[u8], class: &str, hdu: Option<u32>) -> Option<String> {
    let layout = Layout::parse(layout)?;
    let shapes = &layout.shapes;
    let asked = Asked::of(&ReadRequest {
        class: Some(class.to_owned()),
        hdu,
        ..ReadRequest::default()
    });
    let file = planes(shapes);
    match class {
        "Table" => {
            let index = asked.hdu.or_else(|| table_hdu(shapes));
            let found = index.and_then(|index| shapes.get(index));
            let is_table = found.is_some_and(|shape| {
                matches!(shape.kind, HduKind::BinaryTable(_) | HduKind::AsciiTable)
            });
            (!is_table).then(|| format!("a table was expected, and {}", held(shapes, asked.hdu)))
        }
        "Exposure" | "MaskedImage" => {
            let found = asked.planes(file);
            let has_pixels = found != Planes::default()
                && [found.image, found.mask, found.variance]
                    .into_iter()
                    .flatten()
                    .all(|index| {
                        shapes
                            .get(index)
                            .is_some_and(|shape| shape.axes().is_some())
                    });
            if !has_pixels {
                return Some(format!(
                    "pixels were expected, for {} {class}, and {}",
                    article(class),
                    held(shapes, asked.hdu)
                ));
            }
            no_mask(shapes, found.mask?)
        }
        "Image" | "Mask" => {
            let index = asked.plane(file);
            let shape = index.and_then(|index| shapes.get(index));
            if shape.and_then(HduShape::axes).is_none() {
                return Some(format!(
                    "pixels were expected, for {} {class}, and {}",
                    article(class),
                    held(shapes, asked.hdu)
                ));
            }
            match class {
                "Mask" => no_mask(shapes, index?),
                _ => None,
            }
        }
        _ => None,
    }
}

fn article(class: &str) -> &'static str {
    match class.starts_with(['A', 'E', 'I', 'O', 'U']) {
        true => "an",
        false => "a",
    }
}

/// Why an HDU is no mask.
fn no_mask(shapes: &[HduShape], index: usize) -> Option<String> {
    let (bitpix, _) = shapes.get(index)?.axes()?;
    let fits = matches!(bitpix, 8 | 16 | 32);
    (!fits).then(|| {
        let name = named(shapes, index);
        format!("{name} has BITPIX {bitpix}, and a mask has 8, 16 or 32: integers of which each bit is a plane")
    })
}

fn named(shapes: &[HduShape], index: usize) -> String {
    match shapes.get(index).map(|shape| shape.name.as_str()) {
        Some("") | None => format!("HDU {index}"),
        Some(name) => format!("HDU {index} ({name})"),
    }
}

/// What the file, or the HDU that is picked, holds instead.
fn held(shapes: &[HduShape], picked: Option<usize>) -> String {
    let what = |shape: &HduShape| match &shape.kind {
        HduKind::BinaryTable(_) | HduKind::AsciiTable => Some("a table".to_owned()),
        HduKind::Other => Some("something that is neither image nor table".to_owned()),
        HduKind::Image { .. } | HduKind::CompressedImage { .. } => shape
            .axes()
            .map(|(bitpix, _)| format!("an image with BITPIX {bitpix}")),
    };
    if let Some(index) = picked {
        return match shapes.get(index) {
            None => format!("the file has {} HDUs, and no HDU {index}", shapes.len()),
            Some(shape) => {
                let what = what(shape).unwrap_or_else(|| "a header alone".to_owned());
                format!("{} is {what}", named(shapes, index))
            }
        };
    }
    let mut all = shapes.iter().enumerate();
    let first = all.find_map(|(index, shape)| Some((index, what(shape)?)));
    match first {
        Some((index, what)) => format!("{} is {what}", named(shapes, index)),
        None => "there are only headers in it".to_owned(),
    }
}
