//! What a rollback had to leave in a database: whose it is then, and what brings it back.

use rusqlite::Connection;
use serde_json::json;

use super::same;
use super::together::{BOTH, ground, live, shop, steps_in};
use crate::ground::Ground;

/// Went live, got a row that its revert would lose, and was rolled back.
fn with_rows_left() -> Ground {
    let ground = ground("");
    ground.expect(0, "run");
    pay(&ground);
    ground.expect(1, "rollback");
    assert_eq!(steps_in(&ground), ["0001_payments"]);
    ground
}

fn pay(ground: &Ground) {
    live(ground).execute_batch("INSERT INTO payments VALUES (7, 77)").unwrap();
}

// rows: PC-10
#[test]
fn what_was_left_goes_with_the_next_cutover_that_finds_it_there() {
    let ground = with_rows_left();
    let seen = ground.expect(0, "run");
    assert!(seen.err.contains("1 step deployed") && seen.err.contains("1 step taken over"), "{seen}");
    assert_eq!(steps_in(&ground), BOTH);
    let report = ground.expect(0, "status --json").json();
    assert_eq!(report["databases"].as_array().unwrap().len(), 1, "{report:#}");
    assert_eq!(
        (&report["databases"][0]["state"], &report["databases"][0]["steps"]),
        (&json!("deployed"), &json!(BOTH))
    );
    // It stays while the tree that needs it is live.
    ground.expect(0, "run");
    assert_eq!(steps_in(&ground), BOTH);
    ground.expect(1, "rollback");
    ground.expect(0, "rollback --accept-loss 11");
    same(&ground, "sqlite:../before.db", "sqlite:app.db", &[]);
}

// rows: RB-12
#[test]
fn the_record_of_the_incident_says_what_stayed_in_databases() {
    let ground = with_rows_left();
    let folder = ground.at(".switchback/incidents");
    let file = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    let text = std::fs::read_to_string(file).unwrap();
    let (_, databases) = text.split_once("\n## Databases\n").unwrap();
    let row = databases.lines().find(|line| line.contains("app.db")).unwrap();
    assert!(row.contains("| **no** | `0001_payments` |"), "{row}");
    assert!(row.contains("1 step of the phase still there"), "{row}");
}

#[test]
fn without_a_journal_a_rollback_says_that_it_cannot_tell_what_is_in_databases() {
    let ground = ground("");
    ground.expect(0, "run");
    for name in ["journal.db", "journal.db-wal", "journal.db-shm"] {
        drop(std::fs::remove_file(ground.at(format!(".switchback/{name}"))));
    }
    let seen = ground.expect(2, "rollback --json").json();
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    let reverted = &seen["reverted"][0];
    assert_eq!(reverted["verdict"], "unknown", "{seen:#}");
    assert!(reverted["summary"].as_str().unwrap().contains("the journal does not tell"), "{seen:#}");
    assert_eq!(steps_in(&ground), BOTH);
}

#[test]
fn a_part_leaves_databases_as_they_are() {
    let ground = ground("");
    ground.write("src/b.py", "B = 1\n");
    ground.write("../new/src/b.py", "B = 2\n");
    ground.expect(0, "run");
    pay(&ground);
    ground.expect(1, "rollback");
    ground.expect(0, "run");
    ground.expect(0, "rollback --only src/b.py");
    assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
    assert_eq!(steps_in(&ground), BOTH);
}

// rows: PC-10
#[test]
fn to_accept_a_loss_takes_back_what_was_left_and_no_tree_that_nobody_named() {
    let ground = ground("");
    let second = "[[phase]]\nname = \"second\"\n\n[[phase.change]]\nkind = \"files\"\nfrom = \"../newer\"\n\n\
                  [[phase.change]]\nkind = \"schema\"\ndatabase = \"app.db\"\nsteps = \"src/migrations\"\n";
    let plan = ground.read("switchback.toml");
    ground.write("switchback.toml", format!("{plan}{second}"));
    ground.tool("cp", &["-r", "../new", "../newer"]);
    ground.write("../newer/src/app.py", "VERSION = 3\n");
    for (file, text) in [
        ("deploy", "CREATE TABLE refunds (id BIGINT);\n"),
        ("verify", "SELECT count(*) >= 0 FROM refunds;\n"),
        ("revert", "DROP TABLE refunds;\n"),
    ] {
        ground.write(&format!("../newer/src/migrations/0003_refunds/{file}.sql"), text);
    }
    ground.expect(0, "run");
    assert_eq!(ground.read("src/app.py"), "VERSION = 3\n");
    live(&ground)
        .execute_batch("INSERT INTO refunds VALUES (1), (2); INSERT INTO payments VALUES (1, 1)")
        .unwrap();
    ground.expect(1, "rollback");
    assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
    let seen = ground.expect(0, "rollback --accept-loss 2 --dry-run");
    assert!(seen.out.contains("0003_refunds") && !seen.out.contains("0001_payments"), "{seen}");
    ground.expect(0, "rollback --accept-loss 2");
    assert_eq!(ground.read("src/app.py"), "VERSION = 2\n", "nobody named that phase");
    assert_eq!(
        live(&ground).query_row("SELECT count(*) FROM payments", [], |row| row.get::<_, u64>(0)).unwrap(),
        11
    );
}

#[test]
fn what_may_be_lost_is_agreed_to_once_for_all_databases() {
    let ground = ground("");
    let plan = ground.read("switchback.toml");
    let other = "[[phase.change]]\nkind = \"schema\"\ndatabase = \"other.db\"\nsteps = \"src/migrations\"\n";
    ground.write("switchback.toml", format!("{plan}{other}"));
    ground.tool("cp", &["app.db", "other.db"]);
    ground.expect(0, "run");
    pay(&ground);
    Connection::open(ground.at("other.db"))
        .unwrap()
        .execute_batch("INSERT INTO payments VALUES (7, 77)")
        .unwrap();
    let report = ground.expect(1, "rollback --accept-loss 11 --json").json();
    let verdicts: Vec<&str> =
        report["reverted"].as_array().unwrap().iter().map(|one| one["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["yes", "no"], "{report:#}");
    ground.expect(0, "rollback --accept-loss 11");
    for database in ["sqlite:app.db", "sqlite:other.db"] {
        same(&ground, "sqlite:../before.db", database, &[]);
    }
}

// rows: PC-10
#[test]
fn what_went_is_told_also_when_a_later_step_stays() {
    let ground = ground("");
    ground.expect(0, "run");
    live(&ground)
        .execute_batch("UPDATE orders SET priority = 5 WHERE id <= 2; INSERT INTO payments VALUES (7, 77)")
        .unwrap();
    let report = ground.expect(1, "rollback --accept-loss 2 --json").json();
    let summary = report["reverted"][0]["summary"].as_str().unwrap();
    assert!(summary.contains("gone, as was agreed: 2 values of `orders.priority`"), "{summary}");
    assert_eq!(
        (&report["reverted"][0]["left"], &report["reverted"][0]["would_lose"]),
        (&json!(["0001_payments"]), &json!(11))
    );
}

#[test]
fn what_a_step_drops_must_hold_what_it_held_when_that_was_rehearsed() {
    let ground = ground("");
    live(&ground).execute_batch("UPDATE orders SET note = NULL").unwrap();
    let step = "../new/src/migrations/0002_priority";
    ground.write(
        &format!("{step}/deploy.sql"),
        "-- switchback: drops orders.note\nALTER TABLE orders DROP COLUMN note;\n",
    );
    ground.write(&format!("{step}/verify.sql"), "SELECT count(*) > 0 FROM orders;\n");
    ground.write(&format!("{step}/revert.sql"), "ALTER TABLE orders ADD COLUMN note TEXT;\n");
    ground.expect(0, "run --until rehearsed");
    live(&ground).execute_batch("UPDATE orders SET note = 'precious' WHERE id = 1").unwrap();
    let seen = ground.expect(1, "run");
    assert!(
        seen.out.contains("no revert would bring it back")
            || seen.err.contains("no revert would bring it back"),
        "{seen}"
    );
    assert!(steps_in(&ground).is_empty());
}

#[test]
fn a_half_deployed_step_is_undone_before_the_cutover_ends() {
    let ground = ground("");
    live(&ground).execute_batch("CREATE TABLE later (id BIGINT)").unwrap();
    ground.tool("cp", &["app.db", "../before.db"]);
    ground.write(
        "../new/src/migrations/0002_priority/deploy.sql",
        "-- switchback: no transaction\nALTER TABLE orders ADD COLUMN priority BIGINT;\nCREATE INDEX by_later ON later (id);\n",
    );
    ground.write(
        "../new/src/migrations/0002_priority/revert.sql",
        "DROP INDEX IF EXISTS by_later;\nALTER TABLE orders DROP COLUMN priority;\n",
    );
    ground.expect(0, "run --until rehearsed");
    live(&ground).execute_batch("DROP TABLE later").unwrap();
    let seen = ground.expect(1, "run");
    assert!(seen.out.contains("no such table") || seen.err.contains("no such table"), "{seen}");
    assert!(steps_in(&ground).is_empty());
    live(&ground).execute_batch("CREATE TABLE later (id BIGINT)").unwrap();
    same(&ground, "sqlite:../before.db", "sqlite:app.db", &[]);
}

#[test]
fn steps_that_went_into_another_database_are_not_looked_for_in_this_one() {
    let mut ground = ground("");
    shop(&ground, "${SHOP_FILE}", "");
    ground.tool("cp", &["app.db", "other.db"]);
    ground.set("SHOP_FILE", "app.db");
    ground.expect(0, "run");
    ground.set("SHOP_FILE", "other.db");
    let seen = ground.expect(2, "rollback");
    assert!(seen.out.contains("it is another database"), "{seen}");
    assert_eq!(steps_in(&ground), BOTH);
    ground.set("SHOP_FILE", "app.db");
    ground.expect(0, "rollback");
    same(&ground, "sqlite:../before.db", "sqlite:app.db", &[]);
}

#[test]
fn a_step_of_somebody_else_keeps_those_under_it() {
    let ground = ground("");
    let plan = ground
        .read("switchback.toml")
        .replace("steps = \"src/migrations\"", "steps = \"src/migrations\"\nto = \"0001_payments\"");
    ground.write("switchback.toml", plan);
    ground.expect(0, "run");
    ground.run_arguments(&["schema", "deploy", "--database", "app.db", "--steps", "src/migrations"]);
    let seen = ground.expect(1, "rollback");
    assert!(seen.out.contains("`0002_priority` came after it, by somebody else"), "{seen}");
    assert_eq!(steps_in(&ground), BOTH);
}

#[test]
fn a_database_has_one_name_however_it_is_spelt_and_is_no_managed_path_by_itself() {
    let ground = ground("");
    let plan = ground.read("switchback.toml");
    let other = "[[phase.change]]\nkind = \"schema\"\ndatabase = \"./app.db\"\nsteps = \"src/migrations\"\n";
    ground.write("switchback.toml", format!("{plan}{other}"));
    let seen = ground.expect(2, "run");
    assert!(seen.err.contains("changes the database `./app.db` twice"), "{seen}");
    ground.write("switchback.toml", plan.replace("managed = [\"src\"]", "managed = [\"src\", \"app.db\"]"));
    ground.tool("cp", &["app.db", "../new/app.db"]);
    let seen = ground.expect(2, "run --restage");
    assert!(seen.err.contains("the file is a managed path by itself"), "{seen}");
}

#[test]
fn a_playbook_says_no_while_something_is_left_and_takes_what_was_agreed() {
    let playbook = "[[check]]\nname = \"there\"\nkind = \"files\"\nexist = [\"src/app.py\"]\nat = [\"live\", \"rolled-back\"]\n\n\
                    [[playbook]]\nname = \"whole\"\nsymptoms = [\"there\"]\nrestore = \"phase\"\nprove = [\"there\"]\n";
    let ground = ground(playbook);
    ground.expect(0, "run");
    pay(&ground);
    let seen = ground.expect(1, "rollback --playbook whole --json").json();
    assert_eq!(seen["verdict"], "no");
    ground.expect(0, "rollback --accept-loss 11");
    ground.expect(0, "run");
    pay(&ground);
    ground.expect(0, "rollback --playbook whole --accept-loss 11");
    same(&ground, "sqlite:../before.db", "sqlite:app.db", &[]);
}
