//! Many batches of rows in two orders, matched by key: what is found is what is found where both stand in one order.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, FixedSizeBinaryArray,
    Float32Array, Float64Array, Int64Array, ListArray, RecordBatch, StringArray, TimestampMicrosecondArray,
    UInt32Array,
};
use arrow_ipc::writer::FileWriter;
use parquet::arrow::ArrowWriter;
use serde_json::{Value as Json, json};
use switchback_core::rule::{Pairing, Rule, Tolerance};

use super::{key, report};

/// Several batches, and one that is not full.
const ROWS: i64 = 30_001;
/// More than the rows that are looked at together.
const ROWS_MANY: i64 = 150_001;

/// Cells of every kind that is laid out as bytes, zeros of two signs, NaN and nulls among them. `ids`: the rows, by number.
fn batch(ids: &[i64], changed: &dyn Fn(i64) -> bool) -> RecordBatch {
    let every = |n: i64, id: i64| (id % n != 0).then_some(id);
    let float = |id: i64| match id % 101 {
        0 => None,
        1 => Some(-0.0),
        2 => Some(f64::NAN),
        _ => Some(if changed(id) { 0.5 } else { 0.0 } + narrow(id) / 8.0),
    };
    let text = |id: i64| {
        every(7, id).map(|id| format!("{}{id}", if id % 2 == 0 { "" } else { "a text that is long: " }))
    };
    let mark = |id: i64| text(id).map(|text| if changed(id) { text + "!" } else { text });
    #[expect(clippy::cast_possible_truncation, reason = "singles are told by what is left of a double")]
    let single = |id: i64| float(id).map(|value| value as f32);
    let int = |id: i64| i32::try_from(id).unwrap();
    let kind = |id: i64| ["x", "y", "a longer kind"][usize::try_from(id % 3).unwrap()];
    let list = |id: i64| every(10, id).map(|id| vec![Some(int(id)), None]);
    let decimals: Decimal128Array = ids.iter().map(|id| every(8, *id).map(i128::from)).collect();
    let kinds: DictionaryArray<Int32Type> = ids.iter().map(|id| kind(*id)).collect();
    let bytes = FixedSizeBinaryArray::try_from_iter(ids.iter().map(|id| id.to_le_bytes())).unwrap();
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>(ids.iter().map(|id| list(*id)));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("part", column::<StringArray, _>(ids, |id| every(5, id).map(|id| format!("p{}", id % 4)))),
        ("id", column::<Int64Array, _>(ids, Some)),
        ("float", column::<Float64Array, _>(ids, float)),
        ("single", column::<Float32Array, _>(ids, single)),
        ("text", column::<StringArray, _>(ids, mark)),
        ("kind", Arc::new(kinds)),
        ("flag", column::<BooleanArray, _>(ids, |id| every(9, id).map(|id| id % 2 == 0))),
        ("count", column::<UInt32Array, _>(ids, |id| every(3, id).map(|id| u32::try_from(id).unwrap()))),
        ("day", column::<Date32Array, _>(ids, |id| every(4, id).map(int))),
        ("at", column::<TimestampMicrosecondArray, _>(ids, |id| every(6, id))),
        ("price", Arc::new(decimals.with_precision_and_scale(20, 2).unwrap())),
        ("bytes", Arc::new(bytes)),
        ("list", Arc::new(lists)),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

/// One cell for each id.
fn column<A: Array + FromIterator<Option<T>> + 'static, T>(
    ids: &[i64],
    cell: impl Fn(i64) -> Option<T>,
) -> ArrayRef {
    Arc::new(ids.iter().map(|id| cell(*id)).collect::<A>())
}

fn narrow(id: i64) -> f64 {
    f64::from(i32::try_from(id).unwrap())
}

fn written(folder: &Path, name: &str, batch: &RecordBatch) -> PathBuf {
    let path = folder.join(name);
    let file = std::fs::File::create(&path).unwrap();
    if name.ends_with("arrow") {
        let mut writer = FileWriter::try_new(file, &batch.schema()).unwrap();
        for start in (0..batch.num_rows()).step_by(5_000) {
            writer.write(&batch.slice(start, 5_000.min(batch.num_rows() - start))).unwrap();
        }
        writer.finish().unwrap();
    } else {
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(batch).unwrap();
        writer.close().unwrap();
    }
    path
}

/// Rows in another order, which is the same every time.
fn turned(ids: &[i64]) -> Vec<i64> {
    let len = ids.len();
    (0..len).map(|at| ids[(at * 7_919 + 13) % len]).collect()
}

/// What does not depend on where rows stand.
fn findings(report: &Json) -> Json {
    let item = &report["items"][0];
    let columns: Vec<Json> = item["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| {
            let mut column = column.clone();
            for place in ["worst", "explanation"] {
                column.as_object_mut().unwrap().remove(place);
            }
            column
        })
        .collect();
    json!({"verdict": item["verdict"], "relation": item["relation"], "rows": item["rows"], "columns": columns})
}

#[test]
fn a_join_finds_what_lockstep_finds() {
    let folder = tempfile::tempdir().unwrap();
    let ids: Vec<i64> = (0..ROWS).collect();
    let changed = |id: i64| id % 1_000 == 3;
    let old = written(folder.path(), "old.parquet", &batch(&ids, &|_| false));
    let same = written(folder.path(), "same.parquet", &batch(&turned(&ids), &|_| false));
    let one_order = written(folder.path(), "one-order.parquet", &batch(&ids, &changed));
    let new_ids = turned(&ids);
    let new = written(folder.path(), "new.parquet", &batch(&new_ids, &changed));
    let arrow = written(folder.path(), "new.arrow", &batch(&new_ids, &changed));
    let tolerant =
        Rule { tolerance: Tolerance { absolute: Some(1.0), ..Tolerance::default() }, ..key(&["id"]) };
    let strict = Rule { nan: Pairing::Different, ..key(&["id"]) };
    for rule in [key(&["id"]), key(&["part", "id"]), tolerant, strict] {
        let expected = report(&old, &one_order, &rule);
        assert_eq!(expected["items"][0]["proof"], "lockstep");
        for (path, is_same) in [(&new, false), (&arrow, false), (&same, true)] {
            let found = report(&old, path, &rule);
            assert_eq!(found["items"][0]["proof"], "join");
            if is_same {
                let different = if rule.nan == Pairing::Equal {
                    0
                } else {
                    ids.iter().filter(|id| **id % 101 == 2).count()
                };
                assert_eq!(found["items"][0]["rows"]["different"], different);
            } else {
                assert_eq!(findings(&found), findings(&expected), "{}", path.display());
            }
        }
    }
}

#[test]
fn rows_on_one_side_are_found_among_many_batches() {
    let folder = tempfile::tempdir().unwrap();
    let ids: Vec<i64> = (0..ROWS_MANY).collect();
    let old_ids: Vec<i64> = ids.iter().copied().filter(|id| id % 30_000 != 7).collect();
    let new_ids: Vec<i64> = ids.iter().copied().filter(|id| id % 20_000 != 9).collect();
    let old = written(folder.path(), "old.parquet", &batch(&old_ids, &|_| false));
    let new = written(folder.path(), "new.parquet", &batch(&turned(&new_ids), &|_| false));
    let found = report(&old, &new, &key(&["id"]));
    let (only_old, only_new) = (ids.len() - new_ids.len(), ids.len() - old_ids.len());
    let compared = ids.len() - only_old - only_new;
    assert_eq!(
        found["items"][0]["rows"],
        json!({
            "compared": compared, "equal": compared, "different": 0, "only_old": only_old, "only_new": only_new,
            "duplicate_keys_old": 0, "duplicate_keys_new": 0,
        })
    );
}
