//! Databases in snapshots: saved while they are in use, brought back, and proved by somebody else than Switchback.

mod duckdb;
mod facts;
mod postgresql;
mod sqlite;

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::ground::{Ground, Seen};

/// What is not to be left in a project once a snapshot is made, or was not made.
const FOLDER: &str = ".switchback/databases";

/// A project whose snapshots hold these databases.
fn ground(databases: &[&str]) -> Ground {
    let ground = Ground::shop("");
    with_databases(&ground, databases);
    ground
}

/// Writes the plan anew, with these databases.
fn with_databases(ground: &Ground, databases: &[&str]) {
    ground.plan("", &format!("[snapshot]\ndatabases = {databases:?}\n"));
}

/// The id of the newest snapshot.
fn newest(ground: &Ground) -> String {
    let listed = ground.run("snapshot list --json").json();
    listed["snapshots"].as_array().unwrap().last().unwrap()["id"].as_str().unwrap().to_owned()
}

/// Makes a snapshot; its id. Nothing but the snapshot is left of the databases.
fn snapshot(ground: &Ground) -> String {
    ground.expect(0, "snapshot create");
    assert!(!ground.at(FOLDER).exists(), "the dumps are taken away");
    newest(ground)
}

/// What `snapshot show` says of the only database.
fn only_database(ground: &Ground, id: &str) -> Value {
    let shown = ground.expect(0, &format!("snapshot show {id} --json")).json();
    let [database] = shown["databases"].as_array().unwrap().as_slice() else { panic!("{shown}") };
    database.clone()
}

/// Insists that no snapshot is made, for a reason and with a next move that have these words in them.
fn refused(ground: &Ground, reason: &str, hint: &str) -> Seen {
    let seen = ground.expect(2, "snapshot create");
    assert!(seen.err.contains(reason), "`{reason}` is not in {seen}");
    let told = seen.err.split("hint: ").nth(1).unwrap_or_else(|| panic!("{seen}"));
    assert!(told.contains(hint), "`{hint}` is not in {seen}");
    assert!(!ground.at(FOLDER).exists(), "nothing is left of what failed");
    assert_eq!(ground.run("snapshot list").code, 2, "there is no snapshot");
    seen
}

/// Insists that nothing below a folder has a text in it.
fn assert_nowhere(folder: &Path, text: &str) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_nowhere(&path, text);
        } else {
            let content = fs::read(&path).unwrap();
            let is_in = content.windows(text.len()).any(|part| part == text.as_bytes());
            assert!(!is_in, "`{text}` is in {}", path.display());
        }
    }
}
