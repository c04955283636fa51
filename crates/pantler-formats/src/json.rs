//! JSON documents; also headers, and objects whose values can be told in a list, written as documents. Boxes are read back.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use pantler_core::formatter::{PartLocation, PixelBox, ReadRequest, WriteOptions};
use pantler_core::object::downcast;
use pantler_core::{FormatError, Formatter, Object, ObjectRef, Source};
use pantler_objects::summary::summary_document;
use pantler_objects::{Bbox, CardValue, Document, Metadata, PhotoCalib, Wcs, summary_of};
use serde_json::{Map, Value, json};

use crate::tree::standard_json;
use crate::whole::{corrupt, part, read_text, unfit};

/// Reads and writes JSON.
#[derive(Debug, Clone, Copy, Default)]
pub struct JsonFormatter;

impl Formatter for JsonFormatter {
    fn name(&self) -> &str {
        "JSON"
    }

    fn extensions(&self) -> &[&str] {
        &[".json"]
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
        let value = parsed(&text).map_err(|error| {
            let unit = format!("line {}, column {}", error.line(), error.column());
            corrupt(source, Some(unit), format!("it is no JSON: {error}"))
        })?;
        let object: ObjectRef = match request.class.as_deref() {
            Some("Bbox") => Arc::new(rectangle(&value).ok_or_else(|| {
                let why = "it is no rectangle: x0, y0, width and height, all whole numbers";
                corrupt(source, None, why.to_owned())
            })?),
            _ => Arc::new(Document::new(value)),
        };
        part(source, object, request)
    }

    fn write(&self, object: &ObjectRef, _options: &WriteOptions) -> Result<Bytes, FormatError> {
        let value = as_value(self.name(), object.as_ref())?;
        let mut bytes =
            serde_json::to_vec_pretty(&value).map_err(|error| FormatError::Unsupported {
                file: self.name().to_owned(),
                why: error.to_string(),
            })?;
        bytes.push(b'\n');
        Ok(Bytes::from(bytes))
    }
}

/// Reads a rectangle as it is written: where it begins, and how large it is, in pixels.
fn rectangle(value: &Value) -> Option<Bbox> {
    let place = |key: &str| value.get(key)?.as_i64();
    let size = |key: &str| value.get(key)?.as_u64();
    Some(Bbox::new(PixelBox {
        x0: place("x0")?,
        y0: place("y0")?,
        width: size("width")?,
        height: size("height")?,
    }))
}

/// Reads JSON, with the words for numbers that are not finite as [`tree`](crate::tree) says; deeper than 128 levels is an
/// error.
fn parsed(text: &str) -> serde_json::Result<Value> {
    serde_json::from_str(text).or_else(|error| match standard_json(text) {
        Cow::Borrowed(_) => Err(error),
        Cow::Owned(text) => serde_json::from_str(&text),
    })
}

/// Returns an object as a document, for a file of the format `file`; an error if its class has no such form, or if its
/// record cannot be decoded.
///
/// Documents and headers are what they are; everything else is what [`summary_of`] says of it, with the units in the keys:
/// `exposure_time_s`. Coordinates, calibrations and what only pixels can show have no such form, as a document would not
/// hold all of them.
pub(crate) fn as_value(file: &str, object: &dyn Object) -> Result<Value, FormatError> {
    if let Some(document) = downcast::<Document>(object) {
        return Ok(document.value().clone());
    }
    if let Some(header) = downcast::<Metadata>(object) {
        return Ok(header_value(header));
    }
    if downcast::<Wcs>(object).is_some() || downcast::<PhotoCalib>(object).is_some() {
        return Err(unfit(file, object.class()));
    }
    let lines = summary_of(object).ok_or_else(|| unfit(file, object.class()))?;
    let lines = lines.map_err(|error| FormatError::Unsupported {
        file: file.to_owned(),
        why: error.to_string(),
    })?;
    Ok(summary_document(&lines))
}

/// Returns a header by keyword; keywords that repeat are lists.
fn header_value(header: &Metadata) -> Value {
    let mut values: Map<String, Value> = Map::new();
    let mut repeats: Map<String, Value> = Map::new();
    for card in header.iter() {
        let value = card_value(card.value());
        let keyword = card.keyword();
        if let Some(Value::Array(list)) = repeats.get_mut(keyword) {
            list.push(value);
        } else if let Some(first) = values.get(keyword) {
            repeats.insert(keyword.to_owned(), json!([first, value]));
        } else {
            values.insert(keyword.to_owned(), value);
        }
    }
    for (keyword, list) in repeats {
        values.insert(keyword, list);
    }
    Value::Object(values)
}

fn card_value(value: &CardValue) -> Value {
    match value {
        CardValue::Undefined => Value::Null,
        CardValue::Logical(flag) => json!(flag),
        CardValue::Integer(number) => json!(number),
        CardValue::Real(number) => json!(number),
        CardValue::Complex(real, imaginary) => json!([real, imaginary]),
        CardValue::Text(text) | CardValue::Commentary(text) => json!(text),
    }
}
