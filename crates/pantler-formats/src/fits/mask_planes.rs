//! Masks: pixels of any integer type as 32 bits, and the cards that name the planes.

use std::collections::BTreeMap;
use std::sync::Arc;

use pantler_core::FormatError;
use pantler_objects::pixel_buffer::filled;
use pantler_objects::{Mask, MaskStorage, Metadata, PixelBuffer, Pixels};

use super::card::integer_of;
use super::plane::Plane;

/// The cards that name mask planes start so, and hold the number of the bit.
pub(crate) const ROOT: &str = "MP_";

/// Makes a mask of a plane.
pub(crate) fn mask_of(plane: Plane) -> Result<Mask, FormatError> {
    let (storage, pixels) = match &plane.pixels {
        Pixels::U8(pixels) => (MaskStorage::U8, widened(pixels, i32::from)),
        Pixels::I16(pixels) => (MaskStorage::I16, widened(pixels, i32::from)),
        Pixels::U16(pixels) => (MaskStorage::U16, widened(pixels, i32::from)),
        Pixels::I32(pixels) => (MaskStorage::I32, pixels.clone()),
        Pixels::U32(pixels) => (MaskStorage::U32, widened(pixels, u32::cast_signed)),
        other => {
            let kind = other.pixel_type();
            return Err(plane
                .place
                .corrupt(format!("a mask cannot have pixels of type {kind}")));
        }
    };
    let planes = names(&plane)?;
    let size = plane.bbox;
    Mask::new(pixels, size.width, size.height, size.x0, size.y0, planes)
        .map(|mask| {
            mask.with_storage(storage)
                .with_header(Arc::new(plane.header))
        })
        .map_err(|error| plane.place.corrupt(error.to_string()))
}

fn widened<T: Copy>(pixels: &[T], widen: impl Fn(T) -> i32) -> PixelBuffer<i32> {
    filled(pixels.len(), |bits| {
        for (wide, &narrow) in bits.iter_mut().zip(pixels) {
            *wide = widen(narrow);
        }
    })
}

fn names(plane: &Plane) -> Result<BTreeMap<String, u8>, FormatError> {
    let mut names = BTreeMap::new();
    for card in plane.header.iter() {
        let Some(name) = card.keyword().strip_prefix(ROOT) else {
            continue;
        };
        let bit = integer_of(&plane.header, card.keyword()).and_then(|bit| u8::try_from(bit).ok());
        let bit = bit.filter(|bit| *bit < 32).ok_or_else(|| {
            plane.place.corrupt(format!(
                "{} is no bit of a mask: {}",
                card.keyword(),
                card.value()
            ))
        })?;
        names.insert(name.to_owned(), bit);
    }
    Ok(names)
}

/// Returns the pixels of a mask in the type that it is stored in; a value that this type cannot hold makes it 32 bits.
pub(crate) fn stored(mask: &Mask) -> Pixels {
    fn all<T: TryFrom<i32>>(mask: &Mask) -> Option<Vec<T>> {
        mask.pixels()
            .iter()
            .map(|&bits| T::try_from(bits).ok())
            .collect()
    }
    let narrow = match mask.storage() {
        MaskStorage::U8 => all::<u8>(mask).map(Pixels::from),
        MaskStorage::I16 => all::<i16>(mask).map(Pixels::from),
        MaskStorage::U16 => all::<u16>(mask).map(Pixels::from),
        MaskStorage::U32 => {
            let bits = mask.pixels().iter().map(|&bits| bits.cast_unsigned());
            Some(Pixels::from(bits.collect::<Vec<u32>>()))
        }
        MaskStorage::I32 => None,
    };
    narrow.unwrap_or_else(|| Pixels::I32(mask.pixels().clone()))
}

/// Returns a header without the cards that name mask planes.
pub(crate) fn without_names(header: &Metadata) -> Metadata {
    header.without(|card| card.keyword().starts_with(ROOT))
}
