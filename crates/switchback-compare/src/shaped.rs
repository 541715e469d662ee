//! A new result as the old function returned it: the forms of a `[[call]]` of a mapping, carried out on a document.
//!
//! Shims carry out the same forms in Python; what Python does with a value is what is done here.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::DateTime;
use switchback_core::mapping::{Call, Form, Step, ValuePath};
use switchback_core::plan::Scalar;

use crate::value::{Number, Value};

/// A longer range is no list of years.
const RANGE_MAX: i128 = 1_000_000;
/// Python's times have no more digits.
const NS_PER_MICROSECOND: i128 = 1_000;
const MICROSECONDS: f64 = 1e6;
/// Nanoseconds in a millisecond.
const NS_PER_MS: i128 = 1_000_000;

/// The old result, made of the new one.
///
/// # Errors
///
/// When the new result has not what it is made of; then why not, without its values.
pub(crate) fn shaped(call: &Call, new: &Value<'static>) -> Result<Value<'static>, String> {
    let mut members = Vec::new();
    for (name, form) in &call.result {
        let value =
            made(form, new).map_err(|why| format!("`{name}` of the old result cannot be made: {why}"))?;
        let steps: Vec<&str> = name.split('.').collect();
        put(&mut members, &steps, value);
    }
    Ok(Value::Object(members))
}

/// Puts a value into an object, and objects into it on the way.
fn put(members: &mut Vec<(Cow<'static, str>, Value<'static>)>, steps: &[&str], value: Value<'static>) {
    let Some((name, rest)) = steps.split_first() else { return };
    if rest.is_empty() {
        members.push((Cow::Owned((*name).to_owned()), value));
        return;
    }
    if !members.iter().any(|(other, _)| other == name) {
        members.push((Cow::Owned((*name).to_owned()), Value::Object(Vec::new())));
    }
    if let Some((_, Value::Object(inner))) = members.iter_mut().find(|(other, _)| other == name) {
        put(inner, rest, value);
    }
}

fn made(form: &Form, new: &Value<'static>) -> Result<Value<'static>, String> {
    Ok(match form {
        Form::At(path) => at(new, path)?.clone(),
        Form::First(path, rest) => then(item(at(new, path)?, 0, path)?, rest.as_ref())?,
        Form::Last(path, rest) => then(item(at(new, path)?, -1, path)?, rest.as_ref())?,
        Form::Range(start, end) => {
            let (first, last) = (whole(new, start)?, whole(new, end)?);
            if last.checked_sub(first).is_none_or(|span| span > RANGE_MAX) {
                return Err(format!("the range from `{start}` to `{end}` has more than {RANGE_MAX} numbers"));
            }
            Value::List((first..=last).map(|number| Value::Number(Number::integer(number))).collect())
        }
        Form::Difference(later, earlier) => {
            difference((at(new, later)?, later), (at(new, earlier)?, earlier))?
        }
        Form::Constant(Scalar::Text(text)) => Value::Text(Cow::Owned(text.clone())),
        Form::Constant(Scalar::Truth(truth)) => Value::Boolean(*truth),
        Form::Constant(Scalar::Number(number)) => {
            let whole = Number::from_integer_text(number.trim_start_matches('+'));
            let number = whole.or_else(|| number.parse().ok().map(Number::Float));
            Value::Number(number.ok_or("the constant is no number")?)
        }
    })
}

fn then(value: &Value<'static>, rest: Option<&ValuePath>) -> Result<Value<'static>, String> {
    match rest {
        Some(path) => Ok(at(value, path)?.clone()),
        None => Ok(value.clone()),
    }
}

fn at<'v>(value: &'v Value<'static>, path: &ValuePath) -> Result<&'v Value<'static>, String> {
    let mut here = value;
    for step in &path.0 {
        here = match (here, step) {
            (Value::Object(_), Step::Name(name)) => member(here, name, path)?,
            (Value::Object(_), Step::Item(index)) => member(here, &index.to_string(), path)?,
            (_, Step::Item(index)) => item(here, *index, path)?,
            (_, Step::Name(name)) => {
                return Err(format!("`{name}` of `{path}` is sought in what is no object"));
            }
        };
    }
    Ok(here)
}

fn member<'v>(value: &'v Value<'static>, name: &str, path: &ValuePath) -> Result<&'v Value<'static>, String> {
    let Value::Object(members) = value else {
        return Err(format!("`{path}` leads through what is no object"));
    };
    let found = members.iter().find(|(other, _)| other == name).map(|(_, value)| value);
    found.ok_or_else(|| format!("the new result has no `{name}` for `{path}`"))
}

fn item<'v>(value: &'v Value<'static>, index: i64, path: &ValuePath) -> Result<&'v Value<'static>, String> {
    let Value::List(items) = value else { return Err(format!("`{path}` is no list")) };
    let place = if index < 0 {
        usize::try_from(index.unsigned_abs()).ok().and_then(|back| items.len().checked_sub(back))
    } else {
        usize::try_from(index).ok()
    };
    place.and_then(|place| items.get(place)).ok_or_else(|| format!("the list `{path}` has no item {index}"))
}

fn whole(value: &Value<'static>, path: &ValuePath) -> Result<i128, String> {
    match at(value, path)? {
        Value::Number(Number::Decimal { mantissa, scale: 0 }) => Ok(*mantissa),
        _ => Err(format!("`{path}` is no whole number")),
    }
}

type Placed<'v, 'p> = (&'v Value<'static>, &'p ValuePath);

fn difference(
    (later, to): Placed<'_, '_>,
    (earlier, from): Placed<'_, '_>,
) -> Result<Value<'static>, String> {
    if let (Value::Number(later), Value::Number(earlier)) = (later, earlier) {
        return less(later, earlier)
            .map(Value::Number)
            .ok_or_else(|| format!("the difference of `{to}` and `{from}` is too large"));
    }
    let time = |value: &Value<'static>, path: &ValuePath| {
        moment(value).ok_or_else(|| format!("`{path}` is neither a time nor a number"))
    };
    let ((later, later_is_zoned), (earlier, earlier_is_zoned)) = (time(later, to)?, time(earlier, from)?);
    if later_is_zoned != earlier_is_zoned {
        return Err(format!("of `{to}` and `{from}` one has a time zone and the other one has not"));
    }
    #[expect(clippy::cast_precision_loss, reason = "Python divides the same two numbers")]
    let seconds = (later - earlier) as f64 / MICROSECONDS;
    Ok(Value::Number(Number::Float(seconds)))
}

fn less(later: &Number, earlier: &Number) -> Option<Number> {
    if let (Number::Decimal { mantissa: one, scale: 0 }, Number::Decimal { mantissa: other, scale: 0 }) =
        (later, earlier)
    {
        return one.checked_sub(*other).map(Number::integer);
    }
    Some(Number::Float(later.nearest()? - earlier.nearest()?))
}

/// Microseconds since 1970, and whether it is an instant. Text is read as ISO 8601.
fn moment(value: &Value<'static>) -> Option<(i128, bool)> {
    let (ns, is_zoned) = match value {
        Value::Instant { ns, zoned } => (*ns, *zoned),
        Value::Date(ms) => (i128::from(*ms) * NS_PER_MS, false),
        Value::Text(text) => {
            let instant = text.parse::<Timestamp>().map(|instant| (instant.as_nanosecond(), true));
            instant.ok().or_else(|| Some((wall_clock(text)?, false)))?
        }
        _ => return None,
    };
    Some((ns.div_euclid(NS_PER_MICROSECOND), is_zoned))
}

/// Nanoseconds from 1970-01-01 on a clock without a zone.
fn wall_clock(text: &str) -> Option<i128> {
    let read = text.parse::<DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(read.timestamp().as_nanosecond())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use switchback_core::mapping::read;

    use super::*;

    fn value(json: &serde_json::Value) -> Value<'static> {
        use serde_json::Value as Json;
        match json {
            Json::Null => Value::Null,
            Json::Bool(truth) => Value::Boolean(*truth),
            Json::Number(number) => Value::Number(
                Number::from_integer_text(&number.to_string())
                    .unwrap_or_else(|| Number::Float(number.as_f64().unwrap())),
            ),
            Json::String(text) => Value::Text(Cow::Owned(text.clone())),
            Json::Array(items) => Value::List(items.iter().map(value).collect()),
            Json::Object(members) => Value::Object(
                members.iter().map(|(name, one)| (Cow::Owned(name.clone()), value(one))).collect(),
            ),
        }
    }

    fn check(result: &str, new: &serde_json::Value, wanted: &serde_json::Value) {
        let text = format!("version = 1\n[[call]]\nof = \"a.f\"\nresult = {{ {result} }}\n");
        let mapping = read(Path::new("m.toml"), &text).unwrap();
        let said = match shaped(&mapping.calls[0], &value(new)) {
            Ok(old) => old.to_json(),
            Err(why) => serde_json::json!(why),
        };
        assert_eq!(said, *wanted, "{result} {new}");
    }

    #[test]
    fn each_form_makes_what_python_makes() {
        let new = serde_json::json!({
            "start": 2025, "end": 2027, "rows": [{"n": 1}, {"n": 5}], "deep": {"a": {"b": 0.25}}, "2025": "x", "empty": [],
            "t1": "2025-01-01T00:00:00", "t2": "2025-01-02 00:00:01.5", "z1": "2025-01-01T00:00:00Z",
            "z2": "2025-01-01T02:00:00+01:00", "day": "2025-01-01", "f": 1.5,
        });
        for (result, wanted) in [
            ("o = { range = [\"start\", \"end\"] }", serde_json::json!({"o": [2025, 2026, 2027]})),
            ("o = { range = [\"end\", \"start\"] }", serde_json::json!({"o": []})),
            ("o = { last = \"rows\", path = \"n\" }", serde_json::json!({"o": 5})),
            ("o = { first = \"rows\" }", serde_json::json!({"o": {"n": 1}})),
            ("o = \"rows.-2.n\"", serde_json::json!({"o": 1})),
            ("o = \"2025\"", serde_json::json!({"o": "x"})),
            ("\"a.b\" = \"deep.a.b\", \"a.c\" = \"start\"", serde_json::json!({"a": {"b": 0.25, "c": 2025}})),
            ("o = { difference = [\"t2\", \"t1\"] }", serde_json::json!({"o": 86401.5})),
            ("o = { difference = [\"z2\", \"z1\"] }", serde_json::json!({"o": 3600.0})),
            ("o = { difference = [\"day\", \"t2\"] }", serde_json::json!({"o": -86401.5})),
            ("o = { difference = [\"end\", \"start\"] }", serde_json::json!({"o": 2})),
            ("o = { difference = [\"end\", \"f\"] }", serde_json::json!({"o": 2025.5})),
            (
                "o = { constant = 3 }, p = { constant = true }, q = { constant = \"x\" }, r = { constant = 0.5 }",
                serde_json::json!({"o": 3, "p": true, "q": "x", "r": 0.5}),
            ),
        ] {
            check(result, &new, &wanted);
        }
        for (result, why) in [
            ("o = { last = \"empty\" }", "the list `empty` has no item -1"),
            ("o = { last = \"deep\" }", "`deep` is no list"),
            ("o = \"deep.x\"", "the new result has no `x` for `deep.x`"),
            ("o = \"start.x\"", "`x` of `start.x` is sought in what is no object"),
            ("o = { range = [\"start\", \"f\"] }", "`f` is no whole number"),
            (
                "o = { difference = [\"z1\", \"t1\"] }",
                "of `z1` and `t1` one has a time zone and the other one has not",
            ),
            ("o = { difference = [\"deep\", \"t1\"] }", "`deep` is neither a time nor a number"),
        ] {
            check(result, &new, &serde_json::json!(format!("`o` of the old result cannot be made: {why}")));
        }
    }
}
