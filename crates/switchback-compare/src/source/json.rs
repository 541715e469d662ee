//! JSON with exact numbers: integers of any length stay integers, the rest is the nearest double.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserializer as _, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::allowance::{Exceeded, Meter};
use crate::value::{Number, Value};

/// Deeper nesting than this is refused.
pub(crate) const NESTING_MAX: usize = 128;

/// What is wrong with a document, and where. Lines and columns are counted from 1.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) reason: String,
    /// Nothing is wrong with it: it takes more memory than it may.
    pub(crate) is_large: bool,
}

impl Fault {
    pub(crate) fn new(line: usize, column: usize, reason: impl Into<String>) -> Self {
        Self { line, column, reason: reason.into(), is_large: false }
    }

    /// More memory is taken than may be.
    pub(crate) fn large() -> Self {
        Self { is_large: true, ..Self::new(1, 1, TOO_LARGE) }
    }
}

/// What a value costs beside its text: itself, and what it is read through.
///
/// The list of what it is read through grows by doubling.
const VALUE_BYTES: u64 = size_of::<Value<'_>>() as u64 + 3 * size_of::<&RawValue>() as u64;
/// What a member costs beside its value: its name, twice while it is looked for.
const MEMBER_BYTES: u64 = 4 * size_of::<String>() as u64 + 32;
/// How a list or an object ends that takes more memory than it may; no text of a document comes into such a message.
const TOO_LARGE: &str = "it takes more memory than is allowed";
/// How much of a wrong number is shown.
const SHOWN_MAX: usize = 60;

/// Reads one JSON document, whose values may take so much memory.
pub(crate) fn read(bytes: &[u8], meter: &mut Meter) -> Result<Value<'static>, Fault> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or(bytes);
        let (line, column) = line_and_column(&String::from_utf8_lossy(before), before.len());
        Fault::new(line, column, "it is not UTF-8")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (text, words) = without_words(text);
    // The whole is checked first, so that a fault has its place in the file; the parts then cannot fail to parse.
    let root: &RawValue = serde_json::from_str(&text).map_err(|error| {
        let reason = error.to_string();
        let reason =
            reason.rfind(" at line ").and_then(|end| reason.get(..end)).unwrap_or(&reason).to_owned();
        Fault::new(error.line(), error.column().max(1), reason)
    })?;
    // Every raw part is a slice of the text.
    let offset = |at: *const u8| (at as usize).saturating_sub(text.as_ptr() as usize).min(text.len());
    let word = |part: &RawValue| words.get(&offset(part.get().as_ptr())).copied();
    let mut builder = Builder { word: &word, meter };
    builder.build(root, 0).map_err(|wrong| match wrong {
        Wrong::Large => Fault::large(),
        Wrong::At(at, reason) => {
            let (line, column) = line_and_column(&text, offset(at));
            Fault::new(line, column, reason)
        }
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

/// Why a part of a document is no value.
enum Wrong {
    /// Where in memory the part begins, and the reason.
    At(*const u8, String),
    Large,
}

impl Wrong {
    /// The text was checked as a whole: a part fails only for want of memory, or in an escape.
    fn of(text: &str, error: &serde_json::Error) -> Self {
        let reason = error.to_string();
        if reason.starts_with(TOO_LARGE) { Self::Large } else { Self::At(text.as_ptr(), reason) }
    }
}

impl From<Exceeded> for Wrong {
    fn from(_: Exceeded) -> Self {
        Self::Large
    }
}

struct Builder<'b> {
    /// The number that a part stands for when JSON has none for it.
    word: &'b dyn Fn(&RawValue) -> Option<f64>,
    meter: &'b mut Meter,
}

impl Builder<'_> {
    fn build(&mut self, raw: &RawValue, depth: usize) -> Result<Value<'static>, Wrong> {
        let text = raw.get();
        let failed = |reason: String| Wrong::At(text.as_ptr(), reason);
        let parse_failed = |error: serde_json::Error| Wrong::of(text, &error);
        if depth > NESTING_MAX {
            return Err(failed(format!("it is nested deeper than {NESTING_MAX} levels")));
        }
        if let Some(value) = (self.word)(raw) {
            return Ok(Value::Number(Number::Float(value)));
        }
        Ok(match text.as_bytes().first() {
            Some(b'{') => self.object(text, depth)?,
            Some(b'[') => {
                let parts = Parts::<&RawValue> { meter: self.meter, parts: Vec::new() };
                let items = serde_json::Deserializer::from_str(text).deserialize_seq(parts);
                let items: Vec<&RawValue> = items.map_err(parse_failed)?;
                let mut values = Vec::with_capacity(items.len());
                for item in items {
                    values.push(self.build(item, depth + 1)?);
                }
                Value::List(values)
            }
            Some(b'"') => {
                self.meter.spend(text.len() as u64)?;
                Value::Text(Cow::Owned(serde_json::from_str(text).map_err(parse_failed)?))
            }
            Some(b't') => Value::Boolean(true),
            Some(b'f') => Value::Boolean(false),
            Some(b'n') => Value::Null,
            _ => Value::Number(number(text).ok_or_else(|| {
                let shown: String = text.chars().take(SHOWN_MAX).collect();
                let cut = if shown.len() < text.len() { "…" } else { "" };
                // An integer that is none has more digits than are read.
                let why =
                    if text.contains(['.', 'e', 'E']) { "beyond the largest float" } else { "too long" };
                failed(format!("the number `{shown}{cut}` is {why}"))
            })?),
        })
    }

    fn object(&mut self, text: &str, depth: usize) -> Result<Value<'static>, Wrong> {
        let parts = Parts::<(String, &RawValue)> { meter: self.meter, parts: Vec::new() };
        let members = serde_json::Deserializer::from_str(text).deserialize_map(parts);
        let members: Vec<(String, &RawValue)> = members.map_err(|error| Wrong::of(text, &error))?;
        let mut seen = std::collections::HashSet::with_capacity(members.len());
        for (name, value) in &members {
            if !seen.insert(name.as_str()) {
                let reason = format!("the object has two members named `{name}`");
                return Err(Wrong::At(value.get().as_ptr(), reason));
            }
        }
        drop(seen);
        let mut values = Vec::with_capacity(members.len());
        for (name, value) in members {
            values.push((Cow::Owned(name), self.build(value, depth + 1)?));
        }
        Ok(Value::Object(values))
    }
}

fn number(text: &str) -> Option<Number> {
    if !text.contains(['.', 'e', 'E']) {
        return Number::from_integer_text(text);
    }
    text.parse().ok().filter(|value: &f64| value.is_finite()).map(Number::Float)
}

/// The parts of a list or of an object, in order, also repeated ones; each is paid for before it is kept.
struct Parts<'m, T> {
    meter: &'m mut Meter,
    parts: Vec<T>,
}

impl<T> Parts<'_, T> {
    fn keep(&mut self, part: T, bytes: u64) -> Result<(), Exceeded> {
        self.meter.spend(bytes)?;
        self.parts.push(part);
        Ok(())
    }
}

impl<'de> Visitor<'de> for Parts<'_, &'de RawValue> {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Self::Value, A::Error> {
        while let Some(item) = items.next_element()? {
            self.keep(item, VALUE_BYTES).map_err(|Exceeded| A::Error::custom(TOO_LARGE))?;
        }
        Ok(self.parts)
    }
}

impl<'de> Visitor<'de> for Parts<'_, (String, &'de RawValue)> {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<Self::Value, A::Error> {
        while let Some((name, value)) = members.next_entry::<String, _>()? {
            let bytes = VALUE_BYTES + MEMBER_BYTES + name.len() as u64;
            self.keep((name, value), bytes).map_err(|Exceeded| A::Error::custom(TOO_LARGE))?;
        }
        Ok(self.parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_numbers_are_read_where_they_stand_for_numbers() {
        let text = r#"{"NaN": [NaN, -Infinity, 1], "a\"b": "Infinity"}"#;
        let value = read(text.as_bytes(), &mut Meter::new(10_000)).unwrap();
        assert_eq!(value.to_json().to_string(), r#"{"NaN":["NaN","-inf",1],"a\"b":"Infinity"}"#);
        let fault = read(b"[NaN,\nNaNs]", &mut Meter::new(10_000)).unwrap_err();
        assert_eq!((fault.line, fault.column), (2, 4));
        assert!(read(b"[1, 2, 3]", &mut Meter::new(100)).unwrap_err().is_large);
    }
}
