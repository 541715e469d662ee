//! Keys as bytes: equal bytes exactly when the keys are equal by value.

use super::agreement::{Meeting, Shared};
use crate::error::{CompareError, Place};
use crate::source::batch::Cells;
use crate::source::inference::number as number_of;
use crate::source::table::Table;
use crate::value::{Number, TextTerms, Value};

/// The key of a row. `cells` are those of the key's columns.
///
/// # Errors
///
/// The name of a type that cannot be compared.
pub(super) fn key_of(keys: &[Shared], cells: &[Cells], row: usize) -> Result<Box<[u8]>, String> {
    let mut bytes = Vec::new();
    for (key, cells) in keys.iter().zip(cells) {
        key.canon.append(&mut bytes, &key.read(cells, row)?);
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

/// A key of a type that has no comparison.
pub(super) fn key_not_compared(table: &Table<'_>, kind: &str) -> CompareError {
    let reason = format!("a key of the type `{kind}` cannot be compared");
    CompareError::damaged(&table.path, Place::default(), reason)
}

/// How the cells of a column become bytes.
#[derive(Debug, Clone)]
pub(super) struct Canon {
    pub(super) meeting: Meeting,
    /// Equal bytes mean identical bits, and not only equal values.
    pub(super) bitwise: bool,
    pub(super) null_is_nan: bool,
    /// Where types differ, text that reads as a number is that number.
    pub(super) coerce: bool,
    pub(super) texts: TextTerms,
}

impl Canon {
    /// A tag for the kind, the length, the content: parts cannot run into one another.
    pub(super) fn append(&self, to: &mut Vec<u8>, value: &Value<'_>) {
        if self.meeting != Meeting::OneType && !matches!(value, Value::Null) {
            return self.append_across_types(to, value);
        }
        let (tag, content) = match value {
            Value::Null => (b'0', String::new()),
            Value::Number(number) if self.null_is_nan && number.is_nan() => (b'0', String::new()),
            Value::Number(number) if self.bitwise => (b'n', number.bits()),
            Value::Number(number) => (b'n', number.canonical()),
            Value::Boolean(flag) => (b'b', flag.to_string()),
            Value::Text(text) => return part(to, b't', self.texts.plain(text).as_bytes()),
            Value::Bytes(bytes) => return part(to, b'x', bytes),
            Value::Instant { ns, zoned } => (if *zoned { b'z' } else { b'i' }, ns.to_string()),
            Value::Date(ms) => (b'd', ms.to_string()),
            Value::Time(ns) => (b'c', ns.to_string()),
            Value::Duration(ns) => (b's', ns.to_string()),
            Value::Other(text) => (b'o', text.clone()),
            Value::List(items) => {
                let mut inner = Vec::new();
                for item in items {
                    self.append(&mut inner, item);
                }
                return part(to, b'l', &inner);
            }
            Value::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                members.sort_by(|one, two| one.0.cmp(&two.0));
                let mut inner = Vec::new();
                for (name, value) in members {
                    part(&mut inner, b'k', name.as_bytes());
                    self.append(&mut inner, value);
                }
                return part(to, b'm', &inner);
            }
        };
        part(to, tag, content.as_bytes());
    }

    /// Columns of different types meet as text, unless both are numbers.
    fn append_across_types(&self, to: &mut Vec<u8>, value: &Value<'_>) {
        let number = match value {
            Value::Number(number) if self.meeting == Meeting::Retyped || self.coerce => Some(number.clone()),
            Value::Boolean(flag) if self.meeting == Meeting::Retyped => {
                Some(Number::integer(i8::from(*flag)))
            }
            Value::Text(text) if self.coerce => number_of(self.texts.plain(text).as_ref()),
            _ => None,
        };
        match number {
            Some(number) if self.null_is_nan && number.is_nan() => part(to, b'0', &[]),
            Some(number) => part(to, b'n', number.canonical().as_bytes()),
            None => part(to, b't', self.texts.plain(&value.to_text()).as_bytes()),
        }
    }
}

fn part(to: &mut Vec<u8>, tag: u8, content: &[u8]) {
    to.push(tag);
    to.extend_from_slice(&(content.len() as u64).to_le_bytes());
    to.extend_from_slice(content);
}
