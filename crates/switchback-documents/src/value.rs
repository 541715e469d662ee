//! Values of a document, exactly: what of them is no JSON, where two differ, and which numbers no double holds.

use std::collections::BTreeMap;

use jaq_json::{Num, Val};
use serde_json::{Number, Value};

/// Documents that nest deeper are refused; the reader of JSON has the same limit.
pub(crate) const DEPTH_MAX: usize = 127;
/// Up to here, a double holds every whole number.
const EXACT_MAX: u64 = 1 << 53;

/// What of a value cannot be written as JSON: where, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) pointer: String,
    pub(crate) why: &'static str,
}

/// A step of a JSON pointer.
pub(crate) fn escaped(step: &str) -> String {
    step.replace('~', "~0").replace('/', "~1")
}

/// The text of a string value.
pub(crate) fn text_of(value: &Val) -> Option<&str> {
    match value {
        Val::TStr(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    }
}

/// The value for a schema. Numbers that no double holds are rounded to the nearest one: a schema cannot ask for more.
///
/// # Errors
///
/// When it holds what JSON cannot.
pub(crate) fn to_json(value: &Val) -> Result<Value, Fault> {
    json_at(value, &mut String::new(), 0)
}

fn json_at(value: &Val, at: &mut String, depth: usize) -> Result<Value, Fault> {
    let fault = |at: &str, why| Err(Fault { pointer: at.to_owned(), why });
    if depth > DEPTH_MAX {
        return fault(at, "it nests deeper than 127 levels");
    }
    Ok(match value {
        Val::Null => Value::Null,
        Val::Bool(flag) => Value::Bool(*flag),
        Val::Num(number) => match to_number(number) {
            Some(number) => Value::Number(number),
            None => return fault(at, "it is no finite number"),
        },
        Val::TStr(_) => match text_of(value) {
            Some(text) => Value::String(text.to_owned()),
            None => return fault(at, "its text is not UTF-8"),
        },
        Val::BStr(_) => return fault(at, "it is bytes"),
        Val::Arr(items) => {
            let mut list = Vec::with_capacity(items.len());
            for (index, item) in items.iter().enumerate() {
                list.push(within(at, &index.to_string(), |at| json_at(item, at, depth + 1))?);
            }
            Value::Array(list)
        }
        Val::Obj(members) => {
            let mut object = serde_json::Map::new();
            for (key, member) in members.iter() {
                let Some(key) = text_of(key) else { return fault(at, "a key of it is no text") };
                let member = within(at, key, |at| json_at(member, at, depth + 1))?;
                object.insert(key.to_owned(), member);
            }
            Value::Object(object)
        }
    })
}

fn within<T>(at: &mut String, step: &str, act: impl FnOnce(&mut String) -> T) -> T {
    let length = at.len();
    at.push('/');
    at.push_str(&escaped(step));
    let result = act(at);
    at.truncate(length);
    result
}

fn to_number(number: &Num) -> Option<Number> {
    match number {
        Num::Int(whole) => Some(Number::from(*whole)),
        Num::BigInt(_) | Num::Dec(_) => {
            let literal = number.to_string();
            let whole = literal.parse::<u64>().ok().map(Number::from);
            whole.or_else(|| literal.parse::<f64>().ok().and_then(Number::from_f64))
        }
        Num::Float(float) => Number::from_f64(*float),
    }
}

/// A number without its way of being written: sign, digits, and the power of ten of the last digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Plain {
    /// `1` and `1.0` are two types to a program that reads them.
    is_whole: bool,
    is_negative: bool,
    digits: String,
    exponent: i64,
}

impl Plain {
    fn of(number: &Num) -> Self {
        match number {
            Num::Int(_) | Num::BigInt(_) => Self::read(&number.to_string(), true),
            Num::Float(float) => Self::read(&format!("{float:e}"), false),
            Num::Dec(literal) => Self::read(literal, false),
        }
    }

    fn read(literal: &str, is_whole: bool) -> Self {
        let (is_negative, literal) = match literal.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, literal.trim_start_matches('+')),
        };
        let (number, exponent) = literal.split_once(['e', 'E']).unwrap_or((literal, "0"));
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let mut digits = format!("{whole}{fraction}").trim_start_matches('0').to_owned();
        // An exponent that is out of all bounds makes numbers that are told apart by their digits still.
        let exponent = exponent.trim_start_matches('+').parse::<i64>().unwrap_or(i64::from(i32::MAX));
        let mut exponent = exponent - i64::try_from(fraction.len()).unwrap_or(0);
        while digits.ends_with('0') {
            digits.pop();
            exponent += 1;
        }
        if digits.is_empty() {
            exponent = 0;
        }
        Self { is_whole, is_negative, digits, exponent }
    }
}

/// Whether a double does not hold it as it is written, or a whole number is larger than all that doubles hold.
fn is_long(number: &Num) -> bool {
    match number {
        Num::Int(whole) => whole.unsigned_abs() as u64 > EXACT_MAX,
        Num::BigInt(_) => true,
        Num::Float(_) => false,
        Num::Dec(literal) => match literal.parse::<f64>() {
            Ok(nearest) => Plain::of(number) != Plain::read(&format!("{nearest:e}"), false),
            Err(_) => true,
        },
    }
}

/// Where a number that no double holds stands in `old` and is not in `new` as it was, wherever that may be.
pub(crate) fn lost_number(old: &Val, new: &Val) -> Option<String> {
    let mut left: BTreeMap<Plain, usize> = BTreeMap::new();
    each_number(new, &mut String::new(), &mut |_, number| {
        if is_long(number) {
            *left.entry(Plain::of(number)).or_default() += 1;
        }
    });
    let mut lost = None;
    each_number(old, &mut String::new(), &mut |at, number| {
        if !is_long(number) {
            return;
        }
        match left.get_mut(&Plain::of(number)) {
            Some(count) if *count > 0 => *count -= 1,
            _ => {
                lost.get_or_insert_with(|| at.to_owned());
            }
        }
    });
    lost
}

fn each_number(value: &Val, at: &mut String, tell: &mut dyn FnMut(&str, &Num)) {
    match value {
        Val::Num(number) => tell(at, number),
        Val::Arr(items) => {
            for (index, item) in items.iter().enumerate() {
                within(at, &index.to_string(), |at| each_number(item, at, tell));
            }
        }
        Val::Obj(members) => {
            for (key, member) in members.iter() {
                within(at, text_of(key).unwrap_or_default(), |at| each_number(member, at, tell));
            }
        }
        _ => {}
    }
}

/// Where two values differ first: a JSON pointer. The order of members is no difference, `1` and `1.0` are one.
pub(crate) fn first_difference(old: &Val, new: &Val) -> Option<String> {
    let mut at = String::new();
    differs(old, new, &mut at).then_some(at)
}

/// Leaves `at` at the difference.
fn differs(old: &Val, new: &Val, at: &mut String) -> bool {
    let length = at.len();
    let mut step = |name: &str, one: Option<&Val>, other: Option<&Val>| {
        at.push('/');
        at.push_str(&escaped(name));
        let is_different = match (one, other) {
            (Some(one), Some(other)) => differs(one, other, at),
            _ => true,
        };
        if !is_different {
            at.truncate(length);
        }
        is_different
    };
    match (old, new) {
        (Val::Null, Val::Null) => false,
        (Val::Bool(one), Val::Bool(other)) => one != other,
        (Val::Num(one), Val::Num(other)) => Plain::of(one) != Plain::of(other),
        (Val::TStr(one), Val::TStr(other)) => one != other,
        (Val::Arr(one), Val::Arr(other)) => (0..one.len().max(other.len()))
            .any(|index| step(&index.to_string(), one.get(index), other.get(index))),
        (Val::Obj(one), Val::Obj(other)) => {
            let gone = one
                .iter()
                .any(|(key, member)| step(text_of(key).unwrap_or_default(), Some(member), other.get(key)));
            gone || other
                .iter()
                .filter(|(key, _)| !one.contains_key(*key))
                .any(|(key, member)| step(text_of(key).unwrap_or_default(), None, Some(member)))
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Val {
        jaq_json::read::parse_single(text.as_bytes()).unwrap()
    }

    #[test]
    fn differences_are_exact_and_have_a_place() {
        for (one, other) in [
            ("{\"a\":1,\"b\":[1.50]}", "{\"b\":[15e-1],\"a\":1}"),
            ("9007199254740993", "9007199254740993"),
            ("0.10", "0.1"),
            ("[]", "[]"),
        ] {
            assert_eq!(first_difference(&value(one), &value(other)), None, "{one} {other}");
        }
        for (one, other, at) in [
            ("9007199254740993", "9007199254740992", ""),
            ("0.12345678901234567890", "0.12345678901234567", ""),
            ("{\"a\":{\"x/y\":[0,1]}}", "{\"a\":{\"x/y\":[0,2]}}", "/a/x~1y/1"),
            ("{\"a\":1}", "{\"a\":1.0}", "/a"),
            ("{\"a\":1}", "{\"a\":1,\"b\":null}", "/b"),
            ("[1,2]", "[1]", "/1"),
            ("null", "false", ""),
            ("-0.0", "0.0", ""),
        ] {
            assert_eq!(first_difference(&value(one), &value(other)).as_deref(), Some(at), "{one} {other}");
        }
    }

    #[test]
    fn numbers_that_no_double_holds_are_known() {
        let lost = |old: &str, new: &str| lost_number(&value(old), &value(new));
        let kept = ["[1, 2.5, 0.30000000000000004, 1e300, 9007199254740992]", "[100000000000000000000.0]"];
        for text in kept {
            assert_eq!(lost(text, "null"), None, "{text}");
        }
        for text in
            ["9007199254740993", "-9007199254740993", "0.1234567890123456789", "123456789012345678901"]
        {
            assert_eq!(lost(&format!("{{\"a\":[{text}]}}"), "null").as_deref(), Some("/a/0"), "{text}");
            assert_eq!(lost(&format!("{{\"a\":[{text}]}}"), &format!("[[{text}]]")), None, "{text}");
        }
        // Two of them, and only one is left.
        assert_eq!(lost("[9007199254740993,9007199254740993]", "[9007199254740993]").as_deref(), Some("/1"));
    }

    #[test]
    fn what_json_cannot_hold_is_found_with_its_place() {
        let fault = |text| to_json(&value(text)).unwrap_err();
        assert_eq!(fault("{\"a\":[NaN]}").pointer, "/a/0");
        assert_eq!(fault("{\"a\":b\"x\"}").why, "it is bytes");
        assert_eq!(fault("{1:2}").why, "a key of it is no text");
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        assert!(fault(&deep).why.starts_with("it nests"));
        assert_eq!(
            to_json(&value("[1,2.5,18446744073709551615]")).unwrap().to_string(),
            "[1,2.5,18446744073709551615]"
        );
    }
}
