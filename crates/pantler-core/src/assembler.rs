//! The plug-in contract for putting composites together and taking them apart.
//!
//! Plug-ins see components only, never a butler, a repository or a file.

use crate::imports::Raised;
use crate::policy::Apply;
use crate::{DataId, ObjectRef, TypeName};

/// What fills a component's slot.
#[derive(Debug, Clone, Default)]
pub enum Slot {
    /// Nothing (yet); for an optional component that is absent, this is its value.
    #[default]
    Empty,
    /// One object.
    One(ObjectRef),
    /// The objects of a `subset` component, ordered by data ID.
    Many(Vec<(DataId, ObjectRef)>),
}

/// One component of a composite, as its plug-in sees it.
#[derive(Debug, Clone)]
pub struct ComponentInfo {
    /// The component's name in the composite.
    pub name: String,
    /// The dataset type that it comes from.
    pub dataset_type: TypeName,
    /// The object or objects.
    pub slot: Slot,
    /// The setter that the policy names.
    pub setter: Option<String>,
    /// The getter that the policy names.
    pub getter: Option<String>,
    /// Whether it is a list of all datasets that match.
    pub subset: bool,
    /// Whether it is read and never written.
    pub input_only: bool,
    /// Whether it is the base that the others are laid over (rule R10).
    pub base: bool,
    /// The operation on a plane that it stands for (rule R32).
    pub apply: Option<Apply>,
    /// The data ID it is found under.
    pub data_id: DataId,
}

/// Puts a composite together from its components.
pub trait Assembler: Send + Sync {
    /// Returns the composite. Components come in policy order; they may be shared and are never changed in place.
    fn assemble(
        &self,
        data_id: &DataId,
        components: &[ComponentInfo],
        class: &str,
    ) -> Result<ObjectRef, AssemblyError>;
}

/// Takes a composite apart.
pub trait Disassembler: Send + Sync {
    /// Fills the slot of each component; a slot of an `input_only` component may stay empty.
    fn disassemble(
        &self,
        object: &ObjectRef,
        data_id: &DataId,
        components: &mut [ComponentInfo],
    ) -> Result<(), AssemblyError>;
}

/// A plug-in that could not do its work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct AssemblyError {
    /// The component that made trouble, if one did.
    pub component: Option<String>,
    /// What went wrong, in the plug-in's words.
    pub message: String,
    /// What a plug-in of another language raised.
    pub raised: Option<Raised>,
}

impl AssemblyError {
    /// Starts an error in the plug-in's words.
    pub fn new(component: Option<&str>, message: impl Into<String>) -> AssemblyError {
        AssemblyError {
            component: component.map(str::to_owned),
            message: message.into(),
            raised: None,
        }
    }
}
