//! Values as documents and people see them: typed, short, and never a secret.

use serde_json::{Value as Json, json};
use switchback_core::secret::{MASK, clean_output};

use crate::path::{KeyPath, words};
use crate::secrets::suspicion;
use crate::value::{Node, Value};

/// A longer text is cut where a person reads it.
const CHARACTERS_MAX: usize = 80;

/// A value as JSON. Numbers that JSON cannot carry exactly are text; what looks like a secret is `***`.
pub fn json(path: &KeyPath, value: &Value) -> Json {
    if suspicion(path, value).is_some() {
        return json!(MASK);
    }
    match value {
        Value::Null => Json::Null,
        Value::Bool(flag) => json!(flag),
        Value::Integer(number) => match i64::try_from(number) {
            Ok(small) if small.unsigned_abs() <= 1 << 53 => json!(small),
            _ => json!(number.to_string()),
        },
        Value::Float(number) if number.is_finite() => json!(number),
        Value::Float(number) => json!(number.to_string()),
        Value::Text(text) | Value::Date(text) | Value::Time(text) => json!(text),
        Value::Bytes(bytes) => json!(format!("({} bytes)", bytes.len())),
        Value::List(items) => {
            let items = items.iter().enumerate();
            items.map(|(at, item)| json(&path.with(crate::path::Step::Item(at)), &item.value)).collect()
        }
        Value::Map(entries) => {
            let member = |entry: &crate::value::Entry| {
                (words(&entry.key.value), json(&path.key(&entry.key.value), &entry.node.value))
            };
            Json::Object(entries.iter().map(member).collect())
        }
    }
}

/// A value on one line, with its type where the words alone do not say it.
pub fn line(path: &KeyPath, node: &Node) -> String {
    let text = match json(path, &node.value) {
        Json::String(text) if !matches!(node.value, Value::Text(_)) || text == MASK => text,
        other => clean_output(&other.to_string()),
    };
    let mut short: String = text.chars().take(CHARACTERS_MAX).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
