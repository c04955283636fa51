//! Lays components over a base object: an exposure with another WCS and another calibration.
//!
//! What a component overrides disappears from the base in every form (rule R11); the object's own class sees to that.

use pantler_core::assembler::{Assembler, AssemblyError, ComponentInfo, Disassembler, Slot};
use pantler_core::{DataId, ObjectRef, synonyms};

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
            .ok_or_else(|| AssemblyError {
                component: None,
                message: format!(
                    "no component is the base of this {class}: mark one with `base: true`, or give it the composite's `python`"
                ),
            })?;
        components
            .iter()
            .filter(|info| !info.base)
            .try_fold(base, |object, info| match &info.slot {
                Slot::Empty => Ok(object),
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

impl Disassembler for Overlay {
    fn disassemble(
        &self,
        object: &ObjectRef,
        _data_id: &DataId,
        components: &mut [ComponentInfo],
    ) -> Result<(), AssemblyError> {
        for info in components {
            info.slot = if info.base {
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

/// The part of the base that a component replaces: what its setter or getter names, else what it is called.
fn target(info: &ComponentInfo) -> &str {
    let named = info.setter.as_deref().or(info.getter.as_deref());
    let named = named.and_then(|named| {
        named
            .strip_prefix("set")
            .or_else(|| named.strip_prefix("get"))
    });
    match named.map(|named| named.trim_start_matches('_')) {
        Some("Wcs" | "wcs") => "wcs",
        Some("PhotoCalib" | "Calib" | "calib" | "photoCalib") => "photoCalib",
        _ => synonyms::canonical(&info.name),
    }
}

fn refused(info: &ComponentInfo, message: String) -> AssemblyError {
    AssemblyError {
        component: Some(info.name.clone()),
        message,
    }
}
