//! What holds for every table: reflexive, symmetric, exact about changes, blind to row order under a key.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use proptest::prelude::*;
use serde_json::Value as Json;
use switchback_core::rule::{
    ColumnOrder, Duplicates, KeyTypes, RowOrder, Rule, SchemaRule, TextRule, Tolerance,
};

use super::{key, report};

/// `id` (unique), `x`, `s`.
type Row = (i64, Option<f64>, Option<String>);

fn float() -> impl Strategy<Value = f64> {
    prop_oneof![any::<f64>(), Just(0.0), Just(-0.0), Just(f64::NAN), -10.0..10.0]
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let cells = (proptest::option::of(float()), proptest::option::of("[a-c\"\n,é]{1,3}"));
    proptest::collection::vec(cells, 1..40).prop_map(|cells| {
        let numbered = cells.into_iter().enumerate();
        numbered.map(|(at, (x, s))| (i64::try_from(at).unwrap() * 3 - 7, x, s)).collect()
    })
}

fn write(folder: &Path, name: &str, format: &str, rows: &[Row]) -> PathBuf {
    let path = folder.join(format!("{name}.{format}"));
    if format == "csv" {
        let mut writer = csv::Writer::from_path(&path).unwrap();
        writer.write_record(["id", "x", "s"]).unwrap();
        for (id, x, s) in rows {
            let x = x.map_or_else(String::new, |x| format!("{x:?}"));
            writer.write_record([&id.to_string(), &x, s.as_deref().unwrap_or_default()]).unwrap();
        }
        writer.flush().unwrap();
        return path;
    }
    let id: ArrayRef = Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0)));
    let x: ArrayRef = Arc::new(rows.iter().map(|row| row.1).collect::<Float64Array>());
    let s: ArrayRef = Arc::new(rows.iter().map(|row| row.2.clone()).collect::<StringArray>());
    let batch = RecordBatch::try_from_iter([("id", id), ("x", x), ("s", s)]).unwrap();
    // The two sides are cut into different row groups, so that equal tables are not equal bytes.
    let group = if name == "old" { 7 } else { 5 };
    let settings = WriterProperties::builder().set_max_row_group_row_count(Some(group)).build();
    let file = std::fs::File::create(&path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(settings)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    path
}

fn compared(old: &[Row], new: &[Row], format: &str, rule: &Rule) -> Json {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (write(folder.path(), "old", format, old), write(folder.path(), "new", format, new));
    report(&old, &new, rule)
}

fn cells_different(report: &Json) -> u64 {
    let columns = report["items"][0]["columns"].as_array().unwrap().iter();
    columns.map(|column| column["cells_different"].as_u64().unwrap()).sum()
}

/// Changes the cells named, each to a value that it did not have.
fn changed(rows: &[Row], cells: &[(usize, bool)]) -> Vec<Row> {
    let mut rows = rows.to_vec();
    for (at, is_number) in cells {
        let row = rows.get_mut(*at).unwrap();
        if *is_number {
            row.1 = match row.1 {
                Some(x) if x.is_finite() => Some(if x.abs() > 1.0 { x / 2.0 } else { x + 1.0 }),
                Some(_) => None,
                None => Some(0.0),
            };
        } else {
            row.2 = Some(row.2.clone().unwrap_or_default() + "z");
        }
    }
    rows
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_table_equals_itself(rows in rows(), format in prop_oneof![Just("csv"), Just("parquet")]) {
        for rule in [Rule::default(), key(&["id"])] {
            let report = compared(&rows, &rows, format, &rule);
            prop_assert_eq!(&report["verdict"], "yes");
            prop_assert_eq!(&report["items"][0]["rows"]["equal"], rows.len());
        }
    }

    #[test]
    fn swapping_the_sides_mirrors_the_report(old in rows(), new in rows(), absolute in proptest::option::of(0.0..5.0),
        relative in proptest::option::of(0.0..1.0), ulps in proptest::option::of(any::<u64>())) {
        let tolerance = Tolerance { absolute, relative, ulps };
        for rule in [Rule::default(), key(&["id"])] {
            // `report` makes the assertion.
            let report = compared(&old, &new, "parquet", &Rule { tolerance, sample_max: 3, ..rule });
            let rows = &report["items"][0]["rows"];
            let sum = rows["equal"].as_u64().unwrap() + rows["different"].as_u64().unwrap();
            prop_assert_eq!(rows["compared"].as_u64().unwrap(), sum);
        }
    }

    #[test]
    fn k_changes_are_found_as_exactly_k(rows in rows(), picks in proptest::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 0..10),
        turn in any::<prop::sample::Index>(), format in prop_oneof![Just("csv"), Just("parquet")]) {
        let mut cells: Vec<_> = picks.iter().map(|(at, is_number)| (at.index(rows.len()), *is_number)).collect();
        cells.sort_unstable();
        cells.dedup();
        let mut new = changed(&rows, &cells);
        let position = compared(&rows, &new, format, &Rule::default());
        // A CSV column may change its type with its content; the cells that differ are the same.
        prop_assert_eq!(cells_different(&position), cells.len() as u64, "{:#}", position);
        // The order of rows does not matter under a key.
        let middle = turn.index(new.len());
        new.rotate_left(middle);
        new.reverse();
        let joined = compared(&rows, &new, format, &key(&["id"]));
        prop_assert_eq!(cells_different(&joined), cells.len() as u64);
        prop_assert_eq!(&joined["items"][0]["rows"]["different"], &position["items"][0]["rows"]["different"]);
        prop_assert_eq!(&joined["items"][0]["rows"]["only_old"], 0);
        prop_assert_eq!(&joined["verdict"], &position["verdict"]);
    }
}

/// Text of many kinds: numbers, times, blanks, cases.
fn field() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "",
        "1",
        "1.0",
        "01",
        "2",
        "-0.0",
        "0",
        "NaN",
        "inf",
        "a",
        "A",
        " a",
        "true",
        "TRUE",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:00.5Z",
        "9007199254740993",
        "9007199254740992.0",
    ])
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let flags = proptest::collection::vec(any::<bool>(), 9);
    (flags, proptest::option::of(0.0..2.0), 0..3_usize).prop_map(|(flags, absolute, way)| Rule {
        bitwise: flags[0],
        null_is_nan: flags[1],
        text: TextRule { ignore_case: flags[2], trim: flags[3], masks: Vec::new() },
        schema: if flags[4] { SchemaRule::Common } else { SchemaRule::Strict },
        key_types: if flags[5] { KeyTypes::Coerce } else { KeyTypes::Exact },
        column_order: if flags[6] { ColumnOrder::Strict } else { ColumnOrder::Free },
        time_tolerance_ns: flags[7].then_some(1_000_000_000),
        tolerance: Tolerance { absolute, ..Tolerance::default() },
        sample_max: if flags[8] { 2 } else { 20 },
        key: if way == 0 { vec!["k".to_owned()] } else { Vec::new() },
        duplicates: Duplicates::Match,
        row_order: if way == 1 { RowOrder::Any } else { RowOrder::Position },
        ..Rule::default()
    })
}

fn text_table(folder: &Path, name: &str, rows: &[(&str, &str, &str)], turned: bool) -> PathBuf {
    let path = folder.join(name);
    let mut writer = csv::Writer::from_path(&path).unwrap();
    writer.write_record(if turned { ["b", "a", "k"] } else { ["k", "a", "b"] }).unwrap();
    for (k, a, b) in rows {
        writer.write_record(if turned { [b, a, k] } else { [k, a, b] }).unwrap();
    }
    writer.flush().unwrap();
    path
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn under_any_rule_counts_add_up_and_swapping_mirrors(rule in any_rule(), turned in any::<bool>(),
        old in proptest::collection::vec((field(), field(), field()), 0..6), new in proptest::collection::vec((field(), field(), field()), 0..6)) {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (text_table(folder.path(), "old.csv", &old, false), text_table(folder.path(), "new.csv", &new, turned));
        // `report` makes the assertion about swapping.
        let report = report(&one, &two, &rule);
        let rows = &report["items"][0]["rows"];
        let count = |name: &str| rows[name].as_u64().unwrap();
        prop_assert_eq!(count("compared"), count("equal") + count("different"));
        prop_assert_eq!(count("compared") + count("only_old"), old.len() as u64);
        prop_assert_eq!(count("compared") + count("only_new"), new.len() as u64);
        if report["verdict"] == "yes" {
            prop_assert_eq!(count("equal"), old.len() as u64);
        }
    }

    #[test]
    fn under_any_rule_a_table_equals_itself(rule in any_rule(), rows in proptest::collection::vec((field(), field(), field()), 1..6)) {
        let folder = tempfile::tempdir().unwrap();
        let one = text_table(folder.path(), "old.csv", &rows, false);
        // Other bytes: nothing is proved without reading.
        let two = folder.path().join("new.csv");
        std::fs::write(&two, std::fs::read_to_string(&one).unwrap().replace('\n', "\r\n")).unwrap();
        let report = report(&one, &two, &rule);
        prop_assert_eq!(&report["verdict"], "yes");
        prop_assert_eq!(&report["items"][0]["relation"], "bitwise");
    }
}
