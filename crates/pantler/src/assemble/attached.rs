//! An object with further objects attached under names that its class does not have: a catalog with a WCS.
//!
//! Assemblers of users make it (`catalog.wcs = wcs`). It is of the class of what it is made of, and gives its attachments as
//! components; no format writes it, so a put writes the object below and takes the attachments for other components.

use std::any::Any;
use std::sync::Arc;

use pantler_core::object::{ComponentError, downcast};
use pantler_core::{Digest, Hasher, Object, ObjectRef, Origin};

/// An object with attachments.
#[derive(Debug, Clone)]
pub struct Attached {
    object: ObjectRef,
    attachments: Vec<(String, ObjectRef)>,
    origin: Option<Origin>,
}

impl Attached {
    /// Attaches one more object under a name; one that is there under it already is replaced.
    pub fn to(object: &ObjectRef, name: &str, value: ObjectRef) -> Attached {
        let mut attached = match downcast::<Attached>(object.as_ref()) {
            Some(attached) => Attached {
                origin: None,
                ..attached.clone()
            },
            None => Attached {
                object: object.clone(),
                attachments: Vec::new(),
                origin: None,
            },
        };
        attached.attachments.retain(|(known, _)| known != name);
        attached.attachments.push((name.to_owned(), value));
        attached
    }

    /// Returns the object that the others are attached to.
    pub fn object(&self) -> &ObjectRef {
        &self.object
    }

    /// Returns what is attached under a name.
    pub fn attachment(&self, name: &str) -> Option<&ObjectRef> {
        let found = self.attachments.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value)
    }

    /// Returns what is attached, by name, in the order in which it was.
    pub fn attachments(&self) -> &[(String, ObjectRef)] {
        &self.attachments
    }

    /// Returns an object without its attachments; one that has none as it is.
    pub fn bare(object: &ObjectRef) -> ObjectRef {
        downcast::<Attached>(object.as_ref())
            .map_or(object, Attached::object)
            .clone()
    }
}

impl Object for Attached {
    fn class(&self) -> &str {
        self.object.class()
    }

    fn memory(&self) -> u64 {
        let attachments = self.attachments.iter();
        self.object.memory() + attachments.map(|(_, value)| value.memory()).sum::<u64>()
    }

    fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    fn with_origin(&self, origin: &Origin) -> ObjectRef {
        Arc::new(Attached {
            origin: Some(origin.clone()),
            ..self.clone()
        })
    }

    fn component_names(&self) -> Vec<String> {
        let mut names = self.object.component_names();
        for (name, _) in &self.attachments {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }

    fn component(&self, name: &str) -> Option<ObjectRef> {
        self.attachment(name)
            .cloned()
            .or_else(|| self.object.component(name))
    }

    fn with_component(&self, name: &str, value: &ObjectRef) -> Result<ObjectRef, ComponentError> {
        if self.attachment(name).is_some() {
            let this: ObjectRef = Arc::new(self.clone());
            return Ok(Arc::new(Attached::to(&this, name, value.clone())));
        }
        Ok(Arc::new(Attached {
            object: self.object.with_component(name, value)?,
            attachments: self.attachments.clone(),
            origin: None,
        }))
    }

    fn sharing(&self, share: &mut dyn FnMut(&str, ObjectRef) -> ObjectRef) -> ObjectRef {
        Arc::new(Attached {
            object: self.object.sharing(share),
            ..self.clone()
        })
    }

    fn digest_values(&self) -> Digest {
        let mut hasher = Hasher::default();
        hasher.field(self.object.digest_values().as_bytes());
        for (name, value) in &self.attachments {
            hasher.field(name.as_bytes());
            hasher.field(value.digest_values().as_bytes());
        }
        hasher.finish()
    }

    fn difference(&self, other: &dyn Object) -> Option<String> {
        let Some(other) = downcast::<Attached>(other) else {
            return Some(format!(
                "nothing is attached to the other {}",
                other.class()
            ));
        };
        if let Some(difference) = self.object.difference(other.object.as_ref()) {
            return Some(difference);
        }
        let names = |attached: &Attached| {
            let mut names: Vec<String> = attached
                .attachments
                .iter()
                .map(|(name, _)| name.clone())
                .collect();
            names.sort();
            names
        };
        if names(self) != names(other) {
            return Some(format!(
                "{} and {} are attached",
                names(self).join(", "),
                names(other).join(", ")
            ));
        }
        self.attachments.iter().find_map(|(name, value)| {
            let theirs = other.attachment(name)?;
            let difference = value.difference(theirs.as_ref())?;
            Some(format!("{name}: {difference}"))
        })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
