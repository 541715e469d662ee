//! Input that cannot be read ends in an error that names file, place, reason and next move.

use std::fmt::Write as _;
use std::path::Path;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use std::sync::Arc;
use switchback_core::port::Comparer;
use switchback_core::rule::Rule;

use super::{comparer, failure};

/// Compares a good file with a damaged one.
fn check(name: &str, good: &[u8], damaged: &[u8], said: &str) {
    let folder = tempfile::tempdir().unwrap();
    let ending = name.rsplit('.').next().unwrap();
    let (old, new) = (folder.path().join(format!("good.{ending}")), folder.path().join(name));
    std::fs::write(&old, good).unwrap();
    std::fs::write(&new, damaged).unwrap();
    assert_eq!(failure(&old, &new, &Rule::default()), said);
    // Damaged on both sides, byte for byte alike, is no equality either.
    assert_eq!(failure(&new, &new, &Rule::default()), said);
}

const AGAIN: &str = "write the file again, then compare again";

#[test]
fn csv() {
    let good = b"id,x\n1,2\n";
    check(
        "bad.csv",
        good,
        b"id,x\n1,2\n3\n",
        &format!("`bad.csv` line 3 cannot be read\na row of 1 fields under a header of 2\n{AGAIN}"),
    );
    check(
        "bad.csv",
        good,
        b"id,x\n1,\0\n",
        &format!("`bad.csv` line 2 cannot be read\nit holds a NUL byte\n{AGAIN}"),
    );
    check("bad.csv", good, b"", &format!("`bad.csv` cannot be read\nit has no header\n{AGAIN}"));
    check(
        "bad.csv",
        good,
        b"id,id\n1,2\n",
        "`bad.csv` has two columns named `id` (columns 0 and 1, counted from 0)\ngive every column a name of its own",
    );
}

#[test]
fn json_lines() {
    let good = b"{\"a\": 1}\n";
    check(
        "bad.jsonl",
        good,
        b"{\"a\": 1}\n\n{\"a\": 1,}\n",
        &format!("`bad.jsonl` line 3 column 9 cannot be read\nkey must be a string\n{AGAIN}"),
    );
    check(
        "bad.jsonl",
        good,
        b"[1]\n",
        &format!("`bad.jsonl` line 1 column 1 cannot be read\na line must be one JSON object\n{AGAIN}"),
    );
}

#[test]
fn documents() {
    let good = b"{\"a\": 1}";
    check(
        "bad.json",
        good,
        b"{\n  \"a\": 1\n  \"b\": 2\n}",
        &format!("`bad.json` line 3 column 3 cannot be read\nexpected `,` or `}}`\n{AGAIN}"),
    );
    check(
        "bad.json",
        good,
        b"{\n  \"a\": 1,\n  \"a\": 2\n}",
        &format!("`bad.json` line 3 column 8 cannot be read\nthe object has two members named `a`\n{AGAIN}"),
    );
    check(
        "bad.json",
        good,
        b"{\"a\": 1e999}",
        &format!(
            "`bad.json` line 1 column 7 cannot be read\nthe number `1e999` is beyond the largest float\n{AGAIN}"
        ),
    );
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    check(
        "bad.json",
        good,
        deep.as_bytes(),
        &format!("`bad.json` line 1 column 130 cannot be read\nit is nested deeper than 128 levels\n{AGAIN}"),
    );
    check(
        "bad.json",
        good,
        b"\"\xff\"",
        &format!("`bad.json` line 1 column 2 cannot be read\nit is not UTF-8\n{AGAIN}"),
    );
    check(
        "bad.toml",
        b"a = 1",
        b"a = 1\nb = = 2",
        &format!("`bad.toml` line 2 column 5 cannot be read\nextra `=`, expected nothing\n{AGAIN}"),
    );
    check(
        "bad.yaml",
        b"a: 1",
        b"a: 1\na: 2\n",
        &format!("`bad.yaml` line 2 column 1 cannot be read\nthe mapping has two members named `a`\n{AGAIN}"),
    );
}

#[test]
fn yaml_aliases_cannot_make_billions() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        writeln!(text, "a{level}: &a{level} [{aliases}]").unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("laughs.yaml");
    std::fs::write(&path, text).unwrap();
    let said = failure(&path, &path, &Rule::default());
    assert!(said.contains("it has more than 10000000 values"), "{said}");
}

fn parquet(path: &Path, rows: i64) {
    let cells: ArrayRef = Arc::new(Int64Array::from_iter_values((0..rows).map(|row| row * 7_919 % 10_007)));
    let batch = RecordBatch::try_from_iter([("n", cells.clone()), ("m", cells)]).unwrap();
    let mut writer =
        ArrowWriter::try_new(std::fs::File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

#[test]
fn truncated_parquet_at_any_length() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("good.parquet"), folder.path().join("bad.parquet"));
    parquet(&old, 20_000);
    let bytes = std::fs::read(&old).unwrap();
    for length in [0, 1, 4, 8, 100, bytes.len() / 2, bytes.len() - 9, bytes.len() - 1] {
        std::fs::write(&new, bytes.get(..length).unwrap()).unwrap();
        let said = failure(&old, &new, &Rule::default());
        assert!(said.starts_with("`bad.parquet` cannot be read\n"), "{length}: {said}");
    }
}

#[test]
fn parquet_with_a_damaged_page_names_row_group_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("good.parquet"), folder.path().join("bad.parquet"));
    parquet(&old, 20_000);
    let mut bytes = std::fs::read(&old).unwrap();
    // The header of the very first page: the first column's.
    for byte in bytes.iter_mut().skip(4).take(16) {
        *byte = 0xff;
    }
    std::fs::write(&new, bytes).unwrap();
    let said = failure(&old, &new, &Rule::default());
    assert!(said.starts_with("`bad.parquet` row group 0 column `n` cannot be read\n"), "{said}");
}

#[test]
fn parquet_with_any_byte_damaged_ends_in_a_verdict_or_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("good.parquet"), folder.path().join("bad.parquet"));
    parquet(&old, 60);
    let bytes = std::fs::read(&old).unwrap();
    let mut errors = 0;
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0xff;
        std::fs::write(&new, damaged).unwrap();
        match comparer().compare(&old, &new, &Rule::default()) {
            Ok(answer) => assert_ne!(answer.report, "", "byte {at}"),
            Err(error) => {
                errors += 1;
                assert!(error.causes.join("\n").contains("bad.parquet"), "byte {at}: {error:?}");
            }
        }
    }
    assert!(errors > bytes.len() / 4, "only {errors} of {} damages were noticed", bytes.len());
}

/// A text of a megabyte that stands once in the file, and in thousands of rows.
fn long_dictionary(path: &Path, rows: usize, last: &str) {
    let long = "x".repeat(1 << 20);
    let settings = WriterProperties::builder().set_dictionary_page_size_limit(1 << 24).build();
    let batch = |texts: Vec<&str>| {
        let texts: ArrayRef = Arc::new(StringArray::from(texts));
        RecordBatch::try_from_iter([("text", texts)]).unwrap()
    };
    let file = std::fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch(Vec::new()).schema(), Some(settings)).unwrap();
    for _ in 0..rows / 10 {
        writer.write(&batch(vec![&long; 10])).unwrap();
    }
    writer.write(&batch(vec![last])).unwrap();
    writer.close().unwrap();
}

#[test]
#[ignore = "slow: gigabytes of text, decoded"]
fn text_that_a_dictionary_keeps_once_is_compared_a_few_rows_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old.parquet"), folder.path().join("new.parquet"));
    long_dictionary(&old, 2_500, "a");
    long_dictionary(&new, 2_500, "b");
    assert!(std::fs::metadata(&old).unwrap().len() < 4 << 20, "the text stands once in the file");
    let report: serde_json::Value =
        serde_json::from_str(&comparer().compare(&old, &new, &Rule::default()).unwrap().report).unwrap();
    assert_eq!(report["items"][0]["rows"]["equal"], 2_500);
    assert_eq!(report["items"][0]["first"]["row_old"], 2_500);
}

#[test]
fn what_is_not_there_or_of_two_kinds() {
    let folder = tempfile::tempdir().unwrap();
    let (table, document, nothing) =
        (folder.path().join("a.csv"), folder.path().join("a.json"), folder.path().join("a.txt"));
    std::fs::write(&table, "a\n1\n").unwrap();
    std::fs::write(&document, "1").unwrap();
    let rule = Rule::default();
    assert!(failure(&table, &nothing, &rule).starts_with("`a.txt` does not exist\n"));
    assert!(failure(&table, &document, &rule).starts_with("`a.csv` and `a.json` are of different kinds"));
    std::fs::create_dir(&nothing).unwrap();
    assert!(failure(&table, &nothing, &rule).starts_with("`a.csv` is a file and `a.txt` is a directory\n"));
}
