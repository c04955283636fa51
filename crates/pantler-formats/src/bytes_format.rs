//! Bytes as they are, which nobody interprets.

use std::sync::Arc;

use bytes::Bytes;
use pantler_core::formatter::{PartLocation, ReadRequest, WriteOptions};
use pantler_core::object::downcast;
use pantler_core::{FormatError, Formatter, ObjectRef, Source};
use pantler_objects::Blob;

use crate::whole::{part, read_all, unfit};

/// Reads and writes bytes as they are.
#[derive(Debug, Clone, Copy, Default)]
pub struct BytesFormatter;

impl Formatter for BytesFormatter {
    fn name(&self) -> &str {
        "bytes"
    }

    fn extensions(&self) -> &[&str] {
        &[".bin", ".dat"]
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
        part(source, Arc::new(Blob::new(read_all(source)?)), request)
    }

    fn write(&self, object: &ObjectRef, _options: &WriteOptions) -> Result<Bytes, FormatError> {
        match downcast::<Blob>(object.as_ref()) {
            Some(blob) => Ok(blob.bytes().clone()),
            None => Err(unfit(self.name(), object.class())),
        }
    }
}
