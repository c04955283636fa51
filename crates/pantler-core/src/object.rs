//! What the engine needs to know of an object in memory, whatever its class.
//!
//! pantler's own classes live in `pantler-objects`; classes of users implement the same trait.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::{Digest, Origin};

/// An object in memory, shared and immutable.
pub type ObjectRef = Arc<dyn Object>;

/// An immutable value with named components.
pub trait Object: Any + Send + Sync + fmt::Debug {
    /// Returns the name of the object's class, as policies and messages use it: `Exposure`, `Wcs`.
    fn class(&self) -> &str;

    /// Returns about how many bytes of memory the object holds, shared parts included.
    fn memory(&self) -> u64;

    /// Returns the dataset that the object was read from, if it is unchanged since.
    fn origin(&self) -> Option<&Origin>;

    /// Returns the same object with a known origin; its components get theirs below it, unless they have one already.
    fn with_origin(&self, origin: &Origin) -> ObjectRef;

    /// Returns the names of the components that the object has, in a defined order.
    fn component_names(&self) -> Vec<String>;

    /// Returns a component; synonyms are understood (rule R9).
    fn component(&self, name: &str) -> Option<ObjectRef>;

    /// Returns a copy with one component replaced, and everything that it overrides gone (rule R11).
    ///
    /// The copy has no origin; its other components keep theirs.
    fn with_component(&self, name: &str, value: &ObjectRef) -> Result<ObjectRef, ComponentError>;

    /// Returns the same object, origin included, holding the components that `share` returns for its own.
    ///
    /// The engine uses it so that two objects that hold equal parts hold the same part (rule R13).
    fn sharing(&self, share: &mut dyn FnMut(&str, ObjectRef) -> ObjectRef) -> ObjectRef;

    /// Returns a digest of the decoded values: independent of compression, storage, `DATE` cards and comments.
    fn digest_values(&self) -> Digest;

    /// Returns the first difference in values from `other`, in words; `None` if they are the same (rule R22).
    fn difference(&self, other: &dyn Object) -> Option<String>;

    /// Returns `self` for downcasting.
    fn as_any(&self) -> &dyn Any;
}

/// Returns `object` as a `T`, if it is one.
pub fn downcast<T: Object>(object: &dyn Object) -> Option<&T> {
    object.as_any().downcast_ref()
}

/// A component that an object cannot take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ComponentError {
    /// The class has no such component.
    #[error("{class} has no component `{component}`")]
    Unknown {
        /// The class of the object.
        class: String,
        /// The component asked for.
        component: String,
        /// The components that it can have.
        known: Vec<String>,
    },
    /// The component exists, but not of that class, shape or type.
    #[error("component `{component}` of {class} cannot be {given}: {why}")]
    Unsuitable {
        /// The class of the object.
        class: String,
        /// The component asked for.
        component: String,
        /// What was given instead.
        given: String,
        /// What does not fit.
        why: String,
    },
}
