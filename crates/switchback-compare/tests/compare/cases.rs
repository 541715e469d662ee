//! The conformance cases: typed inputs, a rule, and what an exact oracle expects.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value as Json, json};
use switchback_core::port::Comparer;
use switchback_core::rule::{Rule, Tolerance};

use super::{comparer, report};

fn tolerance(options: &Json) -> Tolerance {
    Tolerance {
        absolute: options["abs_tol"].as_f64(),
        relative: options["rel_tol"].as_f64(),
        ulps: options["max_ulps"].as_u64(),
    }
}

fn names(list: &Json) -> Vec<String> {
    list.as_array().into_iter().flatten().map(|name| name.as_str().unwrap().to_owned()).collect()
}

fn rule(options: &Json) -> Rule {
    let columns = options["columns"].as_object().into_iter().flatten();
    Rule {
        key: names(&options["keys"]),
        tolerance: tolerance(options),
        column_tolerance: columns.map(|(name, own)| (name.clone(), tolerance(own))).collect(),
        exclude: names(&options["ignore_columns"]),
        ..Rule::default()
    }
}

fn check(folder: &Path, case: &Json, format: &str) {
    let name = format!("{} {format}: {}", folder.file_name().unwrap().display(), case["title"]);
    let (old, new) = (folder.join(format!("old.{format}")), folder.join(format!("new.{format}")));
    let (rule, expected) = (rule(&case["options"]), &case["expected"]);
    if expected["verdict"] == "error" {
        let error = comparer().compare(&old, &new, &rule).unwrap_err();
        let said = match expected["error"].as_str().unwrap() {
            "duplicate_key" => "have the same key",
            "duplicate_column" => "two columns named",
            "missing_key_column" => "no key column",
            other => panic!("{name}: unknown error {other}"),
        };
        assert!(error.causes.join("\n").contains(said), "{name}: {error:?}");
        return;
    }
    let report = report(&old, &new, &rule);
    let verdict = if expected["verdict"] == "equal" { "yes" } else { "no" };
    assert_eq!(report["verdict"], verdict, "{name}: {report:#}");
    let item = &report["items"][0];
    for path in expected["paths"].as_array().into_iter().flatten() {
        let path = format!("/{}", path.as_str().unwrap());
        let found = item["differences"].as_array().unwrap().iter().any(|one| one["path"] == path);
        assert!(found, "{name}: {path} in {report:#}");
    }
    let counts = [
        ("rows_left", &item["old"]["rows"]),
        ("rows_right", &item["new"]["rows"]),
        ("rows_both", &item["rows"]["compared"]),
        ("rows_equal", &item["rows"]["equal"]),
        ("rows_changed", &item["rows"]["different"]),
        ("rows_left_only", &item["rows"]["only_old"]),
        ("rows_right_only", &item["rows"]["only_new"]),
    ];
    for (count, found) in counts {
        if let Some(expected) = expected.get(count) {
            assert_eq!(found, expected, "{name}: {count} in {report:#}");
        }
    }
    if let Some(cells) = expected.get("column_mismatches") {
        let columns = item["columns"].as_array().unwrap().iter();
        let different: BTreeMap<_, _> = columns
            .filter(|column| column["cells_different"] != 0)
            .map(|column| (column["name"].as_str().unwrap(), column["cells_different"].clone()))
            .collect();
        assert_eq!(json!(different), *cells, "{name}: {report:#}");
    }
    if let Some(schema) = expected.get("schema") {
        assert_eq!(item["columns_only_old"], schema["left_only"], "{name}");
        assert_eq!(item["columns_only_new"], schema["right_only"], "{name}");
        let changed: Vec<_> =
            item["types_changed"].as_array().unwrap().iter().map(|change| change["column"].clone()).collect();
        assert_eq!(json!(changed), schema["type_changed"], "{name}: {report:#}");
    }
    for (column, largest) in expected["max_abs_diff"].as_object().into_iter().flatten() {
        let columns = item["columns"].as_array().unwrap();
        let found = columns.iter().find(|other| other["name"] == **column).unwrap();
        assert_eq!(found["max_absolute"].as_f64(), largest.as_f64(), "{name}");
    }
}

#[test]
fn conformance() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut checked = 0;
    for folder in std::fs::read_dir(&root).unwrap() {
        let folder = folder.unwrap().path();
        let case: Json = serde_json::from_slice(&std::fs::read(folder.join("case.json")).unwrap()).unwrap();
        for format in names(&case["formats"]) {
            check(&folder, &case, &format);
            checked += 1;
        }
    }
    assert!(checked > 100, "only {checked} cases were found");
}
