//! JSON documents; also headers, boxes and descriptions of visits, written as documents.

use std::sync::Arc;

use bytes::Bytes;
use pantler_core::formatter::{PartLocation, ReadRequest, WriteOptions};
use pantler_core::object::downcast;
use pantler_core::{FormatError, Formatter, Object, ObjectRef, Source};
use pantler_objects::{Bbox, CardValue, Carrier, Document, Metadata, RecordRows, VisitInfo};
use serde_json::{Map, Value, json};

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
        let value: Value = serde_json::from_str(&text).map_err(|error| {
            let unit = format!("line {}, column {}", error.line(), error.column());
            corrupt(source, Some(unit), format!("it is no JSON: {error}"))
        })?;
        part(source, Arc::new(Document::new(value)), request)
    }

    fn write(&self, object: &ObjectRef, _options: &WriteOptions) -> Result<Bytes, FormatError> {
        let value = as_value(object.as_ref()).ok_or_else(|| unfit(self.name(), object.class()))?;
        let mut bytes =
            serde_json::to_vec_pretty(&value).map_err(|error| FormatError::Unsupported {
                file: self.name().to_owned(),
                why: error.to_string(),
            })?;
        bytes.push(b'\n');
        Ok(Bytes::from(bytes))
    }
}

/// Returns an object as a document; `None` if its class has no such form.
pub(crate) fn as_value(object: &dyn Object) -> Option<Value> {
    if let Some(document) = downcast::<Document>(object) {
        return Some(document.value().clone());
    }
    if let Some(header) = downcast::<Metadata>(object) {
        return Some(header_value(header));
    }
    if let Some(bbox) = downcast::<Bbox>(object) {
        let pixels = bbox.pixels();
        return Some(json!({
            "x0": pixels.x0, "y0": pixels.y0, "width": pixels.width, "height": pixels.height,
        }));
    }
    let info = downcast::<VisitInfo>(object)?;
    Some(match info.carrier() {
        Carrier::Header(cards) => header_value(cards),
        Carrier::Archive(persisted) => persisted.object().catalog(0).map_or(Value::Null, row_value),
    })
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

/// Returns the first row of a table by column.
fn row_value(rows: &RecordRows) -> Value {
    let mut values = Map::new();
    for column in rows.table().columns() {
        let name = &column.name;
        let value = if let Some(number) = rows.get_i64(0, name) {
            json!(number)
        } else if let Some(numbers) = rows.get_floats(0, name) {
            match numbers.as_slice() {
                [number] => json!(number),
                many => json!(many),
            }
        } else if let Some(text) = rows.get_text(0, name) {
            json!(text)
        } else {
            continue;
        };
        values.insert(name.clone(), value);
    }
    Value::Object(values)
}
