//! Tables as ensembles: which columns are statistics, and the numbers that come out of each format.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, Decimal128Array, Float32Array, Float64Array, Int64Array, NullArray, RecordBatch, StringArray,
};
use parquet::arrow::ArrowWriter;
use switchback_compare::ensemble::{EnsembleOptions, ensembles};
use switchback_core::rule::Tolerance;
use switchback_core::world::RealDisk;
use switchback_statistics::Ensembles;

fn parquet(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer =
        ArrowWriter::try_new(std::fs::File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn read(old: &Path, new: &Path, options: &EnsembleOptions) -> Ensembles {
    ensembles(&RealDisk, old, new, options).unwrap()
}

#[test]
fn every_numeric_type_becomes_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old.parquet"), folder.path().join("new.jsonl"));
    let decimals =
        Decimal128Array::from(vec![Some(150), None, Some(-25)]).with_precision_and_scale(10, 2).unwrap();
    parquet(
        &old,
        vec![
            ("double", Arc::new(Float64Array::from(vec![Some(1.5), Some(f64::NAN), None])) as ArrayRef),
            ("single", Arc::new(Float32Array::from(vec![0.1_f32, f32::INFINITY, -2.0]))),
            ("whole", Arc::new(Int64Array::from(vec![1, (1 << 53) + 1, -7]))),
            ("decimal", Arc::new(decimals)),
            ("label", Arc::new(StringArray::from(vec!["a", "b", "c"]))),
            ("nothing", Arc::new(NullArray::new(3))),
            ("only", Arc::new(Float64Array::from(vec![1.0, 2.0, 3.0]))),
        ],
    );
    std::fs::write(
        &new,
        "{\"double\": 1.5, \"single\": 2, \"whole\": 1, \"decimal\": 1.5, \"label\": 4, \"nothing\": null, \"more\": 1}\n",
    )
    .unwrap();
    let found = read(&old, &new, &EnsembleOptions::default());
    let column = |name: &str| found.columns.iter().find(|column| column.name == name).unwrap();
    assert_eq!(column("double").old[0], Some(1.5));
    assert!(column("double").old[1].unwrap().is_nan());
    assert_eq!(column("double").old[2], None);
    assert_eq!(column("single").old, [Some(f64::from(0.1_f32)), Some(f64::INFINITY), Some(-2.0)]);
    assert_eq!(column("whole").old, [Some(1.0), Some(9_007_199_254_740_992.0), Some(-7.0)]);
    assert_eq!(column("decimal").old, [Some(1.5), None, Some(-0.25)]);
    assert_eq!(column("decimal").new, [Some(1.5)]);
    assert_eq!(found.only_old, ["only"]);
    assert_eq!(found.only_new, ["label", "more"]);
    let left: Vec<&str> = found.not_compared.iter().map(|left| left.column.as_str()).collect();
    assert_eq!(left, ["label", "nothing"]);
}

#[test]
fn the_columns_that_are_asked_for_come_in_the_order_of_old() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old.csv"), folder.path().join("new.csv"));
    std::fs::write(&old, "a,b,c,d\n1,2,x,\n").unwrap();
    std::fs::write(&new, "d,b,a,c\n4,3,2,x\n").unwrap();
    let asked = EnsembleOptions { columns: vec!["b".to_owned(), "a".to_owned()], paired: None };
    let names =
        |found: &Ensembles| found.columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>();
    let found = read(&old, &new, &asked);
    assert_eq!(names(&found), ["a", "b"]);
    assert_eq!((found.columns[0].old[0], found.columns[0].new[0]), (Some(1.0), Some(2.0)));
    assert!(found.columns.iter().all(|column| column.pairs.is_none()));
    // A column without values beside numbers is one of nulls.
    let all = read(&old, &new, &EnsembleOptions::default());
    assert_eq!(names(&all), ["a", "b", "d"]);
    assert_eq!((all.columns[2].old[0], all.columns[2].new[0]), (None, Some(4.0)));
}

#[test]
fn pairs_are_compared_as_they_stand_in_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old.csv"), folder.path().join("new.csv"));
    // One apart beyond 2^53: the same float, and not the same number.
    std::fs::write(&old, "id\n9007199254740993\n5\n").unwrap();
    std::fs::write(&new, "id\n9007199254740992\n5\n").unwrap();
    let paired = |tolerance| EnsembleOptions { columns: Vec::new(), paired: Some(tolerance) };
    let pairs = |options: &EnsembleOptions| read(&old, &new, options).columns[0].pairs.unwrap();
    let exact = pairs(&paired(Tolerance::default()));
    assert_eq!((exact.compared, exact.different, exact.first_different), (2, 1, Some(0)));
    assert_eq!(exact.max_absolute, Some(1.0));
    let near = pairs(&paired(Tolerance { absolute: Some(1.0), ..Tolerance::default() }));
    assert_eq!((near.different, near.first_different), (0, None));
}
