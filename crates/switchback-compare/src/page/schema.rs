//! What is said of two tables before their cells: columns, types, mappings, and what their sources can carry.

use serde_json::Value as Json;

use super::words::{is_true, list, names, shown, text};
use crate::report::IDENTICAL;

/// How many columns of another type are named; the document has them all.
const TYPES_MAX: usize = 20;

/// Sentences about the schema and the sources of an item.
pub(super) fn sentences(item: &Json) -> Vec<String> {
    let mut sentences = Vec::new();
    for (name, side) in [("columns_only_old", "old"), ("columns_only_new", "new")] {
        if !list(item, name).is_empty() {
            sentences.push(format!("Columns only in the {side} table: {}", names(item, name)));
        }
    }
    sentences.extend(list(item, "mapping").iter().map(mapped));
    let types = list(item, "types_changed");
    for change in types.iter().take(TYPES_MAX) {
        let (column, old, new) = (text(change, "column"), text(change, "old"), text(change, "new"));
        sentences.push(format!("The type of {column} was {old} and is {new}"));
    }
    if types.len() > TYPES_MAX {
        sentences.push(format!("The types of {} columns more are others", types.len() - TYPES_MAX));
    }
    if is_true(item, "columns_reordered") {
        sentences.push("Columns stand in another order".to_owned());
    }
    // That identical digits are no more than the digits that were written goes without saying.
    let coarse = list(item, "cannot_carry").iter();
    for coarse in coarse.filter(|one| text(one, "asked") != IDENTICAL) {
        for side in ["old", "new"] {
            let Some(source) = coarse.get(side).filter(|source| source.is_object()) else { continue };
            let (column, kind) = (text(coarse, "column"), text(source, "kind"));
            let (digits, asked) = (text(source, "digits"), text(coarse, "asked"));
            sentences.push(format!(
                "{column} has {digits} digits in the {side} table ({kind}): what lies beyond them cannot be seen; asked for: {asked}"
            ));
        }
    }
    if !list(item, "not_compared").is_empty() {
        sentences.push(format!("Not compared: {}", names(item, "not_compared")));
    }
    sentences
}

/// What a mapping did, as a sentence.
fn mapped(applied: &Json) -> String {
    let column = text(applied, "column");
    match applied.get("kind").and_then(Json::as_str) {
        Some("column") => {
            format!("Mapped: {} is {} in the new table", text(applied, "old"), text(applied, "new"))
        }
        Some("unit") => {
            let offset = Some(text(applied, "offset")).filter(|offset| offset != "0");
            let offset = offset.map_or_else(String::new, |offset| format!(" + {offset}"));
            let unit = applied.get("unit").and_then(Json::as_str);
            let unit = unit.map_or_else(String::new, |unit| format!(" ({unit})"));
            format!("Mapped: old values of {column} × {}{offset}{unit}", text(applied, "factor"))
        }
        Some("categories") => {
            let labels = applied.get("labels").and_then(Json::as_object);
            let labels = labels
                .into_iter()
                .flatten()
                .map(|(old, new)| format!("{} is {}", shown(&Json::from(old.as_str())), shown(new)));
            let joined = applied.get("joined").and_then(Json::as_object);
            let joined = joined.into_iter().flatten().map(|(new, old)| {
                let old: Vec<_> = old.as_array().into_iter().flatten().map(shown).collect();
                format!("; {} became one label, {}", old.join(" and "), shown(&Json::from(new.as_str())))
            });
            let labels: Vec<_> = labels.collect();
            format!("Mapped: labels of {column}: {}{}", labels.join(", "), joined.collect::<String>())
        }
        Some("call") => {
            let result = applied.get("result").and_then(Json::as_object);
            let result = result.into_iter().flatten();
            let result: Vec<_> = result.map(|(old, form)| format!("{old} = {}", shown(form))).collect();
            let of = text(applied, "of");
            format!("Mapped: the new document as {of} returned it: {}", result.join(", "))
        }
        _ => {
            let missing = applied.get("without_value").unwrap_or(&Json::Null);
            format!(
                "Mapped: {} made long, one row for each of {}, in {} and {}; without a value, and no row: {} of the old table, {} of the new one",
                if text(applied, "old") == "wide" { "the old table" } else { "the new table" },
                names(applied, "columns"),
                text(applied, "name"),
                text(applied, "value"),
                text(missing, "old"),
                text(missing, "new"),
            )
        }
    }
}
