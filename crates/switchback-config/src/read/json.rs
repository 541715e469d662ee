//! JSON → nodes.

use jsonc_parser::ast;
use jsonc_parser::common::Ranged as _;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use num_bigint::BigInt;

use super::{Fault, Finding, Places, Read};
use crate::value::{Entry, FileNumber, Node, Origin, Style, Value};

/// Deeper documents are refused: whatever walks them would run out of stack.
const NESTING_MAX: usize = 200;

pub(super) fn read(text: &str, file: FileNumber) -> Result<Read, Fault> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let places = Places::new(text);
    refuse_depth(text, &places)?;
    let options = ParseOptions {
        allow_comments: false,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: true,
        allow_extended_string_escapes: false,
    };
    let parsed = parse_to_ast(text, &CollectOptions::default(), &options).map_err(|error| {
        let at = error.range().start.min(text.len());
        Fault::at(places.line(at), places.column(at), error.kind().to_string())
    })?;
    let value = parsed.value.ok_or_else(|| Fault::whole("it is empty, which is no JSON"))?;
    let mut reader = Reader { text, places, file, findings: Vec::new() };
    let root = reader.node(value)?;
    Ok(Read { root, findings: reader.findings })
}

/// The parser goes down with the document, so its depth is looked at first.
fn refuse_depth(text: &str, places: &Places) -> Result<(), Fault> {
    let (mut depth, mut in_text, mut is_escaped) = (0_usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => depth += 1,
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > NESTING_MAX {
            let reason = format!("it is nested deeper than {NESTING_MAX} levels");
            return Err(Fault::at(places.line(at), places.column(at), reason));
        }
    }
    Ok(())
}

struct Reader<'t> {
    text: &'t str,
    places: Places,
    file: FileNumber,
    findings: Vec<Finding>,
}

impl Reader<'_> {
    fn origin(&self, at: usize) -> Origin {
        Origin { file: self.file, line: self.places.line(at) }
    }

    fn node(&mut self, value: ast::Value<'_>) -> Result<Node, Fault> {
        let at = value.range().start;
        let value = match value {
            ast::Value::NullKeyword(_) => Value::Null,
            ast::Value::BooleanLit(literal) => Value::Bool(literal.value),
            ast::Value::StringLit(literal) => {
                self.refuse_controls(literal.range.start, literal.range.end)?;
                Value::Text(literal.value.into_owned())
            }
            ast::Value::NumberLit(literal) => self.number(literal.value, at)?,
            ast::Value::Array(array) => {
                let items: Result<_, Fault> =
                    array.elements.into_iter().map(|item| self.node(item)).collect();
                Value::List(items?)
            }
            ast::Value::Object(object) => self.map(object)?,
        };
        Ok(Node::new(value, self.origin(at)))
    }

    /// Python's reader takes no control characters in a text.
    fn refuse_controls(&self, from: usize, to: usize) -> Result<(), Fault> {
        let Some(at) = self.text[from..to].bytes().position(|byte| byte < 0x20) else { return Ok(()) };
        let at = from + at;
        Err(Fault::at(self.places.line(at), self.places.column(at), "a control character stands in a text"))
    }

    fn number(&self, text: &str, at: usize) -> Result<Value, Fault> {
        let wrong = || Fault::at(self.places.line(at), self.places.column(at), "it is no number");
        match text {
            "NaN" => return Ok(Value::Float(f64::NAN)),
            "Infinity" => return Ok(Value::Float(f64::INFINITY)),
            "-Infinity" => return Ok(Value::Float(f64::NEG_INFINITY)),
            _ => {}
        }
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit() {
            return Err(wrong());
        }
        if digits.bytes().all(|byte| byte.is_ascii_digit()) {
            let number = BigInt::parse_bytes(text.as_bytes(), 10).ok_or_else(wrong)?;
            return Ok(Value::Integer(number));
        }
        text.parse().map(Value::Float).map_err(|_| wrong())
    }

    fn map(&mut self, object: ast::Object<'_>) -> Result<Value, Fault> {
        let mut entries: Vec<Entry> = Vec::new();
        for property in object.properties {
            let origin = self.origin(property.range.start);
            let name = property.name.range();
            self.refuse_controls(name.start, name.end)?;
            let name = property.name.into_string();
            let key = Node { style: Style::DoubleQuoted, ..Node::new(Value::Text(name.clone()), origin) };
            let node = self.node(property.value)?;
            entries.push(Entry { key, node });
        }
        let mut kept: Vec<Entry> = Vec::with_capacity(entries.len());
        let mut places = std::collections::HashMap::new();
        for entry in entries {
            let Value::Text(name) = &entry.key.value else { continue };
            match places.get(name) {
                None => {
                    places.insert(name.clone(), kept.len());
                    kept.push(entry);
                }
                Some(&known) => {
                    let known: &mut Entry = &mut kept[known];
                    let (first, again) = (known.key.origin, entry.key.origin);
                    self.findings.push(Finding::RepeatedKey { name: name.clone(), first, again });
                    known.node = entry.node;
                }
            }
        }
        Ok(Value::Map(kept))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Result<Value, String> {
        read(text, 0).map(|read| read.root.value).map_err(|fault| format!("{}:{}", fault.line, fault.reason))
    }

    #[test]
    fn numbers_keep_their_type_and_their_digits() {
        assert_eq!(value("1").unwrap(), Value::Integer(1.into()));
        assert_eq!(value("1.0").unwrap(), Value::Float(1.0));
        assert_eq!(value("1e3").unwrap(), Value::Float(1000.0));
        let long = "123456789012345678901234567890";
        assert_eq!(value(long).unwrap(), Value::Integer(long.parse().unwrap()));
        assert!(matches!(value("NaN").unwrap(), Value::Float(number) if number.is_nan()));
        assert!(value("01").is_err());
    }

    #[test]
    fn what_is_no_json_is_named_with_its_place() {
        for text in
            ["", "{", "{\"a\":1,}", "{a:1}", "'a'", "[1 2]", "// x\n1", "\"\n\"", &"[".repeat(100_000)]
        {
            assert!(value(text).is_err(), "{}", &text[..text.len().min(20)]);
        }
        assert!(value("{\n\"a\": 1,\n\"b\": }").unwrap_err().starts_with("3:"));
    }

    #[test]
    fn the_last_of_two_equal_keys_wins_and_both_are_named() {
        let read = read("{\"a\": 1,\n\"b\": 2,\n\"a\": 3}", 0).unwrap();
        let Value::Map(entries) = &read.root.value else { panic!() };
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[0].node.value, Value::Integer(3.into()));
        let [Finding::RepeatedKey { first, again, .. }] = &read.findings[..] else { panic!() };
        assert_eq!((first.line, again.line), (1, 3));
    }
}
