//! Places images side by side in one mosaic, where their headers say: amplifiers into a detector, detectors into a focal
//! plane. The assembler `pantler.focalPlane`.
//!
//! The keywords are those of the NOAO mosaic convention (IRAF `mscred`): `DATASEC` says which pixels of an image are data,
//! `DETSEC` where they belong in the mosaic, `DETSIZE` how large that is. Sections are `[x1:x2,y1:y2]`, counted from 1,
//! both ends included; an axis of `DETSEC` that runs backwards is read out backwards, so the data are flipped.
//!
//! The mosaic lies as `DETSEC` counts; nothing is turned for display. Nothing is subtracted or scaled: values are those of
//! the images, in the pixel type that the composite's `python` names (`ImageF` is float32, `ImageD` float64, `ImageI`
//! int32, `ImageU` uint16), else in the one type that all images have. A whole number that the type cannot hold is refused;
//! measurements are rounded to the type. Where no image lies, a mosaic of floating-point numbers has NaN, and one of whole
//! numbers is refused. There is no way back: such a composite cannot be put.

use std::sync::Arc;

use pantler_core::assembler::{Assembler, AssemblyError, ComponentInfo, Slot};
use pantler_core::object::downcast;
use pantler_core::{DataId, ObjectRef};
use pantler_objects::header_wcs::without_sky_wcs;
use pantler_objects::{Card, Image, Metadata, PixelType, Pixels};

/// The assembler `pantler.focalPlane`.
#[derive(Debug, Clone, Copy)]
pub struct FocalPlane;

/// A mosaic may have so many times as many pixels as its images.
const MOST_EMPTY: u64 = 1024;

/// Cards that speak of one image's place or amplifier, or of its file, never of the mosaic.
const OF_ONE_IMAGE: &[&str] = &[
    "DATASEC", "DETSEC", "DETSIZE", "BIASSEC", "CCDSEC", "AMPSEC", "TRIMSEC", "PRESEC", "POSTSEC",
    "EXTNAME", "EXTVER", "CHANNEL", "CHECKSUM", "DATASUM", "BSCALE", "BZERO", "BLANK", "INHERIT",
];

/// A rectangle of pixels in the order in which it is run through: 1-based, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Section {
    x: (i64, i64),
    y: (i64, i64),
}

/// An image and where it goes.
struct Placed<'a> {
    name: String,
    image: &'a Image,
    data: Section,
    place: Section,
}

impl Assembler for FocalPlane {
    fn assemble(
        &self,
        _data_id: &DataId,
        components: &[ComponentInfo],
        class: &str,
    ) -> Result<ObjectRef, AssemblyError> {
        let mut placed = Vec::new();
        let mut frame = None;
        for info in components {
            let objects: Vec<(String, &ObjectRef)> = match &info.slot {
                Slot::Many(many) => many
                    .iter()
                    .map(|(id, object)| (id.to_string(), object))
                    .collect(),
                Slot::One(object) => vec![(String::new(), object)],
                Slot::Empty => Vec::new(),
            };
            for (data_id, object) in objects {
                let name = format!("{} {data_id}", info.name).trim_end().to_owned();
                let refused =
                    |message: String| refused(Some(&info.name), format!("{name}: {message}"));
                let image = downcast::<Image>(object.as_ref()).ok_or_else(|| {
                    refused(format!(
                        "images are placed in a mosaic, and this is a {}",
                        object.class()
                    ))
                })?;
                let one = place(&name, image).map_err(refused)?;
                agree(&mut frame, &one).map_err(refused)?;
                placed.push(one);
            }
        }
        let mosaic = mosaic(&placed, frame, class).map_err(|message| refused(None, message))?;
        Ok(Arc::new(mosaic))
    }
}

fn refused(component: Option<&str>, message: String) -> AssemblyError {
    AssemblyError {
        component: component.map(str::to_owned),
        message,
        raised: None,
    }
}

/// Reads where an image goes.
fn place<'a>(name: &str, image: &'a Image) -> Result<Placed<'a>, String> {
    let place = section(image.header(), "DETSEC")?
        .ok_or("its header has no DETSEC, which would say where it goes in the mosaic")?;
    let all = Section {
        x: (1, i64::try_from(image.width()).unwrap_or(i64::MAX)),
        y: (1, i64::try_from(image.height()).unwrap_or(i64::MAX)),
    };
    let data = section(image.header(), "DATASEC")?.unwrap_or(all);
    if !all.holds(&data) {
        return Err(format!(
            "its DATASEC is {data}, and it has {}x{} pixels",
            image.width(),
            image.height()
        ));
    }
    if data.size() != place.size() {
        return Err(format!(
            "its DATASEC {data} has {:?} pixels and its DETSEC {place} {:?}; binned images are not placed",
            data.size(),
            place.size()
        ));
    }
    Ok(Placed {
        name: name.to_owned(),
        image,
        data,
        place,
    })
}

/// Notes the mosaic's size, which all images must agree about, and checks that the image lies inside.
fn agree(frame: &mut Option<Section>, one: &Placed<'_>) -> Result<(), String> {
    let own = section(one.image.header(), "DETSIZE")?;
    match (*frame, own) {
        (Some(frame), Some(own)) if frame != own => {
            return Err(format!(
                "its DETSIZE is {own}, and that of the others {frame}"
            ));
        }
        (None, Some(own)) => *frame = Some(own),
        _ => {}
    }
    match own {
        Some(own) if !own.holds(&one.place) => Err(format!(
            "its DETSEC {} lies outside its DETSIZE {own}",
            one.place
        )),
        _ => Ok(()),
    }
}

fn mosaic(placed: &[Placed<'_>], frame: Option<Section>, class: &str) -> Result<Image, String> {
    let (Some(first), Some(bounds)) = (placed.first(), bounds(placed)) else {
        return Err("there is no image to place".to_owned());
    };
    let frame = frame.unwrap_or(bounds);
    if !frame.holds(&bounds) {
        return Err(format!(
            "an image without DETSIZE lies outside {frame}, the DETSIZE of the others"
        ));
    }
    for (index, one) in placed.iter().enumerate() {
        if let Some(other) = placed[..index]
            .iter()
            .find(|other| other.place.meets(&one.place))
        {
            return Err(format!(
                "{} and {} overlap: their DETSEC are {} and {}",
                other.name, one.name, other.place, one.place
            ));
        }
    }
    let covered = placed
        .iter()
        .fold(0u64, |sum, one| sum.saturating_add(one.place.pixels()));
    let all = frame.pixels();
    if all > covered.saturating_mul(MOST_EMPTY) {
        return Err(format!(
            "a mosaic of {frame} is too large for {covered} pixels"
        ));
    }
    let wanted = match pixel_type_of(class) {
        Some(wanted) => wanted,
        None => common_type(placed).ok_or_else(|| {
            format!("its images have different pixel types; name one with `python`: ImageF instead of {class}")
        })?,
    };
    let missing = all - covered;
    let task = Task {
        placed,
        frame,
        missing,
    };
    let pixels = match wanted {
        PixelType::U8 => task.fill::<u8>(),
        PixelType::I8 => task.fill::<i8>(),
        PixelType::U16 => task.fill::<u16>(),
        PixelType::I16 => task.fill::<i16>(),
        PixelType::U32 => task.fill::<u32>(),
        PixelType::I32 => task.fill::<i32>(),
        PixelType::U64 => task.fill::<u64>(),
        PixelType::I64 => task.fill::<i64>(),
        PixelType::F32 => task.fill::<f32>(),
        PixelType::F64 => task.fill::<f64>(),
    }?;
    let (width, height) = frame.size();
    let image = Image::new(
        pixels,
        width,
        height,
        frame.first().0 - 1,
        frame.first().1 - 1,
    );
    let header = common_header(first.image.header(), placed);
    Ok(image
        .map_err(|error| error.to_string())?
        .with_header(Arc::new(header)))
}

/// The smallest rectangle around all images.
fn bounds(placed: &[Placed<'_>]) -> Option<Section> {
    placed.iter().map(|one| one.place).reduce(|one, other| {
        let (a, b) = (one.first(), other.first());
        let (c, d) = (one.last(), other.last());
        Section {
            x: (a.0.min(b.0), c.0.max(d.0)),
            y: (a.1.min(b.1), c.1.max(d.1)),
        }
    })
}

/// The pixel type that the last letter of a class of the field names.
fn pixel_type_of(class: &str) -> Option<PixelType> {
    let name = class.rsplit('.').next().unwrap_or(class);
    match name.strip_prefix("Decorated").unwrap_or(name) {
        "ImageF" => Some(PixelType::F32),
        "ImageD" => Some(PixelType::F64),
        "ImageI" => Some(PixelType::I32),
        "ImageU" => Some(PixelType::U16),
        "ImageL" => Some(PixelType::U64),
        _ => None,
    }
}

fn common_type(placed: &[Placed<'_>]) -> Option<PixelType> {
    let mut types = placed.iter().map(|one| one.image.pixels().pixel_type());
    let first = types.next()?;
    types.all(|other| other == first).then_some(first)
}

/// The cards that all images have with the same value, apart from those that speak of one image.
fn common_header(first: &Metadata, placed: &[Placed<'_>]) -> Metadata {
    let is_common = |card: &Card| {
        !OF_ONE_IMAGE.contains(&card.keyword())
            && placed
                .iter()
                .all(|one| one.image.header().get(card.keyword()) == Some(card.value()))
    };
    without_sky_wcs(first).without(|card| !is_common(card))
}

struct Task<'a> {
    placed: &'a [Placed<'a>],
    frame: Section,
    missing: u64,
}

impl Task<'_> {
    fn fill<T: Held>(&self) -> Result<Pixels, String> {
        let (width, height) = self.frame.size();
        let size = width
            .checked_mul(height)
            .and_then(|size| usize::try_from(size).ok());
        let size = size.ok_or_else(|| format!("a mosaic of {} is too large", self.frame))?;
        let empty = match (T::NONE, self.missing) {
            (Some(none), _) => none,
            (None, 0) => T::default(),
            (None, missing) => {
                return Err(format!(
                    "{missing} of the {size} pixels of {} lie in no image, and whole numbers cannot say so; \
                     `python: lsst.afw.image.ImageF` has NaN there",
                    self.frame
                ));
            }
        };
        let mut pixels = vec![empty; size];
        for one in self.placed {
            self.copy(one, width as usize, &mut pixels)?;
        }
        Ok(T::wrap(pixels))
    }

    /// Copies the data of one image, row by row.
    fn copy<T: Held>(&self, one: &Placed<'_>, width: usize, out: &mut [T]) -> Result<(), String> {
        let values = one.image.pixels();
        let whole = !matches!(values.pixel_type(), PixelType::F32 | PixelType::F64);
        let row_length = one.image.width() as usize;
        let (x0, y0) = self.frame.first();
        // Both sections have one size and lie inside their arrays, which was checked; so every index is one of theirs.
        for (from_y, to_y) in along(one.data.y).zip(along(one.place.y)) {
            for (from_x, to_x) in along(one.data.x).zip(along(one.place.x)) {
                let from = (from_y - 1) as usize * row_length + (from_x - 1) as usize;
                let to = (to_y - y0) as usize * width + (to_x - x0) as usize;
                let value = values.get_f64(from).unwrap_or(f64::NAN);
                out[to] = T::of(value, whole).ok_or_else(|| {
                    format!(
                        "{}: its value {value} at ({}, {}) cannot be a {}",
                        one.name,
                        from_x - 1,
                        from_y - 1,
                        std::any::type_name::<T>()
                    )
                })?;
            }
        }
        Ok(())
    }
}

/// A number that a mosaic can be made of.
trait Held: Copy + Default {
    /// What stands where there is no value.
    const NONE: Option<Self>;

    /// The value in this type; `whole` says that it counts as it is, else it may be rounded.
    fn of(value: f64, whole: bool) -> Option<Self>;

    fn wrap(values: Vec<Self>) -> Pixels;
}

macro_rules! held_whole {
    ($($type:ty),+) => {$(
        impl Held for $type {
            const NONE: Option<$type> = None;

            fn of(value: f64, _whole: bool) -> Option<$type> {
                // Whole numbers beyond 2^53 have been rounded on the way here.
                let exact = value.abs() < 9_007_199_254_740_992.0;
                (exact && (value as $type) as f64 == value).then_some(value as $type)
            }

            fn wrap(values: Vec<$type>) -> Pixels {
                values.into()
            }
        }
    )+};
}

held_whole!(u8, i8, u16, i16, u32, i32, u64, i64);

impl Held for f32 {
    const NONE: Option<f32> = Some(f32::NAN);

    fn of(value: f64, whole: bool) -> Option<f32> {
        (!whole || f64::from(value as f32) == value).then_some(value as f32)
    }

    fn wrap(values: Vec<f32>) -> Pixels {
        values.into()
    }
}

impl Held for f64 {
    const NONE: Option<f64> = Some(f64::NAN);

    fn of(value: f64, whole: bool) -> Option<f64> {
        (!whole || value.abs() < 9_007_199_254_740_992.0).then_some(value)
    }

    fn wrap(values: Vec<f64>) -> Pixels {
        values.into()
    }
}

/// The coordinates of a section's axis in its order.
fn along((from, to): (i64, i64)) -> Box<dyn Iterator<Item = i64>> {
    if from <= to {
        Box::new(from..=to)
    } else {
        Box::new((to..=from).rev())
    }
}

/// Reads a section of a header; `None` if there is none.
fn section(header: &Metadata, keyword: &str) -> Result<Option<Section>, String> {
    let Some(value) = header.get(keyword) else {
        return Ok(None);
    };
    let text = value.as_text().unwrap_or_default();
    Section::parse(text)
        .map(Some)
        .ok_or_else(|| format!("its {keyword} is {text:?}, which is no section [x1:x2,y1:y2]"))
}

impl Section {
    fn parse(text: &str) -> Option<Section> {
        let inner = text.trim().strip_prefix('[')?.strip_suffix(']')?;
        let (x, y) = inner.split_once(',')?;
        let axis = |text: &str| {
            let (from, to) = text.split_once(':')?;
            let number = |text: &str| {
                let number: i64 = text.trim().parse().ok()?;
                // No detector is larger, and sums of such numbers do not overflow.
                (number.abs() < 1 << 31).then_some(number)
            };
            Some((number(from)?, number(to)?))
        };
        Some(Section {
            x: axis(x)?,
            y: axis(y)?,
        })
    }

    fn first(&self) -> (i64, i64) {
        (self.x.0.min(self.x.1), self.y.0.min(self.y.1))
    }

    fn last(&self) -> (i64, i64) {
        (self.x.0.max(self.x.1), self.y.0.max(self.y.1))
    }

    fn size(&self) -> (u64, u64) {
        (
            self.x.0.abs_diff(self.x.1) + 1,
            self.y.0.abs_diff(self.y.1) + 1,
        )
    }

    fn pixels(&self) -> u64 {
        self.size().0.saturating_mul(self.size().1)
    }

    fn holds(&self, other: &Section) -> bool {
        let ((ax, ay), (bx, by)) = (self.first(), other.first());
        let ((cx, cy), (dx, dy)) = (self.last(), other.last());
        ax <= bx && ay <= by && dx <= cx && dy <= cy
    }

    fn meets(&self, other: &Section) -> bool {
        let ((ax, ay), (bx, by)) = (self.first(), other.first());
        let ((cx, cy), (dx, dy)) = (self.last(), other.last());
        ax <= dx && bx <= cx && ay <= dy && by <= cy
    }
}

impl std::fmt::Display for Section {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ((x1, x2), (y1, y2)) = (self.x, self.y);
        write!(out, "[{x1}:{x2},{y1}:{y2}]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amplifier(values: Vec<i32>, cards: &[(&str, &str)]) -> ObjectRef {
        let cards = cards
            .iter()
            .map(|(keyword, text)| Card::new(*keyword, *text, None));
        let image = Image::new(values, 3, 2, 0, 0).unwrap();
        Arc::new(image.with_header(Arc::new(Metadata::new(cards))))
    }

    fn assembled(images: Vec<ObjectRef>, class: &str) -> Result<ObjectRef, AssemblyError> {
        let many = images
            .into_iter()
            .enumerate()
            .map(|(number, object)| (DataId::parse(&format!("hdu={number}")).unwrap(), object));
        let info = ComponentInfo {
            name: "amp".to_owned(),
            dataset_type: pantler_core::TypeName::new("raw").unwrap(),
            slot: Slot::Many(many.collect()),
            setter: None,
            getter: None,
            subset: true,
            input_only: false,
            data_id: DataId::default(),
            base: false,
            apply: None,
        };
        FocalPlane.assemble(&DataId::default(), &[info], class)
    }

    fn pixels(object: &ObjectRef) -> Vec<f64> {
        let image = downcast::<Image>(object.as_ref()).unwrap();
        let pixels = image.pixels();
        (0..pixels.len())
            .map(|index| pixels.get_f64(index).unwrap())
            .collect()
    }

    #[test]
    fn data_go_where_the_sections_say_and_are_flipped_where_they_run_backwards() {
        let left = amplifier(
            vec![9, 1, 2, 9, 3, 4],
            &[
                ("DATASEC", "[2:3,1:2]"),
                ("DETSEC", "[1:2,1:2]"),
                ("DETSIZE", "[1:4,1:2]"),
                ("SEEN", "yes"),
                ("GAIN", "1"),
            ],
        );
        let right = amplifier(
            vec![9, 5, 6, 9, 7, 8],
            &[
                ("DATASEC", "[2:3,1:2]"),
                ("DETSEC", "[4:3,2:1]"),
                ("DETSIZE", "[1:4,1:2]"),
                ("SEEN", "yes"),
                ("GAIN", "2"),
            ],
        );
        let mosaic = assembled(vec![left, right], "lsst.afw.image.ImageF").unwrap();
        assert_eq!(pixels(&mosaic), [1.0, 2.0, 8.0, 7.0, 3.0, 4.0, 6.0, 5.0]);
        let mosaic = downcast::<Image>(mosaic.as_ref()).unwrap();
        assert_eq!(mosaic.pixels().pixel_type(), PixelType::F32);
        assert_eq!((mosaic.width(), mosaic.height()), (4, 2));
        let keywords: Vec<&str> = mosaic.header().iter().map(Card::keyword).collect();
        assert_eq!(keywords, ["SEEN"]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let image = |cards: &[(&str, &str)]| amplifier(vec![1, 2, 3, 4, 5, 16_777_217], cards);
        let said =
            |images: Vec<ObjectRef>, class: &str| assembled(images, class).unwrap_err().message;
        assert!(said(vec![image(&[])], "Image").contains("no DETSEC"));
        assert!(said(vec![image(&[("DETSEC", "[1:3]")])], "Image").contains("no section"));
        assert!(said(vec![image(&[("DETSEC", "[1:2,1:2]")])], "Image").contains("binned"));
        assert!(
            said(
                vec![image(&[("DETSEC", "[1:3,1:2]"), ("DETSIZE", "[1:2,1:2]")])],
                "Image"
            )
            .contains("outside its DETSIZE")
        );
        assert!(
            said(
                vec![image(&[("DETSEC", "[1:3,1:2]"), ("DATASEC", "[2:4,1:2]")])],
                "Image"
            )
            .contains("3x2 pixels")
        );
        let one = || image(&[("DETSEC", "[1:3,1:2]")]);
        assert!(said(vec![one(), image(&[("DETSEC", "[3:5,2:1]")])], "Image").contains("overlap"));
        assert!(
            said(vec![one(), image(&[("DETSEC", "[4:6,2:3]")])], "Image")
                .contains("6 of the 18 pixels")
        );
        assert!(said(vec![one()], "ImageF").contains("16777217"));
        assert!(said(vec![one()], "ImageU").contains("16777217"));
        assert!(
            said(
                vec![image(&[
                    ("DETSEC", "[1:3,1:2]"),
                    ("DETSIZE", "[1:2000000000,1:2000000000]")
                ])],
                "ImageF"
            )
            .contains("too large")
        );
        assert!(said(vec![], "ImageF").contains("no image"));
    }

    #[test]
    fn where_no_image_lies_is_not_a_number() {
        let mosaic = assembled(
            vec![amplifier(
                vec![1, 2, 3, 4, 5, 6],
                &[("DETSEC", "[2:4,1:2]"), ("DETSIZE", "[1:4,1:2]")],
            )],
            "ImageD",
        )
        .unwrap();
        let pixels = pixels(&mosaic);
        assert!(pixels[0].is_nan() && pixels[4].is_nan());
        assert_eq!(pixels[1..4], [1.0, 2.0, 3.0]);
    }
}
