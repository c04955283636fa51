//! YAML documents, which in memory are what JSON documents are.

use std::sync::Arc;

use bytes::Bytes;
use pantler_core::formatter::{PartLocation, ReadRequest, WriteOptions};
use pantler_core::{FormatError, Formatter, ObjectRef, Source};
use pantler_objects::Document;
use serde_saphyr::options::NonFiniteFloatPolicy;

use crate::json::as_value;
use crate::tree::Tree;
use crate::whole::{corrupt, part, read_text};

/// Reads and writes YAML.
#[derive(Debug, Clone, Copy, Default)]
pub struct YamlFormatter;

impl Formatter for YamlFormatter {
    fn name(&self) -> &str {
        "YAML"
    }

    fn extensions(&self) -> &[&str] {
        &[".yaml", ".yml"]
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
        let text = read_text(source)?;
        // As everywhere in pantler, `y` and `no` are text. Binary is not decoded, as it need not be text.
        let options = serde_saphyr::options! {
            strict_booleans: true,
            ignore_binary_tag_for_string: true,
            non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        };
        let Tree(value) = serde_saphyr::from_str_with_options(&text, options).map_err(|error| {
            let unit = error
                .location()
                .map(|at| format!("line {}, column {}", at.line(), at.column()));
            let why = error.to_string();
            corrupt(
                source,
                unit,
                format!("it is no YAML: {}", why.lines().next().unwrap_or_default()),
            )
        })?;
        part(source, Arc::new(Document::new(value)), request)
    }

    fn write(&self, object: &ObjectRef, _options: &WriteOptions) -> Result<Bytes, FormatError> {
        let value = as_value(self.name(), object.as_ref())?;
        let text = serde_saphyr::to_string(&value).map_err(|error| FormatError::Unsupported {
            file: self.name().to_owned(),
            why: error.to_string(),
        })?;
        Ok(Bytes::from(text))
    }
}
