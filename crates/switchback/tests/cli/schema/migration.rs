//! A migration of ten steps, in the words of each database.

use crate::ground::Ground;

/// Which words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Sqlite,
    Postgresql,
    Duckdb,
}

/// The tables that are there once all is deployed.
pub(super) const TABLES: [&str; 4] = ["orders", "customers", "payments", "marks"];

/// What is there before: statements.
pub(super) fn base(kind: Kind) -> String {
    let numbers = match kind {
        Kind::Sqlite => {
            "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 300) SELECT n FROM n"
        }
        Kind::Postgresql => "SELECT n FROM generate_series(1, 300) AS n",
        Kind::Duckdb => "SELECT range AS n FROM range(1, 301)",
    };
    format!(
        "CREATE TABLE orders (id BIGINT PRIMARY KEY, customer TEXT NOT NULL, total BIGINT NOT NULL, note TEXT);
         INSERT INTO orders SELECT n, 'customer ' || (n % 7), n * 3, CASE WHEN n % 5 = 0 THEN NULL ELSE 'note ' || n END FROM ({numbers}) AS numbers"
    )
}

/// Writes the ten steps into `steps`: name, deploy, verify, revert.
pub(super) fn write(ground: &Ground, kind: Kind) {
    for (name, deploy, verify, revert) in steps(kind) {
        for (file, text) in [("deploy", deploy), ("verify", verify), ("revert", revert)] {
            ground.write(&format!("steps/{name}/{file}.sql"), text);
        }
    }
}

type Text = (&'static str, &'static str, &'static str, &'static str);

fn steps(kind: Kind) -> Vec<Text> {
    vec![
        (
            "0001_customers",
            "-- Who buys.\nCREATE TABLE customers (id BIGINT PRIMARY KEY, name TEXT NOT NULL);\n\
             INSERT INTO customers SELECT row_number() OVER (ORDER BY customer), customer\n  FROM (SELECT DISTINCT customer FROM orders) AS names;\n",
            "SELECT count(*) = 7 FROM customers;\nSELECT max(id) = 7 FROM customers;\n",
            "DROP TABLE customers;\n",
        ),
        (
            "0002_priority",
            "ALTER TABLE orders ADD COLUMN priority BIGINT;\n",
            "SELECT count(priority) >= 0 FROM orders;\n",
            "ALTER TABLE orders DROP COLUMN priority;\n",
        ),
        (
            "0003_payments",
            "CREATE TABLE payments (order_id BIGINT NOT NULL, amount BIGINT NOT NULL, memo TEXT);\nINSERT INTO payments SELECT id, total, 'a; b' FROM orders WHERE id % 10 = 0;\n",
            "SELECT count(*) >= 30 FROM payments;\n",
            "DROP TABLE payments;\n",
        ),
        (
            "0004_full_name",
            "-- switchback: renames customers.name to full_name\nALTER TABLE customers RENAME COLUMN name TO full_name;\n",
            "SELECT count(full_name) > 0 FROM customers;\n",
            "ALTER TABLE customers RENAME COLUMN full_name TO name;\n",
        ),
        (
            "0005_cents",
            "-- switchback: changes orders.total\nUPDATE orders SET total = total * 100;\n",
            "SELECT min(total) >= 100 FROM orders;\n",
            "UPDATE orders SET total = total / 100;\n",
        ),
        (
            "0006_large",
            "CREATE VIEW large AS\n  SELECT id, total FROM orders WHERE total > 50000;\n",
            "SELECT count(*) > 0 FROM large;\n",
            "DROP VIEW large;\n",
        ),
        marks(kind),
        (
            "0008_unpaid",
            "-- switchback: rows payments\nINSERT INTO payments SELECT id, 0, NULL FROM orders WHERE id % 10 = 1;\n",
            "SELECT count(*) >= 60 FROM payments;\n",
            "DELETE FROM payments WHERE amount = 0 AND memo IS NULL;\n",
        ),
        body(kind),
        (
            "0010_status",
            "ALTER TABLE customers ADD COLUMN status TEXT DEFAULT 'new';\n",
            "SELECT count(*) = 0 FROM customers WHERE status IS NULL;\n",
            "ALTER TABLE customers DROP COLUMN status;\n",
        ),
    ]
}

/// A step that is no transaction.
fn marks(kind: Kind) -> Text {
    match kind {
        Kind::Sqlite => (
            "0007_marks",
            "-- switchback: no transaction\n-- switchback: repeatable\nCREATE TABLE IF NOT EXISTS marks (id BIGINT);\nVACUUM;\n\
             CREATE INDEX IF NOT EXISTS orders_by_customer ON orders (customer);\n",
            "SELECT count(*) FROM sqlite_schema WHERE name = 'orders_by_customer';\n",
            "-- switchback: no transaction\n-- switchback: repeatable\nDROP INDEX IF EXISTS orders_by_customer;\nDROP TABLE IF EXISTS marks;\n",
        ),
        Kind::Postgresql => (
            "0007_marks",
            "-- switchback: no transaction\n-- switchback: repeatable\nCREATE TABLE IF NOT EXISTS marks (id BIGINT);\n\
             DROP INDEX CONCURRENTLY IF EXISTS orders_by_customer;\nCREATE INDEX CONCURRENTLY orders_by_customer ON orders (customer);\n",
            "SELECT indisvalid FROM pg_index WHERE indexrelid = 'orders_by_customer'::regclass;\n",
            "-- switchback: no transaction\n-- switchback: repeatable\nDROP INDEX CONCURRENTLY IF EXISTS orders_by_customer;\nDROP TABLE IF EXISTS marks;\n",
        ),
        Kind::Duckdb => (
            "0007_marks",
            "-- switchback: no transaction\n-- switchback: repeatable\nCREATE TABLE IF NOT EXISTS marks (id BIGINT);\nCHECKPOINT;\n",
            "SELECT count(*) >= 0 FROM marks;\n",
            "-- switchback: no transaction\n-- switchback: repeatable\nDROP TABLE IF EXISTS marks;\nCHECKPOINT;\n",
        ),
    }
}

/// A step whose statement has semicolons in it.
fn body(kind: Kind) -> Text {
    match kind {
        Kind::Sqlite => (
            "0009_body",
            "CREATE TRIGGER noted AFTER INSERT ON payments BEGIN\n  UPDATE payments SET memo = 'late; ' || CASE NEW.amount WHEN 0 THEN 'unpaid' ELSE 'paid' END\n\
             \x20   WHERE memo IS NULL AND amount = 7;\nEND;\n",
            "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND name = 'noted';\n",
            "DROP TRIGGER noted;\n",
        ),
        Kind::Postgresql => (
            "0009_body",
            "CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $body$\nBEGIN\n  NEW.memo := coalesce(NEW.memo, 'late; ''paid''');\n  RETURN NEW;\nEND;\n$body$;\n\
             CREATE TRIGGER noted BEFORE INSERT ON payments FOR EACH ROW WHEN (NEW.amount = 7) EXECUTE FUNCTION noted();\n",
            "SELECT count(*) FROM pg_trigger WHERE tgname = 'noted';\n",
            "DROP TRIGGER noted ON payments;\nDROP FUNCTION noted();\n",
        ),
        Kind::Duckdb => (
            "0009_body",
            "CREATE MACRO noted(memo) AS coalesce(memo, $$late; 'paid'$$);\n",
            "SELECT noted(NULL) = 'late; ''paid''';\n",
            "DROP MACRO noted;\n",
        ),
    }
}
