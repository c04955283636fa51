//! Writes objects as standard FITS files, which astropy and the LSST stack open.
//!
//! ```text
//! Exposure   primary header │ IMAGE │ MASK │ VARIANCE │ ARCHIVE_INDEX │ one table for each layout of records
//! Image      one HDU (plain), or an empty primary HDU and the tiles
//! component  primary header │ ARCHIVE_INDEX │ tables
//! Table      empty primary HDU │ one binary table
//! Background levels │ mask │ variance │ …
//! ```
//!
//! The same object gives the same bytes. What a component overrides was taken out of the object's headers when it was
//! replaced (rule R11), and the archive holds only what the components need, so no file keeps a trace of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use pantler_core::formatter::WriteOptions;
use pantler_core::object::downcast;
use pantler_core::{FormatError, Object, ObjectRef};
use pantler_objects::synonyms::record_of;
use pantler_objects::{
    Archive, ArchiveError, ArchiveObject, Background, Carrier, Component, Exposure, Image, Mask,
    MaskedImage, Metadata, Persisted, PhotoCalib, Table, VisitInfo, Wcs,
};

use super::archive_writing::write_archive;
use super::background::write_background;
use super::hdu_writing::{HeaderWriting, Recipe, empty_primary, write_image};
use super::mask_planes::stored;
use super::place::Place;
use super::plane_cards::{Described, mask_cards, plane_cards};
use super::provenance::{is_provenance_keyword, write_provenance};
use super::reading::is_of_file;
use super::table_writing::write_table;

/// Writes an object.
pub(crate) fn write(object: &ObjectRef, options: &WriteOptions) -> Result<Bytes, FormatError> {
    let place = Place::file("FITS");
    let Some(recipe) = Recipe::parse(options.recipe.as_deref()) else {
        let name = options.recipe.as_deref().unwrap_or_default();
        let why = format!("there is no write recipe `{name}`; there are none, lossless, lossy");
        return Err(place.unsupported(why));
    };
    let writer = Writer {
        recipe,
        options,
        place,
    };
    let object = object.as_ref();
    if let Some(exposure) = downcast::<Exposure>(object) {
        return writer.exposure(exposure);
    }
    if let Some(image) = downcast::<MaskedImage>(object) {
        let (planes, header) = (
            (image.image(), image.mask(), image.variance()),
            image.metadata(),
        );
        return writer.planes(planes, header, &Held::default());
    }
    if let Some(image) = downcast::<Image>(object) {
        return writer.image(image);
    }
    if let Some(mask) = downcast::<Mask>(object) {
        return writer.mask(mask);
    }
    if let Some(table) = downcast::<Table>(object) {
        return write_table(table, &options.provenance, &writer.place);
    }
    if let Some(background) = downcast::<Background>(object) {
        return write_background(background, &writer.place);
    }
    if let Some(header) = downcast::<Metadata>(object) {
        return writer.planes((None, None, None), header, &Held::default());
    }
    match carrier_of(object) {
        Some((name, carrier)) => writer.component(name, carrier, object),
        None => Err(writer.place.unsupported(format!(
            "it cannot hold objects of class {}",
            object.class()
        ))),
    }
}

/// Returns the component's name and what carries it.
fn carrier_of(object: &dyn Object) -> Option<(&str, &Carrier)> {
    if let Some(wcs) = downcast::<Wcs>(object) {
        return Some(("wcs", wcs.carrier()));
    }
    if let Some(calib) = downcast::<PhotoCalib>(object) {
        return Some(("photoCalib", calib.carrier()));
    }
    if let Some(info) = downcast::<VisitInfo>(object) {
        return Some(("visitInfo", info.carrier()));
    }
    let component = downcast::<Component>(object)?;
    let class = component.class();
    let known = pantler_objects::synonyms::components()
        .find(|name| pantler_objects::synonyms::class_of(name) == Some(class));
    Some((known.unwrap_or(class), component.carrier()))
}

/// What an archive and a header must hold beside the planes.
#[derive(Default)]
struct Held {
    records: Vec<(String, Persisted)>,
    headers: Vec<Metadata>,
    described: Described,
}

impl Held {
    fn add(&mut self, name: &str, carrier: &Carrier) {
        match carrier {
            Carrier::Archive(persisted) => self.records.push((name.to_owned(), persisted.clone())),
            // The coordinates of pixels stand with the pixels, not here.
            Carrier::Header(_) if name == "wcs" => {}
            Carrier::Header(cards) => self.headers.push(cards.clone()),
        }
    }
}

type PlaneRefs<'a> = (
    Option<&'a Arc<Image>>,
    Option<&'a Arc<Mask>>,
    Option<&'a Arc<Image>>,
);

struct Writer<'a> {
    recipe: Recipe,
    options: &'a WriteOptions,
    place: Place,
}

impl Writer<'_> {
    fn exposure(&self, exposure: &Exposure) -> Result<Bytes, FormatError> {
        let mut held = Held::default();
        for name in exposure.component_names() {
            let part = exposure.component(&name);
            if let Some((_, carrier)) = part.as_deref().and_then(carrier_of) {
                held.add(&name, carrier);
            }
        }
        held.described = Described::of(exposure);
        let planes = (exposure.image(), exposure.mask(), exposure.variance());
        self.planes(planes, exposure.metadata(), &held)
    }

    fn planes(
        &self,
        (image, mask, variance): PlaneRefs<'_>,
        metadata: &Metadata,
        held: &Held,
    ) -> Result<Bytes, FormatError> {
        let planes = usize::from(image.is_some())
            + usize::from(mask.is_some())
            + usize::from(variance.is_some());
        let mut out = Vec::new();
        let archive = self.primary(&mut out, metadata, held, planes)?;
        let write_values = |out: &mut Vec<u8>, name: &str, plane: Option<&Arc<Image>>| match plane {
            Some(plane) => {
                let cards = plane_cards(
                    plane.header(),
                    plane.pixel_box(),
                    Some(name),
                    &held.described,
                );
                let size = (plane.width(), plane.height());
                write_image(out, plane.pixels(), size, self.recipe, &cards, &self.place)
            }
            None => Ok(()),
        };
        write_values(&mut out, "IMAGE", image)?;
        if let Some(mask) = mask {
            let cards = mask_cards(mask, Some("MASK"), &held.described);
            let size = (mask.width(), mask.height());
            write_image(
                &mut out,
                &stored(mask),
                size,
                self.recipe,
                &cards,
                &self.place,
            )?;
        }
        write_values(&mut out, "VARIANCE", variance)?;
        if !archive.is_empty() {
            write_archive(&mut out, &archive, &self.place)?;
        }
        Ok(Bytes::from(out))
    }

    /// Writes the primary header, and returns the archive that it points to.
    fn primary(
        &self,
        out: &mut Vec<u8>,
        metadata: &Metadata,
        held: &Held,
        planes: usize,
    ) -> Result<Archive, FormatError> {
        let (archive, roots) = self.archive(held)?;
        let mut header = empty_primary();
        for card in metadata.iter().filter(|card| is_kept(card.keyword())) {
            header.card(card);
        }
        let mut extra = held.headers.clone();
        if planes == 0
            && let Some(cards) = &held.described.wcs
        {
            extra.push(cards.clone());
        }
        for card in extra.iter().flat_map(Metadata::iter) {
            if metadata.get(card.keyword()).is_none() && is_kept(card.keyword()) {
                header.card(card);
            }
        }
        if !archive.is_empty() {
            // The card counts HDUs from 1, and the index follows the planes.
            header.add(
                "AR_HDU",
                planes as i64 + 2,
                "HDU (from 1) of the archive's index",
            );
            if planes > 0 {
                header.add("EXPINFO_V", 2, "version of the layout of the components");
            }
            for ((name, _), id) in held.records.iter().zip(&roots) {
                add_ids(&mut header, name, *id);
            }
        }
        write_provenance(&mut header, &self.options.provenance);
        header.finish(out, &self.place)?;
        Ok(archive)
    }

    /// Returns the records of all components as one archive, and the id of each component in it.
    ///
    /// Where no two of them want one id for different objects, as in a file that was read and not changed, all keep their
    /// ids, so that records are written as they were.
    fn archive(&self, held: &Held) -> Result<(Archive, Vec<i32>), FormatError> {
        let unfit = |error: ArchiveError| self.place.unsupported(error.to_string());
        let records: Vec<&Persisted> = held.records.iter().map(|(_, record)| record).collect();
        if let Some(objects) = side_by_side(&records) {
            let archive = Archive::new(objects.into_values().cloned()).map_err(unfit)?;
            return Ok((
                archive,
                records.iter().map(|record| record.root()).collect(),
            ));
        }
        let records: Vec<Persisted> = records.into_iter().cloned().collect();
        let merged = Archive::merged(&Archive::default(), &records).map_err(unfit)?;
        Ok((merged.archive, merged.roots))
    }

    fn image(&self, image: &Image) -> Result<Bytes, FormatError> {
        let described = Described::default();
        let size = (image.width(), image.height());
        let mut out = self.start()?;
        let name = (!out.is_empty()).then_some("IMAGE");
        let mut cards = plane_cards(image.header(), image.pixel_box(), name, &described);
        cards.retain(|card| is_kept(card.keyword()));
        write_image(
            &mut out,
            image.pixels(),
            size,
            self.recipe,
            &cards,
            &self.place,
        )?;
        Ok(Bytes::from(out))
    }

    fn mask(&self, mask: &Mask) -> Result<Bytes, FormatError> {
        let mut out = self.start()?;
        let name = (!out.is_empty()).then_some("MASK");
        let cards = mask_cards(mask, name, &Described::default());
        let size = (mask.width(), mask.height());
        write_image(
            &mut out,
            &stored(mask),
            size,
            self.recipe,
            &cards,
            &self.place,
        )?;
        Ok(Bytes::from(out))
    }

    /// Starts a file of one image: with nothing where the image is the primary HDU, else with an empty one, because tiles
    /// and provenance need it.
    fn start(&self) -> Result<Vec<u8>, FormatError> {
        let mut out = Vec::new();
        if self.recipe != Recipe::Plain || !self.options.provenance.is_empty() {
            let mut header = empty_primary();
            write_provenance(&mut header, &self.options.provenance);
            header.finish(&mut out, &self.place)?;
        }
        Ok(out)
    }

    fn component(
        &self,
        name: &str,
        carrier: &Carrier,
        object: &dyn Object,
    ) -> Result<Bytes, FormatError> {
        let mut held = Held::default();
        held.add(name, carrier);
        if let (Some(wcs), Carrier::Header(cards)) = (downcast::<Wcs>(object), carrier) {
            held.described = Described::alone(cards, wcs.pixel_origin());
        }
        self.planes((None, None, None), &Metadata::default(), &held)
    }
}

/// Returns all objects by id; `None` if an id means two different objects.
fn side_by_side<'a>(records: &[&'a Persisted]) -> Option<BTreeMap<i32, &'a ArchiveObject>> {
    let mut objects: BTreeMap<i32, &ArchiveObject> = BTreeMap::new();
    for object in records.iter().flat_map(|record| record.archive().iter()) {
        let known = objects.entry(object.id()).or_insert(object);
        if !is_same(known, object) {
            return None;
        }
    }
    Some(objects)
}

fn is_same(one: &ArchiveObject, other: &ArchiveObject) -> bool {
    std::ptr::eq(one, other)
        || one.class() == other.class()
            && one.module() == other.module()
            && one.catalogs().len() == other.catalogs().len()
            && one
                .catalogs()
                .iter()
                .zip(other.catalogs())
                .all(|(one, other)| {
                    one.number == other.number
                        && one.rows.bytes() == other.rows.bytes()
                        && one.rows.heap() == other.rows.heap()
                        && one.rows.table().columns() == other.rows.table().columns()
                })
}

/// Returns whether a card of an object's header goes into the file: not what the writer says itself.
pub(crate) fn is_kept(keyword: &str) -> bool {
    !is_of_file(keyword) && !is_provenance_keyword(keyword)
}

/// Adds the cards that name a component's record, in both ways that the LSST stack reads.
fn add_ids(header: &mut HeaderWriting, name: &str, id: i32) {
    let root = record_of(name).unwrap_or(name);
    let comment = "archive id";
    if record_of(name).is_some() {
        header.add(&format!("{root}_ID"), i64::from(id), comment);
    }
    header.add(&format!("ARCHIVE_ID_{root}"), i64::from(id), comment);
}
