//! An explanation in a few words, written from its place in a document, so that stored evidence can be told again.

use serde_json::Value as Json;

/// `new = 100.0 * old`. `None` for what is no explanation. The words do not name the cells that it covers.
#[must_use]
pub fn told(explanation: &Json) -> Option<String> {
    let text = |name: &str| match explanation.get(name) {
        Some(Json::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let side = || format!("in {}", text("side").to_uppercase());
    Some(match explanation.get("kind")?.as_str()? {
        "null-for" => format!("null {} for {}", side(), missing(&text("value"))),
        "sign" => "new = -old".to_owned(),
        "case" if text("to") == "other" => "the case of letters".to_owned(),
        "case" => format!("{} case in NEW", text("to")),
        "white-space" if text("at") == "ends" => "white space around the text".to_owned(),
        "white-space" => "white space in the text".to_owned(),
        "unicode" => format!("another Unicode form, the same in {}", text("form").to_uppercase()),
        "truncated" => format!("cut off after {} characters {}", text("characters"), side()),
        "rounded" if text("to") == "float32" => format!("rounded to 32-bit floats {}", side()),
        "rounded" if text("to") == "decimals" => format!("rounded to {} decimals {}", text("digits"), side()),
        "rounded" => format!("rounded to {} digits {}", text("digits"), side()),
        "reassociated" => format!("last digits, up to {} ULPs, as by another order of a sum", text("ulps")),
        "time-zone" => {
            let minutes = explanation.get("minutes").and_then(Json::as_array)?.iter();
            let minutes: Vec<_> = minutes.map(|minutes| format!("{minutes} min")).collect();
            format!("another time zone: {}", minutes.join(" or "))
        }
        "scaled" => format!("new = {} * old", text("factor")),
        "offset" => format!("new = old + {} {}", text("offset"), text("unit")).trim_end().to_owned(),
        "swapped" => format!("swapped with `{}`", text("with")),
        "duplicated" => {
            format!("rows repeated {}: {} too many, from row {}", side(), text("rows"), text("first"))
        }
        "shifted" => format!("shifted by {} rows", text("rows")),
        _ => return None,
    })
}

fn missing(value: &str) -> &str {
    match value {
        "nan" => "NaN",
        "empty" => "empty text",
        other => other,
    }
}
