//! Whole comparisons: conformance cases, properties, directories and stages, damaged input.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may stop where it stands, on its own files"
)]

mod calibration;
mod carrying;
mod chunks;
mod damaged;
mod documents;
mod ensembles;
mod exceptions;
mod explanations;
mod fuzz;
mod invariants;
mod joins;
mod mappings;
mod notebooks;
mod pages;
mod pairings;
mod properties;
mod reasons;
mod semantics;
mod sensitivity;
mod sources;
mod spilled;
mod tables;
mod trees;
mod types;

use std::path::Path;
use std::sync::Arc;

use serde_json::Value as Json;
use switchback_compare::{CompareOptions, TableComparer};
use switchback_core::port::{Comparer, PortError};
use switchback_core::rule::Rule;
use switchback_core::world::RealDisk;

fn comparer() -> TableComparer {
    TableComparer::new(Arc::new(RealDisk))
}

/// The report of a comparison; in passing, that swapping the sides mirrors it exactly.
fn report(old: &Path, new: &Path, rule: &Rule) -> Json {
    let outcome = comparer().outcome(old, new, CompareOptions { rule: rule.clone() }).unwrap();
    let json: Json = serde_json::from_str(&outcome.to_json()).unwrap();
    let swapped = comparer().outcome(new, old, CompareOptions { rule: rule.clone() }).unwrap();
    let swapped: Json = serde_json::from_str(&swapped.to_json()).unwrap();
    assert_same(&mirrored(&json, old, new), &swapped);
    json
}

/// The error of a comparison that must reach no verdict, one line for each part.
fn failure(old: &Path, new: &Path, rule: &Rule) -> String {
    let error: PortError = comparer().compare(old, new, rule).unwrap_err();
    assert!(error.message.starts_with("could not compare `"), "{error:?}");
    assert!(comparer().compare(new, old, rule).is_err(), "the mirrored comparison fails as well");
    let mut lines = error.causes;
    lines.extend(error.hint);
    let folder = old.parent().unwrap().display().to_string();
    lines.join("\n").replace(&format!("{folder}/"), "")
}

/// Explanations have constants, which may differ in their last digits; all else is the same exactly.
fn assert_same(mirrored: &Json, swapped: &Json) {
    match (mirrored, swapped) {
        (Json::Array(one), Json::Array(two)) => {
            assert_eq!(one.len(), two.len(), "swapping the sides mirrors the report");
            one.iter().zip(two).for_each(|(one, two)| assert_same(one, two));
        }
        (Json::Object(one), Json::Object(two)) if one.contains_key("kind") && one.contains_key("cells") => {
            for (name, value) in one {
                match (value.as_f64(), two[name].as_f64()) {
                    (Some(one), Some(two)) => {
                        assert!((one - two).abs() <= 1e-9 * two.abs(), "{mirrored}\n{swapped}");
                    }
                    // What NEW has says nothing about what OLD has.
                    _ if name == "to" && one["kind"] == "case" => {}
                    _ => assert_eq!(*value, two[name], "{mirrored}\n{swapped}"),
                }
            }
        }
        (Json::Object(one), Json::Object(two)) => {
            assert!(
                one.keys().eq(two.keys()),
                "swapping the sides mirrors the report: {mirrored}\n{swapped}"
            );
            one.values().zip(two.values()).for_each(|(one, two)| assert_same(one, two));
        }
        _ => assert_eq!(mirrored, swapped, "swapping the sides mirrors the report"),
    }
}

/// What happened to the cells, seen from the other side.
fn undone(explanation: &Json) -> Json {
    let mut undone = explanation.clone();
    match explanation["kind"].as_str() {
        Some("scaled") => undone["factor"] = (1.0 / explanation["factor"].as_f64().unwrap()).into(),
        Some("offset") => undone["offset"] = (-explanation["offset"].as_f64().unwrap()).into(),
        Some("shifted") => undone["rows"] = (-explanation["rows"].as_i64().unwrap()).into(),
        Some("time-zone") => {
            let minutes = explanation["minutes"].as_array().unwrap().iter().rev();
            undone["minutes"] = minutes.map(|minutes| Json::from(-minutes.as_i64().unwrap())).collect();
        }
        _ => {}
    }
    if let Some(side) = explanation["side"].as_str() {
        undone["side"] = if side == "old" { "new" } else { "old" }.into();
    }
    undone
}

fn mirrored(json: &Json, old: &Path, new: &Path) -> Json {
    match json {
        Json::Array(items) => items.iter().map(|item| mirrored(item, old, new)).collect(),
        Json::Object(members) => members
            .iter()
            .map(|(name, value)| {
                let swapped = match name.as_str() {
                    "old" => "new".to_owned(),
                    "new" => "old".to_owned(),
                    name if name.ends_with("_old") => name.replace("_old", "_new"),
                    name => name.replace("_new", "_old"),
                };
                // Of two single files, the item has the old one's name.
                if name == "name" && old.is_file() && *value == *old.file_name().unwrap().to_string_lossy() {
                    return (swapped, new.file_name().unwrap().to_string_lossy().into());
                }
                if name == "explanation" {
                    return (swapped, undone(value));
                }
                (swapped, mirrored(value, old, new))
            })
            .collect(),
        other => other.clone(),
    }
}

fn key(names: &[&str]) -> Rule {
    Rule { key: names.iter().map(|name| (*name).to_owned()).collect(), ..Rule::default() }
}
