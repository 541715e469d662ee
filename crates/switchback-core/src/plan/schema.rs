//! The JSON Schema of the plan file, made from the same tables of keys that the reader uses.

use serde_json::{Map, Value, json};

use super::file::{kinds_of, plan_keys};
use super::key::{Key, Shape};

/// The JSON Schema (draft 2020-12) of `switchback.toml`, for editors.
pub fn json_schema() -> Value {
    let mut schema = object(plan_keys());
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("switchback.toml");
    schema["description"] = json!("A plan: what is managed, the phases, the checks, the triggers.");
    schema["properties"]["version"] = json!({"const": 1, "description": "the version of the format"});
    schema["properties"]["phase"]["minItems"] = json!(1);
    schema
}

fn object(keys: &[Key]) -> Value {
    let mut properties = Map::new();
    for key in keys.iter().filter(|key| !matches!(key.shape, Shape::NotBuilt)) {
        let mut value = shape(key.shape);
        value["description"] = json!(key.doc);
        properties.insert(key.name.to_owned(), value);
    }
    let required: Vec<&str> = keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

fn shape(shape: Shape) -> Value {
    if let Some((keys, kinds)) = kinds_of(shape) {
        let alternatives: Vec<Value> = kinds
            .iter()
            .map(|kind| {
                let all: Vec<Key> = keys.iter().chain(kind.keys).copied().collect();
                let mut one = object(&all);
                one["properties"]["kind"] = json!({"const": kind.word, "description": kind.doc});
                one
            })
            .collect();
        return json!({"type": "array", "minItems": 1, "items": {"oneOf": alternatives}});
    }
    match shape {
        Shape::Text => json!({"type": "string"}),
        Shape::Word(words) => json!({"enum": words}),
        Shape::Texts => json!({"type": "array", "items": {"type": "string"}}),
        Shape::TextLists => {
            let list = json!({"type": "array", "minItems": 1, "items": {"type": "string"}});
            json!({"type": "array", "items": list})
        }
        Shape::WordOrTexts(words) => {
            json!({"oneOf": [{"enum": words}, {"type": "array", "items": {"type": "string"}}]})
        }
        Shape::Whole => json!({"type": "integer", "minimum": 0}),
        Shape::WholeOrNamed => {
            let whole = json!({"type": "integer", "minimum": 0});
            json!({"oneOf": [whole.clone(), named(&whole)]})
        }
        Shape::Number => json!({"type": "number", "minimum": 0}),
        Shape::Decimal => json!({"type": "number"}),
        Shape::Scalar => json!({"type": ["string", "number", "boolean"]}),
        Shape::NamedScalars => named(&json!({"type": ["string", "number", "boolean"]})),
        Shape::Flag => json!({"type": "boolean"}),
        Shape::Table(keys) => object(keys),
        Shape::Named(keys) => named(&object(keys)),
        Shape::NamedTexts => named(&json!({"type": "string"})),
        Shape::Values => json!({"type": "array", "items": value()}),
        Shape::NamedValues => named(&json!({"oneOf": [value(), {"type": "array", "items": value()}]})),
        Shape::NamedGroups => named(&named(&json!({"type": "string"}))),
        Shape::NamedTextsOrTables(keys) => named(&json!({"oneOf": [{"type": "string"}, object(keys)]})),
        Shape::Tables(keys) => json!({"type": "array", "items": object(keys)}),
        Shape::TextsOrTables(keys) => {
            json!({"type": "array", "items": {"oneOf": [{"type": "string"}, object(keys)]}})
        }
        Shape::TextOrTable(keys) => json!({"oneOf": [{"type": "string"}, object(keys)]}),
        Shape::TextsOrTable(keys) => {
            json!({"oneOf": [{"type": "array", "items": {"type": "string"}}, object(keys)]})
        }
        Shape::Kinds(..) | Shape::NotBuilt => json!({}),
    }
}

/// A single value: a text, a number, `true` or `false`.
fn value() -> Value {
    json!({"oneOf": [{"type": "string"}, {"type": "number"}, {"type": "boolean"}]})
}

fn named(value: &Value) -> Value {
    json!({"type": "object", "additionalProperties": value})
}
