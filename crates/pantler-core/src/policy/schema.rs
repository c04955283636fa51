//! The JSON Schema of the policy format, made from the vocabulary that the loader reads by.
//!
//! `pantler policy schema` prints it, editors complete by it. A schema knows shapes and words only: that a type exists, a
//! template can be printed or a composite does not contain itself is for `pantler policy check`.

use serde_json::{Map, Value, json};

use super::vocabulary::{self, Shape, Word};

/// Returns the schema, in the 2020-12 draft of JSON Schema.
///
/// ```
/// let schema = pantler_core::policy::schema();
/// assert_eq!(schema["$defs"]["component"]["required"][0], "datasetType");
/// ```
pub fn schema() -> Value {
    let mut properties = properties(vocabulary::TOP_WORDS);
    for (name, reason) in vocabulary::PASSED_OVER {
        let passed_over =
            json!({ "description": format!("Passed over: {reason}."), "deprecated": true });
        properties.insert((*name).to_owned(), passed_over);
    }
    let telling: Vec<Value> = vocabulary::TELLING
        .iter()
        .map(|key| json!({ "required": [key] }))
        .collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "pantler policy",
        "description": "What a repository says about its dataset types.",
        "type": ["object", "null"],
        "properties": properties,
        // Some files of the field hold dataset types at their top, and nothing else.
        "additionalProperties": {
            "allOf": [{ "$ref": "#/$defs/datasetType" }, { "anyOf": telling }],
            "type": "object",
        },
        "$defs": {
            "datasetType": dataset_type(),
            "component": component(),
        },
    })
}

fn dataset_type() -> Value {
    let mut properties = properties(vocabulary::DATASET_WORDS);
    for (name, reason) in vocabulary::KEPT {
        let kept = json!({ "description": format!("Kept and shown, not used: {reason}."), "deprecated": true });
        properties.insert((*name).to_owned(), kept);
    }
    json!({
        "type": ["object", "null"],
        "properties": properties,
        "additionalProperties": false,
    })
}

fn component() -> Value {
    json!({
        "type": "object",
        "properties": properties(vocabulary::COMPONENT_WORDS),
        "required": ["datasetType"],
        "additionalProperties": false,
    })
}

fn properties(words: &[Word]) -> Map<String, Value> {
    let property = |word: &Word| {
        let mut schema = shape(&word.shape);
        schema["description"] = word.about.into();
        (word.name.to_owned(), schema)
    };
    words.iter().map(property).collect()
}

fn shape(of: &Shape) -> Value {
    match of {
        Shape::Text => json!({ "type": ["string", "null"] }),
        Shape::Boolean => json!({ "type": ["boolean", "null"] }),
        Shape::Texts => json!({
            "type": ["string", "array", "null"],
            "items": { "type": "string" },
        }),
        Shape::Value => json!({ "type": ["string", "number"] }),
        Shape::OneOf(words) => {
            let words = words.iter().map(|word| Value::from(*word));
            json!({ "enum": words.chain([Value::Null]).collect::<Vec<_>>() })
        }
        Shape::Keys(words) => json!({
            "type": ["object", "null"],
            "properties": properties(words),
            "additionalProperties": false,
        }),
        Shape::Map(inner) => json!({
            "type": ["object", "null"],
            "additionalProperties": shape(inner),
        }),
        Shape::Types => json!({
            "type": ["object", "null"],
            "additionalProperties": { "$ref": "#/$defs/datasetType" },
        }),
        Shape::Components => json!({
            "type": ["object", "null"],
            "properties": {
                "assembler": { "anyOf": [{ "type": "string" }, { "$ref": "#/$defs/component" }] },
                "disassembler": { "anyOf": [{ "type": "string" }, { "$ref": "#/$defs/component" }] },
            },
            "additionalProperties": { "$ref": "#/$defs/component" },
        }),
        Shape::Either(one, other) => json!({ "anyOf": [shape(one), shape(other)] }),
        Shape::Settings => json!({ "type": ["object", "string", "null"] }),
    }
}
