//! YAML 1.2 (core schema) as a document; several documents in one file are a list.

use std::borrow::Cow;
use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, StrInput, Tag};

use super::allowance::{Exceeded, Meter};
use super::json::{Fault, NESTING_MAX};
use crate::value::{Number, Value};

/// How many values a document may have once its aliases are followed: a few lines of aliases could make billions.
const VALUES_MAX: usize = 10_000_000;

/// Reads a YAML stream. `None` when it holds no document at all.
pub(crate) fn read<'m>(text: &'m str, meter: &'m mut Meter) -> Result<Option<Value<'static>>, Fault> {
    let mut loader = Loader { events: Parser::new_from_str(text), anchors: HashMap::new(), values: 0, meter };
    let mut documents = Vec::new();
    loop {
        let (event, at) = loader.next()?;
        match event {
            Event::DocumentStart(_) => {
                let (event, at) = loader.next()?;
                documents.push(loader.build(event, at, 0)?);
            }
            Event::StreamEnd => break,
            Event::StreamStart | Event::DocumentEnd | Event::Nothing => {}
            _ => return Err(fault(at, "content outside of a document")),
        }
    }
    Ok(if documents.len() > 1 { Some(Value::List(documents)) } else { documents.pop() })
}

fn fault(at: Marker, reason: impl Into<String>) -> Fault {
    Fault::new(at.line(), at.col() + 1, reason)
}

struct Loader<'t> {
    events: Parser<'t, StrInput<'t>>,
    /// What each anchor stands for, and how many values that is.
    anchors: HashMap<usize, (Value<'static>, usize)>,
    values: usize,
    meter: &'t mut Meter,
}

impl<'t> Loader<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Marker), Fault> {
        match self.events.next_event() {
            Some(Ok((event, span))) => Ok((event, span.start)),
            Some(Err(error)) => Err(scan_fault(&error)),
            None => Ok((Event::StreamEnd, Marker::new(0, 1, 0))),
        }
    }

    fn count(&mut self, values: usize, at: Marker) -> Result<(), Fault> {
        self.values = self.values.saturating_add(values);
        if self.values > VALUES_MAX {
            return Err(fault(at, format!("it has more than {VALUES_MAX} values")));
        }
        Ok(())
    }

    /// Counts what a value takes, and what it is read through: twice its size while its list grows.
    fn hold(&mut self, value: &Value<'_>) -> Result<(), Fault> {
        self.meter.spend(2 * value.bytes()).map_err(|Exceeded| Fault::large())
    }

    fn build(&mut self, event: Event<'t>, at: Marker, depth: usize) -> Result<Value<'static>, Fault> {
        if depth > NESTING_MAX {
            return Err(fault(at, format!("it is nested deeper than {NESTING_MAX} levels")));
        }
        let before = self.values;
        self.count(1, at)?;
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = scalar(text, style, tag.as_deref(), at)?;
                self.hold(&value)?;
                (value, anchor)
            }
            Event::SequenceStart(anchor, _) => (self.sequence(depth)?, anchor),
            Event::MappingStart(anchor, _) => (self.mapping(depth)?, anchor),
            Event::Alias(anchor) => {
                let Some((value, values)) = self.anchors.get(&anchor).cloned() else {
                    return Err(fault(at, "an alias inside of what it stands for"));
                };
                self.count(values, at)?;
                self.hold(&value)?;
                return Ok(value);
            }
            _ => return Err(fault(at, "a value was expected")),
        };
        if anchor != 0 {
            self.hold(&value)?;
            self.anchors.insert(anchor, (value.clone(), self.values - before));
        }
        Ok(value)
    }

    fn sequence(&mut self, depth: usize) -> Result<Value<'static>, Fault> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::List(items)),
                (event, at) => items.push(self.build(event, at, depth + 1)?),
            }
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Value<'static>, Fault> {
        let mut members: Vec<(Cow<'static, str>, Value<'static>)> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        loop {
            let (event, at) = self.next()?;
            if event == Event::MappingEnd {
                return Ok(Value::Object(members));
            }
            let name = self.build(event, at, depth + 1)?.to_text();
            if !seen.insert(name.clone()) {
                return Err(fault(at, format!("the mapping has two members named `{name}`")));
            }
            let (event, at) = self.next()?;
            members.push((Cow::Owned(name), self.build(event, at, depth + 1)?));
        }
    }
}

fn scan_fault(error: &ScanError) -> Fault {
    fault(*error.marker(), error.info())
}

/// A scalar by the core schema (YAML 1.2.2, section 10.3.2): only a plain one, or one with a tag, is not text.
fn scalar(
    text: Cow<'_, str>,
    style: ScalarStyle,
    tag: Option<&Tag>,
    at: Marker,
) -> Result<Value<'static>, Fault> {
    let text = text.into_owned();
    let Some(tag) = tag.filter(|tag| tag.is_yaml_core_schema()) else {
        return Ok(match (style, tag) {
            (ScalarStyle::Plain, None) => plain(text),
            _ => Value::Text(Cow::Owned(text)),
        });
    };
    let number = |value: Option<Number>| {
        let value = value.ok_or_else(|| fault(at, format!("`{text}` is not of the type `!!{}`", tag.suffix)));
        value.map(Value::Number)
    };
    match tag.suffix.as_str() {
        "int" => number(integer(&text)),
        "float" => number(integer(&text).or_else(|| float(&text))),
        "bool" | "null" => Ok(plain(text)),
        _ => Ok(Value::Text(Cow::Owned(text))),
    }
}

fn plain(text: String) -> Value<'static> {
    match text.as_str() {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Boolean(true),
        "false" | "False" | "FALSE" => return Value::Boolean(false),
        _ => {}
    }
    match integer(&text).or_else(|| float(&text)) {
        Some(number) => Value::Number(number),
        None => Value::Text(Cow::Owned(text)),
    }
}

fn integer(text: &str) -> Option<Number> {
    let based = |digits: &str, base| i128::from_str_radix(digits, base).ok().map(Number::integer);
    let is_digits =
        |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if let Some(digits) = text.strip_prefix("0o") {
        return is_digits(digits).then(|| based(digits, 8)).flatten();
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return is_digits(digits).then(|| based(digits, 16)).flatten();
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Number::from_integer_text(text.strip_prefix('+').unwrap_or(text))
}

fn float(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    match unsigned {
        ".inf" | ".Inf" | ".INF" => return Some(Number::Float(sign * f64::INFINITY)),
        ".nan" | ".NaN" | ".NAN" if unsigned == text => return Some(Number::Float(f64::NAN)),
        _ => {}
    }
    let starts = unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    let digits = unsigned.bytes().any(|byte| byte.is_ascii_digit());
    let value: f64 = if starts && digits { text.parse().ok()? } else { return None };
    value.is_finite().then_some(Number::Float(value))
}
