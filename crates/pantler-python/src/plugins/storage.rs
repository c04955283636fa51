//! A storage in Python as a format of the engine: bytes to objects and back.
//!
//! It is asked for whole artifacts; parts come out of the object, or from the storage itself where it says that it knows them.
//! Nothing is imported before something is read or written, so that finding and explaining run no code.

use std::sync::Arc;

use bytes::Bytes;
use pantler::ObjectRef;
use pantler::core::formatter::{PartLocation, ReadRequest, WriteOptions};
use pantler::core::survey::{Survey, SurveyRequest, SurveyedUnit};
use pantler::core::{FormatError, Formatter, Source};
use pantler::objects;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::plain;
use crate::plugins::imports::failed;
use crate::taken;
use crate::wrapped::wrap;

/// A storage that is read and written by an object of Python with `read(data)` and `write(obj)`.
pub struct PythonStorage {
    plugins: Arc<Py<PyAny>>,
    name: String,
}

impl PythonStorage {
    /// Names a storage; its code is looked for when it is used.
    pub fn new(plugins: Arc<Py<PyAny>>, name: &str) -> PythonStorage {
        PythonStorage {
            plugins,
            name: name.to_owned(),
        }
    }

    fn plugin_error(&self, py: Python<'_>, file: &str, error: PyErr) -> FormatError {
        FormatError::Plugin {
            file: file.to_owned(),
            source: failed(py, error),
        }
    }
}

impl Formatter for PythonStorage {
    fn name(&self) -> &str {
        &self.name
    }

    fn extensions(&self) -> &[&str] {
        &[]
    }

    fn parts(&self, _class: &str) -> Vec<String> {
        Vec::new()
    }

    fn index(&self, _source: &dyn Source) -> Result<Option<Arc<[u8]>>, FormatError> {
        Ok(None)
    }

    fn locate(&self, _layout: &[u8], _request: &ReadRequest) -> Option<PartLocation> {
        None
    }

    fn read(
        &self,
        source: &dyn Source,
        _layout: Option<&[u8]>,
        request: &ReadRequest,
    ) -> Result<ObjectRef, FormatError> {
        if request.is_partial() {
            return Err(FormatError::Unsupported {
                file: source.name().to_owned(),
                why: format!("the storage {} reads whole objects only", self.name),
            });
        }
        let whole = 0..source.bytes()?;
        let bytes = source.read_ranges(&[whole])?.pop().unwrap_or_default();
        let object = Python::attach(|py| {
            let read = || {
                let arguments = (&self.name, PyBytes::new(py, &bytes), &request.part);
                let made = self
                    .plugins
                    .bind(py)
                    .call_method1("read_stored", arguments)?;
                let (object, left): (Bound<'_, PyAny>, Vec<String>) = made.extract()?;
                Ok((taken::kept(&object)?, left))
            };
            read().map_err(|error| self.plugin_error(py, source.name(), error))
        });
        let (object, left) = object?;
        left.iter().try_fold(object, |object, name| {
            object
                .component(name)
                .ok_or_else(|| FormatError::NoSuchPart {
                    file: source.name().to_owned(),
                    part: name.clone(),
                    known: object.component_names(),
                })
        })
    }

    /// A file that only code of the user's understands tells nothing of itself.
    fn survey(
        &self,
        _source: &dyn Source,
        _request: &SurveyRequest,
    ) -> Result<Survey, FormatError> {
        let unit = SurveyedUnit {
            hdu: None,
            headers: Vec::new(),
            wcs: None,
            bbox: None,
        };
        Ok(Survey {
            units: vec![unit],
            layout: None,
        })
    }

    fn write(&self, object: &ObjectRef, _options: &WriteOptions) -> Result<Bytes, FormatError> {
        Python::attach(|py| {
            let written = || {
                let any = object.as_any();
                // A document is what the caller put: dictionaries and lists.
                let value = match any.downcast_ref::<objects::Document>() {
                    Some(document) => plain::to_python(py, document.value())?,
                    None => wrap(py, object.clone())?,
                };
                let arguments = (&self.name, value);
                let made = self
                    .plugins
                    .bind(py)
                    .call_method1("write_stored", arguments)?;
                Ok(Bytes::copy_from_slice(made.cast::<PyBytes>()?.as_bytes()))
            };
            written().map_err(|error| self.plugin_error(py, &self.name, error))
        })
    }
}
