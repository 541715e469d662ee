//! Differences planted in a copy: under a tight rule they are found, under a loose one those below it are not.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use serde_json::{Value as Json, json};
use switchback_compare::{CompareOptions, ComparePlan, compare, sensitivity};
use switchback_core::rule::{RowOrder, Rule, SchemaRule, TextRule, Tolerance};
use switchback_core::world::RealDisk;

use super::key;

fn proved(old: &Path, new: &Path, rule: &Rule) -> Json {
    let plan = ComparePlan::new(old, new, CompareOptions { rule: rule.clone() }, &RealDisk).unwrap();
    let mut outcome = compare(&plan, &RealDisk).unwrap();
    sensitivity::prove(&plan, &mut outcome, &RealDisk).unwrap();
    let mut json: Json = serde_json::from_str(&outcome.to_json()).unwrap();
    json["summary"] = outcome.summary().into();
    json
}

/// `id`, `x` (floats, with a null), `n`, `s`.
fn parquet(folder: &Path, name: &str, rows: i64) -> PathBuf {
    let id: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows));
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let x = (0..rows).map(|row| (row != 3).then_some(1.0 + row as f64));
    let x: ArrayRef = Arc::new(x.collect::<Float64Array>());
    let n: ArrayRef = Arc::new(Int64Array::from_iter_values((0..rows).map(|row| row * 3)));
    let s: ArrayRef = Arc::new(StringArray::from_iter_values((0..rows).map(|row| format!("name {row}"))));
    let batch = RecordBatch::try_from_iter([("id", id), ("x", x), ("n", n), ("s", s)]).unwrap();
    let path = folder.join(name);
    let mut writer =
        ArrowWriter::try_new(std::fs::File::create(&path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    path
}

/// What was planted in a column and is found, or is not.
fn plants(report: &Json, column: &Json, found: bool) -> Vec<String> {
    let all = report["sensitivity"].as_array().unwrap().iter();
    let fitting = all.filter(|plant| plant["column"] == *column && plant["found"] == found);
    fitting.map(|plant| plant["plant"].as_str().unwrap().to_owned()).collect()
}

// rows: BX-8
#[test]
fn without_a_tolerance_everything_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let old = parquet(folder.path(), "t.parquet", 20);
    for rule in [Rule::default(), Rule { bitwise: true, ..Rule::default() }] {
        let report = proved(&old, &old, &rule);
        assert_eq!(report["verdict"], "yes");
        let found = |column: &str| plants(&report, &json!(column), true);
        assert_eq!(found("x"), ["smallest", "nan-for-value", "null-for-value", "nan-for-null"]);
        assert_eq!(found("n"), ["smallest", "null-for-value"]);
        assert_eq!(found("s"), ["text-changed", "white-space", "case", "null-for-value"]);
        assert_eq!(found("id"), ["smallest", "null-for-value", "columns-swapped"]);
        assert_eq!(plants(&report, &Json::Null, true), ["row-dropped", "row-duplicated", "rows-swapped"]);
        assert!(report["sensitivity"].as_array().unwrap().iter().all(|plant| plant["found"] == true));
        assert!(
            report["summary"].as_str().unwrap().ends_with("; of 16 planted differences found 16"),
            "{report}"
        );
        assert_eq!(
            report["sensitivity_notes"],
            json!(["planted in a copy of 20 of the 20 rows of `t.parquet`"])
        );
    }
}

// rows: BX-8
#[test]
fn under_a_loose_tolerance_what_lies_below_it_is_not_found() {
    let folder = tempfile::tempdir().unwrap();
    let old = parquet(folder.path(), "t.parquet", 20);
    for bound in [1e-9, 0.5, 2.0] {
        let tolerance = Tolerance { absolute: Some(bound), ..Tolerance::default() };
        let report = proved(&old, &old, &Rule { tolerance, ..key(&["id"]) });
        assert_eq!(plants(&report, &json!("x"), false), ["smallest", "below-tolerance"], "{bound}");
        assert_eq!(
            plants(&report, &json!("x"), true),
            ["above-tolerance", "nan-for-value", "null-for-value", "nan-for-null"]
        );
        let all = report["sensitivity"].as_array().unwrap().iter();
        for plant in all.filter(|plant| plant["size"].is_number() && plant["column"] != "id") {
            let size = plant["size"].as_f64().unwrap();
            assert_eq!(size > bound, plant["found"] == true, "{plant}");
            assert!(plant["plant"] == "smallest" || (size - bound).abs() <= 1e-9 || plant["column"] == "n");
        }
        // Keys are the same or not, whatever the tolerance; the order of rows does not count under one.
        assert_eq!(plants(&report, &json!("id"), false), [] as [&str; 0]);
        assert_eq!(plants(&report, &Json::Null, false), ["rows-swapped"]);
    }
    let all = Tolerance { relative: Some(2.0), ..Tolerance::default() };
    let report = proved(&old, &old, &Rule { tolerance: all, ..key(&["id"]) });
    assert_eq!(plants(&report, &json!("n"), false), ["smallest", "below-tolerance"]);
}

// rows: BX-8
#[test]
fn what_a_rule_leaves_out_is_not_found() {
    let folder = tempfile::tempdir().unwrap();
    let old = parquet(folder.path(), "t.parquet", 20);
    let rule = Rule {
        exclude: vec!["x".to_owned()],
        text: TextRule { ignore_case: true, trim: true, masks: Vec::new() },
        ..key(&["id"])
    };
    let report = proved(&old, &old, &rule);
    assert_eq!(plants(&report, &json!("x"), true), [] as [&str; 0]);
    assert_eq!(plants(&report, &json!("s"), false), ["white-space", "case"]);
    let report = proved(&old, &old, &Rule { null_is_nan: true, ..key(&["id"]) });
    assert_eq!(plants(&report, &json!("x"), false), ["nan-for-null"]);
    let report = proved(&old, &old, &Rule { row_order: RowOrder::Any, ..Rule::default() });
    assert_eq!(plants(&report, &Json::Null, false), ["rows-swapped"]);
}

// rows: BX-8
#[test]
fn it_is_about_the_rule_whatever_the_two_sides_are() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("t.csv"), folder.path().join("u.csv"));
    std::fs::write(&old, "id,x,t\n1,1.5,2026-01-01\n2,2.5,2026-01-02\n3,9.5,2026-01-03\n").unwrap();
    let text = "id,y,t\n1,1.5,2026-01-01\n2,2.5,2026-01-02\n3,3.5,2026-01-03\n";
    std::fs::write(&new, text).unwrap();
    let day_ns = 86_400_000_000_000;
    let rule = Rule {
        rename: [("x".to_owned(), "y".to_owned())].into(),
        time_tolerance_ns: Some(day_ns),
        schema: SchemaRule::Common,
        ..key(&["id"])
    };
    let report = proved(&old, &new, &rule);
    assert_eq!(report["verdict"], "no", "OLD and NEW differ all the same");
    assert_eq!(plants(&report, &json!("x"), true), ["smallest", "nan-for-value", "null-for-value"]);
    assert_eq!(plants(&report, &json!("t"), false), ["smallest", "below-tolerance"]);
    let day =
        report["sensitivity"].as_array().unwrap().iter().find(|plant| plant["plant"] == "above-tolerance");
    assert_eq!(day.unwrap()["size"], json!(2.0 * 86_400.0));
    // NEW is as it was; the same is planted every time.
    assert_eq!(std::fs::read_to_string(&new).unwrap(), text);
    assert_eq!(report, proved(&old, &new, &rule));
    // What is no table, or has no rows, is said.
    let (old, new) = (folder.path().join("a.json"), folder.path().join("b.json"));
    std::fs::write(&old, "{\"a\": 1}").unwrap();
    std::fs::write(&new, "{\"a\": 1}").unwrap();
    let report = proved(&old, &new, &Rule::default());
    assert_eq!(report["sensitivity_notes"], json!(["nothing was planted in `a.json`, which is no table"]));
    std::fs::write(folder.path().join("e.csv"), "x\n").unwrap();
    let empty = folder.path().join("e.csv");
    let report = proved(&empty, &empty, &Rule::default());
    assert_eq!(report["verdict"], "unknown");
    assert_eq!(report["sensitivity_notes"], json!(["nothing was planted in `e.csv`, which has no rows"]));
}
