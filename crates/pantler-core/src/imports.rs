//! The contract between the engine and whoever follows the import paths of policies: the Python package.
//!
//! A policy may name code of its user's: an assembler, a class, a storage. The engine knows such names as text; what they mean,
//! only an interpreter can say. An [`Imports`] is given to a butler by the face that has one; without it such types are loaded
//! and explained, and refused when they are used. Whether a repository may ask for code at all is decided by the engine before
//! it calls anything here.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::assembler::{Assembler, Disassembler};
use crate::report::Permit;
use crate::{DataId, Formatter, ObjectRef, TypeName};

/// What a policy names code for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ImportRole {
    /// `python`: the class of the object.
    Class,
    /// `assembler`.
    Assembler,
    /// `disassembler`.
    Disassembler,
    /// `standardize`: what every object that is read goes through.
    Standardize,
    /// `virtual`: what makes the object from the data ID alone.
    Virtual,
    /// `storage`: what reads and writes its files.
    Storage,
}

impl ImportRole {
    /// Returns the policy's key.
    pub fn key(self) -> &'static str {
        match self {
            ImportRole::Class => "python",
            ImportRole::Assembler => "assembler",
            ImportRole::Disassembler => "disassembler",
            ImportRole::Standardize => "standardize",
            ImportRole::Virtual => "virtual",
            ImportRole::Storage => "storage",
        }
    }
}

/// One import path, with who asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// What it is named for.
    pub role: ImportRole,
    /// The path, as the policy has it: `lsst.mypackage.jointcal.JointcalAssembler`.
    pub path: String,
    /// The dataset type that it is named by.
    pub dataset_type: TypeName,
    /// Where it is named: file, line and column; empty where only a registry names it.
    pub place: String,
}

/// Follows import paths. It is called by many threads, and never while the engine holds a lock of its own.
pub trait Imports: Send + Sync {
    /// Says whether what the path means exists in this process only, so that nothing that needs it can be put (rule R7).
    fn is_private(&self, path: &str) -> bool;

    /// Returns the assembler that a policy names; for [`ImportRole::Class`] the generic one of the class.
    fn assembler(&self, import: &Import) -> Arc<dyn Assembler>;

    /// Returns the disassembler that a policy names; for [`ImportRole::Class`] the generic one of the class.
    fn disassembler(&self, import: &Import) -> Arc<dyn Disassembler>;

    /// Returns what was read as an object of the class that the policy's `python` names; the same object where it is one.
    fn read_as(&self, import: &Import, object: &ObjectRef) -> Result<ObjectRef, PluginError>;

    /// Returns what a storage of pantler's own writes for an object of the class.
    fn written_as(&self, import: &Import, object: &ObjectRef) -> Result<ObjectRef, PluginError>;

    /// Refuses an object that is not of the class that the policy's `python` names.
    fn check_class(&self, import: &Import, object: &ObjectRef) -> Result<(), PluginError>;

    /// Returns the object that a dataset type's standardizer makes of what was read.
    fn standardized(
        &self,
        import: &Import,
        object: &ObjectRef,
        data_id: &DataId,
    ) -> Result<ObjectRef, PluginError>;

    /// Makes an object from its data ID.
    fn made(&self, import: &Import, data_id: &DataId) -> Result<ObjectRef, PluginError>;

    /// Returns the formatter of a storage that pantler itself does not have; `None` where nobody knows it.
    fn formatter(&self, storage: &str) -> Option<Arc<dyn Formatter>>;
}

/// What a plug-in of another language raised, kept as it was for the caller of that language.
#[derive(Clone)]
pub struct Raised(Arc<dyn Any + Send + Sync>);

impl Raised {
    /// Keeps an exception.
    pub fn new(exception: impl Any + Send + Sync) -> Raised {
        Raised(Arc::new(exception))
    }

    /// Returns the exception, for downcasting.
    pub fn exception(&self) -> &(dyn Any + Send + Sync) {
        self.0.as_ref()
    }
}

impl fmt::Debug for Raised {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Raised")
    }
}

impl PartialEq for Raised {
    fn eq(&self, other: &Raised) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Raised {}

/// A plug-in that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PluginError {
    /// What went wrong, in one line.
    pub message: String,
    /// What was raised.
    pub raised: Option<Raised>,
    /// What could be allowed, so that it would not fail.
    pub permit: Option<Permit>,
}
