//! Rows that do not fit into the memory that is allowed: split on disk, they give the same report.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use serde_json::{Value as Json, json};
use switchback_core::rule::{Duplicates, RowOrder, Rule, Tolerance};

use super::{failure, key, report};

const ROWS: i64 = 6_000;
/// Far less than the rows take, and enough for a part of them.
const MEMORY_BYTES: u64 = 150_000;

/// Rows in an order of their own: `id`, `part` (a few values), `x` and `s`, some of them null. `turn` is odd.
fn rows(turn: i64, change: bool) -> Vec<(i64, String, Option<f64>, Option<String>)> {
    let row = |at: i64| {
        let id = (at * turn).rem_euclid(ROWS);
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let x = (id % 11 != 0).then_some(id as f64 / 7.0);
        let x = if change && id % 1_000 == 3 { x.map(|x| x + 1.0) } else { x };
        let s = (id % 13 != 0).then(|| format!("text, \"{}\" of {id}", id % 5));
        (id, format!("p{}", id % 3), x, s)
    };
    // One row is on one side only.
    (0..ROWS).map(row).filter(|row| !change || row.0 != 1).collect()
}

fn written(folder: &Path, name: &str, format: &str, turn: i64, change: bool) -> PathBuf {
    let path = folder.join(format!("{name}.{format}"));
    let rows = rows(turn, change);
    if format == "parquet" {
        let id: ArrayRef = Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0)));
        let part: ArrayRef = Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.1)));
        let x: ArrayRef = Arc::new(rows.iter().map(|row| row.2).collect::<Float64Array>());
        let s: ArrayRef = Arc::new(rows.iter().map(|row| row.3.clone()).collect::<StringArray>());
        let batch = RecordBatch::try_from_iter([("id", id), ("part", part), ("x", x), ("s", s)]).unwrap();
        let file = std::fs::File::create(&path).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        return path;
    }
    let mut text = if format == "csv" { "id,part,x,s\n".to_owned() } else { String::new() };
    for (id, part, x, s) in rows {
        if format == "csv" {
            let x = x.map_or_else(String::new, |x| format!("{x:?}"));
            let s = s.map_or_else(String::new, |s| format!("\"{}\"", s.replace('"', "\"\"")));
            writeln!(text, "{id},{part},{x},{s}").unwrap();
        } else {
            writeln!(text, "{}", json!({"id": id, "part": part, "x": x, "s": s, "l": [id, null]})).unwrap();
        }
    }
    std::fs::write(&path, text).unwrap();
    path
}

/// Compares with enough memory and with far too little, in each format.
fn same_either_way(rule: &Rule, expected: &Json) {
    for format in ["parquet", "csv", "jsonl"] {
        let folder = tempfile::tempdir().unwrap();
        let old = written(folder.path(), "old", format, 1, false);
        let new = written(folder.path(), "new", format, 1_777, true);
        let whole = report(&old, &new, &Rule { memory_max_bytes: None, ..rule.clone() });
        let split = report(&old, &new, &Rule { memory_max_bytes: Some(MEMORY_BYTES), ..rule.clone() });
        assert_eq!(whole, split, "{format}");
        assert_eq!(&whole["items"][0]["rows"], expected, "{format}");
    }
}

fn counts(equal: i64, different: i64, only: (i64, i64), repeated: i64) -> Json {
    json!({
        "compared": equal + different, "equal": equal, "different": different, "only_old": only.0,
        "only_new": only.1, "duplicate_keys_old": repeated, "duplicate_keys_new": repeated,
    })
}

#[test]
fn a_join_is_the_same_in_parts() {
    // Each 1,000th row is changed, but those whose number is null.
    let changed = (0..ROWS).filter(|id| id % 1_000 == 3 && id % 11 != 0).count();
    let changed = i64::try_from(changed).unwrap();
    same_either_way(&key(&["part", "id"]), &counts(ROWS - 1 - changed, changed, (1, 0), 0));
    let tolerant =
        Rule { tolerance: Tolerance { absolute: Some(2.0), ..Tolerance::default() }, ..key(&["id"]) };
    same_either_way(&tolerant, &counts(ROWS - 1, 0, (1, 0), 0));
}

#[test]
fn a_multiset_is_the_same_in_parts() {
    let changed = (0..ROWS).filter(|id| id % 1_000 == 3 && id % 11 != 0).count();
    let changed = i64::try_from(changed).unwrap();
    let any = Rule { row_order: RowOrder::Any, ..Rule::default() };
    same_either_way(&any, &counts(ROWS - 1 - changed, 0, (changed + 1, changed), 0));
}

#[test]
fn keys_that_repeat_are_matched_the_same_in_parts() {
    let rule = Rule { duplicates: Duplicates::Match, exclude: vec!["id".to_owned()], ..key(&["s"]) };
    let folder = tempfile::tempdir().unwrap();
    let old = written(folder.path(), "old", "parquet", 1, false);
    let new = written(folder.path(), "new", "parquet", 1_777, true);
    let whole = report(&old, &new, &Rule { memory_max_bytes: None, ..rule.clone() });
    let split = report(&old, &new, &Rule { memory_max_bytes: Some(600_000), ..rule });
    assert_eq!(whole, split);
    assert_eq!(whole["items"][0]["rows"]["duplicate_keys_old"], 1, "the rows without a text");
}

#[test]
fn a_key_that_repeats_is_found_in_parts() {
    let folder = tempfile::tempdir().unwrap();
    let text = |twice: i64| {
        let mut text = "id,x\n".to_owned();
        for row in 0..ROWS {
            let id = if row == ROWS - 1 { twice } else { (row * 1_777) % ROWS };
            writeln!(text, "{id},{row}").unwrap();
        }
        text
    };
    let (old, new) = (folder.path().join("old.csv"), folder.path().join("new.csv"));
    std::fs::write(&old, text(1_777)).unwrap();
    std::fs::write(&new, text(3_554)).unwrap();
    let rule = Rule { memory_max_bytes: Some(MEMORY_BYTES), ..key(&["id"]) };
    let said = failure(&old, &new, &rule);
    assert!(said.contains("have the same key (id = "), "{said}");
    let said = failure(&old, &old, &rule);
    assert!(said.contains("rows 1 and 5999 of `old.csv` have the same key (id = 1777)"), "{said}");
}

#[test]
fn rows_that_may_all_meet_one_another_are_not_split() {
    let folder = tempfile::tempdir().unwrap();
    let old = written(folder.path(), "old", "parquet", 1, false);
    let new = written(folder.path(), "new", "parquet", 1_777, true);
    let rule = Rule {
        row_order: RowOrder::Any,
        columns: vec!["x".to_owned()],
        tolerance: Tolerance { absolute: Some(0.01), ..Tolerance::default() },
        memory_max_bytes: Some(MEMORY_BYTES),
        ..Rule::default()
    };
    let said = failure(&old, &new, &rule);
    assert!(said.contains("does not fit into the 150000 bytes of memory"), "{said}");
}
