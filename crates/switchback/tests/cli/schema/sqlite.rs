//! SQLite: all ten steps there and back, and what a person sees.

use rusqlite::Connection;
use serde_json::json;

use super::migration::{Kind, TABLES, base, write};
use super::{deployed, same, schema, states};
use crate::ground::Ground;

pub(super) fn ground() -> Ground {
    let ground = Ground::new();
    write(&ground, Kind::Sqlite);
    Connection::open(ground.at("app.db")).unwrap().execute_batch(&base(Kind::Sqlite)).unwrap();
    ground.tool("cp", &["app.db", "before.db"]);
    ground
}

// rows: OM-1
#[test]
fn ten_steps_are_deployed_verified_known_and_undone_to_the_same_content() {
    let ground = ground();
    let report = schema(&ground, 0, "status", "app.db", &[]);
    assert_eq!(states(&report), ["pending"; 10]);
    let report = schema(&ground, 0, "deploy", "app.db", &[]);
    assert_eq!(report["done"].as_array().unwrap().len(), 10, "{report}");
    assert_eq!(states(&report), ["deployed"; 10]);
    let copy = report["copy"].as_str().unwrap();
    same(&ground, "sqlite:before.db", &format!("sqlite:{copy}/1-app.db"), &[]);
    let report = schema(&ground, 0, "verify", "app.db", &[]);
    assert!(report["steps"].as_array().unwrap().iter().all(|step| step["verified"] == "yes"), "{report}");
    // Again: there is nothing to do, and no copy is made.
    let report = schema(&ground, 0, "deploy", "app.db", &[]);
    assert_eq!((&report["done"], &report["copy"]), (&json!([]), &json!(null)));
    let report = schema(&ground, 0, "revert", "app.db", &["--to", "0004_full_name"]);
    assert_eq!(report["done"][0], "0010_status");
    assert_eq!((report["done"].as_array().unwrap().len(), deployed(&report)), (6, 4));
    let report = schema(&ground, 0, "revert", "app.db", &["--all"]);
    assert_eq!((&report["lost"], deployed(&report)), (&json!([]), 0));
    same(&ground, "sqlite:before.db", "sqlite:app.db", &[]);
    // The control: the steps do change something.
    schema(&ground, 0, "deploy", "app.db", &["--no-copy", "--to", "0005_cents"]);
    let seen = ground.run("compare --json sqlite:before.db#orders sqlite:app.db#orders --key id");
    assert_eq!(seen.code, 1, "{seen}");
}

// rows: OM-1
#[test]
fn a_failing_step_is_named_with_statement_line_and_message_and_the_others_are_known_and_undone() {
    let ground = ground();
    ground.write(
        "steps/0007_marks/deploy.sql",
        "CREATE TABLE marks (id BIGINT);\n\nINSERT INTO marks\n  SELECT missing FROM orders;\n",
    );
    let report = schema(&ground, 1, "deploy", "app.db", &["--no-copy"]);
    let failed = &report["failed"];
    assert_eq!((&failed["step"], &failed["file"]), (&json!("0007_marks"), &json!("0007_marks/deploy.sql")));
    assert_eq!(
        (&failed["statement"], &failed["statements"], &failed["line"]),
        (&json!(2), &json!(2), &json!(4))
    );
    assert!(failed["message"].as_str().unwrap().contains("no such column: missing"), "{failed}");
    assert_eq!((deployed(&report), states(&report)[6]), (6, "pending"));
    let there = Connection::open(ground.at("app.db")).unwrap();
    let marks: u64 = there
        .query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'marks'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(marks, 0, "the first statement of the step that failed is taken back");
    drop(there);
    let report = schema(&ground, 0, "revert", "app.db", &["--all"]);
    let order: Vec<&str> =
        report["done"].as_array().unwrap().iter().map(|name| &name.as_str().unwrap()[..4]).collect();
    assert_eq!(order, ["0006", "0005", "0004", "0003", "0002", "0001"]);
    same(&ground, "sqlite:before.db", "sqlite:app.db", &[]);
    // The same at once.
    let report = schema(&ground, 1, "deploy", "app.db", &["--no-copy", "--undo"]);
    assert_eq!((report["undone"].as_array().unwrap().len(), deployed(&report)), (6, 0));
    same(&ground, "sqlite:before.db", "sqlite:app.db", &[]);
}

#[test]
fn rows_of_old_tables_stay_and_what_else_was_written_is_in_files_before_it_goes() {
    let ground = ground();
    schema(&ground, 0, "deploy", "app.db", &["--no-copy"]);
    let live = Connection::open(ground.at("app.db")).unwrap();
    live.execute_batch(
        "INSERT INTO orders SELECT id + 1000, customer, total, 'since' , 5 FROM orders LIMIT 100;
         INSERT INTO payments VALUES (1001, 12, 'it, \"quoted\"'), (1002, 13, NULL);
         UPDATE customers SET status = 'old' WHERE id = 1",
    )
    .unwrap();
    let report = schema(&ground, 1, "revert", "app.db", &["--all"]);
    assert_eq!(deployed(&report), 10, "the first of them is refused already: {report}");
    let lost = &report["lost"][0];
    assert_eq!(
        (&lost["table"], &lost["column"], &lost["rows"]),
        (&json!("customers"), &json!("status"), &json!(7))
    );
    let report = schema(&ground, 1, "revert", "app.db", &["--all", "--accept-loss", "6"]);
    assert_eq!(deployed(&report), 10);
    // 7 values of status, 32 payments, 100 priorities; what was there at the deploy and stayed as it was is not counted.
    let report = schema(&ground, 0, "revert", "app.db", &["--all", "--accept-loss", "139"]);
    let told: Vec<(String, u64)> = report["lost"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["table"].as_str().unwrap().to_owned(), one["rows"].as_u64().unwrap()))
        .collect();
    assert_eq!(told, [("customers".to_owned(), 7), ("payments".to_owned(), 32), ("orders".to_owned(), 100)]);
    let file = ground.read(report["lost"][1]["file"].as_str().unwrap());
    assert!(file.starts_with("order_id,amount,memo\n"), "{file}");
    assert!(file.contains("1001,12,\"it, \"\"quoted\"\"\"\n1002,13,\n"), "{file}");
    assert_eq!(file.lines().count(), 33);
    let rows: u64 =
        live.query_row("SELECT count(*) FROM orders WHERE note = 'since'", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 100, "they are in a table that stays");
}

#[test]
fn a_new_database_is_made_only_when_that_is_asked_for() {
    let ground = ground();
    ground.write("steps/0001_customers/deploy.sql", "CREATE TABLE customers (id BIGINT PRIMARY KEY, name TEXT NOT NULL);\nCREATE TABLE orders (id BIGINT PRIMARY KEY, customer TEXT NOT NULL, total BIGINT NOT NULL, note TEXT);\n");
    ground.write("steps/0001_customers/verify.sql", "SELECT count(*) = 0 FROM customers;\n");
    let seen = super::run(&ground, "deploy", "sqlite:new.db", &["--to", "0001_customers"]);
    assert_eq!(seen.code, 2, "{seen}");
    assert!(!ground.at("new.db").exists());
    schema(&ground, 0, "deploy", "sqlite:new.db", &["--create", "--to", "0001_customers"]);
    let report = schema(&ground, 0, "status", "new.db", &[]);
    assert_eq!(deployed(&report), 1);
    assert!(TABLES.len() == 4);
}

// rows: OM-1
#[test]
fn a_check_of_a_plan_says_whether_the_steps_are_there_and_hold() {
    let ground = ground();
    ground.write("src/app.py", "VERSION = 1\n");
    ground.write("../new/src/app.py", "VERSION = 2\n");
    let check = "[[check]]\nname = \"tables\"\nkind = \"schema\"\ndatabase = \"app.db\"\nsteps = \"steps\"\nat = [\"before\", \"live\"]\n";
    ground.plan("", check);
    let seen = ground.expect(1, "check tables --at before");
    assert!(seen.err.contains("0 of 0 deployed steps of `app.db` hold, 10 not deployed"), "{seen}");
    schema(&ground, 0, "deploy", "app.db", &["--no-copy", "--to", "0009_body"]);
    ground.expect(1, "check tables --at before");
    ground.plan("", &check.replace("at = ", "pending = true\nat = "));
    let seen = ground.expect(0, "check tables --at before");
    assert!(seen.err.contains("9 of 9 deployed steps of `app.db` hold, 1 not deployed"), "{seen}");
    Connection::open(ground.at("app.db")).unwrap().execute_batch("DROP VIEW large").unwrap();
    let seen = ground.expect(1, "check tables --at before");
    assert!(seen.err.contains("`0006_large/verify.sql` line 1"), "{seen}");
}
