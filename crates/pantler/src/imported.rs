//! Import paths of policies inside the engine: who names them, whether they may be followed, and who follows them.
//!
//! The executor and the putter ask here; [`pantler_core::Imports`] does the work where a butler has one. It promises that nothing
//! is imported that [`crate::trust::Trust`] does not allow.

use std::sync::Arc;

use pantler_core::composite_graph::Definitions;
use pantler_core::imports::PluginError;
use pantler_core::policy::{Definition, Place};
use pantler_core::python_type::{PythonType, python_type};
use pantler_core::{Import, ImportRole, Imports, TypeName};

use crate::assemble::{CONTAINER, FOCAL_PLANE, OVERLAY, PluginSet};
use crate::chain::Chain;
use crate::error::{Error, Result};

/// The name of the policy that a caller gave for one butler alone.
pub const LOCAL_POLICY: &str = "the policy given to this butler";

/// Every import path that a definition names.
pub(crate) fn imports_of(definition: &Definition) -> Vec<Import> {
    let composite = definition.composite.as_ref();
    let class = definition
        .python
        .as_deref()
        .filter(|python| matches!(python_type(python), PythonType::Foreign(_)));
    let assembler = composite.and_then(|composite| composite.assembler.as_deref());
    let disassembler = composite.and_then(|composite| composite.disassembler.as_deref());
    let named = [
        (ImportRole::Class, class),
        (ImportRole::Assembler, assembler),
        (ImportRole::Disassembler, disassembler),
        (ImportRole::Standardize, definition.standardize.as_deref()),
        (ImportRole::Virtual, definition.virtual_reader.as_deref()),
        (ImportRole::Storage, definition.storage.as_deref()),
    ];
    named
        .into_iter()
        .filter_map(|(role, path)| Some((role, path?)))
        .filter(|(role, path)| match role {
            ImportRole::Storage => is_import_path(path),
            _ => !BUILT_IN.contains(path),
        })
        .map(|(role, path)| import(definition, role, path))
        .collect()
}

/// One import path of a definition.
fn import(definition: &Definition, role: ImportRole, path: &str) -> Import {
    Import {
        role,
        path: path.to_owned(),
        dataset_type: definition.name.clone(),
        place: place_of(definition, role).to_string(),
    }
}

/// Where an import path is named; the definition as a whole where no more is known.
fn place_of(definition: &Definition, role: ImportRole) -> &Place {
    exact_place_of(definition, role).unwrap_or(&definition.place)
}

fn exact_place_of(definition: &Definition, role: ImportRole) -> Option<&Place> {
    let composite = definition.composite.as_ref();
    let assembler = composite
        .and_then(|composite| composite.assembler_place.as_ref())
        .filter(|_| role == ImportRole::Assembler);
    let key = role.key();
    let named = definition.key_places.iter().find(|(known, _)| known == key);
    assembler.or(named.map(|(_, place)| place))
}

/// The plug-ins that are pantler's, whether this version has them or not.
const BUILT_IN: [&str; 5] = [
    OVERLAY,
    CONTAINER,
    FOCAL_PLANE,
    "pantler.join",
    "pantler.concat",
];

/// Whether a storage is named by where its code is; a name without a dot is one that the caller or an installed package gave.
pub(crate) fn is_import_path(storage: &str) -> bool {
    storage.contains('.')
}

impl PluginSet {
    /// Returns who follows an import path of a type, if it may be followed; an error that says why not. A path that the type's
    /// definition does not name (any more) stands in the registry of the repository `recorded_in`.
    pub(crate) fn follow(
        &self,
        chain: &Chain,
        dataset_type: &TypeName,
        role: ImportRole,
        path: &str,
        recorded_in: Option<usize>,
    ) -> Result<(&Arc<dyn Imports>, Import)> {
        let named = |(_, definition): &(usize, Arc<Definition>)| {
            let mut imports = imports_of(definition).into_iter();
            imports.any(|import| import.role == role && import.path == path)
        };
        let found = chain.find_definition(dataset_type).filter(named);
        let import = match &found {
            Some((_, definition)) => import(definition, role, path),
            None => Import {
                role,
                path: path.to_owned(),
                dataset_type: dataset_type.clone(),
                place: String::new(),
            },
        };
        let Some(imports) = self.imports() else {
            return Err(Error::NeedsPlugin {
                dataset_type: dataset_type.clone(),
                role: role.key(),
                import_path: path.to_owned(),
                place: import.place,
                known: self.names(),
            });
        };
        match (&found, recorded_in) {
            (Some((index, definition)), _) => {
                self.check_trusted(chain, *index, definition, &import)?;
            }
            // A definition of another time, which a registry keeps.
            (None, Some(repository)) => self.check_recorded(chain, repository, &import)?,
            (None, None) => {}
        }
        Ok((imports, import))
    }

    /// Refuses an import path of a repository that is not the user's.
    pub(crate) fn check_trusted(
        &self,
        chain: &Chain,
        index: usize,
        definition: &Definition,
        import: &Import,
    ) -> Result<()> {
        if self.trust().names_module(&import.path) {
            return Ok(());
        }
        let place = exact_place_of(definition, import.role);
        if place.is_some_and(|place| &*place.file == LOCAL_POLICY) {
            return Ok(());
        }
        // What a type inherits stands in the policy of another repository, which must be the user's as well.
        let file = place.map_or("", |place| &place.file);
        let others = chain.repositories().iter().filter(|other| {
            let inside = file.strip_prefix(other.name());
            inside.is_some_and(|inside| inside.starts_with('/'))
        });
        for repository in others.chain([chain.repository(index)]) {
            if let Some(stranger) = self.trust().stranger_in(repository, file) {
                return Err(Error::Untrusted {
                    import: import.clone(),
                    repository: repository.root().to_owned(),
                    stranger: stranger.display().to_string(),
                });
            }
        }
        Ok(())
    }

    fn check_recorded(&self, chain: &Chain, repository: usize, import: &Import) -> Result<()> {
        if self.trust().names_module(&import.path) {
            return Ok(());
        }
        let repository = chain.repository(repository);
        match self.trust().stranger_in(repository, "") {
            None => Ok(()),
            Some(stranger) => Err(Error::Untrusted {
                import: import.clone(),
                repository: repository.root().to_owned(),
                stranger: stranger.display().to_string(),
            }),
        }
    }

    /// Refuses to put a type of which a piece exists in this process only: nobody could read it again (rule R7).
    pub(crate) fn check_lasting(&self, definition: &Definition) -> Result<()> {
        let Some(imports) = self.imports() else {
            return Ok(());
        };
        let private = imports_of(definition)
            .into_iter()
            .find(|import| imports.is_private(&import.path));
        match private {
            None => Ok(()),
            Some(import) => Err(Error::ReadOnly {
                name: definition.name.to_string(),
                place: Some(definition.place.clone()),
                components: Vec::new(),
                why: format!(
                    "its `{}` is `{}`, which cannot be imported: it serves this butler only, and nobody could read what is put",
                    import.role.key(),
                    import.path
                ),
                instead: Vec::new(),
            }),
        }
    }
}

/// Says what a plug-in could not do.
pub(crate) fn failed(import: &Import, source: PluginError) -> Error {
    Error::Plugin {
        import: import.clone(),
        source,
    }
}
