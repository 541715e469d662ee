//! Columns whose stored bytes are the same on both sides are not decoded.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch};
use parquet::arrow::ArrowWriter;
use parquet::file::reader::{FileReader, SerializedFileReader};
use serde_json::json;

use super::{failure, key, report};

const ROWS: i32 = 20_000;

/// Two columns; of `changed`, one row may hold another value.
fn written(folder: &Path, name: &str, change: bool) -> PathBuf {
    let id: ArrayRef = Arc::new(Int64Array::from_iter_values(0..i64::from(ROWS)));
    let same = |row: i32| f64::from(row * 7_919 % 10_007) / 3.0;
    let changed = |row: i32| same(row) + if change && row == 12_345 { 1.0 } else { 0.0 };
    let same_column: ArrayRef = Arc::new(Float64Array::from_iter_values((0..ROWS).map(same)));
    let changed_column: ArrayRef = Arc::new(Float64Array::from_iter_values((0..ROWS).map(changed)));
    let batch =
        RecordBatch::try_from_iter([("id", id), ("same", same_column), ("changed", changed_column)]).unwrap();
    let path = folder.join(name);
    let mut writer =
        ArrowWriter::try_new(std::fs::File::create(&path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    path
}

/// Overwrites what the column's first page says of itself, so that whoever decodes the column fails.
fn spoil(path: &Path, column: usize) {
    let reader = SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap();
    let (start, length) = reader.metadata().row_group(0).column(column).byte_range();
    let (start, length) = (usize::try_from(start).unwrap(), usize::try_from(length).unwrap());
    let mut bytes = std::fs::read(path).unwrap();
    bytes[start..start + length.min(16)].fill(0xff);
    std::fs::write(path, bytes).unwrap();
}

// rows: BX-7
#[test]
fn a_column_of_the_same_stored_bytes_is_not_decoded() {
    let folder = tempfile::tempdir().unwrap();
    let old = written(folder.path(), "old.parquet", false);
    let new = written(folder.path(), "new.parquet", true);
    let whole = report(&old, &new, &key(&["id"]));
    spoil(&old, 1);
    spoil(&new, 1);
    let found = report(&old, &new, &key(&["id"]));
    let item = &found["items"][0];
    assert_eq!(item["verdict"], "no");
    assert_eq!(item["rows"], whole["items"][0]["rows"]);
    assert_eq!(item["columns"], whole["items"][0]["columns"]);
    assert_eq!(item["columns"][0]["name"], "changed");
    assert_eq!(item["first"]["key"], json!({"id": 12_345}));
    // What stands in the file must be read where the bytes are not the same.
    let other = written(folder.path(), "other.parquet", true);
    let said = failure(&old, &other, &key(&["id"]));
    assert!(said.contains("old.parquet"), "{said}");
}
