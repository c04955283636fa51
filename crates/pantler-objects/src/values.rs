//! What all values of this crate have in common, so that each says only what is its own.
//!
//! Used by the modules of this crate alone; the engine sees [`pantler_core::Object`].

use std::any::Any;
use std::sync::Arc;

use pantler_core::{Hasher, Object, ObjectRef};

/// Values that can be digested and compared (rule R22).
pub(crate) trait Values {
    /// Adds the decoded values: never storage, compression, origin, dates or comments.
    fn add_values(&self, hasher: &mut Hasher);

    /// Returns the first difference in values, in words.
    fn differs_from(&self, other: &Self) -> Option<String>;

    /// Returns about how many bytes of memory it takes.
    fn memory_bytes(&self) -> u64;
}

/// Returns `object` as a shared `T`, if it is one: the same allocation, not a copy.
pub(crate) fn downcast_arc<T: Object>(object: &ObjectRef) -> Option<Arc<T>> {
    let any: Arc<dyn Any + Send + Sync> = Arc::<dyn Object>::clone(object);
    any.downcast().ok()
}

/// Implements [`pantler_core::Object`] for a value without components, which has a field `origin` and a method
/// `class_name`.
macro_rules! leaf_object {
    ($type:ident) => {
        impl $type {
            /// Returns the same value with a known origin.
            pub fn at_origin(&self, origin: &pantler_core::Origin) -> $type {
                let mut copy = self.clone();
                copy.origin = Some(origin.clone());
                copy
            }
        }

        impl pantler_core::Object for $type {
            fn class(&self) -> &str {
                self.class_name()
            }

            fn memory(&self) -> u64 {
                $crate::values::Values::memory_bytes(self)
            }

            fn origin(&self) -> Option<&pantler_core::Origin> {
                self.origin.as_ref()
            }

            fn with_origin(&self, origin: &pantler_core::Origin) -> pantler_core::ObjectRef {
                std::sync::Arc::new(self.at_origin(origin))
            }

            fn component_names(&self) -> Vec<String> {
                Vec::new()
            }

            fn component(&self, _name: &str) -> Option<pantler_core::ObjectRef> {
                None
            }

            fn with_component(
                &self,
                name: &str,
                _value: &pantler_core::ObjectRef,
            ) -> Result<pantler_core::ObjectRef, pantler_core::object::ComponentError> {
                Err(pantler_core::object::ComponentError::Unknown {
                    class: self.class_name().to_owned(),
                    component: name.to_owned(),
                    known: Vec::new(),
                })
            }

            fn sharing(
                &self,
                _share: &mut dyn FnMut(&str, pantler_core::ObjectRef) -> pantler_core::ObjectRef,
            ) -> pantler_core::ObjectRef {
                std::sync::Arc::new(self.clone())
            }

            fn digest_values(&self) -> pantler_core::Digest {
                $crate::values::digest(self.class_name(), self)
            }

            fn difference(&self, other: &dyn pantler_core::Object) -> Option<String> {
                $crate::values::difference(self, other)
            }

            fn as_any(&self) -> &dyn std::any::Any {
                self
            }
        }
    };
}

/// Returns the digest of `values`, which differs between classes even where their values look alike.
pub(crate) fn digest<V: Values>(class: &str, values: &V) -> pantler_core::Digest {
    let mut hasher = Hasher::default();
    hasher.field(class.as_bytes());
    values.add_values(&mut hasher);
    hasher.finish()
}

/// Returns the first difference between a value and any other object.
pub(crate) fn difference<V: Values + Object>(mine: &V, other: &dyn Object) -> Option<String> {
    match pantler_core::object::downcast::<V>(other) {
        Some(other) if std::ptr::eq(mine, other) => None,
        Some(other) if mine.class() == other.class() => mine.differs_from(other),
        _ => Some(format!(
            "one is {}, the other {}",
            mine.class(),
            other.class()
        )),
    }
}

/// Returns the difference between two parts that may be absent, prefixed with the part's name.
pub(crate) fn optional_difference(
    name: &str,
    mine: Option<&ObjectRef>,
    other: Option<&ObjectRef>,
) -> Option<String> {
    match (mine, other) {
        (None, None) => None,
        (Some(_), None) => Some(format!("{name} is only in the first")),
        (None, Some(_)) => Some(format!("{name} is only in the second")),
        (Some(mine), Some(other)) if Arc::ptr_eq(mine, other) => None,
        (Some(mine), Some(other)) => mine
            .difference(other.as_ref())
            .map(|why| format!("{name}: {why}")),
    }
}
