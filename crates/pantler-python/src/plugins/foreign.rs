//! An object of a user's class, as the engine holds it.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use pantler::core::object::ComponentError;
use pantler::core::{Digest, Hasher, Origin};
use pantler::{Object, ObjectRef};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};

use crate::taken;

/// Any object of Python. The engine shares it and never changes it; whoever else holds it can.
#[derive(Clone)]
pub struct Foreign {
    object: Arc<Py<PyAny>>,
    class: String,
    memory: u64,
    origin: Option<Origin>,
}

impl Foreign {
    /// Keeps an object.
    pub fn new(object: &Bound<'_, PyAny>) -> PyResult<Foreign> {
        // Dictionaries and lists are documents, whatever they hold.
        let is_document = object.is_instance_of::<PyDict>() || object.is_instance_of::<PyList>();
        let class = if is_document {
            "Document".to_owned()
        } else if object.is_instance_of::<PyString>() {
            "Text".to_owned()
        } else if object.is_instance_of::<PyBytes>() {
            "Bytes".to_owned()
        } else {
            object.get_type().fully_qualified_name()?.to_string()
        };
        let size = object
            .py()
            .import("sys")?
            .call_method1("getsizeof", (object, 64));
        Ok(Foreign {
            object: Arc::new(object.clone().unbind()),
            class,
            memory: size.and_then(|size| size.extract()).unwrap_or(64),
            origin: None,
        })
    }

    /// Returns the object.
    pub fn object<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.object.bind(py).clone()
    }
}

impl fmt::Debug for Foreign {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Foreign({})", self.class)
    }
}

/// Asks `pantler.plugins` about an object.
fn asked<'py>(
    object: &Bound<'py, PyAny>,
    question: &str,
    name: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let module = object.py().import("pantler.plugins")?;
    module.call_method1(question, (object, name))
}

impl Object for Foreign {
    fn class(&self) -> &str {
        &self.class
    }

    fn memory(&self) -> u64 {
        self.memory
    }

    fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    fn with_origin(&self, origin: &Origin) -> ObjectRef {
        Arc::new(Foreign {
            origin: Some(origin.clone()),
            ..self.clone()
        })
    }

    fn component_names(&self) -> Vec<String> {
        Python::attach(|py| {
            let object = self.object(py);
            asked(&object, "component_names", "").and_then(|names| names.extract())
        })
        .unwrap_or_default()
    }

    fn component(&self, name: &str) -> Option<ObjectRef> {
        Python::attach(|py| {
            let found = asked(&self.object(py), "component", name).ok()?;
            (!found.is_none())
                .then(|| taken::kept(&found).ok())
                .flatten()
        })
    }

    fn with_component(&self, name: &str, _value: &ObjectRef) -> Result<ObjectRef, ComponentError> {
        Err(ComponentError::Unsuitable {
            class: self.class.clone(),
            component: name.to_owned(),
            given: "replaced".to_owned(),
            why: "pantler does not change objects of other classes; name an assembler".to_owned(),
        })
    }

    fn sharing(&self, _share: &mut dyn FnMut(&str, ObjectRef) -> ObjectRef) -> ObjectRef {
        Arc::new(self.clone())
    }

    fn digest_values(&self) -> Digest {
        let mut hasher = Hasher::default();
        hasher.field(self.class.as_bytes());
        let pickled = Python::attach(|py| {
            let pickled = py
                .import("pickle")
                .and_then(|pickle| pickle.call_method1("dumps", (self.object(py), 4)))
                .ok()?;
            Some(pickled.cast::<PyBytes>().ok()?.as_bytes().to_vec())
        });
        match pickled {
            Some(bytes) => hasher.field(&bytes),
            // Equal to itself alone.
            None => hasher.field(&self.object.as_ptr().addr().to_le_bytes()),
        }
        hasher.finish()
    }

    fn difference(&self, other: &dyn Object) -> Option<String> {
        let Some(other) = other.as_any().downcast_ref::<Foreign>() else {
            return Some(format!(
                "one is a {}, the other a {}",
                self.class,
                other.class()
            ));
        };
        let same = Python::attach(|py| {
            let module = py.import("pantler.plugins")?;
            module
                .call_method1("same", (self.object(py), other.object(py)))?
                .extract::<bool>()
        });
        match same {
            Ok(true) => None,
            Ok(false) => Some(format!("the objects of {} are not equal", self.class)),
            Err(error) => Some(format!(
                "comparing the objects of {} failed: {error}",
                self.class
            )),
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
