//! What a scalar stands for: the resolvers and constructors of PyYAML 6 (YAML 1.1, <https://yaml.org/type/>) and of
//! ruamel.yaml (YAML 1.2, section 10.3, with the underscores and time stamps that it keeps from 1.1).

use num_bigint::BigInt;
use num_traits::Zero;

use super::Loader;
use crate::value::Value;

/// What a plain scalar stands for, or why the loader refuses it.
pub(crate) fn plain(text: &str, loader: Loader) -> Result<Value, String> {
    let Some(first) = text.chars().next() else { return Ok(Value::Null) };
    if matches!(text, "~" | "null" | "Null" | "NULL") {
        return Ok(Value::Null);
    }
    if let Some(flag) = boolean(text, loader) {
        return Ok(Value::Bool(flag));
    }
    if !(first.is_ascii_digit() || matches!(first, '-' | '+' | '.')) {
        if matches!(text, "=" | "<<") {
            return Err(format!("the loader has no value for a plain `{text}`"));
        }
        return Ok(Value::Text(text.to_owned()));
    }
    if is_float(text, loader) {
        return float(text);
    }
    if is_integer(text, loader) {
        return integer(text, loader);
    }
    if let Some(stamp) = timestamp(text)? {
        return Ok(stamp);
    }
    Ok(Value::Text(text.to_owned()))
}

fn boolean(text: &str, loader: Loader) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ if loader == Loader::Ruamel => None,
        "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

/// What a scalar with a tag of the standard stands for.
pub(crate) fn tagged(tag: &str, text: &str, loader: Loader) -> Result<Value, String> {
    let not = |what: &str| format!("it is no {what}");
    match tag {
        "str" => Ok(Value::Text(text.to_owned())),
        "null" => Ok(Value::Null),
        "bool" => match text.to_lowercase().as_str() {
            "yes" | "true" | "on" => Ok(Value::Bool(true)),
            "no" | "false" | "off" => Ok(Value::Bool(false)),
            _ => Err(not("boolean")),
        },
        "int" => integer(text, loader),
        "float" => float(text),
        "timestamp" => timestamp(text)?.ok_or_else(|| not("timestamp")),
        "binary" => binary(text).ok_or_else(|| not("base64")),
        other => Err(format!("the loader knows no tag `!!{other}`")),
    }
}

fn binary(text: &str) -> Option<Value> {
    use base64::Engine as _;
    let packed: String = text.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
    base64::engine::general_purpose::STANDARD.decode(packed).ok().map(Value::Bytes)
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['-', '+']).unwrap_or(text)
}

fn all(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    text.bytes().all(|byte| byte == b'_' || allowed(byte))
}

fn is_exponent(text: &str, sign_needed: bool) -> bool {
    let Some(power) = text.strip_prefix(['e', 'E']) else { return text.is_empty() };
    let digits = power.strip_prefix(['-', '+']);
    let digits = if sign_needed { digits } else { Some(digits.unwrap_or(power)) };
    digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_float(text: &str, loader: Loader) -> bool {
    let body = unsigned(text);
    if matches!(body, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let (number, exponent) = match body.find(['e', 'E']) {
        Some(at) => body.split_at(at),
        None => (body, ""),
    };
    let digits = |text: &str| all(text, |byte| byte.is_ascii_digit());
    match number.split_once('.') {
        // `.5`: in 1.1 without a sign, and without an underscore behind the point.
        Some(("", fraction)) => {
            let begins = fraction
                .bytes()
                .next()
                .is_some_and(|byte| byte.is_ascii_digit() || loader == Loader::Ruamel && byte == b'_');
            (body == text || loader == Loader::Ruamel)
                && begins
                && digits(fraction)
                && is_exponent(exponent, true)
        }
        Some((whole, fraction)) => {
            let starts = whole.starts_with(|letter: char| letter.is_ascii_digit());
            if starts && digits(whole) && digits(fraction) && is_exponent(exponent, loader == Loader::PyYaml)
            {
                return true;
            }
            loader == Loader::PyYaml && exponent.is_empty() && digits(fraction) && is_sexagesimal(whole)
        }
        None => {
            loader == Loader::Ruamel
                && !exponent.is_empty()
                && number.starts_with(|letter: char| letter.is_ascii_digit())
                && digits(number)
                && is_exponent(exponent, false)
        }
    }
}

/// Digits, then groups of up to 59 behind colons.
fn is_sexagesimal(text: &str) -> bool {
    let mut groups = text.split(':');
    let first = groups.next().unwrap_or_default();
    let mut count = 0;
    let are_sixties = groups.all(|group| {
        count += 1;
        let digits = group.as_bytes();
        match digits {
            [unit] => unit.is_ascii_digit(),
            [tens, unit] => (b'0'..=b'5').contains(tens) && unit.is_ascii_digit(),
            _ => false,
        }
    });
    count > 0
        && are_sixties
        && first.starts_with(|letter: char| letter.is_ascii_digit())
        && all(first, |byte| byte.is_ascii_digit())
}

fn is_integer(text: &str, loader: Loader) -> bool {
    let body = unsigned(text);
    let based = |prefix: &str, allowed: fn(u8) -> bool| {
        body.strip_prefix(prefix).is_some_and(|digits| !digits.is_empty() && all(digits, allowed))
    };
    if based("0b", |byte| matches!(byte, b'0' | b'1')) || based("0x", |byte| byte.is_ascii_hexdigit()) {
        return true;
    }
    let is_octal_digit = |byte| matches!(byte, b'0'..=b'7');
    match loader {
        Loader::Ruamel => {
            based("0o", is_octal_digit) || !body.is_empty() && all(body, |byte| byte.is_ascii_digit())
        }
        Loader::PyYaml => {
            let starts = |digits: std::ops::RangeInclusive<char>| {
                body.starts_with(|letter: char| digits.contains(&letter))
            };
            body == "0"
                || based("0", is_octal_digit)
                || starts('1'..='9') && all(body, |byte| byte.is_ascii_digit())
                || starts('1'..='9') && is_sexagesimal(body)
        }
    }
}

fn integer(text: &str, loader: Loader) -> Result<Value, String> {
    let not = || "it looks like an integer, and the loader cannot read it as one".to_owned();
    let packed = text.replace('_', "");
    let (is_negative, body) = match packed.strip_prefix('-') {
        Some(body) => (true, body),
        None => (false, packed.strip_prefix('+').unwrap_or(&packed)),
    };
    let parse = |digits: &str, radix| BigInt::parse_bytes(digits.as_bytes(), radix).ok_or_else(not);
    let number = if body == "0" {
        BigInt::zero()
    } else if let Some(digits) = body.strip_prefix("0b") {
        parse(digits, 2)?
    } else if let Some(digits) = body.strip_prefix("0x") {
        parse(digits, 16)?
    } else if let Some(digits) = body.strip_prefix("0o").filter(|_| loader == Loader::Ruamel) {
        parse(digits, 8)?
    } else if let Some(digits) = body.strip_prefix('0').filter(|_| loader == Loader::PyYaml) {
        parse(digits, 8)?
    } else if loader == Loader::PyYaml && body.contains(':') {
        let mut sum = BigInt::zero();
        for group in body.split(':') {
            sum = sum * 60 + parse(group, 10)?;
        }
        sum
    } else {
        parse(body, 10)?
    };
    Ok(Value::Integer(if is_negative { -number } else { number }))
}

fn float(text: &str) -> Result<Value, String> {
    let not = || "it is no number".to_owned();
    let packed = text.replace('_', "").to_lowercase();
    let (sign, body) = match packed.strip_prefix('-') {
        Some(body) => (-1.0, body),
        None => (1.0, packed.strip_prefix('+').unwrap_or(&packed)),
    };
    let number = match body {
        ".inf" => f64::INFINITY,
        ".nan" => f64::NAN,
        body if body.contains(':') => {
            let groups: Result<Vec<f64>, _> = body.split(':').map(str::parse::<f64>).collect();
            let mut base = 1.0;
            groups.map_err(|_| not())?.into_iter().rev().fold(0.0, |sum, group| {
                let sum = sum + group * base;
                base *= 60.0;
                sum
            })
        }
        // What Python's `float` takes and Rust's does not, or the other way round, never gets here but by a tag.
        body if body.starts_with(|letter: char| letter.is_ascii_digit() || letter == '.') => {
            body.parse::<f64>().map_err(|_| not())?
        }
        _ => return Err(not()),
    };
    Ok(Value::Float(sign * number))
}

/// `2001-12-14`, `2001-12-14t21:59:43.10-05:00`, `2001-12-14 21:59:43.10 -5`. `None`: it is written in another way.
fn timestamp(text: &str) -> Result<Option<Value>, String> {
    let Some(parts) = stamp_parts(text) else { return Ok(None) };
    let wrong = || "it is written like a day that there is not".to_owned();
    let in_range = |part: &str, range: std::ops::RangeInclusive<u32>| {
        part.parse().ok().filter(|number| range.contains(number)).ok_or_else(wrong)
    };
    let (year, month) = (in_range(parts.year, 1..=9999)?, in_range(parts.month, 1..=12)?);
    let day = in_range(parts.day, 1..=days_of(year, month))?;
    let date = format!("{year:04}-{month:02}-{day:02}");
    let Some(time) = parts.time else { return Ok(Some(Value::Date(date))) };
    let (hour, minute) = (in_range(time.hour, 0..=23)?, in_range(time.minute, 0..=59)?);
    let second = in_range(time.second, 0..=59)?;
    // Python keeps microseconds; digits behind them are cut off.
    let micros: String = time.fraction.chars().chain("000000".chars()).take(6).collect();
    let zone = match time.zone {
        None => String::new(),
        Some((_, "Z", _)) => "+00:00".to_owned(),
        Some((sign, hours, minutes)) => {
            let (hours, minutes) = (in_range(hours, 0..=23)?, in_range(minutes, 0..=59)?);
            let sign = if hours == 0 && minutes == 0 { '+' } else { sign };
            format!("{sign}{hours:02}:{minutes:02}")
        }
    };
    Ok(Some(Value::Time(format!("{date}T{hour:02}:{minute:02}:{second:02}.{micros}{zone}"))))
}

fn days_of(year: u32, month: u32) -> u32 {
    let is_leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

struct StampParts<'t> {
    year: &'t str,
    month: &'t str,
    day: &'t str,
    time: Option<TimeParts<'t>>,
}

struct TimeParts<'t> {
    hour: &'t str,
    minute: &'t str,
    second: &'t str,
    fraction: &'t str,
    /// Sign, hours, minutes; `Z` for hours stands for itself.
    zone: Option<(char, &'t str, &'t str)>,
}

fn stamp_parts(text: &str) -> Option<StampParts<'_>> {
    let is_number = |part: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    let (date, rest) = match text.find(['t', 'T', ' ', '\t']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let lengths = if rest.is_empty() { 2..=2 } else { 1..=2 };
    if parts.next().is_some()
        || !is_number(year, 4..=4)
        || !is_number(month, lengths.clone())
        || !is_number(day, lengths)
    {
        return None;
    }
    if rest.is_empty() {
        return Some(StampParts { year, month, day, time: None });
    }
    let clock = match rest.strip_prefix(['t', 'T']) {
        Some(clock) => clock,
        None => rest.trim_start_matches([' ', '\t']),
    };
    let (hour, clock) = clock.split_once(':')?;
    let (minute, clock) = clock.split_once(':')?;
    let (second, clock) = clock.split_at_checked(2)?;
    let (fraction, clock) = match clock.strip_prefix('.') {
        Some(after) => {
            let end = after.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(after.len());
            after.split_at(end)
        }
        None => ("", clock),
    };
    let are_numbers = is_number(hour, 1..=2) && is_number(minute, 2..=2) && is_number(second, 2..=2);
    let zone = zone_parts(clock.trim_start_matches([' ', '\t']), clock)?;
    are_numbers.then_some(StampParts {
        year,
        month,
        day,
        time: Some(TimeParts { hour, minute, second, fraction, zone }),
    })
}

/// `None`: that is no zone; `Some(None)`: there is none.
#[expect(clippy::option_option, reason = "no zone, and what cannot be one, are two answers")]
fn zone_parts<'t>(zone: &'t str, whole: &str) -> Option<Option<(char, &'t str, &'t str)>> {
    if whole.is_empty() {
        return Some(None);
    }
    if zone == "Z" {
        return Some(Some(('+', "Z", "")));
    }
    let sign = zone.chars().next().filter(|sign| matches!(sign, '-' | '+'))?;
    let (hours, minutes) = match zone[1..].split_once(':') {
        Some((hours, minutes)) if minutes.len() == 2 => (hours, minutes),
        Some(_) => return None,
        None => (&zone[1..], "0"),
    };
    let is_number =
        |part: &str| (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(hours) && is_number(minutes)).then_some(Some((sign, hours, minutes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, loader: Loader) -> String {
        match plain(text, loader) {
            Ok(Value::Integer(number)) => format!("i{number}"),
            Ok(Value::Float(number)) => format!("f {number:?}"),
            Ok(Value::Bool(flag)) => format!("b{flag}"),
            Ok(Value::Null) => "null".to_owned(),
            Ok(Value::Date(text) | Value::Time(text)) => format!("d{text}"),
            Ok(Value::Text(text)) => format!("s{text}"),
            other => format!("{other:?}"),
        }
    }

    /// What PyYAML 6.0.3 and ruamel.yaml 0.18 make of these, by `safe_load` and `YAML(typ="safe")`.
    #[test]
    fn plain_scalars_are_what_each_loader_makes_of_them() {
        for (text, pyyaml, ruamel) in [
            ("no", "bfalse", "sno"),
            ("On", "btrue", "sOn"),
            ("y", "sy", "sy"),
            ("True", "btrue", "btrue"),
            ("~", "null", "null"),
            ("010", "i8", "i10"),
            ("08", "s08", "i8"),
            ("0o10", "s0o10", "i8"),
            ("0x1F", "i31", "i31"),
            ("0b101", "i5", "i5"),
            ("1_000", "i1000", "i1000"),
            ("1:30", "i90", "s1:30"),
            ("190:20:30", "i685230", "s190:20:30"),
            ("190:20:30.15", "f 685230.15", "s190:20:30.15"),
            ("1e3", "s1e3", "f 1000.0"),
            ("1.5e3", "s1.5e3", "f 1500.0"),
            ("1.5e+3", "f 1500.0", "f 1500.0"),
            (".5", "f 0.5", "f 0.5"),
            ("1.", "f 1.0", "f 1.0"),
            ("+.inf", "f inf", "f inf"),
            (".NaN", "f NaN", "f NaN"),
            ("-0", "i0", "i0"),
            ("1.0.0", "s1.0.0", "s1.0.0"),
            ("2024-02-29", "d2024-02-29", "d2024-02-29"),
            (
                "2001-12-14t21:59:43.10-05:00",
                "d2001-12-14T21:59:43.100000-05:00",
                "d2001-12-14T21:59:43.100000-05:00",
            ),
            ("2001-1-1", "s2001-1-1", "s2001-1-1"),
            ("2001-1-1 1:00:00", "d2001-01-01T01:00:00.000000", "d2001-01-01T01:00:00.000000"),
            ("03:00 UTC", "s03:00 UTC", "s03:00 UTC"),
            ("1.2.3.4", "s1.2.3.4", "s1.2.3.4"),
            ("-", "s-", "s-"),
        ] {
            assert_eq!(shown(text, Loader::PyYaml), pyyaml, "{text} in PyYAML");
            assert_eq!(shown(text, Loader::Ruamel), ruamel, "{text} in ruamel.yaml");
        }
    }

    #[test]
    fn what_the_loader_refuses_is_refused() {
        for text in ["2024-02-30", "2024-13-01", "=", "2024-01-01 25:00:00"] {
            assert!(plain(text, Loader::PyYaml).is_err(), "{text}");
        }
        assert!(tagged("python/object:os.system", "x", Loader::PyYaml).is_err());
        assert!(tagged("int", "x", Loader::PyYaml).is_err());
    }
}
