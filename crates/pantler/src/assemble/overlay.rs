//! Lays components over a base object: an exposure with another WCS and another calibration. An exposure or masked image without a
//! base is put together from its planes.
//!
//! What a component overrides disappears from the base in every form (rule R11); the object's own class sees to that.

use std::sync::Arc;

use pantler_core::assembler::{Assembler, AssemblyError, ComponentInfo, Disassembler, Slot};
use pantler_core::object::downcast;
use pantler_core::python_type::{PythonType, python_type};
use pantler_core::{DataId, ObjectRef, synonyms};
use pantler_objects::synonyms::{all_names, components};
use pantler_objects::{Delta, Exposure, MaskedImage, Metadata};

/// The assembler and disassembler `pantler.overlay`.
#[derive(Debug, Clone, Copy)]
pub struct Overlay;

impl Assembler for Overlay {
    fn assemble(
        &self,
        _data_id: &DataId,
        components: &[ComponentInfo],
        class: &str,
    ) -> Result<ObjectRef, AssemblyError> {
        let base = components
            .iter()
            .find_map(|info| match &info.slot {
                Slot::One(object) if info.base => Some(object.clone()),
                _ => None,
            })
            .map_or_else(|| empty(class), Ok)?;
        let (planes, others): (Vec<_>, Vec<_>) = components
            .iter()
            .filter(|info| !info.base)
            .partition(|info| info.apply.is_some() || is_plane(target(info)));
        // Planes first: what is laid over them later takes its traces out of their headers.
        planes
            .into_iter()
            .chain(others)
            .try_fold(base, |object, info| match &info.slot {
                Slot::One(delta) if info.apply.is_some() => changed(&object, info, delta),
                // An operation that may be lacking, and is, changes nothing.
                Slot::Empty if info.apply.is_some() => Ok(object),
                Slot::Empty => without_part(object, target(info)).map_err(|why| refused(info, why)),
                Slot::One(value) => {
                    let part = target(info);
                    object
                        .with_component(part, value)
                        .map_err(|error| refused(info, error.to_string()))
                }
                Slot::Many(_) => Err(refused(
                    info,
                    "a list cannot be laid over an object; name an assembler".to_owned(),
                )),
            })
    }
}

/// Does an operation to a plane of the object (rule R32).
fn changed(
    object: &ObjectRef,
    info: &ComponentInfo,
    delta: &ObjectRef,
) -> Result<ObjectRef, AssemblyError> {
    let Some(apply) = &info.apply else {
        return Ok(object.clone());
    };
    Delta::of(apply)
        .and_then(|operation| operation.apply(object, delta))
        .map_err(|error| refused(info, error.to_string()))
}

fn is_plane(part: &str) -> bool {
    matches!(part, "image" | "mask" | "variance" | "metadata")
}

/// An object without anything in it, for a composite that has no base and is put together from its planes.
fn empty(class: &str) -> Result<ObjectRef, AssemblyError> {
    let refused = |message: String| AssemblyError {
        component: None,
        message,
        raised: None,
    };
    let metadata = Arc::new(Metadata::default());
    let made: Result<ObjectRef, _> = match python_type(class) {
        PythonType::Own("Exposure") => {
            Exposure::new(None, None, None, metadata).map(|object| Arc::new(object) as ObjectRef)
        }
        PythonType::Own("MaskedImage") => {
            MaskedImage::new(None, None, None, metadata).map(|object| Arc::new(object) as ObjectRef)
        }
        _ => {
            return Err(refused(format!(
                "no component is the base of this {class}: mark one with `base: true`, or give it the composite's `python`"
            )));
        }
    };
    made.map_err(|error| refused(error.to_string()))
}

impl Disassembler for Overlay {
    fn disassemble(
        &self,
        object: &ObjectRef,
        _data_id: &DataId,
        components: &mut [ComponentInfo],
    ) -> Result<(), AssemblyError> {
        for info in components {
            info.slot = if info.apply.is_some() {
                // It cannot be told from what is after it.
                Slot::Empty
            } else if info.base {
                Slot::One(object.clone())
            } else {
                object
                    .component(target(info))
                    .map_or(Slot::Empty, Slot::One)
            };
        }
        Ok(())
    }
}

/// Returns the part of the base that a component lays over it: what its setter or getter names, if that is a part of an
/// exposure, else what the component is called.
pub fn overlaid_part<'a>(
    name: &'a str,
    setter: Option<&'a str>,
    getter: Option<&'a str>,
) -> &'a str {
    let named = setter.or(getter).and_then(|named| {
        named
            .strip_prefix("set")
            .or_else(|| named.strip_prefix("get"))
    });
    let named = named.map(|named| named.trim_start_matches('_'));
    named
        .and_then(|named| components().find(|part| names_part(named, part)))
        .unwrap_or_else(|| synonyms::canonical(name))
}

/// Whether `Wcs`, of `setWcs`, is a name of a part.
fn names_part(named: &str, part: &str) -> bool {
    all_names(part)
        .iter()
        .any(|known| known.eq_ignore_ascii_case(named))
}

fn target(info: &ComponentInfo) -> &str {
    overlaid_part(&info.name, info.setter.as_deref(), info.getter.as_deref())
}

/// Returns the object without a part: what the policy lets be absent is nothing then, never what the base has (rule R11).
fn without_part(object: ObjectRef, part: &str) -> Result<ObjectRef, String> {
    if object.component(part).is_none() {
        return Ok(object);
    }
    match downcast::<Exposure>(object.as_ref()) {
        Some(exposure) => Ok(Arc::new(exposure.without(part))),
        None => Err(format!(
            "it is absent, and the {part} of the base cannot be taken out of its {}",
            object.class()
        )),
    }
}

fn refused(info: &ComponentInfo, message: String) -> AssemblyError {
    AssemblyError {
        component: Some(info.name.clone()),
        message,
        raised: None,
    }
}
