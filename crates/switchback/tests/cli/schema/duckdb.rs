//! DuckDB: its own library, and a file that one program has at a time.

use serde_json::json;

use super::migration::{Kind, base, write};
use super::{deployed, same, schema, states};
use crate::databases::duckdb::{Duckdb, ground as bare};
use crate::ground::Ground;

pub(super) fn ground() -> Ground {
    let ground = bare();
    write(&ground, Kind::Duckdb);
    Duckdb::open(&ground.at("app.duckdb")).run(&base(Kind::Duckdb));
    ground.tool("cp", &["app.duckdb", "before.duckdb"]);
    ground
}

// rows: OM-1
#[test]
fn needs_duckdb_ten_steps_are_deployed_verified_known_and_undone_to_the_same_content() {
    let ground = ground();
    let report = schema(&ground, 0, "deploy", "app.duckdb", &[]);
    assert_eq!(states(&report), ["deployed"; 10], "{report}");
    let copy = report["copy"].as_str().unwrap();
    same(&ground, "duckdb:before.duckdb", &format!("duckdb:{copy}/1-app.duckdb"), &[]);
    schema(&ground, 0, "verify", "app.duckdb", &[]);
    assert_eq!(schema(&ground, 0, "deploy", "app.duckdb", &[])["done"], json!([]));
    let report = schema(&ground, 0, "revert", "app.duckdb", &["--all"]);
    assert_eq!((deployed(&report), &report["lost"]), (0, &json!([])));
    same(&ground, "duckdb:before.duckdb", "duckdb:app.duckdb", &[]);
}

// rows: OM-1
#[test]
fn needs_duckdb_a_failing_step_is_named_and_the_others_are_undone_in_reverse() {
    let ground = ground();
    ground.write(
        "steps/0007_marks/deploy.sql",
        "CREATE TABLE marks (id BIGINT);\n\nINSERT INTO marks\n  SELECT missing FROM orders;\n",
    );
    let report = schema(&ground, 1, "deploy", "app.duckdb", &["--no-copy"]);
    let failed = &report["failed"];
    assert_eq!(
        (&failed["step"], &failed["statement"], &failed["line"]),
        (&json!("0007_marks"), &json!(2), &json!(4))
    );
    assert!(failed["message"].as_str().unwrap().contains("missing"), "{failed}");
    assert_eq!(deployed(&report), 6);
    schema(&ground, 0, "revert", "app.duckdb", &["--all"]);
    same(&ground, "duckdb:before.duckdb", "duckdb:app.duckdb", &[]);
}

#[test]
fn needs_duckdb_a_step_that_drops_rows_is_refused_and_rows_written_since_are_kept_or_written_down() {
    let ground = ground();
    schema(&ground, 0, "deploy", "app.duckdb", &["--no-copy"]);
    ground.write("steps/0011_drop/deploy.sql", "DELETE FROM orders WHERE id = 7;\n");
    ground.write("steps/0011_drop/verify.sql", "SELECT true;\n");
    ground.write("steps/0011_drop/revert.sql", "SELECT 1;\n");
    let report = schema(&ground, 1, "deploy", "app.duckdb", &["--no-copy"]);
    assert!(
        report["refused"].to_string().contains("the table `orders` had 300 rows and has 299 rows"),
        "{report}"
    );
    assert_eq!(states(&report)[10], "pending");
    Duckdb::open(&ground.at("app.duckdb")).run(
        "INSERT INTO payments SELECT range, 5, 'since' FROM range(5000, 6000); INSERT INTO orders VALUES (5000, 'customer 1', 100, 'since', NULL)",
    );
    let report = schema(&ground, 1, "revert", "app.duckdb", &["--to", "0002_priority"]);
    assert_eq!(report["lost"][0]["rows"], 1030);
    schema(&ground, 0, "revert", "app.duckdb", &["--all", "--accept-loss", "1030"]);
    let seen = ground.run("compare --json duckdb:before.duckdb#orders duckdb:app.duckdb#orders --key id");
    assert_eq!((seen.code, &seen.json()["items"][0]["rows"]["only_new"]), (1, &json!(1)), "{seen}");
    assert_eq!(seen.json()["items"][0]["rows"]["different"], 0);
}

#[test]
fn needs_duckdb_texts_with_escapes_and_comments_within_comments_are_as_it_reads_them() {
    let ground = ground();
    ground.tool("rm", &["-rf", "steps"]);
    ground.write(
        "steps/0001_texts/deploy.sql",
        "/* a /* ; */ ; */ CREATE TABLE texts (a VARCHAR);\nINSERT INTO texts VALUES (E'it\\';s');\n",
    );
    ground.write("steps/0001_texts/verify.sql", "SELECT a = 'it'';s' FROM texts;\n");
    ground.write("steps/0001_texts/revert.sql", "DROP TABLE texts;\n");
    schema(&ground, 0, "deploy", "app.duckdb", &["--no-copy"]);
    ground.write("steps/0002_bad/deploy.sql", "SELECT 1;\n");
    ground.write("steps/0002_bad/verify.sql", "DELETE FROM orders;\n");
    ground.write("steps/0002_bad/revert.sql", "SELECT 1;\n");
    let report = super::run(&ground, "deploy", "app.duckdb", &["--no-copy"]);
    assert!(report.code == 2 && report.out.contains("has queries alone"), "{report}");
}
