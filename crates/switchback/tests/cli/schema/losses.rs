//! What a revert would take is found, counted and written down, also where it cannot be tried.

use rusqlite::Connection;
use serde_json::{Value, json};

use super::{same, schema};
use crate::ground::Ground;

/// A database of orders, and one step.
fn ground(deploy: &str, revert: &str) -> Ground {
    let ground = Ground::new();
    live(&ground).execute_batch(&super::migration::base(super::migration::Kind::Sqlite)).unwrap();
    ground.tool("cp", &["app.db", "before.db"]);
    ground.write("steps/0001_one/deploy.sql", format!("-- switchback: no verify\n{deploy}"));
    ground.write("steps/0001_one/revert.sql", revert);
    ground
}

fn live(ground: &Ground) -> Connection {
    Connection::open(ground.at("app.db")).unwrap()
}

/// Table, column and number of each loss.
fn lost(report: &Value) -> Vec<(String, Value, u64)> {
    let all = report["lost"].as_array().unwrap().iter();
    all.map(|one| {
        (one["table"].as_str().unwrap().to_owned(), one["column"].clone(), one["rows"].as_u64().unwrap())
    })
    .collect()
}

fn deploy(ground: &Ground) -> Value {
    schema(ground, 0, "deploy", "app.db", &["--no-copy"])
}

// rows: OM-1, PC-10
#[test]
fn values_of_a_changed_column_that_another_deploy_would_not_bring_back_are_written_down() {
    let ground = ground(
        "-- switchback: changes orders.note\nALTER TABLE orders ADD COLUMN was TEXT;\nUPDATE orders SET was = note, note = 'new';\n",
        "UPDATE orders SET note = was;\nALTER TABLE orders DROP COLUMN was;\n",
    );
    deploy(&ground);
    // As it came: nothing is lost, and all is as it was.
    let report = schema(&ground, 0, "revert", "app.db", &[]);
    assert_eq!(report["lost"], json!([]));
    same(&ground, "sqlite:before.db", "sqlite:app.db", &[]);
    deploy(&ground);
    live(&ground).execute_batch("UPDATE orders SET note = 'since' WHERE id <= 3").unwrap();
    let report = schema(&ground, 1, "revert", "app.db", &[]);
    assert_eq!(lost(&report), [("orders".to_owned(), json!("note"), 3)]);
    let file = ground.read(report["lost"][0]["file"].as_str().unwrap());
    assert_eq!(file.lines().filter(|line| line.contains("since")).count(), 3, "{file}");
    assert_eq!(file.lines().count(), 4, "{file}");
    let notes: u64 = live(&ground)
        .query_row("SELECT count(*) FROM orders WHERE note = 'since'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(notes, 3, "nothing is reverted before that is agreed to");
    schema(&ground, 1, "revert", "app.db", &["--accept-loss", "2"]);
    schema(&ground, 0, "revert", "app.db", &["--accept-loss", "3"]);
    same(&ground, "sqlite:before.db", "sqlite:app.db", &[]);
}

#[test]
fn values_that_can_be_changed_back_and_forth_are_no_loss() {
    let ground = ground(
        "-- switchback: changes orders.total\nUPDATE orders SET total = total * 100;\n",
        "UPDATE orders SET total = total / 100;\n",
    );
    deploy(&ground);
    let write = |total: u64, id: u64| {
        let row = format!("INSERT INTO orders VALUES ({id}, 'customer 1', {total}, NULL)");
        live(&ground).execute_batch(&row).unwrap();
    };
    write(700, 1001);
    let report = schema(&ground, 0, "revert", "app.db", &[]);
    assert_eq!(report["lost"], json!([]));
    deploy(&ground);
    // Seven, and half of one, which whole numbers cannot hold.
    write(750, 1002);
    let report = schema(&ground, 1, "revert", "app.db", &[]);
    assert_eq!(lost(&report), [("orders".to_owned(), json!("total"), 1)]);
    assert!(ground.read(report["lost"][0]["file"].as_str().unwrap()).contains("1002,customer 1,750,"));
}

#[test]
fn a_changed_column_that_the_revert_removes_is_lost_as_any_other() {
    let ground = ground(
        "-- switchback: changes orders.note\nUPDATE orders SET note = 'new';\n",
        "ALTER TABLE orders DROP COLUMN note;\n",
    );
    deploy(&ground);
    let report = schema(&ground, 1, "revert", "app.db", &[]);
    assert_eq!(lost(&report), [("orders".to_owned(), json!("note"), 300)]);
}

#[test]
fn rows_written_while_a_step_was_half_done_did_not_come_with_it() {
    let ground = ground(
        "-- switchback: no transaction\nCREATE TABLE marks (id BIGINT);\nINSERT INTO marks SELECT id FROM later;\n",
        "DROP TABLE marks;\n",
    );
    schema(&ground, 1, "deploy", "app.db", &["--no-copy"]);
    live(&ground)
        .execute_batch(
            "INSERT INTO marks VALUES (1), (2); CREATE TABLE later (id BIGINT); INSERT INTO later VALUES (9)",
        )
        .unwrap();
    deploy(&ground);
    let report = schema(&ground, 1, "revert", "app.db", &[]);
    assert_eq!(lost(&report), [("marks".to_owned(), json!(null), 3)]);
    schema(&ground, 0, "revert", "app.db", &["--accept-loss", "3"]);
}

#[test]
fn a_revert_that_was_interrupted_looks_again_at_what_it_takes() {
    let ground = ground(
        "CREATE TABLE one (id BIGINT);\nCREATE TABLE two (id BIGINT);\n",
        "-- switchback: no transaction\nDROP TABLE one;\nDROP TABLE in_the_way;\nDROP TABLE two;\n",
    );
    deploy(&ground);
    schema(&ground, 1, "revert", "app.db", &[]);
    live(&ground).execute_batch("INSERT INTO two VALUES (5); CREATE TABLE in_the_way (id BIGINT)").unwrap();
    let report = schema(&ground, 1, "revert", "app.db", &[]);
    assert_eq!(lost(&report), [("two".to_owned(), json!(null), 1)]);
    assert_eq!(ground.read(report["lost"][0]["file"].as_str().unwrap()), "id\n5\n");
    let report = schema(&ground, 2, "revert", "app.db", &["--accept-loss", "1"]);
    // It took a table that was not the step's: told, and in the copy.
    assert!(report["refused"].to_string().contains("`in_the_way` is gone"), "{report}");
    let copy = format!("{}/1-app.db", report["copy"].as_str().unwrap());
    let there: u64 = Connection::open(ground.at(&copy))
        .unwrap()
        .query_row("SELECT count(*) FROM sqlite_schema WHERE name IN ('in_the_way', 'two')", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(there, 2);
}

#[test]
fn a_revert_that_cannot_be_tried_and_changes_other_rows_is_told_and_was_copied_before() {
    let ground = ground(
        "-- switchback: no transaction\nCREATE INDEX by_note ON orders (note);\n",
        "-- switchback: no transaction\nDROP INDEX by_note;\nDELETE FROM orders WHERE id = 7;\n",
    );
    deploy(&ground);
    let report = schema(&ground, 2, "revert", "app.db", &[]);
    assert!(
        report["refused"].to_string().contains("the table `orders` had 300 rows and has 299 rows"),
        "{report}"
    );
    let copy = format!("sqlite:{}/1-app.db#orders", report["copy"].as_str().unwrap());
    same(&ground, "sqlite:before.db#orders", &copy, &[]);
    // The control: the same without that statement.
    ground.write("steps/0001_one/revert.sql", "-- switchback: no transaction\nDROP INDEX by_note;\n");
    ground.tool("cp", &["before.db", "app.db"]);
    deploy(&ground);
    let report = schema(&ground, 0, "revert", "app.db", &[]);
    assert_eq!(report["kept"], json!({"tables": 1, "rows": 300, "differences": []}));
}
