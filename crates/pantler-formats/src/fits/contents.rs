//! What a file contains: its HDUs and where its archive's objects lie, from a walk or from a layout.
//!
//! [`Contents`] is what all readers of parts work on. After a walk every header is at hand; from a layout no header is, and
//! [`Contents::hdu`] fetches the one that is asked for and checks that it still is what the layout says. So a part is found
//! by the same code either way, and costs what it needs.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use pantler_core::{FormatError, Source};
use pantler_objects::Metadata;
use pantler_objects::synonyms::component_of_id_card;

use super::archive::Directory;
use super::card::integer_of;
use super::layout::Layout;
use super::opened::Opened;
use super::place::Place;
use super::structure::{Hdu, HduKind, HduShape, Structure};

/// The archive of a file, and the components that its primary header names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Components {
    /// Where the objects lie.
    pub(crate) directory: Directory,
    /// The ids of the components, by name.
    pub(crate) ids: BTreeMap<String, i32>,
}

/// The HDUs that hold the planes of an image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Planes {
    /// The pixels.
    pub(crate) image: Option<usize>,
    /// The mask.
    pub(crate) mask: Option<usize>,
    /// The variance.
    pub(crate) variance: Option<usize>,
}

/// A file whose parts can be read.
pub(crate) struct Contents<'a> {
    file: Opened<'a>,
    shapes: Vec<HduShape>,
    hdus: RefCell<BTreeMap<usize, Arc<Hdu>>>,
    damage: Option<FormatError>,
    components: OnceCell<Option<Components>>,
}

impl<'a> Contents<'a> {
    /// Reads all headers of a file.
    pub(crate) fn walk(source: &'a dyn Source) -> Result<Contents<'a>, FormatError> {
        let file = Opened::sniff(source)?;
        let Structure { hdus, damage } = Structure::walk(&file)?;
        let shapes = hdus.iter().map(|hdu| hdu.shape.clone()).collect();
        let hdus = hdus.into_iter().map(|hdu| (hdu.index, Arc::new(hdu)));
        Ok(Contents {
            file,
            shapes,
            hdus: RefCell::new(hdus.collect()),
            damage,
            components: OnceCell::new(),
        })
    }

    /// Takes a layout for what it says; `None` if the file has another size, so that the layout is of another file.
    pub(crate) fn laid_out(
        source: &'a dyn Source,
        layout: Layout,
    ) -> Result<Option<Contents<'a>>, FormatError> {
        let file = match layout.packed {
            None => Opened::plain(source)?,
            Some(_) => Opened::wrapped(source, layout.size)?,
        };
        if file.size() != layout.size || file.packed() != layout.packed {
            return Ok(None);
        }
        Ok(Some(Contents {
            file,
            shapes: layout.shapes,
            hdus: RefCell::default(),
            damage: None,
            components: layout
                .components
                .map_or_else(OnceCell::new, |found| OnceCell::from(Some(found))),
        }))
    }

    /// Returns the file.
    pub(crate) fn file(&self) -> &Opened<'a> {
        &self.file
    }

    /// Returns the file, for messages.
    pub(crate) fn place(&self) -> &Place {
        self.file.place()
    }

    /// Returns the shapes of all HDUs.
    pub(crate) fn shapes(&self) -> &[HduShape] {
        &self.shapes
    }

    /// Fails if the walk met damage.
    pub(crate) fn check_whole(&self) -> Result<(), FormatError> {
        match &self.damage {
            Some(FormatError::Corrupt { file, unit, why }) => Err(FormatError::Corrupt {
                file: file.clone(),
                unit: unit.clone(),
                why: why.clone(),
            }),
            Some(other) => Err(self.place().corrupt(other.to_string())),
            None => Ok(()),
        }
    }

    /// Returns an HDU with its cards.
    pub(crate) fn hdu(&self, index: usize) -> Result<Arc<Hdu>, FormatError> {
        if let Some(hdu) = self.hdus.borrow().get(&index) {
            return Ok(Arc::clone(hdu));
        }
        let Some(shape) = self.shapes.get(index) else {
            self.check_whole()?;
            let number = self.shapes.len();
            return Err(self
                .place()
                .corrupt(format!("HDU {index} was asked for, and it has {number}")));
        };
        let header = self.file.read(shape.header.clone())?;
        let hdu = Hdu::parse(
            &header,
            shape.header.start,
            index,
            self.file.size(),
            self.place(),
        )?;
        if hdu.shape != *shape {
            return Err(hdu
                .place
                .corrupt("it is not what it was when it was indexed"));
        }
        let hdu = Arc::new(hdu);
        self.hdus.borrow_mut().insert(index, Arc::clone(&hdu));
        Ok(hdu)
    }

    /// Returns the archive and the components that lie in it; `None` if the file has no archive.
    pub(crate) fn components(&self) -> Result<Option<&Components>, FormatError> {
        if self.components.get().is_none() {
            let found = match Directory::find(self)? {
                Some(directory) => Some(Components {
                    ids: component_ids(&self.hdu(0)?.cards, &directory),
                    directory,
                }),
                None => None,
            };
            // Only this line sets it after the check above, so it was not set in between.
            let _ = self.components.set(found);
        }
        Ok(self.components.get().and_then(Option::as_ref))
    }

    /// Returns the HDU of this name.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.shapes.iter().position(|shape| shape.is_called(name))
    }

    /// Returns the HDUs that hold planes: by name, else by position.
    pub(crate) fn planes(&self) -> Planes {
        planes(&self.shapes)
    }
}

/// Returns the HDUs that hold planes: by name, else by position, else the first one with pixels as the image.
pub(crate) fn planes(shapes: &[HduShape]) -> Planes {
    let named = |name: &str| {
        let found = shapes
            .iter()
            .position(|shape| shape.is_called(name) && shape.axes().is_some());
        found.filter(|&index| index > 0)
    };
    let by_name = Planes {
        image: named("IMAGE"),
        mask: named("MASK"),
        variance: named("VARIANCE"),
    };
    if by_name != Planes::default() {
        return by_name;
    }
    let nameless = |index: usize| {
        shapes
            .get(index)
            .filter(|shape| shape.name.is_empty())
            .and_then(HduShape::axes)
    };
    let bare = shapes.first().is_some_and(|shape| shape.axes().is_none());
    if bare
        && let (Some((_, image)), Some((bits, mask)), Some((_, variance))) =
            (nameless(1), nameless(2), nameless(3))
        && image == mask
        && image == variance
        && bits > 0
    {
        return Planes {
            image: Some(1),
            mask: Some(2),
            variance: Some(3),
        };
    }
    Planes {
        image: shapes.iter().position(|shape| shape.axes().is_some()),
        ..Planes::default()
    }
}

/// Returns the components that the primary header names, and that the archive has.
///
/// Newer files name a component twice; the card that is meant for every component wins, then the newer name.
fn component_ids(primary: &Metadata, directory: &Directory) -> BTreeMap<String, i32> {
    let mut found = Vec::new();
    for card in primary.iter() {
        let keyword = card.keyword();
        let id = integer_of(primary, keyword).and_then(|id| i32::try_from(id).ok());
        if let (Some(name), Some(id)) = (component_of_id_card(keyword), id)
            && directory.objects.contains_key(&id)
        {
            let rank = (!keyword.starts_with("ARCHIVE_ID_"), keyword == "WCS_ID");
            found.push((rank, name.to_owned(), id));
        }
    }
    found.sort_by_key(|(rank, ..)| *rank);
    let mut ids = BTreeMap::new();
    for (_, name, id) in found {
        ids.entry(name).or_insert(id);
    }
    ids
}

/// Returns whether an HDU is a table that can be in an archive.
pub(crate) fn is_table(shape: &HduShape) -> bool {
    matches!(shape.kind, HduKind::BinaryTable(_))
}
