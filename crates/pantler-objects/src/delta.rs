//! Operations on one plane of an image or exposure: the background that is subtracted, the mask plane that is set (rules
//! R32, R33).
//!
//! A composite keeps such an operation as a component of its own, so that "before" and "after" share one set of pixels on
//! disk. The engine applies it when it assembles, and again when it compares a put with what would be assembled. Nothing here
//! undoes an operation: what was before is the base, and is read from there.
//!
//! Images are computed in the type of the base's pixels, as numpy does where both are of one type; integers that would
//! overflow are an error and never wrap. Mask planes are matched by name, whatever their bits.

mod arithmetic;
mod error;

use std::collections::BTreeMap;
use std::sync::Arc;

use pantler_core::ObjectRef;
use pantler_core::formatter::PixelBox;
use pantler_core::object::{ComponentError, downcast};
use pantler_core::policy::{Apply, LackingPlanes};

use crate::background::Background;
use crate::bbox::describe;
use crate::exposure::Exposure;
use crate::image::Image;
use crate::mask::Mask;
use crate::masked_image::MaskedImage;
use crate::pixel_buffer::filled;

pub use error::DeltaError;

use arithmetic::{combined, converted};

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

#[cfg(test)]
mod tests;
