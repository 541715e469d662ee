//! How tables are called, and what stands in them.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use serde_json::json;
use switchback_core::constraint::{Bounds, Form, Sign, TableFile};
use switchback_core::verdict::Verdict::{No, Unknown, Yes};

use super::{Shelf, about, cell, filtered, holds, look, select, sign};

#[test]
fn a_table_is_called_by_its_stem_its_path_or_the_name_it_is_given() {
    let shelf =
        Shelf::new(&[("one/rates.csv", "a\n1\n"), ("two/rates.csv", "a\n2\n"), ("two/other.csv", "a\n3\n")]);
    let found = shelf.ask(select("SELECT * FROM rates"));
    assert_eq!(found.verdict, Unknown);
    assert_eq!(found.why.unwrap(), "several tables are called `rates`");
    assert_eq!(found.hint.unwrap(), "take one of `\"one/rates.csv\"`, `\"two/rates.csv\"`");
    let found =
        shelf.ask(select("SELECT o.a, t.a AS b FROM \"one/rates.csv\" AS o, \"two/rates.csv\" AS t, other"));
    assert_eq!((cell(&found, 0, "a"), cell(&found, 0, "b"), found.seen), (json!(1), json!(2), 3));
    let named = [
        TableFile { name: Some("my \"rates\"".to_owned()), path: shelf.at("one/rates.csv") },
        TableFile { name: None, path: shelf.at("two/rates.csv") },
    ];
    let sql = "SELECT m.a, r.a AS b FROM \"my \"\"rates\"\"\" AS m, rates AS r";
    let found = look(&named, select(sql), &Bounds::default()).unwrap();
    assert_eq!((cell(&found, 0, "a"), cell(&found, 0, "b")), (json!(1), json!(2)));
    let path = shelf.at("two/rates.csv").display().to_string();
    assert_eq!(
        look(&named, select(&format!("SELECT * FROM \"{path}\"")), &Bounds::default()).unwrap().verdict,
        No
    );
    // None is named, and there are two.
    assert!(
        look(&named, holds("a > 0"), &Bounds::default())
            .unwrap()
            .why
            .unwrap()
            .contains("more than one table")
    );
}

#[test]
fn names_with_quotes_and_spaces_are_columns_like_others() {
    let text = "\"the \"\"price\"\"\",O'Brien,select,\"a,b\"\n1,x,2,3\n-1,y,3,4\n";
    let shelf = Shelf::new(&[("it's \"odd\".csv", text)]);
    let found = shelf.ask(sign("the \"price\"", Sign::Positive));
    assert_eq!(
        (found.verdict, cell(&found, 0, "the \"price\""), cell(&found, 0, "row")),
        (No, json!(-1), json!(1))
    );
    assert_eq!(shelf.ask(filtered(sign("a,b", Sign::Positive), "\"O'Brien\" <> 'it''s'")).verdict, Yes);
    assert_eq!(shelf.ask(about(Form::Unique(vec!["select".to_owned(), "O'Brien".to_owned()]))).verdict, Yes);
    assert_eq!(shelf.ask(select("SELECT * FROM \"it's \"\"odd\"\"\" WHERE \"select\" > 3")).verdict, Yes);
}

#[test]
fn the_number_of_the_row_gives_way_to_a_column_of_its_name() {
    let shelf = Shelf::new(&[("t.csv", "row,x\n7,1\n8,-1\n")]);
    let found = shelf.ask(holds("x > 0"));
    assert_eq!((cell(&found, 0, "row"), cell(&found, 0, "row_number")), (json!(8), json!(1)));
}

#[test]
fn text_has_the_types_that_the_comparison_finds() {
    let text = "whole,long,number,flag,day,at,zoned,far,code,none\n\
                1,18446744073709551615,0.1,true,2026-02-28,2026-02-28 10:00:00.5,2026-02-28T10:00:00-05:00,9999-12-31T00:00:00,007,\n\
                2,3,2e3,FALSE,2026-03-01,2026-03-01 10:00:00,2026-03-01T10:00:00Z,0001-01-01T00:00:00,x,\n";
    let shelf = Shelf::new(&[("t.csv", text)]);
    for condition in [
        "whole + 1 > 1",
        "long >= 3 AND long < 18446744073709551616",
        "number = 0.1 OR number = 2000",
        "flag = (whole = 1)",
        "day > '2026-02-27' AND day <= DATE '2026-02-27' + INTERVAL '2 days'",
        "at > TIMESTAMP '2026-02-28T10:00:00'",
        "zoned >= TIMESTAMP '2026-02-28T15:00:00Z'",
        "date_part('year', far) IN (1, 9999)",
        "code IN ('007', 'x')",
        "none IS NULL",
        "row + 1 = whole",
    ] {
        let found = shelf.ask(holds(condition));
        assert_eq!((found.verdict, found.seen), (Yes, 2), "{condition}: {found:?}");
    }
    let found = shelf.ask(filtered(holds("none > 0"), "whole = 1"));
    assert_eq!(found.verdict, No, "null is not true");
    assert_eq!(cell(&found, 0, "long"), json!("18446744073709551615"));
    assert_eq!(cell(&found, 0, "zoned"), json!("2026-02-28T15:00:00Z"));
    assert_eq!(cell(&found, 0, "day"), json!("2026-02-28"));
}

#[test]
fn json_lines_and_arrays_are_tables_too() {
    let lines = "{\"id\": 1, \"price\": 2.5, \"tags\": [1, 2]}\n{\"id\": 2, \"price\": -1}\n";
    let shelf = Shelf::new(&[("prices.jsonl", lines)]);
    let found = shelf.ask(holds("price > 0"));
    assert_eq!((found.violating, cell(&found, 0, "id"), cell(&found, 0, "tags")), (1, json!(2), json!(null)));
    assert_eq!(shelf.ask(select("SELECT * FROM prices WHERE tags = '[1,2]'")).violating, 1);
    let header = "{'descr': '<i4', 'fortran_order': False, 'shape': (3,), }";
    let padded = format!("{header:<117}\n");
    let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    bytes.extend(padded.as_bytes());
    for value in [1_i32, 2, -3] {
        bytes.extend(value.to_le_bytes());
    }
    let shelf = Shelf::new(&[]);
    std::fs::write(shelf.at("array.npy"), bytes).unwrap();
    let found = shelf.ask(select("SELECT * FROM array WHERE \"value\" < 0"));
    assert_eq!((found.seen, found.violating, cell(&found, 0, "row")), (3, 1, json!(2)), "{found:?}");
}

#[test]
fn parquet_and_arrow_files_keep_their_types() {
    let shelf = Shelf::new(&[]);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("name", Arc::new(StringArray::from(vec![Some("a"), None]))),
        ("price", Arc::new(Float64Array::from(vec![1.5, -0.0]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let file = std::fs::File::create(shelf.at("prices.parquet")).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    assert_eq!(shelf.ask(sign("price", Sign::NotNegative)).verdict, Yes, "-0.0 is 0");
    assert_eq!(shelf.ask(select("SELECT * FROM prices WHERE price = 0")).violating, 1);
    assert_eq!(shelf.ask(about(Form::NotNull(vec!["name".to_owned()]))).violating, 1);
}
