//! Whole comparisons: conformance cases, properties, directories and stages, damaged input.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may stop where it stands, on its own files"
)]

mod damaged;
mod documents;
mod ensembles;
mod explanations;
mod mappings;
mod notebooks;
mod pairings;
mod properties;
mod semantics;
mod sources;
mod tables;
mod trees;

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
    assert_eq!(mirrored(&json, old, new), swapped, "swapping the sides mirrors the report");
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
                (swapped, mirrored(value, old, new))
            })
            .collect(),
        other => other.clone(),
    }
}

fn key(names: &[&str]) -> Rule {
    Rule { key: names.iter().map(|name| (*name).to_owned()).collect(), ..Rule::default() }
}
