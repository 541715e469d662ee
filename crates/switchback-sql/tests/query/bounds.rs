//! A row among a million, and looking within bounds of memory and time.

use std::sync::Arc;
use std::time::Duration;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch};
use parquet::arrow::ArrowWriter;
use serde_json::json;
use switchback_core::constraint::{Bounds, Direction, Form, TableFile};
use switchback_core::verdict::Verdict::{No, Unknown, Yes};

use super::{Shelf, about, cell, holds, look, monotone, select};

const MILLION: i64 = 1_000_000;
/// Where the one row is that violates.
const ODD: i64 = 734_511;

/// A million rows: `id`, and a `price` that is positive and grows, but for one.
fn million() -> (Shelf, TableFile) {
    let shelf = Shelf::new(&[]);
    let price = |id: i64| if id == ODD { -3.5 } else { 1.0 + f64::from(i32::try_from(id).unwrap()) };
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int64Array::from_iter_values(0..MILLION))),
        ("price", Arc::new(Float64Array::from_iter_values((0..MILLION).map(price)))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let file = std::fs::File::create(shelf.at("prices.parquet")).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let table = TableFile { name: None, path: shelf.at("prices.parquet") };
    (shelf, table)
}

// rows: RE-4
#[test]
fn one_violating_row_among_a_million_is_named() {
    let (_shelf, table) = million();
    let bounds = Bounds::default();
    let ask = |constraint| look(std::slice::from_ref(&table), constraint, &bounds).unwrap();
    for constraint in [holds("price > 0"), select("SELECT * FROM prices WHERE price <= 0")] {
        let found = ask(constraint);
        assert_eq!((found.verdict, found.seen, found.violating), (No, 1_000_000, 1));
        assert_eq!((cell(&found, 0, "row"), cell(&found, 0, "price")), (json!(ODD), json!(-3.5)));
    }
    let found = ask(about(Form::Monotone(monotone("price", "id", &[], Direction::Increasing))));
    assert_eq!((found.verdict, found.violating, found.pairs), (No, 1, Some(999_999)));
    assert_eq!((cell(&found, 0, "row"), cell(&found, 0, "previous_row")), (json!(ODD), json!(ODD - 1)));
    assert_eq!(ask(holds("price > -4")).verdict, Yes);
}

#[test]
fn what_does_not_fit_into_memory_goes_to_disk_or_could_not_be_told() {
    let (_shelf, table) = million();
    let bounds = |mib: u64| Bounds { memory_bytes: mib << 20, ..Bounds::default() };
    let ask = |constraint, bounds: &Bounds| look(std::slice::from_ref(&table), constraint, bounds).unwrap();
    // A million keys are sorted and grouped in 24 MiB.
    let unique = about(Form::Unique(vec!["id".to_owned(), "price".to_owned()]));
    let found = ask(unique, &bounds(24));
    assert_eq!((found.verdict, found.seen), (Yes, 1_000_000), "{found:?}");
    let found = ask(about(Form::Monotone(monotone("price", "id", &[], Direction::Increasing))), &bounds(24));
    assert_eq!(found.verdict, No, "{found:?}");
    // One side of a join is held: it fits into the usual memory, and not into little.
    let join = "SELECT a.id FROM prices AS a JOIN prices AS b ON a.id = b.id WHERE a.price <> b.price";
    let found = ask(select(join), &Bounds::default());
    assert_eq!((found.verdict, found.seen), (Yes, 1_000_000), "{found:?}");
    let found = ask(select(join), &bounds(4));
    assert_eq!(found.verdict, Unknown, "{found:?}");
    // Nothing is done in one byte.
    let found = ask(
        select("SELECT id FROM prices GROUP BY id HAVING count(*) > 1"),
        &Bounds { memory_bytes: 1, ..Bounds::default() },
    );
    assert_eq!(found.verdict, Unknown);
    assert!(found.why.clone().unwrap().starts_with("it needs more memory than it may take"), "{found:?}");
}

#[test]
fn what_takes_too_long_is_given_up() {
    let (_shelf, table) = million();
    let bounds = Bounds { timeout: Some(Duration::from_millis(1)), ..Bounds::default() };
    let endless = "SELECT a.id FROM prices AS a, prices AS b WHERE a.id + b.id < 0";
    let found = look(&[table], select(endless), &bounds).unwrap();
    assert_eq!(found.verdict, Unknown);
    assert!(found.why.unwrap().starts_with("it was given up after"));
}
