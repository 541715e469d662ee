//! Nodes → JSON as Python's `json` reads it. JSON has no comments.

use std::fmt::Write as _;

use super::{WriteFault, fault, text_key};
use crate::path::{KeyPath, Step};
use crate::value::{Node, Value};

const FORMAT: &str = "JSON";

pub(super) fn write(root: &Node) -> Result<String, WriteFault> {
    let mut text = String::new();
    value(root, 0, &KeyPath::default(), &mut text)?;
    text.push('\n');
    Ok(text)
}

fn value(node: &Node, depth: usize, path: &KeyPath, text: &mut String) -> Result<(), WriteFault> {
    match &node.value {
        Value::Null => text.push_str("null"),
        Value::Bool(flag) => text.push_str(if *flag { "true" } else { "false" }),
        Value::Integer(number) => text.push_str(&number.to_string()),
        Value::Float(number) if number.is_nan() => text.push_str("NaN"),
        Value::Float(number) if number.is_infinite() => {
            text.push_str(if *number > 0.0 { "Infinity" } else { "-Infinity" });
        }
        // Writing to a string cannot fail.
        Value::Float(number) => drop(write!(text, "{number:?}")),
        Value::Text(content) => text.push_str(&quoted(content)),
        Value::List(items) => {
            let items = items.iter().enumerate().map(|(at, item)| (None, item, path.with(Step::Item(at))));
            return collection(['[', ']'], items, depth, text);
        }
        Value::Map(entries) => {
            let mut members = Vec::with_capacity(entries.len());
            for entry in entries {
                let key = text_key(&entry.key.value, path, FORMAT)?;
                members.push((Some(key), &entry.node, path.key(&entry.key.value)));
            }
            return collection(['{', '}'], members.into_iter(), depth, text);
        }
        other => return Err(fault(path, FORMAT, format!("JSON has no {}", other.type_name()))),
    }
    Ok(())
}

fn collection<'n>(
    signs: [char; 2],
    members: impl ExactSizeIterator<Item = (Option<&'n str>, &'n Node, KeyPath)>,
    depth: usize,
    text: &mut String,
) -> Result<(), WriteFault> {
    text.push(signs[0]);
    let (count, indent) = (members.len(), 2 * (depth + 1));
    for (at, (key, node, path)) in members.enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let _ = write!(text, "{comma}\n{:indent$}", "");
        if let Some(key) = key {
            let _ = write!(text, "{}: ", quoted(key));
        }
        value(node, depth + 1, &path, text)?;
    }
    if count > 0 {
        let _ = write!(text, "\n{:indent$}", "", indent = 2 * depth);
    }
    text.push(signs[1]);
    Ok(())
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
