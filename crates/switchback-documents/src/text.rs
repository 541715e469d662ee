//! JSON text: read without losing a digit, refused where it says two things, and written as it was laid out.

use std::collections::HashSet;
use std::fmt::{self, Write as _};

use jaq_json::Val;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use crate::value::text_of;

/// Why a text is no JSON document, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TextError {
    /// Counted from 1.
    pub(crate) line: usize,
    /// Counted from 1, in bytes.
    pub(crate) column: usize,
    pub(crate) why: String,
}

/// Reads a document. Numbers keep all their digits.
///
/// # Errors
///
/// When it is not JSON as RFC 8259 has it, or names a member of an object twice.
pub(crate) fn read(bytes: &[u8]) -> Result<Val, TextError> {
    // One library is strict and says where; the other one keeps digits and is not strict.
    if let Err(error) = serde_json::from_slice::<Strict>(bytes) {
        let (line, column) = (error.line(), error.column());
        let told = error.to_string();
        let place = format!(" at line {line} column {column}");
        let mut why = told.strip_suffix(&place).unwrap_or(&told).to_owned();
        if let Some(word) = word_at(bytes, line, column) {
            why = format!("`{word}` is no JSON");
        }
        return Err(TextError { line, column, why });
    }
    jaq_json::read::parse_single(bytes).map_err(|error| TextError {
        line: 1,
        column: 1,
        why: error.to_string(),
    })
}

/// The words that writers of JSON are known to use where JSON has none.
fn word_at(bytes: &[u8], line: usize, column: usize) -> Option<&'static str> {
    let line = bytes.split(|byte| *byte == b'\n').nth(line.checked_sub(1)?)?;
    let from = column.saturating_sub("-Infinity".len() + 1).min(line.len());
    let near = String::from_utf8_lossy(line.get(from..)?);
    let near: String = near.chars().take(2 * "-Infinity".len()).collect();
    ["NaN", "-Infinity", "Infinity"].into_iter().find(|word| near.contains(word))
}

/// A value that is looked at and thrown away.
struct Strict;

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Look)
    }
}

struct Look;

impl<'de> Visitor<'de> for Look {
    type Value = Strict;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Strict, E> {
        Ok(Strict)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Strict, E> {
        Ok(Strict)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Strict, E> {
        Ok(Strict)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Strict, E> {
        Ok(Strict)
    }

    fn visit_str<E>(self, _: &str) -> Result<Strict, E> {
        Ok(Strict)
    }

    fn visit_unit<E>(self) -> Result<Strict, E> {
        Ok(Strict)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Strict, A::Error> {
        while items.next_element::<Strict>()?.is_some() {}
        Ok(Strict)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Strict, A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            if names.contains(&name) {
                return Err(A::Error::custom(format!("an object has the key `{name}` twice")));
            }
            names.insert(name);
            members.next_value::<Strict>()?;
        }
        Ok(Strict)
    }
}

/// How a document is laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a habit of whoever wrote the document")]
pub(crate) struct Layout {
    /// What one level is indented by; `None`: all on one line.
    indent: Option<String>,
    line_end: &'static str,
    space_after_comma: bool,
    space_after_colon: bool,
    /// Characters beyond ASCII are written as `\u…`.
    is_ascii: bool,
    ends_with_line_end: bool,
}

impl Layout {
    /// The layout of a document that was read.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let body = text.trim();
        let second = body.split_once('\n').map(|(_, rest)| rest.lines().next().unwrap_or_default());
        let indent = second.map(|line| {
            let width = line.len() - line.trim_start_matches([' ', '\t']).len();
            line.get(..width).unwrap_or_default().to_owned()
        });
        let marks = Marks::of(body);
        Self {
            indent,
            line_end,
            space_after_comma: marks.comma.unwrap_or(true),
            space_after_colon: marks.colon.unwrap_or(true),
            is_ascii: text.is_ascii() && text.contains("\\u"),
            ends_with_line_end: text.ends_with('\n'),
        }
    }

    /// The document as text. What is no JSON in it was refused before.
    pub(crate) fn write(&self, value: &Val) -> Vec<u8> {
        let mut text = String::new();
        self.value(value, 0, &mut text);
        if self.ends_with_line_end {
            text.push_str(self.line_end);
        }
        text.into_bytes()
    }

    fn value(&self, value: &Val, depth: usize, to: &mut String) {
        match value {
            Val::Null => to.push_str("null"),
            Val::Bool(flag) => to.push_str(if *flag { "true" } else { "false" }),
            Val::Num(number) => to.push_str(&number.to_string()),
            Val::TStr(_) | Val::BStr(_) => self.text(text_of(value).unwrap_or_default(), to),
            Val::Arr(items) => self.list(('[', ']'), items.iter(), depth, to, |item, to| {
                self.value(item, depth + 1, to);
            }),
            Val::Obj(members) => self.list(('{', '}'), members.iter(), depth, to, |(key, member), to| {
                self.text(text_of(key).unwrap_or_default(), to);
                to.push_str(if self.space_after_colon { ": " } else { ":" });
                self.value(member, depth + 1, to);
            }),
        }
    }

    fn list<T>(
        &self,
        (open, close): (char, char),
        items: impl ExactSizeIterator<Item = T>,
        depth: usize,
        to: &mut String,
        mut write: impl FnMut(T, &mut String),
    ) {
        to.push(open);
        let is_empty = items.len() == 0;
        for (index, item) in items.enumerate() {
            if index > 0 {
                to.push(',');
                if self.indent.is_none() && self.space_after_comma {
                    to.push(' ');
                }
            }
            self.line(depth + 1, to);
            write(item, to);
        }
        if !is_empty {
            self.line(depth, to);
        }
        to.push(close);
    }

    fn line(&self, depth: usize, to: &mut String) {
        if let Some(indent) = &self.indent {
            to.push_str(self.line_end);
            to.push_str(&indent.repeat(depth));
        }
    }

    fn text(&self, text: &str, to: &mut String) {
        let quoted = serde_json::Value::from(text).to_string();
        if !self.is_ascii {
            to.push_str(&quoted);
            return;
        }
        for letter in quoted.chars() {
            if letter.is_ascii() {
                to.push(letter);
                continue;
            }
            for unit in letter.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(to, "\\u{unit:04x}");
            }
        }
    }
}

/// Whether a space follows the first comma and the first colon that stand outside of texts.
#[derive(Debug, Default)]
struct Marks {
    comma: Option<bool>,
    colon: Option<bool>,
}

impl Marks {
    fn of(text: &str) -> Self {
        let mut marks = Self::default();
        let (mut in_text, mut is_escaped) = (false, false);
        let mut bytes = text.bytes().peekable();
        while let Some(byte) = bytes.next() {
            let next_is_space = bytes.peek() == Some(&b' ');
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' if in_text => is_escaped = true,
                b'"' => in_text = !in_text,
                b',' if !in_text && marks.comma.is_none() => marks.comma = Some(next_is_space),
                b':' if !in_text && marks.colon.is_none() => marks.colon = Some(next_is_space),
                _ => {}
            }
            if marks.comma.is_some() && marks.colon.is_some() {
                break;
            }
        }
        marks
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::value::{first_difference, to_json};

    #[test]
    fn a_document_comes_back_byte_by_byte_in_every_usual_layout() {
        for text in [
            "{\"a\": 1, \"b\": [1, 2.50, 1e5], \"c\": {}, \"d\": []}",
            "{\"a\":1,\"b\":[1,\"x\"]}\n",
            "{\n  \"a\": 1,\n  \"b\": [\n    \"é\",\n    null\n  ]\n}\n",
            "{\r\n\t\"a\": true\r\n}\r\n",
            "{\"\\u00e9\": \"\\ud83d\\ude00 \\\" \\\\ \\n\"}",
            "[\n1,\n2\n]",
            "123456789012345678901234567890.12345678901234567890",
            "{\"n\": 9007199254740993, \"m\": -0.0, \"k\": 123456789012345678901}",
        ] {
            let value = read(text.as_bytes()).unwrap();
            let written = Layout::of(text.as_bytes()).write(&value);
            assert_eq!(String::from_utf8(written).unwrap(), text);
        }
    }

    #[test]
    fn what_says_two_things_or_nothing_is_refused_with_its_place() {
        let told = |text: &str| {
            let error = read(text.as_bytes()).unwrap_err();
            format!("{}:{}: {}", error.line, error.column, error.why)
        };
        for (text, wanted) in [
            ("{\n  \"a\": 1,\n  \"a\": 2\n}", "3:5: an object has the key `a` twice"),
            ("{\"a\": {\"\\u0062\": 1, \"b\": 2}}", "1:23: an object has the key `b` twice"),
            ("{\"a\": NaN}", "1:7: `NaN` is no JSON"),
            ("{\"a\": -Infinity}", "1:8: `-Infinity` is no JSON"),
            ("", "1:0: EOF while parsing a value"),
            ("{\"a\": 1} {}", "1:10: trailing characters"),
            ("{\"a\": 1,}", "1:9: trailing comma"),
            ("{\"a\": 01}", "1:8: invalid number"),
            ("{\"a\": 1e999}", "1:11: number out of range"),
            ("# x\n{}", "1:1: expected value"),
        ] {
            assert_eq!(told(text), wanted, "{text}");
        }
        assert!(told(&format!("{}1{}", "[".repeat(500), "]".repeat(500))).contains("recursion limit"));
        assert!(read(b"\"\xff\"").is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_as_the_same(
            text in "[ -~é😀\\n\\t\"\\\\]{0,12}", whole in any::<i128>(), float in any::<f64>(), indent in 0_usize..4,
        ) {
            prop_assume!(float.is_finite());
            let source = serde_json::json!({text.clone(): [text, float]}).to_string();
            let source = format!("{{\"w\":{whole},\"x\":{source}}}");
            let value = read(source.as_bytes()).unwrap();
            let layout = Layout {
                indent: (indent > 0).then(|| " ".repeat(indent)),
                line_end: "\n", space_after_comma: true, space_after_colon: false, is_ascii: indent % 2 == 0,
                ends_with_line_end: true,
            };
            let again = read(&layout.write(&value)).unwrap();
            prop_assert_eq!(first_difference(&value, &again), None);
            prop_assert!(to_json(&again).is_ok());
        }
    }
}
