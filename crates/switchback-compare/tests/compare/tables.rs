//! CSV, JSON lines and Parquet as tables, and what their report says.

use std::sync::Arc;

use arrow_array::{ArrayRef, DictionaryArray, Float64Array, RecordBatch, StringArray, types::Int32Type};
use parquet::arrow::ArrowWriter;
use serde_json::{Value as Json, json};
use switchback_core::port::Comparer;
use switchback_core::rule::{Rule, Tolerance};
use switchback_core::verdict::Verdict;

use super::{comparer, failure, key, report};

fn check(old: (&str, &[u8]), new: (&str, &[u8]), rule: &Rule, verdict: &str) -> Json {
    let folder = tempfile::tempdir().unwrap();
    let (old_path, new_path) =
        (folder.path().join(format!("old.{}", old.0)), folder.path().join(format!("new.{}", new.0)));
    std::fs::write(&old_path, old.1).unwrap();
    std::fs::write(&new_path, new.1).unwrap();
    let report = report(&old_path, &new_path, rule);
    assert_eq!(report["verdict"], verdict, "{report:#}");
    report["items"][0].clone()
}

fn csv(old: &str, new: &str, rule: &Rule, verdict: &str) -> Json {
    check(("csv", old.as_bytes()), ("csv", new.as_bytes()), rule, verdict)
}

#[test]
fn the_report_has_counts_distances_and_a_witness() {
    let rule = Rule { tolerance: Tolerance { absolute: Some(0.5), ..Tolerance::default() }, ..key(&["id"]) };
    let item = csv(
        "id,x,s\n1,1.5,a\n2,2.0,b\n3,3.0,\n4,0.0,d\n",
        "id,x,s\n3,3.25,c\n1,150.0,a\n2,2.0,b\n5,0,e\n",
        &rule,
        "no",
    );
    assert_eq!(item["proof"], "join");
    assert_eq!(item["relation"], "different");
    let rows = json!({"compared": 3, "equal": 1, "different": 2, "only_old": 1, "only_new": 1,
        "duplicate_keys_old": 0, "duplicate_keys_new": 0});
    assert_eq!(item["rows"], rows);
    let worst =
        json!({"row_old": 0, "row_new": 1, "key": {"id": 1}, "column": "x", "old": 1.5, "new": 150.0});
    assert_eq!(item["columns"][0]["worst"], worst);
    assert_eq!(item["columns"][0]["cells_different"], 1);
    assert_eq!(item["columns"][0]["cells_not_identical"], 2);
    assert_eq!(item["columns"][0]["max_absolute"], 148.5);
    assert_eq!(item["columns"][0]["max_relative"], 0.99);
    assert_eq!(item["columns"][1]["null_mismatches"], 1);
    assert_eq!(item["columns"][1]["max_absolute"], json!(null));
    assert_eq!(item["first"], worst);
    assert_eq!(item["sample"].as_array().unwrap().len(), 2);
    assert_eq!(item["rows_only_old"], json!([{"row": 3, "key": {"id": 4}}]));
    assert_eq!(item["rows_only_new"], json!([{"row": 3, "key": {"id": 5}}]));
}

#[test]
fn a_success_tells_its_worst_error() {
    let rule =
        Rule { tolerance: Tolerance { relative: Some(0.01), ..Tolerance::default() }, ..Rule::default() };
    let item = csv("x,y\n1.0,0.0\n100.0,1.0\n", "x,y\n1.0,-0.0\n100.5,1.0\n", &rule, "yes");
    assert_eq!((&item["proof"], &item["relation"]), (&json!("lockstep"), &json!("tolerance")));
    assert_eq!(item["columns"][0]["worst"]["new"], 100.5);
    assert_eq!(item["columns"][1]["cells_not_identical"], 0);
    assert_eq!(item["columns"][1]["max_absolute"], 0.0);
}

#[test]
fn surplus_rows_and_the_first_difference() {
    let item = csv("x\n1\n2\n", "x\n1\n2\n3\n4\n", &Rule::default(), "no");
    assert_eq!(item["rows"]["only_new"], 2);
    assert_eq!(item["rows_only_new"][1]["row"], 3);
    assert_eq!(item["first"]["row_new"], 2);
    assert_eq!(item["first"]["row_old"], json!(null));
}

#[test]
fn no_rows_is_unknown_unless_allowed() {
    let empty = Rule { allow_empty: true, ..Rule::default() };
    for new in ["x,y\n", "y,x\n"] {
        csv("x,y\n", new, &Rule::default(), "unknown");
        csv("x,y\n", new, &empty, "yes");
        csv("x,y\n", new, &key(&["x"]), "unknown");
    }
    csv("x,y\n", "x,z\n", &empty, "no");
    let nothing_left = Rule { exclude: vec!["x".to_owned()], ..Rule::default() };
    let item = csv("x\n1\n", "x\n1\n", &nothing_left, "unknown");
    assert_eq!(item["not_compared"], json!(["column `x` is excluded"]));
    csv("x\n1\n", "x\n2\n", &nothing_left, "unknown");
}

#[test]
fn csv_types_are_found_over_the_whole_file() {
    let rule = Rule::default();
    let changed = |old, new| {
        let item = csv(old, new, &rule, "no");
        item["types_changed"][0].clone()
    };
    assert_eq!(
        changed("x\n1\n2\n", "x\n1\n2.5\n"),
        json!({"column": "x", "old": "integer", "new": "number"})
    );
    assert_eq!(changed("x\n7\n", "x\n007\n"), json!({"column": "x", "old": "integer", "new": "text"}));
    csv("x,y\n1,\n2,\n", "x,y\n1,\n2,\n", &rule, "yes");
    let nothing = csv("x,y\n1,\n2,\n", "x,y\n1,5\n2,\n", &rule, "no");
    assert_eq!(nothing["types_changed"], json!([]));
    assert_eq!(nothing["rows"]["different"], 1);
    // An integer in a column of numbers keeps all its digits.
    let exact = csv("x\n0.5\n9007199254740993\n", "x\n0.5\n9007199254740992\n", &rule, "no");
    assert_eq!(exact["first"]["old"], "9007199254740993");
    csv("x\n1.50\n", "x\n1.5\n", &rule, "yes");
    csv("x\n01.5\n", "x\n1.5\n", &rule, "no");
    csv("d\n2026-01-02T10:00:00Z\n", "d\n2026-01-02T11:00:00+01:00\n", &rule, "yes");
    csv("d\nNA\n", "d\n\"\"\n", &rule, "no");
}

#[test]
fn delimiters_and_encodings_are_found_for_each_file() {
    let rule = Rule::default();
    csv("a,b\n\"x,y\",1.5\n", "a;b\n\"x,y\";1.5\n", &rule, "yes");
    let text = "name,n\ncafé,1\n";
    let utf16: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
    for other in [utf16.as_slice(), marked.as_slice(), b"name,n\r\ncaf\xe9,1\r\n", b"name\tn\ncaf\xe9\t1\n"] {
        let item = check(("csv", text.as_bytes()), ("csv", other), &rule, "yes");
        assert_eq!(item["relation"], "bitwise");
    }
}

#[test]
fn json_lines_are_tables() {
    let lines = b"{\"id\": 1, \"x\": 1.5, \"l\": [1, {\"a\": 2}]}\n\n{\"id\": 2}\n";
    check(
        ("jsonl", lines),
        ("ndjson", b"{\"x\": 1.5, \"l\": [1, {\"a\": 2.0}], \"id\": 1}\n{\"id\": 2}\n"),
        &key(&["id"]),
        "yes",
    );
    let item = check(
        ("jsonl", lines),
        ("jsonl", b"{\"id\": 1, \"x\": 1.5, \"l\": [1]}\n{\"id\": 2}"),
        &Rule::default(),
        "no",
    );
    assert_eq!(item["first"]["column"], "l");
    check(("jsonl", b"{\"id\": 1, \"x\": 1.5}\n"), ("csv", b"id,x\n1,1.5\n"), &key(&["id"]), "yes");
    check(("jsonl", b""), ("jsonl", b"\n"), &Rule::default(), "unknown");
}

fn parquet(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

#[test]
fn parquet_meets_csv_and_storage_is_no_type() {
    let x: ArrayRef = Arc::new(Float64Array::from(vec![Some(-0.0), None, Some(f64::NAN)]));
    let plain: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "a"]));
    let coded: ArrayRef = Arc::new(["a", "b", "a"].into_iter().collect::<DictionaryArray<Int32Type>>());
    let old = parquet(vec![("x", x.clone()), ("s", plain)]);
    let new = parquet(vec![("s", coded), ("x", x)]);
    let item = check(("parquet", &old), ("parquet", &new), &Rule::default(), "yes");
    assert_eq!((&item["relation"], &item["columns_reordered"]), (&json!("bitwise"), &json!(true)));
    let item = check(("parquet", &old), ("csv", b"x,s\n0.0,a\n,b\nNaN,a\n"), &Rule::default(), "yes");
    assert_eq!(item["relation"], "identical");
    let item = check(("parquet", &old), ("csv", b"x,s\n0.0,a\nNaN,b\ninf,a\n"), &Rule::default(), "no");
    assert_eq!(item["columns"][0]["null_mismatches"], 1);
    assert_eq!(item["sample"][1]["old"], "NaN");
    assert_eq!(item["sample"][1]["new"], "inf");
    // Without a column that counts, nothing is compared but the number of rows.
    let all = Rule { exclude: vec!["x".to_owned(), "s".to_owned()], ..Rule::default() };
    let item = check(("parquet", &old), ("parquet", &new), &all, "unknown");
    assert_eq!(item["rows"]["compared"], 3);
}

#[test]
fn equal_bytes_still_need_a_key_that_names_one_row() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old.csv"), folder.path().join("new.csv"));
    std::fs::write(&old, "id,x\n1,a\n2,b\n2,c\n").unwrap();
    std::fs::copy(&old, &new).unwrap();
    let item = report(&old, &new, &Rule::default())["items"][0].clone();
    assert_eq!(
        (&item["proof"], &item["relation"], &item["rows"]["equal"]),
        (&json!("bytes"), &json!("bytes"), &json!(3))
    );
    let said = failure(&old, &new, &key(&["id"]));
    assert_eq!(
        said,
        "rows 1 and 2 of `old.csv` have the same key (id = 2)\nadd the column that tells these rows apart to the key, or have rows of one key paired"
    );
    let said = failure(&old, &new, &key(&["ident"]));
    assert_eq!(said, "`old.csv` has no key column `ident`\nchoose the key from `id`, `x`");
}

#[test]
fn the_port_answers_with_a_line_and_a_document() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("t.csv"), folder.path().join("u.csv"));
    std::fs::write(&old, "id,x\n1,1.5\n2,2.5\n").unwrap();
    std::fs::write(&new, "id,x\n1,1.5\n2,3.5\n").unwrap();
    let answer = comparer().compare(&old, &new, &key(&["id"])).unwrap();
    assert_eq!(answer.verdict, Verdict::No);
    assert_eq!(answer.summary, "`t.csv` differs: 1 of 2 rows; first in `x` at id = 2: 2.5 became 3.5");
    assert!(answer.report.starts_with("{\n  \"schema\": \"switchback/compare/1\",\n  \"verdict\": \"no\""));
    let answer = comparer().compare(&old, &old, &Rule::default()).unwrap();
    assert_eq!(answer.summary, "identical byte by byte (`t.csv`: 2 rows)");
}

// rows: BX-8
#[test]
fn the_line_says_how_close_what_was_left_out_and_why() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("t.csv"), folder.path().join("u.csv"));
    let said = |one: &str, two: &str, rule: &Rule| {
        std::fs::write(&old, one).unwrap();
        std::fs::write(&new, two).unwrap();
        comparer().compare(&old, &new, rule).unwrap().summary
    };
    let one = "id,x,y\n1,1.5,7\n2,2.5,7\n3,3.5,7\n";
    assert_eq!(
        said(one, &one.replace('\n', "\r\n"), &key(&["id"])),
        "identical bit by bit (`t.csv`: 3 rows)"
    );
    let tolerance = Tolerance { absolute: Some(0.5), ..Tolerance::default() };
    let rule = Rule { tolerance, exclude: vec!["y".to_owned()], ..key(&["id"]) };
    assert_eq!(
        said(one, "id,x,y\n3,3.5,8\n2,2.75,8\n1,1.5,8\n", &rule),
        "equal within the tolerance (`t.csv`: 3 rows); worst |a - b| 0.25 in `x` at id = 2; not compared: column `y` is excluded"
    );
    assert_eq!(
        said(one, "id,x,y\n1,150.0,7\n2,250.0,7\n3,350.0,7\n", &rule),
        "`t.csv` differs: 3 of 3 rows; first in `x` at id = 1: 1.5 became 150.0; in `x`: new = 100.0 * old (3 cells); not compared: column `y` is excluded"
    );
    // What is to be left out and is nowhere was mistyped.
    let rule = Rule { exclude: vec!["z".to_owned()], ..Rule::default() };
    assert_eq!(failure(&old, &new, &rule), "`t.csv` has no column `z`\nchoose columns from `id`, `x`, `y`");
}

#[test]
fn a_rule_that_contradicts_itself_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("t.csv");
    std::fs::write(&old, "id,x\n1,1.5\n").unwrap();
    let negative = Tolerance { absolute: Some(-1.0), ..Tolerance::default() };
    let rules = [
        (Rule { tolerance: negative, ..Rule::default() }, "must be a number that is not negative"),
        (Rule { exclude: vec!["id".to_owned()], ..key(&["id"]) }, "`id` is a key and is excluded"),
        (key(&["id", "id"]), "the key names `id` twice"),
        (Rule { stages: vec!["../x".to_owned()], ..Rule::default() }, "is not the name of a folder or file"),
    ];
    for (rule, said) in rules {
        assert!(failure(&old, &old, &rule).contains(said), "{said}");
    }
}
