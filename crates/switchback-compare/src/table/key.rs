//! Keys as bytes: equal bytes exactly when the keys are equal by value.

use super::agreement::Shared;
use crate::source::batch::Cells;
use crate::value::Value;

/// The key of a row. `cells` are those of the key's columns.
///
/// # Errors
///
/// The name of a type that cannot be compared.
pub(super) fn key_of(keys: &[Shared], cells: &[Cells], row: usize) -> Result<Box<[u8]>, String> {
    let mut bytes = Vec::new();
    for (key, cells) in keys.iter().zip(cells) {
        append(&mut bytes, &cells.value(row)?, key.retyped);
    }
    Ok(bytes.into_boxed_slice())
}

/// The key of a row for a report.
pub(super) fn named_key(
    keys: &[Shared],
    cells: &[Cells],
    row: usize,
) -> Result<Vec<(String, serde_json::Value)>, String> {
    let parts = keys.iter().zip(cells);
    parts.map(|(key, cells)| Ok((key.name.clone(), cells.value(row)?.to_json()))).collect()
}

/// A tag for the kind, the length, the content: parts cannot run into one another.
fn append(to: &mut Vec<u8>, value: &Value<'_>, retyped: bool) {
    let (tag, content) = match value {
        Value::Null => (b'0', String::new()),
        Value::Number(number) => (b'n', number.canonical()),
        Value::Boolean(flag) if retyped => (b'n', crate::value::Number::integer(i8::from(*flag)).canonical()),
        // Columns of different types meet as text, unless both are numbers.
        other if retyped => (b't', other.to_text()),
        Value::Boolean(flag) => (b'b', flag.to_string()),
        Value::Text(text) => return part(to, b't', text.as_bytes()),
        Value::Bytes(bytes) => return part(to, b'x', bytes),
        Value::Instant { ns, zoned } => (if *zoned { b'z' } else { b'i' }, ns.to_string()),
        Value::Date(ms) => (b'd', ms.to_string()),
        Value::Time(ns) => (b'c', ns.to_string()),
        Value::Duration(ns) => (b's', ns.to_string()),
        Value::Other(text) => (b'o', text.clone()),
        Value::List(items) => {
            let mut inner = Vec::new();
            for item in items {
                append(&mut inner, item, retyped);
            }
            return part(to, b'l', &inner);
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|one, two| one.0.cmp(&two.0));
            let mut inner = Vec::new();
            for (name, value) in members {
                part(&mut inner, b'k', name.as_bytes());
                append(&mut inner, value, retyped);
            }
            return part(to, b'm', &inner);
        }
    };
    part(to, tag, content.as_bytes());
}

fn part(to: &mut Vec<u8>, tag: u8, content: &[u8]) {
    to.push(tag);
    to.extend_from_slice(&(content.len() as u64).to_le_bytes());
    to.extend_from_slice(content);
}
