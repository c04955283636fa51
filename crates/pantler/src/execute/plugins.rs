//! Which plug-ins a plan needs: refused before anything is read where nobody has them, or where they may not run.

use std::sync::Arc;

use pantler_core::assembler::Assembler;
use pantler_core::plan::{Assemble, PlanKind, PlanNode};
use pantler_core::policy::Definition;
use pantler_core::python_type::{PythonType, python_type};
use pantler_core::{Import, ImportRole, Imports};

use crate::assemble::generic;
use crate::error::{Error, Result};
use crate::imported::is_import_path;

use super::Executor;

impl Executor<'_> {
    /// Refuses, before anything is read, what only a plug-in could do that nobody registered, and what a policy asks for that
    /// this version does not do: leaving it out would give a wrong object without a word.
    pub fn check_possible(&self, node: &PlanNode) -> Result<()> {
        use pantler_core::composite_graph::Definitions;
        if let Some((_, definition)) = self.chain.find_definition(&node.dataset_type) {
            check_supported(&definition)?;
            self.check_hooks(node, &definition)?;
        }
        self.check_plugins(node)?;
        node.children()
            .iter()
            .try_for_each(|child| self.check_possible(child))
    }

    /// Refuses functions of the user's that nobody can run here, or that may not run.
    fn check_hooks(&self, node: &PlanNode, definition: &Definition) -> Result<()> {
        let hooks = [
            (ImportRole::Standardize, &definition.standardize),
            (ImportRole::Virtual, &definition.virtual_reader),
        ];
        for (role, path) in hooks {
            if let Some(path) = path {
                self.follow(node, role, path)?;
            }
        }
        Ok(())
    }

    fn check_plugins(&self, node: &PlanNode) -> Result<()> {
        let class = match node.python.as_deref().map(python_type) {
            Some(PythonType::Foreign(path)) => Some(path),
            _ => None,
        };
        match &node.kind {
            PlanKind::Assemble(assemble) => match (&assemble.assembler, class) {
                (Some(name), _) if self.plugins.assembler(name).is_some() => Ok(()),
                (Some(name), class) => {
                    self.follow(node, ImportRole::Assembler, name)?;
                    class.map_or(Ok(()), |path| {
                        self.follow(node, ImportRole::Class, path).map(drop)
                    })
                }
                (None, Some(path)) => self.follow(node, ImportRole::Class, path).map(drop),
                (None, None) => Ok(()),
            },
            PlanKind::Read(read) => {
                if let Some(path) = class {
                    self.follow(node, ImportRole::Class, path)?;
                }
                let storage = read.record.definition.storage.as_deref();
                if let Some(path) = storage.filter(|storage| self.is_foreign_storage(storage)) {
                    self.follow(node, ImportRole::Storage, path)?;
                }
                Ok(())
            }
            PlanKind::Subset(_) | PlanKind::Missing(_) => Ok(()),
        }
    }

    fn is_foreign_storage(&self, storage: &str) -> bool {
        is_import_path(storage) && self.plugins.imports().is_some()
    }

    /// Returns who follows an import path that a node's type names, if it may be followed.
    pub(super) fn follow(
        &self,
        node: &PlanNode,
        role: ImportRole,
        path: &str,
    ) -> Result<(&Arc<dyn Imports>, Import)> {
        let (dataset_type, recorded_in) = match &node.kind {
            // A storage is that of whoever owns the artifact (rule R8).
            PlanKind::Read(read) if role == ImportRole::Storage => {
                (read.record.dataset_type(), Some(read.repository))
            }
            PlanKind::Read(read) => (&node.dataset_type, Some(read.repository)),
            PlanKind::Assemble(assemble) => (&node.dataset_type, Some(assemble.repository)),
            PlanKind::Subset(_) | PlanKind::Missing(_) => (&node.dataset_type, None),
        };
        self.plugins
            .follow(self.chain, dataset_type, role, path, recorded_in)
    }

    /// Returns what puts a composite together: what its policy names, else what its class asks for.
    pub(super) fn assembler(
        &self,
        node: &PlanNode,
        assemble: &Assemble,
    ) -> Result<Arc<dyn Assembler>> {
        let python = node.python.as_deref();
        match (&assemble.assembler, python.map(python_type)) {
            (Some(name), _) => match self.plugins.assembler(name) {
                Some(assembler) => Ok(assembler.clone()),
                None => {
                    let (imports, import) = self.follow(node, ImportRole::Assembler, name)?;
                    Ok(imports.assembler(&import))
                }
            },
            (None, Some(PythonType::Foreign(path))) => {
                let (imports, import) = self.follow(node, ImportRole::Class, path)?;
                Ok(imports.assembler(&import))
            }
            (None, _) => {
                let name = generic(assemble.base.is_some(), python);
                let known = self.plugins.assembler(name);
                known.cloned().ok_or_else(|| {
                    Error::request(format!("the plug-in `{name}` is not registered"))
                })
            }
        }
    }

    pub(super) fn unknown_storage(&self, node: &PlanNode, storage: &str) -> Error {
        use pantler_core::composite_graph::Definitions;
        Error::UnknownStorage {
            dataset_type: node.dataset_type.clone(),
            storage: storage.to_owned(),
            known: self.formatters.names().map(str::to_owned).collect(),
            place: self
                .chain
                .find_definition(&node.dataset_type)
                .map(|(_, definition)| definition.place.clone()),
        }
    }
}

/// Refuses what a definition asks for and this version does not do.
pub(crate) fn check_supported(definition: &Definition) -> Result<()> {
    if definition.join.is_none() {
        return Ok(());
    }
    Err(Error::Unsupported {
        message: format!(
            "`{}` uses `join`, which this version of pantler does not carry out",
            definition.name
        ),
        hints: vec![format!("it stands in {}", definition.place)],
    })
}
