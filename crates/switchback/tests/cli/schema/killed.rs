//! `kill -9` of the real program at every statement of ten steps, and what is so afterwards: the one state or the other.
//!
//! Of PostgreSQL every statement is a message, and the program is killed before each that is its own or a step's. SQLite and DuckDB
//! are in the process, where a statement is nothing that the kernel knows of: there it is killed at the calls that alter a file,
//! which are all that a kill can leave half done.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::migration::TABLES;
use super::{deployed, run, same, schema, states};
use crate::ground::Ground;

/// Calls by which files are altered.
pub(super) const ALTERING: &str =
    "pwrite64,pwritev,write,writev,fsync,fdatasync,ftruncate,unlink,unlinkat,rename,renameat2";

/// The N-th call of a name in its thread, from 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Call {
    name: String,
    number: u32,
}

/// `schema VERB` under `strace`; what it traces.
fn traced(ground: &Ground, options: &[&str], arguments: &[&str]) -> (Option<i32>, String) {
    let log = ground.at("../strace.log");
    let mut all = vec!["-f", "-qq", "-y", "-s", "160", "-o", log.to_str().unwrap()];
    all.extend(options);
    all.push(env!("CARGO_BIN_EXE_switchback"));
    all.extend(arguments);
    let code = ground.code_of("strace", &all);
    (code, std::fs::read_to_string(log).unwrap())
}

/// The calls of a run that succeeds in whose line there is one of these words.
pub(super) fn calls(ground: &Ground, names: &str, words: &[&str], arguments: &[&str]) -> Vec<Call> {
    let (code, text) = traced(ground, &["-e", &format!("trace={names}")], arguments);
    assert_eq!(code, Some(0), "{text}");
    let mut numbers = std::collections::HashMap::new();
    let mut found = BTreeSet::new();
    for line in text.lines() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let Some((name, _)) = rest.trim_start().split_once('(') else { continue };
        if !name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
            continue;
        }
        let number: &mut u32 = numbers.entry((thread.to_owned(), name.to_owned())).or_default();
        *number += 1;
        if words.iter().any(|word| rest.contains(word)) {
            found.insert(Call { name: name.to_owned(), number: *number });
        }
    }
    found.into_iter().collect()
}

pub(super) fn kill(ground: &Ground, call: &Call, arguments: &[&str]) {
    let inject = format!("inject={}:signal=KILL:when={}", call.name, call.number);
    traced(ground, &["-e", &format!("trace={}", call.name), "-e", &inject], arguments);
}

/// Insists that a killed deploy left each step whole or not at all, but for the one that is no transaction; how many
/// are there.
fn left_whole(ground: &Ground, database: &str, call: &Call) -> usize {
    let seen = run(ground, "status", database, &[]);
    assert!(seen.code == 0 || seen.code == 2, "{call:?}: {seen}");
    let report = seen.json();
    let there = deployed(&report);
    let half = states(&report).iter().filter(|state| **state == "half-deployed").count();
    assert!(half == 0 || half == 1 && states(&report)[6] == "half-deployed", "{call:?}: {report}");
    assert!(states(&report)[..there].iter().all(|state| *state == "deployed"), "{call:?}: {report}");
    there
}

fn goes_on(ground: &Ground, database: &str, call: &Call) {
    let report = schema(ground, 0, "deploy", database, &["--no-copy"]);
    assert_eq!(deployed(&report), 10, "{call:?}: {report}");
    schema(ground, 0, "verify", database, &[]);
}

/// Kills a deploy at calls, and goes on, or goes back, in turns.
#[expect(clippy::print_stdout, reason = "how many kills there were is part of what a test shows")]
fn deploy_killed(
    ground: &Ground,
    (database, old, new): (&str, &str, &str),
    (live, whole): (&str, &str),
    calls: &[Call],
    renew: &dyn Fn(),
) {
    let arguments = ["schema", "deploy", "--no-copy", "--steps", "steps", "--database", database];
    let mut seen = BTreeSet::new();
    for (at, call) in calls.iter().enumerate() {
        renew();
        kill(ground, call, &arguments);
        seen.insert(left_whole(ground, database, call));
        if at % 2 == 0 {
            goes_on(ground, database, call);
            same(ground, whole, new, &TABLES);
        } else {
            schema(ground, 0, "revert", database, &["--all"]);
            same(ground, old, live, &[]);
        }
    }
    println!("killed at {} calls, with {seen:?} steps there", calls.len());
    assert!(seen.len() > 5, "killed at {} calls, always at the same steps: {seen:?}", calls.len());
}

/// Every call that syncs or removes, and every N-th of the others.
fn some(calls: Vec<Call>, one_in: usize) -> Vec<Call> {
    let is_rare = |call: &Call| call.name.contains("sync") || call.name.contains("unlink");
    calls
        .into_iter()
        .enumerate()
        .filter(|(at, call)| is_rare(call) || at % one_in == 0)
        .map(|(_, call)| call)
        .collect()
}

fn renewed(ground: &Ground, name: &str, from: &str) {
    for ending in ["", "-journal", "-wal", "-shm", ".wal"] {
        drop(std::fs::remove_file(ground.at(format!("{name}{ending}"))));
    }
    std::fs::copy(ground.at(from), ground.at(name)).unwrap();
}

// rows: OM-1
#[test]
fn needs_strace_a_deploy_into_sqlite_killed_anywhere_goes_on_or_back() {
    sqlite_killed(3);
}

#[test]
#[ignore = "slow: every single call that writes"]
fn needs_strace_a_deploy_into_sqlite_killed_at_every_call_goes_on_or_back() {
    sqlite_killed(1);
}

fn sqlite_killed(one_in: usize) {
    let ground = super::sqlite::ground();
    let arguments = ["schema", "deploy", "--no-copy", "--steps", "steps", "--database", "app.db"];
    let place = ground.at("app.db");
    let calls = some(calls(&ground, ALTERING, &[place.to_str().unwrap()], &arguments), one_in);
    assert!(calls.len() > 60, "{} calls", calls.len());
    std::fs::copy(ground.at("app.db"), ground.at("whole.db")).unwrap();
    let places = ("app.db", "sqlite:before.db", "sqlite:app.db");
    deploy_killed(&ground, places, ("sqlite:app.db", "sqlite:whole.db"), &calls, &|| {
        renewed(&ground, "app.db", "before.db");
    });
}

// rows: OM-1
#[test]
fn needs_strace_a_revert_in_sqlite_killed_anywhere_goes_on() {
    let ground = super::sqlite::ground();
    schema(&ground, 0, "deploy", "app.db", &["--no-copy"]);
    std::fs::copy(ground.at("app.db"), ground.at("whole.db")).unwrap();
    let arguments = ["schema", "revert", "--all", "--steps", "steps", "--database", "app.db"];
    let place = ground.at("app.db");
    let calls = some(calls(&ground, ALTERING, &[place.to_str().unwrap()], &arguments), 6);
    for call in calls {
        renewed(&ground, "app.db", "whole.db");
        kill(&ground, &call, &arguments);
        schema(&ground, 0, "revert", "app.db", &["--all"]);
        same(&ground, "sqlite:before.db", "sqlite:app.db", &[]);
    }
}

// rows: OM-1
#[test]
fn needs_strace_and_needs_postgresql_a_deploy_killed_at_every_statement_goes_on_or_back() {
    let (ground, server) = super::postgresql::ground();
    let (live, before, whole) =
        (server.address("live", ""), server.address("before", ""), server.address("whole", ""));
    let renew = || {
        server.run("DROP DATABASE IF EXISTS live WITH (FORCE)");
        server.run("CREATE DATABASE live TEMPLATE before");
    };
    let arguments = ["schema", "deploy", "--no-copy", "--steps", "steps", "--database", &live];
    // The steps' own statements, the rows of the steps, and the ends of transactions; and whatever comes right after each.
    let words = ["CREATE ", "ALTER ", "INSERT ", "UPDATE ", "DROP ", "DELETE ", "COMMIT"];
    let found = calls(&ground, "sendto", &words, &arguments);
    server.run("CREATE DATABASE whole TEMPLATE live");
    let after = found.iter().map(|call| Call { number: call.number + 1, ..call.clone() });
    let calls: Vec<Call> = found.iter().cloned().chain(after).collect::<BTreeSet<_>>().into_iter().collect();
    assert!(calls.len() > 50, "{} calls", calls.len());
    deploy_killed(&ground, (&live, &before, &live), (&live, &whole), &calls, &renew);
}

// rows: OM-1
#[test]
fn needs_strace_and_needs_duckdb_a_deploy_killed_anywhere_goes_on_or_back() {
    let ground = super::duckdb::ground();
    let arguments = ["schema", "deploy", "--no-copy", "--steps", "steps", "--database", "app.duckdb"];
    let place = ground.at("app.duckdb");
    let calls = some(calls(&ground, ALTERING, &[place.to_str().unwrap()], &arguments), 1);
    assert!(calls.len() > 20, "{} calls", calls.len());
    std::fs::copy(ground.at("app.duckdb"), ground.at("whole.duckdb")).unwrap();
    let places = ("app.duckdb", "duckdb:before.duckdb", "duckdb:app.duckdb");
    deploy_killed(&ground, places, ("duckdb:app.duckdb", "duckdb:whole.duckdb"), &calls, &|| {
        renewed(&ground, "app.duckdb", "before.duckdb");
    });
}

#[test]
fn a_statement_of_which_nobody_knows_is_said_to_be_unknown() {
    let ground = super::sqlite::ground();
    ground.tool("rm", &["-rf", "steps"]);
    ground.write(
        "steps/0001_marks/deploy.sql",
        "-- switchback: no transaction\nCREATE TABLE marks (id);\nINSERT INTO marks VALUES (1);\n",
    );
    ground.write("steps/0001_marks/verify.sql", "SELECT count(*) = 1 FROM marks;\n");
    ground.write("steps/0001_marks/revert.sql", "DROP TABLE marks;\n");
    schema(&ground, 0, "deploy", "app.db", &["--no-copy"]);
    // As a kill in the middle of a statement leaves it: begun, and not noted as done.
    let set =
        |statements: &str| Connection::open(ground.at("app.db")).unwrap().execute_batch(statements).unwrap();
    // Nothing to compare.
    let facts = "{\"before\": [], \"shape\": [[\"orders\", []]]}";
    let half = |began: u32, done: u32| {
        set(&format!(
            "UPDATE switchback_schema SET state = 'deploying', began = {began}, done = {done}, facts = '{facts}'"
        ));
    };
    half(1, 0);
    let report = schema(&ground, 2, "deploy", "app.db", &["--no-copy"]);
    assert!(report["refused"].to_string().contains("nobody knows whether statement 1 of"), "{report}");
    assert_eq!(states(&report), ["half-deployed"]);
    // The last statement: what verifies the step decides.
    half(2, 1);
    schema(&ground, 0, "deploy", "app.db", &["--no-copy"]);
    // Where that says no, it is not known either, until somebody says that it may be carried out again.
    set("DELETE FROM marks");
    half(2, 1);
    schema(&ground, 2, "deploy", "app.db", &["--no-copy"]);
    schema(&ground, 0, "deploy", "app.db", &["--no-copy", "--again"]);
    half(1, 0);
    schema(&ground, 0, "revert", "app.db", &["--accept-loss", "1"]);
    same(&ground, "sqlite:before.db", "sqlite:app.db", &[]);
}
