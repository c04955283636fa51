//! Objects as bytes and back, for those who send them from one process to another.
//!
//! What is sent is what a storage would write, plain and without loss: tables as Arrow, documents as JSON, all else as FITS. An
//! object that arrives has no origin: whoever puts it has it compared with what is stored.

use std::sync::Arc;

use bytes::Bytes;
use pantler_core::formatter::{ReadRequest, WriteOptions};
use pantler_core::{DataId, FormatError, ObjectRef};
use pantler_formats::FormatterSet;

use crate::artifact_source::MemorySource;
use crate::error::{Asked, Error, Result};
use crate::execute::format_error;

/// One object as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByValue {
    /// The object's class.
    pub class: String,
    /// The storage that wrote the bytes.
    pub storage: String,
    /// What it wrote.
    pub bytes: Bytes,
}

impl ByValue {
    /// Writes an object. One that is put together of objects of other classes (a container), and a box, are refused.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use pantler::{ByValue, ObjectRef, objects::Document};
    ///
    /// let sent: ObjectRef = Arc::new(Document::new("text".into()));
    /// let arrived = ByValue::of(&sent)?.object()?;
    /// assert!(sent.difference(arrived.as_ref()).is_none());
    /// # Ok::<(), pantler::Error>(())
    /// ```
    pub fn of(object: &ObjectRef) -> Result<ByValue> {
        let class = object.class().to_owned();
        let storage = storage_of(&class);
        let formatter = formatter(storage)?;
        let bytes = formatter
            .write(object, &WriteOptions::default())
            .map_err(|error| failed(&class, error))?;
        Ok(ByValue {
            storage: storage.to_owned(),
            class,
            bytes,
        })
    }

    /// Reads the object.
    pub fn object(&self) -> Result<ObjectRef> {
        let source = MemorySource::new(
            &format!("a {} that was sent", self.class),
            self.bytes.clone(),
        );
        let request = ReadRequest {
            class: Some(self.class.clone()),
            ..ReadRequest::default()
        };
        formatter(&self.storage)?
            .read(&source, None, &request)
            .map_err(|error| failed(&self.class, error))
    }
}

fn storage_of(class: &str) -> &'static str {
    match class {
        "Table" => "ArrowStorage",
        "Document" => "JsonStorage",
        _ => "FitsStorage",
    }
}

fn formatter(storage: &str) -> Result<Arc<dyn pantler_core::Formatter>> {
    FormatterSet::standard()
        .get(storage)
        .ok_or_else(|| Error::request(format!("no storage is called {storage}")))
}

fn failed(class: &str, error: FormatError) -> Error {
    format_error(&Asked::new(class, &DataId::default()), error)
}
