//! What is asked of a file: a whole object, or a part of one, by name or by class.
//!
//! [`Asked::of`] turns a request into one [`Target`]; the reader and the planner both start from it, so that what is read is
//! what was planned.

use pantler_core::RowRanges;
use pantler_core::formatter::{PixelBox, ReadRequest};
use pantler_objects::synonyms::{canonical, class_of, components};

use super::contents::Planes;

/// One thing that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// Planes with header and components.
    Exposure,
    /// Planes with header.
    MaskedImage,
    /// The only image that matters, with what its header inherits.
    LoneImage,
    /// The pixels of an exposure.
    Image,
    /// The variance of an exposure.
    Variance,
    /// The mask.
    Mask,
    /// The header of the whole.
    Metadata,
    /// The headers of the first image and of the whole, as one, if the first inherits the second; else that of the whole.
    MergedMetadata,
    /// The header of the only image that matters, with what it inherits.
    ImageMetadata,
    /// The rectangle that the pixels cover.
    Bbox,
    /// A component, by name.
    Component(String),
    /// A table, or some of its columns.
    Table,
    /// The header of a table.
    TableMetadata,
    /// A class that lies in several HDUs in a way of its own.
    Gathered(String),
    /// Whatever the file holds.
    Anything,
}

/// A request that is understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// What to read.
    pub(crate) target: Target,
    /// The path of components inside of it.
    pub(crate) below: Vec<String>,
    /// The HDU, if the template picks one.
    pub(crate) hdu: Option<usize>,
    /// Only these pixels.
    pub(crate) bbox: Option<PixelBox>,
    /// Only these columns.
    pub(crate) columns: Option<Vec<String>>,
    /// Only these rows.
    pub(crate) rows: Option<RowRanges>,
    /// Whether the class of the whole is not known, so that the file decides.
    pub(crate) guess: bool,
}

impl Asked {
    /// Understands a request.
    pub(crate) fn of(request: &ReadRequest) -> Asked {
        let (target, below) = match request.part.split_first() {
            None => (of_class(request.class.as_deref()), &[][..]),
            Some((first, below)) => (of_part(first, request), below),
        };
        Asked {
            target,
            below: below.to_vec(),
            hdu: request.hdu.map(|hdu| hdu as usize),
            bbox: request.bbox,
            columns: request.columns.clone(),
            rows: request.rows.clone(),
            guess: request.class.is_none(),
        }
    }

    /// Returns whether the header of the image is meant where that of the whole is asked for: a lone image has only one.
    pub(crate) fn is_of_image(&self, file: Planes) -> bool {
        let lone = file.image.is_some() && file.mask.is_none() && file.variance.is_none();
        match self.target {
            Target::ImageMetadata => true,
            Target::MergedMetadata => self.hdu.is_some(),
            _ => self.guess && (lone || self.hdu.is_some()),
        }
    }

    /// Returns the planes to read: those of the file, or the HDU that was picked.
    pub(crate) fn planes(&self, file: Planes) -> Planes {
        match self.hdu {
            Some(hdu) => Planes {
                image: Some(hdu),
                ..Planes::default()
            },
            None => file,
        }
    }

    /// Returns the HDU of an image or of the mask.
    pub(crate) fn plane(&self, file: Planes) -> Option<usize> {
        let planes = self.planes(file);
        match &self.target {
            Target::Variance => planes.variance,
            // A file with one image and no names is a mask, if that is what is asked for.
            Target::Mask if file.mask.is_none() && file.variance.is_none() => planes.image,
            Target::Mask => planes.mask.or(planes.image.filter(|_| self.hdu.is_some())),
            _ => planes.image,
        }
    }
}

fn of_part(name: &str, request: &ReadRequest) -> Target {
    match canonical(name) {
        "image" => Target::Image,
        "variance" => Target::Variance,
        "mask" => Target::Mask,
        "metadata" => match request.class.as_deref() {
            Some("Metadata") => Target::MergedMetadata,
            Some("Table") => Target::TableMetadata,
            Some("Image" | "Mask") => Target::ImageMetadata,
            _ => Target::Metadata,
        },
        "bbox" => Target::Bbox,
        other => Target::Component(other.to_owned()),
    }
}

fn of_class(class: Option<&str>) -> Target {
    match class {
        None => Target::Anything,
        Some("Exposure") => Target::Exposure,
        Some("MaskedImage") => Target::MaskedImage,
        Some("Image") => Target::LoneImage,
        Some("Mask") => Target::Mask,
        Some("Metadata") => Target::MergedMetadata,
        Some("Bbox") => Target::Bbox,
        Some("Table") => Target::Table,
        Some(class @ ("Background" | "Container")) => Target::Gathered(class.to_owned()),
        Some(class) => Target::Component(component_of_class(class).to_owned()),
    }
}

/// Returns the component whose class this is, or the class itself.
fn component_of_class(class: &str) -> &str {
    components()
        .find(|name| class_of(name) == Some(class))
        .unwrap_or(class)
}

/// Returns the class of a component: the one that its name has in pantler, else the name.
pub(crate) fn class_of_component(name: &str) -> &str {
    class_of(name).unwrap_or(name)
}
