//! Operations on one plane of an image or exposure: the background that is subtracted, the mask plane that is set (rules
//! R32, R33).
//!
//! A composite keeps such an operation as a component of its own, so that "before" and "after" share one set of pixels on
//! disk. The engine applies it when it assembles, and again when it compares a put with what would be assembled. Nothing here
//! undoes an operation: what was before is the base, and is read from there.
//!
//! Images are computed in the type of the base's pixels, as numpy does where both are of one type; integers that would
//! overflow are an error and never wrap. Mask planes are matched by name, whatever their bits.

use std::collections::BTreeMap;
use std::sync::Arc;

use pantler_core::ObjectRef;
use pantler_core::formatter::PixelBox;
use pantler_core::object::{ComponentError, downcast};
use pantler_core::policy::{Apply, LackingPlanes};

use crate::background::{Background, BackgroundError};
use crate::bbox::describe;
use crate::exposure::Exposure;
use crate::image::{Image, ImageError};
use crate::mask::Mask;
use crate::masked_image::MaskedImage;
use crate::pixel_buffer::filled;
use crate::pixels::{PixelType, Pixels};

/// What an operation does with two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Operation {
    Add,
    Subtract,
    And,
    Or,
    AndNot,
    Replace,
}

/// What an operation changes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Target {
    Image,
    Variance,
    Mask,
    MaskPlane(String),
}

/// An operation that cannot be carried out.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DeltaError {
    /// There is no such operation, or not on such a plane.
    #[error("`{operation}` is no operation on `{to}`")]
    Operation {
        /// The operation.
        operation: String,
        /// What it was to change.
        to: String,
    },
    /// What the operation is to change is not there.
    #[error("a {class} without {plane}, which the operation changes")]
    NoPlane {
        /// The class of the object.
        class: String,
        /// The plane.
        plane: &'static str,
    },
    /// The object that stands for the operation is of no use for it.
    #[error("{class} cannot be {wanted}")]
    Unsuitable {
        /// Its class.
        class: String,
        /// What it would have to be.
        wanted: &'static str,
    },
    /// The pixels cover different rectangles.
    #[error("it covers {delta} and must cover {base}")]
    Box {
        /// What the operation's pixels cover.
        delta: String,
        /// What the plane covers.
        base: String,
    },
    /// The pixels are of types that do not go together.
    #[error("its pixels are {delta}, which cannot be computed with {base} without loss")]
    PixelType {
        /// The type of the operation's pixels.
        delta: PixelType,
        /// The type of the plane's pixels.
        base: PixelType,
    },
    /// A result that the type of the pixels cannot hold.
    #[error("the result at pixel ({x}, {y}) is no {pixel_type}")]
    Overflow {
        /// The column in the parent.
        x: i64,
        /// The row in the parent.
        y: i64,
        /// The type of the pixels.
        pixel_type: PixelType,
    },
    /// Mask planes that only one side has, where the policy does not say what to do with them.
    #[error("{side} has the mask planes {}", .planes.join(", "))]
    Planes {
        /// The planes, in order of their names.
        planes: Vec<String>,
        /// Which side has them.
        side: &'static str,
    },
    /// No bit is left for a mask plane.
    #[error("all 32 bits of the mask are taken, and the plane {plane} needs one")]
    NoBit {
        /// The plane.
        plane: String,
    },
    /// The background has no image of this rectangle.
    #[error(transparent)]
    Background(#[from] BackgroundError),
    /// The pixels are no image.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The object does not take the plane.
    #[error(transparent)]
    Component(#[from] ComponentError),
}

/// An operation on one plane, as a policy's `apply` says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Delta {
    operation: Operation,
    target: Target,
    lacking: LackingPlanes,
}

impl Delta {
    /// Returns the operation that a policy asks for; an error if it has no meaning on what it is to change.
    pub fn of(apply: &Apply) -> Result<Delta, DeltaError> {
        let unknown = || DeltaError::Operation {
            operation: apply.operation.clone(),
            to: apply.to.clone(),
        };
        let operation = match apply.operation.as_str() {
            "add" => Operation::Add,
            "subtract" => Operation::Subtract,
            "and" => Operation::And,
            "or" => Operation::Or,
            "andNot" => Operation::AndNot,
            "replace" => Operation::Replace,
            _ => return Err(unknown()),
        };
        let target = match apply.to.as_str() {
            "image" => Target::Image,
            "variance" => Target::Variance,
            "mask" => Target::Mask,
            other => Target::MaskPlane(other.strip_prefix("mask.").ok_or_else(unknown)?.to_owned()),
        };
        let of_masks = matches!(target, Target::Mask | Target::MaskPlane(_));
        let fits = match operation {
            Operation::Replace => true,
            Operation::And | Operation::Or | Operation::AndNot => of_masks,
            Operation::Add | Operation::Subtract => !of_masks,
        };
        if !fits {
            return Err(unknown());
        }
        Ok(Delta {
            operation,
            target,
            lacking: apply.planes,
        })
    }

    /// Returns the plane that it changes: `image`, `mask` or `variance`.
    pub fn plane(&self) -> &'static str {
        match self.target {
            Target::Image => "image",
            Target::Variance => "variance",
            Target::Mask | Target::MaskPlane(_) => "mask",
        }
    }

    /// Returns the object with the operation done: an exposure, a masked image, or the plane alone.
    ///
    /// `delta` is an image, a background, a mask, or something that has such a plane; it must cover the same pixels.
    pub fn apply(&self, object: &ObjectRef, delta: &ObjectRef) -> Result<ObjectRef, DeltaError> {
        let plane = self.plane();
        let is_plane = matches!(object.class(), "Image" | "Mask");
        let before = if is_plane {
            object.clone()
        } else {
            object.component(plane).ok_or_else(|| DeltaError::NoPlane {
                class: object.class().to_owned(),
                plane,
            })?
        };
        let after: ObjectRef = match plane {
            "mask" => Arc::new(self.on_mask(mask_of(&before)?, delta)?),
            _ => Arc::new(self.on_image(image_of(&before)?, delta)?),
        };
        if is_plane {
            return Ok(after);
        }
        Ok(with_plane(object, plane, &after)?)
    }

    fn on_image(&self, before: &Image, delta: &ObjectRef) -> Result<Image, DeltaError> {
        let delta = match downcast::<Background>(delta.as_ref()) {
            Some(background) => background.image(before.pixel_box())?,
            None => plane_of(delta, self.plane(), image_of)?,
        };
        fits(&before.pixel_box(), &delta.pixel_box())?;
        let (base, theirs) = (before.pixels(), delta.pixels());
        let types = || DeltaError::PixelType {
            delta: theirs.pixel_type(),
            base: base.pixel_type(),
        };
        let pixels = match self.operation {
            Operation::Replace => converted(theirs, base.pixel_type()).ok_or_else(types)?,
            operation => {
                let theirs = converted(theirs, base.pixel_type()).ok_or_else(types)?;
                combined(operation, base, &theirs).map_err(|index| {
                    let PixelBox { x0, y0, width, .. } = before.pixel_box();
                    let width = width.max(1);
                    DeltaError::Overflow {
                        x: x0.saturating_add_unsigned(index as u64 % width),
                        y: y0.saturating_add_unsigned(index as u64 / width),
                        pixel_type: base.pixel_type(),
                    }
                })?
            }
        };
        let PixelBox {
            x0,
            y0,
            width,
            height,
        } = before.pixel_box();
        let image = Image::new(pixels, width, height, x0, y0)?;
        Ok(image.with_header(Arc::clone(before.header())))
    }

    fn on_mask(&self, before: &Mask, delta: &ObjectRef) -> Result<Mask, DeltaError> {
        let delta = plane_of(delta, "mask", mask_of)?;
        fits(&before.pixel_box(), &delta.pixel_box())?;
        let Matched { pairs, planes } = self.matched(before.planes(), delta.planes())?;
        if pairs.is_empty() {
            return Ok(before.with_pixels(before.pixels().clone(), planes)?);
        }
        let changed: i32 = pairs.iter().fold(0, |bits, (bit, _)| bits | 1 << bit);
        let moved = |pixel: i32| {
            pairs.iter().fold(0, |bits, (to, from)| match from {
                Some(from) if pixel >> from & 1 != 0 => bits | 1 << to,
                _ => bits,
            })
        };
        let operation = self.operation;
        let pixels = filled(before.pixels().len(), |after| {
            let both = before.pixels().iter().zip(delta.pixels().iter());
            for (after, (&before, &delta)) in after.iter_mut().zip(both) {
                let delta = moved(delta);
                let computed = match operation {
                    Operation::And => before & delta,
                    Operation::Or => before | delta,
                    Operation::AndNot => before & !delta,
                    // The others have no meaning on masks, and `Delta::of` refuses them.
                    Operation::Replace | Operation::Add | Operation::Subtract => delta,
                };
                *after = before & !changed | computed & changed;
            }
        });
        Ok(before.with_pixels(pixels, planes)?)
    }

    /// Finds out which bits are computed with which, and which planes the result has.
    fn matched(
        &self,
        before: &BTreeMap<String, u8>,
        delta: &BTreeMap<String, u8>,
    ) -> Result<Matched, DeltaError> {
        let names: Vec<&String> = match &self.target {
            Target::MaskPlane(plane) => {
                if !before.contains_key(plane) && !delta.contains_key(plane) {
                    return Err(DeltaError::Planes {
                        planes: vec![plane.clone()],
                        side: "neither side",
                    });
                }
                vec![plane]
            }
            _ => {
                let mut names: Vec<&String> = before.keys().chain(delta.keys()).collect();
                names.sort();
                names.dedup();
                names
            }
        };
        let mut planes = before.clone();
        let mut pairs = Vec::new();
        let mut only = (Vec::new(), Vec::new());
        for name in names {
            match (before.get(name), delta.get(name), self.lacking) {
                (Some(bit), Some(theirs), _) => pairs.push((*bit, Some(*theirs))),
                (Some(bit), None, LackingPlanes::Add) => pairs.push((*bit, None)),
                (None, Some(theirs), LackingPlanes::Add) => {
                    let bit = free_bit(&planes).ok_or_else(|| DeltaError::NoBit {
                        plane: name.clone(),
                    })?;
                    planes.insert(name.clone(), bit);
                    pairs.push((bit, Some(*theirs)));
                }
                (_, _, LackingPlanes::Ignore) => {}
                (Some(_), None, LackingPlanes::Error) => only.0.push(name.clone()),
                (None, _, LackingPlanes::Error) => only.1.push(name.clone()),
                (None, None, LackingPlanes::Add) => {}
            }
        }
        match only {
            (of_base, _) if !of_base.is_empty() => Err(DeltaError::Planes {
                planes: of_base,
                side: "only what is changed",
            }),
            (_, of_delta) if !of_delta.is_empty() => Err(DeltaError::Planes {
                planes: of_delta,
                side: "only the operation",
            }),
            _ => Ok(Matched { pairs, planes }),
        }
    }
}

/// Returns an object with one of its planes computed anew. The plane's header is as it was, so nothing is taken out of it: it
/// agrees with what the object carries.
pub fn with_plane(
    object: &ObjectRef,
    plane: &str,
    after: &ObjectRef,
) -> Result<ObjectRef, ComponentError> {
    match downcast::<Exposure>(object.as_ref()) {
        Some(exposure) => Ok(Arc::new(exposure.holding(plane, after)?)),
        None => object.with_component(plane, after),
    }
}

/// Which bits of a mask are computed with which.
struct Matched {
    /// A bit of the result, and the bit of the operation's mask; none where that lacks the plane.
    pairs: Vec<(u8, Option<u8>)>,
    /// The planes of the result.
    planes: BTreeMap<String, u8>,
}

/// The lowest bit that no plane has.
fn free_bit(planes: &BTreeMap<String, u8>) -> Option<u8> {
    (0..32).find(|bit| planes.values().all(|taken| taken != bit))
}

fn fits(base: &PixelBox, delta: &PixelBox) -> Result<(), DeltaError> {
    if base == delta {
        return Ok(());
    }
    Err(DeltaError::Box {
        delta: describe(delta),
        base: describe(base),
    })
}

fn image_of(object: &ObjectRef) -> Result<&Image, DeltaError> {
    downcast::<Image>(object.as_ref()).ok_or_else(|| DeltaError::Unsuitable {
        class: object.class().to_owned(),
        wanted: "computed with an image: it must be an Image, a Background or an exposure",
    })
}

fn mask_of(object: &ObjectRef) -> Result<&Mask, DeltaError> {
    downcast::<Mask>(object.as_ref()).ok_or_else(|| DeltaError::Unsuitable {
        class: object.class().to_owned(),
        wanted: "computed with a mask: it must be a Mask or an exposure",
    })
}

/// The plane itself, or that plane of an exposure or masked image.
fn plane_of<T: Clone>(
    object: &ObjectRef,
    plane: &'static str,
    as_plane: impl Fn(&ObjectRef) -> Result<&T, DeltaError>,
) -> Result<T, DeltaError> {
    let whole = downcast::<Exposure>(object.as_ref()).is_some()
        || downcast::<MaskedImage>(object.as_ref()).is_some();
    if !whole {
        return as_plane(object).cloned();
    }
    let part = object.component(plane).ok_or_else(|| DeltaError::NoPlane {
        class: object.class().to_owned(),
        plane,
    })?;
    as_plane(&part).cloned()
}

/// Returns the pixels in another type, if it holds all their values.
fn converted(pixels: &Pixels, wanted: PixelType) -> Option<Pixels> {
    if pixels.pixel_type() == wanted {
        return Some(pixels.clone());
    }
    macro_rules! widened {
        ($values:expr, $to:ty) => {
            Some(Pixels::from(filled($values.len(), |wide: &mut [$to]| {
                for (wide, narrow) in wide.iter_mut().zip($values.iter()) {
                    *wide = <$to>::from(*narrow);
                }
            })))
        };
    }
    match (pixels, wanted) {
        (Pixels::F32(values), PixelType::F64) => widened!(values, f64),
        (Pixels::U8(values), PixelType::I16) => widened!(values, i16),
        (Pixels::U8(values), PixelType::U16) => widened!(values, u16),
        (Pixels::U8(values), PixelType::I32) => widened!(values, i32),
        (Pixels::U8(values), PixelType::F32) => widened!(values, f32),
        (Pixels::U8(values), PixelType::F64) => widened!(values, f64),
        (Pixels::I16(values), PixelType::I32) => widened!(values, i32),
        (Pixels::I16(values), PixelType::F32) => widened!(values, f32),
        (Pixels::I16(values), PixelType::F64) => widened!(values, f64),
        (Pixels::U16(values), PixelType::I32) => widened!(values, i32),
        (Pixels::U16(values), PixelType::F32) => widened!(values, f32),
        (Pixels::U16(values), PixelType::F64) => widened!(values, f64),
        (Pixels::I32(values), PixelType::I64) => widened!(values, i64),
        (Pixels::I32(values), PixelType::F64) => widened!(values, f64),
        (Pixels::U32(values), PixelType::F64) => widened!(values, f64),
        _ => None,
    }
}

/// Adds or subtracts pixels of one type; the error is the first pixel whose result does not fit.
fn combined(operation: Operation, base: &Pixels, delta: &Pixels) -> Result<Pixels, usize> {
    let subtract = operation == Operation::Subtract;
    macro_rules! floats {
        ($a:expr, $b:expr) => {
            Ok(Pixels::from(filled($a.len(), |out| {
                for (out, (a, b)) in out.iter_mut().zip($a.iter().zip($b.iter())) {
                    *out = if subtract { a - b } else { a + b };
                }
            })))
        };
    }
    macro_rules! integers {
        ($a:expr, $b:expr) => {{
            let mut overflow = None;
            let pixels = filled($a.len(), |out| {
                for (index, (out, (a, b))) in
                    out.iter_mut().zip($a.iter().zip($b.iter())).enumerate()
                {
                    let result = if subtract {
                        a.checked_sub(*b)
                    } else {
                        a.checked_add(*b)
                    };
                    match result {
                        Some(result) => *out = result,
                        None => {
                            overflow.get_or_insert(index);
                        }
                    }
                }
            });
            match overflow {
                None => Ok(Pixels::from(pixels)),
                Some(index) => Err(index),
            }
        }};
    }
    match (base, delta) {
        (Pixels::F32(a), Pixels::F32(b)) => floats!(a, b),
        (Pixels::F64(a), Pixels::F64(b)) => floats!(a, b),
        (Pixels::U8(a), Pixels::U8(b)) => integers!(a, b),
        (Pixels::I8(a), Pixels::I8(b)) => integers!(a, b),
        (Pixels::U16(a), Pixels::U16(b)) => integers!(a, b),
        (Pixels::I16(a), Pixels::I16(b)) => integers!(a, b),
        (Pixels::U32(a), Pixels::U32(b)) => integers!(a, b),
        (Pixels::I32(a), Pixels::I32(b)) => integers!(a, b),
        (Pixels::U64(a), Pixels::U64(b)) => integers!(a, b),
        (Pixels::I64(a), Pixels::I64(b)) => integers!(a, b),
        // Both are of one type when this is called.
        _ => Err(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delta(operation: &str, to: &str, planes: LackingPlanes) -> Delta {
        Delta::of(&Apply {
            operation: operation.into(),
            to: to.into(),
            planes,
        })
        .unwrap()
    }

    fn image(pixels: impl Into<Pixels>) -> ObjectRef {
        Arc::new(Image::new(pixels, 2, 1, 10, 20).unwrap())
    }

    fn mask(pixels: Vec<i32>, planes: &[(&str, u8)]) -> ObjectRef {
        let planes = planes.iter().map(|(name, bit)| ((*name).to_owned(), *bit));
        Arc::new(Mask::new(pixels, 2, 1, 10, 20, planes.collect()).unwrap())
    }

    fn bits(object: &ObjectRef) -> (Vec<i32>, Vec<(String, u8)>) {
        let mask: &Mask = downcast(object.as_ref()).unwrap();
        let planes = mask.planes().iter();
        (
            mask.pixels().to_vec(),
            planes.map(|(name, bit)| (name.clone(), *bit)).collect(),
        )
    }

    #[test]
    fn r32_floats_are_computed_in_their_own_type() {
        let (a, b) = (vec![0.1f32, f32::MAX], vec![0.2f32, -f32::MAX]);
        let subtract = delta("subtract", "image", LackingPlanes::Error);
        let after = subtract
            .apply(&image(a.clone()), &image(b.clone()))
            .unwrap();
        let expected = image(vec![0.1f32 - 0.2f32, f32::INFINITY]);
        assert_eq!(after.difference(expected.as_ref()), None);
        // A 64-bit image takes 32-bit corrections; the other way round something would be lost.
        let wide = image(vec![1.0f64, 2.0]);
        let after = subtract.apply(&wide, &image(vec![0.1f32, 0.0])).unwrap();
        let expected = image(vec![1.0 - f64::from(0.1f32), 2.0]);
        assert_eq!(after.difference(expected.as_ref()), None);
        let refused = subtract.apply(&image(a), &wide).unwrap_err();
        assert!(matches!(refused, DeltaError::PixelType { .. }), "{refused}");
    }

    #[test]
    fn r32_integers_that_overflow_are_an_error_that_names_the_pixel() {
        let add = delta("add", "image", LackingPlanes::Error);
        let fine = add
            .apply(&image(vec![1u16, 2]), &image(vec![3u16, 4]))
            .unwrap();
        assert_eq!(fine.difference(image(vec![4u16, 6]).as_ref()), None);
        let error = add
            .apply(&image(vec![1u16, 65535]), &image(vec![3u16, 4]))
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "the result at pixel (11, 20) is no uint16"
        );
    }

    #[test]
    fn r33_planes_are_matched_by_name_where_their_bits_differ() {
        let base = mask(vec![0b001, 0b101], &[("BAD", 0), ("DETECTED", 2)]);
        let other = mask(vec![0b10, 0b01], &[("DETECTED", 1), ("BAD", 0)]);
        for (operation, expected) in [
            ("or", [0b101, 0b101]),
            ("and", [0b000, 0b001]),
            ("andNot", [0b001, 0b100]),
            ("replace", [0b100, 0b001]),
        ] {
            let after = delta(operation, "mask", LackingPlanes::Error)
                .apply(&base, &other)
                .unwrap();
            assert_eq!(bits(&after).0, expected, "{operation}");
        }
        // Of one plane the others stay.
        for (operation, expected) in [
            ("or", [0b101, 0b101]),
            ("and", [0b001, 0b001]),
            ("andNot", [0b001, 0b101]),
            ("replace", [0b101, 0b001]),
        ] {
            let after = delta(operation, "mask.DETECTED", LackingPlanes::Error)
                .apply(&base, &other)
                .unwrap();
            assert_eq!(bits(&after).0, expected, "{operation}");
        }
    }

    #[test]
    fn r33_a_plane_that_one_side_lacks_follows_the_policy() {
        let base = mask(vec![0b01, 0b11], &[("BAD", 0), ("SAT", 1)]);
        let other = mask(vec![0b11, 0b00], &[("SAT", 1), ("DETECTED", 0)]);
        let error = delta("or", "mask", LackingPlanes::Error)
            .apply(&base, &other)
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "only what is changed has the mask planes BAD"
        );
        let error = delta("or", "mask.DETECTED", LackingPlanes::Error)
            .apply(&base, &other)
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "only the operation has the mask planes DETECTED"
        );
        // Added planes are empty on the side that lacked them.
        let added = delta("or", "mask", LackingPlanes::Add)
            .apply(&base, &other)
            .unwrap();
        let names = |planes: &[(&str, u8)]| -> Vec<(String, u8)> {
            planes.iter().map(|(n, b)| ((*n).to_owned(), *b)).collect()
        };
        let three = names(&[("BAD", 0), ("DETECTED", 2), ("SAT", 1)]);
        assert_eq!(bits(&added), (vec![0b111, 0b011], three));
        let and = delta("and", "mask", LackingPlanes::Add)
            .apply(&base, &other)
            .unwrap();
        assert_eq!(bits(&and).0, [0b000, 0b000]);
        // Ignored ones stay as they are, and bring nothing.
        let ignored = delta("and", "mask", LackingPlanes::Ignore)
            .apply(&base, &other)
            .unwrap();
        assert_eq!(
            bits(&ignored),
            (vec![0b01, 0b01], names(&[("BAD", 0), ("SAT", 1)]))
        );
        let ignored = delta("or", "mask.DETECTED", LackingPlanes::Ignore)
            .apply(&base, &other)
            .unwrap();
        assert_eq!(bits(&ignored), bits(&base));
        let neither = delta("or", "mask.STREAK", LackingPlanes::Add)
            .apply(&base, &other)
            .unwrap_err();
        assert_eq!(
            neither.to_string(),
            "neither side has the mask planes STREAK"
        );
    }

    #[test]
    fn r33_a_mask_without_a_free_bit_takes_no_further_plane() {
        let names: Vec<String> = (0..32).map(|bit| format!("P{bit}")).collect();
        let planes: Vec<(&str, u8)> = names.iter().map(String::as_str).zip(0u8..).collect();
        let full = mask(vec![0, 0], &planes);
        let other = mask(vec![1, 0], &[("DETECTED", 0)]);
        let error = delta("or", "mask.DETECTED", LackingPlanes::Add)
            .apply(&full, &other)
            .unwrap_err();
        assert!(matches!(error, DeltaError::NoBit { .. }), "{error}");
        // The highest bit is a bit like the others.
        let top = mask(vec![i32::MIN, 0], &[("DETECTED", 31)]);
        let after = delta("or", "mask.DETECTED", LackingPlanes::Error)
            .apply(&mask(vec![0, 0], &[("DETECTED", 0)]), &top)
            .unwrap();
        assert_eq!(bits(&after).0, [1, 0]);
    }

    #[test]
    fn r32_an_operation_without_meaning_or_of_another_shape_is_refused() {
        for (operation, to) in [("subtract", "mask"), ("or", "image"), ("minus", "image")] {
            let apply = Apply {
                operation: operation.into(),
                to: to.into(),
                planes: LackingPlanes::Error,
            };
            assert!(Delta::of(&apply).is_err(), "{operation} {to}");
        }
        let small: ObjectRef = Arc::new(Image::new(vec![1.0f32], 1, 1, 10, 20).unwrap());
        let subtract = delta("subtract", "image", LackingPlanes::Error);
        let error = subtract
            .apply(&image(vec![1.0f32, 2.0]), &small)
            .unwrap_err();
        assert!(matches!(error, DeltaError::Box { .. }), "{error}");
        let error = subtract
            .apply(&image(vec![1.0f32, 2.0]), &mask(vec![0, 0], &[]))
            .unwrap_err();
        assert!(error.to_string().contains("must be an Image"), "{error}");
    }
}
