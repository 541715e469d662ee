//! JSON with exact numbers: integers of any length stay integers, the rest is the nearest double.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::value::{Number, Value};

/// Deeper nesting than this is refused.
pub(crate) const NESTING_MAX: usize = 128;

/// What is wrong with a document, and where. Lines and columns are counted from 1.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) reason: String,
}

/// Reads one JSON document.
pub(crate) fn read(bytes: &[u8]) -> Result<Value<'static>, Fault> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or(bytes);
        let (line, column) = line_and_column(&String::from_utf8_lossy(before), before.len());
        Fault { line, column, reason: "it is not UTF-8".to_owned() }
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // The whole is checked first, so that a fault has its place in the file; the parts then cannot fail to parse.
    let root: &RawValue = serde_json::from_str(text).map_err(|error| {
        let reason = error.to_string();
        let reason =
            reason.rfind(" at line ").and_then(|end| reason.get(..end)).unwrap_or(&reason).to_owned();
        Fault { line: error.line(), column: error.column().max(1), reason }
    })?;
    build(root, 0).map_err(|(at, reason)| {
        // Every raw part is a slice of the text.
        let offset = (at as usize).saturating_sub(text.as_ptr() as usize).min(text.len());
        let (line, column) = line_and_column(text, offset);
        Fault { line, column, reason }
    })
}

/// Line and column (in characters) of a byte in a text, counted from 1.
pub(crate) fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let column = before.get(start..).map_or(0, |line| line.chars().count());
    (before.matches('\n').count() + 1, column + 1)
}

/// The value of a raw part; on failure, where in memory the part begins, and why.
fn build(raw: &RawValue, depth: usize) -> Result<Value<'static>, (*const u8, String)> {
    let text = raw.get();
    let failed = |reason: String| (text.as_ptr(), reason);
    let parse_failed = |error: serde_json::Error| failed(error.to_string());
    if depth > NESTING_MAX {
        return Err(failed(format!("it is nested deeper than {NESTING_MAX} levels")));
    }
    Ok(match text.as_bytes().first() {
        Some(b'{') => {
            let members: Members<'_> = serde_json::from_str(text).map_err(parse_failed)?;
            let mut seen = std::collections::HashSet::new();
            let mut values = Vec::with_capacity(members.0.len());
            for (name, value) in members.0 {
                if !seen.insert(name.clone()) {
                    return Err((value.get().as_ptr(), format!("the object has two members named `{name}`")));
                }
                values.push((Cow::Owned(name), build(value, depth + 1)?));
            }
            Value::Object(values)
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).map_err(parse_failed)?;
            Value::List(items.into_iter().map(|item| build(item, depth + 1)).collect::<Result<_, _>>()?)
        }
        Some(b'"') => Value::Text(Cow::Owned(serde_json::from_str(text).map_err(parse_failed)?)),
        Some(b't') => Value::Boolean(true),
        Some(b'f') => Value::Boolean(false),
        Some(b'n') => Value::Null,
        _ => Value::Number(
            number(text).ok_or_else(|| failed(format!("the number `{text}` is beyond the largest float")))?,
        ),
    })
}

fn number(text: &str) -> Option<Number> {
    if !text.contains(['.', 'e', 'E']) {
        return Number::from_integer_text(text);
    }
    text.parse().ok().filter(|value: &f64| value.is_finite()).map(Number::Float)
}

/// The members of an object, in order, also repeated ones.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}
