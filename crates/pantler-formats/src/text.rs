//! Text in UTF-8.

use std::sync::Arc;

use bytes::Bytes;
use pantler_core::formatter::{PartLocation, ReadRequest, WriteOptions};
use pantler_core::object::downcast;
use pantler_core::{FormatError, Formatter, ObjectRef, Source};
use pantler_objects::Text;

use crate::whole::{part, read_text, unfit};

/// Reads and writes text in UTF-8.
#[derive(Debug, Clone, Copy, Default)]
pub struct TextFormatter;

impl Formatter for TextFormatter {
    fn name(&self) -> &str {
        "text"
    }

    fn extensions(&self) -> &[&str] {
        &[".txt", ".text", ".log"]
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
        part(source, Arc::new(Text::new(read_text(source)?)), request)
    }

    fn write(&self, object: &ObjectRef, _options: &WriteOptions) -> Result<Bytes, FormatError> {
        match downcast::<Text>(object.as_ref()) {
            Some(text) => Ok(Bytes::copy_from_slice(text.as_str().as_bytes())),
            None => Err(unfit(self.name(), object.class())),
        }
    }
}
