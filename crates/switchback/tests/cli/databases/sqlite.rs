//! SQLite: types found in the values, the order of row ids, and files that are never changed.

use std::fs;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, StringArray,
};
use rusqlite::Connection;
use serde_json::json;

use super::exports::parquet;
use super::{Ground, compare, only_cell, refused};

const KINDS: &str = "
    CREATE TABLE kinds (id INTEGER PRIMARY KEY, large BIGINT, real REAL, amount DECIMAL(10, 2), name TEXT, raw BLOB,
                        plain, hollow TEXT, doubled INTEGER GENERATED ALWAYS AS (CASE WHEN abs(real) < 1 THEN 1 END) STORED);
    INSERT INTO kinds (id, large, real, amount, name, raw, plain) VALUES
        (-9223372036854775808, 9223372036854775807, 0.1, 10, 'Zürich', x'00ff', 1),
        (1, 9007199254740993, 1e308, 10.25, '', x'', 2),
        (2, NULL, -0.0, NULL, NULL, NULL, NULL),
        (9223372036854775807, -9223372036854775808, 5e-324, -0.5, 'a''b', x'01', 4);
    CREATE INDEX other_order ON kinds (name, real);
";

fn kinds(ground: &Ground, database: &str) -> Connection {
    let connection = Connection::open(ground.at(database)).unwrap();
    connection.execute_batch(KINDS).unwrap();
    connection
}

fn export(ground: &Ground, file: &str) {
    let ints = |values: Vec<Option<i64>>| Arc::new(Int64Array::from(values)) as ArrayRef;
    let reals = |values: Vec<Option<f64>>| Arc::new(Float64Array::from(values)) as ArrayRef;
    let raw: Vec<Option<&[u8]>> = vec![Some(&[0, 0xff]), Some(&[]), None, Some(&[1])];
    parquet(
        &ground.at(file),
        vec![
            ("id", ints(vec![Some(i64::MIN), Some(1), Some(2), Some(i64::MAX)])),
            ("large", ints(vec![Some(i64::MAX), Some(9_007_199_254_740_993), None, Some(i64::MIN)])),
            ("real", reals(vec![Some(0.1), Some(1e308), Some(0.0), Some(5e-324)])),
            ("amount", reals(vec![Some(10.0), Some(10.25), None, Some(-0.5)])),
            ("name", Arc::new(StringArray::from(vec![Some("Zürich"), Some(""), None, Some("a'b")]))),
            ("raw", Arc::new(BinaryArray::from(raw))),
            // SQLite declares no width, so that a narrower one is the same type.
            ("plain", Arc::new(Int32Array::from(vec![Some(1), Some(2), None, Some(4)]))),
            ("hollow", Arc::new(Date32Array::from(vec![None::<i32>; 4]))),
            ("doubled", ints(vec![Some(1), None, Some(1), Some(1)])),
        ],
    );
}

#[test]
fn a_table_of_sqlite_equals_its_export_until_one_row_is_changed() {
    let ground = Ground::new();
    let connection = kinds(&ground, "kinds.db");
    export(&ground, "kinds.parquet");
    let keyed = ["--key", "id"];
    let report = compare(&ground, 0, "sqlite:kinds.db#kinds", "kinds.parquet", &keyed);
    let item = &report["items"][0];
    assert_eq!((&item["name"], &item["proof"]), (&json!("kinds.db#kinds"), &json!("lockstep")));
    assert_eq!((&item["rows"]["equal"], &item["not_compared"]), (&json!(4), &json!([])));
    compare(&ground, 0, "kinds.parquet", "sqlite:kinds.db#kinds", &keyed);
    // By position: the order of row ids, whichever index has all the columns that are asked for.
    let report = compare(&ground, 0, "sqlite:kinds.db#KINDS", "kinds.parquet", &["--columns", "name,real"]);
    let notes = report["items"][0]["not_compared"].to_string();
    assert!(notes.contains("has no order of its own"), "{notes}");
    connection.execute("UPDATE kinds SET large = large + 2 WHERE id = 1", []).unwrap();
    let report = compare(&ground, 1, "sqlite:kinds.db#kinds", "kinds.parquet", &keyed);
    let (old, new) = (json!("9007199254740995"), json!("9007199254740993"));
    assert_eq!(only_cell(&report), (json!({"id": 1}), "large".to_owned(), old, new));
}

#[test]
fn a_value_that_its_column_does_not_declare_is_kept_and_told() {
    let ground = Ground::new();
    let connection = Connection::open(ground.at("odd.db")).unwrap();
    let odd = "CREATE TABLE odd (id INTEGER PRIMARY KEY, n INTEGER, big NUMERIC);
        INSERT INTO odd VALUES (1, 7, 0.5), (2, 'seven', 9007199254740993), (3, 2.5, NULL), (4, x'00ff', -1);";
    connection.execute_batch(odd).unwrap();
    let texts = |values: Vec<Option<&str>>| Arc::new(StringArray::from(values)) as ArrayRef;
    let write = |last: &str| {
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("id", Arc::new(Int64Array::from(vec![1, 2, 3, 4]))),
            ("n", texts(vec![Some("7"), Some("seven"), Some("2.5"), Some(last)])),
            ("big", texts(vec![Some("0.5"), Some("9007199254740993"), None, Some("-1")])),
        ];
        parquet(&ground.at("odd.parquet"), columns);
    };
    write("x'00ff'");
    let report = compare(&ground, 0, "sqlite:odd.db#odd", "odd.parquet", &["--key", "id"]);
    let notes = report["items"][0]["not_compared"].to_string();
    assert!(notes.contains("column `n` of `sqlite:odd.db#odd` is compared as text"), "{notes}");
    assert!(notes.contains("1 integer, 1 real, 1 text, 1 blob"), "{notes}");
    write("x'00fe'");
    let report = compare(&ground, 1, "sqlite:odd.db#odd", "odd.parquet", &["--key", "id"]);
    assert_eq!(only_cell(&report), (json!({"id": 4}), "n".to_owned(), json!("x'00ff'"), json!("x'00fe'")));
}

#[test]
fn a_numeric_column_of_whole_numbers_is_any_number() {
    let ground = Ground::new();
    let connection = Connection::open(ground.at("n.db")).unwrap();
    connection
        .execute_batch("CREATE TABLE n (v DECIMAL(10, 2)); INSERT INTO n VALUES (10.00), (3);")
        .unwrap();
    let decimals = Decimal128Array::from(vec![1000, 300]).with_precision_and_scale(10, 2).unwrap();
    parquet(&ground.at("n.parquet"), vec![("v", Arc::new(decimals))]);
    compare(&ground, 0, "sqlite:n.db#n", "n.parquet", &["--order", "any"]);
    parquet(&ground.at("n.parquet"), vec![("v", Arc::new(StringArray::from(vec!["10", "3"])))]);
    compare(&ground, 1, "sqlite:n.db#n", "n.parquet", &["--order", "any"]);
}

#[test]
fn views_and_tables_without_row_ids_are_tables_too() {
    let ground = Ground::new();
    let connection = Connection::open(ground.at("views.db")).unwrap();
    let statements = "CREATE TABLE t (a INTEGER, b TEXT, PRIMARY KEY (b, a)) WITHOUT ROWID;
        INSERT INTO t WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 20000)
            SELECT n, printf('%05d', 20000 - n) FROM r;
        CREATE VIEW v AS SELECT a, b FROM t WHERE a <= 10000 ORDER BY a;
        CREATE TABLE taken (rowid INTEGER, _rowid_ TEXT, oid TEXT); INSERT INTO taken VALUES (1, 'x', 'y');";
    connection.execute_batch(statements).unwrap();
    let write = |file: &str, numbers: Vec<i64>| {
        let texts: StringArray = numbers.iter().map(|n| Some(format!("{:05}", 20_000 - n))).collect();
        let columns: Vec<(&str, ArrayRef)> =
            vec![("a", Arc::new(Int64Array::from(numbers))), ("b", Arc::new(texts))];
        parquet(&ground.at(file), columns);
    };
    write("t.parquet", (1..=20_000).rev().collect());
    write("v.parquet", (1..=10_000).collect());
    let report = compare(&ground, 0, "sqlite:views.db#main.t", "t.parquet", &[]);
    assert_eq!(report["items"][0]["rows"]["equal"], 20_000);
    let report = compare(&ground, 0, "sqlite:views.db#v", "v.parquet", &["--key", "a"]);
    assert_eq!(report["items"][0]["rows"]["equal"], 10_000);
    let report = compare(&ground, 0, "sqlite:views.db#taken", "sqlite:views.db#taken", &[]);
    assert_eq!(report["items"][0]["rows"]["equal"], 1);
    // All tables: views are not among them.
    let report = compare(&ground, 0, "sqlite:views.db", "sqlite:views.db", &[]);
    let names: Vec<&str> =
        report["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["views.db#t", "views.db#taken"]);
}

#[test]
fn all_tables_are_matched_by_name() {
    let ground = Ground::new();
    for (file, more) in [("old.db", "CREATE TABLE gone (x)"), ("new.db", "CREATE TABLE came (x)")] {
        let connection = Connection::open(ground.at(file)).unwrap();
        let common =
            "CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT); INSERT INTO a (v) VALUES ('x');
            CREATE TABLE b (v REAL); INSERT INTO b VALUES (0.5);";
        connection.execute_batch(common).unwrap();
        connection.execute(more, []).unwrap();
    }
    let report = compare(&ground, 1, "sqlite:old.db", "sqlite:new.db", &[]);
    assert_eq!(
        (&report["only_old"], &report["only_new"]),
        (&json!(["old.db#gone"]), &json!(["old.db#came"]))
    );
    let verdicts: Vec<_> = report["items"].as_array().unwrap().iter().map(|item| &item["verdict"]).collect();
    assert_eq!(verdicts, ["yes", "yes"]);
    refused(&ground, "sqlite:old.db", "sqlite:new.db#a", "is all tables of a database", "#TABLE");
}

#[test]
fn a_database_is_read_with_its_log_and_left_as_it_was() {
    let ground = Ground::new();
    let connection = Connection::open(ground.at("wal.db")).unwrap();
    connection
        .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (v INTEGER); INSERT INTO t VALUES (1);")
        .unwrap();
    parquet(&ground.at("t.parquet"), vec![("v", Arc::new(Int64Array::from(vec![1])))]);
    let before = fs::read(ground.at("wal.db")).unwrap();
    let log = fs::read(ground.at("wal.db-wal")).unwrap();
    assert!(!log.is_empty(), "the row stands in the log alone");
    compare(&ground, 0, "sqlite:wal.db#t", "t.parquet", &[]);
    assert_eq!(fs::read(ground.at("wal.db")).unwrap(), before);
    assert_eq!(fs::read(ground.at("wal.db-wal")).unwrap(), log);
    // A writer that is not done yet holds nobody up, and what it has not committed is not seen.
    connection.execute_batch("BEGIN IMMEDIATE; INSERT INTO t VALUES (2);").unwrap();
    compare(&ground, 0, "sqlite:wal.db#t", "t.parquet", &[]);
    connection.execute_batch("COMMIT").unwrap();
    compare(&ground, 1, "sqlite:wal.db#t", "t.parquet", &[]);
    // Closed, it has no log any more: a reader makes an empty one beside it, and leaves the database alone.
    drop(connection);
    let before = fs::read(ground.at("wal.db")).unwrap();
    assert!(!ground.at("wal.db-wal").exists());
    compare(&ground, 1, "sqlite:wal.db#t", "t.parquet", &[]);
    assert_eq!(fs::read(ground.at("wal.db")).unwrap(), before);
    assert_eq!(fs::read(ground.at("wal.db-wal")).unwrap(), b"");
}

#[test]
fn what_cannot_be_read_is_named_with_a_next_move() {
    let ground = Ground::new();
    drop(kinds(&ground, "kinds.db"));
    ground.write("one.csv", "v\n1\n");
    ground.write("text.db", "no database at all, but long enough to be looked at as one\n".repeat(20));
    let listing = ground.listing();
    refused(&ground, "sqlite:gone.db#t", "one.csv", "No such file", "check the path");
    refused(&ground, "sqlite:kinds.db#orders", "one.csv", "it has `kinds`", "name one of its tables");
    refused(&ground, "sqlite:text.db#t", "one.csv", "file is not a database", "SQLite has written");
    refused(&ground, "sqlite:kinds.db", "one.csv", "is one table", "`#TABLE`");
    refused(&ground, "sqlite:#t", "one.csv", "nothing stands after the scheme", "sqlite:FILE#TABLE");
    refused(&ground, "one.csv", "sqlite:.#t", "is no file", "check the path");
    refused(&ground, "sqlite:kinds.db#kinds", "project", "does not exist", "check the path");
    let stages = compare(&ground, 2, "sqlite:kinds.db", "sqlite:kinds.db", &["--stages", "a"]);
    assert!(stages.to_string().contains("has no stages"), "{stages}");
    assert_eq!(ground.listing(), listing);
    let mut damaged = fs::read(ground.at("kinds.db")).unwrap();
    damaged[4096..].fill(0xa5);
    ground.write("damaged.db", damaged);
    refused(&ground, "sqlite:damaged.db#kinds", "one.csv", "malformed", "restore it from a backup");
    let bad = "CREATE TABLE bad (v TEXT); INSERT INTO bad VALUES (CAST(x'ff' AS TEXT));";
    Connection::open(ground.at("bad.db")).unwrap().execute_batch(bad).unwrap();
    refused(&ground, "sqlite:bad.db#bad", "one.csv", "text is not UTF-8", "--exclude");
}
