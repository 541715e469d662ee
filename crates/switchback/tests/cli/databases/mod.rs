//! Databases and object stores as sources of `compare`: real servers, and real files of each kind.

pub(crate) mod duckdb;
mod exports;
mod objects;
mod postgres;
mod snapshots;
mod sqlite;

use serde_json::Value;

use super::ground::{Ground, Seen};

/// Compares OLD with NEW, and insists on the exit code; the report.
fn compare(ground: &Ground, code: i32, old: &str, new: &str, options: &[&str]) -> Value {
    let seen = run(ground, old, new, options);
    assert_eq!(seen.code, code, "{seen}");
    seen.json()
}

fn run(ground: &Ground, old: &str, new: &str, options: &[&str]) -> Seen {
    let arguments: Vec<&str> = ["compare", "--json", old, new].iter().chain(options).copied().collect();
    ground.run_arguments(&arguments)
}

/// Insists that a comparison reaches no verdict, for a reason and with a next move that have these words in them.
fn refused(ground: &Ground, old: &str, new: &str, reason: &str, hint: &str) -> String {
    let report = compare(ground, 2, old, new, &[]);
    let error = &report["error"];
    let causes = error["causes"].to_string();
    assert!(causes.contains(reason), "`{reason}` is not in {error}");
    assert!(error["hint"].as_str().unwrap().contains(hint), "`{hint}` is not in {error}");
    report.to_string()
}

/// The only cell that differs: its key, column, old and new value.
fn only_cell(report: &Value) -> (Value, String, Value, Value) {
    let item = &report["items"][0];
    assert_eq!(item["rows"]["different"], 1, "{item}");
    let sample = item["sample"].as_array().unwrap();
    assert_eq!(sample.len(), 1, "{item}");
    let cell = &sample[0];
    (
        cell["key"].clone(),
        cell["column"].as_str().unwrap().to_owned(),
        cell["old"].clone(),
        cell["new"].clone(),
    )
}
