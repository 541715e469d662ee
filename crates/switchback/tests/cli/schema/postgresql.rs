//! PostgreSQL: a real server, rows written after the cutover, and somebody else at the same schema.

use serde_json::json;

use super::migration::{Kind, base, write};
use super::{deployed, run, same, schema, states};
use crate::ground::Ground;
use crate::postgresql_server::Postgres;

/// A server with what is there before, twice: in `live` and `before`.
pub(super) fn ground() -> (Ground, Postgres) {
    let ground = Ground::new();
    write(&ground, Kind::Postgresql);
    let server = Postgres::start(&[]);
    server.run("CREATE DATABASE live");
    server.run_in("live", &base(Kind::Postgresql));
    server.run("CREATE DATABASE before TEMPLATE live");
    (ground, server)
}

// rows: OM-1
#[test]
fn needs_postgresql_ten_steps_are_deployed_verified_known_and_undone_to_the_same_content() {
    let (mut ground, server) = ground();
    let (live, before) = (server.address("live", ""), server.address("before", ""));
    ground.set("LIVE", &live);
    let report = schema(&ground, 0, "deploy", "${LIVE}", &[]);
    assert_eq!(states(&report), ["deployed"; 10], "{report}");
    assert!(!report.to_string().contains("geheim"));
    schema(&ground, 0, "verify", &live, &[]);
    assert_eq!(schema(&ground, 0, "deploy", &live, &[])["done"], json!([]));
    let report = schema(&ground, 0, "revert", &live, &["--all"]);
    assert_eq!((deployed(&report), &report["lost"]), (0, &json!([])));
    same(&ground, &before, &live, &[]);
}

// rows: OM-1
#[test]
fn needs_postgresql_a_failing_step_is_named_and_the_others_are_undone_in_reverse() {
    let (ground, server) = ground();
    let live = server.address("live", "");
    ground.write(
        "steps/0007_marks/deploy.sql",
        "CREATE TABLE marks (id BIGINT);\n\nINSERT INTO marks -- ä\n  SELECT id, missing FROM orders;\n",
    );
    let report = schema(&ground, 1, "deploy", &live, &["--no-copy"]);
    let failed = &report["failed"];
    assert_eq!(
        (&failed["step"], &failed["statement"], &failed["line"]),
        (&json!("0007_marks"), &json!(2), &json!(4))
    );
    assert!(failed["message"].as_str().unwrap().contains("column \"missing\" does not exist"), "{failed}");
    assert_eq!(deployed(&report), 6);
    let report = schema(&ground, 0, "revert", &live, &["--all"]);
    assert_eq!(report["done"].as_array().unwrap().len(), 6);
    same(&ground, &server.address("before", ""), &live, &[]);
}

// rows: PC-10
#[test]
fn needs_postgresql_of_a_thousand_rows_written_after_the_cutover_none_is_lost_silently() {
    let (ground, server) = ground();
    let live = server.address("live", "");
    schema(&ground, 0, "deploy", &live, &["--no-copy"]);
    server.run_in(
        "live",
        "INSERT INTO orders SELECT 10000 + n, 'customer 1', n * 100, 'since', n FROM generate_series(1, 600) AS n;
         INSERT INTO payments SELECT 10000 + n, n, 'memo ' || n FROM generate_series(1, 400) AS n;
         CREATE TABLE kept AS SELECT order_id, amount, memo FROM payments;
         CREATE TABLE kept_orders AS SELECT id, customer, total / 100 AS total, note FROM orders",
    );
    // The last step gave each customer a status, and nobody has changed one: it goes without a question.
    let report = schema(&ground, 1, "revert", &live, &["--all"]);
    assert_eq!(deployed(&report), 3, "those that lose nothing are reverted: {report}");
    let lost = &report["lost"][0];
    assert_eq!(
        (&lost["table"], &lost["rows"], &lost["rows_at_deploy"]),
        (&json!("payments"), &json!(430), &json!(30))
    );
    assert!(report["next"].as_str().unwrap().contains("--accept-loss 430"), "{report}");
    // One more row than was agreed to.
    server.run_in(
        "live",
        "INSERT INTO payments VALUES (20000, 1, 'late'); INSERT INTO kept VALUES (20000, 1, 'late')",
    );
    schema(&ground, 1, "revert", &live, &["--all", "--accept-loss", "430"]);
    // 431 payments, and 600 priorities of orders that stay.
    let report = schema(&ground, 0, "revert", &live, &["--all", "--accept-loss", "1031"]);
    let lost = report["lost"].as_array().unwrap();
    assert_eq!(lost.len(), 2, "{report}");
    for (loss, table, rows) in [(&lost[0], "payments", 431), (&lost[1], "orders", 600)] {
        assert_eq!((&loss["table"], &loss["rows"]), (&json!(table), &json!(rows)));
        let path = ground.at(loss["file"].as_str().unwrap());
        assert_eq!(std::fs::read_to_string(path).unwrap().lines().count(), rows + 1);
    }
    // What was written down is what was there, without the 30 rows that came with 0008 and went with it.
    let file = lost[0]["file"].as_str().unwrap();
    server.run_in("live", "DELETE FROM kept WHERE amount = 0 AND memo IS NULL");
    let kept = format!("{live}#kept");
    let seen =
        ground.run_arguments(&["compare", "--json", &kept, file, "--order", "any", "--schema", "common"]);
    assert_eq!(seen.code, 0, "{seen}");
    same(&ground, &format!("{live}#kept_orders"), &format!("{live}#orders"), &[]);
    // The control: a row less in the file is a difference.
    server.run_in("live", "DELETE FROM kept WHERE order_id = 20000");
    let seen =
        ground.run_arguments(&["compare", "--json", &kept, file, "--order", "any", "--schema", "common"]);
    assert_eq!(seen.code, 1, "{seen}");
}

#[test]
fn needs_postgresql_somebody_else_at_the_schema_or_in_a_table_is_waited_for_and_named() {
    let (ground, server) = ground();
    let live = server.address("live", "");
    let _other = server.run_in("live", "SELECT pg_advisory_lock(1937203811, 1)");
    let seen = run(&ground, "deploy", &live, &["--no-copy"]);
    assert_eq!(seen.code, 2, "{seen}");
    assert!(seen.out.contains("somebody else changes this schema"), "{seen}");
}

#[test]
fn needs_postgresql_rows_that_others_write_while_a_step_runs_are_not_taken_for_its_doing() {
    let (ground, server) = ground();
    let live = server.address("live", "");
    ground.write("steps/0001_customers/deploy.sql", "CREATE TABLE customers (id BIGINT, name TEXT);\nSELECT pg_sleep(2);\nINSERT INTO customers SELECT DISTINCT 1, customer FROM orders;\n");
    ground.write("steps/0001_customers/verify.sql", "SELECT true;\n");
    let mut child =
        ground.spawn(&format!("schema deploy --no-copy --to 0001_customers --steps steps --database {live}"));
    std::thread::sleep(std::time::Duration::from_millis(900));
    // It waits until the step is done.
    server.run_in("live", "INSERT INTO orders VALUES (9999, 'customer 1', 1, NULL)");
    assert!(child.wait().unwrap().success());
    assert_eq!(deployed(&schema(&ground, 0, "status", &live, &[])), 1);
}

#[test]
fn needs_postgresql_a_step_sees_what_others_commit_while_it_waits_for_their_tables() {
    let (ground, server) = ground();
    let live = server.address("live", "");
    server.run("ALTER DATABASE live SET default_transaction_isolation = 'repeatable read'");
    ground.write("steps/0001_customers/deploy.sql", "CREATE TABLE customers (id BIGINT, name TEXT);\n");
    ground.write("steps/0001_customers/verify.sql", "SELECT true;\n");
    // Somebody writes a row, and commits it while the deploy waits.
    let report = std::thread::scope(|scope| {
        scope.spawn(|| {
            server.run_in(
                "live",
                "BEGIN; INSERT INTO orders VALUES (9999, 'customer 1', 1, NULL); SELECT pg_sleep(4); COMMIT",
            )
        });
        std::thread::sleep(std::time::Duration::from_millis(700));
        schema(&ground, 0, "deploy", &live, &["--no-copy", "--to", "0001_customers"])
    });
    assert_eq!(report["kept"]["rows"], 301, "the row that was committed meanwhile is among them: {report}");
}

#[test]
fn needs_postgresql_what_is_deferred_to_the_end_of_a_step_is_compared_as_well() {
    let (ground, server) = ground();
    let live = server.address("live", "");
    ground.tool("rm", &["-rf", "steps"]);
    ground.write(
        "steps/0001_late/deploy.sql",
        "CREATE TABLE late (id BIGINT);
         CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN UPDATE orders SET note = 'late' WHERE id = 7; RETURN NULL; END$$;
         CREATE CONSTRAINT TRIGGER late AFTER INSERT ON late DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION shout();
         CREATE RULE both_ways AS ON DELETE TO late DO ALSO (SELECT 1; SELECT 2;);
         INSERT INTO late VALUES (1);\n",
    );
    ground
        .write("steps/0001_late/verify.sql", "INSERT INTO late VALUES (2); SELECT count(*) = 2 FROM late;\n");
    ground.write("steps/0001_late/revert.sql", "DROP TABLE late; DROP FUNCTION shout();\n");
    let report = schema(&ground, 1, "deploy", &live, &["--no-copy"]);
    assert!(report["refused"].to_string().contains("`orders.note` has"), "{report}");
    same(&ground, &server.address("before", ""), &live, &[]);
    let file = "steps/0001_late/deploy.sql";
    ground.write(file, format!("-- switchback: changes orders.note\n{}", ground.read(file)));
    schema(&ground, 0, "deploy", &live, &["--no-copy"]);
    let row = server.run_in("live", "SELECT 1").query_one("SELECT count(*) FROM late", &[]).unwrap();
    assert_eq!(row.get::<_, i64>(0), 1, "what verifies wrote is not there");
}

#[test]
fn needs_postgresql_values_of_rows_are_not_in_messages() {
    let (ground, server) = ground();
    let live = server.address("live", "");
    ground.tool("rm", &["-rf", "steps"]);
    ground.write(
        "steps/0001_twice/deploy.sql",
        "CREATE TABLE twice (a TEXT PRIMARY KEY);\nINSERT INTO twice VALUES ('geheim'), ('geheim');\n",
    );
    ground.write("steps/0001_twice/verify.sql", "SELECT true;\n");
    ground.write("steps/0001_twice/revert.sql", "DROP TABLE twice;\n");
    let report = schema(&ground, 1, "deploy", &live, &["--no-copy"]);
    let message = report["failed"]["message"].as_str().unwrap();
    assert!(message.contains("duplicate key value") && !message.contains("geheim"), "{message}");
}
