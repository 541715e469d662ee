//! JSON with exact numbers: integers of any length stay integers, the rest is the nearest double.

use std::borrow::Cow;
use std::collections::HashMap;
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
    let (text, words) = without_words(text);
    // The whole is checked first, so that a fault has its place in the file; the parts then cannot fail to parse.
    let root: &RawValue = serde_json::from_str(&text).map_err(|error| {
        let reason = error.to_string();
        let reason =
            reason.rfind(" at line ").and_then(|end| reason.get(..end)).unwrap_or(&reason).to_owned();
        Fault { line: error.line(), column: error.column().max(1), reason }
    })?;
    // Every raw part is a slice of the text.
    let offset = |at: *const u8| (at as usize).saturating_sub(text.as_ptr() as usize).min(text.len());
    let word = |part: &RawValue| words.get(&offset(part.get().as_ptr())).copied();
    build(root, 0, &word).map_err(|(at, reason)| {
        let (line, column) = line_and_column(&text, offset(at));
        Fault { line, column, reason }
    })
}

/// Words that JSON has no number for, as other programs write them all the same.
const WORDS: &[(&str, f64)] =
    &[("NaN", f64::NAN), ("-Infinity", f64::NEG_INFINITY), ("Infinity", f64::INFINITY)];

/// The text with a zero and blanks in the place of each word for a number, and which word stood where.
fn without_words(text: &str) -> (Cow<'_, str>, HashMap<usize, f64>) {
    let mut words = HashMap::new();
    if !text.contains("NaN") && !text.contains("Infinity") {
        return (Cow::Borrowed(text), words);
    }
    let mut plain = String::with_capacity(text.len());
    let (mut quoted, mut escaped) = (false, false);
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let word = WORDS.iter().find(|(word, _)| !quoted && rest.starts_with(word));
        if let Some((word, value)) = word {
            words.insert(plain.len(), *value);
            plain.push('0');
            plain.push_str(&" ".repeat(word.len() - 1));
            rest = rest.get(word.len()..).unwrap_or_default();
            continue;
        }
        if letter == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = quoted && letter == '\\' && !escaped;
        plain.push(letter);
        rest = rest.get(letter.len_utf8()..).unwrap_or_default();
    }
    (Cow::Owned(plain), words)
}

/// Line and column (in characters) of a byte in a text, counted from 1.
pub(crate) fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let column = before.get(start..).map_or(0, |line| line.chars().count());
    (before.matches('\n').count() + 1, column + 1)
}

/// The value of a raw part; on failure, where in memory the part begins, and why.
///
/// `word`: the number that a part stands for when JSON has none for it.
fn build(
    raw: &RawValue,
    depth: usize,
    word: &dyn Fn(&RawValue) -> Option<f64>,
) -> Result<Value<'static>, (*const u8, String)> {
    let text = raw.get();
    let failed = |reason: String| (text.as_ptr(), reason);
    let parse_failed = |error: serde_json::Error| failed(error.to_string());
    if depth > NESTING_MAX {
        return Err(failed(format!("it is nested deeper than {NESTING_MAX} levels")));
    }
    if let Some(value) = word(raw) {
        return Ok(Value::Number(Number::Float(value)));
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
                values.push((Cow::Owned(name), build(value, depth + 1, word)?));
            }
            Value::Object(values)
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).map_err(parse_failed)?;
            Value::List(items.into_iter().map(|item| build(item, depth + 1, word)).collect::<Result<_, _>>()?)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_numbers_are_read_where_they_stand_for_numbers() {
        let text = r#"{"NaN": [NaN, -Infinity, 1], "a\"b": "Infinity"}"#;
        let value = read(text.as_bytes()).unwrap();
        assert_eq!(value.to_json().to_string(), r#"{"NaN":["NaN","-inf",1],"a\"b":"Infinity"}"#);
        let fault = read(b"[NaN,\nNaNs]").unwrap_err();
        assert_eq!((fault.line, fault.column), (2, 4));
    }
}
