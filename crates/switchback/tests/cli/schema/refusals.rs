//! What is refused: steps that are not what they were, that change what they do not say, that cannot be read.

use rusqlite::Connection;
use serde_json::json;

use super::sqlite::ground;
use super::{deployed, run, same, schema, states};
use crate::ground::Ground;

fn step(ground: &Ground, name: &str, deploy: &str, verify: &str, revert: &str) {
    for (file, text) in [("deploy", deploy), ("verify", verify), ("revert", revert)] {
        ground.write(&format!("steps/{name}/{file}.sql"), text);
    }
}

/// Insists that deploy and revert are refused for a reason.
fn refused(ground: &Ground, reason: &str) {
    for verb in ["deploy", "revert"] {
        let report = schema(ground, 1, verb, "app.db", &[]);
        assert!(report["refused"].to_string().contains(reason), "`{reason}` is not in {report}");
        assert_eq!(report["done"], json!([]));
    }
}

#[test]
fn a_step_that_was_changed_removed_or_inserted_is_refused() {
    let ground = ground();
    schema(&ground, 0, "deploy", "app.db", &["--no-copy", "--to", "0005_cents"]);
    let file = "steps/0002_priority/deploy.sql";
    let text = ground.read(file);
    ground.write(file, format!("{text}-- more\n"));
    refused(&ground, "the deploy script of step `0002_priority` was changed after it was deployed");
    // Other line ends are no change.
    ground.write(file, text.replace('\n', "\r\n"));
    assert_eq!(deployed(&schema(&ground, 0, "status", "app.db", &[])), 5);
    let revert = "steps/0005_cents/revert.sql";
    ground.write(revert, "UPDATE orders SET total = total / 100; -- better\n");
    refused(&ground, "the revert script of step `0005_cents` was changed");
    schema(&ground, 0, "revert", "app.db", &["--accept-changed"]);
    std::fs::rename(ground.at("steps/0003_payments"), ground.at("aside")).unwrap();
    refused(&ground, "step `0003_payments` was deployed, and is not in this folder");
    std::fs::rename(ground.at("aside"), ground.at("steps/0003_payments")).unwrap();
    std::fs::create_dir(ground.at("steps/0003a")).unwrap();
    let seen = run(&ground, "status", "app.db", &[]);
    assert_eq!(seen.code, 2, "{seen}");
    std::fs::remove_dir(ground.at("steps/0003a")).unwrap();
    step(&ground, "00015_between", "SELECT 1;\n", "SELECT 1;\n", "SELECT 1;\n");
    std::fs::rename(ground.at("steps/00015_between"), ground.at("steps/0000_first")).unwrap();
    let report = schema(&ground, 1, "deploy", "app.db", &[]);
    assert!(report["refused"].to_string().contains("step `0000_first` was not deployed"), "{report}");
    assert_eq!(states(&report)[0], "late");
}

// rows: OM-1
#[test]
fn a_step_that_changes_what_was_there_before_is_refused_and_taken_back_unless_it_says_so() {
    let ground = ground();
    let cases = [
        (
            "DELETE FROM orders WHERE id = 7;",
            "the table `orders` had 300 rows and has 299 rows",
            "rows orders",
        ),
        (
            "UPDATE orders SET note = NULL WHERE id = 7;",
            "the column `orders.note` has 1 value fewer",
            "changes orders.note",
        ),
        (
            "UPDATE orders SET total = total + 1 WHERE id = 7;",
            "the column `orders.total` has other values",
            "changes orders.total",
        ),
        ("ALTER TABLE orders DROP COLUMN note;", "the column `orders.note` is gone", "drops orders.note"),
        ("DROP TABLE orders;", "the table `orders` is gone", "drops orders"),
        ("ALTER TABLE orders RENAME TO sales;", "the table `orders` is gone", "renames orders to sales"),
        (
            "UPDATE orders SET note = CASE id WHEN 1 THEN 'note 2' ELSE 'note 1' END WHERE id IN (1, 2);",
            "the rows of `orders` are mixed",
            "changes orders.note",
        ),
    ];
    for (deploy, reason, declared) in cases {
        ground.tool("cp", &["before.db", "app.db"]);
        ground.tool("rm", &["-rf", "steps"]);
        step(&ground, "0001_bad", deploy, "SELECT 1;", "SELECT 1;");
        let report = schema(&ground, 1, "deploy", "app.db", &["--no-copy"]);
        assert!(report["refused"].to_string().contains(reason), "{deploy}: {report}");
        assert_eq!(states(&report), ["pending"]);
        let tables = ["orders"];
        same(&ground, "sqlite:before.db", "sqlite:app.db", &tables);
        step(&ground, "0001_bad", &format!("-- switchback: {declared}\n{deploy}"), "SELECT 1;", "SELECT 1;");
        schema(&ground, 0, "deploy", "app.db", &["--no-copy"]);
    }
}

#[test]
fn what_a_script_that_verifies_writes_is_not_committed() {
    let ground = ground();
    ground.tool("rm", &["-rf", "steps"]);
    let verify =
        "CREATE TABLE scratch (a);\nUPDATE orders SET note = 'seen';\nSELECT count(*) = 0 FROM scratch;\n";
    step(&ground, "0001_marks", "CREATE TABLE marks (id);", verify, "DROP TABLE marks;");
    schema(&ground, 0, "deploy", "app.db", &["--no-copy"]);
    same(&ground, "sqlite:before.db", "sqlite:app.db", &["orders"]);
    let live = Connection::open(ground.at("app.db")).unwrap();
    let scratch: u64 = live
        .query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'scratch'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(scratch, 0);
}

#[test]
fn texts_with_nul_or_without_utf8_and_reals_of_all_digits_are_told_apart_and_written_down() {
    let ground = ground();
    ground.tool("rm", &["-rf", "steps"]);
    for (deploy, reason) in [
        ("UPDATE odd SET a = CAST(x'610063' AS TEXT) WHERE id = 1;", "`odd.a` has other values"),
        ("UPDATE odd SET a = CAST(x'FE' AS TEXT) WHERE id = 2;", "`odd.a` has other values"),
        ("UPDATE odd SET a = 0.3 WHERE id = 3;", "`odd.a` has other values"),
        ("UPDATE odd SET a = 1 WHERE id = 4;", "`odd.a` has other values"),
        ("UPDATE odd SET a = x'31' WHERE id = 5;", "`odd.a` has other values"),
        ("UPDATE odd SET a = NULL WHERE id = 5;", "`odd.a` has 1 value fewer"),
    ] {
        ground.tool("cp", &["before.db", "app.db"]);
        Connection::open(ground.at("app.db"))
            .unwrap()
            .execute_batch(
                "CREATE TABLE odd (id, a); INSERT INTO odd VALUES (1, CAST(x'610062' AS TEXT)), (2, CAST(x'FF' AS TEXT)), \
                 (3, 0.1 + 0.2), (4, 1.0), (5, '1')",
            )
            .unwrap();
        step(&ground, "0001_odd", deploy, "SELECT 1;", "SELECT 1;");
        let report = schema(&ground, 1, "deploy", "app.db", &["--no-copy"]);
        assert!(report["refused"].to_string().contains(reason), "{deploy}: {report}");
    }
    let made = "CREATE TABLE kept (id, a);";
    step(&ground, "0001_odd", made, "SELECT 1;", "DROP TABLE kept;");
    schema(&ground, 0, "deploy", "app.db", &["--no-copy"]);
    Connection::open(ground.at("app.db"))
        .unwrap()
        .execute_batch("INSERT INTO kept SELECT * FROM odd; INSERT INTO kept VALUES (6, x'00FF'), (7, 'x' || char(39) || '00FF' || char(39))")
        .unwrap();
    let report = schema(&ground, 1, "revert", "app.db", &[]);
    let file = ground.read(report["lost"][0]["file"].as_str().unwrap());
    assert_eq!(
        file,
        "id,a\n1,CAST(x'610062' AS TEXT)\n2,CAST(x'FF' AS TEXT)\n3,0.30000000000000004\n4,1.0\n5,1\n6,x'00FF'\n\
         7,CAST(x'78273030464627' AS TEXT)\n"
    );
}

#[test]
fn rows_that_a_rebuilt_table_leaves_dangling_are_found() {
    let ground = ground();
    ground.tool("rm", &["-rf", "steps"]);
    Connection::open(ground.at("app.db"))
        .unwrap()
        .execute_batch("CREATE TABLE lines (id INTEGER PRIMARY KEY, order_id REFERENCES orders (id)); INSERT INTO lines VALUES (1, 7)")
        .unwrap();
    let rebuilt = "-- switchback: rows orders\nCREATE TABLE other AS SELECT * FROM orders WHERE id <> 7;\nDROP TABLE orders;\n\
                   ALTER TABLE other RENAME TO orders;\nCREATE UNIQUE INDEX orders_id ON orders (id);\n";
    step(&ground, "0001_rebuilt", rebuilt, "SELECT 1;", "SELECT 1;");
    let report = schema(&ground, 1, "deploy", "app.db", &["--no-copy"]);
    assert!(
        report["refused"].to_string().contains("1 more row of `lines` without the row of `orders`"),
        "{report}"
    );
}

#[test]
fn a_step_that_does_not_hold_is_taken_back() {
    let ground = ground();
    for (verify, why) in [
        ("SELECT count(*) FROM orders WHERE id < 0;", "the query gave `0`"),
        ("SELECT 1 FROM orders WHERE id < 0;", "gave no row"),
        ("SELECT max(note) FROM orders WHERE id < 0;", "gave null"),
        ("SELECT missing FROM orders;", "no such column: missing"),
    ] {
        ground.write("steps/0002_priority/verify.sql", format!("SELECT 1;\n{verify}\n"));
        let report = schema(&ground, 1, "deploy", "app.db", &["--no-copy"]);
        let failed = &report["failed"];
        assert_eq!(
            (&failed["file"], &failed["line"]),
            (&json!("0002_priority/verify.sql"), &json!(2)),
            "{report}"
        );
        assert!(failed["message"].as_str().unwrap().contains(why), "{failed}");
        assert_eq!(deployed(&report), 1);
    }
}

#[test]
fn all_that_is_wrong_with_the_steps_is_found_at_once_and_nothing_is_touched() {
    let ground = ground();
    ground.write("steps/0001_customers/deploy.sql", "CREATE TABLE a (b);\nBEGIN;\nSELECT 'open");
    ground.write(
        "steps/0002_priority/deploy.sql",
        "-- switchback: alters orders.total\nSELECT 1;\nCOMMIT;\nVACUUM;\n",
    );
    std::fs::remove_file(ground.at("steps/0003_payments/revert.sql")).unwrap();
    ground.write("steps/0004_full_name/revert.sql", "-- nothing\n");
    ground.write("steps/0005.sql", "SELECT 1;\n");
    let listing = ground.listing();
    let seen = run(&ground, "deploy", "app.db", &[]);
    assert_eq!(seen.code, 2, "{seen}");
    for finding in [
        "0001_customers/deploy.sql:3: a text is not ended",
        "0002_priority/deploy.sql:1: `alters orders.total` declares nothing",
        "0002_priority/deploy.sql:3: `COMMIT` is not for a step to say",
        "0002_priority/deploy.sql:4: `VACUUM` cannot be in a transaction",
        "`0003_payments` has no `revert.sql`",
        "`0004_full_name/revert.sql` has no statement",
        "`0005.sql` is no folder",
    ] {
        assert!(seen.out.contains(finding), "`{finding}` is not in {seen}");
    }
    // The lock of the folder is not taken before the steps are read.
    assert_eq!(ground.listing(), listing);
}

#[test]
fn a_command_can_be_a_step_and_its_failure_is_told() {
    let ground = ground();
    ground.tool("rm", &["-rf", "steps"]);
    let python =
        "python3 - \"$SWITCHBACK_DATABASE\" <<'END'\nimport sqlite3, sys\nc = sqlite3.connect(sys.argv[1])\n";
    ground.write(
        "steps/0001_marks/deploy.sh",
        format!("{python}c.execute('CREATE TABLE marks (id INTEGER)')\nc.commit()\nEND\n"),
    );
    ground.write("steps/0001_marks/verify.sql", "SELECT count(*) = 0 FROM marks;\n");
    ground.write(
        "steps/0001_marks/revert.sh",
        format!("{python}c.execute('DROP TABLE marks')\nc.commit()\nEND\n"),
    );
    let report = schema(&ground, 0, "deploy", "app.db", &["--no-copy"]);
    assert_eq!(states(&report), ["deployed"]);
    schema(&ground, 0, "revert", "app.db", &[]);
    same(&ground, "sqlite:before.db", "sqlite:app.db", &[]);
    // It fails behind what `verify` looks at.
    ground.write(
        "steps/0001_marks/deploy.sh",
        format!("test -f again && exit 0\n{python}c.execute('CREATE TABLE marks (id INTEGER)')\nc.commit()\nEND\necho it went wrong >&2\nexit 3\n"),
    );
    let report = schema(&ground, 1, "deploy", "app.db", &["--no-copy"]);
    assert!(report["failed"]["message"].as_str().unwrap().contains("exit code 3: it went wrong"), "{report}");
    assert_eq!(states(&report), ["half-deployed"], "nobody knows what a command did before it failed");
    let report = schema(&ground, 2, "deploy", "app.db", &["--no-copy"]);
    assert!(report["refused"].to_string().contains("nobody knows whether statement 1 of"), "{report}");
    assert_eq!(states(&report), ["half-deployed"], "what verifies does not see all of a command");
    ground.write("again", "");
    let report = schema(&ground, 0, "deploy", "app.db", &["--no-copy", "--again"]);
    assert_eq!(states(&report), ["deployed"]);
}

#[test]
fn the_plan_shows_the_sql_and_no_password_and_touches_nothing() {
    let ground = ground();
    ground.write(
        "steps/0002_priority/deploy.sql",
        "ALTER TABLE orders ADD COLUMN priority BIGINT;\nSELECT 'PASSWORD ''x''' , 'PASSWORD' ;\n",
    );
    let listing = ground.listing();
    let report = schema(&ground, 0, "deploy", "app.db", &["--dry-run"]);
    assert_eq!(report["planned"].as_array().unwrap().len(), 10);
    assert_eq!(report["planned"][4]["declared"], json!(["changes orders.total"]));
    let seen = ground.run("schema deploy --database app.db --steps steps --dry-run --to 0001_customers");
    assert!(
        seen.out.contains("CREATE TABLE customers (id BIGINT PRIMARY KEY, name TEXT NOT NULL);"),
        "{seen}"
    );
    assert_eq!(ground.listing(), listing);
}
