//! SQLite: copied while somebody writes, looked through, and brought back.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::json;

use super::super::ground::Ground;
use super::{ground, only_database, refused, snapshot, with_databases};

const TABLES: &str = "CREATE TABLE orders (id INTEGER PRIMARY KEY, what TEXT); CREATE TABLE \"odd \"\"name\" (v);
    CREATE INDEX by_what ON orders (what); INSERT INTO \"odd \"\"name\" VALUES (1), (NULL);
    WITH RECURSIVE n(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < 1000) INSERT INTO orders SELECT v, 'o' || v FROM n;";

fn open(path: &Path) -> Connection {
    Connection::open(path).unwrap()
}

/// Rows of `orders`, and the largest id.
fn orders(path: &Path) -> (u64, u64) {
    open(path)
        .query_row("SELECT count(*), max(id) FROM orders", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
}

/// The names in a folder.
fn names(folder: &Path) -> Vec<PathBuf> {
    let mut names: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    names
}

fn restored(ground: &Ground, id: &str, name: &str) -> PathBuf {
    let into = ground.at("../restored.db");
    drop(fs::remove_file(&into));
    ground.expect(0, &format!("snapshot restore {id} --database {name} --into {}", into.display()));
    into
}

// rows: PC-4
#[test]
fn a_database_is_saved_as_it_was_committed_while_somebody_writes() {
    for mode in ["DELETE", "WAL"] {
        let ground = ground(&["data/app.sqlite"]);
        fs::create_dir(ground.at("data")).unwrap();
        let writer = open(&ground.at("data/app.sqlite"));
        writer.pragma_update(None, "journal_mode", mode).unwrap();
        writer.execute_batch(TABLES).unwrap();
        // What is not committed is in the file already, or in its log; it is in no snapshot.
        writer.execute_batch("BEGIN IMMEDIATE; INSERT INTO orders VALUES (5000, 'not yet')").unwrap();
        let id = snapshot(&ground);
        let database = only_database(&ground, &id);
        assert_eq!((&database["name"], &database["kind"]), (&json!("data/app.sqlite"), &json!("SQLite")));
        assert_eq!(
            database["tables"],
            json!([{"name": "odd \"name", "rows": 2}, {"name": "orders", "rows": 1000}])
        );
        writer.execute_batch("COMMIT").unwrap();
        let back = restored(&ground, &id, "app.sqlite");
        assert_eq!(orders(&back), (1000, 1000), "{mode}");
        let kept: String = open(&back).query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
        assert_eq!(kept.to_uppercase(), mode);
        assert_eq!(orders(&ground.at("data/app.sqlite")), (1001, 5000), "the live one goes on");
    }
}

#[test]
fn a_database_that_is_saved_is_left_as_it_is() {
    let ground = ground(&["data/app.sqlite"]);
    fs::create_dir(ground.at("data")).unwrap();
    let path = ground.at("data/app.sqlite");
    let writer = open(&path);
    writer.pragma_update(None, "journal_mode", "WAL").unwrap();
    writer.execute_batch(TABLES).unwrap();
    // As a process that was killed leaves it: a log that is not in the file yet.
    let left = ground.at("left");
    fs::create_dir(&left).unwrap();
    for name in ["app.sqlite", "app.sqlite-wal"] {
        fs::copy(ground.at("data").join(name), left.join(name)).unwrap();
    }
    drop(writer);
    let (before, content) = (names(&ground.at("data")), fs::read(&path).unwrap());
    snapshot(&ground);
    assert_eq!((names(&ground.at("data")), fs::read(&path).unwrap()), (before, content));

    with_databases(&ground, &["left/app.sqlite"]);
    let log = fs::read(left.join("app.sqlite-wal")).unwrap();
    let content = fs::read(left.join("app.sqlite")).unwrap();
    let id = snapshot(&ground);
    assert_eq!(fs::read(left.join("app.sqlite-wal")).unwrap(), log);
    assert_eq!(fs::read(left.join("app.sqlite")).unwrap(), content);
    assert_eq!(orders(&restored(&ground, &id, "left/app.sqlite")), (1000, 1000));
}

#[test]
fn a_database_that_is_locked_damaged_or_none_is_in_no_snapshot() {
    let ground = ground(&["app.db"]);
    refused(&ground, "there is no file `", "correct its name");
    let path = ground.at("app.db");
    let writer = open(&path);
    writer.execute_batch(TABLES).unwrap();
    writer.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let seen = refused(&ground, "keeps it locked for more than", "let its transaction end");
    assert!(seen.err.contains("could not save the database `app.db`"), "{seen}");
    drop(writer);
    // A page of the index is lost, which only a look through the copy finds.
    let mut bytes = fs::read(&path).unwrap();
    let page = 4096;
    let root: usize = open(&path)
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'by_what'", [], |row| row.get(0))
        .unwrap();
    bytes[(root - 1) * page..root * page].fill(0);
    fs::write(&path, bytes).unwrap();
    refused(&ground, "it is damaged: `PRAGMA integrity_check` does not say `ok`", "mend it");
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("elsewhere.db", &path).unwrap();
    refused(&ground, "is no regular file", "not a link to it");
    with_databases(&ground, &["duckdb:other.db"]);
    open(&ground.at("other.db")).execute_batch(TABLES).unwrap();
    refused(&ground, "is no file of DuckDB", "correct its name");
}

#[test]
fn a_restored_database_stands_where_nothing_was() {
    let ground = ground(&["app.db"]);
    open(&ground.at("app.db")).execute_batch(TABLES).unwrap();
    let id = snapshot(&ground);
    let restore = |into: &str| ground.run(&format!("snapshot restore {id} --database app.db --into {into}"));
    for (there, into) in [("../there.db", "../there.db"), ("../log.db-wal", "../log.db")] {
        ground.write(there, "kept");
        let seen = restore(into);
        assert_eq!(seen.code, 2, "{seen}");
        assert!(seen.err.contains("exists already"), "{seen}");
        assert_eq!(ground.read(there), "kept");
    }
    let seen = restore("postgresql://me@127.0.0.1:1/x");
    assert!(seen.code == 2 && seen.err.contains("a file of SQLite does not go into PostgreSQL"), "{seen}");
    let seen = ground.expect(2, &format!("snapshot restore {id} --database app.db --into ../nowhere/app.db"));
    assert!(seen.err.contains("nowhere"), "{seen}");
    ground.expect(2, &format!("snapshot restore {id} src --database app.db --into ../x.db"));
    let seen = restore("../fresh.db");
    assert_eq!(seen.code, 0, "{seen}");
    assert!(seen.out.contains("yes: SQLite `app.db`, 2 tables, 1002 rows, "), "{seen}");
    // Without `--database` the copy comes with the rest, below the folder that it was saved in.
    ground.expect(0, &format!("snapshot restore {id} --into ../all"));
    assert_eq!(orders(&ground.at("../all/.switchback/databases/1-app.db")), (1000, 1000));
    assert!(ground.at("../all/.switchback/databases/facts.json").exists());
}
