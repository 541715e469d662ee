//! Values as documents and people see them: typed, short, and never a secret.

use std::collections::HashSet;

use serde_json::{Value as Json, json};
use switchback_core::secret::{MASK, clean_output};

use crate::path::{KeyPath, words};
use crate::secrets::suspicion;
use crate::value::{Entry, Node, Value};

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
        Value::Text(text) | Value::Date(text) | Value::Clock(text) | Value::Time(text) => json!(text),
        Value::Bytes(bytes) => json!(format!("({} bytes)", bytes.len())),
        Value::List(items) => {
            let items = items.iter().enumerate();
            items.map(|(at, item)| json(&path.with(crate::path::Step::Item(at)), &item.value)).collect()
        }
        Value::Map(entries) => {
            let members = entries.iter().zip(member_names(entries));
            let member = |(entry, name): (&Entry, String)| {
                (name, json(&path.key(&entry.key.value), &entry.node.value))
            };
            Json::Object(members.map(member).collect())
        }
    }
}

/// The names of the entries of a map in JSON, whose keys are text. A key of another type is its words; where a text beside it is the same,
/// its type too: `1` and `1 (integer)`.
pub fn member_names(entries: &[Entry]) -> Vec<String> {
    let is_text = |entry: &&Entry| matches!(entry.key.value, Value::Text(_));
    let mut taken: HashSet<String> =
        entries.iter().filter(is_text).map(|entry| words(&entry.key.value)).collect();
    let name = |entry: &Entry| {
        let plain = words(&entry.key.value);
        if is_text(&entry) {
            return plain;
        }
        let typed = (1..).map(|number| {
            let number = if number > 1 { format!(" {number}") } else { String::new() };
            format!("{plain} ({}{number})", entry.key.value.type_name())
        });
        // The last of endlessly many is never reached.
        let name = std::iter::once(plain.clone()).chain(typed).find(|name| taken.insert(name.clone()));
        name.unwrap_or_default()
    };
    entries.iter().map(name).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::{Format, read};
    use crate::yaml::Loader;

    #[test]
    fn keys_that_are_two_stay_two_in_json() {
        let text =
            "1: integer\n'1': text\n'null': word\nnull: nothing\n2024-01-31: day\n'1 (integer)': odd\n";
        let root = read(text.as_bytes(), Format::Yaml(Loader::Ruamel), 0).unwrap().root;
        let wanted = json!({
            "1": "text", "1 (integer 2)": "integer", "1 (integer)": "odd", "2024-01-31": "day", "null": "word",
            "null (null)": "nothing",
        });
        assert_eq!(json(&KeyPath::default(), &root.value), wanted);
    }
}
