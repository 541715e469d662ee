//! The conformance cases of `compare`: typed inputs, options, and what an exact oracle expects, in both directions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::ground::Ground;

/// One way round of one case in one format.
struct Run<'c> {
    case: &'c Value,
    old: PathBuf,
    new: PathBuf,
    /// OLD and NEW are swapped, and with them every name and every count.
    swapped: bool,
}

/// What a case expects to be said in an error.
const ERRORS: &[(&str, &str)] = &[
    ("duplicate_key", "have the same key"),
    ("duplicate_column", "two columns named"),
    ("missing_key_column", "no key column"),
];

fn number(value: &Value) -> String {
    value.as_f64().map_or_else(|| value.to_string(), |value| format!("{value:e}"))
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn names(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().map(|name| name.as_str().unwrap())
}

impl Run<'_> {
    /// The name of an old column as this way round has it on its old side.
    fn column(&self, name: &str) -> String {
        let renamed = self.case["options"]["column_map"].get(name).and_then(Value::as_str);
        renamed.filter(|_| self.swapped).unwrap_or(name).to_owned()
    }

    fn arguments(&self) -> Vec<String> {
        let path = |path: &Path| path.display().to_string();
        let mut arguments = vec!["compare".to_owned(), path(&self.old), path(&self.new), "--json".to_owned()];
        for (name, value) in members(&self.case["options"]) {
            self.add(&mut arguments, name, value);
        }
        arguments
    }

    fn add(&self, to: &mut Vec<String>, name: &str, value: &Value) {
        let listed = || names(value).map(|name| self.column(name)).collect::<Vec<_>>().join(",");
        match (name, value) {
            ("keys", Value::Null) => {}
            ("keys", _) => to.push(format!("--key={}", listed())),
            ("ignore_columns", _) => to.push(format!("--exclude={}", listed())),
            ("abs_tol", _) => to.push(format!("--absolute={}", number(value))),
            ("rel_tol", _) => to.push(format!("--relative={}", number(value))),
            ("max_ulps", _) => to.push(format!("--ulps={value}")),
            ("temporal_tol_us", _) => to.push(format!("--time-tolerance={value}us")),
            ("columns", _) => {
                for (column, bounds) in members(value) {
                    let column = self.column(column);
                    for (bound, value) in members(bounds) {
                        let (value, unit) = match bound.as_str() {
                            "abs_tol" => (number(value), "abs"),
                            "rel_tol" => (number(value), "rel"),
                            "max_ulps" => (value.to_string(), "ulps"),
                            other => panic!("unknown bound {other}"),
                        };
                        to.push(format!("--tolerance={column}={value}{unit}"));
                    }
                }
            }
            ("column_map", _) => {
                for (old, new) in members(value) {
                    let new = new.as_str().unwrap();
                    let (old, new) = if self.swapped { (new, old.as_str()) } else { (old.as_str(), new) };
                    to.push(format!("--rename={old}={new}"));
                }
            }
            ("sanitize", _) => {
                for pair in value.as_array().unwrap() {
                    to.push(format!("--mask={}", pair[0].as_str().unwrap()));
                }
            }
            ("nan_equal", Value::Bool(false)) => to.push("--nan=different".to_owned()),
            ("null_equal", Value::Bool(false)) => to.push("--null=different".to_owned()),
            ("nan_equals_null", Value::Bool(true)) => to.push("--null-is-nan".to_owned()),
            ("row_order", Value::String(order)) => {
                to.push(format!("--order={}", if order == "ignore" { "any" } else { "position" }));
            }
            ("bitwise" | "trim" | "ignore_case" | "coerce_keys", Value::Bool(true)) => {
                to.push(format!("--{}", name.replace('_', "-")));
            }
            ("schema" | "column_order" | "column_case" | "duplicates", Value::String(word)) => {
                to.push(format!("--{}={word}", name.replace('_', "-")));
            }
            _ => panic!("unknown option {name}"),
        }
    }

    /// The member of a pair of sides, as this way round has it.
    fn side<'v>(&self, of: &'v Value, left: &str, right: &str) -> &'v Value {
        &of[if self.swapped { right } else { left }]
    }

    /// What is not as the case expects.
    fn faults(&self, code: i32, report: &Value) -> Vec<String> {
        let expected = &self.case["expected"];
        let mut faults = Vec::new();
        let mut check = |what: &str, found: Value, wanted: Value| {
            if found != wanted {
                faults.push(format!("{what} is {found} and not {wanted}"));
            }
        };
        check("the exit code", json!(code), expected["exit_code"].clone());
        if let Some(error) = expected["error"].as_str() {
            let (_, said) = ERRORS.iter().find(|(name, _)| *name == error).unwrap();
            check("naming the matter", json!(report["error"].to_string().contains(said)), json!(true));
            return faults;
        }
        let verdict = if expected["verdict"] == "equal" { "yes" } else { "no" };
        check("the verdict", report["verdict"].clone(), json!(verdict));
        let item = &report["items"][0];
        let (rows, schema) = (&item["rows"], &expected["schema"]);
        let counts = [
            (&item["old"]["rows"], self.side(expected, "rows_left", "rows_right")),
            (&item["new"]["rows"], self.side(expected, "rows_right", "rows_left")),
            (&rows["compared"], &expected["rows_both"]),
            (&rows["equal"], &expected["rows_equal"]),
            (&rows["different"], &expected["rows_changed"]),
            (&rows["only_old"], self.side(expected, "rows_left_only", "rows_right_only")),
            (&rows["only_new"], self.side(expected, "rows_right_only", "rows_left_only")),
            (&item["columns_only_old"], self.side(schema, "left_only", "right_only")),
            (&item["columns_only_new"], self.side(schema, "right_only", "left_only")),
            (&item["columns_reordered"], &schema["reordered"]),
        ];
        for (at, (found, wanted)) in counts.into_iter().enumerate().filter(|(_, pair)| !pair.1.is_null()) {
            check(&format!("count {at}"), found.clone(), wanted.clone());
        }
        let columns = |value: &Value| value.as_array().cloned().unwrap_or_default();
        if let Some(changed) = schema.get("type_changed") {
            let found: Vec<_> =
                columns(&item["types_changed"]).iter().map(|one| one["column"].clone()).collect();
            let wanted: Vec<_> = names(changed).map(|name| self.column(name)).collect();
            check("types_changed", json!(found), json!(wanted));
        }
        if let Some(cells) = expected.get("column_mismatches") {
            let found: BTreeMap<_, _> = columns(&item["columns"])
                .into_iter()
                .filter(|column| column["cells_different"] != 0)
                .map(|column| {
                    (column["name"].as_str().unwrap().to_owned(), column["cells_different"].clone())
                })
                .collect();
            let wanted: BTreeMap<_, _> =
                members(cells).map(|(name, count)| (self.column(name), count)).collect();
            check("cells", json!(found), json!(wanted));
        }
        for (column, largest) in members(&expected["max_abs_diff"]) {
            let columns = columns(&item["columns"]);
            let found = columns.iter().find(|other| other["name"] == self.column(column));
            let found = found.and_then(|column| column["max_absolute"].as_f64());
            check("max_absolute", json!(found), json!(largest.as_f64()));
        }
        let paths: Vec<_> = columns(&item["differences"]).iter().map(|one| one["path"].clone()).collect();
        for path in names(&expected["paths"]) {
            check("a difference", json!(paths.contains(&json!(format!("/{path}")))), json!(true));
        }
        if let Some(cell) = expected.get("first_divergent_cell") {
            let first = paths.first().and_then(Value::as_str).unwrap_or_default();
            check("the first cell", json!(first.starts_with(&format!("/cells/{cell}/"))), json!(true));
        }
        faults
    }
}

/// The report with its sides swapped. Names of columns are left as they are.
fn mirrored(report: &Value) -> Value {
    match report {
        Value::Array(items) => items.iter().map(mirrored).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| {
                let swapped = match name.as_str() {
                    "old" => "new".to_owned(),
                    "new" => "old".to_owned(),
                    name if name.ends_with("_old") => name.replace("_old", "_new"),
                    name => name.replace("_new", "_old"),
                };
                (swapped, mirrored(value))
            })
            .collect(),
        other => other.clone(),
    }
}

/// Whether nothing in the report depends on which side's names are used.
fn is_one_naming(case: &Value) -> bool {
    case["options"].get("column_map").is_none() && case["options"].get("column_case").is_none()
}

#[test]
fn every_case_gives_what_the_oracle_expects_in_both_directions() {
    let ground = Ground::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/compare");
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let (mut runs, mut failures) = (0, Vec::new());
    for folder in folders {
        let case: Value = serde_json::from_slice(&std::fs::read(folder.join("case.json")).unwrap()).unwrap();
        for format in names(&case["formats"]) {
            let mut reports = Vec::new();
            let (old, new) = (folder.join(format!("old.{format}")), folder.join(format!("new.{format}")));
            for (swapped, old, new) in [(false, &old, &new), (true, &new, &old)] {
                let run = Run { case: &case, old: old.clone(), new: new.clone(), swapped };
                let arguments = run.arguments();
                let seen = ground.run_arguments(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
                let mut report: Value = serde_json::from_str(&seen.out).unwrap();
                let name = folder.file_name().unwrap().display();
                for fault in run.faults(seen.code, &report) {
                    failures
                        .push(format!("{name} {format}{}: {fault}", if swapped { " swapped" } else { "" }));
                }
                if let Some(name) = report.pointer_mut("/items/0/name") {
                    *name = Value::Null;
                }
                reports.push(report);
                runs += 1;
            }
            let errors = reports.iter().any(|report| report.get("error").is_some());
            if is_one_naming(&case) && !errors && mirrored(&reports[0]) != reports[1] {
                failures.push(format!("{} {format}: the swapped report is no mirror", folder.display()));
            }
        }
    }
    assert!(failures.is_empty(), "{} failures in {runs} runs:\n{}", failures.len(), failures.join("\n"));
    assert!(runs > 280, "only {runs} runs");
}
