//! The change `schema`: a database goes live with the tree, and back with it; rows written since stay, or nothing goes.

use rusqlite::Connection;
use serde_json::{Value, json};

use super::killed::{ALTERING, Call, calls, kill};
use super::same;
use crate::ground::Ground;

/// A shop whose new code comes with three steps for its database, which lies outside of what is managed.
pub(super) fn ground(more: &str) -> Ground {
    let ground = Ground::shop("");
    shop(&ground, "app.db", more);
    live(&ground).execute_batch(&super::migration::base(super::migration::Kind::Sqlite)).unwrap();
    ground.tool("cp", &["app.db", "../before.db"]);
    ground
}

pub(super) fn shop(ground: &Ground, database: &str, more: &str) {
    let plan = format!(
        "version = 1\n\n[project]\nname = \"shop\"\nmanaged = [\"src\"]\n\n[[phase]]\nname = \"unify\"\n\n\
         [[phase.change]]\nkind = \"files\"\nfrom = \"../new\"\n\n\
         [[phase.change]]\nkind = \"schema\"\ndatabase = \"{database}\"\nsteps = \"src/migrations\"\n\n{more}"
    );
    ground.write("switchback.toml", plan);
    let step = |name: &str, deploy: &str, verify: &str, revert: &str| {
        for (file, text) in [("deploy", deploy), ("verify", verify), ("revert", revert)] {
            ground.write(&format!("../new/src/migrations/{name}/{file}.sql"), text);
        }
    };
    step(
        "0001_payments",
        "CREATE TABLE payments (order_id BIGINT, amount BIGINT);\nINSERT INTO payments SELECT id, total FROM orders WHERE id <= 10;\n",
        "SELECT count(*) >= 10 FROM payments;\n",
        "DROP TABLE payments;\n",
    );
    step(
        "0002_priority",
        "ALTER TABLE orders ADD COLUMN priority BIGINT;\n",
        "SELECT count(priority) >= 0 FROM orders;\n",
        "ALTER TABLE orders DROP COLUMN priority;\n",
    );
}

pub(super) fn live(ground: &Ground) -> Connection {
    Connection::open(ground.at("app.db")).unwrap()
}

pub(super) fn steps_in(ground: &Ground) -> Vec<String> {
    let arguments =
        ["schema", "status", "--json", "--database", "app.db", "--steps", "../new/src/migrations"];
    let report = ground.run_arguments(&arguments).json();
    let all = report["steps"].as_array().unwrap().iter().filter(|step| step["state"] == "deployed");
    all.map(|step| step["name"].as_str().unwrap().to_owned()).collect()
}

pub(super) const BOTH: [&str; 2] = ["0001_payments", "0002_priority"];

fn database(report: &Value) -> &Value {
    &report["databases"][0]
}

// rows: OM-1, PC-10, BX-2
#[test]
fn a_database_goes_live_with_the_tree_and_back_with_it() {
    let ground = ground("");
    let seen = ground.expect(0, "plan");
    assert!(seen.out.contains("deploy the steps of `src/migrations` into `app.db`"), "{seen}");
    let seen = ground.expect(0, "run --until rehearsed");
    assert!(
        seen.err.contains("2 steps in and out again on a copy: 300 rows in 1 table are as they were"),
        "{seen}"
    );
    assert!(steps_in(&ground).is_empty(), "the rehearsal is on a copy");
    same(&ground, "sqlite:../before.db", "sqlite:app.db", &[]);
    ground.expect(0, "run");
    assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
    assert_eq!(steps_in(&ground), BOTH);
    let report = ground.expect(0, "status --json").json();
    assert_eq!(
        (&database(&report)["state"], &database(&report)["steps"]),
        (&json!("deployed"), &json!(BOTH))
    );
    // Rows of a table that stays are kept.
    live(&ground).execute_batch("INSERT INTO orders VALUES (1001, 'since', 5, NULL, NULL)").unwrap();
    let seen = ground.expect(0, "rollback --dry-run");
    assert!(seen.out.contains("database app.db: revert 2 steps: 0001_payments, 0002_priority"), "{seen}");
    let seen = ground.expect(0, "rollback");
    assert!(seen.out.contains("2 steps reverted in the database `app.db`"), "{seen}");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    assert!(steps_in(&ground).is_empty());
    let since = |sql: &str| live(&ground).query_row(sql, [], |row| row.get::<_, u64>(0)).unwrap();
    assert_eq!(since("SELECT count(*) FROM orders WHERE customer = 'since'"), 1);
    live(&ground).execute_batch("DELETE FROM orders WHERE id = 1001").unwrap();
    same(&ground, "sqlite:../before.db", "sqlite:app.db", &[]);
    let order: Vec<String> = ground
        .expect(0, "log --json")
        .out
        .lines()
        .filter_map(|line| Some(serde_json::from_str::<Value>(line).ok()?["event"].as_str()?.to_owned()))
        .filter(|event| ["database-started", "cut-over", "rolled-back"].contains(&event.as_str()))
        .collect();
    assert_eq!(
        order,
        ["database-started", "cut-over", "database-started", "rolled-back"],
        "there and back in reverse"
    );
}

// rows: PC-10
#[test]
fn rows_that_the_old_schema_has_no_place_for_stay_until_somebody_agrees() {
    let ground = ground("");
    ground.expect(0, "run");
    live(&ground).execute_batch("INSERT INTO payments VALUES (7, 77), (8, 88)").unwrap();
    let seen = ground.expect(1, "rollback --json");
    let report = seen.json();
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n", "the tree does not wait for it");
    // The last step takes nothing; the first one would.
    assert_eq!(report["reverted"][0]["left"], json!(["0001_payments"]), "{seen}");
    assert_eq!(report["reverted"][0]["would_lose"], json!(12));
    assert_eq!((&database(&report)["state"], &database(&report)["verdict"]), (&json!("left"), &json!("no")));
    let rows =
        || live(&ground).query_row("SELECT count(*) FROM payments", [], |row| row.get::<_, u64>(0)).unwrap();
    assert_eq!(rows(), 12);
    // It is told, and nobody does it unasked.
    let seen = ground.expect(1, "status");
    assert!(seen.out.contains("12 rows of `payments`"), "{seen}");
    assert!(seen.out.contains("`switchback rollback` takes back what is left in a database"), "{seen}");
    ground.expect(1, "rollback --accept-loss 11");
    assert_eq!(rows(), 12);
    let seen = ground.expect(0, "rollback --accept-loss 12");
    assert!(seen.out.contains("12 rows of `payments`"), "{seen}");
    let file = seen.out.split('`').find(|word| word.ends_with("payments.csv")).unwrap();
    let text = ground.read(file);
    assert!(text.contains("7,77\n8,88\n") && text.lines().count() == 13, "{text}");
    same(&ground, "sqlite:../before.db", "sqlite:app.db", &[]);
    ground.expect(2, "rollback");
}

// rows: OM-1
#[test]
fn a_step_that_fails_or_cannot_be_undone_never_reaches_the_live_database() {
    let ground = ground("");
    ground.write("../new/src/migrations/0002_priority/revert.sql", "SELECT 1;\n");
    let seen = ground.expect(1, "run");
    assert!(seen.err.contains("the column `orders.priority` is left"), "{seen}");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    ground.write(
        "../new/src/migrations/0002_priority/deploy.sql",
        "ALTER TABLE nowhere ADD COLUMN priority BIGINT;\n",
    );
    let seen = ground.expect(1, "run --restage");
    assert!(seen.err.contains("the steps cannot be deployed: step `0002_priority`"), "{seen}");
    same(&ground, "sqlite:../before.db", "sqlite:app.db", &[]);
}

#[test]
fn what_fails_in_the_live_database_alone_is_taken_back_and_nothing_goes_live() {
    let ground = ground("");
    ground.expect(0, "run --until rehearsed");
    // Somebody else makes a table of that name meanwhile.
    live(&ground)
        .execute_batch("CREATE VIEW large AS SELECT 1; ALTER TABLE orders ADD COLUMN priority TEXT")
        .unwrap();
    let seen = ground.expect(1, "run");
    assert!(seen.err.contains("0002_priority") && seen.err.contains("duplicate column name"), "{seen}");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    assert!(steps_in(&ground).is_empty(), "the first step was taken back");
    live(&ground).execute_batch("DROP VIEW large; ALTER TABLE orders DROP COLUMN priority").unwrap();
    same(&ground, "sqlite:../before.db", "sqlite:app.db", &[]);
    ground.expect(0, "run --restage");
    assert_eq!(steps_in(&ground), BOTH);
}

#[test]
fn steps_that_were_changed_after_the_rehearsal_are_not_deployed() {
    let ground = Ground::shop("");
    shop(&ground, "app.db", "");
    live(&ground).execute_batch(&super::migration::base(super::migration::Kind::Sqlite)).unwrap();
    ground.tool("cp", &["-r", "../new/src/migrations", "steps"]);
    ground.tool("rm", &["-r", "../new/src/migrations"]);
    let plan = ground.read("switchback.toml").replace("src/migrations", "steps");
    ground.write("switchback.toml", plan);
    ground.expect(0, "run --until rehearsed");
    ground.write("steps/0002_priority/deploy.sql", "ALTER TABLE orders ADD COLUMN other BIGINT;\n");
    let seen = ground.expect(1, "run");
    assert!(seen.err.contains("are not those that were rehearsed"), "{seen}");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
}

#[test]
fn a_database_in_a_managed_path_is_changed_in_the_candidate_and_exchanged_with_it() {
    let ground = Ground::shop("");
    shop(&ground, "src/app.db", "");
    let at = |path: &str| Connection::open(ground.at(path)).unwrap();
    for path in ["src/app.db", "../new/src/app.db"] {
        at(path).execute_batch(&super::migration::base(super::migration::Kind::Sqlite)).unwrap();
    }
    ground.tool("cp", &["src/app.db", "../before.db"]);
    ground.expect(0, "run");
    let payments = "SELECT count(*) FROM payments";
    assert_eq!(at("src/app.db").query_row(payments, [], |row| row.get::<_, u64>(0)).unwrap(), 10);
    assert!(!ground.at("src/.switchback").exists());
    ground.expect(0, "rollback");
    same(&ground, "sqlite:../before.db", "sqlite:src/app.db", &[]);
}

// rows: OM-1
#[test]
fn a_phase_can_change_a_database_alone() {
    let ground = Ground::shop("");
    shop(&ground, "app.db", "");
    live(&ground).execute_batch(&super::migration::base(super::migration::Kind::Sqlite)).unwrap();
    ground.tool("cp", &["app.db", "../before.db"]);
    ground.tool("cp", &["-r", "../new/src/migrations", "steps"]);
    let plan = ground
        .read("switchback.toml")
        .replace("src/migrations", "steps")
        .replace("[[phase.change]]\nkind = \"files\"\nfrom = \"../new\"\n\n", "");
    ground.write("switchback.toml", plan);
    ground.expect(0, "run");
    let payments = "SELECT count(*) FROM payments";
    assert_eq!(live(&ground).query_row(payments, [], |row| row.get::<_, u64>(0)).unwrap(), 10);
    ground.expect(0, "rollback");
    same(&ground, "sqlite:../before.db", "sqlite:app.db", &[]);
}

// rows: PC-10
#[test]
fn needs_duckdb_a_database_of_duckdb_goes_live_and_back() {
    let ground = super::duckdb::ground();
    ground.write("src/app.py", "VERSION = 1\n");
    ground.write("../new/src/app.py", "VERSION = 2\n");
    shop(&ground, "app.duckdb", "");
    ground.expect(0, "run");
    let copy = "duckdb:before.duckdb";
    let seen = ground.run_arguments(&[
        "compare",
        &format!("{copy}#orders"),
        "duckdb:app.duckdb#orders",
        "--schema",
        "common",
    ]);
    assert_eq!(seen.code, 0, "{seen}");
    // The control: there is something to revert.
    assert_eq!(ground.expect(0, "status --json").json()["databases"][0]["steps"], json!(BOTH));
    ground.expect(0, "rollback");
    same(&ground, copy, "duckdb:app.duckdb", &[]);
}

// rows: PC-10
#[test]
fn needs_postgresql_a_database_of_a_server_goes_live_and_back() {
    let (mut ground, server) = super::postgresql::ground();
    ground.write("src/app.py", "VERSION = 1\n");
    ground.write("../new/src/app.py", "VERSION = 2\n");
    let (address, before) = (server.address("live", ""), server.address("before", ""));
    ground.set("LIVE", &address);
    shop(&ground, "${LIVE}", "");
    let seen = ground.expect(0, "run --until rehearsed");
    assert!(seen.err.contains("2 steps in and out again on a copy: 300 rows"), "{seen}");
    let copies = "SELECT count(*) FROM pg_database WHERE datname LIKE 'switchback%'";
    let copies: i64 = server.run("SELECT 1").query_one(copies, &[]).unwrap().get(0);
    assert_eq!(copies, 0, "the copy is dropped");
    ground.expect(0, "run");
    // A thousand rows are written since the cutover: 600 into a table that stays, 400 into one that goes with its ten.
    server.run_in(
        "live",
        "INSERT INTO orders SELECT n + 1000, 'since', n, NULL, NULL FROM generate_series(1, 600) AS n;
         INSERT INTO payments SELECT n, n FROM generate_series(1, 400) AS n",
    );
    let report = ground.expect(1, "rollback --json").json();
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    assert_eq!(report["reverted"][0]["would_lose"], json!(410), "{report:#}");
    let rows = |table: &str| -> i64 {
        server
            .run_in("live", "SELECT 1")
            .query_one(&format!("SELECT count(*) FROM {table}"), &[])
            .unwrap()
            .get(0)
    };
    assert_eq!((rows("orders"), rows("payments")), (900, 410), "nothing goes unasked");
    ground.expect(1, "rollback --accept-loss 409");
    let seen = ground.expect(0, "rollback --accept-loss 410");
    let file = seen.out.split('`').find(|word| word.ends_with("payments.csv")).unwrap();
    assert_eq!(ground.read(file).lines().count(), 411, "each is in the file");
    assert_eq!(rows("orders"), 900);
    server.run_in("live", "DELETE FROM orders WHERE customer = 'since'");
    same(&ground, &before, &address, &[]);
    // The address has a password: it stands nowhere.
    assert_eq!(ground.code_of("grep", &["-rq", "geheim", ".switchback"]), Some(1));
}

/// Kills a cutover, or a rollback, at calls, and insists that tree and database end alike.
fn killed(command: &str, one_in: usize) {
    let made = || {
        let ground = ground("");
        ground.expect(0, if command == "run" { "run --until rehearsed" } else { "run" });
        ground
    };
    let model = made();
    // The database, the journal, and what is exchanged.
    let found = calls(&model, ALTERING, &["app.db", "journal.db", ".sb-"], &[command]);
    let found: Vec<Call> = found.into_iter().step_by(one_in).collect();
    assert!(found.len() > 15, "{} calls", found.len());
    let mut mixed = 0;
    for call in &found {
        let ground = made();
        kill(&ground, call, &[command]);
        let is_new = || ground.read("src/app.py") == "VERSION = 2\n";
        mixed += usize::from(is_new() != (steps_in(&ground).len() == 2));
        if command == "run" {
            ground.expect(0, "run --until rehearsed");
            assert_eq!(steps_in(&ground).len(), if is_new() { 2 } else { 0 }, "{call:?}");
            ground.expect(0, "run");
            assert_eq!((is_new(), steps_in(&ground).len()), (true, 2), "{call:?}");
            ground.expect(0, "rollback");
        } else if is_new() {
            ground.expect(0, "rollback");
        } else {
            // The tree is back; whoever comes next takes the database back as well.
            ground.run("run --until snapshot");
        }
        assert_eq!((is_new(), steps_in(&ground).len()), (false, 0), "{call:?}");
        same(&ground, "sqlite:../before.db", "sqlite:app.db", &[]);
    }
    assert!(mixed > 0, "killed at {} calls, never between tree and database", found.len());
}

// rows: PC-10
#[test]
fn needs_strace_a_cutover_with_a_database_killed_anywhere_ends_alike() {
    killed("run", 6);
}

// rows: PC-10
#[test]
fn needs_strace_a_rollback_with_a_database_killed_anywhere_ends_alike() {
    killed("rollback", 4);
}

// rows: PC-10
#[test]
fn needs_python3_a_rollback_by_a_trigger_tells_what_it_left_in_a_database() {
    let check = "[[check]]\nname = \"answer\"\nkind = \"command\"\ncommand = \"python3 write.py; exit 1\"\nat = [\"live\"]\n\n\
                 [[trigger]]\nwhen = { check = \"answer\" }\ndo = \"roll-back\"\n";
    let ground = ground(check);
    let write = "import sqlite3\ndatabase = sqlite3.connect('app.db')\ndatabase.execute('INSERT INTO payments VALUES (7, 77)')\ndatabase.commit()\n";
    ground.write("write.py", write);
    let seen = ground.expect(1, "run");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    assert!(
        seen.err.contains("11 rows of `payments`") || seen.out.contains("11 rows of `payments`"),
        "{seen}"
    );
    assert_eq!(steps_in(&ground), ["0001_payments"]);
    ground.expect(0, "rollback --accept-loss 11");
    same(&ground, "sqlite:../before.db", "sqlite:app.db", &[]);
}
