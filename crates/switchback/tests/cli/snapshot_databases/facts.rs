//! What a snapshot says of where it was made, and that none of it stands in the way of anything else.

use std::fs;

use rusqlite::Connection;
use serde_json::json;

use super::super::ground::{Ground, THERE};
use super::{FOLDER, newest, snapshot, with_databases};

/// A database with a table of some rows.
fn database(ground: &Ground, rows: usize) {
    drop(fs::remove_file(ground.at("app.db")));
    let connection = Connection::open(ground.at("app.db")).unwrap();
    connection.execute_batch("CREATE TABLE t (v)").unwrap();
    for row in 0..rows {
        connection.execute("INSERT INTO t VALUES (?)", [row]).unwrap();
    }
}

// rows: PC-4
#[test]
fn needs_git_commit_versions_and_names_of_variables_are_saved_and_no_secret() {
    let mut ground = Ground::shop("[snapshot]\nfacts = true\n[environment]\nselect = \"APP_ENV\"\n");
    ground.set("APP_ENV", "production");
    ground.set("API_TOKEN", "s3cr3t-value");
    let id = snapshot(&ground);
    let shown = ground.expect(0, &format!("snapshot show {id} --json")).json();
    assert_eq!((&shown["facts"]["commit"], &shown["databases"]), (&json!(null), &json!([])));
    for line in ["init -q", "add .", "-c user.name=t -c user.email=t@t commit -qm one"] {
        ground.tool("git", &line.split(' ').collect::<Vec<_>>());
    }
    let commit = ground.tool("git", &["rev-parse", "HEAD"]).trim().to_owned();
    let facts = |ground: &Ground| {
        let id = snapshot(ground);
        ground.expect(0, &format!("snapshot show {id} --json")).json()["facts"].clone()
    };
    let told = facts(&ground);
    assert_eq!(told["commit"], json!({"id": commit, "is_dirty": false}));
    assert_eq!(told["environment"]["select"], json!({"name": "APP_ENV", "value": "production"}));
    let names = told["environment"]["names"].as_array().unwrap();
    assert!(names.contains(&json!("API_TOKEN")) && names.contains(&json!("HOME")), "{told}");
    assert!(!told.to_string().contains("s3cr3t"), "{told}");
    assert_eq!(told["versions"]["switchback"], env!("CARGO_PKG_VERSION"));
    assert!(told["versions"]["git"].as_str().unwrap().starts_with('2'), "{told}");
    ground.write("src/app.py", "VERSION = 3\n");
    assert_eq!(facts(&ground)["commit"], json!({"id": commit, "is_dirty": true}));
    let id = newest(&ground);
    let shown = ground.expect(0, &format!("snapshot show {id}"));
    assert!(shown.out.contains(&format!("  commit {commit}, with changes that are not in it")), "{shown}");
    // A variable whose name looks like a secret is not shown, whatever the plan says.
    let plan = ground.read("switchback.toml").replace("APP_ENV", "API_TOKEN");
    ground.write("switchback.toml", plan);
    assert_eq!(facts(&ground)["environment"]["select"], json!(null));
}

#[test]
fn a_snapshot_with_a_database_is_compared_by_what_is_in_it() {
    let ground = Ground::shop("");
    with_databases(&ground, &["app.db"]);
    database(&ground, 3);
    let first = snapshot(&ground);
    let same = ground.expect(0, &format!("snapshot diff {first}"));
    assert!(same.err.contains("databases are not compared with what is live"), "{same}");
    assert!(same.out.contains("yes: 2 entries"), "{same}");
    let second = snapshot(&ground);
    let seen = ground.expect(0, &format!("snapshot diff {first} {second} --json")).json();
    assert_eq!(seen["databases"], json!([]));
    database(&ground, 4);
    let third = snapshot(&ground);
    let seen = ground.expect(1, &format!("snapshot diff {first} {third}"));
    assert!(seen.out.contains("database `app.db`: table `t` had 3 rows and has 4"), "{seen}");
    ground.plan("", "");
    let none = snapshot(&ground);
    let seen = ground.expect(1, &format!("snapshot diff {none} {third}"));
    assert!(seen.out.contains("database `app.db`: only in the newer one"), "{seen}");
}

#[test]
fn an_unchanged_database_costs_its_space_once() {
    let ground = Ground::shop("");
    with_databases(&ground, &["app.db"]);
    let connection = Connection::open(ground.at("app.db")).unwrap();
    let much = "CREATE TABLE t (v); WITH RECURSIVE n(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < 2000) \
                INSERT INTO t SELECT randomblob(1000) FROM n";
    connection.execute_batch(much).unwrap();
    snapshot(&ground);
    let packs = || -> u64 {
        let listed = ground.tool("du", &["-sb", ".switchback/snapshots/data"]);
        listed.split_whitespace().next().unwrap().parse().unwrap()
    };
    let first = packs();
    assert!(first > 2_000_000, "{first}");
    snapshot(&ground);
    assert!(packs() - first < 100_000, "{first}, then {}", packs());
}

#[test]
fn a_phase_goes_live_and_back_with_a_database_in_its_snapshot() {
    let ground = Ground::shop(&format!("[snapshot]\ndatabases = [\"app.db\"]\n\n{THERE}"));
    database(&ground, 2);
    // What a killed process left is no reason to stop, and is not kept.
    ground.write(&format!("{FOLDER}/1-old.dump"), "left");
    let seen = ground.expect(0, "run --until live --yes");
    assert!(format!("{}{}", seen.out, seen.err).contains("with `app.db`"), "{seen}");
    assert!(!ground.at(FOLDER).exists());
    assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
    let id = newest(&ground);
    assert_eq!(
        ground.expect(0, &format!("snapshot show {id} --json")).json()["databases"][0]["name"],
        "app.db"
    );
    let seen = ground.expect(2, &format!("snapshot forget {id}"));
    assert!(seen.err.contains("is the way back of the phase `unify`"), "{seen}");
    ground.expect(0, "rollback --yes");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    ground.expect(0, "snapshot check");
}

#[test]
fn what_cannot_be_a_database_is_found_in_the_plan() {
    let ground = Ground::shop("");
    for (named, wanted) in [
        ("mysql://me:geheim@db/shop", "no database is known at `mysql://`"),
        ("postgresql://me:geheim@db", "it names no database"),
        ("postgresql://me:ge/heim@db/shop", "behind the host"),
        ("${NOT A NAME}", "has a `${` that is no variable"),
        ("", "a database has no address"),
    ] {
        with_databases(&ground, &[named]);
        let seen = ground.expect(2, "plan");
        assert!(seen.err.contains(wanted), "{seen}");
        assert!(!seen.err.contains("geheim") && !seen.err.contains("heim@"), "{seen}");
    }
    with_databases(&ground, &["app.db", "app.db"]);
    let seen = ground.expect(2, "plan");
    assert!(seen.err.contains("`databases` names `app.db` twice"), "{seen}");
}
