//! Tables as comma-separated text, written for people and other programs.
//!
//! It is written only: text does not say which type a column has, or which of its fields have no value. Columns of arrays
//! are refused, because a field holds one value.

use std::sync::Arc;

use bytes::Bytes;
use pantler_core::formatter::{PartLocation, ReadRequest, WriteOptions};
use pantler_core::object::downcast;
use pantler_core::{FormatError, Formatter, ObjectRef, Source};
use pantler_objects::Table;

use crate::whole::unfit;

/// Writes tables as comma-separated text.
#[derive(Debug, Clone, Copy, Default)]
pub struct CsvFormatter;

impl Formatter for CsvFormatter {
    fn name(&self) -> &str {
        "CSV"
    }

    fn extensions(&self) -> &[&str] {
        &[".csv"]
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
        _request: &ReadRequest,
    ) -> Result<ObjectRef, FormatError> {
        Err(FormatError::Unsupported {
            file: source.name().to_owned(),
            why: "CSV files are only written".to_owned(),
        })
    }

    fn write(&self, object: &ObjectRef, _options: &WriteOptions) -> Result<Bytes, FormatError> {
        let table = downcast::<Table>(object.as_ref());
        let table = table.ok_or_else(|| unfit(self.name(), object.class()))?;
        for field in table.batch().schema_ref().fields() {
            if field.data_type().is_nested() {
                return Err(FormatError::Unsupported {
                    file: self.name().to_owned(),
                    why: format!(
                        "column `{}` has arrays, and a field holds one value",
                        field.name()
                    ),
                });
            }
        }
        let mut out = String::new();
        let names: Vec<String> = table.column_names().map(quoted).collect();
        out.push_str(&names.join(","));
        out.push('\n');
        for row in 0..table.rows() {
            for column in 0..names.len() {
                if column > 0 {
                    out.push(',');
                }
                if let Some(text) = table.text(column, row) {
                    out.push_str(&quoted(&text));
                }
            }
            out.push('\n');
        }
        Ok(Bytes::from(out))
    }
}

/// Puts quotes around what would else be read as several fields, or as none.
fn quoted(text: &str) -> String {
    if text.is_empty() || text.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};
    use pantler_objects::Metadata;

    use super::*;

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        let texts = StringArray::from(vec![Some("a,b"), Some("say \"x\""), Some(""), None]);
        let numbers = Float64Array::from(vec![Some(1.5), None, Some(f64::NAN), Some(1e300)]);
        let batch = RecordBatch::try_from_iter([
            ("a text", Arc::new(texts) as ArrayRef),
            ("x", Arc::new(numbers)),
        ]);
        let table: ObjectRef = Arc::new(Table::new(batch.unwrap(), Metadata::default()).unwrap());
        let written = CsvFormatter
            .write(&table, &WriteOptions::default())
            .unwrap();
        let expected = "a text,x\n\"a,b\",1.5\n\"say \"\"x\"\"\",\n\"\",NaN\n,1e300\n";
        assert_eq!(written, expected);
        let text: ObjectRef = Arc::new(pantler_objects::Text::new("x"));
        assert!(CsvFormatter.write(&text, &WriteOptions::default()).is_err());
    }
}
