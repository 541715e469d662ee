//! `cargo xtask rows`: which rows of the mission are claimed, which tests name them, and how those ended.
//!
//! [`codes`] knows the rows that there are, [`claims`] reads what is claimed, [`markers`] finds the tests that name
//! rows, [`results`] how tests ended, and [`account`] puts them together.

pub mod account;
pub mod claims;
pub mod codes;
pub mod markers;
pub mod results;

use std::path::Path;

use crate::problem::Problem;
use crate::suite::Runner;
use crate::workspace::{Workspace, modified, read_text};
use account::Account;
use markers::Marked;
use results::Results;

/// What `cargo xtask rows` was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowsOptions {
    /// One JSON document instead of a table.
    pub json: bool,
}

/// Shows every claimed row with its tests and their results. Answers whether each has a test and all passed.
pub fn rows(workspace: &Workspace, options: &RowsOptions) -> Result<bool, Problem> {
    let claims_path = workspace.root.join(claims::PATH);
    let claims = claims::parse(&read_text(&claims_path).map_err(|problem| {
        problem.hint(format!("`{}` lists the rows that the project claims", claims::PATH))
    })?)?;
    let marked = markers::collect(workspace)?;
    let wanted: Vec<&Marked> =
        marked.iter().filter(|test| test.rows.iter().any(|row| claims.contains_key(row))).collect();

    let mut results = fresh_results(workspace)?;
    let unknown: Vec<&Marked> = wanted.into_iter().filter(|test| results.of(test).is_none()).collect();
    if !unknown.is_empty() {
        eprintln!("running {} tests that the last run of the suite says nothing about", unknown.len());
        results.extend(results::run(workspace, Runner::of(workspace)?, &unknown)?);
    }

    let account = Account::of(&claims, &marked, &results);
    if options.json {
        println!("{}", account.json());
    } else {
        print!("{}", account.table());
    }
    Ok(account.holds())
}

/// The results of the last whole run of the suite, if no file changed since; else none.
fn fresh_results(workspace: &Workspace) -> Result<Results, Problem> {
    let junit = workspace.target_directory()?.join("nextest/ci/junit.xml");
    if !junit.is_file() {
        return Ok(Results::default());
    }
    let sources: Vec<String> = workspace.files()?.into_iter().filter(|file| decides_results(file)).collect();
    if workspace.newest_change(&sources)? >= modified(&junit)? {
        return Ok(Results::default());
    }
    results::of_junit(&read_text(&junit)?)
}

/// Whether a change of this file may change how a test ends. Prose may not; everything else counts.
fn decides_results(file: &str) -> bool {
    let extension = Path::new(file).extension().and_then(|extension| extension.to_str());
    !(file == claims::PATH || extension == Some("md") && !file.starts_with("crates/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_alone_does_not_make_results_old() {
        for (file, decides) in [
            ("crates/switchback-core/src/lib.rs", true),
            ("crates/switchback/tests/expected.md", true),
            ("examples/merge/switchback.toml", true),
            ("Cargo.lock", true),
            ("CHANGELOG.md", false),
            ("docs/mission-rows.toml", false),
        ] {
            assert_eq!(decides_results(file), decides, "{file}");
        }
    }
}
