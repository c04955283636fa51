//! Puts composites together and takes them apart: the plug-ins that need no code of the user's, and those that users register.

mod attached;
mod container;
mod focal_plane;
mod overlay;
mod overridden;

use std::collections::BTreeMap;
use std::sync::Arc;

use pantler_core::assembler::{Assembler, Disassembler};
use pantler_core::imports::Imports;
use pantler_core::python_type::{PythonType, python_type};

use crate::trust::Trust;

pub use attached::Attached;
pub use container::{Container, ContainerAssembler, Entry};
pub use focal_plane::FocalPlane;
pub use overlay::{Overlay, overlaid_part};
pub use overridden::without_overridden;

/// The plug-ins that one butler knows, by the names that policies use.
#[derive(Clone)]
pub struct PluginSet {
    assemblers: BTreeMap<String, Arc<dyn Assembler>>,
    disassemblers: BTreeMap<String, Arc<dyn Disassembler>>,
    imports: Option<Arc<dyn Imports>>,
    trust: Trust,
}

impl PluginSet {
    /// Returns the built-in plug-ins: `pantler.overlay`, `pantler.container` and `pantler.focalPlane`.
    pub fn standard() -> PluginSet {
        PluginSet {
            assemblers: BTreeMap::new(),
            disassemblers: BTreeMap::new(),
            imports: None,
            trust: Trust::default(),
        }
        .with_assembler(OVERLAY, Arc::new(Overlay))
        .with_disassembler(OVERLAY, Arc::new(Overlay))
        .with_assembler(CONTAINER, Arc::new(ContainerAssembler))
        .with_disassembler(CONTAINER, Arc::new(ContainerAssembler))
        .with_assembler(FOCAL_PLANE, Arc::new(FocalPlane))
    }

    /// Returns the set with one more assembler.
    pub fn with_assembler(mut self, name: &str, assembler: Arc<dyn Assembler>) -> PluginSet {
        self.assemblers.insert(name.to_owned(), assembler);
        self
    }

    /// Returns the set with one more disassembler.
    pub fn with_disassembler(
        mut self,
        name: &str,
        disassembler: Arc<dyn Disassembler>,
    ) -> PluginSet {
        self.disassemblers.insert(name.to_owned(), disassembler);
        self
    }

    /// Returns the set with somebody who follows import paths, where `trust` allows it.
    pub fn with_imports(mut self, imports: Arc<dyn Imports>, trust: Trust) -> PluginSet {
        self.imports = Some(imports);
        self.trust = trust;
        self
    }

    /// Returns who follows import paths.
    pub fn imports(&self) -> Option<&Arc<dyn Imports>> {
        self.imports.as_ref()
    }

    /// Returns which repositories may ask for code.
    pub fn trust(&self) -> &Trust {
        &self.trust
    }

    /// Returns an assembler by name.
    pub fn assembler(&self, name: &str) -> Option<&Arc<dyn Assembler>> {
        self.assemblers.get(name)
    }

    /// Returns a disassembler by name.
    pub fn disassembler(&self, name: &str) -> Option<&Arc<dyn Disassembler>> {
        self.disassemblers.get(name)
    }

    /// Returns the names of all plug-ins.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .assemblers
            .keys()
            .chain(self.disassemblers.keys())
            .cloned()
            .collect();
        names.sort();
        names.dedup();
        names
    }
}

/// The assembler that lays components over a base.
pub const OVERLAY: &str = "pantler.overlay";
/// The assembler that keeps components side by side.
pub const CONTAINER: &str = "pantler.container";

/// The assembler that places images in a mosaic.
pub const FOCAL_PLANE: &str = "pantler.focalPlane";

/// Returns the plug-in for a composite that names none: laid over its base if it has one, or put together from planes if its
/// `python` is made of planes, else a container.
pub fn generic(has_base: bool, python: Option<&str>) -> &'static str {
    let of_planes = matches!(
        python.map(python_type),
        Some(PythonType::Own("Exposure" | "MaskedImage"))
    );
    if has_base || of_planes {
        OVERLAY
    } else {
        CONTAINER
    }
}
