//! Databases that come back from snapshots, proved by `compare` of all their tables.

use serde_json::Value;

use super::{Ground, compare, only_cell};
use crate::postgresql_server::Postgres;

/// The newest snapshot of a project whose snapshots hold one database.
pub(super) fn snapshot(ground: &Ground, database: &str) -> String {
    ground.plan("", &format!("[snapshot]\ndatabases = [{database:?}]\n"));
    ground.write("src/app.py", "VERSION = 1\n");
    let made = ground.expect(0, "snapshot create --json").json();
    made["snapshots"][0]["id"].as_str().unwrap().to_owned()
}

/// The verdict on each table.
fn verdicts(report: &Value) -> Vec<(String, String)> {
    let items = report["items"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    items.map(|item| (text(&item["name"]), text(&item["verdict"]))).collect()
}

// rows: PC-4
#[test]
fn needs_postgresql_a_restored_database_equals_the_one_that_was_saved_in_all_tables() {
    let ground = Ground::new();
    let server = Postgres::start(&[]);
    for statements in [
        "CREATE TABLE orders (id bigint PRIMARY KEY, amount numeric(20, 4), at timestamptz, note text, list integer[])",
        "INSERT INTO orders SELECT n, n / 7.0, timestamptz '2026-01-01' + n * interval '1 s', 'o' || n, ARRAY[n, NULL] \
         FROM generate_series(1, 20000) AS n",
        "DELETE FROM orders WHERE id % 11 = 0",
        "UPDATE orders SET note = NULL WHERE id % 5 = 0",
        "CREATE SCHEMA other; CREATE TABLE other.kinds (id int, raw bytea, real real, span interval, document jsonb)",
        "INSERT INTO other.kinds VALUES (1, '\\x00ff', 'NaN', '1 mon -2 days', '{\"a\": [1, null]}'), (2, '', '-0', NULL, '1')",
        "CREATE TABLE parts (id int, v text) PARTITION BY RANGE (id); \
         CREATE TABLE low PARTITION OF parts FOR VALUES FROM (0) TO (10); \
         CREATE TABLE high PARTITION OF parts FOR VALUES FROM (10) TO (20); \
         INSERT INTO parts SELECT n, 'p' FROM generate_series(0, 19) AS n",
    ] {
        server.run(statements);
    }
    let id = snapshot(&ground, &server.address("postgres", ""));
    let into = server.address("restored", "");
    ground.expect(0, &format!("snapshot restore {id} --database postgres --into {into}"));
    let (old, new) = (server.address("postgres", ""), server.address("restored", ""));
    let report = compare(&ground, 0, &old, &new, &["--order", "any"]);
    let names = ["orders", "other.kinds", "parts"].map(|name| (format!("postgres#{name}"), "yes".to_owned()));
    assert_eq!(verdicts(&report), names);
    assert_eq!(report["items"][0]["rows"]["equal"], 18_182);
    // The control: one cell.
    server.run("UPDATE orders SET amount = amount + 0.0001 WHERE id = 12345");
    let orders = |database: &str| server.address(database, "#orders");
    let report = compare(&ground, 1, &orders("postgres"), &orders("restored"), &["--key", "id"]);
    assert_eq!(only_cell(&report).1, "amount");
}

#[test]
fn a_restored_database_of_sqlite_equals_the_one_that_was_saved() {
    let ground = Ground::new();
    let live = rusqlite::Connection::open(ground.at("app.db")).unwrap();
    live.execute_batch(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, 1.5), (2, x'00ff'), (3, 'text'), (4, NULL)",
    )
    .unwrap();
    let id = snapshot(&ground, "app.db");
    ground.expect(0, &format!("snapshot restore {id} --database app.db --into ../restored.db"));
    compare(&ground, 0, "sqlite:app.db", "sqlite:../restored.db", &["--key", "id"]);
    live.execute("UPDATE t SET v = 'other' WHERE id = 3", []).unwrap();
    compare(&ground, 1, "sqlite:app.db", "sqlite:../restored.db", &["--key", "id"]);
}
