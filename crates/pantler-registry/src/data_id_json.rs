//! Data IDs as JSON, in which no value changes: what the SQLite registry keeps of a data ID outside its key tables.
//!
//! Integers are numbers, texts are strings, and floating-point numbers are `{"float":"0.1"}`: readers of JSON differ in
//! the last bit that they give to `0.1`, and some turn `2.0` into `2`. It is not the form that users see; that is
//! `Display` and `Serialize` of [`DataId`].

use pantler_core::{DataId, KeyValue};
use serde_json::Value;

/// Returns the values alone, as an array in the order of `data_id`.
pub(crate) fn encode_values(data_id: &DataId) -> String {
    let values = data_id.iter().map(|(_, value)| encode_value(value));
    format!("[{}]", values.collect::<Vec<_>>().join(","))
}

/// Returns keys and values, as an object.
pub(crate) fn encode(data_id: &DataId) -> String {
    let entries = data_id
        .iter()
        .map(|(key, value)| format!("{}:{}", Value::from(key), encode_value(value)));
    format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
}

/// Reads what [`encode_values`] wrote; `None` if it is something else.
pub(crate) fn decode_values(text: &str) -> Option<Vec<KeyValue>> {
    if let Some(values) = decode_integers(text) {
        return Some(values);
    }
    let values: Vec<Value> = serde_json::from_str(text).ok()?;
    values.iter().map(decode_value).collect()
}

/// Reads an array of integers alone, as most data IDs are, without making JSON values of them first; `None` leaves it to the
/// full reader.
fn decode_integers(text: &str) -> Option<Vec<KeyValue>> {
    if text.contains('"') {
        return None;
    }
    let integers: Vec<i64> = serde_json::from_str(text).ok()?;
    Some(integers.into_iter().map(KeyValue::Int).collect())
}

/// Reads what [`encode`] wrote; `None` if it is something else.
pub(crate) fn decode(value: &Value) -> Option<DataId> {
    let mut data_id = DataId::default();
    for (key, value) in value.as_object()? {
        data_id.insert(key, decode_value(value)?);
    }
    Some(data_id)
}

fn encode_value(value: &KeyValue) -> String {
    match value {
        KeyValue::Int(int) => int.to_string(),
        KeyValue::Float(float) => format!("{{\"float\":\"{float:?}\"}}"),
        KeyValue::Str(text) => Value::from(text.as_str()).to_string(),
    }
}

fn decode_value(value: &Value) -> Option<KeyValue> {
    match value {
        Value::Number(number) => number.as_i64().map(KeyValue::Int),
        Value::String(text) => Some(KeyValue::Str(text.clone())),
        Value::Object(object) => KeyValue::float(object.get("float")?.as_str()?.parse().ok()?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn awkward() -> DataId {
        DataId::new([
            ("least", i64::MIN.into()),
            ("most", i64::MAX.into()),
            ("whole", KeyValue::Float(2.0)),
            ("tiny", KeyValue::Float(f64::MIN_POSITIVE)),
            ("large", KeyValue::Float(f64::MAX)),
            ("third", KeyValue::Float(1.0 / 3.0)),
            ("text", "a \"b\"\u{0}\n'é'".into()),
            ("digits", "007".into()),
            ("empty", "".into()),
        ])
    }

    #[test]
    fn values_come_back_as_they_were() {
        let data_id = awkward();
        let values: Vec<KeyValue> = data_id.iter().map(|(_, value)| value.clone()).collect();
        assert_eq!(decode_values(&encode_values(&data_id)), Some(values));
    }

    #[test]
    fn integers_alone_come_back_and_no_other_number_becomes_one() {
        let extremes = vec![i64::MIN.into(), KeyValue::Int(0), i64::MAX.into()];
        let text = format!("[{},0,{}]", i64::MIN, i64::MAX);
        assert_eq!(decode_values(&text), Some(extremes));
        assert_eq!(decode_values("[]"), Some(Vec::new()));
        for text in ["[9223372036854775808]", "[1.0]", "[1e2]", "[-0]"] {
            assert_eq!(decode_values(text), None, "{text}");
        }
    }

    #[test]
    fn data_ids_come_back_with_keys_in_order() {
        let value = serde_json::from_str(&encode(&awkward())).expect("it is JSON");
        let back = decode(&value).expect("it is a data ID");
        assert_eq!(back, awkward());
        assert!(back.keys().eq(awkward().keys()));
    }

    #[test]
    fn whatever_else_stands_there_is_refused() {
        for text in [
            "",
            "7",
            "[true]",
            "[1.5]",
            "[null]",
            "[{\"float\":\"inf\"}]",
            "[[1]]",
        ] {
            assert_eq!(decode_values(text), None, "{text}");
        }
    }
}
