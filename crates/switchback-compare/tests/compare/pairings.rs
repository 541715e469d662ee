//! Pairing rows, against an oracle that tries every pairing; and what no way of writing a table may change.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{WriterProperties, WriterVersion};
use proptest::prelude::*;
use serde_json::Value as Json;
use switchback_core::rule::{Duplicates, RowOrder, Rule, Tolerance};

use super::{key, report};

/// A key that repeats, and two values of few kinds, so that many rows are near to one another.
type Row = (i64, i64, i64);

fn rows() -> impl Strategy<Value = Vec<Row>> {
    proptest::collection::vec((0..2_i64, 0..6_i64, 0..3_i64), 0..6)
}

fn write(folder: &Path, name: &str, rows: &[Row]) -> PathBuf {
    let path = folder.join(name);
    let mut lines = vec!["id,x,y".to_owned()];
    lines.extend(rows.iter().map(|(id, x, y)| format!("{id},{x}.5,{y}")));
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    path
}

fn compared(old: &[Row], new: &[Row], rule: &Rule) -> Json {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (write(folder.path(), "old.csv", old), write(folder.path(), "new.csv", new));
    report(&old, &new, &Rule { allow_empty: true, ..rule.clone() })["items"][0].clone()
}

fn cells(old: &Row, new: &Row, bound: i64) -> i64 {
    i64::from((old.1 - new.1).abs() > bound) + i64::from(old.2 != new.2)
}

/// The best pairing of all rows of the shorter side: most exact, then most equal, then fewest differing cells.
fn best(old: &[Row], new: &[Row], bound: i64) -> (i64, i64, i64) {
    if old.len() > new.len() {
        return best(new, old, bound);
    }
    let Some((first, rest)) = old.split_first() else { return (0, 0, 0) };
    let options = (0..new.len()).map(|at| {
        let mut left = new.to_vec();
        let other = left.remove(at);
        let (exact, equal, different) = best(rest, &left, bound);
        let cells = cells(first, &other, bound);
        (exact + i64::from(*first == other), equal + i64::from(cells == 0), different - cells)
    });
    options.max().unwrap()
}

/// The most rows that can be paired so that all pairs are equal.
fn most(old: &[Row], new: &[Row], bound: i64) -> i64 {
    let Some((first, rest)) = old.split_first() else { return 0 };
    let mut found = most(rest, new, bound);
    for at in 0..new.len() {
        let mut left = new.to_vec();
        let other = left.remove(at);
        if first.0 == other.0 && cells(first, &other, bound) == 0 {
            found = found.max(1 + most(rest, &left, bound));
        }
    }
    found
}

fn absolute(bound: i64) -> Tolerance {
    Tolerance { absolute: Some(f64::from(i32::try_from(bound).unwrap())), ..Tolerance::default() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_multiset_pairs_as_many_rows_as_any_pairing(old in rows(), new in rows(), bound in 0..3_i64) {
        // A bound on `x` alone: `id` and `y` are exact.
        let own = [("x".to_owned(), absolute(bound))].into();
        let rule = Rule { row_order: RowOrder::Any, column_tolerance: own, ..Rule::default() };
        let item = compared(&old, &new, &rule);
        prop_assert_eq!(item["rows"]["equal"].as_i64().unwrap(), most(&old, &new, bound));
        prop_assert_eq!(&item["rows"]["different"], 0);
    }

    #[test]
    fn rows_of_one_key_are_paired_as_well_as_any_pairing(old in rows(), new in rows(), bound in 0..3_i64) {
        let own = [("x".to_owned(), absolute(bound))].into();
        let rule = Rule { duplicates: Duplicates::Match, column_tolerance: own, ..key(&["id"]) };
        let item = compared(&old, &new, &rule);
        let (mut compared, mut equal, mut different) = (0, 0, 0);
        for id in 0..2 {
            let group = |rows: &[Row]| rows.iter().filter(|row| row.0 == id).copied().collect::<Vec<_>>();
            let (old, new) = (group(&old), group(&new));
            let (_, group_equal, group_cells) = best(&old, &new, bound);
            compared += old.len().min(new.len());
            equal += group_equal;
            different -= group_cells;
        }
        prop_assert_eq!(&item["rows"]["compared"], compared);
        prop_assert_eq!(item["rows"]["equal"].as_i64().unwrap(), equal);
        let found: i64 = item["columns"].as_array().unwrap().iter().map(|column| column["cells_different"].as_i64().unwrap()).sum();
        prop_assert_eq!(found, different);
    }
}

fn parquet(path: &Path, rows: &[Row], settings: WriterProperties) {
    let id: ArrayRef = Arc::new(Int64Array::from_iter_values(0..i64::try_from(rows.len()).unwrap()));
    let x = rows.iter().map(|row| (row.1 != 5).then(|| f64::from(i32::try_from(row.1).unwrap())));
    let x: ArrayRef = Arc::new(x.collect::<Float64Array>());
    let s: ArrayRef =
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| format!("text {}", row.2))));
    let batch = RecordBatch::try_from_iter([("id", id), ("x", x), ("s", s)]).unwrap();
    let mut writer =
        ArrowWriter::try_new(std::fs::File::create(path).unwrap(), batch.schema(), Some(settings)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn settings() -> impl Strategy<Value = WriterProperties> {
    let compression = prop_oneof![
        Just(Compression::UNCOMPRESSED),
        Just(Compression::SNAPPY),
        Just(Compression::ZSTD(ZstdLevel::default()))
    ];
    let version = prop_oneof![Just(WriterVersion::PARQUET_1_0), Just(WriterVersion::PARQUET_2_0)];
    (compression, version, any::<bool>(), 1..50_usize, 1..50_usize).prop_map(
        |(compression, version, dictionary, group, page)| {
            WriterProperties::builder()
                .set_compression(compression)
                .set_writer_version(version)
                .set_dictionary_enabled(dictionary)
                .set_max_row_group_row_count(Some(group))
                .set_data_page_row_count_limit(page)
                .set_write_batch_size(page)
                .build()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn how_a_table_is_written_does_not_matter(rows in proptest::collection::vec((0..2_i64, 0..6_i64, 0..3_i64), 1..60), one in settings(), two in settings(),
        changes in proptest::collection::vec(any::<prop::sample::Index>(), 0..5)) {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old.parquet"), folder.path().join("new.parquet"));
        let mut changed = rows.clone();
        let places: std::collections::BTreeSet<usize> = changes.iter().map(|at| at.index(rows.len())).collect();
        for at in &places {
            changed[*at].2 += 10;
        }
        parquet(&old, &rows, one);
        parquet(&new, &changed, two);
        for rule in [Rule::default(), key(&["id"]), Rule { duplicates: Duplicates::Match, ..key(&["id"]) }] {
            let report = report(&old, &new, &rule);
            let item = &report["items"][0];
            prop_assert_eq!(&report["verdict"], if places.is_empty() { "yes" } else { "no" });
            prop_assert_eq!(&item["rows"]["different"], places.len());
            prop_assert_eq!(&item["rows"]["equal"], rows.len() - places.len());
            if places.is_empty() {
                prop_assert!(item["relation"] == "bitwise" || item["relation"] == "bytes");
            }
        }
    }

    #[test]
    fn chunks_prove_what_reading_proves(rows in proptest::collection::vec((0..2_i64, 0..6_i64, 0..3_i64), 1..60), settings in settings(),
        change in proptest::option::of(any::<prop::sample::Index>())) {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old.parquet"), folder.path().join("new.parquet"));
        let mut changed = rows.clone();
        if let Some(at) = &change {
            let at = at.index(rows.len());
            changed[at].2 += 10;
        }
        parquet(&old, &rows, settings.clone());
        // Other words in the footer: the files' bytes are never the same.
        let marked = settings.into_builder().set_created_by("another writer".to_owned()).build();
        parquet(&new, &changed, marked);
        for rule in [Rule::default(), key(&["id"])] {
            let report = report(&old, &new, &rule);
            let item = &report["items"][0];
            prop_assert_eq!(&item["proof"], if change.is_none() { "chunks" } else { "lockstep" });
            prop_assert_eq!(&item["rows"]["different"], usize::from(change.is_some()));
        }
    }
}
