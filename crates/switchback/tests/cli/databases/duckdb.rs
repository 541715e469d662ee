//! DuckDB: its own library, its own exports, and a file that somebody else has open.

use std::path::Path;
use std::sync::Arc;

use adbc_core::options::{AdbcVersion, OptionDatabase, OptionValue};
use adbc_core::{Connection, Database, Driver, Statement};
use adbc_driver_manager::{ManagedConnection, ManagedDriver};
use arrow_array::{ArrayRef, Int64Array, StringArray};
use serde_json::json;

use super::exports::parquet;
use super::snapshots::snapshot;
use super::{Ground, compare, only_cell, refused};
use crate::s3::of_npm;

const LIBRARY: &str = "@duckdb/node-bindings-linux-x64/libduckdb.so";

/// DuckDB itself, open for writing until it is dropped.
pub(crate) struct Duckdb(ManagedConnection);

impl Duckdb {
    pub(crate) fn open(path: &Path) -> Self {
        let library = of_npm(LIBRARY);
        let mut driver =
            ManagedDriver::load_dynamic_from_filename(library, Some(b"duckdb_adbc_init"), AdbcVersion::V110)
                .unwrap();
        let path = OptionValue::String(path.display().to_string());
        let database = driver.new_database_with_opts([(OptionDatabase::Other("path".into()), path)]).unwrap();
        Self(database.new_connection().unwrap())
    }

    pub(crate) fn run(&mut self, statements: &str) {
        for statement in statements.split(';').filter(|statement| !statement.trim().is_empty()) {
            let mut running = self.0.new_statement().unwrap();
            running.set_sql_query(statement).unwrap();
            running.execute_update().unwrap();
        }
    }
}

/// A project whose commands find the library.
pub(crate) fn ground() -> Ground {
    let mut ground = Ground::new();
    let library = std::fs::canonicalize(of_npm(LIBRARY)).unwrap();
    ground.set("SWITCHBACK_DUCKDB_LIBRARY", library.to_str().unwrap());
    ground
}

const KINDS: &str = "
    CREATE TYPE mood AS ENUM ('good', 'bad');
    CREATE TABLE kinds (id BIGINT, flag BOOLEAN, tiny TINYINT, small USMALLINT, whole INTEGER, large UBIGINT, single FLOAT,
        double DOUBLE, amount DECIMAL(18, 3), wide DECIMAL(38, 10), name VARCHAR, raw BLOB, day DATE, clock TIME, seen TIMESTAMP,
        fine TIMESTAMP_NS, instant TIMESTAMPTZ, list INTEGER[], pair STRUCT(a INTEGER, b VARCHAR));
    INSERT INTO kinds VALUES
        (9223372036854775807, true, 127, 65535, 2147483647, 18446744073709551615, 3.4028235e38, 1.7976931348623157e308,
         123456789012345.678, 1234567890123456789012345678.0123456789, 'Zürich', '\\x00\\xFF', '9999-12-31', '23:59:59.999999',
         '1900-01-01 00:00:00.000001', '2024-07-01 00:00:00.123456789', '2024-07-01 12:00:00+02', [1, NULL, 3],
         {'a': 1, 'b': NULL}),
        (1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        (-9223372036854775808, false, -128, 0, -2147483648, 0, 'nan', '-infinity', -0.001, -0.0000000001, '', '', '0001-01-01',
         '00:00:00', '2024-01-01', '1970-01-01', '1969-12-31 23:59:59.999999Z', [], {'a': NULL, 'b': ''})";

#[test]
fn needs_duckdb_a_table_equals_its_export_until_one_row_is_changed() {
    let ground = ground();
    let mut writer = Duckdb::open(&ground.at("kinds.duckdb"));
    writer.run(KINDS);
    writer.run(&format!("COPY kinds TO '{}' (FORMAT parquet)", ground.at("kinds.parquet").display()));
    drop(writer);
    let table = "duckdb:kinds.duckdb#kinds";
    let listing = ground.listing();
    let report = compare(&ground, 0, table, "kinds.parquet", &["--key", "id"]);
    let item = &report["items"][0];
    assert_eq!((&item["name"], &item["rows"]["equal"]), (&json!("kinds.duckdb#kinds"), &json!(3)));
    assert_eq!(item["not_compared"], json!([]));
    compare(&ground, 0, "kinds.parquet", "duckdb:kinds.duckdb#main.kinds", &[]);
    assert_eq!(ground.listing(), listing);
    let wide = "1234567890123456789012345678.0123456789";
    Duckdb::open(&ground.at("kinds.duckdb")).run("UPDATE kinds SET wide = wide + 0.0000000001 WHERE id > 1");
    let report = compare(&ground, 1, table, "kinds.parquet", &["--key", "id"]);
    let changed = "1234567890123456789012345678.0123456790";
    let (key, column, old, new) = only_cell(&report);
    assert_eq!((key, column.as_str()), (json!({"id": i64::MAX.to_string()}), "wide"));
    assert_eq!(new, json!(wide));
    assert_eq!(old.as_str().unwrap().trim_end_matches('0'), changed.trim_end_matches('0'));
}

#[test]
fn needs_duckdb_what_arrow_cannot_carry_is_text_and_told() {
    let ground = ground();
    Duckdb::open(&ground.at("odd.duckdb")).run(
        "CREATE TYPE mood AS ENUM ('good', 'bad');
         CREATE TABLE odd (id BIGINT, total HUGEINT, over UHUGEINT, uid UUID, feeling mood, span INTERVAL, day DATE, bits BIT);
         INSERT INTO odd VALUES (1, 99999999999999999999999999999999999999, 340282366920938463463374607431768211455,
             '123e4567-e89b-12d3-a456-426614174000', 'good', INTERVAL 1 MONTH, 'infinity', '0101'), (2, -5, 0, NULL, NULL, NULL, NULL, NULL)",
    );
    let text = |one: &str, two: Option<&str>| Arc::new(StringArray::from(vec![Some(one), two])) as ArrayRef;
    let total = arrow_array::Decimal128Array::from(vec![10_i128.pow(38) - 1, -5])
        .with_precision_and_scale(38, 0)
        .unwrap();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int64Array::from(vec![1, 2]))),
        ("total", Arc::new(total)),
        ("over", text("340282366920938463463374607431768211455", Some("0"))),
        ("uid", text("123e4567-e89b-12d3-a456-426614174000", None)),
        ("feeling", text("good", None)),
        ("span", text("1 month", None)),
        ("day", text("infinity", None)),
        ("bits", text("0101", None)),
    ];
    parquet(&ground.at("odd.parquet"), columns);
    let report = compare(&ground, 0, "duckdb:odd.duckdb#odd", "odd.parquet", &["--key", "id"]);
    let notes = report["items"][0]["not_compared"].as_array().unwrap();
    assert_eq!(notes.len(), 4, "{notes:?}");
    for column in ["over", "span", "day", "bits"] {
        let told = format!("column `{column}` of `duckdb:odd.duckdb#odd` is compared as text");
        assert!(notes.iter().any(|note| note.as_str().unwrap().starts_with(&told)), "{notes:?}");
    }
}

#[test]
fn needs_duckdb_all_tables_and_views_in_one_order() {
    let ground = ground();
    let tables = "CREATE TABLE long AS SELECT range AS id, 'v' || range AS v FROM range(300000);
        CREATE SCHEMA other; CREATE TABLE other.t AS SELECT 1 AS v;
        CREATE VIEW seen AS SELECT v, id FROM long WHERE id % 3 = 0 ORDER BY hash(v)";
    Duckdb::open(&ground.at("old.duckdb")).run(tables);
    Duckdb::open(&ground.at("new.duckdb")).run(&format!("{tables}; CREATE TABLE came (v INTEGER)"));
    let report = compare(&ground, 1, "duckdb:old.duckdb", "duckdb:new.duckdb", &[]);
    assert_eq!((&report["only_old"], &report["only_new"]), (&json!([]), &json!(["old.duckdb#came"])));
    let items: Vec<_> =
        report["items"].as_array().unwrap().iter().map(|item| (&item["name"], &item["verdict"])).collect();
    let (long, other, yes) = (json!("old.duckdb#long"), json!("old.duckdb#other.t"), json!("yes"));
    assert_eq!(items, [(&long, &yes), (&other, &yes)]);
    assert_eq!(report["items"][0]["rows"]["equal"], 300_000);
    let report = compare(&ground, 0, "duckdb:old.duckdb#seen", "duckdb:new.duckdb#seen", &["--key", "id"]);
    assert_eq!(report["items"][0]["rows"]["equal"], 100_000);
}

#[test]
fn needs_duckdb_what_cannot_be_read_is_named_with_a_next_move() {
    let mut ground = ground();
    ground.write("one.csv", "v\n1\n");
    let mut writer = Duckdb::open(&ground.at("t.duckdb"));
    writer.run("CREATE TABLE t (v INTEGER)");
    refused(&ground, "duckdb:t.duckdb#t", "one.csv", "lock", "end it");
    drop(writer);
    ground.write("text.duckdb", "no database at all, but long enough to be looked at as one\n".repeat(300));
    refused(&ground, "duckdb:t.duckdb#gone", "one.csv", "it has `t`", "name one of its tables");
    refused(&ground, "duckdb:gone.duckdb#t", "one.csv", "No such file", "check the path");
    refused(&ground, "duckdb:text.duckdb#t", "one.csv", "not a valid DuckDB database", "DuckDB has written");
    assert!(!ground.at("gone.duckdb").exists());
    ground.set("SWITCHBACK_DUCKDB_LIBRARY", "/nowhere/libduckdb.so");
    refused(&ground, "duckdb:t.duckdb#t", "one.csv", "/nowhere/libduckdb.so", "SWITCHBACK_DUCKDB_LIBRARY");
}

// rows: PC-4
#[test]
fn needs_duckdb_a_snapshot_waits_for_no_writer_and_what_comes_back_is_the_same() {
    let ground = ground();
    let mut writer = Duckdb::open(&ground.at("simulation.duckdb"));
    writer.run("CREATE TABLE t AS SELECT range AS id, 'v' || range AS v FROM range(5000)");
    ground.plan("", "[snapshot]\ndatabases = [\"simulation.duckdb\"]\n");
    ground.write("src/app.py", "VERSION = 1\n");
    let seen = ground.expect(2, "snapshot create");
    assert!(seen.err.contains("has it open for writing"), "{seen}");
    drop(writer);
    let id = snapshot(&ground, "simulation.duckdb");
    ground
        .expect(0, &format!("snapshot restore {id} --database simulation.duckdb --into ../restored.duckdb"));
    let (old, new) = ("duckdb:simulation.duckdb", "duckdb:../restored.duckdb");
    let report = compare(&ground, 0, &format!("{old}#t"), &format!("{new}#t"), &["--key", "id"]);
    assert_eq!(report["items"][0]["rows"]["equal"], 5000);
    Duckdb::open(&ground.at("simulation.duckdb")).run("UPDATE t SET v = 'other' WHERE id = 7");
    compare(&ground, 1, &format!("{old}#t"), &format!("{new}#t"), &["--key", "id"]);
}
