//! Parts of a document as words: values on one line, names, counts and measures.

use serde_json::Value as Json;
use switchback_core::report::visible;

/// How many names of a list are told; the document has them all.
const NAMES_MAX: usize = 20;
/// Numbers from here on are written with an exponent, and so are those below its inverse.
const PLAIN_MAX: f64 = 1e7;
const PLAIN_MIN: f64 = 1e-4;

pub(super) fn list<'j>(of: &'j Json, name: &str) -> &'j [Json] {
    of.get(name).and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

pub(super) fn text(of: &Json, name: &str) -> String {
    of.get(name).map_or_else(String::new, shown)
}

/// A member that is text, as it is; empty without one.
pub(super) fn word<'j>(of: &'j Json, name: &str) -> &'j str {
    of.get(name).and_then(Json::as_str).unwrap_or_default()
}

pub(super) fn number(of: &Json, name: &str) -> u64 {
    of.get(name).and_then(Json::as_u64).unwrap_or_default()
}

pub(super) fn is_true(of: &Json, name: &str) -> bool {
    of.get(name) == Some(&Json::Bool(true))
}

/// A value on one line. What would not be seen, or would be taken for control of a terminal, is written out.
pub(super) fn shown(value: &Json) -> String {
    match value {
        Json::Null => "null".to_owned(),
        Json::String(text) => visible(text),
        other => visible(&other.to_string()),
    }
}

/// A value of a cell. Text that could be taken for something else, or not be seen, has quotation marks.
pub(super) fn value(value: &Json) -> String {
    match value {
        Json::String(text) if text.is_empty() || text.trim() != text || text == "null" => quoted(value),
        other => shown(other),
    }
}

/// Two values of a cell. Where they would look alike, text has quotation marks.
pub(super) fn pair(old: &Json, new: &Json) -> (String, String) {
    match (value(old), value(new)) {
        (one, two) if one == two && old != new => (quoted(old), quoted(new)),
        pair => pair,
    }
}

fn quoted(value: &Json) -> String {
    visible(&value.to_string())
}

pub(super) fn names(of: &Json, name: &str) -> String {
    let all = list(of, name);
    let named: Vec<_> = all.iter().take(NAMES_MAX).map(shown).collect();
    match all.len() - named.len() {
        0 => named.join(", "),
        more => format!("{}, and {} more", named.join(", "), grouped(more as u64)),
    }
}

/// The row of a cell: by its key and, where that is not all, by its numbers.
pub(super) fn place(cell: &Json) -> String {
    match key(cell) {
        Some(key) => key,
        None => rows(cell),
    }
}

/// `id = 17`; nothing without a key.
pub(super) fn key(cell: &Json) -> Option<String> {
    let key = cell.get("key").and_then(Json::as_object).filter(|key| !key.is_empty())?;
    let parts: Vec<_> =
        key.iter().map(|(name, value)| format!("{} = {}", visible(name), shown(value))).collect();
    Some(parts.join(", "))
}

/// `row 17`, or `row 17 → 18` where it has another place on the new side.
pub(super) fn rows(cell: &Json) -> String {
    let row = |name: &str| cell.get(name).and_then(Json::as_u64).map(grouped);
    match (row("row_old"), row("row_new")) {
        (Some(old), Some(new)) if old == new => format!("row {old}"),
        (Some(old), Some(new)) => format!("row {old} → {new}"),
        (Some(old), None) => format!("old row {old}"),
        (None, Some(new)) => format!("new row {new}"),
        (None, None) => String::new(),
    }
}

/// `1,234,567`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 row`, `1,234 rows`.
pub(super) fn counted(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{} {noun}s", grouped(number)) }
}

/// A distance with four significant digits, which is as much as tells how far apart two cells are; the document has all.
/// A whole number below ten million has all of its digits. Nothing where nothing was measured.
pub(super) fn measured(of: &Json, name: &str) -> String {
    let value = of.get(name).unwrap_or(&Json::Null);
    if let Some(whole) = value.as_u64()
        && whole < 10_000_000
    {
        return grouped(whole);
    }
    let float = match value {
        Json::Null => return String::new(),
        Json::String(text) => text.parse().ok().filter(|float: &f64| float.is_finite()),
        other => other.as_f64(),
    };
    float.map_or_else(|| shown(value), significant)
}

fn significant(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let trimmed = |text: &str| {
        let short = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
        short.to_owned()
    };
    if (PLAIN_MIN..PLAIN_MAX).contains(&value.abs()) {
        // Four digits, counted from the first one that is not 0.
        let decimals = (1..=8).find(|decimals| value.abs() * 10f64.powi(*decimals) >= 1e3);
        let decimals = if value.abs() >= 1e3 { 0 } else { decimals.unwrap_or(8) };
        return trimmed(&format!("{value:.*}", usize::try_from(decimals).unwrap_or_default()));
    }
    let text = format!("{value:.3e}");
    match text.split_once('e') {
        Some((digits, exponent)) => format!("{}e{exponent}", trimmed(digits)),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn measures_have_four_digits_and_counts_all() {
        for (value, told) in [
            (json!(0.0), "0"),
            (json!(0.024_390_243_902_439_025), "0.02439"),
            (json!(148.5), "148.5"),
            (json!(123_456.789), "123457"),
            (json!(0.5), "0.5"),
            (json!(1.421_085_471_520_200_4e-14), "1.421e-14"),
            (json!(2e300), "2e300"),
            (json!(812), "812"),
            (json!(140_737_488_355_328_u64), "1.407e14"),
            (json!("9223372036854775807"), "9.223e18"),
            (json!("inf"), "inf"),
            (Json::Null, ""),
        ] {
            assert_eq!(measured(&json!({ "x": value }), "x"), told);
        }
        assert_eq!([1, 12, 1234, 1_234_567].map(grouped), ["1", "12", "1,234", "1,234,567"]);
    }

    #[test]
    fn a_row_is_named_by_its_key_else_by_its_numbers() {
        assert_eq!(place(&json!({"key": {"id": 7}, "row_old": 1, "row_new": 2})), "id = 7");
        assert_eq!(place(&json!({"key": {}, "row_old": 1, "row_new": 2})), "row 1 → 2");
        assert_eq!(rows(&json!({"row_old": 3, "row_new": null})), "old row 3");
    }

    #[test]
    fn values_that_look_alike_are_told_apart() {
        for (old, new, told) in [
            (json!("a"), json!("b"), ("a", "b")),
            (json!(1), json!("1"), ("1", "\"1\"")),
            (Json::Null, json!(""), ("null", "\"\"")),
            (json!("null"), Json::Null, ("\"null\"", "null")),
            (json!(" a"), json!("a"), ("\" a\"", "a")),
            (json!([1, 2]), json!({"x": "y"}), ("[1,2]", "{\"x\":\"y\"}")),
        ] {
            let (one, two) = pair(&old, &new);
            assert_eq!((one.as_str(), two.as_str()), told);
        }
    }

    #[test]
    fn a_long_list_of_names_is_bounded() {
        let report = json!({"names": (0..1500).map(|at| format!("n{at}")).collect::<Vec<_>>()});
        let told = names(&report, "names");
        assert!(told.ends_with("n19, and 1,480 more"), "{told}");
    }
}
