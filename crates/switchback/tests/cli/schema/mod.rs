//! `schema`: ten steps of a real database of each kind, carried out, failed, refused, undone, and killed on the way.

mod duckdb;
mod killed;
mod left;
mod losses;
mod migration;
mod postgresql;
mod refusals;
mod sqlite;
mod together;

use serde_json::Value;

use super::ground::{Ground, Seen};

/// Runs `schema VERB` with JSON, and insists on the exit code.
fn schema(ground: &Ground, code: i32, verb: &str, database: &str, more: &[&str]) -> Value {
    let seen = run(ground, verb, database, more);
    assert_eq!(seen.code, code, "{seen}");
    seen.json()
}

fn run(ground: &Ground, verb: &str, database: &str, more: &[&str]) -> Seen {
    let mut arguments = vec!["schema", verb, "--json", "--database", database, "--steps", "steps"];
    arguments.extend(more);
    ground.run_arguments(&arguments)
}

/// The states of all steps.
fn states(report: &Value) -> Vec<&str> {
    report["steps"].as_array().unwrap().iter().map(|step| step["state"].as_str().unwrap()).collect()
}

/// How many steps are deployed.
fn deployed(report: &Value) -> usize {
    states(report).iter().filter(|state| **state == "deployed").count()
}

/// Insists that two databases hold the same, table by table where tables are named.
fn same(ground: &Ground, old: &str, new: &str, tables: &[&str]) {
    let one = |old: &str, new: &str| {
        let seen = ground.run_arguments(&["compare", "--json", old, new, "--order", "any", "--allow-empty"]);
        assert_eq!(seen.code, 0, "{seen}");
    };
    if tables.is_empty() {
        one(old, new);
    }
    for table in tables {
        one(&format!("{old}#{table}"), &format!("{new}#{table}"));
    }
}
