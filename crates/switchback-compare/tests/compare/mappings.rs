//! Mapped tables with types: a wide table is equal to its long form, changes are found as exactly as many, sides mirror.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{
    ArrayRef, Decimal128Array, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
};
use parquet::arrow::ArrowWriter;
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use switchback_compare::CompareOptions;
use switchback_core::mapping;
use switchback_core::rule::Rule;

use super::comparer;

fn parquet(folder: &Path, name: &str, columns: Vec<(&str, ArrayRef)>) -> PathBuf {
    let path = folder.join(name);
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, cells)| (name, cells, true)),
    );
    let batch = batch.unwrap();
    let mut writer =
        ArrowWriter::try_new(std::fs::File::create(&path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    path
}

fn under(text: &str, rule: Rule) -> Rule {
    Rule { mapping: Some(mapping::read(Path::new("mapping.toml"), text).unwrap()), ..rule }
}

/// Two statistics of one row of the wide table.
type Wide = (Option<f64>, Option<f64>);
/// One row of the long table.
type LongRow = (i64, &'static str, Option<f64>);

fn cell() -> impl Strategy<Value = Option<f64>> {
    proptest::option::of(prop_oneof![-1e6..1e6_f64, Just(f64::NAN), Just(0.0)])
}

fn write_wide(folder: &Path, rows: &[Wide]) -> PathBuf {
    let id: ArrayRef = Arc::new(Int64Array::from_iter_values(0..i64::try_from(rows.len()).unwrap()));
    let mean: ArrayRef = Arc::new(rows.iter().map(|row| row.0).collect::<Float64Array>());
    let sd: ArrayRef = Arc::new(rows.iter().map(|row| row.1).collect::<Float64Array>());
    parquet(folder, "wide.parquet", vec![("id", id), ("mean", mean), ("sd", sd)])
}

fn write_long(folder: &Path, rows: &[LongRow]) -> PathBuf {
    let id: ArrayRef = Arc::new(rows.iter().map(|row| Some(row.0)).collect::<Int64Array>());
    let name: ArrayRef = Arc::new(rows.iter().map(|row| Some(row.1)).collect::<StringArray>());
    let value: ArrayRef = Arc::new(rows.iter().map(|row| row.2).collect::<Float64Array>());
    parquet(folder, "long.parquet", vec![("id", id), ("statistic", name), ("value", value)])
}

/// The long form. `keep_empty`: with rows for cells that have no value.
fn long_of(rows: &[Wide], factor: f64, keep_empty: bool) -> Vec<LongRow> {
    let mut long = Vec::new();
    for (id, (mean, sd)) in rows.iter().enumerate() {
        let id = i64::try_from(id).unwrap();
        long.push((id, "sd", sd.map(|value| value * factor)));
        long.push((id, "mean", *mean));
    }
    long.retain(|row| keep_empty || row.2.is_some());
    long
}

fn shape(old: &str, new: &str, units: &str) -> String {
    format!(
        "version = 1\n[data]\n{units}\nshape = {{ old = \"{old}\", new = \"{new}\", id = [\"id\"], name = \"statistic\", value = \"value\" }}\n"
    )
}

fn item(old: &Path, new: &Path, rule: &Rule) -> Json {
    // A mapping has a direction: the sides cannot just be swapped.
    let outcome = comparer().outcome(old, new, CompareOptions { rule: rule.clone() }).unwrap();
    serde_json::from_str::<Json>(&outcome.to_json()).unwrap()["items"][0].clone()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    // rows: OM-5
    #[test]
    fn a_wide_table_is_equal_to_its_long_form_and_changes_are_counted(
        rows in proptest::collection::vec((cell(), cell()), 1..60),
        keep_empty in any::<bool>(),
        changes in proptest::collection::btree_set(0..120_usize, 0..6),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let wide = write_wide(folder.path(), &rows);
        let units = "units = { sd = { factor = 100 } }";
        let mut long = long_of(&rows, 100.0, keep_empty);
        let values = long.iter().filter(|row| row.2.is_some()).count();
        let third = long.len() / 3;
        long.rotate_left(third);
        let path = write_long(folder.path(), &long);
        let rule = under(&shape("wide", "long", units), Rule { allow_empty: true, ..Rule::default() });
        let found = item(&wide, &path, &rule);
        prop_assert_eq!(&found["verdict"], "yes", "{}", found);
        prop_assert_eq!(&found["rows"]["equal"], values);

        let mut changed = 0;
        for at in changes {
            if let Some((_, _, Some(value))) = long.get_mut(at) {
                *value = if value.is_nan() { 1.0 } else { *value + 1.0 };
                changed += 1;
            }
        }
        let path = write_long(folder.path(), &long);
        let found = item(&wide, &path, &rule);
        prop_assert_eq!(&found["rows"]["different"], changed, "{}", found);
        prop_assert_eq!(&found["rows"]["compared"], values);
    }

    // rows: OM-5
    #[test]
    fn the_sides_of_a_reshaped_pair_mirror(
        rows in proptest::collection::vec((cell(), cell()), 1..30),
        others in proptest::collection::vec((cell(), cell()), 1..30),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let wide = write_wide(folder.path(), &rows);
        let long = write_long(folder.path(), &long_of(&others, 1.0, true));
        let rule = |old, new| under(&shape(old, new, ""), Rule { allow_empty: true, ..Rule::default() });
        let one = item(&wide, &long, &rule("wide", "long"));
        let two = item(&long, &wide, &rule("long", "wide"));
        prop_assert_eq!(&one["verdict"], &two["verdict"]);
        for (here, there) in [("compared", "compared"), ("different", "different"), ("only_old", "only_new"), ("only_new", "only_old")] {
            prop_assert_eq!(&one["rows"][here], &two["rows"][there]);
        }
    }
}

// rows: OM-5
#[test]
fn integers_and_decimals_are_converted_exactly_and_floats_are_rounded_once() {
    let folder = tempfile::tempdir().unwrap();
    let many = 20_000;
    let cents: ArrayRef = Arc::new(Int64Array::from_iter_values((0..many).map(|row| row * 7 + (1 << 53))));
    let share: ArrayRef = Arc::new(Float64Array::from_iter_values(
        (0..many).map(|row| f64::from(i32::try_from(row).unwrap()) / 997.0),
    ));
    let old = parquet(folder.path(), "t.parquet", vec![("amount", cents), ("share", share)]);
    let decimals = Decimal128Array::from_iter_values((0..many).map(|row| i128::from(row * 7 + (1 << 53))));
    let euros: ArrayRef = Arc::new(decimals.with_precision_and_scale(20, 2).unwrap());
    let percent: ArrayRef = Arc::new(Float64Array::from_iter_values(
        (0..many).map(|row| f64::from(i32::try_from(row).unwrap()) / 997.0 * 100.0),
    ));
    std::fs::create_dir(folder.path().join("new")).unwrap();
    let new = parquet(
        &folder.path().join("new"),
        "t.parquet",
        vec![("amount", euros), ("share", Arc::clone(&percent))],
    );
    let text = "version = 1\n[data.units]\namount = { factor = 0.01 }\nshare = \"percent\"\n";
    let found = item(&old, &new, &under(text, Rule::default()));
    assert_eq!((&found["verdict"], &found["rows"]["equal"]), (&json!("yes"), &json!(many)), "{found}");
    assert_eq!((&found["proof"], &found["relation"]), (&json!("lockstep"), &json!("identical")));
    assert_eq!(found["types_changed"], json!([]));

    // One cent more, beyond what a float can tell.
    let decimals = (0..many).map(|row| i128::from(row * 7 + (1 << 53) + i64::from(row == 19_999)));
    let decimals = Decimal128Array::from_iter_values(decimals).with_precision_and_scale(20, 2).unwrap();
    let new = parquet(
        &folder.path().join("new"),
        "t.parquet",
        vec![("amount", Arc::new(decimals)), ("share", percent)],
    );
    let found = item(&old, &new, &under(text, Rule::default()));
    assert_eq!((&found["rows"]["different"], &found["first"]["row_old"]), (&json!(1), &json!(19_999)));
}

// rows: OM-5
#[test]
fn years_as_columns_meet_years_as_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let ints = |values: &[i32]| -> ArrayRef { Arc::new(Int32Array::from(values.to_vec())) };
    let old = parquet(
        folder.path(),
        "wide.parquet",
        vec![("id", ints(&[1, 2])), ("2024", ints(&[5, 6])), ("2025", ints(&[7, 8]))],
    );
    let long = vec![
        ("id", ints(&[1, 1, 2, 2])),
        ("year", ints(&[2024, 2025, 2024, 2025])),
        ("value", ints(&[5, 7, 6, 8])),
    ];
    let new = parquet(folder.path(), "long.parquet", long);
    let text = shape("wide", "long", "").replace("statistic", "year");
    let found = item(&old, &new, &under(&text, Rule::default()));
    assert_eq!(
        (&found["verdict"], &found["proof"], &found["relation"]),
        (&json!("yes"), &json!("lockstep"), &json!("identical")),
        "{found}"
    );
}
